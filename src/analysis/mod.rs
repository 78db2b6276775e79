//! Conclusions from numbers: what a run says, with the evidence for it.
//!
//! Each kind of finding has a file with its definition, its evidence and its tests; [`Kind`] is the closed list of them.
//! `context` lays out what all of them look at, `ranking` puts them into the order of what they cost the users of the
//! system. [`signal`] judges bare series of numbers and knows nothing of servers.

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

/// So many findings lead where nobody says how many are wanted: a handful.
pub const LEADING: usize = 5;

/// What a run says, the most important first: ranked by what it costs the users of the system.
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

/// The changes of the workload and of its parts that a scenario announces: what is shaded in plots.
#[must_use]
pub fn phases(scenario: &Scenario) -> Vec<ScheduledPeriod> {
    scheduled::phases(scenario, &scenario.names())
}
