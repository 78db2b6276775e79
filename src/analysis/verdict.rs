//! The verdict on a run: healthy, in trouble, or too short to tell.
//!
//! - In trouble: there is a finding of trouble, more than one in a thousand requests or calls failed, or the run was stopped
//!   because too many were in flight. Every finding of trouble is shown beyond chance.
//! - Healthy: the opposite is shown beyond chance. The load of every server leaves room and its waits stay short in the
//!   long run (see [`assessment`](super::assessment)), and the requests that could come back came back.
//! - Too short to tell: neither is shown. The finding says what is uncertain, and which length of the run would tell.

use serde::Serialize;

use super::assessment::Assessment;
use super::context::RunContext;
use super::finding::{Evidence, Finding, FindingKind, Severity};
use super::health;
use super::station::Station;
use super::subject::Subject;
use crate::engine::floor_to_usize;
use crate::metrics::result::SourceResult;
use crate::request::OutcomeCounts;

/// Maximum share of failed requests in a healthy run.
const MAX_FAILED_SHARE: f64 = 1e-3;
/// Maximum share of the requests of a source that are in flight at the end of a run that shows health.
const MAX_IN_FLIGHT_SHARE: f64 = 0.1;
/// Minimum length of a run that shows health, in mean service times of each server.
const MIN_SERVICES: f64 = 5.0;
/// Margin of a suggested length over the length that just suffices.
const MARGIN: f64 = 1.2;

/// The verdict on a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Waits are short, the load leaves room, and hardly any request failed.
    Healthy,
    /// There are findings of trouble, or requests failed.
    InTrouble,
    /// The run is too short to tell.
    TooShort,
}

impl Verdict {
    /// Returns the verdict that the findings of a run contain.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let has = |kind| findings.iter().any(|finding| finding.kind() == kind);
        if has(FindingKind::Healthy) {
            Self::Healthy
        } else if has(FindingKind::TooShort) {
            Self::TooShort
        } else {
            Self::InTrouble
        }
    }

    /// Returns the verdict as text: `in trouble`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::InTrouble => "in trouble",
            Self::TooShort => "too short to tell",
        }
    }
}

/// Why a run is too short to tell whether the system is healthy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TooShortEvidence {
    /// What is uncertain.
    #[serde(flatten)]
    pub because: Uncertainty,
    /// The length that would tell, in seconds: of the run, or of the time of the finding if it has one. `None` if no
    /// reasonable length would.
    pub needed_seconds: Option<f64>,
}

/// What a run is too short for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Uncertainty {
    /// No request was measured at a server: none was offered, none reached one, or the warm-up is too long.
    NoRequests,
    /// The load of a server is uncertain.
    Load {
        /// Number of arrivals.
        requests: u64,
        /// Lower bound of its load.
        load_at_least: f64,
        /// Upper bound of its load.
        load_at_most: f64,
        /// Mean wait over mean service time.
        wait_by_service: f64,
    },
    /// The service time of a server has no finite variance, so its mean wait does not settle.
    HeavyTail,
    /// Many requests of a source are still in flight.
    InFlight {
        /// Number of requests in flight at the end.
        in_flight: u64,
        /// Number of requests offered.
        offered: u64,
    },
    /// A server takes long compared with the run.
    LongServices {
        /// Mean service time in seconds.
        service_seconds: f64,
    },
}

/// Returns the finding of health, or the finding that the run is too short, or `None` if the run is in trouble.
pub(super) fn find(
    context: &RunContext<'_>,
    subjects: &[Subject<'_>],
    others: &[Finding],
) -> Option<Finding> {
    let outcomes = context.outcomes();
    let share = |outcomes: OutcomeCounts| outcomes.failures() as f64 / (outcomes.offered as f64).max(1.0);
    let failed_share = share(outcomes);
    // If nobody waits for a call that fails, no request shows that something is wrong.
    let failed_calls = share(context.result.calls.unwrap_or_default());
    let was_stopped = context.result.stopped.is_some();
    if was_stopped || failed_share.max(failed_calls) > MAX_FAILED_SHARE || others.iter().any(is_trouble) {
        return None;
    }
    let uncertain =
        in_flight(context).into_iter().chain(long_services(context)).chain(loads(context, subjects));
    // The longest length of all settles everything.
    let length = |finding: &Finding| {
        let Evidence::TooShort(evidence) = &finding.evidence else { return 0.0 };
        evidence.needed_seconds.unwrap_or(f64::INFINITY)
    };
    let longest = uncertain.reduce(|a, b| if length(&b) > length(&a) { b } else { a });
    let healthy = || health::finding(context, subjects, failed_share);
    let nothing = || too_short(&context.scenario.name, Uncertainty::NoRequests, None);
    Some(longest.or_else(healthy).unwrap_or_else(nothing))
}

/// Whether a finding rules out health. Rejections and losses do not: failed requests are counted separately.
fn is_trouble(finding: &Finding) -> bool {
    finding.severity() == Severity::Trouble
        && !matches!(finding.kind(), FindingKind::Rejection | FindingKind::Loss)
}

fn too_short(subject: &str, because: Uncertainty, needed_seconds: Option<f64>) -> Finding {
    Finding::new(subject, Evidence::TooShort(TooShortEvidence { because, needed_seconds }))
}

/// Returns the sources of which many requests are in flight at the end.
fn in_flight(context: &RunContext<'_>) -> Vec<Finding> {
    let of_source = |source: &SourceResult| {
        let (in_flight, offered) = (source.outcomes.in_flight(), source.outcomes.offered);
        let share = in_flight as f64 / offered.max(1) as f64;
        (share > MAX_IN_FLIGHT_SHARE).then(|| {
            let needed = context.end * share / MAX_IN_FLIGHT_SHARE * MARGIN;
            too_short(&source.name, Uncertainty::InFlight { in_flight, offered }, Some(needed))
        })
    };
    context.result.sources.iter().filter_map(of_source).collect()
}

/// Returns the servers that take long compared with the run.
fn long_services(context: &RunContext<'_>) -> Vec<Finding> {
    let used = context.stations.iter().filter(|server| server.arrived > 0);
    let long = used.filter(|server| MIN_SERVICES * server.service > context.end);
    let of_server = |server: &Station<'_>| {
        let because = Uncertainty::LongServices { service_seconds: server.service };
        too_short(server.name, because, Some(2.0 * MIN_SERVICES * server.service))
    };
    long.map(of_server).collect()
}

/// Returns the servers whose load is uncertain, with the time in which it is.
fn loads(context: &RunContext<'_>, subjects: &[Subject<'_>]) -> Vec<Finding> {
    let singles = subjects.iter().filter(|subject| subject.rows.len() == 1);
    singles.flat_map(|subject| of_subject(context, subject)).collect()
}

fn of_subject(context: &RunContext<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    // The first assessment is that of the whole time. The last phase may continue; the others are over.
    let [whole, phases @ ..] = &subject.assessments[..] else { return Vec::new() };
    let last = phases.len().saturating_sub(1);
    let is_fine = |(at, phase): &(usize, &Assessment)| {
        if *at == last { phase.is_healthy() } else { phase.was_harmless() }
    };
    let uncertain: Vec<_> = if phases.is_empty() {
        std::iter::once(whole).filter(|whole| !whole.is_healthy()).map(|whole| (whole, true)).collect()
    } else {
        let of_phases = phases.iter().enumerate().filter(|phase| !is_fine(phase));
        of_phases.map(|(at, phase)| (phase, at == last)).collect()
    };
    let finding = |(one, to_the_end): (&Assessment, bool)| {
        let because = if one.is_heavy_tailed() {
            Uncertainty::HeavyTail
        } else {
            Uncertainty::Load {
                requests: floor_to_usize(one.requests + 0.5) as u64,
                load_at_least: one.load_low(),
                load_at_most: one.load_high(),
                wait_by_service: one.wait,
            }
        };
        let (from, to) = (context.time_of(one.during.start), context.time_of(one.during.end));
        let needed = one.needed_factor().map(|factor| MARGIN * factor * (to - from));
        let needed = needed.map(|length| if to_the_end { from + length } else { length });
        let finding = too_short(subject.name, because, needed);
        if to_the_end { finding } else { finding.during(from, to) }
    };
    uncertain.into_iter().map(finding).collect()
}
