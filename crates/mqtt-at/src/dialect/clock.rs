//! The module's clock, which has to be right before dates of certificates can be checked.

use std::time::{SystemTime, UNIX_EPOCH};

use at_port::Lane;

use crate::common::{Clock, ClockTime, SetClock};
use crate::dialect::{Connecting, ask, if_possible};
use crate::error::{InputError, Result};

/// A clock that shows an earlier year was never set.
const FIRST_YEAR: u16 = 2024;

/// Sets a clock that was never set from this computer's.
pub(crate) async fn make_right(context: &Connecting<'_>) -> Result<()> {
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
}
