//! Deserialization of names and settings that the parts define together, in lists and enums of their own.
//!
//! [`Vocabulary`] reads a name from the combined list of all parts. [`NamedVariant`] then lets the enum of one part
//! read the variant whose name was already consumed. [`variants`] returns the names of the variants of an enum.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};

/// Deserializer of a variant whose name has already been read.
pub(super) struct NamedVariant<A> {
    name: &'static str,
    access: A,
}

impl<A> NamedVariant<A> {
    /// The variant `name`, whose content is still to be read from `access`.
    pub(super) const fn new(name: &'static str, access: A) -> Self {
        Self { name, access }
    }
}

impl<'de, A: VariantAccess<'de>> Deserializer<'de> for NamedVariant<A> {
    type Error = A::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, A::Error> {
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, A: VariantAccess<'de>> EnumAccess<'de> for NamedVariant<A> {
    type Error = A::Error;
    type Variant = A;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, A), A::Error> {
        let name: StrDeserializer<'_, A::Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self.access))
    }
}

/// A list of valid names, each with a value.
pub(super) struct Vocabulary<T> {
    /// The names, in order.
    pub(super) names: Vec<&'static str>,
    values: Vec<T>,
}

impl<T> FromIterator<(&'static str, T)> for Vocabulary<T> {
    fn from_iter<I: IntoIterator<Item = (&'static str, T)>>(all: I) -> Self {
        let (names, values) = all.into_iter().unzip();
        Self { names, values }
    }
}

/// Reads a name. Returns the name and its value.
impl<'de, T: Copy> DeserializeSeed<'de> for &'static Vocabulary<T> {
    type Value = (&'static str, T);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T: Copy> Visitor<'_> for &'static Vocabulary<T> {
    type Value = (&'static str, T);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        let index = self.names.iter().position(|known| *known == name);
        let found = index.map(|index| (self.names[index], self.values[index]));
        found.ok_or_else(|| E::unknown_variant(name, &self.names))
    }
}

/// Returns the names of the variants of an enum, as serde reads them.
pub(super) fn variants<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    match T::deserialize(VariantNames) {
        Err(Names(names)) => names,
        Ok(_) => &[],
    }
}

/// A deserializer without data. It fails with an error that contains the names of the variants.
struct VariantNames;

/// The error of [`VariantNames`]: the names of the variants.
#[derive(Debug)]
struct Names(&'static [&'static str]);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Names {}

impl de::Error for Names {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(&[])
    }
}

impl<'de> Deserializer<'de> for VariantNames {
    type Error = Names;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Names> {
        Err(Names(&[]))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Names> {
        Err(Names(variants))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
