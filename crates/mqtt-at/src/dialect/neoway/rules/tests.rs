//! What each report does: to the connection, to waiting results, and to the command in flight.

use at_codec::DamageKind;
use at_port::{Lane, PortEvent};

use super::*;
use crate::dialect::neoway::commands::{CloudPubMsg, CloudSub, ConnectionState, MqttPubs, MqttSub};
use crate::dialect::neoway::script::Host;
use crate::dialect::{ModemPort, send};
use crate::error::Outcome;
use crate::event::{ClientStatus, Event};
use crate::link::Link;
use crate::qos::QoS;

fn report(rules: &mut NeowayRules, line: &'static str) -> Reaction<Inbound> {
    assert!(rules.is_unsolicited(line.as_bytes()), "{line}");
    rules.unsolicited(&Bytes::from_static(line.as_bytes()))
}

fn status(link: &Link) -> ClientStatus {
    link.status().borrow().clone()
}

fn does_nothing(reaction: &Reaction<Inbound>) -> bool {
    reaction.deliver.is_none() && reaction.follow_up.is_none() && reaction.lost.is_none() && !reaction.reboot
}

fn message(reaction: Reaction<Inbound>) -> (Channel, Message) {
    let Some((channel, Inbound::Message(message))) = reaction.deliver else { panic!("{reaction:?}") };
    (channel, message)
}

#[test]
fn n_urc_mqttsub() {
    let (host, _) = Host::connected(&["neoway02"]);
    let mut rules = host.rules();
    let (channel, first) = message(report(&mut rules, "+MQTTSUB:9,\"neoway02\",11,neoway mqtt"));
    assert_eq!(
        (channel, first.topic(), &first.payload()[..]),
        (Channel::Client(0), "neoway02", &b"neoway mqtt"[..])
    );
    assert_eq!(first.packet_identifier(), Some(9));
    let (_, second) = message(report(&mut rules, "+MQTTSUB:0,\"neoway02\",0,"));
    assert_eq!((second.packet_identifier(), second.payload().len()), (None, 0));
    for line in ["+MQTTSUB:9,\"other\",1,x", "+MQTTSUB:\"neoway02\",1", "+MQTTSUB: 1,1"] {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
}

#[test]
fn a_message_without_a_length_is_news_and_no_message() {
    let (host, link) = Host::connected(&["t"]);
    let mut events = link.events();
    assert!(does_nothing(&report(&mut host.rules(), "+MQTTSUB:0,\"t\",hello")));
    assert_eq!(events.try_recv().unwrap(), Event::Corrupt { got: 20, need: 0 });
}

#[test]
fn n_urc_cloudpublish() {
    let host = Host::default();
    let (channel, message) = message(report(&mut host.rules(), "+CLOUDPUBLISH: 11015,/pk/dn/get,8,88990011"));
    assert_eq!(
        (channel, message.topic(), &message.payload()[..]),
        (Channel::Modem, "/pk/dn/get", &b"88990011"[..])
    );
    assert_eq!(message.packet_identifier(), Some(11_015));
    assert!(does_nothing(&report(&mut host.rules(), "+CLOUDPUBLISH: 1,/a,9,short")));
    let (channel, message) =
        self::message(report(&mut host.rules(), "+AWSSUBRECV: 5,\"nwy_test/01\",5,12345"));
    assert_eq!((channel, message.topic()), (Channel::Modem, "nwy_test/01"));
}

#[test]
fn n_urc_mqttdisconned() {
    for (line, cause) in [
        ("+MQTTDISCONNED: Link Closed", LossCause::ClosedByPeer),
        ("+MQTTDISCONNED:Link Closed", LossCause::ClosedByPeer),
        ("+MQTTDISCONNED", LossCause::Unknown),
        ("+MQTTSTATE: 0", LossCause::Unknown),
    ] {
        let (host, link) = Host::connected(&["#"]);
        let reaction = report(&mut host.rules(), line);
        assert_eq!(reaction.lost, Some(Lost::Lane(Lane::client(0))), "{line}");
        assert_eq!(status(&link), ClientStatus::Lost(cause), "{line}");
        // The next connection has nothing to do with it.
        let next = host.links.begin(0, false);
        report(&mut host.rules(), line);
        assert_eq!(status(&next), ClientStatus::Connecting, "{line}");
    }
    for line in ["+MQTTSTATE: 1", "+MQTTSTATE: 3"] {
        let (host, link) = Host::connected(&["#"]);
        assert!(does_nothing(&report(&mut host.rules(), line)), "{line}");
        assert_eq!(status(&link), ClientStatus::Connected, "{line}: the module mends it by itself");
    }
}

#[test]
fn n_cmd_error() {
    for line in ["+CMD ERROR: <-3>", "+CMD ERROR:-3", "+CMD ERROR: 705"] {
        let (host, link) = Host::connected(&["#"]);
        let mut rules = host.rules();
        let result = rules.final_result(&Bytes::from_static(line.as_bytes()), "+MQTTSUB").unwrap();
        assert!(!result.is_success(), "{line}");
        assert_eq!(status(&link), ClientStatus::Lost(LossCause::ClosedOnRefusal), "{line}");
        assert_eq!(report(&mut rules, line).lost, Some(Lost::All), "{line}");
    }
}

#[test]
fn final_results_of_the_vendor() {
    let host = Host::default();
    let is_success = |line: &'static str| {
        host.rules()
            .final_result(&Bytes::from_static(line.as_bytes()), "+MQTTPUBS")
            .map(|result| result.is_success())
    };
    for (line, success) in [
        ("+CERTADD: 1758,OK", Some(true)),
        ("+CERTADD:1758,OK", Some(true)),
        ("+CERTADD: 1758,ERROR", Some(false)),
        ("+CERTADD: x", None),
        ("+MQTTPUBS: Timeout!", Some(false)),
        ("+CLOUDPUBMSG: Timeout!", Some(false)),
        ("+MQTTWILLMSG: Timeout!", Some(false)),
        ("+MQTTPUBS: Timeout", None),
        ("+MQTTSUB: Timeout!", None),
        ("+MQTTSTATE: 0", None),
    ] {
        assert_eq!(is_success(line), success, "{line}");
    }
}

#[test]
fn a_start_ends_everything() {
    let (host, link) = Host::connected(&["#"]);
    let mut rules = host.rules();
    assert!(report(&mut rules, "MODEM:STARTUP").reboot);
    assert_eq!(status(&link), ClientStatus::Lost(LossCause::Rebooted));
    assert!(does_nothing(&report(&mut rules, "+PBREADY")), "one start is one");
}

#[test]
fn late_results_and_other_news_are_nobodys() {
    let (host, link) = Host::connected(&["#"]);
    let mut rules = host.rules();
    for line in [
        "+CLOUDHDAUTH: OK",
        "+CLOUDSUBACK: <OK>",
        "+CLOUDPUBACK: <OK>",
        "+CLOUDNSUBACK: <OK>",
        "+CPIN: READY",
        "+CREG: 1",
        "RING",
        "+CLIP: \"123\",145,,,\"\",0",
        "+TCPSEND:Error1",
    ] {
        assert!(does_nothing(&report(&mut rules, line)), "{line}");
    }
    for line in ["OK", "+CSQ: 1,2", "+CERTADD: 1,OK", "RDY", "+MQTTDISCONN"] {
        assert!(!rules.is_unsolicited(line.as_bytes()), "{line}");
    }
    assert_eq!(status(&link), ClientStatus::Connected);
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
    let reaction = host.rules().damaged(&damage(b"+MQTTSUB:1,\"t\",20,abc"));
    assert!(format!("{:?}", reaction.follow_up.unwrap()).contains("AT+MQTTSTATE?"));
    assert_eq!(events.try_recv().unwrap(), Event::Corrupt { got: 30, need: 40 });
    assert!(host.rules().damaged(&damage(b"+CSQ: 1")).follow_up.is_some());
    assert!(events.try_recv().is_err(), "no message was lost");
    host.session.set_open(false);
    assert!(host.rules().damaged(&damage(b"+CSQ: 1")).follow_up.is_none());
}

/// Publishes, and gives the outcome with the messages that came.
async fn publish(host: &Host, answers: &str) -> (crate::Result<()>, Vec<Message>) {
    let command = MqttPubs::new("up", "hello").qos(QoS::AtLeastOnce);
    let script = format!(">> AT+MQTTPUBS=0,1,\"up\",5\n{answers}");
    let flow = async |port: ModemPort| {
        let mut receiver = port.receiver(Channel::Client(0));
        let outcome = send(&port, command).await;
        let messages = std::iter::from_fn(|| receiver.try_recv().ok());
        (outcome, messages.map(Inbound::into_message).collect())
    };
    host.converse(&script, flow).await
}

#[tokio::test(start_paused = true)]
async fn messages_come_anywhere_in_an_exchange() {
    let message = "<< +MQTTSUB:3,\"up\",8,\\r\\nOK\\r\\n>>\n";
    for script in [
        format!("{message}<= \\r\\n>\n>= hello\n<< OK"),
        format!("<= \\r\\n>\n{message}>= hello\n<< OK"),
        format!("<= \\r\\n>\n>= hello\n{message}<< OK"),
    ] {
        let (host, _) = Host::connected(&["up"]);
        let (outcome, messages) = publish(&host, &script).await;
        outcome.unwrap();
        let [message] = &messages[..] else { panic!("{script}: {messages:?}") };
        assert_eq!(&message.payload()[..], b"\r\nOK\r\n>>");
    }
}

#[tokio::test(start_paused = true)]
async fn the_vendors_error_ends_command_and_connection() {
    for (script, outcome) in [
        ("<= \\r\\n>\n>= hello\n<< +CMD ERROR: <-3>", Outcome::Unknown),
        ("<< +CMD ERROR: <-3>", Outcome::NotSent),
    ] {
        let (host, link) = Host::connected(&["up"]);
        let (result, _) = publish(&host, script).await;
        let error = result.unwrap_err();
        assert_eq!(error.outcome(), outcome);
        assert_eq!(
            error.to_string(),
            "AT+MQTTPUBS: the broker did not acknowledge the packet in time (code -3)"
        );
        assert_eq!(status(&link), ClientStatus::Lost(LossCause::ClosedOnRefusal));
    }
}

/// The manual does not say whether `ERROR` comes with it, nor when.
#[tokio::test(start_paused = true)]
async fn the_vendors_error_is_no_answer_to_another_command() {
    for answers in [
        "<< +CMD ERROR: -1\n<< ERROR\n>> AT+CMEE?\n<< +CMEE: 0\n<< OK\n>> AT+MQTTSTATE?\n<< +MQTTSTATE: 0\n<< OK",
        "<< ERROR\n>> AT+MQTTSTATE?\n<< +CMD ERROR: -1\n<< +MQTTSTATE: 0\n<< OK",
    ] {
        let (host, link) = Host::connected(&["t"]);
        let script = format!(">> AT+MQTTSUB=\"no\",1\n{answers}");
        let (refused, state) = host
            .converse(&script, async |port| {
                let refused = send(&port, MqttSub::new("no", QoS::AtLeastOnce)).await;
                (refused, send(&port, MqttState::read()).await)
            })
            .await;
        assert!(refused.is_err(), "{answers}");
        assert_eq!(state.unwrap(), ConnectionState::Closed, "{answers}");
        assert!(matches!(status(&link), ClientStatus::Lost(_)), "{answers}");
    }
}

/// The error comes in the place of the result that the cloud owes, while the next command waits for its prompt: its
/// payload must be written, or the module would take the command after it for the payload.
#[tokio::test(start_paused = true)]
async fn an_error_of_the_cloud_is_not_the_next_commands() {
    let script = "
        >> AT+CLOUDSUB=/a,1
        << OK
        >> AT+CLOUDPUBMSG=/b,0,5
        << +CMD ERROR: <-3>
        <= \\r\\n>
        >= hello
        << OK";
    Host::default()
        .converse(script, async |port| {
            let publish = async {
                // Time goes on when nothing but the result is waited for.
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                send(&port, CloudPubMsg::new("/b", QoS::AtMostOnce, "hello")).await
            };
            let subscribe = send(&port, CloudSub::new("/a", QoS::AtLeastOnce));
            let (subscribed, published) = tokio::join!(subscribe, publish);
            assert!(matches!(subscribed, Err(crate::Error::ConnectionLost { .. })));
            assert_eq!(published.unwrap(), None);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn an_error_behind_a_timeout_is_not_the_next_commands() {
    for trailing in ["", "<< ERROR\n", "<< OK\n"] {
        let (host, _) = Host::connected(&["up"]);
        let script = format!(
            ">> AT+MQTTPUBS=0,0,\"up\",1\n<= \\r\\n>\n>= a\n<< +MQTTPUBS: Timeout!
            >> AT+CMEE?\n{trailing}<< +CMEE: 0\n<< OK
            >> AT+MQTTPUBS=0,0,\"up\",1\n<= \\r\\n>\n>= b\n<< OK"
        );
        host.converse(&script, async |port| {
            let error = send(&port, MqttPubs::new("up", "a")).await.unwrap_err();
            assert_eq!(error.outcome(), Outcome::NotSent);
            send(&port, MqttPubs::new("up", "b")).await.unwrap();
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_was_asked_after_damage_ends_the_connection() {
    let (host, link) = Host::connected(&["t"]);
    // The length is one too many: the byte behind the payload is not the line end.
    let script = "<< +MQTTSUB:1,\"t\",4,hello\n>> AT+CMEE?\n<< +CMEE: 0\n<< OK\n>> AT+MQTTSTATE?\n<< +MQTTSTATE: 0\n<< OK";
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
    let script = ">> AT+MQTTSUB=\"t\",0\n<< MODEM:STARTUP\n<<\n<< +PBREADY\n>> AT+CMEE?\n<< +CMEE: 0\n<< OK";
    let error = host.converse(script, async |port| {
        let outcome = send(&port, MqttSub::new("t", QoS::AtMostOnce)).await;
        port.link().wait_for(|link| *link == at_port::LinkState::Synced).await.unwrap();
        outcome.unwrap_err()
    });
    assert_eq!(error.await.to_string(), "the module rebooted");
    assert_eq!(status(&link), ClientStatus::Lost(LossCause::Rebooted));
}
