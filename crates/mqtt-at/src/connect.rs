//! How a client connects to its broker.

use std::net::Ipv6Addr;
use std::time::Duration;

use bytes::Bytes;

use crate::error::InputError;
use crate::qos::QoS;
use crate::secret::Secret;
use crate::sign_in::SignIn;
use crate::tls::Tls;
use crate::topic::TopicName;

/// What [`Modem::connect`](crate::Modem::connect) needs to know. Each setter is named after what it sets.
///
/// # Examples
///
/// ```
/// use mqtt_at::{ConnectOptions, QoS, Will};
/// use std::time::Duration;
///
/// let will = Will::new("site/7/state", "gone")?.qos(QoS::AtLeastOnce).retain(true);
/// let options = ConnectOptions::new("gateway-7", "broker.example.com", 1883)
///     .credentials("gateway-7", "secret")
///     .keep_alive(Duration::from_secs(60))
///     .will(will);
/// assert!(!format!("{options:?}").contains("secret"));
/// # Ok::<(), mqtt_at::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    pub(crate) client_identifier: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) credentials: Option<(String, Secret)>,
    pub(crate) sign_in: Option<SignIn>,
    pub(crate) keep_alive: Duration,
    pub(crate) clean_session: bool,
    pub(crate) will: Option<Will>,
    pub(crate) version: ProtocolVersion,
    pub(crate) tls: Option<Tls>,
    pub(crate) require_tls: bool,
    pub(crate) receive_mode: ReceiveMode,
    pub(crate) connect_timeout: Duration,
    pub(crate) packet_timeout: Duration,
    pub(crate) retries: u8,
    pub(crate) client_index: Option<u8>,
    pub(crate) reconnect: bool,
    pub(crate) publish_timeout: Duration,
    pub(crate) queue_capacity: usize,
    pub(crate) redelivery: Redelivery,
}

impl ConnectOptions {
    /// A client with this identifier, for the broker on this host and port: 1883 by custom, 8883 with TLS.
    ///
    /// The host is a name or an address, an IPv6 address with or without brackets. Names with other letters than those of
    /// ASCII have to be given in their `xn--` form.
    ///
    /// The identifier must be unique at the broker, which closes the older of two connections with the same one.
    pub fn new(client_identifier: impl Into<String>, host: impl Into<String>, port: u16) -> Self {
        Self {
            client_identifier: client_identifier.into(),
            host: without_brackets(host.into()),
            port,
            credentials: None,
            sign_in: None,
            keep_alive: Duration::from_secs(120),
            clean_session: true,
            will: None,
            version: ProtocolVersion::V3_1_1,
            tls: None,
            require_tls: false,
            receive_mode: ReceiveMode::Push,
            connect_timeout: Duration::from_secs(180),
            packet_timeout: Duration::from_secs(5),
            retries: 3,
            client_index: None,
            reconnect: true,
            publish_timeout: Duration::from_secs(60),
            queue_capacity: 1024,
            redelivery: Redelivery::AtLeastOnce,
        }
    }

    /// User name and password. Default: none.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials = Some((user.into(), password.into()));
        self
    }

    /// Signs in to a cloud platform with an identity of which the module makes user name and password. Default: not.
    #[must_use]
    pub fn sign_in(mut self, identity: SignIn) -> Self {
        self.sign_in = Some(identity);
        self
    }

    /// How long the connection may be silent before the module sends a ping; whole seconds. Default: 120 s.
    ///
    /// The range is the module's: Quectel 0 (off) to 3600 s, Neoway 20 to 180 s.
    #[must_use]
    pub fn keep_alive(mut self, interval: Duration) -> Self {
        self.keep_alive = interval;
        self
    }

    /// Whether the broker forgets subscriptions and waiting messages of earlier connections. Default: yes.
    #[must_use]
    pub fn clean_session(mut self, clean: bool) -> Self {
        self.clean_session = clean;
        self
    }

    /// What the broker publishes when the connection is lost. Default: nothing.
    #[must_use]
    pub fn will(mut self, will: Will) -> Self {
        self.will = Some(will);
        self
    }

    /// The version of MQTT. Default: 3.1.1.
    #[must_use]
    pub fn version(mut self, version: ProtocolVersion) -> Self {
        self.version = version;
        self
    }

    /// Encrypts the connection. Default: plain TCP.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Refuses to connect without TLS, for programs whose options come from elsewhere. Default: off.
    #[must_use]
    pub fn require_tls(mut self, required: bool) -> Self {
        self.require_tls = required;
        self
    }

    /// How received messages come from the module. Default: [`ReceiveMode::Push`].
    #[must_use]
    pub fn receive_mode(mut self, mode: ReceiveMode) -> Self {
        self.receive_mode = mode;
        self
    }

    /// How long opening the network connection may take, name resolution and TLS included. Default: 180 s,
    /// half again as long as Quectel's manual allows.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the module waits for the broker's answer to a packet before it sends the packet again; 1 to 60
    /// whole seconds on Quectel. Default: 5 s.
    #[must_use]
    pub fn packet_timeout(mut self, timeout: Duration) -> Self {
        self.packet_timeout = timeout;
        self
    }

    /// How often the module sends a packet again; 0 to 10 on Quectel. Default: 3.
    #[must_use]
    pub fn retries(mut self, retries: u8) -> Self {
        self.retries = retries;
        self
    }

    /// Which of the module's clients to use. Default: the first free one.
    #[must_use]
    pub fn client_index(mut self, index: u8) -> Self {
        self.client_index = Some(index);
        self
    }

    /// Whether the connection is made again when it is lost, subscriptions included, until
    /// [`disconnect`](crate::Client::disconnect). Default: yes, unless the modem's supervision is off.
    #[must_use]
    pub fn reconnect(mut self, reconnect: bool) -> Self {
        self.reconnect = reconnect;
        self
    }

    /// How long a publish or a subscription waits, all in all, while there is no connection. With a connection it takes
    /// as long as the module may take. Default: 60 s.
    #[must_use]
    pub fn publish_timeout(mut self, timeout: Duration) -> Self {
        self.publish_timeout = timeout;
        self
    }

    /// How many publishes may wait while there is no connection; one more is refused at once as
    /// [`Error::QueueFull`](crate::Error::QueueFull), and those that wait keep their places. Default: 1024.
    #[must_use]
    pub fn queue_capacity(mut self, publishes: usize) -> Self {
        self.queue_capacity = publishes;
        self
    }

    /// Which messages are sent again while their publish is still being awaited, when it is not known whether the
    /// broker got them. Default: [`Redelivery::AtLeastOnce`].
    #[must_use]
    pub fn redelivery(mut self, redelivery: Redelivery) -> Self {
        self.redelivery = redelivery;
        self
    }

    /// Checks what no module can do, before anything is sent; the limits of a module are its dialect's.
    pub(crate) fn check(&self) -> Result<(), InputError> {
        if self.host.is_empty() {
            return Err(InputError::Missing { field: "the host" });
        }
        check_host(&self.host)?;
        if self.port == 0 {
            return Err(InputError::OutOfRange { field: "the port", got: 0, min: 1, max: 65_535 });
        }
        if self.sign_in.is_some() && self.credentials.is_some() {
            let problem = "makes user name and password by itself, so that none can be given".into();
            return Err(InputError::Malformed { field: "signing in to a platform", problem });
        }
        Ok(())
    }

    /// The longest time for which a publish or subscription may stay without any word of the module: the
    /// manuals' packet timeout times retries, half as much again, and 5 s.
    pub(crate) fn acknowledgement_timeout(&self) -> Duration {
        self.packet_timeout * u32::from(self.retries).max(1) * 3 / 2 + Duration::from_secs(5)
    }
}

/// Modules take an IPv6 address without brackets, but for those that want a URL.
fn without_brackets(host: String) -> String {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match inner.filter(|inner| inner.parse::<Ipv6Addr>().is_ok()) {
        Some(inner) => inner.to_owned(),
        None => host,
    }
}

/// What holds anything else is no host, and a module would look for another one, or for none.
fn check_host(host: &str) -> Result<(), InputError> {
    let is_of_name =
        |character: &char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_');
    let problem = match host.chars().find(|character| !is_of_name(character)) {
        None => return Ok(()),
        Some(':') if host.parse::<Ipv6Addr>().is_ok() => return Ok(()),
        Some(':') => "holds a colon, and is no IPv6 address; the port is given by itself".into(),
        Some(other) => format!("holds {other:?}, which is in no host name or address").into(),
    };
    Err(InputError::Malformed { field: "the host", problem })
}

/// A message that the broker publishes when the connection ends without a farewell.
///
/// # Examples
///
/// ```
/// use mqtt_at::{ConnectOptions, QoS, Will};
///
/// let will = Will::new("site/7/state", "offline")?.qos(QoS::AtLeastOnce).retain(true);
/// let options = ConnectOptions::new("gateway-7", "broker.example.com", 1883).will(will);
/// assert!(Will::new("site/+/state", "offline").is_err(), "no wildcards");
/// # Ok::<(), mqtt_at::Error>(())
/// ```
#[derive(Clone)]
pub struct Will {
    pub(crate) topic: TopicName,
    pub(crate) payload: Bytes,
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
}

impl Will {
    /// A will with QoS 0, not retained.
    ///
    /// # Errors
    ///
    /// The topic is no valid topic name.
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Result<Self, InputError> {
        let topic = TopicName::new(topic)?;
        Ok(Self { topic, payload: payload.into(), qos: QoS::AtMostOnce, retain: false })
    }

    /// With which quality of service it is published. Default: 0.
    #[must_use]
    pub fn qos(mut self, qos: QoS) -> Self {
        self.qos = qos;
        self
    }

    /// Whether the broker keeps it for later subscribers. Default: no.
    #[must_use]
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }
}

impl std::fmt::Debug for Will {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Will")
            .field("topic", &self.topic)
            .field("payload_bytes", &self.payload.len())
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .finish()
    }
}

/// Which messages of unknown fate are sent again, while their publish is still being awaited.
///
/// A message that was certainly not sent is sent again whatever its quality of service; one with QoS 0 whose fate is
/// unknown never is.
///
/// ```
/// use mqtt_at::{ConnectOptions, Redelivery};
///
/// let options = ConnectOptions::new("gateway-7", "broker.example.com", 1883).redelivery(Redelivery::Never);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Redelivery {
    /// None: the publish fails with [`Outcome::Unknown`](crate::Outcome::Unknown).
    Never,
    /// Those with QoS 1, for which MQTT allows duplicates.
    #[default]
    AtLeastOnce,
    /// Those with QoS 2 as well, which may make a duplicate that MQTT would not: the module does not let a packet be
    /// continued on its next connection. [`Published::maybe_duplicate`](crate::Published::maybe_duplicate) tells.
    Always,
}

/// A version of MQTT that modules speak.
///
/// ```
/// use mqtt_at::{ConnectOptions, ProtocolVersion};
///
/// let options = ConnectOptions::new("gateway-7", "broker.example.com", 1883).version(ProtocolVersion::V3_1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ProtocolVersion {
    /// MQTT 3.1.
    V3_1,
    /// MQTT 3.1.1.
    #[default]
    V3_1_1,
}

/// How received messages come from the module. Both ways are safe for any payload.
///
/// ```
/// use mqtt_at::{ConnectOptions, ReceiveMode};
///
/// let options = ConnectOptions::new("gateway-7", "broker.example.com", 1883).receive_mode(ReceiveMode::Pull);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReceiveMode {
    /// The module sends each message at once, with its length.
    #[default]
    Push,
    /// The module stores messages and reports them; the library fetches each. Delivery is paced by the host, at
    /// the price of a command for each message, and a forged report costs a read only. On Quectel; Fibocom's modules
    /// always work in this way, whichever mode is asked for; the others have push alone.
    Pull,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(host: &str) -> Option<String> {
        ConnectOptions::new("c", host, 1883).check().err().map(|error| error.to_string())
    }

    #[test]
    fn names_and_addresses_are_hosts() {
        for host in [
            "broker",
            "my_broker.example-1.com.",
            "192.0.2.7",
            "2001:db8::1",
            "[2001:db8::1]",
            "xn--bcher-kva.de",
        ] {
            assert_eq!(problem(host), None, "{host}");
        }
        assert_eq!(ConnectOptions::new("c", "[::1]", 1883).host, "::1");
        for (host, words) in [
            ("", "the host is missing"),
            ("b/c:99", "the host holds '/', which is in no host name or address"),
            ("b c,d", "the host holds ' ', which is in no host name or address"),
            ("bücher.de", "the host holds 'ü', which is in no host name or address"),
            ("broker:1883", "the host holds a colon, and is no IPv6 address; the port is given by itself"),
            ("[broker]", "the host holds '[', which is in no host name or address"),
        ] {
            assert_eq!(problem(host).as_deref(), Some(words), "{host}");
        }
    }
}
