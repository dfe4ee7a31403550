//! What the dialects of modules with a single client have in common: whether it is connected, what can be meant for it,
//! and how it is told that its connection has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use at_port::{Channel, Exchange, Lane, Lost, Operation, OperationError, Reaction};

use super::Connecting;
use super::counted::{self, Candidate, Counted, Number};
use crate::command::Command;
use crate::error::Result;
use crate::event::{Event, LossCause};
use crate::link::{Inbound, Links};
use crate::message::Message;
use crate::options::Step;

/// The number of the only client.
pub(crate) const CLIENT: u8 = 0;

/// The lane of the only client.
pub(crate) const LANE: Lane = Lane::client(CLIENT);

/// What the flows and the rules know of the module's only connection to a broker.
#[derive(Debug, Default)]
pub(crate) struct Session {
    open: AtomicBool,
}

impl Session {
    /// The broker has accepted the client, or the connection is at its end. What is reported as lost while there is
    /// none is a former one.
    pub(crate) fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Relaxed);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }
}

/// Whether a message with this topic can have been meant for the client.
pub(crate) fn is_expected(links: &Links, topic: &[u8]) -> bool {
    let link = links.current(CLIENT).filter(|link| link.is_alive());
    link.is_some_and(|link| std::str::from_utf8(topic).is_ok_and(|topic| link.expects(topic)))
}

/// `",length,` behind a topic in quotes, with the payload behind it as it is.
pub(crate) fn quoted(head: &[u8], at: usize) -> Candidate {
    match (head.get(at), head.get(at + 1)) {
        (Some(b'"'), None) => return Candidate::Partial,
        (Some(b'"'), Some(b',')) => {}
        _ => return Candidate::None,
    }
    match counted::number(head, at + 2) {
        Number::Before { number, comma } => {
            Candidate::Counted(Counted { payload: comma + 1, count: number, closing: b"", spaced: false })
        }
        Number::None => Candidate::None,
        Number::Partial => Candidate::Partial,
    }
}

/// The client as the rules see it.
#[derive(Debug)]
pub(crate) struct OnlyClient {
    pub(crate) links: Arc<Links>,
    session: Arc<Session>,
}

impl OnlyClient {
    pub(crate) fn new(links: &Arc<Links>, session: &Arc<Session>) -> Self {
        Self { links: Arc::clone(links), session: Arc::clone(session) }
    }

    /// Takes a message, if it was meant for the client. Without a length in it nothing of it can be believed.
    pub(crate) fn received(
        &self,
        line: &[u8],
        message: Option<counted::Message<'_>>,
        packet: Option<u16>,
    ) -> Reaction<Inbound> {
        match message {
            Some(message) if message.expected => {
                let message = Message::new(message.topic, message.payload, packet, None);
                return Reaction::deliver(Channel::Client(CLIENT), Inbound::Message(message));
            }
            Some(message) => {
                let bytes = message.payload.len();
                tracing::debug!(bytes, "dropped a message that was not subscribed to");
            }
            None => {
                tracing::warn!(bytes = line.len(), "dropped a message without a length");
                self.corrupt(line.len(), 0);
            }
        }
        Reaction::default()
    }

    /// Bytes of a message could not be read.
    pub(crate) fn corrupt(&self, got: usize, need: usize) {
        if let Some(link) = self.links.current(CLIENT) {
            link.report(Event::Corrupt { got, need });
        }
    }

    /// The connection has ended; `false` if it had before. A report about a connection that is not there is a late one.
    pub(crate) fn lose(&self, cause: LossCause) -> bool {
        if !self.session.is_open() {
            tracing::debug!(%cause, "a connection that is gone already was reported as lost");
            return false;
        }
        self.session.set_open(false);
        if let Some(link) = self.links.current(CLIENT) {
            link.lose(cause);
        }
        true
    }

    /// The same, with what it means for the operations of the client.
    pub(crate) fn lost(&self, cause: LossCause) -> Reaction<Inbound> {
        let lost = self.lose(cause).then_some(Lost::Lane(LANE));
        Reaction { lost, ..Reaction::default() }
    }

    /// The module has started anew.
    pub(crate) fn rebooted(&self) -> Reaction<Inbound> {
        self.session.set_open(false);
        self.links.lose_all(&LossCause::Rebooted);
        Reaction { reboot: true, ..Reaction::default() }
    }

    /// After damage, which may have held the report of a loss: the module is asked, and its answer comes as a report.
    pub(crate) fn ask_after_damage(&self, question: impl FnOnce() -> Exchange) -> Reaction<Inbound> {
        let follow_up = self.session.is_open().then(|| Operation::from(question()).lane(LANE));
        Reaction { follow_up, ..Reaction::default() }
    }
}

/// Runs the command that connects the client.
pub(crate) async fn sign_in<C: Command>(
    context: &Connecting<'_>,
    session: &Arc<Session>,
    command: &C,
) -> Result<()> {
    if let Some(progress) = context.progress {
        progress(&Step::Connect);
    }
    let session = Arc::clone(session);
    // Done on the port's task, so that a report right behind the `OK` is taken as one of this connection.
    let operation = command.operation()?.lane(LANE).on_conclusion(move |outcome| {
        if outcome.is_ok() {
            session.set_open(true);
        }
    });
    match context.port.run(operation).await {
        Ok(_) => Ok(()),
        Err(OperationError::Refused(refusal)) => {
            Err(command.explain(&refusal).unwrap_or_else(|| OperationError::Refused(refusal).into()))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
pub(crate) mod script {
    //! A host of a scripted module with a single client.

    use std::marker::PhantomData;
    use std::sync::Arc;

    use at_port::Rules;

    use super::{CLIENT, Session};
    use crate::dialect::{ModemPort, script};
    use crate::link::{Inbound, Link, Links};
    use crate::topic::TopicFilter;

    /// The rules of a dialect.
    pub(crate) trait ClientRules: Rules<Urc = Inbound> + Sized + 'static {
        fn of(links: &Arc<Links>, session: &Arc<Session>) -> Self;
    }

    /// What is known of the connection, as a modem would hold it.
    pub(crate) struct Host<R> {
        pub(crate) links: Arc<Links>,
        pub(crate) session: Arc<Session>,
        rules: PhantomData<R>,
    }

    impl<R> Default for Host<R> {
        fn default() -> Self {
            Self { links: Arc::default(), session: Arc::default(), rules: PhantomData }
        }
    }

    impl<R: ClientRules> Host<R> {
        /// A host whose client is connected and subscribed to these filters.
        pub(crate) fn connected(filters: &[&str]) -> (Self, Arc<Link>) {
            let host = Self::default();
            let link = host.links.begin(CLIENT, false);
            link.expect(filters.iter().map(|filter| TopicFilter::new(*filter).unwrap()));
            link.connected();
            host.session.set_open(true);
            (host, link)
        }

        pub(crate) fn rules(&self) -> R {
            R::of(&self.links, &self.session)
        }

        /// See [`script::converse`].
        pub(crate) async fn converse<T>(&self, script: &str, host: impl AsyncFnOnce(ModemPort) -> T) -> T {
            script::converse(Box::new(self.rules()), script, host).await
        }
    }
}
