//! The baseline: a hand-written loop for the models of the benchmark, over a slab and a choice of queue.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::hint::black_box;

use rushhour::engine::distribution::ziggurat;
use rushhour::engine::queue::{EventQueue, LaneId};
use rushhour::engine::random::{Draw, RandomStream, Streams};
use rushhour::engine::statistics::{Tally, TimeWeighted};
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::metrics::summary::DurationStats;

use crate::Model;

/// A queue of 8-byte events.
pub(crate) trait Queue {
    fn new(link: u64) -> Self;
    fn push(&mut self, at: SimTime, event: u64);
    /// Schedules an event after the delay of a link.
    fn push_link(&mut self, now: SimTime, event: u64);
    fn pop(&mut self) -> Option<(SimTime, u64)>;
}

/// The standard choice: `BinaryHeap`, ordered by time and sequence number.
pub(crate) struct HeapQueue {
    heap: BinaryHeap<Reverse<(SimTime, u64, u64)>>,
    next: u64,
    link: SimDuration,
}

impl Queue for HeapQueue {
    fn new(link: u64) -> Self {
        Self { heap: BinaryHeap::new(), next: 0, link: SimDuration::from_nanos(link) }
    }

    #[inline]
    fn push(&mut self, at: SimTime, event: u64) {
        self.next += 1;
        self.heap.push(Reverse((at, self.next, event)));
    }

    #[inline]
    fn push_link(&mut self, now: SimTime, event: u64) {
        self.push(now + self.link, event);
    }

    #[inline]
    fn pop(&mut self) -> Option<(SimTime, u64)> {
        self.heap.pop().map(|Reverse((at, _, event))| (at, event))
    }
}

/// The simulator's own queue, with a lane for the links.
pub(crate) struct LaneQueue {
    queue: EventQueue<u64>,
    lane: LaneId,
}

impl Queue for LaneQueue {
    fn new(link: u64) -> Self {
        let mut queue = EventQueue::default();
        let lane = queue.lane(SimDuration::from_nanos(link)).expect("the first lane");
        Self { queue, lane }
    }

    #[inline]
    fn push(&mut self, at: SimTime, event: u64) {
        self.queue.schedule(at, event);
    }

    #[inline]
    fn push_link(&mut self, _now: SimTime, event: u64) {
        self.queue.schedule_in(self.lane, event);
    }

    #[inline]
    fn pop(&mut self) -> Option<(SimTime, u64)> {
        self.queue.pop_until(SimTime::MAX)
    }
}

const ARRIVE: u64 = 0;
const AT_BALANCER: u64 = 1;
const AT_SERVER: u64 = 2;
const DONE: u64 = 3;
const BACK_AT_BALANCER: u64 = 4;
const BACK_AT_SOURCE: u64 = 5;

#[derive(Clone, Copy)]
struct Request {
    created: SimTime,
    /// The time at which it began to wait, or its service began.
    since: SimTime,
    server: u32,
}

struct Server {
    in_service: TimeWeighted,
    depth: TimeWeighted,
    queue: VecDeque<u32>,
    stream: RandomStream,
    wait: Tally,
    service: Tally,
}

/// A source, an optional load balancer with random policy and links, and servers with unbounded queues.
pub(crate) struct PlainLoop<'a, Q> {
    model: &'a Model,
    queue: Q,
    requests: Vec<Request>,
    free: Vec<u32>,
    servers: Vec<Server>,
    arrivals: RandomStream,
    policy: RandomStream,
    offered: u64,
    clock: f64,
    latency: Tally,
}

const fn event(kind: u64, request: u32) -> u64 {
    kind << 32 | request as u64
}

impl<'a, Q: Queue> PlainLoop<'a, Q> {
    pub(crate) fn new(model: &'a Model) -> Self {
        let streams = Streams::new(7, 0);
        let server = |i| Server {
            in_service: TimeWeighted::default(),
            depth: TimeWeighted::default(),
            queue: VecDeque::new(),
            stream: streams.stream(&format!("server-{i}"), "service"),
            wait: Tally::default(),
            service: Tally::default(),
        };
        Self {
            model,
            queue: Q::new(model.link.unwrap_or(1)),
            requests: Vec::new(),
            free: Vec::new(),
            servers: (0..model.servers).map(server).collect(),
            arrivals: streams.stream("source", "arrivals"),
            policy: streams.stream("balancer", "policy"),
            offered: 0,
            clock: 0.0,
            latency: Tally::default(),
        }
    }

    pub(crate) fn run(&mut self) {
        self.schedule_arrival();
        while let Some((now, event)) = self.queue.pop() {
            let request = event as u32;
            match event >> 32 {
                ARRIVE => self.arrive(now),
                AT_BALANCER => {
                    let server = self.policy.index(self.servers.len());
                    self.requests[request as usize].server = server as u32;
                    self.queue.push_link(now, self::event(AT_SERVER, request));
                }
                AT_SERVER => self.at_server(now, request),
                DONE => self.done(now, request),
                BACK_AT_BALANCER => self.queue.push_link(now, self::event(BACK_AT_SOURCE, request)),
                _ => self.finish(now, request),
            }
        }
    }

    /// Computes the figures of each server, of all servers and of the source, and returns the latter.
    pub(crate) fn summary(&self) -> DurationStats {
        let (mut wait, mut service) = (Tally::default(), Tally::default());
        for server in &self.servers {
            wait.merge(&server.wait);
            service.merge(&server.service);
            black_box((DurationStats::of(&server.wait), DurationStats::of(&server.service)));
        }
        black_box((DurationStats::of(&wait), DurationStats::of(&service)));
        DurationStats::of(&self.latency)
    }

    fn schedule_arrival(&mut self) {
        if self.offered < self.model.requests {
            self.clock += ziggurat::exponential(&mut self.arrivals) * (1e9 / self.model.rate);
            self.queue.push(SimTime::from_nanos((self.clock + 0.5) as u64), event(ARRIVE, 0));
        }
    }

    #[inline]
    fn arrive(&mut self, now: SimTime) {
        self.offered += 1;
        self.schedule_arrival();
        let request = Request { created: now, since: now, server: 0 };
        let row = self.free.pop().unwrap_or_else(|| {
            self.requests.push(request);
            self.requests.len() as u32 - 1
        });
        self.requests[row as usize] = request;
        if self.model.link.is_some() {
            self.queue.push_link(now, event(AT_BALANCER, row));
        } else {
            self.at_server(now, row);
        }
    }

    #[inline]
    fn at_server(&mut self, now: SimTime, request: u32) {
        let server = self.requests[request as usize].server as usize;
        if self.servers[server].in_service.level() < self.model.concurrency {
            self.start(now, request, SimDuration::ZERO);
        } else {
            self.requests[request as usize].since = now;
            self.servers[server].depth.increment(now);
            self.servers[server].queue.push_back(request);
        }
    }

    #[inline]
    fn start(&mut self, now: SimTime, request: u32, wait: SimDuration) {
        let started = &mut self.requests[request as usize];
        started.since = now;
        let server = &mut self.servers[started.server as usize];
        server.in_service.increment(now);
        server.wait.record(wait.as_nanos());
        let time = ziggurat::exponential(&mut server.stream) * self.model.service;
        self.queue.push(now + SimDuration::from_nanos_f64(time), event(DONE, request));
    }

    #[inline]
    fn done(&mut self, now: SimTime, request: u32) {
        let done = self.requests[request as usize];
        let server = &mut self.servers[done.server as usize];
        server.in_service.decrement(now);
        server.service.record(now.since(done.since).as_nanos());
        if let Some(next) = server.queue.pop_front() {
            server.depth.decrement(now);
            let wait = now.since(self.requests[next as usize].since);
            self.start(now, next, wait);
        }
        if self.model.link.is_some() {
            self.queue.push_link(now, event(BACK_AT_BALANCER, request));
        } else {
            self.finish(now, request);
        }
    }

    #[inline]
    fn finish(&mut self, now: SimTime, request: u32) {
        self.latency.record(now.since(self.requests[request as usize].created).as_nanos());
        self.free.push(request);
    }
}
