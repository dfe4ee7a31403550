//! What each report does: to the connection it is about, to waiting messages, and to nobody else.

use std::time::Duration;

use at_codec::DamageKind;
use at_port::PortEvent;

use super::*;
use crate::dialect::ModemPort;
use crate::dialect::fibocom::script::Host;
use crate::event::ClientStatus;
use crate::link::Link;
use crate::topic::TopicFilter;

fn report(rules: &mut FibocomRules, line: &'static str) -> Reaction<Inbound> {
    assert!(rules.is_unsolicited(line.as_bytes()), "{line}");
    rules.unsolicited(&Bytes::from_static(line.as_bytes()))
}

fn status(link: &Link) -> ClientStatus {
    link.status().borrow().clone()
}

fn does_nothing(reaction: &Reaction<Inbound>) -> bool {
    reaction.deliver.is_none() && reaction.follow_up.is_none() && reaction.lost.is_none() && !reaction.reboot
}

/// A report ends the connection of client 1, once, and for this cause.
fn ends_connection(line: &'static str, cause: LossCause) {
    let (host, link) = Host::connected(&["#"]);
    let mut rules = host.rules();
    let reaction = report(&mut rules, line);
    assert_eq!(reaction.lost, Some(Lost::Lane(Lane::client(1))), "{line}");
    assert_eq!(status(&link), ClientStatus::Lost(cause), "{line}");
    assert!(does_nothing(&report(&mut rules, "+MQTTBREAK: 1,1")), "once is enough");
    assert!(does_nothing(&report(&mut rules, "+MQTTCLOSE: 1,1")), "it follows [Fibocom MQTT 1.2.6 §3.3]");
}

#[test]
fn f_mqttbreak_1() {
    ends_connection("+MQTTBREAK: 1,1", LossCause::ClosedByPeer);
}

#[test]
fn f_mqttbreak_2() {
    ends_connection("+MQTTBREAK: 1,2", LossCause::NetworkDown);
}

#[test]
fn f_mqttbreak_3() {
    ends_connection("+MQTTBREAK: 1,3", LossCause::NetworkDown);
}

#[test]
fn losses_in_other_words() {
    ends_connection("+MQTTBREAK:1, 0", LossCause::Unknown);
    ends_connection("+MQTTLOSE: 1, 1", LossCause::Unknown);
    ends_connection("+MQTTCLOSE: 1,1", LossCause::ClosedByModule);
}

#[test]
fn a_report_about_a_former_connection_is_ignored() {
    let (host, former) = Host::connected(&["#"]);
    former.close();
    host.sessions.set(1, State::Opening);
    let next = host.links.begin(1, false);
    let mut rules = host.rules();
    for line in ["+MQTTBREAK: 1,1", "+MQTTCLOSE: 1,1", "+MQTTLOSE: 1,1", "+MQTTBREAK: 2,1", "+MQTTBREAK: x"] {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
    assert_eq!((status(&former), status(&next)), (ClientStatus::Closed, ClientStatus::Connecting));
    host.sessions.set(1, State::Open);
    for line in ["+MQTTCLOSE: 1,0", "+MQTTBREAK: 0,1", "+MQTTBREAK: 3,1", "+MQTTBREAK: 300,1"] {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
    assert!(report(&mut rules, "+MQTTBREAK: 1,1").lost.is_some());
    assert_eq!(status(&next), ClientStatus::Lost(LossCause::ClosedByPeer));
}

#[test]
fn the_other_client_goes_on() {
    let (host, link) = Host::connected(&["#"]);
    let other = host.links.begin(2, false);
    other.connected();
    host.sessions.set(2, State::Open);
    assert_eq!(report(&mut host.rules(), "+MQTTBREAK: 2,1").lost, Some(Lost::Lane(Lane::client(2))));
    assert_eq!(status(&link), ClientStatus::Connected);
    assert_eq!(status(&other), ClientStatus::Lost(LossCause::ClosedByPeer));
}

#[test]
fn messages_are_delivered_to_their_client_if_they_were_subscribed_to() {
    let (host, link) = Host::connected(&["topic1"]);
    let mut rules = host.rules();
    let line = "+MQTTREAD: 1,2,6,4\r\n\"topic1\",\"Test\"";
    let reaction = report(&mut rules, line);
    let Some((Channel::Client(1), Inbound::Message(message))) = reaction.deliver else {
        panic!("a message was expected")
    };
    assert_eq!((message.topic(), &message.payload()[..]), ("topic1", &b"Test"[..]));
    assert_eq!((message.packet_identifier(), message.duplicate()), (None, None));
    assert_eq!(message.qos(), Some(QoS::ExactlyOnce));
    assert!(reaction.follow_up.is_some(), "another one may wait");

    let reaction = report(&mut rules, "+MQTTREAD: 1,0,5,1,\"other\",\"x\"");
    assert!(reaction.deliver.is_none() && reaction.follow_up.is_some(), "not subscribed to");
    assert!(does_nothing(&report(&mut rules, "+MQTTREAD: 2,0,6,4\r\n\"topic1\",\"Test\"")), "no such client");
    assert!(does_nothing(&report(&mut rules, "+MQTTREAD: (1,2)")));
    link.close();
    assert!(does_nothing(&report(&mut rules, line)), "not connected any more");
}

/// The manual's own example of a message [Fibocom MQTT 1.2.6 §3.2].
#[test]
fn f_urc_mqttmsg_is_never_delivered() {
    let (host, link) = Host::connected(&["#"]);
    let mut rules = host.rules();
    let mut events = link.events();
    let reaction = report(&mut rules, r#"+MQTTMSG: 1,0,"topic1","Test""#);
    assert!(reaction.deliver.is_none() && reaction.lost.is_none());
    assert_eq!(events.try_recv().unwrap(), Event::Corrupt { got: 29, need: 0 });
    let repair = reaction.follow_up.unwrap();
    assert!(format!("{repair:?}").contains("AT+MQTTCONF=1"));
    assert!(report(&mut rules, r#"+MQTTMSG: 1,0,"t","x""#).follow_up.is_none(), "one is enough");
    drop(repair);
    assert!(does_nothing(&report(&mut rules, r#"+MQTTMSG: 2,0,"t","x""#)), "no such client");
    assert!(does_nothing(&report(&mut rules, "+MQTTMSG: x")));
}

#[tokio::test(start_paused = true)]
async fn a_module_that_lost_its_settings_is_told_again() {
    let (host, _link) = Host::connected(&["#"]);
    let script = "
        << +MQTTMSG: 1,0,\"topic1\",\"Test\"
        << +MQTTMSG: 1,0,\"topic1\",\"Test\"
        >> AT+MQTTCONF=1
        << OK
        << +MQTTMSG: 1,0,\"topic1\",\"Test\"
        >> AT+MQTTCONF=1
        << ERROR";
    assert_eq!(host.converse(script, async |port| payloads(port, 0).await).await, [""; 0]);
}

#[test]
fn a_module_that_cannot_count_is_left_in_peace() {
    let (host, _link) = Host::connected(&["#"]);
    host.sessions.set_counted(false);
    assert!(does_nothing(&report(&mut host.rules(), r#"+MQTTMSG: 1,0,"t","x""#)));
}

#[test]
fn starts_lose_every_connection() {
    for line in ["AT command ready", "AT READY", "RDY", "*ATREADY: 1"] {
        let (host, link) = Host::connected(&["#"]);
        let mut rules = host.rules();
        assert!(report(&mut rules, line).reboot, "{line}");
        assert_eq!(status(&link), ClientStatus::Lost(LossCause::Rebooted));
        assert_eq!((host.sessions.state(1), host.sessions.counted()), (State::Closed, false));
        assert!(does_nothing(&report(&mut rules, "+SIM READY")), "it follows most starts");
    }
}

/// `+SIM READY` is all that some models say of a start, and others say it in between.
#[tokio::test(start_paused = true)]
async fn a_sim_that_gets_ready_is_followed_by_a_look_at_the_connections() {
    assert!(does_nothing(&report(&mut Host::default().rules(), "+SIM READY")), "there is none");
    let question = "<< +SIM READY\n>> AT+MQTTOPEN?\n";
    for (answer, is_lost) in [
        ("<< +MQTTOPEN: 2\n<< OK", false),
        ("<< +MQTTOPEN: 0\n<< OK", false),
        ("<< ERROR", false),
        ("<< +MQTTOPEN: 1,2\n<< OK", true),
        ("<= \\r\\n+MQTTOPEN: 1\\r\\n+MQTTOPEN: 2\\r\\n\\r\\nOK\\r\\n", true),
    ] {
        let (host, link) = Host::connected(&["#"]);
        host.converse(&format!("{question}{answer}"), async |port| payloads(port, 0).await).await;
        let expected = if is_lost { ClientStatus::Lost(LossCause::Unknown) } else { ClientStatus::Connected };
        assert_eq!(status(&link), expected, "{answer}");
        assert!(does_nothing(&report(&mut host.rules(), "+MQTTOPEN: 1,2")), "nobody asks any more");
    }
}

#[test]
fn connections_that_are_gone_are_lost_one_by_one_or_all() {
    let (host, link) = Host::connected(&["#"]);
    let other = host.links.begin(2, false);
    other.connected();
    host.sessions.set(2, State::Open);
    let mut rules = host.rules();
    let question = report(&mut rules, "+SIM READY").follow_up;
    assert!(question.is_some());
    assert_eq!(report(&mut rules, "+MQTTOPEN: 1,2").lost, Some(Lost::All));
    for link in [&link, &other] {
        assert_eq!(status(link), ClientStatus::Lost(LossCause::Unknown));
    }
    host.sessions.set(2, State::Open);
    host.links.begin(2, false);
    let question = report(&mut rules, "+SIM READY").follow_up;
    assert_eq!(report(&mut rules, "+MQTTOPEN: 1,2").lost, Some(Lost::Lane(Lane::client(2))));
    drop(question);
}

#[test]
fn late_results_and_news_of_the_network_are_known() {
    let (host, link) = Host::connected(&["#"]);
    let mut rules = host.rules();
    for line in [
        "+MQTTOPEN: 1,1",
        "+MQTTSUB: 1,1",
        "+MQTTUNSUB: 1,0",
        "+MQTTPUB: 1,1",
        "+MQTTMSGI: x",
        "+MQTTREAD: 1,0,0,0",
        "+MIPCALL: 10.2.83.148",
        "MIPCALL: 0",
        "PB DONE",
        "+SIM DROP",
        "+CPIN: READY",
        "+CEREG: 1",
        "ERROR: 703",
    ] {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
    for line in [
        "OK",
        "ERROR",
        "+CME ERROR: 30",
        "RDYX",
        "+CSQ: 1,2",
        "+MQTTBREAKS: 1,1",
        "+SIM READYX",
        "",
        "MIPCALL",
        "866123",
    ] {
        assert!(!rules.is_unsolicited(line.as_bytes()), "{line}");
    }
    assert_eq!(status(&link), ClientStatus::Connected);
}

#[test]
fn news_of_the_data_connection_are_remembered() {
    let host = Host::default();
    let mut rules = host.rules();
    for (line, dialled) in [
        ("+MIPCALL: 10.2.83.148", true),
        ("+MIPCALL: 0", false),
        ("+MIPCALL: 1,10.2.83.148", true),
        ("MIPCALL: 0", false),
        ("+MIPCALL: 2001:ee0::1", true),
        ("+MIPCALL: x", true),
    ] {
        assert!(does_nothing(&report(&mut rules, line)));
        assert_eq!(host.sessions.dialled(), dialled, "{line}");
    }
}

#[test]
fn an_error_is_a_final_result_and_a_report() {
    let host = Host::default();
    let mut rules = host.rules();
    for line in ["ERROR: 703", "ERROR: 9", "+CME ERROR: 703"] {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
    let result = rules.final_result(&Bytes::from_static(b"ERROR: 703"), "").unwrap();
    assert!(!result.is_success() && rules.final_result(&Bytes::from_static(b"ERROR"), "").is_none());
}

#[test]
fn damage_is_told_to_the_client_it_is_about() {
    let (host, link) = Host::connected(&["#"]);
    let mut rules = host.rules();
    let mut events = link.events();
    let damage = |head| Damage { kind: DamageKind::Trailer, head: Bytes::from_static(head), got: 7, need: 9 };
    assert!(rules.damaged(&damage(b"+MQTTREAD: 1,0,6,4\r\n\"top")).follow_up.is_some());
    assert_eq!(events.try_recv().unwrap(), Event::Corrupt { got: 7, need: 9 });
    for head in [&b"+MQTTREAD: 2,0,6,4\r\n\"top"[..], b"+MQT", b"\xFF"] {
        rules.damaged(&damage(head));
    }
    assert!(events.try_recv().is_err());
    link.close();
    assert!(does_nothing(&rules.damaged(&damage(b"+MQT"))), "nobody is left to look for messages for");
}

/// Takes the payloads of as many messages as the script delivers to client 1, and lets the script go to its end.
async fn payloads(port: ModemPort, count: usize) -> Vec<String> {
    let mut messages = port.receiver(Channel::Client(1));
    let mut payloads = Vec::new();
    while payloads.len() < count {
        let message = messages.recv().await.unwrap().into_message();
        payloads.push(String::from_utf8(message.payload().to_vec()).unwrap());
    }
    // Virtual time goes on when nothing else does.
    tokio::time::sleep(Duration::from_secs(60)).await;
    payloads
}

#[tokio::test(start_paused = true)]
async fn f_urc_mqttmsgi_is_followed_by_a_fetch() {
    let (host, _link) = Host::connected(&["topic1"]);
    let script = "
        << +MQTTMSGI: 1,0,6,4
        >> AT+MQTTREAD=1
        <= \\r\\n+MQTTREAD: 1,0,6,4\\r\\n\"topic1\",\"Test\"\\r\\n\\r\\nOK\\r\\n
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,0,0
        << OK";
    assert_eq!(host.converse(script, async |port| payloads(port, 1).await).await, ["Test"]);
}

/// Announcements of messages that are about to be fetched anyway bring no fetch of their own.
#[tokio::test(start_paused = true)]
async fn fetches_are_coalesced() {
    let (host, _link) = Host::connected(&["t"]);
    let script = "
        << +MQTTMSGI: 1,0,1,3
        << +MQTTMSGI: 1,0,1,3
        << +MQTTMSGI: 1,0,1,5
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,1,3,\"t\",\"one\"
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,1,3,\"t\",\"two\"
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,1,5,\"t\",\"three\"
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,0,0
        << OK";
    assert_eq!(host.converse(script, async |port| payloads(port, 3).await).await, ["one", "two", "three"]);
}

/// An announcement in front of an empty answer may be of a message that is not in it.
#[tokio::test(start_paused = true)]
async fn a_message_that_comes_while_the_module_answers_is_not_forgotten() {
    let (host, _link) = Host::connected(&["t"]);
    let script = "
        << +MQTTMSGI: 1,0,1,3
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,1,3,\"t\",\"one\"
        << OK
        >> AT+MQTTREAD=1
        << +MQTTMSGI: 1,0,1,3
        << +MQTTREAD: 1,0,0,0
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,1,3,\"t\",\"two\"
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,0,0
        << OK";
    assert_eq!(host.converse(script, async |port| payloads(port, 2).await).await, ["one", "two"]);
}

#[tokio::test(start_paused = true)]
async fn both_clients_get_their_own() {
    let (host, _link) = Host::connected(&["t"]);
    let other = host.links.begin(2, false);
    other.expect([TopicFilter::new("u").unwrap()]);
    host.sessions.set(2, State::Open);
    let script = "
        << +MQTTMSGI: 1,0,1,3
        << +MQTTMSGI: 2,1,1,2
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,1,3,\"t\",\"one\"
        << OK
        >> AT+MQTTREAD=2
        << +MQTTREAD: 2,1,1,2,\"u\",\"zo\"
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,0,0
        << OK
        >> AT+MQTTREAD=2
        << +MQTTREAD: 2,0,0,0
        << OK";
    let host = host.converse(script, async |port| {
        let mut others = port.receiver(Channel::Client(2));
        let own = payloads(port, 1).await;
        let message = others.recv().await.unwrap().into_message();
        (own, message.payload().clone())
    });
    assert_eq!(host.await, (vec!["one".to_owned()], Bytes::from_static(b"zo")));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_is_refused_holds_nothing_up() {
    let (host, _link) = Host::connected(&["t"]);
    let script = "
        << +MQTTMSGI: 1,0,1,3
        >> AT+MQTTREAD=1
        << ERROR
        << +MQTTMSGI: 1,0,1,3
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,1,3,\"t\",\"one\"
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,0,0
        << OK";
    assert_eq!(host.converse(script, async |port| payloads(port, 1).await).await, ["one"]);
}

#[tokio::test(start_paused = true)]
async fn damage_is_followed_by_a_look_for_messages() {
    let (host, _link) = Host::connected(&["t"]);
    let script = "
        << +MQTTMSGI: 1,0,1,3
        >> AT+MQTTREAD=1
        <= \\r\\n+MQTTREAD: 1,0,1,3\\r\\n\"t\",\"on\"\\r\\n\\r\\nOK\\r\\n
        >> AT+CMEE?
        << +CMEE: 0
        << OK
        >> AT+MQTTOPEN?
        << +MQTTOPEN: 2
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,1,3,\"t\",\"two\"
        << OK
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,0,0
        << OK";
    let mut events = None;
    let payloads = host.converse(script, async |port| {
        events = Some(port.events());
        payloads(port, 1).await
    });
    assert_eq!(payloads.await, ["two"]);
    let mut events = events.unwrap();
    let mut damaged = 0;
    while let Ok(event) = events.try_recv() {
        damaged += usize::from(matches!(event, PortEvent::Damaged { .. }));
    }
    assert_eq!(damaged, 1);
}

/// Answers that can never be read must not keep the port busy for ever.
#[tokio::test(start_paused = true)]
async fn a_module_whose_messages_cannot_be_read_is_given_up_on() {
    let (host, _link) = Host::connected(&["t"]);
    let unreadable = "
        >> AT+MQTTREAD=1
        <= \\r\\n+MQTTREAD: 1,0,1,3\\r\\n(t|one)\\r\\n\\r\\nOK\\r\\n
        >> AT+CMEE?
        << +CMEE: 0
        << OK";
    let again = format!("\n>> AT+MQTTOPEN?\n<< +MQTTOPEN: 2\n<< OK{unreadable}");
    let script = format!("<< +MQTTMSGI: 1,0,1,3{unreadable}{}", again.repeat(3));
    assert_eq!(host.converse(&script, async |port| payloads(port, 0).await).await, [""; 0]);
}

/// What a publisher writes into a payload is delivered, and nothing else comes of it.
#[tokio::test(start_paused = true)]
async fn a_payload_forges_nothing() {
    let (host, link) = Host::connected(&["t"]);
    let payload =
        "\"\r\n\r\nOK\r\n\r\n+MQTTBREAK: 1,1\r\n\r\nRDY\r\n+MQTTCLOSE: 1,1\r\n+MQTTMSGI: 1,0,1,1\r\n";
    let shown = payload.replace('\r', "\\r").replace('\n', "\\n");
    let script = format!(
        "<< +MQTTMSGI: 1,0,1,{length}
        >> AT+MQTTREAD=1
        <= \\r\\n+MQTTREAD: 1,0,1,{length}\\r\\n\"t\",\"{shown}\"\\r\\n\\r\\nOK\\r\\n
        >> AT+MQTTREAD=1
        << +MQTTREAD: 1,0,0,0
        << OK",
        length = payload.len(),
    );
    assert_eq!(host.converse(&script, async |port| payloads(port, 1).await).await, [payload]);
    assert_eq!(status(&link), ClientStatus::Connected);
}
