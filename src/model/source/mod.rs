//! The source: creates requests, and counts their outcomes when they end.

pub mod arrivals;
pub mod endpoint;
mod fault;
pub mod key;
pub mod rate;
mod shown;

use std::fmt;
use std::ops::Range;

use bevy_ecs::prelude::*;
use rand_distr::Distribution;
use serde::{Deserialize, Serialize};

use self::arrivals::{ArrivalProcess, ArrivalsSpec};
use self::endpoint::{AskedEndpoints, EndpointSampler};
pub use self::fault::SourceFault;
use self::fault::Surges;
use self::key::{KeySampler, KeySpec};
pub use self::shown::FAILURE_RATES;
use super::build::{Builder, CHECKED};
use super::check::Checker;
use super::figure::FigureReader;
use super::names::NamedGroup;
use super::part::{
    Description, EventKind, FaultEdge, Part, PartSetting, ScheduledPeriodSpec, Step, steps_of_rate,
};
use super::trace::TraceEvent;
use super::{Context, Target};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::queue::EventQueue;
use crate::engine::random::RandomStream;
use crate::engine::row::{Column, Row, Rows};
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::units::Bytes;
use crate::event::{Event, NodeKind, PackedEvent, RequestRow};
use crate::request::{Outcome, OutcomeCounts, RequestAttributes};
use crate::text::Path;

/// A source as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// When requests are created.
    pub arrivals: ArrivalsSpec,
    /// The node that receives the requests: one node, not a group.
    pub to: String,
    /// Keys of the requests. A key identifies, for example, an item or a customer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key: KeySpec,
    /// The endpoint that the requests ask for: `"GET /cart"`, or several with weights. By default none: each server picks
    /// one of its endpoints by weight.
    #[serde(default, skip_serializing_if = "AskedEndpoints::is_empty")]
    pub endpoint: AskedEndpoints,
    /// No request is created before this time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub start: SimDuration,
    /// No request is created after this time; by default the scenario's `arrivals_until`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<SimDuration>,
    /// Maximum number of requests; unlimited by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u64>,
    /// Class of the requests; results are reported by class too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Priority of the requests, which servers with a `Priority` queue serve in this order: the highest first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i32,
    /// Time from the creation of a request to its deadline, by which servers with an `EarliestDeadline` queue order requests;
    /// none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<SimDuration>,
    /// Size of each request (at most 4 GiB).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<DistributionSpec<Bytes>>,
    /// How many slots a request takes of servers with `weighted` slots (1 or more).
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(weight: &u32) -> bool {
    *weight == one()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl SourceSpec {
    /// What its requests have in common.
    pub(crate) const fn attributes(&self) -> RequestAttributes {
        RequestAttributes { priority: self.priority, weight: self.weight, deadline: self.deadline }
    }
}

/// Warns of fields that have no effect.
fn warn(spec: &SourceSpec, path: &Path, checker: &mut Checker<'_>) {
    let labels = [
        ("priority", spec.priority != 0),
        ("deadline", spec.deadline.is_some()),
        ("weight", spec.weight != one()),
        ("size", spec.size.is_some()),
    ];
    for (field, is_given) in labels {
        if !is_given || checker.used.contains(&field) {
            continue;
        }
        let message = format!("no node uses the {field} of a request: it has no effect on the run");
        let hint = match field {
            "deadline" => "leave it out, or give a server the queue `EarliestDeadline()`",
            _ => "it is only copied into requests.csv; leave it out if you do not need it there",
        };
        checker.warn(path.clone().name(field), message, hint);
    }
    let stop = spec.stop.unwrap_or(checker.arrivals_until);
    if spec.stop.is_some_and(|stop| stop > checker.run_until) {
        let message = format!("the run ends at {}, before the source stops", checker.run_until);
        checker.warn(path.clone().name("stop"), message, "make it earlier, or leave it out");
    }
    if spec.start > stop.min(checker.run_until) {
        let end = stop.min(checker.run_until);
        let message = format!("the source creates no request: it starts at {}, after {end}", spec.start);
        checker.warn(path.clone().name("start"), message, "make it earlier, or the run longer");
    } else if spec.max_requests == Some(0) {
        let message = "the source creates no request";
        checker.warn(path.clone().name("max_requests"), message, "make it 1 or more, or remove the source");
    }
}

/// Labels of the requests of a source in records and results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceLabels {
    /// Class of the requests.
    pub class: Option<String>,
    /// Priority of the requests.
    pub priority: i32,
    /// Weight of the requests.
    pub weight: u32,
}

/// The state of a source during a run.
#[derive(Component, Clone, Debug)]
pub struct Source {
    /// The node that receives the requests.
    pub target: Target,
    /// Arrival process and its random stream.
    pub arrivals: (ArrivalProcess, RandomStream),
    /// The surges in effect.
    surges: Box<Surges>,
    /// Key sampler and its random stream.
    pub key: (KeySampler, RandomStream),
    /// The endpoints that the requests ask for, or `None` if they ask for none.
    pub endpoint: Option<EndpointSampler>,
    /// Sampler of sizes in bytes, and its random stream.
    pub size: Option<(Sampler, RandomStream)>,
    /// No request is created before this time.
    pub start: SimTime,
    /// No request is created after this time.
    pub stop: SimTime,
    /// Maximum number of requests.
    pub max_requests: u64,
    /// Labels of the requests.
    pub labels: SourceLabels,
    /// Whether the scenario has a node that sheds requests.
    may_be_shed: bool,
    /// Whether the scenario has a node that may answer with an error.
    may_fail: bool,
    /// Number of offered requests, and of requests by outcome.
    pub outcomes: OutcomeCounts,
    /// Number of requests in flight, over time.
    pub in_flight: TimeWeighted,
    /// Latency (creation to response) of completed requests that were created after the warm-up, in all closed windows.
    latency: Tally,
    /// The same for the current window.
    latency_this_window: Tally,
    /// Percentiles (50, 95, 99) of latency in the last closed window, in nanoseconds.
    window_percentiles: [Option<u64>; 3],
    /// End of the warm-up.
    pub measured_from: SimTime,
}

impl Source {
    /// Draws the time of the next request. Returns `None` if it would be after [`stop`](Self::stop) or above
    /// [`max_requests`](Self::max_requests), or if there are no more arrivals.
    #[inline(always)]
    pub fn next_arrival(&mut self) -> Option<SimTime> {
        let (process, stream) = &mut self.arrivals;
        process.next(stream).filter(|&at| at <= self.stop && self.outcomes.offered < self.max_requests)
    }

    /// Schedules the first arrivals of a process that has been set.
    fn begin_arrivals(&mut self, row: Row<Self>, queue: &mut EventQueue<PackedEvent>) {
        if let Some(users) = self.arrivals.0.closed_loop() {
            for (stage, at) in (0..).zip(users.stage_times()) {
                queue.schedule(at, Event::Timer { node: Self::node(row), timer: stage }.pack());
            }
        } else if let Some(at) = self.next_arrival() {
            queue.schedule(at, arrival_of(row, None));
        }
    }

    /// Lets a user of a closed loop think, and schedules the next request, if there is one.
    fn think(&mut self, row: Row<Self>, queue: &mut EventQueue<PackedEvent>) {
        let (process, stream) = &mut self.arrivals;
        let now = queue.now();
        let users = process.closed_loop();
        if let Some(at) = users.and_then(|users| users.think(now, self.stop, self.max_requests, stream)) {
            queue.schedule(at, arrival_of(row, None));
        }
    }

    /// Latency (creation to response) of completed requests that were created after the warm-up.
    pub fn latency(&mut self) -> &mut Tally {
        let [] = self.latency_this_window.drain_into(&mut self.latency, []);
        &mut self.latency
    }
}

/// A setting of a source that can change during a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SourceSetting {
    /// When requests are created from the change on. The arrival that is already scheduled is cancelled.
    Arrivals(ArrivalsSpec),
}

impl fmt::Display for SourceSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Arrivals(arrivals) = self;
        match arrivals.steady_rate() {
            Some(rate) => rate.fmt(f),
            None => f.write_str("new arrival process"),
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
        let times = |factor| arrivals.steady_rate().and_then(|_| arrivals.times(factor));
        steps_of_rate("change the arrival rate", |factor| times(factor).map(Self::Arrivals))
    }
}

/// All sources, as a system parameter.
pub type Columns<'w, 's> = Rows<'w, 's, Source>;

/// All sources by row, as handlers access them.
pub type View<'a> = Column<'a, Source, Source>;

impl Source {
    /// Ends a request: its response has reached the source, or it was lost.
    #[inline(always)]
    pub fn finish<const FULL: bool>(
        sources: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        request: RequestRow,
        outcome: Outcome,
    ) {
        context.trace(request, || TraceEvent::Over { outcome });
        let finished = context.requests.get(request);
        let row = Row::new(finished.source.into());
        let source = &mut sources[row];
        source.outcomes.count(outcome);
        // Requests from before a change of the arrivals belong to no user.
        if let Some(users) = source.arrivals.0.closed_loop()
            && finished.created >= users.since()
        {
            source.think(row, context.queue);
        }
        source.in_flight.decrement(context.now);
        if outcome == Outcome::Completed && finished.created >= source.measured_from {
            let latency = context.now.since(finished.created).as_nanos();
            source.latency_this_window.record(latency);
        }
        context.requests.finish::<FULL>(context.now, request, outcome);
        if FULL {
            context.requests.reset_steps(request);
        }
        if source.size.is_some() {
            // The next request in this row may come from a source without sizes.
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
    type Fault = SourceFault;

    fn count(_: &SourceSpec) -> Option<u32> {
        None
    }

    fn forwards_to(spec: &SourceSpec) -> Vec<&str> {
        vec![&spec.to]
    }

    fn settings(spec: &SourceSpec) -> Vec<SourceSetting> {
        vec![SourceSetting::Arrivals(spec.arrivals.clone())]
    }

    fn check(spec: &SourceSpec, path: &Path, checker: &mut Checker<'_>) {
        checker.spec(path, "arrivals", spec.arrivals.check(checker.run_until));
        checker.spec(path, "key", spec.key.resolve().map(drop));
        if let Some(size) = &spec.size {
            checker.spec(path, "size", size.resolve().map(drop));
        }
        checker.single_receiver(path, "to", &spec.to);
        spec.endpoint.check(&spec.to, path, checker);
        if spec.stop.is_some_and(|stop| stop < spec.start) {
            checker.add(
                path.clone().name("stop"),
                "the source stops before it starts",
                "make `stop` later than `start`",
            );
        }
        if spec.weight == 0 && checker.used.contains(&"weight") {
            let message = "a request takes at least one slot";
            checker.add(path.clone().name("weight"), message, "make it 1 or more");
        }
        warn(spec, path, checker);
    }

    fn check_setting(setting: &SourceSetting, path: &Path, _: &[&SourceSpec], checker: &mut Checker<'_>) {
        let SourceSetting::Arrivals(arrivals) = setting;
        checker.resolved(path.clone(), arrivals.check(checker.run_until));
    }

    fn offered_faults(spec: &SourceSpec) -> Vec<SourceFault> {
        SourceFault::offered(spec)
    }

    fn check_fault(fault: &SourceFault, path: &Path, specs: &[&SourceSpec], checker: &mut Checker<'_>) {
        fault.check(path, specs, checker);
    }

    fn build(spec: &SourceSpec, entry: &NamedGroup, builder: &mut Builder<'_>) {
        let name = entry.name.as_str();
        let destinations = builder.destinations(entry, std::slice::from_ref(&spec.to)).swap_remove(0);
        assert_eq!(
            destinations.first_hop, entry.first,
            "the number of a source's return hop is the row of the source"
        );
        let mut source = Self {
            target: destinations.targets[0],
            arrivals: (
                spec.arrivals.resolve(SimTime::ZERO + spec.start).expect(CHECKED),
                builder.stream(name, "arrivals"),
            ),
            surges: Box::new(Surges::new(spec.arrivals.clone(), builder.stream(name, "surges"))),
            key: (spec.key.resolve().expect(CHECKED), builder.stream(name, "key")),
            endpoint: spec.endpoint.resolve(builder.names, || builder.stream(name, "endpoint")),
            size: spec
                .size
                .as_ref()
                .map(|size| (size.resolve().expect(CHECKED), builder.stream(name, "size"))),
            start: SimTime::ZERO + spec.start,
            stop: spec.stop.map_or(builder.times.arrivals_until, |stop| SimTime::ZERO + stop),
            max_requests: spec.max_requests.unwrap_or(u64::MAX),
            labels: SourceLabels { class: spec.class.clone(), priority: spec.priority, weight: spec.weight },
            may_be_shed: builder.may_shed(),
            may_fail: builder.may_fail,
            outcomes: OutcomeCounts::default(),
            in_flight: TimeWeighted::default(),
            latency: Tally::default(),
            latency_this_window: Tally::default(),
            window_percentiles: [None; 3],
            measured_from: builder.times.measured_from,
        };
        source.begin_arrivals(Row::new(entry.first), &mut builder.queue);
        builder.world.spawn(source);
    }

    fn deliver<const FULL: bool>(
        _: &mut View<'_>,
        _: &mut Context<'_, FULL>,
        _: Row<Self>,
        _: RequestRow,
    ) -> Option<PackedEvent> {
        unreachable!("the checks reject scenarios that send requests to a source")
    }

    /// Ends the request: its response has reached the source.
    #[inline(always)]
    fn respond<const FULL: bool>(
        sources: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        _: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let outcome =
            context.requests.get(request).outcome.expect("a request that gets a response has an outcome");
        Self::finish(sources, context, request, outcome);
        None
    }

    /// Creates the next request, sends it, and schedules the arrival after it.
    #[inline(always)]
    fn wake<const FULL: bool>(
        sources: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        surge: RequestRow,
    ) -> (RequestRow, Option<PackedEvent>) {
        let source = &mut sources[row];
        source.outcomes.offered += 1;
        source.in_flight.increment(context.now);
        if surge.number() > 0 {
            source.schedule_of_surge(row, surge.number() - 1, context.queue);
        } else if let Some(at) = source.next_arrival() {
            context.queue.schedule(at, arrival_of(row, None));
        }
        let key = source.key.0.sample(&mut source.key.1);
        #[expect(clippy::cast_possible_truncation, reason = "a scenario has at most 65,536 sources")]
        let request = context.requests.create(context.now, row.number() as u16, key);
        context.trace(request, || TraceEvent::Created { source: Self::node(row), key });
        if FULL && let Some(endpoint) = &mut source.endpoint {
            context.requests.progress_mut(request).asked = endpoint.draw();
        }
        if let Some((size, stream)) = &mut source.size {
            context.requests.set_size(request, whole_bytes(size.sample(stream)));
        }
        (request, context.send_from_source(request, source.target))
    }

    /// The number of users of a closed loop changes.
    #[cold]
    fn timer<const FULL: bool>(
        sources: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        stage: u32,
    ) -> Option<PackedEvent> {
        let source = &mut sources[row];
        let coming = source.arrivals.0.closed_loop().map_or(0, |users| users.begin_stage(stage as usize));
        (0..coming).for_each(|_| source.think(row, context.queue));
        None
    }

    /// Replaces the arrival process: cancels the scheduled arrivals and schedules new ones.
    #[cold]
    fn change<const FULL: bool>(
        sources: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        setting: &SourceSetting,
    ) -> Vec<RequestRow> {
        let SourceSetting::Arrivals(arrivals) = setting;
        context.queue.remove_where(|event| {
            matches!(event.unpack(), Event::Wake { node, .. } | Event::Timer { node, .. }
                if node.kind() == Self::KIND && rows.contains(&node.row()))
        });
        for row in rows.map(Row::new) {
            let source = &mut sources[row];
            source.arrivals.0 = arrivals.resolve(context.now.max(source.start)).expect(CHECKED);
            source.begin_arrivals(row, context.queue);
            source.adapt_surges(row, arrivals, context.queue);
        }
        Vec::new()
    }

    #[cold]
    fn fault<const FULL: bool>(
        sources: &mut View<'_>,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        fault: &SourceFault,
        edge: FaultEdge,
    ) -> Vec<RequestRow> {
        rows.map(Row::new).for_each(|row| sources[row].surge(row, fault, edge, context.queue));
        Vec::new()
    }

    fn restart(sources: &mut View<'_>, now: SimTime) {
        for source in sources.iter_mut() {
            source.in_flight.restart(now);
            source.latency.clear();
            source.latency_this_window.clear();
            source.measured_from = now;
        }
    }

    fn close_window(sources: &mut View<'_>) {
        for source in sources.iter_mut() {
            source.window_percentiles =
                source.latency_this_window.drain_into(&mut source.latency, [0.5, 0.95, 0.99]);
        }
    }
}

/// The event of the next arrival, which belongs to the surge of a fault or to none. It has no request yet, and the number of
/// the fault in its place.
fn arrival_of(row: Row<Source>, surge: Option<u32>) -> PackedEvent {
    Event::Wake { node: Source::node(row), request: RequestRow::new(surge.map_or(0, |fault| fault + 1)) }
        .pack()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as documented")]
fn whole_bytes(size: f64) -> u32 {
    (size + 0.5) as u32
}
