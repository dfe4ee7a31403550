//! Files of the module: certificates and keys [EC200x MQTT 1.0 §5.2].

use std::time::Duration;

use at_codec::{Charset, CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, PromptForm, Reply};
use bytes::Bytes;

use super::setting::text;
use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::quectel::facts::{self, timeout};
use crate::error::InputError;

const UPLOAD: &str = "+QFUPL";
const LIST: &str = "+QFLST";
const DELETE: &str = "+QFDEL";

/// How long the module waits for the next bytes of a file.
const PATIENCE: Duration = Duration::from_secs(100);

/// The longest file name, in bytes, with `UFS:` or `RAM:`.
const NAME: usize = 80;

/// Stores a file on the module: `UFS:` is permanent, `RAM:` is not [EC200x MQTT 1.0 §5.2].
///
/// ```
/// use mqtt_at::{Command, quectel::QfUpl};
///
/// let command = QfUpl::new("UFS:ca.pem", "-----BEGIN…");
/// assert_eq!(command.operation()?.to_string(), r#"AT+QFUPL="UFS:ca.pem",13,100"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Clone)]
pub struct QfUpl {
    name: String,
    contents: Bytes,
    secret: bool,
}

impl QfUpl {
    /// Stores `contents` (at least 1 byte) under a name such as `UFS:ca.pem`, of at most 80 bytes.
    pub fn new(name: impl Into<String>, contents: impl Into<Bytes>) -> Self {
        Self { name: name.into(), contents: contents.into(), secret: false }
    }

    /// Keeps the contents out of traces and transcripts, because they are a private key.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Asks for the ranges of the arguments, among them the free space.
    pub fn test() -> TestForm {
        TestForm::of(UPLOAD)
    }
}

impl Command for QfUpl {
    type Answer = Uploaded;

    fn operation(&self) -> Result<Operation, InputError> {
        let size = u32::try_from(self.contents.len()).unwrap_or(u32::MAX);
        let size = facts::in_range("the size of the file", size, 1..=u32::MAX - 1)?;
        let line = CommandLine::write(UPLOAD)
            .quoted(FILE_NAME, &self.name, Charset::ASCII, NAME)?
            .integer(size)
            .integer(PATIENCE.as_secs() as i64)
            .finish();
        let exchange = Exchange::new(line)
            .answer(Answer::Named(UPLOAD))
            .data(PromptForm::Connect, self.contents.clone(), PATIENCE)
            .timeout(PATIENCE);
        Ok(if self.secret { exchange.secret_data().into() } else { exchange.into() })
    }

    fn read(&self, reply: &Reply) -> Result<Uploaded, Unreadable> {
        reply.first_line().and_then(uploaded).ok_or(Unreadable)
    }
}

impl std::fmt::Debug for QfUpl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QfUpl")
            .field("name", &self.name)
            .field("bytes", &self.contents.len())
            .finish_non_exhaustive()
    }
}

/// What the module has stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploaded {
    /// How many bytes.
    pub size: usize,
    /// Their [`checksum`].
    pub checksum: u16,
}

impl Uploaded {
    /// Whether this is what was sent.
    pub fn is_copy_of(&self, contents: &[u8]) -> bool {
        self.size == contents.len() && self.checksum == checksum(contents)
    }
}

/// Reads `+QFUPL: size,checksum`, the checksum in hexadecimal digits.
fn uploaded(line: &[u8]) -> Option<Uploaded> {
    let mut fields = Fields::of(line, UPLOAD)?;
    let size = fields.integer()?.try_into().ok()?;
    let digits = std::str::from_utf8(fields.text()?).ok()?;
    Some(Uploaded { size, checksum: u16::from_str_radix(digits, 16).ok()? })
}

/// The checksum that the module reports of a file: the exclusive or of its 16-bit words, the first byte of each
/// being the high one; the last byte of an odd number is a high one, too.
pub fn checksum(contents: &[u8]) -> u16 {
    contents.chunks(2).fold(0, |sum, word| match word {
        [high, low] => sum ^ u16::from_be_bytes([*high, *low]),
        [high] => sum ^ u16::from_be_bytes([*high, 0]),
        _ => sum,
    })
}

/// Lists files of the module.
///
/// ```
/// use mqtt_at::{Command, quectel::QfLst};
///
/// let command = QfLst::new("UFS:*");
/// assert_eq!(command.operation()?.to_string(), r#"AT+QFLST="UFS:*""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct QfLst {
    pattern: String,
}

impl QfLst {
    /// Lists one file by its name, or all of a storage: `UFS:*`, or `*`. Some firmware refuses to list what is not
    /// there instead of listing nothing.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self { pattern: pattern.into() }
    }
}

/// A file of the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name, with the storage if the module tells it.
    pub name: String,
    /// Its size in bytes.
    pub size: usize,
}

impl Command for QfLst {
    type Answer = Vec<StoredFile>;

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(LIST).quoted(FILE_NAME, &self.pattern, Charset::ASCII, NAME)?.finish();
        Ok(Exchange::new(line).answer(Answer::Named(LIST)).timeout(timeout::FILE).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<StoredFile>, Unreadable> {
        reply.lines.iter().map(|line| stored_file(line).ok_or(Unreadable)).collect()
    }
}

fn stored_file(line: &[u8]) -> Option<StoredFile> {
    let mut fields = Fields::of(line, LIST)?;
    Some(StoredFile { name: text(&mut fields)?, size: fields.integer()?.try_into().ok()? })
}

/// Deletes a file of the module.
///
/// ```
/// use mqtt_at::{Command, quectel::QfDel};
///
/// let command = QfDel::new("UFS:ca.pem");
/// assert_eq!(command.operation()?.to_string(), r#"AT+QFDEL="UFS:ca.pem""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct QfDel {
    name: String,
}

impl QfDel {
    /// Deletes the file with this name; `*` deletes all files of the module.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Command for QfDel {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write(DELETE).quoted(FILE_NAME, &self.name, Charset::ASCII, NAME)?.finish();
        Ok(Exchange::new(line).timeout(timeout::FILE).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

const FILE_NAME: &str = "the file name";
