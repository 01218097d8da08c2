//! Who guesses is slowed down: wrong codes are counted per site and per pass.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::db::wrong_tries::Tries;
use crate::db::{Tx, wrong_tries};
use crate::domain::{PassNumber, Refusal, SiteId, Timestamp};
use crate::error::Result;

/// How long wrong tries count.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// One site on one pass: a person types again what was misread, five times at most.
const MAX_AT_SITE_ON_PASS: i32 = 5;
/// One pass anywhere: more than one site's worth, so that a stranger's guesses alone don't block its holder.
const MAX_ON_PASS: i32 = 15;
/// One site on any pass: a workshop of clumsy typists.
const MAX_AT_SITE: i32 = 30;

/// The wrong tries that a batch must know of: those since [`window_start`].
pub(super) struct Brake(pub Vec<Tries>);

impl Brake {
    /// One more, for the requests behind it in the batch.
    pub fn note(&mut self, site: SiteId, pass: PassNumber) {
        self.0.push(Tries { site, pass, tries: 1 });
    }

    /// Refuses when too many codes were wrong.
    pub fn ensure_free(&self, site: SiteId, pass: PassNumber) -> Result<(), Refusal> {
        let sum = |counts: &dyn Fn(&Tries) -> bool| {
            self.0.iter().filter(|tries| counts(tries)).map(|tries| tries.tries).sum::<i32>()
        };
        let is_braked = sum(&|tries| tries.site == site && tries.pass == pass)
            >= MAX_AT_SITE_ON_PASS
            || sum(&|tries| tries.pass == pass) >= MAX_ON_PASS
            || sum(&|tries| tries.site == site) >= MAX_AT_SITE;
        if is_braked {
            Err(Refusal::TooManyTries {
                retry_after_seconds: WINDOW.num_seconds().unsigned_abs().try_into().unwrap_or(900),
            })
        } else {
            Ok(())
        }
    }
}

/// Counts wrong tries.
pub(super) fn count(tx: &mut Tx<'_>, wrong: &[(SiteId, PassNumber)]) -> Result<()> {
    let mut tries: BTreeMap<(SiteId, PassNumber), i32> = BTreeMap::new();
    for key in wrong {
        let n = tries.entry(*key).or_default();
        *n = n.saturating_add(1);
    }
    if tries.is_empty() {
        return Ok(());
    }
    let start = window_start(tx);
    wrong_tries::count(tx, &tries, start)
}

/// Since when wrong tries count.
pub(super) fn window_start(tx: &Tx<'_>) -> Timestamp {
    tx.now.checked_sub_signed(WINDOW).unwrap_or(tx.now)
}
