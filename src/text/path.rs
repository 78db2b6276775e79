//! Paths from the root of a scenario to one of its values: `sources.customer-1001.arrivals.rate`, `probes.0.every`.
//!
//! Variants and `Some` are not part of a path: `.rate` is the field of `Poisson(rate: ...)`. A name with special
//! characters is quoted: `nodes."eu.west".queue`. A displayed path is parsed back as the same path.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// One segment of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// A field of a struct or a key of a map.
    Name(String),
    /// The index of an element of a list or a tuple, from 0.
    Index(usize),
}

/// The segments from the root of a scenario to a value; empty for the root itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The path of the whole scenario.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The path of the field or key `name` inside this path.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.push(Segment::Name(name.into()));
        self
    }

    /// The path of the element `index` inside this path.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(Segment::Index(index));
        self
    }

    /// The segments, from the root on.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The path of the parent and the last segment, or `None` for the root.
    #[must_use]
    pub fn split_last(&self) -> Option<(Self, &Segment)> {
        let (last, parent) = self.0.split_last()?;
        Some((Self(parent.to_vec()), last))
    }

    /// Whether this path is `ancestor` or one of its descendants.
    #[must_use]
    pub fn starts_with(&self, ancestor: &Self) -> bool {
        self.0.starts_with(&ancestor.0)
    }

    pub(super) fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    pub(super) fn pop(&mut self) -> Option<Segment> {
        self.0.pop()
    }
}

impl FromIterator<Segment> for Path {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(name) if is_plain(name) => f.write_str(name),
            Self::Name(name) => write!(f, "{name:?}"),
        }
    }
}

/// Whether a name needs no quotes in a path.
fn is_plain(name: &str) -> bool {
    let is_special = |c: char| matches!(c, '.' | '=' | '"' | '\\') || c.is_whitespace() || c.is_control();
    !(name.is_empty() || name.contains(is_special) || name.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(".")?;
            }
            write!(f, "{segment}")?;
        }
        Ok(())
    }
}

/// An error in the text of a path, with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// The offending bytes of the text.
    pub at: Range<usize>,
    message: &'static str,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for PathError {}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Ok(split(text)?.into_iter().map(|(segment, _)| segment).collect())
    }
}

/// The segments of a dotted path, each with its byte range.
pub(super) fn split(text: &str) -> Result<Vec<(Segment, Range<usize>)>, PathError> {
    let mut segments = Vec::new();
    let mut start = 0;
    loop {
        let rest = text.get(start..).unwrap_or("");
        let end = start
            + if rest.starts_with('"') { quoted_length(rest) } else { rest.find('.') }.unwrap_or(rest.len());
        let at = start..end;
        let segment = segment(&text[at.clone()]).map_err(|message| PathError { at: at.clone(), message })?;
        segments.push((segment, at));
        match text[end..].chars().next() {
            None => return Ok(segments),
            Some('.') => start = end + 1,
            Some(_) => {
                return Err(PathError {
                    at: end..text.len(),
                    message: "expected `.` after the closing quote",
                });
            }
        }
    }
}

/// The length of the quoted name at the start of `text`, with its quotes, or `None` if the closing quote is missing.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (offset, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(offset + 1),
            _ => {}
        }
    }
    None
}

/// Parses one segment, with or without quotes.
fn segment(text: &str) -> Result<Segment, &'static str> {
    let text = text.trim();
    if text.starts_with('"') {
        if quoted_length(text) != Some(text.len()) {
            return Err("a quoted name in the path is never closed");
        }
        return match super::parser::parse(text, 0, super::source::Origin::File)
            .map(|parsed| parsed.root.value)
        {
            Ok(super::tree::Value::Text(name)) => Ok(Segment::Name(name)),
            _ => Err("a quoted name in the path is not a valid text"),
        };
    }
    if text.is_empty() {
        return Err("expected a name in the path, found nothing");
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(index) if digits => Ok(Segment::Index(index)),
        _ => Ok(Segment::Name(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_with_dots_and_read_back() {
        let path = Path::root().name("probes").index(0).name("every");
        assert_eq!(path.to_string(), "probes.0.every");
        for path in
            [path, Path::root().name("a.b").name("say \"hi\"").name("7").name("\u{1b}[0m").name("é\\")]
        {
            assert_eq!(path.to_string().parse::<Path>(), Ok(path));
        }
    }

    #[test]
    fn an_invalid_path_is_refused_with_the_position_of_the_error() {
        let at = |text: &str| text.parse::<Path>().expect_err("an invalid path").at;
        assert_eq!(at(""), 0..0);
        assert_eq!(at("a..b"), 2..2);
        assert_eq!(at("a.\"b"), 2..4);
        assert_eq!(at("a.\"b\"c"), 5..6);
        assert_eq!(at("\"\\\""), 0..3);
    }

    #[test]
    fn descendants_are_compared_by_segments_not_by_characters() {
        let nodes = Path::root().name("nodes");
        assert!(nodes.clone().name("server").starts_with(&nodes));
        assert!(!Path::root().name("nodes-2").starts_with(&nodes));
    }
}
