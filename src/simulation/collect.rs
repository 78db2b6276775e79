//! Collects the result of a run from its world.
//!
//! Also checks the conservation of requests and calls: each has an outcome or is still in flight, and the counts of
//! those in flight agree.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemState;
use indexmap::IndexMap;

use super::RunDigest;
use crate::engine::distribution::Sampler;
use crate::engine::row::Row;
use crate::engine::statistics::Tally;
use crate::engine::time::SimTime;
use crate::event::{Node, NodeKind};
use crate::metrics::figures::{FigureValue, NodeFigures};
use crate::metrics::result::{
    ConservationError, FaultResult, FaultTime, LineResult, LinkResult, NodeResult, ResourceName, RunIdentity,
    RunResult, SourceResult, Stopped,
};
use crate::metrics::timeline::TimelineRecorder;
use crate::model::autoscaler::Autoscalers;
use crate::model::capacity::CapacityLog;
use crate::model::fault::{FaultRecord, Faults, Occurrence, describe};
use crate::model::figure::{FigureRow, Span, Value};
use crate::model::link::{LineTraffic, Link, Transit, direction_name};
use crate::model::names::Names;
use crate::model::node_state::NodeState;
use crate::model::parts::{PartViews, Parts};
use crate::model::probe::{Probe, Series};
use crate::model::source::Source;
use crate::request::call::CallState;
use crate::request::{MessageSizes, Request, RequestPool, RequestRecord};

/// Collects the result of a run that ends at `end`, and checks the conservation of requests. Takes the tallies out of
/// the world.
///
/// # Errors
/// If the outcomes of the requests of a source do not add up, which is a bug of the simulator.
pub(super) fn collect(world: &mut World, end: SimTime) -> Result<RunResult, ConservationError> {
    let identity = world.resource::<RunIdentity>().clone();
    let digest = *world.resource::<RunDigest>();
    let span = Span { now: end, elapsed: end.since(identity.measured_from) };
    let names = identity.names.clone();
    check_conservation(world, &names)?;
    Ok(RunResult {
        end,
        events: digest.events,
        fingerprint: digest.fingerprint.finish(),
        sources: sources(world, &names, span),
        nodes: with_parts(world, |parts| nodes(parts, &names, span)),
        links: rows::<Link>(world).map(|link| link_result(link, span)).collect(),
        autoscalers: world.resource::<Autoscalers>().records(),
        faults: faults(world, &names, end),
        stopped: stopped(world, &names, end),
        series: series(world),
        timeline: world.resource_mut::<TimelineRecorder>().take(),
        sample: world.resource_mut::<RequestPool>().request_log.take_sample(),
        log: world.resource::<RequestPool>().request_log.level(),
        requests: records(world),
        calls: world.resource::<RequestPool>().calls().copied(),
        identity,
    })
}

/// The figures of a node at a time during the run. Means are taken over the time since `from`.
pub(super) fn figures_at(world: &mut World, node: Node, now: SimTime, from: SimTime) -> NodeFigures {
    let span = Span { now, elapsed: now.since(from) };
    with_parts(world, |parts| figures(parts, node, span, |tally| tally.clone()))
}

/// For each of these nodes, the share of each of its resources that is in use, and the number of requests that wait for it.
pub(super) fn resource_levels_at(world: &mut World, nodes: &[Node], now: SimTime) -> Vec<Vec<[f64; 2]>> {
    with_parts(world, |parts| nodes.iter().map(|node| parts.resource_levels(*node, now)).collect())
}

/// Calls `read` with the parts of a world.
fn with_parts<T>(world: &mut World, read: impl FnOnce(&mut PartViews<'_>) -> T) -> T {
    let mut state = SystemState::<Parts<'_, '_>>::new(world);
    let mut parts =
        state.get_mut(world).expect("a built world has all components that figures are read from");
    read(&mut parts.view())
}

fn nodes(parts: &mut PartViews<'_>, names: &Names, span: Span) -> Vec<NodeResult> {
    let result = |node| NodeResult {
        node,
        name: names.name_of(node).to_owned(),
        figures: figures(parts, node, span, std::mem::take),
        capacity: parts.capacity(node).cloned(),
        resources: resources(names, node),
    };
    names.nodes().map(result).collect()
}

fn resources(names: &Names, node: Node) -> Vec<ResourceName> {
    let group = names.group_of(node);
    let all = (0..).zip(names.resources(node));
    let name = |(index, resource): (u16, &String)| ResourceName {
        name: names.name_of_resource(node, index),
        of_group: group.map(|group| format!("{group} {resource}")),
    };
    all.map(name).collect()
}

fn figures(
    parts: &mut PartViews<'_>,
    node: Node,
    span: Span,
    take_tally: impl Fn(&mut Tally) -> Tally,
) -> NodeFigures {
    let values = parts.figures(node, span, |figure, value| {
        (figure, value.map(|value| collected(node.kind(), value, &take_tally)))
    });
    NodeFigures::new(node.kind(), values)
}

/// The value of a figure of a node of this kind, without references to its parts.
fn collected(kind: NodeKind, value: Value<'_>, take_tally: &impl Fn(&mut Tally) -> Tally) -> FigureValue {
    match value {
        Value::Count(count) => FigureValue::Count(count),
        Value::Mean(mean) => FigureValue::Number(mean),
        Value::Times(times) => FigureValue::Times(Box::new(take_tally(times))),
        Value::Table(table) => FigureValue::Table(Box::new(table.into_iter().collect())),
        Value::Rows(rows) => {
            let row = |(name, row): (String, FigureRow<'_>)| {
                let values = row
                    .into_iter()
                    .map(|(figure, value)| (figure, value.map(|value| collected(kind, value, take_tally))));
                (name, NodeFigures::new(kind, values))
            };
            FigureValue::Rows(Box::new(rows.into_iter().map(row).collect()))
        }
    }
}

/// All components of a type in the order in which their entities were spawned.
fn rows<T: Component + Clone>(world: &mut World) -> std::vec::IntoIter<T> {
    let mut query = world.query::<&T>();
    query.iter(world).cloned().collect::<Vec<_>>().into_iter()
}

/// The series of all probes. Takes them out of the world.
fn series(world: &mut World) -> Vec<Series> {
    let mut query = world.query::<&mut Probe>();
    let tracks = query.iter_mut(world).flat_map(|mut probe| std::mem::take(&mut probe.tracks));
    tracks.map(|track| track.series).collect()
}

/// Why the run has stopped early, or `None` if it has not.
fn stopped(world: &mut World, names: &Names, at: SimTime) -> Option<Stopped> {
    if !world.resource::<RequestPool>().is_full() {
        return None;
    }
    let mut holders: IndexMap<Option<Node>, u64> = IndexMap::new();
    for request in world.query::<&Request>().iter(world).filter(|request| request.is_in_flight()) {
        *holders.entry(request.server.some()).or_default() += 1;
    }
    // Equal numbers are sorted by name, so that the order does not depend on rows.
    let name = |node: Option<Node>| node.map(|node| names.name_of(node).to_owned());
    let mut holders: Vec<_> = holders.into_iter().map(|(node, count)| (name(node), count)).collect();
    holders.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let in_flight = holders.iter().map(|(_, count)| count).sum();
    Some(Stopped { at, in_flight, holders })
}

fn check_conservation(world: &mut World, names: &Names) -> Result<(), ConservationError> {
    let mut in_flight = vec![0_u64; names.count(NodeKind::Source)];
    let mut calls_in_flight = 0;
    for (request, call) in world.query::<(&Request, Option<&CallState>)>().iter(world) {
        if request.is_in_flight() {
            match call {
                Some(call) if call.is_call() => calls_in_flight += 1,
                Some(_) | None => in_flight[usize::from(request.source)] += 1,
            }
        }
    }
    let calls = world.resource::<RequestPool>().calls().copied().unwrap_or_default();
    let unaccounted = i128::from(calls.offered) - i128::from(calls.ended());
    if unaccounted != i128::from(calls_in_flight) {
        return Err(ConservationError { of: "calls".to_owned(), unaccounted, in_flight: calls_in_flight });
    }
    let mut sources = world.query::<&Source>();
    for ((row, source), in_flight) in (0..).zip(sources.iter(world)).zip(in_flight) {
        let unaccounted = i128::from(source.outcomes.offered) - i128::from(source.outcomes.ended());
        if unaccounted != i128::from(in_flight) || in_flight != u64::from(source.in_flight.level()) {
            let source = names.name_of(Node::new(NodeKind::Source, row));
            let of = format!("requests of source \"{source}\"");
            return Err(ConservationError { of, unaccounted, in_flight });
        }
    }
    Ok(())
}

fn sources(world: &mut World, names: &Names, span: Span) -> Vec<SourceResult> {
    let mut query = world.query::<&mut Source>();
    let result = |(row, mut source): (u32, Mut<'_, Source>)| {
        let node = Node::new(NodeKind::Source, row);
        SourceResult {
            node,
            name: names.name_of(node).to_owned(),
            outcomes: source.outcomes,
            latency: std::mem::take(source.latency()),
            classes: source.take_classes(),
            intended: source.take_intended(),
            in_flight_mean: source.in_flight.mean(span.now, span.elapsed),
            labels: source.labels.clone(),
        }
    };
    (0..).zip(query.iter_mut(world)).map(result).collect()
}

fn link_result(mut link: Link, span: Span) -> LinkResult {
    let (sent, lost, name, waited_in_vain) = (link.sent(), link.lost(), link.name, link.waited_in_vain);
    let directions = [(false, &mut link.request), (true, &mut link.response)];
    let lines = directions.map(|(is_response, half)| {
        half.transit(span.now)
            .and_then(|transit| line_result(direction_name(&name, is_response), transit, span))
    });
    LinkResult { name, sent, lost, waited_in_vain, lines }
}

/// The result of a direction of a link, or `None` if its bandwidth is unlimited.
fn line_result(name: String, transit: &Transit, span: Span) -> Option<LineResult> {
    let line = transit.line.as_ref()?;
    let LineTraffic { arrived, completed, bytes, busy, waiting, wait, alone } = &line.traffic;
    let transfer = alone.clone().summarize().mean().unwrap_or(0.0);
    let [in_transit_mean, bytes_in_transit_mean] = transit.means(span.now, span.elapsed);
    Some(LineResult {
        name,
        arrived: *arrived,
        completed: *completed,
        bytes: *bytes,
        utilization: busy.mean(span.now, span.elapsed),
        waiting_mean: waiting.mean(span.now, span.elapsed),
        waiting_max: waiting.max(),
        wait: wait.clone(),
        alone: alone.clone(),
        is_fair: line.is_fair(),
        capacity: CapacityLog::new(NodeState::Up, 1, &Sampler::constant(transfer)),
        in_transit_mean,
        bytes_in_transit_mean,
    })
}

fn faults(world: &mut World, names: &Names, end: SimTime) -> Vec<FaultResult> {
    let links: Vec<Link> = rows::<Link>(world).collect();
    let time = |of: &[String], Occurrence { of: victim, from, to }: Occurrence| {
        let link = |row: Row<Link>| links[row.index()].name.clone();
        let of = victim.map_or_else(|| of.join(", "), |victim| describe(victim, names, link));
        FaultTime { of, from, to }
    };
    let result = |record: FaultRecord| FaultResult {
        times: record.occurrences.iter().map(|one| time(&record.of, *one)).collect(),
        what: record.what.to_string(),
        name: record.name,
        of: record.of,
        count: record.count,
        time: record.time,
    };
    world.resource::<Faults>().at_end(end).into_iter().map(result).collect()
}

/// The request log, followed by the requests that are still in flight. Empty if no log was kept.
fn records(world: &mut World) -> Vec<RequestRecord> {
    let mut pool = world.resource_mut::<RequestPool>();
    let Some(mut records) = pool.request_log.take_log() else { return Vec::new() };
    let ended = records.len();
    let mut query = world.query::<(&Request, Option<&MessageSizes>, Option<&CallState>)>();
    let pool = world.resource::<RequestPool>();
    let is_logged =
        |call: Option<&CallState>| pool.request_log.keeps_calls() || !call.is_some_and(CallState::is_call);
    let in_flight = query.iter(world).enumerate();
    let in_flight = in_flight.filter(|(_, (request, _, call))| request.is_in_flight() && is_logged(*call));
    records.extend(in_flight.map(|(row, (request, sizes, call))| {
        let sizes = sizes.copied().unwrap_or_default();
        pool.record(request, (sizes, pool.class_in_row(row)), call, None)
    }));
    records[ended..].sort_unstable_by_key(|record| record.id);
    records
}
