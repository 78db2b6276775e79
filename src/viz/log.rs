//! The log: the most recent trace records, with filters.

use std::collections::VecDeque;

use crate::engine::time::SimTime;
use crate::event::{Node, NodeRange, RequestRow};
use crate::model::node_state::NodeState;
use crate::model::trace::{NodeCapacity, Passage, TraceEvent};
use crate::request::Outcome;

/// Maximum number of entries; older ones are dropped.
pub const MAX_ENTRIES: usize = 50_000;

/// An event of a request or a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLine {
    /// Time of the event.
    pub at: SimTime,
    /// Row of the request in the pool. After the request has ended, another one may have it.
    pub request: RequestRow,
    /// Key of the request; 0 for an event without a request.
    pub key: u32,
    /// The event.
    pub event: TraceEvent,
    /// The node where the request was, or to which it was sent.
    pub node: Node,
}

/// Kinds of log entries, for the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// A request was created.
    Created,
    /// A call was made, or a request waits for one, or gives it up.
    Called,
    /// A request or its response was sent to a node.
    Sent,
    /// A request entered a queue.
    Queued,
    /// A service started or ended.
    Served,
    /// A node rejected a request.
    Rejected,
    /// A request ended, with an outcome.
    Ended,
    /// The number of slots or the queue capacity of a node changed.
    Capacity,
}

impl LogKind {
    /// All kinds, with their labels.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Created, "created"),
        (Self::Called, "called"),
        (Self::Sent, "sent"),
        (Self::Queued, "queued"),
        (Self::Served, "served"),
        (Self::Rejected, "rejected"),
        (Self::Ended, "ended"),
        (Self::Capacity, "capacity"),
    ];
}

impl LogLine {
    /// The kind of the entry.
    #[must_use]
    pub const fn kind(&self) -> LogKind {
        match self.event {
            TraceEvent::Created { .. } => LogKind::Created,
            TraceEvent::CallCreated { .. } | TraceEvent::Called { .. } | TraceEvent::GaveUp { .. } => {
                LogKind::Called
            }
            TraceEvent::Sent { .. } | TraceEvent::ResponseSent { .. } => LogKind::Sent,
            TraceEvent::Queued { .. } => LogKind::Queued,
            TraceEvent::Entered { .. }
            | TraceEvent::Waits { .. }
            | TraceEvent::Started { .. }
            | TraceEvent::Served { .. } => LogKind::Served,
            TraceEvent::Rejected { .. } => LogKind::Rejected,
            TraceEvent::NodeCapacity { .. } => LogKind::Capacity,
            TraceEvent::Over { .. } => LogKind::Ended,
        }
    }

    /// A description of the event, in which the node is called `name` and has these resources.
    #[must_use]
    pub fn describe(&self, name: &str, resources: &[String]) -> String {
        match self.event {
            TraceEvent::Created { .. } => format!("created at {name}"),
            TraceEvent::CallCreated { .. } => format!("call made by {name}"),
            TraceEvent::Entered { slots: 1, .. } => format!("takes a slot of {name}"),
            TraceEvent::Entered { slots, .. } => format!("takes {slots} slots of {name}"),
            TraceEvent::Waits { resource, .. } => {
                let resource = resources.get(usize::from(resource)).map_or("", String::as_str);
                format!("waits at {name} for {resource}")
            }
            TraceEvent::Called { .. } => format!("waits for a call at {name}"),
            TraceEvent::GaveUp { .. } => format!("gives up its call at {name}"),
            TraceEvent::Sent { passage: Passage::Transferred, .. } => format!("transfer to {name} begins"),
            TraceEvent::ResponseSent { passage: Passage::Transferred, .. } => {
                format!("transfer of the response to {name} begins")
            }
            TraceEvent::Sent { passage: Passage::Arrives(_), .. } => format!("sent to {name}"),
            TraceEvent::ResponseSent { passage: Passage::Arrives(_), .. } => {
                format!("response sent to {name}")
            }
            TraceEvent::Sent { passage: Passage::Lost, .. } => format!("lost on the link to {name}"),
            TraceEvent::ResponseSent { passage: Passage::Lost, .. } => {
                format!("response lost on the link to {name}")
            }
            TraceEvent::Queued { .. } => format!("queued at {name}"),
            TraceEvent::Started { done, .. } => {
                format!("in service at {name} until {:.6} s", done.as_seconds())
            }
            TraceEvent::Served { .. } => format!("served by {name}"),
            TraceEvent::Rejected { .. } => format!("rejected by {name}"),
            TraceEvent::NodeCapacity { holds: NodeCapacity { state, slots, waiting }, .. } => {
                match (state, slots, waiting) {
                    (NodeState::Up, 0, _) => format!("{name} is paused"),
                    (NodeState::Up, slots, None) => format!("{name} has {slots} slots"),
                    (NodeState::Up, slots, Some(capacity)) => {
                        format!("{name} has {slots} slots and a queue capacity of {capacity}")
                    }
                    (state, ..) => format!("{name} is {}", state.name()),
                }
            }
            TraceEvent::Over { outcome } => outcome.label().to_owned(),
        }
    }
}

/// A filter of log entries. An entry matches if it fulfils all conditions that are `Some`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Filter {
    /// Entries of this kind.
    pub kind: Option<LogKind>,
    /// Entries of requests with this key.
    pub key: Option<u32>,
    /// Entries at these nodes: a node, or a folded group.
    pub nodes: Option<NodeRange>,
    /// Entries of requests that ended with this outcome.
    pub outcome: Option<Outcome>,
}

impl Filter {
    /// Whether an entry matches the filter.
    #[must_use]
    pub fn matches(&self, entry: &LogLine) -> bool {
        let ended_with =
            |expected| matches!(entry.event, TraceEvent::Over { outcome } if outcome == expected);
        self.kind.is_none_or(|kind| kind == entry.kind())
            && self.key.is_none_or(|key| key == entry.key)
            && self.nodes.is_none_or(|nodes| nodes.contains(entry.node))
            && self.outcome.is_none_or(ended_with)
    }
}

/// The most recent entries, at most [`MAX_ENTRIES`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    entries: VecDeque<LogLine>,
    /// Number of entries ever added, including dropped ones.
    pub written: u64,
}

impl Log {
    /// Adds an entry.
    pub fn push(&mut self, entry: LogLine) {
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.written += 1;
    }

    /// The entries that match a filter, the latest first, at most `limit`.
    #[must_use]
    pub fn latest(&self, filter: &Filter, limit: usize) -> Vec<LogLine> {
        self.entries.iter().rev().filter(|entry| filter.matches(entry)).take(limit).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NodeKind;

    /// Two different kinds of nodes.
    const KINDS: [NodeKind; 2] = [NodeKind::ALL[0], NodeKind::ALL[NodeKind::COUNT - 1]];

    fn entry(nanos: u64, key: u32, event: TraceEvent, node: Node) -> LogLine {
        LogLine { at: SimTime::from_nanos(nanos), request: RequestRow::new(0), key, event, node }
    }

    #[test]
    fn filters_choose_by_kind_key_node_and_outcome() {
        let mut log = Log::default();
        let (source, node) = (Node::new(KINDS[0], 4), |row| Node::new(KINDS[1], row));
        log.push(entry(1, 7, TraceEvent::Created { source, key: 7 }, source));
        log.push(entry(2, 7, TraceEvent::Queued { node: node(4) }, node(4)));
        log.push(entry(3, 8, TraceEvent::Rejected { node: node(5) }, node(5)));
        log.push(entry(4, 8, TraceEvent::Over { outcome: Outcome::Rejected }, source));
        log.push(entry(5, 7, TraceEvent::Over { outcome: Outcome::Completed }, source));
        let matching_times = |filter: Filter| {
            log.latest(&filter, 10).iter().map(|entry| entry.at.as_nanos()).collect::<Vec<_>>()
        };
        let any = Filter::default();
        assert_eq!(matching_times(any), [5, 4, 3, 2, 1]);
        assert_eq!(matching_times(Filter { kind: Some(LogKind::Ended), ..any }), [5, 4]);
        assert_eq!(matching_times(Filter { key: Some(8), ..any }), [4, 3]);
        let at = |first, count| Filter { nodes: Some(NodeRange { kind: KINDS[1], first, count }), ..any };
        assert_eq!((matching_times(at(4, 2)), matching_times(at(5, 1))), (vec![3, 2], vec![3]));
        assert!(matching_times(at(6, 2)).is_empty());
        assert_eq!(matching_times(Filter { outcome: Some(Outcome::Rejected), ..any }), [4]);
        assert!(matching_times(Filter { kind: Some(LogKind::Created), key: Some(8), ..any }).is_empty());
        assert_eq!(log.latest(&any, 2).len(), 2);
    }

    #[test]
    fn capacities_are_described() {
        let node = Node::new(KINDS[1], 0);
        let description = |state, slots, waiting| {
            let event = TraceEvent::NodeCapacity { node, holds: NodeCapacity { state, slots, waiting } };
            entry(1, 0, event, node).describe("web-1", &[])
        };
        let up = NodeState::Up;
        assert_eq!(description(up, 3, None), "web-1 has 3 slots");
        assert_eq!(description(up, 3, Some(20)), "web-1 has 3 slots and a queue capacity of 20");
        assert_eq!(description(up, 0, None), "web-1 is paused");
        assert_eq!(description(NodeState::Down, 0, Some(0)), "web-1 is down");
        assert_eq!(description(NodeState::Draining, 3, None), "web-1 is draining");
    }

    #[test]
    fn the_oldest_entries_are_dropped() {
        let mut log = Log::default();
        for nanos in 0..=MAX_ENTRIES as u64 {
            let node = Node::new(KINDS[1], 0);
            log.push(entry(nanos, 0, TraceEvent::Queued { node }, node));
        }
        let all = log.latest(&Filter::default(), usize::MAX);
        assert_eq!((all.len(), log.written), (MAX_ENTRIES, MAX_ENTRIES as u64 + 1));
        assert_eq!(all.last().map(|entry| entry.at.as_nanos()), Some(1));
    }
}
