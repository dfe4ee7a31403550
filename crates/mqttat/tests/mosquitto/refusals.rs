//! What the broker refuses is told with its reason and the remedy.

use std::process::Command;

use crate::KINDS;
use crate::support::{Broker, Listener, Module, fail, succeed};

#[test]
fn a_wrong_password_is_told_and_the_right_one_works() {
    for kind in KINDS {
        let broker = Broker::with("allow_anonymous false\npassword_file FOLDER/passwords\n", |folder| {
            let file = folder.join("passwords");
            succeed(Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(file).args(["gateway", "right"]));
        });
        let module = Module::start(kind.vendor, broker.port);
        let port = broker.port.to_string();
        let publish = |password: &str| {
            let mut command = module.mqttat();
            command.args([
                "pub",
                "-h",
                "127.0.0.1",
                "-p",
                &port,
                "-t",
                "a/b",
                "-m",
                "x",
                "-q",
                "1",
                "-u",
                "gateway",
            ]);
            command.args(["-P", password]);
            command
        };
        let complaint = fail(1, &mut publish("wrong-canary"));
        assert!(complaint.contains("user name") && complaint.contains("password"), "{complaint}");
        assert!(!complaint.contains("wrong-canary"));
        let listener = Listener::start(&broker, "a/b", 1, &["-u", "gateway", "-P", "right"]);
        succeed(&mut publish("right"));
        assert_eq!(listener.payload(), b"x");
    }
}

#[test]
fn a_refused_subscription_is_told_with_its_filter() {
    for kind in KINDS {
        // mosquitto answers SUBSCRIBE with 128 where no rule lets the client read.
        let broker = Broker::with("allow_anonymous true\nacl_file FOLDER/rules\n", |folder| {
            std::fs::write(folder.join("rules"), "topic readwrite open/#\n").unwrap();
        });
        let module = Module::start(kind.vendor, broker.port);
        let port = broker.port.to_string();
        let mut subscribe = module.mqttat();
        subscribe.args(["sub", "-h", "127.0.0.1", "-p", &port, "-t", "secret/#", "-C", "1", "-W", "10"]);
        let output = crate::support::run(&mut subscribe);
        let complaint = String::from_utf8_lossy(&output.stderr);
        // mosquitto 2.0 may accept the subscription and deliver nothing; both are its right.
        match output.status.code() {
            Some(1) => assert!(
                complaint.contains("subscription") && complaint.contains("access rules"),
                "{complaint}"
            ),
            code => assert_eq!(code, Some(27), "{complaint}"),
        }
    }
}
