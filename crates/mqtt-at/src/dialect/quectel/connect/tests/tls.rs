//! Certificates and the settings of a TLS context.

use std::sync::Mutex;

use super::*;
use crate::dialect::quectel::certificates::Certificate;
use crate::dialect::quectel::checksum;
use crate::options::Progress;

const CA: &str = "-----BEGIN CERTIFICATE-----\nCA\n-----END CERTIFICATE-----\n";
const CLIENT: &str = "-----BEGIN CERTIFICATE-----\nME\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n";

/// The parts of a script in which a file is looked for, sent and looked for again.
fn upload(name: &str, pem: &str) -> String {
    let (size, sum) = (pem.len(), checksum(pem.as_bytes()));
    let data = pem.replace('\n', "\\n");
    format!(
        ">> AT+QFLST=\"{name}\"\n<< +CME ERROR: 405\n>> AT+QFUPL=\"{name}\",{size},100\n<< CONNECT\n>= {data}\n\
         << +QFUPL: {size},{sum:04x}\n<< OK\n{}",
        listed(name, pem)
    )
}

fn listed(name: &str, pem: &str) -> String {
    format!(">> AT+QFLST=\"{name}\"\n<< +QFLST: \"{name}\",{}\n<< OK\n", pem.len())
}

fn names() -> [String; 3] {
    let (ca, client) = (CA.into(), CLIENT.into());
    [Certificate::ca(&ca).path(), Certificate::client(&client).path(), Certificate::key(KEY, &client).path()]
}

/// The rest of a connection with TLS, from the settings of the context on.
fn tls_script(level: u8) -> String {
    let [ca, client, key] = names();
    let pair = match level {
        2 => format!(
            ">> AT+QSSLCFG=\"clientcert\",0,\"{client}\"\n<< OK\n>> AT+QSSLCFG=\"clientkey\",0,\"{key}\"\n<< OK\n"
        ),
        _ => String::new(),
    };
    let settings = SETTINGS.replace(
        ">> AT+QMTCFG=\"ssl\",0,0,0\n    << OK",
        ">> AT+QMTCFG=\"ssl\",0,1,0\n<< OK\n>> AT+QMTCFG=\"ssl\",0\n<< +QMTCFG: \"ssl\",1,0\n<< OK",
    );
    format!(
        r#"
        >> AT+QSSLCFG="sslversion",0,4
        << OK
        >> AT+QSSLCFG="ciphersuite",0,"0xFFFF"
        << ERROR
        >> AT+QSSLCFG="ciphersuite",0,0xFFFF
        << OK
        >> AT+QSSLCFG="seclevel",0,{level}
        << OK
        >> AT+QSSLCFG="cacert",0,"{ca}"
        << OK
        {pair}
        >> AT+QSSLCFG="ignorelocaltime",0,0
        << OK
        >> AT+QSSLCFG="sni",0,1
        << ERROR
        >> AT+QSSLCFG="seclevel",0
        << +QSSLCFG: "seclevel",0,{level}
        << OK
        >> AT+QSSLCFG="cacert",0
        << +QSSLCFG: "cacert",0,"{ca}"
        << OK
        >> AT+QSSLCFG="ignorelocaltime",0
        << +QSSLCFG: "ignorelocaltime",0,0
        << OK
        {settings}
        >> AT+QMTOPEN=0,"broker.example.com",8883
        << OK
        << +QMTOPEN: 0,0
        >> AT+QMTCONN=0,"gateway-7"
        << OK
        << +QMTCONN: 0,0,0
        "#
    )
}

fn tls_options(tls: Tls) -> ConnectOptions {
    ConnectOptions::new("gateway-7", "broker.example.com", 8883).tls(tls)
}

const CLOCK: &str = ">> AT+CCLK?\n<< +CCLK: \"26/11/21,10:00:00+00\"\n<< OK\n";

#[tokio::test(start_paused = true)]
async fn certificates_are_sent_once_and_settings_read_back() {
    let [ca, client, key] = names();
    let tls = || Tls::with_ca(CA).client_certificate(CLIENT, KEY);
    let script = format!(
        "{CLOCK}{}{}{}{}",
        upload(&ca, CA),
        upload(&client, CLIENT),
        upload(&key, KEY),
        tls_script(2)
    );
    connect_with(&Host::default(), tls_options(tls()), &script).await.unwrap();
    let there = format!("{}{}{}", listed(&ca, CA), listed(&client, CLIENT), listed(&key, KEY));
    let script = format!("{CLOCK}{there}{}", tls_script(2));
    connect_with(&Host::default(), tls_options(tls()), &script).await.unwrap();
    let script = format!("{CLOCK}{}{}", listed(&ca, CA), tls_script(1));
    connect_with(&Host::default(), tls_options(Tls::with_ca(CA)), &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn uploads_are_told_and_keys_are_not() {
    let steps: Arc<Mutex<Vec<Step>>> = Arc::default();
    let seen = Arc::clone(&steps);
    let progress: Progress = Arc::new(move |step: &Step| seen.lock().unwrap().push(step.clone()));
    let [ca, ..] = names();
    let options = tls_options(Tls::with_ca(CA));
    let host = Host::default();
    let script = format!("{CLOCK}{}{}", upload(&ca, CA), tls_script(1));
    let flow = async |port: ModemPort| {
        let context = Connecting { port: &port, index: 0, options: &options, progress: Some(&progress) };
        connect(&context, &host.sessions).await
    };
    host.converse(&script, flow).await.unwrap();
    let expected = [Step::Upload { file: ca, bytes: CA.len() }, Step::OpenNetwork, Step::Connect];
    assert_eq!(*steps.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_file_of_another_size_is_sent_again() {
    let [ca, ..] = names();
    let broken_off =
        format!(">> AT+QFLST=\"{ca}\"\n<< +QFLST: \"{ca}\",3\n<< OK\n>> AT+QFDEL=\"{ca}\"\n<< OK\n");
    let send = upload(&ca, CA);
    let send = send.split_once("405\n").unwrap().1;
    let script = format!("{CLOCK}{broken_off}{send}{}", tls_script(1));
    connect_with(&Host::default(), tls_options(Tls::with_ca(CA)), &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_was_stored_wrong_is_taken_away_again() {
    let [ca, ..] = names();
    let sent = upload(&ca, CA);
    let sent = sent.split_once("<< +QFUPL").unwrap().0;
    let size = CA.len();
    let script = format!("{CLOCK}{sent}<< +QFUPL: {size},0bad\n<< OK\n>> AT+QFDEL=\"{ca}\"\n<< OK");
    let error = connect_with(&Host::default(), tls_options(Tls::with_ca(CA)), &script).await.unwrap_err();
    assert!(error.to_string().ends_with("was not stored as it was sent"), "{error}");
    // The line with the checksum may be missing: then the size decides.
    let script = format!("{CLOCK}{sent}<< OK\n{}{}", listed(&ca, CA), tls_script(1));
    connect_with(&Host::default(), tls_options(Tls::with_ca(CA)), &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_setting_that_was_not_kept_ends_it_before_anything_is_sent_to_the_broker() {
    let [ca, ..] = names();
    let script = format!("{CLOCK}{}{}", listed(&ca, CA), tls_script(1));
    for (command, wrong) in [
        ("QSSLCFG=\"seclevel\",0", "+QSSLCFG: \"seclevel\",0,0"),
        ("QSSLCFG=\"cacert\",0", "+QSSLCFG: \"cacert\",0,\"UFS:other.pem\""),
        ("QSSLCFG=\"ignorelocaltime\",0", "+QSSLCFG: \"ignorelocaltime\",0,1"),
        ("QMTCFG=\"ssl\",0", "+QMTCFG: \"ssl\",0"),
    ] {
        let query = format!(">> AT+{command}\n");
        let end = script.find(&query).unwrap() + query.len();
        let script = format!("{}<< {wrong}\n<< OK", &script[..end]);
        let error = connect_with(&Host::default(), tls_options(Tls::with_ca(CA)), &script).await.unwrap_err();
        let key = command.split('"').nth(1).unwrap();
        assert!(error.to_string().contains(&format!("did not keep the setting {key},")), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_never_set_is_set() {
    let host = Host::default();
    let options = tls_options(Tls::with_ca(CA));
    let flow = async |port: ModemPort| {
        let context = Connecting { port: &port, index: 0, options: &options, progress: None };
        connect(&context, &host.sessions).await
    };
    // The time is this computer's, so only the start of the line is known, and the module says no more.
    let script = ">> AT+CCLK?\n<< +CCLK: \"80/01/06,00:00:12+00\"\n<< OK\n>= AT+CCLK=\"2";
    let outcome = tokio::time::timeout(Duration::from_secs(1), host.converse(script, flow)).await;
    assert!(outcome.is_err(), "the answer is still awaited");
}

#[tokio::test(start_paused = true)]
async fn without_verification_nothing_is_sent_or_trusted() {
    let script = tls_script(0);
    let cut = |from: &str, to: &str, script: String| {
        let start = script.find(from).unwrap();
        let end = script[start..].find(to).unwrap() + start;
        format!("{}{}", &script[..start], &script[end..])
    };
    let script = cut(">> AT+QSSLCFG=\"cacert\",0,", ">> AT+QSSLCFG=\"ignore", script);
    let script = cut(">> AT+QSSLCFG=\"cacert\",0\n", ">> AT+QMTCFG", script);
    let script = script.replace("\"ignorelocaltime\",0,0", "\"ignorelocaltime\",0,1");
    connect_with(&Host::default(), tls_options(Tls::danger_without_verification()), &script).await.unwrap();
}

/// The manual shows no query of these settings, and no list of files.
#[tokio::test(start_paused = true)]
async fn a_module_that_can_only_be_told_is_believed() {
    let [ca, ..] = names();
    let unlisted = upload(&ca, CA).replace(&listed(&ca, CA), &format!(">> AT+QFLST=\"{ca}\"\n<< ERROR\n"));
    let mut script = format!("{CLOCK}{unlisted}{}", tls_script(1));
    for answer in [
        "+QSSLCFG: \"seclevel\",0,1".to_owned(),
        format!("+QSSLCFG: \"cacert\",0,\"{ca}\""),
        "+QSSLCFG: \"ignorelocaltime\",0,0".to_owned(),
    ] {
        assert!(script.contains(&answer));
    }
    let (head, rest) = script.split_once(">> AT+QSSLCFG=\"seclevel\",0\n").unwrap();
    let rest = &rest[rest.find(">> AT+QMTCFG").unwrap()..];
    script = format!("{head}>> AT+QSSLCFG=\"seclevel\",0\n<< ERROR\n{rest}");
    let script = script.replace("+QMTCFG: \"ssl\",1,0", "+QMTCFG: \"ssl\",1");
    connect_with(&Host::default(), tls_options(Tls::with_ca(CA)), &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_in_the_way_unlisted_is_replaced() {
    let [ca, ..] = names();
    let sent = upload(&ca, CA);
    let again = sent.split_once("405\n").unwrap().1;
    let refused = format!(
        ">> AT+QFLST=\"{ca}\"\n<< ERROR\n>> AT+QFUPL=\"{ca}\",{},100\n<< +CME ERROR: 407\n>> AT+QFDEL=\"{ca}\"\n",
        CA.len()
    );
    let script = format!("{CLOCK}{refused}<< OK\n{again}{}", tls_script(1));
    connect_with(&Host::default(), tls_options(Tls::with_ca(CA)), &script).await.unwrap();
    let script = format!("{CLOCK}{refused}<< ERROR");
    let error = connect_with(&Host::default(), tls_options(Tls::with_ca(CA)), &script).await.unwrap_err();
    assert!(error.to_string().starts_with("AT+QFUPL: "), "{error}");
}

/// A broker that misses the client's certificate may end the handshake, or the connection behind it.
#[tokio::test(start_paused = true)]
async fn a_failure_that_may_be_one_of_certificates_says_what_to_look_at() {
    let [ca, ..] = names();
    let script = format!("{CLOCK}{}{}", listed(&ca, CA), tls_script(1));
    let (open, _) = script.split_once("<< +QMTOPEN: 0,0").unwrap();
    let conn = "<< +QMTOPEN: 0,0\n>> AT+QMTCONN=0,\"gateway-7\"\n<< OK\n";
    let none = ">> AT+QMTOPEN?\n<< OK";
    for (end, words) in [
        (format!("<< +QMTOPEN: 0,-1\n{none}"), "(code -1)"),
        (format!("<< +QMTOPEN: 0,5\n{none}"), "(code 5)"),
        (
            format!("{conn}<< +QMTSTAT: 0,1\n{none}"),
            "before the broker answered: closed or reset by the broker",
        ),
        (format!("{conn}<< +QMTCONN: 0,2\n{none}"), "(code 2)"),
        (
            format!("<< +QMTOPEN: 0,0\n<< +QMTSTAT: 0,1\n>> AT+QMTCONN=0,\"gateway-7\"\n<< ERROR\n{none}"),
            "the connection has ended already",
        ),
    ] {
        let options = tls_options(Tls::with_ca(CA));
        let error = connect_with(&Host::default(), options, &format!("{open}{end}")).await.unwrap_err();
        assert!(error.to_string().ends_with(words), "{error}");
        assert!(error.remedy().unwrap().contains("client certificate: none was given"), "{error}");
    }
    let options = tls_options(Tls::with_ca(CA));
    let script = format!("{open}<< +QMTOPEN: 0,4\n{none}");
    let error = connect_with(&Host::default(), options, &script).await.unwrap_err();
    assert_eq!(error.remedy().as_deref(), Some("check the host name"));
}
