//! Encryption of the connection to the broker.

use std::fmt;

use bytes::Bytes;

use crate::secret::Secret;

/// How a connection is encrypted and whom it trusts. By default the server is verified against a CA certificate
/// that must be given, its name is sent (SNI), and the dates of certificates are checked.
///
/// # Examples
///
/// ```no_run
/// use mqtt_at::{ConnectOptions, Tls};
///
/// # fn main() -> std::io::Result<()> {
/// let tls = Tls::with_ca(std::fs::read("ca.pem")?)
///     .client_certificate(std::fs::read("client.pem")?, std::fs::read_to_string("client.key")?);
/// let options = ConnectOptions::new("gateway-7", "broker.example.com", 8883).tls(tls).require_tls(true);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Tls {
    pub(crate) ca: Option<Bytes>,
    pub(crate) client: Option<(Bytes, Secret)>,
    pub(crate) verify_server: bool,
    pub(crate) server_name: bool,
    pub(crate) check_dates: bool,
}

impl Tls {
    /// Trusts servers whose certificate chain ends in this CA certificate (PEM).
    pub fn with_ca(pem: impl Into<Bytes>) -> Self {
        Self { ca: Some(pem.into()), client: None, verify_server: true, server_name: true, check_dates: true }
    }

    /// Trusts every server. This encrypts, but anybody on the way can read along; for tests only.
    pub fn danger_without_verification() -> Self {
        Self { ca: None, client: None, verify_server: false, server_name: true, check_dates: false }
    }

    /// Proves to the server who we are: a client certificate and its private key (both PEM).
    #[must_use]
    pub fn client_certificate(mut self, certificate: impl Into<Bytes>, key: impl Into<Secret>) -> Self {
        self.client = Some((certificate.into(), key.into()));
        self
    }

    /// Whether the name of the server is sent in the handshake (SNI), as cloud brokers require. Default: yes.
    #[must_use]
    pub fn server_name(mut self, send: bool) -> Self {
        self.server_name = send;
        self
    }

    /// Whether dates of certificates are checked, which needs a module whose clock is set. Default: yes.
    #[must_use]
    pub fn check_dates(mut self, check: bool) -> Self {
        self.check_dates = check;
        self
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("ca_bytes", &self.ca.as_ref().map(Bytes::len))
            .field("client_certificate", &self.client.is_some())
            .field("verify_server", &self.verify_server)
            .field("server_name", &self.server_name)
            .field("check_dates", &self.check_dates)
            .finish()
    }
}
