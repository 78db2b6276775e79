//! From text to tree: the grammar of RON, brackets and all.
//!
//! Reading ends at the first mistake that leaves open what comes next. A missing comma at the end of a line, a
//! quantity without quotes, an unknown extension and a doubled field are stepped over and complained about together.
//! `implicit_some` and `unwrap_variant_newtypes` are always on. Left out of RON: byte strings and numbers with a type
//! (`1u8`), for which no scenario has a use.

use super::diagnostic::Diagnostic;
use super::scan::{Read, Scanner, is_word_start};
use super::source::{Location, Origin, in_words};
use super::tree::{Entry, Field, Node, Number, Value, Word};

/// How many brackets deep a scenario may be: far beyond any real one, far within any stack.
pub(super) const MAX_DEPTH: usize = 128;

const EXTENSIONS: [&str; 4] =
    ["implicit_some", "unwrap_newtypes", "unwrap_variant_newtypes", "explicit_struct_names"];

/// A tree, and the mistakes that were stepped over on the way.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Reads the one value that `text` holds from byte `start` on.
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
        while self.scan.rest().starts_with("#!") {
            self.attribute()?;
            self.scan.skip_blank()?;
        }
        if self.scan.peek().is_none() {
            return Err(Scanner::wrong(self.scan.here(), "there is nothing here but blanks and comments")
                .with_hint(
                    "a scenario is written like Scenario(name: \"...\", sources: {...}, nodes: {...})",
                ));
        }
        let root = self.value()?;
        self.scan.skip_blank()?;
        match self.scan.peek() {
            None => Ok(root),
            Some(_) => {
                let message =
                    format!("expected the end behind the last bracket, found {}", self.scan.found());
                Err(self.with_slip(message))
            }
        }
    }

    /// `#![enable(implicit_some)]`
    fn attribute(&mut self) -> Read<()> {
        for part in ["#", "!", "[", "enable", "("] {
            self.expect(part, "an attribute is written like #![enable(implicit_some)]")?;
        }
        let opened = self.scan.here();
        self.items(opened, ')', |parser| {
            let Some(word) = parser.scan.word() else {
                let message = format!("expected the name of an extension, found {}", parser.scan.found());
                return Err(Scanner::wrong(parser.scan.here(), message));
            };
            if !EXTENSIONS.contains(&word.text.as_str()) {
                let message = format!("unknown extension `{}`", super::tree::shortened(&word.text));
                let hint = super::nearest::hint(&word.text, EXTENSIONS);
                parser.scan.diagnostics.push(Scanner::wrong(word.location, message).with_hint(hint));
            }
            Ok(())
        })?;
        self.expect("]", "the attribute ends with `]`")
    }

    fn expect(&mut self, part: &str, hint: &str) -> Read<()> {
        self.scan.skip_blank()?;
        if self.scan.eat_text(part) {
            return Ok(());
        }
        let message = format!("expected `{part}`, found {}", self.scan.found());
        Err(Scanner::wrong(self.scan.here(), message).with_hint(hint))
    }

    /// Reads any value; blanks in front of it are gone already.
    fn value(&mut self) -> Read<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("brackets are more than {MAX_DEPTH} deep here");
            return Err(Scanner::wrong(self.scan.here(), message));
        }
        let node = match self.scan.peek() {
            Some('(') => self.parentheses(None),
            Some('[') => self.list(),
            Some('{') => self.map(),
            Some('"') => self.scan.quoted(),
            Some('\'') => self.scan.character(),
            Some('r') if self.scan.at_raw_text() => self.scan.raw_text(),
            _ if self.scan.at_number() => self.scan.number(),
            _ => self.named(),
        }?;
        self.depth -= 1;
        Ok(node)
    }

    /// A bare name, perhaps with parentheses behind it.
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
            "inf" => Value::Number(Number::Float(f64::INFINITY)),
            "NaN" => Value::Number(Number::Float(f64::NAN)),
            _ => {
                let behind = self.scan.offset();
                self.scan.skip_blank()?;
                if self.scan.peek() == Some('(') {
                    return self.parentheses(Some(word));
                }
                self.scan.return_to(behind);
                Value::Word(word.text)
            }
        };
        Ok(Node { location, value })
    }

    /// `()`, `(a: 1)` or `(1, 2)`, with a name in front or without.
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
        Ok(Node { location: self.scan.since(start), value })
    }

    /// Whether `name:` comes next.
    fn at_field(&mut self) -> Read<bool> {
        let start = self.scan.offset();
        let found = !self.scan.at_raw_text() && self.scan.word().is_some() && {
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
                let message = format!("expected the name of a field, found {}", parser.scan.found());
                let hint = "fields are written like name: value, their names without quotes";
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

    fn colon(&mut self, behind: &str) -> Read<()> {
        self.scan.skip_blank()?;
        if !self.scan.eat(':') {
            let message = format!("expected `:` behind {behind}, found {}", self.scan.found());
            return Err(Scanner::wrong(self.scan.here(), message));
        }
        self.scan.skip_blank()
    }

    /// Reads items with commas between them, and maybe one behind the last, until `close`.
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
            if !self.steps_over_missing_comma(end) {
                return Err(self.mismatch(opened, close, true));
            }
        }
        self.scan.next();
        Ok(())
    }

    /// Where the next item stands on a line of its own, only the comma is missing.
    fn steps_over_missing_comma(&mut self, end: usize) -> bool {
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
            .push(Scanner::wrong(location, "expected `,` behind this").with_hint("add a comma"));
        true
    }

    fn mismatch(&self, opened: Location, close: char, comma: bool) -> Diagnostic {
        let bracket = self.scan.text().get(opened.start..opened.end).unwrap_or("");
        if self.scan.peek().is_none() {
            return Scanner::wrong(opened, format!("this `{bracket}` is never closed"))
                .with_hint(format!("close it with `{close}`"));
        }
        let wanted = if comma { format!("`,` or `{close}`") } else { format!("`{close}`") };
        let place = in_words(self.scan.text(), opened);
        let message =
            format!("expected {wanted}, found {}; the `{bracket}` opens at {place}", self.scan.found());
        self.with_slip(message)
    }

    /// A diagnostic about the next character, with how to mend what other languages write differently.
    fn with_slip(&self, message: String) -> Diagnostic {
        let before = self.scan.text().get(..self.scan.offset()).unwrap_or("").trim_end();
        let hint = match self.scan.peek() {
            Some('=') => "a field is written like name: value",
            Some(':') => {
                "names of fields stand without quotes, in parentheses; keys of a map stand in braces {..}"
            }
            Some('{') => "fields stand in parentheses: Name(field: value)",
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
        let diagnostics = parse(text, 0, Origin::File).expect_err("a broken text");
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
    fn what_was_expected_is_said() {
        assert_eq!(fails("(a 1)").0, "expected `,` or `)`, found `1`; the `(` opens at line 1, column 1");
        assert_eq!(fails("(a: 1, b 2)").0, "expected `:` behind the field `b`, found `2`");
        assert_eq!(fails("{1 2}").0, "expected `:` behind the key, found `2`");
        assert_eq!(fails("(a: ,)").0, "expected a value, found `,`");
        assert_eq!(fails("(a: 1, \"b\": 2)").0, "expected the name of a field, found `\"`");
        assert_eq!(fails("(a: 1) x").0, "expected the end behind the last bracket, found `x`");
        assert!(fails("").0.contains("nothing here"));
        assert!(fails("// only\n").0.contains("nothing here"));
    }

    #[test]
    fn slips_from_other_languages_come_with_a_hint() {
        for (text, part) in [
            ("(a = 1)", "a field is written like name: value"),
            ("(\"a\": 1)", "names of fields stand without quotes"),
            ("A{a: 1}", "fields stand in parentheses"),
            ("(a: 3 rpm)", "quantities with a unit"),
        ] {
            let diagnostics = parse(text, 0, Origin::File).expect_err(text);
            assert!(diagnostics[0].hint.as_ref().unwrap().contains(part), "{text}: {diagnostics:?}");
        }
    }

    #[test]
    fn a_missing_comma_is_stepped_over_at_the_end_of_a_line() {
        let text = "(\n  a: 1\n  b: [\"x\"\n \"y\"],\n c: 20/s\n)";
        let parsed = parse(text, 0, Origin::File).unwrap();
        let starts: Vec<_> = parsed.diagnostics.iter().map(|diagnostic| diagnostic.location.start).collect();
        assert_eq!(starts, [7, 17, 30]);
    }

    #[test]
    fn unknown_extensions_are_complained_about_with_the_nearest() {
        let parsed = parse("#![enable(implicit_sum)] 1", 0, Origin::File).unwrap();
        assert_eq!(parsed.diagnostics[0].message, "unknown extension `implicit_sum`");
        assert!(parsed.diagnostics[0].hint.as_ref().unwrap().contains("`implicit_some`"));
        assert!(fails("#![allow(x)] 1").0.contains("expected `enable`"));
    }

    #[test]
    fn brackets_may_not_be_too_deep() {
        for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}"), ("A(b:", ")"), ("Some(", ")")] {
            let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert!(parse(&nested(MAX_DEPTH - 1), 0, Origin::File).is_ok());
            assert!(fails(&nested(MAX_DEPTH)).0.contains("deep"));
            assert!(fails(&open.repeat(100_000)).0.contains("deep"));
        }
    }
}
