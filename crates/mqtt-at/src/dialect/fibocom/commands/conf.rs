//! `AT+MQTTCONF`: how messages are reported [Fibocom MQTT 1.2.6 §1.8].

use at_codec::{CommandLine, Fields};
use at_port::{Exchange, Operation, Reply};

use super::question;
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::fibocom::facts::timeout;
use crate::error::InputError;

const CONF: &str = "+MQTTCONF";

/// Sets how messages are reported, to all clients of the module [Fibocom MQTT 1.2.6 §1.8].
///
/// ```
/// use mqtt_at::{Command, fibocom::{MqttConf, Reports}};
///
/// let command = MqttConf::new(Reports::Lengths);
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTCONF=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MqttConf {
    reports: Reports,
}

/// How messages are reported. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    /// 0: topic and payload in quotes, without lengths: `+MQTTMSG`. The module's default. Everybody who can publish can
    /// forge any report in this way, so the library delivers no such message, and leaves this mode.
    Content,
    /// 1: lengths only: `+MQTTMSGI`. The message is fetched with [`MqttRead`](super::MqttRead).
    Lengths,
}

impl MqttConf {
    /// Chooses how messages are reported.
    pub fn new(reports: Reports) -> Self {
        Self { reports }
    }

    /// Asks how messages are reported.
    pub fn read() -> ReadConf {
        ReadConf
    }

    /// Asks for the modes that the module knows.
    pub fn test() -> TestForm {
        TestForm::of(CONF)
    }

    /// The command as an exchange, for operations that reports ask for.
    pub(in super::super) fn exchange(self) -> Exchange {
        let mode = match self.reports {
            Reports::Content => 0,
            Reports::Lengths => 1,
        };
        Exchange::new(CommandLine::write(CONF).integer(mode).finish()).timeout(timeout::SETTING)
    }
}

impl Command for MqttConf {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(self.exchange().into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Asks how messages are reported; see [`MqttConf::read`].
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttConf};
///
/// let command = MqttConf::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTCONF?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadConf;

impl Command for ReadConf {
    type Answer = Reports;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(question(CONF).into())
    }

    fn read(&self, reply: &Reply) -> Result<Reports, Unreadable> {
        let mut fields = reply.first_line().and_then(|line| Fields::of(line, CONF)).ok_or(Unreadable)?;
        match fields.integer() {
            Some(0) => Ok(Reports::Content),
            Some(1) => Ok(Reports::Lengths),
            _ => Err(Unreadable),
        }
    }
}
