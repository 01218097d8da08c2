//! The commands that people run, from end to end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use souche::keys::{Keys, hex, random};

use crate::support::World;
use crate::support::moving::{AgeKey, Elsewhere};
use crate::support::processes::souche;

/// A directory of an instance, with its key file.
struct Place {
    dir: PathBuf,
    url: String,
}

impl Place {
    fn new(keys: &Keys, url: String) -> Self {
        let name = format!("souche-it-place-{}", hex(&random::<8>().unwrap()));
        let dir = std::env::temp_dir().join(name);
        fs::create_dir(&dir).unwrap();
        keys.save(&dir.join("keys.json")).unwrap();
        Self { dir, url }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = souche();
        command.args(words).arg("--data").arg(&self.dir).env("DATABASE_URL", &self.url);
        command.env("SOUCHE_ACCEPT_DATA_LOSS", "true");
        command
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_programme_moves_by_two_commands() {
    let world = World::lived();
    let elsewhere = Elsewhere::with(&Keys::generate().unwrap(), &world.region);
    let key = AgeKey::new();
    let old = Place::new(&world.region.keys, world.database.service_url());
    let new = Place::new(&elsewhere.keys, elsewhere.database.service_url());
    let file = old.file("sat.souche");
    let to = key.text();
    let export =
        ["export", "bundle", "--programme", "SAT", "--out", text(&file), "--identities-to", &to];
    let output = old.command(&export).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    let act = world.superuser().value(
        "SELECT about ->> 'with_identities' FROM audit_log WHERE programme_id = 1 AND operation = 'export_bundle'",
    );
    assert_eq!(act, "true");

    let import = ["import", "bundle", text(&file), "--admin", "instance@exemple.fr"];
    let mut command = new.command(&import);
    let output = command.arg("--identities-from").arg(&key.file).output().unwrap();
    let said = told(&output);
    assert!(output.status.success(), "{said}");
    let entries = world.superuser().value("SELECT count(*) FROM entries WHERE programme_id = 1");
    let imported = format!("SAT est importé, sous le numéro 2 : {entries} écritures");
    assert!(said.contains(&imported), "{said}");
    assert!(said.contains("2 identités"), "{said}");
    let output = new.command(&["verify", "--programme", "SAT"]).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    // Twice, or for somebody who has no account.
    let output = new.command(&import).output().unwrap();
    assert!(!output.status.success() && told(&output).contains("SAT existe déjà"), "{output:?}");
}

#[test]
fn a_file_that_does_not_hold_is_not_imported() {
    let world = World::lived();
    let elsewhere = Elsewhere::with(&Keys::generate().unwrap(), &world.region);
    let new = Place::new(&elsewhere.keys, elsewhere.database.service_url());
    let forged = world.region.bundle().replacen("\"last\":60", "\"last\":61", 1);
    fs::write(new.file("forged"), forged).unwrap();
    let file = new.file("forged");
    let import = ["import", "bundle", text(&file), "--admin", "instance@exemple.fr"];
    let output = new.command(&import).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("rien n'est importé"), "{}", told(&output));
    fs::write(&file, world.region.bundle()).unwrap();
    let import = ["import", "bundle", text(&file), "--admin", "personne@exemple.fr"];
    let output = new.command(&import).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let programmes = "SELECT count(*) FROM programmes";
    assert_eq!(elsewhere.superuser().value(programmes), "1");
}

#[test]
fn a_timer_writes_the_copies_of_the_day() {
    let world = World::lived();
    let key = AgeKey::new();
    let place = Place::new(&world.region.keys, world.database.service_url());
    let dir = place.file("escrow");
    fs::create_dir(&dir).unwrap();
    let to = key.text();
    let words = ["escrow", "--escrow-dir", text(&dir), "--escrow-to", &to];
    for written in ["2 copies", "0 copies"] {
        let output = place.command(&words).output().unwrap();
        let said = told(&output);
        assert!(output.status.success() && said.contains(written), "{said}");
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
    let output = place.command(&["escrow", "--escrow-dir", text(&dir)]).output().unwrap();
    assert!(!output.status.success(), "a copy that nobody can open");
}
