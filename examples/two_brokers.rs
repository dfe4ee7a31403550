//! Two clients of one module, each with its own broker: what one receives the other passes on.
//!
//! ```sh
//! cargo run --example two_brokers -- --device sim:quectel
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use mqtt_at::{ConnectOptions, QoS};

mod support;

#[tokio::main]
async fn main() -> mqtt_at::Result<()> {
    let modem = support::open_device().await?;
    let field = modem.connect(ConnectOptions::new("field", "field.example.com", 1883)).await?;
    let office = modem.connect(ConnectOptions::new("office", "office.example.com", 1883)).await?;

    let mut measured = field.subscribe("sensor/+", QoS::AtLeastOnce).await?;
    let mut reports = office.subscribe("report/#", QoS::AtLeastOnce).await?;
    field.publish("sensor/7", QoS::AtLeastOnce, false, "21.5").await?;

    if let Some(Ok(message)) = measured.next().await {
        let topic = message.topic().replace("sensor", "report");
        office.publish(topic, QoS::AtLeastOnce, false, message.payload().clone()).await?;
    }
    if let Some(Ok(message)) = reports.next().await {
        println!("{}: {}", message.topic(), String::from_utf8_lossy(message.payload()));
    }
    field.disconnect().await?;
    office.disconnect().await
}
