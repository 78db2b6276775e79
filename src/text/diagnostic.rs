//! An error or a warning about a scenario, as it is printed for the author: its position, its field, a message and a
//! hint.
//!
//! [`snippet`] cuts out and underlines the source line below the message.

use std::fmt;

use anstyle::{AnsiColor, Style};

use super::excerpt::Excerpt;
use super::path::Path;
use super::snippet::{self, Snippet};
use super::source::{Location, Origin, Sources};
use super::tree::shortened;

/// Whether a scenario can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It can be run, but something in it has no effect.
    Warning,
    /// It cannot be run.
    Error,
}

/// An error or a warning about a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it is an error.
    pub level: Level,
    /// The offending text.
    pub location: Location,
    /// The field that it is about; the root for syntax errors.
    pub path: Path,
    /// A sentence in lower case without a full stop.
    pub message: String,
    /// How to fix it, or `None` if that is not known.
    pub hint: Option<String>,
    /// The line of another file that it is about. It is shown instead of the offending text, which names that file.
    pub excerpt: Option<Box<Excerpt>>,
}

impl Diagnostic {
    /// An error without a hint.
    #[must_use]
    pub fn new(location: Location, path: Path, message: impl Into<String>) -> Self {
        Self { level: Level::Error, location, path, message: message.into(), hint: None, excerpt: None }
    }

    /// The same diagnostic with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same diagnostic as a warning.
    #[must_use]
    pub fn as_warning(self) -> Self {
        Self { level: Level::Warning, ..self }
    }

    /// `file.ron:12:14: path: message`, the source line, carets under the offending text, and the hint.
    #[must_use]
    pub fn render(&self, sources: &Sources, colour: bool) -> String {
        let paint = |style: Style| if colour { style } else { Style::new() };
        let bold = paint(Style::new().bold());
        let (label, marked) = match self.level {
            Level::Warning => ("warning: ", paint(AnsiColor::Yellow.on_default().bold())),
            Level::Error => ("", paint(AnsiColor::Red.on_default().bold())),
        };
        let (dim, cyan) = (paint(Style::new().dimmed()), paint(AnsiColor::Cyan.on_default()));
        let Place { name: place, gutter, snippet } = self.place(sources);
        let has_path = self.excerpt.is_none() && !self.path.segments().is_empty();
        let path = if has_path { format!("{}: ", self.path) } else { String::new() };
        let mut out = format!(
            "{bold}{}:{bold:#} {marked}{label}{marked:#}{path}{}\n",
            printable(&place),
            printable(&self.message)
        );
        out += &format!("{dim}{gutter:>5} |{dim:#} {}\n", snippet.line);
        let (indent, carets) = (" ".repeat(snippet.indent), "^".repeat(snippet.carets));
        out += &format!("{dim}      |{dim:#} {indent}{marked}{carets}{marked:#}\n");
        if let Some(hint) = &self.hint {
            out += &format!("{dim}      ={dim:#} {cyan}{}{cyan:#}\n", printable(hint));
        }
        out
    }

    /// What it points at.
    fn place(&self, sources: &Sources) -> Place {
        if let Some(excerpt) = &self.excerpt {
            let snippet = snippet::cut(&excerpt.text, excerpt.location());
            return Place { name: excerpt.place(), gutter: excerpt.line.to_string(), snippet };
        }
        let (line, column) = sources.line_and_column(self.location);
        let (name, gutter) = match self.location.origin {
            Origin::File => (format!("{}:{line}:{column}", sources.name()), line.to_string()),
            origin @ Origin::Set(_) => {
                (format!("--set {}, column {column}", shortened(sources.text(origin))), String::new())
            }
        };
        Place { name, gutter, snippet: snippet::cut(sources.text(self.location.origin), self.location) }
    }
}

/// What a diagnostic points at: the name of the place, the number of the line, and the line.
struct Place {
    name: String,
    gutter: String,
    snippet: Snippet,
}

/// Replaces control characters: input must not control the terminal, and a message stays on one line.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Diagnostics in the order of their positions, with the texts that they point into: everything needed to print them.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    sources: Box<Sources>,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Maximum number of diagnostics printed. More are usually repetitions of one error.
    pub const MAX_PRINTED: usize = 50;

    /// Sorts diagnostics by position.
    #[must_use]
    pub fn new(sources: Sources, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|diagnostic| diagnostic.location);
        Self { sources: Box::new(sources), list }
    }

    /// The diagnostics in the order of their positions.
    #[must_use]
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// The texts that they point into.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The text of all diagnostics, separated by empty lines.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let shown = self.list.iter().take(Self::MAX_PRINTED);
        let mut out =
            shown.map(|diagnostic| diagnostic.render(&self.sources, colour)).collect::<Vec<_>>().join("\n");
        if self.list.len() > Self::MAX_PRINTED {
            let more = self.list.len() - Self::MAX_PRINTED;
            let noun =
                if self.list.iter().all(|one| one.level == Level::Warning) { "warnings" } else { "errors" };
            out += &format!("\n... and {more} more {noun}\n");
        }
        out
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostic(text: &str, offending: &str) -> (Sources, Diagnostic) {
        let start = text.find(offending).unwrap();
        let location = Location { origin: Origin::File, start, end: start + offending.len() };
        let path = Path::root().name("sources").name("everyone").name("rate");
        let sources = Sources::new("chaos.ron", text.to_owned());
        (sources, Diagnostic::new(location, path, "20 lacks a unit").with_hint("write \"20/s\""))
    }

    #[test]
    fn a_diagnostic_shows_place_path_line_caret_and_hint() {
        let (sources, diagnostic) = diagnostic("(\n\tall: Constant(rate: 20),\r\n)", "20");
        assert_eq!(
            diagnostic.render(&sources, false),
            "chaos.ron:2:22: sources.everyone.rate: 20 lacks a unit\n    2 |     all: Constant(rate: 20),\n\
             \u{20}     |                         ^^\n      = write \"20/s\"\n"
        );
    }

    #[test]
    fn colour_adds_escapes_and_nothing_else() {
        let (sources, diagnostic) = diagnostic("(rate: 20)", "20");
        let coloured = diagnostic.render(&sources, true);
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), diagnostic.render(&sources, false));
    }

    #[test]
    fn escape_sequences_of_the_input_never_reach_the_terminal() {
        let (sources, mut diagnostic) = diagnostic("(a: \"\u{1b}[2J\", rate: 20)", "20");
        diagnostic.message = "found \u{1b}[2J\n".to_owned();
        diagnostic.path = Path::root().name("\u{1b}[2J");
        assert!(!diagnostic.render(&sources, false).contains('\u{1b}'));
    }

    #[test]
    fn a_line_of_another_file_is_shown_instead_of_the_scenario() {
        let (sources, mut diagnostic) = diagnostic("(file: \"t.csv\")", "\"t.csv\"");
        let text = "1,gold,-3".to_owned();
        diagnostic.excerpt =
            Some(Box::new(Excerpt { file: "t.csv".to_owned(), line: 9, text, start: 7, end: 9 }));
        assert_eq!(
            diagnostic.render(&sources, false),
            "t.csv:9:8: 20 lacks a unit\n    9 | 1,gold,-3\n      |        ^^\n      = write \"20/s\"\n"
        );
    }

    #[test]
    fn at_most_50_diagnostics_are_printed() {
        let (sources, diagnostic) = diagnostic("(rate: 20)", "20");
        let diagnostics = Diagnostics::new(sources, vec![diagnostic; 60]);
        assert!(diagnostics.to_string().ends_with("... and 10 more errors\n"), "{diagnostics}");
    }
}
