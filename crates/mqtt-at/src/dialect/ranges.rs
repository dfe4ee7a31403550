//! Checks of numbers against the ranges of the manuals.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::InputError;

/// Checks a number against its range.
pub(crate) fn in_range<T>(field: &'static str, got: T, range: RangeInclusive<T>) -> Result<i64, InputError>
where
    T: Copy + PartialOrd + Into<u64>,
{
    let (got, min, max) = (got.into(), (*range.start()).into(), (*range.end()).into());
    match i64::try_from(got) {
        Ok(number) if (min..=max).contains(&got) => Ok(number),
        _ => Err(InputError::OutOfRange { field, got, min, max }),
    }
}

/// Checks a time that the module takes in whole seconds.
pub(crate) fn whole_seconds(
    field: &'static str,
    time: Duration,
    range: RangeInclusive<u64>,
) -> Result<i64, InputError> {
    if time.subsec_nanos() != 0 {
        return Err(InputError::Malformed { field, problem: "must be whole seconds".into() });
    }
    in_range(field, time.as_secs(), range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_range_belong_to_it() {
        for (got, is_inside) in [(19_u64, false), (20, true), (180, true), (181, false)] {
            assert_eq!(in_range("x", got, 20..=180).is_ok(), is_inside, "{got}");
        }
        assert!(in_range("x", u64::MAX, 0..=u64::MAX).is_err(), "no command carries such a number");
        let error = in_range("the number", 9_u8, 0..=5).unwrap_err();
        assert_eq!(error.to_string(), "the number is 9, and must be 0 to 5");
    }

    #[test]
    fn parts_of_seconds_are_refused() {
        assert_eq!(whole_seconds("x", Duration::from_secs(60), 20..=180), Ok(60));
        let error = whole_seconds("the interval", Duration::from_millis(60_500), 20..=180).unwrap_err();
        assert_eq!(error.to_string(), "the interval must be whole seconds");
    }
}
