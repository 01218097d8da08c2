//! At the counter: a pass is tested, spent, and its spending undone.
//!
//! Redemptions come in batches; a single request is a batch of one. Over HTTP, requests that arrive while a batch
//! is written wait in a queue and make the next one ([`Writer`]): nobody waits for a timer, and nobody is answered
//! before COMMIT. A batch is read, judged, and what was granted written in one call, which finds each pass as it was
//! judged or writes nothing; then, and where there is more to write, it is judged again behind locks.

mod batch;
mod brake;
mod check;
mod counter;
mod judge;
mod redeemed;
mod request;
mod room;
mod void;
mod writer;

pub use batch::{Ask, NewRedemption, redeem_all};
pub use check::{Checked, check};
pub use redeemed::{Outcome, Redeemed};
pub(super) use void::undo;
pub use void::{NewVoid, void};
pub use writer::{Overloaded, Reply, Writer};

use counter::site_of;

use crate::db::digests::{self, SiteDay};
use crate::db::redemptions::{self, Listed, SiteTotals};
use crate::db::{Tx, organisations, programmes, sites};
use crate::domain::{
    Action, Actor, Amount, BusinessDate, OrganisationId, PassNumber, Refusal, SiteId, Timestamp,
};
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

/// Most days of a digest: a quarter.
const MAX_DIGEST_DAYS: u64 = 92;

/// Day by day, what the sites of an organisation redeemed and what they are owed: its own people see theirs (a
/// mediator, its site), whoever runs or audits the programme says whose. With what a pass is worth.
pub fn digest(
    tx: &mut Tx<'_>,
    actor: &Actor,
    organisation: Option<OrganisationId>,
    from: BusinessDate,
    until: BusinessDate,
) -> Result<(Vec<SiteDay>, Amount)> {
    actor.require(Action::ReadDigest)?;
    let organisation = match (actor.organisation, organisation) {
        (Some(own), Some(asked)) if own != asked => {
            return Err(Refusal::not_found("organisation").into());
        }
        (Some(own), _) => own,
        (None, Some(asked)) => organisations::get(tx, asked)?.number,
        (None, None) => {
            return Err(Refusal::invalid(
                "organisation",
                "précisez la structure dont vous lisez le relevé",
            )
            .into());
        }
    };
    if until < from || until > from.plus_days(MAX_DIGEST_DAYS.saturating_sub(1)) {
        return Err(Refusal::invalid(
            "until",
            "de 1 à 92 jours sont attendus, du premier au dernier inclus",
        )
        .into());
    }
    let days = digests::days(tx, organisation, actor.site, from, until)?;
    Ok((days, programmes::current(tx)?.face_value))
}

/// The site that an actor acts at: a mediator's own, or one of a manager's organisation.
pub(super) fn own_site(tx: &mut Tx<'_>, actor: &Actor, asked: Option<SiteId>) -> Result<SiteId> {
    let site = sites::get(tx, site_of(actor, asked)?)?;
    if site.organisation == actor.organisation()? {
        Ok(site.number)
    } else {
        Err(Refusal::not_found("site").into())
    }
}
