//! From a file and its overrides to a scenario that can be run, or to everything that is wrong with it.

use super::Scenario;
use super::check::check;
use crate::model::problem::Problem;
use crate::text::{Complaint, Complaints, Document};

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
pub fn load(name: &str, bytes: &[u8], overrides: &[String]) -> Result<Loaded, Complaints> {
    let mut document = Document::parse(name, bytes)?;
    let mut complaints: Vec<Complaint> = Vec::new();
    for argument in overrides {
        if let Err(wrong) = document.set(argument) {
            complaints.extend(wrong);
        }
    }
    let decoded = document.decode::<Scenario>();
    complaints.extend(decoded.complaints);
    // What had to be left out of the scenario because of a mistake is neither wrong nor missing once more.
    let scenario = decoded.value;
    if let Some(scenario) = &scenario {
        let poisoned = &decoded.poisoned;
        let untrue = |problem: &Problem| {
            poisoned.touches(&problem.path) || problem.follows_from.iter().any(|path| poisoned.touches(path))
        };
        let written = |problem: Problem| Problem { path: poisoned.as_written(&problem.path), ..problem };
        let problems = check(scenario).into_iter().map(written).filter(|problem| !untrue(problem));
        complaints.extend(problems.map(|problem| complaint(&document, problem)));
    }
    match scenario {
        Some(scenario) if complaints.is_empty() => Ok(Loaded { scenario, document }),
        Some(_) | None => Err(document.complaints(complaints)),
    }
}

fn complaint(document: &Document, problem: Problem) -> Complaint {
    let complaint = document.complain(&problem.path, problem.message);
    match problem.remedy {
        Some(remedy) => complaint.with_remedy(remedy),
        None => complaint,
    }
}
