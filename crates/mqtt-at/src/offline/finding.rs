//! What looks wrong.

use std::borrow::Cow;

/// Something that looks wrong.
///
/// The [module's page](crate::offline) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The entry that it concerns.
    pub entry: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one clause.
    pub what: String,
    /// What can be done about it.
    pub remedy: Option<Cow<'static, str>>,
    /// Where more about it stands: a row of known deviations (`quirk 0.1`) or a section of the manual.
    pub see: Option<&'static str>,
}

/// How bad it is. Complete.
///
/// The [module's page](crate::offline) has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Harmless, but different from the manual or worth knowing.
    Note,
    /// It may be the reason of a failure.
    Warning,
    /// Something failed.
    Error,
}

impl Severity {
    /// Its name, a word in small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A kind of findings.
#[derive(Debug)]
pub(super) struct Rule {
    severity: Severity,
    remedy: Option<&'static str>,
    see: Option<&'static str>,
}

const fn rule(severity: Severity, see: &'static str, remedy: &'static str) -> Rule {
    Rule { severity, see: Some(see), remedy: Some(remedy) }
}

pub(super) const NO_ANSWER: Rule =
    rule(Severity::Error, "quirk 0.5", "check cable and baud rate; the module may be busy or restarting");
pub(super) const SILENT_START: Rule =
    rule(Severity::Note, "quirk 0.5", "modules are silent for up to 30 s after a start: allow that long");
pub(super) const UNFINISHED: Rule = rule(
    Severity::Warning,
    "quirk 0.11",
    "see whether the log leaves lines out, or the line loses characters",
);
pub(super) const NO_RESULT: Rule =
    rule(Severity::Error, "quirk 0.9", "take the outcome as unknown: the broker may have it");
pub(super) const NO_FAREWELL: Rule = rule(
    Severity::Warning,
    "quirk 1.12",
    "go on without it: some firmware does not tell the end of a connection",
);
pub(super) const ENDS_EARLY: Rule = rule(Severity::Note, "quirk 0.9", "record until the end of the session");
pub(super) const LATE_ANSWER: Rule =
    rule(Severity::Error, "quirk 0.9", "take no answer for that of a later command: prove the link first");
pub(super) const ORPHAN: Rule =
    rule(Severity::Warning, "quirk 0.9", "take no answer for that of a later command: prove the link first");
pub(super) const EARLY_RESULT: Rule =
    rule(Severity::Note, "quirk 0.1", "take final result and result in either order");
pub(super) const RESULT_WITH_ERROR: Rule =
    rule(Severity::Error, "quirk 0.1", "look at the code that precedes ERROR");
pub(super) const BETWEEN: Rule =
    rule(Severity::Note, "quirk 0.2", "take reports in every state, also while waiting for a prompt");
pub(super) const NOTHING_TO_END: Rule =
    rule(Severity::Note, "quirk 0.8", "take refusals while cleaning up as harmless");
pub(super) const ALREADY_UP: Rule =
    rule(Severity::Note, "quirk 0.7", "ask for the state of the data connection before giving up");
pub(super) const SIM_BUSY: Rule =
    rule(Severity::Warning, "quirk 0.6", "ask again: a SIM needs some seconds after the start");
pub(super) const NOT_KNOWN: Rule =
    rule(Severity::Note, "quirk 1.5", "use another form: this firmware does not know the command");
pub(super) const OPTIONAL: Rule =
    rule(Severity::Note, "quirk 1.19", "go on without the setting, if nothing depends on it");
pub(super) const STARTED_ALREADY: Rule =
    rule(Severity::Note, "quirk 2.2", "release the clients, stop the service and start it again");
pub(super) const ACCEPTED_TWICE: Rule =
    rule(Severity::Note, "quirk 2.4", "ignore the second OK of a subscription in one go");
pub(super) const NO_END: Rule =
    rule(Severity::Note, "quirk 2.21", "wait for a final result only so long, and take the lines that came");
pub(super) const NETWORK: Rule =
    Rule { severity: Severity::Error, remedy: None, see: Some("[3GPP TS 27.007]") };
pub(super) const RESTARTED: Rule =
    rule(Severity::Error, "quirk 0.10", "check the power supply: modules draw up to 2 A when they transmit");
pub(super) const ECHO_IS_BACK: Rule =
    rule(Severity::Error, "quirk 0.4", "take the module as restarted: its settings are gone");
pub(super) const DAMAGED: Rule = rule(Severity::Error, "quirk 0.11", "use flow control or a lower baud rate");
pub(super) const UNKNOWN: Rule = rule(Severity::Warning, "quirk 0.11", "ignore it");
pub(super) const UNCOUNTED: Rule = rule(
    Severity::Error,
    "quirk 1.1",
    "switch on the receive mode that states lengths: without them anybody who may publish can forge reports",
);
pub(super) const WRONG_LENGTH: Rule =
    rule(Severity::Error, "quirk 1.6", "write exactly as many bytes as were announced");
pub(super) const SENT_AGAIN: Rule =
    rule(Severity::Note, "quirk 1.23", "keep waiting: this is not the end of the publish");
pub(super) const REFUSED: Rule = Rule { severity: Severity::Error, remedy: None, see: None };
pub(super) const LOST: Rule = Rule { severity: Severity::Error, remedy: None, see: None };
pub(super) const LEFT: Rule =
    rule(Severity::Note, "quirk 1.12", "ignore reports about connections that were closed");

impl Rule {
    pub(super) fn finding(&self, entry: usize, what: String, remedy: Option<&'static str>) -> Finding {
        let remedy = remedy.or(self.remedy).map(Cow::Borrowed);
        Finding { entry, severity: self.severity, what, remedy, see: self.see }
    }
}
