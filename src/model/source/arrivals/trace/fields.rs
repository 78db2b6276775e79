//! Splits a line of a CSV file into its fields (RFC 4180, but a quoted field ends on its line).

use std::borrow::Cow;
use std::ops::Range;

/// A field: where it is in its line, without surrounding spaces and quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) range: Range<usize>,
    /// Whether quotes in it are doubled.
    has_quotes: bool,
}

impl Field {
    /// The field as it is written, which is its text if it contains no quotes.
    pub(super) fn written<'a>(&self, line: &'a str) -> &'a str {
        line.get(self.range.clone()).unwrap_or_default()
    }

    /// The text of the field.
    pub(super) fn text<'a>(&self, line: &'a str) -> Cow<'a, str> {
        let written = self.written(line);
        if self.has_quotes { Cow::Owned(written.replace("\"\"", "\"")) } else { Cow::Borrowed(written) }
    }
}

/// Splits a line into `fields`.
///
/// # Errors
/// If a quoted field does not end, or is followed by something else than a comma: the place and what is wrong.
pub(super) fn split(line: &str, fields: &mut Vec<Field>) -> Result<(), (Range<usize>, &'static str)> {
    fields.clear();
    if !line.contains('"') {
        split_plain(line, fields);
        return Ok(());
    }
    let mut start = 0;
    loop {
        let rest = &line[start..];
        let quoted = trimmed(line, start..line.len()).start;
        let end = if line[quoted..].starts_with('"') {
            let (field, end) = quoted_field(line, quoted)?;
            fields.push(field);
            end
        } else {
            let end = rest.find(',').map_or(line.len(), |comma| start + comma);
            fields.push(Field { range: trimmed(line, start..end), has_quotes: false });
            end
        };
        if end == line.len() {
            return Ok(());
        }
        start = end + 1;
    }
}

/// Splits a line without quotes. Most lines have none, and a trace may have very many.
fn split_plain(line: &str, fields: &mut Vec<Field>) {
    let mut start = 0;
    for (index, byte) in line.bytes().enumerate() {
        if byte == b',' {
            fields.push(Field { range: trimmed(line, start..index), has_quotes: false });
            start = index + 1;
        }
    }
    fields.push(Field { range: trimmed(line, start..line.len()), has_quotes: false });
}

/// The range without spaces and tabs at its ends.
fn trimmed(line: &str, range: Range<usize>) -> Range<usize> {
    let is_space = |index: usize| matches!(line.as_bytes().get(index), Some(b' ' | b'\t'));
    let Range { mut start, mut end } = range;
    while start < end && is_space(start) {
        start += 1;
    }
    while start < end && is_space(end - 1) {
        end -= 1;
    }
    start..end
}

/// The field whose quote is at `start`, and the offset of the comma or the end of the line behind it.
fn quoted_field(line: &str, start: usize) -> Result<(Field, usize), (Range<usize>, &'static str)> {
    let mut end = start + 1;
    let mut has_quotes = false;
    loop {
        let Some(quote) = line[end..].find('"') else {
            return Err((start..line.len(), "the quoted field does not end on its line"));
        };
        end += quote;
        if !line[end + 1..].starts_with('"') {
            break;
        }
        has_quotes = true;
        end += 2;
    }
    let next = trimmed(line, end + 1..line.len()).start;
    if next < line.len() && !line[next..].starts_with(',') {
        return Err((next..line.len(), "a comma is expected after a quoted field"));
    }
    Ok((Field { range: start + 1..end, has_quotes }, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        let mut fields = Vec::new();
        split(line, &mut fields).expect("the line is valid");
        fields.iter().map(|field| field.text(line).into_owned()).collect()
    }

    #[test]
    fn fields_are_trimmed_and_may_be_empty() {
        assert_eq!(texts("1, two ,,\t3"), ["1", "two", "", "3"]);
        assert_eq!(texts(""), [""]);
        assert_eq!(texts(","), ["", ""]);
    }

    #[test]
    fn quoted_fields_contain_commas_spaces_and_doubled_quotes() {
        assert_eq!(texts(r#""a,b", " c " ,"say ""é""""#), ["a,b", " c ", r#"say "é""#]);
        assert_eq!(texts("\"\",x"), ["", "x"]);
    }

    #[test]
    fn unfinished_quotes_are_errors_with_their_place() {
        let error = |line| split(line, &mut Vec::new()).expect_err("the line is invalid").0;
        assert_eq!(error(r#"1,"a"#), 2..4);
        assert_eq!(error(r#""a" b,2"#), 4..7);
    }
}
