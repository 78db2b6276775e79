//! What a part's checks are made with: the names of the scenario, diagnostics with their places, and the questions that
//! several parts ask.

use super::names::Names;
use super::problem::Problem;
use crate::engine::spec_error::SpecError;
use crate::event::NodeKind;
use crate::text::Path;

/// Gathers everything that is wrong with a scenario.
#[derive(Debug)]
pub struct Checker<'a> {
    /// Who is who.
    pub names: &'a Names,
    /// What is wrong so far.
    pub problems: Vec<Problem>,
}

impl Checker<'_> {
    /// Complains.
    pub fn add(&mut self, path: Path, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Problem::new(path, message).with_hint(hint));
    }

    /// Complains of a field that resolves to nothing.
    pub fn spec(&mut self, path: &Path, field: &str, resolved: Result<(), SpecError>) {
        self.resolved(path.clone().name(field), resolved);
    }

    /// Complains of a value that resolves to nothing, or of the field of it that is to blame.
    pub fn resolved(&mut self, path: Path, resolved: Result<(), SpecError>) {
        if let Err(error) = resolved {
            self.problems.push(Problem::new(join(path, error.field()), error.message()));
        }
    }

    /// Checks the targets of a node that sends to several.
    pub fn receivers(&mut self, path: &Path, names: &[String]) {
        if names.is_empty() {
            self.add(path.clone().name("to"), "there is nothing to send to", "name a node or a group");
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

    /// Checks the target of a node that sends to one.
    pub fn single_receiver(&mut self, path: &Path, field: &str, name: &str) {
        if self.receiver(path, field, name) && self.names.range(name).is_some_and(|range| range.count > 1) {
            let message = format!("\"{name}\" is a group: which of its nodes is meant?");
            self.add(path.clone().name(field), message, "name one of them, or put a LoadBalancer in between");
        }
    }

    /// Whether a name stands for something that requests can be sent to; complains if it does not.
    pub fn receiver(&mut self, path: &Path, field: &str, name: &str) -> bool {
        let path = path.clone().name(field);
        match self.kind(&path, name, NodeKind::receives) {
            Some(kind) if !kind.receives() => {
                let message = format!("\"{name}\" is a {}: requests are not sent to it", kind.name());
                self.add(path, message, format!("name a {}", one_of(NodeKind::receives)));
                false
            }
            found => found.is_some(),
        }
    }

    /// Whether a name stands for anything; complains if it does not.
    pub fn known(&mut self, path: &Path, field: &str, name: &str) -> bool {
        self.kind(&path.clone().name(field), name, |_| true).is_some()
    }

    fn kind(&mut self, path: &Path, name: &str, is_meant: impl Fn(NodeKind) -> bool) -> Option<NodeKind> {
        if let Some((index, _)) = self.names.entry(name) {
            return Some(self.names.entries[index].kind);
        }
        self.problems.push(self.names.unknown(name, "node or group", path.clone(), is_meant));
        None
    }
}

/// The kinds of nodes for which something holds, in words: `load balancer, a client or a server`.
#[must_use]
pub fn one_of(is_meant: impl Fn(NodeKind) -> bool) -> String {
    let names: Vec<&str> =
        NodeKind::ALL.into_iter().filter(|kind| is_meant(*kind)).map(NodeKind::name).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or a {last}", others.join(", a ")),
        None => "node".to_owned(),
    }
}

/// The path of a field of a field, as [`SpecError`] writes it: `of.branches[1].mean`.
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
    fn fields_inside_of_fields_are_found() {
        let path = join(Path::root().name("service"), "of.branches[1].mean");
        assert_eq!(path, Path::root().name("service").name("of").name("branches").index(1).name("mean"));
        assert_eq!(join(Path::root(), ""), Path::root());
    }

    #[test]
    fn kinds_are_listed_in_words() {
        assert_eq!(one_of(|kind| kind == NodeKind::Client), "client");
        assert_eq!(one_of(|kind| kind == NodeKind::Client || kind == NodeKind::Server), "client or a server");
    }
}
