//! The event queue: all pending events, ordered by (time, order of scheduling).
//!
//! It consists of three structures, each the fastest for the events it holds; they are merged when an event is popped:
//! - the `NearQueue` holds the events of the current window of time: a sorted run, and a small heap for late additions;
//! - the `Wheel` holds the events beyond the window: unsorted buckets that double as a radix sort, so that an event a
//!   million places away costs an append and its share of a small sort, not a walk through a heap of a million;
//! - the `Lanes` hold events of constant delay, a FIFO for each delay: these are scheduled in order of time.
//!
//! With few events pending, the window covers all of time and the wheel stays empty: the queue is then a sorted array.
//! A barrier, the lowest key of all events in the heap and in the wheel, spares that case any look at the two.

mod lanes;
mod near_queue;
mod wheel;

use std::collections::BTreeSet;

use bevy_ecs::prelude::Resource;
use lanes::Lanes;
use near_queue::NearQueue;
use wheel::Wheel;

pub use lanes::LaneId;

use super::time::{SimDuration, SimTime};

/// When the wheel holds at most this many events, the window opens to all of time.
const OPEN_WINDOW_AT: usize = 32;

/// When an open-ended window holds more events than this, it is closed and the wheel takes over. Well above
/// [`OPEN_WINDOW_AT`], so that many events share the cost of a switch.
const CLOSE_WINDOW_ABOVE: usize = 128;

/// An event with its place in the order of all events.
#[derive(Clone, Copy, Debug)]
struct Scheduled<E> {
    /// Its time, in nanoseconds.
    at: u64,
    /// Its place among the events of the same time.
    order: u64,
    event: E,
}

impl<E> Scheduled<E> {
    #[inline]
    fn key(&self) -> u128 {
        u128::from(self.at) << 64 | u128::from(self.order)
    }
}

/// Bit that is set in the order of events that come after all others of their instant.
const LAST: u64 = 1 << 63;
/// Bit that is set in the order of cancellable events.
const CANCELLABLE: u64 = 1;
/// Difference between consecutive orders.
const ORDER_STEP: u64 = 2;
/// Lower orders belong to events that come before all others of their instant: there can be 2^39 of them.
const MIN_ORDINARY_ORDER: u64 = 1 << 40;

/// Handle of a cancellable event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKey {
    at: u64,
    order: u64,
}

impl EventKey {
    /// The absence of an event.
    pub const NONE: Self = Self { at: 0, order: 0 };
}

/// A queue of events of type `E`, a small `Copy` value.
#[derive(Resource, Clone, Debug)]
pub struct EventQueue<E: Send + Sync + 'static> {
    near_queue: NearQueue<E>,
    wheel: Wheel<E>,
    lanes: Lanes<E>,
    /// The last instant that the near queue covers, in nanoseconds; the wheel holds only later events.
    window_end: u64,
    /// No event outside the run of the near queue and the lanes has a lower key. [`u128::MAX`] if there is no such event.
    barrier: u128,
    /// Key of the event that was popped last; pending events have later keys.
    current: u128,
    next_order: u64,
    /// The next order of an event that comes before all others of its instant.
    next_first: u64,
    /// Orders of cancelled events that are still in the queue.
    cancelled: BTreeSet<u64>,
}

impl<E: Copy + Send + Sync> Default for EventQueue<E> {
    fn default() -> Self {
        Self {
            near_queue: NearQueue::default(),
            wheel: Wheel::default(),
            lanes: Lanes::default(),
            window_end: u64::MAX,
            barrier: u128::MAX,
            current: 0,
            next_order: MIN_ORDINARY_ORDER,
            next_first: ORDER_STEP,
            cancelled: BTreeSet::new(),
        }
    }
}

impl<E: Copy + Send + Sync> EventQueue<E> {
    /// The time of the event that was popped last.
    #[must_use]
    #[inline]
    pub const fn now(&self) -> SimTime {
        SimTime::from_nanos((self.current >> 64) as u64)
    }

    /// The number of pending events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.near_queue.len() + self.wheel.len() + self.lanes.len() - self.cancelled.len()
    }

    /// Whether no event is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns a lane for events that are always scheduled `delay` from now. There are only a few lanes: if all are in
    /// use, returns `None`, and [`EventQueue::schedule`] does the same job.
    pub fn lane(&mut self, delay: SimDuration) -> Option<LaneId> {
        self.lanes.lane(delay)
    }

    /// Schedules an event after all those already scheduled for the same instant. If `at` is in the past, it happens
    /// now.
    #[inline(always)]
    pub fn schedule(&mut self, at: SimTime, event: E) {
        let order = self.take_order();
        self.insert(at, order, event);
    }

    /// Schedules an event with the delay of a lane, and returns its time.
    #[inline]
    pub fn schedule_in(&mut self, lane: LaneId, event: E) -> SimTime {
        let order = self.take_order();
        self.lanes.push(lane, self.now(), order, event)
    }

    /// Schedules an event after all others of its instant, including those that are scheduled later. Observers use it
    /// to see the state at the end of the instant.
    pub fn schedule_last(&mut self, at: SimTime, event: E) {
        let order = self.take_order() | LAST;
        self.insert(at, order, event);
    }

    /// Schedules an event before all others of its instant, except those scheduled by this function earlier. If an
    /// ordinary event of the instant has already happened, it is scheduled like one, after the others.
    pub fn schedule_first(&mut self, at: SimTime, event: E) {
        let first = Scheduled { at: at.as_nanos(), order: self.next_first, event };
        if first.key() <= self.current || self.next_first >= MIN_ORDINARY_ORDER {
            return self.schedule(at, event);
        }
        self.next_first += ORDER_STEP;
        self.insert(at, first.order, event);
    }

    /// Schedules an event that can be cancelled.
    pub fn schedule_cancellable(&mut self, at: SimTime, event: E) -> EventKey {
        let order = self.take_order() | CANCELLABLE;
        let at = at.max(self.now());
        self.insert(at, order, event);
        EventKey { at: at.as_nanos(), order }
    }

    /// Cancels an event. Returns whether it was still pending.
    pub fn cancel(&mut self, key: EventKey) -> bool {
        let EventKey { at, order } = key;
        let is_later = u128::from(at) << 64 | u128::from(order) > self.current;
        let was_pending = is_later && self.cancelled.insert(order);
        if self.cancelled.len() > 1024 && self.cancelled.len() > self.len() {
            self.sweep();
        }
        was_pending
    }

    /// Removes all events for which `matches` holds, and returns them in the order in which they would have happened.
    /// It visits every pending event, so use it for rare operations only.
    #[cold]
    pub fn remove_where(&mut self, matches: impl Fn(&E) -> bool) -> Vec<(SimTime, E)> {
        let mut removed = Vec::new();
        let cancelled = &mut self.cancelled;
        let mut keep = |scheduled: &Scheduled<E>| {
            let is_match = matches(&scheduled.event);
            if is_match && !(scheduled.order & CANCELLABLE != 0 && cancelled.remove(&scheduled.order)) {
                removed.push(*scheduled);
            }
            !is_match
        };
        self.near_queue.retain(&mut keep);
        self.wheel.retain(&mut keep);
        self.lanes.retain(&mut keep);
        self.update_barrier();
        removed.sort_unstable_by_key(Scheduled::key);
        removed.iter().map(|scheduled| (SimTime::from_nanos(scheduled.at), scheduled.event)).collect()
    }

    /// Removes and returns the next event if it happens no later than `horizon`.
    #[inline(always)]
    pub fn pop_until(&mut self, horizon: SimTime) -> Option<(SimTime, E)> {
        loop {
            let (run_key, lane_key) = (self.near_queue.run_key(), self.lanes.peek());
            let next_key = run_key.min(lane_key);
            // With few events pending, or with most of them in lanes, there is no barrier.
            if next_key >= self.barrier {
                if self.barrier == u128::MAX {
                    return None;
                }
                self.lower_barrier();
                continue;
            }
            if time_of(next_key) > horizon.as_nanos() {
                return None;
            }
            let scheduled = if run_key < lane_key { self.near_queue.pop_run() } else { self.lanes.pop() };
            self.current = scheduled.key();
            if scheduled.order & (LAST | CANCELLABLE) != 0 && !self.apply_flags(&scheduled) {
                continue;
            }
            return Some((SimTime::from_nanos(scheduled.at), scheduled.event));
        }
    }

    /// Handles the flags in the order of a popped event. Returns false if the event was cancelled.
    fn apply_flags(&mut self, scheduled: &Scheduled<E>) -> bool {
        if scheduled.order & LAST != 0 {
            // All events scheduled for this instant so far are over; events scheduled from now on may still happen.
            self.current = u128::from(scheduled.at) << 64 | u128::from(self.next_order - 1);
        }
        scheduled.order & CANCELLABLE == 0 || !self.cancelled.remove(&scheduled.order)
    }

    /// Some events that will be popped soon, if many are pending: the caller can prefetch their data, for all of them
    /// at once. Call it after each popped event.
    #[inline]
    pub fn upcoming(&mut self) -> Option<impl Iterator<Item = E> + '_> {
        self.lanes.upcoming()
    }

    #[inline]
    const fn take_order(&mut self) -> u64 {
        let order = self.next_order;
        self.next_order += ORDER_STEP;
        order
    }

    #[inline(always)]
    fn insert(&mut self, at: SimTime, order: u64, event: E) {
        let scheduled = Scheduled { at: at.max(self.now()).as_nanos(), order, event };
        if scheduled.at > self.window_end || !self.near_queue.insert_near_end(scheduled) {
            self.insert_far(scheduled);
        }
    }

    /// Adds an event whose place is beyond the window, or inside it but not near its beginning.
    #[inline(never)]
    fn insert_far(&mut self, scheduled: Scheduled<E>) {
        if scheduled.at > self.window_end {
            self.wheel.insert(scheduled, self.window_end);
            if self.barrier == u128::MAX {
                self.update_barrier();
            }
            return;
        }
        self.near_queue.push_heap(scheduled);
        self.barrier = self.barrier.min(scheduled.key());
        if self.window_end == u64::MAX && self.near_queue.len() > CLOSE_WINDOW_ABOVE {
            self.close_window();
            self.update_barrier();
        }
    }

    fn update_barrier(&mut self) {
        let beyond_window =
            if self.wheel.is_empty() { u128::MAX } else { u128::from(self.window_end + 1) << 64 };
        self.barrier = self.near_queue.heap_key().min(beyond_window);
    }

    /// Moves the earliest event outside the run and the lanes, which is the next one or limits the next one, into the
    /// run.
    #[inline(never)]
    fn lower_barrier(&mut self) {
        if !self.near_queue.move_heap_top_to_run() {
            self.open_window();
        }
        self.update_barrier();
    }

    /// Refills the empty near queue: with the next bucket of the wheel, or with the whole wheel if it holds few events.
    #[cold]
    #[inline(never)]
    fn open_window(&mut self) {
        if self.wheel.len() <= OPEN_WINDOW_AT {
            self.wheel.drain_into(&mut self.near_queue);
            self.window_end = u64::MAX;
        } else {
            self.window_end = self.wheel.next_bucket(&mut self.near_queue);
        }
    }

    /// Closes an open-ended window that holds too many events: moves those that do not happen now to the wheel.
    #[cold]
    #[inline(never)]
    fn close_window(&mut self) {
        self.window_end = self.now().as_nanos();
        for scheduled in self.near_queue.take_all() {
            if scheduled.at <= self.window_end {
                self.near_queue.insert(scheduled);
            } else {
                self.wheel.insert(scheduled, self.window_end);
            }
        }
    }

    /// Removes cancelled events from the queue, so that they never outnumber the pending ones.
    #[cold]
    fn sweep(&mut self) {
        let cancelled = std::mem::take(&mut self.cancelled);
        let mut keep = |scheduled: &Scheduled<E>| {
            scheduled.order & CANCELLABLE == 0 || !cancelled.contains(&scheduled.order)
        };
        self.near_queue.retain(&mut keep);
        self.wheel.retain(&mut keep);
        self.update_barrier();
    }
}

#[inline]
const fn time_of(key: u128) -> u64 {
    (key >> 64) as u64
}

#[cfg(test)]
mod tests;
