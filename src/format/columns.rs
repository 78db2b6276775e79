//! Tables that fit a terminal of 80 columns: a name on the left, figures aligned on the right, long names shortened.

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of a terminal that everything fits.
pub const WIDTH: usize = 80;
/// Blanks in front of every row under a heading.
const INDENT: usize = 2;
/// Columns of figures are at least this wide, so that tables stand on one grid.
const FIGURE: usize = 7;
/// The column of names is at least this wide.
const NAME: usize = 12;
/// ... and at most this wide.
const MAX_NAME_WIDTH: usize = 32;

/// Bold.
pub const BOLD: Style = Style::new().bold();
/// What may be overlooked.
pub const DIM: Style = Style::new().dimmed();
/// What should not.
pub const BAD: Style = anstyle::AnsiColor::Red.on_default().bold();
/// What goes well.
pub const GOOD: Style = anstyle::AnsiColor::Green.on_default();
/// What is drawn.
pub const DRAWN: Style = anstyle::AnsiColor::Cyan.on_default();
/// What is neither.
pub const PLAIN: Style = Style::new();

/// A text in a style.
#[must_use]
pub fn paint(style: Style, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

/// The columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// A name in at most `columns` columns, cut in its middle, for names of a kind differ at their ends. What a terminal
/// would obey instead of showing it becomes a mark.
#[must_use]
pub fn shortened(name: &str, columns: usize) -> String {
    let shown: String = name.chars().map(|c| if c.width().is_none() { '\u{fffd}' } else { c }).collect();
    if shown.width() <= columns {
        return shown;
    }
    let room = columns.saturating_sub(1);
    let head = take(shown.chars(), room.div_ceil(2));
    let tail: String = take(shown.chars().rev(), room / 2).chars().rev().collect();
    format!("{head}…{tail}")
}

fn take(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut room = columns;
    chars
        .take_while(|c| {
            let needed = c.width().unwrap_or(0);
            let fits = needed <= room;
            room = room.saturating_sub(needed);
            fits
        })
        .collect()
}

/// A name in exactly `columns` columns.
#[must_use]
pub fn padded(name: &str, columns: usize) -> String {
    let name = shortened(name, columns);
    let blanks = " ".repeat(columns - name.width());
    name + &blanks
}

/// A text broken into lines at blanks; what has none is cut.
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
    /// A table with a heading over the names and one over each column of figures.
    #[must_use]
    pub fn new(title: impl Into<String>, heads: &[&'static str]) -> Self {
        Self { title: title.into(), heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row in a style.
    pub fn row(&mut self, style: Style, name: &str, figures: Vec<String>) {
        let figures = figures.into_iter().map(|figure| (figure, PLAIN)).collect();
        self.rows.push(Row { style, name: name.to_owned(), figures });
    }

    /// Adds a row of which some figures are in a style of their own.
    pub fn painted_row(&mut self, name: &str, figures: Vec<(String, Style)>) {
        self.rows.push(Row { style: PLAIN, name: name.to_owned(), figures });
    }

    /// Adds a line of text.
    pub fn note(&mut self, text: &str) {
        self.rows.push(Row { style: DIM, name: text.to_owned(), figures: Vec::new() });
    }

    /// Whether it has no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text; nothing if it has no row.
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
            .clamp(NAME, MAX_NAME_WIDTH);
        // Where it gets narrow, the gaps give way before names are cut.
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
            figures.max().unwrap_or(0).max(head.width()).max(FIGURE)
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
    fn a_long_name_loses_its_middle() {
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
    fn a_table_fits_whatever_it_holds() {
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
    fn figures_are_aligned_on_the_right() {
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
