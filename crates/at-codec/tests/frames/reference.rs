//! A second parser that sees the whole input at once. It is slow, plain, and shares no code with the codec.

use at_codec::{Damage, DamageKind, Extent, Frame, Limits, Overrun, Pending};

use crate::toy::{HEADER, TRAILER};

/// What a rule says about the rest of the input, or `None` if it cannot say yet.
pub(crate) type Measure<'a> = &'a dyn Fn(&[u8]) -> Option<Extent>;

#[derive(Clone, Copy)]
pub(crate) struct Start {
    pub(crate) limits: Limits,
    pub(crate) armed: bool,
    pub(crate) noisy: bool,
}

pub(crate) fn parse(input: &[u8], start: Start, measure: Measure<'_>) -> (Vec<Frame>, Pending) {
    let Start { limits, mut armed, mut noisy } = start;
    let mut frames = Vec::new();
    let mut rest = input;
    loop {
        while let [byte, behind @ ..] = rest {
            let blank = *byte == b'\r' || *byte == b'\n';
            let noise = noisy && (*byte == 0 || *byte >= 0x80);
            if !blank && !noise {
                break;
            }
            noisy &= *byte != b'\n';
            rest = behind;
        }
        if rest.is_empty() {
            return (frames, Pending::None);
        }
        if armed && rest[0] == b'>' {
            armed = false;
            frames.push(Frame::Prompt);
            rest = rest[1..].strip_prefix(b" ").unwrap_or(&rest[1..]);
            continue;
        }
        let Some(extent) = measure(rest) else { return (frames, Pending::Counted) };
        let broken = match extent {
            Extent::Line => {
                match text_line(rest, &limits, &mut frames) {
                    Ok(length) => rest = &rest[length..],
                    Err(pending) => return (frames, pending),
                }
                noisy = false;
                continue;
            }
            Extent::Exactly(length) if length <= limits.max_element => {
                if rest.len() < length {
                    return (frames, Pending::Counted);
                }
                frames.push(Frame::Line(rest[..length].to_vec().into()));
                rest = &rest[length..];
                noisy = false;
                continue;
            }
            Extent::Exactly(need) | Extent::NeedMore(need) => (need, need, DamageKind::TooLong),
            Extent::Damaged { skip, need, kind } => (skip, need, kind),
        };
        let (skip, need, kind) = broken;
        if rest.len() < skip.min(64) {
            return (frames, Pending::Counted);
        }
        let head = rest[..skip.min(64)].to_vec().into();
        frames.push(Frame::Damaged(Damage { kind, head, got: skip, need }));
        let end = rest.get(skip..).and_then(|text| end_of(text, &limits)).map(|(_, end)| skip + end);
        report(&mut frames, 0, end.unwrap_or(rest.len()), end.is_some());
        let Some(end) = end else { return (frames, Pending::Skipping) };
        rest = &rest[end..];
        noisy = false;
    }
}

/// Where the text of a line ends, and where the next line starts.
fn end_of(text: &[u8], limits: &Limits) -> Option<(usize, usize)> {
    (0..text.len()).find_map(|at| {
        if text[at..].starts_with(b"\r\n") {
            Some((at, at + 2))
        } else if limits.lone_line_feed && text[at] == b'\n' {
            Some((at, at + 1))
        } else {
            None
        }
    })
}

fn text_line(rest: &[u8], limits: &Limits, frames: &mut Vec<Frame>) -> Result<usize, Pending> {
    let end = end_of(rest, limits);
    if let Some((length, behind)) = end.filter(|(length, _)| *length <= limits.max_line) {
        let mut text = &rest[..length];
        while let Some(shorter) = text.strip_suffix(b"\r") {
            text = shorter;
        }
        frames.push(Frame::Line(text.to_vec().into()));
        return Ok(behind);
    }
    let first = limits.max_line + 2;
    let total = end.map_or(rest.len(), |(_, behind)| behind);
    if total < first && end.is_none() {
        return Err(Pending::Line);
    }
    frames.push(Frame::Overrun(Overrun { skipped: first.min(total) }));
    report(frames, first, total, end.is_some());
    end.map(|(_, behind)| behind).ok_or(Pending::Skipping)
}

/// The reports while skipping from `from` to `to`; an end of the line at the place of a report comes first.
fn report(frames: &mut Vec<Frame>, from: usize, to: usize, ended: bool) {
    let places = (1..).map(|times| from + times * 65_536);
    for skipped in places.take_while(|&place| place < to || (place == to && !ended)) {
        frames.push(Frame::Overrun(Overrun { skipped }));
    }
}

/// The rule of [`Toy`](crate::toy::Toy) over the whole rest of the input.
pub(crate) fn toy(max_count: usize, rest: &[u8]) -> Option<Extent> {
    if !rest.starts_with(HEADER) {
        return if HEADER.starts_with(rest) { None } else { Some(Extent::Line) };
    }
    let topic_ends = rest.iter().position(|byte| *byte < 0x20).unwrap_or(rest.len());
    let (mut refuted, mut excessive) = (None, None);
    for quote in (HEADER.len()..topic_ends).filter(|at| rest[*at] == b'"') {
        let Some((count, payload)) = count_at(rest, quote)? else { continue };
        if count > max_count {
            excessive = excessive.or(Some(payload));
            continue;
        }
        let end = payload + count;
        match rest.get(end..end + 3)? {
            TRAILER => return Some(Extent::Exactly(end + 1)),
            _ => refuted = refuted.or(Some(end)),
        }
    }
    if topic_ends == rest.len() {
        return None;
    }
    Some(match (refuted, excessive) {
        (Some(skip), _) => Extent::Damaged { skip, need: skip + 3, kind: DamageKind::Trailer },
        (None, Some(skip)) => Extent::Damaged { skip, need: 0, kind: DamageKind::Count },
        (None, None) => Extent::Line,
    })
}

/// The count between `",` and `,"` behind a quotation mark and where its payload starts; `None` outside if the input
/// ends too early to say.
fn count_at(rest: &[u8], quote: usize) -> Option<Option<(usize, usize)>> {
    let behind = &rest[quote + 1..];
    if *behind.first()? != b',' {
        return Some(None);
    }
    let list = &behind[1..];
    let digits = list.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    if *list.get(digits)? != b',' || digits == 0 || *list.get(digits + 1)? != b'"' {
        return Some(None);
    }
    let count = std::str::from_utf8(&list[..digits]).unwrap().parse().unwrap();
    Some(Some((count, quote + 2 + digits + 2)))
}
