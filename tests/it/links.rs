//! Links: which one a message takes.

use rushhour::analysis::{Evidence, LossEvidence, findings};

use crate::harness::{run_logged, scenario};
use crate::support::rushhour as program;

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
    let answer = program(&["check", "a.ron"]).file("a.ron", text).run();
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
    let answer = program(&["check", "a.ron"]).file("a.ron", &fault).run();
    assert!(answer.stderr.contains("\"* -> m\" covers more, or less, than that"), "{}", answer.stderr);
    let answer = program(&["check", "a.ron"]).file("a.ron", fault.replace("\"s -> m\"", "\"* -> m\"")).run();
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
}

/// An API whose calls of a database wait for up to two seconds, over a link that loses a message in a hundred.
const IMPATIENT: &str = r#"(name: "loss", run_until: "1000s",
    sources: {"users": (arrivals: Poisson(rate: "20/s"), to: "api")},
    nodes: {
        "api": Server(concurrency: 40, service: Exponential(mean: "10ms"), call: (to: "db", timeout: "2s")),
        "db": Server(concurrency: 10, service: Exponential(mean: "5ms")),
    },
    links: [(from: "api", to: "db", latency: Constant("1ms"), loss: 0.01, response_loss: 0.0)])"#;

/// The evidence of the loss, and the text of its finding.
fn loss(text: &str) -> (LossEvidence, String) {
    let scenario = scenario(text);
    let result = run_logged(&scenario);
    let losses = findings(&scenario, &result).into_iter().filter_map(|finding| {
        let text = rushhour::format::findings::text(&finding);
        if let Evidence::Loss(evidence) = finding.evidence { Some((evidence, text)) } else { None }
    });
    let mut losses: Vec<_> = losses.collect();
    assert_eq!(losses.len(), 1, "{losses:?}");
    losses.remove(0)
}

#[test]
fn a_lost_call_costs_what_its_caller_waits_for_it() {
    let (evidence, text) = loss(IMPATIENT);
    // All timeouts that began before the last two seconds are over.
    let expected = 2.0 * evidence.lost as f64;
    assert!(evidence.lost > 150 && (evidence.waited_in_vain_seconds - expected).abs() <= 4.0, "{evidence:?}");
    // A request has its slot for 10 ms, 7 ms for its call if that is not lost, and 2 s if it is.
    let share = 0.01 * 2.0 / (0.010 + 0.99 * 0.007 + 0.01 * 2.0);
    let share_found = evidence.share_of_busy_slots.expect("the callers have slots");
    assert!((share_found - share).abs() < 0.05, "{evidence:?}, {share}");
    let sentence = "for them until their timeouts, 5";
    assert!(
        text.contains(sentence) && text.contains("% of the time in which slots of the callers were busy."),
        "{text}"
    );
}

#[test]
fn a_loss_that_the_caller_learns_at_once_costs_no_time() {
    let (evidence, text) = loss(&IMPATIENT.replace(", timeout: \"2s\"", ""));
    assert_eq!(evidence.waited_in_vain_seconds.to_bits(), 0);
    assert!(!text.contains("timeouts"), "{text}");
    // Calls that take long, or whose server is down, are not lost by a link.
    let slow = IMPATIENT.replace("service: Exponential(mean: \"5ms\")", "service: Constant(\"3s\")");
    let slow = slow.replace("\"20/s\"", "\"1/s\"").replace("loss: 0.01, response", "loss: 0.5, response");
    let (evidence, _) = loss(&slow);
    let expected = 2.0 * evidence.lost as f64;
    assert!((evidence.waited_in_vain_seconds - expected).abs() <= 6.0, "{evidence:?}");
}
