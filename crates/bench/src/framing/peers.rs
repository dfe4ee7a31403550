//! Hand-written contenders: the length rule for mqtt-at's codec, a plain codec, and a grammar.

use std::convert::Infallible;
use std::io;

use at_codec::{Extent, Framing};
use bytes::{Buf, Bytes, BytesMut};
use memchr::{memchr, memmem};
use nom::branch::alt;
use nom::bytes::streaming::{tag, take, take_until};
use nom::character::streaming::digit1;
use nom::combinator::map_res;
use nom::error::Error;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};
use tokio_util::codec::Decoder;

use super::Seen;
use super::stream::Stream;

const NAME: &[u8] = b"+QMTRECV: ";

/// Where a message ends, without its line end; `None` if more has to be known.
pub(crate) fn message_end(head: &[u8]) -> Option<usize> {
    let quote = memchr(b'"', head)?;
    let close = quote + 1 + memchr(b'"', head.get(quote + 1..)?)?;
    let digits = head.get(close + 2..)?;
    let length = memchr(b',', digits)?;
    let number = digits[..length].iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
    Some(close + 2 + length + 2 + number + 1)
}

/// The rule for mqtt-at's codec.
#[derive(Debug, Clone)]
pub(crate) struct LengthRule;

impl Framing for LengthRule {
    fn measure(&mut self, head: &[u8], _resume: &mut usize) -> Extent {
        if !head.starts_with(NAME) {
            return if NAME.starts_with(head) { Extent::NeedMore(NAME.len()) } else { Extent::Line };
        }
        message_end(head).map_or(Extent::NeedMore(head.len() + 1), Extent::Exactly)
    }
}

/// What one writes when nothing can go wrong: no limits, no noise, no prompt, no damage.
#[derive(Debug, Default)]
pub(crate) struct PlainCodec {
    need: usize,
}

impl Decoder for PlainCodec {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<Bytes>> {
        if self.need == 0 {
            while let Some(b'\r' | b'\n') = src.first() {
                src.advance(1);
            }
            if src.len() < NAME.len() {
                return Ok(None);
            }
            let end = if src.starts_with(NAME) { message_end(src) } else { memmem::find(src, b"\r\n") };
            let Some(end) = end else { return Ok(None) };
            self.need = end;
        }
        if src.len() < self.need {
            return Ok(None);
        }
        Ok(Some(src.split_to(std::mem::take(&mut self.need)).freeze()))
    }
}

type Parsed<'a> = IResult<&'a [u8], &'a [u8], Error<&'a [u8]>>;

fn message(input: &[u8]) -> Parsed<'_> {
    let topic = delimited(tag("\""), take_until("\""), tag("\","));
    let length = map_res(digit1, |digits: &[u8]| {
        let digits = digits.iter().map(|digit| usize::from(digit - b'0'));
        Ok::<_, Infallible>(digits.fold(0, |number, digit| number * 10 + digit))
    });
    let numbers = preceded(tag("\r\n+QMTRECV: "), (digit1, tag(","), digit1, tag(",")));
    let (rest, (_, _, length)) = (numbers, topic, terminated(length, tag(",\""))).parse(input)?;
    terminated(take(length), tag("\"\r\n")).parse(rest)
}

fn line(input: &[u8]) -> Parsed<'_> {
    delimited(tag("\r\n"), take_until("\r\n"), tag("\r\n")).parse(input)
}

/// A streaming grammar over a buffer that is moved up when it has been read.
pub(crate) fn nom_frames(stream: &Stream, piece: usize) -> Seen {
    let (mut buffer, mut seen) = (Vec::with_capacity(2 * piece.max(1024)), Seen::default());
    for bytes in stream.bytes.chunks(piece) {
        buffer.extend_from_slice(bytes);
        let mut rest = &buffer[..];
        while let Ok((next, payload)) = alt((message, line)).parse(rest) {
            stream.saw(payload, &mut seen);
            rest = next;
        }
        let read = buffer.len() - rest.len();
        buffer.drain(..read);
    }
    seen
}
