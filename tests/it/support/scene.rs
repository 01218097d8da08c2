//! The scenes that worlds are copied from, each played once through the use cases.
//!
//! *Fresh*, in both programmes alike:
//!
//! | booklets | passes | where |
//! |---|---|---|
//! | 1, 2 | 1–10, 11–20 | handed over to Jeanne and to Paul |
//! | 3, 4, 5 | 21–30, 31–40, 41–45 | in the prescriber's stock |
//! | 6 | 46–50 | in the sponsor's stock |
//! | 7 | 51–60 | in the sponsor's stock, not funded |
//!
//! *Lived*, some days later: pass 1 voided, then used again; 2 and 3 used; all three paid by settlement 1.
//! Pass 4 waits in settlement 2, prepared; pass 5 in settlement 3, approved, its execution declared and not
//! confirmed. Pass 6 is used at workshop 1 and in no settlement. Pass 12 was used and paid in settlement 1, and given
//! back by an incident that waits for its deduction; 13 and 14 were used at Hirson, and a flag on 14 was released. 7 to 11 and
//! 15 to 20 are unused. Order 3 and bank account 3 wait for
//! approval. An auditor is invited and has not answered. An API key redeems at Fourmies.
//! Sample 1, of redemptions and voids by site, is drawn; its first line was found in order, then, corrected, not verifiable. Sample 2
//! is committed to and not drawn.
//! All of it is sealed and signed.

use std::sync::LazyLock;

use souche::db::{Clock, Db};
use souche::domain::entry::EntryKind;
use souche::domain::flag::Outcome;
use souche::domain::order::Quantity;
use souche::domain::sample::{Conclusion, Seed};
use souche::domain::territory::Territory;
use souche::domain::{Role, SettlementId, Timestamp};
use souche::keys::Keys;

use super::audits::SEED;
use super::database::{Template, TestDatabase};
use super::region::{Region, iban};
use super::signing::Signing;
use super::{day, instant};

/// A played scene.
pub struct Scene {
    pub template: Template,
    pub region: Region,
    pub neighbour: Region,
    /// What the clock showed at its end.
    pub ended_at: Timestamp,
}

pub static FRESH: LazyLock<Scene> = LazyLock::new(|| {
    let begun_at = instant("2026-02-02T09:00:00Z");
    let database = TestDatabase::new();
    let keys = Keys::generate().unwrap();
    let db =
        Db::new(&database.service_url(), 2, Clock::test(begun_at)).signing_as(keys.receipt_kid());
    let first = Region::founder(&db);
    let mut region =
        Region::set_up(&db, &keys, first, "SAT", Territory::sambre_avesnois_thierache());
    let mut neighbour = Region::set_up(&db, &keys, first, "HDF", Territory::hauts_de_france());
    for region in [&mut region, &mut neighbour] {
        distribute(region);
    }
    Scene::ended(database, region, neighbour)
});

pub static LIVED: LazyLock<Scene> = LazyLock::new(|| {
    let database = TestDatabase::copy_of(&FRESH.template);
    let db = Db::new(&database.service_url(), 2, Clock::test(FRESH.ended_at))
        .signing_as(FRESH.region.keys.receipt_kid());
    let (region, neighbour) = (FRESH.region.at_work_on(&db), FRESH.neighbour.at_work_on(&db));
    for region in [&region, &neighbour] {
        live(region);
        let signing = Signing::new();
        region.seals(&signing.signer);
        audit(region, &signing);
    }
    Scene::ended(database, region, neighbour)
});

impl Scene {
    fn ended(database: TestDatabase, mut region: Region, mut neighbour: Region) -> Self {
        let ended_at = region.now();
        for region in [&mut region, &mut neighbour] {
            // Whoever copies the scene brings a pool of its own; this one never connects.
            region.db = Db::new("postgresql:///nowhere", 1, Clock::test(ended_at));
        }
        Self { template: database.into_template(), region, neighbour, ended_at }
    }
}

fn distribute(region: &mut Region) {
    region.clock_shows("2026-02-02T09:00:00Z");
    let order = region.orders(Quantity { booklets_of_10: 4, booklets_of_5: 2 }, "2026-12-31");
    region.prints(order);
    let unfunded = region.orders(Quantity { booklets_of_10: 1, booklets_of_5: 0 }, "2026-12-31");
    region.prints(unfunded);
    region.clock_shows("2026-02-09T09:00:00Z");
    region.funds(order).unwrap();
    region.clock_shows("2026-02-16T09:00:00Z");
    region.delivers(1, 5).unwrap();
    region.clock_shows("2026-02-23T09:00:00Z");
    region.hands_over(1, "Jeanne").unwrap();
    region.hands_over(2, "Paul").unwrap();
    region.clock_shows("2026-03-02T09:00:00Z");
}

/// An audit: the seed is revealed once the log has sealed its commitment.
fn audit(region: &Region, signing: &Signing) {
    let number = region.commits(SEED, &[EntryKind::Redemption, EntryKind::Void]).unwrap();
    region.seals(&signing.signer);
    region.draws(number, SEED).unwrap();
    let first = region.finds(number, 1, Conclusion::Conform, None).unwrap();
    region.finds(number, 1, Conclusion::NotVerifiable, Some(first.number)).unwrap();
    region.commits(Seed([0xa5; 32]), &[EntryKind::HandOver]).unwrap();
    region.seals(&signing.signer);
}

fn live(region: &Region) {
    let (fourmies, avesnes) = (&region.fourmies, &region.avesnes);
    region.clock_shows("2026-03-10T09:00:00Z");
    let undone = region.redeems(fourmies, 1).unwrap();
    region.voids(fourmies, undone.id).unwrap();
    region.redeems(avesnes, 1).unwrap();
    region.redeems(fourmies, 2).unwrap();
    region.redeems(fourmies, 3).unwrap();
    let counterfeit = region.redeems(avesnes, 12).unwrap();
    region.redeems(fourmies, 2).unwrap_err();
    region.tries_a_wrong_code(fourmies, 20).unwrap_err();
    region.clock_shows("2026-03-11T09:00:00Z");
    region.pays(day("2026-03-10"));
    region.redeems(fourmies, 4).unwrap();
    region.clock_shows("2026-03-12T09:00:00Z");
    region.prepares(day("2026-03-11")).unwrap();
    region.redeems(fourmies, 5).unwrap();
    region.clock_shows("2026-03-13T09:00:00Z");
    let settlement = region.prepares(day("2026-03-12")).unwrap().settlement.number;
    assert_eq!(settlement, SettlementId::new(3));
    region.approves(settlement).unwrap();
    region.declares_execution(settlement).unwrap();
    let workshop = region.declares_workshop(fourmies, region.today(), 6).unwrap();
    region.redeems_at(fourmies, 6, workshop).unwrap();
    region.records_incident(counterfeit.id).unwrap();
    region.declares_capacity(&region.hirson, Some(1));
    region.redeems(&region.hirson, 13).unwrap();
    region.redeems(&region.hirson, 14).unwrap();
    let raised = region.scans();
    region.decides(raised[0], Outcome::Released).unwrap();
    region.declares_capacity(&region.hirson, None);
    region.places(Quantity { booklets_of_10: 1, booklets_of_5: 0 }, "2026-12-31").unwrap();
    region.declares_bank_account(fourmies, &iban(2)).unwrap();
    region.invites("nouveau@exemple.fr", Role::Auditor).unwrap();
    region.makes_api_key();
}
