//! Small systems for the unit tests of findings: a scenario is run and laid out as a context.

use super::context::RunContext;
use crate::scenario::load;
use crate::simulation::{RunOptions, run};

/// What `look` sees in the run of a scenario.
pub(super) fn look_at<T>(text: &str, overrides: &[&str], look: impl FnOnce(&RunContext<'_>) -> T) -> T {
    let overrides: Vec<String> = overrides.iter().map(|&value| value.to_owned()).collect();
    let scenario =
        load("test.ron", text.as_bytes(), &overrides).unwrap_or_else(|wrong| panic!("{wrong}")).scenario;
    let result = run(&scenario, RunOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    look(&RunContext::of(&scenario, &result))
}

/// A source "s" that sends Poisson arrivals of a rate, with some keys, to the node "n" for a hundred seconds.
pub(super) fn system(rate: &str, key: &str, nodes: &str) -> String {
    format!(
        "Scenario(name: \"x\", run_until: \"100s\", \
         sources: {{ \"s\": (arrivals: Poisson(rate: {rate}), key: {key}, to: \"n\") }}, nodes: {{ {nodes} }})"
    )
}

/// A server "n" that can do 100 requests a second.
pub(super) const CLERK: &str = "\"n\": Server(service: Exponential(mean: \"10ms\"))";
/// Three servers "m" behind a balancer "n"; each can do 100 requests a second.
pub(super) const GROUP: &str = "\"n\": LoadBalancer(policy: Random, to: \"m\"), \"m\": Server(count: 3, service: Exponential(mean: \"10ms\"))";
/// The same behind a balancer that sends each key to a server of its own.
pub(super) const SHARDS: &str = "\"n\": LoadBalancer(policy: KeyHash(), to: \"m\"), \"m\": Server(count: 3, service: Exponential(mean: \"10ms\"))";
