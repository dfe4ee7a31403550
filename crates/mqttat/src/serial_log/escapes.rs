//! Line ends that are written out.

/// How a log may write a byte.
const TOKENS: [(&str, u8); 13] = [
    ("\\r", b'\r'),
    ("\\n", b'\n'),
    ("\\t", b'\t'),
    ("\\\\", b'\\'),
    ("<CR>", b'\r'),
    ("<LF>", b'\n'),
    ("[CR]", b'\r'),
    ("[LF]", b'\n'),
    ("␍", b'\r'),
    ("␊", b'\n'),
    ("^M", b'\r'),
    ("^J", b'\n'),
    ("^Z", 0x1A),
];

/// Where a log writes line ends out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    None,
    /// Between lines that came in one read.
    Inner,
    /// At the ends of lines, too: where lines show any, they show all of theirs.
    All,
}

/// Where lines of this log have line ends written out.
pub(super) fn line_ends_written<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Written {
    let ends = TOKENS.iter().filter(|(_, byte)| matches!(byte, b'\r' | b'\n'));
    if lines.clone().any(|line| ends.clone().any(|(token, _)| line.trim_end().ends_with(token))) {
        return Written::All;
    }
    // A payload may hold such characters, but hardly in front of a final result.
    let is_inner = |line: &str| ends.clone().any(|(token, _)| line.contains(&format!("{token}OK")));
    if lines.clone().any(is_inner) { Written::Inner } else { Written::None }
}

/// Whether a line end is written out somewhere in this text.
pub(super) fn shows_line_end(text: &str) -> bool {
    TOKENS.iter().any(|(token, byte)| matches!(byte, b'\r' | b'\n') && text.contains(token))
}

/// The bytes that are meant.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    'next: while let Some(first) = rest.chars().next() {
        for (token, byte) in TOKENS {
            if let Some(behind) = rest.strip_prefix(token) {
                bytes.push(byte);
                rest = behind;
                continue 'next;
            }
        }
        if let Some((byte, behind)) = hexadecimal(rest) {
            bytes.push(byte);
            rest = behind;
            continue;
        }
        let (character, behind) = rest.split_at(first.len_utf8());
        bytes.extend_from_slice(character.as_bytes());
        rest = behind;
    }
    bytes
}

/// A log that shows line feeds alone has left the carriage returns out.
pub(super) fn with_returns(bytes: Vec<u8>) -> Vec<u8> {
    let mut all = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if byte == b'\n' && all.last() != Some(&b'\r') {
            all.push(b'\r');
        }
        all.push(byte);
    }
    all
}

/// `\x1A`, `\x1a`
fn hexadecimal(text: &str) -> Option<(u8, &str)> {
    let (digits, behind) = text.strip_prefix("\\x")?.split_at_checked(2)?;
    Some((u8::from_str_radix(digits, 16).ok()?, behind))
}
