//! Everything that happened in a run: for the checks, for the hash, and for who reads a failure.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use mqtt_at::at::{Tap, TapEntry};
use mqtt_at::{Error, Outcome, Published, QoS};
use tokio::time::Instant;

use crate::gate::Gate;

/// How many events a failure shows.
const SHOWN: usize = 200;

/// A credential that must be seen nowhere.
pub const CANARY: &str = "canary-5e81";

/// Shared by all tasks of a run.
#[derive(Clone)]
pub struct History {
    state: Arc<Mutex<State>>,
}

struct State {
    start: Instant,
    keeps_all: bool,
    hasher: DefaultHasher,
    events: VecDeque<Event>,
    attempts: Vec<Attempt>,
    written: Vec<Bytes>,
    violation: Option<String>,
    counts: Counts,
    gate: Gate,
}

/// How often things happened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub delivered: u64,
    pub not_sent: u64,
    pub unknown: u64,
    pub cancelled: u64,
    pub received: u64,
    pub connections: u64,
    pub openings: u64,
    pub probes: u64,
    pub queries: u64,
}

/// A publish.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub client: usize,
    pub qos: QoS,
    pub topic: String,
    pub payload: Bytes,
    pub outcome: Option<Told>,
    /// What the library said of its delivery.
    pub published: Option<Published>,
}

/// What the caller was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Delivered,
    NotSent,
    Unknown,
    /// The caller did not wait.
    Cancelled,
}

struct Event {
    at: Duration,
    kind: &'static str,
    bytes: Bytes,
}

impl History {
    pub fn new(keeps_all: bool) -> Self {
        let state = State {
            start: Instant::now(),
            keeps_all,
            hasher: DefaultHasher::new(),
            events: VecDeque::new(),
            attempts: Vec::new(),
            written: Vec::new(),
            violation: None,
            counts: Counts::default(),
            gate: Gate::default(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    pub fn note(&self, kind: &'static str, bytes: impl Into<Bytes>) {
        self.lock().note(kind, bytes.into());
    }

    /// Takes note of something that is shown to users, and must not hold a credential.
    pub fn tell(&self, kind: &'static str, shown: &dyn fmt::Debug) {
        let text = format!("{shown:?}");
        if text.contains(CANARY) {
            self.violate(format!("I10: a credential is shown: {text}"));
        }
        self.note(kind, text);
    }

    /// A new port takes the place of another.
    pub fn new_port(&self) {
        self.lock().gate.close();
    }

    /// A promise is broken. The first one counts.
    pub fn violate(&self, what: impl Into<String>) {
        let what = what.into();
        let mut state = self.lock();
        state.note("VIOLATION", what.clone().into());
        state.violation.get_or_insert(what);
    }

    pub fn violation(&self) -> Option<String> {
        self.lock().violation.clone()
    }

    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.lock().counts);
    }

    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Begins a publish; the number is for [`conclude`](Self::conclude).
    pub fn attempt(&self, attempt: Attempt) -> usize {
        let mut state = self.lock();
        let number = state.attempts.len();
        let head = format!(
            "{number}: client {}, {:?}, {}, {} bytes",
            attempt.client,
            attempt.qos,
            attempt.topic,
            attempt.payload.len()
        );
        state.note("publish", head.into());
        state.attempts.push(attempt);
        number
    }

    /// Ends a publish.
    pub fn conclude(&self, number: usize, result: Option<&Result<Published, Error>>) -> Told {
        let told = match result {
            None => Told::Cancelled,
            Some(Ok(_)) => Told::Delivered,
            Some(Err(error)) if error.outcome() == Outcome::NotSent => Told::NotSent,
            Some(Err(_)) => Told::Unknown,
        };
        self.tell("outcome", &(number, told, result.and_then(|result| result.as_ref().err())));
        let mut state = self.lock();
        let Counts { delivered, not_sent, unknown, cancelled, .. } = &mut state.counts;
        *match told {
            Told::Delivered => delivered,
            Told::NotSent => not_sent,
            Told::Unknown => unknown,
            Told::Cancelled => cancelled,
        } += 1;
        state.attempts[number].outcome = Some(told);
        state.attempts[number].published = result.and_then(|result| result.as_ref().ok()).copied();
        told
    }

    /// The number that the next publish gets.
    pub fn next_attempt(&self) -> usize {
        self.lock().attempts.len()
    }

    pub fn attempt_of(&self, number: usize) -> Attempt {
        self.lock().attempts[number].clone()
    }

    pub fn attempts(&self) -> Vec<Attempt> {
        self.lock().attempts.clone()
    }

    /// The command lines that the library wrote, as they were meant.
    pub fn written(&self) -> Vec<Bytes> {
        self.lock().written.clone()
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.lock().start.elapsed()
    }

    pub fn keeps_all(&self) -> bool {
        self.lock().keeps_all
    }

    pub fn hash(&self) -> u64 {
        self.lock().hasher.finish()
    }

    pub fn events(&self) -> Vec<(Duration, String)> {
        let state = self.lock();
        let show = |event: &Event| (event.at, format!("{:<9} {}", event.kind, event.bytes.escape_ascii()));
        state.events.iter().map(show).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, kind: &'static str, bytes: Bytes) {
        let at = self.start.elapsed();
        (at, kind, &bytes[..]).hash(&mut self.hasher);
        if self.events.len() >= SHOWN && !self.keeps_all {
            self.events.pop_front();
        }
        self.events.push_back(Event { at, kind, bytes });
    }
}

/// A command line without `AT` and its end.
fn command(line: &[u8]) -> Bytes {
    Bytes::copy_from_slice(line.strip_prefix(b"AT").unwrap_or(line).trim_ascii_end())
}

impl Tap for History {
    fn note(&mut self, entry: TapEntry<'_>) {
        if let TapEntry::Command(line) | TapEntry::Echo(line) = entry
            && line.has_secret()
            && (line.to_string().contains(CANARY) || format!("{entry:?}").contains(CANARY))
        {
            self.violate("I10: a transcript shows a credential");
        }
        let mut state = self.lock();
        if let Some(problem) = state.gate.pass(&entry) {
            state.note("VIOLATION", problem.into());
            state.violation.get_or_insert_with(|| problem.to_owned());
        }
        match entry {
            TapEntry::Command(line) => {
                state.written.push(command(line.body()));
                state.note(">>", Bytes::copy_from_slice(line.body()));
            }
            TapEntry::Probe(line) => {
                state.written.push(command(line));
                state.counts.probes += 1;
                state.note(">> probe", Bytes::copy_from_slice(line));
            }
            TapEntry::Data(data) => state.note(">> data", Bytes::copy_from_slice(data)),
            TapEntry::SecretData { bytes } => state.note(">> data", format!("{bytes} secret").into()),
            TapEntry::Echo(line) => state.note("<< echo", Bytes::copy_from_slice(line.body())),
            TapEntry::Line(line) => {
                if line.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()) {
                    drop(state);
                    self.violate("I10: a transcript shows a line with a credential");
                    return;
                }
                state.note("<<", Bytes::copy_from_slice(line));
            }
            TapEntry::SecretLine => state.note("<<", Bytes::from_static(b"***")),
            TapEntry::Prompt => state.note("<< prompt", Bytes::new()),
            TapEntry::Dropped { bytes } => state.note("<< lost", format!("{bytes} bytes").into()),
            _ => {}
        }
    }
}
