//! Where the counted parts of received messages end [A7600 MQTT 1.00 §2.2.2.2].
//!
//! A message is a group of elements: `+CMQTTRXSTART: client,topic length,payload length`, then the parts
//! `+CMQTTRXTOPIC: client,length` and `+CMQTTRXPAYLOAD: client,length`, each with its raw bytes on the next line, then
//! `+CMQTTRXEND: client`. Parts are counted, so no byte of them can be taken for anything else. A module that was set
//! to `argtopic` reports a message as the one line `+CMQTTRECV: client,"topic",length,"payload"` instead.

use std::sync::Arc;

use at_codec::{DamageKind, Extent, Fields};

use super::facts;
use crate::dialect::counted::{self, Candidate, Counted, Number, Search};
use crate::link::Links;

const START: &str = "+CMQTTRXSTART";
const TOPIC: &str = "+CMQTTRXTOPIC";
const PAYLOAD: &str = "+CMQTTRXPAYLOAD";
const END: &str = "+CMQTTRXEND";
const ONE_LINE: &str = "+CMQTTRECV";

/// What the name of every element of a group begins with.
const GROUP: &[u8] = b"+CMQTTRX";

/// The framing of received messages. Everything else is a line.
#[derive(Debug)]
pub(super) struct ReceiveFraming {
    links: Arc<Links>,
    /// As the last topic has shown it.
    layout: Layout,
    /// The search in a message of one line that is being measured.
    search: Option<(u8, Search)>,
}

impl ReceiveFraming {
    pub(super) fn new(links: Arc<Links>) -> Self {
        Self { links, layout: Layout::default(), search: None }
    }

    pub(super) fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        if *resume == 0 {
            match header(head) {
                Header::Partial => return Extent::NeedMore(head.len() + 1),
                Header::Other => return Extent::Line,
                Header::Malformed { at } => {
                    return Extent::Damaged { skip: at, need: at, kind: DamageKind::Count };
                }
                Header::Part(part) => return self.part(head, &part),
                Header::OneLine { client, topic } => {
                    self.search = Some((client, Search::new(topic, facts::RECEIVED, quoted)));
                    *resume = topic;
                }
            }
        }
        let Some((client, search)) = &mut self.search else { return Extent::Line };
        search.run(head, resume, |topic| is_expected(&self.links, *client, topic))
    }

    /// The layout is a matter of the firmware. Each topic tells it, or confirms it, by what follows the counted bytes;
    /// payloads, which may hold anything, have to keep to it.
    fn part(&mut self, head: &[u8], part: &Part) -> Extent {
        if part.count > facts::RECEIVED {
            let end = part.bytes.saturating_add(part.count);
            return Extent::Damaged { skip: end, need: end, kind: DamageKind::Count };
        }
        let others = Layout::ALL.into_iter().filter(|layout| part.is_topic && *layout != self.layout);
        for layout in [self.layout].into_iter().chain(others) {
            match layout.fits(head, part) {
                Fit::Needs(bytes) => return Extent::NeedMore(bytes),
                Fit::No => {}
                Fit::Until(end) => {
                    self.layout = layout;
                    return Extent::Exactly(end);
                }
            }
        }
        let end = part.bytes + part.count;
        Extent::Damaged { skip: end, need: end + 2, kind: DamageKind::Trailer }
    }
}

/// How firmware lays out the parts of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Layout {
    /// A line end follows the bytes, as in the manual's examples.
    #[default]
    Lines,
    /// The next header follows the bytes, as the manual's formal text can be read.
    Joined,
    /// A blank line precedes the bytes, and a line end follows: seen on SIM7600.
    Spaced,
}

/// Whether a part has a layout.
enum Fit {
    /// It has, and ends here.
    Until(usize),
    No,
    /// It can be said when there are this many bytes.
    Needs(usize),
}

impl Layout {
    const ALL: [Self; 3] = [Self::Lines, Self::Joined, Self::Spaced];

    fn fits(self, head: &[u8], part: &Part) -> Fit {
        let start = match self {
            Self::Lines | Self::Joined => part.bytes,
            Self::Spaced => match starts_with(head, part.bytes, b"\r\n") {
                None => return Fit::Needs(head.len() + 1),
                Some(false) => return Fit::No,
                Some(true) => part.bytes + 2,
            },
        };
        let end = start + part.count;
        let closing = if self == Self::Joined { GROUP } else { b"\r\n" };
        match starts_with(head, end, closing) {
            None => Fit::Needs(head.len().max(end) + 1),
            // Two bytes that were lost let the line end behind the bytes pass for one of theirs. No topic ends so.
            Some(true)
                if self == Self::Joined && part.is_topic && head.get(end - 2..end) == Some(b"\r\n") =>
            {
                Fit::No
            }
            Some(true) => Fit::Until(end),
            Some(false) => Fit::No,
        }
    }
}

/// Whether these bytes stand at this place; `None` if more bytes are needed to tell.
fn starts_with(head: &[u8], at: usize, bytes: &[u8]) -> Option<bool> {
    let rest = head.get(at..).unwrap_or_default();
    if rest.len() < bytes.len() && bytes.starts_with(rest) { None } else { Some(rest.starts_with(bytes)) }
}

/// Whether a message with this topic can have been meant for the client.
fn is_expected(links: &Links, client: u8, topic: &[u8]) -> bool {
    let link = links.current(client).filter(|link| link.is_alive());
    link.is_some_and(|link| std::str::from_utf8(topic).is_ok_and(|topic| link.expects(topic)))
}

/// The start of an element.
enum Header {
    Part(Part),
    OneLine {
        client: u8,
        topic: usize,
    },
    Other,
    /// A part whose numbers cannot be read from this place on.
    Malformed {
        at: usize,
    },
    /// More bytes are needed to tell.
    Partial,
}

/// A counted part.
struct Part {
    is_topic: bool,
    client: u8,
    count: usize,
    /// Where its bytes start, unless a blank line comes first.
    bytes: usize,
}

/// Reads the start of an element. Only a few spaces and digits are passed over, so that looking again is cheap.
fn header(head: &[u8]) -> Header {
    for name in [TOPIC, PAYLOAD, ONE_LINE] {
        let name = name.as_bytes();
        if head.len() <= name.len() && name.starts_with(head) {
            return Header::Partial;
        }
        if head.strip_prefix(name).is_none_or(|rest| rest.first() != Some(&b':')) {
            continue;
        }
        let mut cursor = Cursor { head, at: name.len() + 1 };
        let outcome = match name == ONE_LINE.as_bytes() {
            true => cursor.one_line(),
            false => cursor.part(name == TOPIC.as_bytes()),
        };
        return outcome.unwrap_or_else(|fault| match fault {
            Fault::Partial => Header::Partial,
            Fault::Malformed if name == ONE_LINE.as_bytes() => Header::Other,
            Fault::Malformed => Header::Malformed { at: cursor.at },
        });
    }
    Header::Other
}

struct Cursor<'a> {
    head: &'a [u8],
    at: usize,
}

enum Fault {
    Partial,
    Malformed,
}

impl Cursor<'_> {
    /// `client,count` and the end of the line.
    fn part(&mut self, is_topic: bool) -> Result<Header, Fault> {
        let client = self.client()?;
        let count = self.number()?;
        self.spaces()?;
        // Codecs of this kind take several CRs for one.
        for _ in 0..3 {
            match self.peek()? {
                b'\r' => self.at += 1,
                _ => break,
            }
        }
        if self.peek()? != b'\n' {
            return Err(Fault::Malformed);
        }
        self.at += 1;
        Ok(Header::Part(Part { is_topic, client, count, bytes: self.at }))
    }

    /// `client,"`
    fn one_line(&mut self) -> Result<Header, Fault> {
        let client = self.client()?;
        self.spaces()?;
        if self.peek()? != b'"' {
            return Err(Fault::Malformed);
        }
        Ok(Header::OneLine { client, topic: self.at + 1 })
    }

    /// The number of a client and the comma behind it.
    fn client(&mut self) -> Result<u8, Fault> {
        let client = u8::try_from(self.number()?).map_err(|_| Fault::Malformed)?;
        if self.peek()? != b',' {
            return Err(Fault::Malformed);
        }
        self.at += 1;
        Ok(client)
    }

    fn number(&mut self) -> Result<usize, Fault> {
        self.spaces()?;
        let mut number = None;
        for _ in 0..=MAX_DIGITS {
            match self.peek()? {
                digit @ b'0'..=b'9' => number = Some(number.unwrap_or(0) * 10 + usize::from(digit - b'0')),
                _ => return number.ok_or(Fault::Malformed),
            }
            self.at += 1;
        }
        Err(Fault::Malformed)
    }

    fn spaces(&mut self) -> Result<(), Fault> {
        for _ in 0..4 {
            if self.peek()? != b' ' {
                return Ok(());
            }
            self.at += 1;
        }
        Err(Fault::Malformed)
    }

    fn peek(&self) -> Result<u8, Fault> {
        self.head.get(self.at).copied().ok_or(Fault::Partial)
    }
}

/// More digits than any length has.
const MAX_DIGITS: usize = 7;

/// `",length,"` in a message of one line.
fn quoted(head: &[u8], at: usize) -> Candidate {
    for (offset, expected) in [b'"', b','].into_iter().enumerate() {
        match head.get(at + offset) {
            None => return Candidate::Partial,
            Some(&byte) if byte == expected => {}
            Some(_) => return Candidate::None,
        }
    }
    match counted::number(head, at + 2) {
        Number::Partial => Candidate::Partial,
        Number::None => Candidate::None,
        Number::Before { number, comma } => match head.get(comma + 1) {
            None => Candidate::Partial,
            Some(b'"') => {
                let payload = comma + 2;
                Candidate::Counted(Counted { payload, count: number, closing: b"\"", spaced: false })
            }
            Some(_) => Candidate::None,
        },
    }
}

/// An element of a received message, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received<'a> {
    /// A message begins.
    Start { client: u8, topic: usize, payload: usize },
    /// A part of its topic.
    Topic { client: u8, bytes: &'a [u8] },
    /// A part of its payload.
    Payload { client: u8, bytes: &'a [u8] },
    /// It is complete.
    End { client: u8 },
    /// A message in one line, and whether its topic was subscribed to: otherwise its end is uncertain.
    Whole { client: u8, topic: &'a [u8], payload: &'a [u8], expected: bool },
}

/// Whether a line has the name of an element of a received message.
pub(super) fn is_received(name: &[u8]) -> bool {
    [START, TOPIC, PAYLOAD, END, ONE_LINE].iter().any(|known| known.as_bytes() == name)
}

/// Reads an element of a received message, the counted ones as the framing has measured them.
pub(super) fn read<'a>(line: &'a [u8], links: &Links) -> Option<Received<'a>> {
    match header(line) {
        Header::Part(Part { is_topic, client, count, bytes }) => {
            let start = line.len().checked_sub(count).filter(|start| *start >= bytes)?;
            let bytes = line.get(start..)?;
            return Some(match is_topic {
                true => Received::Topic { client, bytes },
                false => Received::Payload { client, bytes },
            });
        }
        Header::OneLine { client, topic } => {
            let counted::Message { topic, payload, expected } =
                counted::read(line, topic, quoted, |topic| is_expected(links, client, topic))?;
            return Some(Received::Whole { client, topic, payload, expected });
        }
        _ => {}
    }
    if let Some(mut fields) = Fields::of(line, START) {
        let client = fields.integer()?.try_into().ok()?;
        let (topic, payload) = (fields.integer()?.try_into().ok()?, fields.integer()?.try_into().ok()?);
        return fields.is_empty().then_some(Received::Start { client, topic, payload });
    }
    let mut fields = Fields::of(line, END)?;
    let client = fields.integer()?.try_into().ok()?;
    fields.is_empty().then_some(Received::End { client })
}

/// The client of an element of which only the start is known.
pub(super) fn client_of(head: &[u8]) -> Option<u8> {
    let names = [START, TOPIC, PAYLOAD, END, ONE_LINE];
    names.iter().find_map(|name| Fields::of(head, name))?.integer()?.try_into().ok()
}

#[cfg(test)]
mod tests;
