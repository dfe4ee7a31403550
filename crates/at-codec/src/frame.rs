//! What the codec hands upwards.

use bytes::Bytes;

/// One element of the incoming stream.
///
/// The set is complete: a stream holds lines, prompts, and what could not be read as either.
///
/// The [crate's page](crate) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A logical line without its line ending. It is never empty, and holds counted bytes as they came where
    /// the [`Framing`](crate::Framing) rule said so.
    Line(Bytes),
    /// The module asks for data. Only an armed prompt is one, see
    /// [`AtCodec::arm_prompt`](crate::AtCodec::arm_prompt).
    Prompt,
    /// An element that broke off or contradicts itself; its bytes are gone.
    Damaged(Damage),
    /// A line longer than [`Limits::max_line`](crate::Limits::max_line), or a long stretch without a line end.
    Overrun(Overrun),
}

/// Why an element was dropped, and how much of it there was.
///
/// [`Frame`] has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// What was wrong.
    pub kind: DamageKind,
    /// The start of the element, at most [`Damage::HEAD`] bytes, copied so that it pins no read buffer.
    pub head: Bytes,
    /// How many bytes of the element are dropped without a look; after [`DamageKind::Silence`], how many had
    /// arrived.
    pub got: usize,
    /// How many bytes the rule had asked for or stated; 0 when an ordinary line fell silent.
    pub need: usize,
}

impl Damage {
    /// The most bytes of an element that [`Damage::head`] keeps.
    pub const HEAD: usize = 64;
}

/// What was wrong with an element.
///
/// [`Frame`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DamageKind {
    /// What follows the counted bytes is not what has to follow them: bytes were lost or added.
    Trailer,
    /// The stated count is out of range or no number.
    Count,
    /// The port fell silent inside the element.
    Silence,
    /// The element would be longer than [`Limits::max_element`](crate::Limits::max_element).
    TooLong,
    /// The start of the element can be read in more than one way.
    Ambiguous,
}

/// A stretch of bytes that is being skipped up to the next line end.
///
/// Reported when an over-long line starts to be skipped, and again for each further 64 KiB without a line end,
/// also when the skipping began with a [`Damage`].
///
/// [`Frame`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overrun {
    /// Bytes skipped so far in this stretch, those of earlier reports included.
    pub skipped: usize,
}
