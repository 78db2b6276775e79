//! Rates of correct and false findings. `SEEDS=200 cargo test --test it findings_rates -- --ignored --nocapture`
//! prints, for each system, the number of runs with each kind of finding; `ONLY=fleet` selects systems by name, and
//! `TELL=overload` also prints the findings of the runs with that kind. [`findings`](super::findings) asserts the
//! results.

use std::collections::BTreeMap;

use rushhour::analysis::{Finding, findings};
use rushhour::scenario::Scenario;
use rushhour::simulation::{RunOptions, run};

use crate::harness::{scenario, scenario_with, shipped};

/// The findings of a run with a seed.
pub(crate) fn found(scenario: &Scenario, seed: u64) -> Vec<Finding> {
    let options = RunOptions { seed: Some(seed), ..RunOptions::default() };
    let result = run(scenario, options).unwrap_or_else(|error| panic!("{error}"));
    findings(scenario, &result)
}

/// A system of one source and some nodes that runs for `seconds`.
pub(crate) fn system(arrivals: &str, nodes: &str, seconds: f64) -> String {
    system_with_links(arrivals, nodes, "", seconds)
}

fn system_with_links(arrivals: &str, nodes: &str, links: &str, seconds: f64) -> String {
    format!(
        "Scenario(name: \"x\", run_until: \"{seconds}s\", sources: {{ \"s\": (arrivals: {arrivals}, to: \"n\") }}, \
         nodes: {{ {nodes} }}, links: [{links}])"
    )
}

/// A server that does hardly anything but sends responses of 10 kB over a link from the source.
const SENDER: &str =
    r#""n": Server(concurrency: 1000, service: Constant("1ms"), response_size: Exponential(mean: "10kB"))"#;

/// Links that carry up to 100 of these responses per second.
const LINKS: [(&str, &str); 2] = [
    ("fair link", r#"(from: "s", to: "n", bandwidth: "8Mbit/s")"#),
    ("serial link", r#"(from: "s", to: "n", bandwidth: "8Mbit/s", sharing: Serial)"#),
];

/// Nodes whose requests take steps, each with a resource that limits them, and the rate up to which they serve.
const WITH_STEPS: [(&str, &str, f64); 7] = [
    (
        "cores",
        r#""n": Server(cores: 1, endpoints: {"e": (steps: [Cpu(Exponential(mean: "10ms")), Io(Exponential(mean: "50ms"))])})"#,
        100.0,
    ),
    (
        "shared cores",
        r#""n": Server(cores: 2, sharing: ProcessorSharing, endpoints: {"e": (steps: [Cpu(Exponential(mean: "10ms"))])})"#,
        200.0,
    ),
    (
        "pool",
        r#""n": Server(concurrency: 1000, pools: {"p": 10}, endpoints: {"e": (steps: [
            Cpu(Constant("1ms")), Hold(pool: "p", steps: [Io(Exponential(mean: "10ms"))])])})"#,
        1e3,
    ),
    (
        "memory",
        r#""n": Server(memory: "1GB", endpoints: {"e": (steps: [Memory("100MB"), Io(Exponential(mean: "10ms"))])})"#,
        1e3,
    ),
    (
        "calls",
        r#""n": Server(endpoints: {"e": (steps: [Io(Constant("1ms")), Call("m")])}), "m": Server(service: Exponential(mean: "10ms"))"#,
        100.0,
    ),
    (
        "calls of few",
        r#""n": Server(concurrency: 10, endpoints: {"e": (steps: [Call("m")])}), "m": Server(concurrency: 20, service: Exponential(mean: "10ms"))"#,
        1e3,
    ),
    (
        "fan-out",
        r#""n": Server(endpoints: {"e": (steps: [Parallel(branches: [[Call("m-0")], [Call("m-1")], [Call("m-2")]])])}),
            "m": Server(count: 3, service: Exponential(mean: "10ms"))"#,
        100.0,
    ),
];

/// Systems without trouble and without changes. A name consists of the model, the load and the number of requests.
pub(crate) fn stationary() -> Vec<(String, String)> {
    let mut all = Vec::new();
    let exponential = "service: Exponential(mean: \"10ms\")";
    // For two loads there are more systems.
    for (load, has_more) in
        [(0.5, false), (0.6, false), (0.7, true), (0.8, false), (0.9, true), (0.95, false)]
    {
        for requests in [200.0, 2e3, 2e4, 2e5] {
            if requests > 1e5 && !has_more {
                continue;
            }
            let poisson = |capacity: f64| format!("Poisson(rate: \"{}/s\")", load * capacity);
            let seconds = |capacity: f64| requests / load / capacity;
            let name = |law: &str| format!("{law} {load} {requests}");
            let one = |arrivals: &str, server: &str, capacity: f64| {
                system(arrivals, &format!("\"n\": Server({server})"), seconds(capacity))
            };
            all.push((name("M/M/1"), one(&poisson(100.0), exponential, 100.0)));
            if requests > 1e5 {
                continue;
            }
            all.push((name("M/M/10"), one(&poisson(1e3), &format!("concurrency: 10, {exponential}"), 1e3)));
            all.push((name("M/D/1"), one(&poisson(100.0), "service: Constant(\"10ms\")", 100.0)));
            all.push((
                name("M/M/1/5"),
                one(&poisson(100.0), &format!("{exponential}, queue: Fifo(capacity: 5)"), 100.0),
            ));
            let hyper = "service: HyperExponential(branches: [(probability: 0.9, mean: \"5ms\"), (probability: 0.1, mean: \"55ms\")])";
            all.push((name("M/H/1"), one(&poisson(100.0), hyper, 100.0)));
            let constant = format!("Constant(rate: \"{}/s\")", load * 100.0);
            all.push((name("D/D/1"), one(&constant, "service: Constant(\"10ms\")", 100.0)));
            all.push((name("D/M/1"), one(&constant, exponential, 100.0)));
            let tandem = format!(
                "\"n\": Server({exponential}, then: \"m\"), \"m\": Server({exponential}, then: \"o\"), \"o\": Server({exponential})"
            );
            all.push((name("tandem"), system(&poisson(100.0), &tandem, seconds(100.0))));
            // Bursts that stay below the capacity.
            let bursts: &[(&str, String)] = &[
                (
                    "mmpp",
                    format!(
                        "Mmpp(states: [(rate: \"{}/s\", stay: Exponential(mean: \"3s\")), (rate: \"{}/s\", stay: Exponential(mean: \"2s\"))])",
                        600.0 * load,
                        1600.0 * load
                    ),
                ),
                (
                    "users",
                    format!(
                        "Users(count: Uniform(50, 150), requests: \"{}/s\", window: \"1s\")",
                        10.0 * load
                    ),
                ),
                (
                    "batches",
                    format!("Batches(of: Poisson(rate: \"{}/s\"), size: Geometric(mean: 4))", 250.0 * load),
                ),
            ];
            for (law, arrivals) in bursts.iter().filter(|_| load < 0.7) {
                all.push((name(law), one(arrivals, &format!("concurrency: 10, {exponential}"), 1e3)));
            }
            for (law, links) in LINKS {
                let text = system_with_links(&poisson(100.0), SENDER, links, seconds(100.0));
                all.push((name(law), text));
            }
            for (law, nodes, capacity) in WITH_STEPS {
                all.push((name(law), system(&poisson(capacity), nodes, seconds(capacity))));
            }
            if has_more {
                for servers in [3_u32, 30, 300] {
                    for policy in ["Random", "RoundRobin"] {
                        let many = f64::from(servers) * 100.0;
                        let fleet = format!(
                            "\"n\": LoadBalancer(policy: {policy}, to: \"m\"), \"m\": Server(count: {servers}, {exponential})"
                        );
                        let text = system(&poisson(many), &fleet, requests * 3.0 / load / many);
                        all.push((name(&format!("fleet {servers} {policy}")), text));
                    }
                }
                for key in ["Uniform(0, 999)", "Zipf(keys: 100000, exponent: 0.5)"] {
                    let nodes = "\"n\": Client(to: \"m\"), \"m\": Server(count: 3, concurrency: 10, service: Exponential(mean: \"100ms\"))";
                    let text = system(&poisson(300.0), nodes, seconds(300.0))
                        .replace("to: \"n\")", &format!("key: {key}, to: \"n\")"));
                    all.push((name(&format!("keys {}", &key[..4])), text.clone()));
                    let aware = text.replace(
                        "Client(to: \"m\")",
                        "Client(to: \"m\", routing: LoadAware(window: \"1s\", threshold: 0.95))",
                    );
                    all.push((name(&format!("aware {}", &key[..4])), aware));
                }
            }
        }
    }
    all
}

/// Systems in trouble, and unusual ones.
pub(crate) fn in_trouble() -> Vec<(String, String)> {
    let one = "\"n\": Server(service: Exponential(mean: \"10ms\"))";
    let ten = "\"n\": Server(concurrency: 10, service: Exponential(mean: \"10ms\"))";
    let poisson = |rate: f64| format!("Poisson(rate: \"{rate}/s\")");
    let profile = |rate: &str| format!("Poisson(rate: {rate})");
    let group = "\"n\": LoadBalancer(policy: Random, to: \"m\"), \"m\": Server(count: 5, service: Exponential(mean: \"10ms\"))";
    let keyed = "\"n\": Client(to: \"m\"), \"m\": Server(count: 3, concurrency: 10, service: Exponential(mean: \"100ms\"))";
    let with = |text: String, key: &str| text.replace("to: \"n\")", &format!("{key}, to: \"n\")"));
    let mut all = vec![
        ("sine .3-.9 one", system(&profile("Sine(mean: \"60/s\", amplitude: \"30/s\", period: \"10s\")"), one, 100.0)),
        ("sine .3-.9 ten", system(&profile("Sine(mean: \"600/s\", amplitude: \"300/s\", period: \"10s\")"), ten, 100.0)),
        ("sine .3-.9 group", system(&profile("Sine(mean: \"300/s\", amplitude: \"150/s\", period: \"10s\")"), group, 100.0)),
        ("sine .3-.9 4 cycles", system(&profile("Sine(mean: \"600/s\", amplitude: \"300/s\", period: \"10s\")"), ten, 40.0)),
        ("sine .3-.9 2 cycles", system(&profile("Sine(mean: \"600/s\", amplitude: \"300/s\", period: \"10s\")"), ten, 25.0)),
        ("sine weak", system(&profile("Sine(mean: \"600/s\", amplitude: \"30/s\", period: \"10s\")"), ten, 100.0)),
        ("steps .3/.8", system(&profile("Steps([(at: \"0s\", rate: \"300/s\"), (at: \"30s\", rate: \"800/s\"), (at: \"70s\", rate: \"300/s\")])"), ten, 100.0)),
        ("ramp .1-.8", system(&profile("Ramp(from: \"100/s\", to: \"800/s\", start: \"20s\", end: \"60s\")"), ten, 100.0)),
        ("overload 1.2", system(&poisson(120.0), one, 100.0)),
        ("overload 1.2 of ten", system(&poisson(1200.0), ten, 20.0)),
        ("overload 1.2 of group", system(&poisson(600.0), group, 100.0)),
        ("overload 1.2 tenth", system(&profile("Spike(base: \"50/s\", peak: \"120/s\", from: \"200s\", to: \"240s\")"), one, 400.0)),
        ("overload 1.2 tenth unannounced", "Scenario(name: \"x\", run_until: \"400s\", sources: { \"s\": (arrivals: Poisson(rate: \"50/s\"), to: \"n\"), \"t\": (arrivals: Poisson(rate: \"70/s\"), start: \"200s\", stop: \"240s\", to: \"n\") }, nodes: { \"n\": Server(service: Exponential(mean: \"10ms\")) })".to_owned()),
        ("overload 1.2 of group tenth", system(&profile("Spike(base: \"250/s\", peak: \"600/s\", from: \"100s\", to: \"120s\")"), group, 200.0)),
        ("overload of one of three", "Scenario(name: \"x\", run_until: \"100s\", sources: { \"s\": (arrivals: Poisson(rate: \"120/s\"), to: \"m-0\"), \"t\": (arrivals: Poisson(rate: \"50/s\"), to: \"m-1\"), \"u\": (arrivals: Poisson(rate: \"50/s\"), to: \"m-2\") }, nodes: { \"m\": Server(count: 3, service: Exponential(mean: \"10ms\")) })".to_owned()),
        ("overload rejecting", system(&poisson(120.0), "\"n\": Server(service: Exponential(mean: \"10ms\"), queue: Fifo(capacity: 20))", 100.0)),
        ("hot key", with(system(&poisson(150.0), keyed, 100.0), "key: Weighted([(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0), (5, 1.0), (6, 1.0), (7, 1.0), (8, 1.0), (9, 1.0), (1001, 12.0)])")),
        ("zipf 1 hot", with(system(&poisson(250.0), keyed, 100.0), "key: Zipf(keys: 1000, exponent: 1.2)")),
        ("lossy", "Scenario(name: \"x\", run_until: \"100s\", sources: { \"s\": (arrivals: Poisson(rate: \"50/s\"), to: \"n\") }, nodes: { \"n\": Server(service: Exponential(mean: \"10ms\")) }, links: [(from: \"s\", to: \"n\", loss: 0.01)])".to_owned()),
        ("all lost", "Scenario(name: \"x\", run_until: \"100s\", sources: { \"s\": (arrivals: Poisson(rate: \"50/s\"), to: \"n\") }, nodes: { \"n\": Server(service: Exponential(mean: \"10ms\")) }, links: [(from: \"s\", to: \"n\", loss: 1.0)])".to_owned()),
        ("D/D/1 at 1.0", system("Constant(rate: \"100/s\")", "\"n\": Server(service: Constant(\"10ms\"))", 100.0)),
        ("D/D/1 at 1.2", system("Constant(rate: \"120/s\")", "\"n\": Server(service: Constant(\"10ms\"))", 100.0)),
        ("no requests", with(system(&poisson(100.0), one, 100.0), "start: \"200s\"")),
        ("one request", with(system(&poisson(100.0), one, 100.0), "max_requests: 1")),
        ("zero service", system(&poisson(100.0), "\"n\": Server(service: Constant(\"0s\"))", 100.0)),
        ("unreached", system(&poisson(50.0), &format!("{one}, \"q\": Server(count: 3, service: Constant(\"1s\"))"), 100.0)),
        ("1 ms", system(&poisson(1e6), "\"n\": Server(service: Exponential(mean: \"500ns\"))", 0.001)),
        ("1 ms few", system(&poisson(5e3), one, 0.001)),
        ("1 year", system(&poisson(1e-5), "\"n\": Server(service: Exponential(mean: \"20h\"))", 31_536_000.0)),
        ("1 year short", system(&poisson(1e-5), one, 31_536_000.0)),
        ("long services", system(&poisson(0.05), "\"n\": Server(concurrency: 10, service: Exponential(mean: \"100s\"))", 1000.0)),
        ("warm up", with(system(&poisson(80.0), one, 100.0), "key: Fixed(1)").replace("run_until", "warm_up: \"50s\", run_until")),
        ("stops", system(&poisson(70.0), one, 100.0).replace("run_until", "arrivals_until: \"60s\", run_until")),
    ];
    let fleet = "\"n\": LoadBalancer(policy: Random, to: \"m\"), \"m\": Server(count: 2000, service: Exponential(mean: \"50ms\"))";
    all.push(("2000 servers", system(&poisson(28_000.0), fleet, 10.0)));
    let with_steps = |share: f64, of: &str| {
        let (_, nodes, capacity) =
            WITH_STEPS.into_iter().find(|(name, ..)| *name == of).expect("it is there");
        system(&poisson(share * capacity), nodes, 1e4 / capacity)
    };
    all.extend([
        ("overload of cores", with_steps(1.2, "cores")),
        ("overload of shared cores", with_steps(1.2, "shared cores")),
        ("overload of a pool", with_steps(1.2, "pool")),
        ("overload of memory", with_steps(1.2, "memory")),
        ("overload of a callee", with_steps(1.2, "calls")),
        ("overload of a caller", with_steps(1.2, "calls of few")),
        ("overload of a fan-out", with_steps(1.2, "fan-out")),
    ]);
    for ((_, links), name) in LINKS.into_iter().zip(["overload of a fair link", "overload of a serial link"])
    {
        all.push((name, system_with_links(&poisson(120.0), SENDER, links, 100.0)));
    }
    all.push(("2000 servers 1.2", system(&poisson(48_000.0), fleet, 4.0)));
    all.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
}

/// The number of seeds: the environment variable `SEEDS`, or else `default`.
pub(crate) fn seeds(default: u64) -> u64 {
    std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
#[ignore = "an experiment that takes some minutes"]
fn rates() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let shipped_scenarios = shipped().into_iter().map(|(name, text)| (format!("shipped {name}"), text));
    let mut all: Vec<(String, Scenario)> = shipped_scenarios
        .chain(in_trouble())
        .chain(stationary())
        .map(|(name, text)| (name, scenario(&text)))
        .collect();
    let spike = shipped()
        .into_iter()
        .find(|(name, _)| name == "load_aware_routing.ron")
        .expect("a shipped scenario")
        .1;
    let long = ["sources.customer-1001.arrivals.rate.to=130s", "arrivals_until=160s", "run_until=165s"];
    all.push(("shipped load_aware_routing long".to_owned(), scenario_with(&spike, &long)));
    for (name, scenario) in all.iter().filter(|(name, _)| name.contains(&only)) {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let runs = seeds(20);
        let mut details = String::new();
        for seed in 0..runs {
            let found = found(scenario, seed);
            let mut kinds: Vec<String> =
                found.iter().map(|finding| finding.kind().name().to_owned()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            if kinds.is_empty() {
                kinds.push("NOTHING".to_owned());
            }
            if std::env::var("TELL").is_ok_and(|kind| kinds.contains(&kind)) {
                details += &format!("\n    {seed}: {found:?}");
            }
            kinds.into_iter().for_each(|kind| *counts.entry(kind).or_default() += 1);
        }
        println!("{name} [{runs}]: {counts:?}{details}");
    }
}
