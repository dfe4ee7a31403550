//! A rule with counted bytes behind a quoted topic of unknown length: `+X: 0,"topic",<len>,"<payload>"`.

use at_codec::{DamageKind, Extent, Framing};

pub(crate) const HEADER: &[u8] = b"+X: 0,\"";
pub(crate) const TRAILER: &[u8] = b"\"\r\n";

/// Tries the places where a count may stand from left to right, until one is proven by its trailer.
///
/// A topic has no control character, so the search ends at the first one that no counted region holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Toy {
    pub(crate) max_count: usize,
    /// Where the counted region of the first refuted candidate ends.
    refuted: Option<usize>,
    /// Where the payload of the first candidate with an impossible count starts.
    excessive: Option<usize>,
    pub(crate) calls: usize,
    /// Bytes looked at in all calls.
    pub(crate) examined: usize,
}

pub(crate) fn toy(max_count: usize) -> Toy {
    Toy { max_count, ..Toy::default() }
}

pub(crate) fn message(topic: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = counted(topic, payload.len(), payload);
    bytes.extend(TRAILER);
    bytes
}

/// A message whose count need not be that of its payload, up to the payload.
pub(crate) fn counted(topic: &[u8], count: usize, payload: &[u8]) -> Vec<u8> {
    [HEADER, topic, b"\",", count.to_string().as_bytes(), b",\"", payload].concat()
}

impl Framing for Toy {
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        self.calls += 1;
        if *resume == 0 {
            (self.refuted, self.excessive) = (None, None);
            self.examined += head.len().min(HEADER.len());
            if head.len() < HEADER.len() && HEADER.starts_with(head) {
                return Extent::NeedMore(head.len() + 1);
            }
            if !head.starts_with(HEADER) {
                return Extent::Line;
            }
            *resume = HEADER.len();
        }
        while let Some(&byte) = head.get(*resume) {
            self.examined += 1;
            if byte < 0x20 {
                return self.give_in();
            }
            if byte == b'"' {
                match self.candidate(head, *resume) {
                    Candidate::Partial(more) => return Extent::NeedMore(more),
                    Candidate::Proven(end) => return Extent::Exactly(end),
                    Candidate::Refuted => {}
                }
            }
            *resume += 1;
        }
        Extent::NeedMore(head.len() + 1)
    }
}

enum Candidate {
    Partial(usize),
    Proven(usize),
    Refuted,
}

impl Toy {
    fn candidate(&mut self, head: &[u8], quote: usize) -> Candidate {
        let mut count = 0;
        for at in quote + 1.. {
            let Some(&byte) = head.get(at) else { return Candidate::Partial(head.len() + 1) };
            self.examined += 1;
            match (at - quote, byte) {
                (1, b',') => {}
                (2..=7, b'0'..=b'9') => count = count * 10 + usize::from(byte - b'0'),
                (3..=8, b',') => {
                    let Some(&open) = head.get(at + 1) else { return Candidate::Partial(head.len() + 1) };
                    let payload = at + 2;
                    if open != b'"' {
                        return Candidate::Refuted;
                    }
                    if count > self.max_count {
                        self.excessive.get_or_insert(payload);
                        return Candidate::Refuted;
                    }
                    let end = payload + count;
                    let Some(trailer) = head.get(end..end + TRAILER.len()) else {
                        return Candidate::Partial(end + TRAILER.len());
                    };
                    self.examined += TRAILER.len();
                    if trailer == TRAILER {
                        return Candidate::Proven(end + 1);
                    }
                    self.refuted.get_or_insert(end);
                    return Candidate::Refuted;
                }
                _ => return Candidate::Refuted,
            }
        }
        Candidate::Refuted
    }

    /// No candidate is proven, and the topic cannot go on.
    fn give_in(&self) -> Extent {
        match (self.refuted, self.excessive) {
            (Some(skip), _) => {
                Extent::Damaged { skip, need: skip + TRAILER.len(), kind: DamageKind::Trailer }
            }
            (None, Some(skip)) => Extent::Damaged { skip, need: 0, kind: DamageKind::Count },
            (None, None) => Extent::Line,
        }
    }
}

/// A rule that five bytes can exercise: `+3` and three bytes and CRLF; `+x` is broken; the rest are lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Short;

impl Framing for Short {
    fn measure(&mut self, head: &[u8], _resume: &mut usize) -> Extent {
        match head {
            [b'+'] => Extent::NeedMore(2),
            [b'+', b'3', ..] if head.len() < 7 => Extent::NeedMore(7),
            [b'+', b'3', _, _, _, b'\r', b'\n', ..] => Extent::Exactly(5),
            [b'+', b'3', ..] => Extent::Damaged { skip: 5, need: 7, kind: DamageKind::Trailer },
            [b'+', b'x', ..] => Extent::Damaged { skip: 4, need: 0, kind: DamageKind::Count },
            _ => Extent::Line,
        }
    }
}
