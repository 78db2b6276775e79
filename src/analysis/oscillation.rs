//! Oscillation: a metric swings more regularly, or further, than random variation explains. The evidence names the
//! driver and the other servers that swing with it. For load-aware clients it also contains the delays of their
//! feedback loop, which may explain the period.
//!
//! [`signal::oscillation`](super::signal::oscillation) decides whether a series oscillates; this module selects the
//! series and derives the evidence. A series alone does not show how many requests it consists of, and a few requests
//! vary at random, above all if service times differ much. So an oscillation of few cycles also has to be higher than
//! random variation explains. The work of n requests has a standard deviation of sqrt(n (1 + v)) services, where v is
//! the relative variance of service times (see [`overload`](super::overload)). A queue accumulates it over half a
//! cycle, a utilization over a twelfth of a cycle, about the width over which swings are smoothed. By the tail of the
//! normal distribution, exp(-z^2 / 2), the probability of each swing has to be below 1 in 30 divided by the number of
//! servers searched, in addition to the test of the series.
//!
//! Measured: at least 3.4 standard deviations in 80 runs of `load_aware_routing.ron`; in 8,000 runs without an
//! oscillation at most 2.9, and at most 1.5 for utilizations.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::overload::sum;
use super::signal::oscillation::Method;
use super::signal::{Oscillation, detect, phase};
use super::station::Station;
use crate::model::metric::{
    ARRIVAL_RATE, COMPLETION_RATE, IN_FLIGHT, Metric, PERCEIVED_LOAD, QUEUE_DEPTH, REJECTION_RATE, Subject,
    UTILIZATION, Unit,
};
use crate::model::probe::Series;

mod feedback;

pub use feedback::LoopDelays;

/// Maximum number of servers that are analysed: the costliest ones.
const MAX_SERVERS: usize = 12;
/// Maximum number of probed series that are analysed.
const MAX_PROBED: usize = 48;
/// Maximum difference between periods that count as the same, as a share of the longer one.
const MAX_PERIOD_DIFFERENCE: f64 = 0.2;
/// Minimum number of arrivals in a cycle. With fewer, the series shows single requests: a server that gets a request
/// every two seconds and serves it for one second does not oscillate.
const MIN_ARRIVALS: f64 = 10.0;
/// Minimum number of arrivals in a cycle if there are few cycles: its random variation is about a tenth.
const MIN_ARRIVALS_FEW_CYCLES: f64 = 100.0;
/// Inverse of the maximum probability of each swing if there are few cycles, before the number of servers is
/// considered.
const ONE_IN: f64 = 30.0;
/// Part of a cycle over which a utilization accumulates random variation.
const TWELFTH: f64 = 1.0 / 12.0;
/// Minimum heights from trough to peak: of a queue in requests, of a utilization as a share.
const MIN_HEIGHTS: [f64; 2] = [3.0, 0.1];
/// Maximum number of other members of the group whose phase is analysed.
const MAX_PHASES: usize = 8;
/// Minimum coherence of a phase.
const MIN_COHERENCE: f64 = 0.6;

/// The evidence for an oscillation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OscillationEvidence {
    /// Name of the metric that oscillates, as in `series.csv`.
    pub gauge: String,
    /// Its unit.
    #[serde(skip)]
    pub unit: Unit,
    /// Mean length of a full cycle.
    pub period_seconds: f64,
    /// Half the height from trough to peak, in the unit of the metric.
    pub amplitude: f64,
    /// Number of cycles.
    pub cycles: f64,
    /// 0 if it is sustained, positive (up to 1) if it decays, negative if it grows.
    pub damping_ratio: f64,
    /// Standard deviation of the periods over their mean.
    pub irregularity: f64,
    /// Upper bound on the probability that noise looks like this.
    pub p_value: f64,
    /// Detection method: `swings` or `autocorrelation_and_spectrum`.
    pub method: &'static str,
    /// Autocorrelation at a lag of one period; `None` for few cycles.
    pub autocorrelation: Option<f64>,
    /// Power at its frequency over that of red noise; `None` for few cycles.
    pub spectral_ratio: Option<f64>,
    /// The cause.
    pub driver: Driver,
    /// Phases of other members of its group that oscillate with it.
    pub phases: Vec<PhaseEvidence>,
    /// Delays of the feedback loop through the clients, or `None` without such a loop.
    pub feedback: Option<LoopDelays>,
}

/// The cause of an oscillation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// A source that has the same period.
    Source(String),
    /// No source has the period: the oscillation arises inside the system.
    System,
}

/// The phase of another member of the group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PhaseEvidence {
    /// Name of the member.
    pub server: String,
    /// Degrees of a cycle by which it lags, above -180 and up to 180. At 180 it is at its peak when the other is at its
    /// trough.
    pub degrees: f64,
    /// Coherence, from 0 (unrelated) to 1.
    pub coherence: f64,
}

/// Returns the oscillations of a run.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Finding> {
    let changes = context.changes();
    let intervals = context.result.timeline.intervals();
    let used = (0..context.stations.len()).filter(|&row| context.stations[row].arrived > 0);
    let mut costs: Vec<(f64, usize)> = used.map(|row| (context.cost(row, 0, intervals), row)).collect();
    costs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut findings: Vec<Finding> = Vec::new();
    for (_, row) in costs.iter().take(MAX_SERVERS) {
        findings.extend(of_server(context, *row, &changes));
    }
    findings.extend(of_groups(context, &changes, &findings));
    findings.extend(of_probes(context, &changes, &findings));
    let mut findings = one_per_group(context, findings);
    findings.truncate(MAX_SERVERS);
    findings
}

/// Keeps one finding per group and period: that of the costliest member, whose evidence contains the phases of the
/// others.
fn one_per_group(context: &RunContext<'_>, findings: Vec<Finding>) -> Vec<Finding> {
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
        (Evidence::Oscillation(a), Evidence::Oscillation(b)) => {
            are_same_period(a.period_seconds, b.period_seconds)
        }
        (_, _) => false,
    }
}

fn are_same_period(a: f64, b: f64) -> bool {
    (a - b).abs() <= MAX_PERIOD_DIFFERENCE * a.max(b)
}

/// Returns the oscillation of a server: of its queue, or else of its utilization.
fn of_server(context: &RunContext<'_>, row: usize, changes: &[f64]) -> Option<Finding> {
    let server = &context.stations[row];
    let metrics = [(&QUEUE_DEPTH, server.queue()), (&UTILIZATION, server.load())];
    let (metric, values, oscillation) = metrics.into_iter().find_map(|(metric, values)| {
        let oscillation = notable(context, &[row], metric, detect(&context.sampled(values), changes, None)?)?;
        Some((metric, values, oscillation))
    })?;
    let evidence = OscillationEvidence {
        phases: phases(context, row, metric, values, &oscillation),
        feedback: feedback::delays(context, row, &oscillation),
        ..evidence(context, metric.name.to_owned(), metric.unit, &oscillation)
    };
    let (from, to) = (context.interval_at(oscillation.from), context.interval_at(oscillation.to));
    Some(finding(server.name.to_owned(), &oscillation, context.cost(row, from, to), evidence))
}

/// Returns an oscillation of servers if it is higher and consists of more requests than single requests or random
/// variation explain.
fn notable(
    context: &RunContext<'_>,
    rows: &[usize],
    metric: &Metric,
    oscillation: Oscillation,
) -> Option<Oscillation> {
    let (from, to) = (context.interval_at(oscillation.from), context.interval_at(oscillation.to));
    let arrivals = sum(rows.iter().map(|&row| context.stations[row].arrivals()));
    let arrived =
        arrivals[from.min(arrivals.len())..to.min(arrivals.len())].iter().sum::<f64>() * context.step;
    let [queue, load] = MIN_HEIGHTS;
    let min_height = if *metric == QUEUE_DEPTH { queue } else { load };
    let height = 2.0 * oscillation.amplitude;
    let arrivals_per_cycle = arrived / oscillation.cycles;
    let is_notable = height >= min_height
        && match oscillation.method {
            Method::ManyCycles => arrivals_per_cycle >= MIN_ARRIVALS,
            Method::FewCycles => {
                arrivals_per_cycle >= MIN_ARRIVALS_FEW_CYCLES
                    && height
                        > higher_than_chance(context, rows, metric, oscillation.period, arrivals_per_cycle)
            }
        };
    is_notable.then_some(oscillation)
}

/// Returns the height that random variation does not reach, given the arrivals per cycle.
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
    let z = (2.0 * libm::log(ONE_IN * searched as f64)).sqrt();
    if *metric == QUEUE_DEPTH {
        z * work(0.5)
    } else {
        // The utilization of a group is the sum over its members.
        let capacity = servers().filter_map(Station::capacity).sum::<f64>() * TWELFTH * period;
        z * work(TWELFTH) / capacity * rows.len() as f64
    }
}

fn finding(subject: String, oscillation: &Oscillation, cost: f64, evidence: OscillationEvidence) -> Finding {
    Finding::new(subject, Evidence::Oscillation(Box::new(evidence)))
        .during(oscillation.from, oscillation.to)
        .costing(cost)
}

/// Returns the oscillations of whole groups of which no member has an oscillation.
fn of_groups(context: &RunContext<'_>, changes: &[f64], others: &[Finding]) -> Vec<Finding> {
    let groups = context.groups.iter().filter(|(_, rows)| rows.len() > 1);
    let remaining = groups.filter(|(_, rows)| {
        !rows.iter().any(|&row| others.iter().any(|finding| finding.subject == context.stations[row].name))
    });
    let findings = remaining.filter_map(|(name, rows)| {
        let members = || rows.iter().map(|&row| &context.stations[row]);
        let metrics = [
            (&QUEUE_DEPTH, sum(members().map(Station::queue))),
            (&UTILIZATION, sum(members().map(Station::load))),
        ];
        metrics.into_iter().find_map(|(metric, values)| {
            let oscillation =
                notable(context, rows, metric, detect(&context.sampled(&values), changes, None)?)?;
            let (from, to) = (context.interval_at(oscillation.from), context.interval_at(oscillation.to));
            let cost = rows.iter().map(|&row| context.cost(row, from, to)).sum();
            Some(finding(
                (*name).to_owned(),
                &oscillation,
                cost,
                evidence(context, format!("sum of {}", metric.name), metric.unit, &oscillation),
            ))
        })
    });
    findings.collect()
}

/// Returns the first oscillation of a probed series, if there is no other oscillation.
fn of_probes(context: &RunContext<'_>, changes: &[f64], others: &[Finding]) -> Vec<Finding> {
    if !others.is_empty() {
        return Vec::new();
    }
    // The series of servers have been analysed already, and the others of a server follow from them.
    let analysed = [&QUEUE_DEPTH, &UTILIZATION, &ARRIVAL_RATE, &REJECTION_RATE];
    let of_station = [&IN_FLIGHT, &COMPLETION_RATE];
    let series = context.result.series.iter().filter(|series| {
        let node = context.result.names().node_named(&series.node);
        !analysed.contains(&series.metric)
            && (context.position(node).is_none() || !of_station.contains(&series.metric))
    });
    let findings = series.take(MAX_PROBED).filter_map(|series| {
        let (start, _) = series.samples.iter().next()?;
        let values: Vec<f64> = series.samples.values().collect();
        let sampled = super::signal::SampledSeries {
            start: start.as_seconds(),
            step: series.samples.every().as_seconds(),
            values: &values,
        };
        let memory = (*series.metric == PERCEIVED_LOAD).then(|| context.longest_window());
        let oscillation = detect(&sampled, changes, memory)?;
        if !consists_of_many(context, series, &oscillation) {
            return None;
        }
        let subject = series.node.clone();
        let evidence = evidence(context, series.name(), series.metric.unit, &oscillation);
        Some(finding(subject, &oscillation, 0.0, evidence))
    });
    findings.take(1).collect()
}

/// Whether an oscillation of a probed series shows more than single requests.
fn consists_of_many(context: &RunContext<'_>, series: &Series, oscillation: &Oscillation) -> bool {
    let arrivals = || {
        let node = context.result.names().node_named(&series.node)?;
        context.result.timeline.find(Subject::Node(node), &ARRIVAL_RATE)
    };
    let (from, to) = (context.interval_at(oscillation.from), context.interval_at(oscillation.to));
    let arrived = arrivals().map(|rates| {
        rates.skip(from).take(to - from).map(f64::from).sum::<f64>() * context.step / oscillation.cycles
    });
    let min_arrivals = match oscillation.method {
        Method::ManyCycles => MIN_ARRIVALS,
        Method::FewCycles => MIN_ARRIVALS_FEW_CYCLES,
    };
    let is_high = series.metric.unit != Unit::Count || 2.0 * oscillation.amplitude >= MIN_HEIGHTS[0];
    is_high && arrived.is_none_or(|arrived| arrived >= min_arrivals)
}

fn evidence(
    context: &RunContext<'_>,
    gauge: String,
    unit: Unit,
    oscillation: &Oscillation,
) -> OscillationEvidence {
    let finite = |value: f64| value.is_finite().then_some(value);
    OscillationEvidence {
        gauge,
        unit,
        period_seconds: oscillation.period,
        amplitude: oscillation.amplitude,
        cycles: oscillation.cycles,
        damping_ratio: oscillation.damping_ratio,
        irregularity: oscillation.irregularity,
        p_value: oscillation.p_value,
        method: match oscillation.method {
            Method::FewCycles => "swings",
            Method::ManyCycles => "autocorrelation_and_spectrum",
        },
        autocorrelation: finite(oscillation.hill),
        spectral_ratio: finite(oscillation.spectral_ratio),
        driver: driver(context, oscillation),
        phases: Vec::new(),
        feedback: None,
    }
}

/// Returns the source that has the same period, by its scheduled rate or by its measured arrivals, or else the system.
fn driver(context: &RunContext<'_>, oscillation: &Oscillation) -> Driver {
    let changes = context.changes();
    for (name, source) in &context.scenario.sources {
        let scheduled = source.arrivals.period().map(crate::engine::time::SimDuration::as_seconds);
        let measured = || {
            let subject = Subject::Node(context.result.names().node_named(name)?);
            let series = context.result.timeline.find(subject, &ARRIVAL_RATE)?;
            let values: Vec<f64> = series.map(f64::from).collect();
            detect(&context.sampled(&values), &changes, None).map(|of_source| of_source.period)
        };
        if scheduled.or_else(measured).is_some_and(|period| are_same_period(period, oscillation.period)) {
            return Driver::Source(name.clone());
        }
    }
    Driver::System
}

/// Returns the phases of other members of the group that oscillate with a server.
fn phases(
    context: &RunContext<'_>,
    row: usize,
    metric: &Metric,
    values: &[f64],
    oscillation: &Oscillation,
) -> Vec<PhaseEvidence> {
    let group = context.stations[row].group.and_then(|group| context.groups.get(group));
    let others = group.into_iter().flatten().filter(|&&other| other != row).take(MAX_PHASES);
    let phases = others.filter_map(|&other| {
        let server = &context.stations[other];
        // The utilization of a member without a queue may oscillate.
        let candidates = [if *metric == QUEUE_DEPTH { server.queue() } else { server.load() }, server.load()];
        let shifts = candidates.iter().filter_map(|other| {
            phase::phase(
                &context.sampled(values),
                &context.sampled(other),
                oscillation.period,
                oscillation.from,
                oscillation.to,
            )
        });
        let best = shifts.max_by(|a, b| a.coherence.total_cmp(&b.coherence))?;
        (best.coherence >= MIN_COHERENCE).then(|| PhaseEvidence {
            server: server.name.to_owned(),
            degrees: best.degrees,
            coherence: best.coherence,
        })
    });
    phases.collect()
}
