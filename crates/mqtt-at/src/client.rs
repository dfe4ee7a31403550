//! A client: one connection of the module to a broker.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use at_port::{Channel, Lane};
use bytes::Bytes;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::time::timeout;

use self::core::{Core, Patience};
use self::line::Line;
use self::publishing::Publication;
pub use self::publishing::Published;
use crate::bulk::Publisher;
use crate::connect::ConnectOptions;
use crate::error::{BrokerError, InputError, Result};
use crate::event::{ClientStatus, Event};
use crate::link::{Inbound, Link};
use crate::modem::{Lease, Modem, port_gone};
use crate::qos::QoS;
use crate::subscription::Subscription;
use crate::topic::{TopicFilter, TopicName};

mod core;
mod keeper;
mod line;
mod publishing;

/// A connection of the module to a broker. Clones share it; many tasks may use it at once.
///
/// When the last clone is dropped the module is told to disconnect, but nobody waits for it;
/// [`disconnect`](Self::disconnect) does.
///
/// # Examples
///
/// ```no_run
/// use mqtt_at::QoS;
///
/// # async fn example(client: mqtt_at::Client) -> mqtt_at::Result<()> {
/// let mut commands = client.subscribe("site/7/cmd/#", QoS::AtLeastOnce).await?;
/// // Publishes that are awaited together overlap, as far as the module can.
/// let (first, second) = futures::join!(
///     client.publish("site/7/temperature", QoS::AtLeastOnce, false, "21.5"),
///     client.publish("site/7/humidity", QoS::AtLeastOnce, false, "40"),
/// );
/// first?;
/// second?;
/// while let Some(Ok(command)) = commands.next().await {
///     println!("{}: {:?}", command.topic(), command.payload());
/// }
/// client.unsubscribe("site/7/cmd/#").await?;
/// client.disconnect().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    core: Arc<Core>,
    lease: Mutex<Option<Lease>>,
    /// Holds what a kept session delivers until the first subscription takes it over.
    backlog: Mutex<Option<broadcast::Receiver<Inbound>>>,
    /// Dropped last: the port closes with the last of these.
    modem: Modem,
}

impl Client {
    pub(crate) fn new(
        modem: Modem,
        lease: Lease,
        link: Arc<Link>,
        options: ConnectOptions,
        backlog: Option<broadcast::Receiver<Inbound>>,
    ) -> Self {
        let core = Arc::new(Core {
            shared: Arc::clone(modem.shared()),
            index: lease.index,
            window: Arc::new(Semaphore::new(modem.dialect().facts().window)),
            link,
            options,
            packet_ids: Arc::default(),
            line: Line::default(),
            waiting: AtomicUsize::new(0),
            making: tokio::sync::Mutex::default(),
        });
        if core.link.is_kept() {
            core.shared.spawn(Box::pin(keeper::keep(Arc::clone(&core))));
        }
        let inner = Inner { core, lease: Mutex::new(Some(lease)), backlog: Mutex::new(backlog), modem };
        Self { inner: Arc::new(inner) }
    }

    /// Publishes a message.
    ///
    /// Returns when the broker has acknowledged it (QoS 1 and 2) or the module has sent it (QoS 0). Calls that are
    /// awaited together overlap, up to the module's window (five on Quectel); order is kept within one client.
    ///
    /// While the connection is lost the call waits for it to come back, at most the
    /// [`publish_timeout`](ConnectOptions::publish_timeout). A message that was certainly not sent is then sent; one of
    /// unknown fate is sent again as far as [`redelivery`](ConnectOptions::redelivery) allows, which
    /// [`Published::maybe_duplicate`] tells.
    ///
    /// # Errors
    ///
    /// Topic or payload do not fit the module: nothing has been sent then. Otherwise [`Error::outcome`] says
    /// whether the message may have reached the broker all the same.
    ///
    /// [`Error::outcome`]: crate::Error::outcome
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
    ) -> Result<Published> {
        let message = Publication { topic: TopicName::new(topic)?, qos, retain, payload: payload.into() };
        let core = &self.inner.core;
        let counted = core.link.meters().publishing(qos, message.payload.len());
        let outcome = core.publish(message).await;
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
        let core = &self.inner.core;
        let receiver = self.inner.receiver();
        let names: Vec<_> = filters.iter().map(|(filter, _)| filter.clone()).collect();
        // Before the command: a retained message may come before its result.
        let asking = Asking::new(&core.link, &filters);
        let granted = self.inner.subscribe(&filters).await?;
        asking.granted();
        Ok(Subscription::new(names, granted, receiver, &core.link))
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
        let core = &self.inner.core;
        let mut patience = Patience::new(core.options.publish_timeout);
        loop {
            patience.wait(core, core.connected()).await?;
            match core.unsubscribe(&filters).await {
                Ok(()) => return Ok(()),
                Err(error) => core.forgive(error, &mut patience).await?,
            }
        }
    }

    /// Says farewell to the broker, which then does not publish the will, and waits until it is done.
    ///
    /// Results of publishes that are under way are waited for first, for ten seconds at the most.
    ///
    /// # Errors
    ///
    /// The module refused or did not answer; the client is unusable all the same.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the module's client to be cleaned up by the next `connect`.
    pub async fn disconnect(&self) -> Result<()> {
        let Inner { core, lease, modem, .. } = &*self.inner;
        let lease = lease.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut lease) = lease else { return Ok(()) };
        let was = core.link.status().borrow().clone();
        core.link.close();
        // Whoever is making the connection again gives up now, and has then said its last word.
        let _made = core.making.lock().await;
        let port = core.shared.port();
        match was {
            ClientStatus::Connected | ClientStatus::Connecting => {
                // A module that owes the result of a publish may refuse the farewell, and keep the client.
                let window = u32::try_from(core.dialect().facts().window).unwrap_or(1);
                let _idle = timeout(LAST_RESULTS, core.window.acquire_many(window)).await;
                modem.dialect().disconnect(&port, core.index).await?;
                port.release(core.lane()).map_err(port_gone)?;
                lease.closed();
            }
            // What the module may still have of it is closed before its next use.
            _ => {}
        }
        Ok(())
    }

    /// What happens to the connection, from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.inner.core.link.events()
    }

    /// The state of the connection, now and as it changes.
    pub fn status(&self) -> watch::Receiver<ClientStatus> {
        self.inner.core.link.status().subscribe()
    }

    /// How many publishes of this client have been called for and have not come to their end: those that wait for the
    /// connection or for a place in the module's window, and those that are [`in_flight`](Self::in_flight).
    pub fn pending(&self) -> usize {
        self.inner.core.waiting.load(Ordering::Relaxed)
    }

    /// How many places of the module's window ([`Limits::window`](crate::Limits::window)) are taken.
    pub fn in_flight(&self) -> usize {
        let core = &self.inner.core;
        core.dialect().facts().window.saturating_sub(core.window.available_permits())
    }

    /// By which number the module knows this client.
    pub fn index(&self) -> u8 {
        self.inner.core.index
    }

    /// The modem on which this client runs.
    pub fn modem(&self) -> &Modem {
        &self.inner.modem
    }
}

impl Inner {
    /// The receiver that holds the backlog of a kept session, or a new one.
    fn receiver(&self) -> broadcast::Receiver<Inbound> {
        let backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner).take();
        backlog.unwrap_or_else(|| self.core.shared.receiver(Channel::Client(self.core.index)))
    }

    /// Subscribes as soon as there is a connection, and says what was granted.
    async fn subscribe(&self, filters: &[(TopicFilter, QoS)]) -> Result<Vec<QoS>> {
        let core = &self.core;
        let mut patience = Patience::new(core.options.publish_timeout);
        let answers = loop {
            patience.wait(core, core.connected()).await?;
            match core.subscribe(filters).await {
                Ok(answers) => break answers,
                Err(error) => core.forgive(error, &mut patience).await?,
            }
        };
        let mut granted = Vec::with_capacity(filters.len());
        for ((filter, asked), answer) in filters.iter().zip(answers) {
            let qos = answer.ok_or_else(|| BrokerError::suback(filter.as_str()))?;
            if qos < *asked {
                tracing::warn!(filter = filter.as_str(), ?asked, granted = ?qos, "the broker lowered the quality of service");
            }
            granted.push(qos);
        }
        Ok(granted)
    }
}

/// How long a farewell waits for the results of publishes.
const LAST_RESULTS: Duration = Duration::from_secs(10);

/// Filters that are being subscribed to. Dropping it takes them back.
struct Asking<'a> {
    link: &'a Link,
    filters: &'a [(TopicFilter, QoS)],
}

impl<'a> Asking<'a> {
    fn new(link: &'a Link, filters: &'a [(TopicFilter, QoS)]) -> Self {
        link.ask_for(filters);
        Self { link, filters }
    }

    fn granted(mut self) {
        let filters = std::mem::take(&mut self.filters);
        self.link.grant(filters.iter().map(|(filter, _)| filter));
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.link.take_back(self.filters.iter().map(|(filter, _)| filter));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let core = &self.core;
        if core.link.is_alive() {
            // If the port is gone, so is the connection.
            let farewell = core.dialect().farewell(core.index).lane(Lane::CONTROL);
            let _ = core.shared.port().post(farewell);
        }
        core.link.close();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("index", &self.inner.core.index)
            .field("client_identifier", &self.inner.core.options.client_identifier)
            .finish_non_exhaustive()
    }
}
