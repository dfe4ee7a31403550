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

fn message(id: u32, topic: &[u8], payload: &[u8]) -> Vec<u8> {
    let (start, length) = (format!("\r\n+MQTTSUB:{id},\""), format!("\",{},", payload.len()));
    [start.as_bytes(), topic, length.as_bytes(), payload, b"\r\n"].concat()
}

/// The frames between a line before and a line after.
fn between(links: &Arc<Links>, bytes: &[u8]) -> Vec<Frame> {
    let stream = [b"\r\n+CSQ: 1,2\r\n", bytes, b"\r\nOK\r\n"].concat();
    let frames = frames(links, &stream);
    let [Frame::Line(before), inner @ .., Frame::Line(after)] = &frames[..] else {
        panic!("two lines were expected of {}: {frames:?}", stream.escape_ascii())
    };
    assert_eq!((&before[..], &after[..]), (&b"+CSQ: 1,2"[..], &b"OK"[..]), "{}", stream.escape_ascii());
    inner.to_vec()
}

/// The only frame of some bytes, as a message: its topic, its payload, and whether it was expected.
fn only_message(links: &Arc<Links>, bytes: &[u8]) -> (Vec<u8>, Vec<u8>, bool) {
    let frames = between(links, bytes);
    let [Frame::Line(line)] = &frames[..] else { panic!("{}: {frames:?}", bytes.escape_ascii()) };
    let message = read(line, links).and_then(|received| received.message).expect("a message");
    (message.topic.to_vec(), message.payload.to_vec(), message.expected)
}

fn hostile() -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = &[
        b"\r\nOK\r\n",
        b"\r\nERROR\r\n",
        b"\r\n+CME ERROR: 3\r\n",
        b"\r\n+CMD ERROR: <-3>\r\n",
        b"\r\n> ",
        b">",
        b"\"\r\n+QMTSTAT: 0,1\r\n",
        b"+QMTPUBEX: 0,7,0",
        b"\"\r\n+MQTTBREAK: 1,1\r\n",
        b"\r\n+CMQTTRXEND: 0\r\n",
        b"\r\n+CMQTTCONNLOST: 0,1\r\n",
        b"\r\n+MQTTDISCONNED: Link Closed\r\n",
        b"\r\n+MQTTPUBS: Timeout!\r\n",
        b"\r\nMODEM:STARTUP\r\n",
        b"\r\nRDY\r\n",
        b"\r\nNORMAL POWER DOWN\r\n",
        b"a\",1,\"x",
        b"a\",99999,\"",
        b"\",,,\"",
        b"\",1,x\r\n",
        b"\",0,\r\n+MQTTDISCONNED\r\n",
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
        b"AT+CFUN=1,1\r",
        b"\";+QPOWD;\"",
        b"%s%n",
        b"\x1b[2J",
        b"\r\n\r\n+MQTTSUB:0,\"t\",3,abc\r\n\r\nOK\r\n",
        b"{\"a\":[\"x\",5,\"y\"]}",
        b"\"",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    all.push((0x80..=0xFF).collect());
    all
}

#[test]
fn n_urc_mqttsub() {
    let links = subscribed(&["lixystopic", "neoway02"]);
    for (line, id, topic, payload) in [
        ("+MQTTSUB:4,\"lixystopic\",20,this is for testing!", Some(4), "lixystopic", "this is for testing!"),
        ("+MQTTSUB:9,\"neoway02\",11,neoway mqtt", Some(9), "neoway02", "neoway mqtt"),
        ("+MQTTSUB: 9,\"neoway02\",11,neoway mqtt", Some(9), "neoway02", "neoway mqtt"),
        ("+MQTTSUB:5,\"neoway02\",11, neowaymqtt", Some(5), "neoway02", " neowaymqtt"),
        ("+MQTTSUB:0,\"neoway02\",0,", None, "neoway02", ""),
        ("+MQTTSUB:0,\"neoway02\", 3,abc", None, "neoway02", "abc"),
        // With several clients, the number of the client goes first.
        ("+MQTTSUB:1,7,\"neoway02\",3,abc", Some(7), "neoway02", "abc"),
        ("+MQTTSUB: 1, 7, \"neoway02\",3,abc", Some(7), "neoway02", "abc"),
        // N27, whose driver does not rely on the plus sign.
        ("MQTTSUB:0,\"neoway02\",4,\r\nOK", None, "neoway02", "\r\nOK"),
        ("+MQTTSUB:70000,\"neoway02\",1,x", None, "neoway02", "x"),
    ] {
        let frames = frames(&links, format!("\r\n{line}\r\n").as_bytes());
        assert_eq!(frames, [Frame::Line(line.as_bytes().to_vec().into())], "{line}");
        let message =
            counted::Message { topic: topic.as_bytes(), payload: payload.as_bytes(), expected: true };
        let expected = Received { source: Source::Broker, id, message: Some(message) };
        assert_eq!(read(line.as_bytes(), &links), Some(expected), "{line}");
    }
}

#[test]
fn any_payload_comes_as_it_is() {
    for filter in ["t", "+", "#", "$share/g/t"] {
        let links = subscribed(&[filter]);
        for payload in hostile() {
            let expected = (b"t".to_vec(), payload.clone(), true);
            assert_eq!(only_message(&links, &message(7, b"t", &payload)), expected, "subscribed to {filter}");
        }
    }
}

#[test]
fn payloads_of_every_length() {
    let links = subscribed(&["t"]);
    for length in [0, 1, 9, 10, 99, 100, 999, 1000, 1024, 9999, 10_239, 10_240, 10_241, 16_000] {
        let payload: Vec<u8> = (0..length).map(|at| b"\"\r\n,1"[at % 5]).collect();
        let bytes = message(65_535, b"t", &payload);
        for pieces in [bytes.chunks(bytes.len()), bytes.chunks(1), bytes.chunks(7)] {
            let frames = frames_of(&links, pieces);
            let [Frame::Line(line)] = &frames[..] else { panic!("{length}: {frames:?}") };
            let message = counted::Message { topic: b"t", payload: &payload, expected: true };
            let expected = Received { source: Source::Broker, id: Some(65_535), message: Some(message) };
            assert_eq!(read(line, &links), Some(expected));
        }
    }
}

#[test]
fn a_topic_may_look_like_anything_but_a_length() {
    for topic in ["a\"b", "a,b", "\"", "a\",b", "a\",,", "\",x,", "a\",1", "é/ü"] {
        let links = subscribed(&[topic]);
        for payload in [&b"x"[..], b"\r\nOK\r\n", b"\",1,x"] {
            let expected = (topic.as_bytes().to_vec(), payload.to_vec(), true);
            assert_eq!(only_message(&links, &message(0, topic.as_bytes(), payload)), expected, "{topic}");
        }
    }
    // With exact filters even what looks like a length is no trouble.
    let topic = "a\",1,\"x";
    let links = subscribed(&[topic]);
    assert_eq!(
        only_message(&links, &message(0, topic.as_bytes(), b"\r\nOK\r\n")),
        (topic.as_bytes().to_vec(), b"\r\nOK\r\n".to_vec(), true)
    );
}

#[test]
fn a_message_that_is_not_expected_is_passed_over_whole() {
    let unsubscribed = subscribed(&["other"]);
    let lost = subscribed(&["t"]);
    lost.current(0).unwrap().close();
    for links in [Arc::new(Links::default()), unsubscribed, lost] {
        for payload in [&b"x"[..], b"\r\nOK\r\n\r\n+MQTTDISCONNED: Link Closed\r\n", b"", b"\r\n"] {
            let expected = (b"t".to_vec(), payload.to_vec(), false);
            assert_eq!(only_message(&links, &message(3, b"t", payload)), expected);
        }
    }
}

#[test]
fn bytes_that_were_lost_never_make_a_line_of_a_payload() {
    let links = subscribed(&["t"]);
    let payload = b"\r\nOK\r\n\r\n+MQTTDISCONNED: Link Closed\r\n0123456789";
    let whole = message(1, b"t", payload);
    for cut in whole.len() - payload.len() - 2..whole.len() - 2 {
        let mut bytes = whole.clone();
        bytes.remove(cut);
        let frames = frames(&links, &[&bytes[..], b"\r\n+CSQ: 1,2\r\n"].concat());
        let lines = frames.iter().filter(|frame| matches!(frame, Frame::Line(_)));
        let texts: Vec<_> = lines.collect();
        assert!(
            matches!(&frames[0], Frame::Damaged(damage) if damage.kind == DamageKind::Trailer),
            "{frames:?}"
        );
        assert!(
            texts.iter().all(|line| **line == Frame::Line("+CSQ: 1,2".into())),
            "cut at {cut}: {frames:?}"
        );
    }
}

#[test]
fn a_count_beyond_reason_is_damage() {
    let links = subscribed(&["t"]);
    let frames = frames_of(&links, [&b"+MQTTSUB:0,\"t\",9999999,x\r\n"[..]]);
    assert!(
        matches!(&frames[..], [Frame::Damaged(damage)] if damage.kind == DamageKind::Count),
        "{frames:?}"
    );
    let bytes =
        [b"+MQTTSUB:0,\"t\",99999,x\r\n".to_vec(), vec![b'y'; 99_999], b"\r\nOK\r\n".to_vec()].concat();
    let frames = frames_of(&links, [&bytes[..]]);
    assert!(matches!(&frames[0], Frame::Damaged(damage) if damage.kind == DamageKind::Count), "{frames:?}");
    assert_eq!(frames.last(), Some(&Frame::Line("OK".into())));
}

#[test]
fn what_only_begins_alike_is_a_line() {
    let links = subscribed(&["#"]);
    for line in [
        "+MQTTSUB:\"neoway02\",1",
        "+MQTTSUB: \"neoway02\",1",
        "+MQTTSUB: 1,1",
        "+MQTTSUB: 1",
        "+MQTTSUB:",
        "+MQTTSUB",
        "+MQTTSUBX: 0,\"t\",1,x",
        "+MQTTSTATE:1",
        "+MQTTSUB: 1,2,3,\"t\",1,x",
        "+MQTTSUB: 12345678901,\"t\",1,x",
        "+CLOUDPUBLISH",
        "+CLOUDPUBACK: <OK>",
        "+MQTTSUB:0,\"no length",
        "MQTTSUB",
        "MQTTSUBX:0,\"t\",1,x",
        "MODEM:STARTUP",
    ] {
        let frames = between(&links, format!("\r\n{line}\r\n").as_bytes());
        assert_eq!(frames, [Frame::Line(line.into())], "{line}");
        assert!(read(line.as_bytes(), &links).is_none_or(|received| received.message.is_none()), "{line}");
    }
}

#[test]
fn n_urc_cloudpublish() {
    let links = Arc::new(Links::default());
    let cases: &[(&str, &[u8], &[u8])] = &[
        ("+CLOUDPUBLISH: 11015,/pk/dn/get,8,88990011", b"/pk/dn/get", b"88990011"),
        ("+CLOUDPUBLISH:11015,/pk/dn/get,8,88990011", b"/pk/dn/get", b"88990011"),
        ("+CLOUDPUBLISH: 11015, /pk/dn/get, 8, 88990011", b"/pk/dn/get", b"88990011"),
        ("+CLOUDPUBLISH: 11015, /pk/dn/get, 0, ", b"/pk/dn/get", b""),
        ("+CLOUDPUBLISH: 11015,/pk/dn/get,0,", b"/pk/dn/get", b""),
        ("+CLOUDPUBLISH: 42069,\"/pk/dn/get\",3,abc", b"/pk/dn/get", b"abc"),
        ("+CLOUDPUBLISH: 1,/a,3, ab", b"/a", b" ab"),
        ("+CLOUDPUBLISH: 1, /a, 3,  ab", b"/a", b" ab"),
        ("+CLOUDPUBLISH: 1,/a,b,3,x,1", b"/a,b", b"x,1"),
        ("+CLOUDPUBLISH: 1,/a,6,\r\nOK\r\n", b"/a", b"\r\nOK\r\n"),
        ("+CLOUDPUBLISH: 1, /a, 6, \r\nOK\r\n", b"/a", b"\r\nOK\r\n"),
    ];
    for (line, topic, payload) in cases {
        let frames = between(&links, format!("\r\n{line}\r\n").as_bytes());
        assert_eq!(frames, [Frame::Line((*line).into())], "{line}");
        let received = read(line.as_bytes(), &links).unwrap();
        assert_eq!(received.source, Source::Alibaba);
        let message = received.message.unwrap();
        assert_eq!((message.topic, message.payload), (*topic, *payload), "{line}");
    }
    for payload in hostile() {
        for space in ["", " "] {
            let head = format!("\r\n+CLOUDPUBLISH: 1,{space}/a/b,{space}{},{space}", payload.len());
            let bytes = [head.as_bytes(), &payload, b"\r\n"].concat();
            assert_eq!(only_message(&links, &bytes), (b"/a/b".to_vec(), payload.clone(), true));
        }
    }
}

#[test]
fn messages_from_aws_are_counted_too() {
    let links = Arc::new(Links::default());
    for payload in hostile() {
        let head = format!("\r\n+AWSSUBRECV: 5,\"nwy_test/01\",{},", payload.len());
        let bytes = [head.as_bytes(), &payload, b"\r\n"].concat();
        assert_eq!(only_message(&links, &bytes), (b"nwy_test/01".to_vec(), payload.clone(), true));
    }
}
