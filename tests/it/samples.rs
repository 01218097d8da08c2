//! Audit samples: committed to, drawn once by a head that did not exist, found on for good; drawn again without the database.

use std::path::PathBuf;
use std::process::{Command, Output};

use souche::app::sample;
use souche::db::samples::each_candidate;
use souche::domain::entry::EntryKind;
use souche::domain::sample::{Conclusion, Draw, PerStratum, Seed, Strata};
use souche::domain::{FindingId, LineNumber, SampleId};
use souche::keys::{hex, random};
use souche::ledger::bundle::{Trusted, verify};
use souche::ledger::samples;
use souche::ledger::tree::Tree;

use crate::support::at_once::{at_once, work};
use crate::support::audits::{SEED, sample_of};
use crate::support::region::Region;
use crate::support::signing::Signing;
use crate::support::{World, day, refusal};

const ONE: SampleId = SampleId::new(1);
const USES: [EntryKind; 2] = [EntryKind::Redemption, EntryKind::Void];

/// Leaves of a sample's lines, and the kinds of their receipts.
fn drawn(region: &Region, number: SampleId) -> Vec<(i64, EntryKind)> {
    let first = LineNumber::new(0);
    let items = region.does(|tx| sample::items(tx, &region.auditor, number, first, 100)).unwrap();
    items.into_iter().map(|item| (item.leaf, item.kind)).collect()
}

#[test]
fn a_sample_is_drawn_from_what_stood_in_the_log_before_its_commitment() {
    let world = World::lived();
    let region = &world.region;
    let overview = region.does(|tx| sample::get(tx, &region.auditor, ONE)).unwrap();
    let draw = overview.drawn.unwrap();
    assert_eq!(overview.sealed_at, Some(draw.leaf));
    assert_eq!(draw.root, region.does(|tx| Tree::new(tx).root(draw.leaf + 1)).unwrap());
    // 9 uses and a void at Fourmies, Avesnes and Hirson: two of each site.
    let strata: Vec<_> =
        overview.tally.iter().map(|it| (it.stratum.as_str(), it.population, it.items)).collect();
    assert_eq!(strata, [("1", 7, 2), ("3", 2, 2), ("4", 2, 2)]);
    assert_eq!((draw.population, draw.items), (11, 6));
    let lines = drawn(region, ONE);
    assert!(
        lines.iter().all(|(leaf, kind)| {
            u64::try_from(*leaf).unwrap() < draw.leaf && USES.contains(kind)
        })
    );
    region.books_hold();
}

#[test]
fn a_draw_is_made_once_by_the_seed_that_was_committed_to_and_after_the_log_has_sealed_it() {
    let world = World::lived();
    let region = &world.region;
    let number = region.commits(Seed([1; 32]), &USES).unwrap();
    assert_eq!(refusal(region.draws(number, Seed([2; 32])).map(drop)), "seed_not_committed");
    assert_eq!(refusal(region.draws(number, Seed([1; 32])).map(drop)), "not_sealed");
    assert_eq!(
        refusal(region.finds(number, 1, Conclusion::Conform, None).map(drop)),
        "wrong_state"
    );

    // Sample 2 was sealed with the scene: it is drawn, once, whatever was used since.
    let waiting = SampleId::new(2);
    region.redeems(&region.fourmies, 7).unwrap();
    region.draws(waiting, Seed([0xa5; 32])).unwrap();
    let lines = drawn(region, waiting);
    assert_eq!(lines.len(), 2, "two hand-overs, which name no site");
    assert!(lines.iter().all(|(_, kind)| *kind == EntryKind::HandOver));
    assert_eq!(refusal(region.draws(waiting, Seed([0xa5; 32])).map(drop)), "wrong_state");
    assert_eq!(refusal(region.draws(SampleId::new(9), SEED).map(drop)), "not_found");
    region.books_hold();
}

#[test]
fn a_seed_serves_one_commitment_and_criteria_have_a_sense() {
    let world = World::lived();
    let region = &world.region;
    assert_eq!(refusal(region.commits(SEED, &USES).map(drop)), "duplicate");
    let new = |change: &dyn Fn(&mut sample::NewSample)| {
        let mut new = sample_of(&USES, Seed([3; 32]));
        change(&mut new);
        region.commits_to(&new)
    };
    assert_eq!(refusal(new(&|new| new.kinds.clear())), "invalid");
    assert_eq!(refusal(new(&|new| new.kinds.push(EntryKind::Void))), "invalid");
    assert_eq!(refusal(new(&|new| new.until = day("2025-12-31"))), "invalid");
    assert!(PerStratum::try_from(0).is_err() && PerStratum::try_from(101).is_err());
    new(&|_| {}).unwrap();
    let entries = world.service().column("SELECT number FROM audit_samples ORDER BY number");
    assert_eq!(entries, ["1", "2", "3"], "what was refused gave its number back");
    region.books_hold();
}

#[test]
fn an_empty_population_draws_nothing_and_says_so() {
    let world = World::lived();
    let region = &world.region;
    let signing = Signing::new();
    let mut new = sample_of(&USES, Seed([4; 32]));
    (new.from, new.until, new.strata) = (day("2027-01-01"), day("2027-12-31"), Strata::Month);
    let number = region.commits_to(&new).unwrap();
    region.seals(&signing.signer);
    let overview = region.draws(number, Seed([4; 32])).unwrap();
    let draw = overview.drawn.unwrap();
    assert_eq!((draw.population, draw.items, overview.tally.len()), (0, 0, 0));
    region.books_hold();
    let verdict = verify(region.bundle().as_bytes(), &Trusted::default());
    assert!(verdict.holds(), "{:#?}", verdict.checks);
}

#[test]
fn a_finding_is_kept_and_a_correction_names_the_one_that_stands() {
    let world = World::lived();
    let region = &world.region;
    // In the scene, finding 1 on line 1 was corrected by finding 2.
    let second = FindingId::new(2);
    let on = |line, corrects| region.finds(ONE, line, Conclusion::Anomaly, corrects);
    assert_eq!(refusal(on(1, None).map(drop)), "wrong_state");
    assert_eq!(
        refusal(on(1, Some(FindingId::new(1))).map(drop)),
        "wrong_state",
        "it stands no more"
    );
    assert_eq!(refusal(on(2, Some(second)).map(drop)), "wrong_state", "of another line");
    assert_eq!(refusal(on(7, None).map(drop)), "not_found", "six were drawn");
    let third = on(1, Some(second)).unwrap();
    assert_eq!(third.number, FindingId::new(3));
    let unexplained =
        sample::NewFinding { conclusion: Conclusion::Anomaly, remark: None, corrects: None };
    let unexplained =
        region.does(|tx| sample::find(tx, &region.auditor, (ONE, LineNumber::new(2)), unexplained));
    assert_eq!(refusal(unexplained.map(drop)), "invalid");
    region.finds(ONE, 3, Conclusion::Conform, None).unwrap();

    let tally = region.does(|tx| sample::get(tx, &region.auditor, ONE)).unwrap().tally;
    let told: Vec<_> = tally.iter().map(|it| (it.conform, it.anomaly, it.not_verifiable)).collect();
    assert_eq!(told, [(0, 1, 0), (1, 0, 0), (0, 0, 0)], "only what stands is counted");
    let history = region
        .does(|tx| sample::history(tx, &region.auditor, ONE, FindingId::new(0), 100))
        .unwrap();
    let told: Vec<_> =
        history.iter().map(|it| (it.line.get(), it.corrects.map(FindingId::get))).collect();
    assert_eq!(told, [(1, None), (1, Some(1)), (1, Some(2)), (3, None)]);
    region.books_hold();
}

#[test]
fn two_auditors_who_find_on_one_line_at_once_leave_one_finding() {
    let world = World::lived();
    let region = &world.region;
    let finds = || work(|| region.finds(ONE, 2, Conclusion::Conform, None).map(drop));
    let found = at_once(vec![finds(), finds()]);
    let refused: Vec<_> = found.into_iter().filter(Result::is_err).map(refusal).collect();
    assert_eq!(refused, ["wrong_state"]);
    region.books_hold();
}

#[test]
fn only_an_auditor_commits_draws_and_finds_and_sites_do_not_read() {
    let world = World::lived();
    let region = &world.region;
    for actor in [&region.admin, &region.accountant, &region.manager, &region.approver] {
        let asked = region.does(|tx| sample::commit(tx, actor, &sample_of(&USES, Seed([5; 32]))));
        assert_eq!(refusal(asked.map(drop)), "not_allowed");
        let asked = region.does(|tx| sample::draw(tx, actor, ONE, &sample::NewDraw { seed: SEED }));
        assert_eq!(refusal(asked.map(drop)), "not_allowed");
        region.does(|tx| sample::get(tx, actor, ONE)).unwrap();
    }
    for actor in
        [&region.fourmies.manager, &region.mediator, &region.prescriber.manager, &region.paymaster]
    {
        assert_eq!(refusal(region.does(|tx| sample::get(tx, actor, ONE)).map(drop)), "not_allowed");
    }
}

#[test]
fn the_draw_of_the_database_is_the_one_that_its_words_give() {
    // Written out once more from docs/audit.md, with nothing of what draws in the service but SHA-256.
    use sha2::{Digest, Sha256};
    let world = World::lived();
    let region = &world.region;
    let draw = region.does(|tx| sample::get(tx, &region.auditor, ONE)).unwrap().drawn.unwrap();
    let mut key = b"souche-audit-draw-v1\n".to_vec();
    key.extend(SEED.0);
    key.extend((draw.leaf + 1).to_be_bytes());
    key.extend(draw.root.0);
    let key = Sha256::digest(key).to_vec();
    let rows = world.service().column(&format!(
        "SELECT l.position || ' ' || (e.receipt::json -> 'facts' ->> 'site') FROM leaves l JOIN entries e ON e.id = l.entry_id
         WHERE e.kind IN ('redemption', 'void') AND l.position < {}", draw.leaf
    ));
    let mut by_site = std::collections::BTreeMap::<i32, Vec<(Vec<u8>, i64)>>::new();
    for row in rows {
        let (leaf, site) = row.split_once(' ').unwrap();
        let leaf: i64 = leaf.parse().unwrap();
        let ticket = Sha256::digest([key.clone(), leaf.to_be_bytes().to_vec()].concat()).to_vec();
        by_site.entry(site.parse().unwrap()).or_default().push((ticket, leaf));
    }
    let expected: Vec<i64> = by_site
        .into_values()
        .flat_map(|mut tickets| {
            tickets.sort_unstable();
            let mut leaves: Vec<i64> = tickets.into_iter().take(2).map(|(_, leaf)| leaf).collect();
            leaves.sort_unstable();
            leaves
        })
        .collect();
    assert_eq!(drawn(region, ONE).into_iter().map(|(leaf, _)| leaf).collect::<Vec<_>>(), expected);
}

#[test]
fn a_draw_of_other_lines_is_found_even_when_its_receipts_bind_it() {
    let world = World::lived();
    let region = &world.region;
    // What an operator could write in place of the service: another receipt of the same site, bound by a receipt of its own.
    let waiting = SampleId::new(2);
    region.draws(waiting, Seed([0xa5; 32])).unwrap();
    let check = |only| region.does(|tx| samples::verify(tx, only)).unwrap();
    assert!(check(None).holds && check(Some(waiting)).holds);
    let mut superuser = world.superuser();
    superuser.run(
        "UPDATE audit_items i SET leaf = l.position, about = l.entry_id FROM leaves l JOIN entries e ON e.id = l.entry_id AND e.programme_id = 1
         WHERE l.programme_id = 1 AND i.programme_id = 1 AND i.sample = 2 AND i.line = 1 AND e.kind = 'mint'",
    );
    assert_eq!(check(None).first.as_deref(), Some("audit_items/2-1"));
    assert!(check(Some(ONE)).holds);
}

#[test]
fn candidates_are_the_leaves_that_the_criteria_name() {
    let world = World::lived();
    let region = &world.region;
    let overview = region.does(|tx| sample::get(tx, &region.auditor, ONE)).unwrap();
    let (criteria, leaf) = (overview.committed.criteria, overview.drawn.unwrap().leaf);
    let (mut n, mut draw) = (
        0,
        Draw::new(
            &criteria,
            SEED,
            leaf + 1,
            region.does(|tx| Tree::new(tx).root(leaf + 1)).unwrap(),
        ),
    );
    region
        .does(|tx| {
            each_candidate(tx, &criteria, leaf, |candidate| {
                n += 1;
                draw.offer(candidate);
            })
        })
        .unwrap();
    assert_eq!(
        (n, draw.finish().population()),
        (11, 11),
        "none is read that is not of the population"
    );
}

/// A directory that goes with the test.
struct Desk(PathBuf);

impl Desk {
    fn new(region: &Region) -> Self {
        let dir =
            std::env::temp_dir().join(format!("souche-it-audit-{}", hex(&random::<8>().unwrap())));
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("bundle"), region.bundle()).unwrap();
        Self(dir)
    }

    fn audit(&self, args: &[&str]) -> Output {
        let (verb, rest) = args.split_first().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_souche"));
        command.current_dir(&self.0).args(["audit", verb, "bundle"]).args(rest).output().unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn anyone_draws_the_sample_again_from_the_bundle_alone() {
    let world = World::lived();
    let region = &world.region;
    let desk = Desk::new(region);
    let told = desk.audit(&["sample", "--sample", "1", "--out", "feuille.csv"]);
    assert!(told.status.success(), "{told:?}");
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("Le tirage consigné est celui-ci, ligne pour ligne."), "{text}");
    let expected: Vec<String> =
        drawn(region, ONE).iter().map(|(leaf, _)| leaf.to_string()).collect();
    assert!(
        text.contains(&format!(
            "strate 4 : 2 sur 2 récépissés, feuilles {}, {}",
            expected[4], expected[5]
        )),
        "{text}"
    );
    let worksheet = std::fs::read_to_string(desk.0.join("feuille.csv")).unwrap();
    assert!(worksheet.starts_with('\u{feff}') && worksheet.lines().count() == 7, "{worksheet}");
    assert!(worksheet.contains("Non vérifiable;pièce absente"), "{worksheet}");
    assert_eq!(
        desk.audit(&["sample", "--sample", "1", "--out", "feuille.csv"]).status.code(),
        Some(1),
        "never over a file"
    );
    assert_eq!(desk.audit(&["sample", "--sample", "9"]).status.code(), Some(1));

    // Before the seed is revealed, whoever holds it knows what it will draw; nobody else does.
    assert_eq!(desk.audit(&["sample", "--sample", "2"]).status.code(), Some(1));
    assert_eq!(
        desk.audit(&["sample", "--sample", "2", "--seed", &"00".repeat(32)]).status.code(),
        Some(1)
    );
    let told = desk.audit(&["sample", "--sample", "2", "--seed", &"a5".repeat(32)]);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("Rien n'est encore tiré"), "{text}");
    region.draws(SampleId::new(2), Seed([0xa5; 32])).unwrap();
    let leaves: Vec<String> =
        drawn(region, SampleId::new(2)).iter().map(|(leaf, _)| leaf.to_string()).collect();
    assert!(text.contains(&leaves.join(", ")), "{text}");
}
