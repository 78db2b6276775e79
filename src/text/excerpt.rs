//! A line of another file that a diagnostic is about, such as a trace that a scenario names.

use super::source::{Location, Origin};

/// A part of a line of a file that is not a scenario. The rest of the file is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The name of the file.
    pub file: String,
    /// The number of the line, from 1.
    pub line: u64,
    /// The text of the line.
    pub text: String,
    /// Offset in the line of the first byte that the diagnostic is about.
    pub start: usize,
    /// Offset after the last of these bytes.
    pub end: usize,
}

impl Excerpt {
    /// `trace.csv:12:7`: the file, and the line and the column (in characters) of the first character, both from 1.
    #[must_use]
    pub fn place(&self) -> String {
        let before = self.text.get(..self.start).unwrap_or(&self.text);
        format!("{}:{}:{}", self.file, self.line, before.chars().count() + 1)
    }

    /// The location of the part in the line.
    pub(super) const fn location(&self) -> Location {
        Location { origin: Origin::File, start: self.start, end: self.end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let excerpt = |start| Excerpt {
            file: "a.csv".to_owned(),
            line: 7,
            text: "µs,x".to_owned(),
            start,
            end: start + 1,
        };
        assert_eq!(excerpt(0).place(), "a.csv:7:1");
        assert_eq!(excerpt(4).place(), "a.csv:7:4");
        assert_eq!(excerpt(99).place(), "a.csv:7:5");
    }
}
