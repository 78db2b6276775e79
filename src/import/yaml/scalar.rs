//! What a scalar is in YAML 1.1, as `PyYAML` reads it: `on` and `yes` are truth values, `010` is 8, `1:30` is 90, and `3e-3`,
//! without a dot, is a text.

use granit_parser::{ScalarStyle, Tag};

use super::{Value, Yaml};

/// The value of a scalar.
///
/// # Errors
/// If it has a tag that does not fit, or that is not one of YAML itself.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    let Some(tag) = tag else {
        return Ok(if style == ScalarStyle::Plain { plain(text) } else { Value::Text(text.to_owned()) });
    };
    let misfit = || format!("`{}` is not what its tag says", crate::text::shortened(text));
    let value = plain(text);
    match tag.core_suffix() {
        Some("str") => Ok(Value::Text(text.to_owned())),
        Some("null") => Ok(Value::Null),
        Some("bool") if matches!(value, Value::Bool(_)) => Ok(value),
        Some("int") if matches!(value, Value::Int(_)) => Ok(value),
        Some("float") if matches!(value, Value::Float(_)) => Ok(value),
        Some("float") => text.trim().parse().map(Value::Float).map_err(|_| misfit()),
        Some("bool" | "int" | "map" | "seq") => Err(misfit()),
        _ if tag.suffix().is_empty() && tag.handle() == "!" => Ok(Value::Text(text.to_owned())),
        _ => Err(format!("unknown tag `{}`", crate::text::shortened(&tag.original()))),
    }
}

/// Checks the tag of a list or a map.
///
/// # Errors
/// If it is not the tag of what it stands before.
pub(super) fn check_tag(tag: Option<&Tag>, expected: &str) -> Result<(), String> {
    match tag {
        Some(tag) if tag.core_suffix() != Some(expected) => {
            Err(format!("unknown tag `{}`", crate::text::shortened(&tag.original())))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a key is a merge, `<<` without quotes.
pub(super) fn is_merge(key: &Yaml, text: &str) -> bool {
    key.value == Value::Text("<<".to_owned())
        && text.get(key.location.start..).is_some_and(|rest| rest.starts_with("<<"))
}

/// The value of a scalar without quotes.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Value::Bool(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Value::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    let signed = |number: i128| if negative { -number } else { number };
    if let Some(number) = integer(digits) {
        return Value::Int(signed(number));
    }
    if let Some(number) = float(digits) {
        return Value::Float(if negative { -number } else { number });
    }
    if is_date(text) { Value::Date } else { Value::Text(text.to_owned()) }
}

/// A whole number without its sign: binary, octal, hexadecimal, decimal, or in base 60.
fn integer(digits: &str) -> Option<i128> {
    let parse = |digits: &str, radix: u32| {
        let digits = digits.replace('_', "");
        let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
        // Larger ones are beyond every limit.
        is_number.then(|| i128::from_str_radix(&digits, radix).unwrap_or(i128::MAX))
    };
    if let Some(digits) = digits.strip_prefix("0b") {
        return parse(digits, 2);
    }
    if let Some(digits) = digits.strip_prefix("0x") {
        return parse(digits, 16);
    }
    match digits.as_bytes() {
        [b'0'] => Some(0),
        [b'0', ..] => parse(&digits[1..], 8),
        [b'1'..=b'9', ..] if digits.contains(':') => base_60(digits),
        [b'1'..=b'9', ..] => parse(digits, 10),
        _ => None,
    }
}

fn base_60(digits: &str) -> Option<i128> {
    let mut parts = digits.split(':');
    let mut number: i128 = parts.next()?.replace('_', "").parse().ok()?;
    for part in parts {
        let digit: i128 = part.parse().ok().filter(|digit| *digit < 60 && (1..=2).contains(&part.len()))?;
        number = number.checked_mul(60)?.checked_add(digit)?;
    }
    Some(number)
}

/// A number with a dot, without its sign. An exponent has a sign.
fn float(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let all_digits = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '_');
    let begins_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let is_mantissa = all_digits(whole)
        && all_digits(fraction)
        && if whole.is_empty() { begins_with_digit(fraction) } else { begins_with_digit(whole) };
    let is_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']);
        digits.is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()))
    });
    (is_mantissa && is_exponent).then(|| digits.replace('_', "").parse().ok())?
}

/// Whether a text begins like a date: `2025-08-16`.
fn is_date(text: &str) -> bool {
    let date: Vec<&str> = text.split(['T', 't', ' ']).next().unwrap_or("").split('-').collect();
    let lengths: Vec<usize> = date.iter().map(|part| part.len()).collect();
    let is_number = |part: &&str| part.chars().all(|c| c.is_ascii_digit());
    date.iter().all(is_number) && matches!(lengths[..], [4, 1..=2, 1..=2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_those_of_yaml_1_1() {
        for (text, value) in [
            ("010", Value::Int(8)),
            ("0", Value::Int(0)),
            ("-1_000", Value::Int(-1000)),
            ("0x1F", Value::Int(31)),
            ("0b101", Value::Int(5)),
            ("1:30", Value::Int(90)),
            ("1.5", Value::Float(1.5)),
            (".5", Value::Float(0.5)),
            ("+1.", Value::Float(1.0)),
            ("3.0e-3", Value::Float(0.003)),
            ("-.inf", Value::Float(f64::NEG_INFINITY)),
            ("on", Value::Bool(true)),
            ("No", Value::Bool(false)),
            ("~", Value::Null),
            ("2025-08-16", Value::Date),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
        for text in ["3e-3", "1.5e3", "08", "1:60", ".", "-", "e5", "y", "1_", "0x", "1.2.3", "+-1", "é"] {
            let is_number_of_python = text == "1_";
            let expected = if is_number_of_python { Value::Int(1) } else { Value::Text(text.to_owned()) };
            assert_eq!(plain(text), expected, "{text}");
        }
        assert!(matches!(plain(".nan"), Value::Float(number) if number.is_nan()));
    }
}
