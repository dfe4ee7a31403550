//! The state every vendor's firmware shares, and what firmware may ask of the machine.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::answer::Answer;
use crate::common::clock::Clock;
use crate::common::files::Files;
use crate::common::identity::Identity;
use crate::common::network::Network;
use crate::common::profile::Profile;
use crate::common::sim::Sim;
use crate::fault::{Action, FaultPlan, Hook};
use crate::link::{ConnectionNo, LinkRequest};
use crate::log::{Entry, Record};
use crate::mqtt::session::Session;
use crate::quirk::Quirk;
use crate::random::Random;

/// Everything about the module but its firmware and its command channel.
#[derive(Debug)]
pub(crate) struct Core {
    /// The time of the step that is being made.
    pub(crate) now: Instant,
    pub(crate) identity: Identity,
    pub(crate) profile: Profile,
    pub(crate) sim: Sim,
    pub(crate) network: Network,
    pub(crate) files: Files,
    pub(crate) clock: Clock,
    pub(crate) sessions: Vec<Session>,
    pub(crate) faults: FaultPlan,
    pub(crate) records: VecDeque<Record>,
    log_capacity: usize,
    pub(crate) rtt: Duration,
    /// Whether the network swallows all packets.
    pub(crate) black_hole: bool,
    /// Whether unsolicited lines and deferred results go to another port.
    pub(crate) muted: bool,
    pub(super) connections: Vec<Option<ConnectionNo>>,
    pub(super) next_connection: ConnectionNo,
    pub(super) tasks: BTreeMap<(Instant, u64), Task>,
    pub(super) emissions: VecDeque<Emission>,
    pub(super) finished: Option<(u64, Answer)>,
    pub(super) lost_contexts: Vec<u8>,
    /// Whether the module lost its registration and the firmware has not been told yet.
    pub(crate) registration_lost: bool,
    pub(super) requests: Vec<(ConnectionNo, LinkRequest)>,
    quirks: Vec<Quirk>,
    time_scale: u32,
    started: Instant,
    next_task: u64,
    random: Random,
}

/// Something the module says of its own accord.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Emission {
    /// The deferred result of a command.
    Result { serial_no: u64, line: Bytes },
    /// A deferred result that a fault has put off.
    Late { serial_no: u64, line: Bytes },
    /// An unsolicited line, printed between line ends.
    Urc(Bytes),
    /// Bytes that are printed as they are, for instance a message with counted parts.
    Raw(Bytes),
}

/// Something to be done later.
#[derive(Debug)]
pub(crate) enum Task {
    /// Go on with the command that is running.
    Command(super::executor::Continue),
    /// Say it now.
    Emit(Emission),
    /// Hand a request to the link: the outward half of the round trip is over.
    Outward(ConnectionNo, LinkRequest),
    /// Take an event from the link: the homeward half is over.
    Homeward(ConnectionNo, crate::link::LinkEvent),
    /// The module has started.
    Started,
    /// One line of the boot banner.
    Banner(Bytes),
    /// A timer of the firmware, with the number the firmware gave it.
    Firmware(u32),
    /// The SIM is put back.
    InsertSim,
    /// The network passes packets on again.
    EndBlackHole,
    Restart(crate::fault::Reboot),
    PowerOff,
}

/// What a new module is given.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) identity: Identity,
    pub(crate) sim: Sim,
    pub(crate) clients: usize,
    pub(crate) faults: FaultPlan,
    pub(crate) quirks: Vec<Quirk>,
    pub(crate) rtt: Duration,
    pub(crate) time_scale: u32,
    pub(crate) seed: u64,
    pub(crate) log_capacity: usize,
    /// What the clock shows; a fixed date if nothing is given.
    pub(crate) clock: Option<std::time::SystemTime>,
}

impl Core {
    pub(crate) fn new(setup: Setup, now: Instant) -> Self {
        Self {
            now,
            identity: setup.identity,
            profile: Profile::default(),
            sim: setup.sim,
            network: Network::default(),
            files: Files::default(),
            clock: Clock::new(now, setup.clock),
            sessions: (0..setup.clients).map(|_| Session::default()).collect(),
            faults: setup.faults,
            records: VecDeque::new(),
            log_capacity: setup.log_capacity,
            rtt: setup.rtt,
            black_hole: false,
            muted: false,
            connections: vec![None; setup.clients],
            next_connection: 1,
            tasks: BTreeMap::new(),
            emissions: VecDeque::new(),
            finished: None,
            lost_contexts: Vec::new(),
            registration_lost: false,
            requests: Vec::new(),
            quirks: setup.quirks,
            time_scale: setup.time_scale,
            started: now,
            next_task: 0,
            random: Random::new(setup.seed),
        }
    }

    /// Prints an unsolicited line as soon as no line or answer would be split by it.
    pub(crate) fn urc(&mut self, line: impl Into<Bytes>) {
        self.emissions.push_back(Emission::Urc(line.into()));
    }

    /// Prints unsolicited bytes, line ends included.
    pub(crate) fn raw(&mut self, bytes: impl Into<Bytes>) {
        self.emissions.push_back(Emission::Raw(bytes.into()));
    }

    /// Prints the deferred result of a command, after the command's final result.
    pub(crate) fn result(&mut self, serial_no: u64, line: impl Into<Bytes>) {
        self.emissions.push_back(Emission::Result { serial_no, line: line.into() });
    }

    /// Ends a command that was answered with `Answer::pending`.
    pub(crate) fn finish(&mut self, serial_no: u64, answer: Answer) {
        self.finished = Some((serial_no, answer));
    }

    /// Calls the firmware back with this number.
    pub(crate) fn call_back(&mut self, after: Duration, number: u32) {
        self.later(after, Task::Firmware(number));
    }

    /// Restarts the module after a while.
    pub(crate) fn restart_in(&mut self, after: Duration, how: crate::fault::Reboot) {
        self.later(after, Task::Restart(how));
    }

    /// Switches the module off after a while.
    pub(crate) fn power_off_in(&mut self, after: Duration) {
        self.later(after, Task::PowerOff);
    }

    /// Takes a context down and lets the firmware know.
    pub(crate) fn lose_context(&mut self, number: u8) {
        if self.network.is_active(number) {
            self.network.deactivate(number);
            self.lost_contexts.push(number);
        }
    }

    /// Takes all contexts down.
    pub(crate) fn lose_contexts(&mut self) {
        let numbers: Vec<u8> = self.network.contexts.keys().copied().collect();
        for number in numbers {
            self.lose_context(number);
        }
    }

    /// Breaks the connection of a client from the far side.
    pub(crate) fn break_connection(&mut self, client: usize) {
        if let Some(connection) = self.connections.get_mut(client).and_then(Option::take) {
            self.forget_late_results();
            self.requests.push((connection, LinkRequest::HangUp));
        }
        if let Some(session) = self.sessions.get_mut(client) {
            session.broken();
        }
    }

    /// A result that a fault has put off is not told after the end of a connection, because it may have been its; a
    /// module that tells it then would have mixed up its sessions.
    pub(super) fn forget_late_results(&mut self) {
        self.tasks.retain(|_, task| !matches!(task, Task::Emit(Emission::Late { .. })));
    }

    pub(crate) fn session(&mut self, client: usize) -> Option<&mut Session> {
        self.sessions.get_mut(client)
    }

    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// The first value that `pick` finds among the quirks.
    pub(crate) fn quirk<T>(&self, pick: impl Fn(&Quirk) -> Option<T>) -> Option<T> {
        self.quirks.iter().find_map(pick)
    }

    /// Whether a foreign line is to be printed between the header of a message and the bytes that it counts.
    pub(crate) fn interrupts_message(&mut self) -> bool {
        let struck = self.faults.due(Hook::InsideMessage, b"") == Some(Action::Chatter);
        if struck {
            self.record(Entry::Fault("chatter inside a message".to_owned()));
        }
        struck || self.has(Quirk::UrcInsideMessage)
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        tracing::debug!(note = text);
        self.record(Entry::Note(text));
    }

    pub(crate) fn record(&mut self, entry: Entry) {
        while self.records.len() >= self.log_capacity {
            self.records.pop_front();
        }
        self.records.push_back(Record { at: self.now.saturating_duration_since(self.started), entry });
    }

    pub(crate) fn time_scale(&self) -> u32 {
        self.time_scale
    }

    /// A time of the manual in the time of this run.
    pub(crate) fn scaled(&self, time: Duration) -> Duration {
        time.saturating_mul(self.time_scale)
    }

    /// Puts off a task; the delay is scaled.
    pub(crate) fn later(&mut self, after: Duration, task: Task) {
        self.later_unscaled(self.scaled(after), task);
    }

    /// Puts off a task by a time that is scaled already.
    pub(super) fn later_unscaled(&mut self, after: Duration, task: Task) {
        self.next_task += 1;
        self.tasks.insert((self.now + after, self.next_task), task);
    }

    /// The next task that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(Instant, Task)> {
        let entry = self.tasks.first_entry()?;
        let at = entry.key().0;
        if at <= now { Some((at, entry.remove())) } else { None }
    }

    /// A number below `bound`, the same sequence for the same seed.
    pub(crate) fn random_below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }
}
