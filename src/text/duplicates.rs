//! Reports fields and keys that are specified more than once: it is unknown which of them is intended.

use indexmap::IndexMap;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::path::{Path, Segment};
use super::source::{Location, in_words};
use super::tree::{Field, Node, Value, shortened};

/// Removes all but the first of equal fields and keys from the tree, and reports the others.
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

    /// Whether this is the first occurrence of a key. Texts are compared by value, other keys by their source text.
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
        // Each diagnostic counts lines from the top: thousands of them would take long, and are never printed.
        if self.diagnostics.len() < Diagnostics::MAX_PRINTED {
            let place = in_words(self.text, *earlier);
            let message = format!("`{}` is specified more than once: first at {place}", shortened(name));
            let path = self.path.clone().name(name);
            self.diagnostics.push(Diagnostic::new(location, path, message).with_hint("remove one of them"));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::super::source::Origin;

    #[test]
    fn a_duplicate_is_reported_with_the_position_of_the_first() {
        let parsed =
            parse("(\n a: { \"x\": 1, \"y\": (b: 1, b: 2), \"x\": 3 },\n a: 4, A: 5)", 0, Origin::File)
                .unwrap();
        let diagnostics: Vec<_> =
            parsed.diagnostics.iter().map(|it| (it.path.to_string(), it.message.clone())).collect();
        let expected = [
            ("a", "`a` is specified more than once: first at line 2, column 2"),
            ("a.x", "`x` is specified more than once: first at line 2, column 7"),
            ("a.y.b", "`b` is specified more than once: first at line 2, column 21"),
        ];
        assert_eq!(diagnostics, expected.map(|(path, message)| (path.to_owned(), message.to_owned())));
    }

    #[test]
    fn keys_other_than_texts_are_compared_as_written() {
        assert_eq!(
            parse("{ 1: 1, 2: 2, 1: 3, (1, 2): 4, (1, 2): 5 }", 0, Origin::File).unwrap().diagnostics.len(),
            2
        );
    }
}
