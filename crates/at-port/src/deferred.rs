//! Deferred results: the line after `OK` that completes an operation.

use std::time::Duration;

use at_codec::Fields;

/// A deferred result: which line completes an operation, told by its name and its leading numbers.
///
/// It may arrive before or after the final result; the operation is complete when both are known.
///
/// # Examples
///
/// ```
/// use at_codec::CommandLine;
/// use at_port::{Deferred, Exchange, Verdict};
/// use std::time::Duration;
///
/// // `OK` now, `+OPEN: 0,result` later; a number other than 0 and 1 is only progress.
/// let result = Deferred::new(&["+OPEN"], [0], Duration::from_secs(120)).judge(|fields| match fields.integer() {
///     Some(0 | 1) => Verdict::Final,
///     Some(_) => Verdict::Interim,
///     None => Verdict::NotThis,
/// });
/// let open = Exchange::new(CommandLine::write("+OPEN").integer(0).finish()).deferred(result);
/// ```
#[derive(Debug, Clone)]
pub struct Deferred {
    names: &'static [&'static str],
    key: Vec<i64>,
    judge: fn(&mut Fields<'_>) -> Verdict,
    pub(crate) timeout: Duration,
    pub(crate) shared: bool,
    ended_by: Option<&'static str>,
    refused_by: Option<fn(&[u8]) -> bool>,
}

/// What a line with the right name and key means for a deferred result.
///
/// [`Deferred`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Another line that happens to begin alike.
    NotThis,
    /// Progress, such as a notice of retransmission: the wait begins again.
    Interim,
    /// The result.
    Final,
}

impl Deferred {
    /// A deferred result `NAME: key,…` that is waited for at most `timeout` after the final result, or, if that does not
    /// come, after everything was written.
    ///
    /// `names` are the spellings that count as this result (one firmware says `+QMTPUB`, another `+QMTPUBEX`).
    pub fn new(names: &'static [&'static str], key: impl Into<Vec<i64>>, timeout: Duration) -> Self {
        let judge = |_: &mut Fields<'_>| Verdict::Final;
        Self { names, key: key.into(), judge, timeout, shared: false, ended_by: None, refused_by: None }
    }

    /// Judges the fields behind the key. Default: every such line is the result.
    #[must_use]
    pub fn judge(mut self, judge: fn(&mut Fields<'_>) -> Verdict) -> Self {
        self.judge = judge;
        self
    }

    /// Says that later operations use the same name and key.
    ///
    /// Results are then taken first in, first out. After one timeout all that are pending fail, and
    /// operations with this key are refused as [`InDoubt`](crate::OperationError::InDoubt) until the
    /// missing results have arrived or [`Port::release`](crate::Port::release) ends the session they belong to.
    #[must_use]
    pub fn shared_key(mut self) -> Self {
        self.shared = true;
        self
    }

    /// Ends the wait, too, when the report `NAME: first number of the key,…` comes (which is still routed).
    #[must_use]
    pub fn ended_by(mut self, name: &'static str) -> Self {
        self.ended_by = Some(name);
        self
    }

    /// Ends the wait, too, when a report comes for which the function says yes, although nothing in it names whom it
    /// concerns (it is still routed). If several operations could be meant, it ends none of their waits.
    ///
    /// Such a report is one even where it looks like a final result code and another command is in flight: that
    /// command is not refused by it.
    #[must_use]
    pub fn refused_by(mut self, refuses: fn(&[u8]) -> bool) -> Self {
        self.refused_by = Some(refuses);
        self
    }

    /// How a line bears on this result.
    pub(crate) fn verdict(&self, line: &[u8]) -> Verdict {
        for name in self.names {
            let Some(mut fields) = Fields::of(line, name) else { continue };
            if self.key.iter().all(|key| fields.integer() == Some(*key)) {
                return (self.judge)(&mut fields);
            }
        }
        Verdict::NotThis
    }

    /// Whether the line is the report that ends the wait.
    pub(crate) fn is_ended_by(&self, line: &[u8]) -> bool {
        let fields = self.ended_by.and_then(|name| Fields::of(line, name));
        fields.is_some_and(|mut fields| fields.integer() == self.key.first().copied())
    }

    /// Whether the line is a report that ends the wait without naming it.
    pub(crate) fn is_refused_by(&self, line: &[u8]) -> bool {
        self.refused_by.is_some_and(|refuses| refuses(line))
    }

    /// Whether two deferred results cannot be told apart.
    pub(crate) fn same_key(&self, other: &Self) -> bool {
        self.names == other.names && self.key == other.key
    }
}
