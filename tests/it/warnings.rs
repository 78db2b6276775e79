//! What has no effect in a scenario is said, and nothing else is: `check` warns, and the scenario can still be run.

use rushhour::scenario::{load, load_in};

use crate::harness::{root, shipped};
use crate::support::rushhour;

/// The warnings of a scenario: path and message of each.
fn warnings(text: &str) -> Vec<String> {
    let loaded = load_in(&root().join("scenarios"), "w.ron", text.as_bytes(), &[]);
    let loaded = loaded.unwrap_or_else(|errors| panic!("{errors}"));
    loaded.warnings.list().iter().map(|warning| format!("{}: {}", warning.path, warning.message)).collect()
}

/// A scenario with this content of its source, node "b" and the rest.
fn scenario(source: &str, node: &str, rest: &str) -> String {
    format!(
        "Scenario(name: \"w\", run_until: \"10s\", sources: {{ \"s\": (arrivals: Poisson(rate: \"10/s\"), to: \"b\"{source}) }}, \
         nodes: {{ \"b\": {node}, \"m\": Server(count: 2, service: Constant(\"1ms\")) }}{rest})"
    )
}

const BALANCER: &str = "LoadBalancer(policy: Random, to: \"m\")";

#[test]
fn a_priority_has_an_effect_where_a_queue_is_ordered_by_it() {
    let text = scenario(", priority: 1", BALANCER, "").replacen("Server(", "Server(queue: Priority(), ", 1);
    assert_eq!(warnings(&text), [""; 0]);
}

#[test]
fn each_field_without_effect_has_a_warning_at_its_path() {
    let of = |source: &str, node: &str, rest: &str| {
        let all = warnings(&scenario(source, node, rest));
        let [one] = &all[..] else { panic!("{all:?}") };
        let (path, _) = one.split_once(": ").expect("a path and a message");
        path.to_owned()
    };
    assert_eq!(of(", priority: 1", BALANCER, ""), "sources.s.priority");
    assert_eq!(of(", weight: 3", BALANCER, ""), "sources.s.weight");
    assert_eq!(of(", size: Constant(\"1KiB\")", BALANCER, ""), "sources.s.size");
    assert_eq!(of(", stop: \"11s\"", BALANCER, ""), "sources.s.stop");
    assert_eq!(of(", start: \"11s\"", BALANCER, ""), "sources.s.start");
    assert_eq!(of(", start: \"9s\"", BALANCER, ", arrivals_until: \"8s\""), "sources.s.start");
    assert_eq!(of(", max_requests: 0", BALANCER, ""), "sources.s.max_requests");
    let one = "LoadBalancer(policy: KeyHash(salt: 3), to: \"m-1\")";
    assert_eq!(of("", one, ""), "nodes.b.policy.salt");
    let one = "Client(routing: LoadAware(window: \"1s\", threshold: 0.9, attempts: 3), to: \"m-1\")";
    assert_eq!(of("", one, ""), "nodes.b.routing.attempts");
    let blind =
        "Client(routing: LoadAware(window: \"1s\", threshold: 0.9, attempts: 3, smart: false), to: \"m\")";
    assert_eq!(of("", blind, ""), "nodes.b.routing.attempts");
    let fixed = "Server(count: 1, boot: Constant(\"1s\"), service: Constant(\"1ms\"), then: \"m-0\")";
    assert_eq!(of("", fixed, ""), "nodes.b.boot");
    let unheard = |field: &str| {
        format!("Server(service: Constant(\"1ms\"), call: (to: \"m-0\", wait: false, {field}))")
    };
    assert_eq!(of("", &unheard("timeout: \"1s\""), ""), "nodes.b.call.timeout");
    assert_eq!(of("", &unheard("cancel: true"), ""), "nodes.b.call.cancel");
    let idle = "Server(service: Constant(\"1ms\"))";
    assert_eq!(of("", idle, ""), "nodes.m");
    assert_eq!(of("", BALANCER, ", links: [(from: \"b\", to: \"m\")]"), "links.0");
}

#[test]
fn a_change_that_sets_what_is_already_set_has_a_warning() {
    let of = |changes: &str| warnings(&scenario("", BALANCER, &format!(", changes: [{changes}]"))).len();
    let slots =
        |at: u32, of: &str, slots: u32| format!("(at: \"{at}s\", of: \"{of}\", set: Concurrency({slots})),");
    assert_eq!(of(&slots(1, "m", 1)), 1);
    assert_eq!(of(&slots(1, "m", 2)), 0);
    assert_eq!(of(&(slots(1, "m", 2) + &slots(2, "m-1", 2))), 1);
    // The order of the text does not matter, only that of the times.
    assert_eq!(of(&(slots(2, "m-1", 2) + &slots(1, "m", 2))), 1);
    // One member differs, so that the group changes again.
    assert_eq!(of(&(slots(1, "m-0", 2) + &slots(2, "m", 2) + &slots(3, "m", 1))), 0);
    assert_eq!(of("(at: \"1s\", of: \"m\", set: Down), (at: \"2s\", of: \"m\", set: Down)"), 1);
}

#[test]
fn shipped_scenarios_have_no_warnings() {
    for (name, text) in shipped() {
        assert_eq!(warnings(&text).len(), 0, "{name}: {:?}", warnings(&text));
    }
}

#[test]
fn check_prints_warnings_to_standard_error_and_succeeds() {
    let text = scenario(", priority: 1", BALANCER, "");
    let answer = rushhour(&["check", "w.ron"]).file("w.ron", &text).run();
    let valid = "w.ron: valid, 1 source, 3 nodes, 10 s of virtual time, 1 warning\n";
    assert_eq!(answer.good(), valid);
    assert!(answer.stderr.starts_with("w.ron:1:"), "{}", answer.stderr);
    assert!(answer.stderr.contains("warning: sources.s.priority: no node uses"), "{}", answer.stderr);
    // A run does not repeat them: its standard error is for errors and progress.
    let answer = rushhour(&["run", "w.ron"]).file("w.ron", &text).run();
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_attempts_of_each_request_are_bounded() {
    let node = "Client(routing: LoadAware(window: \"1s\", threshold: 0.9, attempts: 4000000000), to: \"m\")";
    let errors = load("w.ron", scenario("", node, "").as_bytes(), &[]).expect_err("too many attempts");
    assert!(errors.to_string().contains("4000000000 attempts for each request"), "{errors}");
}
