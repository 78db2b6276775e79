//! `--set path=value`: replaces one value of the tree or adds one field, before the tree is decoded.
//!
//! Variants and `Some` are transparent in the path, as everywhere; the value is RON. Shells remove quotes, so a plain
//! word or a quantity that is not RON (`200/s`, `5s`, `load-aware`) is read as text. Whether an added field exists in
//! the type is checked when the scenario is decoded.

use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::navigate::{child, child_mut, holder};
use super::nearest;
use super::parser::{MAX_DEPTH, parse};
use super::path::{Path, Segment, split};
use super::source::{Location, Origin};
use super::tree::{Entry, Field, Node, Value, Word, shortened};

/// The tree with the value that `argument` sets.
///
/// # Errors
/// If the argument is invalid, or its path does not exist in the tree.
pub(super) fn apply(root: &Node, argument: &str, origin: Origin) -> Result<Node, Vec<Diagnostic>> {
    let (segments, value) = read(argument, origin)?;
    let mut changed = root.clone();
    let assignment = Assignment { origin, segments: &segments };
    assignment.put(&mut changed, 0, value).map_err(|diagnostic| vec![diagnostic])?;
    if changed.depth() > MAX_DEPTH {
        let whole = Location { origin, start: 0, end: argument.len() };
        let path = segments.iter().map(|(segment, _)| segment.clone()).collect();
        return Err(vec![Diagnostic::new(
            whole,
            path,
            format!("brackets would be nested more than {MAX_DEPTH} deep"),
        )]);
    }
    Ok(changed)
}

/// The segments of a path with their positions in the argument, and the value to set.
type PathAndValue = (Vec<(Segment, Range<usize>)>, Node);

/// Parses an argument.
pub(super) fn read(argument: &str, origin: Origin) -> Result<PathAndValue, Vec<Diagnostic>> {
    let whole = Location { origin, start: 0, end: argument.len() };
    let Some(equals) = find_equals(argument) else {
        return Err(vec![
            Diagnostic::new(whole, Path::root(), "expected `=` between a path and a value")
                .with_hint("an example is --set nodes.server.concurrency=20"),
        ]);
    };
    let segments = split(&argument[..equals]).map_err(|error| {
        let location = Location { origin, start: error.at.start, end: error.at.end };
        vec![Diagnostic::new(location, Path::root(), error.to_string())]
    })?;
    let path: Path = segments.iter().map(|(segment, _)| segment.clone()).collect();
    let value = read_value(argument, equals + 1, origin).map_err(|mut diagnostics| {
        diagnostics.iter_mut().for_each(|diagnostic| diagnostic.path = path.clone());
        diagnostics
    })?;
    Ok((segments, value))
}

/// The position of the first `=` outside quotes.
fn find_equals(argument: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    argument.char_indices().find_map(|(offset, c)| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '=' if !quoted => return Some(offset),
            _ => {}
        }
        None
    })
}

/// Parses the value that begins at byte `start`.
fn read_value(argument: &str, start: usize, origin: Origin) -> Result<Node, Vec<Diagnostic>> {
    let text = argument.get(start..).unwrap_or("").trim();
    let location = Location { origin, start, end: argument.len() };
    if text.is_empty() {
        return Err(vec![
            Diagnostic::new(location, Path::root(), "expected a value after `=`, found nothing")
                .with_hint("write \"\" for an empty text"),
        ]);
    }
    match parse(argument, start, origin) {
        Ok(parsed) if parsed.diagnostics.is_empty() => Ok(parsed.root),
        Ok(_) | Err(_) if is_plain(text) => Ok(Node { location, value: Value::Text(text.to_owned()) }),
        Ok(parsed) => Err(parsed.diagnostics),
        Err(diagnostics) => Err(diagnostics),
    }
}

/// Whether a text consists of the characters of words and quantities, without quotes or brackets.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | '%' | '@' | ' '))
}

/// A `--set` argument that is applied to a tree.
struct Assignment<'a> {
    origin: Origin,
    segments: &'a [(Segment, Range<usize>)],
}

impl Assignment<'_> {
    /// Sets the descendant of `node` at the segments from index `step` on to `value`.
    fn put(&self, node: &mut Node, step: usize, value: Node) -> Result<(), Diagnostic> {
        let Some((segment, _)) = self.segments.get(step) else {
            *node = value;
            return Ok(());
        };
        if child(node, segment).is_some() {
            return match child_mut(node, segment) {
                Some(child) => self.put(child, step + 1, value),
                None => Ok(()),
            };
        }
        if step + 1 == self.segments.len() && self.insert(node, step, &value) {
            return Ok(());
        }
        Err(self.not_found(holder(node, segment), step))
    }

    /// Adds a new field or entry; false if `node` cannot contain one.
    fn insert(&self, node: &mut Node, step: usize, value: &Node) -> bool {
        let Some((Segment::Name(name), at)) = self.segments.get(step) else { return false };
        let location = Location { origin: self.origin, start: at.start, end: at.end };
        let field = || Field { name: Word { text: name.clone(), location }, value: value.clone() };
        match &mut node.value {
            Value::Record(_, fields) => fields.push(field()),
            Value::Map(entries) => entries.push(Entry {
                key: Node { location, value: Value::Text(name.clone()) },
                value: value.clone(),
            }),
            Value::Unit => node.value = Value::Record(None, vec![field()]),
            Value::Word(word) if word != "None" => {
                let word = Word { text: std::mem::take(word), location: node.location };
                node.value = Value::Record(Some(word), vec![field()]);
            }
            Value::Tuple(variant, items) => match items.as_mut_slice() {
                [] => node.value = Value::Record(variant.take(), vec![field()]),
                [held] => return self.insert(held, step, value),
                _ => return false,
            },
            Value::Bool(_)
            | Value::Char(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Word(_)
            | Value::List(_)
            | Value::Removed => return false,
        }
        true
    }

    /// The diagnostic about a segment that `node` does not contain, with the names that it contains.
    fn not_found(&self, node: &Node, step: usize) -> Diagnostic {
        let (segment, at) = &self.segments[step];
        let path: Path = self.segments[..=step].iter().map(|(segment, _)| segment.clone()).collect();
        let place: Path = self.segments[..step].iter().map(|(segment, _)| segment.clone()).collect();
        let place = if step == 0 {
            "the scenario".to_owned()
        } else {
            format!("`{}`", shortened(&place.to_string()))
        };
        let name = shortened(&segment.to_string());
        let (message, hint) = match &node.value {
            Value::Record(_, fields) => {
                let names = fields.iter().map(|field| field.name.text.as_str());
                (
                    format!("field `{name}` is not specified in {place}"),
                    nearest::hint(&name_of(segment), names),
                )
            }
            Value::Map(entries) => {
                let keys: Vec<_> = entries.iter().map(|entry| entry.key.key_text()).collect();
                let hint = nearest::hint(&name_of(segment), keys.iter().map(String::as_str));
                (format!("there is no `{name}` in {place}"), hint)
            }
            Value::List(items) | Value::Tuple(_, items) => {
                let last = items.len().checked_sub(1);
                let hint = last.map_or("it is empty".to_owned(), |last| {
                    format!("its elements are numbered 0 to {last}")
                });
                (format!("{place} has no element `{name}`"), hint)
            }
            Value::Unit
            | Value::Bool(_)
            | Value::Char(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Word(_)
            | Value::Removed => (
                format!("expected fields or elements in {place}, found {}", node.describe()),
                "set the whole value".to_owned(),
            ),
        };
        let location = Location { origin: self.origin, start: at.start, end: at.end };
        Diagnostic::new(location, path, message).with_hint(hint)
    }
}

/// The text of a segment, without quotes.
fn name_of(segment: &Segment) -> String {
    match segment {
        Segment::Name(name) => name.clone(),
        Segment::Index(index) => index.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::super::sample::{Arrivals, NodeSpec, Queue, RateProfile, Scenario, TEXT};
    use super::*;

    fn document() -> Document {
        Document::parse("a.ron", TEXT.as_bytes()).expect("RON")
    }

    fn with(argument: &str) -> Scenario {
        let mut document = document();
        document.set(argument).unwrap_or_else(|list| panic!("{argument}: {list:?}"));
        let decoded = document.decode();
        assert_eq!(decoded.diagnostics, [], "{argument}");
        decoded.value.expect("a scenario")
    }

    /// The message and the hint of the diagnostic about an argument, and the text that it points at.
    fn refused(argument: &str) -> (String, String) {
        let diagnostics = document().set(argument).expect_err("an error");
        let Diagnostic { location, message, hint, .. } = &diagnostics[0];
        let at = argument[location.start..location.end].to_owned();
        (format!("{message}; {}", hint.as_deref().unwrap_or("")), at)
    }

    #[test]
    fn values_are_replaced_through_variants() {
        assert_eq!(with("seed=7").seed, 7);
        let scenario = with("sources.customer-1001.arrivals.rate.peak=200/s");
        let Arrivals::Poisson { rate: RateProfile::Spike { peak, .. } } =
            &scenario.sources["customer-1001"].arrivals
        else {
            panic!("{scenario:?}")
        };
        assert_eq!(peak.to_string(), "200/s");
        assert_eq!(with("probes.0.every=\"5s\"").probes[0].every.to_string(), "5s");
        assert_eq!(with("nodes.\"client\".to = router").nodes.len(), 3);
    }

    #[test]
    fn new_fields_and_entries_are_added() {
        let NodeSpec::Server(server) = &with("nodes.server.queue.capacity=7").nodes["server"] else {
            panic!()
        };
        assert_eq!(server.queue, Queue::Fifo { capacity: Some(7) });
        let mut document = document();
        document.set("nodes.server.queue=Fifo").expect("a bare variant");
        document.set("nodes.server.queue.capacity=8").expect("a variant that takes fields");
        document.set("nodes.extra=Server(concurrency: 1, service: Fixed(\"1ms\"))").expect("a new entry");
        let scenario = document.decode::<Scenario>().value.expect("a scenario");
        let NodeSpec::Server(server) = &scenario.nodes["server"] else { panic!() };
        assert_eq!(server.queue, Queue::Fifo { capacity: Some(8) });
        assert_eq!(scenario.nodes.get_index(3).map(|(name, _)| name.as_str()), Some("extra"));
    }

    #[test]
    fn a_path_that_does_not_exist_is_refused_with_the_available_names() {
        let (message, at) = refused("nodes.sever.queue.capacity=1");
        assert!(message.starts_with("there is no `sever` in `nodes`; did you mean `server`?"), "{message}");
        assert_eq!(at, "sever");
        let (message, _) = refused("sources.everyone.arrivals.rate.peak=1");
        assert_eq!(
            message,
            "expected fields or elements in `sources.everyone.arrivals.rate`, found the text \"20/s\"; \
             set the whole value"
        );
        assert_eq!(
            refused("probes.9.every=5s").0,
            "`probes` has no element `9`; its elements are numbered 0 to 1"
        );
        assert!(refused("probes.first=5s").0.contains("numbered 0 to 1"));
        assert!(refused("seed").0.starts_with("expected `=`"));
        assert!(refused("=5").0.starts_with("expected a name in the path"));
        assert!(refused("seed=").0.starts_with("expected a value after `=`"));
        assert!(refused("a..b=1").0.starts_with("expected a name"));
        assert_eq!(refused("seed=[1, 2").1, "[");
    }

    #[test]
    fn an_unknown_field_is_refused_when_the_scenario_is_decoded() {
        let mut document = document();
        document.set("nodes.server.concurency=20").expect("a valid path");
        let diagnostics = document.decode::<Scenario>().diagnostics;
        let shown = document.diagnostics(diagnostics).to_string();
        assert!(
            shown.starts_with(
                "--set nodes.server.concurency=20, column 14: nodes.server.concurency: unknown field"
            ),
            "{shown}"
        );
        assert!(shown.contains("did you mean `concurrency`?"), "{shown}");
    }

    #[test]
    fn arguments_cannot_exceed_the_maximum_depth() {
        let mut document = document();
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        document.set(&format!("extra={deep}")).expect("deep, but not too deep");
        let inner = format!("extra{}={deep}", ".0".repeat(100));
        assert!(document.set(&inner).expect_err("too deep")[0].message.contains("deep"));
    }
}
