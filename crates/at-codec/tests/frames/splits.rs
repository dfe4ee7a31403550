//! Random streams, randomly cut, against the reference.

use at_codec::{AtCodec, Extent, Frame, Limits, LinesOnly, PromptKind};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::harness::Port;
use crate::reference::{Start, parse, toy as toy_reference};
use crate::toy::{counted, message, toy};

const MAX_COUNT: usize = 60;

/// A piece of a stream: what modules say, what they should not say, and anything.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let payload =
        || vec(prop_oneof![any::<u8>(), proptest::sample::select(&b"\r\n\"> ,1+OK"[..])], 0..MAX_COUNT + 5);
    let topic = || vec(proptest::sample::select(&b"ab\",12 >\x80"[..]), 0..12);
    prop_oneof![
        4 => proptest::sample::select(vec![
            &b"\r\n"[..], b"\r\nOK\r\n", b"\r\n+CSQ: 21,99\r\n", b"\r\n> ", b">\r\n", b">", b" ", b"\r", b"\n", b"\0",
            b"\x80\xFF", b"\r\r\n", b"+X: 0,\"t\",\"u\"\r\n", b"+X: 0,\"", b"+X",
        ]).prop_map(<[u8]>::to_vec),
        3 => (topic(), payload()).prop_map(|(topic, payload)| message(&topic, &payload)),
        2 => (topic(), 0..70_usize, payload()).prop_map(|(topic, count, payload)| {
            [&counted(&topic, count, &payload)[..], b"\"\r\n"].concat()
        }),
        1 => payload(),
        1 => (0..200_usize).prop_map(|length| vec![b'x'; length]),
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    vec(piece(), 0..12).prop_map(|pieces| pieces.concat())
}

fn limits() -> impl Strategy<Value = Limits> {
    (8..120_usize, 40..160_usize, any::<bool>()).prop_map(|(line, element, lone)| {
        Limits::default().max_line(line).max_element(element).lone_line_feed(lone)
    })
}

/// Feeds `bytes` in reads of the sizes of `cuts`, over and over.
fn read_cut<F: at_codec::Framing>(
    port: &mut Port<F>,
    bytes: &[u8],
    cuts: &[usize],
    cap: usize,
) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut rest = bytes;
    for size in cuts.iter().cycle() {
        let (read, behind) = rest.split_at((*size).min(rest.len()));
        frames.extend(port.read(read));
        assert!(port.buffer.len() <= cap, "{} bytes wait", port.buffer.len());
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    frames
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cutting_changes_nothing_with_plain_lines(
        bytes in stream(), limits in limits(), armed: bool, cuts in vec(1..40_usize, 1..8),
    ) {
        let mut port = Port::new(LinesOnly, limits);
        port.codec.arm_prompt(armed.then_some(PromptKind::Data));
        let frames = read_cut(&mut port, &bytes, &cuts, limits.max_line + 2);
        let expected = parse(&bytes, Start { limits, armed, noisy: true }, &|_| Some(Extent::Line));
        prop_assert_eq!((frames, port.pending()), expected);
    }

    #[test]
    fn cutting_changes_nothing_with_counted_bytes(
        bytes in stream(), limits in limits(), armed: bool, cuts in vec(1..40_usize, 1..8),
    ) {
        let mut port = Port::new(toy(MAX_COUNT), limits);
        port.codec.arm_prompt(armed.then_some(PromptKind::Data));
        // A broken element waits for the 64 bytes that its event shows.
        let cap = limits.max_element.max(limits.max_line + 2).max(64);
        let frames = read_cut(&mut port, &bytes, &cuts, cap);
        let bounded = |rest: &[u8]| bounded(limits.max_element, rest);
        let expected = parse(&bytes, Start { limits, armed, noisy: true }, &bounded);
        prop_assert_eq!((frames, port.pending()), expected);
    }

    #[test]
    fn anything_is_survived(bytes in vec(any::<u8>(), 0..600), cuts in vec(1..90_usize, 1..8)) {
        let limits = Limits::default().max_line(50).max_element(80);
        let mut port = Port { codec: AtCodec::new(toy(MAX_COUNT), limits), buffer: Default::default() };
        let frames = read_cut(&mut port, &bytes, &cuts, 80);
        let expected = parse(&bytes, Start { limits, armed: false, noisy: true }, &|rest| bounded(80, rest));
        prop_assert_eq!(frames, expected.0);
        port.give_up();
        prop_assert!(port.buffer.is_empty());
    }
}

/// The toy rule of a codec that shows its rule at most `max` bytes of an element.
fn bounded(max: usize, rest: &[u8]) -> Option<Extent> {
    let seen = &rest[..rest.len().min(max)];
    match toy_reference(MAX_COUNT, seen) {
        // A candidate that could only be decided beyond the limit condemns the element.
        None => toy_need(seen).filter(|need| *need > max).map(Extent::NeedMore),
        extent => extent,
    }
}

/// How many bytes the toy rule asks for about `seen`.
fn toy_need(seen: &[u8]) -> Option<usize> {
    match at_codec::Framing::measure(&mut toy(MAX_COUNT), seen, &mut 0) {
        Extent::NeedMore(need) => Some(need),
        _ => None,
    }
}

#[test]
fn overruns_are_reported_at_the_same_places_however_the_bytes_come() {
    let limits = Limits::default().max_line(100);
    for length in [65_536 + 101, 65_536 + 102, 65_536 + 103, 200_000] {
        let mut bytes = vec![b'x'; length];
        bytes.extend(b"\r\nOK\r\n");
        let (expected, _) =
            parse(&bytes, Start { limits, armed: false, noisy: false }, &|_| Some(Extent::Line));
        assert!(expected.len() > 2 || length < 65_536 + 102);
        for size in [1, 7, 4096, 65_536, bytes.len()] {
            let mut port = Port::new(LinesOnly, limits);
            assert_eq!(port.read_in_pieces(&bytes, size), expected, "{length} bytes in reads of {size}");
        }
    }
}

#[test]
fn skipped_damage_is_reported_at_the_same_places_however_the_bytes_come() {
    let mut bytes = counted(b"t", 99, b"x");
    bytes.extend(b"\r\n");
    bytes.splice(bytes.len() - 2..bytes.len() - 2, vec![b'y'; 300]);
    let limits = Limits::default().max_element(50);
    let whole = Port::new(toy(MAX_COUNT), limits).read(&bytes);
    for size in [1, 3, 50, 51, 299] {
        assert_eq!(Port::new(toy(MAX_COUNT), limits).read_in_pieces(&bytes, size), whole);
    }
}
