//! All events of a simulation, and the kinds of nodes at which they happen.
//!
//! A node of any kind handles four classes of events: a request is delivered to it, a response reaches it, it wakes up
//! because something that it scheduled for a request is due, or one of its timers is due, which is rare and concerns no
//! request. A new kind of node therefore needs no new event. The
//! [`simulation`](crate::simulation) module dispatches all events to their handlers.

use std::fmt;
use std::ops::{Index, IndexMut};

use crate::engine::row::Row;

/// Declares the kinds of nodes.
macro_rules! node_kinds {
    ($($(#[$doc:meta])* $Kind:ident,)*) => {
        /// The kinds of nodes. Each has a module under [`model`](crate::model).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum NodeKind {
            $($(#[$doc])* $Kind,)*
        }

        impl NodeKind {
            /// All kinds, in the order in which a request may pass them.
            pub const ALL: [Self; [$(Self::$Kind),*].len()] = [$(Self::$Kind),*];

            /// The kind with this number. An invalid number yields the last kind, which spares the hot path a branch
            /// that panics.
            #[inline(always)]
            const fn from_number(number: u8) -> Self {
                $(if number == Self::$Kind as u8 { return Self::$Kind; })*
                Self::ALL[Self::COUNT - 1]
            }
        }

        /// Codes of events, by class and by kind of node.
        pub(crate) mod code {
            #![expect(non_upper_case_globals, reason = "a code has the name of its kind")]

            /// The upper two bits of a code are its class, the lower six the kind of the node.
            pub(super) const DELIVER: u64 = 1;
            pub(super) const WAKE: u64 = 2;
            pub(super) const RESPOND: u64 = 3;

            pub(crate) mod deliver {
                $(pub(crate) const $Kind: u64 = super::DELIVER << 6 | crate::event::NodeKind::$Kind as u64;)*
            }

            pub(crate) mod wake {
                $(pub(crate) const $Kind: u64 = super::WAKE << 6 | crate::event::NodeKind::$Kind as u64;)*
            }

            pub(crate) mod respond {
                $(pub(crate) const $Kind: u64 = super::RESPOND << 6 | crate::event::NodeKind::$Kind as u64;)*
            }
        }
    };
}

node_kinds! {
    /// Creates requests.
    Source,
    /// Selects a target for each request by a policy.
    LoadBalancer,
    /// Selects servers for requests and learns their load from responses.
    Client,
    /// Sheds requests above a limit.
    RateLimiter,
    /// Serves requests.
    Server,
}

impl NodeKind {
    /// Number of kinds.
    pub const COUNT: usize = Self::ALL.len();
}

/// A value for each kind of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerKind<T>([T; NodeKind::COUNT]);

impl<T> PerKind<T> {
    /// Computes the value of each kind.
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

/// A node: its kind and its row among the nodes of that kind, packed into four bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(u32);

impl Node {
    /// The absence of a node.
    pub const NONE: Self = Self(u32::MAX);

    /// The node of this kind in this row, which is below [`MAX_ROWS`].
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
        debug_assert!(self.0 >> 24 < NodeKind::COUNT as u32, "`Node::NONE` has no kind");
        NodeKind::from_number((self.0 >> 24) as u8)
    }

    /// Its row among the nodes of its kind.
    #[must_use]
    #[inline]
    pub const fn row(self) -> u32 {
        self.0 & (MAX_ROWS - 1)
    }

    /// Number of rows by which it follows another node, or `None` if it precedes that node or is of another kind.
    #[must_use]
    #[inline]
    pub fn offset_from(self, first: Self) -> Option<u32> {
        if self.0 >> 24 == first.0 >> 24 { self.0.checked_sub(first.0) } else { None }
    }

    /// This node, or `None` if it is [`Node::NONE`].
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

/// A range of rows of nodes of one kind: a group, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRange {
    /// Their kind.
    pub kind: NodeKind,
    /// Row of the first node.
    pub first: u32,
    /// Number of nodes.
    pub count: u32,
}

impl NodeRange {
    /// The nodes, in order of their rows.
    pub fn nodes(self) -> impl DoubleEndedIterator<Item = Node> + ExactSizeIterator + Clone {
        (self.first..self.first + self.count).map(move |row| Node::new(self.kind, row))
    }

    /// Whether the range includes all nodes of another range.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self.kind == other.kind
            && self.first <= other.first
            && other.first + other.count <= self.first + self.count
    }

    /// Whether two ranges have a node in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.kind == other.kind
            && self.first < other.first + other.count
            && other.first < self.first + self.count
    }

    /// Whether the range contains a node.
    #[must_use]
    pub fn contains(self, node: Node) -> bool {
        node.offset_from(Node::new(self.kind, self.first)).is_some_and(|offset| offset < self.count)
    }
}

/// Type tag for rows of the pool of requests.
#[derive(Debug)]
pub enum InPool {}

/// A request, identified by its row in the pool.
pub type RequestRow = Row<InPool>;

/// An event of the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request reaches a node.
    Deliver {
        /// The node.
        to: Node,
        /// The request.
        request: RequestRow,
    },
    /// The response to a request reaches a node on its return path.
    Respond {
        /// The node.
        to: Node,
        /// The request.
        request: RequestRow,
    },
    /// Something that a node scheduled for itself is due, such as the end of a service. The part knows what it is.
    Wake {
        /// The node.
        node: Node,
        /// The request concerned; arbitrary if there is none.
        request: RequestRow,
    },
    /// A timer of a node is due.
    Timer {
        /// The node.
        node: Node,
        /// A number below [`MAX_ROWS`] by which the part recognises the timer.
        timer: u32,
    },
    /// A request has waited for its call for as long as its node waits.
    Timeout {
        /// The request.
        request: RequestRow,
    },
    /// A cancellation reaches a node on the path of its call.
    Cancel {
        /// Its number among those that are on their way.
        cancellation: u32,
    },
    /// The transfer of a message over a link with a bandwidth ends.
    Transferred {
        /// The number of the direction of the link: see [`LineId`](crate::model::link::LineId).
        line: u32,
    },
    /// A request or its response has been lost.
    Lost {
        /// The request.
        request: RequestRow,
        /// The row of the link that has lost it, or [`NO_LINK`].
        by: u32,
    },
    /// The warm-up ends: statistics are reset.
    WarmedUp,
    /// A probe takes its samples.
    Sample {
        /// Row of the probe.
        probe: u32,
    },
    /// An interval of the timeline ends.
    Record,
    /// A change of the scenario takes effect.
    Change {
        /// Row of the change.
        row: u32,
    },
    /// A fault begins, or ends if it is in effect.
    Fault {
        /// Its row among the processes of [`Faults`](crate::model::fault::Faults).
        row: u32,
    },
    /// An autoscaler reads its gauge, or decides by what it has read.
    Scale {
        /// Its row.
        autoscaler: u32,
        /// Whether it only decides, by a value that it has read earlier.
        decides: bool,
    },
}

/// An event packed into eight bytes for the queue: 8 bits of code, 24 bits of row, 32 bits of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedEvent(u64);

/// Upper limit of rows of nodes, probes and changes, which fit into 24 bits, and of numbers of return hops.
pub const MAX_ROWS: u32 = 1 << 24;

/// In the place of the row of a link: none.
pub const NO_LINK: u32 = MAX_ROWS - 1;

/// Codes of the events that do not happen at a node.
const LOST: u64 = 0;
const WARMED_UP: u64 = 1;
const SAMPLE: u64 = 2;
const RECORD: u64 = 3;
const CHANGE: u64 = 4;
const TIMER: u64 = 5;
const TIMEOUT: u64 = 6;
const CANCEL: u64 = 7;
const FAULT: u64 = 8;
const TRANSFERRED: u64 = 9;
const SCALE: u64 = 10;

const _: () = assert!(NodeKind::COUNT < 64, "a code has six bits for the kind");

impl Event {
    /// Packs the event into eight bytes.
    #[must_use]
    #[inline]
    pub const fn pack(self) -> PackedEvent {
        const fn pack(code: u64, row: u32, request: RequestRow) -> PackedEvent {
            debug_assert!(row < MAX_ROWS, "a scenario has fewer than 2^24 probes and changes");
            PackedEvent(code << 56 | (row as u64) << 32 | request.number() as u64)
        }
        const fn at_node(class: u64, node: Node, request: RequestRow) -> PackedEvent {
            PackedEvent(class << 62 | (node.0 as u64) << 32 | request.number() as u64)
        }
        const NO_REQUEST: RequestRow = RequestRow::new(0);
        match self {
            Self::Deliver { to, request } => at_node(code::DELIVER, to, request),
            Self::Wake { node, request } => at_node(code::WAKE, node, request),
            Self::Respond { to, request } => at_node(code::RESPOND, to, request),
            Self::Lost { request, by } => pack(LOST, by, request),
            Self::WarmedUp => pack(WARMED_UP, 0, NO_REQUEST),
            Self::Sample { probe } => pack(SAMPLE, probe, NO_REQUEST),
            Self::Record => pack(RECORD, 0, NO_REQUEST),
            Self::Change { row } => pack(CHANGE, row, NO_REQUEST),
            Self::Fault { row } => pack(FAULT, row, NO_REQUEST),
            Self::Scale { autoscaler, decides } => pack(SCALE, autoscaler, RequestRow::new(decides as u32)),
            Self::Timeout { request } => pack(TIMEOUT, 0, request),
            Self::Cancel { cancellation } => pack(CANCEL, 0, RequestRow::new(cancellation)),
            Self::Transferred { line } => pack(TRANSFERRED, 0, RequestRow::new(line)),
            // The timer takes the place of the row, and the node that of the request.
            Self::Timer { node, timer } => pack(TIMER, timer, RequestRow::new(node.0)),
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

    /// The request concerned; arbitrary if there is none.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the request is the lower half")]
    pub const fn request(self) -> RequestRow {
        RequestRow::new(self.0 as u32)
    }

    /// Whether it delivers a request to a node.
    #[must_use]
    #[inline(always)]
    pub(crate) const fn is_delivery(self) -> bool {
        self.0 >> 62 == code::DELIVER
    }

    /// The code of the event.
    #[must_use]
    #[inline(always)]
    pub(crate) const fn code(self) -> u64 {
        self.0 >> 56
    }

    /// The row of the node, probe or change.
    #[must_use]
    #[inline(always)]
    pub(crate) const fn row(self) -> u32 {
        (self.0 >> 32) as u32 & (MAX_ROWS - 1)
    }

    /// Unpacks the event.
    #[must_use]
    #[inline]
    pub const fn unpack(self) -> Event {
        let (request, row) = (self.request(), self.row());
        let node = Node((self.0 << 2 >> 34) as u32);
        match self.code() >> 6 {
            code::DELIVER => Event::Deliver { to: node, request },
            code::WAKE => Event::Wake { node, request },
            code::RESPOND => Event::Respond { to: node, request },
            _ => match self.code() {
                LOST => Event::Lost { request, by: row },
                WARMED_UP => Event::WarmedUp,
                SAMPLE => Event::Sample { probe: row },
                RECORD => Event::Record,
                CHANGE => Event::Change { row },
                FAULT => Event::Fault { row },
                SCALE => Event::Scale { autoscaler: row, decides: request.number() != 0 },
                TIMEOUT => Event::Timeout { request },
                CANCEL => Event::Cancel { cancellation: request.number() },
                TRANSFERRED => Event::Transferred { line: request.number() },
                TIMER => Event::Timer { node: Node(request.number()), timer: row },
                _ => unreachable!(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_and_unpacking_returns_every_event() {
        let (row, request) = (MAX_ROWS - 1, RequestRow::new(u32::MAX - 1));
        let of_nodes = NodeKind::ALL.into_iter().flat_map(|kind| {
            let node = Node::new(kind, row);
            assert_eq!((node.kind(), node.row()), (kind, row));
            let timer = Event::Timer { node, timer: row };
            let respond = Event::Respond { to: node, request };
            [Event::Deliver { to: node, request }, Event::Wake { node, request }, respond, timer]
        });
        let others = [
            Event::Lost { request, by: row },
            Event::Lost { request, by: NO_LINK },
            Event::Timeout { request },
            Event::Cancel { cancellation: request.number() },
            Event::Transferred { line: request.number() },
            Event::WarmedUp,
            Event::Sample { probe: row },
            Event::Record,
            Event::Change { row },
            Event::Fault { row },
            Event::Scale { autoscaler: row, decides: true },
            Event::Scale { autoscaler: row, decides: false },
        ];
        for event in of_nodes.chain(others) {
            assert_eq!(event.pack().unpack(), event);
        }
    }

    #[test]
    fn a_range_contains_its_nodes_and_no_others() {
        let range = NodeRange { kind: NodeKind::Client, first: 3, count: 2 };
        let rows: Vec<u32> = range.nodes().map(Node::row).collect();
        assert_eq!(rows, [3, 4]);
        let contains = |kind, row| range.contains(Node::new(kind, row));
        assert!(contains(NodeKind::Client, 4) && !contains(NodeKind::Client, 5));
        assert!(!contains(NodeKind::Source, 3));
        assert!(!range.contains(Node::NONE));
    }
}
