//! A redemption belongs to a workshop of its own site and day, or to none.

use super::redemption_told_again;
use crate::support::World;

/// The redemption of pass 6 told again for pass 7, with what is put in place of its workshop, site and instant.
fn redeemed_at(workshop: &str, site: &str, redeemed_at: &str) -> String {
    let told = redemption_told_again(
        6,
        &[
            ("pass", "7"),
            ("site", site),
            ("workshop", workshop),
            ("happened_at", redeemed_at),
            ("recorded_at", redeemed_at),
        ],
    );
    format!("UPDATE passes SET state = 'redeemed', cycle = 1 WHERE number = 7; {told}")
}

#[test]
fn a_redemption_names_a_workshop_of_its_site_and_day_or_none() {
    let world = World::lived();
    let mut service = world.service();
    service.would_take(&redeemed_at("workshop", "site", "happened_at"));
    service.would_take(&redeemed_at("NULL", "site", "happened_at + interval '1 day'"));
    // The last instant of the day in Paris, and the first after it.
    service.would_take(&redeemed_at("workshop", "site", "'2026-03-13T22:59:59.999999Z'"));
    let why = "foreign key workshop_is_of_its_site_and_day";
    for (workshop, site, instant) in [
        ("99", "site", "happened_at"),
        ("workshop", &world.region.avesnes.site.to_string(), "happened_at"),
        ("workshop", "site", "'2026-03-13T23:00:00Z'"),
        ("workshop", "site", "'2026-03-12T22:59:59Z'"),
    ] {
        assert_eq!(service.refused(&redeemed_at(workshop, site, instant)), why, "{instant}");
    }
    world.region.books_hold();
}

#[test]
fn a_workshop_is_of_a_site_that_is_there() {
    let world = World::lived();
    let nowhere = "INSERT INTO workshops SELECT programme_id, 2, 999, held_on, place, people, declared_by, declared_at, entry_id FROM workshops";
    assert_eq!(world.service().refused(nowhere), "foreign key site_exists");
}
