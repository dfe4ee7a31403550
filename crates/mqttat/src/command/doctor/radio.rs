//! SIM, signal, registration, data connection and clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mqtt_at::common::{Clock, ClockTime, SimStatus};
use mqtt_at::{Fault, NetworkStatus, Step};

use super::checklist::{Check, Checklist};
use super::{Context, Patient};
use crate::arrival::timestamp;
use crate::failure::Failure;

const SIM: &str = "SIM";
const SIGNAL: &str = "signal";
const REGISTRATION: &str = "registration";
const DATA: &str = "data connection";
const CLOCK: &str = "clock";

/// What is looked at, in this order.
pub(super) const CHECKS: &[&str] = &[SIM, SIGNAL, REGISTRATION, DATA, CLOCK];

/// Below this, in dBm, modules lose the network when the weather changes.
const WEAK: i16 = -100;
/// Certificates are valid for months: days do not matter, years do.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(24 * 3600);

/// Whether there is a data connection.
pub(super) async fn examine(
    patient: &Patient,
    context: &Context,
    list: &mut Checklist,
) -> Result<bool, Failure> {
    let modem = &patient.opened.modem;
    let network = modem.network().await?;
    // The reason with which the attachment failed says more than the state afterwards.
    let (mut sim, mut registration, mut data) = (None, None, None);
    match &patient.unattached {
        Some((Step::Sim, failure)) => sim = Some(failure),
        Some((Step::Register(_), failure)) => registration = Some(failure),
        Some((_, failure)) => data = Some(failure),
        None => {}
    }
    match sim {
        Some(failure) => list.fail(SIM, failure)?,
        None => check_sim(&network, list)?,
    }
    check_signal(&network, list)?;
    match registration {
        Some(failure) => list.fail(REGISTRATION, failure)?,
        None => check_registration(&network, list)?,
    }
    let addresses: Vec<_> = network.addresses.iter().map(ToString::to_string).collect();
    let is_attached = match data {
        Some(failure) => {
            list.fail(DATA, failure)?;
            false
        }
        None if patient.unattached.is_some() => {
            list.skip(&[DATA], "it needs SIM and registration")?;
            false
        }
        None if addresses.is_empty() && context.global.no_attach => {
            list.skip(&[DATA], "there is none, and --no-attach makes none")?;
            false
        }
        None => {
            let words = if addresses.is_empty() {
                "active; the module does not tell its address".to_owned()
            } else {
                format!("active, {}", addresses.join(", "))
            };
            list.note(&Check::ok(DATA, words))?;
            true
        }
    };
    let clock = modem.send(Clock).await.ok();
    list.note(&check_clock(clock, SystemTime::now()))?;
    Ok(is_attached)
}

fn check_sim(network: &NetworkStatus, list: &mut Checklist) -> Result<(), Failure> {
    let problem = |what: &str, remedy: &str| Failure::failed(what, Fault::Network).remedy(remedy);
    match &network.sim {
        Some(SimStatus::Ready) => list.note(&Check::ok(SIM, "ready")),
        Some(SimStatus::Pin) => {
            list.fail(SIM, &problem("it asks for its PIN", "give the PIN with --sim-pin; it is tried once"))
        }
        Some(SimStatus::Puk) => list.fail(SIM, &problem("it is locked", "unlock the SIM in a telephone")),
        Some(other) => {
            list.fail(SIM, &problem(&other.to_string(), "check that a SIM is inserted the right way round"))
        }
        None => list.note(&Check::skipped(SIM, "the module does not tell")),
    }
}

fn check_signal(network: &NetworkStatus, list: &mut Checklist) -> Result<(), Failure> {
    let Some(signal) = network.signal else {
        return list.note(&Check::skipped(SIGNAL, "the module does not tell"));
    };
    match signal.rssi_dbm {
        Some(dbm) if dbm < WEAK => list.note(&Check::warning(
            SIGNAL,
            format!("{dbm} dBm, which is weak"),
            "move the antenna, or take a better one; -85 dBm and more is good",
        )),
        Some(dbm) => list.note(&Check::ok(SIGNAL, format!("{dbm} dBm"))),
        // A module that is registered hears its cell, whatever it says here.
        None if network.registration.is_some_and(|state| state.is_registered()) => list
            .note(&Check::warning(SIGNAL, "not known to the module", "ask again: it may still be measuring")),
        None => {
            let failure = Failure::failed("none", Fault::Network);
            list.fail(SIGNAL, &failure.remedy("check the antenna's plug, and that a network is in reach"))
        }
    }
}

fn check_registration(network: &NetworkStatus, list: &mut Checklist) -> Result<(), Failure> {
    let Some(state) = network.registration else {
        return list.note(&Check::skipped(REGISTRATION, "the module does not tell"));
    };
    if !state.is_registered() {
        let failure = Failure::failed(state.as_str(), Fault::Network);
        return list.fail(REGISTRATION, &failure.remedy("check antenna, coverage and the SIM's contract"));
    }
    let operator = network.operator.as_ref();
    let name = operator.and_then(|operator| operator.name.clone());
    let technology = operator.and_then(|operator| operator.technology).map(|it| it.to_string());
    let words: Vec<_> = [Some(state.to_string()), name, technology].into_iter().flatten().collect();
    list.note(&Check::ok(REGISTRATION, words.join(", ")))
}

/// A wrong clock matters to certificates only: it is no failure.
fn check_clock(clock: Option<ClockTime>, now: SystemTime) -> Check {
    let Some(clock) = clock else { return Check::skipped(CLOCK, "the module does not tell") };
    let (date, (hour, minute, second)) = (clock.date(), clock.time());
    let (year, month, day) = (u64::from(date.0), u64::from(date.1), u64::from(date.2));
    let seconds = days_since_1970(year, month, day) * 86_400
        + u64::from(hour) * 3600
        + u64::from(minute) * 60
        + u64::from(second);
    let offset = i64::from(clock.offset().unwrap_or(0)) * 900;
    let shown = UNIX_EPOCH + Duration::from_secs(seconds.saturating_add_signed(-offset));
    let difference = now.duration_since(shown).unwrap_or_else(|error| error.duration());
    let words = timestamp(shown);
    let words = words.split('.').next().unwrap_or_default().replace('T', " ");
    if difference <= CLOCK_TOLERANCE {
        return Check::ok(CLOCK, format!("{words} UTC"));
    }
    Check::warning(
        CLOCK,
        format!("{words} UTC, {} days off", difference.as_secs() / 86_400),
        "certificates cannot be checked with it; a clock that was never set is set before a TLS connection, any \
         other with AT+CCLK or by the network (AT+CTZU=1)",
    )
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, counted from March so that leap days come last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let before = 365 * year + year / 4 - year / 100 + year / 400;
    (before + (153 * month + 2) / 5 + day - 1).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted() {
        for (date, days) in [
            ((1970, 1, 1), 0),
            ((1970, 3, 1), 59),
            ((2000, 2, 29), 11_016),
            ((2026, 11, 21), 20_778),
            ((2100, 3, 1), 47_541),
        ] {
            assert_eq!(days_since_1970(date.0, date.1, date.2), days, "{date:?}");
        }
    }

    #[test]
    fn a_clock_is_compared_in_utc() {
        let now = UNIX_EPOCH + Duration::from_secs(20_778 * 86_400);
        let clock = |date, time| ClockTime::new(date, time).unwrap();
        let shown = |clock: ClockTime| serde_json::to_string(&check_clock(Some(clock), now)).unwrap();
        // Two hours ahead of UTC, so the day before in UTC.
        let ahead = clock((2026, 11, 21), (1, 0, 0)).with_offset(8).unwrap();
        assert!(shown(ahead).contains("2026-11-20 23:00:00 UTC"), "{}", shown(ahead));
        assert!(shown(ahead).contains(r#""verdict":"ok""#));
        let unset = clock((1980, 1, 6), (0, 0, 0));
        assert!(shown(unset).contains(r#""verdict":"warning""#) && shown(unset).contains("days off"));
        let skipped = serde_json::to_string(&check_clock(None, now)).unwrap();
        assert!(skipped.contains("skipped"));
    }
}
