//! One message to many subscribers, and what a kept message pins.

use crate::heap::Mark;
use crate::injection::Injection;
use crate::report::{Kind, Report, row};
use crate::stopwatch::{best, time};

/// So many messages come in one go; the rings of slow subscribers hold them all.
const BATCH: usize = 200;
const PAYLOAD: usize = 64;

pub(crate) fn run(report: &mut Report) {
    report.heading("Fan-out");
    let counts = [1, 4, 16];
    let mut injections: Vec<_> = [0, 1, 4, 16].into_iter().map(Injection::new).collect();
    let mut times = vec![Vec::new(); injections.len()];
    for _ in 0..report.choose(200, 5) {
        for (times, injection) in times.iter_mut().zip(&mut injections) {
            let (_, took) = time(|| injection.deliver(PAYLOAD, BATCH));
            times.push(took.as_nanos() as f64 / BATCH as f64);
        }
    }
    let times: Vec<f64> = times.into_iter().map(best).collect();
    let mut rows = vec![row(["subscribers", "per message", "per delivery", "of it for the subscriber"])];
    let own = |position: usize| (times[position + 1] - times[0]) / counts[position] as f64;
    for (position, count) in counts.iter().enumerate() {
        rows.push(vec![
            count.to_string(),
            format!("{:.0} ns", times[position + 1]),
            format!("{:.0} ns", times[position + 1] / *count as f64),
            format!("{:.0} ns", own(position)),
        ]);
    }
    report.table(&rows);
    let own = own(1);
    let fan_out = report.goal(
        Kind::Timed,
        "one more delivery at four subscribers",
        "≤ 100 ns",
        format!("{own:.0} ns"),
        own <= 100.0,
    );
    let mut goals = vec![Report::goal_head(), fan_out];
    for payload in [16, 128, 1024] {
        let pinned = pinned(payload);
        let most = 2.0 * payload as f64 + 64.0;
        let what = format!("what a kept payload of {payload} B pins");
        let (goal, result) = (format!("≤ 2 × {payload} + 64 B"), format!("{pinned:.0} B"));
        goals.push(report.goal(Kind::Counted, what, goal, result, pinned <= most));
    }
    report.table(&goals);
}

/// Bytes of heap for each payload that is kept, when every 64th is.
fn pinned(payload: usize) -> f64 {
    let mut injection = Injection::new(1);
    injection.deliver(payload, BATCH);
    let mut kept = Vec::with_capacity(64);
    let mark = Mark::set();
    let mut number = 0;
    while kept.len() < 64 {
        injection.deliver_to(payload, BATCH, |message| {
            number += 1;
            if number % 64 == 0 && kept.len() < 64 {
                kept.push(message.payload().clone());
            }
        });
    }
    let bytes = mark.since().kept as f64 / kept.len() as f64;
    drop(kept);
    bytes
}
