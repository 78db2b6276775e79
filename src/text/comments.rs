//! Adds comments to a text that was [written](super::write) from a value, and lays it out.

use super::layout;
use super::navigate::{child, locate};
use super::parser::parse;
use super::path::Path;
use super::source::{Location, Origin};
use super::tree::{Node, Value};
use super::{Diagnostics, Sources};

/// Maximum width of a comment, without its indentation.
const WIDTH: usize = 100;

/// The text with comments above the values at these paths (at the root: at the beginning of the text), in the canonical
/// layout. The lists, maps and structs at the paths `broken` have a line for each item. Paths that are not in the text
/// are those of their nearest ancestors.
///
/// # Errors
/// If the text is not RON.
pub fn commented(text: &str, comments: &[(Path, String)], broken: &[Path]) -> Result<String, Diagnostics> {
    let failed = |errors| Diagnostics::new(Sources::new("the written text", text.to_owned()), errors);
    let root = parse(text, 0, Origin::File).map_err(failed)?.root;
    let mut insertions: Vec<(usize, String)> = Vec::new();
    for path in broken {
        insertions.extend(starts_of_items(&root, path).into_iter().map(|at| (at, "\n".to_owned())));
    }
    for (path, comment) in comments {
        let located = locate(&root, path);
        let start = located.key.unwrap_or(located.value).start;
        let lines = wrapped(comment).map(|line| format!("// {line}").trim_end().to_owned() + "\n");
        insertions.push((start, lines.collect::<String>()));
    }
    // In the order of the comments where several are at one place.
    insertions.sort_by_key(|(at, _)| *at);
    let mut out = String::new();
    let mut written = 0;
    for (at, inserted) in insertions {
        out += text.get(written..at).unwrap_or("");
        if !out.ends_with('\n') && inserted != "\n" {
            out.push('\n');
        }
        out += &inserted;
        written = at;
    }
    out += text.get(written..).unwrap_or("");
    layout::formatted("the written text", out.as_bytes())
}

/// Where the items of the list, map or struct at a path begin.
fn starts_of_items(root: &Node, path: &Path) -> Vec<usize> {
    let mut node = root;
    for segment in path.segments() {
        match child(node, segment) {
            Some((_, child)) => node = child,
            None => return Vec::new(),
        }
    }
    let starts = |node: &Node| -> Vec<Location> {
        match &node.value {
            Value::Record(_, fields) => fields.iter().map(|field| field.name.location).collect(),
            Value::Map(entries) => entries.iter().map(|entry| entry.key.location).collect(),
            Value::List(items) => items.iter().map(|item| item.location).collect(),
            Value::Tuple(..)
            | Value::Unit
            | Value::Bool(_)
            | Value::Char(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::Word(_)
            | Value::Removed => Vec::new(),
        }
    };
    // The path of a variant is also that of the value in it.
    let held = if let Value::Tuple(_, items) = &node.value {
        items.first().filter(|_| items.len() == 1)
    } else {
        None
    };
    starts(held.unwrap_or(node)).into_iter().map(|location| location.start).collect()
}

/// The lines of a comment.
fn wrapped(comment: &str) -> impl Iterator<Item = String> {
    let mut lines = Vec::new();
    for paragraph in comment.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() + 1 > WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line += word;
        }
        lines.push(line);
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stand_above_their_values_and_broken_brackets_have_a_line_for_each_item() {
        let text = "S(a: 1, b: {\"c\": X([1, 2])}, d: (e: 3))";
        let path = |text: &str| text.parse::<Path>().unwrap();
        let comments = [
            (path("b.c.1"), "two".to_owned()),
            (Path::root(), "head".to_owned()),
            (path("d.f"), "first\nsecond".to_owned()),
            (path("d.f"), "third".to_owned()),
        ];
        let expected = "// head\nS(\n    a: 1,\n    b: {\n        \"c\": X([\n            1,\n            // two\n            2,\n        ]),\n    },\n    // first\n    // second\n    // third\n    d: (e: 3),\n)\n";
        assert_eq!(commented(text, &comments, &[path("b")]).unwrap(), expected);
    }

    #[test]
    fn long_comments_are_wrapped() {
        let comment = "word ".repeat(60);
        let text = commented("1", &[(Path::root(), comment)], &[]).unwrap();
        assert!(text.lines().count() == 4 && text.lines().all(|line| line.len() <= WIDTH + 3), "{text}");
    }
}
