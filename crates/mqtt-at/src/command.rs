//! Typed commands: what is sent, and how its answer is read.

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Reply};

use crate::error::{Error, InputError, ModuleError, Outcome};

/// An AT command with the type of its answer, for [`Modem::send`](crate::Modem::send).
///
/// Every command of the manuals has a type that implements it; see the vendors' modules and [`common`](crate::common).
/// Own commands implement it in the same way.
///
/// # Examples
///
/// ```
/// use mqtt_at::{Command, InputError, Unreadable};
/// use mqtt_at::at::{Answer, CommandLine, Exchange, Fields, Operation, Reply};
///
/// /// The temperature of the module, in degrees Celsius.
/// struct Temperature;
///
/// impl Command for Temperature {
///     type Answer = i64;
///
///     fn operation(&self) -> Result<Operation, InputError> {
///         Ok(Exchange::new(CommandLine::execute("+QTEMP")).answer(Answer::Named("+QTEMP")).into())
///     }
///
///     fn read(&self, reply: &Reply) -> Result<i64, Unreadable> {
///         let line = reply.first_line().ok_or(Unreadable)?;
///         Fields::of(line, "+QTEMP").and_then(|mut fields| fields.integer()).ok_or(Unreadable)
///     }
/// }
/// ```
pub trait Command {
    /// What the module answers.
    type Answer;

    /// What is to be sent.
    ///
    /// # Errors
    ///
    /// An argument cannot be represented, or is out of range.
    fn operation(&self) -> Result<Operation, InputError>;

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// The answer is not what the manual says.
    fn read(&self, reply: &Reply) -> Result<Self::Answer, Unreadable>;

    /// Gives a refusal of the module a meaning, where this command knows one.
    fn explain(&self, refusal: &at_port::Refusal) -> Option<Error> {
        let _ = refusal;
        None
    }
}

/// An answer that cannot be read.
///
/// [`Command`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer cannot be read")]
pub struct Unreadable;

impl ModuleError {
    /// A refusal with a code of which the manual gives the meaning.
    pub(crate) fn known(
        command: &str,
        code: i64,
        meaning: &'static str,
        remedy: Option<&'static str>,
    ) -> Self {
        Self {
            command: command.to_owned(),
            code: Some(code.to_string().into()),
            meaning: meaning.into(),
            remedy,
            outcome: Outcome::NotSent,
        }
    }
}

impl From<ModuleError> for Error {
    fn from(error: ModuleError) -> Self {
        Self::Module(Box::new(error))
    }
}

/// The test form of a command, `AT+X=?`: which parameters and values the module takes, in its own words.
///
/// The vendors' modules hand it out for each command that has this form.
///
/// ```
/// use mqtt_at::{Command, quectel::QmtOpen};
///
/// assert_eq!(QmtOpen::test().operation()?.to_string(), "AT+QMTOPEN=?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestForm {
    name: &'static str,
}

impl TestForm {
    pub(crate) const fn of(name: &'static str) -> Self {
        Self { name }
    }
}

impl Command for TestForm {
    /// The parameters of each line of the answer, such as `(0-5),"hostname",(1-65535)`; none where the module
    /// only says that it has the command.
    type Answer = Vec<String>;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(Exchange::new(CommandLine::test(self.name)).answer(Answer::Named(self.name)).into())
    }

    fn read(&self, reply: &Reply) -> Result<Self::Answer, Unreadable> {
        let parameters = reply.lines.iter().filter_map(|line| Fields::of(line, self.name));
        Ok(parameters.map(|fields| String::from_utf8_lossy(fields.rest()).into_owned()).collect())
    }
}
