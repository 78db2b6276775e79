//! The input of all kinds of findings: a run station by station, with its scheduled periods.

use std::ops::Range;
use std::rc::Rc;

use indexmap::IndexMap;

use super::dispersion::dispersion;
use super::overload::sum;
use super::scheduled::{ScheduledPeriod, scheduled_periods};
use super::signal::SampledSeries;
use super::station::{ConstantSeries, Station};
use crate::engine::floor_to_usize;
use crate::engine::statistics::Tally;
use crate::engine::time::SimDuration;
use crate::event::Node;
use crate::metrics::result::RunResult;
use crate::model::source::SourceSpec;
use crate::request::OutcomeCounts;
use crate::scenario::Scenario;

/// Maximum number of phases that a run is divided into.
const MAX_PHASES: usize = 64;
/// Minimum length of a phase that begins because a station came or left, as a share of the run.
const MIN_PHASE_SHARE: f64 = 0.05;

/// Returns the position of the busiest station of each node, sorted by node.
fn positions(stations: &[Station<'_>]) -> Vec<(Node, usize)> {
    let positions = (0..).zip(stations).filter_map(|(position, station)| Some((station.node?, position)));
    let mut positions: Vec<(Node, usize)> = positions.collect();
    let utilization = |position: usize| stations[position].utilization.unwrap_or(0.0);
    positions.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| utilization(b.1).total_cmp(&utilization(a.1))));
    positions.dedup_by_key(|(node, _)| *node);
    positions
}

/// Whether the size of any message has no finite variance.
fn has_heavy_tailed_sizes(scenario: &Scenario) -> bool {
    let sizes = scenario.specs().flat_map(|(_, spec)| spec.sizes());
    sizes.filter_map(|size| size.resolve().ok()).any(|size| size.sd().is_infinite())
}

/// A run, prepared for analysis.
pub(super) struct RunContext<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) result: &'a RunResult,
    /// Width of an interval in seconds.
    pub(super) step: f64,
    /// Length of the run in seconds.
    pub(super) end: f64,
    /// Stations in the order of the scenario, those of links after those of nodes.
    pub(super) stations: Vec<Station<'a>>,
    /// Positions of the stations, sorted by node: of the busiest one of each node.
    positions: Vec<(Node, usize)>,
    /// Groups of stations: positions of their members, ascending.
    pub(super) groups: IndexMap<&'a str, Vec<usize>>,
    /// Scheduled periods of the workload and of its parts.
    pub(super) scheduled: Vec<ScheduledPeriod>,
    /// The times between scheduled changes in which requests are measured, as ranges of intervals: from the end of the
    /// warm-up to the last arrivals. A single one if there are very many changes.
    pub(super) phases: Vec<Range<usize>>,
    /// The same with a cut at each time at which a station came or left, however short the times between are. The rates of
    /// arrivals at stations are constant in them if those of the sources are.
    pub(super) steady_phases: Vec<Range<usize>>,
    /// The highest index of dispersion of the arrivals of a source (see [`dispersion`](super::dispersion)).
    pub(super) burstiness: f64,
    /// Cost of a failed request in seconds: the p99 latency of all completed requests.
    pub(super) failure_penalty: f64,
}

impl<'a> RunContext<'a> {
    pub(super) fn of(scenario: &'a Scenario, result: &'a RunResult) -> Self {
        let constants = Rc::new(ConstantSeries::new(result.timeline.intervals()));
        let mut stations = Vec::with_capacity(result.nodes.len());
        let is_recorded = scenario.sources.values().any(SourceSpec::gives_service_times);
        let of_node = |node| Station::all_of(result, node, is_recorded, &constants);
        stations.extend(result.nodes.iter().flat_map(of_node));
        let heavy_tailed = has_heavy_tailed_sizes(scenario);
        let lines = result.lines();
        stations.extend(lines.map(|line| Station::of_line(result, line, heavy_tailed, &constants)));
        let positions = positions(&stations);
        let mut groups: IndexMap<&str, Vec<usize>> = IndexMap::new();
        for (position, station) in stations.iter().enumerate() {
            if let Some(group) = station.group {
                groups.entry(group).or_default().push(position);
            }
        }
        let mut latency = Tally::default();
        result.sources.iter().for_each(|source| latency.merge(&source.latency));
        let slowest = latency.summarize().quantile(0.99);
        let context = Self {
            scenario,
            result,
            step: result.timeline.interval.as_seconds(),
            end: result.end.as_seconds(),
            stations,
            positions,
            groups,
            scheduled: scheduled_periods(scenario, result.names()),
            phases: Vec::new(),
            steady_phases: Vec::new(),
            burstiness: scenario
                .sources
                .values()
                .map(|source| source.arrivals.dispersion())
                .fold(0.0, f64::max),
            failure_penalty: slowest.map_or(1.0, |nanos| nanos as f64 / 1e9),
        };
        let phases =
            context.phases(MIN_PHASE_SHARE * context.end).unwrap_or_else(|| context.between(Vec::new()));
        let steady_phases = context.phases(0.0).unwrap_or_else(|| phases.clone());
        Self { phases, steady_phases, ..context }
    }

    /// Returns the times between changes of the system as ranges of intervals, or `None` if there are very many. These are
    /// the scheduled changes, except for those of the size of groups, which take effect as stations come and leave, and
    /// the times at which they did. Of the latter, those within `close` seconds of another change are left out: a group
    /// may grow by many stations, one by one.
    fn phases(&self, close: f64) -> Option<Vec<Range<usize>>> {
        let mut cuts = self.ends_of(|period| !period.is_of_group);
        let mut came_or_left: Vec<f64> = self.stations.iter().flat_map(Station::came_or_left).collect();
        came_or_left.sort_unstable_by(f64::total_cmp);
        for at in came_or_left {
            let next = cuts.partition_point(|cut| *cut <= at);
            let is_close = |cut: &f64| (at - cut).abs() <= close;
            if !cuts[next.saturating_sub(1)..].iter().take(2).any(is_close) {
                cuts.insert(next, at);
            }
        }
        let (from, to) = self.measured();
        cuts.retain(|at| (from..to).contains(at));
        (cuts.len() <= MAX_PHASES).then(|| self.between(cuts))
    }

    /// Returns the times between these cuts, in seconds, of the time in which requests are measured, as ranges of
    /// intervals.
    fn between(&self, cuts: Vec<f64>) -> Vec<Range<usize>> {
        let (from, to) = self.measured();
        let mut cuts: Vec<usize> =
            [from].into_iter().chain(cuts).chain([to]).map(|at| self.interval_at(at)).collect();
        cuts.dedup();
        cuts.windows(2).map(|pair| pair[0]..pair[1]).collect()
    }

    /// Returns the beginning and the end of the time in which requests are measured, in seconds.
    pub(super) fn measured(&self) -> (f64, f64) {
        (self.result.identity.measured_from.as_seconds(), self.last_arrivals())
    }

    /// Returns the outcome counts of all sources together.
    pub(super) fn outcomes(&self) -> OutcomeCounts {
        self.result.sources.iter().map(|source| source.outcomes).sum()
    }

    /// Returns the number of requests that all sources offered.
    pub(super) fn offered(&self) -> u64 {
        self.outcomes().offered
    }

    /// Returns the number of these stations that are up, by interval.
    pub(super) fn number_up(&self, rows: &[usize]) -> Vec<f64> {
        sum(rows.iter().map(|&row| self.stations[row].availability()))
    }

    /// Returns the index of dispersion of the arrivals at a station that random variation explains: the measured one, but
    /// at most that of the sources. What is higher may come from the very trouble that is looked for.
    pub(super) fn dispersion_by_chance(&self, arrivals: &[f64]) -> f64 {
        let counts: Vec<f64> = arrivals.iter().map(|rate| rate * self.step).collect();
        dispersion(&counts, &self.steady_phases).min(self.burstiness.max(1.0))
    }

    /// Returns the position of a node among the stations, or `None` if it is not a station.
    pub(super) fn position(&self, node: Option<Node>) -> Option<usize> {
        let node = node?;
        let at = self.positions.binary_search_by_key(&node, |(other, _)| *other).ok()?;
        Some(self.positions[at].1)
    }

    /// Returns the group of the node or station with this name, or `None` if it is not a member of a group.
    pub(super) fn group_of(&self, name: &str) -> Option<&'a str> {
        let names = self.result.names();
        let of_node = names.node_named(name).and_then(|node| names.group_of(node));
        let of_station = || self.stations.iter().find(|station| station.name == name)?.group;
        of_node.or_else(of_station)
    }

    /// Returns the name of the resource that a subject is one of: `cores` of `api cores`.
    pub(super) fn resource_of(&self, subject: &str) -> Option<&'a str> {
        let of_subject = |station: &&Station<'_>| {
            station.name == subject || station.group.is_some_and(|group| group == subject)
        };
        self.stations.iter().find(of_subject)?.resource(self.result.names())
    }

    /// Whether the sampled requests have different keys.
    pub(super) fn has_keys(&self) -> bool {
        self.result.sample.records.windows(2).any(|pair| pair[0].key != pair[1].key)
    }

    /// Returns the index of the interval boundary nearest to a time in seconds.
    pub(super) fn interval_at(&self, seconds: f64) -> usize {
        floor_to_usize(seconds / self.step + 0.5).min(self.result.timeline.intervals())
    }

    /// Returns the beginning of an interval in seconds.
    pub(super) fn time_of(&self, interval: usize) -> f64 {
        self.step * interval as f64
    }

    /// Returns the cost of a station in a range of intervals, in request-seconds: the waiting time of all requests, and
    /// the penalty for each rejected one.
    pub(super) fn cost(&self, station: usize, from: usize, to: usize) -> f64 {
        let station = &self.stations[station];
        let sum = |values: &[f64]| values[from.min(values.len())..to.min(values.len())].iter().sum::<f64>();
        // A node with several resources rejects a request once.
        let rejected = if station.is_first_of_node() { sum(station.rejections()) } else { 0.0 };
        self.step * (sum(station.queue()) + self.failure_penalty * rejected)
    }

    /// Returns a series with one value per interval.
    pub(super) fn sampled<'b>(&self, values: &'b [f64]) -> SampledSeries<'b> {
        SampledSeries { start: self.step / 2.0, step: self.step, values }
    }

    /// Returns the longest time for which any node keeps load reports, in seconds; 0 if no node uses them.
    pub(super) fn longest_window(&self) -> f64 {
        let routings = self.scenario.specs().filter_map(|(_, spec)| spec.routing());
        let windows = routings.filter_map(|routing| Some(routing.policy.load_feedback()?.window));
        windows.map(SimDuration::as_seconds).fold(0.0, f64::max)
    }

    /// Returns the time at which the last source stops, in seconds.
    pub(super) fn last_arrivals(&self) -> f64 {
        let Scenario { sources, arrivals_until, run_until, .. } = self.scenario;
        let stops = sources.values().map(|source| source.stop.or(*arrivals_until).unwrap_or(*run_until));
        stops.map(SimDuration::as_seconds).fold(0.0, f64::max).min(self.end)
    }

    /// Returns the beginnings and ends of the scheduled periods, in seconds, in ascending order.
    pub(super) fn changes(&self) -> Vec<f64> {
        self.ends_of(|_| true)
    }

    fn ends_of(&self, includes: impl Fn(&ScheduledPeriod) -> bool) -> Vec<f64> {
        let periods = self.scheduled.iter().filter(|period| includes(period));
        let ends = periods.flat_map(|period| std::iter::once(period.from).chain(period.to));
        let mut changes: Vec<f64> = ends.filter(|at| (0.0..self.end).contains(at)).collect();
        changes.sort_unstable_by(f64::total_cmp);
        changes.dedup();
        changes
    }
}
