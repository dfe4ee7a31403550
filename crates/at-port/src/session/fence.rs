//! The fence: how the link is brought back into step after a doubt.
//!
//! After a lost answer the next answer on the wire may belong to a command of the past, and nothing in an
//! `OK` says which. A module answers in order, one answer per command; so a command whose *information line*
//! no earlier command can have produced marks the point behind which everything is new. A bare `AT` is no
//! such command, because its `OK` looks like the late one; and each further try needs another name, because
//! the first probe's answer may be on its way, too. Only the last probe's answer counts.

use std::time::Duration;

use at_codec::Fields;
use tokio::time::Instant;

use super::SessionOptions;
use crate::reply::FinalResult;
use crate::rules::Probe;

/// A fence under way.
#[derive(Debug)]
pub(super) struct Fence {
    probes: &'static [Probe],
    /// How long each probe is waited for.
    patience: Vec<Duration>,
    /// The command in doubt, whose name no probe may have.
    suspect: Option<String>,
    quiet: Duration,
    quiet_cap: Duration,
    sent: u32,
    /// Position in `probes` of the next one.
    next: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waiting for silence, at the longest until `cap`.
    Quiet { until: Instant, cap: Instant },
    /// Writing a probe.
    Writing { probe: Probe, sent: usize },
    /// Waiting for the probe's information line and then its `OK`.
    Probing { probe: Probe, until: Instant, recognised: bool },
}

/// What a line means for the fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It belongs to the answer of a probe, or of a command of the past.
    Discarded,
    /// The link is proven.
    Passed,
    /// Not an answer.
    No,
}

/// A refused probe makes way for the next one after this time; what refused may have been an earlier command.
const AFTER_REFUSAL: Duration = Duration::from_millis(250);

impl Fence {
    /// A fence that sends its first probe when the line has been quiet until `first`.
    pub(super) fn new(
        probes: &'static [Probe],
        patience: Vec<Duration>,
        suspect: Option<&str>,
        first: Instant,
        options: &SessionOptions,
        now: Instant,
    ) -> Self {
        let cap = first.max(now + options.quiet_cap);
        Self {
            probes,
            patience,
            suspect: suspect.map(str::to_owned),
            quiet: options.quiet,
            quiet_cap: options.quiet_cap,
            sent: 0,
            next: 0,
            stage: Stage::Quiet { until: first, cap },
        }
    }

    pub(super) fn probes_sent(&self) -> u32 {
        self.sent
    }

    /// The bytes of a probe that are to be written.
    pub(super) fn unsent(&mut self, now: Instant) -> Option<&[u8]> {
        if matches!(self.stage, Stage::Quiet { until, cap } if until.min(cap) <= now) {
            let probe = self.next_probe()?;
            self.sent += 1;
            self.stage = Stage::Writing { probe, sent: 0 };
        }
        match &self.stage {
            Stage::Writing { probe, sent } => probe.line.get(*sent..),
            Stage::Quiet { .. } | Stage::Probing { .. } => None,
        }
    }

    /// The next name in the list that the command in doubt does not have.
    fn next_probe(&mut self) -> Option<Probe> {
        for _ in 0..self.probes.len() {
            let probe = self.probes.get(self.next % self.probes.len()).copied()?;
            self.next += 1;
            if self.suspect.as_deref() != Some(probe.name) {
                return Some(probe);
            }
        }
        None
    }

    /// Takes note of bytes written; gives the probe when it was its first byte.
    pub(super) fn handle_sent(&mut self, now: Instant, count: usize) -> Option<&'static [u8]> {
        let Stage::Writing { probe, sent } = self.stage else { return None };
        let total = sent + count;
        self.stage = if total < probe.line.len() {
            Stage::Writing { probe, sent: total }
        } else {
            Stage::Probing { probe, until: now + self.patience_now(), recognised: false }
        };
        (sent == 0).then_some(probe.line)
    }

    fn patience_now(&self) -> Duration {
        let position = (self.sent as usize).saturating_sub(1).min(self.patience.len().saturating_sub(1));
        self.patience.get(position).copied().unwrap_or(Duration::from_secs(1))
    }

    /// Something was received, so the line is not quiet.
    pub(super) fn handle_bytes(&mut self, now: Instant) {
        if let Stage::Quiet { until, .. } = &mut self.stage {
            *until = (*until).max(now + self.quiet);
        }
    }

    /// Offers a line that is neither a report nor a deferred result.
    pub(super) fn offer(&mut self, now: Instant, line: &[u8], is_final: Option<&FinalResult>) -> Taken {
        match (&mut self.stage, is_final) {
            (Stage::Probing { recognised: true, .. }, Some(FinalResult::Ok)) => Taken::Passed,
            (Stage::Probing { until, .. }, Some(result)) => {
                if !result.is_success() {
                    *until = (*until).min(now + AFTER_REFUSAL);
                }
                Taken::Discarded
            }
            (Stage::Probing { probe, recognised, .. }, None) if Fields::of(line, probe.name).is_some() => {
                *recognised = true;
                Taken::Discarded
            }
            (_, Some(_)) => Taken::Discarded,
            (_, None) => Taken::No,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Quiet { until, cap } => Some(until.min(cap)),
            Stage::Probing { until, .. } => Some(until),
            Stage::Writing { .. } => None,
        }
    }

    /// Moves on when a probe was not answered; gives the number of probes when it was the last one.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<u32> {
        match self.stage {
            Stage::Probing { until, .. } if until <= now => {
                self.stage = Stage::Quiet { until: now, cap: now + self.quiet_cap };
                (self.sent as usize >= self.patience.len()).then_some(self.sent)
            }
            _ => None,
        }
    }

    /// The module reported that it has started: what was sent before is lost, and the count begins again.
    pub(super) fn restart(&mut self, now: Instant) {
        self.sent = 0;
        self.stage = Stage::Quiet { until: now + self.quiet, cap: now + self.quiet_cap };
    }
}
