//! Something in a scenario that is written well and means nothing that can be run.

use std::fmt;

use crate::text::Path;

/// What is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub path: Path,
    /// What is wrong with it: a sentence in lower case without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Other places that it follows from: where one of them could not be read, it may be no problem at all.
    pub follows_from: Vec<Path>,
}

impl Problem {
    /// A problem without a hint.
    #[must_use]
    pub fn new(path: Path, message: impl Into<String>) -> Self {
        Self { path, message: message.into(), hint: None, follows_from: Vec::new() }
    }

    /// The same, if it is only there because of what the node or source called `name` says, or does not say.
    #[must_use]
    pub fn because_of(mut self, name: &str) -> Self {
        // What could not be read is in no list of names: there "server-2" may be a member of "server".
        let group = name.rsplit_once('-').map(|(group, _)| group);
        for name in std::iter::once(name).chain(group) {
            self.follows_from.extend(["nodes", "sources"].map(|kind| Path::root().name(kind).name(name)));
        }
        self
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}
