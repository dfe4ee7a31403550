//! What a report brings about besides its delivery.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::job::Job;
use super::{Delivery, Session, Ticket};
use crate::error::{OperationError, Progress};
use crate::event::{LinkState, PortEvent};
use crate::rules::{Lost, Reaction};

impl<U: Clone + Send + 'static, T: Ticket> Session<U, T> {
    /// Does what a report asks for; `line` is the report, unless bytes were dropped.
    pub(super) fn react(&mut self, now: Instant, line: Option<&Bytes>, reaction: Reaction<U>) {
        if let Some((channel, item)) = reaction.deliver {
            self.deliveries.push_back(Delivery::Urc(channel, item));
        }
        if let Some(lost) = reaction.lost {
            self.give_up_pending(lost, line);
        }
        if reaction.reboot {
            self.handle_reboot(now);
        }
        let follow_up = reaction.follow_up.filter(|_| !self.closing);
        if let Some(mut job) = follow_up.and_then(|operation| Job::new(operation, None)) {
            job.start_by = Some(now + self.patience_with(&job));
            if let Some(refused) = self.queue.push_follow_up(job, self.options.follow_ups) {
                tracing::warn!("too many reports ask for an operation; the last one is refused");
                refused.settle(Err(OperationError::NotStarted { after: Duration::ZERO }));
            }
        }
    }

    /// Remembers for the operation in flight that its deferred result will not come.
    pub(super) fn note_loss(&mut self, line: &Bytes) {
        let is_ended = |active: &&mut Box<Job<T>>| {
            active.is_asked() && active.awaits.as_ref().is_some_and(|it| it.is_ended_by(line))
        };
        if let Some(active) = self.active.as_mut().filter(is_ended) {
            active.lost = Some(Some(line.clone()));
        }
    }

    /// Ends the waits for deferred results that will not come.
    pub(super) fn give_up_pending(&mut self, lost: Lost, report: Option<&Bytes>) {
        self.pending.give_up(lost, report);
        let is_concerned = |active: &&mut Box<Job<T>>| {
            active.is_asked() && (lost == Lost::All || lost == Lost::Lane(active.lane))
        };
        if let Some(active) = self.active.as_mut().filter(is_concerned) {
            active.lost = Some(report.cloned());
        }
    }

    /// The module has started anew: whatever was said to it is void.
    fn handle_reboot(&mut self, now: Instant) {
        tracing::warn!("the module rebooted");
        self.echo_off = false;
        self.restarted = true;
        self.codec.arm_prompt(None);
        self.report(PortEvent::Reboot);
        if let Some(active) = self.active.take() {
            let progress = active.progress();
            active.settle(Err(OperationError::Reset { progress }));
        }
        self.pending.fail_all(|| OperationError::Reset { progress: Progress::Complete });
        for job in self.queue.take_all() {
            job.settle(Err(OperationError::Reset { progress: Progress::Nothing }));
        }
        match &mut self.fence {
            Some(fence) => fence.restart(now),
            None => self.begin_fence(now),
        }
        self.doubt = false;
    }

    /// The link is proven.
    pub(super) fn pass_fence(&mut self) {
        if let Some(fence) = self.fence.take() {
            self.line_feed = fence.ends_in_line_feed();
            self.report(PortEvent::Fenced { probes: fence.probes_sent() });
        }
        self.restarted = false;
        self.set_link(LinkState::Synced);
    }
}
