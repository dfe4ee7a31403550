//! `AT+MQTTUSERCFG` and `AT+MQTTLONG…`: who the client is [ESP-AT MQTT, MQTTUSERCFG, MQTTLONGCLIENTID,
//! MQTTLONGUSERNAME, MQTTLONGPASSWORD].

use at_port::{Operation, PromptForm, Refusal, Reply};
use bytes::Bytes;

use super::{client, command, done};
use crate::command::{Command, Unreadable};
use crate::dialect::esp::facts::{self, timeout};
use crate::error::{Error, InputError};
use crate::secret::Secret;

/// How a connection is carried and encrypted [ESP-AT MQTT, MQTTUSERCFG]. An ESP8266 has only the two without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Plain TCP.
    Tcp = 1,
    /// TLS that trusts every server.
    Tls = 2,
    /// TLS that verifies the server by the CA certificate in the module's flash.
    TlsVerified = 3,
    /// TLS that trusts every server and shows it the client certificate in the module's flash.
    TlsWithClient = 4,
    /// TLS with both certificates.
    TlsMutual = 5,
    /// WebSocket over TCP.
    WebSocket = 6,
    /// WebSocket over [`Tls`](Self::Tls).
    WebSocketTls = 7,
    /// WebSocket over [`TlsVerified`](Self::TlsVerified).
    WebSocketVerified = 8,
    /// WebSocket over [`TlsWithClient`](Self::TlsWithClient).
    WebSocketWithClient = 9,
    /// WebSocket over [`TlsMutual`](Self::TlsMutual).
    WebSocketMutual = 10,
}

/// Sets scheme, client identifier, user name and password [ESP-AT MQTT, MQTTUSERCFG]. It begins a new client, so
/// everything else is set after it.
///
/// Texts have at most 64 bytes here and no quotes, `\` or commas: others are set with [`MqttLongClientId`],
/// [`MqttLongUsername`] and [`MqttLongPassword`] afterwards.
///
/// ```
/// use mqtt_at::{Command, esp::{MqttUserCfg, Scheme}};
///
/// let command = MqttUserCfg::new(Scheme::Tcp, "publisher").credentials("gw", "secret");
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTUSERCFG=0,1,"publisher","gw",***,0,0,"""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttUserCfg {
    scheme: Scheme,
    identifier: String,
    user: String,
    password: Secret,
    path: String,
}

impl MqttUserCfg {
    /// A client with this identifier, without user name and password.
    pub fn new(scheme: Scheme, client_identifier: impl Into<String>) -> Self {
        let (user, password, path) = (String::new(), Secret::from(""), String::new());
        Self { scheme, identifier: client_identifier.into(), user, password, path }
    }

    /// User name and password. Default: none.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.user = user.into();
        self.password = password.into();
        self
    }

    /// The path for WebSocket, of at most 32 bytes. Default: none.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }
}

impl Command for MqttUserCfg {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        const PATH: usize = 32;
        let line = client("+MQTTUSERCFG")
            .integer(self.scheme as u8)
            .quoted(IDENTIFIER, &self.identifier, facts::PLAIN, facts::INLINE)?
            .quoted(USER, &self.user, facts::PLAIN, facts::INLINE)?
            .secret(PASSWORD, self.password.expose(), facts::PLAIN, facts::INLINE)?
            .integer(0)
            .integer(0)
            .quoted("the path", &self.path, facts::PLAIN, PATH)?;
        Ok(command(line)?.into())
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

const IDENTIFIER: &str = "the client identifier";
const USER: &str = "the user name";
const PASSWORD: &str = "the password";

/// Sets a client identifier of 1 to 1024 bytes, whatever they are [ESP-AT MQTT, MQTTLONGCLIENTID].
///
/// ```
/// use mqtt_at::{Command, esp::MqttLongClientId};
///
/// let command = MqttLongClientId("gateway-7".into());
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTLONGCLIENTID=0,9");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttLongClientId(pub String);

impl Command for MqttLongClientId {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        long("+MQTTLONGCLIENTID", IDENTIFIER, &self.0, false)
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Sets a user name of 1 to 1024 bytes, whatever they are [ESP-AT MQTT, MQTTLONGUSERNAME].
///
/// ```
/// use mqtt_at::{Command, esp::MqttLongUsername};
///
/// let command = MqttLongUsername("gw".into());
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTLONGUSERNAME=0,2");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttLongUsername(pub String);

impl Command for MqttLongUsername {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        long("+MQTTLONGUSERNAME", USER, &self.0, false)
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Sets a password of 1 to 1024 bytes, whatever they are [ESP-AT MQTT, MQTTLONGPASSWORD].
///
/// ```
/// use mqtt_at::{Command, esp::MqttLongPassword};
///
/// let command = MqttLongPassword("secret".into());
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTLONGPASSWORD=0,6");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttLongPassword(pub Secret);

impl Command for MqttLongPassword {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        long("+MQTTLONGPASSWORD", PASSWORD, self.0.expose(), true)
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// A text behind a prompt, in front of which an `OK` stands.
fn long(
    name: &'static str,
    field: &'static str,
    value: &str,
    is_secret: bool,
) -> Result<Operation, InputError> {
    let (got, max) = (value.len(), facts::LONG);
    match got {
        0 => return Err(InputError::Missing { field }),
        got if got > max => return Err(at_codec::ArgumentError::TooLong { field, max, got }.into()),
        _ => {}
    }
    let data = Bytes::copy_from_slice(value.as_bytes());
    let line = client(name).integer(got as i64);
    let exchange = command(line)?.data(PromptForm::MarkAfterOk, data, timeout::PROMPT);
    Ok(if is_secret { exchange.secret_data() } else { exchange }.into())
}
