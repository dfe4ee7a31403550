//! How long a publish takes while another client floods the port.

use std::time::Duration;

use futures::StreamExt;
use mqtt_at::{Outgoing, QoS};
use tokio::time::Instant;
use virtual_modem::Vendor;

use crate::report::{Kind, Report};
use crate::wire::{Pace, Rig, Sequence, TOPIC, VENDORS, in_virtual_time, seconds_since};

const PAYLOAD: usize = 128;

pub(crate) fn run(report: &mut Report) {
    report.heading("Fairness (virtual time)");
    let mut goals = vec![Report::goal_head()];
    // A module with one client has nobody to be fair to.
    for vendor in VENDORS.into_iter().filter(|vendor| *vendor != Vendor::Neoway) {
        for (baud, rtt) in [(115_200, 50), (921_600, 200)] {
            let (rtt, turnaround) = (Duration::from_millis(rtt), Duration::from_millis(2));
            let (longest, goal) = longest(Pace { vendor, baud, rtt, turnaround }, report.choose(100, 20));
            let what = format!("a publish beside a flood, {vendor}, {baud}, {rtt:?}");
            let goal_text = format!("(N + 2)·T_cmd + r = {:.0} ms", goal * 1000.0);
            let result = format!("{:.0} ms", longest * 1000.0);
            goals.push(report.goal(Kind::Counted, what, goal_text, result, longest <= goal));
        }
    }
    report.table(&goals);
}

/// The longest publish of many, in seconds, and the goal.
fn longest(pace: Pace, count: usize) -> (f64, f64) {
    in_virtual_time(async {
        let rig = Rig::new(pace).await;
        let clients = rig.clients(2).await;
        let message = Outgoing::new(TOPIC, QoS::AtLeastOnce, vec![b'x'; PAYLOAD]);
        let (up, down) = (rig.traffic.up(), rig.traffic.down());
        clients[1]
            .publish(TOPIC, QoS::AtLeastOnce, false, message.payload.clone())
            .await
            .map(drop)
            .expect("it is delivered");
        let bytes = |before, after| (after - before) as f64;
        let (up, down) = (bytes(up, rig.traffic.up()), bytes(down, rig.traffic.down()));
        let sequence = Sequence::of(pace.vendor, up, down);

        let (messages, outcomes) = clients[0].publisher(100).split();
        let flood = message.clone();
        tokio::spawn(futures::stream::repeat_with(move || Ok(flood.clone())).forward(messages));
        tokio::spawn(
            outcomes.for_each(|concluded| async { _ = concluded.result.expect("nothing fails here") }),
        );
        let mut longest = 0.0_f64;
        for number in 0..count {
            // At ever other moments of the flood's publishes.
            tokio::time::sleep(Duration::from_millis(3_000 + 1_237 * number as u64)).await;
            let start = Instant::now();
            clients[1]
                .publish(TOPIC, QoS::AtLeastOnce, false, message.payload.clone())
                .await
                .map(drop)
                .expect("it is delivered");
            longest = longest.max(seconds_since(start));
        }
        let goal = (sequence.window + 2.0) * sequence.busy(&pace, true) + pace.rtt.as_secs_f64();
        (longest, goal)
    })
}
