//! What cannot be: the problems of a scenario that is written well. All of them are found at once.

mod changes;
mod probes;

use super::directory::{Directory, Entry};
use super::{NodeSpec, Problem, Scenario};
use crate::engine::spec_error::SpecError;
use crate::engine::time::SimTime;
use crate::event::MAX_ROWS;
use crate::model::client::RoutingSpec;
use crate::model::probe::NodeKind;
use crate::text::Path;

/// Everything that is wrong with a scenario, in no particular order.
#[must_use]
pub fn check(scenario: &Scenario) -> Vec<Problem> {
    examine(scenario).err().unwrap_or_default()
}

/// What is learned of a scenario while it is checked, and needed to build it.
pub(super) struct Checked {
    /// Who is who.
    pub(super) directory: Directory,
    /// The most nodes that a request passes behind its source before the one that answers it.
    pub(super) senders: usize,
}

/// Checks a scenario.
///
/// # Errors
/// Everything that is wrong with it, in no particular order.
pub(super) fn examine(scenario: &Scenario) -> Result<Checked, Vec<Problem>> {
    let mut problems = Vec::new();
    let directory = Directory::gather(scenario, &mut problems);
    let mut checker = Checker { scenario, directory: &directory, problems };
    checker.times();
    checker.sources();
    checker.nodes();
    checker.links();
    checker.probes();
    checker.changes();
    let senders = checker.paths();
    checker.sizes();
    let problems = checker.problems;
    if problems.is_empty() { Ok(Checked { directory, senders }) } else { Err(problems) }
}

struct Checker<'a> {
    scenario: &'a Scenario,
    directory: &'a Directory,
    problems: Vec<Problem>,
}

/// The most nodes that a return path may hold: a request counts them in a byte.
const MAX_SENDERS: usize = u8::MAX as usize;

/// The kinds of nodes that requests can be sent to.
const RECEIVERS: [NodeKind; 3] = [NodeKind::LoadBalancer, NodeKind::Client, NodeKind::Server];
/// The kinds of nodes that send requests.
const ALL: [NodeKind; 4] = [NodeKind::Source, NodeKind::LoadBalancer, NodeKind::Client, NodeKind::Server];

impl Checker<'_> {
    fn times(&mut self) {
        let root = Path::root();
        let Scenario { run_until, warm_up, arrivals_until, .. } = *self.scenario;
        if run_until.is_zero() {
            self.add(
                root.clone().name("run_until"),
                "a run of no time has no result",
                "make it longer than \"0s\"",
            );
        } else if warm_up >= run_until {
            let message =
                format!("the warm-up of {warm_up} leaves nothing of the run of {run_until} to be measured");
            self.add(root.clone().name("warm_up"), message, "make it shorter than `run_until`");
        }
        if let Some(until) = arrivals_until.filter(|until| *until > run_until) {
            let message = format!("arrivals until {until} outlast the run, which ends at {run_until}");
            self.add(root.name("arrivals_until"), message, "make `run_until` later, or this earlier");
        }
    }

    fn sources(&mut self) {
        let root = Path::root().name("sources");
        if self.scenario.sources.is_empty() {
            self.add(root.clone(), "there is no source: nothing would happen", "add one");
        }
        for (name, source) in &self.scenario.sources {
            let path = root.clone().name(name);
            self.spec(&path, "arrivals", source.arrivals.resolve(SimTime::ZERO + source.start).map(drop));
            self.spec(&path, "key", source.key.resolve().map(drop));
            if let Some(size) = &source.size {
                self.spec(&path, "size", size.resolve().map(drop));
            }
            self.single_receiver(&path, "to", &source.to);
            if source.stop.is_some_and(|stop| stop < source.start) {
                self.add(
                    path.name("stop"),
                    "the source stops before it starts",
                    "make `stop` later than `start`",
                );
            }
        }
    }

    fn nodes(&mut self) {
        for (name, node) in &self.scenario.nodes {
            let path = Path::root().name("nodes").name(name);
            match node {
                NodeSpec::LoadBalancer(spec) => self.receivers(&path, &spec.to.0),
                NodeSpec::Client(spec) => {
                    self.receivers(&path, &spec.to.0);
                    self.routing(path.name("routing"), &spec.routing, &spec.to.0);
                }
                NodeSpec::Server(spec) => {
                    self.spec(&path, "service", spec.service.resolve().map(drop));
                    if let Some(then) = &spec.then {
                        self.single_receiver(&path, "then", then);
                    }
                    self.slots(path.name("concurrency"), spec.concurrency);
                }
            }
        }
    }

    fn slots(&mut self, path: Path, concurrency: u32) {
        if concurrency == 0 {
            let message = "a server that serves 0 requests at a time serves none";
            self.add(path, message, "make it 1 or more");
        }
    }

    fn routing(&mut self, path: Path, routing: &RoutingSpec, to: &[String]) {
        let RoutingSpec::LoadAware { window, threshold, attempts, .. } = routing else { return };
        if window.is_zero() {
            self.add(
                path.clone().name("window"),
                "a window of no time remembers nothing",
                "make it longer than \"0s\"",
            );
        }
        if !(*threshold > 0.0 && *threshold <= 1.0) {
            let message = format!("{threshold} is no load: a share above 0 and at most 1 is expected");
            self.add(path.clone().name("threshold"), message, "0.9 means nine tenths of the slots");
        }
        if *attempts == Some(0) {
            let message = "with 0 attempts an overloaded server is never avoided";
            self.add(path.clone().name("attempts"), message, "write `smart: false` if that is meant");
        }
        for name in to {
            let entry = self.directory.entry(name).map(|(index, _)| &self.directory.entries[index]);
            if let Some(entry) = entry.filter(|entry| entry.kind != NodeKind::Server) {
                let message =
                    format!("\"{name}\" is a {}: only servers report their load", entry.kind.name());
                self.add(path.clone(), message, "send to servers, or choose another routing");
            }
        }
    }

    fn links(&mut self) {
        for (index, link) in self.scenario.links.iter().enumerate() {
            let path = Path::root().name("links").index(index);
            if !(0.0..=1.0).contains(&link.loss) {
                let message = format!("{} is no probability: a number from 0 to 1 is expected", link.loss);
                self.add(path.clone().name("loss"), message, "0.01 means one message in a hundred");
            }
            if let Some(latency) = &link.latency {
                self.spec(&path, "latency", latency.resolve().map(drop));
            }
            if let Some(latency) = &link.response_latency {
                self.spec(&path, "response_latency", latency.resolve().map(drop));
            }
            let first =
                self.scenario.links.iter().position(|other| other.from == link.from && other.to == link.to);
            if first != Some(index) {
                let message = format!("there is already a link from \"{}\" to \"{}\"", link.from, link.to);
                self.add(path.clone(), message, "remove one of them");
            }
            if self.known(&path, "from", &link.from, &ALL) & self.known(&path, "to", &link.to, &RECEIVERS) {
                self.link_is_used(path, &link.from, &link.to);
            }
        }
    }

    /// Complains of a link that no message ever takes.
    fn link_is_used(&mut self, path: Path, from: &str, to: &str) {
        let Some((sender, _)) = self.directory.entry(from) else { return };
        let sends = |receiver: &str| {
            let overlap = |a: &str, b: &str| {
                let (Some((a_entry, a_whole)), Some((b_entry, b_whole))) =
                    (self.directory.entry(a), self.directory.entry(b))
                else {
                    return false;
                };
                a == b || (a_entry == b_entry && (a_whole || b_whole))
            };
            overlap(receiver, to)
        };
        let entry = &self.directory.entries[sender];
        let used = match self.scenario.nodes.get(&entry.name) {
            Some(node) => node.receivers().into_iter().any(sends),
            None => self.scenario.sources.get(&entry.name).is_some_and(|source| sends(&source.to)),
        };
        if !used {
            let message = format!("\"{from}\" never sends to \"{to}\", so that nothing would pass this link");
            let problem = Problem::new(path, message).because_of(from).because_of(to);
            self.problems
                .push(problem.with_remedy("links lead from a sender to those in its `to` or `then`"));
        }
    }

    /// Complains of requests that would go round for ever, or through more nodes than they can remember. Returns the
    /// most nodes that one passes.
    fn paths(&mut self) -> usize {
        match most_senders(self.scenario, self.directory) {
            Err(cycle) => {
                let names: Vec<_> =
                    cycle.iter().map(|&index| self.directory.entries[index].name.as_str()).collect();
                let first = names.first().copied().unwrap_or_default();
                let message = format!("requests would go round for ever: {} -> {first}", names.join(" -> "));
                let path = Path::root().name("nodes").name(first);
                self.add(path, message, "let one of them answer instead of sending on");
                0
            }
            Ok(senders) if senders > MAX_SENDERS => {
                let message =
                    format!("requests would pass {senders} nodes in a row, more than {MAX_SENDERS}");
                self.add(Path::root().name("nodes"), message, "leave some of them out");
                senders
            }
            Ok(senders) => senders,
        }
    }

    /// Complains of what is more than events have bits for.
    fn sizes(&mut self) {
        let sources = self.scenario.sources.len();
        if sources > usize::from(u16::MAX) {
            let message = format!("{sources} sources are more than 65535");
            self.add(
                Path::root().name("sources"),
                message,
                "let one source stand for many: keys tell requests apart",
            );
        }
        let links_from = |entry: &Entry| {
            let from = self.scenario.links.iter().filter_map(|link| self.directory.entry(&link.from));
            from.filter(|(index, _)| self.directory.entries[*index].name == entry.name).count() as u64
        };
        let ways: u64 = self
            .directory
            .entries
            .iter()
            .map(|entry| entry.members.len() as u64 * (links_from(entry) + 1))
            .sum();
        if ways > u64::from(MAX_ROWS) {
            let message = format!("that makes {ways} pairs of a sender and a link, more than {MAX_ROWS}");
            self.add(
                Path::root().name("links"),
                message,
                "write links between groups instead of single nodes",
            );
        }
    }

    /// Checks the targets of a balancer or client.
    fn receivers(&mut self, path: &Path, names: &[String]) {
        if names.is_empty() {
            self.add(path.clone().name("to"), "there is nothing to send to", "name a node or a group");
        }
        for name in names {
            self.known(path, "to", name, &RECEIVERS);
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

    fn single_receiver(&mut self, path: &Path, field: &str, name: &str) {
        if self.known(path, field, name, &RECEIVERS)
            && self.directory.members(name).is_some_and(|members| members.len() > 1)
        {
            let message = format!("\"{name}\" is a group: which of its nodes is meant?");
            self.add(path.clone().name(field), message, "name one of them, or put a LoadBalancer in between");
        }
    }

    /// Whether a name stands for a node of one of these kinds; complains if it does not.
    fn known(&mut self, path: &Path, field: &str, name: &str, kinds: &[NodeKind]) -> bool {
        let path = path.clone().name(field);
        let Some((index, _)) = self.directory.entry(name) else {
            let problem = self.directory.unknown(name, "node or group", path, kinds);
            self.problems.push(problem);
            return false;
        };
        let kind = self.directory.entries[index].kind;
        if !kinds.contains(&kind) {
            let message = format!("\"{name}\" is a {}: requests are not sent to it", kind.name());
            self.add(path, message, "name a load balancer, a client or a server");
            return false;
        }
        true
    }

    fn spec(&mut self, path: &Path, field: &str, resolved: Result<(), SpecError>) {
        if let Err(error) = resolved {
            let path = join(path.clone().name(field), error.field());
            self.problems.push(Problem::new(path, error.message()));
        }
    }

    fn add(&mut self, path: Path, message: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(Problem::new(path, message).with_remedy(remedy));
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

/// The most nodes that a request passes behind its source before the one that answers it, or a cycle of entries.
fn most_senders(scenario: &Scenario, directory: &Directory) -> Result<usize, Vec<usize>> {
    let receivers = |entry: &Entry| {
        let node = scenario.nodes.get(&entry.name);
        let names = node.map(NodeSpec::receivers).unwrap_or_default();
        names.into_iter().filter_map(|name| directory.entry(name)).map(|(index, _)| index).collect()
    };
    let lengths = longest_paths(&directory.entries.iter().map(receivers).collect::<Vec<_>>())?;
    let entered = scenario.sources.values().filter_map(|source| directory.entry(&source.to));
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
    fn fields_inside_of_fields_are_found() {
        let path = join(Path::root().name("service"), "of.branches[1].mean");
        assert_eq!(path, Path::root().name("service").name("of").name("branches").index(1).name("mean"));
        assert_eq!(join(Path::root(), ""), Path::root());
    }

    #[test]
    fn cycles_are_found_and_diamonds_are_not_cycles() {
        assert_eq!(longest_paths(&[vec![1, 2], vec![3], vec![3, 1], vec![]]), Ok(vec![3, 1, 2, 0]));
        assert_eq!(longest_paths(&[vec![1], vec![2], vec![1]]), Err(vec![1, 2]));
        assert_eq!(longest_paths(&[vec![0]]), Err(vec![0]));
        let chain: Vec<_> = (0..100_000).map(|i| if i < 99_999 { vec![i + 1] } else { vec![] }).collect();
        assert_eq!(longest_paths(&chain).map(|lengths| lengths[0]), Ok(99_999));
    }
}
