//! What the user guide says about limits, times and results.

use std::ops::RangeInclusive;

use at_codec::Charset;
use at_port::{FinalResult, Probe, Progress, Refusal};

use crate::dialect::Facts;
use crate::error::{ModuleError, Outcome};
use crate::vendor::Vendor;

/// In every command: `LinkID` [ESP-AT MQTT].
pub(super) use crate::dialect::one_client::CLIENT;

/// The longest command line, line end included: less than 256 bytes [ESP-AT MQTT, MQTTUSERCFG].
pub(super) const LINE: usize = 255;

/// The longest client identifier, user name and password in a command line. The guide allows 256, 64 and 64 bytes
/// [ESP-AT MQTT, MQTTUSERCFG]; with 64 each the line is within its own limit.
pub(super) const INLINE: usize = 64;

/// The longest client identifier, user name and password behind a prompt, in bytes; an empty one cannot be said so
/// [ESP-AT MQTT, MQTTLONGCLIENTID, MQTTLONGUSERNAME, MQTTLONGPASSWORD].
pub(super) const LONG: usize = 1024;

/// The longest topic, in bytes, of wills, subscriptions and messages [ESP-AT MQTT, MQTTCONNCFG, MQTTPUBRAW,
/// MQTTUNSUB]. Guides of older firmware say 64.
pub(super) const TOPIC: usize = 128;

/// The longest message of a will, in bytes [ESP-AT MQTT, MQTTCONNCFG].
pub(super) const WILL_MESSAGE: usize = 128;

/// The longest host name, in bytes [ESP-AT MQTT, MQTTCONN].
pub(super) const HOST: usize = 128;

/// The keep-alive interval in seconds [ESP-AT MQTT, MQTTCONNCFG]. The guide's 0 is no "off": the module takes 120 s
/// instead.
pub(super) const KEEP_ALIVE: RangeInclusive<u64> = 1..=7200;

/// The longest payload, in bytes. The guide gives no limit but the free memory [ESP-AT MQTT, MQTTPUBRAW]; this is
/// ours, which a chip may refuse.
pub(super) const PAYLOAD: usize = 8192;

/// The longest payload that is believed to be announced by a received message. The codec's limit for a whole element,
/// 16 KiB unless configured, is the bound that matters.
pub(super) const RECEIVED_PAYLOAD: usize = 16 * 1024;

/// What strings in a command may hold: no quotes and no control characters. `\` and `,` are written with a `\` in
/// front [ESP-AT AT Command Set, AT Command Types].
pub(super) const TEXT: Charset = Charset::UTF8;

/// The same for what is not escaped.
pub(super) const PLAIN: Charset = Charset::UTF8.no_backslash().no_comma();

/// The report of a message [ESP-AT MQTT, MQTTSUB].
pub(super) const MESSAGE: &str = "+MQTTSUBRECV";

/// The report that ends a connection [ESP-AT MQTT, Notes].
pub(super) const DISCONNECTED: &str = "+MQTTDISCONNECTED";

/// The report of a new connection [ESP-AT MQTT, Notes].
pub(super) const CONNECTED: &str = "+MQTTCONNECTED";

/// The state of the connection, as answer and as report [ESP-AT MQTT, MQTTCONN].
pub(super) const CONNECTION: &str = "+MQTTCONN";

/// What ends `AT+MQTTPUBRAW` [ESP-AT MQTT, MQTTPUBRAW].
pub(super) const PUBLISHED: &[u8] = b"+MQTTPUB:OK";

/// The same for a message that was not published.
pub(super) const NOT_PUBLISHED: &[u8] = b"+MQTTPUB:FAIL";

/// The start of the line that tells the reason of the `ERROR` behind it [ESP-AT AT Command Set, AT Messages].
const REASON: &[u8] = b"ERR CODE:0x";

/// Questions that every module with ESP-AT answers at once. Its lines end with CR LF
/// [ESP-AT AT Command Set, AT Command Types].
pub(crate) const PROBES: &[Probe] = &[
    Probe { line: b"AT+SYSSTORE?\r\n", name: "+SYSSTORE" },
    Probe { line: b"AT+CWMODE?\r\n", name: "+CWMODE" },
    Probe { line: b"AT+CIPMUX?\r\n", name: "+CIPMUX" },
    Probe { line: b"AT+CIPMODE?\r\n", name: "+CIPMODE" },
    Probe { line: b"AT+CWAUTOCONN?\r\n", name: "+CWAUTOCONN" },
    Probe { line: b"AT+SLEEP?\r\n", name: "+SLEEP" },
    Probe { line: b"AT+CIPDINFO?\r\n", name: "+CIPDINFO" },
];

/// What this kind of module can do.
pub(super) static FACTS: Facts = Facts {
    vendor: Vendor::Espressif,
    clients: CLIENT..=CLIENT,
    // Until the result of a publish has come, the module is busy.
    window: 1,
    filters: 1,
    max_payload: PAYLOAD,
    // The guide gives no smallest length. A module that waited for the first byte of nothing would publish the next
    // command instead, so it is not tried.
    empty_payload: false,
    max_topic: TOPIC,
    payload_patience: timeout::PROMPT,
    reports: &[
        "WIFI CONNECTED",
        "WIFI GOT IP",
        "WIFI GOT IPv6 LL",
        "WIFI GOT IPv6 GL",
        "WIFI DISCONNECT",
        "+ETH_CONNECTED",
        "+ETH_GOT_IP",
        "+ETH_DISCONNECTED",
    ],
};

/// Times to wait. The module answers within 10 s [ESP-AT MQTT, Notes]; half as long again is waited.
pub(super) mod timeout {
    use std::time::Duration;

    /// Settings, states, subscriptions, taking leave.
    pub(in super::super) const COMMAND: Duration = Duration::from_secs(15);
    /// `AT+MQTTCONN`: 10 s for each packet of a TLS handshake, without a limit for all [ESP-AT MQTT, Notes].
    pub(in super::super) const CONNECT: Duration = Duration::from_secs(60);
    /// `+MQTTCONNECTED`, which stands right in front of the `OK`.
    pub(in super::super) const CONNECTED: Duration = Duration::from_secs(5);
    /// Publishing: as any command; with QoS 1 and 2 the broker is to answer in this time as well.
    pub(in super::super) const PUBLISH: Duration = Duration::from_secs(30);
    /// The prompt for data. How long the module itself waits for them the guide does not say.
    pub(in super::super) const PROMPT: Duration = Duration::from_secs(15);
}

/// What is known of the reason of a refusal.
struct Reason {
    code: u32,
    meaning: &'static str,
    remedy: Option<&'static str>,
}

const fn reason(code: u32, meaning: &'static str, remedy: Option<&'static str>) -> Reason {
    Reason { code, meaning, remedy }
}

const RECONNECT: Option<&str> = Some("reconnect; if it stays, restart the module");
const MEMORY: Option<&str> = Some("send shorter messages, or restart the module");
const CERTIFICATES: Option<&str> =
    Some("write the certificates into the module's flash, as its user guide says");

/// The reasons that are not the fault of this library [ESP-AT MQTT, MQTT AT Error Codes].
const REASONS: &[Reason] = &[
    reason(0x6001, "the client is not configured", RECONNECT),
    reason(0x6002, "the client is in no state for this command", RECONNECT),
    reason(0x6003, "there is no client", RECONNECT),
    reason(0x6004, "the client is connected already", RECONNECT),
    reason(0x6005, "the module has too little memory", MEMORY),
    reason(0x6009, "the module's TLS cannot be configured", CERTIFICATES),
    reason(0x600A, "the client's parameters cannot be used", None),
    reason(
        0x600B,
        "the client could not be started",
        Some("check host and port, and that there is a Wi-Fi network"),
    ),
    reason(0x600C, "the message was not published", RECONNECT),
    reason(0x600D, "the subscription failed", Some("check the broker's access rules for this topic filter")),
    reason(0x600E, "the subscription could not be ended", RECONNECT),
    reason(0x600F, "the module could not disconnect", RECONNECT),
    reason(0x6021, "the CA certificate has a wrong length", CERTIFICATES),
    reason(0x6022, "the CA certificate cannot be read", CERTIFICATES),
    reason(0x6023, "the client certificate has a wrong length", CERTIFICATES),
    reason(0x6024, "the client certificate cannot be read", CERTIFICATES),
    reason(0x6025, "the private key has a wrong length", CERTIFICATES),
    reason(0x6026, "the private key cannot be read", CERTIFICATES),
    reason(0x6032, "the will's topic is too long", Some("older firmware takes 64 bytes")),
    reason(0x6035, "the will's message is too long", Some("older firmware takes 64 bytes")),
    reason(0x6043, "the topic is too long", Some("older firmware takes 64 bytes")),
    reason(0x6046, "the payload is too long", MEMORY),
    reason(0x604C, "the payload has a length that the module does not take", MEMORY),
    reason(0x604D, "the payload did not reach the module as long as it was announced", None),
    reason(0x6050, "the module cannot use the host", Some("check the host")),
    reason(0x6051, "the client is not connected", RECONNECT),
    reason(0x6052, "the server's certificate has another name", Some("check the host")),
];

/// What a refusal means, by the reason that the module told or else by the command.
pub(super) fn explain(refusal: &Refusal) -> Option<ModuleError> {
    let code = refusal.lines.iter().find_map(|line| code_of(line));
    let known = code.and_then(|code| REASONS.iter().find(|reason| reason.code == code));
    let (meaning, remedy) = match (known, &refusal.result, refusal.command.as_str()) {
        (Some(reason), ..) => (reason.meaning, reason.remedy),
        (None, FinalResult::Vendor { .. }, _) => ("the module could not publish the message", RECONNECT),
        (None, FinalResult::Error, "AT+MQTTCONN") => (
            "the broker could not be reached, or refused the client",
            Some(
                "check host, port, user name and password, and that no other client has the same identifier",
            ),
        ),
        (None, FinalResult::Error, _) if code.is_some() => ("the module refused the command", None),
        _ => return None,
    };
    let is_over = matches!(refusal.progress, Progress::Nothing | Progress::Begun);
    Some(ModuleError {
        command: refusal.command.clone(),
        code: code.map(|code| format!("0x{code:04X}").into()),
        meaning: meaning.into(),
        remedy,
        outcome: if is_over { Outcome::NotSent } else { Outcome::Unknown },
    })
}

/// The code in a line `ERR CODE:0x…`.
fn code_of(line: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(line.strip_prefix(REASON)?).ok()?;
    u32::from_str_radix(digits.trim(), 16).ok()
}
