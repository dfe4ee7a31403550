//! Packet identifiers: which are in flight, and which must not be used again yet.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A result that came after its timeout must not be taken for that of a later packet with the same identifier.
const QUARANTINE: Duration = Duration::from_secs(300);

/// The identifiers of one connection: 1 to 65 535, each in use at most once.
#[derive(Debug, Default)]
pub(crate) struct PacketIds {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last: u16,
    busy: BTreeSet<u16>,
    /// Identifiers of unknown fate, with the time at which they may be used again; earliest first.
    resting: VecDeque<(Instant, u16)>,
}

/// An identifier in use. Dropping it frees it.
#[derive(Debug)]
pub(crate) struct PacketId {
    ids: Arc<PacketIds>,
    number: u16,
    rests: bool,
}

impl PacketIds {
    /// Takes the next free identifier; none if all 65 535 are in use.
    pub(crate) fn take(self: &Arc<Self>) -> Option<PacketId> {
        let now = Instant::now();
        let mut state = self.state();
        while let Some((until, number)) = state.resting.front().copied() {
            if until > now {
                break;
            }
            state.resting.pop_front();
            state.busy.remove(&number);
        }
        let last = state.last;
        let number =
            (1..=u16::MAX).map(|step| next(last, step)).find(|number| !state.busy.contains(number))?;
        state.last = number;
        state.busy.insert(number);
        drop(state);
        Some(PacketId { ids: Arc::clone(self), number, rests: false })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The identifier `step` places after `last`, leaving out 0.
fn next(last: u16, step: u16) -> u16 {
    let position = (u32::from(last) + u32::from(step) - 1) % u32::from(u16::MAX);
    u16::try_from(position + 1).unwrap_or(1)
}

impl PacketId {
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// Keeps the identifier out of use for a while, because its result may still come.
    pub(crate) fn quarantine(mut self) {
        self.rests = true;
    }
}

impl Drop for PacketId {
    fn drop(&mut self) {
        let mut state = self.ids.state();
        if self.rests {
            state.resting.push_back((Instant::now() + QUARANTINE, self.number));
        } else {
            state.busy.remove(&self.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_identifier_of_unknown_fate_rests() {
        let ids = Arc::new(PacketIds::default());
        let first = ids.take().unwrap();
        assert_eq!(first.number(), 1);
        first.quarantine();
        let others: Vec<_> = (2..=u16::MAX).map(|_| ids.take().unwrap()).collect();
        assert!(others.iter().all(|id| id.number() != 1));
        assert!(ids.take().is_none(), "1 is resting, and the others are in use");
        tokio::time::advance(QUARANTINE).await;
        assert_eq!(ids.take().unwrap().number(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn identifiers_follow_each_other_and_wrap_without_zero() {
        let ids = Arc::new(PacketIds::default());
        for expected in 1..=u16::MAX {
            assert_eq!(ids.take().unwrap().number(), expected);
        }
        assert_eq!(ids.take().unwrap().number(), 1);
    }
}
