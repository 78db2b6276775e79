//! The same scenario, seed and version give the same bytes, however the run is driven and whatever else is looked at.

use std::fmt::Write as _;

use rushhour::engine::random::RandomStream;
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::metrics::figures::FigureValue;
use rushhour::metrics::result::RunResult;
use rushhour::model::metric::{Subject, UTILIZATION};
use rushhour::scenario::Scenario;
use rushhour::simulation::{RunOptions, Simulation, run};

use crate::harness::{run_logged, run_once, scenario, scenario_with, server_in_row, shipped};

/// All of a result, as text: floats are written in full.
fn dump(result: &RunResult) -> String {
    format!("{result:#?}")
}

/// The scenarios that the runs of this file are about, cut down to a size at which many runs cost little.
fn small_ones() -> Vec<(String, Scenario)> {
    let cut = |name: &str| match name {
        "fleet.ron" => vec!["run_until=1.5s", "warm_up=200ms"],
        "mm1.ron" => vec!["run_until=120s"],
        "mmc.ron" => vec!["run_until=15s"],
        _ => vec![],
    };
    shipped().into_iter().map(|(name, text)| (name.clone(), scenario_with(&text, &cut(&name)))).collect()
}

/// A run that is driven by `horizon`: from a moment to the next one, and how many events at most.
fn driven(scenario: &Scenario, mut horizon: impl FnMut(SimTime) -> (SimTime, u64)) -> RunResult {
    let options = RunOptions { log_requests: true, ..RunOptions::default() };
    let mut simulation = Simulation::new(scenario, options).expect("a scenario");
    let mut now = SimTime::ZERO;
    while now < simulation.end() {
        let (next, budget) = horizon(now);
        if simulation.advance(next, budget) {
            now = next;
        }
    }
    simulation.finish().expect("the books balance")
}

#[test]
fn the_width_of_ticks_changes_nothing() {
    for (name, scenario) in small_ones() {
        let whole = dump(&run_logged(&scenario));
        for width in [SimDuration::from_nanos(1_000_000), SimDuration::from_seconds(1)] {
            let ticked = driven(&scenario, |now| (now + width, u64::MAX));
            assert!(dump(&ticked) == whole, "{name} differs with ticks of {width}");
        }
        let mut stream = RandomStream::from_seed(3);
        let uneven = driven(&scenario, |now| {
            // From nothing at all to half a second, with budgets that are used up in the middle of an instant.
            let width = [0, 1, 1_000, 16_666_667, 500_000_000][stream.index(5)];
            (now + SimDuration::from_nanos(stream.below(width + 1)), 1 + stream.below(40))
        });
        assert!(dump(&uneven) == whole, "{name} differs with uneven ticks and budgets");
    }
}

#[test]
fn the_same_run_is_the_same_in_any_thread() {
    let scenarios = small_ones();
    let all = || scenarios.iter().map(|(_, scenario)| dump(&run_logged(scenario))).collect::<Vec<_>>();
    let here = all();
    let elsewhere: Vec<Vec<String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(all)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(elsewhere.iter().all(|dumps| *dumps == here));
    assert!(all() == here, "a second run in the same process differs");
}

/// Events and fingerprints of the scenarios that are shipped.
const GOLDEN: &[(&str, u64, u64)] = &[
    ("fleet.ron", 3358428, 0x5705937869b5bcc6),
    ("load_aware_routing.ron", 31474, 0x6bd8bc706e6b0d4d),
    ("load_aware_routing_off.ron", 30764, 0x2e8584c0f256717c),
    ("mm1.ron", 674216, 0x9fd8ba6b8ade0cec),
    ("mmc.ron", 979602, 0x8fc67e17deeb0c7f),
    ("rate_limiter.ron", 30195, 0x301db4d8f51e6242),
    ("reference.ron", 26590, 0x4d7b300e2aa7db9d),
];

#[test]
fn shipped_scenarios_run_as_they_always_did() {
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
        "runs are other runs than before. If a scenario was changed, or an event, a random stream or the order of \
         events was, and that is meant, then everybody's results change: say so in the commit, and replace the table \
         in tests/it/determinism.rs by\n{table}"
    );
}

/// What a run tells of everything but the parts named `added`: rows of tables may shift, names do not.
fn without(result: &RunResult, added: &[&str]) -> String {
    let is_added =
        |name: &str| added.iter().any(|added| name == *added || name.starts_with(&format!("{added}-")));
    let mut text = String::new();
    let mut tell = |part: &dyn std::fmt::Debug| writeln!(text, "{part:?}").expect("memory");
    tell(&(&result.identity.scenario, result.identity.seed, result.identity.measured_from, result.end));
    tell(&(result.events, result.fingerprint));
    result.sources.iter().for_each(|source| tell(source));
    result.links.iter().for_each(|link| tell(link));
    let name_of = |node| result.names().name_of(node);
    for node in result.nodes.iter().filter(|node| !is_added(&node.name)) {
        tell(&(node.node.kind(), &node.name, &node.capacity));
        for (figure, value) in node.figures.iter() {
            match value {
                FigureValue::Table(table) => {
                    let named: Vec<_> = table.iter().map(|(&node, count)| (name_of(node), count)).collect();
                    tell(&(figure.name, named));
                }
                value @ (FigureValue::Count(_) | FigureValue::Number(_) | FigureValue::Times(_)) => {
                    tell(&(figure.name, value));
                }
            }
        }
        for (position, key) in result.timeline.keys.iter().enumerate() {
            if key.subject == Subject::Node(node.node) {
                tell(&(key.metric.name, result.timeline.series(position).collect::<Vec<_>>()));
            }
        }
    }
    result.series.iter().filter(|series| !is_added(&series.node)).for_each(|series| tell(series));
    for record in &result.requests {
        let mut record = *record;
        let server = record.server.take().map(name_of);
        tell(&(record, server));
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
fn looking_changes_nothing() {
    let plain = run_logged(&scenario(SYSTEM));
    let looking = [
        r#"(of: ["users", "jobs", "batch"], gauges: [InFlight, CompletionRate], every: "1ms")"#,
        // Perceived loads too, though they are forgotten while one looks at them.
        r#"(of: "client", gauges: [PerceivedLoad("server"), RehashRate], every: "13ms")"#,
    ];
    for more in looking {
        let old = r#"(of: ["server", "store"], gauges: [QueueDepth, ArrivalRate], every: "70ms")"#;
        let text = SYSTEM.replace(old, &format!("{old}, {more}"));
        let mut probed = run_logged(&scenario(&text));
        assert!(probed.series.len() > plain.series.len());
        probed.series.truncate(plain.series.len());
        assert!(without(&probed, &[]) == without(&plain, &[]), "{more}");
    }
    let unprobed = run_logged(&scenario(&SYSTEM.replace("probes: [", "probes: [], // [")));
    assert!(unprobed.series.is_empty());
    assert_eq!((unprobed.events, unprobed.fingerprint), (plain.events, plain.fingerprint));
}

#[test]
fn a_part_that_is_not_used_changes_nothing() {
    let plain = run_logged(&scenario(SYSTEM));
    let idle = [
        r#""idle": Server(count: 3, concurrency: 7, service: Constant("77ms")),"#,
        r#""idle": Server(service: Exponential(mean: "1s"), then: "store"),"#,
        r#""idle": Client(count: 2, to: "server", routing: LoadAware(window: "9s", threshold: 0.5)),"#,
        r#""idle": LoadBalancer(count: 2, policy: RoundRobin, to: ["client", "batch"]),"#,
        r#""idle": LoadBalancer(count: 2, policy: LoadAware(window: "9s", threshold: 0.5), to: ["server", "batch"]),"#,
    ];
    for part in idle {
        for (place, at) in [("before the others", r#""router": "#), ("after the others", r#""batch": "#)] {
            let text = SYSTEM.replace(at, &format!("{part} {at}"));
            let with = run_logged(&scenario(&text));
            assert!(with.nodes.len() > plain.nodes.len());
            assert!(without(&with, &["idle"]) == without(&plain, &[]), "{part} {place}");
        }
    }
}

/// When the requests of a source were born, and with which keys and sizes, in order.
fn births(result: &RunResult, source: &str) -> Vec<(SimTime, u32, u32)> {
    let row = result.sources.iter().position(|other| other.name == source).expect("a source of this name");
    let own = result.requests.iter().filter(|record| usize::from(record.source) == row);
    let mut births: Vec<_> = own.map(|record| (record.id, record.created, record.key, record.size)).collect();
    births.sort_unstable();
    births.into_iter().map(|(_, at, key, size)| (at, key, size)).collect()
}

#[test]
fn another_source_leaves_the_arrivals_of_the_first_as_they_were() {
    let plain = run_logged(&scenario(SYSTEM));
    let another =
        r#""another": (arrivals: Poisson(rate: "50/s"), key: Uniform(0, 9), to: "router"), "users": "#;
    let with = run_logged(&scenario(&SYSTEM.replace(r#""users": "#, another)));
    assert_ne!(with.fingerprint, plain.fingerprint);
    for source in ["users", "jobs"] {
        assert!(births(&with, source) == births(&plain, source), "{source}");
    }
}

#[test]
fn other_parts_meet_the_same_arrivals() {
    let plain = run_logged(&scenario(SYSTEM));
    let faster = run_logged(&scenario(&SYSTEM.replace("concurrency: 4", "concurrency: 40")));
    assert_ne!(faster.fingerprint, plain.fingerprint);
    assert!(births(&faster, "users") == births(&plain, "users"));
}

#[test]
fn seeds_and_replications_are_different_runs() {
    let system = scenario(SYSTEM);
    let fingerprint = |seed, replication| {
        let options = RunOptions { seed, replication, log_requests: false };
        run(&system, options).expect("a scenario").fingerprint
    };
    let mut all: Vec<u64> = (0..20).map(|n| fingerprint(None, n)).collect();
    // The scenario's own seed is 3, so that this one is no other run.
    assert_eq!(fingerprint(Some(3), 0), all[0]);
    all.extend((4..24).map(|seed| fingerprint(Some(seed), 0)));
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 40);
}

/// A server that is always busy is always at full load, whenever the warm-up ends.
#[test]
fn the_timeline_does_not_know_of_the_warm_up() {
    let text = r#"Scenario(
        name: "always busy", run_until: "60s", warm_up: "30.5s",
        sources: {"source": (arrivals: Constant(rate: "10/s"), to: "server")},
        nodes: {"server": Server(service: Constant("1s"), queue: Fifo(capacity: 3))},
    )"#;
    let loaded = rushhour::scenario::load("busy.ron", text.as_bytes(), &[]).expect("the scenario is good");
    let result = run(&loaded.scenario, RunOptions::default()).expect("the run balances");
    let load = result.timeline.mean_over(&UTILIZATION, &[server_in_row(0)]);
    let first = load.iter().position(|&load| load > 0.0).expect("it is busy");
    let full = load[first + 1..].iter().all(|load| (load - 1.0).abs() < 1e-6);
    assert!(full && first < 3, "{load:?}");
}
