//! Knowledge lag: the perceived load of a server follows its actual load with a delay.
//!
//! The delay is the lag at which the cross-correlation of the two series is highest (see
//! [`signal::lag`](super::signal::lag)), provided that the load varied enough. Every mean over a window lags, so this
//! is a finding only if it may explain another finding about the same server.

use indexmap::IndexSet;
use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding, FindingKind};
use super::signal::lag::lag;
use crate::model::metric::Subject;

/// Minimum range of the load, from its 5 % to its 95 % quantile.
const MIN_RANGE: f64 = 0.3;
/// Maximum lag that is searched, over the window of the clients' load reports.
const MAX_LAG_BY_WINDOW: f64 = 2.0;
/// Maximum number of perceived loads that are analysed: those of the costliest servers.
const MAX_ESTIMATES: usize = 4;

/// The evidence for a knowledge lag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KnowledgeLagEvidence {
    /// Delay of the perceived load behind the actual load.
    pub lag_seconds: f64,
    /// Correlation of the two at that delay.
    pub correlation: f64,
    /// Correlation of the two without a delay.
    pub correlation_at_once: f64,
    /// Standard error of the correlation of two unrelated series with the same autocorrelations.
    pub standard_error: f64,
    /// Time for which clients keep load reports.
    pub window_seconds: f64,
}

/// Returns the knowledge lag of the costliest server that has other findings and whose load varied.
pub(super) fn find(context: &RunContext<'_>, others: &[Finding]) -> Option<Finding> {
    let troubled: IndexSet<&str> = others
        .iter()
        .filter(|finding| may_be_explained(finding.kind()))
        .map(|finding| finding.subject.as_str())
        .collect();
    let keys = context.result.timeline.keys.iter().enumerate();
    let estimates = keys.filter_map(|(at, key)| match key.subject {
        Subject::Estimate { of, .. } => context.position(Some(of)).map(|station| (at, station)),
        Subject::Node(_) | Subject::Resource { .. } | Subject::Link(_) | Subject::Line(_) => None,
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

/// Whether a knowledge lag may explain findings of this kind: it does not explain a few rejections or losses.
const fn may_be_explained(kind: FindingKind) -> bool {
    match kind {
        FindingKind::Oscillation
        | FindingKind::Overload
        | FindingKind::HotKey
        | FindingKind::Saturation
        | FindingKind::LongWaits
        | FindingKind::LoadImbalance => true,
        FindingKind::NearCapacity
        | FindingKind::Rejection
        | FindingKind::Loss
        | FindingKind::KnowledgeLag
        | FindingKind::Fault
        | FindingKind::Convergence
        | FindingKind::Unused
        | FindingKind::Healthy
        | FindingKind::TooShort => false,
    }
}

fn of_estimate(context: &RunContext<'_>, at: usize, station: usize) -> Option<Finding> {
    let station = &context.stations[station];
    let window = context.longest_window();
    let (actual, perceived) =
        (station.load(), context.result.timeline.series(at).map(f64::from).collect::<Vec<_>>());
    let mut sorted = actual.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let twentieth = |n: usize| sorted.get(sorted.len() * n / 20).copied().unwrap_or(0.0);
    if twentieth(19) - twentieth(1) < MIN_RANGE {
        return None;
    }
    let lag = lag(&context.sampled(actual), &context.sampled(&perceived), MAX_LAG_BY_WINDOW * window)?;
    let evidence = KnowledgeLagEvidence {
        lag_seconds: lag.lag,
        correlation: lag.correlation,
        correlation_at_once: lag.at_zero,
        standard_error: lag.standard_error,
        window_seconds: window,
    };
    Some(Finding::new(station.name, Evidence::KnowledgeLag(evidence)))
}
