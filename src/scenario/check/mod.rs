//! What cannot be: the problems of a scenario that is written well. All of them are found at once.
//!
//! Each part checks itself in its room. Here is what concerns the whole: times, links between nodes, probes, changes, ways
//! without end.

mod changes;
mod probes;

use super::{Scenario, section};
use crate::event::MAX_ROWS;
use crate::model::check::Checker;
use crate::model::names::{NamedGroup, Names};
use crate::model::problem::Problem;
use crate::text::Path;

/// Everything that is wrong with a scenario, in no particular order.
#[must_use]
pub fn check(scenario: &Scenario) -> Vec<Problem> {
    examine(scenario).err().unwrap_or_default()
}

/// What is learned of a scenario while it is checked, and needed to build it.
#[derive(Debug)]
pub struct Checked {
    /// Who is who.
    pub names: Names,
    /// The most nodes that a request passes behind its source before the one that answers it.
    pub max_hops: usize,
}

/// Checks a scenario.
///
/// # Errors
/// Everything that is wrong with it, in no particular order.
pub fn examine(scenario: &Scenario) -> Result<Checked, Vec<Problem>> {
    let mut problems = Vec::new();
    let names = scenario.gather_names(&mut problems);
    let mut checker = Checker { names: &names, problems };
    times(scenario, &mut checker);
    nodes(scenario, &mut checker);
    links(scenario, &mut checker);
    probes::check(scenario, &mut checker);
    changes::check(scenario, &mut checker);
    let max_hops = paths(scenario, &mut checker);
    sizes(scenario, &mut checker);
    let problems = checker.problems;
    if problems.is_empty() { Ok(Checked { names, max_hops }) } else { Err(problems) }
}

/// The most hops that a return path may have: a request counts them in a byte.
const MAX_HOPS: usize = u8::MAX as usize;

fn times(scenario: &Scenario, checker: &mut Checker<'_>) {
    let root = Path::root();
    let Scenario { run_until, warm_up, arrivals_until, .. } = *scenario;
    if run_until.is_zero() {
        checker.add(
            root.clone().name("run_until"),
            "a run of no time has no result",
            "make it longer than \"0s\"",
        );
    } else if warm_up >= run_until {
        let message =
            format!("the warm-up of {warm_up} leaves nothing of the run of {run_until} to be measured");
        checker.add(root.clone().name("warm_up"), message, "make it shorter than `run_until`");
    }
    if let Some(until) = arrivals_until.filter(|until| *until > run_until) {
        let message = format!("arrivals until {until} outlast the run, which ends at {run_until}");
        checker.add(root.name("arrivals_until"), message, "make `run_until` later, or this earlier");
    }
}

fn nodes(scenario: &Scenario, checker: &mut Checker<'_>) {
    if scenario.sources.is_empty() {
        let message = "there is no source: nothing would happen";
        checker.add(Path::root().name("sources"), message, "add one");
    }
    for (name, spec) in scenario.specs() {
        spec.check(&Path::root().name(section(spec.kind())).name(name), checker);
    }
}

fn links(scenario: &Scenario, checker: &mut Checker<'_>) {
    for (index, link) in scenario.links.iter().enumerate() {
        let path = Path::root().name("links").index(index);
        link.check(&path, checker);
        let first = scenario.links.iter().position(|other| other.from == link.from && other.to == link.to);
        if first != Some(index) {
            let message = format!("there is already a link from \"{}\" to \"{}\"", link.from, link.to);
            checker.add(path.clone(), message, "remove one of them");
        }
        if checker.known(&path, "from", &link.from) & checker.receiver(&path, "to", &link.to) {
            link_is_used(scenario, path, &link.from, &link.to, checker);
        }
    }
}

/// Complains of a link that no message ever takes.
fn link_is_used(scenario: &Scenario, path: Path, from: &str, to: &str, checker: &mut Checker<'_>) {
    let Some((_, sender)) = scenario.spec_of(checker.names, from) else { return };
    let receivers = sender.sends_to();
    // Most links are written as the sender has it: names are only looked up where they differ.
    if !receivers.contains(&to) && !receivers.into_iter().any(|name| checker.names.overlap(name, to)) {
        let message = format!("\"{from}\" never sends to \"{to}\", so that nothing would pass this link");
        let problem = Problem::new(path, message).because_of(from).because_of(to);
        checker.problems.push(problem.with_hint("links lead from a sender to those in its `to` or `then`"));
    }
}

/// Complains of requests that would go round for ever, or through more nodes than they can remember. Returns the
/// most nodes that one passes.
fn paths(scenario: &Scenario, checker: &mut Checker<'_>) -> usize {
    match most_hops(scenario, checker.names) {
        Err(cycle) => {
            let names: Vec<_> =
                cycle.iter().map(|&index| checker.names.entries[index].name.as_str()).collect();
            let first = names.first().copied().unwrap_or_default();
            let message = format!("requests would go round for ever: {} -> {first}", names.join(" -> "));
            let path = Path::root().name("nodes").name(first);
            checker.add(path, message, "let one of them answer instead of sending on");
            0
        }
        Ok(hops) if hops > MAX_HOPS => {
            let message = format!("requests would pass {hops} nodes in a row, more than {MAX_HOPS}");
            checker.add(Path::root().name("nodes"), message, "leave some of them out");
            hops
        }
        Ok(hops) => hops,
    }
}

/// Complains of what is more than events have bits for.
fn sizes(scenario: &Scenario, checker: &mut Checker<'_>) {
    let sources = scenario.sources.len();
    if sources > usize::from(u16::MAX) {
        let message = format!("{sources} sources are more than 65535");
        checker.add(
            Path::root().name("sources"),
            message,
            "let one source stand for many: keys tell requests apart",
        );
    }
    let names = checker.names;
    let links_from = |entry: &NamedGroup| {
        let from = scenario.links.iter().filter_map(|link| names.entry(&link.from));
        from.filter(|(index, _)| names.entries[*index].name == entry.name).count() as u64
    };
    let hops: u64 =
        names.entries.iter().map(|entry| entry.members.len() as u64 * (links_from(entry) + 1)).sum();
    if hops > u64::from(MAX_ROWS) {
        let message = format!("that makes {hops} pairs of a sender and a link, more than {MAX_ROWS}");
        checker.add(
            Path::root().name("links"),
            message,
            "write links between groups instead of single nodes",
        );
    }
}

/// The most nodes that a request passes behind its source before the one that answers it, or a cycle of entries.
fn most_hops(scenario: &Scenario, names: &Names) -> Result<usize, Vec<usize>> {
    let receivers = |entry: &NamedGroup| {
        // Nothing leads to a source, so it is on no cycle.
        let node = scenario.nodes.get(&entry.name).map(|node| node.as_spec().sends_to());
        let to = node.unwrap_or_default().into_iter();
        to.filter_map(|name| names.entry(name)).map(|(index, _)| index).collect()
    };
    let lengths = longest_paths(&names.entries.iter().map(receivers).collect::<Vec<_>>())?;
    let entered = scenario.sources.values().filter_map(|source| names.entry(&source.to));
    Ok(entered.map(|(entry, _)| lengths[entry]).max().unwrap_or(0))
}

/// The length of the longest path from each node of a graph, or a cycle in it. Without recursion: a chain of 10,000
/// nodes is no reason to crash.
fn longest_paths(edges: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut lengths: Vec<Option<usize>> = vec![None; edges.len()];
    let mut on_path = vec![false; edges.len()];
    for start in 0..edges.len() {
        let mut path: Vec<(usize, usize)> =
            if lengths[start].is_some() { Vec::new() } else { vec![(start, 0)] };
        while let Some((node, next)) = path.pop() {
            on_path[node] = true;
            let Some(&to) = edges[node].get(next) else {
                on_path[node] = false;
                let beyond = edges[node].iter().filter_map(|&to| lengths[to]).max();
                lengths[node] = Some(beyond.map_or(0, |length| length + 1));
                continue;
            };
            path.push((node, next + 1));
            if on_path[to] {
                return Err(path.into_iter().map(|(node, _)| node).skip_while(|node| *node != to).collect());
            }
            if lengths[to].is_none() {
                path.push((to, 0));
            }
        }
    }
    Ok(lengths.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cycles_are_found_and_diamonds_are_not_cycles() {
        assert_eq!(longest_paths(&[vec![1, 2], vec![3], vec![3, 1], vec![]]), Ok(vec![3, 1, 2, 0]));
        assert_eq!(longest_paths(&[vec![1], vec![2], vec![1]]), Err(vec![1, 2]));
        assert_eq!(longest_paths(&[vec![0]]), Err(vec![0]));
        let chain: Vec<_> = (0..100_000).map(|i| if i < 99_999 { vec![i + 1] } else { vec![] }).collect();
        assert_eq!(longest_paths(&chain).map(|lengths| lengths[0]), Ok(99_999));
    }
}
