//! Uses the module for more than MQTT: commands of one's own, what it reports by itself, and the radio network.
//!
//! ```sh
//! cargo run --example own_commands -- --device sim:quectel
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::time::Duration;

use mqtt_at::at::{Answer, CommandLine, Exchange, Fields, Operation, Reply};
use mqtt_at::{Command, ConnectOptions, InputError, QoS, Unreadable};

mod support;

/// `AT+CCLK?`: the module's clock, as it shows it.
struct Clock;

impl Command for Clock {
    type Answer = String;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(Exchange::new(CommandLine::read("+CCLK")).answer(Answer::Named("+CCLK")).into())
    }

    fn read(&self, reply: &Reply) -> Result<String, Unreadable> {
        let mut fields = reply.first_line().and_then(|line| Fields::of(line, "+CCLK")).ok_or(Unreadable)?;
        Ok(String::from_utf8_lossy(fields.quoted().ok_or(Unreadable)?).into_owned())
    }
}

#[tokio::main]
async fn main() -> mqtt_at::Result<()> {
    let modem = support::open_device().await?;

    // Text messages, calls, news of the network: whatever belongs to no client.
    let mut reports = modem.urcs();
    tokio::spawn(async move {
        while let Some(report) = reports.next().await {
            match report {
                Ok(report) => println!("the module reports {report}"),
                Err(lagged) => println!("{lagged}"),
            }
        }
    });

    let client = modem.connect(ConnectOptions::new("example", "broker.example.com", 1883)).await?;
    let mut network = modem.watch_network(Duration::from_secs(60));
    // All of it at once: each command waits for its turn.
    let (clock, coverage, published) = tokio::join!(
        modem.send(Clock),
        network.changed(),
        client.publish("example/greeting", QoS::AtLeastOnce, false, "hello"),
    );
    let coverage = coverage?;
    println!("the module's clock: {}", clock?);
    println!("signal: {}", coverage.signal.map_or("not told".to_owned(), |signal| signal.to_string()));
    println!("registration: {}", coverage.registration.map_or("not told", |state| state.as_str()));
    published?;
    println!("published");
    client.disconnect().await
}
