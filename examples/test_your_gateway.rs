//! How an application tests itself without hardware: a virtual module, a broker that keeps a ledger, a paused clock
//! and a fault on purpose.
//!
//! ```sh
//! cargo run --example test_your_gateway      # or, in your own crate, as a #[tokio::test(start_paused = true)]
//! ```

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example talks, and a test may unwrap")]

use std::time::Duration;

use mqtt_at::{Client, ConnectOptions, Modem, ModemOptions, Outcome, QoS};
use virtual_modem::{Action, Broker, Fault, Hook, MemoryBroker, Vendor, VirtualModem};

/// The code under test: reports a measurement, and sends it again only if that can make no duplicate.
async fn report(client: &Client, value: &str) -> bool {
    for _ in 0..3 {
        match client.publish("site/7/temperature", QoS::AtLeastOnce, false, value.to_owned()).await {
            Ok(_) => return true,
            Err(error) if error.outcome() == Outcome::NotSent => {}
            Err(_) => return false,
        }
    }
    false
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let broker = MemoryBroker::new();
    let module = VirtualModem::builder(Vendor::Quectel)
        .broker(Broker::Memory(broker.clone()))
        .rtt(Duration::from_millis(200))
        .build()
        .unwrap();
    let (opening, driver) = Modem::over(module.duplex(), ModemOptions::new());
    tokio::spawn(driver);
    let modem = opening.await.unwrap();
    let client = modem.connect(ConnectOptions::new("gateway", "broker.example.com", 1883)).await.unwrap();

    // The module refuses the first publish before it takes the payload.
    module.inject_fault(Fault::new(Hook::BeforePrompt, Action::Error).command("+QMTPUBEX"));
    assert!(report(&client, "21.5").await);

    // What counts is what the broker saw: the value, once.
    let seen: Vec<_> = broker.ledger().accepted.into_iter().map(|it| it.payload).collect();
    assert_eq!(seen, ["21.5"]);
    println!("the gateway survived a refusal, and the broker saw its message once");
}
