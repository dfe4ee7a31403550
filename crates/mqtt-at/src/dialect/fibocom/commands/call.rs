//! `AT+MIPCALL`: the data connection [Fibocom MQTT 1.2.6 §3.1].
//!
//! The manual shows one line of it. Its parameters and the forms of its answer are those that drivers of real modules
//! send and accept.

use std::net::IpAddr;

use at_codec::{CommandLine, Fields};
use at_port::{Exchange, Operation, Reply};

use super::question;
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::fibocom::facts::{self, timeout};
use crate::error::InputError;
use crate::secret::Secret;

const CALL: &str = "+MIPCALL";

/// Dials, or hangs up [Fibocom MQTT 1.2.6 §3.1].
///
/// A module that has a data connection refuses to dial, with `ERROR`; ask with [`read`](Self::read) then. The address
/// comes in a report behind the `OK`, or not at all: `AT+CGPADDR` tells it, too.
///
/// ```
/// use mqtt_at::{Command, fibocom::MipCall};
///
/// let command = MipCall::dial_to("internet").credentials("user", "secret");
/// assert_eq!(command.operation()?.to_string(), r#"AT+MIPCALL=1,"internet","user",***"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MipCall {
    dials: bool,
    access_point: Option<String>,
    credentials: Option<(String, Secret)>,
}

impl MipCall {
    /// Dials with the access point that the module or the SIM has.
    pub fn dial() -> Self {
        Self { dials: true, access_point: None, credentials: None }
    }

    /// Dials with an access point name of at most 99 bytes.
    pub fn dial_to(apn: impl Into<String>) -> Self {
        Self { dials: true, access_point: Some(apn.into()), credentials: None }
    }

    /// Hangs up: every connection to a broker is lost.
    pub fn hang_up() -> Self {
        Self { dials: false, access_point: None, credentials: None }
    }

    /// User and password of the access point, at most 99 bytes each. They are sent behind its name only. Default: none.
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.credentials = Some((user.into(), password.into()));
        self
    }

    /// Asks whether there is a data connection.
    pub fn read() -> ReadCall {
        ReadCall
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(CALL)
    }
}

impl Command for MipCall {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let mut line = CommandLine::write(CALL).integer(self.dials);
        if let Some(apn) = &self.access_point {
            line = line.quoted("the access point name", apn, facts::TEXT, facts::ACCESS_POINT)?;
            if let Some((user, password)) = &self.credentials {
                line = line
                    .quoted("the user of the access point", user, facts::TEXT, facts::ACCESS_POINT)?
                    .secret(
                    "the password of the access point",
                    password.expose(),
                    facts::TEXT,
                    facts::ACCESS_POINT,
                )?;
            }
        }
        Ok(Exchange::new(line.finish()).timeout(timeout::DIAL).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Asks whether there is a data connection; see [`MipCall::read`].
///
/// ```
/// use mqtt_at::{Command, fibocom::MipCall};
///
/// let command = MipCall::read();
/// assert_eq!(command.operation()?.to_string(), "AT+MIPCALL?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadCall;

/// The data connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataCall {
    /// Whether there is one.
    pub active: bool,
    /// Its address, if the module tells it here.
    pub address: Option<IpAddr>,
}

impl Command for ReadCall {
    type Answer = DataCall;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(question(CALL).into())
    }

    fn read(&self, reply: &Reply) -> Result<DataCall, Unreadable> {
        reply.first_line().and_then(data_call).ok_or(Unreadable)
    }
}

/// Reads `+MIPCALL: 0`, `+MIPCALL: 1`, `+MIPCALL: 1,address` or `+MIPCALL: address`, also without the plus sign.
pub(in super::super) fn data_call(line: &[u8]) -> Option<DataCall> {
    let mut fields = Fields::of(line, CALL).or_else(|| Fields::of(line, "MIPCALL"))?;
    let state = fields.integer();
    let texts = std::iter::from_fn(|| fields.text());
    let address = texts.filter_map(read_address).next();
    match (state, address) {
        (Some(0), _) => Some(DataCall { active: false, address: None }),
        (Some(1), address) => Some(DataCall { active: true, address }),
        (None, Some(address)) => Some(DataCall { active: true, address: Some(address) }),
        _ => None,
    }
}

/// Reads an address. All zeros stand for none.
fn read_address(text: &[u8]) -> Option<IpAddr> {
    let address: IpAddr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(address).filter(|address| !address.is_unspecified())
}
