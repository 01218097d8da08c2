//! Is there room for one more? What a person may spend on a service, and how many people a workshop takes.
//!
//! Both count redemptions of passes other than the one presented, so the lock on the pass doesn't cover them.
//! Whoever counts a person's passes first locks the person, and whoever counts a workshop's people its site: two
//! who grant at the same time count one after the other, and the second sees what the first wrote. A batch that
//! needs neither asks nothing of the database here.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::batch::NewRedemption;
use crate::db::passes::Pass;
use crate::db::workshops::Workshop;
use crate::db::{Tx, beneficiaries, hand_overs, redemptions, sites, workshops};
use crate::domain::programme::PassesPerService;
use crate::domain::service::Service;
use crate::domain::{BusinessDate, HandOverId, PassNumber, Refusal, SiteId, Timestamp, WorkshopId};
use crate::error::Result;

/// A person, by the key that says nothing of it.
type PersonKey = Vec<u8>;

/// What the limits are judged by, read once for a whole batch.
#[derive(Default)]
pub(super) struct Room {
    limits: PassesPerService,
    people: HashMap<HandOverId, PersonKey>,
    spent: HashMap<(PersonKey, Service), i64>,
    workshops: HashMap<WorkshopId, Workshop>,
    seats: HashMap<WorkshopId, HashSet<PersonKey>>,
}

/// What a request needs room for.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub pass: PassNumber,
    /// Nothing when a pass is only tested, and what for is not known.
    pub service: Option<Service>,
    pub workshop: Option<WorkshopId>,
}

impl From<NewRedemption> for Wanted {
    fn from(new: NewRedemption) -> Self {
        Self { pass: new.code.number, service: Some(new.service), workshop: new.workshop }
    }
}

impl Room {
    /// Does a request need room, where the programme has these limits?
    pub fn is_asked_by(limits: &PassesPerService, wanted: Wanted) -> bool {
        wanted.workshop.is_some()
            || wanted.service.is_some_and(|service| limits.limit(service).is_some())
    }

    /// Reads what these requests for these passes are judged by. With `locks`, for passes that are locked: everybody
    /// else who would count the same waits until the end of the transaction, sites after passes, people after
    /// sites. Without, for a test that spends nothing.
    pub fn read(
        tx: &mut Tx<'_>,
        limits: &PassesPerService,
        passes: &[Pass],
        wanted: &[Wanted],
        locks: bool,
    ) -> Result<Self> {
        let mut room = Self { limits: limits.clone(), ..Self::default() };
        let named: BTreeSet<WorkshopId> = wanted.iter().filter_map(|it| it.workshop).collect();
        if !named.is_empty() {
            let found = workshops::by_numbers(tx, &Vec::from_iter(named))?;
            let at: BTreeSet<SiteId> = found.iter().map(|workshop| workshop.site).collect();
            if locks {
                sites::lock(tx, &Vec::from_iter(at))?;
            }
            room.workshops = found.into_iter().map(|it| (it.number, it)).collect();
        }
        room.read_people(tx, passes, wanted)?;
        let (counted, services) = room.counted(passes, wanted);
        if locks && !counted.is_empty() {
            beneficiaries::lock(tx, &counted)?;
        }
        room.count(tx, &counted, &services)?;
        Ok(room)
    }

    /// Whose the passes are that ask for room.
    fn read_people(&mut self, tx: &mut Tx<'_>, passes: &[Pass], wanted: &[Wanted]) -> Result<()> {
        let asked: HashSet<PassNumber> = wanted
            .iter()
            .filter(|it| Self::is_asked_by(&self.limits, **it))
            .map(|it| it.pass)
            .collect();
        let numbers: BTreeSet<HandOverId> = passes
            .iter()
            .filter(|pass| asked.contains(&pass.number))
            .filter_map(|pass| pass.hand_over)
            .collect();
        if !numbers.is_empty() {
            self.people = hand_overs::people(tx, &Vec::from_iter(numbers))?.into_iter().collect();
        }
        Ok(())
    }

    /// The people who spend on a service that has a limit, in the order of their keys, and these services.
    fn counted(&self, passes: &[Pass], wanted: &[Wanted]) -> (Vec<PersonKey>, Vec<Service>) {
        let hand_overs: HashMap<PassNumber, HandOverId> =
            passes.iter().filter_map(|pass| Some((pass.number, pass.hand_over?))).collect();
        let (people, services): (BTreeSet<PersonKey>, BTreeSet<Service>) = wanted
            .iter()
            .filter_map(|it| {
                let (service, _) = self.limit(it.service)?;
                let person = self.people.get(hand_overs.get(&it.pass)?)?;
                Some((person.clone(), service))
            })
            .unzip();
        (Vec::from_iter(people), Vec::from_iter(services))
    }

    /// The service, and how many passes a person may spend on it, when there is a limit.
    fn limit(&self, service: Option<Service>) -> Option<(Service, i32)> {
        service.and_then(|service| Some((service, self.limits.limit(service)?)))
    }

    /// Counts, in statements that come after the locks: what a lock waited for is in their snapshots.
    fn count(&mut self, tx: &mut Tx<'_>, people: &[PersonKey], services: &[Service]) -> Result<()> {
        if !people.is_empty() {
            for spent in redemptions::spent_by(tx, people, services)? {
                self.spent.insert((spent.person_key, spent.service), spent.passes);
            }
        }
        if !self.workshops.is_empty() {
            let numbers: Vec<WorkshopId> = self.workshops.keys().copied().collect();
            for seat in redemptions::seats(tx, &numbers)? {
                self.seats.entry(seat.workshop).or_default().insert(seat.person_key);
            }
        }
        Ok(())
    }

    /// Does that site hold a workshop of that number?
    pub fn ensure_known(&self, workshop: Option<WorkshopId>, site: SiteId) -> Result<(), Refusal> {
        let Some(number) = workshop else { return Ok(()) };
        let found = self.workshops.get(&number).filter(|workshop| workshop.site == site);
        found.map(|_| ()).ok_or(Refusal::not_found("workshop"))
    }

    /// May one more of these passes be spent on that service, at that workshop, then?
    pub fn ensure(
        &self,
        of: HandOverId,
        service: Option<Service>,
        workshop: Option<WorkshopId>,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let Some(person) = self.people.get(&of) else { return Ok(()) };
        if let Some((service, limit)) = self.limit(service) {
            let spent = self.spent.get(&(person.clone(), service)).copied().unwrap_or_default();
            if spent >= limit.into() {
                return Err(Refusal::LimitReached { service: service.label().into(), limit });
            }
        }
        let Some(workshop) = workshop.and_then(|number| self.workshops.get(&number)) else {
            return Ok(());
        };
        if workshop.held_on != BusinessDate::of(at) {
            return Err(Refusal::WorkshopOnAnotherDay { on: workshop.held_on });
        }
        let is_full = self.seats.get(&workshop.number).is_some_and(|seats| {
            !seats.contains(person)
                && i32::try_from(seats.len()).is_ok_and(|taken| taken >= workshop.people)
        });
        if is_full { Err(Refusal::WorkshopFull { people: workshop.people }) } else { Ok(()) }
    }

    /// Counts what was granted, for the requests behind it.
    pub fn take(&mut self, of: HandOverId, service: Service, workshop: Option<WorkshopId>) {
        let Some(person) = self.people.get(&of) else { return };
        let spent = self.spent.entry((person.clone(), service)).or_default();
        *spent = spent.saturating_add(1);
        if let Some(workshop) = workshop {
            self.seats.entry(workshop).or_default().insert(person.clone());
        }
    }
}
