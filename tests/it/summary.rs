//! The summary: counts add up, and missing values are null.

use rushhour::metrics::summary::{DurationStats, Summary};
use rushhour::request::OutcomeCounts;

use crate::harness::{run_once, scenario};

/// Two sources, and a group of two servers that rejects requests for which it has no free slot.
const TEXT: &str = r#"(name: "s", seed: 7, run_until: "3s",
    sources: {"a": (arrivals: Constant(rate: "10/s"), to: "lb", class: "gold"), "b": (arrivals: Constant(rate: "10/s"), to: "lb")},
    nodes: {"lb": LoadBalancer(policy: RoundRobin, to: "web"),
            "web": Server(count: 2, service: Constant("150ms"), queue: Fifo(capacity: 0))})"#;

fn summary() -> Summary {
    Summary::of(&run_once(&scenario(TEXT)))
}

#[test]
fn outcomes_and_latencies_are_added_up_over_sources_and_classes() {
    let summary = summary();
    let of_sources: OutcomeCounts = summary.sources.values().map(|source| source.requests).sum();
    assert_eq!(summary.requests, of_sources);
    assert_eq!((summary.requests.offered, summary.requests.failures() > 0), (60, true));
    let count = |latency: &DurationStats| latency.count;
    let by_source: u64 = summary.latency.by_source.values().map(count).sum();
    assert_eq!(summary.latency.all.count, by_source);
    assert_eq!(summary.latency.by_class.keys().collect::<Vec<_>>(), ["gold"]);
    assert_eq!(summary.latency.by_source["b"].p50, Some(0.15));
}

#[test]
fn a_group_is_written_with_the_number_of_its_members() {
    let json = serde_json::to_value(summary()).expect("a summary can be written as JSON");
    let (web, nodes) = (&json["groups"]["web"], &json["nodes"]);
    assert_eq!(
        (&web["kind"], &web["members"], &web["concurrency"]),
        (&"server".into(), &2.into(), &2.into())
    );
    let arrived = |node: &serde_json::Value| node["arrived"].as_u64().expect("a count");
    assert_eq!(arrived(web), arrived(&nodes["web-0"]) + arrived(&nodes["web-1"]));
    assert_eq!(nodes["lb"]["routed"]["web-0"].as_u64(), Some(arrived(&nodes["web-0"])));
}

#[test]
fn missing_values_are_null_and_the_fingerprint_is_text() {
    let json = serde_json::to_value(summary()).expect("a summary can be written as JSON");
    assert_eq!(json["fingerprint"].as_str().map(str::len), Some(16));
    assert!(json["wall_seconds"].is_null() && json["measured_from_seconds"].is_null());
    assert!(json["latency"]["all"]["sd"].is_f64() && json["nodes"]["web-0"]["lost"].is_null());
    let server = json["nodes"]["web-0"].as_object().expect("an object");
    assert!(!server.contains_key("slots_mean") && server.contains_key("wait"));
    let requests: u64 = json["requests"]
        .as_object()
        .expect("an object")
        .values()
        .skip(1)
        .filter_map(serde_json::Value::as_u64)
        .sum();
    assert_eq!(json["requests"]["offered"].as_u64(), Some(requests));
}
