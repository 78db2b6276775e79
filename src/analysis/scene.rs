//! What all findings look at: the run server by server, with the changes of its workload.

use indexmap::IndexMap;

use super::announced::{self, Ability, Phase, phases};
use super::signal::Course;
use crate::engine::statistics::Tally;
use crate::engine::time::SimDuration;
use crate::engine::whole;
use crate::metrics::result::{NodeFigures, NodeResult, RunResult, ServerFigures};
use crate::metrics::timeline::Timeline;
use crate::model::server::{MEASURED_LOAD, QUEUE_DEPTH};
use crate::scenario::{NodeSpec, Scenario};

/// A run, laid out to be looked at.
pub(super) struct Scene<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) result: &'a RunResult,
    /// Width of a slice in seconds.
    pub(super) step: f64,
    /// Length of the run in seconds.
    pub(super) end: f64,
    /// Servers in the order of their rows.
    pub(super) servers: Vec<ServerView<'a>>,
    /// Rows of servers by their names.
    rows: IndexMap<&'a str, usize>,
    /// Groups of servers: rows of their members, ascending.
    pub(super) groups: IndexMap<&'a str, Vec<usize>>,
    /// Announced changes of the workload.
    pub(super) phases: Vec<Phase>,
    /// How long the slowest one in a hundred of all completed requests took, in seconds: the price of a failure.
    pub(super) price: f64,
}

/// A server and where its courses lie.
pub(super) struct ServerView<'a> {
    pub(super) name: &'a str,
    pub(super) group: Option<&'a str>,
    pub(super) figures: &'a ServerFigures,
    /// Seconds that a request is served on average.
    pub(super) service: f64,
    /// Relative variance of the service time.
    pub(super) service_variance: f64,
    timeline: &'a Timeline,
    /// What it can do from change to change; nothing if that stays the same.
    abilities: Vec<Ability>,
}

impl<'a> Scene<'a> {
    pub(super) fn of(scenario: &'a Scenario, result: &'a RunResult) -> Self {
        let timeline = &result.timeline;
        let servers: Vec<_> =
            result.nodes.iter().filter_map(|node| ServerView::of(scenario, node, timeline)).collect();
        let rows = (0..).zip(&servers).map(|(row, server)| (server.name, row)).collect();
        let mut groups: IndexMap<&str, Vec<usize>> = IndexMap::new();
        for (row, server) in servers.iter().enumerate() {
            if let Some(group) = server.group {
                groups.entry(group).or_default().push(row);
            }
        }
        let mut latency = Tally::default();
        result.sources.iter().for_each(|source| latency.merge(&source.latency));
        let price = latency.quantiles().quantile(0.99).map_or(1.0, |nanos| nanos as f64 / 1e9);
        Self {
            scenario,
            result,
            step: timeline.slice.as_seconds(),
            end: result.end.as_seconds(),
            servers,
            rows,
            groups,
            phases: phases(scenario),
            price,
        }
    }

    /// Requests that were offered to the whole system.
    pub(super) fn offered(&self) -> u64 {
        self.result.sources.iter().map(|source| source.fates.offered).sum()
    }

    /// The group of the server of this name, if it is one of a group.
    pub(super) fn group_of(&self, server: &str) -> Option<&'a str> {
        self.rows.get(server).and_then(|&row| self.servers[row].group)
    }

    /// Whether requests ask for different keys.
    pub(super) fn has_keys(&self) -> bool {
        self.result.sample.records.windows(2).any(|pair| pair[0].key != pair[1].key)
    }

    /// Where in the series the time of some seconds lies.
    pub(super) fn slice_at(&self, seconds: f64) -> usize {
        whole(seconds / self.step + 0.5).min(self.result.timeline.slices())
    }

    /// The beginning of a slice in seconds.
    pub(super) fn time_of(&self, slice: usize) -> f64 {
        self.step * slice as f64
    }

    /// What requests waited at a server from one slice to another, in request-seconds, and the price of those that it
    /// rejected.
    pub(super) fn cost(&self, row: usize, from: usize, to: usize) -> f64 {
        let server = &self.servers[row];
        let sum = |values: Vec<f64>| values[from.min(values.len())..to.min(values.len())].iter().sum::<f64>();
        self.step * (sum(server.queue()) + self.price * sum(server.rejections()))
    }

    /// A series of a value for each slice.
    pub(super) fn course<'b>(&self, values: &'b [f64]) -> Course<'b> {
        Course { start: self.step / 2.0, step: self.step, values }
    }

    /// Names and groups of the clients, in the order of their rows.
    pub(super) fn clients(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let clients = self.result.nodes.iter().filter(|node| match node.figures {
            NodeFigures::Client { .. } => true,
            NodeFigures::LoadBalancer { .. } | NodeFigures::Server(_) => false,
        });
        clients.map(|node| (node.name.as_str(), node.group.as_deref()))
    }

    /// The longest time that any client remembers loads, in seconds; 0 if none does.
    pub(super) fn longest_memory(&self) -> f64 {
        let windows = self.scenario.nodes.values().filter_map(|node| match node {
            NodeSpec::Client(client) => client.routing.memory(),
            NodeSpec::LoadBalancer(_) | NodeSpec::Server(_) => None,
        });
        windows.map(SimDuration::as_seconds).fold(0.0, f64::max)
    }

    /// When the last source stops.
    pub(super) fn last_arrivals(&self) -> f64 {
        let Scenario { sources, arrivals_until, run_until, .. } = self.scenario;
        let stops = sources.values().map(|source| source.stop.or(*arrivals_until).unwrap_or(*run_until));
        stops.map(SimDuration::as_seconds).fold(0.0, f64::max).min(self.end)
    }

    /// Moments at which the workload is announced to change, in seconds, ascending.
    pub(super) fn changes(&self) -> Vec<f64> {
        let ends = self.phases.iter().flat_map(|phase| std::iter::once(phase.from).chain(phase.to));
        let mut changes: Vec<f64> = ends.filter(|at| (0.0..self.end).contains(at)).collect();
        changes.sort_unstable_by(f64::total_cmp);
        changes.dedup();
        changes
    }
}

impl<'a> ServerView<'a> {
    fn of(scenario: &Scenario, node: &'a NodeResult, timeline: &'a Timeline) -> Option<Self> {
        let NodeFigures::Server(figures) = &node.figures else { return None };
        let service = figures.service.quantiles();
        let mean = service.mean().unwrap_or(0.0);
        let relative = service.sd().filter(|_| mean > 0.0).map_or(0.0, |sd| sd / mean);
        Some(Self {
            name: &node.name,
            group: node.group.as_deref(),
            figures,
            service: mean / 1e9,
            service_variance: relative * relative,
            timeline,
            abilities: announced::abilities(scenario, &node.name, node.group.as_deref()),
        })
    }

    fn course(&self, measure: &str) -> Vec<f64> {
        let course = self.timeline.of_server(self.figures.row, measure);
        course.map_or_else(Vec::new, |course| course.map(f64::from).collect())
    }

    /// Requests that waited.
    pub(super) fn queue(&self) -> Vec<f64> {
        self.course(QUEUE_DEPTH)
    }

    /// The share of slots in use.
    pub(super) fn load(&self) -> Vec<f64> {
        self.course(MEASURED_LOAD)
    }

    /// Arrivals a second.
    pub(super) fn arrivals(&self) -> Vec<f64> {
        self.course("arrival_rate")
    }

    /// Rejections a second.
    pub(super) fn rejections(&self) -> Vec<f64> {
        self.course("rejection_rate")
    }

    /// Slots; on average if there were not always as many.
    pub(super) fn slots(&self) -> f64 {
        let mean = self.figures.slots_mean.filter(|slots| *slots > 0.0 && !self.abilities.is_empty());
        mean.unwrap_or(f64::from(self.figures.concurrency))
    }

    /// Requests a second that it can serve, slice by slice; nothing if it never served one.
    pub(super) fn capacities(&self) -> Option<Vec<f64>> {
        let capacity = self.capacity()?;
        let (slices, step) = (self.timeline.slices(), self.timeline.slice.as_seconds());
        Some(if self.abilities.is_empty() {
            vec![capacity; slices]
        } else {
            announced::course(&self.abilities, slices, step, Ability::capacity)
        })
    }

    /// Whether it is up, or down, all the time from one slice to another.
    pub(super) fn is_steady(&self, from: usize, to: usize) -> bool {
        let presence = self.presence();
        let those = &presence[from.min(presence.len())..to.min(presence.len())];
        self.abilities.is_empty() || those.windows(2).all(|pair| pair[0].to_bits() == pair[1].to_bits())
    }

    /// Seconds that a request waits behind so many others in some spells of slices.
    pub(super) fn wait_behind(&self, depth: f64, spells: &[(usize, usize)]) -> f64 {
        let capacities = self.capacities().filter(|_| !self.abilities.is_empty()).unwrap_or_default();
        let those: Vec<f64> = spells
            .iter()
            .flat_map(|&(from, to)| &capacities[from.min(capacities.len())..to.min(capacities.len())])
            .copied()
            .collect();
        let capacity = those.iter().sum::<f64>() / those.len() as f64;
        if capacity > 0.0 { depth / capacity } else { depth * self.service / self.slots() }
    }

    /// The share of each slice in which it is up.
    pub(super) fn presence(&self) -> Vec<f64> {
        let (slices, step) = (self.timeline.slices(), self.timeline.slice.as_seconds());
        if self.abilities.is_empty() {
            return vec![1.0; slices];
        }
        announced::course(&self.abilities, slices, step, Ability::presence)
    }

    /// Arrivals a second, but for those that were turned away because it was down.
    pub(super) fn offered(&self) -> Vec<f64> {
        let mut arrivals = self.arrivals();
        if !self.abilities.is_empty() {
            let refused = self.rejections();
            for ((rate, refused), up) in arrivals.iter_mut().zip(refused).zip(self.presence()) {
                *rate = if up < 1.0 { (*rate - refused).max(0.0) } else { *rate };
            }
        }
        arrivals
    }

    /// Requests a second that it can serve; nothing if it never served one.
    pub(super) fn capacity(&self) -> Option<f64> {
        (self.service > 0.0).then(|| self.slots() / self.service)
    }
}
