//! Files of AsyncFlow are imported with their meaning, or with what AsyncFlow makes of it, and each difference is noted.
//!
//! What is refused is in [`import_refusals`](crate::import_refusals).

use rushhour::engine::random::{Draw, RandomStream};
use rushhour::import::{Format, Meaning, import};
use rushhour::metrics::result::RunResult;
use rushhour::request::Outcome;
use rushhour::scenario::{Scenario, load};
use rushhour::text::formatted;

use crate::endpoint_theory::{json, number};
use crate::harness::{Estimate, root, run_once, server, source};
use crate::support::rushhour;

/// One server with two cores.
pub(crate) const ONE_SERVER: &str = "\
rqs_input:
  id: users
  avg_active_users: {mean: 100}
  avg_request_per_minute_per_user: {mean: 20}
topology_graph:
  nodes:
    client: {id: client}
    servers:
      - id: server
        server_resources: {cpu_cores: 2, ram_mb: 2048}
        endpoints:
          - endpoint_name: /work
            steps:
              - {kind: ram, step_operation: {necessary_ram: 100}}
              - {kind: cpu_bound_operation, step_operation: {cpu_time: 0.005}}
  edges:
    - {id: in, source: users, target: client, latency: {mean: 0.003, distribution: exponential}}
    - {id: to, source: client, target: server, latency: {mean: 0.003, distribution: exponential}}
    - {id: back, source: server, target: client, latency: {mean: 0.003, distribution: exponential}}
sim_settings: {total_simulation_time: 300, sample_period_s: 0.05}
";

/// Two servers behind a load balancer.
const TWO_SERVERS: &str = include_str!("../../benches/asyncflow/two_servers.yml");

/// The text of an imported scenario: it has no errors and no warnings, and is laid out.
#[track_caller]
pub(crate) fn imported(yaml: &str, meaning: Meaning) -> String {
    let text = import(Format::Asyncflow, "system.yml", yaml.as_bytes(), meaning);
    let text = text.unwrap_or_else(|errors| panic!("{errors}\n{yaml}"));
    let loaded = load("system.ron", text.as_bytes(), &[]).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    assert!(loaded.warnings.list().is_empty(), "{}\n{text}", loaded.warnings);
    assert_eq!(formatted("system.ron", text.as_bytes()).expect("RON"), text);
    text
}

fn both(yaml: &str) -> [String; 2] {
    [Meaning::Intended, Meaning::Faithful].map(|meaning| imported(yaml, meaning))
}

/// A file with one text in the place of another.
#[track_caller]
pub(crate) fn edited(yaml: &str, from: &str, to: &str) -> String {
    assert!(yaml.contains(from), "{from} is not in\n{yaml}");
    yaml.replacen(from, to, 1)
}

fn scenario_of(text: &str, seed: u64) -> Scenario {
    let loaded = load("system.ron", text.as_bytes(), &[format!("seed={seed}")]);
    loaded.unwrap_or_else(|errors| panic!("{errors}\n{text}")).scenario
}

/// A text without line breaks, indentation and the marks of comments.
fn flat(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("//").trim());
    let text = lines.collect::<Vec<_>>().join(" ");
    let text = ["(", "[", "{"].iter().fold(text, |text, open| text.replace(&format!("{open} "), open));
    [")", "]", "}"].iter().fold(text, |text, close| text.replace(&format!(", {close}"), close))
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

/// Runs of a scenario with random seeds.
fn runs(text: &str, number: usize, stream: &mut RandomStream) -> Vec<RunResult> {
    let seeds = (0..number).map(|_| stream.below(1 << 40));
    seeds.map(|seed| run_once(&scenario_of(text, seed))).collect()
}

fn milliseconds(result: &RunResult) -> [f64; 4] {
    let latency = source(result, "users").latency.summarize();
    let quantile = |q| latency.quantile(q).expect("requests were served") as f64 * 1e-6;
    [latency.mean().expect("requests were served") * 1e-6, quantile(0.5), quantile(0.95), quantile(0.99)]
}

fn completed(result: &RunResult) -> f64 {
    source(result, "users").outcomes.of(Outcome::Completed) as f64
}

/// The means of the samples of a gauge.
fn sampled(result: &RunResult, gauge: &str) -> Vec<f64> {
    let series = result.series.iter().filter(|series| series.metric.gauge == Some(gauge));
    series
        .map(|series| series.samples.values().sum::<f64>() / series.samples.values().count() as f64)
        .collect()
}

/// Source of their figures: AsyncFlow, a single event-loop server, 20 seeds. Each of its three edges loses one message in a
/// hundred, which is its default.
#[test]
fn a_server_of_asyncflow_has_its_figures() {
    let mut stream = RandomStream::from_seed(47);
    let [intended, faithful] = both(ONE_SERVER);
    let figures = |result: &RunResult| {
        let memory = number(&json(result)["nodes"]["server"]["resources"]["memory"]["in_use_mean"]) / 1e6;
        let of_samples = 2048.0 * sampled(result, "MemoryLoad")[0];
        [vec![completed(result)], milliseconds(result).to_vec(), vec![memory, of_samples]].concat()
    };
    let rows: Vec<_> = runs(&faithful, 60, &mut stream).iter().map(figures).collect();
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
            ("mean memory by the probe", 16.4, None),
        ],
    );
    // Who does not write a `dropout_rate` means no loss.
    let rows: Vec<_> = runs(&intended, 60, &mut stream).iter().map(figures).collect();
    let theirs = [("completed without loss", 10045.0, Some(453.0)), ("mean latency", 14.007, Some(0.068))];
    assert_agreement(&rows, 20.0, &theirs);
}

/// Source of their figures: AsyncFlow, two event-loop servers behind a balancer, 10 seeds.
#[test]
fn two_balanced_servers_of_asyncflow_have_their_figures() {
    let mut stream = RandomStream::from_seed(53);
    let [intended, faithful] = both(TWO_SERVERS);
    let figures = |result: &RunResult| {
        let [mean, _, p95, p99] = milliseconds(result);
        [vec![completed(result), mean, p95, p99], sampled(result, "InIo")].concat()
    };
    let mut theirs = [
        ("completed", 76_543.0, Some(1640.0)),
        ("mean latency", 24.045, Some(0.023)),
        ("p95", 33.65, None),
        ("p99", 39.68, None),
        ("requests in I/O at the first", 0.772, None),
        ("requests in I/O at the second", 0.774, None),
    ];
    let rows: Vec<_> = runs(&faithful, 20, &mut stream).iter().map(figures).collect();
    assert_agreement(&rows, 10.0, &theirs);
    // Without loss on any of four edges, and so with more requests at the servers.
    let at_servers = 0.99 * 0.99 * 0.99;
    theirs[0] = ("completed without loss", 76_543.0 / (0.99 * at_servers), Some(1640.0));
    let in_io = [theirs[4].1 / at_servers, theirs[5].1 / at_servers];
    theirs[4].1 = in_io[0];
    theirs[5].1 = in_io[1];
    let rows: Vec<_> = runs(&intended, 10, &mut stream).iter().map(figures).collect();
    assert_agreement(&rows, 10.0, &theirs);
}

/// Source of their figures: AsyncFlow 0.1.1, the same servers with `least_connection`, 6 runs. It counts only what is on its way
/// to a server, so that the first one gets four fifths of the requests.
#[test]
fn least_connections_of_asyncflow_have_its_figures() {
    let mut stream = RandomStream::from_seed(59);
    let [_, faithful] = both(&TWO_SERVERS.replace("round_robin", "least_connection"));
    let figures = |result: &RunResult| {
        let of_edges = ["RequestsInTransit", "ResponsesInTransit"].map(|gauge| sampled(result, gauge));
        [vec![milliseconds(result)[0]], sampled(result, "InIo"), of_edges.concat()].concat()
    };
    let rows: Vec<_> = runs(&faithful, 12, &mut stream).iter().map(figures).collect();
    let theirs = [
        ("mean latency", 24.0963, Some(0.0191)),
        ("requests in I/O at the first", 1.2633, Some(0.0136)),
        ("requests in I/O at the second", 0.2873, Some(0.0099)),
        ("messages to the client", 0.4016, Some(0.0064)),
        ("messages to the balancer", 0.2643, Some(0.0092)),
        ("messages to the first server", 0.2104, Some(0.0043)),
        ("messages to the second server", 0.0478, Some(0.0019)),
        ("messages from the first server", 0.3137, Some(0.0057)),
        ("messages from the second server", 0.0691, Some(0.0032)),
    ];
    assert_agreement(&rows, 6.0, &theirs);
}

/// A file that AsyncFlow misreads: an edit of [`TWO_SERVERS`], and what the imported scenario contains.
struct Misread {
    from: &'static str,
    to: &'static str,
    /// In the scenario that does what the file says: the note, and the value.
    intended: [&'static str; 2],
    /// In the scenario that does what AsyncFlow does.
    faithful: [&'static str; 2],
}

const fn misread(
    from: &'static str,
    to: &'static str,
    intended: [&'static str; 2],
    faithful: [&'static str; 2],
) -> Misread {
    Misread { from, to, intended, faithful }
}

const FAST: &str = "&fast {mean: 0.002, distribution: exponential}";
const USERS: &str = "avg_active_users: {mean: 400}";
const SETTINGS: &str = "sim_settings: {total_simulation_time: 600, sample_period_s: 0.01}";
const RAM: &str = "{kind: ram, step_operation: {necessary_ram: 128}}";
const IO: &str = "{kind: io_wait, step_operation: {io_waiting_time: 0.012}}";
const RESOURCES: &str = "{cpu_cores: 1, ram_mb: 2048}";

#[test]
fn each_misreading_is_noted_and_each_meaning_is_kept() {
    let misread = [
        misread(
            FAST,
            "&fast {mean: 0.002}",
            ["draws whole seconds", r#"latency: Exponential(mean: "2ms")"#],
            ["draws whole seconds", r#"latency: Empirical(values: ["0s", "1s", "2s", "3s", "4s"]"#],
        ),
        misread(
            FAST,
            "&fast {mean: 0.002, distribution: normal, variance: 1.0e-6}",
            ["as the standard deviation", r#"latency: Normal(mean: "2ms", sd: "1ms")"#],
            ["those of the result", r#"latency: Normal(mean: "2ms", sd: "1us")"#],
        ),
        misread(
            FAST,
            "&fast {mean: 0.002, distribution: normal}",
            ["No variance is written", r#"latency: Gamma(mean: "2ms", sd: "2ms")"#],
            // Of a normal distribution with equal mean and sd whose negative values are zero.
            ["it is Gamma here", r#"latency: Gamma(mean: "2.166631ms", sd: "1.733306ms")"#],
        ),
        misread(
            FAST,
            "&fast {mean: 0.002, distribution: log_normal, variance: 1.0e-6}",
            ["of the logarithm", r#"latency: LogNormal(mean: "2ms", sd: "1ms")"#],
            ["of the logarithm", r#"latency: LogNormalMedian(median: "1.002002001s", sigma: 1e-6)"#],
        ),
        misread(
            FAST,
            "&fast {mean: 0.002, distribution: uniform}",
            ["from 0 s to 1 s", r#"latency: Uniform(min: "0s", max: "4ms")"#],
            ["from 0 s to 1 s", r#"latency: Uniform(min: "0s", max: "1s")"#],
        ),
        misread(
            FAST,
            "&fast {mean: 0.002, distribution: exponential, variance: 1}",
            ["crashes at the first message", r#"latency: Exponential(mean: "2ms")"#],
            ["crashes at the first message", r#"latency: Exponential(mean: "2ms")"#],
        ),
        misread(
            "latency: *slow}",
            "latency: *slow, dropout_rate: 0.25}",
            ["1 % of the messages of an edge without `dropout_rate`", "response_loss: 0.25"],
            ["1 % of the messages of an edge without `dropout_rate`", "loss: 0.01, response_loss: 0.25"],
        ),
        misread(
            USERS,
            "avg_active_users: {mean: 400, distribution: normal, variance: 100}",
            ["the variance of the users", "count: Normal(mean: 400.0, sd: 10.0)"],
            ["Numbers below zero do not occur", "count: Normal(mean: 400.0"],
        ),
        misread(
            USERS,
            "avg_active_users: {mean: 10, distribution: normal}",
            ["if none is written, their mean", "count: Normal(mean: 10.0, sd: 3.16227766"],
            // Without its negative values.
            ["if none is written, their mean", "count: Normal(mean: 12.875999"],
        ),
        misread(
            USERS,
            "avg_active_users: {mean: 8, distribution: normal, variance: 0}",
            ["the variance of the users", r#"arrivals: Poisson(rate: "160 rpm")"#],
            ["the variance of the users", r#"arrivals: Poisson(rate: "160 rpm")"#],
        ),
        misread(
            USERS,
            "avg_active_users: {mean: 3}",
            ["A window without users takes no time", "count: Poisson(mean: 3.0)"],
            ["Here it takes its time", "count: Poisson(mean: 3.0)"],
        ),
        misread(
            USERS,
            "avg_active_users: {mean: 400, variance: 4}",
            ["ignores the variance of the users", "count: Poisson(mean: 400.0)"],
            ["ignores the variance of the users", "count: Poisson(mean: 400.0)"],
        ),
        misread(
            "avg_request_per_minute_per_user: {mean: 20}",
            "avg_request_per_minute_per_user: {mean: 20, variance: 4}, user_sampling_window: 30",
            ["only their mean counts", r#"requests: "20 rpm", window: "30s""#],
            ["only their mean counts", r#"requests: "20 rpm", window: "30s""#],
        ),
        misread(
            "round_robin",
            "least_connection",
            ["counts only the messages on their way", "policy: LeastConnections"],
            ["as `FewestInTransit` does", "policy: FewestInTransit"],
        ),
        misread(
            "server_covered: [a, b]",
            "server_covered: [a]",
            ["`server_covered` does not name: `b`. Here, it does not", r#"to: "a")"#],
            ["It does here as well", r#"to: ["a", "b"])"#],
        ),
        misread(
            RAM,
            "{kind: io_db, step_operation: {io_waiting_time: 0.001}}",
            [
                "AsyncFlow has no seed",
                r#"steps: [Io(Constant("1ms")), Cpu(Constant("2ms")), Io(Constant("12ms"))]"#,
            ],
            [
                "AsyncFlow has no seed",
                r#"steps: [Io(Constant("1ms")), Cpu(Constant("2ms")), Io(Constant("12ms"))]"#,
            ],
        ),
        misread(
            IO,
            "{kind: ram, step_operation: {necessary_ram: 0.5}}",
            [
                "memory of all `ram` steps is taken at the arrival",
                r#"[Memory("128500kB"), Cpu(Constant("2ms"))]"#,
            ],
            [
                "memory of all `ram` steps is taken at the arrival",
                r#"[Memory("128500kB"), Cpu(Constant("2ms"))]"#,
            ],
        ),
        misread(
            RESOURCES,
            "{cpu_cores: 3, ram_mb: 2048, db_connection_pool: 7}",
            ["No step `io_db` needs a connection", "cores: 3"],
            ["ignores `db_connection_pool`", "cores: 3"],
        ),
        misread(
            "endpoint_name: /api",
            "endpoint_name: /api\n            probability: 0.25",
            ["the key `probability`, which is the weight", "weight: 0.25"],
            ["ignores the key `probability`.", r#""/api": (steps: ["#],
        ),
        misread(
            SETTINGS,
            "sim_settings: {total_simulation_time: 600, seed: 7}",
            ["ignores the seed", "seed: 7"],
            ["has no seed", "seed: 1"],
        ),
        misread(
            SETTINGS,
            "sim_settings: {total_simulation_tim: 600}",
            [
                "ignores the key `total_simulation_tim`. Did you mean `total_simulation_time`?",
                r#"run_until: "3600s""#,
            ],
            ["Did you mean `total_simulation_time`?", r#"run_until: "3600s""#],
        ),
        misread(
            SETTINGS,
            "sim_settings: {enabled_sample_metrics: [ram_in_use, ready_queue_len], total_simulation_time: 10}",
            ["only if all three are enabled", "gauges: [CoreQueue, MemoryLoad]"],
            ["only if all three are enabled", "gauges: [CoreQueue, MemoryLoad]"],
        ),
        misread(
            SETTINGS,
            "sim_settings: {total_simulation_time: 100000}",
            ["at most a million of each", r#"every: "100ms""#],
            [
                "`edge_concurrent_connection` is `RequestsInTransit`",
                "gauges: [RequestsInTransit, ResponsesInTransit]",
            ],
        ),
        misread(
            SETTINGS,
            "sim_settings: {total_simulation_time: 600, total_simulation_time: 60}",
            ["takes the last value of `total_simulation_time`, which line 24", r#"run_until: "60s""#],
            ["takes the last value of `total_simulation_time`", r#"run_until: "60s""#],
        ),
        misread(
            SETTINGS,
            "sim_settings: {total_simulation_time: 010, sample_period_s: 5.0e-2}",
            ["share of the memory instead of megabytes", r#"run_until: "8s""#],
            ["share of the memory instead of megabytes", r#"every: "50ms""#],
        ),
    ];
    let mut missing = Vec::new();
    for case in misread {
        let [intended, faithful] = both(&edited(TWO_SERVERS, case.from, case.to)).map(|text| flat(&text));
        for (text, parts) in [(intended, case.intended), (faithful, case.faithful)] {
            for part in parts {
                if !text.contains(part) {
                    missing.push(format!("{part} is missing after {}:\n{text}\n", case.to));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.concat());
    // None of these notes is there without a reason.
    let all = both(TWO_SERVERS).map(|text| flat(&text)).concat();
    for part in [
        "whole seconds",
        "standard deviation",
        "logarithm",
        "crash",
        "variance",
        "arrival,",
        "ignores",
        "covered",
    ] {
        assert!(!all.contains(part), "{part}:\n{all}");
    }
}

#[test]
fn the_database_pool_of_a_file_limits_its_database_steps() {
    let yaml = edited(TWO_SERVERS, RESOURCES, "{cpu_cores: 1, ram_mb: 2048, db_connection_pool: 7}");
    let yaml = edited(&yaml, IO, "{kind: io_db, step_operation: {io_waiting_time: 0.012}}");
    let [intended, faithful] = both(&yaml).map(|text| flat(&text));
    for part in [
        r#"pools: {"db": 7}"#,
        r#"Hold(pool: "db", steps: [Io(Constant("12ms"))])"#,
        "hold one of its connections",
    ] {
        assert!(intended.contains(part), "{part}:\n{intended}");
    }
    assert!(faithful.contains(r#"Io(Constant("12ms"))"#) && !faithful.contains("pool:"), "{faithful}");
}

#[test]
fn endpoints_with_the_same_name_share_the_requests() {
    let second = "            steps: []\n          - endpoint_name: /work\n            steps:\n";
    let yaml = edited(ONE_SERVER, "            steps:\n", second);
    let text = imported(&yaml, Meaning::Intended);
    assert!(text.contains(r#""/work": (steps: [])"#) && text.contains(r#""/work (2)": ("#), "{text}");
    let result = run_once(&scenario_of(&text, 1));
    let endpoints = &json(&result)["nodes"]["server"]["endpoints"];
    let served = ["/work", "/work (2)"].map(|name| number(&endpoints[name]["completed"]));
    // Four standard deviations of a fair coin.
    let all = served[0] + served[1];
    assert!((served[0] - all / 2.0).abs() < 2.0 * all.sqrt(), "{served:?}");
}

const EVENTS: &str = "
events:
  - event_id: slow
    target_id: to
    start: {kind: network_spike_start, t_start: 100, spike_s: 0.5}
    end: {kind: network_spike_end, t_end: 200}
  - event_id: slow answers
    target_id: from-b
    start: {kind: network_spike_start, t_start: 150, spike_s: 0.25}
    end: {kind: network_spike_end, t_end: 200}
  - event_id: out
    target_id: a
    start: {kind: server_down, t_start: 300}
    end: {kind: server_up, t_end: 400}
";

#[test]
fn spikes_add_up_and_outages_take_a_server_out_of_the_rotation() {
    let [intended, faithful] = both(&(TWO_SERVERS.to_owned() + EVENTS));
    for text in [&intended, &faithful] {
        let flat = flat(text);
        for part in [
            r#"of: "client -> lb", what: Latency(add: Constant("500ms"), direction: Requests), at: "100s", for: "100s""#,
            r#"of: "lb -> b", what: Latency(add: Constant("250ms"), direction: Responses), at: "150s", for: "50s""#,
            r#"(at: "300s", of: "a", set: Count(0)), (at: "400s", of: "a", set: Count(1))"#,
        ] {
            assert!(flat.contains(part), "{part}:\n{text}");
        }
    }
    assert!(intended.contains("what: Crash") && !faithful.contains("what: Crash"));
    let [intended, faithful] = [&intended, &faithful].map(|text| run_once(&scenario_of(text, 5)));
    for result in [&intended, &faithful] {
        // While one of them is out, the other one gets all requests: 133/s on average for 100 s.
        let [a, b] = ["a-0", "b"].map(|name| server(result, name).completed as f64);
        assert!((b - a - 13_300.0).abs() < 2_000.0, "{a} {b}");
        let p99 = source(result, "users").latency.summarize().quantile(0.99).expect("requests") as f64 * 1e-9;
        assert!((0.75..0.85).contains(&p99), "both spikes hit one request in 24: {p99}");
    }
    let rejected = |result: &RunResult| source(result, "users").outcomes.of(Outcome::Rejected);
    assert!(rejected(&intended) <= 2 && rejected(&faithful) <= 2, "but for those on their way");
    let dropped = |result: &RunResult| source(result, "users").outcomes.of(Outcome::Dropped);
    assert!((1..20).contains(&dropped(&intended)), "the server loses what it has: {}", dropped(&intended));
}

#[test]
fn an_outage_without_a_load_balancer_has_no_effect_in_asyncflow() {
    let other =
        "      - {id: other, server_resources: {}, endpoints: [{endpoint_name: e, steps: []}]}\n  edges:\n";
    let yaml =
        edited(ONE_SERVER, "  edges:\n", other) + &EVENTS[EVENTS.find("  - event_id: out").expect("it")..];
    let yaml = edited(&yaml, "  - event_id: out", "events:\n  - event_id: out")
        .replace("target_id: a", "target_id: server");
    let yaml = yaml.replace("t_start: 300", "t_start: 100").replace("t_end: 400", "t_end: 200");
    let [intended, faithful] = both(&yaml);
    assert!(
        intended.contains(r#""out": (of: "server", what: Crash, at: "100s", for: "100s")"#),
        "{intended}"
    );
    assert!(
        flat(&faithful).contains("its outage has no effect") && !faithful.contains("Crash"),
        "{faithful}"
    );
    for text in [&intended, &faithful] {
        assert!(flat(text).contains("no request passes them on the way to a server: `other`"), "{text}");
    }
    let rejected = |text: &str| run_once(&scenario_of(text, 5)).sources[0].outcomes.of(Outcome::Rejected);
    assert!(rejected(&intended) > 2_000 && rejected(&faithful) == 0);
}

#[test]
fn a_chain_of_servers_hands_requests_on() {
    let second = "      - {id: next, server_resources: {cpu_cores: 4}, endpoints: [{endpoint_name: e, steps: [{kind: \
                  io_cache, step_operation: {io_waiting_time: '7e-3'}}]}]}\n  edges:\n    - {id: hop, source: server, \
                  target: next, latency: {mean: 0.001, distribution: exponential}}\n";
    let yaml = edited(ONE_SERVER, "  edges:\n", second);
    let yaml = edited(&yaml, "source: server, target: client", "source: next, target: client");
    let [intended, faithful] = both(&yaml);
    for text in [&intended, &faithful] {
        assert!(flat(text).contains("with its core and memory, before it goes on"), "{text}");
        assert!(text.contains(r#"then: "next""#), "{text}");
    }
    // 3 + 3 + 5 + 1 + 7 + 3 ms, and 0.05 ms of waiting for one of two cores (M/D/2 at a load of 0.083).
    let latencies: Vec<f64> =
        runs(&intended, 8, &mut RandomStream::from_seed(9)).iter().map(|run| milliseconds(run)[0]).collect();
    let mean = Estimate::of(latencies);
    assert!(
        (mean.mean - 22.02).abs() < 0.03 + 4.0 * mean.standard_error,
        "{} {}",
        mean.mean,
        mean.standard_error
    );
}

#[test]
fn requests_may_go_to_servers_without_passing_the_client() {
    let yaml = edited(ONE_SERVER, "source: users, target: client", "source: users, target: server");
    let text = imported(&yaml, Meaning::Intended);
    assert!(flat(&text).contains("on the way to a server: `client`"), "{text}");
    assert!(text.contains(r#"to: "server""#) && !text.contains("Client("), "{text}");
    let yaml = edited(
        &yaml,
        "    - {id: to, source: client",
        "    - {id: first, source: users, target: client, latency: {mean: 1}}\n    - {id: to, source: client",
    );
    let text = imported(&yaml, Meaning::Intended);
    assert!(flat(&text).contains("AsyncFlow takes the last one"), "{text}");
}

#[test]
fn the_program_imports_files_and_standard_input() {
    let answer = rushhour(&["import", "asyncflow", "one.yml"]).file("one.yml", ONE_SERVER).run();
    let text = answer.good();
    assert!(
        text.starts_with("// Imported from the AsyncFlow file one.yml.\n// It does what the file says."),
        "{text}"
    );
    assert!(text.contains("name: \"one\"") && answer.stderr.is_empty(), "{text}");
    let answer = rushhour(&["import", "asyncflow", "-", "--faithful"]).stdin(ONE_SERVER).run();
    assert!(answer.good().contains("loss: 0.01"), "{}", answer.stdout);
    let run = rushhour(&["run", "-", "--quiet"]).stdin(answer.good()).run();
    assert!(run.good().contains("requests completed"));
    let help = rushhour(&["import", "--help"]).run();
    assert!(help.good().contains("asyncflow: The scenario of AsyncFlow"), "{}", help.stdout);
    assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
}

#[test]
fn the_scenario_of_the_guide_is_imported_from_its_file() {
    let guide = std::fs::read_to_string(root().join("docs/asyncflow.md")).expect("the guide");
    let block = |language: &str| {
        let rest = guide.split(&format!("```{language}\n")).nth(1).expect("a block");
        rest.split("```").next().expect("its end").to_owned()
    };
    let answer = rushhour(&["import", "asyncflow", "shop.yml"]).file("shop.yml", block("yaml")).run();
    assert_eq!(answer.good(), block("ron"));
}
