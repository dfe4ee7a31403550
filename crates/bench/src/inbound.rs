//! Rates of received messages against the wire, alone and with publishes under way; pushing against pulling.

use std::time::Duration;

use futures::StreamExt;
use mqtt_at::{Client, Outgoing, QoS, ReceiveMode, Subscription};
use tokio::time::{Instant, timeout};
use virtual_modem::Vendor;

use crate::report::{Kind, Report, row};
use crate::wire::{Pace, Rig, TOPIC, VENDORS, in_virtual_time, seconds_since};

const PAYLOAD: usize = 128;

/// What came of a flood of messages.
struct Flood {
    /// Messages per second.
    rate: f64,
    /// Which part of the time the line from the module was busy.
    busy: f64,
    lost: usize,
    /// Publishes that were done meanwhile.
    published: usize,
}

pub(crate) fn run(report: &mut Report) {
    report.heading("Received messages (virtual time)");
    let mut rows = vec![row([
        "module",
        "mode",
        "baud",
        "messages/s",
        "line busy",
        "lost",
        "with publishes: messages/s",
        "lost",
        "publishes/s",
    ])];
    let mut goals = vec![Report::goal_head()];
    let count = report.choose(400, 100);
    for vendor in VENDORS {
        for mode in [ReceiveMode::Push, ReceiveMode::Pull] {
            let pulls = mode == ReceiveMode::Pull;
            if pulls && vendor != Vendor::Quectel {
                continue;
            }
            for baud in [115_200, 921_600] {
                let (rtt, turnaround) = (Duration::from_millis(50), Duration::from_millis(2));
                let pace = Pace { vendor, baud, rtt, turnaround };
                let alone = flood(pace, mode, count, false);
                let both = flood(pace, mode, count, true);
                let polled = pulls || vendor == Vendor::Fibocom;
                rows.push(vec![
                    vendor.to_string(),
                    if polled { "pull" } else { "push" }.to_owned(),
                    baud.to_string(),
                    format!("{:.1}", alone.rate),
                    format!("{:.1} %", alone.busy * 100.0),
                    alone.lost.to_string(),
                    format!("{:.1}", both.rate),
                    both.lost.to_string(),
                    format!("{:.1}", both.published as f64 / (count as f64 / both.rate)),
                ]);
                let name =
                    format!("received messages, {vendor}, {}, {baud}", if polled { "pull" } else { "push" });
                if !polled {
                    let result = format!("{:.1} % of the wire", alone.busy * 100.0);
                    goals.push(report.goal(
                        Kind::Counted,
                        name.as_str(),
                        "100 % of the wire",
                        result,
                        alone.busy > 0.99,
                    ));
                }
                let result = format!("{} lost, {} publishes done", alone.lost + both.lost, both.published);
                let met = alone.lost + both.lost == 0 && both.published > 0;
                goals.push(report.goal(
                    Kind::Counted,
                    format!("{name}, both directions"),
                    "none lost, commands progress",
                    result,
                    met,
                ));
            }
        }
    }
    report.table(&rows);
    report.table(&goals);
}

/// Lets so many messages come as fast as they can.
fn flood(pace: Pace, mode: ReceiveMode, count: usize, publishes: bool) -> Flood {
    in_virtual_time(async {
        let rig = Rig::new(pace).await;
        let client = rig.client("bench", mode).await;
        let mut subscription = client.subscribe(TOPIC, QoS::AtLeastOnce).await.expect("the broker takes it");
        // A module that is asked for its messages has few places for them: as many are on their way as it has. And
        // what it has to say already goes before a prompt, so that a backlog without end would leave no commands.
        let is_asked = mode == ReceiveMode::Pull || pace.vendor == Vendor::Fibocom;
        let places = if is_asked || publishes { 4 } else { count + WARM_UP };
        let (total, mut sent) = (WARM_UP + count, 0);
        let mut send = || {
            if sent < total {
                sent += 1;
                rig.broker.publish_from_outside(TOPIC, 1, false, vec![b'x'; PAYLOAD]);
            }
        };
        (0..places).for_each(|_| send());
        for _ in 0..WARM_UP {
            if take(&mut subscription).await {
                send();
            }
        }
        let publisher = publishes.then(|| Publishing::start(&client));
        let (start, down) = (Instant::now(), rig.traffic.down());
        let mut received = 0;
        while received < count && take(&mut subscription).await {
            received += 1;
            send();
        }
        let seconds = seconds_since(start);
        let published = match publisher {
            Some(publisher) => publisher.stop().await,
            None => 0,
        };
        let bytes = (rig.traffic.down() - down) as f64;
        Flood {
            rate: received as f64 / seconds,
            busy: bytes * 10.0 / f64::from(pace.baud) / seconds,
            lost: count - received,
            published,
        }
    })
}

/// So many messages come before it counts.
const WARM_UP: usize = 20;

/// Whether another message came.
async fn take(subscription: &mut Subscription) -> bool {
    let next = timeout(Duration::from_secs(60_000), subscription.next()).await;
    matches!(next, Ok(Some(Ok(_))))
}

/// Publishes that go on until they are stopped.
struct Publishing {
    task: tokio::task::JoinHandle<()>,
    done: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Publishing {
    fn start(client: &Client) -> Self {
        let done = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let (counter, client) = (done.clone(), client.clone());
        let task = tokio::spawn(async move {
            let (messages, mut outcomes) = client.publisher(10).split();
            let message = Outgoing::new("bench/up", QoS::AtLeastOnce, vec![b'y'; PAYLOAD]);
            let endless = futures::stream::repeat_with(move || Ok(message.clone()));
            let counting = async {
                while let Some(concluded) = outcomes.next().await {
                    concluded.result.expect("nothing fails here");
                    counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            };
            let _ = futures::join!(endless.forward(messages), counting);
        });
        Self { task, done }
    }

    async fn stop(self) -> usize {
        self.task.abort();
        let _ = self.task.await;
        self.done.load(std::sync::atomic::Ordering::Relaxed)
    }
}
