//! AT conversations as text files (`.at`).

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

/// A recorded conversation.
///
/// The format, UTF-8, a line each: `# key: value` is a header and any other `#` line a comment; `>> text` went from
/// the host to the module, `<< text` the other way. `\r`, `\n`, `\\` and `\xHH` are escapes. `>>` lines end with a
/// carriage return and `<<` lines with CR LF, unless the text ends with a single `\`. A line may begin with its time
/// in milliseconds: `@12 << OK`.
///
/// ```
/// use virtual_modem::{Direction, Transcript};
///
/// let text = "# module: EC200T\n>> AT+QMTPUBEX=0,0,0,0,\"t\",2\n<< \\r\\n> \\\n>> hi\\\n@3 << \\r\\nOK\n";
/// let transcript: Transcript = text.parse()?;
/// assert_eq!(transcript.headers, [("module".to_owned(), "EC200T".to_owned())]);
/// assert_eq!(transcript.turns[1].bytes, "\r\n> ");
/// assert_eq!(transcript.turns[2].direction, Direction::HostToModule);
/// assert_eq!(transcript.to_string(), text);
/// # Ok::<(), virtual_modem::BadTranscript>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// Keys and values from the head of the file, in order.
    pub headers: Vec<(String, String)>,
    /// What was said, in order.
    pub turns: Vec<Turn>,
}

/// Bytes in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Time since the conversation began, if it was recorded.
    pub at: Option<Duration>,
    /// Who spoke.
    pub direction: Direction,
    /// What was said, line ends included.
    pub bytes: Bytes,
}

/// Who speaks. Complete: there are two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// `>>`
    HostToModule,
    /// `<<`
    ModuleToHost,
}

impl Direction {
    fn mark(self) -> &'static str {
        match self {
            Self::HostToModule => ">>",
            Self::ModuleToHost => "<<",
        }
    }

    fn line_end(self) -> &'static [u8] {
        match self {
            Self::HostToModule => b"\r",
            Self::ModuleToHost => b"\r\n",
        }
    }
}

/// A line of the file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the transcript: {problem}")]
pub struct BadTranscript {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl FromStr for Transcript {
    type Err = BadTranscript;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut transcript = Self::default();
        for (at, line) in text.lines().enumerate() {
            let problem = |problem| BadTranscript { line: at + 1, problem };
            if line.trim().is_empty() {
                continue;
            }
            if let Some(comment) = line.strip_prefix('#') {
                if let Some((key, value)) = comment.split_once(": ") {
                    transcript.headers.push((key.trim().to_owned(), value.trim().to_owned()));
                }
                continue;
            }
            transcript.turns.push(read_turn(line).map_err(problem)?);
        }
        Ok(transcript)
    }
}

fn read_turn(line: &str) -> Result<Turn, &'static str> {
    let (at, rest) = match line.strip_prefix('@') {
        None => (None, line),
        Some(timed) => {
            let (millis, rest) = timed.split_once(' ').ok_or("nothing behind the time")?;
            let millis = millis.parse().map_err(|_| "the time is no number of milliseconds")?;
            (Some(Duration::from_millis(millis)), rest)
        }
    };
    let direction = match rest.get(..2) {
        Some(">>") => Direction::HostToModule,
        Some("<<") => Direction::ModuleToHost,
        _ => return Err("neither `#` nor `>>` nor `<<`"),
    };
    let text = rest.get(2..).unwrap_or_default();
    let text = text.strip_prefix(' ').unwrap_or(text);
    let bytes = unescape(text, direction)?.into();
    Ok(Turn { at, direction, bytes })
}

fn unescape(text: &str, direction: Direction) -> Result<Vec<u8>, &'static str> {
    let mut bytes = Vec::new();
    let mut rest = text;
    loop {
        let Some((plain, escaped)) = rest.split_once('\\') else {
            bytes.extend_from_slice(rest.as_bytes());
            bytes.extend_from_slice(direction.line_end());
            return Ok(bytes);
        };
        bytes.extend_from_slice(plain.as_bytes());
        let mut characters = escaped.chars();
        match characters.next() {
            None => return Ok(bytes),
            Some('r') => bytes.push(b'\r'),
            Some('n') => bytes.push(b'\n'),
            Some('\\') => bytes.push(b'\\'),
            Some('x') => {
                let digits = escaped.get(1..3).ok_or("two hexadecimal digits belong behind `\\x`")?;
                bytes.push(
                    u8::from_str_radix(digits, 16)
                        .map_err(|_| "two hexadecimal digits belong behind `\\x`")?,
                );
                rest = escaped.get(3..).unwrap_or_default();
                continue;
            }
            Some(_) => return Err("unknown escape"),
        }
        rest = characters.as_str();
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.headers {
            writeln!(f, "# {key}: {value}")?;
        }
        for turn in &self.turns {
            writeln!(f, "{turn}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(at) = self.at {
            write!(f, "@{} ", at.as_millis())?;
        }
        f.write_str(self.direction.mark())?;
        let (text, end) = match self.bytes.strip_suffix(self.direction.line_end()) {
            Some(text) => (text, ""),
            None => (self.bytes.as_ref(), "\\"),
        };
        if !text.is_empty() || !end.is_empty() {
            f.write_char(' ')?;
        }
        write_escaped(f, text)?;
        f.write_str(end)
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\r' => f.write_str("\\r")?,
                '\n' => f.write_str("\\n")?,
                '\\' => f.write_str("\\\\")?,
                // All control characters are below U+0100, so that one escape is enough for the ASCII ones; the
                // others are two bytes in UTF-8.
                control if control.is_control() => {
                    let mut buffer = [0; 4];
                    for byte in control.encode_utf8(&mut buffer).bytes() {
                        write!(f, "\\x{byte:02X}")?;
                    }
                }
                other => f.write_char(other)?,
            }
        }
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02X}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(direction: Direction, bytes: &[u8]) -> Turn {
        Turn { at: None, direction, bytes: Bytes::copy_from_slice(bytes) }
    }

    #[test]
    fn any_bytes_survive() {
        let all: Vec<u8> = (0..=255).collect();
        let turns = vec![
            turn(Direction::HostToModule, b"AT\r"),
            turn(Direction::ModuleToHost, b""),
            turn(Direction::ModuleToHost, b"\r\n"),
            turn(Direction::ModuleToHost, b"ends in \\"),
            turn(Direction::HostToModule, &all),
            turn(Direction::ModuleToHost, "gr\u{fc}n\u{85}".as_bytes()),
            turn(Direction::ModuleToHost, b"  blanks  \r\n"),
        ];
        let transcript = Transcript { headers: vec![("a".into(), "b: c".into())], turns };
        let text = transcript.to_string();
        assert_eq!(text.parse(), Ok(transcript), "{text}");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, line) in
            [("OK", 1), ("# c\n@x >> AT", 2), (">> \\q", 1), (">> \\x4", 1), ("@5", 1), (">> \\xüa", 1)]
        {
            assert_eq!(text.parse::<Transcript>().map_err(|bad| bad.line), Err(line), "{text}");
        }
    }
}
