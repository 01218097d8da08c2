//! Plays a programme's script, cue by cue, through the use cases of the API; stops at the first answer that is
//! not the one written.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Context, bail, ensure};

use super::calendar::When;
use super::plan::{self, Plot};
use super::script::{At, Code, Cue, Event, Gift, Parcel, Presented};
use super::stage::{Stage, line};
use super::supply::{self, Papers};
use super::world::{self, Counter, Setting, World};
use super::{money, places::RealPlaces};
use crate::app::RequestKey;
use crate::app::delivery::{self, Counted, NewDelivery};
use crate::app::hand_over::{self, NewHandOver};
use crate::app::redemption::{self, Ask, NewRedemption, NewVoid};
use crate::domain::code::{PassCode, PrintKey};
use crate::domain::{Actor, BookletId, DeliveryId, PassNumber, RedemptionId, SettlementId};
use crate::error::{Error, Result};

/// Most passes of one transaction, as at the counter's queue.
const MAX_BATCH: usize = 128;

/// What happened, counted as it was played: the books are held against it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Booklets handed over.
    pub hand_overs: usize,
    /// Hand-overs refused.
    pub hand_overs_refused: usize,
    /// Passes redeemed, those undone included.
    pub redemptions: usize,
    /// Redemptions refused.
    pub refused: usize,
    /// Redemptions undone.
    pub voids: usize,
}

/// A programme and what is left of its script.
pub struct Season<'s> {
    stage: &'s Stage<'s>,
    /// The programme.
    pub world: World,
    /// Its printed booklets.
    pub papers: Papers,
    /// What happened so far.
    pub tally: Tally,
    pub(super) settlement: Option<SettlementId>,
    cues: VecDeque<Cue>,
    /// The number of each parcel sent, and whom it was sent to, by the parcel's rank.
    deliveries: BTreeMap<usize, (DeliveryId, usize)>,
    requests: usize,
}

impl<'s> Season<'s> {
    /// Sets the programme up, has its booklets printed, and writes its script.
    pub fn open(
        stage: &'s Stage<'s>,
        instance_admin: &Actor,
        setting: &Setting,
        real: Option<&RealPlaces>,
    ) -> anyhow::Result<Self> {
        let world = world::set_up(stage, instance_admin, setting, real)?;
        let papers = supply::supply(stage, &world, setting)?;
        let plot = Plot {
            calendar: stage.options.calendar,
            opens_on: setting.opens_on,
            settles_after: setting.settles_after,
            booklets: setting.booklets,
            first_booklet: papers.first_booklet,
            first_pass: papers.first_pass,
            territory: &setting.territory,
            prescribers: &world.prescribers,
            counters: &world.counters,
            strangers: world.strangers.len(),
        };
        let cues = plan::write(&plot, stage.options.seed);
        let (tally, settlement, deliveries) = (Tally::default(), None, BTreeMap::new());
        Ok(Self { stage, world, papers, tally, settlement, cues, deliveries, requests: 0 })
    }

    /// The stage that it is played on.
    pub(super) fn stage(&self) -> &'s Stage<'s> {
        self.stage
    }

    /// When the next cue is.
    pub fn next_at(&self) -> Option<When> {
        self.cues.front().map(|cue| cue.at)
    }

    /// How many cues are left.
    pub fn cues_left(&self) -> usize {
        self.cues.len()
    }

    /// Plays the next cue, together with those that meet it at the counter. Returns how many were played.
    pub fn play_next(&mut self) -> anyhow::Result<usize> {
        let Some(cue) = self.cues.pop_front() else { return Ok(0) };
        self.stage.wait_until(cue.at);
        match cue.what {
            Event::Send(rank, parcel) => self.send(rank, parcel)?,
            Event::Count(rank, missing) => self.count(rank, missing)?,
            Event::HandOver(gift) => self.hand_over(*gift)?,
            Event::Present(first) => return self.present(cue.at, first),
            Event::Void(redemption, counter) => self.void(redemption, counter)?,
            Event::Settle(step) => money::play(self, step)?,
        }
        Ok(1)
    }

    fn send(&mut self, rank: usize, parcel: Parcel) -> anyhow::Result<()> {
        let sponsor = &self.world.cast.sponsor;
        let prescriber = self
            .world
            .prescribers
            .get(parcel.prescriber)
            .context("un prescripteur inconnu")?
            .organisation;
        let new =
            NewDelivery { prescriber, first_booklet: parcel.first, last_booklet: parcel.last };
        let (delivery, _) = self.stage.act(sponsor, |tx| delivery::send(tx, sponsor, new))?;
        self.deliveries.insert(rank, (delivery.number, parcel.prescriber));
        Ok(())
    }

    fn count(&mut self, rank: usize, missing: Option<BookletId>) -> anyhow::Result<()> {
        let (number, prescriber) = *self.deliveries.get(&rank).context("une livraison inconnue")?;
        let manager =
            self.world.prescribers.get(prescriber).context("un prescripteur inconnu")?.manager;
        let counted = Counted { missing_booklets: missing.into_iter().collect() };
        self.stage.act(&manager, |tx| delivery::acknowledge(tx, &manager, number, &counted))?;
        Ok(())
    }

    fn hand_over(&mut self, gift: Gift) -> anyhow::Result<()> {
        let agent =
            self.world.prescribers.get(gift.prescriber).context("un prescripteur inconnu")?.agent;
        let new = NewHandOver {
            booklet: gift.booklet,
            person: gift.person,
            insee_code: gift.insee_code,
            eligibility: gift.eligibility,
            proof: gift.proof,
            proof_dated_on: gift.proof_dated_on,
        };
        let told =
            self.stage.act(&agent, |tx| hand_over::hand_over(tx, &agent, self.stage.keys, &new));
        let counted = if gift.refusal.is_some() {
            &mut self.tally.hand_overs_refused
        } else {
            &mut self.tally.hand_overs
        };
        *counted = counted.saturating_add(1);
        as_written(told.map(|_| ()), gift.refusal)
            .with_context(|| format!("carnet {}", gift.booklet))
    }

    /// The pass presented, and all those presented in the same minute, in one transaction.
    fn present(&mut self, at: When, first: Presented) -> anyhow::Result<usize> {
        let mut presented = vec![first];
        while let Some(Cue { what: Event::Present(next), .. }) =
            self.cues.front().filter(|cue| cue.at == at && presented.len() < MAX_BATCH)
        {
            presented.push(*next);
            self.cues.pop_front();
        }
        let asks = presented
            .iter()
            .map(|presented| self.ask(presented))
            .collect::<anyhow::Result<Vec<Ask>>>()?;
        let admin = &self.world.cast.admin;
        let outcomes =
            self.stage.act(admin, |tx| redemption::redeem_all(tx, self.stage.keys, &asks))?;
        for (presented, outcome) in presented.iter().zip(outcomes) {
            let told = outcome.map(drop).map_err(Error::from);
            let counted = if presented.refusal.is_some() {
                &mut self.tally.refused
            } else {
                &mut self.tally.redemptions
            };
            *counted = counted.saturating_add(1);
            as_written(told, presented.refusal)
                .with_context(|| format!("pass {}", presented.pass))?;
        }
        Ok(presented.len())
    }

    fn ask(&mut self, presented: &Presented) -> anyhow::Result<Ask> {
        let Counter { site, actor, .. } = match presented.at {
            At::Counter(rank) => self.world.counters.get(rank),
            At::Stranger(rank) => self.world.strangers.get(rank),
        }
        .context("un lieu inconnu")?;
        let text = self.code(presented.pass, presented.code);
        self.requests = self.requests.saturating_add(1);
        let key = format!("demo-{}-{}", self.world.programme.code, self.requests);
        let body = serde_json::to_vec(
            &serde_json::json!({ "code": text, "service": presented.service, "site": site }),
        )?;
        let request = RequestKey::new(&key, "POST /api/v1/redemptions", &body)?;
        let code = PassCode::try_from(text).map_err(anyhow::Error::msg)?;
        Ok(Ask {
            actor: *actor,
            request,
            what: NewRedemption {
                code,
                service: presented.service,
                site: Some(*site),
                workshop: None,
            },
        })
    }

    /// What a scanner reads: the paper's code, or one that somebody made up.
    fn code(&self, pass: PassNumber, code: Code) -> String {
        match code {
            Code::Printed => self.papers.job.code(pass),
            Code::Forged => {
                PrintKey([0; 32]).code(pass).scannable(self.world.programme.code.as_str())
            }
        }
    }

    fn void(&mut self, redemption: RedemptionId, counter: usize) -> anyhow::Result<()> {
        let actor = self.world.counters.get(counter).context("un lieu inconnu")?.actor;
        let new = NewVoid { reason: line("Un pass scanné de trop (démonstration)")? };
        self.stage.act(&actor, |tx| redemption::void(tx, &actor, redemption, &new))?;
        self.tally.voids = self.tally.voids.saturating_add(1);
        Ok(())
    }
}

/// Holds an answer against the script: done where it says so, refused for that reason where it says so.
fn as_written(told: Result<()>, refusal: Option<&'static str>) -> anyhow::Result<()> {
    match (told, refusal) {
        (Ok(()), None) => Ok(()),
        (Ok(()), Some(code)) => bail!("accepté, alors qu'un refus {code} est attendu"),
        (Err(Error::Refused(refused)), Some(code)) => {
            ensure!(
                refused.code() == code,
                "refusé ({}), alors qu'un refus {code} est attendu",
                refused.code()
            );
            Ok(())
        }
        (Err(error), _) => Err(error.into()),
    }
}
