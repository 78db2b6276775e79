//! Access to enums: first the name of the variant, then its contents.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor};

use super::super::source::Location;
use super::super::tree::{Node, Value};
use super::error::{missing_contents, unexpected_contents};
use super::{Error, Reader, expected};

/// A node with a name: `Random`, `Fixed(1001)`, `Uniform(0, 999)` or `Server(count: 3)`.
pub(super) struct Variant<'a> {
    node: &'a Node,
    name: &'a str,
    location: Location,
}

impl<'a> Variant<'a> {
    /// The variant at a node with a name.
    pub(super) fn new(node: &'a Node) -> Self {
        match &node.value {
            Value::Word(name) => Self { node, name, location: node.location },
            _ => {
                let (name, location) =
                    node.name().map_or(("", node.location), |word| (&*word.text, word.location));
                Self { node, name, location }
            }
        }
    }
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name: StrDeserializer<'_, Error> = self.name.into_deserializer();
        let read = seed.deserialize(name).map_err(|error| error.at_word(self.location))?;
        Ok((read, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match &self.node.value {
            Value::Word(_) => Ok(()),
            Value::Tuple(_, items) if items.is_empty() => Ok(()),
            _ => Err(unexpected_contents(self.name).at(self.node)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        let inside = match &self.node.value {
            Value::Tuple(_, items) => match items.as_slice() {
                [held] => Reader::new(held),
                _ => Reader::after_name(self.node),
            },
            _ => Reader::after_name(self.node),
        };
        seed.deserialize(inside).map_err(|error| error.at(self.node))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Word(_) => Err(missing_contents(self.name, &expected::tuple(length)).at(self.node)),
            _ => Reader::after_name(self.node).deserialize_tuple(length, visitor),
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        Reader::after_name(self.node).fields(self.name, fields, visitor).map_err(|error| error.at(self.node))
    }
}
