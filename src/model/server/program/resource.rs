//! A resource of a server that the steps of requests use: its cores, its memory, or the places of a pool.
//!
//! Requests wait for it in the order in which they came. One that needs more than is free holds back those behind it,
//! so that it is served at last.

use std::collections::VecDeque;

use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;
use crate::request::{ReportedLoad, RequestsView};

/// A resource, and the requests that wait for it.
#[derive(Clone, Debug)]
pub(in crate::model::server) struct Resource {
    /// How much there is: a number of cores, of bytes, or of places.
    pub(in crate::model::server) capacity: u64,
    /// How much is in use, over time.
    pub(in crate::model::server) used: TimeWeighted<u64>,
    /// Number of requests that wait for it, over time.
    pub(in crate::model::server) waiting: TimeWeighted,
    /// How long requests waited for it; 0 for those that did not wait.
    pub(in crate::model::server) wait: Tally,
    /// How much was taken in all.
    taken: u128,
    /// The requests that wait, and those that ended while they waited, which are skipped.
    queue: VecDeque<Waiter>,
}

/// A request that waits for a resource.
#[derive(Clone, Copy, Debug)]
struct Waiter {
    request: RequestRow,
    /// The number of the request: another one may use its row by now.
    number: u32,
    /// How much it needs.
    amount: u64,
}

impl Resource {
    /// A resource of which nothing is in use.
    pub(super) fn new(capacity: u64) -> Self {
        Self {
            capacity,
            used: TimeWeighted::default(),
            waiting: TimeWeighted::default(),
            wait: Tally::default(),
            taken: 0,
            queue: VecDeque::new(),
        }
    }

    /// Takes an amount, if it is free and nobody waits. Returns whether it did.
    #[inline]
    pub(super) fn try_take(&mut self, now: SimTime, amount: u64) -> bool {
        let is_free = !self.is_awaited() && self.has(amount);
        if is_free {
            self.take(now, amount);
            self.wait.record_zero();
        }
        is_free
    }

    fn take(&mut self, now: SimTime, amount: u64) {
        self.used.add(now, amount);
        self.taken += u128::from(amount);
    }

    /// How many requests can use it at the same time: the capacity by the mean amount.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn parallel(&self) -> f64 {
        let amount = self.taken as f64 / self.wait.count().max(1) as f64;
        self.capacity as f64 / amount.max(1.0)
    }

    /// The share that is in use.
    #[expect(clippy::cast_precision_loss, reason = "billionths are precise enough")]
    pub(super) fn load(&self) -> ReportedLoad {
        ReportedLoad::from_share(self.used.level() as f64 / self.capacity as f64).min(ReportedLoad::FULL)
    }

    fn has(&self, amount: u64) -> bool {
        self.capacity.saturating_sub(self.used.level()) >= amount
    }

    /// Whether requests wait for it.
    #[inline]
    pub(super) fn is_awaited(&self) -> bool {
        self.waiting.level() > 0
    }

    /// Lets a request wait for an amount.
    pub(super) fn wait(
        &mut self,
        requests: &RequestsView<'_>,
        now: SimTime,
        request: RequestRow,
        amount: u64,
    ) {
        self.waiting.increment(now);
        self.queue.push_back(Waiter { request, number: requests.get(request).number, amount });
    }

    /// Gives an amount back.
    #[inline]
    pub(super) fn give_back(&mut self, now: SimTime, amount: u64) {
        self.used.subtract(now, amount);
    }

    /// Gives the next request what it waits for, if there is enough. Returns the request.
    #[inline]
    pub(super) fn grant(&mut self, requests: &RequestsView<'_>, now: SimTime) -> Option<RequestRow> {
        if !self.is_awaited() {
            return None;
        }
        while let Some(&Waiter { request, number, amount }) = self.queue.front() {
            let is_there = requests.get(request).is_in_flight() && requests.get(request).number == number;
            if is_there && !self.has(amount) {
                return None;
            }
            self.queue.pop_front();
            if is_there {
                self.take(now, amount);
                self.waiting.decrement(now);
                return Some(request);
            }
        }
        None
    }

    /// Lets a request that ends leave the queue. Its place there is skipped later.
    pub(super) fn leave(&mut self, now: SimTime) {
        self.waiting.decrement(now);
        if !self.is_awaited() {
            self.queue.clear();
        }
    }

    /// Lets a number of requests share it equally, each at most one unit. Returns the share of a unit that each gets.
    pub(super) fn share(&mut self, now: SimTime, requests: usize) -> f64 {
        let requests = requests as u64;
        let used = requests.min(self.capacity);
        self.used.set(now, used);
        self.waiting.set(now, u32::try_from(requests - used).unwrap_or(u32::MAX));
        used as f64 / requests.max(1) as f64
    }

    /// Notes that a request has used its share, and for how long it has lost it to others.
    pub(super) fn record_share(&mut self, lost: SimDuration) {
        self.taken += 1;
        self.wait.record(lost.as_nanos());
    }

    /// Empties the resource: nothing is in use any more, and nobody waits.
    pub(super) fn clear(&mut self, now: SimTime) {
        self.used.subtract(now, self.used.level());
        self.waiting.set(now, 0);
        self.queue.clear();
    }

    /// Resets statistics at the end of the warm-up.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.used.restart(now);
        self.waiting.restart(now);
        self.wait.clear();
        self.taken = 0;
    }
}
