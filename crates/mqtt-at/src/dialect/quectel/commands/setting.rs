//! What `AT+QMTCFG` and `AT+QSSLCFG` have in common: named parameters of a numbered thing.

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;

use at_codec::{CommandLine, Fields, WriteLine};
use at_port::{Answer, Exchange, Operation, PromptForm, Reply};
use bytes::Bytes;

use crate::command::{Command, Unreadable};
use crate::dialect::quectel::facts::{self, timeout};
use crate::error::InputError;

/// A parameter: how its value is written, and how the answer to a query is read.
pub trait Setting {
    /// The command that it belongs to.
    const FAMILY: Family;
    /// Its name in the command.
    const KEY: &'static str;
    /// Whether a query gives a secret back in clear.
    const SECRET: bool = false;
    /// What it is set to.
    type Value;
    /// What a query tells.
    type State;

    /// Adds the value to the command line.
    ///
    /// # Errors
    ///
    /// The value cannot be represented, or is out of range.
    fn write(value: &Self::Value, line: WriteLine) -> Result<WriteLine, InputError>;

    /// Reads the fields behind name and number.
    fn read(fields: &mut Fields<'_>) -> Option<Self::State>;

    /// What is sent behind a prompt.
    fn data(value: &Self::Value) -> Option<Bytes> {
        let _ = value;
        None
    }
}

/// The commands with named parameters. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `AT+QMTCFG`, of a client.
    Mqtt,
    /// `AT+QSSLCFG`, of a TLS context; its answers repeat the context's number.
    Tls,
}

impl Family {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Mqtt => "+QMTCFG",
            Self::Tls => "+QSSLCFG",
        }
    }

    fn index(self, index: u8) -> Result<i64, InputError> {
        let (field, range): (_, RangeInclusive<u8>) = match self {
            Self::Mqtt => ("the client index", facts::CLIENTS),
            Self::Tls => ("the TLS context", facts::TLS_CONTEXTS),
        };
        facts::in_range(field, index, range)
    }
}

/// A parameter of one client or TLS context, to be read or set.
pub struct Parameter<S> {
    index: u8,
    setting: PhantomData<fn() -> S>,
}

impl<S: Setting> Parameter<S> {
    pub(super) const fn new(index: u8) -> Self {
        Self { index, setting: PhantomData }
    }

    /// The command that asks for the present value.
    pub fn read(self) -> ReadParameter<S> {
        ReadParameter { parameter: self }
    }

    /// The command that sets it. The module refuses it while the client's network connection is open, and forgets
    /// it when it restarts [EC200x MQTT 1.0 §3.2.1].
    pub fn set(self, value: S::Value) -> SetParameter<S> {
        SetParameter { parameter: self, value }
    }

    fn line(&self) -> Result<WriteLine, InputError> {
        let index = S::FAMILY.index(self.index)?;
        Ok(CommandLine::write(S::FAMILY.name()).literal(S::KEY).integer(index))
    }
}

/// Asks for a parameter.
///
/// ```
/// use mqtt_at::{Command, quectel::QmtCfg};
///
/// let command = QmtCfg::keep_alive(0).read();
/// assert_eq!(command.operation()?.to_string(), r#"AT+QMTCFG="keepalive",0"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug)]
pub struct ReadParameter<S> {
    parameter: Parameter<S>,
}

impl<S: Setting> Command for ReadParameter<S> {
    type Answer = S::State;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(self.parameter.line()?.finish())
            .answer(Answer::Named(S::FAMILY.name()))
            .timeout(timeout::SETTING);
        Ok(if S::SECRET { exchange.secret_answer().into() } else { exchange.into() })
    }

    fn read(&self, reply: &Reply) -> Result<S::State, Unreadable> {
        let line = reply.first_line().ok_or(Unreadable)?;
        let mut fields = Fields::of(line, S::FAMILY.name()).ok_or(Unreadable)?;
        let key = fields.text().ok_or(Unreadable)?;
        if !key.eq_ignore_ascii_case(S::KEY.as_bytes()) {
            return Err(Unreadable);
        }
        if S::FAMILY == Family::Tls && fields.integer() != Some(self.parameter.index.into()) {
            return Err(Unreadable);
        }
        S::read(&mut fields).ok_or(Unreadable)
    }
}

/// Sets a parameter.
///
/// ```
/// use mqtt_at::{Command, quectel::QmtCfg};
/// use std::time::Duration;
///
/// let command = QmtCfg::keep_alive(0).set(Duration::from_secs(60));
/// assert_eq!(command.operation()?.to_string(), r#"AT+QMTCFG="keepalive",0,60"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
pub struct SetParameter<S: Setting> {
    parameter: Parameter<S>,
    value: S::Value,
}

impl<S: Setting> Command for SetParameter<S> {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = S::write(&self.value, self.parameter.line()?)?.finish();
        let exchange = Exchange::new(line).timeout(timeout::SETTING);
        Ok(match S::data(&self.value) {
            Some(data) => exchange.data(PromptForm::Mark, data, facts::PAYLOAD_PATIENCE).into(),
            None => exchange.into(),
        })
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

impl<S> fmt::Debug for Parameter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameter").field("index", &self.index).finish_non_exhaustive()
    }
}

/// The value may be a secret, so it is not shown.
impl<S: Setting> fmt::Debug for SetParameter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetParameter").field("parameter", &self.parameter).finish_non_exhaustive()
    }
}

/// Reads a field that is 0 or 1.
pub(super) fn flag(fields: &mut Fields<'_>) -> Option<bool> {
    match fields.integer()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// Reads a field as text.
pub(super) fn text(fields: &mut Fields<'_>) -> Option<String> {
    fields.text().map(|text| String::from_utf8_lossy(text).into_owned())
}
