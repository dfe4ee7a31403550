//! Bytes from the wire, for logs and errors.

use std::fmt::{self, Write as _};

/// Shows bytes so that they can do no harm in a log: printable ASCII as it is, the rest as `\r`, `\n` or `\xHH`.
///
/// Cut after [`Escaped::SHOWN`] bytes.
///
/// ```
/// use at_codec::Escaped;
///
/// assert_eq!(Escaped(b"OK\r\n\x1b[2J").to_string(), r"OK\r\n\x1b[2J");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Escaped<'a>(pub &'a [u8]);

impl Escaped<'_> {
    /// The most bytes that are shown.
    pub const SHOWN: usize = 64;
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get(..Self::SHOWN) {
            Some(shown) if shown.len() < self.0.len() => {
                write_escaped(f, shown)?;
                write!(f, "… ({} bytes)", self.0.len())
            }
            _ => write_escaped(f, self.0),
        }
    }
}

impl fmt::Debug for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Writes all of `bytes` in the form of [`Escaped`].
pub(crate) fn write_escaped(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for &byte in bytes {
        match byte {
            b'\r' => f.write_str("\\r")?,
            b'\n' => f.write_str("\\n")?,
            b' '..=b'~' => f.write_char(char::from(byte))?,
            _ => write!(f, "\\x{byte:02x}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_shown_as_printable_ascii() {
        for byte in 0..=u8::MAX {
            let shown = Escaped(&[byte]).to_string();
            let expected = match byte {
                b'\r' => r"\r".to_owned(),
                b'\n' => r"\n".to_owned(),
                0x20..=0x7E => char::from(byte).to_string(),
                _ => format!(r"\x{byte:02x}"),
            };
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn long_text_is_cut_and_its_length_told() {
        assert_eq!(Escaped(&[b'a'; 64]).to_string(), "a".repeat(64));
        assert_eq!(Escaped(&[b'a'; 65]).to_string(), format!("{}… (65 bytes)", "a".repeat(64)));
        assert_eq!(format!("{:?}", Escaped(b"x\0")), r#""x\x00""#);
        assert_eq!(Escaped(b"").to_string(), "");
    }
}
