//! Errors of decoding: their location and path are added while they are returned from the inside out.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{hint, nearest};
use super::super::path::{Path, Segment};
use super::super::source::Location;
use super::super::tree::{Node, Value, Word, shortened};
use super::expected::{BOOL, CHARACTER, FLOAT, LIST, MAP, TEXT, translated};

/// A decoding error, with the innermost node that was being read and its path.
#[derive(Debug)]
pub(crate) struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    location: Option<Location>,
    /// The segments of the path, last one first.
    reversed_path: Vec<Segment>,
}

/// The kind of an error, as far as it matters for collecting further errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The struct does not have the field at the path. `nearest` is the field that it probably misspells.
    UnknownField { nearest: Option<&'static str> },
    /// The struct at the path lacks this field.
    MissingField(&'static str),
    /// The value is of another kind than `expected`. The message is completed with the value that was found.
    Mismatch { expected: String },
    /// Any other error of the value at the path.
    Value,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>, hint: Option<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint,
            location: None,
            reversed_path: Vec::new(),
        }))
    }

    /// The error that `node` is not of the `expected` kind.
    pub(super) fn mismatch(node: &Node, expected: &str) -> Self {
        Self::new(ErrorKind::Mismatch { expected: expected.to_owned() }, "", None).at(node)
    }

    /// Sets the location to that of `node`. Only the first call counts, which is that of the innermost node.
    pub(super) fn at(mut self, node: &Node) -> Self {
        if self.0.location.is_some() {
            return self;
        }
        self.0.location = Some(node.location);
        match &self.0.kind {
            ErrorKind::Mismatch { expected } => {
                self.0.message = format!("expected {expected}, found {}", node.describe());
                self.0.hint = mismatch_hint(node, expected);
            }
            ErrorKind::MissingField(_) => {
                self.0.location = Some(node.head());
                if let Value::Word(name) = &node.value {
                    self.0.message += &format!(" in `{}`", shortened(name));
                } else if let Some(name) = node.name() {
                    self.0.message += &format!(" in `{}`", shortened(&name.text));
                }
            }
            ErrorKind::UnknownField { .. } | ErrorKind::Value => {}
        }
        self
    }

    /// Sets the location to that of a bare name, unless it is set.
    pub(super) fn at_word(mut self, word: Location) -> Self {
        self.0.location.get_or_insert(word);
        self
    }

    /// Prepends a field, entry or element to the path.
    pub(super) fn inside(mut self, segment: Segment) -> Self {
        self.0.reversed_path.push(segment);
        self
    }

    pub(crate) fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    pub(crate) fn path(&self) -> Path {
        self.0.reversed_path.iter().rev().cloned().collect()
    }

    /// Clears the path inside a key: a key is one segment.
    pub(super) fn clear_path(mut self) -> Self {
        self.0.reversed_path.clear();
        self
    }

    /// Converts the error to a diagnostic, at `root` if the error has no location.
    pub(crate) fn into_diagnostic(self, root: &Node) -> Diagnostic {
        let path = self.path();
        let location = self.0.location.unwrap_or(root.location);
        Diagnostic { hint: self.0.hint, ..Diagnostic::new(location, path, self.0.message) }
    }
}

/// The error that the name before the parentheses is not that of the struct.
pub(super) fn wrong_name(word: &Word, name: &str) -> Error {
    let message = format!("expected `{name}(..)`, found `{}(..)`", shortened(&word.text));
    Error::new(
        ErrorKind::Value,
        message,
        Some(format!("write `{name}(..)`, or the parentheses without a name")),
    )
    .at_word(word.location)
}

/// The error of too many or too few values in parentheses.
pub(super) fn wrong_length(found: usize, expected: usize) -> Error {
    let values = if expected == 1 { "value" } else { "values" };
    Error::new(ErrorKind::Value, format!("expected {expected} {values}, found {found}"), None)
}

/// The error that the parentheses of a variant contain another kind of value.
pub(super) fn wrong_contents(expected: &str, found: &str) -> Error {
    Error::new(ErrorKind::Value, format!("expected {expected}, found {found}"), None)
}

/// The error that a variant is written without parentheses although it has a value.
pub(super) fn missing_contents(variant: &str, expected: &str) -> Error {
    let variant = shortened(variant);
    Error::new(
        ErrorKind::Value,
        format!("expected `{variant}(..)`, found the bare word `{variant}`"),
        Some(format!("write `{variant}(..)` with {expected}")),
    )
}

/// The error that a variant without a value is written with parentheses.
pub(super) fn unexpected_contents(variant: &str) -> Error {
    let variant = shortened(variant);
    Error::new(
        ErrorKind::Value,
        format!("expected `{variant}`, found `{variant}(..)`"),
        Some(format!("write `{variant}` without parentheses")),
    )
}

/// The hint for a common error with values of the wrong kind, or `None` for other errors.
fn mismatch_hint(node: &Node, expected: &str) -> Option<String> {
    match &node.value {
        Value::Word(word) if expected == TEXT => Some(format!("write \"{}\"", shortened(word))),
        Value::Number(number) if expected == TEXT => Some(format!("write \"{number}\"")),
        Value::Char(_) if expected == TEXT => Some("text is written in double quotes".to_owned()),
        Value::Text(text) if expected == FLOAT || expected.starts_with("a whole number") => {
            text.trim().parse::<f64>().ok().map(|_| "write it without quotes".to_owned())
        }
        Value::Text(text) if expected == BOOL && matches!(text.as_str(), "true" | "false") => {
            Some("write it without quotes".to_owned())
        }
        Value::Text(text) if expected.contains(&format!("`{text}`")) => {
            Some(format!("write `{text}` without quotes"))
        }
        Value::Text(_) if expected == CHARACTER => Some("a character is written like 'x'".to_owned()),
        Value::Tuple(None, _) if expected == LIST => Some("use brackets: [..]".to_owned()),
        Value::Record(None, _) if expected == MAP => {
            Some("use braces, and write the names in quotes: {\"name\": ..}".to_owned())
        }
        Value::Map(_) if expected.starts_with("fields in parentheses") => {
            Some("use parentheses, and write the names without quotes".to_owned())
        }
        _ => None,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(ErrorKind::Value, message.to_string(), None)
    }

    fn invalid_type(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(ErrorKind::Mismatch { expected: translated(&expected.to_string()) }, "", None)
    }

    fn invalid_value(_found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(ErrorKind::Mismatch { expected: translated(&expected.to_string()) }, "", None)
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        let expected = translated(&expected.to_string());
        Self::new(ErrorKind::Value, format!("expected {expected}, found length {found}"), None)
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let hint = hint(variant, known.iter().copied());
        Self::new(ErrorKind::Value, format!("unknown variant `{}`", shortened(variant)), Some(hint))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let nearest = nearest(field, known.iter().copied());
        let hint = hint(field, known.iter().copied());
        Self::new(
            ErrorKind::UnknownField { nearest },
            format!("unknown field `{}`", shortened(field)),
            Some(hint),
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(
            ErrorKind::MissingField(field),
            format!("missing field `{field}`"),
            Some(format!("add `{field}: ..`")),
        )
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(ErrorKind::Value, format!("field `{field}` is specified twice, under two names"), None)
    }
}
