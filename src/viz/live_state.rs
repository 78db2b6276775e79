//! The live state: locations of all requests and states of all servers, rebuilt from the trace of the simulation.
//!
//! It is exact: a request is on a link from the time it leaves to the time it arrives, in the queue of a node from
//! [`TraceEvent::Queued`] to [`TraceEvent::Started`], and in service until the service ends. The picture reads the live
//! state; the simulation does not depend on it.

use std::collections::VecDeque;

use crate::engine::time::SimTime;
use crate::event::{Node, NodeRange, PerKind, RequestRow};
use crate::model::trace::{TraceEvent, TraceRecord};
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
            TraceEvent::Sent { to, arrives } => self.leave(at, row, to, arrives, false),
            TraceEvent::ResponseSent { to, arrives } => self.leave(at, row, to, arrives, true),
            TraceEvent::Queued { node } => {
                self.reach(at, row, node, RequestLocation::Waiting(node));
                if let Some(server_state) = self.server_state_mut(node) {
                    server_state.queue.push_back(row);
                }
            }
            TraceEvent::Started { node, done } => self.start(at, row, node, done),
            TraceEvent::Called { node, .. } => {
                if let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index())
                    && let Some(slot) = tracked_request.location.slot()
                {
                    tracked_request.location = RequestLocation::Calling { node, slot, since: at };
                }
            }
            // It leaves its slot in the same instant.
            TraceEvent::GaveUp { .. } => {}
            TraceEvent::Served { node } => {
                self.free_slot(row);
                self.reach(at, row, node, RequestLocation::At(node));
            }
            TraceEvent::Rejected { node } => {
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

    fn leave(&mut self, at: SimTime, row: RequestRow, to: Node, arrives: Option<SimTime>, is_response: bool) {
        let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) else { return };
        let from = tracked_request.node();
        tracked_request.location = RequestLocation::Between { from, to, left: at, arrives, is_response };
        if arrives == Some(at) {
            let kind = if is_response { HopKind::Response } else { HopKind::Request };
            tracked_request.location = RequestLocation::At(to);
            tracked_request.path.push((at, to));
            self.push_hop(at, row, from, to, kind);
        } else if arrives.is_none() {
            self.push_hop(at, row, from, to, HopKind::LostOnLink);
        }
    }

    fn start(&mut self, at: SimTime, row: RequestRow, node: Node, done: SimTime) {
        let was_waiting = matches!(
            self.tracked_request(row),
            Some(TrackedRequest { location: RequestLocation::Waiting(_), .. })
        );
        let slot = self.server_state_mut(node).map_or(0, |server_state| {
            if was_waiting {
                server_state.leave_queue(row);
            }
            server_state.occupy_slot(row)
        });
        self.reach(at, row, node, RequestLocation::Served { node, slot, since: at, done });
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
            Some(RequestLocation::Served { node, .. } | RequestLocation::Calling { node, .. }) => {
                self.free_slot(row);
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

    fn free_slot(&mut self, row: RequestRow) {
        let Some(Some(tracked_request)) = self.tracked_requests.get(row.index()) else { return };
        if let RequestLocation::Served { node, slot, .. } | RequestLocation::Calling { node, slot, .. } =
            tracked_request.location
            && let Some(server_state) = self.server_state_mut(node)
        {
            server_state.free_slot(slot);
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
mod tests {
    use super::*;
    use crate::model::node_state::NodeState;
    use crate::model::queueing::WaitQueue;
    use crate::model::server::{InFlight, ServerConfig};
    use crate::scenario::{DEFAULT_SCENARIO, load};
    use crate::simulation::{RunOptions, Simulation};
    use crate::viz::session::moment;

    /// Runs the built-in scenario with changes, and with probes that sample each server ten times a second. Asserts
    /// that the live state has the same values, and calls `inspect` with the time and the states of the servers.
    fn compare_with_probes(changes: &str, mut inspect: impl FnMut(f64, [&ServerState; 3])) -> LiveState {
        let probes = "probes=[(of: \"server\", gauges: [QueueDepth, InFlight], every: \"100ms\")]";
        let overrides = [probes.to_owned(), format!("changes=[{changes}]")];
        let loaded = load("test.ron", DEFAULT_SCENARIO.1.as_bytes(), &overrides);
        let scenario = loaded.unwrap_or_else(|error| panic!("{error}")).scenario;
        let servers = scenario.names().range("server").expect("the node exists");
        let mut simulation =
            Simulation::new(&scenario, RunOptions::default()).expect("the scenario is valid");
        simulation.enable_tracing();
        let (mut live_state, mut seen) = (LiveState::of(&scenario), vec![Vec::new(); 6]);
        for tenth in 0..=650 {
            let now = SimTime::from_nanos(tenth * 100_000_000);
            simulation.advance(now, u64::MAX);
            live_state.apply(&simulation.take_trace());
            let server_states: Vec<&ServerState> = live_state.server_states(servers).collect();
            for (number, server_state) in server_states.iter().enumerate() {
                assert_eq!(server_state.slots.iter().flatten().count(), server_state.in_service as usize);
                seen[2 * number].push((now, server_state.queue.len() as f64));
                seen[2 * number + 1].push((now, f64::from(server_state.in_service)));
            }
            assert_eq!(live_state.tracked_requests().count(), live_state.in_flight);
            inspect(now.as_seconds(), server_states.try_into().expect("there are three servers"));
        }
        let probed = simulation.finish().expect("all requests are accounted for").series;
        assert_eq!(probed.len(), seen.len());
        for (probed, seen) in probed.into_iter().zip(seen) {
            assert_eq!(probed.samples, seen, "{} of {}", probed.name(), probed.node);
        }
        live_state
    }

    #[test]
    fn the_live_state_equals_the_simulation_at_all_times() {
        let live_state = compare_with_probes("", |_, server_states| {
            for server_state in server_states {
                assert_eq!(
                    (server_state.slots.len(), server_state.active_slots, server_state.queue_capacity),
                    (10, 10, Some(100))
                );
            }
        });
        assert_eq!((live_state.outcomes.offered, live_state.in_flight), (3_950, 0));
        let ended: Vec<u64> = live_state.outcomes.iter().map(|(_, count)| count).collect();
        assert_eq!(ended, [3_824, 126, 0, 0, 0, 0]);
    }

    /// Runs a scenario with calls, in which callers and callees go down, with these calls of the callers. Asserts that the
    /// live state equals the simulation.
    fn compare_with_calls(calls: &str) -> LiveState {
        let changes = r#"changes=[(at: "20s", of: "database", set: Service(Exponential(mean: "500ms"))),
            (at: "25s", of: "database", set: Down), (at: "25.5s", of: "database", set: Up),
            (at: "30s", of: "api-1", set: Down), (at: "31s", of: "api-1", set: Up)]"#;
        let text = include_str!("../../scenarios/slow_dependency.ron");
        let overrides = [changes.to_owned(), format!("nodes.api.call={calls}")];
        let loaded = load("test.ron", text.as_bytes(), &overrides);
        let scenario = loaded.unwrap_or_else(|error| panic!("{error}")).scenario;
        let names = scenario.names();
        let mut simulation =
            Simulation::new(&scenario, RunOptions::default()).expect("the scenario is valid");
        simulation.enable_tracing();
        let mut live_state = LiveState::of(&scenario);
        let (mut calling, mut most_calls) = (0, 0);
        for step in 1..=450_u64 {
            simulation.advance(SimTime::from_nanos(step * 200_000_000), u64::MAX);
            live_state.apply(&simulation.take_trace());
            assert_eq!(live_state.tracked_requests().count(), live_state.in_flight);
            let world = simulation.world();
            let mut levels = world.try_query::<(&InFlight, &WaitQueue)>().expect("there are servers");
            let servers = names.nodes().filter(|node| live_state.server_state(*node).is_some());
            for (node, (in_flight, queue)) in servers.zip(levels.iter(world)) {
                let server_state = live_state.server_state(node).expect("it holds requests");
                let holds =
                    |request: &&TrackedRequest| request.location.slot().is_some() && request.node() == node;
                let in_slots = live_state.tracked_requests().filter(holds).count();
                assert_eq!(server_state.in_service as usize, in_slots, "{} at {step}", names.name_of(node));
                let shown = (server_state.in_service as usize, server_state.queue.len());
                let expected = (in_flight.level.level() as usize, queue.depth.level() as usize);
                assert_eq!(shown, expected, "{} at {step}", names.name_of(node));
            }
            for request in live_state.tracked_requests() {
                calling += usize::from(matches!(request.location, RequestLocation::Calling { .. }));
                most_calls = most_calls.max(request.calls.len());
            }
        }
        assert!(calling > 1_000 && most_calls > 0, "{calling} requests waited for calls");
        let result = simulation.finish().expect("all requests are accounted for");
        assert_eq!(result.calls, Some(live_state.calls));
        assert_eq!(result.sources[0].outcomes, live_state.outcomes);
        assert!(live_state.outcomes.of(Outcome::Failed) > 0 && live_state.in_flight == 0);
        live_state
    }

    #[test]
    fn the_live_state_equals_the_simulation_with_calls() {
        compare_with_calls(r#"["database", (to: "audit log", wait: false)]"#);
    }

    #[test]
    fn the_live_state_equals_the_simulation_with_calls_that_are_cancelled() {
        let calls = r#"[(to: "database", timeout: "300ms", cancel: true), (to: "audit log", wait: false)]"#;
        assert!(compare_with_calls(calls).calls.of(Outcome::TimedOut) > 100);
    }

    /// The same with changes of slots and of queues, and with a server that goes down with requests in it.
    #[test]
    fn the_live_state_equals_the_simulation_while_nodes_change() {
        let changes = r#"(at: "20.01s", of: "server-2", set: Down), (at: "24s", of: "server-2", set: Up),
            (at: "12s", of: "server", set: Concurrency(2)), (at: "15s", of: "server", set: Concurrency(5)),
            (at: "13s", of: "server-0", set: Queue(Fifo(capacity: 7))),
            (at: "22s", of: "server-2", set: Concurrency(12))"#;
        let live_state = compare_with_probes(changes, |now, [first, _, last]| {
            let since = |seconds: f64| now >= seconds - 1e-9;
            let common = if since(15.0) { 5 } else { [10, 2][usize::from(since(12.0))] };
            assert_eq!(
                (first.active_slots, first.queue_capacity),
                (common, Some([100, 7][usize::from(since(13.0))]))
            );
            let (is_down, is_back) = (since(20.01) && !since(24.0), since(24.0));
            let expected = if is_back { 12 } else { [common, 0][usize::from(is_down)] };
            assert_eq!((last.active_slots, last.is_down()), (expected, is_down), "at {now} s");
            assert!(last.slots.len() >= last.active_slots as usize);
        });
        assert!(live_state.outcomes.of(Outcome::Dropped) > 0 && live_state.in_flight == 0);
    }

    /// The states of servers in groups that grow and shrink, with outages meanwhile.
    #[test]
    fn servers_come_and_go_as_in_the_simulation() {
        let text = r#"(name: "x", run_until: "30s",
            sources: {"s": (arrivals: Poisson(rate: "60/s"), to: "n")},
            nodes: {"n": LoadBalancer(policy: Random, to: "m"), "m": Server(count: 2, max: 6, concurrency: 2,
                boot: Exponential(mean: "1s"), service: Exponential(mean: "80ms"))},
            changes: [(at: "5s", of: "m", set: Count(6)), (at: "5.5s", of: "m-4", set: Down),
                (at: "9s", of: "m", set: Count(1)), (at: "9s", of: "m-1", set: Down),
                (at: "15s", of: "m", set: Count(0)), (at: "16s", of: "m", set: Count(5)),
                (at: "20s", of: "m", set: Pause), (at: "21s", of: "m", set: Count(2)), (at: "25s", of: "m", set: Resume)])"#;
        let scenario = load("test.ron", text.as_bytes(), &[]).expect("the scenario is valid").scenario;
        let servers = scenario.names().range("m").expect("the group exists");
        let mut simulation =
            Simulation::new(&scenario, RunOptions::default()).expect("the scenario is valid");
        simulation.enable_tracing();
        let mut live_state = LiveState::of(&scenario);
        let mut seen = Vec::new();
        for step in 1..=300 {
            simulation.advance(moment(f64::from(step) / 10.0), u64::MAX);
            live_state.apply(&simulation.take_trace());
            let world = simulation.world();
            let mut configs = world.try_query::<(&ServerConfig, &InFlight)>().expect("there are servers");
            for ((config, in_flight), node) in configs.iter(world).zip(servers.nodes()) {
                let server_state = live_state.server_state(node).expect("a server has a state");
                let expected = (config.state, in_flight.concurrency, in_flight.level.level());
                let shown = (server_state.state, server_state.active_slots, server_state.in_service);
                assert_eq!(shown, expected, "{node:?} at {step}");
                seen.push(config.state);
            }
        }
        let all =
            [NodeState::Absent, NodeState::Booting, NodeState::Up, NodeState::Draining, NodeState::Down];
        assert!(all.iter().all(|state| seen.contains(state)));
    }

    #[test]
    fn a_message_is_on_its_link_until_it_arrives() {
        let text = r#"(name: "x", run_until: "1s", sources: {"s": (arrivals: Constant(rate: "2/s"), to: "a")},
            nodes: {"a": Server(service: Constant("100ms"))},
            links: [(from: "s", to: "a", latency: Constant("30ms"))])"#;
        let scenario = load("test.ron", text.as_bytes(), &[]).expect("the scenario is valid").scenario;
        let mut simulation =
            Simulation::new(&scenario, RunOptions::default()).expect("the scenario is valid");
        simulation.enable_tracing();
        let mut live_state = LiveState::of(&scenario);
        let at = |millis: u64| SimTime::from_nanos(millis * 1_000_000);
        let mut locations_at = |millis| {
            simulation.advance(at(millis), u64::MAX);
            live_state.apply(&simulation.take_trace());
            live_state.tracked_requests().map(|tracked_request| tracked_request.location).collect::<Vec<_>>()
        };
        let names = scenario.names();
        let [source, server] = ["s", "a"].map(|name| names.node_named(name).expect("the node exists"));
        let on_link = |from, to, left, arrives, is_response| RequestLocation::Between {
            from,
            to,
            left: at(left),
            arrives: Some(at(arrives)),
            is_response,
        };
        assert_eq!(locations_at(510), [on_link(source, server, 500, 530, false)]);
        let served = RequestLocation::Served { node: server, slot: 0, since: at(530), done: at(630) };
        assert_eq!(locations_at(600), [served]);
        assert_eq!(locations_at(640), [on_link(server, source, 630, 660, true)]);
        assert_eq!(locations_at(700), []);
    }

    /// Requests are known for the first slots only, but the number of busy slots for all.
    #[test]
    fn a_server_with_very_many_slots_is_full_when_all_are_busy() {
        let text = r#"(name: "x", run_until: "9s", sources: {"s": (arrivals: Constant(rate: "1000/s"), to: "a")},
            nodes: {"a": Server(concurrency: 3000, service: Constant("20s"))})"#;
        let scenario = load("test.ron", text.as_bytes(), &[]).expect("the scenario is valid").scenario;
        let node = scenario.names().node_named("a").expect("the node exists");
        let mut simulation =
            Simulation::new(&scenario, RunOptions::default()).expect("the scenario is valid");
        simulation.enable_tracing();
        let mut live_state = LiveState::of(&scenario);
        let mut state_at = |seconds| {
            simulation.advance(moment(seconds), u64::MAX);
            live_state.apply(&simulation.take_trace());
            let server_state = live_state.server_state(node).expect("a server holds requests");
            (
                server_state.in_service,
                server_state.shown_slots(),
                server_state.is_full(),
                server_state.queue.len(),
            )
        };
        assert_eq!(state_at(2.0), (2_000, 3_000, false, 0));
        assert_eq!(state_at(4.0), (3_000, 3_000, true, 1_000));
    }
}
