//! A bundle: written from the database, verified without it, by us and by the script that an auditor reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use souche::db::checkpoints;
use souche::domain::seeded::Seeded;
use souche::keys::{Keys, hex, random};
use souche::ledger::bundle::{Line, Manifest, Object, Reader, Trusted, Verdict, verify};

use crate::support::World;
use crate::support::region::Region;

/// Changes in an ordinary run; `SOUCHE_TAMPERINGS` asks for another number, `SOUCHE_SEED` for other ones.
const TAMPERINGS: u64 = 200;
/// One change in so many is shown to the script too: starting Python takes longer than verifying.
const SCRIPT_SEES: u64 = 5;

/// What an auditor has kept: the log's key, and its last checkpoint.
fn kept(region: &Region) -> Trusted {
    let (keys, head) =
        region.does(|tx| Ok((checkpoints::keys(tx)?, checkpoints::last(tx)?))).unwrap();
    Trusted {
        keys: keys.iter().map(|key| key.parse().unwrap()).collect(),
        checkpoint: head.map(|head| head.note.parse().unwrap()),
    }
}

fn verdict(file: &str, trusted: &Trusted) -> Verdict {
    verify(file.as_bytes(), trusted)
}

fn broken(verdict: &Verdict) -> Vec<(&'static str, Option<&str>)> {
    let broken = verdict.checks.iter().filter(|check| !check.holds);
    broken.map(|check| (check.code, check.first.as_deref())).collect()
}

/// A file that goes with the test.
struct Kept(PathBuf);

impl Kept {
    fn new(text: &str) -> Self {
        let name = format!("souche-it-bundle-{}", hex(&random::<8>().unwrap()));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Does the script of docs/ find that every rule holds?
pub fn script_holds(file: &str, trusted: &Trusted) -> bool {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify_bundle.py");
    let file = Kept::new(file);
    let mut command = Command::new("python3");
    command.arg(script).arg(&file.0);
    for key in &trusted.keys {
        command.args(["--key", &key.to_string()]);
    }
    let note = trusted.checkpoint.as_ref().map(|note| Kept::new(&note.to_string()));
    if let Some(note) = &note {
        command.arg("--checkpoint").arg(&note.0);
    }
    let told = command.output().expect("python3 is there: see bin/setup --tests");
    let text = String::from_utf8_lossy(&told.stdout);
    assert_eq!(told.status.success(), text.ends_with("Every rule holds.\n"), "{told:?}");
    told.status.success()
}

/// The lines before the manifest, changed, under a manifest that their own operator signs anew.
fn signed_again(lines: &[String], keys: &Keys) -> String {
    use sha2::{Digest, Sha256};
    let (mut counts, mut is_unbound) = (BTreeMap::new(), false);
    for line in lines {
        let value: Value = serde_json::from_str(line).unwrap_or_default();
        let kind = match (value.get("line"), value.get(0)) {
            (Some(kind), _) => kind.as_str().unwrap_or("?"),
            (None, Some(_)) if is_unbound => "unbound_rows",
            (None, table) => table.and_then(Value::as_str).unwrap_or("?"),
        };
        is_unbound |= kind == "unbound";
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    let mut file = lines.join("\n") + "\n";
    let sha256 = hex(&<[u8; 32]>::from(Sha256::digest(file.as_bytes())));
    let kid = keys.receipt_kid().to_string();
    let manifest = Manifest { counts, kid, sha256, signature: String::new() };
    file.push_str(&Object::Manifest(manifest.sign(keys.receipt_key())).to_line());
    file + "\n"
}

#[test]
fn a_bundle_is_read_back_line_by_line() {
    let file = World::lived().region.bundle();
    let mut reader = Reader::new(file.as_bytes());
    let (mut entries, mut manifest) = (0, None);
    while let Some(line) = reader.next_line().unwrap() {
        match line {
            Line::Object(Object::Entry(entry)) => {
                assert_eq!(entry.position, Some(entries), "all of it is sealed");
                assert!(entry.signature.is_some());
                entries += 1;
            }
            Line::Object(Object::Manifest(last)) => manifest = Some(last),
            _ => {}
        }
    }
    let manifest = manifest.unwrap();
    assert_eq!(manifest.sha256, reader.sha256());
    assert_eq!(manifest.counts["entry"], entries);
    assert_eq!((manifest.counts["passes"], manifest.counts["orders"]), (60, 3));
}

#[test]
fn a_bundle_holds_without_its_database() {
    let lived = World::lived();
    let trusted = kept(&lived.region);
    let unsealed = World::new();
    for (file, trusted) in [
        (lived.region.bundle(), &trusted),
        (lived.region.bundle(), &Trusted::default()),
        (unsealed.region.bundle(), &Trusted::default()),
    ] {
        let verdict = verdict(&file, trusted);
        assert_eq!(broken(&verdict), []);
        assert!(verdict.checks.len() >= 20 && verdict.unsigned == 0);
        assert!(script_holds(&file, trusted));
    }
}

#[test]
fn what_a_bundle_says_is_owed_is_what_the_database_says() {
    let world = World::lived();
    let mut owed = verdict(&world.region.bundle(), &Trusted::default()).owed;
    owed.retain(|(_, cents)| *cents != 0);
    let told: Vec<String> = owed.iter().map(|(site, cents)| format!("{site} {cents}")).collect();
    let booked = world.superuser().column(
        "SELECT account / 100 || ' ' || sum(cents) FROM (
             SELECT credit AS account, amount AS cents FROM transfers WHERE programme_id = 1 AND credit % 100 = 54
             UNION ALL SELECT debit, -amount FROM transfers WHERE programme_id = 1 AND debit % 100 = 54
         ) t GROUP BY account HAVING sum(cents) <> 0 ORDER BY account",
    );
    assert_eq!(told, booked);
}

#[test]
fn a_bundle_under_another_key_or_checkpoint_is_refused() {
    let world = World::lived();
    let file = world.region.bundle();
    let stranger = kept(&world.neighbour);
    let own = kept(&world.region);
    let by_key = Trusted { keys: stranger.keys.clone(), checkpoint: None };
    let by_checkpoint = Trusted { keys: own.keys.clone(), checkpoint: stranger.checkpoint };
    for (trusted, rule) in
        [(by_key, "checkpoints_are_of_the_tree"), (by_checkpoint, "kept_checkpoint_is_of_the_log")]
    {
        let verdict = verdict(&file, &trusted);
        assert_eq!(broken(&verdict).iter().map(|(rule, _)| *rule).collect::<Vec<_>>(), [rule]);
        assert!(!script_holds(&file, &trusted));
    }
}

/// A random change of the lines before the manifest: nothing when it changes nothing.
fn change(lines: &[String], seeded: &mut Seeded) -> Vec<String> {
    let mut changed = lines.to_vec();
    let unbound = lines.iter().position(|line| line == "{\"line\":\"unbound\"}").unwrap();
    let journal = lines.iter().position(|line| line == "{\"line\":\"states\"}").unwrap();
    let mut below = |n: usize| usize::try_from(seeded.below(n.try_into().unwrap())).unwrap();
    let at = 1 + below(unbound - 1);
    match below(6) {
        0 => drop(changed.remove(at)),
        1 => changed.insert(at, lines[at].clone()),
        2 => changed.swap(1 + below(journal - 1), at),
        // A tail of the journal.
        3 => drop(changed.drain(at.min(journal - 1)..journal)),
        4 => {
            // A digit more, inside some number or word.
            let place = below(lines[at].len());
            if lines[at].is_char_boundary(place) {
                changed[at].insert(place, '7');
            }
        }
        _ => {
            let mut bytes = lines[at].clone().into_bytes();
            let place = below(bytes.len());
            bytes[place] ^= 1 << below(7);
            if let Ok(line) = String::from_utf8(bytes) {
                changed[at] = line;
            }
        }
    }
    changed
}

/// What nothing but the manifest binds: which checkpoints there are besides the last, when each was signed, and the order of the rows that may
/// change.
fn what_counts(lines: &[String]) -> Vec<String> {
    let states = lines.iter().position(|line| line == "{\"line\":\"states\"}").unwrap_or(0);
    let (journal, states) = lines.split_at(states);
    let mut states = states.to_vec();
    states.sort_unstable();
    let is_checkpoint = |line: &&String| line.contains("\"line\":\"checkpoint\"");
    journal.iter().filter(|line| !is_checkpoint(line)).cloned().chain(states).collect()
}

#[test]
fn every_single_change_of_the_file_is_found_even_by_whoever_can_sign_it() {
    let asked = |name: &str, default| std::env::var(name).map_or(default, |n| n.parse().unwrap());
    let (seed, wanted) = (asked("SOUCHE_SEED", 5), asked("SOUCHE_TAMPERINGS", TAMPERINGS));
    let world = World::lived();
    let (file, trusted) = (world.region.bundle(), kept(&world.region));
    let mut lines: Vec<String> = file.lines().map(str::to_owned).collect();
    let manifest = lines.pop().unwrap();
    assert_eq!(broken(&verdict(&signed_again(&lines, &world.region.keys), &trusted)), []);
    let (mut seeded, mut made) = (Seeded::new(seed), 0);
    while made < wanted {
        let changed = change(&lines, &mut seeded);
        if changed == lines {
            continue;
        }
        let by_stranger = format!("{}\n{manifest}\n", changed.join("\n"));
        let by_operator = signed_again(&changed, &world.region.keys);
        let mut files = vec![by_stranger];
        if what_counts(&changed) != what_counts(&lines) {
            files.push(by_operator);
        }
        for file in files {
            let verdict = verdict(&file, &trusted);
            let found = broken(&verdict);
            let differs = changed.iter().zip(&lines).find(|(new, old)| new != old);
            assert!(!found.is_empty(), "seed {seed}, change {made}: nobody saw {differs:?}");
            assert!(found.iter().any(|(_, first)| first.is_some()), "{found:?}");
            if made % SCRIPT_SEES == 0 {
                assert!(!script_holds(&file, &trusted), "seed {seed}: {differs:?}, {found:?}");
            }
        }
        made += 1;
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_not_whole() {
    let file = World::lived().region.bundle();
    for part in 0..40 {
        let at = file.len() * part / 40;
        let Some(cut) = file.get(..at) else { continue };
        let verdict = verdict(cut, &Trusted::default());
        assert!(broken(&verdict).iter().any(|(rule, _)| *rule == "file_is_whole"), "{at}");
    }
    assert!(!script_holds(&file[..file.len() / 2], &Trusted::default()));
    assert!(!script_holds("", &Trusted::default()));
}

#[test]
fn the_command_names_the_leaf_and_fails() {
    let world = World::lived();
    let file = world.region.bundle();
    let run = |path: &Path| {
        Command::new(env!("CARGO_BIN_EXE_souche")).arg("verify").arg(path).output().unwrap()
    };
    let told = run(&Kept::new(&file).0);
    assert!(told.status.success(), "{told:?}");
    let forged = file.replacen("\"redeemed_at\":\"2026-03-10", "\"redeemed_at\":\"2026-03-11", 1);
    assert_ne!(file, forged);
    let told = run(&Kept::new(&forged).0);
    let text = String::from_utf8(told.stdout).unwrap();
    assert_eq!(told.status.code(), Some(1));
    assert!(text.contains("✗") && text.contains("premier : feuille 31, "), "{text}");
}
