//! What the manual says about limits, times and results.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use at_codec::{Charset, Escaped, Fields};
use at_port::{FinalResult, Progress, Refusal};

use crate::dialect::Facts;
use crate::error::{ModuleError, Outcome};
use crate::event::LossCause;
use crate::vendor::Vendor;

/// The module's only client has no number of its own.
pub(super) use crate::dialect::one_client::CLIENT;

/// The PDP context that `AT+XIIC` dials with [Neoway MQTT 1.2 §3].
pub(super) const PDP_CONTEXT: u8 = 1;

/// The longest client identifier, in bytes [Neoway MQTT 1.2 §5.1].
pub(super) const CLIENT_IDENTIFIER: usize = 256;

/// The longest user name, in bytes [Neoway MQTT 1.2 §5.1].
pub(super) const USER: usize = 512;

/// The longest password, in bytes [Neoway MQTT 1.2 §5.1].
pub(super) const PASSWORD: usize = 256;

/// The longest topic, in bytes, of wills, subscriptions and messages [Neoway MQTT 1.2 §5.2, §5.4 to §5.6].
///
/// The manual does not repeat it for `AT+MQTTPUBS` and the commands of the clouds.
pub(super) const TOPIC: usize = 128;

/// The longest message in a command line, in bytes: will and `AT+MQTTPUB` [Neoway MQTT 1.2 §5.2, §5.6].
pub(super) const INLINE_MESSAGE: usize = 1024;

/// The longest payload behind a prompt, in bytes [Neoway MQTT 1.2 §5.7].
pub(super) const PAYLOAD: usize = 10_240;

/// The longest payload that is believed to be announced by a received message.
///
/// [`PAYLOAD`] binds what a host sends; a broker may deliver more. The codec's limit for a whole element, 16 KiB
/// unless configured, is the bound that matters.
pub(super) const RECEIVED_PAYLOAD: usize = 16 * 1024;

/// The keep-alive interval in seconds [Neoway MQTT 1.2 §5.3]. The manual writes "ms" there; 20 to 180 of those make no
/// sense, its examples use 60, and a later manual says seconds [N58 AT 2.0 §16.6].
pub(super) const KEEP_ALIVE: RangeInclusive<u64> = 20..=180;

/// The keep-alive interval of the clouds, of which the manual shows 60 and says nothing [Neoway MQTT 1.2 §4, §B.4]:
/// what fits the field of MQTT.
pub(super) const CLOUD_KEEP_ALIVE: RangeInclusive<u64> = 0..=65_535;

/// The quality of service of a will [Neoway MQTT 1.2 §5.2].
pub(super) const WILL_QOS: RangeInclusive<u8> = 0..=1;

/// The longest host name, in bytes. The manual gives no limit; this is the longest name that DNS knows.
pub(super) const HOST: usize = 253;

/// The longest host and port in one string.
pub(super) const ADDRESS: usize = HOST + ":65535".len();

/// The longest user name and password of an access point, in bytes: 32 on N58 [N58 AT 2.0 §4.21], 50 on N706.
pub(super) const ACCESS: usize = 50;

/// The longest product key, device name, device secret and name of a file, in bytes; the manual gives no limit.
pub(super) const NAME: usize = 256;

/// The largest file that is sent to the module, in bytes. The manual gives no limit; a certificate is a tenth of it.
pub(super) const CERTIFICATE: RangeInclusive<u32> = 1..=65_535;

/// What strings in a command may hold: printable ASCII without quotes. The manual knows no escapes, and newer ones take
/// `\` as one, so that it is not the same on every module.
pub(super) const TEXT: Charset = Charset::ASCII.no_backslash();

/// The report of a message, which has the name of the answer of `AT+MQTTSUB?`, too [Neoway MQTT 1.2 §5.4].
pub(super) const MESSAGE: &str = "+MQTTSUB";

/// The same without the plus sign.
pub(super) const BARE_MESSAGE: &str = "MQTTSUB";

/// The report of a message from Alibaba's cloud [Neoway MQTT 1.2 §4].
pub(super) const CLOUD_MESSAGE: &str = "+CLOUDPUBLISH";

/// The report of a message from AWS, of which only later manuals know [N58 AT 2.0 §17.9].
pub(super) const AWS_MESSAGE: &str = "+AWSSUBRECV";

/// The vendor's own final result, with which the connection is closed [Neoway MQTT 1.2 §B.1, §B.5].
pub(super) const CMD_ERROR: &str = "+CMD ERROR";

/// The report that ends a connection [Neoway MQTT 1.2 §5.3].
pub(super) const DISCONNECTED: &[u8] = b"+MQTTDISCONNED";

/// The state of the connection, as answer and as report [Neoway MQTT 1.2 §5.9].
pub(super) const STATE: &str = "+MQTTSTATE";

/// The final result of a command whose data did not come in time, behind its name [Neoway MQTT 1.2 §5.7, §B.2].
pub(super) const TIMED_OUT: &[u8] = b"Timeout!";

/// The commands that ask for data with `>`, and give it up after a while.
pub(super) const PROMPTING: &[&str] = &["+MQTTPUBS", "+CLOUDPUBMSG", "+MQTTWILLMSG"];

/// What this kind of module can do.
pub(super) static FACTS: Facts = Facts {
    vendor: Vendor::Neoway,
    clients: CLIENT..=CLIENT,
    // Its `OK` waits for the broker, and until then the port is busy.
    window: 1,
    filters: 1,
    max_payload: PAYLOAD,
    // The manual gives no smallest `<msg_length>`. A module that asked for the data of an empty payload and waited for
    // its first byte would publish the next command instead, so it is not tried.
    empty_payload: false,
    max_topic: TOPIC,
    payload_patience: timeout::PROMPT,
    reports: &["+PBREADY", "+XIIC"],
};

/// Times to wait. The manual's maximum is half again as long here, or longer where modules were seen to be late: a
/// module that still works on a command takes no other, so a false alarm costs more than patience.
pub(super) mod timeout {
    use std::time::Duration;

    /// Settings and states: 300 ms [Neoway MQTT 1.2 §5.1, §5.2, §5.9].
    pub(in super::super) const SETTING: Duration = Duration::from_secs(5);
    /// `AT+MQTTCONN`: 60 s [Neoway MQTT 1.2 §5.3].
    pub(in super::super) const CONNECT: Duration = Duration::from_secs(90);
    /// Subscribing, ending subscriptions, disconnecting: 30 s [Neoway MQTT 1.2 §5.4, §5.5, §5.8].
    pub(in super::super) const SUBSCRIBE: Duration = Duration::from_secs(45);
    /// The same for taking leave.
    pub(in super::super) const DISCONNECT: Duration = SUBSCRIBE;
    /// Publishing: 30 s [Neoway MQTT 1.2 §5.6, §5.7]; drivers of real modules allow 60 s.
    pub(in super::super) const PUBLISH: Duration = Duration::from_secs(60);
    /// How long the module waits for the data that it has asked for: 30 s [Neoway MQTT 1.2 §5.7, §B.2].
    pub(in super::super) const PROMPT: Duration = Duration::from_secs(35);
    /// The results of the clouds' commands behind their `OK`, for which the manual gives no time.
    pub(in super::super) const CLOUD: Duration = Duration::from_secs(45);
    /// `AT+XIIC=1`: no time in the manual; drivers of real modules allow 150 s.
    pub(in super::super) const ACTIVATE: Duration = Duration::from_secs(150);
    /// Storing a file.
    pub(in super::super) const FILE: Duration = Duration::from_secs(30);
}

/// A code of `+CMD ERROR`, with its meaning and what can be done about it.
struct Code {
    number: i64,
    meaning: &'static str,
    remedy: &'static str,
}

/// The codes of `+CMD ERROR`, with which the connection is closed. [Neoway MQTT 1.2 §B.5] says that there are some;
/// which, only a later manual says [N58 AT 2.0 §15.6].
const CODES: &[Code] = &[
    Code { number: -1, meaning: "there is no connection", remedy: "reconnect" },
    Code { number: -2, meaning: "the packet could not be sent", remedy: RECONNECT },
    Code { number: -3, meaning: "the broker did not acknowledge the packet in time", remedy: RECONNECT },
    Code {
        number: -4,
        meaning: "the topic is not valid",
        remedy: "check the topic and the broker's access rules, then reconnect",
    },
    Code {
        number: -5,
        meaning: "a received message was too long for the module",
        remedy: "publish shorter messages to this module, then reconnect",
    },
];

const RECONNECT: &str = "check signal and registration, then reconnect";

/// What a refusal with a meaning of this vendor's own means.
pub(super) fn explain(refusal: &Refusal) -> Option<ModuleError> {
    if is_timed_out(&refusal.result) {
        // The module takes all of a payload or nothing, and now it takes no more of this one.
        return Some(ModuleError {
            command: refusal.command.clone(),
            code: Some("Timeout!".into()),
            meaning: "the payload did not reach the module in time, and was not sent".into(),
            remedy: Some("check the baud rate, and switch flow control on"),
            outcome: Outcome::NotSent,
        });
    }
    let (code, meaning, remedy) = match (&refusal.result, refusal.command.as_str()) {
        (FinalResult::Vendor { line, .. }, _) => {
            let (code, known) = cmd_error(line)?;
            match known {
                Some(known) => (Some(code), known.meaning, known.remedy),
                None => (Some(code), "the module failed, and has closed the connection", RECONNECT),
            }
        }
        (FinalResult::Error, "AT+MQTTCONN") => (
            None,
            "the broker could not be reached, or refused the client",
            "check host, port, user name and password, and that no other client has the same identifier",
        ),
        (FinalResult::Error, "AT+MQTTSUB") => (
            None,
            "the subscription failed",
            "check the broker's access rules for this topic filter, then signal and registration",
        ),
        (FinalResult::Error, "AT+MQTTPUBS" | "AT+MQTTPUB") => {
            (None, "the message was not published", RECONNECT)
        }
        _ => return None,
    };
    let is_over = matches!(refusal.progress, Progress::Nothing | Progress::Begun);
    Some(ModuleError {
        command: refusal.command.clone(),
        code: code.map(Cow::Owned),
        meaning: meaning.into(),
        remedy: Some(remedy),
        outcome: if is_over { Outcome::NotSent } else { Outcome::Unknown },
    })
}

/// Reads `+CMD ERROR: <code>`, also without the angle brackets.
fn cmd_error(line: &[u8]) -> Option<(String, Option<&'static Code>)> {
    let fields = Fields::of(line, CMD_ERROR)?;
    let code = Escaped(fields.rest()).to_string().trim_matches(['<', '>', ' ']).to_owned();
    let known =
        code.parse::<i64>().ok().and_then(|number| CODES.iter().find(|code: &&Code| code.number == number));
    Some((code, known))
}

/// Whether a command may be refused with `+CMD ERROR`: those that want something of the broker. The manual names
/// publishing and subscribing [Neoway MQTT 1.2 §B.1], logs show it for connecting.
pub(super) fn may_be_cmd_error(command: &str) -> bool {
    let asks_broker = ["CONN", "SUB", "PUB", "PUBS", "PUBMSG"].iter().any(|end| command.ends_with(end));
    asks_broker && !command.ends_with("DISCONN")
}

/// Whether the vendor's own refusal was read.
pub(super) fn is_cmd_error(result: &FinalResult) -> bool {
    matches!(result, FinalResult::Vendor { line, .. } if Fields::of(line, CMD_ERROR).is_some())
}

/// Whether the module gave up waiting for data.
pub(super) fn is_timed_out(result: &FinalResult) -> bool {
    let FinalResult::Vendor { line, .. } = result else { return false };
    timed_out(line)
}

/// Whether a line says that the module gave up waiting for data.
pub(super) fn timed_out(line: &[u8]) -> bool {
    let is_of = |name| Fields::of(line, name).is_some_and(|fields| fields.rest().trim_ascii() == TIMED_OUT);
    PROMPTING.iter().copied().any(is_of)
}

/// Why a connection ended, in the words behind `+MQTTDISCONNED` [Neoway MQTT 1.2 §5.3].
pub(super) fn loss_cause(line: &[u8]) -> LossCause {
    match Fields::of(line, "+MQTTDISCONNED") {
        Some(fields) if fields.rest().trim_ascii() == b"Link Closed" => LossCause::ClosedByPeer,
        _ => LossCause::Unknown,
    }
}
