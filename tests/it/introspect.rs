//! What a type can say, and what a text says of it: the names of fields and variants, as serde sees them.
//!
//! [`everything`] asks a type: it is read again and again from a reader that has no data, but takes another way through
//! fields and variants each time and notes what is offered. [`mentioned`] listens in while a text is read. Both name
//! a field `Struct.field` or `Enum::Variant.field`, and a variant `Enum::Variant`. An enum that a visitor of our own
//! takes in (a rate's shape) has no name: its variants are `::Variant`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rushhour::text::Document;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

/// All fields and variants of a type and of the types inside of it.
pub(crate) fn everything<T: DeserializeOwned>() -> BTreeSet<String> {
    let explorer = RefCell::new(Explorer::default());
    loop {
        let end = T::deserialize(Blank(&explorer));
        assert!(end.is_err(), "every way ends at a value that is not there");
        if !explorer.borrow_mut().turn() {
            return explorer.into_inner().found;
        }
    }
}

/// All fields and variants that a text names, read as a type.
pub(crate) fn mentioned<T: DeserializeOwned>(document: &Document) -> BTreeSet<String> {
    SEEN.take();
    let decoded = document.decode::<Overheard<T>>();
    assert!(decoded.value.is_some(), "{}", document.diagnostics(decoded.diagnostics));
    SEEN.take()
}

/// The state of an exploration: which way is taken at each fork, and what has been found.
#[derive(Default)]
struct Explorer {
    /// At each fork on the way: the branch that is taken, and how many there are.
    forks: Vec<(usize, usize)>,
    /// How many forks have been passed.
    passed: usize,
    /// Types on the way: a type inside of itself is not entered again.
    inside: Vec<&'static str>,
    found: BTreeSet<String>,
    /// Variants of enums that keep their names to themselves, by the way there.
    revealed: BTreeMap<Vec<(usize, usize)>, &'static [&'static str]>,
    again: bool,
}

impl Explorer {
    fn choose(&mut self, branches: usize) -> usize {
        if self.passed == self.forks.len() {
            self.forks.push((0, branches));
        }
        self.passed += 1;
        self.forks[self.passed - 1].0
    }

    /// Turns to the next way; false if there is none.
    fn turn(&mut self) -> bool {
        self.passed = 0;
        self.inside.clear();
        if std::mem::take(&mut self.again) {
            return true;
        }
        while let Some((taken, branches)) = self.forks.pop() {
            if taken + 1 < branches {
                self.forks.push((taken + 1, branches));
                return true;
            }
        }
        false
    }

    /// Enters a type unless it is inside of itself.
    fn enter(&mut self, name: &'static str) -> Result<(), End> {
        if self.inside.contains(&name) {
            return Err(End::NoData);
        }
        self.inside.push(name);
        Ok(())
    }
}

/// Why a way ends.
#[derive(Debug)]
enum End {
    NoData,
    Variants(&'static [&'static str]),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for End {}

impl de::Error for End {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::NoData
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Variants(expected)
    }
}

/// A reader without data.
#[derive(Clone, Copy)]
struct Blank<'a>(&'a RefCell<Explorer>);

impl<'a> Blank<'a> {
    /// Takes one of the fields of `owner`, and notes all of them.
    fn fields<'de, V: Visitor<'de>>(
        self,
        owner: &str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, End>
    where
        'a: 'de,
    {
        let mut explorer = self.0.borrow_mut();
        explorer.found.extend(fields.iter().map(|field| format!("{owner}.{field}")));
        let taken = explorer.choose(fields.len());
        drop(explorer);
        visitor.visit_map(One { reader: self, key: Some(fields[taken]) })
    }
}

impl<'de> Deserializer<'de> for Blank<'de> {
    type Error = End;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, End> {
        let way = {
            let explorer = self.0.borrow();
            explorer.forks[..explorer.passed].to_vec()
        };
        let known = self.0.borrow().revealed.get(&way).copied();
        let end = visitor.visit_enum(OneVariant { reader: self, name: "", variants: known });
        if let (None, Err(End::Variants(variants))) = (known, &end) {
            let mut explorer = self.0.borrow_mut();
            explorer.revealed.insert(way, variants);
            explorer.again = true;
        }
        end
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, End> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, End> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, End> {
        visitor.visit_seq(One { reader: self, key: Some("") })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, End> {
        visitor.visit_map(One { reader: self, key: Some("any") })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, End> {
        self.0.borrow_mut().enter(name)?;
        self.fields(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, End> {
        self.0.borrow_mut().enter(name)?;
        visitor.visit_enum(OneVariant { reader: self, name, variants: Some(variants) })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

/// A map or a list of one entry.
struct One<'a> {
    reader: Blank<'a>,
    key: Option<&'static str>,
}

impl<'de> MapAccess<'de> for One<'de> {
    type Error = End;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, End> {
        self.key.take().map(|key| seed.deserialize(StrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, End> {
        seed.deserialize(self.reader)
    }
}

impl<'de> SeqAccess<'de> for One<'de> {
    type Error = End;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, End> {
        self.key.take().map(|_| seed.deserialize(self.reader)).transpose()
    }
}

/// One of the variants of an enum; without their names a variant that cannot be, so that the enum reveals them.
struct OneVariant<'a> {
    reader: Blank<'a>,
    name: &'static str,
    variants: Option<&'static [&'static str]>,
}

impl<'de> EnumAccess<'de> for OneVariant<'de> {
    type Error = End;
    type Variant = Inside<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Inside<'de>), End> {
        let variant = self.variants.map_or("\0", |variants| {
            let mut explorer = self.reader.0.borrow_mut();
            let names = variants.iter().map(|variant| format!("{}::{variant}", self.name));
            explorer.found.extend(names);
            variants[explorer.choose(variants.len())]
        });
        let owner = format!("{}::{variant}", self.name);
        Ok((seed.deserialize(StrDeserializer::new(variant))?, Inside { reader: self.reader, owner }))
    }
}

/// The inside of a variant.
struct Inside<'a> {
    reader: Blank<'a>,
    owner: String,
}

impl<'de> VariantAccess<'de> for Inside<'de> {
    type Error = End;

    fn unit_variant(self) -> Result<(), End> {
        Err(End::NoData)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, End> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, End> {
        Err(End::NoData)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, End> {
        self.reader.fields(&self.owner, fields, visitor)
    }
}

thread_local! {
    /// What has been overheard in this thread: serde hands nothing else through to where a type is read.
    static SEEN: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    /// The variant that was named last.
    static VARIANT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A type that is listened in on while it is read.
struct Overheard<T>(std::marker::PhantomData<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Overheard<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Ear { inner: deserializer, listens: For::Nothing })
            .map(|_| Self(std::marker::PhantomData))
    }
}

/// Stands between a reader and a type, at each of the things that they pass to each other.
struct Ear<T> {
    inner: T,
    listens: For,
}

/// What a name means that is heard next.
#[derive(Clone)]
enum For {
    Nothing,
    /// The keys of a struct or of a variant with fields.
    FieldsOf(String),
    /// A key of it.
    FieldOf(String),
    /// The variants of an enum.
    VariantsOf(&'static str),
    /// One of them.
    VariantOf(&'static str),
}

impl<T> Ear<T> {
    const fn new(inner: T, listens: For) -> Self {
        Self { inner, listens }
    }

    fn hear(&self, name: &str) {
        let heard = match &self.listens {
            For::FieldOf(owner) => format!("{owner}.{name}"),
            For::VariantOf(owner) => {
                let variant = format!("{owner}::{name}");
                VARIANT.set(variant.clone());
                variant
            }
            For::Nothing | For::FieldsOf(_) | For::VariantsOf(_) => return,
        };
        SEEN.with_borrow_mut(|seen| seen.insert(heard));
    }
}

macro_rules! listen {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let listens = match self.listens {
                For::Nothing | For::FieldsOf(_) | For::VariantsOf(_) => For::VariantsOf(""),
                name @ (For::FieldOf(_) | For::VariantOf(_)) => name,
            };
            self.inner.$method(Ear::new(visitor, listens))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Ear<D> {
    type Error = D::Error;

    listen! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option deserialize_unit
        deserialize_seq deserialize_map deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, Ear::new(visitor, For::Nothing))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_newtype_struct(name, Ear::new(visitor, For::Nothing))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple(len, Ear::new(visitor, For::Nothing))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple_struct(name, len, Ear::new(visitor, For::Nothing))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_struct(name, fields, Ear::new(visitor, For::FieldsOf(name.to_owned())))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, Ear::new(visitor, For::VariantsOf(name)))
    }
}

macro_rules! pass_on {
    ($($method:ident: $value:ty),*) => {$(
        fn $method<E: de::Error>(self, value: $value) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Ear<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    pass_on!(
        visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64, visit_u128: u128, visit_f64: f64,
        visit_char: char, visit_bytes: &[u8]
    );

    fn visit_str<E: de::Error>(self, name: &str) -> Result<V::Value, E> {
        self.hear(name);
        self.inner.visit_str(name)
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<V::Value, E> {
        self.hear(name);
        self.inner.visit_borrowed_str(name)
    }

    fn visit_string<E: de::Error>(self, name: String) -> Result<V::Value, E> {
        self.hear(&name);
        self.inner.visit_string(name)
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Ear::new(deserializer, For::Nothing))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Ear::new(deserializer, For::Nothing))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Ear::new(access, For::Nothing))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Ear::new(access, self.listens))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Ear::new(access, self.listens))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Ear<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Ear::new(deserializer, self.listens))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Ear<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(Ear::new(seed, For::Nothing))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Ear<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let listens = match &self.listens {
            For::FieldsOf(owner) => For::FieldOf(owner.clone()),
            For::Nothing | For::FieldOf(_) | For::VariantsOf(_) | For::VariantOf(_) => For::Nothing,
        };
        self.inner.next_key_seed(Ear::new(seed, listens))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Ear::new(seed, For::Nothing))
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Ear<A> {
    type Error = A::Error;
    type Variant = Ear<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let listens = match self.listens {
            For::VariantsOf(name) => For::VariantOf(name),
            For::Nothing | For::FieldsOf(_) | For::FieldOf(_) | For::VariantOf(_) => For::VariantOf(""),
        };
        let (value, inside) = self.inner.variant_seed(Ear::new(seed, listens))?;
        Ok((value, Ear::new(inside, For::FieldsOf(VARIANT.with_borrow(Clone::clone)))))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Ear<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Ear::new(seed, For::Nothing))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, Ear::new(visitor, For::Nothing))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Ear::new(visitor, self.listens))
    }
}
