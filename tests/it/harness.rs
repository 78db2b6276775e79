//! What the tests of promises share: scenarios from text, runs in replications, and estimates that know how far off
//! they may be.
//!
//! Tolerances come from the spread between replications, which are independent of each other: within a run waiting
//! times are not, so that the spread within it says little.

use std::path::{Path, PathBuf};

use rushhour::engine::statistics::Tally;
use rushhour::engine::time::SimTime;
use rushhour::event::{Node, NodeKind};
use rushhour::metrics::figures::{FigureValue, NodeFigures};
use rushhour::metrics::result::{NodeResult, RunResult, SourceResult};
use rushhour::model::figure::{
    ARRIVED, COMPLETED, CONCURRENCY, Figure, IN_FLIGHT_MEAN, QUEUE_DEPTH_MAX, QUEUE_DEPTH_MEAN, REJECTED,
    SERVICE, SLOTS_MEAN, UTILIZATION, WAIT,
};
use rushhour::model::server::LOST;
use rushhour::request::RequestRecord;
use rushhour::scenario::{Scenario, load};
use rushhour::simulation::{RunOptions, run};

/// How many standard errors an estimate may be away from theory. With 30 replications one estimate in 2,500 is
/// further off by chance; seeds are fixed, so that a test that passed keeps passing.
pub(crate) const Z: f64 = 4.0;

/// The scenario that a text describes.
pub(crate) fn scenario(text: &str) -> Scenario {
    scenario_with(text, &[])
}

/// The same with some values replaced.
pub(crate) fn scenario_with(text: &str, overrides: &[&str]) -> Scenario {
    let overrides: Vec<String> = overrides.iter().map(|&value| value.to_owned()).collect();
    load("test.ron", text.as_bytes(), &overrides).unwrap_or_else(|wrong| panic!("{wrong}")).scenario
}

/// The scenarios that are shipped, with their file names, in alphabetical order.
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
    run(scenario, RunOptions { log_requests: true, ..RunOptions::default() })
        .unwrap_or_else(|error| panic!("{error}"))
}

/// What `measure` makes of each of so many replications.
pub(crate) fn replicate<T>(
    scenario: &Scenario,
    replications: u64,
    measure: impl Fn(RunResult) -> T,
) -> Vec<T> {
    replicate_with(scenario, replications, RunOptions::default(), measure)
}

/// The same with a record of every request.
pub(crate) fn replicate_logged<T>(
    scenario: &Scenario,
    replications: u64,
    measure: impl Fn(RunResult) -> T,
) -> Vec<T> {
    let options = RunOptions { log_requests: true, ..RunOptions::default() };
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
    pub(crate) in_flight_mean: Option<f64>,
    pub(crate) queue_depth_mean: Option<f64>,
    pub(crate) queue_depth_max: u64,
    pub(crate) wait: &'a Tally,
    pub(crate) service: &'a Tally,
}

impl<'a> Server<'a> {
    /// The figures of a node, each of which has to be there and of its sort.
    fn of(node: &'a NodeResult) -> Self {
        Self {
            node: node.node,
            concurrency: count(&node.figures, &CONCURRENCY),
            arrived: count(&node.figures, &ARRIVED),
            completed: count(&node.figures, &COMPLETED),
            rejected: count(&node.figures, &REJECTED),
            lost: count(&node.figures, &LOST),
            slots_mean: number(&node.figures, &SLOTS_MEAN),
            utilization: number(&node.figures, &UTILIZATION),
            in_flight_mean: number(&node.figures, &IN_FLIGHT_MEAN),
            queue_depth_mean: number(&node.figures, &QUEUE_DEPTH_MEAN),
            queue_depth_max: count(&node.figures, &QUEUE_DEPTH_MAX),
            wait: times(&node.figures, &WAIT),
            service: times(&node.figures, &SERVICE),
        }
    }
}

/// A count that a node has to have.
pub(crate) fn count(figures: &NodeFigures, figure: &Figure) -> u64 {
    let Some(FigureValue::Count(count)) = figures.get(figure) else {
        panic!("{} is no count of {figures:?}", figure.name)
    };
    *count
}

fn number(figures: &NodeFigures, figure: &Figure) -> Option<f64> {
    let Some(FigureValue::Number(number)) = figures.get(figure) else {
        panic!("{} is no number of {figures:?}", figure.name)
    };
    *number
}

fn times<'a>(figures: &'a NodeFigures, figure: &Figure) -> &'a Tally {
    figures.times(figure).unwrap_or_else(|| panic!("{} are no times of {figures:?}", figure.name))
}

/// A node.
pub(crate) fn node<'a>(result: &'a RunResult, name: &str) -> &'a NodeResult {
    result.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("there is no node {name}"))
}

/// The figures of a server.
pub(crate) fn server<'a>(result: &'a RunResult, name: &str) -> Server<'a> {
    let node = node(result, name);
    assert_eq!(node.node.kind(), NodeKind::Server, "{name} is no server");
    Server::of(node)
}

/// All servers with their names.
pub(crate) fn servers(result: &RunResult) -> impl Iterator<Item = (&str, Server<'_>)> {
    let servers = result.nodes.iter().filter(|node| node.node.kind() == NodeKind::Server);
    servers.map(|node| (node.name.as_str(), Server::of(node)))
}

/// The server in a row.
pub(crate) const fn server_in_row(row: u32) -> Node {
    Node::new(NodeKind::Server, row)
}

/// What a source has seen.
pub(crate) fn source<'a>(result: &'a RunResult, name: &str) -> &'a SourceResult {
    result.sources.iter().find(|source| source.name == name).expect("a source of this name")
}

/// The records of requests that were born from `from` on.
pub(crate) fn born_from(result: &RunResult, from: SimTime) -> impl Iterator<Item = &RequestRecord> {
    result.requests.iter().filter(move |record| record.created >= from)
}

/// A mean over replications, and how far it may be off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    /// The standard deviation of a single replication.
    pub(crate) sd: f64,
    /// The standard deviation of the mean.
    pub(crate) standard_error: f64,
}

impl Estimate {
    /// The estimate from independent values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let sd = (squares / (n - 1.0)).sqrt();
        Self { mean, sd, standard_error: sd / n.sqrt() }
    }

    /// Asserts that the estimate is what theory says, within [`Z`] standard errors.
    #[expect(clippy::print_stdout, reason = "the figures, for who asks with --nocapture")]
    pub(crate) fn assert_is(self, what: &str, theory: f64) {
        let off = (self.mean - theory) / self.standard_error;
        println!(
            "{what}: {:.6} (se {:.6}), theory {theory:.6}: {off:+.2} se",
            self.mean, self.standard_error
        );
        assert!(
            (self.mean - theory).abs() <= Z * self.standard_error,
            "{what} is {} with a standard error of {}, not {theory}: {off:+.2} standard errors off",
            self.mean,
            self.standard_error
        );
    }
}

/// Asserts an estimate for each column of replicated rows of figures.
pub(crate) fn assert_columns<const N: usize>(rows: &[[f64; N]], what: &str, theory: [(&str, f64); N]) {
    for (column, (name, theory)) in theory.into_iter().enumerate() {
        Estimate::of(rows.iter().map(|row| row[column])).assert_is(&format!("{what}: {name}"), theory);
    }
}

/// Asserts a count whose variance theory knows.
#[expect(clippy::print_stdout, reason = "the figures, for who asks with --nocapture")]
pub(crate) fn assert_count(what: &str, count: f64, expected: f64, variance: f64) {
    let off = (count - expected) / variance.sqrt();
    println!("{what}: {count}, theory {expected:.1}: {off:+.2} sd");
    assert!(off.abs() <= Z, "{what} is {count}, not {expected}: {off:+.2} standard deviations off");
}
