//! The sites of a programme: real ones from a file, or made-up ones in real communes, labelled as such.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::stage::Stage;
use crate::app::site::{self, Imported};
use crate::db::organisations::Organisation;
use crate::db::sites::Site;
use crate::domain::fictitious::fictitious_sites_in;
use crate::domain::place::{self, Format, Generation, Limits, PlaceFile, Row, Verdict};
use crate::domain::seeded::Seeded;
use crate::domain::territory::Territory;
use crate::domain::{Actor, OrganisationId, SiteId};

/// Fewer qualifiable organisations than this in a programme's territory, and made-up ones are added.
const FEWEST: usize = 6;
/// The commune of the site that lies out of the pilot's territory: Valenciennes.
const OUTSIDE: &str = r#"{"communes":["59606"]}"#;

/// A file of real places, as it was read.
pub struct RealPlaces {
    file: PlaceFile,
    /// Who published it.
    source: String,
    /// The file's name.
    name: String,
}

impl RealPlaces {
    /// Reads the file, whatever the generation of the schema it follows.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let bytes = fs::read(path).with_context(|| format!("{shown} ne peut être lu"))?;
        let file = place::read(&bytes, Limits::default())
            .with_context(|| format!("{shown} n'est pas un fichier de lieux"))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = file.places().find_map(|place| place.source.clone());
        Ok(Self { source: source.unwrap_or_else(|| name.clone()), file, name })
    }
}

/// What became of a programme's sites, for the report.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The file of the real places, when there are any, and who published it.
    pub source: Option<(String, String)>,
    /// What became of the rows of the file.
    pub imported: Imported,
    /// Made-up places.
    pub fictitious: usize,
    /// Sites whose organisation has no SIRET: known, but not to be qualified, nor paid.
    pub without_siret: usize,
    /// Sites out of the territory.
    pub outside: usize,
    /// Sites that were qualified.
    pub qualified: usize,
}

/// The sites of a programme, sorted out.
pub struct Places {
    /// Those that can be qualified, by organisation; organisations in an order drawn from the seed.
    pub qualifiable: Vec<(Organisation, Vec<Site>)>,
    /// Those of organisations with a SIRET, out of the territory.
    pub strangers: Vec<Site>,
    /// What became of them all.
    pub told: Told,
}

/// Imports a programme's sites: the real ones, completed with made-up ones when too few can be qualified, or
/// `fictitious` made-up ones.
pub fn import(
    stage: &Stage<'_>,
    admin: &Actor,
    real: Option<&RealPlaces>,
    territory: &Territory,
    fictitious: u32,
) -> anyhow::Result<Places> {
    let mut told = Told::default();
    match real {
        Some(real) => {
            told.imported = stage
                .act(admin, |tx| site::import(tx, admin, &real.file, &real.source, false, false))?;
            told.source = Some((real.name.clone(), real.source.clone()));
        }
        None => invent(
            stage,
            admin,
            territory,
            fictitious,
            "lieux fictifs de la démonstration",
            &mut told,
        )?,
    }
    let mut sorted = sort_out(stage, admin, territory)?;
    if sorted.0.len() < FEWEST {
        invent(stage, admin, territory, 2 * 6, "lieux fictifs en complément", &mut told)?;
        sorted = sort_out(stage, admin, territory)?;
    }
    let outside: Territory = serde_json::from_str(OUTSIDE)?;
    if sorted.1.is_empty()
        && !territory.communes().any(|commune| outside.contains(&commune.insee_code))
    {
        invent(stage, admin, &outside, 1, "lieu fictif hors du territoire", &mut told)?;
        sorted = sort_out(stage, admin, territory)?;
    }
    let (mut qualifiable, strangers, without_siret, outside) = sorted;
    if qualifiable.is_empty() {
        bail!("aucun lieu ne peut être qualifié dans le territoire du dispositif");
    }
    Seeded::new(stage.options.seed).shuffle(&mut qualifiable);
    Ok(Places { qualifiable, strangers, told: Told { without_siret, outside, ..told } })
}

fn invent(
    stage: &Stage<'_>,
    admin: &Actor,
    territory: &Territory,
    n: u32,
    source: &str,
    told: &mut Told,
) -> anyhow::Result<()> {
    let places = fictitious_sites_in(territory, n, stage.options.seed);
    let rows = places.into_iter().zip(1..).map(|(place, at)| Row {
        at,
        name: place.name.clone(),
        verdict: Verdict::Imported(Box::new(place)),
    });
    let file = PlaceFile {
        format: Format::Json,
        generation: Generation::V1,
        rows: rows.collect(),
        remarks: Vec::new(),
    };
    let imported = stage.act(admin, |tx| site::import(tx, admin, &file, source, true, false))?;
    told.fictitious = told.fictitious.saturating_add(imported.imported);
    Ok(())
}

type Sorted = (Vec<(Organisation, Vec<Site>)>, Vec<Site>, usize, usize);

/// Every site of the programme, as its administrator sees them: what can be qualified by organisation, the
/// strangers, and the counts of those without SIRET and of those out of the territory.
fn sort_out(stage: &Stage<'_>, admin: &Actor, territory: &Territory) -> anyhow::Result<Sorted> {
    let organisations = all_organisations(stage, admin)?;
    let with_siret: BTreeSet<OrganisationId> =
        organisations.values().filter(|one| one.siret.is_some()).map(|one| one.number).collect();
    let (inside, outside): (Vec<Site>, Vec<Site>) = all_sites(stage, admin)?
        .into_iter()
        .partition(|site| site.insee_code.parse().is_ok_and(|code| territory.contains(&code)));
    let payable = |site: &Site| with_siret.contains(&site.organisation);
    let without_siret = inside.iter().chain(&outside).filter(|site| !payable(site)).count();
    let outside_count = outside.len();
    let mut by_organisation: BTreeMap<OrganisationId, Vec<Site>> = BTreeMap::new();
    for site in inside.into_iter().filter(payable) {
        by_organisation.entry(site.organisation).or_default().push(site);
    }
    let named = by_organisation
        .into_iter()
        .filter_map(|(number, sites)| Some((organisations.get(&number)?.clone(), sites)));
    Ok((
        named.collect(),
        outside.into_iter().filter(payable).collect(),
        without_siret,
        outside_count,
    ))
}

fn all_organisations(
    stage: &Stage<'_>,
    admin: &Actor,
) -> anyhow::Result<BTreeMap<OrganisationId, Organisation>> {
    let mut all = BTreeMap::new();
    loop {
        let after = all.last_key_value().map_or(OrganisationId::new(0), |(number, _)| *number);
        let page = stage.act(admin, |tx| site::list_organisations(tx, admin, after, 1_000))?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page.into_iter().map(|organisation| (organisation.number, organisation)));
    }
}

fn all_sites(stage: &Stage<'_>, admin: &Actor) -> anyhow::Result<Vec<Site>> {
    let mut all: Vec<Site> = Vec::new();
    loop {
        let after = all.last().map_or(SiteId::new(0), |site| site.number);
        let page = stage.act(admin, |tx| site::list(tx, admin, after, 1_000))?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
