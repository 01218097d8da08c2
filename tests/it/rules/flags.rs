//! Flags: each use is flagged once per kind, each flag decided once, by somebody, for a reason.
//!
//! In the scene, flag 1 was raised on pass 14, and released.

use crate::support::World;

#[test]
fn a_flag_is_decided_once_by_a_person_and_for_a_reason() {
    let world = World::lived();
    let mut service = world.service();
    let decision = |flag: i32, reason: &str, by: &str| {
        format!(
            "INSERT INTO flags (number, kind, site, on_day, explanation, raised_at, entry_id)
             SELECT 2, 'night_hours', site, on_day, 'x', raised_at, entry_id FROM flags;
             INSERT INTO flag_decisions (flag, outcome, reason, decided_by, decided_at, entry_id)
             SELECT {flag}, 'released', {reason}, {by}, decided_at, entry_id FROM flag_decisions"
        )
    };
    service.would_take(&decision(2, "'x'", "decided_by"));
    for (flag, reason, by, why) in [
        (1, "'x'", "decided_by", "unique flag_decided_once"),
        (3, "'x'", "decided_by", "foreign key flag_exists"),
        (2, "''", "decided_by", "check flag_decisions_reason_check"),
        (2, "NULL", "decided_by", "not null reason"),
        (2, "'x'", "NULL", "not null decided_by"),
        (2, "'x'", "gen_random_uuid()", "foreign key flag_decisions_decided_by_fkey"),
    ] {
        assert_eq!(service.refused(&decision(flag, reason, by)), why);
    }
    world.region.books_hold();
}

#[test]
fn a_use_is_flagged_once_per_kind() {
    let world = World::lived();
    let mut service = world.service();
    let held = |flag: i32, kind: &str, pass: i32| {
        format!(
            "INSERT INTO flags (number, kind, site, on_day, explanation, raised_at, entry_id)
             SELECT 2, kind, site, on_day, 'x', raised_at, entry_id FROM flags;
             INSERT INTO flag_passes (flag, kind, pass, cycle) VALUES ({flag}, '{kind}', {pass}, 1)"
        )
    };
    service.would_take(&held(2, "beyond_capacity", 13));
    let again = service.refused(&held(2, "beyond_capacity", 14));
    assert_eq!(again, "unique flagged_once_per_kind");
    let of_another_kind = service.refused(&held(2, "night_hours", 13));
    assert_eq!(of_another_kind, "foreign key flag_is_of_the_kind");
    assert_eq!(service.refused(&held(2, "beyond_capacity", 7)), "foreign key redemption_exists");
    let of_nothing =
        "INSERT INTO flags (number, kind, site, subject, on_day, explanation, raised_at, entry_id)
         SELECT 3, kind, site, 1, on_day, 'x', raised_at, entry_id FROM flags WHERE number = 1";
    assert_eq!(service.refused(of_nothing), "check subject_follows_from_kind");
}
