//! Tables that fit a terminal of 80 columns: names on the left, figures right-aligned, long names shortened.

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::numbers::count;

/// Width of the terminal that all output fits, in columns.
pub const WIDTH: usize = 80;
/// Indentation of the rows under a heading, in columns.
const INDENT: usize = 2;
/// Minimum width of a column of figures, so that the columns of different tables line up.
const MIN_FIGURE_WIDTH: usize = 7;
/// Minimum width of the column of names.
const MIN_NAME_WIDTH: usize = 12;
/// Maximum width of the column of names.
const MAX_NAME_WIDTH: usize = 32;

/// Bold.
pub const BOLD: Style = Style::new().bold();
/// Secondary information.
pub const DIM: Style = Style::new().dimmed();
/// Failures and warnings.
pub const BAD: Style = anstyle::AnsiColor::Red.on_default().bold();
/// Good results.
pub const GOOD: Style = anstyle::AnsiColor::Green.on_default();
/// Charts.
pub const DRAWN: Style = anstyle::AnsiColor::Cyan.on_default();
/// No style.
pub const PLAIN: Style = Style::new();

/// A text in a style; empty if the text is.
#[must_use]
pub fn paint(style: Style, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

/// Width of a text in columns.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// A name in at most `columns` columns. A longer one is cut in the middle, because similar names differ at their ends.
/// Control characters are replaced by U+FFFD.
#[must_use]
pub fn shortened(name: &str, columns: usize) -> String {
    let shown: String = name.chars().map(|c| if c.width().is_none() { '\u{fffd}' } else { c }).collect();
    if shown.width() <= columns {
        return shown;
    }
    let free = columns.saturating_sub(1);
    let head = take(shown.chars(), free.div_ceil(2));
    let tail: String = take(shown.chars().rev(), free / 2).chars().rev().collect();
    format!("{head}…{tail}")
}

/// The first characters that fit into `columns` columns.
fn take(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut free = columns;
    chars
        .take_while(|c| {
            let needed = c.width().unwrap_or(0);
            let fits = needed <= free;
            free = free.saturating_sub(needed);
            fits
        })
        .collect()
}

/// A name in exactly `columns` columns: shortened or padded.
#[must_use]
pub fn padded(name: &str, columns: usize) -> String {
    let name = shortened(name, columns);
    let blanks = " ".repeat(columns - name.width());
    name + &blanks
}

/// A text wrapped at spaces; a word longer than a line is shortened.
#[must_use]
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let word = shortened(word, columns);
        match lines.last_mut().filter(|line| line.width() + 1 + word.width() <= columns) {
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(word),
        }
    }
    lines
}

/// A table under a heading.
#[derive(Clone, Debug)]
pub struct Table {
    title: String,
    heads: Vec<&'static str>,
    rows: Vec<Row>,
}

/// A row of a table.
#[derive(Clone, Debug)]
struct Row {
    style: Style,
    name: String,
    figures: Vec<(String, Style)>,
}

impl Table {
    /// An empty table with a title, which is the heading of the names, and the headings of the figures.
    #[must_use]
    pub fn new(title: impl Into<String>, heads: &[&'static str]) -> Self {
        Self { title: title.into(), heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row in a style.
    pub fn row(&mut self, style: Style, name: &str, figures: Vec<String>) {
        let figures = figures.into_iter().map(|figure| (figure, PLAIN)).collect();
        self.rows.push(Row { style, name: name.to_owned(), figures });
    }

    /// Adds a row in which each figure has its own style.
    pub fn painted_row(&mut self, name: &str, figures: Vec<(String, Style)>) {
        self.rows.push(Row { style: PLAIN, name: name.to_owned(), figures });
    }

    /// Adds a line of text.
    pub fn note(&mut self, text: &str) {
        self.rows.push(Row { style: DIM, name: text.to_owned(), figures: Vec::new() });
    }

    /// Adds a line that says how many rows are not shown, if there are any. `noun` is what they are; it may be empty.
    pub fn more(&mut self, rows: usize, noun: &str) {
        if rows > 0 {
            self.note(format!("... and {} more {noun}", count(rows as u64)).trim_end());
        }
    }

    /// Whether the table has no rows.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text; empty if it has no rows.
    #[must_use]
    pub fn render(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let widths = self.widths();
        let figures: usize = widths.iter().sum();
        let names = self.rows.iter().filter(|row| !row.figures.is_empty()).map(|row| row.name.width());
        let name = names
            .chain([self.title.width().saturating_sub(INDENT)])
            .max()
            .unwrap_or(0)
            .clamp(MIN_NAME_WIDTH, MAX_NAME_WIDTH);
        // If the table is too wide, gaps are narrowed before names are shortened.
        let gap = if INDENT + name + figures + 2 * widths.len() <= WIDTH { 2 } else { 1 };
        let name = name.min(WIDTH.saturating_sub(INDENT + figures + gap * widths.len()));
        let mut out = paint(BOLD, &padded(&self.title, INDENT + name));
        for (head, width) in self.heads.iter().zip(&widths) {
            out += &paint(DIM, &format!("{head:>0$}", gap + width));
        }
        out = out.trim_end().to_owned() + "\n";
        for row in &self.rows {
            out += &row.render(name, gap, &widths);
        }
        out
    }

    fn widths(&self) -> Vec<usize> {
        let column = |index: usize, head: &str| {
            let figures =
                self.rows.iter().filter_map(|row| row.figures.get(index)).map(|(text, _)| text.width());
            figures.max().unwrap_or(0).max(head.width()).max(MIN_FIGURE_WIDTH)
        };
        self.heads.iter().enumerate().map(|(index, head)| column(index, head)).collect()
    }
}

impl Row {
    fn render(&self, name: usize, gap: usize, widths: &[usize]) -> String {
        let mut line = " ".repeat(INDENT);
        if self.figures.is_empty() {
            return line + &paint(self.style, &shortened(&self.name, WIDTH - INDENT)) + "\n";
        }
        line += &paint(self.style, &padded(&self.name, name));
        for ((text, style), width) in self.figures.iter().zip(widths) {
            line += &" ".repeat(gap + width - text.width().min(*width));
            line += &paint(if *style == PLAIN { self.style } else { *style }, text);
        }
        line + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_is_cut_in_the_middle() {
        assert_eq!(shortened("server-2", 8), "server-2");
        assert_eq!(shortened("a-rather-long-name-of-server-17", 12), "a-rath…er-17");
        assert_eq!(
            shortened("日本語サーバー", 8),
            "日本…ー",
            "a wide character that does not fit is left out"
        );
        assert_eq!(shortened("a\u{1b}[2J", 8), "a\u{fffd}[2J");
        assert_eq!(padded("日本", 6), "日本  ");
    }

    #[test]
    fn a_table_fits_the_terminal_whatever_its_contents() {
        let mut table = Table::new("Latency", &["count", "p50", "p90", "p99", "p99.9", "max", "mean"]);
        let figures =
            || vec!["9,999,999".to_owned(); 1].into_iter().chain(vec!["999.9 min".to_owned(); 6]).collect();
        table.row(BOLD, &"n".repeat(200), figures());
        table.painted_row("all", vec![("1".to_owned(), BAD); 7]);
        table.note(&"x".repeat(200));
        let text = anstream::adapter::strip_str(&table.render()).to_string();
        assert!(text.lines().all(|line| line.width() <= WIDTH), "{text}");
        assert_eq!(text.lines().count(), 4);
    }

    #[test]
    fn figures_are_right_aligned() {
        let mut table = Table::new("Links", &["sent", "lost"]);
        table.row(PLAIN, "a -> b", vec!["1,000".to_owned(), "7".to_owned()]);
        table.row(PLAIN, "b -> c", vec!["10".to_owned(), "12,345,678".to_owned()]);
        let text = anstream::adapter::strip_str(&table.render()).to_string();
        assert_eq!(
            text,
            "Links              sent        lost\n  a -> b          1,000           7\n  b -> c             10  12,345,678\n"
        );
        assert_eq!(Table::new("Links", &["sent"]).render(), "");
    }
}
