//! The module's bytes through the codec with the vendor's rules, however they are cut.

use at_codec::{AtCodec, Frame, Limits, Pending, PromptKind};
use at_port::Rules;
use bytes::{Bytes, BytesMut};
use tokio_util::codec::Decoder;

use super::conversation::{Element, Exchange, cut, read};
use super::{CASES, Case, Unknown};
use crate::link::Inbound;

/// Commands whose answer is text without a name.
const TEXT: &[&str] = &["ATI", "AT+CGMM", "AT+CGMR", "AT+GSN", "AT+CIMI", "AT+QILOCIP", "AT+SIMCOMATI"];

/// How the bytes are cut into reads.
#[derive(Debug, Clone, Copy)]
enum Reads {
    Whole,
    Bytes,
    /// Cut in two at this place of all bytes.
    Split(usize),
}

/// What came of a log: the frames of each exchange, how many messages were delivered, and what was left.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    frames: Vec<Vec<Frame>>,
    messages: usize,
    pending: Pending,
}

#[test]
fn no_frame_is_misread_however_the_bytes_are_cut() {
    for case in CASES {
        let log = read(case.name);
        let whole = decode(case, &log, Reads::Whole);
        let frames: Vec<Frame> = whole.frames.iter().flatten().cloned().collect();
        assert_eq!(frames, expected(case, &log), "{}", case.name);
        let is_finished = case.unfinished.is_none();
        assert_eq!(
            whole.pending,
            if is_finished { Pending::None } else { Pending::Counted },
            "{}",
            case.name
        );
        // No log holds a message that states its length for a client that a dialect has connected.
        assert_eq!(whole.messages, 0, "{}", case.name);

        assert_eq!(decode(case, &log, Reads::Bytes), whole, "{} byte by byte", case.name);
        let bytes: usize = log.iter().map(|it| it.answer.len() + it.after_data.len()).sum();
        for at in 1..bytes {
            assert_eq!(decode(case, &log, Reads::Split(at)), whole, "{} split at {at}", case.name);
        }
    }
}

#[test]
fn every_line_belongs_to_something() {
    for case in CASES {
        let log = read(case.name);
        let outcome = decode(case, &log, Reads::Whole);
        let rules = case.rules();
        let mut seen = Vec::new();
        for (exchange, frames) in log.iter().zip(&outcome.frames) {
            let mut is_open = true;
            for frame in frames {
                let Frame::Line(line) = frame else { continue };
                let is_final = exchange.is_answered() && is_final(line);
                let is_text = is_open && TEXT.contains(&exchange.command.as_str());
                let is_told = exchange.is_echo(line)
                    || is_final && !exchange.command.is_empty()
                    || exchange.is_named(line)
                    || is_text
                    || rules.is_unsolicited(line);
                is_open &= !is_final;
                if !is_told {
                    seen.push(std::str::from_utf8(line).unwrap().to_owned());
                }
            }
        }
        for line in &seen {
            let known = case.unknown.iter().find(|(known, _)| known == line);
            let (_, reason) = known.unwrap_or_else(|| panic!("{}: what is {line:?}?", case.name));
            if *reason == Unknown::EchoOfData {
                let is_echo = |it: &Exchange| it.data.starts_with(line.as_bytes());
                assert!(log.iter().any(is_echo), "{}: {line:?} is no data of the host", case.name);
            }
        }
        for (known, _) in case.unknown {
            assert!(seen.iter().any(|line| line == known), "{}: {known:?} is not there", case.name);
        }
    }
}

/// The messages of the logs, and the same with a length, so that it is the length that makes the difference.
#[test]
fn only_messages_with_a_length_are_delivered() {
    let case = Case::plain("quectel-");
    for (line, messages) in [
        ("+QMTRECV: 0,1,test,M95 Hello World", 0),
        (r#"+QMTRECV: 0,0,"qf4dcfae.eu-central-1.emqx.cloud","hello GPS-4G-HAT shield""#, 0),
        (r#"+QMTRECV: 0,0,"qf4dcfae.eu-central-1.emqx.cloud",23,"hello GPS-4G-HAT shield""#, 1),
    ] {
        let exchange = Exchange { answer: format!("\r\n{line}\r\n").into_bytes(), ..Exchange::default() };
        let outcome = decode(&case, &[exchange], Reads::Bytes);
        assert_eq!(outcome.frames, [[Frame::Line(line.into())]]);
        assert_eq!(outcome.messages, messages, "{line}");
    }
}

fn is_final(line: &[u8]) -> bool {
    line == b"OK" || line == b"ERROR" || line.starts_with(b"+CME ERROR: ")
}

/// The naive reading, put right where the case says so.
fn expected(case: &Case, log: &[Exchange]) -> Vec<Frame> {
    let mut elements: Vec<Element> = log.iter().flat_map(Exchange::elements).collect();
    if let Some(unfinished) = case.unfinished {
        assert_eq!(elements.pop(), Some(Element::Line(unfinished.into())));
    }
    for counted in case.counted {
        let parts = cut(counted.as_bytes());
        let mut found = 0;
        while let Some(at) = elements.windows(parts.len()).position(|window| window == parts) {
            elements.splice(at..at + parts.len(), [Element::Line(counted.as_bytes().to_vec())]);
            found += 1;
        }
        assert!(found > 0, "{}: {counted:?} is not there", case.name);
    }
    let frame = |element| match element {
        Element::Line(line) => Frame::Line(Bytes::from(line)),
        Element::Prompt => Frame::Prompt,
    };
    elements.into_iter().map(frame).collect()
}

fn decode(case: &Case, log: &[Exchange], reads: Reads) -> Outcome {
    let mut codec = AtCodec::new(case.rules(), Limits::default());
    let mut buffer = BytesMut::new();
    let mut outcome = Outcome { frames: Vec::new(), messages: 0, pending: Pending::None };
    let mut offset = 0;
    for exchange in log {
        let mut frames = Vec::new();
        codec.arm_prompt(exchange.prompt.then_some(PromptKind::Data));
        for part in [&exchange.answer, &exchange.after_data] {
            for piece in pieces(part, offset, reads) {
                buffer.extend_from_slice(piece);
                while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                    outcome.messages += delivered(codec.framing_mut(), &frame);
                    frames.push(frame);
                }
            }
            offset += part.len();
        }
        assert!(!codec.prompt_armed(), "{}: {} got no prompt", case.name, exchange.command);
        outcome.frames.push(frames);
    }
    outcome.pending = codec.pending();
    outcome
}

fn pieces(part: &[u8], offset: usize, reads: Reads) -> Vec<&[u8]> {
    match reads {
        Reads::Bytes => part.chunks(1).collect(),
        Reads::Split(at) if (offset..offset + part.len()).contains(&at) => {
            let (head, tail) = part.split_at(at - offset);
            vec![head, tail]
        }
        Reads::Whole | Reads::Split(_) => vec![part],
    }
}

/// How many messages a frame brings.
fn delivered(rules: &mut Box<dyn Rules<Urc = Inbound>>, frame: &Frame) -> usize {
    match frame {
        Frame::Line(line) if rules.is_unsolicited(line) => {
            usize::from(rules.unsolicited(line).deliver.is_some())
        }
        _ => 0,
    }
}
