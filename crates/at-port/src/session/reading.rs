//! What a received frame means: echo, prompt, deferred result, final result, information response or report.

use at_codec::{CommandKind, Damage, Frame, Pending as Unfinished};
use bytes::{Bytes, BytesMut};
use tokio::time::Instant;
use tokio_util::codec::Decoder;

use super::fence::Taken;
use super::job::{Course, Job, Recognised};
use super::pending::Told;
use super::{Session, Ticket, note};
use crate::deferred::Verdict;
use crate::error::{OperationError, PortError};
use crate::event::{Measurement, PortEvent, TapEntry};
use crate::exchange::PromptForm;
use crate::reply::FinalResult;

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
        // A long message must not leave a long buffer behind.
        if self.inbox.is_empty() && self.inbox.capacity() > LONGEST_KEPT {
            self.inbox = BytesMut::new();
        }
        // A count that was too large to be true must not keep the port deaf either.
        self.silence = match self.codec.pending() {
            Unfinished::None => None,
            Unfinished::Line | Unfinished::Counted | Unfinished::Skipping => Some(now + self.options.silence),
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
            // Some modules repeat the data, all do whose echo is on again: what it holds is no answer.
            if let Some((data, echoes)) = active.data_and_echo() {
                self.codec.expect_echo(data, echoes);
            }
        }
    }

    fn handle_damage(&mut self, now: Instant, damage: Damage) {
        tracing::warn!(kind = ?damage.kind, got = damage.got, need = damage.need, "dropped bytes that could not be read");
        note(&mut self.tap, TapEntry::Dropped { bytes: damage.got });
        let reaction = self.codec.framing_mut().damaged(&damage);
        // Without the bytes, which may be those of a message, or of an echo that holds a secret.
        self.report(PortEvent::Damaged { kind: damage.kind, got: damage.got, need: damage.need });
        self.react(now, None, reaction);
        self.suspect(now);
    }

    /// Gives a line its meaning: echo, deferred result, prompt, final result, information response or report.
    ///
    /// The order matters. What only the module can say goes before what may hold the words of a stranger: an
    /// echo is never sought in a report or an answer, which can end with any payload.
    fn handle_line(&mut self, now: Instant, line: Bytes) {
        let report = self.codec.framing().is_unsolicited(&line);
        let recognised = self.active.as_ref().and_then(|active| active.recognises(&line));
        if !report && recognised.is_none() && self.take_echo(&line) {
            return;
        }
        let may_be_deferred = recognised != Some(Recognised::ByShape);
        let told = if may_be_deferred { self.pending.take(now, &line) } else { Told::Nothing };
        let deferred = !matches!(told, Told::Nothing) || may_be_deferred && self.take_early_result(&line);
        let result = if deferred { None } else { self.final_result(&line, report) };
        let is_told = report || deferred || result.is_some() || self.is_prompt_line(&line);
        let secret =
            !is_told && self.may_hold_secret(recognised.is_some()) || self.is_secret_witnessed(&line);
        note(&mut self.tap, if secret { TapEntry::SecretLine } else { TapEntry::Line(&line) });
        if let Told::Result(job, result) = told {
            // Behind the witness: a program may end with this, and its transcript be missing the last word.
            job.conclude(result);
        }

        if deferred
            || self.take_prompt_line(now, &line)
            || self.take_by_fence(now, &line, report, result.as_ref())
        {
            return;
        }
        if let Some(result) = result {
            self.handle_final(now, result);
        } else if recognised.is_some() || self.active.as_ref().is_some_and(|it| it.takes_text(&line, report))
        {
            if let Some(bytes) = self.active.as_mut().and_then(|active| active.keep(line)) {
                self.end(PortError::Garbage { bytes });
            }
        } else if report {
            let another = self.active.as_ref().is_some_and(|active| active.may_be_refused_by(&line));
            self.pending.end_by(&line, another);
            self.note_loss(&line);
            let reaction = self.codec.framing_mut().unsolicited(&line);
            self.react(now, Some(&line), reaction);
        } else {
            self.report(PortEvent::UnknownLine { length: line.len() });
        }
    }

    /// A line that repeats the command in flight is its echo. Garbage may precede it, and a reboot explain it.
    fn take_echo(&mut self, line: &Bytes) -> bool {
        let may_echo = |active: &&mut Box<Job<T>>| active.echo_possible && active.is_asked();
        let Some(active) = self.active.as_mut().filter(may_echo) else { return false };
        let command = &active.step().line;
        let line = line.trim_ascii_end();
        let body = command.body().trim_ascii_end();
        let is_echo = line == body || (body.len() > 4 && line.ends_with(body));
        if !is_echo {
            return false;
        }
        note(&mut self.tap, TapEntry::Echo(command));
        active.echo_possible = false;
        active.echoed = true;
        self.note_echo();
        true
    }

    /// Echo that had been switched off is back: the module has probably lost its settings.
    fn note_echo(&mut self) {
        if self.echo_off {
            self.echo_off = false;
            self.report(PortEvent::UnexpectedEcho);
            self.pending.give_up_unanswered();
        }
    }

    /// Whether a line that nobody has claimed so far must be kept from the witness.
    fn may_hold_secret(&self, is_answer: bool) -> bool {
        match &self.active {
            Some(active) if active.is_asked() => active.may_hold_secret(is_answer),
            _ => self.fence.is_some() && self.last.has_secret,
        }
    }

    /// Whether somebody would see a secret of an earlier command: its echo may be late, and garbled.
    fn is_secret_witnessed(&self, line: &[u8]) -> bool {
        let is_witnessed = self.tap.is_some() || tracing::enabled!(tracing::Level::TRACE);
        is_witnessed && self.last.is_shown_by(line)
    }

    /// The deferred result, or progress towards it, may come before the final result.
    fn take_early_result(&mut self, line: &Bytes) -> bool {
        let Some(active) = &mut self.active else { return false };
        match active.verdict(line) {
            Verdict::NotThis => false,
            Verdict::Interim => true,
            // A second one is nobody's.
            Verdict::Final if active.deferred.is_some() => false,
            Verdict::Final => {
                active.deferred = Some(line.clone());
                true
            }
        }
    }

    /// `CONNECT` asks for the data of an exchange that declared this form of prompt.
    fn take_prompt_line(&mut self, now: Instant, line: &[u8]) -> bool {
        let asks = self.is_prompt_line(line);
        if let Some(active) = self.active.as_mut().filter(|_| asks) {
            active.handle_prompt(now);
        }
        asks
    }

    fn is_prompt_line(&self, line: &[u8]) -> bool {
        let awaited = self.active.as_ref().and_then(|active| active.awaited_prompt());
        awaited == Some(PromptForm::Connect) && line == b"CONNECT"
    }

    /// While the link is in doubt, answers are the fence's; reports go their way.
    fn take_by_fence(
        &mut self,
        now: Instant,
        line: &[u8],
        report: bool,
        result: Option<&FinalResult>,
    ) -> bool {
        let Some(fence) = self.fence.as_mut().filter(|_| !report) else { return false };
        match fence.offer(now, line, result) {
            Taken::Passed => self.pass_fence(),
            Taken::Echo => self.note_echo(),
            Taken::Discarded => {}
            Taken::No => return false,
        }
        true
    }

    /// Reads a final result code. A report that looks like one is a report unless an answer is awaited, and also then if
    /// an accepted operation waits that it may concern.
    fn final_result(&self, line: &Bytes, report: bool) -> Option<FinalResult> {
        let command = self.active.as_ref().map_or("", |active| active.step().line.name());
        let vendor = || self.codec.framing().final_result(line, command);
        let result = FinalResult::standard(line).or_else(vendor);
        let awaited = self.active.as_ref().is_some_and(|it| it.is_asked());
        result.filter(|_| !report || awaited && !self.pending.may_be_refused_by(line))
    }

    fn handle_final(&mut self, now: Instant, result: FinalResult) {
        if self.active.as_mut().is_some_and(|active| active.take_acceptance(&result)) {
            return;
        }
        let awaited = match self.active.as_ref().map(|active| active.course) {
            Some(Course::Final { .. }) => true,
            // The module must not be left in the middle of a payload because of an `OK` that cannot be meant.
            Some(Course::Prompt { .. } | Course::Data { .. }) => !result.is_success(),
            Some(Course::Line { .. }) | None => false,
        };
        let Some(mut active) = self.active.take_if(|_| awaited) else {
            self.report(PortEvent::OrphanFinal);
            return self.suspect(now);
        };
        let took = active.end_step(now, &result);
        if let Some(meter) = &mut self.meter {
            meter.note(Measurement::Exchange { took, success: result.is_success() });
        }
        self.codec.arm_prompt(None);
        self.doubt |= self.codec.framing().leaves_doubt(&result);
        if !result.is_success() {
            // Data that is still on its way would be read as the start of the next command.
            self.doubt |= matches!(active.course, Course::Data { .. });
            let error = active.refusal(result);
            active.settle(Err(error));
        } else {
            if let Some(on) = echo_setting(&active.step().line) {
                self.echo_off = !on;
            }
            if active.advance() {
                self.active = Some(active);
            } else {
                self.conclude(now, active, result);
            }
        }
        if self.doubt {
            self.begin_fence(now);
        }
    }

    /// The last final result was a success: the operation is complete, or waits for its deferred result.
    fn conclude(&mut self, now: Instant, mut active: Box<Job<T>>, result: FinalResult) {
        if active.deferred.is_some() || active.awaits.is_none() {
            active.conclude(result);
        } else if let Some(report) = active.lost.take() {
            let command = active.command();
            active.settle(Err(OperationError::Released { command, report }));
        } else {
            self.pending.accept(now, active, result);
        }
    }
}

/// The longest buffer that is kept while nothing waits in it.
const LONGEST_KEPT: usize = 2048;

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
