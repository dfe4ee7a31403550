//! What must not be shown of a recorded conversation, whoever recorded it.

use std::ops::Range;

use virtual_modem::{Direction, Transcript, Turn};

use crate::raw;

mod keys;

use keys::Keys;

/// Hides passwords, keys and PINs: in commands, in their echoes, in answers, in what is written behind a prompt, and in
/// remarks and lines that nobody could attribute.
pub(crate) fn hide_secrets(transcript: &mut Transcript) {
    hide_keys(transcript);
    for direction in [Direction::HostToModule, Direction::ModuleToHost] {
        hide_fields(transcript.turns.iter_mut().filter(|turn| turn.direction == direction));
    }
    for note in &mut transcript.notes {
        note.text = raw::masked(&note.text);
    }
    // A log may begin with a line that only looks like a header.
    for (key, value) in &mut transcript.headers {
        let line = raw::masked(&format!("{key}: {value}"));
        let (shown_key, shown_value) = line.split_once(": ").unwrap_or((&line, ""));
        (*key, *value) = (shown_key.to_owned(), without_keys(shown_value));
    }
}

fn without_keys(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    Keys::default().hide_pem(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Private keys, and what else is written behind a prompt and may be one. The number of bytes is no secret.
fn hide_keys(transcript: &mut Transcript) {
    let mut keys = Keys::default();
    let mut notes = transcript.notes.iter_mut().peekable();
    for number in 0..=transcript.turns.len() {
        while let Some(note) = notes.next_if(|note| note.turns <= number) {
            let mut text = std::mem::take(&mut note.text).into_bytes();
            keys.hide_pem(&mut text);
            note.text = String::from_utf8_lossy(&text).into_owned();
        }
        let Some(turn) = transcript.turns.get_mut(number) else { continue };
        let mut bytes = turn.bytes.to_vec();
        if keys.hide(turn.direction, &mut bytes) {
            turn.bytes = bytes.into();
        }
    }
}

/// The secret fields of lines, which may have come in several pieces.
fn hide_fields<'a>(turns: impl Iterator<Item = &'a mut Turn>) {
    let turns: Vec<_> = turns.collect();
    let said: Vec<u8> = turns.iter().flat_map(|turn| turn.bytes.iter().copied()).collect();
    let secrets = secrets_of(&said);
    let mut start = 0;
    for turn in turns {
        let end = start + turn.bytes.len();
        let here = secrets
            .iter()
            .filter(|it| it.start < end && it.end > start || it.start == it.end && it.start == end);
        let here: Vec<_> = here.map(|it| it.start.max(start) - start..it.end.min(end) - start).collect();
        start = end;
        if here.is_empty() {
            continue;
        }
        let mut shown = Vec::new();
        let mut kept = 0;
        for secret in here {
            shown.extend_from_slice(turn.bytes.get(kept..secret.start).unwrap_or_default());
            shown.extend_from_slice(b"***");
            kept = secret.end;
        }
        shown.extend_from_slice(turn.bytes.get(kept..).unwrap_or_default());
        turn.bytes = shown.into();
        turn.masked.clear();
    }
}

fn secrets_of(said: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut secrets = Vec::new();
    for line in said.split(|byte| matches!(byte, b'\r' | b'\n')) {
        secrets.extend(raw::secrets(line).into_iter().map(|it| start + it.start..start + it.end));
        start += line.len() + 1;
    }
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of a transcript once its secrets are hidden.
    fn shown(text: &str) -> Vec<String> {
        let mut transcript: Transcript = text.parse().unwrap();
        hide_secrets(&mut transcript);
        transcript.to_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn commands_and_answers_are_hidden_alike() {
        let lines = shown(
            ">> AT+MQTTUSER=1,\"joe\",\"sesame\"\n<< AT+MQTTUSER=1,\"joe\",\"sesame\"\n<< OK\n>> AT+MQTTUSER?\n\
             << +MQTTUSER: 1,\"joe\",\"sesame\"\n<< OK\n# @5 AT+CPIN=sesame\n",
        );
        assert!(lines.iter().all(|line| !line.contains("sesame")), "{lines:?}");
        assert_eq!(lines[4], "<< +MQTTUSER: 1,\"joe\",***");
        assert_eq!(lines[2], "<< OK");
    }

    #[test]
    fn a_line_in_two_pieces_is_hidden_in_both() {
        let lines = shown("<< +MQTTUSER: 1,\"joe\",\"open\\\n<< sesame\"\n<< OK\n");
        assert_eq!(lines, ["<< +MQTTUSER: 1,\"joe\",***\\", "<< ***", "<< OK"]);
    }

    #[test]
    fn bytes_that_are_no_utf8_hide_nothing() {
        let lines = shown("<< \\xFF\\xFE+MQTTUSER: 1,\"\\xFC\",\"sesame\"\n");
        assert_eq!(lines, ["<< \\xFF\\xFE+MQTTUSER: 1,\"\\xFC\",***"]);
    }
}
