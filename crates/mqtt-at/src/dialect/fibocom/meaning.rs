//! What results and reports say, for those who read a conversation afterwards.

use at_codec::name_of;

use super::facts;
use crate::dialect::meaning::{Meaning, client_in, only_integers};

/// Results, what success means, and the manual's section.
const RESULTS: &[(&str, &str, &str)] = &[
    ("+MQTTOPEN", "the broker accepted the client", "[Fibocom MQTT 1.2.6 §1.2.4]"),
    ("+MQTTCLOSE", "the connection is closed", "[Fibocom MQTT 1.2.6 §1.3.4]"),
    ("+MQTTSUB", "subscribed", "[Fibocom MQTT 1.2.6 §1.5.4]"),
    ("+MQTTUNSUB", "the subscription has ended", "[Fibocom MQTT 1.2.6 §1.6.4]"),
    ("+MQTTPUB", "published", "[Fibocom MQTT 1.2.6 §1.7.4]"),
];

/// Reads a result or report. Here 1 is success and 0 is failure.
pub(super) fn of(line: &[u8]) -> Option<Meaning> {
    if facts::is_error(line) {
        let error = facts::broker_error(line)?;
        return Some(Meaning::by_broker(None, &error, "[Fibocom MQTT 1.2.6 §2]"));
    }
    let name = std::str::from_utf8(name_of(line)?).ok()?;
    let (_, good, source) = RESULTS.iter().find(|(known, ..)| *known == name)?;
    let numbers = only_integers(line, name)?;
    let &[client, status] = numbers.as_slice() else { return None };
    let client = client_in(client);
    Some(match status {
        1 => Meaning::good(client, *good, source),
        0 => Meaning::refused(client, facts::failed(&format!("AT{name}")), source),
        _ => return None,
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
            ("+MQTTOPEN: 1,1", Tone::Good, "the broker accepted the client"),
            ("+MQTTOPEN: 1,0", Tone::Bad, "the client was not connected, and the module gives no reason"),
            ("+MQTTPUB: 2,0", Tone::Bad, "the packet could not be sent, or was not acknowledged"),
            ("ERROR: 703", Tone::Bad, "the broker refused: bad user name or password (code 4)"),
        ] {
            let meaning = of(line.as_bytes()).unwrap();
            assert_eq!((meaning.tone, meaning.text.as_ref()), (tone, words), "{line}");
        }
        for line in ["+MQTTOPEN: 1", "+MQTTOPEN: 1,\"host\"", "+MQTTREAD: 1,1", "ERROR", "ERROR: 9"] {
            assert_eq!(of(line.as_bytes()), None, "{line}");
        }
        for command in COMMANDS.iter().filter(|it| !it.results.is_empty()) {
            assert!(RESULTS.iter().any(|(name, ..)| *name == command.name), "{}", command.name);
        }
    }
}
