//! The bytes of a command line, and which of them are secret.

use std::fmt;
use std::hint::black_box;
use std::ops::Range;

use crate::escaped::write_escaped;

/// A growing line that knows its secrets and leaves no copy of them behind when it grows or is dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct LineText {
    bytes: Vec<u8>,
    /// In ascending order, quotation marks included.
    secrets: Vec<Range<usize>>,
    wipe: bool,
}

impl LineText {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes without the line end.
    pub(crate) fn body(&self) -> &[u8] {
        let line = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    pub(crate) const fn has_secret(&self) -> bool {
        self.wipe
    }

    pub(crate) fn push(&mut self, part: &[u8]) {
        if self.wipe && self.bytes.capacity() - self.bytes.len() < part.len() {
            let mut wider = Vec::with_capacity(2 * (self.bytes.len() + part.len()));
            wider.extend_from_slice(&self.bytes);
            wipe(&mut self.bytes);
            self.bytes = wider;
        }
        self.bytes.extend_from_slice(part);
    }

    /// Adds parts that are never shown.
    pub(crate) fn push_secret(&mut self, parts: &[&[u8]]) {
        self.wipe = true;
        let start = self.bytes.len();
        for part in parts {
            self.push(part);
        }
        self.secrets.push(start..self.bytes.len());
    }

    /// Whether a text holds one of the secrets, or a good part of one: noise may have altered the rest. A short one, such
    /// as a PIN, may be in it by chance, and is not looked for.
    pub(crate) fn has_secret_in(&self, text: &[u8]) -> bool {
        let secrets = self.secrets.iter().filter_map(|range| self.bytes.get(range.clone()));
        let bare =
            secrets.map(|it| it.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\"")).unwrap_or(it));
        let mut parts = bare.flat_map(|secret| secret.windows(SHORTEST_FOUND));
        parts.any(|part| memchr::memmem::find(text, part).is_some())
    }

    /// Shows the line without its end, with each secret as `***`.
    pub(crate) fn write_masked(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.body().len();
        let mut shown = 0;
        for secret in &self.secrets {
            write_escaped(f, self.bytes.get(shown..secret.start).unwrap_or_default())?;
            f.write_str("***")?;
            shown = secret.end;
        }
        write_escaped(f, self.bytes.get(shown..end).unwrap_or_default())
    }
}

/// The shortest part of a secret that is known again wherever it occurs.
const SHORTEST_FOUND: usize = 6;

impl Drop for LineText {
    fn drop(&mut self) {
        if self.wipe {
            wipe(&mut self.bytes);
        }
    }
}

/// Overwrites the bytes. Without `unsafe` the compiler cannot be forced to keep the stores; it is kept from seeing
/// that nobody reads them.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    black_box(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_grows_keeps_its_bytes_and_its_marks() {
        let mut line = LineText::default();
        line.push(b"AT+X=");
        line.push_secret(&[b"\"", &[b's'; 300], b"\""]);
        line.push(b",1,");
        line.push_secret(&[b"t"]);
        line.push(b"\r");
        let mut expected = b"AT+X=\"".to_vec();
        expected.extend([b's'; 300]);
        expected.extend(b"\",1,t\r");
        assert_eq!(line.bytes(), expected);
        let marked: Vec<_> = line.secrets.iter().map(|secret| secret.len()).collect();
        assert_eq!(marked, [302, 1]);
    }

    #[test]
    fn wiping_overwrites_every_byte() {
        let mut bytes = *b"open sesame";
        wipe(&mut bytes);
        assert_eq!(bytes, [0; 11]);
    }
}
