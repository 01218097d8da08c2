//! A bundle: written from the database, verified without it.

use souche::ledger::bundle::{Line, Object, Reader, Trusted, Verdict, verify};

use crate::support::World;

fn verdict(file: &str) -> Verdict {
    verify(file.as_bytes(), &Trusted::default())
}

#[test]
fn a_bundle_holds_without_its_database() {
    for region in [World::lived().region, World::new().region] {
        let verdict = verdict(&region.bundle());
        let broken: Vec<_> = verdict.checks.iter().filter(|check| !check.holds).collect();
        assert!(broken.is_empty(), "{broken:#?}");
        assert!(verdict.checks.len() >= 19);
    }
}

#[test]
fn a_bundle_is_read_back_line_by_line() {
    let file = World::lived().region.bundle();
    let mut reader = Reader::new(file.as_bytes());
    let (mut entries, mut manifest) = (0, None);
    while let Some(line) = reader.next_line().unwrap() {
        match line {
            Line::Object(Object::Entry(entry)) => {
                assert_eq!(entry.position, Some(entries), "all of it is sealed");
                assert!(entry.signature.is_some());
                entries += 1;
            }
            Line::Object(Object::Manifest(last)) => manifest = Some(last),
            _ => {}
        }
    }
    let manifest = manifest.unwrap();
    assert_eq!(manifest.sha256, reader.sha256());
    assert_eq!(manifest.counts["entry"], entries);
    assert_eq!(manifest.counts["passes"], 60);
    assert!(manifest.counts["checkpoint"] >= 1 && manifest.counts["orders"] == 3);
    std::fs::write("/tmp/bundle_sample.jsonl", &file).unwrap();
}
