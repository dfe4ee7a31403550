//! A gateway that is switched on and left alone: a message a second, faults as often as they happen, for a month of
//! virtual time.
//!
//! `cargo test` runs an hour with a month's density of faults; `SOAK_DAYS=30 cargo test --release --test soak -- --nocapture`
//! runs the month and prints the ledger.

#![allow(
    unreachable_pub,
    missing_debug_implementations,
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod account;
mod faults;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mqtt_at::common::SerialNumber;
use mqtt_at::{Client, ClientStatus, ConnectOptions, Modem, ModemOptions, QoS, Subscription, Supervision};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};
use virtual_modem::{Broker, MemoryBroker, Quirk, Vendor, VirtualModem};

use self::account::Account;
use self::faults::Faults;

/// One hour, if nothing else is asked for.
const SHORT: f64 = 1.0 / 24.0;

#[test]
fn quectel() {
    soak(Vendor::Quectel, 1);
}

#[test]
fn simcom() {
    soak(Vendor::SimCom, 2);
}

#[test]
fn fibocom() {
    soak(Vendor::Fibocom, 3);
}

#[test]
fn neoway() {
    soak(Vendor::Neoway, 4);
}

fn soak(vendor: Vendor, seed: u64) {
    let days = std::env::var("SOAK_DAYS").map_or(SHORT, |days| days.parse().expect("SOAK_DAYS is a number"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(run(vendor, seed, days));
}

async fn run(vendor: Vendor, seed: u64, days: f64) {
    let broker = MemoryBroker::new();
    // The log of the module would be what grows.
    let module = VirtualModem::builder(vendor)
        .broker(Broker::Memory(broker.clone()))
        .rtt(Duration::from_millis(80))
        .log_capacity(1000)
        // What a module that never gives a payload up would be given instead is no message of anybody.
        .quirk(Quirk::PromptTimeout(Duration::from_secs(30)))
        .seed(seed)
        .build()
        .unwrap();
    let port = module.clone();
    let connect = move || {
        let port = port.duplex();
        async move { Ok(port) }
    };
    let options = ModemOptions::new().supervision(Supervision::new().seed(seed));
    let (opening, driver) = Modem::through(connect, options);
    tokio::spawn(driver);
    let modem = opening.await.unwrap();
    let client = modem.connect(ConnectOptions::new("soak", "broker.example.com", 1883)).await.unwrap();
    let messages = client.subscribe("to/it", QoS::AtLeastOnce).await.unwrap();
    let mut received = tokio::spawn(count(messages));
    let answers = Arc::new(AtomicU64::new(0));
    let asking = tokio::spawn(ask(modem.clone(), Arc::clone(&answers)));

    let mut faults = Faults::new(seed, days);
    let mut account = Account::new(vendor);
    let mut publishes = JoinSet::new();
    let mut seconds = interval(Duration::from_secs(1));
    let end = Instant::now() + Duration::from_secs_f64(days * 86_400.0);
    let mut number = 0_u64;
    while Instant::now() < end {
        seconds.tick().await;
        faults.strike(&module, &broker);
        account.begun(number);
        publishes.spawn(publish(client.clone(), number));
        number += 1;
        if number.is_multiple_of(10) {
            broker.publish_from_outside("to/it", 1, false, number.to_string());
        }
        while let Some(done) = publishes.try_join_next() {
            account.concluded(done.unwrap());
        }
        if number.is_multiple_of(600) {
            account.close(broker.take_ledger());
        }
    }
    faults.end(&module, &broker);
    while let Some(done) = publishes.join_next().await {
        account.concluded(done.unwrap());
    }
    works_again(&client).await;
    account.close(broker.take_ledger());
    account.close(broker.take_ledger());
    client.disconnect().await.unwrap();
    let received = timeout(Duration::from_secs(60), &mut received).await.expect("the stream ends").unwrap();
    asking.abort();
    assert!(asking.await.is_err_and(|end| end.is_cancelled()), "an answer was another command's");
    account.report(days, received, answers.load(Ordering::Relaxed), &faults);
}

/// What became of a message, with its number.
type Outcome = (u64, mqtt_at::Result<mqtt_at::Published>);

async fn publish(client: Client, number: u64) -> Outcome {
    (number, client.publish("from/it", QoS::AtLeastOnce, false, number.to_string()).await)
}

/// After the last fault it takes no more than ten minutes until everything works.
async fn works_again(client: &Client) {
    let mut status = client.status();
    let back = status.wait_for(|it| *it == ClientStatus::Connected);
    timeout(Duration::from_secs(600), back).await.expect("the client comes back").unwrap();
    let mut tries = 0;
    while let Err(error) = client.publish("last", QoS::AtLeastOnce, false, "word").await {
        tries += 1;
        assert!(tries < 10, "{error}");
    }
}

async fn count(mut messages: Subscription) -> u64 {
    let mut count = 0;
    while let Some(item) = messages.next().await {
        count += u64::from(item.is_ok());
    }
    count
}

/// Asks all the time what has only one right answer. A wrong one would be that of another command.
async fn ask(modem: Modem, answers: Arc<AtomicU64>) {
    loop {
        tokio::time::sleep(Duration::from_secs(30)).await;
        // During an outage there may be none.
        if let Ok(imei) = modem.send(SerialNumber).await {
            assert_eq!(Some(&imei), modem.identity().imei.as_ref());
            answers.fetch_add(1, Ordering::Relaxed);
        }
    }
}
