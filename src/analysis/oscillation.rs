//! Oscillation: a gauge swings to and fro, more regularly or further than chance makes it; by whom it is driven, who swings
//! with it, and, where clients react to what they hear of loads, whether the delays of that loop explain its period.
//!
//! Whether a series oscillates is decided in [`signal::oscillation`](super::signal::oscillation); here it is decided which
//! series are asked, and what follows. A series alone does not tell how many requests it is made of: few of them swing as
//! they like, above all where services differ much. So what was found by a few swings has to be higher than chance
//! makes it. The work that n requests bring has a standard deviation of sqrt(n (1 + v)) services, v being their relative
//! variance (see [`overload`](super::overload)). A queue adds that up over half a cycle; a load shows it over a twelfth of
//! a cycle, about as much as swings are smoothed over. By the tail of the normal law, exp(-z^2 / 2), each swing is to have
//! a chance below one in 30 for each server that was searched through, besides that of the series.
//!
//! Measured: 3.4 standard deviations at least in 80 runs of `load_aware_routing.ron`, 2.9 at most in 8,000 runs in which
//! nothing oscillates, where a load shows up to 1.5.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::overload::sum;
use super::signal::oscillation::Method;
use super::signal::{Oscillation, detect, phase};
use super::station::Station;
use crate::model::metric::{
    ARRIVAL_RATE, Metric, PERCEIVED_LOAD, QUEUE_DEPTH, REJECTION_RATE, Subject, UTILIZATION, Unit,
};

mod feedback;

pub use feedback::LoopDelays;

/// Servers that are asked: those that cost the users most.
const MAX_SERVERS: usize = 12;
/// Probed series that are asked.
const MAX_PROBED: usize = 48;
/// Periods that differ by no more than this share are the same.
const SAME_PERIOD: f64 = 0.2;
/// A cycle in which fewer requests come is the coming and going of single requests: a server that gets one every two
/// seconds and works on it for one second does not oscillate.
const MIN_ARRIVALS: f64 = 10.0;
/// The same where a few cycles have to do: chance makes a tenth of so many.
const MIN_ARRIVALS_OF_FEW: f64 = 100.0;
/// Each swing of few has a chance below one in so many for each server that was searched through.
const ONE_IN: f64 = 30.0;
/// A load shows what comes within so much of a cycle.
const TWELFTH: f64 = 1.0 / 12.0;
/// The least heights, from trough to peak, that are worth a word: of a queue in requests, of a load as a share.
const MIN_HEIGHTS: [f64; 2] = [3.0, 0.1];
/// Other members of the group whose phase is told.
const MAX_PHASES: usize = 8;
/// A phase of less coherence is none.
const MIN_COHERENCE: f64 = 0.6;

/// The evidence for an oscillation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OscillationEvidence {
    /// The metric that swings, by its name in `series.csv`.
    pub gauge: String,
    /// Its unit.
    #[serde(skip)]
    pub unit: Unit,
    /// Mean time of a full cycle.
    pub period_seconds: f64,
    /// Half of the way from a trough to a peak, in the unit of the gauge.
    pub amplitude: f64,
    /// Full cycles that were seen.
    pub cycles: f64,
    /// 0 if it is sustained, towards 1 the faster it dies away, below 0 if it grows.
    pub damping_ratio: f64,
    /// Standard deviation of the periods by their mean.
    pub irregularity: f64,
    /// How likely noise is to do the like, at most.
    pub p_value: f64,
    /// How it was found: by its swings, or by autocorrelation and spectrum.
    pub method: &'static str,
    /// Autocorrelation one period away, where many cycles were seen.
    pub autocorrelation: Option<f64>,
    /// Power at its frequency by that of red noise, where many cycles were seen.
    pub spectral_ratio: Option<f64>,
    /// What makes it.
    pub driver: Driver,
    /// How others of its group swing with it.
    pub phases: Vec<PhaseEvidence>,
    /// The delays of the loop through the clients, if there is one.
    pub feedback: Option<LoopDelays>,
}

/// What makes an oscillation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// A source that swings with the same period forces it upon the system.
    Source(String),
    /// No source does: the system makes it itself.
    System,
}

/// How another member of the group swings.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseEvidence {
    /// The member.
    pub server: String,
    /// By how much of a cycle it is behind: above -180 up to 180; at 180 it is full when the other one is empty.
    pub degrees: f64,
    /// From 0, no relation, to 1.
    pub coherence: f64,
}

/// The oscillations of a run.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Finding> {
    let changes = context.changes();
    let slices = context.result.timeline.intervals();
    let used = (0..context.stations.len()).filter(|&row| context.stations[row].arrived > 0);
    let mut costs: Vec<(f64, usize)> = used.map(|row| (context.cost(row, 0, slices), row)).collect();
    costs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut findings: Vec<Finding> = Vec::new();
    for (_, row) in costs.iter().take(MAX_SERVERS) {
        findings.extend(of_server(context, *row, &changes));
    }
    findings.extend(of_groups(context, &changes, &findings));
    findings.extend(of_probes(context, &changes, &findings));
    let mut findings = one_for_each_group(context, findings);
    findings.truncate(MAX_SERVERS);
    findings
}

/// Members that swing together are one finding: that of the one that costs most, whose evidence tells of the others.
fn one_for_each_group(context: &RunContext<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let group = |finding: &Finding| context.group_of(&finding.subject);
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let same = |other: &Finding| {
            group(other).is_some() && group(other) == group(&finding) && have_same_period(other, &finding)
        };
        if !kept.iter().any(same) {
            kept.push(finding);
        }
    }
    kept
}

fn have_same_period(a: &Finding, b: &Finding) -> bool {
    match (&a.evidence, &b.evidence) {
        (Evidence::Oscillation(a), Evidence::Oscillation(b)) => are_same(a.period_seconds, b.period_seconds),
        (_, _) => false,
    }
}

fn are_same(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME_PERIOD * a.max(b)
}

/// The oscillation of a server: of its queue, else of its load.
fn of_server(context: &RunContext<'_>, row: usize, changes: &[f64]) -> Option<Finding> {
    let server = &context.stations[row];
    let metrics = [(&QUEUE_DEPTH, server.queue()), (&UTILIZATION, server.load())];
    let (metric, values, found) = metrics.into_iter().find_map(|(metric, values)| {
        let found = notable(context, &[row], metric, detect(&context.sampled(values), changes, None)?)?;
        Some((metric, values, found))
    })?;
    let evidence = OscillationEvidence {
        phases: phases(context, row, metric, values, &found),
        feedback: feedback::delays(context, row, &found),
        ..evidence(context, metric.name.to_owned(), metric.unit, &found)
    };
    let (from, to) = (context.interval_at(found.from), context.interval_at(found.to));
    Some(finding(server.name.to_owned(), &found, context.cost(row, from, to), evidence))
}

/// An oscillation of servers that is more than the coming and going of single requests.
fn notable(
    context: &RunContext<'_>,
    rows: &[usize],
    metric: &Metric,
    found: Oscillation,
) -> Option<Oscillation> {
    let (from, to) = (context.interval_at(found.from), context.interval_at(found.to));
    let arrivals = sum(rows.iter().map(|&row| context.stations[row].arrivals()));
    let meanwhile =
        arrivals[from.min(arrivals.len())..to.min(arrivals.len())].iter().sum::<f64>() * context.step;
    let [queue, load] = MIN_HEIGHTS;
    let least = if *metric == QUEUE_DEPTH { queue } else { load };
    let height = 2.0 * found.amplitude;
    let in_a_cycle = meanwhile / found.cycles;
    let is_notable = height >= least
        && match found.method {
            Method::ManyCycles => in_a_cycle >= MIN_ARRIVALS,
            Method::FewCycles => {
                in_a_cycle >= MIN_ARRIVALS_OF_FEW
                    && height > higher_than_chance(context, rows, metric, found.period, in_a_cycle)
            }
        };
    is_notable.then_some(found)
}

/// The height that chance does not give to the swings of so many arrivals each cycle.
fn higher_than_chance(
    context: &RunContext<'_>,
    rows: &[usize],
    metric: &Metric,
    period: f64,
    arrivals: f64,
) -> f64 {
    let servers = || rows.iter().map(|&row| &context.stations[row]);
    let variance = servers().map(|server| server.service_variance).fold(0.0, f64::max);
    let work = |part: f64| (part * arrivals * (1.0 + variance)).sqrt();
    let searched = context.stations.iter().filter(|server| server.arrived > 0).count();
    let bar = (2.0 * libm::log(ONE_IN * searched as f64)).sqrt();
    if *metric == QUEUE_DEPTH {
        bar * work(0.5)
    } else {
        // The loads of a group are added up: as many as members.
        let capacity = servers().filter_map(Station::capacity).sum::<f64>() * TWELFTH * period;
        bar * work(TWELFTH) / capacity * rows.len() as f64
    }
}

fn finding(subject: String, found: &Oscillation, cost: f64, evidence: OscillationEvidence) -> Finding {
    Finding::new(subject, Evidence::Oscillation(Box::new(evidence)))
        .during(found.from, found.to)
        .costing(cost)
}

/// The oscillations of whole groups, where none of a member was found.
fn of_groups(context: &RunContext<'_>, changes: &[f64], found: &[Finding]) -> Vec<Finding> {
    let groups = context.groups.iter().filter(|(_, rows)| rows.len() > 1);
    let silent = groups.filter(|(_, rows)| {
        !rows.iter().any(|&row| found.iter().any(|finding| finding.subject == context.stations[row].name))
    });
    let found = silent.filter_map(|(name, rows)| {
        let members = || rows.iter().map(|&row| &context.stations[row]);
        let metrics = [
            (&QUEUE_DEPTH, sum(members().map(Station::queue))),
            (&UTILIZATION, sum(members().map(Station::load))),
        ];
        metrics.into_iter().find_map(|(metric, values)| {
            let found = notable(context, rows, metric, detect(&context.sampled(&values), changes, None)?)?;
            let (from, to) = (context.interval_at(found.from), context.interval_at(found.to));
            let cost = rows.iter().map(|&row| context.cost(row, from, to)).sum();
            Some(finding(
                (*name).to_owned(),
                &found,
                cost,
                evidence(context, format!("sum of {}", metric.name), metric.unit, &found),
            ))
        })
    });
    found.collect()
}

/// The oscillations of what probes saw, where nothing else was found to swing.
fn of_probes(context: &RunContext<'_>, changes: &[f64], found: &[Finding]) -> Vec<Finding> {
    if !found.is_empty() {
        return Vec::new();
    }
    // What servers measure of themselves was asked already.
    let asked = [&QUEUE_DEPTH, &UTILIZATION, &ARRIVAL_RATE, &REJECTION_RATE];
    let series = context.result.series.iter().filter(|series| !asked.contains(&series.metric));
    let found = series.take(MAX_PROBED).filter_map(|series| {
        let [first, second] = series.samples.get(..2)? else { return None };
        let values: Vec<f64> = series.samples.iter().map(|(_, value)| *value).collect();
        let course = super::signal::SampledSeries {
            start: first.0.as_seconds(),
            step: second.0.since(first.0).as_seconds(),
            values: &values,
        };
        let memory = (*series.metric == PERCEIVED_LOAD).then(|| context.longest_memory());
        let found = detect(&course, changes, memory)?;
        let subject = series.node.clone();
        Some(finding(subject, &found, 0.0, evidence(context, series.name(), series.metric.unit, &found)))
    });
    found.take(1).collect()
}

fn evidence(context: &RunContext<'_>, gauge: String, unit: Unit, found: &Oscillation) -> OscillationEvidence {
    let finite = |value: f64| value.is_finite().then_some(value);
    OscillationEvidence {
        gauge,
        unit,
        period_seconds: found.period,
        amplitude: found.amplitude,
        cycles: found.cycles,
        damping_ratio: found.damping_ratio,
        irregularity: found.irregularity,
        p_value: found.p_value,
        method: match found.method {
            Method::FewCycles => "swings",
            Method::ManyCycles => "autocorrelation_and_spectrum",
        },
        autocorrelation: finite(found.hill),
        spectral_ratio: finite(found.spectral_ratio),
        driver: driver(context, found),
        phases: Vec::new(),
        feedback: None,
    }
}

/// The source that swings with the same period, by what it announces or by what it did; else the system.
fn driver(context: &RunContext<'_>, found: &Oscillation) -> Driver {
    let changes = context.changes();
    for (name, source) in &context.scenario.sources {
        let announced = source.arrivals.period().map(crate::engine::time::SimDuration::as_seconds);
        let did = || {
            let subject = Subject::Node(context.result.names().node_named(name)?);
            let course = context.result.timeline.find(subject, &ARRIVAL_RATE)?;
            let values: Vec<f64> = course.map(f64::from).collect();
            detect(&context.sampled(&values), &changes, None).map(|of_source| of_source.period)
        };
        if announced.or_else(did).is_some_and(|period| are_same(period, found.period)) {
            return Driver::Source(name.clone());
        }
    }
    Driver::System
}

/// How other members of the group swing with a server; those that do not are left out.
fn phases(
    context: &RunContext<'_>,
    row: usize,
    metric: &Metric,
    values: &[f64],
    found: &Oscillation,
) -> Vec<PhaseEvidence> {
    let group = context.stations[row].group.and_then(|group| context.groups.get(group));
    let others = group.into_iter().flatten().filter(|&&other| other != row).take(MAX_PHASES);
    let phases = others.filter_map(|&other| {
        let server = &context.stations[other];
        // Who has no queue may yet swing with its load.
        let candidates = [if *metric == QUEUE_DEPTH { server.queue() } else { server.load() }, server.load()];
        let best = candidates.iter().filter_map(|other| {
            phase::phase(
                &context.sampled(values),
                &context.sampled(other),
                found.period,
                found.from,
                found.to,
            )
        });
        let best = best.max_by(|a, b| a.coherence.total_cmp(&b.coherence))?;
        (best.coherence >= MIN_COHERENCE).then(|| PhaseEvidence {
            server: server.name.to_owned(),
            degrees: best.degrees,
            coherence: best.coherence,
        })
    });
    phases.collect()
}
