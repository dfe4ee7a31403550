//! A client: one connection of the module to a broker.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use at_port::{Channel, Lane, Operation, OperationError, Reply};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};

use crate::bulk::Publisher;
use crate::connect::ConnectOptions;
use crate::dialect::{Facts, Publish, Subscribe, Unsubscribe};
use crate::error::{BrokerError, Error, InputError, Outcome, Result};
use crate::event::{ClientStatus, Event, LossCause};
use crate::link::{Inbound, Link};
use crate::modem::{Lease, Modem, port_gone};
use crate::packet_ids::{PacketId, PacketIds};
use crate::qos::QoS;
use crate::subscription::Subscription;
use crate::topic::{TopicFilter, TopicName};

/// A connection of the module to a broker. Clones share it; many tasks may use it at once.
///
/// When the last clone is dropped the module is told to disconnect, but nobody waits for it;
/// [`disconnect`](Self::disconnect) does.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    modem: Modem,
    index: u8,
    lease: Mutex<Option<Lease>>,
    link: Arc<Link>,
    options: ConnectOptions,
    packet_ids: Arc<PacketIds>,
    window: Arc<Semaphore>,
    /// Holds what a kept session delivers until the first subscription takes it over.
    backlog: Mutex<Option<broadcast::Receiver<Inbound>>>,
}

impl Client {
    pub(crate) fn new(
        modem: Modem,
        lease: Lease,
        link: Arc<Link>,
        options: ConnectOptions,
        backlog: Option<broadcast::Receiver<Inbound>>,
    ) -> Self {
        let window = Arc::new(Semaphore::new(modem.dialect().facts().window));
        let inner = Inner {
            index: lease.index,
            lease: Mutex::new(Some(lease)),
            link,
            options,
            packet_ids: Arc::default(),
            window,
            backlog: Mutex::new(backlog),
            modem,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Publishes a message.
    ///
    /// Returns when the broker has acknowledged it (QoS 1 and 2) or the module has sent it (QoS 0). Calls that are
    /// awaited together overlap, up to the module's window (five on Quectel); order is kept within one client.
    ///
    /// # Errors
    ///
    /// Topic or payload do not fit the module: nothing has been sent then. Otherwise [`Error::outcome`] says
    /// whether the message may have reached the broker all the same.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before the first byte is written withdraws the message; after that it is sent all the
    /// same and only the outcome is lost. The link to the module stays in step either way.
    pub async fn publish(
        &self,
        topic: impl Into<String>,
        qos: QoS,
        retain: bool,
        payload: impl Into<Bytes>,
    ) -> Result<()> {
        let (topic, payload) = (TopicName::new(topic)?, payload.into());
        let counted = self.inner.link.meters().publishing(qos, payload.len());
        let outcome = self.publish_to(&topic, qos, retain, payload).await;
        counted.ended(&outcome);
        outcome
    }

    /// Publishes many messages with at most `in_flight` of them under way (0 counts as 1): a sink of messages and a
    /// stream of what became of them.
    ///
    /// The module's window ([`Limits::window`](crate::Limits::window)) bounds what overlaps; a few more keep it
    /// full while this process is busy with something else.
    pub fn publisher(&self, in_flight: usize) -> Publisher {
        Publisher::new(self.clone(), in_flight)
    }

    async fn publish_to(&self, topic: &TopicName, qos: QoS, retain: bool, payload: Bytes) -> Result<()> {
        let inner = &*self.inner;
        let dialect = inner.modem.dialect();
        check_publish(dialect.facts(), topic, &payload)?;
        let permit = inner.window_place().await?;
        let packet_id = match qos {
            QoS::AtMostOnce => None,
            _ => Some(inner.packet_id()?),
        };
        let publish = Publish {
            topic,
            payload: &payload,
            qos,
            retain,
            packet_id: packet_id.as_ref().map_or(0, PacketId::number),
            options: &inner.options,
        };
        let operation = dialect.publish(inner.index, &publish)?;
        let reply = inner.run(operation, packet_id, Some(permit)).await?;
        dialect.read_publish(&reply).map_err(|error| inner.after_loss(error))
    }

    /// Subscribes to a topic filter; the messages that match it come out of the returned stream.
    ///
    /// Messages are taken by the stream from the call on, so none is missed that the broker sends before it
    /// acknowledges. Several subscriptions that match the same message get a copy each.
    ///
    /// # Errors
    ///
    /// The filter does not fit the module, or the broker refused the subscription.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before the first byte is written withdraws the command; after that the broker may
    /// send messages that nobody takes.
    pub async fn subscribe(&self, filter: impl Into<String>, qos: QoS) -> Result<Subscription> {
        self.subscribe_all([(filter, qos)]).await
    }

    /// Subscribes to several topic filters; one stream takes what matches any of them.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Self::subscribe). If the broker refused one of the filters the others stay subscribed
    /// until [`unsubscribe`](Self::unsubscribe).
    ///
    /// # Cancel safety
    ///
    /// As [`subscribe`](Self::subscribe).
    pub async fn subscribe_all<F: Into<String>>(
        &self,
        filters: impl IntoIterator<Item = (F, QoS)>,
    ) -> Result<Subscription> {
        let filters = filters
            .into_iter()
            .map(|(filter, qos)| Ok((TopicFilter::new(filter)?, qos)))
            .collect::<Result<Vec<_>, InputError>>()?;
        if filters.is_empty() {
            return Err(InputError::Missing { field: "the topic filter" }.into());
        }
        let inner = &*self.inner;
        let receiver = inner.receiver();
        let names: Vec<_> = filters.iter().map(|(filter, _)| filter.clone()).collect();
        inner.link.add_filters(names.iter().cloned());
        let granted = match inner.subscribe(&filters).await {
            Ok(granted) => granted,
            Err(error) => {
                inner.link.remove_filters(&names);
                return Err(error);
            }
        };
        Ok(Subscription::new(names, granted, receiver, &inner.link))
    }

    /// Ends the subscription to a topic filter.
    ///
    /// Streams stay open: they get nothing more unless another subscription of the client covers them.
    ///
    /// # Errors
    ///
    /// The filter does not fit the module, or the broker did not acknowledge.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before the first byte is written withdraws the command.
    pub async fn unsubscribe(&self, filter: impl Into<String>) -> Result<()> {
        self.unsubscribe_all([filter]).await
    }

    /// Ends the subscriptions to several topic filters.
    ///
    /// # Errors
    ///
    /// As [`unsubscribe`](Self::unsubscribe).
    ///
    /// # Cancel safety
    ///
    /// As [`unsubscribe`](Self::unsubscribe).
    pub async fn unsubscribe_all<F: Into<String>>(&self, filters: impl IntoIterator<Item = F>) -> Result<()> {
        let filters = filters.into_iter().map(TopicFilter::new).collect::<Result<Vec<_>, _>>()?;
        let inner = &*self.inner;
        let dialect = inner.modem.dialect();
        for filters in filters.chunks(dialect.facts().filters) {
            let packet_id = inner.packet_id()?;
            let number = packet_id.number();
            let unsubscribe = Unsubscribe { filters, packet_id: number, options: &inner.options };
            let operation = dialect.unsubscribe(inner.index, &unsubscribe)?;
            let place = inner.place_of_subscription().await?;
            let reply = inner.run(operation, Some(packet_id), place).await?;
            dialect.read_unsubscribe(&reply).map_err(|error| inner.after_loss(error))?;
            inner.link.remove_filters(filters);
        }
        Ok(())
    }

    /// Says farewell to the broker, which then does not publish the will, and waits until it is done.
    ///
    /// # Errors
    ///
    /// The module refused or did not answer; the client is unusable all the same.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the module's client to be cleaned up by the next `connect`.
    pub async fn disconnect(&self) -> Result<()> {
        let inner = &*self.inner;
        let lease = inner.lease.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut lease) = lease else { return Ok(()) };
        let was_alive = inner.link.is_alive();
        inner.link.close();
        if was_alive {
            inner.modem.dialect().disconnect(inner.modem.port(), inner.index).await?;
            inner.modem.port().release(Lane::client(inner.index)).map_err(port_gone)?;
            lease.closed();
        }
        Ok(())
    }

    /// What happens to the connection, from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.link.events()
    }

    /// The state of the connection, now and as it changes.
    pub fn status(&self) -> watch::Receiver<ClientStatus> {
        self.inner.link.status()
    }

    /// By which number the module knows this client.
    pub fn index(&self) -> u8 {
        self.inner.index
    }

    /// The modem on which this client runs.
    pub fn modem(&self) -> &Modem {
        &self.inner.modem
    }
}

/// What fits the module, before anything is sent.
fn check_publish(facts: &Facts, topic: &TopicName, payload: &Bytes) -> Result<(), InputError> {
    let (got, max) = (topic.as_str().len(), facts.max_topic);
    if got > max {
        return Err(at_codec::ArgumentError::TooLong { field: "the topic", max, got }.into());
    }
    let (got, max) = (payload.len(), facts.max_payload);
    if got > max {
        return Err(InputError::PayloadTooLarge { got, max });
    }
    if got == 0 && !facts.empty_payload {
        return Err(InputError::PayloadEmpty);
    }
    Ok(())
}

impl Inner {
    /// Waits for a place in the module's window.
    async fn window_place(&self) -> Result<OwnedSemaphorePermit> {
        self.check_alive()?;
        let permit = Arc::clone(&self.window).acquire_owned().await.map_err(|_| Error::Disconnected)?;
        self.check_alive()?;
        Ok(permit)
    }

    /// A client that can have only one publish in flight is busy with a subscription, too.
    async fn place_of_subscription(&self) -> Result<Option<OwnedSemaphorePermit>> {
        match self.modem.dialect().facts().window {
            1 => self.window_place().await.map(Some),
            _ => Ok(None),
        }
    }

    fn packet_id(&self) -> Result<PacketId> {
        self.packet_ids.take().ok_or(Error::InDoubt)
    }

    fn check_alive(&self) -> Result<()> {
        match &*self.link.status().borrow() {
            ClientStatus::Connected | ClientStatus::Connecting => Ok(()),
            ClientStatus::Closed => Err(Error::Disconnected),
            ClientStatus::Lost(cause) => {
                Err(Error::ConnectionLost { cause: cause.clone(), outcome: Outcome::NotSent })
            }
        }
    }

    /// The receiver that holds the backlog of a kept session, or a new one.
    fn receiver(&self) -> broadcast::Receiver<Inbound> {
        let backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner).take();
        backlog.unwrap_or_else(|| self.modem.port().receiver(Channel::Client(self.index)))
    }

    async fn subscribe(&self, filters: &[(TopicFilter, QoS)]) -> Result<Vec<QoS>> {
        let dialect = self.modem.dialect();
        let mut granted = Vec::with_capacity(filters.len());
        for filters in filters.chunks(dialect.facts().filters) {
            let packet_id = self.packet_id()?;
            let number = packet_id.number();
            let subscribe = Subscribe { filters, packet_id: number, options: &self.options };
            let operation = dialect.subscribe(self.index, &subscribe)?;
            let place = self.place_of_subscription().await?;
            let reply = self.run(operation, Some(packet_id), place).await?;
            let answers = dialect.read_subscribe(&reply, filters).map_err(|error| self.after_loss(error))?;
            for ((filter, asked), answer) in filters.iter().zip(answers) {
                let qos = answer.ok_or_else(|| BrokerError::suback(filter.as_str()))?;
                if qos < *asked {
                    tracing::warn!(filter = filter.as_str(), ?asked, granted = ?qos, "the broker lowered the quality of service");
                }
                granted.push(qos);
            }
        }
        Ok(granted)
    }

    /// Runs an operation of this client. Packet identifier and place in the window are kept until the driver is
    /// done with it, whether or not the caller still waits.
    async fn run(
        &self,
        operation: Operation,
        packet_id: Option<PacketId>,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Reply> {
        self.check_alive()?;
        let operation = operation.lane(Lane::client(self.index)).on_conclusion(move |outcome| {
            if let Some(packet_id) = packet_id.filter(|_| leaves_doubt(outcome)) {
                packet_id.quarantine();
            }
            drop(place);
        });
        self.modem.port().run(operation).await.map_err(|error| self.after_loss(self.meaning_of(error)))
    }

    /// The vendor's manual goes before the general meaning of a refusal.
    fn meaning_of(&self, error: OperationError) -> Error {
        let explained = match &error {
            OperationError::Refused(refusal) => self.modem.dialect().explain(refusal),
            _ => None,
        };
        explained.unwrap_or_else(|| error.into())
    }

    /// A failure after the connection was lost has the loss as its cause.
    fn after_loss(&self, error: Error) -> Error {
        let outcome = error.outcome();
        let cause = match (&*self.link.status().borrow(), &error) {
            (ClientStatus::Lost(LossCause::PortGone), Error::Port { .. }) => return error,
            (ClientStatus::Lost(cause), Error::Module(_) | Error::ConnectionLost { .. }) => cause.clone(),
            _ => return error,
        };
        Error::ConnectionLost { cause, outcome }
    }
}

/// Whether a result may still come for an operation that has failed.
fn leaves_doubt(outcome: &Result<Reply, OperationError>) -> bool {
    match outcome {
        Ok(_) | Err(OperationError::Refused(_)) => false,
        Err(error) => error.progress() > at_port::Progress::Nothing,
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.link.is_alive() {
            self.link.close();
            // If the port is gone, so is the connection.
            let _ = self.modem.port().post(self.modem.dialect().farewell(self.index).lane(Lane::CONTROL));
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("index", &self.inner.index)
            .field("client_identifier", &self.inner.options.client_identifier)
            .finish_non_exhaustive()
    }
}
