//! The load balancer: picks a target for each request by a policy.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use serde::{Deserialize, Serialize};

use super::references::References;
use super::routing::{KeyHash, Policy, Random, RoundRobin};
use super::{Context, Outlet};
use crate::engine::column;
use crate::engine::random::RandomStream;
use crate::event::{PackedEvent, RequestRow};

/// A load balancer, or a group of equal ones, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancerSpec {
    /// Makes a group of this many: `name-0`, `name-1`, ...
    #[serde(default)]
    pub count: Option<u32>,
    /// How a target is picked.
    pub policy: PolicySpec,
    /// The targets: a node or group, or a list of them.
    pub to: References,
}

/// A balancer's policy as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum PolicySpec {
    /// Any target, uniformly.
    Random,
    /// Always the same target for the same key.
    KeyHash {
        /// Scrambles keys; without it the target is the remainder of the key by the number of targets.
        #[serde(default)]
        salt: Option<u64>,
    },
    /// Each target in turn.
    RoundRobin,
}

impl PolicySpec {
    /// Its name as it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Random => "Random",
            Self::KeyHash { .. } => "KeyHash",
            Self::RoundRobin => "RoundRobin",
        }
    }

    /// The policy, in its first state.
    #[must_use]
    pub fn resolve(&self) -> Policy {
        match self {
            Self::Random => Policy::Random(Random),
            Self::KeyHash { salt } => Policy::KeyHash(KeyHash::new(*salt)),
            Self::RoundRobin => Policy::RoundRobin(RoundRobin::default()),
        }
    }
}

/// A load balancer as it runs.
#[derive(Component, Clone, Debug)]
pub struct LoadBalancer {
    /// Its name.
    pub name: String,
    /// How it picks.
    pub policy: Policy,
    /// What it picks from (at least one).
    pub outlet: Outlet,
    /// The stream that it draws from.
    pub stream: RandomStream,
    /// How often each target was picked.
    pub routed: Box<[u64]>,
}

/// The balancers as a system reaches them.
#[derive(SystemParam)]
pub struct LoadBalancers<'w, 's> {
    rows: Query<'w, 's, &'static mut LoadBalancer>,
}

impl LoadBalancers<'_, '_> {
    /// Borrows the column of balancers for a tick.
    pub fn view(&mut self) -> LoadBalancersView<'_> {
        LoadBalancersView { rows: column(&mut self.rows) }
    }
}

/// The balancers as handlers reach them: by row.
#[derive(Debug)]
pub struct LoadBalancersView<'a> {
    rows: &'a mut [LoadBalancer],
}

impl LoadBalancersView<'_> {
    /// The balancer in a row.
    #[must_use]
    pub const fn get(&self, row: u32) -> &LoadBalancer {
        &self.rows[row as usize]
    }

    /// The next request of a balancer is routed like this.
    #[cold]
    pub fn change(&mut self, row: u32, policy: &PolicySpec) {
        self.rows[row as usize].policy = policy.resolve();
    }

    /// A request reaches the balancer and is sent on.
    #[inline]
    pub fn arrive(
        &mut self,
        context: &mut Context<'_>,
        row: u32,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let balancer = &mut self.rows[row as usize];
        let key = context.requests.get(request).key;
        let choice = balancer.policy.choose(key, balancer.outlet.targets.len(), &mut balancer.stream);
        balancer.routed[choice] += 1;
        context.forward(request, &balancer.outlet, choice)
    }
}
