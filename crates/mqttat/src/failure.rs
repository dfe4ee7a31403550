//! Why a command failed: one line, whose fault, what to do, and the exit code.

use std::error::Error as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::{fmt, io};

use mqtt_at::at::ArgumentError;
use mqtt_at::{Error, Fault, InputError};
use virtual_modem::Surprise;

/// The end of a command that did not do what it was asked to.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    what: String,
    fault: Option<Fault>,
    remedy: Option<String>,
}

/// Which exit code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failed,
    Usage,
    TimedOut,
    Interrupted,
}

impl Failure {
    /// The command line cannot be meant.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, what: what.into(), fault: None, remedy: None }
    }

    /// What the user gave cannot be used.
    pub(crate) fn caller(what: impl Into<String>) -> Self {
        Self::failed(what, Fault::Caller)
    }

    /// Something that is somebody's fault.
    pub(crate) fn failed(what: impl Into<String>, fault: Fault) -> Self {
        Self { kind: Kind::Failed, what: what.into(), fault: Some(fault), remedy: None }
    }

    /// The time of `sub -W` ran out.
    pub(crate) fn timed_out(what: impl Into<String>) -> Self {
        Self { kind: Kind::TimedOut, what: what.into(), fault: None, remedy: None }
    }

    /// The user ended the command before it was done.
    pub(crate) fn interrupted(what: impl Into<String>) -> Self {
        Self { kind: Kind::Interrupted, what: what.into(), fault: None, remedy: None }
    }

    /// Says what can be done about it.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Says what it is about, before everything else.
    pub(crate) fn about(mut self, subject: impl fmt::Display) -> Self {
        self.what = format!("{subject}: {}", self.what);
        self
    }

    /// Says something more about it, behind what happened.
    pub(crate) fn with(mut self, more: impl fmt::Display) -> Self {
        self.what = format!("{}; {more}", self.what);
        self
    }

    /// Says whose fault it is after all.
    pub(crate) fn by(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// What happened, without fault and remedy.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    pub(crate) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// What can be done about it.
    pub(crate) fn what_to_do(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// Whether the command line could not be meant.
    pub(crate) fn is_usage(&self) -> bool {
        self.kind == Kind::Usage
    }

    /// 1 failed, 2 usage, 27 as mosquitto_sub when its time is over, 130 as a shell says of what Ctrl-C ended.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self.kind {
            Kind::Failed => 1,
            Kind::Usage => 2,
            Kind::TimedOut => 27,
            Kind::Interrupted => 130,
        })
    }
}

/// One line, whatever the texts in it hold.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_line(f, &self.what)?;
        if let Some(fault) = self.fault {
            write!(f, " [fault: {}]", name_of(fault))?;
        }
        if let Some(remedy) = &self.remedy {
            f.write_str("; ")?;
            write_line(f, remedy)?;
        }
        Ok(())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut what = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            if let Some(surprise) = surprise(error) {
                return otherwise(surprise);
            }
            what.push_str(": ");
            what.push_str(&error.to_string());
            cause = error.source();
        }
        let remedy =
            error.remedy().map(std::borrow::Cow::into_owned).or_else(|| fallback(&error).map(str::to_owned));
        Self { kind: Kind::Failed, what, fault: Some(error.fault()), remedy }
    }
}

/// What a script of the module did not expect, if that is the cause.
fn surprise<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a Surprise> {
    let error = match cause.downcast_ref::<Arc<io::Error>>() {
        Some(shared) => shared,
        None => cause.downcast_ref::<io::Error>()?,
    };
    error.get_ref()?.downcast_ref()
}

/// The program says something else than it did when the transcript was recorded.
fn otherwise(surprise: &Surprise) -> Failure {
    let text = surprise.to_string();
    let mut lines = text.lines().map(str::trim);
    let (expected, got) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let turns = lines.count().saturating_sub(1);
    Failure::failed(
        format!("the transcript does not fit after {turns} turns: {expected}, {got}"),
        Fault::Link,
    )
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Error::from(error).into()
    }
}

/// The command line's reading of it: one line instead of clap's several.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let body = text.split("\nUsage:").next().unwrap_or_default();
        let body = body.split("\nFor more information").next().unwrap_or_default();
        let words: Vec<&str> = body.split_whitespace().collect();
        let what = words.join(" ");
        let what = in_words(what.strip_prefix("error: ").unwrap_or(&what));
        Self::usage(what).remedy("--help behind the command shows what it takes")
    }
}

/// Ranges and numbers as a person writes them: `0 to 2` instead of `0..=2`.
fn in_words(text: &str) -> String {
    let text = text.replace("invalid digit found in string", "it must be a whole number");
    let Some((before, range)) = text.split_once(" is not in ") else { return text };
    match range.split_once("..=").or_else(|| range.split_once("..")) {
        Some((least, most)) if most.len() < 12 => format!("{before} is not within {least} to {most}"),
        Some((least, _)) => format!("{before} is less than {least}"),
        None => text,
    }
}

/// What the user of a command line can do where the library leaves it to the program.
fn fallback(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Input(InputError::PayloadTooLarge { .. }) => "shorten the payload, or publish it in parts",
        Error::Input(InputError::PayloadEmpty) => "publish at least one byte",
        Error::Input(InputError::NoFreeClient { .. }) => "end another client of this module first",
        Error::Input(InputError::Topic { .. }) => "give another topic",
        Error::Input(InputError::OutOfRange { .. }) => "give a value in that range",
        Error::Input(InputError::Argument(ArgumentError::TooLong { .. })) => "shorten it",
        Error::Input(InputError::Argument(ArgumentError::Unrepresentable { .. })) => {
            "leave this character out"
        }
        Error::Input(_) => "change this value",
        Error::Open(_) => "`mqttat ports` lists the serial ports",
        Error::Unsupported { .. } => "leave it out, or use a module that can do it",
        Error::Module(_) => "`-vvv` shows the conversation; the module's manual explains the code",
        Error::InDoubt => "try again after the module's own timeout",
        Error::Unreadable { .. } => "`--record FILE` keeps the conversation for a report",
        _ => return None,
    })
}

fn name_of(fault: Fault) -> &'static str {
    match fault {
        Fault::Caller => "input",
        Fault::Link => "link",
        Fault::Module => "module",
        Fault::Network => "network",
        Fault::Broker => "broker",
        _ => "unknown",
    }
}

/// Control characters, from a broker or a module, do nothing to the terminal.
fn write_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write as _;
    text.chars().try_for_each(|character| {
        if character.is_control() {
            write!(f, "{}", character.escape_default())
        } else {
            f.write_char(character)
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use mqtt_at::QoS;

    use super::*;
    use crate::args::Args;

    #[test]
    fn a_line_says_what_whose_fault_and_the_remedy() {
        let error = Error::from(InputError::PayloadTooLarge { got: 1501, max: 1500 });
        assert_eq!(
            Failure::from(error).about("message 3").to_string(),
            "message 3: the payload has 1501 bytes, and the module takes at most 1500 [fault: input]; shorten the \
             payload, or publish it in parts"
        );
        let error = QoS::try_from(3).unwrap_err();
        let line = Failure::from(error).to_string();
        assert_eq!(line, "QoS is 3, and must be 0 to 2 [fault: input]; give a value in that range");
    }

    #[test]
    fn control_characters_do_not_break_the_line() {
        let line = Failure::caller("a\r\nb\u{1b}[2J").remedy("c\nd").to_string();
        assert_eq!(line, "a\\r\\nb\\u{1b}[2J [fault: input]; c\\nd");
    }

    #[test]
    fn numbers_are_told_as_people_write_them() {
        for (claps, words) in [
            (
                "invalid value '3' for '-q': 3 is not in 0..=2",
                "invalid value '3' for '-q': 3 is not within 0 to 2",
            ),
            ("0 is not in 1..18446744073709551615", "0 is less than 1"),
            ("invalid digit found in string", "it must be a whole number"),
            ("unexpected argument '--x'", "unexpected argument '--x'"),
        ] {
            assert_eq!(in_words(claps), words);
        }
    }

    #[test]
    fn claps_errors_become_one_line() {
        let line = |line: &str| Failure::from(Args::try_parse_from(line.split(' ')).unwrap_err()).to_string();
        let missing = line("mqttat pub -h b -m x");
        assert_eq!(
            missing,
            "the following required arguments were not provided: --topic <TOPIC>; --help behind the command shows \
             what it takes"
        );
        let similar = line("mqttat pub -h b -m x --topics t");
        assert!(
            similar.contains("'--topics'") && similar.contains("tip:") && !similar.contains('\n'),
            "{similar}"
        );
        let range = line("mqttat pub -h b -m x -t t -p 0");
        assert!(range.contains("0 is not within 1 to 65535") && range.contains("--port"), "{range}");
    }
}
