//! Helpers of the tests: scenarios from text, runs in replications, and estimates with their standard errors.
//!
//! Tolerances come from the spread between replications, which are independent of each other. Waiting times within a
//! run are correlated, so their spread does not give a standard error.

use std::path::{Path, PathBuf};

use rushhour::engine::random::{Draw as _, RandomStream};
use rushhour::engine::statistics::Tally;
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::event::{Node, NodeKind};
use rushhour::metrics::figures::{FigureValue, NodeFigures};
use rushhour::metrics::result::{NodeResult, RunResult, SourceResult};
use rushhour::model::figure::{
    ARRIVED, CALL_TIME, COMPLETED, CONCURRENCY, Figure, IN_SERVICE_MEAN, QUEUE_DEPTH_MAX, QUEUE_DEPTH_MEAN,
    REJECTED, SERVICE, SLOTS_MEAN, UTILIZATION, WAIT,
};
use rushhour::model::server::LOST;
use rushhour::request::RequestRecord;
use rushhour::scenario::{Scenario, load_in};
use rushhour::simulation::{LogLevel, RunOptions, Simulation, run};

/// Maximum deviation of an estimate from theory, in standard errors. With 30 replications, one estimate in 2,500
/// deviates more by chance, with 12 one in 480; seeds are fixed, so that a test that has passed keeps passing.
pub(crate) const Z: f64 = 4.0;

/// A test with fewer replications, and another one with all of them that is ignored by default.
macro_rules! statistical {
    ($test:ident, $fewer:literal, $all:literal) => {
        mod $test {
            #[test]
            fn fewer_replications() {
                super::$test($fewer);
            }

            #[test]
            #[ignore = "all replications"]
            fn all_replications() {
                super::$test($all);
            }
        }
    };
}

pub(crate) use statistical;

/// The scenario in a text.
pub(crate) fn scenario(text: &str) -> Scenario {
    scenario_with(text, &[])
}

/// The scenario in a text, with overrides of some values. Traces are found in the directory of scenarios.
pub(crate) fn scenario_with(text: &str, overrides: &[&str]) -> Scenario {
    let overrides: Vec<String> = overrides.iter().map(|&value| value.to_owned()).collect();
    let loaded = load_in(&root().join("scenarios"), "test.ron", text.as_bytes(), &overrides);
    loaded.unwrap_or_else(|error| panic!("{error}")).scenario
}

/// File names and texts of the shipped scenarios, in alphabetical order.
pub(crate) fn shipped() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("scenarios"))
        .expect("the directory of scenarios")
        .map(|entry| entry.expect("a directory entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ron"))
        .collect();
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("a scenario is UTF-8"))
    };
    files.iter().map(read).collect()
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One run.
pub(crate) fn run_once(scenario: &Scenario) -> RunResult {
    run(scenario, RunOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// One run with a record of every request.
pub(crate) fn run_logged(scenario: &Scenario) -> RunResult {
    run_with_log(scenario, LogLevel::Requests)
}

/// One run with a record of every request and call.
pub(crate) fn run_with_calls_logged(scenario: &Scenario) -> RunResult {
    run_with_log(scenario, LogLevel::Calls)
}

fn run_with_log(scenario: &Scenario, log: LogLevel) -> RunResult {
    run(scenario, RunOptions { log, ..RunOptions::default() }).unwrap_or_else(|error| panic!("{error}"))
}

/// Asserts that a run in steps of random width, with tracing, is the same as one in a whole, which has a record of every
/// request and call.
pub(crate) fn assert_steps_change_nothing(scenario: &Scenario, whole: &RunResult, stream: &mut RandomStream) {
    let options = RunOptions { log: LogLevel::Calls, ..RunOptions::default() };
    let mut stepped = Simulation::new(scenario, options).expect("a scenario");
    stepped.enable_tracing();
    let width = stepped.end().as_nanos() / 20;
    let mut now = SimTime::ZERO;
    while now < stepped.end() {
        now = now + SimDuration::from_nanos(1 + stream.below(width));
        while !stepped.advance(now, 1 + stream.below(7)) {}
    }
    let stepped = stepped.finish().expect("all requests are accounted for");
    assert_eq!((stepped.events, stepped.fingerprint), (whole.events, whole.fingerprint), "{scenario:?}");
    assert_eq!(stepped.requests, whole.requests);
}

/// The values of `measure` for a number of replications.
pub(crate) fn replicate<T>(
    scenario: &Scenario,
    replications: u64,
    measure: impl Fn(RunResult) -> T,
) -> Vec<T> {
    replicate_with(scenario, replications, RunOptions::default(), measure)
}

/// The values of `measure` for a number of replications with a record of every request.
pub(crate) fn replicate_logged<T>(
    scenario: &Scenario,
    replications: u64,
    measure: impl Fn(RunResult) -> T,
) -> Vec<T> {
    let options = RunOptions { log: LogLevel::Requests, ..RunOptions::default() };
    replicate_with(scenario, replications, options, measure)
}

fn replicate_with<T>(
    scenario: &Scenario,
    replications: u64,
    options: RunOptions,
    measure: impl Fn(RunResult) -> T,
) -> Vec<T> {
    (0..replications)
        .map(|replication| {
            let options = RunOptions { replication, ..options };
            measure(run(scenario, options).unwrap_or_else(|error| panic!("{error}")))
        })
        .collect()
}

/// The figures of a server.
#[derive(Clone, Copy)]
pub(crate) struct Server<'a> {
    pub(crate) node: Node,
    pub(crate) concurrency: u64,
    pub(crate) arrived: u64,
    pub(crate) completed: u64,
    pub(crate) rejected: u64,
    pub(crate) lost: u64,
    pub(crate) slots_mean: Option<f64>,
    pub(crate) utilization: Option<f64>,
    pub(crate) in_service_mean: Option<f64>,
    pub(crate) queue_depth_mean: Option<f64>,
    pub(crate) queue_depth_max: u64,
    pub(crate) wait: &'a Tally,
    pub(crate) service: &'a Tally,
    /// How long it waited for calls, if it makes calls.
    pub(crate) call_time: Option<&'a Tally>,
}

impl<'a> Server<'a> {
    /// The figures of a server node. Panics if one is missing or has another type.
    fn of(node: &'a NodeResult) -> Self {
        Self {
            node: node.node,
            concurrency: node.figures.count(&CONCURRENCY),
            arrived: count(&node.figures, &ARRIVED),
            completed: count(&node.figures, &COMPLETED),
            rejected: count(&node.figures, &REJECTED),
            lost: count(&node.figures, &LOST),
            slots_mean: node.figures.number(&SLOTS_MEAN),
            utilization: number(&node.figures, &UTILIZATION),
            in_service_mean: number(&node.figures, &IN_SERVICE_MEAN),
            queue_depth_mean: number(&node.figures, &QUEUE_DEPTH_MEAN),
            queue_depth_max: count(&node.figures, &QUEUE_DEPTH_MAX),
            wait: times(&node.figures, &WAIT),
            service: times(&node.figures, &SERVICE),
            call_time: node.figures.times(&CALL_TIME),
        }
    }
}

/// A count among the figures of the node with this name, by its name in the summary; 0 if there is none.
pub(crate) fn number_of(result: &RunResult, of: &str, figure: &str) -> u64 {
    match node(result, of).figures.iter().find(|(own, _)| own.name == figure) {
        Some((_, FigureValue::Count(count))) => *count,
        other => panic!("{figure} is not a count but {other:?}"),
    }
}

/// A count among the figures of a node. Panics if there is none.
pub(crate) fn count(figures: &NodeFigures, figure: &Figure) -> u64 {
    let Some(FigureValue::Count(count)) = figures.get(figure) else {
        panic!("{} is not a count in {figures:?}", figure.name)
    };
    *count
}

fn number(figures: &NodeFigures, figure: &Figure) -> Option<f64> {
    let Some(FigureValue::Number(number)) = figures.get(figure) else {
        panic!("{} is not a number in {figures:?}", figure.name)
    };
    *number
}

fn times<'a>(figures: &'a NodeFigures, figure: &Figure) -> &'a Tally {
    figures.times(figure).unwrap_or_else(|| panic!("{} is not a tally of times in {figures:?}", figure.name))
}

/// The node with this name.
pub(crate) fn node<'a>(result: &'a RunResult, name: &str) -> &'a NodeResult {
    result.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("there is no node {name}"))
}

/// The figures of the server with this name.
pub(crate) fn server<'a>(result: &'a RunResult, name: &str) -> Server<'a> {
    let node = node(result, name);
    assert_eq!(node.node.kind(), NodeKind::Server, "{name} is not a server");
    Server::of(node)
}

/// The figures of all servers, with their names.
pub(crate) fn servers(result: &RunResult) -> impl Iterator<Item = (&str, Server<'_>)> {
    let servers = result.nodes.iter().filter(|node| node.node.kind() == NodeKind::Server);
    servers.map(|node| (node.name.as_str(), Server::of(node)))
}

/// The server in a row.
pub(crate) const fn server_in_row(row: u32) -> Node {
    Node::new(NodeKind::Server, row)
}

/// The result of the source with this name.
pub(crate) fn source<'a>(result: &'a RunResult, name: &str) -> &'a SourceResult {
    result.sources.iter().find(|source| source.name == name).expect("a source of this name")
}

/// The records of the requests that were created at `from` or later.
pub(crate) fn created_from(result: &RunResult, from: SimTime) -> impl Iterator<Item = &RequestRecord> {
    result.requests.iter().filter(move |record| record.created >= from)
}

/// A mean over replications, with its standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    /// The standard deviation of a single replication.
    pub(crate) sd: f64,
    /// The standard deviation of the mean.
    pub(crate) standard_error: f64,
}

impl Estimate {
    /// Estimates the mean from independent values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let sd = (squares / (n - 1.0)).sqrt();
        Self { mean, sd, standard_error: sd / n.sqrt() }
    }

    /// Asserts that the estimate equals theory within [`Z`] standard errors.
    #[expect(clippy::print_stdout, reason = "the figures, shown with --nocapture")]
    pub(crate) fn assert_is(self, name: &str, theory: f64) {
        let deviation = (self.mean - theory) / self.standard_error;
        println!(
            "{name}: {:.6} (se {:.6}), theory {theory:.6}: {deviation:+.2} se",
            self.mean, self.standard_error
        );
        assert!(
            (self.mean - theory).abs() <= Z * self.standard_error,
            "{name} is {} with a standard error of {}, not {theory}: {deviation:+.2} standard errors off",
            self.mean,
            self.standard_error
        );
    }
}

/// Asserts that the mean of each column equals theory. `rows` has a row of figures for each replication.
pub(crate) fn assert_columns<const N: usize>(rows: &[[f64; N]], system: &str, theory: [(&str, f64); N]) {
    for (column, (name, theory)) in theory.into_iter().enumerate() {
        Estimate::of(rows.iter().map(|row| row[column])).assert_is(&format!("{system}: {name}"), theory);
    }
}

/// Asserts that a count equals its expected value within [`Z`] standard deviations, given its variance in theory.
#[expect(clippy::print_stdout, reason = "the figures, shown with --nocapture")]
pub(crate) fn assert_count(name: &str, count: f64, expected: f64, variance: f64) {
    let deviation = (count - expected) / variance.sqrt();
    println!("{name}: {count}, theory {expected:.1}: {deviation:+.2} sd");
    assert!(
        deviation.abs() <= Z,
        "{name} is {count}, not {expected}: {deviation:+.2} standard deviations off"
    );
}
