//! TLS with the files and settings of the module.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};

use super::{TlsSettings, TlsVersions};

/// Secures a connection to `host`.
pub(super) async fn handshake(
    settings: &TlsSettings,
    host: &str,
    tcp: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let config = config(settings)?;
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await
}

fn config(settings: &TlsSettings) -> io::Result<ClientConfig> {
    let versions: &[&SupportedProtocolVersion] = match settings.versions {
        TlsVersions::Obsolete => return Err(io::Error::other("versions below 1.2 are not spoken any more")),
        TlsVersions::Tls12 => &[&TLS12],
        TlsVersions::All => &[&TLS12, &TLS13],
    };
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match &settings.ca {
        None => Arc::new(TrustEverybody { provider: Arc::clone(&provider) }),
        Some(ca) => {
            let inner =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots(ca)?), Arc::clone(&provider));
            let inner = inner.build().map_err(io::Error::other)?;
            if settings.ignore_time { Arc::new(IgnoreTime { inner }) } else { inner }
        }
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &settings.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
            let chain = chain.map_err(|error| io::Error::other(format!("client certificate: {error}")))?;
            let key = PrivateKeyDer::from_pem_slice(key)
                .map_err(|error| io::Error::other(format!("client key: {error}")))?;
            builder.with_client_auth_cert(chain, key).map_err(io::Error::other)?
        }
    };
    config.enable_sni = settings.server_name_indication;
    Ok(config)
}

fn roots(ca: &Bytes) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca) {
        let certificate =
            certificate.map_err(|error| io::Error::other(format!("CA certificate: {error}")))?;
        roots.add(certificate).map_err(io::Error::other)?;
    }
    if roots.is_empty() { Err(io::Error::other("the CA file holds no certificate")) } else { Ok(roots) }
}

/// Security level 0: the connection is encrypted, with whomever.
#[derive(Debug)]
struct TrustEverybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for TrustEverybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// `ignorelocaltime`: a certificate is judged at a time at which it was valid.
#[derive(Debug)]
struct IgnoreTime {
    inner: Arc<WebPkiServerVerifier>,
}

/// Certificates of a chain whose dates may have to be stepped over, the server's and two above it, at both ends.
const TIME_STEPS: usize = 6;

impl ServerCertVerifier for IgnoreTime {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut time = now;
        for _ in 0..TIME_STEPS {
            let verdict =
                self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, time);
            time = match verdict {
                Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
                    not_after
                }
                Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
                    not_before, ..
                })) => not_before,
                verdict => return verdict,
            };
        }
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, time)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
