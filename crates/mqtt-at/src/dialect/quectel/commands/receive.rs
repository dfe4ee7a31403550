//! `AT+QMTRECV`: messages that the module has stored [EC200x MQTT 1.0 §3.2.9].

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Reply};

use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::quectel::facts::{self, timeout};
use crate::error::InputError;

const RECV: &str = "+QMTRECV";

/// Fetches stored messages of a client. They come out of its subscriptions, as if they had been reported.
///
/// ```
/// use mqtt_at::{Command, quectel::QmtRecv};
///
/// let command = QmtRecv::slot(0, 4);
/// assert_eq!(command.operation()?.to_string(), "AT+QMTRECV=0,4");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct QmtRecv {
    client: u8,
    slot: Option<u8>,
}

impl QmtRecv {
    /// Fetches the message in one slot (0 to 4) of a client (0 to 5).
    pub fn slot(client: u8, slot: u8) -> Self {
        Self { client, slot: Some(slot) }
    }

    /// Fetches all stored messages of a client.
    pub fn all(client: u8) -> Self {
        Self { client, slot: None }
    }

    /// Asks which slots hold messages.
    pub fn read() -> ReadRecv {
        ReadRecv
    }

    /// Asks whether the firmware knows the command; the answer has no lines.
    pub fn test() -> TestForm {
        TestForm::of(RECV)
    }

    /// One exchange that fetches, for operations of several.
    pub(in super::super) fn exchange(self) -> Result<Exchange, InputError> {
        let mut line = CommandLine::write(RECV).integer(facts::client(self.client)?);
        if let Some(slot) = self.slot {
            line = line.integer(facts::in_range("the slot", slot, facts::SLOTS)?);
        }
        // The messages are told from answers by nothing but their length, as reports are; so they are read as such.
        Ok(Exchange::new(line.finish()).timeout(timeout::ACCEPTED))
    }
}

impl Command for QmtRecv {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(self.exchange()?.into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Asks which slots hold messages; see [`QmtRecv::read`].
///
/// ```
/// use mqtt_at::{Command, quectel::QmtRecv};
///
/// let command = QmtRecv::read();
/// assert_eq!(command.operation()?.to_string(), "AT+QMTRECV?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadRecv;

impl ReadRecv {
    /// The same query, whose answer goes to the rules.
    pub(in super::super) fn scan() -> Exchange {
        Exchange::new(CommandLine::read(RECV)).timeout(timeout::ACCEPTED)
    }
}

/// Which slots of a client hold messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredMessages {
    /// The client.
    pub client: u8,
    /// For each slot, whether it holds a message.
    pub slots: [bool; 5],
}

impl Command for ReadRecv {
    type Answer = Vec<StoredMessages>;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::read(RECV));
        Ok(exchange.answer(Answer::Shaped(RECV, is_status_row)).timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<StoredMessages>, Unreadable> {
        reply.lines.iter().map(|line| stored_messages(line).ok_or(Unreadable)).collect()
    }
}

/// Whether a line is a row of the answer of `AT+QMTRECV?`.
pub(in super::super) fn is_status_row(line: &[u8]) -> bool {
    stored_messages(line).is_some()
}

/// Reads `+QMTRECV: client,s0,s1,s2,s3,s4`: six numbers, which no report has.
pub(in super::super) fn stored_messages(line: &[u8]) -> Option<StoredMessages> {
    let mut fields = Fields::of(line, RECV)?;
    let client = fields.integer()?.try_into().ok()?;
    let mut slots = [false; 5];
    for slot in &mut slots {
        *slot = fields.integer()? != 0;
    }
    fields.is_empty().then_some(StoredMessages { client, slots })
}
