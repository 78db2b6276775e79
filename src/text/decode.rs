//! All mistakes at once: read, take the offending piece out, read again, until the rest makes a value.
//!
//! What was taken out may be missed further up (a required field): that is a consequence, not a mistake, and takes
//! the struct around it out in turn, until a map, a list or an optional field can do without. Of several fields that
//! one struct lacks only the first is named: a type does not tell of the others.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::de::{self, ErrorKind};
use super::diagnostic::Diagnostic;
use super::navigate::{child, child_mut};
use super::path::{Path, Segment};
use super::tree::{Node, Value};

/// How often a tree is read again. Each round costs as much as the file is long; whoever has that many mistakes will
/// read the first ones first.
const MAX_ROUNDS: usize = 150;

/// What was taken out of a scenario because it was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OmittedPaths(BTreeSet<Path>);

impl OmittedPaths {
    /// Whether something that is written at `path`, or around it, was wrong and is missing from the value.
    #[must_use]
    pub fn contains(&self, path: &Path) -> bool {
        (0..=path.segments().len())
            .any(|length| self.0.contains(&path.segments()[..length].iter().cloned().collect()))
    }

    /// Whether something at `path`, around it or inside of it was wrong: what is said of its value may be untrue.
    #[must_use]
    pub fn overlaps(&self, path: &Path) -> bool {
        self.contains(path) || self.is_inside(path)
    }

    /// The path in the text of what has this path in the value: in lists those behind a piece that was taken out have
    /// moved up.
    #[must_use]
    pub fn as_written(&self, path: &Path) -> Path {
        path.segments().iter().fold(Path::root(), |written, segment| match segment {
            Segment::Name(name) => written.name(name),
            Segment::Index(index) => {
                let stayed = (0..).filter(|place| !self.0.contains(&written.clone().index(*place)));
                let place = stayed.clone().nth(*index).unwrap_or(*index);
                written.index(place)
            }
        })
    }

    /// Every path that was taken out.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter()
    }

    fn is_inside(&self, path: &Path) -> bool {
        self.0.range(path..).find(|removed| *removed != path).is_some_and(|removed| removed.starts_with(path))
    }
}

/// A value as far as it could be read, and everything that was wrong.
#[derive(Clone, Debug)]
pub struct Decoded<T> {
    /// What could be read: without the pieces in `omitted`. To be trusted only if there are no diagnostics.
    pub value: Option<T>,
    /// Every mistake, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// What was taken out.
    pub omitted: OmittedPaths,
}

/// Reads a `T` from a tree with all the mistakes in it.
pub(super) fn decode<T: DeserializeOwned>(root: &Node) -> Decoded<T> {
    let mut collection = Collection::default();
    let mut value = None;
    for _ in 0..MAX_ROUNDS {
        match de::read::<T>(collection.tree.as_ref().unwrap_or(root)) {
            Ok(read) => {
                value = Some(read);
                break;
            }
            Err(error) => {
                if !collection.take_out(root, error) {
                    break;
                }
            }
        }
    }
    let mut diagnostics = collection.diagnostics;
    diagnostics.sort_by_key(|diagnostic| diagnostic.location);
    Decoded { value, diagnostics, omitted: collection.removed }
}

#[derive(Default)]
struct Collection {
    /// The tree without what is wrong; nothing as long as nothing is.
    tree: Option<Node>,
    removed: OmittedPaths,
    /// Fields that are missing because their name is misspelled.
    excused: BTreeSet<Path>,
    diagnostics: Vec<Diagnostic>,
}

impl Collection {
    /// Notes a mistake and takes its piece out of the tree; false if nothing would be left.
    fn take_out(&mut self, root: &Node, error: de::Error) -> bool {
        let path = error.path();
        let consequence = match error.kind() {
            ErrorKind::MissingField(field) => {
                let missing = path.clone().name(*field);
                self.removed.0.contains(&missing) || self.excused.contains(&missing)
            }
            ErrorKind::UnknownField { meant } => {
                if let (Some(meant), Some((parent, _))) = (meant, path.split_last()) {
                    self.excused.insert(parent.name(*meant));
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

/// Takes the piece at `path` out, or what is around it where that cannot do without; nothing if that is the root.
fn remove(root: &mut Node, mut path: Path) -> Option<Path> {
    loop {
        let last = path.pop()?;
        let parent = find_mut(root, &path)?;
        if !holds_a_fixed_number(parent, &last) {
            child_mut(parent, &last)?.value = Value::Removed;
            path.push(last);
            return Some(path);
        }
    }
}

fn find_mut<'a>(root: &'a mut Node, path: &Path) -> Option<&'a mut Node> {
    path.segments().iter().try_fold(root, |node, segment| child_mut(node, segment))
}

/// Whether the last step goes into values in parentheses: each of them counts.
fn holds_a_fixed_number(parent: &Node, last: &Segment) -> bool {
    match &parent.value {
        Value::Tuple(_, items) => match items.as_slice() {
            [held] => child(held, last).is_none() || holds_a_fixed_number(held, last),
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

    /// What is said of the sample with some pieces of it replaced, and which paths are missing from the value.
    fn said(replaced: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
        let mut text = TEXT.to_owned();
        for (from, to) in replaced {
            assert!(text.contains(from), "the sample holds {from}");
            text = text.replacen(from, to, 1);
        }
        let decoded = decoded(&text);
        assert!(decoded.diagnostics.is_sorted_by_key(|diagnostic| diagnostic.location));
        let diagnostics =
            decoded.diagnostics.iter().map(|it| format!("{}: {}", it.path, it.message)).collect();
        (diagnostics, decoded.omitted.paths().map(ToString::to_string).collect())
    }

    #[test]
    fn a_sound_scenario_is_read_without_diagnostic() {
        let decoded = decoded(TEXT);
        assert_eq!(decoded.diagnostics, []);
        assert!(decoded.value.is_some());
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let (said, removed) = said(&[
            ("seed: 42", "seed: -42"),
            ("rate: \"20/s\"", "rate: 20"),
            ("peak: \"150/s\"", "peek: \"150/s\""),
            ("policy: Random", "policy: Rondom"),
            ("concurrency: 10", "concurrency: 10, colour: 3"),
            ("every: \"100ms\"", "every: \"100parsecs\""),
        ]);
        assert_eq!(
            said,
            [
                "seed: expected a whole number of 0 or more, found -42",
                "sources.everyone.arrivals.rate: 20 lacks a unit: a rate is written like \"20/s\"",
                "sources.customer-1001.arrivals.rate.peek: unknown field `peek`",
                "nodes.router.policy: there is no `Rondom` to choose here",
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
        assert_eq!(diagnostic.message, "`LoadBalancer` lacks the field `to`");
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
    fn poison_covers_what_lies_inside_and_touches_what_lies_around() {
        let removed = OmittedPaths([Path::root().name("nodes").name("router")].into());
        let path = |text: &str| text.parse::<Path>().expect("a path");
        assert!(removed.contains(&path("nodes.router")) && removed.contains(&path("nodes.router.to")));
        assert!(!removed.contains(&path("nodes")) && removed.overlaps(&path("nodes")));
        assert!(!removed.overlaps(&path("nodes.server")) && !removed.overlaps(&path("nodes.router-2")));
    }

    #[test]
    fn what_moved_up_in_a_list_is_found_where_it_was_written() {
        let removed = OmittedPaths(
            ["probes.0", "probes.2", "probes.3.gauges.0"].map(|path| path.parse().unwrap()).into(),
        );
        let written = |path: &str| removed.as_written(&path.parse().expect("a path")).to_string();
        assert_eq!(written("probes.0.every"), "probes.1.every");
        assert_eq!(written("probes.1.gauges.1"), "probes.3.gauges.2");
        assert_eq!(written("links.1"), "links.1");
    }

    #[test]
    fn a_mistake_that_leaves_nothing_ends_without_a_value() {
        for text in ["5", "Scenaro(name: \"x\")", "(name: 5)", "{}"] {
            let decoded = decoded(text);
            assert!(decoded.value.is_none() && !decoded.diagnostics.is_empty(), "{text}");
        }
    }
}
