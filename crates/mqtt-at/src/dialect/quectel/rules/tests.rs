//! What each report does: to the connection it is about, to waiting results, and to nobody else.

use at_codec::DamageKind;
use at_port::PortEvent;

use super::*;
use crate::dialect::ModemPort;
use crate::dialect::quectel::script::Host;
use crate::event::ClientStatus;
use crate::link::Link;
use crate::topic::TopicFilter;

/// A host with client 0 connected and subscribed to everything.
fn connected(pulls: bool) -> (Host, Arc<Link>) {
    let host = Host::default();
    let link = host.links.begin(0, false);
    link.expect([TopicFilter::new("#").unwrap()]);
    link.connected();
    host.sessions.begin(0, pulls);
    host.sessions.set_open(0, true);
    (host, link)
}

fn rules(host: &Host) -> QuectelRules {
    QuectelRules::new(&host.links, &host.sessions)
}

fn report(rules: &mut QuectelRules, line: &'static str) -> Reaction<Inbound> {
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
fn each_code_of_a_lost_connection_has_its_cause() {
    let lines = [
        ("+QMTSTAT: 0,1", LossCause::ClosedByPeer),
        ("+QMTSTAT: 0,2", LossCause::KeepAlive),
        ("+QMTSTAT: 0,3", LossCause::ConnectNotSent),
        ("+QMTSTAT: 0,4", LossCause::ConnectNotAcknowledged),
        ("+QMTSTAT: 0,5", LossCause::ClosedByModule),
        ("+QMTSTAT: 0,6", LossCause::SendFailed),
        ("+QMTSTAT: 0,7", LossCause::NetworkDown),
        ("+QMTSTAT:0,8", LossCause::ClosedByModule),
        ("+QMTSTAT: 0,9", LossCause::Unknown),
        ("+QMTPING: 0,1", LossCause::KeepAlive),
    ];
    for (line, cause) in lines {
        let (host, link) = connected(false);
        let mut rules = rules(&host);
        let reaction = report(&mut rules, line);
        assert_eq!(reaction.lost, Some(Lost::Lane(Lane::client(0))), "{line}");
        assert_eq!(status(&link), ClientStatus::Lost(cause), "{line}");
        assert!(does_nothing(&report(&mut rules, "+QMTSTAT: 0,1")), "once is enough");
    }
}

#[test]
fn a_ping_that_did_not_fail_is_no_news() {
    let (host, link) = connected(false);
    assert!(does_nothing(&report(&mut rules(&host), "+QMTPING: 0,0")));
    assert_eq!(status(&link), ClientStatus::Connected);
}

#[test]
fn a_report_about_a_former_connection_is_ignored() {
    let (host, former) = connected(false);
    former.close();
    host.sessions.set_open(0, false);
    let next = host.links.begin(0, false);
    host.sessions.begin(0, false);
    let mut rules = rules(&host);
    for line in
        ["+QMTSTAT: 0,5", "+QMTSTAT: 0,1", "+QMTPING: 0,1", "+QMTSTAT: 3,1", "+QMTSTAT: 7,1", "+QMTSTAT: x"]
    {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
    assert_eq!((status(&former), status(&next)), (ClientStatus::Closed, ClientStatus::Connecting));
    host.sessions.set_open(0, true);
    assert!(report(&mut rules, "+QMTSTAT: 0,1").lost.is_some());
    assert_eq!(status(&next), ClientStatus::Lost(LossCause::ClosedByPeer));
}

#[test]
fn messages_are_delivered_to_their_client_if_they_were_subscribed_to() {
    let (host, link) = connected(false);
    let mut rules = rules(&host);
    let line = r#"+QMTRECV: 0,1,"topic/example",36,"This is the payload related to topic""#;
    let Some((Channel::Client(0), Inbound::Message(message))) = report(&mut rules, line).deliver else {
        panic!("a message was expected")
    };
    assert_eq!((message.topic(), message.packet_identifier()), ("topic/example", Some(1)));
    assert_eq!((&message.payload()[..], message.qos()), (&b"This is the payload related to topic"[..], None));
    let Some((_, Inbound::Message(message))) = report(&mut rules, r#"+QMTRECV: 0,0,"t",0,"""#).deliver else {
        panic!("a message was expected")
    };
    assert_eq!((message.payload().len(), message.packet_identifier()), (0, None));
    assert_eq!(message.qos(), Some(QoS::AtMostOnce));

    assert!(does_nothing(&report(&mut rules, r#"+QMTRECV: 1,0,"t",1,"x""#)), "no such client");
    let mut events = link.events();
    assert!(does_nothing(&report(&mut rules, r#"+QMTRECV: 0,0,"t","x""#)));
    assert_eq!(events.try_recv().unwrap(), Event::Corrupt { got: 21, need: 0 }, "no length, no message");
    link.remove_filters(&[TopicFilter::new("#").unwrap()]);
    assert!(does_nothing(&report(&mut rules, line)), "not subscribed any more");
}

#[test]
fn starts_are_noticed_once_and_lose_every_connection() {
    for (lines, reboots) in [
        (&["RDY", "+CFUN: 1", "APP RDY"][..], [true, false, false]),
        (&["APP RDY", "RDY", "APP RDY"], [true, true, false]),
        (&["POWERED DOWN", "RDY", "RDY"], [true, true, true]),
        (&["NORMAL POWER DOWN", "APP RDY", "APP RDY"], [true, true, true]),
    ] {
        let (host, link) = connected(false);
        let mut rules = rules(&host);
        let noticed: Vec<_> = lines.iter().map(|line| report(&mut rules, line).reboot).collect();
        assert_eq!(noticed, reboots, "{lines:?}");
        assert_eq!(status(&link), ClientStatus::Lost(LossCause::Rebooted));
        assert!(!host.sessions.is_open(0));
    }
}

#[test]
fn late_results_and_news_of_the_network_are_known() {
    let (host, link) = connected(false);
    let mut rules = rules(&host);
    for line in [
        "+QMTPUBEX: 0,1,0",
        "+QMTPUB: 0,1,0",
        "+QMTOPEN: 0,\"host\",8883",
        "+QMTCONN: 0,0,0",
        "+QMTSUB: 0,1,0,1",
        "+QMTUNS: 0,1,0",
        "+QMTCLOSE: 0,0",
        "+QMTDISC: 0,0",
        "+QIURC: \"pdpdeact\",1",
        "+QIND: SMS DONE",
        "+QUSIM: 1",
        "+CPIN: READY",
        "+CFUN: 1",
        "+CEREG: 1",
        "+CGEV: NW DETACH",
    ] {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
    for line in ["OK", "ERROR", "RDYX", "RDY ", "+CSQ: 1,2", "+QMTSTATX: 0,1", "", "866123456789012"] {
        assert!(!rules.is_unsolicited(line.as_bytes()), "{line}");
    }
    assert_eq!(status(&link), ClientStatus::Connected);
}

#[test]
fn damage_is_told_to_the_client_it_is_about() {
    let (host, link) = connected(false);
    let mut rules = rules(&host);
    let mut events = link.events();
    let damage = |head| Damage { kind: DamageKind::Trailer, head: Bytes::from_static(head), got: 7, need: 9 };
    assert!(does_nothing(&rules.damaged(&damage(b"+QMTRECV: 0,0,\"t\",5,\"ab"))));
    assert_eq!(events.try_recv().unwrap(), Event::Corrupt { got: 7, need: 9 });
    for head in [&b"+QMTRECV: 1,0,\"t\",5,\"ab"[..], b"+QMT", b"\xFF"] {
        assert!(does_nothing(&rules.damaged(&damage(head))));
    }
    assert!(events.try_recv().is_err());
}

/// Takes the payloads of as many messages as the script delivers.
async fn payloads(port: ModemPort, count: usize) -> Vec<String> {
    let mut messages = port.receiver(Channel::Client(0));
    let mut payloads = Vec::new();
    while payloads.len() < count {
        let message = messages.recv().await.unwrap().into_message();
        payloads.push(String::from_utf8(message.payload().to_vec()).unwrap());
    }
    // What is still in flight is finished.
    port.run(Exchange::new(at_codec::CommandLine::execute(""))).await.unwrap();
    payloads
}

#[tokio::test(start_paused = true)]
async fn stored_messages_are_fetched_in_the_order_of_their_reports() {
    let (host, _link) = connected(true);
    let script = r#"
        << +QMTRECV: 0,0
        << +QMTRECV: 0,1
        >> AT+QMTRECV=0,0
        << +QMTRECV: 0,0,"t",3,"one"
        << OK
        >> AT+QMTRECV=0,1
        << +QMTRECV: 0,0,"t",3,"two"
        << OK
        >> AT+QMTRECV?
        << +QMTRECV: 0,0,0,0,0,0
        << OK
        >> AT
        << OK"#;
    assert_eq!(host.converse(script, async |port| payloads(port, 2).await).await, ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn a_burst_without_end_is_interrupted_for_a_look() {
    let (host, _link) = connected(true);
    let mut script = "<< +QMTRECV: 0,0\n".to_owned();
    for number in 1..=70 {
        let (slot, next) = ((number - 1) % 5, number % 5);
        script += &format!(">> AT+QMTRECV=0,{slot}\n<< +QMTRECV: 0,0,\"t\",1,\"x\"\n");
        // The next message comes before this one is done with.
        script += &format!("<< +QMTRECV: 0,{next}\n<< OK\n");
        if number % 32 == 0 {
            script += &format!(">> AT+QMTRECV?\n<< +QMTRECV: 0,{}\n<< OK\n", row(next));
        }
    }
    script += ">> AT+QMTRECV=0,0\n<< +QMTRECV: 0,0,\"t\",4,\"last\"\n<< OK\n";
    script += ">> AT+QMTRECV?\n<< +QMTRECV: 0,0,0,0,0,0\n<< OK\n>> AT\n<< OK\n";
    assert_eq!(host.converse(&script, async |port| payloads(port, 71).await).await.last().unwrap(), "last");
}

/// What the module says of its slots when only one holds a message.
fn row(slot: i32) -> String {
    (0..5).map(|it| i32::from(it == slot).to_string()).collect::<Vec<_>>().join(",")
}

#[tokio::test(start_paused = true)]
async fn messages_whose_reports_were_lost_are_found_and_fetched() {
    let (host, _link) = connected(true);
    let script = r#"
        << +QMTRECV: 0,0
        >> AT+QMTRECV=0,0
        << +QMTRECV: 0,0,"t",3,"one"
        << OK
        >> AT+QMTRECV?
        << +QMTRECV: 0,0,0,1,1,0
        << OK
        >> AT+QMTRECV=0,2
        << +QMTRECV: 0,0,"t",3,"two"
        << OK
        >> AT+QMTRECV=0,3
        << +QMTRECV: 0,0,"t",5,"three"
        << OK
        >> AT
        << OK"#;
    assert_eq!(host.converse(script, async |port| payloads(port, 3).await).await, ["one", "two", "three"]);
    let owed = host.sessions.sessions[0].owed.each_ref().map(|owed| owed.load(Ordering::Relaxed));
    assert_eq!(owed, [0; 5], "nothing is owed when everything was fetched");
    assert_eq!(host.sessions.sessions[0].reported.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_cannot_be_read_holds_nothing_up() {
    let (host, _link) = connected(true);
    let script = r#"
        << +QMTRECV: 0,0
        >> AT+QMTRECV=0,0
        << ERROR
        << +QMTRECV: 0,0
        >> AT+QMTRECV=0,0
        << +QMTRECV: 0,0,"t",3,"one"
        << OK
        >> AT+QMTRECV?
        << OK
        >> AT
        << OK"#;
    assert_eq!(host.converse(script, async |port| payloads(port, 1).await).await, ["one"]);
}

#[tokio::test(start_paused = true)]
async fn damage_is_followed_by_a_look_for_stored_messages() {
    let (host, _link) = connected(true);
    let script = r#"
        <= \r\n+QMTRECV: 0,0,"t",9,"one"\r\n\r\nxxxxx"xx\r\n
        >> AT+CMEE?
        << +CMEE: 0
        << OK
        >> AT+QMTRECV?
        << +QMTRECV: 0,0,0,0,0,1
        << OK
        >> AT+QMTRECV=0,4
        << +QMTRECV: 0,0,"t",3,"one"
        << OK
        >> AT
        << OK"#;
    let mut events = None;
    let payloads = host.converse(script, async |port| {
        events = Some(port.events());
        payloads(port, 1).await
    });
    assert_eq!(payloads.await, ["one"]);
    let mut events = events.unwrap();
    let mut damaged = 0;
    while let Ok(event) = events.try_recv() {
        damaged += usize::from(matches!(event, PortEvent::Damaged { .. }));
    }
    assert_eq!(damaged, 1);
}

#[test]
fn nothing_is_fetched_when_nothing_waits() {
    let (host, _link) = connected(true);
    assert!(does_nothing(&report(&mut rules(&host), "+QMTRECV: 0,0,0,0,0,0")));
}

#[test]
fn what_waits_for_a_client_that_is_gone_is_left_there() {
    let (host, link) = connected(true);
    link.close();
    let mut rules = rules(&host);
    assert!(does_nothing(&report(&mut rules, "+QMTRECV: 0,1")));
    assert!(does_nothing(&report(&mut rules, "+QMTRECV: 0,1,1,1,1,1")));
    assert!(does_nothing(&report(&mut rules, "+QMTRECV: 4,1")));
}
