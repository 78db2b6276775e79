//! The whole vocabulary of events: everything that can happen at a moment of virtual time.
//!
//! What each one leads to is decided in one place, [`simulation`](crate::simulation).

/// A node by its kind and its row among the nodes of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A source.
    Source(u32),
    /// A load balancer.
    LoadBalancer(u32),
    /// A client.
    Client(u32),
    /// A server.
    Server(u32),
}

/// A request by its row in the pool.
pub type RequestRow = u32;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The next request of a source is born.
    Arrival {
        /// Row of the source.
        source: u32,
    },
    /// A request reaches a load balancer, a client or a server on its way out.
    Deliver {
        /// The node that it reaches.
        to: Node,
        /// The request.
        request: RequestRow,
    },
    /// A server has finished its work on a request.
    Complete {
        /// Row of the server.
        server: u32,
        /// The request.
        request: RequestRow,
    },
    /// The response to a request reaches a node that awaits it.
    Respond {
        /// Number of the way home that it took.
        way: u32,
        /// The request.
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
    /// A slice of the timeline ends.
    Survey,
    /// Something changes that the scenario announced for this moment.
    Change {
        /// Row of the change.
        row: u32,
    },
}

/// An event in eight bytes, as the queue holds it: 8 bits of kind, 24 bits of row, 32 bits of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedEvent(u64);

/// Rows of nodes, probes and changes and numbers of ways home fit 24 bits.
pub const MAX_ROWS: u32 = 1 << 24;

const ARRIVAL: u64 = 0;
const TO_LOAD_BALANCER: u64 = 1;
const TO_CLIENT: u64 = 2;
const TO_SERVER: u64 = 3;
const COMPLETE: u64 = 4;
const RESPOND: u64 = 5;
const LOST: u64 = 6;
const WARMED_UP: u64 = 7;
const SAMPLE: u64 = 8;
const SURVEY: u64 = 9;
const CHANGE: u64 = 10;

impl Event {
    /// The event in eight bytes.
    ///
    /// # Panics
    /// If a request is to be delivered to a source: they send, and take only responses.
    #[must_use]
    #[inline]
    pub fn pack(self) -> PackedEvent {
        let pack = |kind: u64, row: u32, request: u32| {
            debug_assert!(row < MAX_ROWS, "a scenario has fewer than 2^24 nodes of a kind, and ways home");
            PackedEvent(kind << 56 | u64::from(row) << 32 | u64::from(request))
        };
        match self {
            Self::Arrival { source } => pack(ARRIVAL, source, 0),
            Self::Deliver { to: Node::LoadBalancer(row), request } => pack(TO_LOAD_BALANCER, row, request),
            Self::Deliver { to: Node::Client(row), request } => pack(TO_CLIENT, row, request),
            Self::Deliver { to: Node::Server(row), request } => pack(TO_SERVER, row, request),
            Self::Deliver { to: Node::Source(_), .. } => unreachable!("nothing is delivered to a source"),
            Self::Complete { server, request } => pack(COMPLETE, server, request),
            Self::Respond { way, request } => pack(RESPOND, way, request),
            Self::Lost { request } => pack(LOST, 0, request),
            Self::WarmedUp => pack(WARMED_UP, 0, 0),
            Self::Sample { probe } => pack(SAMPLE, probe, 0),
            Self::Survey => pack(SURVEY, 0, 0),
            Self::Change { row } => pack(CHANGE, row, 0),
        }
    }
}

impl PackedEvent {
    /// The same event for another request.
    #[must_use]
    #[inline]
    pub const fn of_request(self, request: RequestRow) -> Self {
        Self(self.0 >> 32 << 32 | request as u64)
    }

    /// The request that the event is about; 0 if it is about none.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the request is the lower half")]
    pub const fn request(self) -> RequestRow {
        self.0 as u32
    }

    /// The event that was packed.
    #[must_use]
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the request is the lower half, the row 24 bits of the upper"
    )]
    pub const fn unpack(self) -> Event {
        let request = self.0 as u32;
        let row = (self.0 >> 32) as u32 & (MAX_ROWS - 1);
        match self.0 >> 56 {
            ARRIVAL => Event::Arrival { source: row },
            TO_LOAD_BALANCER => Event::Deliver { to: Node::LoadBalancer(row), request },
            TO_CLIENT => Event::Deliver { to: Node::Client(row), request },
            TO_SERVER => Event::Deliver { to: Node::Server(row), request },
            COMPLETE => Event::Complete { server: row, request },
            RESPOND => Event::Respond { way: row, request },
            LOST => Event::Lost { request },
            WARMED_UP => Event::WarmedUp,
            SAMPLE => Event::Sample { probe: row },
            SURVEY => Event::Survey,
            CHANGE => Event::Change { row },
            _ => unreachable!(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_survives_packing() {
        let (row, request) = (MAX_ROWS - 1, u32::MAX);
        for event in [
            Event::Arrival { source: row },
            Event::Deliver { to: Node::LoadBalancer(row), request },
            Event::Deliver { to: Node::Client(row), request },
            Event::Deliver { to: Node::Server(row), request },
            Event::Complete { server: row, request },
            Event::Respond { way: row, request },
            Event::Lost { request },
            Event::WarmedUp,
            Event::Sample { probe: row },
            Event::Survey,
            Event::Change { row },
        ] {
            assert_eq!(event.pack().unpack(), event);
        }
    }
}
