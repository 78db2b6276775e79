//! Servers with endpoints match queueing theory.

use rushhour::metrics::result::RunResult;
use rushhour::metrics::summary::Summary;
use rushhour::scenario::Scenario;
use serde_json::Value;

use crate::harness::{assert_columns, replicate, scenario, source, statistical};

/// A source "users" that sends to "api", for 2,000 s after a warm-up.
fn system(rate: f64, nodes: &str) -> Scenario {
    scenario(&format!(
        r#"Scenario(
            name: "endpoints", run_until: "2200s", warm_up: "200s",
            sources: {{ "users": (arrivals: Poisson(rate: "{rate}/s"), to: "api") }},
            nodes: {{ {nodes} }},
        )"#
    ))
}

pub(crate) fn json(result: &RunResult) -> Value {
    serde_json::to_value(Summary::of(result)).expect("a summary can be written as JSON")
}

/// A number in a summary.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn mean_latency(result: &RunResult) -> f64 {
    source(result, "users").latency.summarize().mean().expect("requests were served") * 1e-9
}

statistical!(cores_match_m_m_c, 12, 30);

/// With unlimited slots, the cores are the servers of M/M/c (Erlang C).
fn cores_match_m_m_c(replications: u64) {
    for (cores, rate) in [(1_u32, 80.0), (4, 360.0)] {
        let nodes = format!(
            r#""api": Server(cores: {cores}, endpoints: {{"e": (steps: [Cpu(Exponential(mean: "10ms"))])}})"#
        );
        let rows = replicate(&system(rate, &nodes), replications, |result| {
            let json = json(&result);
            let cores = &json["nodes"]["api"]["resources"]["cores"];
            [
                mean_latency(&result),
                number(&cores["wait"]["mean"]),
                number(&cores["waiting_mean"]),
                number(&cores["utilization"]),
                number(&json["nodes"]["api"]["endpoints"]["e"]["core_wait_mean"]),
            ]
        });
        let offered = rate * 0.01;
        let b = (1..=cores).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b));
        let load = offered / f64::from(cores);
        let must_wait = b / (1.0 - load * (1.0 - b));
        let wait = must_wait * 0.01 / (f64::from(cores) - offered);
        assert_columns(
            &rows,
            &format!("{cores} cores"),
            [
                ("mean latency", wait + 0.01),
                ("mean wait", wait),
                ("mean ready queue", rate * wait),
                ("utilization", load),
                ("mean wait of the endpoint", wait),
            ],
        );
    }
}

#[test]
fn io_without_limits_matches_m_g_infinity() {
    let nodes = r#""api": Server(endpoints: {"e": (steps: [Io(LogNormal(mean: "100ms", sd: "200ms"))])})"#;
    let rows = replicate(&system(50.0, nodes), 12, |result| {
        let api = &json(&result)["nodes"]["api"];
        [mean_latency(&result), number(&api["in_service_mean"])]
    });
    assert_columns(&rows, "M/G/infinity", [("mean latency", 0.1), ("mean number in the system", 5.0)]);
}

statistical!(two_branches_match_the_fork_join_queue, 12, 40);

/// Two queues with exponential services that each request joins: the mean response time is (12 - u) / 8 times that of one
/// queue at utilization u. Flatto, Hahn: "Two parallel queues created by arrivals with two demands", 1984; Nelson,
/// Tantawi: "Approximate analysis of fork/join synchronization in parallel queues", 1988.
fn two_branches_match_the_fork_join_queue(replications: u64) {
    for load in [0.5, 0.8] {
        let nodes = r#""api": Server(endpoints: {"e": (steps: [Parallel(branches: [[Call("a")], [Call("b")]])])}),
            "a": Server(service: Exponential(mean: "10ms")), "b": Server(service: Exponential(mean: "10ms"))"#;
        let rows = replicate(&system(100.0 * load, nodes), replications, |result| [mean_latency(&result)]);
        let theory = (12.0 - load) / 8.0 * 0.01 / (1.0 - load);
        assert_columns(&rows, &format!("fork-join at {load}"), [("mean response time", theory)]);
    }
}

#[test]
fn the_tail_of_a_fan_out_grows_with_the_number_of_leaves() {
    // A leaf is slow once in a hundred times. Of a request to n leaves, 1 - 0.99^n see at least one that is. Dean,
    // Barroso: "The tail at scale", 2013.
    for leaves in [1, 10, 100] {
        let leaf = r#"[Call("leaf")]"#;
        let branches = vec![leaf; leaves].join(", ");
        let nodes = format!(
            r#""api": Server(endpoints: {{"e": (steps: [Parallel(branches: [{branches}])])}}),
            "leaf": Server(endpoints: {{"e": (steps: [Choose([
                (0.99, [Sleep(Constant("10ms"))]), (0.01, [Sleep(Constant("1s"))]),
            ])])}})"#
        );
        let mut one = system(10.0, &nodes);
        one.run_until = rushhour::engine::time::SimDuration::from_seconds(500);
        let rows = replicate(&one, 12, |result| {
            let latency = source(&result, "users").latency.summarize();
            let slow = latency.histogram().ranges().filter(|(low, _, _)| *low > 500_000_000);
            [slow.map(|(_, _, count)| count).sum::<u64>() as f64 / latency.count() as f64]
        });
        let theory = 1.0 - libm::pow(0.99, leaves as f64);
        assert_columns(&rows, &format!("{leaves} leaves"), [("share of slow requests", theory)]);
    }
}
