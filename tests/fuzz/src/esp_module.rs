//! Just enough of a module with ESP-AT for a client that is connected and subscribed.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

const ANSWERS: &[(&str, &str)] = &[
    ("AT+CWMODE?", "+CWMODE:1\r\n\r\nOK"),
    ("AT+SYSSTORE?", "+SYSSTORE:1\r\n\r\nOK"),
    ("AT+GMR", "AT version:2.4.0.0(4c6eb5e - ESP32 - May 20 2022 03:12:58)\r\nSDK version:v4.3.3\r\n\r\nOK"),
    ("AT+MQTTCONN?", "+MQTTCONN:0,0,0,\"\",\"\",\"\",0\r\n\r\nOK"),
    ("AT+CIPSTA?", "+CIPSTA:ip:\"192.168.1.226\"\r\n\r\nOK"),
    ("AT+MQTTCONN=", "+MQTTCONNECTED:0,1,\"broker\",\"1883\",\"\",0\r\n\r\nOK"),
    ("AT+MQTTPUBRAW=", "OK\r\n\r\n>"),
    ("AT+MQTTCLEAN=0", "+MQTTDISCONNECTED:0\r\n\r\nOK"),
    ("AT", "OK"),
];

/// A line to the module, which is played until the host leaves.
pub fn duplex() -> DuplexStream {
    let (host, module) = tokio::io::duplex(4096);
    tokio::spawn(play(module));
    host
}

async fn play(mut wire: DuplexStream) {
    let mut line = Vec::new();
    while let Ok(byte) = wire.read_u8().await {
        line.push(byte);
        let Some(command) = line.strip_suffix(b"\r\n") else { continue };
        let command = String::from_utf8_lossy(command).into_owned();
        line.clear();
        let known = ANSWERS.iter().find(|(start, _)| command.starts_with(start));
        let answer = known.map_or("ERROR", |(_, answer)| answer);
        if wire.write_all(format!("\r\n{answer}").as_bytes()).await.is_err() {
            return;
        }
        let rest = if answer.ends_with('>') {
            // The length is the third of the arguments.
            let length = command.split(',').nth(2).and_then(|it| it.parse().ok()).unwrap_or(0);
            let mut payload = vec![0; length];
            if wire.read_exact(&mut payload).await.is_err() {
                return;
            }
            "\r\n+MQTTPUB:OK\r\n"
        } else {
            "\r\n"
        };
        if wire.write_all(rest.as_bytes()).await.is_err() {
            return;
        }
    }
}
