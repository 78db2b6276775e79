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

    /// Key of the next event of the run, or `u128::MAX` if it is empty.
    #[inline]
    pub(super) fn run_key(&self) -> u128 {
        self.run.last().map_or(u128::MAX, Scheduled::key)
    }

    /// Key of the next event of the heap, or `u128::MAX` if it is empty.
    pub(super) fn heap_key(&self) -> u128 {
        self.heap.first().map_or(u128::MAX, Scheduled::key)
    }

    /// Removes and returns the next event of the run.
    #[inline]
    pub(super) fn pop_run(&mut self) -> Scheduled<E> {
        self.run.pop().expect("the run has a last event")
    }

    /// Moves the next event of the heap, which is the next of all, to the end of the run. Returns false if the heap is
    /// empty.
    pub(super) fn move_heap_top_to_run(&mut self) -> bool {
        if self.heap.is_empty() {
            return false;
        }
        let top = self.pop_heap();
        self.run.push(top);
        true
    }

    /// Adds an event if its place is near the end of the run. Returns whether it is.
    #[inline(always)]
    pub(super) fn insert_near_end(&mut self, scheduled: Scheduled<E>) -> bool {
        let key = scheduled.key();
        let length = self.run.len();
        if length > NEAR_END && self.run[length - NEAR_END].key() < key {
            return false;
        }
        // An insertion step: moves earlier events by one place, in a plain loop, as they are rarely more than a few.
        self.run.push(scheduled);
        let run = self.run.as_mut_slice();
        let mut place = length;
        while place > 0 && run[place - 1].key() < key {
            run[place] = run[place - 1];
            place -= 1;
        }
        run[place] = scheduled;
        true
    }

    /// Adds an event.
    pub(super) fn insert(&mut self, scheduled: Scheduled<E>) {
        if !self.insert_near_end(scheduled) {
            self.push_heap(scheduled);
        }
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

    pub(super) fn push_heap(&mut self, scheduled: Scheduled<E>) {
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
