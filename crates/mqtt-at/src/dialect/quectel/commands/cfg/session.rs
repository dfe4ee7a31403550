//! Parameters of the connection and of MQTT's session.

use std::time::Duration;

use at_codec::{Fields, WriteLine};

use crate::connect::ProtocolVersion;
use crate::dialect::quectel::commands::setting::{Family, Setting, flag};
use crate::dialect::quectel::facts;
use crate::error::InputError;

/// `version` [EC200x MQTT 1.0 §3.2.1]. Without it the module speaks MQTT 3.1.
#[derive(Debug)]
pub struct Version;

impl Setting for Version {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "version";
    type Value = ProtocolVersion;
    type State = ProtocolVersion;

    fn write(value: &ProtocolVersion, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(match value {
            ProtocolVersion::V3_1 => 3,
            ProtocolVersion::V3_1_1 => 4,
        }))
    }

    fn read(fields: &mut Fields<'_>) -> Option<ProtocolVersion> {
        match fields.integer()? {
            3 => Some(ProtocolVersion::V3_1),
            4 => Some(ProtocolVersion::V3_1_1),
            _ => None,
        }
    }
}

/// `pdpcid` [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug)]
pub struct PdpContext;

impl Setting for PdpContext {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "pdpcid";
    type Value = u8;
    type State = u8;

    fn write(value: &u8, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(facts::in_range("the PDP context", *value, facts::PDP_CONTEXTS)?))
    }

    fn read(fields: &mut Fields<'_>) -> Option<u8> {
        fields.integer().and_then(|number| number.try_into().ok())
    }
}

/// `ssl` [EC200x MQTT 1.0 §3.2.1]: the TLS context, or none for plain TCP.
#[derive(Debug)]
pub struct Ssl;

impl Setting for Ssl {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "ssl";
    type Value = Option<u8>;
    type State = Option<u8>;

    /// The manual's grammar has both numbers or none, so a context is named also to switch TLS off.
    fn write(value: &Option<u8>, line: WriteLine) -> Result<WriteLine, InputError> {
        let context = value.unwrap_or_default();
        let context = facts::in_range("the TLS context", context, facts::TLS_CONTEXTS)?;
        Ok(line.integer(i64::from(value.is_some())).integer(context))
    }

    fn read(fields: &mut Fields<'_>) -> Option<Option<u8>> {
        if flag(fields)? { Some(Some(fields.integer()?.try_into().ok()?)) } else { Some(None) }
    }
}

/// `keepalive` [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug)]
pub struct KeepAlive;

impl Setting for KeepAlive {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "keepalive";
    type Value = Duration;
    type State = Duration;

    fn write(value: &Duration, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(facts::whole_seconds("the keep-alive interval", *value, facts::KEEP_ALIVE)?))
    }

    fn read(fields: &mut Fields<'_>) -> Option<Duration> {
        seconds(fields)
    }
}

/// `session` [EC200x MQTT 1.0 §3.2.1]: whether the session is clean.
#[derive(Debug)]
pub struct Session;

impl Setting for Session {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "session";
    type Value = bool;
    type State = bool;

    fn write(value: &bool, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(*value))
    }

    fn read(fields: &mut Fields<'_>) -> Option<bool> {
        flag(fields)
    }
}

/// How the module waits for the broker's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketTimeout {
    /// How long for each packet: 1 to 60 whole seconds.
    pub timeout: Duration,
    /// How often a packet is sent again: 0 to 10.
    pub retries: u8,
    /// Whether each retransmission is reported.
    pub notice: bool,
}

/// `timeout` [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug)]
pub struct Timeout;

impl Setting for Timeout {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "timeout";
    type Value = PacketTimeout;
    type State = PacketTimeout;

    fn write(value: &PacketTimeout, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line
            .integer(facts::whole_seconds("the packet timeout", value.timeout, facts::PACKET_TIMEOUT)?)
            .integer(facts::in_range("the number of retries", value.retries, facts::RETRIES)?)
            .integer(value.notice))
    }

    fn read(fields: &mut Fields<'_>) -> Option<PacketTimeout> {
        let timeout = seconds(fields)?;
        let retries = fields.integer()?.try_into().ok()?;
        Some(PacketTimeout { timeout, retries, notice: flag(fields)? })
    }
}

/// `qmtping` [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug)]
pub struct QmtPing;

impl Setting for QmtPing {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "qmtping";
    type Value = Duration;
    type State = Duration;

    fn write(value: &Duration, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(facts::whole_seconds("the ping interval", *value, facts::PING_INTERVAL)?))
    }

    fn read(fields: &mut Fields<'_>) -> Option<Duration> {
        seconds(fields)
    }
}

fn seconds(fields: &mut Fields<'_>) -> Option<Duration> {
    fields.integer().and_then(|number| number.try_into().ok()).map(Duration::from_secs)
}
