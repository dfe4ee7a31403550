//! AWS, with TLS: `AT+AWSTLSCFG`, `AT+AWSAUTHPARAM`, `AT+AWSCONNPARAM`, `AT+AWSCONN` [Neoway MQTT 1.2 §B.4].
//!
//! The manual shows one session and explains none of these commands, nor how messages are sent and received over such
//! a connection. A later one does [N58 AT 2.0 §17].

use std::time::Duration;

use at_codec::CommandLine;
use at_port::{Operation, Refusal, Reply};

use super::cloud::CloudSettings;
use super::connection::address;
use super::setting;
use crate::command::{Command, Unreadable};
use crate::connect::ProtocolVersion;
use crate::dialect::neoway::facts;
use crate::error::{Error, InputError};

const TLS_CFG: &str = "+AWSTLSCFG";
const AUTH_PARAM: &str = "+AWSAUTHPARAM";
const CONN_PARAM: &str = "+AWSCONNPARAM";
const CONN: &str = "+AWSCONN";

/// Sets whom the connection trusts and how the client proves who it is, with the names of files that
/// [`CertAdd`](super::CertAdd) has stored.
///
/// ```
/// use mqtt_at::{Command, neoway::AwsTlsCfg};
///
/// let command = AwsTlsCfg::root_ca("ca.pem");
/// assert_eq!(command.operation()?.to_string(), "AT+AWSTLSCFG=rootca,ca.pem");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsTlsCfg {
    setting: TlsSetting,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TlsSetting {
    AuthMode(bool),
    File { key: &'static str, name: String },
}

impl AwsTlsCfg {
    /// Whether the server has to prove who it is: `authmode` 1, or 0 for "optional". The manual gives no default: set it.
    pub fn auth_mode(required: bool) -> Self {
        Self { setting: TlsSetting::AuthMode(required) }
    }

    /// The certificate of the authority that is trusted.
    pub fn root_ca(file: impl Into<String>) -> Self {
        Self::file("rootca", file)
    }

    /// The certificate of the client.
    pub fn client_cert(file: impl Into<String>) -> Self {
        Self::file("clientcert", file)
    }

    /// The private key of the client.
    pub fn client_key(file: impl Into<String>) -> Self {
        Self::file("clientkey", file)
    }

    fn file(key: &'static str, name: impl Into<String>) -> Self {
        Self { setting: TlsSetting::File { key, name: name.into() } }
    }
}

impl Command for AwsTlsCfg {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(TLS_CFG);
        let line = match &self.setting {
            TlsSetting::AuthMode(required) => line.word("authmode").integer(*required),
            TlsSetting::File { key, name } => {
                line.word(key).unquoted("the file name", name, facts::TEXT, facts::NAME)?
            }
        };
        Ok(setting(line.finish()))
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Sets who the client is: in the manual one name, and nothing else.
///
/// ```
/// use mqtt_at::{Command, neoway::AwsAuthParam};
///
/// let command = AwsAuthParam::new("gateway-7");
/// assert_eq!(command.operation()?.to_string(), "AT+AWSAUTHPARAM=gateway-7");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsAuthParam {
    identifier: String,
}

impl AwsAuthParam {
    /// A client identifier of at most 256 bytes, without commas.
    pub fn new(identifier: impl Into<String>) -> Self {
        Self { identifier: identifier.into() }
    }
}

impl Command for AwsAuthParam {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let field = "the client identifier";
        let line = CommandLine::write(AUTH_PARAM);
        let line = line.unquoted(field, &self.identifier, facts::TEXT, facts::CLIENT_IDENTIFIER)?;
        Ok(setting(line.finish()))
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Sets where AWS is.
///
/// ```
/// use mqtt_at::{Command, neoway::AwsConnParam};
///
/// let command = AwsConnParam::new("broker.example.com", 8883);
/// assert_eq!(command.operation()?.to_string(), "AT+AWSCONNPARAM=broker.example.com:8883,1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsConnParam {
    host: String,
    port: u16,
    reconnect: bool,
}

impl AwsConnParam {
    /// The endpoint of the account, and the port: 443 in the manual, 8883 by custom.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port, reconnect: true }
    }

    /// Whether the module connects anew by itself when the connection is lost [N58 AT 2.0 §17.3]. Default: yes, as in
    /// the manual, which shows a 1 and does not explain it.
    #[must_use]
    pub fn reconnect(mut self, reconnect: bool) -> Self {
        self.reconnect = reconnect;
        self
    }
}

impl Command for AwsConnParam {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let address = address(&self.host, self.port)?;
        let line =
            CommandLine::write(CONN_PARAM).unquoted("the host", address, facts::TEXT, facts::ADDRESS)?;
        Ok(setting(line.integer(self.reconnect).finish()))
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Connects to AWS.
///
/// ```
/// use mqtt_at::{Command, neoway::AwsConn};
/// use std::time::Duration;
///
/// let command = AwsConn::new(Duration::from_secs(60));
/// assert_eq!(command.operation()?.to_string(), "AT+AWSCONN=60,1,4");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwsConn {
    settings: CloudSettings,
}

impl AwsConn {
    /// With this keep-alive interval, in whole seconds; a clean session, MQTT 3.1.1, as in the manual's session.
    pub fn new(keep_alive: Duration) -> Self {
        Self { settings: CloudSettings { keep_alive, clean: true, version: ProtocolVersion::V3_1_1 } }
    }

    /// Whether AWS forgets subscriptions and waiting messages of earlier connections. Default: yes.
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

impl Command for AwsConn {
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
