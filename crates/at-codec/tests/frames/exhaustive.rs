//! All short byte strings over an alphabet of what matters, in every mode, at every split.
//!
//! `AT_CODEC_EXHAUSTIVE=7` sets the length; 5 is the default.

use at_codec::{AtCodec, Extent, Frame, Framing, Limits, LinesOnly, Pending, PromptKind};

use crate::harness::Port;
use crate::reference::{Start, parse, toy as toy_reference};
use crate::toy::{Short, toy};

const ALPHABET: &[u8] = b"\r\nOK>+\"3x";

/// Makes whatever is hidden in the state visible: it ends lines and counted bytes.
const CLOSING: &[u8] = b"\r\nOK\r\n";

fn length() -> usize {
    std::env::var("AT_CODEC_EXHAUSTIVE").ok().and_then(|length| length.parse().ok()).unwrap_or(5)
}

/// Calls `visit` with each string of up to `length` bytes of the alphabet.
fn each_string(alphabet: &[u8], length: usize, visit: &mut impl FnMut(&[u8])) {
    let mut string = Vec::with_capacity(length);
    fn extend(string: &mut Vec<u8>, alphabet: &[u8], left: usize, visit: &mut impl FnMut(&[u8])) {
        visit(string);
        if left == 0 {
            return;
        }
        for byte in alphabet {
            string.push(*byte);
            extend(string, alphabet, left - 1, visit);
            string.pop();
        }
    }
    extend(&mut string, alphabet, length, visit);
}

/// The frames and the pending state of `bytes` where the set bits of `cuts` end a read, and the frames behind it.
fn run<F: Framing + Clone>(port: &Port<F>, bytes: &[u8], cuts: usize) -> (Vec<Frame>, Pending, Vec<Frame>) {
    let mut port = port.clone();
    let mut frames = Vec::new();
    let mut from = 0;
    for at in 1..=bytes.len() {
        if at == bytes.len() || cuts >> (at - 1) & 1 == 1 {
            frames.extend(port.read(&bytes[from..at]));
            from = at;
        }
    }
    let pending = port.pending();
    let closing = port.read(CLOSING);
    (frames, pending, closing)
}

/// Compares the codec with the reference for every string behind `prefix`.
fn compare<F: Framing + Clone>(
    codec: AtCodec<F>,
    start: Start,
    alphabet: &[u8],
    prefix: &[u8],
    measure: &dyn Fn(&[u8]) -> Option<Extent>,
) {
    let mut port = Port { codec, buffer: Default::default() };
    assert_eq!(port.read(prefix), [], "the prefix is no frame of its own");
    each_string(alphabet, length(), &mut |string| {
        let input = [prefix, string].concat();
        let (frames, pending) = parse(&input, start, measure);
        let (with_closing, _) = parse(&[&input[..], CLOSING].concat(), start, measure);
        let splits = if string.len() <= 5 { 1 << string.len().saturating_sub(1) } else { string.len() };
        for split in 0..splits {
            // Beyond five bytes: whole, and cut in two at every place. The shorter strings had all the others.
            let cuts = if string.len() <= 5 { split } else { (1 << split) >> 1 };
            let (seen, state, closing) = run(&port, string, cuts);
            assert_eq!(
                (&seen, state),
                (&frames, pending),
                "{:?} cut {cuts:b}",
                string.escape_ascii().to_string()
            );
            let all: Vec<_> = seen.into_iter().chain(closing).collect();
            assert_eq!(
                all,
                with_closing,
                "{:?} cut {cuts:b}, then closed",
                string.escape_ascii().to_string()
            );
        }
    });
}

fn line(_: &[u8]) -> Option<Extent> {
    Some(Extent::Line)
}

/// The rule of [`Short`] over the whole rest of the input.
fn short(rest: &[u8]) -> Option<Extent> {
    match Short.measure(rest, &mut 0) {
        Extent::NeedMore(_) => None,
        extent => Some(extent),
    }
}

/// Small enough that five bytes can be too many.
fn limits() -> Limits {
    Limits::default().max_line(3).max_element(64)
}

fn settled<F: Framing + Clone>(framing: F, limits: Limits) -> AtCodec<F> {
    let mut port = Port::new(framing, limits);
    assert_eq!(port.read(b"\r\n"), []);
    port.codec
}

#[test]
fn unarmed() {
    let start = Start { limits: limits(), armed: false, noisy: false };
    compare(settled(LinesOnly, start.limits), start, ALPHABET, b"", &line);
}

#[test]
fn armed() {
    let start = Start { limits: limits(), armed: true, noisy: false };
    let mut codec = settled(LinesOnly, start.limits);
    codec.arm_prompt(Some(PromptKind::Data));
    // A space may belong to a prompt; it takes the place of an ordinary byte.
    compare(codec, start, b"\r\nO>+\"3x ", b"", &line);
}

#[test]
fn fresh() {
    // NUL and a high byte take the places of two ordinary ones.
    let start = Start { limits: limits(), armed: true, noisy: true };
    let mut codec = AtCodec::new(LinesOnly, start.limits);
    codec.arm_prompt(Some(PromptKind::Data));
    compare(codec, start, b"\r\nO>+\"3\x00\x80", b"", &line);
}

#[test]
fn with_lone_line_feeds() {
    let start = Start { limits: limits().lone_line_feed(true), armed: true, noisy: false };
    let mut codec = settled(LinesOnly, start.limits);
    codec.arm_prompt(Some(PromptKind::Data));
    compare(codec, start, ALPHABET, b"", &line);
}

#[test]
fn with_a_short_counted_rule() {
    let start = Start { limits: limits(), armed: true, noisy: false };
    let mut codec = settled(Short, start.limits);
    codec.arm_prompt(Some(PromptKind::Data));
    compare(codec, start, ALPHABET, b"", &short);
}

#[test]
fn inside_counted_bytes() {
    let start = Start { limits: limits(), armed: true, noisy: false };
    let mut codec = settled(toy(9), start.limits);
    codec.arm_prompt(Some(PromptKind::Data));
    compare(codec, start, ALPHABET, b"+X: 0,\"t\",3,\"", &|rest| toy_reference(9, rest));
}

#[test]
fn inside_a_topic() {
    let start = Start { limits: limits(), armed: true, noisy: false };
    let mut codec = settled(toy(3), start.limits);
    codec.arm_prompt(Some(PromptKind::Data));
    compare(codec, start, b"\r\n\",03", b"+X: 0,\"t\",", &|rest| toy_reference(3, rest));
}
