//! What AsyncFlow refuses, or crashes on, is refused by the import as well: with the position, and what to write instead.
//! No file makes it panic.

use rushhour::engine::random::{Draw, RandomStream};
use rushhour::import::{Format, Meaning, import};

use crate::import_asyncflow::{ONE_SERVER, edited};
use crate::support::rushhour;

/// The diagnostics of a file that is refused.
#[track_caller]
fn refused(yaml: &str) -> String {
    match import(Format::Asyncflow, "system.yml", yaml.as_bytes(), Meaning::Intended) {
        Ok(text) => panic!("it is not refused:\n{yaml}\n{text}"),
        Err(errors) => errors.to_string(),
    }
}

/// What is wrong unless a file is refused with one error at this offset, with these parts.
fn misplaced(yaml: &str, offset: Option<usize>, parts: &[&str]) -> Option<String> {
    let Some(offset) = offset else { return Some(format!("the position is not in\n{yaml}")) };
    let line = yaml[..offset].matches('\n').count() + 1;
    let column = offset - yaml[..offset].rfind('\n').map_or(0, |newline| newline + 1) + 1;
    let errors = match import(Format::Asyncflow, "system.yml", yaml.as_bytes(), Meaning::Intended) {
        Ok(text) => return Some(format!("it is not refused:\n{yaml}\n{text}")),
        Err(errors) => errors.to_string(),
    };
    let is_there = errors.starts_with(&format!("system.yml:{line}:{column}: "));
    let is_one = errors.matches("system.yml:").count() == 1;
    let has_parts = parts.iter().all(|part| errors.contains(part));
    let is_right = is_there && is_one && has_parts;
    (!is_right).then(|| format!("expected one error at {line}:{column} with {parts:?}:\n{errors}\n"))
}

/// Asserts that a file is refused with one error, where `at` is in it, with these parts.
#[track_caller]
fn assert_refused(yaml: &str, at: &str, parts: &[&str]) {
    let wrong = misplaced(yaml, yaml.find(at), parts);
    assert_eq!(wrong, None, "{}", wrong.clone().unwrap_or_default());
}

const LATENCY: &str = "{mean: 0.003, distribution: exponential}";
const CPU: &str = "{cpu_time: 0.005}";
const SETTINGS: &str = "{total_simulation_time: 300, sample_period_s: 0.05}";

/// Edits of a valid file: what is replaced, by what, where the error is, and what it says.
#[test]
fn wrong_values_are_refused_where_they_are_with_a_hint() {
    let mut wrong = Vec::new();
    for (from, to, at, parts) in [
        ("id: users", "id: 1", "1\n", &["rqs_input.id: expected a text, found 1", "in quotes"] as &[&str]),
        ("id: users", "id: on", "on\n", &["found the truth value true", "in quotes"]),
        ("id: users", "id: 2025-08-16", "2025-08-16", &["found a date"]),
        ("id: users", "id: ' '", "' '", &["visible characters"]),
        (
            "client: {id: client}",
            "client: {id: client}\n    load_balancer: {id: '*'}",
            "'*'",
            &["any node", "another id"],
        ),
        ("  id: users\n", "", "avg_active", &["the field `id` is missing", "give the generator an id"]),
        (
            "{mean: 100}",
            "{mean: 1e2}",
            "1e2",
            &["expected a number, found `1e2`", "unless it has a dot and a sign"],
        ),
        ("{mean: 100}", "{mean: .nan}", ".nan", &["finite"]),
        ("{mean: 100}", "{mean: -5}", "-5", &["no users", "more than 0"]),
        ("{mean: 20}", "{mean: 0}", "0}\ntop", &["no requests", "more than 0"]),
        (
            "{mean: 100}",
            "{mean: 100, distribution: uniform}",
            "uniform",
            &["unknown value `uniform`", "`normal`"],
        ),
        ("{mean: 20}", "{mean: 20, distribution: normal}", "normal", &["available: `poisson`"]),
        ("{mean: 20}", "{mean: 20}\n  user_sampling_window: 121", "121", &["from 1 to 120"]),
        ("{mean: 20}", "{mean: 20}\n  user_sampling_window: 5.5", "5.5", &["expected a whole number"]),
        (
            "client: {id: client}",
            "client: {id: client, x: 1}",
            "x: 1",
            &["unknown key `x`", "available: `id`"],
        ),
        ("cpu_cores: 2", "cpu_cores: 0", "0, ram", &["from 1 on"]),
        ("ram_mb: 2048", "ram_mb: 255", "255", &["from 256 on"]),
        ("ram_mb: 2048", "ram_mb: 2048, db_connection_pool: 0", "0}\n        end", &["from 1 on"]),
        (CPU, "{cpu_time: 0}", "0}}\n  edges", &["above 0"]),
        (CPU, "{cpu_time: 1.0, necessary_ram: 1}", "{cpu_time", &["has the key `cpu_time`, and no other"]),
        (CPU, "{io_waiting_time: 1.0}", "{io_wait", &["has the key `cpu_time`"]),
        (CPU, "{cpu: 1.0}", "{cpu: 1.0", &["has the key `cpu_time`, and no other"]),
        ("{necessary_ram: 100}", "{necessary_ram: 4096}", "4096", &["waits for ever", "`ram_mb`"]),
        (LATENCY, "{mean: 0.0, distribution: exponential}", "0.0,", &["above 0"]),
        (LATENCY, "{mean: 0.1, distribution: normal, variance: -1}", "-1", &["0 or more"]),
        (LATENCY, "{mean: 1.0e+12, distribution: exponential}", "1.0e+12", &["285 years"]),
        (LATENCY, "[0.003]", "[0.003]", &["expected fields, found a list", "{mean: 0.003"]),
        ("target: client, latency", "target: client, dropout_rate: 1.5, latency", "1.5", &["from 0 to 1"]),
        (
            "target: client, latency",
            "target: clint, latency",
            "clint",
            &["there is no node `clint`", "`client`"],
        ),
        ("target: client, latency", "target: users, latency", "users, lat", &["another node"]),
        (
            "source: client, target: server",
            "source: cliant, target: server",
            "cliant",
            &["there is no node `cliant`: AsyncFlow crashes"],
        ),
        (
            "source: server, target: client",
            "source: client, target: server",
            "client, target: server, latency: {mean: 0.003, distribution: exponential}}\nsim",
            &["only the load balancer may"],
        ),
        ("id: to, source: client", "id: to, source: server", "server, target: server", &["expected"]),
        (
            "    - {id: in, source: users, target: client, latency: {mean: 0.003, distribution: exponential}}\n",
            "",
            "users\n",
            &["no edge leads from the generator"],
        ),
        ("id: to,", "id: in,", "in, source: client", &["another edge has the id `in`"]),
        (
            "client: {id: client}",
            "client: {id: client}\n    load_balancer: {id: server}",
            "server\n        server_res",
            &["another node has the id `server`"],
        ),
        (SETTINGS, "{total_simulation_time: 4}", "4}", &["from 5 to"]),
        (SETTINGS, "{sample_period_s: 0.5}", "0.5", &["from 0.001 to 0.1 (later versions take more)"]),
    ] {
        let yaml = edited(ONE_SERVER, from, to);
        if parts == ["expected"] {
            assert!(refused(&yaml).matches("system.yml:").count() > 1, "several errors");
        } else {
            wrong.extend(misplaced(&yaml, yaml.find(at), parts));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// Words of other versions, with what is written today.
#[test]
fn words_of_other_versions_are_explained() {
    let lb = |algorithm: &str| {
        format!("client: {{id: client}}\n    load_balancer: {{id: lb, algorithms: {algorithm}}}")
    };
    let mut wrong = Vec::new();
    for (from, to, at, hint) in [
        ("kind: cpu_bound_operation", "kind: cpu", "cpu,", "write `cpu_bound_operation`"),
        ("step_operation: {cpu", "step_metrics: {cpu", "{kind: cpu", "write `step_operation`"),
        (LATENCY, "0.003", "0.003", "write it as `mean` of {mean: .., distribution: ..}"),
        (CPU, "{cpu_time: {mean: 0.005}}", "{mean: 0.005}", "write its mean"),
        (LATENCY, "{mean: 0.003, distribution: gaussian}", "gaussian", "write `normal`"),
        (LATENCY, "{mean: 0.003, distribution: erlang}", "erlang", "write `exponential`"),
        (LATENCY, "{mean: 0.003, distribution: Exponential}", "Exponential", "in lower case: `exponential`"),
        ("client: {id: client}", &lb("random"), "random", "`policy: Random`"),
        ("client: {id: client}", &lb("fcfs"), "fcfs", "in order of arrival"),
        (
            "target: client, lat",
            "target: client, edge_type: link_connection, lat",
            "link_connection",
            "write `network_connection`",
        ),
        ("{id: in, ", "{", "{source: users", "a version of July 2025 had none"),
        (SETTINGS, "{enabled_event_metrics: [service_time]}", "service_time", "leave it out"),
        (SETTINGS, "{enabled_event_metrics: [throughput_rps]}", "throughput_rps", "every run reports"),
        (SETTINGS, "{enabled_sample_metrics: [core_busy]}", "core_busy", "`CoreLoad`"),
    ] {
        let yaml = edited(ONE_SERVER, from, to);
        wrong.extend(misplaced(&yaml, yaml.find(at), &[hint]));
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
    let start = ONE_SERVER.find("topology_graph").expect("it");
    let yaml = format!("arrivals: {{id: users, lambda_rps: 30, model: poisson}}\n{}", &ONE_SERVER[start..]);
    assert_refused(
        &yaml,
        "arrivals",
        &["the field `rqs_input` is missing", "later versions have `arrivals`"],
    );
}

const EVENT: &str = "\
events:
  - event_id: out
    target_id: a
    start: {kind: server_down, t_start: 100}
    end: {kind: server_up, t_end: 200}
";

/// A file with a second server, "a", that no request reaches, and an event.
fn with_event(from: &str, to: &str) -> String {
    let other =
        "      - {id: a, server_resources: {}, endpoints: [{endpoint_name: e, steps: []}]}\n  edges:\n";
    edited(ONE_SERVER, "  edges:\n", other) + &edited(EVENT, from, to)
}

#[test]
fn wrong_events_are_refused() {
    let mut wrong = Vec::new();
    for (from, to, at, part) in [
        ("target_id: a", "target_id: to", "to\n    start", "there is no server `to`"),
        ("server_down", "SERVER_DOWN", "SERVER_DOWN", "in lower case: `server_down`"),
        ("server_down", "network_spike_start", "{kind: network", "the field `spike_s` is missing"),
        ("t_start: 100", "t_start: 100, spike_s: 1", "1}", "an outage has no `spike_s`"),
        ("server_up", "network_spike_end", "network_spike_end", "ends as an event of the other kind"),
        ("t_start: 100", "t_start: 200", "200}\n    end", "x"),
        ("t_end: 200", "t_end: 301", "301", "beyond the end of the run"),
        ("t_start: 100", "t_start: -1", "-1", "0 or more"),
        (
            "events:\n",
            "events:\n  - {event_id: x, target_id: a, start: {kind: server_down, t_start: 0}, end: {kind: server_up, t_end: 101}}\n",
            "100}",
            "is down already",
        ),
        (
            "events:\n",
            "events:\n  - {event_id: x, target_id: server, start: {kind: server_down, t_start: 0}, end: {kind: server_up, t_end: 101}}\n",
            "100}",
            "all servers are down",
        ),
        (
            "events:\n",
            "events:\n  - {event_id: out, target_id: server, start: {kind: server_down, t_start: 0}, end: {kind: server_up, t_end: 100}}\n",
            "out\n",
            "another event has the id",
        ),
    ] {
        let yaml = with_event(from, to);
        if part == "x" {
            assert!(refused(&yaml).contains("the event ends before it starts"));
        } else {
            wrong.extend(misplaced(&yaml, yaml.rfind(at), &[part]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
    // Outages that follow each other are allowed.
    let following = "events:\n  - {event_id: x, target_id: a, start: {kind: server_down, t_start: 0}, end: {kind: server_up, t_end: 100}}\n";
    let yaml = with_event("events:\n", following);
    assert!(import(Format::Asyncflow, "a.yml", yaml.as_bytes(), Meaning::Intended).is_ok());
}

#[test]
fn paths_that_lead_nowhere_are_refused() {
    let lb = "client: {id: client}\n    load_balancer: {id: lb, server_covered: [server]}";
    let balanced = edited(ONE_SERVER, "client: {id: client}", lb);
    let balanced = edited(&balanced, "source: client, target: server", "source: client, target: lb");
    assert_refused(&balanced, "server]", &["no edge leads from the load balancer to `server`", "add one"]);
    let edge = |target: &str| {
        format!("  edges:\n    - {{id: lb-{target}, source: lb, target: {target}, latency: {LATENCY}}}\n")
    };
    let yaml = edited(
        &balanced,
        "  edges:\n",
        &(edge("server") + &edge("server").replace("  edges:\n", "").replace("lb-", "again-")),
    );
    assert_refused(
        &yaml,
        "server, latency: {mean: 0.003, distribution: exponential}}\n    - {id: in",
        &["a second edge"],
    );
    let to_client = edited(&balanced, "  edges:\n", &edge("client"))
        .replace("server_covered: [server]", "server_covered: []");
    assert_refused(&to_client, "client, latency", &["these requests reach no server"]);
    let without = |edge: &str| -> String {
        ONE_SERVER.lines().filter(|line| !line.contains(edge)).map(|line| line.to_owned() + "\n").collect()
    };
    assert_refused(
        &without("id: back"),
        "server\n",
        &["no edge leads from `server`", "add an edge to the client"],
    );
    assert_refused(&without("id: to"), "client}", &["no edge leads from `client`", "AsyncFlow crashes"]);
    let empty = "endpoints: []\n      - id: other\n        server_resources: {}\n        endpoints:\n";
    assert_refused(
        &edited(ONE_SERVER, "endpoints:\n", empty),
        "server\n",
        &["no endpoints: AsyncFlow crashes"],
    );
    let cycle = "      - {id: x, server_resources: {}, endpoints: [{endpoint_name: e, steps: []}]}\n  edges:\n    - {id: again, source: x, target: server, latency: {mean: 1}}\n";
    let cycle = edited(ONE_SERVER, "  edges:\n", cycle);
    let cycle = edited(&cycle, "source: server, target: client", "source: server, target: x");
    let errors = refused(&cycle);
    assert!(errors.contains("requests would cycle for ever: "), "{errors}");
}

#[test]
fn all_errors_are_reported_at_once() {
    let yaml = ONE_SERVER.replace("mean: 0.003", "mean: fast").replace("cpu_cores: 2", "cpu_cores: many");
    let yaml = yaml.replace("kind: ram", "kind: rom").replace("0.05", "0.5");
    let errors = refused(&yaml);
    assert_eq!(errors.matches("system.yml:").count(), 6, "{errors}");
    let yaml = ONE_SERVER.replace("target: server", "target: sever").replace("id: back", "id: in");
    assert_eq!(refused(&yaml).matches("system.yml:").count(), 2);
}

#[test]
fn files_that_are_not_yaml_are_refused() {
    for (yaml, part) in [
        ("", "the file is empty"),
        ("# nothing\n", "the file is empty"),
        ("a: [1\n", "this is not YAML"),
        ("a: *b\n", "this is not YAML"),
        ("- 1\n", "expected fields, found a list"),
        ("just words", "expected fields, found `just words`"),
        ("a: 1\n---\nb: 1\n", "expected one document"),
        ("a: !!python/object:x 1\n", "unknown tag"),
        ("null\n", "expected fields, found nothing"),
    ] {
        let errors = refused(yaml);
        assert!(errors.contains(part) && errors.starts_with("system.yml:"), "{part}:\n{errors}");
    }
    let binary = import(Format::Asyncflow, "a.yml", b"a\0\x01\x02", Meaning::Intended).expect_err("refused");
    assert!(binary.to_string().contains("binary file"), "{binary}");
    let answer = rushhour(&["import", "asyncflow", "a.yml"]).file("a.yml", "a: [").run();
    assert!(answer.bad(2).starts_with("a.yml:"), "{}", answer.stderr);
    let answer = rushhour(&["import", "asyncflow", "missing.yml"]).run();
    assert!(answer.bad(2).contains("there is no such file"), "{}", answer.stderr);
    let answer = rushhour(&["import", "asyncflou", "a.yml"]).run();
    assert!(answer.bad(2).contains("asyncflow"), "{}", answer.stderr);
}

#[test]
fn no_change_of_a_file_makes_the_import_panic() {
    let yaml = with_event("a", "a");
    let try_it = |text: &[u8]| {
        for meaning in [Meaning::Intended, Meaning::Faithful] {
            if let Ok(text) = import(Format::Asyncflow, "a.yml", text, meaning) {
                let loaded = rushhour::scenario::load("a.ron", text.as_bytes(), &[]);
                assert!(loaded.is_ok(), "{}\n{text}", loaded.expect_err("an error"));
            }
        }
    };
    for cut in 0..yaml.len() {
        try_it(&yaml.as_bytes()[..cut]);
    }
    let mut stream = RandomStream::from_seed(71);
    let words: Vec<&str> = yaml.split_inclusive([' ', '\n', '{', '}', ',']).collect();
    let odd = [
        "",
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "&a ",
        "*a ",
        "\"",
        "'",
        "|",
        "~ ",
        "-1 ",
        "1e999 ",
        "1.0e+300 ",
        "0 ",
        "é",
        "\t",
        "# ",
    ];
    for _ in 0..3_000 {
        let mut words = words.clone();
        for _ in 0..=stream.index(3) {
            let (at, other) = (stream.index(words.len()), stream.index(words.len()));
            match stream.index(4) {
                0 => words.swap(at, other),
                1 => words[at] = words[other],
                2 => words[at] = odd[stream.index(odd.len())],
                _ => words.insert(at, words[other]),
            }
        }
        try_it(words.concat().as_bytes());
    }
}
