//! Writes brackets, items and comments in the canonical layout.

use super::lines::{Brackets, Item, Line, Piece, Text};

/// Maximum width of a line that does not consist of a single long text or comment.
const WIDTH: usize = 120;
/// The indentation of one level of brackets.
const INDENT: usize = 4;

/// Writes a text.
pub(super) fn print(text: &Text<'_>) -> String {
    let mut out = String::new();
    if !text.attributes.is_empty() {
        out = format!("{}\n", text.attributes);
    }
    for item in &text.root.items {
        lines(&mut out, &item.above, 0);
        out += &pieces(&item.pieces, 0, 0, 0);
        after(&mut out, item);
        out.push('\n');
    }
    lines(&mut out, &text.root.end, 0);
    out
}

/// Writes comments and blank lines.
fn lines(out: &mut String, lines: &[Line<'_>], indent: usize) {
    for line in lines {
        match line {
            Line::Blank => out.push('\n'),
            Line::Comment(text) => *out += &format!("{:indent$}{text}\n", ""),
        }
    }
}

fn after(out: &mut String, item: &Item<'_>) {
    for comment in &item.after {
        *out += &format!(" {comment}");
    }
}

/// The pieces of an item, which begin in this column of a line with this indentation. `rest` characters follow on the
/// last line.
fn pieces(pieces: &[Piece<'_>], indent: usize, column: usize, rest: usize) -> String {
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        if needs_blank(&pieces[..at], piece) {
            out.push(' ');
        }
        match piece {
            Piece::Leaf(text) | Piece::Comment(text) => out += text,
            Piece::Colon => out.push(':'),
            Piece::Brackets(inner) => {
                let last = out.rfind('\n').map_or((column, out.as_str()), |at| (0, &out[at + 1..]));
                let column = last.0 + last.1.chars().count();
                out += &brackets(inner, indent, column, rest);
            }
        }
    }
    out
}

/// Whether a blank separates a piece from those before it.
fn needs_blank(before: &[Piece<'_>], piece: &Piece<'_>) -> bool {
    match (before.last(), piece) {
        (None, _) | (Some(Piece::Leaf(_)), Piece::Brackets(_)) | (_, Piece::Colon) => false,
        (
            Some(Piece::Leaf(_) | Piece::Colon | Piece::Comment(_) | Piece::Brackets(_)),
            Piece::Leaf(_) | Piece::Comment(_) | Piece::Brackets(_),
        ) => true,
    }
}

/// A pair of brackets that opens in this column.
fn brackets(inner: &Brackets<'_>, indent: usize, column: usize, rest: usize) -> String {
    let fits = |text: &String| column + text.chars().count() + rest <= WIDTH;
    flat(inner)
        .filter(fits)
        .or_else(|| around_last(inner, indent, column, rest))
        .unwrap_or_else(|| broken(inner, indent))
}

/// The brackets on one line, or `None` if they contain a comment or a line break that is kept.
fn flat(inner: &Brackets<'_>) -> Option<String> {
    let is_bare = !inner.is_broken && inner.end.is_empty();
    let items: Option<Vec<String>> = is_bare.then(|| inner.items.iter().map(flat_item).collect())?;
    Some(format!("{}{}{}", inner.open, items?.join(", "), inner.close))
}

fn flat_item(item: &Item<'_>) -> Option<String> {
    if has_comment_above(item) || !item.after.is_empty() {
        return None;
    }
    flat_pieces(&item.pieces)
}

fn has_comment_above(item: &Item<'_>) -> bool {
    item.above.iter().any(|line| *line != Line::Blank)
}

fn flat_pieces(pieces: &[Piece<'_>]) -> Option<String> {
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        if needs_blank(&pieces[..at], piece) {
            out.push(' ');
        }
        match piece {
            Piece::Leaf(text) | Piece::Comment(text) if text.contains('\n') => return None,
            Piece::Leaf(text) | Piece::Comment(text) => out += text,
            Piece::Colon => out.push(':'),
            Piece::Brackets(inner) => out += &flat(inner)?,
        }
    }
    Some(out)
}

/// The brackets around those at the end of their last item, of which only the innermost are broken: `A(b: C([`, lines,
/// `]))`. `None` if that is not possible, or if the first line would be too long.
fn around_last(inner: &Brackets<'_>, indent: usize, column: usize, rest: usize) -> Option<String> {
    let (last, others) = inner.items.split_last()?;
    let Some((Piece::Brackets(held), head)) = last.pieces.split_last() else { return None };
    let has_comment = !(inner.end.is_empty() && last.after.is_empty()) || has_comment_above(last);
    let must_break = others.is_empty() || flat(held).is_none();
    if inner.is_broken || has_comment || !must_break {
        return None;
    }
    let mut out = inner.open.to_string();
    for item in others {
        out += &format!("{}, ", flat_item(item)?);
    }
    // This is checked before what is inside is laid out: otherwise that would be done twice, and what is inside of it four
    // times.
    let width = column + out.chars().count() + flat_pieces(head)?.chars().count();
    if width + 2 > WIDTH {
        return None;
    }
    let held = pieces(&last.pieces, indent, column + out.chars().count(), rest + 1);
    Some(format!("{out}{held}{}", inner.close))
}

/// The brackets with lines of their own for their items.
fn broken(inner: &Brackets<'_>, indent: usize) -> String {
    let mut out = format!("{}\n", inner.open);
    let within = indent + INDENT;
    let mut line = String::new();
    for item in &inner.items {
        let shared = flat_item(item).filter(|_| inner.is_broken && item.shares_line && item.above.is_empty());
        match shared {
            Some(text) if !line.is_empty() && line.chars().count() + text.chars().count() + 2 <= WIDTH => {
                line += &format!(" {text},");
            }
            Some(_) | None => {
                end_line(&mut out, &mut line);
                lines(&mut out, &item.above, within);
                line = format!("{:within$}", "");
                line += &format!("{},", pieces(&item.pieces, within, within, 1));
            }
        }
        after(&mut line, item);
        if !item.after.is_empty() || line.contains('\n') {
            end_line(&mut out, &mut line);
        }
    }
    end_line(&mut out, &mut line);
    lines(&mut out, &inner.end, within);
    out + &format!("{:indent$}{}", "", inner.close)
}

fn end_line(out: &mut String, line: &mut String) {
    if !line.is_empty() {
        *out += &format!("{line}\n");
        line.clear();
    }
}
