//! What a run leaves behind: counts, tallies, series and records, as plain data without a world.
//!
//! Here the books are balanced: every request that was offered came to an end or is still in flight, and the three
//! places that count those in flight agree.

use std::fmt;

use bevy_ecs::prelude::*;

use super::timeline::{Surveyor, Timeline};
use crate::engine::statistics::Tally;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::model::client::Client;
use crate::model::link::Link;
use crate::model::load_balancer::LoadBalancer;
use crate::model::probe::{Probe, Series};
use crate::model::server::{InFlight, ServerCounters, ServerName, Setup, WaitQueue};
use crate::model::source::{Fates, Source};
use crate::request::{Request, RequestPool, RequestRecord, RequestSize, Sample};
use crate::simulation::Trace;

/// What identifies a run.
#[derive(Resource, Clone, Debug, Default)]
pub struct RunIdentity {
    /// Name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The replication.
    pub replication: u64,
    /// End of the warm-up: latencies, waiting times and time-weighted means are taken from here on.
    pub measured_from: SimTime,
    /// All nodes but sources in the order of the scenario: the group that each belongs to, and itself.
    pub nodes: Vec<(Option<String>, Node)>,
}

/// The result of a run.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// Which run it was.
    pub identity: RunIdentity,
    /// When it ended.
    pub end: SimTime,
    /// Events handled.
    pub events: u64,
    /// Hash over all events: two runs are the same run if it agrees.
    pub fingerprint: u64,
    /// The sources, in the order of the scenario.
    pub sources: Vec<SourceResult>,
    /// The nodes, in the order of the scenario.
    pub nodes: Vec<NodeResult>,
    /// The links, in the order of the scenario.
    pub links: Vec<LinkResult>,
    /// The series of all probes, in the order of the scenario.
    pub series: Vec<Series>,
    /// What all parts measured of themselves; rows of servers are those of the servers among `nodes`.
    pub timeline: Timeline,
    /// A record of every request, in the order in which they ended, then those still in flight; empty unless asked for.
    pub requests: Vec<RequestRecord>,
    /// Records of some requests that are over; of all, if they are not too many.
    pub sample: Sample,
    /// Names of the servers, by row, as records refer to them.
    pub server_names: Vec<String>,
}

/// What a source has seen.
#[derive(Clone, Debug)]
pub struct SourceResult {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: Option<String>,
    /// Priority of its requests.
    pub priority: i32,
    /// Weight of its requests.
    pub weight: u32,
    /// What became of its requests, over the whole run.
    pub fates: Fates,
    /// Time from birth to response of completed requests, in nanoseconds.
    pub latency: Tally,
    /// Mean number of requests under way.
    pub in_flight_mean: Option<f64>,
}

/// What a node has seen.
#[derive(Clone, Debug)]
pub struct NodeResult {
    /// Its name.
    pub name: String,
    /// The group that it belongs to.
    pub group: Option<String>,
    /// The figures of its kind.
    pub figures: NodeFigures,
}

/// The figures of a node. Counts are of the whole run; tallies and means leave out the warm-up.
#[derive(Clone, Debug)]
pub enum NodeFigures {
    /// A load balancer.
    LoadBalancer {
        /// Requests that were sent to each target.
        routed: Vec<(String, u64)>,
    },
    /// A client.
    Client {
        /// Requests that came.
        requests: u64,
        /// Responses that came back.
        responses: u64,
        /// Requests that were sent to another server than the key's own.
        rehashed: u64,
    },
    /// A server.
    Server(Box<ServerFigures>),
}

/// The figures of a server.
#[derive(Clone, Debug)]
pub struct ServerFigures {
    /// Slots: as many as it is set up to at the end.
    pub concurrency: u32,
    /// Mean number of slots that it offered: none while it is down, more than it is set up to while requests are in service
    /// that began before there were fewer.
    pub slots_mean: Option<f64>,
    /// Requests that came.
    pub arrived: u64,
    /// Requests that were served to their end.
    pub completed: u64,
    /// Requests that found no room.
    pub rejected: u64,
    /// Those of them that were turned away because it was down.
    pub refused: u64,
    /// Requests that were lost when it went down.
    pub lost: u64,
    /// Mean share of the slots that it offered that were in use (0 to 1); nothing if it was never up.
    pub utilization: Option<f64>,
    /// Mean number of requests in service.
    pub in_flight_mean: Option<f64>,
    /// Mean number of requests that wait.
    pub queue_depth_mean: Option<f64>,
    /// Most requests that waited at the same time.
    pub queue_depth_max: u32,
    /// Waiting times in nanoseconds, zero for those that did not wait.
    pub wait: Tally,
    /// Service times in nanoseconds.
    pub service: Tally,
    /// Its row among the servers.
    pub row: usize,
}

/// What a link has seen.
#[derive(Clone, Debug)]
pub struct LinkResult {
    /// Its name: `from -> to`.
    pub name: String,
    /// Messages in both directions.
    pub sent: u64,
    /// Messages that were lost.
    pub lost: u64,
}

/// The books do not balance: a mistake of the simulator, never of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConservationError {
    /// The source whose requests do not add up.
    pub source: String,
    /// Offered less ended.
    pub unaccounted: i128,
    /// Requests of the source that are under way.
    pub under_way: u64,
}

impl fmt::Display for ConservationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "requests of source \"{}\" do not add up: offered less ended is {}, but {} are under way \
             (this is a mistake of rushhour, not of the scenario: please report it)",
            self.source, self.unaccounted, self.under_way
        )
    }
}

impl std::error::Error for ConservationError {}

/// Collects the result of a run that ends at `end`, and balances its books. Tallies are taken out of the world.
///
/// # Errors
/// If the fates of the requests of a source do not add up.
pub fn collect(world: &mut World, end: SimTime) -> Result<RunResult, ConservationError> {
    let identity = world.resource::<RunIdentity>().clone();
    let trace = *world.resource::<Trace>();
    let elapsed = end.since(identity.measured_from);
    balance(world)?;
    let names = Names::gather(world);
    let server_names = names.servers.clone();
    Ok(RunResult {
        end,
        events: trace.events,
        fingerprint: trace.fingerprint.finish(),
        sources: rows::<Source>(world).map(|source| source_result(source, end, elapsed)).collect(),
        nodes: node_results(world, &identity, &names, end, elapsed),
        links: rows::<Link>(world).map(link_result).collect(),
        series: rows::<Probe>(world).flat_map(|probe| probe.tracks).map(|track| track.series).collect(),
        timeline: world.resource_mut::<Surveyor>().take(),
        sample: world.resource_mut::<RequestPool>().journal.take_sample(),
        requests: records(world),
        server_names,
        identity,
    })
}

/// All components of a type in the order in which their entities were spawned.
fn rows<T: Component + Clone>(world: &mut World) -> std::vec::IntoIter<T> {
    let mut query = world.query::<&T>();
    query.iter(world).cloned().collect::<Vec<_>>().into_iter()
}

fn balance(world: &mut World) -> Result<(), ConservationError> {
    let sources: Vec<Source> = rows(world).collect();
    let mut under_way = vec![0_u64; sources.len()];
    for request in world.query::<&Request>().iter(world).filter(|request| request.is_under_way()) {
        under_way[usize::from(request.source)] += 1;
    }
    for (source, under_way) in sources.iter().zip(under_way) {
        let ended: u64 = source.fates.ended.iter().sum();
        let unaccounted = i128::from(source.fates.offered) - i128::from(ended);
        if unaccounted != i128::from(under_way) || under_way != u64::from(source.in_flight.level()) {
            return Err(ConservationError { source: source.name.clone(), unaccounted, under_way });
        }
    }
    Ok(())
}

/// Names of nodes by kind and row.
struct Names {
    sources: Vec<String>,
    load_balancers: Vec<String>,
    clients: Vec<String>,
    servers: Vec<String>,
}

impl Names {
    fn gather(world: &mut World) -> Self {
        Self {
            sources: rows::<Source>(world).map(|source| source.name).collect(),
            load_balancers: rows::<LoadBalancer>(world).map(|balancer| balancer.name).collect(),
            clients: rows::<Client>(world).map(|client| client.name).collect(),
            servers: rows::<ServerName>(world).map(|name| name.0).collect(),
        }
    }

    fn of(&self, node: Node) -> &str {
        match node {
            Node::Source(row) => &self.sources[row as usize],
            Node::LoadBalancer(row) => &self.load_balancers[row as usize],
            Node::Client(row) => &self.clients[row as usize],
            Node::Server(row) => &self.servers[row as usize],
        }
    }
}

fn source_result(mut source: Source, end: SimTime, elapsed: SimDuration) -> SourceResult {
    let [] = source.recent.hand_on(&mut source.latency, []);
    SourceResult {
        in_flight_mean: source.in_flight.mean(end, elapsed),
        name: source.name,
        class: source.class,
        priority: source.priority,
        weight: source.weight,
        fates: source.fates,
        latency: source.latency,
    }
}

fn link_result(link: Link) -> LinkResult {
    LinkResult { name: link.name, sent: link.out.sent + link.back.sent, lost: link.out.lost + link.back.lost }
}

fn node_results(
    world: &mut World,
    identity: &RunIdentity,
    names: &Names,
    end: SimTime,
    elapsed: SimDuration,
) -> Vec<NodeResult> {
    let mut balancers = rows::<LoadBalancer>(world).map(|balancer| NodeFigures::LoadBalancer {
        routed: balancer
            .outlet
            .targets
            .iter()
            .map(|target| names.of(target.node()).to_owned())
            .zip(balancer.routed.iter().copied())
            .collect(),
    });
    let mut clients = rows::<Client>(world).map(|client| NodeFigures::Client {
        requests: client.requests,
        responses: client.responses,
        rehashed: client.rehashed,
    });
    let mut servers = server_figures(world, end, elapsed).into_iter();
    // Rows of a kind are in the order of the scenario, so each kind is consumed from its front.
    identity
        .nodes
        .iter()
        .filter_map(|(group, node)| {
            let figures = match node {
                Node::Source(_) => None,
                Node::LoadBalancer(_) => balancers.next(),
                Node::Client(_) => clients.next(),
                Node::Server(_) => servers.next().map(|figures| NodeFigures::Server(Box::new(figures))),
            }?;
            Some(NodeResult { name: names.of(*node).to_owned(), group: group.clone(), figures })
        })
        .collect()
}

fn server_figures(world: &mut World, end: SimTime, elapsed: SimDuration) -> Vec<ServerFigures> {
    let mut query = world.query::<(&InFlight, &WaitQueue, &Setup, &mut ServerCounters)>();
    query
        .iter_mut(world)
        .enumerate()
        .map(|(row, (in_flight, queue, setup, mut counters))| {
            let busy = in_flight.level.mean(end, elapsed);
            let slots = setup.slots.mean(end, elapsed);
            ServerFigures {
                concurrency: setup.concurrency,
                slots_mean: slots,
                arrived: counters.arrived,
                completed: counters.completed,
                rejected: counters.rejected,
                refused: setup.refused(counters.rejected),
                lost: setup.lost,
                utilization: utilization(busy, slots),
                in_flight_mean: busy,
                queue_depth_mean: queue.depth.mean(end, elapsed),
                queue_depth_max: queue.depth.max(),
                wait: std::mem::take(&mut counters.wait),
                service: std::mem::take(&mut counters.service),
                row,
            }
        })
        .collect()
}

/// The share of slots in use, from the mean numbers of those in use and of all that there were, if there were any.
pub(super) fn utilization(busy: Option<f64>, slots: Option<f64>) -> Option<f64> {
    let (busy, slots) = busy.zip(slots)?;
    (slots > 0.0).then(|| busy / slots)
}

/// The log, with the requests that are still in flight behind it; empty if none was kept.
fn records(world: &mut World) -> Vec<RequestRecord> {
    let mut pool = world.resource_mut::<RequestPool>();
    let Some(mut records) = pool.journal.take_log() else { return Vec::new() };
    let ended = records.len();
    let mut query = world.query::<(&Request, Option<&RequestSize>)>();
    let pool = world.resource::<RequestPool>();
    let under_way = query.iter(world).filter(|(request, _)| request.is_under_way());
    records
        .extend(under_way.map(|(request, size)| pool.record(request, size.map_or(0, |size| size.0), None)));
    records[ended..].sort_unstable_by_key(|record| record.id);
    records
}
