//! Received messages in every split, with whatever a hostile publisher may send.

use at_codec::{DamageKind, Frame};

use super::*;
use crate::dialect::cuts::{self, Measure, subscribed};

fn measured(links: &Arc<Links>) -> impl Measure + use<> {
    let mut framing = ReceiveFraming::new(Arc::clone(links));
    move |head: &[u8], resume: &mut usize| framing.measure(head, resume)
}

/// The frames of some bytes that come in these pieces, and what is unfinished at the end.
fn frames_of<'a>(links: &Arc<Links>, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Frame> {
    cuts::frames_of(measured(links), pieces)
}

/// The same in one piece, byte by byte, and in two pieces cut anywhere.
fn frames(links: &Arc<Links>, bytes: &[u8]) -> Vec<Frame> {
    cuts::frames(|| measured(links), bytes)
}

/// The frames between a line before and a line after: in one piece, byte by byte, and in two pieces cut anywhere.
fn between(links: &Arc<Links>, bytes: &[u8]) -> Vec<Frame> {
    let stream = [b"\r\n+CSQ: 1,2\r\n", bytes, b"\r\nOK\r\n"].concat();
    let shown = stream.escape_ascii();
    let whole = frames(links, &stream);
    let [Frame::Line(before), inner @ .., Frame::Line(after)] = &whole[..] else {
        panic!("two lines were expected of {shown}: {whole:?}")
    };
    assert_eq!((&before[..], &after[..]), (&b"+CSQ: 1,2"[..], &b"OK"[..]), "{shown}");
    inner.to_vec()
}

fn message(topic: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = format!("\",{},", payload.len());
    [b"\r\n+MQTTSUBRECV:0,\"", topic, length.as_bytes(), payload, b"\r\n"].concat()
}

/// The only frame of some bytes, as a message: its topic, its payload, and whether it was expected.
fn only_message(links: &Arc<Links>, bytes: &[u8]) -> (Vec<u8>, Vec<u8>, bool) {
    let frames = between(links, bytes);
    let [Frame::Line(line)] = &frames[..] else { panic!("{}: {frames:?}", bytes.escape_ascii()) };
    let message = read(line, links).flatten().expect("a message");
    (message.topic.to_vec(), message.payload.to_vec(), message.expected)
}

const HOSTILE: &[&[u8]] = &[
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\n+CME ERROR: 3\r\n",
    b"\r\n> ",
    b">",
    b"\r\n+MQTTPUB:OK\r\n",
    b"\r\n+MQTTPUB:FAIL\r\n",
    b"\r\n+MQTTDISCONNECTED:0\r\n",
    b"\r\n+MQTTCONNECTED:0,1,\"h\",\"1\",\"\",0\r\n",
    b"\r\n+MQTTCONN:0,3,1,\"h\",\"1\",\"\",0\r\n",
    b"\r\nready\r\n",
    b"\r\nbusy p...\r\n",
    b"\r\nERR CODE:0x00006003\r\n",
    b"\"\r\n+QMTSTAT: 0,1\r\n",
    b"\r\nRDY\r\n",
    b"a\",1,\"x",
    b"a\",99999,\"",
    b"\",,,\"",
    b"\",1,x\r\n",
    b"\",5,hello",
    b"\x1A",
    b"\x1B",
    b"+++",
    b"\0\0\0\0",
    b"\r",
    b"\n",
    b"\r\r\n",
    b"",
    b" ",
    b"AT+RST\r\n",
    b"%s%n",
    b"\x1b[2J",
    b"\r\n+MQTTSUBRECV:0,\"t\",3,abc\r\n\r\nOK\r\n",
    b"{\"a\":[\"x\",5,\"y\"]}",
    b"\"",
    b"\x80\x81\xC0\xFE\xFF",
];

#[test]
fn messages_of_the_user_guide() {
    let links = subscribed(&["topic"]);
    let bytes = b"\r\n+MQTTSUBRECV:0,\"topic\",4,test\r\n";
    assert_eq!(only_message(&links, bytes), (b"topic".to_vec(), b"test".to_vec(), true));
}

#[test]
fn any_payload_comes_as_it_is() {
    for filter in ["t", "+", "#"] {
        let links = subscribed(&[filter]);
        for payload in HOSTILE {
            let expected = (b"t".to_vec(), payload.to_vec(), true);
            assert_eq!(only_message(&links, &message(b"t", payload)), expected, "subscribed to {filter}");
        }
    }
}

#[test]
fn payloads_of_every_length() {
    let links = subscribed(&["t"]);
    for length in [0, 1, 9, 10, 99, 100, 999, 1000, 8192, 16_000] {
        let payload: Vec<u8> = (0..length).map(|at| b"\"\r\n,1"[at % 5]).collect();
        let bytes = message(b"t", &payload);
        for pieces in [bytes.chunks(bytes.len()), bytes.chunks(1), bytes.chunks(7)] {
            let frames = frames_of(&links, pieces);
            let [Frame::Line(line)] = &frames[..] else { panic!("{length}: {frames:?}") };
            let message = counted::Message { topic: b"t", payload: &payload, expected: true };
            assert_eq!(read(line, &links), Some(Some(message)));
        }
    }
}

#[test]
fn a_topic_may_look_like_a_length() {
    for topic in ["a\"b", "a,b", "\"", "a\",b", "a\",,", "\",x,", "a\",1", "a\",1,\"x", "\u{e9}/\u{fc}"] {
        let links = subscribed(&[topic]);
        for payload in [&b"x"[..], b"\r\nOK\r\n", b"\",1,x"] {
            let expected = (topic.as_bytes().to_vec(), payload.to_vec(), true);
            assert_eq!(only_message(&links, &message(topic.as_bytes(), payload)), expected, "{topic}");
        }
    }
}

#[test]
fn a_message_that_is_not_expected_is_passed_over_whole() {
    let lost = subscribed(&["t"]);
    lost.current(0).unwrap().close();
    for links in [Arc::new(Links::default()), subscribed(&["other"]), lost] {
        for payload in [&b"x"[..], b"\r\nOK\r\n\r\n+MQTTDISCONNECTED:0\r\n", b"", b"\r\n"] {
            let expected = (b"t".to_vec(), payload.to_vec(), false);
            assert_eq!(only_message(&links, &message(b"t", payload)), expected);
        }
    }
}

#[test]
fn bytes_that_were_lost_never_make_a_line_of_a_payload() {
    let links = subscribed(&["t"]);
    let payload = b"\r\nOK\r\n\r\n+MQTTDISCONNECTED:0\r\n0123456789";
    let whole = message(b"t", payload);
    for cut in whole.len() - payload.len() - 2..whole.len() - 2 {
        let mut bytes = whole.clone();
        bytes.remove(cut);
        let frames = frames_of(&links, [&bytes[..], b"\r\n+CSQ: 1,2\r\n"]);
        let [Frame::Damaged(damage), lines @ ..] = &frames[..] else { panic!("cut at {cut}: {frames:?}") };
        assert_eq!(damage.kind, DamageKind::Trailer);
        assert!(is_message(&damage.head));
        assert!(
            lines.iter().all(|line| *line == Frame::Line("+CSQ: 1,2".into())),
            "cut at {cut}: {frames:?}"
        );
    }
}

#[test]
fn what_only_begins_alike_is_a_line() {
    let links = subscribed(&["#"]);
    for line in [
        "+MQTTSUB:0,6,\"topic\",1",
        "+MQTTSUBRECV",
        "+MQTTSUBRECV:",
        "+MQTTSUBRECV:0",
        "+MQTTSUBRECV:1,\"t\",1,x",
        "+MQTTSUBRECVX:0,\"t\",1,x",
        "+MQTTSUBRECV:0,\"no length",
    ] {
        let frames = between(&links, format!("\r\n{line}\r\n").as_bytes());
        assert_eq!(frames, [Frame::Line(line.into())], "{line}");
        assert!(read(line.as_bytes(), &links).flatten().is_none(), "{line}");
    }
}
