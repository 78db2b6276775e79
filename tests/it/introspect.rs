//! The names of fields and variants, as serde sees them: those that a type declares, and those that a text uses.
//!
//! [`declared_names`] deserializes a type repeatedly from a deserializer without data, which takes another path through
//! fields and variants each time and records the names it is offered. [`used_names`] records names while a text is
//! deserialized. Both call a field `Struct.field` or `Enum::Variant.field`, and a variant `Enum::Variant`. An enum that
//! is read by a visitor of our own (the shape of a rate) has no name: its variants are `::Variant`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rushhour::text::Document;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

/// All fields and variants of a type and of the types it contains.
pub(crate) fn declared_names<T: DeserializeOwned>() -> BTreeSet<String> {
    let explorer = RefCell::new(Explorer::default());
    loop {
        let end = T::deserialize(NoData(&explorer));
        assert!(end.is_err(), "every path ends at a missing value");
        if !explorer.borrow_mut().next_path() {
            return explorer.into_inner().names;
        }
    }
}

/// All fields and variants of a type that a text uses.
pub(crate) fn used_names<T: DeserializeOwned>(document: &Document) -> BTreeSet<String> {
    RECORDED.take();
    let decoded = document.decode::<Recorded<T>>();
    assert!(decoded.value.is_some(), "{}", document.diagnostics(decoded.diagnostics));
    RECORDED.take()
}

/// The state of an exploration: the branch taken at each fork, and the names found so far.
#[derive(Default)]
struct Explorer {
    /// For each fork of the path: the branch taken, and the number of branches.
    forks: Vec<(usize, usize)>,
    /// Number of forks passed on the current path.
    passed: usize,
    /// Types on the current path: a recursive type is not entered again.
    entered: Vec<&'static str>,
    names: BTreeSet<String>,
    /// Variants of enums that do not declare them to the deserializer, by the path there.
    undeclared_variants: BTreeMap<Vec<(usize, usize)>, &'static [&'static str]>,
    /// Whether to take the current path again.
    repeat: bool,
}

impl Explorer {
    /// Returns the branch to take at the next fork.
    fn choose(&mut self, branches: usize) -> usize {
        if self.passed == self.forks.len() {
            self.forks.push((0, branches));
        }
        self.passed += 1;
        self.forks[self.passed - 1].0
    }

    /// Moves to the next path. Returns false if there is none.
    fn next_path(&mut self) -> bool {
        self.passed = 0;
        self.entered.clear();
        if std::mem::take(&mut self.repeat) {
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

    /// Enters a type. Fails if the path is inside it already.
    fn enter(&mut self, name: &'static str) -> Result<(), End> {
        if self.entered.contains(&name) {
            return Err(End::NoData);
        }
        self.entered.push(name);
        Ok(())
    }
}

/// Why a path ends.
#[derive(Debug)]
enum End {
    NoData,
    /// An enum rejected a variant, and listed those it expects.
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

/// A deserializer without data.
#[derive(Clone, Copy)]
struct NoData<'a>(&'a RefCell<Explorer>);

impl<'a> NoData<'a> {
    /// Takes one of the fields of `owner`, and records the names of all.
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
        explorer.names.extend(fields.iter().map(|field| format!("{owner}.{field}")));
        let taken = explorer.choose(fields.len());
        drop(explorer);
        visitor.visit_map(SingleEntry { deserializer: self, key: Some(fields[taken]) })
    }
}

impl<'de> Deserializer<'de> for NoData<'de> {
    type Error = End;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, End> {
        let path = {
            let explorer = self.0.borrow();
            explorer.forks[..explorer.passed].to_vec()
        };
        let known = self.0.borrow().undeclared_variants.get(&path).copied();
        if let Some(variants) = known {
            // It has no name, but its variants are those of no other type.
            self.0.borrow_mut().enter(variants[0])?;
        }
        let end = visitor.visit_enum(SingleVariant { deserializer: self, name: "", variants: known });
        if let (None, Err(End::Variants(variants))) = (known, &end) {
            let mut explorer = self.0.borrow_mut();
            explorer.undeclared_variants.insert(path, variants);
            explorer.repeat = true;
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
        visitor.visit_seq(SingleEntry { deserializer: self, key: Some("") })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, End> {
        visitor.visit_map(SingleEntry { deserializer: self, key: Some("any") })
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
        visitor.visit_enum(SingleVariant { deserializer: self, name, variants: Some(variants) })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

/// A map or a list with one entry.
struct SingleEntry<'a> {
    deserializer: NoData<'a>,
    key: Option<&'static str>,
}

impl<'de> MapAccess<'de> for SingleEntry<'de> {
    type Error = End;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, End> {
        self.key.take().map(|key| seed.deserialize(StrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, End> {
        seed.deserialize(self.deserializer)
    }
}

impl<'de> SeqAccess<'de> for SingleEntry<'de> {
    type Error = End;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, End> {
        self.key.take().map(|_| seed.deserialize(self.deserializer)).transpose()
    }
}

/// One of the variants of an enum.
struct SingleVariant<'a> {
    deserializer: NoData<'a>,
    name: &'static str,
    /// If `None`, the variant is invalid, so that the error of the enum lists the valid ones.
    variants: Option<&'static [&'static str]>,
}

impl<'de> EnumAccess<'de> for SingleVariant<'de> {
    type Error = End;
    type Variant = VariantContent<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, VariantContent<'de>), End> {
        let variant = self.variants.map_or("\0", |variants| {
            let mut explorer = self.deserializer.0.borrow_mut();
            let names = variants.iter().map(|variant| format!("{}::{variant}", self.name));
            explorer.names.extend(names);
            variants[explorer.choose(variants.len())]
        });
        let owner = format!("{}::{variant}", self.name);
        let content = VariantContent { deserializer: self.deserializer, owner };
        Ok((seed.deserialize(StrDeserializer::new(variant))?, content))
    }
}

/// The content of a variant.
struct VariantContent<'a> {
    deserializer: NoData<'a>,
    owner: String,
}

impl<'de> VariantAccess<'de> for VariantContent<'de> {
    type Error = End;

    fn unit_variant(self) -> Result<(), End> {
        Err(End::NoData)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, End> {
        seed.deserialize(self.deserializer)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, End> {
        Err(End::NoData)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, End> {
        self.deserializer.fields(&self.owner, fields, visitor)
    }
}

thread_local! {
    /// The names recorded in this thread. A thread local, as serde passes no context to `Deserialize`.
    static RECORDED: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    /// The variant that was recorded last.
    static LAST_VARIANT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A type whose names are recorded while it is deserialized.
struct Recorded<T>(std::marker::PhantomData<T>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Recorded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Recorder { inner: deserializer, role: Role::Other })
            .map(|_| Self(std::marker::PhantomData))
    }
}

/// Wraps a deserializer, visitor, seed or access of serde, and records the names that pass through.
struct Recorder<T> {
    inner: T,
    role: Role,
}

/// The role of the value that a [`Recorder`] wraps.
#[derive(Clone)]
enum Role {
    /// No name of a field or variant.
    Other,
    /// A struct or variant with fields.
    FieldsOf(String),
    /// The name of a field.
    FieldOf(String),
    /// An enum.
    VariantsOf(&'static str),
    /// The name of a variant.
    VariantOf(&'static str),
}

impl<T> Recorder<T> {
    const fn new(inner: T, role: Role) -> Self {
        Self { inner, role }
    }

    fn record(&self, name: &str) {
        let name = match &self.role {
            Role::FieldOf(owner) => format!("{owner}.{name}"),
            Role::VariantOf(owner) => {
                let variant = format!("{owner}::{name}");
                LAST_VARIANT.set(variant.clone());
                variant
            }
            Role::Other | Role::FieldsOf(_) | Role::VariantsOf(_) => return,
        };
        RECORDED.with_borrow_mut(|recorded| recorded.insert(name));
    }
}

macro_rules! forward_deserializer {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            let role = match self.role {
                Role::Other | Role::FieldsOf(_) | Role::VariantsOf(_) => Role::VariantsOf(""),
                name @ (Role::FieldOf(_) | Role::VariantOf(_)) => name,
            };
            self.inner.$method(Recorder::new(visitor, role))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Recorder<D> {
    type Error = D::Error;

    forward_deserializer! {
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
        self.inner.deserialize_unit_struct(name, Recorder::new(visitor, Role::Other))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_newtype_struct(name, Recorder::new(visitor, Role::Other))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple(len, Recorder::new(visitor, Role::Other))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple_struct(name, len, Recorder::new(visitor, Role::Other))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_struct(name, fields, Recorder::new(visitor, Role::FieldsOf(name.to_owned())))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, Recorder::new(visitor, Role::VariantsOf(name)))
    }
}

macro_rules! forward_visitor {
    ($($method:ident: $value:ty),*) => {$(
        fn $method<E: de::Error>(self, value: $value) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Recorder<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    forward_visitor!(
        visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64, visit_u128: u128, visit_f64: f64,
        visit_char: char, visit_bytes: &[u8]
    );

    fn visit_str<E: de::Error>(self, name: &str) -> Result<V::Value, E> {
        self.record(name);
        self.inner.visit_str(name)
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<V::Value, E> {
        self.record(name);
        self.inner.visit_borrowed_str(name)
    }

    fn visit_string<E: de::Error>(self, name: String) -> Result<V::Value, E> {
        self.record(&name);
        self.inner.visit_string(name)
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Recorder::new(deserializer, Role::Other))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Recorder::new(deserializer, Role::Other))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Recorder::new(access, Role::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Recorder::new(access, self.role))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Recorder::new(access, self.role))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Recorder<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Recorder::new(deserializer, self.role))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Recorder<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(Recorder::new(seed, Role::Other))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Recorder<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let role = match &self.role {
            Role::FieldsOf(owner) => Role::FieldOf(owner.clone()),
            Role::Other | Role::FieldOf(_) | Role::VariantsOf(_) | Role::VariantOf(_) => Role::Other,
        };
        self.inner.next_key_seed(Recorder::new(seed, role))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Recorder::new(seed, Role::Other))
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Recorder<A> {
    type Error = A::Error;
    type Variant = Recorder<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let role = match self.role {
            Role::VariantsOf(name) => Role::VariantOf(name),
            Role::Other | Role::FieldsOf(_) | Role::FieldOf(_) | Role::VariantOf(_) => Role::VariantOf(""),
        };
        let (value, content) = self.inner.variant_seed(Recorder::new(seed, role))?;
        Ok((value, Recorder::new(content, Role::FieldsOf(LAST_VARIANT.with_borrow(Clone::clone)))))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Recorder<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Recorder::new(seed, Role::Other))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, Recorder::new(visitor, Role::Other))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Recorder::new(visitor, self.role))
    }
}
