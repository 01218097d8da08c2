//! At the counter: a pass is tested, spent, and its spending undone.
//!
//! Redemptions come in batches. A batch locks its passes in the order of their numbers, reads, judges
//! each from the locked row, and writes all that were granted in four statements; a single request is
//! a batch of one. Over HTTP, requests that arrive while a batch commits wait in a queue and make the
//! next one ([`Writer`]): nobody waits for a timer, and nobody is answered before COMMIT.

mod batch;
mod brake;
mod check;
mod counter;
mod void;
mod writer;

pub use batch::{Ask, NewRedemption, Redeemed, redeem_all};
pub use check::{Checked, check};
pub(super) use void::undo;
pub use void::{NewVoid, void};
pub use writer::{Overloaded, Writer};

use crate::db::Tx;
use crate::db::redemptions::{self, Listed, SiteTotals};
use crate::domain::{Action, Actor, PassNumber, Timestamp};
use crate::error::Result;

/// Redemptions of the actor's site, or of all sites of its organisation, newest first.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    before: (Timestamp, PassNumber),
    limit: i64,
) -> Result<Vec<Listed>> {
    actor.require(Action::ReadOwnRedemptions)?;
    redemptions::page(tx, actor.organisation()?, actor.site, before, limit)
}

/// What each site of the organisation redeemed, and how far its payment is; a mediator sees its own site.
pub fn totals(tx: &mut Tx<'_>, actor: &Actor) -> Result<Vec<SiteTotals>> {
    actor.require(Action::ReadOwnRedemptions)?;
    let totals = redemptions::site_totals(tx, actor.organisation()?)?;
    Ok(totals.into_iter().filter(|of| actor.site.is_none_or(|own| own == of.site)).collect())
}
