//! The one place that reads the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, SubsecRound, Utc};

use crate::domain::Timestamp;

/// Where a transaction's instant comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is set: a year of life in a minute.
    Test(Arc<AtomicI64>),
}

impl Clock {
    /// A test clock standing at `at`.
    pub fn test(at: Timestamp) -> Self {
        Self::Test(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// The instant, to the microsecond that PostgreSQL keeps.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Utc::now().trunc_subsecs(6),
            Self::Test(micros) => {
                DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }

    /// Puts a test clock at `at`; the machine's clock is left alone.
    pub fn set(&self, at: Timestamp) {
        if let Self::Test(micros) = self {
            micros.store(at.timestamp_micros(), Ordering::SeqCst);
        }
    }
}
