//! What results and reports say, for those who read a conversation afterwards.

use at_codec::Fields;

use super::facts;
use crate::dialect::meaning::Meaning;

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
