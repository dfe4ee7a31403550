//! What the flows and the rules know of the clients of the module.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::options::Pdp;

/// The clients, and what is common to them.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    clients: [Client; 2],
    /// Whether messages are reported by their lengths, so that they can be received.
    counted: bool,
    /// Whether a command that switches to such reports is queued or in flight.
    repairing: bool,
    /// Whether the latest report about the data connection said that there is one.
    dialled: bool,
    /// With what the data connection was made, if that was asked for.
    pdp: Option<Pdp>,
}

#[derive(Debug, Default)]
struct Client {
    state: State,
    /// Whether the module is being asked if this connection is still there.
    in_question: bool,
    /// How many commands that fetch messages are queued or in flight.
    fetching: usize,
    /// Whether a message was announced since the latest of them was queued.
    announced: bool,
    /// How often bytes were lost since a message was fetched, or none was waiting.
    fruitless: u8,
}

/// What a client is doing.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// There is no connection. What is reported as lost is a former one.
    #[default]
    Closed,
    /// A connection is being made.
    Opening,
    /// There is a connection that the module can report as lost.
    Open,
}

/// How often it is looked for messages after damage without success.
const LOOKS: u8 = 3;

impl Sessions {
    pub(super) fn state(&self, client: u8) -> State {
        self.known().client(client).map_or(State::Closed, |it| it.state)
    }

    pub(super) fn set(&self, client: u8, state: State) {
        if let Some(it) = self.known().client(client) {
            (it.state, it.in_question) = (state, false);
        }
    }

    /// The module is about to be asked which clients have no connection; whether that is worth it.
    pub(super) fn question_begun(&self) -> bool {
        let mut known = self.known();
        known.clients.iter_mut().for_each(|it| it.in_question = it.state == State::Open);
        known.clients.iter().any(|it| it.in_question)
    }

    pub(super) fn question_ended(&self) {
        self.known().clients.iter_mut().for_each(|it| it.in_question = false);
    }

    /// Whether a client was connected when the module was asked, and still is as far as is known here.
    pub(super) fn in_question(&self, client: u8) -> bool {
        self.known().client(client).is_some_and(|it| it.in_question)
    }

    /// The module has started anew. What is queued or in flight is settled by the port.
    pub(super) fn forget(&self) {
        let mut known = self.known();
        known.clients.iter_mut().for_each(|it| (it.state, it.in_question) = (State::Closed, false));
        (known.counted, known.dialled) = (false, false);
    }

    /// Takes note of a message that waits, and says whether it has to be fetched.
    ///
    /// One that is announced while the module works on its answer to an earlier question may not be in it.
    pub(super) fn announced(&self, client: u8) -> bool {
        let mut known = self.known();
        let Some(it) = known.client(client) else { return false };
        it.announced = true;
        it.fetching == 0
    }

    pub(super) fn fetch_begun(&self, client: u8) {
        if let Some(it) = self.known().client(client) {
            it.fetching += 1;
            it.announced = false;
        }
    }

    pub(super) fn fetch_ended(&self, client: u8) {
        if let Some(it) = self.known().client(client) {
            it.fetching = it.fetching.saturating_sub(1);
        }
    }

    /// A message was fetched.
    pub(super) fn fetched(&self, client: u8) {
        if let Some(it) = self.known().client(client) {
            it.fruitless = 0;
        }
    }

    /// No message was waiting. Says whether that is the last word.
    pub(super) fn is_empty(&self, client: u8) -> bool {
        let mut known = self.known();
        let Some(it) = known.client(client) else { return true };
        it.fruitless = 0;
        !it.announced
    }

    /// After damage: whether it makes sense to look for messages once more.
    pub(super) fn may_look_again(&self, client: u8) -> bool {
        let mut known = self.known();
        let Some(it) = known.client(client) else { return false };
        it.fruitless = it.fruitless.saturating_add(1);
        it.fruitless <= LOOKS
    }

    pub(super) fn set_counted(&self, counted: bool) {
        self.known().counted = counted;
    }

    /// Whether messages can be received.
    pub(super) fn counted(&self) -> bool {
        self.known().counted
    }

    /// Whether a command that switches to reports by length is wanted: not while there is one already.
    pub(super) fn repair_begun(&self) -> bool {
        !std::mem::replace(&mut self.known().repairing, true)
    }

    pub(super) fn repair_ended(&self) {
        self.known().repairing = false;
    }

    /// The data connection is ours to make, and to make again.
    pub(super) fn set_pdp(&self, pdp: Pdp) {
        self.known().pdp = Some(pdp);
    }

    pub(super) fn pdp(&self) -> Option<Pdp> {
        self.known().pdp.clone()
    }

    pub(super) fn set_dialled(&self, dialled: bool) {
        self.known().dialled = dialled;
    }

    pub(super) fn dialled(&self) -> bool {
        self.known().dialled
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What a panicking holder left is still consistent.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn client(&mut self, client: u8) -> Option<&mut Client> {
        self.clients.get_mut(usize::from(client).checked_sub(1)?)
    }
}
