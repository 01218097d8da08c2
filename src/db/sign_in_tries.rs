//! Tries to sign in, counted before each is judged, so that many at once gain nothing.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Binary, Timestamptz};

use super::Tx;
use crate::domain::{Refusal, Timestamp};
use crate::error::Result;

/// Counts a try under that name (32 bytes), or refuses it when the last ones were too many.
///
/// From the fifth in a row, the next has to wait: 2 seconds, 4, 8, and so on to a minute. A try that is refused
/// doesn't count, so nobody is shut out for longer; after an hour without any, all is forgotten.
pub fn count(tx: &mut Tx<'_>, name: &[u8]) -> Result<()> {
    let counted = sql_query(
        "INSERT INTO sign_in_tries AS t (address_hash, tries, tried_at, next_at) VALUES ($1, 1, $2, $2)
         ON CONFLICT (address_hash) DO UPDATE SET
             tries = CASE WHEN t.tried_at < $2 - interval '1 hour' THEN 1 ELSE t.tries + 1 END,
             tried_at = $2,
             next_at = $2 + CASE WHEN t.tried_at < $2 - interval '1 hour' OR t.tries < 4 THEN interval '0'
                                 ELSE least(60, 2 << least(t.tries - 4, 5)) * interval '1 second' END
         WHERE t.next_at <= $2",
    )
    .bind::<Binary, _>(name)
    .bind::<Timestamptz, _>(tx.now)
    .execute(tx.conn)?;
    if counted == 1 { Ok(()) } else { Err(too_many(tx, name)?.into()) }
}

fn too_many(tx: &mut Tx<'_>, name: &[u8]) -> Result<Refusal> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Timestamptz)]
        next_at: Timestamp,
    }
    let row: Option<Row> = sql_query("SELECT next_at FROM sign_in_tries WHERE address_hash = $1")
        .bind::<Binary, _>(name)
        .get_result(tx.conn)
        .optional()?;
    let wait = row.map_or(0, |row| row.next_at.signed_duration_since(tx.now).num_seconds());
    let retry_after_seconds = u32::try_from(wait).unwrap_or_default().saturating_add(1);
    Ok(Refusal::TooManySignIns { retry_after_seconds })
}

/// Forgets the tries under that name, and what is a day old under any.
pub fn forget(tx: &mut Tx<'_>, name: &[u8]) -> Result<()> {
    sql_query(
        "DELETE FROM sign_in_tries WHERE address_hash = $1 OR tried_at < $2 - interval '1 day'",
    )
    .bind::<Binary, _>(name)
    .bind::<Timestamptz, _>(tx.now)
    .execute(tx.conn)?;
    Ok(())
}
