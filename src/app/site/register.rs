//! One organisation, or one site, by hand.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::db::organisations::{self, Organisation};
use crate::db::sites::{self, Site};
use crate::db::{Tx, series};
use crate::domain::commune::{Communes, Department, InseeCode};
use crate::domain::service::Service;
use crate::domain::siret::Siret;
use crate::domain::text::Line;
use crate::domain::{Action, Actor, OrganisationId, Refusal, SiteId};
use crate::error::Result;

/// An organisation to be registered (fr: structure).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisation {
    /// Its name.
    pub name: Line,
    /// Its SIRET; without one it is known, and can't be paid.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[0-9]{14}$")]
    pub siret: Option<Siret>,
    /// Does it hand booklets over?
    pub is_prescriber: bool,
    /// Its department.
    #[serde(default)]
    pub department: Option<Department>,
}

/// A site to be registered.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSite {
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Its name.
    pub name: Line,
    /// Number and street.
    pub address: Line,
    /// INSEE code of its commune, in Hauts-de-France.
    pub insee_code: InseeCode,
    /// What people can come for; every service when empty.
    #[serde(default)]
    #[schema(max_items = 9)]
    pub services: Vec<Service>,
}

/// Registers an organisation, with its stock account when it is a prescriber.
pub fn register_organisation(
    tx: &mut Tx<'_>,
    actor: &Actor,
    new: NewOrganisation,
) -> Result<Organisation> {
    actor.require(Action::ManageOrganisations)?;
    let number = OrganisationId::new(series::next(tx, "organisation")?);
    let organisation = Organisation {
        number,
        name: new.name.into(),
        siret: new.siret.map(|siret| siret.as_str().to_owned()),
        is_prescriber: new.is_prescriber,
        department: new.department.map(|department| department.to_string()),
        created_at: tx.now,
    };
    if organisations::insert(tx, std::slice::from_ref(&organisation))? == 0 {
        return Err(Refusal::Duplicate { what: "Une structure de ce SIRET".into() }.into());
    }
    super::record(tx, actor, std::slice::from_ref(&organisation), &[])?;
    Ok(organisation)
}

/// Registers a site; it redeems nothing until it is qualified.
pub fn register_site(tx: &mut Tx<'_>, actor: &Actor, new: NewSite) -> Result<Site> {
    actor.require(Action::ManageOrganisations)?;
    organisations::get(tx, new.organisation)?;
    let commune = Communes::hauts_de_france().by_insee_code(new.insee_code).ok_or_else(|| {
        Refusal::invalid(
            "insee_code",
            "le code INSEE d'une commune des Hauts-de-France est attendu",
        )
    })?;
    let mut services: Vec<String> =
        new.services.into_iter().map(|service| <&'static str>::from(service).to_owned()).collect();
    services.sort_unstable();
    services.dedup();
    let site = Site {
        number: SiteId::new(series::next(tx, "site")?),
        organisation: new.organisation,
        name: new.name.into(),
        address: new.address.into(),
        postal_code: commune.postal_codes.first().map(ToString::to_string),
        insee_code: commune.insee_code.to_string(),
        commune: commune.name.to_owned(),
        latitude_microdegrees: None,
        longitude_microdegrees: None,
        services,
        source: None,
        source_id: None,
        is_fictitious: false,
        qualified_from: None,
        qualified_until: None,
        created_at: tx.now,
        daily_capacity: None,
    };
    sites::insert(tx, std::slice::from_ref(&site))?;
    super::record(tx, actor, &[], std::slice::from_ref(&site))?;
    Ok(site)
}
