//! The log: what has just happened, request by request, and the questions that it can be asked.

use std::collections::VecDeque;

use crate::engine::time::SimTime;
use crate::event::{Node, NodeRange, RequestRow};
use crate::model::trace::{NodeCapacity, TraceEvent};
use crate::request::Outcome;

/// Of more entries than this the oldest are forgotten.
pub const MAX_ENTRIES: usize = 50_000;

/// Something that happened to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogLine {
    /// When.
    pub at: SimTime,
    /// The place of the request in the pool, while it is under way.
    pub request: RequestRow,
    /// Its key; 0 where it is about no request.
    pub key: u32,
    /// What happened.
    pub event: TraceEvent,
    /// Where: the node that the request was at, or left for.
    pub node: Node,
}

/// The kinds of entries, as people filter by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogKind {
    /// A request was created.
    Created,
    /// A request or its response left for a node.
    Sent,
    /// A request began to wait.
    Queued,
    /// A node began to serve, or was done.
    Served,
    /// A node turned a request away.
    Rejected,
    /// A request came to its end.
    Over,
    /// A node has other slots, or other room for those who wait.
    Slots,
}

impl LogKind {
    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Created, "born"),
        (Self::Sent, "sent"),
        (Self::Queued, "queued"),
        (Self::Served, "served"),
        (Self::Rejected, "rejected"),
        (Self::Over, "over"),
        (Self::Slots, "slots"),
    ];
}

impl LogLine {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> LogKind {
        match self.event {
            TraceEvent::Created { .. } => LogKind::Created,
            TraceEvent::Sent { .. } | TraceEvent::ResponseSent { .. } => LogKind::Sent,
            TraceEvent::Queued { .. } => LogKind::Queued,
            TraceEvent::Started { .. } | TraceEvent::Served { .. } => LogKind::Served,
            TraceEvent::Rejected { .. } => LogKind::Rejected,
            TraceEvent::NodeCapacity { .. } => LogKind::Slots,
            TraceEvent::Over { .. } => LogKind::Over,
        }
    }

    /// What happened, in words; the node is called `name`.
    #[must_use]
    pub fn words(&self, name: &str) -> String {
        match self.event {
            TraceEvent::Created { .. } => format!("born at {name}"),
            TraceEvent::Sent { arrives: Some(_), .. } => format!("sent to {name}"),
            TraceEvent::ResponseSent { arrives: Some(_), .. } => format!("response sent to {name}"),
            TraceEvent::Sent { arrives: None, .. } => format!("lost on the way to {name}"),
            TraceEvent::ResponseSent { arrives: None, .. } => format!("response lost on the way to {name}"),
            TraceEvent::Queued { .. } => format!("waits at {name}"),
            TraceEvent::Started { done, .. } => format!("served by {name} until {:.6} s", done.as_seconds()),
            TraceEvent::Served { .. } => format!("served by {name}"),
            TraceEvent::Rejected { .. } => format!("rejected by {name}"),
            TraceEvent::NodeCapacity { holds: NodeCapacity { slots: 0, .. }, .. } => {
                format!("{name} is down")
            }
            TraceEvent::NodeCapacity { holds: NodeCapacity { slots, waiting: None }, .. } => {
                format!("{name} has {slots} slots")
            }
            TraceEvent::NodeCapacity { holds: NodeCapacity { slots, waiting: Some(bound) }, .. } => {
                format!("{name} has {slots} slots, {bound} may wait")
            }
            TraceEvent::Over { outcome } => outcome.label().to_owned(),
        }
    }
}

/// What is wanted of the log. What is not given may be anything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Filter {
    /// Entries of this kind.
    pub kind: Option<LogKind>,
    /// Entries of requests with this key.
    pub key: Option<u32>,
    /// Entries at these nodes: a node, or a folded group.
    pub nodes: Option<NodeRange>,
    /// Ends with this outcome.
    pub outcome: Option<Outcome>,
}

impl Filter {
    /// Whether an entry is wanted.
    #[must_use]
    pub fn wants(&self, entry: &LogLine) -> bool {
        let ends_in = |wanted| matches!(entry.event, TraceEvent::Over { outcome } if outcome == wanted);
        self.kind.is_none_or(|kind| kind == entry.kind())
            && self.key.is_none_or(|key| key == entry.key)
            && self.nodes.is_none_or(|nodes| nodes.contains(entry.node))
            && self.outcome.is_none_or(ends_in)
    }
}

/// The last entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    entries: VecDeque<LogLine>,
    /// How many were ever written: a filter's answer is fresh as long as this stays.
    pub written: u64,
}

impl Log {
    /// Writes something down.
    pub fn write(&mut self, entry: LogLine) {
        if self.entries.len() == MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.written += 1;
    }

    /// The entries that a filter wants, the latest first, at most so many.
    #[must_use]
    pub fn latest(&self, filter: &Filter, most: usize) -> Vec<LogLine> {
        self.entries.iter().rev().filter(|entry| filter.wants(entry)).take(most).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NodeKind;

    /// The kinds of two different nodes.
    const KINDS: [NodeKind; 2] = [NodeKind::ALL[0], NodeKind::ALL[NodeKind::COUNT - 1]];

    fn entry(nanos: u64, key: u32, event: TraceEvent, node: Node) -> LogLine {
        LogLine { at: SimTime::from_nanos(nanos), request: RequestRow::new(0), key, event, node }
    }

    #[test]
    fn filters_choose_by_kind_key_node_and_outcome() {
        let mut log = Log::default();
        let (source, node) = (Node::new(KINDS[0], 4), |row| Node::new(KINDS[1], row));
        log.write(entry(1, 7, TraceEvent::Created { source, key: 7 }, source));
        log.write(entry(2, 7, TraceEvent::Queued { node: node(4) }, node(4)));
        log.write(entry(3, 8, TraceEvent::Rejected { node: node(5) }, node(5)));
        log.write(entry(4, 8, TraceEvent::Over { outcome: Outcome::Rejected }, source));
        log.write(entry(5, 7, TraceEvent::Over { outcome: Outcome::Completed }, source));
        let times = |filter: Filter| {
            log.latest(&filter, 10).iter().map(|entry| entry.at.as_nanos()).collect::<Vec<_>>()
        };
        let any = Filter::default();
        assert_eq!(times(any), [5, 4, 3, 2, 1]);
        assert_eq!(times(Filter { kind: Some(LogKind::Over), ..any }), [5, 4]);
        assert_eq!(times(Filter { key: Some(8), ..any }), [4, 3]);
        let at = |first, count| Filter { nodes: Some(NodeRange { kind: KINDS[1], first, count }), ..any };
        assert_eq!((times(at(4, 2)), times(at(5, 1))), (vec![3, 2], vec![3]));
        assert!(times(at(6, 2)).is_empty());
        assert_eq!(times(Filter { outcome: Some(Outcome::Rejected), ..any }), [4]);
        assert!(times(Filter { kind: Some(LogKind::Created), key: Some(8), ..any }).is_empty());
        assert_eq!(log.latest(&any, 2).len(), 2);
    }

    #[test]
    fn what_a_node_can_hold_is_told_in_words() {
        let node = Node::new(KINDS[1], 0);
        let words = |slots, waiting| {
            let event = TraceEvent::NodeCapacity { node, holds: NodeCapacity { slots, waiting } };
            entry(1, 0, event, node).words("web-1")
        };
        assert_eq!(words(3, None), "web-1 has 3 slots");
        assert_eq!(words(3, Some(20)), "web-1 has 3 slots, 20 may wait");
        assert_eq!(words(0, Some(0)), "web-1 is down");
    }

    #[test]
    fn the_oldest_entries_are_forgotten() {
        let mut log = Log::default();
        for nanos in 0..=MAX_ENTRIES as u64 {
            let node = Node::new(KINDS[1], 0);
            log.write(entry(nanos, 0, TraceEvent::Queued { node }, node));
        }
        let all = log.latest(&Filter::default(), usize::MAX);
        assert_eq!((all.len(), log.written), (MAX_ENTRIES, MAX_ENTRIES as u64 + 1));
        assert_eq!(all.last().map(|entry| entry.at.as_nanos()), Some(1));
    }
}
