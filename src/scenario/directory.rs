//! Who is who: the names of sources, groups and nodes, and the rows that stand for them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Problem, Scenario};
use crate::event::Node;
use crate::model::probe::NodeKind;
use crate::text::{Path, nearest};

/// The most nodes that a scenario may have. Each costs about a kilobyte before it has done anything.
pub const MAX_NODES: u64 = 1_000_000;

/// A source, a node, or a group of nodes, under the name that it has in the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
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

impl Entry {
    /// The member with this index.
    ///
    /// # Panics
    /// If it has none with this index.
    #[must_use]
    pub fn node(&self, member: usize) -> Node {
        let row = self.first + u32::try_from(member).expect("an index below the number of members");
        match self.kind {
            NodeKind::Source => Node::Source(row),
            NodeKind::LoadBalancer => Node::LoadBalancer(row),
            NodeKind::Client => Node::Client(row),
            NodeKind::Server => Node::Server(row),
        }
    }
}

/// A member of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Index of the entry.
    pub entry: usize,
    /// Index among its members.
    pub member: usize,
}

/// All names of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Sources first, then nodes, in the order of the scenario.
    pub entries: Vec<Entry>,
    by_name: BTreeMap<String, Found>,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Entry(usize),
    Member(Member),
}

impl Directory {
    /// Gathers the names of a scenario, and complains of what is wrong with names and counts.
    pub fn gather(scenario: &Scenario, problems: &mut Vec<Problem>) -> Self {
        let mut directory = Self::default();
        for (row, name) in (0..).zip(scenario.sources.keys()) {
            let path = Path::root().name("sources").name(name);
            directory.add(single(name, NodeKind::Source, row), path, problems);
        }
        let mut rows = [0_u32; 4];
        let mut total = 0;
        for (name, spec) in &scenario.nodes {
            let path = Path::root().name("nodes").name(name);
            let count = spec.count();
            total += u64::from(count.unwrap_or(1));
            let kind = spec.kind();
            let first = rows[kind as usize];
            if let Some(problem) = wrong_count(count, total, &path) {
                problems.push(problem);
                total -= u64::from(count.unwrap_or(1));
                // One stands for all, so that references to the group are not complained of as well.
                directory.add(single(name, kind, first), path, problems);
                rows[kind as usize] += 1;
                continue;
            }
            let mut entry = single(name, kind, first);
            if let Some(count) = count {
                entry.members = (0..count).map(|i| format!("{name}-{i}")).collect();
                entry.is_group = true;
            }
            rows[kind as usize] += count.unwrap_or(1);
            directory.add(entry, path, problems);
        }
        directory
    }

    /// The members that a name stands for; nothing if it is unknown.
    #[must_use]
    pub fn members(&self, name: &str) -> Option<Vec<Member>> {
        match *self.by_name.get(name)? {
            Found::Member(member) => Some(vec![member]),
            Found::Entry(entry) => {
                Some((0..self.entries[entry].members.len()).map(|member| Member { entry, member }).collect())
            }
        }
    }

    /// The rows that a name stands for among the nodes of its kind; nothing if it is unknown.
    #[must_use]
    pub fn rows(&self, name: &str) -> Option<Range<u32>> {
        let (entry, member) = match *self.by_name.get(name)? {
            Found::Member(Member { entry, member }) => (entry, Some(u32::try_from(member).ok()?)),
            Found::Entry(entry) => (entry, None),
        };
        let Entry { first, members, .. } = &self.entries[entry];
        Some(match member {
            Some(member) => first + member..first + member + 1,
            None => *first..first + u32::try_from(members.len()).ok()?,
        })
    }

    /// The entry that a name stands for or belongs to, and whether it is the whole of it.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<(usize, bool)> {
        match *self.by_name.get(name)? {
            Found::Member(member) => Some((member.entry, false)),
            Found::Entry(entry) => Some((entry, true)),
        }
    }

    /// The member itself.
    #[must_use]
    pub fn node(&self, member: Member) -> Node {
        self.entries[member.entry].node(member.member)
    }

    /// Name of a member.
    #[must_use]
    pub fn name(&self, member: Member) -> &str {
        &self.entries[member.entry].members[member.member]
    }

    /// A complaint of a name that stands for nothing.
    #[must_use]
    pub fn unknown(&self, name: &str, what: &str, path: Path, kinds: &[NodeKind]) -> Problem {
        let known =
            self.entries.iter().filter(|entry| kinds.contains(&entry.kind)).map(|entry| entry.name.as_str());
        Problem::new(path, format!("there is no {what} \"{name}\""))
            .with_remedy(nearest::remedy(name, known))
            .because_of(name)
    }

    fn add(&mut self, entry: Entry, path: Path, problems: &mut Vec<Problem>) {
        if entry.name.trim().is_empty() || entry.name.chars().any(char::is_control) {
            problems.push(Problem::new(
                path.clone(),
                format!("{:?} is no name: use visible characters", entry.name),
            ));
        }
        let index = self.entries.len();
        let mut names = Vec::with_capacity(entry.members.len() + 1);
        names.push((entry.name.clone(), Found::Entry(index)));
        if entry.is_group {
            let member = |member| Found::Member(Member { entry: index, member });
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
                    .with_remedy("sources, nodes, groups and the members of groups need names of their own"),
            );
        }
        self.entries.push(entry);
    }
}

fn single(name: &str, kind: NodeKind, first: u32) -> Entry {
    Entry { name: name.to_owned(), kind, first, members: vec![name.to_owned()], is_group: false }
}

fn wrong_count(count: Option<u32>, total: u64, path: &Path) -> Option<Problem> {
    let path = path.clone().name("count");
    if count == Some(0) {
        return Some(
            Problem::new(path, "a group of 0 does nothing").with_remedy("remove it, or give it 1 or more"),
        );
    }
    (total > MAX_NODES).then(|| {
        Problem::new(path, format!("with these {} there are {total} nodes", count.unwrap_or(1)))
            .with_remedy(format!("at most {MAX_NODES} can be simulated"))
    })
}
