//! The summary: the figures of a run, with times in seconds.
//!
//! A [`Summary`] serialises to `summary.json`: the names and the order of its fields are those of the file. A missing
//! value is `None`, never 0. The caller adds the wall-clock duration, as a run reads no clock; it is the only field in
//! which two equal runs differ.

mod latency;
mod link;
mod node;

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

pub use latency::DurationStats;
pub use link::{LineSummary, LinkSummary};
pub use node::{NodeSummary, SummaryValue};

use super::figures::NodeFigures;
use super::result::{FaultResult, NodeResult, RunResult, SourceResult};
use crate::engine::statistics::Tally;
use crate::engine::time::SimTime;
use crate::model::autoscaler::{Scaling, ScalingCounts, ScalingRecord};
use crate::model::names::Names;
use crate::request::OutcomeCounts;

/// The figures of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The replication.
    pub replication: u64,
    /// The version of rushhour.
    pub version: &'static str,
    /// Length of the run in virtual seconds.
    pub virtual_seconds: f64,
    /// End of the warm-up in virtual seconds, or `None` without one. Latencies, waiting times and means over time are
    /// measured from here.
    pub measured_from_seconds: Option<f64>,
    /// Why the run was stopped before its end; left out if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<StoppedSummary>,
    /// Wall-clock duration of the run, or `None` if it was not measured.
    pub wall_seconds: Option<f64>,
    /// Number of events handled.
    pub events: u64,
    /// Hash over all events: two runs with the same fingerprint are the same run.
    #[serde(serialize_with = "as_hexadecimal")]
    pub fingerprint: u64,
    /// Outcome counts of all requests.
    #[serde(serialize_with = "outcomes")]
    pub requests: OutcomeCounts,
    /// Outcome counts of all calls, or `None` if no node makes calls.
    #[serde(serialize_with = "outcomes_of_calls", skip_serializing_if = "Option::is_none")]
    pub calls: Option<OutcomeCounts>,
    /// Time from creation to response, of completed requests.
    pub latency: Latencies,
    /// The sources, in the order of the scenario.
    pub sources: IndexMap<String, SourceSummary>,
    /// The nodes, in the order of the scenario.
    pub nodes: IndexMap<String, NodeSummary>,
    /// The groups, in the order of the scenario.
    pub groups: IndexMap<String, GroupSummary>,
    /// The links, in the order of the scenario.
    pub links: IndexMap<String, LinkSummary>,
    /// The autoscalers, in the order of the scenario; left out if there are none.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub autoscalers: IndexMap<String, AutoscalerSummary>,
    /// The faults, in the order of the scenario; left out if there are none.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub faults: IndexMap<String, FaultSummary>,
}

/// A run that was stopped because too many requests were in flight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoppedSummary {
    /// Number of requests in flight: the maximum.
    pub in_flight: u64,
    /// The number of these requests by the node that they reached last, the most first. The name of those that have not
    /// reached a server yet is empty.
    pub by_node: IndexMap<String, u64>,
}

/// Latencies of completed requests, in total and by source and class.
#[derive(Clone, Debug, Serialize)]
pub struct Latencies {
    /// All completed requests.
    pub all: DurationStats,
    /// By source, in the order of the scenario.
    pub by_source: IndexMap<String, DurationStats>,
    /// By class, in the order of first mention; empty if no source or trace has a class.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub by_class: IndexMap<String, DurationStats>,
    /// By source, from when a user intended to send the request instead of from its creation: of sources whose users keep a
    /// pace; empty if there are none.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub from_intended: IndexMap<String, DurationStats>,
}

/// The summary of a source.
#[derive(Clone, Debug, Serialize)]
pub struct SourceSummary {
    /// Its class, or `None` if it has none.
    pub class: Option<String>,
    /// Outcome counts of its requests.
    #[serde(flatten, serialize_with = "outcomes")]
    pub requests: OutcomeCounts,
    /// Mean number of its requests in flight.
    pub in_flight_mean: Option<f64>,
}

/// The summary of a group. [`Aggregation`](crate::model::figure::Aggregation) says how the figures of its members are
/// combined.
#[derive(Clone, Debug, Serialize)]
pub struct GroupSummary {
    /// The combined figures of its members.
    #[serde(flatten)]
    pub figures: NodeSummary,
    /// Positions of its members in [`Summary::nodes`]. Serialised as the number of members.
    #[serde(serialize_with = "as_number")]
    pub members: Vec<usize>,
}

/// The summary of an autoscaler.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AutoscalerSummary {
    /// The name of its group.
    pub of: String,
    /// How often it has done what.
    #[serde(flatten)]
    pub counts: ScalingCounts,
    /// The changes in order: the first 2,000.
    pub changes: Vec<ScalingSummary>,
}

/// A change of the number of members by an autoscaler.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScalingSummary {
    /// When it was decided, in seconds.
    pub at: f64,
    /// Number of members before it.
    pub from: u32,
    /// Number of members that it wants.
    pub to: u32,
    /// The value of the gauge that it was decided by; left out if the policy reads none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

/// The summary of a fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultSummary {
    /// The names of the parts that it happens to, as written.
    pub of: Vec<String>,
    /// What happens: `crash`, `3 times slower`.
    pub what: String,
    /// Number of times that it began.
    pub count: u64,
    /// For how long it was in effect, summed over the parts that have their own times.
    pub seconds: f64,
    /// For how long each time on average, or `None` if it never began.
    pub seconds_each: Option<f64>,
}

impl Summary {
    /// The summary of the result of a run.
    #[must_use]
    pub fn of(result: &RunResult) -> Self {
        let identity = &result.identity;
        let warmed_up = identity.measured_from > SimTime::ZERO;
        Self {
            scenario: identity.scenario.clone(),
            seed: identity.seed,
            replication: identity.replication,
            version: env!("CARGO_PKG_VERSION"),
            virtual_seconds: result.end.as_seconds(),
            measured_from_seconds: warmed_up.then(|| identity.measured_from.as_seconds()),
            stopped: result.stopped.as_ref().map(|stopped| StoppedSummary {
                in_flight: stopped.in_flight,
                by_node: stopped
                    .holders
                    .iter()
                    .map(|(name, count)| (name.clone().unwrap_or_default(), *count))
                    .collect(),
            }),
            wall_seconds: None,
            events: result.events,
            fingerprint: result.fingerprint,
            requests: result.sources.iter().map(|source| source.outcomes).sum(),
            calls: result.calls,
            latency: Latencies::of(&result.sources),
            sources: result.sources.iter().map(source_summary).collect(),
            nodes: nodes(&result.nodes, result.names()),
            groups: groups(&result.nodes, result.names()),
            links: result.links.iter().map(|link| (link.name.clone(), LinkSummary::of(link))).collect(),
            autoscalers: result.autoscalers.iter().map(autoscaler_summary).collect(),
            faults: result.faults.iter().map(fault_summary).collect(),
        }
    }

    /// The directions of links with a bandwidth, with their names.
    pub fn lines(&self) -> impl Iterator<Item = (String, &LineSummary)> {
        self.links.iter().flat_map(|(name, link)| link.lines(name))
    }

    /// The same summary with the wall-clock duration of the run.
    #[must_use]
    pub const fn with_wall_seconds(mut self, seconds: f64) -> Self {
        self.wall_seconds = Some(seconds);
        self
    }
}

impl Latencies {
    fn of(sources: &[SourceResult]) -> Self {
        let mut all = Tally::default();
        let mut by_class: IndexMap<String, Tally> = IndexMap::new();
        for source in sources {
            all.merge(&source.latency);
            let own = source.labels.class.iter().map(|class| (class, &source.latency));
            let own = own.filter(|_| source.classes.is_empty());
            let of_trace = source.classes.iter().map(|(class, latency)| (class, latency));
            for (class, latency) in own.chain(of_trace) {
                by_class.entry(class.clone()).or_default().merge(latency);
            }
        }
        let by_source =
            sources.iter().map(|source| (source.name.clone(), DurationStats::of(&source.latency))).collect();
        let by_class =
            by_class.iter().map(|(class, tally)| (class.clone(), DurationStats::of(tally))).collect();
        let intended =
            |source: &SourceResult| Some((source.name.clone(), DurationStats::of(source.intended.as_ref()?)));
        let from_intended = sources.iter().filter_map(intended).collect();
        Self { all: DurationStats::of(&all), by_source, by_class, from_intended }
    }
}

fn source_summary(source: &SourceResult) -> (String, SourceSummary) {
    let summary = SourceSummary {
        class: source.labels.class.clone(),
        requests: source.outcomes,
        in_flight_mean: source.in_flight_mean,
    };
    (source.name.clone(), summary)
}

fn autoscaler_summary(record: &ScalingRecord) -> (String, AutoscalerSummary) {
    let change =
        |&Scaling { at, from, to, value }: &Scaling| ScalingSummary { at: at.as_seconds(), from, to, value };
    let summary = AutoscalerSummary {
        of: record.of.clone(),
        counts: record.counts,
        changes: record.changes.iter().map(change).collect(),
    };
    (record.name.clone(), summary)
}

fn fault_summary(fault: &FaultResult) -> (String, FaultSummary) {
    let seconds = fault.time.as_seconds();
    let summary = FaultSummary {
        of: fault.of.clone(),
        what: fault.what.clone(),
        count: fault.count,
        seconds,
        seconds_each: (fault.count > 0).then(|| seconds / fault.count as f64),
    };
    (fault.name.clone(), summary)
}

fn nodes(nodes: &[NodeResult], names: &Names) -> IndexMap<String, NodeSummary> {
    nodes.iter().map(|node| (node.name.clone(), NodeSummary::of(&node.figures, names))).collect()
}

fn groups(nodes: &[NodeResult], names: &Names) -> IndexMap<String, GroupSummary> {
    let mut members: IndexMap<&str, Vec<usize>> = IndexMap::new();
    for (index, node) in nodes.iter().enumerate() {
        if let Some(group) = names.group_of(node.node) {
            members.entry(group).or_default().push(index);
        }
    }
    let summary = |(name, members): (&str, Vec<usize>)| {
        let figures: Vec<&NodeFigures> = members.iter().map(|&index| &nodes[index].figures).collect();
        let figures = NodeSummary::of(&NodeFigures::of_all(&figures)?, names);
        Some((name.to_owned(), GroupSummary { figures, members }))
    };
    members.into_iter().filter_map(summary).collect()
}

/// Writes `offered`, the count of each outcome, and `in_flight`. All but the first add up to the first.
fn outcomes<S: Serializer>(counts: &OutcomeCounts, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("offered", &counts.offered)?;
    for (outcome, count) in counts.iter() {
        map.serialize_entry(outcome.name(), &count)?;
    }
    map.serialize_entry("in_flight", &counts.in_flight())?;
    map.end()
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn outcomes_of_calls<S: Serializer>(calls: &Option<OutcomeCounts>, serializer: S) -> Result<S::Ok, S::Error> {
    outcomes(&calls.unwrap_or_default(), serializer)
}

fn as_hexadecimal<S: Serializer>(fingerprint: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{fingerprint:016x}"))
}

fn as_number<S: Serializer>(members: &[usize], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(members.len() as u64)
}
