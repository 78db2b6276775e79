//! Names that are read from a list which the parts make together, and enums that are read as one: which variants each
//! has, and how a variant is read by its enum when its name was read already by whoever had to find out whose it is.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};

/// A variant whose name was read already.
pub(super) struct NamedVariant<A> {
    name: &'static str,
    access: A,
}

impl<A> NamedVariant<A> {
    /// The variant of this name, whose content is still to be read.
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

/// Names that can be written, each with what it stands for.
pub(super) struct Vocabulary<T> {
    /// All names, in order.
    pub(super) names: Vec<&'static str>,
    meanings: Vec<T>,
}

impl<T> FromIterator<(&'static str, T)> for Vocabulary<T> {
    fn from_iter<I: IntoIterator<Item = (&'static str, T)>>(all: I) -> Self {
        let (names, meanings) = all.into_iter().unzip();
        Self { names, meanings }
    }
}

/// Reads a name: the name, and what it stands for.
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
        let at = self.names.iter().position(|known| *known == name);
        at.map(|at| (self.names[at], self.meanings[at])).ok_or_else(|| E::unknown_variant(name, &self.names))
    }
}

/// The names of the variants of an enum, as serde knows them.
pub(super) fn variants<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    match T::deserialize(VariantNames) {
        Err(Names(names)) => names,
        Ok(_) => &[],
    }
}

/// Reads nothing, and learns what could have been read.
struct VariantNames;

/// The names of the variants that were asked for.
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
