//! `AT+MQTTSTATE`: whether there is a connection [Neoway MQTT 1.2 §5.9].

use at_codec::{CommandLine, Fields};
use at_port::{Exchange, Operation, Reply};

use super::question;
use crate::command::{Command, Unreadable};
use crate::dialect::neoway::facts::{self, timeout};
use crate::error::InputError;

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MqttState;

impl MqttState {
    /// Asks for the state.
    pub fn read() -> ReadState {
        ReadState
    }

    /// The same question, whose answer goes to the rules.
    pub(in super::super) fn question() -> Exchange {
        Exchange::new(CommandLine::read(facts::STATE)).timeout(timeout::SETTING)
    }
}

/// Asks for the state; see [`MqttState::read`].
///
/// ```
/// use mqtt_at::{Command, neoway::MqttState};
///
/// let command = MqttState::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTSTATE?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadState;

/// Whether there is a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// There is none.
    Closed,
    /// There is one.
    Established,
    /// The module is making it anew by itself: 2 to 4 on N27, of which the manual knows nothing.
    Reconnecting(u8),
}

impl Command for ReadState {
    type Answer = ConnectionState;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(question(facts::STATE).into())
    }

    fn read(&self, reply: &Reply) -> Result<ConnectionState, Unreadable> {
        connection_state(reply, facts::STATE)
    }
}

/// Reads `NAME: state`.
pub(super) fn connection_state(reply: &Reply, name: &str) -> Result<ConnectionState, Unreadable> {
    let number =
        reply.first_line().and_then(|line| Fields::of(line, name)).and_then(|mut fields| fields.integer());
    match number.and_then(|number| u8::try_from(number).ok()) {
        Some(0) => Ok(ConnectionState::Closed),
        Some(1) => Ok(ConnectionState::Established),
        Some(state) => Ok(ConnectionState::Reconnecting(state)),
        None => Err(Unreadable),
    }
}
