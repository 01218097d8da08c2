//! Receipts of every kind, read back and put on paper.

use souche::app::receipt::{Which, paper, read};
use souche::domain::fact;
use souche::ledger::Told;

use crate::support::World;

#[test]
fn every_receipt_of_a_lived_region_is_printed_in_words_and_names_nobody() {
    let world = World::lived();
    let region = &world.region;
    let entries = world.service().column("SELECT id FROM entries ORDER BY recorded_at, id");
    assert!(entries.len() > 40, "{} entries", entries.len());
    for id in entries {
        let which = Which::Entry(serde_json::from_value(id.clone().into()).unwrap());
        let entry = region.does(|tx| read(tx, &region.auditor, which)).unwrap();
        let told = Told::read(&entry.receipt).unwrap();
        assert_eq!((told.entry, told.kind, told.number), (entry.id, entry.kind, entry.number));
        for (name, value) in &told.facts {
            let is_known = fact::LABELS.iter().any(|(known, _)| known == name);
            assert!(
                is_known,
                "{:?} says {name}, which has no words (src/domain/fact.rs)",
                told.kind
            );
            let said = fact::value(name, value);
            assert!(!said.contains(['{', '_']), "{name} is said as {said}");
        }
        for personal in ["Jeanne", "Paul", "Dupont", "1950-"] {
            assert!(!entry.receipt.contains(personal), "{}", entry.receipt);
        }
        let paper = region.does(|tx| paper(tx, &region.auditor, which)).unwrap();
        let mut pdf = Vec::new();
        paper.write(&mut pdf, &region.keys, "it.example/verifier").unwrap();
        assert!(pdf.starts_with(b"%PDF"), "{id}");
    }
}

#[test]
fn a_site_reads_what_concerns_it_and_a_mediator_its_own_counter() {
    let world = World::lived();
    let region = &world.region;
    let of = |sql: &str| {
        let id = world.service().value(sql);
        Which::Entry(serde_json::from_value(id.into()).unwrap())
    };
    let kind = |kind: &str| {
        of(&format!("SELECT id FROM entries WHERE kind = '{kind}' ORDER BY number LIMIT 1"))
    };
    let at = |site: i32| {
        of(&format!(
            "SELECT entry_id FROM redemptions WHERE site = {site} ORDER BY redeemed_at LIMIT 1"
        ))
    };
    let [fourmies, avesnes] = [&region.fourmies, &region.avesnes].map(|it| at(it.site.get()));
    let may = |actor, which| region.does(|tx| read(tx, &actor, which)).is_ok();
    for (actor, which, expected) in [
        (region.fourmies.manager, fourmies, true),
        (region.fourmies.manager, avesnes, false),
        (region.avesnes.manager, avesnes, true),
        (region.mediator, fourmies, true),
        (region.mediator, avesnes, false),
        (region.mediator, kind("payout_debit"), false),
        (region.hirson.manager, kind("payout_debit"), false),
        (region.prescriber.manager, kind("delivery"), true),
        (region.prescriber.manager, kind("hand_over"), true),
        (region.other_prescriber.manager, kind("hand_over"), false),
        (region.prescriber.manager, fourmies, false),
        (region.paymaster, kind("payout_debit"), true),
    ] {
        assert_eq!(may(actor, which), expected, "{:?}, {which:?}", actor.role);
    }
    let owners = [region.fourmies.manager, region.avesnes.manager];
    assert!(owners.into_iter().any(|actor| may(actor, kind("payout_debit"))), "whoever was paid");
}
