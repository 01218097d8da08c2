//! A programme and its people. Its methods are what they do, named like sentences; each is one use case,
//! or a few that always go together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use souche::app::redemption::{Ask, Checked, NewRedemption, NewVoid, redeem_all};
use souche::app::settlement::{Details, NewExecution, NewSettlement};
use souche::app::workshop::{self, NewWorkshop};
use souche::app::{bank_account, delivery, hand_over, order, redemption, report, settlement};
use souche::db::bank_accounts::BankAccount;
use souche::db::{Clock, Db, Scope, Tx};
use souche::domain::code::PassCode;
use souche::domain::eligibility::{Eligibility, Proof};
use souche::domain::order::{Dates, Quantity};
use souche::domain::person::Person;
use souche::domain::service::Service;
use souche::domain::{
    Actor, BankAccountId, BookletId, BusinessDate, OrderId, OrganisationId, PassNumber,
    ProgrammeId, RedemptionId, Refusal, SettlementId, SiteId, Timestamp, WorkshopId,
};
use souche::error::Result;
use souche::keys::Keys;
use souche::ledger::verify::Check;
use souche::ledger::{Receipt, sealer};
use souche::signer::Signer;

use super::{Redeemed, day, instant, line, told};

/// Everybody's password.
pub const PASSWORD: &str = "un mot de passe assez long";

/// A programme at work, and who is who in it. A person's address is its name here, a dot and the
/// programme's code: `manager.sat@exemple.fr`, `fourmies.sat@exemple.fr`, `mediator.sat@exemple.fr`.
#[derive(Clone)]
pub struct Region {
    pub db: Db,
    pub keys: Keys,
    pub programme: ProgrammeId,
    /// Codes of the passes that were printed, as a scanner reads them.
    pub codes: BTreeMap<i32, String>,
    pub admin: Actor,
    pub accountant: Actor,
    /// Of the sponsor.
    pub manager: Actor,
    pub approver: Actor,
    /// The public accountant.
    pub paymaster: Actor,
    pub auditor: Actor,
    pub prescriber: Prescriber,
    pub other_prescriber: Prescriber,
    /// Qualified, and paid at [`iban`] 0.
    pub fourmies: Counter,
    /// Qualified, and paid at [`iban`] 1.
    pub avesnes: Counter,
    /// Qualified, without a bank account.
    pub hirson: Counter,
    /// Of the same organisation as Fourmies; outside the territory of the programme under test.
    pub lille: Counter,
    /// Redeems at Fourmies, and there only.
    pub mediator: Actor,
}

/// A prescriber and its people.
#[derive(Clone, Copy)]
pub struct Prescriber {
    pub organisation: OrganisationId,
    pub manager: Actor,
}

/// A site, and who answers for it.
#[derive(Clone, Copy)]
pub struct Counter {
    pub site: SiteId,
    pub organisation: OrganisationId,
    pub manager: Actor,
}

/// One of a few real-looking accounts in the SEPA area.
pub fn iban(n: usize) -> String {
    let ibans = [
        "FR7630006000011234567890189",
        "FR1420041010050500013M02606",
        "DE89370400440532013000",
        "BE68539007547034",
    ];
    ibans[n].to_owned()
}

impl Region {
    /// The same people, on another copy of their database.
    pub fn at_work_on(&self, db: &Db) -> Self {
        Self { db: db.clone(), ..self.clone() }
    }

    /// Does something in one transaction of this programme.
    pub fn does<T>(&self, work: impl FnOnce(&mut Tx<'_>) -> Result<T>) -> Result<T> {
        self.db.transact_blocking(Scope::Programme(self.programme), work)
    }

    pub fn now(&self) -> Timestamp {
        self.db.clock().now()
    }

    pub fn today(&self) -> BusinessDate {
        BusinessDate::of(self.now())
    }

    /// Sets everybody's clock.
    pub fn clock_shows(&self, text: &str) {
        self.clock_is(instant(text));
    }

    pub fn clock_is(&self, at: Timestamp) {
        match self.db.clock() {
            clock @ Clock::Test(_) => clock.set(at),
            Clock::System => panic!("the machine's clock is not for tests"),
        }
    }

    // From an order to passes in people's hands

    /// Places an order whose passes are good until a day.
    pub fn places(&self, quantity: Quantity, last_use_on: &str) -> Result<OrderId> {
        let last_use_on = day(last_use_on);
        let last_presentation_on = last_use_on.plus_days(31);
        let dates = Dates { last_hand_over_on: last_use_on, last_use_on, last_presentation_on };
        let order =
            self.does(|tx| order::place(tx, &self.manager, order::NewOrder { quantity, dates }))?;
        Ok(order.number)
    }

    /// Places an order, and another person approves it.
    pub fn orders(&self, quantity: Quantity, last_use_on: &str) -> OrderId {
        let number = self.places(quantity, last_use_on).unwrap();
        self.does(|tx| order::approve(tx, &self.approver, number)).unwrap();
        number
    }

    /// Has an approved order minted and printed: its codes are known from here on, to this test alone.
    pub fn prints(&mut self, order: OrderId) {
        self.does(|tx| order::mint(tx, &self.admin, &self.keys, order)).unwrap();
        let job = self.does(|tx| order::print(tx, &self.admin, &self.keys, order)).unwrap();
        let printed: Vec<_> = job.booklets("souche.example/p").collect();
        let booklets = i32::try_from(printed.len()).unwrap();
        for pass in printed.into_iter().flat_map(|booklet| booklet.passes) {
            self.codes.insert(i32::try_from(pass.number).unwrap(), pass.qr);
        }
        self.does(|tx| {
            order::confirm_print(tx, &self.admin, order, order::PrintCount { booklets })
        })
        .unwrap();
    }

    /// Funds an order, whole.
    pub fn funds(&self, number: OrderId) -> Result<Receipt> {
        let received_on = self.today();
        self.does(|tx| {
            let (placed, _) = order::get(tx, &self.accountant, number)?;
            let mandate_reference = line(&format!("MANDAT-{number}"));
            let new = order::NewFunding {
                mandate_reference,
                amount_cents: placed.amount_cents,
                received_on,
            };
            order::fund(tx, &self.accountant, number, new)
        })
    }

    /// Sends a range of booklets to the prescriber, who finds them all.
    pub fn delivers(&self, first: i32, last: i32) -> Result<Receipt> {
        let (first_booklet, last_booklet) = (BookletId::new(first), BookletId::new(last));
        let new = delivery::NewDelivery {
            prescriber: self.prescriber.organisation,
            first_booklet,
            last_booklet,
        };
        let (sent, _) = self.does(|tx| delivery::send(tx, &self.manager, new))?;
        let counted = delivery::Counted { missing_booklets: [].into() };
        self.does(|tx| delivery::acknowledge(tx, &self.prescriber.manager, sent.number, &counted))
    }

    /// Hands a booklet over to a person of over sixty.
    pub fn hands_over(&self, booklet: i32, first_name: &str) -> Result<Receipt> {
        let person = Person {
            last_name: line("Dupont"),
            first_name: line(first_name),
            born_on: day("1950-05-01"),
        };
        let new = hand_over::NewHandOver {
            booklet: BookletId::new(booklet),
            person,
            insee_code: "59249".parse().unwrap(),
            eligibility: Eligibility::Senior,
            proof: Proof::IdentityDocument,
            proof_dated_on: day("2020-01-01"),
        };
        self.does(|tx| hand_over::hand_over(tx, &self.prescriber.manager, &self.keys, &new))
    }

    /// Orders booklets of ten good until a day, and brings every one to the prescriber's stock; returns the first.
    pub fn stocks(&mut self, booklets: i32, last_use_on: &str) -> i32 {
        let order =
            self.orders(Quantity { booklets_of_10: booklets, booklets_of_5: 0 }, last_use_on);
        self.prints(order);
        self.funds(order).unwrap();
        let first =
            self.does(|tx| souche::db::booklets::first_of_order(tx, order)).unwrap().number.get();
        self.delivers(first, first + booklets - 1).unwrap();
        first
    }

    // At the counter

    /// The code printed on a pass.
    pub fn code(&self, pass: i32) -> PassCode {
        PassCode::try_from(self.codes[&pass].clone()).unwrap()
    }

    /// The number of a pass, with another's secret.
    pub fn wrong_code(&self, pass: i32) -> PassCode {
        let other = self.codes.keys().find(|other| **other != pass).unwrap();
        PassCode { number: PassNumber::new(pass), ..self.code(*other) }
    }

    /// A redemption asked for under a key; its body is all that is asked.
    #[expect(clippy::unused_self, reason = "whose people ask")]
    pub fn ask(&self, at: &Counter, code: PassCode, key: &str) -> Ask {
        let (service, site) = (Service::EverydayTools, Some(at.site));
        let what = NewRedemption { code, service, site, workshop: None };
        Self::asked(at.manager, what, key)
    }

    /// What a person asks under a key.
    pub fn asked(actor: Actor, what: NewRedemption, key: &str) -> Ask {
        Ask { actor, request: what.request(key).unwrap(), what }
    }

    /// Declares a workshop of a site.
    pub fn declares_workshop(
        &self,
        at: &Counter,
        held_on: BusinessDate,
        people: i32,
    ) -> Result<WorkshopId> {
        let new = NewWorkshop { site: Some(at.site), held_on, place: line("Salle verte"), people };
        Ok(self.does(|tx| workshop::declare(tx, &at.manager, new))?.number)
    }

    /// Redeems a pass at a workshop, under a new key.
    pub fn redeems_at(
        &self,
        at: &Counter,
        pass: i32,
        workshop: WorkshopId,
    ) -> Result<Redeemed, Refusal> {
        let mut what = self.ask(at, self.code(pass), "-").what;
        what.workshop = Some(workshop);
        self.redeems_all(&[Self::asked(at.manager, what, &fresh_key())]).unwrap().remove(0)
    }

    /// Asks, alone in its batch.
    pub fn redeems_under(&self, at: &Counter, pass: i32, key: &str) -> Result<Redeemed, Refusal> {
        self.redeems_all(&[self.ask(at, self.code(pass), key)]).unwrap().remove(0)
    }

    /// Asks for all in one batch.
    pub fn redeems_all(&self, asks: &[Ask]) -> Result<Vec<Result<Redeemed, Refusal>>> {
        let outcomes = self.does(|tx| redeem_all(tx, &self.keys, asks))?;
        Ok(outcomes.into_iter().map(told).collect())
    }

    /// Redeems a pass, under a new key.
    pub fn redeems(&self, at: &Counter, pass: i32) -> Result<Redeemed, Refusal> {
        self.redeems_under(at, pass, &fresh_key())
    }

    /// Tries to redeem a pass with a secret that is not its own.
    pub fn tries_a_wrong_code(&self, at: &Counter, pass: i32) -> Result<Redeemed, Refusal> {
        self.redeems_all(&[self.ask(at, self.wrong_code(pass), &fresh_key())]).unwrap().remove(0)
    }

    /// Tests a code, and spends nothing.
    pub fn checks(&self, at: &Counter, code: PassCode) -> Result<Checked, Refusal> {
        let service = Some(Service::EverydayTools);
        self.does(|tx| {
            redemption::check(tx, &at.manager, &self.keys, &code, Some(at.site), service)
        })
        .unwrap()
    }

    /// Undoes a redemption.
    pub fn voids(&self, at: &Counter, of: RedemptionId) -> Result<Receipt> {
        self.does(|tx| {
            redemption::void(tx, &at.manager, of, &NewVoid { reason: line("erreur de saisie") })
        })
    }

    // Money out

    /// Declares a bank account of a site's organisation.
    pub fn declares_bank_account(&self, of: &Counter, iban: &str) -> Result<BankAccount> {
        let new = bank_account::NewBankAccount {
            holder_name: line("Centre social"),
            iban: iban.parse().unwrap(),
        };
        self.does(|tx| bank_account::declare(tx, &of.manager, &new))
    }

    /// Approves it.
    pub fn approves_bank_account(&self, number: BankAccountId) -> Result<BankAccount> {
        self.does(|tx| bank_account::approve(tx, &self.accountant, number))
    }

    /// Prepares a settlement, to be executed tomorrow.
    pub fn prepares(&self, cut_off_on: BusinessDate) -> Result<Details> {
        let execution_on = self.today().plus_days(1);
        self.does(|tx| {
            settlement::prepare(tx, &self.accountant, NewSettlement { cut_off_on, execution_on })
        })
    }

    /// Approves it.
    pub fn approves(&self, settlement: SettlementId) -> Result<Details> {
        self.does(|tx| settlement::approve(tx, &self.paymaster, settlement))
    }

    /// Declares that the bank executed it today.
    pub fn declares_execution(&self, settlement: SettlementId) -> Result<Details> {
        let new = NewExecution {
            executed_on: self.today(),
            document_name: line("relevé de compte"),
            document_sha256: "ab".repeat(32),
        };
        self.does(|tx| settlement::declare_execution(tx, &self.accountant, settlement, &new))
    }

    /// Confirms that declaration.
    pub fn confirms_execution(&self, settlement: SettlementId) -> Result<Details> {
        self.does(|tx| settlement::confirm_execution(tx, &self.paymaster, settlement))
    }

    /// Pays all that is due until a day, from preparation to the bank's debit.
    pub fn pays(&self, cut_off_on: BusinessDate) -> SettlementId {
        let settlement = self.prepares(cut_off_on).unwrap().settlement.number;
        self.approves(settlement).unwrap();
        self.declares_execution(settlement).unwrap();
        self.confirms_execution(settlement).unwrap();
        settlement
    }

    // A look at the books

    /// The names of the checks that do not hold.
    pub fn broken_checks(&self) -> Vec<&'static str> {
        let checks: Vec<Check> = self.does(|tx| report::verify(tx, &self.auditor)).unwrap();
        checks.into_iter().filter(|check| !check.holds).map(|check| check.code).collect()
    }

    /// Seals what is new and has the head signed; says how many leaves there are.
    pub fn seals(&self, signer: &Signer) -> u64 {
        sealer::seal_and_sign(&self.db, self.programme, signer).unwrap()
    }

    /// Every rule holds, recomputed from the journal.
    #[track_caller]
    pub fn books_hold(&self) {
        let checks = self.does(|tx| report::verify(tx, &self.auditor)).unwrap();
        let broken: Vec<_> = checks.into_iter().filter(|check| !check.holds).collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }
}

/// A key that was never used.
pub fn fresh_key() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    format!("key-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}
