//! Links: which one a message takes.

use crate::harness::{run_logged, scenario};
use crate::support::rushhour;

/// The latency of a request, in milliseconds, from "s" to "lb", on to one of "m-0" and "m-1", and back, with these links.
fn latencies(links: &str) -> Vec<u64> {
    let result = run_logged(&scenario(&format!(
        r#"(name: "links", run_until: "9s",
            sources: {{"s": (arrivals: Constant(rate: "1/s"), max_requests: 2, to: "lb")}},
            nodes: {{"lb": LoadBalancer(policy: RoundRobin, to: "m"), "m": Server(count: 2, service: Constant("0s"))}},
            links: [{links}])"#
    )));
    let latency = |record: &rushhour::request::RequestRecord| {
        let (at, _) = record.finished.expect("it has ended");
        at.since(record.created).as_nanos() / 1_000_000
    };
    result.requests.iter().map(latency).collect()
}

/// A link with this latency in each direction.
fn link(from: &str, to: &str, millis: u64) -> String {
    format!("(from: \"{from}\", to: \"{to}\", latency: Constant(\"{millis}ms\")),")
}

#[test]
fn the_most_specific_link_counts() {
    let [all, to_all, from_all] = [link("*", "*", 1), link("lb", "*", 10), link("*", "m", 100)];
    assert_eq!(latencies(&all), [4, 4]);
    // The sender comes first.
    assert_eq!(latencies(&format!("{all}{to_all}{from_all}")), [22, 22]);
    assert_eq!(latencies(&format!("{all}{from_all}")), [202, 202]);
    let own = link("lb", "m", 1000);
    assert_eq!(latencies(&format!("{all}{to_all}{from_all}{own}")), [2002, 2002]);
    let of_member = link("lb", "m-1", 3000);
    assert_eq!(latencies(&format!("{all}{to_all}{own}{of_member}")), [2002, 6002]);
    assert_eq!(latencies(&link("*", "m-0", 5)), [10, 0]);
}

#[test]
fn a_link_of_all_has_to_lead_somewhere() {
    let text = r#"(name: "links", run_until: "9s",
        sources: {"s": (arrivals: Constant(rate: "1/s"), to: "m")},
        nodes: {"m": Server(service: Constant("0s")), "idle": Server(service: Constant("1ms"))},
        links: [(from: "*", to: "idle", preset: Local)])"#;
    let answer = rushhour(&["check", "a.ron"]).file("a.ron", text).run();
    assert_eq!(answer.code, Some(2));
    assert!(
        answer.stderr.contains("nobody sends to \"idle\", so no message would pass this link"),
        "{}",
        answer.stderr
    );
    let fault = text.replace(
        "\"idle\", preset: Local)]",
        "\"m\", preset: Local)], faults: {\"f\": (of: \"s -> m\", what: Partition, at: \"1s\")}",
    );
    let answer = rushhour(&["check", "a.ron"]).file("a.ron", &fault).run();
    assert!(answer.stderr.contains("\"* -> m\" covers more, or less, than that"), "{}", answer.stderr);
    let answer = rushhour(&["check", "a.ron"]).file("a.ron", fault.replace("\"s -> m\"", "\"* -> m\"")).run();
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
}
