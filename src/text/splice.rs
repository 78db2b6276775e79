//! Values put into the text of a scenario, which otherwise stays as its author wrote it: comments, layout and all.
//!
//! What an override does to the tree is done to the text here: a value is replaced where it stands, or a field is added
//! before the closing bracket. Each splice reads the text anew, so that one may build upon another.

use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::navigate::child;
use super::overrides;
use super::parser::parse;
use super::path::Segment;
use super::scan::Scanner;
use super::source::Origin;
use super::tree::{Entry, Field, Node, Value, Word};

/// One level of brackets further in.
const INDENT: &str = "    ";

/// The text with what the `--set` argument sets.
///
/// # Errors
/// If the text is no RON, or the argument no path to something in it.
pub(super) fn set(text: &str, argument: &str) -> Result<String, Vec<Diagnostic>> {
    let origin = Origin::Set(0);
    // The same diagnostics as those of an override.
    let root = parse(text, 0, Origin::File)?.root;
    overrides::apply(&root, argument, origin)?;
    let (segments, value) = overrides::read(argument, origin)?;
    let segments: Vec<Segment> = segments.into_iter().map(|(segment, _)| segment).collect();
    Ok(put(text, &root, &segments, &value))
}

/// The text with some more items at the end of the list in the field `name` of the scenario, each on a line of its own. A
/// list that is not there is made.
///
/// # Errors
/// If the text is no RON.
pub(super) fn append(text: &str, name: &str, items: &[Node]) -> Result<String, Vec<Diagnostic>> {
    let root = parse(text, 0, Origin::File)?.root;
    let lines: Vec<String> = items.iter().map(ToString::to_string).collect();
    let segment = Segment::Name(name.to_owned());
    if let Some((_, list)) = child(&root, &segment)
        && let Value::List(present) = &list.value
    {
        let brackets = Brackets::of(text, list, present.last());
        return Ok(brackets.with(&lines, true));
    }
    let newline = newline(text);
    let lines: String = lines.iter().map(|line| format!("{INDENT}{line},{newline}")).collect();
    let item = format!("{name}: [{newline}{lines}]");
    Ok(insert(text, &root, |_| item.clone()))
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The text with `value` where the segments lead.
fn put(text: &str, root: &Node, segments: &[Segment], value: &Node) -> String {
    let mut node = root;
    for segment in segments {
        match child(node, segment) {
            Some((_, next)) => node = next,
            None => {
                let name = match segment {
                    Segment::Name(name) => name.clone(),
                    Segment::Index(index) => index.to_string(),
                };
                return insert(text, node, |place| named(place, &name, value));
            }
        }
    }
    let mut changed = text.to_owned();
    changed.replace_range(range(node), &value.to_string());
    changed
}

fn range(node: &Node) -> Range<usize> {
    node.location.start..node.location.end
}

/// A field or an entry, as it is written in this place.
fn named(place: &Value, name: &str, value: &Node) -> String {
    let (location, value) = (value.location, value.clone());
    if matches!(place, Value::Map(_)) {
        Entry { key: Node { location, value: Value::Text(name.to_owned()) }, value }.to_string()
    } else {
        Field { name: Word { text: name.to_owned(), location }, value }.to_string()
    }
}

/// The text with one more field or entry in a node.
fn insert(text: &str, node: &Node, item: impl Fn(&Value) -> String) -> String {
    let last = match &node.value {
        Value::Record(_, fields) => fields.last().map(|field| &field.value),
        Value::Map(entries) => entries.last().map(|entry| &entry.value),
        Value::Tuple(_, items) => match items.as_slice() {
            [held] => return insert(text, held, item),
            _ => None,
        },
        Value::Unit
        | Value::Bool(_)
        | Value::Char(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Word(_)
        | Value::Removed => None,
    };
    if matches!(node.value, Value::Word(_)) {
        let mut changed = text.to_owned();
        changed.insert_str(node.location.end, &format!("({})", item(&node.value)));
        return changed;
    }
    Brackets::of(text, node, last).with(&[item(&node.value)], false)
}

/// What stands in brackets, to be added to.
struct Brackets<'a> {
    text: &'a str,
    /// Where the line of the opening bracket begins.
    first_line: usize,
    /// Where the last item ends, if there is one, and whether a comma is still to be put there.
    last: Option<(usize, bool)>,
    /// Where the closing bracket stands, and where its line begins if it is the first thing there.
    close: usize,
    own_line: Option<usize>,
}

impl<'a> Brackets<'a> {
    fn of(text: &'a str, node: &Node, last: Option<&Node>) -> Self {
        let line_of = |offset: usize| text[..offset].rfind('\n').map_or(0, |at| at + 1);
        let close = node.location.end - 1;
        let line = line_of(close);
        let alone = line > node.location.start && text[line..close].chars().all(char::is_whitespace);
        let last = last.map(|last| {
            let mut scanner = Scanner::new(text, last.location.end, Origin::File);
            let has_comma = scanner.skip_blank().is_ok() && scanner.peek() == Some(',');
            (last.location.end, !has_comma)
        });
        Self { text, first_line: line_of(node.location.start), last, close, own_line: alone.then_some(line) }
    }

    /// The text with more items; with `spread` each gets a line of its own in any case.
    fn with(&self, items: &[String], spread: bool) -> String {
        let (text, newline) = (self.text, newline(self.text));
        let mut changed =
            String::with_capacity(text.len() + items.iter().map(|item| item.len() + 16).sum::<usize>());
        let mut done = 0;
        if let Some((end, comma)) = self.last {
            changed += &text[..end];
            changed += if comma { "," } else { "" };
            done = end;
        }
        let lines = |indent: &str| -> String {
            let deeper = format!("{newline}{indent}{INDENT}");
            let line =
                |item: &String| format!("{indent}{INDENT}{},{newline}", item.replace(newline, &deeper));
            items.iter().map(line).collect()
        };
        if let Some(line) = self.own_line {
            changed += &text[done..line];
            changed += &lines(&text[line..self.close]);
            return changed + &text[line..];
        }
        if spread {
            let start = &text[self.first_line..];
            let indent = &start[..start.len() - start.trim_start_matches([' ', '\t']).len()];
            changed += text[done..self.close].trim_end();
            changed += newline;
            changed += &lines(indent);
            changed += indent;
        } else {
            changed += &text[done..self.close];
            if self.last.is_some() && !changed.ends_with(char::is_whitespace) {
                changed.push(' ');
            }
            changed += &items.join(", ");
        }
        changed + &text[self.close..]
    }
}
