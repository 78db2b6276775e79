//! Changes: what a scenario announces to happen to its parts at given moments, such as a server that goes down.
//!
//! Here is what a person writes and what runs. What a change does to a part stands in the part's file; the moment itself
//! is an event like any other.

use std::fmt;
use std::ops::Range;

use bevy_ecs::prelude::*;
use serde::{Deserialize, Serialize};

use super::client::RoutingSpec;
use super::load_balancer::PolicySpec;
use super::probe::NodeKind;
use super::references::References;
use super::server::QueueSpec;
use super::source::arrivals::{ArrivalProcess, ArrivalsSpec};
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::time::SimDuration;

/// A change as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSpec {
    /// When it happens: before everything else of this moment, and in the order in which changes of one moment are written.
    pub at: SimDuration,
    /// What changes: a source, a node or a group, or a list of them.
    pub of: References,
    /// What is set.
    pub set: Setting,
}

/// What a change sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Setting {
    /// Servers: all that is in service or waits is lost, and whoever comes is rejected at once. Responses on their way back
    /// through the server are lost.
    Down,
    /// Servers: ready again, and empty.
    Up,
    /// Servers: how many requests are served at the same time (1 or more). What is in service is served to its end.
    Concurrency(u32),
    /// Servers: how long a request is served whose service begins from then on.
    Service(DistributionSpec<SimDuration>),
    /// Servers: where requests wait. Those who wait already stay.
    Queue(QueueSpec),
    /// Sources: when requests are born from then on. The request that was to be born next is not.
    Arrivals(ArrivalsSpec),
    /// Clients: how a server is picked for the next request. What is remembered of loads stays.
    Routing(RoutingSpec),
    /// Load balancers: how a target is picked for the next request.
    Policy(PolicySpec),
}

impl Setting {
    /// Its name as it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Up => "Up",
            Self::Concurrency(_) => "Concurrency",
            Self::Service(_) => "Service",
            Self::Queue(_) => "Queue",
            Self::Arrivals(_) => "Arrivals",
            Self::Routing(_) => "Routing",
            Self::Policy(_) => "Policy",
        }
    }

    /// The kind of node that it can be set for.
    #[must_use]
    pub const fn kind(&self) -> NodeKind {
        match self {
            Self::Down | Self::Up | Self::Concurrency(_) | Self::Service(_) | Self::Queue(_) => {
                NodeKind::Server
            }
            Self::Arrivals(_) => NodeKind::Source,
            Self::Routing(_) => NodeKind::Client,
            Self::Policy(_) => NodeKind::LoadBalancer,
        }
    }
}

impl fmt::Display for Setting {
    /// A few words, for plots: `down`, `concurrency 20`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("down"),
            Self::Up => f.write_str("up"),
            Self::Concurrency(slots) => write!(f, "concurrency {slots}"),
            Self::Service(_) => f.write_str("another service time"),
            Self::Queue(QueueSpec::Fifo { capacity: None }) => f.write_str("a queue without bound"),
            Self::Queue(QueueSpec::Fifo { capacity: Some(capacity) }) => write!(f, "a queue of {capacity}"),
            Self::Arrivals(arrivals) => match arrivals.steady_rate() {
                Some(rate) => rate.fmt(f),
                None => f.write_str("other arrivals"),
            },
            Self::Routing(routing) => write!(f, "routing {}", routing.name()),
            Self::Policy(policy) => write!(f, "policy {}", policy.name()),
        }
    }
}

/// A change, ready to happen.
#[derive(Clone, Debug)]
pub struct Change {
    /// Rows of what changes among the nodes of its kind.
    pub rows: Vec<Range<u32>>,
    /// What happens to it.
    pub to: Alteration,
}

/// What happens to a part, with everything resolved.
#[derive(Clone, Debug)]
pub enum Alteration {
    /// Servers go down.
    Down,
    /// Servers are up again.
    Up,
    /// Servers have so many slots.
    Concurrency(u32),
    /// Services take as long as this says.
    Service(Sampler),
    /// So many may wait at a server.
    Capacity(u32),
    /// Sources let requests arrive like this; the process counts from the moment of the change.
    Arrivals(ArrivalProcess),
    /// Clients pick like this.
    Routing(RoutingSpec),
    /// Balancers pick like this.
    Policy(PolicySpec),
}

/// All changes of a run, by the rows that events name.
#[derive(Resource, Clone, Debug, Default)]
pub struct Changes(pub Vec<Change>);
