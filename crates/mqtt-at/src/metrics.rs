//! What is counted, for a recorder of the `metrics` facade; `docs/METRICS.md` has the names and units.
//!
//! Without the feature `metrics` all of it compiles to nothing.

use crate::client::Published;
use crate::error::Result;
use crate::event::LossCause;
use crate::qos::QoS;

#[cfg(feature = "metrics")]
mod recorded;

/// The counters of one modem. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meters {
    #[cfg(feature = "metrics")]
    recorded: std::sync::Arc<recorded::Recorded>,
}

/// Something that is counted, apart from publishes and from what the port counts itself.
#[derive(Debug, Clone, Copy)]
#[allow(dead_code, reason = "without the feature nobody reads it")]
pub(crate) enum Count<'a> {
    /// A message for a client came in.
    Received { bytes: usize },
    /// A slow receiver lost messages.
    Lagged { messages: u64 },
    /// A client's connection to the broker was lost.
    Lost { cause: &'a LossCause },
    /// A client was connected again after a loss.
    Reconnected { cause: &'a LossCause },
}

impl Meters {
    /// The counters of the modem with this name, with the recorder that is installed now.
    pub(crate) fn of(modem: &str) -> Self {
        #[cfg(feature = "metrics")]
        return Self { recorded: std::sync::Arc::new(recorded::Recorded::of(modem)) };
        #[cfg(not(feature = "metrics"))]
        {
            let _ = modem;
            Self::default()
        }
    }

    /// Counts.
    pub(crate) fn count(&self, count: Count<'_>) {
        #[cfg(feature = "metrics")]
        self.recorded.count(count);
        #[cfg(not(feature = "metrics"))]
        let _ = count;
    }

    /// A publish has been asked for.
    pub(crate) fn publishing(&self, qos: QoS, bytes: usize) -> Publishing {
        #[cfg(feature = "metrics")]
        return Publishing(recorded::Publishing::new(&self.recorded, qos, bytes));
        #[cfg(not(feature = "metrics"))]
        {
            let _ = (qos, bytes);
            Publishing {}
        }
    }

    /// What counts for the port, if anything does.
    pub(crate) fn for_port(&self) -> Option<Box<dyn at_port::Meter>> {
        #[cfg(feature = "metrics")]
        return Some(Box::new(recorded::OfPort(std::sync::Arc::clone(&self.recorded))));
        #[cfg(not(feature = "metrics"))]
        None
    }
}

/// A publish that is under way. Dropped without an outcome it counts as abandoned by its caller.
#[derive(Debug)]
pub(crate) struct Publishing(#[cfg(feature = "metrics")] recorded::Publishing);

impl Publishing {
    /// What the caller is told.
    pub(crate) fn ended(self, outcome: &Result<Published>) {
        #[cfg(feature = "metrics")]
        self.0.ended(outcome);
        #[cfg(not(feature = "metrics"))]
        let _ = outcome;
    }
}
