//! Wrong codes, counted so that guessing is slow: per site and pass, in windows.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Integer, Timestamptz};

use super::Tx;
use crate::domain::{PassNumber, SiteId, Timestamp};
use crate::error::Result;

/// Most windows that are forgotten at once: more than begin in one.
const MAX_FORGOTTEN: i32 = 1_000;

/// Counts wrong tries, all of one transaction at once; a window that began before `window_start` begins anew.
/// In the order of their keys, so that two batches can't wait for each other. Then forgets windows that are over, since
/// every batch looks among what there is.
pub fn count(
    tx: &mut Tx<'_>,
    wrong: &BTreeMap<(SiteId, PassNumber), i32>,
    window_start: Timestamp,
) -> Result<()> {
    let tries: Vec<i32> = wrong.values().copied().collect();
    let (sites, passes): (Vec<_>, Vec<_>) = wrong.keys().copied().unzip();
    sql_query(
        "INSERT INTO wrong_tries (site, pass, since, tries)
         SELECT site, pass, $1, tries FROM unnest($2, $3, $4) AS w (site, pass, tries) ORDER BY site, pass
         ON CONFLICT ON CONSTRAINT wrong_tries_pkey DO UPDATE
         SET tries = CASE WHEN wrong_tries.since < $5 THEN excluded.tries ELSE wrong_tries.tries + excluded.tries END,
             since = CASE WHEN wrong_tries.since < $5 THEN excluded.since ELSE wrong_tries.since END",
    )
    .bind::<Timestamptz, _>(tx.now)
    .bind::<Array<Integer>, _>(sites)
    .bind::<Array<Integer>, _>(passes)
    .bind::<Array<Integer>, _>(tries)
    .bind::<Timestamptz, _>(window_start)
    .execute(tx.conn)?;
    sql_query(
        "DELETE FROM wrong_tries WHERE (site, pass) IN
             (SELECT site, pass FROM wrong_tries WHERE since < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Timestamptz, _>(window_start)
    .bind::<Integer, _>(MAX_FORGOTTEN)
    .execute(tx.conn)?;
    Ok(())
}

/// Wrong tries on one pass at one site.
#[derive(Clone, Copy, Debug)]
pub struct Tries {
    /// The site.
    pub site: SiteId,
    /// The pass.
    pub pass: PassNumber,
    /// How many in the window.
    pub tries: i32,
}
