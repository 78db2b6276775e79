//! The speed of an imported scenario: two event-loop servers behind a balancer for ten minutes, in which AsyncFlow completes
//! 76,543 requests (mean of 10 seeds), at 0.13 to 0.145 million of its events per second on the machine of the other figures.
//!
//! Events of the two are not of equal size, so requests per second of wall time are printed as well.
//!
//! `cargo bench --bench asyncflow`

#![expect(clippy::print_stdout, clippy::disallowed_types, reason = "a benchmark measures and prints times")]

use std::time::Instant;

use rushhour::import::{Format, Meaning, import};
use rushhour::request::Outcome;
use rushhour::scenario::{Scenario, load};
use rushhour::simulation::{RunOptions, run};

/// Number of runs, each with a seed of its own.
const RUNS: u64 = 30;

/// With the algorithm `round_robin`.
const SYSTEM: &str = include_str!("two_servers.yml");

/// Events, completed requests and seconds of wall time of a run.
fn measure(scenario: &Scenario, seed: u64) -> [f64; 3] {
    let start = Instant::now();
    let result = run(scenario, RunOptions { seed: Some(seed), ..RunOptions::default() }).expect("a run");
    let seconds = start.elapsed().as_secs_f64();
    let completed = result.sources[0].outcomes.of(Outcome::Completed);
    [result.events as f64, completed as f64, seconds]
}

fn main() {
    for algorithm in ["round_robin", "least_connection"] {
        let yaml = SYSTEM.replace("round_robin", algorithm);
        let start = Instant::now();
        let text = import(Format::Asyncflow, "b.yml", yaml.as_bytes(), Meaning::Faithful).expect("valid");
        let scenario = load("b.ron", text.as_bytes(), &[]).expect("valid").scenario;
        let imported = start.elapsed().as_secs_f64();
        let mut runs: Vec<[f64; 3]> = (1..=RUNS).map(|seed| measure(&scenario, seed)).collect();
        runs.sort_by(|a, b| a[2].total_cmp(&b[2]));
        let [events, completed, seconds] = runs[runs.len() / 2];
        println!(
            "{algorithm:16} {:.2} million events/s, {:.0} thousand requests/s, {:.0} virtual seconds a second; import \
             {:.1} ms",
            events / seconds / 1e6,
            completed / seconds / 1e3,
            600.0 / seconds,
            imported * 1e3,
        );
    }
}
