//! Quantities with units in text: durations ("250ms"), rates ("20/s", "3 rpm"), sizes ("64KiB") and bandwidths
//! ("100Mbit/s").
//!
//! A number without a unit is an error, as "250" is ambiguous. Each type implements `FromStr`, `Display` and serde.

mod bandwidth;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use self::bandwidth::Bandwidth;
use super::floor_to_usize;
use super::time::SimDuration;

/// Events per second of virtual time; finite and not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Rate(f64);

/// An amount of data in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(u64);

/// An error in the text of a quantity: a sentence with a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError(String);

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnitError {}

/// A quantity that distributions draw: a float in its base unit in computations, a text with a unit in scenarios.
pub trait Quantity: Copy + fmt::Display {
    /// The value in the base unit: nanoseconds for durations, bytes for sizes.
    fn to_base(self) -> f64;
    /// The quantity nearest to `base` base units.
    fn from_base(base: f64) -> Self;
    /// Base units in a second or a byte, the units of distributions made in Rust.
    const BASE_UNITS: f64;
}

impl Quantity for SimDuration {
    const BASE_UNITS: f64 = 1e9;

    fn to_base(self) -> f64 {
        self.as_nanos_f64()
    }

    fn from_base(base: f64) -> Self {
        Self::from_nanos_f64(base)
    }
}

impl Quantity for Bytes {
    const BASE_UNITS: f64 = 1.0;

    #[expect(clippy::cast_precision_loss, reason = "single bytes do not matter beyond 8 PiB")]
    fn to_base(self) -> f64 {
        self.0 as f64
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, as intended"
    )]
    fn from_base(base: f64) -> Self {
        Self((base + 0.5) as u64)
    }
}

impl Rate {
    /// `per_second` events per second, or `None` if that is negative or not a finite number.
    #[must_use]
    pub fn per_second(per_second: f64) -> Option<Self> {
        (per_second.is_finite() && per_second >= 0.0).then_some(Self(per_second))
    }

    /// Events per second.
    #[must_use]
    pub const fn as_per_second(self) -> f64 {
        self.0
    }
}

impl Bytes {
    /// A size of `bytes` bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Bytes.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// Units of time with their lengths in nanoseconds, longest first.
const TIME_UNITS: [(&str, f64); 8] = [
    ("d", 86_400e9),
    ("h", 3_600e9),
    ("min", 60e9),
    ("s", 1e9),
    ("ms", 1e6),
    ("us", 1e3),
    ("µs", 1e3),
    ("ns", 1.0),
];

/// Units of size with their sizes in bytes.
const SIZE_UNITS: [(&str, f64); 9] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
    ("TiB", 1_099_511_627_776.0),
];

/// Splits "1.5 ms" into the number and the trimmed rest.
fn number_and_unit<'a>(text: &'a str, noun: &str, example: &str) -> Result<(f64, &'a str), UnitError> {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|&(i, c)| {
            let exponent = matches!(c, 'e' | 'E')
                && text[i + 1..].starts_with(|d: char| d.is_ascii_digit() || d == '-' || d == '+');
            let sign = matches!(c, '-' | '+') && (i == 0 || text[..i].ends_with(['e', 'E']));
            !(c.is_ascii_digit() || matches!(c, '.' | '_') || exponent || sign)
        })
        .map_or(text.len(), |(i, _)| i);
    let (digits, unit) = text.split_at(end);
    let number = digits
        .replace('_', "")
        .parse::<f64>()
        .map_err(|_| UnitError(format!("\"{text}\" is not {noun}: write it like {example}")))?;
    if !number.is_finite() {
        return Err(UnitError(format!("\"{text}\" is not a finite number")));
    }
    if number < 0.0 {
        return Err(UnitError(format!("\"{text}\" is negative: {noun} is zero or more")));
    }
    Ok((number, unit.trim()))
}

/// The usual units of rates; other units of time follow a `/` as well.
const RATE_UNITS: &str = "\"/s\", \"/min\", \"/h\", \"/d\", \"rps\", \"qps\", \"rpm\"";

/// Parses a number with a unit, and converts it to the base unit.
fn scaled(text: &str, units: &[(&str, f64)], noun: &str, example: &str) -> Result<f64, UnitError> {
    let (number, unit) = number_and_unit(text, noun, example)?;
    let listed = || units.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    if unit.is_empty() {
        return Err(UnitError(format!(
            "\"{}\" lacks a unit (one of {}): write it like {example}",
            text.trim(),
            listed()
        )));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(UnitError(format!("unknown unit \"{unit}\": expected one of {}", listed())));
    };
    Ok(number * factor)
}

impl FromStr for SimDuration {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let nanos = scaled(text, &TIME_UNITS, "a duration", "\"250ms\"")?;
        if nanos > 9e18 {
            return Err(UnitError(format!(
                "\"{}\" is longer than 285 years, the maximum duration",
                text.trim()
            )));
        }
        if nanos > 0.0 && nanos < 0.5 {
            return Err(UnitError(format!(
                "\"{}\" is shorter than a nanosecond, the resolution of time",
                text.trim()
            )));
        }
        Ok(exact_nanos(text).map_or(Self::from_nanos_f64(nanos), Self::from_nanos))
    }
}

/// The number of nanoseconds nearest to a duration that is written without an exponent. Unlike a float, it is exact
/// beyond a hundred days.
fn exact_nanos(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '_'))).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let (_, length) = TIME_UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    let number = number.replace('_', "");
    let (units, rest) = number.split_once('.').unwrap_or((&number, ""));
    let places = 10_u128.checked_pow(u32::try_from(rest.len()).ok()?)?;
    let digits: u128 = format!("{units}{rest}").parse().ok()?;
    let nanos = digits.checked_mul(floor_to_usize(*length) as u128)?.checked_add(places / 2)? / places;
    u64::try_from(nanos).ok()
}

impl FromStr for Bytes {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bytes = scaled(text, &SIZE_UNITS, "a size", "\"64KiB\"")?;
        if bytes > 9e15 {
            return Err(UnitError(format!("\"{}\" is more than 9 PB, the maximum size", text.trim())));
        }
        Ok(Self::from_base(bytes))
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let (number, unit) = number_and_unit(text, "a rate", "\"20/s\"")?;
        let seconds = match unit.trim_start_matches('/').trim_start() {
            "rps" | "qps" if !unit.starts_with('/') => 1.0,
            "rpm" if !unit.starts_with('/') => 60.0,
            "" => {
                return Err(UnitError(format!(
                    "\"{}\" lacks a unit ({RATE_UNITS}): write it like \"20/s\"",
                    text.trim()
                )));
            }
            per => match TIME_UNITS.iter().find(|(name, _)| *name == per) {
                Some((_, nanos)) if unit.starts_with('/') => nanos / 1e9,
                Some(_) | None => {
                    return Err(UnitError(format!("unknown unit \"{unit}\": expected one of {RATE_UNITS}")));
                }
            },
        };
        let per_second = number / seconds;
        if per_second > 1e9 {
            return Err(UnitError(format!("\"{}\" is more than one event per nanosecond", text.trim())));
        }
        Ok(Self(per_second))
    }
}

impl fmt::Display for SimDuration {
    /// The shortest exact form: "250ms", "1.5s", "90s".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.as_nanos();
        let (unit, factor) = match nanos {
            0 => ("s", 1),
            1..1_000 => ("ns", 1),
            1_000..1_000_000 => ("us", 1_000),
            1_000_000..1_000_000_000 => ("ms", 1_000_000),
            _ => ("s", 1_000_000_000),
        };
        let (whole, rest) = (nanos / factor, nanos % factor);
        if rest == 0 {
            write!(f, "{whole}{unit}")
        } else {
            let digits = factor.ilog10() as usize;
            let fraction = format!("{rest:0digits$}");
            write!(f, "{whole}.{}{unit}", fraction.trim_end_matches('0'))
        }
    }
}

/// Maximum length of a rate per second that is written if another unit makes it shorter.
const MAX_RATE_LENGTH: usize = 12;

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_second = format!("{}/s", self.0);
        if per_second.len() > MAX_RATE_LENGTH {
            // Such as 20 per minute, a third per second.
            let of_units = [("rpm", 60.0), ("/h", 3_600.0), ("/d", 86_400.0)].into_iter();
            let texts = of_units.map(|(unit, seconds)| match unit {
                "rpm" => format!("{} rpm", self.0 * seconds),
                _ => format!("{}{unit}", self.0 * seconds),
            });
            let is_exact = |text: &String| text.parse() == Ok(*self);
            if let Some(text) = texts.into_iter().find(|text| text.len() <= MAX_RATE_LENGTH && is_exact(text))
            {
                return f.write_str(&text);
            }
        }
        f.write_str(&per_second)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(&str, u64); 7] = [
            ("GiB", 1 << 30),
            ("MiB", 1 << 20),
            ("KiB", 1 << 10),
            ("GB", 1_000_000_000),
            ("MB", 1_000_000),
            ("kB", 1_000),
            ("B", 1),
        ];
        let whole = UNITS.into_iter().filter(|(_, factor)| self.0.is_multiple_of(*factor));
        let (unit, factor) = match self.0 {
            0 => ("B", 1),
            // The shortest number.
            size => whole.min_by_key(|(_, factor)| size / factor).unwrap_or(("B", 1)),
        };
        write!(f, "{}{unit}", self.0 / factor)
    }
}

/// Reads a quantity from a string by its [`FromStr`], and reports a missing unit for a bare number.
struct QuantityVisitor<T> {
    noun: &'static str,
    example: &'static str,
    quantity: std::marker::PhantomData<T>,
}

impl<T: FromStr<Err = UnitError>> QuantityVisitor<T> {
    fn missing_unit<E: de::Error>(&self, number: impl fmt::Display) -> E {
        E::custom(format_args!("{number} lacks a unit: {} is written like {}", self.noun, self.example))
    }
}

impl<T: FromStr<Err = UnitError>> de::Visitor<'_> for QuantityVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} like {}", self.noun, self.example)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Err(self.missing_unit(number))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        Err(self.missing_unit(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        Err(self.missing_unit(number))
    }
}

macro_rules! written_as_text {
    ($($type:ty, $noun:literal, $example:literal;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(QuantityVisitor {
                    noun: $noun,
                    example: $example,
                    quantity: std::marker::PhantomData,
                })
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}

written_as_text! {
    SimDuration, "a duration", "\"250ms\"";
    Rate, "a rate", "\"20/s\"";
    Bytes, "a size", "\"64KiB\"";
    Bandwidth, "a bandwidth", "\"100Mbit/s\"";
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "units are exact")]
mod tests {
    use super::*;

    fn nanos(text: &str) -> u64 {
        text.parse::<SimDuration>().expect("a duration").as_nanos()
    }

    #[test]
    fn durations_are_read_in_every_unit() {
        assert_eq!(nanos("250ms"), 250_000_000);
        assert_eq!(nanos("1.5s"), 1_500_000_000);
        assert_eq!(nanos(" 2 min "), 120_000_000_000);
        assert_eq!(nanos("3us"), 3_000);
        assert_eq!(nanos("3µs"), 3_000);
        assert_eq!(nanos("1e3ms"), 1_000_000_000);
        assert_eq!(nanos("1_000ns"), 1_000);
        assert_eq!(nanos("0s"), 0);
    }

    #[test]
    fn rates_are_read_per_any_unit_of_time() {
        let rate = |text: &str| text.parse::<Rate>().expect("a rate").as_per_second();
        assert_eq!(rate("20/s"), 20.0);
        assert_eq!(rate("3 rpm"), 0.05);
        assert_eq!(rate("120 / min"), 2.0);
        assert_eq!(rate("5rps"), 5.0);
        assert_eq!(rate("1/ms"), 1000.0);
    }

    #[test]
    fn sizes_are_read_in_decimal_and_binary_units() {
        let size = |text: &str| text.parse::<Bytes>().expect("a size").as_u64();
        assert_eq!(size("64KiB"), 65_536);
        assert_eq!(size("1.5 kB"), 1_500);
    }

    #[test]
    fn errors_name_the_problem_and_give_a_hint() {
        let error = |text: &str| text.parse::<SimDuration>().expect_err("no duration").to_string();
        assert!(error("250").contains("lacks a unit"), "{}", error("250"));
        assert!(error("-3s").contains("negative"));
        assert!(error("3 parsecs").contains("unknown unit \"parsecs\""));
        assert!(error("soon").contains("is not a duration"));
        assert!(error("").contains("is not a duration"));
        assert!(error("1e300s").contains("285 years"));
        assert!(error("0.1ns").contains("nanosecond"));
        assert!("NaN/s".parse::<Rate>().is_err());
        assert!("20".parse::<Rate>().expect_err("no unit").to_string().contains("\"/s\""));
        assert!("20/parsec".parse::<Rate>().is_err());
        assert!("20 s".parse::<Rate>().is_err());
    }

    #[test]
    fn formatting_restores_the_text() {
        for text in [
            "250ms",
            "1.5s",
            "90s",
            "1.000001s",
            "17ns",
            "2.5us",
            "0s",
            "12.345678901s",
            "8999999999.123456789s",
        ] {
            assert_eq!(text.parse::<SimDuration>().expect("a duration").to_string(), text);
        }
        for text in ["20/s", "0.05/s", "20 rpm", "7/h", "0.000001/s"] {
            assert_eq!(text.parse::<Rate>().expect("a rate").to_string(), text);
        }
        for text in ["64KiB", "1500B", "0B", "2GiB", "2048MB", "3kB", "7GB"] {
            assert_eq!(text.parse::<Bytes>().expect("a size").to_string(), text);
        }
    }
}
