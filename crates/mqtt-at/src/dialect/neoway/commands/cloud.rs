//! The connection to Alibaba's cloud: `AT+CLOUDHDAUTH`, `AT+CLOUDCONN`, `AT+CLOUDSTATE`, `AT+CLOUDDISCONN`
//! [Neoway MQTT 1.2 §4, §B.1].

use std::time::Duration;

use at_codec::CommandLine;
use at_port::{Exchange, Operation, Refusal, Reply};

use super::cloud_topic::{CloudResult, cloud_result, deferred};
use super::question;
use super::state::{ConnectionState, connection_state};
use crate::command::{Command, Unreadable};
use crate::connect::ProtocolVersion;
use crate::dialect::neoway::facts::{self, timeout};
use crate::dialect::ranges::whole_seconds;
use crate::error::{Error, InputError};
use crate::secret::Secret;

const HD_AUTH: &str = "+CLOUDHDAUTH";
const CONN: &str = "+CLOUDCONN";
const STATE: &str = "+CLOUDSTATE";
const DISCONN: &str = "+CLOUDDISCONN";

/// Sets who the device is [Neoway MQTT 1.2 §4].
///
/// The manual's description has quotes around the strings and its session has none; they are left out here, as the
/// session was answered with `OK`. So the strings hold no comma.
///
/// ```
/// use mqtt_at::{Command, neoway::CloudHdAuth};
///
/// let command = CloudHdAuth::new("a1J5shuYgXN", "device-7", "secret");
/// assert_eq!(command.operation()?.to_string(), "AT+CLOUDHDAUTH=a1J5shuYgXN,device-7,***");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CloudHdAuth {
    product_key: String,
    device_name: String,
    device_secret: Secret,
}

impl CloudHdAuth {
    /// The device with this name of the product with this key, and the secret of the device.
    pub fn new(
        product_key: impl Into<String>,
        device_name: impl Into<String>,
        device_secret: impl Into<Secret>,
    ) -> Self {
        Self {
            product_key: product_key.into(),
            device_name: device_name.into(),
            device_secret: device_secret.into(),
        }
    }
}

impl Command for CloudHdAuth {
    type Answer = CloudResult;

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(HD_AUTH)
            .unquoted("the product key", &self.product_key, facts::TEXT, facts::NAME)?
            .unquoted("the device name", &self.device_name, facts::TEXT, facts::NAME)?
            .unquoted_secret("the device secret", self.device_secret.expose(), facts::TEXT, facts::NAME)?
            .finish();
        Ok(Exchange::new(line).timeout(timeout::SETTING).deferred(deferred(&[HD_AUTH])))
    }

    fn read(&self, reply: &Reply) -> Result<CloudResult, Unreadable> {
        cloud_result(reply, &[HD_AUTH])
    }
}

/// Connects to the cloud as the device of [`CloudHdAuth`] [Neoway MQTT 1.2 §4].
///
/// ```
/// use mqtt_at::{Command, neoway::CloudConn};
/// use std::time::Duration;
///
/// let command = CloudConn::new(Duration::from_secs(60));
/// assert_eq!(command.operation()?.to_string(), "AT+CLOUDCONN=60,0,4");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloudConn {
    settings: CloudSettings,
}

impl CloudConn {
    /// With this keep-alive interval, in whole seconds; session not clean, MQTT 3.1.1, as in the manual's session.
    pub fn new(keep_alive: Duration) -> Self {
        Self { settings: CloudSettings { keep_alive, clean: false, version: ProtocolVersion::V3_1_1 } }
    }

    /// Whether the cloud forgets subscriptions and waiting messages of earlier connections. Default: no.
    #[must_use]
    pub fn clean_session(mut self, clean: bool) -> Self {
        self.settings.clean = clean;
        self
    }

    /// The version of MQTT. Default: 3.1.1.
    #[must_use]
    pub fn version(mut self, version: ProtocolVersion) -> Self {
        self.settings.version = version;
        self
    }
}

impl Command for CloudConn {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        self.settings.operation(CONN)
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal).map(Error::from)
    }
}

/// The parameters of a connection to a cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CloudSettings {
    pub(super) keep_alive: Duration,
    pub(super) clean: bool,
    pub(super) version: ProtocolVersion,
}

impl CloudSettings {
    /// Keep-alive interval, clean session, and the level that MQTT's CONNECT names its version with.
    pub(super) fn operation(self, name: &'static str) -> Result<Operation, InputError> {
        let level = match self.version {
            ProtocolVersion::V3_1 => 3,
            ProtocolVersion::V3_1_1 => 4,
        };
        let line = CommandLine::write(name)
            .integer(whole_seconds("the keep-alive interval", self.keep_alive, facts::CLOUD_KEEP_ALIVE)?)
            .integer(self.clean)
            .integer(level)
            .finish();
        Ok(Exchange::new(line).timeout(timeout::CONNECT).into())
    }
}

/// Asks whether there is a connection to the cloud [Neoway MQTT 1.2 §4, §B.1].
///
/// ```
/// use mqtt_at::{Command, neoway::CloudState};
///
/// let command = CloudState;
/// assert_eq!(command.operation()?.to_string(), "AT+CLOUDSTATE?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloudState;

impl Command for CloudState {
    type Answer = ConnectionState;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(question(STATE).into())
    }

    fn read(&self, reply: &Reply) -> Result<ConnectionState, Unreadable> {
        connection_state(reply, STATE)
    }
}

/// Ends the connection to the cloud [Neoway MQTT 1.2 §4].
///
/// ```
/// use mqtt_at::{Command, neoway::CloudDisconn};
///
/// let command = CloudDisconn;
/// assert_eq!(command.operation()?.to_string(), "AT+CLOUDDISCONN");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloudDisconn;

impl Command for CloudDisconn {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(Exchange::new(CommandLine::execute(DISCONN)).timeout(timeout::DISCONNECT).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}
