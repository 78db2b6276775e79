//! The state of a node that can go down, or that comes and goes as its group grows and shrinks.

/// The state of a node.
///
/// A node of a group that grows is absent, then booting, then up. When the group shrinks, the node drains: it gets no
/// further requests, completes those that it has, and is absent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NodeState {
    /// The node is not there.
    Absent,
    /// The node starts. It takes no requests yet.
    Booting,
    /// The node takes requests.
    #[default]
    Up,
    /// The node is no longer a target, and leaves when it has completed its requests. Requests that still reach it, which
    /// were sent to it before, are among them.
    Draining,
    /// The node has failed. It is there, but takes no requests.
    Down,
}

impl NodeState {
    /// Whether a node in this state serves the requests that reach it.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::Up | Self::Draining)
    }

    /// Whether a node in this state is a target of the nodes that route to its group. They learn of a node that joins or
    /// leaves, but not of one that is down.
    #[must_use]
    pub const fn is_target(self) -> bool {
        matches!(self, Self::Up | Self::Down)
    }

    /// Whether a node in this state counts as a member of its group: it is there, or will be, and is not about to leave.
    #[must_use]
    pub const fn is_member(self) -> bool {
        matches!(self, Self::Booting | Self::Up | Self::Down)
    }

    /// Its name in texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Booting => "booting",
            Self::Up => "up",
            Self::Draining => "draining",
            Self::Down => "down",
        }
    }
}
