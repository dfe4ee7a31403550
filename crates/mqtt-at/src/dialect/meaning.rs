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

/// What a command is for, and where its result is told when it comes behind the `OK`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purpose {
    /// Its name, such as `+QMTOPEN`.
    pub(crate) name: &'static str,
    /// In a few words.
    pub(crate) purpose: &'static str,
    /// The names that the result may have; none if the final result is all.
    pub(crate) results: &'static [&'static str],
    /// Whether it ends something, so that a refusal may only say that there was nothing to end.
    pub(crate) ends: bool,
    /// Whether it asks for data, at least in one of its forms.
    pub(crate) asks: bool,
}

impl Purpose {
    pub(crate) const fn that_ends(self) -> Self {
        Self { ends: true, ..self }
    }

    pub(crate) const fn that_asks(self) -> Self {
        Self { asks: true, ..self }
    }
}

/// A command that its final result ends.
pub(crate) const fn plain(name: &'static str, purpose: &'static str) -> Purpose {
    Purpose { name, purpose, results: &[], ends: false, asks: false }
}

/// A command whose result comes later.
pub(crate) const fn deferred(
    name: &'static str,
    purpose: &'static str,
    results: &'static [&'static str],
) -> Purpose {
    Purpose { name, purpose, results, ends: false, asks: false }
}

/// Commands of V.250 and 3GPP TS 27.007 that flows use.
pub(crate) const COMMON: &[Purpose] = &[
    plain("", "is anybody there"),
    plain("E0", "switch the echo off"),
    plain("I", "ask for the identity"),
    plain("+CMEE", "errors as numbers or words"),
    plain("+CGMI", "ask for the maker"),
    plain("+CGMM", "ask for the model"),
    plain("+CGMR", "ask for the firmware"),
    plain("+CGSN", "ask for the serial number"),
    plain("+CPIN", "the SIM and its PIN"),
    plain("+CSQ", "the signal's strength"),
    plain("+CREG", "registration in the network"),
    plain("+CGREG", "registration for data"),
    plain("+CEREG", "registration in the LTE network"),
    plain("+COPS", "the network's operator"),
    plain("+CGATT", "attachment to the data service"),
    plain("+CGDCONT", "the access point of a data connection"),
    plain("+CGACT", "data connections that are active"),
    plain("+CGPADDR", "addresses of data connections"),
    plain("+CGAUTH", "credentials for the access point"),
    plain("+CCLK", "the module's clock"),
    plain("+CSCS", "the character set"),
    plain("+IPR", "the port's speed"),
    plain("+IFC", "flow control"),
    plain("+CFUN", "switch the radio, or restart"),
];
