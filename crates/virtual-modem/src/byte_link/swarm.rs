//! Random faults of a line.

use std::time::Duration;

use bytes::Bytes;

use super::ByteAction;
use crate::random::Random;

/// Random faults of one direction, the same for the same seed.
///
/// Which actions there are is drawn first, half of all, and a mean distance between 50 and 50 000 bytes. One in fifty
/// is one that breaks the line, if there are such.
///
/// ```
/// use virtual_modem::{ByteAction, ByteFaults, ByteSwarm, Way};
///
/// // The same seed gives the same faults.
/// let swarm = ByteSwarm::new(7).only(|action| matches!(action, ByteAction::Drop(_) | ByteAction::Flip(_)));
/// let faults = ByteFaults::new().swarm(Way::ToHost, swarm);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteSwarm {
    random: Random,
    mean: u64,
    actions: Vec<ByteAction>,
    longest: Duration,
}

/// What can happen; numbers and times are drawn later.
const POSSIBLE: [ByteAction; 10] = [
    ByteAction::Drop(1),
    ByteAction::Drop(0),
    ByteAction::Flip(0),
    ByteAction::Duplicate,
    ByteAction::Insert(Bytes::new()),
    ByteAction::Split,
    ByteAction::Stall(Duration::ZERO),
    ByteAction::InputOutputError,
    ByteAction::NoSuchDevice,
    ByteAction::End,
];

/// How much rarer a break is than the rest.
const RARITY: u64 = 50;

impl ByteSwarm {
    /// Draws what can happen, and how often. [`ByteAction::Mute`] is not among it: nobody would ever notice.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mean = random.scaled(50, 50_000);
        let mut actions = POSSIBLE.to_vec();
        actions.retain(|_| random.below(2) == 0);
        Self { random, mean, actions, longest: Duration::from_secs(10) }
    }

    /// The same swarm without what is not wanted. Numbers and times of the actions are zero here.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&ByteAction) -> bool) -> Self {
        self.actions.retain(wanted);
        self
    }

    /// Bounds the time for which the line stands still. Default: 10 s.
    #[must_use]
    pub fn longest_stall(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    /// How many bytes pass before the next fault.
    pub(super) fn gap(&mut self) -> u64 {
        1 + self.random.below(self.mean * 2)
    }

    pub(super) fn draw(&mut self) -> Option<ByteAction> {
        let Self { random, actions, .. } = self;
        let count = u64::try_from(actions.len()).unwrap_or(0);
        let chosen = usize::try_from(random.below(count)).unwrap_or(0);
        let action = actions.get(chosen)?.clone();
        let breaks = matches!(
            action,
            ByteAction::InputOutputError | ByteAction::NoSuchDevice | ByteAction::End | ByteAction::Mute
        );
        if breaks && random.below(RARITY) != 0 {
            return None;
        }
        Some(match action {
            ByteAction::Drop(0) => ByteAction::Drop(usize::try_from(random.scaled(2, 64)).unwrap_or(2)),
            ByteAction::Flip(_) => ByteAction::Flip(1 << random.below(8)),
            ByteAction::Insert(_) => {
                let count = random.scaled(1, 32);
                let bytes = (0..count).map(|_| u8::try_from(random.below(256)).unwrap_or(0xFF));
                ByteAction::Insert(bytes.collect())
            }
            ByteAction::Stall(_) => {
                ByteAction::Stall(Duration::from_millis(random.scaled(1, 10_000)).min(self.longest))
            }
            other => other,
        })
    }
}
