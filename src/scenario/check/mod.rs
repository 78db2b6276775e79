//! Finds all problems of a scenario that is syntactically correct.
//!
//! The module of each part checks the fields of that part. This module checks the scenario as a whole: times, links
//! between nodes, probes, changes, and cycles of nodes.

mod changes;
mod endpoints;
mod probes;

use super::{Scenario, section};
use crate::event::MAX_ROWS;
use crate::model::check::Checker;
use crate::model::link::{ANY, LinkSpec};
use crate::model::names::{NamedGroup, Names};
use crate::model::parts::SpecRef;
use crate::model::problem::Problem;
use crate::model::{autoscaler, fault};
use crate::request::progress::Progress;
use crate::text::Path;

/// All problems of a scenario, in no particular order.
#[must_use]
pub fn check(scenario: &Scenario) -> Vec<Problem> {
    examine(scenario).err().unwrap_or_default()
}

/// Properties of a checked scenario that are needed to build it.
#[derive(Debug)]
pub struct Checked {
    /// The name table.
    pub names: Names,
    /// Maximum number of hops of a return path, without that of the source.
    pub max_hops: usize,
    /// Statements that have no effect, in no particular order.
    pub warnings: Vec<Problem>,
}

/// Checks a scenario.
///
/// # Errors
/// All its problems, in no particular order.
pub fn examine(scenario: &Scenario) -> Result<Checked, Vec<Problem>> {
    let mut problems = Vec::new();
    let names = scenario.gather_names(&mut problems);
    let Scenario { run_until, arrivals_until, .. } = *scenario;
    let arrivals_until = arrivals_until.unwrap_or(run_until);
    let mut used: Vec<_> = scenario.nodes.values().flat_map(|node| node.as_spec().uses()).collect();
    used.extend(scenario.links.iter().any(LinkSpec::has_bandwidth).then_some("size"));
    let mut checker = Checker {
        names: &names,
        run_until,
        arrivals_until,
        problems,
        warnings: Vec::new(),
        used,
        asked: Vec::new(),
    };
    times(scenario, &mut checker);
    nodes(scenario, &mut checker);
    links(scenario, &mut checker);
    endpoints::check(scenario, &mut checker);
    probes::check(scenario, &mut checker);
    changes::check(scenario, &mut checker);
    let specs = |name: &str| scenario.spec_of(&names, name).map(|(_, spec)| spec);
    autoscaler::check(scenario.autoscalers.iter(), specs, &mut checker);
    fault::check(scenario.faults.iter(), &scenario.links, specs, &mut checker);
    let max_hops = paths(scenario, &mut checker);
    sizes(scenario, &mut checker);
    unreachable(scenario, &mut checker);
    let Checker { problems, warnings, .. } = checker;
    if problems.is_empty() { Ok(Checked { names, max_hops, warnings }) } else { Err(problems) }
}

/// Maximum number of hops of a return path: a request counts them in a byte.
const MAX_HOPS: usize = u8::MAX as usize;

fn times(scenario: &Scenario, checker: &mut Checker<'_>) {
    let root = Path::root();
    let Scenario { run_until, warm_up, arrivals_until, .. } = *scenario;
    if run_until.is_zero() {
        checker.add(
            root.clone().name("run_until"),
            "a run of 0 s has no result",
            "make it longer than \"0s\"",
        );
    } else if warm_up >= run_until {
        let message = format!("a warm-up of {warm_up} leaves no time to measure in a run of {run_until}");
        checker.add(root.clone().name("warm_up"), message, "make it shorter than `run_until`");
    }
    if let Some(until) = arrivals_until.filter(|until| *until > run_until) {
        let message = format!("arrivals until {until} continue after the end of the run at {run_until}");
        checker.add(root.name("arrivals_until"), message, "make `run_until` later, or this earlier");
    }
}

fn nodes(scenario: &Scenario, checker: &mut Checker<'_>) {
    if scenario.sources.is_empty() {
        let message = "there is no source, so no requests would be created";
        checker.add(Path::root().name("sources"), message, "add a source");
    }
    for (name, spec) in scenario.specs() {
        spec.check(&Path::root().name(section(spec.kind())).name(name), checker);
    }
}

fn links(scenario: &Scenario, checker: &mut Checker<'_>) {
    let failing = fault::failing_links(scenario.faults.values(), &scenario.links);
    let has_sizes = scenario.has_sizes();
    for (index, link) in scenario.links.iter().enumerate() {
        let path = Path::root().name("links").index(index);
        if link.has_bandwidth() && !has_sizes {
            let message = "no message has a size: the bandwidth has no effect";
            let hint = "give sources and calls a `size`, and servers a `response_size`";
            checker.warn(path.clone().name("bandwidth"), message, hint);
        }
        link.check(failing.contains(&index), &path, checker);
        let first = scenario.links.iter().position(|other| other.from == link.from && other.to == link.to);
        if first != Some(index) {
            let message = format!("there is already a link from \"{}\" to \"{}\"", link.from, link.to);
            checker.add(path.clone(), message, "remove one of them");
        }
        let is_from_known = link.from == ANY || checker.known(&path, "from", &link.from);
        let is_to_known = link.to == ANY || checker.receiver(&path, "to", &link.to);
        if is_from_known && is_to_known {
            check_use_of_link(scenario, path, &link.from, &link.to, checker);
        }
    }
}

/// Reports a link that no message ever takes.
fn check_use_of_link(scenario: &Scenario, path: Path, from: &str, to: &str, checker: &mut Checker<'_>) {
    let names = checker.names;
    // Most links use the same name as the sender: names are only looked up if they differ.
    let is_to = |receiver: &&str| to == ANY || *receiver == to || names.overlap(receiver, to);
    let sends = |sender: SpecRef<'_>| sender.sends_to().iter().any(is_to);
    let is_used = if from == ANY {
        scenario.specs().any(|(_, sender)| sends(sender))
    } else {
        scenario.spec_of(names, from).is_none_or(|(_, sender)| sends(sender))
    };
    if !is_used {
        let sender = if from == ANY { "nobody".to_owned() } else { format!("\"{from}\" never") };
        let message = format!("{sender} sends to \"{to}\", so no message would pass this link");
        let problem = Problem::new(path, message).because_of(from).because_of(to);
        checker.problems.push(
            problem.with_hint("a link leads from a node to one of the nodes in its `to`, `then` or `call`"),
        );
    }
}

/// Reports cycles of nodes, and paths with more hops than a request can count. Returns the maximum number of hops, or 0
/// if there is a cycle.
fn paths(scenario: &Scenario, checker: &mut Checker<'_>) -> usize {
    // Every cycle is endless, as a node forwards each request, and makes its calls for each request.
    let edges = edges(scenario, checker.names, SpecRef::sends_to);
    match longest_paths(&edges).and_then(|_| max_hops(scenario, checker.names)) {
        Err(cycle) => {
            let names: Vec<_> =
                cycle.iter().map(|&index| checker.names.entries[index].name.as_str()).collect();
            let first = names.first().copied().unwrap_or_default();
            let message = format!("requests would cycle for ever: {} -> {first}", names.join(" -> "));
            let path = Path::root().name("nodes").name(first);
            checker.add(path, message, "let one of them answer requests without another one");
            0
        }
        Ok(hops) if hops > MAX_HOPS => {
            let message = format!("requests would pass {hops} nodes in a row, more than {MAX_HOPS}");
            checker.add(Path::root().name("nodes"), message, "remove some of them");
            hops
        }
        Ok(hops) => hops,
    }
}

/// Warns of nodes that no request reaches.
fn unreachable(scenario: &Scenario, checker: &mut Checker<'_>) {
    let entry = |name: &str| checker.names.entry(name).map(|(index, _)| index);
    let mut reached = vec![false; checker.names.entries.len()];
    let mut open: Vec<usize> = scenario.sources.values().filter_map(|source| entry(&source.to)).collect();
    while let Some(index) = open.pop() {
        if !std::mem::replace(&mut reached[index], true) {
            let node = scenario.nodes.get(&checker.names.entries[index].name);
            let receivers = node.map(|node| node.as_spec().sends_to()).unwrap_or_default();
            open.extend(receivers.into_iter().filter_map(entry));
        }
    }
    let names = scenario.nodes.keys().filter(|name| entry(name).is_some_and(|index| !reached[index]));
    for name in names.cloned().collect::<Vec<_>>() {
        let message = format!("no request reaches \"{name}\"");
        let path = Path::root().name("nodes").name(&name);
        checker.warn(path, message, "let a source or another node send to it, or remove it");
    }
}

/// Reports too many sources or return hops.
fn sizes(scenario: &Scenario, checker: &mut Checker<'_>) {
    let sources = scenario.sources.len();
    if sources > usize::from(u16::MAX) {
        let message = format!("{sources} sources are more than the maximum of 65535");
        checker.add(
            Path::root().name("sources"),
            message,
            "replace them by one source, and distinguish its requests by keys",
        );
    }
    let endpoints = checker.names.endpoints().len();
    if endpoints >= usize::from(Progress::ANY) {
        let message = format!("{endpoints} different endpoints are more than {}", Progress::ANY - 1);
        checker.add(Path::root().name("nodes"), message, "give endpoints of several servers the same names");
    }
    let names = checker.names;
    let links_from = |entry: &NamedGroup| {
        let from = scenario.links.iter().filter_map(|link| names.entry(&link.from));
        let of_all = scenario.links.iter().filter(|link| link.from == ANY).count();
        (from.filter(|(index, _)| names.entries[*index].name == entry.name).count() + of_all) as u64
    };
    // A node has a list of links for the nodes that it forwards to, and one for each call.
    let lists = |entry: &NamedGroup| {
        let calls = scenario.nodes.get(&entry.name).map_or(0, |node| node.as_spec().calls().len() as u64);
        (links_from(entry) + 1) * (calls + 1)
    };
    let hops: u64 = names.entries.iter().map(|entry| entry.members.len() as u64 * lists(entry)).sum();
    if hops > u64::from(MAX_ROWS) {
        let message = format!("the scenario has {hops} pairs of a sender and a link, more than {MAX_ROWS}");
        checker.add(
            Path::root().name("links"),
            message,
            "write links between groups instead of single nodes",
        );
    }
}

/// The edges from each entry to others, by index. Sources have no incoming edges, so their own are left out.
fn edges<'a>(
    scenario: &'a Scenario,
    names: &Names,
    targets: impl Fn(SpecRef<'a>) -> Vec<&'a str>,
) -> Vec<Vec<usize>> {
    let of_entry = |entry: &NamedGroup| {
        let targets = scenario.nodes.get(&entry.name).map(|node| targets(node.as_spec())).unwrap_or_default();
        targets.into_iter().filter_map(|name| names.entry(name)).map(|(index, _)| index).collect()
    };
    names.entries.iter().map(of_entry).collect()
}

/// The maximum number of hops of a return path: the nodes that a request passes between its source and the node that
/// responds, or the caller of a call and the nodes that the call passes.
///
/// # Errors
/// If there is a cycle: the indices of its entries.
fn max_hops(scenario: &Scenario, names: &Names) -> Result<usize, Vec<usize>> {
    let lengths = longest_paths(&edges(scenario, names, SpecRef::forwards_to))?;
    let length = |name: &str| names.entry(name).map(|(entry, _)| lengths[entry]);
    let requests = scenario.sources.values().filter_map(|source| length(&source.to));
    let called = scenario.nodes.values().flat_map(|node| node.as_spec().calls());
    let calls = called.filter_map(length).map(|length| length + 1);
    Ok(requests.chain(calls).max().unwrap_or(0))
}

/// The length of the longest path from each node of a graph. Not recursive, so that a long chain of nodes does not
/// overflow the stack.
///
/// # Errors
/// If there is a cycle: its nodes.
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
