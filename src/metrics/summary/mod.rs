//! The summary: the figures of a run, typed and in seconds, as people and programs get to read them.
//!
//! The names and the order of the fields are those of `summary.json`: serialised, a [`Summary`] is that file. What does
//! not exist is `None`, never 0. How long a run took is told by whoever called it, for a run reads no clock: it is the
//! only thing in which two equal runs differ.

mod latency;
mod node;

use indexmap::IndexMap;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

pub use latency::DurationStats;
pub use node::{NodeSummary, SummaryValue};

use super::figures::NodeFigures;
use super::result::{NodeResult, RunResult, SourceResult};
use crate::engine::statistics::Tally;
use crate::engine::time::SimTime;
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
    /// Version of rushhour.
    pub version: &'static str,
    /// Length of the run in virtual time.
    pub virtual_seconds: f64,
    /// End of the warm-up, if there was one: latencies, waiting times and means over time begin here.
    pub measured_from_seconds: Option<f64>,
    /// How long the run took, if somebody looked at the clock.
    pub wall_seconds: Option<f64>,
    /// Events handled.
    pub events: u64,
    /// Hash over all events: two runs are the same run if it agrees.
    #[serde(serialize_with = "as_hexadecimal")]
    pub fingerprint: u64,
    /// What became of all requests.
    #[serde(serialize_with = "outcomes")]
    pub requests: OutcomeCounts,
    /// Time from creation to response of completed requests.
    pub latency: Latencies,
    /// The sources, in the order of the scenario.
    pub sources: IndexMap<String, SourceSummary>,
    /// The nodes, in the order of the scenario.
    pub nodes: IndexMap<String, NodeSummary>,
    /// The groups, in the order of the scenario.
    pub groups: IndexMap<String, GroupSummary>,
    /// The links, in the order of the scenario.
    pub links: IndexMap<String, LinkSummary>,
}

/// Latencies of all completed requests, and of parts of them.
#[derive(Clone, Debug, Serialize)]
pub struct Latencies {
    /// All.
    pub all: DurationStats,
    /// By source, in the order of the scenario.
    pub by_source: IndexMap<String, DurationStats>,
    /// By class, in the order of first mention; nothing where no source has a class.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub by_class: IndexMap<String, DurationStats>,
}

/// What a source has seen.
#[derive(Clone, Debug, Serialize)]
pub struct SourceSummary {
    /// Its class.
    pub class: Option<String>,
    /// What became of its requests.
    #[serde(flatten, serialize_with = "outcomes")]
    pub requests: OutcomeCounts,
    /// Mean number of its requests under way.
    pub in_flight_mean: Option<f64>,
}

/// The figures of a group: see [`Figure`](crate::model::figure::Figure) for how those of its members become one.
#[derive(Clone, Debug, Serialize)]
pub struct GroupSummary {
    /// The figures.
    #[serde(flatten)]
    pub figures: NodeSummary,
    /// Its members, as positions among the nodes; their number where this is written.
    #[serde(serialize_with = "as_number")]
    pub members: Vec<usize>,
}

/// What a link has seen, in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LinkSummary {
    /// Messages.
    pub sent: u64,
    /// Messages that were lost.
    pub lost: u64,
}

impl Summary {
    /// The figures of a run.
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
            wall_seconds: None,
            events: result.events,
            fingerprint: result.fingerprint,
            requests: result.sources.iter().map(|source| source.outcomes).sum(),
            latency: Latencies::of(&result.sources),
            sources: result.sources.iter().map(source_summary).collect(),
            nodes: nodes(&result.nodes, result.names()),
            groups: groups(&result.nodes, result.names()),
            links: result
                .links
                .iter()
                .map(|link| (link.name.clone(), LinkSummary { sent: link.sent, lost: link.lost }))
                .collect(),
        }
    }

    /// The same with the time that the run took.
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
            if let Some(class) = &source.labels.class {
                by_class.entry(class.clone()).or_default().merge(&source.latency);
            }
        }
        let by_source =
            sources.iter().map(|source| (source.name.clone(), DurationStats::of(&source.latency))).collect();
        let by_class =
            by_class.iter().map(|(class, tally)| (class.clone(), DurationStats::of(tally))).collect();
        Self { all: DurationStats::of(&all), by_source, by_class }
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

/// Requests by what became of them: all but the first add up to the first.
fn outcomes<S: Serializer>(counts: &OutcomeCounts, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("offered", &counts.offered)?;
    for (outcome, count) in counts.iter() {
        map.serialize_entry(outcome.name(), &count)?;
    }
    map.serialize_entry("in_flight", &counts.in_flight())?;
    map.end()
}

fn as_hexadecimal<S: Serializer>(fingerprint: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{fingerprint:016x}"))
}

fn as_number<S: Serializer>(members: &[usize], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(members.len() as u64)
}
