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

/// Number of messages to send before the count is brought up to date although nobody looks at it.
const MAX_RECENT: usize = 64;

/// What is on its way in one direction of a link.
#[derive(Clone, Debug, Default)]
pub struct Transit {
    /// The line, or `None` if the bandwidth is unlimited.
    pub line: Option<Line>,
    /// Number of messages in transit, over time. Its level is up to date after [`advance`](Self::advance), its maximum too
    /// high.
    pub messages: TimeWeighted,
    /// Their bytes, likewise.
    pub bytes: TimeWeighted<u64>,
    /// When messages arrive that were on their way when the count was brought up to date last, and are not on the line any
    /// more, with their sizes.
    arrivals: BinaryHeap<Reverse<(SimTime, u32)>>,
    /// The same for those that were sent since, in no particular order.
    recent: Vec<(SimTime, u32)>,
}

impl Transit {
    /// Nothing, over this line.
    pub(super) fn new(line: Option<Line>) -> Self {
        Self { line, ..Self::default() }
    }

    /// Accounts for the messages that have arrived by now.
    pub fn advance(&mut self, now: SimTime) {
        while let Some(&Reverse((at, size))) = self.arrivals.peek()
            && at <= now
        {
            self.arrivals.pop();
            self.arrived(at, size);
        }
        while let Some((at, size)) = self.recent.pop() {
            if at <= now {
                self.arrived(at, size);
            } else {
                self.arrivals.push(Reverse((at, size)));
            }
        }
    }

    fn arrived(&mut self, at: SimTime, size: u32) {
        self.messages.decrement(at);
        self.bytes.subtract(at, size.into());
    }

    /// Notes when a message arrives that is not on the line any more.
    fn expect(&mut self, now: SimTime, at: SimTime, size: u32) {
        if self.recent.len() >= MAX_RECENT {
            self.advance(now);
        }
        self.recent.push((at, size));
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
        self.messages.increment(now);
        self.bytes.add(now, size.into());
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
        self.messages.restart(now);
        self.bytes.restart(now);
        self.line.iter_mut().for_each(|line| line.restart(now));
    }
}
