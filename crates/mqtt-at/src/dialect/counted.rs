//! Where a received message ends when its payload has a length, but the topic in front of it has none.
//!
//! The topic may itself hold quotes, commas and digits, so the place of the length has to be found: every place that
//! has its shape is a candidate. A candidate is proven when what closes an element follows the stated number of
//! bytes. Candidates are tried from left to right, and the leftmost that is proven wins: a payload may well hold what
//! looks like a length, and everybody who can publish can write one; a topic hardly ever does. Only candidates whose
//! topic is expected are trusted in this way. If there is none of those, the others still say how many bytes are not
//! to be looked at as lines: a message for a client of a former host, or for a subscription that has just ended, is
//! passed over whole. So is one whose topic holds a control character, which MQTT advises against, or more of what
//! looks like a length than any topic needs.

use at_codec::{DamageKind, Extent};

/// A payload of stated length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Where it starts, in bytes from the start of the element.
    pub(crate) payload: usize,
    /// Its length in bytes.
    pub(crate) count: usize,
    /// What stands between the payload and the line end.
    pub(crate) closing: &'static [u8],
    /// Whether one space that is not counted may stand in front of the payload.
    pub(crate) spaced: bool,
}

/// What the bytes at one place of an element are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// The length of a payload, behind the topic.
    Counted(Counted),
    /// A length, but something else stands where the payload should begin.
    Interrupted(Counted),
    /// Nothing of the kind.
    None,
    /// More bytes are needed to tell.
    Partial,
}

/// Says what stands at a place of an element. For the same bytes the answer has to be the same.
pub(crate) type Layout = fn(&[u8], usize) -> Candidate;

/// An element, read as the search has proven it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) topic: &'a [u8],
    pub(crate) payload: &'a [u8],
    /// Whether the topic was expected.
    pub(crate) expected: bool,
}

/// The search for the end of one element. What it has looked at it does not look at again.
#[derive(Debug)]
pub(crate) struct Search {
    /// Where the topic starts.
    topic: usize,
    /// The longest payload that is believed.
    max: usize,
    layout: Layout,
    /// The first trusted candidate that turned out to be none.
    refuted: Option<Counted>,
    /// Candidates whose topic is not expected.
    others: Vec<Counted>,
    /// How many of those turned out to be none.
    refuted_others: usize,
    /// The first candidate with a count that no message has.
    excessive: Option<Counted>,
    /// Whether what was looked at holds a control character, so that it cannot be an expected topic.
    control: bool,
    /// For how many candidates it was asked whether their topic is expected.
    asked: usize,
}

/// So many candidates are asked whether their topic is expected. Each question looks at the whole topic, and a
/// hostile topic may consist of nothing but candidates.
const MAX_ASKED: usize = 32;

impl Search {
    /// A search in an element whose topic starts at `topic`, for payloads of at most `max` bytes.
    pub(crate) fn new(topic: usize, max: usize, layout: Layout) -> Self {
        Self {
            topic,
            max,
            layout,
            refuted: None,
            others: Vec::new(),
            refuted_others: 0,
            excessive: None,
            control: false,
            asked: 0,
        }
    }

    /// Goes on with the search at `resume`; the first time, that is where the topic starts.
    pub(crate) fn run(
        &mut self,
        head: &[u8],
        resume: &mut usize,
        is_expected: impl Fn(&[u8]) -> bool,
    ) -> Extent {
        while let Some(&byte) = head.get(*resume) {
            if matches!(byte, b'\r' | b'\n') {
                return self.conclude(head);
            }
            self.control |= byte.is_ascii_control();
            match (self.layout)(head, *resume) {
                Candidate::Partial => return Extent::NeedMore(head.len() + 1),
                Candidate::None => {}
                Candidate::Interrupted(counted) if counted.count <= self.max => {
                    self.refuted.get_or_insert(counted);
                }
                Candidate::Interrupted(counted) => _ = self.excessive.get_or_insert(counted),
                Candidate::Counted(counted) if counted.count > self.max => {
                    self.excessive.get_or_insert(counted);
                }
                Candidate::Counted(counted) => {
                    let may_be_expected = !self.control && self.asked < MAX_ASKED;
                    self.asked += usize::from(may_be_expected);
                    let topic = head.get(self.topic..*resume).filter(|_| may_be_expected);
                    if !topic.is_some_and(&is_expected) {
                        self.others.push(counted);
                    } else {
                        match counted.proof(head) {
                            Proof::End(end) => return Extent::Exactly(end),
                            Proof::Refuted => _ = self.refuted.get_or_insert(counted),
                            Proof::Needs(bytes) => return Extent::NeedMore(bytes),
                        }
                    }
                }
            }
            *resume += 1;
        }
        Extent::NeedMore(head.len() + 1)
    }

    /// A line end: no topic goes on here, so all candidates are known.
    ///
    /// A trusted candidate that is refuted means that bytes were lost, or that a hostile topic holds a length and
    /// something that keeps it from being trusted. Neither may show what the payload holds, so all is skipped that
    /// any of the candidates says is payload.
    fn conclude(&mut self, head: &[u8]) -> Extent {
        while let Some(other) = self.others.get(self.refuted_others) {
            match (other.proof(head), self.refuted) {
                (Proof::End(end), None) => return Extent::Exactly(end),
                (Proof::End(_), Some(refuted)) => {
                    let furthest = if other.skip() > refuted.skip() { *other } else { refuted };
                    return furthest.damaged(DamageKind::Trailer);
                }
                (Proof::Refuted, _) => self.refuted_others += 1,
                (Proof::Needs(bytes), _) => return Extent::NeedMore(bytes),
            }
        }
        match (self.refuted.or_else(|| self.others.first().copied()), self.excessive) {
            (Some(refuted), _) => refuted.damaged(DamageKind::Trailer),
            (None, Some(excessive)) => excessive.damaged(DamageKind::Count),
            (None, None) => Extent::Line,
        }
    }
}

/// What the bytes behind a payload say of a candidate.
enum Proof {
    /// It is one, and the element ends here, its line end not included.
    End(usize),
    Refuted,
    /// It can be said when there are this many bytes.
    Needs(usize),
}

impl Counted {
    fn proof(self, head: &[u8]) -> Proof {
        for end in self.ends(head) {
            match head.get(end - self.closing.len()..end + 2) {
                None => return Proof::Needs(end + 2),
                Some(trailer) if trailer.strip_prefix(self.closing) == Some(b"\r\n") => {
                    return Proof::End(end);
                }
                Some(_) => {}
            }
        }
        Proof::Refuted
    }

    /// Where the element may end, the likelier place first.
    fn ends(self, head: &[u8]) -> impl Iterator<Item = usize> {
        let end = self.payload + self.count + self.closing.len();
        let is_spaced = self.spaced && head.get(self.payload) == Some(&b' ');
        [Some(end), is_spaced.then_some(end + 1)].into_iter().flatten()
    }

    /// The payload, if the element ends where this candidate says.
    fn payload_of(self, line: &[u8]) -> Option<&[u8]> {
        let end = self.ends(line).find(|end| *end == line.len())?;
        let end = end - self.closing.len();
        let is_closed = line.get(end..) == Some(self.closing);
        line.get(end - self.count..end).filter(|_| is_closed)
    }

    /// Where the payload ends.
    const fn skip(self) -> usize {
        self.payload.saturating_add(self.count)
    }

    fn damaged(self, kind: DamageKind) -> Extent {
        let skip = self.skip();
        Extent::Damaged { skip, need: skip + self.closing.len() + 2, kind }
    }
}

/// Reads an element, without its line end, whose topic starts at `topic`.
pub(crate) fn read<'a>(
    line: &'a [u8],
    topic: usize,
    layout: Layout,
    is_expected: impl Fn(&[u8]) -> bool,
) -> Option<Message<'a>> {
    let mut first = None;
    let mut control = false;
    for (at, byte) in line.iter().enumerate().skip(topic) {
        if matches!(byte, b'\r' | b'\n') {
            break;
        }
        control |= byte.is_ascii_control();
        let Candidate::Counted(counted) = layout(line, at) else { continue };
        let Some(payload) = counted.payload_of(line) else { continue };
        let topic = line.get(topic..at)?;
        let expected = !control && is_expected(topic);
        let message = Message { topic, payload, expected };
        if expected {
            return Some(message);
        }
        first.get_or_insert(message);
    }
    first
}

/// More digits than any length has.
const MAX_DIGITS: usize = 7;

/// A decimal number in an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// The number, and where the comma behind it stands.
    Before { number: usize, comma: usize },
    /// No number that ends in a comma.
    None,
    /// More bytes are needed to tell.
    Partial,
}

/// Reads a number at a place of an element, with at most one space before it and a comma behind it.
pub(crate) fn number(head: &[u8], at: usize) -> Number {
    let start = at + usize::from(head.get(at) == Some(&b' '));
    let mut number = 0;
    for comma in start..=start + MAX_DIGITS {
        match head.get(comma) {
            None => return Number::Partial,
            Some(digit @ b'0'..=b'9') => number = number * 10 + usize::from(digit - b'0'),
            Some(b',') if comma > start => return Number::Before { number, comma },
            Some(_) => return Number::None,
        }
    }
    Number::None
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// `,1,` with one byte of payload and `;` behind it.
    fn layout(head: &[u8], at: usize) -> Candidate {
        match head.get(at..at + 3) {
            Some(b",1,") => {
                Candidate::Counted(Counted { payload: at + 3, count: 1, closing: b";", spaced: false })
            }
            Some(_) => Candidate::None,
            None => Candidate::Partial,
        }
    }

    #[test]
    fn a_hostile_topic_asks_only_so_many_questions() {
        let mut bytes = b",1,".repeat(1000);
        bytes.extend_from_slice(b"x;\r\n");
        let asked = Cell::new(0);
        let mut search = Search::new(0, 9, layout);
        let extent = search.run(&bytes, &mut 0, |_| {
            asked.set(asked.get() + 1);
            true
        });
        let skip = bytes.len() - 3;
        assert_eq!(extent, Extent::Damaged { skip, need: skip + 3, kind: DamageKind::Trailer });
        assert_eq!(asked.get(), MAX_ASKED);
    }
}
