//! What each report does: to the connection, to waiting results, and to the command in flight.

use at_codec::DamageKind;
use at_port::{Channel, Lane, Lost, PortEvent};

use super::*;
use crate::dialect::esp::commands::{MqttPubRaw, MqttSub};
use crate::dialect::esp::script::Host;
use crate::dialect::{ModemPort, send};
use crate::event::{ClientStatus, Event};
use crate::link::Link;
use crate::qos::QoS;

fn report(rules: &mut EspRules, line: &'static str) -> Reaction<Inbound> {
    assert!(rules.is_unsolicited(line.as_bytes()), "{line}");
    rules.unsolicited(&Bytes::from_static(line.as_bytes()))
}

fn status(link: &Link) -> ClientStatus {
    link.status().borrow().clone()
}

fn does_nothing(reaction: &Reaction<Inbound>) -> bool {
    reaction.deliver.is_none() && reaction.follow_up.is_none() && reaction.lost.is_none() && !reaction.reboot
}

#[test]
fn messages_are_delivered_if_they_were_subscribed_to() {
    let (host, link) = Host::connected(&["topic"]);
    let mut rules = host.rules();
    let reaction = report(&mut rules, "+MQTTSUBRECV:0,\"topic\",4,test");
    let Some((Channel::Client(0), Inbound::Message(message))) = reaction.deliver else {
        panic!("{reaction:?}")
    };
    assert_eq!((message.topic(), &message.payload()[..]), ("topic", &b"test"[..]));
    assert_eq!(message.packet_identifier(), None);
    assert!(does_nothing(&report(&mut rules, "+MQTTSUBRECV:0,\"other\",4,test")));
    let mut events = link.events();
    assert!(does_nothing(&report(&mut rules, "+MQTTSUBRECV:0,\"topic\",hello")));
    assert_eq!(events.try_recv().unwrap(), Event::Corrupt { got: 28, need: 0 });
}

#[test]
fn losses_end_the_connection_once() {
    for line in
        ["+MQTTDISCONNECTED:0", "+MQTTCONN:0,3,1,\"h\",\"1883\",\"\",0", "+MQTTCONN:0,0,0,\"\",\"\",\"\",0"]
    {
        let (host, link) = Host::connected(&["#"]);
        let reaction = report(&mut host.rules(), line);
        assert_eq!(reaction.lost, Some(Lost::Lane(Lane::client(0))), "{line}");
        assert_eq!(status(&link), ClientStatus::Lost(LossCause::Unknown), "{line}");
        // The next connection has nothing to do with it.
        let next = host.links.begin(0, false);
        assert!(does_nothing(&report(&mut host.rules(), line)), "{line}");
        assert_eq!(status(&next), ClientStatus::Connecting, "{line}");
    }
}

#[test]
fn a_start_ends_everything() {
    let (host, link) = Host::connected(&["#"]);
    assert!(report(&mut host.rules(), "ready").reboot);
    assert_eq!(status(&link), ClientStatus::Lost(LossCause::Rebooted));
}

#[test]
fn late_results_and_other_news_are_nobodys() {
    let (host, link) = Host::connected(&["#"]);
    let mut rules = host.rules();
    for line in [
        "busy p...",
        "WIFI CONNECTED",
        "WIFI GOT IP",
        "WIFI DISCONNECT",
        "+MQTTPUB:OK",
        "+MQTTPUB:FAIL",
        "+MQTTDISCONNECTED:1",
        "+MQTTCONNECTED:0,1,\"h\",\"1883\",\"\",0",
        "+MQTTCONN:0,6,1,\"h\",\"1883\",\"\",0",
    ] {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
    for line in ["OK", "already", "+MQTTSUB:0,6,\"t\",1", "+CIPSTA:ip:\"0.0.0.0\"", "ERR CODE:0x00006003"] {
        assert!(!rules.is_unsolicited(line.as_bytes()), "{line}");
    }
    assert_eq!(status(&link), ClientStatus::Connected);
}

#[test]
fn final_results_of_the_vendor() {
    let rules = Host::default().rules();
    let is_success = |line: &'static str| {
        rules.final_result(&Bytes::from_static(line.as_bytes()), "").map(|result| result.is_success())
    };
    assert_eq!(is_success("+MQTTPUB:OK"), Some(true));
    assert_eq!(is_success("+MQTTPUB:FAIL"), Some(false));
    assert_eq!(is_success("+MQTTPUB:"), None);
}

#[test]
fn damage_makes_the_module_be_asked() {
    let (host, link) = Host::connected(&["#"]);
    let mut events = link.events();
    let damage = |head: &'static [u8]| Damage {
        kind: DamageKind::Trailer,
        head: Bytes::from_static(head),
        got: 30,
        need: 40,
    };
    let reaction = host.rules().damaged(&damage(b"+MQTTSUBRECV:0,\"t\",20,abc"));
    assert!(format!("{:?}", reaction.follow_up.unwrap()).contains("AT+MQTTCONN?"));
    assert_eq!(events.try_recv().unwrap(), Event::Corrupt { got: 30, need: 40 });
    assert!(host.rules().damaged(&damage(b"+CSQ: 1")).follow_up.is_some());
    assert!(events.try_recv().is_err(), "no message was lost");
    host.session.set_open(false);
    assert!(host.rules().damaged(&damage(b"+CSQ: 1")).follow_up.is_none());
}

#[tokio::test(start_paused = true)]
async fn messages_come_anywhere_in_an_exchange() {
    let message = "<< +MQTTSUBRECV:0,\"up\",8,\\r\\nOK\\r\\n>>\n";
    for script in [
        format!("{message}<< OK\n<= \\r\\n>\n>= hello\n<< +MQTTPUB:OK"),
        // Seen between OK and prompt, too.
        format!("<< OK\n{message}<= \\r\\n>\n>= hello\n<< +MQTTPUB:OK"),
        format!("<< OK\n<= \\r\\n>\n{message}>= hello\n<< +MQTTPUB:OK"),
        format!("<< OK\n<= \\r\\n>\n>= hello\n{message}<< +MQTTPUB:OK"),
    ] {
        let (host, _) = Host::connected(&["up"]);
        let script = format!(">> AT+MQTTPUBRAW=0,\"up\",5,1,0\n{script}");
        let flow = async |port: ModemPort| {
            let mut receiver = port.receiver(Channel::Client(0));
            send(&port, MqttPubRaw::new("up", "hello").qos(QoS::AtLeastOnce)).await.unwrap();
            receiver.try_recv().unwrap()
        };
        let message = host.converse(&script, flow).await.into_message();
        assert_eq!(&message.payload()[..], b"\r\nOK\r\n>>");
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_was_asked_after_damage_ends_the_connection() {
    let (host, link) = Host::connected(&["t"]);
    // The length is one too few: the byte behind the payload is not the line end.
    let script = "<< +MQTTSUBRECV:0,\"t\",4,hello\n>> AT+SYSSTORE?\n<< +SYSSTORE: 1\n<< OK\n\
                  >> AT+MQTTCONN?\n<< +MQTTCONN:0,3,1,\"h\",\"1883\",\"\",0\n<< OK";
    let mut status = link.status().subscribe();
    host.converse(script, async |port| {
        let mut events = port.events();
        status.wait_for(|status| matches!(status, ClientStatus::Lost(_))).await.unwrap();
        while let Ok(event) = events.try_recv() {
            assert_ne!(event, PortEvent::OrphanFinal);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_reboot_fails_the_command_in_flight() {
    let (host, link) = Host::connected(&["#"]);
    let script = ">> AT+MQTTSUB=0,\"t\",0\n<< ready\n>> AT+SYSSTORE?\n<< +SYSSTORE: 1\n<< OK";
    let error = host.converse(script, async |port| {
        let outcome = send(&port, MqttSub::new("t", QoS::AtMostOnce)).await;
        port.link().wait_for(|link| *link == at_port::LinkState::Synced).await.unwrap();
        outcome.unwrap_err()
    });
    assert_eq!(error.await.to_string(), "the module rebooted");
    assert_eq!(status(&link), ClientStatus::Lost(LossCause::Rebooted));
}
