//! How a port is set up.

use std::fmt;

use crate::event::{Meter, Tap};
use crate::session::SessionOptions;

/// How a port is set up.
///
/// ```
/// let mut options = at_port::PortOptions::default();
/// options.lane_capacity = 8;
/// ```
#[derive(Default)]
#[non_exhaustive]
pub struct PortOptions {
    /// Times and limits of the conversation.
    pub session: SessionOptions,
    /// How many operations may wait in each lane before [`Port::run`](crate::Port::run) waits itself. Default (0): 32.
    pub lane_capacity: usize,
    /// How many reports a slow receiver may lag behind before it loses the oldest. Default (0): 256.
    pub channel_capacity: usize,
    /// A witness of the conversation.
    pub tap: Option<Box<dyn Tap>>,
    /// Counts what happens.
    pub meter: Option<Box<dyn Meter>>,
    /// What the port is called in the trace. Default: nothing.
    pub name: String,
    /// What survives of a host that dies in the middle of a payload.
    pub payload_mark: Option<Box<dyn PayloadMark>>,
}

impl fmt::Debug for PortOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortOptions").field("session", &self.session).finish_non_exhaustive()
    }
}

/// What survives of a host that dies while the module waits for the bytes of a payload.
///
/// The next start must not write anything until the module has given the payload up, or every probe would
/// be published. Both methods are called on the driver's task, right before the command that asks for a
/// prompt and when the module has answered the data; they should only touch the page cache. What was written
/// is not enough to go by: bytes that the system still holds when a process dies may never reach the wire.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// /// A mark that outlives the port, though not the process: a real one is a file.
/// struct Flag(Arc<AtomicBool>);
///
/// impl at_port::PayloadMark for Flag {
///     fn set(&mut self, _bytes: usize) {
///         self.0.store(true, Ordering::Relaxed);
///     }
///
///     fn clear(&mut self) {
///         self.0.store(false, Ordering::Relaxed);
///     }
/// }
/// ```
pub trait PayloadMark: Send {
    /// A payload of so many bytes is about to be asked for. It is called again for a longer one that follows at once.
    fn set(&mut self, bytes: usize);
    /// The module has answered what it got, or the link has been proven since.
    fn clear(&mut self);
}
