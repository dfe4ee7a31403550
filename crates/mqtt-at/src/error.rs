//! What can go wrong, told by whose fault it is and whether the message may be sent again.

mod network;

use std::borrow::Cow;
use std::time::Duration;

use at_codec::ArgumentError;
use at_port::transport::OpenError;
use at_port::{OperationError, Phase, PortError, Progress};

use crate::event::LossCause;
use crate::vendor::Vendor;

pub use network::NetworkError;

/// The result of the library's calls.
///
/// [`Client`](crate::Client) has an example.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any failure. [`fault`](Self::fault) says whose it is, [`outcome`](Self::outcome) what it means for a publish.
///
/// # Examples
///
/// ```no_run
/// use mqtt_at::{Fault, Outcome, QoS};
///
/// # async fn example(client: mqtt_at::Client) {
/// if let Err(error) = client.publish("site/7/up", QoS::AtLeastOnce, false, "hello").await {
///     match error.outcome() {
///         Outcome::NotSent => println!("may be sent again"),
///         _ => println!("sending it again may make a duplicate"),
///     }
///     if error.fault() == Fault::Network {
///         println!("no use in trying at once");
///     }
///     println!("{error}; {}", error.remedy().unwrap_or_default());
/// }
/// # }
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller asked for something that cannot be: found before a byte was written.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The module cannot do this: found before a byte of it was written.
    #[error("{what} is not possible with this {vendor} module: {reason}")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
        /// The maker of the module.
        vendor: Vendor,
        /// Why not, and what can be done instead.
        reason: Cow<'static, str>,
    },
    /// The module refused.
    #[error(transparent)]
    Module(Box<ModuleError>),
    /// The broker refused.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// SIM, registration or data connection are not as they must be.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// An answer did not come in time.
    #[error("{command}: no {phase} from the module within {} s", .after.as_secs_f32())]
    Timeout {
        /// The command's name.
        command: String,
        /// What was waited for.
        phase: Phase,
        /// How long.
        after: Duration,
        /// What this means for the message.
        outcome: Outcome,
    },
    /// The connection to the broker is gone.
    #[error("the connection to the broker was lost: {cause}")]
    ConnectionLost {
        /// Why.
        cause: LossCause,
        /// What this means for the message.
        outcome: Outcome,
    },
    /// The client was disconnected by [`disconnect`](crate::Client::disconnect).
    #[error("the client is disconnected")]
    Disconnected,
    /// The module rebooted.
    #[error("the module rebooted")]
    Rebooted {
        /// What this means for the message.
        outcome: Outcome,
    },
    /// The port was busy or in doubt for too long, so nothing was written.
    #[error("the port was not free within {} s", .after.as_secs_f32())]
    PortBusy {
        /// How long was waited.
        after: Duration,
    },
    /// The result of an earlier command is missing, and that of a new one could not be told from it.
    #[error("the module still owes the result of an earlier command")]
    InDoubt,
    /// The port is gone, or nobody answers at it.
    #[error("no link to the module")]
    Port {
        /// Why.
        #[source]
        error: PortError,
        /// What this means for the message.
        outcome: Outcome,
    },
    /// The module on the port is another one than before, and is not taken for it.
    #[error(
        "another module is on the port: {found} instead of {expected}, or one with another serial number"
    )]
    OtherModule {
        /// The module that was there before.
        expected: String,
        /// The one that is there now.
        found: String,
    },
    /// Too many publishes wait already for the connection to come back.
    #[error("{max} publishes wait for the connection already")]
    QueueFull {
        /// How many may wait.
        max: usize,
    },
    /// The port could not be opened.
    #[error("the port could not be opened")]
    Open(#[source] std::sync::Arc<OpenError>),
    /// The module said something that contradicts its manual.
    #[error("the answer of {command} cannot be read")]
    Unreadable {
        /// The command's name.
        command: String,
    },
}

/// Whose fault a failure is.
///
/// [`Error`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The calling program's.
    Caller,
    /// The serial line's, or whatever carries it.
    Link,
    /// The module's.
    Module,
    /// SIM, radio network or data connection.
    Network,
    /// The broker's.
    Broker,
}

/// What a failure means for the message that was to be published.
///
/// [`Error`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It was not sent and cannot be sent any more: sending it again makes no duplicate.
    NotSent,
    /// It may have reached the broker: sending it again may make a duplicate.
    Unknown,
}

impl Error {
    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Input(_) | Self::Disconnected | Self::OtherModule { .. } => Fault::Caller,
            Self::Unsupported { .. } | Self::Module(_) | Self::Rebooted { .. } | Self::Unreadable { .. } => {
                Fault::Module
            }
            Self::Broker(_) => Fault::Broker,
            Self::Network(_) | Self::QueueFull { .. } => Fault::Network,
            Self::ConnectionLost { cause, .. } => cause.fault(),
            Self::Timeout { phase: Phase::DeferredResult, .. } => Fault::Network,
            Self::Timeout { .. }
            | Self::PortBusy { .. }
            | Self::InDoubt
            | Self::Port { .. }
            | Self::Open(_) => Fault::Link,
        }
    }

    /// Whether a message that failed with this error may be sent again without making a duplicate.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Module(error) => error.outcome,
            Self::Timeout { outcome, .. }
            | Self::ConnectionLost { outcome, .. }
            | Self::Rebooted { outcome }
            | Self::Port { outcome, .. } => *outcome,
            Self::Unreadable { .. } => Outcome::Unknown,
            _ => Outcome::NotSent,
        }
    }

    /// Whether it is only that there is no connection, which a supervised client gets back.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, Self::ConnectionLost { .. } | Self::Rebooted { .. } | Self::Port { .. })
    }

    /// Whether the same may succeed a moment later although the connection seems to be there.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Module(_) | Self::Timeout { .. } | Self::PortBusy { .. } | Self::InDoubt)
    }

    /// What can be done about it, in one sentence.
    pub fn remedy(&self) -> Option<Cow<'static, str>> {
        let text = match self {
            Self::Module(error) => return error.remedy.map(Cow::Borrowed),
            Self::Broker(error) => return error.remedy.map(Cow::Borrowed),
            Self::Network(error) => error.remedy(),
            Self::ConnectionLost { cause, .. } => return cause.remedy().map(Cow::Borrowed),
            Self::Timeout { phase: Phase::DeferredResult, .. } => {
                "check signal and registration, or allow more time"
            }
            Self::Timeout { .. } | Self::PortBusy { .. } => {
                "check cable and baud rate; the module may be busy or restarting"
            }
            Self::Port { error: PortError::Unresponsive { heard_anything: false, .. }, .. } => {
                "check that the module is powered and that this is its AT port, and try another --baud"
            }
            Self::Port { error: PortError::Unresponsive { .. }, .. } => {
                "something answers, but not to AT commands: check the baud rate and that this is the AT port"
            }
            Self::Port { .. } => "check the cable and whether the module is still powered",
            Self::Rebooted { .. } => "check the power supply: modules draw up to 2 A when they transmit",
            Self::Open(error) => return error.remedy().map(Cow::Borrowed),
            Self::Disconnected => "connect a new client",
            Self::OtherModule { .. } => "put the former module back, or open the port anew for this one",
            Self::QueueFull { .. } => {
                "publish less while there is no connection, or allow more with ConnectOptions::queue_capacity"
            }
            _ => return None,
        };
        Some(Cow::Borrowed(text))
    }

    /// The same failure, with what it means for a message.
    pub(crate) fn with_outcome(mut self, new: Outcome) -> Self {
        match &mut self {
            Self::Module(error) => error.outcome = new,
            Self::Timeout { outcome, .. }
            | Self::ConnectionLost { outcome, .. }
            | Self::Rebooted { outcome }
            | Self::Port { outcome, .. } => *outcome = new,
            _ => {}
        }
        self
    }
}

/// Something the caller gave that cannot be used.
///
/// ```
/// use mqtt_at::{Error, Fault, InputError};
///
/// let error = Error::from(InputError::PayloadTooLarge { got: 1501, max: 1500 });
/// assert_eq!(error.to_string(), "the payload has 1501 bytes, and the module takes at most 1500");
/// assert_eq!(error.fault(), Fault::Caller);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// A value cannot be written into a command line, or is too long for it.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The payload is longer than the module takes.
    #[error("the payload has {got} bytes, and the module takes at most {max}")]
    PayloadTooLarge {
        /// Its length in bytes.
        got: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The module cannot send an empty payload.
    #[error("the payload is empty, and the module cannot send an empty one")]
    PayloadEmpty,
    /// A topic name or filter breaks the rules of MQTT.
    #[error("{field} {problem}")]
    Topic {
        /// Which one.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A number is out of range.
    #[error("{field} is {got}, and must be {min} to {max}")]
    OutOfRange {
        /// Which one.
        field: &'static str,
        /// What was given.
        got: u64,
        /// The smallest allowed value.
        min: u64,
        /// The largest allowed value.
        max: u64,
    },
    /// A value is missing.
    #[error("{field} is missing")]
    Missing {
        /// Which one.
        field: &'static str,
    },
    /// A value is malformed.
    #[error("{field} {problem}")]
    Malformed {
        /// Which one.
        field: &'static str,
        /// What is wrong with it.
        problem: Cow<'static, str>,
    },
    /// All clients of the module are in use.
    #[error("all {clients} clients of the module are in use")]
    NoFreeClient {
        /// How many it has.
        clients: usize,
    },
}

impl From<ArgumentError> for Error {
    fn from(error: ArgumentError) -> Self {
        Self::Input(error.into())
    }
}

/// A refusal of the module, with its code and our meaning side by side.
///
/// ```
/// # fn example(error: mqtt_at::Error) {
/// if let mqtt_at::Error::Module(refusal) = error {
///     // AT+QMTOPEN: the broker could not be reached (code 5)
///     println!("{} said {:?}: {}", refusal.command, refusal.code, refusal.meaning);
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{command}: {meaning}{}", .code.as_deref().map(|code| format!(" (code {code})")).unwrap_or_default())]
#[non_exhaustive]
pub struct ModuleError {
    /// The command's name.
    pub command: String,
    /// The module's code, as it gave it.
    pub code: Option<Cow<'static, str>>,
    /// What it means.
    pub meaning: Cow<'static, str>,
    /// What can be done about it.
    pub remedy: Option<&'static str>,
    /// What it means for the message that was to be published.
    pub outcome: Outcome,
}

/// A refusal of the broker.
///
/// ```
/// # fn example(error: mqtt_at::Error) {
/// if let mqtt_at::Error::Broker(refusal) = error
///     && matches!(refusal.code, 4 | 5)
/// {
///     println!("trying again will not help: {refusal}");
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the broker refused: {meaning} (code {code})")]
#[non_exhaustive]
pub struct BrokerError {
    /// MQTT's return code: 1 to 5 of CONNACK, 128 of SUBACK.
    pub code: u16,
    /// What it means.
    pub meaning: Cow<'static, str>,
    /// What can be done about it.
    pub remedy: Option<&'static str>,
}

impl BrokerError {
    /// The meaning of a CONNACK return code [MQTT 3.1.1 §3.2.2.3].
    pub(crate) fn connack(code: u16) -> Self {
        let (meaning, remedy) = match code {
            1 => ("unacceptable protocol version", "choose the other protocol version"),
            2 => ("client identifier rejected", "choose another client identifier"),
            3 => ("server unavailable", "try again later, or check the broker"),
            4 => ("bad user name or password", "check user name and password"),
            5 => ("not authorized", "check user name, password and the broker's access rules"),
            _ => ("unknown reason", "look into the broker's log"),
        };
        Self { code, meaning: meaning.into(), remedy: Some(remedy) }
    }

    /// A subscription that was refused.
    pub(crate) fn suback(filter: &str) -> Self {
        Self {
            code: 128,
            meaning: format!("no subscription to {}", at_codec::Escaped(filter.as_bytes())).into(),
            remedy: Some("check the broker's access rules for this topic filter"),
        }
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Open(std::sync::Arc::new(error))
    }
}

/// What a failed operation means in general; a dialect first looks at the codes that it knows.
impl From<OperationError> for Error {
    fn from(error: OperationError) -> Self {
        let outcome = match error.progress() {
            Progress::Nothing | Progress::Begun => Outcome::NotSent,
            _ => Outcome::Unknown,
        };
        match error {
            OperationError::Refused(refusal) => {
                let (code, meaning) = crate::dialect::meaning_of(&refusal.result);
                Self::Module(Box::new(ModuleError {
                    command: refusal.command,
                    code,
                    meaning,
                    remedy: None,
                    outcome,
                }))
            }
            OperationError::Timeout { command, phase, after, .. } => {
                Self::Timeout { command, phase, after, outcome }
            }
            OperationError::Reset { .. } => Self::Rebooted { outcome },
            OperationError::Released { .. } => {
                Self::ConnectionLost { cause: LossCause::Unknown, outcome: Outcome::Unknown }
            }
            OperationError::NotStarted { after } => Self::PortBusy { after },
            OperationError::InDoubt => Self::InDoubt,
            OperationError::Port { error, .. } => Self::Port { error, outcome },
            _ => Self::Port { error: PortError::Closed, outcome },
        }
    }
}
