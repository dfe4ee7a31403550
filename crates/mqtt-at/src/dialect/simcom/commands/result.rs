//! Results that come apart from the `OK` of their command [A7600 MQTT 1.00 §2.2.1].

use std::fmt;
use std::time::Duration;

use at_codec::Fields;
use at_port::{Deferred, Reply, Verdict};

use crate::command::Unreadable;
use crate::dialect::simcom::facts;

/// What became of a command: 0 for success, 1 to 35 for failures that the manual names [A7600 MQTT 1.00 §2.2.1].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResultCode(i64);

impl ResultCode {
    /// Done.
    pub const DONE: Self = Self(0);
    /// The MQTT service is started already.
    pub const STARTED_ALREADY: Self = Self(23);

    /// The module's number.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// Whether the command has done what it was to do.
    pub const fn is_success(self) -> bool {
        self.0 == Self::DONE.0
    }

    /// What it means.
    pub fn meaning(self) -> &'static str {
        facts::known(self.0).map_or("a result that the manual does not explain", |code| code.meaning)
    }

    /// What can be done about it.
    pub fn remedy(self) -> Option<&'static str> {
        facts::known(self.0).and_then(|code| code.remedy)
    }

    pub(in super::super) const fn new(number: i64) -> Self {
        Self(number)
    }
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.meaning(), self.0)
    }
}

/// The result `NAME: key,result`, which no other line with this name looks like.
pub(super) fn deferred(
    names: &'static [&'static str],
    key: impl Into<Vec<i64>>,
    timeout: Duration,
) -> Deferred {
    Deferred::new(names, key, timeout).judge(|fields| match fields.integer() {
        Some(_) if fields.is_empty() => Verdict::Final,
        _ => Verdict::NotThis,
    })
}

/// Reads the result of a reply, whatever its name and key.
pub(in super::super) fn result_of(reply: &Reply) -> Result<ResultCode, Unreadable> {
    let line = reply.deferred.as_deref().ok_or(Unreadable)?;
    let list = line.iter().position(|&byte| byte == b':').and_then(|colon| line.get(colon + 1..));
    let mut fields = Fields::after(list.ok_or(Unreadable)?);
    let mut last = None;
    while let Some(number) = fields.integer() {
        last = Some(number);
    }
    last.map(ResultCode).ok_or(Unreadable)
}
