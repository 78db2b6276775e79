//! Calls: requests that a node sends because of another request, their parent.
//!
//! A call has a row of the pool, and travels, waits and is served like any other request. What only calls need is in a
//! component of its own, [`CallState`], in the same row. Requests have it only if a node of the scenario has a program.
//!
//! A request waits for one call, or for some of several calls that it made at once: for all, for the first, or for a
//! quorum. It goes on when enough of them have succeeded, or when too many have failed for that.
//!
//! A parent that has ended, or stopped waiting, does not undo the work: the call stays where it is and ends like any other,
//! without effect on its parent. Unless a [cancellation](Cancellation) follows it: that takes the same links, and so may
//! come too late.

use bevy_ecs::prelude::*;

use super::progress::{Phase, Progress};
use super::{Outcome, Request, RequestsView};
use crate::engine::queue::EventKey;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{NO_LINK, Node, RequestRow};

/// The relation of a request to calls: its parent if it is a call, and the calls that it waits for.
#[derive(Component, Clone, Copy, Debug)]
pub struct CallState {
    /// The request that made this call, or [`RequestRow::NONE`] if this is a request of a source. Another request may
    /// use the row by now: only a parent that awaits this call is known to be there.
    pub(super) parent: RequestRow,
    /// The lower 32 bits of the number of the parent.
    pub(super) parent_number: u32,
    /// The first of the calls that the request waits for, or [`RequestRow::NONE`] if none is left.
    first_awaited: RequestRow,
    /// The neighbours of this call among those that its parent waits for.
    siblings: [RequestRow; 2],
    /// How many of the calls that the request waits for have to succeed before it goes on; 0 if it does not wait.
    needed: u16,
    /// How many of them are still to come back. A call that was lost unknown to its caller is one of them.
    outstanding: u16,
    /// Whether the parent waits for the end of this call, or, when the call has ended, waited for it.
    pub is_awaited: bool,
    /// Whether the parent waited for this call and has given it up, or does not need it any more.
    is_abandoned: bool,
    /// Whether it has left a queue in which it still has a place: its row is not freed as long as it has.
    pub(super) is_gone: bool,
    /// The row of the link that has lost the call that the request waits for, unknown to it; [`NO_LINK`] if none has.
    lost_by: u32,
    /// When the request of a source was created for which the call is made, directly or by other calls.
    origin: SimTime,
    /// Time that the request, and the calls that it waited for, spent on calls that were given up.
    pub(super) given_up: SimDuration,
    /// The timeout of its wait for a call, the end of its service if it may be cancelled, or the end of its patience;
    /// [`EventKey::NONE`] if there is none.
    pub(super) pending: EventKey,
}

/// Where a call is that a cancellation may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallPlace {
    /// No cancellation follows it.
    Untracked,
    /// On its way, or passed on.
    Between,
    /// In the queue of a node.
    Queued,
    /// In a slot of a node.
    InSlot,
    /// On its way, but the next node discards it.
    Cancelled,
}

impl CallState {
    /// The state of a free row.
    pub(super) const FREE: Self = Self {
        parent: RequestRow::NONE,
        parent_number: 0,
        first_awaited: RequestRow::NONE,
        siblings: [RequestRow::NONE; 2],
        needed: 0,
        outstanding: 0,
        is_awaited: false,
        is_abandoned: false,
        is_gone: false,
        lost_by: NO_LINK,
        origin: SimTime::ZERO,
        given_up: SimDuration::ZERO,
        pending: EventKey::NONE,
    };

    /// Whether the request is a call.
    #[must_use]
    #[inline]
    pub const fn is_call(&self) -> bool {
        !self.parent.is_none()
    }
}

/// A cancellation on its way: a message that follows a call over the links that it took.
#[derive(Clone, Copy, Debug)]
pub struct Cancellation {
    /// The call.
    pub call: RequestRow,
    /// The lower 32 bits of its number: another request may use its row by now.
    pub(super) number: u32,
    /// Number of links that it has passed.
    pub(super) passed: u8,
}

/// The cancellations on their way. Events refer to them by number.
#[derive(Clone, Debug, Default)]
pub(super) struct Cancellations {
    all: Vec<Cancellation>,
    free: Vec<u32>,
}

impl Cancellations {
    /// Adds a cancellation. Returns its number.
    pub(super) fn add(&mut self, cancellation: Cancellation) -> u32 {
        if let Some(number) = self.free.pop() {
            self.all[number as usize] = cancellation;
            return number;
        }
        self.all.push(cancellation);
        u32::try_from(self.all.len() - 1).expect("there are fewer cancellations than requests")
    }

    /// Removes the cancellation with a number.
    pub(super) fn remove(&mut self, number: u32) -> Cancellation {
        self.free.push(number);
        self.all[number as usize]
    }
}

/// The part of the pool that concerns calls.
impl RequestsView<'_> {
    /// Creates a call: a request with a parent, from which it inherits source and key.
    ///
    /// # Panics
    /// If there is no free row: check [`RequestsView::has_room`] before the event is handled.
    pub fn create_call(&mut self, now: SimTime, parent: RequestRow) -> RequestRow {
        let Request { source, key, number, .. } = self.rows[parent];
        let origin = self.origin(parent);
        let call = self.create(now, source, key);
        self.calls[call] = CallState { parent, parent_number: number, origin, ..CallState::FREE };
        if let Some(calls) = &mut self.pool.calls {
            calls.offered += 1;
        }
        call
    }

    /// When the request of a source was created that a request is, or for which it is a call.
    fn origin(&self, row: RequestRow) -> SimTime {
        self.calls
            .get(row)
            .filter(|state| state.is_call())
            .map_or(self.rows[row].created, |state| state.origin)
    }

    /// The deadline of a request: that of the request of a source that it is, or for which it is a call. [`SimTime::MAX`]
    /// if it has none.
    #[must_use]
    pub fn deadline(&self, row: RequestRow) -> SimTime {
        let deadline = self.attributes(row).deadline;
        deadline.map_or(SimTime::MAX, |deadline| self.origin(row) + deadline)
    }

    /// Notes that a request leaves a queue in which it still has a place. Its row is then not freed when the request ends,
    /// but when it [gives up its place](Self::give_up_place). Only if a node runs steps.
    pub fn set_gone(&mut self, row: RequestRow) {
        self.calls[row].is_gone = true;
    }

    /// Whether a request has left a queue in which it still has a place.
    #[must_use]
    pub fn is_gone(&self, row: RequestRow) -> bool {
        self.calls.get(row).is_some_and(|state| state.is_gone)
    }

    /// Lets a request that is [gone](Self::is_gone) give up its place in the queue.
    pub fn give_up_place(&mut self, row: RequestRow) {
        self.calls[row].is_gone = false;
        if !self.rows[row].is_in_flight() {
            self.free(row);
        }
    }

    /// The relation of a request to calls, or `None` if no node runs steps.
    #[inline]
    #[must_use]
    pub fn call_state(&self, row: RequestRow) -> Option<&CallState> {
        self.calls.get(row)
    }

    /// Whether a response that has reached a node is that to a call of the node: to a call whose return path is empty.
    #[inline]
    #[must_use]
    pub fn is_back_from_call(&self, row: RequestRow) -> bool {
        self.calls.get(row).is_some_and(CallState::is_call) && self.rows[row].depth == 0
    }

    /// Makes a request wait until `needed` (1 or more) of the calls that follow with [`await_call`](Self::await_call) have
    /// succeeded. `timeout` is the event that ends the wait, or [`EventKey::NONE`].
    pub fn begin_wait(&mut self, now: SimTime, parent: RequestRow, needed: u16, timeout: EventKey) {
        let waiting = &mut self.calls[parent];
        (waiting.needed, waiting.outstanding, waiting.pending) = (needed, 0, timeout);
        waiting.lost_by = NO_LINK;
        self.rows[parent].since = now;
    }

    /// Adds a call to those that its parent waits for. If it `may_be_cancelled`, it is tracked where it is.
    pub fn await_call(&mut self, call: RequestRow, may_be_cancelled: bool) {
        let parent = self.calls[call].parent;
        let next = std::mem::replace(&mut self.calls[parent].first_awaited, call);
        self.calls[parent].outstanding += 1;
        let state = &mut self.calls[call];
        (state.is_awaited, state.siblings) = (true, [RequestRow::NONE, next]);
        if may_be_cancelled {
            self.progress[call].place = CallPlace::Between;
        }
        if !next.is_none() {
            self.calls[next].siblings[0] = call;
        }
    }

    /// Removes a call from those that its parent waits for.
    fn unlink(&mut self, call: RequestRow) {
        let CallState { parent, siblings: [before, after], .. } = self.calls[call];
        if before.is_none() {
            self.calls[parent].first_awaited = after;
        } else {
            self.calls[before].siblings[1] = after;
        }
        if !after.is_none() {
            self.calls[after].siblings[0] = before;
        }
        self.calls[call].is_awaited = false;
    }

    /// Takes the event that is pending for a request: the timeout of its wait, the end of its service if that may be
    /// cancelled, or the end of its patience. [`EventKey::NONE`] if there is none.
    pub fn take_pending(&mut self, row: RequestRow) -> EventKey {
        std::mem::replace(&mut self.calls[row].pending, EventKey::NONE)
    }

    /// Where a call is, if it may be cancelled. Only if a node runs steps.
    #[inline]
    #[must_use]
    pub fn place(&self, row: RequestRow) -> CallPlace {
        self.progress[row].place
    }

    /// Whether the event at the end of what a request does may have to be cancelled: it is a call that a cancellation may
    /// follow, or its service may be interrupted.
    #[must_use]
    pub fn is_tracked(&self, row: RequestRow) -> bool {
        self.progress
            .get(row)
            .is_some_and(|progress| progress.place != CallPlace::Untracked || progress.left.is_some())
    }

    /// Notes that a service that may be interrupted ends at this time, later than was known when it began.
    pub fn extend_left(&mut self, row: RequestRow, end: SimTime) {
        let since = self.rows[row].since;
        if let Some(left) = &mut self.progress[row].left {
            *left = end.since(since);
        }
    }

    /// Whether a request is a call that has been cancelled on its way.
    #[inline]
    #[must_use]
    pub fn is_cancelled(&self, row: RequestRow) -> bool {
        self.progress.get(row).is_some_and(|progress| progress.place == CallPlace::Cancelled)
    }

    /// Notes where a call is that may be cancelled. No effect on other requests, for which it returns false.
    #[inline]
    pub fn set_place(&mut self, row: RequestRow, place: CallPlace) -> bool {
        let tracked = self.progress.get_mut(row).filter(|progress| progress.place != CallPlace::Untracked);
        let is_tracked = tracked.is_some();
        tracked.into_iter().for_each(|progress| progress.place = place);
        is_tracked
    }

    /// Notes an event that is pending for a request: the end of its service or of its patience, which may be cancelled.
    pub fn set_pending(&mut self, row: RequestRow, event: EventKey) {
        self.calls[row].pending = event;
    }

    /// Begins a cancellation of a call that its parent has given up. Returns its number.
    pub fn begin_cancellation(&mut self, call: RequestRow) -> u32 {
        self.pool.cancellations.add(Cancellation { call, number: self.rows[call].number, passed: 0 })
    }

    /// Takes a cancellation that has reached a node: `None` if its call has ended, or is on its way back.
    pub fn take_cancellation(&mut self, number: u32) -> Option<Cancellation> {
        let cancellation = self.pool.cancellations.remove(number);
        let call = &self.rows[cancellation.call];
        let is_there = call.is_in_flight() && call.number == cancellation.number;
        (is_there && call.depth >= cancellation.passed).then_some(cancellation)
    }

    /// Lets a cancellation pass the next link of its call. Returns the hop of that link and the number of the
    /// cancellation; or `None` if there is none: the node where it is, is the last one that the call was sent to.
    pub fn pass_on(&mut self, cancellation: Cancellation) -> Option<(u32, u32)> {
        let Cancellation { call, passed, .. } = cancellation;
        let hop = (self.rows[call].depth > passed).then(|| self.hop(call, passed.into()))?;
        let next = Cancellation { passed: passed + 1, ..cancellation };
        Some((hop, self.pool.cancellations.add(next)))
    }

    /// Removes a cancellation that was lost.
    pub fn lose_cancellation(&mut self, number: u32) {
        self.pool.cancellations.remove(number);
    }

    /// The requests and branches that take steps at nodes, in order of creation. Visits the whole pool, so use it for rare
    /// operations only.
    #[cold]
    #[must_use]
    pub fn in_steps(&self, is_held_by: impl Fn(Node) -> bool) -> Vec<RequestRow> {
        let rows = (0..).zip(self.progress.iter()).filter(|(_, progress)| progress.phase != Phase::Outside);
        let rows = rows.map(|(row, _)| RequestRow::new(row));
        let mut held: Vec<RequestRow> = rows.filter(|row| is_held_by(self.rows[*row].server)).collect();
        held.sort_by_key(|row| self.pool.id(self.rows[*row].number));
        held
    }

    /// Makes a request stop waiting for its calls. Those that are still out then end without effect on it: passes each
    /// that may be cancelled to `cancel`, in the order in which they were made.
    pub fn abandon_calls(&mut self, parent: RequestRow, mut cancel: impl FnMut(&mut Self, RequestRow)) {
        let mut last = RequestRow::NONE;
        let mut call = self.calls[parent].first_awaited;
        while !call.is_none() {
            (last, call) = (call, self.calls[call].siblings[1]);
        }
        while !last.is_none() {
            let call = last;
            last = self.calls[call].siblings[0];
            self.unlink(call);
            self.calls[call].is_abandoned = true;
            if self.place(call) != CallPlace::Untracked {
                cancel(self, call);
            }
        }
        let state = &mut self.calls[parent];
        (state.needed, state.outstanding) = (0, 0);
    }

    /// Whether the work on a request is in vain: it is a call, or made for one by other calls, that its caller has given up.
    #[must_use]
    pub fn is_in_vain(&self, row: RequestRow) -> bool {
        let mut state = self.calls.get(row);
        while let Some(call) = state.filter(|call| call.is_awaited) {
            state = self.calls.get(call.parent);
        }
        state.is_some_and(|call| call.is_abandoned)
    }

    /// Accounts the wait of a request for calls as time spent on calls that were given up.
    pub fn give_up_wait(&mut self, now: SimTime, parent: RequestRow) {
        self.calls[parent].given_up += now.since(self.rows[parent].since);
    }

    /// The link that had lost the call that a request has waited for, or `None` if none had.
    pub fn take_lost_by(&mut self, parent: RequestRow) -> Option<u32> {
        let by = std::mem::replace(&mut self.calls[parent].lost_by, NO_LINK);
        (by != NO_LINK).then_some(by)
    }

    /// Ends a call that the link `by` lost if its caller waits with a timeout: it does not know of the loss, and waits on.
    /// Returns whether it does.
    pub fn lose_silently(&mut self, now: SimTime, call: RequestRow, by: u32) -> bool {
        let CallState { parent, is_awaited, .. } = self.calls[call];
        let has_timeout = is_awaited && self.calls[parent].pending != EventKey::NONE;
        if has_timeout {
            self.unlink(call);
            self.calls[parent].lost_by = by;
            self.finish_call(now, call, Outcome::Dropped);
        }
        has_timeout
    }

    /// Fails a request or a call that is nowhere any more. Returns the hop to its source or its caller, which learns it from a
    /// response without delay.
    pub fn fail(&mut self, row: RequestRow, outcome: Outcome) -> u32 {
        let is_call = self.call_state(row).is_some_and(CallState::is_call);
        let request = &mut self.rows[row];
        request.outcome = Some(outcome);
        // The return path of a call begins with the hop to its caller, which is inline.
        let first = if is_call { request.hops[0] } else { u32::from(request.source) };
        request.depth = 0;
        first
    }

    /// Ends a call and frees its row. Returns its parent if that goes on: if it waited for this call, and if it is now
    /// known whether enough of its calls succeed, which they do if this one did. The latency breakdown of the parent then
    /// includes that of the call, which took as long as the parent waited.
    pub fn finish_call(&mut self, now: SimTime, call: RequestRow, outcome: Outcome) -> Option<RequestRow> {
        let CallState { parent, is_awaited, given_up, .. } = self.calls[call];
        if self.pool.request_log.keeps_calls() {
            self.log(now, call, outcome);
        }
        if let Some(calls) = &mut self.pool.calls {
            calls.count(outcome);
        }
        if is_awaited {
            self.unlink(call);
        }
        self.reset_steps(call);
        self.free(call);
        let Request { waiting, service, .. } = self.rows[call];
        self.rows[call].outcome = None;
        if !is_awaited {
            return None;
        }
        let state = &mut self.calls[parent];
        state.outstanding -= 1;
        if !outcome.is_failure() {
            state.needed -= 1;
        }
        let goes_on = state.needed == 0 || state.needed > state.outstanding;
        goes_on.then(|| {
            state.needed = 0;
            state.given_up += given_up;
            let request = &mut self.rows[parent];
            request.waiting += waiting;
            request.service += service;
            parent
        })
    }

    /// Resets what a request that has ended has only if a node runs steps.
    pub fn reset_steps(&mut self, row: RequestRow) {
        if let Some(state) = self.calls.get_mut(row) {
            *state = CallState { is_gone: state.is_gone, ..CallState::FREE };
            self.progress[row] = Progress::NONE;
        }
    }
}
