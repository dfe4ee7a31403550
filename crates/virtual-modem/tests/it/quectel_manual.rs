//! The examples of the Quectel manual, as conversations [EC200x MQTT 1.0 §5.1].

use crate::host::Host;
use virtual_modem::{Broker, MemoryBroker, Vendor, VirtualModem};

#[tokio::test(start_paused = true)]
async fn operation_without_tls() {
    let broker = MemoryBroker::new();
    let modem =
        VirtualModem::builder(Vendor::Quectel).broker(Broker::Memory(broker.clone())).build().unwrap();
    let mut host = Host::new(modem.duplex());
    host.say("ATE0\r").await;
    host.hear("ATE0\r\r\nOK\r\n").await;
    host.ask("AT+QMTCFG=\"recv/mode\",0,0,1", "\r\nOK\r\n").await;
    host.ask(
        "AT+QMTCFG=\"aliauth\",0,\"oyjtmPI5a5j\",\"MQTT_TEST\",\"wN9Y6pZSIly7Exa5qVzcmigEGO4kAazZ\"",
        "\r\nOK\r\n",
    )
    .await;
    host.ask("AT+QMTOPEN=?", "\r\n+QMTOPEN: (0-5),\"hostname\",(1-65535)\r\n\r\nOK\r\n").await;
    host.ask("AT+QMTOPEN=0,\"iot-as-mqtt.cn-shanghai.aliyuncs.com\",1883", "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n")
        .await;
    host.ask("AT+QMTOPEN?", "\r\n+QMTOPEN: 0,\"iot-as-mqtt.cn-shanghai.aliyuncs.com\",1883\r\n\r\nOK\r\n")
        .await;
    host.ask("AT+QMTCONN=?", "\r\n+QMTCONN: (0-5),\"clientid\",\"username\",\"password\"\r\n\r\nOK\r\n")
        .await;
    host.ask("AT+QMTCONN=0,\"clientExample\"", "\r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n").await;
    host.ask("AT+QMTSUB=?", "\r\n+QMTSUB: (0-5), <msgid>,list of [\"topic\",qos]\r\n\r\nOK\r\n").await;
    host.ask("AT+QMTSUB=0,1,\"topic/example\",2", "\r\nOK\r\n\r\n+QMTSUB: 0,1,0,2\r\n").await;
    host.ask("AT+QMTSUB=0,1,\"topic/pub\",0", "\r\nOK\r\n\r\n+QMTSUB: 0,1,0,0\r\n").await;
    broker.publish_from_outside("topic/example", 0, false, "This is the payload related to topic");
    host.hear("\r\n+QMTRECV: 0,0,\"topic/example\",36,\"This is the payload related to topic\"\r\n").await;
    host.ask("AT+QMTUNS=0,2,\"topic/example\"", "\r\nOK\r\n\r\n+QMTUNS: 0,2,0\r\n").await;
    host.ask("AT+QMTPUBEX=?", "\r\n+QMTPUBEX: (0-5),<msgid>,(0-2),(0,1),\"topic\",\"length\"\r\n\r\nOK\r\n")
        .await;
    host.ask("AT+QMTPUBEX=0,0,0,0,\"topic/pub\",30", "\r\n> ").await;
    host.say("This is test data, hello MQTT.").await;
    host.hear("\r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n").await;
    host.hear("\r\n+QMTRECV: 0,0,\"topic/pub\",30,\"This is test data, hello MQTT.\"\r\n").await;
    host.ask("AT+QMTDISC=0", "\r\nOK\r\n\r\n+QMTDISC: 0,0\r\n").await;
    host.silence().await;

    let ledger = broker.ledger();
    let login = &ledger.connects[0];
    assert_eq!(login.user.as_deref(), Some("MQTT_TEST&oyjtmPI5a5j"));
    assert_eq!(login.dialled, ("iot-as-mqtt.cn-shanghai.aliyuncs.com".to_owned(), 1883));
    assert_eq!(ledger.accepted.last().unwrap().payload, "This is test data, hello MQTT.");
    let published = modem.understood().into_iter().find(|entry| entry.payload.is_some()).unwrap();
    assert_eq!(published.command.name, "+QMTPUBEX");
    assert_eq!(published.payload.unwrap(), "This is test data, hello MQTT.");
}
