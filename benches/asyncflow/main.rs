//! The speed of an imported scenario: two event-loop servers behind a balancer for ten minutes, in which AsyncFlow completes
//! 76,543 requests (mean of 10 seeds). It samples twelve series, as often as the line says.
//!
//! `cargo bench --bench asyncflow`
//!
//! With `ASYNCFLOW_PYTHON` set to a Python that has AsyncFlow 0.1.1 (`pip install asyncflow-sim`), it runs the same files with
//! AsyncFlow, in turn with its own runs, and prints how many times faster they are: the median over the rounds.

#![expect(clippy::print_stdout, clippy::disallowed_types, reason = "a benchmark measures and prints times")]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use rushhour::import::{Format, Meaning, import};
use rushhour::request::Outcome;
use rushhour::scenario::{Scenario, load};
use rushhour::simulation::{RunOptions, run};

/// Number of runs in a round, each with a seed of its own.
const RUNS: u64 = 30;

/// Number of rounds. One is enough without AsyncFlow.
const ROUNDS: usize = 5;

/// With the algorithm `round_robin`, and samples every 10 ms.
const SYSTEM: &str = include_str!("two_servers.yml");

/// Simulates a file, and prints how many seconds it took to read and to run it.
const ASYNCFLOW: &str = "
import sys, time, simpy
from pathlib import Path
from asyncflow import SimulationRunner
start = time.perf_counter()
SimulationRunner.from_yaml(env=simpy.Environment(), yaml_path=Path(sys.argv[1])).run()
print(time.perf_counter() - start)
";

/// What a run has done, and the seconds of wall time that it took.
#[derive(Clone, Copy)]
struct Measured {
    events: u64,
    completed: u64,
    seconds: f64,
}

fn main() {
    let python = std::env::var("ASYNCFLOW_PYTHON").ok();
    let rounds = if python.is_some() { ROUNDS } else { 1 };
    for (name, from, to) in [
        ("round robin, 10 ms", "", ""),
        ("least connections, 10 ms", "round_robin", "least_connection"),
        ("round robin, 50 ms", "sample_period_s: 0.01", "sample_period_s: 0.05"),
        (
            "round robin, no samples",
            "sample_period_s: 0.01",
            "sample_period_s: 0.1, enabled_sample_metrics: []",
        ),
    ] {
        let yaml = SYSTEM.replacen(from, to, 1);
        let mut rounds: Vec<(Measured, Option<f64>)> = (0..rounds)
            .map(|_| {
                let before = median(&yaml);
                let theirs = python.as_deref().map(|python| asyncflow(python, &yaml));
                let after = median(&yaml);
                let seconds = f64::midpoint(before.seconds, after.seconds);
                (Measured { seconds, ..after }, theirs.map(|theirs| theirs / seconds))
            })
            .collect();
        rounds.sort_by(|(_, a), (_, b)| a.unwrap_or(0.0).total_cmp(&b.unwrap_or(0.0)));
        let (Measured { events, completed, seconds }, times) = rounds[rounds.len() / 2];
        print!(
            "{name:24} {:5.1} million events/s, {:.0} thousand requests/s, {:.0} virtual seconds a second",
            events as f64 / seconds / 1e6,
            completed as f64 / seconds / 1e3,
            600.0 / seconds,
        );
        let range = [rounds[0].1, rounds[rounds.len() - 1].1];
        match (times, range) {
            (Some(times), [Some(least), Some(most)]) => {
                println!(", {times:.0} times as fast as AsyncFlow ({least:.0} to {most:.0})");
            }
            _ => println!(),
        }
    }
}

/// The run of median time in a round.
fn median(yaml: &str) -> Measured {
    let start = Instant::now();
    let text = import(Format::Asyncflow, "b.yml", yaml.as_bytes(), Meaning::Faithful).expect("valid");
    let scenario = load("b.ron", text.as_bytes(), &[]).expect("valid").scenario;
    let imported = start.elapsed().as_secs_f64();
    let mut runs: Vec<Measured> = (1..=RUNS).map(|seed| measure(&scenario, seed)).collect();
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let run = runs[runs.len() / 2];
    Measured { seconds: imported + run.seconds, ..run }
}

fn measure(scenario: &Scenario, seed: u64) -> Measured {
    let start = Instant::now();
    let result = run(scenario, RunOptions { seed: Some(seed), ..RunOptions::default() }).expect("a run");
    let seconds = start.elapsed().as_secs_f64();
    let completed = result.sources[0].outcomes.of(Outcome::Completed);
    Measured { events: result.events, completed, seconds }
}

/// The seconds that AsyncFlow takes.
fn asyncflow(python: &str, yaml: &str) -> f64 {
    let mut file = tempfile::NamedTempFile::with_suffix(".yml").expect("a file");
    file.write_all(yaml.as_bytes()).expect("writable");
    let path: &Path = file.path();
    let output = Command::new(python)
        .args(["-c", ASYNCFLOW])
        .arg(path)
        .output()
        .expect("ASYNCFLOW_PYTHON is a program");
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(Ok(seconds)) = text.lines().last().map(str::parse) else {
        panic!("AsyncFlow says: {text}{}", String::from_utf8_lossy(&output.stderr));
    };
    seconds
}
