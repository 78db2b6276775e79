//! The request: its attributes, its timestamps, its return path, its outcome, and the flat record that it leaves.
//!
//! Requests are entities that are spawned in batches and recycled: row n of their table is request n of the pool for
//! as long as the run lasts. A request is one cache line, for it is what every event touches and what a large run
//! has most of.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;

/// No request: the end of a queue.
pub const NO_REQUEST: RequestRow = u32::MAX;
/// No server: the request has not reached one.
pub const NO_SERVER: u32 = u32::MAX;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// It was served and its response came back.
    Completed,
    /// A server had no room for it.
    Rejected,
    /// Its client waited no longer.
    TimedOut,
    /// A link lost it or its response.
    Dropped,
    /// It was turned away on purpose, to protect the rest.
    Shed,
}

impl Outcome {
    /// All outcomes, in the order in which they are reported.
    pub const ALL: [Self; 5] = [Self::Completed, Self::Rejected, Self::TimedOut, Self::Dropped, Self::Shed];

    /// The name in files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed_out",
            Self::Dropped => "dropped",
            Self::Shed => "shed",
        }
    }
}

/// The load that a server reports, in billionths of its concurrency: 0 when idle, 10^9 when full.
///
/// Whole numbers, so that a mean of nine tenths is nine tenths, on which side of a threshold it lies included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load(u32);

impl Load {
    /// A server that is full.
    pub const FULL: Self = Self(1_000_000_000);

    /// The share of `concurrency` that is in use.
    #[must_use]
    #[inline]
    pub fn of(in_flight: u32, concurrency: u32) -> Self {
        debug_assert!(in_flight <= concurrency && concurrency > 0, "a server serves no more than it can");
        let share = u64::from(in_flight) * u64::from(Self::FULL.0) / u64::from(concurrency);
        Self(u32::try_from(share).unwrap_or(Self::FULL.0))
    }

    /// The load nearest to a share between 0 and 1.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as wanted")]
    pub fn from_share(share: f64) -> Self {
        Self((share * f64::from(Self::FULL.0) + 0.5) as u32)
    }

    /// Billionths.
    #[must_use]
    pub const fn billionths(self) -> u64 {
        self.0 as u64
    }
}

/// A request, or a free place for one.
#[derive(Component, Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Request {
    /// When it was born.
    pub created: SimTime,
    /// When its present wait or service began.
    pub since: SimTime,
    /// Time spent waiting in queues so far.
    pub waiting: SimDuration,
    /// Time spent in service so far.
    pub service: SimDuration,
    /// The lower 32 bits of its number: it is request number n of the run. Tells requests in the same row apart.
    pub number: u32,
    /// What it asks for, or for whom: balancers and clients may route by it.
    pub key: u32,
    /// Row of its source.
    pub source: u32,
    /// Row of the server that it reached last, or [`NO_SERVER`].
    pub server: u32,
    /// The request behind it in the queue, or [`NO_REQUEST`].
    pub next: RequestRow,
    /// The load that its response reports.
    pub load: Load,
    /// Its size in bytes.
    pub size: u32,
    /// How often it was tried.
    pub attempts: u16,
    /// How many nodes await its response: the length of its return path.
    pub depth: u8,
    /// What becomes of it, as things stand.
    pub outcome: Outcome,
}

impl Request {
    const FREE: Self = Self {
        created: SimTime::ZERO,
        since: SimTime::ZERO,
        waiting: SimDuration::ZERO,
        service: SimDuration::ZERO,
        number: 0,
        key: 0,
        source: 0,
        server: NO_SERVER,
        next: NO_REQUEST,
        load: Load(0),
        size: 0,
        attempts: 0,
        depth: 0,
        outcome: Outcome::Completed,
    };

    /// Whether this place holds a request: one under way has been tried at least once.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        self.attempts > 0
    }
}

/// What is left of a request when it is over, or when the run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// Number of the request in order of birth, from 0.
    pub id: u64,
    /// Row of its source.
    pub source: u32,
    /// Its key.
    pub key: u32,
    /// Its size in bytes.
    pub size: u32,
    /// When it was born.
    pub created: SimTime,
    /// When it was over and what became of it; nothing if it was still in flight at the end.
    pub finished: Option<(SimTime, Outcome)>,
    /// Row of the last server that it reached.
    pub server: Option<u32>,
    /// How often it was tried.
    pub attempts: u16,
    /// Time spent waiting in queues.
    pub waiting: SimDuration,
    /// Time spent in service.
    pub service: SimDuration,
}

/// The places for requests: which are free, the return paths, and the log if one is kept.
#[derive(Resource, Debug, Default)]
pub struct RequestPool {
    free: Vec<RequestRow>,
    /// Return paths, `stride` ways to each request: way home numbers as the senders pushed them.
    paths: Vec<u32>,
    stride: usize,
    born: u64,
    log: Option<Vec<RequestRecord>>,
}

impl RequestPool {
    /// An empty pool for requests that pass at most `stride` senders. With `keep_log` a record of each is kept.
    #[must_use]
    pub fn new(stride: usize, keep_log: bool) -> Self {
        Self { stride, log: keep_log.then(Vec::new), ..Self::default() }
    }

    /// Requests born so far.
    #[must_use]
    pub const fn born(&self) -> u64 {
        self.born
    }

    /// Takes the log, if one was kept.
    pub fn take_log(&mut self) -> Option<Vec<RequestRecord>> {
        self.log.take()
    }

    /// The full number of a request that is under way, from the half that it carries.
    fn id(&self, number: u32) -> u64 {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half is compared with a lower half")]
        let behind = (self.born as u32).wrapping_sub(number);
        self.born - u64::from(behind)
    }

    /// The record of a request as it stands.
    #[must_use]
    pub fn record(&self, request: &Request, finished: Option<(SimTime, Outcome)>) -> RequestRecord {
        RequestRecord {
            id: self.id(request.number),
            source: request.source,
            key: request.key,
            size: request.size,
            created: request.created,
            finished,
            server: (request.server != NO_SERVER).then_some(request.server),
            attempts: request.attempts,
            waiting: request.waiting,
            service: request.service,
        }
    }
}

/// Makes room for more requests: spawns a batch of free places behind the last row.
///
/// The pool grows by a quarter, so that memory stays close to the most that were ever in flight.
pub fn grow_pool(world: &mut World) {
    let rows = world.query::<&Request>().iter(world).len();
    let more = (rows / 4).max(1024);
    world.spawn_batch(std::iter::repeat_n(Request::FREE, more)).for_each(drop);
    let mut pool = world.resource_mut::<RequestPool>();
    let stride = pool.stride;
    let paths = more * stride;
    pool.paths.reserve_exact(paths);
    let length = pool.paths.len() + paths;
    pool.paths.resize(length, 0);
    let more = u32::try_from(more).expect("a batch is far below 2^32");
    let first = u32::try_from(rows).expect("memory ends long before 2^32 requests in flight");
    // The lowest row on top: a pool that is too large leaves its end untouched.
    pool.free.extend((first..first + more).rev());
}

/// The requests as a system reaches them.
#[derive(SystemParam)]
pub struct Requests<'w, 's> {
    rows: Query<'w, 's, &'static mut Request>,
    pool: ResMut<'w, RequestPool>,
}

impl Requests<'_, '_> {
    /// Borrows the column of requests for a tick.
    pub fn view(&mut self) -> RequestsView<'_> {
        RequestsView { rows: crate::engine::column(&mut self.rows), pool: self.pool.bypass_change_detection() }
    }
}

/// The requests as handlers reach them: by row.
#[derive(Debug)]
pub struct RequestsView<'a> {
    rows: &'a mut [Request],
    pool: &'a mut RequestPool,
}

impl RequestsView<'_> {
    /// Whether there is a place for one more request.
    #[inline]
    #[must_use]
    pub const fn has_room(&self) -> bool {
        !self.pool.free.is_empty()
    }

    /// The request in a row.
    #[inline]
    #[must_use]
    pub fn get(&self, row: RequestRow) -> &Request {
        &self.rows[row as usize]
    }

    /// The request in a row, to change it.
    #[inline]
    pub fn get_mut(&mut self, row: RequestRow) -> &mut Request {
        &mut self.rows[row as usize]
    }

    /// A request is born.
    #[inline]
    pub fn create(&mut self, now: SimTime, source: u32, key: u32, size: u32) -> RequestRow {
        let row = self.pool.free.pop().expect("the tick makes room before it takes an arrival");
        #[expect(clippy::cast_possible_truncation, reason = "the lower half tells requests in flight apart")]
        let number = self.pool.born as u32;
        self.pool.born += 1;
        self.rows[row as usize] = Request { created: now, number, key, source, size, attempts: 1, ..Request::FREE };
        row
    }

    /// A request is over: its place is free for another.
    #[inline]
    pub fn finish(&mut self, now: SimTime, row: RequestRow, outcome: Outcome) {
        if self.pool.log.is_some() {
            self.log(now, row, outcome);
        }
        self.rows[row as usize].attempts = 0;
        self.pool.free.push(row);
    }

    /// A sender puts the way home on top of the return path.
    #[inline]
    pub fn push_way_home(&mut self, row: RequestRow, way: u32) {
        let depth = &mut self.rows[row as usize].depth;
        self.pool.paths[row as usize * self.pool.stride + usize::from(*depth)] = way;
        *depth += 1;
    }

    /// The way home that is on top of the return path.
    #[inline]
    #[must_use]
    pub fn way_home(&self, row: RequestRow) -> u32 {
        let depth = usize::from(self.rows[row as usize].depth);
        self.pool.paths[row as usize * self.pool.stride + depth - 1]
    }

    /// Takes the way home from the top of the return path.
    #[inline]
    pub fn pop_way_home(&mut self, row: RequestRow) -> u32 {
        let way = self.way_home(row);
        self.rows[row as usize].depth -= 1;
        way
    }

    /// All requests that are under way.
    pub fn under_way(&self) -> impl Iterator<Item = &Request> {
        self.rows.iter().filter(|request| request.is_under_way())
    }

    #[cold]
    fn log(&mut self, now: SimTime, row: RequestRow, outcome: Outcome) {
        let record = self.pool.record(&self.rows[row as usize], Some((now, outcome)));
        self.pool.log.get_or_insert_default().push(record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_cache_line() {
        assert_eq!(size_of::<Request>(), 64);
    }

    #[test]
    fn nine_tenths_are_nine_tenths() {
        assert_eq!(Load::of(9, 10), Load::from_share(0.9));
        assert_eq!(Load::of(10, 10), Load::FULL);
        assert_eq!(Load::of(1, 3).billionths(), 333_333_333);
    }

    #[test]
    fn the_full_number_is_found_from_its_lower_half() {
        let pool = RequestPool { born: (5 << 32) + 3, ..RequestPool::default() };
        assert_eq!(pool.id(2), (5 << 32) + 2);
        assert_eq!(pool.id(u32::MAX), (5 << 32) - 1);
    }
}
