//! The AT conversation as text, for `--record` and for `demo`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use mqtt_at::Fault;
use mqtt_at::at::{Tap, TapEntry};

use crate::arrival::timestamp;
use crate::failure::Failure;
use crate::hiding::hide_secrets;
use crate::{raw, serial_log};

use virtual_modem::{BadTranscript, Transcript};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// This program: `>>`.
    Host,
    /// The module: `<<`.
    Module,
    /// Neither: `#`.
    Note,
}

impl Speaker {
    /// How its lines begin.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Host => ">>",
            Self::Module => "<<",
            Self::Note => "#",
        }
    }
}

/// An entry as a line of a transcript: secrets masked, bytes that are not printable escaped.
///
/// A `\` at the end says that no line end follows; otherwise lines of the host end with CR, and those of the module
/// with CR LF.
pub(crate) fn line_of(entry: TapEntry<'_>) -> (Speaker, String) {
    match entry {
        TapEntry::Command(command) => (Speaker::Host, escaped(raw::masked(&command.to_string()).as_bytes())),
        TapEntry::Probe(line) => (Speaker::Host, escaped(line.trim_ascii_end())),
        TapEntry::Filler { bytes } => {
            (Speaker::Note, format!("{bytes} bytes in place of data that the module may be waiting for"))
        }
        TapEntry::Data(data) => (Speaker::Host, escaped(data) + "\\"),
        TapEntry::SecretData { bytes } => (Speaker::Host, format!("\\*{bytes}*\\")),
        TapEntry::Echo(command) => {
            (Speaker::Module, escaped(raw::masked(&command.to_string()).as_bytes()) + "\\r")
        }
        TapEntry::Line(line) => (Speaker::Module, raw::masked_line(&escaped(line))),
        TapEntry::SecretLine => (Speaker::Module, "***".to_owned()),
        TapEntry::Prompt => (Speaker::Module, "> \\".to_owned()),
        TapEntry::Dropped { bytes } => (Speaker::Note, format!("{bytes}{DROPPED}")),
        other => (Speaker::Note, format!("an entry that this version cannot write: {}", kind_of(other))),
    }
}

/// What a remark about dropped bytes says behind their number.
const DROPPED: &str = " bytes that could not be read were dropped";

/// How many bytes were dropped, if a remark says so.
pub(crate) fn dropped_in(note: &str) -> Option<usize> {
    note.strip_suffix(DROPPED)?.parse().ok()
}

/// The name of an entry's kind, without what is in it.
fn kind_of(entry: TapEntry<'_>) -> String {
    let shown = format!("{entry:?}");
    shown.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// Bytes that are not printable ASCII become escapes.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => {
                // A String takes everything.
                let _ = write!(text, "\\x{byte:02X}");
            }
        }
    }
    text
}

/// Reads a transcript from a file, or from stdin for `-`.
pub(crate) fn load(path: &Path) -> Result<Transcript, Failure> {
    parse(path, &content(path)?)
}

/// Reads a transcript, or else a serial log, to be shown: without its secrets. Says whether it was a log.
pub(crate) fn load_any(path: &Path) -> Result<(Transcript, bool), Failure> {
    let (mut transcript, is_log) = read_any(path)?;
    hide_secrets(&mut transcript);
    Ok((transcript, is_log))
}

fn read_any(path: &Path) -> Result<(Transcript, bool), Failure> {
    let bytes = content(path)?;
    let failure = match parse(path, &bytes) {
        Ok(transcript) => return Ok((transcript, false)),
        Err(failure) => failure,
    };
    let is_ours = bytes.starts_with(HEAD.as_bytes());
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let first =
        lines.find(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#")).unwrap_or_default();
    let looks_like_ours = is_ours || [&b">>"[..], b"<<", b"@"].iter().any(|mark| first.starts_with(mark));
    match serial_log::read(&bytes).filter(|_| !is_ours) {
        Some(transcript) => Ok((transcript, true)),
        // What looks like a transcript should be told what is wrong with it.
        None if looks_like_ours => Err(failure),
        None => {
            Err(Failure::caller(format!("{}: there is no AT conversation in it", path.display()))
                .remedy(WANTED))
        }
    }
}

/// What a file should be.
const WANTED: &str = "name a transcript, such as --record writes, or the log of a terminal program";

fn content(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    bytes.map_err(|error| Failure::caller(format!("{}: {error}", path.display())).remedy(WANTED))
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Transcript, Failure> {
    let about = path.display();
    let text = std::str::from_utf8(bytes).map_err(|_| Failure::caller(format!("{about}: it is no UTF-8")))?;
    text.parse().map_err(|bad: BadTranscript| {
        Failure::caller(format!("{about}: {bad}"))
            .remedy("a line begins with #, with >> (to the module) or with << (from it)")
    })
}

/// How every transcript of ours begins.
const HEAD: &str = "# recorded: ";

/// A transcript that is being written.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    file: Arc<Mutex<Lines>>,
}

#[derive(Debug)]
struct Lines {
    path: PathBuf,
    file: File,
    start: Instant,
    /// Whether command lines end with CR LF: the last question that proves the link did.
    line_feed: bool,
    failed: Option<io::Error>,
}

impl Recording {
    /// Begins a transcript with its header.
    pub(crate) fn start(path: &Path, device: &str) -> Result<Self, Failure> {
        let write = || {
            let mut file = File::create(path)?;
            let date = timestamp(SystemTime::now());
            let version = env!("CARGO_PKG_VERSION");
            let device = escaped(device.as_bytes());
            write!(file, "{HEAD}{date}\n# tool: mqttat {version}\n# device: {device}\n")?;
            file.write_all(b"# fidelity: lines as they were framed; secrets are ***\n")?;
            Ok(file)
        };
        let file = write().map_err(|error| failure(path, &error))?;
        let lines =
            Lines { path: path.to_owned(), file, start: Instant::now(), line_feed: false, failed: None };
        Ok(Self { file: Arc::new(Mutex::new(lines)) })
    }

    /// Says whether all of it was written.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        let mut lines = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match lines.failed.take() {
            Some(error) => Err(failure(&lines.path, &error)),
            None => Ok(()),
        }
    }
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("--record {}: {error}", path.display()), Fault::Caller)
        .remedy("name a file that can be written")
}

impl Tap for Recording {
    fn note(&mut self, entry: TapEntry<'_>) {
        let (speaker, mut text) = line_of(entry);
        let mut lines = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let TapEntry::Probe(line) = entry {
            lines.line_feed = line.ends_with(b"\n");
        }
        if lines.line_feed && matches!(entry, TapEntry::Probe(_) | TapEntry::Command(_)) {
            text.push_str("\\r\\n\\");
        }
        let elapsed = lines.start.elapsed().as_millis();
        let line = match speaker {
            Speaker::Note => format!("# @{elapsed} {text}\n"),
            _ => format!("@{elapsed} {} {text}\n", speaker.mark()),
        };
        // One write for each line: what was said last is in the file even if this program is killed.
        if lines.failed.is_none()
            && let Err(error) = lines.file.write_all(line.as_bytes())
        {
            lines.failed = Some(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mqtt_at::at::CommandLine;

    use super::*;

    #[test]
    fn entries_become_lines_without_secrets() {
        let typed = CommandLine::raw("AT+QMTCONN=0,\"id\",\"u\",\"open sesame\"").unwrap();
        assert_eq!(
            line_of(TapEntry::Command(&typed)),
            (Speaker::Host, "AT+QMTCONN=0,\"id\",\"u\",***".to_owned())
        );
        assert_eq!(
            line_of(TapEntry::Echo(&typed)),
            (Speaker::Module, "AT+QMTCONN=0,\"id\",\"u\",***\\r".to_owned())
        );
        assert_eq!(line_of(TapEntry::Probe(b"AT+CMEE?\r")), (Speaker::Host, "AT+CMEE?".to_owned()));
        let data = Bytes::from_static(b"a\\\r\nOK\r\n\xFF\x1b");
        assert_eq!(line_of(TapEntry::Data(&data)), (Speaker::Host, r"a\\\r\nOK\r\n\xFF\x1B\".to_owned()));
        assert_eq!(line_of(TapEntry::Line(&data)).1, r"a\\\r\nOK\r\n\xFF\x1B");
        let message = Bytes::from_static(b"+QMTRECV: 0,0,\"t\",14,\"AT+CPIN=1234 y\"");
        assert!(line_of(TapEntry::Line(&message)).1.contains("AT+CPIN=1234 y"));
        let told = Bytes::from_static(b"+CMQTTCONNECT: 0,\"tcp://b\",60,1,\"u\",\"open sesame\"");
        assert_eq!(line_of(TapEntry::Line(&told)).1, "+CMQTTCONNECT: 0,\"tcp://b\",60,1,\"u\",***");
        assert_eq!(line_of(TapEntry::SecretLine), (Speaker::Module, "***".to_owned()));
        assert_eq!(line_of(TapEntry::Prompt), (Speaker::Module, r"> \".to_owned()));
    }

    #[test]
    fn a_recording_has_a_header_and_times() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.at");
        let mut recording = Recording::start(&path, "/dev/tty\nUSB2").unwrap();
        recording.note(TapEntry::Line(&Bytes::from_static(b"OK")));
        recording.note(TapEntry::SecretData { bytes: 3 });
        recording.note(TapEntry::Probe(b"AT+SYSSTORE?\r\n"));
        recording.note(TapEntry::Command(&CommandLine::raw("AT+MQTTCONN?").unwrap()));
        recording.note(TapEntry::Dropped { bytes: 7 });
        recording.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("# recorded: 20") && lines[1].starts_with("# tool: mqttat "), "{text}");
        assert_eq!(lines[2], r"# device: /dev/tty\nUSB2");
        assert!(lines[4].starts_with('@') && lines[4].ends_with(" << OK"), "{text}");
        assert!(lines[5].ends_with(r" >> \*3*\"), "{text}");
        assert!(
            lines[6].ends_with(r" >> AT+SYSSTORE?\r\n\") && lines[7].ends_with(r" >> AT+MQTTCONN?\r\n\"),
            "{text}"
        );
        let remark = lines[8].strip_prefix("# @").unwrap().split_once(' ').unwrap().1;
        assert_eq!(dropped_in(remark), Some(7));
        let read: Transcript = text.parse().unwrap();
        assert_eq!((read.turns.len(), read.turns[1].masked.len(), read.notes.len()), (4, 1, 1));
        assert_eq!(read.turns[2].bytes, "AT+SYSSTORE?\r\n");
        assert!(Recording::start(directory.path(), "x").is_err(), "a directory cannot be written");
    }
}
