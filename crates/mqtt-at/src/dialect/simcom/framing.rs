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
    /// Whether the topic of the client's last message stood behind a blank line.
    spaced: [bool; facts::CLIENT_COUNT],
    /// The search in a message of one line that is being measured.
    search: Option<(u8, Search)>,
}

impl ReceiveFraming {
    pub(super) fn new(links: Arc<Links>) -> Self {
        Self { links, spaced: [false; facts::CLIENT_COUNT], search: None }
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

    /// Some firmware prints a blank line between the header of a part and its bytes, but bytes may as well begin
    /// with a line end of their own. What follows the counted bytes tells the two apart, except for bytes that end
    /// with a line end, too. Topics hardly ever do, so for payloads the place of the topic goes first.
    fn part(&mut self, head: &[u8], part: &Part) -> Extent {
        if part.count > facts::RECEIVED {
            let end = part.bytes.saturating_add(part.count);
            return Extent::Damaged { skip: end, need: end, kind: DamageKind::Count };
        }
        let Some(breaks) = head.get(part.bytes..part.bytes + 2) else {
            return Extent::NeedMore(part.bytes + 2);
        };
        let plain = part.bytes;
        let behind_blank = (breaks == b"\r\n").then_some(plain + 2);
        let spaced = self.spaced.get(usize::from(part.client)).copied().unwrap_or_default();
        let order =
            if spaced && !part.is_topic { [behind_blank, Some(plain)] } else { [Some(plain), behind_blank] };
        for start in order.into_iter().flatten() {
            let end = start + part.count;
            match is_closed(head, end) {
                None => return Extent::NeedMore(head.len().max(end) + 1),
                Some(false) => {}
                Some(true) => {
                    if let Some(spaced) =
                        self.spaced.get_mut(usize::from(part.client)).filter(|_| part.is_topic)
                    {
                        *spaced = start != plain;
                    }
                    return Extent::Exactly(end);
                }
            }
        }
        let end = plain + part.count;
        Extent::Damaged { skip: end, need: end + 2, kind: DamageKind::Trailer }
    }
}

/// Whether counted bytes can end here: a line end follows, or the next element of a group; `None` if more bytes are
/// needed to tell.
fn is_closed(head: &[u8], end: usize) -> Option<bool> {
    let trailer = head.get(end..).filter(|trailer| !trailer.is_empty())?;
    for closing in [b"\r\n", GROUP] {
        if trailer.starts_with(closing) {
            return Some(true);
        }
        if closing.starts_with(trailer) {
            return None;
        }
    }
    Some(false)
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
    /// A message in one line.
    Whole { client: u8, topic: &'a [u8], payload: &'a [u8] },
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
            let message = counted::read(line, topic, quoted, |topic| is_expected(links, client, topic))?;
            return Some(Received::Whole { client, topic: message.topic, payload: message.payload });
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
