//! From when until when a site may redeem, and how much it says it can take.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::db::sites::{self, Site};
use crate::db::{Tx, organisations, programmes};
use crate::domain::entry::EntryKind;
use crate::domain::flag::DailyCapacity;
use crate::domain::{Action, Actor, BusinessDate, Refusal, SiteId};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// A site's qualification.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Qualification {
    /// First day.
    pub from: BusinessDate,
    /// Last day, included; without end when left out.
    #[serde(default)]
    pub until: Option<BusinessDate>,
}

/// Qualifies a site whose organisation can be paid.
pub fn qualify(tx: &mut Tx<'_>, actor: &Actor, number: SiteId, new: Qualification) -> Result<Site> {
    actor.require(Action::ManageOrganisations)?;
    if new.until.is_some_and(|until| until < new.from) {
        return Err(Refusal::invalid(
            "until",
            "la fin de la qualification ne peut précéder son début",
        )
        .into());
    }
    let site = sites::get(tx, number)?;
    if organisations::get(tx, site.organisation)?.siret.is_none() {
        return Err(Refusal::wrong_state(
            "site",
            "sa structure n'a pas de SIRET, donc ne pourrait être payée",
        )
        .into());
    }
    sites::qualify(tx, number, new.from, new.until)?;
    let facts = json!({ "site": number, "from": new.from, "until": new.until });
    let entry = Entry::new(tx, EntryKind::SiteQualification, actor.user, facts)
        .changed("sites", number.get());
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry)?;
    sites::get(tx, number)
}

/// What a site declares that it can take.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    /// Passes in a day: more are flagged. Nothing is, when it is null.
    pub daily_capacity: Option<DailyCapacity>,
}

/// Keeps the capacity that a site declares. What was flagged before stays so.
pub fn declare_capacity(
    tx: &mut Tx<'_>,
    actor: &Actor,
    number: SiteId,
    new: Capacity,
) -> Result<Site> {
    actor.require(Action::ManageOrganisations)?;
    if !sites::set_daily_capacity(tx, number, new.daily_capacity)? {
        return Err(Refusal::not_found("site").into());
    }
    let facts = json!({ "site": number, "daily_capacity": new.daily_capacity });
    let entry = Entry::new(tx, EntryKind::CapacityDeclaration, actor.user, facts)
        .changed("sites", number.get());
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry)?;
    sites::get(tx, number)
}
