//! `AT+MQTTCONNPARAM`: who the client is [Neoway MQTT 1.2 §5.1].

use at_codec::{CommandLine, Fields};
use at_port::{Operation, Reply};

use super::{question, setting, shown};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::neoway::facts;
use crate::error::InputError;
use crate::secret::Secret;

const CONN_PARAM: &str = "+MQTTCONNPARAM";

/// Sets client identifier, user name and password of the next connection.
///
/// ```
/// use mqtt_at::{Command, neoway::MqttConnParam};
///
/// let command = MqttConnParam::new("meter-7").credentials("gw", "secret");
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTCONNPARAM="meter-7","gw",***"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttConnParam {
    identifier: String,
    user: String,
    password: Secret,
}

impl MqttConnParam {
    /// A client identifier of 1 to 256 bytes, without user name and password.
    pub fn new(identifier: impl Into<String>) -> Self {
        Self { identifier: identifier.into(), user: String::new(), password: Secret::new("") }
    }

    /// A user name of at most 512 bytes and a password of at most 256 bytes; both may be empty.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        (self.user, self.password) = (user.into(), password.into());
        self
    }

    /// Asks for what is set. The answer holds the password in clear: it is kept out of traces and transcripts, and the
    /// library itself never asks.
    pub fn read() -> ReadConnParam {
        ReadConnParam
    }

    /// Asks which parameters the firmware knows.
    pub fn test() -> TestForm {
        TestForm::of(CONN_PARAM)
    }

    /// Whether user name or password is empty.
    pub(in super::super) fn has_blanks(&self) -> bool {
        self.user.is_empty() || self.password.expose().is_empty()
    }

    /// The same with a space where it is empty, for firmware that takes nothing empty in spite of its manual.
    pub(in super::super) fn with_spaces(mut self) -> Self {
        if self.user.is_empty() {
            self.user.push(' ');
        }
        if self.password.expose().is_empty() {
            self.password = Secret::new(" ");
        }
        self
    }
}

impl Command for MqttConnParam {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        const IDENTIFIER: &str = "the client identifier";
        // "The user name and password can be null", and nothing else.
        if self.identifier.is_empty() {
            return Err(InputError::Missing { field: IDENTIFIER });
        }
        let line = CommandLine::write(CONN_PARAM)
            .quoted(IDENTIFIER, &self.identifier, facts::TEXT, facts::CLIENT_IDENTIFIER)?
            .quoted("the user name", &self.user, facts::TEXT, facts::USER)?
            .secret("the password", self.password.expose(), facts::TEXT, facts::PASSWORD)?;
        Ok(setting(line.finish()))
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Asks for what is set; see [`MqttConnParam::read`].
///
/// ```
/// use mqtt_at::{Command, neoway::MqttConnParam};
///
/// let command = MqttConnParam::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTCONNPARAM?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadConnParam;

/// Who the client is.
#[derive(Debug, Clone)]
pub struct ConnectionParameters {
    /// The client identifier.
    pub identifier: String,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: Secret,
}

impl Command for ReadConnParam {
    type Answer = ConnectionParameters;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(question(CONN_PARAM).secret_answer().into())
    }

    fn read(&self, reply: &Reply) -> Result<ConnectionParameters, Unreadable> {
        let fields = reply.first_line().and_then(|line| Fields::of(line, CONN_PARAM));
        fields.and_then(parameters).ok_or(Unreadable)
    }
}

fn parameters(mut fields: Fields<'_>) -> Option<ConnectionParameters> {
    let identifier = shown(fields.text()?);
    let user = shown(fields.text()?);
    Some(ConnectionParameters { identifier, user, password: shown(fields.text()?).into() })
}
