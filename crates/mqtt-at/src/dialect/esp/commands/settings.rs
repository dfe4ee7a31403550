//! `AT+MQTTCONNCFG` and `AT+MQTTSNI`: how the client connects [ESP-AT MQTT, MQTTCONNCFG, MQTTSNI].

use std::time::Duration;

use at_port::{Operation, Refusal, Reply};
use bytes::Bytes;

use super::{client, command, done, text};
use crate::command::{Command, Unreadable};
use crate::dialect::esp::facts;
use crate::dialect::ranges::whole_seconds;
use crate::error::{Error, InputError};
use crate::qos::QoS;

/// Sets keep-alive interval, session and will [ESP-AT MQTT, MQTTCONNCFG].
///
/// ```
/// use mqtt_at::{Command, esp::MqttConnCfg};
///
/// let command = MqttConnCfg::new().clean_session(false);
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTCONNCFG=0,120,1,"","",0,0"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MqttConnCfg {
    keep_alive: Option<Duration>,
    keeps_session: bool,
    will: Option<WillParameters>,
}

#[derive(Debug, Clone)]
struct WillParameters {
    topic: String,
    message: Bytes,
    qos: QoS,
    retain: bool,
}

impl MqttConnCfg {
    /// A clean session without will, and a keep-alive interval of 120 s.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the connection may be silent: 1 to 7200 whole seconds. Default: 120 s, as on the module.
    #[must_use]
    pub fn keep_alive(mut self, interval: Duration) -> Self {
        self.keep_alive = Some(interval);
        self
    }

    /// Whether the broker forgets subscriptions and waiting messages of earlier connections. Default: yes.
    #[must_use]
    pub fn clean_session(mut self, clean: bool) -> Self {
        self.keeps_session = !clean;
        self
    }

    /// What the broker publishes when the connection is lost. Topic and message have 1 to 128 bytes without quotes and
    /// control characters, and together with the rest of the command 255. Default: nothing.
    #[must_use]
    pub fn will(
        mut self,
        topic: impl Into<String>,
        message: impl Into<Bytes>,
        qos: QoS,
        retain: bool,
    ) -> Self {
        self.will = Some(WillParameters { topic: topic.into(), message: message.into(), qos, retain });
        self
    }
}

impl Command for MqttConnCfg {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        const DEFAULT: Duration = Duration::from_secs(120);
        let keep_alive = self.keep_alive.unwrap_or(DEFAULT);
        let line = client("+MQTTCONNCFG")
            .integer(whole_seconds("the keep-alive interval", keep_alive, facts::KEEP_ALIVE)?)
            .integer(self.keeps_session);
        let line = match &self.will {
            Some(will) if will.message.is_empty() => {
                return Err(InputError::Missing { field: "the message of the will" });
            }
            Some(will) => {
                let line = text(line, "the topic of the will", will.topic.as_bytes(), facts::TOPIC)?;
                text(line, "the message of the will", &will.message, facts::WILL_MESSAGE)?
                    .integer(will.qos.level())
                    .integer(will.retain)
            }
            None => line.literal("").literal("").integer(0).integer(0),
        };
        Ok(command(line)?.into())
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// Sets the name of the server that is sent in the TLS handshake [ESP-AT MQTT, MQTTSNI].
///
/// ```
/// use mqtt_at::{Command, esp::MqttSni};
///
/// let command = MqttSni("broker.example.com".into());
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTSNI=0,"broker.example.com""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttSni(pub String);

impl Command for MqttSni {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = text(client("+MQTTSNI"), "the name of the server", self.0.as_bytes(), facts::HOST)?;
        Ok(command(line)?.into())
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}
