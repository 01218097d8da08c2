//! What a site is owed, from its own receipts, when the database is gone.

use souche::app::evidence;
use souche::db::checkpoints;
use souche::domain::note::{Note, Verifier};
use souche::domain::{Actor, SiteId};
use souche::ledger::claim::{Claim, For, Sum, claim};

use crate::support::region::Region;
use crate::support::{World, refusal};

/// What a site has kept: its file, the log's keys, the last checkpoint.
struct Kept {
    site: SiteId,
    file: String,
    keys: Vec<Verifier>,
    last: Note,
}

impl Kept {
    fn by(region: &Region, actor: &Actor, site: SiteId) -> Self {
        let (file, keys, last) = region
            .does(|tx| {
                let file = evidence::claim_file(tx, &region.keys, actor, site)?;
                Ok((file, checkpoints::keys(tx)?, checkpoints::last(tx)?.unwrap().note))
            })
            .unwrap();
        let keys = keys.iter().map(|key| key.parse().unwrap()).collect();
        Self { site, file, keys, last: last.parse().unwrap() }
    }

    fn claim(&self) -> Claim {
        claim(self.file.as_bytes(), self.site, &self.keys, &self.last).unwrap()
    }

    fn refused_with(&self, file: &str) -> Vec<(String, String)> {
        claim(file.as_bytes(), self.site, &self.keys, &self.last).unwrap().refused
    }
}

/// Redeemed, less undone, less what the bank has debited, in cents by site: from the rows, by a query of its own.
const OWED: &str = "SELECT s.number || ' ' || coalesce(sum(p.face_value_cents) FILTER (WHERE r.pass IS NOT NULL AND v.pass IS NULL), 0)
       - coalesce((SELECT sum(i.amount_cents) FROM payout_items i JOIN payout_debits d ON d.programme_id = i.programme_id AND d.payout = i.payout
                   JOIN redemptions x ON x.programme_id = i.programme_id AND x.pass = i.pass AND x.cycle = i.cycle
                   WHERE i.programme_id = s.programme_id AND x.site = s.number), 0)
     FROM sites s JOIN programmes p ON p.id = s.programme_id
     LEFT JOIN redemptions r ON r.programme_id = s.programme_id AND r.site = s.number
     LEFT JOIN voids v ON v.programme_id = r.programme_id AND v.pass = r.pass AND v.cycle = r.cycle
     WHERE s.programme_id = 1 GROUP BY s.programme_id, s.number ORDER BY s.number";

#[test]
fn every_site_recomputes_what_it_is_owed_when_the_database_is_gone() {
    let world = World::lived();
    let owed = world.superuser().column(OWED);
    let sites = world
        .superuser()
        .column("SELECT number::text FROM sites WHERE programme_id = 1 ORDER BY number");
    let region = &world.region;
    let kept: Vec<Kept> =
        sites.iter().map(|site| Kept::by(region, &region.auditor, site.parse().unwrap())).collect();
    drop(world);
    let claimed = kept.iter().map(|kept| {
        let claim = kept.claim();
        assert_eq!(claim.refused, []);
        format!("{} {}", kept.site, claim.owed().cents)
    });
    assert_eq!(claimed.collect::<Vec<_>>(), owed);
}

#[test]
fn a_claim_counts_what_was_used_undone_and_paid() {
    let world = World::lived();
    let (region, fourmies) = (&world.region, &world.region.fourmies);
    let claim = Kept::by(region, &fourmies.manager, fourmies.site).claim();
    let sum = |passes| Sum { passes, cents: 1_000 * passes };
    assert_eq!(claim.sum(For::Redeemed), sum(6));
    assert_eq!(claim.sum(For::Undone), sum(1));
    assert_eq!(claim.sum(For::Paid), sum(2));
    assert_eq!(claim.owed(), sum(3));
}

#[test]
fn a_site_sees_its_own_file_only() {
    let world = World::lived();
    let (region, avesnes) = (&world.region, &world.region.avesnes);
    for actor in [&region.fourmies.manager, &region.mediator] {
        let told = region.does(|tx| evidence::claim_file(tx, &region.keys, actor, avesnes.site));
        assert_eq!(refusal(told), "not_found");
    }
    let agent = &region.prescriber.manager;
    let told = region.does(|tx| evidence::claim_file(tx, &region.keys, agent, avesnes.site));
    assert_eq!(refusal(told), "not_allowed");
}

#[test]
fn what_does_not_count_is_refused_by_name() {
    let world = World::lived();
    let region = &world.region;
    let kept = Kept::by(region, &region.fourmies.manager, region.fourmies.site);
    let other = Kept::by(region, &region.avesnes.manager, region.avesnes.site);
    let lines: Vec<&str> = kept.file.lines().collect();
    let with = |line: &str| format!("{}{line}\n", kept.file);
    let only = |refused: Vec<(String, String)>| {
        assert_eq!(refused.len(), 1, "{refused:?}");
        refused.into_iter().next().unwrap()
    };
    let (name, why) = only(kept.refused_with(&with(lines[1])));
    assert_eq!((name.as_str(), why.as_str()), ("redemption 0000001-1", "il est déjà compté"));
    let foreign = other.file.lines().nth(1).unwrap();
    assert_eq!(only(kept.refused_with(&with(foreign))).1, "il est d'un autre lieu");
    // More than it was worth: neither its signature nor its place in the log is true any more.
    let forged = kept.file.replacen("\\\"amount_cents\\\":1000", "\\\"amount_cents\\\":9000", 1);
    assert_ne!(forged, kept.file);
    let refused = kept.refused_with(&forged);
    assert!(
        refused.contains(&(
            "redemption 0000001-1".into(),
            "sa signature est fausse, ou manque".into()
        ))
    );
    // Under the checkpoint of another log.
    let neighbour = &world.neighbour;
    let stranger = Kept::by(neighbour, &neighbour.auditor, neighbour.fourmies.site);
    let refused = kept.refused_with(&with(stranger.file.lines().nth(1).unwrap()));
    assert_eq!(only(refused).1, "sa preuve ne mène à aucun point de contrôle signé");
    assert!(claim(kept.file.as_bytes(), kept.site, &kept.keys, &stranger.last).is_err());
    // A void without what it undoes.
    let others = lines.iter().filter(|line| !line.contains("redemption\\\":\\\"0000001-1"));
    let undone = others.copied().collect::<Vec<_>>().join("\n");
    assert_eq!(kept.refused_with(&undone), []);
    let hidden: String = kept.file.replacen(&format!("{}\n", lines[1]), "", 1);
    assert_eq!(only(kept.refused_with(&hidden)).1, "il annule une utilisation que rien ne montre");
}

#[test]
fn what_is_not_sealed_yet_proves_nothing() {
    let world = World::lived();
    let (region, fourmies) = (&world.region, &world.region.fourmies);
    region.redeems(fourmies, 7).unwrap();
    let claim = Kept::by(region, &fourmies.manager, fourmies.site).claim();
    let refused: Vec<&str> = claim.refused.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(refused, ["redemption 0000007-1"]);
}
