//! How cost grows with payload, clients and subscribers; with modems see the fleet.

use std::time::Duration;

use mqtt_at::QoS;
use virtual_modem::Vendor;

use crate::heap;
use crate::injection::Injection;
use crate::report::{Report, row};
use crate::stopwatch::{best, time};
use crate::wire::{Load, Pace, measure};

const BATCH: usize = 100;

pub(crate) fn run(report: &mut Report) {
    report.heading("Growth");
    received(report);
    clients(report);
}

/// What a received message costs the host.
fn received(report: &Report) {
    let mut rows =
        vec![row(["payload", "subscribers", "per message", "per byte on the wire", "allocations"])];
    for (payload, subscribers) in
        [(16, 1), (128, 1), (512, 1), (1024, 1), (1500, 1), (128, 4), (128, 16), (128, 64)]
    {
        let mut injection = Injection::new(subscribers);
        injection.deliver(payload, BATCH);
        let ((), heap) = heap::watch(|| injection.deliver(payload, BATCH));
        let rounds = report.choose(100, 2);
        let times = (0..rounds).map(|_| time(|| injection.deliver(payload, BATCH)).1.as_nanos() as f64);
        let per_message = best(times) / BATCH as f64;
        rows.push(vec![
            format!("{payload} B"),
            subscribers.to_string(),
            format!("{per_message:.0} ns"),
            format!("{:.2} ns", per_message / (payload + 28) as f64),
            // Those that build the input come once for all messages.
            format!("{:.1}", heap.allocations as f64 / BATCH as f64 - 1.0),
        ]);
    }
    report.table(&rows);
}

/// Publishes per second of a Quectel module for each number of clients, in virtual time.
fn clients(report: &Report) {
    let mut rows = vec![row(["clients", "messages/s", "of the bound"])];
    for clients in 1..=report.choose(6, 2) {
        let (rtt, turnaround) = (Duration::from_millis(100), Duration::from_millis(2));
        let pace = Pace { vendor: Vendor::Quectel, baud: 921_600, rtt, turnaround };
        let load = Load { payload: 128, qos: QoS::AtLeastOnce, clients, in_flight: 10 };
        let outcome = measure(pace, load);
        rows.push(vec![
            clients.to_string(),
            format!("{:.1}", outcome.rate),
            format!("{:.1} %", outcome.rate / outcome.bound * 100.0),
        ]);
    }
    report.table(&rows);
}
