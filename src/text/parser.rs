//! Parses text into a tree: the grammar of RON.
//!
//! Parsing goes on after a missing comma at the end of a line, a quantity without quotes and a duplicate field, and
//! ends at any other error. `implicit_some` and `unwrap_variant_newtypes` are always on. Byte strings and ranges are
//! not supported: no scenario needs them.

use super::diagnostic::Diagnostic;
use super::leaf;
use super::scan::{Read, Scanner, is_word_start};
use super::source::{Location, Origin, in_words};
use super::tree::{Entry, Field, Node, Value, Word};

/// Maximum depth of nested brackets: far more than real scenarios have, far less than overflows a stack.
pub(super) const MAX_DEPTH: usize = 128;

/// A tree, and the errors after which parsing went on.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Parses `text` from byte `start` on: one value.
///
/// # Errors
/// The error that ended parsing, and all errors before it.
pub(super) fn parse(text: &str, start: usize, origin: Origin) -> Result<Parsed, Vec<Diagnostic>> {
    let mut parser = Parser { scan: Scanner::new(text, start, origin), depth: 0 };
    match parser.document() {
        Ok(mut root) => {
            let mut diagnostics = parser.scan.diagnostics;
            diagnostics.extend(super::duplicates::remove(&mut root, text));
            Ok(Parsed { root, diagnostics })
        }
        Err(last) => {
            let mut diagnostics = parser.scan.diagnostics;
            diagnostics.push(last);
            Err(diagnostics)
        }
    }
}

struct Parser<'a> {
    scan: Scanner<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn document(&mut self) -> Read<Node> {
        self.scan.skip_blank()?;
        self.scan.attributes()?;
        if self.scan.peek().is_none() {
            let message = "expected a value, found only whitespace and comments";
            let hint = "a scenario is written like Scenario(name: \"...\", sources: {...}, nodes: {...})";
            return Err(Scanner::wrong(self.scan.here(), message).with_hint(hint));
        }
        let root = self.value()?;
        self.scan.skip_blank()?;
        match self.scan.peek() {
            None => Ok(root),
            Some(_) => {
                let message = format!("expected the end of the text, found {}", self.scan.found());
                Err(self.with_common_hint(message))
            }
        }
    }

    /// Parses any value, after whitespace has been skipped.
    fn value(&mut self) -> Read<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("brackets are nested more than {MAX_DEPTH} deep here");
            return Err(Scanner::wrong(self.scan.here(), message));
        }
        let node = match self.scan.peek() {
            Some('(') => self.parentheses(None),
            Some('[') => self.list(),
            Some('{') => self.map(),
            Some('"') => self.scan.string(),
            Some('\'') => self.scan.character(),
            Some('r') if self.scan.at_raw_string() => self.scan.string(),
            _ if self.scan.at_number() => self.scan.number(),
            _ => self.named(),
        }?;
        self.depth -= 1;
        Ok(node)
    }

    /// Parses a bare name, with or without parentheses after it.
    fn named(&mut self) -> Read<Node> {
        let Some(word) = self.scan.word() else {
            return Err(Scanner::wrong(
                self.scan.here(),
                format!("expected a value, found {}", self.scan.found()),
            ));
        };
        let location = word.location;
        let value = match word.text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => {
                // `r#inf` is a name, not a number.
                let plain = location.end - location.start == text.len();
                if let Some(number) = leaf::number_of(text).filter(|_| plain) {
                    return Ok(Node { location, value: Value::Number(number) });
                }
                let end = self.scan.offset();
                self.scan.skip_blank()?;
                if self.scan.peek() == Some('(') {
                    return self.parentheses(Some(word));
                }
                if word.text == "Some" {
                    return Err(Scanner::wrong(location, "expected one value in `Some(..)`, found none"));
                }
                self.scan.return_to(end);
                Value::Word(word.text)
            }
        };
        Ok(Node { location, value })
    }

    /// Parses `()`, `(a: 1)` or `(1, 2)`, after an optional name.
    fn parentheses(&mut self, name: Option<Word>) -> Read<Node> {
        let opened = self.scan.here();
        let start = name.as_ref().map_or(opened.start, |name| name.location.start);
        self.scan.next();
        self.scan.skip_blank()?;
        let value = if self.scan.peek() == Some(')') {
            self.scan.next();
            if name.is_some() { Value::Tuple(name, Vec::new()) } else { Value::Unit }
        } else if self.at_field()? {
            Value::Record(name, self.fields(opened)?)
        } else {
            let mut items = Vec::new();
            self.items(opened, ')', |parser| {
                items.push(parser.value()?);
                Ok(())
            })?;
            Value::Tuple(name, items)
        };
        let node = Node { location: self.scan.since(start), value };
        let has_one_item = matches!(&node.value, Value::Tuple(_, items) if items.len() == 1);
        match node.name().map(|name| name.text.as_str()) {
            Some("Some") if !has_one_item => {
                Err(Scanner::wrong(node.location, "expected exactly one value in `Some(..)`"))
            }
            Some("None") => Err(Scanner::wrong(node.location, "expected `None`, found `None(..)`")),
            _ => Ok(node),
        }
    }

    /// Whether `name:` comes next.
    fn at_field(&mut self) -> Read<bool> {
        let start = self.scan.offset();
        let found = !self.scan.at_raw_string() && self.scan.word().is_some() && {
            self.scan.skip_blank()?;
            self.scan.peek() == Some(':')
        };
        self.scan.return_to(start);
        Ok(found)
    }

    fn fields(&mut self, opened: Location) -> Read<Vec<Field>> {
        let mut fields = Vec::new();
        self.items(opened, ')', |parser| {
            let Some(name) = parser.scan.word() else {
                let message = format!("expected a field name, found {}", parser.scan.found());
                let hint = "fields are written like name: value, with the name without quotes";
                return Err(Scanner::wrong(parser.scan.here(), message).with_hint(hint));
            };
            parser.colon(&format!("the field `{}`", super::tree::shortened(&name.text)))?;
            fields.push(Field { name, value: parser.value()? });
            Ok(())
        })?;
        Ok(fields)
    }

    fn list(&mut self) -> Read<Node> {
        let opened = self.scan.here();
        self.scan.next();
        let mut items = Vec::new();
        self.items(opened, ']', |parser| {
            items.push(parser.value()?);
            Ok(())
        })?;
        Ok(Node { location: self.scan.since(opened.start), value: Value::List(items) })
    }

    fn map(&mut self) -> Read<Node> {
        let opened = self.scan.here();
        self.scan.next();
        let mut entries = Vec::new();
        self.items(opened, '}', |parser| {
            let key = parser.value()?;
            parser.colon("the key")?;
            entries.push(Entry { key, value: parser.value()? });
            Ok(())
        })?;
        Ok(Node { location: self.scan.since(opened.start), value: Value::Map(entries) })
    }

    fn colon(&mut self, before: &str) -> Read<()> {
        self.scan.skip_blank()?;
        if !self.scan.eat(':') {
            let message = format!("expected `:` after {before}, found {}", self.scan.found());
            return Err(Scanner::wrong(self.scan.here(), message));
        }
        self.scan.skip_blank()
    }

    /// Parses items separated by commas, with an optional trailing comma, up to `close`.
    fn items(
        &mut self,
        opened: Location,
        close: char,
        mut item: impl FnMut(&mut Self) -> Read<()>,
    ) -> Read<()> {
        loop {
            self.scan.skip_blank()?;
            match self.scan.peek() {
                Some(c) if c == close => break,
                None | Some(')' | ']' | '}') => return Err(self.mismatch(opened, close, false)),
                Some(_) => item(self)?,
            }
            let end = self.scan.offset();
            self.scan.skip_blank()?;
            if self.scan.eat(',') {
                continue;
            }
            if self.scan.peek() == Some(close) {
                break;
            }
            if !self.reports_missing_comma(end) {
                return Err(self.mismatch(opened, close, true));
            }
        }
        self.scan.next();
        Ok(())
    }

    /// Reports a missing comma if the next item begins on another line. Returns whether it did.
    fn reports_missing_comma(&mut self, end: usize) -> bool {
        let item_next =
            self.scan.peek().is_some_and(|c| is_word_start(c) || matches!(c, '"' | '(' | '[' | '{'));
        if !item_next || !self.scan.read_since(end).contains('\n') {
            return false;
        }
        let last =
            self.scan.text().get(..end).and_then(|text| text.chars().next_back()).map_or(0, char::len_utf8);
        let location = Location { start: end - last, end, ..self.scan.here() };
        self.scan
            .diagnostics
            .push(Scanner::wrong(location, "expected `,` after this").with_hint("add a comma"));
        true
    }

    /// The diagnostic about a character where `close` was expected, or also a comma if `comma` is true.
    fn mismatch(&self, opened: Location, close: char, comma: bool) -> Diagnostic {
        let bracket = self.scan.text().get(opened.start..opened.end).unwrap_or("");
        if self.scan.peek().is_none() {
            return Scanner::wrong(opened, format!("this `{bracket}` is never closed"))
                .with_hint(format!("close it with `{close}`"));
        }
        let expected = if comma { format!("`,` or `{close}`") } else { format!("`{close}`") };
        let place = in_words(self.scan.text(), opened);
        let message =
            format!("expected {expected}, found {}; the `{bracket}` opens at {place}", self.scan.found());
        self.with_common_hint(message)
    }

    /// A diagnostic about the next character, with a hint if it looks like the syntax of another language.
    fn with_common_hint(&self, message: String) -> Diagnostic {
        let before = self.scan.text().get(..self.scan.offset()).unwrap_or("").trim_end();
        let hint = match self.scan.peek() {
            Some('=') => "a field is written like name: value",
            Some(':') => {
                "field names are written without quotes, in parentheses; keys of a map are written in braces {..}"
            }
            Some('{') => "fields are written in parentheses: Name(field: value)",
            Some(c) if is_word_start(c) && before.ends_with(|c: char| c.is_ascii_digit()) => {
                "quantities with a unit are written in quotes: \"3 rpm\""
            }
            _ => return Scanner::wrong(self.scan.here(), message),
        };
        Scanner::wrong(self.scan.here(), message).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(text: &str) -> (String, usize) {
        let diagnostics = parse(text, 0, Origin::File).expect_err("invalid RON");
        let last = diagnostics.last().unwrap();
        (last.message.clone(), last.location.start)
    }

    #[test]
    fn every_shape_is_read_with_its_location() {
        let text = "#![enable(implicit_some)]\n// one\nA(b: [1, (2, 'c')], d: { \"e\": None, }, f: G(), h: Some(()),)\n";
        let root = parse(text, 0, Origin::File).unwrap().root;
        let Value::Record(Some(name), fields) = &root.value else { panic!("{root:?}") };
        assert_eq!(name.text, "A");
        let pieces: Vec<_> =
            fields.iter().map(|field| &text[field.value.location.start..field.value.location.end]).collect();
        assert_eq!(pieces, ["[1, (2, 'c')]", "{ \"e\": None, }", "G()", "Some(())"]);
        assert_eq!(&text[root.location.start..root.location.end], text.lines().last().unwrap());
    }

    #[test]
    fn a_bracket_that_is_never_closed_is_shown_where_it_opens() {
        assert_eq!(fails("(a: [1, 2"), ("this `[` is never closed".to_owned(), 4));
        assert_eq!(fails("A(\n b: {"), ("this `{` is never closed".to_owned(), 7));
        let (message, at) = fails("(\n  a: [1, 2)\n)");
        assert_eq!(message, "expected `,` or `]`, found `)`; the `[` opens at line 2, column 6");
        assert_eq!(at, 12);
    }

    #[test]
    fn messages_contain_the_expected_and_the_found_syntax() {
        assert_eq!(fails("(a 1)").0, "expected `,` or `)`, found `1`; the `(` opens at line 1, column 1");
        assert_eq!(fails("(a: 1, b 2)").0, "expected `:` after the field `b`, found `2`");
        assert_eq!(fails("{1 2}").0, "expected `:` after the key, found `2`");
        assert_eq!(fails("(a: ,)").0, "expected a value, found `,`");
        assert_eq!(fails("(a: 1, \"b\": 2)").0, "expected a field name, found `\"`");
        assert_eq!(fails("(a: 1) x").0, "expected the end of the text, found `x`");
        assert!(fails("").0.contains("found only whitespace"));
        assert!(fails("// only\n").0.contains("found only whitespace"));
    }

    #[test]
    fn syntax_of_other_languages_is_reported_with_a_hint() {
        for (text, part) in [
            ("(a = 1)", "a field is written like name: value"),
            ("(\"a\": 1)", "field names are written without quotes"),
            ("A{a: 1}", "fields are written in parentheses"),
            ("(a: 3 rpm)", "quantities with a unit"),
        ] {
            let diagnostics = parse(text, 0, Origin::File).expect_err(text);
            assert!(diagnostics[0].hint.as_ref().unwrap().contains(part), "{text}: {diagnostics:?}");
        }
    }

    #[test]
    fn parsing_goes_on_after_a_missing_comma_at_the_end_of_a_line() {
        let text = "(\n  a: 1\n  b: [\"x\"\n \"y\"],\n c: 20/s\n)";
        let parsed = parse(text, 0, Origin::File).unwrap();
        let starts: Vec<_> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.location.start).collect();
        assert_eq!(starts, [7, 17, 30]);
    }

    #[test]
    fn only_attributes_of_ron_are_accepted() {
        assert!(parse("#![enable(implicit_some)]\n#![type = \"x\"] 1", 0, Origin::File).is_ok());
        let diagnostics = parse("#![enable(implicit_sum)] 1", 0, Origin::File).expect_err("unknown");
        assert_eq!(diagnostics[0].message, "unknown extension `implicit_sum`");
        assert_eq!((diagnostics[0].location.start, diagnostics[0].location.end), (10, 22));
        assert!(diagnostics[0].hint.as_ref().unwrap().contains("`implicit_some`"));
        assert!(fails("#![allow(x)] 1").0.contains("attribute"));
        assert!(fails("(a: 1, #![enable(implicit_some)] b: 2)").0.contains("expected"));
    }

    #[test]
    fn the_depth_of_brackets_is_limited() {
        for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}"), ("A(b:", ")"), ("Some(", ")")] {
            let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert!(parse(&nested(MAX_DEPTH - 1), 0, Origin::File).is_ok());
            assert!(fails(&nested(MAX_DEPTH)).0.contains("deep"));
            assert!(fails(&open.repeat(100_000)).0.contains("deep"));
        }
    }
}
