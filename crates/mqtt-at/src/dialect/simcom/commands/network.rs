//! The data connection: what SIMCom has besides the commands of 3GPP TS 27.007 [A7600 MQTT 1.00 §3].

use at_codec::{Charset, CommandLine};
use at_port::{Exchange, Operation, Reply};

use crate::command::{Command, TestForm, Unreadable};
use crate::common::PdpType;
use crate::dialect::simcom::facts::{self, timeout};
use crate::error::InputError;
use crate::secret::Secret;

const SOCKET: &str = "+CGSOCKCONT";
const AUTHENTICATION: &str = "+CGAUTH";

/// Defines the PDP context of the module's own TCP/IP stack [A7600 MQTT 1.00 §3]. Firmware that has no such command
/// takes it from [`DefinePdpContext`](crate::common::DefinePdpContext).
///
/// ```
/// use mqtt_at::{Command, common::PdpType, simcom::CgSockCont};
///
/// let command = CgSockCont::new(1, PdpType::Ipv4, "internet");
/// assert_eq!(command.operation()?.to_string(), r#"AT+CGSOCKCONT=1,"IP","internet""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CgSockCont {
    context: u8,
    kind: PdpType,
    apn: String,
}

impl CgSockCont {
    /// The context with this number and an access point name of at most 99 bytes.
    pub fn new(context: u8, kind: PdpType, apn: impl Into<String>) -> Self {
        Self { context, kind, apn: apn.into() }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(SOCKET)
    }
}

impl Command for CgSockCont {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(SOCKET)
            .integer(self.context)
            .quoted("the PDP type", self.kind.as_str(), Charset::ASCII, 16)?
            .quoted("the access point name", &self.apn, Charset::ASCII, facts::APN)?
            .finish();
        Ok(Exchange::new(line).timeout(timeout::SETTING).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Sets user name and password of a PDP context, sent by PAP. SIMCom puts the password first, unlike 3GPP TS 27.007
/// §10.1.31.
///
/// ```
/// use mqtt_at::{Command, simcom::CgAuth};
///
/// let command = CgAuth::new(1, "user", "secret");
/// assert_eq!(command.operation()?.to_string(), r#"AT+CGAUTH=1,1,***,"user""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CgAuth {
    context: u8,
    user: String,
    password: Secret,
}

impl CgAuth {
    /// User name and password of the context with this number, each of at most 127 bytes.
    pub fn new(context: u8, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { context, user: user.into(), password: password.into() }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(AUTHENTICATION)
    }
}

impl Command for CgAuth {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        const MAX: usize = 127;
        let line = CommandLine::write(AUTHENTICATION)
            .integer(self.context)
            .integer(1)
            .secret("the password of the access point", self.password.expose(), Charset::ASCII, MAX)?
            .quoted("the user name of the access point", &self.user, Charset::ASCII, MAX)?
            .finish();
        Ok(Exchange::new(line).timeout(timeout::SETTING).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}
