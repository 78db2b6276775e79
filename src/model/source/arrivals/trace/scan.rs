//! The first reading of a trace, before the run: finds every invalid line, and gathers what has to be known in advance.

use std::path::Path;

use indexmap::IndexSet;

use super::reader::{Numbering, Reader};
use super::values::ValueError;
use super::{Recorded, TraceError};
use crate::engine::hash::StableHasher;
use crate::engine::time::SimDuration;

/// Maximum number of errors that are kept. Further ones are counted.
const MAX_ERRORS: usize = 20;
/// Maximum number of different classes, and of different endpoints: results have a row for each.
const MAX_NAMES: usize = 1_000;

/// What is known of a trace after it has been read.
#[derive(Debug, Default)]
pub struct Scan {
    /// Number of requests.
    pub requests: u64,
    /// Time of the first request.
    pub first: SimDuration,
    /// Time of the last request.
    pub last: SimDuration,
    /// The classes in the order of their first mention.
    pub classes: IndexSet<String>,
    /// The endpoints in the order of their first mention.
    pub endpoints: IndexSet<String>,
    /// Whether it says how large requests are.
    pub gives_sizes: bool,
    /// Whether it says how long requests are served.
    pub gives_service_times: bool,
    /// Index of dispersion of the number of requests in a time, estimated from windows of equal
    /// length.
    pub dispersion: f64,
    /// Hash over all requests.
    pub(super) digest: u64,
    /// The first errors, in order.
    pub errors: Vec<TraceError>,
    /// Number of all errors.
    pub error_count: u64,
    /// A warning about columns that are ignored.
    pub warning: Option<TraceError>,
}

impl Scan {
    /// Reads a trace.
    pub(super) fn of(path: &Path) -> Self {
        let (mut reader, warning) = match Reader::open(path) {
            Ok(opened) => opened,
            Err(error) => return Self { errors: vec![error], error_count: 1, ..Self::default() },
        };
        let mut scan = Self {
            gives_sizes: reader.columns().give_sizes(),
            gives_service_times: reader.columns().give_service_times(),
            warning,
            ..Self::default()
        };
        let (mut names, mut counts, mut digest) = (Names::default(), Counts::default(), StableHasher::new());
        loop {
            match reader.next(&mut names) {
                Ok(None) => break,
                Ok(Some((at, recorded))) => {
                    if scan.requests == 0 {
                        scan.first = at;
                    }
                    scan.requests += 1;
                    scan.last = at;
                    counts.add(at);
                    absorb(&mut digest, at, &recorded);
                }
                Err(error) => {
                    let is_final = error.excerpt.is_none();
                    scan.add(error);
                    if is_final {
                        break;
                    }
                }
            }
        }
        if scan.requests == 0 && scan.error_count == 0 {
            let message = "the trace has no request";
            scan.add(TraceError::of_file(message, "add a line for each request below the first line"));
        }
        scan.dispersion = counts.dispersion();
        scan.digest = digest.finish();
        scan.classes = names.classes;
        scan.endpoints = names.endpoints;
        scan
    }

    fn add(&mut self, error: TraceError) {
        self.error_count += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    /// The time from the first request to the same one of the next repetition: that to the last request, and the mean gap, so
    /// that the rate stays the same. `None` if all requests come at the same time.
    #[must_use]
    pub fn period(&self) -> Option<SimDuration> {
        let (span, gaps) =
            (u128::from((self.last - self.first).as_nanos()), u128::from(self.requests.max(1) - 1));
        let nanos = (gaps > 0 && span > 0).then(|| span + (span + gaps / 2) / gaps)?;
        u64::try_from(nanos).ok().map(SimDuration::from_nanos)
    }
}

/// Adds a request to the hash over a trace.
pub(super) fn absorb(digest: &mut StableHasher, at: SimDuration, recorded: &Recorded) {
    let Recorded { key, class, endpoint, size, service } = *recorded;
    let number = |number: Option<u16>| number.map_or(0, |number| u64::from(number) + 1);
    let key_and_size = [key, size].map(|value| value.map_or(0, |value| u64::from(value) + 1));
    digest.absorb(at.as_nanos());
    digest.absorb(key_and_size[0] << 31 ^ key_and_size[1]);
    digest.absorb(number(class) << 32 ^ number(endpoint));
    digest.absorb(service.map_or(u64::MAX, SimDuration::as_nanos));
}

/// The number of a name among others, or `None` if it is none of them. Most traces have few names: comparing with the first
/// ones takes less time than a hash.
pub(super) fn number(name: &str, known: &IndexSet<String>) -> Option<u16> {
    const COMPARED: usize = 6;
    let first = known.iter().take(COMPARED).position(|known| known == name);
    let index = first.or_else(|| if known.len() > COMPARED { known.get_index_of(name) } else { None });
    u16::try_from(index?).ok()
}

/// The different names in the columns of a trace.
#[derive(Debug, Default)]
struct Names {
    classes: IndexSet<String>,
    endpoints: IndexSet<String>,
}

/// The number of a name, which is added to the others if it is new.
fn numbered(name: &str, names: &mut IndexSet<String>, column: &str) -> Result<u16, ValueError> {
    if let Some(number) = number(name, names) {
        return Ok(number);
    }
    let new = u16::try_from(names.len()).ok().filter(|_| names.len() < MAX_NAMES).ok_or_else(|| {
        let message = format!("the trace has more than {MAX_NAMES} different values of \"{column}\"");
        (message, "use few values, and the key for what differs from request to request")
    })?;
    names.insert(name.to_owned());
    Ok(new)
}

impl Numbering for Names {
    fn class(&mut self, name: &str) -> Result<u16, ValueError> {
        numbered(name, &mut self.classes, "class")
    }

    fn endpoint(&mut self, name: &str) -> Result<u16, ValueError> {
        numbered(name, &mut self.endpoints, "endpoint")
    }
}

/// Numbers of requests in windows of equal length, from which the index of dispersion is estimated: the variance of these
/// numbers over their mean (Cox, Lewis: "The statistical analysis of series of events", 1966; Gusella: "Characterizing the
/// variability of arrival processes with indexes of dispersion", IEEE JSAC 9(2), 1991). The windows are as long as their
/// number allows: whenever there are too many, two become one.
#[derive(Debug)]
struct Counts {
    windows: Vec<u64>,
    /// The length of a window: 2 to this power, in nanoseconds.
    exponent: u32,
    first: Option<SimDuration>,
}

/// Maximum number of windows. At least half as many are left: the relative standard error of a variance is then
/// sqrt(2 / 63), 18 %.
const MAX_WINDOWS: usize = 128;

impl Default for Counts {
    fn default() -> Self {
        Self { windows: vec![0; MAX_WINDOWS], exponent: 0, first: None }
    }
}

impl Counts {
    fn add(&mut self, at: SimDuration) {
        let since = (at - *self.first.get_or_insert(at)).as_nanos();
        while since >> self.exponent >= MAX_WINDOWS as u64 {
            for window in 0..MAX_WINDOWS {
                let pair = self.windows.get(2 * window..2 * window + 2);
                self.windows[window] = pair.map_or(0, |pair| pair.iter().sum());
            }
            self.exponent += 1;
        }
        let window = usize::try_from(since >> self.exponent).unwrap_or(MAX_WINDOWS - 1);
        self.windows[window] += 1;
    }

    /// The index of dispersion; 1, that of a Poisson process, if there are too few requests to tell.
    fn dispersion(&self) -> f64 {
        let last = self.windows.iter().rposition(|count| *count > 0).unwrap_or(0);
        // The last window may not be complete.
        let complete = &self.windows[..last];
        let total: u64 = complete.iter().sum();
        if complete.len() < MAX_WINDOWS / 4 || total < complete.len() as u64 {
            return 1.0;
        }
        let windows = complete.len() as f64;
        let mean = total as f64 / windows;
        let squares: f64 = complete.iter().map(|&count| (count as f64 - mean) * (count as f64 - mean)).sum();
        squares / (windows - 1.0) / mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::distribution::ziggurat;
    use crate::engine::random::RandomStream;

    /// The index of dispersion of requests with these gaps, in nanoseconds.
    fn dispersion(gaps: impl Iterator<Item = f64>) -> f64 {
        let (mut counts, mut at) = (Counts::default(), 0.0);
        for gap in gaps {
            at += gap;
            counts.add(SimDuration::from_nanos_f64(at));
        }
        counts.dispersion()
    }

    #[test]
    fn the_dispersion_of_known_processes_is_estimated() {
        let mut stream = RandomStream::from_seed(5);
        let mut exponential = || ziggurat::exponential(&mut stream) * 1e7;
        let poisson = dispersion((0..100_000).map(|_| exponential()));
        // At least 63 windows: sqrt(2 / 62) is 18 %, and this is three times as much.
        assert!((poisson - 1.0).abs() < 0.54, "{poisson}");
        let piles = dispersion((0..100_000).map(|index| if index % 20 == 0 { exponential() } else { 0.0 }));
        assert!((piles - 20.0).abs() < 10.8, "{piles}");
        assert!(dispersion((0..100_000).map(|_| 1e7)) < 0.01);
    }

    #[test]
    fn few_requests_have_that_of_a_poisson_process() {
        assert!((dispersion([1.0, 5e9].into_iter()) - 1.0).abs() < f64::EPSILON);
        assert!((dispersion(std::iter::empty()) - 1.0).abs() < f64::EPSILON);
    }

    #[test]
    fn the_period_keeps_the_rate() {
        let seconds = SimDuration::from_seconds;
        let scan = Scan { requests: 5, first: seconds(2), last: seconds(10), ..Scan::default() };
        assert_eq!(scan.period(), Some(seconds(10)), "a gap of 2 s after the last one");
        let scan = Scan { requests: 5, first: seconds(2), last: seconds(2), ..Scan::default() };
        assert_eq!(scan.period(), None);
        let scan = Scan { requests: 1, last: seconds(2), ..Scan::default() };
        assert_eq!(scan.period(), None);
    }
}
