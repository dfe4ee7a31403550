//! What results and reports say, for those who read a conversation afterwards.

use at_codec::{Fields, name_of};

use super::facts;
use crate::dialect::meaning::{Meaning, client_in};
use crate::error::ModuleError;

/// Reads a result or report.
pub(super) fn of(line: &[u8]) -> Option<Meaning> {
    let name = std::str::from_utf8(name_of(line)?).ok()?;
    let mut fields = Fields::of(line, name)?;
    Some(match name {
        facts::STATE => {
            let text = match fields.integer()? {
                0 => {
                    let error = ModuleError::known(name, 0, "there is no connection", Some("reconnect"));
                    return Some(Meaning::refused(client_in(facts::CLIENT.into()), error, STATE));
                }
                1 => "connected",
                // Seen on N27; the manual knows 0 and 1 only.
                2..=4 => "the module is reconnecting by itself",
                _ => return None,
            };
            Meaning::good(Some(facts::CLIENT), text, STATE)
        }
        "+CLOUDHDAUTH" | "+CLOUDSUBACK" | "+CLOUDUNSUBACK" | "+CLOUDNSUBACK" | "+CLOUDPUBACK" => {
            let is_good = fields.rest().windows(2).any(|it| it == b"OK");
            if is_good {
                return Some(Meaning::good(None, "done", CLOUD));
            }
            let error =
                ModuleError::known(name, 0, "the cloud refused", Some("check the device's credentials"));
            Meaning::refused(None, error, CLOUD)
        }
        _ => return None,
    })
}

const STATE: &str = "[Neoway MQTT 1.2 §5.9]";
const CLOUD: &str = "[Neoway MQTT 1.2 §4]";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::meaning::Tone;

    #[test]
    fn results_in_words() {
        for (line, tone, words) in [
            ("+MQTTSTATE:1", Tone::Good, "connected"),
            ("+MQTTSTATE: 0", Tone::Bad, "there is no connection"),
            ("+MQTTSTATE: 3", Tone::Good, "the module is reconnecting by itself"),
            ("+CLOUDPUBACK: <OK>", Tone::Good, "done"),
            ("+CLOUDSUBACK: ERROR", Tone::Bad, "the cloud refused"),
        ] {
            let meaning = of(line.as_bytes()).unwrap();
            assert_eq!((meaning.tone, meaning.text.as_ref()), (tone, words), "{line}");
        }
        assert_eq!(of(b"+MQTTSUB:3,\"t\",1,x"), None);
    }
}
