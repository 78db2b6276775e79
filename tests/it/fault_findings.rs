//! The finding `fault`, over many seeds: on faults that do something and on faults that do nothing, and how long a system
//! needs to recover. `SEEDS=200 cargo test --release --test it fault_findings -- --nocapture` prints the rates.

use rushhour::analysis::{Evidence, FaultEvidence, Finding};

use crate::findings_rates::found;
use crate::harness::scenario;

/// Number of seeds of an experiment.
fn seeds(default: u64) -> u64 {
    std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(default)
}

/// What was found of a fault.
fn evidence<'a>(findings: &'a [Finding], fault: &str) -> Option<&'a FaultEvidence> {
    findings.iter().find_map(|finding| {
        let Evidence::Fault(evidence) = &finding.evidence else { return None };
        (evidence.fault == fault).then_some(&**evidence)
    })
}

/// A system with a source, a group of servers, a server that nobody uses, and a fault "f".
fn system(arrivals: &str, servers: &str, seconds: f64, fault: &str) -> String {
    format!(
        r#"(name: "x", run_until: "{seconds}s",
            sources: {{"s": (arrivals: {arrivals}, to: "lb"), "idle": (arrivals: Constant(rate: "1/d"), to: "spare")}},
            nodes: {{"lb": LoadBalancer(policy: RoundRobin, to: "m"), "m": Server({servers}),
                     "spare": Server(service: Constant("1ms"))}},
            links: [(from: "s", to: "lb", latency: Constant("1ms"))],
            faults: {{"f": ({fault})}})"#
    )
}

/// Arrivals at a share of this capacity: without and with bursts.
fn arrivals(load: f64, capacity: f64) -> [(&'static str, String); 4] {
    let rate = load * capacity;
    [
        ("Poisson", format!("Poisson(rate: \"{rate}/s\")")),
        (
            "states",
            format!(
                "Mmpp(states: [(rate: \"{}/s\", stay: Exponential(mean: \"3s\")), (rate: \"{}/s\", stay: Exponential(mean: \"2s\"))])",
                0.7 * rate,
                1.45 * rate
            ),
        ),
        (
            "users",
            format!("Users(count: Poisson(mean: 50), requests: \"{}/s\", window: \"5s\")", rate / 50.0),
        ),
        ("batches", format!("Batches(of: Poisson(rate: \"{}/s\"), size: Geometric(mean: 4))", rate / 4.0)),
    ]
}

/// Asserts that a fault is reported in at least or at most this share of runs.
#[track_caller]
#[expect(clippy::print_stdout, reason = "the rates, shown with --nocapture")]
fn assert_share(name: &str, count: u64, runs: u64, (min, max): (f64, f64)) {
    println!("{name}: {count} of {runs}");
    let (count, runs) = (count as f64, runs as f64);
    let at_least = min * runs - 4.0 * (min * (1.0 - min) * runs).sqrt() - 1.0;
    let at_most = max * runs + 4.0 * (max * (1.0 - max) * runs).sqrt() + 1.0;
    assert!((at_least..=at_most).contains(&count), "{name}: {count} of {runs} runs");
}

/// When a fault happens in a run of this length: once, and again and again.
fn whens(seconds: f64) -> [(&'static str, String); 3] {
    let time = |share: f64| format!("\"{}s\"", share * seconds);
    [
        ("once", format!("at: {}, for: {}", time(0.5), time(0.05))),
        (
            "often",
            format!("every: Exponential(mean: {}), lasts: Exponential(mean: {})", time(0.02), time(0.004)),
        ),
        ("very often", format!("every: Constant({}), lasts: Constant({})", time(0.001), time(0.0002))),
    ]
}

#[test]
fn a_fault_that_does_nothing_is_not_reported() {
    for load in [0.5, 0.7, 0.9] {
        for requests in [2e3, 2e4] {
            let seconds = requests / (load * 400.0);
            let (mut reported, mut runs) = (0, 0);
            for (law, arrivals) in arrivals(load, 400.0) {
                for (when, times) in whens(seconds) {
                    let fault = format!("of: \"spare\", what: Crash, {times}");
                    let servers = r#"count: 4, service: Exponential(mean: "10ms")"#;
                    let system = scenario(&system(&arrivals, servers, seconds, &fault));
                    for seed in 0..seeds(4) {
                        let findings = found(&system, seed);
                        runs += 1;
                        if let Some(evidence) = evidence(&findings, "f") {
                            eprintln!("{law} {load} {requests} {when}: {evidence:?}");
                            reported += 1;
                        }
                    }
                }
            }
            assert_share(&format!("false, load {load}, {requests} requests"), reported, runs, (0.0, 0.01));
        }
    }
}

#[test]
fn a_fault_that_does_something_is_reported() {
    let effects = [
        ("partition", r#"of: "s -> lb", what: Partition"#, true, true),
        ("crash of all", r#"of: "m", what: Crash"#, true, true),
        ("crash of one", r#"of: "m-0", what: Crash"#, true, false),
        ("pause of all", r#"of: "m", what: Pause"#, false, true),
        ("pause of one", r#"of: "m-0", what: Pause"#, false, true),
        ("slow", r#"of: "m", what: Slow(4.0)"#, false, true),
        ("errors", r#"of: "m", what: Errors(0.3)"#, true, true),
        ("loss", r#"of: "s -> lb", what: Loss(probability: 0.2)"#, true, true),
        ("surge", r#"of: "s", what: Surge(4.0)"#, false, true),
        ("latency", r#"of: "s -> lb", what: Latency(add: Constant("200ms"))"#, false, true),
    ];
    for load in [0.5, 0.7] {
        let (requests, capacity) = (2e4, 400.0);
        let seconds = requests / (load * capacity);
        for (name, fault, fails, always) in effects {
            let (mut reported, mut runs) = (0, 0);
            // At the higher load, bursts alone fill the servers at times. Not all arrivals can surge.
            let is_suited = |(law, _): &(&str, String)| match *law {
                "Poisson" => true,
                "batches" => load < 0.6,
                _ => load < 0.6 && name != "surge",
            };
            for (_, arrivals) in arrivals(load, capacity).into_iter().filter(is_suited) {
                // A surge that happens often is too much for servers with a load of 0.7.
                let whens = &whens(seconds)[..if name == "surge" && load > 0.6 { 1 } else { 2 }];
                for (when, times) in whens {
                    let servers = r#"count: 4, service: Exponential(mean: "10ms")"#;
                    let system = scenario(&system(&arrivals, servers, seconds, &format!("{fault}, {times}")));
                    for seed in 0..seeds(2) {
                        let findings = found(&system, seed);
                        runs += 1;
                        let evidence = evidence(&findings, "f");
                        let is_right = evidence.is_some_and(|one| {
                            if fails { one.failed > 0.0 } else { one.in_flight_meanwhile.is_some() }
                        });
                        if !is_right && always {
                            eprintln!("missed: {name} {load} {when} seed {seed}: {evidence:?}");
                        }
                        reported += u64::from(is_right);
                    }
                }
            }
            assert_share(&format!("{name}, load {load}"), reported, runs, (0.95, 1.0));
        }
    }
}

/// A server that stops for a time has a backlog of what arrives meanwhile, and needs the time of this over the room that it
/// has. The run may be too short to see the end of it.
#[test]
fn the_time_to_recover_is_that_of_the_backlog() {
    for (load, pause, after) in
        [(0.5, 20.0, 100.0), (0.7, 20.0, 200.0), (0.8, 10.0, 200.0), (0.7, 20.0, 20.0)]
    {
        let servers = r#"count: 4, concurrency: 10, service: Exponential(mean: "100ms")"#;
        let fault = format!("of: \"m\", what: Pause, at: \"300s\", for: \"{pause}s\"");
        let arrivals = format!("Poisson(rate: \"{}/s\")", load * 400.0);
        let system = scenario(&system(&arrivals, servers, 300.0 + pause + after, &fault));
        let theory = pause * load / (1.0 - load);
        for seed in 0..seeds(5) {
            let findings = found(&system, seed);
            let evidence = evidence(&findings, "f").unwrap_or_else(|| panic!("{findings:?}"));
            match (evidence.recovery_seconds, evidence.not_recovered_seconds) {
                (Some(seconds), None) if theory < after => {
                    let ratio = seconds / theory;
                    assert!((0.8..1.2).contains(&ratio), "load {load}: {seconds} s, theory {theory} s");
                }
                (None, Some(seconds)) if theory > after => {
                    assert!((seconds - after).abs() < 2.0, "load {load}: {seconds} s");
                }
                other => panic!("load {load}, {pause} s: {other:?}, theory {theory} s"),
            }
        }
    }
}

#[test]
fn what_happens_at_the_same_time_as_another_fault_is_not_blamed_on_a_frequent_one() {
    let text = r#"(name: "x", run_until: "400s",
        sources: {"s": (arrivals: Poisson(rate: "200/s"), to: "m")},
        nodes: {"m": Server(concurrency: 4, service: Exponential(mean: "10ms")), "other": Server(service: Constant("1ms"))},
        links: [(from: "s", to: "m", latency: Constant("1ms"))],
        faults: {
            "harmless": (of: "other", what: Pause, every: Exponential(mean: "5s"), lasts: Constant("1s")),
            "cut": (of: "s -> m", what: Partition, at: "100s", for: "30s"),
        })"#;
    for seed in 0..seeds(5) {
        let findings = found(&scenario(text), seed);
        assert_eq!(evidence(&findings, "harmless"), None);
        let cut = evidence(&findings, "cut").expect("it loses requests");
        assert!((cut.failed - 6000.0).abs() < 400.0, "{cut:?}");
    }
}
