//! Fetched messages of every layout, in every split, with whatever a hostile publisher may send.

use at_codec::{DamageKind, Frame};
use bytes::Bytes;

use super::*;
use crate::dialect::cuts;

/// The frames of some bytes that come in these pieces, and what is unfinished at the end.
fn frames_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Frame> {
    cuts::frames_of(|head, _| measure(head), pieces)
}

/// The same in one piece, byte by byte, and in two pieces cut anywhere.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    cuts::frames(|| |head: &[u8], _: &mut usize| measure(head), bytes)
}

/// How a module prints a message.
#[derive(Debug, Clone, Copy)]
struct Form {
    /// What stands between the lengths and the topic.
    between: &'static str,
    quote: &'static str,
}

/// Those of the manual, of MC665 modules, with more or other blanks than these, and both without quotes.
const FORMS: [Form; 7] = [
    Form { between: "\r\n", quote: "\"" },
    Form { between: ",", quote: "\"" },
    Form { between: " ", quote: "\"" },
    Form { between: ", ", quote: "\"" },
    Form { between: " \r\n\r\n", quote: "\"" },
    Form { between: "\r\n", quote: "" },
    Form { between: ",", quote: "" },
];

impl Form {
    fn message(self, topic: &[u8], payload: &[u8]) -> Vec<u8> {
        let Self { between, quote } = self;
        let head = format!("\r\n+MQTTREAD: 1,2,{},{}{between}{quote}", topic.len(), payload.len());
        let middle = format!("{quote},{quote}");
        [head.as_bytes(), topic, middle.as_bytes(), payload, quote.as_bytes(), b"\r\n"].concat()
    }
}

/// Topic and payload of the only frame between a line before it and the `OK` behind it.
fn only_message(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let stream = [b"\r\n+CSQ: 1,2\r\n", bytes, b"\r\nOK\r\n"].concat();
    let frames = frames(&stream);
    let [Frame::Line(before), Frame::Line(line), Frame::Line(after)] = &frames[..] else {
        panic!("three lines were expected of {:?}: {frames:?}", stream.escape_ascii().to_string())
    };
    assert_eq!((&before[..], &after[..]), (&b"+CSQ: 1,2"[..], &b"OK"[..]));
    match read(line) {
        Some(Received::Message { client: 1, qos: 2, topic, payload }) => (topic.to_vec(), payload.to_vec()),
        other => panic!("a message was expected of {:?}: {other:?}", stream.escape_ascii().to_string()),
    }
}

fn hostile() -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = &[
        b"\r\nOK\r\n",
        b"\r\nERROR\r\n",
        b"\r\n+CME ERROR: 3\r\n",
        b"\r\nERROR: 703\r\n",
        b"\r\n> ",
        b">",
        b"\"\r\n+MQTTBREAK: 1,1\r\n",
        b"\"\r\n\r\nOK\r\n\r\n+MQTTBREAK: 1,1\r\n",
        b"+MQTTPUB: 1,1",
        b"\r\n+MQTTCLOSE: 1,1\r\n",
        b"\r\n+MQTTLOSE: 1, 1\r\n",
        b"\r\n+MQTTMSGI: 1,0,6,4\r\n",
        b"\r\n+MQTTREAD: 1,0,0,0\r\n",
        b"\r\n+MQTTREAD: 1,0,1,1\r\n\"t\",\"x\"\r\n",
        b"\r\n+SIM READY\r\n",
        b"\r\nAT command ready\r\n",
        b"\r\nMIPCALL: 0\r\n",
        b"\"\r\n+QMTSTAT: 0,1\r\n",
        b"\r\n+CMQTTRXEND: 0\r\n",
        b"\r\n+MQTTDISCONNED: Link Closed\r\n",
        b"\r\nNORMAL POWER DOWN\r\n",
        b"a\",1,\"x",
        b"a\",99999,\"",
        b"\",,,\"",
        b"\",\"",
        b"\"",
        b",",
        b"\",\"x\"\r\n",
        b"\x1A",
        b"\x1B",
        b"+++",
        b"\0\0\0\0",
        b"\r",
        b"\n",
        b"\r\r\n",
        b"\r\n",
        b"\"\r\n",
        b"AT+CFUN=1,1\r",
        b"\";+QPOWD;\"",
        b"%s%n",
        b"\x1b[2J",
        b"{\"a\":[\"x\",5,\"y\"]}",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    all.push((0x80..=0xFF).collect());
    all
}

/// The manual's own example, with the lengths counted.
#[test]
fn f_mqttread_layouts() {
    let expected = (b"topic1".to_vec(), b"Test".to_vec());
    assert_eq!(only_message(b"\r\n+MQTTREAD: 1,2,6,4\r\n\"topic1\",\"Test\"\r\n"), expected);
    assert_eq!(only_message(b"\r\n+MQTTREAD: 1,2,6,4,\"topic1\",\"Test\"\r\n"), expected);
    assert_eq!(only_message(b"\r\n+MQTTREAD: 1,2,6,4 \"topic1\",\"Test\"\r\n"), expected);
    assert_eq!(only_message(b"\r\n+MQTTREAD: 1,2,6,4\r\n\r\n\"topic1\",\"Test\"\r\n"), expected);
    assert_eq!(only_message(b"\r\n+MQTTREAD:1, 2, 6, 4\r\ntopic1,Test\r\n"), expected);
    assert_eq!(only_message(b"\r\n+MQTTREAD: 1,2,6,4,topic1,Test\r\n"), expected);
}

#[test]
fn any_payload_comes_as_it_is() {
    for form in FORMS {
        for payload in hostile().into_iter().chain([vec![]]) {
            let expected = (b"t".to_vec(), payload.clone());
            assert_eq!(only_message(&form.message(b"t", &payload)), expected, "{form:?}");
        }
    }
}

#[test]
fn any_topic_comes_as_it_is() {
    for form in FORMS {
        for topic in hostile() {
            for payload in [&b"hello"[..], b"", b"\"\r\nOK\r\n"] {
                let expected = (topic.clone(), payload.to_vec());
                assert_eq!(only_message(&form.message(&topic, payload)), expected, "{form:?}");
            }
        }
    }
}

/// Without quotes a publisher can write them himself, but not where the module's `OK` has to follow.
#[test]
fn a_publisher_cannot_make_the_other_form_of_one() {
    for form in FORMS {
        for (topic, payload) in [
            ("\"a", "\",\"xy"),
            ("\"a", "\",\"xyz\"\r\n"),
            ("a,", "x\r\ny"),
            ("\"\"", "\",\""),
            ("\"", "\",\"\""),
        ] {
            let expected = (topic.as_bytes().to_vec(), payload.as_bytes().to_vec());
            let bytes = form.message(topic.as_bytes(), payload.as_bytes());
            assert_eq!(only_message(&bytes), expected, "{form:?}");
        }
    }
}

#[test]
fn topics_and_payloads_of_every_length() {
    for form in FORMS {
        for (topic, payload) in
            [(1, 0), (255, 1), (256, 1023), (1, 1024), (255, 1025), (9, 9999), (10_000, 6000), (1, 16_000)]
        {
            let topic: Vec<u8> = (0..topic).map(|at| b"\",a\r\n"[at % 5]).collect();
            let payload: Vec<u8> = (0..payload).map(|at| b"\"\r\n,1"[at % 5]).collect();
            let bytes = [&form.message(&topic, &payload)[..], b"\r\nOK\r\n"].concat();
            for pieces in [bytes.chunks(bytes.len()), bytes.chunks(1), bytes.chunks(7)] {
                let frames = frames_of(pieces);
                let [Frame::Line(line), Frame::Line(_)] = &frames[..] else { panic!("{form:?}: {frames:?}") };
                let expected = Received::Message { client: 1, qos: 2, topic: &topic, payload: &payload };
                assert_eq!(read(line), Some(expected));
            }
        }
    }
}

#[test]
fn other_answers_are_lines() {
    for (line, received) in [
        ("+MQTTREAD: 1,0,0,0", Some(Received::Empty { client: 1 })),
        ("+MQTTREAD:2, 0, 0, 0", Some(Received::Empty { client: 2 })),
        ("+MQTTREAD: 1,0,0,0,\"\",\"\"", Some(Received::Empty { client: 1 })),
        ("+MQTTREAD: (1,2)", None),
        ("+MQTTREAD: (1-2)", None),
        ("+MQTTREAD", None),
        ("+MQTTREAD:", None),
        ("+MQTTREAD: 1", None),
        ("+MQTTREAD: 1,0,5", None),
        ("+MQTTREAD: 999,0,1,1", None),
        ("+MQTTREAD: 1,0,12345678,1", None),
        ("+MQTTREAD: 1,0,,1", None),
        ("+MQTTREADX: 1,0,1,1", None),
        ("+MQTTMSG: 1,0,\"topic1\",\"Test\"", None),
        ("+MQTTMSGI: 1,0,6,4", None),
        ("+MQTTR", None),
    ] {
        let frames = frames(format!("{line}\r\n").as_bytes());
        assert_eq!(frames, [Frame::Line(Bytes::copy_from_slice(line.as_bytes()))]);
        assert_eq!(read(line.as_bytes()), received, "{line}");
    }
}

#[test]
fn a_lost_byte_damages_one_message_and_shows_nothing_of_it() {
    let payload = b"ab\"\r\n+MQTTBREAK: 1,1\r\ncd";
    for form in FORMS {
        let whole = form.message(b"topic", payload);
        let body = whole.len() - 2 - payload.len() - 5;
        for lost in body..whole.len() - 2 {
            let mut bytes = whole.clone();
            bytes.remove(lost);
            bytes.extend_from_slice(b"\r\nOK\r\n\r\n+CSQ: 1,2\r\n");
            let frames = frames(&bytes);
            let Frame::Damaged(damage) = &frames[0] else { panic!("{form:?} {lost}: {frames:?}") };
            assert_eq!((damage.kind, client_of(&damage.head)), (DamageKind::Trailer, Some(1)));
            let is_forged = |frame: &Frame| matches!(frame, Frame::Line(line) if line.starts_with(b"+MQTT"));
            assert!(!frames.iter().any(is_forged), "{frames:?}");
            assert_eq!(frames.last(), Some(&Frame::Line(Bytes::from_static(b"+CSQ: 1,2"))), "{frames:?}");
        }
    }
}

#[test]
fn impossible_lengths_are_skipped_by_their_length() {
    for form in FORMS {
        let mut bytes = form.message(b"t", &[b'x'; facts::RECEIVED + 1]);
        let at = bytes.len() - 100;
        bytes.splice(at..at + 10, *b"\r\nERROR\r\n\"");
        bytes.extend_from_slice(b"\r\nOK\r\n\r\n+CSQ: 1,2\r\n");
        for pieces in [bytes.chunks(bytes.len()), bytes.chunks(1)] {
            let frames = frames_of(pieces);
            let Frame::Damaged(damage) = &frames[0] else { panic!("{frames:?}") };
            assert_eq!(damage.kind, DamageKind::Count);
            let lines = frames.iter().filter_map(|frame| match frame {
                Frame::Line(line) => Some(&line[..]),
                _ => None,
            });
            assert_eq!(lines.last(), Some(&b"+CSQ: 1,2"[..]), "{form:?}");
            assert!(!frames.contains(&Frame::Line(Bytes::from_static(b"ERROR"))));
        }
    }
}

#[test]
fn a_message_that_stops_is_given_up() {
    for form in FORMS {
        let whole = form.message(b"topic", b"hello");
        for end in 3..whole.len() - 2 {
            let frames = frames_of([&whole[..end]]);
            let [Frame::Damaged(damage)] = &frames[..] else { panic!("{form:?} {end}: {frames:?}") };
            assert_eq!(damage.kind, DamageKind::Silence);
        }
    }
}

#[test]
fn a_header_is_enough_to_know_how_much_is_needed() {
    let head = b"+MQTTREAD: 1,0,5,1000\r\n\"";
    assert_eq!(measure(head), Extent::NeedMore(head.len() + 5 + 1), "up to the quote behind the topic");
    let head = b"+MQTTREAD: 1,0,5,1000\r\n\"topic\",\"";
    assert_eq!(measure(head), Extent::NeedMore(head.len() + 1000 + 1), "up to the quote behind the payload");
    let head = b"+MQTTREAD: 1,0,5,1000\r\ntopic,";
    assert_eq!(measure(head), Extent::NeedMore(head.len() + 1000 + 1), "up to the line end");
}
