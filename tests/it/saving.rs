//! A scenario that was changed during the run is saved as text: loading it yields the same scenario, and the formatting
//! and comments of the author are kept.

use rushhour::model::change::ChangeSpec;
use rushhour::model::fault::FaultSpec;
use rushhour::scenario::{Loaded, Scenario, load_in, save};
use rushhour::text::Document;

use crate::harness::{root, run_once, scenario, shipped};

fn loaded(text: &str, overrides: &[&str]) -> Loaded {
    let overrides: Vec<String> = overrides.iter().map(|&value| value.to_owned()).collect();
    let loaded = load_in(&root().join("scenarios"), "test.ron", text.as_bytes(), &overrides);
    loaded.unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

/// Saves a scenario, asserts that loading the text yields the expected scenario, and returns the text.
fn saved(text: &str, overrides: &[&str], seed: Option<u64>, changes: &[ChangeSpec]) -> String {
    let original = loaded(text, overrides);
    let saved = save(&original, seed, changes, &[]).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    let Scenario { mut changes, seed: own, .. } = original.scenario.clone();
    changes.extend_from_slice(&added(changes_of(&saved), changes.len()));
    let expected = Scenario { seed: seed.unwrap_or(own), changes, ..original.scenario };
    assert_eq!(loaded(&saved, &[]).scenario, expected, "{saved}");
    saved
}

fn changes_of(text: &str) -> Vec<ChangeSpec> {
    loaded(text, &[]).scenario.changes
}

fn added(changes: Vec<ChangeSpec>, known: usize) -> Vec<ChangeSpec> {
    changes.into_iter().skip(known).collect()
}

/// A scenario with every kind of change, and every kind of value in a change.
const ALL_CHANGES: &str = r#"Scenario(name: "x", run_until: "400d",
    sources: {"s\\ \"té": (arrivals: Constant(rate: "1/h"), to: "b"), "t": (arrivals: Constant(rate: "1/h"), to: "c")},
    nodes: {"b": LoadBalancer(policy: Random, to: "m"), "c": Client(to: "m"), "m": Server(count: 2, service: Constant("1ms"))},
    changes: [
        (at: "0s", of: "m", set: Down),
        (at: "12.345678901s", of: ["m-0", "m-1"], set: Up),
        (at: "34559999.987654321s", of: "m", set: Concurrency(4294967295)),
        (at: "1us", of: "m", set: Service(Constant("123456789ns"))),
        (at: "1us", of: "m", set: Service(Uniform(min: "1ms", max: "1.000001s"))),
        (at: "1us", of: "m", set: Service(HyperExponential(branches: [(probability: 0.3, mean: "1ms"), (probability: 0.7, mean: "7ns")]))),
        (at: "1us", of: "m", set: Service(Empirical(values: ["1ms", "2ms"], weights: [1e-9, 3.5e20]))),
        (at: "1us", of: "m", set: Service(Empirical(values: ["1ms"]))),
        (at: "1us", of: "m", set: Service(Percentiles(p50: "4ms", p80: "6ms", p90: "9ms", p99: "30ms", p100: "80ms"))),
        (at: "1us", of: "m", set: Service(Shifted(by: "5ms", of: Truncated(max: "1s", of: Pareto(mean: "5ms", shape: 1.1))))),
        (at: "1us", of: "m", set: Service(Erlang(mean: "2ms", stages: 4))),
        (at: "1us", of: "m", set: Queue(Fifo())),
        (at: "1us", of: "m", set: Queue(Fifo(capacity: 0))),
        (at: "1us", of: "t", set: Arrivals(Poisson(rate: "0.1 rpm"))),
        (at: "1us", of: "t", set: Arrivals(Poisson(rate: "1000000/s"))),
        (at: "1us", of: "t", set: Arrivals(Constant(rate: Steps([(at: "1s", rate: "1/s"), (at: "2s", rate: "0/s")])))),
        (at: "1us", of: "t", set: Arrivals(Poisson(rate: Sine(mean: "1/s", amplitude: "0.333333333333333/s", period: "24h")))),
        (at: "1us", of: "t", set: Arrivals(Renewal(gap: Gamma(mean: "1s", sd: "3s")))),
        (at: "1us", of: "t", set: Arrivals(Users(count: Poisson(mean: 0.125), requests: "20 rpm", window: "1h"))),
        (at: "1us", of: "t", set: Arrivals(Users(count: Normal(mean: 1e3, sd: 7.5), requests: "1/s"))),
        (at: "1us", of: "t", set: Arrivals(Mmpp(states: [(rate: "1/s", stay: Constant("1h")), (rate: "0/s", stay: Exponential(mean: "1h"))]))),
        (at: "1us", of: "t", set: Arrivals(Batches(of: Poisson(rate: "1/h"), size: Uniform(3, 9)))),
        (at: "1us", of: "t", set: Arrivals(ClosedLoop(users: 3, think: Constant("1h")))),
        (at: "1us", of: "t", set: Arrivals(ClosedLoop(users: 3, stages: [(at: "1d", users: 0)], think: Constant("1h")))),
        (at: "1us", of: "t", set: Arrivals(Constant(rate: Sum(["1/h", Scaled(by: 0.25, of: Daily([(at: "0s", rate: "1/h")]))])))),
        (at: "1us", of: "t", set: Arrivals(Constant(rate: Cycle(period: "7d", points: [(at: "1d", rate: "1/h"), (at: "2d", rate: "0/s")])))),
        (at: "1us", of: "c", set: Routing(LoadAware(window: "2s", threshold: 1.0, smart: false, salt: 18446744073709551615))),
        (at: "1us", of: "c", set: Routing(KeyHash())),
        (at: "1us", of: "b", set: Policy(KeyHash(salt: 3))),
        (at: "1us", of: "b", set: Policy(RoundRobin)),
        (at: "1us", of: ["s\\ \"té"], set: Arrivals(Constant(rate: "7/d"))),
    ])"#;

#[test]
fn every_kind_of_change_can_be_saved_and_loaded() {
    let all = changes_of(ALL_CHANGES);
    let without = ALL_CHANGES.split("    changes: [").next().expect("a text").to_owned() + ")";
    let saved = saved(&without, &[], None, &all);
    assert_eq!(changes_of(&saved), all, "{saved}");
    assert!(!saved.contains("None"), "fields without a value are left out:\n{saved}");
    assert_eq!(
        saved.lines().filter(|line| line.starts_with("        (at: \"")).count(),
        all.len(),
        "{saved}"
    );
}

#[test]
fn a_saved_shipped_scenario_has_the_same_text_and_the_same_run() {
    for (name, text) in shipped() {
        let original = loaded(&text, &[]);
        assert_eq!(save(&original, None, &[], &[]).expect("nothing was changed"), text, "{name}");
        let (source, spec) = original.scenario.sources.first().expect("a source");
        let (node, _) = original.scenario.nodes.last().expect("a node");
        let change = |target: &str, set: &str| format!("(at: \"1.000000001s\", of: {target:?}, set: {set})");
        let donor = format!(
            "Scenario(name: \"x\", run_until: \"9s\", sources: {{{source:?}: (arrivals: {}, to: \"n\")}}, nodes: {{\"n\": \
             Server(service: Constant(\"1s\"))}}, changes: [{}])",
            "Constant(rate: \"1/s\")",
            change(source, "Arrivals(Poisson(rate: \"9.87654321/s\"))")
        );
        let changes = changes_of(&donor);
        assert!(spec.max_requests.is_none_or(|max| max > 0));
        let overrides = [
            "run_until=3s",
            "arrivals_until=2.5s",
            "warm_up=0s",
            &format!("nodes.{node}.concurrency=3"),
            &format!("sources.{source}.start=1ms"),
            "name=two words",
            "probes=[]",
            "changes=[]",
            "faults={}",
        ];
        let saved = saved(&text, &overrides, Some(77), &changes);
        let comments = |text: &str| text.lines().filter(|line| line.trim_start().starts_with("//")).count();
        if name != "reference.ron" {
            assert_eq!(comments(&saved), comments(&text), "{name}: comments are kept\n{saved}");
        }
        let expected = Scenario { seed: 77, changes, ..loaded(&text, &overrides).scenario };
        assert_eq!(run_once(&scenario(&saved)).fingerprint, run_once(&expected).fingerprint, "{name}");
    }
}

const SOURCES: &str = r#"sources: {"s": (arrivals: Constant(rate: "1/s"), to: "m")}"#;
const NODES: &str = r#"nodes: {"m": Server(service: Constant("1ms"))}"#;

fn changes(count: usize) -> Vec<ChangeSpec> {
    let list: String =
        (0..count).map(|n| format!("(at: \"{n}.5s\", of: \"m\", set: Concurrency({})), ", n + 1)).collect();
    changes_of(&format!("(name: \"x\", run_until: \"90s\", {SOURCES}, {NODES}, changes: [{list}])"))
}

#[test]
fn changes_can_be_added_to_any_layout() {
    let head = format!("name: \"x\", run_until: \"90s\", {SOURCES}, {NODES}");
    let one = r#"(at: "1s", of: "m", set: Down)"#;
    let layouts = [
        format!("({head})"),
        format!("({head},)"),
        format!("({head} , )"),
        format!("Scenario({head}\n)\n// the end"),
        format!("Scenario(\n    {head}, // no comma behind this, though: ,\n)"),
        format!("Scenario(\n    {head} // a comma: ,\n    /* and , here */\n)"),
        format!("Scenario(\n  {head} /* , /* , */ */ )"),
        format!("#![enable(implicit_some)]\nScenario (\n\t{head},\n\t)"),
        format!("({head}, changes: [])"),
        format!("({head}, changes: [ // none yet\n])"),
        format!("({head}, changes: [{one}])"),
        format!("({head}, changes: [{one},], seed: 4)"),
        format!("(\n    changes: [{one}], // in one line\n    {head},\n)"),
        format!(
            "(\n    changes: [\n        {one}, // it fails\n        // and that was it\n    ],\n    {head},\n)"
        ),
        format!("(\n    changes: [\n        {one} // it fails\n    ],\n    {head}\n)"),
        format!("(\n    changes: [\n        {one} ],\n    {head}\n)"),
    ];
    for text in
        layouts.iter().flat_map(|text| [text.clone(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")])
    {
        for overrides in [
            &[][..],
            &["seed=5"],
            &["nodes.m.queue=Fifo", "nodes.m.queue.capacity=3", "nodes.m.then=None", "nodes.m.concurrency=2"],
            &[
                "nodes.extra=Server(service: Exponential(mean: \"5ms\"))",
                "nodes.extra.queue=Fifo()",
                "sources.s.to=\"extra\"",
            ],
            &[
                "sources.s.key=Uniform(0, 9)",
                "sources.s.key.1=11",
                "sources.s.arrivals.rate=Spike(base: \"1/s\", peak: \"2/s\", from: \"1s\", to: \"2s\")",
                "sources.s.arrivals.rate.peak=9/s",
            ],
            &[
                "changes=[(at: \"2s\", of: \"m\", set: Down), (at: \"3s\", of: [\"m\"], set: Up)]",
                "changes.1.at=4s",
            ],
        ] {
            for (count, seed) in [(0, None), (1, Some(9)), (3, None)] {
                let new = changes(count);
                let saved = saved(&text, overrides, seed, &new);
                let all = changes_of(&saved);
                assert_eq!(all[all.len() - count..], new, "{saved}");
                // If all lines of the text are replaced, their line endings are lost.
                if overrides.iter().all(|value| !value.starts_with("changes")) {
                    let line_endings = if text.contains('\r') { saved.matches('\n').count() } else { 0 };
                    assert_eq!(saved.matches("\r\n").count(), line_endings, "{saved}");
                }
                for comment in ["// the end", "though: ,", "/* and , here */", "/* , /* , */ */"] {
                    assert_eq!(saved.contains(comment), text.contains(comment), "{saved}");
                }
            }
        }
    }
}

#[test]
fn added_changes_are_formatted_like_the_text_around_them() {
    let text = format!(
        "// A story.\nScenario(\n    name: \"x\", run_until: \"90s\",\n    {SOURCES},\n    {NODES}, // one\n)\n"
    );
    let expected = format!(
        "// A story.\nScenario(\n    name: \"x\", run_until: \"90s\",\n    {SOURCES},\n    {NODES}, // one\n    changes: [\n        \
         (at: \"500ms\", of: \"m\", set: Concurrency(1)),\n        (at: \"1.5s\", of: \"m\", set: Concurrency(2)),\n    ],\n)\n"
    );
    assert_eq!(saved(&text, &[], None, &changes(2)), expected);
    let more = saved(&expected, &[], Some(3), &changes(1));
    let line = "        (at: \"500ms\", of: \"m\", set: Concurrency(1)),\n    ],\n    seed: 3,\n)\n";
    assert!(more.ends_with(line), "{more}");
}

#[test]
fn an_invalid_scenario_is_not_saved() {
    let original = loaded(&format!("(name: \"x\", run_until: \"1s\", {SOURCES}, {NODES})"), &[]);
    let errors =
        save(&original, None, &changes(3), &[]).expect_err("the run ends before the last change").to_string();
    assert!(errors.contains("changes.1.at: the run ends at 1s"), "{errors}");
}

#[test]
fn faults_can_be_added_to_any_layout_and_keep_their_values() {
    let fault = |text: &str| -> FaultSpec {
        let document = Document::parse("fault", text.as_bytes()).expect("RON");
        document.decode::<FaultSpec>().value.unwrap_or_else(|| panic!("{text}"))
    };
    let added = [
        ("a \"b\"".to_owned(), fault(r#"(of: "m", what: Crash, at: "1.000000001s", for: "3s")"#)),
        (
            "c".to_owned(),
            fault(r#"(of: ["s -> m"], what: Loss(probability: 0.25, direction: Requests), at: "2s")"#),
        ),
        (
            "d".to_owned(),
            fault(
                r#"(of: "m", which: One, what: Slow(1.5), every: Constant("7s"), lasts: Exponential(mean: "1s"), from: "1s", until: "8s")"#,
            ),
        ),
    ];
    for (text, kept) in [
        ("", ""),
        (", faults: {}", ""),
        (
            ", faults: {\n  // mine\n  \"x\": (of: \"m\", what: Pause, at: \"1s\", for: \"1s\") // yours\n}",
            "// yours",
        ),
        (", faults: {\"x\": (of: \"m\", what: Errors(0.5), at: \"1s\"),}", "Errors(0.5)"),
    ] {
        let text = format!(
            "(name: \"x\", run_until: \"9s\", sources: {{\"s\": (arrivals: Constant(rate: \"1/s\"), to: \"m-0\")}}, nodes: {{\"m\": \
             Server(count: 2, service: Constant(\"1ms\"))}}, links: [(from: \"s\", to: \"m\", preset: Local)]{text})"
        );
        let original = loaded(&text, &[]);
        let saved = save(&original, None, &[], &added).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        let mut expected = original.scenario.clone();
        expected.faults.extend(added.iter().cloned());
        assert_eq!(loaded(&saved, &[]).scenario, expected, "{saved}");
        assert!(saved.contains(kept), "{saved}");
    }
}
