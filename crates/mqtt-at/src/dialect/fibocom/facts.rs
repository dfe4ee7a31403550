//! What the manual says about limits, times and result codes.

use std::ops::RangeInclusive;

use at_codec::{Charset, Fields};
use at_port::{ErrorCode, FinalResult, Progress, Refusal};

use crate::dialect::Facts;
use crate::dialect::ranges::in_range;
use crate::error::{BrokerError, Error, InputError, ModuleError, Outcome};
use crate::event::LossCause;
use crate::vendor::Vendor;

/// The numbers of the clients [Fibocom MQTT 1.2.6 §1.1.4].
pub(super) const CLIENTS: RangeInclusive<u8> = 1..=2;

/// The longest user name, in bytes [Fibocom MQTT 1.2.6 §1.1.4].
pub(super) const USER: usize = 128;

/// The longest password, in bytes [Fibocom MQTT 1.2.6 §1.1.4].
pub(super) const PASSWORD: usize = 128;

/// The longest client identifier, in bytes [Fibocom MQTT 1.2.6 §1.1.4].
pub(super) const CLIENT_IDENTIFIER: usize = 23;

/// The longest host name, in bytes [Fibocom MQTT 1.2.6 §1.2.4].
pub(super) const HOST: usize = 255;

/// The keep-alive interval in seconds [Fibocom MQTT 1.2.6 §1.2.4]. It cannot be switched off.
pub(super) const KEEP_ALIVE: RangeInclusive<u64> = 1..=300;

/// The longest topic, in bytes, of messages, subscriptions and wills [Fibocom MQTT 1.2.6 §1.5.4, §1.7.4, §1.12.4].
pub(super) const TOPIC: usize = 255;

/// The longest payload to publish, in bytes [Fibocom MQTT 1.2.6 §1.7.4].
pub(super) const PAYLOAD: usize = 1024;

/// The longest message of a will, in bytes [Fibocom MQTT 1.2.6 §1.12.4].
pub(super) const WILL_MESSAGE: usize = 1024;

/// The longest access point name, user and password of a data connection, in bytes. The manual gives no limit; this
/// is the one of 3GPP for access point names.
pub(super) const ACCESS_POINT: usize = 99;

/// The longest topic and the longest payload that are believed to be announced by a received message.
///
/// [`TOPIC`] and [`PAYLOAD`] bind what a host sends; a broker may deliver more. The codec's limit for a whole
/// element, 16 KiB unless configured, is the bound that matters.
pub(super) const RECEIVED: usize = 16 * 1024;

/// What strings in a command may hold: printable ASCII without quotes, as the manual says of topics and messages. It
/// knows no escapes, but L610 modules take `\` as one, so that it does not mean the same on every module.
pub(super) const TEXT: Charset = Charset::ASCII.no_backslash();

/// The report that ends a connection [Fibocom MQTT 1.2.6 §1.4].
pub(super) const BREAK: &str = "+MQTTBREAK";

/// The vendor's own final result, `ERROR: 703` [Fibocom MQTT 1.2.6 §2].
const ERROR: &str = "ERROR";

/// The command that connects, whose refusals are the broker's.
const OPEN: &str = "AT+MQTTOPEN";

/// What this kind of module can do.
pub(super) static FACTS: Facts = Facts {
    vendor: Vendor::Fibocom,
    clients: CLIENTS,
    // The result names the client and nothing else, so that a second one in flight could not be told from the first.
    window: 1,
    // [Fibocom MQTT 1.2.6 §1.5.2]
    filters: 1,
    max_payload: PAYLOAD,
    // `<Datasize>` starts at 1 [Fibocom MQTT 1.2.6 §1.7.4].
    empty_payload: false,
    max_topic: TOPIC,
    payload_patience: timeout::PROMPT,
    reports: &["+MIPCALL", "+SIM READY", "+SIM DROP", "PB DONE", "SMS DONE", "SMS Ready", "Call Ready"],
};

/// Times to wait. The manual says of every command that it takes less than a second, which leaves the network out.
pub(super) mod timeout {
    use std::time::Duration;

    /// Settings and questions. A false alarm costs more than patience.
    pub(in super::super) const SETTING: Duration = Duration::from_secs(5);
    /// The `OK` of commands whose result comes later.
    pub(in super::super) const ACCEPTED: Duration = Duration::from_secs(15);
    /// `AT+MQTTOPEN`: failures were seen after 1.4 to 4.6 s; drivers of real modules allow 40 s.
    pub(in super::super) const OPEN: Duration = Duration::from_secs(60);
    /// `AT+MQTTCLOSE`.
    pub(in super::super) const CLOSE: Duration = Duration::from_secs(15);
    /// Acknowledgements of the broker; drivers of real modules allow 35 s.
    pub(in super::super) const ACKNOWLEDGEMENT: Duration = Duration::from_secs(40);
    /// `AT+MIPCALL=1`: 0.9 s seen; drivers of real modules allow 150 s.
    pub(in super::super) const DIAL: Duration = Duration::from_secs(150);
    /// How long the module may keep waiting for the data that it has asked for. The manual gives no limit.
    pub(in super::super) const PROMPT: Duration = Duration::from_secs(35);
}

/// Checks the number of a client.
pub(super) fn client(index: u8) -> Result<i64, InputError> {
    in_range("the client index", index, CLIENTS)
}

/// The meaning of an error code, and what can be done about it.
struct Code {
    number: u32,
    meaning: &'static str,
    remedy: &'static str,
}

/// Codes behind `ERROR:` [Fibocom MQTT 1.2.6 §2]; on some modules behind `+CME ERROR:`.
const CODES: &[Code] = &[
    Code { number: 700, meaning: "unacceptable protocol version", remedy: "use another broker" },
    Code { number: 701, meaning: "identifier rejected", remedy: "choose another client identifier" },
    Code { number: 702, meaning: "server unavailable", remedy: "try again later, or check the broker" },
    Code { number: 703, meaning: "bad user name or password", remedy: "check user name and password" },
    Code {
        number: 704,
        meaning: "not authorized",
        remedy: "check user name, password and the broker's access rules",
    },
];

/// Whether a line is the vendor's own final result.
pub(super) fn is_error(line: &[u8]) -> bool {
    Fields::of(line, ERROR).is_some()
}

/// Whether a line can be the reason why a client is not connected. It does not name the client.
pub(super) fn is_refusal(line: &[u8]) -> bool {
    is_error(line) || broker_error(line).is_some()
}

/// What the broker said, in a line `ERROR: code` or `+CME ERROR: code`: the codes are those of MQTT's CONNACK, in their
/// order.
pub(super) fn broker_error(line: &[u8]) -> Option<BrokerError> {
    let mut fields = Fields::of(line, ERROR).or_else(|| Fields::of(line, "+CME ERROR"))?;
    let number = fields.integer()?.try_into().ok()?;
    connack(number).map(BrokerError::connack)
}

/// MQTT's return code for a code of the manual.
fn connack(number: u32) -> Option<u16> {
    let position = CODES.iter().position(|code| code.number == number)?;
    u16::try_from(position + 1).ok()
}

/// What a refusal with a meaning of this vendor's own means.
pub(super) fn explain(refusal: &Refusal) -> Option<Error> {
    let number = match &refusal.result {
        FinalResult::Vendor { line, .. } => {
            Fields::of(line, ERROR)?.integer().and_then(|code| u32::try_from(code).ok())
        }
        FinalResult::Cme(ErrorCode::Number(number)) => Some(*number).filter(|it| connack(*it).is_some()),
        _ => None,
    };
    let is_open = refusal.command == OPEN;
    if let Some(code) = number.filter(|_| is_open).and_then(connack) {
        return Some(BrokerError::connack(code).into());
    }
    let code = CODES.iter().find(|code| Some(code.number) == number);
    let (meaning, remedy) = match (code, &refusal.result) {
        (Some(code), _) => (code.meaning, Some(code.remedy)),
        (None, FinalResult::Vendor { .. }) => ("a code that the manual does not explain", None),
        (None, FinalResult::Error) => no_reason(&refusal.command)?,
        (None, _) => return None,
    };
    let is_unsent = is_open || matches!(refusal.progress, Progress::Nothing | Progress::Begun);
    let error = ModuleError {
        command: refusal.command.clone(),
        code: number.map(|number| number.to_string().into()),
        meaning: meaning.into(),
        remedy,
        outcome: if is_unsent { Outcome::NotSent } else { Outcome::Unknown },
    };
    Some(error.into())
}

/// What is probably behind a bare `ERROR`, which modules give where the manual has a code.
fn no_reason(command: &str) -> Option<(&'static str, Option<&'static str>)> {
    Some(match command {
        OPEN => (
            "the module refused without a reason",
            Some("check that there is a data connection, and that no other program uses this client"),
        ),
        "AT+MQTTPUB" | "AT+MQTTSUB" | "AT+MQTTUNSUB" => (
            "the module refused: the client is not connected any more, or has too much under way",
            Some("reconnect; if it stays, look whether the topic is longer than the firmware takes"),
        ),
        _ => return None,
    })
}

/// The error of the status 0, which is failure here [Fibocom MQTT 1.2.6 §1.2.4 to §1.7.4].
pub(super) fn failed(command: &str) -> ModuleError {
    let (meaning, remedy) = match command {
        OPEN => (
            "the client was not connected, and the module gives no reason",
            "check host, port, user name, password and client identifier, then signal and registration",
        ),
        "AT+MQTTCLOSE" => ("the connection could not be closed", "restart the module if it stays"),
        "AT+MQTTSUB" => (
            "the broker refused the subscription, or did not answer",
            "check the broker's access rules for this topic filter, then signal and registration",
        ),
        "AT+MQTTUNSUB" => ("the broker did not answer", "check signal and registration"),
        _ => ("the packet could not be sent, or was not acknowledged", "check signal and registration"),
    };
    ModuleError::known(command, 0, meaning, Some(remedy))
}

/// Why a connection ended: causes of `+MQTTBREAK` [Fibocom MQTT 1.2.6 §1.4.4].
///
/// The first stands for a keep-alive without an answer, too.
pub(super) fn loss_cause(cause: i64) -> LossCause {
    match cause {
        1 => LossCause::ClosedByPeer,
        2 | 3 => LossCause::NetworkDown,
        _ => LossCause::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f_err_codes_are_those_of_connack() {
        for (line, code, words) in [
            ("ERROR: 700", 1, "unacceptable protocol version"),
            ("ERROR: 701", 2, "client identifier rejected"),
            ("ERROR: 702", 3, "server unavailable"),
            ("ERROR:703", 4, "bad user name or password"),
            ("ERROR: 704", 5, "not authorized"),
        ] {
            let error = broker_error(line.as_bytes()).unwrap();
            assert_eq!((error.code, &error.meaning[..]), (code, words), "{line}");
            assert!(is_error(line.as_bytes()));
        }
        for line in ["ERROR", "ERROR: 699", "ERROR: 705", "ERROR: x", "+CME ERROR: 30", "ERROR 703"] {
            assert_eq!(broker_error(line.as_bytes()), None, "{line}");
        }
        assert_eq!(broker_error(b"+CME ERROR: 703").map(|error| error.code), Some(4));
        for (line, can) in
            [("ERROR: 9", true), ("+CME ERROR: 700", true), ("+CME ERROR: 30", false), ("ERROR", false)]
        {
            assert_eq!(is_refusal(line.as_bytes()), can, "{line}");
        }
        assert!(!is_error(b"ERROR") && !is_error(b"+CME ERROR: 703") && is_error(b"ERROR: 705"));
    }

    #[test]
    fn causes_of_a_lost_connection() {
        assert_eq!(loss_cause(1), LossCause::ClosedByPeer);
        assert_eq!((loss_cause(2), loss_cause(3)), (LossCause::NetworkDown, LossCause::NetworkDown));
        assert_eq!((loss_cause(0), loss_cause(4)), (LossCause::Unknown, LossCause::Unknown));
    }

    #[test]
    fn clients_are_counted_from_one() {
        assert_eq!((client(1), client(2)), (Ok(1), Ok(2)));
        assert_eq!(client(0).unwrap_err().to_string(), "the client index is 0, and must be 1 to 2");
        assert!(client(3).is_err());
    }

    #[test]
    fn every_command_with_a_status_says_what_its_failure_means() {
        let commands = ["AT+MQTTOPEN", "AT+MQTTCLOSE", "AT+MQTTSUB", "AT+MQTTUNSUB", "AT+MQTTPUB"];
        let mut meanings: Vec<_> = commands.iter().map(|command| failed(command).meaning).collect();
        meanings.dedup();
        assert_eq!(meanings.len(), commands.len());
        assert!(commands.iter().all(|command| failed(command).remedy.is_some()));
        assert_eq!(
            failed("AT+MQTTOPEN").to_string(),
            "AT+MQTTOPEN: the client was not connected, and the module gives no reason (code 0)"
        );
    }
}
