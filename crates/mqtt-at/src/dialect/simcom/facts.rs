//! What the manual says about limits, times and result codes.

use std::ops::RangeInclusive;
use std::time::Duration;

use at_codec::{Charset, Fields};
use at_port::{Progress, Refusal};

use crate::dialect::Facts;
use crate::dialect::ranges::in_range;
use crate::error::{BrokerError, Error, InputError, ModuleError, Outcome};
use crate::event::LossCause;
use crate::vendor::Vendor;

/// The numbers of the clients [A7600 MQTT 1.00 §2.1.3].
pub(super) const CLIENTS: RangeInclusive<u8> = 0..=1;

/// How many clients there are.
pub(super) const CLIENT_COUNT: usize = 2;

/// The numbers of the TLS contexts, `<ssl_ctx_index>` [A7600 MQTT 1.00 §2.1.5].
pub(super) const TLS_CONTEXTS: RangeInclusive<u8> = 0..=9;

/// The length of a client identifier in bytes [A7600 MQTT 1.00 §2.1.3].
pub(super) const CLIENT_IDENTIFIER: RangeInclusive<usize> = 1..=128;

/// The length of `tcp://host:port` in bytes [A7600 MQTT 1.00 §2.1.8].
pub(super) const ADDRESS: RangeInclusive<usize> = 9..=256;

/// The length of a user name or password in bytes [A7600 MQTT 1.00 §2.1.8].
pub(super) const CREDENTIAL: RangeInclusive<usize> = 1..=256;

/// The keep-alive interval in seconds [A7600 MQTT 1.00 §2.1.8].
pub(super) const KEEP_ALIVE: RangeInclusive<u64> = 1..=64_800;

/// The length of a topic name or filter in bytes [A7600 MQTT 1.00 §2.1.6, §2.1.10, §2.1.13, §2.1.15].
pub(super) const TOPIC: RangeInclusive<usize> = 1..=1024;

/// The length of the message of a will in bytes [A7600 MQTT 1.00 §2.1.7].
pub(super) const WILL_MESSAGE: RangeInclusive<usize> = 1..=1024;

/// The length of a payload in bytes [A7600 MQTT 1.00 §2.1.11]. An empty one is sent by leaving the command out.
pub(super) const PAYLOAD: RangeInclusive<usize> = 1..=10_240;

/// How long the module waits for the broker's acknowledgement of a publish, in seconds [A7600 MQTT 1.00 §2.1.12].
pub(super) const PUBLISH_TIMEOUT: RangeInclusive<u64> = 60..=180;

/// How long the module waits for a disconnection, in seconds [A7600 MQTT 1.00 §2.1.9]; 0 for no limit.
pub(super) const DISCONNECT_TIMEOUT: RangeInclusive<u64> = 60..=180;

/// How long sending or receiving may take, in seconds [A7600 MQTT 1.00 §2.1.17].
pub(super) const OPERATION_TIMEOUT: RangeInclusive<u64> = 20..=120;

/// How long a TLS handshake may take, in seconds; SIMCom's SSL manual.
pub(super) const NEGOTIATION_TIME: RangeInclusive<u64> = 10..=300;

/// The length of a certificate's file name in bytes; SIMCom's SSL manual.
pub(super) const FILE_NAME: RangeInclusive<usize> = 5..=108;

/// The length of a certificate in bytes; SIMCom's SSL manual.
pub(super) const FILE: RangeInclusive<usize> = 1..=10_240;

/// The longest access point name, in bytes [3GPP TS 23.003 §9.1].
pub(super) const APN: usize = 99;

/// The longest topic and the longest payload that are believed to be announced by a received message.
///
/// The manual's 1024 and 10 240 bytes bind what a host sends [A7600 MQTT 1.00 §2.2.2.2]; a broker may deliver more,
/// and the module hands it on in parts. This bounds the memory of a message in the making.
pub(super) const RECEIVED: usize = 64 * 1024;

/// What strings in a command may hold: all bytes but control characters and quotes. The manual knows no escapes.
pub(super) const TEXT: Charset = Charset::UTF8;

/// The report that ends a connection [A7600 MQTT 1.00 §2.2.2.1].
pub(super) const CONNLOST: &str = "+CMQTTCONNLOST";

/// What this kind of module can do.
pub(super) static FACTS: Facts = Facts {
    vendor: Vendor::SimCom,
    clients: CLIENTS,
    // A second operation of a client whose first is under way is refused with 14, "client is busy".
    window: 1,
    // The manual gives no limit.
    filters: 5,
    max_payload: *PAYLOAD.end(),
    // [A7600 MQTT 1.00 §3.5]
    empty_payload: true,
    max_topic: *TOPIC.end(),
    payload_patience: PAYLOAD_PATIENCE,
    reports: &["+CIPEVENT", "+MSTK", "*ISIMAID", "*COPN", "SMS DONE", "PB DONE"],
};

/// Times to wait. The manual's maximum is half again as long here, because its figures are the module's own and
/// leave out what the line and other work of the module add.
pub(super) mod timeout {
    use std::time::Duration;

    /// Settings and queries. The manual gives no time.
    pub(in super::super) const SETTING: Duration = Duration::from_secs(5);
    /// The `OK` of commands whose result comes later, and of data.
    pub(in super::super) const ACCEPTED: Duration = Duration::from_secs(15);
    /// `AT+CMQTTSTART`: 120 s [A7600 MQTT 1.00 §2.1.1]. On some models its `OK` comes behind the result.
    pub(in super::super) const START: Duration = Duration::from_secs(180);
    /// `AT+CMQTTSTOP`.
    pub(in super::super) const STOP: Duration = Duration::from_secs(30);
    /// The `OK` of `AT+CMQTTCONNECT`: there may be none when connecting fails, but the result and `ERROR` when it has
    /// [A7600 MQTT 1.00 §2.1.8].
    pub(in super::super) const CONNECT_ACCEPTED: Duration = Duration::from_secs(60);
    /// `AT+CMQTTCONNECT`, with which name resolution and TLS begin; 16 to 45 s were seen.
    pub(in super::super) const CONNECT: Duration = Duration::from_secs(120);
    /// `AT+CCERTDOWN`, `AT+CCERTDELE` and `AT+CCERTLIST`.
    pub(in super::super) const FILE: Duration = Duration::from_secs(15);
}

/// How long the module may keep waiting for a payload. The manual gives no limit.
pub(super) const PAYLOAD_PATIENCE: Duration = Duration::from_secs(35);

/// How long a result is waited for that the module gives up on after `limit`.
pub(super) fn result_timeout(limit: Duration) -> Duration {
    limit * 3 / 2 + Duration::from_secs(5)
}

/// Checks the number of a client.
pub(super) fn client(index: u8) -> Result<i64, InputError> {
    in_range("the client index", index, CLIENTS)
}

/// Checks a length in bytes.
pub(super) fn length(
    field: &'static str,
    got: usize,
    range: RangeInclusive<usize>,
) -> Result<i64, InputError> {
    match i64::try_from(got) {
        Ok(_) if got == 0 && !range.contains(&0) => Err(InputError::Missing { field }),
        Ok(length) if range.contains(&got) => Ok(length),
        _ if got < *range.start() => Err(InputError::Malformed {
            field,
            problem: format!("has {got} bytes, fewer than the smallest number of {}", range.start()).into(),
        }),
        _ => Err(at_codec::ArgumentError::TooLong { field, max: *range.end(), got }.into()),
    }
}

/// A result code with its meaning and what can be done about it.
pub(super) struct Code {
    pub(super) number: i64,
    pub(super) meaning: &'static str,
    pub(super) remedy: Option<&'static str>,
    /// Whether the code says by itself that nothing was sent to the broker.
    is_local: bool,
}

const fn code(number: i64, meaning: &'static str, remedy: &'static str) -> Code {
    Code { number, meaning, remedy: Some(remedy), is_local: false }
}

/// A code that speaks of the command itself, or of the state that it needs.
const fn local(number: i64, meaning: &'static str, remedy: &'static str) -> Code {
    Code { number, meaning, remedy: Some(remedy), is_local: true }
}

const CHECK_NETWORK: &str = "check signal, registration and the broker's address";
const CHECK_TLS: &str = "check certificates, the server's name (SNI) and the clock of the module, and whether the broker wants TLS";
pub(super) const RECONNECT: &str = "check signal and registration, then reconnect";
const CLEAN_UP: &str = "disconnect the client, or restart the module";

/// All results of MQTT commands [A7600 MQTT 1.00 §2.2.1].
pub(super) const RESULTS: &[Code] = &[
    Code { number: 0, meaning: "done", remedy: None, is_local: false },
    code(1, "the module failed without a reason", "try again, or restart the module"),
    local(2, "a text is not UTF-8", "use UTF-8, or switch the check off (checkUTF8)"),
    code(3, "the broker could not be reached", "check host, port and the broker's firewall"),
    code(4, "no socket could be created", "restart the module"),
    code(5, "the socket could not be closed", "restart the module"),
    code(6, "no answer of the broker was received", "check the broker's access rules and log"),
    code(7, "the data connection could not be opened", "check APN, user and password of the SIM's contract"),
    code(8, "the data connection could not be closed", "restart the module"),
    code(9, "the data connection is not open", "reconnect, which starts the module's MQTT service again"),
    local(10, "the module has no such client", "use client 0 or 1"),
    code(11, "the client is not connected", "reconnect"),
    local(12, "a parameter is not valid", "check the option that the command sets"),
    local(13, "the firmware does not know this operation", "update the firmware"),
    local(14, "the client is busy", "try again when its last operation is done"),
    code(15, "the connection could not be requested", CHECK_TLS),
    code(16, "the packet could not be sent", RECONNECT),
    code(17, "the module gave up waiting", CHECK_NETWORK),
    local(18, "there is no topic", "try again"),
    local(19, "the client is in use", CLEAN_UP),
    local(20, "the client is not acquired", "connect it first"),
    local(21, "the client is not released", CLEAN_UP),
    local(22, "a length is out of range", "use a shorter topic or payload"),
    local(23, "the MQTT service is started already", "nothing needs to be done"),
    code(24, "a packet could not be made or read", "reconnect"),
    code(25, "the host name could not be resolved", "check the host name"),
    code(26, "the server closed the connection", CHECK_TLS),
    code(27, "the broker refused the protocol version", "use a broker that speaks MQTT 3.1.1"),
    code(28, "the broker refused the client identifier", "choose another client identifier"),
    code(29, "the broker is not available", "try again later, or check the broker"),
    code(30, "the broker refused user name or password", "check user name and password"),
    code(
        31,
        "the broker did not authorize the client",
        "check user name, password and the broker's access rules",
    ),
    code(32, "the TLS handshake failed", CHECK_TLS),
    code(33, "no certificate is set", "give the certificates that the broker asks for"),
    code(34, "the session could not be opened", CHECK_TLS),
    code(35, "the disconnection failed", CLEAN_UP),
];

/// The code of a result whose meaning the manual gives.
pub(super) fn known(number: i64) -> Option<&'static Code> {
    RESULTS.iter().find(|code| code.number == number)
}

/// The error of a result code; `outcome` is what it means for a message unless the code itself says that nothing
/// was sent.
pub(super) fn refused(command: &str, number: i64, outcome: Outcome) -> ModuleError {
    let error = match known(number) {
        Some(code) => ModuleError::known(command, number, code.meaning, code.remedy),
        None => ModuleError::known(command, number, "a result that the manual does not explain", None),
    };
    let is_local = known(number).is_some_and(|code| code.is_local);
    ModuleError { outcome: if is_local { Outcome::NotSent } else { outcome }, ..error }
}

/// What a result of `AT+CMQTTCONNECT` other than 0 means: 27 to 31 are MQTT's return codes 1 to 5.
pub(super) fn not_connected(number: i64) -> Error {
    match u16::try_from(number) {
        Ok(number @ 27..=31) => BrokerError::connack(number - 26).into(),
        _ => refused("AT+CMQTTCONNECT", number, Outcome::NotSent).into(),
    }
}

/// The code that a refused command gave before its `ERROR` [A7600 MQTT 1.00 §2.1].
pub(super) fn code_of(refusal: &Refusal) -> Option<i64> {
    let line = refusal.deferred.as_ref().or(refusal.lines.last())?;
    let mut fields = Fields::of(line, refusal.command.strip_prefix("AT")?)?;
    // `+CMQTTSTART: <err>`, but `+CMQTTACCQ: <client_index>,<err>`.
    let first = fields.integer()?;
    let code = if fields.is_empty() { first } else { fields.integer()? };
    fields.is_empty().then_some(code)
}

/// Gives a refusal the meaning of the code that preceded it.
pub(super) fn explain(refusal: &Refusal) -> Option<Error> {
    let outcome = match refusal.progress {
        Progress::Nothing | Progress::Begun => Outcome::NotSent,
        _ => Outcome::Unknown,
    };
    Some(refused(&refusal.command, code_of(refusal)?, outcome).into())
}

/// Why a connection ended: causes of `+CMQTTCONNLOST` [A7600 MQTT 1.00 §2.2.2.1].
pub(super) fn loss_cause(cause: i64) -> LossCause {
    match cause {
        1 | 2 => LossCause::ClosedByPeer,
        3 => LossCause::NetworkDown,
        _ => LossCause::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_err_0_to_35_have_meanings_of_their_own() {
        let numbers: Vec<_> = RESULTS.iter().map(|code| code.number).collect();
        assert_eq!(numbers, (0..=35).collect::<Vec<_>>());
        let mut meanings: Vec<_> = RESULTS.iter().map(|code| code.meaning).collect();
        meanings.sort_unstable();
        meanings.dedup();
        assert_eq!(meanings.len(), 36);
        for code in RESULTS {
            assert_eq!(code.remedy.is_none(), code.number == 0, "{} has a remedy", code.number);
            let error = refused("AT+CMQTTPUB", code.number, Outcome::Unknown);
            assert_eq!((error.meaning.as_ref(), error.remedy), (code.meaning, code.remedy));
        }
        assert_eq!(
            refused("AT+CMQTTPUB", 99, Outcome::Unknown).to_string(),
            "AT+CMQTTPUB: a result that the manual does not explain (code 99)"
        );
    }

    #[test]
    fn only_codes_about_the_command_itself_prove_that_nothing_was_sent() {
        let proven = RESULTS.iter().map(|code| refused("AT+CMQTTPUB", code.number, Outcome::Unknown));
        let proven = proven.filter(|error| error.outcome == Outcome::NotSent);
        let proven: Vec<_> = proven.filter_map(|error| error.code).collect();
        assert_eq!(proven, ["2", "10", "12", "13", "14", "18", "19", "20", "21", "22", "23"]);
    }

    #[test]
    fn the_brokers_refusals_are_its_own() {
        for (number, code) in (27..=31).zip(1..) {
            assert!(matches!(not_connected(number), Error::Broker(error) if error.code == code));
        }
        for number in [26, 32, 34, 99] {
            assert!(matches!(not_connected(number), Error::Module(_)), "{number}");
        }
    }

    #[test]
    fn lengths_name_field_and_limits() {
        assert_eq!(length("x", 9, ADDRESS), Ok(9));
        let words = |got, range| length("x", got, range).unwrap_err().to_string();
        assert_eq!(words(0, ADDRESS), "x is missing");
        assert_eq!(words(8, ADDRESS), "x has 8 bytes, fewer than the smallest number of 9");
        assert_eq!(words(257, ADDRESS), "x has 257 bytes, more than the limit of 256");
        assert_eq!(client(2).unwrap_err().to_string(), "the client index is 2, and must be 0 to 1");
    }

    #[test]
    fn s_connlost_1_2_3_have_causes() {
        let causes = [0, 1, 2, 3, 4].map(loss_cause);
        let expected = [
            LossCause::Unknown,
            LossCause::ClosedByPeer,
            LossCause::ClosedByPeer,
            LossCause::NetworkDown,
            LossCause::Unknown,
        ];
        assert_eq!(causes, expected);
    }
}
