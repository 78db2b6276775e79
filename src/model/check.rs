//! Helpers for checking scenarios: the checks that several parts share, which report problems with their paths.

use super::names::Names;
use super::problem::Problem;
use crate::engine::spec_error::SpecError;
use crate::engine::time::SimDuration;
use crate::event::NodeKind;
use crate::text::Path;

/// Collects the problems of a scenario.
#[derive(Debug)]
pub struct Checker<'a> {
    /// The names of the scenario.
    pub names: &'a Names,
    /// The end of the run.
    pub run_until: SimDuration,
    /// The time after which no source creates a request.
    pub arrivals_until: SimDuration,
    /// The problems found so far.
    pub problems: Vec<Problem>,
    /// Statements that have no effect.
    pub warnings: Vec<Problem>,
    /// The fields of sources that nodes treat requests by, such as `priority`.
    pub used: Vec<&'static str>,
    /// The endpoints that requests and calls ask for: where it is written, the receiver, and the name of the endpoint.
    pub asked: Vec<(Path, String, String)>,
}

impl Checker<'_> {
    /// Reports a problem with a hint.
    pub fn add(&mut self, path: Path, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::new(path, message).with_hint(hint));
    }

    /// Reports something that has no effect, with a hint.
    pub fn warn(&mut self, path: Path, message: impl Into<String>, hint: impl Into<String>) {
        self.warnings.push(Problem::new(path, message).with_hint(hint));
    }

    /// Notes that requests or calls to a node or group ask for an endpoint, which is checked when all parts are known.
    pub fn asks(&mut self, path: Path, to: &str, endpoint: &str) {
        self.asked.push((path, to.to_owned(), endpoint.to_owned()));
    }

    /// Reports the error of a field that could not be resolved.
    pub fn spec(&mut self, path: &Path, field: &str, resolved: Result<(), SpecError>) {
        self.resolved(path.clone().name(field), resolved);
    }

    /// Reports the error of a value that could not be resolved, at the inner field that the error names.
    pub fn resolved(&mut self, path: Path, resolved: Result<(), SpecError>) {
        if let Err(error) = resolved {
            self.problems.push(Problem::new(join(path, error.field()), error.message()));
        }
    }

    /// Whether a value is a probability. Reports a problem with a hint if not.
    pub fn probability(&mut self, path: &Path, value: f64, hint: &str) -> bool {
        let is_valid = (0.0..=1.0).contains(&value);
        if !is_valid {
            let message = format!("{value} is not a probability: expected a number from 0 to 1");
            self.add(path.clone(), message, hint);
        }
        is_valid
    }

    /// Checks the list of targets of a node.
    pub fn receivers(&mut self, path: &Path, names: &[String]) {
        if names.is_empty() {
            self.add(path.clone().name("to"), "the list of targets is empty", "name a node or a group");
        }
        for name in names {
            self.receiver(path, "to", name);
        }
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                self.add(
                    path.clone().name("to"),
                    format!("\"{name}\" is named twice"),
                    "name each target once",
                );
            }
        }
    }

    /// Checks the single target of a node.
    pub fn single_receiver(&mut self, path: &Path, field: &str, name: &str) {
        if self.receiver(path, field, name) && self.names.range(name).is_some_and(|range| range.count > 1) {
            let message = format!("\"{name}\" is a group, but a single node is expected");
            let hint = "name one of its members, or put a LoadBalancer in between";
            self.add(path.clone().name(field), message, hint);
        }
    }

    /// Whether these names stand for a single node.
    #[must_use]
    pub fn is_single(&self, names: &[String]) -> bool {
        names.len() == 1
            && names.iter().all(|name| self.names.range(name).is_some_and(|range| range.count == 1))
    }

    /// Whether requests can be sent to the node or group of this name. Reports a problem if not.
    pub fn receiver(&mut self, path: &Path, field: &str, name: &str) -> bool {
        let path = path.clone().name(field);
        match self.kind(&path, name, NodeKind::receives) {
            Some(kind) if !kind.receives() => {
                let message = format!("\"{name}\" is a {}, which cannot receive requests", kind.name());
                self.add(path, message, format!("name a {}", one_of(NodeKind::receives)));
                false
            }
            kind => kind.is_some(),
        }
    }

    /// Whether a name is known. Reports a problem if not.
    pub fn known(&mut self, path: &Path, field: &str, name: &str) -> bool {
        self.kind(&path.clone().name(field), name, |_| true).is_some()
    }

    /// The kind of the node or group of this name, or `None` if the name is unknown. In this case, reports a problem
    /// that suggests names of the expected kinds.
    fn kind(&mut self, path: &Path, name: &str, is_expected: impl Fn(NodeKind) -> bool) -> Option<NodeKind> {
        if let Some((index, _)) = self.names.entry(name) {
            return Some(self.names.entries[index].kind);
        }
        self.problems.push(self.names.unknown(name, "node or group", path.clone(), is_expected));
        None
    }
}

/// Lists the names of the kinds of nodes that match, without the first article: `load balancer, a client or a server`.
#[must_use]
pub fn one_of(matches: impl Fn(NodeKind) -> bool) -> String {
    let names: Vec<&str> =
        NodeKind::ALL.into_iter().filter(|kind| matches(*kind)).map(NodeKind::name).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or a {last}", others.join(", a ")),
        None => "node".to_owned(),
    }
}

/// Extends a path by a path of fields in the notation of [`SpecError`]: `of.branches[1].mean`.
fn join(path: Path, field: &str) -> Path {
    field.split(['.', '[']).filter(|segment| !segment.is_empty()).fold(path, |path, segment| {
        match segment.strip_suffix(']').and_then(|index| index.parse().ok()) {
            Some(index) => path.index(index),
            None => path.name(segment),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_fields_are_appended_to_a_path() {
        let path = join(Path::root().name("service"), "of.branches[1].mean");
        assert_eq!(path, Path::root().name("service").name("of").name("branches").index(1).name("mean"));
        assert_eq!(join(Path::root(), ""), Path::root());
    }

    #[test]
    fn kinds_are_listed_by_name() {
        assert_eq!(one_of(|kind| kind == NodeKind::Client), "client");
        assert_eq!(one_of(|kind| kind == NodeKind::Client || kind == NodeKind::Server), "client or a server");
    }
}
