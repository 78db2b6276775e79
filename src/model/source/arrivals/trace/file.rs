//! The file of a trace, as a scenario names it, and what is known of it once it has been read.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Scan, TraceError};
use crate::model::check::Checker;
use crate::model::problem::Problem;
use crate::text;

/// The file of a trace. It is read when it is asked about for the first time; copies of it know the same.
#[derive(Clone, Debug, Default)]
pub struct TraceFile {
    /// The name as written.
    name: String,
    /// The directory that a relative name starts from.
    directory: PathBuf,
    scan: OnceLock<Arc<Scan>>,
}

impl PartialEq for TraceFile {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.directory) == (&other.name, &other.directory)
    }
}

impl Serialize for TraceFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for TraceFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { name: String::deserialize(deserializer)?, ..Self::default() })
    }
}

impl TraceFile {
    /// The file of this name, relative to a directory.
    #[must_use]
    pub fn new(directory: &Path, name: &str) -> Self {
        Self { name: name.to_owned(), directory: directory.to_owned(), scan: OnceLock::new() }
    }

    /// Sets the directory that a relative name starts from.
    pub fn locate(&mut self, directory: &Path) {
        *self = Self::new(directory, &self.name);
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// What is known of the trace: the file is read unless it has been.
    #[must_use]
    pub fn scan(&self) -> &Arc<Scan> {
        self.scan.get_or_init(|| Arc::new(Scan::of(&self.path())))
    }

    /// Reports everything that is wrong with the trace at `path`, the field that names it.
    pub(crate) fn check(&self, path: &text::Path, checker: &mut Checker<'_>) {
        let scan = self.scan();
        let problem = |error: &TraceError| Problem {
            excerpt: error.excerpt.clone(),
            ..Problem::new(path.clone(), error.message.clone()).with_hint(error.hint.clone())
        };
        checker.problems.extend(scan.errors.iter().map(problem));
        let more = scan.error_count - scan.errors.len() as u64;
        if more > 0 {
            let message = format!("{} has {more} more invalid lines", self.path().display());
            checker.add(path.clone(), message, "correct the ones above, and check again");
        }
        if scan.error_count == 0 {
            checker.warnings.extend(scan.warning.iter().map(problem));
        }
    }
}
