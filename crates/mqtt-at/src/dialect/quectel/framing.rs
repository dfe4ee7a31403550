//! Where a received message ends: `+QMTRECV: client,packet,"topic",length,"payload"` [EC200x MQTT 1.0 §4.2].
//!
//! The length counts the raw bytes of the payload without its quotation marks. But the topic in front of it is
//! quoted, has no length and may itself hold quotes and commas, so each `",digits,"` may be the end of the topic;
//! see [`counted`] for which of them is believed.

use std::sync::Arc;

use at_codec::{Extent, Fields};

use super::commands::{StoredMessages, stored_messages};
use super::facts;
use crate::dialect::counted::{self, Candidate, Counted, Message, Search};
use crate::link::Links;

const NAME: &[u8] = b"+QMTRECV:";

/// The framing of received messages. Everything else is a line.
#[derive(Debug)]
pub(super) struct ReceiveFraming {
    links: Arc<Links>,
    /// The client and the search in the message that is being measured.
    search: Option<(u8, Search)>,
}

impl ReceiveFraming {
    pub(super) fn new(links: Arc<Links>) -> Self {
        Self { links, search: None }
    }

    pub(super) fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        if *resume == 0 {
            match header(head) {
                Header::Partial => return Extent::NeedMore(head.len() + 1),
                Header::Other => return Extent::Line,
                Header::Message { client, topic, .. } => {
                    self.search = Some((client, Search::new(topic, facts::RECEIVED_PAYLOAD, layout)));
                    *resume = topic;
                }
            }
        }
        let Some((client, search)) = &mut self.search else { return Extent::Line };
        search.run(head, resume, |topic| is_expected(&self.links, *client, topic))
    }
}

/// Whether a message with this topic can have been meant for the client.
fn is_expected(links: &Links, client: u8, topic: &[u8]) -> bool {
    let link = links.current(client).filter(|link| link.is_alive());
    link.is_some_and(|link| std::str::from_utf8(topic).is_ok_and(|topic| link.expects(topic)))
}

/// More digits than any length has.
const MAX_DIGITS: usize = 7;

/// Reads `",digits,"`, and what was seen on EC200U: `",digits` with the bare payload on the next line.
///
/// A line that ends behind `",digits,` was cut in two by another one. No topic of a message holds a line end, so that
/// this is the length whatever the topic is, and what follows must not be looked at as lines.
fn layout(head: &[u8], quote: usize) -> Candidate {
    if head.get(quote) != Some(&b'"') {
        return Candidate::None;
    }
    let mut count = 0;
    for offset in 1..=MAX_DIGITS + 2 {
        let at = quote + offset;
        let Some(&byte) = head.get(at) else { return Candidate::Partial };
        let (second, closing): (_, &[u8]) = match (offset, byte) {
            (1, b',') => continue,
            (2.., b'0'..=b'9') if offset <= MAX_DIGITS + 1 => {
                count = count * 10 + usize::from(byte - b'0');
                continue;
            }
            (3.., b',') => (b'"', b"\""),
            (3.., b'\r') => (b'\n', b""),
            _ => return Candidate::None,
        };
        return match head.get(at + 1) {
            None => Candidate::Partial,
            Some(&byte) if byte == second => {
                Candidate::Counted(Counted { payload: at + 2, count, closing, spaced: false })
            }
            Some(b'\r') if byte == b',' => {
                Candidate::Interrupted(Counted { payload: at + 1, count, closing, spaced: false })
            }
            Some(_) => Candidate::None,
        };
    }
    Candidate::None
}

/// The start of a line, up to the topic.
enum Header {
    Message {
        client: u8,
        packet: u16,
        topic: usize,
    },
    Other,
    /// More bytes are needed to tell.
    Partial,
}

/// Reads `+QMTRECV: client,packet,"`. Only a few spaces are passed over, so that looking again is cheap.
fn header(head: &[u8]) -> Header {
    if head.len() < NAME.len() && NAME.starts_with(head) {
        return Header::Partial;
    }
    if !head.starts_with(NAME) {
        return Header::Other;
    }
    let mut cursor = Cursor { head, at: NAME.len() };
    match cursor.message() {
        Ok(header) | Err(header) => header,
    }
}

struct Cursor<'a> {
    head: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn message(&mut self) -> Result<Header, Header> {
        let client = self.number()?.try_into().map_err(|_| Header::Other)?;
        let packet = self.number()?.try_into().map_err(|_| Header::Other)?;
        self.spaces()?;
        match self.next()? {
            b'"' => Ok(Header::Message { client, packet, topic: self.at }),
            _ => Err(Header::Other),
        }
    }

    /// Digits and the comma behind them.
    fn number(&mut self) -> Result<u32, Header> {
        self.spaces()?;
        let mut number = None;
        for _ in 0..6 {
            match (self.next()?, number) {
                (digit @ b'0'..=b'9', _) => number = Some(number.unwrap_or(0) * 10 + u32::from(digit - b'0')),
                (b',', Some(number)) => return Ok(number),
                _ => return Err(Header::Other),
            }
        }
        Err(Header::Other)
    }

    fn spaces(&mut self) -> Result<(), Header> {
        for _ in 0..4 {
            if self.peek()? != b' ' {
                return Ok(());
            }
            self.at += 1;
        }
        Err(Header::Other)
    }

    fn peek(&self) -> Result<u8, Header> {
        self.head.get(self.at).copied().ok_or(Header::Partial)
    }

    fn next(&mut self) -> Result<u8, Header> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }
}

/// A `+QMTRECV` element, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received<'a> {
    /// A message with a length.
    Message { client: u8, packet: u16, topic: &'a [u8], payload: &'a [u8], expected: bool },
    /// A message waits in a slot.
    Stored { client: u8, slot: u8 },
    /// Which slots of a client hold messages.
    Status(StoredMessages),
    /// A message without a length, of which nothing can be believed.
    Uncounted { client: u8 },
}

/// Reads an element whose name is `+QMTRECV`, the message as the framing has proven it.
pub(super) fn read<'a>(line: &'a [u8], links: &Links) -> Option<Received<'a>> {
    if let Header::Message { client, packet, topic } = header(line) {
        let message = counted::read(line, topic, layout, |topic| is_expected(links, client, topic));
        return Some(match message {
            Some(Message { topic, payload, expected }) => {
                Received::Message { client, packet, topic, payload, expected }
            }
            None => Received::Uncounted { client },
        });
    }
    if let Some(status) = stored_messages(line) {
        return Some(Received::Status(status));
    }
    let mut fields = Fields::of(line, "+QMTRECV")?;
    let client = fields.integer()?.try_into().ok()?;
    match (fields.integer().map(u8::try_from), fields.is_empty()) {
        (Some(Ok(slot)), true) if facts::SLOTS.contains(&slot) => Some(Received::Stored { client, slot }),
        _ => Some(Received::Uncounted { client }),
    }
}

/// The client of a message of which only the start is known.
pub(super) fn client_of(head: &[u8]) -> Option<u8> {
    let mut fields = Fields::of(head, "+QMTRECV")?;
    fields.integer()?.try_into().ok()
}

#[cfg(test)]
mod tests;
