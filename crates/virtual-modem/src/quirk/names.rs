//! The names of quirks on a command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{
    AddressForm, CallForm, LossReport, PromptForm, PublishGrammar, Quirk, ReceiveLayout, RefusalForm,
};
use crate::simcom::quirk::SimComQuirk;

/// The text names no quirk, or its value is not a number.
///
/// No example: it is a text for people.
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
    ("timeout-then-error", Quirk::TimeoutThenError),
    ("message-count", Quirk::MessageCount),
    ("blank-before-final", Quirk::BlankBeforeFinal),
    ("address-padded", Quirk::Address(AddressForm::Padded)),
    ("address-padded-with-blank", Quirk::Address(AddressForm::PaddedWithBlank)),
    ("address-two-lines", Quirk::Address(AddressForm::TwoLines)),
    ("message-after-space", Quirk::MessageAfterSpace),
    ("message-with-session", Quirk::MessageWithSession),
    ("blank-for-no-login", Quirk::BlankForNoLogin),
    ("state-without-space", Quirk::StateWithoutSpace),
    ("disconnected-without-reason", Quirk::DisconnectedWithoutReason),
    ("reconnects-by-itself", Quirk::ReconnectsByItself),
    ("cloud-spaces", Quirk::CloudSpaces),
    ("error-code-in-brackets", Quirk::ErrorCodeInBrackets),
    ("cloud-unsuback-misspelt", Quirk::CloudUnsubackMisspelt),
    ("creg-under-its-name", Quirk::CregUnderItsName),
    ("prefixed-identity", Quirk::PrefixedIdentity),
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
        let valued = VALUED.iter().map(|(name, _)| format!("{name}="));
        plain.chain(valued).chain(SimComQuirk::names())
    }
}

impl FromStr for Quirk {
    type Err = UnknownQuirk;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownQuirk(text.to_owned());
        match text.split_once('=') {
            None => PLAIN
                .iter()
                .find(|(name, _)| *name == text)
                .map(|(_, quirk)| *quirk)
                .or_else(|| SimComQuirk::named(text, None).map(Self::SimCom))
                .ok_or_else(unknown),
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
                    .or_else(|| SimComQuirk::named(name, Some(value)).map(Self::SimCom))
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
            Self::SimCom(quirk) => return quirk.fmt(f),
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
