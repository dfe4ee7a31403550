//! The commands of Fibocom, by name.

use crate::dialect::known::{KnownCommand, known};

/// In the order of the manual: who reads it finds what belongs together.
pub(crate) const COMMANDS: &[KnownCommand] = &[
    known("+MQTTUSER", "<id>,<user>,<password>,<client_id>", "who a client is"),
    known(
        "+MQTTOPEN",
        "<id>,<host>,<port>,<clean_session>,<keepalive>[,…]",
        "connect a client to the broker",
    )
    .told_by(&["+MQTTOPEN"]),
    known("+MQTTCLOSE", "<id>", "disconnect a client").told_by(&["+MQTTCLOSE"]).that_ends(),
    known("+MQTTSUB", "<id>,<topic>,<qos>", "subscribe").told_by(&["+MQTTSUB"]),
    known("+MQTTUNSUB", "<id>,<topic>", "end a subscription").told_by(&["+MQTTUNSUB"]),
    known("+MQTTPUB", "<id>,<topic>,<qos>,<retain>,<payload or size>", "publish")
        .told_by(&["+MQTTPUB"])
        .that_asks(),
    known("+MQTTCONF", "<mode>", "how messages are reported"),
    known("+MQTTREAD", "<id>,<number>", "read messages that the module keeps"),
    known("+MQTTWILL", "<id>,<topic>,<qos>,<retain>,<payload>", "the will, as text"),
    known("+MIPCALL", "<operation>[,<apn>,<user>,<password>]", "dial the data connection, or hang up"),
];
