//! The second reading of a trace, during the run: the times of its requests, one after the other.

use std::sync::Arc;

use indexmap::IndexSet;

use super::reader::{Numbering, Reader};
use super::scan::{Scan, absorb, number};
use super::values::ValueError;
use super::{Recorded, TraceError, TraceFile};
use crate::engine::hash::StableHasher;
use crate::engine::time::{SimDuration, SimTime};

/// Replays a trace. Reads a line for each request, so that memory does not grow with the length of the trace.
#[derive(Debug)]
pub(in super::super) struct Replay {
    file: TraceFile,
    scan: Arc<Scan>,
    start: SimTime,
    speed: f64,
    /// How much later each repetition is than the one before, in times of the trace; `None` if it is not repeated.
    period: Option<SimDuration>,
    /// How much later the current repetition is than the first one.
    offset: SimDuration,
    reader: Option<Reader>,
    requests: u64,
    digest: StableHasher,
    /// The request that comes next, whose time has been given away.
    upcoming: Option<Recorded>,
    /// The request before it, which comes now.
    due: Option<Recorded>,
    failure: Option<TraceError>,
}

impl Replay {
    /// The requests of a trace from `start` on. The file is opened when the first one is asked for.
    pub(in super::super) fn new(file: &TraceFile, speed: f64, repeat: bool, start: SimTime) -> Self {
        let scan = Arc::clone(file.scan());
        Self {
            period: scan.period().filter(|_| repeat),
            file: file.clone(),
            scan,
            start,
            speed,
            offset: SimDuration::ZERO,
            reader: None,
            requests: 0,
            digest: StableHasher::new(),
            upcoming: None,
            due: None,
            failure: None,
        }
    }

    /// The request whose time was given before the last one: that of the current arrival.
    pub(in super::super) const fn due(&self) -> Option<&Recorded> {
        self.due.as_ref()
    }

    /// Why the trace could not be replayed to its end.
    pub(in super::super) const fn failure(&self) -> Option<&TraceError> {
        self.failure.as_ref()
    }

    /// The time of the next request, or `None` after the last one, or if the file cannot be read as before the run.
    pub(in super::super) fn next(&mut self) -> Option<SimTime> {
        self.due = self.upcoming.take();
        if self.failure.is_some() {
            return None;
        }
        match self.read() {
            Ok(next) => {
                let (at, recorded) = next?;
                self.upcoming = Some(recorded);
                Some(self.start + self.scaled(at + self.offset))
            }
            Err(error) => {
                self.failure = Some(error);
                None
            }
        }
    }

    fn scaled(&self, at: SimDuration) -> SimDuration {
        // Exact where nothing has to be scaled.
        if self.speed.total_cmp(&1.0).is_eq() {
            at
        } else {
            SimDuration::from_nanos_f64(at.as_nanos_f64() / self.speed)
        }
    }

    fn read(&mut self) -> Result<Option<(SimDuration, Recorded)>, TraceError> {
        loop {
            let reader = match &mut self.reader {
                Some(reader) => reader,
                None => self.reader.insert(Reader::open(&self.file.path())?.0),
            };
            if let Some((at, recorded)) = reader.next(&mut Known(&self.scan))? {
                self.requests += 1;
                absorb(&mut self.digest, at, &recorded);
                return Ok(Some((at, recorded)));
            }
            if (self.requests, self.digest.finish()) != (self.scan.requests, self.scan.digest) {
                return Err(self.changed());
            }
            let Some(period) = self.period else { return Ok(None) };
            self.offset += period;
            self.reader = None;
            self.requests = 0;
            self.digest = StableHasher::new();
        }
    }

    fn changed(&self) -> TraceError {
        let message = format!("{} has changed since it was checked", self.file.path().display());
        TraceError::of_file(message, CHANGED)
    }
}

const CHANGED: &str = "run the scenario again when nobody writes to the file";

/// The names that were found before the run.
struct Known<'a>(&'a Scan);

fn known(name: &str, known: &IndexSet<String>) -> Result<u16, ValueError> {
    number(name, known).ok_or_else(|| (format!("\"{name}\" is new since the trace was checked"), CHANGED))
}

impl Numbering for Known<'_> {
    fn class(&mut self, name: &str) -> Result<u16, ValueError> {
        known(name, &self.0.classes)
    }

    fn endpoint(&mut self, name: &str) -> Result<u16, ValueError> {
        known(name, &self.0.endpoints)
    }
}
