//! Lanes: ring buffers for events of constant delay.
//!
//! Time never runs backwards, so events that are always scheduled the same delay ahead are born in their order.

use std::collections::VecDeque;

use super::Entry;
use crate::engine::time::{SimDuration, SimTime};

/// Lanes that one queue may have. Taking an event looks at the head of each lane, so a few serve better than many: a
/// scenario rarely has more distinct constant delays on its busy paths.
const MOST: usize = 8;

/// Names a lane of the queue that gave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane(u8);

/// All lanes of a queue.
#[derive(Clone, Debug)]
pub(super) struct Lanes<E> {
    lanes: Vec<(SimDuration, VecDeque<Entry<E>>)>,
    /// The key of the first event of each lane; the largest there is for an empty one.
    heads: [u128; MOST],
    /// The lane whose first event is the soonest.
    soonest: usize,
}

impl<E> Default for Lanes<E> {
    fn default() -> Self {
        Self { lanes: Vec::new(), heads: [u128::MAX; MOST], soonest: 0 }
    }
}

impl<E: Copy> Lanes<E> {
    pub(super) fn lane(&mut self, delay: SimDuration) -> Option<Lane> {
        let known = self.lanes.iter().position(|(other, _)| *other == delay);
        let index = known.or_else(|| {
            (self.lanes.len() < MOST).then(|| {
                self.lanes.push((delay, VecDeque::new()));
                self.lanes.len() - 1
            })
        })?;
        u8::try_from(index).ok().map(Lane)
    }

    pub(super) fn len(&self) -> usize {
        self.lanes.iter().map(|(_, events)| events.len()).sum()
    }

    /// The key of the next event; the largest key there is if there is none.
    #[inline]
    pub(super) const fn peek(&self) -> u128 {
        self.heads[self.soonest]
    }

    #[inline]
    pub(super) fn push(&mut self, lane: Lane, now: SimTime, order: u64, event: E) {
        let index = usize::from(lane.0);
        let (delay, events) = &mut self.lanes[index];
        let entry = Entry { at: (now + *delay).as_nanos(), order, event };
        if events.len() == events.capacity() {
            // By a quarter, not twofold: a million requests may be under way in one lane.
            events.reserve_exact((events.len() / 4).max(64));
        }
        events.push_back(entry);
        if events.len() == 1 {
            self.heads[index] = entry.key();
            if entry.key() < self.peek() {
                self.soonest = index;
            }
        }
    }

    /// Takes the next event.
    #[inline]
    pub(super) fn pop(&mut self) -> Entry<E> {
        let events = &mut self.lanes[self.soonest].1;
        let entry = events.pop_front().expect("the soonest lane has an event");
        self.heads[self.soonest] = events.front().map_or(u128::MAX, Entry::key);
        if self.lanes.len() > 1 {
            for (index, head) in self.heads.iter().enumerate() {
                if *head < self.heads[self.soonest] {
                    self.soonest = index;
                }
            }
        }
        entry
    }
}
