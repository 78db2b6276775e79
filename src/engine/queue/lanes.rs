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

/// How many events of a lane are announced at once. Memory answers about this many requests at the same time.
const BATCH: usize = 32;
/// Shorter lanes are not worth announcing: what their events need (a cache line each) is in the cache.
const LONG: usize = 1 << 12;

/// One lane.
#[derive(Clone, Debug)]
struct Ring<E> {
    delay: SimDuration,
    events: VecDeque<Entry<E>>,
    /// How many more events are taken before the next ones are announced.
    announced: usize,
}

/// All lanes of a queue.
#[derive(Clone, Debug)]
pub(super) struct Lanes<E> {
    lanes: Vec<Ring<E>>,
    /// The key of the first event of each lane; the largest there is for an empty one.
    heads: [u128; MOST],
    /// The lane whose first event is the soonest.
    soonest: usize,
    /// The lane of the event that was taken last.
    latest: usize,
    /// Whether that lane is long, and a batch of its events was used up.
    to_announce: bool,
}

impl<E> Default for Lanes<E> {
    fn default() -> Self {
        Self { lanes: Vec::new(), heads: [u128::MAX; MOST], soonest: 0, latest: 0, to_announce: false }
    }
}

impl<E: Copy> Lanes<E> {
    pub(super) fn lane(&mut self, delay: SimDuration) -> Option<Lane> {
        let known = self.lanes.iter().position(|lane| lane.delay == delay);
        let index = known.or_else(|| {
            (self.lanes.len() < MOST).then(|| {
                self.lanes.push(Ring { delay, events: VecDeque::new(), announced: 0 });
                self.lanes.len() - 1
            })
        })?;
        u8::try_from(index).ok().map(Lane)
    }

    pub(super) fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.events.len()).sum()
    }

    /// The key of the next event; the largest key there is if there is none.
    #[inline(always)]
    pub(super) const fn peek(&self) -> u128 {
        self.heads[self.soonest]
    }

    #[inline(always)]
    pub(super) fn push(&mut self, lane: Lane, now: SimTime, order: u64, event: E) {
        let index = usize::from(lane.0);
        let Ring { delay, events, .. } = &mut self.lanes[index];
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
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Entry<E> {
        self.latest = self.soonest;
        let Ring { events, announced, .. } = &mut self.lanes[self.soonest];
        if *announced == 0 {
            *announced = BATCH;
            self.to_announce = events.len() >= LONG;
        }
        *announced -= 1;
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

    /// The next events of a long lane when it is time to fetch what they will need, each once; nothing otherwise.
    #[inline]
    pub(super) fn announce(&mut self) -> Option<impl Iterator<Item = E> + '_> {
        std::mem::take(&mut self.to_announce)
            .then(|| self.lanes[self.latest].events.range(..BATCH).map(|entry| entry.event))
    }
}
