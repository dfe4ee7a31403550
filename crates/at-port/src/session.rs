//! The state machine of the port: bytes and instants in, bytes, deliveries and a deadline out.

mod fence;
mod job;
mod last;
mod options;
mod pending;
mod queue;
mod reacting;
mod reading;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use at_codec::{AtCodec, PromptKind};
use bytes::BytesMut;
use tokio::time::Instant;

pub use self::fence::SentProbe;
use self::fence::{Begun, Fence};
pub(crate) use self::job::Job;
use self::last::LastCommand;
pub use self::options::SessionOptions;
use self::pending::Pending;
use self::queue::Queue;
use crate::channel::Channel;
use crate::error::{OperationError, Phase, PortError, Progress};
use crate::event::{LinkState, Measurement, Meter, PortEvent, Tap, TapEntry};
use crate::exchange::{Lane, Operation, PromptForm};
use crate::reply::{FinalResult, Reply};
use crate::rules::{Lost, Probe, Rules};

/// The caller's side of an operation.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
pub trait Ticket {
    /// Whether somebody still waits. An operation whose first byte has been written is finished all the same.
    fn wanted(&self) -> bool;
    /// Takes the outcome.
    fn settle(self, outcome: Result<Reply, OperationError>);
}

/// Something for the users of the port.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery<U> {
    /// A report, for the receivers of a channel.
    Urc(Channel, U),
    /// News of the link.
    Event(PortEvent),
}

/// What one port is doing, without task, channel or clock.
///
/// Methods come in four kinds: plain questions; `handle_*`, which take what happened together with the time;
/// changes asked for by the owner (`submit`, `release`, `replace_rules`, `close`); and `transmit`, `poll_delivery` and
/// `deadline`, which say what is to be done next. After any `handle_*` or change the owner asks those again.
///
/// No example: [`Driver`](crate::Driver) is the one loop around it, and shorter than one.
pub struct Session<U, T> {
    codec: AtCodec<Box<dyn Rules<Urc = U>>>,
    inbox: BytesMut,
    options: SessionOptions,
    queue: Queue<T>,
    /// Boxed, as is the fence, because most ports are idle most of the time.
    active: Option<Box<Job<T>>>,
    pending: Pending<T>,
    /// While the link is in doubt. Nothing is in flight then, but an operation may wait between two steps.
    fence: Option<Box<Fence>>,
    link: LinkState,
    /// The link is in doubt, but the exchange in flight has to end first.
    doubt: bool,
    last: LastCommand,
    echo_off: bool,
    /// Whether an LF belongs to the end of each command line: the probe that proved the link last had one.
    line_feed: bool,
    heard_anything: bool,
    silence: Option<Instant>,
    stall: Option<Instant>,
    deliveries: VecDeque<Delivery<U>>,
    /// Whether the session is to end when it is idle.
    closing: bool,
    /// Whether the module has reported its start and the link was not proven since.
    restarted: bool,
    ended: Option<PortError>,
    /// The probes whose answers may still come when the session has ended.
    owed: Vec<SentProbe>,
    tap: Option<Box<dyn Tap>>,
    meter: Option<Box<dyn Meter>>,
}

impl<U: Clone + Send + 'static, T: Ticket> Session<U, T> {
    /// A session over a port of which nothing is known yet: it begins with a fence.
    pub fn new(rules: Box<dyn Rules<Urc = U>>, options: SessionOptions, now: Instant) -> Self {
        let probes = rules.probes();
        let mut codec = AtCodec::new(rules, options.limits);
        codec.reset();
        let link = if options.hold_off.is_zero() { LinkState::Suspect } else { LinkState::InPayload };
        let patience = options.first_fence.clone();
        let mut fence = Fence::new(probes, patience, String::new(), now + options.quiet, &options, now);
        if link == LinkState::InPayload {
            fence.hold(now + options.hold_off, options.owed);
        }
        Self {
            codec,
            inbox: BytesMut::new(),
            options,
            queue: Queue::default(),
            active: None,
            pending: Pending::default(),
            fence: Some(Box::new(fence)),
            link,
            doubt: false,
            last: LastCommand::default(),
            echo_off: false,
            line_feed: false,
            heard_anything: false,
            silence: None,
            stall: None,
            deliveries: VecDeque::new(),
            closing: false,
            restarted: false,
            ended: None,
            owed: Vec::new(),
            tap: None,
            meter: None,
        }
    }

    /// Shows the conversation to a witness from now on.
    pub fn set_tap(&mut self, tap: Box<dyn Tap>) {
        self.tap = Some(tap);
    }

    /// Has everything counted from now on.
    pub fn set_meter(&mut self, meter: Box<dyn Meter>) {
        self.meter = Some(meter);
    }

    /// Says which probes former sessions on the same module have sent that may still be answered, the oldest first.
    /// The first fence asks for something else.
    pub fn inherit_probes(&mut self, owed: Vec<SentProbe>) {
        if let Some(fence) = &mut self.fence {
            fence.inherit(owed);
        }
    }

    /// After the end: what the next session on the same module should [inherit](Self::inherit_probes).
    pub fn owed_probes(&self) -> &[SentProbe] {
        &self.owed
    }

    /// How far the link can be trusted.
    pub fn link(&self) -> LinkState {
        self.link
    }

    /// Why the session has ended, if it has.
    pub fn ended(&self) -> Option<&PortError> {
        self.ended.as_ref()
    }

    /// For how many bytes of data the module waits, will as soon as the command line is out, or has not yet answered
    /// what it got; 0 for none. A host that died now could leave it in the middle of a payload.
    pub fn owes_data(&self) -> usize {
        let active = self.active.as_ref().filter(|_| self.fence.is_none());
        active.map_or(0, |active| active.owes_data())
    }

    /// Whether the module cannot be waiting for data: it answers, or has just started.
    pub(crate) fn is_done_with_data(&self) -> bool {
        self.owes_data() == 0 && (self.link == LinkState::Synced || self.restarted)
    }

    /// Whether nothing is queued or in flight, and nobody waits for a deferred result.
    pub fn is_idle(&self) -> bool {
        self.active.is_none() && self.queue.is_empty() && !self.pending.is_awaited()
    }

    /// The owner ends the session when it is idle: from now on no report brings an operation about, or a module that
    /// reports without end would keep it busy.
    pub fn close(&mut self) {
        self.closing = true;
    }

    /// Where received bytes are to be put before [`handle_input`](Self::handle_input).
    pub fn inbox(&mut self) -> &mut BytesMut {
        &mut self.inbox
    }

    /// Adds an operation to the queue; `None` for one that nobody waits for.
    pub fn submit(&mut self, now: Instant, operation: Operation, ticket: Option<T>) {
        if let Some(job) = Job::new(operation, ticket) {
            self.take(now, job);
        }
    }

    /// Adds an operation that has been taken up already.
    pub(crate) fn take(&mut self, now: Instant, mut job: Box<Job<T>>) {
        job.start_by = Some(now + self.patience_with(&job));
        match &self.ended {
            Some(error) => job.settle(Err(port_gone(error, Progress::Nothing))),
            None => self.queue.push(job),
        }
        self.measure_queue();
    }

    /// How long a job may wait for the port.
    fn patience_with(&self, job: &Job<T>) -> Duration {
        job.start_within.unwrap_or(self.options.start_within)
    }

    /// Ends the waits for deferred results of a lane, because the session at the broker they belong to is gone.
    pub fn release(&mut self, lane: Lane) {
        self.give_up_pending(Lost::Lane(lane), None);
    }

    /// Takes other rules, for instance when the vendor has become known. What was received so far was read by the old ones.
    pub fn replace_rules(&mut self, rules: Box<dyn Rules<Urc = U>>) {
        self.codec.replace_framing(rules);
    }

    /// The bytes to write next. What the transport took of them goes to [`handle_sent`](Self::handle_sent).
    pub fn transmit(&mut self, now: Instant) -> Option<&[u8]> {
        if self.ended.is_some() {
            return None;
        }
        if self.active.as_ref().is_some_and(|active| active.is_untouched() && !active.is_wanted()) {
            self.active = None;
        }
        if self.active.is_none() && self.fence.is_none() {
            self.start_next();
        }
        let waiting = match (&mut self.fence, &self.active) {
            (Some(fence), _) => fence.unsent(now),
            (None, Some(active)) => active.unsent(),
            (None, None) => None,
        };
        self.stall = match (&waiting, self.stall) {
            (None, _) => None,
            (Some(_), Some(due)) => Some(due),
            (Some(_), None) => Some(now + self.options.write_stall),
        };
        waiting
    }

    /// Takes note that the transport took `count` bytes of what [`transmit`](Self::transmit) gave.
    pub fn handle_sent(&mut self, now: Instant, count: usize) {
        self.stall = None;
        if let Some(fence) = &mut self.fence {
            match fence.handle_sent(now, count) {
                Some(Begun::Probe(line)) => {
                    note(&mut self.tap, TapEntry::Probe(line));
                    self.set_link(LinkState::Suspect);
                }
                Some(Begun::Filler { bytes }) => {
                    self.pending.give_up_data();
                    tracing::warn!(bytes, "the module may be waiting for data without end; filling it up");
                    note(&mut self.tap, TapEntry::Filler { bytes });
                    self.report(PortEvent::Filled { bytes });
                }
                None => {}
            }
        } else if let Some(active) = &mut self.active {
            if active.is_between_steps() {
                self.last.remember(active.step(), now);
                active.begin_step(now);
            }
            if active.first_byte() {
                note(&mut self.tap, active.tap_entry());
            }
            active.handle_sent(now, count);
            // A prompt exists only while the exchange in flight waits for one.
            if active.awaited_prompt().is_some_and(PromptForm::is_mark) {
                self.codec.arm_prompt(Some(PromptKind::Data));
            }
        }
    }

    /// The next delivery for the users of the port.
    pub fn poll_delivery(&mut self) -> Option<Delivery<U>> {
        self.deliveries.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called at the latest.
    pub fn deadline(&self) -> Option<Instant> {
        if self.ended.is_some() {
            return None;
        }
        let active = self.active.as_ref().and_then(|it| it.deadline());
        let fence = self.fence.as_ref().and_then(|it| it.deadline());
        [active, fence, self.silence, self.stall, self.pending.deadline(), self.queue.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what is due. Calling it too early does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.silence.is_some_and(|due| due <= now) {
            self.handle_silence(now);
        }
        if self.stall.is_some_and(|due| due <= now) {
            self.end(PortError::Stalled { after: self.options.write_stall });
        }
        for job in self.queue.take_overdue(now) {
            self.settle_overdue(job);
        }
        self.pending.expire(now);
        if self.active.as_ref().and_then(|it| it.deadline()).is_some_and(|due| due <= now) {
            self.handle_no_answer(now);
        }
        if let Some(probes) = self.fence.as_mut().and_then(|fence| fence.handle_timeout(now)) {
            self.end(PortError::Unresponsive { probes, heard_anything: self.heard_anything });
        }
    }

    /// Takes note that the port is gone: everybody who waits gets the error, and every later operation too.
    pub fn end(&mut self, error: PortError) {
        if self.ended.is_some() {
            return;
        }
        self.codec.arm_prompt(None);
        self.ended = Some(error.clone());
        self.owed = self.last_owed().chain(self.fence.iter().flat_map(|it| it.owed()).copied()).collect();
        self.fence = None;
        self.silence = None;
        self.stall = None;
        self.set_link(LinkState::Dead);
        if let Some(active) = self.active.take() {
            let progress = active.progress();
            active.settle(Err(port_gone(&error, progress)));
        }
        self.pending.fail_all(|| port_gone(&error, Progress::Complete));
        for job in self.queue.take_all() {
            job.settle(Err(port_gone(&error, Progress::Nothing)));
        }
    }

    /// The last command as far as it is a probe as well, and its answer may still come.
    fn last_owed(&self) -> impl Iterator<Item = SentProbe> {
        let asked = self.last.asked.filter(|_| self.active.is_some() || self.fence.is_some());
        let names = Probe::STANDARD.iter().map(|probe| probe.name);
        let asked_for = names.filter(|name| self.last.names.contains(name));
        asked.into_iter().flat_map(move |at| asked_for.clone().map(move |name| SentProbe::new(name, at)))
    }

    /// Starts the next operation that somebody still waits for and whose result could be told from earlier ones.
    fn start_next(&mut self) {
        while let Some(mut job) = self.queue.pop() {
            if job.awaits.as_ref().is_some_and(|deferred| self.pending.is_in_doubt(deferred)) {
                job.settle(Err(OperationError::InDoubt));
                continue;
            }
            if self.line_feed {
                job.add_line_feeds();
            }
            self.active = Some(job);
            break;
        }
        self.measure_queue();
    }

    /// The exchange in flight got no prompt or no final result in time, or the transport was not free for it.
    fn handle_no_answer(&mut self, now: Instant) {
        let Some(active) = self.active.take() else { return };
        if active.is_untouched() {
            return self.settle_overdue(active);
        }
        self.codec.arm_prompt(None);
        active.span().in_scope(|| {
            tracing::warn!(command = %active.step().line.name(), "no answer in time; proving the link");
        });
        let (data_until, owed) = (active.data_until(now), active.owes_data());
        let is_proven = active.deferred.is_some();
        let asked_for_result = active.course.phase() == Phase::FinalResult;
        if asked_for_result && active.deferred.is_some() {
            // The result proves that the command was carried out; only its `OK` was lost.
            active.conclude(FinalResult::Ok);
        } else if asked_for_result && active.may_still_succeed() {
            self.pending.await_result(now, active);
        } else {
            let error = active.timeout_error();
            active.settle(Err(error));
        }
        self.begin_fence(now);
        // A result that has come proves that the data has arrived.
        if let (Some(fence), true) = (&mut self.fence, owed > 0 && !is_proven) {
            fence.hold(data_until, owed);
            self.set_link(LinkState::InPayload);
        }
    }

    fn settle_overdue(&self, job: Box<Job<T>>) {
        let after = self.patience_with(&job);
        job.settle(Err(OperationError::NotStarted { after }));
    }

    /// The link is in doubt: nothing is written any more until it is proven, but what is in flight ends first.
    fn suspect(&mut self, now: Instant) {
        if self.active.as_ref().is_some_and(|active| !active.is_between_steps()) {
            self.doubt = true;
        } else {
            self.begin_fence(now);
        }
    }

    /// Writes no more commands until the link has been proven.
    fn begin_fence(&mut self, now: Instant) {
        self.doubt = false;
        if self.ended.is_some() || self.fence.is_some() {
            return;
        }
        let probes = self.codec.framing().probes();
        let suspect = self.last.names.clone();
        let (patience, first) = (self.options.fence.clone(), now + self.options.quiet);
        self.fence = Some(Box::new(Fence::new(probes, patience, suspect, first, &self.options, now)));
        self.set_link(LinkState::Suspect);
    }

    fn set_link(&mut self, link: LinkState) {
        if self.link != link {
            self.link = link;
            self.report(PortEvent::Link(link));
        }
    }

    fn measure_queue(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.note(Measurement::Queue { waiting: self.queue.len() });
        }
    }

    fn report(&mut self, event: PortEvent) {
        if let Some(meter) = &mut self.meter {
            meter.note(Measurement::Event(&event));
        }
        self.deliveries.push_back(Delivery::Event(event));
    }
}

/// The error of an operation whose port is gone.
fn port_gone(error: &PortError, progress: Progress) -> OperationError {
    OperationError::Port { error: error.clone(), progress }
}

/// Shows an entry to the witness, and to the trace.
fn note(tap: &mut Option<Box<dyn Tap>>, entry: TapEntry<'_>) {
    tracing::trace!(?entry);
    if let Some(tap) = tap {
        tap.note(entry);
    }
}

impl<U, T> fmt::Debug for Session<U, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("link", &self.link)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
