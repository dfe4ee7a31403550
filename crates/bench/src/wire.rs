//! Publish rates against the bound of wire and module.

mod bound;
mod rig;

use std::time::Duration;

use futures::{StreamExt, stream};
use mqtt_at::{Client, Outgoing, QoS};
use tokio::time::Instant;
use virtual_modem::Vendor;

pub(crate) use self::bound::Sequence;
pub(crate) use self::rig::{Pace, Rig, in_virtual_time, seconds_since};
use crate::plot::{Plot, Series};
use crate::report::{Kind, Report, row};

/// Vendors whose manuals' sequences are measured.
pub(crate) const VENDORS: [Vendor; 4] = [Vendor::Quectel, Vendor::SimCom, Vendor::Fibocom, Vendor::Neoway];

/// Sixteen bytes, as in the bound's table.
pub(crate) const TOPIC: &str = "bench/topic/0001";

const GOAL: f64 = 0.97;

/// What is published.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) payload: usize,
    pub(crate) qos: QoS,
    pub(crate) clients: usize,
    /// How many publishes of each client are handed over at once.
    pub(crate) in_flight: usize,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// Publishes per second.
    pub(crate) rate: f64,
    pub(crate) bound: f64,
    /// What awaiting each outcome before the next publish would give.
    pub(crate) serial: f64,
}

impl Outcome {
    /// Which part of the bound was reached.
    fn share(&self) -> f64 {
        self.rate / self.bound
    }
}

/// Publishes for a while and measures the steady state.
pub(crate) fn measure(pace: Pace, load: Load) -> Outcome {
    in_virtual_time(async {
        let rig = Rig::new(pace).await;
        let clients = rig.clients(load.clients).await;
        let count = clients.len();
        // Packet identifiers grow to the same number of digits for all, and the window fills.
        let window = 5 * count;
        let warm_up = 2 * window;
        let measured = (10 * window).max(60);
        let outcomes = stream::select_all(
            clients.iter().map(|client| publish(client, load, (warm_up + measured + window) / count).boxed()),
        );
        let mut outcomes = std::pin::pin!(outcomes);
        for _ in 0..warm_up {
            outcomes.next().await.expect("there are more");
        }
        let (start, up, down) = (Instant::now(), rig.traffic.up(), rig.traffic.down());
        for _ in 0..measured {
            outcomes.next().await.expect("there are more");
        }
        let per_message = |bytes: u64| bytes as f64 / measured as f64;
        let rate = measured as f64 / seconds_since(start);
        let (up, down) = (per_message(rig.traffic.up() - up), per_message(rig.traffic.down() - down));
        let sequence = Sequence::of(pace.vendor, up, down);
        let answered = load.qos != QoS::AtMostOnce;
        Outcome {
            rate,
            bound: sequence.bound(&pace, count as f64, answered),
            serial: sequence.serial(&pace, answered),
        }
    })
}

/// So many publishes of one client, as outcomes come.
fn publish(client: &Client, load: Load, count: usize) -> impl futures::Stream<Item = ()> + use<> {
    let message = Outgoing::new(TOPIC, load.qos, vec![b'x'; load.payload]);
    let (messages, outcomes) = client.publisher(load.in_flight).split();
    let handing_over = stream::iter((0..count).map(move |_| Ok(message.clone()))).forward(messages);
    tokio::spawn(handing_over);
    outcomes.map(|concluded| _ = concluded.result.expect("nothing fails here"))
}

pub(crate) fn run(report: &mut Report) {
    report.heading("Publishing (virtual time)");
    let measured: Vec<_> =
        cases(report).into_iter().map(|(pace, load)| (pace, load, measure(pace, load))).collect();
    if report.is_verbose() {
        every_case(report, &measured);
    }
    let mut goals = vec![Report::goal_head()];
    for vendor in VENDORS {
        let of_vendor = measured.iter().filter(|(pace, ..)| pace.vendor == vendor);
        let worst = of_vendor.min_by(|one, other| one.2.share().total_cmp(&other.2.share()));
        let Some((pace, load, outcome)) = worst else { continue };
        let share = outcome.share();
        let what = format!("publish rate, worst case of {vendor} ({})", case(pace, load).join(", "));
        let result = format!("{:.1} % of the bound", share * 100.0);
        goals.push(report.goal(Kind::Counted, what, "≥ 97 % of the bound", result, share >= GOAL));
    }
    report.table(&goals);
    by_round_trip(report, &measured);
    if !report.is_quick() {
        plot(report);
    }
}

/// What tells one case from the others of its vendor.
fn case(pace: &Pace, load: &Load) -> [String; 6] {
    [
        format!("{} B", load.payload),
        format!("QoS {}", load.qos.level()),
        if load.clients == 1 { "1 client" } else { "all clients" }.to_owned(),
        format!("{} baud", pace.baud),
        format!("t = {:?}", pace.turnaround),
        format!("r = {:?}", pace.rtt),
    ]
}

fn every_case(report: &Report, measured: &[(Pace, Load, Outcome)]) {
    let mut rows = vec![row(["module", "case", "one at a time", "bound", "mqtt-at", ""])];
    rows.extend(measured.iter().map(|(pace, load, outcome)| {
        vec![
            pace.vendor.to_string(),
            case(pace, load).join(", "),
            format!("{:.1}", outcome.serial),
            format!("{:.1}", outcome.bound),
            format!("{:.1}", outcome.rate),
            format!("{:.1} %", outcome.share() * 100.0),
        ]
    }));
    report.table(&rows);
}

/// Messages per second of 128 bytes, QoS 1, all clients, turnaround 2 ms.
fn by_round_trip(report: &Report, measured: &[(Pace, Load, Outcome)]) {
    let most = |vendor| if vendor == Vendor::Neoway { 1 } else { 6 };
    let shown = |pace: &Pace, load: &Load| {
        load.payload == 128
            && load.qos == QoS::AtLeastOnce
            && load.clients == most(pace.vendor)
            && pace.turnaround == Duration::from_millis(2)
    };
    let mut rows: Vec<Vec<String>> = vec![row([
        "module, baud",
        "r = 50 ms: one at a time → mqtt-at (bound)",
        "r = 200 ms: one at a time → mqtt-at (bound)",
    ])];
    for (pace, _, outcome) in measured.iter().filter(|(pace, load, _)| shown(pace, load)) {
        let name = format!("{}, {}", pace.vendor, pace.baud);
        let cell = format!("{:.1} → {:.1} ({:.1})", outcome.serial, outcome.rate, outcome.bound);
        match rows.last_mut().filter(|row| row[0] == name) {
            Some(row) => row.push(cell),
            None => rows.push(vec![name, cell]),
        }
    }
    if rows.len() > 1 {
        report.table(&rows);
    }
}

fn cases(report: &Report) -> Vec<(Pace, Load)> {
    let mut cases = Vec::new();
    let payloads = report.choose(&[16, 128, 1024][..], &[16, 1024]);
    let turnarounds = report.choose(&[2, 10][..], &[2]);
    let round_trips = report.choose(&[50, 200][..], &[50]);
    let levels = report.choose(&[QoS::AtMostOnce, QoS::AtLeastOnce][..], &[QoS::AtLeastOnce]);
    for vendor in VENDORS {
        for &payload in payloads {
            for &qos in levels {
                for clients in [1, 6] {
                    if clients > 1 && vendor == Vendor::Neoway {
                        continue;
                    }
                    for baud in [115_200, 921_600] {
                        for &turnaround in turnarounds {
                            for &rtt in round_trips {
                                let turnaround = Duration::from_millis(turnaround);
                                let rtt = Duration::from_millis(rtt);
                                let pace = Pace { vendor, baud, rtt, turnaround };
                                cases.push((pace, Load { payload, qos, clients, in_flight: 10 }));
                            }
                        }
                    }
                }
            }
        }
    }
    cases
}

/// Messages per second over the round trip, one at a time and overlapped.
fn plot(report: &Report) {
    let mut series = Vec::new();
    for vendor in VENDORS {
        let line = |in_flight, clients| {
            let points = [5, 10, 20, 50, 100, 200, 500, 1000].map(|rtt| {
                let (rtt, turnaround) = (Duration::from_millis(rtt), Duration::from_millis(2));
                let pace = Pace { vendor, baud: 921_600, rtt, turnaround };
                let load = Load { payload: 128, qos: QoS::AtLeastOnce, clients, in_flight };
                (rtt.as_secs_f64() * 1000.0, measure(pace, load).rate)
            });
            points.to_vec()
        };
        if vendor == Vendor::Quectel {
            series.push(Series { name: "one at a time (Quectel)".into(), points: line(1, 1), dashed: true });
            series.push(Series { name: "Quectel, 1 client".into(), points: line(10, 1), dashed: false });
            series.push(Series { name: "Quectel, 6 clients".into(), points: line(10, 6), dashed: false });
        } else {
            let clients = if vendor == Vendor::Neoway { 1 } else { 2 };
            let plural = if clients == 1 { "" } else { "s" };
            let name = format!("{vendor}, {clients} client{plural}");
            series.push(Series { name, points: line(10, clients), dashed: false });
        }
    }
    let plot = Plot {
        title: "QoS 1 publishes of 128 bytes, 921 600 baud, turnaround 2 ms",
        x: "round trip to the broker, ms",
        y: "messages per second",
        series,
    };
    report.plot("publish-rate.svg", &plot.svg());
}
