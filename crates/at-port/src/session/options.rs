//! Times and limits of the conversation.

use std::time::Duration;

use at_codec::Limits;

/// Times and limits of a session.
///
/// ```
/// use std::time::Duration;
///
/// let mut options = at_port::SessionOptions::default();
/// // Waits for the first answer for 3 s instead of 40 s.
/// options.first_fence = vec![Duration::from_secs(1), Duration::from_secs(2)];
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionOptions {
    /// Bounds of the codec.
    pub limits: Limits,
    /// A line or a counted element that stops growing for this long is damaged. Default: 500 ms.
    pub silence: Duration,
    /// The port is gone when it takes no byte for this long. Default: 30 s.
    pub write_stall: Duration,
    /// The port is gone after this many bytes without a line. Default: 64 KiB.
    pub garbage: usize,
    /// An operation is given up when it cannot be started within this time. Default: 60 s.
    pub start_within: Duration,
    /// The fence waits until the line has been quiet for this long before each probe. Default: 50 ms.
    pub quiet: Duration,
    /// The fence probes at the latest after this time, quiet or not. Default: 2 s.
    pub quiet_cap: Duration,
    /// How long each probe of the fence is waited for; their number bounds the probes. Default: 1, 2, 4, 8 s.
    pub fence: Vec<Duration>,
    /// The same for the first fence, when the module may still be starting. Default: 1, 2, 4, 8, 8, 8, 9 s.
    pub first_fence: Vec<Duration>,
    /// Nothing is written for this long after the start, because the module may be in the middle of a payload.
    pub hold_off: Duration,
    /// How many bytes of that payload the module may be waiting for. If it has not said a word when `hold_off` is over
    /// it may wait without end, and gets as many bytes that are no command, so that no probe is published. Default: 0.
    pub owed: usize,
    /// How many operations that reports asked for may wait in each lane; more are refused. Default: 64.
    pub follow_ups: usize,
    /// How many seconds of the clock count as one for the session, so that all its waits are as many times longer:
    /// for a module whose time is stretched, to be measured with timers that step by 1 ms. Default: 1.
    pub time_scale: u32,
}

impl Default for SessionOptions {
    fn default() -> Self {
        let seconds = |list: &[u64]| list.iter().copied().map(Duration::from_secs).collect();
        Self {
            limits: Limits::default(),
            silence: Duration::from_millis(500),
            write_stall: Duration::from_secs(30),
            garbage: 64 * 1024,
            start_within: Duration::from_secs(60),
            quiet: Duration::from_millis(50),
            quiet_cap: Duration::from_secs(2),
            fence: seconds(&[1, 2, 4, 8]),
            first_fence: seconds(&[1, 2, 4, 8, 8, 8, 9]),
            hold_off: Duration::ZERO,
            owed: 0,
            follow_ups: 64,
            time_scale: 1,
        }
    }
}
