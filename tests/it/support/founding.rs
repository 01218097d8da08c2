//! How a programme of the tests comes to be: its people, organisations, sites and bank accounts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::json;
use souche::app::Outcome;
use souche::app::access::{NewInvitation, hash_password, invite};
use souche::app::api_key::{self, NewApiKey};
use souche::app::audit::{self, Asked};
use souche::app::programme::{NewProgramme, create};
use souche::app::site::{
    NewOrganisation, NewSite, Qualification, qualify, register_organisation, register_site,
};
use souche::db::{Db, Scope, memberships, users};
use souche::domain::access::Operation;
use souche::domain::api_key::ApiKeySecret;
use souche::domain::fictitious::fictitious_sites;
use souche::domain::programme::{LegalRoad, PassesPerService};
use souche::domain::siret::Siret;
use souche::domain::territory::Territory;
use souche::domain::text::{Email, Password};
use souche::domain::{
    Actor, Amount, InvitationId, OrganisationId, ProgrammeId, Role, SiteId, UserId,
};
use souche::error::Result;
use souche::keys::Keys;

use super::region::{Counter, PASSWORD, Prescriber, Region, iban};
use super::{day, line};

impl Region {
    /// The first account of a new instance, which founds its programmes.
    pub fn founder(db: &Db) -> UserId {
        opens_first_account(db, "instance@exemple.fr")
    }

    /// A programme whose booklets of ten are all in people's hands, good for months from today on.
    pub fn with_booklets_handed_over(db: &Db, keys: &Keys, booklets: i32) -> Self {
        let founder = Self::founder(db);
        let mut region = Self::set_up(db, keys, founder, "HDF", Territory::hauts_de_france());
        let first = region.stocks(booklets, &String::from(region.today().plus_days(200)));
        for n in 0..booklets {
            region.hands_over(first + n, &format!("Ana {n}")).unwrap();
        }
        region
    }

    /// A programme of 10 euro passes, ten of them for a person, with people of every role.
    pub fn set_up(db: &Db, keys: &Keys, founder: UserId, code: &str, territory: Territory) -> Self {
        let founder = Actor {
            user: founder,
            role: Role::OperatorAdmin,
            programme: ProgrammeId::INSTANCE,
            organisation: None,
            site: None,
        };
        let new = new_programme(code, territory);
        let programme = db
            .transact_blocking(Scope::Programme(ProgrammeId::INSTANCE), |tx| {
                create(tx, &founder, new)
            })
            .unwrap()
            .id;
        let office = Office { db, code, admin: Actor { programme, ..founder } };

        let prescriber = office.prescriber("prescriber", "Mission locale", 0);
        let other_prescriber = office.prescriber("prescriber2", "Maison de l'emploi", 1);
        let fourmies = office.counter("fourmies", "59249", 2);
        let lille =
            Counter { site: office.site(fourmies.organisation, "lille", "59350"), ..fourmies };
        let region = Self {
            db: db.clone(),
            keys: keys.clone(),
            programme,
            codes: BTreeMap::new(),
            admin: office.person("admin", Role::OperatorAdmin, None, None),
            accountant: office.person("accountant", Role::OperatorAccountant, None, None),
            manager: office.person("manager", Role::SponsorManager, None, None),
            approver: office.person("approver", Role::SponsorApprover, None, None),
            paymaster: office.person("paymaster", Role::PublicAccountant, None, None),
            auditor: office.person("auditor", Role::Auditor, None, None),
            prescriber,
            other_prescriber,
            fourmies,
            lille,
            avesnes: office.counter("avesnes", "59036", 3),
            hirson: office.counter("hirson", "02381", 4),
            mediator: office.person(
                "mediator",
                Role::SiteMediator,
                Some(fourmies.organisation),
                Some(fourmies.site),
            ),
        };
        for (of, n) in [(&region.fourmies, 0), (&region.avesnes, 1)] {
            let declared = region.declares_bank_account(of, &iban(n)).unwrap();
            region.approves_bank_account(declared.number).unwrap();
        }
        region
    }

    /// The administrator invites somebody.
    pub fn invites(&self, email: &str, role: Role) -> Result<InvitationId> {
        let new = NewInvitation {
            email: Email::try_from(email.to_owned()).unwrap(),
            role,
            organisation: None,
            site: None,
        };
        self.does(|tx| Ok(invite(tx, &self.admin, &self.keys, &new)?.id))
    }

    /// Makes an API key that redeems at Fourmies, and leaves the trace that the service would.
    pub fn makes_api_key(&self) -> ApiKeySecret {
        let secret = api_key::new_secret(self.programme).unwrap();
        let new = NewApiKey {
            name: line("Caisse"),
            role: Role::SiteMediator,
            organisation: Some(self.fourmies.organisation),
            site: Some(self.fourmies.site),
            days: 365,
        };
        let asked = Asked {
            operation: Operation::of("create_api_key").unwrap(),
            about: json!({}),
            id: "scene".to_owned(),
            network: None,
            by_api_key: false,
        };
        self.does(|tx| {
            api_key::create(tx, &self.admin, &new, &secret)?;
            audit::record(tx, &asked, Some(&self.admin), &Outcome::Done(json!({})))
        })
        .unwrap();
        secret
    }
}

fn new_programme(code: &str, territory: Territory) -> NewProgramme {
    NewProgramme {
        code: code.to_owned().try_into().unwrap(),
        name: line(&format!("Pass numérique {code}")),
        sponsor_name: line("Région Hauts-de-France"),
        issuer_name: line("Opérateur fictif"),
        issuer_address: line("1 rue Fictive, 59000 Lille"),
        legal_road: LegalRoad::ConventionMandat,
        face_value_cents: Amount::try_from(1_000).unwrap(),
        max_passes_per_person: 10,
        passes_per_service: PassesPerService::default(),
        territory,
        debtor_name: line("Operateur fictif"),
        debtor_iban: iban(3).parse().unwrap(),
    }
}

/// What [`PASSWORD`] is kept as. Made once for all accounts of a run: a hash takes a core for fifty milliseconds, on
/// purpose, and a programme has a dozen people. How each account gets one of its own is tested where people are
/// invited, and in the demonstration.
static HASH: LazyLock<String> =
    LazyLock::new(|| hash_password(&Password::try_from(PASSWORD.to_owned()).unwrap()).unwrap());

/// Opens an account with that role, or adds the role to the one that the address has.
pub fn opens_account(db: &Db, email: &str, name: &str, member: Actor) -> Actor {
    let email = Email::try_from(email.to_owned()).unwrap();
    let opened = db.transact_blocking(Scope::Programme(member.programme), |tx| {
        let user = match users::by_email(tx, &email)? {
            Some(known) => known.id,
            None => users::insert(tx, &email, &line(name), &HASH)?,
        };
        memberships::insert(tx, &Actor { user, ..member })?;
        Ok(Actor { user, ..member })
    });
    opened.unwrap()
}

/// Opens the first account of a new instance.
pub fn opens_first_account(db: &Db, email: &str) -> UserId {
    let user = UserId::generate();
    let (role, programme) = (Role::OperatorAdmin, ProgrammeId::INSTANCE);
    let first = Actor { user, role, programme, organisation: None, site: None };
    opens_account(db, email, "Instance", first).user
}

/// The operator's administrator, at work on a new programme.
struct Office<'a> {
    db: &'a Db,
    code: &'a str,
    admin: Actor,
}

impl Office<'_> {
    fn person(
        &self,
        name: &str,
        role: Role,
        organisation: Option<OrganisationId>,
        site: Option<SiteId>,
    ) -> Actor {
        let programme = self.admin.programme;
        let email = format!("{name}.{}@exemple.fr", self.code.to_lowercase());
        let member = Actor { role, programme, organisation, site, ..self.admin };
        opens_account(self.db, &email, name, member)
    }

    fn organisation(&self, name: &str, is_prescriber: bool, serial: usize) -> OrganisationId {
        let new = NewOrganisation {
            name: line(name),
            siret: Some(siret(serial)),
            is_prescriber,
            department: None,
        };
        let scope = Scope::Programme(self.admin.programme);
        self.db
            .transact_blocking(scope, |tx| register_organisation(tx, &self.admin, new))
            .unwrap()
            .number
    }

    fn prescriber(&self, name: &str, full_name: &str, serial: usize) -> Prescriber {
        let organisation = self.organisation(full_name, true, serial);
        Prescriber {
            organisation,
            manager: self.person(name, Role::PrescriberManager, Some(organisation), None),
        }
    }

    /// A site of that organisation, qualified from the first of January on.
    fn site(&self, organisation: OrganisationId, name: &str, insee_code: &str) -> SiteId {
        let insee_code = insee_code.parse().unwrap();
        let new = NewSite {
            organisation,
            name: line(name),
            address: line("1 place Verte"),
            insee_code,
            services: Vec::new(),
        };
        let qualification = Qualification { from: day("2026-01-01"), until: None };
        let qualified = self.db.transact_blocking(Scope::Programme(self.admin.programme), |tx| {
            let site = register_site(tx, &self.admin, new)?;
            qualify(tx, &self.admin, site.number, qualification)
        });
        qualified.unwrap().number
    }

    fn counter(&self, name: &str, insee_code: &str, serial: usize) -> Counter {
        let organisation = self.organisation(&format!("Centre social de {name}"), false, serial);
        let site = self.site(organisation, name, insee_code);
        Counter {
            site,
            organisation,
            manager: self.person(name, Role::SiteManager, Some(organisation), None),
        }
    }
}

/// A made-up SIRET with its keys right.
fn siret(serial: usize) -> Siret {
    fictitious_sites(8, 1)[serial].pivot.as_ref().unwrap().siret().unwrap().clone()
}
