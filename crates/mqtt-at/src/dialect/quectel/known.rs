//! The commands of Quectel, by name.

use crate::dialect::known::{KnownCommand, known, setting};

/// In the order of the manual: who reads it finds what belongs together.
pub(crate) const COMMANDS: &[KnownCommand] = &[
    known("+QMTOPEN", "<client_idx>,<host_name>,<port>", "open the network connection of a client")
        .told_by(&["+QMTOPEN"]),
    known("+QMTCLOSE", "<client_idx>", "close the network connection of a client")
        .told_by(&["+QMTCLOSE"])
        .that_ends(),
    known("+QMTCONN", "<client_idx>,<clientid>[,<username>,<password>]", "log a client in at the broker")
        .told_by(&["+QMTCONN"]),
    known("+QMTDISC", "<client_idx>", "say farewell to the broker").told_by(&["+QMTDISC"]).that_ends(),
    known("+QMTSUB", "<client_idx>,<msgid>,<topic>,<qos>[,…]", "subscribe to topics").told_by(&["+QMTSUB"]),
    known("+QMTUNS", "<client_idx>,<msgid>,<topic>[,…]", "end subscriptions").told_by(&["+QMTUNS"]),
    known("+QMTPUBEX", "<client_idx>,<msgid>,<qos>,<retain>,<topic>,<length>", "publish")
        .told_by(&["+QMTPUBEX", "+QMTPUB"])
        .that_asks(),
    known("+QMTPUB", "<client_idx>,<msgid>,<qos>,<retain>,<topic>", "publish, with older modules")
        .told_by(&["+QMTPUB", "+QMTPUBEX"])
        .that_asks(),
    known("+QMTRECV", "<client_idx>[,<recv_id>]", "read messages that the module keeps"),
    setting("+QMTCFG", "<key>[,…]", "settings of a client"),
    setting("+QMTCFG=\"version\"", ",<client_idx>[,<vsn>]", "the version of MQTT: 3 is 3.1, 4 is 3.1.1"),
    setting("+QMTCFG=\"pdpcid\"", ",<client_idx>[,<cid>]", "which data connection is used"),
    setting(
        "+QMTCFG=\"ssl\"",
        ",<client_idx>[,<SSL_enable>,<SSL_ctx_idx>]",
        "whether the connection is encrypted",
    ),
    setting("+QMTCFG=\"keepalive\"", ",<client_idx>[,<seconds>]", "the keep-alive time"),
    setting(
        "+QMTCFG=\"session\"",
        ",<client_idx>[,<clean_session>]",
        "whether the broker forgets the session",
    ),
    setting(
        "+QMTCFG=\"timeout\"",
        ",<client_idx>[,<seconds>,<retries>,<notice>]",
        "how long a packet is waited for",
    ),
    setting("+QMTCFG=\"will\"", ",<client_idx>[,<fg>[,<qos>,<retain>,<topic>,<msg>]]", "the will, as text"),
    setting("+QMTCFG=\"willex\"", ",<client_idx>[,<fg>,<qos>,<retain>,<topic>,<len>]", "the will, any bytes")
        .that_asks(),
    setting("+QMTCFG=\"recv/mode\"", ",<client_idx>[,<mode>[,<len_enable>]]", "how messages are reported"),
    setting("+QMTCFG=\"send/mode\"", ",<client_idx>[,<mode>]", "text or hexadecimal payloads"),
    setting(
        "+QMTCFG=\"dataformat\"",
        ",<client_idx>[,<send>,<recv>]",
        "the format of payloads, text or hexadecimal",
    ),
    setting("+QMTCFG=\"view/mode\"", ",<client_idx>[,<mode>]", "what transparent mode shows"),
    setting("+QMTCFG=\"qmtping\"", ",<client_idx>[,<seconds>]", "the interval of pings"),
    setting(
        "+QMTCFG=\"aliauth\"",
        ",<client_idx>[,<key>,<name>,<secret>]",
        "the device's identity at Alibaba Cloud",
    ),
    setting("+QMTCFG=\"onenet\"", ",<client_idx>[,<product>,<key>]", "the device's identity at OneNET"),
    setting(
        "+QMTCFG=\"hwauth\"",
        ",<client_idx>[,<id>,<secret>]",
        "the device's identity at Huawei's platform",
    ),
    setting(
        "+QMTCFG=\"hwprodid\"",
        ",<client_idx>[,<id>,<secret>,<node>]",
        "the product's identity at Huawei's platform",
    ),
    setting("+QSSLCFG", "<key>[,…]", "TLS settings"),
    setting("+QSSLCFG=\"cacert\"", ",<ctx>[,<file>]", "the CA certificate of a TLS context"),
    setting("+QSSLCFG=\"clientcert\"", ",<ctx>[,<file>]", "the client certificate of a TLS context"),
    setting("+QSSLCFG=\"clientkey\"", ",<ctx>[,<file>]", "the private key of a TLS context"),
    setting("+QSSLCFG=\"seclevel\"", ",<ctx>[,<level>]", "who is verified: 0 nobody, 1 the server, 2 both"),
    setting("+QSSLCFG=\"sslversion\"", ",<ctx>[,<version>]", "the version of TLS"),
    setting("+QSSLCFG=\"ciphersuite\"", ",<ctx>[,<suites>]", "the cipher suites"),
    setting(
        "+QSSLCFG=\"ignorelocaltime\"",
        ",<ctx>[,<ignore>]",
        "whether dates of certificates are not checked",
    ),
    known("+QFUPL", "<file>,<size>,<timeout>", "write a file").that_asks(),
    known("+QFLST", "<pattern>", "list files"),
    known("+QFDEL", "<file>", "delete a file"),
    known(
        "+QICSGP",
        "<ctx>[,<type>,<apn>,<user>,<password>,<auth>]",
        "the access point of a data connection",
    ),
    known("+QIACT", "<ctx>", "switch a data connection on"),
    known("+QIDEACT", "<ctx>", "switch a data connection off"),
    known("+QIGETERROR", "", "the reason of the last error"),
    setting("+QURCCFG", "<key>[,<port>]", "the port for reports"),
];
