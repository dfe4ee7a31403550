//! The counters themselves.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use at_port::{Measurement, Meter, PortEvent};
use metrics::{Counter, Gauge, Histogram, Label, Unit};
use tokio::time::Instant;

use super::Count;
use crate::client::Published;
use crate::error::{Outcome, Result};
use crate::event::LossCause;
use crate::qos::QoS;

const PUBLISHES: &str = "mqtt_at_publishes_total";
const PUBLISHED_BYTES: &str = "mqtt_at_published_bytes_total";
const PUBLISH_SECONDS: &str = "mqtt_at_publish_seconds";
const RECEIVED_MESSAGES: &str = "mqtt_at_received_messages_total";
const RECEIVED_BYTES: &str = "mqtt_at_received_bytes_total";
const LAGGED_MESSAGES: &str = "mqtt_at_lagged_messages_total";
const LOSSES: &str = "mqtt_at_losses_total";
const RECONNECTS: &str = "mqtt_at_reconnects_total";
const EXCHANGE_SECONDS: &str = "mqtt_at_exchange_seconds";
const REFUSALS: &str = "mqtt_at_refusals_total";
const QUEUE_DEPTH: &str = "mqtt_at_queue_depth";
const QUEUE_DEPTH_PEAK: &str = "mqtt_at_queue_depth_peak";
const FENCES: &str = "mqtt_at_fences_total";
const FENCE_PROBES: &str = "mqtt_at_fence_probes_total";
const REBOOTS: &str = "mqtt_at_reboots_total";
const DAMAGED_FRAMES: &str = "mqtt_at_damaged_frames_total";
const STRAY_LINES: &str = "mqtt_at_stray_lines_total";

/// The counters of one modem, as the recorder that was installed first handed them out. What counts seldom is
/// looked up when it does.
pub(super) struct Recorded {
    modem: Label,
    published_bytes: Counter,
    received_messages: Counter,
    received_bytes: Counter,
    lagged_messages: Counter,
    exchange_seconds: Histogram,
    refusals: Counter,
    queue_depth: Gauge,
    queue_depth_peak: Gauge,
    peak: AtomicUsize,
    fences: Counter,
    fence_probes: Counter,
    reboots: Counter,
}

impl Recorded {
    pub(super) fn of(modem: &str) -> Self {
        describe();
        let modem = Label::new("modem", modem.to_owned());
        let labels = vec![modem.clone()];
        Self {
            published_bytes: metrics::counter!(PUBLISHED_BYTES, labels.clone()),
            received_messages: metrics::counter!(RECEIVED_MESSAGES, labels.clone()),
            received_bytes: metrics::counter!(RECEIVED_BYTES, labels.clone()),
            lagged_messages: metrics::counter!(LAGGED_MESSAGES, labels.clone()),
            exchange_seconds: metrics::histogram!(EXCHANGE_SECONDS, labels.clone()),
            refusals: metrics::counter!(REFUSALS, labels.clone()),
            queue_depth: metrics::gauge!(QUEUE_DEPTH, labels.clone()),
            queue_depth_peak: metrics::gauge!(QUEUE_DEPTH_PEAK, labels.clone()),
            peak: AtomicUsize::new(0),
            fences: metrics::counter!(FENCES, labels.clone()),
            fence_probes: metrics::counter!(FENCE_PROBES, labels.clone()),
            reboots: metrics::counter!(REBOOTS, labels),
            modem,
        }
    }

    pub(super) fn count(&self, count: Count<'_>) {
        match count {
            Count::Received { bytes } => {
                self.received_messages.increment(1);
                self.received_bytes.increment(bytes as u64);
            }
            Count::Lagged { messages } => self.lagged_messages.increment(messages),
            Count::Lost { cause } => self.labelled(LOSSES, "cause", word_for(cause)),
            Count::Reconnected { cause } => self.labelled(RECONNECTS, "cause", word_for(cause)),
        }
    }

    /// Adds one to a counter with a label of its own.
    fn labelled(&self, name: &'static str, key: &'static str, value: &'static str) {
        metrics::counter!(name, vec![self.modem.clone(), Label::from_static_parts(key, value)]).increment(1);
    }

    fn queue(&self, waiting: usize) {
        self.queue_depth.set(waiting as f64);
        if self.peak.fetch_max(waiting, Ordering::Relaxed) < waiting {
            self.queue_depth_peak.set(waiting as f64);
        }
    }

    fn event(&self, event: &PortEvent) {
        match event {
            PortEvent::Fenced { probes } => {
                self.fences.increment(1);
                self.fence_probes.increment((*probes).into());
            }
            PortEvent::Reboot => self.reboots.increment(1),
            PortEvent::Damaged { .. } => self.labelled(DAMAGED_FRAMES, "kind", "damaged"),
            PortEvent::Overrun { .. } => self.labelled(DAMAGED_FRAMES, "kind", "overrun"),
            PortEvent::OrphanFinal => self.labelled(STRAY_LINES, "kind", "final"),
            PortEvent::UnknownLine { .. } => self.labelled(STRAY_LINES, "kind", "unknown"),
            PortEvent::UnexpectedEcho => self.labelled(STRAY_LINES, "kind", "echo"),
            _ => {}
        }
    }
}

/// Counts what the port reports.
pub(super) struct OfPort(pub(super) Arc<Recorded>);

impl Meter for OfPort {
    fn note(&mut self, measurement: Measurement<'_>) {
        match measurement {
            Measurement::Exchange { took, success } => {
                self.0.exchange_seconds.record(took);
                self.0.refusals.increment((!success).into());
            }
            Measurement::Queue { waiting } => self.0.queue(waiting),
            Measurement::Event(event) => self.0.event(event),
            _ => {}
        }
    }
}

impl Default for Recorded {
    fn default() -> Self {
        Self::of("")
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded").field("modem", &self.modem.value()).finish_non_exhaustive()
    }
}

/// A publish that is under way.
#[derive(Debug)]
pub(super) struct Publishing {
    recorded: Arc<Recorded>,
    qos: QoS,
    bytes: usize,
    asked: Instant,
    /// What is counted when this is dropped.
    outcome: &'static str,
}

impl Publishing {
    pub(super) fn new(recorded: &Arc<Recorded>, qos: QoS, bytes: usize) -> Self {
        Self { recorded: Arc::clone(recorded), qos, bytes, asked: Instant::now(), outcome: "abandoned" }
    }

    pub(super) fn ended(mut self, outcome: &Result<Published>) {
        self.outcome = match outcome {
            Ok(_) if self.qos == QoS::AtMostOnce => "sent",
            Ok(_) => "delivered",
            Err(error) => match error.outcome() {
                Outcome::NotSent => "not_sent",
                Outcome::Unknown => "unknown",
            },
        };
        if outcome.is_ok() {
            self.recorded.published_bytes.increment(self.bytes as u64);
            metrics::histogram!(PUBLISH_SECONDS, self.labels()).record(self.asked.elapsed());
        }
    }

    fn labels(&self) -> Vec<Label> {
        let qos = match self.qos {
            QoS::AtMostOnce => "0",
            QoS::AtLeastOnce => "1",
            QoS::ExactlyOnce => "2",
        };
        vec![self.recorded.modem.clone(), Label::from_static_parts("qos", qos)]
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        let mut labels = self.labels();
        labels.push(Label::from_static_parts("outcome", self.outcome));
        metrics::counter!(PUBLISHES, labels).increment(1);
    }
}

/// The cause of a loss in one word.
fn word_for(cause: &LossCause) -> &'static str {
    match cause {
        LossCause::ClosedByPeer => "closed_by_peer",
        LossCause::KeepAlive => "keep_alive",
        LossCause::ConnectNotSent => "connect_not_sent",
        LossCause::ConnectNotAcknowledged => "connect_not_acknowledged",
        LossCause::SendFailed => "send_failed",
        LossCause::NetworkDown => "network_down",
        LossCause::ClosedByModule => "closed_by_module",
        LossCause::ClosedOnRefusal => "closed_on_refusal",
        LossCause::Rebooted => "rebooted",
        LossCause::ResultMissing => "result_missing",
        LossCause::PortGone => "port_gone",
        LossCause::Unknown => "unknown",
    }
}

/// Tells the recorder what each name stands for, and in which unit.
fn describe() {
    let counters = [
        (PUBLISHES, Unit::Count, "publishes, by quality of service and outcome"),
        (PUBLISHED_BYTES, Unit::Bytes, "payload bytes of the publishes that succeeded"),
        (RECEIVED_MESSAGES, Unit::Count, "messages that came in for a client"),
        (RECEIVED_BYTES, Unit::Bytes, "payload bytes of the messages that came in"),
        (LAGGED_MESSAGES, Unit::Count, "messages that slow receivers have lost"),
        (LOSSES, Unit::Count, "connections to the broker that were lost, by cause"),
        (RECONNECTS, Unit::Count, "connections that were made again, by the cause of the loss"),
        (REFUSALS, Unit::Count, "commands that the module refused"),
        (FENCES, Unit::Count, "times the link to the module was proven"),
        (FENCE_PROBES, Unit::Count, "probes that it took"),
        (REBOOTS, Unit::Count, "reboots that the module reported"),
        (DAMAGED_FRAMES, Unit::Count, "elements that could not be read, by kind"),
        (STRAY_LINES, Unit::Count, "lines that belong to nothing, by kind"),
    ];
    for (name, unit, meaning) in counters {
        metrics::describe_counter!(name, unit, meaning);
    }
    metrics::describe_gauge!(QUEUE_DEPTH, Unit::Count, "operations that wait for the port");
    metrics::describe_gauge!(QUEUE_DEPTH_PEAK, Unit::Count, "the most operations that ever waited");
    metrics::describe_histogram!(PUBLISH_SECONDS, Unit::Seconds, "from the call of a publish to its success");
    metrics::describe_histogram!(EXCHANGE_SECONDS, Unit::Seconds, "from a command to its final result");
}
