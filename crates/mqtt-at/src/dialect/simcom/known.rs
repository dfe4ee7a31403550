//! The commands of SIMCom, by name.

use crate::dialect::known::{KnownCommand, known, setting};

/// In the order of the manual: who reads it finds what belongs together.
pub(crate) const COMMANDS: &[KnownCommand] = &[
    known("+CMQTTSTART", "", "start the MQTT service").told_by(&["+CMQTTSTART"]),
    known("+CMQTTSTOP", "", "stop the MQTT service").told_by(&["+CMQTTSTOP"]).that_ends(),
    known("+CMQTTACCQ", "<client_index>,<clientID>[,<server_type>]", "acquire a client"),
    known("+CMQTTREL", "<client_index>", "release a client").that_ends(),
    known("+CMQTTSSLCFG", "<session_id>,<ssl_ctx_index>", "the TLS context of a client"),
    known("+CMQTTWILLTOPIC", "<client_index>,<req_length>", "the will's topic").that_asks(),
    known("+CMQTTWILLMSG", "<client_index>,<req_length>,<qos>", "the will's payload").that_asks(),
    known(
        "+CMQTTCONNECT",
        "<client_index>,<server_addr>,<keepalive_time>,<clean_session>[,<user_name>[,<pass_word>]]",
        "connect a client to the broker",
    )
    .told_by(&["+CMQTTCONNECT"]),
    known("+CMQTTDISC", "<client_index>,<timeout>", "disconnect a client")
        .told_by(&["+CMQTTDISC"])
        .that_ends(),
    known("+CMQTTTOPIC", "<client_index>,<req_length>", "the topic of the next message").that_asks(),
    known("+CMQTTPAYLOAD", "<client_index>,<req_length>", "the payload of the next message").that_asks(),
    known(
        "+CMQTTPUB",
        "<client_index>,<qos>,<pub_timeout>[,<retained>[,<dup>]]",
        "publish topic and payload",
    )
    .told_by(&["+CMQTTPUB"]),
    known("+CMQTTSUBTOPIC", "<client_index>,<req_length>,<qos>", "a topic of the next subscription")
        .that_asks(),
    known("+CMQTTSUB", "<client_index>[,<req_length>,<qos>[,<dup>]]", "subscribe").told_by(&["+CMQTTSUB"]),
    known("+CMQTTUNSUBTOPIC", "<client_index>,<req_length>", "a topic to unsubscribe from").that_asks(),
    known("+CMQTTUNSUB", "<client_index>[,<req_length>],<dup>", "end subscriptions")
        .told_by(&["+CMQTTUNSUB"]),
    setting("+CMQTTCFG", "<key>[,…]", "settings of a client"),
    setting("+CMQTTCFG=\"checkUTF8\"", ",<index>,<flag>", "whether topics must be UTF-8"),
    setting("+CMQTTCFG=\"optimeout\"", ",<index>,<seconds>", "how long an operation may take"),
    setting("+CSSLCFG", "<key>[,…]", "TLS settings"),
    setting("+CSSLCFG=\"sslversion\"", ",<ctx>,<version>", "the version of TLS"),
    setting("+CSSLCFG=\"authmode\"", ",<ctx>,<mode>", "who is verified: 0 nobody, 1 the server, 2 both"),
    setting(
        "+CSSLCFG=\"ignorlocaltime\"",
        ",<ctx>,<ignore>",
        "whether dates of certificates are not checked",
    ),
    setting("+CSSLCFG=\"negotiatetime\"", ",<ctx>,<seconds>", "how long the TLS handshake may take"),
    setting("+CSSLCFG=\"cacert\"", ",<ctx>,<file>", "the CA certificate of a TLS context"),
    setting("+CSSLCFG=\"clientcert\"", ",<ctx>,<file>", "the client certificate of a TLS context"),
    setting("+CSSLCFG=\"clientkey\"", ",<ctx>,<file>", "the private key of a TLS context"),
    setting("+CSSLCFG=\"enableSNI\"", ",<ctx>,<enable>", "whether the server's name is sent"),
    known("+CCERTDOWN", "<file>,<length>", "write a certificate").that_asks(),
    known("+CCERTLIST", "", "list certificates"),
    known("+CCERTDELE", "<file>", "delete a certificate"),
    known("+NETOPEN", "", "make the data connection"),
];
