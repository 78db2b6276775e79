//! From a value to RON: any type that serde can write becomes a tree, and a tree becomes text that reads as the same tree.
//!
//! Fields without a value are left out, and structs have no name: that is how people write scenarios.

use std::fmt;

use serde::ser::{self, Serialize};

use super::scan::{is_word, is_word_start};
use super::source::{Location, Origin};
use super::tree::{Entry, Field, Node, Number, Value, Word};

/// The tree of a value.
///
/// # Errors
/// If it holds bytes or numbers beyond 64 bits, which cannot be written.
pub(super) fn tree<T: Serialize + ?Sized>(value: &T) -> Result<Node, Unwritable> {
    value.serialize(Writer).map(node)
}

/// Why a value cannot be written.
#[derive(Debug)]
pub(super) struct Unwritable(String);

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Where something stands that was not read from a text.
const NOWHERE: Location = Location { origin: Origin::File, start: 0, end: 0 };

const fn node(value: Value) -> Node {
    Node { location: NOWHERE, value }
}

fn word(text: &str) -> Word {
    Word { text: text.to_owned(), location: NOWHERE }
}

impl fmt::Display for Node {
    /// In one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Unit => f.write_str("()"),
            Value::Removed => f.write_str("None"),
            Value::Bool(value) => value.fmt(f),
            Value::Char(value) => write!(f, "'{}'", Escaped(value.encode_utf8(&mut [0; 4]), '\'')),
            Value::Number(number) => number.fmt(f),
            Value::Text(text) => write!(f, "\"{}\"", Escaped(text, '"')),
            Value::List(items) => joined(f, "[", items, "]"),
            Value::Tuple(name, items) => {
                name.iter().try_for_each(|name| name.fmt(f))?;
                joined(f, "(", items, ")")
            }
            Value::Map(entries) => joined(f, "{", entries, "}"),
            Value::Record(name, fields) => {
                name.iter().try_for_each(|name| name.fmt(f))?;
                joined(f, "(", fields, ")")
            }
            Value::Word(text) => word(text).fmt(f),
        }
    }
}

fn joined<T: fmt::Display>(f: &mut fmt::Formatter<'_>, open: &str, items: &[T], close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (position, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if position > 0 { ", " } else { "" })?;
    }
    f.write_str(close)
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.text.starts_with(is_word_start) && self.text.chars().all(is_word);
        write!(f, "{}{}", if plain { "" } else { "r#" }, self.text)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.value)
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.value)
    }
}

/// A text between quotes of this kind.
struct Escaped<'a>(&'a str, char);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\\' => f.write_str("\\\\"),
            c if c == self.1 => write!(f, "\\{c}"),
            c if c.is_control() => write!(f, "\\u{{{:x}}}", u32::from(c)),
            c => write!(f, "{c}"),
        })
    }
}

/// Makes values of what serde hands over. What is not there is [`Value::Removed`].
#[derive(Clone, Copy)]
struct Writer;

fn unsigned(number: impl Into<u64>) -> Value {
    Value::Number(Number::Unsigned(number.into()))
}

fn signed(number: i64) -> Value {
    u64::try_from(number).map_or(Value::Number(Number::Negative(number)), unsigned)
}

macro_rules! written {
    ($($method:ident: $type:ty => $value:expr),* $(,)?) => {$(
        fn $method(self, value: $type) -> Result<Value, Unwritable> {
            Ok($value(value))
        }
    )*};
}

impl ser::Serializer for Writer {
    type Ok = Value;
    type Error = Unwritable;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    written! {
        serialize_bool: bool => Value::Bool,
        serialize_i8: i8 => |number| signed(i64::from(number)),
        serialize_i16: i16 => |number| signed(i64::from(number)),
        serialize_i32: i32 => |number| signed(i64::from(number)),
        serialize_i64: i64 => signed,
        serialize_u8: u8 => unsigned,
        serialize_u16: u16 => unsigned,
        serialize_u32: u32 => unsigned,
        serialize_u64: u64 => unsigned,
        serialize_f32: f32 => |number| Value::Number(Number::Float(f64::from(number))),
        serialize_f64: f64 => |number| Value::Number(Number::Float(number)),
        serialize_char: char => Value::Char,
        serialize_str: &str => |text: &str| Value::Text(text.to_owned()),
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Value, Unwritable> {
        Err(ser::Error::custom("bytes have no way to be written"))
    }

    fn serialize_none(self) -> Result<Value, Unwritable> {
        Ok(Value::Removed)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Unwritable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Unwritable> {
        Ok(Value::Unit)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Unwritable> {
        Ok(Value::Unit)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Unwritable> {
        Ok(Value::Word(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Unwritable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Unwritable> {
        let mut value = value.serialize(self)?;
        if let Value::Record(name @ None, _) = &mut value {
            *name = Some(word(variant));
            return Ok(value);
        }
        Ok(Value::Tuple(Some(word(variant)), vec![node(value)]))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items, Unwritable> {
        Ok(Items { name: None, items: Vec::new(), list: true })
    }

    fn serialize_tuple(self, _: usize) -> Result<Items, Unwritable> {
        Ok(Items { name: None, items: Vec::new(), list: false })
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items, Unwritable> {
        self.serialize_tuple(length)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items, Unwritable> {
        Ok(Items { name: Some(word(variant)), items: Vec::new(), list: false })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Unwritable> {
        Ok(Entries { key: None, entries: Vec::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields, Unwritable> {
        Ok(Fields { name: None, fields: Vec::new() })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields, Unwritable> {
        Ok(Fields { name: Some(word(variant)), fields: Vec::new() })
    }
}

/// A list or a tuple in the making.
struct Items {
    name: Option<Word>,
    items: Vec<Node>,
    list: bool,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.items.push(tree(value)?);
        Ok(())
    }

    fn done(self) -> Value {
        if self.list { Value::List(self.items) } else { Value::Tuple(self.name, self.items) }
    }
}

macro_rules! of_items {
    ($($trait:ident $method:ident),*) => {$(
        impl ser::$trait for Items {
            type Ok = Value;
            type Error = Unwritable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
                self.push(value)
            }

            fn end(self) -> Result<Value, Unwritable> {
                Ok(self.done())
            }
        }
    )*};
}

of_items!(
    SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

/// A map in the making.
struct Entries {
    key: Option<Node>,
    entries: Vec<Entry>,
}

impl ser::SerializeMap for Entries {
    type Ok = Value;
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.key = Some(tree(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        if let Some(key) = self.key.take() {
            self.entries.push(Entry { key, value: tree(value)? });
        }
        Ok(())
    }

    fn end(self) -> Result<Value, Unwritable> {
        Ok(Value::Map(self.entries))
    }
}

/// A struct or a variant with fields in the making.
struct Fields {
    name: Option<Word>,
    fields: Vec<Field>,
}

impl Fields {
    fn push<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
        let value = tree(value)?;
        if !value.is_removed() {
            self.fields.push(Field { name: word(name), value });
        }
        Ok(())
    }

    fn done(self) -> Value {
        match (self.name, self.fields) {
            (None, fields) if fields.is_empty() => Value::Unit,
            (name, fields) if fields.is_empty() => Value::Tuple(name, Vec::new()),
            (name, fields) => Value::Record(name, fields),
        }
    }
}

macro_rules! of_fields {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Fields {
            type Ok = Value;
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unwritable> {
                self.push(name, value)
            }

            fn end(self) -> Result<Value, Unwritable> {
                Ok(self.done())
            }
        }
    )*};
}

of_fields!(SerializeStruct, SerializeStructVariant);
