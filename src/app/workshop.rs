//! Workshops at a site: declared beforehand or on the day, named by the redemptions made there.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::redemption::own_site;
use crate::db::workshops::{self, Workshop};
use crate::db::{Tx, programmes, series};
use crate::domain::entry::EntryKind;
use crate::domain::text::Line;
use crate::domain::{Action, Actor, BusinessDate, Refusal, SiteId, WorkshopId};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// How far ahead a workshop is declared: a year's calendar.
const MAX_DAYS_AHEAD: u64 = 366;
/// Most people of a workshop: past it, somebody mistyped.
const MAX_PEOPLE: i32 = 200;

/// A workshop to be declared (fr: atelier).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWorkshop {
    /// Of which site; a mediator's own when left out.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// On which day, today or later: redemptions name it on that day only.
    pub held_on: BusinessDate,
    /// Where: at the site, or in a room elsewhere.
    pub place: Line,
    /// How many people come. Passes of as many people can be redeemed there, each as many as it takes.
    #[schema(minimum = 1, maximum = 200)]
    pub people: i32,
}

/// Declares a workshop of a site that the actor answers for.
pub fn declare(tx: &mut Tx<'_>, actor: &Actor, new: NewWorkshop) -> Result<Workshop> {
    actor.require(Action::DeclareWorkshop)?;
    let site = own_site(tx, actor, new.site)?;
    if !(1..=MAX_PEOPLE).contains(&new.people) {
        return Err(Refusal::invalid("people", "un nombre de 1 à 200 est attendu").into());
    }
    if !(tx.today()..=tx.today().plus_days(MAX_DAYS_AHEAD)).contains(&new.held_on) {
        return Err(Refusal::invalid(
            "held_on",
            "un atelier se déclare au plus tard le jour même, et au plus tôt un an avant",
        )
        .into());
    }
    let number = WorkshopId::new(series::next(tx, "workshop")?);
    let facts = json!({
        "workshop": number, "site": site, "held_on": new.held_on, "people": new.people,
    });
    let entry = Entry::new(tx, EntryKind::WorkshopDeclaration, actor.user, facts);
    let workshop = Workshop {
        number,
        site,
        held_on: new.held_on,
        place: new.place.into(),
        people: new.people,
        declared_by: actor.user,
        declared_at: tx.now,
        entry_id: entry.id,
    };
    workshops::insert(tx, &workshop)?;
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry.wrote("workshops"))?;
    Ok(workshop)
}

/// A page of the workshops of the actor's site, or of all sites of its organisation.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: WorkshopId,
    limit: i64,
) -> Result<Vec<Workshop>> {
    actor.require(Action::ReadOwnRedemptions)?;
    workshops::page(tx, actor.organisation()?, actor.site, after, limit)
}
