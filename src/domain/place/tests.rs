//! Tests of the reader on real places: the verdicts counted here are those of the published files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;

fn read_all(bytes: &[u8]) -> PlaceFile {
    read(bytes, Limits::default()).unwrap()
}

/// The codes of one row's remarks or reasons.
fn codes(row: &Row) -> Vec<&'static str> {
    row.verdict.told().iter().map(|told| told.code).collect()
}

/// How often each code was told in the file.
fn tally(file: &PlaceFile) -> BTreeMap<&'static str, usize> {
    let mut tally = BTreeMap::new();
    for code in file.rows.iter().flat_map(codes) {
        let count: &mut usize = tally.entry(code).or_default();
        *count = count.saturating_add(1);
    }
    tally
}

/// A file of the real places that tests share, or `None` where they are not at hand; in CI they
/// must be.
fn real(name: &str) -> Option<Vec<u8>> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if directory.is_dir() {
        return Some(std::fs::read(directory.join(name)).unwrap());
    }
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!in_ci, "CI needs the real places in {}", directory.display());
    eprintln!("skipped: no real places in {}", directory.display());
    None
}

/// What is expected of one real file.
struct Expected {
    name: &'static str,
    rows: usize,
    /// Imported, imported with remarks, refused.
    verdicts: [usize; 3],
    tally: &'static [(&'static str, usize)],
    /// Places that take the pass, travel, have a point, a pivot, services.
    places: [usize; 5],
}

const REAL: [Expected; 6] = [
    Expected {
        name: "ara_hinaura_aptic_raw_2022-11-03.json",
        rows: 93,
        verdicts: [0, 93, 0],
        tally: &[("address_missing", 1), ("commune_not_checked", 93), ("pivot_missing", 93)],
        places: [93, 0, 93, 0, 0],
    },
    Expected {
        name: "hdf_aidants_connect_2023-01-31.json",
        rows: 289,
        verdicts: [87, 27, 175],
        tally: &[
            ("commune_ambiguous", 174),
            ("commune_deduced", 23),
            ("commune_missing", 1),
            ("pivot_invalid", 5),
        ],
        places: [0, 0, 0, 109, 0],
    },
    Expected {
        name: "hdf_conseillers_numeriques_2022-12-02.json",
        rows: 421,
        verdicts: [198, 200, 23],
        tally: &[
            ("commune_deduced", 3),
            ("commune_merged", 2),
            ("commune_name_differs", 1),
            ("commune_not_found", 5),
            ("duplicate_place", 18),
            ("pivot_invalid", 198),
            ("postal_code_differs", 3),
        ],
        places: [0, 0, 397, 200, 398],
    },
    Expected {
        name: "hdf_data_inclusion_2023-02-06.json",
        rows: 260,
        verdicts: [233, 12, 15],
        tally: &[
            ("commune_deduced", 1),
            ("commune_merged", 1),
            ("commune_name_differs", 4),
            ("duplicate_place", 15),
            ("insee_code_disagrees", 3),
            ("pivot_invalid", 1),
            ("postal_code_differs", 3),
        ],
        places: [0, 0, 228, 244, 245],
    },
    Expected {
        name: "hdf_france_services_2022-12-01.json",
        rows: 201,
        verdicts: [0, 189, 12],
        tally: &[
            ("commune_merged", 1),
            ("commune_missing", 12),
            ("commune_name_differs", 2),
            ("pivot_missing", 189),
            ("postal_code_differs", 7),
        ],
        places: [0, 25, 189, 0, 0],
    },
    Expected {
        name: "paca_aptic_2023-02-27.json",
        rows: 22,
        verdicts: [0, 22, 0],
        tally: &[("commune_not_checked", 22), ("date_missing", 22), ("pivot_missing", 22)],
        places: [22, 0, 22, 0, 0],
    },
];

#[test]
fn every_real_file_is_read_and_every_row_has_the_verdict_it_had() {
    for expected in REAL {
        let Some(bytes) = real(expected.name) else { return };
        let file = read_all(&bytes);
        let Counts { imported, with_remarks, refused } = file.counts();
        let count = |of: fn(&Place) -> bool| file.places().filter(|place| of(place)).count();
        assert_eq!(file.rows.len(), expected.rows, "{}", expected.name);
        assert_eq!([imported, with_remarks, refused], expected.verdicts, "{}", expected.name);
        assert_eq!(imported + with_remarks + refused, expected.rows, "{}", expected.name);
        assert_eq!(Vec::from_iter(tally(&file)), expected.tally, "{}", expected.name);
        let places = [
            count(|place| place.accepts_pass),
            count(|place| place.itinerant),
            count(|place| place.coordinates.is_some()),
            count(|place| place.pivot.is_some()),
            count(|place| !place.services.is_empty()),
        ];
        assert_eq!(places, expected.places, "{}", expected.name);
        assert_eq!((file.format, file.generation), (Format::Json, Generation::V0));
    }
}

#[test]
fn a_real_row_becomes_the_place_it_describes() {
    let Some(bytes) = real("hdf_conseillers_numeriques_2022-12-02.json") else { return };
    let file = read_all(&bytes);
    let row = &file.rows[1];
    let place = row.verdict.place().unwrap();
    assert!(matches!(row.verdict, Verdict::Imported(_)));
    assert_eq!(row.at, 2);
    assert_eq!(place.source_id, "6270e361da550c06ed368c96");
    assert_eq!(place.pivot.as_ref().unwrap().as_str(), "24620036400080");
    assert_eq!((place.commune.as_str(), place.insee_code.unwrap().as_str()), ("Lens", "62498"));
    let point =
        Coordinates { latitude_microdegrees: 50_418_900, longitude_microdegrees: 2_813_800 };
    assert_eq!(place.coordinates, Some(point));
    assert_eq!(place.services, [Service::EverydayTools, Service::DigitalUnderstanding].into());
    assert_eq!(place.opening_hours.as_deref(), Some("Mo-Fr 08:00-12:00,14:00-18:00"));
    assert_eq!(place.updated_on, NaiveDate::from_ymd_opt(2022, 5, 3));
    assert_eq!(place.source.as_deref(), Some("conseiller-numerique"));
}
