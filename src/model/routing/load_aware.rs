//! Load-aware routing: a request goes to its key's own target, unless the loads that the target reported lately say that
//! it is overloaded; then to a random one that seems not to be.
//!
//! This is the algorithm of happy-simulator's load-aware routing example. Each node knows only what was reported to it
//! itself, and only for as long as its window: the estimate lags behind, and is forgotten. That is why it oscillates.

use serde::{Deserialize, Serialize};

use super::{Choice, KeyHash, LoadFeedback, LoadWindow, Pick, RoutingQuery, Settings};
use crate::engine::random::RandomStream;
use crate::engine::time::SimDuration;
use crate::event::NodeKind;
use crate::model::check::{Checker, one_of};
use crate::request::ReportedLoad;
use crate::text::Path;

/// The policy as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadAware {
    /// How long a reported load is remembered.
    pub window: SimDuration,
    /// The mean remembered load (above 0, at most 1) from which on a target seems overloaded.
    pub threshold: f64,
    /// How many random targets are tried before the request goes to the key's own; as many as there are targets
    /// if it is not given.
    #[serde(default)]
    pub attempts: Option<u32>,
    /// Scrambles keys for the choice of the key's own target.
    #[serde(default)]
    pub salt: Option<u64>,
    /// With `false` loads are remembered, so that probes can show them, and not acted upon.
    #[serde(default = "yes")]
    pub smart: bool,
}

const fn yes() -> bool {
    true
}

impl Settings for LoadAware {
    type Policy = LoadAwarePolicy;

    fn policy(&self, targets: usize) -> LoadAwarePolicy {
        LoadAwarePolicy {
            memory: self.window,
            threshold: ReportedLoad::from_share(self.threshold),
            attempts: self.attempts.unwrap_or_else(|| u32::try_from(targets).unwrap_or(u32::MAX)),
            own: KeyHash { salt: self.salt },
            smart: self.smart,
        }
    }

    fn check(&self, path: &Path, to: &[String], checker: &mut Checker<'_>) {
        if self.window.is_zero() {
            checker.add(
                path.clone().name("window"),
                "a window of no time remembers nothing",
                "make it longer than \"0s\"",
            );
        }
        if !(self.threshold > 0.0 && self.threshold <= 1.0) {
            let message = format!("{} is no load: a share above 0 and at most 1 is expected", self.threshold);
            checker.add(path.clone().name("threshold"), message, "0.9 means nine tenths of the slots");
        }
        if self.attempts == Some(0) {
            let message = "with 0 attempts an overloaded server is never avoided";
            checker.add(path.clone().name("attempts"), message, "write `smart: false` if that is meant");
        }
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

/// The policy as it runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct LoadAwarePolicy {
    memory: SimDuration,
    threshold: ReportedLoad,
    attempts: u32,
    own: KeyHash,
    smart: bool,
}

impl Pick for LoadAwarePolicy {
    #[inline]
    fn pick(&mut self, ask: RoutingQuery<'_>, loads: &mut LoadWindow, stream: &mut RandomStream) -> Choice {
        let RoutingQuery { key, targets, now } = ask;
        let own = self.own.of(key, targets.len());
        let mut seems_overloaded = |target: usize| {
            let node = targets[target].node();
            loads.expire_and_estimate(node, now, self.memory).reaches(self.threshold)
        };
        if !self.smart || !seems_overloaded(own) {
            return Choice::of(own);
        }
        for _ in 0..self.attempts {
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
    use super::super::router::testing::{ask, node};
    use super::*;
    use crate::engine::time::SimTime;

    const MEMORY: SimDuration = SimDuration::from_nanos(4);

    fn policy(attempts: Option<u32>, smart: bool) -> LoadAwarePolicy {
        LoadAware { window: MEMORY, threshold: 0.9, attempts, salt: None, smart }.policy(3)
    }

    fn window(full: &[u32]) -> LoadWindow {
        let mut window = LoadWindow::of((0..3).map(node));
        full.iter().for_each(|&row| window.report(node(row), ReportedLoad::FULL, SimTime::ZERO, MEMORY));
        window
    }

    #[test]
    fn an_overloaded_target_is_avoided_until_all_seem_to_be() {
        let (mut policy, mut stream) = (policy(Some(50), true), RandomStream::from_seed(3));
        let mut pick = |full: &[u32]| ask(1001, 3, |ask| policy.pick(ask, &mut window(full), &mut stream));
        assert_eq!(pick(&[]), Choice::of(2));
        let other = pick(&[2]);
        assert!(other.rehashed && other.target != 2);
        assert_eq!(pick(&[0, 1, 2]), Choice::of(2));
    }

    #[test]
    fn who_is_not_smart_only_listens() {
        let (mut policy, mut stream) = (policy(None, false), RandomStream::from_seed(3));
        let choice = ask(1001, 3, |ask| policy.pick(ask, &mut window(&[2]), &mut stream));
        assert_eq!(choice, Choice::of(2));
    }
}
