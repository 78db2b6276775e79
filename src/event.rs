//! The whole vocabulary of events: everything that can happen at a moment of virtual time, and the nodes that it happens to.
//!
//! Whatever its kind, a node meets three classes of events: a request is delivered to it, a response reaches it, or it
//! wakes up because something that it is waiting for is due. So a new kind of node needs no new event. What each one leads
//! to is decided in one place, [`simulation`](crate::simulation).

use std::fmt;
use std::ops::{Index, IndexMut};

use crate::engine::row::Row;

/// Declares the kinds of nodes.
macro_rules! node_kinds {
    ($($(#[$doc:meta])* $Kind:ident,)*) => {
        /// The kinds of nodes. What each is stands in its room under [`model`](crate::model).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum NodeKind {
            $($(#[$doc])* $Kind,)*
        }

        impl NodeKind {
            /// All kinds, in the order in which a request may meet them.
            pub const ALL: [Self; [$(Self::$Kind),*].len()] = [$(Self::$Kind),*];

            /// The kind with this number; the last one for numbers that no kind has, so that the hot path has no case that
            /// cannot be.
            #[inline(always)]
            const fn of_number(number: u8) -> Self {
                $(if number == Self::$Kind as u8 { return Self::$Kind; })*
                Self::ALL[Self::COUNT - 1]
            }
        }

        /// Codes of events by class and, where they happen to a node, by its kind.
        pub(crate) mod code {
            #![expect(non_upper_case_globals, reason = "a code has the name of its kind")]

            /// The upper two bits of a code tell its class; the lower six the kind of the node, if it is about one.
            pub(super) const DELIVER: u64 = 1;
            pub(super) const WAKE: u64 = 2;
            /// The code of responses: they name a hop, not a node.
            pub(crate) const RESPOND: u64 = 3 << 6;

            pub(crate) mod deliver {
                $(pub(crate) const $Kind: u64 = super::DELIVER << 6 | crate::event::NodeKind::$Kind as u64;)*
            }

            pub(crate) mod wake {
                $(pub(crate) const $Kind: u64 = super::WAKE << 6 | crate::event::NodeKind::$Kind as u64;)*
            }
        }
    };
}

node_kinds! {
    /// Where requests are created.
    Source,
    /// Picks a target for each request by a policy.
    LoadBalancer,
    /// The caller's side: picks servers and learns from their responses.
    Client,
    /// Turns away what is over a limit.
    RateLimiter,
    /// Does the work.
    Server,
}

impl NodeKind {
    /// How many kinds there are.
    pub const COUNT: usize = Self::ALL.len();
}

/// Something for each kind of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerKind<T>([T; NodeKind::COUNT]);

impl<T> PerKind<T> {
    /// What a function makes of each kind.
    #[must_use]
    pub fn of(make: impl FnMut(NodeKind) -> T) -> Self {
        Self(NodeKind::ALL.map(make))
    }
}

impl<T: Default> Default for PerKind<T> {
    fn default() -> Self {
        Self::of(|_| T::default())
    }
}

impl<T> Index<NodeKind> for PerKind<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, kind: NodeKind) -> &T {
        &self.0[kind as usize]
    }
}

impl<T> IndexMut<NodeKind> for PerKind<T> {
    #[inline(always)]
    fn index_mut(&mut self, kind: NodeKind) -> &mut T {
        &mut self.0[kind as usize]
    }
}

/// A node by its kind and its row among the nodes of that kind, in four bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(u32);

impl Node {
    /// No node.
    pub const NONE: Self = Self(u32::MAX);

    /// The node of a kind in a row (below [`MAX_ROWS`]).
    #[must_use]
    #[inline]
    pub const fn new(kind: NodeKind, row: u32) -> Self {
        debug_assert!(row < MAX_ROWS, "a scenario has fewer than 2^24 nodes of a kind");
        Self((kind as u32) << 24 | row)
    }

    /// Its kind.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the kind is the upper 8 of 32 bits")]
    pub const fn kind(self) -> NodeKind {
        debug_assert!(self.0 >> 24 < NodeKind::COUNT as u32, "no node has no kind");
        NodeKind::of_number((self.0 >> 24) as u8)
    }

    /// Its row among the nodes of its kind.
    #[must_use]
    #[inline]
    pub const fn row(self) -> u32 {
        self.0 & (MAX_ROWS - 1)
    }

    /// How many rows it lies behind another node of its kind.
    #[must_use]
    #[inline]
    pub fn offset_from(self, first: Self) -> Option<u32> {
        if self.0 >> 24 == first.0 >> 24 { self.0.checked_sub(first.0) } else { None }
    }

    /// Itself, unless it stands for none.
    #[must_use]
    pub fn some(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.some() {
            Some(node) => write!(f, "{:?}({})", node.kind(), node.row()),
            None => f.write_str("no node"),
        }
    }
}

/// Nodes of one kind that follow each other: a group, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRange {
    /// Their kind.
    pub kind: NodeKind,
    /// Row of the first.
    pub first: u32,
    /// How many there are.
    pub count: u32,
}

impl NodeRange {
    /// The nodes in order.
    pub fn nodes(self) -> impl DoubleEndedIterator<Item = Node> + ExactSizeIterator + Clone {
        (self.first..self.first + self.count).map(move |row| Node::new(self.kind, row))
    }

    /// Whether all nodes of another range are among them.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self.kind == other.kind
            && self.first <= other.first
            && other.first + other.count <= self.first + self.count
    }

    /// Whether a node is one of them.
    #[must_use]
    pub fn contains(self, node: Node) -> bool {
        node.offset_from(Node::new(self.kind, self.first)).is_some_and(|offset| offset < self.count)
    }
}

/// Marks rows of the pool of requests.
#[derive(Debug)]
pub enum InPool {}

/// A request by its place in the pool.
pub type RequestRow = Row<InPool>;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request reaches a node on its way out.
    Deliver {
        /// The node that it reaches.
        to: Node,
        /// The request.
        request: RequestRow,
    },
    /// The response to a request reaches a node that awaits it.
    Respond {
        /// Number of the return hop that it took.
        hop: u32,
        /// The request.
        request: RequestRow,
    },
    /// Something is due at a node: the part knows what it was waiting for.
    Wake {
        /// The node.
        node: Node,
        /// The request that it is about, if it is about one.
        request: RequestRow,
    },
    /// A link has lost a request or its response.
    Lost {
        /// The request.
        request: RequestRow,
    },
    /// The warm-up is over: statistics begin anew.
    WarmedUp,
    /// A probe takes its samples.
    Sample {
        /// Row of the probe.
        probe: u32,
    },
    /// An interval of the timeline ends.
    Record,
    /// Something changes that the scenario announced for this moment.
    Change {
        /// Row of the change.
        row: u32,
    },
}

/// An event in eight bytes, as the queue holds it: 8 bits of code, 24 bits of row, 32 bits of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedEvent(u64);

/// Rows of nodes, probes and changes and numbers of return hops fit 24 bits.
pub const MAX_ROWS: u32 = 1 << 24;

/// Codes of the class without a node.
const LOST: u64 = 0;
const WARMED_UP: u64 = 1;
const SAMPLE: u64 = 2;
const RECORD: u64 = 3;
const CHANGE: u64 = 4;

const _: () = assert!(NodeKind::COUNT < 64, "a code has six bits for the kind");

impl Event {
    /// The event in eight bytes.
    #[must_use]
    #[inline]
    pub const fn pack(self) -> PackedEvent {
        const fn pack(code: u64, row: u32, request: RequestRow) -> PackedEvent {
            debug_assert!(row < MAX_ROWS, "a scenario has fewer than 2^24 probes, changes and return hops");
            PackedEvent(code << 56 | (row as u64) << 32 | request.number() as u64)
        }
        const fn at_node(class: u64, node: Node, request: RequestRow) -> PackedEvent {
            PackedEvent(class << 62 | (node.0 as u64) << 32 | request.number() as u64)
        }
        const NO_REQUEST: RequestRow = RequestRow::new(0);
        match self {
            Self::Deliver { to, request } => at_node(code::DELIVER, to, request),
            Self::Wake { node, request } => at_node(code::WAKE, node, request),
            Self::Respond { hop, request } => pack(code::RESPOND, hop, request),
            Self::Lost { request } => pack(LOST, 0, request),
            Self::WarmedUp => pack(WARMED_UP, 0, NO_REQUEST),
            Self::Sample { probe } => pack(SAMPLE, probe, NO_REQUEST),
            Self::Record => pack(RECORD, 0, NO_REQUEST),
            Self::Change { row } => pack(CHANGE, row, NO_REQUEST),
        }
    }
}

impl PackedEvent {
    /// The same event for another request.
    #[must_use]
    #[inline]
    pub const fn of_request(self, request: RequestRow) -> Self {
        Self(self.0 >> 32 << 32 | request.number() as u64)
    }

    /// The request that the event is about; any if it is about none.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the request is the lower half")]
    pub const fn request(self) -> RequestRow {
        RequestRow::new(self.0 as u32)
    }

    /// Its code.
    #[must_use]
    #[inline(always)]
    pub(crate) const fn code(self) -> u64 {
        self.0 >> 56
    }

    /// Whether it happens to a node.
    #[must_use]
    #[inline(always)]
    pub const fn is_of_node(self) -> bool {
        self.0 >> 62 != 0
    }

    /// The row that it names: of a node, a return hop, a probe or a change.
    #[must_use]
    #[inline(always)]
    pub(crate) const fn row(self) -> u32 {
        (self.0 >> 32) as u32 & (MAX_ROWS - 1)
    }

    /// The event that was packed.
    #[must_use]
    #[inline]
    pub const fn unpack(self) -> Event {
        let (request, row) = (self.request(), self.row());
        let node = Node((self.0 << 2 >> 34) as u32);
        match self.code() >> 6 {
            code::DELIVER => Event::Deliver { to: node, request },
            code::WAKE => Event::Wake { node, request },
            3 => Event::Respond { hop: row, request },
            _ => match self.code() {
                LOST => Event::Lost { request },
                WARMED_UP => Event::WarmedUp,
                SAMPLE => Event::Sample { probe: row },
                RECORD => Event::Record,
                CHANGE => Event::Change { row },
                _ => unreachable!(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_survives_packing() {
        let (row, request) = (MAX_ROWS - 1, RequestRow::new(u32::MAX - 1));
        let of_nodes = NodeKind::ALL.into_iter().flat_map(|kind| {
            let node = Node::new(kind, row);
            assert_eq!((node.kind(), node.row()), (kind, row));
            [Event::Deliver { to: node, request }, Event::Wake { node, request }]
        });
        let others = [
            Event::Respond { hop: row, request },
            Event::Lost { request },
            Event::WarmedUp,
            Event::Sample { probe: row },
            Event::Record,
            Event::Change { row },
        ];
        for event in of_nodes.chain(others) {
            assert_eq!(event.pack().unpack(), event);
        }
    }

    #[test]
    fn a_range_holds_its_nodes_and_no_others() {
        let range = NodeRange { kind: NodeKind::Client, first: 3, count: 2 };
        let rows: Vec<u32> = range.nodes().map(Node::row).collect();
        assert_eq!(rows, [3, 4]);
        let holds = |kind, row| range.contains(Node::new(kind, row));
        assert!(holds(NodeKind::Client, 4) && !holds(NodeKind::Client, 5) && !holds(NodeKind::Source, 3));
        assert!(!range.contains(Node::NONE));
    }
}
