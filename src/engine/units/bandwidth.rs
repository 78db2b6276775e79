//! Bandwidths: "100Mbit/s", "10MB/s".

use std::fmt;
use std::str::FromStr;

use super::{UnitError, scaled};

/// An amount of data per time, in whole bits per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bandwidth(u64);

/// Units of bandwidth in bits per second.
const BANDWIDTH_UNITS: [(&str, f64); 18] = [
    ("bit/s", 1.0),
    ("kbit/s", 1e3),
    ("Mbit/s", 1e6),
    ("Gbit/s", 1e9),
    ("Tbit/s", 1e12),
    ("bps", 1.0),
    ("kbps", 1e3),
    ("Mbps", 1e6),
    ("Gbps", 1e9),
    ("Tbps", 1e12),
    ("B/s", 8.0),
    ("kB/s", 8e3),
    ("MB/s", 8e6),
    ("GB/s", 8e9),
    ("TB/s", 8e12),
    ("KiB/s", 8.0 * 1024.0),
    ("MiB/s", 8.0 * 1_048_576.0),
    ("GiB/s", 8.0 * 1_073_741_824.0),
];

/// The largest bandwidth, in bits per second: a byte takes 8 attoseconds.
const MAX: f64 = 1e18;

impl Bandwidth {
    /// A bandwidth in bits per second.
    #[must_use]
    pub const fn bits_per_second(bits: u64) -> Self {
        Self(bits)
    }

    /// Whether nothing is ever transferred.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// How long the transfer of a byte takes, in nanoseconds; infinite at a bandwidth of 0.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits are plenty")]
    pub fn nanos_per_byte(self) -> f64 {
        8e9 / self.0 as f64
    }
}

impl FromStr for Bandwidth {
    type Err = UnitError;

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bits = scaled(text, &BANDWIDTH_UNITS, "a bandwidth", "\"100Mbit/s\"")?;
        let text = text.trim();
        if bits > MAX {
            return Err(UnitError(format!(
                "\"{text}\" is more than 1,000,000 Tbit/s, the maximum bandwidth"
            )));
        }
        if bits > 0.0 && bits < 1.0 {
            return Err(UnitError(format!(
                "\"{text}\" is less than a bit per second, the minimum bandwidth"
            )));
        }
        Ok(Self((bits + 0.5) as u64))
    }
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("Tbit/s", 1_000_000_000_000), ("Gbit/s", 1_000_000_000), ("Mbit/s", 1_000_000)];
        let units = units.into_iter().chain([("kbit/s", 1_000)]);
        let whole = units.into_iter().find(|(_, unit)| self.0 > 0 && self.0.is_multiple_of(*unit));
        let (unit, factor) = whole.unwrap_or(("bit/s", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(text: &str) -> u64 {
        text.parse::<Bandwidth>().expect("a bandwidth").0
    }

    #[test]
    fn bandwidths_are_read_in_bits_and_in_bytes() {
        assert_eq!(bits("100Mbit/s"), 100_000_000);
        assert_eq!(bits("1.5 Gbps"), 1_500_000_000);
        assert_eq!(bits("10MB/s"), 80_000_000);
        assert_eq!(bits("1KiB/s"), 8192);
        assert_eq!(bits("0bit/s"), 0);
        assert!(
            ("1Mbit/s".parse::<Bandwidth>().expect("a bandwidth").nanos_per_byte() - 8000.0).abs() < 1e-9
        );
    }

    #[test]
    fn formatting_restores_the_text() {
        for text in ["100Mbit/s", "1Tbit/s", "64kbit/s", "1500bit/s", "0bit/s"] {
            assert_eq!(text.parse::<Bandwidth>().expect("a bandwidth").to_string(), text);
        }
    }

    #[test]
    fn errors_name_the_problem_and_give_a_hint() {
        let error = |text: &str| text.parse::<Bandwidth>().expect_err("no bandwidth").to_string();
        assert!(error("100").contains("lacks a unit"), "{}", error("100"));
        assert!(error("100MB").contains("unknown unit \"MB\""), "{}", error("100MB"));
        assert!(error("1e9Tbit/s").contains("maximum"));
        assert!(error("0.1bit/s").contains("minimum"));
        assert!(error("-1bit/s").contains("negative"));
    }
}
