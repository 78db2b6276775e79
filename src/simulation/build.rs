//! Builds a world from a scenario: resolves names to rows and distributions to samplers, and gives each part its random
//! streams. The module of each part builds that part. This module defines the order, and builds everything else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bevy_ecs::prelude::*;

use super::dispatch::NameHashes;
use super::{RunDigest, RunOptions};
use crate::engine::queue::EventQueue;
use crate::engine::random::Streams;
use crate::engine::row::Row;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, Node, NodeRange, PackedEvent};
use crate::metrics::result::RunIdentity;
use crate::metrics::timeline::Estimate;
use crate::model::autoscaler::Autoscalers;
use crate::model::build::{Builder, CHECKED, RunTimes};
use crate::model::change::{Change, ChangeSpec, Changes};
use crate::model::fault::Faults;
use crate::model::link::{Link, LinkSpec, matching};
use crate::model::metric::Measurable as _;
use crate::model::names::Names;
use crate::model::parts::Setting;
use crate::model::probe::{GaugeSpec, Probe, ProbeSpec, Sampled, Samples, Series, Track};
use crate::model::problem::Problem;
use crate::model::routing::target_lists::TargetLists;
use crate::model::source::{SourceSetting, SourceSpec};
use crate::model::trace::Tracer;
use crate::model::{FollowUps, ReturnHops};
use crate::request::{PoolNeeds, RequestLog, RequestPool, default_max_in_flight};
use crate::scenario::Scenario;
use crate::scenario::check::{Checked, examine};
use crate::text::Path;

/// Maximum number of perceived loads to record. If there are more, none is recorded; probes can still sample them.
const MAX_ESTIMATES: usize = 512;

/// Fills a world with the parts of a scenario and the first events. Returns the perceived loads to record.
///
/// # Errors
/// All problems of the scenario; the world is unchanged.
pub(super) fn build(
    scenario: &Scenario,
    options: RunOptions,
    world: &mut World,
) -> Result<Vec<Estimate>, Vec<Problem>> {
    let Checked { names, max_hops, .. } = examine(scenario)?;
    let seed = options.seed.unwrap_or(scenario.seed);
    let measured_from = SimTime::ZERO + scenario.warm_up;
    let arrivals_until = SimTime::ZERO + scenario.arrivals_until.unwrap_or(scenario.run_until);
    let links = scenario.links.iter().zip(0..);
    let steps = scenario.nodes.values().filter_map(|node| node.as_spec().max_children()).max();
    let makes_calls = steps.is_some_and(|steps| steps > 0);
    // A server that fails by a fault answers with an error, as one that takes steps does.
    let fails = scenario.faults.values().any(|fault| fault.what.fails_requests());
    let steps = steps.or(fails.then_some(0));
    let streams = Streams::new(seed, options.replication);
    let mut builder = Builder {
        names: &names,
        times: RunTimes { arrivals_until, measured_from },
        may_fail: steps.is_some(),
        streams,
        links: links.map(|(link, row)| ((link.from.as_str(), link.to.as_str()), Row::new(row))).collect(),
        watched: watched(scenario),
        faults: scenario.faults.values().map(|fault| (fault.of.0.as_slice(), &fault.what)).collect(),
        queue: EventQueue::default(),
        return_hops: ReturnHops::default(),
        target_lists: TargetLists::default(),
        world,
    };
    (0..).zip(&scenario.links).for_each(|(row, link)| link.build(Row::new(row), &mut builder));
    // Sources come first, so that the index of the first return hop of a source is its row.
    for (name, spec) in scenario.specs() {
        spec.build(names.entry_named(name).expect(CHECKED), &mut builder);
    }
    let Builder { mut queue, return_hops, target_lists, .. } = builder;
    for probe in probes(scenario, &names, &mut queue) {
        world.spawn(probe);
    }
    schedule(&mut queue, &scenario.changes, 0);
    let mut faults = Faults::default();
    for (name, fault) in &scenario.faults {
        faults.add((name, fault), (&names, &scenario.links), streams, &mut queue);
    }
    let mut autoscalers = Autoscalers::default();
    for (name, autoscaler) in &scenario.autoscalers {
        autoscalers.add((name, autoscaler), &names, &mut queue);
    }
    if measured_from > SimTime::ZERO {
        queue.schedule_last(measured_from, Event::WarmedUp.pack());
    }
    let sized = scenario.has_sizes();
    let extras = scenario.sources.values().any(SourceSpec::gives_extras)
        || scenario.changes.iter().any(|change| gives_extras(&change.set));
    let estimates = estimates(scenario, &names);
    world.insert_resource(queue);
    world.insert_resource(return_hops);
    world.insert_resource(target_lists);
    world.insert_resource(NameHashes::of(&names));
    world.insert_resource(Changes(changes(scenario, &names)));
    world.insert_resource(autoscalers);
    world.insert_resource(faults);
    world.insert_resource(RunDigest::default());
    world.insert_resource(Tracer::default());
    world.insert_resource(FollowUps::default());
    let max_in_flight = options.max_in_flight;
    let max_in_flight =
        max_in_flight.unwrap_or_else(|| default_max_in_flight(max_hops, steps.is_some(), extras));
    let needs = PoolNeeds { max_hops, sized, steps, makes_calls, extras, max_in_flight };
    let mut pool = RequestPool::new(needs, RequestLog::new(options.log));
    pool.attributes = scenario.sources.values().map(SourceSpec::attributes).collect();
    world.insert_resource(pool);
    world.insert_resource(RunIdentity {
        scenario: scenario.name.clone(),
        seed,
        replication: options.replication,
        measured_from,
        names: Arc::new(names),
    });
    Ok(estimates)
}

/// Whether requests have something of their own from a change on.
fn gives_extras(set: &Setting) -> bool {
    if let Setting::Source(SourceSetting::Arrivals(arrivals)) = set { arrivals.gives_extras() } else { false }
}

/// The perceived loads to record: one for each group of nodes that records reported loads and each of its targets.
/// Empty if there are more than [`MAX_ESTIMATES`].
fn estimates(scenario: &Scenario, names: &Names) -> Vec<Estimate> {
    let of_entry = |(name, spec)| {
        let routing = scenario.listens_to_loads(names, name, spec).then(|| spec.routing())??;
        let by: NodeRange = names.range(name)?;
        let targets = routing.to.iter().filter_map(|name| names.range(name)).flat_map(NodeRange::nodes);
        Some(targets.filter(|node| node.kind().reports_load()).map(move |of| Estimate { by, of }))
    };
    let estimates: Vec<Estimate> =
        scenario.specs().filter_map(of_entry).flatten().take(MAX_ESTIMATES + 1).collect();
    if estimates.len() <= MAX_ESTIMATES { estimates } else { Vec::new() }
}

/// The links that a probe samples.
fn watched(scenario: &Scenario) -> BTreeSet<Row<Link>> {
    let names = scenario.probes.iter().flat_map(|probe| &probe.of.0);
    names.flat_map(|name| matching(name, &scenario.links)).map(Row::new).collect()
}

/// The probes, with their first events.
fn probes(scenario: &Scenario, names: &Names, queue: &mut EventQueue<PackedEvent>) -> Vec<Probe> {
    let probe = |spec: &ProbeSpec| Probe {
        every: spec.every,
        tracks: tracks(spec, names, &scenario.links),
        next: None,
    };
    let mut probes: Vec<Probe> = scenario.probes.iter().map(probe).collect();
    let mut last_with: BTreeMap<SimDuration, usize> = BTreeMap::new();
    for (row, spec) in (0..).zip(&scenario.probes) {
        match last_with.insert(spec.every, row as usize) {
            Some(before) => probes[before].next = Some(Row::new(row)),
            None => queue.schedule_last(SimTime::ZERO, Event::Sample { probe: row }.pack()),
        }
    }
    probes
}

fn tracks(spec: &ProbeSpec, names: &Names, links: &[LinkSpec]) -> Vec<Track> {
    let track = |name: String, gauge: &GaugeSpec, sampled, about| {
        let series = Series { node: name, metric: gauge.metric(), about, samples: Samples::new(spec.every) };
        Track { sampled, last: 0, series }
    };
    let name_of = |node| names.name_of(node).to_owned();
    let of_node = |node: Node, gauge: &GaugeSpec| match gauge {
        GaugeSpec::Own(metric) => {
            let metric = node.kind().index_of(metric).expect(CHECKED);
            vec![track(name_of(node), gauge, Sampled::Node { node, metric }, None)]
        }
        GaugeSpec::PerceivedLoad(target) => {
            let targets = names.range(target).expect(CHECKED).nodes();
            let estimate = |of| Sampled::Estimate { by: node, of };
            targets.map(|of| track(name_of(node), gauge, estimate(of), Some(name_of(of)))).collect()
        }
    };
    let of_link = |row: u32, gauge: &GaugeSpec| {
        let metric = Link::index_of(gauge.metric()).expect(CHECKED);
        track(links[row as usize].name(), gauge, Sampled::Link { link: Row::new(row), metric }, None)
    };
    let mut tracks = Vec::new();
    for name in &spec.of.0 {
        for node in names.range(name).into_iter().flat_map(NodeRange::nodes) {
            tracks.extend(spec.gauges.iter().flat_map(|gauge| of_node(node, gauge)));
        }
        for row in matching(name, links) {
            tracks.extend(spec.gauges.iter().map(|gauge| of_link(row, gauge)));
        }
    }
    tracks
}

/// The changes of a checked scenario, with names resolved to rows.
fn changes(scenario: &Scenario, names: &Names) -> Vec<Change> {
    let resolve = |change: &ChangeSpec| Change {
        of: change.of.0.iter().map(|name| names.range(name).expect(CHECKED)).collect(),
        set: change.set.clone(),
    };
    scenario.changes.iter().map(resolve).collect()
}

/// Schedules the changes from row `first` on.
fn schedule(queue: &mut EventQueue<PackedEvent>, changes: &[ChangeSpec], first: usize) {
    for (row, change) in (0..).zip(changes).skip(first) {
        queue.schedule_first(SimTime::ZERO + change.at, Event::Change { row }.pack());
    }
}

/// Appends the last changes of `scenario` to a world that was built without them. From then on, the run is the run of
/// `scenario`.
///
/// # Errors
/// All problems of the scenario, or a change that is not later than the last event; the world is unchanged.
pub(super) fn append_changes(scenario: &Scenario, world: &mut World) -> Result<(), Vec<Problem>> {
    let Checked { names, .. } = examine(scenario)?;
    let all = changes(scenario, &names);
    let first = world.resource::<Changes>().0.len();
    let now = world.resource::<EventQueue<PackedEvent>>().now();
    let too_late = |(row, change): (usize, &ChangeSpec)| {
        let message = format!("a change at {} is too late: the run is already at {now}", change.at);
        let path = Path::root().name("changes").index(row).name("at");
        (SimTime::ZERO + change.at <= now).then(|| Problem::new(path, message))
    };
    let has_extras = world.resource::<RequestPool>().has_extras();
    let unprepared = |(row, change): (usize, &ChangeSpec)| {
        let message = "users with sessions or a pace cannot come by a change that is added during a run";
        let problem = || Problem::new(Path::root().name("changes").index(row).name("set"), message);
        (!has_extras && gives_extras(&change.set))
            .then(|| problem().with_hint("add the change to the scenario, and run it again"))
    };
    let added = || (0..).zip(&scenario.changes).skip(first);
    let problems: Vec<_> = added().filter_map(too_late).chain(added().filter_map(unprepared)).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    world.resource_mut::<Changes>().0.extend(all.into_iter().skip(first));
    schedule(&mut world.resource_mut::<EventQueue<PackedEvent>>(), &scenario.changes, first);
    Ok(())
}
