//! The source: where requests are born, and where their fates are counted when they come back.

pub mod arrivals;
pub mod key;
pub mod rate;

use std::ops::Range;

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use serde::{Deserialize, Serialize};

use self::arrivals::{ArrivalProcess, ArrivalsSpec};
use self::key::{KeySampler, KeySpec};
use super::measure::{Measure, Readings, Unit, View};
use super::witness::What;
use super::{Context, Target};
use crate::engine::column;
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::random::RandomStream;
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::units::Bytes;
use crate::event::{Event, PackedEvent, RequestRow};
use crate::request::Outcome;

/// A source as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// When requests are born.
    pub arrivals: ArrivalsSpec,
    /// The node that requests are sent to: one node, not a group.
    pub to: String,
    /// What requests ask for, or for whom.
    #[serde(default)]
    pub key: KeySpec,
    /// No request is born before this.
    #[serde(default)]
    pub start: SimDuration,
    /// No request is born after this; the scenario's `arrivals_until` if it is not given.
    #[serde(default)]
    pub stop: Option<SimDuration>,
    /// No more requests are born than this.
    #[serde(default)]
    pub max_requests: Option<u64>,
    /// Name of the class that the requests belong to; results are shown by class too.
    #[serde(default)]
    pub class: Option<String>,
    /// Priority of the requests: the higher, the more urgent.
    #[serde(default)]
    pub priority: i32,
    /// Size of the requests (at most 4 GiB each).
    #[serde(default)]
    pub size: Option<DistributionSpec<Bytes>>,
    /// Weight of the requests: how much of a shared resource each takes.
    #[serde(default = "one")]
    pub weight: u32,
}

const fn one() -> u32 {
    1
}

const THROUGHPUT: View = View {
    id: "throughput",
    section: "Requests",
    title: "Offered and completed",
    unit: Unit::PerSecond,
    caption: "Requests that were born, and requests whose response came back.",
};
const FAILURES: View = View {
    id: "failures",
    section: "Requests",
    title: "Failed",
    unit: Unit::PerSecond,
    caption: "Requests that ended without a response worth having.",
};
const UNDER_WAY: View =
    View { id: "under-way", section: "Requests", title: "Under way", unit: Unit::Count, caption: "" };
const LATENCY: View = View {
    id: "latency",
    section: "Latency",
    title: "Latency over time",
    unit: Unit::Seconds,
    caption: "Of the requests completed in each lap, a hundred and twentieth of the run.",
};

/// What a source measures of itself.
pub const MEASURES: [Measure; 8] = [
    Measure::new("arrival_rate", "offered", &THROUGHPUT),
    Measure::new("completion_rate", "completed", &THROUGHPUT),
    Measure::new("rejection_rate", "rejected", &FAILURES),
    Measure::new("drop_rate", "dropped", &FAILURES),
    Measure::new("in_flight", "", &UNDER_WAY),
    Measure::new("latency_p50", "p50", &LATENCY),
    Measure::new("latency_p95", "p95", &LATENCY),
    Measure::new("latency_p99", "p99", &LATENCY),
];

/// What became of the requests of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Requests that were born.
    pub offered: u64,
    /// How many came to each end, in the order of [`Outcome::ALL`].
    pub ended: [u64; 5],
}

impl Fates {
    /// How many came to this end.
    #[must_use]
    pub const fn of(&self, outcome: Outcome) -> u64 {
        self.ended[outcome as usize]
    }

    /// How many have not come to an end: offered less all others.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.offered - self.ended.iter().sum::<u64>()
    }

    /// Adds the fates of another source.
    pub fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        for (mine, others) in self.ended.iter_mut().zip(other.ended) {
            *mine += others;
        }
    }
}

/// A source as it runs.
#[derive(Component, Clone, Debug)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: Option<String>,
    /// Priority of its requests.
    pub priority: i32,
    /// Weight of its requests.
    pub weight: u32,
    /// Where its requests go.
    pub target: Target,
    /// When requests are born, and the stream for it.
    pub arrivals: (ArrivalProcess, RandomStream),
    /// Their keys, and the stream for them.
    pub key: (KeySampler, RandomStream),
    /// Their sizes in bytes, and the stream for them.
    pub size: Option<(Sampler, RandomStream)>,
    /// No request is born before this.
    pub start: SimTime,
    /// No request is born after this.
    pub stop: SimTime,
    /// No more requests are born than this.
    pub max_requests: u64,
    /// What became of them.
    pub fates: Fates,
    /// How many are under way, over time.
    pub in_flight: TimeWeighted,
    /// Time from birth to response, of completed requests that were born after the warm-up, up to the last slice of the run.
    pub latency: Tally,
    /// The same of those that were completed in the present slice.
    pub recent: Tally,
    /// End of the warm-up.
    pub measured_from: SimTime,
}

impl Source {
    /// When the next request is born, if one is.
    #[inline]
    pub fn next_arrival(&mut self) -> Option<SimTime> {
        let (process, stream) = &mut self.arrivals;
        process.next(stream).filter(|&at| at <= self.stop && self.fates.offered < self.max_requests)
    }
}

/// The sources as a system reaches them.
#[derive(SystemParam)]
pub struct Sources<'w, 's> {
    rows: Query<'w, 's, &'static mut Source>,
}

impl Sources<'_, '_> {
    /// Borrows the column of sources for a tick.
    pub fn view(&mut self) -> SourcesView<'_> {
        SourcesView { rows: column(&mut self.rows) }
    }
}

/// The sources as handlers reach them: by row.
#[derive(Debug)]
pub struct SourcesView<'a> {
    rows: &'a mut [Source],
}

impl SourcesView<'_> {
    /// The source in a row.
    #[must_use]
    pub const fn get(&self, row: u32) -> &Source {
        &self.rows[row as usize]
    }

    /// The next request of the source is born and sent on its way; the one after it is scheduled.
    #[inline]
    pub fn arrive(&mut self, context: &mut Context<'_>, row: u32) -> (RequestRow, Option<PackedEvent>) {
        let source = &mut self.rows[row as usize];
        source.fates.offered += 1;
        source.in_flight.increment(context.now);
        if let Some(at) = source.next_arrival() {
            context.queue.schedule(at, Event::Arrival { source: row }.pack());
        }
        let key = source.key.0.sample(&mut source.key.1);
        #[expect(clippy::cast_possible_truncation, reason = "a scenario has at most 65,536 sources")]
        let request = context.requests.create(context.now, row as u16, key);
        context.witness.note(context.now, request, || What::Born { source: row, key });
        if let Some((size, stream)) = &mut source.size {
            context.requests.set_size(request, whole_bytes(size.sample(stream)));
        }
        (request, context.send(request, source.target))
    }

    /// From now on requests of some sources arrive like this: the ones that were to be born next are not.
    #[cold]
    pub fn change(&mut self, context: &mut Context<'_>, rows: &Range<u32>, process: &ArrivalProcess) {
        context.queue.remove_where(
            |event| matches!(event.unpack(), Event::Arrival { source } if rows.contains(&source)),
        );
        for row in rows.clone() {
            let source = &mut self.rows[row as usize];
            source.arrivals.0 = process.counting_from(context.now.max(source.start));
            if let Some(at) = source.next_arrival() {
                context.queue.schedule(at, Event::Arrival { source: row }.pack());
            }
        }
    }

    /// A request is over: its response has come back, or it was lost.
    #[inline]
    pub fn finish(&mut self, context: &mut Context<'_>, request: RequestRow, outcome: Outcome) {
        context.witness.note(context.now, request, || What::Over { outcome });
        let finished = context.requests.get(request);
        let source = &mut self.rows[usize::from(finished.source)];
        source.fates.ended[outcome as usize] += 1;
        source.in_flight.decrement(context.now);
        if outcome == Outcome::Completed && finished.created >= source.measured_from {
            let latency = context.now.since(finished.created).as_nanos();
            source.recent.record(latency);
        }
        context.requests.finish(context.now, request, outcome);
        if source.size.is_some() {
            // The next request in this place may come from a source that gives no sizes.
            context.requests.set_size(request, 0);
        }
    }

    /// Reads off what the sources measure.
    #[expect(clippy::cast_precision_loss, reason = "a value for people and plots")]
    pub fn read(&mut self, now: SimTime, readings: &mut Readings<'_>) {
        for source in &mut *self.rows {
            readings.rate(source.fates.offered);
            for outcome in [Outcome::Completed, Outcome::Rejected, Outcome::Dropped] {
                readings.rate(source.fates.of(outcome));
            }
            readings.level(source.in_flight.integral(now));
            let mut latency = [None; 3];
            let is_lap = readings.is_lap();
            readings.value(|| {
                if !is_lap {
                    return None;
                }
                latency = source
                    .recent
                    .hand_on(&mut source.latency, [0.5, 0.95, 0.99])
                    .map(|nanos| nanos.map(|nanos| nanos as f64 / 1e9));
                latency[0]
            });
            readings.value(|| latency[1]);
            readings.value(|| latency[2]);
        }
    }

    /// Begins statistics anew.
    pub fn restart(&mut self, now: SimTime) {
        for source in &mut *self.rows {
            source.in_flight.restart(now);
            source.latency.clear();
            source.recent.clear();
            source.measured_from = now;
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as documented")]
fn whole_bytes(size: f64) -> u32 {
    (size + 0.5) as u32
}
