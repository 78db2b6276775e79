//! From a checked scenario to a world: every name becomes a row, every law a sampler, every part gets its streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use bevy_ecs::prelude::*;

use super::changes::{changes, schedule};
use super::check::{Checked, examine};
use super::courses::courses;
use super::directory::{Directory, Member};
use super::{NodeSpec, Problem, Scenario};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::hash::StableHasher;
use crate::engine::queue::EventQueue;
use crate::engine::random::Streams;
use crate::engine::statistics::{Tally, TimeWeighted};
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, Node, PackedEvent};
use crate::metrics::result::RunIdentity;
use crate::metrics::timeline::Surveyor;
use crate::model::change::Changes;
use crate::model::client::{Client, LoadWindow};
use crate::model::link::{Direction, Link};
use crate::model::load_balancer::LoadBalancer;
use crate::model::probe::{Counter, Gauge, GaugeSpec, NodeKind, Probe, ProbeSpec, Series, Track};
use crate::model::server::{
    InFlight, Server, ServerCounters, ServerName, ServerSpec, Service, Setup, WaitQueue, lane,
};
use crate::model::source::{Fates, Source, SourceSpec};
use crate::model::witness::Witness;
use crate::model::{NO_LINK, Outlet, Target, WaysHome};
use crate::request::RequestPool;
use crate::simulation::{RunOptions, Tags, Trace};

/// Fills a world with all that a scenario describes, its first events included.
///
/// # Errors
/// All that is wrong with the scenario; the world is left as it was.
///
/// # Panics
/// Never: what is built has passed the checks.
pub fn spawn(scenario: &Scenario, options: RunOptions, world: &mut World) -> Result<(), Vec<Problem>> {
    let Checked { directory, senders } = examine(scenario)?;
    let seed = options.seed.unwrap_or(scenario.seed);
    let changes = changes(scenario, &directory);
    let mut spawner = Spawner {
        scenario,
        streams: Streams::new(seed, options.replication),
        links: link_rows(scenario),
        directory,
        queue: EventQueue::default(),
        ways_home: WaysHome::default(),
        tags: Tags::default(),
        world,
    };
    spawner.links();
    // Sources first: a return path ends with the number of its source among the ways home.
    spawner.sources();
    spawner.nodes();
    spawner.probes();
    let sized = scenario.sources.values().any(|source| source.size.is_some());
    let Spawner { mut queue, ways_home, tags, directory, .. } = spawner;
    schedule(&mut queue, &scenario.changes, 0);
    let measured_from = SimTime::ZERO + scenario.warm_up;
    if measured_from > SimTime::ZERO {
        queue.schedule_last(measured_from, Event::WarmedUp.pack());
    }
    let surveyor = Surveyor::new(SimTime::ZERO + scenario.run_until, courses(scenario, &directory));
    queue.schedule_last(surveyor.first(), Event::Survey.pack());
    world.insert_resource(RunIdentity {
        scenario: scenario.name.clone(),
        seed,
        replication: options.replication,
        measured_from,
        nodes: identities(&directory),
    });
    world.insert_resource(surveyor);
    world.insert_resource(queue);
    world.insert_resource(ways_home);
    world.insert_resource(tags);
    world.insert_resource(Changes(changes));
    world.insert_resource(Trace::default());
    world.insert_resource(Witness::default());
    world.insert_resource(RequestPool::new(senders, sized, options.log_requests));
    Ok(())
}

/// What is being built.
struct Spawner<'a> {
    scenario: &'a Scenario,
    directory: Directory,
    streams: Streams,
    /// Rows of links by the names that they are written between.
    links: BTreeMap<(&'a str, &'a str), u32>,
    queue: EventQueue<PackedEvent>,
    ways_home: WaysHome,
    tags: Tags,
    world: &'a mut World,
}

/// The checks have been passed, so whatever resolves there resolves here.
pub(super) const CHECKED: &str = "a scenario is built only after it was checked";

impl<'a> Spawner<'a> {
    fn links(&mut self) {
        for spec in &self.scenario.links {
            let name = format!("{} -> {}", spec.from, spec.to);
            let law = |law: Option<&DistributionSpec<SimDuration>>| {
                law.map_or_else(|| Sampler::constant(0.0), |law| law.resolve().expect(CHECKED))
            };
            let out = law(spec.latency.as_ref());
            let back = law(spec.response_latency.as_ref().or(spec.latency.as_ref()));
            let out = Direction::new(out, spec.loss, &name, "request", &self.streams, &mut self.queue);
            let back = Direction::new(back, spec.loss, &name, "response", &self.streams, &mut self.queue);
            self.world.spawn(Link { name, out, back });
        }
    }

    fn nodes(&mut self) {
        let scenario = self.scenario;
        for (name, spec) in &scenario.nodes {
            let (entry, _) = self.directory.entry(name).expect(CHECKED);
            match spec {
                NodeSpec::LoadBalancer(spec) => {
                    let outlets = self.outlets(entry, &spec.to.0);
                    let balancers: Vec<_> = outlets
                        .into_iter()
                        .map(|(name, outlet)| LoadBalancer {
                            policy: spec.policy.resolve(),
                            routed: vec![0; outlet.targets.len()].into(),
                            stream: self.streams.stream(&name, "policy"),
                            outlet,
                            name,
                        })
                        .collect();
                    self.tags.load_balancers.extend(balancers.iter().map(|balancer| tag(&balancer.name)));
                    self.world.spawn_batch(balancers);
                }
                NodeSpec::Client(spec) => {
                    let outlets = self.outlets(entry, &spec.to.0);
                    let clients: Vec<_> = outlets
                        .into_iter()
                        .map(|(name, outlet)| {
                            let routing = spec.routing.resolve(outlet.targets.len());
                            let window = window(&outlet.targets);
                            let stream = self.streams.stream(&name, "routing");
                            let client = Client {
                                name,
                                routing,
                                outlet,
                                stream,
                                requests: 0,
                                responses: 0,
                                rehashed: 0,
                            };
                            (client, window)
                        })
                        .collect();
                    self.tags.clients.extend(clients.iter().map(|(client, _)| tag(&client.name)));
                    self.world.spawn_batch(clients);
                }
                NodeSpec::Server(spec) => self.servers(entry, spec),
            }
        }
    }

    fn servers(&mut self, entry: usize, spec: &ServerSpec) {
        let time = spec.service.resolve().expect(CHECKED);
        let lane = lane(&time, &mut self.queue);
        let queue = WaitQueue::new(&spec.queue);
        let outlets = self.outlets(entry, spec.then.as_slice());
        let servers: Vec<_> = outlets
            .into_iter()
            .map(|(name, outlet)| Server {
                in_flight: InFlight::new(spec.concurrency),
                queue: queue.clone(),
                setup: Setup::new(spec.concurrency, &queue),
                service: Service {
                    time: time.clone(),
                    lane,
                    stream: self.streams.stream(&name, "service"),
                    then: (!outlet.targets.is_empty()).then_some(outlet),
                },
                counters: ServerCounters::default(),
                name: ServerName(name),
            })
            .collect();
        self.tags.servers.extend(servers.iter().map(|server| tag(&server.name.0)));
        self.world.spawn_batch(servers);
    }

    fn sources(&mut self) {
        let scenario = self.scenario;
        for (row, (name, spec)) in (0..).zip(&scenario.sources) {
            let mut source = self.source(name, spec);
            self.tags.sources.push(tag(name));
            if let Some(at) = source.next_arrival() {
                self.queue.schedule(at, Event::Arrival { source: row }.pack());
            }
            self.world.spawn(source);
        }
    }

    fn source(&mut self, name: &str, spec: &SourceSpec) -> Source {
        let (entry, _) = self.directory.entry(name).expect(CHECKED);
        let (_, outlet) = self.outlets(entry, std::slice::from_ref(&spec.to)).swap_remove(0);
        let target = outlet.targets[0];
        let until = spec.stop.or(self.scenario.arrivals_until).unwrap_or(self.scenario.run_until);
        Source {
            arrivals: (
                spec.arrivals.resolve(SimTime::ZERO + spec.start).expect(CHECKED),
                self.streams.stream(name, "arrivals"),
            ),
            key: (spec.key.resolve().expect(CHECKED), self.streams.stream(name, "key")),
            size: spec
                .size
                .as_ref()
                .map(|size| (size.resolve().expect(CHECKED), self.streams.stream(name, "size"))),
            name: name.to_owned(),
            class: spec.class.clone(),
            priority: spec.priority,
            weight: spec.weight,
            target,
            start: SimTime::ZERO + spec.start,
            stop: SimTime::ZERO + until,
            max_requests: spec.max_requests.unwrap_or(u64::MAX),
            fates: Fates::default(),
            in_flight: TimeWeighted::default(),
            latency: Tally::default(),
            recent: Tally::default(),
            measured_from: SimTime::ZERO + self.scenario.warm_up,
        }
    }

    /// Where each member of an entry sends, with its name. Members share the list where no link tells them apart.
    fn outlets(&mut self, index: usize, to: &[String]) -> Vec<(String, Outlet)> {
        let receivers: Vec<Member> =
            to.iter().flat_map(|name| self.directory.members(name).expect(CHECKED)).collect();
        let entry = self.directory.entries[index].clone();
        let told_apart =
            self.links.keys().any(|(from, _)| self.directory.entry(from) == Some((index, false)));
        let mut shared = None;
        let mut outlets = Vec::with_capacity(entry.members.len());
        for (member, name) in entry.members.iter().enumerate() {
            let (targets, ways) = match (&shared, told_apart) {
                (Some(shared), false) => Clone::clone(shared),
                _ => shared.insert(self.targets(&entry.name, name, &receivers)).clone(),
            };
            let ways_home =
                u32::try_from(self.ways_home.0.len()).expect("nodes times links stay far below 2^32");
            self.ways_home.0.extend(ways.iter().map(|&link| (entry.node(member), link)));
            outlets.push((name.clone(), Outlet { targets, ways_home }));
        }
        outlets
    }

    /// The targets of one sender, and the different links to them.
    fn targets(&self, group: &str, sender: &str, receivers: &[Member]) -> (Arc<[Target]>, Arc<[u32]>) {
        let mut ways: Vec<u32> = Vec::new();
        let targets = receivers
            .iter()
            .map(|&receiver| {
                let receiving_group = self.directory.entries[receiver.entry].name.as_str();
                let link = self.link(group, sender, receiving_group, self.directory.name(receiver));
                let way = ways.iter().position(|&other| other == link).unwrap_or_else(|| {
                    ways.push(link);
                    ways.len() - 1
                });
                let way = u32::try_from(way).expect("there are fewer than 2^32 links");
                Target::new(self.directory.node(receiver), link, way)
            })
            .collect();
        (targets, ways.into())
    }

    /// The link between two nodes: the one that names them most exactly, first the sender, then the receiver.
    fn link(&self, from_group: &str, from: &str, to_group: &str, to: &str) -> u32 {
        [(from, to), (from, to_group), (from_group, to), (from_group, to_group)]
            .iter()
            .find_map(|pair| self.links.get(pair).copied())
            .unwrap_or(NO_LINK)
    }

    fn probes(&mut self) {
        for (row, spec) in (0..).zip(&self.scenario.probes) {
            let tracks = self.tracks(spec);
            self.queue.schedule_last(SimTime::ZERO, Event::Sample { probe: row }.pack());
            self.world.spawn(Probe { every: spec.every, tracks });
        }
    }

    fn tracks(&self, spec: &ProbeSpec) -> Vec<Track> {
        let members = spec.of.0.iter().flat_map(|name| self.directory.members(name).expect(CHECKED));
        let mut tracks = Vec::new();
        for member in members {
            for gauge in &spec.gauges {
                for (gauge, metric) in self.gauges(gauge) {
                    let series =
                        Series { node: self.directory.name(member).to_owned(), metric, samples: Vec::new() };
                    tracks.push(Track { node: self.directory.node(member), gauge, last: 0, series });
                }
            }
        }
        tracks
    }

    /// What one written gauge reads off a node: itself, or one for each server of a group.
    fn gauges(&self, spec: &GaugeSpec) -> Vec<(Gauge, String)> {
        let gauge = match spec {
            GaugeSpec::QueueDepth => Gauge::QueueDepth,
            GaugeSpec::InFlight => Gauge::InFlight,
            GaugeSpec::Load => Gauge::Load,
            GaugeSpec::ArrivalRate => Gauge::Rate(Counter::Arrivals),
            GaugeSpec::CompletionRate => Gauge::Rate(Counter::Completions),
            GaugeSpec::RejectionRate => Gauge::Rate(Counter::Rejections),
            GaugeSpec::RehashRate => Gauge::Rate(Counter::Rehashes),
            GaugeSpec::PerceivedLoad(server) => {
                let members = self.directory.members(server).expect(CHECKED);
                return members
                    .into_iter()
                    .filter_map(|member| match self.directory.node(member) {
                        Node::Server(row) => {
                            let metric = format!("{}({})", spec.metric(), self.directory.name(member));
                            Some((Gauge::PerceivedLoad(row), metric))
                        }
                        Node::Source(_) | Node::LoadBalancer(_) | Node::Client(_) => None,
                    })
                    .collect();
            }
        };
        vec![(gauge, spec.metric().to_owned())]
    }
}

fn link_rows(scenario: &Scenario) -> BTreeMap<(&str, &str), u32> {
    scenario.links.iter().zip(0..).map(|(link, row)| ((link.from.as_str(), link.to.as_str()), row)).collect()
}

/// A window for the servers among the targets.
fn window(targets: &[Target]) -> LoadWindow {
    let rows = || {
        targets.iter().filter_map(|target| match target.node() {
            Node::Server(row) => Some(row),
            Node::Source(_) | Node::LoadBalancer(_) | Node::Client(_) => None,
        })
    };
    rows()
        .min()
        .zip(rows().max())
        .map_or_else(LoadWindow::default, |(first, last)| LoadWindow::new(first, last))
}

fn tag(name: &str) -> u64 {
    let mut hasher = StableHasher::new();
    hasher.absorb_text(name);
    hasher.finish()
}

/// The nodes in the order of the scenario, with the group that each belongs to.
fn identities(directory: &Directory) -> Vec<(Option<String>, Node)> {
    directory
        .entries
        .iter()
        .filter(|entry| entry.kind != NodeKind::Source)
        .flat_map(|entry| {
            let group = entry.is_group.then(|| entry.name.clone());
            (0..entry.members.len()).map(move |member| (group.clone(), entry.node(member)))
        })
        .collect()
}
