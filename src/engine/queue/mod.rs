//! The event queue: everything that will happen, in the order of (time, order of scheduling).
//!
//! It is made of three structures, each the fastest for what it holds, merged when an event is taken:
//! - the `NearQueue` of the current window of time: a sorted run and a small heap for what is added to it late;
//! - the `Wheel` of all that lies beyond the window: unsorted buckets that double as a radix sort, so that an event a
//!   million places away costs an append and its share of a small sort, not a walk through a heap of a million;
//! - `Lanes`: events of one constant delay are born in order of time, a line holds them for next to nothing.
//!
//! With few events pending the window is all of time and the wheel stays empty: the queue is then a sorted array.

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

/// With at most this many events pending, the window opens to all of time.
const FEW: usize = 32;

/// Beyond this many events in an open-ended window, it is closed and the wheel takes over. Well above [`FEW`], so that
/// the cost of a change of regime is shared by many events.
const MANY: usize = 128;

/// A scheduled event: what it is and its place in the order of all events.
#[derive(Clone, Copy, Debug)]
struct Scheduled<E> {
    at: u64,
    order: u64,
    event: E,
}

impl<E> Scheduled<E> {
    #[inline]
    fn key(&self) -> u128 {
        u128::from(self.at) << 64 | u128::from(self.order)
    }
}

/// Set in the order of events that come after all others of their instant.
const LAST: u64 = 1 << 63;
/// Set in the order of events that may have been cancelled.
const CANCELLABLE: u64 = 1;
/// The distance of one order from the next.
const NEXT: u64 = 2;
/// Orders below this belong to events that come before all others of their instant: room for 2^39 of them.
const ORDINARY: u64 = 1 << 40;

/// Names a cancellable event that was scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKey(u128);

/// A queue of events of type `E`, a small `Copy` value.
#[derive(Resource, Clone, Debug)]
pub struct EventQueue<E: Send + Sync + 'static> {
    near_queue: NearQueue<E>,
    wheel: Wheel<E>,
    lanes: Lanes<E>,
    /// The last instant that the near queue covers; the wheel holds only what is later.
    window_end: u64,
    /// Key of the event that was taken last; what is scheduled has a later one.
    current: u128,
    next_order: u64,
    /// The same for events that come before all others of their instant.
    next_first: u64,
    /// Orders of events that are cancelled and still lie somewhere in the queue.
    cancelled: BTreeSet<u64>,
}

impl<E: Copy + Send + Sync> Default for EventQueue<E> {
    fn default() -> Self {
        Self {
            near_queue: NearQueue::default(),
            wheel: Wheel::default(),
            lanes: Lanes::default(),
            window_end: u64::MAX,
            current: 0,
            next_order: ORDINARY,
            next_first: NEXT,
            cancelled: BTreeSet::new(),
        }
    }
}

impl<E: Copy + Send + Sync> EventQueue<E> {
    /// The time of the event that was taken last.
    #[must_use]
    #[inline]
    pub const fn now(&self) -> SimTime {
        SimTime::from_nanos((self.current >> 64) as u64)
    }

    /// The number of events that are still to come.
    #[must_use]
    pub fn len(&self) -> usize {
        self.near_queue.len() + self.wheel.len() + self.lanes.len() - self.cancelled.len()
    }

    /// Whether nothing is to come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A lane for events that are always scheduled `delay` from now. There are only a few: nothing is returned when
    /// they are all in use, and [`EventQueue::schedule`] serves as well.
    pub fn lane(&mut self, delay: SimDuration) -> Option<LaneId> {
        self.lanes.lane(delay)
    }

    /// Schedules an event, behind all that are already scheduled for the same instant. What lies in the past happens
    /// now.
    #[inline]
    pub fn schedule(&mut self, at: SimTime, event: E) {
        let order = self.take_order();
        self.insert(at, order, event);
    }

    /// Schedules an event after the delay of a lane; tells when that is.
    #[inline]
    pub fn schedule_in(&mut self, lane: LaneId, event: E) -> SimTime {
        let order = self.take_order();
        self.lanes.push(lane, self.now(), order, event)
    }

    /// Schedules an event behind all others of its instant, even those that are scheduled later: an observer, which
    /// sees what the instant leaves behind.
    pub fn schedule_last(&mut self, at: SimTime, event: E) {
        let order = self.take_order() | LAST;
        self.insert(at, order, event);
    }

    /// Schedules an event in front of all others of its instant but those that were scheduled so before. Where others of
    /// the instant have happened already it is too late for that: then it comes behind all that is scheduled.
    pub fn schedule_first(&mut self, at: SimTime, event: E) {
        let first = Scheduled { at: at.as_nanos(), order: self.next_first, event };
        if first.key() <= self.current || self.next_first >= ORDINARY {
            return self.schedule(at, event);
        }
        self.next_first += NEXT;
        self.insert(at, first.order, event);
    }

    /// Schedules an event that can be cancelled.
    pub fn schedule_cancellable(&mut self, at: SimTime, event: E) -> EventKey {
        let order = self.take_order() | CANCELLABLE;
        let at = at.max(self.now());
        self.insert(at, order, event);
        EventKey(Scheduled { at: at.as_nanos(), order, event }.key())
    }

    /// Cancels an event; tells whether it was still to come.
    pub fn cancel(&mut self, key: EventKey) -> bool {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half of a key is its order")]
        let still_to_come = key.0 > self.current && self.cancelled.insert(key.0 as u64);
        if self.cancelled.len() > 1024 && self.cancelled.len() > self.len() {
            self.sweep();
        }
        still_to_come
    }

    /// Takes out all events for which `matches` holds, wherever they are, and returns them in the order in which they
    /// would have happened. It looks at every event there is: for what happens rarely.
    #[cold]
    pub fn remove_where(&mut self, matches: impl Fn(&E) -> bool) -> Vec<(SimTime, E)> {
        let mut removed = Vec::new();
        let cancelled = &mut self.cancelled;
        let mut keep = |entry: &Scheduled<E>| {
            let found = matches(&entry.event);
            if found && !(entry.order & CANCELLABLE != 0 && cancelled.remove(&entry.order)) {
                removed.push(*entry);
            }
            !found
        };
        self.near_queue.retain(&mut keep);
        self.wheel.retain(&mut keep);
        self.lanes.retain(&mut keep);
        removed.sort_unstable_by_key(Scheduled::key);
        removed.iter().map(|entry| (SimTime::from_nanos(entry.at), entry.event)).collect()
    }

    /// Takes the next event if it happens no later than `horizon`.
    #[inline]
    pub fn pop_until(&mut self, horizon: SimTime) -> Option<(SimTime, E)> {
        loop {
            let near_queue = self.near_queue.peek();
            let lane = self.lanes.peek();
            let entry = if lane < near_queue {
                // A lane ahead of the near queue is next only inside the window: the wheel may hold something sooner.
                if time_of(lane) > self.window_end && !self.wheel.is_empty() {
                    self.open_window();
                    continue;
                }
                if time_of(lane) > horizon.as_nanos() {
                    return None;
                }
                self.lanes.pop()
            } else if near_queue == u128::MAX {
                if self.wheel.is_empty() {
                    return None;
                }
                self.open_window();
                continue;
            } else {
                if time_of(near_queue) > horizon.as_nanos() {
                    return None;
                }
                self.near_queue.pop()
            };
            self.current = entry.key();
            if entry.order & (LAST | CANCELLABLE) != 0 && !self.still_stands(&entry) {
                continue;
            }
            return Some((SimTime::from_nanos(entry.at), entry.event));
        }
    }

    /// Whether an event that is out of the ordinary happens after all.
    fn still_stands(&mut self, entry: &Scheduled<E>) -> bool {
        if entry.order & LAST != 0 {
            // All that was scheduled for this instant is over; what is scheduled from now on is not.
            self.current = u128::from(entry.at) << 64 | u128::from(self.next_order - 1);
        }
        entry.order & CANCELLABLE == 0 || !self.cancelled.remove(&entry.order)
    }

    /// Some events that will be taken soon, if many are pending: a caller may fetch from memory what they will need, all
    /// at once, while nothing waits for it. To be asked after each event that is taken.
    #[inline]
    pub fn upcoming(&mut self) -> Option<impl Iterator<Item = E> + '_> {
        self.lanes.upcoming()
    }

    #[inline]
    const fn take_order(&mut self) -> u64 {
        let order = self.next_order;
        self.next_order += NEXT;
        order
    }

    #[inline]
    fn insert(&mut self, at: SimTime, order: u64, event: E) {
        let entry = Scheduled { at: at.max(self.now()).as_nanos(), order, event };
        if entry.at <= self.window_end {
            self.near_queue.insert(entry);
            if self.window_end == u64::MAX && self.near_queue.len() > MANY {
                self.close_window();
            }
        } else {
            self.wheel.insert(entry, self.window_end);
        }
    }

    /// The near queue has run dry: fills it with the next bucket of the wheel, or with all of it if that is little.
    #[cold]
    #[inline(never)]
    fn open_window(&mut self) {
        if self.wheel.len() <= FEW {
            self.wheel.drain_into(&mut self.near_queue);
            self.window_end = u64::MAX;
        } else {
            self.window_end = self.wheel.next_bucket(&mut self.near_queue);
        }
    }

    /// There is too much for an open-ended window: keeps what happens now, and leaves the rest to the wheel.
    #[cold]
    #[inline(never)]
    fn close_window(&mut self) {
        self.window_end = self.now().as_nanos();
        for entry in self.near_queue.take_all() {
            if entry.at <= self.window_end {
                self.near_queue.insert(entry);
            } else {
                self.wheel.insert(entry, self.window_end);
            }
        }
    }

    /// Removes cancelled events from wherever they are, so that they never outnumber the others.
    #[cold]
    fn sweep(&mut self) {
        let cancelled = std::mem::take(&mut self.cancelled);
        let mut keep =
            |entry: &Scheduled<E>| entry.order & CANCELLABLE == 0 || !cancelled.contains(&entry.order);
        self.near_queue.retain(&mut keep);
        self.wheel.retain(&mut keep);
    }
}

#[inline]
const fn time_of(key: u128) -> u64 {
    (key >> 64) as u64
}

#[cfg(test)]
mod tests;
