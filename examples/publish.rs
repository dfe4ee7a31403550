//! Publishes one message with each quality of service, and says what became of it.
//!
//! ```sh
//! cargo run --example publish -- --device sim:quectel
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks")]

use mqtt_at::{ConnectOptions, Outcome, QoS};

mod support;

#[tokio::main]
async fn main() -> mqtt_at::Result<()> {
    let modem = support::open_device().await?;
    println!("{} module: {}", modem.vendor(), modem.identity());
    let client = modem.connect(ConnectOptions::new("example", "broker.example.com", 1883)).await?;
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        match client.publish("example/greeting", qos, false, "hello").await {
            Ok(_) => println!("QoS {}: delivered", qos.level()),
            // Nothing reached the broker, and nothing will: it may be sent again.
            Err(error) if error.outcome() == Outcome::NotSent => {
                eprintln!("QoS {}: not sent: {error}", qos.level())
            }
            // Sending it again may make a duplicate.
            Err(error) => eprintln!("QoS {}: unknown: {error}", qos.level()),
        }
    }
    client.disconnect().await
}
