//! Load-aware routing: a request goes to its key's own server, unless the loads that the server reported lately say that
//! it is overloaded; then to a random one that seems not to be.
//!
//! This is the algorithm of happy-simulator's load-aware routing example. Each client knows only what it was told
//! itself, and only for as long as its window: knowledge lags behind, and is forgotten. That is why it oscillates.

use std::collections::VecDeque;

use bevy_ecs::prelude::*;

use crate::engine::random::RandomStream;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::model::Target;
use crate::model::routing::KeyHash;
use crate::request::Load;

/// The policy.
#[derive(Clone, Copy, Debug)]
pub struct LoadAware {
    memory: SimDuration,
    threshold: Load,
    attempts: u32,
    base: KeyHash,
    smart: bool,
}

impl LoadAware {
    /// The policy among `targets` targets, from its parameters as they are written.
    #[must_use]
    pub fn new(
        memory: SimDuration,
        threshold: f64,
        attempts: Option<u32>,
        salt: Option<u64>,
        smart: bool,
        targets: usize,
    ) -> Self {
        Self {
            memory,
            threshold: Load::from_share(threshold),
            attempts: attempts.unwrap_or_else(|| u32::try_from(targets).unwrap_or(u32::MAX)),
            base: KeyHash::new(salt),
            smart,
        }
    }

    /// How long loads are remembered.
    #[must_use]
    pub const fn memory(&self) -> SimDuration {
        self.memory
    }

    /// The index of the target for a request with this key, and whether it is another one than the key's own for the
    /// sake of load.
    #[inline]
    pub(super) fn choose(
        &self,
        key: u32,
        targets: &[Target],
        window: &mut LoadWindow,
        now: SimTime,
        stream: &mut RandomStream,
    ) -> (usize, bool) {
        let base = self.base.choose(key, targets.len());
        let mut seems_overloaded = |target: usize| match targets[target].node() {
            Node::Server(server) => window.perceive(server, now, self.memory).reaches(self.threshold),
            Node::Source(_) | Node::LoadBalancer(_) | Node::Client(_) => false,
        };
        if !self.smart || !seems_overloaded(base) {
            return (base, false);
        }
        for _ in 0..self.attempts {
            let other = stream.index(targets.len());
            if !seems_overloaded(other) {
                return (other, true);
            }
        }
        (base, false)
    }
}

/// The loads that servers reported to one client, as long as it remembers them.
#[derive(Component, Clone, Debug, Default)]
pub struct LoadWindow {
    /// What was heard from the server with row `first + i`; nothing before its first report.
    heard: Vec<Option<Box<Reports>>>,
    first: u32,
}

/// The reports of one server, the oldest first, and the sum of their loads in billionths.
#[derive(Clone, Debug, Default)]
struct Reports {
    reports: VecDeque<(SimTime, Load)>,
    sum: u64,
}

/// What a client believes of a server: the mean of the loads that it remembers, zero if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerceivedLoad {
    sum: u64,
    count: u64,
}

impl PerceivedLoad {
    /// Whether the mean is at least `threshold`, exactly.
    #[must_use]
    #[inline]
    pub const fn reaches(self, threshold: Load) -> bool {
        self.count > 0 && self.sum >= threshold.billionths() * self.count
    }

    /// The mean, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share for people and plots")]
    pub fn share(self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / (self.count * Load::FULL.billionths()) as f64 }
    }
}

impl LoadWindow {
    /// A window for the servers with rows `first..=last`.
    #[must_use]
    pub fn new(first: u32, last: u32) -> Self {
        Self { heard: vec![None; (last - first) as usize + 1], first }
    }

    /// A server reports its load.
    pub(super) fn hear(&mut self, server: u32, load: Load, now: SimTime, memory: SimDuration) {
        let Some(place) = server.checked_sub(self.first).and_then(|i| self.heard.get_mut(i as usize)) else {
            return;
        };
        let heard = place.get_or_insert_default();
        heard.forget(now, memory);
        heard.reports.push_back((now, load));
        heard.sum += load.billionths();
    }

    /// What the client believes of a server. Reports older than `memory` are forgotten.
    #[inline]
    pub fn perceive(&mut self, server: u32, now: SimTime, memory: SimDuration) -> PerceivedLoad {
        let place = server.checked_sub(self.first).and_then(|i| self.heard.get_mut(i as usize));
        place.and_then(Option::as_mut).map_or(PerceivedLoad::default(), |heard| {
            heard.forget(now, memory);
            PerceivedLoad { sum: heard.sum, count: heard.reports.len() as u64 }
        })
    }
}

impl Reports {
    #[inline]
    fn forget(&mut self, now: SimTime, memory: SimDuration) {
        while let Some(&(at, load)) = self.reports.front() {
            if now.since(at) <= memory {
                break;
            }
            self.reports.pop_front();
            self.sum -= load.billionths();
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these means are exact")]
mod tests {
    use super::*;

    const MEMORY: SimDuration = SimDuration::from_nanos(4);

    fn targets() -> Vec<Target> {
        (0..3).map(|row| Target::new(Node::Server(row), 0, 0)).collect()
    }

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut window = LoadWindow::new(0, 2);
        window.hear(1, Load::from_share(0.5), at(0), MEMORY);
        window.hear(1, Load::FULL, at(2), MEMORY);
        assert_eq!(window.perceive(1, at(4), MEMORY).share(), 0.75);
        assert_eq!(window.perceive(1, at(5), MEMORY).share(), 1.0);
        assert_eq!(window.perceive(1, at(7), MEMORY), PerceivedLoad::default());
        assert_eq!(window.perceive(0, at(7), MEMORY).share(), 0.0);
    }

    #[test]
    fn a_mean_on_the_threshold_reaches_it() {
        let mut window = LoadWindow::new(0, 0);
        for _ in 0..7 {
            window.hear(0, Load::from_share(0.9), at(0), MEMORY);
        }
        assert!(window.perceive(0, at(0), MEMORY).reaches(Load::from_share(0.9)));
    }

    #[test]
    fn an_overloaded_server_is_avoided_until_all_seem_to_be() {
        let mut window = LoadWindow::new(0, 2);
        let mut stream = RandomStream::from_seed(3);
        let policy = LoadAware::new(MEMORY, 0.9, Some(50), None, true, 3);
        let mut choose =
            |window: &mut LoadWindow| policy.choose(1001, &targets(), window, at(1), &mut stream);
        assert_eq!(choose(&mut window), (2, false));
        window.hear(2, Load::FULL, at(1), MEMORY);
        let (other, rehashed) = choose(&mut window);
        assert!(rehashed && other != 2);
        window.hear(0, Load::FULL, at(1), MEMORY);
        window.hear(1, Load::FULL, at(1), MEMORY);
        assert_eq!(choose(&mut window), (2, false));
    }

    #[test]
    fn a_client_that_is_not_smart_only_listens() {
        let mut window = LoadWindow::new(0, 2);
        window.hear(2, Load::FULL, at(1), MEMORY);
        let policy = LoadAware::new(MEMORY, 0.9, None, None, false, 3);
        let choice = policy.choose(1001, &targets(), &mut window, at(1), &mut RandomStream::from_seed(3));
        assert_eq!(choice, (2, false));
    }
}
