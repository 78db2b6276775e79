//! Who is where: the requests under way, rebuilt from the steps that the simulation writes down.
//!
//! Nothing is guessed: a request is on a link from the moment when it left until the moment when it arrives, waits in the
//! line that the server keeps, and is served until the server is done. The picture reads this, the simulation does not
//! know of it.

use std::collections::VecDeque;

use crate::engine::time::SimTime;
use crate::event::{Node, RequestRow};
use crate::model::witness::{Step, What};
use crate::request::Outcome;
use crate::viz::log::{Entry, Log};

/// Passages that took no time, and ends, are remembered for the picture; of more than so many the oldest are forgotten.
const MOST_TRACES: usize = 4_096;
/// Of a server with more slots only so many are shown.
const MOST_SLOTS: u32 = 1_024;

/// A request that is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Traveller {
    /// The place that it has in the pool.
    pub row: RequestRow,
    /// Row of its source.
    pub source: u32,
    /// Its key.
    pub key: u32,
    /// When it was born.
    pub born: SimTime,
    /// Where it is.
    pub whereabouts: Whereabouts,
    /// Whether a server turned it away: its response says so.
    pub rejected: bool,
    /// Passages that it made in no time, and when the last one was.
    hops: (SimTime, u32),
    /// Where it has been, for the inspector: nodes with the times at which it reached or left them.
    pub journey: Vec<(SimTime, Node)>,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Whereabouts {
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
    /// In the queue of a server.
    Waiting(u32),
    /// Being served.
    Served {
        /// Row of the server.
        server: u32,
        /// Which of the server's slots.
        slot: usize,
        /// When that began.
        since: SimTime,
        /// When it will be over.
        done: SimTime,
    },
}

/// Something that has happened in no time and would not be seen: the picture lets it fade.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Passage {
    /// When.
    pub at: SimTime,
    /// From where.
    pub from: Node,
    /// To where.
    pub to: Node,
    /// The request's source and key.
    pub source: u32,
    /// See `source`.
    pub key: u32,
    /// What it is: on its way out, on its way home, or turned away.
    pub kind: PassageKind,
    /// How many passages the same request had made in the same instant.
    pub hop: u32,
}

/// What a passage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassageKind {
    /// A request on its way out.
    Out,
    /// A response on its way home.
    Home,
    /// A request that a server turned away, or lost when it went down: it falls off there.
    TurnedAway,
    /// A message that a link lost: it falls off on the way.
    Lost,
}

/// A server as the stage knows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desk {
    /// Who waits, in order.
    pub line: VecDeque<RequestRow>,
    /// Who is served, by slot. Slots beyond those that the server offers are still taken.
    pub slots: Vec<Option<RequestRow>>,
    /// How many slots the server offers; none while it is down.
    pub offered: usize,
}

impl Desk {
    /// Whether the server is down.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.offered == 0
    }

    /// Whether every slot is taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.slots.len() >= self.offered && self.slots.iter().all(Option::is_some)
    }

    /// An empty desk with these slots.
    fn new(offered: u32) -> Self {
        let mut desk = Self::default();
        desk.offer(offered);
        desk
    }

    /// The server offers so many slots from now on.
    fn offer(&mut self, offered: u32) {
        self.offered = offered.min(MOST_SLOTS) as usize;
        if self.slots.len() < self.offered {
            self.slots.resize(self.offered, None);
        }
        self.take_away();
    }

    /// A slot becomes free.
    fn free(&mut self, slot: usize) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = None;
        }
        self.take_away();
    }

    /// Free slots that are not offered any more go, from the last one.
    fn take_away(&mut self) {
        while self.slots.len() > self.offered && self.slots.last() == Some(&None) {
            self.slots.pop();
        }
    }
}

/// The stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stage {
    /// The requests under way, by their place in the pool.
    travellers: Vec<Option<Traveller>>,
    /// How many there are.
    pub under_way: usize,
    /// The servers, by row.
    pub desks: Vec<Desk>,
    /// What has just happened in no time.
    pub passages: VecDeque<Passage>,
    /// How many came to each end, in the order of [`Outcome::ALL`].
    pub ended: [u64; 5],
    /// How many were born.
    pub born: u64,
    /// What has happened lately, step by step.
    pub log: Log,
}

impl Stage {
    /// An empty stage with these numbers of slots.
    #[must_use]
    pub fn new(slots: impl IntoIterator<Item = u32>) -> Self {
        Self { desks: slots.into_iter().map(Desk::new).collect(), ..Self::default() }
    }

    /// The request in a place of the pool.
    #[must_use]
    pub fn traveller(&self, row: RequestRow) -> Option<&Traveller> {
        self.travellers.get(row as usize)?.as_ref()
    }

    /// All requests under way, by their places in the pool.
    pub fn travellers(&self) -> impl Iterator<Item = &Traveller> {
        self.travellers.iter().flatten()
    }

    /// Takes in what has happened. Tells when the first request failed among it, if one did.
    pub fn apply(&mut self, steps: &[Step]) -> Option<SimTime> {
        let mut failed = None;
        for step in steps {
            if failed.is_none()
                && matches!(step.what, What::Over { outcome } if outcome != Outcome::Completed)
            {
                failed = Some(step.at);
            }
            self.step(step);
        }
        failed
    }

    /// Writes a step into the log: with the key of its request, and the node where it is or that it leaves for.
    fn note(&mut self, step: &Step) {
        let traveller = self.traveller(step.request);
        let (key, node) = match step.what {
            What::Born { source, key } => (Some(key), Some(Node::Source(source))),
            What::Sent { to, .. } | What::Answered { to, .. } => (None, Some(to)),
            What::Queued { server }
            | What::Started { server, .. }
            | What::Served { server }
            | What::Rejected { server } => (None, Some(Node::Server(server))),
            What::Over { .. } => (None, traveller.map(Traveller::node)),
            // No request's doing.
            What::Slots { server, .. } => (Some(0), Some(Node::Server(server))),
        };
        let key = key.or_else(|| traveller.map(|traveller| traveller.key));
        if let (Some(key), Some(node)) = (key, node) {
            self.log.write(Entry { at: step.at, request: step.request, key, what: step.what, node });
        }
    }

    fn step(&mut self, step: &Step) {
        self.note(step);
        let Step { at, request: row, what } = *step;
        match what {
            What::Born { source, key } => self.birth(at, row, source, key),
            What::Sent { to, arrives } => self.leave(at, row, to, arrives, false),
            What::Answered { to, arrives } => self.leave(at, row, to, arrives, true),
            What::Queued { server } => {
                self.reach(at, row, Node::Server(server), Whereabouts::Waiting(server));
                self.desks[server as usize].line.push_back(row);
            }
            What::Started { server, done } => self.start(at, row, server, done),
            What::Served { server } => {
                self.free_slot(row);
                self.reach(at, row, Node::Server(server), Whereabouts::At(Node::Server(server)));
            }
            What::Rejected { server } => {
                self.reach(at, row, Node::Server(server), Whereabouts::At(Node::Server(server)));
                if let Some(Some(traveller)) = self.travellers.get_mut(row as usize) {
                    traveller.rejected = true;
                }
                self.trace(at, row, Node::Server(server), Node::Server(server), PassageKind::TurnedAway);
            }
            What::Slots { server, slots } => self.desks[server as usize].offer(slots),
            What::Over { outcome } => self.end(at, row, outcome),
        }
    }

    fn birth(&mut self, at: SimTime, row: RequestRow, source: u32, key: u32) {
        if self.travellers.len() <= row as usize {
            self.travellers.resize(row as usize + 1, None);
        }
        let node = Node::Source(source);
        self.travellers[row as usize] = Some(Traveller {
            row,
            source,
            key,
            born: at,
            whereabouts: Whereabouts::At(node),
            rejected: false,
            hops: (at, 0),
            journey: vec![(at, node)],
        });
        self.under_way += 1;
        self.born += 1;
    }

    fn leave(&mut self, at: SimTime, row: RequestRow, to: Node, arrives: Option<SimTime>, home: bool) {
        let Some(Some(traveller)) = self.travellers.get_mut(row as usize) else { return };
        let from = traveller.node();
        traveller.whereabouts = Whereabouts::Between { from, to, left: at, arrives, home };
        if arrives == Some(at) {
            let kind = if home { PassageKind::Home } else { PassageKind::Out };
            traveller.whereabouts = Whereabouts::At(to);
            traveller.journey.push((at, to));
            self.trace(at, row, from, to, kind);
        } else if arrives.is_none() {
            self.trace(at, row, from, to, PassageKind::Lost);
        }
    }

    fn start(&mut self, at: SimTime, row: RequestRow, server: u32, done: SimTime) {
        let desk = &mut self.desks[server as usize];
        if desk.line.front() == Some(&row) {
            desk.line.pop_front();
        }
        let free = desk.slots.iter().position(Option::is_none);
        let slot = free.unwrap_or(desk.slots.len());
        if let Some(place) = desk.slots.get_mut(slot) {
            *place = Some(row);
        }
        self.reach(at, row, Node::Server(server), Whereabouts::Served { server, slot, since: at, done });
    }

    /// A request is over, wherever it is: one that is lost with its server leaves its slot or its place in the line.
    fn end(&mut self, at: SimTime, row: RequestRow, outcome: Outcome) {
        match self.traveller(row).map(|traveller| traveller.whereabouts) {
            Some(Whereabouts::Waiting(server)) => {
                // Those who wait are lost in order.
                let line = &mut self.desks[server as usize].line;
                if line.front() == Some(&row) {
                    line.pop_front();
                } else {
                    line.retain(|other| *other != row);
                }
                self.trace(at, row, Node::Server(server), Node::Server(server), PassageKind::TurnedAway);
            }
            Some(Whereabouts::Served { server, .. }) => {
                self.free_slot(row);
                self.trace(at, row, Node::Server(server), Node::Server(server), PassageKind::TurnedAway);
            }
            Some(Whereabouts::At(_) | Whereabouts::Between { .. }) | None => {}
        }
        if let Some(Some(_)) = self.travellers.get(row as usize) {
            self.travellers[row as usize] = None;
            self.under_way -= 1;
        }
        self.ended[outcome as usize] += 1;
    }

    /// The request is somewhere else now; it was on its way there.
    fn reach(&mut self, at: SimTime, row: RequestRow, node: Node, whereabouts: Whereabouts) {
        if let Some(Some(traveller)) = self.travellers.get_mut(row as usize) {
            if traveller.journey.last().is_none_or(|(_, last)| *last != node) {
                traveller.journey.push((at, node));
            }
            traveller.whereabouts = whereabouts;
        }
    }

    fn free_slot(&mut self, row: RequestRow) {
        let Some(Some(traveller)) = self.travellers.get(row as usize) else { return };
        if let Whereabouts::Served { server, slot, .. } = traveller.whereabouts {
            self.desks[server as usize].free(slot);
        }
    }

    fn trace(&mut self, at: SimTime, row: RequestRow, from: Node, to: Node, kind: PassageKind) {
        let Some(Some(traveller)) = self.travellers.get_mut(row as usize) else { return };
        let (source, key) = (traveller.source, traveller.key);
        let hop = if traveller.hops.0 == at { traveller.hops.1 } else { 0 };
        traveller.hops = (at, hop + 1);
        if self.passages.len() == MOST_TRACES {
            self.passages.pop_front();
        }
        self.passages.push_back(Passage { at, from, to, source, key, kind, hop });
    }

    /// Forgets passages from before a time.
    pub fn forget_before(&mut self, time: SimTime) {
        while self.passages.front().is_some_and(|passage| passage.at < time) {
            self.passages.pop_front();
        }
    }
}

impl Traveller {
    /// The node at which it is or was last.
    #[must_use]
    pub const fn node(&self) -> Node {
        match self.whereabouts {
            Whereabouts::At(node) => node,
            Whereabouts::Between { to, .. } => to,
            Whereabouts::Waiting(server) | Whereabouts::Served { server, .. } => Node::Server(server),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimDuration;
    use crate::model::server::{InFlight, Setup, WaitQueue};
    use crate::scenario::{DEFAULT_SCENARIO, load};
    use crate::simulation::{RunOptions, Simulation};

    /// At any moment the stage shows just what the simulation holds.
    #[test]
    fn the_stage_is_the_simulation_at_every_moment() {
        let text = DEFAULT_SCENARIO.1;
        let scenario = load("test.ron", text.as_bytes(), &[]).expect("a scenario").scenario;
        let mut simulation = Simulation::new(&scenario, RunOptions::default()).expect("it is good");
        simulation.watch();
        let mut stage = Stage::new([10, 10, 10]);
        for tenth in 1..=650 {
            let now = SimTime::ZERO + SimDuration::from_nanos(tenth * 100_000_000);
            simulation.advance(now, u64::MAX);
            stage.apply(&simulation.steps());
            let world = simulation.world();
            let mut servers = world.try_query::<(&InFlight, &WaitQueue)>().expect("there are servers");
            for (desk, (in_flight, queue)) in stage.desks.iter().zip(servers.iter(world)) {
                assert_eq!(desk.line.len(), queue.depth.level() as usize);
                assert_eq!(desk.slots.iter().flatten().count(), in_flight.level.level() as usize);
            }
        }
        assert_eq!((stage.born, stage.under_way), (3_950, 0));
        assert_eq!(stage.ended, [3_824, 126, 0, 0, 0]);
    }

    /// The same while slots come and go, and servers go down with all that they have.
    #[test]
    fn the_stage_is_the_simulation_while_servers_change() {
        let changes = "changes=[(at: \"20.01s\", of: \"server-2\", set: Down), (at: \"24s\", of: \"server-2\", set: Up), \
            (at: \"12s\", of: \"server\", set: Concurrency(2)), (at: \"15s\", of: \"server\", set: Concurrency(5)), \
            (at: \"22s\", of: \"server-2\", set: Concurrency(12))]";
        let loaded =
            load("test.ron", DEFAULT_SCENARIO.1.as_bytes(), &[changes.to_owned()]).expect("a scenario");
        let mut simulation = Simulation::new(&loaded.scenario, RunOptions::default()).expect("it is good");
        simulation.watch();
        let mut stage = Stage::new([10, 10, 10]);
        for tenth in 1..=650 {
            simulation.advance(SimTime::ZERO + SimDuration::from_nanos(tenth * 100_000_000), u64::MAX);
            stage.apply(&simulation.steps());
            let world = simulation.world();
            let mut servers =
                world.try_query::<(&InFlight, &WaitQueue, &Setup)>().expect("there are servers");
            for (desk, (in_flight, queue, setup)) in stage.desks.iter().zip(servers.iter(world)) {
                assert_eq!(desk.line.len(), queue.depth.level() as usize);
                assert_eq!(desk.slots.iter().flatten().count(), in_flight.level.level() as usize);
                assert_eq!(desk.offered, in_flight.concurrency as usize);
                assert_eq!(desk.offered == 0, setup.is_down());
                assert!(desk.slots.len() >= desk.offered);
            }
            assert_eq!(stage.travellers().count(), stage.under_way);
        }
        assert!(stage.ended[Outcome::Dropped as usize] > 0 && stage.under_way == 0);
    }

    #[test]
    fn a_message_is_between_two_nodes_while_it_travels() {
        let text = r#"(name: "x", run_until: "1s", sources: {"s": (arrivals: Constant(rate: "2/s"), to: "a")},
            nodes: {"a": Server(service: Constant("100ms"))},
            links: [(from: "s", to: "a", latency: Constant("30ms"))])"#;
        let scenario = load("test.ron", text.as_bytes(), &[]).expect("a scenario").scenario;
        let mut simulation = Simulation::new(&scenario, RunOptions::default()).expect("it is good");
        simulation.watch();
        let mut stage = Stage::new([1]);
        let at = |millis: u64| SimTime::from_nanos(millis * 1_000_000);
        let mut look = |millis| {
            simulation.advance(at(millis), u64::MAX);
            stage.apply(&simulation.steps());
            stage.travellers().map(|traveller| traveller.whereabouts).collect::<Vec<_>>()
        };
        let (source, server) = (Node::Source(0), Node::Server(0));
        let way = |from, to, left, arrives, home| Whereabouts::Between {
            from,
            to,
            left: at(left),
            arrives: Some(at(arrives)),
            home,
        };
        assert_eq!(look(510), [way(source, server, 500, 530, false)]);
        let served = Whereabouts::Served { server: 0, slot: 0, since: at(530), done: at(630) };
        assert_eq!(look(600), [served]);
        assert_eq!(look(640), [way(server, source, 630, 660, true)]);
        assert_eq!(look(700), []);
    }
}
