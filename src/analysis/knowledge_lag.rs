//! Knowledge lag: what clients believe of a server's load follows what it is only later.
//!
//! The delay is where the cross-correlation of both is highest (see [`signal::lag`](super::signal::lag)), if the load
//! moved enough for that to mean anything. Every mean over a window is late: that is worth a word only where something
//! else is found of the server that it may explain.

use indexmap::IndexSet;
use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding, FindingKind};
use super::signal::lag::lag;
use crate::model::metric::Subject;

/// The load has to have moved so far for its delay to mean something: the range of the middle nine tenths.
const MIN_RANGE: f64 = 0.3;
/// Delays are sought up to as many times what the clients remember.
const LONGEST: f64 = 2.0;
/// Estimates that are asked: those of the servers that cost the users most.
const MAX_ESTIMATES: usize = 4;

/// The evidence for a knowledge lag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KnowledgeLagEvidence {
    /// How long what is believed is behind what is.
    pub lag_seconds: f64,
    /// Their correlation at that delay.
    pub correlation: f64,
    /// Their correlation at no delay.
    pub correlation_at_once: f64,
    /// How far correlations of unrelated series of such a kind are from zero, typically.
    pub standard_error: f64,
    /// How long clients remember what they heard.
    pub window_seconds: f64,
}

/// The knowledge lag of the server that costs most among those that are in trouble and whose load moved.
pub(super) fn find(context: &RunContext<'_>, found: &[Finding]) -> Option<Finding> {
    let troubled: IndexSet<&str> = found
        .iter()
        .filter(|finding| may_be_explained(finding.kind()))
        .map(|finding| finding.subject.as_str())
        .collect();
    let keys = context.result.timeline.keys.iter().enumerate();
    let estimates = keys.filter_map(|(at, key)| match key.subject {
        Subject::Estimate { of, .. } => context.position(Some(of)).map(|station| (at, station)),
        Subject::Node(_) | Subject::Link(_) => None,
    });
    let intervals = context.result.timeline.intervals();
    let is_troubled = |station: usize| {
        let station = &context.stations[station];
        troubled.contains(station.name) || station.group.is_some_and(|group| troubled.contains(group))
    };
    let mut estimates: Vec<(f64, usize, usize)> = estimates
        .filter(|&(_, station)| is_troubled(station))
        .map(|(at, station)| (context.cost(station, 0, intervals), at, station))
        .collect();
    estimates.sort_by(|a, b| b.0.total_cmp(&a.0));
    estimates.into_iter().take(MAX_ESTIMATES).find_map(|(_, at, station)| of_estimate(context, at, station))
}

/// Whether late knowledge may have to do with it: a few rejections or losses are no matter of knowledge.
const fn may_be_explained(kind: FindingKind) -> bool {
    match kind {
        FindingKind::Oscillation
        | FindingKind::Overload
        | FindingKind::HotKey
        | FindingKind::Saturation
        | FindingKind::LoadImbalance => true,
        FindingKind::Rejection
        | FindingKind::Loss
        | FindingKind::KnowledgeLag
        | FindingKind::Convergence
        | FindingKind::Healthy => false,
    }
}

fn of_estimate(context: &RunContext<'_>, at: usize, station: usize) -> Option<Finding> {
    let station = &context.stations[station];
    let memory = context.longest_memory();
    let (actual, perceived) =
        (station.load(), context.result.timeline.series(at).map(f64::from).collect::<Vec<_>>());
    let mut sorted = actual.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at_share = |share: usize| sorted.get(sorted.len() * share / 20).copied().unwrap_or(0.0);
    if at_share(19) - at_share(1) < MIN_RANGE {
        return None;
    }
    let found = lag(&context.sampled(actual), &context.sampled(&perceived), LONGEST * memory)?;
    let evidence = KnowledgeLagEvidence {
        lag_seconds: found.lag,
        correlation: found.correlation,
        correlation_at_once: found.at_once,
        standard_error: found.standard_error,
        window_seconds: memory,
    };
    Some(Finding::new(station.name, Evidence::KnowledgeLag(evidence)))
}
