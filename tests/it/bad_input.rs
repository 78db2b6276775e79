//! Whatever is wrong with an input is refused before virtual time starts: with the place, the value, what is wrong with
//! it and what to do, all mistakes at once, and nothing left behind.

use crate::support::{Answer, rushhour};

/// A scenario of which one part after another is replaced. What is replaced stands on line 5 or below.
const GOOD: &str = r#"Scenario(
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

fn refused(name: &str, content: impl AsRef<[u8]>) -> Answer {
    let answer = rushhour(&["run", name, "--out", "out"]).file(name, content).run();
    answer.bad(2);
    assert_eq!(answer.tree(), [name], "nothing is written");
    answer
}

/// The diagnostics of the good scenario with pieces replaced; each of `parts` is found in them.
fn said(replaced: &[(&str, &str)], parts: &[&str]) -> String {
    let mut text = GOOD.to_owned();
    for (from, to) in replaced {
        assert!(text.contains(from), "the scenario holds {from}");
        text = text.replacen(from, to, 1);
    }
    let said = refused("test.ron", text).stderr;
    for part in parts {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    said
}

/// The same where there is one mistake: one diagnostic, and nothing that merely follows from it.
fn said_once(replaced: (&str, &str), parts: &[&str]) {
    let said = said(&[replaced], parts);
    assert_eq!(said.matches("test.ron:").count(), 1, "one mistake, one diagnostic:\n{said}");
}

#[test]
fn the_scenario_is_good_before_it_is_spoiled() {
    rushhour(&["run", "test.ron"]).file("test.ron", GOOD).run().good();
}

#[test]
fn a_missing_file_is_named_with_the_one_that_was_probably_meant() {
    let answer = rushhour(&["run", "tset.ron"]).file("test.ron", GOOD).run();
    assert_eq!(answer.bad(2), "tset.ron: there is no such file\n      = did you mean `test.ron`?\n");
    let answer = rushhour(&["run", "nowhere/at.all"]).run();
    assert!(answer.bad(2).contains("nowhere/at.all: there is no such file\n      = `rushhour run`"));
}

#[test]
fn a_directory_is_no_scenario() {
    let answer = rushhour(&["run", "."]).file("test.ron", GOOD).run();
    assert_eq!(
        answer.bad(2),
        ".: this is a directory, not a scenario\n      = name a file in it, such as `./test.ron`\n"
    );
}

#[test]
fn a_binary_file_is_no_scenario() {
    let said = refused("test.ron", (0..=255).collect::<Vec<u8>>()).stderr;
    assert!(said.contains("test.ron:1:1: this looks like a binary file") && said.contains("UTF-8"), "{said}");
}

#[test]
fn an_empty_file_is_no_scenario() {
    let said = refused("test.ron", "").stderr;
    assert!(
        said.contains("test.ron:1:1: there is nothing here") && said.contains("Scenario(name:"),
        "{said}"
    );
}

#[test]
fn a_file_too_large_is_not_read() {
    let said = refused("test.ron", vec![b' '; (64 << 20) + 1]).stderr;
    assert!(said.contains("test.ron: it is larger than 64 MiB"), "{said}");
}

#[test]
fn a_mistake_of_syntax_is_shown_where_it_is() {
    said_once(
        ("\"10s\",", "\"10s\""),
        &["test.ron:3:20: expected `,`", "run_until: \"10s\"\n", "^", "= add a comma"],
    );
    said_once(("10s\",", "10s,"), &["test.ron:"]);
}

#[test]
fn an_unknown_field_is_named_with_the_one_that_was_probably_meant() {
    said_once(("service:", "servce:"), &["test.ron:9:52", "nodes.server.servce", "did you mean `service`?"]);
}

#[test]
fn a_number_without_a_unit_is_refused() {
    said_once(
        ("\"100ms\"", "100"),
        &["test.ron:9:79: nodes.server.service.mean: 100 lacks a unit", "\"250ms\""],
    );
    said_once(("\"8/s\"", "8"), &["test.ron:5:43: sources.users.arrivals.rate: 8 lacks a unit", "\"20/s\""]);
}

#[test]
fn time_does_not_run_backwards() {
    said_once(("\"100ms\"", "\"-100ms\""), &["test.ron:9:79", "\"-100ms\" is negative", "zero or more"]);
}

#[test]
fn no_servers_serve_nobody() {
    said_once(("count: 2", "count: 0"), &["test.ron:9:33: nodes.server.count: a group of 0", "1 or more"]);
    said_once(("concurrency: 3", "concurrency: 0"), &["test.ron:9:49", "serves 0 requests", "1 or more"]);
}

#[test]
fn a_target_that_does_not_exist_is_refused() {
    let parts = [
        "test.ron:5:55: sources.users.to: there is no node or group \"balancr\"",
        "did you mean `balancer`?",
    ];
    said_once(("to: \"balancer\"", "to: \"balancr\""), &parts);
}

#[test]
fn requests_that_go_round_for_ever_are_refused() {
    let server = "Server(count: 2, concurrency: 3, service: Exponential(mean: \"100ms\"))";
    let balancer = "LoadBalancer(policy: Random, to: \"balancer\")";
    let parts = ["test.ron:8:21", "for ever: balancer -> server -> balancer", "let one of them answer"];
    said_once((server, balancer), &parts);
}

#[test]
fn a_name_is_given_once() {
    said_once(
        ("\"server\": Server(", "\"server\": Server(service: Constant(\"1s\")), \"server\": Server("),
        &["test.ron:9:52", "`server` is given twice: first at line 9, column 9", "keep one"],
    );
    said_once(
        ("\"server\": Server(", "\"users\": Server(service: Constant(\"1s\")), \"server\": Server("),
        &["test.ron:9:18: nodes.users: the name \"users\" stands for two things"],
    );
}

#[test]
fn a_probability_is_at_most_one() {
    said_once(
        ("loss: 0.01", "loss: 1.5"),
        &["test.ron:12:48: links.0.loss: 1.5 is no probability", "0 to 1", "= 0.01"],
    );
    said_once(("loss: 0.01", "loss: NaN"), &["test.ron:12:48: links.0.loss: NaN is no probability"]);
}

#[test]
fn a_mean_is_a_number() {
    said_once(("\"100ms\"", "\"NaN\""), &["test.ron:9:79", "\"NaN\" is not a duration", "\"250ms\""]);
    said_once(("\"100ms\"", "NaN"), &["test.ron:9:79: nodes.server.service.mean: NaN"]);
    said_once(("\"100ms\"", "\"inf\""), &["test.ron:9:79", "\"inf\""]);
}

#[test]
fn a_billion_servers_are_too_many() {
    said_once(
        ("count: 2", "count: 1000000000"),
        &["test.ron:9:33: nodes.server.count", "with these 1000000000 there are 1000000001 nodes", "at most"],
    );
    said_once(("count: 2", "count: 99999999999"), &["test.ron:9:33", "99999999999", "at most"]);
}

#[test]
fn several_mistakes_are_reported_at_once_and_nothing_that_follows_from_them() {
    let said = said(
        &[
            ("\"8/s\"", "8"),
            ("to: \"server\"", "to: \"serve\""),
            ("service:", "servce:"),
            ("loss: 0.01", "loss: 2"),
            ("run_until: \"10s\"", "run_until: \"0s\""),
        ],
        &[
            "test.ron:3:16: run_until: a run of no time",
            "test.ron:5:43: sources.users.arrivals.rate: 8 lacks a unit",
            "test.ron:8:54: nodes.balancer.to: there is no node or group \"serve\"",
            "test.ron:9:52: nodes.server.servce: unknown field",
            "test.ron:12:48: links.0.loss: 2 is no probability",
        ],
    );
    assert_eq!(said.matches("test.ron:").count(), 5, "{said}");
}

#[test]
fn a_row_of_nodes_has_to_end_before_a_request_forgets_the_way_home() {
    let row: String =
        (0..300).map(|i| format!("\"b{i}\": LoadBalancer(policy: Random, to: \"b{}\"),\n", i + 1)).collect();
    let text = format!(
        "Scenario(name: \"a row\", run_until: \"1s\",\nsources: {{\"u\": (arrivals: Constant(rate: \"9/s\"), to: \"b0\")}},\n\
         nodes: {{{row} \"b300\": Server(service: Constant(\"1ms\"))}})"
    );
    let answer = rushhour(&["run", "row.ron"]).file("row.ron", text).run();
    let said = answer.bad(2);
    assert!(
        said.contains("row.ron:3:8: nodes: requests would pass 300 nodes in a row, more than 255"),
        "{said}"
    );
}
