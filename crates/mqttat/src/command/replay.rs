//! `mqttat replay`

use std::io::{self, Write};

use mqtt_at::Vendor;
use mqtt_at::offline::{Analyser, Analysis, Entry, Finding, Kind, Severity, Speaker};
use serde::Serialize;
use virtual_modem::{Direction, Transcript};

use super::Context;
use crate::args::VendorChoice;
use crate::args::replay::Replay;
use crate::failure::Failure;
use crate::paint::Paint;
use crate::transcript::{dropped_in, escaped};
use crate::{output, page, transcript};

pub(super) fn run(args: &Replay, context: &Context) -> Result<(), Failure> {
    let (conversation, is_log) = transcript::load_any(&args.file)?;
    if conversation.turns.is_empty() {
        return Err(Failure::caller(format!("{}: nothing is said in this transcript", args.file.display()))
            .remedy("record a command that talks to the module"));
    }
    let vendor = match context.global.vendor {
        VendorChoice::Named(vendor) => vendor,
        VendorChoice::Auto => vendor_of(&conversation)?,
    };
    let analysis = analyse(&conversation, vendor);
    if let Some(html) = &args.html {
        let name = args.file.file_name().map_or_else(String::new, |it| it.to_string_lossy().into_owned());
        let text = page::render(&name, &conversation.headers, &analysis);
        std::fs::write(html, text).map_err(|error| {
            Failure::caller(format!("--html {}: {error}", html.display()))
                .remedy("name a file that can be written")
        })?;
    }
    if context.global.json {
        return print_objects(&analysis);
    }
    if is_log {
        output::print(|out| {
            writeln!(out, "== a serial log: who spoke is told by its marks, or by what was said")
        })?;
    }
    print_text(&analysis)
}

/// Whose module it was, by its commands, or else by the header, or else by what the module said.
fn vendor_of(transcript: &Transcript) -> Result<Vendor, Failure> {
    let by_lines = |speaker| {
        let turns = transcript.turns.iter().filter(move |turn| turn.direction == speaker);
        Analyser::vendor_of(turns.map(|turn| &turn.bytes[..]))
    };
    let by_header = || {
        let headers = transcript.headers.iter().filter(|(key, _)| key == "device" || key == "module");
        headers.flat_map(|(_, value)| value.split([' ', ':'])).find_map(|word| word.parse().ok())
    };
    let vendor = by_lines(Direction::HostToModule).or_else(by_header);
    vendor.or_else(|| by_lines(Direction::ModuleToHost)).ok_or_else(|| {
        Failure::caller("whose module this was cannot be seen in the transcript")
            .remedy("name it with --vendor")
    })
}

fn analyse(transcript: &Transcript, vendor: Vendor) -> Analysis {
    let mut analyser = Analyser::new(vendor);
    let mut notes = transcript.notes.iter().peekable();
    for number in 0..=transcript.turns.len() {
        while let Some(note) = notes.next_if(|note| note.turns <= number) {
            match dropped_in(&note.text) {
                Some(bytes) => analyser.dropped(note.at, bytes),
                None => analyser.note(note.at, &note.text),
            }
        }
        match transcript.turns.get(number) {
            Some(turn) if turn.direction == Direction::HostToModule => analyser.host(turn.at, &turn.bytes),
            Some(turn) => analyser.module(turn.at, &turn.bytes),
            None => {}
        }
    }
    analyser.finish()
}

/// A line of `--json`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Object<'a> {
    Entry {
        number: usize,
        at: Option<u64>,
        from: &'a str,
        kind: &'a str,
        client: Option<u8>,
        text: String,
        meaning: &'a str,
        success: Option<bool>,
        answers: Option<usize>,
        after: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        topic: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<String>,
    },
    Finding {
        entry: usize,
        severity: &'a str,
        what: &'a str,
        remedy: Option<&'a str>,
        see: Option<&'a str>,
    },
    Summary {
        vendor: String,
        entries: usize,
        errors: usize,
        warnings: usize,
        notes: usize,
    },
}

impl<'a> Object<'a> {
    fn entry(entry: &'a Entry) -> Self {
        let millis =
            |time: Option<std::time::Duration>| time.and_then(|it| u64::try_from(it.as_millis()).ok());
        let (topic, payload) = match &entry.kind {
            Kind::Message { topic, payload } => (Some(topic.as_str()), Some(escaped(payload))),
            _ => (None, None),
        };
        Self::Entry {
            number: entry.number,
            at: millis(entry.at),
            from: name_of(entry.speaker),
            kind: entry.kind.name(),
            client: entry.client,
            text: escaped(&entry.bytes),
            meaning: &entry.meaning,
            success: entry.kind.success(),
            answers: entry.answers,
            after: millis(entry.after),
            topic,
            payload,
        }
    }

    fn finding(finding: &'a Finding) -> Self {
        Self::Finding {
            entry: finding.entry,
            severity: finding.severity.name(),
            what: &finding.what,
            remedy: finding.remedy.as_deref(),
            see: finding.see,
        }
    }
}

pub(crate) fn name_of(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::Host => "host",
        Speaker::Module => "module",
        Speaker::Recorder => "recorder",
    }
}

fn print_objects(analysis: &Analysis) -> Result<(), Failure> {
    let entries = analysis.entries.iter().map(Object::entry);
    let findings = analysis.findings.iter().map(Object::finding);
    let summary = Object::Summary {
        vendor: analysis.vendor.to_string(),
        entries: analysis.entries.len(),
        errors: count(analysis, Severity::Error),
        warnings: count(analysis, Severity::Warning),
        notes: count(analysis, Severity::Note),
    };
    for object in entries.chain(findings).chain([summary]) {
        if !output::print_json(&object)? {
            break;
        }
    }
    Ok(())
}

fn count(analysis: &Analysis, severity: Severity) -> usize {
    analysis.findings.iter().filter(|finding| finding.severity == severity).count()
}

fn print_text(analysis: &Analysis) -> Result<(), Failure> {
    let paint = Paint::stdout();
    output::print(|out| {
        for entry in &analysis.entries {
            write_entry(out, paint, entry)?;
            for finding in analysis.findings.iter().filter(|finding| finding.entry == entry.number) {
                write_finding(out, paint, finding)?;
            }
        }
        let [errors, warnings, notes] =
            [Severity::Error, Severity::Warning, Severity::Note].map(|severity| count(analysis, severity));
        let total = analysis.entries.len();
        let vendor = analysis.vendor;
        writeln!(out, "== {vendor}, {total} entries; errors: {errors}, warnings: {warnings}, notes: {notes}")
    })
    .map(drop)
}

/// `   1.204 << +QMTSTAT: 0,1    client 0: closed by the broker`
fn write_entry(out: &mut impl Write, paint: Paint, entry: &Entry) -> io::Result<()> {
    match entry.at {
        Some(at) => write!(out, "{:>10.3} ", at.as_secs_f64())?,
        None => write!(out, "{:>10} ", "")?,
    }
    let text = escaped(&entry.bytes);
    let meaning = match (entry.client, entry.after) {
        (Some(client), Some(after)) => {
            format!("client {client}, after {} ms: {}", after.as_millis(), entry.meaning)
        }
        (Some(client), None) => format!("client {client}: {}", entry.meaning),
        (None, Some(after)) => format!("after {} ms: {}", after.as_millis(), entry.meaning),
        (None, None) => entry.meaning.clone(),
    };
    match entry.speaker {
        // In a column, as long as what is said leaves room for it.
        Speaker::Host => {
            let said = format!(">> {text:<COLUMN$}");
            writeln!(out, "{}  {}", paint.host(said), paint.module(meaning))
        }
        Speaker::Module => writeln!(out, "<< {text:<COLUMN$}  {}", paint.module(meaning)),
        Speaker::Recorder => writeln!(out, "{}", paint.module(format_args!("#  {meaning}"))),
    }
}

/// Where the meaning of a line begins, behind its arrow.
const COLUMN: usize = 36;

fn write_finding(out: &mut impl Write, paint: Paint, finding: &Finding) -> io::Result<()> {
    let mut line = format!("{}: {}", finding.severity.name(), finding.what);
    if let Some(remedy) = &finding.remedy {
        line.push_str("; ");
        line.push_str(remedy);
    }
    if let Some(see) = finding.see {
        line.push_str(&format!(" ({see})"));
    }
    match finding.severity {
        Severity::Error => writeln!(out, "        {}", paint.bad(format_args!("!! {line}"))),
        Severity::Warning => writeln!(out, "        {}", paint.warning(format_args!("!  {line}"))),
        Severity::Note => writeln!(out, "        {}", paint.module(format_args!("-  {line}"))),
    }
}
