//! Access to lists, maps and structs. Each adds its segment to the paths of the errors inside.

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess};

use super::super::path::Segment;
use super::super::tree::{Entry, Field, Node};
use super::{Error, Reader};

/// The elements of a list or a tuple.
pub(super) struct Items<'a> {
    rest: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'a> Items<'a> {
    pub(super) fn new(items: &'a [Node]) -> Self {
        Self { rest: items.iter().enumerate() }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some((index, item)) = self.rest.find(|(_, item)| !item.is_removed()) else { return Ok(None) };
        let read = seed.deserialize(Reader::new(item));
        read.map(Some).map_err(|error| error.at(item).inside(Segment::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        self.rest.size_hint().1
    }
}

/// The entries of a map.
pub(super) struct Entries<'a> {
    rest: std::slice::Iter<'a, Entry>,
    current: Option<&'a Entry>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(entries: &'a [Entry]) -> Self {
        Self { rest: entries.iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.current = self.rest.find(|entry| !entry.value.is_removed());
        let Some(Entry { key, .. }) = self.current else { return Ok(None) };
        let read = seed.deserialize(Reader::new(key));
        read.map(Some).map_err(|error| error.at(key).clear_path().inside(Segment::Name(key.key_text())))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(Entry { key, value }) = self.current else {
            return Err(Error::custom("a value without a key"));
        };
        let read = seed.deserialize(Reader::new(value));
        read.map_err(|error| error.at(value).inside(Segment::Name(key.key_text())))
    }

    fn size_hint(&self) -> Option<usize> {
        self.rest.size_hint().1
    }
}

/// The fields of a struct.
pub(super) struct Fields<'a> {
    rest: std::slice::Iter<'a, Field>,
    current: Option<&'a Field>,
    /// The fields of the type, or `None` if the type does not list them.
    known: Option<&'static [&'static str]>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(fields: &'a [Field]) -> Self {
        Self { rest: fields.iter(), current: None, known: None }
    }

    pub(super) fn known(fields: &'a [Field], known: &'static [&'static str]) -> Self {
        Self { known: Some(known), ..Self::new(fields) }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.current = self.rest.find(|field| !field.value.is_removed());
        let Some(Field { name, .. }) = self.current else { return Ok(None) };
        let read = match self.known {
            Some(known) if !known.contains(&name.text.as_str()) => {
                Err(Error::unknown_field(&name.text, known))
            }
            _ => {
                let text: StrDeserializer<'_, Error> = name.text.as_str().into_deserializer();
                seed.deserialize(text)
            }
        };
        read.map(Some).map_err(|error| error.at_word(name.location).inside(Segment::Name(name.text.clone())))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some(Field { name, value }) = self.current else {
            return Err(Error::custom("a value without a name"));
        };
        let read = seed.deserialize(Reader::new(value));
        read.map_err(|error| error.at(value).inside(Segment::Name(name.text.clone())))
    }

    fn size_hint(&self) -> Option<usize> {
        self.rest.size_hint().1
    }
}
