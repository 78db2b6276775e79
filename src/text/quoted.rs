//! Text in quotes, raw text, and single characters, with all their escapes.

use super::scan::{Read, Scanner};
use super::source::Location;
use super::tree::{Node, Value};

impl Scanner<'_> {
    /// Whether `r"` or `r#"` begins here.
    pub(super) fn at_raw_text(&self) -> bool {
        self.rest().strip_prefix('r').is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    }

    /// Reads `"text"`.
    pub(super) fn quoted(&mut self) -> Read<Node> {
        let start = self.offset();
        self.next();
        let mut text = String::new();
        loop {
            let run = self.offset();
            self.eat_while(|c| c != '"' && c != '\\');
            text.push_str(self.read_since(run));
            if self.eat('"') {
                return Ok(Node { location: self.since(start), value: Value::Text(text) });
            }
            if self.peek().is_none() {
                return Err(self.unclosed_text(start));
            }
            text.extend(self.escape()?);
        }
    }

    /// Reads `r"text"` or `r#"text"#`, in which nothing is an escape.
    pub(super) fn raw_text(&mut self) -> Read<Node> {
        let start = self.offset();
        self.eat('r');
        let hashes = self.offset();
        self.eat_while(|c| c == '#');
        let ending = format!("\"{}", self.read_since(hashes));
        self.eat('"');
        let Some(length) = self.rest().find(&ending) else {
            return Err(self.unclosed_text(start));
        };
        let text = self.rest()[..length].to_owned();
        self.return_to(self.offset() + length + ending.len());
        Ok(Node { location: self.since(start), value: Value::Text(text) })
    }

    /// Reads `'c'`.
    pub(super) fn character(&mut self) -> Read<Node> {
        let start = self.offset();
        self.next();
        let c = match self.peek() {
            Some('\\') => self.escape()?,
            Some('\'' | '\n') | None => None,
            Some(c) => {
                self.next();
                Some(c)
            }
        };
        match c {
            Some(c) if self.eat('\'') => Ok(Node { location: self.since(start), value: Value::Char(c) }),
            _ => Err(Self::wrong(self.since(start), "single quotes hold exactly one character")
                .with_hint("text is written in double quotes: \"text\"")),
        }
    }

    fn unclosed_text(&self, start: usize) -> super::diagnostic::Diagnostic {
        let opening = Location { end: start + 1, ..self.since(start) };
        Self::wrong(opening, "this text is never closed").with_hint("close it with `\"`")
    }

    /// Reads an escape; a backslash at the end of a line joins it to the next and stands for nothing.
    fn escape(&mut self) -> Read<Option<char>> {
        let start = self.offset();
        self.next();
        let escaped = match self.next() {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('0') => Some('\0'),
            Some(c @ ('\\' | '"' | '\'')) => Some(c),
            Some('x') => self.hexadecimal(2),
            Some('u') if self.eat('{') => self.hexadecimal(6).filter(|_| self.eat('}')),
            Some('\n') => return Ok(self.join_lines()),
            Some('\r') if self.eat('\n') => return Ok(self.join_lines()),
            _ => None,
        };
        match escaped {
            Some(c) => Ok(Some(c)),
            None => Err(Self::wrong(
                self.since(start),
                format!("unknown escape {}", self.read_since(start).escape_debug()),
            )
            .with_hint(
                "there are \\n \\r \\t \\0 \\\\ \\\" \\' \\x41 and \\u{1F600}; a backslash itself is \\\\",
            )),
        }
    }

    fn join_lines(&mut self) -> Option<char> {
        self.eat_while(char::is_whitespace);
        None
    }

    /// The character with a code of at most `most` hexadecimal digits; exactly so many for `\x41`.
    fn hexadecimal(&mut self, most: usize) -> Option<char> {
        let start = self.offset();
        while self.offset() - start < most && self.peek().is_some_and(|c| c.is_ascii_hexdigit()) {
            self.next();
        }
        let digits = self.read_since(start);
        let complete = if most == 2 { digits.len() == 2 } else { !digits.is_empty() };
        complete.then(|| u32::from_str_radix(digits, 16).ok()).flatten().and_then(char::from_u32)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::super::source::Origin;
    use super::*;

    fn read(text: &str) -> Result<Value, String> {
        parse(text, 0, Origin::File).map(|parsed| parsed.root.value).map_err(|list| list[0].message.clone())
    }

    #[test]
    fn escapes_are_resolved() {
        let text = |text: &str| Ok(Value::Text(text.to_owned()));
        assert_eq!(read(r#""a\n\r\t\0\\\"\'\x41\u{1F600}\u{e9}""#), text("a\n\r\t\0\\\"'A😀é"));
        assert_eq!(read("\"two\nlines\""), text("two\nlines"));
        assert_eq!(read("\"one \\\r\n   line\""), text("one line"));
        assert_eq!(read("\"\""), text(""));
    }

    #[test]
    fn raw_texts_keep_their_backslashes_and_quotes() {
        assert_eq!(read(r#"r"a\n""#), Ok(Value::Text("a\\n".to_owned())));
        assert_eq!(read(r###"r##"say "#hi"# "##"###), Ok(Value::Text("say \"#hi\"# ".to_owned())));
    }

    #[test]
    fn characters_stand_in_single_quotes() {
        assert_eq!(read("'x'"), Ok(Value::Char('x')));
        assert_eq!(read(r"'\''"), Ok(Value::Char('\'')));
        assert_eq!(read("'é'"), Ok(Value::Char('é')));
        for text in ["''", "'ab'", "'", "'a", "'\\"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn broken_texts_are_refused() {
        for text in ["\"abc", "\"", "\"\\", "r#\"abc\"", "\"a\\\""] {
            assert!(read(text).is_err(), "{text}");
        }
        for text in [r#""\q""#, r#""\x4""#, r#""\u{}""#, r#""\u{d800}""#, r#""\u41""#, r#""\u{1234567}""#] {
            assert!(read(text).unwrap_err().contains("unknown escape"), "{text}");
        }
    }
}
