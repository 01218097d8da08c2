//! From an ordered booklet to a paid site, over HTTP.

use serde_json::json;

use super::region::Region;

#[test]
#[expect(clippy::too_many_lines, reason = "one story, told from end to end")]
fn a_booklet_is_ordered_spent_paid_and_traced() {
    let mut region = Region::start();
    let codes = region.booklets_in_stock(3);
    region.hand_over(1, "Fictive");

    // At the counter.
    region.on("2026-03-10T09:00:00Z");
    let (api, people) = (&region.api, &region.people);
    let ask = json!({ "code": codes[0], "service": "everyday_tools" });
    assert_eq!(
        api.post(&people.mediator, "/api/v1/redemptions:check", &json!({ "code": codes[0] })).ok()
            ["pass"],
        "0000001"
    );
    let redeemed = api.post(&people.mediator, "/api/v1/redemptions", &ask).ok();
    assert_eq!(redeemed["payable"]["amount_cents"], 1000);
    assert_eq!(
        api.post(&people.mediator, "/api/v1/redemptions", &ask).problem(409),
        "already_redeemed"
    );
    assert_eq!(
        api.get(&people.site_manager, "/api/v1/redemptions/totals").ok()[0]["waiting_passes"],
        1
    );

    // Where to pay.
    let account =
        json!({ "holder_name": "Structure fictive", "iban": "FR76 3000 6000 0112 3456 7890 189" });
    let account = api.post(&people.site_manager, "/api/v1/bank-accounts", &account).ok();
    let path = format!("/api/v1/bank-accounts/{}/approval", account["id"].as_str().unwrap());
    api.post(&people.accountant, &path, &json!({})).ok();

    // The settlement.
    region.on("2026-04-01T09:00:00Z");
    let (api, people) = (&region.api, &region.people);
    let run = api.get(&people.accountant, "/api/v1/settlements:dry-run?cut_off_on=2026-03-31").ok();
    assert_eq!(run["payable"]["amount_cents"], 1000);
    let new = json!({ "cut_off_on": "2026-03-31", "execution_on": "2026-04-03" });
    let settlement = api.post(&people.accountant, "/api/v1/settlements", &new).ok();
    let path = format!("/api/v1/settlements/{}", settlement["settlement"]["id"].as_str().unwrap());
    assert_eq!(
        api.get(&people.auditor, &format!("{path}/payment-file")).problem(409),
        "wrong_state"
    );
    assert_eq!(
        api.post(&people.accountant, &format!("{path}/approval"), &json!({})).problem(403),
        "not_allowed"
    );
    api.post(&people.public_accountant, &format!("{path}/approval"), &json!({})).ok();
    let file = api.get(&people.accountant, &format!("{path}/payment-file"));
    assert!(
        file.text.contains("urn:iso:std:iso:20022:tech:xsd:pain.001.001.09")
            && file.text.contains(">10.00<"),
        "{}",
        file.text
    );
    assert_eq!(file, api.get(&people.accountant, &format!("{path}/payment-file")));

    // Paid, by a document that two people stand for.
    region.on("2026-04-04T09:00:00Z");
    let (api, people) = (&region.api, &region.people);
    let execution = json!({ "executed_on": "2026-04-03", "document_name": "Relevé fictif", "document_sha256": "ab".repeat(32) });
    api.post(&people.accountant, &format!("{path}/execution"), &execution).ok();
    assert_eq!(
        api.get(&people.site_manager, "/api/v1/redemptions/totals").ok()[0]["in_payment_passes"],
        1
    );
    api.post(&people.public_accountant, &format!("{path}/execution/confirmation"), &json!({})).ok();
    assert_eq!(
        api.get(&people.site_manager, "/api/v1/redemptions/totals").ok()[0]["paid_passes"],
        1
    );

    // Its whole life.
    let trace = api.get(&people.auditor, "/api/v1/passes/0000001/trace").ok();
    assert_eq!(trace["paid_on"], "2026-04-03");
    let steps: Vec<_> = trace["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        steps,
        [
            "mint",
            "print_receipt",
            "funding",
            "delivery",
            "delivery_receipt",
            "hand_over",
            "redemption"
        ]
    );
    let payout = api.get(&people.site_manager, "/api/v1/payouts").ok()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let items = api.get(&people.site_manager, &format!("/api/v1/payouts/{payout}/items")).ok();
    assert_eq!(items["items"][0]["redemption"], "0000001-1");

    // What the structure is paid is its manager's business.
    assert_eq!(api.get(&people.mediator, "/api/v1/payouts").problem(403), "not_allowed");

    // Where everything was on the day before the first use.
    let held = api.get(&people.auditor, "/api/v1/reports/custody?as_of=2026-03-09T12:00:00Z").ok();
    assert_eq!(
        held["ranges"][0],
        json!({ "first_pass": "0000001", "last_pass": "0000010", "account": "circulation", "holder": null, "name": null })
    );
    region.assert_books_balance();
}

#[test]
fn lists_are_read_page_by_page() {
    let region = Region::start();
    region.booklets_in_stock(5);
    let mut seen = Vec::new();
    let mut path = "/api/v1/stock?limit=2".to_owned();
    loop {
        let page = region.api.get(&region.people.prescriber, &path).ok();
        assert_eq!(page["booklets"], 5);
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/stock?limit=2&after={next}");
    }
    assert_eq!(seen, ["00001", "00002", "00003", "00004", "00005"]);
}
