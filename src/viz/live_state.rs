//! Who is where: the requests under way, rebuilt from the steps that the simulation records.
//!
//! Nothing is guessed: a request is on a link from the moment when it left until the moment when it arrives, waits in the
//! line that a node keeps, and is served until the node is done. The picture reads this, the simulation does not know of it.

use std::collections::VecDeque;

use crate::engine::time::SimTime;
use crate::event::{Node, NodeRange, PerKind, RequestRow};
use crate::model::trace::{TraceEvent, TraceRecord};
use crate::request::{Outcome, OutcomeCounts};
use crate::scenario::Scenario;
use crate::viz::log::{Log, LogLine};
use crate::viz::server_state::ServerState;

/// Passages that took no time, and ends, are remembered for the picture; of more than so many the oldest are forgotten.
const MAX_TRACES: usize = 4_096;

/// A request that is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackedRequest {
    /// The place that it has in the pool.
    pub row: RequestRow,
    /// Its source.
    pub source: Node,
    /// Its key.
    pub key: u32,
    /// When it was born.
    pub born: SimTime,
    /// Where it is.
    pub location: RequestLocation,
    /// Whether a node turned it away: its response says so.
    pub rejected: bool,
    /// Passages that it made in no time, and when the last one was.
    hops: (SimTime, u32),
    /// Where it has been, for the inspector: nodes with the times at which it reached or left them.
    pub journey: Vec<(SimTime, Node)>,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RequestLocation {
    /// At a node, between two moments.
    At(Node),
    /// On its way.
    Between {
        /// The node that it left.
        from: Node,
        /// The node that it will reach.
        to: Node,
        /// When it left.
        left: SimTime,
        /// When it arrives; nothing if it is lost.
        arrives: Option<SimTime>,
        /// Whether it is on its way home.
        home: bool,
    },
    /// In the queue of a node.
    Waiting(Node),
    /// Being served.
    Served {
        /// The node that serves it.
        node: Node,
        /// Which of the node's slots.
        slot: usize,
        /// When that began.
        since: SimTime,
        /// When it will be over.
        done: SimTime,
    },
}

/// Something that has happened in no time and would not be seen: the picture lets it fade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InstantHop {
    /// When.
    pub at: SimTime,
    /// From where.
    pub from: Node,
    /// To where.
    pub to: Node,
    /// The request's source and key.
    pub source: Node,
    /// See `source`.
    pub key: u32,
    /// What it is: on its way out, on its way home, or turned away.
    pub kind: HopKind,
    /// How many hops the same request had made in the same instant.
    pub hop: u32,
}

/// What a hop is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HopKind {
    /// A request on its way out.
    Out,
    /// A response on its way home.
    Home,
    /// A request that a node turned away, or lost when it went down: it falls off there.
    TurnedAway,
    /// A message that a link lost: it falls off on the way.
    Lost,
}

/// The live state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveState {
    /// The requests under way, by their place in the pool.
    tracked_requests: Vec<Option<TrackedRequest>>,
    /// How many there are.
    pub under_way: usize,
    /// The nodes that hold requests, by kind and row.
    server_states: PerKind<Vec<Option<ServerState>>>,
    /// What has just happened in no time.
    pub hops: VecDeque<InstantHop>,
    /// How many requests were created, and how many came to each end.
    pub outcomes: OutcomeCounts,
    /// What has happened lately, step by step.
    pub log: Log,
}

impl LiveState {
    /// The live state of a scenario, before anything has happened.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let mut live_state = Self::default();
        for (_, spec) in scenario.specs() {
            let server_state = spec.holds().map(ServerState::new);
            // Rows are counted as entries are written.
            live_state.server_states[spec.kind()]
                .extend(vec![server_state; spec.count().unwrap_or(1) as usize]);
        }
        live_state
    }

    /// A node that holds requests; nothing if it is none.
    #[must_use]
    pub fn server_state(&self, node: Node) -> Option<&ServerState> {
        self.server_states[node.kind()].get(node.row() as usize)?.as_ref()
    }

    /// Those of some nodes that hold requests.
    pub fn server_states(&self, nodes: NodeRange) -> impl Iterator<Item = &ServerState> {
        nodes.nodes().filter_map(|node| self.server_state(node))
    }

    fn server_state_mut(&mut self, node: Node) -> Option<&mut ServerState> {
        self.server_states[node.kind()].get_mut(node.row() as usize)?.as_mut()
    }

    /// The request in a place of the pool.
    #[must_use]
    pub fn tracked_request(&self, row: RequestRow) -> Option<&TrackedRequest> {
        self.tracked_requests.get(row.index())?.as_ref()
    }

    /// All requests under way, by their places in the pool.
    pub fn tracked_requests(&self) -> impl Iterator<Item = &TrackedRequest> {
        self.tracked_requests.iter().flatten()
    }

    /// Takes in what has happened. Tells when the first request failed among it, if one did.
    pub fn apply(&mut self, records: &[TraceRecord]) -> Option<SimTime> {
        let mut failed = None;
        for record in records {
            if failed.is_none()
                && matches!(record.event, TraceEvent::Over { outcome } if outcome.is_failure())
            {
                failed = Some(record.at);
            }
            self.step(record);
        }
        failed
    }

    /// Writes a step into the log: with the key of its request, and the node where it is or that it leaves for.
    fn note(&mut self, record: &TraceRecord) {
        let tracked_request = self.tracked_request(record.request);
        let (key, node) = match record.event {
            TraceEvent::Created { source, key } => (Some(key), Some(source)),
            TraceEvent::Sent { to, .. } | TraceEvent::ResponseSent { to, .. } => (None, Some(to)),
            TraceEvent::Queued { node }
            | TraceEvent::Started { node, .. }
            | TraceEvent::Served { node }
            | TraceEvent::Rejected { node } => (None, Some(node)),
            TraceEvent::Over { .. } => (None, tracked_request.map(TrackedRequest::node)),
            // No request's doing.
            TraceEvent::NodeCapacity { node, .. } => (Some(0), Some(node)),
        };
        let key = key.or_else(|| tracked_request.map(|tracked_request| tracked_request.key));
        if let (Some(key), Some(node)) = (key, node) {
            let TraceRecord { at, request, event } = *record;
            self.log.write(Entry { at, request, key, event, node });
        }
    }

    fn step(&mut self, record: &TraceRecord) {
        self.note(record);
        let TraceRecord { at, request: row, event } = *record;
        match event {
            TraceEvent::Created { source, key } => self.create(at, row, source, key),
            TraceEvent::Sent { to, arrives } => self.leave(at, row, to, arrives, false),
            TraceEvent::ResponseSent { to, arrives } => self.leave(at, row, to, arrives, true),
            TraceEvent::Queued { node } => {
                self.reach(at, row, node, RequestLocation::Waiting(node));
                if let Some(server_state) = self.server_state_mut(node) {
                    server_state.line.push_back(row);
                }
            }
            TraceEvent::Started { node, done } => self.start(at, row, node, done),
            TraceEvent::Served { node } => {
                self.free_slot(row);
                self.reach(at, row, node, RequestLocation::At(node));
            }
            TraceEvent::Rejected { node } => {
                self.reach(at, row, node, RequestLocation::At(node));
                if let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) {
                    tracked_request.rejected = true;
                }
                self.pass(at, row, node, node, HopKind::TurnedAway);
            }
            TraceEvent::NodeCapacity { node, holds } => {
                if let Some(server_state) = self.server_state_mut(node) {
                    server_state.hold(holds);
                }
            }
            TraceEvent::Over { outcome } => self.end(at, row, outcome),
        }
    }

    fn create(&mut self, at: SimTime, row: RequestRow, source: Node, key: u32) {
        if self.tracked_requests.len() <= row.index() {
            self.tracked_requests.resize(row.index() + 1, None);
        }
        self.tracked_requests[row.index()] = Some(TrackedRequest {
            row,
            source,
            key,
            born: at,
            location: RequestLocation::At(source),
            rejected: false,
            hops: (at, 0),
            journey: vec![(at, source)],
        });
        self.under_way += 1;
        self.outcomes.offered += 1;
    }

    fn leave(&mut self, at: SimTime, row: RequestRow, to: Node, arrives: Option<SimTime>, home: bool) {
        let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) else { return };
        let from = tracked_request.node();
        tracked_request.location = RequestLocation::Between { from, to, left: at, arrives, home };
        if arrives == Some(at) {
            let kind = if home { HopKind::Home } else { HopKind::Out };
            tracked_request.location = RequestLocation::At(to);
            tracked_request.journey.push((at, to));
            self.pass(at, row, from, to, kind);
        } else if arrives.is_none() {
            self.pass(at, row, from, to, HopKind::Lost);
        }
    }

    fn start(&mut self, at: SimTime, row: RequestRow, node: Node, done: SimTime) {
        let waits = matches!(
            self.tracked_request(row),
            Some(TrackedRequest { location: RequestLocation::Waiting(_), .. })
        );
        let slot = self.server_state_mut(node).map_or(0, |server_state| {
            if waits {
                server_state.leave_line(row);
            }
            server_state.take(row)
        });
        self.reach(at, row, node, RequestLocation::Served { node, slot, since: at, done });
    }

    /// A request is over, wherever it is: one that is lost with its node leaves its slot or its place in the line.
    fn end(&mut self, at: SimTime, row: RequestRow, outcome: Outcome) {
        match self.tracked_request(row).map(|tracked_request| tracked_request.location) {
            Some(RequestLocation::Waiting(node)) => {
                if let Some(server_state) = self.server_state_mut(node) {
                    server_state.leave_line(row);
                }
                self.pass(at, row, node, node, HopKind::TurnedAway);
            }
            Some(RequestLocation::Served { node, .. }) => {
                self.free_slot(row);
                self.pass(at, row, node, node, HopKind::TurnedAway);
            }
            Some(RequestLocation::At(_) | RequestLocation::Between { .. }) | None => {}
        }
        if let Some(Some(_)) = self.tracked_requests.get(row.index()) {
            self.tracked_requests[row.index()] = None;
            self.under_way -= 1;
        }
        self.outcomes.count(outcome);
    }

    /// The request is somewhere else now; it was on its way there.
    fn reach(&mut self, at: SimTime, row: RequestRow, node: Node, location: RequestLocation) {
        if let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) {
            if tracked_request.journey.last().is_none_or(|(_, last)| *last != node) {
                tracked_request.journey.push((at, node));
            }
            tracked_request.location = location;
        }
    }

    fn free_slot(&mut self, row: RequestRow) {
        let Some(Some(tracked_request)) = self.tracked_requests.get(row.index()) else { return };
        if let RequestLocation::Served { node, slot, .. } = tracked_request.location
            && let Some(server_state) = self.server_state_mut(node)
        {
            server_state.free(slot);
        }
    }

    fn pass(&mut self, at: SimTime, row: RequestRow, from: Node, to: Node, kind: HopKind) {
        let Some(Some(tracked_request)) = self.tracked_requests.get_mut(row.index()) else { return };
        let (source, key) = (tracked_request.source, tracked_request.key);
        let hop = if tracked_request.hops.0 == at { tracked_request.hops.1 } else { 0 };
        tracked_request.hops = (at, hop + 1);
        if self.hops.len() == MAX_TRACES {
            self.hops.pop_front();
        }
        self.hops.push_back(InstantHop { at, from, to, source, key, kind, hop });
    }

    /// Forgets hops from before a time.
    pub fn forget_before(&mut self, time: SimTime) {
        while self.hops.front().is_some_and(|hop| hop.at < time) {
            self.hops.pop_front();
        }
    }
}

impl TrackedRequest {
    /// The node at which it is or was last.
    #[must_use]
    pub const fn node(&self) -> Node {
        match self.location {
            RequestLocation::At(node)
            | RequestLocation::Between { to: node, .. }
            | RequestLocation::Waiting(node)
            | RequestLocation::Served { node, .. } => node,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{DEFAULT_SCENARIO, load};
    use crate::simulation::{RunOptions, Simulation};
    use crate::viz::session::moment;

    /// Two probes look at each server ten times a second: at every such moment the live state shows just what they read. Then
    /// it is looked at.
    fn followed(changes: &str, mut look: impl FnMut(f64, [&ServerState; 3])) -> LiveState {
        let probes = "probes=[(of: \"server\", gauges: [QueueDepth, InFlight], every: \"100ms\")]";
        let overrides = [probes.to_owned(), format!("changes=[{changes}]")];
        let loaded = load("test.ron", DEFAULT_SCENARIO.1.as_bytes(), &overrides);
        let scenario = loaded.unwrap_or_else(|wrong| panic!("{wrong}")).scenario;
        let servers = scenario.names().range("server").expect("it is there");
        let mut simulation = Simulation::new(&scenario, RunOptions::default()).expect("it is good");
        simulation.enable_tracing();
        let (mut live_state, mut seen) = (LiveState::of(&scenario), vec![Vec::new(); 6]);
        for tenth in 0..=650 {
            let now = SimTime::from_nanos(tenth * 100_000_000);
            simulation.advance(now, u64::MAX);
            live_state.apply(&simulation.take_trace());
            let server_states: Vec<&ServerState> = live_state.server_states(servers).collect();
            for (number, server_state) in server_states.iter().enumerate() {
                assert_eq!(server_state.slots.iter().flatten().count(), server_state.in_service as usize);
                seen[2 * number].push((now, server_state.line.len() as f64));
                seen[2 * number + 1].push((now, f64::from(server_state.in_service)));
            }
            assert_eq!(live_state.tracked_requests().count(), live_state.under_way);
            look(now.as_seconds(), server_states.try_into().expect("there are three"));
        }
        let probed = simulation.finish().expect("nothing is lost track of").series;
        assert_eq!(probed.len(), seen.len());
        for (probed, seen) in probed.into_iter().zip(seen) {
            assert_eq!(probed.samples, seen, "{} of {}", probed.name(), probed.node);
        }
        live_state
    }

    /// At any moment the live state shows just what the simulation holds.
    #[test]
    fn the_live_state_is_the_simulation_at_every_moment() {
        let live_state = followed("", |_, server_states| {
            for server_state in server_states {
                assert_eq!(
                    (server_state.slots.len(), server_state.active_slots, server_state.may_wait),
                    (10, 10, Some(100))
                );
            }
        });
        assert_eq!((live_state.outcomes.offered, live_state.under_way), (3_950, 0));
        let ended: Vec<u64> = live_state.outcomes.iter().map(|(_, count)| count).collect();
        assert_eq!(ended, [3_824, 126, 0, 0, 0]);
    }

    /// The same while slots come and go, and servers go down with all that they have.
    #[test]
    fn the_live_state_is_the_simulation_while_nodes_change() {
        let changes = r#"(at: "20.01s", of: "server-2", set: Down), (at: "24s", of: "server-2", set: Up),
            (at: "12s", of: "server", set: Concurrency(2)), (at: "15s", of: "server", set: Concurrency(5)),
            (at: "13s", of: "server-0", set: Queue(Fifo(capacity: 7))),
            (at: "22s", of: "server-2", set: Concurrency(12))"#;
        let live_state = followed(changes, |now, [first, _, last]| {
            let since = |moment: f64| now >= moment - 1e-9;
            let common = if since(15.0) { 5 } else { [10, 2][usize::from(since(12.0))] };
            assert_eq!(
                (first.active_slots, first.may_wait),
                (common, Some([100, 7][usize::from(since(13.0))]))
            );
            let (is_down, is_back) = (since(20.01) && !since(24.0), since(24.0));
            let expected = if is_back { 12 } else { [common, 0][usize::from(is_down)] };
            assert_eq!((last.active_slots, last.is_down()), (expected, is_down), "at {now} s");
            assert!(last.slots.len() >= last.active_slots as usize);
        });
        assert!(live_state.outcomes.of(Outcome::Dropped) > 0 && live_state.under_way == 0);
    }

    #[test]
    fn a_message_is_between_two_nodes_while_it_travels() {
        let text = r#"(name: "x", run_until: "1s", sources: {"s": (arrivals: Constant(rate: "2/s"), to: "a")},
            nodes: {"a": Server(service: Constant("100ms"))},
            links: [(from: "s", to: "a", latency: Constant("30ms"))])"#;
        let scenario = load("test.ron", text.as_bytes(), &[]).expect("a scenario").scenario;
        let mut simulation = Simulation::new(&scenario, RunOptions::default()).expect("it is good");
        simulation.enable_tracing();
        let mut live_state = LiveState::of(&scenario);
        let at = |millis: u64| SimTime::from_nanos(millis * 1_000_000);
        let mut look = |millis| {
            simulation.advance(at(millis), u64::MAX);
            live_state.apply(&simulation.take_trace());
            live_state.tracked_requests().map(|tracked_request| tracked_request.location).collect::<Vec<_>>()
        };
        let names = scenario.names();
        let [source, server] = ["s", "a"].map(|name| names.node_named(name).expect("it is there"));
        let way = |from, to, left, arrives, home| RequestLocation::Between {
            from,
            to,
            left: at(left),
            arrives: Some(at(arrives)),
            home,
        };
        assert_eq!(look(510), [way(source, server, 500, 530, false)]);
        let served = RequestLocation::Served { node: server, slot: 0, since: at(530), done: at(630) };
        assert_eq!(look(600), [served]);
        assert_eq!(look(640), [way(server, source, 630, 660, true)]);
        assert_eq!(look(700), []);
    }

    /// Who is in each of the first slots is known, and of all others how many are taken.
    #[test]
    fn a_node_of_very_many_slots_is_full_when_all_are_taken() {
        let text = r#"(name: "x", run_until: "9s", sources: {"s": (arrivals: Constant(rate: "1000/s"), to: "a")},
            nodes: {"a": Server(concurrency: 3000, service: Constant("20s"))})"#;
        let scenario = load("test.ron", text.as_bytes(), &[]).expect("a scenario").scenario;
        let node = scenario.names().node_named("a").expect("it is there");
        let mut simulation = Simulation::new(&scenario, RunOptions::default()).expect("it is good");
        simulation.enable_tracing();
        let mut live_state = LiveState::of(&scenario);
        let mut look = |seconds| {
            simulation.advance(moment(seconds), u64::MAX);
            live_state.apply(&simulation.take_trace());
            let server_state = live_state.server_state(node).expect("it holds requests");
            (
                server_state.in_service,
                server_state.seen_slots(),
                server_state.is_full(),
                server_state.line.len(),
            )
        };
        assert_eq!(look(2.0), (2_000, 3_000, false, 0));
        assert_eq!(look(4.0), (3_000, 3_000, true, 1_000));
    }
}
