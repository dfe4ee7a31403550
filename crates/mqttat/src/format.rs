//! How `sub -F` prints a message: mosquitto_sub's letters, as far as modules can fill them in.

use std::io::{self, Write};
use std::str::FromStr;
use std::time::SystemTime;

use crate::arrival::Arrival;

/// A format string, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Topic,
    Payload,
    Length,
    Hex,
    Quality,
    Retained,
    Json,
}

impl Format {
    /// Writes a message.
    pub(crate) fn write(&self, out: &mut impl Write, arrival: &Arrival<'_>) -> io::Result<()> {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => out.write_all(text),
            Piece::Topic => out.write_all(arrival.topic.as_bytes()),
            Piece::Payload => out.write_all(arrival.payload),
            Piece::Length => write!(out, "{}", arrival.payload.len()),
            Piece::Hex => arrival.payload.iter().try_for_each(|byte| write!(out, "{byte:02x}")),
            Piece::Quality => match arrival.qos {
                Some(qos) => write!(out, "{qos}"),
                None => out.write_all(UNTOLD),
            },
            // No module of the four vendors tells whether a message was retained.
            Piece::Retained => out.write_all(UNTOLD),
            Piece::Json => arrival.write_json(out, SystemTime::now()),
        })
    }
}

/// What stands for a value that the module does not tell.
const UNTOLD: &[u8] = b"-";

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let piece = match character {
                '%' => match letter(characters.next())? {
                    Some(piece) => piece,
                    None => {
                        literal.push(b'%');
                        continue;
                    }
                },
                '\\' => {
                    literal.push(escape(characters.next())?);
                    continue;
                }
                other => {
                    literal.extend(other.encode_utf8(&mut [0; 4]).bytes());
                    continue;
                }
            };
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(piece);
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self { pieces })
    }
}

/// The meaning of the letter behind a percent sign; `None` for the percent sign itself.
fn letter(letter: Option<char>) -> Result<Option<Piece>, String> {
    Ok(Some(match letter {
        Some('%') => return Ok(None),
        Some('t') => Piece::Topic,
        Some('p') => Piece::Payload,
        Some('l') => Piece::Length,
        Some('x') => Piece::Hex,
        Some('q') => Piece::Quality,
        Some('r') => Piece::Retained,
        Some('j') => Piece::Json,
        Some(other) => return Err(format!("%{other} is unknown: use %t %p %l %x %q %r %j or %%")),
        None => return Err("a letter must follow the % at the end".to_owned()),
    }))
}

fn escape(letter: Option<char>) -> Result<u8, String> {
    Ok(match letter {
        Some('\\') => b'\\',
        Some('0') => 0,
        Some('a') => 0x07,
        Some('e') => 0x1B,
        Some('n') => b'\n',
        Some('r') => b'\r',
        Some('t') => b'\t',
        Some('v') => 0x0B,
        Some(other) => return Err(format!(r"\{other} is unknown: use \\ \0 \a \e \n \r \t or \v")),
        None => return Err(r"a letter must follow the \ at the end".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(format: &str, arrival: &Arrival<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        format.parse::<Format>().unwrap().write(&mut out, arrival).unwrap();
        out
    }

    #[test]
    fn letters_are_filled_in() {
        let arrival = Arrival { topic: "a/b", payload: b"\xFFx\0", qos: Some(1) };
        assert_eq!(formatted("%t|%l|%q|%r|%x|%%|", &arrival), b"a/b|3|1|-|ff7800|%|");
        assert_eq!(formatted("<%p>", &arrival), b"<\xFFx\0>");
        let untold = Arrival { qos: None, ..arrival };
        assert_eq!(formatted("%q", &untold), b"-");
        assert_eq!(formatted("", &arrival), b"");
    }

    #[test]
    fn escapes_are_mosquittos() {
        let arrival = Arrival { topic: "t", payload: b"", qos: Some(0) };
        assert_eq!(formatted(r"\\\0\a\e\n\r\t\v", &arrival), b"\\\0\x07\x1B\n\r\t\x0B");
        assert_eq!(formatted("é%t€", &arrival), "ét€".as_bytes());
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for bad in ["%z", "%", "a%", r"\q", r"\", "%t%"] {
            assert!(bad.parse::<Format>().is_err(), "{bad}");
        }
    }
}
