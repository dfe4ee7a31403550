//! What happens to a client's connection.

use std::fmt;
use std::time::Duration;

use crate::error::{BrokerError, Fault};
use crate::qos::QoS;

/// The state of a client's connection to the broker.
///
/// ```no_run
/// use mqtt_at::ClientStatus;
///
/// # async fn example(client: mqtt_at::Client) {
/// let mut status = client.status();
/// // An error would mean that the client is gone.
/// let _ = status.wait_for(|status| matches!(status, ClientStatus::Lost(_) | ClientStatus::Closed)).await;
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientStatus {
    /// Not connected, or not yet.
    Closed,
    /// Connecting.
    Connecting,
    /// Connected.
    Connected,
    /// The connection is gone. A supervised client makes it again.
    Lost(LossCause),
    /// The broker does not want this client. A supervised client asks again, but seldom.
    Refused(BrokerError),
}

impl fmt::Display for ClientStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed"),
            Self::Connecting => f.write_str("connecting"),
            Self::Connected => f.write_str("connected"),
            Self::Lost(cause) => write!(f, "lost: {cause}"),
            Self::Refused(refusal) => write!(f, "refused: {}", refusal.meaning),
        }
    }
}

/// Something that happened to a client.
///
/// ```no_run
/// # async fn example(client: mqtt_at::Client) {
/// let mut events = client.events();
/// while let Ok(event) = events.recv().await {
///     println!("{event}");
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The broker accepted the connection.
    Connected,
    /// The connection was closed on request.
    Disconnected,
    /// The connection is gone.
    Lost(LossCause),
    /// The module reported a loss, but when it was asked the connection was there.
    LossRefuted,
    /// The module is making the connection anew by itself, and is left to it for up to a minute.
    ModuleReconnecting,
    /// The connection is about to be made again.
    Reconnecting {
        /// Which try it is since the loss, counted from 1.
        attempt: u32,
        /// How long is waited before it.
        after: Duration,
    },
    /// The connection could not be made again this time.
    ReconnectFailed {
        /// Why, in one line.
        reason: String,
    },
    /// The broker does not want this client.
    Refused(BrokerError),
    /// The broker no longer grants a subscription, or not as before: its messages are missing from now on.
    SubscriptionChanged {
        /// The topic filter.
        filter: String,
        /// What was granted instead; `None` if nothing.
        granted: Option<QoS>,
    },
    /// A message arrived damaged and was dropped.
    Corrupt {
        /// How many bytes of it were there.
        got: usize,
        /// How many bytes were announced.
        need: usize,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("connected to the broker"),
            Self::Disconnected => f.write_str("disconnected from the broker"),
            Self::Lost(cause) => write!(f, "the connection was lost: {cause}"),
            Self::LossRefuted => f.write_str("a loss was reported, but the connection is there"),
            Self::ModuleReconnecting => f.write_str("the module is connecting again by itself"),
            Self::Reconnecting { attempt, after } => {
                write!(f, "connecting again in {:.1} s, try {attempt}", after.as_secs_f64())
            }
            Self::ReconnectFailed { reason } => write!(f, "not connected again: {reason}"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::SubscriptionChanged { filter, granted: None } => {
                write!(f, "the broker no longer grants the subscription to {filter}")
            }
            Self::SubscriptionChanged { filter, granted: Some(qos) } => {
                write!(f, "the broker now grants the subscription to {filter} with QoS {}", qos.level())
            }
            Self::Corrupt { got, need: 0 } => {
                write!(
                    f,
                    "a message of {got} bytes was dropped: it came without its length, so its end cannot be known"
                )
            }
            Self::Corrupt { got, need } => {
                write!(f, "a message came damaged, {got} of {need} bytes, and was dropped")
            }
        }
    }
}

/// Why a connection was lost, as far as the module says.
///
/// ```
/// use mqtt_at::{Fault, LossCause};
///
/// assert_eq!(LossCause::NetworkDown.fault(), Fault::Network);
/// assert_eq!(LossCause::Rebooted.to_string(), "the module rebooted");
/// assert!(LossCause::ClosedByPeer.remedy().is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossCause {
    /// The broker, or something on the way, closed it.
    ClosedByPeer,
    /// The keep-alive was not answered in time.
    KeepAlive,
    /// The CONNECT packet could not be sent.
    ConnectNotSent,
    /// The broker did not accept the CONNECT packet in time, or refused it.
    ConnectNotAcknowledged,
    /// Packets could not be sent.
    SendFailed,
    /// The network is gone, or the broker cannot be reached.
    NetworkDown,
    /// The module closed it.
    ClosedByModule,
    /// The module closed it when it refused a command, whose failure tells more.
    ClosedOnRefusal,
    /// The module rebooted.
    Rebooted,
    /// The module owes the result of a command, and that of the next one could not be told from it: the connection is
    /// made anew.
    ResultMissing,
    /// The port to the module is gone.
    PortGone,
    /// The module gives no reason, or one that the manual does not explain.
    Unknown,
}

impl LossCause {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::ClosedByPeer | Self::ConnectNotAcknowledged => Fault::Broker,
            Self::ClosedByModule | Self::ClosedOnRefusal | Self::Rebooted | Self::ResultMissing => {
                Fault::Module
            }
            Self::PortGone => Fault::Link,
            _ => Fault::Network,
        }
    }

    /// What can be done about it.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::ClosedByPeer => {
                Some("look into the broker's log: another client may use the same client identifier")
            }
            Self::KeepAlive | Self::SendFailed | Self::NetworkDown | Self::ResultMissing => {
                Some("check signal and registration, then reconnect")
            }
            Self::ConnectNotSent | Self::ConnectNotAcknowledged => {
                Some("check user name, password and client identifier, then reconnect")
            }
            Self::Rebooted => Some("check the power supply: modules draw up to 2 A when they transmit"),
            Self::PortGone => Some("check the cable and whether the module is still powered"),
            Self::ClosedByModule | Self::ClosedOnRefusal | Self::Unknown => Some("reconnect"),
        }
    }
}

impl fmt::Display for LossCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClosedByPeer => "closed or reset by the broker",
            Self::KeepAlive => "the keep-alive was not answered",
            Self::ConnectNotSent => "the CONNECT packet could not be sent",
            Self::ConnectNotAcknowledged => "the broker did not acknowledge the CONNECT packet",
            Self::SendFailed => "packets could not be sent",
            Self::NetworkDown => "the network or the broker cannot be reached",
            Self::ClosedByModule => "closed by the module",
            Self::ClosedOnRefusal => "closed by the module, which refused a command",
            Self::Rebooted => "the module rebooted",
            Self::ResultMissing => "the module owes a result",
            Self::PortGone => "the port is gone",
            Self::Unknown => "the module gives no reason",
        })
    }
}

/// A slow receiver lost this many messages. It goes on with the oldest one that is still there.
///
/// [`Subscription`](crate::Subscription) has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} messages were lost, because they were not taken in time")]
pub struct Lagged(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_states_are_told_in_words() {
        let filter = || "a/#".to_owned();
        for (event, words) in [
            (Event::Connected, "connected to the broker"),
            (Event::Disconnected, "disconnected from the broker"),
            (Event::Lost(LossCause::Rebooted), "the connection was lost: the module rebooted"),
            (Event::LossRefuted, "a loss was reported, but the connection is there"),
            (Event::ModuleReconnecting, "the module is connecting again by itself"),
            (
                Event::Reconnecting { attempt: 2, after: Duration::from_millis(1500) },
                "connecting again in 1.5 s, try 2",
            ),
            (Event::ReconnectFailed { reason: "no signal".to_owned() }, "not connected again: no signal"),
            (Event::Refused(BrokerError::connack(5)), "the broker refused: not authorized (code 5)"),
            (
                Event::SubscriptionChanged { filter: filter(), granted: None },
                "the broker no longer grants the subscription to a/#",
            ),
            (
                Event::SubscriptionChanged { filter: filter(), granted: Some(QoS::AtMostOnce) },
                "the broker now grants the subscription to a/# with QoS 0",
            ),
            (Event::Corrupt { got: 3, need: 6 }, "a message came damaged, 3 of 6 bytes, and was dropped"),
            (
                Event::Corrupt { got: 3, need: 0 },
                "a message of 3 bytes was dropped: it came without its length, so its end cannot be known",
            ),
        ] {
            assert_eq!(event.to_string(), words);
        }
        for (status, words) in [
            (ClientStatus::Closed, "closed"),
            (ClientStatus::Connecting, "connecting"),
            (ClientStatus::Connected, "connected"),
            (ClientStatus::Lost(LossCause::PortGone), "lost: the port is gone"),
            (ClientStatus::Refused(BrokerError::connack(4)), "refused: bad user name or password"),
        ] {
            assert_eq!(status.to_string(), words);
        }
    }
}
