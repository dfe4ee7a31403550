//! Reading the values of a line in place.

use memchr::{memchr, memchr_iter};

/// A cursor over the comma separated fields of a line.
///
/// Spaces around a field do not belong to it. A method that cannot read the next field as what it was asked for
/// returns `None` and stays where it is, so that another can be tried.
///
/// ```
/// use at_codec::Fields;
///
/// let mut fields = Fields::of(br#"+QMTRECV: 0,7,"site/up",5,"hello""#, "+QMTRECV").ok_or("another line")?;
/// assert_eq!(fields.integer(), Some(0));
/// assert_eq!(fields.integer(), Some(7));
/// assert_eq!(fields.integer(), None, "a quoted field is no number");
/// assert_eq!(fields.quoted(), Some(&b"site/up"[..]));
/// assert!(fields.skip());
/// assert_eq!(fields.text(), Some(&b"hello"[..]));
/// assert!(fields.is_empty());
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    line: &'a [u8],
    /// Where the next field starts, or the length of the line when there is none.
    next: usize,
    /// Whether a field is left: an empty one may follow a comma at the end of the line.
    left: bool,
}

impl<'a> Fields<'a> {
    /// The fields behind `name`, a colon and any number of spaces, or `None` if the line does not start so.
    pub fn of(line: &'a [u8], name: &str) -> Option<Self> {
        let list = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
        let list = list.trim_start_matches_space();
        let next = line.len() - list.len();
        Some(Self { line, next, left: !list.is_empty() })
    }

    /// The fields of a bare list. Nothing at all is no field; a comma has a field on either side.
    pub const fn after(bytes: &'a [u8]) -> Self {
        Self { line: bytes, next: 0, left: !bytes.is_empty() }
    }

    /// The next field as a decimal integer with an optional sign.
    ///
    /// The end of a text line inside a logical line ends the number too: in `+X: 0,5⏎hello` the second integer is
    /// 5, and [`Fields::rest`] then starts at the line end.
    pub fn integer(&mut self) -> Option<i64> {
        let rest = self.left.then(|| self.rest())?;
        let end = rest.iter().position(|byte| matches!(byte, b',' | b'\r' | b'\n')).unwrap_or(rest.len());
        let digits = std::str::from_utf8(rest.get(..end)?.trim_spaces()).ok()?;
        let value = digits.parse().ok()?;
        self.advance_to(self.next + end);
        Some(value)
    }

    /// The next field without its quotation marks, or `None` if it has none.
    ///
    /// There are no escapes: the field ends at the first `"` that a comma or the end of the line follows.
    pub fn quoted(&mut self) -> Option<&'a [u8]> {
        let rest = self.left.then(|| self.rest())?;
        let inner = rest.trim_start_matches_space().strip_prefix(b"\"")?;
        let close = memchr_iter(b'"', inner).find(|at| matches!(inner.get(at + 1), None | Some(b',')))?;
        self.advance_to(self.line.len() - inner.len() + close + 1);
        inner.get(..close)
    }

    /// The next field as it is, without quotation marks if it has them; `None` if there is no field left.
    pub fn text(&mut self) -> Option<&'a [u8]> {
        if let Some(inner) = self.quoted() {
            return Some(inner);
        }
        let rest = self.left.then(|| self.rest())?;
        let end = memchr(b',', rest).unwrap_or(rest.len());
        self.advance_to(self.next + end);
        rest.get(..end).map(<[u8]>::trim_spaces)
    }

    /// Passes over the next field; `false` if there is none.
    pub fn skip(&mut self) -> bool {
        self.text().is_some()
    }

    /// All that is not read yet, from the start of the next field on.
    pub fn rest(&self) -> &'a [u8] {
        self.line.get(self.next..).unwrap_or_default()
    }

    /// Whether no field is left.
    pub const fn is_empty(&self) -> bool {
        !self.left
    }

    /// Where [`Fields::rest`] starts, in bytes from the start of the line.
    pub const fn offset(&self) -> usize {
        self.next
    }

    /// Moves behind a field that ends at `end`, and behind the comma there.
    fn advance_to(&mut self, end: usize) {
        let comma = self.line.get(end) == Some(&b',');
        self.next = end + usize::from(comma);
        self.left = comma || self.next < self.line.len();
    }
}

/// The name a line starts with: `+CSQ` of `+CSQ: 21,99`, `+PBREADY` of itself.
///
/// It reaches up to the colon or the end of the text line; `None` unless the line starts with one of the signs that
/// names of extended commands and reports start with: `+ * ^ % $ # & _`.
pub fn name_of(line: &[u8]) -> Option<&[u8]> {
    let sign = line.first()?;
    let end = line.iter().position(|byte| matches!(byte, b':' | b'\r' | b'\n')).unwrap_or(line.len());
    b"+*^%$#&_".contains(sign).then_some(line.get(..end)?)
}

/// Spaces only: the other kinds of ASCII white space are bytes of a field.
trait TrimSpaces {
    fn trim_start_matches_space(&self) -> &Self;
    fn trim_spaces(&self) -> &Self;
}

impl TrimSpaces for [u8] {
    fn trim_start_matches_space(&self) -> &Self {
        let mut bytes = self;
        while let Some(rest) = bytes.strip_prefix(b" ") {
            bytes = rest;
        }
        bytes
    }

    fn trim_spaces(&self) -> &Self {
        let mut bytes = self.trim_start_matches_space();
        while let Some(rest) = bytes.strip_suffix(b" ") {
            bytes = rest;
        }
        bytes
    }
}
