//! The one routine that spends passes: N requests are judged, written together, and answered one by one.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::brake;
use super::judge::{Granted, Judged, Verdict};
use super::redeemed::{Outcome, Redeemed};
use super::room::Room;
use crate::app::once::{self, RequestKey};
use crate::db::checkpoints::Head;
use crate::db::programmes::Programme;
use crate::db::requests::Answered;
use crate::db::{Tx, checkpoints, passes, programmes, redemptions, requests};
use crate::domain::account::{Account, AccountKind};
use crate::domain::code::PassCode;
use crate::domain::entry::EntryKind;
use crate::domain::money::Money;
use crate::domain::service::Service;
use crate::domain::{Actor, PassNumber, Refusal, SiteId, WorkshopId};
use crate::error::Result;
use crate::keys::Keys;
use crate::ledger::{self, Entry, Receipt};

/// A pass presented at a counter.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRedemption {
    /// Its code, scanned or typed.
    #[schema(value_type = String, max_length = 300, example = "HDF-0000042-7K3M9QXW2T5V8Y1A-Z")]
    pub code: PassCode,
    /// What the person came for.
    pub service: Service,
    /// Where; a mediator's own site when left out.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// At which workshop of that site and of the day, if at one.
    #[serde(default)]
    pub workshop: Option<WorkshopId>,
}

/// One request of a batch.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Who asks; of the batch's programme.
    pub actor: Actor,
    /// Its idempotency key.
    pub request: RequestKey,
    /// What it asks.
    pub what: NewRedemption,
}

/// Judges and writes these requests in one transaction, and returns the outcome of each, in the same
/// order. An error means that nothing of the batch was written.
pub fn redeem_all(tx: &mut Tx<'_>, keys: &Keys, asks: &[Ask]) -> Result<Vec<Outcome>> {
    let (programme, head) = (programmes::current(tx)?, checkpoints::last(tx)?);
    redeem_locked(tx, keys, &programme, head.as_ref(), asks)
}

/// As [`redeem_all`], for a caller who has read the programme before, which never changes, and the head of
/// its log, which may have grown a little since.
pub(super) fn redeem_locked(
    tx: &mut Tx<'_>,
    keys: &Keys,
    programme: &Programme,
    head: Option<&Head>,
    asks: &[Ask],
) -> Result<Vec<Outcome>> {
    // Lock first, then read: what another transaction did to these passes is known from here on.
    passes::lock(tx, &numbers_of(asks))?;
    let judged = Judged::of(tx, keys, programme, asks, true)?;
    write(tx, programme, head, asks, judged)
}

/// Judges these requests by what is there to be read, nothing locked: for [`write`], which the database refuses if
/// one of the passes has changed since. Nothing when that is not enough: when people are counted, whom a lock of a
/// pass says nothing of, or when there is more to write than redemptions.
pub(super) fn judge_unlocked(
    tx: &mut Tx<'_>,
    keys: &Keys,
    programme: &Programme,
    asks: &[Ask],
) -> Result<Option<Judged>> {
    if asks.iter().any(|ask| Room::is_asked_by(&programme.passes_per_service, ask.what.into())) {
        return Ok(None);
    }
    let judged = Judged::of(tx, keys, programme, asks, false)?;
    Ok(judged.writes_redemptions_only().then_some(judged))
}

/// The passes that are asked for, in their order.
pub(super) fn numbers_of(asks: &[Ask]) -> Vec<PassNumber> {
    let mut numbers: Vec<PassNumber> = asks.iter().map(|ask| ask.what.code.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Writes what was judged, and returns the outcome of each request. Where redemptions are all there is to write, by
/// one statement.
pub(super) fn write(
    tx: &mut Tx<'_>,
    programme: &Programme,
    head: Option<&Head>,
    asks: &[Ask],
    judged: Judged,
) -> Result<Vec<Outcome>> {
    brake::count(tx, &judged.wrong)?;
    let receipts = write_granted(tx, programme, head, &judged.granted)?;
    conclude(tx, asks, judged.verdicts, &judged.granted, &receipts, programme.face_value.into())
}

/// Writes what was granted.
fn write_granted(
    tx: &mut Tx<'_>,
    programme: &Programme,
    head: Option<&Head>,
    granted: &[Granted],
) -> Result<Vec<Receipt>> {
    if granted.is_empty() {
        return Ok(Vec::new());
    }
    let (circulation, float) =
        (Account::of(AccountKind::Circulation), Account::of(AccountKind::Float));
    let face_value = programme.face_value;
    let (mut new, mut rows) =
        (Vec::with_capacity(granted.len()), Vec::with_capacity(granted.len()));
    for granted in granted {
        let facts = json!({
            "redemption": granted.id, "pass": granted.id.pass, "site": granted.site, "service": granted.service,
            "hand_over": granted.hand_over, "amount_cents": face_value, "workshop": granted.workshop,
        });
        let entry = Entry::new(tx, EntryKind::Redemption, granted.actor.user, facts)
            .passes(Account::redeemed_at(granted.site), circulation, granted.id.pass, 1)
            .money(float, Account::payable_to(granted.site), face_value)
            .at(granted.at);
        let row = redemptions::Redemption {
            pass: granted.id.pass,
            cycle: granted.id.cycle,
            entry_id: entry.id,
            hand_over: granted.hand_over,
            site: granted.site,
            service: granted.service,
            redeemed_at: granted.at,
            workshop: granted.workshop,
        };
        let request = granted.request.short(granted.actor.user);
        new.push(Entry { request: Some(request), ..entry.writing(row.line()) });
        rows.push(row);
    }
    let keys: Vec<&str> = granted.iter().map(|granted| granted.request.as_str()).collect();
    ledger::record_redemptions(tx, &programme.code, head, new, &rows, &keys)
}

/// Turns verdicts into outcomes, and keeps the new refusals with their keys.
fn conclude(
    tx: &mut Tx<'_>,
    asks: &[Ask],
    verdicts: Vec<Verdict>,
    granted: &[Granted],
    receipts: &[Receipt],
    payable: Money,
) -> Result<Vec<Outcome>> {
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(asks.len());
    let mut kept = Vec::new();
    for (ask, verdict) in asks.iter().zip(verdicts) {
        let outcome = match verdict {
            Verdict::Granted(n) => {
                let (granted, receipt) = granted
                    .get(n)
                    .zip(receipts.get(n))
                    .ok_or_else(|| anyhow::anyhow!("a redemption was not written"))?;
                Ok(done(tx, granted, receipt, payable))
            }
            Verdict::Refused(refusal) if !refusal.is_kept() => Err(refusal),
            Verdict::Refused(refusal) => {
                let outcome = once::Outcome::Refused(refusal.clone());
                kept.push(Answered {
                    user: ask.actor.user,
                    key: ask.request.as_str(),
                    body_hash: ask.request.body_hash(),
                    outcome: serde_json::to_value(&outcome).map_err(anyhow::Error::from)?,
                });
                Err(refusal)
            }
            Verdict::Replayed(outcome) => outcome,
            Verdict::KeyReused => Err(Refusal::IdempotencyKeyReused),
            Verdict::Twin(first) => match (asks.get(first), outcomes.get(first)) {
                (Some(twin), Some(outcome)) if twin.request == ask.request => outcome.clone(),
                _ => Err(Refusal::IdempotencyKeyReused),
            },
        };
        outcomes.push(outcome);
    }
    if !kept.is_empty() {
        requests::insert(tx, &kept)?;
    }
    Ok(outcomes)
}

fn done(tx: &Tx<'_>, granted: &Granted, receipt: &Receipt, payable: Money) -> Redeemed {
    Redeemed {
        id: granted.id,
        pass: granted.id.pass,
        site: granted.site,
        service: granted.service,
        workshop: granted.workshop,
        redeemed_at: granted.at,
        payable,
        receipt: receipt.text.clone(),
        kid: tx.kid.map(|kid| kid.to_string()),
        signature: None,
    }
}
