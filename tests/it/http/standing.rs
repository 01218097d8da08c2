//! A role that is taken away is gone at once: also for what was past the door already.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::region::Region;
use crate::support::sql::Sql;

/// Waits until a statement of the service waits for a row that somebody holds.
fn until_somebody_waits(sql: &mut Sql) {
    let waits = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                 WHERE NOT l.granted AND a.datname = current_database() AND a.application_name = 'souche'";
    let begun = Instant::now();
    while sql.value(waits) == "0" {
        assert!(begun.elapsed() < Duration::from_secs(10), "nobody waits for the row that dies");
        thread::yield_now();
    }
}

/// Sends a write whose right is taken away between the door and its transaction, by `statements` of another process.
fn overtaken(region: &Region, token: &str, path: &str, body: &Value, statements: &str) {
    let api = &region.api;
    let mut elsewhere = Sql::open(&api.database.superuser_url());
    let mut seen = Sql::open(&api.database.superuser_url());
    elsewhere.begin(statements);
    let told = thread::scope(|scope| {
        // The door lets it in: nothing is committed yet. Its transaction waits for the row that dies.
        let asked = scope.spawn(|| api.post(token, path, body));
        until_somebody_waits(&mut seen);
        elsewhere.commit();
        asked.join().unwrap()
    });
    assert_eq!(told.problem(401), "not_signed_in", "{path}");
}

#[test]
fn a_role_taken_away_between_the_door_and_the_transaction_writes_nothing() {
    let region = Region::start();
    let (api, manager) = (&region.api, &region.people.manager);
    let mut seen = Sql::open(&api.database.superuser_url());
    let rows = "SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM requests) + (SELECT count(*) FROM audit_log)";
    let before = seen.value(rows);
    let id = api.get(manager, "/api/v1/me").ok()["id"].as_str().unwrap().to_owned();
    let revocation = format!(
        "UPDATE memberships SET ended_at = now(), version = version + 1 WHERE user_id = '{id}';
         UPDATE sessions SET ended_at = '2026-03-02T08:00:00Z' WHERE user_id = '{id}'"
    );
    let order = json!({
        "quantity": { "booklets_of_10": 1 },
        "dates": { "last_hand_over_on": "2026-09-30", "last_use_on": "2026-12-31", "last_presentation_on": "2027-01-31" },
    });
    overtaken(&region, manager, "/api/v1/orders", &order, &revocation);
    assert_eq!(seen.value(rows), before);
}

#[test]
fn a_session_or_a_key_that_ended_meanwhile_writes_nothing_and_reads_nothing() {
    let region = Region::start();
    let (api, people) = (&region.api, &region.people);
    let mut seen = Sql::open(&api.database.superuser_url());
    // A session, whose role stays.
    let id = api.get(&people.admin, "/api/v1/me").ok()["id"].as_str().unwrap().to_owned();
    let ended =
        format!("UPDATE sessions SET ended_at = '2026-03-02T08:00:00Z' WHERE user_id = '{id}'");
    let admin = api.sign_in("admin@it.example", Some("HDF"));
    let new = json!({ "name": "Caisse", "role": "site_manager", "organisation": "2", "days": 30 });
    let made = api.post(&admin, "/api/v1/api-keys", &new).ok();
    let late = json!({ "name": "Trop tard", "is_prescriber": true });
    overtaken(&region, &people.admin, "/api/v1/organisations", &late, &ended);
    assert_eq!(seen.value("SELECT count(*) FROM organisations WHERE name = 'Trop tard'"), "0");
    // A key.
    let (key, secret) = (made["key"]["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
    api.get(secret, "/api/v1/redemptions").ok();
    let revoked = format!(
        "UPDATE api_keys SET revoked_at = now(), revoked_by = created_by WHERE user_id = '{key}'"
    );
    let late = json!({ "reason": "trop tard" });
    overtaken(&region, secret, "/api/v1/redemptions/0000001-1/void", &late, &revoked);
    // This process may hold the key for good for a second; what it reads is asked for again.
    assert_eq!(api.get(secret, "/api/v1/redemptions").problem(401), "not_signed_in");
}

#[test]
fn whoever_takes_a_role_away_waits_for_what_is_under_way() {
    let region = Region::start();
    let api = &region.api;
    let signed = api.gate.tokens.read(&region.people.manager).unwrap();
    let id = signed.actor.user;
    let scope = souche::db::Scope::Programme(signed.actor.programme);
    let mut elsewhere = Sql::open(&api.database.superuser_url());
    let under_way = api.db.transact_blocking(scope, |tx| {
        souche::app::access::Standing::Session(signed.session).hold(tx)?;
        let ends = [
            format!("UPDATE memberships SET ended_at = now() WHERE user_id = '{id}'"),
            format!("UPDATE sessions SET ended_at = now() WHERE user_id = '{id}'"),
        ];
        for end in ends {
            let waits = elsewhere.refused(&format!("SET LOCAL lock_timeout = '50ms'; {end}"));
            assert_eq!(waits, "canceling statement due to lock timeout");
        }
        Ok(())
    });
    under_way.unwrap();
}
