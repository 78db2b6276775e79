//! The wheel: events beyond the current window, in unsorted buckets by the digits of their time.
//!
//! Times are numbers in base 64. An event lies at the level of the highest digit in which its time differs from the end
//! of the window, in the bucket of that digit: so the lowest occupied bucket of the lowest occupied level holds the
//! earliest events. If that bucket is small enough to be sorted, it becomes the next window; otherwise its events move
//! to the level below. This is a hierarchical timing wheel (Varghese, Lauck: "Hashed and hierarchical timing wheels",
//! SOSP 1987) used as a radix heap (Ahuja et al., "Faster algorithms for the shortest path problem", JACM 1990), whose
//! resolution adapts to the density of events.

use super::Scheduled;
use super::near_queue::NearQueue;

/// Bits per digit.
const DIGIT_BITS: u32 = 6;
/// Buckets per level.
const BUCKETS: usize = 1 << DIGIT_BITS;
/// Levels needed for times of 64 bits.
const LEVELS: usize = 64_usize.div_ceil(DIGIT_BITS as usize);
/// Maximum number of events in a bucket that is sorted as a whole. Measured with 1,000 servers: 128 costs the same
/// time, 1,024 up to 8 % more.
const MAX_SORTED: usize = 384;
/// Maximum capacity, in events, of an emptied bucket whose memory is reused.
const MAX_SPARE_CAPACITY: usize = 1024;

/// Events beyond the window.
#[derive(Clone, Debug)]
pub(super) struct Wheel<E> {
    len: usize,
    /// For each level, a bit per bucket: whether the bucket holds events.
    occupied: [u64; LEVELS],
    buckets: Vec<Vec<Scheduled<E>>>,
    /// Memory of emptied buckets.
    spare: Vec<Vec<Scheduled<E>>>,
}

impl<E> Default for Wheel<E> {
    fn default() -> Self {
        let buckets = std::iter::repeat_with(Vec::new).take(LEVELS * BUCKETS).collect();
        Self { len: 0, occupied: [0; LEVELS], buckets, spare: Vec::new() }
    }
}

/// Number of bits below the digit of a level.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "there are 11 levels")]
const fn bits_below(level: usize) -> u32 {
    level as u32 * DIGIT_BITS
}

/// The digit of a time at a level.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a digit is below 64")]
const fn digit(at: u64, level: usize) -> usize {
    (at >> bits_below(level)) as usize % BUCKETS
}

impl<E: Copy> Wheel<E> {
    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an event that is later than `window_end`.
    #[inline]
    pub(super) fn insert(&mut self, scheduled: Scheduled<E>, window_end: u64) {
        debug_assert!(scheduled.at > window_end, "events inside the window belong to the near queue");
        let level = ((scheduled.at ^ window_end).ilog2() / DIGIT_BITS) as usize;
        self.put(level, scheduled);
        self.len += 1;
    }

    #[inline]
    fn put(&mut self, level: usize, scheduled: Scheduled<E>) {
        let index = digit(scheduled.at, level);
        let bucket = &mut self.buckets[level * BUCKETS + index];
        if bucket.is_empty() {
            self.occupied[level] |= 1 << index;
            *bucket = self.spare.pop().unwrap_or_default();
        }
        bucket.push(scheduled);
    }

    /// Moves the earliest bucket that is small enough to be sorted into the near queue, after splitting larger ones.
    /// Returns the last instant that it covers.
    pub(super) fn next_bucket(&mut self, near_queue: &mut NearQueue<E>) -> u64 {
        loop {
            let (level, mut bucket) = self.take_earliest();
            let start = bucket[0].at >> bits_below(level) << bits_below(level);
            if bucket.len() <= MAX_SORTED || level == 0 {
                self.len -= bucket.len();
                near_queue.refill(&mut bucket);
                self.reuse(bucket);
                return start + ((1 << bits_below(level)) - 1);
            }
            for &scheduled in &bucket {
                self.put(level - 1, scheduled);
            }
            self.reuse(bucket);
        }
    }

    /// Keeps the memory of an emptied bucket, within limits.
    fn reuse(&mut self, mut bucket: Vec<Scheduled<E>>) {
        if (1..=MAX_SPARE_CAPACITY).contains(&bucket.capacity()) && self.spare.len() < BUCKETS {
            bucket.clear();
            self.spare.push(bucket);
        }
    }

    /// Removes the bucket with the earliest events, and returns it with its level.
    fn take_earliest(&mut self) -> (usize, Vec<Scheduled<E>>) {
        let level = self.occupied.iter().position(|&bits| bits != 0).expect("the wheel holds events");
        let bucket = self.occupied[level].trailing_zeros() as usize;
        self.occupied[level] &= self.occupied[level] - 1;
        (level, std::mem::take(&mut self.buckets[level * BUCKETS + bucket]))
    }

    /// Moves all events into the near queue.
    pub(super) fn drain_into(&mut self, near_queue: &mut NearQueue<E>) {
        while self.occupied.iter().any(|&bits| bits != 0) {
            for scheduled in self.take_earliest().1 {
                near_queue.insert(scheduled);
            }
        }
        self.len = 0;
    }

    pub(super) fn retain(&mut self, keep: &mut impl FnMut(&Scheduled<E>) -> bool) {
        for (index, bucket) in self.buckets.iter_mut().enumerate() {
            let before = bucket.len();
            bucket.retain(&mut *keep);
            self.len -= before - bucket.len();
            if bucket.is_empty() {
                self.occupied[index / BUCKETS] &= !(1 << (index % BUCKETS));
            }
        }
    }
}
