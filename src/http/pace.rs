//! A bound on what anyone may ask without being known: so many times a second, all taken together.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Problem;

/// A tenth of what one core can verify.
const MAX_PER_SECOND: u32 = 200;

/// How many have come in the second that runs.
#[derive(Default)]
pub(super) struct Pace(Mutex<Option<(Instant, u32)>>);

impl Pace {
    /// Takes one more, or says to come back.
    pub fn take(&self) -> Result<(), Problem> {
        if self.take_at(Instant::now()) {
            Ok(())
        } else {
            Err(Problem::busy("too many verifications in a second"))
        }
    }

    fn take_at(&self, now: Instant) -> bool {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, taken) = running
            .filter(|(began, _)| now.saturating_duration_since(*began) < Duration::from_secs(1))
            .unwrap_or((now, 0));
        *running = Some((began, taken.saturating_add(1)));
        taken < MAX_PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_past_the_bound_waits_for_the_next_second() {
        let (pace, now) = (Pace::default(), Instant::now());
        assert!((0..MAX_PER_SECOND).all(|_| pace.take_at(now)));
        assert!(!pace.take_at(now));
        assert!(pace.take_at(now.checked_add(Duration::from_secs(1)).unwrap()));
    }
}
