//! The summary: the figures of a run, typed and in seconds, as people and programs get to read them.
//!
//! The names and the order of the fields are those of `summary.json`: serialised, a [`Summary`] is that file. What does
//! not exist is `None`, never 0. How long a run took is told by whoever called it, for a run reads no clock: it is the
//! only thing in which two equal runs differ.

mod latency;
mod node;

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

pub use latency::Latency;
pub use node::{ClientSummary, LoadBalancerSummary, NodeSummary, ServerSummary};

use super::result::{NodeFigures, NodeResult, RunResult, SourceResult};
use crate::engine::statistics::Tally;
use crate::engine::time::SimTime;
use crate::model::source::Fates;
use crate::request::Outcome;

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
    pub requests: FateCounts,
    /// Time from birth to response of completed requests.
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

/// What became of requests: all but the first add up to the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FateCounts {
    /// Requests that were born.
    pub offered: u64,
    /// Served, and the response came back.
    pub completed: u64,
    /// Some server had no room.
    pub rejected: u64,
    /// The client waited no longer.
    pub timed_out: u64,
    /// A link lost the request or its response.
    pub dropped: u64,
    /// Turned away on purpose.
    pub shed: u64,
    /// Not over when the run was.
    pub in_flight: u64,
}

/// Latencies of all completed requests, and of parts of them.
#[derive(Clone, Debug, Serialize)]
pub struct Latencies {
    /// All.
    pub all: Latency,
    /// By source, in the order of the scenario.
    pub by_source: IndexMap<String, Latency>,
    /// By class, in the order of first mention; nothing where no source has a class.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub by_class: IndexMap<String, Latency>,
}

/// What a source has seen.
#[derive(Clone, Debug, Serialize)]
pub struct SourceSummary {
    /// Its class.
    pub class: Option<String>,
    /// What became of its requests.
    #[serde(flatten)]
    pub requests: FateCounts,
    /// Mean number of its requests under way.
    pub in_flight_mean: Option<f64>,
}

/// The figures of a group: see [`NodeSummary::of`] for how those of its members become one.
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
        let mut fates = Fates::default();
        result.sources.iter().for_each(|source| fates.add(&source.fates));
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
            requests: FateCounts::of(&fates),
            latency: Latencies::of(&result.sources),
            sources: result.sources.iter().map(source_summary).collect(),
            nodes: nodes(&result.nodes),
            groups: groups(&result.nodes),
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

impl FateCounts {
    fn of(fates: &Fates) -> Self {
        Self {
            offered: fates.offered,
            completed: fates.of(Outcome::Completed),
            rejected: fates.of(Outcome::Rejected),
            timed_out: fates.of(Outcome::TimedOut),
            dropped: fates.of(Outcome::Dropped),
            shed: fates.of(Outcome::Shed),
            in_flight: fates.in_flight(),
        }
    }
}

impl Latencies {
    fn of(sources: &[SourceResult]) -> Self {
        let mut all = Tally::default();
        let mut by_class: IndexMap<String, Tally> = IndexMap::new();
        for source in sources {
            all.merge(&source.latency);
            if let Some(class) = &source.class {
                by_class.entry(class.clone()).or_default().merge(&source.latency);
            }
        }
        let by_source =
            sources.iter().map(|source| (source.name.clone(), Latency::of(&source.latency))).collect();
        let by_class = by_class.iter().map(|(class, tally)| (class.clone(), Latency::of(tally))).collect();
        Self { all: Latency::of(&all), by_source, by_class }
    }
}

fn source_summary(source: &SourceResult) -> (String, SourceSummary) {
    let summary = SourceSummary {
        class: source.class.clone(),
        requests: FateCounts::of(&source.fates),
        in_flight_mean: source.in_flight_mean,
    };
    (source.name.clone(), summary)
}

fn nodes(nodes: &[NodeResult]) -> IndexMap<String, NodeSummary> {
    nodes.iter().map(|node| (node.name.clone(), NodeSummary::of(&node.figures, &[]))).collect()
}

fn groups(nodes: &[NodeResult]) -> IndexMap<String, GroupSummary> {
    let mut members: IndexMap<&str, Vec<usize>> = IndexMap::new();
    for (index, node) in nodes.iter().enumerate() {
        if let Some(group) = &node.group {
            members.entry(group).or_default().push(index);
        }
    }
    members
        .into_iter()
        .filter_map(|(name, members)| {
            let (first, rest) = members.split_first()?;
            let rest: Vec<&NodeFigures> = rest.iter().map(|&index| &nodes[index].figures).collect();
            let figures = NodeSummary::of(&nodes[*first].figures, &rest);
            Some((name.to_owned(), GroupSummary { figures, members }))
        })
        .collect()
}

fn as_hexadecimal<S: Serializer>(fingerprint: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{fingerprint:016x}"))
}

fn as_number<S: Serializer>(members: &[usize], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(members.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimDuration;
    use crate::metrics::result::{RunIdentity, ServerFigures};
    use crate::metrics::timeline::Timeline;
    use crate::request::Sample;

    fn server(concurrency: u32, waits: &[u64]) -> NodeFigures {
        let mut wait = Tally::default();
        waits.iter().for_each(|&nanos| wait.record(nanos));
        NodeFigures::Server(Box::new(ServerFigures {
            concurrency,
            slots_mean: Some(f64::from(concurrency)),
            arrived: 10,
            completed: 7,
            rejected: 3,
            refused: 0,
            lost: 0,
            utilization: Some(0.5),
            in_flight_mean: Some(0.5 * f64::from(concurrency)),
            queue_depth_mean: Some(f64::from(concurrency)),
            queue_depth_max: 5 * concurrency,
            wait,
            service: Tally::default(),
            row: concurrency as usize,
        }))
    }

    fn result() -> RunResult {
        let node = |name: &str, group: Option<&str>, figures| NodeResult {
            name: name.to_owned(),
            group: group.map(str::to_owned),
            figures,
        };
        let source = |name: &str, class: Option<&str>, latency: u64| SourceResult {
            name: name.to_owned(),
            class: class.map(str::to_owned),
            priority: 0,
            weight: 1,
            fates: Fates { offered: 5, ended: [1, 1, 0, 1, 0] },
            latency: {
                let mut tally = Tally::default();
                tally.record(latency);
                tally
            },
            in_flight_mean: None,
        };
        RunResult {
            identity: RunIdentity { scenario: "s".to_owned(), seed: 7, ..RunIdentity::default() },
            end: SimTime::ZERO + SimDuration::from_seconds(3),
            events: 12,
            fingerprint: 0xab,
            sources: vec![source("a", Some("gold"), 1_000_000_000), source("b", None, 3_000_000_000)],
            nodes: vec![
                node("web-0", Some("web"), server(1, &[1_000_000_000])),
                node("other", None, server(1, &[])),
                node("web-1", Some("web"), server(3, &[2_000_000_000, 3_000_000_000])),
            ],
            links: vec![],
            series: vec![],
            timeline: Timeline::default(),
            requests: vec![],
            sample: Sample::default(),
            server_names: vec![],
        }
    }

    #[test]
    fn a_group_is_the_sum_of_its_members_where_sums_mean_something() {
        let summary = Summary::of(&result());
        assert_eq!(summary.groups.len(), 1);
        let group = &summary.groups["web"];
        assert_eq!(group.members, [0, 2]);
        let NodeSummary::Server(web) = &group.figures else { panic!("a group of servers") };
        assert_eq!((web.concurrency, web.arrived, web.completed, web.rejected), (4, 20, 14, 6));
        assert_eq!((web.in_flight_mean, web.utilization), (Some(2.0), Some(0.5)));
        assert_eq!((web.queue_depth_mean, web.queue_depth_max), (Some(2.0), 15));
        assert_eq!((web.wait.count, web.wait.mean, web.wait.max), (3, Some(2.0), Some(3.0)));
        assert_eq!((web.service.count, web.service.mean), (0, None));
        assert_eq!(web.rows, [1, 3]);
    }

    #[test]
    fn fates_and_latencies_are_added_up_over_sources_and_classes() {
        let summary = Summary::of(&result());
        let FateCounts { offered, completed, rejected, dropped, in_flight, .. } = summary.requests;
        assert_eq!((offered, completed, rejected, dropped, in_flight), (10, 2, 2, 2, 4));
        assert_eq!((summary.latency.all.count, summary.latency.all.mean), (2, Some(2.0)));
        assert_eq!(summary.latency.by_class.keys().collect::<Vec<_>>(), ["gold"]);
        assert_eq!(summary.latency.by_source["b"].p50, Some(3.0));
    }

    #[test]
    fn what_does_not_exist_is_null_and_the_fingerprint_is_text() {
        let json = serde_json::to_value(Summary::of(&result())).expect("a summary is JSON");
        assert_eq!(json["fingerprint"], "00000000000000ab");
        assert!(json["wall_seconds"].is_null() && json["measured_from_seconds"].is_null());
        assert!(json["latency"]["all"]["sd"].is_f64() && json["latency"]["by_source"]["a"]["sd"].is_null());
        assert_eq!(json["nodes"]["web-0"]["kind"], "server");
        assert_eq!(
            (&json["groups"]["web"]["kind"], &json["groups"]["web"]["members"]),
            (&"server".into(), &2.into())
        );
    }
}
