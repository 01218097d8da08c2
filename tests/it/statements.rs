//! Custody and conservation at any date: what an auditor signs off, from the database and from the bundle alone, and both the same.

use std::process::Command;

use chrono::TimeDelta;
use serde_json::{Value, json};
use souche::domain::account::AccountKind;
use souche::domain::statement::Side;
use souche::domain::{PassNumber, Timestamp};
use souche::export::conservation::write_csv;
use souche::export::custody::{Format, Report};
use souche::ledger::bundle::{AsOf, Past};
use souche::print::write_statement;

use crate::support::region::Region;
use crate::support::{World, instant};

/// Dates in the life of the scene, from before its first pass to after its last payment.
fn dates(region: &Region) -> Vec<Timestamp> {
    let texts = [
        "2026-01-01T00:00:00Z",
        "2026-02-02T09:00:00Z",
        "2026-02-09T09:00:00Z",
        "2026-02-16T08:59:59Z",
        "2026-02-23T12:00:00Z",
        "2026-03-10T09:00:00Z",
        "2026-03-10T22:59:59.999999Z",
        "2026-03-11T12:00:00Z",
        "2026-03-13T09:00:00Z",
    ];
    texts
        .map(instant)
        .into_iter()
        .chain([region.now(), region.now() + TimeDelta::days(9)])
        .collect()
}

#[test]
fn a_statement_shows_every_account_and_both_sides_of_every_equality() {
    let world = World::lived();
    let statement = world.region.conservation(world.region.now());
    let equalities: Vec<_> = statement
        .equalities
        .iter()
        .map(|it| (it.code, it.left.amount, it.right_sum, it.difference))
        .collect();
    // 60 passes, of which 50 funded at 10 euros; 9 are in use, 3 paid and debited.
    assert_eq!(
        equalities,
        [
            ("conservation_pass", 60, 60, 0),
            ("float_covers_passes", 42_000, 42_000, 0),
            ("conservation_eur", 46_000, 46_000, 0)
        ]
    );
    assert!(statement.every_equality_holds);
    let float = &statement.equalities[1].right;
    assert_eq!((float[0].amount, float[1].amount), (50_000, -8_000));
    let fourmies = statement.accounts.iter().find(|line| {
        line.account == AccountKind::Redeemed
            && line.holder == Some(world.region.fourmies.site.get())
    });
    let fourmies = fourmies.unwrap();
    assert_eq!((fourmies.side, fourmies.balance), (Side::Debit, 5));
    assert!(fourmies.name.as_deref().is_some_and(|name| name == "fourmies"), "{fourmies:?}");
    let head = statement.head.unwrap();
    assert_eq!(statement.entries_past_head, 0);
    assert_eq!(world.service().value("SELECT max(size) FROM checkpoints"), head.size.to_string());
    world.region.redeems(&world.region.fourmies, 7).unwrap();
    assert_eq!(
        world.region.conservation(world.region.now()).entries_past_head,
        1,
        "not sealed yet"
    );
}

#[test]
fn a_statement_that_does_not_add_up_says_by_how_much() {
    let world = World::lived();
    // Behind all constraints: a funding twice as large, and a redemption that is called voided.
    world.superuser().run(
        "SET LOCAL session_replication_role = replica;
         UPDATE transfers SET amount = amount + 7 WHERE programme_id = 1 AND debit = 51;
         INSERT INTO voids (programme_id, pass, cycle, entry_id, reason, voided_at)
             SELECT programme_id, pass, cycle, id, 'x', happened_at FROM entries WHERE programme_id = 1 AND pass = 6",
    );
    let statement = world.region.conservation(world.region.now());
    let differences: Vec<i64> = statement.equalities.iter().map(|it| it.difference).collect();
    assert_eq!(
        differences,
        [0, -1_000, 0],
        "a transfer balances, whatever its amount; the float does not"
    );
    assert!(!statement.every_equality_holds);
}

#[test]
fn custody_sums_to_what_was_issued_by_holder() {
    let world = World::lived();
    let region = &world.region;
    for at in dates(region) {
        let report = region.custody_report((at, region.now()), Format::Json);
        let report: Value = serde_json::from_str(&report).unwrap();
        let statement = region.conservation(at);
        assert_eq!(report["passes"], json!(statement.passes[&AccountKind::Issued]), "{at}");
        let totals = report["totals"].as_array().unwrap();
        for (kind, passes) in
            statement.passes.iter().filter(|(kind, _)| **kind != AccountKind::Issued)
        {
            let of_kind = totals.iter().filter(|total| total["account"] == json!(kind));
            let sum: i64 = of_kind.map(|total| total["passes"].as_i64().unwrap()).sum();
            assert_eq!(sum, *passes, "{kind:?} at {at}");
        }
    }
    let csv = region.custody_report((region.now(), region.now()), Format::Csv);
    let plage = csv.lines().find(|line| line.starts_with("plage;prescriber_stock")).unwrap();
    assert_eq!(
        plage,
        "plage;prescriber_stock;chez les prescripteurs;1;Mission locale;0000021;0000045;25"
    );
    assert!(
        csv.contains("total;prescriber_stock;chez les prescripteurs;1;Mission locale;;;25\r\n"),
        "{csv}"
    );
}

#[test]
fn a_bundle_alone_tells_the_same_as_the_database_at_every_date() {
    let world = World::lived();
    let region = &world.region;
    // Something that no head covers yet.
    region.redeems(&region.fourmies, 7).unwrap();
    let bundle = region.bundle();
    let mut seen = std::collections::BTreeSet::new();
    for as_of in dates(region) {
        for known_at in [as_of, region.now()] {
            let at = AsOf { as_of: Some(as_of), known_at: Some(known_at) };
            let past = Past::read(bundle.as_bytes(), at).unwrap();
            for format in [Format::Json, Format::Csv] {
                let mut out = Vec::new();
                let frame = past.custody_frame(as_of, known_at);
                let mut report = Report::begin(&mut out, format, &frame).unwrap();
                past.ranges().for_each(|range| report.range(&range).unwrap());
                report.finish().unwrap();
                let live = region.custody_report((as_of, known_at), format);
                assert_eq!(String::from_utf8(out).unwrap(), live, "{as_of}, {known_at}");
                seen.insert(live);
            }
            assert_eq!(past.conservation(as_of), region.conservation(as_of), "{as_of}");
        }
    }
    assert!(seen.len() > 20, "the dates tell {} reports apart", seen.len());
}

#[test]
fn what_was_known_later_is_told_apart_from_what_had_happened() {
    let world = World::lived();
    let region = &world.region;
    let redeemed = region.redeems(&region.fourmies, 7).unwrap();
    let before = redeemed.redeemed_at - TimeDelta::microseconds(1);
    let held = |at, known_at| {
        let pass = PassNumber::new(7);
        let held = region.custody(at, known_at);
        held.into_iter().find(|it| it.first_pass <= pass && pass <= it.last_pass).unwrap().account
    };
    assert_eq!(held(redeemed.redeemed_at, before), AccountKind::Circulation);
    assert_eq!(held(redeemed.redeemed_at, redeemed.redeemed_at), AccountKind::Redeemed);
}

#[test]
fn a_file_that_is_cut_or_no_bundle_tells_nothing() {
    let bundle = World::lived().region.bundle();
    let now = AsOf { as_of: None, known_at: None };
    for file in ["", "{}\n", &bundle[..bundle.len() / 2], bundle.lines().next().unwrap()] {
        assert!(Past::read(file.as_bytes(), now).is_err());
    }
}

#[test]
fn a_statement_is_told_as_a_table_and_on_paper() {
    let world = World::lived();
    let statement = world.region.conservation(world.region.now());
    let mut csv = Vec::new();
    write_csv(&mut csv, &statement).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert!(csv.contains("compte;bank;en banque;;;débit;46000;centimes\r\n"), "{csv}");
    assert!(csv.contains("\r\négalité, écart;float_covers_passes;"), "{csv}");
    assert!(csv.contains("à retrancher;;;moins;8000;centimes\r\n"), "{csv}");
    assert!(!csv.lines().any(|line| line.contains(";'-")), "no amount bears a sign");
    let mut pdf = Vec::new();
    write_statement(&mut pdf, "Pass numérique", &statement).unwrap();
    assert!(pdf.starts_with(b"%PDF-1.7"));
}

#[test]
fn the_commands_tell_both_without_any_database() {
    let world = World::lived();
    let region = &world.region;
    let file = std::env::temp_dir()
        .join(format!("souche-it-{}", souche::keys::hex(&souche::keys::random::<8>().unwrap())));
    std::fs::write(&file, region.bundle()).unwrap();
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_souche"));
        command.arg("audit").arg(args[0]).arg(&file).args(&args[1..]).output().unwrap()
    };
    let day_end = instant("2026-03-10T22:59:59.999999Z");
    let told = run(&["custody", "--as-of", "2026-03-10", "--format", "json"]);
    assert!(told.status.success(), "{told:?}");
    let live = region.custody_report((day_end, region.now()), Format::Json);
    assert_eq!(String::from_utf8(told.stdout).unwrap(), live);
    let told = run(&["conservation", "--as-of", "2026-03-10", "--format", "json"]);
    let live = serde_json::to_string(&region.conservation(day_end)).unwrap();
    assert_eq!(String::from_utf8(told.stdout).unwrap(), live);
    let told = run(&["conservation"]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(
        text.contains("✓ Tout pass émis est quelque part, une seule fois (conservation_pass)"),
        "{text}"
    );
    assert!(run(&["conservation", "--format", "pdf"]).stdout.starts_with(b"%PDF-1.7"));
    assert_eq!(run(&["custody", "--as-of", "hier"]).status.code(), Some(1));
    std::fs::remove_file(&file).unwrap();
}
