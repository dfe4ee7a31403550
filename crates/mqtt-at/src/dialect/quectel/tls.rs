//! How a TLS context is set up. Everything that decides about security is set, read back and compared, because the
//! defaults trust everybody: plain TCP, no verification, dates ignored, no server name.

use at_codec::CommandLine;
use at_port::{Exchange, Lane};
use bytes::Bytes;

use super::certificates::Certificate;
use super::commands::{QsslCfg, SecurityLevel};
use super::facts::timeout;
use crate::dialect::{Connecting, ask, clock, if_possible, not_kept, pem};
use crate::error::{Error, InputError, Result};
use crate::tls::Tls;
use crate::vendor::Vendor;

/// What the server wants: TLS 1.2, or an older version.
const ANY_VERSION: u8 = 4;

/// All cipher suites of the module.
const ALL_SUITES: u16 = 0xFFFF;

/// Checks what can be checked without the module.
pub(super) fn check(tls: &Tls) -> Result<()> {
    match &tls.ca {
        Some(pem) => pem::check_certificate("the CA certificate", pem)?,
        None if tls.verify_server => return Err(InputError::Missing { field: "the CA certificate" }.into()),
        None => {}
    }
    let Some((certificate, key)) = &tls.client else { return Ok(()) };
    pem::check_certificate("the client certificate", certificate)?;
    pem::check_key("the client key", key.expose().as_bytes())?;
    if !tls.verify_server {
        return Err(Error::Unsupported {
            what: "a client certificate without verification of the server",
            vendor: Vendor::Quectel,
            reason: "its highest security level verifies both".into(),
        });
    }
    Ok(())
}

/// Sets up the TLS context of a client, which has the client's number.
///
/// When dates are checked the module's clock must be right. One that was never set is set from this computer's.
pub(super) async fn set_up(context: &Connecting<'_>, tls: &Tls) -> Result<()> {
    let Connecting { port, index, .. } = *context;
    let lane = Lane::client(index);
    if tls.check_dates {
        clock::make_right(context).await?;
    }
    let ca = tls.ca.as_ref().map(Certificate::ca);
    let client = tls.client.as_ref().map(|(certificate, key)| client_files(certificate, key.expose()));
    for file in ca.iter().chain(client.iter().flatten()) {
        file.store(context).await?;
    }

    let level = match (tls.verify_server, &client) {
        (false, _) => SecurityLevel::None,
        (true, None) => SecurityLevel::Server,
        (true, Some(_)) => SecurityLevel::Mutual,
    };
    ask(port, lane, QsslCfg::ssl_version(index).set(ANY_VERSION)).await?;
    allow_all_suites(context).await?;
    ask(port, lane, QsslCfg::security_level(index).set(level)).await?;
    if let Some(ca) = &ca {
        ask(port, lane, QsslCfg::ca_cert(index).set(ca.path())).await?;
    }
    if let Some([certificate, key]) = &client {
        ask(port, lane, QsslCfg::client_cert(index).set(certificate.path())).await?;
        ask(port, lane, QsslCfg::client_key(index).set(key.path())).await?;
    }
    let dates = ask(port, lane, QsslCfg::ignore_local_time(index).set(!tls.check_dates)).await;
    if tls.check_dates {
        dates?;
    } else {
        if_possible(dates)?;
    }
    // Firmware that does not know the parameter may send the name all the same; the broker will tell.
    if if_possible(ask(port, lane, QsslCfg::sni(index).set(tls.server_name)).await)?.is_none() {
        tracing::warn!(client = index, "the firmware does not know the parameter sni");
    }
    verify(context, tls, level, ca.as_ref()).await
}

/// Reads back what decides about security, where the firmware tells: the manual shows no queries.
async fn verify(
    context: &Connecting<'_>,
    tls: &Tls,
    level: SecurityLevel,
    ca: Option<&Certificate>,
) -> Result<()> {
    let Connecting { port, index, .. } = *context;
    let lane = Lane::client(index);
    let Some(kept) = if_possible(ask(port, lane, QsslCfg::security_level(index).read()).await)? else {
        tracing::warn!(client = index, "the firmware does not tell how TLS is set up");
        return Ok(());
    };
    if kept != level {
        return Err(not_kept("AT+QSSLCFG", "seclevel"));
    }
    if let Some(ca) = ca {
        let kept = if_possible(ask(port, lane, QsslCfg::ca_cert(index).read()).await)?;
        if kept.is_some_and(|kept| !ca.is_named(&kept)) {
            return Err(not_kept("AT+QSSLCFG", "cacert"));
        }
    }
    if tls.check_dates {
        let kept = if_possible(ask(port, lane, QsslCfg::ignore_local_time(index).read()).await)?;
        if kept == Some(true) {
            return Err(not_kept("AT+QSSLCFG", "ignorelocaltime"));
        }
    }
    Ok(())
}

/// What to look at when a connection with TLS comes to nothing: the module gives one code for every reason.
pub(super) fn remedy(tls: &Tls) -> &'static str {
    match tls.client {
        None => {
            "check host and port, the CA certificate and the module's clock, and whether the broker asks for a client \
             certificate: none was given"
        }
        Some(_) => {
            "check host and port, the CA certificate, the client's certificate and key, and the module's clock"
        }
    }
}

fn client_files(certificate: &Bytes, key: &str) -> [Certificate; 2] {
    [Certificate::client(certificate), Certificate::key(key, certificate)]
}

/// The manual's example quotes the number [EC200x MQTT 1.0 §5.2]; other firmware wants it bare. All suites are the
/// default, so that a refusal of both is no matter.
async fn allow_all_suites(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, index, .. } = *context;
    let lane = Lane::client(index);
    if if_possible(ask(port, lane, QsslCfg::cipher_suite(index).set(ALL_SUITES)).await)?.is_none() {
        let line =
            CommandLine::write("+QSSLCFG").literal("ciphersuite").integer(index).word("0xFFFF").finish();
        let bare = at_port::Operation::from(Exchange::new(line).timeout(timeout::SETTING)).lane(lane);
        if_possible(port.run(bare).await.map_err(Error::from))?;
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
        let both = Tls::danger_without_verification().client_certificate(pem, key);
        assert!(matches!(check(&both), Err(Error::Unsupported { .. })));
    }
}
