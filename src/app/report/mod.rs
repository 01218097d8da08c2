//! What anyone entitled to ask is shown: a pass's life, everybody's stock on any day, the books.

mod custody;
mod three_way;
mod trace;

pub use crate::domain::statement::Conservation;
pub use custody::{conservation, custody};
pub use three_way::{Difference, ThreeWay, three_way};
pub use trace::{Step, Trace, trace};

use crate::db::Tx;
use crate::domain::account::Account;
use crate::domain::{Action, Actor, BookletId};
use crate::error::Result;
use crate::ledger::verify::{self, Check};

/// Holds every rule against the journal.
pub fn verify(tx: &mut Tx<'_>, actor: &Actor) -> Result<Vec<Check>> {
    actor.require(Action::VerifyLedger)?;
    verify::verify(tx)
}

/// The booklets in the stock of the actor's prescriber: how many in all, and a page of their numbers.
pub fn own_stock(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: BookletId,
    limit: i64,
) -> Result<(i64, Vec<BookletId>)> {
    actor.require(Action::ReadOwnStock)?;
    let stock = Account::stock_of(actor.organisation()?);
    let count = crate::db::booklets::count_held_in(tx, stock)?;
    let page = crate::db::booklets::held_in(tx, stock, after, limit)?;
    Ok((count, page.into_iter().map(|booklet| booklet.number).collect()))
}
