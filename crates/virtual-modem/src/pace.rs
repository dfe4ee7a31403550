//! How long bytes take on the wire: ten bits each.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

/// One direction of a serial line.
#[derive(Debug)]
pub(crate) struct Wire {
    /// Zero for a line that takes no time.
    byte_time: Duration,
    queue: VecDeque<(Instant, Bytes)>,
    free: Instant,
    queued: usize,
}

impl Wire {
    pub(crate) fn new(baud: Option<u32>, time_scale: u32, now: Instant) -> Self {
        let byte_time =
            baud.map_or(Duration::ZERO, |baud| Duration::from_secs(10) / baud.max(1) * time_scale);
        Self { byte_time, queue: VecDeque::new(), free: now, queued: 0 }
    }

    /// Bytes start on their way, after those before them and a pause.
    pub(crate) fn push(&mut self, now: Instant, pause: Duration, bytes: Bytes) {
        let start = self.free.max(now) + pause;
        self.free = start + self.byte_time.saturating_mul(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.queued += bytes.len();
        self.queue.push_back((start, bytes));
    }

    /// The bytes that have arrived at the other end by now.
    pub(crate) fn arrived(&mut self, now: Instant) -> Bytes {
        let mut arrived = BytesMut::new();
        while let Some((start, bytes)) = self.queue.front_mut() {
            let Some(elapsed) = now.checked_duration_since(*start) else { break };
            let count = match elapsed.as_nanos().checked_div(self.byte_time.as_nanos()) {
                None => bytes.len(),
                Some(count) => usize::try_from(count).unwrap_or(usize::MAX).min(bytes.len()),
            };
            arrived.extend_from_slice(&bytes.split_to(count));
            *start += self.byte_time.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
            if !bytes.is_empty() {
                break;
            }
            self.queue.pop_front();
        }
        self.queued -= arrived.len();
        arrived.freeze()
    }

    /// When the next byte arrives.
    pub(crate) fn next_arrival(&self) -> Option<Instant> {
        self.queue.front().map(|(start, _)| *start + self.byte_time)
    }

    /// Bytes on their way.
    pub(crate) fn len(&self) -> usize {
        self.queued
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_bits_a_byte() {
        let now = Instant::now();
        let mut wire = Wire::new(Some(10_000), 1, now);
        wire.push(now, Duration::ZERO, Bytes::from_static(b"abc"));
        wire.push(now, Duration::from_millis(5), Bytes::from_static(b"d"));
        assert_eq!(wire.next_arrival(), Some(now + Duration::from_millis(1)));
        assert_eq!(wire.arrived(now + Duration::from_micros(999)), "");
        assert_eq!(wire.arrived(now + Duration::from_micros(2500)), "ab");
        assert_eq!(wire.arrived(now + Duration::from_millis(8)), "c");
        assert_eq!(wire.arrived(now + Duration::from_millis(9)), "d");
        assert_eq!((wire.len(), wire.next_arrival()), (0, None));
    }

    #[test]
    fn an_unpaced_wire_takes_no_time() {
        let now = Instant::now();
        let mut wire = Wire::new(None, 1, now);
        wire.push(now, Duration::ZERO, Bytes::from_static(b"abc"));
        assert_eq!(wire.arrived(now), "abc");
    }
}
