//! Serial logs as people have them: of terminal programs, drivers and daemons, read as if they were transcripts.
//!
//! Who spoke is told by marks (`>`/`<`, `-->`/`<--`, `TX`/`RX`, `SEND`/`RECV`, …), or, in a plain capture of a terminal,
//! by what was said: a command line is the host's, and so is what stands behind a prompt. Times in front of the lines
//! are understood, line ends may be written out (`\r\n`, `<CR><LF>`). Secrets stay as they are.

mod capture;
mod escapes;
mod marks;
mod stamp;

use std::time::Duration;

use virtual_modem::{Direction, Note, Transcript, Turn};

use self::capture::Capture;
use self::escapes::Written;
use self::marks::Family;

/// Reads a log; `None` if there is neither an AT command in it nor a module's line with a name.
pub(crate) fn read(log: &[u8]) -> Option<Transcript> {
    let Ok(text) = std::str::from_utf8(log) else {
        // Each byte becomes the character of its number, and a byte again when all is read: lengths count bytes.
        let text: String = log.iter().copied().map(char::from).collect();
        let mut transcript = read_text(&text)?;
        for turn in &mut transcript.turns {
            let text = String::from_utf8_lossy(&turn.bytes);
            turn.bytes = text.chars().map(|it| u8::try_from(it).unwrap_or(b'?')).collect();
        }
        return Some(transcript);
    };
    read_text(text)
}

fn read_text(text: &str) -> Option<Transcript> {
    let lines: Vec<_> = text.trim_start_matches('\u{feff}').lines().map(without_colours).collect();
    let mut builder = Builder::default();
    match Family::of(&lines) {
        Some(family) => read_marked(&lines, family, &mut builder),
        None => read_capture(&lines, &mut builder),
    }
    let is_told = |turn: &Turn| {
        let text = String::from_utf8_lossy(&turn.bytes);
        match turn.direction {
            Direction::HostToModule => is_command(&text),
            Direction::ModuleToHost => text.starts_with('+') && text.contains(": "),
        }
    };
    builder.transcript.turns.iter().any(is_told).then_some(builder.transcript)
}

/// A log whose lines say who spoke.
fn read_marked(lines: &[String], family: Family, builder: &mut Builder) {
    let whole = lines;
    let mut lines: Vec<_> = lines.iter().map(|line| family.split(line)).collect();
    let marked = || lines.iter().filter(|line| line.mark.is_some());
    let is_timed = marked().filter(|line| line.stamp.is_some()).count() * 2 >= marked().count();
    if !is_timed {
        // What begins like a time in such a log is a payload that goes on.
        for (line, whole) in lines.iter_mut().zip(whole).filter(|(line, _)| line.mark.is_none()) {
            (line.stamp, line.text) = (None, whole);
        }
    }
    let written = escapes::line_ends_written(lines.iter().map(|line| line.text));
    let mut speaker = None;
    // Whether the module's last line has only begun, in a log that shows where lines end.
    let mut open = false;
    for line in &lines {
        builder.set_time(line.stamp);
        let is_remark = line.mark.is_none() && (is_timed && line.stamp.is_some() || is_remark(line.text));
        if is_remark {
            builder.note(line.text);
            speaker = None;
            continue;
        }
        // A line without a mark goes on with what was said.
        let Some(direction) = line.mark.or(speaker).filter(|_| line.mark.is_some() || !line.text.is_empty())
        else {
            if !line.text.trim().is_empty() {
                builder.note(line.text);
            }
            continue;
        };
        speaker = Some(direction);
        let is_data = direction == Direction::HostToModule && builder.prompted && !is_command(line.text);
        open &= direction == Direction::ModuleToHost;
        let shows_ends = written == Written::All && (open || escapes::shows_line_end(line.text));
        let bytes = match written {
            Written::All if shows_ends => escapes::decode(line.text),
            _ if is_data || is_mark(line.text) => line.text.as_bytes().to_vec(),
            Written::Inner if direction == Direction::ModuleToHost => {
                [escapes::with_returns(escapes::decode(line.text)), direction.line_end().to_vec()].concat()
            }
            Written::Inner => [escapes::decode(line.text), direction.line_end().to_vec()].concat(),
            Written::All | Written::None => with_end(line.text, direction),
        };
        open = direction == Direction::ModuleToHost && shows_ends && !bytes.ends_with(b"\n");
        builder.say(direction, bytes);
    }
}

/// A log that shows nothing but what went over the line.
fn read_capture(lines: &[String], builder: &mut Builder) {
    let mut capture = Capture::default();
    let form = stamp::form_of(lines.iter().map(String::as_str));
    for line in lines {
        let (stamp, text) = form.map_or((None, line.as_str()), |form| stamp::split_as(line, form));
        builder.set_time(stamp);
        // Arduino's monitor has an arrow behind each time.
        let behind_arrow = text.strip_prefix("->").filter(|_| stamp.is_some());
        let text = behind_arrow.map_or(text, |text| text.strip_prefix(' ').unwrap_or(text));
        if is_remark(text) {
            builder.note(text);
        } else {
            capture.line(text, builder);
        }
    }
}

/// The transcript as it grows.
#[derive(Default)]
struct Builder {
    transcript: Transcript,
    /// What the log's clock said first.
    first: Option<Duration>,
    /// What has to be added to it for the midnights that have passed.
    midnights: Duration,
    now: Option<Duration>,
    /// Whether the last thing that the module said asks for data.
    prompted: bool,
}

impl Builder {
    /// From here on this is the time. A clock that goes back by more than half a day has passed midnight.
    fn set_time(&mut self, stamp: Option<Duration>) {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        let Some(stamp) = stamp else { return };
        let first = *self.first.get_or_insert(stamp);
        if (stamp + self.midnights + DAY / 2) < first + self.now.unwrap_or_default() {
            self.midnights += DAY;
        }
        let since = (stamp + self.midnights).checked_sub(first).unwrap_or_default();
        self.now = Some(since.max(self.now.unwrap_or_default()));
    }

    fn say(&mut self, direction: Direction, bytes: Vec<u8>) {
        let text = String::from_utf8_lossy(&bytes);
        self.prompted = direction == Direction::ModuleToHost && is_prompt(text.trim());
        let turn = Turn { at: self.now, direction, bytes: bytes.into(), masked: Vec::new() };
        self.transcript.turns.push(turn);
    }

    fn note(&mut self, text: &str) {
        let text = text.trim_start_matches(['#', '-', '/', ' ']).trim_end();
        if text.is_empty() {
            return;
        }
        if let Some((key, value)) = text.split_once(": ").filter(|_| self.transcript.turns.is_empty()) {
            self.transcript.headers.push((key.to_owned(), value.to_owned()));
            return;
        }
        let (turns, at) = (self.transcript.turns.len(), self.now);
        self.transcript.notes.push(Note { turns, at, text: text.to_owned() });
    }
}

fn with_end(text: &str, direction: Direction) -> Vec<u8> {
    [text.as_bytes(), direction.line_end()].concat()
}

/// Whether it is an AT command line.
fn is_command(text: &str) -> bool {
    let Some((at, body)) = text.trim().split_at_checked(2) else { return false };
    let begins = |first: char| "+&*#$%^@!\\/".contains(first);
    let is_basic = |first: char| {
        let end = body.get(first.len_utf8()..).unwrap_or_default();
        first.is_ascii_alphabetic() && end.chars().all(|it| it.is_ascii_digit() || "=?&;+".contains(it))
    };
    at.eq_ignore_ascii_case("AT")
        && body.chars().next().is_none_or(|first| begins(first) || is_basic(first) || body == "SIMCOMATI")
}

/// Whether the module asks for data.
fn is_prompt(text: &str) -> bool {
    is_mark(text) || text == "CONNECT"
}

/// Whether it is a prompt that no line end follows.
fn is_mark(text: &str) -> bool {
    text == ">" || text == "> "
}

/// Whether it is a word of whoever wrote the log down.
fn is_remark(text: &str) -> bool {
    let text = text.trim();
    let in_brackets = text.starts_with('(') && text.ends_with(')');
    in_brackets || ["#", "--- ", "// ", "=~=~"].iter().any(|start| text.starts_with(start))
}

/// The line without what a terminal would take for colours and the like.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line.trim_end_matches('\r');
    while let Some((before, behind)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = behind.find(|it: char| it.is_ascii_alphabetic()).map_or(behind.len(), |at| at + 1);
        rest = behind.get(end..).unwrap_or_default();
    }
    plain + rest
}

#[cfg(test)]
mod tests;
