//! Made-up places in real communes, for a demo without a file of real ones.
//!
//! They can't be taken for real: every name begins with "Lieu fictif", and every SIREN with 9999,
//! which stands out. The name is the guarantee, the number is not: INSEE may attribute it one day.
//! The keys are right, because the service refuses wrong ones.

use std::collections::{BTreeMap, BTreeSet};

use super::commune::Commune;
use super::place::Place;
use super::seeded::Seeded;
use super::service::Service;
use super::siret::{Pivot, invented};
use super::territory::Territory;

/// The first eight digits of the first invented SIREN; ten thousand follow from it, then the next
/// NIC begins.
const FIRST_SIREN: u32 = 99_990_000;

/// Opening hours to draw from, in the schema's notation.
const HOURS: [&str; 4] = [
    "Mo-Fr 09:00-12:00,14:00-17:00",
    "Tu-Sa 09:30-12:30,13:30-18:00",
    "Mo,We,Fr 13:30-17:30",
    "Tu 09:00-12:00; Th 14:00-18:00; Sa 10:00-12:00",
];

/// `n` made-up places of Hauts-de-France, more where more people live; the same for the same seed.
pub fn fictitious_sites(n: u32, seed: u64) -> Vec<Place> {
    fictitious_sites_in(&Territory::hauts_de_france(), n, seed)
}

/// `n` made-up places in the communes of a territory, more where more people live; the same for the
/// same seed. None when the territory holds no commune of Hauts-de-France.
pub fn fictitious_sites_in(territory: &Territory, n: u32, seed: u64) -> Vec<Place> {
    let mut seeded = Seeded::new(seed);
    let communes = Weighted::new(territory.communes());
    let mut in_commune = BTreeMap::new();
    let sites = (0..n).map_while(|serial| {
        let commune = communes.draw(&mut seeded)?;
        let count: &mut u32 = in_commune.entry(commune.insee_code).or_default();
        *count = count.saturating_add(1);
        Some(site(commune, serial, *count, &mut seeded))
    });
    sites.collect()
}

/// Communes and the running sum of their inhabitants.
pub(crate) struct Weighted {
    upto: Vec<(u64, &'static Commune)>,
    inhabitants: u64,
}

impl Weighted {
    /// These communes, each as heavy as it has inhabitants.
    pub fn new(communes: impl Iterator<Item = &'static Commune>) -> Self {
        let mut inhabitants = 0_u64;
        let upto = communes
            .map(|commune| {
                inhabitants = inhabitants.saturating_add(u64::from(commune.population));
                (inhabitants, commune)
            })
            .collect();
        Self { upto, inhabitants }
    }

    /// The commune of an inhabitant drawn at random.
    pub fn draw(&self, seeded: &mut Seeded) -> Option<&'static Commune> {
        let inhabitant = seeded.below(self.inhabitants);
        let rank = self.upto.partition_point(|(upto, _)| *upto <= inhabitant);
        self.upto.get(rank).map(|(_, commune)| *commune)
    }
}

/// The place number `serial` (from 0) of the list, number `rank` (from 1) of its commune.
fn site(commune: &'static Commune, serial: u32, rank: u32, seeded: &mut Seeded) -> Place {
    let rank_shown = if rank == 1 { String::new() } else { format!(" {rank}") };
    Place {
        source_id: format!("fictif-{:05}", serial.saturating_add(1)),
        pivot: siret(serial),
        name: format!("Lieu fictif de médiation — {}{rank_shown}", commune.name),
        address: format!("{rank} rue Fictive"),
        postal_code: seeded.pick(&commune.postal_codes).copied(),
        insee_code: Some(commune.insee_code),
        commune: commune.name.to_owned(),
        department: commune.department(),
        coordinates: None,
        services: services(seeded),
        accepts_pass: true,
        itinerant: seeded.below(12) == 0,
        opening_hours: seeded.pick(&HOURS).map(|hours| (*hours).to_owned()),
        updated_on: None,
        source: Some("lieux fictifs de la démonstration".to_owned()),
    }
}

fn siret(serial: u32) -> Option<Pivot> {
    let siren = FIRST_SIREN.saturating_add(serial % 10_000);
    let nic = u16::try_from(serial / 10_000).ok()?.saturating_add(1);
    invented(siren, nic).map(Pivot::Siret)
}

/// Two to five services; help with procedures, which most places give, is always one.
fn services(seeded: &mut Seeded) -> BTreeSet<Service> {
    let mut all = Service::ALL;
    seeded.shuffle(&mut all);
    let drawn = all.into_iter().filter(|service| *service != Service::AdministrativeProcedures);
    let others = seeded.index(4).saturating_add(1);
    drawn.take(others).chain([Service::AdministrativeProcedures]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_makes_the_same_places_and_another_seed_others() {
        assert_eq!(fictitious_sites(200, 1), fictitious_sites(200, 1));
        assert_ne!(fictitious_sites(200, 1), fictitious_sites(200, 2));
        assert_eq!(fictitious_sites(10, 1), fictitious_sites(200, 1)[..10]);
    }

    #[test]
    fn a_made_up_place_shows_that_it_is_made_up_and_no_two_are_alike() {
        let sites = fictitious_sites(1_400, 2026);
        let distinct =
            |of: fn(&Place) -> String| sites.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(sites.len(), 1_400);
        assert!(sites.iter().all(|site| site.name.starts_with("Lieu fictif")));
        assert!(sites.iter().all(|site| {
            site.pivot.as_ref().is_some_and(|pivot| pivot.as_str().starts_with("9999"))
        }));
        assert!(
            sites
                .iter()
                .all(|site| site.postal_code.is_some() && (2..=5).contains(&site.services.len()))
        );
        assert_eq!(distinct(|site| site.name.clone() + site.insee_code.unwrap().as_str()), 1_400);
        assert_eq!(distinct(|site| site.pivot.as_ref().unwrap().to_string()), 1_400);
        assert_eq!(distinct(|site| site.source_id.clone()), 1_400);
    }

    #[test]
    fn more_places_are_made_where_more_people_live_and_only_inside_the_territory() {
        let sites = fictitious_sites(3_000, 5);
        let nord = sites.iter().filter(|site| site.department.as_str() == "59").count();
        assert!(
            (1_200..1_420).contains(&nord),
            "the Nord has 43.5 % of the inhabitants, here {nord} of 3,000"
        );
        let pilot = Territory::sambre_avesnois_thierache();
        let sites = fictitious_sites_in(&pilot, 60, 5);
        assert_eq!(sites.len(), 60);
        assert!(sites.iter().all(|site| pilot.contains(&site.insee_code.unwrap())));
    }

    #[test]
    fn serials_past_ten_thousand_take_the_next_establishment() {
        let first = siret(3).unwrap().to_string();
        let second = siret(10_003).unwrap().to_string();
        assert_eq!(first[..9], second[..9]);
        assert_ne!(first, second);
    }
}
