//! The scenarios about endpoints and queues tell the truth: what their comments say happens, and the cures help.

use rushhour::analysis::{FindingKind, findings};
use rushhour::metrics::result::RunResult;
use rushhour::request::Outcome;
use rushhour::scenario::Scenario;

use crate::harness::{run_logged, run_once, scenario_with, shipped, source};

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
fn a_closed_load_test_hides_an_overload() {
    let test = story("closed_load_test.ron", &["warm_up=10s"]);
    let result = run_once(&test);
    assert_eq!(found(FindingKind::Saturation, &test, &result), ["service"]);
    // N / X - Z = 120 / 100 - 1 s.
    let [mean, p99] = latency(&result, "users", 0.99);
    assert!((0.18..0.23).contains(&mean) && p99 < 0.6, "{mean} {p99}");
    assert_eq!(result.sources[0].outcomes.failures(), 0);
    let open = story("closed_load_test.ron", &[r#"sources.users.arrivals=Poisson(rate: "120/s")"#]);
    let result = run_once(&open);
    assert_eq!(found(FindingKind::Overload, &open, &result), ["service"]);
    // 20 per second for 300 s wait for 100 per second.
    let [_, longest] = latency(&result, "users", 1.0);
    assert!((40.0..70.0).contains(&longest), "{longest}");
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

/// Requests of a source per second that were completed from a time on, in seconds.
fn completed_from(result: &RunResult, name: &str, from: f64) -> f64 {
    let row = result.sources.iter().position(|source| source.name == name).expect("a source");
    let completed = result.requests.iter().filter(|record| {
        let is_completed = |(at, outcome): (_, _)| {
            let at: rushhour::engine::time::SimTime = at;
            outcome == Outcome::Completed && at.as_seconds() >= from
        };
        usize::from(record.source) == row && record.finished.is_some_and(is_completed)
    });
    completed.count() as f64 / (result.end.as_seconds() - from)
}

#[test]
fn garbage_collection_keeps_a_service_down_after_the_spike() {
    let down = story("garbage_collection.ron", &[]);
    let result = run_logged(&down);
    // 80 requests in progress complete 200 per second, and 300 arrive.
    let completed = completed_from(&result, "users", 60.0);
    assert!((190.0..210.0).contains(&completed), "{completed}");
    assert_eq!(saturated(&down, &result), ["api"]);
    assert!(source(&result, "users").outcomes.in_flight() > 9000);
    // Without the spike, the same service has no trouble.
    let calm = story("garbage_collection.ron", &[r#"sources.users.arrivals=Poisson(rate: "300/s")"#]);
    assert!(latency(&run_once(&calm), "users", 0.99)[1] < 0.5);
    let cured = story("garbage_collection.ron", &["nodes.api.concurrency=30"]);
    let result = run_logged(&cured);
    let completed = completed_from(&result, "users", 60.0);
    assert!((285.0..315.0).contains(&completed), "{completed}");
    let longest = latency(&result, "users", 1.0)[1];
    assert!(longest < 4.0 && source(&result, "users").outcomes.in_flight() < 100, "{longest}");
}

#[test]
fn cores_help_computations_and_slots_help_those_who_wait() {
    let both = story("cpu_or_io.ron", &[]);
    let result = run_once(&both);
    assert_eq!(saturated(&both, &result), ["gateway slots"]);
    let means = |overrides: &[&str]| {
        let result = run_once(&story("cpu_or_io.ron", overrides));
        ["pictures", "partners"].map(|name| latency(&result, name, 0.5)[0])
    };
    let [pictures, partners] = means(&[]);
    // 20 ms, and a mean wait of 85 ms by Erlang C.
    assert!((0.08..0.14).contains(&pictures) && partners > 5.0, "{pictures} {partners}");
    let [cured, cured_too] = means(&["nodes.renderer.cores=4", "nodes.gateway.concurrency=40"]);
    assert!(cured < 0.03 && cured_too < 0.12, "{cured} {cured_too}");
    let [vain, vain_too] = means(&["nodes.renderer.concurrency=40", "nodes.gateway.cores=4"]);
    assert!(vain > 0.08 && vain_too > 5.0, "{vain} {vain_too}");
}

#[test]
fn a_deep_queue_fails_everybody_long_after_the_overload() {
    let failures_from = |result: &RunResult, from: f64| {
        let late = result.requests.iter().filter(|record| record.created.as_seconds() >= from);
        let (mut all, mut failed) = (0.0, 0.0);
        for (_, outcome) in late.filter_map(|record| record.finished) {
            all += 1.0;
            failed += f64::from(u8::from(outcome.is_failure()));
        }
        failed / all
    };
    let deep = story("deep_queue.ron", &[]);
    let result = run_logged(&deep);
    assert!(failures_from(&result, 0.0) > 0.5, "{}", failures_from(&result, 0.0));
    let until_60 =
        result.requests.iter().filter(|record| (40.0..60.0).contains(&record.created.as_seconds()));
    let completed =
        until_60.filter(|record| record.finished.is_some_and(|(_, outcome)| outcome == Outcome::Completed));
    assert_eq!(completed.count(), 0, "all fail for 20 s after the overload");
    for cure in [
        r#"nodes.database.queue=CoDel(target: "50ms", interval: "500ms")"#,
        "nodes.database.queue=AdaptiveLifo(above: 20)",
        r#"nodes.database.patience=Constant("400ms")"#,
    ] {
        let result = run_logged(&story("deep_queue.ron", &[cure]));
        let [all, late] = [0.0, 50.0].map(|from| failures_from(&result, from));
        assert!(all < 0.32 && late < 0.06, "{cure}: {all} {late}");
    }
}
