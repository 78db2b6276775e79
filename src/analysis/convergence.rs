//! Convergence: how long the server whose utilization a scheduled change affects most takes to settle, and how far it
//! overshoots. The metric is its queue, or its utilization if the change neither builds up nor drains a queue. See
//! [`signal::settling`](super::signal::settling) for the definition of settling.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::scheduled::ScheduledPeriod;
use super::signal::settling::settling;
use crate::model::metric::{QUEUE_DEPTH, UTILIZATION, Unit};

/// Maximum number of changes that are analysed.
const MAX_CHANGES: usize = 8;
/// Minimum number of services that the series is smoothed over.
const MIN_SERVICES: f64 = 10.0;
/// A utilization is smoothed until its random variation has this standard deviation, as a share of the step.
const NOISE_BY_STEP: f64 = 0.05;
/// Minimum number of periods of a rate that repeats, after which it is part of the level.
const MIN_PERIODS: f64 = 10.0;
/// Minimum step of the mean utilization: smaller ones are ignored.
const MIN_STEP: f64 = 0.1;

/// The evidence for a convergence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConvergenceEvidence {
    /// Name of the metric that settled, as in `series.csv`.
    pub gauge: &'static str,
    /// Its unit.
    #[serde(skip)]
    pub unit: Unit,
    /// Time of the change.
    pub changed_at_seconds: f64,
    /// The change: the source, node or group and its new state (`s: 150/s`), or the one that ends.
    pub change: String,
    /// Time from the change until the metric had settled.
    pub settled_after_seconds: f64,
    /// Level before the change.
    pub before: f64,
    /// Level after the metric had settled.
    pub after: f64,
    /// Half-width of the band around that level that counts as settled.
    pub band: f64,
    /// Overshoot beyond the new level, as a share of the step.
    pub overshoot: f64,
}

/// Returns the convergences after the scheduled changes.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Finding> {
    let mut moments: Vec<(f64, String)> = Vec::new();
    // What a fault does has a finding of its own.
    let scheduled = || context.scheduled.iter().filter(|period| !period.is_fault);
    moments.extend(scheduled().map(|period| (period.from, format!("{}: {}", period.of, period.text))));
    // Of several at the same time, one that begins is kept: it says more than one that ends.
    let end =
        |period: &ScheduledPeriod| Some((period.to?, format!("{}: no longer {}", period.of, period.text)));
    moments.extend(scheduled().filter_map(end));
    // That a system becomes idle after the last arrivals is not worth a finding.
    moments.retain(|(at, _)| *at > 0.0 && *at < context.last_arrivals());
    moments.sort_by(|a, b| a.0.total_cmp(&b.0));
    moments.dedup_by(|a, b| a.0.to_bits() == b.0.to_bits());
    let edge = |index: usize| moments.get(index).map_or(context.end, |moment| moment.0);
    let findings = (0..moments.len().min(MAX_CHANGES)).filter_map(|index| {
        let before = if index == 0 { 0.0 } else { edge(index - 1) };
        let (at, change) = &moments[index];
        convergence(context, (before, *at, edge(index + 1)), change)
    });
    findings.collect()
}

fn convergence(
    context: &RunContext<'_>,
    (from, at, until): (f64, f64, f64),
    change: &str,
) -> Option<Finding> {
    // While a rate rises and falls slowly by itself, there is no level to settle at.
    let mut periods = context.scenario.sources.values().filter_map(|source| source.arrivals.period());
    if periods.any(|period| period.as_seconds() * MIN_PERIODS > until - at) {
        return None;
    }
    let [first, middle, last] = [from, at, until].map(|seconds| context.interval_at(seconds));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    // The change of the mean, from the second half of the time before to the second half of the time after.
    let step = |values: &[f64]| {
        let last = last.min(values.len());
        mean(&values[(middle + last) / 2..last]) - mean(&values[(first + middle) / 2..middle])
    };
    // That the load of a server vanishes while it is down is not worth a finding either.
    let servers =
        context.stations.iter().filter(|server| server.arrived > 0 && server.is_steady(first, last));
    let moves = servers.map(|server| (step(server.load()), server));
    let (moved, station) = moves.max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))?;
    if moved.abs() < MIN_STEP {
        return None;
    }
    // A queue that builds up or drains shows more clearly than the utilization when the change is over.
    let queue = station.queue();
    let (metric, values, services) = if step(queue).abs() >= station.slots() {
        (&QUEUE_DEPTH, queue, MIN_SERVICES)
    } else {
        // The mean utilization over w services has a standard deviation of sqrt((1 + v) u / (c w)), where u is the
        // utilization, c the number of slots and v the relative variance of service times.
        let load = station.load();
        let last = last.min(load.len());
        let highest = mean(&load[first..middle.min(last)]).max(mean(&load[middle.min(last)..last]));
        let noise = NOISE_BY_STEP * moved;
        let services = (1.0 + station.service_variance) * highest / (station.slots() * noise * noise);
        (&UTILIZATION, load, services.max(MIN_SERVICES))
    };
    let settled = settling(&context.sampled(values), from, at, until, services * station.service)?;
    let evidence = ConvergenceEvidence {
        gauge: metric.name,
        unit: metric.unit,
        changed_at_seconds: at,
        change: change.to_owned(),
        settled_after_seconds: settled.after,
        before: settled.before,
        after: settled.level,
        band: settled.band,
        overshoot: settled.overshoot,
    };
    Some(Finding::new(station.name, Evidence::Convergence(evidence)).during(at, at + settled.after))
}

#[cfg(test)]
mod tests {
    use super::super::systems::{look_at, system};
    use super::find;
    use crate::analysis::{Evidence, Finding};
    use crate::model::metric::UTILIZATION;

    const TEN_SLOTS: &str = "\"n\": Server(concurrency: 10, service: Exponential(mean: \"10ms\"))";

    fn findings_of_step(low: u32, high: u32) -> Vec<Finding> {
        let rate = format!("Steps([(at: \"0s\", rate: \"{low}/s\"), (at: \"50s\", rate: \"{high}/s\")])");
        look_at(&system(&rate, "Fixed(0)", TEN_SLOTS), &[], find)
    }

    #[test]
    fn a_step_up_and_a_step_down_are_both_found() {
        for (low, high) in [(200, 700), (700, 200)] {
            let found = findings_of_step(low, high);
            let [found] = &found[..] else { panic!("{found:?}") };
            let Evidence::Convergence(evidence) = &found.evidence else { panic!("{found:?}") };
            assert_eq!(evidence.gauge, UTILIZATION.name);
            assert!((evidence.before - f64::from(low) / 1000.0).abs() < 0.05, "{evidence:?}");
            assert!((evidence.after - f64::from(high) / 1000.0).abs() < 0.05, "{evidence:?}");
            assert!(evidence.settled_after_seconds < 2.0, "{evidence:?}");
        }
    }

    #[test]
    fn a_load_that_rises_and_falls_by_itself_does_not_settle() {
        let found = |period: u32| {
            let rate = format!(
                "Sum([Sine(mean: \"200/s\", amplitude: \"150/s\", period: \"{period}s\"), Steps([(at: \"0s\", rate: \"0/s\"), (at: \"50s\", rate: \"500/s\")])])"
            );
            look_at(&system(&rate, "Fixed(0)", TEN_SLOTS), &[], find).len()
        };
        assert_eq!([100, 40, 2].map(found), [0, 0, 1]);
    }

    #[test]
    fn small_steps_and_the_end_of_arrivals_are_no_findings() {
        assert_eq!(findings_of_step(500, 550), []);
        assert_eq!(look_at(&system("\"500/s\"", "Fixed(0)", TEN_SLOTS), &["arrivals_until=50s"], find), []);
        assert_eq!(look_at(&system("\"500/s\"", "Fixed(0)", TEN_SLOTS), &[], find), []);
    }
}
