//! What cannot change: settings that a node does not have, values that it could not have had from the start, moments that
//! never come.

use super::{ALL, Checker};
use crate::engine::time::SimTime;
use crate::event::MAX_ROWS;
use crate::model::change::{ChangeSpec, Setting};
use crate::scenario::{NodeSpec, Problem};
use crate::text::Path;

impl Checker<'_> {
    pub(super) fn changes(&mut self) {
        let changes = &self.scenario.changes;
        if changes.len() >= MAX_ROWS as usize {
            let message = format!("{} changes are more than {MAX_ROWS}", changes.len());
            self.add(
                Path::root().name("changes"),
                message,
                "let rates change by themselves: `Steps`, `Ramp`",
            );
        }
        for (index, change) in changes.iter().enumerate() {
            let path = Path::root().name("changes").index(index);
            if change.at > self.scenario.run_until {
                let message = format!(
                    "the run ends at {}, before this change at {}",
                    self.scenario.run_until, change.at
                );
                self.add(path.clone().name("at"), message, "make it earlier, or `run_until` later");
            }
            self.changed(&path, change);
            self.setting(&path, change);
        }
    }

    /// Checks that what changes exists, is named once, and has what is set.
    fn changed(&mut self, path: &Path, change: &ChangeSpec) {
        let names = &change.of.0;
        if names.is_empty() {
            self.add(
                path.clone().name("of"),
                "there is nothing to change",
                "name a source, a node or a group",
            );
        }
        let mut seen: Vec<(usize, Option<&str>)> = Vec::new();
        for name in names {
            if !self.known(path, "of", name, &ALL) {
                continue;
            }
            let Some((index, whole)) = self.directory.entry(name) else { continue };
            let entry = &self.directory.entries[index];
            let (wanted, kind) = (change.set.kind(), entry.kind);
            if kind != wanted {
                let message =
                    format!("{} cannot be set for \"{name}\", which is a {}", change.set.name(), kind.name());
                let problem = Problem::new(path.clone().name("set"), message).because_of(name);
                self.problems.push(problem.with_remedy(format!("name a {}", wanted.name())));
            }
            let member = (!whole).then_some(name.as_str());
            let overlaps = |other: &(usize, Option<&str>)| {
                other.0 == index && (member.is_none() || other.1.is_none() || other.1 == member)
            };
            if seen.iter().any(overlaps) {
                let message = format!("\"{name}\" is named twice");
                self.add(path.clone().name("of"), message, "name each node once, or its group");
            }
            seen.push((index, member));
        }
    }

    /// Checks what is set, as the field that it replaces.
    fn setting(&mut self, path: &Path, change: &ChangeSpec) {
        match &change.set {
            Setting::Down | Setting::Up | Setting::Queue(_) | Setting::Policy(_) => {}
            Setting::Concurrency(slots) => self.slots(path.clone().name("set"), *slots),
            Setting::Service(service) => self.spec(path, "set", service.resolve().map(drop)),
            Setting::Arrivals(arrivals) => {
                self.spec(path, "set", arrivals.resolve(SimTime::ZERO).map(drop));
            }
            Setting::Routing(routing) => {
                let clients = change.of.0.iter().filter_map(|name| {
                    let (index, _) = self.directory.entry(name)?;
                    match self.scenario.nodes.get(&self.directory.entries[index].name)? {
                        NodeSpec::Client(client) => Some(client.to.0.as_slice()),
                        NodeSpec::LoadBalancer(_) | NodeSpec::Server(_) => None,
                    }
                });
                let targets: Vec<String> = clients.flatten().cloned().collect();
                self.routing(path.clone().name("set"), routing, &targets);
            }
        }
    }
}
