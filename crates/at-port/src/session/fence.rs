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
    /// The first choice among the probes; the rest are [`Probe::STANDARD`].
    probes: &'static [Probe],
    /// How long each probe is waited for.
    patience: Vec<Duration>,
    /// What the command in doubt may answer with: no probe may have a name that occurs in it.
    suspect: String,
    /// The names of the probes sent so far.
    used: Vec<&'static str>,
    /// Names whose answers may still come from before this port was opened: they are chosen last.
    shunned: Vec<&'static str>,
    quiet: Duration,
    quiet_cap: Duration,
    sent: u32,
    /// When bytes were received last, as far as the fence knows.
    heard: Instant,
    /// Whether the module may take a probe for data, until it answers.
    in_data: bool,
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
    /// It repeats the probe.
    Echo,
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
        suspect: String,
        first: Instant,
        options: &SessionOptions,
        now: Instant,
    ) -> Self {
        let cap = first.max(now + options.quiet_cap);
        Self {
            probes,
            patience,
            suspect,
            used: Vec::new(),
            shunned: Vec::new(),
            quiet: options.quiet,
            quiet_cap: options.quiet_cap,
            sent: 0,
            heard: now,
            in_data: false,
            stage: Stage::Quiet { until: first, cap },
        }
    }

    /// Chooses other names than these, as long as there are others. A port that is opened again does not empty the
    /// module's queue: it may yet answer what a former port had asked.
    pub(super) fn shun(&mut self, names: Vec<&'static str>) {
        self.shunned = names;
    }

    /// The names whose answers may still come.
    pub(super) fn unanswered(&self) -> Vec<&'static str> {
        let earlier = self.shunned.iter().filter(|name| !self.used.contains(name));
        earlier.chain(&self.used).copied().collect()
    }

    /// Sends nothing before `until`, because the module may take it for data, unless it answers sooner.
    pub(super) fn hold(&mut self, until: Instant) {
        if let Stage::Quiet { until: quiet, cap } = &mut self.stage {
            *quiet = (*quiet).max(until);
            *cap = (*cap).max(until);
            self.in_data = true;
        }
    }

    pub(super) fn probes_sent(&self) -> u32 {
        self.sent
    }

    /// Whether the last probe ended in CR LF.
    pub(super) fn ends_in_line_feed(&self) -> bool {
        matches!(self.stage, Stage::Probing { probe, .. } if probe.line.ends_with(b"\n"))
    }

    /// The bytes of a probe that are to be written.
    pub(super) fn unsent(&mut self, now: Instant) -> Option<&[u8]> {
        if matches!(self.stage, Stage::Quiet { until, cap } if until.min(cap) <= now) {
            let probe = self.next_probe()?;
            self.used.push(probe.name);
            self.sent += 1;
            self.stage = Stage::Writing { probe, sent: 0 };
        }
        match &self.stage {
            Stage::Writing { probe, sent } => probe.line.get(*sent..),
            Stage::Quiet { .. } | Stage::Probing { .. } => None,
        }
    }

    /// The next one whose name neither the command in doubt nor an earlier probe has. Of names that a former port
    /// used, the one that was used longest ago.
    fn next_probe(&self) -> Option<Probe> {
        let is_new = |probe: &&Probe| !self.used.contains(&probe.name) && !self.suspect.contains(probe.name);
        let age =
            |probe: &&Probe| self.shunned.iter().position(|name| *name == probe.name).map_or(0, |at| at + 1);
        self.probes.iter().chain(Probe::STANDARD).filter(is_new).min_by_key(age).copied()
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
        self.heard = now;
        if let Stage::Quiet { until, .. } = &mut self.stage {
            *until = (*until).max(now + self.quiet);
        }
    }

    /// Offers a line that is neither a report nor a deferred result.
    ///
    /// The information line has to stand right before its `OK`: a listing of settings that was asked for before
    /// the doubt may hold such a line, too, but goes on behind it.
    pub(super) fn offer(&mut self, now: Instant, line: &[u8], is_final: Option<&FinalResult>) -> Taken {
        let Stage::Probing { probe, until, recognised } = &mut self.stage else {
            if is_final.is_none() {
                return Taken::No;
            }
            if std::mem::take(&mut self.in_data) {
                self.stage = Stage::Quiet { until: now + self.quiet, cap: now + self.quiet_cap };
            }
            return Taken::Discarded;
        };
        match is_final {
            Some(FinalResult::Ok) if *recognised => Taken::Passed,
            Some(result) => {
                *recognised = false;
                if !result.is_success() {
                    *until = (*until).min(now + AFTER_REFUSAL);
                }
                Taken::Discarded
            }
            None if line.trim_ascii_end().ends_with(probe.line.trim_ascii_end()) => Taken::Echo,
            None => {
                *recognised = Fields::of(line, probe.name).is_some();
                if *recognised { Taken::Discarded } else { Taken::No }
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Quiet { until, cap } => Some(until.min(cap)),
            Stage::Probing { until, .. } => Some(until),
            Stage::Writing { .. } => None,
        }
    }

    /// Moves on when a probe was not answered; gives the number of probes when no other is left.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<u32> {
        if let Stage::Probing { until, .. } = self.stage
            && until <= now
        {
            self.stage = Stage::Quiet { until: self.heard + self.quiet, cap: now + self.quiet_cap };
        }
        let is_over = self.sent as usize >= self.patience.len().max(1) || self.next_probe().is_none();
        (is_over && matches!(self.stage, Stage::Quiet { .. })).then_some(self.sent)
    }

    /// The module reported that it has started: what was sent before is lost, and the count begins again.
    pub(super) fn restart(&mut self, now: Instant) {
        // Only the last probe may have been taken by the module that has just started.
        self.used.drain(..self.used.len().saturating_sub(1));
        self.sent = 0;
        self.heard = now;
        self.stage = Stage::Quiet { until: now + self.quiet, cap: now + self.quiet_cap };
    }
}
