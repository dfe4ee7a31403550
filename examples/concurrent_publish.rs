//! Publishes a thousand messages as fast as the module takes them, and counts what became of them.
//!
//! ```sh
//! cargo run --example concurrent_publish -- --device sim:quectel
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks")]

use std::time::Instant;

use futures::{StreamExt, stream};
use mqtt_at::{ConnectOptions, Outcome, Outgoing, QoS};

mod support;

const MESSAGES: u32 = 1000;

#[tokio::main]
async fn main() -> mqtt_at::Result<()> {
    let modem = support::open_device().await?;
    let client = modem.connect(ConnectOptions::new("bulk", "broker.example.com", 1883)).await?;
    // Twice the window: while the module works on one half, the other half stands ready.
    let in_flight = modem.limits().window * 2;
    let (messages, mut outcomes) = client.publisher(in_flight).split();

    let readings = stream::iter(0..MESSAGES)
        .map(|number| Ok(Outgoing::new("example/reading", QoS::AtLeastOnce, format!("reading {number}"))));
    let report = async {
        let (mut delivered, mut unknown) = (0, 0);
        while let Some(concluded) = outcomes.next().await {
            match concluded.result {
                Ok(_) => delivered += 1,
                Err(error) if error.outcome() == Outcome::NotSent => {
                    eprintln!("message {} was not sent: {error}", concluded.number);
                }
                // Sending it again could make a duplicate.
                Err(_) => unknown += 1,
            }
        }
        (delivered, unknown)
    };

    let start = Instant::now();
    let (handed_over, (delivered, unknown)) = futures::join!(readings.forward(messages), report);
    handed_over?;
    let rate = f64::from(delivered) / start.elapsed().as_secs_f64();
    println!("{delivered} of {MESSAGES} delivered, {unknown} unknown, {rate:.0} messages per second");
    client.disconnect().await
}
