//! The conversation itself: attention, echo, error reporting.

use at_codec::CommandLine;
use at_port::{Operation, Reply};

use super::answer;
use crate::command::{Command, Unreadable};
use crate::error::InputError;

/// `AT`: asks for nothing but `OK` [V.250 §5.2.3].
///
/// ```
/// use mqtt_at::{Command, common::Attention};
///
/// let command = Attention;
/// assert_eq!(command.operation()?.to_string(), "AT");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attention;

impl Command for Attention {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::plain(CommandLine::execute("")))
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// `ATE0`: the module does not repeat commands [V.250 §6.2.4]. Lost when the module reboots.
///
/// ```
/// use mqtt_at::{Command, common::EchoOff};
///
/// let command = EchoOff;
/// assert_eq!(command.operation()?.to_string(), "ATE0");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EchoOff;

impl Command for EchoOff {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::plain(CommandLine::execute("E0")))
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// `ATE1`: the module repeats commands [V.250 §6.2.4].
///
/// ```
/// use mqtt_at::{Command, common::EchoOn};
///
/// let command = EchoOn;
/// assert_eq!(command.operation()?.to_string(), "ATE1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EchoOn;

impl Command for EchoOn {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::plain(CommandLine::execute("E1")))
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// `AT+CMEE?`: how the module reports refusals [27.007 §9.1].
///
/// ```
/// use mqtt_at::{Command, common::ErrorReporting};
///
/// let command = ErrorReporting;
/// assert_eq!(command.operation()?.to_string(), "AT+CMEE?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorReporting;

impl Command for ErrorReporting {
    type Answer = ErrorDetail;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::named(CommandLine::read("+CMEE"), "+CMEE"))
    }

    fn read(&self, reply: &Reply) -> Result<ErrorDetail, Unreadable> {
        match answer::fields(reply, "+CMEE")?.integer() {
            Some(0) => Ok(ErrorDetail::None),
            Some(1) => Ok(ErrorDetail::Number),
            Some(2) => Ok(ErrorDetail::Words),
            _ => Err(Unreadable),
        }
    }
}

/// `AT+CMEE=…`: sets how the module reports refusals [27.007 §9.1]. Lost when the module reboots.
///
/// ```
/// use mqtt_at::{Command, common::{ErrorDetail, SetErrorReporting}};
///
/// let command = SetErrorReporting(ErrorDetail::Number);
/// assert_eq!(command.operation()?.to_string(), "AT+CMEE=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetErrorReporting(pub ErrorDetail);

impl Command for SetErrorReporting {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::plain(CommandLine::write("+CMEE").integer(self.0 as u8).finish()))
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// How much a refusal says. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ErrorDetail {
    /// `ERROR`
    None = 0,
    /// `+CME ERROR: 10`
    Number = 1,
    /// `+CME ERROR: SIM not inserted`
    Words = 2,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bringup::script::ask;

    #[tokio::test(start_paused = true)]
    async fn echo_and_attention_want_nothing_but_ok() {
        assert_eq!(ask(Attention, "OK").await, ("AT".into(), Ok(())));
        assert_eq!(ask(EchoOff, "OK").await, ("ATE0".into(), Ok(())));
        assert_eq!(ask(EchoOn, "OK").await, ("ATE1".into(), Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn error_reporting_is_read_and_set() {
        for (detail, number) in [(ErrorDetail::None, 0), (ErrorDetail::Number, 1), (ErrorDetail::Words, 2)] {
            let (line, read) = ask(ErrorReporting, &format!("+CMEE: {number}\nOK")).await;
            assert_eq!((line.as_str(), read), ("AT+CMEE?", Ok(detail)));
            let (line, set) = ask(SetErrorReporting(detail), "OK").await;
            assert_eq!((line, set), (format!("AT+CMEE={number}"), Ok(())));
        }
        assert!(ask(ErrorReporting, "+CMEE: 3\nOK").await.1.is_err());
        assert!(ask(ErrorReporting, "OK").await.1.is_err());
    }
}
