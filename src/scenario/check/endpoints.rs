//! Checks that the endpoints that requests and calls ask for exist.

use super::{Scenario, edges};
use crate::model::check::Checker;
use crate::model::parts::SpecRef;
use crate::model::problem::Problem;
use crate::text::nearest::nearest;

/// Reports endpoints that none of the nodes has that the request may reach.
pub(super) fn check(scenario: &Scenario, checker: &mut Checker<'_>) {
    let asked = std::mem::take(&mut checker.asked);
    if asked.is_empty() {
        return;
    }
    let forwards = edges(scenario, checker.names, SpecRef::forwards_to);
    for (path, to, endpoint) in asked {
        // An unknown receiver is reported by its sender.
        let Some((first, _)) = checker.names.entry(&to) else { continue };
        let mut reached = vec![first];
        let mut next = 0;
        while let Some(&entry) = reached.get(next) {
            let new: Vec<_> = forwards[entry].iter().filter(|to| !reached.contains(to)).copied().collect();
            reached.extend(new);
            next += 1;
        }
        let names = reached.iter().map(|&entry| checker.names.entries[entry].name.as_str());
        let known: Vec<&str> = names
            .filter_map(|name| scenario.nodes.get(name))
            .flat_map(|node| node.as_spec().endpoints())
            .collect();
        if known.contains(&endpoint.as_str()) {
            continue;
        }
        let message = format!("neither \"{to}\" nor a node behind it has an endpoint \"{endpoint}\"");
        let hint = match nearest(&endpoint, known.iter().copied()) {
            Some(similar) => format!("did you mean \"{similar}\"?"),
            None if known.is_empty() => format!("give \"{to}\" `endpoints`, or leave this out"),
            None => format!(
                "it has {}",
                known.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
            ),
        };
        checker.problems.push(Problem::new(path, message).because_of(&to).with_hint(hint));
    }
}
