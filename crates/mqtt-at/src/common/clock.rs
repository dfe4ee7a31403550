//! The module's clock.

use std::fmt;

use at_codec::{Charset, CommandLine};
use at_port::{Operation, Reply};

use super::answer;
use crate::command::{Command, Unreadable};
use crate::error::InputError;

/// `AT+CCLK?`: the module's clock [27.007 §8.15].
///
/// ```
/// use mqtt_at::{Command, common::Clock};
///
/// let command = Clock;
/// assert_eq!(command.operation()?.to_string(), "AT+CCLK?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock;

impl Command for Clock {
    type Answer = ClockTime;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::named(CommandLine::read("+CCLK"), "+CCLK"))
    }

    fn read(&self, reply: &Reply) -> Result<ClockTime, Unreadable> {
        let text = answer::unquoted(answer::fields(reply, "+CCLK")?.rest());
        std::str::from_utf8(text).ok().and_then(ClockTime::read).ok_or(Unreadable)
    }
}

/// `AT+CCLK="…"`: sets the module's clock, which certificates are checked against [27.007 §8.15].
///
/// ```
/// use mqtt_at::{Command, common::{ClockTime, SetClock}};
///
/// let command = SetClock(ClockTime::new((2026, 11, 26), (20, 45, 7))?);
/// assert_eq!(command.operation()?.to_string(), r#"AT+CCLK="26/11/26,20:45:07+00""#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetClock(pub ClockTime);

impl Command for SetClock {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write("+CCLK").quoted("clock", self.0.argument(), Charset::ASCII, 32)?;
        Ok(answer::plain(line.finish()))
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// A time of the module's clock: local time, with its distance from UTC where the module knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockTime {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    quarter_hours: Option<i8>,
}

impl ClockTime {
    /// A date (year, month, day) and a time of day (hour, minute, second), 1970 to 2069.
    ///
    /// # Errors
    ///
    /// [`InputError::OutOfRange`] for a value that no clock shows.
    pub fn new(date: (u16, u8, u8), time: (u8, u8, u8)) -> Result<Self, InputError> {
        let ((year, month, day), (hour, minute, second)) = (date, time);
        let checks = [
            ("the year", u64::from(year), 1970, 2069),
            ("the month", month.into(), 1, 12),
            ("the day", day.into(), 1, 31),
            ("the hour", hour.into(), 0, 23),
            ("the minute", minute.into(), 0, 59),
            ("the second", second.into(), 0, 59),
        ];
        match checks.into_iter().find(|(_, got, min, max)| !(min..=max).contains(&got)) {
            Some((field, got, min, max)) => Err(InputError::OutOfRange { field, got, min, max }),
            None => Ok(Self { year, month, day, hour, minute, second, quarter_hours: None }),
        }
    }

    /// The distance from UTC in quarters of an hour, -48 (12 h behind) to 56 (14 h ahead).
    ///
    /// # Errors
    ///
    /// [`InputError::Malformed`] for a distance that no place has.
    pub fn with_offset(mut self, quarter_hours: i8) -> Result<Self, InputError> {
        if !(-48..=56).contains(&quarter_hours) {
            let problem = "must be -48 to 56 quarters of an hour".into();
            return Err(InputError::Malformed { field: "the distance from UTC", problem });
        }
        self.quarter_hours = Some(quarter_hours);
        Ok(self)
    }

    /// Year, month and day.
    pub fn date(self) -> (u16, u8, u8) {
        (self.year, self.month, self.day)
    }

    /// Hour, minute and second.
    pub fn time(self) -> (u8, u8, u8) {
        (self.hour, self.minute, self.second)
    }

    /// The distance from UTC in quarters of an hour, where the module knows it.
    pub fn offset(self) -> Option<i8> {
        self.quarter_hours
    }

    /// Reads `yy/MM/dd,hh:mm:ss±zz`; the year may have four digits, and the distance may be missing.
    ///
    /// A clock that was never set shows 1970 or 1980 as `70` or `80`.
    fn read(text: &str) -> Option<Self> {
        let (date, rest) = text.split_once(',')?;
        let sign = rest.rfind(['+', '-']).unwrap_or(rest.len());
        let (time, offset) = rest.split_at_checked(sign)?;
        let [year, month, day] = numbers(date, '/')?;
        let [hour, minute, second] = numbers(time, ':')?;
        let year = match year {
            0..=69 => 2000 + year,
            70..=99 => 1900 + year,
            _ => year,
        };
        let small = |value: u16| u8::try_from(value).ok();
        let date = (year, small(month)?, small(day)?);
        let clock = Self::new(date, (small(hour)?, small(minute)?, small(second)?)).ok()?;
        if offset.is_empty() { Some(clock) } else { clock.with_offset(offset.parse().ok()?).ok() }
    }

    /// As the standard wants it, with a year of two digits; modules that answer with four take two as well.
    fn argument(self) -> String {
        let Self { month, day, hour, minute, second, .. } = self;
        let offset = self.quarter_hours.unwrap_or(0);
        format!("{:02}/{month:02}/{day:02},{hour:02}:{minute:02}:{second:02}{offset:+03}", self.year % 100)
    }
}

/// Three numbers with a separator between.
fn numbers(text: &str, separator: char) -> Option<[u16; 3]> {
    let parts: Option<Vec<u16>> = text.split(separator).map(|part| part.trim().parse().ok()).collect();
    parts?.try_into().ok()
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, .. } = self;
        write!(f, "{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        let Some(quarters) = self.quarter_hours else { return Ok(()) };
        let sign = if quarters < 0 { '-' } else { '+' };
        let quarters = quarters.unsigned_abs();
        write!(f, " UTC{sign}{:02}:{:02}", quarters / 4, quarters % 4 * 15)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bringup::script::ask;

    #[tokio::test(start_paused = true)]
    async fn clocks_with_two_and_with_four_digits() {
        for (answer, shown) in [
            ("+CCLK: \"2026/09/24,10:16:26+28\"\nOK", "2026-09-24 10:16:26 UTC+07:00"),
            ("+CCLK: \"26/11/21,23:59:59-14\"\nOK", "2026-11-21 23:59:59 UTC-03:30"),
            ("+CCLK: \"26/11/21,08:00:00\"\nOK", "2026-11-21 08:00:00"),
            ("+CCLK:80/01/06,00:00:12+00\nOK", "1980-01-06 00:00:12 UTC+00:00"),
            ("+CCLK: \"70/01/01,00:00:00+00\"\nOK", "1970-01-01 00:00:00 UTC+00:00"),
        ] {
            let (line, clock) = ask(Clock, answer).await;
            assert_eq!((line.as_str(), clock.unwrap().to_string().as_str()), ("AT+CCLK?", shown));
        }
        for answer in [
            "\"\"",
            "\"26/13/01,00:00:00+00\"",
            "\"26/01/01\"",
            "\"26/01,00:00:00\"",
            "\"26/01/01,00:00:00+99\"",
        ] {
            assert!(ask(Clock, &format!("+CCLK: {answer}\nOK")).await.1.is_err(), "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_is_set() {
        let time = ClockTime::new((2026, 11, 21), (7, 5, 9)).unwrap();
        assert_eq!(ask(SetClock(time), "OK").await.0, "AT+CCLK=\"26/11/21,07:05:09+00\"");
        let west = time.with_offset(-14).unwrap();
        assert_eq!(ask(SetClock(west), "OK").await.0, "AT+CCLK=\"26/11/21,07:05:09-14\"");
        assert_eq!((west.date(), west.time(), west.offset()), ((2026, 11, 21), (7, 5, 9), Some(-14)));
    }

    #[test]
    fn times_that_no_clock_shows() {
        assert!(ClockTime::new((1969, 1, 1), (0, 0, 0)).is_err());
        assert!(ClockTime::new((2026, 0, 1), (0, 0, 0)).is_err());
        assert!(ClockTime::new((2026, 1, 1), (24, 0, 0)).is_err());
        let time = ClockTime::new((2026, 1, 1), (0, 0, 0)).unwrap();
        assert!(time.with_offset(57).is_err() && time.with_offset(-49).is_err());
    }
}
