//! Messages in transit: those that have left their sender and not yet arrived.
//!
//! They are counted only on links with a bandwidth and on those that a probe watches: a count needs the times at which they
//! arrive. Most messages arrive before anybody looks at the count, so the times are put in order only when somebody does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::line::Line;
use crate::engine::queue::EventQueue;
use crate::engine::statistics::TimeWeighted;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::PackedEvent;
use crate::model::trace::Passage;

/// Number of messages whose times are not put in order.
const MAX_UNORDERED: usize = 32;

/// What is on its way in one direction of a link.
#[derive(Clone, Debug)]
pub struct Transit {
    /// The line, or `None` if the bandwidth is unlimited.
    pub line: Option<Line>,
    /// Number of messages and bytes that have not arrived by the last time when somebody looked.
    now: (u64, u64),
    /// The same over time, if there is a line.
    over_time: Option<Box<[TimeWeighted<u64>; 2]>>,
    /// When messages arrive that are not on the line any more, with their sizes: some in no particular order, the others in
    /// a heap.
    unordered: Vec<(SimTime, u32)>,
    ordered: BinaryHeap<Reverse<(SimTime, u32)>>,
}

impl Transit {
    /// Nothing, over this line.
    pub(super) fn new(line: Option<Line>) -> Self {
        let over_time = line.is_some().then(Box::default);
        Self { line, now: (0, 0), over_time, unordered: Vec::new(), ordered: BinaryHeap::new() }
    }

    /// Number of messages in transit. Up to date after [`advance`](Self::advance).
    #[must_use]
    pub const fn messages(&self) -> u64 {
        self.now.0
    }

    /// Number of their bytes. Up to date after [`advance`](Self::advance).
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.now.1
    }

    /// The mean numbers of messages and bytes in transit; `None` if there is no line, or if no time has elapsed. Up to date
    /// after [`advance`](Self::advance).
    #[must_use]
    pub fn means(&self, now: SimTime, elapsed: SimDuration) -> [Option<f64>; 2] {
        let mean = |level: &TimeWeighted<u64>| level.mean(now, elapsed);
        self.over_time.as_deref().map_or([None; 2], |both| both.each_ref().map(mean))
    }

    /// Accounts for the messages that have arrived by now.
    pub fn advance(&mut self, now: SimTime) {
        while let Some(&Reverse((at, size))) = self.ordered.peek()
            && at <= now
        {
            self.ordered.pop();
            self.arrived(at, size);
        }
        let mut kept = 0;
        for index in 0..self.unordered.len() {
            let (at, size) = self.unordered[index];
            if at <= now {
                self.arrived(at, size);
            } else {
                self.unordered[kept] = (at, size);
                kept += 1;
            }
        }
        self.unordered.truncate(kept);
    }

    fn sent(&mut self, at: SimTime, size: u32) {
        self.now = (self.now.0 + 1, self.now.1 + u64::from(size));
        if let Some([messages, bytes]) = self.over_time.as_deref_mut() {
            messages.add(at, 1);
            bytes.add(at, size.into());
        }
    }

    fn arrived(&mut self, at: SimTime, size: u32) {
        self.now = (self.now.0 - 1, self.now.1 - u64::from(size));
        if let Some([messages, bytes]) = self.over_time.as_deref_mut() {
            messages.subtract(at, 1);
            bytes.subtract(at, size.into());
        }
    }

    /// Notes when a message arrives that is not on the line any more.
    #[inline]
    fn expect(&mut self, now: SimTime, at: SimTime, size: u32) {
        if self.unordered.len() >= MAX_UNORDERED {
            self.advance(now);
            self.ordered.extend(self.unordered.drain(..).map(Reverse));
        }
        self.unordered.push((at, size));
    }

    /// Sends a message of this size, which arrives this time after its transfer.
    pub(super) fn send(
        &mut self,
        now: SimTime,
        queue: &mut EventQueue<PackedEvent>,
        message: PackedEvent,
        size: u32,
        latency: SimDuration,
    ) -> Passage {
        self.sent(now, size);
        if let Some(line) = &mut self.line {
            line.begin(now, queue, message, size, latency);
            return Passage::Transferred;
        }
        let arrives = now + latency;
        queue.schedule(arrives, message);
        self.expect(now, arrives, size);
        Passage::Arrives(arrives)
    }

    /// Ends a transfer. Returns the message and the time at which it arrives; or `None` if no transfer is due.
    pub(super) fn end_transfer(
        &mut self,
        now: SimTime,
        queue: &mut EventQueue<PackedEvent>,
    ) -> Option<(PackedEvent, SimTime)> {
        let transfer = self.line.as_mut()?.end(now, queue)?;
        let arrives = now + transfer.latency;
        self.expect(now, arrives, transfer.size);
        Some((transfer.message, arrives))
    }

    /// Resets statistics at the end of the warm-up.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.advance(now);
        self.over_time.iter_mut().flat_map(|both| both.iter_mut()).for_each(|level| level.restart(now));
        self.line.iter_mut().for_each(|line| line.restart(now));
    }
}
