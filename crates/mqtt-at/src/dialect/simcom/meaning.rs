//! What results and reports say, for those who read a conversation afterwards.

use at_codec::name_of;

use super::facts;
use crate::dialect::meaning::{Meaning, client_in, only_integers};
use crate::error::{BrokerError, ModuleError, Outcome};

/// Results, what success means, and the manual's section.
const RESULTS: &[(&str, &str, &str)] = &[
    ("+CMQTTSTART", "the MQTT service runs", "[A7600 MQTT 1.00 §2.1.1]"),
    ("+CMQTTSTOP", "the MQTT service has stopped", "[A7600 MQTT 1.00 §2.1.2]"),
    ("+CMQTTACCQ", "the client is acquired", "[A7600 MQTT 1.00 §2.1.3]"),
    ("+CMQTTREL", "the client is released", "[A7600 MQTT 1.00 §2.1.4]"),
    ("+CMQTTSSLCFG", "set", "[A7600 MQTT 1.00 §2.1.5]"),
    ("+CMQTTWILLTOPIC", "set", "[A7600 MQTT 1.00 §2.1.6]"),
    ("+CMQTTWILLMSG", "set", "[A7600 MQTT 1.00 §2.1.7]"),
    ("+CMQTTCONNECT", "the broker accepted the client", "[A7600 MQTT 1.00 §2.1.8]"),
    ("+CMQTTDISC", "the broker was left", "[A7600 MQTT 1.00 §2.1.9]"),
    ("+CMQTTTOPIC", "taken", "[A7600 MQTT 1.00 §2.1.10]"),
    ("+CMQTTPAYLOAD", "taken", "[A7600 MQTT 1.00 §2.1.11]"),
    ("+CMQTTPUB", "published", "[A7600 MQTT 1.00 §2.1.12]"),
    ("+CMQTTSUBTOPIC", "taken", "[A7600 MQTT 1.00 §2.1.13]"),
    ("+CMQTTSUB", "subscribed", "[A7600 MQTT 1.00 §2.1.14]"),
    ("+CMQTTUNSUBTOPIC", "taken", "[A7600 MQTT 1.00 §2.1.15]"),
    ("+CMQTTUNSUB", "the subscription has ended", "[A7600 MQTT 1.00 §2.1.16]"),
];

/// Reads a result or report.
pub(super) fn of(line: &[u8]) -> Option<Meaning> {
    let name = std::str::from_utf8(name_of(line)?).ok()?;
    if name == "+CIPEVENT" {
        let error = ModuleError::known(name, 0, "the data connection has ended", Some(facts::RECONNECT));
        return Some(Meaning::refused(None, error, "[A7600 MQTT 1.00 §2.2.2.1]"));
    }
    let (_, good, source) = RESULTS.iter().find(|(known, ..)| *known == name)?;
    let numbers = only_integers(line, name)?;
    // `+CMQTTSTART: <err>`, but `+CMQTTACCQ: <client_index>,<err>`.
    let (client, code) = match numbers[..] {
        [code] => (None, code),
        [client, code] => (client_in(client), code),
        _ => return None,
    };
    Some(match u16::try_from(code) {
        Ok(0) => Meaning::good(client, *good, source),
        Ok(code @ 27..=31) => Meaning::by_broker(client, &BrokerError::connack(code - 26), source),
        _ => Meaning::refused(client, facts::refused(name, code, Outcome::Unknown), source),
    })
}

#[cfg(test)]
mod tests {
    use super::super::known::COMMANDS;
    use super::*;
    use crate::dialect::meaning::Tone;

    #[test]
    fn results_in_words() {
        for (line, tone, words) in [
            ("+CMQTTSTART: 0", Tone::Good, "the MQTT service runs"),
            ("+CMQTTSTART: 23", Tone::Bad, "the MQTT service is started already"),
            ("+CMQTTCONNECT: 0,0", Tone::Good, "the broker accepted the client"),
            ("+CMQTTCONNECT: 1,31", Tone::Bad, "the broker refused: not authorized (code 5)"),
            ("+CMQTTPUB: 0,6", Tone::Bad, "no answer of the broker was received"),
            ("+CMQTTSUBTOPIC: 0,12", Tone::Bad, "a parameter is not valid"),
        ] {
            let meaning = of(line.as_bytes()).unwrap();
            assert_eq!((meaning.tone, meaning.text.as_ref()), (tone, words), "{line}");
        }
        assert_eq!(of(b"+CMQTTPUB: 1,0").unwrap().client, Some(1));
        for line in ["+CMQTTCONNECT: 0,\"tcp://host\",60,1", "+CSQ: 1,2", "OK"] {
            assert_eq!(of(line.as_bytes()), None, "{line}");
        }
        for command in COMMANDS.iter().filter(|it| !it.results.is_empty()) {
            assert!(RESULTS.iter().any(|(name, ..)| *name == command.name), "{}", command.name);
        }
    }
}
