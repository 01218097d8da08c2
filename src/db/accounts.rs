//! Accounts: opened once, never closed.

use diesel::prelude::*;

use super::Tx;
use super::schema::accounts;
use crate::domain::account::Account;
use crate::error::Result;

/// Opens accounts; one that is open already stays as it is.
pub fn open(tx: &mut Tx<'_>, new: &[Account]) -> Result<()> {
    let rows: Vec<_> = new
        .iter()
        .map(|account| {
            (
                accounts::id.eq(account.id()),
                accounts::book.eq(account.kind().book()),
                accounts::kind.eq(account.kind()),
                accounts::holder.eq(account.holder()),
            )
        })
        .collect();
    diesel::insert_into(accounts::table).values(rows).on_conflict_do_nothing().execute(tx.conn)?;
    Ok(())
}
