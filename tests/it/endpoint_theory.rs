//! Servers with endpoints match queueing theory, and the results of AsyncFlow, an ancestor of this simulator.

use rushhour::engine::random::RandomStream;
use rushhour::metrics::result::RunResult;
use rushhour::metrics::summary::Summary;
use rushhour::request::Outcome;
use rushhour::scenario::Scenario;
use serde_json::Value;

use crate::harness::{Estimate, assert_columns, replicate, run_once, scenario, source, statistical};

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

fn json(result: &RunResult) -> Value {
    serde_json::to_value(Summary::of(result)).expect("a summary can be written as JSON")
}

/// A number in a summary.
fn number(value: &Value) -> f64 {
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

/// Asserts that our figure agrees with theirs: the means differ by at most three standard errors of their difference.
/// Without a known sd, theirs is taken as ours.
#[expect(clippy::print_stdout, reason = "the figures, shown with --nocapture")]
fn agrees(name: &str, ours: Estimate, (mean, sd): (f64, Option<f64>), seeds: f64) {
    let sd = sd.unwrap_or(ours.sd);
    let error = (sd * sd / seeds + ours.standard_error * ours.standard_error).sqrt();
    println!(
        "{name}: {:.6} (sd {:.6}), theirs {mean}: {:+.2} se",
        ours.mean,
        ours.sd,
        (ours.mean - mean) / error
    );
    assert!((ours.mean - mean).abs() <= 3.0 * error, "{name}: {} instead of {mean} +- {error}", ours.mean);
}

/// Their figures over these numbers of seeds: mean, and standard deviation of a seed if it is known.
fn assert_agreement(rows: &[Vec<f64>], seeds: f64, theirs: &[(&str, f64, Option<f64>)]) {
    for (column, &(name, mean, sd)) in theirs.iter().enumerate() {
        agrees(name, Estimate::of(rows.iter().map(|row| row[column])), (mean, sd), seeds);
    }
}

fn milliseconds(result: &RunResult) -> Vec<f64> {
    let latency = source(result, "users").latency.summarize();
    let quantile = |q| latency.quantile(q).expect("requests were served") as f64 * 1e-6;
    vec![latency.mean().expect("requests were served") * 1e-6, quantile(0.5), quantile(0.95), quantile(0.99)]
}

fn completed(result: &RunResult) -> f64 {
    source(result, "users").outcomes.of(Outcome::Completed) as f64
}

/// Source of their figures: AsyncFlow, a single event-loop server, 20 seeds. Each of its three edges loses one message in a
/// hundred.
#[test]
fn a_server_of_asyncflow_has_its_figures() {
    let mut stream = RandomStream::from_seed(47);
    let measure = |loss: f64, stream: &mut RandomStream| {
        let seed: u64 = rand::Rng::next_u64(stream) >> 24;
        let system = scenario(&format!(
            r#"Scenario(
                name: "one server", seed: {seed}, run_until: "300s",
                sources: {{ "users": (arrivals: Users(count: Poisson(mean: 100), requests: "20 rpm"), to: "client") }},
                nodes: {{
                    "client": LoadBalancer(policy: Random, to: "server"),
                    "server": Server(cores: 2, memory: "2048MB", endpoints: {{
                        "e": (steps: [Memory("100MB"), Cpu(Constant("5ms"))]),
                    }}),
                }},
                links: [
                    (from: "users", to: "client", latency: Exponential(mean: "3ms"), response_latency: Constant("0s"), loss: {loss}, response_loss: 0.0),
                    (from: "client", to: "server", latency: Exponential(mean: "3ms"), loss: {loss}),
                ],
            )"#
        ));
        let result = run_once(&system);
        let memory = number(&json(&result)["nodes"]["server"]["resources"]["memory"]["in_use_mean"]) / 1e6;
        [vec![completed(&result)], milliseconds(&result), vec![memory]].concat()
    };
    let rows: Vec<_> = (0..60).map(|_| measure(0.01, &mut stream)).collect();
    assert_agreement(
        &rows,
        20.0,
        &[
            ("completed", 9684.0, Some(407.0)),
            ("mean latency", 14.015, Some(0.052)),
            ("p50", 13.05, None),
            ("p95", 23.88, None),
            ("p99", 30.17, None),
            ("mean memory", 16.4, None),
        ],
    );
    let rows: Vec<_> = (0..60).map(|_| measure(0.0, &mut stream)).collect();
    let theirs = [("completed without loss", 10045.0, Some(453.0)), ("mean latency", 14.007, Some(0.068))];
    assert_agreement(&rows, 20.0, &theirs);
}

/// Source of their figures: AsyncFlow, two event-loop servers behind a balancer, 10 seeds.
#[test]
fn two_balanced_servers_of_asyncflow_have_their_figures() {
    let mut stream = RandomStream::from_seed(53);
    let mut measure = || {
        let seed: u64 = rand::Rng::next_u64(&mut stream) >> 24;
        let system = scenario(&format!(
            r#"Scenario(
                name: "two servers", seed: {seed}, run_until: "600s",
                sources: {{ "users": (arrivals: Users(count: Poisson(mean: 400), requests: "20 rpm"), to: "client") }},
                nodes: {{
                    "client": LoadBalancer(policy: Random, to: "balancer"),
                    "balancer": LoadBalancer(policy: RoundRobin, to: "server"),
                    "server": Server(count: 2, cores: 1, memory: "2048MB", endpoints: {{
                        "e": (steps: [Memory("128MB"), Cpu(Constant("2ms")), Io(Constant("12ms"))]),
                    }}),
                }},
                links: [
                    (from: "users", to: "client", latency: Exponential(mean: "3ms"), response_latency: Constant("0s"), loss: 0.01, response_loss: 0.0),
                    (from: "client", to: "balancer", latency: Exponential(mean: "2ms"), response_latency: Constant("0s"), loss: 0.01, response_loss: 0.0),
                    (from: "balancer", to: "server", latency: Exponential(mean: "2ms"), response_latency: Exponential(mean: "3ms"), loss: 0.01),
                ],
                probes: [(of: "server", gauges: [InIo], every: "10ms")],
            )"#
        ));
        let result = run_once(&system);
        let in_io = result.series.iter().map(|series| {
            series.samples.iter().map(|(_, value)| value).sum::<f64>() / series.samples.len() as f64
        });
        let [mean, _, p95, p99] = milliseconds(&result)[..] else { unreachable!("four figures") };
        [vec![completed(&result), mean, p95, p99], in_io.collect()].concat()
    };
    let rows: Vec<_> = (0..20).map(|_| measure()).collect();
    assert_agreement(
        &rows,
        10.0,
        &[
            ("completed", 76_543.0, Some(1640.0)),
            ("mean latency", 24.045, Some(0.023)),
            ("p95", 33.65, None),
            ("p99", 39.68, None),
            ("requests in I/O at the first", 0.772, None),
            ("requests in I/O at the second", 0.774, None),
        ],
    );
}
