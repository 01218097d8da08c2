//! A region in the API: people of every role, a prescriber, a site; and the steps that lead to a pass in somebody's hands.

use serde_json::{Value, json};
use souche::db::Clock;
use souche::domain::date::parse_instant;

use crate::support::api::Api;

/// One programme and its people.
pub struct Region {
    pub api: Api,
    pub people: People,
    pub prescriber: String,
}

/// A token of each role.
pub struct People {
    pub admin: String,
    pub accountant: String,
    pub manager: String,
    pub approver: String,
    pub public_accountant: String,
    pub prescriber: String,
    pub site_manager: String,
    pub mediator: String,
    pub auditor: String,
}

/// What a region asks for when it sets its programme up.
pub fn programme(code: &str) -> Value {
    json!({
        "code": code, "name": format!("Pass numérique {code}"), "sponsor_name": "Région fictive", "issuer_name": "Émetteur fictif",
        "issuer_address": "1 rue Fictive, 59000 Lille", "legal_road": "convention_mandat", "face_value_cents": 1000,
        "max_passes_per_person": 10, "territory": { "departments": ["02", "59", "60", "62", "80"] },
        "debtor_name": "EMETTEUR FICTIF", "debtor_iban": "FR7630006000011234567890189",
    })
}

impl Region {
    /// Sets everything up through the API, on 2 March 2026.
    pub fn start() -> Self {
        let api = Api::start(Clock::test(parse_instant("2026-03-02T08:00:00Z").unwrap()));
        Self::found(api, "HDF")
    }

    /// Sets another programme up, in an instance that has one.
    pub fn found(api: Api, code: &str) -> Self {
        let instance = api.sign_in("admin@it.example", None);
        api.post(&instance, "/api/v1/programmes", &programme(code)).ok();
        let admin = api.sign_in("admin@it.example", Some(code));
        let id = |answer: Value| answer["id"].as_str().unwrap().to_owned();
        let prescriber = id(api
            .post(
                &admin,
                "/api/v1/organisations",
                &json!({ "name": "Prescripteur fictif", "is_prescriber": true }),
            )
            .ok());
        let bearer = json!({ "name": "Structure fictive", "is_prescriber": false, "siret": "35600000000048" });
        let bearer = id(api.post(&admin, "/api/v1/organisations", &bearer).ok());
        let site = json!({ "organisation": bearer, "name": "Lieu fictif", "address": "1 rue Fictive", "insee_code": "59249" });
        let site = id(api.post(&admin, "/api/v1/sites", &site).ok());
        api.post(
            &admin,
            &format!("/api/v1/sites/{site}/qualification"),
            &json!({ "from": "2026-01-01" }),
        )
        .ok();
        let person = |role: &str, place: Value| {
            let email = format!("{role}.{code}@it.example").to_lowercase();
            api.opens_account(&admin, &email, role, &place);
            api.sign_in(&email, None)
        };
        let nowhere = || json!({});
        let people = People {
            accountant: person("operator_accountant", nowhere()),
            manager: person("sponsor_manager", nowhere()),
            approver: person("sponsor_approver", nowhere()),
            public_accountant: person("public_accountant", nowhere()),
            prescriber: person("prescriber_manager", json!({ "organisation": prescriber })),
            site_manager: person("site_manager", json!({ "organisation": bearer })),
            mediator: person("site_mediator", json!({ "organisation": bearer, "site": site })),
            auditor: person("auditor", nowhere()),
            admin,
        };
        Self { api, people, prescriber }
    }

    /// Sets the clock, and signs everybody in again: tokens last ten minutes.
    pub fn on(&mut self, instant: &str) {
        self.api.clock.set(parse_instant(instant).unwrap());
        let people = &mut self.people;
        for (token, email) in [
            (&mut people.accountant, "operator_accountant.hdf"),
            (&mut people.manager, "sponsor_manager.hdf"),
            (&mut people.approver, "sponsor_approver.hdf"),
            (&mut people.public_accountant, "public_accountant.hdf"),
            (&mut people.prescriber, "prescriber_manager.hdf"),
            (&mut people.site_manager, "site_manager.hdf"),
            (&mut people.mediator, "site_mediator.hdf"),
            (&mut people.auditor, "auditor.hdf"),
        ] {
            *token = self.api.sign_in(&format!("{email}@it.example"), None);
        }
        people.admin = self.api.sign_in("admin@it.example", Some("HDF"));
    }

    /// Booklets of ten, ordered, minted, printed, funded, delivered and received; returns the codes on their paper.
    pub fn booklets_in_stock(&self, booklets: i32) -> Vec<String> {
        let (api, people) = (&self.api, &self.people);
        let order = json!({
            "quantity": { "booklets_of_10": booklets },
            "dates": { "last_hand_over_on": "2026-09-30", "last_use_on": "2026-12-31", "last_presentation_on": "2027-01-31" },
        });
        let order = api.post(&people.manager, "/api/v1/orders", &order).ok();
        let path = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
        api.post(&people.approver, &format!("{path}/approval"), &json!({})).ok();
        api.post(&people.admin, &format!("{path}/mint"), &json!({})).ok();
        let codes =
            codes_of(&api.get(&people.admin, &format!("{path}/print-file?format=csv")).text);
        api.post(
            &people.admin,
            &format!("{path}/print-confirmation"),
            &json!({ "booklets": booklets }),
        )
        .ok();
        // A minute later: what happens at one instant has no order.
        api.clock.set(api.clock.now() + chrono::TimeDelta::minutes(1));
        let funding = json!({ "mandate_reference": "M-2026-1", "amount_cents": booklets * 10 * 1000, "received_on": "2026-03-02" });
        api.post(&people.accountant, &format!("{path}/funding"), &funding).ok();
        let delivery = json!({ "prescriber": self.prescriber, "first_booklet": "1", "last_booklet": booklets.to_string() });
        let sent = api.post(&people.manager, "/api/v1/deliveries", &delivery).ok();
        let path = format!(
            "/api/v1/deliveries/{}/acknowledgement",
            sent["delivery"]["id"].as_str().unwrap()
        );
        api.post(&people.prescriber, &path, &json!({})).ok();
        codes
    }

    /// Hands a booklet over to a person of that name.
    pub fn hand_over(&self, booklet: i32, name: &str) -> Value {
        let new = json!({
            "booklet": booklet.to_string(), "person": { "last_name": name, "first_name": "Personne", "born_on": "1950-01-01" },
            "insee_code": "59249", "eligibility": "senior", "proof": "identity_document", "proof_dated_on": "2020-01-01",
        });
        self.api.post(&self.people.prescriber, "/api/v1/hand-overs", &new).ok()
    }

    /// Every rule holds, and the three differences are nothing.
    pub fn assert_books_balance(&self) {
        let verification = self.api.get(&self.people.auditor, "/api/v1/reports/verification").ok();
        assert_eq!(verification["every_rule_holds"], true, "{verification:#}");
        let three_way = self.api.get(&self.people.auditor, "/api/v1/reports/three-way").ok();
        assert_eq!(three_way["difference_cents"], 0, "{three_way:#}");
    }
}

/// The codes to type, out of the printer's variable data.
fn codes_of(csv: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "code_a_saisir").unwrap();
    reader.records().map(|row| row.unwrap()[column].to_owned()).collect()
}
