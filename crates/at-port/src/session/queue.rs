//! Operations that wait for the port: in order within a lane, lanes taking turns.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::Ticket;
use super::job::Job;
use crate::exchange::Lane;

/// The lanes of the port.
pub(super) struct Queue<T> {
    /// By position, up to the last one that has been used.
    lanes: Vec<Waiting<T>>,
    turn: usize,
    /// No job is overdue before this.
    earliest: Option<Instant>,
}

/// What waits in one lane.
struct Waiting<T> {
    /// What reports asked for, in the order of the reports.
    follow_ups: VecDeque<Box<Job<T>>>,
    /// What callers asked for.
    requests: VecDeque<Box<Job<T>>>,
    /// Whether the last job was a follow-up, so that a storm of reports does not keep the callers waiting.
    followed_up: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { lanes: Vec::new(), turn: 0, earliest: None }
    }
}

impl<T: Ticket> Queue<T> {
    pub(super) fn push(&mut self, job: Box<Job<T>>) {
        self.take_note_of(job.start_by);
        if let Some(lane) = self.lane(job.lane) {
            lane.requests.push_back(job);
        }
    }

    /// Adds what a report asked for, unless `bound` such jobs wait in the lane already; gives the job back then.
    pub(super) fn push_follow_up(&mut self, job: Box<Job<T>>, bound: usize) -> Option<Box<Job<T>>> {
        let start_by = job.start_by;
        match self.lane(job.lane) {
            Some(lane) if lane.follow_ups.len() < bound => lane.follow_ups.push_back(job),
            _ => return Some(job),
        }
        self.take_note_of(start_by);
        None
    }

    fn lane(&mut self, lane: Lane) -> Option<&mut Waiting<T>> {
        let position = lane.position();
        if self.lanes.len() <= position {
            self.lanes.resize_with(position + 1, Waiting::default);
        }
        self.lanes.get_mut(position)
    }

    fn take_note_of(&mut self, start_by: Option<Instant>) {
        self.earliest = self.earliest.into_iter().chain(start_by).min();
    }

    /// The next job that is still wanted: control first, then lane by lane. What nobody wants is withdrawn.
    pub(super) fn pop(&mut self) -> Option<Box<Job<T>>> {
        // Nothing has come since nothing was found.
        self.earliest?;
        let (control, others) = self.lanes.split_first_mut()?;
        if let Some(job) = control.pop() {
            return Some(job);
        }
        let count = others.len();
        for offset in 0..count {
            let position = (self.turn + offset) % count;
            let job = others.get_mut(position).and_then(Waiting::pop);
            if job.is_some() {
                self.turn = position + 1;
                return job;
            }
        }
        self.earliest = None;
        None
    }

    /// How many jobs wait.
    pub(super) fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.follow_ups.len() + lane.requests.len()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.iter().all(|lane| lane.follow_ups.is_empty() && lane.requests.is_empty())
    }

    /// When a job may be overdue.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.earliest
    }

    /// Takes out what should have been started by now.
    pub(super) fn take_overdue(&mut self, now: Instant) -> Vec<Box<Job<T>>> {
        if self.earliest.is_none_or(|earliest| earliest > now) {
            return Vec::new();
        }
        let mut overdue = Vec::new();
        for jobs in self.lanes.iter_mut().flat_map(Waiting::queues) {
            let (late, waiting) = jobs.drain(..).partition(|job| job.is_overdue(now));
            *jobs = waiting;
            overdue.extend::<VecDeque<_>>(late);
        }
        let left = self.lanes.iter_mut().flat_map(Waiting::queues).flatten();
        self.earliest = left.filter_map(|job| job.start_by).min();
        overdue
    }

    pub(super) fn take_all(&mut self) -> Vec<Box<Job<T>>> {
        self.earliest = None;
        self.lanes.iter_mut().flat_map(Waiting::queues).flat_map(|jobs| jobs.drain(..)).collect()
    }
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self { follow_ups: VecDeque::new(), requests: VecDeque::new(), followed_up: false }
    }
}

impl<T: Ticket> Waiting<T> {
    fn pop(&mut self) -> Option<Box<Job<T>>> {
        let follow_up = if self.followed_up { None } else { pop_wanted(&mut self.follow_ups) };
        self.followed_up = follow_up.is_some();
        follow_up.or_else(|| pop_wanted(&mut self.requests)).or_else(|| pop_wanted(&mut self.follow_ups))
    }

    fn queues(&mut self) -> [&mut VecDeque<Box<Job<T>>>; 2] {
        [&mut self.follow_ups, &mut self.requests]
    }
}

fn pop_wanted<T: Ticket>(jobs: &mut VecDeque<Box<Job<T>>>) -> Option<Box<Job<T>>> {
    while let Some(job) = jobs.pop_front() {
        if job.is_wanted() {
            return Some(job);
        }
    }
    None
}
