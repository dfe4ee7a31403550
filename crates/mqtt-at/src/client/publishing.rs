//! Publishing, across outages if it must be.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use at_port::Operation;
use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::core::{Core, Patience, TRIES};
use super::line::Place;
use crate::connect::Redelivery;
use crate::dialect::Publish;
use crate::error::{Error, Outcome, Result};
use crate::limits::Limits;
use crate::packet_ids::PacketId;
use crate::qos::QoS;
use crate::topic::TopicName;

/// What became of a message that was published.
///
/// ```no_run
/// use mqtt_at::QoS;
///
/// # async fn example(client: mqtt_at::Client) -> mqtt_at::Result<()> {
/// let published = client.publish("site/7/up", QoS::AtLeastOnce, false, "hello").await?;
/// println!("{published:?}");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// How often the message was given to the module. More than once only if the connection failed meanwhile.
    pub attempts: u32,
    /// Whether the broker may have it more than once: an earlier attempt ended without a word about its fate.
    pub maybe_duplicate: bool,
}

/// Before what was refused is given to the module once more; longer from time to time.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// A message with everything about it.
pub(super) struct Publication {
    pub(super) topic: TopicName,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) payload: Bytes,
}

impl Core {
    /// Publishes a message. With a kept connection, what fails in passing is tried again: a message that was certainly
    /// not sent in any case, one of unknown fate as far as its quality of service and the options allow.
    pub(super) async fn publish(&self, message: Publication) -> Result<Published> {
        let limits = Limits::of(self.dialect().facts());
        limits.check(message.topic.as_str(), Some(&message.payload))?;
        let _waiting = self.enter()?;
        let number = self.line.number();
        let mut patience = Patience::new(self.options.publish_timeout);
        let mut place = None;
        let mut attempts = 0;
        // The failure that left the message's fate open. It outweighs what fails afterwards.
        let mut unknown = None;
        loop {
            let outcome = self.attempt(&message, number, &mut place, &mut patience).await;
            attempts += 1;
            let error = match outcome {
                Ok(()) => return Ok(Published { attempts, maybe_duplicate: unknown.is_some() }),
                Err(error) => error,
            };
            let is_unknown = error.outcome() == Outcome::Unknown;
            let is_outage = self.is_outage(&error);
            let is_fleeting = attempts == 1 && self.dialect().is_fleeting(&error);
            let may_repeat = is_fleeting
                || self.link.is_kept()
                    && (is_outage || error.is_passing())
                    && !(is_outage && patience.is_over())
                    && (!is_unknown || self.may_redeliver(message.qos));
            if is_unknown {
                unknown.get_or_insert_with(|| error.clone());
            }
            patience.tries += u32::from(!is_outage);
            if !may_repeat || patience.tries >= TRIES {
                return Err(unknown.unwrap_or(error));
            }
            if !is_outage && !is_fleeting {
                // Those behind it wait meanwhile, and a module that can take no more at the moment gets a little time.
                place.get_or_insert_with(|| self.line.stand(number));
                self.verify().await;
                tokio::time::sleep(RETRY_PAUSE * patience.tries).await;
            }
            tracing::debug!(client = self.index, %error, "publishing again");
        }
    }

    fn may_redeliver(&self, qos: QoS) -> bool {
        match self.options.redelivery {
            Redelivery::Never => false,
            Redelivery::AtLeastOnce => qos == QoS::AtLeastOnce,
            Redelivery::Always => qos != QoS::AtMostOnce,
        }
    }

    /// Takes a place among those that wait. Without a connection there is a bound.
    fn enter(&self) -> Result<Waiting<'_>> {
        let waiting = Waiting::new(&self.waiting);
        let max = self.options.queue_capacity;
        if !self.link.is_connected() && waiting.total > max {
            return Err(Error::QueueFull { max });
        }
        Ok(waiting)
    }

    async fn attempt<'a>(
        &'a self,
        message: &Publication,
        number: u64,
        place: &mut Option<Place<'a>>,
        patience: &mut Patience,
    ) -> Result<()> {
        let standing = place.get_or_insert_with(|| self.line.stand(number));
        let (operation, packet_id, permit) = patience.wait(self, self.turn(message, standing)).await?;
        let mut run = pin!(self.run(operation, packet_id, Some(permit)));
        // Its first poll hands it to the port. Only then may the next one come forward; where only one can be in flight,
        // when its fate is known, so that none overtakes it while it is sent again.
        let first = futures::poll!(&mut run);
        if self.dialect().facts().window > 1 {
            *place = None;
        }
        let reply = match first {
            Poll::Ready(outcome) => outcome?,
            Poll::Pending => run.await?,
        };
        self.dialect().read_publish(&reply).map_err(|error| self.after_loss(error))
    }

    /// Waits until it is this message's turn and there is a connection with room in its window.
    async fn turn(
        &self,
        message: &Publication,
        place: &Place<'_>,
    ) -> Result<(Operation, Option<PacketId>, OwnedSemaphorePermit)> {
        let permit = loop {
            place.first().await;
            self.connected().await?;
            let permit = self.window_place().await?;
            // Meanwhile the connection may have been lost, and what was under way have come back. The place in the window
            // is given up then: without it the subscriptions could not be made again.
            if place.is_first() && self.link.is_connected() {
                break permit;
            }
        };
        let packet_id = match message.qos {
            QoS::AtMostOnce => None,
            _ => Some(self.packet_id()?),
        };
        let publish = Publish {
            topic: &message.topic,
            payload: &message.payload,
            qos: message.qos,
            retain: message.retain,
            packet_id: packet_id.as_ref().map_or(0, PacketId::number),
            options: &self.options,
        };
        let operation = self.dialect().publish(self.index, &publish)?;
        Ok((operation, packet_id, permit))
    }
}

/// One of the calls that are under way, counted until it is dropped.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    total: usize,
}

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        let total = count.fetch_add(1, Ordering::Relaxed) + 1;
        Self { count, total }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}
