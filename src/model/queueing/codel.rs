//! Controlled delay: first in, first out, but requests are shed while all of them wait longer than a target.
//!
//! When the waits have been above the target for a whole interval, the request that is next is shed; further ones follow,
//! at times that come closer and closer, until a wait is below the target. So the queue absorbs bursts, but does not stand.
//! Nichols and Jacobson: "Controlling queue delay", ACM Queue, 2012; the algorithm of RFC 8289, section 5.

use super::fifo::FifoQueue;
use super::{Discipline, Queue, Turn};
use crate::engine::random::RandomStream;
use crate::engine::spec_error::SpecError;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;
use crate::request::RequestsView;

discipline! {
    /// The parameters of the discipline, as written in a scenario.
    CoDel {
        /// The wait that is acceptable (above 0); 5 ms by default, as for packets.
        #[serde(default = "default_target")]
        pub target: SimDuration,
        /// For how long the waits are above the target before the first request is shed (above 0); 100 ms by default.
        #[serde(default = "default_interval")]
        pub interval: SimDuration,
    }
}

const fn default_target() -> SimDuration {
    SimDuration::from_nanos(5_000_000)
}

const fn default_interval() -> SimDuration {
    SimDuration::from_nanos(100_000_000)
}

impl Discipline for CoDel {
    type Queue = Box<CoDelQueue>;

    fn check(&self) -> Result<(), SpecError> {
        for (field, time) in [("target", self.target), ("interval", self.interval)] {
            if time.is_zero() {
                return Err(SpecError::at(field, "it has to be longer than \"0s\""));
            }
        }
        Ok(())
    }

    fn sheds(&self) -> bool {
        true
    }

    fn queue(&self, _: impl FnOnce() -> RandomStream) -> Box<CoDelQueue> {
        Box::new(CoDelQueue {
            waiting: FifoQueue::EMPTY,
            parameters: (self.target, self.interval),
            due: None,
            next_shed: None,
            next_before: SimTime::ZERO,
            count: 0,
            count_before: 0,
        })
    }

    fn adapt(&self, queue: &mut Box<CoDelQueue>) {
        queue.parameters = (self.target, self.interval);
    }
}

/// The waiting requests, and the state of the controller. The names in RFC 8289 stand in parentheses.
#[derive(Clone, Debug)]
pub(super) struct CoDelQueue {
    waiting: FifoQueue,
    /// Target and interval.
    parameters: (SimDuration, SimDuration),
    /// When the waits will have been above the target for an interval; `None` if the last one was below (`first_above_time`).
    due: Option<SimTime>,
    /// When the next request is shed; `None` if none is (`dropping`, `drop_next`).
    next_shed: Option<SimTime>,
    /// The same of the last time at which requests were shed.
    next_before: SimTime,
    /// Number of requests shed since it began to (`count`).
    count: u32,
    /// The same when it began (`lastcount`).
    count_before: u32,
}

/// Number of intervals after which it begins anew, and does not go on where it stopped.
const MEMORY: u64 = 16;

impl CoDelQueue {
    /// Removes the first request. Returns it, and whether it may be shed.
    fn take(&mut self, requests: &RequestsView<'_>, now: SimTime) -> Option<(RequestRow, bool)> {
        let (target, interval) = self.parameters;
        let Some(row) = self.waiting.pop_front(requests) else {
            self.due = None;
            return None;
        };
        if requests.is_gone(row) {
            return Some((row, false));
        }
        // The last one that waits is not shed: without it, the server would have nothing to do.
        if now.since(requests.get(row).since) < target || self.waiting.is_empty() {
            self.due = None;
            return Some((row, false));
        }
        let may_be_shed = self.due.is_some_and(|due| due <= now);
        self.due.get_or_insert(now + interval);
        Some((row, may_be_shed))
    }

    /// The time of the next shedding after one at this time: the more requests have been shed, the sooner.
    fn next_after(&self, time: SimTime) -> SimTime {
        let interval = self.parameters.1.as_nanos() as f64;
        time + SimDuration::from_nanos_f64(interval / f64::from(self.count.max(1)).sqrt())
    }
}

impl Queue for Box<CoDelQueue> {
    fn push(&mut self, requests: &mut RequestsView<'_>, row: RequestRow) {
        self.waiting.push_back(requests, row);
    }

    fn pop(&mut self, requests: &mut RequestsView<'_>, turn: &mut Turn<'_>) -> Option<RequestRow> {
        let now = turn.now;
        let (mut row, mut may_be_shed) = self.take(requests, now)?;
        if requests.is_gone(row) {
            return Some(row);
        }
        if !may_be_shed {
            self.next_shed = None;
            return Some(row);
        }
        if self.next_shed.is_none() {
            turn.shed.push(row);
            let since_then = self.count - self.count_before;
            let is_soon = now.since(self.next_before).as_nanos() / MEMORY < self.parameters.1.as_nanos();
            self.count = if since_then > 1 && is_soon { since_then } else { 1 };
            self.count_before = self.count;
            let next = self.next_after(now);
            (self.next_shed, self.next_before) = (Some(next), next);
            return self.take(requests, now).map(|(row, _)| row);
        }
        while let Some(next) = self.next_shed.filter(|next| *next <= now) {
            turn.shed.push(row);
            self.count += 1;
            (row, may_be_shed) = self.take(requests, now)?;
            if requests.is_gone(row) {
                return Some(row);
            }
            let next = self.next_after(next);
            self.next_before = next;
            self.next_shed = may_be_shed.then_some(next);
        }
        Some(row)
    }

    fn remove_gone(&mut self, requests: &mut RequestsView<'_>) -> Vec<RequestRow> {
        self.waiting.remove_gone(requests)
    }
}
