//! From RON text to any type that serde can read, with every mistake positioned, explained and reported at once.
//!
//! The reader is our own because ron's stops at the first mistake; forgets positions once a value exists, though
//! diagnostics found after parsing need them, and `--set` (and the visualizer's edits) replace single fields; and
//! cannot read "a text or an enum" (`rate: "20/s"` or `rate: Spike(...)`). The language is RON, checked against ron
//! in the tests.
//!
//! The way of a text: `scan`, `number`, `quoted` and `parser` make a `tree` of it, `duplicates` are taken
//! out, `overrides` change it, `de` reads types from it, and `decode` goes on after mistakes. `navigate` leads
//! from a `path` to a place, and `diagnostic` is what the author gets to read. The way back: `write` makes a tree of any
//! value and a text of that, and `splice` puts it into the text of the file.

mod de;
mod decode;
mod diagnostic;
mod duplicates;
mod navigate;
pub(crate) mod nearest;
mod number;
mod overrides;
mod parser;
mod path;
mod quoted;
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

pub use self::decode::{Decoded, OmittedPaths};
pub use self::diagnostic::{Diagnostic, Diagnostics};
pub use self::navigate::Located;
pub use self::path::{Path, PathError, Segment};
pub use self::source::{Location, Origin, Sources};
use self::tree::Node;

/// A scenario's text, read into a tree but not yet into a type.
#[derive(Clone, Debug)]
pub struct Document {
    sources: Sources,
    root: Node,
    /// Mistakes that were stepped over while the file was read.
    diagnostics: Vec<Diagnostic>,
}

impl Document {
    /// Reads the bytes of the file called `name`.
    ///
    /// # Errors
    /// If they are no RON: with the first mistake that cannot be stepped over, and those before it.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Diagnostics> {
        let text = String::from_utf8_lossy(bytes);
        let stripped = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let sources = Sources::new(name, stripped.to_owned());
        if let Some(diagnostic) = no_text(bytes, stripped) {
            return Err(Diagnostics::new(sources, vec![diagnostic]));
        }
        match parser::parse(stripped, 0, Origin::File) {
            Ok(parsed) => Ok(Self { sources, root: parsed.root, diagnostics: parsed.diagnostics }),
            Err(diagnostics) => Err(Diagnostics::new(sources, diagnostics)),
        }
    }

    /// Sets one value, as `--set path=value` does. Nothing is changed by an argument with a mistake.
    ///
    /// # Errors
    /// If the argument is no path and value, or the path leads nowhere. [`Document::diagnostics`] makes them printable
    /// together with those of [`Document::decode`].
    pub fn set(&mut self, argument: &str) -> Result<(), Vec<Diagnostic>> {
        let origin = self.sources.add_argument(argument);
        self.root = overrides::apply(&self.root, argument, origin)?;
        Ok(())
    }

    /// Reads a `T`, with all the mistakes that stand in its way and those of the text itself.
    #[must_use]
    pub fn decode<T: DeserializeOwned>(&self) -> Decoded<T> {
        let mut decoded = decode::decode(&self.root);
        decoded.diagnostics.extend(self.diagnostics.iter().cloned());
        decoded.diagnostics.sort_by_key(|diagnostic| diagnostic.location);
        decoded
    }

    /// Where `path` is written, or the nearest of its ancestors that is.
    #[must_use]
    pub fn locate(&self, path: &Path) -> Located {
        navigate::locate(&self.root, path)
    }

    /// A diagnostic about the value at `path`, found after decoding.
    #[must_use]
    pub fn diagnostic_at(&self, path: &Path, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.locate(path).value, path.clone(), message)
    }

    /// Diagnostics ready for printing, in order.
    #[must_use]
    pub fn diagnostics(&self, list: Vec<Diagnostic>) -> Diagnostics {
        Diagnostics::new(self.sources.clone(), list)
    }

    /// The text of the file with all that was [set](Document::set) in it, another `seed` if one is given, and more items
    /// behind those of the list in the field `list` of the scenario.
    ///
    /// # Errors
    /// If an item cannot be written, or the text cannot be read with what is put into it.
    pub fn written_with<T: Serialize>(
        &self,
        seed: Option<u64>,
        list: &str,
        items: &[T],
    ) -> Result<String, Vec<Diagnostic>> {
        let mut text = self.text().to_owned();
        for argument in self.sources.arguments() {
            text = splice::set(&text, argument)?;
        }
        if let Some(seed) = seed {
            text = splice::set(&text, &format!("seed={seed}"))?;
        }
        if items.is_empty() {
            return Ok(text);
        }
        let item = |item: &T| {
            let unwritable =
                |error: write::Unwritable| vec![self.diagnostic_at(&Path::root(), error.to_string())];
            write::tree(item).map_err(unwritable)
        };
        splice::append(&text, list, &items.iter().map(item).collect::<Result<Vec<_>, _>>()?)
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

/// A value in RON, in one line; nothing if it holds bytes or numbers beyond 64 bits, which RON cannot say.
#[must_use]
pub fn ron<T: Serialize>(value: &T) -> Option<String> {
    write::tree(value).ok().map(|tree| tree.to_string())
}

/// What speaks against `bytes` being text at all; `text` is what could be made of them.
fn no_text(bytes: &[u8], text: &str) -> Option<Diagnostic> {
    let place = |start: usize| Location { origin: Origin::File, start, end: start + 1 };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let diagnostic = Diagnostic::new(place(0), Path::root(), "this file is written in UTF-16");
        return Some(diagnostic.with_hint("save it as UTF-8"));
    }
    if let Some(at) = text.find('\0') {
        let diagnostic =
            Diagnostic::new(place(at), Path::root(), "this looks like a binary file: it holds a zero byte");
        return Some(diagnostic.with_hint("a scenario is a text file in UTF-8"));
    }
    let broken = std::str::from_utf8(bytes).err()?;
    let removed = if bytes.starts_with("\u{feff}".as_bytes()) { '\u{feff}'.len_utf8() } else { 0 };
    let start = broken.valid_up_to().saturating_sub(removed);
    let diagnostic =
        Diagnostic::new(place(start), Path::root(), "this file is not written in UTF-8 from here on");
    Some(diagnostic.with_hint("save it as UTF-8"))
}
