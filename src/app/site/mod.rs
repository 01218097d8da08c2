//! Organisations and their sites: registered one by one, or imported from the national directory.

mod import;
mod qualify;
mod register;

pub use import::{Imported, RowVerdict, import};
pub use qualify::{Capacity, Qualification, declare_capacity, qualify};
pub use register::{NewOrganisation, NewSite, register_organisation, register_site};

use serde_json::json;

use crate::db::organisations::{self, Organisation};
use crate::db::sites::{self, Site};
use crate::db::{Tx, programmes};
use crate::domain::entry::EntryKind;
use crate::domain::{Action, Actor, OrganisationId, SiteId};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// A page of organisations by number.
pub fn list_organisations(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: OrganisationId,
    limit: i64,
) -> Result<Vec<Organisation>> {
    actor.require(Action::ReadOrganisations)?;
    organisations::page(tx, after, limit)
}

/// A page of sites by number.
pub fn list(tx: &mut Tx<'_>, actor: &Actor, after: SiteId, limit: i64) -> Result<Vec<Site>> {
    actor.require(Action::ReadOrganisations)?;
    sites::page(tx, after, limit)
}

/// Records new organisations and sites, each in an entry.
fn record(
    tx: &mut Tx<'_>,
    actor: &Actor,
    organisations: &[Organisation],
    sites: &[Site],
) -> Result<()> {
    let organisations = organisations.iter().map(|new| {
        let facts = json!({ "organisation": new.number, "is_prescriber": new.is_prescriber });
        Entry::new(tx, EntryKind::OrganisationRegistration, actor.user, facts)
            .changed("organisations", new.number.get())
    });
    let sites = sites.iter().map(|new| {
        let facts = json!({ "site": new.number, "organisation": new.organisation });
        Entry::new(tx, EntryKind::SiteRegistration, actor.user, facts)
            .changed("sites", new.number.get())
    });
    let entries = organisations.chain(sites).collect();
    let code = programmes::current(tx)?.code;
    ledger::record_all(tx, &code, entries)?;
    Ok(())
}
