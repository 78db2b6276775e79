//! The pool of requests: rows that are taken and given back. Requests are never spawned or despawned one by one.

use bevy_ecs::bundle::NoBundleEffect;
use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

use super::call::{CallPlace, CallState, Cancellation, Cancellations, LOST};
use super::request_log::RequestLog;
use super::{INLINE_HOPS, Outcome, OutcomeCounts, Parent, Request, RequestRecord, RequestSize};
use crate::engine::queue::EventKey;
use crate::engine::row::{Column, column};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{InPool, Node, RequestRow};

/// The state of the pool: the free rows, the return hops that do not fit into requests, and the request log.
#[derive(Resource, Debug, Default)]
pub struct RequestPool {
    free: Vec<RequestRow>,
    /// Return hops that do not fit into the requests: `spilled` of them for each row.
    spilled_hops: Vec<u32>,
    spilled: usize,
    sized: bool,
    created: u64,
    /// Number of rows, free ones included.
    rows: usize,
    /// Maximum number of rows.
    max_rows: usize,
    /// Number of free rows that handling an event may take.
    reserve: usize,
    /// The calls by outcome, or `None` if no node makes calls.
    calls: Option<OutcomeCounts>,
    /// The cancellations that follow calls.
    cancellations: Cancellations,
    /// Records of requests that have ended.
    pub request_log: RequestLog,
}

/// What the requests of a scenario need from their pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolNeeds {
    /// Maximum number of nodes that a request passes after its source, or a call, its caller included.
    pub max_hops: usize,
    /// Whether requests have a size.
    pub sized: bool,
    /// Maximum number of calls that a node makes at once: 0 if no node makes calls.
    pub calls: usize,
    /// Maximum number of requests in flight, calls included (at least 1).
    pub max_in_flight: u64,
}

/// Memory that the requests in flight may take by default, in bytes. 8 GiB hold it with everything else.
const DEFAULT_MEMORY: u64 = 6_800_000_000;
/// Memory of a request in flight with its event and its free row, in bytes. Measured: 145 to 172.
const BYTES_PER_REQUEST: u64 = 170;
/// Memory of a return hop, in bytes.
const BYTES_PER_HOP: u64 = 4;
/// Memory of the relation of a request to calls, in bytes.
const BYTES_PER_CALL_STATE: u64 = size_of::<CallState>() as u64;

/// Default maximum number of requests in flight: 40 million, or fewer if they pass more than two nodes after their
/// source, or if nodes make calls. It does not depend on the machine, so that a run stops at the same event everywhere.
#[must_use]
pub fn default_max_in_flight(max_hops: usize, makes_calls: bool) -> u64 {
    let spilled = max_hops.saturating_sub(INLINE_HOPS) as u64;
    let call_state = if makes_calls { BYTES_PER_CALL_STATE } else { 0 };
    DEFAULT_MEMORY / (BYTES_PER_REQUEST + BYTES_PER_HOP * spilled + call_state)
}

impl RequestPool {
    /// An empty pool. `request_log` keeps the records of requests that have ended.
    #[must_use]
    pub fn new(needs: PoolNeeds, request_log: RequestLog) -> Self {
        let PoolNeeds { max_hops, sized, calls, max_in_flight } = needs;
        let spilled = max_hops.saturating_sub(INLINE_HOPS);
        let max_rows = usize::try_from(max_in_flight.clamp(1, u64::from(u32::MAX - 1))).unwrap_or(usize::MAX);
        let reserve = calls.max(1);
        let calls = (calls > 0).then(OutcomeCounts::default);
        Self { spilled, sized, max_rows, reserve, calls, request_log, ..Self::default() }
    }

    /// Whether there are too few free rows for the next event, and no more rows may be added.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.rows == self.max_rows && self.free.len() < self.reserve
    }

    /// The calls by outcome, or `None` if no node makes calls.
    #[must_use]
    pub const fn calls(&self) -> Option<&OutcomeCounts> {
        self.calls.as_ref()
    }

    /// The number of rows by which the pool grows: an eighth, so that its memory stays close to that of the maximum
    /// number of requests in flight.
    fn batch(&self) -> usize {
        (self.rows / 8).max(1024).min(self.max_rows - self.rows)
    }

    /// The full number of a request in flight, from its lower 32 bits.
    fn id(&self, number: u32) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the lower half is compared with another lower half"
        )]
        let behind = (self.created as u32).wrapping_sub(number);
        self.created - u64::from(behind)
    }

    /// The record of a request in its current state.
    #[must_use]
    pub fn record(
        &self,
        request: &Request,
        size: u32,
        call: Option<&CallState>,
        finished: Option<(SimTime, Outcome)>,
    ) -> RequestRecord {
        RequestRecord {
            id: self.id(request.number),
            parent: call
                .filter(|call| call.is_call())
                .map(|call| Parent { id: self.id(call.parent_number), waited: call.was_awaited }),
            source: request.source,
            key: request.key,
            size,
            created: request.created,
            finished,
            server: request.server.some(),
            waiting: request.waiting,
            service: request.service,
            retries: call.map_or(SimDuration::ZERO, |call| call.given_up),
        }
    }
}

/// Grows the pool: spawns a batch of free rows after the last one, if its maximum allows.
///
/// # Panics
/// Never: the maximum is below 2^32 rows.
pub fn grow_pool(world: &mut World) {
    let pool = world.resource::<RequestPool>();
    let (rows, batch) = (pool.rows, pool.batch());
    match (pool.sized, pool.calls.is_some()) {
        (false, false) => spawn(world, Request::FREE, batch),
        (true, false) => spawn(world, (Request::FREE, RequestSize(0)), batch),
        (false, true) => spawn(world, (Request::FREE, CallState::FREE), batch),
        (true, true) => spawn(world, (Request::FREE, RequestSize(0), CallState::FREE), batch),
    }
    let mut pool = world.resource_mut::<RequestPool>();
    let spilled = batch * pool.spilled;
    pool.spilled_hops.reserve_exact(spilled);
    let length = pool.spilled_hops.len() + spilled;
    pool.spilled_hops.resize(length, 0);
    pool.free.reserve_exact(batch);
    pool.rows += batch;
    let batch = u32::try_from(batch).expect("the maximum is below 2^32");
    let first = u32::try_from(rows).expect("the maximum is below 2^32");
    // The lowest row is on top of the stack: the last rows of a pool that is too large are never touched.
    pool.free.extend((first..first + batch).rev().map(RequestRow::new));
}

fn spawn<B: Bundle<Effect: NoBundleEffect> + Clone>(world: &mut World, row: B, batch: usize) {
    world.spawn_batch(std::iter::repeat_n(row, batch)).for_each(drop);
}

/// The requests as a system parameter.
#[derive(SystemParam)]
pub struct Requests<'w, 's> {
    rows: Query<'w, 's, &'static mut Request>,
    sizes: Query<'w, 's, &'static mut RequestSize>,
    calls: Query<'w, 's, &'static mut CallState>,
    pool: ResMut<'w, RequestPool>,
}

impl Requests<'_, '_> {
    /// Whether a node of the scenario makes calls.
    #[must_use]
    pub fn may_have_calls(&self) -> bool {
        self.pool.calls.is_some()
    }

    /// Borrows the column of requests for a tick.
    pub fn view(&mut self) -> RequestsView<'_> {
        RequestsView {
            rows: column(&mut self.rows),
            sizes: column(&mut self.sizes),
            calls: column(&mut self.calls),
            pool: self.pool.bypass_change_detection(),
        }
    }
}

/// The requests by row, borrowed for a tick.
#[derive(Debug)]
pub struct RequestsView<'a> {
    rows: Column<'a, InPool, Request>,
    /// Empty if requests have no size.
    sizes: Column<'a, InPool, RequestSize>,
    /// Empty if no node makes calls.
    calls: Column<'a, InPool, CallState>,
    pool: &'a mut RequestPool,
}

impl RequestsView<'_> {
    /// Whether there are enough free rows to handle an event.
    #[inline]
    #[must_use]
    pub const fn has_room(&self) -> bool {
        self.pool.free.len() >= self.pool.reserve
    }

    /// Loads requests into the cache before they are needed. A load from memory takes as long as a hundred
    /// instructions, but many loads run in parallel.
    #[inline]
    pub fn prefetch(&self, rows: impl Iterator<Item = RequestRow>) {
        let numbers = rows.filter_map(|row| self.rows.get(row)).map(|request| request.number);
        std::hint::black_box(numbers.fold(0, |folded, number| folded ^ number));
    }

    /// The request in a row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: RequestRow) -> &Request {
        &self.rows[row]
    }

    /// The request in a row, mutably.
    #[inline]
    pub fn get_mut(&mut self, row: RequestRow) -> &mut Request {
        &mut self.rows[row]
    }

    /// Creates a request in a free row.
    ///
    /// # Panics
    /// If there is no free row: check [`RequestsView::has_room`] before.
    #[inline]
    pub fn create(&mut self, now: SimTime, source: u16, key: u32) -> RequestRow {
        let row = self.pool.free.pop().expect("the pool grows before a request is created");
        #[expect(clippy::cast_possible_truncation, reason = "the lower half identifies requests in flight")]
        let number = self.pool.created as u32;
        self.pool.created += 1;
        let outcome = Some(Outcome::Completed);
        self.rows[row] = Request { created: now, number, key, source, outcome, ..Request::FREE };
        row
    }

    /// Creates a call: a request with a parent, from which it inherits source and key.
    ///
    /// # Panics
    /// If there is no free row: check [`RequestsView::has_room`] before the event is handled.
    pub fn create_call(&mut self, now: SimTime, parent: RequestRow) -> RequestRow {
        let Request { source, key, number, .. } = self.rows[parent];
        let call = self.create(now, source, key);
        self.calls[call] = CallState { parent, parent_number: number, ..CallState::FREE };
        if let Some(calls) = &mut self.pool.calls {
            calls.offered += 1;
        }
        call
    }

    /// The relation of a request to calls, or `None` if no node makes calls.
    #[inline]
    #[must_use]
    pub fn call_state(&self, row: RequestRow) -> Option<&CallState> {
        self.calls.get(row)
    }

    /// The number of calls that a request has made at the node that it is at, which its node counts and resets. Only if
    /// a node makes calls.
    pub fn call_step(&mut self, row: RequestRow) -> &mut u16 {
        &mut self.calls[row].step
    }

    /// Whether a response that has reached a node is that to a call of the node: to a call whose return path is empty.
    #[inline]
    #[must_use]
    pub fn is_back_from_call(&self, row: RequestRow) -> bool {
        self.calls.get(row).is_some_and(CallState::is_call) && self.rows[row].depth == 0
    }

    /// Makes a request wait for the end of one of its calls. `timeout` is the event that ends the wait, or
    /// [`EventKey::NONE`]. If the call `may_be_cancelled`, it is tracked where it is.
    pub fn await_call(
        &mut self,
        now: SimTime,
        parent: RequestRow,
        call: RequestRow,
        timeout: EventKey,
        may_be_cancelled: bool,
    ) {
        let waiting = &mut self.calls[parent];
        (waiting.awaited, waiting.pending) = (call, timeout);
        self.rows[parent].since = now;
        if may_be_cancelled {
            self.calls[call].place = CallPlace::Between;
        }
    }

    /// Takes the event that is pending for a request: the timeout of its wait, or the end of its service if that may be
    /// cancelled. [`EventKey::NONE`] if there is none.
    pub fn take_pending(&mut self, row: RequestRow) -> EventKey {
        std::mem::replace(&mut self.calls[row].pending, EventKey::NONE)
    }

    /// Where a call is, if it may be cancelled. Only if a node makes calls.
    #[inline]
    #[must_use]
    pub fn place(&self, row: RequestRow) -> CallPlace {
        self.calls[row].place
    }

    /// Whether a request is a call that has been cancelled on its way.
    #[inline]
    #[must_use]
    pub fn is_cancelled(&self, row: RequestRow) -> bool {
        self.calls.get(row).is_some_and(|call| call.place == CallPlace::Cancelled)
    }

    /// Notes where a call is that may be cancelled. No effect on other requests, for which it returns false.
    #[inline]
    pub fn set_place(&mut self, row: RequestRow, place: CallPlace) -> bool {
        let state = self.calls.get_mut(row).filter(|state| state.place != CallPlace::Untracked);
        let is_tracked = state.is_some();
        state.into_iter().for_each(|state| state.place = place);
        is_tracked
    }

    /// Notes the end of the service of a call, which may be cancelled.
    pub fn set_end_of_service(&mut self, row: RequestRow, end: EventKey) {
        self.calls[row].pending = end;
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

    /// A hop of the return path of a request, from the first one on.
    fn hop(&self, row: RequestRow, index: usize) -> u32 {
        match self.rows[row].hops.get(index) {
            Some(&hop) => hop,
            None => self.pool.spilled_hops[row.index() * self.pool.spilled + index - INLINE_HOPS],
        }
    }

    /// The requests that nodes hold while they wait for calls, with their rows, in order of creation. Visits the whole
    /// pool, so use it for rare operations only.
    #[cold]
    #[must_use]
    pub fn waiting_for_calls(&self, is_held_by: impl Fn(Node) -> bool) -> Vec<RequestRow> {
        let rows = (0..).zip(self.calls.iter()).filter(|(_, call)| call.is_waiting());
        let rows = rows.map(|(row, _)| RequestRow::new(row));
        let mut held: Vec<RequestRow> = rows.filter(|row| is_held_by(self.rows[*row].server)).collect();
        held.sort_by_key(|row| self.pool.id(self.rows[*row].number));
        held
    }

    /// Makes a request stop waiting for its call, which then ends without effect on it. Returns the call, unless it was
    /// lost.
    pub fn abandon_call(&mut self, now: SimTime, parent: RequestRow) -> Option<RequestRow> {
        let state = &mut self.calls[parent];
        state.given_up += now.since(self.rows[parent].since);
        let call = std::mem::replace(&mut state.awaited, RequestRow::NONE);
        (call != LOST).then_some(call)
    }

    /// Ends a call that was lost if its caller waits with a timeout: it does not know of the loss, and waits on. Returns
    /// whether it does.
    pub fn lose_silently(&mut self, now: SimTime, call: RequestRow) -> bool {
        let parent = self.calls[call].parent;
        let has_timeout = self.calls[parent].awaited == call && self.calls[parent].pending != EventKey::NONE;
        if has_timeout {
            self.calls[parent].awaited = LOST;
            self.finish_call(now, call, Outcome::Dropped);
        }
        has_timeout
    }

    /// Fails a call that is nowhere any more. Returns the hop to its caller, which learns it from a response without
    /// delay.
    pub fn fail_call(&mut self, call: RequestRow, outcome: Outcome) -> u32 {
        let request = &mut self.rows[call];
        request.outcome = Some(outcome);
        // Its return path begins with the hop to its caller, which is inline.
        request.depth = 0;
        request.hops[0]
    }

    /// Ends a call and frees its row. Returns its parent if that waited for it. The latency breakdown of the parent
    /// then includes that of the call: the time between the two is the time that the call took.
    pub fn finish_call(&mut self, now: SimTime, call: RequestRow, outcome: Outcome) -> Option<RequestRow> {
        let parent = self.close_call(now, call, outcome);
        self.pool.free.push(call);
        parent
    }

    /// Ends a call without freeing its row, which [`free`](Self::free) has to do.
    pub fn close_call(&mut self, now: SimTime, call: RequestRow, outcome: Outcome) -> Option<RequestRow> {
        let parent = self.calls[call].parent;
        let is_awaited = self.calls[parent].awaited == call;
        self.calls[call].was_awaited = is_awaited;
        if self.pool.request_log.keeps_calls() {
            self.log(now, call, outcome);
        }
        if let Some(calls) = &mut self.pool.calls {
            calls.count(outcome);
        }
        let CallState { given_up, .. } = std::mem::replace(&mut self.calls[call], CallState::FREE);
        let Request { waiting, service, .. } = self.rows[call];
        self.rows[call].outcome = None;
        is_awaited.then(|| {
            self.calls[parent].awaited = RequestRow::NONE;
            self.calls[parent].given_up += given_up;
            let request = &mut self.rows[parent];
            request.waiting += waiting;
            request.service += service;
            parent
        })
    }

    /// Frees the row of a call that has ended.
    pub fn free(&mut self, row: RequestRow) {
        self.pool.free.push(row);
    }

    /// Sets the size of a request in bytes.
    pub fn set_size(&mut self, row: RequestRow, size: u32) {
        self.sizes[row] = RequestSize(size);
    }

    /// Ends a request: records it if the log needs it, and frees its row.
    #[inline]
    pub fn finish(&mut self, now: SimTime, row: RequestRow, outcome: Outcome) {
        let request = &mut self.rows[row];
        request.outcome = None;
        if self.pool.request_log.should_record(request.number) {
            self.log(now, row, outcome);
        }
        self.pool.free.push(row);
    }

    /// Resets the relation of a request that has ended to calls. Only if a node makes calls.
    pub fn reset_call_state(&mut self, row: RequestRow) {
        if let Some(state) = self.calls.get_mut(row) {
            *state = CallState::FREE;
        }
    }

    /// Pushes a hop onto the return path.
    #[inline]
    pub fn push_hop(&mut self, row: RequestRow, hop: u32) {
        let request = &mut self.rows[row];
        let depth = usize::from(request.depth);
        request.depth += 1;
        match request.hops.get_mut(depth) {
            Some(inline) => *inline = hop,
            None => self.pool.spilled_hops[row.index() * self.pool.spilled + depth - INLINE_HOPS] = hop,
        }
    }

    /// Pops the last hop from the return path; the hop of the source if the path is empty.
    #[inline]
    pub fn pop_hop(&mut self, row: RequestRow) -> u32 {
        let request = &mut self.rows[row];
        let Some(top) = usize::from(request.depth).checked_sub(1) else {
            // The return hop of a source has the number of its row; building a source asserts this.
            return u32::from(request.source);
        };
        request.depth -= 1;
        self.hop(row, top)
    }

    /// All requests in flight.
    pub fn in_flight(&self) -> impl Iterator<Item = &Request> {
        self.rows.iter().filter(|request| request.is_in_flight())
    }

    #[cold]
    fn log(&mut self, now: SimTime, row: RequestRow, outcome: Outcome) {
        let size = self.sizes.get(row).map_or(0, |size| size.0);
        let call = self.calls.get(row);
        let record = self.pool.record(&self.rows[row], size, call, Some((now, outcome)));
        self.pool.request_log.record(self.rows[row].number, record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_number_is_restored_from_its_lower_half() {
        let pool = RequestPool { created: (5 << 32) + 3, ..RequestPool::default() };
        assert_eq!(pool.id(2), (5 << 32) + 2);
        assert_eq!(pool.id(u32::MAX), (5 << 32) - 1);
    }
}
