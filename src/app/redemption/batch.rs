//! The one routine that spends passes: N requests in one transaction, one outcome each.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::brake::{self, Brake};
use super::counter::{Counter, is_code_of, site_of};
use super::redeemed::{Outcome, Redeemed};
use super::room::{Room, Wanted};
use crate::app::once::{self, RequestKey};
use crate::db::checkpoints::Head;
use crate::db::counter::Use;
use crate::db::passes::Pass;
use crate::db::programmes::Programme;
use crate::db::requests::Answered;
use crate::db::{Tx, checkpoints, counter, passes, programmes, redemptions, requests};
use crate::domain::account::{Account, AccountKind};
use crate::domain::code::PassCode;
use crate::domain::entry::EntryKind;
use crate::domain::money::Money;
use crate::domain::pass::PassStateName;
use crate::domain::service::Service;
use crate::domain::{
    Action, Actor, HandOverId, PassNumber, RedemptionId, Refusal, SiteId, Timestamp, WorkshopId,
};
use crate::error::{Error, Result};
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
    redeem_in(tx, keys, &programme, head.as_ref(), asks)
}

/// As [`redeem_all`], for a caller who has read the programme before, which never changes, and the head of
/// its log, which may have grown a little since.
pub(super) fn redeem_in(
    tx: &mut Tx<'_>,
    keys: &Keys,
    programme: &Programme,
    head: Option<&Head>,
    asks: &[Ask],
) -> Result<Vec<Outcome>> {
    let mut numbers: Vec<PassNumber> = asks.iter().map(|ask| ask.what.code.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    // Lock first, then read: what another transaction did to these passes is known from here on.
    let locked = passes::lock(tx, &numbers)?;
    let mut sites: Vec<SiteId> =
        asks.iter().filter_map(|ask| site_of(&ask.actor, ask.what.site).ok()).collect();
    sites.sort_unstable();
    sites.dedup();
    let mut known = counter::read(tx, &sites, &numbers, brake::window_start(tx), &keys_of(asks))?;
    let wanted: Vec<Wanted> = asks.iter().map(|ask| ask.what.into()).collect();
    let mut bench = Bench {
        room: Room::read(tx, &programme.passes_per_service, &locked, &wanted, true)?,
        counter: Counter::read(tx, programme, &locked, known.sites)?,
        brake: Brake(known.tries),
        passes: locked.into_iter().map(|pass| (pass.number, pass)).collect(),
        granted: Vec::new(),
        wrong: Vec::new(),
        keys,
    };
    let mut verdicts = Vec::with_capacity(asks.len());
    let mut first_of_key: HashMap<[u8; 16], usize> = HashMap::new();
    for (at, ask) in asks.iter().enumerate() {
        let (key, _) = ask.request.short(ask.actor.user);
        let first = *first_of_key.entry(key).or_insert(at);
        verdicts.push(match known.uses.remove(&at) {
            Some(earlier) => settled(ask, earlier)?,
            None if first < at => Verdict::Twin(first),
            None => bench.judge_once(tx, ask)?,
        });
    }
    let Bench { granted, wrong, .. } = bench;
    brake::count(tx, &wrong)?;
    let receipts = write(tx, programme, head, &granted)?;
    conclude(tx, asks, verdicts, &granted, &receipts, programme.face_value.into())
}

/// What became of one request, before anything is written.
enum Verdict {
    /// To be written: the n-th of those granted.
    Granted(usize),
    /// Refused, now: to be kept with its key.
    Refused(Refusal),
    /// Answered before.
    Replayed(Outcome),
    /// The key is at work on something else.
    KeyReused,
    /// The same key as an earlier request of this batch.
    Twin(usize),
}

/// A redemption that was granted and is to be written.
struct Granted {
    id: RedemptionId,
    hand_over: HandOverId,
    site: SiteId,
    service: Service,
    workshop: Option<WorkshopId>,
    at: Timestamp,
    actor: Actor,
    request: ([u8; 16], [u8; 16]),
}

/// Where the requests of a batch are judged, one after the other.
struct Bench<'k> {
    counter: Counter<'k>,
    room: Room,
    brake: Brake,
    passes: HashMap<PassNumber, Pass>,
    granted: Vec<Granted>,
    wrong: Vec<(SiteId, PassNumber)>,
    keys: &'k Keys,
}

impl Bench<'_> {
    fn judge_once(&mut self, tx: &Tx<'_>, ask: &Ask) -> Result<Verdict> {
        match self.judge(tx, ask) {
            Ok(()) => Ok(Verdict::Granted(self.granted.len().saturating_sub(1))),
            Err(Error::Refused(refusal)) => Ok(Verdict::Refused(refusal)),
            Err(error) => Err(error),
        }
    }

    /// Grants one request, or says why not. What it grants is seen by the requests behind it.
    fn judge(&mut self, tx: &Tx<'_>, ask: &Ask) -> Result<()> {
        ask.actor.require(Action::Redeem)?;
        let site = self.counter.site(&ask.actor, ask.what.site)?;
        let NewRedemption { service, workshop, .. } = ask.what;
        self.room.ensure_known(workshop, site.number)?;
        self.brake.ensure_free(site.number, ask.what.code.number)?;
        let Some(pass) = self
            .passes
            .get_mut(&ask.what.code.number)
            .filter(|pass| is_code_of(self.keys, self.counter.programme, &ask.what.code, pass))
        else {
            self.brake.note(site.number, ask.what.code.number);
            self.wrong.push((site.number, ask.what.code.number));
            return Err(Refusal::UnknownPass.into());
        };
        if let Some(twin) = self.granted.iter().find(|granted| granted.id.pass == pass.number) {
            return Err(
                Refusal::AlreadyRedeemed { at: twin.at, here: twin.site == site.number }.into()
            );
        }
        let hand_over = self.counter.judge(tx, pass, site, Some(service))?;
        let at = ledger::after(tx, pass.changed_at);
        self.room.ensure(hand_over, Some(service), workshop, at)?;
        self.room.take(hand_over, service, workshop);
        pass.state_name = PassStateName::Redeemed;
        pass.cycle = pass.cycle.saturating_add(1);
        self.granted.push(Granted {
            id: RedemptionId { pass: pass.number, cycle: pass.cycle },
            hand_over,
            site: site.number,
            service,
            workshop,
            at,
            actor: ask.actor,
            request: ask.request.short(ask.actor.user),
        });
        Ok(())
    }
}

/// Writes what was granted.
fn write(
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
        new.push(Entry { request: Some(granted.request), ..entry.writing(row.line()) });
        rows.push(row);
    }
    ledger::record_redemptions(tx, &programme.code, head, new, &rows)
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

/// The keys of a batch, as they are looked for.
fn keys_of(asks: &[Ask]) -> counter::Keys {
    counter::Keys {
        short: asks.iter().map(|ask| ask.request.short(ask.actor.user).0).collect(),
        users: asks.iter().map(|ask| ask.actor.user).collect(),
        keys: asks.iter().map(|ask| ask.request.as_str().to_owned()).collect(),
    }
}

/// What an earlier use of its key settles for a request.
fn settled(ask: &Ask, earlier: Use) -> Result<Verdict> {
    match earlier {
        Use::Redemption { request_hash, receipt } => {
            if request_hash != ask.request.short(ask.actor.user).1 {
                return Ok(Verdict::KeyReused);
            }
            Ok(Verdict::Replayed(Ok(Redeemed::told(&receipt)?)))
        }
        Use::Other(earlier) => match ask.request.replay(earlier) {
            Ok(once::Outcome::Refused(refusal)) => Ok(Verdict::Replayed(Err(refusal))),
            // What was done under it was no redemption: those bear their keys themselves.
            Ok(once::Outcome::Done(_)) | Err(Error::Refused(_)) => Ok(Verdict::KeyReused),
            Err(error) => Err(error),
        },
    }
}
