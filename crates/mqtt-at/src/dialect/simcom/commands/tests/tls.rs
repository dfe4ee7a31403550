//! The commands for TLS contexts, certificates and keys.

use super::*;

#[tokio::test(start_paused = true)]
async fn s_csslcfg_each_parameter() {
    for (command, line) in [
        (CsslCfg::ssl_version(0, SslVersion::All), r#"AT+CSSLCFG="sslversion",0,4"#),
        (CsslCfg::ssl_version(9, SslVersion::Ssl3), r#"AT+CSSLCFG="sslversion",9,0"#),
        (CsslCfg::ssl_version(1, SslVersion::Tls1), r#"AT+CSSLCFG="sslversion",1,1"#),
        (CsslCfg::ssl_version(1, SslVersion::Tls1_1), r#"AT+CSSLCFG="sslversion",1,2"#),
        (CsslCfg::ssl_version(1, SslVersion::Tls1_2), r#"AT+CSSLCFG="sslversion",1,3"#),
        (CsslCfg::auth_mode(0, AuthMode::None), r#"AT+CSSLCFG="authmode",0,0"#),
        (CsslCfg::auth_mode(0, AuthMode::Server), r#"AT+CSSLCFG="authmode",0,1"#),
        (CsslCfg::auth_mode(0, AuthMode::Mutual), r#"AT+CSSLCFG="authmode",0,2"#),
        (CsslCfg::auth_mode(0, AuthMode::Client), r#"AT+CSSLCFG="authmode",0,3"#),
        (CsslCfg::ignore_local_time(0, true), r#"AT+CSSLCFG="ignorlocaltime",0,1"#),
        (CsslCfg::ignore_local_time_spelled_out(0, false), r#"AT+CSSLCFG="ignorelocaltime",0,0"#),
        (CsslCfg::negotiate_time(0, seconds(300)), r#"AT+CSSLCFG="negotiatetime",0,300"#),
        (CsslCfg::ca_cert(0, "server_ca.pem"), r#"AT+CSSLCFG="cacert",0,"server_ca.pem""#),
        (CsslCfg::client_cert(0, "cert.pem"), r#"AT+CSSLCFG="clientcert",0,"cert.pem""#),
        (CsslCfg::client_key(0, "key_cert.pem"), r#"AT+CSSLCFG="clientkey",0,"key_cert.pem""#),
        (CsslCfg::enable_sni(0, true), r#"AT+CSSLCFG="enableSNI",0,1"#),
    ] {
        says(command, line, "OK", "()").await;
    }
    let bad = [
        CsslCfg::auth_mode(10, AuthMode::None),
        CsslCfg::negotiate_time(0, seconds(9)),
        CsslCfg::negotiate_time(0, seconds(301)),
        CsslCfg::ca_cert(0, "abcd"),
        CsslCfg::ca_cert(0, "x".repeat(109)),
        CsslCfg::ca_cert(0, "a\".pem"),
    ];
    assert!(bad.iter().all(|command| command.operation().is_err()));
    tests(CsslCfg::test(), "+CSSLCFG", "\"sslversion\",(0-9),(0-4)").await;
    let answer = "+CSSLCFG: 0,4,0,1,300,\"\",\"\",\"\",0,\"\",0x0\n\
                  +CSSLCFG: 1,3,1,0,120,\"digicert_g2.pem\",\"\",\"\",1\n\nOK";
    let read = "[TlsContext { context: 0, version: 4, auth_mode: None, ignores_local_time: true, \
                negotiate_time: 300s, ca_cert: \"\", client_cert: \"\", client_key: \"\" }, \
                TlsContext { context: 1, version: 3, auth_mode: Server, ignores_local_time: false, \
                negotiate_time: 120s, ca_cert: \"digicert_g2.pem\", client_cert: \"\", client_key: \"\" }]";
    says(CsslCfg::read(), "AT+CSSLCFG?", answer, read).await;
}

#[tokio::test(start_paused = true)]
async fn s_ccertdown() {
    tests(CcertDown::test(), "+CCERTDOWN", "(5-108),(1-10240)").await;
    gives(CcertDown::new("ca_cert.pem", "-----BEGIN"), "AT+CCERTDOWN=\"ca_cert.pem\",10", "-----BEGIN").await;
    let key = CcertDown::new("k.pem", "hush").secret();
    assert!(!format!("{key:?} {:?}", key.operation().unwrap()).contains("hush"));
    for (name, length) in [("a.pe", 1), ("a.pem", 0), ("a.pem", 10_241)] {
        assert!(CcertDown::new(name, vec![b'x'; length]).operation().is_err(), "{name} {length}");
    }
    assert!(CcertDown::new("a.pem", vec![b'x'; 10_240]).operation().is_ok());
}

#[tokio::test(start_paused = true)]
async fn s_ccertlist_ccertdele() {
    let answer = "+CCERTLIST: \"cacert.pem\"\n+CCERTLIST: \"clientkey.pem\"\nOK";
    says(CcertList, "AT+CCERTLIST", answer, r#"["cacert.pem", "clientkey.pem"]"#).await;
    says(CcertList, "AT+CCERTLIST", "OK", "[]").await;
    says(CcertDele::new("cacert.pem"), "AT+CCERTDELE=\"cacert.pem\"", "OK", "()").await;
    assert!(ask(CcertDele::new("cacert.pem"), "ERROR").await.1.is_err());
    assert!(CcertDele::new("").operation().is_err());
}
