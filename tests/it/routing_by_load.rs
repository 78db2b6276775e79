//! A load balancer routes by load as a client does: one policy serves both.

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

/// A node that routes, of either kind: what it is called, where it writes how it routes, and what sets that.
#[derive(Clone, Copy)]
struct Kind {
    node: NodeKind,
    name: &'static str,
    field: &'static str,
    setting: &'static str,
}

const CLIENT: Kind = Kind { node: NodeKind::Client, name: "Client", field: "routing", setting: "Routing" };
const BALANCER: Kind =
    Kind { node: NodeKind::LoadBalancer, name: "LoadBalancer", field: "policy", setting: "Policy" };

/// Two nodes of a kind behind a door, and servers of which one has a hot customer for a while.
fn system(kind: Kind, servers: u32, policy: &str, changes: &[(&str, &str)]) -> Scenario {
    let Kind { name, field, setting, .. } = kind;
    let listens =
        changes.iter().map(|(_, policy)| *policy).chain([policy]).any(|policy| policy.contains("LoadAware"));
    let perceived = if listens { "PerceivedLoad(\"m\"), " } else { "" };
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
/// With two servers the one that is tried until it is found is always the same: the other one, but for one time in 2^64.
const AWARE_OF_TWO: &str = r#"LoadAware(window: "3s", threshold: 0.9, attempts: 64)"#;

fn rehashed(result: &RunResult) -> [u64; 2] {
    // A node has one of them.
    let count =
        |figures: &NodeFigures| figures.count(&client::REHASHED) + figures.count(&load_balancer::REHASHED);
    ["n-0", "n-1"].map(|name| count(&node(result, name).figures))
}

/// What the nodes of a kind took the load of the servers to be, as every run records it.
fn estimates(result: &RunResult, kind: Kind) -> Vec<Vec<f32>> {
    let keys = result.timeline.keys.iter().enumerate();
    let theirs = keys.filter(|(_, key)| match key.subject {
        Subject::Estimate { by, .. } => by.kind == kind.node && *key.metric == PERCEIVED_LOAD,
        Subject::Node(_) | Subject::Link(_) => false,
    });
    theirs.map(|(position, _)| result.timeline.series(position).collect()).collect()
}

fn told(scenario: &Scenario, result: &RunResult) -> Vec<String> {
    let words = |finding: &Finding| {
        format!("{} of {}: {:?}", finding.kind().name(), finding.subject, finding.evidence)
    };
    findings(scenario, result).iter().map(words).collect()
}

/// Asserts that a balancer does to the last request what a client does, and returns what that is.
fn assert_the_same(what: &str, policy: &str, changes: &[(&str, &str)]) -> RunResult {
    let [client, balancer] = [CLIENT, BALANCER].map(|kind| {
        let system = system(kind, 2, policy, changes);
        let result = run_logged(&system);
        let told = told(&system, &result);
        (result, told)
    });
    let ((client, by_client), (balancer, by_balancer)) = (client, balancer);
    assert_eq!((client.events, client.fingerprint), (balancer.events, balancer.fingerprint), "{what}");
    assert_eq!(client.requests, balancer.requests, "{what}");
    assert_eq!(client.series, balancer.series, "{what}: perceived loads and what was sent elsewhere");
    assert_eq!(rehashed(&client), rehashed(&balancer), "{what}");
    let [of_client, of_balancer] =
        [estimates(&client, CLIENT), estimates(&balancer, BALANCER)].map(|all| format!("{all:?}"));
    assert_eq!(of_client, of_balancer, "{what}");
    assert_eq!(by_client, by_balancer, "{what}");
    balancer
}

#[test]
fn a_balancer_does_what_a_client_does_where_chance_has_no_say() {
    let result = assert_the_same("aware", AWARE_OF_TWO, &[]);
    assert!(rehashed(&result).iter().all(|&count| count > 100), "{:?}", rehashed(&result));
    assert_eq!(estimates(&result, BALANCER).len(), 2, "of each server, by the group");

    // Each of two nodes samples what it believes of two servers, what it sends elsewhere and what it gets.
    assert_eq!(result.series.len(), 2 * (2 + 2));
    let most = |name: &str, metric: &str| {
        let series = result.series.iter().find(|series| (&*series.node, &*series.name()) == (name, metric));
        series.expect("it is probed").samples.iter().map(|sample| sample.1).fold(0.0, f64::max)
    };
    for name in ["n-0", "n-1"] {
        let believed = ["perceived_load(m-0)", "perceived_load(m-1)"].map(|metric| most(name, metric));
        assert!(believed[1] >= 0.9 && believed.iter().all(|load| *load <= 1.0), "{name}: {believed:?}");
        assert!(most(name, REHASH_RATE.name) > 10.0, "{name}");
    }
    // Reports are forgotten while one looks at them; that changes nothing.
    let unseen = Scenario { probes: Vec::new(), ..system(BALANCER, 2, AWARE_OF_TWO, &[]) };
    assert!(run_logged(&unseen).requests == result.requests);
    let deaf = assert_the_same("deaf", r#"LoadAware(window: "3s", threshold: 0.9, smart: false)"#, &[]);
    assert_eq!((rehashed(&deaf), estimates(&deaf, BALANCER).len()), ([0, 0], 2), "it only listens");
    assert!(deaf.requests != result.requests);
}

#[test]
fn the_policy_of_a_balancer_is_switched_to_load_and_back() {
    let by_key = assert_the_same("by key", "KeyHash", &[]);
    let there = ("12s", AWARE_OF_TWO);
    let switched = assert_the_same("there", "KeyHash", &[there]);
    let back = assert_the_same("there and back", "KeyHash", &[there, ("18s", "KeyHash()")]);
    let lost = |result: &RunResult| source(result, "hot").outcomes.of(Outcome::Rejected);
    assert!(lost(&by_key) > lost(&back) && lost(&back) > lost(&switched), "the earlier, the fewer");
    assert_eq!(rehashed(&by_key), [0, 0]);
    // Nothing is sent elsewhere by those who go by keys alone, nor does anybody know of loads before somebody listens.
    for (result, listens) in [(&switched, 12.0..41.0), (&back, 12.0..18.0)] {
        let [mut elsewhere, mut estimates] = [0, 0];
        for series in &result.series {
            let when = series.samples.iter().filter(|(_, value)| series.about.is_some() || *value > 0.0);
            let when: Vec<f64> = when.map(|(at, _)| at.as_seconds()).collect();
            let meanwhile = when.iter().all(|at| (listens.start..=listens.end).contains(at));
            if series.about.is_some() {
                assert!(meanwhile, "{} {}: {when:?}", series.node, series.name());
                estimates += when.len();
            } else if *series.metric == REHASH_RATE {
                // A rate is that of the time since the last sample.
                let meanwhile = when.iter().all(|at| (listens.start..=listens.end + 0.25).contains(at));
                assert!(meanwhile, "{} {}: {when:?}", series.node, series.name());
                elsewhere += when.len();
            }
        }
        assert!(elsewhere > 10 && estimates > 50, "{elsewhere} and {estimates} samples");
    }
    // From the start on it is what was written from the start.
    let at_once = run_logged(&system(BALANCER, 2, "KeyHash", &[("0s", AWARE_OF_TWO)]));
    assert_eq!(at_once.requests, run_logged(&system(BALANCER, 2, AWARE_OF_TWO, &[])).requests);
}

/// With three servers each kind of node draws the other one that it tries, from a stream of its own.
#[test]
fn where_chance_has_a_say_a_balancer_does_the_same_on_average() {
    let figures = |kind| {
        replicate(&system(kind, 3, AWARE, &[]), 60, |result| {
            let m = ["m-0", "m-1", "m-2"].map(|name| server(&result, name));
            let hot = source(&result, "hot");
            let latency = hot.latency.summarize().mean().expect("requests were served");
            let [elsewhere, more] = rehashed(&result);
            [
                ("rehashed", (elsewhere + more) as f64),
                ("completed by the hot server", m[2].completed as f64),
                ("completed by another one", m[0].completed as f64),
                ("rejected", m.iter().map(|server| server.rejected).sum::<u64>() as f64),
                ("queue of the hot server", m[2].queue_depth_mean.expect("time passes")),
                ("load of another server", m[1].utilization.expect("it was up")),
                ("latency of the hot customer", latency * 1e-9),
            ]
        })
    };
    let (clients, balancers) = (figures(CLIENT), figures(BALANCER));
    assert_ne!(clients, balancers, "they draw from streams of their own");
    for column in 0..clients[0].len() {
        let differences = clients.iter().zip(&balancers).map(|(a, b)| b[column].1 - a[column].1);
        let difference = Estimate::of(differences);
        let mean = Estimate::of(clients.iter().map(|row| row[column].1)).mean;
        let what = clients[0][column].0;
        // A comparison that can tell little would tell nothing.
        assert!(difference.standard_error < 0.1 * mean, "{what}: {difference:?} of {mean}");
        difference.assert_is(&format!("{what}, balancers less clients"), 0.0);
    }
}

#[test]
fn a_balancer_that_goes_by_load_sends_to_those_who_tell_it() {
    let text = r#"(name: "x", run_until: "9s", sources: {"s": (arrivals: Constant(rate: "1/s"), to: "n")},
        nodes: {"n": LoadBalancer(policy: LoadAware(window: "0s", threshold: 2.0), to: "c"), "b": LoadBalancer(policy: Random, to: "c"),
            "c": Client(to: "m"), "m": Server(service: Constant("1ms"))},
        probes: [(of: "b", gauges: [PerceivedLoad("m")], every: "1s"), (of: "n", gauges: [PerceivedLoad("c")], every: "1s")],
        changes: [(at: "1s", of: "b", set: Policy(LoadAware(window: "1s", threshold: 0.5)))])"#;
    let said = load("x.ron", text.as_bytes(), &[]).expect_err("much is wrong").to_string();
    for expected in [
        "nodes.n.policy.window: a window of no time",
        "nodes.n.policy.threshold: 2 is no load",
        "nodes.n.policy: \"c\" is a client: only servers report their load",
        "changes.0.set: \"c\" is a client: only servers report their load",
        "probes.1.gauges.0: \"c\" is a client: only servers report their load",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    assert!(!said.contains("probes.0"), "it will remember loads:\n{said}");
    let deaf = text.split(",\n        changes").next().expect("the text without changes").to_owned() + ")";
    let said = load("x.ron", deaf.as_bytes(), &[]).expect_err("much is wrong").to_string();
    assert!(said.contains("probes.0.gauges.0: \"b\" does not remember loads"), "{said}");
}
