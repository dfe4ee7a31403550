//! The commands of each vendor, each with its parameters and what it is for.

use mqtt_at::Vendor;

/// A command, as the console completes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    /// With `AT`, and for configuration commands with their key.
    pub(super) name: &'static str,
    /// What stands behind the name when it is written: the vendor's names of the parameters.
    pub(super) parameters: &'static str,
    pub(super) meaning: &'static str,
}

/// The commands of a vendor's modules, those of all modules last.
pub(super) fn of(vendor: Vendor) -> impl Iterator<Item = Word> {
    let own = match vendor {
        Vendor::Quectel => QUECTEL,
        Vendor::SimCom => SIMCOM,
        Vendor::Fibocom => FIBOCOM,
        Vendor::Neoway => NEOWAY,
        Vendor::Espressif => ESPRESSIF,
        _ => &[],
    };
    let common = if vendor == Vendor::Espressif { &[] } else { CELLULAR };
    let rows = own.iter().chain(common).chain(COMMON);
    rows.map(|&(name, parameters, meaning)| Word { name, parameters, meaning })
}

type Row = (&'static str, &'static str, &'static str);

const COMMON: &[Row] = &[
    ("AT", "", "does nothing: is somebody there?"),
    ("ATI", "", "who the module is, in its own form"),
    ("ATE0", "", "stops repeating what it is sent"),
    ("AT+CMEE", "<n>", "whether refusals tell their reason: 1 by number, 2 in words"),
    ("AT+CGMI", "", "the maker"),
    ("AT+CGMM", "", "the model"),
    ("AT+CGMR", "", "the version of the firmware"),
    ("AT+IFC", "<by_host>,<by_module>", "flow control of the port: 0 none, 2 RTS/CTS"),
];

const CELLULAR: &[Row] = &[
    ("AT+CGSN", "", "the serial number (IMEI)"),
    ("AT+CPIN", "<pin>", "what the SIM waits for"),
    ("AT+CIMI", "", "the subscriber's number (IMSI)"),
    ("AT+CCID", "", "the SIM's number, where it is called so"),
    ("AT+CSQ", "", "how well the radio receives: 0 to 31, 99 unknown"),
    ("AT+CREG", "<n>", "registration for calls and messages"),
    ("AT+CGREG", "<n>", "registration for data in GSM and UMTS"),
    ("AT+CEREG", "<n>", "registration in LTE and NB-IoT"),
    ("AT+COPS", "<mode>[,<format>[,<oper>]]", "the operator; =? searches for minutes"),
    ("AT+CGATT", "<state>", "whether it is attached to the data service"),
    ("AT+CGDCONT", "<cid>,<type>,<apn>", "defines a data connection"),
    ("AT+CGACT", "<state>,<cid>", "switches a data connection on or off"),
    ("AT+CGPADDR", "<cid>", "the address of a data connection"),
    ("AT+CCLK", "<time>", "the clock"),
    ("AT+CFUN", "<fun>[,<rst>]", "switches the radio; 1,1 restarts the module"),
];

const QUECTEL: &[Row] = &[
    ("AT+QMTOPEN", "<client_idx>,<host_name>,<port>", "opens the network connection of a client"),
    ("AT+QMTCLOSE", "<client_idx>", "closes the network connection of a client"),
    ("AT+QMTCONN", "<client_idx>,<clientid>[,<username>,<password>]", "logs a client in at the broker"),
    ("AT+QMTDISC", "<client_idx>", "says farewell to the broker"),
    ("AT+QMTSUB", "<client_idx>,<msgid>,<topic>,<qos>[,…]", "subscribes to topics"),
    ("AT+QMTUNS", "<client_idx>,<msgid>,<topic>[,…]", "ends subscriptions"),
    (
        "AT+QMTPUBEX",
        "<client_idx>,<msgid>,<qos>,<retain>,<topic>,<length>",
        "publishes; asks for the payload",
    ),
    ("AT+QMTPUB", "<client_idx>,<msgid>,<qos>,<retain>,<topic>", "publishes, with older modules"),
    ("AT+QMTRECV", "<client_idx>[,<recv_id>]", "reads messages that the module keeps"),
    ("AT+QMTCFG=\"version\"", ",<client_idx>[,<vsn>]", "the version of MQTT: 3 is 3.1, 4 is 3.1.1"),
    ("AT+QMTCFG=\"pdpcid\"", ",<client_idx>[,<cid>]", "which data connection is used"),
    (
        "AT+QMTCFG=\"ssl\"",
        ",<client_idx>[,<SSL_enable>,<SSL_ctx_idx>]",
        "whether the connection is encrypted",
    ),
    ("AT+QMTCFG=\"keepalive\"", ",<client_idx>[,<seconds>]", "the keep-alive time"),
    ("AT+QMTCFG=\"session\"", ",<client_idx>[,<clean_session>]", "whether the broker forgets the session"),
    (
        "AT+QMTCFG=\"timeout\"",
        ",<client_idx>[,<seconds>,<retries>,<notice>]",
        "how long a packet is waited for",
    ),
    ("AT+QMTCFG=\"will\"", ",<client_idx>[,<fg>[,<qos>,<retain>,<topic>,<msg>]]", "the will, as text"),
    (
        "AT+QMTCFG=\"willex\"",
        ",<client_idx>[,<fg>,<qos>,<retain>,<topic>,<len>]",
        "the will; asks for its payload",
    ),
    ("AT+QMTCFG=\"recv/mode\"", ",<client_idx>[,<mode>[,<len_enable>]]", "how messages are reported"),
    ("AT+QMTCFG=\"send/mode\"", ",<client_idx>[,<mode>]", "text or hexadecimal payloads"),
    (
        "AT+QMTCFG=\"dataformat\"",
        ",<client_idx>[,<send>,<recv>]",
        "the format of payloads, text or hexadecimal",
    ),
    ("AT+QMTCFG=\"view/mode\"", ",<client_idx>[,<mode>]", "what transparent mode shows"),
    ("AT+QMTCFG=\"qmtping\"", ",<client_idx>[,<seconds>]", "the interval of pings"),
    (
        "AT+QMTCFG=\"aliauth\"",
        ",<client_idx>[,<key>,<name>,<secret>]",
        "the device's identity at Alibaba Cloud",
    ),
    ("AT+QMTCFG=\"onenet\"", ",<client_idx>[,<product>,<key>]", "the device's identity at OneNET"),
    ("AT+QMTCFG=\"hwauth\"", ",<client_idx>[,<id>,<secret>]", "the device's identity at Huawei's platform"),
    (
        "AT+QMTCFG=\"hwprodid\"",
        ",<client_idx>[,<id>,<secret>,<node>]",
        "the product's identity at Huawei's platform",
    ),
    ("AT+QSSLCFG=\"cacert\"", ",<ctx>[,<file>]", "the CA certificate of a TLS context"),
    ("AT+QSSLCFG=\"clientcert\"", ",<ctx>[,<file>]", "the client certificate of a TLS context"),
    ("AT+QSSLCFG=\"clientkey\"", ",<ctx>[,<file>]", "the private key of a TLS context"),
    ("AT+QSSLCFG=\"seclevel\"", ",<ctx>[,<level>]", "who is verified: 0 nobody, 1 the server, 2 both"),
    ("AT+QSSLCFG=\"sslversion\"", ",<ctx>[,<version>]", "the version of TLS"),
    ("AT+QSSLCFG=\"ciphersuite\"", ",<ctx>[,<suites>]", "the cipher suites"),
    ("AT+QSSLCFG=\"ignorelocaltime\"", ",<ctx>[,<ignore>]", "whether dates of certificates are not checked"),
    ("AT+QFUPL", "<file>,<size>,<timeout>", "writes a file; asks for its content"),
    ("AT+QFLST", "<pattern>", "lists files"),
    ("AT+QFDEL", "<file>", "deletes a file"),
    ("AT+QICSGP", "<ctx>[,<type>,<apn>,<user>,<password>,<auth>]", "the access point of a data connection"),
    ("AT+QIACT", "<ctx>", "switches a data connection on"),
    ("AT+QIDEACT", "<ctx>", "switches a data connection off"),
];

const SIMCOM: &[Row] = &[
    ("AT+CMQTTSTART", "", "starts the MQTT service"),
    ("AT+CMQTTSTOP", "", "stops the MQTT service"),
    ("AT+CMQTTACCQ", "<client_index>,<clientID>[,<server_type>]", "takes a client"),
    ("AT+CMQTTREL", "<client_index>", "gives a client back"),
    ("AT+CMQTTSSLCFG", "<session_id>,<ssl_ctx_index>", "the TLS context of a client"),
    ("AT+CMQTTWILLTOPIC", "<client_index>,<req_length>", "the will's topic; asks for it"),
    ("AT+CMQTTWILLMSG", "<client_index>,<req_length>,<qos>", "the will's payload; asks for it"),
    (
        "AT+CMQTTCONNECT",
        "<client_index>,<server_addr>,<keepalive_time>,<clean_session>[,<user_name>[,<pass_word>]]",
        "connects a client to the broker",
    ),
    ("AT+CMQTTDISC", "<client_index>,<timeout>", "disconnects a client"),
    ("AT+CMQTTTOPIC", "<client_index>,<req_length>", "the topic of the next message; asks for it"),
    ("AT+CMQTTPAYLOAD", "<client_index>,<req_length>", "the payload of the next message; asks for it"),
    ("AT+CMQTTPUB", "<client_index>,<qos>,<pub_timeout>[,<retained>[,<dup>]]", "publishes topic and payload"),
    (
        "AT+CMQTTSUBTOPIC",
        "<client_index>,<req_length>,<qos>",
        "a topic of the next subscription; asks for it",
    ),
    ("AT+CMQTTSUB", "<client_index>[,<req_length>,<qos>[,<dup>]]", "subscribes"),
    ("AT+CMQTTUNSUBTOPIC", "<client_index>,<req_length>", "a topic to unsubscribe from; asks for it"),
    ("AT+CMQTTUNSUB", "<client_index>[,<req_length>],<dup>", "ends subscriptions"),
    ("AT+CMQTTCFG=\"checkUTF8\"", ",<index>,<flag>", "whether topics must be UTF-8"),
    ("AT+CMQTTCFG=\"optimeout\"", ",<index>,<seconds>", "how long an operation may take"),
    ("AT+CSSLCFG=\"sslversion\"", ",<ctx>,<version>", "the version of TLS"),
    ("AT+CSSLCFG=\"authmode\"", ",<ctx>,<mode>", "who is verified: 0 nobody, 1 the server, 2 both"),
    ("AT+CSSLCFG=\"ignorlocaltime\"", ",<ctx>,<ignore>", "whether dates of certificates are not checked"),
    ("AT+CSSLCFG=\"negotiatetime\"", ",<ctx>,<seconds>", "how long the TLS handshake may take"),
    ("AT+CSSLCFG=\"cacert\"", ",<ctx>,<file>", "the CA certificate of a TLS context"),
    ("AT+CSSLCFG=\"clientcert\"", ",<ctx>,<file>", "the client certificate of a TLS context"),
    ("AT+CSSLCFG=\"clientkey\"", ",<ctx>,<file>", "the private key of a TLS context"),
    ("AT+CSSLCFG=\"enableSNI\"", ",<ctx>,<enable>", "whether the server's name is sent"),
    ("AT+CCERTDOWN", "<file>,<length>", "writes a certificate; asks for its content"),
    ("AT+CCERTLIST", "", "lists certificates"),
    ("AT+CCERTDELE", "<file>", "deletes a certificate"),
];

const FIBOCOM: &[Row] = &[
    ("AT+MQTTUSER", "<id>,<user>,<password>,<client_id>", "who a client is"),
    ("AT+MQTTOPEN", "<id>,<host>,<port>,<clean_session>,<keepalive>[,…]", "connects a client to the broker"),
    ("AT+MQTTCLOSE", "<id>", "disconnects a client"),
    ("AT+MQTTSUB", "<id>,<topic>,<qos>", "subscribes"),
    ("AT+MQTTUNSUB", "<id>,<topic>", "ends a subscription"),
    (
        "AT+MQTTPUB",
        "<id>,<topic>,<qos>,<retain>,<payload or size>",
        "publishes; with a size it asks for the payload",
    ),
    ("AT+MQTTCONF", "<mode>", "how messages are reported"),
    ("AT+MQTTREAD", "<id>,<number>", "reads messages that the module keeps"),
    ("AT+MQTTWILL", "<id>,<topic>,<qos>,<retain>,<payload>", "the will, as text"),
    ("AT+MIPCALL", "<operation>[,<apn>,<user>,<password>]", "dials the data connection, or hangs up"),
];

const NEOWAY: &[Row] = &[
    ("AT+MQTTCONNPARAM", "<clientId>,<username>,<password>", "who the client is"),
    ("AT+MQTTWILLPARAM", "<retained>,<qos>,<topicname>,<message>", "the will"),
    ("AT+MQTTWILLMSG", "<retained>,<qos>,<topic>,<msg_length>", "the will; asks for its payload"),
    ("AT+MQTTCONN", "<host:port>,<clean>,<keepalive>", "connects to the broker"),
    ("AT+MQTTSUB", "<topicname>,<qos>", "subscribes; reading it may lose the place in the conversation"),
    ("AT+MQTTUNSUB", "<topicname>", "ends a subscription"),
    ("AT+MQTTPUB", "<retained>,<qos>,<topicname>,<message>", "publishes a text"),
    ("AT+MQTTPUBS", "<retained>,<qos>,<topic>,<msg_length>", "publishes; asks for the payload"),
    ("AT+MQTTDISCONN", "", "disconnects from the broker"),
    ("AT+MQTTSTATE", "", "whether there is a connection: 0 no, 1 yes"),
    ("AT+CLOUDHDAUTH", "<productKey>,<deviceName>,<deviceSecret>", "the device's identity at Alibaba Cloud"),
    ("AT+CLOUDCONN", "<keepalive>,<clean>,<version>", "connects to Alibaba Cloud"),
    ("AT+CLOUDSUB", "<topic>,<qos>", "subscribes at the cloud"),
    ("AT+CLOUDUNSUB", "<topic>", "ends a subscription at the cloud"),
    ("AT+CLOUDPUB", "<topic>,<qos>,<message>", "publishes a text at the cloud"),
    ("AT+CLOUDPUBMSG", "<topic>,<qos>,<length>", "publishes at the cloud; asks for the payload"),
    ("AT+CLOUDSTATE", "", "whether there is a connection to the cloud"),
    ("AT+CLOUDDISCONN", "", "disconnects from the cloud"),
    ("AT+CERTADD", "<name>,<length>", "writes a certificate; asks for its content"),
    ("AT+AWSTLSCFG", "<item>,<value>", "TLS at AWS: authmode, rootca, clientcert, clientkey"),
    ("AT+AWSAUTHPARAM", "<clientId>", "who the client is at AWS"),
    ("AT+AWSCONNPARAM", "<host:port>,<mode>", "the endpoint at AWS"),
    ("AT+AWSCONN", "<keepalive>,<clean>,<version>", "connects to AWS"),
    ("AT+AWSSUB", "<topic>,<qos>", "subscribes at AWS"),
    ("AT+AWSUNSUB", "<topic>", "ends a subscription at AWS"),
    ("AT+AWSPUB", "<topic>,<qos>,<message>", "publishes a text at AWS"),
    ("AT+AWSPUBMSG", "<topic>,<qos>,<length>", "publishes at AWS; asks for the payload"),
    ("AT+AWSSTATE", "", "whether there is a connection to AWS"),
    ("AT+AWSDISCONN", "", "disconnects from AWS"),
    ("AT+XIIC", "<state>", "makes the data connection; reading tells its address"),
];

const ESPRESSIF: &[Row] = &[
    (
        "AT+MQTTUSERCFG",
        "<LinkID>,<scheme>,<client_id>,<username>,<password>,<cert>,<CA>,<path>",
        "who the client is",
    ),
    ("AT+MQTTLONGCLIENTID", "<LinkID>,<length>", "a long client identifier; asks for it"),
    ("AT+MQTTLONGUSERNAME", "<LinkID>,<length>", "a long user name; asks for it"),
    ("AT+MQTTLONGPASSWORD", "<LinkID>,<length>", "a long password; asks for it"),
    (
        "AT+MQTTCONNCFG",
        "<LinkID>,<keepalive>,<disable_clean>,<topic>,<msg>,<qos>,<retain>",
        "session and will",
    ),
    ("AT+MQTTSNI", "<LinkID>,<name>", "the server's name for TLS"),
    ("AT+MQTTCONN", "<LinkID>,<host>,<port>,<reconnect>", "connects to the broker"),
    ("AT+MQTTPUB", "<LinkID>,<topic>,<data>,<qos>,<retain>", "publishes a text"),
    ("AT+MQTTPUBRAW", "<LinkID>,<topic>,<length>,<qos>,<retain>", "publishes; asks for the payload"),
    ("AT+MQTTSUB", "<LinkID>,<topic>,<qos>", "subscribes"),
    ("AT+MQTTUNSUB", "<LinkID>,<topic>", "ends a subscription"),
    ("AT+MQTTCLEAN", "<LinkID>", "disconnects, and frees the client"),
    ("AT+SYSLOG", "<enable>", "whether refusals tell their reason"),
    ("AT+SYSSTORE", "<store>", "whether settings outlive a restart"),
    ("AT+GMR", "", "the versions of the firmware"),
    ("AT+CIPSTA", "", "the address in the local network"),
    ("AT+CWJAP", "<ssid>,<password>", "joins a network"),
    ("AT+RST", "", "restarts the module"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const COVERAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/COVERAGE.md");

    /// The commands of the manuals, with the key of those that have one: rows whose second part is the name of the
    /// typed command that serves them.
    fn covered() -> Vec<(Vendor, String)> {
        let text = std::fs::read_to_string(COVERAGE).unwrap();
        let rows = text.lines().filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let (row, _, item) = (cells.next()?, cells.next()?, cells.next()?);
            let mut parts = row.split('-');
            let (vendor, name, key) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
            let vendor = match vendor {
                "Q" => Vendor::Quectel,
                "S" => Vendor::SimCom,
                "F" => Vendor::Fibocom,
                "N" => Vendor::Neoway,
                _ => return None,
            };
            let item = item.trim_matches('`').trim_start_matches("mqtt_at::");
            let (module, typed) = item.split_once("::")?;
            let is_vendors = ["quectel", "simcom", "fibocom", "neoway"].contains(&module);
            let typed = Some(typed).filter(|_| is_vendors)?.to_ascii_uppercase();
            let typed = typed.split(|c: char| !c.is_ascii_alphanumeric()).next()?.to_owned();
            let keyed =
                ["QMTCFG", "QSSLCFG", "CSSLCFG"].contains(&name) && !["test", "write", "read"].contains(&key);
            // The numbers in its reports have a type of the same name as their row.
            let is_command = typed == name && name != "STATUS";
            is_command.then(|| {
                let key = if keyed { format!("=\"{key}\"") } else { String::new() };
                (vendor, format!("AT+{name}{key}"))
            })
        });
        rows.collect()
    }

    #[test]
    fn every_command_of_the_manuals_is_completed() {
        let covered = covered();
        for (vendor, least) in
            [(Vendor::Quectel, 30), (Vendor::SimCom, 15), (Vendor::Fibocom, 9), (Vendor::Neoway, 12)]
        {
            let names: Vec<_> =
                covered.iter().filter(|(of, _)| *of == vendor).map(|(_, name)| name).collect();
            assert!(names.len() >= least, "{vendor}: {names:?}");
            for name in names {
                assert!(of(vendor).any(|word| word.name.starts_with(name)), "{vendor} has no {name}");
            }
        }
    }

    #[test]
    fn each_stands_once_and_has_a_meaning_of_one_line() {
        for vendor in Vendor::ALL {
            let words: Vec<_> = of(*vendor).collect();
            let mut names: Vec<_> = words.iter().map(|word| word.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), words.len(), "{vendor}");
            for word in words {
                assert!(word.name.starts_with("AT") && !word.meaning.is_empty(), "{word:?}");
                assert!(word.meaning.len() <= 72 && !word.meaning.contains('\n'), "{word:?}");
            }
        }
    }
}
