//! The service refuses to start where it could not keep its word, and says what is wrong and the way out.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use souche::db::{Clock, ensure_clock};

use crate::support::database::TestDatabase;
use crate::support::instant;
use crate::support::processes::{Home, souche};
use crate::support::sql::Sql;

/// What `souche serve` says before it gives up. The tests' PostgreSQL syncs nothing: that is accepted, unless
/// it is what is tested.
fn refusal(home: &Home, url: &str, owner_url: Option<&str>, accept_data_loss: bool) -> String {
    let mut command = souche();
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("DATABASE_URL", url)
        .env("SOUCHE_KEYS", home.key_file())
        .env("SOUCHE_DATA", home.path().join("data"));
    if accept_data_loss {
        command.env("SOUCHE_ACCEPT_DATA_LOSS", "true");
    }
    if let Some(url) = owner_url {
        command.env("SOUCHE_OWNER_DATABASE_URL", url);
    }
    let ended = command.output().unwrap();
    assert!(!ended.status.success(), "it started");
    assert!(ended.stdout.is_empty());
    String::from_utf8(ended.stderr).unwrap()
}

#[track_caller]
fn assert_says(refusal: &str, words: &[&str]) {
    for word in words {
        assert!(refusal.contains(word), "{word:?} is not in: {refusal}");
    }
}

#[test]
fn without_a_key_file() {
    let (home, database) = (Home::new("no-keys"), TestDatabase::new());
    fs::remove_file(home.key_file()).unwrap();
    let said = refusal(&home, &database.service_url(), None, true);
    assert_says(&said, &["keys.json", "souche keys generate"]);
}

#[test]
fn with_a_key_file_that_others_can_read() {
    let (home, database) = (Home::new("open-keys"), TestDatabase::new());
    fs::set_permissions(home.key_file(), fs::Permissions::from_mode(0o640)).unwrap();
    let said = refusal(&home, &database.service_url(), None, true);
    assert_says(&said, &["keys.json", "chmod 600"]);
}

#[test]
fn with_a_short_a_missing_or_a_made_up_key() {
    let (home, database) = (Home::new("short-keys"), TestDatabase::new());
    let good: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(home.key_file()).unwrap()).unwrap();
    for name in ["pepper", "sealing", "token", "receipt"] {
        for odd in ["", "abcd", &"0".repeat(64), &"z".repeat(64)] {
            let mut file = good.clone();
            file[name] = odd.into();
            fs::write(home.key_file(), file.to_string()).unwrap();
            let said = refusal(&home, &database.service_url(), None, true);
            assert_says(&said, &["keys.json", name, "souche keys generate"]);
        }
    }
    let mut file = good.clone();
    file.as_object_mut().unwrap().remove("pepper");
    fs::write(home.key_file(), file.to_string()).unwrap();
    assert_says(&refusal(&home, &database.service_url(), None, true), &["keys.json", "pepper"]);
}

#[test]
fn as_a_role_that_may_more_than_the_service() {
    let (home, database) = (Home::new("strong-role"), TestDatabase::new());
    for url in [database.superuser_url(), database.owner_url()] {
        let said = refusal(&home, &url, None, true);
        assert_says(&said, &["souche_service", "SOUCHE_OWNER_DATABASE_URL"]);
    }
}

#[test]
fn on_a_database_that_can_lose_what_it_confirmed() {
    let (home, database) = (Home::new("no-sync"), TestDatabase::new());
    let said = refusal(&home, &database.service_url(), None, false);
    assert_says(&said, &["fsync, full_page_writes, synchronous_commit off", "postgresql.conf"]);
}

#[test]
fn on_a_schema_of_another_version() {
    let (home, database) = (Home::new("schema"), TestDatabase::new());
    let mut superuser = Sql::open(&database.superuser_url());
    let last = superuser.value("SELECT max(version) FROM __diesel_schema_migrations");
    superuser.run(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{last}'"));
    let said = refusal(&home, &database.service_url(), None, true);
    assert_says(&said, &[&last, "souche migrate"]);

    superuser.run(&format!(
        "INSERT INTO __diesel_schema_migrations VALUES ('{last}'), ('99999999000001')"
    ));
    for owner in [None, Some(database.owner_url())] {
        let said = refusal(&home, &database.service_url(), owner.as_deref(), true);
        assert_says(&said, &["99999999000001", "later release"]);
    }

    let empty = TestDatabase::unmigrated();
    let said = refusal(&home, &empty.service_url(), None, true);
    assert_says(&said, &["souche migrate"]);
}

#[test]
fn with_a_clock_that_is_absurd() {
    let database = TestDatabase::new();
    let url = database.service_url();
    ensure_clock(&url, Clock::System.now()).unwrap();
    for odd in ["2000-01-01T00:00:00Z", "2025-12-31T23:59:59Z", "2126-01-01T00:00:00Z"] {
        let said = ensure_clock(&url, instant(odd)).unwrap_err().to_string();
        assert_says(&said, &["clock", &odd[..4], "NTP"]);
    }
    let slow = Clock::System.now() - chrono::TimeDelta::minutes(6);
    ensure_clock(&url, slow).unwrap_err();
}
