//! One test for each rule of the codec.

use at_codec::{
    AtCodec, CommandLine, Damage, DamageKind, Extent, Frame, Framing, Limits, LinesOnly, Overrun, Pending,
    PromptKind,
};
use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::harness::{Port, at_every_split, line};
use crate::toy::{counted, message, toy};

fn lines() -> Port<LinesOnly> {
    Port::new(LinesOnly, Limits::default())
}

fn armed() -> Port<LinesOnly> {
    let mut port = lines();
    port.codec.arm_prompt(Some(PromptKind::Data));
    port
}

fn damage(kind: DamageKind, head: &[u8], got: usize, need: usize) -> Frame {
    Frame::Damaged(Damage { kind, head: Bytes::copy_from_slice(head), got, need })
}

/// A rule that always gives the same answer.
#[derive(Debug, Clone, Copy)]
struct Always(Extent);

impl Framing for Always {
    fn measure(&mut self, _head: &[u8], _resume: &mut usize) -> Extent {
        self.0
    }
}

#[test]
fn blank_lines_are_ignored_wherever_they_are() {
    let frames = at_every_split(&lines(), b"\r\n\r\n\r\nOK\r\n\r\n\r\n+X: 1\r\n\r\r\n\n\r\n");
    assert_eq!(frames, [line("OK"), line("+X: 1")]);
}

#[test]
fn carriage_returns_at_the_end_of_a_line_are_trimmed() {
    let frames = at_every_split(&lines(), b"AT+CSQ\r\r\nOK\r\r\r\n");
    assert_eq!(frames, [line("AT+CSQ"), line("OK")]);
}

#[test]
fn a_lone_line_feed_ends_a_line_only_if_told_so() {
    let bytes = b"a\nb\r\nc\n\nd\r\r\n";
    assert_eq!(at_every_split(&lines(), bytes), [line("a\nb"), line("c\n\nd")]);
    let lenient = Port::new(LinesOnly, Limits::default().lone_line_feed(true));
    assert_eq!(at_every_split(&lenient, bytes), [line("a"), line("b"), line("c"), line("d")]);
}

#[test]
fn noise_is_ignored_until_the_first_line_end_and_again_after_a_reset() {
    let bytes = b"\0\xFF\r\x80RDY\xFF\r\n\0OK\r\n";
    let mut port = lines();
    assert_eq!(at_every_split(&port, bytes), [line(b"RDY\xFF"), line("\0OK")]);
    port.read(bytes);
    assert_eq!(port.clone().read(b"\x80x\r\n"), [line(b"\x80x")]);
    port.codec.reset();
    assert_eq!(at_every_split(&port, bytes), [line(b"RDY\xFF"), line("\0OK")]);
}

#[test]
fn a_prompt_exists_only_when_armed() {
    assert_eq!(at_every_split(&lines(), b"\r\n> \r\nOK\r\n"), [line("> "), line("OK")]);
    assert_eq!(at_every_split(&armed(), b"\r\n> \r\nOK\r\n"), [Frame::Prompt, line("OK")]);
}

#[test]
fn a_prompt_stands_at_a_line_start() {
    assert_eq!(at_every_split(&armed(), b"x> \r\n"), [line("x> ")]);
    assert_eq!(at_every_split(&armed(), b"a\nb\r>\r\n>"), [line("a\nb\r>"), Frame::Prompt]);
}

#[test]
fn a_prompt_comes_at_once_and_disarms_itself() {
    let mut port = armed();
    assert!(port.codec.prompt_armed());
    assert_eq!(port.read(b">"), [Frame::Prompt]);
    assert!(!port.codec.prompt_armed());
    assert_eq!(port.pending(), Pending::None);
}

#[test]
fn at_most_one_space_or_line_end_belongs_to_a_prompt() {
    for (bytes, behind) in [
        (&b"> OK\r\n"[..], "OK"),
        (b">\r\nOK\r\n", "OK"),
        (b">OK\r\n", "OK"),
        (b">  OK\r\n", " OK"),
        (b">\r\n OK\r\n", " OK"),
        (b"> >\r\n", ">"),
    ] {
        assert_eq!(at_every_split(&armed(), bytes), [Frame::Prompt, line(behind)], "{bytes:?}");
    }
}

/// A port whose module has asked for `data`.
fn asked_for(data: &'static [u8], certain: bool) -> Port<LinesOnly> {
    let mut port = armed();
    assert_eq!(port.read(b"\r\n>"), [Frame::Prompt]);
    port.codec.expect_echo(data.into(), certain);
    port
}

#[test]
fn data_that_comes_back_behind_the_prompt_is_no_line() {
    for (data, certain, received, expected) in [
        (&b"x\r\nOK\r\n"[..], false, &b" x\r\nOK\r\n\r\nERROR\r\n"[..], &["ERROR"][..]),
        (b"x\r\nOK\r\n", false, b"x\r\nOK\r\n\r\nERROR\r\n", &["ERROR"]),
        // A module that says nothing but its answer.
        (b"OK", false, b" \r\nOK\r\n", &["OK"]),
        (b"\r\nOK\r\n", false, b" \r\nOK\r\n", &["OK"]),
        (b"+URC: 7", false, b"\r\n+URC: 1\r\n\r\nOK\r\n", &["+URC: 1", "OK"]),
        // One that is known to repeat what it reads.
        (b"\r\nOK\r\n", true, b" \r\nOK\r\n\r\nERROR\r\n", &["ERROR"]),
        (b"x\r\nOK\r\n", true, b"\r\nx\r\nOK\r\n\r\nERROR\r\n", &["ERROR"]),
        (b"x\r\nOK\r\n", true, b" \r\n+URC: 1\r\nx\r\nOK\r\n\r\nERROR\r\n", &["+URC: 1", "ERROR"]),
        (b"\r\n", true, b" \r\n\r\nOK\r\n", &["OK"]),
        (b"x", true, b" \r\nERROR\r\n", &["ERROR"]),
    ] {
        let frames = at_every_split(&asked_for(data, certain), received);
        let expected: Vec<_> = expected.iter().map(line).collect();
        assert_eq!(frames, expected, "{:?} {certain} {:?}", data.escape_ascii(), received.escape_ascii());
    }
}

/// Not every module that repeats data repeats commands as well.
#[test]
fn a_module_that_has_repeated_data_is_expected_to_do_it_again() {
    let hostile = &b"\r\nOK\r\nxyz"[..];
    for (first, certain_now) in [(&b"hello"[..], true), (b"he", false)] {
        let mut port = asked_for(first, false);
        assert_eq!(port.read(&[b" ", first, b"\r\nOK\r\n"].concat()), [line("OK")]);
        port.codec.arm_prompt(Some(PromptKind::Data));
        assert_eq!(port.read(b"\r\n>"), [Frame::Prompt]);
        port.codec.expect_echo(hostile.into(), false);
        let frames = at_every_split(&port, b" \r\nOK\r\nxyz\r\nERROR\r\n");
        let expected =
            if certain_now { vec![line("ERROR")] } else { vec![line("OK"), line("xyz"), line("ERROR")] };
        assert_eq!(frames, expected);
        port.codec.reset();
        port.codec.arm_prompt(Some(PromptKind::Data));
        assert_eq!(port.read(b"\r\n>"), [Frame::Prompt]);
        port.codec.expect_echo(hostile.into(), false);
        assert_eq!(port.read(b" \r\nOK\r\n"), [line("OK")], "another module may be there");
    }
}

#[test]
fn data_that_stops_coming_back_is_damage() {
    let mut port = asked_for(b"hello\r\nOK\r\n", false);
    assert_eq!((port.pending(), port.give_up()), (Pending::None, None), "nothing has come");
    assert_eq!(port.read(b" hel"), []);
    assert_eq!(port.pending(), Pending::Counted);
    assert_eq!(port.give_up(), Some(damage(DamageKind::Silence, b"hel", 3, 11)));
    assert_eq!(port.read(b"\r\nOK\r\n"), [line("OK")]);
    let mut port = asked_for(b"hello\r\nOK\r\n", true);
    port.codec.arm_prompt(None);
    assert_eq!(port.read(b"\r\nhello\r\n"), [line("hello")], "the command is over");
}

#[test]
fn arming_counts_from_the_next_line_start() {
    let mut port = lines();
    assert_eq!(port.read(b"\r\n+X: "), []);
    port.codec.arm_prompt(Some(PromptKind::Data));
    assert_eq!(port.read(b"1\r\n>"), [line("+X: 1"), Frame::Prompt]);

    assert_eq!(port.read(b">"), []);
    port.codec.arm_prompt(Some(PromptKind::Data));
    assert_eq!(port.read(b"\r\n"), [line(">")], "what began unarmed stays a line");
    port.codec.arm_prompt(None);
    assert_eq!(port.read(b"> \r\n"), [line("> ")]);
}

#[test]
fn reports_come_through_while_a_prompt_is_awaited() {
    let frames = at_every_split(&armed(), b"\r\n+CREG: 1\r\n\r\n> ");
    assert_eq!(frames, [line("+CREG: 1"), Frame::Prompt]);
}

#[test]
fn counted_bytes_are_one_line_whatever_they_are() {
    let mut port = Port::new(toy(1024), Limits::default());
    port.codec.arm_prompt(Some(PromptKind::Data));
    let text = message(b"t", b"\r\nOK\r\n> \"\r\n");
    let bytes = [&b"\r\n"[..], &text, b"\r\nOK\r\n"].concat();
    assert_eq!(at_every_split(&port, &bytes), [line(&text[..text.len() - 2]), line("OK")]);
}

#[test]
fn a_wrong_trailer_costs_the_counted_bytes_and_the_rest_of_the_line() {
    let port = Port::new(toy(1024), Limits::default());
    let region = counted(b"t", 9, b"\r\nOK\r\nabc");
    let bytes = [&region[..], b"> OK\r\n\r\n+X: 1\r\n"].concat();
    let expected = [damage(DamageKind::Trailer, &region, region.len(), region.len() + 3), line("+X: 1")];
    assert_eq!(at_every_split(&port, &bytes), expected);
}

#[test]
fn a_count_out_of_range_is_refused_before_its_bytes_come() {
    let mut port = Port::new(toy(1024), Limits::default());
    let header = counted(b"t", 99_999, b"");
    assert_eq!(port.read(&header), []);
    assert_eq!(port.read(b"abc"), [], "the topic may still go on");
    assert_eq!(port.read(b"\r\nOK\r\n"), [damage(DamageKind::Count, &header, header.len(), 0), line("OK")]);
    assert!(port.buffer.capacity() < 1024, "nothing was reserved for the count");
}

#[test]
fn an_element_beyond_the_limit_is_dropped_whole() {
    let limits = Limits::default().max_element(20);
    let text: Vec<u8> = (0..30).flat_map(|_| *b"\r\n").collect();
    let bytes = [b"x", &text[..20], b"more\r\nOK\r\n"].concat();
    for extent in [Extent::Exactly(21), Extent::NeedMore(21)] {
        let port = Port::new(Always(extent), limits);
        let frames = port.clone().read(&bytes[..21]);
        assert_eq!(frames, [damage(DamageKind::TooLong, &bytes[..21], 21, 21)]);
        assert_eq!(port.clone().read_in_pieces(&bytes[..21], 1), frames);
    }
    let port = Port::new(Always(Extent::Exactly(20)), limits);
    assert_eq!(at_every_split(&port, &bytes[..20]), [line(&bytes[..20])]);
}

#[test]
fn a_rule_that_never_answers_is_cut_off() {
    let port = Port::new(Always(Extent::NeedMore(0)), Limits::default().max_element(70));
    let bytes = [b'x'; 200];
    let expected = [damage(DamageKind::TooLong, &bytes[..64], 71, 71)];
    assert_eq!(at_every_split(&port, &bytes), expected);
}

#[test]
fn an_exact_length_of_zero_is_a_line() {
    let port = Port::new(Always(Extent::Exactly(0)), Limits::default());
    assert_eq!(at_every_split(&port, b"OK\r\n"), [line("OK")]);
}

#[test]
fn damage_may_reach_beyond_what_has_arrived() {
    let port = Port::new(
        Always(Extent::Damaged { skip: 100, need: 7, kind: DamageKind::Ambiguous }),
        Limits::default(),
    );
    let bytes = [&[b'\n'; 3][..], b"a\r\n\r\n", &[b'y'; 94], b"\r\nz\r", b"\n"].concat();
    let frames = at_every_split(&port, &bytes[..bytes.len() - 1]);
    assert_eq!(frames, [damage(DamageKind::Ambiguous, &bytes[3..67], 100, 7)]);
    let mut port = port;
    port.read(&bytes[..20]);
    assert_eq!(port.pending(), Pending::Counted);
    port.read(&bytes[20..67]);
    assert_eq!(port.pending(), Pending::Skipping);
}

#[test]
fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
    for lone in [false, true] {
        let port = Port::new(LinesOnly, Limits::default().max_line(10).lone_line_feed(lone));
        assert_eq!(at_every_split(&port, b"0123456789\r\nOK\r\n"), [line("0123456789"), line("OK")]);
        let too_long = Frame::Overrun(Overrun { skipped: 12 });
        let frames = at_every_split(&port, b"0123456789a\r\nOK\r\n");
        assert_eq!(frames, [too_long.clone(), line("OK")], "the limit ends between CR and LF");
        let frames = at_every_split(&port, b"0123456789abcdef\r\nOK\r\n");
        assert_eq!(frames, [too_long, line("OK")]);
    }
    let port = Port::new(LinesOnly, Limits::default().max_line(10).lone_line_feed(true));
    let frames = at_every_split(&port, b"0123456789a\nOK\n");
    assert_eq!(frames, [Frame::Overrun(Overrun { skipped: 12 }), line("OK")]);
}

#[test]
fn the_tail_of_an_over_long_line_is_never_a_line() {
    let port = Port::new(LinesOnly, Limits::default().max_line(30));
    for length in 20..60 {
        let mut bytes = vec![b'x'; length];
        bytes.extend(b"\nOK\r\n");
        let frames = at_every_split(&port, &bytes);
        let whole = bytes.len() - 2;
        let expected =
            if whole <= 30 { line(&bytes[..whole]) } else { Frame::Overrun(Overrun { skipped: 32 }) };
        assert_eq!(frames, [expected], "length {length}");
    }
}

#[test]
fn silence_gives_up_what_is_unfinished() {
    let mut port = Port::new(toy(1024), Limits::default());
    assert_eq!((port.pending(), port.give_up()), (Pending::None, None));

    assert_eq!(port.read(b"+CSQ: 2"), []);
    assert_eq!(port.pending(), Pending::Line);
    assert_eq!(port.give_up(), Some(damage(DamageKind::Silence, b"+CSQ: 2", 7, 0)));
    assert_eq!((port.pending(), port.give_up()), (Pending::Skipping, None));
    assert_eq!(port.read(b"1,99\r\n\r\nOK\r\n"), [line("OK")]);

    let element = counted(b"t", 10, b"\r\nOK\r\n");
    assert_eq!(port.read(&element), []);
    assert_eq!(port.pending(), Pending::Counted);
    let (got, need) = (element.len(), element.len() + 4 + 3);
    assert_eq!(port.give_up(), Some(damage(DamageKind::Silence, &element, got, need)));
    assert_eq!(port.read(b"OK\r\n"), [], "the rest of the line is never parsed");
    assert_eq!(port.read(b"OK\r\n"), [line("OK")]);
}

#[test]
fn silence_between_cr_and_lf_leaves_only_the_lf_to_skip() {
    let mut port = lines();
    port.read(b"+CSQ: 21\r");
    assert!(port.give_up().is_some());
    assert_eq!(port.read(b"\nOK\r\n"), [line("OK")]);
}

#[test]
fn silence_ends_the_trust_in_a_count() {
    let rule = Always(Extent::Damaged { skip: 1000, need: 0, kind: DamageKind::Count });
    let mut port = Port::new(rule, Limits::default());
    assert_eq!(port.read(&[b'x'; 100]).len(), 1);
    assert_eq!(port.give_up(), None);
    port.codec.framing_mut().0 = Extent::Line;
    assert_eq!(port.read(b"abc\r\nOK\r\n"), [line("OK")]);

    let mut port = Port::new(rule, Limits::default());
    assert_eq!(port.read(b"xyz"), []);
    assert_eq!(port.give_up(), Some(damage(DamageKind::Count, b"xyz", 3, 0)));
}

#[test]
fn a_reset_forgets_the_unfinished_and_the_prompt() {
    let mut port = armed();
    port.read(b"\r\nabc");
    port.codec.reset();
    port.buffer.clear();
    assert_eq!((port.pending(), port.codec.prompt_armed()), (Pending::None, false));
    assert_eq!(port.read(b"\0RDY\r\n"), [line("RDY")]);

    let mut port = lines();
    port.read(b"abc");
    port.give_up();
    port.codec.reset();
    assert_eq!(port.read(b"RDY\r\n"), [line("RDY")]);
}

#[test]
fn the_end_of_the_stream_gives_up_what_is_unfinished() {
    let mut codec = AtCodec::new(LinesOnly, Limits::default());
    let mut buffer = BytesMut::from("OK\r\nabc");
    assert_eq!(codec.decode_eof(&mut buffer).unwrap(), Some(line("OK")));
    let broken = damage(DamageKind::Silence, b"abc", 3, 0);
    assert_eq!(codec.decode_eof(&mut buffer).unwrap(), Some(broken));
    assert_eq!(codec.decode_eof(&mut buffer).unwrap(), None);
}

#[test]
fn another_rule_starts_afresh_with_what_is_being_measured() {
    let mut port: Port<Box<dyn Framing>> = Port::new(Box::new(toy(1024)), Limits::default());
    let text = counted(b"t", 40, b"a\r\nb");
    assert_eq!(port.read(&text), []);
    assert_eq!(port.pending(), Pending::Counted);
    port.codec.replace_framing(Box::new(LinesOnly));
    assert_eq!(port.read(b""), [line(counted(b"t", 40, b"a"))]);
    assert_eq!(port.read(b"\r\n"), [line("b")]);
}

#[test]
fn commands_and_data_are_written_as_they_are() {
    let mut codec = AtCodec::new(LinesOnly, Limits::default());
    let mut out = BytesMut::new();
    codec.encode(&CommandLine::execute("+CSQ"), &mut out).unwrap();
    codec.encode(Bytes::from_static(b"a\r\n\x1a\0"), &mut out).unwrap();
    assert_eq!(&out[..], b"AT+CSQ\ra\r\n\x1a\0");
}
