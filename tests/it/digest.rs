//! The daily digest: every day's redemptions and voids, and what is owed at its end.

use souche::app::redemption::{digest, totals};
use souche::db::digests::SiteDay;
use souche::domain::{Actor, OrganisationId};
use souche::error::Result;

use crate::support::region::Region;
use crate::support::{World, day, refusal};

fn digest_of(
    region: &Region,
    actor: &Actor,
    organisation: Option<OrganisationId>,
    from: &str,
    until: &str,
) -> Result<Vec<SiteDay>> {
    let (from, until) = (day(from), day(until));
    Ok(region.does(|tx| digest(tx, actor, organisation, from, until))?.0)
}

/// Day of March, redeemed, voided, paid and due of each row of a site.
fn shown(days: &[SiteDay], at: &crate::support::region::Counter) -> Vec<(String, [i64; 4])> {
    days.iter()
        .filter(|row| row.site == at.site)
        .map(|row| (String::from(row.day), [row.redeemed, row.voided, row.paid, row.due]))
        .collect()
}

#[test]
fn each_day_says_what_moved_and_what_is_owed_at_its_end() {
    let world = World::lived();
    let region = &world.region;
    let own = &region.fourmies.manager;
    let days = digest_of(region, own, None, "2026-03-09", "2026-03-13").unwrap();
    let expected = [
        ("2026-03-09", [0, 0, 0, 0]),
        ("2026-03-10", [3, 1, 0, 2]),
        ("2026-03-11", [1, 0, 2, 1]),
        ("2026-03-12", [1, 0, 0, 2]),
        ("2026-03-13", [1, 0, 0, 3]),
    ];
    let expected = expected.map(|(day, row)| (day.to_owned(), row));
    assert_eq!(shown(&days, &region.fourmies), expected);
    // What came before the first day is in its total.
    let days = digest_of(region, own, None, "2026-03-12", "2026-03-12").unwrap();
    assert_eq!(shown(&days, &region.fourmies), expected[3..4]);
}

#[test]
fn its_last_day_agrees_with_the_totals_and_with_the_books() {
    let world = World::lived();
    for region in [&world.region, &world.neighbour] {
        let mut owed = 0;
        for at in [&region.fourmies, &region.avesnes, &region.hirson] {
            let days = digest_of(region, &at.manager, None, "2026-03-13", "2026-03-13").unwrap();
            let totals = region.does(|tx| totals(tx, &at.manager)).unwrap();
            let due: Vec<_> = days.iter().map(|row| (row.site, row.due)).collect();
            let unpaid: Vec<_> =
                totals.iter().map(|row| (row.site, row.redeemed - row.paid)).collect();
            assert_eq!(due, unpaid);
            owed += due.iter().map(|(_, passes)| passes).sum::<i64>();
        }
        let three_way =
            region.does(|tx| souche::app::report::three_way(tx, &region.auditor)).unwrap();
        assert_eq!(owed * 1_000, three_way.redeemed_cents - three_way.debited_cents);
    }
}

#[test]
fn a_day_ends_at_midnight_in_paris() {
    let world = World::new();
    let region = &world.region;
    for (instant, pass) in [
        ("2026-03-28T22:59:59Z", 1),
        ("2026-03-28T23:00:00Z", 2),
        ("2026-03-29T21:59:59Z", 3),
        ("2026-03-29T22:00:00Z", 4),
    ] {
        region.clock_shows(instant);
        region.redeems(&region.fourmies, pass).unwrap();
    }
    let days = digest_of(region, &region.mediator, None, "2026-03-28", "2026-03-30").unwrap();
    let redeemed: Vec<_> = days.iter().map(|row| row.redeemed).collect();
    assert_eq!(redeemed, [1, 2, 1]);
}

#[test]
fn people_of_a_site_read_theirs_and_the_programme_s_any() {
    let world = World::lived();
    let region = &world.region;
    let (fourmies, avesnes) = (&region.fourmies, &region.avesnes);
    let reads = |actor: &Actor, of: Option<OrganisationId>| {
        digest_of(region, actor, of, "2026-03-10", "2026-03-10")
            .map(|days| days.iter().map(|row| row.site).collect::<Vec<_>>())
    };
    assert_eq!(reads(&fourmies.manager, None).unwrap(), [fourmies.site, region.lille.site]);
    assert_eq!(reads(&region.mediator, None).unwrap(), [fourmies.site]);
    for actor in [&region.auditor, &region.accountant, &region.admin] {
        assert_eq!(reads(actor, Some(avesnes.organisation)).unwrap(), [avesnes.site]);
        assert_eq!(refusal(reads(actor, None)), "invalid");
        assert_eq!(refusal(reads(actor, Some(OrganisationId::new(999)))), "not_found");
    }
    assert_eq!(refusal(reads(&fourmies.manager, Some(avesnes.organisation))), "not_found");
    assert_eq!(refusal(reads(&region.prescriber.manager, None)), "not_allowed");
    assert_eq!(refusal(reads(&region.manager, Some(avesnes.organisation))), "not_allowed");
}

#[test]
fn it_covers_a_quarter_at_most() {
    let world = World::new();
    let region = &world.region;
    let reads = |from, until| digest_of(region, &region.mediator, None, from, until);
    assert_eq!(reads("2026-01-01", "2026-04-02").unwrap().len(), 92);
    assert_eq!(refusal(reads("2026-01-01", "2026-04-03")), "invalid");
    assert_eq!(refusal(reads("2026-01-02", "2026-01-01")), "invalid");
}
