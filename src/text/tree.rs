//! The syntax tree of a scenario: RON values with their locations.
//!
//! [`parser`](super::parser) creates it, [`overrides`](super::overrides) change it, [`de`](super::de) reads types from
//! it, and [`navigate`](super::navigate) finds paths in it.

use std::fmt;

use super::source::Location;

/// A value and its location.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) location: Location,
    pub(crate) value: Value,
}

/// A value in RON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// `()`
    Unit,
    Bool(bool),
    Char(char),
    Number(Number),
    /// Text in quotes.
    Text(String),
    /// `[1, 2]`
    List(Vec<Node>),
    /// `{ "a": 1 }`
    Map(Vec<Entry>),
    /// `Name(a: 1)` or `(a: 1)`
    Record(Option<Word>, Vec<Field>),
    /// `Name(1, 2)` or `(1, 2)`, also `Some(1)` and `Name()`; `()` is the unit
    Tuple(Option<Word>, Vec<Node>),
    /// `Name`, also `None`
    Word(String),
    /// Removed because of an error. Keeps its place, so that the indexes of its neighbours do not change.
    Removed,
}

/// A number, with the precision of its source text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Unsigned(u64),
    Negative(i64),
    Float(f64),
}

/// A bare name and its location.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) location: Location,
}

/// `name: value` in parentheses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: Word,
    pub(crate) value: Node,
}

/// `key: value` in braces.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Node,
    pub(crate) value: Node,
}

impl Number {
    /// The number as a float, which is the nearest one beyond 2^53.
    #[expect(clippy::cast_precision_loss, reason = "the nearest float is intended")]
    pub(crate) const fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(number) => number as f64,
            Self::Negative(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// The number as an integer, or `None` if it is not whole. `1e3` is 1000.
    #[expect(clippy::cast_possible_truncation, reason = "whole and within the bounds of 64 bits")]
    pub(crate) fn whole(self) -> Option<i128> {
        match self {
            Self::Unsigned(number) => Some(i128::from(number)),
            Self::Negative(number) => Some(i128::from(number)),
            Self::Float(number) => (libm::fabs(number - libm::trunc(number)) == 0.0
                && libm::fabs(number) < 2e19)
                .then_some(number as i128),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Negative(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
        }
    }
}

impl Node {
    pub(crate) const fn is_removed(&self) -> bool {
        matches!(self.value, Value::Removed)
    }

    /// The name in front of the parentheses.
    pub(crate) fn name(&self) -> Option<&Word> {
        match &self.value {
            Value::Record(name, _) | Value::Tuple(name, _) => name.as_ref(),
            Value::Unit
            | Value::Bool(_)
            | Value::Char(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Word(_)
            | Value::Removed => None,
        }
    }

    /// The location of the name or the opening bracket, for diagnostics about values of many lines.
    pub(crate) fn head(&self) -> Location {
        match self.name() {
            Some(name) => name.location,
            None => match self.value {
                Value::Unit | Value::List(_) | Value::Map(_) | Value::Record(..) | Value::Tuple(..) => {
                    Location { end: self.location.start + 1, ..self.location }
                }
                Value::Bool(_)
                | Value::Char(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::Word(_)
                | Value::Removed => self.location,
            },
        }
    }

    /// The text of a map key as a segment of a path.
    pub(crate) fn key_text(&self) -> String {
        match &self.value {
            Value::Text(text) | Value::Word(text) => text.clone(),
            Value::Bool(value) => value.to_string(),
            Value::Char(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
            Value::Unit => "()".to_owned(),
            Value::List(_) => "[..]".to_owned(),
            Value::Map(_) => "{..}".to_owned(),
            Value::Record(..) | Value::Tuple(..) => "(..)".to_owned(),
            Value::Removed => String::new(),
        }
    }

    /// A description of the value, for messages: "found ..".
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Unit => "`()`".to_owned(),
            Value::Bool(value) => format!("`{value}`"),
            Value::Char(value) => format!("the character {value:?}"),
            Value::Number(number) => number.to_string(),
            Value::Text(text) => format!("the text {:?}", shortened(text)),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
            Value::Record(Some(name), _) | Value::Tuple(Some(name), _) => {
                format!("`{}(..)`", shortened(&name.text))
            }
            Value::Record(None, _) => "fields in parentheses".to_owned(),
            Value::Tuple(None, _) => "values in parentheses".to_owned(),
            Value::Word(word) => format!("the bare word `{}`", shortened(word)),
            Value::Removed => "nothing".to_owned(),
        }
    }

    /// The depth of the tree; 1 for a value without brackets.
    pub(crate) fn depth(&self) -> usize {
        let deepest = match &self.value {
            Value::List(items) | Value::Tuple(_, items) => items.iter().map(Self::depth).max(),
            Value::Map(entries) => {
                entries.iter().map(|entry| entry.key.depth().max(entry.value.depth())).max()
            }
            Value::Record(_, fields) => fields.iter().map(|field| field.value.depth()).max(),
            Value::Unit
            | Value::Bool(_)
            | Value::Char(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Word(_)
            | Value::Removed => None,
        };
        1 + deepest.unwrap_or(0)
    }
}

/// The first 40 characters of a text that is quoted in a message, with an ellipsis if it is longer.
pub(crate) fn shortened(text: &str) -> String {
    const MAX_CHARACTERS: usize = 40;
    match text.char_indices().nth(MAX_CHARACTERS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
