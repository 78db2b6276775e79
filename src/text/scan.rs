//! The cursor of the reader: characters, blanks, comments and bare names.
//!
//! Numbers are in [`number`](super::number), texts in [`quoted`](super::quoted), brackets in
//! [`parser`](super::parser). A mistake after which reading can go on is kept in `diagnostics`; any other ends it.

use super::diagnostic::Diagnostic;
use super::path::Path;
use super::source::{Location, Origin};
use super::tree::Word;

/// What a reading step returns: the first mistake that cannot be stepped over ends the reading.
pub(super) type Read<T> = Result<T, Diagnostic>;

pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    origin: Origin,
    /// Mistakes that were stepped over.
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

    /// Goes back to an offset that this scanner has been at.
    pub(super) const fn return_to(&mut self, offset: usize) {
        self.at = offset;
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The text read since an offset that this scanner has been at.
    pub(super) fn read_since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or("")
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character behind the next one.
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

    pub(super) fn eat_while(&mut self, wanted: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !wanted(c)).unwrap_or(rest.len());
    }

    /// From `start` up to here.
    pub(super) const fn since(&self, start: usize) -> Location {
        Location { origin: self.origin, start, end: self.at }
    }

    /// The next character, or the end of the text.
    pub(super) fn here(&self) -> Location {
        let length = self.peek().map_or(0, char::len_utf8);
        Location { origin: self.origin, start: self.at, end: self.at + length }
    }

    /// The next thing in words, for a sentence that ends with "found".
    pub(super) fn found(&self) -> String {
        match self.peek() {
            None => "the end".to_owned(),
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

    /// Skips blanks and comments.
    pub(super) fn skip_blank(&mut self) -> Read<()> {
        loop {
            self.eat_while(|c| c.is_whitespace() || c == '\u{feff}');
            if self.rest().starts_with("//") {
                self.eat_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                self.skip_block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    /// Skips `/* ... */`, others inside of it included.
    fn skip_block_comment(&mut self) -> Read<()> {
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

    /// A bare name such as `Random`, or `r#load-aware` where it has characters of its own.
    pub(super) fn word(&mut self) -> Option<Word> {
        let start = self.at;
        if self.rest().starts_with("r#") && self.rest()[2..].starts_with(is_raw_word) {
            self.at += 2;
            let name = self.at;
            self.eat_while(is_raw_word);
            return Some(Word { text: self.read_since(name).to_owned(), location: self.since(start) });
        }
        self.peek().filter(|&c| is_word_start(c))?;
        self.eat_while(is_word);
        Some(Word { text: self.read_since(start).to_owned(), location: self.since(start) })
    }
}

pub(super) fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_raw_word(c: char) -> bool {
    is_word(c) || matches!(c, '.' | '+' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanner(text: &str) -> Scanner<'_> {
        Scanner::new(text, 0, Origin::File)
    }

    #[test]
    fn blanks_and_nested_comments_are_skipped() {
        let mut scan = scanner(" \r\n\t// one\n/* two /* inner */ still */ x");
        scan.skip_blank().unwrap();
        assert_eq!(scan.rest(), "x");
    }

    #[test]
    fn a_comment_without_end_is_shown_where_it_begins() {
        let diagnostic = scanner("  /* a /* b */").skip_blank().unwrap_err();
        assert_eq!((diagnostic.location.start, diagnostic.location.end), (2, 4));
        assert!(diagnostic.message.contains("never closed"));
    }

    #[test]
    fn names_are_plain_or_raw() {
        assert_eq!(scanner("Load_2 x").word().unwrap().text, "Load_2");
        assert_eq!(scanner("r#load-aware:").word().unwrap().text, "load-aware");
        assert_eq!(scanner("größe").word().unwrap().text, "größe");
        assert_eq!(scanner("2x").word(), None);
        assert_eq!(scanner("").word(), None);
    }
}
