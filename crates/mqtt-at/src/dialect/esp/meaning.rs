//! What results and reports say, for those who read a conversation afterwards.

use at_codec::Fields;

use super::facts;
use crate::dialect::meaning::{Meaning, Purpose, plain};

/// Commands. None of them has a result behind its final one.
pub(super) const PURPOSES: &[Purpose] = &[
    plain("+MQTTUSERCFG", "client identifier, credentials and scheme"),
    plain("+MQTTLONGCLIENTID", "a long client identifier").that_asks(),
    plain("+MQTTLONGUSERNAME", "a long user name").that_asks(),
    plain("+MQTTLONGPASSWORD", "a long password").that_asks(),
    plain("+MQTTCONNCFG", "keep-alive, session and will"),
    plain("+MQTTSNI", "the server's name for TLS"),
    plain("+MQTTCONN", "connect to the broker"),
    plain("+MQTTPUB", "publish"),
    plain("+MQTTPUBRAW", "publish").that_asks(),
    plain("+MQTTSUB", "subscribe"),
    plain("+MQTTUNSUB", "end a subscription"),
    plain("+MQTTCLEAN", "take leave of the broker").that_ends(),
    plain("+CIPSTA", "ask for the address"),
    plain("+SYSLOG", "reasons of errors"),
    plain("+SYSSTORE", "whether settings are kept"),
    plain("+CWMODE", "the role in Wi-Fi"),
];

/// Reads a result or report.
pub(super) fn of(line: &[u8]) -> Option<Meaning> {
    let mut fields = Fields::of(line, facts::CONNECTED)?;
    let client = u8::try_from(fields.integer()?).ok();
    Some(Meaning::good(client, "the broker accepted the client", "[ESP-AT MQTT, Notes]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_in_words() {
        let line = b"+MQTTCONNECTED:0,1,\"broker\",\"1883\",\"\",1";
        assert_eq!(
            of(line).map(|it| (it.client, it.text)),
            Some((Some(0), "the broker accepted the client".into()))
        );
        assert_eq!(of(b"+MQTTSUBRECV:0,\"t\",1,x"), None);
    }
}
