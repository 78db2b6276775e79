//! The queue of a node: the requests that wait there, whatever the discipline is.

use bevy_ecs::prelude::*;

use super::joining::{Joining, JoiningSpec};
use super::{AnyQueue, Queue as _, QueueSpec, Turn, UNBOUNDED};
use crate::engine::random::RandomStream;
use crate::engine::statistics::TimeWeighted;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;
use crate::request::{Outcome, RequestsView};

/// Number of requests that have left a queue before their places are given up in any case.
const MIN_GONE: u32 = 16;

/// The queue of a node.
#[derive(Component, Clone, Debug)]
pub struct WaitQueue {
    /// Number of waiting requests, over time.
    pub depth: TimeWeighted,
    capacity: u32,
    /// Number of requests that have left it but still have their places: no discipline finds one in its middle
    /// quickly. These are given up when they are next, or when they outnumber the others.
    gone: u32,
    queue: AnyQueue,
    /// What only a queue of a server whose slots have rules has.
    special: Option<Box<Special>>,
}

#[derive(Clone, Debug)]
struct Special {
    joining: Joining,
    /// The requests that have been shed, and not been answered yet.
    shed: Vec<RequestRow>,
    /// The request whose turn it is, but which needs more than was free.
    next: Option<RequestRow>,
}

/// A request that has waited, and for how long.
pub type Waited = (RequestRow, SimDuration);

impl WaitQueue {
    /// An empty queue. `joining` says who joins it, or is `None` if all do, stay, and take one slot each. `stream` makes random
    /// streams for a purpose.
    #[must_use]
    pub fn new(
        spec: &QueueSpec,
        joining: Option<JoiningSpec<'_>>,
        stream: impl Fn(&str) -> RandomStream,
    ) -> Self {
        let special = |joining| {
            let joining = Joining::new(joining, stream("joining"));
            Box::new(Special { joining, shed: Vec::new(), next: None })
        };
        Self {
            depth: TimeWeighted::default(),
            capacity: spec.capacity(),
            gone: 0,
            queue: spec.queue(|| stream("queue")),
            special: joining.map(special),
        }
    }

    /// Capacity of the queue; [`u32::MAX`] if it is unbounded.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Capacity of the queue, or `None` if it is unbounded.
    #[must_use]
    pub fn bound(&self) -> Option<u32> {
        (self.capacity < UNBOUNDED).then_some(self.capacity)
    }

    /// Sets the capacity. Requests that wait already stay, even if there are more of them.
    pub const fn set_capacity(&mut self, capacity: u32) {
        self.capacity = capacity;
    }

    /// Changes the parameters of its discipline, except for the capacity.
    pub fn adapt(&mut self, spec: &QueueSpec) {
        spec.adapt(&mut self.queue);
    }

    /// Whether the queue has a free place.
    #[must_use]
    #[inline]
    pub const fn has_room(&self) -> bool {
        self.depth.level() < self.capacity
    }

    /// Whether a request that arrives does not join, although there is room.
    pub fn balks(&mut self) -> bool {
        let waiting = self.depth.level();
        self.special.as_mut().is_some_and(|special| special.joining.balks(waiting))
    }

    /// Whether its discipline admits a request that arrives, which is shed otherwise.
    pub fn admits(&mut self, now: SimTime) -> bool {
        self.special.is_none() || self.queue.admits(now, self.depth.level())
    }

    /// Draws the patience of a request that begins to wait, or returns `None` if it waits for ever.
    pub fn draw_patience(&mut self) -> Option<SimDuration> {
        self.special.as_mut().and_then(|special| special.joining.draw_patience())
    }

    /// Adds a request.
    #[inline]
    pub fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow, now: SimTime) {
        requests.get_mut(row).since = now;
        // Nearly every queue is of this discipline: the others are kept out of the hot path.
        if let AnyQueue::Fifo(queue) = &mut self.queue {
            queue.push_back(requests, row);
        } else {
            self.queue.push(requests, row);
        }
        self.depth.increment(now);
    }

    /// Adds a request whose service has been interrupted.
    pub fn put_back(&mut self, requests: &mut RequestsView<'_>, row: RequestRow, now: SimTime) {
        requests.get_mut(row).since = now;
        self.queue.put_back(requests, row);
        self.depth.increment(now);
    }

    /// The request in service that one which arrives interrupts, if any. Those in service are in the order in which they
    /// began.
    #[must_use]
    pub fn preempted_by(
        &self,
        requests: &RequestsView<'_>,
        now: SimTime,
        row: RequestRow,
        in_service: &[RequestRow],
    ) -> Option<RequestRow> {
        self.queue.preempted_by(requests, now, row, in_service)
    }

    /// Removes the next request. Returns it with its waiting time, or `None` if the queue is empty.
    #[inline]
    pub fn pop(&mut self, requests: &mut RequestsView<'_>, now: SimTime) -> Option<Waited> {
        if self.special.is_some() {
            return self.pop_fitting(requests, now, |_, _| true);
        }
        self.pop_plain(requests, now)
    }

    /// The same for a queue of a server whose slots have no rules.
    #[inline]
    pub fn pop_plain(&mut self, requests: &mut RequestsView<'_>, now: SimTime) -> Option<Waited> {
        debug_assert!(self.special.is_none(), "the slots have no rules");
        let next = if let AnyQueue::Fifo(queue) = &mut self.queue {
            queue.pop_front(requests)
        } else {
            self.take(requests, now)
        };
        let mut row = next?;
        if self.gone > 0 {
            row = self.skip_gone(requests, row, now)?;
        }
        self.depth.decrement(now);
        Some((row, end_wait(requests, row, now)))
    }

    /// The same, if the next request `fits`. Otherwise it stays, and it is its turn until it does.
    pub fn pop_fitting(
        &mut self,
        requests: &mut RequestsView<'_>,
        now: SimTime,
        fits: impl FnOnce(&RequestsView<'_>, RequestRow) -> bool,
    ) -> Option<Waited> {
        let row = self.take(requests, now)?;
        let row = self.skip_gone(requests, row, now)?;
        if !fits(requests, row)
            && let Some(special) = &mut self.special
        {
            special.next = Some(row);
            return None;
        }
        self.depth.decrement(now);
        Some((row, end_wait(requests, row, now)))
    }

    /// Removes the next request of any discipline. Those that are shed before it wait for [`take_shed`](Self::take_shed).
    #[inline(never)]
    fn take(&mut self, requests: &mut RequestsView<'_>, now: SimTime) -> Option<RequestRow> {
        if let Some(next) = self.special.as_mut().and_then(|special| special.next.take()) {
            return Some(next);
        }
        let mut shed = Vec::new();
        let row = self.queue.pop(requests, &mut Turn { now, waiting: self.depth.level(), shed: &mut shed });
        for row in shed {
            self.depth.decrement(now);
            end_wait(requests, row, now);
            if let Some(special) = &mut self.special {
                special.shed.push(row);
            }
        }
        row
    }

    /// Takes the requests that have been shed since the last time, in order: the node has to answer them.
    pub fn take_shed(&mut self) -> Vec<RequestRow> {
        self.special.as_mut().map_or_else(Vec::new, |special| std::mem::take(&mut special.shed))
    }

    /// The first request that has not left, from `row` on, which has been removed. Those that have, give up their places.
    #[cold]
    #[inline(never)]
    fn skip_gone(
        &mut self,
        requests: &mut RequestsView<'_>,
        row: RequestRow,
        now: SimTime,
    ) -> Option<RequestRow> {
        let mut row = row;
        while requests.is_gone(row) {
            self.gone -= 1;
            requests.give_up_place(row);
            row = self.take(requests, now)?;
        }
        Some(row)
    }

    /// Lets a request leave the queue, which ends in this instant. Its place is given up later.
    pub fn leave(&mut self, requests: &mut RequestsView<'_>, row: RequestRow, now: SimTime) {
        end_wait(requests, row, now);
        requests.set_gone(row);
        self.depth.decrement(now);
        self.gone += 1;
        if self.gone > self.depth.level().max(MIN_GONE) {
            let removed = self.queue.remove_gone(requests);
            self.gone -= u32::try_from(removed.len()).unwrap_or(self.gone);
            removed.into_iter().for_each(|row| requests.give_up_place(row));
        }
    }

    /// Lets a call leave the queue, which ends with this outcome.
    pub fn end_call(
        &mut self,
        requests: &mut RequestsView<'_>,
        call: RequestRow,
        outcome: Outcome,
        now: SimTime,
    ) {
        self.leave(requests, call, now);
        requests.finish_call(now, call, outcome);
    }
}

/// Accounts the wait of a request. Returns it.
#[inline]
fn end_wait(requests: &mut RequestsView<'_>, row: RequestRow, now: SimTime) -> SimDuration {
    let request = requests.get_mut(row);
    let wait = now.since(request.since);
    request.waiting += wait;
    request.since = now;
    wait
}
