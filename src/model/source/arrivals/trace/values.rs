//! Reads the values of a trace: times, keys, sizes and service times.

use crate::engine::time::{NANOS_PER_SECOND, SimDuration};
use crate::engine::units::Bytes;

/// What is wrong with a value: a message and a hint.
pub(super) type ValueError = (String, &'static str);

/// The longest time of a trace, in seconds: 285 years, as for durations in scenarios.
const MAX_SECONDS: u64 = 9_000_000_000;

/// A time: seconds as a number, or a number with a unit.
pub(super) fn duration(text: &str) -> Result<SimDuration, ValueError> {
    if let Some(nanos) = seconds(text) {
        return Ok(SimDuration::from_nanos(nanos));
    }
    let is_number = text.parse::<f64>().is_ok();
    let with_unit = if is_number { format!("{text}s") } else { text.to_owned() };
    with_unit.parse::<SimDuration>().map_err(|error| match error.to_string() {
        message if is_number => (message.replace(&with_unit, text), HINT_OF_TIMES),
        _ => (format!("\"{text}\" is not a time"), HINT_OF_TIMES),
    })
}

const HINT_OF_TIMES: &str = "write seconds like 12.5, or a unit like 250ms; 0 or more, and at most 285 years";

/// Seconds without an exponent, in nanoseconds, rounded to the nearest one. `None` if it is not written like this. Unlike a
/// float, it is exact.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || whole.len() > 10 {
        return None;
    }
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let mut seconds = 0;
    for byte in whole.bytes() {
        seconds = 10 * seconds + digit(byte)?;
    }
    let (mut nanos, mut unit) = (0, NANOS_PER_SECOND);
    for byte in fraction.bytes() {
        let digit = digit(byte)?;
        if unit > 1 {
            unit /= 10;
            nanos += digit * unit;
        } else {
            // The tenth digit decides on rounding.
            nanos += u64::from(unit == 1 && digit >= 5);
            unit = 0;
        }
    }
    (seconds < MAX_SECONDS).then_some(seconds * NANOS_PER_SECOND + nanos)
}

/// A key.
pub(super) fn key(text: &str) -> Result<u32, ValueError> {
    let error = || (format!("\"{text}\" is not a key"), "write a whole number from 0 to 4294967295");
    if text.starts_with('+') { Err(error()) } else { text.parse().map_err(|_| error()) }
}

/// A size: bytes as a whole number, or a number with a unit.
pub(super) fn size(text: &str) -> Result<u32, ValueError> {
    let bytes = text.parse().ok().or_else(|| Some(text.parse::<Bytes>().ok()?.as_u64()));
    let bytes = bytes.and_then(|bytes| u32::try_from(bytes).ok());
    let hint = "write bytes as a whole number, or a unit like 64KiB; less than 4 GiB";
    bytes.ok_or_else(|| (format!("\"{text}\" is not a size"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Option<u64> {
        duration(text).ok().map(SimDuration::as_nanos)
    }

    #[test]
    fn times_are_seconds_or_have_a_unit() {
        assert_eq!(nanos("0"), Some(0));
        assert_eq!(nanos("12.5"), Some(12_500_000_000));
        assert_eq!(nanos("1700000000.123456789"), Some(1_700_000_000_123_456_789));
        assert_eq!(nanos("0.0000000015"), Some(2));
        assert_eq!(nanos("0.00000000149"), Some(1));
        assert_eq!(nanos("1e-3"), Some(1_000_000));
        assert_eq!(nanos("250ms"), Some(250_000_000));
        assert_eq!(nanos("1.5 min"), Some(90_000_000_000));
    }

    #[test]
    fn what_is_not_a_time_is_an_error() {
        for text in ["", "-1", "x", "1.2.3", "nan", "inf", "1e99", "99999999999", "12:30", "1 year"] {
            assert!(duration(text).is_err(), "{text}: {:?}", nanos(text));
        }
        assert!(duration("-1").expect_err("a negative time").0.contains("\"-1\" is negative"));
    }

    #[test]
    fn keys_and_sizes_have_a_range() {
        assert_eq!((key("0"), key("4294967295")), (Ok(0), Ok(u32::MAX)));
        for text in ["4294967296", "-1", "1.5", "+1", "k7", ""] {
            assert!(key(text).is_err(), "{text}");
        }
        assert_eq!((size("512"), size("1.5 KiB")), (Ok(512), Ok(1536)));
        for text in ["-1", "4GiB", "1.5", "x"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
