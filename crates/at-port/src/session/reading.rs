//! What a received frame means: echo, prompt, deferred result, final result, information response or report.

use at_codec::{CommandKind, Damage, Frame, Pending as Unfinished};
use bytes::Bytes;
use tokio::time::Instant;
use tokio_util::codec::Decoder;

use super::active::{Active, Course};
use super::fence::Taken;
use super::queue::Job;
use super::{Delivery, Session, Ticket, note};
use crate::deferred::Verdict;
use crate::error::{OperationError, PortError, Progress};
use crate::event::{LinkState, PortEvent, TapEntry};
use crate::exchange::{Answer, PromptForm};
use crate::reply::FinalResult;
use crate::rules::{Lost, Reaction};

impl<U: Clone + Send + 'static, T: Ticket> Session<U, T> {
    /// Reads what was put into the [`inbox`](Self::inbox).
    pub fn handle_input(&mut self, now: Instant) {
        self.heard_anything = true;
        if let Some(fence) = &mut self.fence {
            fence.handle_bytes(now);
        }
        while self.ended.is_none() {
            match self.codec.decode(&mut self.inbox) {
                Ok(Some(frame)) => self.handle_frame(now, frame),
                Ok(None) => break,
                Err(error) => self.end(error.into()),
            }
        }
        self.silence = match self.codec.pending() {
            Unfinished::Line | Unfinished::Counted => Some(now + self.options.silence),
            _ => None,
        };
    }

    /// An element stopped in the middle.
    pub(super) fn handle_silence(&mut self, now: Instant) {
        self.silence = None;
        if let Some(frame) = self.codec.give_up(&mut self.inbox) {
            self.handle_frame(now, frame);
        }
    }

    fn handle_frame(&mut self, now: Instant, frame: Frame) {
        match frame {
            Frame::Line(line) => self.handle_line(now, line),
            Frame::Prompt => self.handle_prompt(now),
            Frame::Damaged(damage) => self.handle_damage(now, damage),
            Frame::Overrun(overrun) => {
                self.report(PortEvent::Overrun { skipped: overrun.skipped });
                if overrun.skipped >= self.options.garbage {
                    self.end(PortError::Garbage { bytes: overrun.skipped });
                } else {
                    self.suspect(now);
                }
            }
        }
    }

    fn handle_prompt(&mut self, now: Instant) {
        note(&mut self.tap, TapEntry::Prompt);
        if let Some(active) = &mut self.active {
            active.handle_prompt(now);
        }
    }

    fn handle_damage(&mut self, now: Instant, damage: Damage) {
        tracing::warn!(kind = ?damage.kind, got = damage.got, need = damage.need, "dropped bytes that could not be read");
        note(&mut self.tap, TapEntry::Dropped { bytes: damage.got });
        let reaction = self.codec.framing_mut().damaged(&damage);
        self.report(PortEvent::Damaged(damage));
        self.react(now, None, reaction);
        self.suspect(now);
    }

    /// The link is in doubt: at once if it is idle, else when the exchange in flight has ended.
    fn suspect(&mut self, now: Instant) {
        if self.active.is_some() {
            self.doubt = true;
        } else {
            self.begin_fence(now, None);
        }
    }

    fn handle_line(&mut self, now: Instant, line: Bytes) {
        if self.take_echo(&line) {
            return;
        }
        let report = self.codec.framing().is_unsolicited(&line);
        let secret = !report && self.active.as_ref().is_some_and(|active| active.step().secret_answer);
        note(&mut self.tap, if secret { TapEntry::SecretLine } else { TapEntry::Line(&line) });

        if self.pending.take(now, &line) || self.take_early_result(&line) {
            return;
        }
        if self.take_prompt_line(now, &line) {
            return;
        }
        let result = self.final_result(&line);
        if let Some(fence) = &mut self.fence {
            match if report { Taken::No } else { fence.offer(now, &line, result.as_ref()) } {
                Taken::Passed => return self.pass_fence(),
                Taken::Discarded => return,
                Taken::No => {}
            }
        } else if let Some(result) = result {
            return self.handle_final(now, result);
        }
        if self.is_answer(&line, report) {
            if let Some(active) = &mut self.active {
                active.keep(line);
            }
        } else if report {
            self.pending.end_by(&line);
            self.note_loss(&line);
            let reaction = self.codec.framing_mut().unsolicited(&line);
            self.react(now, Some(&line), reaction);
        } else {
            self.report(PortEvent::UnknownLine { length: line.len() });
        }
    }

    /// A line that repeats the command in flight is its echo. Garbage may precede it, and a reboot explain it.
    fn take_echo(&mut self, line: &Bytes) -> bool {
        let Some(active) = self.active.as_mut().filter(|active| active.echo_possible) else { return false };
        let command = &active.step().line;
        let body = command.body();
        let trimmed = line.trim_ascii_end();
        let body = body.trim_ascii_end();
        let is_echo = trimmed == body || (body.len() > 4 && trimmed.ends_with(body));
        if !is_echo {
            return false;
        }
        note(&mut self.tap, TapEntry::Echo(command));
        active.echo_possible = false;
        if self.echo_off {
            self.echo_off = false;
            self.report(PortEvent::UnexpectedEcho);
        }
        true
    }

    /// The deferred result, or progress towards it, may come before the final result.
    fn take_early_result(&mut self, line: &Bytes) -> bool {
        let Some(active) = &mut self.active else { return false };
        match active.verdict(line) {
            Verdict::NotThis => false,
            Verdict::Interim => true,
            Verdict::Final => {
                active.deferred = Some(line.clone());
                true
            }
        }
    }

    /// `CONNECT` asks for the data of an exchange that declared this form of prompt.
    fn take_prompt_line(&mut self, now: Instant, line: &[u8]) -> bool {
        let Some(active) = &mut self.active else { return false };
        let declared = active.step().data.as_ref().is_some_and(|data| data.prompt == PromptForm::Connect);
        if declared && active.awaits_prompt() && line == b"CONNECT" {
            active.handle_prompt(now);
            return true;
        }
        false
    }

    fn final_result(&self, line: &Bytes) -> Option<FinalResult> {
        FinalResult::standard(line).or_else(|| self.codec.framing().final_result(line))
    }

    fn is_answer(&self, line: &[u8], report: bool) -> bool {
        let Some(active) = &self.active else { return false };
        let step = active.step();
        let named = |name: &str| at_codec::Fields::of(line, name).is_some();
        match step.answer {
            Answer::None => false,
            Answer::Named(name) => named(name),
            Answer::Shaped(name, shape) => named(name) && shape(line),
            Answer::Text => !report || named(step.line.name()),
        }
    }

    fn handle_final(&mut self, now: Instant, result: FinalResult) {
        let Some(mut active) = self.active.take() else {
            self.report(PortEvent::OrphanFinal);
            return self.begin_fence(now, None);
        };
        if matches!(active.course, Course::Line { .. }) {
            // Nothing that is only half written can have been answered.
            self.report(PortEvent::OrphanFinal);
            self.doubt = true;
            self.active = Some(active);
            return;
        }
        self.codec.arm_prompt(None);
        let complete = matches!(active.course, Course::Final { .. });
        if !complete && result.is_success() {
            self.doubt = true;
        }
        if complete && result.is_success() {
            if let Some(on) = echo_setting(&active.step().line) {
                self.echo_off = !on;
            }
            if active.advance() {
                self.arm_for(&active);
                self.active = Some(active);
                return;
            }
            self.conclude(now, active, result);
        } else {
            let error = active.refusal(result);
            active.job.settle(Err(error));
        }
        if self.doubt {
            self.begin_fence(now, None);
        }
    }

    /// The last final result was a success: the operation is complete, or waits for its deferred result.
    fn conclude(&mut self, now: Instant, mut active: Active<T>, result: FinalResult) {
        if active.deferred.is_some() || active.job.operation.deferred.is_none() {
            let reply = active.reply(result);
            active.job.settle(Ok(reply));
        } else if let Some(report) = active.lost.take() {
            let command = active.command();
            active.job.settle(Err(OperationError::Released { command, report }));
        } else {
            self.pending.accept(now, active, result);
        }
    }

    /// Remembers for the operation in flight that its deferred result will not come.
    fn note_loss(&mut self, line: &Bytes) {
        if let Some(active) = self.active.as_mut().filter(|it| !matches!(it.course, Course::Line { .. })) {
            let ended = active.job.operation.deferred.as_ref().is_some_and(|it| it.is_ended_by(line));
            if ended {
                active.lost = Some(Some(line.clone()));
            }
        }
    }

    fn react(&mut self, now: Instant, line: Option<&Bytes>, reaction: Reaction<U>) {
        if let Some((channel, item)) = reaction.deliver {
            self.deliveries.push_back(Delivery::Urc(channel, item));
        }
        if let Some(lost) = reaction.lost {
            self.give_up_pending(lost, line);
        }
        if let Some(operation) = reaction.follow_up {
            let start_by = now + self.options.start_within;
            self.queue.push_front(Job { operation, ticket: None, start_by });
        }
        if reaction.reboot {
            self.handle_reboot(now);
        }
    }

    pub(super) fn give_up_pending(&mut self, lost: Lost, report: Option<&Bytes>) {
        self.pending.give_up(lost, report);
        let concerned = |lane| lost == Lost::All || lost == Lost::Lane(lane);
        if let Some(active) = self.active.as_mut().filter(|active| concerned(active.job.operation.lane)) {
            active.lost = Some(report.cloned());
        }
    }

    /// The module has started anew: whatever was said to it is void.
    fn handle_reboot(&mut self, now: Instant) {
        tracing::warn!("the module rebooted");
        self.echo_off = false;
        self.codec.arm_prompt(None);
        self.report(PortEvent::Reboot);
        if let Some(active) = self.active.take() {
            let progress = active.progress();
            active.job.settle(Err(OperationError::Reset { progress }));
        }
        self.pending.fail_all(|| OperationError::Reset { progress: Progress::Complete });
        for job in self.queue.take_all() {
            job.settle(Err(OperationError::Reset { progress: Progress::Nothing }));
        }
        match &mut self.fence {
            Some(fence) => fence.restart(now),
            None => self.begin_fence(now, None),
        }
    }

    fn pass_fence(&mut self) {
        if let Some(fence) = self.fence.take() {
            self.report(PortEvent::Fenced { probes: fence.probes_sent() });
        }
        self.set_link(LinkState::Synced);
    }
}

/// Whether a command switches the echo, and to what.
fn echo_setting(line: &at_codec::CommandLine) -> Option<bool> {
    if line.kind() != CommandKind::Execute && line.kind() != CommandKind::Raw {
        return None;
    }
    match line.name() {
        "E0" => Some(false),
        "E1" | "E" => Some(true),
        _ => None,
    }
}
