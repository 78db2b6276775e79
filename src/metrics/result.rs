//! The result of a run: counts, tallies, series and records, as plain data independent of the ECS world.

use std::fmt;
use std::sync::Arc;

use bevy_ecs::prelude::*;

use super::figures::NodeFigures;
use super::timeline::Timeline;
use crate::engine::statistics::Tally;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::model::autoscaler::ScalingRecord;
use crate::model::capacity::CapacityLog;
use crate::model::link::LineId;
use crate::model::names::Names;
use crate::model::probe::Series;
use crate::model::source::SourceLabels;
use crate::request::{LogLevel, OutcomeCounts, RequestRecord, Sample};

/// The identity of a run.
#[derive(Resource, Clone, Debug, Default)]
pub struct RunIdentity {
    /// Name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The replication.
    pub replication: u64,
    /// End of the warm-up: latencies, waiting times and time-weighted means are measured from here.
    pub measured_from: SimTime,
    /// The names of all nodes.
    pub names: Arc<Names>,
}

/// The result of a run.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// The identity of the run.
    pub identity: RunIdentity,
    /// End of the run. Earlier than that of the scenario if the run was [stopped](Self::stopped).
    pub end: SimTime,
    /// Why the run was stopped before the end of the scenario, or `None` if it was not.
    pub stopped: Option<Stopped>,
    /// Number of events handled.
    pub events: u64,
    /// Hash over all events: two runs with the same fingerprint are the same run.
    pub fingerprint: u64,
    /// The sources, in the order of the scenario.
    pub sources: Vec<SourceResult>,
    /// The nodes, in the order of the scenario.
    pub nodes: Vec<NodeResult>,
    /// The links, in the order of the scenario.
    pub links: Vec<LinkResult>,
    /// What the autoscalers have done, in the order of the scenario.
    pub autoscalers: Vec<ScalingRecord>,
    /// The faults, in the order of the scenario.
    pub faults: Vec<FaultResult>,
    /// The series of all probes, in the order of the scenario.
    pub series: Vec<Series>,
    /// The recorded metrics of all parts.
    pub timeline: Timeline,
    /// The calls by outcome, or `None` if no node makes calls.
    pub calls: Option<OutcomeCounts>,
    /// Records of all requests: the completed and failed ones in the order in which they ended, then those in flight.
    /// Empty unless the run keeps a request log.
    pub requests: Vec<RequestRecord>,
    /// Which records the run keeps.
    pub log: LogLevel,
    /// Records of a sample of the requests that have ended; of all of them in a short run.
    pub sample: Sample,
}

impl RunResult {
    /// The names of all nodes.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.identity.names
    }

    /// All directions of links with a bandwidth, with the numbers of their [`LineId`].
    pub fn lines(&self) -> impl Iterator<Item = (LineId, &LineResult)> {
        let lines = self.links.iter().flat_map(|link| &link.lines);
        (0..).map(LineId).zip(lines).filter_map(|(id, line)| Some((id, line.as_ref()?)))
    }

    /// The name of a direction of a link with a bandwidth: `from -> to (requests)`.
    #[must_use]
    pub fn line_name(&self, line: LineId) -> &str {
        let link = self.links.get(line.link().index());
        let line = link.and_then(|link| link.lines[usize::from(line.is_response())].as_ref());
        line.map_or("", |line| line.name.as_str())
    }
}

/// A run was stopped because too many requests were in flight: their memory is bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// When it was stopped.
    pub at: SimTime,
    /// Number of requests in flight: the maximum.
    pub in_flight: u64,
    /// The nodes that the requests in flight reached last, `None` for those that have not reached a server or limiter
    /// yet, with the number of requests; the most first.
    pub holders: Vec<(Option<String>, u64)>,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the run was stopped at {}: {} requests were in flight, the maximum",
            self.at, self.in_flight
        )
    }
}

impl std::error::Error for Stopped {}

/// The result of a source.
#[derive(Clone, Debug)]
pub struct SourceResult {
    /// The source.
    pub node: Node,
    /// Its name.
    pub name: String,
    /// Outcome counts of its requests, over the whole run.
    pub outcomes: OutcomeCounts,
    /// Time from creation to response, of completed requests, in nanoseconds.
    pub latency: Tally,
    /// The same by class, if the source replays a trace that gives classes.
    pub classes: Vec<(String, Tally)>,
    /// Time to the response from when a user intended to send the request, if users keep a pace.
    pub intended: Option<Tally>,
    /// Mean number of its requests in flight, or `None` if no time was measured.
    pub in_flight_mean: Option<f64>,
    /// Labels of its requests.
    pub labels: SourceLabels,
}

/// The result of a node.
#[derive(Clone, Debug)]
pub struct NodeResult {
    /// The node.
    pub node: Node,
    /// Its name.
    pub name: String,
    /// Its figures.
    pub figures: NodeFigures,
    /// Its capacity over the run, or `None` for a kind of node without a capacity.
    pub capacity: Option<CapacityLog>,
    /// The names of its resources, in the order of their figures.
    pub resources: Vec<ResourceName>,
}

/// The names of a resource of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceName {
    /// Its name: `api-0 cores`.
    pub name: String,
    /// The name of the same resource of the group: `api cores`. `None` if the node is not a member of a group.
    pub of_group: Option<String>,
}

/// The result of a link.
#[derive(Clone, Debug)]
pub struct LinkResult {
    /// Its name: `from -> to`.
    pub name: String,
    /// Messages sent, in both directions.
    pub sent: u64,
    /// Messages lost.
    pub lost: u64,
    /// For how long requests waited, until their timeouts, for calls that the link had lost.
    pub waited_in_vain: SimDuration,
    /// What was transferred with a bandwidth, in the direction of requests and in that of responses; `None` if the bandwidth
    /// is unlimited.
    pub lines: [Option<LineResult>; 2],
}

/// The result of a direction of a link with a bandwidth.
#[derive(Clone, Debug)]
pub struct LineResult {
    /// Its name: `from -> to (requests)`.
    pub name: String,
    /// Messages that were sent and not lost.
    pub arrived: u64,
    /// Messages that were transferred.
    pub completed: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Share of the time in which messages were transferred, or `None` if no time was measured.
    pub utilization: Option<f64>,
    /// Mean number of messages beyond one that were being transferred or waited for it.
    pub waiting_mean: Option<f64>,
    /// The maximum of this number.
    pub waiting_max: u32,
    /// Mean number of messages that have left the sender and not yet arrived.
    pub in_transit_mean: Option<f64>,
    /// Mean number of their bytes.
    pub bytes_in_transit_mean: Option<f64>,
    /// By how much the transfer of a message took longer than if it had been alone, in nanoseconds.
    pub wait: Tally,
    /// How long a transfer takes alone, in nanoseconds.
    pub alone: Tally,
    /// Whether messages are transferred at the same time, each with an equal share of the bandwidth.
    pub is_fair: bool,
    /// Its capacity over the run.
    pub capacity: CapacityLog,
}

/// What has happened of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultResult {
    /// Its name.
    pub name: String,
    /// The names of the parts that it happens to, as written.
    pub of: Vec<String>,
    /// What happens: `crash`, `3 times slower`.
    pub what: String,
    /// Number of times that it began.
    pub count: u64,
    /// For how long it was in effect, summed over the parts that have their own times.
    pub time: SimDuration,
    /// When it was in effect: the first times, in the order of their beginnings.
    pub times: Vec<FaultTime>,
}

/// A time during which a fault was in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultTime {
    /// The name of the part that it happened to: those of the fault, separated by commas, if it happened to all of them.
    pub of: String,
    /// Its beginning.
    pub from: SimTime,
    /// Its end, or `None` if it lasted until the end of the run.
    pub to: Option<SimTime>,
}

/// The requests of a source, or the calls, do not add up: a bug in the simulator, never an error in a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConservationError {
    /// What does not add up: `calls`, or `requests of source "users"`.
    pub of: String,
    /// Number offered minus number ended.
    pub unaccounted: i128,
    /// Number in flight.
    pub in_flight: u64,
}

impl fmt::Display for ConservationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} do not add up: offered minus ended is {}, but {} are in flight \
             (this is a bug in rushhour, not an error in the scenario: please report it)",
            self.of, self.unaccounted, self.in_flight
        )
    }
}

impl std::error::Error for ConservationError {}
