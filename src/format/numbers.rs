//! Numbers for people: three significant digits and a unit of suitable size.

/// The text of a value that does not exist.
pub const NONE: &str = "-";

/// Units of time with their length in seconds, shortest first.
const UNITS: [(&str, f64); 7] =
    [("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3_600.0), ("d", 86_400.0)];

/// A time: `412 us`, `83.2 ms`, `1.25 s`, `20.5 min`.
#[must_use]
pub fn time(seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else { return NONE.to_owned() };
    if seconds <= 0.0 {
        return "0 s".to_owned();
    }
    // From 999.5 on, which rounds to 1000, the next unit is used.
    let fits = |&&(_, length): &&(&str, f64)| seconds / length < 999.5;
    let (unit, length) = UNITS.iter().find(fits).unwrap_or(&UNITS[UNITS.len() - 1]);
    format!("{} {unit}", three_digits(seconds / length))
}

/// A configured time in seconds, unrounded: `65 s`, `0.25 s`, `1800 s`.
#[must_use]
pub fn set_time(seconds: f64) -> String {
    format!("{seconds} s")
}

/// An amount of data: `512 B`, `1.25 kB`, `83.2 MB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(bytes: u64) -> String {
    let units = [("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("PB", 1e15), ("EB", 1e18)];
    let number = bytes as f64;
    if number < 999.5 {
        return format!("{bytes} B");
    }
    let fits = |&&(_, size): &&(&str, f64)| number / size < 999.5;
    let (unit, size) = units.iter().find(fits).unwrap_or(&units[5]);
    format!("{} {unit}", three_digits(number / size))
}

/// A count in full: `1,234,567`.
#[must_use]
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count, abbreviated from 10 million on: `9,999,999`, `12M`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn short_count(number: u64) -> String {
    if number < 10_000_000 { count(number) } else { short(number as f64) }
}

/// A number in about four characters: `0.31`, `8.25`, `104`, `1.2k`, `35k`, `1.2M`.
#[must_use]
pub fn short(number: f64) -> String {
    if number < 999.5 {
        return three_digits(number);
    }
    let steps = [("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12), ("P", 1e15), ("E", 1e18)];
    let fits = |&&(_, size): &&(&str, f64)| number / size < 999.5;
    let (suffix, size) = steps.iter().find(fits).unwrap_or(&steps[5]);
    let scaled = number / size;
    if scaled < 9.95 { format!("{scaled:.1}{suffix}") } else { format!("{scaled:.0}{suffix}") }
}

/// A group with its number of members: `web (1,000)`, `web (35k)`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn group(name: &str, members: usize) -> String {
    let members = if members < 10_000 { count(members as u64) } else { short(members as f64) };
    format!("{name} ({members})")
}

/// A count as a share of another: `95.9 %`. Small shares are not rounded to `0.0 %`, nor large ones to `100.0 %`;
/// [`NONE`] if `whole` is 0.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return NONE.to_owned();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if part > 0 && percent < 0.05 {
        "<0.1 %".to_owned()
    } else if part < whole && percent >= 99.95 {
        ">99.9 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// A share between 0 and 1 as a percentage: `71.3 %`.
#[must_use]
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| NONE.to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// A mean of counts: `0.31`, `8.25`, `104`.
#[must_use]
pub fn mean(mean: Option<f64>) -> String {
    mean.map_or_else(|| NONE.to_owned(), short)
}

/// A count with a noun in singular or plural: `1 server`, `12 servers`.
#[must_use]
pub fn several(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Three significant digits, whole numbers without a fraction: `104`, `83.2`, `1.25`, `3`.
fn three_digits(number: f64) -> String {
    let decimals = match number {
        number if number >= 99.95 => 0,
        number if number >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{number:.decimals$}");
    // Whole numbers have no fraction: a constant of three seconds is "3 s".
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') && number.fract() == 0.0 => {
            whole.to_owned()
        }
        Some(_) | None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_three_digits_and_a_suitable_unit() {
        for (seconds, text) in [
            (0.0, "0 s"),
            (85e-9, "85.0 ns"),
            (412e-6, "412 us"),
            (0.0832, "83.2 ms"),
            (0.9994, "999 ms"),
            (0.9996, "1.00 s"),
            (1.25, "1.25 s"),
            (3.0, "3 s"),
            (1230.0, "20.5 min"),
            (90_000.0, "25 h"),
            (1e12, "11574074 d"),
        ] {
            assert_eq!(time(Some(seconds)), text, "{seconds}");
        }
        assert_eq!(time(None), "-");
        assert_eq!((set_time(65.0), set_time(0.25)), ("65 s".to_owned(), "0.25 s".to_owned()));
    }

    #[test]
    fn counts_are_readable() {
        assert_eq!((count(0), count(999), count(1_234_567)), ("0".into(), "999".into(), "1,234,567".into()));
        assert_eq!([0, 512, 1_250, 83_200_000].map(bytes), ["0 B", "512 B", "1.25 kB", "83.2 MB"]);
        assert_eq!((short_count(9_999_999), short_count(12_345_678)), ("9,999,999".into(), "12M".into()));
        assert_eq!(
            [0.0, 0.314, 8.25, 104.2, 1234.0, 34_567.0, 999_700.0].map(short),
            ["0", "0.31", "8.25", "104", "1.2k", "35k", "1.0M"]
        );
        assert_eq!((several(1, "event"), several(2_000, "event")), ("1 event".into(), "2,000 events".into()));
    }

    #[test]
    fn shares_near_0_and_1_are_not_rounded_to_them() {
        assert_eq!(share(0, 10), "0.0 %");
        assert_eq!(share(1, 100_000), "<0.1 %");
        assert_eq!(share(99_999, 100_000), ">99.9 %");
        assert_eq!(share(7, 7), "100.0 %");
        assert_eq!(share(0, 0), "-");
    }
}
