//! Custody and conservation over HTTP: for a day or an instant, as JSON, tables and paper.

use serde_json::json;
use souche::domain::ProgrammeId;
use souche::ledger::bundle::{AsOf, Past};
use souche::ledger::sealer;

use super::region::Region;
use crate::support::instant;
use crate::support::signing::Signing;

#[test]
fn a_statement_is_had_for_a_day_as_json_table_and_paper() {
    let region = Region::start();
    region.booklets_in_stock(2);
    let signing = Signing::new();
    let size = sealer::seal_and_sign(&region.api.db, ProgrammeId::new(1), &signing.signer).unwrap();
    let (api, people) = (&region.api, &region.people);
    let path = "/api/v1/reports/conservation?as_of=2026-03-02";
    let statement = api.get(&people.manager, path).ok();
    assert_eq!(statement["as_of"], json!("2026-03-02T22:59:59.999999Z"));
    assert_eq!(
        (&statement["head"]["size"], &statement["every_equality_holds"]),
        (&json!(size), &json!(true))
    );
    let equality = &statement["equalities"][1];
    assert_eq!(
        (&equality["left"]["amount"], &equality["right_sum"], &equality["difference"]),
        (&json!(20_000), &json!(20_000), &json!(0))
    );
    let stock = statement["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["account"] == "prescriber_stock")
        .unwrap();
    assert_eq!(
        (&stock["name"], &stock["balance"], &stock["side"]),
        (&json!("Prescripteur fictif"), &json!(20), &json!("debit"))
    );

    let csv = api.get(&people.auditor, &format!("{path}&format=csv"));
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        csv.text.contains(
            "compte;prescriber_stock;chez les prescripteurs;1;Prescripteur fictif;débit;20;pass"
        ),
        "{}",
        csv.text
    );
    let pdf = api.get(&people.auditor, &format!("{path}&format=pdf"));
    assert_eq!(pdf.header("content-type"), "application/pdf");
    assert!(pdf.bytes.starts_with(b"%PDF-1.7"));

    // The bundle that was taken away tells the same.
    let bundle = api.get(&people.auditor, "/api/v1/exports/bundle");
    let at = instant("2026-03-02T22:59:59.999999Z");
    let past =
        Past::read(bundle.bytes.as_slice(), AsOf { as_of: Some(at), known_at: Some(at) }).unwrap();
    assert_eq!(serde_json::to_value(past.conservation(at)).unwrap(), statement);
    assert_eq!(api.get(&people.mediator, path).problem(403), "not_allowed");
    assert_eq!(
        api.get(&people.auditor, "/api/v1/reports/conservation?as_of=hier").problem(400),
        "invalid"
    );
}

#[test]
fn custody_is_had_by_ranges_and_by_holder() {
    let region = Region::start();
    region.booklets_in_stock(2);
    region.hand_over(1, "Fictive");
    let (api, people) = (&region.api, &region.people);
    let held = api
        .get(&people.auditor, "/api/v1/reports/custody?as_of=2026-03-02&known_at=2026-03-02")
        .ok();
    assert_eq!(held["passes"], 20);
    assert_eq!(
        held["totals"],
        json!([
            { "account": "prescriber_stock", "holder": 1, "name": "Prescripteur fictif", "passes": 10 },
            { "account": "circulation", "holder": null, "name": null, "passes": 10 },
        ])
    );
    let csv = api.get(
        &people.auditor,
        "/api/v1/reports/custody?as_of=2026-03-02&known_at=2026-03-02&format=csv",
    );
    let rows: Vec<&str> = csv.text.lines().collect();
    assert_eq!(rows[1], "plage;circulation;entre les mains des bénéficiaires;;;0000001;0000010;10");
    assert_eq!(rows.len(), 5, "{rows:?}");
    assert_eq!(api.get(&people.mediator, "/api/v1/reports/custody").problem(403), "not_allowed");
    assert_eq!(
        api.get(&people.auditor, "/api/v1/reports/custody?format=pdf").problem(400),
        "invalid"
    );
}
