//! Errors in endpoints are reported before the run: all at once, each with its position and a hint.

use crate::support::rushhour;

/// The diagnostics of `rushhour check` for a server "api" with these resources and steps.
fn diagnostics(resources: &str, steps: &str) -> String {
    of_text(&format!(
        r#"Scenario(
    name: "test", run_until: "10s",
    sources: {{"users": (arrivals: Poisson(rate: "8/s"), to: "api")}},
    nodes: {{
        "api": Server({resources} endpoints: {{"read": (steps: [{steps}])}}),
        "db": Server(service: Constant("1ms")),
    }},
)"#
    ))
}

fn of_text(text: &str) -> String {
    let answer = rushhour(&["check", "test.ron"]).file("test.ron", text).run();
    assert_eq!(answer.code, Some(2), "{text}\n{}", answer.stderr);
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
    answer.stderr
}

/// Asserts that a server with these resources and steps has a single error, with each of these parts.
fn assert_one(resources: &str, steps: &str, parts: &[&str]) {
    let diagnostics = diagnostics(resources, steps);
    let errors = diagnostics.matches("test.ron:").count() - diagnostics.matches(": warning:").count();
    assert_eq!(errors, 1, "one error, one diagnostic:\n{diagnostics}");
    for part in parts {
        assert!(diagnostics.contains(part), "{part} is missing:\n{diagnostics}");
    }
}

#[test]
fn a_step_needs_resources_that_are_there() {
    assert_one(
        r#"pools: {"disks": 2},"#,
        r#"Hold(pool: "disk", steps: [])"#,
        &["api.endpoints.read.steps.0.pool: the server has no pool \"disk\"", "it has \"disks\""],
    );
    assert_one("", r#"Hold(pool: "disk", steps: [])"#, &["give the server `pools: {\"disk\": 4}`"]);
    assert_one("", r#"Memory("1MB")"#, &["steps.0: the server does not say how much memory it has"]);
    assert_one("cores: 0,", r#"Cpu(Constant("1ms"))"#, &["cores: a server with 0 cores computes nothing"]);
    assert_one(r#"pools: {"p": 0},"#, r#"Hold(pool: "p", steps: [])"#, &["nobody ever gets a place"]);
}

#[test]
fn a_request_never_needs_more_memory_than_there_is() {
    let memory = r#"memory: "100MB","#;
    let parts = ["a request may need 120000000B of memory, but the server has 100MB"];
    assert_one(memory, r#"Memory("60MB"), Memory("60MB")"#, &parts);
    assert_one(memory, r#"Repeat(times: 1, up_to: 3, steps: [Memory("40MB")])"#, &parts);
    assert_one(memory, r#"Parallel(branches: [[Memory("60MB")], [Memory("60MB")]])"#, &parts);
    assert_one(memory, r#"Choose([(1.0, [Memory("20MB")]), (0.1, [Memory("120MB")])])"#, &parts);
}

#[test]
fn branches_can_succeed_and_choices_have_weights() {
    let branches = "[[], []]";
    for join in ["Quorum(3)", "Quorum(0)"] {
        let steps = format!("Parallel(branches: {branches}, join: {join})");
        assert_one("", &steps, &["of 2 branches can never succeed", "write a quorum from 1 to 2"]);
    }
    assert_one("", "Parallel(branches: [])", &["0 branches: expected 1 to 1000"]);
    assert_one("", "Choose([(0.0, []), (0.0, [])])", &["steps.0: the weights sum to 0"]);
    assert_one("", "Choose([])", &["steps.0: "]);
    assert_one("", "Choose([(-1.0, [])])", &["-1 is not a valid weight"]);
    assert_one("", "Fail(1.5)", &["1.5 is not a probability"]);
    assert_one("", "Repeat(times: 3, up_to: 2, steps: [])", &["there is no number from 3 to 2"]);
}

#[test]
fn a_program_ends() {
    let forever = "Repeat(times: 4000000000, steps: [])";
    assert_one("", forever, &["a request may take 4000000001 steps, so that it hardly ever ends"]);
    let nested = "Repeat(times: 1000, steps: [Repeat(times: 1000, steps: [Fail(0.0)])])";
    assert_one("", nested, &["so that it hardly ever ends"]);
    let deep = (0..5).fold("Fail(0.0)".to_owned(), |steps, _| format!("Repeat(times: 2, steps: [{steps}])"));
    assert_one("", &deep, &["more than 4 loops are inside each other"]);
    let itself = r#"Hold(pool: "p", steps: [Parallel(branches: [[Hold(pool: "p", steps: [])]])])"#;
    assert_one(r#"pools: {"p": 1},"#, itself, &["the request already holds a place of the pool \"p\""]);
}

#[test]
fn a_program_has_a_size() {
    let options = vec!["(1.0, [])"; 40_000].join(", ");
    assert_one("", &format!("Choose([{options}])"), &["the endpoints have too many steps: about 800"]);
    let steps = vec!["Fail(0.0)"; 22_000].join(", ");
    assert_one("", &steps, &["the endpoints have too many steps: about 66001, more than 65535"]);
    let branches = vec!["[]"; 600].join(", ");
    assert_one(
        "",
        &format!("Parallel(branches: [{branches}], copies: 2)"),
        &["1200 branches: expected 1 to 1000"],
    );
}

#[test]
fn a_server_says_one_way_how_long_it_takes() {
    let with = |server: &str| {
        of_text(&format!(
            r#"(name: "test", run_until: "10s", sources: {{"users": (arrivals: Poisson(rate: "8/s"), to: "api")}},
            nodes: {{"api": Server({server}), "db": Server(service: Constant("1ms"))}})"#
        ))
    };
    let endpoints = r#"endpoints: {"e": (steps: [])}"#;
    assert!(with("").contains("nodes.api: the server does not say how long it takes"));
    let both = with(&format!(r#"service: Constant("1ms"), {endpoints}"#));
    assert!(both.contains("the server has both a service time and endpoints"), "{both}");
    let calls = with(&format!(r#"call: "db", {endpoints}"#));
    assert!(calls.contains("the server has both calls and endpoints"), "{calls}");
    let steps = with(r#"service: Constant("1ms"), call: (to: "db", on_failure: Steps([]))"#);
    assert!(steps.contains("nodes.api.call.on_failure: after a failed call"), "{steps}");
    let weights = with(r#"endpoints: {"a": (weight: 0.0, steps: []), "b": (weight: 0.0, steps: [])}"#);
    assert!(weights.contains("give at least one endpoint a `weight` above 0"), "{weights}");
}

#[test]
fn an_endpoint_that_is_asked_for_exists() {
    let with = |source: &str, steps: &str| {
        of_text(&format!(
            r#"(name: "test", run_until: "10s",
            sources: {{"users": (arrivals: Poisson(rate: "8/s"), to: "lb", endpoint: {source})}},
            nodes: {{
                "lb": LoadBalancer(policy: Random, to: "api"),
                "api": Server(count: 2, endpoints: {{"read": (steps: [{steps}])}}),
                "db": Server(endpoints: {{"query": (steps: [])}}),
            }})"#
        ))
    };
    let misspelt = with(r#""raed""#, r#"Call("db")"#);
    assert!(misspelt.contains("neither \"lb\" nor a node behind it has an endpoint \"raed\""), "{misspelt}");
    assert!(misspelt.contains("did you mean \"read\"?"), "{misspelt}");
    let elsewhere = with(r#"{"read": 1.0, "query": 1.0}"#, r#"Call("db")"#);
    assert!(elsewhere.contains("has an endpoint \"query\""), "{elsewhere}");
    let call = with(r#""read""#, r#"Call(to: "db", endpoint: "read")"#);
    assert!(call.contains("nodes.api.endpoints.read.steps.0.endpoint: neither \"db\""), "{call}");
    let weights = with(r#"{"read": 0.0}"#, r#"Call("db")"#);
    assert!(weights.contains("sources.users.endpoint: the weights sum to 0"), "{weights}");
}

#[test]
fn changes_suit_the_server() {
    let text = |set: &str| {
        of_text(&format!(
            r#"(name: "test", run_until: "10s", sources: {{"users": (arrivals: Poisson(rate: "8/s"), to: "api")}},
            nodes: {{"api": Server(endpoints: {{"e": (steps: [])}})}},
            changes: [(at: "1s", of: "api", set: {set})])"#
        ))
    };
    assert!(
        text("Concurrency(2)").contains("the number of slots of this server is unlimited from the start")
    );
    assert!(text(r#"Service(Constant("1ms"))"#).contains("this server has endpoints"));
}

#[test]
fn resources_without_users_are_warned_of() {
    let text = r#"(name: "test", run_until: "10s", sources: {"users": (arrivals: Poisson(rate: "8/s"), to: "api")},
        nodes: {"api": Server(cores: 2, memory: "1GB", pools: {"disk": 1}, endpoints: {"e": (steps: [])})})"#;
    let answer = rushhour(&["check", "test.ron"]).file("test.ron", text).run();
    answer.good();
    for part in ["no step `Cpu(..)` uses the cores", "no step `Memory(..)`", "uses the pool \"disk\""] {
        assert!(answer.stderr.contains(part), "{part} is missing:\n{}", answer.stderr);
    }
}
