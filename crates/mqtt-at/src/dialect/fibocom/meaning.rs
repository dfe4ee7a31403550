//! What results and reports say, for those who read a conversation afterwards.

use at_codec::{Fields, name_of};

use super::facts;
use crate::dialect::meaning::{Meaning, client_in, integers, only_integers};
use crate::error::ModuleError;

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
    if let Some(meaning) = of_report(line, name) {
        return Some(meaning);
    }
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

/// Reads what the module reports of its own accord.
fn of_report(line: &[u8], name: &str) -> Option<Meaning> {
    let client = || integers(line, name)?.first().copied().and_then(client_in);
    Some(match name {
        "+MQTTMSG" => Meaning::good(client(), "a message, whose end cannot be known", MESSAGE),
        "+MQTTMSGI" => Meaning::good(client(), "a message waits to be read", "[Fibocom MQTT 1.2.6 §1.10.4]"),
        facts::BREAK => {
            let (text, remedy) = match integers(line, name)?.get(1)? {
                2 => {
                    ("the module has lost its radio link or its address", "check signal and data connection")
                }
                3 => ("the module is not registered in the network", "wait until it is, and connect again"),
                _ => return None,
            };
            Meaning::refused(client(), ModuleError::known(name, 0, text, Some(remedy)), BREAK)
        }
        "+MIPCALL" => {
            let is_up = Fields::of(line, name)?.rest().contains(&b'.');
            let text = if is_up {
                "the data connection is up, with this address"
            } else {
                "the data connection is down"
            };
            Meaning::good(None, text, "[Fibocom MQTT 1.2.6 §3]")
        }
        _ => return None,
    })
}

const BREAK: &str = "[Fibocom MQTT 1.2.6 §1.4.4]";
const MESSAGE: &str = "[Fibocom MQTT 1.2.6 §1.9.4]";

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
            ("+MQTTMSGI: 1,0,6,4", Tone::Good, "a message waits to be read"),
            ("+MQTTBREAK: 1,3", Tone::Bad, "the module is not registered in the network"),
            ("+MIPCALL: 10.0.0.7", Tone::Good, "the data connection is up, with this address"),
            ("+MIPCALL: 0", Tone::Good, "the data connection is down"),
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
