//! From RON text to any type that serde can read, with the position and an explanation of every error at once.
//!
//! The reader of the structure is our own. `ron`'s stops at the first error. It forgets positions once a value exists,
//! but diagnostics found after parsing need them, and `--set` (and the visualizer's edits) replace single fields. And
//! it cannot read "a text or an enum" (`rate: "20/s"` or `rate: Spike(...)`). The language is RON: `ron` reads the
//! leaves (strings, characters, numbers, names, attributes), it writes every value, and a differential test compares
//! both readers on mutated scenarios.
//!
//! Reading: `scan`, `leaf` and `parser` parse a text into a `tree`, `duplicates` removes repeated fields, `overrides`
//! sets values, `de` reads types from the tree, and `decode` goes on after errors. `navigate` finds a `path` in the
//! tree, and `diagnostic` prints errors. Writing: `write` converts a value to text, `splice` inserts it into the text of
//! the file, `comments` adds comments, and `layout` lays a text out.

mod comments;
mod de;
mod decode;
mod diagnostic;
mod duplicates;
mod excerpt;
mod layout;
mod leaf;
mod navigate;
pub(crate) mod nearest;
mod overrides;
mod parser;
mod path;
mod scan;
mod snippet;
mod source;
mod splice;
mod tree;
mod write;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::comments::commented;
pub use self::decode::{Decoded, OmittedPaths};
pub use self::diagnostic::{Diagnostic, Diagnostics};
pub use self::excerpt::Excerpt;
pub use self::layout::formatted;
pub use self::navigate::Located;
pub use self::path::{Path, PathError, Segment};
pub use self::source::{Location, Origin, Sources};
use self::tree::Node;
pub(crate) use self::tree::shortened;
pub use self::write::ron;

/// The text of a scenario, parsed into a tree but not yet decoded into a type.
#[derive(Clone, Debug)]
pub struct Document {
    sources: Sources,
    root: Node,
    /// Syntax errors after which parsing went on.
    diagnostics: Vec<Diagnostic>,
}

impl Document {
    /// Parses the bytes of the file called `name`.
    ///
    /// # Errors
    /// If they are not RON: the first error that ends parsing, and all errors before it.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Diagnostics> {
        let sources = Sources::read(name, bytes)?;
        match parser::parse(sources.text(Origin::File), 0, Origin::File) {
            Ok(parsed) => Ok(Self { sources, root: parsed.root, diagnostics: parsed.diagnostics }),
            Err(diagnostics) => Err(Diagnostics::new(sources, diagnostics)),
        }
    }

    /// Sets one value, as `--set path=value` does. An invalid argument changes nothing.
    ///
    /// # Errors
    /// If the argument is not a path and a value, or if the path does not exist. [`Document::diagnostics`] makes the
    /// list printable, together with that of [`Document::decode`].
    pub fn set(&mut self, argument: &str) -> Result<(), Vec<Diagnostic>> {
        let origin = self.sources.add_argument(argument);
        self.root = overrides::apply(&self.root, argument, origin)?;
        Ok(())
    }

    /// Decodes a `T`, and reports all errors of its values and of the syntax.
    #[must_use]
    pub fn decode<T: DeserializeOwned>(&self) -> Decoded<T> {
        let mut decoded = decode::decode(&self.root);
        decoded.diagnostics.extend(self.diagnostics.iter().cloned());
        decoded.diagnostics.sort_by_key(|diagnostic| diagnostic.location);
        decoded
    }

    /// The location of `path`, or of its nearest ancestor in the text.
    #[must_use]
    pub fn locate(&self, path: &Path) -> Located {
        navigate::locate(&self.root, path)
    }

    /// A diagnostic about the value at `path`, found after decoding.
    #[must_use]
    pub fn diagnostic_at(&self, path: &Path, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.locate(path).value, path.clone(), message)
    }

    /// Diagnostics ready for printing, sorted by position.
    #[must_use]
    pub fn diagnostics(&self, list: Vec<Diagnostic>) -> Diagnostics {
        Diagnostics::new(self.sources.clone(), list)
    }

    /// The text of the file with every value that was [set](Document::set), with `seed` if one is given, and with
    /// items appended to a list and entries to a map of the scenario, which are given with the names of their fields.
    ///
    /// # Errors
    /// If an item cannot be written as RON, or the changed text cannot be parsed.
    pub fn written_with<T: Serialize, E: Serialize>(
        &self,
        seed: Option<u64>,
        (list, items): (&str, &[T]),
        (map, entries): (&str, &[(String, E)]),
    ) -> Result<String, Vec<Diagnostic>> {
        let mut text = self.text().to_owned();
        for argument in self.sources.arguments() {
            text = splice::set(&text, argument)?;
        }
        if let Some(seed) = seed {
            text = splice::set(&text, &format!("seed={seed}"))?;
        }
        let unwritten = |error: ron::Error| vec![self.diagnostic_at(&Path::root(), error.to_string())];
        if !items.is_empty() {
            let items: ron::Result<Vec<String>> = items.iter().map(ron).collect();
            text = splice::append(&text, list, ['[', ']'], &items.map_err(unwritten)?)?;
        }
        if !entries.is_empty() {
            let entry = |(name, entry): &(String, E)| Ok(format!("{}: {}", ron(name)?, ron(entry)?));
            let entries: ron::Result<Vec<String>> = entries.iter().map(entry).collect();
            text = splice::append(&text, map, ['{', '}'], &entries.map_err(unwritten)?)?;
        }
        Ok(text)
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> &str {
        self.sources.text(Origin::File)
    }

    /// The file and the `--set` arguments.
    #[must_use]
    pub const fn sources(&self) -> &Sources {
        &self.sources
    }
}

impl Sources {
    /// The text of the file called `name`, without a byte order mark.
    ///
    /// # Errors
    /// If the bytes are not text in UTF-8.
    pub(crate) fn read(name: &str, bytes: &[u8]) -> Result<Self, Diagnostics> {
        let text = String::from_utf8_lossy(bytes);
        let stripped = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let sources = Self::new(name, stripped.to_owned());
        match encoding_error(bytes, stripped) {
            Some(diagnostic) => Err(Diagnostics::new(sources, vec![diagnostic])),
            None => Ok(sources),
        }
    }
}

/// The reason why `bytes` are not text in UTF-8, or `None` if they are; `text` is their lossy conversion.
fn encoding_error(bytes: &[u8], text: &str) -> Option<Diagnostic> {
    let place = |start: usize| Location { origin: Origin::File, start, end: start + 1 };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let diagnostic = Diagnostic::new(place(0), Path::root(), "expected text in UTF-8, found UTF-16");
        return Some(diagnostic.with_hint("save the file as UTF-8"));
    }
    if let Some(at) = text.find('\0') {
        let diagnostic =
            Diagnostic::new(place(at), Path::root(), "expected text in UTF-8, found a zero byte");
        return Some(
            diagnostic.with_hint("this looks like a binary file; a scenario is a text file in UTF-8"),
        );
    }
    let error = std::str::from_utf8(bytes).err()?;
    let removed = if bytes.starts_with("\u{feff}".as_bytes()) { '\u{feff}'.len_utf8() } else { 0 };
    let start = error.valid_up_to().saturating_sub(removed);
    let diagnostic =
        Diagnostic::new(place(start), Path::root(), "expected text in UTF-8, found an invalid byte");
    Some(diagnostic.with_hint("save the file as UTF-8"))
}
