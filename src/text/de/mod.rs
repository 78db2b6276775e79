//! Decodes any type from a tree: a [`serde::Deserializer`] over the nodes.
//!
//! `Option`s need no `Some`, newtype variants are unwrapped (`Server(count: 3)`), and a variant without parentheses is
//! an empty struct (`Fifo`), so that its defaults apply. Unknown fields are refused even if the type would ignore them.
//! [`reader`] reads the kinds of values, [`access`] lists, maps and structs, and [`variant`] enums. [`error`] contains
//! the messages, and [`expected`] the descriptions of the expected values.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value of any other kind than that of the type is a mismatch"
)]

mod access;
mod error;
mod expected;
mod reader;
mod variant;

use serde::de::{DeserializeOwned, Deserializer, Visitor};

use self::access::{Entries, Items};
pub(super) use self::error::{Error, ErrorKind};
use self::expected::{BOOL, CHARACTER, FLOAT, LIST, MAP};
use self::reader::Reader;
use self::variant::Variant;
use super::tree::{Node, Value};

/// Decodes a `T` from a tree.
pub(super) fn read<T: DeserializeOwned>(root: &Node) -> Result<T, Error> {
    T::deserialize(Reader::new(root)).map_err(|error| error.at(root))
}

/// Methods that decode the types of whole numbers.
macro_rules! whole_numbers {
    ($($method:ident $visit:ident $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let number = self.whole::<$type>(<$type>::MIN, <$type>::MAX)?;
            visitor.$visit(number).map_err(|error: Error| error.at(self.node))
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;

    whole_numbers! {
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
    }

    serde::forward_to_deserialize_any! { bytes byte_buf i128 u128 }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.any(visitor).map_err(|error| error.at(self.node))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Bool(value) => visitor.visit_bool(value).map_err(|error: Error| error.at(self.node)),
            _ => Err(self.mismatch(BOOL)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Number(number) => {
                visitor.visit_f64(number.as_f64()).map_err(|error: Error| error.at(self.node))
            }
            _ => Err(self.mismatch(FLOAT)),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Char(c) => visitor.visit_char(*c).map_err(|error: Error| error.at(self.node)),
            _ => Err(self.mismatch(CHARACTER)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.text(visitor).map_err(|error| error.at(self.node))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let read = match &self.node.value {
            Value::Word(word) if self.name_read || word == "None" => visitor.visit_none(),
            _ => visitor.visit_some(self.some().unwrap_or(self)),
        };
        read.map_err(|error: Error| error.at(self.node))
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Unit => visitor.visit_unit().map_err(|error: Error| error.at(self.node)),
            _ => Err(self.mismatch("`()`")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Word(word) if self.name_read || word == name => visitor.visit_unit(),
            Value::Unit => visitor.visit_unit(),
            _ => Err(self.mismatch(&format!("`{name}`"))),
        }
        .map_err(|error: Error| error.at(self.node))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let inside = match &self.node.value {
            Value::Tuple(_, items) if self.name().is_none_or(|word| word.text == name) => {
                match items.as_slice() {
                    [held] => Reader::new(held),
                    _ => self,
                }
            }
            _ => self,
        };
        visitor.visit_newtype_struct(inside).map_err(|error: Error| error.at(inside.node))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::List(items) => {
                visitor.visit_seq(Items::new(items)).map_err(|error: Error| error.at(self.node))
            }
            _ => Err(self.mismatch(LIST)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.tuple(length, visitor).map_err(|error| error.at(self.node))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let read = match &self.node.value {
            Value::Tuple(..) => {
                self.check_name(name).and_then(|()| Reader::after_name(self.node).tuple(length, visitor))
            }
            _ => self.tuple(length, visitor),
        };
        read.map_err(|error| error.at(self.node))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Map(entries) => {
                visitor.visit_map(Entries::new(entries)).map_err(|error: Error| error.at(self.node))
            }
            _ => Err(self.mismatch(MAP)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.fields(name, fields, visitor).map_err(|error| error.at(self.node))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Word(_) if !self.name_read => visitor.visit_enum(Variant::new(self.node)),
            _ if self.name().is_some() => visitor.visit_enum(Variant::new(self.node)),
            _ => Err(self.mismatch(&expected::variants(variants))),
        }
        .map_err(|error: Error| error.at(self.node))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Word(word) | Value::Text(word) => visitor.visit_str(word),
            _ => self.any(visitor),
        }
        .map_err(|error: Error| error.at(self.node))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::Document;
    use super::super::sample::{Key, Queue, Routing, ServerSpec};
    use super::*;

    /// The value, or the message and the hint of the first diagnostic.
    fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
        let decoded = Document::parse("a.ron", text.as_bytes()).expect("RON").decode::<T>();
        match (decoded.diagnostics.first(), decoded.value) {
            (None, Some(value)) => Ok(value),
            (first, _) => {
                let first = first.expect("a diagnostic");
                Err(format!("{}; {}", first.message, first.hint.as_deref().unwrap_or("")))
            }
        }
    }

    fn refused<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
        read::<T>(text).expect_err(text)
    }

    #[test]
    fn variants_are_read_in_every_spelling() {
        assert_eq!(read("Fixed(1001)"), Ok(Key::Fixed(1001)));
        assert_eq!(read("Uniform(0, 999)"), Ok(Key::Uniform(0, 999)));
        for text in ["Fifo", "Fifo()", "Fifo(capacity: None)"] {
            assert_eq!(read(text), Ok(Queue::Fifo { capacity: None }), "{text}");
        }
        assert_eq!(read("Fifo(capacity: Some(3))"), Ok(Queue::Fifo { capacity: Some(3) }));
        for text in [
            "LoadAware",
            "LoadAware()",
            "LoadAware(())",
            "LoadAware((threshold: 0))",
            "LoadAware(threshold: 0)",
        ] {
            assert!(read::<Routing>(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn options_need_no_some() {
        for text in ["5", "Some(5)"] {
            assert_eq!(read(text), Ok(Some(5_u8)));
        }
        assert_eq!(read("None"), Ok(None::<u8>));
        assert_eq!(read("Some(Some(5))"), Ok(Some(Some(5_u8))));
    }

    #[test]
    fn whole_numbers_out_of_range_are_refused_with_the_violated_bound() {
        assert_eq!(refused::<u32>("-3"), "expected a whole number of 0 or more, found -3; ");
        assert_eq!(refused::<u8>("256"), "expected a whole number of at most 255, found 256; ");
        assert_eq!(refused::<i8>("-129"), "expected a whole number of at least -128, found -129; ");
        assert_eq!(refused::<u64>("1.5"), "expected a whole number of 0 or more, found 1.5; ");
        assert_eq!(refused::<u64>("NaN"), "expected a whole number of 0 or more, found NaN; ");
        assert_eq!(
            refused::<u64>("18446744073709551616").split(',').next(),
            Some("expected a whole number of at most 18446744073709551615")
        );
        assert_eq!(read("1e3"), Ok(1000_u16));
        assert!(refused::<std::num::NonZeroU32>("0").starts_with("expected a whole number of 1 or more"));
    }

    #[test]
    fn common_errors_are_reported_with_a_hint() {
        assert_eq!(
            refused::<String>("soon"),
            "expected text in quotes, found the bare word `soon`; write \"soon\""
        );
        assert_eq!(
            refused::<u8>("\"3\""),
            "expected a whole number of 0 or more, found the text \"3\"; write it without quotes"
        );
        assert_eq!(
            refused::<Queue>("\"Lifo\""),
            "expected one of `Fifo`, `Lifo`, found the text \"Lifo\"; write `Lifo` without quotes"
        );
        assert_eq!(
            refused::<Vec<u8>>("(1, 2)"),
            "expected a list in brackets [..], found values in parentheses; use brackets: [..]"
        );
        assert!(refused::<Queue>("Lifo(3)").starts_with("expected `Lifo`, found `Lifo(..)`"));
        assert!(refused::<Key>("Fixed").starts_with("expected `Fixed(..)`, found the bare word `Fixed`"));
        assert!(
            refused::<Key>("Uniform").starts_with("expected `Uniform(..)`, found the bare word `Uniform`")
        );
        assert!(refused::<Queue>("Fifo(3)").ends_with("(capacity: ..), found values without names; "));
        assert!(
            refused::<Key>("Uniform(a: 1)")
                .starts_with("expected 2 values in parentheses, found fields with")
        );
        assert!(refused::<Key>("Uniform(1, 2, 3)").starts_with("expected 2 values, found 3"));
        assert!(refused::<ServerSpec>("{}").contains("use parentheses"));
        assert!(refused::<indexmap::IndexMap<String, u8>>("(a: 1)").contains("use braces"));
    }

    #[test]
    fn the_name_before_a_struct_is_optional_but_must_be_its_own() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Point(u8, u8);
        #[derive(Debug, Deserialize, PartialEq)]
        struct Wrapped(u8);
        let server = |name: &str| format!("{name}(concurrency: 1, service: Fixed(\"1s\"))");
        assert!(read::<ServerSpec>(&server("")).is_ok() && read::<ServerSpec>(&server("ServerSpec")).is_ok());
        assert!(
            refused::<ServerSpec>(&server("Server"))
                .starts_with("expected `ServerSpec(..)`, found `Server(..)`")
        );
        assert_eq!((read("(1, 2)"), read("Point(1, 2)")), (Ok(Point(1, 2)), Ok(Point(1, 2))));
        assert!(refused::<Point>("Pint(1, 2)").starts_with("expected `Point(..)`"));
        for text in ["5", "(5)", "Wrapped(5)"] {
            assert_eq!(read(text), Ok(Wrapped(5)));
        }
    }
}
