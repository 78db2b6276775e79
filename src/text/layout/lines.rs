//! Reads a text into brackets, items and comments, without regard to what they mean.
//!
//! The text is known to be RON. A comment belongs to the item below it, or to the one before it on the same line.

use super::super::diagnostic::Diagnostic;
use super::super::scan::{Read, Scanner, is_blank};
use super::super::source::Origin;

/// A text: its value as the only item, and the comments after it.
#[derive(Debug)]
pub(super) struct Text<'a> {
    pub(super) attributes: &'a str,
    pub(super) root: Brackets<'a>,
}

/// A pair of brackets and what is in them.
#[derive(Debug)]
pub(super) struct Brackets<'a> {
    pub(super) open: char,
    pub(super) close: char,
    pub(super) items: Vec<Item<'a>>,
    /// Comments and blank lines after the last item.
    pub(super) end: Vec<Line<'a>>,
    /// Whether a line break follows the opening bracket.
    pub(super) is_broken: bool,
}

/// What stands between two commas.
#[derive(Debug, Default)]
pub(super) struct Item<'a> {
    /// Comments and blank lines above it.
    pub(super) above: Vec<Line<'a>>,
    /// Whether it begins on the line on which the item before it ends.
    pub(super) shares_line: bool,
    pub(super) pieces: Vec<Piece<'a>>,
    /// The comments after it on its line.
    pub(super) after: Vec<&'a str>,
}

/// A line without a part of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Blank,
    Comment(&'a str),
}

/// A part of an item.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    /// A name, a number or a text.
    Leaf(&'a str),
    Colon,
    Comment(&'a str),
    Brackets(Brackets<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Open(char),
    Close,
    Comma,
    Colon,
    Leaf(&'a str),
    /// `// ..`
    LineComment(&'a str),
    /// `/* .. */`
    BlockComment(&'a str),
}

/// Reads a text.
///
/// # Errors
/// If it is not RON.
pub(super) fn read(text: &str) -> Result<Text<'_>, Diagnostic> {
    let mut tokens = Tokens { scan: Scanner::new(text, 0, Origin::File), peeked: None };
    let attributes = tokens.attributes()?;
    let root = tokens.brackets(' ', true)?;
    Ok(Text { attributes, root })
}

struct Tokens<'a> {
    scan: Scanner<'a>,
    peeked: Option<(Token<'a>, usize)>,
}

impl<'a> Tokens<'a> {
    /// The attributes at the start, with the comments before them.
    fn attributes(&mut self) -> Read<&'a str> {
        self.scan.skip_blank()?;
        if !self.scan.rest().starts_with("#!") {
            self.scan.return_to(0);
            return Ok("");
        }
        self.scan.attributes()?;
        Ok(self.scan.read_since(0).trim())
    }

    /// The next token and the number of line breaks before it, or `None` at the end.
    fn next(&mut self) -> Read<Option<(Token<'a>, usize)>> {
        if let Some(peeked) = self.peeked.take() {
            return Ok(Some(peeked));
        }
        let start = self.scan.offset();
        self.scan.eat_while(is_blank);
        let breaks = self.scan.read_since(start).matches('\n').count();
        let start = self.scan.offset();
        let Some(first) = self.scan.peek() else { return Ok(None) };
        let token = match first {
            '(' | '[' | '{' => Token::Open(first),
            ')' | ']' | '}' => Token::Close,
            ',' => Token::Comma,
            ':' => Token::Colon,
            '/' => return Ok(Some((self.comment()?, breaks))),
            _ => {
                self.leaf()?;
                return Ok(Some((Token::Leaf(self.scan.read_since(start)), breaks)));
            }
        };
        self.scan.next();
        Ok(Some((token, breaks)))
    }

    fn peek(&mut self) -> Read<Option<(Token<'a>, usize)>> {
        self.peeked = self.next()?;
        Ok(self.peeked)
    }

    fn comment(&mut self) -> Read<Token<'a>> {
        let start = self.scan.offset();
        if self.scan.rest().starts_with("/*") {
            self.scan.skip_block_comment()?;
            return Ok(Token::BlockComment(self.scan.read_since(start)));
        }
        self.scan.eat_while(|c| c != '\n');
        Ok(Token::LineComment(self.scan.read_since(start).trim_end()))
    }

    fn leaf(&mut self) -> Read<()> {
        match self.scan.peek() {
            Some('"') => drop(self.scan.string()?),
            Some('\'') => drop(self.scan.character()?),
            Some('r') if self.scan.at_raw_string() => drop(self.scan.string()?),
            _ if self.scan.at_number() => drop(self.scan.number()?),
            _ => {
                if self.scan.word().is_none() {
                    let message = format!("expected a value, found {}", self.scan.found());
                    return Err(Scanner::wrong(self.scan.here(), message));
                }
            }
        }
        Ok(())
    }

    /// Reads what follows an opening bracket, up to the closing one.
    fn brackets(&mut self, open: char, is_root: bool) -> Read<Brackets<'a>> {
        let close = match open {
            '(' => ')',
            '[' => ']',
            _ => '}',
        };
        let is_broken = !is_root && self.peek()?.is_some_and(|(_, breaks)| breaks > 0);
        let mut reader = Reader::default();
        while let Some((token, breaks)) = self.next()? {
            match token {
                Token::Close => break,
                Token::Comma => reader.end_item(),
                Token::LineComment(text) => reader.comment(text, breaks),
                Token::BlockComment(text) => {
                    let is_last = self.peek()?.is_none_or(|(_, breaks)| breaks > 0);
                    reader.block_comment(text, breaks, is_last);
                }
                Token::Colon => reader.piece(Piece::Colon, breaks),
                Token::Leaf(text) => reader.piece(Piece::Leaf(text), breaks),
                Token::Open(open) => {
                    reader.start(breaks);
                    let inner = self.brackets(open, false)?;
                    reader.piece(Piece::Brackets(inner), 0);
                }
            }
        }
        let (items, end) = reader.finish();
        Ok(Brackets { open, close, items, end, is_broken })
    }
}

/// Gathers the items of a pair of brackets.
#[derive(Default)]
struct Reader<'a> {
    items: Vec<Item<'a>>,
    /// The item that has begun.
    current: Option<Item<'a>>,
    /// Comments and blank lines since the last item.
    lines: Vec<Line<'a>>,
    /// Comments after the last piece of the item that has begun: on its line, and below it.
    after: Vec<&'a str>,
    below: Vec<Line<'a>>,
}

impl<'a> Reader<'a> {
    /// Begins an item if none has begun.
    fn start(&mut self, breaks: usize) {
        if let Some(item) = &mut self.current {
            // A comment inside of an item moves above it.
            item.above.extend(self.after.drain(..).map(Line::Comment));
            item.above.append(&mut self.below);
            return;
        }
        self.blank(breaks);
        let above = std::mem::take(&mut self.lines);
        self.current = Some(Item { shares_line: breaks == 0, above, ..Item::default() });
    }

    fn piece(&mut self, piece: Piece<'a>, breaks: usize) {
        self.start(breaks);
        if let Some(item) = &mut self.current {
            item.pieces.push(piece);
        }
    }

    fn comment(&mut self, text: &'a str, breaks: usize) {
        match (&self.current, self.items.last_mut()) {
            (Some(_), _) if breaks == 0 && self.below.is_empty() => self.after.push(text),
            (Some(_), _) => self.below.push(Line::Comment(text)),
            (None, Some(last)) if breaks == 0 && self.lines.is_empty() => last.after.push(text),
            (None, _) => self.line(text, breaks),
        }
    }

    /// A comment on a line of its own.
    fn line(&mut self, text: &'a str, breaks: usize) {
        self.blank(breaks);
        self.lines.push(Line::Comment(text));
    }

    /// A blank line if there was one, but not directly after the opening bracket.
    fn blank(&mut self, breaks: usize) {
        if breaks > 1 && !(self.items.is_empty() && self.lines.is_empty()) {
            self.lines.push(Line::Blank);
        }
    }

    /// A comment that may stand inside of a line. `is_last`: whether it is the last thing on its line.
    fn block_comment(&mut self, text: &'a str, breaks: usize, is_last: bool) {
        match &mut self.current {
            Some(item) if breaks == 0 && self.after.is_empty() && self.below.is_empty() => {
                item.pieces.push(Piece::Comment(text));
            }
            None if !is_last && !self.items.is_empty() => self.line(text, breaks),
            Some(_) | None => self.comment(text, breaks),
        }
    }

    fn end_item(&mut self) {
        if let Some(mut item) = self.current.take() {
            item.after.append(&mut self.after);
            self.lines.append(&mut self.below);
            self.items.push(item);
        }
    }

    fn finish(mut self) -> (Vec<Item<'a>>, Vec<Line<'a>>) {
        self.end_item();
        (self.items, self.lines)
    }
}
