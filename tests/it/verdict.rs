//! The verdict is true: a system that is offered more than it can do, or whose requests wait for more than ten services
//! in the long run, is never called healthy, however short the run; a healthy system is hardly ever in trouble, and a
//! long run of either kind is told apart.
//!
//! `SEEDS=200 cargo test --test it verdict -- --include-ignored --nocapture` prints the rates of each system and length.

use rushhour::analysis::Verdict;
use rushhour::scenario::Scenario;

use crate::findings_rates::{found, seeds, system};
use crate::harness::scenario;

/// A system by name: its arrivals and nodes, and the rate of its requests per second.
type System = (&'static str, &'static str, &'static str, f64);

const ONE: &str = "\"n\": Server(service: Exponential(mean: \"10ms\"))";
const TEN: &str = "\"n\": Server(concurrency: 10, service: Exponential(mean: \"10ms\"))";
const CONSTANT: &str = "\"n\": Server(service: Constant(\"10ms\"))";
/// Squared coefficient of variation 5.5.
const VARIED: &str = "\"n\": Server(service: HyperExponential(branches: [(probability: 0.9, mean: \"5ms\"), (probability: 0.1, mean: \"55ms\")]))";
const FLEET: &str = "\"n\": LoadBalancer(policy: Random, to: \"m\"), \"m\": Server(count: 20, service: Exponential(mean: \"10ms\"))";
const SHARDS: &str = "\"n\": LoadBalancer(policy: KeyHash(), to: \"m\"), \"m\": Server(count: 20, service: Exponential(mean: \"10ms\"))";

/// A slot is held for 10 ms on average: by the service, and by a call to a node that is never busy.
const CALLER: &str = "\"n\": Server(service: Exponential(mean: \"4ms\"), call: \"o\"), \"o\": Server(concurrency: 1000, service: Exponential(mean: \"6ms\"))";
/// The same for four slots that are held for 40 ms.
const CALLERS: &str = "\"n\": Server(concurrency: 4, service: Exponential(mean: \"10ms\"), call: \"o\"), \"o\": Server(concurrency: 1000, service: Exponential(mean: \"30ms\"))";
/// The callee is the bottleneck: slots of the caller limit the requests there to 2, or hardly.
const CALLEE: &str = "\"n\": Server(concurrency: 2, service: Exponential(mean: \"1ms\"), call: \"o\"), \"o\": Server(service: Exponential(mean: \"10ms\"))";
const BUSY_CALLEE: &str = "\"n\": Server(concurrency: 1000, service: Exponential(mean: \"1ms\"), call: \"o\"), \"o\": Server(service: Exponential(mean: \"10ms\"))";

/// A core computes for 10 ms on average, in two bursts with I/O in between; slots are unlimited.
const CORE: &str = "\"n\": Server(cores: 1, endpoints: {\"e\": (steps: [Cpu(Exponential(mean: \"4ms\")), Io(Constant(\"20ms\")), Cpu(Exponential(mean: \"6ms\"))])})";
/// A place of a pool is held for 10 ms on average; the cores are hardly used.
const POOL: &str = "\"n\": Server(cores: 4, pools: {\"disk\": 1}, endpoints: {\"e\": (steps: [Cpu(Constant(\"1ms\")), Hold(pool: \"disk\", steps: [Io(Exponential(mean: \"10ms\"))])])})";
/// Memory for four requests, which hold it for 40 ms on average.
const MEMORY: &str = "\"n\": Server(memory: \"450MB\", endpoints: {\"e\": (steps: [Memory(\"100MB\"), Io(Exponential(mean: \"40ms\"))])})";
/// Two endpoints of different cost, three servers with two cores each and a capacity of 3 * 100 requests per second.
const API: &str = "\"n\": LoadBalancer(policy: RoundRobin, to: \"m\"), \"m\": Server(count: 3, cores: 2, concurrency: 200, endpoints: {\"a\": (weight: 3.0, steps: [Cpu(Exponential(mean: \"10ms\")), Call(\"o\")]), \"b\": (steps: [Cpu(Exponential(mean: \"50ms\"))])}), \"o\": Server(concurrency: 1000, service: Exponential(mean: \"30ms\"))";

/// A core that all requests share.
const SHARED: &str = "\"n\": Server(cores: 1, sharing: ProcessorSharing, endpoints: {\"e\": (steps: [Cpu(Exponential(mean: \"10ms\"))])})";
/// Ten slots that together are as fast as one.
const SLOW: &str = "\"n\": Server(concurrency: 10, service: Exponential(mean: \"10ms\"), slowdown: (factor: Linear(each: 1.0)))";
/// Slots for two requests of weight 2.
const WEIGHTED: &str = "\"n\": Server(concurrency: 4, weighted: true, service: Exponential(mean: \"10ms\"))";

/// Systems that are offered more than they can do, or at which requests wait for more than ten services in the long run.
const UNHEALTHY: [System; 42] = [
    // The mean waits follow from Pollaczek and Khinchine: 19, 16, 29 and, with bursts, about 20 services.
    ("M/M/1 at 0.95", "Poisson(rate: \"95/s\")", ONE, 95.0),
    ("M/D/1 at 0.97", "Poisson(rate: \"97/s\")", CONSTANT, 97.0),
    ("M/H/1 at 0.9", "Poisson(rate: \"90/s\")", VARIED, 90.0),
    ("bursts at 0.8", "Renewal(gap: Gamma(mean: \"12.5ms\", sd: \"37.5ms\"))", ONE, 80.0),
    // Infinite.
    (
        "M/Pareto 1.05/1 at 0.5",
        "Poisson(rate: \"50/s\")",
        "\"n\": Server(service: Pareto(mean: \"10ms\", shape: 1.05))",
        50.0,
    ),
    (
        "M/Pareto 1.5/1 at 0.2",
        "Poisson(rate: \"20/s\")",
        "\"n\": Server(service: Pareto(mean: \"10ms\", shape: 1.5))",
        20.0,
    ),
    // More than they can do.
    ("M/M/1 at 1.0", "Poisson(rate: \"100/s\")", ONE, 100.0),
    ("M/M/1 at 1.02", "Poisson(rate: \"102/s\")", ONE, 102.0),
    ("M/M/1 at 1.1", "Poisson(rate: \"110/s\")", ONE, 110.0),
    ("M/M/1 at 1.5", "Poisson(rate: \"150/s\")", ONE, 150.0),
    ("M/M/1 at 5", "Poisson(rate: \"500/s\")", ONE, 500.0),
    ("D/D/1 at 1.02", "Constant(rate: \"102/s\")", CONSTANT, 102.0),
    ("D/D/1 at 1.5", "Constant(rate: \"150/s\")", CONSTANT, 150.0),
    ("D/M/1 at 1.05", "Constant(rate: \"105/s\")", ONE, 105.0),
    ("M/M/10 at 1.02", "Poisson(rate: \"1020/s\")", TEN, 1020.0),
    ("bursts at 1.2", "Renewal(gap: Gamma(mean: \"8.33ms\", sd: \"25ms\"))", ONE, 120.0),
    ("fleet at 1.02", "Poisson(rate: \"2040/s\")", FLEET, 2040.0),
    ("fleet at 0.95", "Poisson(rate: \"1900/s\")", FLEET, 1900.0),
    // One of 20 at 1.1, the others at 0.5.
    (
        "hot shard",
        "Poisson(rate: \"1060/s\"), key: Weighted([(0, 2.2), (1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0), (5, 1.0), (6, 1.0), (7, 1.0), (8, 1.0), (9, 1.0), (10, 1.0), (11, 1.0), (12, 1.0), (13, 1.0), (14, 1.0), (15, 1.0), (16, 1.0), (17, 1.0), (18, 1.0), (19, 1.0)])",
        SHARDS,
        1060.0,
    ),
    // From 0.4 to 1.2 after half of the requests, and slowly.
    (
        "step to 1.2",
        "Poisson(rate: Steps([(at: \"0s\", rate: \"40/s\"), (at: \"HALF\", rate: \"120/s\")]))",
        ONE,
        80.0,
    ),
    (
        "ramp to 1.4",
        "Poisson(rate: Ramp(from: \"20/s\", to: \"140/s\", start: \"0s\", end: \"END\"))",
        ONE,
        80.0,
    ),
    (
        "tandem at 1.05",
        "Poisson(rate: \"105/s\")",
        "\"n\": Server(concurrency: 2, service: Exponential(mean: \"10ms\"), then: \"o\"), \"o\": Server(service: Exponential(mean: \"10ms\"))",
        105.0,
    ),
    ("caller at 0.97", "Poisson(rate: \"97/s\")", CALLER, 97.0),
    ("callers at 1.05", "Poisson(rate: \"105/s\")", CALLERS, 105.0),
    ("callee at 1.05", "Poisson(rate: \"105/s\")", CALLEE, 105.0),
    ("busy callee at 0.95", "Poisson(rate: \"95/s\")", BUSY_CALLEE, 95.0),
    ("core at 0.96", "Poisson(rate: \"96/s\")", CORE, 96.0),
    ("core at 1.1", "Poisson(rate: \"110/s\")", CORE, 110.0),
    ("pool at 0.95", "Poisson(rate: \"95/s\")", POOL, 95.0),
    ("pool at 1.05", "Poisson(rate: \"105/s\")", POOL, 105.0),
    ("memory at 1.05", "Poisson(rate: \"105/s\")", MEMORY, 105.0),
    ("endpoints at 1.02", "Poisson(rate: \"306/s\")", API, 306.0),
    ("shared at 0.96", "Poisson(rate: \"96/s\")", SHARED, 96.0),
    ("shared at 1.05", "Poisson(rate: \"105/s\")", SHARED, 105.0),
    ("slow at 1.05", "Poisson(rate: \"105/s\")", SLOW, 105.0),
    ("weighted at 1.05", "Poisson(rate: \"210/s\"), weight: 2", WEIGHTED, 210.0),
    // The rate changes by chance, and is above what they can do in the long run. A short run may see only the calm.
    ("users at 1.1", "Users(count: Uniform(10, 100), requests: \"2/s\", window: \"2s\")", ONE, 110.0),
    (
        "states at 1.1",
        "Mmpp(states: [(rate: \"50/s\", stay: Exponential(mean: \"20s\")), (rate: \"230/s\", stay: Exponential(mean: \"10s\"))])",
        ONE,
        110.0,
    ),
    (
        "states at 0.8",
        "Mmpp(states: [(rate: \"50/s\", stay: Exponential(mean: \"20s\")), (rate: \"140/s\", stay: Exponential(mean: \"10s\"))])",
        ONE,
        80.0,
    ),
    // A mean wait of (0.7 + 9) / (1 - 0.7) services: that of the first of a batch, and those before it in the batch.
    ("batches at 0.7", "Batches(of: Poisson(rate: \"7/s\"), size: Geometric(mean: 10))", ONE, 70.0),
    // A quarter leaves, or is shed.
    (
        "impatient at 1.3",
        "Poisson(rate: \"130/s\")",
        "\"n\": Server(service: Exponential(mean: \"10ms\"), patience: Exponential(mean: \"50ms\"))",
        130.0,
    ),
    (
        "CoDel at 1.3",
        "Poisson(rate: \"130/s\")",
        "\"n\": Server(service: Exponential(mean: \"10ms\"), queue: CoDel(target: \"20ms\", interval: \"200ms\"))",
        130.0,
    ),
];

/// Systems with short waits and room for more requests.
const HEALTHY: [System; 28] = [
    ("M/M/1 at 0.3", "Poisson(rate: \"30/s\")", ONE, 30.0),
    ("M/M/1 at 0.5", "Poisson(rate: \"50/s\")", ONE, 50.0),
    ("M/M/1 at 0.7", "Poisson(rate: \"70/s\")", ONE, 70.0),
    ("M/M/1 at 0.8", "Poisson(rate: \"80/s\")", ONE, 80.0),
    ("M/D/1 at 0.8", "Poisson(rate: \"80/s\")", CONSTANT, 80.0),
    ("M/H/1 at 0.5", "Poisson(rate: \"50/s\")", VARIED, 50.0),
    ("D/D/1 at 0.9", "Constant(rate: \"90/s\")", CONSTANT, 90.0),
    ("D/M/1 at 0.8", "Constant(rate: \"80/s\")", ONE, 80.0),
    ("M/M/10 at 0.8", "Poisson(rate: \"800/s\")", TEN, 800.0),
    ("M/M/10 at 0.9", "Poisson(rate: \"900/s\")", TEN, 900.0),
    ("bursts at 0.4", "Renewal(gap: Gamma(mean: \"25ms\", sd: \"50ms\"))", ONE, 40.0),
    ("fleet at 0.7", "Poisson(rate: \"1400/s\")", FLEET, 1400.0),
    (
        "step to 0.7",
        "Poisson(rate: Steps([(at: \"0s\", rate: \"40/s\"), (at: \"HALF\", rate: \"70/s\")]))",
        ONE,
        55.0,
    ),
    (
        "tandem at 0.6",
        "Poisson(rate: \"60/s\")",
        "\"n\": Server(service: Exponential(mean: \"10ms\"), then: \"o\"), \"o\": Server(service: Exponential(mean: \"10ms\"))",
        60.0,
    ),
    ("caller at 0.6", "Poisson(rate: \"60/s\")", CALLER, 60.0),
    ("callers at 0.7", "Poisson(rate: \"70/s\")", CALLERS, 70.0),
    ("busy callee at 0.6", "Poisson(rate: \"60/s\")", BUSY_CALLEE, 60.0),
    ("core at 0.6", "Poisson(rate: \"60/s\")", CORE, 60.0),
    ("pool at 0.6", "Poisson(rate: \"60/s\")", POOL, 60.0),
    ("memory at 0.6", "Poisson(rate: \"60/s\")", MEMORY, 60.0),
    ("endpoints at 0.6", "Poisson(rate: \"180/s\")", API, 180.0),
    ("shared at 0.6", "Poisson(rate: \"60/s\")", SHARED, 60.0),
    ("slow at 0.6", "Poisson(rate: \"60/s\")", SLOW, 60.0),
    ("weighted at 0.6", "Poisson(rate: \"120/s\"), weight: 2", WEIGHTED, 120.0),
    ("users at 0.5", "Users(count: Uniform(30, 70), requests: \"1/s\", window: \"1s\")", ONE, 50.0),
    (
        "states at 0.45",
        "Mmpp(states: [(rate: \"30/s\", stay: Exponential(mean: \"1s\")), (rate: \"60/s\", stay: Exponential(mean: \"1s\"))])",
        ONE,
        45.0,
    ),
    ("batches at 0.4", "Batches(of: Poisson(rate: \"20/s\"), size: Uniform(1, 3))", ONE, 40.0),
    (
        "shortest first at 0.7",
        "Poisson(rate: \"70/s\")",
        "\"n\": Server(service: Exponential(mean: \"10ms\"), queue: ShortestFirst(preemptive: true))",
        70.0,
    ),
];

/// Numbers of requests.
const LENGTHS: [u32; 6] = [5, 20, 100, 500, 2_000, 10_000];

/// A system that runs for about this number of requests.
fn of_length((_, arrivals, nodes, rate): System, requests: u32) -> Scenario {
    let seconds = f64::from(requests) / rate;
    let half = format!("{}s", seconds / 2.0);
    let arrivals = arrivals.replace("HALF", &half).replace("END", &format!("{seconds}s"));
    scenario(&system(&arrivals, nodes, seconds))
}

/// The numbers of runs that are healthy, in trouble, and too short.
#[expect(clippy::print_stdout, reason = "the rates, shown with --nocapture")]
fn verdicts(system: System, requests: u32, runs: u64) -> [u64; 3] {
    let scenario = of_length(system, requests);
    let mut counts = [0; 3];
    for seed in 0..runs {
        counts[match Verdict::of(&found(&scenario, seed)) {
            Verdict::Healthy => 0,
            Verdict::InTrouble => 1,
            Verdict::TooShort => 2,
        }] += 1;
    }
    let [healthy, trouble, short] = counts;
    println!(
        "{:24} {requests:6} requests: {healthy:4} healthy {trouble:4} in trouble {short:4} too short",
        system.0
    );
    counts
}

fn never_healthy(runs: u64) {
    let mut total = 0;
    for system in UNHEALTHY {
        for requests in LENGTHS {
            // Long runs take long.
            let runs = if requests > 5_000 { runs.div_ceil(4) } else { runs };
            let [healthy, ..] = verdicts(system, requests, runs);
            assert_eq!(healthy, 0, "{} with {requests} requests is not healthy", system.0);
            total += runs;
        }
    }
    assert!(total >= runs * 100, "{total} runs");
}

#[test]
fn an_unhealthy_system_is_never_called_healthy() {
    never_healthy(seeds(2));
}

#[test]
fn calls_that_fail_unnoticed_are_trouble() {
    let log = |capacity| {
        format!(
            "\"n\": Server(service: Exponential(mean: \"1ms\"), call: (to: \"o\", wait: false)), \
             \"o\": Server(service: Exponential(mean: \"10ms\"), queue: Fifo(capacity: {capacity}))"
        )
    };
    // A run may be too short to tell, but never says the opposite, and mostly tells.
    for (capacity, expected, wrong) in
        [(0, Verdict::InTrouble, Verdict::Healthy), (1000, Verdict::Healthy, Verdict::InTrouble)]
    {
        let system = scenario(&system("Poisson(rate: \"30/s\")", &log(capacity), 100.0));
        let verdicts: Vec<Verdict> = (0..seeds(5)).map(|seed| Verdict::of(&found(&system, seed))).collect();
        assert!(!verdicts.contains(&wrong), "a queue of {capacity}");
        let told = verdicts.iter().filter(|verdict| **verdict == expected).count();
        assert!(10 * told >= 8 * verdicts.len(), "{told} of {} with a queue of {capacity}", verdicts.len());
    }
}

#[test]
#[ignore = "10,000 runs take two minutes"]
fn all_replications_of_unhealthy_systems_are_not_called_healthy() {
    never_healthy(seeds(100));
}

#[test]
fn a_healthy_system_is_hardly_ever_in_trouble_and_a_long_run_shows_its_health() {
    let runs = seeds(2);
    let (mut all, mut in_trouble, mut long, mut shown) = (0, 0, 0, 0);
    for system in HEALTHY {
        for requests in LENGTHS {
            let [healthy, trouble, _] = verdicts(system, requests, runs);
            all += runs;
            in_trouble += trouble;
            if requests == 10_000 {
                long += runs;
                shown += healthy;
            }
        }
    }
    // One in a hundred by chance, and four standard deviations.
    let expected = all as f64 / 100.0;
    assert!(in_trouble as f64 <= expected + 4.0 * expected.sqrt() + 1.0, "{in_trouble} of {all} in trouble");
    assert!(shown as f64 >= 0.8 * long as f64, "{shown} of {long} long runs are healthy");
}
