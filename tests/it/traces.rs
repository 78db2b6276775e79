//! Traces are replayed as they were written: the times and the attributes of every request, at any length.

use std::fmt::Write as _;
use std::path::Path;

use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::metrics::result::RunResult;
use rushhour::metrics::summary::Summary;
use rushhour::model::source::Source;
use rushhour::request::Request;
use rushhour::scenario::{Scenario, load_in};
use rushhour::simulation::{RunOptions, Simulation};
use tempfile::TempDir;

use crate::harness::{root, run_logged, run_once, scenario_with, server, shipped, source};
use crate::support::rushhour;

/// A directory with the file `t.csv`.
pub(crate) fn directory(trace: impl AsRef<[u8]>) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("t.csv"), trace).expect("the trace can be written");
    directory
}

/// A source of the trace `t.csv` with these further fields of its arrivals and of itself, and a node "n".
pub(crate) fn text(arrivals: &str, fields: &str, node: &str) -> String {
    format!(
        r#"Scenario(
            name: "trace", run_until: "100s",
            sources: {{ "s": (arrivals: Trace(file: "t.csv"{arrivals}), to: "n"{fields}) }},
            nodes: {{ "n": {node} }},
        )"#
    )
}

fn load(directory: &Path, text: &str) -> Scenario {
    load_in(directory, "test.ron", text.as_bytes(), &[]).unwrap_or_else(|errors| panic!("{errors}")).scenario
}

/// Runs a trace with a log of its requests.
fn replay(trace: impl AsRef<[u8]>, arrivals: &str, fields: &str, node: &str) -> RunResult {
    let directory = directory(trace);
    run_logged(&load(directory.path(), &text(arrivals, fields, node)))
}

/// Serves everybody at once, for 1 ms.
const WIDE: &str = r#"Server(concurrency: 1000, service: Constant("1ms"))"#;

/// The times at which requests were created, in nanoseconds, in order.
fn created(result: &RunResult) -> Vec<u64> {
    let mut all: Vec<_> =
        result.requests.iter().map(|record| (record.id, record.created.as_nanos())).collect();
    all.sort_unstable();
    all.into_iter().map(|(_, at)| at).collect()
}

const SECOND: u64 = 1_000_000_000;

#[test]
fn requests_come_at_the_times_of_the_trace() {
    let result = replay("time\n0\n0.000000001\n250ms\n1.5\n1.5\n2min\n", "", "", WIDE);
    assert_eq!(
        created(&result),
        [0, 1, SECOND / 4, 3 * SECOND / 2, 3 * SECOND / 2],
        "the last is after the end"
    );
    let later = replay("time\n0\n1.5\n", "", r#", start: "10s""#, WIDE);
    assert_eq!(created(&later), [10 * SECOND, 23 * SECOND / 2]);
    let stopped = replay("time\n0\n1\n2\n3\n", "", r#", stop: "2s""#, WIDE);
    assert_eq!(created(&stopped), [0, SECOND, 2 * SECOND]);
    let few = replay("time\n0\n1\n2\n3\n", "", ", max_requests: 2", WIDE);
    assert_eq!(created(&few), [0, SECOND]);
}

#[test]
fn a_trace_is_replayed_at_another_speed() {
    let twice = replay("time\n0\n1\n3\n", ", speed: 2.0", "", WIDE);
    assert_eq!(created(&twice), [0, SECOND / 2, 3 * SECOND / 2]);
    let slowly = replay("time\n1\n3\n", ", speed: 0.1", r#", start: "1s""#, WIDE);
    assert_eq!(created(&slowly), [11 * SECOND, 31 * SECOND]);
}

#[test]
fn a_repeated_trace_begins_again_one_mean_gap_after_its_last_request() {
    // Gaps of 1 s and 3 s: the next pass begins 2 s after the last request.
    let seconds = |result: &RunResult| created(result).into_iter().map(|at| at / SECOND).collect::<Vec<_>>();
    let result = replay("time\n2\n3\n6\n", ", repeat: true", r#", stop: "21s""#, WIDE);
    assert_eq!(seconds(&result), [2, 3, 6, 8, 9, 12, 14, 15, 18, 20, 21]);
    let fast = replay("time\n2\n3\n6\n", ", repeat: true, speed: 2.0", ", max_requests: 7", WIDE);
    let halves: Vec<u64> = created(&fast).into_iter().map(|at| 2 * at / SECOND).collect();
    assert_eq!(halves, [2, 3, 6, 8, 9, 12, 14]);
    // As many passes as fit: the rate stays that of the trace, 1 in 2 s.
    let whole = replay("time\n2\n3\n6\n", ", repeat: true", "", WIDE);
    assert_eq!(whole.requests.len(), 50);
}

const ATTRIBUTES: &str = "class,service,time,size,key\n\
    gold, 2s ,1,100,7\n\
    , ,2,,\n\
    \"a, \"\"b\"\"\",0.5,3,1KiB,4294967295\n";

#[test]
fn requests_have_the_attributes_of_the_trace_or_else_those_of_the_source() {
    let fields = r#", key: Fixed(5), class: "own", size: Constant("9B"), priority: 3"#;
    let result = replay(ATTRIBUTES, "", fields, WIDE);
    let mut requests = result.requests.clone();
    requests.sort_by_key(|record| record.id);
    let found: Vec<_> =
        requests.iter().map(|record| (record.key, record.sizes.request, record.service.as_nanos())).collect();
    assert_eq!(found, [(7, 100, 2 * SECOND), (5, 9, 1_000_000), (u32::MAX, 1024, SECOND / 2)]);
    let latency = Summary::of(&result).latency;
    let classes: Vec<_> = latency
        .by_class
        .iter()
        .map(|(name, of_class)| (name.as_str(), of_class.count, of_class.max))
        .collect();
    assert_eq!(classes, [("gold", 1, Some(2.0)), ("a, \"b\"", 1, Some(0.5)), ("own", 1, Some(0.001))]);
}

#[test]
fn the_log_of_requests_names_their_classes() {
    let text = text("", r#", class: "own""#, WIDE);
    let answer = rushhour(&["run", "a.ron", "--requests", "--out", "."]).file("a.ron", &text);
    let answer = answer.file("t.csv", ATTRIBUTES).run();
    answer.good();
    let log = answer.read("requests.csv");
    for class in [",gold,", ",own,", ",\"a, \"\"b\"\"\","] {
        assert_eq!(log.matches(class).count(), 1, "{class}: {log}");
    }
}

#[test]
fn a_warm_up_leaves_early_requests_out_of_the_classes() {
    let directory = directory("time,class\n1,a\n2,a\n50,a\n51,b\n");
    let system = text("", "", WIDE).replace("run_until", "warm_up: \"10s\", run_until");
    let result = run_once(&load(directory.path(), &system));
    let counts: Vec<_> = source(&result, "s")
        .classes
        .iter()
        .map(|(name, of_class)| (name.as_str(), of_class.count()))
        .collect();
    assert_eq!(counts, [("a", 1), ("b", 1)]);
}

#[test]
fn the_service_time_of_a_request_replaces_that_of_the_first_server() {
    let directory = directory("time,service\n0,5\n0.5,\n1,2s\n");
    for (queue, rest) in [("", ""), (", queue: ShortestFirst()", ""), (r#", call: "m""#, "")] {
        let then = if queue.contains("call") { "" } else { r#", then: "m""# };
        let system = text("", "", &format!("Server(service: Constant(\"1s\"){queue}{then}{rest})"))
            .replace("nodes: {", r#"nodes: { "m": Server(concurrency: 9, service: Constant("100ms")), "#);
        let result = run_once(&load(directory.path(), &system));
        let total = |name: &str| server(&result, name).service.sum();
        assert_eq!(total("n"), u128::from(8 * SECOND), "{queue}: 5 s, 1 s and 2 s");
        assert_eq!(total("m"), u128::from(3 * SECOND / 10), "{queue}: the next server has its own");
        if queue.contains("Shortest") {
            // From 5 s on the second one is served until 6 s, and the third one from then on.
            let wait = server(&result, "n").wait.summarize();
            assert_eq!(wait.max(), Some(5 * SECOND));
        }
    }
}

#[test]
fn requests_ask_for_the_endpoints_of_the_trace() {
    let node = r#"Server(cores: 1, endpoints: {
        "read": (steps: [Cpu(Constant("1ms"))]),
        "write": (steps: [Cpu(Constant("10ms"))]),
    })"#;
    let result = replay("time,endpoint\n1,write\n2,read\n3,\n4,write\n", "", r#", endpoint: "read""#, node);
    let mut requests = result.requests.clone();
    requests.sort_by_key(|record| record.id);
    let times: Vec<u64> = requests.iter().map(|record| record.service.as_nanos() / 1_000_000).collect();
    assert_eq!(times, [10, 1, 1, 10]);
}

#[test]
fn a_trace_may_have_a_byte_order_mark_carriage_returns_blank_lines_and_no_last_line_break() {
    let plain = replay("time,key\n1,2\n3,4\n", "", "", WIDE);
    let odd = replay("\u{feff}\"time\" , key\r\n1,2\r\n\r\n  \n3,\"4\"", "", "", WIDE);
    assert_eq!(odd.requests, plain.requests);
    assert_eq!(odd.fingerprint, plain.fingerprint);
}

/// The log of a run, sorted by creation, is a trace. Without randomness but in the trace, the latencies are the same.
#[test]
fn a_run_can_be_replayed_from_its_log() {
    let original = r#"Scenario(
        name: "original", seed: 8, arrivals_until: "90s", run_until: "100s",
        sources: { "s": (arrivals: Poisson(rate: "20/s"), key: Uniform(0, 99), class: "c", to: "n") },
        nodes: { "n": Server(concurrency: 2, service: Exponential(mean: "80ms"), queue: Fifo(capacity: 20)) },
    )"#;
    let first =
        rushhour(&["run", "a.ron", "--requests", "--out", ".", "--format", "json"]).file("a.ron", original);
    let first = first.run();
    let log = first.read("requests.csv");
    let (header, rows) = log.split_once('\n').expect("a header");
    let created = |row: &&str| row.split(',').nth(3).and_then(|at| at.parse::<f64>().ok()).expect("a time");
    // The service time of a request that was rejected is 0, but it is rejected here too.
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.sort_by(|a, b| created(a).total_cmp(&created(b)));
    let trace = format!("{}\n{}\n", header.replace("created", "time"), rows.join("\n"));
    let replayed =
        text("", "", r#"Server(concurrency: 2, service: Constant("1s"), queue: Fifo(capacity: 20))"#);
    let second = rushhour(&["run", "b.ron", "--requests", "--out", ".", "--format", "json"]);
    let second = second.file("b.ron", &replayed).file("t.csv", &trace).run();
    second.good();
    let outcomes = |log: &str| {
        let mut rows: Vec<Vec<String>> = log
            .lines()
            .skip(1)
            .map(|row| row.split(',').map(str::to_owned).collect::<Vec<_>>())
            .map(|row| row[2..15].to_vec())
            .collect();
        rows.sort();
        rows
    };
    let (before, after) = (outcomes(&log), outcomes(&second.read("requests.csv")));
    assert!(
        before.len() > 1_600 && log.contains("rejected") && !log.contains("in_flight"),
        "{}",
        before.len()
    );
    assert!(before == after, "the replay differs");
}

#[test]
fn a_trace_is_found_beside_its_scenario_and_can_be_set() {
    let (trace, text) = ("time\n1\n2\n3\n", text("", "", WIDE));
    let in_directory = |arguments: &[&str]| {
        let program = rushhour(arguments);
        std::fs::create_dir(program.directory().join("sub")).expect("a directory");
        program.file("sub/a.ron", &text)
    };
    let answer = in_directory(&["run", "sub/a.ron", "--quiet"]).file("sub/t.csv", trace).run();
    assert!(answer.good().contains("of 3 requests"), "{}", answer.stdout);
    let stdin = rushhour(&["run", "-", "--quiet"]).stdin(&text).file("t.csv", trace).run();
    assert!(stdin.good().contains("of 3 requests"), "{}", stdin.stdout);
    let set = ["run", "sub/a.ron", "--quiet", "--set", "sources.s.arrivals.file=\"../u.csv\""];
    let other = in_directory(&set).file("u.csv", "time\n1\n").run();
    assert!(other.good().contains("of 1 request"), "{}", other.stdout);
}

#[test]
fn the_guide_shows_a_valid_trace_and_the_diagnostics_of_an_invalid_one() {
    let guide = std::fs::read_to_string(root().join("docs/workload.md")).expect("the guide");
    let block = |language: &str| {
        let (_, rest) = guide.split_once(&format!("```{language}\n")).expect("a block");
        rest.split("```").next().expect("its content").to_owned()
    };
    let steps = r#"(steps: [Cpu(Constant("1ms"))])"#;
    let node = format!(
        r#"Server(cores: 1, endpoints: {{ "GET /cart": {steps}, "POST /order": {steps} }}, then: "m")"#
    );
    let text = text("", "", &node).replace("nodes: {", r#"nodes: { "m": Server(service: Constant("1ms")), "#);
    let check = |trace: &str| {
        let text = text.replace("t.csv", "requests.csv");
        rushhour(&["check", "a.ron"]).file("a.ron", text).file("requests.csv", trace).run()
    };
    let valid = check(&block("csv"));
    valid.good();
    assert_eq!(valid.stderr, "");
    assert_eq!(check("time,key\n0.5,9\n1.5,k7\n").bad(2), block("console"));
}

#[test]
fn memory_does_not_grow_with_the_length_of_a_trace() {
    let mut trace = "time,key,class\n".to_owned();
    for line in 0..400_000_u32 {
        writeln!(trace, "{}.{:03},{line},{}", line / 5_000, line % 5_000 / 5, ["a", "b"][line as usize % 2])
            .expect("memory");
    }
    let directory = directory(&trace);
    let system = load(directory.path(), &text("", "", WIDE));
    let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
    simulation.advance(SimTime::ZERO + SimDuration::from_seconds(5), u64::MAX);
    // The description of the arrivals shows all that they hold, and the pool has room for the requests in flight.
    let size = |simulation: &Simulation| {
        let world = simulation.world();
        let mut sources = world.try_query::<&Source>().expect("there is a source");
        let shown: usize = sources.iter(world).map(|source| format!("{:?}", source.arrivals.0).len()).sum();
        let mut requests = world.try_query::<&Request>().expect("requests were created");
        (shown, requests.iter(world).count())
    };
    let (early, rows) = size(&simulation);
    assert!(early < 10_000 && rows == 1024, "{early} {rows}");
    simulation.advance(simulation.end(), u64::MAX);
    assert!(simulation.events() > 1_200_000, "{} events", simulation.events());
    let (late, rows) = size(&simulation);
    assert!(late < 10_000 && rows == 1024, "{late} {rows}");
}

#[test]
fn the_bursts_of_a_flash_sale_decide_about_latency() {
    let text =
        shipped().into_iter().find(|(name, _)| name == "trace_replay.ron").expect("a shipped scenario").1;
    let latency = |overrides: &[&str]| {
        let result = run_once(&scenario_with(&text, overrides));
        let latency = source(&result, "customers").latency.summarize();
        [
            latency.mean().expect("requests were served") * 1e-9,
            latency.quantile(0.99).unwrap_or(0) as f64 * 1e-9,
        ]
    };
    let [mean, p99] = latency(&[]);
    assert!((mean - 0.96).abs() < 0.01 && (p99 - 4.79).abs() < 0.01, "{mean} {p99}");
    let [mean, p99] = latency(&[r#"sources.customers.arrivals=Poisson(rate: "5/s")"#]);
    assert!((mean - 0.25).abs() < 0.01 && (p99 - 0.93).abs() < 0.01, "{mean} {p99}");
}
