//! Load-aware routing: a request goes to the target that its key selects, unless the loads that this target reported
//! recently indicate an overload. Then it goes to a random target that does not seem overloaded.
//!
//! This is the algorithm of happy-simulator's load-aware routing example. A node knows only the loads reported to
//! itself, and forgets them after a window. Its estimate therefore lags behind the actual load and expires, which makes
//! the loads oscillate.

use serde::{Deserialize, Serialize};

use super::key_hash::check_salt;
use super::{Choice, KeyHash, LoadFeedback, LoadWindow, Parameters, Pick, RoutingQuery};
use crate::engine::random::{Draw, RandomStream};
use crate::engine::time::SimDuration;
use crate::event::NodeKind;
use crate::model::check::{Checker, one_of};
use crate::request::ReportedLoad;
use crate::text::Path;

/// The parameters of the policy, as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadAware {
    /// How long a reported load is remembered.
    pub window: SimDuration,
    /// The minimum mean of the remembered loads at which a target seems overloaded: above 0, at most 1.
    pub threshold: f64,
    /// Maximum number of random targets to try before the request goes to the target that its key selects; by default,
    /// the number of targets. At most 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Seed of a hash that is applied to keys before they select a target, as in [`KeyHash`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<u64>,
    /// Whether requests avoid overloaded targets. With `false`, loads are only remembered, so that probes can sample
    /// them.
    #[serde(default = "yes")]
    pub smart: bool,
}

const fn yes() -> bool {
    true
}

impl Parameters for LoadAware {
    type Policy = LoadAwarePolicy;

    fn policy(&self) -> LoadAwarePolicy {
        LoadAwarePolicy {
            memory: self.window,
            threshold: ReportedLoad::from_share(self.threshold),
            attempts: self.attempts.map(|attempts| attempts as usize),
            by_key: KeyHash { salt: self.salt },
            smart: self.smart,
        }
    }

    fn check(&self, path: &Path, to: &[String], checker: &mut Checker<'_>) {
        if self.window.is_zero() {
            checker.add(
                path.clone().name("window"),
                "with a window of 0 s, no reported load is remembered",
                "make it longer than \"0s\"",
            );
        }
        if !(self.threshold > 0.0 && self.threshold <= 1.0) {
            let message =
                format!("{} is not a valid load: expected a share above 0 and at most 1", self.threshold);
            checker.add(path.clone().name("threshold"), message, "0.9 means that 90 % of the slots are busy");
        }
        self.check_attempts(path, to, checker);
        for name in to {
            let kind = checker.names.range(name).map(|range| range.kind);
            if let Some(kind) = kind.filter(|kind| !kind.reports_load()) {
                let reporters = one_of(NodeKind::reports_load);
                let message = format!("\"{name}\" is a {}: only {reporters}s report their load", kind.name());
                checker.add(
                    path.clone(),
                    message,
                    format!("send to {reporters}s, or choose another routing"),
                );
            }
        }
    }

    fn load_feedback(&self) -> Option<LoadFeedback> {
        Some(LoadFeedback { window: self.window, threshold: self.threshold, acts: self.smart })
    }
}

/// Maximum number of attempts: a node that tries this many targets for each request is slow, and hardly ever finds one
/// that it has not tried yet.
const MAX_ATTEMPTS: u32 = 10_000;

impl LoadAware {
    fn check_attempts(&self, path: &Path, to: &[String], checker: &mut Checker<'_>) {
        let attempts_path = path.clone().name("attempts");
        match self.attempts {
            Some(0) => {
                let message = "with 0 attempts an overloaded server is never avoided";
                checker.add(attempts_path, message, "write `smart: false` if this is intended");
            }
            Some(attempts) if attempts > MAX_ATTEMPTS => {
                let message = format!(
                    "{attempts} attempts for each request are more than the maximum of {MAX_ATTEMPTS}"
                );
                checker.add(attempts_path, message, "leave it out: the default is the number of targets");
            }
            Some(_) if !self.smart => {
                let message = "with `smart: false` no other server is tried: the attempts have no effect";
                checker.warn(attempts_path, message, "leave it out");
            }
            Some(_) if checker.is_single(to) => {
                let message = "there is a single target: the attempts have no effect";
                checker.warn(attempts_path, message, "leave it out");
            }
            Some(_) | None => {}
        }
        check_salt(self.salt, path, to, checker);
    }
}

/// The policy during a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoadAwarePolicy {
    memory: SimDuration,
    threshold: ReportedLoad,
    /// Maximum number of attempts, or `None` for the number of targets.
    attempts: Option<usize>,
    by_key: KeyHash,
    smart: bool,
}

impl Pick for LoadAwarePolicy {
    #[inline]
    fn pick(&mut self, query: RoutingQuery<'_>, loads: &mut LoadWindow, stream: &mut RandomStream) -> Choice {
        let RoutingQuery { key, targets, now, .. } = query;
        let own = self.by_key.target(key, targets.len());
        let mut seems_overloaded = |target: usize| {
            let node = targets[target].node();
            loads.expire_and_estimate(node, now, self.memory).reaches(self.threshold)
        };
        if !self.smart || !seems_overloaded(own) {
            return Choice::of(own);
        }
        for _ in 0..self.attempts.unwrap_or_else(|| targets.len().min(MAX_ATTEMPTS as usize)) {
            let other = stream.index(targets.len());
            if !seems_overloaded(other) {
                return Choice { target: other, rehashed: true };
            }
        }
        Choice::of(own)
    }
}

#[cfg(test)]
mod tests {
    use super::super::router::testing::{node, pick_with};
    use super::*;
    use crate::engine::time::SimTime;

    const MEMORY: SimDuration = SimDuration::from_nanos(4);

    fn policy(attempts: Option<u32>, smart: bool) -> LoadAwarePolicy {
        LoadAware { window: MEMORY, threshold: 0.9, attempts, salt: None, smart }.policy()
    }

    /// A window in which the servers in these rows reported that they are full.
    fn window(full: &[u32]) -> LoadWindow {
        let mut window = LoadWindow::of((0..3).map(node));
        full.iter().for_each(|&row| window.report(node(row), ReportedLoad::FULL, SimTime::ZERO, MEMORY));
        window
    }

    #[test]
    fn an_overloaded_target_is_avoided_unless_all_seem_overloaded() {
        let (mut policy, mut stream) = (policy(Some(50), true), RandomStream::from_seed(3));
        let mut pick =
            |full: &[u32]| pick_with(1001, 3, |query| policy.pick(query, &mut window(full), &mut stream));
        assert_eq!(pick(&[]), Choice::of(2));
        let other = pick(&[2]);
        assert!(other.rehashed && other.target != 2);
        assert_eq!(pick(&[0, 1, 2]), Choice::of(2));
    }

    #[test]
    fn with_smart_false_loads_are_not_acted_upon() {
        let (mut policy, mut stream) = (policy(None, false), RandomStream::from_seed(3));
        let choice = pick_with(1001, 3, |query| policy.pick(query, &mut window(&[2]), &mut stream));
        assert_eq!(choice, Choice::of(2));
    }
}
