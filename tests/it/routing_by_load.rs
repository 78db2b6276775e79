//! Load-aware routing does the same in a load balancer as in a client.

use rushhour::analysis::{Finding, findings};
use rushhour::event::NodeKind;
use rushhour::metrics::figures::NodeFigures;
use rushhour::metrics::result::RunResult;
use rushhour::model::metric::{PERCEIVED_LOAD, Subject};
use rushhour::model::routing::REHASH_RATE;
use rushhour::model::{client, load_balancer};
use rushhour::request::Outcome;
use rushhour::scenario::{Scenario, load};

use crate::harness::{Estimate, node, replicate, run_logged, scenario, server, source};

/// A kind of node that routes: its name, the field of its routing in a scenario, and the setting that changes it.
#[derive(Clone, Copy)]
struct RoutingKind {
    node: NodeKind,
    name: &'static str,
    field: &'static str,
    setting: &'static str,
}

const CLIENT: RoutingKind =
    RoutingKind { node: NodeKind::Client, name: "Client", field: "routing", setting: "Routing" };
const BALANCER: RoutingKind =
    RoutingKind { node: NodeKind::LoadBalancer, name: "LoadBalancer", field: "policy", setting: "Policy" };

/// Two nodes of a kind behind a load balancer, and servers, one of which serves a hot key for a while.
fn system(kind: RoutingKind, servers: u32, policy: &str, changes: &[(&str, &str)]) -> Scenario {
    let RoutingKind { name, field, setting, .. } = kind;
    let is_load_aware =
        changes.iter().map(|(_, policy)| *policy).chain([policy]).any(|policy| policy.contains("LoadAware"));
    let perceived = if is_load_aware { "PerceivedLoad(\"m\"), " } else { "" };
    let changes: String = changes
        .iter()
        .map(|(at, policy)| format!("(at: \"{at}\", of: \"n\", set: {setting}({policy})), "))
        .collect();
    scenario(&format!(
        r#"Scenario(name: "x", run_until: "40s",
            sources: {{
                "everyone": (arrivals: Poisson(rate: "30/s"), key: Uniform(0, 999), to: "door"),
                "hot": (arrivals: Poisson(rate: Spike(base: "10/s", peak: "130/s", from: "5s", to: "25s")), key: Fixed(5), to: "door"),
            }},
            nodes: {{
                "door": LoadBalancer(policy: RoundRobin, to: "n"),
                "n": {name}(count: 2, {field}: {policy}, to: "m"),
                "m": Server(count: {servers}, concurrency: 8, service: Exponential(mean: "80ms"), queue: Fifo(capacity: 60)),
            }},
            probes: [(of: "n", gauges: [{perceived}RehashRate, ArrivalRate], every: "250ms")],
            changes: [{changes}],
        )"#
    ))
}

const AWARE: &str = r#"LoadAware(window: "3s", threshold: 0.9)"#;
/// With two servers, 64 attempts to draw another one find it, except once in 2^64.
const AWARE_OF_TWO: &str = r#"LoadAware(window: "3s", threshold: 0.9, attempts: 64)"#;

fn rehashed(result: &RunResult) -> [u64; 2] {
    // A node has only one of these figures.
    let count =
        |figures: &NodeFigures| figures.count(&client::REHASHED) + figures.count(&load_balancer::REHASHED);
    ["n-0", "n-1"].map(|name| count(&node(result, name).figures))
}

/// The series of loads of the servers as perceived by the nodes of a kind, which every run records.
fn estimates(result: &RunResult, kind: RoutingKind) -> Vec<Vec<f32>> {
    let keys = result.timeline.keys.iter().enumerate();
    let perceived = keys.filter(|(_, key)| match key.subject {
        Subject::Estimate { by, .. } => by.kind == kind.node && *key.metric == PERCEIVED_LOAD,
        Subject::Node(_) | Subject::Resource { .. } | Subject::Link(_) | Subject::Line(_) => false,
    });
    perceived.map(|(position, _)| result.timeline.series(position).collect()).collect()
}

/// The findings of a run as text.
fn findings_text(scenario: &Scenario, result: &RunResult) -> Vec<String> {
    let text = |finding: &Finding| {
        format!("{} of {}: {:?}", finding.kind().name(), finding.subject, finding.evidence)
    };
    findings(scenario, result).iter().map(text).collect()
}

/// Asserts that a run with load balancers equals one with clients in every request. Returns the result with balancers.
fn assert_the_same(case: &str, policy: &str, changes: &[(&str, &str)]) -> RunResult {
    let [client, balancer] = [CLIENT, BALANCER].map(|kind| {
        let system = system(kind, 2, policy, changes);
        let result = run_logged(&system);
        let findings = findings_text(&system, &result);
        (result, findings)
    });
    let ((client, client_findings), (balancer, balancer_findings)) = (client, balancer);
    assert_eq!((client.events, client.fingerprint), (balancer.events, balancer.fingerprint), "{case}");
    assert_eq!(client.requests, balancer.requests, "{case}");
    assert_eq!(client.series, balancer.series, "{case}: perceived loads and rehash rates");
    assert_eq!(rehashed(&client), rehashed(&balancer), "{case}");
    let [client_estimates, balancer_estimates] =
        [estimates(&client, CLIENT), estimates(&balancer, BALANCER)].map(|all| format!("{all:?}"));
    assert_eq!(client_estimates, balancer_estimates, "{case}");
    assert_eq!(client_findings, balancer_findings, "{case}");
    balancer
}

#[test]
fn without_random_choices_a_balancer_does_the_same_as_a_client() {
    let result = assert_the_same("aware", AWARE_OF_TWO, &[]);
    assert!(rehashed(&result).iter().all(|&count| count > 100), "{:?}", rehashed(&result));
    assert_eq!(estimates(&result, BALANCER).len(), 2, "one for each server, by the group of nodes");

    // Each of two nodes samples the perceived load of two servers, its rehash rate and its arrival rate.
    assert_eq!(result.series.len(), 2 * (2 + 2));
    let peak = |name: &str, metric: &str| {
        let series = result.series.iter().find(|series| (&*series.node, &*series.name()) == (name, metric));
        series.expect("the scenario has this probe").samples.values().fold(0.0, f64::max)
    };
    for name in ["n-0", "n-1"] {
        let perceived = ["perceived_load(m-0)", "perceived_load(m-1)"].map(|metric| peak(name, metric));
        assert!(perceived[1] >= 0.9 && perceived.iter().all(|load| *load <= 1.0), "{name}: {perceived:?}");
        assert!(peak(name, REHASH_RATE.name) > 10.0, "{name}");
    }
    // Reading a perceived load drops expired reports; that does not change the run.
    let unprobed = Scenario { probes: Vec::new(), ..system(BALANCER, 2, AWARE_OF_TWO, &[]) };
    assert!(run_logged(&unprobed).requests == result.requests);
    let not_smart =
        assert_the_same("not smart", r#"LoadAware(window: "3s", threshold: 0.9, smart: false)"#, &[]);
    assert_eq!(
        (rehashed(&not_smart), estimates(&not_smart, BALANCER).len()),
        ([0, 0], 2),
        "it only records reports"
    );
    assert!(not_smart.requests != result.requests);
}

#[test]
fn the_policy_of_a_balancer_can_change_to_load_aware_and_back() {
    let by_key = assert_the_same("by key", "KeyHash", &[]);
    let change = ("12s", AWARE_OF_TWO);
    let switched = assert_the_same("switched", "KeyHash", &[change]);
    let back = assert_the_same("switched back", "KeyHash", &[change, ("18s", "KeyHash()")]);
    let rejected = |result: &RunResult| source(result, "hot").outcomes.of(Outcome::Rejected);
    assert!(
        rejected(&by_key) > rejected(&back) && rejected(&back) > rejected(&switched),
        "the longer routing is load-aware, the fewer rejections"
    );
    assert_eq!(rehashed(&by_key), [0, 0]);
    // Without load-aware routing, no request is rehashed, and no load is perceived.
    for (result, aware) in [(&switched, 12.0..41.0), (&back, 12.0..18.0)] {
        let [mut rehashes, mut estimates] = [0, 0];
        for series in &result.series {
            let samples = series.samples.iter().filter(|(_, value)| series.about.is_some() || *value > 0.0);
            let times: Vec<f64> = samples.map(|(at, _)| at.as_seconds()).collect();
            let while_aware = times.iter().all(|at| (aware.start..=aware.end).contains(at));
            if series.about.is_some() {
                assert!(while_aware, "{} {}: {times:?}", series.node, series.name());
                estimates += times.len();
            } else if *series.metric == REHASH_RATE {
                // A rate covers the time since the previous sample.
                let while_aware = times.iter().all(|at| (aware.start..=aware.end + 0.25).contains(at));
                assert!(while_aware, "{} {}: {times:?}", series.node, series.name());
                rehashes += times.len();
            }
        }
        assert!(rehashes > 10 && estimates > 50, "{rehashes} and {estimates} samples");
    }
    // A change at 0 s equals writing the policy in the node.
    let at_start = run_logged(&system(BALANCER, 2, "KeyHash", &[("0s", AWARE_OF_TWO)]));
    assert_eq!(at_start.requests, run_logged(&system(BALANCER, 2, AWARE_OF_TWO, &[])).requests);
}

/// With three servers, each kind of node draws the alternative server from its own random stream.
#[test]
fn with_random_choices_a_balancer_does_the_same_as_a_client_on_average() {
    let figures = |kind| {
        replicate(&system(kind, 3, AWARE, &[]), 60, |result| {
            let m = ["m-0", "m-1", "m-2"].map(|name| server(&result, name));
            let hot = source(&result, "hot");
            let latency = hot.latency.summarize().mean().expect("requests were served");
            let rehashed = rehashed(&result).iter().sum::<u64>();
            [
                ("rehashed", rehashed as f64),
                ("completed by the hot server", m[2].completed as f64),
                ("completed by another server", m[0].completed as f64),
                ("rejected", m.iter().map(|server| server.rejected).sum::<u64>() as f64),
                ("queue of the hot server", m[2].queue_depth_mean.expect("time has passed")),
                ("load of another server", m[1].utilization.expect("the server was up")),
                ("latency of the hot customer", latency * 1e-9),
            ]
        })
    };
    let (clients, balancers) = (figures(CLIENT), figures(BALANCER));
    assert_ne!(clients, balancers, "they draw from different streams");
    for column in 0..clients[0].len() {
        let differences = clients.iter().zip(&balancers).map(|(a, b)| b[column].1 - a[column].1);
        let difference = Estimate::of(differences);
        let mean = Estimate::of(clients.iter().map(|row| row[column].1)).mean;
        let name = clients[0][column].0;
        // With a larger error, the comparison would prove little.
        assert!(difference.standard_error < 0.1 * mean, "{name}: {difference:?} of {mean}");
        difference.assert_is(&format!("{name}, balancers minus clients"), 0.0);
    }
}

#[test]
fn load_aware_routing_needs_targets_that_report_their_load() {
    let text = r#"(name: "x", run_until: "9s", sources: {"s": (arrivals: Constant(rate: "1/s"), to: "n")},
        nodes: {"n": LoadBalancer(policy: LoadAware(window: "0s", threshold: 2.0), to: "c"), "b": LoadBalancer(policy: Random, to: "c"),
            "c": Client(to: "m"), "m": Server(service: Constant("1ms"))},
        probes: [(of: "b", gauges: [PerceivedLoad("m")], every: "1s"), (of: "n", gauges: [PerceivedLoad("c")], every: "1s")],
        changes: [(at: "1s", of: "b", set: Policy(LoadAware(window: "1s", threshold: 0.5)))])"#;
    let diagnostics = load("x.ron", text.as_bytes(), &[]).expect_err("the scenario is invalid").to_string();
    for expected in [
        "nodes.n.policy.window: with a window of 0 s",
        "nodes.n.policy.threshold: 2 is not a valid load",
        "nodes.n.policy: \"c\" is a client: only servers report their load",
        "changes.0.set: \"c\" is a client: only servers report their load",
        "probes.1.gauges.0: \"c\" is a client: only servers report their load",
    ] {
        assert!(diagnostics.contains(expected), "{expected}\n{diagnostics}");
    }
    assert!(!diagnostics.contains("probes.0"), "it remembers loads after the change:\n{diagnostics}");
    let unchanged =
        text.split(",\n        changes").next().expect("the text without changes").to_owned() + ")";
    let diagnostics =
        load("x.ron", unchanged.as_bytes(), &[]).expect_err("the scenario is invalid").to_string();
    assert!(diagnostics.contains("probes.0.gauges.0: \"b\" does not record reported loads"), "{diagnostics}");
}
