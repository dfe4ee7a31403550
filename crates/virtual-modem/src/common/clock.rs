//! The module's clock [3GPP 27.007 §8.15].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::quirk::Quirk;

/// A clock. Unless it is told otherwise it shows a fixed date when the module is built, so that every run shows the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// Seconds since 2000-01-01 at `set_at`.
    seconds: i64,
    set_at: Instant,
}

/// 2026-11-21 08:00:00.
const POWER_ON: i64 = 9_821 * DAY + 8 * 3600;
const DAY: i64 = 86_400;
/// From 1970-01-01 to 2000-01-01, where the module's clock begins.
const EPOCH: Duration = Duration::from_secs(946_684_800);

impl Clock {
    pub(crate) fn new(now: Instant, shown: Option<SystemTime>) -> Self {
        let since = |time: SystemTime| time.duration_since(UNIX_EPOCH).ok()?.checked_sub(EPOCH);
        let seconds = shown.and_then(since).and_then(|since| i64::try_from(since.as_secs()).ok());
        Self { seconds: seconds.unwrap_or(POWER_ON), set_at: now }
    }

    fn read(&self, now: Instant, scale: u32, four_digits: bool) -> String {
        let elapsed = now.saturating_duration_since(self.set_at).as_secs() / u64::from(scale.max(1));
        let seconds = self.seconds + i64::try_from(elapsed).unwrap_or(0);
        let (year, month, day) = date(seconds.div_euclid(DAY));
        let rest = seconds.rem_euclid(DAY);
        let century = if four_digits { "20" } else { "" };
        format!(
            "{century}{year:02}/{month:02}/{day:02},{:02}:{:02}:{:02}+00",
            rest / 3600,
            rest / 60 % 60,
            rest % 60
        )
    }
}

pub(super) fn obey(core: &mut Core, command: &Command) -> Result<Answer, Refusal> {
    match command.form {
        Form::Test => Ok(Answer::ok()),
        Form::Read => {
            let four_digits = core.has(Quirk::FourDigitYear);
            Ok(Answer::line(format!(
                "+CCLK: \"{}\"",
                core.clock.read(core.now, core.time_scale(), four_digits)
            )))
        }
        Form::Write => {
            command.at_most(1)?;
            let text = command.text(0, 17..=22)?;
            let seconds = parse(&text).ok_or(Refusal::Cme(super::commands::INCORRECT_PARAMETERS))?;
            core.clock = Clock { seconds, set_at: core.now };
            Ok(Answer::ok())
        }
        Form::Execute => Err(Refusal::Cme(super::commands::NOT_SUPPORTED)),
    }
}

/// Reads `yy/MM/dd,hh:mm:ss±zz` or the same with four digits of the year; the zone is not kept.
fn parse(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (date, time) = text.split_once(',')?;
    let date: Vec<i64> = date.split('/').map(str::parse).collect::<Result<_, _>>().ok()?;
    let time: Vec<i64> = time.get(..8)?.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let ([year, month, day], [hour, minute, second]) = (date.as_slice(), time.as_slice()) else {
        return None;
    };
    let valid = (1..=12).contains(month)
        && (1..=31).contains(day)
        && (0..24).contains(hour)
        && (0..60).contains(minute)
        && (0..60).contains(second);
    let days = day_number(year % 100, *month, *day);
    valid.then_some(days * DAY + hour * 3600 + minute * 60 + second)
}

/// Days from 2000-01-01, for 2000 to 2099, where every fourth year is a leap year.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let before: i64 = (1..month).map(|month| month_length(year, month)).sum();
    year * 365 + (year + 3) / 4 + before + day - 1
}

fn date(mut days: i64) -> (i64, i64, i64) {
    let mut year = 0;
    loop {
        let length = if year % 4 == 0 { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let mut month = 1;
    while days >= month_length(year, month) {
        days -= month_length(year, month);
        month += 1;
    }
    (year % 100, month, days + 1)
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_round_trip() {
        for text in
            ["00/01/01,00:00:00+00", "24/02/29,23:59:59+00", "26/11/21,08:00:00+00", "99/12/31,12:30:01+00"]
        {
            let now = Instant::now();
            let clock = Clock { seconds: parse(text.as_bytes()).unwrap(), set_at: now };
            assert_eq!(clock.read(now, 1, false), text);
            assert_eq!(clock.read(now, 1, true), format!("20{text}"));
        }
        assert_eq!(parse(b"26/13/21,08:00:00+00"), None);
        assert_eq!(parse(b"26/11/21,08:00+00"), None);
        assert_eq!(parse(b"26/11/21,08:00:00+00"), Some(POWER_ON));
    }

    #[test]
    fn it_shows_the_time_it_was_given() {
        let now = Instant::now();
        let given = UNIX_EPOCH + Duration::from_secs(1_767_225_601);
        assert_eq!(Clock::new(now, Some(given)).read(now, 1, false), "26/01/01,00:00:01+00");
        assert_eq!(Clock::new(now, None).read(now, 1, false), "26/11/21,08:00:00+00");
        assert_eq!(Clock::new(now, Some(UNIX_EPOCH)).seconds, POWER_ON, "before its first year");
    }
}
