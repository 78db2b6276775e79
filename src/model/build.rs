//! Helpers for building nodes: they resolve names of targets to rows, with the links to them, and give every node its
//! own random streams.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bevy_ecs::prelude::*;

use super::link::{ANY, Link};
use super::names::{NamedGroup, Names};
use super::parts::Fault;
use super::routing::target_lists::TargetLists;
use super::{Destinations, ReturnHops, Target};
use crate::engine::queue::EventQueue;
use crate::engine::random::{RandomStream, Streams};
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Node, NodeRange, PackedEvent};

/// Message for `expect` on results that the checks of a scenario have already found to be valid.
pub const CHECKED: &str = "the scenario passed all checks before it was built";

/// The times of a run that parts depend on.
#[derive(Clone, Copy, Debug)]
pub struct RunTimes {
    /// End of arrivals, unless a source defines its own.
    pub arrivals_until: SimTime,
    /// End of the warm-up, when measurement starts.
    pub measured_from: SimTime,
}

/// A world that is being built.
pub struct Builder<'a> {
    /// The names of the scenario.
    pub names: &'a Names,
    /// The times of the run.
    pub times: RunTimes,
    /// Whether any node may answer with an error.
    pub may_fail: bool,
    /// The factory of random streams.
    pub streams: Streams,
    /// Rows of links, by the names of sender and receiver in the scenario.
    pub links: BTreeMap<(&'a str, &'a str), Row<Link>>,
    /// The links that a probe samples.
    pub watched: BTreeSet<Row<Link>>,
    /// The faults of the scenario: the names of what they happen to, and what happens.
    pub faults: Vec<(&'a [String], &'a Fault)>,
    /// The queue of future events.
    pub queue: EventQueue<PackedEvent>,
    /// The hops of all return paths.
    pub return_hops: ReturnHops,
    /// The targets that come and go.
    pub target_lists: TargetLists,
    /// The world.
    pub world: &'a mut World,
}

impl<'a> Builder<'a> {
    /// The random stream of a part for this purpose.
    #[must_use]
    pub fn stream(&self, part: &str, purpose: &str) -> RandomStream {
        self.streams.stream(part, purpose)
    }

    /// Whether a probe samples a link.
    #[must_use]
    pub fn is_watched(&self, link: Row<Link>) -> bool {
        self.watched.contains(&link)
    }

    /// What may happen to the members of an entry, or to some of them.
    #[must_use]
    pub fn faults_of(&self, entry: &NamedGroup) -> Vec<&'a Fault> {
        let concerns = |of: &[String]| of.iter().any(|name| self.names.overlap(name, &entry.name));
        self.faults.iter().filter(|(of, _)| concerns(of)).map(|(_, fault)| *fault).collect()
    }

    /// Whether any node can shed requests.
    #[must_use]
    pub fn may_shed(&self) -> bool {
        self.names.entries.iter().any(|entry| entry.kind.description().sheds)
    }

    /// The destinations of each member of an entry that sends to these nodes and groups, in order. Members share one
    /// list of targets, unless a link names a single member.
    ///
    /// # Panics
    /// If a name is unknown, which the checks of a scenario report.
    pub fn destinations(&mut self, entry: &NamedGroup, to: &[String]) -> Vec<Destinations> {
        let ranges = to.iter().map(|name| self.names.range(name).expect(CHECKED));
        let receivers: Vec<Node> = ranges.flat_map(NodeRange::nodes).collect();
        let is_member = |name: &str| name != entry.name && self.names.includes(&entry.name, name);
        let has_own_links = entry.is_group && self.links.keys().any(|(from, _)| is_member(from));
        let mut shared = None;
        let mut all = Vec::with_capacity(entry.members.len());
        for (member, name) in entry.members.iter().enumerate() {
            let (targets, links) = match (&shared, has_own_links) {
                (Some(shared), false) => Clone::clone(shared),
                _ => shared.insert(self.targets(&entry.name, name, &receivers)).clone(),
            };
            let first_hop =
                u32::try_from(self.return_hops.0.len()).expect("nodes times links stay far below 2^32");
            self.return_hops.0.extend(links.iter().map(|&link| (entry.node(member), link)));
            all.push(Destinations { targets, first_hop });
        }
        all
    }

    /// The list in [`TargetLists`] of these targets, or `None` if all of them are always there.
    pub fn target_list(&mut self, targets: &Arc<[Target]>) -> Option<u32> {
        let is_resizable = |entry: &NamedGroup| entry.initial_count.is_some();
        if !self.names.entries.iter().any(is_resizable) {
            return None;
        }
        let last = self.target_lists.last().filter(|list| self.target_lists.is_list_of(*list, targets));
        if last.is_some() {
            return last;
        }
        let group = |node: Node| self.names.entry_of(node).filter(|entry| is_resizable(entry));
        let has_resizable = targets.iter().any(|target| group(target.node()).is_some());
        has_resizable.then(|| {
            let is_present = |node: Node| {
                let entry = group(node);
                entry.is_none_or(|entry| node.row() - entry.first < entry.initial_count.unwrap_or(u32::MAX))
            };
            self.target_lists.add(targets, is_present)
        })
    }

    /// The targets of one sender, and the links to them without duplicates.
    fn targets(&self, group: &str, sender: &str, receivers: &[Node]) -> (Arc<[Target]>, Arc<[Row<Link>]>) {
        let mut links: Vec<Row<Link>> = Vec::new();
        let targets = receivers
            .iter()
            .map(|&receiver| {
                let name = self.names.name_of(receiver);
                let link = self.link(group, sender, self.names.group_of(receiver).unwrap_or(name), name);
                let hop = links.iter().position(|&other| other == link).unwrap_or_else(|| {
                    links.push(link);
                    links.len() - 1
                });
                let hop = u32::try_from(hop).expect("there are fewer than 2^32 links");
                Target::new(receiver, link, hop)
            })
            .collect();
        (targets, links.into())
    }

    /// The most specific link between two nodes: a link that names the sender itself takes precedence over one that
    /// names its group, and that over one of all senders; then the same for the receiver.
    fn link(&self, from_group: &str, from: &str, to_group: &str, to: &str) -> Row<Link> {
        let pairs =
            [from, from_group, ANY].into_iter().flat_map(|from| [to, to_group, ANY].map(|to| (from, to)));
        pairs.into_iter().find_map(|pair| self.links.get(&pair).copied()).unwrap_or(Row::NONE)
    }
}
