//! How the layer above tells the codec which lines carry counted bytes.

use crate::DamageKind;

/// Says how long the elements of a stream are.
///
/// A rule may keep state between elements (a header that announces the next element), but for one element its
/// answer has to follow from the bytes alone: whatever it answers about some bytes other than
/// [`Extent::NeedMore`] it has to answer about the same bytes with more behind them. The codec turns that into
/// its promise that the cutting into reads changes nothing.
///
/// # Examples
///
/// ```
/// use at_codec::{AtCodec, Extent, Frame, Framing, Limits};
/// use bytes::BytesMut;
/// use tokio_util::codec::Decoder;
///
/// /// `+DATA: n,` and then n bytes, which may be anything.
/// struct Counted;
///
/// impl Framing for Counted {
///     fn measure(&mut self, head: &[u8], _resume: &mut usize) -> Extent {
///         let Some(rest) = head.strip_prefix(b"+DATA: ") else {
///             // What may still become the header has to be waited for.
///             return if b"+DATA: ".starts_with(head) { Extent::NeedMore(head.len() + 1) } else { Extent::Line };
///         };
///         let Some(comma) = rest.iter().position(|byte| *byte == b',') else {
///             return Extent::NeedMore(head.len() + 1);
///         };
///         let count = std::str::from_utf8(&rest[..comma]).ok().and_then(|digits| digits.parse::<usize>().ok());
///         let Some(count) = count.filter(|count| *count <= 1024) else { return Extent::Line };
///         let whole = head.len() - rest.len() + comma + 1 + count;
///         if head.len() < whole { Extent::NeedMore(whole) } else { Extent::Exactly(whole) }
///     }
/// }
///
/// let mut codec = AtCodec::new(Counted, Limits::default());
/// let mut buffer = BytesMut::from(&b"\r\n+DATA: 6,\r\nOK\r\n\r\n"[..]);
/// assert_eq!(codec.decode(&mut buffer)?, Some(Frame::Line("+DATA: 6,\r\nOK\r\n".into())));
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Framing: Send {
    /// How long is the element that starts with `head`?
    ///
    /// `head` starts at the first byte of a line, is never empty, never starts with CR or LF, and holds at most
    /// [`Limits::max_element`](crate::Limits::max_element) bytes. `resume` is 0 at the first call for an
    /// element; between the calls for one element it keeps whatever the rule stored there, usually the offset
    /// up to which it has looked, so that one-byte reads stay linear.
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent;
}

/// The answer of a [`Framing`] rule. The set is complete.
///
/// [`Framing`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// An ordinary line, up to its line end. The rule is not asked again about this element.
    Line,
    /// The first `n` bytes are the logical line, whatever they are; behind them a line starts again, so that a
    /// line end there counts as a blank line. The rule has checked what follows the counted bytes (it asks for
    /// [`Extent::NeedMore`] to see it). 0 is taken as [`Extent::Line`].
    Exactly(usize),
    /// Ask again when `head` has at least this many bytes. The number has to follow from the bytes (a stated
    /// count, say), or be one more than there are. It must not reach beyond the shortest way the element can go
    /// on: a rule that asks for eight bytes where a line of four could end keeps that line waiting.
    NeedMore(usize),
    /// The element is broken. `skip` bytes from its start are dropped without a look, then the rest up to the
    /// line end.
    Damaged {
        /// How many bytes cannot be trusted to be text: the header and its counted bytes, but not the line end
        /// behind them. The event shows as much of them as [`Damage::head`](crate::Damage::head) holds.
        skip: usize,
        /// How many bytes the element should have had, for the event.
        need: usize,
        /// What was wrong.
        kind: DamageKind,
    },
}

/// The rule of a port without counted bytes: everything is a line.
///
/// The [crate's page](crate) has an example.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinesOnly;

impl Framing for LinesOnly {
    fn measure(&mut self, _head: &[u8], _resume: &mut usize) -> Extent {
        Extent::Line
    }
}

impl<F: Framing + ?Sized> Framing for Box<F> {
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        (**self).measure(head, resume)
    }
}
