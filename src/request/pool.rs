//! The pool of requests: rows that are taken and given back. Requests are never spawned or despawned one by one.

use bevy_ecs::bundle::NoBundleEffect;
use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

use super::call::{CallState, Cancellations};
use super::extras::Extras;
use super::progress::Progress;
use super::request_log::RequestLog;
use super::{INLINE_HOPS, MessageSizes, Outcome, OutcomeCounts, Parent, Request, RequestRecord};
use crate::engine::row::{Column, column};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{InPool, RequestRow};

/// The state of the pool: the free rows, the return hops that do not fit into requests, and the request log.
#[derive(Resource, Debug, Default)]
pub struct RequestPool {
    free: Vec<RequestRow>,
    /// Return hops that do not fit into the requests: `spilled` of them for each row.
    spilled_hops: Vec<u32>,
    spilled: usize,
    sized: bool,
    /// What requests have of their own; empty unless `has_extras`.
    pub(super) extras: Vec<Extras>,
    has_extras: bool,
    created: u64,
    /// Number of rows, free ones included.
    rows: usize,
    /// Maximum number of rows.
    max_rows: usize,
    /// Number of free rows that handling an event may take.
    reserve: usize,
    /// Whether requests have a relation to calls, and a progress.
    has_steps: bool,
    /// The calls by outcome, or `None` if no node makes calls.
    pub(super) calls: Option<OutcomeCounts>,
    /// The cancellations that follow calls.
    pub(super) cancellations: Cancellations,
    /// The attributes of the requests of each source, by row.
    pub attributes: Box<[RequestAttributes]>,
    /// Records of requests that have ended.
    pub request_log: RequestLog,
}

/// What all requests of a source have in common. Their calls inherit it.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestAttributes {
    /// Priority.
    pub priority: i32,
    /// How many slots of a server with weighted slots a request takes.
    pub weight: u32,
    /// Time from the creation of a request to its deadline; `None` if it has none.
    pub deadline: Option<SimDuration>,
}

/// What the requests of a scenario need from their pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolNeeds {
    /// Maximum number of nodes that a request passes after its source, or a call, its caller included.
    pub max_hops: usize,
    /// Whether requests have a size.
    pub sized: bool,
    /// Maximum number of calls or branches that a step of a node makes at once, or `None` if no node runs steps.
    pub steps: Option<usize>,
    /// Whether any node makes calls.
    pub makes_calls: bool,
    /// Whether requests of any source have [`Extras`].
    pub extras: bool,
    /// Maximum number of requests in flight, calls included (at least 1).
    pub max_in_flight: u64,
}

/// Memory that the requests in flight may take by default, in bytes. 8 GiB hold it with everything else.
const DEFAULT_MEMORY: u64 = 6_800_000_000;
/// Memory of a request in flight with its event and its free row, in bytes. Measured: 145 to 172.
const BYTES_PER_REQUEST: u64 = 170;
/// Memory of a return hop, in bytes.
const BYTES_PER_HOP: u64 = 4;
/// Memory of the relation of a request to calls and of its progress, in bytes.
const BYTES_OF_STEPS: u64 = (size_of::<CallState>() + size_of::<Progress>()) as u64;

/// Memory of what a request has of its own, in bytes.
const BYTES_OF_EXTRAS: u64 = size_of::<Extras>() as u64;

/// Default maximum number of requests in flight: 40 million, or fewer if they pass more than two nodes after their
/// source, if nodes run steps, or if requests have [`Extras`]. It does not depend on the machine, so that a run stops at the same event everywhere.
#[must_use]
pub fn default_max_in_flight(max_hops: usize, has_steps: bool, has_extras: bool) -> u64 {
    let spilled = max_hops.saturating_sub(INLINE_HOPS) as u64;
    let steps = if has_steps { BYTES_OF_STEPS } else { 0 };
    let extras = if has_extras { BYTES_OF_EXTRAS } else { 0 };
    DEFAULT_MEMORY / (BYTES_PER_REQUEST + BYTES_PER_HOP * spilled + steps + extras)
}

impl RequestPool {
    /// An empty pool. `request_log` keeps the records of requests that have ended.
    #[must_use]
    pub fn new(needs: PoolNeeds, request_log: RequestLog) -> Self {
        let PoolNeeds { max_hops, sized, steps, makes_calls, extras: has_extras, max_in_flight } = needs;
        let spilled = max_hops.saturating_sub(INLINE_HOPS);
        let max_rows = usize::try_from(max_in_flight.clamp(1, u64::from(u32::MAX - 1))).unwrap_or(usize::MAX);
        let reserve = steps.unwrap_or(0).max(1);
        let calls = makes_calls.then(OutcomeCounts::default);
        let has_steps = steps.is_some();
        Self {
            spilled,
            sized,
            max_rows,
            reserve,
            has_steps,
            has_extras,
            calls,
            request_log,
            ..Self::default()
        }
    }

    /// Whether there are too few free rows for the next event, and no more rows may be added.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.rows == self.max_rows && self.free.len() < self.reserve
    }

    /// Whether requests may have [`Extras`].
    #[must_use]
    pub const fn has_extras(&self) -> bool {
        self.has_extras
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
    pub(super) fn id(&self, number: u32) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the lower half is compared with another lower half"
        )]
        let behind = (self.created as u32).wrapping_sub(number);
        self.created - u64::from(behind)
    }

    /// The class of the request in a row, if it has one of its own.
    #[must_use]
    pub fn class_in_row(&self, row: usize) -> Option<u16> {
        self.extras.get(row)?.class
    }

    /// The record of a request in its current state, with its size and its class.
    #[must_use]
    pub fn record(
        &self,
        request: &Request,
        (sizes, class): (MessageSizes, Option<u16>),
        call: Option<&CallState>,
        finished: Option<(SimTime, Outcome)>,
    ) -> RequestRecord {
        RequestRecord {
            id: self.id(request.number),
            parent: call
                .filter(|call| call.is_call())
                .map(|call| Parent { id: self.id(call.parent_number), waited: call.is_awaited }),
            source: request.source,
            key: request.key,
            class,
            sizes,
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
    match (pool.sized, pool.has_steps) {
        (false, false) => spawn(world, Request::FREE, batch),
        (true, false) => spawn(world, (Request::FREE, MessageSizes::default()), batch),
        (false, true) => spawn(world, (Request::FREE, CallState::FREE, Progress::NONE), batch),
        (true, true) => {
            let sizes = MessageSizes::default();
            spawn(world, (Request::FREE, sizes, CallState::FREE, Progress::NONE), batch);
        }
    }
    let mut pool = world.resource_mut::<RequestPool>();
    let spilled = batch * pool.spilled;
    pool.spilled_hops.reserve_exact(spilled);
    let length = pool.spilled_hops.len() + spilled;
    pool.spilled_hops.resize(length, 0);
    pool.free.reserve_exact(batch);
    pool.rows += batch;
    if pool.has_extras {
        pool.extras.reserve_exact(batch);
        let rows = pool.rows;
        pool.extras.resize(rows, Extras::NONE);
    }
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
    sizes: Query<'w, 's, &'static mut MessageSizes>,
    calls: Query<'w, 's, &'static mut CallState>,
    progress: Query<'w, 's, &'static mut Progress>,
    pool: ResMut<'w, RequestPool>,
}

impl Requests<'_, '_> {
    /// Whether the handlers have to be those for everything that a request may have: steps, calls and [`Extras`].
    #[must_use]
    pub fn need_full_handlers(&self) -> bool {
        self.pool.has_steps || self.pool.has_extras
    }

    /// Borrows the column of requests for a tick.
    pub fn view(&mut self) -> RequestsView<'_> {
        RequestsView {
            rows: column(&mut self.rows),
            sizes: column(&mut self.sizes),
            calls: column(&mut self.calls),
            progress: column(&mut self.progress),
            pool: self.pool.bypass_change_detection(),
        }
    }
}

/// The requests by row, borrowed for a tick.
#[derive(Debug)]
pub struct RequestsView<'a> {
    pub(super) rows: Column<'a, InPool, Request>,
    /// Empty if no message has a size.
    sizes: Column<'a, InPool, MessageSizes>,
    /// Empty if no node runs steps.
    pub(super) calls: Column<'a, InPool, CallState>,
    /// Empty if no node runs steps.
    pub(super) progress: Column<'a, InPool, Progress>,
    pub(super) pool: &'a mut RequestPool,
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

    /// The attributes of a request: those of its source.
    #[must_use]
    pub fn attributes(&self, row: RequestRow) -> RequestAttributes {
        self.pool.attributes.get(usize::from(self.rows[row].source)).copied().unwrap_or_default()
    }

    /// The priority of a request.
    #[must_use]
    pub fn priority(&self, row: RequestRow) -> i32 {
        self.attributes(row).priority
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
        if let Some(sizes) = self.sizes.get_mut(row) {
            *sizes = MessageSizes::default();
        }
        row
    }

    /// A hop of the return path of a request, from the first one on.
    #[inline(always)]
    pub(super) fn hop(&self, row: RequestRow, index: usize) -> u32 {
        match self.rows[row].hops.get(index) {
            Some(&hop) => hop,
            None => self.pool.spilled_hops[row.index() * self.pool.spilled + index - INLINE_HOPS],
        }
    }

    /// The hops of the return path of a request, from the first one on.
    pub fn path(&self, row: RequestRow) -> impl Iterator<Item = u32> {
        (0..usize::from(self.rows[row].depth)).map(move |index| self.hop(row, index))
    }

    /// Frees the row of a request that has ended, unless it still has a place in a queue.
    #[inline]
    pub(super) fn free(&mut self, row: RequestRow) {
        if self.calls.get(row).is_none_or(|state| !state.is_gone) {
            self.pool.free.push(row);
        }
    }

    /// The sizes of the messages of a request.
    #[must_use]
    pub fn sizes(&self, row: RequestRow) -> MessageSizes {
        self.sizes.get(row).copied().unwrap_or_default()
    }

    /// The same, mutably. The scenario has a part that gives messages a size.
    pub fn sizes_mut(&mut self, row: RequestRow) -> &mut MessageSizes {
        &mut self.sizes[row]
    }

    /// Ends a request: records it if the log needs it, and frees its row. `FULL`: whether it may have a place in a queue that
    /// it has left, see [`Context`](crate::model::Context).
    #[inline]
    pub fn finish<const FULL: bool>(&mut self, now: SimTime, row: RequestRow, outcome: Outcome) {
        let request = &mut self.rows[row];
        request.outcome = None;
        if self.pool.request_log.should_record(request.number) {
            self.log(now, row, outcome);
        }
        if FULL {
            self.free(row);
        } else {
            self.pool.free.push(row);
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
    pub(super) fn log(&mut self, now: SimTime, row: RequestRow, outcome: Outcome) {
        let call = self.calls.get(row);
        let class = self.pool.class_in_row(row.index());
        let record = self.pool.record(&self.rows[row], (self.sizes(row), class), call, Some((now, outcome)));
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
