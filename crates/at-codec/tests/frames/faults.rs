//! The faults of a line that the codec has to survive, one test for each row of the fault catalogue.

use at_codec::{CommandLine, DamageKind, Frame, Limits, LinesOnly, Overrun, Pending, PromptKind};

use crate::harness::{Port, at_every_split, line};
use crate::toy::{Toy, counted, message, toy};

const ANSWER: &[u8] = b"\r\n+CSQ: 21,99\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n";

/// What a forger would like to see as a line.
const FORGED: &str = "+STAT: 0,1";

fn lines() -> Port<LinesOnly> {
    Port::new(LinesOnly, Limits::default())
}

fn counting() -> Port<Toy> {
    Port::new(toy(1024), Limits::default())
}

fn kind_of(frame: &Frame) -> Option<DamageKind> {
    match frame {
        Frame::Damaged(damage) => Some(damage.kind),
        _ => None,
    }
}

#[test]
fn f01_a_lost_byte_spoils_only_the_lines_it_touches() {
    for lost in 0..ANSWER.len() {
        let mut bytes = ANSWER.to_vec();
        bytes.remove(lost);
        // What follows shows that the codec is in step again.
        bytes.extend(b"\r\n+NEXT\r\n\r\nOK\r\n");
        let frames = at_every_split(&lines(), &bytes);
        assert!(frames.iter().all(|frame| matches!(frame, Frame::Line(_))), "lost {lost}: {frames:?}");
        assert_eq!(frames[frames.len() - 1], line("OK"), "lost {lost}");
        let intact = ["+CSQ: 21,99", "+CREG: 0,1", "OK", "+NEXT"].map(line);
        let missing = intact.iter().filter(|expected| !frames.contains(expected)).count();
        assert!(missing <= 2, "lost {lost}: {frames:?}");
    }
}

#[test]
fn f02_a_byte_lost_in_counted_bytes_damages_that_message_only() {
    let payload = format!("a\"\r\n{FORGED}\r\nb");
    let whole = message(b"t", payload.as_bytes());
    let start = whole.len() - 3 - payload.len();
    for lost in start..whole.len() - 3 {
        let mut bytes = whole.clone();
        bytes.remove(lost);
        bytes.extend(b"\r\nOK\r\n");
        let frames = at_every_split(&counting(), &bytes);
        assert_eq!(frames.len(), 2, "lost {lost}: {frames:?}");
        assert_eq!(kind_of(&frames[0]), Some(DamageKind::Trailer));
        assert_eq!(frames[1], line("OK"));
    }
}

#[test]
fn f02_a_byte_lost_in_the_last_message_is_found_by_silence() {
    let mut port = counting();
    let mut bytes = message(b"t", b"\r\nOK\r\n");
    bytes.remove(20);
    assert_eq!(port.read(&bytes), []);
    assert_eq!(port.pending(), Pending::Counted);
    assert_eq!(kind_of(&port.give_up().unwrap()), Some(DamageKind::Silence));
    assert_eq!(port.read(b"\r\nOK\r\n"), [line("OK")]);
}

#[test]
fn f03_a_flipped_byte_spoils_only_its_line() {
    for at in 0..ANSWER.len() {
        for bit in 0..8 {
            let mut bytes = ANSWER.to_vec();
            bytes[at] ^= 1 << bit;
            bytes.extend(b"\r\nOK\r\n");
            let mut port = lines();
            port.read(b"\r\n");
            let frames = at_every_split(&port, &bytes);
            assert_eq!(frames[frames.len() - 1], line("OK"), "bit {bit} of byte {at}: {frames:?}");
            let missing = ["+CSQ: 21,99", "+CREG: 0,1"].map(line);
            let missing = missing.iter().filter(|expected| !frames.contains(expected)).count();
            assert!(missing <= if ANSWER[at] < 0x20 { 2 } else { 1 }, "bit {bit} of byte {at}: {frames:?}");
        }
    }
}

#[test]
fn f04_a_byte_flipped_in_a_payload_cannot_be_seen() {
    let mut bytes = message(b"t", b"hello");
    let at = bytes.len() - 5;
    bytes[at] ^= 1;
    assert_eq!(at_every_split(&counting(), &bytes), [line(counted(b"t", 5, b"helmo\""))]);
}

#[test]
fn f05_a_doubled_byte_damages_that_message_only() {
    let payload = format!("a\"\r\n{FORGED}\r\nb");
    let whole = message(b"t", payload.as_bytes());
    let start = whole.len() - 3 - payload.len();
    for doubled in start..whole.len() - 3 {
        let mut bytes = whole.clone();
        bytes.insert(doubled, whole[doubled]);
        bytes.extend(b"\r\nOK\r\n");
        let frames = at_every_split(&counting(), &bytes);
        assert_eq!(kind_of(&frames[0]), Some(DamageKind::Trailer), "doubled {doubled}: {frames:?}");
        assert_eq!(frames[1..], [line("OK")], "doubled {doubled}");
    }
}

#[test]
fn f06_a_lost_burst_never_turns_payload_into_lines() {
    let payload = format!("{}\r\n{FORGED}\r\n\"\r\n{FORGED}\r\n", "x".repeat(40));
    let whole = message(b"t", payload.as_bytes());
    let start = whole.len() - 3 - payload.len();
    for burst in 1..=payload.len() {
        let mut bytes = whole.clone();
        bytes.drain(start..start + burst);
        let mut port = counting();
        let mut frames = port.read(&bytes);
        frames.extend(port.read(b"\r\nOK\r\n".repeat(20).as_slice()));
        assert!(kind_of(&frames[0]).is_some(), "burst {burst}: {frames:?}");
        assert!(!frames.contains(&line(FORGED)), "burst {burst}: {frames:?}");
        assert_eq!(frames.last(), Some(&line("OK")), "burst {burst}");
    }
}

#[test]
fn f07_half_a_line_and_silence_is_damage_and_never_the_start_of_the_next() {
    for length in 1..10 {
        let mut port = lines();
        assert_eq!(port.read(&b"+CSQ: 21,99"[..length]), []);
        assert_eq!(port.pending(), Pending::Line);
        assert_eq!(kind_of(&port.give_up().unwrap()), Some(DamageKind::Silence));
        assert_eq!(port.pending(), Pending::Skipping);
        assert_eq!(port.read(ANSWER), [line("+CSQ: 21,99"), line("+CREG: 0,1"), line("OK")]);
    }
}

#[test]
fn f08_a_conversation_may_be_cut_anywhere() {
    let mut port = counting();
    port.codec.arm_prompt(Some(PromptKind::Data));
    let text = message(b"site/up", b"\r\n> \r\nOK\r\n");
    let bytes = [b"AT+PUB\r\r\n> \r\nOK\r\n", &text[..], ANSWER].concat();
    let expected = [
        line("AT+PUB"),
        Frame::Prompt,
        line("OK"),
        line(&text[..text.len() - 2]),
        line("+CSQ: 21,99"),
        line("+CREG: 0,1"),
        line("OK"),
    ];
    assert_eq!(at_every_split(&port, &bytes), expected);
}

#[test]
fn f09_garbage_without_an_end_is_skipped_in_bounded_memory() {
    let mut port = lines();
    let mut overruns = Vec::new();
    for _ in 0..300 {
        for frame in port.read(&[b'x'; 1024]) {
            let Frame::Overrun(Overrun { skipped }) = frame else { panic!("{frame:?}") };
            overruns.push(skipped);
        }
        assert!(port.buffer.len() <= 4098 && port.buffer.capacity() <= 32 * 1024);
    }
    assert_eq!(overruns, [4098, 4098 + 65_536, 4098 + 2 * 65_536, 4098 + 3 * 65_536, 4098 + 4 * 65_536]);
    assert_eq!(port.pending(), Pending::Skipping);
    assert_eq!(port.read(b"OK\r\nOK\r\n"), [line("OK")]);
}

#[test]
fn f10_a_wrong_baud_rate_gives_noise_and_no_answer() {
    let mut port = lines();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..10_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let frames = port.read(&state.to_le_bytes().map(|byte| byte | 0x80));
        assert!(!frames.iter().any(|frame| matches!(frame, Frame::Line(_) | Frame::Prompt)));
        assert!(port.buffer.len() <= 4098);
    }
}

#[test]
fn f11_an_echo_is_a_line_equal_to_the_command() {
    let command = CommandLine::read("+CSQ");
    let bytes = [command.as_bytes(), b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n"].concat();
    let frames = at_every_split(&lines(), &bytes);
    assert_eq!(frames, [line(command.body()), line("+CSQ: 21,99"), line("OK")]);
}

#[test]
fn f12_stray_line_ends_and_nuls_are_tolerated() {
    let bytes = b"\0\0\r\r\n\n\r\nOK\r\r\n\r\n\rERROR\r\n\n\n+X: 1\r\n\r";
    assert_eq!(at_every_split(&lines(), bytes), [line("OK"), line("ERROR"), line("+X: 1")]);
}

#[test]
fn f22_a_report_between_a_header_and_its_bytes_is_damage_before_anything_else() {
    let mut bytes = counted(b"t", 5, b"\r\n+CREG: 1\r\n");
    bytes.extend(b"hello\"\r\n\r\nOK\r\n");
    let frames = at_every_split(&counting(), &bytes);
    assert_eq!(kind_of(&frames[0]), Some(DamageKind::Trailer));
    assert_eq!(frames.last(), Some(&line("OK")));
    assert!(!frames.contains(&line("+CREG: 1")), "what the count covers is not looked at");
}

#[test]
fn f26_a_second_prompt_is_not_one() {
    let mut port = lines();
    port.codec.arm_prompt(Some(PromptKind::Data));
    let frames = at_every_split(&port, b"\r\n> \r\n> \r\nOK\r\n");
    assert_eq!(frames, [Frame::Prompt, line("> "), line("OK")]);
}

#[test]
fn f27_a_prompt_character_in_counted_bytes_is_a_byte() {
    let mut port = counting();
    port.codec.arm_prompt(Some(PromptKind::Data));
    let text = message(b">", b"\r\n>");
    let (head, tail) = text.split_at(text.len() - 3);
    assert_eq!(head.last(), Some(&b'>'));
    assert_eq!(port.clone().read(head), []);
    assert_eq!(at_every_split(&port, &text), [line([head, &tail[..1]].concat())]);
    assert!(port.codec.prompt_armed());
}
