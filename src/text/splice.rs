//! Changes values in the text of a scenario, and preserves everything else: comments, layout, order.
//!
//! This is the counterpart of [`overrides`], which change the tree: a value is replaced in place, or a field is added
//! before the closing bracket. Each splice parses the text again, so a splice can change what an earlier one added.

use std::ops::Range;

use super::diagnostic::Diagnostic;
use super::navigate::child;
use super::overrides;
use super::parser::parse;
use super::path::Segment;
use super::scan::Scanner;
use super::source::Origin;
use super::tree::{Node, Value};
use super::write;

/// The indentation of one level of brackets.
const INDENT: &str = "    ";

/// The text with the value that the `--set` argument sets.
///
/// # Errors
/// If the text is not RON, the argument is invalid, or its path does not exist in the text.
pub(super) fn set(text: &str, argument: &str) -> Result<String, Vec<Diagnostic>> {
    let origin = Origin::Set(0);
    // For the same diagnostics as those of an override.
    let root = parse(text, 0, Origin::File)?.root;
    overrides::apply(&root, argument, origin)?;
    let (segments, value) = overrides::read(argument, origin)?;
    let segments: Vec<Segment> = segments.into_iter().map(|(segment, _)| segment).collect();
    Ok(put(text, &root, &segments, &source_text(argument, &value)))
}

/// The text with `items` appended to the list or the map in the field `name` of the scenario, each on its own line. The field
/// is added, with these brackets, if it is missing.
///
/// # Errors
/// If the text is not RON.
pub(super) fn append(
    text: &str,
    name: &str,
    [open, close]: [char; 2],
    items: &[String],
) -> Result<String, Vec<Diagnostic>> {
    let root = parse(text, 0, Origin::File)?.root;
    let segment = Segment::Name(name.to_owned());
    if let Some((_, field)) = child(&root, &segment) {
        let last = if let Value::Map(entries) = &field.value {
            Some(entries.last().map(|entry| &entry.value))
        } else if let Value::List(present) = &field.value {
            Some(present.last())
        } else {
            None
        };
        if let Some(last) = last {
            return Ok(Brackets::of(text, field, last).with(items, true));
        }
    }
    let newline = newline(text);
    let lines: String = items.iter().map(|line| format!("{INDENT}{line},{newline}")).collect();
    let item = format!("{name}: {open}{newline}{lines}{close}");
    Ok(insert(text, &root, |_| item.clone()))
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The source text of the value in an argument, with quotes added to an unquoted text.
fn source_text(argument: &str, value: &Node) -> String {
    let source = argument.get(range(value)).unwrap_or("").trim();
    if let Value::Text(text) = &value.value
        && text == source
    {
        return quoted(text);
    }
    source.to_owned()
}

fn quoted(text: &str) -> String {
    write::ron(text).unwrap_or_default()
}

/// The text with `value` at the path `segments`.
fn put(text: &str, root: &Node, segments: &[Segment], value: &str) -> String {
    let mut node = root;
    for segment in segments {
        match child(node, segment) {
            Some((_, next)) => node = next,
            None => {
                let name = match segment {
                    Segment::Name(name) => name.clone(),
                    Segment::Index(index) => index.to_string(),
                };
                return insert(text, node, |parent| named(parent, &name, value));
            }
        }
    }
    let mut changed = text.to_owned();
    changed.replace_range(range(node), value);
    changed
}

fn range(node: &Node) -> Range<usize> {
    node.location.start..node.location.end
}

/// The source text of a field or an entry of `parent`.
fn named(parent: &Value, name: &str, value: &str) -> String {
    let name = if matches!(parent, Value::Map(_)) { quoted(name) } else { name.to_owned() };
    format!("{name}: {value}")
}

/// The text with another field or entry in `node`.
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

/// A bracketed node of the text, to which items are added.
struct Brackets<'a> {
    text: &'a str,
    /// The start of the line with the opening bracket.
    first_line: usize,
    /// The end of the last item and whether a comma is missing after it; `None` without items.
    last: Option<(usize, bool)>,
    /// The position of the closing bracket.
    close: usize,
    /// The start of the line of the closing bracket if the bracket is the first character on it.
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

    /// The text with more items. With `spread` each gets its own line; otherwise only if the closing bracket has one.
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
