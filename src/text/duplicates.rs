//! A field or a key that is given twice: nobody can tell which was meant, so the second is refused.

use indexmap::IndexMap;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::path::{Path, Segment};
use super::source::{Location, in_words};
use super::tree::{Field, Node, Value, shortened};

/// Takes every field and key that was there before out of the tree and complains about it.
pub(super) fn remove(root: &mut Node, text: &str) -> Vec<Diagnostic> {
    let mut search = Search { text, path: Path::root(), diagnostics: Vec::new() };
    search.node(root);
    search.diagnostics
}

struct Search<'a> {
    text: &'a str,
    path: Path,
    diagnostics: Vec<Diagnostic>,
}

impl Search<'_> {
    fn node(&mut self, node: &mut Node) {
        match &mut node.value {
            Value::List(items) | Value::Tuple(_, items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.inside(Segment::Index(index), item);
                }
            }
            Value::Map(entries) => {
                let mut first = IndexMap::new();
                entries.retain(|entry| self.is_first_key(&mut first, &entry.key));
                for entry in entries {
                    self.node(&mut entry.key);
                    self.inside(Segment::Name(entry.key.key_text()), &mut entry.value);
                }
            }
            Value::Record(_, fields) => {
                let mut first = IndexMap::new();
                fields.retain(|Field { name, .. }| {
                    self.is_first(&mut first, name.text.clone(), &name.text, name.location)
                });
                for field in fields {
                    self.inside(Segment::Name(field.name.text.clone()), &mut field.value);
                }
            }
            Value::Unit
            | Value::Bool(_)
            | Value::Char(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Word(_)
            | Value::Removed => {}
        }
    }

    fn inside(&mut self, segment: Segment, node: &mut Node) {
        self.path.push(segment);
        self.node(node);
        self.path.pop();
    }

    /// Whether a key is met for the first time: texts count by what they say, others by how they are written.
    fn is_first_key(&mut self, first: &mut IndexMap<String, Location>, key: &Node) -> bool {
        let written = match &key.value {
            Value::Text(text) => format!("{text:?}"),
            Value::Unit
            | Value::Bool(_)
            | Value::Char(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Record(..)
            | Value::Tuple(..)
            | Value::Word(_)
            | Value::Removed => self.text.get(key.location.start..key.location.end).unwrap_or("").to_owned(),
        };
        self.is_first(first, written, &key.key_text(), key.location)
    }

    fn is_first(
        &mut self,
        first: &mut IndexMap<String, Location>,
        compared: String,
        name: &str,
        location: Location,
    ) -> bool {
        let Some(earlier) = first.get(&compared) else {
            first.insert(compared, location);
            return true;
        };
        // Each diagnostic counts lines from the top: thousands of them would take long, and nobody would read them.
        if self.diagnostics.len() < Diagnostics::MAX_PRINTED {
            let place = in_words(self.text, *earlier);
            let message = format!("`{}` is given twice: first at {place}", shortened(name));
            let path = self.path.clone().name(name);
            self.diagnostics.push(Diagnostic::new(location, path, message).with_hint("keep one of the two"));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::super::source::Origin;

    #[test]
    fn the_second_of_two_is_refused_with_the_place_of_the_first() {
        let parsed =
            parse("(\n a: { \"x\": 1, \"y\": (b: 1, b: 2), \"x\": 3 },\n a: 4, A: 5)", 0, Origin::File)
                .unwrap();
        let said: Vec<_> =
            parsed.diagnostics.iter().map(|it| (it.path.to_string(), it.message.clone())).collect();
        let expected = [
            ("a", "`a` is given twice: first at line 2, column 2"),
            ("a.x", "`x` is given twice: first at line 2, column 7"),
            ("a.y.b", "`b` is given twice: first at line 2, column 21"),
        ];
        assert_eq!(said, expected.map(|(path, message)| (path.to_owned(), message.to_owned())));
    }

    #[test]
    fn keys_that_are_no_texts_are_compared_as_written() {
        assert_eq!(
            parse("{ 1: 1, 2: 2, 1: 3, (1, 2): 4, (1, 2): 5 }", 0, Origin::File).unwrap().diagnostics.len(),
            2
        );
    }
}
