//! Payloads and topics that try to be something else.

use at_codec::{Frame, Limits, PromptKind};

use crate::harness::{Port, at_every_split, line};
use crate::toy::{Toy, message, toy};

const MAX: usize = 1024;

fn port() -> Port<Toy> {
    let mut port = Port::new(toy(MAX), Limits::default().max_line(64).max_element(2 * MAX));
    port.codec.arm_prompt(Some(PromptKind::Data));
    port
}

fn corpus() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 31] = [
        b"\r\nOK\r\n",
        b"\r\nERROR\r\n",
        b"\r\n+CME ERROR: 3\r\n",
        b"\r\n> ",
        b"\r\n>",
        b"\"\r\n+QMTSTAT: 0,1\r\n",
        b"\"\r\n\r\n+QMTPUBEX: 0,7,0\r\n",
        b"\"\r\n+MQTTBREAK: 1,1\r\n",
        b"\r\n+CMQTTRXEND: 0\r\n",
        b"\r\n+CMQTTCONNLOST: 0,1\r\n",
        b"\r\n+MQTTDISCONNED: Link Closed\r\n",
        b"\r\nRDY\r\n",
        b"\r\nNORMAL POWER DOWN\r\n",
        b"a\",1,\"x",
        b"a\",99999,\"",
        b"\",,,\"",
        b"\x1A",
        b"\x1B",
        b"+++",
        b"\0\0\0\0\0\0\0\0",
        b"\r",
        b"\n",
        b"\r\r\n",
        b"\"",
        b"\"\r",
        b"\"\r\n",
        b"AT+CFUN=1,1\r",
        b"\";+QPOWD;\"",
        b"%s%n",
        b"\x1b[2J\x1b]0;x\x07",
        b"",
    ];
    let mut corpus: Vec<_> = texts.iter().map(|text| text.to_vec()).collect();
    corpus.push((0x80..=0xFF).collect());
    corpus.push((0..=0xFF).collect());
    corpus.push(message(b"t", b"a payload that is a message"));
    corpus.push(b"\r\n+CSQ: 21,99\r\n\r\nOK\r\nAT+PUB=0\r\r\n> \r\nOK\r\n".to_vec());
    // The tail that starts exactly where the longest line ends.
    corpus.push([&[b'x'; 64][..], b"OK\r\n"].concat());
    corpus.push([&[b'x'; 66][..], b"\r\nOK\r\n"].concat());
    corpus
}

#[test]
fn every_payload_comes_as_it_was_sent() {
    for payload in corpus() {
        let text = message(b"site/7", &payload);
        let frames = at_every_split(&port(), &[&b"\r\n"[..], &text, b"\r\nOK\r\n"].concat());
        let expected = [line(&text[..text.len() - 2]), line("OK")];
        assert_eq!(frames, expected, "{:?}", payload.escape_ascii().to_string());
    }
}

#[test]
fn every_topic_comes_as_it_was_sent() {
    let possible = |topic: &Vec<u8>| topic.iter().all(|byte| *byte >= 0x20);
    for topic in corpus().into_iter().filter(possible) {
        for payload in corpus() {
            let text = message(&topic, &payload);
            let bytes = [&text[..], b"\r\nOK\r\n"].concat();
            let whole = port().read(&bytes);
            assert_eq!(whole, [line(&text[..text.len() - 2]), line("OK")]);
            assert_eq!(port().read_in_pieces(&bytes, 1), whole);
        }
    }
}

#[test]
fn lengths_at_the_limit() {
    for length in [0, 1, MAX - 1, MAX] {
        let text = message(b"t", &vec![b'\n'; length]);
        let bytes = [&text[..], b"\r\nOK\r\n"].concat();
        assert_eq!(at_every_split(&port(), &bytes), [line(&text[..text.len() - 2]), line("OK")]);
    }
    let bytes = [&message(b"t", &[b'x'; MAX + 1])[..], b"\r\nOK\r\n"].concat();
    let frames = at_every_split(&port(), &bytes);
    assert!(matches!(frames[..], [Frame::Damaged(_), Frame::Line(_)]), "{frames:?}");
}

#[test]
fn outside_of_a_count_the_same_bytes_are_lines() {
    // The proof that the tests above bite: without a count the forgery succeeds.
    let bytes = b"+X: 0,\"t\",\"\"\r\n+QMTSTAT: 0,1\r\n\"\r\n";
    assert!(port().read(bytes).contains(&line("+QMTSTAT: 0,1")));
}
