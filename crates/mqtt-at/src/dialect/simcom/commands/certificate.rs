//! Certificates and keys on the module [A7600 MQTT 1.00 §1.1].

use std::fmt;

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, PromptForm, Reply};
use bytes::Bytes;

use super::ssl::file_name;
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::simcom::facts::{self, timeout};
use crate::error::InputError;

const DOWN: &str = "+CCERTDOWN";
const LIST: &str = "+CCERTLIST";
const DELETE: &str = "+CCERTDELE";

/// Stores a certificate or key on the module, where it outlives restarts [A7600 MQTT 1.00 §1.1].
///
/// ```
/// use mqtt_at::{Command, simcom::CcertDown};
///
/// let command = CcertDown::new("ca.pem", "-----BEGIN…");
/// assert_eq!(command.operation()?.to_string(), r#"AT+CCERTDOWN="ca.pem",13"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Clone)]
pub struct CcertDown {
    name: String,
    contents: Bytes,
    secret: bool,
}

impl CcertDown {
    /// Stores `contents` (1 to 10 240 bytes) under a name of 5 to 108 bytes that ends in `.pem` or `.der`.
    pub fn new(name: impl Into<String>, contents: impl Into<Bytes>) -> Self {
        Self { name: name.into(), contents: contents.into(), secret: false }
    }

    /// Keeps the contents out of traces and transcripts, because they are a private key.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(DOWN)
    }
}

impl Command for CcertDown {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let size = facts::length("the file", self.contents.len(), facts::FILE)?;
        let line = file_name(CommandLine::write(DOWN), &self.name)?.integer(size).finish();
        let exchange = Exchange::new(line)
            .data(PromptForm::Mark, self.contents.clone(), facts::PAYLOAD_PATIENCE)
            .timeout(timeout::FILE);
        Ok(if self.secret { exchange.secret_data().into() } else { exchange.into() })
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

impl fmt::Debug for CcertDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CcertDown")
            .field("name", &self.name)
            .field("bytes", &self.contents.len())
            .finish_non_exhaustive()
    }
}

/// Lists the certificates and keys on the module [A7600 MQTT 1.00 §1.1].
///
/// ```
/// use mqtt_at::{Command, simcom::CcertList};
///
/// let command = CcertList;
/// assert_eq!(command.operation()?.to_string(), "AT+CCERTLIST");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CcertList;

impl Command for CcertList {
    /// Their names.
    type Answer = Vec<String>;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::execute(LIST)).answer(Answer::Named(LIST));
        Ok(exchange.timeout(timeout::FILE).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<String>, Unreadable> {
        let name = |line| {
            let name = Fields::of(line, LIST)?.text()?;
            Some(String::from_utf8_lossy(name).into_owned())
        };
        reply.lines.iter().map(|line| name(line).ok_or(Unreadable)).collect()
    }
}

/// Deletes a certificate or key of the module [A7600 MQTT 1.00 §1.1].
///
/// ```
/// use mqtt_at::{Command, simcom::CcertDele};
///
/// let command = CcertDele::new("ca.pem");
/// assert_eq!(command.operation()?.to_string(), r#"AT+CCERTDELE="ca.pem""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct CcertDele {
    name: String,
}

impl CcertDele {
    /// Deletes the file with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Command for CcertDele {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = file_name(CommandLine::write(DELETE), &self.name)?.finish();
        Ok(Exchange::new(line).timeout(timeout::FILE).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}
