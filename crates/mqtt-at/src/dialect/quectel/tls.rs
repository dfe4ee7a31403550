//! How a TLS context is set up. Everything that decides about security is set, read back and compared, because the
//! defaults trust everybody: plain TCP, no verification, dates ignored, no server name.

use std::time::{SystemTime, UNIX_EPOCH};

use at_codec::CommandLine;
use at_port::{Exchange, Lane};
use bytes::Bytes;

use super::certificates::{self, Certificate};
use super::commands::{QsslCfg, SecurityLevel};
use super::facts::timeout;
use crate::common::{Clock, ClockTime, SetClock};
use crate::dialect::Connecting;
use crate::dialect::{ask, if_possible};
use crate::error::{Error, InputError, ModuleError, Outcome, Result};
use crate::tls::Tls;
use crate::vendor::Vendor;

/// A clock that shows an earlier year was never set.
const FIRST_YEAR: u16 = 2024;

/// What the server wants: TLS 1.2, or an older version.
const ANY_VERSION: u8 = 4;

/// All cipher suites of the module.
const ALL_SUITES: u16 = 0xFFFF;

/// Checks what can be checked without the module.
pub(super) fn check(tls: &Tls) -> Result<()> {
    match &tls.ca {
        Some(pem) => certificates::check_certificate("the CA certificate", pem)?,
        None if tls.verify_server => return Err(InputError::Missing { field: "the CA certificate" }.into()),
        None => {}
    }
    let Some((certificate, key)) = &tls.client else { return Ok(()) };
    certificates::check_certificate("the client certificate", certificate)?;
    certificates::check_key("the client key", key.expose().as_bytes())?;
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
        set_clock(context).await?;
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

/// Reads back what decides about security.
async fn verify(
    context: &Connecting<'_>,
    tls: &Tls,
    level: SecurityLevel,
    ca: Option<&Certificate>,
) -> Result<()> {
    let Connecting { port, index, .. } = *context;
    let lane = Lane::client(index);
    if ask(port, lane, QsslCfg::security_level(index).read()).await? != level {
        return Err(not_kept("AT+QSSLCFG", "seclevel"));
    }
    if let Some(ca) = ca
        && !ca.is_named(&ask(port, lane, QsslCfg::ca_cert(index).read()).await?)
    {
        return Err(not_kept("AT+QSSLCFG", "cacert"));
    }
    if tls.check_dates && ask(port, lane, QsslCfg::ignore_local_time(index).read()).await? {
        return Err(not_kept("AT+QSSLCFG", "ignorelocaltime"));
    }
    Ok(())
}

/// The error of a setting that the module accepted and does not show.
pub(super) fn not_kept(command: &str, key: &str) -> Error {
    let error = ModuleError {
        command: command.to_owned(),
        code: None,
        meaning: format!("the module did not keep the setting {key}, so nothing was sent to the broker")
            .into(),
        remedy: Some("restart the module, or update its firmware"),
        outcome: Outcome::NotSent,
    };
    error.into()
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

async fn set_clock(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, index, .. } = *context;
    let lane = Lane::client(index);
    let clock = if_possible(ask(port, lane, Clock).await)?;
    if clock.is_some_and(|clock| clock.date().0 >= FIRST_YEAR) {
        return Ok(());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let now = clock_time(now).filter(|now| now.date().0 >= FIRST_YEAR);
    let now = now.ok_or_else(|| InputError::Malformed {
        field: "the clock",
        problem:
            "is set neither in the module nor in this computer, so dates of certificates cannot be checked"
                .into(),
    })?;
    tracing::info!(client = index, %now, "setting the module's clock");
    ask(port, lane, SetClock(now)).await
}

/// UTC on the module's clock, for seconds since 1970.
fn clock_time(seconds: u64) -> Option<ClockTime> {
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let mut year: u16 = 1970;
    while days >= days_of(year) {
        days -= days_of(year);
        year = year.checked_add(1)?;
    }
    let mut month = 1;
    let months = [31, days_of(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for length in months {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let small = |number: u64| u8::try_from(number).ok();
    let time = (small(second / 3600)?, small(second / 60 % 60)?, small(second % 60)?);
    ClockTime::new((year, month, small(days + 1)?), time).ok()?.with_offset(0).ok()
}

/// How many days a year has.
const fn days_of(year: u16) -> u64 {
    if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_a_date() {
        for (seconds, shown) in [
            (0, "1970-01-01 00:00:00 UTC+00:00"),
            (951_782_400, "2000-02-29 00:00:00 UTC+00:00"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC+00:00"),
            (1_709_251_200, "2024-03-01 00:00:00 UTC+00:00"),
            (1_795_219_200, "2026-11-21 00:00:00 UTC+00:00"),
            (1_798_761_599, "2026-12-31 23:59:59 UTC+00:00"),
        ] {
            assert_eq!(clock_time(seconds).unwrap().to_string(), shown);
        }
        assert_eq!(clock_time(u64::MAX), None);
    }

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
