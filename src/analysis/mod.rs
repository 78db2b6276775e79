//! Findings: conclusions about a run, with their evidence.
//!
//! Each kind of finding has a file with its definition, its evidence and its tests; [`FindingKind`] is the closed list.
//! `context` prepares the input of all kinds, `ranking` sorts the findings by their cost to the users of the system.
//! [`signal`] does statistics on plain series of numbers and is independent of servers and requests.

mod assessment;
mod chance;
mod context;
mod convergence;
mod dispersion;
mod fault;
mod finding;
mod health;
mod hot_key;
mod imbalance;
mod intervals;
mod knowledge_lag;
mod long_waits;
mod near_capacity;
mod oscillation;
mod overload;
mod ranking;
mod rejection;
mod saturation;
mod scheduled;
pub mod signal;
mod station;
mod subject;
#[cfg(test)]
mod systems;
mod unused;
mod verdict;

pub use convergence::ConvergenceEvidence;
pub use fault::FaultEvidence;
pub use finding::{Evidence, Finding, FindingKind, Severity};
pub use health::{GroupHealth, HealthEvidence};
pub use hot_key::HotKeyEvidence;
pub use imbalance::ImbalanceEvidence;
pub use knowledge_lag::KnowledgeLagEvidence;
pub use long_waits::LongWaitsEvidence;
pub use near_capacity::NearCapacityEvidence;
pub use oscillation::{Driver, LoopDelays, OscillationEvidence, PhaseEvidence};
pub use overload::OverloadEvidence;
pub use rejection::{LossEvidence, RejectedKey, RejectionEvidence};
pub use saturation::SaturationEvidence;
pub use scheduled::{ScheduledPeriod, occurred_periods, united};
pub use station::BANDWIDTH;
pub use unused::UnusedEvidence;
pub use verdict::{TooShortEvidence, Uncertainty, Verdict};

use indexmap::IndexSet;

use crate::metrics::result::RunResult;
use crate::scenario::Scenario;
use context::RunContext;

/// Default number of findings that are shown in full.
pub const DEFAULT_FINDINGS: usize = 5;

/// Returns the findings of a run, the costliest to the users of the system first. They contain the [`Verdict`].
///
/// A pure function of the scenario and the result of its run.
#[must_use]
pub fn findings(scenario: &Scenario, result: &RunResult) -> Vec<Finding> {
    let context = RunContext::of(scenario, result);
    let overloads = overload::find(&context);
    let oscillations = oscillation::find(&context);
    let mut findings = saturation::find(&context, &overloads);
    findings.extend(fault::find(&context));
    findings.extend(rejection::find(&context));
    findings.extend(imbalance::find(&context));
    findings.extend(hot_key::find(&context));
    findings.extend(convergence::find(&context));
    findings.extend(overload::findings(&context, &overloads));
    findings.extend(oscillations);
    let subjects = subject::Subject::all(&context);
    let strained = long_waits::find(&context, &subjects);
    findings.extend(unexplained(&context, &findings, strained));
    let strained = near_capacity::find(&context, &subjects);
    findings.extend(unexplained(&context, &findings, strained));
    let lag = knowledge_lag::find(&context, &findings);
    findings.extend(lag);
    findings.extend(unused::find(&context));
    let mut findings = ranking::ranked(&context, findings);
    findings.extend(verdict::find(&context, &subjects, &findings));
    for finding in &mut findings {
        finding.resource = context.resource_of(&finding.subject).map(str::to_owned);
    }
    findings
}

/// Returns the findings about servers and groups of which no other finding says the same more precisely: that they, their
/// group or one of their members are above their capacity.
fn unexplained(context: &RunContext<'_>, others: &[Finding], findings: Vec<Finding>) -> Vec<Finding> {
    let explains = |other: &&Finding| match other.kind() {
        FindingKind::Overload
        | FindingKind::Saturation
        | FindingKind::LongWaits
        | FindingKind::NearCapacity => true,
        FindingKind::Fault
        | FindingKind::Oscillation
        | FindingKind::HotKey
        | FindingKind::Rejection
        | FindingKind::Loss
        | FindingKind::LoadImbalance
        | FindingKind::KnowledgeLag
        | FindingKind::Convergence
        | FindingKind::Unused
        | FindingKind::Healthy
        | FindingKind::TooShort => false,
    };
    let mut subjects: IndexSet<String> =
        others.iter().filter(explains).map(|other| other.subject.clone()).collect();
    let of_members = |subjects: &IndexSet<String>| -> IndexSet<String> {
        subjects.iter().filter_map(|subject| context.group_of(subject)).map(str::to_owned).collect()
    };
    let groups_of_members = of_members(&subjects);
    // Groups come before their members.
    let mut unexplained = Vec::new();
    for finding in findings {
        let is_known = subjects.contains(&finding.subject)
            || context.group_of(&finding.subject).is_some_and(|group| subjects.contains(group))
            || groups_of_members.contains(&finding.subject);
        if !is_known {
            subjects.insert(finding.subject.clone());
            unexplained.push(finding);
        }
    }
    unexplained
}

/// Returns the scheduled periods of a scenario: known phases of its workload, its changes and its faults, which plots shade.
#[must_use]
pub fn scheduled_periods(scenario: &Scenario) -> Vec<ScheduledPeriod> {
    scheduled::scheduled_periods(scenario, &scenario.names())
}
