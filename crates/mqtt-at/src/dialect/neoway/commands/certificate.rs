//! `AT+CERTADD`: certificates and keys on the module [Neoway MQTT 1.2 §B.4].

use at_codec::{CommandLine, Fields};
use at_port::{Exchange, FinalResult, Operation, PromptForm, Reply};
use bytes::Bytes;

use crate::command::{Command, Unreadable};
use crate::dialect::neoway::facts::{self, timeout};
use crate::dialect::ranges::in_range;
use crate::error::InputError;

const CERT_ADD: &str = "+CERTADD";

/// Stores a certificate or a key on the module. The answer is how many bytes the module has stored.
///
/// ```
/// use mqtt_at::{Command, neoway::CertAdd};
///
/// let command = CertAdd::new("client.key", "-----BEGIN…").secret();
/// assert_eq!(command.operation()?.to_string(), "AT+CERTADD=client.key,13");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Clone)]
pub struct CertAdd {
    name: String,
    contents: Bytes,
    secret: bool,
}

impl CertAdd {
    /// Stores `contents` (1 to 65 535 bytes, PEM in the manual) under a name such as `rootca.pem`.
    pub fn new(name: impl Into<String>, contents: impl Into<Bytes>) -> Self {
        Self { name: name.into(), contents: contents.into(), secret: false }
    }

    /// Keeps the contents out of traces and transcripts, because they are a private key.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

impl Command for CertAdd {
    type Answer = usize;

    fn operation(&self) -> Result<Operation, InputError> {
        let size = u32::try_from(self.contents.len()).unwrap_or(u32::MAX);
        let size = in_range("the size of the file", size, facts::CERTIFICATE)?;
        let line = CommandLine::write(CERT_ADD)
            .unquoted("the file name", &self.name, facts::TEXT, facts::NAME)?
            .integer(size)
            .finish();
        let exchange = Exchange::new(line)
            .data(PromptForm::Connect, self.contents.clone(), timeout::PROMPT)
            .timeout(timeout::FILE);
        Ok(if self.secret { exchange.secret_data().into() } else { exchange.into() })
    }

    fn read(&self, reply: &Reply) -> Result<usize, Unreadable> {
        let FinalResult::Vendor { line, .. } = &reply.result else { return Err(Unreadable) };
        stored(line).map(|stored| stored.size).ok_or(Unreadable)
    }
}

impl std::fmt::Debug for CertAdd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CertAdd")
            .field("name", &self.name)
            .field("bytes", &self.contents.len())
            .finish_non_exhaustive()
    }
}

/// What the module says when it has taken a file, or has not.
pub(in super::super) struct Stored {
    size: usize,
    pub(in super::super) success: bool,
}

/// Reads `+CERTADD: size,OK`, with which the command ends: in the manual no other result follows.
pub(in super::super) fn stored(line: &[u8]) -> Option<Stored> {
    let mut fields = Fields::of(line, CERT_ADD)?;
    let size = fields.integer()?.try_into().ok()?;
    Some(Stored { size, success: fields.text()? == b"OK" })
}
