//! What is put back is what there was; what does not hold is not put back at all.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use souche::app::evidence::{Ask, import};
use souche::db::Scope;
use souche::error::Error;
use souche::keys::Keys;
use souche::ledger::bundle::{Trusted, verify};

use crate::support::moving::{Elsewhere, verified};
use crate::support::sql::Sql;
use crate::support::{World, refusal};

/// Everything that rows of a programme say, whatever its number, without accounts of people.
const ALL: [&str; 12] = [
    "SELECT to_jsonb(t) - 'programme_id' - 'xid' FROM entries t WHERE programme_id = {} ORDER BY id",
    "SELECT to_jsonb(t) - 'programme_id' FROM transfers t WHERE programme_id = {} ORDER BY entry_id, line",
    "SELECT to_jsonb(t) - 'programme_id' FROM passes t WHERE programme_id = {} ORDER BY number",
    "SELECT to_jsonb(t) - 'programme_id' FROM booklets t WHERE programme_id = {} ORDER BY number",
    "SELECT to_jsonb(t) - 'programme_id' - 'identity_sealed' FROM beneficiaries t WHERE programme_id = {} ORDER BY person_key",
    "SELECT to_jsonb(t) - 'programme_id' FROM leaves t WHERE programme_id = {} ORDER BY position",
    "SELECT to_jsonb(t) - 'programme_id' FROM checkpoints t WHERE programme_id = {} ORDER BY size",
    "SELECT to_jsonb(t) - 'programme_id' FROM log_keys t WHERE programme_id = {} ORDER BY vkey",
    "SELECT to_jsonb(t) - 'programme_id' FROM series t WHERE programme_id = {} ORDER BY name",
    "SELECT to_jsonb(t) - 'programme_id' FROM payout_items t WHERE programme_id = {} ORDER BY payout, line",
    "SELECT to_jsonb(t) - 'programme_id' FROM redemptions t WHERE programme_id = {} ORDER BY pass, cycle",
    "SELECT to_jsonb(t) - 'id' FROM programmes t WHERE id = {}",
];

fn all(sql: &mut Sql, programme: i32) -> Vec<String> {
    let number = programme.to_string();
    ALL.iter().flat_map(|query| sql.column(&query.replace("{}", &number))).collect()
}

/// The lines of a file that say what there is, not when or by whose leave it was written.
fn lines(file: &str) -> Vec<&str> {
    let is_of_people =
        |line: &&str| line.starts_with("[\"memberships\"") || line.starts_with("[\"users\"");
    let mut lines: Vec<&str> = file.lines().filter(|line| !is_of_people(line)).collect();
    lines.pop();
    lines.split_off(1)
}

/// How many rows a programme has left anywhere.
fn rows_of(elsewhere: &Elsewhere, programme: i32) -> usize {
    let mut superuser = elsewhere.superuser();
    let tables = superuser.column(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'programme_id' WHERE c.relkind = 'r'",
    );
    let count = |table: &String| {
        superuser.value(&format!("SELECT count(*) FROM {table} WHERE programme_id = {programme}"))
    };
    tables.iter().map(count).map(|n| n.parse::<usize>().unwrap()).sum()
}

#[test]
fn a_programme_is_put_back_as_it_was() {
    let world = World::lived();
    let region = &world.region;
    // Two entries wait to be sealed.
    region.redeems(&region.fourmies, 7).unwrap();
    region.redeems(&region.avesnes, 8).unwrap();
    let elsewhere = Elsewhere::with(&region.keys, region);
    let moved = elsewhere.takes_over(region);
    assert_eq!((region.programme.get(), moved.programme.get()), (1, 2));
    let (was, is) = (all(&mut world.superuser(), 1), all(&mut elsewhere.superuser(), 2));
    assert!(was.len() >= 300, "{}", was.len());
    assert!(was == is, "{:?}", was.iter().zip(&is).find(|(was, is)| was != is));
    assert!(lines(&region.bundle()) == lines(&moved.bundle()));
    moved.books_hold();
    verified(&moved.bundle());
}

#[test]
fn a_programme_without_a_single_use_is_put_back_too() {
    let world = World::new();
    let elsewhere = Elsewhere::with(&world.region.keys, &world.region);
    let moved = elsewhere.takes_over(&world.region);
    assert_eq!(all(&mut world.superuser(), 1), all(&mut elsewhere.superuser(), 2));
    moved.books_hold();
}

#[test]
fn a_programme_that_is_here_already_is_not_put_back_again() {
    let world = World::lived();
    let elsewhere = Elsewhere::with(&world.region.keys, &world.region);
    let file = world.region.bundle();
    elsewhere.imports(&file, None).unwrap();
    let before = all(&mut elsewhere.superuser(), 2);
    assert_eq!(refusal(elsewhere.imports(&file, None)), "duplicate");
    assert_eq!(all(&mut elsewhere.superuser(), 2), before);
    assert_eq!(rows_of(&elsewhere, 3), 0);
    // The other programmes of the same instance may still come.
    elsewhere.imports(&world.neighbour.bundle(), None).unwrap();
}

#[test]
fn nobody_gets_in_by_a_file() {
    let world = World::lived();
    let elsewhere = Elsewhere::with(&world.region.keys, &world.region);
    elsewhere.imports(&world.region.bundle(), None).unwrap();
    let mut superuser = elsewhere.superuser();
    let open = superuser.column(
        "SELECT user_id::text FROM memberships WHERE programme_id = 2 AND ended_at IS NULL",
    );
    assert_eq!(open, [elsewhere.founder.to_string()]);
    let ended = superuser.value(
        "SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id WHERE programme_id = 2
         AND ended_at IS NOT NULL AND email LIKE '%@ailleurs.invalid'",
    );
    let were = world.superuser().value("SELECT count(*) FROM memberships WHERE programme_id = 1");
    assert_eq!(ended, were);
    let act = superuser.value(
        "SELECT operation || ' ' || (about ->> 'programme') FROM audit_log WHERE programme_id = 2",
    );
    assert_eq!(act, "import_bundle SAT");
}

/// Fails once that many bytes were read after the file was verified; what to do then comes first.
struct Failing<F> {
    file: Cursor<Vec<u8>>,
    left: usize,
    fail: F,
}

impl<F: FnMut()> Read for Failing<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // A little at a time, or all of it would be read before anything is written.
        let end = into.len().min(1_000);
        let n = self.file.read(&mut into[..end])?;
        self.left = self.left.saturating_sub(n);
        if self.left == 0 {
            (self.fail)();
        }
        Ok(n)
    }
}

impl<F> Seek for Failing<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn an_import_that_is_cut_in_the_middle_leaves_nothing() {
    let world = World::lived();
    let elsewhere = Elsewhere::with(&world.region.keys, &world.region);
    let file = world.region.bundle();
    let verdict = verified(&file);
    // Its connection dies: while it reads what stands, and in the journal.
    for part in [1, 3] {
        let mut failing = Failing {
            file: Cursor::new(file.clone().into_bytes()),
            left: file.len() * part / 4,
            fail: || {
                elsewhere.superuser().run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE datname = current_database() AND usename = 'souche_service' AND state LIKE 'idle in transaction%'",
                );
            },
        };
        let cut = elsewhere.db.transact_blocking(Scope::Nobody, |tx| {
            import(tx, &elsewhere.keys, &mut failing, &verdict, &Ask::default())
        });
        assert!(matches!(cut, Err(Error::Busy(_) | Error::Fault(_))), "{part}");
        assert_eq!(rows_of(&elsewhere, 2) + rows_of(&elsewhere, 3), 0, "{part}");
    }
    // Whole, and refused at the very end by what comes after it.
    let undone: Result<(), Error> = elsewhere.db.transact_blocking(Scope::Nobody, |tx| {
        import(tx, &elsewhere.keys, &mut Cursor::new(&file), &verdict, &Ask::default())?;
        Err(anyhow::anyhow!("the machine went down").into())
    });
    undone.unwrap_err();
    let strangers = "SELECT count(*) FROM users WHERE email LIKE '%@ailleurs.invalid'";
    assert_eq!(elsewhere.superuser().value(strangers), "0");
    elsewhere.imports(&file, None).unwrap();
}

#[test]
fn a_file_that_changed_after_it_was_verified_imports_nothing() {
    let world = World::lived();
    let elsewhere = Elsewhere::with(&world.region.keys, &world.region);
    let file = world.region.bundle();
    let verdict = verified(&file);
    let redemption = file.lines().find(|line| line.starts_with("[\"redemptions\"")).unwrap();
    let twice = format!("{redemption}\n{redemption}");
    for (from, to) in [
        (redemption, twice.as_str()),
        ("\"redeemed_at\":\"2026-03-10", "\"redeemed_at\":\"2026-03-11"),
        ("\"name\":\"booklet\"", "\"name\":\"bookleu\""),
        ("\"last\":60", "\"last\":61"),
        ("Centre social de fourmies", "Centre social de fourmiez"),
        ("\\\"number\\\":1,", "\\\"number\\\":2,"),
    ] {
        let changed = file.replacen(from, to, 1);
        assert!(changed != file, "{from}");
        assert!(!verify(changed.as_bytes(), &Trusted::default()).holds(), "{from}");
        let imported = elsewhere.db.transact_blocking(Scope::Nobody, |tx| {
            let mut changed = Cursor::new(changed.as_bytes());
            import(tx, &elsewhere.keys, &mut changed, &verdict, &Ask::default())
        });
        assert!(imported.is_err(), "{from}");
    }
    let strangers = "SELECT count(*) FROM programmes";
    assert_eq!(elsewhere.superuser().value(strangers), "1");
}

#[test]
fn a_table_of_another_version_is_said_so() {
    let world = World::lived();
    let elsewhere = Elsewhere::with(&world.region.keys, &world.region);
    let file = world.region.bundle();
    let verdict = verified(&file);
    let changed = file.replace("\"daily_capacity\":", "\"hourly_capacity\":");
    let imported = elsewhere.db.transact_blocking(Scope::Nobody, |tx| {
        let mut changed = Cursor::new(changed.as_bytes());
        import(tx, &elsewhere.keys, &mut changed, &verdict, &Ask::default())
    });
    let why = format!("{:#}", anyhow::Error::from(imported.unwrap_err()));
    assert!(why.contains("les lignes de sites n'ont pas les mêmes colonnes ici"), "{why}");
}

#[test]
fn receipts_keep_their_signatures_where_their_key_is_not() {
    let world = World::lived();
    let elsewhere = Elsewhere::with(&Keys::generate().unwrap(), &world.region);
    let moved = elsewhere.takes_over(&world.region);
    moved.books_hold();
    let verdict = verified(&moved.bundle());
    assert_eq!(verdict.unsigned, 0);
    // And on to a third, which knows neither key.
    moved.declares_capacity(&moved.fourmies, Some(3));
    let third = Elsewhere::with(&Keys::generate().unwrap(), &moved);
    let moved = third.takes_over(&moved);
    moved.books_hold();
    verified(&moved.bundle());
    let kept = "SELECT count(*) FROM entries WHERE programme_id = 2 AND signature IS NULL";
    assert_eq!(third.superuser().value(kept), "0");
    // One that was changed, or taken away, is found.
    for change in ["set_byte(signature, 3, get_byte(signature, 3) # 1)", "NULL"] {
        let mut superuser = third.superuser();
        let one = "id = (SELECT min(id::text)::uuid FROM entries WHERE programme_id = 2)";
        superuser.begin(&format!(
            "SET LOCAL session_replication_role = replica; UPDATE entries SET signature = {change} WHERE {one}"
        ));
        superuser.commit();
        assert_eq!(moved.broken_checks(), ["signatures_brought_along_are_true"], "{change}");
    }
}
