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
        let list = trim_start(list);
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
        let digits = std::str::from_utf8(trim(rest.get(..end)?)).ok()?;
        let value = digits.parse().ok()?;
        self.advance_to(self.next + end);
        Some(value)
    }

    /// The next field without its quotation marks, or `None` if it has none.
    ///
    /// There are no escapes: the field ends at the first `"` that a comma or the end of the line follows.
    pub fn quoted(&mut self) -> Option<&'a [u8]> {
        let rest = self.left.then(|| self.rest())?;
        let inner = trim_start(rest).strip_prefix(b"\"")?;
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
        rest.get(..end).map(trim)
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
/// names of extended commands and reports start with: `+ * ^ % $ # ! @ &`.
///
/// ```
/// assert_eq!(at_codec::name_of(b"+CSQ: 21,99"), Some(&b"+CSQ"[..]));
/// ```
pub fn name_of(line: &[u8]) -> Option<&[u8]> {
    let sign = line.first()?;
    let end = line.iter().position(|byte| matches!(byte, b':' | b'\r' | b'\n')).unwrap_or(line.len());
    b"+*^%$#!@&".contains(sign).then_some(line.get(..end)?)
}

/// `bytes` without the spaces at its start. Other white space is part of a field.
fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(b" ") {
        bytes = rest;
    }
    bytes
}

/// `bytes` without the spaces at both ends.
fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = trim_start(bytes);
    while let Some(rest) = bytes.strip_suffix(b" ") {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_matches_whole_or_not_at_all() {
        assert!(Fields::of(b"+QMTPUBEX: 0,1,0", "+QMTPUB").is_none());
        assert!(Fields::of(b"+QMTPUB: 0,1,0", "+QMTPUBEX").is_none());
        assert!(Fields::of(b" +QMTPUB: 0,1,0", "+QMTPUB").is_none());
        assert!(Fields::of(b"+QMTPUB", "+QMTPUB").is_none());
        assert_eq!(Fields::of(b"+QMTPUB: 0,1,0", "+QMTPUB").unwrap().rest(), b"0,1,0");
    }

    #[test]
    fn any_number_of_spaces_follows_the_colon() {
        for line in [&b"+XIIC:1,10.0.0.1"[..], b"+XIIC: 1,10.0.0.1", b"+XIIC:    1, 10.0.0.1 "] {
            let mut fields = Fields::of(line, "+XIIC").unwrap();
            assert_eq!(fields.integer(), Some(1));
            assert_eq!(fields.text(), Some(&b"10.0.0.1"[..]));
            assert!(fields.is_empty());
        }
    }

    #[test]
    fn integers_have_signs_and_limits() {
        let mut fields = Fields::after(b"-1,+7, 42 ,9223372036854775807");
        for expected in [-1, 7, 42, i64::MAX] {
            assert_eq!(fields.integer(), Some(expected));
        }
        for bad in
            [&b""[..], b",", b" ", b"1x", b"0x1F", b"1 2", b"--1", b"9223372036854775808", b"\"1\"", b"\xFF"]
        {
            let mut fields = Fields::after(bad);
            assert_eq!(fields.integer(), None, "{bad:?}");
            assert_eq!(fields.offset(), 0, "a failure does not advance: {bad:?}");
        }
    }

    #[test]
    fn a_line_end_inside_a_logical_line_ends_the_number() {
        let mut fields = Fields::of(b"+CMQTTRXPAYLOAD: 0,5\r\n1,2,3", "+CMQTTRXPAYLOAD").unwrap();
        assert_eq!(fields.integer(), Some(0));
        assert_eq!(fields.integer(), Some(5));
        assert_eq!(fields.rest(), b"\r\n1,2,3");
        assert_eq!(fields.integer(), None);
        assert!(!fields.is_empty());
    }

    #[test]
    fn a_quoted_field_ends_where_a_comma_or_nothing_follows() {
        let mut fields = Fields::after(br#""{"a":1}", "x,y","""#);
        assert_eq!(fields.quoted(), Some(&br#"{"a":1}"#[..]));
        assert_eq!(fields.quoted(), Some(&b"x,y"[..]));
        assert_eq!(fields.quoted(), Some(&b""[..]));
        assert_eq!(fields.quoted(), None);
        assert!(fields.is_empty());

        for bad in [&b"abc"[..], b"\"abc", b"\"", b"\"abc\"d", b""] {
            let mut fields = Fields::after(bad);
            assert_eq!(fields.quoted(), None, "{bad:?}");
            assert_eq!(fields.offset(), 0, "{bad:?}");
        }
    }

    #[test]
    fn text_takes_any_field() {
        let mut fields = Fields::after(br#"a b ,"c,d",,"e"#);
        for expected in [&b"a b"[..], b"c,d", b"", b"\"e"] {
            assert_eq!(fields.text(), Some(expected));
        }
        assert_eq!(fields.text(), None);
    }

    #[test]
    fn a_comma_at_the_end_has_a_field_behind_it() {
        let mut fields = Fields::after(b"1,");
        assert!(fields.skip());
        assert!(!fields.is_empty());
        assert_eq!(fields.offset(), 2);
        assert_eq!(fields.text(), Some(&b""[..]));
        assert!(fields.is_empty());
        assert!(!fields.skip());
        assert!(Fields::after(b"").is_empty());
        assert!(Fields::of(b"+X: ", "+X").unwrap().is_empty());
    }

    #[test]
    fn the_offset_leads_back_into_the_line() {
        let line = b"+QMTRECV: 0,0,\"t\",5,\"he\"lo\"";
        let mut fields = Fields::of(line, "+QMTRECV").unwrap();
        for _ in 0..4 {
            assert!(fields.skip());
        }
        assert_eq!(line[fields.offset()..], *b"\"he\"lo\"");
        assert_eq!(fields.rest(), b"\"he\"lo\"");
        assert!(fields.skip());
        assert_eq!(fields.offset(), line.len());
    }

    #[test]
    fn names_start_with_a_sign() {
        assert_eq!(name_of(b"+QMTRECV: 0,1"), Some(&b"+QMTRECV"[..]));
        assert_eq!(name_of(b"*ATREADY: 1"), Some(&b"*ATREADY"[..]));
        assert_eq!(name_of(b"^SYSSTART"), Some(&b"^SYSSTART"[..]));
        assert_eq!(name_of(b"+MQTTDISCONNED"), Some(&b"+MQTTDISCONNED"[..]));
        assert_eq!(name_of(b"OK"), None);
        assert_eq!(name_of(b"ERROR: 703"), None);
        assert_eq!(name_of(b""), None);
    }
}
