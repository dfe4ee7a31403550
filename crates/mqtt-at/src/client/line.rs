//! The line in which publishes wait for their turn.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Publishes in the order of their calls. One that has to be sent again goes back to its place, before those that were
/// called for later, so that an outage does not change the order.
#[derive(Debug, Default)]
pub(super) struct Line {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// The lowest number first.
    waiting: VecDeque<Standing>,
}

#[derive(Debug)]
struct Standing {
    number: u64,
    /// To be woken when it is the first.
    waker: Option<Waker>,
}

/// A publish that stands in the line. Dropping it steps out, and lets the next one come forward.
#[derive(Debug)]
pub(super) struct Place<'a> {
    line: &'a Line,
    number: u64,
}

impl Line {
    /// The number of a call, which it keeps however often it stands in the line.
    pub(super) fn number(&self) -> u64 {
        let mut state = self.state();
        state.next += 1;
        state.next
    }

    /// Stands in the line, behind the lower numbers.
    pub(super) fn stand(&self, number: u64) -> Place<'_> {
        let mut state = self.state();
        let position = state.position(number);
        state.waiting.insert(position, Standing { number, waker: None });
        Place { line: self, number }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What a panicking holder left is still a consistent line.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Where a number stands, or should.
    fn position(&self, number: u64) -> usize {
        self.waiting.partition_point(|standing| standing.number < number)
    }

    fn is_first(&self, number: u64) -> bool {
        self.waiting.front().is_some_and(|first| first.number == number)
    }
}

impl Place<'_> {
    /// Waits until nobody stands before it.
    pub(super) async fn first(&self) {
        poll_fn(|cx| {
            let mut state = self.line.state();
            if state.is_first(self.number) {
                return Poll::Ready(());
            }
            let position = state.position(self.number);
            if let Some(standing) = state.waiting.get_mut(position) {
                standing.waker = Some(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    /// Whether nobody stands before it: one that has to be sent again may have come.
    pub(super) fn is_first(&self) -> bool {
        self.line.state().is_first(self.number)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.line.state();
        let position = state.position(self.number);
        state.waiting.remove(position);
        let next = state.waiting.front_mut().and_then(|first| first.waker.take());
        drop(state);
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn who_comes_back_stands_where_it_was() {
        let line = Line::default();
        let numbers = [line.number(), line.number(), line.number()];
        let [second, third] = [line.stand(numbers[1]), line.stand(numbers[2])];
        second.first().await;
        let first = line.stand(numbers[0]);
        assert!(first.is_first() && !second.is_first());
        let mut waiting = Box::pin(async {
            second.first().await;
            drop(second);
            third.first().await;
        });
        assert!((&mut waiting).now_or_never().is_none());
        drop(first);
        waiting.await;
    }

    #[tokio::test]
    async fn who_leaves_holds_up_nobody() {
        let line = Line::default();
        let [first, second, third] = [(); 3].map(|()| line.stand(line.number()));
        let mut waiting = Box::pin(third.first());
        assert!((&mut waiting).now_or_never().is_none());
        drop(second);
        assert!((&mut waiting).now_or_never().is_none());
        drop(first);
        waiting.await;
    }
}
