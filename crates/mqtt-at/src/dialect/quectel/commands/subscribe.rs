//! `AT+QMTSUB` and `AT+QMTUNS` [EC200x MQTT 1.0 §3.2.6, §3.2.7].

use std::time::Duration;

use at_codec::CommandLine;
use at_port::{Exchange, Operation, Reply};

use super::packet::{self, Acknowledgement};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::quectel::facts::{self, timeout};
use crate::error::InputError;
use crate::qos::QoS;

const SUB: &str = "+QMTSUB";
const UNS: &str = "+QMTUNS";

/// Subscribes to one or more topic filters [EC200x MQTT 1.0 §3.2.6].
///
/// ```
/// use mqtt_at::{Command, QoS, quectel::QmtSub};
///
/// let command = QmtSub::new(0, 1).filter("site/7/#", QoS::AtLeastOnce);
/// assert_eq!(command.operation()?.to_string(), r#"AT+QMTSUB=0,1,"site/7/#",1"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct QmtSub {
    client: u8,
    packet: u16,
    filters: Vec<(String, QoS)>,
    timeout: Duration,
}

impl QmtSub {
    /// A subscription of a client (0 to 5) with a packet identifier (from 1) that no other packet in flight has.
    pub fn new(client: u8, packet: u16) -> Self {
        Self { client, packet, filters: Vec::new(), timeout: timeout::ACKNOWLEDGEMENT }
    }

    /// Adds a topic filter and the quality of service that is asked for.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<String>, qos: QoS) -> Self {
        self.filters.push((filter.into(), qos));
        self
    }

    /// How long the result, or a notice of retransmission, is waited for. Default: 27.5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(SUB)
    }
}

impl Command for QmtSub {
    type Answer = Acknowledgement;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let mut line = CommandLine::write(SUB).integer(client).integer(packet_identifier(self.packet)?);
        if self.filters.is_empty() {
            return Err(InputError::Missing { field: FILTER });
        }
        for (filter, qos) in &self.filters {
            line = line.quoted(FILTER, filter, facts::TEXT, facts::TOPIC)?.integer(qos.level());
        }
        let result = packet::deferred(&[SUB], client, self.packet, self.timeout);
        Ok(Exchange::new(line.finish()).timeout(timeout::ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<Acknowledgement, Unreadable> {
        packet::acknowledgement(reply)
    }
}

/// Ends the subscriptions to one or more topic filters [EC200x MQTT 1.0 §3.2.7].
///
/// ```
/// use mqtt_at::{Command, quectel::QmtUns};
///
/// let command = QmtUns::new(0, 2).filter("site/7/#");
/// assert_eq!(command.operation()?.to_string(), r#"AT+QMTUNS=0,2,"site/7/#""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct QmtUns {
    client: u8,
    packet: u16,
    filters: Vec<String>,
    timeout: Duration,
}

impl QmtUns {
    /// For a client (0 to 5) with a packet identifier (from 1) that no other packet in flight has.
    pub fn new(client: u8, packet: u16) -> Self {
        Self { client, packet, filters: Vec::new(), timeout: timeout::ACKNOWLEDGEMENT }
    }

    /// Adds a topic filter.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.filters.push(filter.into());
        self
    }

    /// How long the result, or a notice of retransmission, is waited for. Default: 27.5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(UNS)
    }
}

impl Command for QmtUns {
    type Answer = Acknowledgement;

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let mut line = CommandLine::write(UNS).integer(client).integer(packet_identifier(self.packet)?);
        if self.filters.is_empty() {
            return Err(InputError::Missing { field: FILTER });
        }
        for filter in &self.filters {
            line = line.quoted(FILTER, filter, facts::TEXT, facts::TOPIC)?;
        }
        let result = packet::deferred(&[UNS], client, self.packet, self.timeout);
        Ok(Exchange::new(line.finish()).timeout(timeout::ACCEPTED).deferred(result))
    }

    fn read(&self, reply: &Reply) -> Result<Acknowledgement, Unreadable> {
        packet::acknowledgement(reply)
    }
}

const FILTER: &str = "the topic filter";

fn packet_identifier(packet: u16) -> Result<i64, InputError> {
    facts::in_range("the packet identifier", u64::from(packet), 1..=65_535)
}
