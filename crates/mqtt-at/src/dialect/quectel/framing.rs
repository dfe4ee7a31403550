//! Where a received message ends: `+QMTRECV: client,packet,"topic",length,"payload"` [EC200x MQTT 1.0 §4.2].
//!
//! The length counts the raw bytes of the payload without its quotation marks. But the topic in front of it is
//! quoted, has no length and may itself hold quotes and commas, so the place of the length has to be found: each
//! `",digits,"` is a candidate. A candidate is proven when `"` CR LF follows its payload. Candidates are tried from
//! left to right, and the leftmost that is proven wins: a payload may well hold `",1,"x`, and everybody who can
//! publish can write one; a topic hardly ever does. Only candidates whose topic the client is subscribed to are
//! trusted in this way. If there is none of those, the others still say how many bytes are not to be looked at as
//! lines: a message for a client of a former host, or for a subscription that has just ended, is passed over whole.

use std::sync::Arc;

use at_codec::{DamageKind, Extent, Fields};

use super::commands::{StoredMessages, stored_messages};
use super::facts;
use crate::link::Links;

const NAME: &[u8] = b"+QMTRECV:";

/// The framing of received messages. Everything else is a line.
#[derive(Debug)]
pub(super) struct ReceiveFraming {
    links: Arc<Links>,
    search: Search,
}

impl ReceiveFraming {
    pub(super) fn new(links: Arc<Links>) -> Self {
        Self { links, search: Search::default() }
    }

    pub(super) fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        if *resume == 0 {
            match header(head) {
                Header::Partial => return Extent::NeedMore(head.len() + 1),
                Header::Other => return Extent::Line,
                Header::Message { client, topic, .. } => {
                    self.search = Search { client, topic, ..Search::default() };
                    *resume = topic;
                }
            }
        }
        let links = &self.links;
        let client = self.search.client;
        self.search.run(head, resume, |topic| is_expected(links, client, topic))
    }
}

/// Whether a message with this topic can have been meant for the client.
fn is_expected(links: &Links, client: u8, topic: &[u8]) -> bool {
    let link = links.current(client).filter(|link| link.is_alive());
    link.is_some_and(|link| std::str::from_utf8(topic).is_ok_and(|topic| link.expects(topic)))
}

/// The search for the end of one message. What it has looked at it does not look at again.
#[derive(Debug, Default)]
struct Search {
    client: u8,
    /// Where the topic starts.
    topic: usize,
    /// The first trusted candidate that turned out to be none.
    refuted: Option<Counted>,
    /// Candidates whose topic is not expected.
    others: Vec<Counted>,
    /// How many of those turned out to be none.
    refuted_others: usize,
    /// The first candidate with a count that no message has.
    excessive: Option<Counted>,
}

impl Search {
    fn run(&mut self, head: &[u8], resume: &mut usize, is_expected: impl Fn(&[u8]) -> bool) -> Extent {
        while let Some(&byte) = head.get(*resume) {
            if byte.is_ascii_control() {
                return self.conclude(head);
            }
            if byte == b'"' {
                match candidate(head, *resume) {
                    Candidate::Partial => return Extent::NeedMore(head.len() + 1),
                    Candidate::None => {}
                    Candidate::Counted(counted) if counted.count > facts::RECEIVED_PAYLOAD => {
                        self.excessive.get_or_insert(counted);
                    }
                    Candidate::Counted(counted) => {
                        if !head.get(self.topic..*resume).is_some_and(&is_expected) {
                            self.others.push(counted);
                        } else {
                            match counted.is_proven(head) {
                                Some(true) => return Extent::Exactly(counted.end()),
                                Some(false) => _ = self.refuted.get_or_insert(counted),
                                None => return Extent::NeedMore(counted.with_trailer()),
                            }
                        }
                    }
                }
            }
            *resume += 1;
        }
        Extent::NeedMore(head.len() + 1)
    }

    /// A control character: no topic goes on here, so all candidates are known.
    fn conclude(&mut self, head: &[u8]) -> Extent {
        if let Some(refuted) = self.refuted {
            return refuted.damaged(DamageKind::Trailer);
        }
        while let Some(other) = self.others.get(self.refuted_others) {
            match other.is_proven(head) {
                Some(true) => return Extent::Exactly(other.end()),
                Some(false) => self.refuted_others += 1,
                None => return Extent::NeedMore(other.with_trailer()),
            }
        }
        match (self.others.first(), self.excessive) {
            (Some(refuted), _) => refuted.damaged(DamageKind::Trailer),
            (None, Some(excessive)) => excessive.damaged(DamageKind::Count),
            (None, None) => Extent::Line,
        }
    }
}

/// A place where the length of a payload may stand.
enum Candidate {
    Counted(Counted),
    None,
    /// More bytes are needed to tell.
    Partial,
}

/// A counted payload.
#[derive(Debug, Clone, Copy)]
struct Counted {
    /// Where it starts.
    payload: usize,
    count: usize,
    layout: Layout,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// In quotes, behind the length.
    Quoted,
    /// Without quotes, on the line behind the length: seen on EC200U.
    NextLine,
}

impl Counted {
    /// What has to follow the payload.
    const fn trailer(self) -> &'static [u8] {
        match self.layout {
            Layout::Quoted => b"\"\r\n",
            Layout::NextLine => b"\r\n",
        }
    }

    const fn with_trailer(self) -> usize {
        self.payload + self.count + self.trailer().len()
    }

    /// Where the element ends, its line end not included.
    const fn end(self) -> usize {
        self.with_trailer() - 2
    }

    /// Whether the trailer follows the payload, once that can be said.
    fn is_proven(self, head: &[u8]) -> Option<bool> {
        let trailer = head.get(self.payload + self.count..self.with_trailer())?;
        Some(trailer == self.trailer())
    }

    const fn damaged(self, kind: DamageKind) -> Extent {
        Extent::Damaged { skip: self.payload + self.count, need: self.with_trailer(), kind }
    }
}

/// More digits than any length has.
const MAX_DIGITS: usize = 7;

/// Reads `",digits,"` or `",digits` CR LF from a quote on.
fn candidate(head: &[u8], quote: usize) -> Candidate {
    let mut count = 0;
    for offset in 1..=MAX_DIGITS + 2 {
        let at = quote + offset;
        let Some(&byte) = head.get(at) else { return Candidate::Partial };
        let (second, layout) = match (offset, byte) {
            (1, b',') => continue,
            (2.., b'0'..=b'9') if offset <= MAX_DIGITS + 1 => {
                count = count * 10 + usize::from(byte - b'0');
                continue;
            }
            (3.., b',') => (b'"', Layout::Quoted),
            (3.., b'\r') => (b'\n', Layout::NextLine),
            _ => return Candidate::None,
        };
        return match head.get(at + 1) {
            None => Candidate::Partial,
            Some(&byte) if byte == second => Candidate::Counted(Counted { payload: at + 2, count, layout }),
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
        let is_end = |counted: &Counted| {
            let closed = counted.layout == Layout::NextLine || line.last() == Some(&b'"');
            closed && counted.end() == line.len()
        };
        let counted = |quote| match candidate(line, quote) {
            Candidate::Counted(counted) => Some(counted).filter(is_end),
            _ => None,
        };
        let mut first = None;
        let bytes = line.iter().enumerate().skip(topic).take_while(|(_, byte)| !byte.is_ascii_control());
        for (quote, _) in bytes.filter(|(_, byte)| **byte == b'"') {
            let Some(counted) = counted(quote) else { continue };
            let name = line.get(topic..quote)?;
            let payload = line.get(counted.payload..counted.payload + counted.count)?;
            let expected = is_expected(links, client, name);
            let message = Received::Message { client, packet, topic: name, payload, expected };
            if expected {
                return Some(message);
            }
            first.get_or_insert(message);
        }
        return Some(first.unwrap_or(Received::Uncounted { client }));
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
