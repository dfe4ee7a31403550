//! What each report does: to the connection it is about, to waiting results, and to nobody else.

use std::time::Duration;

use at_port::{OperationError, PortEvent};

use super::*;
use crate::command::Command;
use crate::dialect::send;
use crate::dialect::simcom::script::Host;
use crate::dialect::simcom::{CmqttDisc, CmqttPub};
use crate::event::ClientStatus;
use crate::link::Link;
use crate::qos::QoS;
use crate::topic::TopicFilter;

fn report(rules: &mut SimComRules, line: &str) -> Reaction<Inbound> {
    assert!(rules.is_unsolicited(line.as_bytes()), "{line}");
    rules.unsolicited(&Bytes::copy_from_slice(line.as_bytes()))
}

/// The last message that these elements make.
fn message(rules: &mut SimComRules, elements: &[&str]) -> Option<(u8, Message)> {
    let deliver = elements.iter().filter_map(|element| report(rules, element).deliver).last();
    deliver.map(|(channel, item)| match channel {
        Channel::Client(client) => (client, item.into_message()),
        other => panic!("a message for {other:?}"),
    })
}

fn status(link: &Link) -> ClientStatus {
    link.status().borrow().clone()
}

fn does_nothing(reaction: &Reaction<Inbound>) -> bool {
    reaction.deliver.is_none() && reaction.follow_up.is_none() && reaction.lost.is_none() && !reaction.reboot
}

#[test]
fn s_connlost_each_cause_ends_its_connection_once() {
    for (line, cause) in [
        ("+CMQTTCONNLOST: 0,1", LossCause::ClosedByPeer),
        ("+CMQTTCONNLOST: 0,2", LossCause::ClosedByPeer),
        ("+CMQTTCONNLOST:0,3", LossCause::NetworkDown),
        ("+CMQTTCONNLOST: 0,9", LossCause::Unknown),
        ("+CMQTTPING: 0,1", LossCause::KeepAlive),
    ] {
        let (host, link) = Host::connected(0);
        let other = host.connect(1);
        let mut rules = host.rules();
        assert_eq!(report(&mut rules, line).lost, Some(Lost::Lane(Lane::client(0))), "{line}");
        assert_eq!(status(&link), ClientStatus::Lost(cause), "{line}");
        assert_eq!(status(&other), ClientStatus::Connected, "{line} is not about client 1");
        assert!(does_nothing(&report(&mut rules, line)), "once is enough");
    }
    let (host, link) = Host::connected(1);
    assert!(report(&mut host.rules(), "+CMQTTCONNLOST: 1,1").lost.is_some());
    assert_eq!(status(&link), ClientStatus::Lost(LossCause::ClosedByPeer));
}

#[test]
fn a_report_about_a_former_connection_is_ignored() {
    let (host, former) = Host::connected(0);
    former.close();
    let next = host.links.begin(0, false);
    host.service.begin(0);
    let mut rules = host.rules();
    for line in
        ["+CMQTTCONNLOST: 0,1", "+CMQTTPING: 0,1", "+CMQTTCONNLOST: 7,1", "+CMQTTCONNLOST: x", "+CMQTTNONET"]
    {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
    assert_eq!((status(&former), status(&next)), (ClientStatus::Closed, ClientStatus::Connecting));
    host.service.set_open(0, true);
    assert!(report(&mut rules, "+CMQTTCONNLOST: 0,1").lost.is_some());
}

#[test]
fn a_network_that_is_gone_ends_all_connections_and_the_service() {
    let (host, link) = Host::connected(0);
    assert_eq!(report(&mut host.rules(), "+CMQTTNONET").lost, Some(Lost::Lane(Lane::client(0))));
    assert_eq!(status(&link), ClientStatus::Lost(LossCause::NetworkDown));
    assert!(!host.service.is_running(), "it has to be started again");

    let (host, first) = Host::connected(0);
    let second = host.connect(1);
    assert_eq!(report(&mut host.rules(), "+CMQTTNONET").lost, Some(Lost::All));
    assert_eq!(status(&first), status(&second));
}

#[test]
fn starts_are_noticed_once_and_lose_every_connection() {
    for (lines, reboots) in [
        (&["RDY", "+CPIN: READY", "SMS DONE", "PB DONE", "RDY"][..], &[true, false, false, false, true][..]),
        (&["*ATREADY: 1", "SMS DONE", "*ATREADY: 1"], &[true, false, true]),
        (&["RDY", "*ATREADY: 1", "RDY", "*ATREADY: 1"], &[true, false, true, false]),
        (&["*ATREADY: 1", "RDY", "*ATREADY: 1"], &[true, false, true]),
        (&["NORMAL POWER DOWN", "RDY"], &[true, true]),
        (&["RDY", "UNDER-VOLTAGE POWER DOWN", "*ATREADY: 1"], &[true, true, true]),
    ] {
        let (host, link) = Host::connected(0);
        let mut rules = host.rules();
        let noticed: Vec<_> = lines.iter().map(|line| report(&mut rules, line).reboot).collect();
        assert_eq!(noticed, reboots, "{lines:?}");
        assert_eq!(status(&link), ClientStatus::Lost(LossCause::Rebooted));
        assert!(!host.service.is_open(0) && !host.service.is_running());
    }
}

#[test]
fn what_is_known_and_asks_for_nothing_is_passed_over() {
    let (host, link) = Host::connected(0);
    let mut rules = host.rules();
    for line in [
        "+CMQTTPUB: 0,0",
        "+CMQTTCONNECT: 0,0",
        "+CMQTTSTART: 0",
        "+CMQTTREL: 0,20",
        "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY",
        "+CGEV: EPS PDN ACT 1",
        "+MSTK: 11, \"D00D8103010500820281829902090A\"",
        "*COPN:0,\"KT\"",
        "*ISIMAID: \"00\"",
        "SMS DONE",
    ] {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
    assert_eq!(status(&link), ClientStatus::Connected);
    for line in ["OK", "ERROR", "+CSQ: 23,0", "+CMQTTFOO: 1", "RDYX"] {
        assert!(!rules.is_unsolicited(line.as_bytes()), "{line}");
    }
}

#[test]
fn s_urc_rx_messages_are_delivered_to_their_client() {
    let (host, _link) = Host::connected(0);
    host.connect(1);
    let mut rules = host.rules();
    let interleaved = [
        "+CMQTTRXSTART: 0,4,3",
        "+CMQTTRXSTART: 1,1,0",
        "+CMQTTRXTOPIC: 0,2\r\nab",
        "+CMQTTRXTOPIC: 1,1\r\nt",
        "+CMQTTRXTOPIC: 0,2\r\n/c",
        "+CMQTTRXPAYLOAD: 0,1\r\n1",
        "+CMQTTRXEND: 1",
    ];
    let (client, empty) = message(&mut rules, &interleaved).unwrap();
    assert_eq!((client, empty.topic(), empty.payload().len()), (1, "t", 0));
    let (client, whole) = message(&mut rules, &["+CMQTTRXPAYLOAD: 0,2\r\n\r\n", "+CMQTTRXEND: 0"]).unwrap();
    assert_eq!((client, whole.topic(), &whole.payload()[..]), (0, "ab/c", &b"1\r\n"[..]));
    assert_eq!((whole.packet_identifier(), whole.duplicate()), (None, None));
    let (client, one_line) = message(&mut rules, &["+CMQTTRECV: 1,\"t\",2,\"40\""]).unwrap();
    assert_eq!((client, one_line.topic(), &one_line.payload()[..]), (1, "t", &b"40"[..]));
    host.links.current(1).unwrap().remove_filters(&[TopicFilter::new("#").unwrap()]);
    assert!(message(&mut rules, &["+CMQTTRECV: 1,\"t\",2,\"40\""]).is_none(), "its end would be a guess");
}

#[test]
fn messages_for_clients_that_are_not_ours_are_dropped() {
    const WHOLE: [&str; 4] =
        ["+CMQTTRXSTART: 0,1,1", "+CMQTTRXTOPIC: 0,1\r\nt", "+CMQTTRXPAYLOAD: 0,1\r\nx", "+CMQTTRXEND: 0"];
    let host = Host::default();
    let mut rules = host.rules();
    assert!(message(&mut rules, &WHOLE).is_none(), "of a former host");
    let link = host.connect(0);
    assert!(message(&mut rules, &WHOLE).is_some());
    link.close();
    assert!(message(&mut rules, &WHOLE).is_none(), "it is closed");
    assert!(message(&mut rules, &["+CMQTTRECV: 7,\"t\",2,\"40\""]).is_none());
}

#[test]
fn what_a_former_connection_left_is_no_part_of_this_one() {
    let (host, _former) = Host::connected(0);
    let mut rules = host.rules();
    let begun = ["+CMQTTRXSTART: 0,1,1", "+CMQTTRXTOPIC: 0,1\r\nt", "+CMQTTRXPAYLOAD: 0,1\r\nx"];
    assert!(message(&mut rules, &begun).is_none());
    host.connect(0);
    assert!(message(&mut rules, &["+CMQTTRXSTART: 0,1,1"]).is_none(), "it is not the end of the former one");
    assert!(
        message(&mut rules, &["+CMQTTRXTOPIC: 0,1\r\nu", "+CMQTTRXPAYLOAD: 0,1\r\ny", "+CMQTTRXEND: 0"])
            .is_some()
    );
}

#[test]
fn a_message_that_cannot_become_complete_is_reported() {
    let (host, link) = Host::connected(0);
    let mut rules = host.rules();
    let mut events = link.events();
    let begun = ["+CMQTTRXSTART: 0,1,5", "+CMQTTRXTOPIC: 0,1\r\nt", "+CMQTTRXPAYLOAD: 0,2\r\nxy"];
    let mut seen = || events.try_recv().ok();

    assert!(message(&mut rules, &begun).is_none());
    assert!(message(&mut rules, &["+CMQTTRXEND: 0"]).is_none());
    assert_eq!(seen(), Some(Event::Corrupt { got: 3, need: 6 }), "bytes are missing");

    assert!(message(&mut rules, &begun).is_none());
    assert!(message(&mut rules, &["+CMQTTRXSTART: 0,1,5"]).is_none());
    assert_eq!(seen(), Some(Event::Corrupt { got: 3, need: 6 }), "the end is missing, and bytes, too");

    let damage = |head| {
        let kind = at_codec::DamageKind::Trailer;
        Damage { kind, head: Bytes::from_static(head), got: 9, need: 12 }
    };
    assert!(does_nothing(&rules.damaged(&damage(b"+CMQTTRXPAYLOAD: 0,5\r\n"))));
    assert_eq!(seen(), Some(Event::Corrupt { got: 0, need: 6 }), "a part was damaged");
    assert!(message(&mut rules, &["+CMQTTRXPAYLOAD: 0,5\r\n12345", "+CMQTTRXEND: 0"]).is_none());
    assert!(does_nothing(&rules.damaged(&damage(b"+CSQ: "))));
    assert_eq!(seen(), None, "once is enough");

    assert!(message(&mut rules, &["+CMQTTRXSTART: 0,1"]).is_none());
    assert_eq!(seen(), Some(Event::Corrupt { got: 0, need: 0 }), "lengths that cannot be read");
    assert!(message(&mut rules, &begun).is_none());
    assert!(report(&mut rules, "+CMQTTCONNLOST: 0,1").lost.is_some());
    assert_eq!(seen(), Some(Event::Corrupt { got: 3, need: 6 }));
    assert!(matches!(seen(), Some(Event::Lost(_))), "then the connection ended");
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_ends_the_wait_for_its_results() {
    let (host, _link) = Host::connected(0);
    let script = r#"
        >> AT+CMQTTPUB=0,1,60
        << OK
        << +CMQTTCONNLOST: 0,1
    "#;
    let operation = CmqttPub::new(0, QoS::AtLeastOnce).operation().unwrap().lane(Lane::client(0));
    let outcome = host.converse(script, async |port| port.run(operation).await).await;
    assert!(matches!(outcome, Err(OperationError::Released { .. })), "{outcome:?}");
}

/// Messages come between a command and its answer, and between `OK` and a result.
#[tokio::test(start_paused = true)]
async fn messages_come_at_any_time() {
    let (host, _link) = Host::connected(0);
    let rx = "<= \\r\\n+CMQTTRXSTART: 0,1,6\\r\\n+CMQTTRXTOPIC: 0,1\\r\\nt\\r\\n\
              +CMQTTRXPAYLOAD: 0,6\\r\\n\\r\\nOK\\r\\n\\r\\n+CMQTTRXEND: 0\\r\\n";
    let script = format!(">> AT+CMQTTDISC=0,60\n{rx}\n<< OK\n{rx}\n<< +CMQTTDISC: 0,0\n{rx}");
    host.converse(&script, async |port| {
        let mut messages = port.receiver(Channel::Client(0));
        assert!(send(&port, CmqttDisc::new(0)).await.unwrap().is_success());
        for _ in 0..3 {
            let message = messages.recv().await.unwrap().into_message();
            assert_eq!((message.topic(), &message.payload()[..]), ("t", &b"\r\nOK\r\n"[..]));
        }
    })
    .await;
}

/// A late `SMS DONE` is no restart; a late `*ATREADY` is.
#[tokio::test(start_paused = true)]
async fn a_restart_ends_everything() {
    let (host, link) = Host::connected(0);
    host.converse("<< SMS DONE\n<< *ATREADY: 1\n>> AT+CMEE?\n<< +CMEE: 0\n<< OK", async |port| {
        let mut events = port.events();
        while events.recv().await.unwrap() != PortEvent::Reboot {}
        tokio::time::sleep(Duration::from_secs(1)).await;
    })
    .await;
    assert_eq!(status(&link), ClientStatus::Lost(LossCause::Rebooted));
}
