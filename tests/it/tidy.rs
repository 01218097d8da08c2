//! What no lint can say about the source: who may import whom, how long a file is, what it opens with.

use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom up: a room of the house, and the rooms that it may import. `http` and `cli` stand on top.
const ROOMS: [(&str, &[&str]); 13] = [
    ("domain", &[]),
    ("envelope", &[]),
    ("postgres", &[]),
    ("error", &["domain"]),
    ("keys", &["domain"]),
    ("export", &["domain"]),
    ("print", &["domain", "export"]),
    ("db", &["domain", "error"]),
    ("signer", &["domain", "keys"]),
    ("ledger", &["domain", "error", "keys", "db", "signer"]),
    ("app", &["domain", "envelope", "error", "keys", "export", "print", "db", "ledger"]),
    ("instance", &["keys", "db", "postgres", "signer"]),
    ("http", &["domain", "error", "keys", "export", "print", "db", "ledger", "app"]),
];

/// Past that, a file does two things.
const LINES_MAX: usize = 400;

#[test]
fn a_room_imports_only_the_rooms_below_it() {
    for (room, below) in ROOMS {
        let files = sources(&format!("src/{room}"));
        assert!(!files.is_empty(), "src/{room} is gone: put this test right");
        for file in files {
            for imported in imports(&read(&file)) {
                let is_allowed = imported == room || below.contains(&imported.as_str());
                assert!(is_allowed, "{} imports crate::{imported}", file.display());
            }
        }
    }
}

#[test]
fn every_room_has_its_place_in_the_house() {
    let known: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).chain(["cli"]).collect();
    for line in read(&root().join("src/lib.rs")).lines() {
        if let Some(room) = line.strip_prefix("pub mod ") {
            assert!(known.contains(&room.trim_end_matches(';')), "{line}");
        }
    }
}

#[test]
fn only_the_ledger_writes_entries_and_transfers() {
    for file in sources("src") {
        let is_writer = file.ends_with("src/ledger/mod.rs")
            || file.ends_with("db/entries.rs")
            || file.ends_with("db/transfers.rs");
        let text = read(&file).to_lowercase();
        for write in [
            "entries::insert",
            "transfers::insert",
            "insert into entries",
            "insert into transfers",
            "insert_into(entries",
            "insert_into(transfers",
        ] {
            assert!(is_writer || !text.contains(write), "{} says {write}", file.display());
        }
    }
}

#[test]
fn no_code_updates_or_deletes_what_is_written_once() {
    let written_once = [
        "entries",
        "transfers",
        "redemptions",
        "voids",
        "hand_overs",
        "payouts",
        "payout_items",
        "payout_debits",
        "fundings",
        "incidents",
        "flags",
        "flag_passes",
        "flag_decisions",
        "audit_log",
        "audit_samples",
        "audit_draws",
        "audit_strata",
        "audit_items",
        "audit_findings",
    ];
    for file in sources("src") {
        let text = read(&file).to_lowercase();
        for table in written_once {
            for verb in [
                format!("update {table} "),
                format!("delete from {table} "),
                format!("diesel::update({table}"),
                format!("diesel::delete({table}"),
            ] {
                assert!(!text.contains(&verb), "{} says {verb}", file.display());
            }
        }
    }
}

#[test]
fn a_file_says_what_it_is_for_and_stays_short() {
    for file in all() {
        let text = read(&file);
        assert!(text.starts_with("//! "), "{} does not say what it is for", file.display());
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", file.display());
    }
}

#[test]
fn an_exception_to_a_lint_is_expected_and_says_why() {
    // In two parts, or this file would be the first to offend.
    let silent = ["#[", "allow("].concat();
    let silent_file = ["#![", "allow("].concat();
    let expected = ["[", "expect("].concat();
    for file in all() {
        let text = read(&file);
        assert!(
            !text.contains(&silent) && !text.contains(&silent_file),
            "{} silences a lint for ever",
            file.display()
        );
        for expectation in text.split(&expected).skip(1) {
            let said = expectation.split(")]").next().unwrap_or_default();
            assert!(said.contains("reason ="), "{}: {said}", file.display());
        }
    }
}

#[test]
fn no_test_sleeps() {
    let sleep = ["thread::", "sleep("].concat();
    for file in sources("tests") {
        assert!(!read(&file).contains(&sleep), "{}", file.display());
    }
}

/// The rooms that a text names after `crate::`.
fn imports(text: &str) -> Vec<String> {
    let name = |rest: &str| {
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>()
    };
    text.split("crate::")
        .skip(1)
        .map(name)
        .filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        .collect()
}

fn all() -> Vec<PathBuf> {
    ["src", "tests", "benches", "examples"].into_iter().flat_map(sources).collect()
}

/// The Rust files of a room: a folder, or one file.
fn sources(under: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![root().join(under), root().join(format!("{under}.rs"))];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") && path.exists() {
            found.push(path);
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}
