//! The demo, played: the pilot alone, which takes some seconds.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use souche::cli::demo::{ACCOUNTS_FILE, Calendar, Options, Scale, Story, Tally, play};
use souche::db::{Clock, Db};
use souche::domain::BusinessDate;
use souche::keys::Keys;

use crate::support::database::TestDatabase;

/// A stage of its own: a database and a directory, dropped with it.
struct Theatre {
    _database: TestDatabase,
    db: Db,
    keys: Keys,
    data: PathBuf,
}

impl Theatre {
    fn new(name: &str) -> Self {
        let database = TestDatabase::new();
        let data = env::temp_dir().join(format!("souche-it-demo-{name}-{}", std::process::id()));
        fs::create_dir_all(&data).unwrap();
        let db = Db::new(&database.service_url(), 4, Clock::test(calendar().start()));
        Self { _database: database, db, keys: Keys::generate().unwrap(), data }
    }

    fn play(&self, seed: u64, sites: Option<&str>) -> anyhow::Result<Story> {
        let options = Options {
            scale: Scale::Pilot,
            seed,
            sites: sites.map(|file| {
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(file)
            }),
            progress: false,
            calendar: calendar(),
            public_url: "pass.souche.example/p".into(),
        };
        play(&self.db, &self.keys, &self.data, &options)
    }
}

impl Drop for Theatre {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.data).ok();
    }
}

fn calendar() -> Calendar {
    Calendar::ending_before(BusinessDate::try_from("2026-11-22".to_owned()).unwrap())
}

fn assert_sound(story: &Story) {
    let sums = story.summary;
    assert_eq!((sums.booklets, sums.passes), (500, 5_000));
    let differences =
        (sums.conservation_pass, sums.conservation_eur_cents, sums.three_way_difference_cents);
    assert_eq!(differences, (0, 0, 0));
    for chapter in &story.chapters {
        let broken: Vec<_> = chapter.checks.iter().filter(|check| !check.holds).collect();
        assert!(broken.is_empty() && !chapter.checks.is_empty(), "{broken:?}");
        let Tally { hand_overs, redemptions, voids, .. } = chapter.tally;
        let count = |n: usize| i64::try_from(n).unwrap();
        assert_eq!(sums.handed_over, 10 * count(hand_overs), "the books against what was played");
        assert_eq!(sums.redeemed, count(redemptions - voids), "the books against what was played");
        let report = &chapter.three_way;
        assert!(report.prepared_cents > 0, "no settlement waits for its approval");
        assert_eq!(
            report.debited_cents + report.prepared_cents + report.waiting_cents,
            report.redeemed_cents
        );
    }
}

#[test]
fn a_seed_always_comes_to_the_same_sums_and_every_rule_holds() {
    let stories = ["a", "b"].map(|name| Theatre::new(name).play(7, None).unwrap());
    stories.iter().for_each(assert_sound);
    let [first, second] = stories.map(|story| {
        let tallies: Vec<Tally> = story.chapters.iter().map(|chapter| chapter.tally).collect();
        (souche::cli::demo::Summary { seconds: 0, ..story.summary }, tallies)
    });
    assert_eq!(first, second);
}

#[test]
fn the_pilot_is_played_on_real_places_and_leaves_what_a_reader_needs() {
    let theatre = Theatre::new("real");
    let story = theatre.play(1, Some("hdf_conseillers_numeriques_2022-12-02.json")).unwrap();
    assert_sound(&story);
    let places = &story.chapters[0].places;
    assert_eq!(places.imported.rows, 421);
    assert!(
        places.without_siret > 0 && places.qualified > 0 && places.fictitious == 0,
        "{places:?}"
    );

    for path in [
        ACCOUNTS_FILE,
        "print/SAT-planche.pdf",
        "print/SAT-planche.csv",
        "settlements/SOUCHE-SAT-2.xml",
    ] {
        let mode = fs::metadata(theatre.data.join(path))
            .unwrap_or_else(|error| panic!("{path}: {error}"))
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
    assert!(
        !theatre.data.join("settlements/SOUCHE-SAT-3.xml").exists(),
        "the third settlement is not approved"
    );

    let accounts: Vec<serde_json::Value> =
        serde_json::from_slice(&fs::read(theatre.data.join(ACCOUNTS_FILE)).unwrap()).unwrap();
    let roles: BTreeSet<&str> =
        accounts.iter().map(|account| account["role"].as_str().unwrap()).collect();
    assert_eq!(roles.len(), 10, "{roles:?}");
    assert!(accounts.iter().all(|account| account["password"].as_str().unwrap().len() >= 20));

    let again = theatre.play(1, None).err().expect("an instance in use was played on");
    assert!(again.to_string().contains("contient déjà une instance"), "{again}");
}

#[test]
fn a_file_without_any_place_of_the_region_is_completed_with_made_up_ones() {
    let story = Theatre::new("elsewhere").play(2, Some("paca_aptic_2023-02-27.json")).unwrap();
    assert_sound(&story);
    let places = &story.chapters[0].places;
    assert!(
        places.imported.rows == 22 && places.outside >= 1 && places.fictitious > 0,
        "{places:?}"
    );
}

#[test]
fn the_sums_are_written_as_the_contract_says() {
    let sums = serde_json::to_string(&souche::cli::demo::Summary::default()).unwrap();
    assert_eq!(
        sums,
        r#"{"booklets":0,"passes":0,"handed_over":0,"redeemed":0,"paid_cents":0,"conservation_pass":0,"conservation_eur_cents":0,"three_way_difference_cents":0,"seconds":0}"#
    );
}
