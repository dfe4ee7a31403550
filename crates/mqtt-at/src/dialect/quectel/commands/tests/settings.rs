//! `AT+QMTCFG` and `AT+QSSLCFG`.

use super::*;
use crate::connect::{ProtocolVersion, Will};

#[tokio::test(start_paused = true)]
async fn parameters_of_the_session() {
    says(QmtCfg::version(0).set(ProtocolVersion::V3_1_1), r#"AT+QMTCFG="version",0,4"#, "OK", "()").await;
    says(QmtCfg::version(5).read(), r#"AT+QMTCFG="version",5"#, "+QMTCFG: \"version\",3\n\nOK", "V3_1").await;
    says(QmtCfg::pdp_context(1).set(15), r#"AT+QMTCFG="pdpcid",1,15"#, "OK", "()").await;
    says(QmtCfg::pdp_context(1).read(), r#"AT+QMTCFG="pdpcid",1"#, "+QMTCFG: \"pdpcid\",1\n\nOK", "1").await;
    says(QmtCfg::ssl(0).set(Some(2)), r#"AT+QMTCFG="ssl",0,1,2"#, "OK", "()").await;
    says(QmtCfg::ssl(0).set(None), r#"AT+QMTCFG="ssl",0,0,0"#, "OK", "()").await;
    says(QmtCfg::ssl(0).read(), r#"AT+QMTCFG="ssl",0"#, "+QMTCFG: \"SSL\",1,2\n\nOK", "Some(2)").await;
    says(QmtCfg::ssl(0).read(), r#"AT+QMTCFG="ssl",0"#, "+QMTCFG: \"ssl\",0\n\nOK", "None").await;
    says(QmtCfg::keep_alive(0).set(seconds(3600)), r#"AT+QMTCFG="keepalive",0,3600"#, "OK", "()").await;
    says(
        QmtCfg::keep_alive(0).read(),
        r#"AT+QMTCFG="keepalive",0"#,
        "+QMTCFG: \"keepalive\",120\n\nOK",
        "120s",
    )
    .await;
    says(QmtCfg::session(0).set(false), r#"AT+QMTCFG="session",0,0"#, "OK", "()").await;
    says(QmtCfg::session(0).read(), r#"AT+QMTCFG="session",0"#, "+QMTCFG: \"session\",1\n\nOK", "true").await;
    let timeout = PacketTimeout { timeout: seconds(60), retries: 10, notice: true };
    says(QmtCfg::timeout(0).set(timeout), r#"AT+QMTCFG="timeout",0,60,10,1"#, "OK", "()").await;
    let read = "PacketTimeout { timeout: 5s, retries: 3, notice: false }";
    says(QmtCfg::timeout(0).read(), r#"AT+QMTCFG="timeout",0"#, "+QMTCFG: \"timeout\",5,3,0\n\nOK", read)
        .await;
    says(QmtCfg::ping_interval(0).set(seconds(5)), r#"AT+QMTCFG="qmtping",0,5"#, "OK", "()").await;
    says(QmtCfg::ping_interval(0).read(), r#"AT+QMTCFG="qmtping",0"#, "+QMTCFG: \"qmtping\",5\n\nOK", "5s")
        .await;
}

#[tokio::test(start_paused = true)]
async fn parameters_of_payloads() {
    let form = ReceiveForm { stored: false, length: true };
    says(QmtCfg::recv_mode(0).set(form), r#"AT+QMTCFG="recv/mode",0,0,1"#, "OK", "()").await;
    let read = "ReceiveForm { stored: true, length: false }";
    says(QmtCfg::recv_mode(0).read(), r#"AT+QMTCFG="recv/mode",0"#, "+QMTCFG: \"recv/mode\",1,0\n\nOK", read)
        .await;
    says(QmtCfg::send_mode(0).set(DataForm::Hex), r#"AT+QMTCFG="send/mode",0,1"#, "OK", "()").await;
    says(QmtCfg::send_mode(0).read(), r#"AT+QMTCFG="send/mode",0"#, "+QMTCFG: \"send/mode\",0\n\nOK", "Text")
        .await;
    let forms = DataForms { send: DataForm::Text, receive: DataForm::Hex };
    says(QmtCfg::data_format(0).set(forms), r#"AT+QMTCFG="dataformat",0,0,1"#, "OK", "()").await;
    let (line, read) = (r#"AT+QMTCFG="dataformat",0"#, "DataForms { send: Hex, receive: Text }");
    says(QmtCfg::data_format(0).read(), line, "+QMTCFG: \"dataformat\",1,0\n\nOK", read).await;
    says(QmtCfg::view_mode(0).set(true), r#"AT+QMTCFG="view/mode",0,1"#, "OK", "()").await;
    says(
        QmtCfg::view_mode(0).read(),
        r#"AT+QMTCFG="view/mode",0"#,
        "+QMTCFG: \"view/mode\",0\n\nOK",
        "false",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn wills() {
    let will = Will::new("a/will", "bye, all").unwrap().qos(QoS::ExactlyOnce).retain(true);
    let line = r#"AT+QMTCFG="will",0,1,2,1,"a/will","bye, all""#;
    says(QmtCfg::will(0).set(Some(will.clone())), line, "OK", "()").await;
    says(QmtCfg::will(0).set(None), r#"AT+QMTCFG="will",0,0"#, "OK", "()").await;
    says(QmtCfg::will(0).read(), r#"AT+QMTCFG="will",0"#, "+QMTCFG: \"will\",0\n\nOK", "None").await;
    let read = r#"Some(StoredWill { qos: AtLeastOnce, retain: false, topic: "t", length: 3, message: Some(b"x,y") })"#;
    let answer = "+QMTCFG: \"will\",1,1,0,\"t\",\"x,y\"\n\nOK";
    says(QmtCfg::will(0).read(), r#"AT+QMTCFG="will",0"#, answer, read).await;
    let read =
        r#"Some(StoredWill { qos: AtMostOnce, retain: true, topic: "t", length: 256, message: None })"#;
    let answer = "+QMTCFG: \"willex\",1,0,1,\"t\",256\n\nOK";
    says(QmtCfg::will_ex(0).read(), r#"AT+QMTCFG="willex",0"#, answer, read).await;
    says(QmtCfg::will_ex(0).read(), r#"AT+QMTCFG="willex",0"#, "+QMTCFG: \"willex\",0\nOK", "None").await;

    let script = ">> AT+QMTCFG=\"willex\",0,1,2,1,\"a/will\",8\n<= \\r\\n> \n>= bye, all\n<< OK";
    let outcome =
        Host::default().converse(script, async |port| send(&port, QmtCfg::will_ex(0).set(will)).await).await;
    assert!(outcome.is_ok());
}

#[tokio::test(start_paused = true)]
async fn identities_at_cloud_platforms_are_secret() {
    let ali = AliCredentials {
        product_key: "oyjtmPI5a5j".into(),
        device_name: "MQTT_TEST".into(),
        device_secret: "wN9Y6pZSIly7Exa5qVzcmigEGO4kAazZ".into(),
    };
    let line = r#"AT+QMTCFG="aliauth",0,"oyjtmPI5a5j","MQTT_TEST","wN9Y6pZSIly7Exa5qVzcmigEGO4kAazZ""#;
    says(QmtCfg::ali_auth(0).set(ali), line, "OK", "()").await;
    let read = r#"AliCredentials { product_key: "k", device_name: "n", device_secret: *** }"#;
    let answer = "+QMTCFG: \"aliauth\",\"k\",\"n\",\"hush\"\n\nOK";
    says(QmtCfg::ali_auth(0).read(), r#"AT+QMTCFG="aliauth",0"#, answer, read).await;
    let (_, ali) = ask(QmtCfg::ali_auth(0).read(), answer).await;
    assert_eq!(ali.unwrap().device_secret.expose(), "hush");

    let one_net = OneNetCredentials { product_id: "p".into(), access_key: "hush".into() };
    says(QmtCfg::one_net(1).set(one_net), r#"AT+QMTCFG="onenet",1,"p","hush""#, "OK", "()").await;
    let read = r#"OneNetCredentials { product_id: "p", access_key: *** }"#;
    says(
        QmtCfg::one_net(1).read(),
        r#"AT+QMTCFG="onenet",1"#,
        "+QMTCFG: \"onenet\",\"p\",\"hush\"\nOK",
        read,
    )
    .await;

    let device = HuaweiCredentials { product_id: "p".into(), access_key: "hush".into() };
    says(QmtCfg::hw_auth(0).set(device), r#"AT+QMTCFG="hwauth",0,"p","hush""#, "OK", "()").await;
    let read = r#"Huawei { credentials: HuaweiCredentials { product_id: "p", access_key: *** }, checks_time: Some(true) }"#;
    says(
        QmtCfg::hw_auth(0).read(),
        r#"AT+QMTCFG="hwauth",0"#,
        "+QMTCFG: \"hwauth\",\"p\",\"hush\",1\nOK",
        read,
    )
    .await;

    let product = HuaweiProduct { product_id: "p".into(), product_secret: "hush".into(), node: "n".into() };
    says(QmtCfg::hw_prod_id(0).set(product), r#"AT+QMTCFG="hwprodid",0,"p","hush","n""#, "OK", "()").await;
    let read = r#"Huawei { credentials: HuaweiProduct { product_id: "p", product_secret: ***, node: "n" }, checks_time: None }"#;
    let answer = "+QMTCFG: \"hwprodid\",\"p\",\"hush\",\"n\"\nOK";
    says(QmtCfg::hw_prod_id(0).read(), r#"AT+QMTCFG="hwprodid",0"#, answer, read).await;

    let shown = format!(
        "{:?}",
        QmtCfg::hw_auth(0).set(HuaweiCredentials { product_id: "p".into(), access_key: "hush".into() })
    );
    assert!(!shown.contains("hush"));
    let operation = QmtCfg::hw_auth(0)
        .set(HuaweiCredentials { product_id: "p".into(), access_key: "hush".into() })
        .operation();
    assert!(format!("{:?}", operation.unwrap()).contains(r#""p",***"#));
}

#[test]
fn parameters_out_of_range_name_field_and_limits() {
    for (words, expected) in [
        (refusal(QmtCfg::version(6).read()), "the client index is 6, and must be 0 to 5"),
        (refusal(QsslCfg::sni(6).read()), "the TLS context is 6, and must be 0 to 5"),
        (refusal(QmtCfg::pdp_context(0).set(0)), "the PDP context is 0, and must be 1 to 15"),
        (refusal(QmtCfg::pdp_context(0).set(16)), "the PDP context is 16, and must be 1 to 15"),
        (refusal(QmtCfg::ssl(0).set(Some(6))), "the TLS context is 6, and must be 0 to 5"),
        (
            refusal(QmtCfg::keep_alive(0).set(seconds(3601))),
            "the keep-alive interval is 3601, and must be 0 to 3600",
        ),
        (
            refusal(QmtCfg::keep_alive(0).set(Duration::from_millis(500))),
            "the keep-alive interval must be whole seconds",
        ),
        (refusal(QmtCfg::ping_interval(0).set(seconds(4))), "the ping interval is 4, and must be 5 to 60"),
        (
            refusal(QmtCfg::timeout(0).set(PacketTimeout {
                timeout: seconds(61),
                retries: 0,
                notice: false,
            })),
            "the packet timeout is 61, and must be 1 to 60",
        ),
        (
            refusal(QmtCfg::timeout(0).set(PacketTimeout {
                timeout: seconds(1),
                retries: 11,
                notice: false,
            })),
            "the number of retries is 11, and must be 0 to 10",
        ),
        (
            refusal(QmtCfg::will_ex(0).set(Will::new("t", vec![0; 257]).unwrap())),
            "the length of the will's message is 257, and must be 0 to 256",
        ),
        (
            refusal(QmtCfg::will_ex(0).set(Will::new("t".repeat(257), "x").unwrap())),
            "the topic of the will has 257 bytes, more than the limit of 256",
        ),
        (
            refusal(QmtCfg::will(0).set(Some(Will::new("t", "a\"b").unwrap()))),
            "the message of the will holds byte 0x22 at position 1, which a command line cannot carry there",
        ),
        (refusal(QsslCfg::ssl_version(0).set(5)), "the TLS version is 5, and must be 0 to 4"),
    ] {
        assert_eq!(words, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_of_another_parameter_cannot_be_read() {
    for answer in ["+QMTCFG: \"session\",1\nOK", "OK", "+QMTCFG: \"version\",9\nOK", "+QMTCFG: \nOK"] {
        assert!(ask(QmtCfg::version(0).read(), answer).await.1.is_err(), "{answer}");
    }
    assert!(ask(QsslCfg::security_level(0).read(), "+QSSLCFG: \"seclevel\",1,2\nOK").await.1.is_err());
}

#[tokio::test(start_paused = true)]
async fn tls_contexts() {
    let path = || "UFS:cacert.pem".to_owned();
    says(QsslCfg::ca_cert(2).set(path()), r#"AT+QSSLCFG="cacert",2,"UFS:cacert.pem""#, "OK", "()").await;
    let answer = "+QSSLCFG: \"cacert\",2,\"UFS:cacert.pem\"\n\nOK";
    says(QsslCfg::ca_cert(2).read(), r#"AT+QSSLCFG="cacert",2"#, answer, "\"UFS:cacert.pem\"").await;
    says(QsslCfg::client_cert(2).set(path()), r#"AT+QSSLCFG="clientcert",2,"UFS:cacert.pem""#, "OK", "()")
        .await;
    let answer = "+QSSLCFG: \"clientcert\",2,\"UFS:client.pem\"\nOK";
    says(QsslCfg::client_cert(2).read(), r#"AT+QSSLCFG="clientcert",2"#, answer, "\"UFS:client.pem\"").await;
    says(QsslCfg::client_key(2).set(path()), r#"AT+QSSLCFG="clientkey",2,"UFS:cacert.pem""#, "OK", "()")
        .await;
    let answer = "+QSSLCFG: \"clientkey\",2,\"UFS:key.pem\",\"hush\"\nOK";
    says(QsslCfg::client_key(2).read(), r#"AT+QSSLCFG="clientkey",2"#, answer, "\"UFS:key.pem\"").await;
    for (level, number) in [(SecurityLevel::None, 0), (SecurityLevel::Server, 1), (SecurityLevel::Mutual, 2)]
    {
        let line = format!("AT+QSSLCFG=\"seclevel\",2,{number}");
        says(QsslCfg::security_level(2).set(level), &line, "OK", "()").await;
        let answer = format!("+QSSLCFG: \"seclevel\",2,{number}\nOK");
        says(QsslCfg::security_level(2).read(), r#"AT+QSSLCFG="seclevel",2"#, &answer, &format!("{level:?}"))
            .await;
    }
    says(QsslCfg::ssl_version(2).set(4), r#"AT+QSSLCFG="sslversion",2,4"#, "OK", "()").await;
    says(
        QsslCfg::ssl_version(2).read(),
        r#"AT+QSSLCFG="sslversion",2"#,
        "+QSSLCFG: \"sslversion\",2,3\nOK",
        "3",
    )
    .await;
    says(QsslCfg::cipher_suite(2).set(0xFFFF), r#"AT+QSSLCFG="ciphersuite",2,"0xFFFF""#, "OK", "()").await;
    let answer = "+QSSLCFG: \"ciphersuite\",2,0XC02F\nOK";
    says(QsslCfg::cipher_suite(2).read(), r#"AT+QSSLCFG="ciphersuite",2"#, answer, "49199").await;
    says(QsslCfg::ignore_local_time(2).set(true), r#"AT+QSSLCFG="ignorelocaltime",2,1"#, "OK", "()").await;
    let answer = "+QSSLCFG: \"ignorelocaltime\",2,0\nOK";
    says(QsslCfg::ignore_local_time(2).read(), r#"AT+QSSLCFG="ignorelocaltime",2"#, answer, "false").await;
    says(QsslCfg::sni(2).set(true), r#"AT+QSSLCFG="sni",2,1"#, "OK", "()").await;
    says(QsslCfg::sni(2).read(), r#"AT+QSSLCFG="sni",2"#, "+QSSLCFG: \"sni\",2,1\nOK", "true").await;
}
