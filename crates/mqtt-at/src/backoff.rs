//! How long to wait before the next try.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// Delays that double from try to try, each with some chance in it, so that a thousand gateways that lost the same
/// broker do not come back in the same second.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
    chance: Chance,
}

impl Backoff {
    /// `seed` makes the delays the same in every run; `None` draws one.
    pub(crate) fn new(first: Duration, longest: Duration, seed: Option<u64>) -> Self {
        let longest = longest.max(first);
        Self { first, longest, next: first, chance: Chance::new(seed) }
    }

    /// What to wait for now: between half of the present delay and all of it.
    pub(crate) fn delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(self.longest);
        self.chance.part_of(delay)
    }

    /// Begins with the first delay again.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// A delay of the given length, with the same chance in it.
    pub(crate) fn about(&mut self, delay: Duration) -> Duration {
        self.chance.part_of(delay)
    }
}

/// A small generator of chance (xorshift), which is enough to keep gateways apart.
#[derive(Debug, Clone)]
struct Chance(u64);

impl Chance {
    fn new(seed: Option<u64>) -> Self {
        // Whatever the seed, the state must not be 0.
        Self(seed.unwrap_or_else(|| RandomState::new().build_hasher().finish()) | 1)
    }

    fn part_of(&mut self, delay: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let permille = u32::try_from(self.0 % 501).unwrap_or_default();
        delay / 2 + delay * permille / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_begin_again_after_a_reset() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(20));
        let mut backoff = Backoff::new(first, longest, Some(7));
        for _ in 0..2 {
            for full in [1, 2, 4, 8, 16, 20, 20] {
                let (delay, full) = (backoff.delay(), Duration::from_secs(full));
                assert!(delay >= full / 2 && delay <= full, "{delay:?} of {full:?}");
            }
            backoff.reset();
        }
    }

    #[test]
    fn chance_keeps_gateways_apart_and_a_seed_keeps_runs_together() {
        let delays = |seed| {
            let mut backoff = Backoff::new(Duration::from_secs(8), Duration::from_secs(8), seed);
            (0..8).map(|_| backoff.delay()).collect::<Vec<_>>()
        };
        assert_eq!(delays(Some(3)), delays(Some(3)));
        assert_ne!(delays(Some(3)), delays(Some(5)));
        assert_ne!(delays(None), delays(None));
    }
}
