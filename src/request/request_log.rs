//! Records of requests that have ended: of all requests if the run keeps a log, and always of a sample of bounded size.
//!
//! The sample holds each request whose number, multiplied by a constant modulo 2^32, is below a limit. The constant is
//! 2^32 divided by the golden ratio. When the sample is full, the limit is halved. By the three-distance theorem (Sós
//! 1958) the numbers selected this way are spread as evenly as possible, also within each residue class, so that round
//! robin does not bias the sample. The sample is deterministic, needs no random numbers, and holds every request of a
//! short run.

use super::RequestRecord;

/// Maximum number of records in the sample: shares are then known to half a percent, for a megabyte of memory.
const MAX_SAMPLE: usize = 16_384;
/// 2^32 divided by the golden ratio, rounded to an odd number.
const GOLDEN: u32 = 0x9e37_79b9;

/// The records that a run keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// A sample of bounded size of the requests of sources.
    #[default]
    Sample,
    /// Also all requests of sources. Memory then grows with their number.
    Requests,
    /// Also all calls.
    Calls,
}

/// Records of requests that have ended.
#[derive(Clone, Debug)]
pub struct RequestLog {
    sample: Vec<RequestRecord>,
    /// Upper limit of the scrambled numbers of the requests in the sample.
    limit: u64,
    log: Option<Vec<RequestRecord>>,
    level: LogLevel,
}

/// A sample of the requests that have ended, in the order in which they ended.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Their records.
    pub records: Vec<RequestRecord>,
    /// Sampling interval: 1 if all requests were taken, n if 1 in n was taken.
    pub one_in: u64,
}

/// The most frequent key in a set of records; the smallest of several equally frequent ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrequentKey {
    /// The key.
    pub key: u32,
    /// Number of records with this key.
    pub count: usize,
    /// Number of different keys.
    pub different: usize,
    /// Number of records.
    pub total: usize,
}

impl FrequentKey {
    /// The most frequent key in these records, or `None` if there are none.
    pub fn among<'a>(records: impl Iterator<Item = &'a RequestRecord>) -> Option<Self> {
        let mut keys: Vec<u32> = records.map(|record| record.key).collect();
        keys.sort_unstable();
        let runs = || keys.chunk_by(|a, b| a == b);
        // `max_by_key` returns the last of several equally frequent keys: reversed, that is the smallest.
        let longest = runs().rev().max_by_key(|run| run.len())?;
        Some(Self { key: longest[0], count: longest.len(), different: runs().count(), total: keys.len() })
    }

    /// The share of records with this key.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.count as f64 / self.total as f64
    }
}

impl Default for RequestLog {
    fn default() -> Self {
        Self::new(LogLevel::Sample)
    }
}

impl RequestLog {
    /// An empty log.
    #[must_use]
    pub fn new(level: LogLevel) -> Self {
        let log = (level != LogLevel::Sample).then(Vec::new);
        Self { sample: Vec::new(), limit: 1 << 32, log, level }
    }

    /// Whether each call has to be recorded.
    #[must_use]
    pub fn keeps_calls(&self) -> bool {
        self.level == LogLevel::Calls
    }

    /// The records that it keeps.
    #[must_use]
    pub const fn level(&self) -> LogLevel {
        self.level
    }

    /// Whether the request with this number has to be recorded, for the log or the sample.
    #[inline]
    #[must_use]
    pub fn should_record(&self, number: u32) -> bool {
        self.is_sampled(number) || self.log.is_some()
    }

    fn is_sampled(&self, number: u32) -> bool {
        u64::from(number.wrapping_mul(GOLDEN)) < self.limit
    }

    /// Adds the record of a request for which [`should_record`](Self::should_record) holds, or of a call. The sample is
    /// one of requests of sources.
    pub fn record(&mut self, number: u32, record: RequestRecord) {
        if let Some(log) = &mut self.log {
            log.push(record);
        }
        if record.parent.is_some() || !self.is_sampled(number) {
            return;
        }
        self.sample.push(record);
        if self.sample.len() == MAX_SAMPLE {
            self.limit /= 2;
            let limit = self.limit;
            #[expect(clippy::cast_possible_truncation, reason = "the lower half of an id is the number")]
            self.sample.retain(|kept| u64::from((kept.id as u32).wrapping_mul(GOLDEN)) < limit);
        }
    }

    /// Takes the log, or `None` if none is kept.
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
    use crate::request::MessageSizes;

    fn record(id: u64) -> RequestRecord {
        RequestRecord {
            id,
            parent: None,
            source: 0,
            key: 0,
            class: None,
            sizes: MessageSizes::default(),
            created: SimTime::ZERO,
            finished: None,
            server: None,
            waiting: SimDuration::ZERO,
            service: SimDuration::ZERO,
            retries: SimDuration::ZERO,
        }
    }

    fn sample(requests: u32) -> Sample {
        let mut request_log = RequestLog::new(LogLevel::Sample);
        for number in 0..requests {
            if request_log.should_record(number) {
                request_log.record(number, record(u64::from(number)));
            }
        }
        request_log.take_sample()
    }

    #[test]
    fn the_sample_of_a_short_run_holds_every_request() {
        let sample = sample(10_000);
        assert_eq!((sample.records.len(), sample.one_in), (10_000, 1));
    }

    #[test]
    fn a_long_run_is_sampled_evenly_in_every_residue_class() {
        let requests = 1_000_000;
        let sample = sample(requests);
        assert_eq!(sample.one_in, 64);
        for class in 0..7 {
            let count = sample.records.iter().filter(|record| record.id % 7 == class).count() as f64;
            let expected = f64::from(requests) / 64.0 / 7.0;
            assert!(
                (count - expected).abs() < 0.02 * expected,
                "class {class}: {count}, expected {expected}"
            );
        }
    }

    #[test]
    fn a_log_holds_every_request_and_the_sample_stays_bounded() {
        let mut request_log = RequestLog::new(LogLevel::Requests);
        (0..50_000_u32).for_each(|number| {
            assert!(request_log.should_record(number));
            request_log.record(number, record(u64::from(number)));
        });
        assert_eq!(request_log.take_log().map(|log| log.len()), Some(50_000));
        assert!(request_log.take_sample().records.len() < MAX_SAMPLE);
    }
}
