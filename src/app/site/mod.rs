//! Organisations and their sites: registered one by one, or imported from the national directory.

mod import;
mod qualify;
mod register;

pub use import::{Imported, RowVerdict, import};
pub use qualify::{Capacity, Qualification, declare_capacity, qualify};
pub use register::{NewOrganisation, NewSite, register_organisation, register_site};

use crate::db::Tx;
use crate::db::organisations::{self, Organisation};
use crate::db::sites::{self, Site};
use crate::domain::{Action, Actor, OrganisationId, SiteId};
use crate::error::Result;

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
