//! The pool: places for requests that are taken and given back, never spawned or despawned one by one.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

use super::request_log::RequestLog;
use super::{INLINE_HOPS, Outcome, Request, RequestRecord, RequestSize};
use crate::engine::row::{Column, column};
use crate::engine::time::SimTime;
use crate::event::{InPool, RequestRow};

/// The places for requests: which are free, the far ends of long return paths, and what is kept of those that are over.
#[derive(Resource, Debug, Default)]
pub struct RequestPool {
    free: Vec<RequestRow>,
    /// What does not fit into the requests: `spilled` numbers of return hops to each.
    spilled_hops: Vec<u32>,
    spilled: usize,
    sized: bool,
    created: u64,
    /// What is kept of requests that are over.
    pub request_log: RequestLog,
}

impl RequestPool {
    /// An empty pool for requests that pass at most `max_hops` nodes behind their source, with sizes if `sized`. With
    /// `keep_log` a record of each is kept.
    #[must_use]
    pub fn new(max_hops: usize, sized: bool, keep_log: bool) -> Self {
        let spilled = max_hops.saturating_sub(INLINE_HOPS);
        Self { spilled, sized, request_log: RequestLog::new(keep_log), ..Self::default() }
    }

    /// The full number of a request that is under way, from the half that it carries.
    fn id(&self, number: u32) -> u64 {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is compared with a lower half")]
        let behind = (self.created as u32).wrapping_sub(number);
        self.created - u64::from(behind)
    }

    /// The record of a request as it stands.
    #[must_use]
    pub fn record(
        &self,
        request: &Request,
        size: u32,
        finished: Option<(SimTime, Outcome)>,
    ) -> RequestRecord {
        RequestRecord {
            id: self.id(request.number),
            source: request.source,
            key: request.key,
            size,
            created: request.created,
            finished,
            server: request.server.some(),
            waiting: request.waiting,
            service: request.service,
        }
    }
}

/// Makes room for more requests: spawns a batch of free places behind the last row.
///
/// The pool grows by an eighth, so that memory stays close to the most that were ever in flight.
///
/// # Panics
/// With 2^32 requests in flight: memory ends long before.
pub fn grow_pool(world: &mut World) {
    let rows = world.query::<&Request>().iter(world).len();
    let more = (rows / 8).max(1024);
    if world.resource::<RequestPool>().sized {
        world.spawn_batch(std::iter::repeat_n((Request::FREE, RequestSize(0)), more)).for_each(drop);
    } else {
        world.spawn_batch(std::iter::repeat_n(Request::FREE, more)).for_each(drop);
    }
    let mut pool = world.resource_mut::<RequestPool>();
    let spilled = more * pool.spilled;
    pool.spilled_hops.reserve_exact(spilled);
    let length = pool.spilled_hops.len() + spilled;
    pool.spilled_hops.resize(length, 0);
    pool.free.reserve_exact(more);
    let more = u32::try_from(more).expect("a batch is far below 2^32");
    let first = u32::try_from(rows).expect("memory ends long before 2^32 requests in flight");
    // The lowest row on top: a pool that is too large leaves its end untouched.
    pool.free.extend((first..first + more).rev().map(RequestRow::new));
}

/// The requests as a system reaches them.
#[derive(SystemParam)]
pub struct Requests<'w, 's> {
    rows: Query<'w, 's, &'static mut Request>,
    sizes: Query<'w, 's, &'static mut RequestSize>,
    pool: ResMut<'w, RequestPool>,
}

impl Requests<'_, '_> {
    /// Borrows the column of requests for a tick.
    pub fn view(&mut self) -> RequestsView<'_> {
        RequestsView {
            rows: column(&mut self.rows),
            sizes: column(&mut self.sizes),
            pool: self.pool.bypass_change_detection(),
        }
    }
}

/// The requests as handlers reach them: by row.
#[derive(Debug)]
pub struct RequestsView<'a> {
    rows: Column<'a, InPool, Request>,
    /// Empty where no source gives sizes.
    sizes: Column<'a, InPool, RequestSize>,
    pool: &'a mut RequestPool,
}

impl RequestsView<'_> {
    /// Whether there is a place for one more request.
    #[inline]
    #[must_use]
    pub const fn has_room(&self) -> bool {
        !self.pool.free.is_empty()
    }

    /// Fetches requests from memory before they are needed. What is far away takes as long as a hundred instructions to
    /// come; asked for together, many come in the same time.
    #[inline]
    pub fn fetch(&self, rows: impl Iterator<Item = RequestRow>) {
        let numbers = rows.filter_map(|row| self.rows.get(row)).map(|request| request.number);
        std::hint::black_box(numbers.fold(0, |all, number| all ^ number));
    }

    /// The request in a row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: RequestRow) -> &Request {
        &self.rows[row]
    }

    /// The request in a row, to change it.
    #[inline]
    pub fn get_mut(&mut self, row: RequestRow) -> &mut Request {
        &mut self.rows[row]
    }

    /// A request is created.
    ///
    /// # Panics
    /// If there is no room: [`RequestsView::has_room`] was not asked.
    #[inline]
    pub fn create(&mut self, now: SimTime, source: u16, key: u32) -> RequestRow {
        let row = self.pool.free.pop().expect("the tick makes room before it takes an arrival");
        #[expect(clippy::cast_possible_truncation, reason = "the lower half tells requests in flight apart")]
        let number = self.pool.created as u32;
        self.pool.created += 1;
        let outcome = Some(Outcome::Completed);
        self.rows[row] = Request { created: now, number, key, source, outcome, ..Request::FREE };
        row
    }

    /// Gives a request its size in bytes.
    pub fn set_size(&mut self, row: RequestRow, size: u32) {
        self.sizes[row] = RequestSize(size);
    }

    /// A request is over: its place is free for another.
    #[inline]
    pub fn finish(&mut self, now: SimTime, row: RequestRow, outcome: Outcome) {
        if self.pool.request_log.wants(self.rows[row].number) {
            self.log(now, row, outcome);
        }
        self.rows[row].outcome = None;
        self.pool.free.push(row);
    }

    /// A sender puts a hop on top of the return path.
    #[inline]
    pub fn push_hop(&mut self, row: RequestRow, hop: u32) {
        let request = &mut self.rows[row];
        let depth = usize::from(request.depth);
        request.depth += 1;
        match request.hops.get_mut(depth) {
            Some(place) => *place = hop,
            None => self.pool.spilled_hops[row.index() * self.pool.spilled + depth - INLINE_HOPS] = hop,
        }
    }

    /// Takes the hop from the top of the return path; at the end of it that of its source.
    #[inline]
    pub fn pop_hop(&mut self, row: RequestRow) -> u32 {
        let request = &mut self.rows[row];
        let Some(top) = usize::from(request.depth).checked_sub(1) else {
            // The hop of a source has the number of its row: whoever builds a source asserts it.
            return u32::from(request.source);
        };
        request.depth -= 1;
        match request.hops.get(top) {
            Some(&hop) => hop,
            None => self.pool.spilled_hops[row.index() * self.pool.spilled + top - INLINE_HOPS],
        }
    }

    /// All requests that are under way.
    pub fn under_way(&self) -> impl Iterator<Item = &Request> {
        self.rows.iter().filter(|request| request.is_under_way())
    }

    #[cold]
    fn log(&mut self, now: SimTime, row: RequestRow, outcome: Outcome) {
        let size = self.sizes.get(row).map_or(0, |size| size.0);
        let record = self.pool.record(&self.rows[row], size, Some((now, outcome)));
        self.pool.request_log.record(self.rows[row].number, record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_number_is_found_from_its_lower_half() {
        let pool = RequestPool { created: (5 << 32) + 3, ..RequestPool::default() };
        assert_eq!(pool.id(2), (5 << 32) + 2);
        assert_eq!(pool.id(u32::MAX), (5 << 32) - 1);
    }
}
