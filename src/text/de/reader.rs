//! Decodes one node: whole numbers, texts, tuples, structs, and values of any kind.

use serde::de::Visitor;

use super::super::source::Origin;
use super::super::tree::{Node, Number, Value, Word};
use super::access::{Entries, Fields, Items};
use super::expected::{self, TEXT};
use super::variant::Variant;
use super::{Error, error};

/// Decodes one node.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) node: &'a Node,
    /// Whether the name of the node has been read, as that of a variant. If so, only the contents are left to decode.
    pub(super) name_read: bool,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(node: &'a Node) -> Self {
        Self { node, name_read: false }
    }

    /// A reader of the contents of the variant at `node`.
    pub(super) const fn after_name(node: &'a Node) -> Self {
        Self { node, name_read: true }
    }

    /// The name before the parentheses, or `None` if there is none or it has been read.
    pub(super) fn name(self) -> Option<&'a Word> {
        if self.name_read { None } else { self.node.name() }
    }

    /// The error that the node is not of the `expected` kind.
    pub(super) fn mismatch(self, expected: &str) -> Error {
        match &self.node.value {
            Value::Word(word) if self.name_read => error::missing_contents(word, expected),
            Value::Tuple(..) if self.name_read => error::wrong_contents(expected, "values without names"),
            Value::Record(..) if self.name_read => error::wrong_contents(expected, "fields with names"),
            _ => Error::mismatch(self.node, expected),
        }
        .at(self.node)
    }

    /// Checks that the node has no name, or the name of the struct to decode.
    pub(super) fn check_name(self, name: &str) -> Result<(), Error> {
        match self.name() {
            Some(word) if word.text != name => Err(error::wrong_name(word, name)),
            _ => Ok(()),
        }
    }

    pub(super) fn whole<T: TryFrom<i128>>(
        self,
        min: impl Into<i128>,
        max: impl Into<i128>,
    ) -> Result<T, Error> {
        let (min, max) = (min.into(), max.into());
        let Value::Number(number) = self.node.value else {
            return Err(self.mismatch(&expected::whole(min, max, None)));
        };
        let whole = number.whole();
        whole
            .and_then(|whole| T::try_from(whole).ok())
            .ok_or_else(|| self.mismatch(&expected::whole(min, max, whole)))
    }

    /// Decodes a value by its own kind.
    pub(super) fn any<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Unit | Value::Removed => visitor.visit_unit(),
            Value::Word(_) if self.name_read => visitor.visit_unit(),
            Value::Word(word) if word == "None" => visitor.visit_none(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Char(value) => visitor.visit_char(*value),
            Value::Number(Number::Unsigned(number)) => visitor.visit_u64(*number),
            Value::Number(Number::Negative(number)) => visitor.visit_i64(*number),
            Value::Number(Number::Float(number)) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_str(text),
            Value::Map(entries) => visitor.visit_map(Entries::new(entries)),
            Value::Word(_) => visitor.visit_enum(Variant::new(self.node)),
            Value::Record(..) | Value::Tuple(..) if self.name().is_some() => match self.some() {
                Some(held) => visitor.visit_some(held),
                None => visitor.visit_enum(Variant::new(self.node)),
            },
            Value::Record(_, fields) => visitor.visit_map(Fields::new(fields)),
            Value::List(items) | Value::Tuple(_, items) => visitor.visit_seq(Items::new(items)),
        }
    }

    /// A reader of the value in an explicit `Some(..)`, or `None` if the node is not one.
    pub(super) fn some(self) -> Option<Self> {
        match (&self.node.value, self.name()) {
            (Value::Tuple(_, items), Some(name)) if name.text == "Some" => match items.as_slice() {
                [held] => Some(Self::new(held)),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn text<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Text(text) => visitor.visit_str(text),
            // Shells remove the quotes of `--set name="x"`.
            Value::Word(word) if !self.name_read && matches!(self.node.location.origin, Origin::Set(_)) => {
                visitor.visit_str(word)
            }
            _ => Err(self.mismatch(TEXT)),
        }
    }

    pub(super) fn tuple<'de, V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Tuple(_, items) | Value::List(items) if self.name().is_none() => {
                if items.len() != length {
                    return Err(error::wrong_length(items.len(), length));
                }
                visitor.visit_seq(Items::new(items))
            }
            Value::Unit if length == 0 => visitor.visit_seq(Items::new(&[])),
            _ => Err(self.mismatch(&expected::tuple(length))),
        }
    }

    pub(super) fn fields<'de, V: Visitor<'de>>(
        self,
        name: &str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Record(_, fields) => {
                self.check_name(name)?;
                visitor.visit_map(Fields::known(fields, known))
            }
            Value::Tuple(_, items) if items.is_empty() => {
                self.check_name(name)?;
                visitor.visit_map(Fields::known(&[], known))
            }
            Value::Unit => visitor.visit_map(Fields::known(&[], known)),
            Value::Word(word) if self.name_read || word == name => {
                visitor.visit_map(Fields::known(&[], known))
            }
            _ => Err(self.mismatch(&expected::fields(known))),
        }
    }
}
