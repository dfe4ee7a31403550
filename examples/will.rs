//! What the broker publishes when a client is lost: "offline", kept for whoever asks later.
//!
//! ```sh
//! cargo run --example will -- --device sim:quectel      # needs a module with three clients
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use mqtt_at::{ConnectOptions, QoS, Will};

mod support;

fn options(client_identifier: &str) -> ConnectOptions {
    ConnectOptions::new(client_identifier, "broker.example.com", 1883)
}

#[tokio::main]
async fn main() -> mqtt_at::Result<()> {
    let modem = support::open_device().await?;
    let watcher = modem.connect(options("watcher")).await?;
    let mut states = watcher.subscribe("site/7/state", QoS::AtLeastOnce).await?;

    let will = Will::new("site/7/state", "offline")?.qos(QoS::AtLeastOnce).retain(true);
    let gateway = modem.connect(options("gateway-7").will(will)).await?;
    // Retained, too, so that it replaces the "offline" of the last time.
    gateway.publish("site/7/state", QoS::AtLeastOnce, true, "online").await?;

    // A loss that can be had at will: the broker closes the older of two clients with the same identifier. With
    // `disconnect` there would be no will: that is a farewell.
    let usurper = modem.connect(options("gateway-7")).await?;
    for _ in 0..2 {
        if let Some(Ok(message)) = states.next().await {
            println!("{}: {}", message.topic(), String::from_utf8_lossy(message.payload()));
        }
    }
    usurper.disconnect().await?;
    watcher.disconnect().await
}
