//! Where real modules differ from their manuals, as switches.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A way in which this module differs from what its manual says.
///
/// Each quirk was seen on a real module or is a place where a manual can be read in two ways. Names for the command
/// line are the variants in kebab case; a value follows an equals sign: `boot-silence=30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Quirk {
    /// Quotes in a received topic are printed as `\"` instead of raw (ambiguity U1).
    EscapedTopicQuotes,
    /// With hexadecimal receive format the length counts payload bytes, not digits (ambiguity U2).
    HexLengthCountsBytes,
    /// Ctrl-Z ends and ESC aborts the data of a counted prompt (ambiguity U3).
    ControlBytesInData,
    /// With all places for stored messages taken the next one replaces the oldest, instead of being lost (ambiguities
    /// U4, U7).
    FullSlotsDropOldest,
    /// With five stored messages the next one is neither stored nor acknowledged to the broker (ambiguity U4).
    FullSlotsWithholdAck,
    /// An unsolicited line comes between the header and the counted bytes of a received message (ambiguity U11).
    UrcInsideMessage,
    /// The prompt has another form (ambiguity U12).
    Prompt(PromptForm),
    /// A prompt gives up after so many seconds without a byte and answers `ERROR` (ambiguity U13).
    PromptTimeout(Duration),
    /// The deferred result comes before `OK` (0.1).
    ResultBeforeOk,
    /// A failed open prints its result and then `ERROR`, and never `OK` (0.1, 1.13).
    OpenFailureIsError,
    /// `AT+QMTOPEN` prints a line with its own configuration before `OK` (1.13).
    OpenEchoesConfiguration,
    /// An unsolicited line comes between a command and its prompt (0.2).
    UrcBeforePrompt,
    /// An unsolicited line comes between a command's echo and its answer (0.2).
    UrcBeforeAnswer,
    /// The echo of a line is written in two pieces (0.3).
    EchoInTwoWrites,
    /// The echo stands between line ends (0.4).
    EchoFramed,
    /// Data after a prompt is echoed even when echo is off (0.4).
    EchoesData,
    /// After power-on nothing is answered for so many seconds (0.5).
    BootSilence(Duration),
    /// The first command after power-on is answered with `ERROR` (0.5).
    FirstCommandFails,
    /// The SIM is busy for so many seconds after power-on (0.6).
    SimBusy(Duration),
    /// Context 1 is already active when the module has started, so that activating it fails (0.7).
    ContextAlreadyUp,
    /// One in so many characters of the module's lines is lost (0.11).
    DropCharacters(u32),
    /// Received messages are printed in another layout (1.1).
    Receive(ReceiveLayout),
    /// `AT+QMTRECV?` answers the stored messages and then the status row (1.1 h).
    StatusReadsMessages,
    /// So many additional empty lines before and after each line (1.2).
    ExtraBlankLines(u32),
    /// Publishing has another grammar than `AT+QMTPUBEX` with a length and a prompt (1.5).
    Publish(PublishGrammar),
    /// Bytes beyond the announced length are swallowed until the answer is out (1.6).
    DiscardExcessData,
    /// After a refused login there is `+QMTCONN: i,0` without the broker's code (1.11).
    ConnectResultWithoutCode,
    /// After a refused or failed login there is only `+QMTSTAT` (1.11).
    ConnectFailureOnlyInStat,
    /// After `AT+QMTDISC` the result of `AT+QMTCLOSE` never comes (1.12).
    NoCloseResultAfterDisconnect,
    /// A `+QMTSTAT: i,1` follows the result of `AT+QMTCLOSE` (1.12).
    StatAfterClose,
    /// Strings are accepted without quotes and numbers with them (1.14).
    LooseQuotes,
    /// `+QMTSTAT:0,1` without the blank (1.15).
    NoSpaceInStat,
    /// The first `AT+QFUPL` stores its file but never prints its completion (1.16).
    UploadCompletionMissed,
    /// The clock prints four digits of the year (1.17).
    FourDigitYear,
    /// No unsolicited line or deferred result is seen until `AT+QURCCFG="urcport"` was set (1.18).
    UrcPortElsewhere,
    /// Optional keys of `AT+QSSLCFG` (`sni`, `alpn`) are refused (1.19).
    NoOptionalSslKeys,
    /// After so many TLS connections every open fails until the module restarts (1.20).
    TlsExhaustion(u32),
    /// The socket is closed right after it was opened, once (1.21).
    ClosesAfterOpen,
    /// The module reports `APP RDY` instead of `RDY` (1.22).
    AppReady,
    /// A publish or message length of zero is refused.
    NoEmptyPayload,
    /// In quoted strings of commands a backslash takes what follows literally (3.11, 4.11).
    BackslashEscapes,
    /// Fibocom: the data of `AT+MQTTPUB` with a length is hexadecimal digits, and the length counts them
    /// (ambiguity U5).
    PublishHexDigits,
    /// Fibocom: `AT+MQTTREAD` prints topic and payload without quotes (ambiguity U6).
    ReadWithoutQuotes,
    /// Fibocom: so many messages wait for `AT+MQTTREAD` (ambiguity U7).
    ReadQueue(u32),
    /// Fibocom: a broker that refuses the login shows otherwise than as `ERROR: n` (3.2, 3.3).
    Refusal(RefusalForm),
    /// Fibocom: `AT+MIPCALL` reports another way (3.4).
    Call(CallForm),
    /// Fibocom: the loss of the data call is reported without the plus sign (`MIPCALL: 0`).
    CallLossWithoutPlus,
    /// Fibocom: `AT+MQTTREAD` answers in one line (3.7).
    ReadOnOneLine,
    /// Fibocom: `AT+MQTTWILL` ends with a length and prompts for the message (3.9).
    WillWithLength,
    /// Fibocom: a lost connection is reported another way (3.10).
    Loss(LossReport),
    /// Fibocom: client identifiers may have 256 bytes, not 23 (an L610 log has 59).
    LongClientIdentifier,
}

/// How Fibocom's module says that a broker refused the login (quirks 3.2, 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalForm {
    /// `OK` at once, and later `+MQTTOPEN: i,0` (L610).
    StatusAfterOk,
    /// `OK` at once, and later `ERROR: n` in place of the result.
    CodeAfterOk,
    /// `ERROR` without the number (L610).
    Bare,
    /// `+CME ERROR: n`
    Cme,
}

/// How Fibocom's module reports that its data call is up (quirk 3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallForm {
    /// `OK` only; the address is to be asked for (L610).
    OkOnly,
    /// `+MIPCALL: 1,<address>`
    WithState,
    /// `+MIPCALL:1` and no address.
    StateOnly,
    /// An IPv6 address.
    Ipv6,
}

/// How Fibocom's module reports that a connection broke (quirk 3.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LossReport {
    /// `+MQTTBREAK: i,cause` and no `+MQTTCLOSE: i,1` behind it.
    BreakOnly,
    /// `+MQTTCLOSE: i,1` only.
    CloseOnly,
    /// `+MQTTLOSE: i, 1`
    Lose,
}

/// How the prompt is printed (ambiguity U12, quirk 1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PromptForm {
    /// CR LF `>` blank
    Space,
    /// CR LF `>`
    Bare,
    /// CR LF `>` CR LF
    Line,
    /// `>` blank, without a line end before it
    NoLineEnd,
}

/// How a received message is printed (quirk 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiveLayout {
    /// The payload is not quoted (1.1 c).
    BarePayload,
    /// Neither topic nor payload is quoted (1.1 d).
    BareTopicAndPayload,
    /// The length ends the line and the payload is the next line, not quoted (1.1 e).
    PayloadOnNextLine,
}

/// How a model wants its publishes (quirk 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishGrammar {
    /// `AT+QMTPUB=…,"topic",length`, prompt, data (BG96, BG95, BG770A).
    Length,
    /// `AT+QMTPUB=…,"topic"`, prompt, data, Ctrl-Z (M95).
    CtrlZ,
    /// `AT+QMTPUB=…,"topic",length`, prompt, data, Ctrl-Z (BC660K).
    LengthAndCtrlZ,
    /// `AT+QMTPUB=…,"topic","payload"` without a prompt (BC26, BC28).
    Inline,
    /// `AT+QMTPUBEX=…,"topic","payload"` without a prompt, answered with `+QMTPUB` (a BG95 firmware).
    InlineEx,
}

/// The text names no quirk, or its value is not a number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown quirk `{0}`")]
pub struct UnknownQuirk(String);

/// Quirks without a value, and their names.
const PLAIN: &[(&str, Quirk)] = &[
    ("escaped-topic-quotes", Quirk::EscapedTopicQuotes),
    ("hex-length-counts-bytes", Quirk::HexLengthCountsBytes),
    ("control-bytes-in-data", Quirk::ControlBytesInData),
    ("full-slots-drop-oldest", Quirk::FullSlotsDropOldest),
    ("full-slots-withhold-ack", Quirk::FullSlotsWithholdAck),
    ("urc-inside-message", Quirk::UrcInsideMessage),
    ("prompt-space", Quirk::Prompt(PromptForm::Space)),
    ("prompt-bare", Quirk::Prompt(PromptForm::Bare)),
    ("prompt-line", Quirk::Prompt(PromptForm::Line)),
    ("prompt-no-line-end", Quirk::Prompt(PromptForm::NoLineEnd)),
    ("result-before-ok", Quirk::ResultBeforeOk),
    ("open-failure-is-error", Quirk::OpenFailureIsError),
    ("open-echoes-configuration", Quirk::OpenEchoesConfiguration),
    ("urc-before-prompt", Quirk::UrcBeforePrompt),
    ("urc-before-answer", Quirk::UrcBeforeAnswer),
    ("echo-in-two-writes", Quirk::EchoInTwoWrites),
    ("echo-framed", Quirk::EchoFramed),
    ("echoes-data", Quirk::EchoesData),
    ("first-command-fails", Quirk::FirstCommandFails),
    ("context-already-up", Quirk::ContextAlreadyUp),
    ("receive-bare-payload", Quirk::Receive(ReceiveLayout::BarePayload)),
    ("receive-bare-topic-and-payload", Quirk::Receive(ReceiveLayout::BareTopicAndPayload)),
    ("receive-payload-on-next-line", Quirk::Receive(ReceiveLayout::PayloadOnNextLine)),
    ("status-reads-messages", Quirk::StatusReadsMessages),
    ("publish-length", Quirk::Publish(PublishGrammar::Length)),
    ("publish-ctrl-z", Quirk::Publish(PublishGrammar::CtrlZ)),
    ("publish-length-and-ctrl-z", Quirk::Publish(PublishGrammar::LengthAndCtrlZ)),
    ("publish-inline", Quirk::Publish(PublishGrammar::Inline)),
    ("publish-inline-ex", Quirk::Publish(PublishGrammar::InlineEx)),
    ("discard-excess-data", Quirk::DiscardExcessData),
    ("connect-result-without-code", Quirk::ConnectResultWithoutCode),
    ("connect-failure-only-in-stat", Quirk::ConnectFailureOnlyInStat),
    ("no-close-result-after-disconnect", Quirk::NoCloseResultAfterDisconnect),
    ("stat-after-close", Quirk::StatAfterClose),
    ("loose-quotes", Quirk::LooseQuotes),
    ("no-space-in-stat", Quirk::NoSpaceInStat),
    ("upload-completion-missed", Quirk::UploadCompletionMissed),
    ("four-digit-year", Quirk::FourDigitYear),
    ("urc-port-elsewhere", Quirk::UrcPortElsewhere),
    ("no-optional-ssl-keys", Quirk::NoOptionalSslKeys),
    ("closes-after-open", Quirk::ClosesAfterOpen),
    ("app-ready", Quirk::AppReady),
    ("no-empty-payload", Quirk::NoEmptyPayload),
    ("backslash-escapes", Quirk::BackslashEscapes),
    ("publish-hex-digits", Quirk::PublishHexDigits),
    ("read-without-quotes", Quirk::ReadWithoutQuotes),
    ("refusal-status-after-ok", Quirk::Refusal(RefusalForm::StatusAfterOk)),
    ("refusal-code-after-ok", Quirk::Refusal(RefusalForm::CodeAfterOk)),
    ("refusal-bare", Quirk::Refusal(RefusalForm::Bare)),
    ("refusal-cme", Quirk::Refusal(RefusalForm::Cme)),
    ("call-ok-only", Quirk::Call(CallForm::OkOnly)),
    ("call-with-state", Quirk::Call(CallForm::WithState)),
    ("call-state-only", Quirk::Call(CallForm::StateOnly)),
    ("call-ipv6", Quirk::Call(CallForm::Ipv6)),
    ("call-loss-without-plus", Quirk::CallLossWithoutPlus),
    ("read-on-one-line", Quirk::ReadOnOneLine),
    ("will-with-length", Quirk::WillWithLength),
    ("loss-break-only", Quirk::Loss(LossReport::BreakOnly)),
    ("loss-close-only", Quirk::Loss(LossReport::CloseOnly)),
    ("loss-lose", Quirk::Loss(LossReport::Lose)),
    ("long-client-identifier", Quirk::LongClientIdentifier),
];

/// Makes a quirk of its value.
type Make = fn(u32) -> Quirk;

/// Quirks whose value is a number of seconds (up to a day) or a count.
const VALUED: &[(&str, Make)] = &[
    ("prompt-timeout", |seconds| Quirk::PromptTimeout(Duration::from_secs(seconds.into()))),
    ("boot-silence", |seconds| Quirk::BootSilence(Duration::from_secs(seconds.into()))),
    ("sim-busy", |seconds| Quirk::SimBusy(Duration::from_secs(seconds.into()))),
    ("drop-characters", Quirk::DropCharacters),
    ("extra-blank-lines", Quirk::ExtraBlankLines),
    ("tls-exhaustion", Quirk::TlsExhaustion),
    ("read-queue", Quirk::ReadQueue),
];

impl Quirk {
    /// The names for [`FromStr`], in the order of the variants; those that take a value end in an equals sign.
    pub fn names() -> impl Iterator<Item = String> {
        let plain = PLAIN.iter().map(|(name, _)| (*name).to_owned());
        plain.chain(VALUED.iter().map(|(name, _)| format!("{name}=")))
    }
}

impl FromStr for Quirk {
    type Err = UnknownQuirk;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownQuirk(text.to_owned());
        match text.split_once('=') {
            None => PLAIN.iter().find(|(name, _)| *name == text).map(|(_, quirk)| *quirk).ok_or_else(unknown),
            Some((name, value)) => {
                let value = value
                    .parse::<u32>()
                    .ok()
                    .filter(|value| (1..=86_400).contains(value))
                    .ok_or_else(unknown)?;
                VALUED
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, make)| make(value))
                    .ok_or_else(unknown)
            }
        }
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = match self {
            Self::PromptTimeout(limit) => ("prompt-timeout", limit.as_secs()),
            Self::BootSilence(limit) => ("boot-silence", limit.as_secs()),
            Self::SimBusy(limit) => ("sim-busy", limit.as_secs()),
            Self::DropCharacters(one_in) => ("drop-characters", u64::from(*one_in)),
            Self::ExtraBlankLines(count) => ("extra-blank-lines", u64::from(*count)),
            Self::TlsExhaustion(count) => ("tls-exhaustion", u64::from(*count)),
            Self::ReadQueue(count) => ("read-queue", u64::from(*count)),
            plain => {
                let name = PLAIN.iter().find(|(_, quirk)| quirk == plain).map_or("?", |(name, _)| *name);
                return f.write_str(name);
            }
        };
        write!(f, "{name}={value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in Quirk::names() {
            let text = if name.ends_with('=') { format!("{name}3") } else { name };
            let quirk: Quirk = text.parse().unwrap();
            assert_eq!(quirk.to_string(), text);
        }
        for wrong in ["", "nothing", "app-ready=1", "boot-silence", "boot-silence=x", "drop-characters=0"] {
            assert!(wrong.parse::<Quirk>().is_err(), "{wrong}");
        }
    }
}
