//! What a line of a module says by itself, for those who read a conversation afterwards.

use std::borrow::Cow;

use at_codec::Fields;

use crate::error::{BrokerError, ModuleError};

/// The result of a command, or a report, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meaning {
    /// The module's number of the client that it is about.
    pub(crate) client: Option<u8>,
    pub(crate) tone: Tone,
    pub(crate) text: Cow<'static, str>,
    pub(crate) remedy: Option<&'static str>,
    /// The section of the manual.
    pub(crate) source: &'static str,
}

/// Whether it is good news. Complete: there is no fourth kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It worked.
    Good,
    /// It is not over yet.
    Interim,
    /// It did not work.
    Bad,
}

impl Meaning {
    pub(crate) fn good(client: Option<u8>, text: impl Into<Cow<'static, str>>, source: &'static str) -> Self {
        Self { client, tone: Tone::Good, text: text.into(), remedy: None, source }
    }

    pub(crate) fn interim(client: Option<u8>, text: &'static str, source: &'static str) -> Self {
        Self { tone: Tone::Interim, ..Self::good(client, text, source) }
    }

    pub(crate) fn refused(client: Option<u8>, error: ModuleError, source: &'static str) -> Self {
        Self { client, tone: Tone::Bad, text: error.meaning, remedy: error.remedy, source }
    }

    pub(crate) fn by_broker(client: Option<u8>, error: &BrokerError, source: &'static str) -> Self {
        let (text, remedy) = (error.to_string().into(), error.remedy);
        Self { client, tone: Tone::Bad, text, remedy, source }
    }
}

/// The integers of a line, as many as there are before anything else.
pub(crate) fn integers(line: &[u8], name: &str) -> Option<Vec<i64>> {
    let mut fields = Fields::of(line, name)?;
    Some(std::iter::from_fn(|| fields.integer()).collect())
}

/// The integers of a line that holds nothing else.
pub(crate) fn only_integers(line: &[u8], name: &str) -> Option<Vec<i64>> {
    let count = integers(line, name)?.len();
    let fields = Fields::of(line, name)?.rest().split(|byte| *byte == b',').count();
    (count == fields).then(|| integers(line, name))?
}

/// The number of a client.
pub(crate) fn client_in(number: i64) -> Option<u8> {
    u8::try_from(number).ok()
}
