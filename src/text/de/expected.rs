//! What a type would have read, in the words of somebody who writes scenarios and not Rust.

pub(super) const TEXT: &str = "a text in quotes";
pub(super) const FLAG: &str = "true or false";
pub(super) const FLOAT: &str = "a number";
pub(super) const LETTER: &str = "a character in single quotes";
pub(super) const LIST: &str = "a list in brackets [..]";
pub(super) const MAP: &str = "a map in braces {..}";

/// A whole number between bounds; only the bound that `found` breaks is worth a word.
pub(super) fn whole(least: i128, most: i128, found: Option<i128>) -> String {
    match found {
        Some(found) if found > most => format!("a whole number of at most {most}"),
        Some(found) if found < least && least < 0 => format!("a whole number of at least {least}"),
        _ if least == 0 => "a whole number of 0 or more".to_owned(),
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
    const SHOWN: usize = 3;
    let mut shown: Vec<_> = known.iter().take(SHOWN).map(|name| format!("{name}: ..")).collect();
    if known.len() > SHOWN {
        shown.push("..".to_owned());
    }
    format!("fields in parentheses ({})", shown.join(", "))
}

pub(super) fn variants(known: &[&str]) -> String {
    const SHOWN: usize = 12;
    let mut shown: Vec<_> = known.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    if known.len() > SHOWN {
        shown.push("...".to_owned());
    }
    match shown.as_slice() {
        [one] => one.clone(),
        _ => format!("one of {}", shown.join(", ")),
    }
}

/// Translates what serde's own visitors say they expect.
pub(super) fn translated(expected: &str) -> String {
    let plain = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "a nonzero u8" | "a nonzero u16" | "a nonzero u32" | "a nonzero u64" | "a nonzero usize" => {
            "a whole number of 1 or more"
        }
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => FLOAT,
        "a string" | "a borrowed string" | "str" => TEXT,
        "a boolean" => FLAG,
        "a character" => LETTER,
        "a sequence" => LIST,
        "a map" => MAP,
        _ if expected.starts_with("struct ") || expected.starts_with("struct variant ") => {
            "fields in parentheses"
        }
        other => other,
    };
    plain.to_owned()
}
