//! Small systems for the unit tests of findings.

use super::context::RunContext;
use crate::scenario::load;
use crate::simulation::{RunOptions, run};

/// Runs a scenario and returns the result of `look` for its context.
pub(super) fn look_at<T>(text: &str, overrides: &[&str], look: impl FnOnce(&RunContext<'_>) -> T) -> T {
    let overrides: Vec<String> = overrides.iter().map(|&value| value.to_owned()).collect();
    let scenario =
        load("test.ron", text.as_bytes(), &overrides).unwrap_or_else(|error| panic!("{error}")).scenario;
    let result = run(&scenario, RunOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    look(&RunContext::of(&scenario, &result))
}

/// A scenario in which the source "s" sends Poisson arrivals with this rate and these keys to the node "n" for 100 s.
pub(super) fn system(rate: &str, key: &str, nodes: &str) -> String {
    format!(
        "Scenario(name: \"x\", run_until: \"100s\", \
         sources: {{ \"s\": (arrivals: Poisson(rate: {rate}), key: {key}, to: \"n\") }}, nodes: {{ {nodes} }})"
    )
}

/// A server "n" with a capacity of 100/s.
pub(super) const ONE_SERVER: &str = "\"n\": Server(service: Exponential(mean: \"10ms\"))";
/// Three servers "m" with a capacity of 100/s each, behind a load balancer "n" that picks them at random.
pub(super) const GROUP: &str = "\"n\": LoadBalancer(policy: Random, to: \"m\"), \"m\": Server(count: 3, service: Exponential(mean: \"10ms\"))";
/// The same servers behind a load balancer that sends each key to one of them.
pub(super) const SHARDS: &str = "\"n\": LoadBalancer(policy: KeyHash(), to: \"m\"), \"m\": Server(count: 3, service: Exponential(mean: \"10ms\"))";
