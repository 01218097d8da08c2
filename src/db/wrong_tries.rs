//! Wrong codes, counted so that guessing is slow: per site and pass, in windows.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Integer, Timestamptz};

use super::Tx;
use super::statement::statement;
use crate::domain::{PassNumber, SiteId, Timestamp};
use crate::error::Result;

/// Counts one more wrong try; a window that began before `window_start` begins anew.
pub fn count(
    tx: &mut Tx<'_>,
    site: SiteId,
    pass: PassNumber,
    window_start: Timestamp,
) -> Result<()> {
    sql_query(
        "INSERT INTO wrong_tries (site, pass, since, tries) VALUES ($1, $2, $3, 1)
         ON CONFLICT ON CONSTRAINT wrong_tries_pkey DO UPDATE
         SET tries = CASE WHEN wrong_tries.since < $4 THEN 1 ELSE wrong_tries.tries + 1 END,
             since = CASE WHEN wrong_tries.since < $4 THEN excluded.since ELSE wrong_tries.since END",
    )
    .bind::<Integer, _>(site)
    .bind::<Integer, _>(pass)
    .bind::<Timestamptz, _>(tx.now)
    .bind::<Timestamptz, _>(window_start)
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

statement! {
    FindSince { window_start: Timestamptz = Timestamp, sites: Array<Integer> = [SiteId], passes: Array<Integer> = [PassNumber] }
        -> (Integer, Integer, Integer),
    "SELECT site, pass, tries FROM wrong_tries WHERE since >= ? AND (site = ANY (?) OR pass = ANY (?))"
}

/// Those since `window_start`, by one of these sites or on one of these passes.
pub fn since(
    tx: &mut Tx<'_>,
    sites: &[SiteId],
    passes: &[PassNumber],
    window_start: Timestamp,
) -> Result<Vec<Tries>> {
    let rows: Vec<(SiteId, PassNumber, i32)> =
        FindSince { window_start: &window_start, sites, passes }.load(tx.conn)?;
    Ok(rows.into_iter().map(|(site, pass, tries)| Tries { site, pass, tries }).collect())
}
