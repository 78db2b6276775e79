//! Checks changes: settings that a node does not have, values that are invalid, times after the end of the run. Warns of
//! those that have no effect.

use indexmap::IndexMap;

use crate::event::MAX_ROWS;
use crate::model::change::ChangeSpec;
use crate::model::check::Checker;
use crate::model::parts::Setting;
use crate::model::problem::Problem;
use crate::scenario::Scenario;
use crate::text::Path;

pub(super) fn check(scenario: &Scenario, checker: &mut Checker<'_>) {
    let changes = &scenario.changes;
    if changes.len() >= MAX_ROWS as usize {
        let message = format!("{} changes are more than the maximum of {MAX_ROWS}", changes.len());
        checker.add(Path::root().name("changes"), message, "use rates that vary over time: `Steps`, `Ramp`");
    }
    for (index, change) in changes.iter().enumerate() {
        let path = Path::root().name("changes").index(index);
        if change.at > scenario.run_until {
            let message =
                format!("the run ends at {}, before this change at {}", scenario.run_until, change.at);
            checker.add(path.clone().name("at"), message, "make it earlier, or `run_until` later");
        }
        check_targets(&path, change, checker);
        let specs = change.of.0.iter().filter_map(|name| scenario.spec_of(checker.names, name));
        let specs: Vec<_> = specs.map(|(_, spec)| spec).collect();
        change.set.check(&path.name("set"), &specs, checker);
    }
    warn_of_repetitions(scenario, checker);
}

/// Warns of changes that set what is already set.
fn warn_of_repetitions(scenario: &Scenario, checker: &mut Checker<'_>) {
    let mut in_order: Vec<(usize, &ChangeSpec)> = scenario.changes.iter().enumerate().collect();
    in_order.sort_by_key(|(_, change)| change.at);
    // The setting of all members of a group, or `None` if they may differ.
    let mut present: IndexMap<(usize, &'static str), Option<Setting>> = IndexMap::new();
    for (index, change) in in_order {
        let path = Path::root().name("changes").index(index);
        let topic = change.set.topic().1;
        let mut has_effect = change.of.0.is_empty();
        for name in &change.of.0 {
            let Some((entry, whole)) = checker.names.entry(name) else { return };
            let initial = || {
                let settings = scenario.spec_of(checker.names, name)?.1.settings();
                settings.into_iter().find(|setting| setting.topic().1 == topic)
            };
            let before = present.entry((entry, topic)).or_insert_with(initial);
            if before.as_ref() != Some(&change.set) {
                has_effect = true;
                *before = whole.then(|| change.set.clone());
            }
        }
        if !has_effect {
            let message = format!("\"{}\" is already set: the change has no effect", change.set);
            checker.warn(path.name("set"), message, "remove it");
        }
    }
}

/// Checks that the nodes of a change exist, are named once, and have the setting.
fn check_targets(path: &Path, change: &ChangeSpec, checker: &mut Checker<'_>) {
    let names = &change.of.0;
    if names.is_empty() {
        checker.add(
            path.clone().name("of"),
            "there is nothing to change",
            "name a source, a node or a group",
        );
    }
    for (index, name) in names.iter().enumerate() {
        if !checker.known(path, "of", name) {
            continue;
        }
        let Some(range) = checker.names.range(name) else { continue };
        let (expected, kind) = (change.set.kind(), range.kind);
        if kind != expected {
            let message =
                format!("{} cannot be set for \"{name}\", which is a {}", change.set.name(), kind.name());
            let problem = Problem::new(path.clone().name("set"), message).because_of(name);
            checker.problems.push(problem.with_hint(format!("name a {}", expected.name())));
        }
        if let Some(group) = checker.names.group_of_member(name).filter(|_| change.set.is_of_group()) {
            let message =
                format!("{} is a setting of whole groups, and \"{name}\" is a member", change.set.name());
            let problem = Problem::new(path.clone().name("of"), message).because_of(name);
            checker.problems.push(problem.with_hint(format!("name the group: \"{group}\"")));
        }
        if names[..index].iter().any(|other| checker.names.overlap(other, name)) {
            let message = format!("\"{name}\" is named twice");
            checker.add(path.clone().name("of"), message, "name each node once, or its group");
        }
    }
}
