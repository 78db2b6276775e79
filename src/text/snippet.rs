//! The source line under a diagnostic: tabs expanded, long lines shortened around the offending text, carets below it.

use super::source::Location;

/// Maximum number of characters shown of a source line: with the gutter, diagnostics fit 100 columns.
const MAX_WIDTH: usize = 90;
/// Maximum number of characters before the offending text if a long line is shortened.
const MAX_BEFORE: usize = 40;
const TAB: &str = "    ";

/// A line ready for printing, and the carets for the line below.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snippet {
    pub(super) line: String,
    /// Number of spaces before the carets.
    pub(super) indent: usize,
    /// Number of carets, 1 or more.
    pub(super) carets: usize,
}

/// The line of `text` in which `location` starts.
pub(super) fn cut(text: &str, location: Location) -> Snippet {
    let start = if text.is_char_boundary(location.start) { location.start.min(text.len()) } else { 0 };
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let line_end = start.max(line_start + text[line_start..line_end].trim_end_matches('\r').len());
    let end = location.end.clamp(start, line_end);
    let before = expanded(&text[line_start..start]);
    let inside = expanded(text.get(start..end).unwrap_or(""));
    let after = expanded(text.get(end..line_end).unwrap_or(""));
    let (from, to) = (before.len(), before.len() + inside.len());
    let line: Vec<char> = before.into_iter().chain(inside).chain(after).collect();
    window(&line, from, to)
}

/// The characters to print of a text: tabs become spaces, other control characters become U+FFFD.
fn expanded(text: &str) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.extend(TAB.chars()),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The part of `line` around the characters `from..to`, with an ellipsis on each shortened side.
fn window(line: &[char], from: usize, to: usize) -> Snippet {
    let whole = line.len() <= MAX_WIDTH;
    let first = if whole || from <= MAX_BEFORE { 0 } else { from - MAX_BEFORE };
    let last = (first + MAX_WIDTH).min(line.len());
    let mut shown: Vec<char> = line[first..last].to_vec();
    if first > 0 {
        shown[0] = '…';
    }
    if let (true, Some(end)) = (last < line.len(), shown.last_mut()) {
        *end = '…';
    }
    let carets = to.min(last).saturating_sub(from).max(1);
    Snippet { line: shown.into_iter().collect(), indent: from - first, carets }
}

#[cfg(test)]
mod tests {
    use super::super::source::Origin;
    use super::*;

    fn at(text: &str, start: usize, end: usize) -> Snippet {
        cut(text, Location { origin: Origin::File, start, end })
    }

    #[test]
    fn tabs_are_expanded_and_columns_count_characters() {
        let snippet = at("a\n\tµé: 20,\n", 9, 11);
        assert_eq!(snippet, Snippet { line: "    µé: 20,".to_owned(), indent: 8, carets: 2 });
    }

    #[test]
    fn a_long_line_is_shortened_on_both_sides() {
        let text = format!("{}HERE{}", "a".repeat(1000), "b".repeat(1000));
        let snippet = at(&text, 1000, 1004);
        assert_eq!(snippet.line.chars().count(), MAX_WIDTH);
        assert!(snippet.line.starts_with('…') && snippet.line.ends_with('…'));
        assert_eq!(
            snippet.line.chars().skip(snippet.indent).take(snippet.carets).collect::<String>(),
            "HERE"
        );
        let short = at(&text, 0, 2000);
        assert_eq!((short.indent, short.carets), (0, MAX_WIDTH));
    }

    #[test]
    fn a_location_of_several_lines_is_underlined_on_the_first() {
        assert_eq!(at("x: (\r\n1\r\n)", 3, 10), Snippet { line: "x: (".to_owned(), indent: 3, carets: 1 });
    }

    #[test]
    fn locations_at_the_end_of_the_text_and_beyond_are_accepted() {
        assert_eq!(at("ab\n", 3, 3), Snippet { line: String::new(), indent: 0, carets: 1 });
        assert_eq!(at("", 0, 0).carets, 1);
        assert_eq!(at("é", 1, 9).indent, 0);
        assert_eq!(at("ab\r\n", 3, 4).carets, 1);
        assert_eq!(at("ab\r\n", 2, 4).indent, 2);
    }
}
