//! What rooms build with: names become rows, names of targets become lists of targets with the links to them, and every
//! part gets random streams of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy_ecs::prelude::*;

use super::link::Link;
use super::names::{NamedGroup, Names};
use super::{Destinations, ReturnHops, Target};
use crate::engine::queue::EventQueue;
use crate::engine::random::{RandomStream, Streams};
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Node, NodeRange, PackedEvent};

/// The checks have been passed, so whatever resolves there resolves here.
pub const CHECKED: &str = "a scenario is built only after it was checked";

/// The times of a run that parts go by.
#[derive(Clone, Copy, Debug)]
pub struct RunTimes {
    /// No request is created after this, unless its source says otherwise.
    pub arrivals_until: SimTime,
    /// End of the warm-up.
    pub measured_from: SimTime,
}

/// A world that is being built.
pub struct Builder<'a> {
    /// Who is who.
    pub names: &'a Names,
    /// The times of the run.
    pub times: RunTimes,
    /// Where random streams come from.
    pub streams: Streams,
    /// Rows of links by the names that they are written between.
    pub links: BTreeMap<(&'a str, &'a str), Row<Link>>,
    /// All that is to come.
    pub queue: EventQueue<PackedEvent>,
    /// The hops of all ways back.
    pub return_hops: ReturnHops,
    /// The world.
    pub world: &'a mut World,
}

impl Builder<'_> {
    /// The random stream of a part for a purpose.
    #[must_use]
    pub fn stream(&self, part: &str, purpose: &str) -> RandomStream {
        self.streams.stream(part, purpose)
    }

    /// Whether there is a node that turns requests away on purpose.
    #[must_use]
    pub fn may_shed(&self) -> bool {
        self.names.entries.iter().any(|entry| entry.kind.description().sheds)
    }

    /// Where each member of an entry sends, in order, if it sends to these nodes and groups. Members share the list of
    /// targets where no link tells them apart.
    ///
    /// # Panics
    /// If a name stands for nothing: the scenario was not checked.
    pub fn destinations(&mut self, entry: &NamedGroup, to: &[String]) -> Vec<Destinations> {
        let ranges = to.iter().map(|name| self.names.range(name).expect(CHECKED));
        let receivers: Vec<Node> = ranges.flat_map(NodeRange::nodes).collect();
        let is_member = |name: &str| name != entry.name && self.names.includes(&entry.name, name);
        let told_apart = entry.is_group && self.links.keys().any(|(from, _)| is_member(from));
        let mut shared = None;
        let mut all = Vec::with_capacity(entry.members.len());
        for (member, name) in entry.members.iter().enumerate() {
            let (targets, links) = match (&shared, told_apart) {
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

    /// The targets of one sender, and the different links to them.
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

    /// The link between two nodes: the one that names them most exactly, first the sender, then the receiver.
    fn link(&self, from_group: &str, from: &str, to_group: &str, to: &str) -> Row<Link> {
        [(from, to), (from, to_group), (from_group, to), (from_group, to_group)]
            .iter()
            .find_map(|pair| self.links.get(pair).copied())
            .unwrap_or(Row::NONE)
    }
}
