//! What the host is to write, of which a transcript may keep parts secret.

use std::ops::Range;

use bytes::Bytes;

use crate::transcript::Turn;

/// What stands in a command line for a secret of any length.
const SECRET: &[u8] = b"***";

/// The command that tells the module what time it is: another one whenever the transcript is played.
const CLOCK: &[u8] = b"AT+CCLK=\"";

/// Bytes that the host is to write.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    bytes: Bytes,
    /// Any bytes will do here.
    masked: Vec<Range<usize>>,
    /// Whether three asterisks stand for any bytes but a line end.
    is_pattern: bool,
}

/// How far what was written is what was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// It is, with so many bytes.
    Bytes(usize),
    /// So far, but there is more to come.
    NotYet,
    /// It is not.
    Not,
}

impl Wanted {
    pub(super) fn exactly(bytes: Bytes) -> Self {
        Self { bytes, masked: Vec::new(), is_pattern: false }
    }

    /// What the host said in a transcript.
    pub(super) fn of(turn: &Turn) -> Self {
        if turn.bytes.starts_with(CLOCK) && turn.bytes.ends_with(b"\r") {
            let bytes = [CLOCK, SECRET, b"\r"].concat().into();
            return Self { bytes, masked: Vec::new(), is_pattern: true };
        }
        let is_command = turn.bytes.first_chunk().is_some_and(|it: &[u8; 2]| it.eq_ignore_ascii_case(b"AT"));
        let has_secret = turn.bytes.windows(SECRET.len()).any(|it| it == SECRET);
        let is_pattern = is_command && has_secret && turn.masked.is_empty() && turn.bytes.ends_with(b"\r");
        Self { bytes: turn.bytes.clone(), masked: turn.masked.clone(), is_pattern }
    }

    /// As a transcript shows it.
    pub(super) fn shown(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn fit(&self, written: &[u8]) -> Fit {
        if self.is_pattern { self.fit_pattern(written) } else { self.fit_bytes(written) }
    }

    fn fit_bytes(&self, written: &[u8]) -> Fit {
        let is_secret = |at: usize| self.masked.iter().any(|range| range.contains(&at));
        let mut pairs = self.bytes.iter().zip(written).enumerate();
        if pairs.any(|(at, (wanted, got))| wanted != got && !is_secret(at)) {
            Fit::Not
        } else if written.len() < self.bytes.len() {
            Fit::NotYet
        } else {
            Fit::Bytes(self.bytes.len())
        }
    }

    /// A command line ends with its first CR, secrets included.
    fn fit_pattern(&self, written: &[u8]) -> Fit {
        let Some(end) = written.iter().position(|byte| *byte == b'\r') else {
            let start = self.bytes.windows(SECRET.len()).position(|it| it == SECRET).unwrap_or_default();
            let is_other = self.bytes.iter().take(start).zip(written).any(|(wanted, got)| wanted != got);
            return if is_other { Fit::Not } else { Fit::NotYet };
        };
        let line = written.get(..=end).unwrap_or_default();
        if fits_pattern(&self.bytes, line) { Fit::Bytes(line.len()) } else { Fit::Not }
    }
}

/// Whether a line is a pattern with something in the place of each secret.
fn fits_pattern(pattern: &[u8], line: &[u8]) -> bool {
    let Some(secret) = pattern.windows(SECRET.len()).position(|it| it == SECRET) else {
        return pattern == line;
    };
    let (head, rest) = pattern.split_at(secret);
    let rest = rest.get(SECRET.len()..).unwrap_or_default();
    line.strip_prefix(head).is_some_and(|tail| {
        (0..=tail.len()).any(|from| fits_pattern(rest, tail.get(from..).unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_time_will_do() {
        let line = |text: &'static [u8]| Turn {
            at: None,
            direction: crate::Direction::HostToModule,
            bytes: Bytes::from_static(text),
            masked: Vec::new(),
        };
        let wanted = Wanted::of(&line(b"AT+CCLK=\"26/11/27,04:00:00+00\"\r"));
        assert_eq!(wanted.fit(b"AT+CCLK=\"30/01/02,10:20:30+04\"\r"), Fit::Bytes(31));
        assert_eq!(wanted.fit(b"AT+CCLK?\r"), Fit::Not);
        assert_eq!(Wanted::of(&line(b"AT+CCLK?\r")).fit(b"AT+CCLK?\r"), Fit::Bytes(9));
    }

    #[test]
    fn patterns() {
        for (pattern, line, fits) in [
            ("AT=***\r", "AT=secret\r", true),
            ("AT=***\r", "AT=\r", true),
            ("AT=0,***,***\r", "AT=0,\"a\",\"b,c\"\r", true),
            ("AT=0,***,1\r", "AT=0,\"a\",2\r", false),
            ("AT=***\r", "AT+\r", false),
            ("AT\r", "AT\r", true),
        ] {
            assert_eq!(fits_pattern(pattern.as_bytes(), line.as_bytes()), fits, "{pattern} {line}");
        }
    }
}
