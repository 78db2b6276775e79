//! The feedback loop through load-aware clients: the load of a server determines the perceived load, which determines
//! where the clients send, which determines the load. A loop with delays oscillates, with a period of about their sum.

use serde::Serialize;

use crate::analysis::context::RunContext;
use crate::analysis::intervals::smoothed;
use crate::analysis::signal::Oscillation;
use crate::engine::floor_to_usize;
use crate::event::NodeRange;
use crate::model::metric::{ARRIVAL_RATE, Metric, PERCEIVED_LOAD, Subject};
use crate::model::routing::REHASH_RATE;

/// The delays of a feedback loop, and its phases in a cycle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoopDelays {
    /// Name of the clients in the loop.
    pub clients: String,
    /// Perceived load from which on they avoid a server.
    pub threshold: f64,
    /// Time for which they keep load reports.
    pub window_seconds: f64,
    /// Age of a load report on arrival: the mean time that a request stayed at the server during the oscillation.
    pub response_seconds: f64,
    /// Time that the server takes to serve as many requests as its queue swings by.
    pub queue_seconds: f64,
    /// Sum of these three delays.
    pub sum_seconds: f64,
    /// That sum over the period.
    pub sum_by_period: f64,
    /// Time from the first saturation until the perceived load reached the threshold; `None` if it was not observed.
    pub noticed_after_seconds: Option<f64>,
    /// Mean time per cycle in which they sent most of their requests to other servers.
    pub avoided_seconds: Option<f64>,
    /// Mean time per cycle in which they sent most of their requests to the intended server.
    pub returned_seconds: Option<f64>,
}

/// Returns the delays of the feedback loop of a server that oscillates, or `None` if no clients route by its load.
pub(super) fn delays(context: &RunContext<'_>, row: usize, oscillation: &Oscillation) -> Option<LoopDelays> {
    let names = context.result.names();
    let node = context.stations[row].node?;
    let (clients, window, threshold) = context.scenario.specs().find_map(|(name, spec)| {
        let routing = spec.routing()?;
        let feedback = routing.policy.load_feedback().filter(|feedback| feedback.acts)?;
        let sends = routing.to.iter().any(|to| names.covers(to, node));
        sends.then_some((name, feedback.window.as_seconds(), feedback.threshold))
    })?;
    let server = &context.stations[row];
    let response = mean_stay(context, row, oscillation)?;
    let queue = 2.0 * oscillation.amplitude * server.service / server.slots();
    let sum = window + response + queue;
    let (avoided, returned) = turns(context, clients, oscillation);
    Some(LoopDelays {
        clients: clients.to_owned(),
        threshold,
        window_seconds: window,
        response_seconds: response,
        queue_seconds: queue,
        sum_seconds: sum,
        sum_by_period: sum / oscillation.period,
        noticed_after_seconds: noticed_after(context, row, threshold, oscillation),
        avoided_seconds: avoided,
        returned_seconds: returned,
    })
}

/// Returns the mean time that a request stayed at a server while it oscillated, in seconds.
fn mean_stay(context: &RunContext<'_>, row: usize, oscillation: &Oscillation) -> Option<f64> {
    let records = context.result.sample.records.iter().filter(|record| {
        context.position(record.server) == Some(row)
            && (oscillation.from..=oscillation.to).contains(&record.created.as_seconds())
    });
    let stays: Vec<f64> =
        records.map(|record| record.waiting.as_seconds() + record.service.as_seconds()).collect();
    (!stays.is_empty()).then(|| stays.iter().sum::<f64>() / stays.len() as f64)
}

/// Returns the seconds from the saturation before the first swing until the perceived load reached the threshold.
fn noticed_after(
    context: &RunContext<'_>,
    row: usize,
    threshold: f64,
    oscillation: &Oscillation,
) -> Option<f64> {
    let server = context.stations[row].node?;
    let is_estimate = |subject: Subject| matches!(subject, Subject::Estimate { of, .. } if of == server);
    let keys = &context.result.timeline.keys;
    let at = keys.iter().position(|key| is_estimate(key.subject) && *key.metric == PERCEIVED_LOAD)?;
    let load = context.stations[row].load();
    let first = context.interval_at(oscillation.from).min(load.len());
    // The first interval of the spell without a free slot in which the first swing begins, or of the next spell.
    let before = load[..first].iter().rposition(|load| *load < 0.99).map_or(0, |free| free + 1);
    let full = before + load[before..].iter().position(|load| *load >= 0.99)?;
    let noticed = context
        .result
        .timeline
        .series(at)
        .skip(full)
        .position(|perceived| f64::from(perceived) >= threshold)?;
    (noticed > 0).then(|| context.time_of(noticed))
}

/// Returns the mean times in which the clients avoided servers and in which they did not, in seconds.
fn turns(context: &RunContext<'_>, clients: &str, oscillation: &Oscillation) -> (Option<f64>, Option<f64>) {
    let nodes = context.result.names().range(clients).into_iter().flat_map(NodeRange::nodes);
    let total = |metric: &Metric| {
        let find = |node| context.result.timeline.find(Subject::Node(node), metric);
        let own: Vec<Vec<f64>> =
            nodes.clone().filter_map(find).map(|series| series.map(f64::from).collect()).collect();
        super::sum(own.iter().map(Vec::as_slice))
    };
    // Smoothing over a twelfth of a cycle removes most of the noise.
    let width = floor_to_usize(oscillation.period / 12.0 / context.step).max(1);
    let (rerouted, all) = (smoothed(&total(&REHASH_RATE), width), smoothed(&total(&ARRIVAL_RATE), width));
    let avoids = |interval: usize| rerouted[interval] > 0.5 * all[interval];
    let (from, to) =
        (context.interval_at(oscillation.from), context.interval_at(oscillation.to).min(rerouted.len()));
    let mut turns: Vec<(bool, usize)> = Vec::new();
    for interval in from..to {
        match turns.last_mut() {
            Some((avoided, length)) if *avoided == avoids(interval) => *length += 1,
            Some(_) | None => turns.push((avoids(interval), 1)),
        }
    }
    // Turns shorter than an eighth of a cycle are noise.
    turns.retain(|(_, length)| context.time_of(*length) >= oscillation.period / 8.0);
    let mean = |avoided: bool| {
        let lengths: Vec<f64> =
            turns.iter().filter(|turn| turn.0 == avoided).map(|turn| context.time_of(turn.1)).collect();
        (!lengths.is_empty()).then(|| lengths.iter().sum::<f64>() / lengths.len() as f64)
    };
    (mean(true), mean(false))
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::LoopDelays;
    use crate::analysis::Evidence;
    use crate::analysis::systems::look_at;
    use crate::scenario::DEFAULT_SCENARIO;

    fn delays(overrides: &[&str]) -> Option<(LoopDelays, f64)> {
        let findings = look_at(DEFAULT_SCENARIO.1, overrides, find);
        findings.into_iter().find_map(|finding| {
            let Evidence::Oscillation(evidence) = finding.evidence else { return None };
            evidence.feedback.map(|feedback| (feedback, evidence.period_seconds))
        })
    }

    #[test]
    fn the_delays_of_the_loop_add_up_to_about_the_period() {
        let (delays, period) = delays(&[]).expect("a feedback loop");
        assert_eq!((delays.clients.as_str(), delays.window_seconds), ("client", 4.0));
        let sum = delays.window_seconds + delays.response_seconds + delays.queue_seconds;
        assert!(
            (delays.sum_seconds - sum).abs() < 1e-9 && (delays.sum_by_period - sum / period).abs() < 1e-9
        );
        assert!((0.6..1.6).contains(&delays.sum_by_period), "{delays:?}");
        // A queue of a hundred takes a second to drain, and a request waits half of that on average.
        assert!((0.3..1.2).contains(&delays.response_seconds), "{delays:?}");
        let noticed = delays.noticed_after_seconds.expect("the perceived load reaches the threshold");
        assert!((1.0..5.0).contains(&noticed), "{delays:?}");
        let turns = delays.avoided_seconds.unwrap_or(0.0) + delays.returned_seconds.unwrap_or(0.0);
        assert!((turns - period).abs() < 0.4 * period, "{delays:?}");
    }

    #[test]
    fn clients_that_do_not_act_make_no_loop() {
        assert_eq!(delays(&["nodes.client.routing.smart=false"]), None);
    }
}
