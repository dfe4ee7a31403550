//! What results and reports say, for those who read a conversation afterwards.

use at_codec::{Fields, name_of};

use super::facts;
use crate::dialect::meaning::{Meaning, Purpose, client_in, deferred, plain};
use crate::error::ModuleError;

/// Commands, and where their results are told. Only the clouds have results behind the `OK`.
pub(super) const PURPOSES: &[Purpose] = &[
    plain("+MQTTCONNPARAM", "client identifier and credentials"),
    plain("+MQTTWILLPARAM", "the topic of the will"),
    plain("+MQTTWILLMSG", "the message of the will").that_asks(),
    plain("+MQTTCONN", "connect to the broker"),
    plain("+MQTTSUB", "subscribe"),
    plain("+MQTTUNSUB", "end a subscription"),
    plain("+MQTTPUB", "publish"),
    plain("+MQTTPUBS", "publish").that_asks(),
    plain("+MQTTDISCONN", "take leave of the broker").that_ends(),
    plain("+MQTTSTATE", "ask for the state of the connection"),
    deferred("+CLOUDHDAUTH", "the device's credentials for the cloud", &["+CLOUDHDAUTH"]),
    plain("+CLOUDCONN", "connect to the cloud"),
    plain("+CLOUDDISCONN", "take leave of the cloud").that_ends(),
    deferred("+CLOUDSUB", "subscribe in the cloud", &["+CLOUDSUBACK"]),
    deferred("+CLOUDUNSUB", "end a subscription in the cloud", &["+CLOUDUNSUBACK", "+CLOUDNSUBACK"]),
    deferred("+CLOUDPUB", "publish to the cloud", &["+CLOUDPUBACK"]),
    deferred("+CLOUDPUBMSG", "publish to the cloud", &["+CLOUDPUBACK"]).that_asks(),
    plain("+CLOUDSTATE", "ask for the state of the cloud's connection"),
    plain("+AWSTLSCFG", "TLS settings for AWS"),
    plain("+AWSAUTHPARAM", "the certificates for AWS"),
    plain("+AWSCONNPARAM", "client identifier and host for AWS"),
    plain("+AWSCONN", "connect to AWS"),
    plain("+CERTADD", "store a certificate").that_asks(),
    plain("+XIIC", "make the data connection"),
    plain("+XGAUTH", "credentials for the access point"),
];

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
