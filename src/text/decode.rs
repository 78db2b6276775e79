//! Reports all errors of a tree at once: decode, remove the value with the error, decode again until it succeeds.
//!
//! A removed value may be a required field of its parent. That is a consequence, not an error of its own, and removes
//! the parent too, up to an entry of a map, an element of a list or an optional field. If a struct lacks several
//! fields, only the first is reported: serde stops there.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::de::{self, ErrorKind};
use super::diagnostic::Diagnostic;
use super::navigate::{child, child_mut};
use super::path::{Path, Segment};
use super::tree::{Node, Value};

/// Maximum number of times that a tree is decoded. The time of a round is proportional to the length of the file, and
/// authors fix the first errors first.
const MAX_ROUNDS: usize = 150;

/// The paths of the values that were removed from a scenario because of errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OmittedPaths(BTreeSet<Path>);

impl OmittedPaths {
    /// Whether the value at `path` or one of its ancestors was removed.
    #[must_use]
    pub fn contains(&self, path: &Path) -> bool {
        (0..=path.segments().len())
            .any(|length| self.0.contains(&path.segments()[..length].iter().cloned().collect()))
    }

    /// Whether the value at `path`, an ancestor or a descendant was removed: statements about the value may be untrue.
    #[must_use]
    pub fn overlaps(&self, path: &Path) -> bool {
        self.contains(path) || self.is_inside(path)
    }

    /// Converts a path in the decoded value to the path in the text: indexes in lists skip removed elements.
    #[must_use]
    pub fn as_written(&self, path: &Path) -> Path {
        path.segments().iter().fold(Path::root(), |written, segment| match segment {
            Segment::Name(name) => written.name(name),
            Segment::Index(index) => {
                let mut kept = (0..).filter(|place| !self.0.contains(&written.clone().index(*place)));
                let place = kept.nth(*index).unwrap_or(*index);
                written.index(place)
            }
        })
    }

    /// The paths of all removed values.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter()
    }

    fn is_inside(&self, path: &Path) -> bool {
        self.0.range(path..).find(|removed| *removed != path).is_some_and(|removed| removed.starts_with(path))
    }
}

/// A value, as far as it could be decoded, and all errors.
#[derive(Clone, Debug)]
pub struct Decoded<T> {
    /// The value without the parts in `omitted`, or `None` if none could be decoded. Complete only without diagnostics.
    pub value: Option<T>,
    /// All errors, sorted by position.
    pub diagnostics: Vec<Diagnostic>,
    /// The paths of the removed values.
    pub omitted: OmittedPaths,
}

/// Decodes a `T` from a tree, and reports all errors in it.
pub(super) fn decode<T: DeserializeOwned>(root: &Node) -> Decoded<T> {
    let mut collector = Collector::default();
    let mut value = None;
    for _ in 0..MAX_ROUNDS {
        match de::read::<T>(collector.tree.as_ref().unwrap_or(root)) {
            Ok(read) => {
                value = Some(read);
                break;
            }
            Err(error) => {
                if !collector.omit(root, error) {
                    break;
                }
            }
        }
    }
    let mut diagnostics = collector.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.location);
    Decoded { value, diagnostics, omitted: collector.removed }
}

/// Collects errors, and removes the values that cause them.
#[derive(Default)]
struct Collector {
    /// The tree without the removed values, or `None` before the first error.
    tree: Option<Node>,
    removed: OmittedPaths,
    /// Fields that are missing because their name is misspelled.
    misspelled: BTreeSet<Path>,
    diagnostics: Vec<Diagnostic>,
}

impl Collector {
    /// Records an error and removes its value from the tree; false if that value is the root.
    fn omit(&mut self, root: &Node, error: de::Error) -> bool {
        let path = error.path();
        let consequence = match error.kind() {
            ErrorKind::MissingField(field) => {
                let missing = path.clone().name(*field);
                self.removed.0.contains(&missing) || self.misspelled.contains(&missing)
            }
            ErrorKind::UnknownField { nearest } => {
                if let (Some(nearest), Some((parent, _))) = (nearest, path.split_last()) {
                    self.misspelled.insert(parent.name(*nearest));
                }
                false
            }
            ErrorKind::Mismatch { .. } | ErrorKind::Value => self.removed.is_inside(&path),
        };
        if !consequence {
            self.diagnostics.push(error.into_diagnostic(root));
        }
        let tree = self.tree.get_or_insert_with(|| root.clone());
        match remove(tree, path) {
            Some(path) => self.removed.0.insert(path),
            None => false,
        }
    }
}

/// Removes the value at `path`, or its nearest ancestor that can be removed. Returns the path of the removed value, or
/// `None` for the root.
fn remove(root: &mut Node, mut path: Path) -> Option<Path> {
    loop {
        let last = path.pop()?;
        let parent = find_mut(root, &path)?;
        if !has_fixed_length(parent, &last) {
            child_mut(parent, &last)?.value = Value::Removed;
            path.push(last);
            return Some(path);
        }
    }
}

fn find_mut<'a>(root: &'a mut Node, path: &Path) -> Option<&'a mut Node> {
    path.segments().iter().try_fold(root, |node, segment| child_mut(node, segment))
}

/// Whether `last` is an element of a tuple, whose length is fixed: elements of tuples cannot be removed.
fn has_fixed_length(parent: &Node, last: &Segment) -> bool {
    match &parent.value {
        Value::Tuple(_, items) => match items.as_slice() {
            [held] => child(held, last).is_none() || has_fixed_length(held, last),
            _ => true,
        },
        Value::Unit
        | Value::Bool(_)
        | Value::Char(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Record(..)
        | Value::Word(_)
        | Value::Removed => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::super::sample::{Scenario, TEXT};
    use super::*;

    fn decoded(text: &str) -> Decoded<Scenario> {
        Document::parse("a.ron", text.as_bytes()).expect("RON").decode()
    }

    /// The diagnostics of the sample with some pieces replaced, and the paths that are missing from the value.
    fn diagnostics(replaced: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let mut text = TEXT.to_owned();
        for (from, to) in replaced {
            assert!(text.contains(from), "the sample contains {from}");
            text = text.replacen(from, to, 1);
        }
        let decoded = decoded(&text);
        assert!(decoded.diagnostics.is_sorted_by_key(|diagnostic| diagnostic.location));
        let diagnostics =
            decoded.diagnostics.iter().map(|it| format!("{}: {}", it.path, it.message)).collect();
        (diagnostics, decoded.omitted.paths().map(ToString::to_string).collect())
    }

    #[test]
    fn a_valid_scenario_is_read_without_diagnostics() {
        let decoded = decoded(TEXT);
        assert_eq!(decoded.diagnostics, []);
        assert!(decoded.value.is_some());
    }

    #[test]
    fn all_errors_are_reported_at_once() {
        let (diagnostics, removed) = diagnostics(&[
            ("seed: 42", "seed: -42"),
            ("rate: \"20/s\"", "rate: 20"),
            ("peak: \"150/s\"", "peek: \"150/s\""),
            ("policy: Random", "policy: Rondom"),
            ("concurrency: 10", "concurrency: 10, colour: 3"),
            ("every: \"100ms\"", "every: \"100parsecs\""),
        ]);
        assert_eq!(
            diagnostics,
            [
                "seed: expected a whole number of 0 or more, found -42",
                "sources.everyone.arrivals.rate: 20 lacks a unit: a rate is written like \"20/s\"",
                "sources.customer-1001.arrivals.rate.peek: unknown field `peek`",
                "nodes.router.policy: unknown variant `Rondom`",
                "nodes.server.colour: unknown field `colour`",
                "probes.0.every: unknown unit \"parsecs\": expected one of d, h, min, s, ms, us, µs, ns",
            ]
        );
        for path in ["nodes.router", "sources.everyone", "probes.0"] {
            assert!(removed.iter().any(|it| it == path), "{removed:?}");
        }
    }

    #[test]
    fn a_missing_field_is_named_where_its_struct_begins() {
        let text = TEXT.replacen(", to: \"client\"", "", 1);
        let decoded = decoded(&text);
        let [diagnostic] = decoded.diagnostics.as_slice() else { panic!("{:?}", decoded.diagnostics) };
        assert_eq!(diagnostic.message, "missing field `to` in `LoadBalancer`");
        assert_eq!(diagnostic.path.to_string(), "nodes.router");
        assert_eq!(&text[diagnostic.location.start..diagnostic.location.end], "LoadBalancer");
        let value = decoded.value.expect("the rest");
        assert_eq!(
            value.nodes.keys().collect::<Vec<_>>(),
            ["client", "server"],
            "the others are kept, in order"
        );
    }

    #[test]
    fn a_removed_path_contains_its_descendants_and_overlaps_its_ancestors() {
        let removed = OmittedPaths([Path::root().name("nodes").name("router")].into());
        let path = |text: &str| text.parse::<Path>().expect("a path");
        assert!(removed.contains(&path("nodes.router")) && removed.contains(&path("nodes.router.to")));
        assert!(!removed.contains(&path("nodes")) && removed.overlaps(&path("nodes")));
        assert!(!removed.overlaps(&path("nodes.server")) && !removed.overlaps(&path("nodes.router-2")));
    }

    #[test]
    fn indexes_of_a_list_with_removed_elements_are_those_of_the_text() {
        let removed = OmittedPaths(
            ["probes.0", "probes.2", "probes.3.gauges.0"].map(|path| path.parse().unwrap()).into(),
        );
        let written = |path: &str| removed.as_written(&path.parse().expect("a path")).to_string();
        assert_eq!(written("probes.0.every"), "probes.1.every");
        assert_eq!(written("probes.1.gauges.1"), "probes.3.gauges.2");
        assert_eq!(written("links.1"), "links.1");
    }

    #[test]
    fn an_error_of_the_root_leaves_no_value() {
        for text in ["5", "Scenaro(name: \"x\")", "(name: 5)", "{}"] {
            let decoded = decoded(text);
            assert!(decoded.value.is_none() && !decoded.diagnostics.is_empty(), "{text}");
        }
    }
}
