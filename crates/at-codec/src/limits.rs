//! The bounds of the codec.

/// How long elements may be, and how lines end.
///
/// No more of an element waits in the buffer than the larger bound allows (and the line end, and the 64 bytes that
/// the event of a broken element shows).
///
/// ```
/// use at_codec::Limits;
///
/// let limits = Limits::default().max_line(512).lone_line_feed(true);
/// assert_eq!(limits.max_line, 512);
/// assert_eq!(limits.max_element, 16 * 1024);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest ordinary line in bytes, without its CRLF; 4096 by default. A longer one is skipped.
    pub max_line: usize,
    /// The longest element with counted bytes, in bytes, with what its rule has to see behind it; 16 KiB by
    /// default. It bounds [`Extent::Exactly`](crate::Extent::Exactly) and
    /// [`Extent::NeedMore`](crate::Extent::NeedMore).
    pub max_element: usize,
    /// Whether LF alone ends a line too, as on some boards; `false` by default, where it is a byte of the line.
    pub lone_line_feed: bool,
}

impl Limits {
    /// Sets [`Limits::max_line`].
    #[must_use]
    pub const fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Sets [`Limits::max_element`].
    #[must_use]
    pub const fn max_element(mut self, bytes: usize) -> Self {
        self.max_element = bytes;
        self
    }

    /// Sets [`Limits::lone_line_feed`].
    #[must_use]
    pub const fn lone_line_feed(mut self, ends_a_line: bool) -> Self {
        self.lone_line_feed = ends_a_line;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_line: 4096, max_element: 16 * 1024, lone_line_feed: false }
    }
}
