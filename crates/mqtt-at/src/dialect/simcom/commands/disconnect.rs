//! `AT+CMQTTDISC`: the end of a client's connection [A7600 MQTT 1.00 §2.1.9].

use std::time::Duration;

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Refusal, Reply};

use super::result::{self, ResultCode, result_of};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::ranges::whole_seconds;
use crate::dialect::simcom::facts::{self, timeout};
use crate::error::{Error, InputError};

const DISC: &str = "+CMQTTDISC";

/// Disconnects a client (0 or 1) from its broker with a farewell [A7600 MQTT 1.00 §2.1.9].
///
/// The result comes before the `OK` or after it.
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttDisc};
///
/// let command = CmqttDisc::new(0);
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTDISC=0,60");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CmqttDisc {
    client: u8,
    limit: Duration,
}

impl CmqttDisc {
    /// Disconnects a client, within 60 s.
    pub fn new(client: u8) -> Self {
        Self { client, limit: Duration::from_secs(*facts::DISCONNECT_TIMEOUT.start()) }
    }

    /// How long it may take, 60 to 180 whole seconds. Default: 60 s.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(DISC)
    }

    /// Asks which clients are connected. The answer looks like the result of a disconnection that is under way:
    /// ask when there is none.
    pub fn read() -> ReadDisc {
        ReadDisc
    }

    /// The command without its result, for those who do not wait for it.
    pub(in super::super) fn exchange(&self) -> Result<Exchange, InputError> {
        let line = CommandLine::write(DISC)
            .integer(facts::client(self.client)?)
            .integer(whole_seconds("the time to disconnect", self.limit, facts::DISCONNECT_TIMEOUT)?)
            .finish();
        // Where the result comes first, the `OK` takes as long as the disconnection.
        Ok(Exchange::new(line).timeout(facts::result_timeout(self.limit)))
    }
}

impl Command for CmqttDisc {
    type Answer = ResultCode;

    fn operation(&self) -> Result<Operation, InputError> {
        let key = [facts::client(self.client)?];
        let result = result::deferred(&[DISC], key, facts::result_timeout(self.limit));
        Ok(self.exchange()?.deferred(result.ended_by(facts::CONNLOST)))
    }

    fn read(&self, reply: &Reply) -> Result<ResultCode, Unreadable> {
        result_of(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Asks which clients are connected; see [`CmqttDisc::read`].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttDisc};
///
/// let command = CmqttDisc::read();
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTDISC?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadDisc;

/// Whether a client of the module is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientConnection {
    /// Its number.
    pub client: u8,
    /// Whether it is connected.
    pub connected: bool,
}

impl Command for ReadDisc {
    type Answer = Vec<ClientConnection>;

    fn operation(&self) -> Result<Operation, InputError> {
        let shape = |line: &[u8]| client_connection(line).is_some();
        let exchange = Exchange::new(CommandLine::read(DISC)).answer(Answer::Shaped(DISC, shape));
        Ok(exchange.timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<ClientConnection>, Unreadable> {
        reply.lines.iter().map(|line| client_connection(line).ok_or(Unreadable)).collect()
    }
}

/// Reads `+CMQTTDISC: client,state`, where 0 means connected and 1 disconnected.
fn client_connection(line: &[u8]) -> Option<ClientConnection> {
    let mut fields = Fields::of(line, DISC)?;
    let client = fields.integer()?.try_into().ok()?;
    let connected = match fields.integer()? {
        0 => true,
        1 => false,
        _ => return None,
    };
    fields.is_empty().then_some(ClientConnection { client, connected })
}
