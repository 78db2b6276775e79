//! The cost of the steps of an endpoint: a request that takes four steps, compared with one that is served by a plain
//! service time. Both are run in turn, so that other load on the machine slows down both. Quote ratios.
//!
//! `cargo bench --bench steps`

#![expect(clippy::print_stdout, clippy::disallowed_types, reason = "a benchmark measures and prints times")]

use std::time::Instant;

use rushhour::scenario::load;
use rushhour::simulation::{RunOptions, run};

/// Number of rounds.
const ROUNDS: usize = 15;
/// Number of requests of a run.
const REQUESTS: u32 = 1_000_000;

/// Ways to serve a request for 4 ms on average.
const SERVERS: [(&str, &str); 4] = [
    ("service", r#"service: Exponential(mean: "4ms")"#),
    ("one step", r#"endpoints: {"e": (steps: [Sleep(Exponential(mean: "4ms"))])}"#),
    (
        "four steps",
        r#"cores: 500, endpoints: {"e": (steps: [
            Cpu(Exponential(mean: "1ms")), Io(Exponential(mean: "1ms")),
            Cpu(Exponential(mean: "1ms")), Io(Exponential(mean: "1ms")),
        ])}"#,
    ),
    (
        "four steps and resources",
        r#"cores: 500, memory: "100GB", pools: {"p": 500}, endpoints: {"e": (steps: [
            Memory("10MB"), Cpu(Exponential(mean: "2ms")), Hold(pool: "p", steps: [Io(Exponential(mean: "2ms"))]),
        ])}"#,
    ),
];

/// Seconds that a run takes, from text to result.
fn seconds(server: &str) -> f64 {
    let text = format!(
        r#"Scenario(
            name: "steps", seed: 7, run_until: "100s",
            sources: {{"users": (arrivals: Poisson(rate: "100000/s"), to: "n", max_requests: {REQUESTS})}},
            nodes: {{"n": Server(concurrency: 1000, {server})}},
        )"#
    );
    let start = Instant::now();
    let loaded = load("steps", text.as_bytes(), &[]).expect("the scenario is valid");
    let result = run(&loaded.scenario, RunOptions::default()).expect("every request is accounted for");
    assert_eq!(result.sources[0].outcomes.ended(), u64::from(REQUESTS));
    start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let mut times = [const { Vec::new() }; SERVERS.len()];
    for _ in 0..ROUNDS {
        for (times, (_, server)) in times.iter_mut().zip(SERVERS) {
            times.push(seconds(server));
        }
    }
    for (of_server, (name, _)) in times.iter().zip(SERVERS) {
        let each = median(of_server.clone()) * 1e9 / f64::from(REQUESTS);
        // Of times that were measured one after the other, so that a machine that becomes slower does not count.
        let ratio = median(of_server.iter().zip(&times[0]).map(|(time, plain)| time / plain).collect());
        println!("{name:26} {each:6.0} ns per request, {ratio:.2} times a service");
    }
}
