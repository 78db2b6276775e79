//! Reads a document in YAML 1.1, as `PyYAML` does, into values with positions.
//!
//! `granit-parser` reads the syntax. What plain scalars mean is in [`scalar`]; anchors, merges (`<<`) and repeated keys, of
//! which the last one counts, are resolved here. The size of the result is limited, as aliases multiply it.

mod scalar;

use std::collections::BTreeMap;

use granit_parser::{Event, Marker, Parser, ScanError, Span, StrInput};

use crate::text::{Diagnostic, Location, Origin, Path, Sources};

/// Maximum depth of nested values.
const MAX_DEPTH: usize = 64;
/// Maximum number of values, with those that aliases repeat.
const MAX_VALUES: usize = 1_000_000;

/// A value and its position.
#[derive(Clone, Debug)]
pub(super) struct Yaml {
    pub(super) location: Location,
    pub(super) value: Value,
}

/// A value in YAML 1.1.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    /// A date, with or without a time.
    Date,
    Text(String),
    List(Vec<Yaml>),
    /// The entries with their keys, which are distinct.
    Map(Vec<(Yaml, Yaml)>),
}

impl Value {
    /// A text.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A whole number.
    pub(super) const fn integer(&self) -> Option<i128> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// A number.
    #[expect(clippy::cast_precision_loss, reason = "the nearest float is intended")]
    pub(super) const fn number(&self) -> Option<f64> {
        if let Self::Float(number) = self {
            return Some(*number);
        }
        if let Self::Int(number) = self { Some(*number as f64) } else { None }
    }
}

impl PartialEq for Yaml {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// A document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) root: Yaml,
    /// Keys that are written again later, so that their values do not count.
    pub(super) repeated: Vec<(String, Location)>,
}

/// Reads a text that consists of one document.
///
/// # Errors
/// If it is not YAML, or not a single document.
pub(super) fn read(sources: &Sources) -> Result<Document, Diagnostic> {
    let text = sources.text(Origin::File);
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    Composer { parser, text, anchors: BTreeMap::new(), values: 0, repeated: Vec::new() }.document()
}

struct Composer<'a> {
    parser: Parser<'a, StrInput<'a>>,
    text: &'a str,
    /// The values with anchors, with the number of values in them and their depth.
    anchors: BTreeMap<usize, (Yaml, usize, usize)>,
    values: usize,
    repeated: Vec<(String, Location)>,
}

type Read<T> = Result<T, Diagnostic>;

impl<'a> Composer<'a> {
    fn next(&mut self) -> Read<(Event<'a>, Location)> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.location(&span))),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, self.at(self.text.len()))),
        }
    }

    fn location(&self, span: &Span) -> Location {
        match span.byte_range() {
            Some(range) => {
                let read = self.text.get(range.clone()).unwrap_or("");
                Location {
                    origin: Origin::File,
                    start: range.start,
                    end: range.start + read.trim_end().len(),
                }
            }
            None => self.at(0),
        }
    }

    const fn at(&self, start: usize) -> Location {
        Location { origin: Origin::File, start, end: start }
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let start = Marker::byte_offset(error.marker()).unwrap_or(0).min(self.text.len());
        let message = format!("this is not YAML: {}", error.info());
        wrong(self.at(start), message)
            .with_hint("check the indentation, the brackets and the quotes before this position")
    }

    fn document(mut self) -> Read<Document> {
        let mut root = None;
        loop {
            let (event, location) = self.next()?;
            if event == Event::StreamEnd {
                break;
            }
            if matches!(event, Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd) {
                continue;
            }
            if root.is_some() {
                let message = "expected one document, found a second one";
                return Err(wrong(location, message).with_hint("write each document to a file of its own"));
            }
            root = Some(self.value(event, location, 1)?.0);
        }
        match root {
            Some(root) => Ok(Document { root, repeated: self.repeated }),
            None => Err(wrong(self.at(0), "expected a document, found none: the file is empty")),
        }
    }

    /// The value that begins with this event, the number of values in it, and its depth.
    fn value(&mut self, event: Event<'a>, location: Location, depth: usize) -> Read<(Yaml, usize, usize)> {
        let (anchor, value, size, height) = match event {
            Event::Alias(id) => {
                let Some((value, size, height)) = self.anchors.get(&id).cloned() else {
                    return Err(wrong(location, "this alias is part of the value that it repeats"));
                };
                self.count(size, depth + height, location)?;
                return Ok((Yaml { location, ..value }, size, height));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar::resolve(&text, style, tag.as_deref())
                    .map_err(|message| wrong(location, message))?;
                (anchor, value, 1, 1)
            }
            Event::SequenceStart(_, anchor, tag) => {
                scalar::check_tag(tag.as_deref(), "seq").map_err(|message| wrong(location, message))?;
                let (items, size, height) = self.items(depth)?;
                (anchor, Value::List(items), size, height)
            }
            Event::MappingStart(_, anchor, tag) => {
                scalar::check_tag(tag.as_deref(), "map").map_err(|message| wrong(location, message))?;
                let (items, size, height) = self.items(depth)?;
                (anchor, Value::Map(self.entries(items)?), size, height)
            }
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::UnresolvedAlias(_)
            | Event::SequenceEnd
            | Event::MappingEnd
            | _ => return Err(wrong(location, "expected a value")),
        };
        self.count(1, depth + height, location)?;
        let yaml = Yaml { location, value };
        if anchor > 0 {
            self.anchors.insert(anchor, (yaml.clone(), size, height));
        }
        Ok((yaml, size, height))
    }

    /// Counts values of a depth.
    fn count(&mut self, size: usize, depth: usize, location: Location) -> Read<()> {
        self.values += size;
        if depth > 2 * MAX_DEPTH {
            return Err(wrong(location, format!("values are nested more than {} deep here", 2 * MAX_DEPTH)));
        }
        if self.values > MAX_VALUES {
            return Err(wrong(
                location,
                format!("the file has more than {MAX_VALUES} values, with those of aliases"),
            ));
        }
        Ok(())
    }

    /// The values up to the end of a list or a map.
    fn items(&mut self, depth: usize) -> Read<(Vec<Yaml>, usize, usize)> {
        let (mut items, mut size, mut height) = (Vec::new(), 1_usize, 0);
        loop {
            let (event, location) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::MappingEnd) {
                return Ok((items, size, height + 1));
            }
            let (item, of_item, its_height) = self.value(event, location, depth + 1)?;
            items.push(item);
            size = size.saturating_add(of_item);
            height = height.max(its_height);
        }
    }

    /// The entries of a map of alternating keys and values: merged ones first, and of a repeated key the last.
    fn entries(&mut self, items: Vec<Yaml>) -> Read<Vec<(Yaml, Yaml)>> {
        let (mut own, mut merged): (Vec<(Yaml, Yaml)>, Vec<(Yaml, Yaml)>) = (Vec::new(), Vec::new());
        let mut items = items.into_iter();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            if matches!(key.value, Value::List(_) | Value::Map(_)) {
                return Err(wrong(key.location, "a key has to be a text, a number or a truth value"));
            }
            if scalar::is_merge(&key, self.text) {
                merge(&mut merged, value)?;
                continue;
            }
            if let Some(at) = own.iter().position(|(other, _)| *other == key) {
                let (before, _) = own.remove(at);
                self.repeated.push((describe(&before), before.location));
            }
            own.push((key, value));
        }
        merged.retain(|(key, _)| !own.iter().any(|(other, _)| other == key));
        merged.append(&mut own);
        Ok(merged)
    }
}

/// Adds the entries of a map, or of each map of a list. The first one that has a key counts.
fn merge(merged: &mut Vec<(Yaml, Yaml)>, from: Yaml) -> Read<()> {
    let maps = if let Value::List(maps) = from.value { maps } else { vec![from] };
    for map in maps {
        let Value::Map(entries) = map.value else {
            return Err(wrong(map.location, "`<<` takes a map, or a list of maps"));
        };
        for (key, value) in entries {
            if !merged.iter().any(|(other, _)| *other == key) {
                merged.push((key, value));
            }
        }
    }
    Ok(())
}

fn wrong(location: Location, message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(location, Path::root(), message)
}

/// A description of a value, for messages: "found ..".
pub(super) fn describe(yaml: &Yaml) -> String {
    match &yaml.value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("the truth value {value}"),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Date => "a date".to_owned(),
        Value::Text(text) => format!("`{}`", crate::text::shortened(text)),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "fields".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Result<Value, String> {
        let sources = Sources::read("a.yml", text.as_bytes()).expect("UTF-8");
        read(&sources).map(|document| document.root.value).map_err(|error| error.message)
    }

    fn entry<'a>(value: &'a Value, name: &str) -> &'a Value {
        let Value::Map(entries) = value else { panic!("{value:?}") };
        let found = entries.iter().find(|(key, _)| key.value == Value::Text(name.to_owned()));
        &found.unwrap_or_else(|| panic!("{name} in {value:?}")).1.value
    }

    #[test]
    fn anchors_and_merges_are_resolved() {
        let read = root("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [{x: 7}, *a]}\nd: *a\n").unwrap();
        assert_eq!(entry(entry(&read, "b"), "x"), &Value::Int(1));
        assert_eq!(entry(entry(&read, "b"), "y"), &Value::Int(3));
        assert_eq!(entry(entry(&read, "c"), "x"), &Value::Int(7));
        assert_eq!(entry(entry(&read, "c"), "y"), &Value::Int(2));
        assert_eq!(entry(&read, "d"), entry(&read, "a"));
        assert!(root("a: {<<: 1}").unwrap_err().contains("`<<` takes a map"));
    }

    #[test]
    fn of_a_repeated_key_the_last_value_counts() {
        let sources = Sources::read("a.yml", b"a: 1\nb: 2\na: 3\n").expect("UTF-8");
        let document = read(&sources).unwrap();
        assert_eq!(entry(&document.root.value, "a"), &Value::Int(3));
        assert_eq!(document.repeated[0].0, "`a`");
        assert_eq!(document.repeated[0].1.start, 0);
    }

    #[test]
    fn a_file_has_one_document() {
        assert!(root("").unwrap_err().contains("empty"));
        assert!(root("# nothing\n---\n...\n").is_ok_and(|value| value == Value::Null));
        assert!(root("a: 1\n---\nb: 2\n").unwrap_err().contains("second"));
    }

    #[test]
    fn wrong_and_huge_documents_are_refused() {
        for text in ["a: [1", "a: 'x", "a: *b", "a: b: c", "&a [*a]", "{[1]: 2}", "a: !new x"] {
            assert!(root(text).is_err(), "{text}");
        }
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(root(&deep(50)).is_ok());
        assert!(root(&deep(1_000)).is_err() && root(&"[".repeat(100_000)).is_err());
        let mut bomb = "a0: &a0 [1, 2]\n".to_owned();
        for level in 1..60 {
            bomb += &format!("a{level}: &a{level} [*a{0}, *a{0}, *a{0}]\n", level - 1);
        }
        assert!(root(&bomb).unwrap_err().contains("more than"));
        let mut chain = "a0: &a0 [1]\n".to_owned();
        for level in 1..2_000 {
            chain += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
        }
        assert!(root(&chain).unwrap_err().contains("deep"));
    }
}
