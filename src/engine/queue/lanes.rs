//! Lanes: lines of events of constant delay.
//!
//! Time never runs backwards, so events that are always scheduled the same delay ahead are born in their order: they are
//! put in at the back and taken from the front. A line is made of chunks, so that one of a million events neither moves
//! when it grows nor keeps room that it does not need.

use std::collections::VecDeque;

use super::Scheduled;
use crate::engine::time::{SimDuration, SimTime};

/// Lanes that one queue may have. Taking an event looks at the head of each lane, so a few serve better than many: a
/// scenario rarely has more distinct constant delays on its busy paths.
const MOST: usize = 8;

/// Names a lane of the queue that gave it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneId(u8);

/// Events of a chunk: 6 KiB.
const CHUNK: usize = 256;
/// How many events of a lane are announced at once. Memory answers about this many requests at the same time.
const BATCH: usize = 32;
/// Shorter lanes are not worth announcing: what their events need (a cache line each) is in the cache.
const LONG: usize = 1 << 15;

/// One lane.
#[derive(Clone, Debug)]
struct Lane<E> {
    delay: SimDuration,
    len: usize,
    /// The first events; those before `taken` are gone.
    front: Vec<Scheduled<E>>,
    taken: usize,
    /// Full chunks behind the front.
    middle: VecDeque<Vec<Scheduled<E>>>,
    /// The last events, unless they fit into the front.
    back: Vec<Scheduled<E>>,
    /// Memory of a chunk that was used up.
    spare: Vec<Scheduled<E>>,
}

impl<E: Copy> Lane<E> {
    const fn new(delay: SimDuration) -> Self {
        Self {
            delay,
            len: 0,
            front: Vec::new(),
            taken: 0,
            middle: VecDeque::new(),
            back: Vec::new(),
            spare: Vec::new(),
        }
    }

    #[inline(always)]
    fn push(&mut self, entry: Scheduled<E>) {
        if self.back.len() == CHUNK {
            let empty = std::mem::take(&mut self.spare);
            self.middle.push_back(std::mem::replace(&mut self.back, empty));
        }
        self.len += 1;
        self.back.push(entry);
        if self.len == 1 {
            self.next_chunk();
        }
    }

    #[inline(always)]
    fn pop(&mut self) -> Scheduled<E> {
        let entry = self.front[self.taken];
        self.taken += 1;
        self.len -= 1;
        if self.taken == self.front.len() && self.len > 0 {
            self.next_chunk();
        }
        entry
    }

    #[inline(always)]
    fn first(&self) -> u128 {
        self.front.get(self.taken).map_or(u128::MAX, Scheduled::key)
    }

    /// Keeps some of the events.
    fn retain(&mut self, keep: &mut impl FnMut(&Scheduled<E>) -> bool) {
        let mut kept = self.front.split_off(self.taken);
        kept.extend(self.middle.drain(..).flatten());
        kept.append(&mut self.back);
        kept.retain(&mut *keep);
        (self.len, self.taken) = (0, 0);
        self.front.clear();
        kept.into_iter().for_each(|entry| self.push(entry));
    }

    /// The front is used up: the next chunk takes its place.
    fn next_chunk(&mut self) {
        self.front.clear();
        self.taken = 0;
        match self.middle.pop_front() {
            Some(chunk) => self.spare = std::mem::replace(&mut self.front, chunk),
            None => std::mem::swap(&mut self.front, &mut self.back),
        }
    }
}

/// All lanes of a queue.
#[derive(Clone, Debug)]
pub(super) struct Lanes<E> {
    lanes: Vec<Lane<E>>,
    /// The key of the first event of each lane; the largest there is for an empty one.
    heads: [u128; MOST],
    /// The lane whose first event is the soonest, and the key of that.
    soonest: usize,
    soonest_key: u128,
    /// The lane of the event that was taken last, if it is long and a batch of its events was used up.
    to_announce: Option<usize>,
}

impl<E> Default for Lanes<E> {
    fn default() -> Self {
        Self {
            lanes: Vec::new(),
            heads: [u128::MAX; MOST],
            soonest: 0,
            soonest_key: u128::MAX,
            to_announce: None,
        }
    }
}

impl<E: Copy> Lanes<E> {
    pub(super) fn lane(&mut self, delay: SimDuration) -> Option<LaneId> {
        let known = self.lanes.iter().position(|lane| lane.delay == delay);
        let index = known.or_else(|| {
            (self.lanes.len() < MOST).then(|| {
                self.lanes.push(Lane::new(delay));
                for (head, line) in self.heads.iter_mut().zip(&self.lanes) {
                    *head = line.first();
                }
                self.lanes.len() - 1
            })
        })?;
        u8::try_from(index).ok().map(LaneId)
    }

    pub(super) fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.len).sum()
    }

    /// The key of the next event; the largest key there is if there is none.
    #[inline(always)]
    pub(super) const fn peek(&self) -> u128 {
        self.soonest_key
    }

    #[inline(always)]
    pub(super) fn push(&mut self, lane: LaneId, now: SimTime, order: u64, event: E) -> SimTime {
        let index = usize::from(lane.0);
        let line = &mut self.lanes[index];
        let at = now + line.delay;
        let entry = Scheduled { at: at.as_nanos(), order, event };
        line.push(entry);
        if line.len == 1 {
            // With a single lane the heads are not kept: there is nothing to choose from.
            self.heads[index] = entry.key();
            if entry.key() < self.soonest_key {
                (self.soonest, self.soonest_key) = (index, entry.key());
            }
        }
        at
    }

    /// Takes the next event.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Scheduled<E> {
        let line = &mut self.lanes[self.soonest];
        let entry = line.pop();
        if line.len >= LONG && line.taken.is_multiple_of(BATCH) {
            self.to_announce = Some(self.soonest);
        }
        self.soonest_key = line.first();
        if self.lanes.len() > 1 {
            self.heads[self.soonest] = self.soonest_key;
            for (index, &head) in self.heads.iter().enumerate() {
                if head < self.soonest_key {
                    (self.soonest, self.soonest_key) = (index, head);
                }
            }
        }
        entry
    }

    pub(super) fn retain(&mut self, keep: &mut impl FnMut(&Scheduled<E>) -> bool) {
        (self.soonest, self.soonest_key) = (0, u128::MAX);
        for (index, line) in self.lanes.iter_mut().enumerate() {
            line.retain(keep);
            self.heads[index] = line.first();
            if self.heads[index] < self.soonest_key {
                (self.soonest, self.soonest_key) = (index, self.heads[index]);
            }
        }
    }

    /// The next events of a long lane when it is time to fetch what they will need, each once; nothing otherwise.
    #[inline]
    pub(super) fn upcoming(&mut self) -> Option<impl Iterator<Item = E> + '_> {
        let line = &self.lanes[self.to_announce.take()?];
        Some(line.front[line.taken..].iter().take(BATCH).map(|entry| entry.event))
    }
}
