//! The log of a programme: sealed whole and in order whatever happens at once, signed only as it grows.

mod sealing;
mod signing;
mod tampering;

use crate::support::World;

/// Where each entry is sealed, as `position entry`, in the order of positions.
fn leaves(world: &World) -> Vec<String> {
    let all =
        "SELECT position || ' ' || entry_id FROM leaves WHERE programme_id = 1 ORDER BY position";
    world.superuser().column(all)
}

/// Entries that no leaf is of.
fn unsealed(world: &World) -> Vec<String> {
    world.superuser().column(
        "SELECT id FROM entries e WHERE programme_id = 1
         AND NOT EXISTS (SELECT FROM leaves l WHERE l.programme_id = 1 AND l.entry_id = e.id)",
    )
}

/// Adds entries that nothing stands behind, so that there are many.
fn add_entries(world: &World, n: usize) {
    world.superuser().run(&format!(
        "INSERT INTO entries (programme_id, id, kind, number, happened_at, recorded_at, recorded_by, receipt)
         SELECT 1, gen_random_uuid(), 'hand_over', 1000 + n, e.recorded_at, e.recorded_at, e.recorded_by, '{{\"n\":' || n || '}}'
         FROM (SELECT * FROM entries WHERE programme_id = 1 ORDER BY recorded_at DESC LIMIT 1) e, generate_series(1, {n}) n"
    ));
}

/// The checks of the log that do not hold, and the first that breaks each.
fn broken(world: &World) -> Vec<(&'static str, String)> {
    let checks = world.region.does(souche::ledger::verify_log::verify).unwrap();
    let broken = checks.into_iter().filter(|check| !check.holds);
    broken.map(|check| (check.code, check.first.unwrap_or_default())).collect()
}
