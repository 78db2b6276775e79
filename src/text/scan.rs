//! The cursor of the parser: characters, whitespace and comments.
//!
//! Strings, numbers and names are in [`leaf`](super::leaf), brackets in [`parser`](super::parser). Errors after which
//! parsing can go on are added to `diagnostics`; any other error ends it.

use super::diagnostic::Diagnostic;
use super::path::Path;
use super::source::{Location, Origin};

/// The result of a parsing step: an error ends parsing.
pub(super) type Read<T> = Result<T, Diagnostic>;

pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    origin: Origin,
    /// Errors after which parsing went on.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str, start: usize, origin: Origin) -> Self {
        Self { text, at: start, origin, diagnostics: Vec::new() }
    }

    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    /// Moves to a byte offset of the text.
    pub(super) const fn return_to(&mut self, offset: usize) {
        self.at = offset;
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The text from `start`, an earlier offset, up to the current offset.
    pub(super) fn read_since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character after the next one.
    pub(super) fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn eat(&mut self, expected: char) -> bool {
        let eaten = self.peek() == Some(expected);
        if eaten {
            self.at += expected.len_utf8();
        }
        eaten
    }

    pub(super) fn eat_text(&mut self, expected: &str) -> bool {
        let eaten = self.rest().starts_with(expected);
        if eaten {
            self.at += expected.len();
        }
        eaten
    }

    pub(super) fn eat_while(&mut self, accepted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !accepted(c)).unwrap_or(rest.len());
    }

    /// The location from `start` up to the current offset.
    pub(super) const fn since(&self, start: usize) -> Location {
        Location { origin: self.origin, start, end: self.at }
    }

    /// The location of the next character, or of the end of the text.
    pub(super) fn here(&self) -> Location {
        let length = self.peek().map_or(0, char::len_utf8);
        Location { origin: self.origin, start: self.at, end: self.at + length }
    }

    /// The next word or character, for a message that ends with "found ..".
    pub(super) fn found(&self) -> String {
        match self.peek() {
            None => "the end of the text".to_owned(),
            Some(c) if is_word_start(c) => {
                let rest = self.rest();
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                format!("`{}`", super::tree::shortened(&rest[..end]))
            }
            Some(c) => format!("`{c}`"),
        }
    }

    pub(super) fn wrong(location: Location, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(location, Path::root(), message)
    }

    /// Skips whitespace and comments.
    pub(super) fn skip_blank(&mut self) -> Read<()> {
        loop {
            self.eat_while(is_blank);
            if self.rest().starts_with("//") {
                self.eat_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                self.skip_block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    /// Skips `/* ... */`, which may be nested.
    pub(super) fn skip_block_comment(&mut self) -> Read<()> {
        let start = self.at;
        let mut open = 0_usize;
        loop {
            if self.eat_text("/*") {
                open += 1;
            } else if self.eat_text("*/") {
                open -= 1;
                if open == 0 {
                    return Ok(());
                }
            } else if self.next().is_none() {
                let opening = Location { origin: self.origin, start, end: start + 2 };
                return Err(
                    Self::wrong(opening, "this comment is never closed").with_hint("close it with `*/`")
                );
            }
        }
    }
}

pub(super) fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `c` is whitespace in RON: Unicode's `Pattern_White_Space`.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanner(text: &str) -> Scanner<'_> {
        Scanner::new(text, 0, Origin::File)
    }

    #[test]
    fn whitespace_and_nested_comments_are_skipped() {
        let mut scan = scanner(" \r\n\t// one\n/* two /* inner */ still */ x");
        scan.skip_blank().unwrap();
        assert_eq!(scan.rest(), "x");
    }

    #[test]
    fn a_comment_without_an_end_is_reported_where_it_begins() {
        let diagnostic = scanner("  /* a /* b */").skip_blank().unwrap_err();
        assert_eq!((diagnostic.location.start, diagnostic.location.end), (2, 4));
        assert!(diagnostic.message.contains("never closed"));
    }
}
