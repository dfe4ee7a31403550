//! Times in front of lines.

use std::time::Duration;

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `14:13:00.296`, with a date or without.
    Clock,
    /// `[  12.345]`
    Seconds,
}

/// The form in which the lines of a log tell the time, if at least half of them do: one that begins like a time alone
/// is a payload.
pub(super) fn form_of<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Form> {
    let forms: Vec<_> =
        lines.filter(|line| !line.trim().is_empty()).map(|line| parse(line).map(|it| it.0)).collect();
    let counted = |form| (forms.iter().filter(|it| **it == Some(form)).count(), form);
    let (count, form) =
        [counted(Form::Clock), counted(Form::Seconds)].into_iter().max_by_key(|(count, _)| *count)?;
    (count > 0 && count * 2 >= forms.len()).then_some(form)
}

/// Takes a time of this form from the beginning of a line.
pub(super) fn split_as(line: &str, wanted: Form) -> (Option<Duration>, &str) {
    match parse(line) {
        Some((form, stamp, text)) if form == wanted => (Some(stamp), text),
        _ => (None, line),
    }
}

/// Takes a time from the beginning of a line, if one is there, with a date in front of it and brackets around it. It
/// counts from midnight, or from wherever the log's clock began.
pub(super) fn split(line: &str) -> (Option<Duration>, &str) {
    parse(line).map_or((None, line), |(_, stamp, text)| (Some(stamp), text))
}

fn parse(line: &str) -> Option<(Form, Duration, &str)> {
    let trimmed = line.trim_start();
    let (inner, opened) = match trimmed.strip_prefix('[') {
        Some(inner) => (inner.trim_start(), true),
        None => (trimmed, false),
    };
    let inner = without_date(inner);
    let end = inner.find(|it: char| !(it.is_ascii_digit() || ":.,".contains(it))).unwrap_or(inner.len());
    let (number, behind) = inner.split_at(end);
    let by_clock = clock(number).map(|stamp| (Form::Clock, stamp));
    let (form, stamp) = by_clock.or_else(|| Some((Form::Seconds, seconds(number).filter(|_| opened)?)))?;
    let behind = without_zone(behind);
    let behind = match opened {
        true => behind.trim_start().strip_prefix(']').unwrap_or(behind),
        false => behind,
    };
    let is_apart = opened || behind.is_empty() || behind.starts_with([' ', '\t', '>', '<', '-']);
    let text = behind.strip_prefix([' ', '\t']).unwrap_or(behind);
    is_apart.then_some((form, stamp, text))
}

/// `2026-08-06`, `2026/08/06` and what joins it to the time.
fn without_date(text: &str) -> &str {
    let end = text.find(|it: char| !(it.is_ascii_digit() || "-/.".contains(it))).unwrap_or(text.len());
    let (date, behind) = text.split_at(end);
    let parts: Vec<_> = date.split(['-', '/', '.']).collect();
    let is_date = parts.len() == 3 && parts.iter().all(|part| matches!(part.len(), 2 | 4));
    if is_date { behind.trim_start_matches(['T', ' ', '_', '-']) } else { text }
}

/// `Z`, `+02:00`
fn without_zone(text: &str) -> &str {
    let zone = text.strip_prefix('Z');
    zone.or_else(|| {
        let (zone, behind) = text.strip_prefix(['+', '-'])?.split_at_checked(5)?;
        (zone.as_bytes().get(2) == Some(&b':')).then_some(behind)
    })
    .unwrap_or(text)
}

/// `14:13:00.296`, `14:13:00,296`, `14:13:00`
fn clock(text: &str) -> Option<Duration> {
    let mut parts = text.splitn(3, ':');
    let (hours, minutes, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = |text: &str, most: u64| text.parse::<u64>().ok().filter(|it| text.len() <= 2 && *it <= most);
    let seconds =
        seconds(rest).filter(|it| it.as_secs() < 61 && rest.find(['.', ',']).unwrap_or(rest.len()) <= 2)?;
    Some(Duration::from_secs(whole(hours, 24)? * 3600 + whole(minutes, 59)? * 60) + seconds)
}

/// `12.345678`, `00,296`
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let nanos = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, nanos))
}
