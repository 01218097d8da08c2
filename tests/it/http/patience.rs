//! Nobody is waited for without end: a client that does not come to its point, a pool that is full.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use souche::db::{Clock, Db, Scope};

use super::region::Region;
use crate::support::World;
use crate::support::api::Api;

#[test]
fn a_client_that_never_ends_its_headers_is_let_go() {
    let region = Region::start();
    let mut stream = TcpStream::connect(region.api.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET /live HTTP/1.1\r\nHost: it.example\r\nX-Slow: ").unwrap();
    let begun = Instant::now();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).unwrap();
    assert!((4..15).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(told.is_empty() || told.starts_with(b"HTTP/1.1 408"), "{told:?}");
    // Others were answered meanwhile, and are.
    assert_eq!(region.api.send("GET", "/live", None, None, "", b"").status, 204);
}

#[test]
fn when_every_connection_is_taken_a_write_is_told_to_come_back_and_nothing_is_written() {
    let World { region, neighbour: _, database } = World::lived();
    let db = Db::new(&database.service_url(), 1, Clock::test(region.now()));
    let api = Api::serving(db.clone(), region.keys.clone(), database);
    let token = api.token(&region.admin);
    let new = json!({ "name": "Plus tard", "is_prescriber": false });
    let told = db.transact_blocking(Scope::Nobody, |_| {
        Ok(api.post_as(&token, "/api/v1/organisations", "patience", &new))
    });
    let told = told.unwrap();
    assert_eq!(told.problem(503), "busy");
    assert_eq!(told.retry_after.as_deref(), Some("2"));
    let kept = "SELECT count(*) FROM organisations WHERE name = 'Plus tard'";
    let mut seen = crate::support::sql::Sql::open(&api.database.superuser_url());
    assert_eq!(seen.value(kept), "0");
    api.post_as(&token, "/api/v1/organisations", "patience", &new).ok();
    assert_eq!(seen.value(kept), "1");
}
