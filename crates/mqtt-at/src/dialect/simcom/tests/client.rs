//! The client over a module whose clients do one thing at a time.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::{ConnectOptions, Modem, ModemOptions, QoS, Supervision, Vendor};

/// A module whose publishes take a second, and that refuses some commands once. It gives what came while a publish was
/// under way.
async fn module(mut port: DuplexStream, mut refused_once: Vec<&str>) -> String {
    let mut early = String::new();
    while let Some(line) = line(&mut port).await {
        let name = line.split('=').next().unwrap();
        if let Some(at) = refused_once.iter().position(|refused| *refused == name) {
            refused_once.remove(at);
            let answer = format!("\r\n{}: 0,12\r\n\r\nERROR\r\n", &name[2..]);
            port.write_all(answer.as_bytes()).await.unwrap();
            continue;
        }
        let answer = match line.strip_prefix("AT").unwrap() {
            "+CMEE?" => "+CMEE: 0\r\n\r\nOK",
            "+CMQTTDISC?" => "ERROR",
            "+CMQTTSTART" => "OK\r\n\r\n+CMQTTSTART: 0",
            "+CMQTTSUB=0" => "OK\r\n\r\n+CMQTTSUB: 0,0",
            "+CMQTTUNSUB=0,0" => "OK\r\n\r\n+CMQTTUNSUB: 0,0",
            connect if connect.starts_with("+CMQTTCONNECT=") => "OK\r\n\r\n+CMQTTCONNECT: 0,0",
            staged if staged.contains("TOPIC=") || staged.contains("PAYLOAD=") => {
                let length: usize = staged.split(',').nth(1).unwrap().parse().unwrap();
                port.write_all(b"\r\n>").await.unwrap();
                port.read_exact(&mut vec![0; length]).await.unwrap();
                "OK"
            }
            _ => "OK",
        };
        port.write_all(format!("\r\n{answer}\r\n").as_bytes()).await.unwrap();
        if line.starts_with("AT+CMQTTPUB=") {
            let mut bytes = [0; 64];
            if let Ok(read) = tokio::time::timeout(Duration::from_secs(1), port.read(&mut bytes)).await {
                early.push_str(&String::from_utf8_lossy(&bytes[..read.unwrap()]));
            }
            port.write_all(b"\r\n+CMQTTPUB: 0,0\r\n").await.unwrap();
        }
    }
    early
}

/// Reads up to a CR; `None` when the host has left.
async fn line(port: &mut DuplexStream) -> Option<String> {
    let mut line = Vec::new();
    loop {
        match port.read_u8().await {
            Ok(b'\r') => return Some(String::from_utf8(line).unwrap()),
            Ok(byte) => line.push(byte),
            Err(_) => return None,
        }
    }
}

/// A second operation while one is under way would be refused: "client is busy".
#[tokio::test(start_paused = true)]
async fn a_client_never_does_two_things_at_once() {
    let (host_end, module_end) = tokio::io::duplex(4096);
    let module = tokio::spawn(module(module_end, Vec::new()));
    let options = ModemOptions::new().vendor(Vendor::SimCom).attach(false);
    let (opening, driver) = Modem::over(host_end, options);
    tokio::spawn(driver);
    let modem = opening.await.unwrap();
    let client = modem.connect(ConnectOptions::new("gateway-7", "broker.example.com", 1883)).await.unwrap();
    let publish = |payload| client.publish("up", QoS::AtLeastOnce, false, payload);
    let (first, second, subscription, unsubscribed) = tokio::join!(
        publish("1"),
        publish("2"),
        client.subscribe("down", QoS::AtLeastOnce),
        client.unsubscribe("other")
    );
    assert!(first.is_ok() && second.is_ok() && unsubscribed.is_ok());
    assert_eq!(subscription.unwrap().granted(), [QoS::AtLeastOnce]);
    drop((client, modem));
    assert_eq!(module.await.unwrap(), "");
}

/// Seen on SIM7600: a topic is refused as invalid, and taken a moment later.
#[tokio::test(start_paused = true)]
async fn a_topic_that_is_refused_once_is_given_again() {
    const TOPICS: [&str; 3] = ["AT+CMQTTTOPIC", "AT+CMQTTSUBTOPIC", "AT+CMQTTUNSUBTOPIC"];
    for times in 1..=2 {
        let (host_end, module_end) = tokio::io::duplex(4096);
        tokio::spawn(module(module_end, TOPICS.repeat(times)));
        let options = ModemOptions::new().vendor(Vendor::SimCom).attach(false);
        let (opening, driver) = Modem::over(host_end, options.supervision(Supervision::off()));
        tokio::spawn(driver);
        let modem = opening.await.unwrap();
        let client = ConnectOptions::new("gateway-7", "broker.example.com", 1883);
        let client = modem.connect(client).await.unwrap();
        let outcomes = [
            client.publish("up", QoS::AtLeastOnce, false, "1").await.map(drop),
            client.subscribe("down", QoS::AtLeastOnce).await.map(drop),
            client.unsubscribe("down").await,
        ];
        for (outcome, command) in outcomes.into_iter().zip(TOPICS) {
            match outcome {
                Ok(()) => assert_eq!(times, 1, "{command}"),
                Err(error) => {
                    assert_eq!(times, 2, "{command}: {error}");
                    assert_eq!(error.to_string(), format!("{command}: a parameter is not valid (code 12)"));
                }
            }
        }
    }
}
