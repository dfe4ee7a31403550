//! `AT+CMQTTCONNECT`: a client's connection to its broker [A7600 MQTT 1.00 §2.1.8].

use std::time::Duration;

use at_codec::{Charset, CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Refusal, Reply};

use super::result::{self, ResultCode, result_of};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::ranges::whole_seconds;
use crate::dialect::simcom::facts::{self, timeout};
use crate::error::{Error, InputError};
use crate::secret::Secret;

const CONNECT: &str = "+CMQTTCONNECT";

/// Connects a client (0 or 1), which must have been acquired, to its broker [A7600 MQTT 1.00 §2.1.8].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttConnect};
///
/// let command = CmqttConnect::new(0, "broker.example.com", 1883).credentials("gw", "secret");
/// assert_eq!(command.operation()?.to_string(), r#"AT+CMQTTCONNECT=0,"tcp://broker.example.com:1883",60,1,"gw",***"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CmqttConnect {
    client: u8,
    address: String,
    keep_alive: Duration,
    clean_session: bool,
    credentials: Option<(String, Secret)>,
    timeout: Duration,
}

impl CmqttConnect {
    /// To the broker on this host and port; 60 s keep-alive, clean session, no user name.
    ///
    /// The address `tcp://host:port` is 9 to 256 bytes long and begins with `tcp://` also with TLS. An IPv6 address stands in
    /// brackets there.
    pub fn new(client: u8, host: &str, port: u16) -> Self {
        Self {
            client,
            address: if host.contains(':') && !host.starts_with('[') {
                format!("tcp://[{host}]:{port}")
            } else {
                format!("tcp://{host}:{port}")
            },
            keep_alive: Duration::from_secs(60),
            clean_session: true,
            credentials: None,
            timeout: timeout::CONNECT,
        }
    }

    /// The keep-alive interval, 1 to 64 800 whole seconds. Default: 60 s.
    #[must_use]
    pub fn keep_alive(mut self, interval: Duration) -> Self {
        self.keep_alive = interval;
        self
    }

    /// Whether the broker forgets earlier connections. Default: yes; the module's own is no.
    #[must_use]
    pub fn clean_session(mut self, clean: bool) -> Self {
        self.clean_session = clean;
        self
    }

    /// User name (1 to 256 bytes) and password (at most 256 bytes; an empty one is left out). Default: none.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials = Some((user.into(), password.into()));
        self
    }

    /// How long the result is waited for. Default: 120 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(CONNECT)
    }

    /// Asks how each client is connected. The module answers with the passwords, too.
    pub fn read() -> ReadConnect {
        ReadConnect
    }
}

impl Command for CmqttConnect {
    type Answer = ResultCode;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let address = "the address of the broker";
        facts::length(address, self.address.len(), facts::ADDRESS)?;
        let mut line = CommandLine::write(CONNECT)
            .integer(client)
            .quoted(address, &self.address, Charset::ASCII, *facts::ADDRESS.end())?
            .integer(whole_seconds("the keep-alive interval", self.keep_alive, facts::KEEP_ALIVE)?)
            .integer(self.clean_session);
        if let Some((user, password)) = &self.credentials {
            let (name, max) = ("the user name", *facts::CREDENTIAL.end());
            facts::length(name, user.len(), facts::CREDENTIAL)?;
            line = line.quoted(name, user, facts::TEXT, max)?;
            if !password.expose().is_empty() {
                line = line.secret("the password", password.expose(), facts::TEXT, max)?;
            }
        }
        let result = result::deferred(&[CONNECT], [client], self.timeout);
        let result = result.shared_key().ended_by(facts::CONNLOST);
        Ok(Exchange::new(line.finish()).timeout(timeout::CONNECT_ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<ResultCode, Unreadable> {
        result_of(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Asks how each client is connected; see [`CmqttConnect::read`].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttConnect};
///
/// let command = CmqttConnect::read();
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTCONNECT?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadConnect;

/// A client of the module and how it is connected.
#[derive(Debug, Clone)]
pub struct ConnectedClient {
    /// Its number.
    pub client: u8,
    /// How it is connected, if it is.
    pub connection: Option<ConnectionSettings>,
}

/// How a client is connected.
#[derive(Debug, Clone)]
pub struct ConnectionSettings {
    /// `tcp://host:port`.
    pub address: String,
    /// The keep-alive interval.
    pub keep_alive: Duration,
    /// Whether the broker forgets earlier connections.
    pub clean_session: bool,
    /// The user name.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Secret>,
}

impl Command for ReadConnect {
    type Answer = Vec<ConnectedClient>;

    fn operation(&self) -> Result<Operation, InputError> {
        // A result has the same name and begins with the client, too.
        let shape = |line: &[u8]| connected_client(line).is_some();
        let exchange = Exchange::new(CommandLine::read(CONNECT)).answer(Answer::Shaped(CONNECT, shape));
        Ok(exchange.secret_answer().timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<ConnectedClient>, Unreadable> {
        reply.lines.iter().map(|line| connected_client(line).ok_or(Unreadable)).collect()
    }
}

/// Reads `+CMQTTCONNECT: client[,"address",keep-alive,clean[,"user"[,"password"]]]`.
fn connected_client(line: &[u8]) -> Option<ConnectedClient> {
    let mut fields = Fields::of(line, CONNECT)?;
    let client = fields.integer()?.try_into().ok()?;
    if fields.is_empty() {
        return Some(ConnectedClient { client, connection: None });
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let address = text(fields.quoted()?);
    let keep_alive = Duration::from_secs(fields.integer()?.try_into().ok()?);
    let clean_session = fields.integer()? == 1;
    let user = fields.text().map(text);
    let password = fields.text().map(|password| Secret::new(text(password)));
    let connection = ConnectionSettings { address, keep_alive, clean_session, user, password };
    Some(ConnectedClient { client, connection: Some(connection) })
}
