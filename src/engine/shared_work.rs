//! Work that shares a rate: jobs that go on at the same time, and all at the same speed.
//!
//! The work that a job has had since a common origin is that of every other job. So a job ends when this number reaches
//! what it was when the job began, plus the work that the job needs; the order of the ends does not depend on the speed.
//! This is the virtual time of generalized processor sharing (Parekh and Gallager: "A generalized processor sharing approach
//! to flow control in integrated services networks", 1993). A change of the speed, or of the number of jobs, costs no more
//! than the logarithm of this number.

use std::collections::BTreeMap;

use super::time::{SimDuration, SimTime};
use super::total_order::TotalOrder;

/// The jobs in progress.
#[derive(Clone, Debug)]
pub struct SharedWork<J> {
    /// The jobs by the value of `work` at which they end; in order of their beginning among equals.
    jobs: BTreeMap<(TotalOrder, u64), Job<J>>,
    /// Number of jobs that were added.
    added: u64,
    /// The work that each job has had since there were none, in nanoseconds at full speed.
    work: f64,
    /// For how long each job has held a processor since there were none, in nanoseconds.
    held: f64,
    /// When these two were up to date.
    updated: SimTime,
    /// Work per time.
    speed: f64,
    /// The share of the time for which a job holds a processor.
    share: f64,
}

#[derive(Clone, Debug)]
struct Job<J> {
    what: J,
    /// The value of `held` when it began.
    held_before: f64,
}

impl<J> Default for SharedWork<J> {
    fn default() -> Self {
        Self {
            jobs: BTreeMap::new(),
            added: 0,
            work: 0.0,
            held: 0.0,
            updated: SimTime::ZERO,
            speed: 1.0,
            share: 1.0,
        }
    }
}

/// Differences below this number of nanoseconds are rounding errors: jobs that end together do so in the same nanosecond.
const TOLERANCE: f64 = 0.01;

impl<J: Copy + PartialEq> SharedWork<J> {
    /// Number of jobs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    fn advance(&mut self, now: SimTime) {
        let passed = now.since(self.updated).as_nanos_f64();
        self.updated = now;
        if self.jobs.is_empty() {
            (self.work, self.held) = (0.0, 0.0);
        } else {
            self.work += passed * self.speed;
            self.held += passed * self.share;
        }
    }

    /// Sets the speed: the work per time of each job, which is 0 or more; and the share of the time for which it holds a
    /// processor.
    pub fn set_speed(&mut self, now: SimTime, speed: f64, share: f64) {
        self.advance(now);
        (self.speed, self.share) = (speed, share);
    }

    /// Begins a job that needs this work.
    pub fn begin(&mut self, now: SimTime, work: SimDuration, what: J) {
        self.begin_exact(now, work.as_nanos_f64(), what);
    }

    /// The same for work in nanoseconds that need not be whole.
    pub fn begin_exact(&mut self, now: SimTime, work: f64, what: J) {
        self.advance(now);
        let job = Job { what, held_before: self.held };
        self.jobs.insert((TotalOrder(self.work + work), self.added), job);
        self.added += 1;
    }

    /// The job that ends next, and when it does at the present speed, which must be above 0.
    #[must_use]
    pub fn next(&self) -> Option<(SimTime, J)> {
        let ((end, _), job) = self.jobs.first_key_value()?;
        let passed = ((end.0 - self.work) / self.speed - TOLERANCE).ceil();
        Some((self.updated + SimDuration::from_nanos_f64(passed), job.what))
    }

    /// Ends a job, whether it is done or not. Returns for how long it has held a processor, or `None` if there is no such job.
    /// This takes long unless it is one of the next ones.
    pub fn end(&mut self, now: SimTime, what: J) -> Option<SimDuration> {
        self.advance(now);
        let key = *self.jobs.iter().find(|(_, job)| job.what == what)?.0;
        let job = self.jobs.remove(&key)?;
        Some(SimDuration::from_nanos_f64(self.held - job.held_before))
    }

    /// Ends all jobs.
    pub fn clear(&mut self) {
        self.jobs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    /// Ends all jobs in order, at a speed by their number. Returns the time at which each ends, and for how long it has held a
    /// processor.
    fn run(work: &mut SharedWork<u32>, speed: impl Fn(usize) -> f64, from: u64) -> Vec<(u32, u64, u64)> {
        let mut ends = Vec::new();
        work.set_speed(at(from), speed(work.len()), speed(work.len()));
        while let Some((end, job)) = work.next() {
            let held = work.end(end, job).expect("the job is there");
            work.set_speed(end, speed(work.len()), speed(work.len()));
            ends.push((job, end.as_nanos(), held.as_nanos()));
        }
        ends
    }

    #[test]
    fn jobs_share_a_processor() {
        let mut work = SharedWork::default();
        for (job, needed) in [(0, 300), (1, 100), (2, 200)] {
            work.begin(at(50), SimDuration::from_nanos(needed), job);
        }
        // Three at a third of the speed for 300 ns, two at a half for 200 ns, one alone for 100 ns.
        let ends = run(&mut work, |jobs| 1.0 / jobs.max(1) as f64, 50);
        assert_eq!(ends, [(1, 350, 100), (2, 550, 200), (0, 650, 300)]);
        assert!(work.is_empty() && work.next().is_none());
    }

    #[test]
    fn jobs_that_need_the_same_end_in_the_same_instant() {
        let mut work = SharedWork::default();
        for start in 0..7 {
            work.begin(at(1), SimDuration::from_nanos(1_000_003), start);
        }
        let ends = run(&mut work, |jobs| 0.3 / jobs.max(1) as f64, 1);
        assert!(ends.iter().all(|(_, end, _)| *end == ends[0].1), "{ends:?}");
        assert_eq!(ends.iter().map(|(job, ..)| *job).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_job_that_is_taken_away_has_had_its_share() {
        let mut work = SharedWork::default();
        work.begin(at(0), SimDuration::from_nanos(100), 'a');
        work.begin(at(0), SimDuration::from_nanos(100), 'b');
        work.set_speed(at(0), 0.5, 0.25);
        assert_eq!(work.end(at(80), 'b'), Some(SimDuration::from_nanos(20)));
        assert_eq!(work.end(at(80), 'b'), None);
        work.set_speed(at(80), 1.0, 1.0);
        assert_eq!(work.next(), Some((at(140), 'a')));
    }
}
