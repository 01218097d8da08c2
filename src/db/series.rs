//! Continuous series: numbers are taken under a row lock that lives as long as the transaction, so a
//! refused operation gives its number back and no gap is left.

use diesel::prelude::*;
use diesel::upsert::{excluded, on_constraint};

use super::Tx;
use super::schema::series;
use crate::error::Result;

/// Takes the next `n` numbers of the series, and returns the first of them.
#[expect(clippy::arithmetic_side_effects, reason = "PostgreSQL adds, and refuses what overflows")]
pub fn take(tx: &mut Tx<'_>, name: &str, n: i32) -> Result<i32> {
    let last: i32 = diesel::insert_into(series::table)
        .values((series::name.eq(name), series::last.eq(n)))
        .on_conflict(on_constraint("series_pkey"))
        .do_update()
        .set(series::last.eq(series::last + excluded(series::last)))
        .returning(series::last)
        .get_result(tx.conn)?;
    Ok(last.saturating_sub(n).saturating_add(1))
}

/// Takes the next number.
pub fn next(tx: &mut Tx<'_>, name: &str) -> Result<i32> {
    take(tx, name, 1)
}
