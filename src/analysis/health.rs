//! Health: it is shown beyond chance that the load leaves room and that waits stay short, and hardly any request failed.
//! [`verdict`](super::verdict) decides that; this module describes the healthy system by its busiest server.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::station::Station;
use super::subject::Subject;
use crate::engine::floor_to_usize;

/// Number of arrivals that the peak utilization of a server is averaged over, which limits random variation to about a
/// tenth.
const ARRIVALS_PER_PEAK: f64 = 200.0;
/// Maximum length of that average as a share of the run: a longer one is not a peak.
const MAX_PEAK: f64 = 0.1;
/// Minimum utilization of which the headroom is given as a number.
const MIN_UTILIZATION: f64 = 1e-3;

/// The evidence for health.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthEvidence {
    /// Utilization of the busiest server over the whole run.
    pub utilization: f64,
    /// Its highest mean utilization over [`peak_seconds`](Self::peak_seconds); `None` in a short run.
    pub peak_load: Option<f64>,
    /// The time of about 200 arrivals; `None` in a short run.
    pub peak_seconds: Option<f64>,
    /// How much its load can grow before every slot is busy, as a share of its present load; `None` if it is hardly
    /// used.
    pub headroom: Option<f64>,
    /// Upper bound of its load in the long run.
    pub load_at_most: f64,
    /// Mean waiting time at that server over its mean service time.
    pub wait_by_service: f64,
    /// Its group, or `None` if it is not a member of a group.
    pub group: Option<GroupHealth>,
    /// Share of all requests that failed.
    pub failed_share: f64,
}

/// The waits at a group of servers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupHealth {
    /// Name of the group.
    pub name: String,
    /// Number of members that were up at some time.
    pub members: usize,
    /// Mean waiting time of all requests to the group over the mean service time.
    pub wait_by_service: f64,
}

/// Returns the finding that a system is healthy, or `None` if no server was used.
pub(super) fn finding(
    context: &RunContext<'_>,
    subjects: &[Subject<'_>],
    failed_share: f64,
) -> Option<Finding> {
    let used = context.stations.iter().filter(|server| server.arrived > 0);
    let busiest =
        used.max_by(|a, b| a.utilization.partial_cmp(&b.utilization).unwrap_or(std::cmp::Ordering::Equal))?;
    let assessment = |name: &str| subjects.iter().find(|subject| subject.name == name)?.assessments.first();
    let of_group = busiest.group.and_then(|name| Some((name, assessment(name)?)));
    let utilization = busiest.utilization.unwrap_or(0.0);
    let peak = peak(context, busiest);
    let evidence = HealthEvidence {
        utilization,
        peak_load: peak.map(|(load, _)| load),
        peak_seconds: peak.map(|(_, seconds)| seconds),
        headroom: (utilization >= MIN_UTILIZATION).then(|| (1.0 - utilization) / utilization),
        load_at_most: assessment(busiest.name)?.load_high(),
        wait_by_service: if busiest.service > 0.0 { busiest.wait / busiest.service } else { 0.0 },
        group: of_group.map(|(name, of_group)| GroupHealth {
            name: busiest
                .node
                .and_then(|node| context.result.names().group_of(node))
                .unwrap_or(name)
                .to_owned(),
            members: context.groups[name]
                .iter()
                .filter(|&&row| context.stations[row].availability().iter().any(|up| *up > 0.0))
                .count(),
            wait_by_service: of_group.wait,
        }),
        failed_share,
    };
    Some(Finding::new(busiest.name, Evidence::Healthy(Box::new(evidence))))
}

/// Returns the highest mean utilization over about 200 arrivals, and that time in seconds. `None` if it is not short
/// compared with the run.
fn peak(context: &RunContext<'_>, server: &Station<'_>) -> Option<(f64, f64)> {
    let load = server.load();
    let width = floor_to_usize(ARRIVALS_PER_PEAK * load.len() as f64 / server.arrived as f64).max(1);
    if width as f64 > MAX_PEAK * load.len() as f64 {
        return None;
    }
    let highest = super::intervals::smoothed(load, width).into_iter().fold(0.0, f64::max).min(1.0);
    Some((highest, width as f64 * context.step))
}
