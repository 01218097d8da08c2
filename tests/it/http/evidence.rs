//! Evidence leaves by HTTP: for those who may, as files that hold elsewhere.

use souche::domain::ProgrammeId;
use souche::ledger::bundle::{Trusted, verify};
use souche::ledger::sealer;

use super::region::Region;
use crate::support::signing::Signing;

#[test]
fn an_auditor_carries_the_bundle_away_and_nobody_else_but_the_operator() {
    let region = Region::start();
    region.booklets_in_stock(2);
    let signing = Signing::new();
    sealer::seal_and_sign(&region.api.db, ProgrammeId::new(1), &signing.signer).unwrap();
    for token in [&region.people.auditor, &region.people.admin] {
        let answer = region.api.get(token, "/api/v1/exports/bundle");
        assert_eq!(answer.status, 200, "{}", answer.text);
        let verdict = verify(answer.bytes.as_slice(), &Trusted::default());
        assert!(verdict.holds(), "{:#?}", verdict.checks);
        assert!(verdict.signed > 0);
    }
    for token in [&region.people.accountant, &region.people.site_manager, &region.people.mediator] {
        let answer = region.api.get(token, "/api/v1/exports/bundle");
        assert_eq!(answer.problem(403), "not_allowed");
    }
    let trace = region.api.get(&region.people.auditor, "/api/v1/audit-log").ok();
    let exports = trace["items"].as_array().unwrap().iter();
    let exports = exports.filter(|row| row.to_string().contains("export_bundle"));
    assert_eq!(exports.count(), 2, "{trace}");
}

#[test]
fn a_site_fetches_its_own_claim_file() {
    let region = Region::start();
    let answer = region.api.get(&region.people.site_manager, "/api/v1/sites/1/claim-file");
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        answer.text.starts_with("{\"programme\":\"HDF\",\"receipt_keys\":{"),
        "{}",
        answer.text
    );
    let answer = region.api.get(&region.people.site_manager, "/api/v1/sites/99/claim-file");
    assert_eq!(answer.problem(404), "not_found");
    let answer = region.api.get(&region.people.prescriber, "/api/v1/sites/1/claim-file");
    assert_eq!(answer.problem(403), "not_allowed");
}
