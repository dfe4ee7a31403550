//! How a TLS context is set up. Everything that decides about security is set and read back, because the defaults
//! trust everybody: no verification, no server name.

use std::time::Duration;

use at_port::Lane;

use super::certificates::Certificate;
use super::commands::{AuthMode, CsslCfg, SslVersion};
use super::facts;
use crate::dialect::{Connecting, ask, clock, if_possible, not_kept, pem};
use crate::error::{Error, InputError, Result};
use crate::tls::Tls;

/// The TLS context of a client: the one that the module takes when it has forgotten which one was set for the client
/// [A7600 MQTT 1.00 §2.1.5].
pub(super) const fn context_of(client: u8) -> u8 {
    client
}

/// Checks what can be checked without the module.
pub(super) fn check(tls: &Tls) -> Result<()> {
    match &tls.ca {
        Some(pem) => pem::check_certificate("the CA certificate", pem)?,
        None if tls.verify_server => return Err(InputError::Missing { field: "the CA certificate" }.into()),
        None => {}
    }
    if let Some((certificate, key)) = &tls.client {
        pem::check_certificate("the client certificate", certificate)?;
        pem::check_key("the client key", key.expose().as_bytes())?;
    }
    for file in Files::of(tls).all() {
        file.check()?;
    }
    Ok(())
}

/// The files that a connection needs on the module.
struct Files {
    ca: Option<Certificate>,
    client: Option<[Certificate; 2]>,
}

impl Files {
    fn of(tls: &Tls) -> Self {
        let client = tls.client.as_ref().map(|(certificate, key)| {
            [Certificate::client(certificate), Certificate::key(key.expose(), certificate)]
        });
        Self { ca: tls.ca.as_ref().map(Certificate::ca), client }
    }

    fn all(&self) -> impl Iterator<Item = &Certificate> {
        self.ca.iter().chain(self.client.iter().flatten())
    }
}

/// Sets up the TLS context of a client.
///
/// When dates are checked the module's clock must be right. One that was never set is set from this computer's.
pub(super) async fn set_up(context: &Connecting<'_>, tls: &Tls) -> Result<()> {
    let Connecting { port, index, options, .. } = *context;
    let (lane, number) = (Lane::client(index), context_of(index));
    if tls.check_dates {
        clock::make_right(context).await?;
    }
    let files = Files::of(tls);
    for file in files.all() {
        file.store(context).await?;
    }
    let mode = match (tls.verify_server, tls.client.is_some()) {
        (false, false) => AuthMode::None,
        (false, true) => AuthMode::Client,
        (true, false) => AuthMode::Server,
        (true, true) => AuthMode::Mutual,
    };
    ask(port, lane, CsslCfg::ssl_version(number, SslVersion::All)).await?;
    ask(port, lane, CsslCfg::auth_mode(number, mode)).await?;
    if let Some(ca) = &files.ca {
        ask(port, lane, CsslCfg::ca_cert(number, ca.name())).await?;
    }
    if let Some([certificate, key]) = &files.client {
        ask(port, lane, CsslCfg::client_cert(number, certificate.name())).await?;
        ask(port, lane, CsslCfg::client_key(number, key.name())).await?;
    }
    ignore_dates(context, !tls.check_dates).await?;
    let limit = options.connect_timeout.as_secs();
    let limit = limit.clamp(*facts::NEGOTIATION_TIME.start(), *facts::NEGOTIATION_TIME.end());
    let handshake = CsslCfg::negotiate_time(number, Duration::from_secs(limit));
    if_possible(ask(port, lane, handshake).await)?;
    // Firmware that does not know the parameter may send the name all the same; the broker will tell.
    let server_name = ask(port, lane, CsslCfg::enable_sni(number, tls.server_name)).await;
    if if_possible(server_name)?.is_none() {
        tracing::warn!(client = index, "the firmware does not know the parameter enableSNI");
    }
    verify(context, tls, mode, files.ca.as_ref()).await
}

/// Firmware spells the parameter in one of two ways.
async fn ignore_dates(context: &Connecting<'_>, ignore: bool) -> Result<()> {
    let Connecting { port, index, .. } = *context;
    let (lane, number) = (Lane::client(index), context_of(index));
    let as_in_manual = ask(port, lane, CsslCfg::ignore_local_time(number, ignore)).await;
    if if_possible(as_in_manual)?.is_some() {
        return Ok(());
    }
    match ask(port, lane, CsslCfg::ignore_local_time_spelled_out(number, ignore)).await {
        Err(Error::Module(_)) if ignore => Ok(()),
        outcome => outcome,
    }
}

/// Reads back what decides about security, where the firmware tells.
async fn verify(context: &Connecting<'_>, tls: &Tls, mode: AuthMode, ca: Option<&Certificate>) -> Result<()> {
    const COMMAND: &str = "AT+CSSLCFG";
    let Connecting { port, index, .. } = *context;
    let contexts = if_possible(ask(port, Lane::client(index), CsslCfg::read()).await)?;
    let number = context_of(index);
    let Some(found) = contexts.into_iter().flatten().find(|it| it.context == number) else {
        tracing::warn!(client = index, "the firmware does not tell how TLS is set up");
        return Ok(());
    };
    if found.auth_mode != mode {
        return Err(not_kept(COMMAND, "authmode"));
    }
    if ca.is_some_and(|ca| !ca.is_named(&found.ca_cert)) {
        return Err(not_kept(COMMAND, "cacert"));
    }
    if tls.check_dates && found.ignores_local_time {
        return Err(not_kept(COMMAND, "ignorlocaltime"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_looked_at_before_anything_is_sent() {
        let pem = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n";
        assert!(check(&Tls::with_ca(pem)).is_ok() && check(&Tls::with_ca("x")).is_err());
        assert!(check(&Tls::with_ca(pem).client_certificate(pem, key)).is_ok());
        assert!(check(&Tls::with_ca(pem).client_certificate(pem, pem)).is_err());
        assert!(check(&Tls::with_ca(pem).client_certificate(key, key)).is_err());
        assert!(check(&Tls::danger_without_verification()).is_ok());
        assert!(check(&Tls::danger_without_verification().client_certificate(pem, key)).is_ok());
        let long = pem.repeat(11_000 / pem.len());
        let error = check(&Tls::with_ca(long)).unwrap_err().to_string();
        assert!(error.ends_with("more than the limit of 10240"), "{error}");
    }
}
