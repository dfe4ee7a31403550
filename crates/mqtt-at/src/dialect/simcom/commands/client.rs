//! A client of the module: acquired, set up for TLS, released [A7600 MQTT 1.00 §2.1.3 to §2.1.5].

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Refusal, Reply};

use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::ranges::in_range;
use crate::dialect::simcom::facts::{self, timeout};
use crate::error::{Error, InputError};

const ACCQ: &str = "+CMQTTACCQ";
const REL: &str = "+CMQTTREL";
const SSLCFG: &str = "+CMQTTSSLCFG";

/// Whether a client's connection is encrypted. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerType {
    /// Plain TCP.
    #[default]
    Tcp,
    /// TLS.
    Tls,
}

/// Acquires a client (0 or 1) under a client identifier, before everything else that concerns it
/// [A7600 MQTT 1.00 §2.1.3].
///
/// ```
/// use mqtt_at::{Command, simcom::{CmqttAccq, ServerType}};
///
/// let command = CmqttAccq::new(0, "gateway-7").server(ServerType::Tls);
/// assert_eq!(command.operation()?.to_string(), r#"AT+CMQTTACCQ=0,"gateway-7",1"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CmqttAccq {
    client: u8,
    identifier: String,
    server: ServerType,
}

impl CmqttAccq {
    /// Acquires a client under an identifier of 1 to 128 bytes, for plain TCP.
    pub fn new(client: u8, identifier: impl Into<String>) -> Self {
        Self { client, identifier: identifier.into(), server: ServerType::Tcp }
    }

    /// Whether the connection will be encrypted. Default: plain TCP.
    #[must_use]
    pub fn server(mut self, server: ServerType) -> Self {
        self.server = server;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(ACCQ)
    }

    /// Asks which clients are acquired.
    pub fn read() -> ReadAccq {
        ReadAccq
    }
}

impl Command for CmqttAccq {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        const FIELD: &str = "the client identifier";
        let client = facts::client(self.client)?;
        facts::length(FIELD, self.identifier.len(), facts::CLIENT_IDENTIFIER)?;
        let max = *facts::CLIENT_IDENTIFIER.end();
        let line =
            CommandLine::write(ACCQ).integer(client).quoted(FIELD, &self.identifier, facts::TEXT, max)?;
        let line = match self.server {
            ServerType::Tcp => line,
            ServerType::Tls => line.integer(1),
        };
        let exchange = Exchange::new(line.finish()).answer(Answer::Named(ACCQ));
        Ok(exchange.timeout(timeout::ACCEPTED).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Asks which clients are acquired; see [`CmqttAccq::read`].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttAccq};
///
/// let command = CmqttAccq::read();
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTACCQ?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadAccq;

/// A client that is acquired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcquiredClient {
    /// Its number.
    pub client: u8,
    /// Its client identifier; empty where firmware lists clients that are not acquired.
    pub identifier: String,
    /// Whether its connection is encrypted.
    pub server: ServerType,
}

impl Command for ReadAccq {
    type Answer = Vec<AcquiredClient>;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::read(ACCQ)).answer(Answer::Named(ACCQ));
        Ok(exchange.timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<AcquiredClient>, Unreadable> {
        reply.lines.iter().map(|line| acquired_client(line).ok_or(Unreadable)).collect()
    }
}

/// Reads `+CMQTTACCQ: client, identifier,server type`. The manual shows the identifier without quotes, so that its
/// end is the last comma.
fn acquired_client(line: &[u8]) -> Option<AcquiredClient> {
    let mut fields = Fields::of(line, ACCQ)?;
    let client = fields.integer()?.try_into().ok()?;
    let rest = fields.rest();
    let comma = rest.iter().rposition(|&byte| byte == b',')?;
    let identifier = rest.get(..comma)?.trim_ascii();
    let inner = identifier.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    let identifier = String::from_utf8_lossy(inner.unwrap_or(identifier)).into_owned();
    let server = match Fields::after(rest.get(comma + 1..)?).integer()? {
        0 => ServerType::Tcp,
        1 => ServerType::Tls,
        _ => return None,
    };
    Some(AcquiredClient { client, identifier, server })
}

/// Releases a client (0 or 1), which must not be connected. What was set for it is forgotten
/// [A7600 MQTT 1.00 §2.1.4, §2.1.17].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttRel};
///
/// let command = CmqttRel::new(0);
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTREL=0");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CmqttRel {
    client: u8,
}

impl CmqttRel {
    /// Releases a client.
    pub fn new(client: u8) -> Self {
        Self { client }
    }

    /// Asks for the range of the argument.
    pub fn test() -> TestForm {
        TestForm::of(REL)
    }

    /// Asks nothing: the module just says `OK`, if its MQTT service is started.
    pub fn read() -> ReadRel {
        ReadRel
    }
}

impl Command for CmqttRel {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(REL).integer(facts::client(self.client)?).finish();
        Ok(Exchange::new(line).answer(Answer::Named(REL)).timeout(timeout::ACCEPTED).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// The read form of `AT+CMQTTREL`; see [`CmqttRel::read`].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttRel};
///
/// let command = CmqttRel::read();
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTREL?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadRel;

impl Command for ReadRel {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::read(REL)).answer(Answer::Named(REL));
        Ok(exchange.timeout(timeout::SETTING).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Says which TLS context a client uses. The module forgets it when connecting fails and when the client
/// disconnects, and then uses the context with the client's number [A7600 MQTT 1.00 §2.1.5].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttSslCfg};
///
/// let command = CmqttSslCfg::new(0, 0);
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTSSLCFG=0,0");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CmqttSslCfg {
    client: u8,
    context: u8,
}

impl CmqttSslCfg {
    /// Sets the TLS context (0 to 9) of a client (0 or 1).
    pub fn new(client: u8, context: u8) -> Self {
        Self { client, context }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(SSLCFG)
    }

    /// Asks which context each client uses.
    pub fn read() -> ReadSslCfg {
        ReadSslCfg
    }
}

impl Command for CmqttSslCfg {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(SSLCFG)
            .integer(facts::client(self.client)?)
            .integer(in_range("the TLS context", self.context, facts::TLS_CONTEXTS)?)
            .finish();
        Ok(Exchange::new(line).answer(Answer::Named(SSLCFG)).timeout(timeout::SETTING).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Asks which TLS context each client uses; see [`CmqttSslCfg::read`].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttSslCfg};
///
/// let command = CmqttSslCfg::read();
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTSSLCFG?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadSslCfg;

impl Command for ReadSslCfg {
    /// The clients, each with its TLS context if one is set.
    type Answer = Vec<(u8, Option<u8>)>;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::read(SSLCFG)).answer(Answer::Named(SSLCFG));
        Ok(exchange.timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Self::Answer, Unreadable> {
        reply.lines.iter().map(|line| tls_context(line).ok_or(Unreadable)).collect()
    }
}

/// Reads `+CMQTTSSLCFG: client,[context]`.
fn tls_context(line: &[u8]) -> Option<(u8, Option<u8>)> {
    let mut fields = Fields::of(line, SSLCFG)?;
    let client = fields.integer()?.try_into().ok()?;
    let is_set = !fields.rest().trim_ascii().is_empty();
    let context = if is_set { Some(fields.integer()?.try_into().ok()?) } else { None };
    Some((client, context))
}
