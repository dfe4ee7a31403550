//! Received messages of every layout, in every split, with whatever a hostile publisher may send.

use at_codec::{DamageKind, Frame};
use bytes::Bytes;

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

fn message(packet: u16, topic: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("+QMTRECV: 0,{packet},\"{topic}\",{},\"", payload.len());
    [b"\r\n", head.as_bytes(), payload, b"\"\r\n"].concat()
}

/// The only frame between a line before and a line after, as a message.
fn only_message(links: &Arc<Links>, bytes: &[u8]) -> (String, Vec<u8>, bool) {
    let stream = [b"\r\n+CSQ: 1,2\r\n", bytes, b"\r\nOK\r\n"].concat();
    let frames = frames(links, &stream);
    let [Frame::Line(before), Frame::Line(line), Frame::Line(after)] = &frames[..] else {
        panic!("three lines were expected of {:?}: {frames:?}", stream.escape_ascii().to_string())
    };
    assert_eq!((&before[..], &after[..]), (&b"+CSQ: 1,2"[..], &b"OK"[..]));
    match read(line, links) {
        Some(Received::Message { topic, payload, expected, .. }) => {
            (String::from_utf8(topic.to_vec()).unwrap(), payload.to_vec(), expected)
        }
        other => panic!("a message was expected: {other:?}"),
    }
}

fn hostile() -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = &[
        b"\r\nOK\r\n",
        b"\r\nERROR\r\n",
        b"\r\n+CME ERROR: 3\r\n",
        b"\r\n> ",
        b">",
        b"\"\r\n+QMTSTAT: 0,1\r\n",
        b"+QMTPUBEX: 0,7,0",
        b"\"\r\n+MQTTBREAK: 1,1\r\n",
        b"\r\n+CMQTTRXEND: 0\r\n",
        b"\r\n+CMQTTCONNLOST: 0,1\r\n",
        b"\r\nRDY\r\n",
        b"\r\nNORMAL POWER DOWN\r\n",
        b"a\",1,\"x",
        b"a\",99999,\"",
        b"\",1,\"x\"\r\n",
        b"\",0,\"\"\r\n+QMTSTAT: 0,1\r\n",
        b"\",3\r\nabc\r\n",
        b"\",,,\"",
        b"\"",
        b"\x1A",
        b"\x1B",
        b"+++",
        b"\0\0\0\0",
        b"\r",
        b"\n",
        b"\r\r\n",
        b"",
        b"AT+CFUN=1,1\r",
        b"\";+QPOWD;\"",
        b"%s%n",
        b"\x1b[2J",
        b"\"\r\n\r\n+QMTRECV: 0,0,\"t\",3,\"abc\"\r\n",
        b"{\"a\":[\"x\",5,\"y\"]}",
        b"\"",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    all.push((0x80..=0xFF).collect());
    all
}

#[test]
fn any_payload_comes_as_it_is() {
    for filter in ["t", "+", "#", "$share/g/t"] {
        let links = subscribed(&[filter]);
        for payload in hostile() {
            let expected = ("t".to_owned(), payload.clone(), true);
            assert_eq!(only_message(&links, &message(7, "t", &payload)), expected, "subscribed to {filter}");
        }
    }
}

#[test]
fn payloads_of_every_length() {
    let links = subscribed(&["t"]);
    for length in [0, 1, 9, 10, 99, 100, 999, 1000, 1499, 1500, 1501, 9999, 10_000, 16_000] {
        let payload: Vec<u8> = (0..length).map(|at| b"\"\r\n,1"[at % 5]).collect();
        let bytes = message(65_535, "t", &payload);
        for pieces in [bytes.chunks(bytes.len()), bytes.chunks(1), bytes.chunks(7)] {
            let frames = frames_of(&links, pieces);
            let [Frame::Line(line)] = &frames[..] else { panic!("{length}: {frames:?}") };
            let expected = Received::Message {
                client: 0,
                packet: 65_535,
                topic: b"t",
                payload: &payload,
                expected: true,
            };
            assert_eq!(read(line, &links), Some(expected));
        }
    }
}

#[test]
fn topics_may_hold_quotes_and_look_like_lengths() {
    for topic in
        ["a\",1,\"x", "a\",99999,\"", "\",,,", "\"", "\"\"", "a\",5", "a\",1,", "1,2,\"3", "é/\u{10FFFF}"]
    {
        for filters in [&[topic][..], &["#"], &["other", "#"]] {
            let links = subscribed(filters);
            let expected = (topic.to_owned(), b"hello".to_vec(), true);
            assert_eq!(only_message(&links, &message(0, topic, b"hello")), expected);
        }
    }
}

/// The one ambiguity: two places are proven. Whoever writes the payload cannot choose the topic, so the left wins.
#[test]
fn the_leftmost_proven_candidate_wins() {
    let inner = b"a\",1,\"x\"\r\n";
    let links = subscribed(&["#"]);
    let payload = [&inner[..], b"tail"].concat();
    assert_eq!(only_message(&links, &message(0, "t", &payload)), ("t".into(), payload, true));
    // Both end at the same place.
    let topic = "a\",7,\"b";
    let bytes = message(0, topic, b"x");
    assert_eq!(only_message(&links, &bytes), ("a".into(), b"b\",1,\"x".to_vec(), true));
    assert_eq!(only_message(&subscribed(&[topic]), &bytes), (topic.into(), b"x".to_vec(), true));
    // With a filter that the left topic does not match there is no doubt at all.
    let topic = "t\",9,\"rest";
    let bytes = message(0, topic, b"ab\"\r\nOK\r\n");
    let links = subscribed(&[topic]);
    assert_eq!(only_message(&links, &bytes), (topic.into(), b"ab\"\r\nOK\r\n".to_vec(), true));
}

#[test]
fn messages_that_nobody_is_subscribed_to_are_passed_over_whole() {
    let forged = b"\"\r\n+QMTSTAT: 0,1\r\n";
    let no_link = Arc::new(Links::default());
    let ended = subscribed(&["t"]);
    ended.current(0).unwrap().close();
    for links in [subscribed(&["other"]), no_link, ended] {
        for topic in ["t", "a\",1,\"x"] {
            let (_, payload, expected) = only_message(&links, &message(0, topic, forged));
            assert!(!expected);
            assert_eq!(payload, forged);
        }
    }
}

#[test]
fn topics_with_control_characters_are_passed_over_whole() {
    let links = subscribed(&["#"]);
    for topic in ["a\u{1}b", "\t", "\u{7f}"] {
        let (_, payload, expected) = only_message(&links, &message(0, topic, b"\r\nOK\r\n+QMTSTAT: 0,1\r\n"));
        assert_eq!((&payload[..], expected), (&b"\r\nOK\r\n+QMTSTAT: 0,1\r\n"[..], false), "{topic:?}");
    }
}

#[test]
fn a_hostile_topic_shows_nothing_of_its_payload() {
    let links = subscribed(&["#"]);
    let decoys = "\",7,\"".repeat(40);
    for topic in ["a\",1,\"x\u{0}", "a\",1,\"x\t\",1,\"x", &format!("a\",1,\"x\u{1}{decoys}"), &decoys] {
        let mut bytes = message(0, topic, b"\r\nOK\r\n+QMTSTAT: 0,1\r\n");
        bytes.extend_from_slice(b"+CSQ: 1,2\r\n");
        let frames = frames(&links, &bytes);
        let [Frame::Damaged(damage), Frame::Line(line)] = &frames[..] else { panic!("{frames:?}") };
        assert_eq!((damage.kind, &line[..]), (DamageKind::Trailer, &b"+CSQ: 1,2"[..]));
    }
}

#[test]
fn a_kept_session_expects_every_topic() {
    let links = Arc::new(Links::default());
    links.begin(0, true);
    assert_eq!(
        only_message(&links, &message(3, "any/topic", b"x")),
        ("any/topic".into(), b"x".to_vec(), true)
    );
}

#[test]
fn bytes_of_any_encoding_are_no_expected_topic() {
    let links = subscribed(&["#"]);
    let bytes = b"+QMTRECV: 0,0,\"\xFF\",2,\"ok\"\r\n";
    let frames = frames(&links, bytes);
    let [Frame::Line(line)] = &frames[..] else { panic!("{frames:?}") };
    assert!(matches!(read(line, &links), Some(Received::Message { topic: b"\xFF", expected: false, .. })));
}

#[test]
fn the_payload_may_be_on_the_next_line() {
    let links = subscribed(&["pump/01/cmd"]);
    let bytes = b"\r\n+QMTRECV: 0,0,\"pump/01/cmd\",23\r\n{\"relay1\":1,\"relay2\":0}\r\n";
    let expected = ("pump/01/cmd".to_owned(), b"{\"relay1\":1,\"relay2\":0}".to_vec(), true);
    assert_eq!(only_message(&links, bytes), expected);
    for payload in hostile() {
        let head = format!("\r\n+QMTRECV: 0,0,\"pump/01/cmd\",{}\r\n", payload.len());
        let bytes = [head.as_bytes(), &payload, b"\r\n"].concat();
        assert_eq!(only_message(&links, &bytes).1, payload);
    }
}

#[test]
fn spaces_are_no_matter() {
    let links = subscribed(&["t"]);
    for head in ["+QMTRECV:0,0,\"t\"", "+QMTRECV:  0, 0, \"t\""] {
        let bytes = format!("\r\n{head},2,\"ok\"\r\n");
        assert_eq!(only_message(&links, bytes.as_bytes()), ("t".into(), b"ok".to_vec(), true));
    }
}

#[test]
fn forms_without_a_length_are_lines() {
    let links = subscribed(&["#"]);
    for (line, received) in [
        ("+QMTRECV: 0,4", Received::Stored { client: 0, slot: 4 }),
        ("+QMTRECV: 0,5", Received::Uncounted { client: 0 }),
        (
            "+QMTRECV: 5,1,0,0,0,1",
            Received::Status(StoredMessages { client: 5, slots: [true, false, false, false, true] }),
        ),
        ("+QMTRECV: 0,0,\"t\",\"payload\"", Received::Uncounted { client: 0 }),
        ("+QMTRECV: 0,0,\"t\",{\"a\":1}", Received::Uncounted { client: 0 }),
        ("+QMTRECV: 1,1,test,M95 Hello World", Received::Uncounted { client: 1 }),
    ] {
        let frames = frames(&links, format!("{line}\r\n").as_bytes());
        assert_eq!(frames, [Frame::Line(Bytes::from_static(line.as_bytes()))]);
        assert_eq!(read(line.as_bytes(), &links), Some(received), "{line}");
    }
    for line in
        ["+QMTRECV", "+QMTRECV:", "+QMTRECV: ", "+QMTRECV: x", "+QMTRECVX: 0,0,\"t\",1,\"x\"", "+QMTR"]
    {
        assert_eq!(frames(&links, format!("{line}\r\n").as_bytes()).len(), 1, "{line}");
        assert_eq!(read(line.as_bytes(), &links), None, "{line}");
    }
    for line in
        ["+QMTRECV: 999,0,\"t\",1,\"x\"", "+QMTRECV: 0,65536,\"t\",1,\"x\"", "+QMTRECV: 0,,\"t\",1,\"x\""]
    {
        assert_eq!(frames(&links, format!("{line}\r\n").as_bytes()).len(), 1, "{line}");
    }
}

#[test]
fn a_lost_byte_damages_one_message_and_shows_nothing_of_it() {
    let links = subscribed(&["t"]);
    let payload = b"ab\"\r\n+QMTSTAT: 0,1\r\ncd";
    let whole = message(0, "t", payload);
    let start = whole.len() - payload.len() - 3;
    for lost in start..start + payload.len() {
        let mut bytes = whole.clone();
        bytes.remove(lost);
        bytes.extend_from_slice(b"\r\nOK\r\n");
        let frames = frames(&links, &bytes);
        let Frame::Damaged(damage) = &frames[0] else { panic!("{frames:?}") };
        assert_eq!((damage.kind, client_of(&damage.head)), (DamageKind::Trailer, Some(0)));
        let seen =
            frames[1..].iter().any(|frame| matches!(frame, Frame::Line(line) if line.starts_with(b"+QMT")));
        assert!(!seen, "{frames:?}");
    }
}

#[test]
fn impossible_lengths_are_skipped_by_their_length() {
    let links = subscribed(&["t"]);
    let mut bytes = message(0, "t", &[b'x'; facts::RECEIVED_PAYLOAD + 1]);
    let at = bytes.len() - 100;
    bytes.splice(at..at + 10, *b"\r\nERROR\r\n\"");
    bytes.extend_from_slice(b"\r\nOK\r\n");
    for pieces in [bytes.chunks(bytes.len()), bytes.chunks(1)] {
        let frames = frames_of(&links, pieces);
        let [Frame::Damaged(damage), Frame::Line(line)] = &frames[..] else { panic!("{frames:?}") };
        assert_eq!((damage.kind, &line[..]), (DamageKind::Count, &b"OK"[..]));
    }
}

#[test]
fn a_message_that_stops_is_given_up() {
    let links = subscribed(&["t"]);
    let whole = message(0, "t", b"hello");
    for end in 3..whole.len() - 2 {
        let frames = frames_of(&links, [&whole[..end]]);
        let [Frame::Damaged(damage)] = &frames[..] else { panic!("{end}: {frames:?}") };
        assert_eq!(damage.kind, DamageKind::Silence);
    }
}

#[test]
fn looking_is_linear() {
    let links = subscribed(&["+"]);
    // Quotes and lengths everywhere, none of which is the end.
    let topic: String = "\",7,".repeat(3000);
    let head = format!("+QMTRECV: 0,0,\"{topic}");
    let mut framing = ReceiveFraming::new(links);
    let (mut resume, mut asked) = (0, 0);
    let mut wanted = 1;
    while wanted <= head.len() {
        asked += 1;
        match framing.measure(&head.as_bytes()[..wanted], &mut resume) {
            Extent::NeedMore(more) => wanted = more,
            other => panic!("{other:?}"),
        }
    }
    assert!(asked <= head.len(), "{asked} calls for {} bytes", head.len());
    assert!(resume + 16 >= head.len(), "everything was looked at once, up to {resume}");
}

/// Another line cuts the message in two behind its length: what follows is as many bytes as the length says, and no
/// lines. Found by simulation.
#[test]
fn a_message_that_is_cut_behind_its_length_shows_none_of_its_bytes() {
    let forged = "\r\n+QMTPUBEX: 0,3,0\r\n\r\nOK\r\nzzzzzzzzzzzzzzzzzzzzzzzz";
    for topic in ["t", "other"] {
        let head = format!("\r\n+QMTRECV: 0,1,\"{topic}\",{},", forged.len());
        let stream = [&head, "\r\n+QIND: SMS DONE\r\n", "\"", forged, "\"\r\n", "\r\n+CSQ: 1,2\r\n"].concat();
        let frames = frames(&subscribed(&["t"]), stream.as_bytes());
        let [Frame::Damaged(damage), Frame::Line(line)] = &frames[..] else { panic!("{frames:?}") };
        assert_eq!((damage.kind, &line[..]), (DamageKind::Trailer, &b"+CSQ: 1,2"[..]));
    }
}
