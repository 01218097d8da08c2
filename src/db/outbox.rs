//! Letters that wait to be sent, sealed.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Binary, Integer, Timestamptz, Uuid};

use super::Tx;
use super::account_schema::outbox;
use crate::domain::LetterId;
use crate::error::Result;

/// A letter whose turn it is.
#[derive(Debug, QueryableByName)]
pub struct Due {
    /// Its id.
    #[diesel(sql_type = Uuid)]
    pub id: LetterId,
    /// What it says.
    #[diesel(sql_type = Binary)]
    pub letter_sealed: Vec<u8>,
    /// How many times it was tried, this one included.
    #[diesel(sql_type = Integer)]
    pub tries: i32,
}

/// Puts a letter in.
pub fn insert(tx: &mut Tx<'_>, letter_sealed: &[u8]) -> Result<()> {
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(LetterId::generate()),
            outbox::letter_sealed.eq(letter_sealed),
            outbox::next_at.eq(tx.now),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// Takes the next letter whose turn it is, and puts it back for later in case it can't be sent: after a minute,
/// then two, four, and so on to some hours. Two senders never take the same.
pub fn take(tx: &mut Tx<'_>) -> Result<Option<Due>> {
    Ok(sql_query(
        "UPDATE outbox SET tries = tries + 1, next_at = $1 + (1 << least(tries, 8)) * interval '1 minute'
         WHERE id = (SELECT id FROM outbox WHERE next_at <= $1 ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING id, letter_sealed, tries",
    )
    .bind::<Timestamptz, _>(tx.now)
    .get_result(tx.conn)
    .optional()?)
}

/// It was sent, or is of no more use.
pub fn delete(tx: &mut Tx<'_>, id: LetterId) -> Result<()> {
    diesel::delete(outbox::table.find(id)).execute(tx.conn)?;
    Ok(())
}
