//! The source: where requests are created, and where it is counted how they ended when they come back.

pub mod arrivals;
pub mod key;
pub mod rate;
mod shown;

use std::fmt;
use std::ops::Range;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use self::arrivals::{ArrivalProcess, ArrivalsSpec};
use self::key::{KeySampler, KeySpec};
use super::build::{Builder, CHECKED};
use super::check::Checker;
use super::figure::FigureReader;
use super::names::NamedGroup;
use super::part::{Description, EventKind, Part, PartSetting, ScheduledPeriodSpec, Step, steps_of_rate};
use super::trace::TraceEvent;
use super::{Context, Target};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::random::RandomStream;
use crate::engine::row::{Column, Row, Rows};
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::units::Bytes;
use crate::event::{Event, NodeKind, PackedEvent, RequestRow};
use crate::request::{Outcome, OutcomeCounts};
use crate::text::Path;

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
    /// Priority of the requests: a label in `requests.csv`, without effect on a run.
    #[serde(default)]
    pub priority: i32,
    /// Size of the requests (at most 4 GiB each).
    #[serde(default)]
    pub size: Option<DistributionSpec<Bytes>>,
    /// Weight of the requests: a label in `requests.csv`, without effect on a run.
    #[serde(default = "one")]
    pub weight: u32,
}

const fn one() -> u32 {
    1
}

/// What the requests of a source are labelled with in records and results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceLabels {
    /// Their class.
    pub class: Option<String>,
    /// Their priority.
    pub priority: i32,
    /// Their weight.
    pub weight: u32,
}

/// A source as it runs.
#[derive(Component, Clone, Debug)]
pub struct Source {
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
    /// What its requests are labelled with.
    pub labels: SourceLabels,
    /// Whether there is a node that turns requests away on purpose.
    may_be_shed: bool,
    /// What became of them.
    pub outcomes: OutcomeCounts,
    /// How many are under way, over time.
    pub in_flight: TimeWeighted,
    /// Time from creation to response, of completed requests that were created after the warm-up, in the windows that are over.
    latency: Tally,
    /// The same of those that were completed in the present window.
    latency_this_lap: Tally,
    /// Latency that a half, 95 % and 99 % of the requests of the last window had at most, in nanoseconds.
    percentiles_of_lap: [Option<u64>; 3],
    /// End of the warm-up.
    pub measured_from: SimTime,
}

impl Source {
    /// When the next request is born, if one is.
    #[inline]
    pub fn next_arrival(&mut self) -> Option<SimTime> {
        let (process, stream) = &mut self.arrivals;
        process.next(stream).filter(|&at| at <= self.stop && self.outcomes.offered < self.max_requests)
    }

    /// Time from creation to response, of completed requests that were created after the warm-up.
    pub fn latency(&mut self) -> &mut Tally {
        let [] = self.latency_this_lap.hand_on(&mut self.latency, []);
        &mut self.latency
    }
}

/// What can change of a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SourceSetting {
    /// When requests are created from then on. The request that was to be created next is not.
    Arrivals(ArrivalsSpec),
}

impl fmt::Display for SourceSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Arrivals(arrivals) = self;
        match arrivals.steady_rate() {
            Some(rate) => rate.fmt(f),
            None => f.write_str("other arrivals"),
        }
    }
}

impl PartSetting for SourceSetting {
    fn name(&self) -> &'static str {
        let Self::Arrivals(_) = self;
        "Arrivals"
    }

    fn phases(&self) -> Vec<ScheduledPeriodSpec> {
        let Self::Arrivals(arrivals) = self;
        arrivals.phases()
    }

    fn steps(&self) -> Vec<Step<Self>> {
        let Self::Arrivals(arrivals) = self;
        steps_of_rate("of the rate", |factor| arrivals.times(factor).map(Self::Arrivals))
    }
}

/// The sources as a system reaches them.
pub type Columns<'w, 's> = Rows<'w, 's, Source>;

/// The sources as handlers reach them: by row.
pub type View<'a> = Column<'a, Source, Source>;

impl Source {
    /// A request is over: its response has come back, or it was lost.
    #[inline]
    pub fn finish(sources: &mut View<'_>, context: &mut Context<'_>, request: RequestRow, outcome: Outcome) {
        context.tracer.record(context.now, request, || TraceEvent::Over { outcome });
        let finished = context.requests.get(request);
        let source = &mut sources[Row::new(finished.source.into())];
        source.outcomes.count(outcome);
        source.in_flight.decrement(context.now);
        if outcome == Outcome::Completed && finished.created >= source.measured_from {
            let latency = context.now.since(finished.created).as_nanos();
            source.latency_this_lap.record(latency);
        }
        context.requests.finish(context.now, request, outcome);
        if source.size.is_some() {
            // The next request in this place may come from a source that gives no sizes.
            context.requests.set_size(request, 0);
        }
    }
}

impl Part for Source {
    const KIND: NodeKind = NodeKind::Source;
    const DESCRIPTION: Description = shown::DESCRIPTION;
    const FIGURES: &'static [FigureReader<Self>] = shown::FIGURES;
    const WAKING: EventKind = EventKind::Created;

    type Spec = SourceSpec;
    type Setting = SourceSetting;

    fn count(_: &SourceSpec) -> Option<u32> {
        None
    }

    fn sends_to(spec: &SourceSpec) -> Vec<&str> {
        vec![&spec.to]
    }

    fn settings(spec: &SourceSpec) -> Vec<SourceSetting> {
        vec![SourceSetting::Arrivals(spec.arrivals.clone())]
    }

    fn check(spec: &SourceSpec, path: &Path, checker: &mut Checker<'_>) {
        checker.spec(path, "arrivals", spec.arrivals.resolve(SimTime::ZERO + spec.start).map(drop));
        checker.spec(path, "key", spec.key.resolve().map(drop));
        if let Some(size) = &spec.size {
            checker.spec(path, "size", size.resolve().map(drop));
        }
        checker.single_receiver(path, "to", &spec.to);
        if spec.stop.is_some_and(|stop| stop < spec.start) {
            checker.add(
                path.clone().name("stop"),
                "the source stops before it starts",
                "make `stop` later than `start`",
            );
        }
    }

    fn check_setting(setting: &SourceSetting, path: &Path, _: &[&SourceSpec], checker: &mut Checker<'_>) {
        let SourceSetting::Arrivals(arrivals) = setting;
        checker.resolved(path.clone(), arrivals.resolve(SimTime::ZERO).map(drop));
    }

    fn build(spec: &SourceSpec, entry: &NamedGroup, builder: &mut Builder<'_>) {
        let name = entry.name.as_str();
        let destinations = builder.destinations(entry, std::slice::from_ref(&spec.to)).swap_remove(0);
        assert_eq!(
            destinations.first_hop, entry.first,
            "the last hop of a way back is the row of its source"
        );
        let mut source = Self {
            target: destinations.targets[0],
            arrivals: (
                spec.arrivals.resolve(SimTime::ZERO + spec.start).expect(CHECKED),
                builder.stream(name, "arrivals"),
            ),
            key: (spec.key.resolve().expect(CHECKED), builder.stream(name, "key")),
            size: spec
                .size
                .as_ref()
                .map(|size| (size.resolve().expect(CHECKED), builder.stream(name, "size"))),
            start: SimTime::ZERO + spec.start,
            stop: spec.stop.map_or(builder.times.arrivals_until, |stop| SimTime::ZERO + stop),
            max_requests: spec.max_requests.unwrap_or(u64::MAX),
            labels: SourceLabels { class: spec.class.clone(), priority: spec.priority, weight: spec.weight },
            may_be_shed: builder.may_shed(),
            outcomes: OutcomeCounts::default(),
            in_flight: TimeWeighted::default(),
            latency: Tally::default(),
            latency_this_lap: Tally::default(),
            percentiles_of_lap: [None; 3],
            measured_from: builder.times.measured_from,
        };
        if let Some(at) = source.next_arrival() {
            builder.queue.schedule(at, arrival(Row::new(entry.first)));
        }
        builder.world.spawn(source);
    }

    fn deliver(_: &mut View<'_>, _: &mut Context<'_>, _: Row<Self>, _: RequestRow) -> Option<PackedEvent> {
        unreachable!("requests are not sent to sources: the checks refuse it")
    }

    /// The response has come back: the request is over.
    #[inline(always)]
    fn respond(
        sources: &mut View<'_>,
        context: &mut Context<'_>,
        _: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let outcome = context.requests.get(request).outcome.expect("a response belongs to a request");
        Self::finish(sources, context, request, outcome);
        None
    }

    /// The next request is created and sent on its way; the one after it is scheduled.
    #[inline(always)]
    fn wake(
        sources: &mut View<'_>,
        context: &mut Context<'_>,
        row: Row<Self>,
        _: RequestRow,
    ) -> (RequestRow, Option<PackedEvent>) {
        let source = &mut sources[row];
        source.outcomes.offered += 1;
        source.in_flight.increment(context.now);
        if let Some(at) = source.next_arrival() {
            context.queue.schedule(at, arrival(row));
        }
        let key = source.key.0.sample(&mut source.key.1);
        #[expect(clippy::cast_possible_truncation, reason = "a scenario has at most 65,536 sources")]
        let request = context.requests.create(context.now, row.number() as u16, key);
        context.tracer.record(context.now, request, || TraceEvent::Created { source: Self::node(row), key });
        if let Some((size, stream)) = &mut source.size {
            context.requests.set_size(request, whole_bytes(size.sample(stream)));
        }
        (request, context.send_from_source(request, source.target))
    }

    /// From now on requests arrive otherwise: the ones that were to be created next are not.
    #[cold]
    fn change(
        sources: &mut View<'_>,
        context: &mut Context<'_>,
        rows: Range<u32>,
        setting: &SourceSetting,
    ) -> Vec<RequestRow> {
        let SourceSetting::Arrivals(arrivals) = setting;
        let process = arrivals.resolve(SimTime::ZERO).expect(CHECKED);
        context.queue.remove_where(|event| {
            matches!(event.unpack(), Event::Wake { node, .. }
                if node.kind() == Self::KIND && rows.contains(&node.row()))
        });
        for row in rows.map(Row::new) {
            let source = &mut sources[row];
            source.arrivals.0 = process.counting_from(context.now.max(source.start));
            if let Some(at) = source.next_arrival() {
                context.queue.schedule(at, arrival(row));
            }
        }
        Vec::new()
    }

    fn restart(sources: &mut View<'_>, now: SimTime) {
        for source in sources.iter_mut() {
            source.in_flight.restart(now);
            source.latency.clear();
            source.latency_this_lap.clear();
            source.measured_from = now;
        }
    }

    fn close_window(sources: &mut View<'_>) {
        for source in sources.iter_mut() {
            source.percentiles_of_lap =
                source.latency_this_lap.hand_on(&mut source.latency, [0.5, 0.95, 0.99]);
        }
    }
}

fn arrival(row: Row<Source>) -> PackedEvent {
    Event::Wake { node: Source::node(row), request: RequestRow::new(0) }.pack()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as documented")]
fn whole_bytes(size: f64) -> u32 {
    (size + 0.5) as u32
}
