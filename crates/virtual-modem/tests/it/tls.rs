//! TLS with the module's own files: who is verified, and what a failure looks like [EC200x MQTT 1.0 §5.2;
//! A7600 MQTT 1.00 §3.2–3.4; Neoway MQTT 1.2 §B.4].

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use virtual_modem::{Broker, Entry, Quirk, Vendor, VirtualModem};

use crate::host::Host;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

type Seen = (Option<String>, bool);

struct Server {
    authority: Authority,
    modem: VirtualModem,
    /// Server name and whether a client certificate came, of each connection.
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A server that accepts CONNECT and nothing else, and Quectel's module that is sent to it.
async fn server(clients_need_certificates: bool, expired: bool) -> Server {
    server_of(Vendor::Quectel, clients_need_certificates, expired).await
}

async fn server_of(vendor: Vendor, clients_need_certificates: bool, expired: bool) -> Server {
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["broker.example".to_owned()]).unwrap();
    if expired {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
    }
    let certificate = params.signed_by(&key, &authority).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if clients_need_certificates {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            // A handshake that fails is the module's affair.
            let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
            let connection = stream.get_ref().1;
            let certified = connection.peer_certificates().is_some();
            log.lock().unwrap().push((connection.server_name().map(str::to_owned), certified));
            tokio::spawn(async move {
                let mut connect = [0; 64];
                while stream.read(&mut connect).await.is_ok_and(|count| count > 0) {
                    stream.write_all(b"\x20\x02\x00\x00").await.unwrap();
                }
            });
        }
    });
    let modem = VirtualModem::builder(vendor)
        .broker(Broker::Redirect(address))
        .turnaround(Duration::ZERO)
        .quirk(Quirk::ContextAlreadyUp)
        .build()
        .unwrap();
    Server { authority, modem, seen }
}

/// A host with echo off and TLS context 2 at the given security level.
async fn host(modem: &VirtualModem, level: u8) -> Host<tokio::io::DuplexStream> {
    let mut host = Host::new(modem.duplex());
    host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    for command in [
        "AT+QMTCFG=\"SSL\",0,1,2".to_owned(),
        "AT+QSSLCFG=\"cacert\",2,\"UFS:cacert.pem\"".to_owned(),
        "AT+QSSLCFG=\"clientcert\",2,\"UFS:client.pem\"".to_owned(),
        "AT+QSSLCFG=\"clientkey\",2,\"UFS:user_key.pem\"".to_owned(),
        format!("AT+QSSLCFG=\"seclevel\",2,{level}"),
        "AT+QSSLCFG=\"sslversion\",2,4".to_owned(),
        "AT+QSSLCFG=\"ciphersuite\",2,\"0xFFFF\"".to_owned(),
    ] {
        host.ask(&command, "\r\nOK\r\n").await;
    }
    host
}

async fn upload(host: &mut Host<tokio::io::DuplexStream>, name: &str, content: &str) {
    host.ask(&format!("AT+QFUPL=\"UFS:{name}\",{},100", content.len()), "\r\nCONNECT\r\n").await;
    host.say(content).await;
    let checksum = content
        .as_bytes()
        .chunks(2)
        .fold(0, |sum, pair| sum ^ (u16::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u16::from(*low))));
    host.hear(format!("\r\n+QFUPL: {},{checksum:x}\r\n\r\nOK\r\n", content.len())).await;
}

async fn open(host: &mut Host<tokio::io::DuplexStream>, result: i8) {
    let expected = format!("\r\nOK\r\n\r\n+QMTOPEN: 0,{result}\r\n");
    host.ask("AT+QMTOPEN=0,\"broker.example\",8883", expected).await;
}

#[tokio::test]
async fn nobody_is_verified_at_level_0() {
    let server = server(false, true).await;
    let mut host = host(&server.modem, 0).await;
    open(&mut host, 0).await;
    host.ask("AT+QMTCONN=0,\"c\"", "\r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n").await;
    assert_eq!(*server.seen.lock().unwrap(), [(None, false)]);
}

#[tokio::test]
async fn the_server_is_verified_at_level_1() {
    let server = server(false, false).await;
    let mut host = host(&server.modem, 1).await;
    upload(&mut host, "cacert.pem", &server.authority.pem()).await;
    host.ask("AT+QSSLCFG=\"sni\",2,1", "\r\nOK\r\n").await;
    open(&mut host, 0).await;
    host.ask("AT+QMTCONN=0,\"c\"", "\r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n").await;
    assert_eq!(*server.seen.lock().unwrap(), [(Some("broker.example".to_owned()), false)]);
    // Another name than the certificate's.
    host.ask("AT+QMTCFG=\"ssl\",1,1,2", "\r\nOK\r\n").await;
    host.ask("AT+QMTOPEN=1,\"other.example\",8883", "\r\nOK\r\n\r\n+QMTOPEN: 1,-1\r\n").await;
}

#[tokio::test]
async fn a_wrong_authority_fails_the_handshake() {
    let server = server(false, false).await;
    let mut host = host(&server.modem, 1).await;
    open(&mut host, -1).await;
    upload(&mut host, "cacert.pem", &authority().pem()).await;
    open(&mut host, -1).await;
    host.ask("AT+QIGETERROR", "\r\n+QIGETERROR: 566,socket connect failed\r\n\r\nOK\r\n").await;
    assert!(server.seen.lock().unwrap().is_empty());
    let notes: Vec<String> = server
        .modem
        .log()
        .into_iter()
        .filter_map(|record| match record.entry {
            Entry::Note(text) => Some(text),
            _ => None,
        })
        .collect();
    assert!(notes[0].contains("cacert") && notes[0].contains("no such file"), "{notes:?}");
    assert!(notes[1].contains("invalid peer certificate"), "{notes:?}");
}

#[tokio::test]
async fn the_client_has_a_certificate_at_level_2() {
    let server = server(true, false).await;
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["gateway".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &server.authority).unwrap();
    let mut host = host(&server.modem, 2).await;
    upload(&mut host, "cacert.pem", &server.authority.pem()).await;
    upload(&mut host, "client.pem", &certificate.pem()).await;
    open(&mut host, -1).await;
    upload(&mut host, "user_key.pem", &key.serialize_pem()).await;
    open(&mut host, 0).await;
    host.ask("AT+QMTCONN=0,\"c\"", "\r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n").await;
    assert_eq!(*server.seen.lock().unwrap(), [(None, true)]);
}

#[tokio::test]
async fn dates_count_unless_they_are_to_be_ignored() {
    let server = server(false, true).await;
    let mut host = host(&server.modem, 1).await;
    upload(&mut host, "cacert.pem", &server.authority.pem()).await;
    host.ask("AT+QSSLCFG=\"ignorelocaltime\",2,0", "\r\nOK\r\n").await;
    open(&mut host, -1).await;
    host.ask("AT+QSSLCFG=\"ignorelocaltime\",2,1", "\r\nOK\r\n").await;
    open(&mut host, 0).await;
}

/// The manual's example of certificates, with its missing `OK` supplied [Neoway MQTT 1.2 §B.4].
#[tokio::test]
async fn neoways_client_has_a_certificate_too() {
    let server = server_of(Vendor::Neoway, true, false).await;
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["gateway".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &server.authority).unwrap();
    let mut host = Host::new(server.modem.duplex());
    host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    let files = [
        ("rootca", "rootca.pem", server.authority.pem()),
        ("clientcert", "certificate.pem.crt", certificate.pem()),
        ("clientkey", "private.pem.key", key.serialize_pem()),
    ];
    for (_, name, content) in &files {
        host.ask(&format!("AT+CERTADD={name},{}", content.len()), "\r\nCONNECT\r\n").await;
        host.say(content).await;
        host.hear(format!("\r\n+CERTADD: {},OK\r\n", content.len())).await;
    }
    host.ask("AT+AWSTLSCFG=authmode,1", "\r\nOK\r\n").await;
    for (setting, name, _) in &files[..2] {
        host.ask(&format!("AT+AWSTLSCFG={setting},{name}"), "\r\nOK\r\n").await;
    }
    host.ask("AT+AWSAUTHPARAM=nwy_test", "\r\nOK\r\n").await;
    host.ask("AT+AWSCONNPARAM=broker.example:443,1", "\r\nOK\r\n").await;
    // The server wants the certificate, which is useless without its key.
    host.ask("AT+AWSCONN=60,1,4", "\r\nERROR\r\n").await;
    host.ask("AT+AWSTLSCFG=clientkey,private.pem.key", "\r\nOK\r\n").await;
    host.ask("AT+AWSCONN=60,1,4", "\r\nOK\r\n").await;
    assert_eq!(*server.seen.lock().unwrap(), [(Some("broker.example".to_owned()), true)]);
    host.ask("AT+MQTTDISCONN", "\r\nOK\r\n").await;
    // Another name than the certificate's is refused, unless nobody is verified.
    host.ask("AT+AWSCONNPARAM=other.example:443,1", "\r\nOK\r\n").await;
    host.ask("AT+AWSCONN=60,1,4", "\r\nERROR\r\n").await;
    host.ask("AT+AWSTLSCFG=authmode,0", "\r\nOK\r\n").await;
    host.ask("AT+AWSCONN=60,1,4", "\r\nOK\r\n").await;
}

/// SIMCom's module with its client acquired for TLS, and context 4 in this authentication mode.
async fn simcom(server: &Server, mode: u8) -> Host<tokio::io::DuplexStream> {
    let mut host = Host::new(server.modem.duplex());
    host.ask("ATE0", "ATE0\r\r\nOK\r\n").await;
    host.ask("AT+CMQTTSTART", "\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n").await;
    for command in [
        "AT+CMQTTACCQ=0,\"c\",1".to_owned(),
        "AT+CSSLCFG=\"sslversion\",4,3".to_owned(),
        format!("AT+CSSLCFG=\"authmode\",4,{mode}"),
        "AT+CSSLCFG=\"cacert\",4,\"ca_cert.pem\"".to_owned(),
        "AT+CSSLCFG=\"clientcert\",4,\"cert.pem\"".to_owned(),
        "AT+CSSLCFG=\"clientkey\",4,\"key_cert.pem\"".to_owned(),
    ] {
        host.ask(&command, "\r\nOK\r\n").await;
    }
    host
}

async fn cert_down(host: &mut Host<tokio::io::DuplexStream>, name: &str, content: &str) {
    host.ask(&format!("AT+CCERTDOWN=\"{name}\",{}", content.len()), "\r\n>").await;
    host.say(content).await;
    host.hear("\r\nOK\r\n").await;
}

/// Connects with context 4, or with the client's own.
async fn connect(host: &mut Host<tokio::io::DuplexStream>, chosen: bool, result: u8) {
    if chosen {
        host.ask("AT+CMQTTSSLCFG=0,4", "\r\nOK\r\n").await;
    }
    let expected = format!("\r\nOK\r\n\r\n+CMQTTCONNECT: 0,{result}\r\n");
    host.ask("AT+CMQTTCONNECT=0,\"tcp://broker.example:8883\",60,1", expected).await;
}

#[tokio::test]
async fn simcom_verifies_the_server_with_the_chosen_context_only() {
    let server = server_of(Vendor::SimCom, false, true).await;
    let mut host = simcom(&server, 1).await;
    connect(&mut host, true, 34).await;
    cert_down(&mut host, "ca_cert.pem", &authority().pem()).await;
    connect(&mut host, true, 32).await;
    cert_down(&mut host, "ca_cert.pem", &server.authority.pem()).await;
    host.ask("AT+CSSLCFG=\"ignorelocaltime\",4,0", "\r\nOK\r\n").await;
    connect(&mut host, true, 32).await;
    host.ask("AT+CSSLCFG=\"ignorlocaltime\",4,1", "\r\nOK\r\n").await;
    host.ask("AT+CSSLCFG=\"enableSNI\",4,1", "\r\nOK\r\n").await;
    connect(&mut host, true, 0).await;
    host.ask("AT+CMQTTDISC=0,0", "\r\nOK\r\n\r\n+CMQTTDISC: 0,0\r\n").await;
    // The choice is gone, and context 0 verifies nobody and sends no name.
    connect(&mut host, false, 0).await;
    let expected = [(Some("broker.example".to_owned()), false), (None, false)];
    assert_eq!(*server.seen.lock().unwrap(), expected);
}

#[tokio::test]
async fn simcom_has_a_certificate_of_its_own() {
    let server = server_of(Vendor::SimCom, true, false).await;
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["gateway".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &server.authority).unwrap();
    let mut host = simcom(&server, 2).await;
    cert_down(&mut host, "ca_cert.pem", &server.authority.pem()).await;
    cert_down(&mut host, "cert.pem", &certificate.pem()).await;
    connect(&mut host, true, 34).await;
    cert_down(&mut host, "key_cert.pem", &key.serialize_pem()).await;
    connect(&mut host, true, 0).await;
    // In mode 3 nobody looks at the server, whoever signed its certificate.
    host.ask("AT+CMQTTDISC=0,0", "\r\nOK\r\n\r\n+CMQTTDISC: 0,0\r\n").await;
    host.ask("AT+CCERTDELE=\"ca_cert.pem\"", "\r\nOK\r\n").await;
    connect(&mut host, true, 34).await;
    host.ask("AT+CSSLCFG=\"authmode\",4,3", "\r\nOK\r\n").await;
    connect(&mut host, true, 0).await;
    assert_eq!(*server.seen.lock().unwrap(), [(None, true), (None, true)]);
}
