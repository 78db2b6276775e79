//! What a run leaves behind: counts, tallies, series and records, as plain data without a world.

use std::fmt;
use std::sync::Arc;

use bevy_ecs::prelude::*;

use super::figures::NodeFigures;
use super::timeline::Timeline;
use crate::engine::statistics::Tally;
use crate::engine::time::SimTime;
use crate::event::Node;
use crate::model::capacity::CapacityLog;
use crate::model::names::Names;
use crate::model::probe::Series;
use crate::model::source::SourceLabels;
use crate::request::{OutcomeCounts, RequestRecord, Sample};

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
    /// Who is who.
    pub names: Arc<Names>,
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
    /// What all parts measured of themselves.
    pub timeline: Timeline,
    /// A record of every request, in the order in which they ended, then those still in flight; empty unless asked for.
    pub requests: Vec<RequestRecord>,
    /// Records of some requests that are over; of all, if they are not too many.
    pub sample: Sample,
}

impl RunResult {
    /// Who is who.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.identity.names
    }
}

/// What a source has seen.
#[derive(Clone, Debug)]
pub struct SourceResult {
    /// The source.
    pub node: Node,
    /// Its name.
    pub name: String,
    /// What became of its requests, over the whole run.
    pub outcomes: OutcomeCounts,
    /// Time from creation to response of completed requests, in nanoseconds.
    pub latency: Tally,
    /// Mean number of requests under way.
    pub in_flight_mean: Option<f64>,
    /// What its requests are labelled with.
    pub labels: SourceLabels,
}

/// What a node has seen.
#[derive(Clone, Debug)]
pub struct NodeResult {
    /// The node.
    pub node: Node,
    /// Its name.
    pub name: String,
    /// Its figures.
    pub figures: NodeFigures,
    /// What it could do over the run, if it is one that works.
    pub capacity: Option<CapacityLog>,
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
