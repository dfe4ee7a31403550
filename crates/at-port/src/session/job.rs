//! An operation on its way: in the queue, on the port, and then perhaps waiting for its deferred result.

use std::time::Duration;

use at_codec::Fields;
use bytes::Bytes;
use tokio::time::Instant;
use tracing::{Span, field};

use super::Ticket;
use crate::deferred::{Deferred, Verdict};
use crate::error::{OperationError, Phase, Progress, Refusal};
use crate::event::TapEntry;
use crate::exchange::{Answer, Conclude, Exchange, Lane, Operation, PromptForm};
use crate::reply::{FinalResult, Reply};

/// An operation with the caller who waits for it, and how far it has come. It is made once, by the caller, and stays
/// where it is until it is settled.
pub(crate) struct Job<T> {
    ticket: Option<T>,
    on_conclusion: Option<Conclude>,
    pub(super) lane: Lane,
    pub(super) start_within: Option<Duration>,
    /// When it is given up unless it has begun; known once it is queued.
    pub(super) start_by: Option<Instant>,
    /// How its deferred result is told, if it has one.
    pub(super) awaits: Option<Deferred>,
    /// The exchange that comes next, or is in flight.
    step: Exchange,
    /// Which one it is, counted from 0.
    index: usize,
    /// The steps to come, the next one last.
    later: Vec<Exchange>,
    pub(super) course: Course,
    /// The information responses of the steps that are done.
    lines: Vec<Bytes>,
    /// Where in `lines` those of this step begin.
    mark: usize,
    /// How many bytes `lines` hold.
    kept: usize,
    /// A deferred result that came before the final result.
    pub(super) deferred: Option<Bytes>,
    /// The report that says that the deferred result will not come.
    pub(super) lost: Option<Option<Bytes>>,
    /// Whether an echo of the command line may still come.
    pub(super) echo_possible: bool,
    /// Whether the command line came back, so that its data will, too.
    pub(super) echoed: bool,
    /// Whether the `OK` has come behind which the prompt stands.
    accepted: bool,
    /// When the first byte of this step was written.
    began: Option<Instant>,
    /// This step in the trace.
    span: Span,
}

/// More bytes than any answer has: a module that lists its files or its messages says less.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// How far the exchange in flight has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// Writing the command line.
    Line { sent: usize },
    /// Waiting for the prompt.
    Prompt { until: Instant },
    /// Writing the data.
    Data { sent: usize },
    /// Waiting for the final result.
    Final { until: Instant },
}

/// How an information response was told from other lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recognised {
    ByName,
    /// So closely that not even a deferred result with the same name can be meant.
    ByShape,
}

impl Course {
    /// What is waited for.
    pub(super) fn phase(self) -> Phase {
        match self {
            Self::Line { .. } | Self::Data { .. } => Phase::Write,
            Self::Prompt { .. } => Phase::Prompt,
            Self::Final { .. } => Phase::FinalResult,
        }
    }
}

impl<T: Ticket> Job<T> {
    /// Takes up an operation. One without exchanges is complete at once.
    pub(crate) fn new(operation: Operation, ticket: Option<T>) -> Option<Box<Self>> {
        let Operation { first, mut later, deferred: awaits, lane, start_within, on_conclusion } = operation;
        let Some(step) = first else {
            settle(
                ticket,
                on_conclusion,
                Ok(Reply { lines: Vec::new(), result: FinalResult::Ok, deferred: None }),
            );
            return None;
        };
        later.reverse();
        Some(Box::new(Self {
            ticket,
            on_conclusion,
            lane,
            start_within,
            start_by: None,
            awaits,
            step,
            index: 0,
            later,
            course: Course::Line { sent: 0 },
            lines: Vec::new(),
            mark: 0,
            kept: 0,
            deferred: None,
            lost: None,
            echo_possible: true,
            echoed: false,
            accepted: false,
            began: None,
            span: Span::none(),
        }))
    }

    /// Ends each command line as a module wants it that takes nothing less than CR LF.
    pub(super) fn add_line_feeds(&mut self) {
        self.step.add_line_feed();
        self.later.iter_mut().for_each(Exchange::add_line_feed);
    }

    /// Whether the operation should still be started.
    pub(super) fn is_wanted(&self) -> bool {
        self.ticket.as_ref().is_none_or(Ticket::wanted)
    }

    /// Whether anybody wants to know what comes of it.
    pub(super) fn is_awaited(&self) -> bool {
        self.on_conclusion.is_some() || self.ticket.as_ref().is_some_and(Ticket::wanted)
    }

    /// Whether it should have been started by now.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        self.start_by.is_some_and(|due| due <= now)
    }

    /// Tells everybody who is concerned what came of it.
    #[allow(clippy::boxed_local, reason = "to be taken out of its box it would be copied")]
    pub(super) fn settle(self: Box<Self>, outcome: Result<Reply, OperationError>) {
        settle(self.ticket, self.on_conclusion, outcome);
    }

    /// The first byte of this step's command line has been written.
    pub(super) fn begin_step(&mut self, now: Instant) {
        self.began = Some(now);
        self.span = tracing::debug_span!(
            "exchange",
            command = %self.step.line.name(),
            step = self.index,
            data = self.step.data.as_ref().map(|data| data.data.len()),
            lines = field::Empty,
            result = field::Empty,
            took_ms = field::Empty,
        );
    }

    /// The final result of this step has come: how long it took.
    pub(super) fn end_step(&mut self, now: Instant, result: &FinalResult) -> Duration {
        let took = self.began.map_or(Duration::ZERO, |began| now - began);
        let span = std::mem::replace(&mut self.span, Span::none());
        if !span.is_disabled() {
            span.record("lines", self.lines.len() - self.mark);
            span.record("result", field::display(result));
            span.record("took_ms", took.as_secs_f64() * 1e3);
        }
        took
    }

    /// This step in the trace, from its first byte to its final result.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// The exchange in flight.
    pub(super) fn step(&self) -> &Exchange {
        &self.step
    }

    /// What is to be written next.
    pub(super) fn unsent(&self) -> Option<&[u8]> {
        match self.course {
            Course::Line { sent } => self.step.line.as_bytes().get(sent..),
            Course::Data { sent } => self.step.data.as_ref().and_then(|data| data.data.get(sent..)),
            Course::Prompt { .. } | Course::Final { .. } => None,
        }
    }

    /// Whether the module has all of the command line, so that what comes can be its answer.
    pub(super) fn is_asked(&self) -> bool {
        !matches!(self.course, Course::Line { .. })
    }

    /// Whether the port is not used at the moment: the first byte of a command line is still to be written.
    pub(super) fn is_between_steps(&self) -> bool {
        matches!(self.course, Course::Line { sent: 0 })
    }

    /// Whether not one byte has been written, so that the operation can still be withdrawn.
    pub(super) fn is_untouched(&self) -> bool {
        self.index == 0 && self.is_between_steps()
    }

    /// Whether nothing of the line or of the data has been written yet.
    pub(super) fn first_byte(&self) -> bool {
        matches!(self.course, Course::Line { sent: 0 } | Course::Data { sent: 0 })
    }

    /// For how many bytes of data the module may wait: until it answers, because what the transport took need not have
    /// reached the module.
    pub(super) fn owes_data(&self) -> usize {
        self.step.data.as_ref().map_or(0, |data| data.data.len())
    }

    /// Until when the module may take what is written for data that was lost on its way, now that its answer is missing.
    pub(super) fn data_until(&self, now: Instant) -> Instant {
        match (self.course, &self.step.data) {
            (Course::Final { until }, Some(data)) => until + data.patience - self.step.timeout,
            // The prompt has been waited for as long as the module waits for its data.
            _ => now,
        }
    }

    /// When the module had everything and the wait for its final result began.
    pub(super) fn asked_at(&self, now: Instant) -> Instant {
        match self.course {
            Course::Final { until } => until - self.step.timeout,
            _ => now,
        }
    }

    /// The form of the prompt that the operation waits for.
    pub(super) fn awaited_prompt(&self) -> Option<PromptForm> {
        let declared = self.step.data.as_ref().map(|data| data.prompt);
        declared.filter(|_| matches!(self.course, Course::Prompt { .. }))
    }

    /// The data that has just been asked for, and whether the module repeats what it reads.
    pub(super) fn data_and_echo(&self) -> Option<(Bytes, bool)> {
        self.step.data.as_ref().map(|data| (data.data.clone(), self.echoed))
    }

    /// Whether `OK` accepts the command, with the prompt still to come. It does so once.
    pub(super) fn take_acceptance(&mut self, result: &FinalResult) -> bool {
        let is_awaited = self.awaited_prompt() == Some(PromptForm::MarkAfterOk) && !self.accepted;
        self.accepted |= is_awaited && *result == FinalResult::Ok;
        is_awaited && self.accepted
    }

    /// What is being written, for the witness.
    pub(super) fn tap_entry(&self) -> TapEntry<'_> {
        match (&self.course, &self.step.data) {
            (Course::Data { .. }, Some(data)) if data.secret => {
                TapEntry::SecretData { bytes: data.data.len() }
            }
            (Course::Data { .. }, Some(data)) => TapEntry::Data(&data.data),
            _ => TapEntry::Command(&self.step.line),
        }
    }

    /// Takes note of bytes written.
    pub(super) fn handle_sent(&mut self, now: Instant, count: usize) {
        match &mut self.course {
            Course::Line { sent } => {
                *sent += count;
                if *sent >= self.step.line.as_bytes().len() {
                    self.course = match &self.step.data {
                        Some(data) => Course::Prompt { until: now + data.patience },
                        None => Course::Final { until: now + self.step.timeout },
                    };
                }
            }
            Course::Data { sent } => {
                *sent += count;
                if self.step.data.as_ref().is_none_or(|data| *sent >= data.data.len()) {
                    self.course = Course::Final { until: now + self.step.timeout };
                }
            }
            Course::Prompt { .. } | Course::Final { .. } => {}
        }
    }

    /// The module asked for the data.
    pub(super) fn handle_prompt(&mut self, now: Instant) {
        let empty = self.step.data.as_ref().is_none_or(|data| data.data.is_empty());
        self.course =
            if empty { Course::Final { until: now + self.step.timeout } } else { Course::Data { sent: 0 } };
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.course {
            Course::Prompt { until } | Course::Final { until } => Some(until),
            Course::Line { .. } if self.is_untouched() => self.start_by,
            Course::Line { .. } | Course::Data { .. } => None,
        }
    }

    /// Keeps an information response. If an answer has no end, gives the number of its bytes.
    pub(super) fn keep(&mut self, line: Bytes) -> Option<usize> {
        self.kept += line.len();
        self.lines.push(line);
        (self.kept > LONGEST_ANSWER).then_some(self.kept)
    }

    /// Goes on to the next step that is needed, if there is one.
    pub(super) fn advance(&mut self) -> bool {
        loop {
            let Some(next) = self.later.pop() else { return false };
            self.index += 1;
            if next.is_needed() {
                self.step = next;
                break;
            }
        }
        self.mark = self.lines.len();
        self.course = Course::Line { sent: 0 };
        self.echo_possible = true;
        self.echoed = false;
        self.accepted = false;
        true
    }

    fn is_last_step(&self) -> bool {
        self.later.is_empty()
    }

    /// How a line bears on the deferred result, which only the last step can have caused, and not before the module has
    /// asked for its data: what comes sooner is that of an earlier operation.
    pub(super) fn verdict(&self, line: &[u8]) -> Verdict {
        let is_caused = self.is_asked() && self.awaited_prompt().is_none();
        match &self.awaits {
            Some(deferred) if self.is_last_step() && is_caused => deferred.verdict(line),
            _ => Verdict::NotThis,
        }
    }

    /// Whether a report that names nobody may end the wait for the deferred result.
    pub(super) fn may_be_refused_by(&self, line: &[u8]) -> bool {
        let deferred = self.awaits.as_ref().filter(|_| self.is_last_step() && self.is_asked());
        deferred.is_some_and(|deferred| deferred.is_refused_by(line))
    }

    /// Whether the module may have taken the command although its final result is missing.
    pub(super) fn may_still_succeed(&self) -> bool {
        self.is_last_step() && self.awaits.is_some() && self.lost.is_none()
    }

    /// Whether a line is an information response by its name, and whether its shape was asked for, too.
    pub(super) fn recognises(&self, line: &[u8]) -> Option<Recognised> {
        let named = |name: &str| Fields::of(line, name).is_some();
        match self.step.answer {
            Answer::Named(name) if self.is_asked() && named(name) => Some(Recognised::ByName),
            Answer::Shaped(name, shape) if self.is_asked() && named(name) && shape(line) => {
                Some(Recognised::ByShape)
            }
            Answer::Like(shape) if self.is_asked() && shape(line) => Some(Recognised::ByShape),
            _ => None,
        }
    }

    /// Whether a line that no report claims, or has the command's own name, is a free text that was asked for.
    pub(super) fn takes_text(&self, line: &[u8], report: bool) -> bool {
        let is_free = matches!(self.step.answer, Answer::Text) && self.is_asked();
        is_free && (!report || Fields::of(line, self.step.line.name()).is_some())
    }

    /// Whether a line that is no report, result or deferred result may hold what no witness may see: an answer
    /// that was declared so, or else an echo that noise has made unrecognisable.
    pub(super) fn may_hold_secret(&self, is_answer: bool) -> bool {
        let data = self.step.data.as_ref().is_some_and(|data| data.secret);
        self.step.secret_answer || !is_answer && (data || self.step.line.has_secret())
    }

    pub(super) fn progress(&self) -> Progress {
        match self.course {
            Course::Line { .. } if self.is_untouched() => Progress::Nothing,
            Course::Data { sent } if self.is_last_step() && sent > 0 => Progress::DataInPart,
            Course::Final { .. } if self.is_last_step() => Progress::Complete,
            _ => Progress::Begun,
        }
    }

    pub(super) fn timeout_error(&self) -> OperationError {
        let after = match (&self.course, &self.step.data) {
            (Course::Prompt { .. }, Some(data)) => data.patience,
            _ => self.step.timeout,
        };
        OperationError::Timeout {
            command: self.command(),
            step: self.index,
            phase: self.course.phase(),
            after,
            progress: self.progress(),
        }
    }

    pub(super) fn refusal(&mut self, result: FinalResult) -> OperationError {
        OperationError::Refused(Box::new(Refusal {
            command: self.command(),
            step: self.index,
            result,
            progress: self.progress(),
            lines: self.lines.split_off(self.mark),
            deferred: self.deferred.take(),
        }))
    }

    /// Which exchange it is, counted from 0.
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// The command's name with `AT`, for errors.
    pub(super) fn command(&self) -> String {
        format!("AT{}", self.step.line.name())
    }

    /// Gives the caller the reply, for everything is known now.
    pub(super) fn conclude(mut self: Box<Self>, result: FinalResult) {
        let reply = Reply { lines: std::mem::take(&mut self.lines), result, deferred: self.deferred.take() };
        self.settle(Ok(reply));
    }
}

fn settle<T: Ticket>(
    ticket: Option<T>,
    on_conclusion: Option<Conclude>,
    outcome: Result<Reply, OperationError>,
) {
    if let Some(call) = on_conclusion {
        call(&outcome);
    }
    if let Some(ticket) = ticket {
        ticket.settle(outcome);
    }
}
