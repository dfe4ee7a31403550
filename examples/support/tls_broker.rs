//! A broker that lets nobody in without a certificate, and the certificates for it.

use std::net::{Ipv4Addr, SocketAddr};

use mqtt5::broker::config::StorageBackend;
use mqtt5::broker::config::TlsConfig;
use mqtt5::broker::{BrokerConfig, MqttBroker};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// Where the broker listens, and what a client of it needs, as PEM.
pub(crate) struct TlsBroker {
    pub(crate) address: SocketAddr,
    pub(crate) ca: String,
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// Starts a broker for `host`, which runs until the process ends.
pub(crate) async fn start(host: &str) -> Result<TlsBroker, Box<dyn std::error::Error>> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let certify = |name: &str| -> Result<(String, String), rcgen::Error> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &authority)?;
        Ok((certificate.pem(), key.serialize_pem()))
    };
    let (server, server_key) = certify(host)?;
    let (certificate, key) = certify("gateway-7")?;

    let directory = tempfile::tempdir()?;
    let file = |name: &str, pem: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, pem).map(|()| path)
    };
    let tls = TlsConfig::new(file("server.pem", &server)?, file("server.key", &server_key)?)
        .with_ca_file(file("ca.pem", &authority.pem())?)
        .with_require_client_cert(true);
    let address = free_address()?;
    let mut config = BrokerConfig::default()
        .with_bind_address(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .with_tls(tls.with_bind_address(address));
    // What it stores would otherwise go into files where it is started.
    config.storage_config.backend = StorageBackend::Memory;
    let mut broker = MqttBroker::with_config(config).await?;
    let mut ready = broker.ready_receiver();
    tokio::spawn(async move { broker.run().await });
    ready.wait_for(|ready| *ready).await?;
    Ok(TlsBroker { address, ca: authority.pem(), certificate, key })
}

/// The broker does not tell which port it took for TLS, so one is chosen for it.
fn free_address() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
