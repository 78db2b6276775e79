//! The scenarios about endpoints and queues tell the truth: what their comments say happens, and the cures help.

use rushhour::analysis::{FindingKind, findings};
use rushhour::metrics::result::RunResult;
use rushhour::scenario::Scenario;

use crate::harness::{run_once, scenario_with, shipped, source};

/// A shipped scenario, with some values set.
fn story(name: &str, overrides: &[&str]) -> Scenario {
    let (_, text) = shipped().into_iter().find(|(file, _)| file == name).expect("a shipped scenario");
    scenario_with(&text, overrides)
}

/// The latency of a source in seconds: the mean, and a quantile.
fn latency(result: &RunResult, name: &str, quantile: f64) -> [f64; 2] {
    let latency = source(result, name).latency.summarize();
    let seconds = |nanos: Option<f64>| nanos.expect("requests were served") * 1e-9;
    [seconds(latency.mean()), seconds(latency.quantile(quantile).map(|nanos| nanos as f64))]
}

/// The subjects of findings of a kind.
fn found(kind: FindingKind, scenario: &Scenario, result: &RunResult) -> Vec<String> {
    let all = findings(scenario, result).into_iter();
    all.filter(|finding| finding.kind() == kind).map(|finding| finding.subject).collect()
}

/// The resources that are saturated.
fn saturated(scenario: &Scenario, result: &RunResult) -> Vec<String> {
    found(FindingKind::Saturation, scenario, result)
}

#[test]
fn a_long_computation_blocks_an_event_loop() {
    let blocked = story("event_loop.ron", &["warm_up=35s"]);
    let result = run_once(&blocked);
    let [mean, p99] = latency(&result, "readers", 0.99);
    // 21 ms, and a mean wait of 200 ms; a run of 50 s has about 50 reports, so that it is not exact.
    assert!((0.15..0.35).contains(&mean) && p99 > 0.4, "{mean} {p99}");
    // The core is idle for two fifths of the time: it is not short, but held up.
    assert_eq!(found(FindingKind::LongWaits, &blocked, &result), ["api cores"]);
    assert_eq!(saturated(&blocked, &result), [""; 0]);
    let yields = r#"nodes.api.endpoints.report.steps=[Repeat(times: 40, steps: [Cpu(Constant("10ms")), Io(Constant("0s"))])]"#;
    let cured = story("event_loop.ron", &["warm_up=35s", yields]);
    let result = run_once(&cured);
    assert!(latency(&result, "readers", 0.99)[1] < 0.2, "{:?}", latency(&result, "readers", 0.99));
    assert_eq!(found(FindingKind::LongWaits, &cured, &result), [""; 0]);
}

#[test]
fn a_slow_dependency_exhausts_the_memory_of_its_caller() {
    let full = story("memory_exhaustion.ron", &[]);
    let result = run_once(&full);
    assert_eq!(saturated(&full, &result), ["api memory"]);
    // 36 requests per second wait for memory during the 30 s, and are served in their order: 1,080 / 64 s.
    let [_, longest] = latency(&result, "users", 1.0);
    assert!((10.0..17.0).contains(&longest), "{longest}");
    for cure in [
        r#"nodes.api.memory="1GB""#,
        r#"nodes.api.endpoints.search.steps.2=Call(to: "search engine", timeout: "300ms", on_failure: Continue)"#,
    ] {
        let cured = story("memory_exhaustion.ron", &[cure]);
        let result = run_once(&cured);
        assert!(latency(&result, "users", 0.99)[1] < 2.5, "{cure}: {:?}", latency(&result, "users", 0.99));
        assert_eq!(saturated(&cured, &result), [""; 0], "{cure}");
    }
}

#[test]
fn slow_users_of_a_pool_starve_the_others() {
    let starved = story("pool_exhaustion.ron", &[]);
    let result = run_once(&starved);
    assert_eq!(saturated(&starved, &result), ["shop pool connections"]);
    assert!(latency(&result, "shoppers", 0.99)[1] > 2.0);
    let bulkhead = [
        r#"nodes.shop.pools={"connections": 10, "exports": 8}"#,
        r#"nodes.shop.endpoints.export.steps.1.pool="exports""#,
    ];
    let cured = story("pool_exhaustion.ron", &bulkhead);
    let result = run_once(&cured);
    assert!(latency(&result, "shoppers", 0.99)[1] < 0.2, "{:?}", latency(&result, "shoppers", 0.99));
    assert!(!saturated(&cured, &result).contains(&"shop pool connections".to_owned()));
}

#[test]
fn a_fan_out_is_as_slow_as_its_slowest_leaf() {
    let all = run_once(&story("fan_out.ron", &[]));
    // 63 % of the searches take a second.
    let [mean, median] = latency(&all, "searches", 0.5);
    assert!((0.58..0.70).contains(&mean) && median > 0.9, "{mean} {median}");
    assert!(latency(&all, "lookups", 0.98)[1] < 0.02);
    let quorum = run_once(&story("fan_out.ron", &["nodes.search.endpoints.all.steps.0.join=Quorum(97)"]));
    assert!(latency(&quorum, "searches", 0.95)[1] < 0.02, "{:?}", latency(&quorum, "searches", 0.95));
}

#[test]
fn last_in_first_out_serves_most_at_once_and_some_very_late() {
    let lifo = run_once(&story("lifo_overload.ron", &[]));
    let fifo = run_once(&story("lifo_overload.ron", &["nodes.server.queue=Fifo()"]));
    let ([mean_lifo, median_lifo], [mean_fifo, median_fifo]) =
        (latency(&lifo, "users", 0.5), latency(&fifo, "users", 0.5));
    // The order does not change the work, nor the mean.
    assert!((mean_lifo - mean_fifo).abs() < 0.05 * mean_fifo, "{mean_lifo} {mean_fifo}");
    assert!(median_lifo < 0.15 && median_fifo > 1.0, "{median_lifo} {median_fifo}");
    let [longest_lifo, longest_fifo] = [&lifo, &fifo].map(|result| latency(result, "users", 1.0)[1]);
    assert!((40.0..55.0).contains(&longest_lifo) && longest_fifo < 13.0, "{longest_lifo} {longest_fifo}");
}

#[test]
fn strict_priorities_starve_guests_and_turns_do_not() {
    let strict = run_once(&story("starvation.ron", &[]));
    assert!(latency(&strict, "subscribers", 0.99)[1] < 1.0 && latency(&strict, "guests", 0.99)[1] > 10.0);
    let fair = run_once(&story("starvation.ron", &["nodes.server.queue=Fair()"]));
    assert!(latency(&fair, "guests", 0.99)[1] < 1.0, "{:?}", latency(&fair, "guests", 0.99));
}
