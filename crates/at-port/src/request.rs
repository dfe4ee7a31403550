//! Everything that crosses from the handles to the driver.

use tokio::sync::oneshot;

use crate::error::OperationError;
use crate::exchange::Lane;
use crate::hub::Place;
use crate::reply::Reply;
use crate::rules::Rules;
use crate::session::{Job, Ticket};

/// What the driver is asked for. It is small, because a channel has room for many: 32 at the least.
pub(crate) enum Request<U> {
    Run(Box<Job<Caller<U>>>),
    Release(Lane),
    Rules(Box<Box<dyn Rules<Urc = U>>>),
    Close,
}

/// Someone who waits for an operation, with the place in the lane that the operation holds.
pub(crate) struct Caller<U> {
    pub(crate) answer: oneshot::Sender<Result<Reply, OperationError>>,
    pub(crate) _place: Place<U>,
}

impl<U> Ticket for Caller<U> {
    fn wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn settle(self, outcome: Result<Reply, OperationError>) {
        // Whoever has left does not want the answer.
        let _ = self.answer.send(outcome);
    }
}
