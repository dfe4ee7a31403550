//! The commands of ESP-AT, by name.

use crate::dialect::known::{KnownCommand, known};

/// In the order of the manual: who reads it finds what belongs together.
pub(crate) const COMMANDS: &[KnownCommand] = &[
    known(
        "+MQTTUSERCFG",
        "<LinkID>,<scheme>,<client_id>,<username>,<password>,<cert>,<CA>,<path>",
        "who the client is",
    ),
    known("+MQTTLONGCLIENTID", "<LinkID>,<length>", "a long client identifier").that_asks(),
    known("+MQTTLONGUSERNAME", "<LinkID>,<length>", "a long user name").that_asks(),
    known("+MQTTLONGPASSWORD", "<LinkID>,<length>", "a long password").that_asks(),
    known(
        "+MQTTCONNCFG",
        "<LinkID>,<keepalive>,<disable_clean>,<topic>,<msg>,<qos>,<retain>",
        "session and will",
    ),
    known("+MQTTSNI", "<LinkID>,<name>", "the server's name for TLS"),
    known("+MQTTCONN", "<LinkID>,<host>,<port>,<reconnect>", "connect to the broker"),
    known("+MQTTPUB", "<LinkID>,<topic>,<data>,<qos>,<retain>", "publish a text"),
    known("+MQTTPUBRAW", "<LinkID>,<topic>,<length>,<qos>,<retain>", "publish").that_asks(),
    known("+MQTTSUB", "<LinkID>,<topic>,<qos>", "subscribe"),
    known("+MQTTUNSUB", "<LinkID>,<topic>", "end a subscription"),
    known("+MQTTCLEAN", "<LinkID>", "disconnect, and free the client").that_ends(),
    known("+SYSLOG", "<enable>", "whether refusals tell their reason"),
    known("+SYSSTORE", "<store>", "whether settings outlive a restart"),
    known("+CIPSTA", "", "the address in the local network"),
    known("+CWJAP", "<ssid>,<password>", "join a network"),
    known("+RST", "", "restart the module"),
    known("+CWMODE", "<mode>", "the role in Wi-Fi"),
];
