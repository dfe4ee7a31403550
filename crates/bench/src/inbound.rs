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
    /// Which part of the time the line was busy: from the module where it pushes; in both directions, with the
    /// turnaround of one command for each message, where it is asked for each.
    busy: f64,
    lost: usize,
    /// Publishes that were done meanwhile.
    published: usize,
}

pub(crate) fn run(report: &mut Report) {
    report.heading("Receiving (virtual time)");
    let mut rows = vec![row([
        "module",
        "baud",
        "alone, messages/s",
        "of the wire",
        "beside publishes, messages/s",
        "publishes/s",
        "lost",
    ])];
    let mut goals = vec![Report::goal_head()];
    let count = report.choose(400, 100);
    for vendor in VENDORS {
        for mode in [ReceiveMode::Push, ReceiveMode::Pull] {
            if mode == ReceiveMode::Pull && vendor != Vendor::Quectel {
                continue;
            }
            let is_asked = is_asked(vendor, mode);
            let name = format!("{vendor}, {}", if is_asked { "pull" } else { "push" });
            for baud in [115_200, 921_600] {
                let alone = flood(pace(vendor, baud, is_asked), mode, count, false);
                let both = flood(pace(vendor, baud, false), mode, count, true);
                let lost = alone.lost + both.lost;
                let published = both.published as f64 / (count as f64 / both.rate);
                rows.push(vec![
                    name.clone(),
                    baud.to_string(),
                    format!("{:.1}", alone.rate),
                    format!("{:.1} %", alone.busy * 100.0),
                    format!("{:.1}", both.rate),
                    format!("{published:.1}"),
                    lost.to_string(),
                ]);
                // Now and then a module is asked whether it has told of all its messages.
                let (goal, least) = match is_asked {
                    true => ("≥ 95 % of one command for each", 0.95),
                    false => ("100 % of the wire", 0.99),
                };
                let what = format!("received messages, {name}, {baud}");
                let result = format!("{:.1} %", alone.busy * 100.0);
                goals.push(report.goal(Kind::Counted, what.as_str(), goal, result, alone.busy >= least));
                goals.push(report.goal(
                    Kind::Counted,
                    format!("{what}, both directions"),
                    "none lost, commands progress",
                    format!("{lost} lost, {} publishes done", both.published),
                    lost == 0 && both.published > 0,
                ));
            }
        }
    }
    report.table(&rows);
    report.table(&goals);
}

/// Whether the module keeps its messages until it is asked for them.
fn is_asked(vendor: Vendor, mode: ReceiveMode) -> bool {
    mode == ReceiveMode::Pull || vendor == Vendor::Fibocom
}

/// A module with few places for messages is fed over a short way, so that they are always full.
fn pace(vendor: Vendor, baud: u32, is_near: bool) -> Pace {
    let rtt = Duration::from_millis(if is_near { 2 } else { 50 });
    Pace { vendor, baud, rtt, turnaround: Duration::from_millis(2) }
}

/// Lets so many messages come as fast as they can.
fn flood(pace: Pace, mode: ReceiveMode, count: usize, publishes: bool) -> Flood {
    in_virtual_time(async {
        let rig = Rig::new(pace).await;
        let client = rig.client("bench", mode).await;
        let mut subscription = client.subscribe(TOPIC, QoS::AtLeastOnce).await.expect("the broker takes it");
        // A module that is asked for its messages has few places for them: as many are on their way as it has. And
        // what it has to say already goes before a prompt, so that a backlog without end would leave no commands.
        let is_asked = is_asked(pace.vendor, mode);
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
        let (start, up, down) = (Instant::now(), rig.traffic.up(), rig.traffic.down());
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
        let (up, down) = (rig.traffic.up() - up, rig.traffic.down() - down);
        let on_line = |bytes: u64| bytes as f64 * 10.0 / f64::from(pace.baud);
        let busy = match is_asked {
            true => on_line(up + down) + received as f64 * pace.turnaround.as_secs_f64(),
            false => on_line(down),
        };
        Flood { rate: received as f64 / seconds, busy: busy / seconds, lost: count - received, published }
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
