//! A conversation as one page: a sequence diagram on a time axis, made to be attached to a report of a fault.
//!
//! The page needs nothing but itself, and forbids itself to load anything else. It can be read without its script,
//! which adds filters and keys.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use mqtt_at::offline::{Analysis, Entry, Finding, Kind, Severity, Speaker};

use crate::command::replay::name_of;
use crate::transcript::escaped;

mod overview;

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Groups of kinds, as the filters have them.
const GROUPS: &[(&str, &[&str])] = &[
    ("commands", &["command", "data", "prompt", "echo"]),
    ("answers", &["information", "final"]),
    ("results", &["result"]),
    ("messages", &["message"]),
    ("reports", &["report"]),
    ("trouble", &["lost", "restarted", "damaged", "unknown"]),
    ("remarks", &["note"]),
];

/// Silence that is worth a word.
const PAUSE: Duration = Duration::from_secs(1);

/// How much of an entry is shown in hexadecimal.
const HEX: usize = 512;

/// The page of a conversation; `headers` are those of its transcript.
pub(crate) fn render(name: &str, headers: &[(String, String)], analysis: &Analysis) -> String {
    let mut page = String::new();
    // A String takes everything.
    let _ = write(&mut page, name, headers, analysis);
    page
}

fn write(
    page: &mut String,
    name: &str,
    headers: &[(String, String)],
    analysis: &Analysis,
) -> std::fmt::Result {
    let title = text(if name.is_empty() { "stdin" } else { name });
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"generator\" content=\"mqttat {}\">\n<title>{title}: AT conversation</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n",
        env!("CARGO_PKG_VERSION")
    )?;
    write_head(page, &title, headers, analysis)?;
    write_findings(page, analysis)?;
    overview::write(page, analysis)?;
    write_filters(page, analysis)?;
    write_chart(page, analysis)?;
    write!(
        page,
        "<footer><p><kbd>j</kbd> <kbd>k</kbd> next and previous entry &middot; <kbd>n</kbd> <kbd>p</kbd> next and \
         previous finding &middot; <kbd>Enter</kbd> all of an entry &middot; <kbd>/</kbd> search &middot; \
         <kbd>Esc</kbd> show all</p><p>Made by <b>mqttat replay</b>. Secrets are masked; topics and \
         payloads are not.</p></footer>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn write_head(
    page: &mut String,
    title: &str,
    headers: &[(String, String)],
    analysis: &Analysis,
) -> std::fmt::Result {
    let (class, verdict) = verdict(analysis);
    write!(page, "<header>\n<h1>{title}</h1>\n<p class=\"verdict {class}\">{}</p>\n<dl>\n", text(&verdict))?;
    let span = analysis.entries.iter().filter_map(|entry| entry.at).max();
    let span = span.map(|span| ("duration".to_owned(), format!("{} s", seconds(span))));
    let own = [
        ("vendor".to_owned(), analysis.vendor.to_string()),
        ("entries".to_owned(), analysis.entries.len().to_string()),
    ];
    for (key, value) in own.iter().chain(&span).chain(headers) {
        writeln!(page, "<div><dt>{}</dt><dd>{}</dd></div>", text(key), text(value))?;
    }
    page.push_str("</dl>\n</header>\n<main>\n");
    Ok(())
}

/// The class and the words of what stands at the top.
fn verdict(analysis: &Analysis) -> (&'static str, String) {
    let count = |severity| analysis.findings.iter().filter(|it: &&Finding| it.severity == severity).count();
    let words = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    match (errors, warnings) {
        (0, 0) => ("good", "Nothing looks wrong".to_owned()),
        (0, _) => ("warning", words(warnings, "warning")),
        (_, 0) => ("error", words(errors, "error")),
        _ => ("error", format!("{}, {}", words(errors, "error"), words(warnings, "warning"))),
    }
}

fn write_findings(page: &mut String, analysis: &Analysis) -> std::fmt::Result {
    if analysis.findings.is_empty() {
        return Ok(());
    }
    page.push_str("<section aria-labelledby=\"found\">\n<h2 id=\"found\">What looks wrong</h2>\n<ol class=\"findings\">\n");
    // The worst first, and in the order in which it came.
    let mut findings: Vec<_> = analysis.findings.iter().collect();
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.entry));
    for finding in findings {
        let at = analysis.entries.get(finding.entry).and_then(|entry| entry.at);
        let at = at.map_or_else(|| format!("#{}", finding.entry), |at| format!("{} s", seconds(at)));
        write!(page, "<li class=\"{}\"><a href=\"#e{}\">{at}</a> ", finding.severity.name(), finding.entry)?;
        write_finding(page, finding)?;
        page.push_str("</li>\n");
    }
    page.push_str("</ol>\n</section>\n");
    Ok(())
}

fn write_finding(page: &mut String, finding: &Finding) -> std::fmt::Result {
    write!(page, "<b>{}</b> <span>{}</span>", finding.severity.name(), text(&finding.what))?;
    if let Some(remedy) = &finding.remedy {
        write!(page, " <i>{}</i>", text(remedy))?;
    }
    match finding.see {
        Some(see) => write!(page, " <cite>{}</cite>", text(see)),
        None => Ok(()),
    }
}

fn write_filters(page: &mut String, analysis: &Analysis) -> std::fmt::Result {
    page.push_str("<form class=\"filters\" role=\"search\" aria-label=\"Filters\">\n<fieldset><legend>client</legend>\n");
    let clients: BTreeSet<Option<u8>> = analysis.entries.iter().map(|entry| entry.client).collect();
    for client in &clients {
        let (value, label) =
            client.map_or(("none".to_owned(), "none".to_owned()), |it| (it.to_string(), it.to_string()));
        writeln!(
            page,
            "<label><input type=\"checkbox\" name=\"client\" value=\"{value}\" checked>{label}</label>"
        )?;
    }
    page.push_str("</fieldset>\n<fieldset><legend>kind</legend>\n");
    for (group, kinds) in GROUPS {
        let count = analysis.entries.iter().filter(|entry| kinds.contains(&entry.kind.name())).count();
        if count > 0 {
            writeln!(
                page,
                "<label><input type=\"checkbox\" name=\"kind\" value=\"{group}\" checked>{group} <small>{count}</small></label>"
            )?;
        }
    }
    page.push_str(
        "</fieldset>\n<label><input type=\"checkbox\" name=\"wrong\">only what looks wrong</label>\n\
         <input type=\"search\" name=\"text\" placeholder=\"search\" aria-label=\"Search\">\n\
         <output aria-live=\"polite\"></output>\n</form>\n",
    );
    Ok(())
}

fn write_chart(page: &mut String, analysis: &Analysis) -> std::fmt::Result {
    page.push_str(
        "<section class=\"chart\" aria-label=\"Conversation\">\n<div class=\"ends\" aria-hidden=\"true\"><span>time</span>\
         <span>host</span><span>module</span><span>meaning</span></div>\n<ol>\n",
    );
    let mut last = None;
    let mut open_until = None;
    for entry in &analysis.entries {
        let pause = entry.at.zip(last).and_then(|(at, last): (Duration, Duration)| at.checked_sub(last));
        last = entry.at.or(last);
        if let Some(pause) = pause.filter(|pause| *pause >= PAUSE) {
            writeln!(
                page,
                "<li class=\"pause\" style=\"--gap:{}px\">{} s of silence</li>",
                gap(pause),
                seconds(pause)
            )?;
        }
        if entry.kind == Kind::Command {
            open_until = last_of(analysis, entry.number);
        }
        let is_busy = open_until.is_some_and(|until| entry.number <= until);
        write_entry(page, analysis, entry, pause, is_busy)?;
    }
    page.push_str("</ol>\n</section>\n</main>\n");
    Ok(())
}

/// The final result of a command.
fn last_of(analysis: &Analysis, command: usize) -> Option<usize> {
    let behind = analysis.entries.get(command..).unwrap_or_default();
    let is_end = |entry: &&Entry| entry.answers == Some(command) && matches!(entry.kind, Kind::Final { .. });
    behind.iter().find(is_end).map(|entry| entry.number)
}

fn write_entry(
    page: &mut String,
    analysis: &Analysis,
    entry: &Entry,
    pause: Option<Duration>,
    is_busy: bool,
) -> std::fmt::Result {
    let kind = entry.kind.name();
    let group = GROUPS.iter().find(|(_, kinds)| kinds.contains(&kind)).map_or("remarks", |(group, _)| group);
    let client = entry.client.map_or("none".to_owned(), |client| client.to_string());
    let findings: Vec<_> = analysis.findings.iter().filter(|finding| finding.entry == entry.number).collect();
    let worst = findings.iter().map(|finding| finding.severity).max();
    let mut classes = format!("{} {kind}", name_of(entry.speaker));
    if entry.kind.success() == Some(false) {
        classes.push_str(" refused");
    }
    if is_busy {
        classes.push_str(" busy");
    }
    if let Some(worst) = worst {
        let _ = write!(classes, " found {}", worst.name());
    }
    let number = entry.number;
    write!(page, "<li id=\"e{number}\" class=\"{classes}\" data-client=\"{client}\" data-group=\"{group}\"")?;
    if let Some(pause) = pause.filter(|pause| *pause < PAUSE) {
        write!(page, " style=\"--gap:{}px\"", gap(pause))?;
    }
    page.push_str("><details><summary>");
    let since = entry.at.map_or_else(String::new, seconds);
    let delta =
        pause.filter(|pause| !pause.is_zero()).map_or_else(String::new, |it| format!("+{}", millis(it)));
    write!(page, "<time>{since}<small>{delta}</small></time>")?;
    write!(page, "<span class=\"lane\"><code>{}</code></span>", text(&shown(entry)))?;
    page.push_str("<span class=\"meaning\">");
    if let Some(client) = entry.client {
        write!(page, "<span class=\"client c{}\">client {client}</span> ", client % 6)?;
    }
    page.push_str(&text(&entry.meaning));
    if let (Some(after), Kind::Final { .. } | Kind::Result { .. } | Kind::Prompt) = (entry.after, &entry.kind)
    {
        write!(page, " <small>after {}</small>", millis(after))?;
    }
    page.push_str("</span></summary>");
    write_more(page, entry)?;
    page.push_str("</details>");
    for finding in findings {
        write!(page, "<p class=\"{}\">", finding.severity.name())?;
        write_finding(page, finding)?;
        page.push_str("</p>");
    }
    page.push_str("</li>\n");
    Ok(())
}

/// What an arrow says: a message says less than what it was framed in.
fn shown(entry: &Entry) -> String {
    match (&entry.kind, entry.speaker) {
        (Kind::Note, _) | (_, Speaker::Recorder) => entry.meaning.clone(),
        _ => escaped(&entry.bytes),
    }
}

/// All of an entry: number, kind, the command it belongs to, and its bytes.
fn write_more(page: &mut String, entry: &Entry) -> std::fmt::Result {
    write!(
        page,
        "<div class=\"more\"><p>#{} {}, {} bytes",
        entry.number,
        entry.kind.name(),
        entry.bytes.len()
    )?;
    if let Some(command) = entry.answers {
        write!(page, ", belongs to <a href=\"#e{command}\">#{command}</a>")?;
    }
    if let Some(after) = entry.after {
        write!(page, ", {} after it", millis(after))?;
    }
    page.push_str("</p>");
    if let Kind::Message { topic, payload } = &entry.kind {
        write!(page, "<p>topic <code>{}</code>, payload of {} bytes</p>", text(topic), payload.len())?;
        write!(page, "<pre>{}</pre>", text(&String::from_utf8_lossy(payload)))?;
    }
    page.push_str("<pre class=\"hex\">");
    for (row, bytes) in entry.bytes.chunks(16).take(HEX / 16).enumerate() {
        let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let plain: String = bytes
            .iter()
            .map(|byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' })
            .collect();
        writeln!(page, "{:04x}  {:<47}  {}", row * 16, hex.join(" "), text(&plain))?;
    }
    if entry.bytes.len() > HEX {
        writeln!(page, "…")?;
    }
    page.push_str("</pre></div>");
    Ok(())
}

/// The room for a pause, in pixels: long ones must not push the rest off the page.
fn gap(pause: Duration) -> u32 {
    let millis = u32::try_from(pause.as_millis()).unwrap_or(u32::MAX);
    // Two pixels for each doubling: 1 ms is 2, a second 20, an hour 44.
    2 * (u32::BITS - millis.leading_zeros())
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

fn millis(time: Duration) -> String {
    if time < PAUSE { format!("{} ms", time.as_millis()) } else { format!("{} s", seconds(time)) }
}

/// Text that can stand in an element or in an attribute between quotes.
fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(character),
            control if control.is_control() => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests;
