//! The source: creates requests, and counts their outcomes when they end.

pub mod arrivals;
pub mod endpoint;
mod fault;
pub mod key;
pub mod rate;
mod replayed;
mod setting;
mod shown;
mod spec;
mod users;

use std::ops::Range;

use bevy_ecs::prelude::*;

use self::arrivals::ArrivalProcess;
use self::endpoint::EndpointSampler;
pub use self::fault::SourceFault;
use self::fault::Surges;
use self::key::KeySampler;
use self::replayed::Replayed;
pub use self::setting::SourceSetting;
pub use self::shown::FAILURE_RATES;
pub use self::spec::SourceSpec;
use super::build::{Builder, CHECKED};
use super::check::Checker;
use super::figure::FigureReader;
use super::names::NamedGroup;
use super::part::{Description, EventKind, FaultEdge, Part};
use super::trace::TraceEvent;
use super::{Context, Target};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::queue::EventQueue;
use crate::engine::random::RandomStream;
use crate::engine::row::{Column, Row, Rows};
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::SimTime;
use crate::engine::units::Bytes;
use crate::event::{Event, NodeKind, PackedEvent, RequestRow};
use crate::request::{Extras, Outcome, OutcomeCounts};
use crate::text::Path;

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
#[derive(Component, Debug)]
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
    /// What the requests of a trace need, if the requests are those of one.
    replayed: Option<Box<Replayed>>,
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
    /// Latency of the same requests from the times at which their users intended to send them, if these keep a pace.
    intended: Option<Box<Tally>>,
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

    /// Lets a user of a closed loop think, who comes back if it has a number, and schedules the next request, if there is one.
    fn think(&mut self, row: Row<Self>, user: Option<u32>, queue: &mut EventQueue<PackedEvent>) {
        let (process, stream) = &mut self.arrivals;
        let (now, stop, most) = (queue.now(), self.stop, self.max_requests);
        let users = process.closed_loop();
        if let Some((at, user)) = users.and_then(|users| users.think(user, now, stop, most, stream)) {
            queue.schedule(at, arrival_of(row, user));
        }
    }

    /// Latency (creation to response) of completed requests that were created after the warm-up.
    pub fn latency(&mut self) -> &mut Tally {
        let [] = self.latency_this_window.drain_into(&mut self.latency, []);
        &mut self.latency
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
            let user = if FULL { context.requests.extras(request).user } else { None };
            source.think(row, user, context.queue);
        }
        source.in_flight.decrement(context.now);
        if outcome == Outcome::Completed && finished.created >= source.measured_from {
            let latency = context.now.since(finished.created).as_nanos();
            source.latency_this_window.record(latency);
            if FULL {
                source.record_own(&context.requests.extras(request), context.now, latency);
            }
        }
        context.requests.finish::<FULL>(context.now, request, outcome);
        if FULL {
            context.requests.reset_steps(request);
            context.requests.set_extras(request, Extras::NONE);
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

    fn sizes(spec: &SourceSpec) -> Vec<&DistributionSpec<Bytes>> {
        spec.size.iter().collect()
    }

    fn gives_sizes(spec: &SourceSpec) -> bool {
        spec.gives_sizes()
    }

    fn forwards_to(spec: &SourceSpec) -> Vec<&str> {
        vec![&spec.to]
    }

    fn settings(spec: &SourceSpec) -> Vec<SourceSetting> {
        vec![SourceSetting::Arrivals(spec.arrivals.clone())]
    }

    fn check(spec: &SourceSpec, path: &Path, checker: &mut Checker<'_>) {
        spec.check(path, checker);
    }

    fn check_setting(setting: &SourceSetting, path: &Path, _: &[&SourceSpec], checker: &mut Checker<'_>) {
        setting.check(path, checker);
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
            replayed: Replayed::new(&spec.arrivals, builder.names),
            labels: SourceLabels { class: spec.class.clone(), priority: spec.priority, weight: spec.weight },
            may_be_shed: builder.may_shed(),
            may_fail: builder.may_fail,
            outcomes: OutcomeCounts::default(),
            in_flight: TimeWeighted::default(),
            latency: Tally::default(),
            latency_this_window: Tally::default(),
            intended: spec.arrivals.has_pace().then(Box::default),
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
        let user = if FULL { source.user_of(surge) } else { None };
        if user.is_some() {
            // The next request of a user follows the end of this one.
        } else if surge.number() > 0 {
            source.schedule_of_surge(row, surge.number() - 1, context.queue);
        } else if let Some(at) = source.next_arrival() {
            context.queue.schedule(at, arrival_of(row, None));
        }
        let recorded = if FULL { source.arrivals.0.recorded().copied() } else { None };
        let key = recorded.and_then(|recorded| recorded.key);
        let key = key.unwrap_or_else(|| source.draw_key(user));
        #[expect(clippy::cast_possible_truncation, reason = "a scenario has at most 65,536 sources")]
        let request = context.requests.create(context.now, row.number() as u16, key);
        context.trace(request, || TraceEvent::Created { source: Self::node(row), key });
        if FULL && let Some(endpoint) = &mut source.endpoint {
            context.requests.progress_mut(request).asked = endpoint.draw();
        }
        if let Some((size, stream)) = &mut source.size {
            context.requests.sizes_mut(request).request = size.sample_bytes(stream);
        }
        if let Some(recorded) = &recorded {
            source.equip(context, request, recorded);
        }
        if let Some(user) = user {
            source.sign(context, request, user);
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
        (0..coming).for_each(|_| source.think(row, None, context.queue));
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
            if arrivals.has_pace() {
                source.intended.get_or_insert_default();
            }
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
            if let Some(replayed) = &mut source.replayed {
                replayed.clear();
            }
            if let Some(intended) = &mut source.intended {
                intended.clear();
            }
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

/// The event of the next arrival, which belongs to the surge of a fault, to a user with a number, or to neither. It has no
/// request yet, and the number of the fault or of the user in its place. No source has surges and such users at the same time.
fn arrival_of(row: Row<Source>, number: Option<u32>) -> PackedEvent {
    let request = RequestRow::new(number.map_or(0, |number| number + 1));
    Event::Wake { node: Source::node(row), request }.pack()
}
