//! What is published arrives unchanged, in both directions.

use std::process::Command;

use crate::KINDS;
use crate::support::{Broker, Listener, Module, Subscriber, fail, succeed};

/// The strings that forge something wherever bytes are read as lines.
const HOSTILE: &[&[u8]] = &[
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
    b"\r\n+MQTTDISCONNED: Link Closed\r\n",
    b"\r\nRDY\r\n",
    b"\r\nNORMAL POWER DOWN\r\n",
    b"a\",1,\"x",
    b"a\",99999,\"",
    b"\",,,\"",
    b"\x1a",
    b"\x1b",
    b"+++",
    b"\0\0\0\0",
    b"\r",
    b"\n",
    b"\r\r\n",
    b"\x80\xff\xfe",
    b"AT+CFUN=1,1\r",
    b"\";+QPOWD;\"",
    b"%s%n",
    b"\x1b[31mred\x1b[0m",
];

/// `size` bytes in which every byte value comes as soon as there is room.
fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|position| u8::try_from((position * 167 + position / 256) % 256).unwrap()).collect()
}

#[test]
fn files_of_any_size_and_content_arrive_unchanged() {
    for kind in KINDS {
        let broker = Broker::open();
        let module = Module::start(kind.vendor, broker.port);
        let folder = tempfile::tempdir().unwrap();
        let sizes = [1, 2, 36, 255, 256, 1023, kind.longest - 1, kind.longest];
        for (round, size) in sizes.into_iter().enumerate() {
            let qos = (round % 3).to_string();
            let file = folder.path().join(format!("payload-{size}"));
            std::fs::write(&file, pattern(size)).unwrap();
            let listener = Listener::start(&broker, "a/b", 2, &[]);
            let mut publish = module.mqttat();
            publish.args([
                "pub",
                "-h",
                "127.0.0.1",
                "-p",
                &broker.port.to_string(),
                "-t",
                "a/b",
                "-q",
                &qos,
                "-f",
            ]);
            succeed(publish.arg(&file));
            assert_eq!(listener.payload(), pattern(size), "{}: {size} bytes with QoS {qos}", kind.vendor);
        }
    }
}

#[test]
fn hostile_payloads_are_published_byte_for_byte() {
    for kind in KINDS {
        let broker = Broker::open();
        let module = Module::start(kind.vendor, broker.port);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("payload");
        let all = HOSTILE.concat();
        std::fs::write(&file, &all).unwrap();
        let listener = Listener::start(&broker, "a/b", 1, &[]);
        let mut publish = module.mqttat();
        publish.args([
            "pub",
            "-h",
            "127.0.0.1",
            "-p",
            &broker.port.to_string(),
            "-t",
            "a/b",
            "-q",
            "1",
            "-f",
        ]);
        succeed(publish.arg(&file));
        assert_eq!(listener.payload(), all, "{}", kind.vendor);
    }
}

#[test]
fn hostile_payloads_and_topics_are_received_byte_for_byte() {
    for kind in KINDS {
        let broker = Broker::open();
        let module = Module::start(kind.vendor, broker.port);
        let folder = tempfile::tempdir().unwrap();
        // MQTT allows no control characters and no other encoding than UTF-8 in topics, and names have no wildcards.
        let topics: Vec<String> = HOSTILE
            .iter()
            .filter_map(|text| std::str::from_utf8(text).ok())
            .filter(|text| !text.chars().any(char::is_control) && !text.contains(['+', '#']))
            .map(|text| format!("a/{text}"))
            .collect();
        assert!(topics.len() >= 5);
        let expected = HOSTILE.len() + topics.len();
        let count = expected.to_string();
        let subscriber = Subscriber::start(
            &module,
            &broker,
            "hostile",
            &["-t", "a/#", "-C", &count, "-q", "1", "-F", "%t %x"],
        );
        // One after the other, because some modules lose what comes faster than it is fetched.
        for (number, payload) in HOSTILE.iter().enumerate() {
            let file = folder.path().join(format!("{number}"));
            std::fs::write(&file, payload).unwrap();
            succeed(mosquitto_pub(&broker, "a/b").arg("-f").arg(&file));
            assert_eq!(subscriber.line(), format!("a/b {}", hex(payload)), "{}", kind.vendor);
        }
        for topic in &topics {
            succeed(mosquitto_pub(&broker, topic).args(["-m", "hello"]));
            assert_eq!(subscriber.line(), format!("{topic} {}", hex(b"hello")), "{}", kind.vendor);
        }
        assert!(subscriber.end().success());
    }
}

#[test]
fn retained_messages_stay_at_the_broker() {
    for kind in KINDS {
        let broker = Broker::open();
        let module = Module::start(kind.vendor, broker.port);
        let port = broker.port.to_string();
        succeed(module.mqttat().args([
            "pub",
            "-h",
            "127.0.0.1",
            "-p",
            &port,
            "-t",
            "r/1",
            "-m",
            "kept",
            "-q",
            "1",
            "-r",
        ]));
        assert_eq!(Listener::start(&broker, "r/1", 1, &[]).payload(), b"kept");
        let subscriber = Subscriber::start(&module, &broker, "retained", &["-t", "r/#", "-C", "1", "-v"]);
        assert_eq!(subscriber.line(), "r/1 kept");
        assert!(subscriber.end().success());
    }
}

#[test]
fn an_empty_payload_is_sent_or_refused_with_a_reason() {
    for kind in KINDS {
        let broker = Broker::open();
        let module = Module::start(kind.vendor, broker.port);
        let port = broker.port.to_string();
        let mut publish = module.mqttat();
        publish.args(["pub", "-h", "127.0.0.1", "-p", &port, "-t", "a/b", "-n", "-q", "1"]);
        if kind.empty {
            let listener = Listener::start(&broker, "a/b", 1, &[]);
            succeed(&mut publish);
            assert_eq!(listener.payload(), b"");
        } else {
            assert!(fail(1, &mut publish).contains("empty"));
        }
    }
}

#[test]
fn the_will_is_published_when_the_module_dies() {
    for kind in KINDS {
        let broker = Broker::open();
        let mut module = Module::start(kind.vendor, broker.port);
        let will = ["--will-topic", "w/1", "--will-payload", "gone", "--will-qos", "1"];
        let arguments = [&["-t", "a/#"][..], &will[..]].concat();
        let subscriber = Subscriber::start(&module, &broker, "mortal", &arguments);
        let listener = Listener::start(&broker, "w/1", 1, &[]);
        module.process.kill();
        assert_eq!(listener.payload(), b"gone", "{}", kind.vendor);
        drop(subscriber);
    }
}

fn mosquitto_pub(broker: &Broker, topic: &str) -> Command {
    let mut command = Command::new("mosquitto_pub");
    command.args(["-h", "127.0.0.1", "-p", &broker.port.to_string(), "-q", "1", "-t", topic]);
    command
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
