//! Every receipt, once, without a hole, whoever seals and whatever is under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use souche::ledger::sealer::{self, Sealed};
use souche::signer::Signer;

use super::{add_entries, broken, leaves, unsealed};
use crate::support::World;
use crate::support::signing::Signing;

/// An entry of its own that the service's role may write, with nothing behind it.
fn entry(id: &str) -> String {
    format!(
        "INSERT INTO entries (id, kind, number, happened_at, recorded_at, recorded_by, receipt)
         SELECT '{id}', 'hand_over', 1000 + right('{id}', 1)::integer, recorded_at, recorded_at, recorded_by, '{{\"n\":0}}'
         FROM entries ORDER BY recorded_at LIMIT 1"
    )
}

const FIRST: &str = "00000000-0000-7000-8000-000000000001";
const SECOND: &str = "00000000-0000-7000-8000-000000000002";

#[test]
fn receipts_are_sealed_in_the_order_in_which_things_were_decided() {
    let world = World::lived();
    let sealed = world
        .superuser()
        .column("SELECT entry_id FROM leaves WHERE programme_id = 1 ORDER BY position");
    let decided = world
        .superuser()
        .column("SELECT id FROM entries WHERE programme_id = 1 ORDER BY recorded_at, id");
    assert_eq!(sealed, decided);
    assert_eq!(broken(&world), []);
    // Nothing new, nothing sealed, nothing signed.
    assert!(!world.region.does(souche::db::logs::has_new).unwrap());
    let checkpoints = "SELECT count(*) FROM checkpoints WHERE programme_id = 1";
    assert_eq!(world.superuser().value(checkpoints), "3", "the scene was sealed so often");
    world.region.seals(&Signing::new().signer);
    assert_eq!(world.superuser().value(checkpoints), "3");
}

#[test]
fn a_transaction_that_commits_late_is_neither_lost_nor_leaves_a_hole() {
    let world = World::lived();
    let (fourmies, signing) = (&world.region.fourmies, Signing::new());
    let before = world.region.seals(&signing.signer);
    // Two that write and do not commit, one older than the other, with ids before all others.
    let (mut early, mut late) = (world.service(), world.service());
    early.begin(&entry(FIRST));
    late.begin(&entry(SECOND));
    world.region.redeems(fourmies, 7).unwrap();
    assert_eq!(world.region.seals(&signing.signer), before + 1, "it waited for a stranger");
    late.commit();
    world.region.redeems(fourmies, 8).unwrap();
    assert_eq!(world.region.seals(&signing.signer), before + 3);
    assert_eq!(
        unsealed(&world),
        Vec::<String>::new().as_slice(),
        "the open one is not visible yet"
    );
    early.commit();
    assert_eq!(unsealed(&world), [FIRST]);
    assert_eq!(world.region.seals(&signing.signer), before + 4);
    assert_eq!(unsealed(&world), Vec::<String>::new());
    assert!(leaves(&world).last().unwrap().ends_with(FIRST));
    assert_eq!(broken(&world), []);
}

#[test]
fn sealers_at_once_seal_each_receipt_once() {
    let world = World::lived();
    let signing = Signing::new();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    world.region.seals(&signing.signer);
                }
            });
        }
        let redeemed: Vec<_> = (7..=11)
            .chain(15..=20)
            .map(|pass| world.region.redeems(&world.region.fourmies, pass))
            .collect();
        is_done.store(true, Ordering::Relaxed);
        assert!(redeemed.iter().all(Result::is_ok), "{redeemed:?}");
    });
    world.region.seals(&signing.signer);
    assert_eq!(unsealed(&world), Vec::<String>::new());
    world.region.books_hold();
    assert_eq!(
        world.superuser().value("SELECT count(*) FROM logs WHERE refused_because IS NOT NULL"),
        "0"
    );
}

#[test]
fn a_log_that_another_seals_is_left_to_it() {
    let world = World::lived();
    let mut other = world.service();
    other.begin("SELECT FROM logs FOR UPDATE");
    world.region.redeems(&world.region.fourmies, 7).unwrap();
    assert_eq!(world.region.does(sealer::seal).unwrap(), None);
    other.commit();
    assert!(world.region.does(sealer::seal).unwrap().is_some());
}

#[test]
fn a_seal_reads_what_is_past_the_horizon_and_not_the_whole_journal() {
    let plan = World::lived().service().plan(souche::db::logs::NEW);
    // Row by row or by a bitmap, as the statistics of the moment have it: by the index on the horizon either way.
    let by_horizon =
        plan.split_once("on entries_xid").or(plan.split_once("entries_xid on entries e"));
    let (_, condition) = by_horizon.unwrap_or_else(|| panic!("{plan}"));
    let condition = condition.trim_start().lines().next().unwrap_or_default();
    assert!(condition.contains("Index Cond: ") && condition.contains("(xid >= $"), "{plan}");
    assert!(!plan.contains("Filter: (xid") && !plan.contains("Seq Scan on entries"), "{plan}");
}

#[test]
fn what_is_sealed_in_a_young_log_is_looked_up_by_its_key() {
    let world = World::lived();
    // As in a rush: statistics tell of many entries, and not yet of the leaves of those that were sealed.
    add_entries(&world, 2_000);
    world.superuser().run("ANALYZE entries");
    world.superuser().run(
        "SET LOCAL session_replication_role = replica;
         INSERT INTO leaves (programme_id, position, entry_id, leaf_hash, subtree_roots)
         SELECT 1, 1000 + n, gen_random_uuid(), decode(repeat('00', 32), 'hex'), CASE WHEN (1001 + n) % 256 = 0 THEN decode(repeat('00', 32), 'hex') END
         FROM generate_series(1, 60000) AS n",
    );
    let plan = world.service().plan(souche::db::logs::NEW);
    assert!(plan.contains("Index Only Scan using entry_sealed_once on leaves l"), "{plan}");
    assert!(!plan.contains("Materialize"), "{plan}");
}

#[test]
fn a_sealer_that_dies_midway_has_sealed_nothing() {
    let world = World::lived();
    let before = leaves(&world);
    add_entries(&world, 600);
    let died = world.region.does(|tx| {
        let sealed = sealer::seal(tx)?.unwrap();
        assert_eq!(sealed.to - sealed.from, 600);
        world.superuser().run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND usename = 'souche_service' AND state LIKE 'idle in transaction'",
        );
        Ok(sealed)
    });
    died.unwrap_err();
    assert_eq!(leaves(&world), before);
    let sealed = world.region.does(sealer::seal).unwrap().unwrap();
    let from = u64::try_from(before.len()).unwrap();
    assert_eq!(sealed, Sealed { from, to: from + 600, is_all: true });
    assert_eq!(broken(&world), []);
}

#[test]
fn a_database_restored_from_a_dump_on_another_server_is_sealed_on() {
    let world = World::lived();
    world.region.redeems(&world.region.fourmies, 7).unwrap();
    // That server had counted further; here numbers of transactions begin again.
    world.superuser().run("UPDATE logs SET horizon = '999999999999'");
    world.region.seals(&Signing::new().signer);
    assert_eq!(unsealed(&world), Vec::<String>::new());
    let horizon = world.superuser().value("SELECT horizon FROM logs WHERE programme_id = 1");
    assert_ne!(horizon, "999999999999");
}

#[test]
fn a_signer_that_is_away_keeps_nobody_from_sealing() {
    let world = World::lived();
    let signing = Signing::new();
    world.region.redeems(&world.region.fourmies, 7).unwrap();
    let away = Signer::Behind(signing.dir.join("nobody"));
    sealer::seal_and_sign(&world.region.db, world.region.programme, &away).unwrap_err();
    assert_eq!(unsealed(&world), Vec::<String>::new());
    let size = world.region.seals(&signing.signer);
    let signed =
        world.superuser().value("SELECT max(size) FROM checkpoints WHERE programme_id = 1");
    assert_eq!(signed, size.to_string());
}

#[test]
fn the_database_refuses_a_log_with_a_hole_or_a_receipt_sealed_twice() {
    let world = World::lived();
    let mut service = world.service();
    let leaf = |position: &str, entry: &str, roots: &str| {
        format!(
            "INSERT INTO leaves (position, entry_id, leaf_hash, subtree_roots) VALUES ({position}, {entry}, decode(repeat('00', 32), 'hex'), {roots})"
        )
    };
    let next = "(SELECT max(position) + 1 FROM leaves)";
    let (new, old) = (format!("'{FIRST}'::uuid"), "(SELECT entry_id FROM leaves LIMIT 1)");
    let with = |leaf: String| format!("{}; {leaf}", entry(FIRST));
    service.would_take(&with(leaf(next, &new, "NULL")));
    for (attack, why) in [
        (with(leaf("(SELECT max(position) + 2 FROM leaves)", &new, "NULL")), "foreign key positions_run_on"),
        (leaf(next, old, "NULL"), "unique entry_sealed_once"),
        (leaf(next, "gen_random_uuid()", "NULL"), "foreign key entry_exists"),
        (with(leaf("0", &new, "NULL")), "unique leaves_pkey"),
        (with(leaf(next, &new, "decode(repeat('00', 32), 'hex')")), "check roots_stand_where_subtrees_end"),
        (
            "INSERT INTO checkpoints (size, root, vkey, note, signed_at) SELECT size + 1, root, vkey, note, signed_at FROM checkpoints ORDER BY size DESC LIMIT 1".into(),
            "foreign key last_leaf_exists",
        ),
        (
            "INSERT INTO checkpoints (size, root, vkey, note, signed_at) SELECT size - 1, root, 'another key', note, signed_at FROM checkpoints ORDER BY size DESC LIMIT 1".into(),
            "foreign key key_is_known",
        ),
    ] {
        assert_eq!(service.refused(&attack), why);
    }
}
