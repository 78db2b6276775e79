//! A scenario as it was written: RON as a tree in which every piece knows where it stands.
//!
//! [`parser`](super::parser) makes it, [`overrides`](super::overrides) change it, [`de`](super::de) reads types from
//! it, and [`navigate`](super::navigate) finds a path in it.

use std::fmt;

use super::source::Location;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) location: Location,
    pub(crate) value: Value,
}

/// What can be written in RON.
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
    /// `Name(1, 2)`, `(1, 2)`, also `Some(1)` and `Name()`; `()` is the unit
    Tuple(Option<Word>, Vec<Node>),
    /// `Name`, also `None`
    Word(String),
    /// Taken out while mistakes are collected; it keeps its place so that its neighbours keep theirs.
    Removed,
}

/// A number as precisely as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Unsigned(u64),
    Negative(i64),
    Float(f64),
}

/// A bare name and where it stands.
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

    /// The name, or the opening bracket: enough to point at a piece that fills many lines.
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

    /// How a map key reads as a step of a path.
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

    /// The value in words, for a sentence that begins with "found".
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

    /// How many brackets deep the tree is.
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

/// At most 40 characters of a text: what is quoted in a sentence must not drown it.
pub(crate) fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
