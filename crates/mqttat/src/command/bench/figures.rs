//! What was measured, as figures.

use std::io::Write;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::failure::Failure;
use crate::output;

/// A line of the result.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    pub(super) qos: u8,
    pub(super) bytes: usize,
    pub(super) clients: usize,
    /// How many publishes of each client were awaited at once.
    pub(super) in_flight: usize,
    /// Messages that were published.
    pub(super) published: usize,
    pub(super) failed: usize,
    pub(super) seconds: f64,
    pub(super) messages_per_second: f64,
    pub(super) bytes_per_second: f64,
    pub(super) publish_milliseconds: Option<Percentiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) round_trip: Option<RoundTrip>,
}

/// What came back.
#[derive(Debug, Serialize)]
pub(super) struct RoundTrip {
    pub(super) received: usize,
    pub(super) duplicates: usize,
    pub(super) milliseconds: Option<Percentiles>,
}

/// Of all durations, those that so many percent did not exceed; in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Percentiles {
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
}

impl Percentiles {
    /// `None` if there are no durations.
    pub(super) fn of(mut durations: Vec<Duration>) -> Option<Self> {
        durations.sort_unstable();
        let last = *durations.last()?;
        // The nearest rank: the smallest duration that at least so many percent do not exceed.
        let at = |percent: usize| {
            let rank = (durations.len() * percent).div_ceil(100);
            durations.get(rank.saturating_sub(1)).copied().unwrap_or(last)
        };
        let milliseconds = |duration: Duration| (duration.as_secs_f64() * 1e5).round() / 100.0;
        Some(Self {
            p50: milliseconds(at(50)),
            p95: milliseconds(at(95)),
            p99: milliseconds(at(99)),
            max: milliseconds(last),
        })
    }

    fn cells(figures: Option<Self>) -> [String; 4] {
        figures.map_or_else(
            || std::array::from_fn(|_| "-".to_owned()),
            |it| [it.p50, it.p95, it.p99, it.max].map(|value| format!("{value:.1}")),
        )
    }
}

/// Prints all of them.
pub(super) fn print(all: &[Figures], json: bool) -> Result<(), Failure> {
    if json {
        return all.iter().try_for_each(|figures| output::print_json(figures).map(drop));
    }
    let table = table(all);
    output::print(|out| {
        // The table pads its last column, too.
        table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
    })
    .map(drop)
}

fn table(all: &[Figures]) -> Table {
    let with_round_trip = all.iter().any(|figures| figures.round_trip.is_some());
    let mut head = vec![
        "QoS", "bytes", "clients", "sent", "failed", "msg/s", "kB/s", "p50 ms", "p95 ms", "p99 ms", "max ms",
    ];
    if with_round_trip {
        head.extend(["back", "back p50", "back p95", "back p99", "back max"]);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(head);
    for figures in all {
        let mut row = vec![
            figures.qos.to_string(),
            figures.bytes.to_string(),
            format!("{}x{}", figures.clients, figures.in_flight),
            figures.published.to_string(),
            figures.failed.to_string(),
            format!("{:.1}", figures.messages_per_second),
            format!("{:.2}", figures.bytes_per_second / 1000.0),
        ];
        row.extend(Percentiles::cells(figures.publish_milliseconds));
        if let Some(round_trip) = &figures.round_trip {
            row.push(round_trip.received.to_string());
            row.extend(Percentiles::cells(round_trip.milliseconds));
        }
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        assert_eq!(Percentiles::of(Vec::new()), None);
        let one = Percentiles::of(vec![Duration::from_millis(7)]).unwrap();
        assert_eq!((one.p50, one.p95, one.p99, one.max), (7.0, 7.0, 7.0, 7.0));
        let hundred = Percentiles::of((1..=100).rev().map(Duration::from_millis).collect()).unwrap();
        assert_eq!((hundred.p50, hundred.p95, hundred.p99, hundred.max), (50.0, 95.0, 99.0, 100.0));
        let two = Percentiles::of(vec![Duration::from_micros(2004), Duration::from_millis(1)]).unwrap();
        assert_eq!((two.p50, two.p95), (1.0, 2.0));
    }
}
