//! The data connection: PDP contexts. The commands are those of Quectel's TCP/IP notes, which the MQTT manual
//! presupposes.

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Reply};

use super::setting::text;
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::quectel::facts::{self, timeout};
use crate::error::InputError;
use crate::secret::Secret;

const PROFILE: &str = "+QICSGP";
const ACTIVATE: &str = "+QIACT";
const DEACTIVATE: &str = "+QIDEACT";
const LAST_ERROR: &str = "+QIGETERROR";

/// The longest access point name, user name or password, in bytes; no note gives a limit for all models.
const APN_TEXT: usize = 127;

/// The protocol of a data connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum PdpType {
    /// IPv4.
    #[default]
    Ipv4,
    /// IPv6.
    Ipv6,
    /// Both.
    Ipv4v6,
}

/// How user name and password are sent to the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Authentication {
    /// Not at all.
    #[default]
    None,
    /// PAP.
    Pap,
    /// CHAP.
    Chap,
    /// PAP or CHAP.
    PapOrChap,
}

/// `AT+QICSGP`: access point, user name and password of a PDP context.
///
/// ```
/// use mqtt_at::{Command, quectel::QiCsgp};
///
/// let command = QiCsgp::new(1, "internet");
/// assert_eq!(command.operation()?.to_string(), r#"AT+QICSGP=1,1,"internet","","",0"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct QiCsgp {
    context: u8,
    kind: PdpType,
    apn: String,
    credentials: Option<(String, Secret, Authentication)>,
}

impl QiCsgp {
    /// Sets the access point name of a context, 1 to 15; IPv4, without user name and password.
    pub fn new(context: u8, apn: impl Into<String>) -> Self {
        Self { context, kind: PdpType::Ipv4, apn: apn.into(), credentials: None }
    }

    /// The protocol. Default: IPv4.
    #[must_use]
    pub fn kind(mut self, kind: PdpType) -> Self {
        self.kind = kind;
        self
    }

    /// User name, password and how they are sent. Default: none.
    #[must_use]
    pub fn credentials(
        mut self,
        user: impl Into<String>,
        password: impl Into<Secret>,
        authentication: Authentication,
    ) -> Self {
        self.credentials = Some((user.into(), password.into(), authentication));
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(PROFILE)
    }

    /// Asks for the access point name of a context, 1 to 15. The module answers with the password, too, which is
    /// not passed on.
    pub fn read(context: u8) -> ReadProfile {
        ReadProfile { context }
    }
}

impl Command for QiCsgp {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(PROFILE)
            .integer(context(self.context)?)
            .integer(match self.kind {
                PdpType::Ipv4 => 1,
                PdpType::Ipv6 => 2,
                PdpType::Ipv4v6 => 3,
            })
            .quoted("the access point name", &self.apn, facts::TEXT, APN_TEXT)?;
        let line = match &self.credentials {
            Some((user, password, authentication)) => line
                .quoted("the user name of the access point", user, facts::TEXT, APN_TEXT)?
                .secret("the password of the access point", password.expose(), facts::TEXT, APN_TEXT)?
                .integer(match authentication {
                    Authentication::None => 0,
                    Authentication::Pap => 1,
                    Authentication::Chap => 2,
                    Authentication::PapOrChap => 3,
                }),
            None => line.literal("").literal("").integer(0),
        };
        Ok(Exchange::new(line.finish()).timeout(timeout::SETTING).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Asks for the access point name of a context; see [`QiCsgp::read`].
///
/// ```
/// use mqtt_at::{Command, quectel::QiCsgp};
///
/// let command = QiCsgp::read(1);
/// assert_eq!(command.operation()?.to_string(), "AT+QICSGP=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadProfile {
    context: u8,
}

impl Command for ReadProfile {
    type Answer = String;

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(PROFILE).integer(context(self.context)?).finish();
        Ok(Exchange::new(line)
            .answer(Answer::Named(PROFILE))
            .secret_answer()
            .timeout(timeout::SETTING)
            .into())
    }

    fn read(&self, reply: &Reply) -> Result<String, Unreadable> {
        let apn = reply.first_line().and_then(|line| {
            let mut fields = Fields::of(line, PROFILE)?;
            fields.integer()?;
            text(&mut fields)
        });
        apn.ok_or(Unreadable)
    }
}

/// `AT+QIACT`: activates a PDP context. The module refuses it when the context is active already.
///
/// ```
/// use mqtt_at::{Command, quectel::QiAct};
///
/// let command = QiAct::new(1);
/// assert_eq!(command.operation()?.to_string(), "AT+QIACT=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct QiAct {
    context: u8,
}

impl QiAct {
    /// Activates a context, 1 to 15, which may take 150 s.
    pub fn new(context: u8) -> Self {
        Self { context }
    }

    /// Asks for the ranges of the arguments, or whether the firmware knows the command.
    pub fn test() -> TestForm {
        TestForm::of(ACTIVATE)
    }

    /// Asks which contexts are active.
    pub fn read() -> ReadAct {
        ReadAct
    }
}

impl Command for QiAct {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(ACTIVATE).integer(context(self.context)?).finish();
        Ok(Exchange::new(line).timeout(timeout::ACTIVATE).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Asks which contexts are active; see [`QiAct::read`].
///
/// ```
/// use mqtt_at::{Command, quectel::QiAct};
///
/// let command = QiAct::read();
/// assert_eq!(command.operation()?.to_string(), "AT+QIACT?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadAct;

/// A PDP context and its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdpAddress {
    /// The context.
    pub context: u8,
    /// Whether it is active.
    pub active: bool,
    /// Its first address, if it has one.
    pub address: Option<String>,
}

impl Command for ReadAct {
    type Answer = Vec<PdpAddress>;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::read(ACTIVATE));
        Ok(exchange.answer(Answer::Named(ACTIVATE)).timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<PdpAddress>, Unreadable> {
        reply.lines.iter().map(|line| pdp_address(line).ok_or(Unreadable)).collect()
    }
}

/// Reads `+QIACT: context,state,type[,"address"]`.
fn pdp_address(line: &[u8]) -> Option<PdpAddress> {
    let mut fields = Fields::of(line, ACTIVATE)?;
    let context = fields.integer()?.try_into().ok()?;
    let active = fields.integer()? == 1;
    fields.skip();
    let address = text(&mut fields).filter(|address| !address.is_empty());
    Some(PdpAddress { context, active, address })
}

/// `AT+QIDEACT`: deactivates a PDP context.
///
/// ```
/// use mqtt_at::{Command, quectel::QiDeact};
///
/// let command = QiDeact::new(1);
/// assert_eq!(command.operation()?.to_string(), "AT+QIDEACT=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct QiDeact {
    context: u8,
}

impl QiDeact {
    /// Deactivates a context, 1 to 15, which may take 40 s.
    pub fn new(context: u8) -> Self {
        Self { context }
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(DEACTIVATE)
    }
}

impl Command for QiDeact {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(DEACTIVATE).integer(context(self.context)?).finish();
        Ok(Exchange::new(line).timeout(timeout::DEACTIVATE).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// `AT+QIGETERROR`: why the last command of the TCP/IP stack failed.
///
/// ```
/// use mqtt_at::{Command, quectel::QiGetError};
///
/// let command = QiGetError;
/// assert_eq!(command.operation()?.to_string(), "AT+QIGETERROR");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct QiGetError;

/// The reason that the TCP/IP stack gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackError {
    /// Its number; 0 for none.
    pub code: i64,
    /// The same in the module's words.
    pub text: String,
}

impl Command for QiGetError {
    type Answer = StackError;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::execute(LAST_ERROR));
        Ok(exchange.answer(Answer::Named(LAST_ERROR)).timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<StackError, Unreadable> {
        let error = reply.first_line().and_then(|line| {
            let mut fields = Fields::of(line, LAST_ERROR)?;
            Some(StackError { code: fields.integer()?, text: text(&mut fields)? })
        });
        error.ok_or(Unreadable)
    }
}

fn context(number: u8) -> Result<i64, InputError> {
    facts::in_range("the PDP context", number, facts::PDP_CONTEXTS)
}
