//! Findings: conclusions about a run, with their evidence.
//!
//! Each kind of finding has a file with its definition, its evidence and its tests; [`FindingKind`] is the closed list.
//! `context` prepares the input of all kinds, `ranking` sorts the findings by their cost to the users of the system.
//! [`signal`] does statistics on plain series of numbers and is independent of servers and requests.

mod chance;
mod context;
mod convergence;
mod finding;
mod health;
mod hot_key;
mod imbalance;
mod intervals;
mod knowledge_lag;
mod oscillation;
mod overload;
mod ranking;
mod rejection;
mod saturation;
mod scheduled;
pub mod signal;
mod station;
#[cfg(test)]
mod systems;

pub use convergence::ConvergenceEvidence;
pub use finding::{Evidence, Finding, FindingKind, Severity};
pub use health::HealthEvidence;
pub use hot_key::HotKeyEvidence;
pub use imbalance::ImbalanceEvidence;
pub use knowledge_lag::KnowledgeLagEvidence;
pub use oscillation::{Driver, LoopDelays, OscillationEvidence, PhaseEvidence};
pub use overload::OverloadEvidence;
pub use rejection::{LossEvidence, RejectedKey, RejectionEvidence};
pub use saturation::SaturationEvidence;
pub use scheduled::ScheduledPeriod;

use crate::metrics::result::RunResult;
use crate::scenario::Scenario;
use context::RunContext;

/// Default number of findings that are shown in full.
pub const DEFAULT_FINDINGS: usize = 5;

/// Returns the findings of a run, the costliest to the users of the system first.
///
/// A pure function of the scenario and the result of its run.
#[must_use]
pub fn findings(scenario: &Scenario, result: &RunResult) -> Vec<Finding> {
    let context = RunContext::of(scenario, result);
    let overloads = overload::find(&context);
    let oscillations = oscillation::find(&context);
    let mut findings = saturation::find(&context, &overloads);
    findings.extend(rejection::find(&context));
    findings.extend(imbalance::find(&context));
    findings.extend(hot_key::find(&context));
    findings.extend(convergence::find(&context));
    findings.extend(overload::findings(&context, &overloads));
    findings.extend(oscillations);
    let lag = knowledge_lag::find(&context, &findings);
    findings.extend(lag);
    let mut findings = ranking::ranked(&context, findings);
    findings.extend(health::find(&context, &findings));
    findings
}

/// Returns the scheduled periods of a scenario: known phases of its workload and its changes, which plots shade.
#[must_use]
pub fn scheduled_periods(scenario: &Scenario) -> Vec<ScheduledPeriod> {
    scheduled::scheduled_periods(scenario, &scenario.names())
}
