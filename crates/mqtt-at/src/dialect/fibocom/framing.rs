//! Where a fetched message ends: `+MQTTREAD: client,qos,length,length` and behind it `"topic","payload"`
//! [Fibocom MQTT 1.2.6 §1.11].
//!
//! Both lengths are known before the first byte of either, so that nothing has to be looked for. The manual puts topic
//! and payload on a line of their own, and its table may also be read as putting them behind a space; MC665 modules print
//! them behind a comma on the same line. It shows quotes
//! around them, which the lengths do not count; whether every module prints them is not known, so both is read. The
//! form with quotes goes first. In the other one it can be mistaken only if the module itself, and not the publisher,
//! writes a quote where its `OK` has to follow.

use at_codec::{DamageKind, Extent, Fields};

use super::facts;

const NAME: &[u8] = b"+MQTTREAD:";

/// How long the element is that starts with `head`. Everything but a message is a line.
pub(super) fn measure(head: &[u8]) -> Extent {
    let body = match header(head) {
        Header::Partial => return Extent::NeedMore(head.len() + 1),
        Header::Other => return Extent::Line,
        Header::Message(message) => message.body,
    };
    if body.topic > facts::RECEIVED || body.payload > facts::RECEIVED {
        return body.damaged(true, DamageKind::Count);
    }
    for quoted in [true, false] {
        match body.proof(head, quoted) {
            Proof::End(end) => return Extent::Exactly(end),
            Proof::Needs(bytes) => return Extent::NeedMore(bytes),
            Proof::Refuted => {}
        }
    }
    body.damaged(head.get(body.start) == Some(&b'"'), DamageKind::Trailer)
}

/// Topic and payload of stated lengths.
#[derive(Debug, Clone, Copy)]
struct Body {
    /// Where it starts.
    start: usize,
    /// The length of the topic.
    topic: usize,
    /// The length of the payload.
    payload: usize,
}

/// What the bytes around topic and payload say of a form.
enum Proof {
    /// It is this one, and the element ends here, its line end not included.
    End(usize),
    Refuted,
    /// It can be said when there are this many bytes.
    Needs(usize),
}

impl Body {
    /// Where the topic starts.
    const fn topic_start(self, quoted: bool) -> usize {
        self.start + if quoted { 1 } else { 0 }
    }

    /// Where the payload starts.
    const fn payload_start(self, quoted: bool) -> usize {
        self.start + self.topic + if quoted { 4 } else { 1 }
    }

    /// Where the element ends, its line end not included.
    const fn end(self, quoted: bool) -> usize {
        self.payload_start(quoted) + self.payload + if quoted { 1 } else { 0 }
    }

    /// The bytes that have to stand around topic and payload, from left to right.
    fn frame(self, quoted: bool) -> impl Iterator<Item = (usize, u8)> {
        let comma = self.payload_start(quoted) - if quoted { 2 } else { 1 };
        let quotes = [self.start, comma - 1, comma + 1, self.end(quoted) - 1];
        let [open, close, next, last] = quotes.map(|at| Some((at, b'"')).filter(|_| quoted));
        [open, close, Some((comma, b',')), next, last].into_iter().flatten()
    }

    fn proof(self, head: &[u8], quoted: bool) -> Proof {
        let end = self.end(quoted);
        for (at, byte) in self.frame(quoted).chain([(end, b'\r'), (end + 1, b'\n')]) {
            match head.get(at) {
                None => return Proof::Needs(at + 1),
                Some(found) if *found == byte => {}
                Some(_) => return Proof::Refuted,
            }
        }
        Proof::End(end)
    }

    /// Topic and payload, if the element has this form.
    fn parts(self, line: &[u8], quoted: bool) -> Option<(&[u8], &[u8])> {
        let is_framed = self.frame(quoted).all(|(at, byte)| line.get(at) == Some(&byte));
        if !is_framed || line.len() != self.end(quoted) {
            return None;
        }
        let (topic, payload) = (self.topic_start(quoted), self.payload_start(quoted));
        Some((line.get(topic..topic + self.topic)?, line.get(payload..payload + self.payload)?))
    }

    const fn damaged(self, quoted: bool, kind: DamageKind) -> Extent {
        let end = self.end(quoted);
        Extent::Damaged { skip: self.payload_start(quoted) + self.payload, need: end + 2, kind }
    }
}

/// The start of an element, up to the topic.
enum Header {
    Message(Message),
    Other,
    /// More bytes are needed to tell.
    Partial,
}

struct Message {
    client: u8,
    qos: u8,
    body: Body,
}

/// Reads `+MQTTREAD: client,qos,length,length` and the comma or line end behind it.
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

/// More digits than any length has.
const MAX_DIGITS: usize = 7;

/// The most bytes between a header and what follows that say nothing.
const MAX_BLANKS: usize = 4;

struct Cursor<'a> {
    head: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn message(&mut self) -> Result<Header, Header> {
        let client = u8::try_from(self.number()?).map_err(|_| Header::Other)?;
        self.byte(b',')?;
        let qos = u8::try_from(self.number()?).map_err(|_| Header::Other)?;
        self.byte(b',')?;
        let topic = self.number()?;
        self.byte(b',')?;
        let payload = self.number()?;
        // No message waits, and nothing follows.
        if (topic, payload) == (0, 0) {
            return Ok(Header::Other);
        }
        self.spaces()?;
        match self.peek()? {
            b',' => self.at += 1,
            b'"' => {}
            _ => {
                self.byte(b'\r')?;
                self.byte(b'\n')?;
            }
        }
        self.blanks()?;
        Ok(Header::Message(Message { client, qos, body: Body { start: self.at, topic, payload } }))
    }

    /// Digits, and a few spaces in front of them.
    fn number(&mut self) -> Result<usize, Header> {
        self.spaces()?;
        let start = self.at;
        let mut number = 0;
        while let digit @ b'0'..=b'9' = self.peek()? {
            if self.at - start == MAX_DIGITS {
                return Err(Header::Other);
            }
            number = number * 10 + usize::from(digit - b'0');
            self.at += 1;
        }
        if self.at == start { Err(Header::Other) } else { Ok(number) }
    }

    fn spaces(&mut self) -> Result<(), Header> {
        for _ in 0..MAX_BLANKS {
            if self.peek()? != b' ' {
                break;
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Passes over blanks and line ends in front of an opening quote. Without a quote they may belong to the topic.
    fn blanks(&mut self) -> Result<(), Header> {
        for at in self.at..=self.at + MAX_BLANKS {
            match self.head.get(at) {
                None => return Err(Header::Partial),
                Some(b' ' | b'\r' | b'\n') => {}
                Some(b'"') => {
                    self.at = at;
                    break;
                }
                Some(_) => break,
            }
        }
        Ok(())
    }

    fn byte(&mut self, wanted: u8) -> Result<(), Header> {
        if self.peek()? != wanted {
            return Err(Header::Other);
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Result<u8, Header> {
        self.head.get(self.at).copied().ok_or(Header::Partial)
    }
}

/// A `+MQTTREAD` element, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received<'a> {
    Message {
        client: u8,
        qos: u8,
        topic: &'a [u8],
        payload: &'a [u8],
    },
    /// No message waits.
    Empty {
        client: u8,
    },
}

/// Reads an element whose name is `+MQTTREAD`, the message as the framing has proven it.
pub(super) fn read(line: &[u8]) -> Option<Received<'_>> {
    if let Header::Message(Message { client, qos, body }) = header(line) {
        let (topic, payload) = body.parts(line, true).or_else(|| body.parts(line, false))?;
        return Some(Received::Message { client, qos, topic, payload });
    }
    let mut fields = Fields::of(line, "+MQTTREAD")?;
    let client = fields.integer()?.try_into().ok()?;
    fields.integer()?;
    (fields.integer()? == 0 && fields.integer()? == 0).then_some(Received::Empty { client })
}

/// The client of a message of which only the start is known.
pub(super) fn client_of(head: &[u8]) -> Option<u8> {
    Fields::of(head, "+MQTTREAD")?.integer()?.try_into().ok()
}

#[cfg(test)]
mod tests;
