//! Operations that are off the port and wait for their deferred result.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::Ticket;
use super::job::Job;
use crate::deferred::{Deferred, Verdict};
use crate::error::{OperationError, Phase, Progress};
use crate::exchange::Lane;
use crate::reply::FinalResult;
use crate::rules::Lost;

/// The waiting operations, oldest first, and what cannot be told apart any more.
pub(super) struct Pending<T> {
    waiting: VecDeque<Waiting<T>>,
    in_doubt: Vec<Doubt>,
}

/// One operation that waits.
struct Waiting<T> {
    job: Box<Job<T>>,
    deferred: Deferred,
    result: FinalResult,
    until: Instant,
    /// How often progress has made the wait begin again.
    extended: u32,
    /// Set if the final result never came; the deferred result then stands for both.
    without_final: Option<OperationError>,
}

/// How often progress makes a wait begin again: more often than any module is told to try, and not for ever.
const MOST_EXTENSIONS: u32 = 20;

/// Results that are still owed by the module under a key that later operations share.
struct Doubt {
    deferred: Deferred,
    lane: Lane,
    owed: usize,
}

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), in_doubt: Vec::new() }
    }
}

impl<T: Ticket> Pending<T> {
    /// Takes an operation whose last final result was a success.
    pub(super) fn accept(&mut self, now: Instant, job: Box<Job<T>>, result: FinalResult) {
        self.push(now, job, result, None);
    }

    /// Takes an operation whose last final result is missing: the module may have done it all the same. What it has
    /// been waited for already counts.
    pub(super) fn await_result(&mut self, now: Instant, job: Box<Job<T>>) {
        let missing = job.timeout_error();
        self.push(job.asked_at(now), job, FinalResult::Ok, Some(missing));
    }

    fn push(
        &mut self,
        from: Instant,
        mut job: Box<Job<T>>,
        result: FinalResult,
        missing: Option<OperationError>,
    ) {
        let Some(deferred) = job.awaits.take() else {
            job.conclude(result);
            return;
        };
        let until = from + deferred.timeout;
        self.waiting.push_back(Waiting { job, deferred, result, until, extended: 0, without_final: missing });
    }

    /// Offers a line that may be a deferred result of an operation that waits, or owed by one that no longer does.
    pub(super) fn take(&mut self, now: Instant, line: &Bytes) -> Told<T> {
        if let Some(doubt) =
            self.in_doubt.iter_mut().find(|doubt| doubt.deferred.verdict(line) == Verdict::Final)
        {
            doubt.owed -= 1;
            self.in_doubt.retain(|doubt| doubt.owed > 0);
            return Told::Line;
        }
        for position in 0..self.waiting.len() {
            let Some(waiting) = self.waiting.get_mut(position) else { break };
            match waiting.deferred.verdict(line) {
                Verdict::NotThis => {}
                Verdict::Interim => {
                    if waiting.extended < MOST_EXTENSIONS {
                        waiting.extended += 1;
                        waiting.until = now + waiting.deferred.timeout;
                    }
                    return Told::Line;
                }
                Verdict::Final => {
                    let Some(Waiting { mut job, result, .. }) = self.waiting.remove(position) else { break };
                    job.deferred = Some(line.clone());
                    return Told::Result(job, result);
                }
            }
        }
        Told::Nothing
    }

    /// Whether a line that looks like a final result code is a report that may end one of the waits.
    pub(super) fn may_be_refused_by(&self, line: &[u8]) -> bool {
        self.waiting.iter().any(|waiting| waiting.deferred.is_refused_by(line))
    }

    /// Ends the waits that this report ends; `another` says that it may concern the operation in flight as well.
    pub(super) fn end_by(&mut self, line: &Bytes, another: bool) {
        let refused = self.waiting.iter().filter(|it| it.deferred.is_refused_by(line)).count();
        let is_only_one = refused == 1 && !another;
        self.fail_where(
            |it| it.deferred.is_ended_by(line) || is_only_one && it.deferred.is_refused_by(line),
            |it| it.released(Some(line.clone())),
        );
    }

    /// Ends the waits for results that will not come. A report may say so wrongly or late: what is owed under a shared key
    /// is owed until the session is known to be over.
    pub(super) fn give_up(&mut self, lost: Lost, report: Option<&Bytes>) {
        let concerned = |lane| lost == Lost::All || lost == Lost::Lane(lane);
        if report.is_none() {
            self.in_doubt.retain(|doubt| !concerned(doubt.lane));
        } else {
            self.doubt_where(|it| it.deferred.shared && concerned(it.job.lane));
        }
        self.fail_where(|it| concerned(it.job.lane), |it| it.released(report.cloned()));
    }

    /// Remembers that the results of these waits are still owed.
    fn doubt_where(&mut self, is_owed: impl Fn(&Waiting<T>) -> bool) {
        for waiting in self.waiting.iter().filter(|it| is_owed(it)) {
            match self.in_doubt.iter_mut().find(|doubt| doubt.deferred.same_key(&waiting.deferred)) {
                Some(doubt) => doubt.owed += 1,
                None => self.in_doubt.push(Doubt {
                    deferred: waiting.deferred.clone(),
                    lane: waiting.job.lane,
                    owed: 1,
                }),
            }
        }
    }

    /// Ends the waits for what comes of data of which the module has not got all: it gets something else in its place
    /// now, and what comes of that is no result of theirs.
    pub(super) fn give_up_data(&mut self) {
        self.time_out_where(|it| it.without_final.is_some() && it.job.owes_data() > 0);
    }

    /// Ends the waits of operations whose final result never came, because the module has probably started anew since.
    pub(super) fn give_up_unanswered(&mut self) {
        self.time_out_where(|it| it.without_final.is_some());
    }

    /// Ends these waits as if their time were over. What is owed under a shared key stays owed.
    fn time_out_where(&mut self, concerned: impl Fn(&Waiting<T>) -> bool) {
        self.doubt_where(|it| it.deferred.shared && concerned(it));
        self.fail_where(concerned, Waiting::timeout_error);
    }

    /// Ends all waits with an error.
    pub(super) fn fail_all(&mut self, error: impl Fn() -> OperationError) {
        self.in_doubt.clear();
        self.fail_where(|_| true, |_| error());
    }

    /// Whether somebody waits for one of the results.
    pub(super) fn is_awaited(&self) -> bool {
        self.waiting.iter().any(|waiting| waiting.job.is_awaited())
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.until).min()
    }

    /// Ends the waits whose time is over, and with a shared key all that cannot be told from them.
    pub(super) fn expire(&mut self, now: Instant) {
        if self.deadline().is_none_or(|due| due > now) {
            return;
        }
        let is_late = |it: &Waiting<T>| it.until <= now;
        let late_and_shared = self.waiting.iter().filter(|it| is_late(it) && it.deferred.shared);
        let missing: Vec<Deferred> = late_and_shared.map(|it| it.deferred.clone()).collect();
        let in_doubt = |it: &Waiting<T>| missing.iter().any(|late| late.same_key(&it.deferred));
        self.doubt_where(in_doubt);
        self.fail_where(|it| is_late(it) || in_doubt(it), Waiting::timeout_error);
    }

    /// Whether a new result with this key could be mistaken for one that is still owed.
    pub(super) fn is_in_doubt(&self, deferred: &Deferred) -> bool {
        self.in_doubt.iter().any(|doubt| doubt.deferred.same_key(deferred))
    }

    fn fail_where(
        &mut self,
        concerned: impl Fn(&Waiting<T>) -> bool,
        error: impl Fn(&Waiting<T>) -> OperationError,
    ) {
        for waiting in std::mem::take(&mut self.waiting) {
            if concerned(&waiting) {
                let error = error(&waiting);
                waiting.job.settle(Err(error));
            } else {
                self.waiting.push_back(waiting);
            }
        }
    }
}

/// What a line tells the operations that wait.
pub(super) enum Told<T> {
    /// Nothing.
    Nothing,
    /// No end of a wait, but none of anybody else's either.
    Line,
    /// The deferred result of this job, which is to be concluded with its final one.
    Result(Box<Job<T>>, FinalResult),
}

impl<T: Ticket> Waiting<T> {
    fn released(&self, report: Option<Bytes>) -> OperationError {
        OperationError::Released { command: self.job.command(), report }
    }

    fn timeout_error(&self) -> OperationError {
        self.without_final.clone().unwrap_or_else(|| OperationError::Timeout {
            command: self.job.command(),
            step: self.job.index(),
            phase: Phase::DeferredResult,
            after: self.deferred.timeout,
            progress: Progress::Complete,
        })
    }
}
