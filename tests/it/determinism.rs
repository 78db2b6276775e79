//! The same scenario, seed and version give the same bytes, regardless of ticks, threads and probes.

use std::fmt::Write as _;

use rushhour::engine::random::{Draw, RandomStream};
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::metrics::figures::FigureValue;
use rushhour::metrics::result::RunResult;
use rushhour::model::metric::{Subject, UTILIZATION};
use rushhour::scenario::Scenario;
use rushhour::simulation::{LogLevel, RunOptions, Simulation, run};

use crate::harness::{run_logged, run_once, scenario, scenario_with, server_in_row, shipped};

/// A whole result as text, with floats in full precision.
fn dump(result: &RunResult) -> String {
    format!("{result:#?}")
}

/// The shipped scenarios with their names, shortened so that many runs cost little.
fn short_scenarios() -> Vec<(String, Scenario)> {
    let overrides = |name: &str| match name {
        "fleet.ron" => vec!["run_until=1.5s", "warm_up=200ms"],
        "mm1.ron" => vec!["run_until=120s"],
        "mmc.ron" => vec!["run_until=15s"],
        "night_of_repairs.ron" => vec![
            "run_until=300s",
            "faults.repairs.from=10s",
            "faults.repairs.until=250s",
            "faults.repairs.every=Exponential(mean:\"60s\")",
            "faults.repairs.lasts=Exponential(mean:\"20s\")",
        ],
        _ => vec![],
    };
    shipped()
        .into_iter()
        .map(|(name, text)| (name.clone(), scenario_with(&text, &overrides(&name))))
        .collect()
}

/// A run in steps: for the current time, `step` returns the end of the step and its maximum number of events.
fn run_in_steps(scenario: &Scenario, mut step: impl FnMut(SimTime) -> (SimTime, u64)) -> RunResult {
    let options = RunOptions { log: LogLevel::Requests, ..RunOptions::default() };
    let mut simulation = Simulation::new(scenario, options).expect("a scenario");
    let mut now = SimTime::ZERO;
    while now < simulation.end() {
        let (next, max_events) = step(now);
        if simulation.advance(next, max_events) {
            now = next;
        }
    }
    simulation.finish().expect("every request is accounted for")
}

#[test]
fn the_width_of_ticks_does_not_change_results() {
    for (name, scenario) in short_scenarios() {
        let whole = dump(&run_logged(&scenario));
        for width in [SimDuration::from_nanos(1_000_000), SimDuration::from_seconds(1)] {
            let ticked = run_in_steps(&scenario, |now| (now + width, u64::MAX));
            assert!(dump(&ticked) == whole, "{name} differs with ticks of {width}");
        }
        let mut stream = RandomStream::from_seed(3);
        let uneven = run_in_steps(&scenario, |now| {
            // From zero to half a second, with limits of events that are reached in the middle of an instant.
            let width = [0, 1, 1_000, 16_666_667, 500_000_000][stream.index(5)];
            (now + SimDuration::from_nanos(stream.below(width + 1)), 1 + stream.below(40))
        });
        assert!(dump(&uneven) == whole, "{name} differs with uneven ticks and limits");
    }
}

#[test]
fn a_run_is_the_same_in_any_thread() {
    let scenarios = short_scenarios();
    let run_all = || scenarios.iter().map(|(_, scenario)| dump(&run_logged(scenario))).collect::<Vec<_>>();
    let expected = run_all();
    let by_thread: Vec<Vec<String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(run_all)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(by_thread.iter().all(|dumps| *dumps == expected));
    assert!(run_all() == expected, "a second run in the same process differs");
}

/// Events and fingerprints of the shipped scenarios.
const GOLDEN: &[(&str, u64, u64)] = &[
    ("closed_load_test.ron", 119_185, 0xd086_350f_a74d_d6a6),
    ("cpu_or_io.ron", 178_936, 0x5b54_bad2_40f3_02cf),
    ("cross_region.ron", 463_145, 0x6ec0_3917_e6b5_c432),
    ("deep_queue.ron", 68_408, 0xf9fc_b869_29e2_ef25),
    ("event_loop.ron", 85_903, 0x2519_9132_5be0_aa33),
    ("fan_out.ron", 563_307, 0xe7e0_c7b3_491b_812f),
    ("fleet.ron", 3_358_428, 0x5705_9378_69b5_bcc6),
    ("garbage_collection.ron", 130_818, 0xc697_e92f_4b86_e851),
    ("gc_pauses.ron", 575_736, 0x2c30_c4bc_9628_d92d),
    ("late_growth.ron", 426_429, 0xaee3_b4a8_590e_2031),
    ("latency_spikes.ron", 252_991, 0xbc92_a02b_59e4_0705),
    ("lifo_overload.ron", 27_884, 0x513d_688b_2a6e_a242),
    ("load_aware_routing.ron", 31_474, 0x6bd8_bc70_6e6b_0d4d),
    ("load_aware_routing_off.ron", 30_764, 0x2e85_84c0_f256_717c),
    ("memory_exhaustion.ron", 96_096, 0x746b_5846_0e60_51fc),
    ("mm1.ron", 674_216, 0x9fd8_ba6b_8ade_0cec),
    ("mmc.ron", 979_602, 0x8fc6_7e17_deeb_0c7f),
    ("night_of_repairs.ron", 689_287, 0x01b6_fd8a_5241_e313),
    ("partition.ron", 118_754, 0x2a5d_26e1_1bd8_d582),
    ("pool_exhaustion.ron", 260_477, 0x86ee_693c_7696_f991),
    ("rate_limiter.ron", 30_195, 0x301d_b4d8_f51e_6242),
    ("reference.ron", 46_432, 0xcabc_8cf1_29d5_ac8c),
    ("scaler_hunts.ron", 2_017_364, 0xe79e_b45b_23ba_1a9f),
    ("slow_dependency.ron", 65_898, 0xa100_1f4a_3874_c112),
    ("slow_link.ron", 130_525, 0x4bca_f8de_2bf1_be63),
    ("starvation.ron", 70_716, 0x3e8f_11f8_53f9_b0d3),
    ("trace_replay.ron", 12_104, 0x27be_bb70_5281_a97b),
];

#[test]
fn fingerprints_of_shipped_scenarios_do_not_change() {
    let mut table = String::new();
    let mut same = shipped().len() == GOLDEN.len();
    for (name, text) in shipped() {
        let result = run_once(&scenario(&text));
        let (events, fingerprint) = (result.events, result.fingerprint);
        same &= GOLDEN.contains(&(name.as_str(), events, fingerprint));
        writeln!(table, "    (\"{name}\", {events}, {fingerprint:#018x}),").expect("memory");
    }
    assert!(
        same,
        "the runs have changed. If you changed a scenario, an event, a random stream or the order of events on \
         purpose, the results of all users change: say so in the commit, and replace the table in \
         tests/it/determinism.rs by\n{table}"
    );
}

/// A result as text, without the parts named `added`. Refers to nodes by name, as rows may shift.
fn without(result: &RunResult, added: &[&str]) -> String {
    let is_added =
        |name: &str| added.iter().any(|added| name == *added || name.starts_with(&format!("{added}-")));
    let mut text = String::new();
    let mut write = |value: &dyn std::fmt::Debug| writeln!(text, "{value:?}").expect("memory");
    write(&(&result.identity.scenario, result.identity.seed, result.identity.measured_from, result.end));
    write(&(result.events, result.fingerprint));
    result.sources.iter().for_each(|source| write(source));
    result.links.iter().for_each(|link| write(link));
    let name_of = |node| result.names().name_of(node);
    for node in result.nodes.iter().filter(|node| !is_added(&node.name)) {
        write(&(node.node.kind(), &node.name, &node.capacity));
        for (figure, value) in node.figures.iter() {
            match value {
                FigureValue::Table(table) => {
                    let by_name: Vec<_> = table.iter().map(|(&node, count)| (name_of(node), count)).collect();
                    write(&(figure.name, by_name));
                }
                value @ (FigureValue::Count(_)
                | FigureValue::Number(_)
                | FigureValue::Times(_)
                | FigureValue::Rows(_)) => {
                    write(&(figure.name, value));
                }
            }
        }
        for (position, key) in result.timeline.keys.iter().enumerate() {
            if key.subject == Subject::Node(node.node) {
                write(&(key.metric.name, result.timeline.series(position).collect::<Vec<_>>()));
            }
        }
    }
    result.series.iter().filter(|series| !is_added(&series.node)).for_each(|series| write(series));
    for record in &result.requests {
        let mut record = *record;
        let server = record.server.take().map(name_of);
        write(&(record, server));
    }
    text
}

const SYSTEM: &str = r#"Scenario(
    name: "a system", seed: 3, run_until: "20s", warm_up: "2s",
    sources: {
        "users": (arrivals: Poisson(rate: "60/s"), key: Uniform(0, 99), size: Uniform(min: "1B", max: "9kB"), to: "router"),
        "jobs": (arrivals: Constant(rate: "10/s"), to: "batch"),
    },
    nodes: {
        "router": LoadBalancer(policy: Random, to: "client"),
        "client": Client(count: 2, to: "server", routing: LoadAware(window: "1s", threshold: 0.8)),
        "server": Server(count: 2, concurrency: 4, service: LogNormal(mean: "100ms", sd: "100ms"), queue: Fifo(capacity: 20), then: "store"),
        "store": Server(concurrency: 2, service: Gamma(mean: "20ms", sd: "30ms")),
        "batch": Server(service: Constant("90ms")),
    },
    links: [
        (from: "client", to: "server", latency: Exponential(mean: "3ms"), loss: 0.01),
        (from: "server", to: "store", latency: Constant("1ms")),
    ],
    probes: [(of: ["server", "store"], gauges: [QueueDepth, ArrivalRate], every: "70ms")],
)"#;

#[test]
fn probes_do_not_change_results() {
    let plain = run_logged(&scenario(SYSTEM));
    let probes = [
        r#"(of: ["users", "jobs", "batch"], gauges: [InFlight, CompletionRate], every: "1ms")"#,
        // Reading a perceived load drops expired reports.
        r#"(of: "client", gauges: [PerceivedLoad("server"), RehashRate], every: "13ms")"#,
    ];
    for probe in probes {
        let old = r#"(of: ["server", "store"], gauges: [QueueDepth, ArrivalRate], every: "70ms")"#;
        let text = SYSTEM.replace(old, &format!("{old}, {probe}"));
        let mut probed = run_logged(&scenario(&text));
        assert!(probed.series.len() > plain.series.len());
        probed.series.truncate(plain.series.len());
        assert!(without(&probed, &[]) == without(&plain, &[]), "{probe}");
    }
    let unprobed = run_logged(&scenario(&SYSTEM.replace("probes: [", "probes: [], // [")));
    assert!(unprobed.series.is_empty());
    assert_eq!((unprobed.events, unprobed.fingerprint), (plain.events, plain.fingerprint));
}

#[test]
fn an_unused_part_does_not_change_results() {
    let plain = run_logged(&scenario(SYSTEM));
    let idle_parts = [
        r#""idle": Server(count: 3, concurrency: 7, service: Constant("77ms")),"#,
        r#""idle": Server(service: Exponential(mean: "1s"), then: "store"),"#,
        r#""idle": Client(count: 2, to: "server", routing: LoadAware(window: "9s", threshold: 0.5)),"#,
        r#""idle": LoadBalancer(count: 2, policy: RoundRobin, to: ["client", "batch"]),"#,
        r#""idle": LoadBalancer(count: 2, policy: LoadAware(window: "9s", threshold: 0.5), to: ["server", "batch"]),"#,
    ];
    for part in idle_parts {
        for (place, at) in [("before the others", r#""router": "#), ("after the others", r#""batch": "#)] {
            let text = SYSTEM.replace(at, &format!("{part} {at}"));
            let with = run_logged(&scenario(&text));
            assert!(with.nodes.len() > plain.nodes.len());
            assert!(without(&with, &["idle"]) == without(&plain, &[]), "{part} {place}");
        }
    }
}

/// Creation time, key and size of the requests of a source, in order.
fn offered(result: &RunResult, source: &str) -> Vec<(SimTime, u32, u32)> {
    let row = result.sources.iter().position(|other| other.name == source).expect("a source of this name");
    let own = result.requests.iter().filter(|record| usize::from(record.source) == row);
    let mut requests: Vec<_> =
        own.map(|record| (record.id, record.created, record.key, record.sizes.request)).collect();
    requests.sort_unstable();
    requests.into_iter().map(|(_, at, key, size)| (at, key, size)).collect()
}

#[test]
fn another_source_does_not_change_the_arrivals_of_the_others() {
    let plain = run_logged(&scenario(SYSTEM));
    let another =
        r#""another": (arrivals: Poisson(rate: "50/s"), key: Uniform(0, 9), to: "router"), "users": "#;
    let with = run_logged(&scenario(&SYSTEM.replace(r#""users": "#, another)));
    assert_ne!(with.fingerprint, plain.fingerprint);
    for source in ["users", "jobs"] {
        assert!(offered(&with, source) == offered(&plain, source), "{source}");
    }
}

#[test]
fn different_servers_get_the_same_arrivals() {
    let plain = run_logged(&scenario(SYSTEM));
    let faster = run_logged(&scenario(&SYSTEM.replace("concurrency: 4", "concurrency: 40")));
    assert_ne!(faster.fingerprint, plain.fingerprint);
    assert!(offered(&faster, "users") == offered(&plain, "users"));
}

#[test]
fn seeds_and_replications_are_different_runs() {
    let system = scenario(SYSTEM);
    let fingerprint = |seed, replication| {
        let options = RunOptions { seed, replication, ..RunOptions::default() };
        run(&system, options).expect("a scenario").fingerprint
    };
    let mut all: Vec<u64> = (0..20).map(|n| fingerprint(None, n)).collect();
    // The scenario's own seed is 3, so this is the same run.
    assert_eq!(fingerprint(Some(3), 0), all[0]);
    all.extend((4..24).map(|seed| fingerprint(Some(seed), 0)));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 40);
}

/// A server that is always busy has a utilization of 1, whenever the warm-up ends.
#[test]
fn the_timeline_does_not_depend_on_the_warm_up() {
    let text = r#"Scenario(
        name: "always busy", run_until: "60s", warm_up: "30.5s",
        sources: {"source": (arrivals: Constant(rate: "10/s"), to: "server")},
        nodes: {"server": Server(service: Constant("1s"), queue: Fifo(capacity: 3))},
    )"#;
    let loaded = rushhour::scenario::load("busy.ron", text.as_bytes(), &[]).expect("the scenario is valid");
    let result = run(&loaded.scenario, RunOptions::default()).expect("every request is accounted for");
    let load = result.timeline.mean_over(&UTILIZATION, &[server_in_row(0)]);
    let first = load.iter().position(|&load| load > 0.0).expect("the server is busy");
    let full = load[first + 1..].iter().all(|load| (load - 1.0).abs() < 1e-6);
    assert!(full && first < 3, "{load:?}");
}
