//! What wire and module allow, whatever the host does.

use virtual_modem::Vendor;

use super::rig::Pace;

/// What one publish moves and waits for. Bytes are those of the conversation that was measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sequence {
    /// Bytes up.
    pub(crate) up: f64,
    /// Bytes down until the port is free again: prompts and final results.
    pub(crate) down: f64,
    /// Bytes of the deferred result.
    pub(crate) deferred: f64,
    /// How often the module takes its time.
    pub(crate) turnarounds: f64,
    /// Whether the port is busy until the broker has answered.
    pub(crate) waits_for_broker: bool,
    /// How many publishes may be in flight for one client.
    pub(crate) window: f64,
}

impl Sequence {
    /// The sequence of a vendor, with so many bytes up and down for each publish.
    pub(crate) fn of(vendor: Vendor, up: f64, down: f64) -> Self {
        // The prompts and the final results of the manuals' sequences, echo off.
        let (until_free, turnarounds, window) = match vendor {
            Vendor::Quectel => (10.0, 2.0, 5.0),
            Vendor::SimCom => (26.0, 5.0, 1.0),
            Vendor::Fibocom => (11.0, 2.0, 1.0),
            Vendor::Neoway => (9.0, 2.0, 1.0),
        };
        let deferred = if vendor == Vendor::Neoway { 0.0 } else { (down - until_free).max(0.0) };
        Self {
            up,
            down: down - deferred,
            deferred,
            turnarounds,
            waits_for_broker: vendor == Vendor::Neoway,
            window,
        }
    }

    /// How long the port is busy with one publish, in seconds.
    pub(crate) fn busy(&self, pace: &Pace, answered: bool) -> f64 {
        let bytes_per_second = f64::from(pace.baud) / 10.0;
        let wait = if self.waits_for_broker && answered { pace.rtt.as_secs_f64() } else { 0.0 };
        (self.up + self.down) / bytes_per_second + self.turnarounds * pace.turnaround.as_secs_f64() + wait
    }

    /// From the first byte of a publish to its outcome, in seconds.
    pub(crate) fn whole(&self, pace: &Pace, answered: bool) -> f64 {
        let wait = if answered && !self.waits_for_broker { pace.rtt.as_secs_f64() } else { 0.0 };
        self.busy(pace, answered) + wait + self.deferred * 10.0 / f64::from(pace.baud)
    }

    /// Publishes per second at best, with so many clients; `answered` if the broker acknowledges each.
    pub(crate) fn bound(&self, pace: &Pace, clients: f64, answered: bool) -> f64 {
        (1.0 / self.busy(pace, answered)).min(clients * self.window / self.whole(pace, answered))
    }

    /// Publishes per second of one that awaits each outcome before the next.
    pub(crate) fn serial(&self, pace: &Pace, answered: bool) -> f64 {
        1.0 / self.whole(pace, answered)
    }
}
