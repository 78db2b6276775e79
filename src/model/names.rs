//! The names of sources, nodes and groups, and the nodes that they refer to.
//!
//! This table is the only way from a name to its nodes, and from a node to its group. No other code parses names.

use std::collections::BTreeMap;
use std::fmt::Display;

use indexmap::IndexSet;

use super::problem::Problem;
use crate::event::{Node, NodeKind, NodeRange, PerKind};
use crate::text::{Path, nearest};

/// Maximum number of nodes of a scenario. An idle node takes less than two kilobytes of memory.
pub const MAX_NODES: u64 = 1_000_000;

/// An entry of a scenario: a source, a node, or a group of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedGroup {
    /// Its name in the scenario.
    pub name: String,
    /// Its kind of node.
    pub kind: NodeKind,
    /// The row of its first member among the nodes of its kind.
    pub first: u32,
    /// Names of its members. A source or node that is not a group is its own only member.
    pub members: Vec<String>,
    /// Whether it is a group, which is so if its `count` is given.
    pub is_group: bool,
    /// Number of members that are there at the start, the first ones, or `None` if the group cannot grow and shrink.
    pub initial_count: Option<u32>,
    /// Names of the resources of each member.
    pub resources: Vec<String>,
}

impl NamedGroup {
    /// Its members.
    #[must_use]
    pub fn range(&self) -> NodeRange {
        NodeRange { kind: self.kind, first: self.first, count: as_u32(self.members.len()) }
    }

    /// The member with this index.
    #[must_use]
    pub fn node(&self, member: usize) -> Node {
        Node::new(self.kind, self.first + as_u32(member))
    }

    fn single(name: &str, kind: NodeKind, first: u32) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            first,
            members: vec![name.to_owned()],
            is_group: false,
            initial_count: None,
            resources: Vec::new(),
        }
    }
}

/// Converts a number of members, which is at most [`MAX_NODES`].
fn as_u32(members: usize) -> u32 {
    u32::try_from(members).unwrap_or(u32::MAX)
}

/// An entry as written in a scenario.
#[derive(Clone, Debug)]
pub struct WrittenEntry<'a> {
    /// The field of the scenario that contains it: `sources` or `nodes`.
    pub section: &'static str,
    /// Its name.
    pub name: &'a str,
    /// Its kind of node.
    pub kind: NodeKind,
    /// Number of members, or `None` if it is not a group. The maximum if the group can grow.
    pub count: Option<u32>,
    /// Number of members that are there at the start, or `None` if the group cannot grow and shrink.
    pub initial_count: Option<u32>,
    /// Names of its endpoints.
    pub endpoints: Vec<&'a str>,
    /// Names of the resources of each member.
    pub resources: Vec<String>,
}

/// All names of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// All entries: sources first, then nodes, in the order of the scenario.
    pub entries: Vec<NamedGroup>,
    /// Indices of the entries. Members are not listed, as a group may have a million: [`target`](Self::target) finds them.
    by_name: BTreeMap<String, usize>,
    /// Indices of the entries of each kind, in the order of their rows.
    of_kind: PerKind<Vec<usize>>,
    /// The endpoints of all nodes, each once, in the order of the scenario.
    endpoints: IndexSet<String>,
}

/// The problem of a name at `path` that cannot be shown, or `None` if it can.
#[must_use]
pub fn invalid_name(name: &str, path: &Path) -> Option<Problem> {
    let is_invalid = name.trim().is_empty() || name.chars().any(char::is_control);
    let message = || format!("{name:?} is not a valid name: use visible characters");
    is_invalid.then(|| Problem::new(path.clone(), message()))
}

/// The entry or member that a name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NameTarget {
    /// The entry with this index.
    Entry(usize),
    /// A single member of an entry.
    Member {
        /// Index of the entry.
        entry: usize,
        /// Index among its members.
        member: usize,
    },
}

impl Names {
    /// Builds the table of the entries of a scenario. Reports invalid names and counts.
    pub fn gather<'a>(written: impl Iterator<Item = WrittenEntry<'a>>, problems: &mut Vec<Problem>) -> Self {
        let mut names = Self::default();
        let mut rows: PerKind<u32> = PerKind::default();
        let mut total = 0;
        for WrittenEntry { section, name, kind, count, initial_count, endpoints, resources } in written {
            for endpoint in endpoints {
                names.endpoints.insert(endpoint.to_owned());
            }
            let path = Path::root().name(section).name(name);
            let nodes = if kind == NodeKind::Source { 0 } else { u64::from(count.unwrap_or(1)) };
            total += nodes;
            let mut entry = NamedGroup { resources, ..NamedGroup::single(name, kind, rows[kind]) };
            let field = if initial_count.is_none() { "count" } else { "max" };
            if let Some(problem) = wrong_count(count, total, path.clone().name(field)) {
                problems.push(problem);
                // The entry is added with a single member, so that references to it are not reported as well.
                total -= nodes;
                rows[kind] += 1;
            } else {
                if let Some(count) = count {
                    entry.members = (0..count).map(|i| member_name(name, i)).collect();
                    entry.is_group = true;
                    entry.initial_count = initial_count;
                }
                rows[kind] += count.unwrap_or(1);
            }
            names.add(entry, path, problems);
        }
        names
    }

    /// The number of an endpoint among those of all nodes, or `None` if no node has it.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Option<u16> {
        self.endpoints.get_index_of(name).and_then(|index| u16::try_from(index).ok())
    }

    /// The names of the resources of a node: slots, cores, memory, pools.
    #[must_use]
    pub fn resources(&self, node: Node) -> &[String] {
        self.entry_of(node).map_or(&[], |entry| &entry.resources)
    }

    /// The name of a resource of a node: `api-0 cores`.
    #[must_use]
    pub fn name_of_resource(&self, node: Node, resource: u16) -> String {
        let name = self.resources(node).get(usize::from(resource)).map_or("", String::as_str);
        format!("{} {name}", self.name_of(node))
    }

    /// The endpoints of all nodes, each once, in the order of the scenario.
    #[must_use]
    pub const fn endpoints(&self) -> &IndexSet<String> {
        &self.endpoints
    }

    /// The entry or member that a name refers to, or `None` if the name is unknown.
    fn target(&self, name: &str) -> Option<NameTarget> {
        if let Some(&entry) = self.by_name.get(name) {
            return Some(NameTarget::Entry(entry));
        }
        let (group, member) = split_member_name(name)?;
        let entry = *self.by_name.get(group)?;
        let is_member = self.entries[entry].is_group && member < self.entries[entry].members.len();
        is_member.then_some(NameTarget::Member { entry, member })
    }

    /// The nodes that a name refers to, or `None` if the name is unknown.
    #[must_use]
    pub fn range(&self, name: &str) -> Option<NodeRange> {
        Some(match self.target(name)? {
            NameTarget::Member { entry, member } => {
                let node = self.entries[entry].node(member);
                NodeRange { kind: node.kind(), first: node.row(), count: 1 }
            }
            NameTarget::Entry(entry) => self.entries[entry].range(),
        })
    }

    /// The index of the entry that a name refers to, and true; or of the entry of which it names a member, and false.
    /// `None` if the name is unknown.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<(usize, bool)> {
        match self.target(name)? {
            NameTarget::Member { entry, .. } => Some((entry, false)),
            NameTarget::Entry(entry) => Some((entry, true)),
        }
    }

    /// The entry of this name, or `None` if there is none. Names of members of groups are not considered.
    #[must_use]
    pub fn entry_named(&self, name: &str) -> Option<&NamedGroup> {
        self.entry(name).filter(|(_, whole)| *whole).map(|(index, _)| &self.entries[index])
    }

    /// Whether a name refers to a node or one of its resources, or to a group that contains the node.
    #[must_use]
    pub fn covers(&self, name: &str, node: Node) -> bool {
        let range = self.range(name).or_else(|| {
            // A resource of a node or of a group.
            let is_suffix = |resource: &&String| name.ends_with(&format!(" {resource}"));
            let resource = self.resources(node).iter().find(is_suffix)?;
            self.range(&name[..name.len() - resource.len() - 1])
        });
        range.is_some_and(|range| range.contains(node))
    }

    /// Whether the nodes of a name include all nodes of another name: if both are equal, or if `part` is a member of
    /// the group `whole`.
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

    /// Number of nodes of a kind.
    #[must_use]
    pub fn count(&self, kind: NodeKind) -> usize {
        let last = self.of_kind[kind].last().map(|&entry| &self.entries[entry]);
        last.map_or(0, |entry| entry.first as usize + entry.members.len())
    }

    /// The entries of a kind, in the order of their rows.
    pub fn entries_of(&self, kind: NodeKind) -> impl Iterator<Item = &NamedGroup> {
        self.of_kind[kind].iter().map(|&entry| &self.entries[entry])
    }

    /// The entry that a node belongs to, or `None` if there is no such node.
    #[must_use]
    pub fn entry_of(&self, node: Node) -> Option<&NamedGroup> {
        let entries = &self.of_kind[node.kind()];
        let next = entries.partition_point(|&entry| self.entries[entry].first <= node.row());
        let entry = &self.entries[*entries.get(next.checked_sub(1)?)?];
        ((node.row() - entry.first) < as_u32(entry.members.len())).then_some(entry)
    }

    /// The name of a node; empty if there is no such node.
    #[must_use]
    pub fn name_of(&self, node: Node) -> &str {
        self.entry_of(node).map_or("", |entry| &entry.members[(node.row() - entry.first) as usize])
    }

    /// The name of the group that a node is a member of, or `None` if it is not a member of a group.
    #[must_use]
    pub fn group_of(&self, node: Node) -> Option<&str> {
        self.entry_of(node).filter(|entry| entry.is_group).map(|entry| entry.name.as_str())
    }

    /// The group of which this name is that of a member, or `None` if it is not the name of a member.
    #[must_use]
    pub fn group_of_member(&self, name: &str) -> Option<&str> {
        self.entry(name).filter(|(_, whole)| !whole).map(|(entry, _)| self.entries[entry].name.as_str())
    }

    /// The node that a name refers to, or `None` if the name is unknown or refers to several nodes.
    #[must_use]
    pub fn node_named(&self, name: &str) -> Option<Node> {
        self.range(name).filter(|range| range.count == 1).and_then(|range| range.nodes().next())
    }

    /// All nodes except sources, in the order of the scenario.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + '_ {
        let without_sources = self.entries.iter().filter(|entry| entry.kind != NodeKind::Source);
        without_sources.flat_map(|entry| entry.range().nodes())
    }

    /// The problem of an unknown name. `noun` is what is missing, such as `node or group`. The hint suggests similar
    /// names of the expected kinds.
    #[must_use]
    pub fn unknown(
        &self,
        name: &str,
        noun: &str,
        path: Path,
        is_expected: impl Fn(NodeKind) -> bool,
    ) -> Problem {
        let expected = self.entries.iter().filter(|entry| is_expected(entry.kind));
        let known = expected.map(|entry| entry.name.as_str());
        Problem::new(path, format!("there is no {noun} \"{name}\""))
            .with_hint(nearest::hint(name, known))
            .because_of(name)
    }

    fn add(&mut self, entry: NamedGroup, path: Path, problems: &mut Vec<Problem>) {
        problems.extend(invalid_name(&entry.name, &path));
        if let Some(name) = self.duplicate(&entry) {
            problems.push(
                Problem::new(path, format!("the name \"{name}\" is used twice"))
                    .with_hint("sources, nodes, groups and members of groups need different names"),
            );
        }
        let index = self.entries.len();
        self.by_name.entry(entry.name.clone()).or_insert(index);
        self.of_kind[entry.kind].push(index);
        self.entries.push(entry);
    }

    /// The first name of a new entry or of its members that is already in use, or `None`.
    fn duplicate(&self, entry: &NamedGroup) -> Option<String> {
        if self.target(&entry.name).is_some() {
            return Some(entry.name.clone());
        }
        let prefix = member_name(&entry.name, "");
        let similar = self.by_name.range(prefix.clone()..).map(|(name, _)| name);
        let members = similar.take_while(|name| name.starts_with(&prefix)).filter_map(|name| {
            let (group, member) = split_member_name(name)?;
            (entry.is_group && group == entry.name && member < entry.members.len()).then_some(member)
        });
        members.min().map(|member| member_name(&entry.name, member))
    }
}

/// The name of a member of a group.
fn member_name(group: &str, member: impl Display) -> String {
    format!("{group}-{member}")
}

/// The name of a group and the index of a member, if this is the name of a member of a group.
fn split_member_name(name: &str) -> Option<(&str, usize)> {
    let (group, written) = name.rsplit_once('-')?;
    let member = written.parse().ok()?;
    (written == usize::to_string(&member)).then_some((group, member))
}

/// The problem of a `count` or `max` at `path`, or `None` if it is valid. `total` is the number of nodes up to and
/// including this entry.
fn wrong_count(count: Option<u32>, total: u64, path: Path) -> Option<Problem> {
    if count == Some(0) {
        return Some(
            Problem::new(path, "a group of 0 members is empty").with_hint("remove it, or use 1 or more"),
        );
    }
    (total > MAX_NODES).then(|| {
        Problem::new(path, format!("adding {} brings the total to {total} nodes", count.unwrap_or(1)))
            .with_hint(format!("at most {MAX_NODES} nodes can be simulated"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let written = |section, name, kind, count| WrittenEntry {
            section,
            name,
            kind,
            count,
            initial_count: None,
            endpoints: Vec::new(),
            resources: Vec::new(),
        };
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
    fn nodes_resolve_to_their_names_and_groups() {
        let names = names();
        let server = |row| Node::new(NodeKind::Server, row);
        assert_eq!([0, 1, 2, 4].map(|row| names.name_of(server(row))), ["db", "db-2", "web-0", "web-2"]);
        assert_eq!([1, 3].map(|row| names.group_of(server(row))), [None, Some("web")]);
        assert_eq!((names.entry_of(server(5)), names.name_of(server(5))), (None, ""));
        assert_eq!(names.node_named("web-1"), Some(server(3)));
        assert_eq!(names.node_named("web"), None, "it refers to three nodes");
        let no_members = ["web-3", "web-01", "web-+1", "web-", "db-0", "-1"];
        assert_eq!(no_members.map(|name| names.node_named(name)), [None; 6]);
        assert_eq!((names.count(NodeKind::Server), names.count(NodeKind::Client)), (5, 0));
    }

    #[test]
    fn a_name_is_used_once() {
        let duplicates = |entries: &[(&'static str, Option<u32>)]| {
            let written = entries.iter().map(|&(name, count)| WrittenEntry {
                section: "nodes",
                name,
                kind: NodeKind::Server,
                count,
                initial_count: None,
                endpoints: Vec::new(),
                resources: Vec::new(),
            });
            let mut problems = Vec::new();
            Names::gather(written, &mut problems);
            problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
        };
        let fine: [&[_]; 3] = [
            &[("web", Some(3)), ("web-3", None), ("web-01", None)],
            &[("web", None), ("web-0", None)],
            &[("web", Some(3)), ("web-1-0", None), ("web-5", Some(2)), ("web--1", None)],
        ];
        assert_eq!(fine.map(duplicates), [const { String::new() }; 3]);
        let twice: [&[_]; 5] = [
            &[("web-2", None), ("web-1", None), ("web", Some(3))],
            &[("web", Some(3)), ("web-1", None)],
            &[("web", Some(3)), ("web-1", Some(2))],
            &[("web-1", Some(2)), ("web", Some(3))],
            &[("web-1", None), ("web-1", None)],
        ];
        for (entries, problem) in twice.map(|entries| (entries, duplicates(entries))) {
            assert!(problem.contains("the name \"web-1\" is used twice"), "{entries:?}: {problem}");
        }
    }

    #[test]
    fn a_node_named_like_a_member_is_not_a_member() {
        // "db-2" is a node of its own, not a member of "db".
        let names = names();
        let node = |name| names.node_named(name).expect("the node exists");
        assert!(!names.covers("db", node("db-2")) && !names.overlap("db", "db-2"));
        assert!(names.covers("web", node("web-2")) && names.overlap("web-2", "web"));
        assert!(!names.overlap("web-1", "web-2") && !names.covers("nobody", node("db")));
    }
}
