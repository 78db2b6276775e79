//! The summary fits 80 columns, whatever was simulated.

use super::*;
use crate::analysis::findings;
use crate::scenario::load;
use crate::simulation::{RunOptions, run};

fn printed(text: &str) -> String {
    let scenario =
        load("test.ron", text.as_bytes(), &[]).unwrap_or_else(|errors| panic!("{errors}")).scenario;
    let result = run(&scenario, RunOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let figures = Summary::of(&result);
    let text =
        anstream::adapter::strip_str(&summary(&figures, &result, &findings(&scenario, &result), usize::MAX))
            .to_string();
    let line = one_line(&figures, true);
    for line in text.lines().chain(line.lines()) {
        assert!(width(line) <= WIDTH && line.trim_end() == line, "{} columns: {line:?}\n{text}", width(line));
    }
    assert!(text.ends_with('\n') && !text.contains("\n\n\n") && line.lines().count() == 1, "{text}");
    text
}

#[test]
fn a_single_server_is_shown_with_its_figures() {
    let text = printed(
        "(name: \"mm1\", run_until: \"100s\", sources: {\"s\": (arrivals: Poisson(rate: \"8/s\"), to: \"a\")},
          nodes: {\"a\": Server(service: Exponential(mean: \"100ms\"))})",
    );
    for part in
        ["mm1\n", "requests were offered", "Latency", "Servers", "Utilization over", "Queue over", "100 s"]
    {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
}

#[test]
fn a_run_without_requests_and_name_has_a_summary() {
    let text = printed(
        "(name: \"\", run_until: \"1s\", sources: {\"s\": (arrivals: Constant(rate: \"1/s\"), to: \"a\", start: \"1s\")},
          arrivals_until: \"1s\", nodes: {\"a\": Server(service: Constant(\"1s\"))})",
    );
    assert!(text.contains("(a scenario without a name)"), "{text}");
}

#[test]
fn long_names_many_servers_and_lossy_links_fit() {
    let (long, wide) = ("n".repeat(120), "日本語".repeat(20));
    let text = printed(&format!(
        "(name: \"{long}\\u{{1b}}[2J\", seed: 18446744073709551615, run_until: \"12345.678901s\", warm_up: \"1.0000001s\",
          sources: {{
            \"{long}\": (arrivals: Poisson(rate: \"0.5/s\"), to: \"balancer\", class: \"{wide}\"),
            \"{wide}\": (arrivals: Poisson(rate: \"0.5/s\"), to: \"balancer\"),
          }},
          nodes: {{
            \"balancer\": LoadBalancer(policy: Random, to: [\"{long}-c\", \"{wide}-c\"]),
            \"{long}-c\": Client(count: 20, to: [\"{long}-s\", \"{wide}-s\"]),
            \"{wide}-c\": Client(count: 2, to: [\"{long}-s\", \"{wide}-s\"]),
            \"{long}-s\": Server(count: 30, service: Exponential(mean: \"55s\"), queue: Fifo(capacity: 1)),
            \"{wide}-s\": Server(count: 2, service: Exponential(mean: \"0.1ms\")),
          }},
          links: [(from: \"{long}-c\", to: \"{wide}-s\", loss: 0.5), (from: \"{long}\", to: \"balancer\", loss: 0.01)],
        )"
    ));
    for part in ["the busiest:", "median", "measured from"] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    let sections =
        ["Latency", "Servers", "Utilization over", "Clients", "Load balancers", "Links with losses"];
    let lines: Vec<&str> = text.lines().collect();
    let positions = sections.map(|section| lines.iter().position(|line| line.starts_with(section)));
    assert!(positions.is_sorted() && positions[0].is_some(), "{positions:?}\n{text}");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn hundreds_of_nodes_and_sources_are_abbreviated() {
    let nodes: String = (0..200).map(|i| format!("\"n{i}\": Server(service: Constant(\"1s\")), ")).collect();
    let targets: Vec<_> = (0..200).map(|i| format!("\"n{i}\"")).collect();
    let sources: String =
        (0..50).map(|i| format!("\"s{i}\": (arrivals: Poisson(rate: \"2/s\"), to: \"b\"), ")).collect();
    let text = printed(&format!(
        "(name: \"many\", run_until: \"100s\", sources: {{{sources}}},
          nodes: {{\"b\": LoadBalancer(policy: RoundRobin, to: [{}]), {nodes}}})",
        targets.join(", ")
    ));
    assert!(text.lines().count() < 100, "{text}");
    assert!(text.contains("... and 38 more sources") && text.contains("... and 188 more\n"), "{text}");
}
