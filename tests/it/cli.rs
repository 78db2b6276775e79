//! The command line: standard output and standard error, the written files, and the exit status.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Program, rushhour};

/// A scenario of ten seconds that uses everything that a summary can show.
const NETWORK: &str = r#"Scenario(
    name: "a network",
    seed: 7,
    run_until: "10s",
    warm_up: "1s",
    sources: {
        "web": (arrivals: Poisson(rate: "80/s"), key: Uniform(0, 99), to: "balancer", class: "gold", priority: 2),
        "batch, \"nightly\"": (arrivals: Constant(rate: "20/s"), to: "balancer", size: Constant("1KiB"), weight: 3),
    },
    nodes: {
        "balancer": LoadBalancer(policy: RoundRobin, to: "client"),
        "client": Client(count: 2, to: "server", routing: LoadAware(window: "1s", threshold: 0.5)),
        "server": Server(count: 3, concurrency: 4, service: Exponential(mean: "100ms"), queue: Fifo(capacity: 5)),
        "spare": Server(service: Constant("1s")),
    },
    links: [(from: "web", to: "balancer", latency: Exponential(mean: "5ms"), loss: 0.05)],
    probes: [(of: "server", gauges: [QueueDepth, Load], every: "500ms")],
)"#;

/// A scenario without requests.
const SILENCE: &str = r#"(name: "silence", run_until: "1s", arrivals_until: "0s",
    sources: {"s": (arrivals: Poisson(rate: "1/h"), to: "a")}, nodes: {"a": Server(service: Constant("1s"))})"#;

/// A scenario whose run takes minutes.
const LONG: &str = r#"(name: "long", run_until: "100h",
    sources: {"s": (arrivals: Poisson(rate: "90/s"), to: "a")}, nodes: {"a": Server(service: Constant("10ms"))})"#;

const LATENCY: [&str; 11] = ["count", "mean", "sd", "min", "p50", "p80", "p90", "p95", "p99", "p999", "max"];
const OUTCOMES: [&str; 8] =
    ["offered", "completed", "rejected", "failed", "timed_out", "dropped", "shed", "in_flight"];

fn json(program: Program) -> Value {
    serde_json::from_str(program.run().good()).expect("the output is JSON")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Asserts that the object has the expected keys in this order; there may be other keys in between.
fn assert_keys(value: &Value, expected: &[&str]) {
    let keys = keys(value);
    let actual: Vec<_> = keys.iter().copied().filter(|key| expected.contains(key)).collect();
    assert_eq!(actual, expected, "among {keys:?}");
}

#[test]
fn json_keeps_the_output_contract() {
    let summary = json(rushhour(&["run", "network.ron", "--format", "json"]).file("network.ron", NETWORK));
    let names = ["scenario", "seed", "version", "virtual_seconds", "wall_seconds", "events", "fingerprint"];
    assert_keys(
        &summary,
        &[&names[..], &["requests", "latency", "nodes", "groups", "verdict", "findings"]].concat(),
    );
    assert_eq!((&summary["scenario"], &summary["seed"]), (&"a network".into(), &7.into()));
    assert_eq!(summary["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (summary["virtual_seconds"].as_f64(), summary["measured_from_seconds"].as_f64()),
        (Some(10.0), Some(1.0))
    );
    assert!(summary["wall_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert!(summary["events"].as_u64().is_some_and(|events| events > 1_000));
    let fingerprint = summary["fingerprint"].as_str().expect("text");
    assert!(
        fingerprint.len() == 16 && fingerprint.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "{fingerprint}"
    );
    let findings = summary["findings"].as_array().expect("a list");
    assert!(!findings.is_empty() && summary["findings_omitted"] == 0);
    for finding in findings {
        let names =
            ["kind", "subject", "from", "to", "text", "cost_request_seconds", "similar_members", "evidence"];
        assert_keys(finding, &names);
        assert!(
            finding["evidence"].is_object() && finding["text"].as_str().is_some_and(|text| text.len() > 20)
        );
    }

    assert_eq!(keys(&summary["requests"]), OUTCOMES);
    let count = |name: &str| summary["requests"][name].as_u64().expect("a whole number");
    assert_eq!(count("offered"), OUTCOMES[1..].iter().map(|name| count(name)).sum::<u64>());
    assert!(
        ["completed", "rejected", "dropped"].iter().all(|name| count(name) > 0),
        "{}",
        summary["requests"]
    );

    assert_eq!(keys(&summary["latency"]), ["all", "by_source", "by_class"]);
    assert_eq!(keys(&summary["latency"]["all"]), LATENCY);
    assert_eq!(keys(&summary["latency"]["by_source"]), ["web", "batch, \"nightly\""]);
    assert_eq!(keys(&summary["latency"]["by_class"]), ["gold"]);
    assert!(LATENCY.iter().all(|name| summary["latency"]["all"][name].is_number()));

    let nodes = &summary["nodes"];
    assert_eq!(
        keys(nodes),
        ["balancer", "client-0", "client-1", "server-0", "server-1", "server-2", "spare"],
        "nodes are in the order of the scenario"
    );
    assert_eq!(keys(&nodes["balancer"]), ["kind", "routed"]);
    assert_eq!(keys(&nodes["balancer"]["routed"]), ["client-0", "client-1"]);
    assert_eq!(keys(&nodes["client-0"]), ["kind", "requests", "responses", "rehashed", "retries"]);
    assert_eq!(nodes["client-0"]["retries"], 0);
    for server in [&nodes["server-1"], &summary["groups"]["server"]] {
        let names = ["kind", "concurrency", "completed", "rejected", "utilization", "queue_depth_mean"];
        assert_keys(server, &[&names[..], &["queue_depth_max", "wait", "service"]].concat());
        assert_eq!(server["kind"], "server");
        assert_eq!((keys(&server["wait"]), keys(&server["service"])), (LATENCY.to_vec(), LATENCY.to_vec()));
    }
    assert_eq!(keys(&summary["groups"]), ["client", "server"]);
    let completed = |node: &Value| node["completed"].as_u64().expect("a whole number");
    let members: u64 = (0..3).map(|i| completed(&nodes[format!("server-{i}")])).sum();
    assert_eq!(completed(&summary["groups"]["server"]), members);
    assert_eq!(keys(&summary["links"]["web -> balancer"]), ["sent", "lost"]);
}

#[test]
fn missing_values_are_null_and_not_zero() {
    let summary = json(rushhour(&["run", "-", "--format", "json"]).stdin(SILENCE));
    assert_eq!(summary["requests"]["offered"], 0);
    let latency = summary["latency"]["all"].as_object().expect("an object");
    assert!(latency.iter().all(|(name, value)| if name == "count" { *value == 0 } else { value.is_null() }));
    assert_eq!(keys(&summary["latency"]), ["all", "by_source"], "there are no classes");
    assert!(summary["measured_from_seconds"].is_null() && summary["nodes"]["a"]["wait"]["p50"].is_null());
    assert_eq!(
        summary["nodes"]["a"]["utilization"].as_f64(),
        Some(0.0),
        "an idle server has a utilization of 0"
    );
}

#[test]
fn equal_runs_have_the_same_output_except_for_the_wall_time() {
    let run = |seed: &str| {
        let mut summary = json(rushhour(&["run", "-", "--format", "json", "--seed", seed]).stdin(NETWORK));
        summary["wall_seconds"] = Value::Null;
        summary
    };
    assert_eq!(run("3"), run("3"));
    assert_ne!(run("3")["fingerprint"], run("4")["fingerprint"]);
    let text = || rushhour(&["run", "-"]).stdin(NETWORK).run().good().to_owned();
    assert_eq!(text(), text());
}

#[test]
fn replications_of_a_seed_differ() {
    let run = |number: &str| {
        let program = rushhour(&["run", "-", "--format", "json", "--replication", number]).stdin(NETWORK);
        let summary = json(program);
        assert_eq!(summary["replication"].to_string(), number);
        summary["fingerprint"].clone()
    };
    assert_ne!(run("0"), run("1"));
}

#[test]
fn text_fits_eighty_columns_and_shows_outcomes_latency_and_nodes() {
    let long = NETWORK.replace("\"server\"", &format!("\"{}\"", "server-of-a-very-long-name-".repeat(8)));
    for scenario in [NETWORK, SILENCE, &long] {
        let answer = rushhour(&["run", "-"]).stdin(scenario).run();
        let wide: Vec<_> = answer.good().lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{wide:#?}");
        assert_eq!(answer.stderr, "", "a successful run prints no diagnostics");
    }
    let answer = rushhour(&["run", "-"]).stdin(NETWORK).run();
    for part in [
        "a network",
        "offered",
        "completed",
        "rejected",
        "dropped",
        "p99",
        "server-2",
        "balancer",
        "class gold",
    ] {
        assert!(answer.good().contains(part), "{part} is missing:\n{}", answer.stdout);
    }
}

#[test]
fn without_arguments_the_default_scenario_runs() {
    let bare = rushhour(&[]).run();
    assert!(bare.good().starts_with("load-aware routing\n"), "{}", bare.stdout);
    assert_eq!(bare.stdout, rushhour(&["run"]).run().good());
}

#[test]
fn quiet_is_one_line_in_either_format() {
    let text = rushhour(&["run", "-", "--quiet"]).stdin(NETWORK).run();
    assert!(text.good().lines().count() == 1 && text.stdout.contains("completed"), "{}", text.stdout);
    let json = rushhour(&["run", "-", "--quiet", "--format", "json"]).stdin(NETWORK).run();
    assert!(json.good().lines().count() == 1 && json.stdout.starts_with('{'));
}

#[test]
fn colour_is_used_on_terminals_or_if_forced() {
    let coloured = |name: &str, value: &str| {
        let answer = rushhour(&["run", "-"]).stdin(NETWORK).env(name, value).run();
        answer.good().contains('\u{1b}')
    };
    assert!(!coloured("TERM", "xterm"), "a pipe is not a terminal");
    assert!(coloured("CLICOLOR_FORCE", "1"));
    let both = rushhour(&["run", "-"]).stdin(NETWORK).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").run();
    assert!(!both.good().contains('\u{1b}'), "NO_COLOR overrides CLICOLOR_FORCE");
    let diagnostic = rushhour(&["run", "-", "--set", "seeed=1"]).stdin(NETWORK).run();
    assert!(!diagnostic.bad(2).contains('\u{1b}'));
}

#[test]
fn values_can_be_replaced_on_the_command_line() {
    let set = ["run", "-", "--format", "json", "--set", "seed=9", "--set", "nodes.server.count=5"];
    let summary = json(rushhour(&set).stdin(NETWORK));
    assert_eq!((&summary["seed"], &summary["groups"]["server"]["members"]), (&9.into(), &5.into()));
    let answer = rushhour(&["run", "-", "--set", "nodes.servr.count=5"]).stdin(NETWORK).run();
    let error = answer.bad(2);
    assert!(
        error.contains("--set nodes.servr.count=5, column 7") && error.contains("did you mean `server`"),
        "{error}"
    );
}

#[test]
fn all_files_of_a_run_are_written_and_no_others() {
    let answer = rushhour(&["run", "-", "--out", "a/b", "--requests"]).stdin(NETWORK).run();
    answer.good();
    assert_eq!(
        answer.tree(),
        [
            "a",
            "a/b",
            "a/b/report.html",
            "a/b/report.json",
            "a/b/requests.csv",
            "a/b/series.csv",
            "a/b/summary.json"
        ]
    );
    let summary: Value = serde_json::from_str(&answer.read("a/b/summary.json")).expect("JSON");
    assert_eq!(summary["scenario"], "a network");

    let series = answer.read("a/b/series.csv");
    assert_eq!(series.lines().next(), Some("time,node,metric,value"));
    // Three servers, two gauges, samples from 0 s to 10 s twice a second.
    assert_eq!(series.lines().count(), 1 + 3 * 2 * 21);
    assert!(series.contains("\n0.5,server-1,load,"), "{series}");

    let without = rushhour(&["run", "-", "--out", "a"]).stdin(NETWORK).run();
    assert_eq!(without.tree(), ["a", "a/report.html", "a/report.json", "a/series.csv", "a/summary.json"]);
    assert_eq!(without.good(), answer.good());
}

/// Parses seconds in decimal notation into nanoseconds.
fn nanos(text: &str) -> u64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<9}").parse().unwrap_or_else(|_| panic!("{text:?} is not a time"))
}

#[test]
fn the_times_of_each_request_add_up_to_its_latency() {
    let answer = rushhour(&["run", "-", "--out", "out", "--requests"]).stdin(NETWORK).run();
    let summary: Value = serde_json::from_str(&answer.read("out/summary.json")).expect("JSON");
    let requests = answer.read("out/requests.csv");
    let mut lines = requests.lines();
    assert_eq!(
        lines.next(),
        Some(
            "id,source,key,created,finished,latency,outcome,server,attempts,waiting,service,links,retries,class,\
             priority,size,weight,response_size"
        )
    );
    let mut outcomes = std::collections::BTreeMap::new();
    for line in lines {
        let line = line.replace("\"batch, \"\"nightly\"\"\"", "batch");
        let fields: Vec<_> = line.split(',').collect();
        let [_, source, _, created, finished, latency, outcome, _, attempts, parts @ ..] = fields.as_slice()
        else {
            panic!("{line}")
        };
        let ([waiting, service, links, retries], [class, priority, size, weight, response_size]) =
            parts.split_first_chunk().map(|(times, rest)| (*times, rest)).expect("times and attributes")
        else {
            panic!("{line}")
        };
        let attributes = if *source == "web" { ("gold", "2", "", "1") } else { ("", "0", "1024", "3") };
        assert_eq!((*class, *priority, *size, *weight), attributes, "{line}");
        assert_eq!(*response_size, "", "no server gives its responses a size");
        assert_eq!(*attempts, "1");
        *outcomes.entry((*outcome).to_owned()).or_insert(0_u64) += 1;
        if *outcome == "in_flight" {
            assert_eq!((*finished, *latency, links, retries), ("", "", "", ""), "{line}");
        } else {
            assert_eq!(nanos(latency), nanos(finished) - nanos(created), "{line}");
            let sum = [waiting, service, links, retries].map(nanos).iter().sum::<u64>();
            assert_eq!(sum, nanos(latency), "{line}");
        }
    }
    for name in &OUTCOMES[1..] {
        assert_eq!(summary["requests"][name], outcomes.get(*name).copied().unwrap_or(0), "{name}");
    }
}

#[test]
fn a_directory_that_cannot_be_written_to_is_reported_before_the_run() {
    // Not even root can create a directory below a regular file.
    let answer =
        rushhour(&["run", "long.ron", "--out", "file/out"]).file("long.ron", LONG).file("file", "x").run();
    let error = answer.bad(2);
    assert!(error.contains("file/out") && error.contains("--out"), "{error}");
    assert_eq!(answer.tree(), ["file", "long.ron"]);
}

#[test]
fn an_invalid_scenario_leaves_no_directory_behind() {
    let answer = rushhour(&["run", "-", "--out", "a/b"]).stdin("(name: 3)").run();
    answer.bad(2);
    assert_eq!(answer.tree(), [] as [&str; 0]);
}

#[test]
fn invalid_arguments_are_reported_with_status_two() {
    for arguments in [
        &["run", "--requests"][..],
        &["run", "--seed", "x"],
        &["run", "--seed", "-1"],
        &["run", "--format", "xml"],
        &["walk"],
        &["check"],
        &["run", "a", "b"],
    ] {
        let answer = rushhour(arguments).run();
        assert!(answer.bad(2).contains("--help"), "{arguments:?}: {}", answer.stderr);
    }
}

#[test]
fn help_and_version_are_printed_to_standard_output() {
    assert_eq!(rushhour(&["--version"]).run().good(), concat!("rushhour ", env!("CARGO_PKG_VERSION"), "\n"));
    for arguments in [&["--help"][..], &["run", "--help"], &["check", "--help"]] {
        assert!(rushhour(arguments).run().good().contains("Examples:"), "{arguments:?}");
    }
}

#[test]
fn check_reports_every_invalid_file_and_lists_the_valid_ones() {
    let answer = rushhour(&["check", "good.ron", "bad.ron", "none.ron"])
        .file("good.ron", NETWORK)
        .file("bad.ron", NETWORK.replace("concurrency: 4", "concurrency: 0"))
        .run();
    assert_eq!(answer.code, Some(2));
    assert_eq!(answer.stdout, "good.ron: valid, 2 sources, 7 nodes, 10 s of virtual time, 4 warnings\n");
    for part in ["bad.ron:13:", "none.ron: there is no such file", "2 of 3 files cannot be run"] {
        assert!(answer.stderr.contains(part), "{part} is missing: {}", answer.stderr);
    }
    let good = rushhour(&["check", "-", "--set", "nodes.spare.count=10"]).stdin(NETWORK).run();
    assert!(good.good().contains("16 nodes"), "{}", good.stdout);
}

#[test]
fn a_closed_pipe_counts_as_success() {
    for format in ["json", "text"] {
        let mut program = rushhour(&["run", "network.ron", "--format", format]).file("network.ron", NETWORK);
        let mut child = program.start();
        drop(child.stdout.take());
        let answer = program.end(child);
        assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""), "{format}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_cleanly_and_writes_nothing() {
    let mut program = rushhour(&["run", "long.ron", "--out", "out"]).file("long.ron", LONG);
    let child = program.start();
    // The directory is created after the handler of Ctrl-C was installed.
    let started = (0..2_000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        program.directory().join("out").exists()
    });
    assert!(started, "the run does not start");
    std::thread::sleep(Duration::from_millis(200));
    let kill =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill can be run");
    assert!(kill.success());
    let answer = program.end(child);
    let error = answer.bad(1);
    assert!(error.starts_with("interrupted at ") && error.contains("events: there is no result"), "{error}");
    assert_eq!(answer.tree(), ["long.ron"]);
}

#[test]
fn arguments_of_run_need_no_verb_and_a_misspelled_verb_is_recognised() {
    let short = rushhour(&["network.ron", "--seed", "3", "--quiet"]).file("network.ron", NETWORK).run();
    let long = rushhour(&["run", "network.ron", "--seed", "3", "--quiet"]).file("network.ron", NETWORK).run();
    assert_eq!(short.good(), long.good());
    assert!(rushhour(&["--seed", "2", "--quiet"]).run().good().starts_with("load-aware routing"));
    let error = rushhour(&["chek", "network.ron"]).run();
    assert!(error.bad(2).contains("'check'"), "{}", error.stderr);
}

#[test]
fn a_number_that_is_not_valid_is_an_error_that_states_the_valid_ones() {
    for (option, value) in [("--seed", "-1"), ("--seed", "x"), ("--replication", "-2"), ("--findings", "-1")]
    {
        let answer = rushhour(&["run", option, value]).run();
        assert!(answer.bad(2).contains("expected a whole number from 0 to "), "{}", answer.stderr);
    }
}

#[test]
fn a_long_name_is_whole_in_a_pipe() {
    let name = "a name that is much longer than a line of a terminal with eighty columns can be, on purpose";
    let text = NETWORK.replace("a network", name);
    let answer = rushhour(&["run", "network.ron", "--quiet"]).file("network.ron", text).run();
    assert!(answer.good().starts_with(&format!("{name}: ")), "{}", answer.stdout);
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_replaced_and_never_the_scenario() {
    let refused = |program: Program, arguments: &str, what: &str| {
        let answer = program.run();
        let error = answer.bad(2);
        assert!(error.contains(what) && error.contains("would be replaced"), "{arguments}: {error}");
        assert_eq!(answer.read("network.ron"), NETWORK, "{arguments}");
    };
    let program =
        |arguments: &str| rushhour(&arguments.split(' ').collect::<Vec<_>>()).file("network.ron", NETWORK);
    for arguments in ["run network.ron --report network.ron", "run ./network.ron --report ../DIR/network.ron"]
    {
        let one = program("check network.ron");
        let name = one.directory().file_name().expect("a name").to_string_lossy().into_owned();
        let directory = one.directory().to_owned();
        let arguments = arguments.replace("DIR", &name);
        let command = rushhour(&arguments.split(' ').collect::<Vec<_>>()).within(&directory);
        let answer = command.run();
        assert!(answer.bad(2).contains("this is the scenario, which would be replaced"), "{}", answer.stderr);
        assert_eq!(
            std::fs::read_to_string(directory.join("network.ron")).expect("it is still there"),
            NETWORK
        );
    }
    let linked = program("run network.ron --report link.html");
    std::os::unix::fs::symlink("network.ron", linked.directory().join("link.html")).expect("a link");
    refused(linked, "a link", "a symbolic link");
    let hard = program("run network.ron --report hard.html");
    std::fs::hard_link(hard.directory().join("network.ron"), hard.directory().join("hard.html"))
        .expect("a link");
    refused(hard, "a hard link", "the scenario");
    let out = program("run network.ron --out .");
    std::os::unix::fs::symlink("/dev/null", out.directory().join("summary.json")).expect("a link");
    refused(out, "--out", "a symbolic link");
    let device = program("run network.ron --report /dev/null");
    let answer = device.run();
    assert!(answer.bad(2).contains("/dev/null: "), "{}", answer.stderr);
    assert!(!std::fs::metadata("/dev/null").expect("it is still there").is_file());
}

#[test]
fn records_of_an_earlier_run_do_not_stay_beside_a_new_summary() {
    let with = rushhour(&["run", "network.ron", "--out", "."]).file("network.ron", NETWORK);
    let header = "id,source,key,created,finished,latency,outcome,server,attempts,waiting,service,links,retries,class,\
                  priority,size,weight,response_size";
    let answer = with.file("requests.csv", format!("{header}\n1,web,3\n")).run();
    answer.good();
    assert!(!answer.tree().contains(&"requests.csv".to_owned()), "{:?}", answer.tree());
    // A file of this name that is not from a run stays.
    let with = rushhour(&["run", "network.ron", "--out", "."]).file("network.ron", NETWORK);
    let answer = with.file("requests.csv", "my requests\n").run();
    answer.good();
    assert_eq!(answer.read("requests.csv"), "my requests\n");
}
