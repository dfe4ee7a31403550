//! `AT+XIIC` and `AT+XGAUTH`: the data connection [Neoway MQTT 1.2 §2, §3].

use std::net::IpAddr;

use at_codec::{CommandLine, Fields};
use at_port::{Exchange, Operation, Reply};

use super::{question, setting, shown};
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::neoway::facts::{self, timeout};
use crate::error::InputError;
use crate::secret::Secret;

const XIIC: &str = "+XIIC";
const XGAUTH: &str = "+XGAUTH";

/// Dials: activates the data connection of PDP context 1. The address comes later; ask for it.
///
/// ```
/// use mqtt_at::{Command, neoway::Xiic};
///
/// let command = Xiic;
/// assert_eq!(command.operation()?.to_string(), "AT+XIIC=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Xiic;

impl Xiic {
    /// Asks for the address. The manual's table has this as the test form, its examples as here.
    pub fn read() -> ReadXiic {
        ReadXiic
    }

    /// Asks which parameters the firmware knows.
    pub fn test() -> TestForm {
        TestForm::of(XIIC)
    }
}

impl Command for Xiic {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(Exchange::new(CommandLine::write(XIIC).integer(1).finish()).timeout(timeout::ACTIVATE).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Asks for the address; see [`Xiic::read`].
///
/// ```
/// use mqtt_at::{Command, neoway::Xiic};
///
/// let command = Xiic::read();
/// assert_eq!(command.operation()?.to_string(), "AT+XIIC?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadXiic;

/// The data connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataLink {
    /// Whether it is up.
    pub active: bool,
    /// Its address, that of IPv4 if it has both.
    pub address: Option<IpAddr>,
}

impl Command for ReadXiic {
    type Answer = DataLink;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(question(XIIC).into())
    }

    /// A module with two addresses says so in two lines.
    fn read(&self, reply: &Reply) -> Result<DataLink, Unreadable> {
        let rows: Vec<_> = reply.lines.iter().filter_map(|line| data_link(line)).collect();
        let is_ipv4 = |link: &&DataLink| link.address.is_some_and(|address| address.is_ipv4());
        let has_address = |link: &&DataLink| link.address.is_some();
        let best = rows.iter().find(is_ipv4).or_else(|| rows.iter().find(has_address)).or(rows.first());
        best.copied().ok_or(Unreadable)
    }
}

/// Reads `+XIIC:    1,address`.
fn data_link(line: &[u8]) -> Option<DataLink> {
    let mut fields = Fields::of(line, XIIC)?;
    let active = fields.integer()? == 1;
    let address = fields.text().and_then(|text| shown(text).parse().ok());
    Some(DataLink { active, address: address.filter(|address: &IpAddr| !address.is_unspecified()) })
}

/// Sets user name and password of the access point of PDP context 1, to be shown with PAP.
///
/// The manual of MQTT does not know it, those of the modules do [N58 AT 2.0 §4.21]. It follows `AT+CGDCONT`.
///
/// ```
/// use mqtt_at::{Command, neoway::XgAuth};
///
/// let command = XgAuth::new("user", "secret");
/// assert_eq!(command.operation()?.to_string(), r#"AT+XGAUTH=1,1,"user",***"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct XgAuth {
    user: String,
    password: Secret,
}

impl XgAuth {
    /// A user name and a password of at most 50 bytes each; some modules take 32 only.
    pub fn new(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self { user: user.into(), password: password.into() }
    }
}

impl Command for XgAuth {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        const PAP: u8 = 1;
        let line = CommandLine::write(XGAUTH)
            .integer(facts::PDP_CONTEXT)
            .integer(PAP)
            .quoted("the user name of the access point", &self.user, facts::TEXT, facts::ACCESS)?
            .secret("the password of the access point", self.password.expose(), facts::TEXT, facts::ACCESS)?;
        Ok(setting(line.finish()))
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}
