//! From a file and its overrides to a scenario that can be run, or to everything that is wrong with it.

use super::Scenario;
use super::check::check;
use crate::model::problem::Problem;
use crate::text::{Diagnostic, Diagnostics, Document};

/// The scenario that is run when none is named: load-aware routing.
pub const DEFAULT_SCENARIO: (&str, &str) =
    ("load_aware_routing.ron", include_str!("../../scenarios/load_aware_routing.ron"));

/// A scenario with the text that it was read from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub scenario: Scenario,
    /// The text, its name and its overrides.
    pub document: Document,
}

/// Reads a scenario from the bytes of the file called `name`, with overrides (`path=value`) applied in order.
///
/// # Errors
/// Everything that is wrong with the text, the overrides, and the scenario that they make, with positions.
pub fn load(name: &str, bytes: &[u8], overrides: &[String]) -> Result<Loaded, Diagnostics> {
    let mut document = Document::parse(name, bytes)?;
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for argument in overrides {
        if let Err(wrong) = document.set(argument) {
            diagnostics.extend(wrong);
        }
    }
    let decoded = document.decode::<Scenario>();
    diagnostics.extend(decoded.diagnostics);
    // What had to be left out of the scenario because of a mistake is neither wrong nor missing once more.
    let scenario = decoded.value;
    if let Some(scenario) = &scenario {
        let omitted = &decoded.omitted;
        let untrue = |problem: &Problem| {
            omitted.overlaps(&problem.path) || problem.follows_from.iter().any(|path| omitted.overlaps(path))
        };
        let written = |problem: Problem| Problem { path: omitted.as_written(&problem.path), ..problem };
        let problems = check(scenario).into_iter().map(written).filter(|problem| !untrue(problem));
        diagnostics.extend(problems.map(|problem| diagnostic(&document, problem)));
    }
    match scenario {
        Some(scenario) if diagnostics.is_empty() => Ok(Loaded { scenario, document }),
        Some(_) | None => Err(document.diagnostics(diagnostics)),
    }
}

fn diagnostic(document: &Document, problem: Problem) -> Diagnostic {
    let diagnostic = document.diagnostic_at(&problem.path, problem.message);
    match problem.hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}
