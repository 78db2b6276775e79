//! The texts of a scenario, which are the file and the `--set` arguments, and locations in them.
//!
//! Locations are byte offsets with their origin. Lines and columns (from 1, columns in characters) are counted only
//! for output.

/// The text that a location points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The scenario file.
    File,
    /// The `--set` argument with this index, counted from 0.
    Set(usize),
}

/// A range of a text: bytes `start..end` of its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The text that the offsets refer to.
    pub origin: Origin,
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

/// The texts of a scenario, from which diagnostics print source lines.
#[derive(Clone, Debug)]
pub struct Sources {
    name: String,
    text: String,
    arguments: Vec<String>,
}

impl Sources {
    pub(crate) fn new(name: &str, text: String) -> Self {
        Self { name: name.to_owned(), text, arguments: Vec::new() }
    }

    /// Adds a `--set` argument, and returns its origin.
    pub(super) fn add_argument(&mut self, argument: &str) -> Origin {
        self.arguments.push(argument.to_owned());
        Origin::Set(self.arguments.len() - 1)
    }

    /// The name of the file, as given by the user.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The `--set` arguments, in order.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The text of `origin`; empty for a `--set` argument that does not exist.
    #[must_use]
    pub fn text(&self, origin: Origin) -> &str {
        match origin {
            Origin::File => &self.text,
            Origin::Set(index) => self.arguments.get(index).map_or("", String::as_str),
        }
    }

    /// Line and column of the first character of a location, both from 1.
    #[must_use]
    pub fn line_and_column(&self, location: Location) -> (usize, usize) {
        line_and_column(self.text(location.origin), location.start)
    }
}

/// Line and column, from 1, of the character at byte `offset` of `text`.
pub(super) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// The position of a location, for messages: "line 3, column 7", or "column 7" in a `--set` argument.
pub(super) fn in_words(text: &str, location: Location) -> String {
    let (line, column) = line_and_column(text, location.start);
    match location.origin {
        Origin::File => format!("line {line}, column {column}"),
        Origin::Set(_) => format!("column {column}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_from_one() {
        let text = "µs\r\n  é: 1\n";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, text.find(':').unwrap()), (2, 4));
        assert_eq!(line_and_column(text, text.len()), (3, 1));
        assert_eq!(line_and_column(text, 1), (3, 1), "an offset inside a character falls back to the end");
        assert_eq!(line_and_column("", 99), (1, 1));
    }

    #[test]
    fn each_argument_has_its_own_origin() {
        let mut sources = Sources::new("a.ron", "(b: 1)".to_owned());
        let origin = sources.add_argument("b=2");
        assert_eq!(origin, Origin::Set(0));
        assert_eq!(sources.text(origin), "b=2");
        assert_eq!(sources.text(Origin::Set(7)), "");
        assert_eq!(sources.text(Origin::File), "(b: 1)");
    }
}
