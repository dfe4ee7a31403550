//! Subscribes, publishes to itself from another task, and prints what comes.
//!
//! ```sh
//! cargo run --example subscribe -- --device sim:quectel
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks")]

use mqtt_at::{ConnectOptions, QoS};

mod support;

#[tokio::main]
async fn main() -> mqtt_at::Result<()> {
    let modem = support::open_device().await?;
    let client = modem.connect(ConnectOptions::new("example", "broker.example.com", 1883)).await?;
    let mut messages = client.subscribe("example/#", QoS::AtLeastOnce).await?;

    let sender = client.clone();
    tokio::spawn(async move {
        for number in 1..=3 {
            let text = format!("message {number}");
            if let Err(error) = sender.publish("example/count", QoS::AtLeastOnce, false, text).await {
                eprintln!("{error}");
            }
        }
    });

    for _ in 0..3 {
        match messages.next().await {
            Some(Ok(message)) => {
                println!("{}: {}", message.topic(), String::from_utf8_lossy(message.payload()));
            }
            // A gap is an item, not the end.
            Some(Err(lagged)) => eprintln!("{lagged}"),
            None => break,
        }
    }
    client.disconnect().await
}
