//! Health: no finding of trouble, hardly any failed request, and the headroom of the busiest server.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding, FindingKind, Severity};
use crate::engine::floor_to_usize;

/// Maximum share of failed requests in a healthy run.
const MAX_FAILED_SHARE: f64 = 1e-3;
/// Number of arrivals that the peak load of a server is averaged over, which limits random variation to about a tenth.
const ARRIVALS_PER_PEAK: f64 = 200.0;

/// The evidence for health.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthEvidence {
    /// Utilization of the busiest server over the whole run.
    pub utilization: f64,
    /// Its highest utilization over about 200 arrivals.
    pub peak_load: f64,
    /// How much its load can grow before every slot is busy, as a share of its present load.
    pub headroom: f64,
    /// Mean waiting time at that server over its mean service time.
    pub wait_by_service: f64,
    /// Share of all requests that failed.
    pub failed_share: f64,
}

/// Returns the finding that a run is healthy, or `None` if other findings or failed requests contradict it.
pub(super) fn find(context: &RunContext<'_>, others: &[Finding]) -> Option<Finding> {
    let [offered, failed] = {
        let outcomes = context.outcomes();
        [outcomes.offered, outcomes.failed()].map(|count| count as f64)
    };
    if offered <= 0.0 || failed > MAX_FAILED_SHARE * offered || others.iter().any(rules_out_health) {
        return None;
    }
    let used = context.stations.iter().filter(|server| server.arrived > 0);
    let busiest =
        used.max_by(|a, b| a.utilization.partial_cmp(&b.utilization).unwrap_or(std::cmp::Ordering::Equal))?;
    let utilization = busiest.utilization?;
    let load = busiest.load();
    let width = floor_to_usize(ARRIVALS_PER_PEAK * load.len() as f64 / busiest.arrived as f64);
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

/// Whether a finding rules out health. Rejections and losses do not: failed requests are counted separately.
fn rules_out_health(finding: &Finding) -> bool {
    finding.kind().severity() == Severity::Trouble
        && !matches!(finding.kind(), FindingKind::Rejection | FindingKind::Loss)
}
