//! How clients connect, as conversations in wire order.

use std::sync::{Arc, Mutex};

use super::*;
use crate::dialect::ModemPort;
use crate::dialect::simcom::script::Host;
use crate::error::Fault;
use crate::event::ClientStatus;
use crate::options::Progress;
use crate::qos::QoS;
use crate::tls::Tls;

fn options() -> ConnectOptions {
    ConnectOptions::new("gateway-7", "broker.example.com", 1883)
}

const START: &str = ">> AT+CMQTTSTART\n<< OK\n<< +CMQTTSTART: 0\n";

const ACQUIRE: &str = ">> AT+CMQTTACCQ=0,\"gateway-7\"\n<< OK\n";

const SETTINGS: &str = r#"
    >> AT+CMQTTCFG="checkUTF8",0,0
    << OK
    >> AT+CMQTTCFG="optimeout",0,60
    << OK
    >> AT+CMQTTCFG="argtopic",0,0,0
    << ERROR
"#;

const CONNECT: &str = "\n>> AT+CMQTTCONNECT=0,\"tcp://broker.example.com:1883\",120,1\n";

const RELEASE: &str = "\n>> AT+CMQTTREL=0\n<< OK\n";

async fn connect_with(host: &Host, options: ConnectOptions, script: &str) -> Result<()> {
    check(&options)?;
    host.links.begin(0, !options.clean_session);
    let flow = async |port: ModemPort| {
        let context = Connecting { port: &port, index: 0, options: &options, progress: None };
        connect(&context, &host.service).await
    };
    host.converse(script, flow).await
}

async fn connect_by(script: &str) -> Result<()> {
    connect_with(&Host::default(), options(), script).await
}

#[tokio::test(start_paused = true)]
async fn a_client_connects() {
    let host = Host::default();
    let script = format!("{START}{ACQUIRE}{SETTINGS}{CONNECT}<< OK\n<< +CMQTTCONNECT: 0,0");
    connect_with(&host, options(), &script).await.unwrap();
    assert!(host.service.is_open(0) && host.service.is_running());
    // The next one needs no other start.
    host.service.set_open(0, false);
    let script = format!("{ACQUIRE}{SETTINGS}{CONNECT}<< OK\n<< SMS DONE\n<< +CMQTTCONNECT: 0,0");
    connect_with(&host, options(), &script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_option_is_set() {
    let will = Will::new("st\"ate", "gone\r\n").unwrap().qos(QoS::ExactlyOnce);
    let options = options()
        .credentials("user", "hush")
        .keep_alive(Duration::from_secs(64_800))
        .clean_session(false)
        .will(will)
        .packet_timeout(Duration::from_secs(18))
        .retries(10);
    let script = r#"
        >> AT+CMQTTSTART
        << +CMQTTSTART: 0
        << OK
        >> AT+CMQTTACCQ=0,"gateway-7"
        << OK
        >> AT+CMQTTCFG="checkUTF8",0,0
        << OK
        >> AT+CMQTTCFG="optimeout",0,120
        << OK
        >> AT+CMQTTCFG="argtopic",0,0,0
        << OK
        >> AT+CMQTTWILLTOPIC=0,6
        <= \r\n>
        >= st"ate
        << OK
        >> AT+CMQTTWILLMSG=0,6,2
        <= \r\n>
        >= gone\r\n
        << OK
        >> AT+CMQTTCONNECT=0,"tcp://broker.example.com:1883",64800,0,"user","hush"
        << OK
        << +CMQTTCONNECT: 0,0
    "#;
    connect_with(&Host::default(), options, script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_in_use_is_released_first() {
    let script = format!(
        "{START}>> AT+CMQTTACCQ=0,\"gateway-7\"\n<< +CMQTTACCQ: 0,19\n<< ERROR\n\
         >> AT+CMQTTREL=0\n<< ERROR\n>> AT+CMQTTDISC=0,60\n<< OK\n<< +CMQTTDISC: 0,0{RELEASE}\
         {ACQUIRE}{SETTINGS}{CONNECT}<< OK\n<< +CMQTTCONNECT: 0,0"
    );
    connect_by(&script).await.unwrap();
}

/// A module that has restarted in silence knows nothing of its service any more.
#[tokio::test(start_paused = true)]
async fn a_service_that_is_gone_is_started_again() {
    let host = Host::default();
    host.service.set_running(true);
    let script = format!(
        ">> AT+CMQTTACCQ=0,\"gateway-7\"\n<< ERROR\n>> AT+CMQTTREL=0\n<< ERROR\n>> AT+CMQTTDISC=0,60\n<< ERROR\n\
         >> AT+CMQTTREL=0\n<< ERROR\n{START}{ACQUIRE}{SETTINGS}{CONNECT}<< OK\n<< +CMQTTCONNECT: 0,0"
    );
    connect_with(&host, options(), &script).await.unwrap();
    let refused = ">> AT+CMQTTACCQ=0,\"gateway-7\"\n<< +CMQTTACCQ: 0,12\n<< ERROR\n";
    let script = format!("{refused}{RELEASE}>> AT+CMQTTSTART\n<< +CMQTTSTART: 23\n<< ERROR\n{refused}");
    let error = connect_with(&host, options(), &script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CMQTTACCQ: a parameter is not valid (code 12)");
}

#[tokio::test(start_paused = true)]
async fn s_err_order_refusals_of_the_broker_and_failures_on_the_way() {
    let head = format!("{START}{ACQUIRE}{SETTINGS}{CONNECT}");
    let broker = "the broker refused: bad user name or password (code 4)";
    let unreachable = "AT+CMQTTCONNECT: the broker could not be reached (code 3)";
    for (answers, fault, words) in [
        ("<< OK\n<< +CMQTTCONNECT: 0,30", Fault::Broker, broker),
        ("<< +CMQTTCONNECT: 0,30\n<< ERROR", Fault::Broker, broker),
        ("<< OK\n<< +CMQTTCONNECT: 0,3", Fault::Module, unreachable),
        ("<< +CMQTTCONNECT: 0,3\n<< ERROR", Fault::Module, unreachable),
        // The network takes its time to find out.
        ("-- 55\n<< +CMQTTCONNECT: 0,3\n<< ERROR", Fault::Module, unreachable),
        ("<< ERROR", Fault::Module, "AT+CMQTTCONNECT: the module refused the command without a reason"),
    ] {
        let host = Host::default();
        let error = connect_with(&host, options(), &format!("{head}{answers}{RELEASE}")).await.unwrap_err();
        assert_eq!((error.fault(), error.to_string().as_str()), (fault, words));
        assert!(!host.service.is_open(0) && host.service.is_running());
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_without_a_data_connection_is_started_anew() {
    let host = Host::default();
    let script = format!("{START}{ACQUIRE}{SETTINGS}{CONNECT}<< OK\n<< +CMQTTCONNECT: 0,9{RELEASE}");
    let error = connect_with(&host, options(), &script).await.unwrap_err();
    assert_eq!(error.remedy().as_deref(), Some("reconnect, which starts the module's MQTT service again"));
    assert!(!host.service.is_running());
}

#[tokio::test(start_paused = true)]
async fn a_loss_while_connecting_is_the_reason() {
    let script = format!("{START}{ACQUIRE}{SETTINGS}{CONNECT}<< OK\n<< +CMQTTCONNLOST: 0,1{RELEASE}");
    let host = Host::default();
    let error = connect_with(&host, options(), &script).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { cause: LossCause::ClosedByPeer, .. }), "{error}");
    let link = host.links.current(0).unwrap();
    assert_eq!(*link.status().borrow(), ClientStatus::Lost(LossCause::ClosedByPeer));
}

/// What is reported before CONNECT is about a connection that the client had before.
#[tokio::test(start_paused = true)]
async fn a_late_report_of_a_former_connection_does_no_harm() {
    let script = format!(
        "{START}<< +CMQTTCONNLOST: 0,1\n{ACQUIRE}<< +CMQTTCONNECT: 0,26\n{SETTINGS}{CONNECT}<< OK\n\
         << +CMQTTCONNECT: 0,0"
    );
    connect_by(&script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_result_is_waited_for_without_end() {
    let script = format!(
        "{START}{ACQUIRE}{SETTINGS}{CONNECT}<< OK\n>> AT+CMQTTREL=0\n<< +CMQTTREL: 0,14\n<< ERROR\n\
         >> AT+CMQTTDISC=0,60\n<< OK\n<< +CMQTTCONNECT: 0,17\n<< +CMQTTDISC: 0,0{RELEASE}"
    );
    let error = connect_by(&script).await.unwrap_err();
    let after = Duration::from_secs(180) + options().acknowledgement_timeout();
    assert!(matches!(error, Error::Timeout { after: waited, .. } if waited == after), "{error}");
}

const PEM: &str = "-----BEGIN CERTIFICATE-----MII-----END CERTIFICATE-----";
const KEY: &str = "-----BEGIN PRIVATE KEY-----MII-----END PRIVATE KEY-----";

/// The names of the files above.
fn names() -> [String; 3] {
    use super::super::certificates::Certificate;
    let pem = Bytes::from_static(PEM.as_bytes());
    [Certificate::ca(&pem), Certificate::client(&pem), Certificate::key(KEY, &pem)]
        .map(|it| it.name().to_owned())
}

#[tokio::test(start_paused = true)]
async fn tls_with_both_sides_verified() {
    let [ca, certificate, key] = names();
    let script = format!(
        r#"
        >> AT+CCLK?
        << +CCLK: "26/11/21,10:00:00+32"
        << OK
        >> AT+CCERTLIST
        << OK
        >> AT+CCERTDOWN="{ca}",{}
        <= \r\n>
        >= {PEM}
        << OK
        >> AT+CCERTLIST
        << +CCERTLIST: "{ca}"
        << OK
        >> AT+CCERTLIST
        << +CCERTLIST: "{ca}"
        << +CCERTLIST: "{certificate}"
        << OK
        >> AT+CCERTLIST
        << ERROR
        >> AT+CCERTDOWN="{key}",{}
        <= \r\n>
        >= {KEY}
        << OK
        >> AT+CCERTLIST
        << +CCERTLIST: "{key}"
        << OK
        >> AT+CSSLCFG="sslversion",0,4
        << OK
        >> AT+CSSLCFG="authmode",0,2
        << OK
        >> AT+CSSLCFG="cacert",0,"{ca}"
        << OK
        >> AT+CSSLCFG="clientcert",0,"{certificate}"
        << OK
        >> AT+CSSLCFG="clientkey",0,"{key}"
        << OK
        >> AT+CSSLCFG="ignorlocaltime",0,0
        << ERROR
        >> AT+CSSLCFG="ignorelocaltime",0,0
        << OK
        >> AT+CSSLCFG="negotiatetime",0,180
        << OK
        >> AT+CSSLCFG="enableSNI",0,1
        << OK
        >> AT+CSSLCFG?
        << +CSSLCFG: 0,4,2,0,120,"{ca}","{certificate}","{key}",1
        << +CSSLCFG: 1,4,0,1,300,"","",""
        << OK
        {START}
        >> AT+CMQTTACCQ=0,"gateway-7",1
        << OK
        {SETTINGS}
        >> AT+CMQTTSSLCFG=0,0
        << OK
        >> AT+CMQTTCONNECT=0,"tcp://broker.example.com:8883",120,1
        << OK
        << +CMQTTCONNECT: 0,0
        "#,
        PEM.len(),
        KEY.len()
    );
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    let progress: Progress = Arc::new(move |step: &Step| seen.lock().unwrap().push(format!("{step:?}")));
    let tls = Tls::with_ca(PEM).client_certificate(PEM, KEY);
    let options = ConnectOptions::new("gateway-7", "broker.example.com", 8883).tls(tls);
    let host = Host::default();
    let flow = async |port: ModemPort| {
        let context = Connecting { port: &port, index: 0, options: &options, progress: Some(&progress) };
        connect(&context, &host.service).await
    };
    host.converse(&script, flow).await.unwrap();
    let uploaded = |name: &str, size| format!("Upload {{ file: {name:?}, bytes: {size} }}");
    let expected = [uploaded(&ca, PEM.len()), uploaded(&key, KEY.len()), "Connect".to_owned()];
    assert_eq!(*steps.lock().unwrap(), expected);
}

/// The settings of a TLS context up to the answer that shows them.
fn context_of_a_test_server(mode: u8) -> String {
    format!(
        r#"
        >> AT+CSSLCFG="sslversion",0,4
        << OK
        >> AT+CSSLCFG="authmode",0,{mode}
        << OK
        >> AT+CSSLCFG="ignorlocaltime",0,1
        << ERROR
        >> AT+CSSLCFG="ignorelocaltime",0,1
        << ERROR
        >> AT+CSSLCFG="negotiatetime",0,180
        << ERROR
        >> AT+CSSLCFG="enableSNI",0,1
        << ERROR
        >> AT+CSSLCFG?
        "#
    )
}

#[tokio::test(start_paused = true)]
async fn tls_is_set_before_every_connect_and_no_verification_is_said_as_such() {
    let tls = || options().tls(Tls::danger_without_verification());
    let head = context_of_a_test_server(0);
    let acquire = ">> AT+CMQTTACCQ=0,\"gateway-7\",1\n<< OK\n";
    let connect =
        format!("{acquire}{SETTINGS}\n>> AT+CMQTTSSLCFG=0,0\n<< OK{CONNECT}<< OK\n<< +CMQTTCONNECT: 0,");
    let host = Host::default();
    let failed = format!("{head}<< ERROR\n{START}{connect}32{RELEASE}");
    let error = connect_with(&host, tls(), &failed).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CMQTTCONNECT: the TLS handshake failed (code 32)");
    let again = format!("{head}<< +CSSLCFG: 1,4,0,1,300,\"\",\"\",\"\"\n<< OK\n{connect}0");
    connect_with(&host, tls(), &again).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_setting_that_was_not_kept_ends_it_before_anything_is_sent_to_the_broker() {
    let [ca, ..] = names();
    for (answer, key) in [
        (format!("0,4,0,0,300,\"{ca}\",\"\",\"\""), "authmode"),
        ("0,4,1,0,300,\"other.pem\",\"\",\"\"".to_owned(), "cacert"),
        (format!("0,4,1,1,300,\"{ca}\",\"\",\"\""), "ignorlocaltime"),
    ] {
        let script = format!(
            r#"
            >> AT+CCLK?
            << +CCLK: "26/11/21,10:00:00+32"
            << OK
            >> AT+CCERTLIST
            << +CCERTLIST: "{ca}"
            << OK
            >> AT+CSSLCFG="sslversion",0,4
            << OK
            >> AT+CSSLCFG="authmode",0,1
            << OK
            >> AT+CSSLCFG="cacert",0,"{ca}"
            << OK
            >> AT+CSSLCFG="ignorlocaltime",0,0
            << OK
            >> AT+CSSLCFG="negotiatetime",0,180
            << OK
            >> AT+CSSLCFG="enableSNI",0,1
            << OK
            >> AT+CSSLCFG?
            << +CSSLCFG: {answer}
            << OK
            "#
        );
        let error =
            connect_with(&Host::default(), options().tls(Tls::with_ca(PEM)), &script).await.unwrap_err();
        assert!(error.to_string().contains(&format!("did not keep the setting {key}")), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_proves_itself_to_a_server_that_is_not_verified() {
    let [_, certificate, key] = names();
    let listed =
        format!(">> AT+CCERTLIST\n<< +CCERTLIST: \"{certificate}\"\n<< +CCERTLIST: \"{key}\"\n<< OK\n");
    let files = format!(
        ">> AT+CSSLCFG=\"authmode\",0,3\n<< OK\n>> AT+CSSLCFG=\"clientcert\",0,\"{certificate}\"\n<< OK\n\
         >> AT+CSSLCFG=\"clientkey\",0,\"{key}\"\n<< ERROR"
    );
    let script = format!("{listed}{listed}>> AT+CSSLCFG=\"sslversion\",0,4\n<< OK\n{files}");
    let tls = Tls::danger_without_verification().client_certificate(PEM, KEY);
    let error = connect_with(&Host::default(), options().tls(tls), &script).await.unwrap_err();
    assert_eq!(error.to_string(), "AT+CSSLCFG: the module refused the command without a reason");
}

/// The manual names the command that lists files, and shows nothing of it.
#[tokio::test(start_paused = true)]
async fn a_module_that_lists_no_files_is_believed_when_it_has_stored_one() {
    let [ca, ..] = names();
    let tls = Tls::with_ca(PEM).check_dates(false);
    let script = format!(
        ">> AT+CCERTLIST\n<< ERROR\n>> AT+CCERTDOWN=\"{ca}\",{}\n<= >\n>= {PEM}\n<< OK\n>> AT+CCERTLIST\n<< ERROR\n\
         >> AT+CSSLCFG=\"sslversion\",0,4\n<< ERROR",
        PEM.len()
    );
    let error = connect_with(&Host::default(), options().tls(tls), &script).await.unwrap_err();
    assert!(error.to_string().starts_with("AT+CSSLCFG: "), "the certificate is there: {error}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_stored_is_no_file() {
    let [ca, ..] = names();
    let tls = || options().tls(Tls::with_ca(PEM).check_dates(false));
    let upload = format!(">> AT+CCERTLIST\n<< OK\n>> AT+CCERTDOWN=\"{ca}\",{}\n", PEM.len());
    let script = format!("{upload}<= >\n>= {PEM}\n<< OK\n>> AT+CCERTLIST\n<< OK");
    let error = connect_with(&Host::default(), tls(), &script).await.unwrap_err();
    assert_eq!(error.to_string(), format!("AT+CCERTDOWN: {ca} was not stored"));
    let script = format!("{upload}<< ERROR\n>> AT+CCERTDELE=\"{ca}\"\n<< ERROR");
    assert!(connect_with(&Host::default(), tls(), &script).await.is_err());
    // Firmware that never completes the upload leaves a part of it, which must not be found the next time.
    let filler = ["?", &"\\r".repeat(PEM.len() - 1)].concat();
    let probe = format!(">= {filler}\n>> AT+CMEE?\n<< +CMEE: 0\n<< OK");
    let script = format!("{upload}<= >\n>= {PEM}\n{probe}\n>> AT+CCERTDELE=\"{ca}\"\n<< OK");
    let error = connect_with(&Host::default(), tls(), &script).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
}

/// What `check` says of options, before anything is sent.
fn refusal(options: ConnectOptions) -> String {
    check(&options).unwrap_err().to_string()
}

#[test]
fn s_limits() {
    assert!(check(&options()).is_ok());
    let identifier = |length: usize| ConnectOptions::new("x".repeat(length), "broker.example.com", 1883);
    assert!(check(&identifier(128)).is_ok());
    assert_eq!(refusal(identifier(129)), "the client identifier has 129 bytes, more than the limit of 128");
    assert_eq!(refusal(identifier(0)), "the client identifier is missing");
    assert_eq!(refusal(ConnectOptions::new("a", "", 1883)), "the host is missing");
    assert!(check(&ConnectOptions::new("a", "h".repeat(245), 8883)).is_ok());
    assert!(check(&ConnectOptions::new("a", "h".repeat(246), 8883)).is_err());
    assert!(check(&options().keep_alive(Duration::from_secs(1))).is_ok());
    assert!(check(&options().keep_alive(Duration::from_secs(64_800))).is_ok());
    for seconds in [0, 64_801] {
        assert!(check(&options().keep_alive(Duration::from_secs(seconds))).is_err());
    }
    assert!(check(&options().credentials("u".repeat(256), "p".repeat(256))).is_ok());
    assert!(check(&options().credentials("u".repeat(257), "p")).is_err());
    assert!(check(&options().credentials("u", "p".repeat(257))).is_err());
    assert!(check(&options().credentials("", "p")).is_err());
    let will = |topic: usize, message: usize| Will::new("t".repeat(topic), "m".repeat(message)).unwrap();
    assert!(check(&options().will(will(1024, 1024))).is_ok());
    assert!(check(&options().will(will(1025, 1024))).is_err());
    assert!(check(&options().will(will(1024, 1025))).is_err());
    assert_eq!(refusal(options().client_index(2)), "the client index is 2, and must be 0 to 1");
    let facts = &facts::FACTS;
    assert_eq!((facts.max_topic, facts.max_payload, facts.clients.clone()), (1024, 10_240, 0..=1));
}

#[test]
fn what_these_modules_cannot_do_is_said_before_anything_is_sent() {
    let will = || Will::new("t", "m").unwrap();
    for (options, what) in [
        (options().version(ProtocolVersion::V3_1), "a choice of the protocol version"),
        (options().receive_mode(ReceiveMode::Pull), "fetching messages from the module"),
        (options().will(will().retain(true)), "a retained will"),
        (options().will(Will::new("t", "").unwrap()), "a will without a message"),
    ] {
        let words = format!("{what} is not possible with this SIMCom module: ");
        assert!(refusal(options).starts_with(&words), "{what}");
    }
    assert_eq!(refusal(options().require_tls(true)), "TLS is missing");
    assert_eq!(
        refusal(options().tls(Tls::with_ca("x"))),
        "the CA certificate is not in PEM form: no -----BEGIN CERTIFICATE-----"
    );
    let mut unverifiable = Tls::danger_without_verification();
    unverifiable.verify_server = true;
    assert_eq!(refusal(options().tls(unverifiable)), "the CA certificate is missing");
    assert!(check(&options().require_tls(true).tls(Tls::with_ca(PEM))).is_ok());
}

#[test]
fn packets_are_tried_for_as_long_as_the_module_can() {
    let of = |seconds, retries| options().packet_timeout(Duration::from_millis(seconds)).retries(retries);
    let limits =
        |options: &ConnectOptions| (packet_limit(options).as_secs(), operation_limit(options).as_secs());
    assert_eq!(limits(&options()), (60, 60), "15 s are less than the module's least");
    assert_eq!(limits(&of(30_100, 3)), (91, 91));
    assert_eq!(limits(&of(90_000, 0)), (90, 90), "one try is made in any case");
    assert_eq!(limits(&of(60_000, 3)), (180, 120));
    assert!(check(&of(60_000, 3)).is_ok());
    assert_eq!(refusal(of(60_001, 3)), "the packet timeout times the retries is 180, and must be 1 to 180");
    assert!(check(&of(u64::MAX, 255)).is_err());
}
