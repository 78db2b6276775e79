//! Errors in the input are reported before the run: all at once, each with its position, the value, a message and a
//! hint. No file is written.

use crate::support::{Answer, rushhour};

/// A valid scenario, in which each test replaces something.
const VALID: &str = r#"Scenario(
    name: "test",
    run_until: "10s",
    sources: {
        "users": (arrivals: Poisson(rate: "8/s"), to: "balancer"),
    },
    nodes: {
        "balancer": LoadBalancer(policy: Random, to: "server"),
        "server": Server(count: 2, concurrency: 3, service: Exponential(mean: "100ms")),
    },
    links: [
        (from: "balancer", to: "server", loss: 0.01),
    ],
)"#;

/// Runs a file that is expected to be rejected.
fn rejected(name: &str, content: impl AsRef<[u8]>) -> Answer {
    let answer = rushhour(&["run", name, "--out", "out"]).file(name, content).run();
    answer.bad(2);
    assert_eq!(answer.tree(), [name], "no file is written");
    answer
}

/// The diagnostics of the valid scenario with some replacements. Asserts that they contain each of `parts`.
fn diagnostics(replaced: &[(&str, &str)], parts: &[&str]) -> String {
    let mut text = VALID.to_owned();
    for (from, to) in replaced {
        assert!(text.contains(from), "the scenario contains {from}");
        text = text.replacen(from, to, 1);
    }
    let diagnostics = rejected("test.ron", text).stderr;
    for part in parts {
        assert!(diagnostics.contains(part), "{part} is missing:\n{diagnostics}");
    }
    diagnostics
}

/// Asserts that a single error causes a single diagnostic, with each of `parts`, and none that only follows from it.
fn assert_one_diagnostic(replaced: (&str, &str), parts: &[&str]) {
    let diagnostics = diagnostics(&[replaced], parts);
    assert_eq!(diagnostics.matches("test.ron:").count(), 1, "one error, one diagnostic:\n{diagnostics}");
}

#[test]
fn the_scenario_without_replacements_is_valid() {
    rushhour(&["run", "test.ron"]).file("test.ron", VALID).run().good();
}

#[test]
fn a_missing_file_is_reported_with_a_similar_name() {
    let answer = rushhour(&["run", "tset.ron"]).file("test.ron", VALID).run();
    assert_eq!(answer.bad(2), "tset.ron: there is no such file\n      = did you mean `test.ron`?\n");
    let answer = rushhour(&["run", "nowhere/at.all"]).run();
    assert!(answer.bad(2).contains("nowhere/at.all: there is no such file\n      = `rushhour run`"));
}

#[test]
fn a_directory_is_not_a_scenario() {
    let answer = rushhour(&["run", "."]).file("test.ron", VALID).run();
    assert_eq!(
        answer.bad(2),
        ".: this is a directory, not a scenario\n      = name a file in it, such as `./test.ron`\n"
    );
}

#[test]
fn a_binary_file_is_not_a_scenario() {
    let error = rejected("test.ron", (0..=255).collect::<Vec<u8>>()).stderr;
    assert!(
        error.contains("test.ron:1:1: expected text in UTF-8, found a zero byte")
            && error.contains("binary file"),
        "{error}"
    );
}

#[test]
fn an_empty_file_is_not_a_scenario() {
    let error = rejected("test.ron", "").stderr;
    assert!(
        error.contains("test.ron:1:1: expected a value, found only whitespace")
            && error.contains("Scenario(name:"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_too_large_is_rejected() {
    let error = rejected("test.ron", vec![b' '; (64 << 20) + 1]).stderr;
    assert!(error.contains("test.ron: larger than 64 MiB"), "{error}");
}

#[test]
fn a_syntax_error_is_shown_at_its_position() {
    assert_one_diagnostic(
        ("\"10s\",", "\"10s\""),
        &["test.ron:3:20: expected `,`", "run_until: \"10s\"\n", "^", "= add a comma"],
    );
    assert_one_diagnostic(("10s\",", "10s,"), &["test.ron:"]);
}

#[test]
fn an_unknown_field_is_reported_with_a_similar_name() {
    assert_one_diagnostic(
        ("service:", "servce:"),
        &["test.ron:9:52", "nodes.server.servce", "did you mean `service`?"],
    );
}

#[test]
fn a_number_without_a_unit_is_rejected() {
    assert_one_diagnostic(
        ("\"100ms\"", "100"),
        &["test.ron:9:79: nodes.server.service.mean: 100 lacks a unit", "\"250ms\""],
    );
    assert_one_diagnostic(
        ("\"8/s\"", "8"),
        &["test.ron:5:43: sources.users.arrivals.rate: 8 lacks a unit", "\"20/s\""],
    );
}

#[test]
fn a_duration_is_not_negative() {
    assert_one_diagnostic(
        ("\"100ms\"", "\"-100ms\""),
        &["test.ron:9:79", "\"-100ms\" is negative", "zero or more"],
    );
}

#[test]
fn a_group_without_servers_or_slots_is_rejected() {
    assert_one_diagnostic(
        ("count: 2", "count: 0"),
        &["test.ron:9:33: nodes.server.count: a group of 0", "1 or more"],
    );
    assert_one_diagnostic(
        ("concurrency: 3", "concurrency: 0"),
        &["test.ron:9:49", "serves no requests", "1 or more"],
    );
}

#[test]
fn a_group_grows_within_its_limits() {
    assert_one_diagnostic(
        ("count: 2", "count: 2, max: 1"),
        &["test.ron:9:33: nodes.server.count", "starts with 2 servers, more than its maximum of 1"],
    );
    assert_one_diagnostic(
        ("count: 2", "max: 4"),
        &["nodes.server.max: only a group can grow", "give it a `count`"],
    );
    assert_one_diagnostic(("count: 2", "count: 0, max: 0"), &["nodes.server.max: a group of 0 members"]);
    assert_one_diagnostic(
        ("count: 2", "count: 2, max: 2000000"),
        &["nodes.server.max: adding 2000000 brings the total", "at most 1000000 nodes"],
    );
    assert_one_diagnostic(
        ("count: 2", "count: 2, max: 4, boot: Normal(mean: \"1s\", sd: \"2s\")"),
        &["nodes.server.boot.sd"],
    );
    let change = |group: &str, of: &str, count: &str, parts: &[&str]| {
        let changes = format!("changes: [(at: \"1s\", of: \"{of}\", set: Count({count}))], links:");
        let diagnostics = diagnostics(&[("count: 2", group), ("links:", &changes)], parts);
        assert_eq!(diagnostics.matches("test.ron:").count(), 1, "one error, one diagnostic:\n{diagnostics}");
    };
    change(
        "count: 2, max: 4",
        "server",
        "5",
        &["changes.0.set", "5 servers are more than the maximum", "which is 4"],
    );
    change("count: 2", "server", "3", &["changes.0.set", "is fixed", "give it a `max`"]);
    change(
        "count: 2, max: 4",
        "server-1",
        "3",
        &["changes.0.of", "is a member", "name the group: \"server\""],
    );
    change("count: 2, max: 4", "server", "-1", &["changes.0.set"]);
    change("count: 2, max: 4", "balancer", "1", &["changes.0.set", "Count cannot be set for \"balancer\""]);
}

#[test]
fn a_target_that_does_not_exist_is_rejected() {
    let parts = [
        "test.ron:5:55: sources.users.to: there is no node or group \"balancr\"",
        "did you mean `balancer`?",
    ];
    assert_one_diagnostic(("to: \"balancer\"", "to: \"balancr\""), &parts);
}

#[test]
fn a_cycle_of_nodes_is_rejected() {
    let server = "Server(count: 2, concurrency: 3, service: Exponential(mean: \"100ms\"))";
    let balancer = "LoadBalancer(policy: Random, to: \"balancer\")";
    let parts = ["test.ron:8:21", "for ever: balancer -> server -> balancer", "let one of them answer"];
    assert_one_diagnostic((server, balancer), &parts);
    let calling =
        "Server(count: 2, concurrency: 3, service: Exponential(mean: \"100ms\"), call: \"balancer\")";
    assert_one_diagnostic((server, calling), &parts);
}

#[test]
fn a_call_is_to_a_single_node_that_receives_requests() {
    let call = |call: &'static str| ("mean: \"100ms\")),", format!("mean: \"100ms\"), call: {call}),"));
    for (written, parts) in [
        ("\"user\"", &["there is no node or group \"user\""][..]),
        ("\"users\"", &["\"users\" is a source, which cannot receive requests"]),
        ("[\"balancer\", (to: \"users\", wait: false)]", &["\"users\" is a source"]),
        ("(to: \"x\", await: true)", &["await", "wait"]),
        ("7", &["the name of a node like \"db\", (to: \"db\", wait: false), or a list of these"]),
        ("(wait: true)", &["`to`"]),
        ("(to: \"balancer\", timeout: \"0s\")", &["nodes.server.call.timeout: with a timeout of 0 s"]),
        ("(to: \"balancer\", timeout: 3)", &["nodes.server.call.timeout: 3 lacks a unit"]),
    ] {
        let (from, to) = call(written);
        diagnostics(&[(from, &to)], parts);
    }
}

#[test]
fn a_name_is_used_once() {
    assert_one_diagnostic(
        ("\"server\": Server(", "\"server\": Server(service: Constant(\"1s\")), \"server\": Server("),
        &["test.ron:9:52", "`server` is specified more than once: first at line 9, column 9", "remove one"],
    );
    assert_one_diagnostic(
        ("\"server\": Server(", "\"users\": Server(service: Constant(\"1s\")), \"server\": Server("),
        &["test.ron:9:18: nodes.users: the name \"users\" is used twice"],
    );
}

#[test]
fn a_probability_is_at_most_one() {
    assert_one_diagnostic(
        ("loss: 0.01", "loss: 1.5"),
        &["test.ron:12:48: links.0.loss: 1.5 is not a probability", "0 to 1", "= 0.01"],
    );
    assert_one_diagnostic(
        ("loss: 0.01", "loss: NaN"),
        &["test.ron:12:48: links.0.loss: NaN is not a probability"],
    );
}

#[test]
fn a_mean_is_a_number() {
    assert_one_diagnostic(
        ("\"100ms\"", "\"NaN\""),
        &["test.ron:9:79", "\"NaN\" is not a duration", "\"250ms\""],
    );
    assert_one_diagnostic(("\"100ms\"", "NaN"), &["test.ron:9:79: nodes.server.service.mean: NaN"]);
    assert_one_diagnostic(("\"100ms\"", "\"inf\""), &["test.ron:9:79", "\"inf\""]);
}

#[test]
fn a_billion_servers_are_too_many() {
    assert_one_diagnostic(
        ("count: 2", "count: 1000000000"),
        &[
            "test.ron:9:33: nodes.server.count",
            "adding 1000000000 brings the total to 1000000001 nodes",
            "at most",
        ],
    );
    assert_one_diagnostic(("count: 2", "count: 99999999999"), &["test.ron:9:33", "99999999999", "at most"]);
}

#[test]
fn all_errors_are_reported_at_once_without_those_that_follow_from_them() {
    let diagnostics = diagnostics(
        &[
            ("\"8/s\"", "8"),
            ("to: \"server\"", "to: \"serve\""),
            ("service:", "servce:"),
            ("loss: 0.01", "loss: 2"),
            ("run_until: \"10s\"", "run_until: \"0s\""),
        ],
        &[
            "test.ron:3:16: run_until: a run of 0 s",
            "test.ron:5:43: sources.users.arrivals.rate: 8 lacks a unit",
            "test.ron:8:54: nodes.balancer.to: there is no node or group \"serve\"",
            "test.ron:9:52: nodes.server.servce: unknown field",
            "test.ron:12:48: links.0.loss: 2 is not a probability",
        ],
    );
    assert_eq!(diagnostics.matches("test.ron:").count(), 5, "{diagnostics}");
}

#[test]
fn a_path_with_too_many_nodes_is_rejected() {
    let balancers: String =
        (0..300).map(|i| format!("\"b{i}\": LoadBalancer(policy: Random, to: \"b{}\"),\n", i + 1)).collect();
    let text = format!(
        "Scenario(name: \"a row\", run_until: \"1s\",\nsources: {{\"u\": (arrivals: Constant(rate: \"9/s\"), to: \"b0\")}},\n\
         nodes: {{{balancers} \"b300\": Server(service: Constant(\"1ms\"))}})"
    );
    let answer = rushhour(&["run", "row.ron"]).file("row.ron", text).run();
    let error = answer.bad(2);
    assert!(
        error.contains("row.ron:3:8: nodes: requests would pass 300 nodes in a row, more than 255"),
        "{error}"
    );
}
