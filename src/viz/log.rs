//! The log: what has just happened, request by request, and the questions that it can be asked.

use std::collections::VecDeque;

use crate::engine::time::SimTime;
use crate::event::{Node, RequestRow};
use crate::model::witness::What;

/// Of more entries than this the oldest are forgotten.
pub const MOST_ENTRIES: usize = 50_000;

/// Something that happened to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: SimTime,
    /// The place of the request in the pool, while it is under way.
    pub request: RequestRow,
    /// Its key; 0 where it is about no request.
    pub key: u32,
    /// What happened.
    pub what: What,
    /// Where: the node that the request was at, or left for.
    pub node: Node,
}

/// The kinds of entries, as people filter by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request was born.
    Born,
    /// A request or its response left for a node.
    Sent,
    /// A request began to wait.
    Queued,
    /// A server began to serve, or was done.
    Served,
    /// A server turned a request away.
    Rejected,
    /// A request came to its end.
    Over,
    /// A server has other slots.
    Slots,
}

impl Kind {
    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Born, "born"),
        (Self::Sent, "sent"),
        (Self::Queued, "queued"),
        (Self::Served, "served"),
        (Self::Rejected, "rejected"),
        (Self::Over, "over"),
        (Self::Slots, "slots"),
    ];
}

impl Entry {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.what {
            What::Born { .. } => Kind::Born,
            What::Sent { .. } | What::Answered { .. } => Kind::Sent,
            What::Queued { .. } => Kind::Queued,
            What::Started { .. } | What::Served { .. } => Kind::Served,
            What::Rejected { .. } => Kind::Rejected,
            What::Slots { .. } => Kind::Slots,
            What::Over { .. } => Kind::Over,
        }
    }

    /// What happened, in words; the node is called `name`.
    #[must_use]
    pub fn words(&self, name: &str) -> String {
        match self.what {
            What::Born { .. } => format!("born at {name}"),
            What::Sent { arrives: Some(_), .. } => format!("sent to {name}"),
            What::Answered { arrives: Some(_), .. } => format!("response sent to {name}"),
            What::Sent { arrives: None, .. } => format!("lost on the way to {name}"),
            What::Answered { arrives: None, .. } => format!("response lost on the way to {name}"),
            What::Queued { .. } => format!("waits at {name}"),
            What::Started { done, .. } => format!("served by {name} until {:.6} s", done.as_seconds()),
            What::Served { .. } => format!("served by {name}"),
            What::Rejected { .. } => format!("rejected by {name}"),
            What::Slots { slots: 0, .. } => format!("{name} is down"),
            What::Slots { slots, .. } => format!("{name} has {slots} slots"),
            What::Over { outcome } => outcome.name().replace('_', " "),
        }
    }
}

/// What is wanted of the log. What is not given may be anything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Filter {
    /// Entries of this kind.
    pub kind: Option<Kind>,
    /// Entries of requests with this key.
    pub key: Option<u32>,
    /// Entries at these nodes: a node, or the first and the last row of a folded group.
    pub nodes: Option<(Node, Node)>,
    /// Ends with this outcome.
    pub outcome: Option<crate::request::Outcome>,
}

impl Filter {
    /// Whether an entry is wanted.
    #[must_use]
    pub fn wants(&self, entry: &Entry) -> bool {
        let outcome = match entry.what {
            What::Over { outcome } => Some(outcome),
            What::Born { .. }
            | What::Sent { .. }
            | What::Answered { .. }
            | What::Queued { .. }
            | What::Started { .. }
            | What::Served { .. }
            | What::Slots { .. }
            | What::Rejected { .. } => None,
        };
        self.kind.is_none_or(|kind| kind == entry.kind())
            && self.key.is_none_or(|key| key == entry.key)
            && self.nodes.is_none_or(|(first, last)| within(entry.node, first, last))
            && (self.outcome.is_none() || self.outcome == outcome)
    }
}

/// Whether a node lies between two of its kind.
fn within(node: Node, first: Node, last: Node) -> bool {
    let inside = |row: u32, first: u32, last: u32| (first..=last).contains(&row);
    match (node, first, last) {
        (Node::Source(row), Node::Source(a), Node::Source(b))
        | (Node::LoadBalancer(row), Node::LoadBalancer(a), Node::LoadBalancer(b))
        | (Node::Client(row), Node::Client(a), Node::Client(b))
        | (Node::Server(row), Node::Server(a), Node::Server(b)) => inside(row, a, b),
        _ => false,
    }
}

/// The last entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    entries: VecDeque<Entry>,
    /// How many were ever written: a filter's answer is fresh as long as this stays.
    pub written: u64,
}

impl Log {
    /// Writes something down.
    pub fn write(&mut self, entry: Entry) {
        if self.entries.len() == MOST_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.written += 1;
    }

    /// The entries that a filter wants, the latest first, at most so many.
    #[must_use]
    pub fn latest(&self, filter: &Filter, most: usize) -> Vec<Entry> {
        self.entries.iter().rev().filter(|entry| filter.wants(entry)).take(most).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Outcome;

    fn entry(nanos: u64, key: u32, what: What, node: Node) -> Entry {
        Entry { at: SimTime::from_nanos(nanos), request: 0, key, what, node }
    }

    #[test]
    fn filters_choose_by_kind_key_node_and_outcome() {
        let mut log = Log::default();
        log.write(entry(1, 7, What::Born { source: 0, key: 7 }, Node::Source(0)));
        log.write(entry(2, 7, What::Queued { server: 4 }, Node::Server(4)));
        log.write(entry(3, 8, What::Rejected { server: 5 }, Node::Server(5)));
        log.write(entry(4, 8, What::Over { outcome: Outcome::Rejected }, Node::Source(0)));
        log.write(entry(5, 7, What::Over { outcome: Outcome::Completed }, Node::Source(0)));
        let times = |filter: Filter| {
            log.latest(&filter, 10).iter().map(|entry| entry.at.as_nanos()).collect::<Vec<_>>()
        };
        let any = Filter::default();
        assert_eq!(times(any), [5, 4, 3, 2, 1]);
        assert_eq!(times(Filter { kind: Some(Kind::Over), ..any }), [5, 4]);
        assert_eq!(times(Filter { key: Some(8), ..any }), [4, 3]);
        assert_eq!(times(Filter { nodes: Some((Node::Server(4), Node::Server(5))), ..any }), [3, 2]);
        assert!(times(Filter { nodes: Some((Node::Client(4), Node::Client(5))), ..any }).is_empty());
        assert_eq!(times(Filter { outcome: Some(Outcome::Rejected), ..any }), [4]);
        assert!(times(Filter { kind: Some(Kind::Born), key: Some(8), ..any }).is_empty());
        assert_eq!(log.latest(&any, 2).len(), 2);
    }

    #[test]
    fn the_oldest_entries_are_forgotten() {
        let mut log = Log::default();
        for nanos in 0..=MOST_ENTRIES as u64 {
            log.write(entry(nanos, 0, What::Queued { server: 0 }, Node::Server(0)));
        }
        let all = log.latest(&Filter::default(), usize::MAX);
        assert_eq!((all.len(), log.written), (MOST_ENTRIES, MOST_ENTRIES as u64 + 1));
        assert_eq!(all.last().map(|entry| entry.at.as_nanos()), Some(1));
    }
}
