//! Reads and checks a scenario with its overrides.

use std::path::{Path, PathBuf};

use super::Scenario;
use super::check::examine;
use crate::model::problem::Problem;
use crate::text::{Diagnostic, Diagnostics, Document};

/// The name and text of the built-in scenario, load-aware routing.
pub const DEFAULT_SCENARIO: (&str, &str) =
    ("load_aware_routing.ron", include_str!("../../scenarios/load_aware_routing.ron"));

/// A scenario with the document that it was read from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The directory that the names of other files in the scenario start from.
    pub directory: PathBuf,
    /// The scenario.
    pub scenario: Scenario,
    /// The text, its name and its overrides.
    pub document: Document,
    /// Warnings: statements that have no effect, sorted by position.
    pub warnings: Diagnostics,
}

/// Reads a scenario from the bytes of the file called `name`, with overrides (`path=value`) applied in order. Names of other
/// files, such as traces, start from the directory of `name`.
///
/// # Errors
/// All errors in the text, the overrides, and the resulting scenario, with positions.
pub fn load(name: &str, bytes: &[u8], overrides: &[String]) -> Result<Loaded, Diagnostics> {
    load_in(Path::new(name).parent().unwrap_or(Path::new("")), name, bytes, overrides)
}

/// The same with another directory that the names of other files start from.
///
/// # Errors
/// All errors in the text, the overrides, and the resulting scenario, with positions.
pub fn load_in(
    directory: &Path,
    name: &str,
    bytes: &[u8],
    overrides: &[String],
) -> Result<Loaded, Diagnostics> {
    let mut document = Document::parse(name, bytes)?;
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for argument in overrides {
        if let Err(errors) = document.set(argument) {
            diagnostics.extend(errors);
        }
    }
    let decoded = document.decode::<Scenario>();
    diagnostics.extend(decoded.diagnostics);
    // Values that could not be decoded were omitted. Problems that result from the omission are not reported.
    let mut scenario = decoded.value;
    scenario.iter_mut().for_each(|scenario| scenario.locate(directory));
    let mut warnings = Vec::new();
    if let Some(scenario) = &scenario {
        let omitted = &decoded.omitted;
        let follows_from_omission = |problem: &Problem| {
            omitted.overlaps(&problem.path) || problem.follows_from.iter().any(|path| omitted.overlaps(path))
        };
        let with_written_path =
            |problem: Problem| Problem { path: omitted.as_written(&problem.path), ..problem };
        let problems = examine(scenario).map(|checked| warnings = checked.warnings).err().unwrap_or_default();
        let problems = problems.into_iter().map(with_written_path);
        let problems = problems.filter(|problem| !follows_from_omission(problem));
        diagnostics.extend(problems.map(|problem| diagnostic(&document, problem)));
    }
    match scenario {
        Some(scenario) if diagnostics.is_empty() => {
            let warnings = warnings.into_iter().map(|problem| diagnostic(&document, problem).as_warning());
            let warnings = document.diagnostics(warnings.collect());
            Ok(Loaded { directory: directory.to_owned(), scenario, document, warnings })
        }
        Some(_) | None => Err(document.diagnostics(diagnostics)),
    }
}

fn diagnostic(document: &Document, problem: Problem) -> Diagnostic {
    let diagnostic = document.diagnostic_at(&problem.path, problem.message);
    Diagnostic { hint: problem.hint, excerpt: problem.excerpt, ..diagnostic }
}
