//! Who is who: the names of sources, nodes and groups, and the rows that stand for them. Whoever has to know which group a
//! node belongs to, or what a name stands for, asks here: names are never taken apart.

use std::collections::BTreeMap;

use super::problem::Problem;
use crate::event::{Node, NodeKind, NodeRange, PerKind};
use crate::text::{Path, nearest};

/// The most nodes that a scenario may have. Each costs about a kilobyte before it has done anything.
pub const MAX_NODES: u64 = 1_000_000;

/// A source, a node, or a group of nodes, under the name that it has in the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedGroup {
    /// Its name in the scenario.
    pub name: String,
    /// What kind of node it is.
    pub kind: NodeKind,
    /// The row of its first member among the nodes of its kind.
    pub first: u32,
    /// Names of its members.
    pub members: Vec<String>,
    /// Whether it was written as a group.
    pub is_group: bool,
}

impl NamedGroup {
    /// Its members.
    #[must_use]
    pub fn range(&self) -> NodeRange {
        NodeRange { kind: self.kind, first: self.first, count: small(self.members.len()) }
    }

    /// The member with this index.
    #[must_use]
    pub fn node(&self, member: usize) -> Node {
        Node::new(self.kind, self.first + small(member))
    }

    fn single(name: &str, kind: NodeKind, first: u32) -> Self {
        Self { name: name.to_owned(), kind, first, members: vec![name.to_owned()], is_group: false }
    }
}

/// A number of members, of which there are at most [`MAX_NODES`].
fn small(members: usize) -> u32 {
    u32::try_from(members).unwrap_or(u32::MAX)
}

/// An entry as the scenario has it.
#[derive(Clone, Debug)]
pub struct WrittenEntry<'a> {
    /// The field that it stands in: `sources` or `nodes`.
    pub section: &'static str,
    /// Its name.
    pub name: &'a str,
    /// What kind of node it is.
    pub kind: NodeKind,
    /// How many there are; a single one without a number if it is not given.
    pub count: Option<u32>,
}

/// All names of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Sources first, then nodes, in the order of the scenario.
    pub entries: Vec<NamedGroup>,
    by_name: BTreeMap<String, NameTarget>,
    /// Of each kind the entries in the order of their rows.
    of_kind: PerKind<Vec<usize>>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameTarget {
    /// The entry with this index.
    NamedGroup(usize),
    /// One member of an entry.
    Member {
        /// Index of the entry.
        entry: usize,
        /// Index among its members.
        member: usize,
    },
}

impl Names {
    /// Gathers the names of a scenario, and complains of what is wrong with names and counts.
    pub fn gather<'a>(written: impl Iterator<Item = WrittenEntry<'a>>, problems: &mut Vec<Problem>) -> Self {
        let mut names = Self::default();
        let mut rows: PerKind<u32> = PerKind::default();
        let mut total = 0;
        for WrittenEntry { section, name, kind, count } in written {
            let path = Path::root().name(section).name(name);
            let nodes = if kind == NodeKind::Source { 0 } else { u64::from(count.unwrap_or(1)) };
            total += nodes;
            let mut entry = NamedGroup::single(name, kind, rows[kind]);
            if let Some(problem) = wrong_count(count, total, &path) {
                problems.push(problem);
                // One stands for all, so that references to the group are not complained of as well.
                total -= nodes;
                rows[kind] += 1;
            } else {
                if let Some(count) = count {
                    entry.members = (0..count).map(|i| format!("{name}-{i}")).collect();
                    entry.is_group = true;
                }
                rows[kind] += count.unwrap_or(1);
            }
            names.add(entry, path, problems);
        }
        names
    }

    /// The nodes that a name stands for; nothing if it is unknown.
    #[must_use]
    pub fn range(&self, name: &str) -> Option<NodeRange> {
        Some(match *self.by_name.get(name)? {
            NameTarget::Member { entry, member } => {
                let node = self.entries[entry].node(member);
                NodeRange { kind: node.kind(), first: node.row(), count: 1 }
            }
            NameTarget::NamedGroup(entry) => self.entries[entry].range(),
        })
    }

    /// The entry that a name stands for or belongs to, and whether it is the whole of it.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<(usize, bool)> {
        match *self.by_name.get(name)? {
            NameTarget::Member { entry, .. } => Some((entry, false)),
            NameTarget::NamedGroup(entry) => Some((entry, true)),
        }
    }

    /// The entry with a name of its own.
    #[must_use]
    pub fn entry_named(&self, name: &str) -> Option<&NamedGroup> {
        self.entry(name).filter(|(_, whole)| *whole).map(|(index, _)| &self.entries[index])
    }

    /// Whether a name stands for a node, or for a group that the node is a member of.
    #[must_use]
    pub fn covers(&self, name: &str, node: Node) -> bool {
        self.range(name).is_some_and(|range| range.contains(node))
    }

    /// Whether a name stands for all that another one stands for: itself, or the group of a member.
    #[must_use]
    pub fn includes(&self, whole: &str, part: &str) -> bool {
        let ranges = || self.range(whole).zip(self.range(part));
        whole == part || ranges().is_some_and(|(whole, part)| whole.includes(part))
    }

    /// Whether two names have a node in common.
    #[must_use]
    pub fn overlap(&self, a: &str, b: &str) -> bool {
        self.includes(a, b) || self.includes(b, a)
    }

    /// How many nodes of a kind there are.
    #[must_use]
    pub fn count(&self, kind: NodeKind) -> usize {
        let last = self.of_kind[kind].last().map(|&entry| &self.entries[entry]);
        last.map_or(0, |entry| entry.first as usize + entry.members.len())
    }

    /// The entries of a kind, in the order of their rows.
    pub fn entries_of(&self, kind: NodeKind) -> impl Iterator<Item = &NamedGroup> {
        self.of_kind[kind].iter().map(|&entry| &self.entries[entry])
    }

    /// The entry that a node belongs to, if there is such a node.
    #[must_use]
    pub fn entry_of(&self, node: Node) -> Option<&NamedGroup> {
        let entries = &self.of_kind[node.kind()];
        let behind = entries.partition_point(|&entry| self.entries[entry].first <= node.row());
        let entry = &self.entries[*entries.get(behind.checked_sub(1)?)?];
        ((node.row() - entry.first) < small(entry.members.len())).then_some(entry)
    }

    /// Name of a node; empty if there is no such node.
    #[must_use]
    pub fn name_of(&self, node: Node) -> &str {
        self.entry_of(node).map_or("", |entry| &entry.members[(node.row() - entry.first) as usize])
    }

    /// Name of the group that a node is a member of, if it is.
    #[must_use]
    pub fn group_of(&self, node: Node) -> Option<&str> {
        self.entry_of(node).filter(|entry| entry.is_group).map(|entry| entry.name.as_str())
    }

    /// The node with a name of its own, if the name does not stand for several.
    #[must_use]
    pub fn node_named(&self, name: &str) -> Option<Node> {
        self.range(name).filter(|range| range.count == 1).and_then(|range| range.nodes().next())
    }

    /// All nodes but sources, in the order of the scenario.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        let behind_sources = self.entries.iter().filter(|entry| entry.kind != NodeKind::Source);
        behind_sources.flat_map(|entry| entry.range().nodes())
    }

    /// A diagnostic of a name that stands for nothing.
    #[must_use]
    pub fn unknown(
        &self,
        name: &str,
        what: &str,
        path: Path,
        is_meant: impl Fn(NodeKind) -> bool,
    ) -> Problem {
        let known = self.entries.iter().filter(|entry| is_meant(entry.kind)).map(|entry| entry.name.as_str());
        Problem::new(path, format!("there is no {what} \"{name}\""))
            .with_hint(nearest::hint(name, known))
            .because_of(name)
    }

    fn add(&mut self, entry: NamedGroup, path: Path, problems: &mut Vec<Problem>) {
        if entry.name.trim().is_empty() || entry.name.chars().any(char::is_control) {
            problems.push(Problem::new(
                path.clone(),
                format!("{:?} is no name: use visible characters", entry.name),
            ));
        }
        let index = self.entries.len();
        let mut names = Vec::with_capacity(entry.members.len() + 1);
        names.push((entry.name.clone(), NameTarget::NamedGroup(index)));
        if entry.is_group {
            let member = |member| NameTarget::Member { entry: index, member };
            names.extend(entry.members.iter().cloned().enumerate().map(|(i, name)| (name, member(i))));
        }
        let mut taken = None;
        for (name, found) in names {
            if let Some(before) = self.by_name.insert(name.clone(), found) {
                taken = taken.or(Some(name.clone()));
                self.by_name.insert(name, before);
            }
        }
        if let Some(name) = taken {
            problems.push(
                Problem::new(path, format!("the name \"{name}\" stands for two things"))
                    .with_hint("sources, nodes, groups and the members of groups need names of their own"),
            );
        }
        self.of_kind[entry.kind].push(index);
        self.entries.push(entry);
    }
}

fn wrong_count(count: Option<u32>, total: u64, path: &Path) -> Option<Problem> {
    let path = path.clone().name("count");
    if count == Some(0) {
        return Some(
            Problem::new(path, "a group of 0 does nothing").with_hint("remove it, or give it 1 or more"),
        );
    }
    (total > MAX_NODES).then(|| {
        Problem::new(path, format!("with these {} there are {total} nodes", count.unwrap_or(1)))
            .with_hint(format!("at most {MAX_NODES} can be simulated"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let written = |section, name, kind, count| WrittenEntry { section, name, kind, count };
        let all = [
            written("sources", "users", NodeKind::Source, None),
            written("nodes", "db", NodeKind::Server, None),
            written("nodes", "db-2", NodeKind::Server, None),
            written("nodes", "router", NodeKind::LoadBalancer, None),
            written("nodes", "web", NodeKind::Server, Some(3)),
        ];
        let mut problems = Vec::new();
        let names = Names::gather(all.into_iter(), &mut problems);
        assert_eq!(problems, []);
        names
    }

    #[test]
    fn a_node_knows_its_name_and_its_group() {
        let names = names();
        let server = |row| Node::new(NodeKind::Server, row);
        assert_eq!([0, 1, 2, 4].map(|row| names.name_of(server(row))), ["db", "db-2", "web-0", "web-2"]);
        assert_eq!([1, 3].map(|row| names.group_of(server(row))), [None, Some("web")]);
        assert_eq!((names.entry_of(server(5)), names.name_of(server(5))), (None, ""));
        assert_eq!(names.node_named("web-1"), Some(server(3)));
        assert_eq!(names.node_named("web"), None, "it stands for three");
        assert_eq!((names.count(NodeKind::Server), names.count(NodeKind::Client)), (5, 0));
    }

    #[test]
    fn a_name_that_looks_like_a_member_is_none() {
        // "db-2" stands beside "db", and is no member of it.
        let names = names();
        let of = |name| names.node_named(name).expect("it is there");
        assert!(!names.covers("db", of("db-2")) && !names.overlap("db", "db-2"));
        assert!(names.covers("web", of("web-2")) && names.overlap("web-2", "web"));
        assert!(!names.overlap("web-1", "web-2") && !names.covers("nobody", of("db")));
    }
}
