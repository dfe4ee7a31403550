//! What became of each message of a soak.

use std::io::Write;
use std::time::Duration;

use mqtt_at::{Error, Outcome, Published};
use serde::Serialize;

use crate::failure::Failure;
use crate::output;

/// The fate of every message, a few bits each: it grows by one byte with each message.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    fates: Vec<u8>,
    surplus: u64,
    counts: Counts,
}

/// What the library says of a publish.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Delivered { may_repeat: bool },
    Unknown,
    NotSent,
}

impl From<Result<Published, Error>> for End {
    fn from(outcome: Result<Published, Error>) -> Self {
        match outcome {
            Ok(published) => Self::Delivered { may_repeat: published.maybe_duplicate },
            Err(error) if error.outcome() == Outcome::Unknown => Self::Unknown,
            Err(_) => Self::NotSent,
        }
    }
}

/// Told by the publish.
const DELIVERED: u8 = 1;
const UNKNOWN: u8 = 2;
/// The publish said that there may be two of it.
const MAY_REPEAT: u8 = 4;
/// It came back.
const RECEIVED: u8 = 8;
/// It came back more than once.
const REPEATED: u8 = 16;
/// Told by the publish. Without a word of it, because the run was ended, it may have been sent all the same.
const NOT_SENT: u8 = 32;

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    delivered: u64,
    unknown: u64,
    not_sent: u64,
    received: u64,
}

impl Ledger {
    /// A message is about to be published; its number.
    pub(super) fn accept(&mut self) -> u64 {
        self.fates.push(0);
        self.fates.len() as u64 - 1
    }

    /// What its publish came to.
    pub(super) fn conclude(&mut self, number: u64, end: End) {
        let (fate, count) = match end {
            End::Delivered { may_repeat: true } => (DELIVERED | MAY_REPEAT, &mut self.counts.delivered),
            End::Delivered { may_repeat: false } => (DELIVERED, &mut self.counts.delivered),
            End::Unknown => (UNKNOWN, &mut self.counts.unknown),
            End::NotSent => (NOT_SENT, &mut self.counts.not_sent),
        };
        *count += 1;
        self.mark(number, fate);
    }

    /// It came back.
    pub(super) fn receive(&mut self, number: u64) {
        let Some(fate) = usize::try_from(number).ok().and_then(|at| self.fates.get_mut(at)) else {
            // Nobody published it in this run.
            self.surplus += 1;
            return;
        };
        if *fate & RECEIVED == 0 {
            self.counts.received += 1;
        }
        *fate |= if *fate & RECEIVED == 0 { RECEIVED } else { REPEATED };
    }

    /// Whether everything that was delivered has come back.
    pub(super) fn is_complete(&self) -> bool {
        self.lost() == 0
    }

    /// Delivered, by the word of the library, and never came back.
    fn lost(&self) -> u64 {
        self.count(|fate| fate & DELIVERED != 0 && fate & RECEIVED == 0)
    }

    fn count(&self, is_counted: impl Fn(u8) -> bool) -> u64 {
        self.fates.iter().filter(|fate| is_counted(**fate)).count() as u64
    }

    fn mark(&mut self, number: u64, fate: u8) {
        if let Some(kept) = usize::try_from(number).ok().and_then(|at| self.fates.get_mut(at)) {
            *kept |= fate;
        }
    }

    /// For the line on the terminal.
    pub(super) fn summary(&self, reconnects: u64) -> String {
        let Counts { delivered, unknown, not_sent, received } = self.counts;
        format!(
            "{} accepted, {delivered} delivered, {unknown} unknown, {not_sent} not sent, {received} back, {reconnects} \
             reconnects",
            self.fates.len()
        )
    }

    /// The balance.
    pub(super) fn balance(&self, run: Run) -> Balance {
        Balance {
            qos: run.qos,
            seconds: run.seconds,
            accepted: self.fates.len() as u64,
            delivered: self.counts.delivered,
            unknown: self.counts.unknown,
            not_sent: self.counts.not_sent,
            received: self.counts.received,
            lost: self.lost(),
            sent_unasked: self.surplus + self.count(|fate| fate & NOT_SENT != 0 && fate & RECEIVED != 0),
            duplicated: self.count(|fate| fate & REPEATED != 0),
            // Once more is once too often where the publish did not say so.
            duplicated_unannounced: self
                .count(|fate| fate & REPEATED != 0 && fate & (MAY_REPEAT | UNKNOWN) == 0),
            reconnects: run.reconnects,
            recoveries: run.recoveries,
            memory_slope_kib_per_hour: run.memory_slope,
        }
    }
}

/// What a balance says of the run as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) qos: u8,
    pub(super) seconds: f64,
    pub(super) reconnects: u64,
    pub(super) recoveries: u64,
    pub(super) memory_slope: Option<f64>,
}

/// The result of a soak.
#[derive(Debug, Serialize)]
pub(super) struct Balance {
    qos: u8,
    seconds: f64,
    accepted: u64,
    delivered: u64,
    unknown: u64,
    not_sent: u64,
    received: u64,
    lost: u64,
    sent_unasked: u64,
    duplicated: u64,
    duplicated_unannounced: u64,
    reconnects: u64,
    recoveries: u64,
    memory_slope_kib_per_hour: Option<f64>,
}

impl Balance {
    pub(super) fn print(&self, json: bool) -> Result<(), Failure> {
        if json {
            return output::print_json(self).map(drop);
        }
        let slope = self
            .memory_slope_kib_per_hour
            .map_or("not known".to_owned(), |slope| format!("{slope:.0} KiB/h"));
        let rows = [
            ("time", format!("{:.0} s", self.seconds)),
            ("accepted", self.accepted.to_string()),
            ("delivered", self.delivered.to_string()),
            ("unknown", self.unknown.to_string()),
            ("not sent", self.not_sent.to_string()),
            ("received", self.received.to_string()),
            ("lost", self.lost.to_string()),
            ("received though not sent", self.sent_unasked.to_string()),
            ("duplicated", self.duplicated.to_string()),
            ("duplicated unannounced", self.duplicated_unannounced.to_string()),
            ("reconnects", self.reconnects.to_string()),
            ("recoveries of the modem", self.recoveries.to_string()),
            ("memory slope", slope),
        ];
        output::print(|out| rows.iter().try_for_each(|(name, value)| writeln!(out, "{name}: {value}")))
            .map(drop)
    }

    /// Whether a promise was broken. With QoS 0 messages may be lost on the way back.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let broken = if self.qos > 0 { self.lost } else { 0 } + self.sent_unasked;
        if broken == 0 {
            return Ok(());
        }
        let what =
            format!("{} messages were lost, and {} came that were not sent", self.lost, self.sent_unasked);
        Err(Failure::failed(what, mqtt_at::Fault::Module)
            .remedy("`--record FILE` keeps the conversation for a report"))
    }
}

/// The memory that this process holds, and how it grows.
#[derive(Debug, Default)]
pub(super) struct Memory {
    samples: Vec<(f64, f64)>,
}

/// What is allocated in the beginning says nothing of the slope.
const WARM_UP: f64 = 0.2;
/// The shortest time, in seconds, of which a slope can be told.
const SHORTEST: f64 = 60.0;

impl Memory {
    /// Takes a sample, where the system tells.
    pub(super) fn sample(&mut self, since_start: Duration) {
        let Ok(text) = std::fs::read_to_string("/proc/self/status") else { return };
        let kib = text
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
        self.samples.extend(kib.map(|kib: f64| (since_start.as_secs_f64(), kib)));
    }

    /// KiB per hour, by least squares over all but the beginning; `None` for less than a minute, which tells nothing.
    pub(super) fn slope(&self) -> Option<f64> {
        let skipped = (self.samples.len() as f64 * WARM_UP) as usize;
        let samples = self.samples.get(skipped..).filter(|samples| samples.len() >= 3)?;
        let (first, last) = (samples.first()?, samples.last()?);
        if last.0 - first.0 < SHORTEST {
            return None;
        }
        let count = samples.len() as f64;
        let (time, memory) =
            samples.iter().fold((0.0, 0.0), |sum, it| (sum.0 + it.0 / count, sum.1 + it.1 / count));
        let covariance: f64 = samples.iter().map(|it| (it.0 - time) * (it.1 - memory)).sum();
        let variance: f64 = samples.iter().map(|it| (it.0 - time).powi(2)).sum();
        (variance > 0.0).then(|| covariance / variance * 3600.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Run = Run { qos: 1, seconds: 1.0, reconnects: 0, recoveries: 0, memory_slope: None };

    #[test]
    fn every_message_has_its_fate() {
        let mut ledger = Ledger::default();
        let numbers: Vec<_> = (0..4).map(|_| ledger.accept()).collect();
        for number in &numbers[..2] {
            ledger.conclude(*number, End::Delivered { may_repeat: false });
        }
        ledger.conclude(2, End::NotSent);
        ledger.receive(0);
        ledger.receive(0);
        assert!(!ledger.is_complete());
        let balance = ledger.balance(RUN);
        assert_eq!((balance.accepted, balance.delivered, balance.not_sent), (4, 2, 1));
        assert_eq!((balance.received, balance.lost, balance.duplicated), (1, 1, 1));
        assert!(balance.verdict().is_err());
        ledger.receive(1);
        assert!(ledger.is_complete() && ledger.balance(RUN).verdict().is_ok());
        // What was said not to be sent must not come, nor what was never published.
        ledger.receive(2);
        ledger.receive(99);
        assert_eq!(ledger.balance(RUN).sent_unasked, 2);
        // Of the last one nothing was said before the run was ended.
        ledger.receive(3);
        assert_eq!(ledger.balance(RUN).sent_unasked, 2);
        assert!(ledger.balance(RUN).verdict().is_err());
    }

    #[test]
    fn growth_is_told_from_a_level() {
        let slope = |memory: fn(f64) -> f64| {
            Memory { samples: (0..100).map(|at| (f64::from(at), memory(f64::from(at)))).collect() }
                .slope()
                .unwrap()
        };
        assert!(slope(|_| 5000.0).abs() < 1e-6);
        assert!((slope(|second| 5000.0 + second) - 3600.0).abs() < 1e-6);
        assert!(
            slope(|second| if second < 10.0 { 100.0 } else { 5000.0 }).abs() < 1e-6,
            "the beginning is not counted"
        );
        assert_eq!(Memory::default().slope(), None);
    }
}
