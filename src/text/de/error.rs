//! What a type did not like, where, and at which path: collected on the way up, put into words for the author.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::super::diagnostic::Diagnostic;
use super::super::nearest::{hint, nearest};
use super::super::path::{Path, Segment};
use super::super::source::Location;
use super::super::tree::{Node, Value, Word, shortened};
use super::expected::{FLAG, FLOAT, LETTER, LIST, MAP, TEXT, translated};

/// A mistake: the innermost node that was being read when it showed, and the way there.
#[derive(Debug)]
pub(crate) struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    location: Option<Location>,
    /// The path with its last step first.
    way: Vec<Segment>,
}

/// What kind of mistake, as far as collecting further ones depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The struct has no such field; the path ends in it. `meant` is the one that it was probably to be.
    UnknownField { meant: Option<&'static str> },
    /// The struct at the path lacks this field.
    MissingField(&'static str),
    /// The value is of another kind than `expected`; the message is completed with what was found.
    Mismatch { expected: String },
    /// Any other: the value at the path is wrong.
    Value,
}

impl Error {
    fn new(kind: ErrorKind, message: impl Into<String>, hint: Option<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), hint, location: None, way: Vec::new() }))
    }

    /// `node` is not what was expected.
    pub(super) fn mismatch(node: &Node, expected: &str) -> Self {
        Self::new(ErrorKind::Mismatch { expected: expected.to_owned() }, "", None).at(node)
    }

    /// Says that it showed while `node` was read; who said so first was closest.
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
                    self.0.message = format!("`{}` lacks {}", shortened(name), self.0.message);
                } else if let Some(name) = node.name() {
                    self.0.message = format!("`{}` lacks {}", shortened(&name.text), self.0.message);
                } else {
                    self.0.message = format!("{} is missing", self.0.message);
                }
            }
            ErrorKind::UnknownField { .. } | ErrorKind::Value => {}
        }
        self
    }

    /// Says that it is about a bare name.
    pub(super) fn at_word(mut self, word: Location) -> Self {
        self.0.location.get_or_insert(word);
        self
    }

    /// Says that it showed inside this field, entry or element.
    pub(super) fn inside(mut self, segment: Segment) -> Self {
        self.0.way.push(segment);
        self
    }

    pub(crate) fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    pub(crate) fn path(&self) -> Path {
        self.0.way.iter().rev().cloned().collect()
    }

    /// Forgets the way inside a key: a key is one step.
    pub(super) fn outside(mut self) -> Self {
        self.0.way.clear();
        self
    }

    /// The mistake in words; `root` is the whole tree, for a mistake that was not placed.
    pub(crate) fn into_diagnostic(self, root: &Node) -> Diagnostic {
        let path = self.path();
        let location = self.0.location.unwrap_or(root.location);
        Diagnostic { location, path, message: self.0.message, hint: self.0.hint }
    }
}

/// A name in front of the parentheses that is not the struct's.
pub(super) fn wrong_name(word: &Word, name: &str) -> Error {
    let message = format!("expected `{name}(..)`, found `{}(..)`", shortened(&word.text));
    Error::new(ErrorKind::Value, message, Some(format!("write `{name}`, or the parentheses alone")))
        .at_word(word.location)
}

/// Too many values in parentheses, or too few.
pub(super) fn wrong_length(found: usize, expected: usize) -> Error {
    let values = if expected == 1 { "value" } else { "values" };
    Error::new(ErrorKind::Value, format!("expected {expected} {values}, found {found}"), None)
}

/// A variant around something of another shape.
pub(super) fn held_otherwise(expected: &str, found: &str) -> Error {
    Error::new(ErrorKind::Value, format!("expected {expected}, found {found}"), None)
}

/// A variant written bare although it has to hold something.
pub(super) fn lacks_its_value(variant: &str, expected: &str) -> Error {
    let variant = shortened(variant);
    Error::new(
        ErrorKind::Value,
        format!("`{variant}` lacks its value"),
        Some(format!("write `{variant}(..)` with {expected}")),
    )
}

/// A variant with parentheses although it holds nothing.
pub(super) fn holds_nothing(variant: &str) -> Error {
    let variant = shortened(variant);
    Error::new(
        ErrorKind::Value,
        format!("`{variant}` takes nothing in parentheses"),
        Some(format!("write `{variant}`")),
    )
}

/// How to mend a value of the wrong kind, where the slip is a common one.
fn mismatch_hint(node: &Node, expected: &str) -> Option<String> {
    match &node.value {
        Value::Word(word) if expected == TEXT => Some(format!("write \"{}\"", shortened(word))),
        Value::Number(number) if expected == TEXT => Some(format!("write \"{number}\"")),
        Value::Char(_) if expected == TEXT => Some("text is written in double quotes".to_owned()),
        Value::Text(text) if expected == FLOAT || expected.starts_with("a whole number") => {
            text.trim().parse::<f64>().ok().map(|_| "write it without quotes".to_owned())
        }
        Value::Text(text) if expected == FLAG && matches!(text.as_str(), "true" | "false") => {
            Some("write it without quotes".to_owned())
        }
        Value::Text(text) if expected.contains(&format!("`{text}`")) => {
            Some(format!("write `{text}` without quotes"))
        }
        Value::Text(_) if expected == LETTER => Some("a character is written like 'x'".to_owned()),
        Value::Tuple(None, _) if expected == LIST => Some("write brackets: [..]".to_owned()),
        Value::Record(None, _) if expected == MAP => {
            Some("write braces, and the names in quotes: {\"name\": ..}".to_owned())
        }
        Value::Map(_) if expected.starts_with("fields in parentheses") => {
            Some("write parentheses, and the names without quotes".to_owned())
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
        Self::new(ErrorKind::Value, format!("expected {expected}, found {found} of them"), None)
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let hint = hint(variant, known.iter().copied());
        Self::new(
            ErrorKind::Value,
            format!("there is no `{}` to choose here", shortened(variant)),
            Some(hint),
        )
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        let meant = nearest(field, known.iter().copied());
        let hint = hint(field, known.iter().copied());
        Self::new(
            ErrorKind::UnknownField { meant },
            format!("unknown field `{}`", shortened(field)),
            Some(hint),
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(
            ErrorKind::MissingField(field),
            format!("the field `{field}`"),
            Some(format!("add `{field}: ..`")),
        )
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(ErrorKind::Value, format!("the field `{field}` is given twice under two names"), None)
    }
}
