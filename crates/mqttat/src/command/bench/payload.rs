//! Payloads that say which message they are and when they were sent.

use std::time::Duration;

use bytes::Bytes;

/// The shortest payload that says it.
pub(super) const SHORTEST: usize = 24;

/// A payload of so many bytes: the number of the message and the microseconds since the beginning, as far as they fit.
pub(super) fn of(number: u64, since_start: Duration, bytes: usize) -> Bytes {
    let mut text = format!("{number:011} {:011} ", since_start.as_micros()).into_bytes();
    text.resize(bytes, b'.');
    text.into()
}

/// The number and the time of a payload.
pub(super) fn read(payload: &[u8]) -> Option<(u64, Duration)> {
    let text = std::str::from_utf8(payload.get(..SHORTEST)?).ok()?;
    let (number, micros) = text.trim_end().split_once(' ')?;
    Some((number.parse().ok()?, Duration::from_micros(micros.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_tells_its_number_and_time() {
        let time = Duration::from_micros(1_234_567);
        for bytes in [SHORTEST, 25, 1500] {
            let payload = of(42, time, bytes);
            assert_eq!((payload.len(), read(&payload)), (bytes, Some((42, time))));
        }
        assert_eq!(of(42, time, 3).len(), 3);
        assert_eq!((read(&of(1, time, SHORTEST - 1)), read(b"something else, long enough")), (None, None));
    }
}
