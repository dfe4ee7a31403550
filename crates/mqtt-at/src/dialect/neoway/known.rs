//! The commands of Neoway, by name.

use crate::dialect::known::{KnownCommand, known};

/// In the order of the manual: who reads it finds what belongs together.
pub(crate) const COMMANDS: &[KnownCommand] = &[
    known("+MQTTCONNPARAM", "<clientId>,<username>,<password>", "who the client is"),
    known("+MQTTWILLPARAM", "<retained>,<qos>,<topicname>,<message>", "the will"),
    known("+MQTTWILLMSG", "<retained>,<qos>,<topic>,<msg_length>", "the will").that_asks(),
    known("+MQTTCONN", "<host:port>,<clean>,<keepalive>", "connect to the broker"),
    known("+MQTTSUB", "<topicname>,<qos>", "subscribe; reading it may lose the place in the conversation"),
    known("+MQTTUNSUB", "<topicname>", "end a subscription"),
    known("+MQTTPUB", "<retained>,<qos>,<topicname>,<message>", "publish a text"),
    known("+MQTTPUBS", "<retained>,<qos>,<topic>,<msg_length>", "publish").that_asks(),
    known("+MQTTDISCONN", "", "disconnect from the broker").that_ends(),
    known("+MQTTSTATE", "", "whether there is a connection: 0 no, 1 yes"),
    known(
        "+CLOUDHDAUTH",
        "<productKey>,<deviceName>,<deviceSecret>",
        "the device's identity at Alibaba Cloud",
    )
    .told_by(&["+CLOUDHDAUTH"]),
    known("+CLOUDCONN", "<keepalive>,<clean>,<version>", "connect to Alibaba Cloud"),
    known("+CLOUDSUB", "<topic>,<qos>", "subscribe at the cloud").told_by(&["+CLOUDSUBACK"]),
    known("+CLOUDUNSUB", "<topic>", "end a subscription at the cloud")
        .told_by(&["+CLOUDUNSUBACK", "+CLOUDNSUBACK"]),
    known("+CLOUDPUB", "<topic>,<qos>,<message>", "publish a text at the cloud").told_by(&["+CLOUDPUBACK"]),
    known("+CLOUDPUBMSG", "<topic>,<qos>,<length>", "publish at the cloud")
        .told_by(&["+CLOUDPUBACK"])
        .that_asks(),
    known("+CLOUDSTATE", "", "whether there is a connection to the cloud"),
    known("+CLOUDDISCONN", "", "disconnect from the cloud").that_ends(),
    known("+CERTADD", "<name>,<length>", "write a certificate").that_asks(),
    known("+AWSTLSCFG", "<item>,<value>", "TLS at AWS: authmode, rootca, clientcert, clientkey"),
    known("+AWSAUTHPARAM", "<clientId>", "who the client is at AWS"),
    known("+AWSCONNPARAM", "<host:port>,<mode>", "the endpoint at AWS"),
    known("+AWSCONN", "<keepalive>,<clean>,<version>", "connect to AWS"),
    known("+AWSSUB", "<topic>,<qos>", "subscribe at AWS"),
    known("+AWSUNSUB", "<topic>", "end a subscription at AWS"),
    known("+AWSPUB", "<topic>,<qos>,<message>", "publish a text at AWS"),
    known("+AWSPUBMSG", "<topic>,<qos>,<length>", "publish at AWS").that_asks(),
    known("+AWSSTATE", "", "whether there is a connection to AWS"),
    known("+AWSDISCONN", "", "disconnect from AWS"),
    known("+XIIC", "<state>", "make the data connection; reading tells its address"),
    known("+XGAUTH", "<cid>,<auth>,<user>,<password>", "credentials for the access point"),
];
