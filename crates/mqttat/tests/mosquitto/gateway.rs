//! A gateway to which everything happens that can, and what it said of each message held against what came back.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::support::{Broker, Module, Process};

/// The commands of a vendor by which a client connects, subscribes and publishes.
struct Phases {
    vendor: &'static str,
    connect: [&'static str; 2],
    subscribe: &'static str,
    /// The one that asks for the payload, and the one whose answer tells what became of it.
    payload: &'static str,
    publish: &'static str,
}

const PHASES: [Phases; 4] = [
    Phases {
        vendor: "quectel",
        connect: ["+QMTOPEN=", "+QMTCONN="],
        subscribe: "+QMTSUB=",
        payload: "+QMTPUBEX=",
        publish: "+QMTPUBEX=",
    },
    Phases {
        vendor: "simcom",
        connect: ["+CMQTTACCQ=", "+CMQTTCONNECT="],
        subscribe: "+CMQTTSUB=",
        payload: "+CMQTTPAYLOAD=",
        publish: "+CMQTTPUB=",
    },
    Phases {
        vendor: "fibocom",
        connect: ["+MQTTUSER=", "+MQTTOPEN="],
        subscribe: "+MQTTSUB=",
        payload: "+MQTTPUB=",
        publish: "+MQTTPUB=",
    },
    Phases {
        vendor: "neoway",
        connect: ["+MQTTCONNPARAM=", "+MQTTCONN="],
        subscribe: "+MQTTSUB=",
        payload: "+MQTTPUBS=",
        publish: "+MQTTPUBS=",
    },
];

/// The last of the publishes that something happens to.
const LAST: usize = 40;

impl Phases {
    /// Reboots in every phase, and what else a module and its network do. The first connection is made undisturbed.
    fn faults(&self) -> Vec<String> {
        let Self { connect: [first, second], subscribe, payload, publish, .. } = self;
        vec![
            // While publishing; each is followed by reboots while connecting and subscribing again.
            format!("mid-payload=3:{payload}:4:reboot"),
            format!("after-line:{first}:2:reboot"),
            format!("before-final:{first}:3:reboot"),
            format!("after-line:{second}:2:reboot"),
            format!("before-final:{second}:3:reboot"),
            format!("after-line:{subscribe}:2:reboot"),
            format!("before-final:{subscribe}:3:reboot"),
            format!("before-prompt:{payload}:9:reboot"),
            format!("after-prompt:{payload}:14:reboot"),
            format!("before-final:{publish}:19:reboot"),
            format!("after-line:{publish}:24:reboot"),
            format!("after-result:{publish}:29:reboot-silent"),
            format!("after-result:{publish}:34:drop-pdp"),
            format!("after-result:{publish}:{LAST}:kick=0"),
        ]
    }

    fn hold(&self) {
        let settings = "allow_anonymous true\npersistence true\npersistence_location FOLDER/\n";
        let mut broker = Broker::with(settings, |_| {});
        let mut module = Module::with_faults(self.vendor, broker.port, &self.faults());
        let witness = Witness::start(&broker);
        let mut soak = module.mqttat();
        soak.args([
            "bench",
            "--soak",
            "1h",
            "--interval",
            "0.1",
            "-h",
            "broker.example.com",
            "-i",
            "gateway",
        ]);
        let soak = Process::start_quiet(soak.args(["-t", "soak", "-q", "1", "--json"]));
        let acknowledged = |broker: &Broker, count| {
            (0..count).for_each(|_| drop(broker.process.wait_for("Sending PUBACK to gateway")));
        };
        acknowledged(&broker, LAST + 10);
        broker.restart();
        acknowledged(&broker, 10);
        // The process of the module dies; it comes back as another terminal behind the same link.
        module.replug();
        acknowledged(&broker, 10);
        soak.interrupt();
        let ledger: Value = serde_json::from_str(&soak.line()).unwrap();
        let count = |name: &str| ledger[name].as_u64().unwrap_or_else(|| panic!("no {name}: {ledger}"));
        assert_eq!(count("sent_unasked"), 0, "{}: {ledger}", self.vendor);
        assert!(count("reconnects") >= 3 && count("recoveries") >= 9, "{}: {ledger}", self.vendor);
        // A module that reboots has acknowledged messages to the broker that it has not handed over.
        assert!(count("lost") <= 10, "{}: {ledger}", self.vendor);
        witness.sees(count("delivered"));
    }
}

/// Somebody else who is subscribed to what the gateway publishes, and for whom the broker keeps what he misses.
struct Witness(Process);

impl Witness {
    fn start(broker: &Broker) -> Self {
        let port = broker.port.to_string();
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &port, "-i", "witness", "-c", "-q", "1", "-t", "soak"]);
        let process = Process::start_quiet(&mut command);
        broker.process.wait_for("Sending SUBACK to witness");
        Self(process)
    }

    /// Waits until so many messages have come, each counted once.
    fn sees(&self, count: u64) {
        let mut messages = BTreeSet::new();
        while (messages.len() as u64) < count {
            messages.insert(self.0.line());
        }
    }
}

/// Reboots in every phase of connecting, subscribing and publishing, the data connection taken down, the client thrown
/// out, mosquitto restarted, the module killed and plugged in under another name.
#[test]
fn a_gateway_outlives_everything_and_loses_nothing() {
    std::thread::scope(|scope| {
        for phases in &PHASES {
            scope.spawn(|| phases.hold());
        }
    });
}
