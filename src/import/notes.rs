//! The notes of an import: comments of the scenario, and which part of the file each of its values comes from.

use crate::scenario::Scenario;
use crate::text::{Diagnostic, Diagnostics, Location, Path, commented, ron};

/// The comments of a scenario, and the positions in the file that its values come from.
#[derive(Debug, Default)]
pub(super) struct Notes {
    comments: Vec<(Path, String)>,
    /// Where values of the scenario come from.
    origins: Vec<(Path, Location)>,
    /// Values of the scenario that have a line for each of their items.
    broken: Vec<Path>,
}

impl Notes {
    /// Adds a comment above the value at a path of the scenario. One that is there already is not repeated.
    pub(super) fn add(&mut self, path: &Path, comment: impl Into<String>) {
        let comment = comment.into();
        if !self.comments.iter().any(|(_, other)| *other == comment) {
            self.comments.push((path.clone(), comment));
        }
    }

    /// Records that the value at a path of the scenario comes from this position.
    pub(super) fn comes_from(&mut self, path: &Path, location: Location) {
        self.origins.push((path.clone(), location));
    }

    /// Gives each item of the value at a path a line of its own.
    pub(super) fn break_lines(&mut self, path: Path) {
        self.broken.push(path);
    }

    /// The nearest position in the file that the value at a path comes from.
    pub(super) fn origin(&self, path: &Path) -> Option<Location> {
        let ancestors = self.origins.iter().filter(|(ancestor, _)| path.starts_with(ancestor));
        ancestors.max_by_key(|(ancestor, _)| ancestor.segments().len()).map(|(_, location)| *location)
    }

    /// Writes a scenario with the comments.
    ///
    /// # Errors
    /// If a value cannot be written as text.
    pub(super) fn write(&self, scenario: &Scenario, whole: Location) -> Result<String, Vec<Diagnostic>> {
        let unwritten = |error: ron::Error| vec![Diagnostic::new(whole, Path::root(), error.to_string())];
        let text = format!("Scenario{}", ron(scenario).map_err(unwritten)?);
        let unread = |errors: Diagnostics| vec![Diagnostic::new(whole, Path::root(), errors.to_string())];
        commented(&text, &self.comments, &self.broken).map_err(unread)
    }
}
