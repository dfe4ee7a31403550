//! The fence: how the link is brought back into step after a doubt.
//!
//! After a lost answer the next answer on the wire may belong to a command of the past, and nothing in an
//! `OK` says which. A module answers in order, one answer per command; so a command whose *information line*
//! no earlier command can have produced marks the point behind which everything is new. A bare `AT` is no
//! such command, because its `OK` looks like the late one; and each further try needs another name, because
//! the first probe's answer may be on its way, too. Only the last probe's answer counts.
//!
//! A port that is opened again does not empty the module's queue, so that the names which a former port has asked for
//! stay taken until they are answered, or so old that nobody waits for them any more. When every name is taken, the
//! fence waits instead of asking.

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
    /// The probes whose answers may still come, the oldest first; no name is among them twice.
    owed: Vec<SentProbe>,
    /// The name of the probe in `owed` whose information line came last; its `OK` is still to come.
    recognised: Option<&'static str>,
    quiet: Duration,
    quiet_cap: Duration,
    /// How many probes were sent.
    sent: u32,
    /// How many probes were sent or could not be.
    turns: usize,
    /// When bytes were received last, as far as the fence knows.
    heard: Instant,
    /// How many bytes of data the module may still be waiting for, and would take a probe for; 0 once it has answered.
    filler: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waiting for silence, at the longest until `cap`.
    Quiet { until: Instant, cap: Instant },
    /// Writing what stands for data that is owed.
    Filling { written: usize },
    /// Writing a probe.
    Writing { probe: Probe, sent: usize },
    /// Waiting for the probe's information line and then its `OK`.
    Probing { probe: Probe, until: Instant },
    /// Waiting, because the answer to each probe there is might be that of an earlier one.
    Exhausted { until: Instant },
}

/// A probe whose answer may still come, also when the port is opened again.
///
/// No example: [`Session::owed_probes`](crate::Session::owed_probes) gives it, and the next session takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentProbe {
    name: &'static str,
    at: Instant,
}

impl SentProbe {
    pub(super) fn new(name: &'static str, at: Instant) -> Self {
        Self { name, at }
    }
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

/// What the fence has begun to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    Probe(&'static [u8]),
    Filler { bytes: usize },
}

/// Stands for data that a module still waits for although its time is over, so that no probe is published. For a module
/// that waits for a command the first two bytes spoil the rest of a line whose end was lost, and the others are empty
/// lines.
const FILLER: &[u8; 256] = &{
    let mut filler = [b'\r'; 256];
    filler[0] = b'?';
    filler
};
/// How many bytes of it are not repeated.
const SPOILER: usize = 2;

/// A refused probe makes way for the next one after this time; what refused may have been an earlier command.
const AFTER_REFUSAL: Duration = Duration::from_millis(250);

/// No module holds back an answer for longer than this.
const LONGEST_OWED: Duration = Duration::from_secs(300);

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
            owed: Vec::new(),
            recognised: None,
            quiet: options.quiet,
            quiet_cap: options.quiet_cap,
            sent: 0,
            turns: 0,
            heard: now,
            filler: 0,
            stage: Stage::Quiet { until: first, cap },
        }
    }

    /// Takes over what former ports have asked.
    pub(super) fn inherit(&mut self, owed: Vec<SentProbe>) {
        self.owed = owed;
    }

    /// The probes whose answers may still come.
    pub(super) fn owed(&self) -> &[SentProbe] {
        &self.owed
    }

    /// Sends nothing before `until`, because the module may take it for data, unless it answers sooner. If it still has
    /// not answered then, it may wait without end for up to `owed` bytes, and gets them before the first probe.
    pub(super) fn hold(&mut self, until: Instant, owed: usize) {
        if let Stage::Quiet { until: quiet, cap } = &mut self.stage {
            *quiet = (*quiet).max(until);
            *cap = (*cap).max(until);
            self.filler = owed;
        }
    }

    pub(super) fn probes_sent(&self) -> u32 {
        self.sent
    }

    /// Whether the last probe ended in CR LF.
    pub(super) fn ends_in_line_feed(&self) -> bool {
        matches!(self.stage, Stage::Probing { probe, .. } if probe.line.ends_with(b"\n"))
    }

    /// The bytes that are to be written.
    pub(super) fn unsent(&mut self, now: Instant) -> Option<&[u8]> {
        if matches!(self.stage, Stage::Quiet { until, cap } if until.min(cap) <= now) {
            if self.filler > 0 {
                self.filler = self.filler.max(SPOILER);
                self.stage = Stage::Filling { written: 0 };
            } else {
                self.turns += 1;
                self.stage = match self.next_probe(now) {
                    Some(probe) => {
                        self.sent += 1;
                        Stage::Writing { probe, sent: 0 }
                    }
                    None => Stage::Exhausted { until: now + self.patience_now() },
                };
            }
        }
        match &self.stage {
            Stage::Writing { probe, sent } => probe.line.get(*sent..),
            Stage::Filling { written } => {
                let start = (*written).min(SPOILER);
                let end = start + self.filler.saturating_sub(*written);
                FILLER.get(start..end.min(FILLER.len()))
            }
            Stage::Quiet { .. } | Stage::Probing { .. } | Stage::Exhausted { .. } => None,
        }
    }

    /// The next one whose name neither the command in doubt nor a probe that is still owed an answer has.
    fn next_probe(&mut self, now: Instant) -> Option<Probe> {
        self.owed.retain(|it| now.saturating_duration_since(it.at) < LONGEST_OWED);
        let is_owed = |name| self.owed.iter().any(|it| it.name == name);
        let is_new = |probe: &&Probe| !is_owed(probe.name) && !self.suspect.contains(probe.name);
        self.probes.iter().chain(Probe::STANDARD).find(is_new).copied()
    }

    /// Takes note of bytes written; says what they were the first of.
    pub(super) fn handle_sent(&mut self, now: Instant, count: usize) -> Option<Begun> {
        match self.stage {
            Stage::Writing { probe, sent } => {
                let total = sent + count;
                self.stage = if total < probe.line.len() {
                    Stage::Writing { probe, sent: total }
                } else {
                    self.owed.push(SentProbe::new(probe.name, now));
                    Stage::Probing { probe, until: now + self.patience_now() }
                };
                (sent == 0).then_some(Begun::Probe(probe.line))
            }
            Stage::Filling { written } => {
                let (bytes, total) = (self.filler, written + count);
                self.stage = if total < bytes {
                    Stage::Filling { written: total }
                } else {
                    self.filler = 0;
                    self.quiet_stage(now)
                };
                (written == 0).then_some(Begun::Filler { bytes })
            }
            Stage::Quiet { .. } | Stage::Probing { .. } | Stage::Exhausted { .. } => None,
        }
    }

    fn patience_now(&self) -> Duration {
        let position = self.turns.saturating_sub(1).min(self.patience.len().saturating_sub(1));
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
        let Some(result) = is_final else {
            if let Stage::Probing { probe, .. } = self.stage
                && line.trim_ascii_end().ends_with(probe.line.trim_ascii_end())
            {
                return Taken::Echo;
            }
            let names = self.owed.iter().map(|it| it.name);
            self.recognised = names.into_iter().find(|name| Fields::of(line, name).is_some());
            return if self.recognised.is_some() { Taken::Discarded } else { Taken::No };
        };
        let answered = self.recognised.take().filter(|_| *result == FinalResult::Ok);
        if answered.is_some_and(|name| self.settle(now, name)) {
            return Taken::Passed;
        }
        match &mut self.stage {
            Stage::Probing { until, .. } if !result.is_success() => {
                *until = (*until).min(now + AFTER_REFUSAL);
            }
            Stage::Quiet { .. } | Stage::Filling { .. } if std::mem::take(&mut self.filler) > 0 => {
                self.stage = self.quiet_stage(now);
            }
            _ => {}
        }
        Taken::Discarded
    }

    /// A probe has its answer, and so have all before it, as a module answers in order. `true` if it was the last.
    fn settle(&mut self, now: Instant, name: &'static str) -> bool {
        if matches!(self.stage, Stage::Probing { probe, .. } if probe.name == name) {
            return true;
        }
        if let Some(position) = self.owed.iter().position(|it| it.name == name) {
            self.owed.drain(..=position);
        }
        if matches!(self.stage, Stage::Exhausted { .. }) {
            self.stage = self.quiet_stage(now);
        }
        false
    }

    fn quiet_stage(&self, now: Instant) -> Stage {
        Stage::Quiet { until: now + self.quiet, cap: now + self.quiet_cap }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Quiet { until, cap } => Some(until.min(cap)),
            Stage::Probing { until, .. } | Stage::Exhausted { until } => Some(until),
            Stage::Filling { .. } | Stage::Writing { .. } => None,
        }
    }

    /// Moves on when a probe was not answered; gives the number of probes when it was the last one.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<u32> {
        if let Stage::Probing { until, .. } | Stage::Exhausted { until } = self.stage
            && until <= now
        {
            self.stage = Stage::Quiet { until: self.heard + self.quiet, cap: now + self.quiet_cap };
        }
        let is_over = self.turns >= self.patience.len().max(1);
        (is_over && matches!(self.stage, Stage::Quiet { .. })).then_some(self.sent)
    }

    /// The module reported that it has started: what was sent before is lost, and the count begins again.
    pub(super) fn restart(&mut self, now: Instant) {
        // Only the last probe may have been taken by the module that has just started.
        self.owed.drain(..self.owed.len().saturating_sub(1));
        self.recognised = None;
        (self.sent, self.turns, self.filler) = (0, 0, 0);
        self.heard = now;
        self.stage = self.quiet_stage(now);
    }
}
