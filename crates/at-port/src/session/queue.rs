//! Operations that wait for the port: in order within a lane, lanes taking turns.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::Ticket;
use crate::error::OperationError;
use crate::exchange::{Lane, Operation};
use crate::reply::Reply;

/// An operation with the caller who waits for it.
pub(super) struct Job<T> {
    pub(super) operation: Operation,
    pub(super) ticket: Option<T>,
    pub(super) start_by: Instant,
}

impl<T: Ticket> Job<T> {
    /// Whether the operation should still be started.
    pub(super) fn wanted(&self) -> bool {
        self.ticket.as_ref().is_none_or(Ticket::wanted)
    }

    /// Tells everybody who is concerned what came of it.
    pub(super) fn settle(mut self, outcome: Result<Reply, OperationError>) {
        if let Some(conclude) = self.operation.conclude.take() {
            conclude(&outcome);
        }
        if let Some(ticket) = self.ticket {
            ticket.settle(outcome);
        }
    }
}

/// The lanes of the port.
pub(super) struct Queue<T> {
    lanes: [VecDeque<Job<T>>; Lane::COUNT],
    turn: usize,
    /// No job is overdue before this.
    earliest: Option<Instant>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { lanes: std::array::from_fn(|_| VecDeque::new()), turn: 0, earliest: None }
    }
}

impl<T: Ticket> Queue<T> {
    pub(super) fn push(&mut self, job: Job<T>) {
        self.earliest = Some(self.earliest.map_or(job.start_by, |earliest| earliest.min(job.start_by)));
        if let Some(lane) = self.lanes.get_mut(job.operation.lane.position()) {
            lane.push_back(job);
        }
    }

    /// Puts a job in front of its lane.
    pub(super) fn push_front(&mut self, job: Job<T>) {
        self.earliest = Some(self.earliest.map_or(job.start_by, |earliest| earliest.min(job.start_by)));
        if let Some(lane) = self.lanes.get_mut(job.operation.lane.position()) {
            lane.push_front(job);
        }
    }

    /// The next job that is still wanted: control first, then lane by lane. What nobody wants is withdrawn.
    pub(super) fn pop(&mut self) -> Option<Job<T>> {
        let (control, others) = self.lanes.split_first_mut()?;
        if let Some(job) = pop_wanted(control) {
            return Some(job);
        }
        let count = others.len();
        for offset in 0..count {
            let position = (self.turn + offset) % count;
            let job = others.get_mut(position).and_then(pop_wanted);
            if job.is_some() {
                self.turn = position + 1;
                return job;
            }
        }
        self.earliest = None;
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.iter().all(VecDeque::is_empty)
    }

    /// When a job may be overdue.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.earliest
    }

    /// Takes out what should have been started by now.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Vec<Job<T>> {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return Vec::new();
        }
        let mut overdue = Vec::new();
        for lane in &mut self.lanes {
            let (late, waiting) = lane.drain(..).partition(|job| job.start_by <= now);
            *lane = waiting;
            overdue.extend::<VecDeque<_>>(late);
        }
        self.earliest = self.lanes.iter().flatten().map(|job| job.start_by).min();
        overdue
    }

    pub(super) fn take_all(&mut self) -> Vec<Job<T>> {
        self.earliest = None;
        self.lanes.iter_mut().flat_map(|lane| lane.drain(..)).collect()
    }
}

fn pop_wanted<T: Ticket>(lane: &mut VecDeque<Job<T>>) -> Option<Job<T>> {
    while let Some(job) = lane.pop_front() {
        if job.wanted() {
            return Some(job);
        }
    }
    None
}
