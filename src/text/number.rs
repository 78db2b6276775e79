//! Numbers: `42`, `-3`, `0xff`, `0b1010`, `0o17`, `1_000`, `2.5`, `1e6`, `inf`, `NaN`.
//!
//! The commonest slip in a scenario is a quantity without its quotes, `rate: 20/s`. It is read as the text that was
//! meant, with a diagnostic, so that the other mistakes of the file are found in the same run.

use super::scan::{Read, Scanner, is_word};
use super::tree::{Node, Number, Value};

impl Scanner<'_> {
    /// Whether a number begins here; `inf` and `NaN` without a sign are words until they are looked at.
    pub(super) fn at_number(&self) -> bool {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        match self.peek() {
            Some('+' | '-') => true,
            Some('.') => digit(self.peek_second()),
            first => digit(first),
        }
    }

    /// Reads the number that begins here.
    pub(super) fn number(&mut self) -> Read<Node> {
        let start = self.offset();
        let negative = self.eat('-');
        if !negative {
            self.eat('+');
        }
        let number = match self.named_number().or_else(|| self.radix()) {
            Some(magnitude) => magnitude,
            None => self.decimal(),
        };
        if let Some(quantity) = self.quantity(start) {
            return Ok(quantity);
        }
        let location = self.since(start);
        let written = self.read_since(start);
        match number.map(|number| if negative { negated(number) } else { number }) {
            Ok(number) => Ok(Node { location, value: Value::Number(number) }),
            Err(Flaw::NoNumber) if location.start == location.end => {
                Err(Self::wrong(self.here(), format!("expected a number, found {}", self.found())))
            }
            Err(Flaw::NoNumber) => {
                Err(Self::wrong(location, format!("`{}` is not a number", super::tree::shortened(written))))
            }
            Err(Flaw::TooLarge) => Err(Self::wrong(location, "this number is too large")),
        }
    }

    fn named_number(&mut self) -> Option<Result<Number, Flaw>> {
        let named =
            |name: &str| self.rest().strip_prefix(name).is_some_and(|rest| !rest.starts_with(is_word));
        let (name, value) = match () {
            () if named("inf") => ("inf", f64::INFINITY),
            () if named("NaN") => ("NaN", f64::NAN),
            () => return None,
        };
        self.eat_text(name);
        Some(Ok(Number::Float(value)))
    }

    /// `0x`, `0o` and `0b` numbers.
    fn radix(&mut self) -> Option<Result<Number, Flaw>> {
        let radix =
            [("0x", 16), ("0o", 8), ("0b", 2)].into_iter().find(|(prefix, _)| self.eat_text(prefix))?.1;
        let start = self.offset();
        self.eat_while(|c| c.is_digit(radix) || c == '_');
        let digits = self.read_since(start).replace('_', "");
        if digits.is_empty() {
            return Some(Err(Flaw::NoNumber));
        }
        Some(u64::from_str_radix(&digits, radix).map(Number::Unsigned).map_err(|_| Flaw::TooLarge))
    }

    /// Digits with an optional fraction and exponent.
    fn decimal(&mut self) -> Result<Number, Flaw> {
        let start = self.offset();
        let digits = |c: char| c.is_ascii_digit() || c == '_';
        self.eat_while(digits);
        let mut whole = true;
        if self.eat('.') {
            whole = false;
            self.eat_while(digits);
        }
        if self.rest().starts_with(['e', 'E']) {
            let exponent = self.rest()[1..].trim_start_matches(['+', '-']);
            if exponent.starts_with(|c: char| c.is_ascii_digit()) {
                whole = false;
                self.next();
                if !self.eat('-') {
                    self.eat('+');
                }
                self.eat_while(digits);
            }
        }
        let digits = self.read_since(start).replace('_', "");
        if let (true, Ok(number)) = (whole, digits.parse()) {
            return Ok(Number::Unsigned(number));
        }
        match digits.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Number::Float(number)),
            Ok(_) => Err(Flaw::TooLarge),
            Err(_) => Err(Flaw::NoNumber),
        }
    }

    /// Letters stuck to a number make a quantity: complained about, and read as the text that was meant.
    fn quantity(&mut self, start: usize) -> Option<Node> {
        let unit = self.rest().strip_prefix('/').unwrap_or(self.rest());
        let number_read = self.read_since(start).ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.');
        if !number_read || !unit.starts_with(|c: char| c.is_alphabetic() || c == '%') {
            return None;
        }
        self.eat('/');
        self.eat_while(|c| is_word(c) || c == '%');
        let location = self.since(start);
        let text = self.read_since(start).to_owned();
        let shown = super::tree::shortened(&text);
        self.diagnostics.push(
            Self::wrong(location, format!("`{shown}` stands without quotes"))
                .with_hint(format!("quantities with a unit are written in quotes: \"{shown}\"")),
        );
        Some(Node { location, value: Value::Text(text) })
    }
}

enum Flaw {
    NoNumber,
    TooLarge,
}

/// The negative of a number; beyond 64 bits a float takes over, as for large positive ones.
fn negated(number: Number) -> Number {
    match number {
        Number::Unsigned(0) | Number::Negative(_) => number,
        Number::Unsigned(magnitude) => match 0_i64.checked_sub_unsigned(magnitude) {
            Some(negative) => Number::Negative(negative),
            None => Number::Float(-number.as_f64()),
        },
        Number::Float(value) => Number::Float(-value),
    }
}

impl Number {
    /// The number as a float; beyond 2^53 the nearest one.
    #[expect(clippy::cast_precision_loss, reason = "a float was asked for")]
    pub(super) const fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(number) => number as f64,
            Self::Negative(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    /// The number if it is whole, however it is written: `1e3` is a thousand.
    #[expect(clippy::cast_possible_truncation, reason = "whole and within the bounds of 64 bits")]
    pub(super) fn whole(self) -> Option<i128> {
        match self {
            Self::Unsigned(number) => Some(i128::from(number)),
            Self::Negative(number) => Some(i128::from(number)),
            Self::Float(number) => (libm::fabs(number - libm::trunc(number)) == 0.0
                && libm::fabs(number) < 2e19)
                .then_some(number as i128),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Origin;
    use super::*;

    fn read(text: &str) -> (Result<Value, String>, usize) {
        let mut scan = Scanner::new(text, 0, Origin::File);
        let value = scan.number().map(|node| node.value).map_err(|diagnostic| diagnostic.message);
        (value, scan.diagnostics.len())
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
            ("2.5", Float(2.5)),
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
        for (text, number) in cases {
            assert_eq!(read(text), (Ok(Value::Number(number)), 0), "{text}");
        }
        assert!(matches!(read("NaN").0, Ok(Value::Number(Float(x))) if x.is_nan()));
    }

    #[test]
    fn what_is_no_number_or_too_large_is_refused() {
        for text in ["1e999", "-1e999", "0xfffffffffffffffff"] {
            assert!(read(text).0.unwrap_err().contains("too large"), "{text}");
        }
        for text in ["-", "0x", "+.", "-,"] {
            assert!(read(text).0.unwrap_err().contains("not a number"), "{text}");
        }
    }

    #[test]
    fn a_quantity_without_quotes_is_read_as_it_was_meant() {
        for text in ["20/s", "250ms", "1.5s", "5%", "0xfg", "1e", "-3s"] {
            assert_eq!(read(text), (Ok(Value::Text(text.to_owned())), 1), "{text}");
        }
        assert_eq!(read("20 // s").1, 0);
        assert_eq!(read("20//s"), (Ok(Value::Number(Number::Unsigned(20))), 0));
        assert_eq!(read("20/*s*/"), (Ok(Value::Number(Number::Unsigned(20))), 0));
    }
}
