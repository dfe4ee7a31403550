//! AT conversations as text files (`.at`).

use std::fmt;
use std::fmt::Write as _;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

/// A recorded conversation.
///
/// The format, UTF-8, a line each: `# key: value` is a header and any other `#` line a comment; `>> text` went from
/// the host to the module, `<< text` the other way. `\r`, `\n`, `\\` and `\xHH` are escapes. `>>` lines end with a
/// carriage return and `<<` lines with CR LF, unless the text ends with a single `\`. A line may begin with its time
/// in milliseconds: `@12 << OK`. Bytes that are kept secret are `\*N*`, where N is their number, or `***` in a command
/// line where not even that is told. `# @12 text` is a remark of whoever recorded it.
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
    /// What whoever recorded it remarked, in order.
    pub notes: Vec<Note>,
}

/// A remark of whoever recorded the conversation.
///
/// [`Transcript`] has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How many turns had been recorded before.
    pub turns: usize,
    /// Time since the conversation began, if it was recorded. Without one the remark is a comment for whoever reads
    /// the transcript's text.
    pub at: Option<Duration>,
    /// What was remarked.
    pub text: String,
}

/// Bytes in one direction.
///
/// [`Transcript`] has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Time since the conversation began, if it was recorded.
    pub at: Option<Duration>,
    /// Who spoke.
    pub direction: Direction,
    /// What was said, line ends included. What is kept secret are asterisks.
    pub bytes: Bytes,
    /// Where those asterisks are whose number is that of the secret bytes.
    pub masked: Vec<Range<usize>>,
}

/// Who speaks. Complete: there are two ends.
///
/// [`Transcript`] has an example.
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

    /// How its lines end: CR, or CR LF of the module.
    pub fn line_end(self) -> &'static [u8] {
        match self {
            Self::HostToModule => b"\r",
            Self::ModuleToHost => b"\r\n",
        }
    }
}

/// A line of the file cannot be read.
///
/// [`Transcript`] has an example.
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
            // A line end that an editor has left belongs to no line.
            let line = line.trim_end_matches('\r');
            let problem = |problem| BadTranscript { line: at + 1, problem };
            if line.trim().is_empty() {
                continue;
            }
            if let Some(comment) = line.strip_prefix('#') {
                if let Some((at, text)) = comment.strip_prefix(" @").and_then(|timed| timed.split_once(' ')) {
                    let at = read_time(at).map_err(problem)?;
                    transcript.notes.push(Note {
                        turns: transcript.turns.len(),
                        at: Some(at),
                        text: text.to_owned(),
                    });
                } else if let Some((key, value)) = comment.split_once(": ") {
                    // A name that could be taken for a time when it is written is none.
                    let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                    if !key.starts_with('@') {
                        transcript.headers.push((key, value));
                    }
                }
                continue;
            }
            transcript.turns.push(read_turn(line).map_err(problem)?);
        }
        Ok(transcript)
    }
}

fn read_time(text: &str) -> Result<Duration, &'static str> {
    text.parse().map(Duration::from_millis).map_err(|_| "the time is no number of milliseconds")
}

fn read_turn(line: &str) -> Result<Turn, &'static str> {
    let (at, rest) = match line.strip_prefix('@') {
        None => (None, line),
        Some(timed) => {
            let (millis, rest) = timed.split_once(' ').ok_or("nothing behind the time")?;
            (Some(read_time(millis)?), rest)
        }
    };
    let direction = match rest.get(..2) {
        Some(">>") => Direction::HostToModule,
        Some("<<") => Direction::ModuleToHost,
        _ => return Err("neither `#` nor `>>` nor `<<`"),
    };
    let text = rest.get(2..).unwrap_or_default();
    let text = text.strip_prefix(' ').unwrap_or(text);
    let (bytes, masked) = unescape(text, direction)?;
    Ok(Turn { at, direction, bytes: bytes.into(), masked })
}

/// The most bytes that may be said to be secret: no file that a module takes is larger.
const MOST_MASKED: usize = 1 << 20;

fn unescape(text: &str, direction: Direction) -> Result<(Vec<u8>, Vec<Range<usize>>), &'static str> {
    let mut bytes = Vec::new();
    let mut masked = Vec::new();
    let mut rest = text;
    loop {
        let Some((plain, escaped)) = rest.split_once('\\') else {
            bytes.extend_from_slice(rest.as_bytes());
            bytes.extend_from_slice(direction.line_end());
            return Ok((bytes, masked));
        };
        bytes.extend_from_slice(plain.as_bytes());
        let mut characters = escaped.chars();
        match characters.next() {
            None => return Ok((bytes, masked)),
            Some('r') => bytes.push(b'\r'),
            Some('n') => bytes.push(b'\n'),
            Some('\\') => bytes.push(b'\\'),
            Some('*') => {
                const WANTED: &str = "a number of bytes and `*` belong behind `\\*`";
                let (count, behind) = characters.as_str().split_once('*').ok_or(WANTED)?;
                let count = count.parse().ok().filter(|count: &usize| *count <= MOST_MASKED).ok_or(WANTED)?;
                masked.push(bytes.len()..bytes.len() + count);
                bytes.resize(bytes.len() + count, b'*');
                rest = behind;
                continue;
            }
            Some('x') => {
                let digits = escaped.get(1..3).ok_or("two hexadecimal digits belong behind `\\x`")?;
                bytes.push(
                    u8::from_str_radix(digits, 16)
                        .map_err(|_| "two hexadecimal digits belong behind `\\x`")?,
                );
                rest = escaped.get(3..).unwrap_or_default();
                continue;
            }
            Some(_) => return Err("unknown escape: there are `\\r`, `\\n`, `\\\\`, `\\xHH` and `\\*N*`"),
        }
        rest = characters.as_str();
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (key, value) in &self.headers {
            writeln!(f, "# {key}: {value}")?;
        }
        let mut notes = self.notes.iter().peekable();
        for number in 0..=self.turns.len() {
            while let Some(note) = notes.next_if(|note| note.turns <= number) {
                match note.at {
                    Some(at) => writeln!(f, "# @{} {}", at.as_millis(), note.text)?,
                    None => writeln!(f, "# {}", note.text)?,
                }
            }
            if let Some(turn) = self.turns.get(number) {
                writeln!(f, "{turn}")?;
            }
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
        let mut written = 0;
        for masked in &self.masked {
            write_escaped(f, text.get(written..masked.start).unwrap_or_default())?;
            write!(f, "\\*{}*", masked.len())?;
            written = masked.end;
        }
        write_escaped(f, text.get(written..).unwrap_or_default())?;
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
        Turn { at: None, direction, bytes: Bytes::copy_from_slice(bytes), masked: Vec::new() }
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
        let transcript = Transcript { headers: vec![("a".into(), "b: c".into())], turns, notes: Vec::new() };
        let text = transcript.to_string();
        assert_eq!(text.parse(), Ok(transcript), "{text}");
    }

    #[test]
    fn secrets_and_remarks_survive() {
        let text = "# @0 begin\n@1 >> AT+QFUPL=\"k\",5\n<< CONNECT\n# @2 a: b\n>> \\*5*\\\n>> a\\*2*b\\*1*\n# @9 end\n";
        let transcript: Transcript = text.parse().unwrap();
        assert_eq!(transcript.to_string(), text);
        assert_eq!(transcript.headers, []);
        let notes: Vec<_> = transcript.notes.iter().map(|note| (note.turns, note.text.as_str())).collect();
        assert_eq!(notes, [(0, "begin"), (2, "a: b"), (4, "end")]);
        assert_eq!(transcript.turns[2].bytes, "*****");
        assert_eq!(
            (transcript.turns[3].bytes.as_ref(), &transcript.turns[3].masked),
            (&b"a**b*\r"[..], &vec![1..3, 4..5])
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (text, line) in [
            ("OK", 1),
            (">> \\*x*", 1),
            (">> \\*5", 1),
            (">> \\*1048577*", 1),
            ("# @x y", 1),
            ("# c\n@x >> AT", 2),
            (">> \\q", 1),
            (">> \\x4", 1),
            ("@5", 1),
            (">> \\xüa", 1),
        ] {
            assert_eq!(text.parse::<Transcript>().map_err(|bad| bad.line), Err(line), "{text}");
        }
    }
}
