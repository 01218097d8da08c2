//! Fraud flags: what stands out is examined before it is paid, told to its site, and decided by a person.
//!
//! Nothing of this happens at the counter. A settlement examines all that it could pay, in its own transaction,
//! under the locks of its passes; the operator may do so at any time. Whoever examines, raises or decides has
//! locked the passes it is about, so that none is paid between two looks.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::db::flags::{self, Flag, NewFlag, Seen, Window};
use crate::db::{Tx, passes, programmes, series};
use crate::domain::entry::EntryKind;
use crate::domain::flag::{self as rules, Facts, FlagKind, Outcome};
use crate::domain::text::Line;
use crate::domain::{
    Action, Actor, BookletId, BusinessDate, FlagId, HandOverId, PassNumber, RedemptionId, Refusal,
    SiteId, Timestamp,
};
use crate::error::Result;
use crate::ledger::{self, Entry};

/// What was decided on a flag, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// Are its passes paid?
    pub outcome: Outcome,
    /// In the operator's words; the site reads it.
    pub reason: Line,
}

/// Something odd that no flag tells yet.
pub(super) struct Finding {
    /// What was seen.
    pub facts: Facts,
    /// Where.
    pub site: SiteId,
    subject: Option<i32>,
    on_day: BusinessDate,
    /// The redemptions to be held.
    pub held: Vec<RedemptionId>,
}

/// What is odd among the redemptions made before `until` that no settlement has taken. Reads only.
pub(super) fn examine(tx: &mut Tx<'_>, until: Timestamp) -> Result<Vec<Finding>> {
    let window = Window {
        until,
        soon_minutes: rules::SOON_MINUTES,
        night_begins_hour: rules::NIGHT_BEGINS_HOUR,
        night_ends_hour: rules::NIGHT_ENDS_HOUR,
        one_prescriber_floor: rules::ONE_PRESCRIBER_FLOOR,
        answered_since: tx.now.checked_sub_signed(rules::ANSWERED_FOR).unwrap_or(tx.now),
    };
    let findings = flags::seen(tx, window)?.into_iter().map(finding);
    Ok(findings.filter(|finding| finding.facts.are_odd()).collect())
}

fn finding(seen: Seen) -> Finding {
    let (passes, first_at, last_at) = (seen.counted, seen.first_at, seen.last_at);
    let number = seen.subject.unwrap_or_default();
    let facts = match seen.kind {
        FlagKind::WholeBookletAtOnce => {
            let booklet = BookletId::new(number);
            Facts::Booklet { booklet, size: seen.against, passes, first_at, last_at }
        }
        FlagKind::UsedSoonAfterHandOver => {
            let hand_over = HandOverId::new(number);
            Facts::HandOver { hand_over, handed_at: first_at, passes, first_at: last_at }
        }
        FlagKind::BeyondCapacity => Facts::Day { day: seen.on_day, passes, capacity: seen.against },
        FlagKind::OnePrescriberFeedsOneSite => {
            let name = seen.name.unwrap_or_default();
            Facts::Prescriber { name, month: seen.on_day, passes, of_all: seen.against }
        }
        FlagKind::NightHours => Facts::Night { passes, first_at, last_at },
    };
    let both = seen.passes.iter().zip(&seen.cycles);
    let held = both.map(|(pass, cycle)| RedemptionId { pass: *pass, cycle: *cycle }).collect();
    Finding { facts, site: seen.site, subject: seen.subject, on_day: seen.on_day, held }
}

/// Raises a flag for each finding. The caller has locked its passes, and examined after that.
pub(super) fn raise(tx: &mut Tx<'_>, actor: &Actor, findings: Vec<Finding>) -> Result<Vec<FlagId>> {
    if findings.is_empty() {
        return Ok(Vec::new());
    }
    let n = i32::try_from(findings.len()).map_err(anyhow::Error::from)?;
    let first = FlagId::new(series::take(tx, "flag", n)?);
    let mut entries = Vec::with_capacity(findings.len());
    let new: Vec<(NewFlag, Vec<RedemptionId>)> = findings
        .into_iter()
        .zip(0..)
        .map(|(finding, n)| {
            let number = first.plus(n);
            let facts = json!({
                "flag": number, "kind": finding.facts.kind(), "site": finding.site, "passes": finding.held.len(),
            });
            let entry = Entry::new(tx, EntryKind::FlagRaising, actor.user, facts);
            let flag = NewFlag {
                number,
                entry_id: entry.id,
                kind: finding.facts.kind(),
                site: finding.site,
                subject: finding.subject,
                on_day: finding.on_day,
                explanation: finding.facts.explained(),
            };
            entries.push(entry.wrote("flags").wrote("flag_passes"));
            (flag, finding.held)
        })
        .collect();
    flags::insert(tx, &new)?;
    let code = programmes::current(tx)?.code;
    ledger::record_all(tx, &code, entries)?;
    Ok(new.into_iter().map(|(flag, _)| flag.number).collect())
}

/// Examines all that is not paid yet, and raises what is odd; a second time, nothing new.
pub fn scan(tx: &mut Tx<'_>, actor: &Actor) -> Result<Vec<FlagId>> {
    actor.require(Action::ScanFlags)?;
    // Redemptions of a machine whose clock is ahead are examined too.
    let until = tx.now.checked_add_signed(TimeDelta::days(1)).unwrap_or(tx.now);
    let first_look = examine(tx, until)?;
    lock(tx, first_look.iter().flat_map(|finding| &finding.held))?;
    let locked: std::collections::BTreeSet<RedemptionId> =
        first_look.into_iter().flat_map(|finding| finding.held).collect();
    let mut findings = examine(tx, until)?;
    // What was used between the two looks is left to the next.
    findings.retain(|finding| finding.held.iter().all(|of| locked.contains(of)));
    raise(tx, actor, findings)
}

fn lock<'of>(tx: &mut Tx<'_>, held: impl Iterator<Item = &'of RedemptionId>) -> Result<()> {
    let mut numbers: Vec<PassNumber> = held.map(|of| of.pass).collect();
    numbers.sort_unstable();
    numbers.dedup();
    passes::lock(tx, &numbers)?;
    Ok(())
}

/// A page of flags by number: those of a site see their own.
pub fn list(tx: &mut Tx<'_>, actor: &Actor, after: FlagId, limit: i64) -> Result<Vec<Flag>> {
    actor.require(Action::ReadFlags)?;
    flags::page(tx, actor.only_of()?, after, limit)
}

/// Decides on a flag, once: its passes are payable, or stay unpaid.
pub fn decide(tx: &mut Tx<'_>, actor: &Actor, number: FlagId, new: &NewDecision) -> Result<Flag> {
    actor.require(Action::DecideFlag)?;
    let flag = find(tx, number)?;
    let held: Vec<RedemptionId> = flag.redemptions().collect();
    // Two decisions, or one and a settlement, that arrive together: the second sees the first.
    lock(tx, held.iter())?;
    if find(tx, number)?.outcome.is_some() {
        return Err(Refusal::wrong_state("flag", "une décision a déjà été prise").into());
    }
    let facts = json!({ "flag": number, "outcome": new.outcome });
    let entry = Entry::new(tx, EntryKind::FlagDecision, actor.user, facts);
    flags::decide(tx, number, new.outcome, new.reason.as_str(), actor.user, entry.id)?;
    let code = programmes::current(tx)?.code;
    ledger::record(tx, &code, entry.wrote("flag_decisions"))?;
    find(tx, number)
}

fn find(tx: &mut Tx<'_>, number: FlagId) -> Result<Flag> {
    Ok(flags::find(tx, number)?.ok_or(Refusal::not_found("flag"))?)
}
