//! A module that is played from a transcript.

use bytes::Bytes;
use virtual_modem::{ScriptedPort, Transcript};

use crate::raw;

/// The module's side of a transcript, which hangs up when it is through.
pub(super) fn script(transcript: &Transcript) -> ScriptedPort {
    ScriptedPort::from_transcript(transcript).masked_by(shown).hang_up()
}

/// What is shown of bytes that a played transcript did not expect: command lines without their secrets, and of data its
/// length only, because it may be a private key, unless the transcript shows other data in its place.
fn shown(expected: &[u8], got: &[u8]) -> Bytes {
    let data_is_shown =
        !expected.is_empty() && !is_command(expected) && !expected.windows(3).any(|it| it == b"***");
    if data_is_shown && !is_command(got) {
        return Bytes::copy_from_slice(got);
    }
    let mut shown = String::new();
    let mut rest = got;
    while is_command(rest) {
        let (line, behind) = rest.split_at(end_of_line(rest));
        let ends = behind.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let (end, next) = behind.split_at(ends);
        shown.push_str(&raw::masked(&String::from_utf8_lossy(line)));
        shown.push_str(&String::from_utf8_lossy(end));
        rest = next;
    }
    if !rest.is_empty() {
        shown.push_str(&format!("({} bytes of data)", rest.len()));
    }
    shown.into()
}

/// Whether bytes begin with a command line. What is left of a key may begin with the same letters, but a command
/// without a parameter is short.
fn is_command(bytes: &[u8]) -> bool {
    let begins = |start: &[u8]| bytes.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start));
    begins(b"AT+") || begins(b"AT&") || begins(b"AT") && end_of_line(bytes) <= 6
}

fn end_of_line(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == b'\r').unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_expected_is_shown_without_its_secrets() {
        for (expected, got, wanted) in [
            (
                "AT+QMTCONN=0,\"a\",\"u\",***\r",
                "AT+QMTCONN=0,\"b\",\"u\",\"pw\"\r",
                "AT+QMTCONN=0,\"b\",\"u\",***\r",
            ),
            ("AT+CSQ\r", "at+cpin=1234\r\nATI\rabc", "at+cpin=***\r\nATI\r(3 bytes of data)"),
            ("AT+QMTCONN=0,\"a\"\r", "AT+QMTCONN=0,\"a\",\"u\",\"p", "AT+QMTCONN=0,\"a\",\"u\",***"),
            ("AT\r", "ATTENTION, a key\r", "(17 bytes of data)"),
            ("***\r", "a key", "(5 bytes of data)"),
            ("", "a key", "(5 bytes of data)"),
            ("hello", "jello", "jello"),
            ("hello", "AT+CPIN=1234\r", "AT+CPIN=***\r"),
        ] {
            assert_eq!(shown(expected.as_bytes(), got.as_bytes()), wanted, "{got}");
        }
    }
}
