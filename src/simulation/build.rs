//! From a scenario to a world: every name becomes a row, every law a sampler, every part gets its streams. Parts build
//! themselves in their rooms; here is the order, and what concerns the whole.

use std::sync::Arc;

use bevy_ecs::prelude::*;

use super::dispatch::NameHashes;
use super::{RunDigest, RunOptions};
use crate::engine::queue::EventQueue;
use crate::engine::random::Streams;
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Event, NodeRange, PackedEvent};
use crate::metrics::result::RunIdentity;
use crate::metrics::timeline::Estimate;
use crate::model::ReturnHops;
use crate::model::build::{Builder, CHECKED, RunTimes};
use crate::model::change::{Change, ChangeSpec, Changes};
use crate::model::names::Names;
use crate::model::probe::{GaugeSpec, Probe, ProbeSpec, Series, Track};
use crate::model::problem::Problem;
use crate::model::trace::Tracer;
use crate::request::RequestPool;
use crate::scenario::Scenario;
use crate::scenario::check::{Checked, examine};
use crate::text::Path;

/// Estimates are left to probes where there are more of them: every client of a thousand about every server of a thousand.
const MAX_ESTIMATES: usize = 512;

/// Fills a world with all that a scenario describes, its first events included. Returns the estimates of loads that are
/// recorded.
///
/// # Errors
/// All that is wrong with the scenario; the world is left as it was.
pub(super) fn build(
    scenario: &Scenario,
    options: RunOptions,
    world: &mut World,
) -> Result<Vec<Estimate>, Vec<Problem>> {
    let Checked { names, max_hops } = examine(scenario)?;
    let seed = options.seed.unwrap_or(scenario.seed);
    let measured_from = SimTime::ZERO + scenario.warm_up;
    let arrivals_until = SimTime::ZERO + scenario.arrivals_until.unwrap_or(scenario.run_until);
    let links = scenario.links.iter().zip(0..);
    let mut builder = Builder {
        names: &names,
        times: RunTimes { arrivals_until, measured_from },
        streams: Streams::new(seed, options.replication),
        links: links.map(|(link, row)| ((link.from.as_str(), link.to.as_str()), Row::new(row))).collect(),
        queue: EventQueue::default(),
        return_hops: ReturnHops::default(),
        world,
    };
    scenario.links.iter().for_each(|link| link.build(&mut builder));
    // Sources come first, so that their first hops are their rows.
    for (name, spec) in scenario.specs() {
        spec.build(names.entry_named(name).expect(CHECKED), &mut builder);
    }
    let Builder { mut queue, return_hops, .. } = builder;
    for (row, spec) in (0..).zip(&scenario.probes) {
        queue.schedule_last(SimTime::ZERO, Event::Sample { probe: row }.pack());
        world.spawn(Probe { every: spec.every, tracks: tracks(spec, &names) });
    }
    schedule(&mut queue, &scenario.changes, 0);
    if measured_from > SimTime::ZERO {
        queue.schedule_last(measured_from, Event::WarmedUp.pack());
    }
    let sized = scenario.sources.values().any(|source| source.size.is_some());
    let estimates = estimates(scenario, &names);
    world.insert_resource(queue);
    world.insert_resource(return_hops);
    world.insert_resource(NameHashes::of(&names));
    world.insert_resource(Changes(changes(scenario, &names)));
    world.insert_resource(RunDigest::default());
    world.insert_resource(Tracer::default());
    world.insert_resource(RequestPool::new(max_hops, sized, options.log_requests));
    world.insert_resource(RunIdentity {
        scenario: scenario.name.clone(),
        seed,
        replication: options.replication,
        measured_from,
        names: Arc::new(names),
    });
    Ok(estimates)
}

/// What nodes that listen to loads take the loads of their targets to be.
fn estimates(scenario: &Scenario, names: &Names) -> Vec<Estimate> {
    let of_entry = |(name, spec)| {
        let routing = scenario.listens_to_loads(names, name, spec).then(|| spec.routing())??;
        let by: NodeRange = names.range(name)?;
        let targets = routing.to.iter().filter_map(|name| names.range(name)).flat_map(NodeRange::nodes);
        Some(targets.filter(|node| node.kind().reports_load()).map(move |of| Estimate { by, of }))
    };
    let found: Vec<Estimate> =
        scenario.specs().filter_map(of_entry).flatten().take(MAX_ESTIMATES + 1).collect();
    if found.len() <= MAX_ESTIMATES { found } else { Vec::new() }
}

fn tracks(spec: &ProbeSpec, names: &Names) -> Vec<Track> {
    let nodes = spec.of.0.iter().flat_map(|name| names.range(name).expect(CHECKED).nodes());
    let mut tracks = Vec::new();
    for node in nodes {
        for gauge in &spec.gauges {
            let about = match gauge {
                GaugeSpec::Own(_) => vec![None],
                GaugeSpec::PerceivedLoad(of) => {
                    names.range(of).expect(CHECKED).nodes().map(Some).collect::<Vec<_>>()
                }
            };
            for about in about {
                let name = |node| names.name_of(node).to_owned();
                let series = Series {
                    node: name(node),
                    metric: gauge.metric(),
                    about: about.map(name),
                    samples: Vec::new(),
                };
                tracks.push(Track { node, about, last: 0, series });
            }
        }
    }
    tracks
}

/// The changes of a scenario that was checked, ready to happen.
fn changes(scenario: &Scenario, names: &Names) -> Vec<Change> {
    let ready = |change: &ChangeSpec| Change {
        of: change.of.0.iter().map(|name| names.range(name).expect(CHECKED)).collect(),
        set: change.set.clone(),
    };
    scenario.changes.iter().map(ready).collect()
}

/// Schedules the changes from row `first` on.
fn schedule(queue: &mut EventQueue<PackedEvent>, changes: &[ChangeSpec], first: usize) {
    for (row, change) in (0..).zip(changes).skip(first) {
        queue.schedule_first(SimTime::ZERO + change.at, Event::Change { row }.pack());
    }
}

/// Takes changes that were added behind the others of a scenario into a world that runs it: from then on the run is that
/// of the scenario with all its changes.
///
/// # Errors
/// All that is wrong with the scenario as it is now, or a change that is no later than what has happened; the world is left as it was.
pub(super) fn append_changes(scenario: &Scenario, world: &mut World) -> Result<(), Vec<Problem>> {
    let Checked { names, .. } = examine(scenario)?;
    let all = changes(scenario, &names);
    let first = world.resource::<Changes>().0.len();
    let now = world.resource::<EventQueue<PackedEvent>>().now();
    let too_late = |(row, change): (usize, &ChangeSpec)| {
        let message = format!("at {} it is too late for a change at {}", now, change.at);
        let path = Path::root().name("changes").index(row).name("at");
        (SimTime::ZERO + change.at <= now).then(|| Problem::new(path, message))
    };
    let problems: Vec<_> = (0..).zip(&scenario.changes).skip(first).filter_map(too_late).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    world.resource_mut::<Changes>().0.extend(all.into_iter().skip(first));
    schedule(&mut world.resource_mut::<EventQueue<PackedEvent>>(), &scenario.changes, first);
    Ok(())
}
