//! The scenario format of autoscalers, and its checks.

use serde::{Deserialize, Serialize};

use super::policy::ScalingPolicy;
use crate::engine::is_default;
use crate::engine::time::SimDuration;
use crate::model::check::Checker;
use crate::model::parts::SpecRef;
use crate::model::probe::{GaugeSpec, has_gauge};
use crate::model::problem::Problem;
use crate::text::Path;

/// An autoscaler, as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoscalerSpec {
    /// The group: one that can grow.
    pub of: String,
    /// The lowest number of members that it removes down to: at least 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub min: u32,
    /// The highest number of members that it adds up to; by default, that of the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Time between two evaluations of its policy. The first one is after this time.
    pub every: SimDuration,
    /// How old the value of the gauge is when the autoscaler learns it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub metric_delay: SimDuration,
    /// For how long it does nothing after it has changed the group.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cool_down: CoolDown,
    /// How many members it wants.
    pub policy: ScalingPolicy,
}

/// For how long an autoscaler does nothing after it has changed the group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoolDown {
    /// The time from any change until it adds members again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub up: SimDuration,
    /// The time from any change until it removes members again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub down: SimDuration,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_one(min: &u32) -> bool {
    *min == 1
}

/// Maximum number of evaluations of all autoscalers of a run.
const MAX_EVALUATIONS: u64 = 10_000_000;

/// Checks the autoscalers of a scenario. `spec_of` finds the specification of a node or a group by its name.
pub fn check<'a>(
    autoscalers: impl Iterator<Item = (&'a String, &'a AutoscalerSpec)>,
    spec_of: impl Fn(&str) -> Option<SpecRef<'a>>,
    checker: &mut Checker<'_>,
) {
    let mut scaled: Vec<(&str, &str)> = Vec::new();
    let mut evaluations = 0_u64;
    for (name, autoscaler) in autoscalers {
        let path = Path::root().name("autoscalers").name(name.as_str());
        autoscaler.policy.check(&path.clone().name("policy"), checker);
        check_times(autoscaler, &path, checker);
        if !autoscaler.every.is_zero() {
            let more = checker.run_until.as_nanos() / autoscaler.every.as_nanos();
            evaluations = evaluations.saturating_add(more);
            if evaluations > MAX_EVALUATIONS {
                let message =
                    format!("the autoscalers would decide {evaluations} times, more than {MAX_EVALUATIONS}");
                checker.add(path.clone().name("every"), message, "make the time longer");
                evaluations = 0;
            }
        }
        if !checker.known(&path, "of", &autoscaler.of) {
            continue;
        }
        if let Some((other, _)) = scaled.iter().find(|(_, of)| *of == autoscaler.of) {
            let message = format!(
                "\"{other}\" scales \"{}\" as well: they would undo what the other does",
                autoscaler.of
            );
            checker.add(path.clone().name("of"), message, "remove one of them");
        }
        scaled.push((name, &autoscaler.of));
        if let Some(spec) = spec_of(&autoscaler.of) {
            check_group(autoscaler, spec, &path, checker);
        }
    }
}

/// Checks the group of an autoscaler: whether it can grow to the bounds, and has the gauge.
fn check_group(autoscaler: &AutoscalerSpec, spec: SpecRef<'_>, path: &Path, checker: &mut Checker<'_>) {
    let AutoscalerSpec { of, min, max, policy, .. } = autoscaler;
    let problem = |path: Path, message: String| Problem::new(path, message).because_of(of);
    if let Some(group) = checker.names.group_of_member(of) {
        let message = format!("\"{of}\" is a member of \"{group}\", and only a whole group can grow");
        checker
            .problems
            .push(problem(path.clone().name("of"), message).with_hint(format!("name \"{group}\"")));
        return;
    }
    let (Some(initial), Some(most)) = (spec.initial_count(), spec.count()) else {
        let message = format!("\"{of}\" cannot grow");
        let hint = "give it a `count`, and a `max`: the highest number of members that it may have";
        checker.problems.push(problem(path.clone().name("of"), message).with_hint(hint));
        return;
    };
    if *min == 0 {
        checker.add(path.clone().name("min"), "a group keeps at least one member", "make it 1 or more");
    }
    if let Some(max) = max.filter(|max| *max > most) {
        let message = format!("{max} members are more than \"{of}\" may have: {most}");
        checker.problems.push(
            problem(path.clone().name("max"), message)
                .with_hint("make it lower, or the `max` of the group higher"),
        );
    }
    let upper = max.unwrap_or(most);
    if *min > upper {
        let message = format!("the minimum of {min} is above the maximum of {upper}");
        checker.add(path.clone().name("min"), message, "make it lower, or the maximum higher");
    } else if *min == upper {
        checker.warn(
            path.clone().name("min"),
            "minimum and maximum are equal: the group never changes",
            "make the maximum higher",
        );
    } else if !(*min..=upper).contains(&initial) {
        let message = format!("\"{of}\" begins with {initial} members, outside of {min} to {upper}");
        checker.warn(
            path.clone(),
            message,
            "the first evaluation brings it there; change its `count` to begin there",
        );
    }
    if let Some(gauge) = policy.gauge() {
        let path = path.clone().name("policy").name("gauge");
        if let GaugeSpec::PerceivedLoad(_) = gauge {
            let message = format!("{} is about single servers", gauge.name());
            checker.add(path, message, "use `Load` of the group itself");
            return;
        }
        let available: Vec<_> = spec.kind().gauges().into_iter().filter_map(|metric| metric.gauge).collect();
        has_gauge(gauge, &available, (spec.kind().name(), of), &path, checker);
    }
}

/// Checks the times of an autoscaler.
fn check_times(autoscaler: &AutoscalerSpec, path: &Path, checker: &mut Checker<'_>) {
    let AutoscalerSpec { every, metric_delay, cool_down, policy, .. } = autoscaler;
    let run_until = checker.run_until;
    if every.is_zero() {
        checker.add(
            path.clone().name("every"),
            "a time of 0 s would decide for ever",
            "make it longer, such as \"15s\"",
        );
    } else if *every + *metric_delay > run_until {
        let message = format!("the run ends at {run_until}, before the first decision");
        checker.warn(path.clone().name("every"), message, "make `run_until` later, or this shorter");
    }
    if policy.gauge().is_none() && !metric_delay.is_zero() {
        let message = "the policy reads no gauge: the delay has no effect";
        checker.warn(path.clone().name("metric_delay"), message, "remove it");
    }
    for (name, time) in [("up", cool_down.up), ("down", cool_down.down)] {
        if time >= run_until && !run_until.is_zero() {
            let message =
                format!("the run ends at {run_until}, before this time has passed after any change");
            checker.warn(
                path.clone().name("cool_down").name(name),
                message,
                "make `run_until` later, or this shorter",
            );
        }
    }
}
