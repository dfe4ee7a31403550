//! Where real modules differ from their manuals, as switches.

mod forms;
mod names;

use std::time::Duration;

pub use forms::{AddressForm, CallForm, LossReport, PromptForm, PublishGrammar, ReceiveLayout, RefusalForm};
pub use names::UnknownQuirk;

use crate::simcom::quirk::SimComQuirk;

/// A way in which this module differs from what its manual says.
///
/// Each quirk was seen on a real module or is a place where a manual can be read in two ways. Names for the command
/// line are the variants in kebab case; a value follows an equals sign: `boot-silence=30`.
///
/// [`Builder`](crate::Builder) has an example.
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
    /// Neoway: `ERROR` follows `+MQTTPUBS: Timeout!` (ambiguity U9).
    TimeoutThenError,
    /// Neoway: the first number of a received message counts messages; it is not the packet identifier (ambiguity
    /// U8).
    MessageCount,
    /// Neoway: an empty line stands between information lines and `OK` everywhere (4.1).
    BlankBeforeFinal,
    /// Neoway: `AT+XIIC?` prints the address another way (4.2).
    Address(AddressForm),
    /// Neoway: a blank follows `+MQTTSUB:` of a received message (4.3).
    MessageAfterSpace,
    /// Neoway: a received message begins with the number of a session (4.3).
    MessageWithSession,
    /// Neoway: an empty user name or password is refused; a single blank stands for none (4.5).
    BlankForNoLogin,
    /// Neoway: `+MQTTSTATE:1` without the blank (4.7).
    StateWithoutSpace,
    /// Neoway: `+MQTTDISCONNED` without a reason (4.8).
    DisconnectedWithoutReason,
    /// Neoway: a lost connection is set up again by the module itself, and `AT+MQTTSTATE?` says 2, 3 or 4 meanwhile
    /// (4.9).
    ReconnectsByItself,
    /// Neoway: blanks after the colon and the commas of `+CLOUDPUBLISH` (4.10).
    CloudSpaces,
    /// Neoway: `+CMD ERROR: <-3>` with brackets (4.10).
    ErrorCodeInBrackets,
    /// Neoway: `+CLOUDNSUBACK: <OK>`, as a newer manual spells it (4.10).
    CloudUnsubackMisspelt,
    /// Neoway: `AT+CREG?` answers `+CREG:` as the standard says, not `+CEREG:` as the manual's example.
    CregUnderItsName,
    /// Neoway: `AT+CGMM` and `AT+CGSN` put their name before the text (4.14).
    PrefixedIdentity,
    /// What only SIMCom's modules do.
    SimCom(SimComQuirk),
}
