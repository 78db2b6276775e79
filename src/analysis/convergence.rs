//! Convergence: after an announced change of the workload, when did the server whose load it changed most come to rest, and how
//! far did its queue (or its load, where no queue came or went) go beyond? See [`signal::settling`](super::signal::settling) for what rest means.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::signal::settling::settling;
use crate::model::metric::{QUEUE_DEPTH, UTILIZATION, Unit};

/// Changes that are looked at.
const MAX_CHANGES: usize = 8;
/// Chance is averaged over so many services at least,
const SERVICES: f64 = 10.0;
/// and for a load over as many as leave of it so much of the step, as a standard deviation.
const REST_OF_CHANCE: f64 = 0.05;
/// A change that moves the mean load by less is passed over.
const MIN_STEP: f64 = 0.1;

/// The evidence for a convergence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConvergenceEvidence {
    /// The metric that came to rest, by its name in `series.csv`.
    pub gauge: &'static str,
    /// Its unit.
    #[serde(skip)]
    pub unit: Unit,
    /// When the workload changed.
    pub changed_at_seconds: f64,
    /// What changed: the source and its new rate, or what it had been.
    pub change: String,
    /// How long it took to come to rest.
    pub settled_after_seconds: f64,
    /// The level before.
    pub before: f64,
    /// The level afterwards.
    pub after: f64,
    /// How far from that it may be at rest.
    pub band: f64,
    /// How far it went beyond, as a share of the step.
    pub overshoot: f64,
}

/// What came to rest after the changes of the workload that are announced.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Finding> {
    let mut moments: Vec<(f64, String)> = Vec::new();
    for phase in &context.phases {
        moments.push((phase.from, format!("{}: {}", phase.of, phase.text)));
        moments.extend(phase.to.map(|to| (to, format!("{}: no longer {}", phase.of, phase.text))));
    }
    // That a system is idle when nothing comes any more is no news.
    moments.retain(|(at, _)| *at > 0.0 && *at < context.last_arrivals());
    moments.sort_by(|a, b| a.0.total_cmp(&b.0));
    moments.dedup_by(|a, b| a.0.to_bits() == b.0.to_bits());
    let edge = |index: usize| moments.get(index).map_or(context.end, |moment| moment.0);
    let found = (0..moments.len().min(MAX_CHANGES)).filter_map(|index| {
        let before = if index == 0 { 0.0 } else { edge(index - 1) };
        let (at, change) = &moments[index];
        convergence(context, (before, *at, edge(index + 1)), change)
    });
    found.collect()
}

fn convergence(
    context: &RunContext<'_>,
    (from, at, until): (f64, f64, f64),
    change: &str,
) -> Option<Finding> {
    let [first, middle, last] = [from, at, until].map(|seconds| context.interval_at(seconds));
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    // From the second half of what came before to that of what comes after.
    let step = |values: &[f64]| {
        let last = last.min(values.len());
        mean(&values[(middle + last) / 2..last]) - mean(&values[(first + middle) / 2..middle])
    };
    // That the load of a server that goes down is gone is no news either.
    let servers =
        context.stations.iter().filter(|server| server.arrived > 0 && server.is_steady(first, last));
    let moves = servers.map(|server| (step(server.load()), server));
    let (moved, station) = moves.max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))?;
    if moved.abs() < MIN_STEP {
        return None;
    }
    // Where a queue comes or goes, it shows more clearly than the load when that is over.
    let queue = station.queue();
    let (metric, values, services) = if step(queue).abs() >= station.slots() {
        (&QUEUE_DEPTH, queue, SERVICES)
    } else {
        // Over w services the mean of a load u of c slots differs from it by the square root of (1 + v) u / (c w).
        let load = station.load();
        let last = last.min(load.len());
        let highest = mean(&load[first..middle.min(last)]).max(mean(&load[middle.min(last)..last]));
        let wanted = REST_OF_CHANCE * moved;
        let services = (1.0 + station.service_variance) * highest / (station.slots() * wanted * wanted);
        (&UTILIZATION, load, services.max(SERVICES))
    };
    let found = settling(&context.sampled(values), from, at, until, services * station.service)?;
    let evidence = ConvergenceEvidence {
        gauge: metric.name,
        unit: metric.unit,
        changed_at_seconds: at,
        change: change.to_owned(),
        settled_after_seconds: found.after,
        before: found.before,
        after: found.level,
        band: found.band,
        overshoot: found.overshoot,
    };
    Some(Finding::new(station.name, Evidence::Convergence(evidence)).during(at, at + found.after))
}

#[cfg(test)]
mod tests {
    use super::super::systems::{look_at, system};
    use super::find;
    use crate::analysis::{Evidence, Finding};
    use crate::model::metric::UTILIZATION;

    const TEN: &str = "\"n\": Server(concurrency: 10, service: Exponential(mean: \"10ms\"))";

    fn of_steps(low: u32, high: u32) -> Vec<Finding> {
        let rate = format!("Steps([(at: \"0s\", rate: \"{low}/s\"), (at: \"50s\", rate: \"{high}/s\")])");
        look_at(&system(&rate, "Fixed(0)", TEN), &[], find)
    }

    #[test]
    fn a_step_is_told_in_both_directions() {
        for (low, high) in [(200, 700), (700, 200)] {
            let found = of_steps(low, high);
            let [found] = &found[..] else { panic!("{found:?}") };
            let Evidence::Convergence(evidence) = &found.evidence else { panic!("{found:?}") };
            assert_eq!(evidence.gauge, UTILIZATION.name);
            assert!((evidence.before - f64::from(low) / 1000.0).abs() < 0.05, "{evidence:?}");
            assert!((evidence.after - f64::from(high) / 1000.0).abs() < 0.05, "{evidence:?}");
            assert!(evidence.settled_after_seconds < 2.0, "{evidence:?}");
        }
    }

    #[test]
    fn small_steps_and_the_end_of_arrivals_are_no_news() {
        assert_eq!(of_steps(500, 550), []);
        assert_eq!(look_at(&system("\"500/s\"", "Fixed(0)", TEN), &["arrivals_until=50s"], find), []);
        assert_eq!(look_at(&system("\"500/s\"", "Fixed(0)", TEN), &[], find), []);
    }
}
