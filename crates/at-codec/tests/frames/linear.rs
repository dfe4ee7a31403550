//! Time and memory: bytes are looked at a bounded number of times, and buffers are used again.

use at_codec::{Frame, Limits, LinesOnly};
use bytes::BytesMut;

use crate::harness::Port;
use crate::toy::{Toy, message, toy};

fn port() -> Port<Toy> {
    Port::new(toy(10_240), Limits::default())
}

#[test]
fn a_counted_element_is_measured_once_more_when_it_is_complete() {
    for length in [128, 1024, 10_240] {
        let text = message(b"site/7/up", &vec![b'x'; length]);
        let mut port = port();
        assert_eq!(port.read_in_pieces(&text, 1).len(), 1);
        let rule = port.codec.framing();
        assert!(rule.calls < 40, "{} calls for {length} bytes of payload", rule.calls);
        assert!(rule.examined < 200, "{} bytes examined for {length} of payload", rule.examined);
    }
}

#[test]
fn a_long_topic_is_looked_at_once() {
    for length in [100, 1_000, 10_000] {
        let text = message(&vec![b't'; length], b"hello");
        let mut port = port();
        assert_eq!(port.read_in_pieces(&text, 1).len(), 1);
        let rule = port.codec.framing();
        assert!(rule.calls <= length + 40, "{} calls for a topic of {length} bytes", rule.calls);
        assert!(rule.examined <= length + 200, "{} bytes examined for a topic of {length}", rule.examined);
    }
}

#[test]
fn an_ordinary_line_is_measured_once() {
    let mut port = port();
    let mut lines = b"OK\r\n".repeat(1000);
    lines.extend([b'x'; 100_000]);
    lines.extend(b"\r\n");
    let frames = port.read_in_pieces(&lines, 1);
    assert_eq!(frames.iter().filter(|frame| matches!(frame, Frame::Line(_))).count(), 1000);
    assert_eq!(port.codec.framing().calls, 1001);
}

#[test]
fn a_whole_buffer_is_measured_once_per_element() {
    let text = message(b"t", &[b'\n'; 1000]);
    let mut port = port();
    assert_eq!(port.read(&text.repeat(50)).len(), 50);
    assert_eq!(port.codec.framing().calls, 50);
}

#[test]
fn frames_are_slices_of_the_read_buffer() {
    let text = message(b"t", b"hello");
    let mut port = port();
    port.buffer = BytesMut::with_capacity(4096);
    let start = port.buffer.as_ptr() as usize;
    let frames = port.read(&text.repeat(3));
    for (nth, frame) in frames.iter().enumerate() {
        let Frame::Line(line) = frame else { panic!("{frame:?}") };
        assert_eq!(line.as_ptr() as usize, start + nth * text.len());
    }
}

#[test]
fn a_buffer_without_kept_frames_is_used_again() {
    let text = [&message(b"t", &[b'x'; 700])[..], b"\r\nOK\r\n"].concat();
    let mut port = port();
    port.buffer = BytesMut::with_capacity(4096);
    let block = port.buffer.as_ptr() as usize..port.buffer.as_ptr() as usize + 4096;
    for _ in 0..1000 {
        for piece in text.chunks(96) {
            port.buffer.reserve(96);
            assert!(block.contains(&(port.buffer.as_ptr() as usize)), "the buffer was replaced");
            drop(port.read(piece));
        }
    }
}

#[test]
fn what_waits_is_bounded_by_the_limits() {
    let limits = Limits::default().max_line(100).max_element(500);
    let mut port = Port::new(toy(usize::MAX >> 8), limits);
    for stretch in [&b"+X: 0,\"t\",999999,\""[..], b"+X: 0,\"", b"plain"] {
        port.read(stretch);
        for _ in 0..2000 {
            port.read(b"yyyyyyy");
            assert!(port.buffer.len() <= 500);
            assert!(port.buffer.capacity() <= 4096);
        }
        port.give_up();
        port.read(b"\r\n");
    }
}

#[test]
fn events_pin_no_buffer() {
    let mut port = Port::new(LinesOnly, Limits::default());
    port.buffer = BytesMut::with_capacity(4096);
    let block = port.buffer.as_ptr() as usize..port.buffer.as_ptr() as usize + 4096;
    port.read(&[b'x'; 3000]);
    let Some(Frame::Damaged(damage)) = port.give_up() else { panic!("a line is unfinished") };
    assert_eq!(damage.head.len(), 64);
    assert!(!block.contains(&(damage.head.as_ptr() as usize)));
}
