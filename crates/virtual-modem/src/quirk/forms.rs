//! How a thing can be printed or written in more ways than one.

/// How the prompt is printed (ambiguity U12, quirk 1.4).
///
/// [`Builder`](crate::Builder) has an example.
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
///
/// [`Builder`](crate::Builder) has an example.
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
///
/// [`Builder`](crate::Builder) has an example.
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

/// How Fibocom's module says that a broker refused the login (quirks 3.2, 3.3).
///
/// [`Builder`](crate::Builder) has an example.
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
///
/// [`Builder`](crate::Builder) has an example.
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
///
/// [`Builder`](crate::Builder) has an example.
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

/// How Neoway's module prints its address (quirk 4.2).
///
/// [`Builder`](crate::Builder) has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressForm {
    /// `+XIIC:    1,<address>` (N706, N11)
    Padded,
    /// `+XIIC:    1, <address>` (M590)
    PaddedWithBlank,
    /// A line for IPv4 and a line for IPv6.
    TwoLines,
}
