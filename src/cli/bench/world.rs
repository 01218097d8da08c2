//! What a benchmark runs on: a durable server of its own, a programme, a site, and passes in people's hands.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use diesel::connection::{Connection, SimpleConnection};
use diesel::pg::PgConnection;

use crate::app::access::{Signed, Tokens, first_admin};
use crate::app::order::{self, NewFunding, NewOrder, PrintJob};
use crate::app::programme::{self, NewProgramme};
use crate::app::site::{self, NewOrganisation, NewSite, Qualification};
use crate::db::{self, Clock, Db, Scope, users};
use crate::domain::{Actor, OrderId, OrganisationId, ProgrammeId, Role, SessionId, SiteId};
use crate::keys::{Keys, hex, random};
use crate::postgres::{DatabaseRole, Durability, Server};

const DATABASE: &str = "bench";
/// Passes of one order.
const PER_ORDER: i32 = 1_000_000;

/// A programme ready to redeem.
pub(super) struct World {
    pub db: Db,
    pub keys: Keys,
    pub server: Server,
    pub programme: ProgrammeId,
    pub jobs: Vec<PrintJob>,
    admin: Actor,
    site: (OrganisationId, SiteId),
    dir: PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        // A benchmark's data is worth nothing once it has said its figures.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

impl World {
    /// A new server with a programme and a qualified site in it.
    pub fn new() -> anyhow::Result<Self> {
        let dir = std::env::temp_dir().join(format!("souche-bench-{}", hex(&random::<4>()?)));
        fs::create_dir_all(&dir)?;
        let server = Server::start(&dir.join("postgres"), Durability::Durable)?;
        server.ensure_database(DATABASE)?;
        db::migrate(&server.url(DatabaseRole::Owner, DATABASE))?;
        let keys = Keys::generate()?;
        // As served: receipts are signed.
        let db = Db::new(&server.url(DatabaseRole::Service, DATABASE), 8, Clock::System)
            .signing_as(keys.receipt_kid());
        let (admin, site) = found(&db)?;
        Ok(Self {
            db,
            keys,
            server,
            programme: admin.programme,
            jobs: Vec::new(),
            admin,
            site,
            dir,
        })
    }

    /// A person of that role.
    pub fn actor(&self, role: Role) -> Actor {
        Actor { role, organisation: None, site: None, ..self.admin }
    }

    /// An access token of the site's mediator.
    pub fn mediator_token(&self) -> anyhow::Result<String> {
        let (organisation, site) = self.site;
        let actor = Actor {
            role: Role::SiteMediator,
            organisation: Some(organisation),
            site: Some(site),
            ..self.admin
        };
        let signed = Signed { actor, session: SessionId::generate(), factor_at: None };
        Ok(Tokens::new(&self.keys, Clock::System)?.issue(&signed)?.0)
    }

    /// An approved order of so many passes, to be minted.
    pub fn approved_order(&self, passes: i32) -> anyhow::Result<OrderId> {
        let new: NewOrder = serde_json::from_value(serde_json::json!({
            "quantity": { "booklets_of_10": passes / 10 },
            "dates": { "last_hand_over_on": "2190-01-01", "last_use_on": "2190-01-01", "last_presentation_on": "2190-01-01" },
        }))?;
        let scope = Scope::Programme(self.programme);
        let placed = self.db.transact_blocking(scope, |tx| {
            order::place(tx, &self.actor(Role::SponsorManager), new)
        })?;
        let other = self.second_person()?;
        self.db.transact_blocking(scope, |tx| order::approve(tx, &other, placed.number))?;
        Ok(placed.number)
    }

    /// Mints, prints and funds so many passes, and puts them in people's hands.
    pub fn fill(&mut self, passes: i32) -> anyhow::Result<()> {
        let mut left = passes;
        while left > 0 {
            let number = self.approved_order(left.min(PER_ORDER))?;
            left = left.saturating_sub(PER_ORDER);
            let scope = Scope::Programme(self.programme);
            self.db
                .transact_blocking(scope, |tx| order::mint(tx, &self.admin, &self.keys, number))?;
            let job = self
                .db
                .transact_blocking(scope, |tx| order::print(tx, &self.admin, &self.keys, number))?;
            self.jobs.push(job);
            let amount =
                self.db.transact_blocking(scope, |tx| db::orders::get(tx, number))?.amount_cents;
            let funding: NewFunding = serde_json::from_value(
                serde_json::json!({ "mandate_reference": "bench", "amount_cents": amount, "received_on": "2026-01-01" }),
            )?;
            self.db.transact_blocking(scope, |tx| {
                order::fund(tx, &self.actor(Role::OperatorAccountant), number, funding)
            })?;
        }
        self.distribute()
    }

    /// Hands every booklet over in a few statements, past the use cases: a fixture, not a measurement.
    fn distribute(&self) -> anyhow::Result<()> {
        let mut conn =
            PgConnection::establish(&self.server.url(DatabaseRole::Superuser, DATABASE))?;
        // Months lie between the funding of an order and its last booklet: autovacuum has long taken away what the
        // funding left behind, and hand-overs fill that room.
        conn.batch_execute("VACUUM passes")?;
        conn.batch_execute(&format!(
            "SET souche.programme = {programme};
             SET synchronous_commit = off;
             INSERT INTO beneficiaries (person_key, identity_sealed, passes_received, first_seen_at, last_seen_at)
                 VALUES (decode(repeat('00', 32), 'hex'), '', 10, now(), now());
             INSERT INTO hand_overs (number, booklet, prescriber, person_key, eligibility, proof, proof_dated_on, insee_code, handed_at, handed_by, entry_id)
                 SELECT b.number, b.number, {organisation}, decode(repeat('00', 32), 'hex'), 'senior', 'identity_document', '2020-01-01', '59249', now(), '{user}',
                        (SELECT id FROM entries ORDER BY recorded_at LIMIT 1) FROM booklets b;
             UPDATE passes SET state = 'distributed', hand_over = booklet;",
            programme = self.programme.get(),
            organisation = self.site.0.get(),
            user = self.admin.user
        ))
        .context("the passes could not be handed over")?;
        // Not inside a transaction, so one by one.
        for tidy in [
            "VACUUM (ANALYZE, FREEZE) passes",
            "VACUUM (ANALYZE) booklets",
            "VACUUM (ANALYZE) hand_overs",
            "CHECKPOINT",
        ] {
            conn.batch_execute(tidy)?;
        }
        Ok(())
    }

    fn second_person(&self) -> anyhow::Result<Actor> {
        let email = format!("{}@bench.example", hex(&random::<4>()?))
            .try_into()
            .map_err(anyhow::Error::msg)?;
        let name = "Bench".to_owned().try_into().map_err(anyhow::Error::msg)?;
        let user =
            self.db.transact_blocking(Scope::Nobody, |tx| users::insert(tx, &email, &name, "-"))?;
        Ok(Actor { user, ..self.actor(Role::SponsorApprover) })
    }

    /// How many redemptions the database holds.
    pub fn stored(&self) -> anyhow::Result<i64> {
        Ok(self.db.transact_blocking(Scope::Programme(self.programme), db::audit::redeemed)?)
    }
}

fn found(db: &Db) -> anyhow::Result<(Actor, (OrganisationId, SiteId))> {
    let admin = db.transact_blocking(Scope::Nobody, |tx| {
        let email = "admin@bench.example".to_owned().try_into().map_err(anyhow::Error::msg)?;
        let name = "Bench".to_owned().try_into().map_err(anyhow::Error::msg)?;
        let password = hex(&random::<16>()?).try_into().map_err(anyhow::Error::msg)?;
        first_admin(tx, &email, &name, &password)
    })?;
    let instance = Actor {
        user: admin,
        role: Role::OperatorAdmin,
        programme: ProgrammeId::INSTANCE,
        organisation: None,
        site: None,
    };
    let new: NewProgramme = serde_json::from_value(serde_json::json!({
        "code": "BENCH", "name": "Bench", "sponsor_name": "Bench", "issuer_name": "Bench", "issuer_address": "Bench", "legal_road": "convention_mandat",
        "face_value_cents": 1000, "max_passes_per_person": 10, "territory": { "departments": ["59"] }, "debtor_name": "BENCH",
        "debtor_iban": "FR7630006000011234567890189",
    }))?;
    let programme = db.transact_blocking(Scope::Programme(ProgrammeId::INSTANCE), |tx| {
        programme::create(tx, &instance, new)
    })?;
    let actor = Actor { programme: programme.id, ..instance };
    let site = db.transact_blocking(Scope::Programme(programme.id), |tx| {
        let new: NewOrganisation =
            serde_json::from_value(serde_json::json!({ "name": "Bench", "is_prescriber": true, "siret": "35600000000048" })).map_err(anyhow::Error::from)?;
        let organisation = site::register_organisation(tx, &actor, new)?.number;
        let new: NewSite = serde_json::from_value(
            serde_json::json!({ "organisation": organisation, "name": "Bench", "address": "Bench", "insee_code": "59249" }),
        )
        .map_err(anyhow::Error::from)?;
        let site = site::register_site(tx, &actor, new)?.number;
        let qualification: Qualification = serde_json::from_value(serde_json::json!({ "from": "2020-01-01" })).map_err(anyhow::Error::from)?;
        site::qualify(tx, &actor, site, qualification)?;
        Ok((organisation, site))
    })?;
    Ok((actor, site))
}
