//! The example sessions of the manual, from their first command to their last, as conversations.

use at_port::Channel;
use bytes::Bytes;

use super::*;
use crate::dialect::neoway::script::Host;
use crate::dialect::script::at_every_cut;
use crate::dialect::send;
use crate::topic::TopicName;
use std::time::Duration;

/// [Neoway MQTT 1.2 §3], from the data connection on; what goes before is asked by bring-up. The message goes out with
/// `AT+MQTTPUBS`, where the manual has `AT+MQTTPUB`.
#[tokio::test(start_paused = true)]
async fn standard_mqtt() {
    at_every_cut(hold_standard_mqtt).await;
}

async fn hold_standard_mqtt() {
    let script = "
        >> AT+CCID
        << +CCID: 89860318760111211234
        << OK
        >> AT+XIIC?
        << +XIIC: 0,0.0.0.0
        << OK
        >> AT+CGDCONT=1,\"IP\",\"APN\"
        << OK
        >> AT+XIIC=1
        << OK
        >> AT+XIIC?
        << +XIIC: 1,100.79.207.128
        << OK
        >> AT+XIIC?
        << +XIIC: 1,100.79.207.128
        << OK
        >> AT+MQTTSTATE?
        << +MQTTSTATE:0
        << OK
        >> AT+MQTTCONNPARAM=\"owen\",\"admin\",\"public\"
        << OK
        >> AT+MQTTWILLPARAM=0,1,\"lixystopic\",\"byby\"
        << OK
        >> AT+MQTTCONN=\"121.43.166.63:1883\",0,60
        << OK
        >> AT+MQTTSUB=\"lixystopic\",1
        << OK
        >> AT+MQTTPUBS=0,1,\"lixystopic\",20
        <= \\r\\n>
        >= this is for testing!
        << OK
        << +MQTTSUB:4,\"lixystopic\",20,this is for testing!
        >> AT+MQTTSTATE?
        << +MQTTSTATE:1
        << OK
        >> AT+MQTTUNSUB=\"lixystopic\"
        << OK
        >> AT+MQTTDISCONN
        << OK";
    let host = Host::default();
    let dialect = Neoway { session: Arc::clone(&host.session) };
    let will = crate::connect::Will::new("lixystopic", "byby").unwrap().qos(QoS::AtLeastOnce);
    let options = ConnectOptions::new("owen", "121.43.166.63", 1883)
        .credentials("admin", "public")
        .will(will)
        .clean_session(false)
        .keep_alive(Duration::from_secs(60));
    host.converse(script, async |port| {
        dialect.activate(&port, &ModemOptions::new().apn("APN")).await.unwrap();

        let link = host.links.begin(0, true);
        let mut messages = port.receiver(Channel::Client(0));
        dialect.check(&options).unwrap();
        let context = Connecting { port: &port, index: 0, options: &options, progress: None };
        dialect.connect(&context).await.unwrap();
        link.connected();

        let filters = [(TopicFilter::new("lixystopic").unwrap(), QoS::AtLeastOnce)];
        let subscribe = Subscribe { filters: &filters, packet_id: 1, options: &options };
        port.run(dialect.subscribe(0, &subscribe).unwrap()).await.unwrap();

        let (topic, payload) =
            (TopicName::new("lixystopic").unwrap(), Bytes::from_static(b"this is for testing!"));
        let (qos, retain) = (QoS::AtLeastOnce, false);
        let publish =
            Publish { topic: &topic, payload: &payload, qos, retain, packet_id: 2, options: &options };
        let reply = port.run(dialect.publish(0, &publish).unwrap()).await.unwrap();
        dialect.read_publish(&reply).unwrap();
        let message = messages.recv().await.unwrap().into_message();
        assert_eq!((message.topic(), message.payload()), ("lixystopic", &payload));
        assert_eq!(message.packet_identifier(), Some(4));

        assert_eq!(send(&port, MqttState::read()).await.unwrap(), ConnectionState::Established);
        let filters = [TopicFilter::new("lixystopic").unwrap()];
        let unsubscribe = Unsubscribe { filters: &filters, packet_id: 3, options: &options };
        port.run(dialect.unsubscribe(0, &unsubscribe).unwrap()).await.unwrap();
        dialect.disconnect(&port, 0).await.unwrap();
    })
    .await;
}

/// [Neoway MQTT 1.2 §4], with the commands of its description that its session leaves out.
#[tokio::test(start_paused = true)]
async fn alibaba() {
    at_every_cut(hold_alibaba).await;
}

async fn hold_alibaba() {
    let script = "
        >> AT+CLOUDHDAUTH=a1J5shuYgXN,J1L5D2itSsqNLMZ9wTyx,vdkeNCKWirhZsU9pKeyAUvvCnL0gpNzI
        << OK
        << +CLOUDHDAUTH: OK
        >> AT+CLOUDCONN=60,0,4
        << OK
        >> AT+CLOUDSUB=/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/user/get,1
        << OK
        << +CLOUDSUBACK: <OK>
        >> AT+CLOUDPUB=/sys/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/thing/event/property/post,1,1234567890
        << OK
        << +CLOUDPUBLISH: 11015,/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/user/get,8,88990011
        << +CLOUDPUBACK: <OK>
        >> AT+CLOUDSTATE?
        << +CLOUDSTATE: 1
        << OK
        >> AT+CLOUDUNSUB=/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/user/get
        << OK
        >> AT+CLOUDDISCONN
        << OK";
    let topic = "/a1J5shuYgXN/J1L5D2itSsqNLMZ9wTyx/user/get";
    Host::default()
        .converse(script, async |port| {
            let mut messages = port.receiver(Channel::Modem);
            let (key, name) = ("a1J5shuYgXN", "J1L5D2itSsqNLMZ9wTyx");
            let auth = CloudHdAuth::new(key, name, "vdkeNCKWirhZsU9pKeyAUvvCnL0gpNzI");
            assert_eq!(send(&port, auth).await.unwrap(), CloudResult::Ok);
            send(&port, CloudConn::new(Duration::from_secs(60))).await.unwrap();
            assert_eq!(send(&port, CloudSub::new(topic, QoS::AtLeastOnce)).await.unwrap(), CloudResult::Ok);
            let post = format!("/sys/{key}/{name}/thing/event/property/post");
            let publish = CloudPub::new(post, QoS::AtLeastOnce, "1234567890");
            assert_eq!(send(&port, publish).await.unwrap(), Some(CloudResult::Ok));
            let message = messages.recv().await.unwrap().into_message();
            assert_eq!((message.topic(), &message.payload()[..]), (topic, &b"88990011"[..]));
            assert_eq!(send(&port, CloudState).await.unwrap(), ConnectionState::Established);
            send(&port, CloudUnsub::new(topic)).await.unwrap();
            send(&port, CloudDisconn).await.unwrap();
        })
        .await;
}

/// [Neoway MQTT 1.2 §B.4], with files of 4 bytes.
#[tokio::test(start_paused = true)]
async fn aws() {
    at_every_cut(hold_aws).await;
}

async fn hold_aws() {
    let script = "
        >> AT+XIIC?
        << +XIIC: 1,10.84.227.62
        << OK
        >> AT+CERTADD=rootca.pem,4
        << CONNECT
        >= ca\\r\\n
        << +CERTADD: 4,OK
        >> AT+CERTADD=certificate.pem.crt,4
        << CONNECT
        >= me\\r\\n
        << +CERTADD: 4,OK
        >> AT+CERTADD=private.pem.key,4
        << CONNECT
        >= it\\r\\n
        << +CERTADD: 4,OK
        >> AT+AWSTLSCFG=authmode,1
        << OK
        >> AT+AWSTLSCFG=rootca,rootca.pem
        << OK
        >> AT+AWSTLSCFG=clientcert,certificate.pem.crt
        << OK
        >> AT+AWSTLSCFG=clientkey,private.pem.key
        << OK
        >> AT+AWSAUTHPARAM=nwy_test
        << OK
        >> AT+AWSCONNPARAM=a1epglvh6w7h1k.iot.us-east-2.amazonaws.com:443,1
        << OK
        >> AT+AWSCONN=60,1,4
        << OK";
    Host::default()
        .converse(script, async |port| {
            assert!(send(&port, Xiic::read()).await.unwrap().active);
            assert_eq!(send(&port, CertAdd::new("rootca.pem", "ca\r\n")).await.unwrap(), 4);
            assert_eq!(send(&port, CertAdd::new("certificate.pem.crt", "me\r\n")).await.unwrap(), 4);
            assert_eq!(send(&port, CertAdd::new("private.pem.key", "it\r\n").secret()).await.unwrap(), 4);
            send(&port, AwsTlsCfg::auth_mode(true)).await.unwrap();
            send(&port, AwsTlsCfg::root_ca("rootca.pem")).await.unwrap();
            send(&port, AwsTlsCfg::client_cert("certificate.pem.crt")).await.unwrap();
            send(&port, AwsTlsCfg::client_key("private.pem.key")).await.unwrap();
            send(&port, AwsAuthParam::new("nwy_test")).await.unwrap();
            send(&port, AwsConnParam::new("a1epglvh6w7h1k.iot.us-east-2.amazonaws.com", 443)).await.unwrap();
            send(&port, AwsConn::new(Duration::from_secs(60))).await.unwrap();
        })
        .await;
}
