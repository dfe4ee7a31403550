//! The digester and the ingress of atat, as published, with the names its derive macro would look for.

use atat::digest::{ParseError, parser::urc_helper};
use atat::{
    AtDigester, AtatIngress, AtatUrc, DigestResult, Digester, Ingress, Parser, ResponseSlot, UrcChannel,
};

use super::Seen;
use super::peers::message_end;
use super::stream::{Stream, payload_of};

/// What the derive macro makes of `#[at_urc("+QMTRECV")]`: a message ends at the first line end.
struct Derived;

impl Parser for Derived {
    fn parse(buf: &[u8]) -> Result<(&[u8], usize), ParseError> {
        let (_, found) = urc_helper::<_, atat::nom::error::Error<&[u8]>>("+QMTRECV")(buf)?;
        Ok(found)
    }
}

/// A rule written by hand that goes by the length.
struct WithLength;

impl Parser for WithLength {
    fn parse(buf: &[u8]) -> Result<(&[u8], usize), ParseError> {
        let Some(line) = buf.strip_prefix(b"\r\n") else { return Err(ParseError::NoMatch) };
        if !line.starts_with(NAME) {
            return Err(if NAME.starts_with(line) { ParseError::Incomplete } else { ParseError::NoMatch });
        }
        let end = message_end(line).ok_or(ParseError::Incomplete)?;
        let urc = line.get(..end).filter(|_| line.len() >= end + 2).ok_or(ParseError::Incomplete)?;
        Ok((urc, end + 4))
    }
}

const NAME: &[u8] = b"+QMTRECV: ";

/// Room for the longest piece and a message.
const BUFFER: usize = 128 * 1024;

fn digested<P: Parser>(stream: &Stream, piece: usize) -> Seen {
    let mut digester = AtDigester::<P>::new();
    let (mut buffer, mut seen) = (Vec::with_capacity(BUFFER), Seen::default());
    for bytes in stream.bytes.chunks(piece) {
        buffer.extend_from_slice(bytes);
        let mut read = 0;
        loop {
            let (result, swallowed) = digester.digest(&buffer[read..]);
            if let DigestResult::Urc(line) = result {
                stream.saw(payload_of(line), &mut seen);
            }
            if swallowed == 0 {
                break;
            }
            read += swallowed;
        }
        buffer.drain(..read);
    }
    seen
}

pub(crate) fn derived(stream: &Stream, piece: usize) -> Seen {
    digested::<Derived>(stream, piece)
}

pub(crate) fn with_length(stream: &Stream, piece: usize) -> Seen {
    digested::<WithLength>(stream, piece)
}

/// A report of which only the length of its payload is kept.
struct Counted;

impl AtatUrc for Counted {
    type Response = usize;

    fn parse(line: &[u8]) -> Option<usize> {
        Some(payload_of(line).len())
    }
}

pub(crate) fn ingress(stream: &Stream, piece: usize) -> Seen {
    let slot = ResponseSlot::<256>::new();
    let channel = UrcChannel::<Counted, 1024, 1>::new();
    let mut subscription = channel.subscribe().expect("it is the only one");
    let mut buffer = vec![0; BUFFER];
    let mut ingress = Ingress::new(AtDigester::<WithLength>::new(), &mut buffer, &slot, &channel);
    let mut seen = Seen::default();
    for bytes in stream.bytes.chunks(piece) {
        let mut bytes = bytes;
        while !bytes.is_empty() {
            // As many as the channel has room for.
            let now = bytes.len().min(64 * 1024);
            let room = ingress.write_buf();
            let now = now.min(room.len());
            room[..now].copy_from_slice(&bytes[..now]);
            ingress.try_advance(now).expect("the channel has room");
            bytes = &bytes[now..];
            while let Some(length) = subscription.try_next_message_pure() {
                seen.frames += 1;
                seen.bytes += length;
            }
        }
    }
    seen
}
