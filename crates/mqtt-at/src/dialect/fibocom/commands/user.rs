//! `AT+MQTTUSER`: user name, password and client identifier [Fibocom MQTT 1.2.6 §1.1].

use at_codec::{CommandLine, Fields};
use at_port::{Operation, Reply};

use super::{question, setting, shown};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::fibocom::facts;
use crate::error::InputError;
use crate::secret::Secret;

const USER: &str = "+MQTTUSER";

/// Sets what the next connection of a client signs in with [Fibocom MQTT 1.2.6 §1.1].
///
/// The manual calls this essential: it is sent before each connection, with empty strings where a broker asks for
/// neither user name nor password.
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttUser};
///
/// let command = MqttUser::new(1, "gw", "secret").identifier("gateway-7");
/// assert_eq!(command.operation()?.to_string(), r#"AT+MQTTUSER=1,"gw",***,"gateway-7""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MqttUser {
    client: u8,
    user: String,
    password: Secret,
    identifier: Option<String>,
}

impl MqttUser {
    /// For a client (1 or 2): user name and password, at most 128 bytes each.
    pub fn new(client: u8, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { client, user: user.into(), password: password.into(), identifier: None }
    }

    /// The client identifier, at most 23 bytes. Default: left out, which makes the module use its IMEI.
    #[must_use]
    pub fn identifier(mut self, identifier: impl Into<String>) -> Self {
        self.identifier = Some(identifier.into());
        self
    }

    /// Asks for what is set. The answer holds the passwords; the library itself never asks.
    pub fn read() -> ReadUser {
        ReadUser
    }

    /// Asks for clients and longest values.
    pub fn test() -> TestForm {
        TestForm::of(USER)
    }
}

impl Command for MqttUser {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let mut line = CommandLine::write(USER)
            .integer(facts::client(self.client)?)
            .quoted("the user name", &self.user, facts::TEXT, facts::USER)?
            .secret("the password", self.password.expose(), facts::TEXT, facts::PASSWORD)?;
        if let Some(identifier) = &self.identifier {
            line = line.quoted("the client identifier", identifier, facts::TEXT, facts::CLIENT_IDENTIFIER)?;
        }
        Ok(setting(line.finish()))
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Asks for what clients sign in with; see [`MqttUser::read`].
///
/// ```
/// use mqtt_at::{Command, fibocom::MqttUser};
///
/// let command = MqttUser::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MQTTUSER?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadUser;

/// What a client signs in with.
#[derive(Debug, Clone)]
pub struct StoredUser {
    /// The client.
    pub client: u8,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: Secret,
    /// The client identifier; `None` for the module's IMEI.
    pub identifier: Option<String>,
}

impl Command for ReadUser {
    type Answer = Vec<StoredUser>;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(question(USER).secret_answer().into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<StoredUser>, Unreadable> {
        let stored = |line: &[u8]| Fields::of(line, USER).and_then(stored_user).ok_or(Unreadable);
        reply.lines.iter().map(|line| stored(line)).collect()
    }
}

fn stored_user(mut fields: Fields<'_>) -> Option<StoredUser> {
    Some(StoredUser {
        client: fields.integer()?.try_into().ok()?,
        user: shown(fields.text()?),
        password: shown(fields.text()?).into(),
        identifier: fields.text().map(shown),
    })
}
