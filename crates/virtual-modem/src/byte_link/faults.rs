//! The faults of a line: which byte of which direction they wait for, and what they do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::ByteSwarm;

/// A direction of the line.
///
/// [`ByteFaults`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// From the module to the host.
    ToHost,
    /// From the host to the module.
    ToModule,
}

/// What happens to the byte that comes to its place, or to the line just before it.
///
/// [`ByteFaults`] has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ByteAction {
    /// It is lost, with as many bytes behind it as the number says; 0 loses nothing.
    Drop(usize),
    /// These bits of it are turned over.
    Flip(u8),
    /// It comes twice.
    Duplicate,
    /// These bytes come before it.
    Insert(Bytes),
    /// What is before it and what is behind it come in different reads.
    Split,
    /// The line stands still before it.
    Stall(Duration),
    /// Reading and writing fail with EIO from here on.
    InputOutputError,
    /// Reading and writing fail with ENODEV from here on.
    NoSuchDevice,
    /// Reading gives nothing for ever, `Ok(0)`, and writing fails.
    End,
    /// Nothing comes any more, and what is written is lost; there is no error.
    Mute,
}

/// One fault of a line: a direction, a byte of it, and the action.
///
/// [`ByteFaults`] has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteFault {
    pub(super) way: Way,
    pub(super) position: u64,
    pub(super) action: ByteAction,
}

impl ByteFault {
    /// Does `action` at the byte with this number, counted from 0.
    #[must_use]
    pub fn new(way: Way, position: u64, action: ByteAction) -> Self {
        Self { way, position, action }
    }
}

/// All faults of a line. Clones are handles of the same faults; counting goes on when the line is opened again.
///
/// ```
/// use virtual_modem::{ByteAction, ByteFault, ByteFaults, Way};
///
/// let faults = ByteFaults::new().with(ByteFault::new(Way::ToHost, 17, ByteAction::Flip(0x20)));
/// assert!(faults.struck().is_empty(), "nothing has passed yet");
/// ```
#[derive(Debug, Clone, Default)]
pub struct ByteFaults {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    to_host: Lane,
    to_module: Lane,
    struck: BTreeMap<(&'static str, &'static str), u64>,
}

/// One direction.
#[derive(Debug, Default)]
struct Lane {
    passed: u64,
    /// The earliest first; of one byte's faults the first added first.
    scripted: Vec<(u64, ByteAction)>,
    swarm: Option<ByteSwarm>,
    /// Where the swarm strikes next.
    next: u64,
}

impl ByteFaults {
    /// A line without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same faults and one more.
    #[must_use]
    pub fn with(self, fault: ByteFault) -> Self {
        self.add(fault);
        self
    }

    /// The same faults, and random ones in this direction.
    #[must_use]
    pub fn swarm(self, way: Way, mut swarm: ByteSwarm) -> Self {
        let mut state = self.lock();
        let lane = state.lane(way);
        lane.next = lane.passed.saturating_add(swarm.gap());
        lane.swarm = Some(swarm);
        drop(state);
        self
    }

    /// Adds a fault; one for a byte that has passed already strikes at the next one.
    pub fn add(&self, fault: ByteFault) {
        let mut state = self.lock();
        let scripted = &mut state.lane(fault.way).scripted;
        let place = scripted.partition_point(|(position, _)| *position <= fault.position);
        scripted.insert(place, (fault.position, fault.action));
    }

    /// Takes all faults away, random ones included. What is broken stays broken.
    pub fn clear(&self) {
        let mut state = self.lock();
        for way in [Way::ToHost, Way::ToModule] {
            let lane = state.lane(way);
            lane.scripted.clear();
            lane.swarm = None;
        }
    }

    /// How many bytes have gone in this direction, lost ones included.
    #[must_use]
    pub fn passed(&self, way: Way) -> u64 {
        self.lock().lane(way).passed
    }

    /// How often each action has struck in each direction so far, under names such as `to-host:flip`.
    #[must_use]
    pub fn struck(&self) -> Vec<(String, u64)> {
        let state = self.lock();
        state.struck.iter().map(|((way, action), count)| (format!("{way}:{action}"), *count)).collect()
    }

    /// How many bytes come before the next fault.
    pub(super) fn gap(&self, way: Way) -> usize {
        let mut state = self.lock();
        let lane = state.lane(way);
        let position = lane.next_position();
        position
            .map_or(usize::MAX, |at| usize::try_from(at.saturating_sub(lane.passed)).unwrap_or(usize::MAX))
    }

    pub(super) fn pass(&self, way: Way, count: usize) {
        let mut state = self.lock();
        state.lane(way).passed += count as u64;
    }

    /// The fault that is due at the next byte.
    pub(super) fn take_due(&self, way: Way) -> Option<ByteAction> {
        let mut state = self.lock();
        let lane = state.lane(way);
        let scripted = lane.scripted.first().is_some_and(|(position, _)| *position <= lane.passed);
        let action = if scripted {
            Some(lane.scripted.remove(0).1)
        } else {
            let swarm = lane.swarm.as_mut().filter(|_| lane.next <= lane.passed);
            swarm.and_then(|swarm| {
                lane.next = lane.passed.saturating_add(swarm.gap());
                swarm.draw()
            })
        };
        if let Some(action) = &action {
            *state.struck.entry((way.name(), action.name())).or_default() += 1;
        }
        action
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of another holder is that test's failure; the counts are whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lane(&mut self, way: Way) -> &mut Lane {
        match way {
            Way::ToHost => &mut self.to_host,
            Way::ToModule => &mut self.to_module,
        }
    }
}

impl Lane {
    fn next_position(&self) -> Option<u64> {
        let scripted = self.scripted.first().map(|(position, _)| *position);
        scripted.into_iter().chain(self.swarm.as_ref().map(|_| self.next)).min()
    }
}
