//! A client with a subscription, on a line that the test can harm.

use std::time::Duration;

use mqtt_at::at::{LinkState, PortEvent};
use mqtt_at::common::{Signal, SignalQuality};
use mqtt_at::{Client, Error, Event, Message, ModemOptions, Outcome, QoS, Subscription, Supervision};
use tokio::sync::broadcast;
use virtual_modem::{Builder, Entry, Record};

use crate::support::{Bench, Kind};
use crate::wire::Hand;

pub struct Scene {
    pub kind: Kind,
    pub hand: Hand,
    pub bench: Bench,
    pub client: Client,
    /// What comes on the topic `in`.
    pub messages: Subscription,
    pub events: broadcast::Receiver<Event>,
    pub port_events: broadcast::Receiver<PortEvent>,
    rounds: u32,
}

/// No call may take longer than this, whatever happens to it.
pub const PATIENCE: Duration = Duration::from_secs(600);

impl Scene {
    pub async fn new(kind: &Kind) -> Self {
        Self::with(kind, |builder| builder, ModemOptions::new()).await
    }

    /// A modem that makes nothing again, so that what is lost can be seen; `tests/api/recovery` is about the others.
    pub async fn with(kind: &Kind, change: impl FnOnce(Builder) -> Builder, options: ModemOptions) -> Self {
        let hand = Hand::default();
        let options = options.supervision(Supervision::off());
        let bench = Bench::over(kind, change, options, |line| hand.wire(line)).await;
        let bench = bench.expect("the module comes up");
        let client = bench.client("one").await;
        let messages = client.subscribe("in", QoS::AtLeastOnce).await.unwrap();
        let (events, port_events) = (client.events(), bench.modem.port_events());
        hand.harm([]);
        Self { kind: *kind, hand, bench, client, messages, events, port_events, rounds: 0 }
    }

    /// Publishes with QoS 1 and holds what is told against what the broker has.
    pub async fn publish(&self, payload: &str) -> mqtt_at::Result<()> {
        let publish = self.client.publish("out", QoS::AtLeastOnce, false, payload.to_owned());
        let outcome = tokio::time::timeout(PATIENCE, publish).await.expect("every call ends").map(drop);
        self.check_outcome(&outcome, payload);
        outcome
    }

    /// `Ok` and `NotSent` are true, and the broker has nothing that nobody published.
    pub fn check_outcome(&self, outcome: &mqtt_at::Result<()>, payload: &str) {
        let arrived = self.bench.accepted("out").iter().filter(|it| *it == payload.as_bytes()).count();
        let what = format!("{:?}: {payload}: {outcome:?}", self.kind.vendor);
        match outcome {
            Ok(()) => assert!(arrived > 0, "{what}, but it is not there"),
            Err(error) if error.outcome() == Outcome::NotSent => {
                assert_eq!(arrived, 0, "{what}, but it is there");
            }
            Err(_) => {}
        }
        assert!(arrived <= 1, "{what}, and it came {arrived} times");
    }

    /// The answer of `AT+CSQ`.
    pub async fn signal(&self) -> mqtt_at::Result<Signal> {
        let ask = self.bench.modem.send(SignalQuality);
        tokio::time::timeout(PATIENCE, ask).await.expect("every call ends")
    }

    /// A message from elsewhere.
    pub fn tell(&self, payload: impl Into<bytes::Bytes>) {
        self.bench.broker.publish_from_outside("in", 1, false, payload);
    }

    /// The next message, within a minute.
    pub async fn next(&mut self) -> Message {
        crate::support::next(&mut self.messages).await
    }

    /// The messages that came until nothing came for a minute.
    pub async fn came(&mut self) -> Vec<Vec<u8>> {
        let mut came = Vec::new();
        while let Ok(Some(item)) = tokio::time::timeout(Duration::from_secs(60), self.messages.next()).await {
            came.push(item.expect("none was lost").payload().to_vec());
        }
        came
    }

    /// What the client reported since the last look.
    pub fn client_events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// What the port reported since the last look.
    pub fn seen(&mut self) -> Vec<PortEvent> {
        std::iter::from_fn(|| self.port_events.try_recv().ok()).collect()
    }

    /// The link is proven, answers belong to their commands, and the client still works both ways.
    pub async fn is_in_step(&mut self, after: &str) {
        let what = format!("{:?}: {after}", self.kind.vendor);
        self.link_becomes(LinkState::Synced, &what).await;
        let signal = self.signal().await.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(signal.rssi_dbm.is_some(), "{what}: {signal:?}");
        self.rounds += 1;
        let payload = format!("in step {}", self.rounds);
        self.publish(&payload).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        self.tell(payload.clone());
        let came = self.next().await;
        assert_eq!(came.payload()[..], *payload.as_bytes(), "{what}: what came after it");
        // Some modules are asked whether there is more.
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.nothing_strange(&what);
    }

    /// Within ten minutes there is a client that publishes: this one, or another one in its place.
    pub async fn works_again(&self, after: &str) {
        let what = format!("{:?}: {after}", self.kind.vendor);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut last = None;
        while tokio::time::Instant::now() < deadline {
            if let Err(error) = self.client.publish("again", QoS::AtLeastOnce, false, "again").await {
                let options = crate::support::options("another");
                let outcome = match self.bench.modem.connect(options).await {
                    Ok(other) => other.publish("again", QoS::AtLeastOnce, false, "again").await,
                    Err(error) => Err(error),
                };
                match outcome {
                    Ok(_) => return self.nothing_strange(&what),
                    Err(other) => last = Some((error, other)),
                }
                // The one client of the module may still be this one's.
                let _ = tokio::time::timeout(PATIENCE, self.client.disconnect()).await;
                tokio::time::sleep(Duration::from_secs(10)).await;
            } else {
                return self.nothing_strange(&what);
            }
        }
        panic!("{what}: it never works again: {last:?}");
    }

    /// Answers belong to their commands, whatever became of the client.
    pub async fn is_answered(&mut self) {
        let signal = self.signal().await.unwrap_or_else(|error| panic!("{:?}: {error}", self.kind.vendor));
        assert!(signal.rssi_dbm.is_some(), "{signal:?}");
    }

    pub async fn link_becomes(&self, wanted: LinkState, what: &str) {
        let mut link = self.bench.modem.link();
        let becomes = link.wait_for(|state| *state == wanted);
        let outcome = tokio::time::timeout(PATIENCE, becomes).await;
        outcome.unwrap_or_else(|_| panic!("{what}: the link never becomes {wanted:?}")).unwrap();
    }

    /// Neither did the module hear what is no command, nor has the broker got one as a payload.
    pub fn nothing_strange(&self, what: &str) {
        // A question mark ends what a module might still be waiting for.
        let is_odd = |it: &Record| matches!(&it.entry, Entry::NotACommand(line) if line != "?");
        let odd = self.bench.module.log().into_iter().find(is_odd);
        assert!(odd.is_none(), "{what}: the module could not read {odd:?}");
        let ledger = self.bench.broker.ledger();
        let commands = ledger.accepted.iter().find(|it| it.payload.starts_with(b"AT"));
        assert!(commands.is_none(), "{what}: a command was published: {commands:?}");
    }
}

/// The error is a timeout.
pub fn is_timeout(error: &Error) -> bool {
    matches!(error, Error::Timeout { .. })
}
