//! How an application tests itself without hardware: a virtual module, a broker that keeps a ledger, a paused clock,
//! and a plan of what goes wrong.
//!
//! ```sh
//! cargo test --example test_your_gateway
//! ```
//!
//! In your own crate `mqtt-at` is a dependency, `virtual-modem` and tokio's feature `test-util` are dev-dependencies,
//! and the test below is a file in `tests/`. Minutes of waiting for a module take milliseconds, because the clock is
//! paused: it jumps to whatever is waited for next.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example talks, and a test may unwrap")]

use std::time::Duration;

use mqtt_at::{Client, ConnectOptions, Modem, ModemOptions, Outcome, QoS};
use tokio::time::Instant;
use virtual_modem::{Action, Broker, Fault, FaultPlan, Hook, MemoryBroker, Reboot, Vendor, VirtualModem};

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

/// The conversation is the same on every run, so a fault strikes where it is told to: at the so-manieth occasion of a
/// moment (`Hook`) of a command. `mqttat sim --fault` takes the same as text: `after-result:+QMTPUBEX:2:reboot`.
fn plan() -> FaultPlan {
    FaultPlan::new()
        // The first publish is refused before the module takes its payload.
        .with(Fault::new(Hook::BeforePrompt, Action::Error).command("+QMTPUBEX"))
        // The next answer is late, though not too late.
        .with(Fault::new(Hook::BeforeFinal, Action::Delay(Duration::from_secs(3))).command("+QMTPUBEX"))
        // Behind the second result the module restarts, and the connection is lost.
        .with(Fault::new(Hook::AfterResult, Action::Reboot(Reboot::Loud)).command("+QMTPUBEX").occasion(2))
}

async fn measurements_arrive_once_whatever_goes_wrong() {
    let broker = MemoryBroker::new();
    let module = VirtualModem::builder(Vendor::Quectel)
        .broker(Broker::Memory(broker.clone()))
        .rtt(Duration::from_millis(200))
        .faults(plan())
        .build()
        .unwrap();
    let (opening, driver) = Modem::over(module.duplex(), ModemOptions::new());
    tokio::spawn(driver);
    let modem = opening.await.unwrap();
    let client = modem.connect(ConnectOptions::new("gateway", "broker.example.com", 1883)).await.unwrap();

    let start = Instant::now();
    for value in ["21.5", "21.6", "21.7"] {
        assert!(report(&client, value).await, "{value} was given up");
    }
    // What counts is what the broker saw: every value, once, and in time.
    let seen: Vec<_> = broker.ledger().accepted.into_iter().map(|it| it.payload).collect();
    assert_eq!(seen, ["21.5", "21.6", "21.7"]);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_gateway_survives() {
    measurements_arrive_once_whatever_goes_wrong().await;
}

/// The same as a program: `cargo run --example test_your_gateway`.
#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    measurements_arrive_once_whatever_goes_wrong().await;
    println!("a refusal, a late answer and a restart: the broker saw every measurement once");
}
