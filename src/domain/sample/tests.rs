//! The draw is the one of its seed and head, fair, and the same for whoever makes it again.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::merkle::Hash;

fn day(text: &str) -> BusinessDate {
    BusinessDate::try_from(text.to_owned()).unwrap()
}

fn criteria(strata: Strata, per_stratum: i32) -> Criteria {
    Criteria {
        kinds: vec![EntryKind::Redemption, EntryKind::Void],
        from_on: day("2026-01-01"),
        until_on: day("2026-12-31"),
        strata,
        per_stratum: PerStratum::try_from(per_stratum).unwrap(),
    }
}

/// Every third leaf is a void; sites 1 to 7 take turns, two months too.
fn candidate(leaf: u64) -> Candidate {
    let site = i32::try_from(leaf % 7).unwrap().saturating_add(1);
    Candidate {
        leaf,
        kind: if leaf.is_multiple_of(3) { EntryKind::Void } else { EntryKind::Redemption },
        day: day(if leaf.is_multiple_of(2) { "2026-03-01" } else { "2026-10-31" }),
        site: (site < 7).then(|| SiteId::new(site)),
    }
}

fn seed(first: u8) -> Seed {
    Seed(std::array::from_fn(|n| first.wrapping_add(u8::try_from(n).unwrap())))
}

fn drawn(criteria: &Criteria, seed: Seed, root: u8, leaves: impl Iterator<Item = u64>) -> Sample {
    let mut draw = Draw::new(criteria, seed, 1_001, Hash([root; 32]));
    leaves.for_each(|leaf| draw.offer(&candidate(leaf)));
    draw.finish()
}

fn leaves(sample: &Sample) -> Vec<u64> {
    sample.lines().map(|(_, leaf)| leaf).collect()
}

#[test]
fn a_draw_is_the_one_that_any_other_program_makes() {
    // Made with ten lines of Python and its hashlib, from the words of draw.rs alone.
    let sample = drawn(&criteria(Strata::Kind, 5), seed(0), 7, 0..1_000);
    let told: Vec<(String, u64, Vec<u64>)> = sample
        .lots
        .iter()
        .map(|lot| (lot.stratum.to_string(), lot.population, lot.leaves.clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("redemption".to_owned(), 666, vec![242, 293, 415, 746, 869]),
            ("void".to_owned(), 334, vec![99, 438, 579, 582, 738]),
        ]
    );
    assert_eq!((sample.population(), sample.size()), (1_000, 10));
    let lines: Vec<(i32, u64)> = sample.lines().collect();
    assert_eq!((lines[0], lines[9]), ((1, 242), (2, 738)));
}

#[test]
fn a_seed_is_committed_to_by_its_sha_256() {
    let committed = "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd";
    assert_eq!(seed(0).commitment().to_string(), committed);
    let read: Commitment = serde_json::from_value(json!(committed)).unwrap();
    assert_eq!(read, seed(0).commitment());
    for odd in
        ["", "00", &"g".repeat(64), &committed.to_uppercase(), &format!("+{}", &committed[1..])]
    {
        assert!(serde_json::from_value::<Seed>(json!(odd)).is_err(), "{odd}");
    }
}

#[test]
fn another_seed_or_another_head_draws_others() {
    let criteria = criteria(Strata::Kind, 20);
    let first = drawn(&criteria, seed(0), 7, 0..1_000);
    assert_ne!(leaves(&first), leaves(&drawn(&criteria, seed(1), 7, 0..1_000)));
    assert_ne!(leaves(&first), leaves(&drawn(&criteria, seed(0), 8, 0..1_000)));
    let mut larger = Draw::new(&criteria, seed(0), 1_002, Hash([7; 32]));
    (0..1_000).for_each(|leaf| larger.offer(&candidate(leaf)));
    assert_ne!(leaves(&first), leaves(&larger.finish()));
}

#[test]
fn every_stratum_has_its_share_and_a_small_one_gives_all() {
    let by_site = drawn(&criteria(Strata::Site, 3), seed(0), 7, 0..16);
    let told: Vec<(String, u64, usize)> = by_site
        .lots
        .iter()
        .map(|lot| (lot.stratum.to_string(), lot.population, lot.leaves.len()))
        .collect();
    // 0 are the leaves that name no site; sites stand in the order of their numbers.
    let expected =
        [("0", 2, 2), ("1", 3, 3), ("2", 3, 3), ("3", 2, 2), ("4", 2, 2), ("5", 2, 2), ("6", 2, 2)];
    assert_eq!(
        told,
        expected.map(|(name, population, drawn)| (name.to_owned(), population, drawn))
    );
    let by_month = drawn(&criteria(Strata::Month, 1), seed(0), 7, 0..16);
    let months: Vec<String> = by_month.lots.iter().map(|lot| lot.stratum.to_string()).collect();
    assert_eq!(months, ["2026-03", "2026-10"]);
}

#[test]
fn what_is_not_of_the_population_is_never_drawn() {
    let mut criteria = criteria(Strata::Kind, 100);
    criteria.kinds = vec![EntryKind::Redemption];
    criteria.until_on = day("2026-03-01");
    let sample = drawn(&criteria, seed(0), 7, 0..100);
    assert!(leaves(&sample).iter().all(|leaf| leaf % 3 != 0 && leaf % 2 == 0));
    assert_eq!(sample.population(), 33);
    criteria.from_on = day("2027-01-01");
    assert_eq!(drawn(&criteria, seed(0), 7, 0..100), Sample::default());
}

#[test]
fn a_receipt_says_what_a_draw_looks_at() {
    let receipt = json!({ "kind": "redemption", "happened_at": "2026-03-31T22:30:00.000000Z", "facts": { "site": "12" } });
    let read = Candidate::read(4, &receipt).unwrap();
    let expected = Candidate {
        leaf: 4,
        kind: EntryKind::Redemption,
        day: day("2026-04-01"),
        site: Some(SiteId::new(12)),
    };
    assert_eq!(read, expected, "a day is one in Paris");
    assert_eq!(
        Candidate::read(
            4,
            &json!({ "kind": "something_new", "happened_at": "2026-03-31T22:30:00Z" })
        ),
        None
    );
}

#[test]
fn each_leaf_is_drawn_as_often_as_any_other() {
    let criteria = criteria(Strata::Month, 5);
    let mut counts = [0_u32; 20];
    for n in 0..4_000_u32 {
        let mut draw = Draw::new(&criteria, seed(0), n.into(), Hash([7; 32]));
        // All in one stratum: 5 of 20.
        (0..20)
            .for_each(|leaf| draw.offer(&Candidate { day: day("2026-03-01"), ..candidate(leaf) }));
        for leaf in leaves(&draw.finish()) {
            counts[usize::try_from(leaf).unwrap()] += 1;
        }
    }
    // 1,000 each, ±4.5 standard deviations of 27.
    assert!(counts.iter().all(|count| (877..1_123).contains(count)), "{counts:?}");
}

proptest! {
    #[test]
    fn a_sample_is_of_the_population_whole_in_each_stratum_and_the_same_in_any_order(
        n in 0_u64..300, per_stratum in 1_i32..=100, first in any::<u8>(), root in any::<u8>()
    ) {
        for strata in Strata::VARIANTS {
            let criteria = criteria(*strata, per_stratum);
            let sample = drawn(&criteria, seed(first), root, 0..n);
            prop_assert_eq!(&sample, &drawn(&criteria, seed(first), root, (0..n).rev()));
            prop_assert_eq!(sample.population(), n);
            for lot in &sample.lots {
                let wanted = lot.population.min(u64::try_from(per_stratum).unwrap());
                prop_assert_eq!(u64::try_from(lot.leaves.len()).unwrap(), wanted);
                prop_assert!(lot.leaves.is_sorted_by(|a, b| a < b));
                prop_assert!(lot.leaves.iter().all(|leaf| criteria.stratum(&candidate(*leaf)).as_ref() == Some(&lot.stratum)));
            }
        }
    }
}
