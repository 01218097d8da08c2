//! Sites from the national directory, both generations of its schema: a verdict for every row.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::organisations::{self, Organisation};
use crate::db::sites::{self, Site};
use crate::db::{Tx, series};
use crate::domain::place::{Place, PlaceFile, Verdict};
use crate::domain::service::Service;
use crate::domain::{Action, Actor, OrganisationId, SiteId};
use crate::error::Result;

/// What became of a file.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Imported {
    /// Was anything written?
    pub is_dry_run: bool,
    /// Rows of the file: the five counts below add up to it.
    pub rows: usize,
    /// Imported as they stand.
    pub imported: usize,
    /// Imported; something was missing, deduced or put right.
    pub with_remarks: usize,
    /// Known already, from the same source: left as they are.
    pub known: usize,
    /// Refused by the national schema's rules.
    pub refused: usize,
    /// Without an INSEE code, which every site must have here.
    pub without_commune: usize,
    /// One per row that was not imported as it stands.
    pub verdicts: Vec<RowVerdict>,
}

/// The verdict on one row.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RowVerdict {
    /// Line of a CSV file, rank in a JSON list, from 1.
    pub at: usize,
    /// The name it bears.
    pub name: String,
    /// `imported_with_remarks`, `known`, `refused` or `without_commune`.
    pub verdict: &'static str,
    /// Why, in French.
    pub reasons: Vec<String>,
}

/// Imports a file that was read; writes nothing in a dry run, which judges the same way.
///
/// `source` names the publisher: with the id there, it tells a place that is known already.
pub fn import(
    tx: &mut Tx<'_>,
    actor: &Actor,
    file: &PlaceFile,
    source: &str,
    is_fictitious: bool,
    dry_run: bool,
) -> Result<Imported> {
    actor.require(Action::ManageOrganisations)?;
    let known: BTreeSet<String> = sites::source_ids(tx, source)?.into_iter().collect();
    let mut report = Imported { is_dry_run: dry_run, rows: file.rows.len(), ..Imported::default() };
    let mut places = Vec::new();
    for row in &file.rows {
        let verdict = match &row.verdict {
            Verdict::Refused(_) => "refused",
            Verdict::Imported(place) | Verdict::ImportedWithRemarks(place, _)
                if known.contains(&place.source_id) =>
            {
                "known"
            }
            Verdict::Imported(place) | Verdict::ImportedWithRemarks(place, _)
                if place.insee_code.is_none() =>
            {
                "without_commune"
            }
            Verdict::ImportedWithRemarks(place, _) => {
                places.push(place.as_ref());
                "imported_with_remarks"
            }
            Verdict::Imported(place) => {
                places.push(place.as_ref());
                "imported"
            }
        };
        let count = match verdict {
            "refused" => &mut report.refused,
            "known" => &mut report.known,
            "without_commune" => &mut report.without_commune,
            "imported_with_remarks" => &mut report.with_remarks,
            _ => &mut report.imported,
        };
        *count = count.saturating_add(1);
        if verdict != "imported" {
            let reasons = row.verdict.told().into_iter().map(|told| told.detail).collect();
            report.verdicts.push(RowVerdict {
                at: row.at,
                name: row.name.clone(),
                verdict,
                reasons,
            });
        }
    }
    if !dry_run && !places.is_empty() {
        write(tx, actor, &places, source, is_fictitious)?;
    }
    Ok(report)
}

/// Writes places: an organisation for each SIRET that is new and for each place without one, then the sites.
fn write(
    tx: &mut Tx<'_>,
    actor: &Actor,
    places: &[&Place],
    source: &str,
    is_fictitious: bool,
) -> Result<()> {
    let n = i32::try_from(places.len()).map_err(anyhow::Error::from)?;
    let mut of_siret = known_organisations(tx, places)?;
    let n_new = n_new_organisations(places, &of_siret);
    let first_new = if n_new > 0 { series::take(tx, "organisation", n_new)? } else { 1 };
    let mut next_organisation = OrganisationId::new(first_new);
    let first_site = SiteId::new(series::take(tx, "site", n)?);
    let (mut organisations, mut new_sites) = (Vec::new(), Vec::new());
    for (place, rank) in places.iter().zip(0..) {
        let siret = place
            .pivot
            .as_ref()
            .and_then(|pivot| pivot.siret())
            .map(|siret| siret.as_str().to_owned());
        let known = siret.as_ref().and_then(|siret| of_siret.get(siret)).copied();
        let organisation = known.unwrap_or_else(|| {
            let number = next_organisation;
            next_organisation = number.plus(1);
            organisations.push(bearer(tx, number, place, siret.clone()));
            number
        });
        if let Some(siret) = siret {
            of_siret.insert(siret, organisation);
        }
        new_sites.push(site(tx, first_site.plus(rank), organisation, place, source, is_fictitious));
    }
    organisations::insert(tx, &organisations)?;
    sites::insert(tx, &new_sites)?;
    super::record(tx, actor, &organisations, &new_sites)
}

/// How many organisations these places bring: a series gives no number that nobody bears.
fn n_new_organisations(places: &[&Place], known: &BTreeMap<String, OrganisationId>) -> i32 {
    let sirets = places.iter().map(|place| place.pivot.as_ref().and_then(|pivot| pivot.siret()));
    let mut seen = BTreeSet::new();
    let new = sirets.filter(|siret| {
        siret.is_none_or(|siret| {
            !known.contains_key(siret.as_str()) && seen.insert(siret.as_str().to_owned())
        })
    });
    i32::try_from(new.count()).unwrap_or(i32::MAX)
}

fn known_organisations(
    tx: &mut Tx<'_>,
    places: &[&Place],
) -> Result<BTreeMap<String, OrganisationId>> {
    let sirets: Vec<String> = places
        .iter()
        .filter_map(|place| place.pivot.as_ref()?.siret())
        .map(|siret| siret.as_str().to_owned())
        .collect();
    Ok(organisations::by_sirets(tx, &sirets)?.into_iter().collect())
}

fn bearer(
    tx: &Tx<'_>,
    number: OrganisationId,
    place: &Place,
    siret: Option<String>,
) -> Organisation {
    Organisation {
        number,
        name: bounded(&place.name, 200),
        siret,
        is_prescriber: false,
        department: Some(place.department.to_string()),
        created_at: tx.now,
    }
}

fn site(
    tx: &Tx<'_>,
    number: SiteId,
    organisation: OrganisationId,
    place: &Place,
    source: &str,
    is_fictitious: bool,
) -> Site {
    let service = |service: &Service| <&'static str>::from(*service).to_owned();
    Site {
        number,
        organisation,
        name: bounded(&place.name, 200),
        address: bounded(&place.address, 300),
        postal_code: place.postal_code.map(|code| code.to_string()),
        insee_code: place.insee_code.map(|code| code.to_string()).unwrap_or_default(),
        commune: bounded(&place.commune, 100),
        latitude_microdegrees: place.coordinates.map(|point| point.latitude_microdegrees),
        longitude_microdegrees: place.coordinates.map(|point| point.longitude_microdegrees),
        services: place.services.iter().map(service).collect(),
        source: Some(source.to_owned()),
        source_id: Some(place.source_id.clone()),
        is_fictitious,
        qualified_from: None,
        qualified_until: None,
        created_at: tx.now,
        daily_capacity: None,
    }
}

fn bounded(text: &str, max_chars: usize) -> String {
    text.chars().take(max_chars).collect()
}
