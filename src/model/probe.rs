//! Probes: gauges of nodes, sampled at an interval of virtual time. Each gauge becomes a named time series.
//!
//! A probe looks on when everything else of its instant is over. It changes nothing: neither the count of events nor
//! the fingerprint of the run knows of it.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use serde::{Deserialize, Serialize};

use super::client::ClientsView;
use super::load_balancer::LoadBalancersView;
use super::references::References;
use super::server::ServersView;
use super::source::SourcesView;
use crate::engine::column;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::request::{Load, Outcome};

/// A probe as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeSpec {
    /// What is looked at: a source, a node or a group, or a list of them.
    pub of: References,
    /// What is read off each.
    pub gauges: Vec<GaugeSpec>,
    /// The time between two samples; the first one is taken at the start.
    pub every: SimDuration,
}

/// A gauge as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GaugeSpec {
    /// Servers: requests that wait.
    QueueDepth,
    /// Servers: requests in service. Sources: their requests that are under way.
    InFlight,
    /// Servers: the share of slots in use.
    Load,
    /// Clients: what they believe of the load of a server or of each server of a group.
    PerceivedLoad(String),
    /// Requests that came since the last sample, a second. Sources: requests that were born.
    ArrivalRate,
    /// Requests that were completed since the last sample, a second. Clients: responses that came back.
    CompletionRate,
    /// Servers and sources: requests that were rejected since the last sample, a second.
    RejectionRate,
    /// Clients: requests that were sent to another server than the key's own since the last sample, a second.
    RehashRate,
}

/// What is read off a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Requests that wait at a server.
    QueueDepth,
    /// Requests that are served or under way.
    InFlight,
    /// The share of a server's slots in use.
    Load,
    /// What a client believes of the load of the server in this row.
    PerceivedLoad(u32),
    /// A counter's growth since the last sample, a second.
    Rate(Counter),
}

/// What is counted at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Requests that came.
    Arrivals,
    /// Requests that were completed.
    Completions,
    /// Requests that were rejected.
    Rejections,
    /// Requests that were sent elsewhere.
    Rehashes,
}

/// A named time series.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Name of the node.
    pub node: String,
    /// Name of the gauge: `queue_depth`, `perceived_load(server-2)`, ...
    pub metric: String,
    /// Samples: when, and what. A rate has none at the start.
    pub samples: Vec<(SimTime, f64)>,
}

/// A probe as it runs.
#[derive(Component, Clone, Debug)]
pub struct Probe {
    /// The time between two samples.
    pub every: SimDuration,
    /// What is read, and where it is written.
    pub tracks: Vec<Track>,
}

/// One gauge of one node.
#[derive(Clone, Debug)]
pub struct Track {
    /// The node.
    pub node: Node,
    /// The gauge.
    pub gauge: Gauge,
    /// The counter at the last sample.
    pub last: u64,
    /// What has been read.
    pub series: Series,
}

/// The probes as a system reaches them.
#[derive(SystemParam)]
pub struct Probes<'w, 's> {
    rows: Query<'w, 's, &'static mut Probe>,
}

impl Probes<'_, '_> {
    /// Borrows the column of probes for a tick.
    pub fn view(&mut self) -> ProbesView<'_> {
        ProbesView { rows: column(&mut self.rows) }
    }
}

/// The probes as handlers reach them: by row.
#[derive(Debug)]
pub struct ProbesView<'a> {
    rows: &'a mut [Probe],
}

/// All that probes look at.
#[derive(Debug)]
pub struct Scene<'a, 'b> {
    /// The sources.
    pub sources: &'b SourcesView<'a>,
    /// The balancers.
    pub load_balancers: &'b LoadBalancersView<'a>,
    /// The clients, whose memory fades while one looks at it.
    pub clients: &'b mut ClientsView<'a>,
    /// The servers.
    pub servers: &'b ServersView<'a>,
}

impl ProbesView<'_> {
    /// Takes the samples of a probe, and tells when the next ones are due.
    pub fn sample(&mut self, row: u32, now: SimTime, scene: &mut Scene<'_, '_>) -> SimTime {
        let probe = &mut self.rows[row as usize];
        for track in &mut probe.tracks {
            if let Some(value) = track.read(now, probe.every, scene) {
                track.series.samples.push((now, value));
            }
        }
        now + probe.every
    }
}

impl Track {
    #[expect(clippy::cast_precision_loss, reason = "a value for people and plots")]
    fn read(&mut self, now: SimTime, every: SimDuration, scene: &mut Scene<'_, '_>) -> Option<f64> {
        match (self.gauge, self.node) {
            (Gauge::QueueDepth, Node::Server(row)) => Some(f64::from(scene.servers.queue(row).depth.level())),
            (Gauge::InFlight, Node::Server(row)) => {
                Some(f64::from(scene.servers.in_flight(row).level.level()))
            }
            (Gauge::InFlight, Node::Source(row)) => Some(f64::from(scene.sources.get(row).in_flight.level())),
            (Gauge::Load, Node::Server(row)) => {
                let load = scene.servers.in_flight(row).load().billionths();
                Some(load as f64 / Load::FULL.billionths() as f64)
            }
            (Gauge::PerceivedLoad(server), Node::Client(row)) => scene.clients.perceive(row, server, now),
            (Gauge::Rate(counter), node) => {
                let count = count(counter, node, scene)?;
                let growth = count - std::mem::replace(&mut self.last, count);
                (now > SimTime::ZERO).then(|| growth as f64 / every.as_seconds())
            }
            (Gauge::QueueDepth | Gauge::InFlight | Gauge::Load | Gauge::PerceivedLoad(_), _) => None,
        }
    }
}

fn count(counter: Counter, node: Node, scene: &Scene<'_, '_>) -> Option<u64> {
    match (counter, node) {
        (Counter::Arrivals, Node::Source(row)) => Some(scene.sources.get(row).fates.offered),
        (Counter::Arrivals, Node::LoadBalancer(row)) => {
            Some(scene.load_balancers.get(row).routed.iter().sum())
        }
        (Counter::Arrivals, Node::Client(row)) => Some(scene.clients.get(row).requests),
        (Counter::Arrivals, Node::Server(row)) => Some(scene.servers.counters(row).arrived),
        (Counter::Completions, Node::Source(row)) => {
            Some(scene.sources.get(row).fates.of(Outcome::Completed))
        }
        (Counter::Completions, Node::Client(row)) => Some(scene.clients.get(row).responses),
        (Counter::Completions, Node::Server(row)) => Some(scene.servers.counters(row).completed),
        (Counter::Rejections, Node::Source(row)) => Some(scene.sources.get(row).fates.of(Outcome::Rejected)),
        (Counter::Rejections, Node::Server(row)) => Some(scene.servers.counters(row).rejected),
        (Counter::Rehashes, Node::Client(row)) => Some(scene.clients.get(row).rehashed),
        (Counter::Completions | Counter::Rejections, Node::LoadBalancer(_))
        | (Counter::Rejections, Node::Client(_))
        | (Counter::Rehashes, Node::Source(_) | Node::LoadBalancer(_) | Node::Server(_)) => None,
    }
}

/// Kinds of nodes, as gauges tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A source.
    Source,
    /// A load balancer.
    LoadBalancer,
    /// A client.
    Client,
    /// A server.
    Server,
}

impl NodeKind {
    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::LoadBalancer => "load balancer",
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// The names of the gauges that a node of this kind has.
    #[must_use]
    pub const fn gauges(self) -> &'static [&'static str] {
        match self {
            Self::Source => &["InFlight", "ArrivalRate", "CompletionRate", "RejectionRate"],
            Self::LoadBalancer => &["ArrivalRate"],
            Self::Client => &["PerceivedLoad", "ArrivalRate", "CompletionRate", "RehashRate"],
            Self::Server => {
                &["QueueDepth", "InFlight", "Load", "ArrivalRate", "CompletionRate", "RejectionRate"]
            }
        }
    }
}

impl GaugeSpec {
    /// The gauge's name as it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::QueueDepth => "QueueDepth",
            Self::InFlight => "InFlight",
            Self::Load => "Load",
            Self::PerceivedLoad(_) => "PerceivedLoad",
            Self::ArrivalRate => "ArrivalRate",
            Self::CompletionRate => "CompletionRate",
            Self::RejectionRate => "RejectionRate",
            Self::RehashRate => "RehashRate",
        }
    }

    /// The gauge's name in `series.csv`.
    #[must_use]
    pub const fn metric(&self) -> &'static str {
        match self {
            Self::QueueDepth => "queue_depth",
            Self::InFlight => "in_flight",
            Self::Load => "load",
            Self::PerceivedLoad(_) => "perceived_load",
            Self::ArrivalRate => "arrival_rate",
            Self::CompletionRate => "completion_rate",
            Self::RejectionRate => "rejection_rate",
            Self::RehashRate => "rehash_rate",
        }
    }
}
