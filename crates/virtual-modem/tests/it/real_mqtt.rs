//! Real MQTT on a socket, against a broker that is not ours.

use std::time::Duration;

use virtual_modem::{Broker, EmbeddedBroker, Quirk, Vendor, VirtualModem};

use crate::host::Host;

async fn start() -> (EmbeddedBroker, VirtualModem) {
    start_of(Vendor::Quectel).await
}

async fn start_of(vendor: Vendor) -> (EmbeddedBroker, VirtualModem) {
    let broker = EmbeddedBroker::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let modem = VirtualModem::builder(vendor)
        .broker(Broker::Redirect(broker.local_addr()))
        .turnaround(Duration::ZERO)
        .quirk(Quirk::ContextAlreadyUp)
        .build()
        .unwrap();
    (broker, modem)
}

#[tokio::test]
async fn messages_of_every_quality_of_service_between_two_clients() {
    let (broker, modem) = start().await;
    let mut host = Host::new(modem.duplex());
    host.say("ATE0\r").await;
    host.hear("ATE0\r\r\nOK\r\n").await;
    for client in 0..2 {
        host.ask(&format!("AT+QMTCFG=\"recv/mode\",{client},0,1"), "\r\nOK\r\n").await;
        let opened = format!("\r\nOK\r\n\r\n+QMTOPEN: {client},0\r\n");
        host.ask(&format!("AT+QMTOPEN={client},\"wherever.example\",1883"), opened).await;
        let connected = format!("\r\nOK\r\n\r\n+QMTCONN: {client},0,0\r\n");
        host.ask(&format!("AT+QMTCONN={client},\"client-{client}\""), connected).await;
    }
    host.ask("AT+QMTSUB=0,1,\"up/#\",2,\"down/+\",1", "\r\nOK\r\n\r\n+QMTSUB: 0,1,0,2,1\r\n").await;
    for qos in 0..=2 {
        host.ask(&format!("AT+QMTPUBEX=1,{qos},{qos},0,\"up/{qos}\",5"), "\r\n> ").await;
        host.say([0, b'\r', b'\n', 0xFF, b'0' + qos]).await;
        host.hear("\r\nOK\r\n").await;
        // The result of the publisher and the message to the subscriber come in either order.
        let result = format!("\r\n+QMTPUBEX: 1,{qos},0\r\n");
        let mut expected = format!("\r\n+QMTRECV: 0,N,\"up/{qos}\",5,\"").into_bytes();
        expected.extend_from_slice(&[0, b'\r', b'\n', 0xFF, b'0' + qos]);
        expected.extend_from_slice(b"\"\r\n");
        let mut heard = host.hear_some(result.len() + expected.len()).await;
        let place = heard.windows(result.len()).position(|part| part == result.as_bytes()).unwrap();
        heard.drain(place..place + result.len());
        // The packet identifier is the broker's choice, 0 only with QoS 0.
        assert_eq!(heard[14] == b'0', qos == 0);
        heard[14] = b'N';
        assert_eq!(heard.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }
    host.ask("AT+QMTUNS=0,9,\"up/#\"", "\r\nOK\r\n\r\n+QMTUNS: 0,9,0\r\n").await;
    host.ask("AT+QMTDISC=1", "\r\nOK\r\n\r\n+QMTDISC: 1,0\r\n").await;
    broker.stop().await.unwrap();
    host.hear("\r\n+QMTSTAT: 0,1\r\n").await;
}

#[tokio::test]
async fn a_will_is_published_when_the_module_vanishes() {
    let (broker, modem) = start().await;
    let mut host = Host::new(modem.duplex());
    host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    host.ask("AT+QMTCFG=\"will\",1,1,1,0,\"gone\",\"bye\"", "\r\nOK\r\n").await;
    for client in 0..2 {
        host.ask(
            &format!("AT+QMTOPEN={client},\"b\",1883"),
            format!("\r\nOK\r\n\r\n+QMTOPEN: {client},0\r\n"),
        )
        .await;
        host.ask(
            &format!("AT+QMTCONN={client},\"w{client}\""),
            format!("\r\nOK\r\n\r\n+QMTCONN: {client},0,0\r\n"),
        )
        .await;
    }
    host.ask("AT+QMTSUB=0,1,\"gone\",0", "\r\nOK\r\n\r\n+QMTSUB: 0,1,0,0\r\n").await;
    host.ask("AT+QMTCLOSE=1", "\r\nOK\r\n\r\n+QMTCLOSE: 1,0\r\n").await;
    host.hear("\r\n+QMTRECV: 0,0,\"gone\",\"bye\"\r\n").await;
    broker.stop().await.unwrap();
}

#[tokio::test]
async fn simcoms_two_clients_talk_to_each_other() {
    let (broker, modem) = start_of(Vendor::SimCom).await;
    let mut host = Host::new(modem.duplex());
    host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    host.ask("AT+CMQTTSTART", "\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n").await;
    for client in 0..2 {
        host.ask(&format!("AT+CMQTTACCQ={client},\"s{client}\""), "\r\nOK\r\n").await;
        for (command, data) in [("WILLTOPIC", "gone"), ("WILLMSG", "bye!")] {
            let qos = if command == "WILLMSG" { ",1" } else { "" };
            host.ask(&format!("AT+CMQTT{command}={client},4{qos}"), "\r\n>").await;
            host.say(data).await;
            host.hear("\r\nOK\r\n").await;
        }
        let connected = format!("\r\nOK\r\n\r\n+CMQTTCONNECT: {client},0\r\n");
        host.ask(&format!("AT+CMQTTCONNECT={client},\"tcp://wherever.example:1883\",60,1"), connected).await;
    }
    for filter in ["up/#", "gone"] {
        host.ask(&format!("AT+CMQTTSUBTOPIC=0,{},2", filter.len()), "\r\n>").await;
        host.say(filter).await;
        host.hear("\r\nOK\r\n").await;
    }
    host.ask("AT+CMQTTSUB=0", "\r\nOK\r\n\r\n+CMQTTSUB: 0,0\r\n").await;
    for qos in 0..=2 {
        for (command, data) in
            [("TOPIC", format!("up/{qos}").into_bytes()), ("PAYLOAD", b"\r\n\0\xff".to_vec())]
        {
            host.ask(&format!("AT+CMQTT{command}=1,4"), "\r\n>").await;
            host.say(data).await;
            host.hear("\r\nOK\r\n").await;
        }
        host.ask(&format!("AT+CMQTTPUB=1,{qos},60"), "\r\nOK\r\n").await;
        // The result of the publisher and the message to the subscriber come in either order.
        let result = b"\r\n+CMQTTPUB: 1,0\r\n";
        let head =
            format!("\r\n+CMQTTRXSTART: 0,4,4\r\n+CMQTTRXTOPIC: 0,4\r\nup/{qos}\r\n+CMQTTRXPAYLOAD: 0,4\r\n");
        let message = [head.as_bytes(), b"\r\n\0\xff\r\n+CMQTTRXEND: 0\r\n"].concat();
        let mut heard = host.hear_some(result.len() + message.len()).await;
        let place = heard.windows(result.len()).position(|part| part == result).unwrap();
        heard.drain(place..place + result.len());
        assert_eq!(heard.escape_ascii().to_string(), message.escape_ascii().to_string());
    }
    modem.kick(1);
    host.hear("\r\n+CMQTTCONNLOST: 1,1\r\n").await;
    host.hear_until("bye!\r\n+CMQTTRXEND: 0\r\n").await;
    broker.stop().await.unwrap();
    host.hear("\r\n+CMQTTCONNLOST: 0,1\r\n").await;
}

#[tokio::test]
async fn fibocoms_two_clients_talk_to_each_other() {
    let (broker, modem) = start_of(Vendor::Fibocom).await;
    let mut host = Host::new(modem.duplex());
    host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    host.ask("AT+MQTTCONF=1", "\r\nOK\r\n").await;
    host.ask("AT+MQTTWILL=2,\"gone\",1,0,\"bye\"", "\r\nOK\r\n").await;
    for client in 1..=2 {
        host.ask(&format!("AT+MQTTUSER={client},\"u\",\"p\",\"f{client}\""), "\r\nOK\r\n").await;
        let opened = format!("\r\nOK\r\n\r\n+MQTTOPEN: {client},1\r\n");
        host.ask(&format!("AT+MQTTOPEN={client},\"wherever.example\",1883,1,60"), opened).await;
    }
    for filter in ["up/#", "gone"] {
        host.ask(&format!("AT+MQTTSUB=1,\"{filter}\",2"), "\r\nOK\r\n\r\n+MQTTSUB: 1,1\r\n").await;
    }
    for qos in 0..=2 {
        host.ask(&format!("AT+MQTTPUB=2,\"up/{qos}\",{qos},0,3"), ">\r\n").await;
        host.say(b"\r\n\xff").await;
        host.hear("\r\nOK\r\n").await;
        // The result of the publisher and the message to the subscriber come in either order.
        let (result, announced) = ("\r\n+MQTTPUB: 2,1\r\n", format!("\r\n+MQTTMSGI: 1,{qos},4,3\r\n"));
        let heard = host.hear_some(result.len() + announced.len()).await;
        let heard = String::from_utf8(heard).unwrap();
        assert!(heard.contains(result) && heard.contains(&announced), "{heard}");
        let mut read = format!("\r\n+MQTTREAD: 1,{qos},4,3\r\n\"up/{qos}\",\"").into_bytes();
        read.extend_from_slice(b"\r\n\xff\"\r\n\r\nOK\r\n");
        host.ask("AT+MQTTREAD=1", read).await;
    }
    modem.kick(1);
    host.hear("\r\n+MQTTBREAK: 2,1\r\n\r\n+MQTTCLOSE: 2,1\r\n\r\n+MQTTMSGI: 1,1,4,3\r\n").await;
    broker.stop().await.unwrap();
    host.hear("\r\n+MQTTBREAK: 1,1\r\n\r\n+MQTTCLOSE: 1,1\r\n").await;
}

#[tokio::test]
async fn neoways_client_hears_itself() {
    let (broker, modem) = start_of(Vendor::Neoway).await;
    let mut host = Host::new(modem.duplex());
    host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    host.ask("AT+MQTTCONNPARAM=\"n\",\"u\",\"p\"", "\r\nOK\r\n").await;
    host.ask("AT+MQTTCONN=\"wherever.example:1883\",1,60", "\r\nOK\r\n").await;
    host.ask("AT+MQTTSUB=\"up/#\",0", "\r\nOK\r\n").await;
    for qos in 0..=2 {
        host.ask(&format!("AT+MQTTPUBS=0,{qos},\"up/{qos}\",3"), "\r\n>").await;
        host.say("\r\nx").await;
        // The answer and the message come in either order.
        let (answer, message) = ("\r\nOK\r\n", format!("\r\n+MQTTSUB:0,\"up/{qos}\",3,\r\nx\r\n"));
        let heard = String::from_utf8(host.hear_some(answer.len() + message.len()).await).unwrap();
        assert!(heard.contains(answer) && heard.contains(&message), "{heard}");
    }
    host.ask("AT+MQTTUNSUB=\"up/#\"", "\r\nOK\r\n").await;
    broker.stop().await.unwrap();
    host.hear("\r\n+MQTTDISCONNED: Link Closed\r\n").await;
}

#[tokio::test]
async fn nobody_listens_and_nobody_knows_the_name() {
    let modem = VirtualModem::builder(Vendor::Quectel)
        .broker(Broker::AsDialled)
        .turnaround(Duration::ZERO)
        .build()
        .unwrap();
    let mut host = Host::new(modem.duplex());
    host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    host.ask(&format!("AT+QMTOPEN=0,\"127.0.0.1\",{port}"), "\r\nOK\r\n\r\n+QMTOPEN: 0,5\r\n").await;
    host.ask("AT+QIGETERROR", "\r\n+QIGETERROR: 566,socket connect failed\r\n\r\nOK\r\n").await;
    host.ask("AT+QMTOPEN=0,\"no-such-host.invalid\",1883", "\r\nOK\r\n\r\n+QMTOPEN: 0,4\r\n").await;
}
