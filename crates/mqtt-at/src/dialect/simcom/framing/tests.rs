//! Received messages in parts and in one line, in every split, with whatever a hostile publisher may send.

use at_codec::Frame;

use super::*;
use crate::dialect::cuts::{self, Measure};
use crate::topic::TopicFilter;

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

/// What firmware prints around the bytes of a part.
#[derive(Debug, Clone, Copy)]
struct Around {
    /// Between a header's line end and its bytes.
    before: &'static [u8],
    /// Between the bytes and the next header.
    after: &'static [u8],
}

/// The manual's examples, the manual's formal text, and SIM7600EI.
const LAYOUTS: [Around; 4] = [
    Around { before: b"", after: b"\r\n" },
    Around { before: b"", after: b"" },
    Around { before: b"", after: b"\r\n\r\n" },
    Around { before: b"\r\n", after: b"\r\n\r\n" },
];

/// A message with its bytes in parts of at most `part`; without any parts for an empty payload.
fn message(layout: Around, client: u8, topic: &[u8], payload: &[u8], part: usize) -> Vec<u8> {
    let mut bytes = format!("\r\n+CMQTTRXSTART: {client},{},{}\r\n", topic.len(), payload.len()).into_bytes();
    for (name, field) in [("TOPIC", topic), ("PAYLOAD", payload)] {
        for part in field.chunks(part) {
            bytes.extend_from_slice(format!("+CMQTTRX{name}: {client},{}\r\n", part.len()).as_bytes());
            bytes.extend_from_slice(layout.before);
            bytes.extend_from_slice(part);
            bytes.extend_from_slice(layout.after);
        }
    }
    bytes.extend_from_slice(format!("+CMQTTRXEND: {client}\r\n").as_bytes());
    bytes
}

/// Topic and payload of the only message between a line before and a line after.
fn only_message(links: &Arc<Links>, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let stream = [b"\r\n+CSQ: 1,2\r\n", bytes, b"\r\nOK\r\n"].concat();
    let frames = frames(links, &stream);
    let lines: Vec<_> = frames
        .iter()
        .map(|frame| match frame {
            Frame::Line(line) => &line[..],
            other => panic!("a line was expected of {}: {other:?}", stream.escape_ascii()),
        })
        .collect();
    let [b"+CSQ: 1,2", elements @ .., b"OK"] = &lines[..] else {
        panic!("the lines around are gone: {}", stream.escape_ascii())
    };
    let (mut topic, mut payload) = (Vec::new(), Vec::new());
    for (position, element) in elements.iter().enumerate() {
        match read(element, links).unwrap() {
            Received::Start { .. } => assert_eq!(position, 0),
            Received::Topic { bytes, .. } => topic.extend_from_slice(bytes),
            Received::Payload { bytes, .. } => payload.extend_from_slice(bytes),
            Received::End { .. } => assert_eq!(position, elements.len() - 1),
            Received::Whole { topic: whole, payload: bytes, .. } => {
                topic.extend_from_slice(whole);
                payload.extend_from_slice(bytes);
            }
        }
    }
    (topic, payload)
}

fn hostile() -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = &[
        b"\r\nOK\r\n",
        b"\r\nERROR\r\n",
        b"\r\n+CME ERROR: 3\r\n",
        b"\r\n> ",
        b">",
        b"\"\r\n+QMTSTAT: 0,1\r\n",
        b"+CMQTTPUB: 0,0",
        b"\"\r\n+MQTTBREAK: 1,1\r\n",
        b"\r\n+CMQTTRXEND: 0\r\n",
        b"\r\n+CMQTTCONNLOST: 0,1\r\n",
        b"\r\n+MQTTDISCONNED: Link Closed\r\n",
        b"\r\nRDY\r\n",
        b"\r\nNORMAL POWER DOWN\r\n",
        b"\r\n+CMQTTRXPAYLOAD: 0,3\r\nabc",
        b"+CMQTTRXPAYLOAD: 0,3\r\nabc\r\n",
        b"+CMQTTRX",
        b"a\",1,\"x",
        b"a\",99999,\"",
        b"\",,,\"",
        b"\"",
        b"\x1A",
        b"\x1B",
        b"+++",
        b"\0\0\0\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\r\n",
        b"AT+CFUN=1,1\r",
        b"\";+QPOWD;\"",
        b"%s%n",
        b"\x1b[2J",
        b"+CMQTTRXSTART: 0,1,1\r\n+CMQTTRXTOPIC: 0,1\r\nt\r\n+CMQTTRXPAYLOAD: 0,1\r\nx\r\n+CMQTTRXEND: 0\r\n",
        b"{\"a\":[\"x\",5,\"y\"]}",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    all.push((0x80..=0xFF).collect());
    all
}

#[test]
fn any_payload_comes_as_it_is() {
    let links = Arc::new(Links::default());
    for layout in LAYOUTS {
        for payload in hostile() {
            let expected = (b"t/1".to_vec(), payload.clone());
            let bytes = message(layout, 0, b"t/1", &payload, 4096);
            assert_eq!(only_message(&links, &bytes), expected, "{layout:?}");
        }
        let bytes = message(layout, 0, b"t/1", b"", 4096);
        assert_eq!(only_message(&links, &bytes), (b"t/1".to_vec(), Vec::new()), "{layout:?}");
    }
}

/// A topic that ends with a line end tells no layout but the manual's; brokers refuse control characters in topics.
#[test]
fn any_topic_comes_as_it_is() {
    let links = Arc::new(Links::default());
    for layout in LAYOUTS {
        for topic in hostile() {
            if topic.ends_with(b"\r\n") && (layout.after.is_empty() || !layout.before.is_empty()) {
                continue;
            }
            let bytes = message(layout, 1, &topic, b"payload", 4096);
            assert_eq!(only_message(&links, &bytes), (topic, b"payload".to_vec()), "{layout:?}");
        }
    }
}

#[test]
fn parts_may_be_cut_anywhere() {
    let links = Arc::new(Links::default());
    let payload = b"12\r\nOK\r\n34\r\n+CMQTTRXEND: 0\r\n";
    for layout in LAYOUTS {
        for part in 1..=payload.len() {
            let bytes = message(layout, 0, b"a/b", payload, part);
            let expected = (b"a/b".to_vec(), payload.to_vec());
            assert_eq!(only_message(&links, &bytes), expected, "{layout:?}, parts of {part}");
        }
    }
}

#[test]
fn payloads_of_every_length() {
    let links = Arc::new(Links::default());
    for length in [0, 1, 2, 9, 10, 99, 100, 999, 1000, 1499, 1500, 1501, 1520, 9999, 10_239, 10_240, 60_000] {
        let payload: Vec<u8> = (0..length).map(|at| b"\"\r\n,1"[at % 5]).collect();
        let bytes = message(LAYOUTS[0], 0, b"t", &payload, 1500);
        for pieces in [bytes.chunks(bytes.len()), bytes.chunks(1), bytes.chunks(7)] {
            let mut got = Vec::new();
            for frame in frames_of(&links, pieces) {
                let Frame::Line(line) = frame else { panic!("{length}: {frame:?}") };
                if let Some(Received::Payload { bytes, .. }) = read(&line, &links) {
                    got.extend_from_slice(bytes);
                }
            }
            assert_eq!(got, payload, "{length}");
        }
    }
}

#[test]
fn s_urc_rx_as_the_manual_shows_it() {
    let links = Arc::new(Links::default());
    let bytes = b"\r\n+CMQTTRXSTART: 0,9,60\r\n+CMQTTRXTOPIC: 0,9\r\nsimcommsg\r\n+CMQTTRXPAYLOAD: 0,60\r\n\
        012345678901234567890123456789012345678901234567890123456789\r\n+CMQTTRXEND: 0\r\n";
    let (topic, payload) = only_message(&links, bytes);
    assert_eq!((&topic[..], payload.len()), (&b"simcommsg"[..], 60));
    let elements = [
        (&b"+CMQTTRXSTART: 0,9,60"[..], Received::Start { client: 0, topic: 9, payload: 60 }),
        (b"+CMQTTRXSTART:1,1024,10240", Received::Start { client: 1, topic: 1024, payload: 10_240 }),
        (b"+CMQTTRXEND: 1", Received::End { client: 1 }),
    ];
    for (line, element) in elements {
        assert_eq!(read(line, &links), Some(element));
    }
    for line in
        ["+CMQTTRXSTART: 0,9", "+CMQTTRXSTART: 0,9,60,1", "+CMQTTRXEND: 0,1", "+CMQTTRXEND", "+CSQ: 1"]
    {
        assert_eq!(read(line.as_bytes(), &links), None, "{line}");
    }
}

/// From a capture of SIM7600EI: blank lines everywhere, and a payload of several lines.
#[test]
fn blank_lines_around_the_bytes_are_not_theirs() {
    let links = Arc::new(Links::default());
    let payload = b"{\r\n\"message\": \"Hello from AWS IoT console\"\r\n}";
    let head =
        format!("\r\n+CMQTTRXSTART: 0,3,{}\r\n\r\n+CMQTTRXTOPIC: 0,3\r\n\r\naws\r\n\r\n", payload.len());
    let header = format!("+CMQTTRXPAYLOAD: 0,{}\r\n\r\n", payload.len());
    let bytes = [head.as_bytes(), header.as_bytes(), payload, b"\r\n\r\n+CMQTTRXEND: 0\r\n"].concat();
    assert_eq!(only_message(&links, &bytes), (b"aws".to_vec(), payload.to_vec()));

    // Such firmware, and a payload that ends with a line end: the place of the topic decides.
    let bytes = message(LAYOUTS[3], 0, b"aws", b"x\r\n", 99);
    assert_eq!(only_message(&links, &bytes), (b"aws".to_vec(), b"x\r\n".to_vec()));
    // Other firmware, and a payload that begins with one.
    let bytes = message(LAYOUTS[0], 0, b"aws", b"\r\nx", 99);
    assert_eq!(only_message(&links, &bytes), (b"aws".to_vec(), b"\r\nx".to_vec()));
}

/// The kinds of damage in some bytes, and the lines that are left.
fn damage(bytes: &[u8]) -> (Vec<DamageKind>, Vec<String>) {
    let links = Arc::new(Links::default());
    let (mut kinds, mut lines) = (Vec::new(), Vec::new());
    for frame in frames(&links, bytes) {
        match frame {
            Frame::Damaged(damage) => kinds.push(damage.kind),
            Frame::Line(line) => lines.push(String::from_utf8(line.to_vec()).unwrap()),
            other => panic!("{other:?}"),
        }
    }
    (kinds, lines)
}

#[test]
fn a_lost_byte_is_noticed_and_no_byte_becomes_a_line() {
    // Two bytes of the payload are lost, so that the count reaches into what follows.
    let bytes = b"\r\n+CMQTTRXPAYLOAD: 0,9\r\n\r\nOK\r\n1\r\n+CMQTTRXEND: 0\r\n\r\n+CSQ: 1\r\n";
    assert_eq!(damage(bytes), (vec![DamageKind::Trailer], vec!["+CSQ: 1".to_owned()]));
    // One byte too many.
    let bytes = b"\r\n+CMQTTRXPAYLOAD: 0,6\r\n\r\nOK\r\n1\r\n+CMQTTRXEND: 0\r\n";
    assert_eq!(damage(bytes), (vec![DamageKind::Trailer], vec!["+CMQTTRXEND: 0".to_owned()]));
}

/// The count of a topic that lost bytes must not be made up with the line end behind it.
#[test]
fn a_topic_that_lost_bytes_is_not_delivered() {
    let links = Arc::new(Links::default());
    let whole = message(LAYOUTS[0], 0, b"a/topic", b"1", 99);
    let at = whole.windows(7).position(|bytes| bytes == b"a/topic").unwrap();
    for lost in 1..7 {
        let bytes = [&whole[..at], &whole[at + lost..]].concat();
        let damaged = frames(&links, &bytes).into_iter().filter(|frame| matches!(frame, Frame::Damaged(_)));
        assert_eq!(damaged.count(), 1, "{lost} bytes are lost");
    }
}

#[test]
fn headers_that_cannot_be_right_are_damage() {
    for header in ["0", "0,", "0,x", "x,5", "0,5,5", "0,123456789", "-1,5", "256,5", "0,5 5", "     0,5"] {
        let bytes = format!("\r\n+CMQTTRXPAYLOAD: {header}\r\n\r\n+CSQ: 1\r\n");
        let expected = (vec![DamageKind::Count], vec!["+CSQ: 1".to_owned()]);
        assert_eq!(damage(bytes.as_bytes()), expected, "{header}");
    }
    // So many bytes that no message has them are waited for, but not kept.
    let (kinds, lines) = damage(b"\r\n+CMQTTRXPAYLOAD: 0,65537\r\n\r\nOK\r\n");
    assert_eq!((kinds, lines.len()), (vec![DamageKind::Count], 0));
    let (kinds, lines) = damage(b"\r\n+CMQTTRXTOPIC: 0,20000\r\n\r\nOK\r\n");
    assert_eq!((kinds, lines.len()), (vec![DamageKind::TooLong], 0));
}

#[test]
fn names_that_only_begin_alike_are_lines() {
    for line in ["+C", "+CMQTTRX", "+CMQTTRXTOPICS: 0,5", "+CMQTTRXPAYLOAD", "+CMQTTRECVX: 0,\"t\",1,\"x\""] {
        let bytes = format!("\r\n{line}\r\n\r\nOK\r\n");
        assert_eq!(damage(bytes.as_bytes()), (vec![], vec![line.to_owned(), "OK".to_owned()]));
    }
}

/// As `argtopic` firmware reports messages, for clients that a former host left in this mode.
#[test]
fn messages_in_one_line_are_counted_too() {
    let links = Arc::new(Links::default());
    let link = links.begin(0, false);
    link.expect([TopicFilter::new("cmd/#").unwrap()]);
    let whole = |topic: &str, payload: &[u8]| {
        let head = format!("\r\n+CMQTTRECV: 0,\"{topic}\",{},\"", payload.len());
        [head.as_bytes(), payload, b"\"\r\n"].concat()
    };
    let manual = whole("cmd/config/heater_ss_min_on_sec/set", b"40");
    assert_eq!(only_message(&links, &manual).1, b"40");
    for payload in hostile().iter().map(Vec::as_slice).chain([&b""[..]]) {
        for topic in ["cmd/a", "cmd/\",1,\"x", "foreign"] {
            let expected = (topic.as_bytes().to_vec(), payload.to_vec());
            assert_eq!(only_message(&links, &whole(topic, payload)), expected);
        }
    }
    let (kinds, _) = damage(b"\r\n+CMQTTRECV: 0,\"t\",5,\"123\"\r\n\r\n+CSQ: 1\r\n\r\nOK\r\n");
    assert_eq!(kinds, [DamageKind::Trailer]);
    let broken = (vec![], vec!["+CMQTTRECV: x".to_owned(), "OK".to_owned()]);
    assert_eq!(damage(b"\r\n+CMQTTRECV: x\r\n\r\nOK\r\n"), broken);
    assert_eq!(read(b"+CMQTTRECV: x", &links), None);
}

#[test]
fn the_client_of_a_broken_element_is_known() {
    for (head, client) in [
        (&b"+CMQTTRXPAYLOAD: 1,6\r\nabc"[..], Some(1)),
        (b"+CMQTTRXTOPIC: 0,x", Some(0)),
        (b"+CMQTTRXEND: 1", Some(1)),
        (b"+CMQTTRECV: 0,\"t", Some(0)),
        (b"+CMQTTRXPAYLOAD: x", None),
        (b"+CSQ: 1", None),
    ] {
        assert_eq!(client_of(head), client, "{}", head.escape_ascii());
    }
}
