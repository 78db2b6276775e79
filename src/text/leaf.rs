//! The leaves of a text, read by `ron`: strings, characters, numbers and names are those of RON by construction.
//!
//! `ron` determines the value and the length of a leaf; this module adds positions and messages of errors. A frequent
//! error is a quantity without quotes, `rate: 20/s`: it is reported and read as the intended string, so that the other
//! errors of the file are found in the same run.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Visitor};

use super::diagnostic::Diagnostic;
use super::nearest;
use super::scan::{Read, Scanner, is_blank, is_word};
use super::source::Location;
use super::tree::{Node, Number, Value, Word, shortened};

/// The extensions of `#![enable(..)]`. Those that make a difference are always on.
const EXTENSIONS: [&str; 4] =
    ["implicit_some", "unwrap_newtypes", "unwrap_variant_newtypes", "explicit_struct_names"];

/// Reads a `T` at the start of `rest`, with its length in bytes, or an error with the number of bytes before it.
fn read<T: DeserializeOwned>(rest: &str) -> Result<(T, usize), (ron::Error, usize)> {
    // `ron` would skip blanks, comments and attributes first.
    if rest.starts_with(['#', '/']) || rest.starts_with(is_blank) {
        return Err((ron::Error::ExpectedIdentifier, 0));
    }
    let mut leaf = ron::Deserializer::from_str(rest).map_err(|error| (error.code, 0))?;
    let value = T::deserialize(&mut leaf);
    let length = rest.len() - leaf.remainder().len();
    value.map(|value| (value, length)).map_err(|error| (error, length))
}

impl Scanner<'_> {
    /// Reads the attributes at the start of a document, such as `#![enable(implicit_some)]`, and the blanks after them.
    pub(super) fn attributes(&mut self) -> Read<()> {
        if !self.rest().starts_with("#!") {
            return Ok(());
        }
        let (start, rest) = (self.offset(), self.rest());
        match ron::Deserializer::from_str(rest) {
            Ok(document) => {
                self.return_to(start + rest.len() - document.remainder().len());
                Ok(())
            }
            Err(ron::error::SpannedError { code: ron::Error::NoSuchExtension(name), .. }) => {
                let at = start + rest.find(&name).unwrap_or(0);
                let location = Location { start: at, end: at + name.len(), ..self.here() };
                Err(Self::wrong(location, format!("unknown extension `{}`", shortened(&name)))
                    .with_hint(nearest::hint(&name, EXTENSIONS)))
            }
            Err(_) => {
                let opening = Location { end: start + 2, ..self.here() };
                Err(Self::wrong(opening, "expected a RON attribute")
                    .with_hint("an attribute is written like #![enable(implicit_some)]"))
            }
        }
    }

    /// Whether `r"` or `r#"` begins here.
    pub(super) fn at_raw_string(&self) -> bool {
        self.rest().strip_prefix('r').is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    }

    /// Whether a number begins here. `inf` and `NaN` without a sign are [words](Self::word) until they are read.
    pub(super) fn at_number(&self) -> bool {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        match self.peek() {
            Some('+' | '-') => true,
            Some('.') => digit(self.peek_second()),
            Some('b') => self.peek_second() == Some('\''),
            first => digit(first),
        }
    }

    /// Reads `"text"`, `r"text"` or `r#"text"#`.
    pub(super) fn string(&mut self) -> Read<Node> {
        let start = self.offset();
        match read::<String>(self.rest()) {
            Ok((text, length)) => {
                self.return_to(start + length);
                Ok(Node { location: self.since(start), value: Value::Text(text) })
            }
            Err((ron::Error::InvalidEscape(_), length)) => Err(self.unknown_escape(start, length)),
            Err(_) => {
                let opening = Location { end: start + 1, ..self.here() };
                Err(Self::wrong(opening, "this text is never closed").with_hint("close it with `\"`"))
            }
        }
    }

    /// The diagnostic about the escape at which reading stopped, `length` bytes after `start`.
    fn unknown_escape(&mut self, start: usize, length: usize) -> Diagnostic {
        self.return_to(start + length);
        let escape = self.read_since(start).rfind('\\').map_or(start, |backslash| start + backslash);
        let written = self.read_since(escape).escape_debug().to_string();
        Self::wrong(self.since(escape), format!("unknown escape {written}")).with_hint(
            "valid escapes are \\n \\r \\t \\0 \\\\ \\\" \\' \\x41 and \\u{1F600}; write a backslash as \\\\",
        )
    }

    /// Reads `'c'`.
    pub(super) fn character(&mut self) -> Read<Node> {
        let start = self.offset();
        let read = read::<char>(self.rest());
        let (Ok((_, length)) | Err((_, length))) = read;
        self.return_to(start + length);
        match read {
            Ok((c, _)) => Ok(Node { location: self.since(start), value: Value::Char(c) }),
            Err(_) => Err(Self::wrong(self.since(start), "expected exactly one character in single quotes")
                .with_hint("text is written in double quotes: \"text\"")),
        }
    }

    /// Reads the number that begins here.
    pub(super) fn number(&mut self) -> Read<Node> {
        let start = self.offset();
        let read = read::<Number>(self.rest());
        if let Ok((_, length)) = read {
            self.return_to(start + length);
        }
        self.eat('-');
        self.eat('+');
        self.eat_while(|c| is_word(c) || c == '.');
        let unit = self.rest().strip_prefix('/').unwrap_or(self.rest());
        if self.read_since(start).ends_with(is_word)
            && unit.starts_with(|c: char| c.is_alphabetic() || c == '%')
        {
            self.eat('/');
            self.eat_while(|c| is_word(c) || c == '%');
        }
        let (location, written) = (self.since(start), self.read_since(start));
        let number = match read {
            Ok((number, length)) if length == written.len() => number,
            Ok(_) | Err(_) if is_quantity(written) => return Ok(self.quantity(location, written.to_owned())),
            Err((ron::Error::IntegerOutOfBounds, _)) => {
                return Err(Self::wrong(location, "this number is too large"));
            }
            Ok(_) | Err(_) if location.start == location.end => {
                return Err(Self::wrong(self.here(), format!("expected a number, found {}", self.found())));
            }
            Ok(_) | Err(_) => {
                return Err(Self::wrong(location, format!("`{}` is not a number", shortened(written))));
            }
        };
        if number.as_f64().is_infinite() && !written.ends_with("inf") {
            return Err(Self::wrong(location, "this number is too large"));
        }
        Ok(Node { location, value: Value::Number(number) })
    }

    /// Reports a quantity without quotes, and reads it as a string.
    fn quantity(&mut self, location: Location, written: String) -> Node {
        let shown = shortened(&written);
        self.diagnostics.push(
            Self::wrong(location, format!("expected quotes around `{shown}`"))
                .with_hint(format!("quantities with a unit are written in quotes: \"{shown}\"")),
        );
        Node { location, value: Value::Text(written) }
    }

    /// Reads a bare name such as `Random`, or `r#load-aware` with special characters. `None` if there is no name.
    pub(super) fn word(&mut self) -> Option<Word> {
        let start = self.offset();
        let (Name(text), length) = read(self.rest()).ok()?;
        self.return_to(start + length);
        Some(Word { text, location: self.since(start) })
    }
}

/// The number of the words `inf` and `NaN`, or `None` for any other word.
pub(super) fn number_of(word: &str) -> Option<Number> {
    let (number, length) = read(word).ok()?;
    (length == word.len()).then_some(number)
}

/// Whether a text that is not a number is a quantity: digits, then letters or `%`.
fn is_quantity(written: &str) -> bool {
    let unsigned = written.trim_start_matches(['-', '+']);
    let prefixed = ["0x", "0o", "0b"].iter().any(|prefix| unsigned.starts_with(prefix));
    !prefixed
        && unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_alphabetic() || c == '%')
}

/// A bare name.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyName;

        impl Visitor<'_> for AnyName {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name(name.to_owned()))
            }
        }

        deserializer.deserialize_identifier(AnyName)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyNumber;

        impl Visitor<'_> for AnyNumber {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Number, E> {
                Ok(Number::Unsigned(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Number, E> {
                Ok(u64::try_from(number).map_or(Number::Negative(number), Number::Unsigned))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Number, E> {
                Ok(Number::Float(number))
            }
        }

        deserializer.deserialize_any(AnyNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::super::source::Origin;
    use super::*;

    fn number(text: &str) -> (Result<Value, String>, usize) {
        let mut scan = Scanner::new(text, 0, Origin::File);
        let value = scan.number().map(|node| node.value).map_err(|diagnostic| diagnostic.message);
        (value, scan.diagnostics.len())
    }

    fn value(text: &str) -> Result<Value, String> {
        parse(text, 0, Origin::File).map(|parsed| parsed.root.value).map_err(|list| list[0].message.clone())
    }

    #[test]
    fn every_way_to_write_a_number_is_read() {
        use Number::{Float, Negative, Unsigned};
        let cases = [
            ("42", Unsigned(42)),
            ("-3", Negative(-3)),
            ("+7", Unsigned(7)),
            ("0xfF", Unsigned(255)),
            ("-0b11", Negative(-3)),
            ("0o17", Unsigned(15)),
            ("1_000", Unsigned(1000)),
            ("70000", Unsigned(70_000)),
            ("4294967296", Unsigned(1 << 32)),
            ("7u16", Unsigned(7)),
            ("2.5", Float(2.5)),
            ("0.1", Float(0.1)),
            (".5", Float(0.5)),
            ("1.", Float(1.0)),
            ("1e3", Float(1000.0)),
            ("1E-3", Float(0.001)),
            ("-inf", Float(f64::NEG_INFINITY)),
            ("-0.0", Float(-0.0)),
            ("18446744073709551615", Unsigned(u64::MAX)),
            ("-9223372036854775808", Negative(i64::MIN)),
            ("-0", Unsigned(0)),
            ("18446744073709551616", Float(18_446_744_073_709_551_616.0)),
            ("-9223372036854775809", Float(-9_223_372_036_854_775_808.0)),
        ];
        for (text, expected) in cases {
            assert_eq!(number(text), (Ok(Value::Number(expected)), 0), "{text}");
        }
        assert!(matches!(value("NaN"), Ok(Value::Number(Float(x))) if x.is_nan()));
        assert_eq!(value("inf"), Ok(Value::Number(Float(f64::INFINITY))));
        assert_eq!(value("info"), Ok(Value::Word("info".to_owned())));
    }

    #[test]
    fn invalid_and_too_large_numbers_are_refused() {
        for text in ["1e999", "-1e999", "0xfffffffffffffffff"] {
            assert!(number(text).0.unwrap_err().contains("too large"), "{text}");
        }
        for text in ["-", "0x", "+.", "-,", "0xfg", "1..2"] {
            assert!(number(text).0.unwrap_err().contains("not a number"), "{text}");
        }
    }

    #[test]
    fn a_quantity_without_quotes_is_read_as_text() {
        for text in ["20/s", "250ms", "1.5s", "5%", "5d", "1e", "-3s", "64KiB"] {
            assert_eq!(number(text), (Ok(Value::Text(text.to_owned())), 1), "{text}");
        }
        assert_eq!(number("20 // s").1, 0);
        assert_eq!(number("20//s"), (Ok(Value::Number(Number::Unsigned(20))), 0));
        assert_eq!(number("20/*s*/"), (Ok(Value::Number(Number::Unsigned(20))), 0));
    }

    #[test]
    fn escapes_are_resolved() {
        let text = |text: &str| Ok(Value::Text(text.to_owned()));
        assert_eq!(value(r#""a\n\r\t\0\\\"\'\x41\u{1F600}\u{e9}""#), text("a\n\r\t\0\\\"'A😀é"));
        assert_eq!(value("\"two\nlines\""), text("two\nlines"));
        assert_eq!(value("\"one \\\r\n   line\""), text("one line"));
        assert_eq!(value("\"\""), text(""));
    }

    #[test]
    fn raw_strings_keep_their_backslashes_and_quotes() {
        assert_eq!(value(r#"r"a\n""#), Ok(Value::Text("a\\n".to_owned())));
        assert_eq!(value(r###"r##"say "#hi"# "##"###), Ok(Value::Text("say \"#hi\"# ".to_owned())));
    }

    #[test]
    fn characters_are_read_in_single_quotes() {
        assert_eq!(value("'x'"), Ok(Value::Char('x')));
        assert_eq!(value(r"'\''"), Ok(Value::Char('\'')));
        assert_eq!(value("'é'"), Ok(Value::Char('é')));
        for text in ["''", "'ab'", "'", "'a", "'\\"] {
            assert!(value(text).is_err(), "{text}");
        }
    }

    #[test]
    fn invalid_strings_are_refused_with_the_position_of_the_error() {
        for text in ["\"abc", "\"", "\"\\", "r#\"abc\"", "\"a\\\""] {
            assert_eq!(value(text).unwrap_err(), "this text is never closed", "{text}");
        }
        for text in [r#""\q""#, r#""\x4""#, r#""\u{}""#, r#""\u{d800}""#, r#""\u41""#, r#""\u{1234567}""#] {
            assert!(value(text).unwrap_err().starts_with("unknown escape \\"), "{text}");
        }
        let diagnostics = parse(r#"(a: "ok \n \q")"#, 0, Origin::File).expect_err("an unknown escape");
        assert_eq!((diagnostics[0].location.start, diagnostics[0].location.end), (11, 13));
    }

    #[test]
    fn names_are_plain_or_raw() {
        let word = |text: &str| Scanner::new(text, 0, Origin::File).word().map(|word| word.text);
        assert_eq!(word("Load_2 x").as_deref(), Some("Load_2"));
        assert_eq!(word("r#load-aware:").as_deref(), Some("load-aware"));
        assert_eq!(word("größe").as_deref(), Some("größe"));
        assert_eq!((word("2x"), word(""), word("load-aware")), (None, None, None));
    }
}
