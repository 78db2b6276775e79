//! Health: nothing that was found costs the users anything worth mentioning, and how far the system is from its limits.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding, FindingKind, Severity};
use crate::engine::floor_to_usize;

/// A system that fails this share of its requests is not healthy.
const FAILING: f64 = 1e-3;
/// Arrivals that are averaged over to find the busiest time of a server: chance then makes a tenth.
const ARRIVALS: f64 = 200.0;

/// The evidence for health.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthEvidence {
    /// Share of slots in use at the busiest server, over the whole run.
    pub utilization: f64,
    /// The same in its busiest time, over 200 arrivals or so.
    pub peak_load: f64,
    /// By as much the load of that server may grow, as a share of what it has now, until it has no free slot.
    pub headroom: f64,
    /// How many times as long as it is served the average request waits there.
    pub wait_by_service: f64,
    /// The share of all requests that failed.
    pub failed_share: f64,
}

/// The finding that a run is healthy, if it is, given what else was found.
pub(super) fn find(context: &RunContext<'_>, found: &[Finding]) -> Option<Finding> {
    let [offered, failed] = {
        let outcomes = context.outcomes();
        [outcomes.offered, outcomes.failed()].map(|count| count as f64)
    };
    if offered <= 0.0 || failed > FAILING * offered || found.iter().any(keeps_from_health) {
        return None;
    }
    let used = context.stations.iter().filter(|server| server.arrived > 0);
    let busiest =
        used.max_by(|a, b| a.utilization.partial_cmp(&b.utilization).unwrap_or(std::cmp::Ordering::Equal))?;
    let utilization = busiest.utilization?;
    let load = busiest.load();
    let width = floor_to_usize(ARRIVALS * load.len() as f64 / busiest.arrived as f64);
    let peak = super::intervals::smoothed(load, width.clamp(1, load.len().max(1)));
    let evidence = HealthEvidence {
        utilization,
        peak_load: peak.into_iter().fold(0.0, f64::max).min(1.0),
        headroom: (1.0 - utilization) / utilization.max(1e-9),
        wait_by_service: if busiest.service > 0.0 { busiest.wait / busiest.service } else { 0.0 },
        failed_share: failed / offered,
    };
    Some(Finding::new(busiest.name, Evidence::Healthy(evidence)))
}

/// Whether a finding keeps a system from being healthy. What failed is counted apart.
fn keeps_from_health(finding: &Finding) -> bool {
    finding.kind().severity() == Severity::Trouble
        && !matches!(finding.kind(), FindingKind::Rejection | FindingKind::Loss)
}
