//! Where a received message ends: `+MQTTSUB:id,"topic",length,payload` [Neoway MQTT 1.2 §3, §5.4], from Alibaba's
//! cloud `+CLOUDPUBLISH:id,topic,length,payload` [Neoway MQTT 1.2 §4], and from AWS `+AWSSUBRECV: id,"topic",…`, of which
//! only a later manual knows [N58 AT 2.0 §17.9].
//!
//! The length counts the raw bytes of the payload, which has no quotes, and CR LF follows. Some modules print a space
//! behind the colon, and some may leave the plus sign out; with several clients at once (`AT+MQTTMUX`) the number of the client goes first. The topic from
//! Alibaba's cloud has no quotes on most modules, and the spaces behind its commas vary.

use std::sync::Arc;

use at_codec::Extent;

use super::facts;
use crate::dialect::counted::{self, Candidate, Counted, Layout, Number, Search};
use crate::dialect::one_client;
use crate::link::Links;

/// The framing of received messages. Everything else is a line.
#[derive(Debug)]
pub(super) struct ReceiveFraming {
    links: Arc<Links>,
    /// The search in the element that is being measured.
    search: Option<(Source, Search)>,
}

/// Where a message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The broker of the standard commands.
    Broker,
    /// Alibaba's cloud.
    Alibaba,
    /// AWS.
    Aws,
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
                Header::Message { source, topic, .. } => {
                    let search = Search::new(topic, facts::RECEIVED_PAYLOAD, source.layout());
                    self.search = Some((source, search));
                    *resume = topic;
                }
            }
        }
        let Some((source, search)) = &mut self.search else { return Extent::Line };
        search.run(head, resume, |topic| is_expected(&self.links, *source, topic))
    }
}

/// Whether a message with this topic can have been meant for us. What a cloud sends is asked for by typed commands
/// only, of which no list is kept.
fn is_expected(links: &Links, source: Source, topic: &[u8]) -> bool {
    source != Source::Broker || one_client::is_expected(links, topic)
}

impl Source {
    const ALL: [Self; 3] = [Self::Broker, Self::Alibaba, Self::Aws];

    /// How its messages begin. The driver of N27 modules does not rely on the plus sign.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Broker => &[facts::MESSAGE, facts::BARE_MESSAGE],
            Self::Alibaba => &[facts::CLOUD_MESSAGE],
            Self::Aws => &[facts::AWS_MESSAGE],
        }
    }

    fn layout(self) -> Layout {
        match self {
            Self::Broker | Self::Aws => one_client::quoted,
            Self::Alibaba => bare,
        }
    }
}

/// `,length,` behind a topic without quotes.
fn bare(head: &[u8], at: usize) -> Candidate {
    if head.get(at) != Some(&b',') {
        return Candidate::None;
    }
    match counted::number(head, at + 1) {
        Number::Before { number, comma } => {
            Candidate::Counted(Counted { payload: comma + 1, count: number, closing: b"", spaced: true })
        }
        Number::None => Candidate::None,
        Number::Partial => Candidate::Partial,
    }
}

/// The start of a line, up to the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    Message {
        source: Source,
        id: u32,
        /// Where the topic starts.
        topic: usize,
    },
    Other,
    /// More bytes are needed to tell.
    Partial,
}

fn header(head: &[u8]) -> Header {
    let begins = |(_, name): &(Source, &str)| {
        let name = name.as_bytes();
        name.starts_with(head)
            || head.strip_prefix(name).is_some_and(|rest| rest.starts_with(b":") || rest.is_empty())
    };
    let mut names =
        Source::ALL.into_iter().flat_map(|source| source.names().iter().map(move |it| (source, *it)));
    let Some((source, name)) = names.find(begins) else { return Header::Other };
    let at = name.len() + 1;
    if head.len() < at {
        return Header::Partial;
    }
    match (Cursor { head, at }).message(source) {
        Ok(header) | Err(header) => header,
    }
}

/// Reads a header. Only a few spaces are passed over, so that looking again is cheap.
struct Cursor<'a> {
    head: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn message(&mut self, source: Source) -> Result<Header, Header> {
        let mut id = self.number()?;
        self.spaces()?;
        if source == Source::Alibaba {
            return Ok(Header::Message { source, id, topic: self.at });
        }
        if self.peek()?.is_ascii_digit() {
            // The number of the client went first.
            id = self.number()?;
            self.spaces()?;
        }
        match self.next()? {
            b'"' => Ok(Header::Message { source, id, topic: self.at }),
            _ => Err(Header::Other),
        }
    }

    /// Digits and the comma behind them.
    fn number(&mut self) -> Result<u32, Header> {
        const MAX_DIGITS: usize = 9;
        self.spaces()?;
        let mut number = None;
        for _ in 0..=MAX_DIGITS {
            match (self.next()?, number) {
                (digit @ b'0'..=b'9', _) => {
                    number =
                        Some(number.unwrap_or(0_u32).wrapping_mul(10).wrapping_add(u32::from(digit - b'0')));
                }
                (b',', Some(number)) => return Ok(number),
                _ => return Err(Header::Other),
            }
        }
        Err(Header::Other)
    }

    fn spaces(&mut self) -> Result<(), Header> {
        for _ in 0..8 {
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

/// A message, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Received<'a> {
    pub(super) source: Source,
    /// The packet identifier, which the module prints as 0 for QoS 0.
    pub(super) id: Option<u16>,
    /// `None` if no length in the line leads to its end, so that nothing in it can be believed.
    pub(super) message: Option<counted::Message<'a>>,
}

/// Reads a line that starts like a message.
pub(super) fn read<'a>(line: &'a [u8], links: &Links) -> Option<Received<'a>> {
    let Header::Message { source, id, topic } = header(line) else { return None };
    let id = u16::try_from(id).ok().filter(|id| *id != 0);
    let mut message = counted::read(line, topic, source.layout(), |topic| is_expected(links, source, topic));
    if let Some(message) = message.as_mut().filter(|_| source == Source::Alibaba) {
        let inner = message.topic.strip_prefix(b"\"").and_then(|topic| topic.strip_suffix(b"\""));
        message.topic = inner.unwrap_or(message.topic);
    }
    Some(Received { source, id, message })
}

/// Whether bytes of which only the start is known were those of a message.
pub(super) fn is_message(head: &[u8]) -> bool {
    matches!(header(head), Header::Message { source: Source::Broker, .. })
}

#[cfg(test)]
mod tests;
