//! The near queue: the events of the current window of time, in order.
//!
//! A run is sorted once and consumed from its end. An event that is added later goes into the run if its place is near
//! the end (the near future), and otherwise into a heap beside it.

use super::Scheduled;

/// An event is inserted into the run if its place is among this many at the end: moving so few is cheaper than a heap.
const NEAR_END: usize = 24;

/// Children per node of the heap: four fit in one or two cache lines, and halve the depth of a binary heap.
const ARITY: usize = 4;

/// Events of the current window.
#[derive(Clone, Debug)]
pub(super) struct NearQueue<E> {
    /// Descending, so that the next event is the last.
    run: Vec<Scheduled<E>>,
    /// A 4-ary heap (D. B. Johnson, "Priority queues with update and finding minimum spanning trees", 1975).
    heap: Vec<Scheduled<E>>,
}

impl<E> Default for NearQueue<E> {
    fn default() -> Self {
        Self { run: Vec::new(), heap: Vec::new() }
    }
}

impl<E: Copy> NearQueue<E> {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.run.len() + self.heap.len()
    }

    /// Key of the next event, or `u128::MAX` if there is none.
    #[inline]
    pub(super) fn peek(&self) -> u128 {
        let run = self.run.last().map_or(u128::MAX, Scheduled::key);
        let heap = self.heap.first().map_or(u128::MAX, Scheduled::key);
        run.min(heap)
    }

    /// Removes and returns the next event.
    #[inline]
    pub(super) fn pop(&mut self) -> Scheduled<E> {
        match (self.run.last(), self.heap.first()) {
            (Some(run), Some(heap)) if heap.key() < run.key() => self.pop_heap(),
            (None, _) => self.pop_heap(),
            (Some(_), _) => self.run.pop().expect("the run has a last event"),
        }
    }

    #[inline]
    pub(super) fn insert(&mut self, scheduled: Scheduled<E>) {
        let key = scheduled.key();
        let later = |other: &Scheduled<E>| other.key() > key;
        let near_end = self.run.len().saturating_sub(NEAR_END);
        if !self.run.get(near_end).is_none_or(later) && near_end > 0 {
            return self.push_heap(scheduled);
        }
        // An insertion step: moves earlier events by one place, in a plain loop, as they are rarely more than a few.
        self.run.push(scheduled);
        let mut place = self.run.len() - 1;
        while place > 0 && !later(&self.run[place - 1]) {
            self.run[place] = self.run[place - 1];
            place -= 1;
        }
        self.run[place] = scheduled;
    }

    /// Replaces the run, which is used up, by the events of `bucket`, and leaves its memory in `bucket`.
    pub(super) fn refill(&mut self, bucket: &mut Vec<Scheduled<E>>) {
        debug_assert!(self.run.is_empty(), "the next window is opened when the run is used up");
        std::mem::swap(&mut self.run, bucket);
        self.run.sort_unstable_by_key(|scheduled| std::cmp::Reverse(scheduled.key()));
    }

    /// Removes and returns all events, in no particular order.
    pub(super) fn take_all(&mut self) -> Vec<Scheduled<E>> {
        let mut all = std::mem::take(&mut self.run);
        all.append(&mut self.heap);
        all
    }

    pub(super) fn retain(&mut self, keep: &mut impl FnMut(&Scheduled<E>) -> bool) {
        self.run.retain(&mut *keep);
        for scheduled in std::mem::take(&mut self.heap) {
            if keep(&scheduled) {
                self.push_heap(scheduled);
            }
        }
    }

    fn push_heap(&mut self, scheduled: Scheduled<E>) {
        let mut hole = self.heap.len();
        self.heap.push(scheduled);
        while hole > 0 {
            let parent = (hole - 1) / ARITY;
            if self.heap[parent].key() <= scheduled.key() {
                break;
            }
            self.heap[hole] = self.heap[parent];
            hole = parent;
        }
        self.heap[hole] = scheduled;
    }

    fn pop_heap(&mut self) -> Scheduled<E> {
        let top = self.heap.swap_remove(0);
        let Some(&sinking) = self.heap.first() else { return top };
        let mut hole = 0;
        loop {
            let first = hole * ARITY + 1;
            let children = self.heap[first.min(self.heap.len())..].iter().take(ARITY);
            let earliest = children.enumerate().min_by_key(|(_, child)| child.key());
            let Some((offset, &child)) = earliest.filter(|(_, child)| child.key() < sinking.key()) else {
                break;
            };
            self.heap[hole] = child;
            hole = first + offset;
        }
        self.heap[hole] = sinking;
        top
    }
}
