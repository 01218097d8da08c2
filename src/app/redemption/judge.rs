//! What becomes of each request of a batch: judged by what was read, before anything is written.

use std::collections::HashMap;

use super::batch::{Ask, NewRedemption, numbers_of};
use super::brake::{self, Brake};
use super::counter::{Counter, is_code_of, site_of};
use super::redeemed::{Outcome, Redeemed};
use super::room::{Room, Wanted};
use crate::app::once::{self, RequestKey};
use crate::db::Tx;
use crate::db::counter::{self, Use};
use crate::db::passes::Pass;
use crate::db::programmes::Programme;
use crate::domain::pass::PassStateName;
use crate::domain::service::Service;
use crate::domain::{
    Action, Actor, HandOverId, PassNumber, RedemptionId, Refusal, SiteId, Timestamp, WorkshopId,
};
use crate::error::{Error, Result};
use crate::keys::Keys;
use crate::ledger;

/// A batch, judged.
pub(super) struct Judged {
    /// One per request, in the same order.
    pub verdicts: Vec<Verdict>,
    /// What is to be written.
    pub granted: Vec<Granted>,
    /// The wrong codes that were tried, to be counted.
    pub wrong: Vec<(SiteId, PassNumber)>,
}

impl Judged {
    /// Judges these requests; `is_locked` says that their passes are, so that other locks may follow.
    pub fn of(
        tx: &mut Tx<'_>,
        keys: &Keys,
        programme: &Programme,
        asks: &[Ask],
        is_locked: bool,
    ) -> Result<Self> {
        let mut sites: Vec<SiteId> =
            asks.iter().filter_map(|ask| site_of(&ask.actor, ask.what.site).ok()).collect();
        sites.sort_unstable();
        sites.dedup();
        let (numbers, since) = (numbers_of(asks), brake::window_start(tx));
        // A redemption that was answered is found by its pass, which is redeemed; if it was undone since, by the key
        // of its entry, once this one is to be written. So only whoever has locked looks for keys.
        let mut uses = if is_locked { uses_of(tx, asks)? } else { HashMap::new() };
        let known = counter::read(tx, &sites, &numbers, since)?;
        let wanted: Vec<Wanted> = asks.iter().map(|ask| ask.what.into()).collect();
        let limits = &programme.passes_per_service;
        let mut bench = Bench {
            room: Room::read(tx, limits, &known.passes, &wanted, is_locked)?,
            counter: Counter::read(tx, programme, &known.passes, known.sites)?,
            brake: Brake(known.tries),
            passes: known.passes.into_iter().map(|pass| (pass.number, pass)).collect(),
            granted: Vec::new(),
            wrong: Vec::new(),
            keys,
        };
        let mut verdicts = Vec::with_capacity(asks.len());
        let mut first_of_key: HashMap<[u8; 16], usize> = HashMap::new();
        for (at, ask) in asks.iter().enumerate() {
            let (key, _) = ask.request.short(ask.actor.user);
            let first = *first_of_key.entry(key).or_insert(at);
            verdicts.push(match uses.remove(&at) {
                Some(earlier) => settled(ask, earlier)?,
                None if first < at => Verdict::Twin(first),
                None => bench.judge_once(tx, ask)?,
            });
        }
        let Bench { granted, wrong, .. } = bench;
        Ok(Self { verdicts, granted, wrong })
    }

    /// Is every request granted, so that there is nothing to write but redemptions? A refusal is not for who has not
    /// locked: its key may have been answered before.
    pub fn writes_redemptions_only(&self) -> bool {
        !self.verdicts.iter().any(|verdict| matches!(verdict, Verdict::Refused(_)))
    }
}

/// What became of one request, before anything is written.
pub(super) enum Verdict {
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
pub(super) struct Granted {
    pub id: RedemptionId,
    pub hand_over: HandOverId,
    pub site: SiteId,
    pub service: Service,
    pub workshop: Option<WorkshopId>,
    pub at: Timestamp,
    pub actor: Actor,
    pub request: RequestKey,
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
            request: ask.request.clone(),
        });
        Ok(())
    }
}

/// What the keys of a batch were used for before, by the place of their request.
fn uses_of(tx: &mut Tx<'_>, asks: &[Ask]) -> Result<HashMap<usize, Use>> {
    let keys = counter::Keys {
        short: asks.iter().map(|ask| ask.request.short(ask.actor.user).0).collect(),
        users: asks.iter().map(|ask| ask.actor.user).collect(),
        keys: asks.iter().map(|ask| ask.request.as_str().to_owned()).collect(),
    };
    counter::uses(tx, &keys)
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
