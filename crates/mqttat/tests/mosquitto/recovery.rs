//! What is lost comes back by itself, with real processes: the broker restarts, the module is pulled and put back.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{Broker, Listener, Module, Subscriber, succeed};

const VENDORS: [&str; 4] = ["quectel", "simcom", "fibocom", "neoway"];

/// Publishes from outside until the subscriber gets it: it may be connected a moment before it is subscribed.
fn reaches(broker: &Broker, name: &str, subscriber: &Subscriber, word: &str) {
    broker.process.wait_for(&format!("Sending SUBACK to {name}"));
    let port = broker.port.to_string();
    let arguments = ["-h", "127.0.0.1", "-p", &port, "-t", "to/it", "-q", "1", "-m", word];
    succeed(Command::new("mosquitto_pub").args(arguments));
    assert_eq!(subscriber.line(), word);
}

#[test]
fn a_subscription_outlives_the_broker() {
    for vendor in VENDORS {
        let mut broker = Broker::open();
        let module = Module::start(vendor, broker.port);
        let subscriber = Subscriber::quiet(&module, &broker, "outlives", &["-t", "to/it", "-q", "1"]);
        broker.restart();
        reaches(&broker, "outlives", &subscriber, "after the restart");
    }
}

#[test]
fn a_subscription_outlives_the_port() {
    for vendor in VENDORS {
        let broker = Broker::open();
        let mut module = Module::start(vendor, broker.port);
        let subscriber = Subscriber::quiet(&module, &broker, "outlives", &["-t", "to/it", "-q", "1"]);
        module.replug();
        reaches(&broker, "outlives", &subscriber, "after the replug");
    }
}

#[test]
fn a_row_of_messages_outlives_the_broker_and_none_is_lost() {
    for vendor in VENDORS {
        let mut broker = Broker::open();
        let module = Module::start(vendor, broker.port);
        let mut publisher = module
            .mqttat()
            .args(["pub", "-h", "broker.example.com", "-t", "from/it", "-q", "1", "-l", "-r", "-i", "row"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = publisher.stdin.take().unwrap();
        writeln!(lines, "before").unwrap();
        // What is acknowledged is not sent again, and so not behind what follows it.
        broker.process.wait_for("Sending PUBACK to row");
        broker.restart();
        writeln!(lines, "after").unwrap();
        drop(lines);
        assert!(publisher.wait().unwrap().success(), "{vendor}");
        // It is retained, so it can be asked for afterwards.
        assert_eq!(Listener::start(&broker, "from/it", 1, &[]).payload(), b"after", "{vendor}");
    }
}
