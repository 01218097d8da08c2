//! Real files of mediation places, both generations of the national schema: a verdict for every row, and the
//! dry run says what the run will do.

use std::fs;
use std::path::{Path, PathBuf};

use souche::app::site::{Imported, import};
use souche::domain::place::{Limits, PlaceFile, read};

use crate::support::World;
use crate::support::region::Region;

/// The files that were handed to us, or none on a machine that lacks them; never none in CI.
fn files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let Ok(entries) = fs::read_dir(&directory) else {
        assert!(std::env::var_os("CI").is_none(), "{} is missing", directory.display());
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        file.extension().is_some_and(|extension| extension == "json" || extension == "csv")
    });
    files.sort();
    files
}

fn imports(region: &Region, file: &PlaceFile, source: &str, dry_run: bool) -> Imported {
    region.does(|tx| import(tx, &region.admin, file, source, false, dry_run)).unwrap()
}

fn counts(report: &Imported) -> [usize; 6] {
    [
        report.rows,
        report.imported,
        report.with_remarks,
        report.known,
        report.refused,
        report.without_commune,
    ]
}

#[test]
fn every_file_is_imported_with_a_verdict_for_every_row() {
    for path in files() {
        let world = World::new();
        let region = &world.region;
        let source = path.file_stem().unwrap().to_str().unwrap();
        let file = read(&fs::read(&path).unwrap(), Limits::default()).unwrap();
        let count = || {
            world.service().value(&format!("SELECT count(*) FROM sites WHERE source = '{source}'"))
        };

        let planned = imports(region, &file, source, true);
        assert_eq!(count(), "0", "a dry run of {source} wrote");
        let done = imports(region, &file, source, false);

        assert_eq!(counts(&planned), counts(&done), "{source}");
        let [rows, imported, with_remarks, known, refused, without_commune] = counts(&done);
        assert_eq!(rows, imported + with_remarks + known + refused + without_commune, "{source}");
        assert_eq!((rows, known), (file.rows.len(), 0), "{source}");
        assert_eq!(done.verdicts.len(), rows - imported, "{source}");
        // Only communes of Hauts-de-France are known here; a place elsewhere must bring its own code.
        assert!(
            imported + with_remarks > 0 || source.starts_with("paca"),
            "{source}: {:?}",
            counts(&done)
        );
        assert_eq!(count(), (imported + with_remarks).to_string(), "{source}");

        let again = imports(region, &file, source, false);
        assert_eq!(
            counts(&again),
            [rows, 0, 0, imported + with_remarks, refused, without_commune],
            "{source}, a second time"
        );
        assert_eq!(count(), (imported + with_remarks).to_string());
        region.books_hold();
    }
}

#[test]
fn an_imported_site_waits_for_its_qualification() {
    let Some(path) =
        files().into_iter().find(|path| path.to_str().unwrap().contains("conseillers"))
    else {
        return;
    };
    let world = World::new();
    let file = read(&fs::read(path).unwrap(), Limits::default()).unwrap();
    imports(&world.region, &file, "conseillers", false);
    let mut service = world.service();
    assert_eq!(
        service.value(
            "SELECT count(*) FROM sites WHERE source IS NOT NULL AND qualified_from IS NOT NULL"
        ),
        "0"
    );
    let one_per_siret =
        "SELECT count(*) - count(DISTINCT siret) FROM organisations WHERE siret IS NOT NULL";
    assert_eq!(service.value(one_per_siret), "0");
    assert!(
        world
            .neighbour
            .does(|tx| souche::db::sites::source_ids(tx, "conseillers"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_place_that_stands_twice_in_a_file_is_counted_once() {
    let world = World::new();
    let row = |name: &str| {
        format!(
            r#"{{"id":"place-1","nom":"{name}","commune":"Fourmies","code_postal":"59610","code_insee":"59249","adresse":"1 rue Fictive","services":"Insertion professionnelle via le numérique","pivot":"","date_maj":"2026-01-01"}}"#
        )
    };
    let file = read(
        format!("[{},{}]", row("Lieu fictif A"), row("Lieu fictif B")).as_bytes(),
        Limits::default(),
    )
    .unwrap();
    let planned = imports(&world.region, &file, "twice", true);
    let done = imports(&world.region, &file, "twice", false);
    assert_eq!(counts(&planned), counts(&done));
    let written = world.service().value("SELECT count(*) FROM sites WHERE source = 'twice'");
    assert_eq!((done.imported + done.with_remarks).to_string(), written, "{done:?}");
}
