//! Brakes: how many requests an address, an account, a site and a programme may send. In this process
//! alone: N processes let N times as many through.
//!
//! Each limit is a table of fixed size, whoever calls: nobody can fill the memory. A cell holds when its
//! bucket will be full again (the generic cell rate algorithm: one atomic word, no lock, no thread that
//! refills). A key has one cell in each of two rows and is refused only when both refuse, so whoever
//! shares a cell with a flood is let through by the other.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Cells of a row: half a megabyte for each limit.
const CELLS: usize = 32_768;
const NANOS: u64 = 1_000_000_000;

/// So many at once, and so many a second from there on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    /// Its name in `RateLimit` and `RateLimit-Policy`.
    pub name: &'static str,
    /// Requests a second, on average.
    pub per_second: u64,
    /// Requests at once.
    pub burst: u64,
}

/// Requests without a good token, by address (a whole /64 in IPv6).
const ADDRESS: Policy = Policy { name: "address", per_second: 200, burst: 2_000 };
/// Sign-ins, by address: a prefecture may sign in behind one, a guesser gets nowhere.
const SIGN_IN: Policy = Policy { name: "sign-in", per_second: 2, burst: 240 };
/// Requests of an account or an API key.
const ACCOUNT: Policy = Policy { name: "account", per_second: 500, burst: 1_000 };
/// Requests of a site's people and keys.
const SITE: Policy = Policy { name: "site", per_second: 1_000, burst: 2_000 };
/// Requests of a whole programme: no region takes the service from another.
const PROGRAMME: Policy = Policy { name: "programme", per_second: 40_000, burst: 80_000 };

/// Every limit.
pub(super) struct Limits {
    pub address: Limit,
    pub sign_in: Limit,
    pub account: Limit,
    pub site: Limit,
    pub programme: Limit,
}

impl Limits {
    /// All of them, multiplied.
    pub fn times(factor: u32) -> Self {
        let limit = |policy: Policy| Limit::new(policy, factor.max(1).into());
        Self {
            address: limit(ADDRESS),
            sign_in: limit(SIGN_IN),
            account: limit(ACCOUNT),
            site: limit(SITE),
            programme: limit(PROGRAMME),
        }
    }
}

/// One limit, and how full each bucket is.
pub(super) struct Limit {
    policy: Policy,
    rows: [Row; 2],
    began: Instant,
}

struct Row {
    cells: Box<[AtomicU64]>,
    /// Drawn anew by each process: nobody can aim at somebody else's cell.
    hasher: RandomState,
}

/// What is left after a request, or how long to wait for the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Left {
    policy: Policy,
    requests: u64,
    /// Nanoseconds: until the next request would be let through; 0 when this one was.
    wait: u64,
}

impl Left {
    /// Seconds to wait, at least 1, for one that is refused.
    pub fn retry_after_seconds(&self) -> Option<u32> {
        let seconds = u32::try_from(self.wait.div_ceil(NANOS)).unwrap_or(u32::MAX);
        (self.wait > 0).then_some(seconds)
    }

    /// The one of two that refuses, or leaves less by share of its burst.
    pub fn tighter(self, other: Self) -> Self {
        let room = |left: &Self, of: &Self| {
            (left.wait == 0, left.requests.saturating_mul(of.policy.burst))
        };
        if room(&other, &self) < room(&self, &other) { other } else { self }
    }

    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    pub fn headers(&self) -> [(&'static str, String); 2] {
        let Policy { name, per_second, burst } = self.policy;
        let window = burst.div_ceil(per_second.max(1));
        let reset = self.wait.div_ceil(NANOS).max(1);
        [
            ("ratelimit", format!("\"{name}\";r={};t={reset}", self.requests)),
            ("ratelimit-policy", format!("\"{name}\";q={burst};w={window}")),
        ]
    }
}

impl Limit {
    fn new(policy: Policy, factor: u64) -> Self {
        let policy = Policy {
            per_second: policy.per_second.saturating_mul(factor),
            burst: policy.burst.saturating_mul(factor),
            ..policy
        };
        let row = || Row {
            cells: (0..CELLS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        };
        Self { policy, rows: [row(), row()], began: Instant::now() }
    }

    /// Takes one request out of a key's bucket.
    pub fn take(&self, key: impl Hash) -> Left {
        self.take_at(&key, u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn take_at(&self, key: &impl Hash, now: u64) -> Left {
        let each = NANOS.checked_div(self.policy.per_second).unwrap_or(NANOS);
        let room = each.saturating_mul(self.policy.burst);
        let [one, other] = self.rows.each_ref().map(|row| row.take(key, now, each, room));
        let (used, wait) = match (one, other) {
            (Ok(one), Ok(other)) => (one.min(other), 0),
            (Ok(used), Err(_)) | (Err(_), Ok(used)) => (used, 0),
            (Err(one), Err(other)) => (room, one.min(other).max(1)),
        };
        let requests = room.saturating_sub(used).checked_div(each).unwrap_or(0);
        Left { policy: self.policy, requests, wait }
    }
}

impl Row {
    /// How much of the room is used once this request is taken; how long until it could be, when not.
    fn take(&self, key: &impl Hash, now: u64, each: u64, room: u64) -> Result<u64, u64> {
        let hash = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or(0);
        let Some(cell) = self.cells.get(hash % CELLS) else { return Ok(0) };
        let used = |full_at: u64| full_at.max(now).saturating_add(each).saturating_sub(now);
        let taken = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            (used(full_at) <= room).then(|| full_at.max(now).saturating_add(each))
        });
        match taken {
            Ok(before) => Ok(used(before)),
            Err(full_at) => Err(used(full_at).saturating_sub(room)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit() -> Limit {
        Limit::new(Policy { name: "test", per_second: 10, burst: 5 }, 1)
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let limit = limit();
        for left in (0..5).rev() {
            let taken = limit.take_at(&"a", 0);
            assert_eq!((taken.requests, taken.retry_after_seconds()), (left, None));
        }
        let refused = limit.take_at(&"a", 0);
        assert_eq!((refused.requests, refused.retry_after_seconds()), (0, Some(1)));
        assert_eq!(
            refused.headers().map(|(_, value)| value),
            ["\"test\";r=0;t=1", "\"test\";q=5;w=1"]
        );
        // A tenth of a second later there is room for one.
        assert!(limit.take_at(&"a", NANOS / 10).retry_after_seconds().is_none());
        assert!(limit.take_at(&"a", NANOS / 10).retry_after_seconds().is_some());
        assert_eq!(limit.take_at(&"a", 10 * NANOS).requests, 4);
    }

    #[test]
    fn a_flood_leaves_others_alone() {
        let limit = limit();
        for key in 0..500 {
            for _ in 0..20 {
                limit.take_at(&key, 0);
            }
        }
        let refused = (1_000..6_000)
            .filter(|key| limit.take_at(key, 0).retry_after_seconds().is_some())
            .count();
        assert!(refused < 25, "{refused} of 5,000 were braked for what others did");
    }

    #[test]
    fn what_leaves_less_is_told() {
        let (large, small) = (
            Limit::new(Policy { name: "large", per_second: 10, burst: 1_000 }, 1),
            Limit::new(Policy { name: "small", per_second: 10, burst: 10 }, 1),
        );
        let tighter = large.take(1).tighter(small.take(1));
        assert_eq!(tighter.policy.name, "small");
        let tighter = small.take(2).tighter(large.take(2));
        assert_eq!(tighter.policy.name, "small");
        // The last of one leaves as little as the other's refusal, and is none.
        for _ in 0..9 {
            small.take_at(&3, 0);
        }
        for _ in 0..1_000 {
            large.take_at(&3, 0);
        }
        let (last, refused) = (small.take_at(&3, 0), large.take_at(&3, 0));
        assert_eq!(last.tighter(refused).policy.name, "large");
    }
}
