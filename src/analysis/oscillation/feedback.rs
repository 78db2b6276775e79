//! The loop through clients that react to what they hear of loads: from a server's load to what they believe of it, to where
//! they send, and back to its load. A loop that reacts late swings; its delays, added up, tell with what period.

use serde::Serialize;

use crate::analysis::context::RunContext;
use crate::analysis::intervals::smoothed;
use crate::analysis::signal::Oscillation;
use crate::engine::floor_to_usize;
use crate::event::NodeRange;
use crate::model::metric::{ARRIVAL_RATE, Metric, PERCEIVED_LOAD, Subject};
use crate::model::routing::REHASH_RATE;

/// The delays of a loop and what it does in a cycle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoopDelays {
    /// The clients of the loop.
    pub clients: String,
    /// The load from which on they avoid a server.
    pub threshold: f64,
    /// How long they remember what they heard.
    pub window_seconds: f64,
    /// How old what they hear is: how long the average request stayed at the server meanwhile.
    pub response_seconds: f64,
    /// How long the server takes to serve the requests by which its queue swings.
    pub queue_seconds: f64,
    /// These three together.
    pub sum_seconds: f64,
    /// The same by the period.
    pub sum_by_period: f64,
    /// How long after the first trouble the clients took the server for overloaded, where they did.
    pub noticed_after_seconds: Option<f64>,
    /// How long in each cycle they sent most of its requests elsewhere, on average.
    pub avoided_seconds: Option<f64>,
    /// How long in each cycle they came back to it, on average.
    pub returned_seconds: Option<f64>,
}

/// The loop through load-aware clients of a server that oscillates.
pub(super) fn delays(context: &RunContext<'_>, row: usize, found: &Oscillation) -> Option<LoopDelays> {
    let names = context.result.names();
    let (clients, window, threshold) = context.scenario.specs().find_map(|(name, spec)| {
        let routing = spec.routing()?;
        let feedback = routing.policy.load_feedback().filter(|feedback| feedback.acts)?;
        let sends = routing.to.iter().any(|to| names.covers(to, context.stations[row].node));
        sends.then_some((name, feedback.window.as_seconds(), feedback.threshold))
    })?;
    let server = &context.stations[row];
    let response = stay(context, row, found)?;
    let queue = 2.0 * found.amplitude * server.service / server.slots();
    let sum = window + response + queue;
    let (avoided, returned) = turns(context, clients, found);
    Some(LoopDelays {
        clients: clients.to_owned(),
        threshold,
        window_seconds: window,
        response_seconds: response,
        queue_seconds: queue,
        sum_seconds: sum,
        sum_by_period: sum / found.period,
        noticed_after_seconds: noticed(context, row, threshold, found),
        avoided_seconds: avoided,
        returned_seconds: returned,
    })
}

/// How long the average request stayed at a server while it oscillated.
fn stay(context: &RunContext<'_>, row: usize, found: &Oscillation) -> Option<f64> {
    let meanwhile = context.result.sample.records.iter().filter(|record| {
        context.position(record.server) == Some(row)
            && (found.from..=found.to).contains(&record.created.as_seconds())
    });
    let stays: Vec<f64> =
        meanwhile.map(|record| record.waiting.as_seconds() + record.service.as_seconds()).collect();
    (!stays.is_empty()).then(|| stays.iter().sum::<f64>() / stays.len() as f64)
}

/// From when the server had no free slot before the first swing to when its clients took it for overloaded.
fn noticed(context: &RunContext<'_>, row: usize, threshold: f64, found: &Oscillation) -> Option<f64> {
    let wanted = context.stations[row].node;
    let about = |subject: Subject| matches!(subject, Subject::Estimate { of, .. } if of == wanted);
    let keys = &context.result.timeline.keys;
    let at = keys.iter().position(|key| about(key.subject) && *key.metric == PERCEIVED_LOAD)?;
    let load = context.stations[row].load();
    let first = context.interval_at(found.from).min(load.len());
    // The first slice of the spell without a free slot in which the first swing begins, or the next one.
    let before = load[..first].iter().rposition(|load| *load < 0.99).map_or(0, |free| free + 1);
    let full = before + load[before..].iter().position(|load| *load >= 0.99)?;
    let noticed =
        context.result.timeline.series(at).skip(full).position(|belief| f64::from(belief) >= threshold)?;
    (noticed > 0).then(|| context.time_of(noticed))
}

/// How long, on average, the clients avoided servers and how long they came back, in the cycles that were seen whole.
fn turns(context: &RunContext<'_>, clients: &str, found: &Oscillation) -> (Option<f64>, Option<f64>) {
    let nodes = context.result.names().range(clients).into_iter().flat_map(NodeRange::nodes);
    let total = |metric: &Metric| {
        let find = |node| context.result.timeline.find(Subject::Node(node), metric);
        let own: Vec<Vec<f64>> =
            nodes.clone().filter_map(find).map(|series| series.map(f64::from).collect()).collect();
        super::sum(own.iter().map(Vec::as_slice))
    };
    // A twelfth of a cycle tells most of the noise from the turns.
    let width = floor_to_usize(found.period / 12.0 / context.step).max(1);
    let (elsewhere, all) = (smoothed(&total(&REHASH_RATE), width), smoothed(&total(&ARRIVAL_RATE), width));
    let avoids = |slice: usize| elsewhere[slice] > 0.5 * all[slice];
    let (from, to) = (context.interval_at(found.from), context.interval_at(found.to).min(elsewhere.len()));
    let mut turns: Vec<(bool, usize)> = Vec::new();
    for slice in from..to {
        match turns.last_mut() {
            Some((avoided, length)) if *avoided == avoids(slice) => *length += 1,
            Some(_) | None => turns.push((avoids(slice), 1)),
        }
    }
    // What is shorter than an eighth of a cycle is a flicker.
    turns.retain(|(_, length)| context.time_of(*length) >= found.period / 8.0);
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
        let found = look_at(DEFAULT_SCENARIO.1, overrides, find);
        found.into_iter().find_map(|finding| {
            let Evidence::Oscillation(evidence) = finding.evidence else { return None };
            evidence.feedback.map(|feedback| (feedback, evidence.period_seconds))
        })
    }

    #[test]
    fn the_delays_of_the_loop_add_up_to_about_its_period() {
        let (delays, period) = delays(&[]).expect("a loop");
        assert_eq!((delays.clients.as_str(), delays.window_seconds), ("client", 4.0));
        let sum = delays.window_seconds + delays.response_seconds + delays.queue_seconds;
        assert!(
            (delays.sum_seconds - sum).abs() < 1e-9 && (delays.sum_by_period - sum / period).abs() < 1e-9
        );
        assert!((0.6..1.6).contains(&delays.sum_by_period), "{delays:?}");
        // A queue of a hundred takes a second, and whoever waits in it half of that on average.
        assert!((0.3..1.2).contains(&delays.response_seconds), "{delays:?}");
        let noticed = delays.noticed_after_seconds.expect("they notice");
        assert!((1.0..5.0).contains(&noticed), "{delays:?}");
        let turns = delays.avoided_seconds.unwrap_or(0.0) + delays.returned_seconds.unwrap_or(0.0);
        assert!((turns - period).abs() < 0.4 * period, "{delays:?}");
    }

    #[test]
    fn clients_that_do_not_act_make_no_loop() {
        assert_eq!(delays(&["nodes.client.routing.smart=false"]), None);
    }
}
