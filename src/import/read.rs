//! Reads typed fields from YAML, and gathers all errors on the way.
//!
//! A method returns `None` if it has reported an error. Keys that are unknown are gathered, since simulators ignore them.

use super::yaml::{Value, Yaml, describe};
use crate::text::{Diagnostic, Location, Path, nearest};

/// A value with its place in the file.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) location: Location,
    pub(super) path: Path,
}

impl<T> At<T> {
    /// An error in the value.
    pub(super) fn wrong(&self, message: impl Into<String>, hint: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.location, self.path.clone(), message).with_hint(hint)
    }
}

/// A value that is to be read.
pub(super) type Raw<'a> = At<&'a Yaml>;

/// The fields of a map.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    pub(super) entries: Vec<(&'a str, Raw<'a>)>,
    pub(super) location: Location,
    pub(super) path: Path,
}

impl<'a> Fields<'a> {
    /// The value of a field, or `None` if it is not written.
    pub(super) fn get(&self, name: &str) -> Option<Raw<'a>> {
        self.entries.iter().find(|(key, _)| *key == name).map(|(_, raw)| raw.clone())
    }

    /// The value of a field, or `None` if it is not written, or null.
    pub(super) fn get_some(&self, name: &str) -> Option<Raw<'a>> {
        self.get(name).filter(|raw| raw.value.value != Value::Null)
    }
}

/// A key that the simulator does not know.
#[derive(Clone, Debug)]
pub(super) struct Unknown {
    pub(super) key: String,
    /// The path of the map that it is in.
    pub(super) path: Path,
    /// The known key that it probably misspells.
    pub(super) nearest: Option<&'static str>,
}

/// Whether keys that are unknown are errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnknownKeys {
    Ignored,
    Refused,
}

/// Reads fields, and gathers errors.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) errors: Vec<Diagnostic>,
    pub(super) unknown: Vec<Unknown>,
    /// What to write instead of a word that other versions of the format have.
    other_versions: fn(&str) -> Option<&'static str>,
}

impl Reader {
    pub(super) const fn new(other_versions: fn(&str) -> Option<&'static str>) -> Self {
        Self { errors: Vec::new(), unknown: Vec::new(), other_versions }
    }

    /// Reports an error in a value.
    pub(super) fn wrong<T>(&mut self, at: &At<T>, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(at.wrong(message, hint));
    }

    /// The fields of a map. `example` is how it is written.
    pub(super) fn fields<'a>(
        &mut self,
        raw: &Raw<'a>,
        known: &[&'static str],
        unknown: UnknownKeys,
        example: &str,
    ) -> Option<Fields<'a>> {
        let Value::Map(entries) = &raw.value.value else {
            let message = format!("expected fields, found {}", describe(raw.value));
            let older = self.of_other_versions(raw.value);
            self.wrong(raw, message, older.unwrap_or_else(|| format!("write it like {example}")));
            return None;
        };
        let mut fields = Fields { entries: Vec::new(), location: raw.location, path: raw.path.clone() };
        for (key, value) in entries {
            let name = key.value.text().unwrap_or_default();
            let path = raw.path.clone().name(name);
            let at = At { value, location: value.location, path };
            if !known.contains(&name) {
                self.unknown_key(key, raw, known, unknown);
            }
            fields.entries.push((name, at));
        }
        Some(fields)
    }

    fn unknown_key(&mut self, key: &Yaml, map: &Raw<'_>, known: &[&'static str], unknown: UnknownKeys) {
        let written = key.value.text().map_or_else(|| describe(key), str::to_owned);
        if unknown == UnknownKeys::Ignored {
            let nearest = nearest::nearest(&written, known.iter().copied());
            let nearest = known.iter().find(|name| Some(**name) == nearest).copied();
            self.unknown.push(Unknown { key: written, path: map.path.clone(), nearest });
            return;
        }
        let hint = (self.other_versions)(&written).map(str::to_owned);
        let hint = hint.unwrap_or_else(|| nearest::hint(&written, known.iter().copied()));
        let at = At { value: (), location: key.location, path: map.path.clone() };
        self.wrong(&at, format!("unknown key {}", describe(key)), hint);
    }

    /// A field that has to be written.
    pub(super) fn required<'a>(&mut self, fields: &Fields<'a>, name: &str, hint: &str) -> Option<Raw<'a>> {
        let found = fields.get(name);
        if found.is_none() {
            // A key of another version may stand where the field is missing.
            let renamed = fields.entries.iter().find_map(|(key, _)| (self.other_versions)(key));
            let at = At { value: (), location: fields.location, path: fields.path.clone() };
            self.wrong(&at, format!("the field `{name}` is missing"), renamed.unwrap_or(hint));
        }
        found
    }

    /// A text.
    pub(super) fn text(&mut self, raw: &Raw<'_>) -> Option<At<String>> {
        let Some(text) = raw.value.value.text() else {
            let message = format!("expected a text, found {}", describe(raw.value));
            self.wrong(raw, message, "write it in quotes");
            return None;
        };
        Some(At { value: text.to_owned(), location: raw.location, path: raw.path.clone() })
    }

    /// The text of a field that has to be written, with visible characters.
    pub(super) fn name(&mut self, fields: &Fields<'_>, field: &str, hint: &str) -> Option<At<String>> {
        let raw = self.required(fields, field, hint)?;
        let name = self.text(&raw)?;
        if name.value.trim().is_empty() || name.value.chars().any(char::is_control) {
            self.wrong(&raw, "a name needs visible characters", "write another one");
            return None;
        }
        Some(name)
    }

    /// A finite number. `coerced`: it may be written as a text.
    pub(super) fn number(&mut self, raw: &Raw<'_>, coerced: bool) -> Option<At<f64>> {
        let text = raw.value.value.text();
        let number = raw.value.value.number().or_else(|| text.filter(|_| coerced).and_then(number_of));
        let found = describe(raw.value);
        match number {
            Some(number) if number.is_finite() => {
                Some(At { value: number, location: raw.location, path: raw.path.clone() })
            }
            Some(_) => {
                self.wrong(raw, format!("expected a finite number, found {found}"), "write a finite number");
                None
            }
            None => {
                let hint = if text.and_then(number_of).is_some() {
                    "YAML 1.1 reads a number with an exponent as a text, unless it has a dot and a sign: 3.0e-3".to_owned()
                } else {
                    self.of_other_versions(raw.value).unwrap_or_else(|| "write a number".to_owned())
                };
                self.wrong(raw, format!("expected a number, found {found}"), hint);
                None
            }
        }
    }

    /// A number for which `is_valid` holds, which `range` describes.
    pub(super) fn number_in(
        &mut self,
        raw: &Raw<'_>,
        is_valid: impl Fn(f64) -> bool,
        range: &str,
        coerced: bool,
    ) -> Option<At<f64>> {
        let number = self.number(raw, coerced)?;
        if is_valid(number.value) {
            return Some(number);
        }
        self.wrong(
            raw,
            format!("expected a number {range}, found {}", number.value),
            format!("use a number {range}"),
        );
        None
    }

    /// A whole number of at least `min` and at most `max`. 5.0 is whole, and so is "5".
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and within the bounds"
    )]
    #[expect(clippy::cast_precision_loss, reason = "bounds are far below 2^53")]
    pub(super) fn integer(&mut self, raw: &Raw<'_>, min: u64, max: u64) -> Option<At<u64>> {
        let number = self.number(raw, true)?;
        let range = if max == u64::MAX { format!("from {min} on") } else { format!("from {min} to {max}") };
        let is_whole = libm::fabs(number.value - libm::trunc(number.value)) <= 0.0;
        if is_whole && number.value >= min as f64 && number.value <= max as f64 {
            return Some(At { value: number.value as u64, location: raw.location, path: raw.path.clone() });
        }
        let message = format!("expected a whole number {range}, found {}", describe(raw.value));
        self.wrong(raw, message, format!("use a whole number {range}"));
        None
    }

    /// One of these words.
    pub(super) fn choice<T: Copy>(&mut self, raw: &Raw<'_>, options: &[(&'static str, T)]) -> Option<At<T>> {
        let word = self.text(raw)?;
        if let Some((_, value)) = options.iter().find(|(name, _)| *name == word.value) {
            return Some(At { value: *value, location: raw.location, path: raw.path.clone() });
        }
        let names = options.iter().map(|(name, _)| *name);
        let lower = word.value.to_lowercase();
        let hint = if names.clone().any(|name| name == lower) {
            format!("write it in lower case: `{lower}`")
        } else {
            let of_versions = (self.other_versions)(&word.value).map(str::to_owned);
            of_versions.unwrap_or_else(|| nearest::hint(&word.value, names))
        };
        self.wrong(raw, format!("unknown value `{}`", crate::text::shortened(&word.value)), hint);
        None
    }

    /// The items of a list.
    pub(super) fn list<'a>(&mut self, raw: &Raw<'a>) -> Option<Vec<Raw<'a>>> {
        let Value::List(items) = &raw.value.value else {
            let message = format!("expected a list, found {}", describe(raw.value));
            self.wrong(raw, message, "write each item after a dash, or all of them in [..]");
            return None;
        };
        let item = |(index, value): (usize, &'a Yaml)| At {
            value,
            location: value.location,
            path: raw.path.clone().index(index),
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The hint about a word, or about a key of a map, that other versions have.
    fn of_other_versions(&self, yaml: &Yaml) -> Option<String> {
        let word = match &yaml.value {
            Value::Text(text) => text.as_str(),
            Value::Int(_) | Value::Float(_) => "number for fields",
            Value::Map(_) => "fields for a number",
            Value::Null | Value::Bool(_) | Value::Date | Value::List(_) => return None,
        };
        (self.other_versions)(word).map(str::to_owned)
    }
}

/// A number as a text, as Python reads it.
fn number_of(text: &str) -> Option<f64> {
    text.trim().replace('_', "").parse().ok()
}
