//! A programme that goes on in another instance: of another database, other people's accounts, perhaps other keys.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use age::secrecy::ExposeSecret;
use souche::app::access::{NewUser, add_user};
use souche::app::evidence::{Ask, import};
use souche::db::{Clock, Db, Scope};
use souche::domain::territory::Territory;
use souche::domain::text::{Email, Password};
use souche::domain::{Actor, ProgrammeId, Role, UserId};
use souche::envelope::{Identities, Recipient};
use souche::error::Result;
use souche::keys::{Keys, hex, random};
use souche::ledger::bundle::{Trusted, Verdict, verify};

use super::database::TestDatabase;
use super::line;
use super::region::{Counter, PASSWORD, Region};
use super::sql::Sql;

/// An instance with a first account, and a programme of its own (`NORD`), number 1: what comes in is number 2.
pub struct Elsewhere {
    pub db: Db,
    pub keys: Keys,
    pub founder: UserId,
    // Below the pool, so that it is dropped after it.
    pub database: TestDatabase,
}

impl Elsewhere {
    /// With those keys, at the same hour as that region.
    pub fn with(keys: &Keys, region: &Region) -> Self {
        let database = TestDatabase::new();
        let db = Db::new(&database.service_url(), 8, Clock::test(region.now()))
            .signing_as(keys.receipt_kid());
        let founder = Region::founder(&db);
        Region::set_up(&db, keys, founder, "NORD", Territory::hauts_de_france());
        Self { db, keys: keys.clone(), founder, database }
    }

    /// Imports a file as the command does, once it has verified it.
    pub fn imports(&self, file: &str, identities: Option<&Identities>) -> Result<ProgrammeId> {
        let verdict = verified(file);
        let admin = Some(Email::try_from("instance@exemple.fr".to_owned()).unwrap());
        let ask = Ask { admin, identities };
        self.db.transact_blocking(Scope::Nobody, |tx| {
            let mut file = Cursor::new(file.as_bytes());
            Ok(import(tx, &self.keys, &mut file, &verdict, &ask)?.0.programme)
        })
    }

    /// That region, at work here, with everybody invited again.
    pub fn takes_over(&self, region: &Region) -> Region {
        let programme = self.imports(&region.bundle(), None).unwrap();
        let mut moved = region.at_work_on(&self.db);
        (moved.programme, moved.keys) = (programme, self.keys.clone());
        moved.admin = Actor { user: self.founder, programme, ..region.admin };
        for person in [
            &mut moved.accountant,
            &mut moved.manager,
            &mut moved.approver,
            &mut moved.paymaster,
            &mut moved.auditor,
            &mut moved.mediator,
            &mut moved.prescriber.manager,
            &mut moved.other_prescriber.manager,
        ] {
            *person = self.invited(person, programme);
        }
        for counter in [&mut moved.fourmies, &mut moved.avesnes, &mut moved.hirson] {
            counter.manager = self.invited(&counter.manager, programme);
        }
        moved.lille = Counter { manager: moved.fourmies.manager, ..moved.lille };
        moved
    }

    /// A person who was invited to the same role, and so has another account.
    fn invited(&self, person: &Actor, programme: ProgrammeId) -> Actor {
        let Actor { role, organisation, site, .. } = *person;
        let email = format!("{}@ailleurs.exemple.fr", person.user);
        let new = NewUser {
            email: Email::try_from(email).unwrap(),
            name: line("Ailleurs"),
            password: Password::try_from(PASSWORD.to_owned()).unwrap(),
            role,
            organisation,
            site,
        };
        let admin = Actor {
            user: self.founder,
            role: Role::OperatorAdmin,
            programme,
            organisation: None,
            site: None,
        };
        let user = self
            .db
            .transact_blocking(Scope::Programme(programme), |tx| add_user(tx, &admin, &new))
            .unwrap();
        Actor { user: user.id, programme, ..*person }
    }

    /// The superuser, who sees everything.
    pub fn superuser(&self) -> Sql {
        Sql::open(&self.database.superuser_url())
    }
}

/// A file that holds by itself.
pub fn verified(file: &str) -> Verdict {
    let verdict = verify(file.as_bytes(), &Trusted::default());
    assert!(verdict.holds(), "{:?}", verdict.checks);
    verdict
}

/// Somebody's age key: the public half, and a file of the private one that goes with the test.
pub struct AgeKey {
    pub public: Recipient,
    pub file: PathBuf,
}

impl AgeKey {
    pub fn new() -> Self {
        let key = age::x25519::Identity::generate();
        let name = format!("souche-it-age-{}", hex(&random::<8>().unwrap()));
        let file = std::env::temp_dir().join(name);
        fs::write(&file, format!("{}\n", key.to_string().expose_secret())).unwrap();
        Self { public: key.to_public().to_string().parse().unwrap(), file }
    }

    /// As `age-keygen` prints the public half.
    pub fn text(&self) -> String {
        let file = fs::read_to_string(&self.file).unwrap();
        let key: age::x25519::Identity = file.trim().parse().unwrap();
        key.to_public().to_string()
    }

    pub fn identities(&self) -> Identities {
        Identities::read(&self.file).unwrap()
    }
}

impl Drop for AgeKey {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}
