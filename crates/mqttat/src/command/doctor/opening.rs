//! What opening a module shows, seen by a witness.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mqtt_at::Step;
use mqtt_at::at::{Tap, TapEntry};

/// Commands with which an opening closes what an earlier program left, between asking who the module is and the SIM. Those
/// that end a service without clients are not among them.
const CLOSING: &[&str] = &[
    "AT+QMTDISC",
    "AT+QMTCLOSE",
    "AT+CMQTTDISC",
    "AT+CMQTTREL",
    "AT+MQTTDISCONN",
    "AT+MQTTCLOSE",
    "AT+CLOUDDISCONN",
    "AT+MQTTCLEAN",
];

/// Sees the conversation and the steps of an opening.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    seen: Arc<Mutex<Seen>>,
}

/// What a witness has seen.
#[derive(Debug)]
pub(super) struct Seen {
    start: Instant,
    /// How long the module took to answer in step.
    pub(super) answered_after: Option<Duration>,
    /// Whether it repeated what it was sent.
    pub(super) echo: bool,
    /// The commands that closed what was left, and were not refused.
    pub(super) closed: Vec<String>,
    /// The command of that kind whose answer is still to come.
    closing: Option<String>,
    /// The last step that was begun.
    pub(super) last: Option<Step>,
}

impl Witness {
    pub(super) fn new() -> Self {
        let start = Instant::now();
        let seen =
            Seen { start, answered_after: None, echo: false, closed: Vec::new(), closing: None, last: None };
        Self { seen: Arc::new(Mutex::new(seen)) }
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A witness that has seen the same and takes no note of what follows.
    pub(super) fn silent(&self) -> Self {
        let seen = self.seen();
        let seen = Seen { closed: seen.closed.clone(), closing: None, last: seen.last.clone(), ..*seen };
        Self { seen: Arc::new(Mutex::new(seen)) }
    }

    pub(super) fn step(&self, step: &Step) {
        let mut seen = self.seen();
        if *step == Step::Identify {
            seen.answered_after = Some(seen.start.elapsed());
        }
        seen.last = Some(step.clone());
    }
}

impl Tap for Witness {
    fn note(&mut self, entry: TapEntry<'_>) {
        match entry {
            TapEntry::Echo(_) => self.seen().echo = true,
            TapEntry::Command(command) => {
                let line = command.to_string();
                let name = line.split('=').next().unwrap_or_default();
                // Reading closes nothing.
                let closes = CLOSING.contains(&name) && !line.ends_with('?');
                let mut seen = self.seen();
                let is_early = seen.last == Some(Step::Identify);
                seen.closing = Some(line).filter(|_| closes && is_early);
            }
            // What is refused was not there.
            TapEntry::Line(line) if **line == b"OK"[..] => {
                let mut seen = self.seen();
                if let Some(command) = seen.closing.take() {
                    seen.closed.push(command);
                }
            }
            _ => {}
        }
    }
}
