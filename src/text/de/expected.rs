//! Descriptions of the expected values, for authors of scenarios who do not know Rust.

pub(super) const TEXT: &str = "text in quotes";
pub(super) const BOOL: &str = "true or false";
pub(super) const FLOAT: &str = "a number";
pub(super) const CHARACTER: &str = "a character in single quotes";
pub(super) const LIST: &str = "a list in brackets [..]";
pub(super) const MAP: &str = "a map in braces {..}";

/// A whole number from `min` to `max`. The description contains only the bound that `found` violates.
pub(super) fn whole(min: i128, max: i128, found: Option<i128>) -> String {
    match found {
        Some(found) if found > max => format!("a whole number of at most {max}"),
        Some(found) if found < min && min < 0 => format!("a whole number of at least {min}"),
        _ if min == 0 => "a whole number of 0 or more".to_owned(),
        _ => "a whole number".to_owned(),
    }
}

pub(super) fn tuple(length: usize) -> String {
    match length {
        1 => "one value in parentheses".to_owned(),
        _ => format!("{length} values in parentheses"),
    }
}

/// The fields of a struct: `(from: .., to: ..)`.
pub(super) fn fields(known: &[&str]) -> String {
    const MAX_LISTED: usize = 3;
    let mut shown: Vec<_> = known.iter().take(MAX_LISTED).map(|name| format!("{name}: ..")).collect();
    if known.len() > MAX_LISTED {
        shown.push("..".to_owned());
    }
    format!("fields in parentheses ({})", shown.join(", "))
}

pub(super) fn variants(known: &[&str]) -> String {
    const MAX_LISTED: usize = 12;
    let mut shown: Vec<_> = known.iter().take(MAX_LISTED).map(|name| format!("`{name}`")).collect();
    if known.len() > MAX_LISTED {
        shown.push("...".to_owned());
    }
    match shown.as_slice() {
        [one] => one.clone(),
        _ => format!("one of {}", shown.join(", ")),
    }
}

/// Translates the expectations of serde's own visitors.
pub(super) fn translated(expected: &str) -> String {
    let plain = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "a nonzero u8" | "a nonzero u16" | "a nonzero u32" | "a nonzero u64" | "a nonzero usize" => {
            "a whole number of 1 or more"
        }
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => FLOAT,
        "a string" | "a borrowed string" | "str" => TEXT,
        "a boolean" => BOOL,
        "a character" => CHARACTER,
        "a sequence" => LIST,
        "a map" => MAP,
        _ if expected.starts_with("struct ") || expected.starts_with("struct variant ") => {
            "fields in parentheses"
        }
        other => other,
    };
    plain.to_owned()
}
