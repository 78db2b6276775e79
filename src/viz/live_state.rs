//! The live state: locations of all requests and states of all servers, rebuilt from the trace of the simulation.
//!
//! It is exact: a request is on a link from the time it leaves to the time it arrives, in the queue of a node from
//! [`TraceEvent::Queued`] to [`TraceEvent::Started`], and in service until the service ends. The picture reads the live
//! state; the simulation does not depend on it.

use std::collections::VecDeque;

use crate::engine::time::SimTime;
use crate::event::{Node, NodeRange, PerKind, RequestRow};
use crate::model::trace::{Passage, TraceEvent, TraceRecord};
use crate::request::{Outcome, OutcomeCounts};
use crate::scenario::Scenario;
use crate::viz::log::{Log, LogLine};
use crate::viz::server_state::ServerState;
use crate::viz::tracked_request::{EndedCall, RequestLocation, TrackedCall, TrackedRequest};

/// Maximum number of instant hops kept; older ones are dropped.
const MAX_HOPS: usize = 4_096;

/// An event without duration. The picture shows it as a dot that moves or fades for a moment of real time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstantHop {
    /// Time of the event.
    pub at: SimTime,
    /// The sender.
    pub from: Node,
    /// The receiver; equal to `from` if the request failed at that node.
    pub to: Node,
    /// Source of the request.
    pub source: Node,
    /// Key of the request.
    pub key: u32,
    /// Kind of the hop.
    pub kind: HopKind,
    /// Number of earlier hops of the request at the same time.
    pub hop: u32,
}

/// Kinds of instant hops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopKind {
    /// A request passed a link without latency.
    Request,
    /// A response passed a link without latency.
    Response,
    /// A node rejected a request, or dropped it when it went down. The dot falls off the node.
    FailedAtNode,
    /// A link lost a request or a response. The dot falls off the link.
    LostOnLink,
}

/// The state of all requests and servers at the time shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveState {
    /// The requests in flight, by row.
    tracked_requests: Vec<Option<TrackedRequest>>,
    /// Number of requests and calls in flight.
    pub in_flight: usize,
    /// Number of calls, and of each outcome.
    pub calls: OutcomeCounts,
    /// The states of nodes by kind and row; `None` for nodes that hold no requests.
    server_states: PerKind<Vec<Option<ServerState>>>,
    /// Recent instant hops, the oldest first.
    pub hops: VecDeque<InstantHop>,
    /// Number of offered requests, and of each outcome.
    pub outcomes: OutcomeCounts,
    /// Recent trace records.
    pub log: Log,
}

impl LiveState {
    /// The live state at the start of a scenario.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let mut live_state = Self::default();
        for (_, spec) in scenario.specs() {
            let members = 0..spec.count().unwrap_or(1);
            let states = members.map(|member| spec.initial_capacity(member).map(ServerState::new));
            // Rows are numbered in the order of the scenario's entries.
            live_state.server_states[spec.kind()].extend(states);
        }
        live_state
    }

    /// The state of a node, or `None` if it holds no requests.
    #[must_use]
    pub fn server_state(&self, node: Node) -> Option<&ServerState> {
        self.server_states[node.kind()].get(node.row() as usize)?.as_ref()
    }

    /// The states of those of `nodes` that hold requests.
    pub fn server_states(&self, nodes: NodeRange) -> impl Iterator<Item = &ServerState> {
        nodes.nodes().filter_map(|node| self.server_state(node))
    }

    fn server_state_mut(&mut self, node: Node) -> Option<&mut ServerState> {
        self.server_states[node.kind()].get_mut(node.row() as usize)?.as_mut()
    }

    /// The request in a row of the pool, or `None` if the row is free.
    #[must_use]
    pub fn tracked_request(&self, row: RequestRow) -> Option<&TrackedRequest> {
        self.tracked_requests.get(row.index())?.as_ref()
    }

    /// All requests in flight, by row.
    pub fn tracked_requests(&self) -> impl Iterator<Item = &TrackedRequest> {
        self.tracked_requests.iter().flatten()
    }

    /// Applies trace records. Returns the time of the first failure among them, or `None` if no request failed.
    pub fn apply(&mut self, records: &[TraceRecord]) -> Option<SimTime> {
        let mut first_failure = None;
        for record in records {
            if first_failure.is_none()
                && matches!(record.event, TraceEvent::Over { outcome } if outcome.is_failure())
            {
                first_failure = Some(record.at);
            }
            self.apply_record(record);
        }
        first_failure
    }

    /// Logs a record, with the key of its request, and with the node where the request is or to which it is sent.
    fn log_record(&mut self, record: &TraceRecord) {
        let tracked_request = self.tracked_request(record.request);
        let (key, node) = match record.event {
            TraceEvent::Created { source, key } => (Some(key), Some(source)),
            TraceEvent::CallCreated { caller, key, .. } => (Some(key), Some(caller)),
            TraceEvent::Sent { to, .. } | TraceEvent::ResponseSent { to, .. } => (None, Some(to)),
            TraceEvent::Queued { node }
            | TraceEvent::Entered { node, .. }
            | TraceEvent::Waits { node, .. }
            | TraceEvent::Started { node, .. }
            | TraceEvent::Called { node, .. }
            | TraceEvent::GaveUp { node }
            | TraceEvent::Served { node }
            | TraceEvent::Rejected { node } => (None, Some(node)),
            TraceEvent::Over { .. } => (None, tracked_request.map(TrackedRequest::node)),
            // This event has no request.
            TraceEvent::NodeCapacity { node, .. } => (Some(0), Some(node)),
        };
        let key = key.or_else(|| tracked_request.map(|tracked_request| tracked_request.key));
        if let (Some(key), Some(node)) = (key, node) {
            let TraceRecord { at, request, event } = *record;
            self.log.push(LogLine { at, request, key, event, node });
        }
    }

    fn apply_record(&mut self, record: &TraceRecord) {
        self.log_record(record);
        let TraceRecord { at, request: row, event } = *record;
        match event {
            TraceEvent::Created { source, key } => self.create(at, row, source, source, key, None),
            TraceEvent::CallCreated { caller, parent, key } => {
                // A call has the colour of the source of its request.
                let source = self.tracked_request(parent).map_or(caller, |parent| parent.source);
                self.create(at, row, source, caller, key, Some(parent));
            }
            TraceEvent::Sent { to, passage } => self.leave(at, row, to, passage, false),
            TraceEvent::ResponseSent { to, passage } => self.leave(at, row, to, passage, true),
            TraceEvent::Queued { node } => {
                // It has a slot if its service was interrupted.
                self.free_slots(row);
                self.reach(at, row, node, RequestLocation::Waiting(node));
                if let Some(server_state) = self.server_state_mut(node) {
                    server_state.queue.push_back(row);
                }
            }
            TraceEvent::Entered { node, slots } => {
                if let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) {
                    tracked_request.slots = slots;
                }
                self.block(at, row, node, None);
            }
            TraceEvent::Waits { node, resource } => self.block(at, row, node, Some(resource)),
            TraceEvent::Started { node, done } => self.start(at, row, node, done),
            TraceEvent::Called { node, .. } => {
                if let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index())
                    && let Some(slot) = tracked_request.location.slot()
                {
                    tracked_request.location = RequestLocation::Calling { node, slot, since: at };
                }
            }
            // It leaves its slot, or takes its next step, in the same instant.
            TraceEvent::GaveUp { .. } => {}
            TraceEvent::Served { node } => {
                self.free_slots(row);
                self.reach(at, row, node, RequestLocation::At(node));
            }
            TraceEvent::Rejected { node } => {
                // It may have waited before it was shed.
                if let Some(server_state) = self.server_state_mut(node) {
                    server_state.leave_queue(row);
                }
                self.reach(at, row, node, RequestLocation::At(node));
                if let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) {
                    tracked_request.rejected = true;
                }
                self.push_hop(at, row, node, node, HopKind::FailedAtNode);
            }
            TraceEvent::NodeCapacity { node, holds } => {
                if let Some(server_state) = self.server_state_mut(node) {
                    server_state.set_capacity(holds);
                }
            }
            TraceEvent::Over { outcome } => self.end(at, row, outcome),
        }
    }

    fn create(
        &mut self,
        at: SimTime,
        row: RequestRow,
        source: Node,
        node: Node,
        key: u32,
        parent: Option<RequestRow>,
    ) {
        if self.tracked_requests.len() <= row.index() {
            self.tracked_requests.resize(row.index() + 1, None);
        }
        self.tracked_requests[row.index()] = Some(TrackedRequest {
            row,
            source,
            key,
            created: at,
            slots: 1,
            location: RequestLocation::At(node),
            rejected: false,
            hops: (at, 0),
            path: vec![(at, node)],
            parent,
            calls: Vec::new(),
        });
        self.in_flight += 1;
        let Some(parent) = parent else {
            self.outcomes.offered += 1;
            return;
        };
        self.calls.offered += 1;
        if let Some(Some(parent)) = self.tracked_requests.get_mut(parent.index()) {
            parent.calls.push(TrackedCall::InFlight(row));
        }
    }

    fn leave(&mut self, at: SimTime, row: RequestRow, to: Node, passage: Passage, is_response: bool) {
        let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) else { return };
        let from = match tracked_request.location {
            // Its transfer has ended: it has not left its link.
            RequestLocation::Between { from, passage: Passage::Transferred, .. } => from,
            RequestLocation::At(_)
            | RequestLocation::Waiting(_)
            | RequestLocation::Served { .. }
            | RequestLocation::Blocked { .. }
            | RequestLocation::Calling { .. }
            | RequestLocation::Between { .. } => tracked_request.node(),
        };
        tracked_request.location = RequestLocation::Between { from, to, left: at, passage, is_response };
        if passage == Passage::Arrives(at) {
            let kind = if is_response { HopKind::Response } else { HopKind::Request };
            tracked_request.location = RequestLocation::At(to);
            tracked_request.path.push((at, to));
            self.push_hop(at, row, from, to, kind);
        } else if passage == Passage::Lost {
            self.push_hop(at, row, from, to, HopKind::LostOnLink);
        }
    }

    /// The first slot of a request at a node: one that it has, or the first free one, which it takes, with as many more as
    /// it needs. `None` for a branch, which has no slot of its own.
    fn slot(&mut self, row: RequestRow, node: Node) -> Option<usize> {
        let tracked_request = self.tracked_request(row)?;
        if tracked_request.is_branch() {
            return None;
        }
        if let Some(slot) = tracked_request.location.slot() {
            return Some(slot);
        }
        let slots = tracked_request.slots;
        let was_waiting = matches!(tracked_request.location, RequestLocation::Waiting(_));
        let server_state = self.server_state_mut(node)?;
        if was_waiting {
            server_state.leave_queue(row);
        }
        Some(server_state.occupy_slots(row, slots))
    }

    fn block(&mut self, at: SimTime, row: RequestRow, node: Node, resource: Option<u16>) {
        if let Some(slot) = self.slot(row, node) {
            self.reach(at, row, node, RequestLocation::Blocked { node, slot, resource, since: at });
        }
    }

    fn start(&mut self, at: SimTime, row: RequestRow, node: Node, done: SimTime) {
        if let Some(slot) = self.slot(row, node) {
            self.reach(at, row, node, RequestLocation::Served { node, slot, since: at, done });
        }
    }

    /// Ends a request. If it was dropped because its node went down, it leaves its slot or the queue.
    fn end(&mut self, at: SimTime, row: RequestRow, outcome: Outcome) {
        match self.tracked_request(row).map(|tracked_request| tracked_request.location) {
            Some(RequestLocation::Waiting(node)) => {
                if let Some(server_state) = self.server_state_mut(node) {
                    server_state.leave_queue(row);
                }
                self.push_hop(at, row, node, node, HopKind::FailedAtNode);
            }
            Some(
                RequestLocation::Served { node, .. }
                | RequestLocation::Blocked { node, .. }
                | RequestLocation::Calling { node, .. },
            ) => {
                self.free_slots(row);
                self.push_hop(at, row, node, node, HopKind::FailedAtNode);
            }
            Some(RequestLocation::At(_) | RequestLocation::Between { .. }) | None => {}
        }
        let Some(ended) = self.tracked_requests.get_mut(row.index()).and_then(Option::take) else { return };
        self.in_flight -= 1;
        let Some(parent) = ended.parent else {
            self.outcomes.count(outcome);
            return;
        };
        self.calls.count(outcome);
        // The row of a parent that has ended may hold another request, which then has no such call.
        if let Some(Some(parent)) = self.tracked_requests.get_mut(parent.index())
            && let Some(call) = parent.calls.iter_mut().find(|call| **call == TrackedCall::InFlight(row))
        {
            *call = TrackedCall::Over(Box::new(EndedCall { ended: (at, outcome), call: ended }));
        }
    }

    /// Sets the location of a request that has reached `node`, and extends its path.
    fn reach(&mut self, at: SimTime, row: RequestRow, node: Node, location: RequestLocation) {
        if let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) {
            if tracked_request.path.last().is_none_or(|(_, last)| *last != node) {
                tracked_request.path.push((at, node));
            }
            tracked_request.location = location;
        }
    }

    fn free_slots(&mut self, row: RequestRow) {
        let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) else { return };
        let node = tracked_request.node();
        let slots = std::mem::replace(&mut tracked_request.slots, 1);
        if let Some(slot) = tracked_request.location.slot()
            && let Some(server_state) = self.server_state_mut(node)
        {
            server_state.free_slots(row, slots, slot);
        }
    }

    fn push_hop(&mut self, at: SimTime, row: RequestRow, from: Node, to: Node, kind: HopKind) {
        let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) else { return };
        let (source, key) = (tracked_request.source, tracked_request.key);
        let hop = if tracked_request.hops.0 == at { tracked_request.hops.1 } else { 0 };
        tracked_request.hops = (at, hop + 1);
        if self.hops.len() == MAX_HOPS {
            self.hops.pop_front();
        }
        self.hops.push_back(InstantHop { at, from, to, source, key, kind, hop });
    }

    /// Drops the hops before a time.
    pub fn drop_hops_before(&mut self, time: SimTime) {
        while self.hops.front().is_some_and(|hop| hop.at < time) {
            self.hops.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
