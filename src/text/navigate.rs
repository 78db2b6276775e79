//! Finds the node of a tree at a path.
//!
//! Variants and `Some` are transparent: the path of `Some(..)` or `Fixed(..)` is also that of the value inside.

use super::path::{Path, Segment};
use super::source::Location;
use super::tree::{Node, Value};

/// The location of a path in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// The name of the field or the key of the entry; `None` for list elements and the root.
    pub key: Option<Location>,
    /// The value.
    pub value: Location,
    /// False if the text does not contain the path (it has a default), and this is its nearest ancestor.
    pub exact: bool,
}

/// Finds `path`, or its nearest ancestor in the text.
pub(super) fn locate(root: &Node, path: &Path) -> Located {
    let mut located = Located { key: None, value: root.location, exact: true };
    let mut node = root;
    for segment in path.segments() {
        let Some((key, child)) = child(node, segment) else {
            return Located { exact: false, ..located };
        };
        located = Located { key, value: child.location, exact: true };
        node = child;
    }
    located
}

/// The child at `segment`, and the location of its name.
pub(super) fn child<'a>(node: &'a Node, segment: &Segment) -> Option<(Option<Location>, &'a Node)> {
    match step(node, segment)? {
        Step::Child(position) => child_at(node, position).filter(|(_, child)| !child.is_removed()),
        Step::Through => child(child_at(node, 0)?.1, segment),
    }
}

/// The child at `segment`, mutable.
pub(super) fn child_mut<'a>(node: &'a mut Node, segment: &Segment) -> Option<&'a mut Node> {
    match step(node, segment)? {
        Step::Child(position) => child_at_mut(node, position).filter(|child| !child.is_removed()),
        Step::Through => child_mut(child_at_mut(node, 0)?, segment),
    }
}

/// The node that contains the child at `segment`: `node` itself, or a node inside its variants.
pub(super) fn holder<'a>(node: &'a Node, segment: &Segment) -> &'a Node {
    match (step(node, segment), child_at(node, 0)) {
        (Some(Step::Through), Some((_, held))) => holder(held, segment),
        _ => node,
    }
}

enum Step {
    /// To the child at this position.
    Child(usize),
    /// Into the only value in parentheses, and on from there.
    Through,
}

/// The step from `node` towards the child at `segment`, or `None` if there is no such child.
fn step(node: &Node, segment: &Segment) -> Option<Step> {
    match &node.value {
        Value::Record(_, fields) => {
            fields.iter().position(|field| is_named(segment, &field.name.text)).map(Step::Child)
        }
        Value::Map(entries) => {
            entries.iter().position(|entry| is_named(segment, &entry.key.key_text())).map(Step::Child)
        }
        Value::List(items) => element_step(items, segment),
        Value::Tuple(name, items) => match items.as_slice() {
            [held] => {
                let through = step(held, segment).map(|_| Step::Through);
                let element = element_step(items, segment);
                if name.is_some() { through.or(element) } else { element.or(through) }
            }
            _ => element_step(items, segment),
        },
        Value::Unit
        | Value::Bool(_)
        | Value::Char(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Word(_)
        | Value::Removed => None,
    }
}

fn element_step(items: &[Node], segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Index(index) if *index < items.len() => Some(Step::Child(*index)),
        Segment::Index(_) | Segment::Name(_) => None,
    }
}

fn child_at(node: &Node, position: usize) -> Option<(Option<Location>, &Node)> {
    match &node.value {
        Value::Record(_, fields) => {
            fields.get(position).map(|field| (Some(field.name.location), &field.value))
        }
        Value::Map(entries) => entries.get(position).map(|entry| (Some(entry.key.location), &entry.value)),
        Value::List(items) | Value::Tuple(_, items) => items.get(position).map(|item| (None, item)),
        Value::Unit
        | Value::Bool(_)
        | Value::Char(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Word(_)
        | Value::Removed => None,
    }
}

fn child_at_mut(node: &mut Node, position: usize) -> Option<&mut Node> {
    match &mut node.value {
        Value::Record(_, fields) => fields.get_mut(position).map(|field| &mut field.value),
        Value::Map(entries) => entries.get_mut(position).map(|entry| &mut entry.value),
        Value::List(items) | Value::Tuple(_, items) => items.get_mut(position),
        Value::Unit
        | Value::Bool(_)
        | Value::Char(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::Word(_)
        | Value::Removed => None,
    }
}

/// Whether `segment` is the field or key `name`; names may consist of digits.
pub(super) fn is_named(segment: &Segment, name: &str) -> bool {
    match segment {
        Segment::Name(text) => text == name,
        Segment::Index(index) => name.parse() == Ok(*index),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::super::source::Origin;
    use super::*;

    const TEXT: &str = "S(nodes: {\"a\": Server(queue: Some(Fifo(capacity: 7))), \"7\": [5, 6]}, key: Fixed(1001), pair: U(1, 2))";

    fn located(path: &str) -> (String, String, bool) {
        let root = parse(TEXT, 0, Origin::File).unwrap().root;
        let found = locate(&root, &path.parse().unwrap());
        let text = |location: Location| TEXT[location.start..location.end].to_owned();
        (found.key.map(text).unwrap_or_default(), text(found.value), found.exact)
    }

    #[test]
    fn variants_and_some_are_transparent() {
        let found = |key: &str, value: &str, exact| (key.to_owned(), value.to_owned(), exact);
        assert_eq!(located("nodes.a.queue.capacity"), found("capacity", "7", true));
        assert_eq!(located("nodes.7.1"), found("", "6", true));
        assert_eq!(located("key"), found("key", "Fixed(1001)", true));
        assert_eq!(located("key.0"), found("", "1001", true));
        assert_eq!(located("pair.1"), found("", "2", true));
    }

    #[test]
    fn a_path_that_is_not_written_falls_back_to_its_nearest_ancestor() {
        let fallback = |path| (located(path).0, located(path).2);
        assert_eq!(fallback("nodes.a.concurrency"), ("\"a\"".to_owned(), false));
        assert_eq!(fallback("nodes.b.queue"), ("nodes".to_owned(), false));
        assert_eq!(fallback("seed"), (String::new(), false));
        assert_eq!(fallback("nodes.a.queue.capacity.x"), ("capacity".to_owned(), false));
    }
}
