//! The time of a session, which may pass more slowly than that of the runtime.

use tokio::time::Instant;

/// Gives the session its instants, and the runtime those of the session's deadlines.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// So many seconds of the runtime are one of the session.
    scale: u32,
}

impl Clock {
    pub(crate) fn new(scale: u32) -> Self {
        Self { start: Instant::now(), scale: scale.max(1) }
    }

    /// The instant of the session that is one of the runtime.
    pub(crate) fn at(&self, time: Instant) -> Instant {
        if self.scale == 1 { time } else { self.start + time.duration_since(self.start) / self.scale }
    }

    /// When the runtime has come to an instant of the session.
    pub(crate) fn due(&self, instant: Instant) -> Instant {
        if self.scale == 1 {
            return instant;
        }
        self.start + instant.duration_since(self.start).saturating_mul(self.scale)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stretched_second_is_as_long_as_its_scale() {
        let clock = Clock::new(1000);
        let deadline = clock.at(Instant::now()) + Duration::from_millis(3);
        tokio::time::sleep_until(clock.due(deadline)).await;
        assert_eq!(clock.at(Instant::now()), deadline);
        assert_eq!(clock.start.elapsed(), Duration::from_secs(3));
    }
}
