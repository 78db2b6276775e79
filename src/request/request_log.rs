//! What is kept of requests that are over: a record of all, where that was asked for, and always a sample of bounded size.
//!
//! The sample holds each request whose number, times a constant of golden ratio, comes below a limit modulo 2^32; when it
//! is full, the limit is halved. By the three-distance theorem (Sós 1958) numbers that are picked so lie as evenly as can
//! be, in any residue class too: no round robin can hide from it. So the sample is the same whoever looks, needs no
//! random numbers, and of a short run it holds every request.

use super::RequestRecord;

/// The most records of the sample: shares are then known to half a percent, for a megabyte.
const MOST: usize = 16_384;
/// 2^32 divided by the golden ratio, odd.
const GOLDEN: u32 = 0x9e37_79b9;

/// Records of requests that are over.
#[derive(Clone, Debug)]
pub struct RequestLog {
    sample: Vec<RequestRecord>,
    /// What the scrambled number of a request of the sample stays below.
    limit: u64,
    log: Option<Vec<RequestRecord>>,
}

/// A sample of the requests that are over, in the order in which they ended.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Their records.
    pub records: Vec<RequestRecord>,
    /// One in so many was taken: 1 if all were.
    pub one_in: u64,
}

/// The key that comes most often in a set of records, the smallest of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrequentKey {
    /// The key.
    pub key: u32,
    /// How often it comes.
    pub count: usize,
    /// How many different keys there are.
    pub different: usize,
    /// How many records there are.
    pub of: usize,
}

impl FrequentKey {
    /// The most frequent key of some records; nothing of none.
    pub fn among<'a>(records: impl Iterator<Item = &'a RequestRecord>) -> Option<Self> {
        let mut keys: Vec<u32> = records.map(|record| record.key).collect();
        keys.sort_unstable();
        let runs = || keys.chunk_by(|a, b| a == b);
        // Of equally frequent ones `max_by_key` would take the last.
        let most = runs().rev().max_by_key(|run| run.len())?;
        Some(Self { key: most[0], count: most.len(), different: runs().count(), of: keys.len() })
    }

    /// Its share of the records.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.count as f64 / self.of as f64
    }
}

impl Default for RequestLog {
    fn default() -> Self {
        Self::new(false)
    }
}

impl RequestLog {
    /// An empty request_log, which keeps a record of every request if `keep_log`.
    #[must_use]
    pub fn new(keep_log: bool) -> Self {
        Self { sample: Vec::new(), limit: 1 << 32, log: keep_log.then(Vec::new) }
    }

    /// Whether a record of the request with this number is wanted.
    #[inline]
    #[must_use]
    pub fn wants(&self, number: u32) -> bool {
        self.is_sampled(number) || self.log.is_some()
    }

    fn is_sampled(&self, number: u32) -> bool {
        u64::from(number.wrapping_mul(GOLDEN)) < self.limit
    }

    /// Takes in the record of a request that is wanted.
    pub fn record(&mut self, number: u32, record: RequestRecord) {
        if let Some(log) = &mut self.log {
            log.push(record);
        }
        if !self.is_sampled(number) {
            return;
        }
        self.sample.push(record);
        if self.sample.len() == MOST {
            self.limit /= 2;
            let limit = self.limit;
            #[expect(clippy::cast_possible_truncation, reason = "the lower half of an id is the number")]
            self.sample.retain(|kept| u64::from((kept.id as u32).wrapping_mul(GOLDEN)) < limit);
        }
    }

    /// Takes the log, if one was kept.
    pub fn take_log(&mut self) -> Option<Vec<RequestRecord>> {
        self.log.take()
    }

    /// Takes the sample.
    #[must_use]
    pub fn take_sample(&mut self) -> Sample {
        Sample { records: std::mem::take(&mut self.sample), one_in: (1 << 32) / self.limit.max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::{SimDuration, SimTime};

    fn record(id: u64) -> RequestRecord {
        RequestRecord {
            id,
            source: 0,
            key: 0,
            size: 0,
            created: SimTime::ZERO,
            finished: None,
            server: None,
            waiting: SimDuration::ZERO,
            service: SimDuration::ZERO,
        }
    }

    fn sample(requests: u32) -> Sample {
        let mut request_log = RequestLog::new(false);
        for number in 0..requests {
            if request_log.wants(number) {
                request_log.record(number, record(u64::from(number)));
            }
        }
        request_log.take_sample()
    }

    #[test]
    fn a_short_run_is_kept_whole() {
        let sample = sample(10_000);
        assert_eq!((sample.records.len(), sample.one_in), (10_000, 1));
    }

    #[test]
    fn a_long_run_is_sampled_evenly_in_every_residue_class() {
        let requests = 1_000_000;
        let sample = sample(requests);
        assert_eq!(sample.one_in, 64);
        for class in 0..7 {
            let found = sample.records.iter().filter(|record| record.id % 7 == class).count() as f64;
            let expected = f64::from(requests) / 64.0 / 7.0;
            assert!((found - expected).abs() < 0.02 * expected, "{found} of {expected}");
        }
    }

    #[test]
    fn a_log_holds_all_and_the_sample_does_not_grow() {
        let mut request_log = RequestLog::new(true);
        (0..50_000_u32).for_each(|number| {
            assert!(request_log.wants(number));
            request_log.record(number, record(u64::from(number)));
        });
        assert_eq!(request_log.take_log().map(|log| log.len()), Some(50_000));
        assert!(request_log.take_sample().records.len() < MOST);
    }
}
