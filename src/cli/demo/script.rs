//! The script of a programme's life: what happens when, as data. Written by `plan`, played by `season`.

use super::calendar::When;
use crate::domain::commune::InseeCode;
use crate::domain::eligibility::{Eligibility, Proof};
use crate::domain::person::Person;
use crate::domain::service::Service;
use crate::domain::{BookletId, BusinessDate, PassNumber, RedemptionId};

/// Something that happens at some minute.
#[derive(Clone, Debug)]
pub struct Cue {
    /// When.
    pub at: When,
    /// What.
    pub what: Event,
}

/// What happens. Prescribers and counters are named by their rank in the programme's world.
#[derive(Clone, Debug)]
pub enum Event {
    /// The sponsor sends a parcel: the parcel's rank, and what is in it.
    Send(usize, Parcel),
    /// The prescriber counts a parcel, and finds all but what is missing.
    Count(usize, Option<BookletId>),
    /// A booklet is handed over, or asked for in vain.
    HandOver(Box<Gift>),
    /// A pass is presented at a counter.
    Present(Presented),
    /// The counter of that rank undoes its redemption.
    Void(RedemptionId, usize),
    /// Sites are to be paid: a step of a settlement.
    Settle(Step),
}

/// Booklets on their way to a prescriber.
#[derive(Clone, Copy, Debug)]
pub struct Parcel {
    /// To whom.
    pub prescriber: usize,
    /// The first booklet.
    pub first: BookletId,
    /// The last one, included.
    pub last: BookletId,
}

/// A booklet for a person.
#[derive(Clone, Debug)]
pub struct Gift {
    /// By whom.
    pub prescriber: usize,
    /// Which booklet.
    pub booklet: BookletId,
    /// For whom: somebody who does not exist.
    pub person: Person,
    /// Where the person lives.
    pub insee_code: InseeCode,
    /// As what.
    pub eligibility: Eligibility,
    /// What the person shows.
    pub proof: Proof,
    /// The day that it bears.
    pub proof_dated_on: BusinessDate,
    /// The refusal that this must meet; none when the booklet must be handed over.
    pub refusal: Option<&'static str>,
}

/// Where a pass is presented.
#[derive(Clone, Copy, Debug)]
pub enum At {
    /// At a qualified site of the territory.
    Counter(usize),
    /// At a site out of the territory.
    Stranger(usize),
}

/// What is shown at the counter.
#[derive(Clone, Copy, Debug)]
pub enum Code {
    /// What the paper says.
    Printed,
    /// Something that looks like it.
    Forged,
}

/// A pass presented.
#[derive(Clone, Copy, Debug)]
pub struct Presented {
    /// Where.
    pub at: At,
    /// Which pass.
    pub pass: PassNumber,
    /// By what code.
    pub code: Code,
    /// For what.
    pub service: Service,
    /// The refusal that this must meet; none when the pass must be redeemed.
    pub refusal: Option<&'static str>,
}

/// The steps of a settlement, in order.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Made of everything due, by the operator's accountant.
    Prepare {
        /// Last day in it.
        cut_off: u32,
        /// Day of the debit.
        execution: u32,
    },
    /// Approved by the public accountant, and its file taken to the bank.
    Approve,
    /// The operator's accountant declares that the bank has paid, on that day.
    Declare {
        /// Day of the debit.
        executed: u32,
    },
    /// The public accountant confirms it, paper in hand.
    Confirm,
}
