//! Errors in faults are reported before the run, each with its position and a hint.

use crate::support::rushhour;

/// The diagnostics of `rushhour check` for a small system with these faults.
fn diagnostics(faults: &str) -> (Option<i32>, String) {
    let text = format!(
        r#"Scenario(
    name: "test", run_until: "100s",
    sources: {{
        "users": (arrivals: Poisson(rate: "8/s"), to: "lb"),
        "loop": (arrivals: ClosedLoop(users: 3, think: Constant("1s")), to: "lb"),
    }},
    nodes: {{
        "lb": LoadBalancer(policy: Random, to: "web"),
        "web": Server(count: 3, concurrency: 2, service: Exponential(mean: "10ms"), then: "db"),
        "db": Server(service: Constant("1ms"), queue: Priority(preemptive: true)),
        "app": Server(endpoints: {{"e": (steps: [Io(Constant("1ms"))])}}),
        "front": LoadBalancer(policy: Random, to: "app"),
    }},
    links: [(from: "web", to: "db", latency: Constant("1ms")), (from: "lb", to: "web", preset: Local)],
    faults: {{{faults}}},
)"#
    )
    .replace(
        "\"loop\": (arrivals",
        "\"visitors\": (arrivals: Poisson(rate: \"1/s\"), to: \"front\"), \"loop\": (arrivals",
    );
    let answer = rushhour(&["check", "test.ron"]).file("test.ron", text).run();
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
    (answer.code, answer.stderr)
}

/// Asserts that a fault has a single error, with each of these parts.
#[track_caller]
fn assert_one(fault: &str, parts: &[&str]) {
    let (code, diagnostics) = diagnostics(&format!("\"f\": ({fault})"));
    assert_eq!(code, Some(2), "{fault}: {diagnostics}");
    let errors = diagnostics.matches("test.ron:").count() - diagnostics.matches(": warning:").count();
    assert_eq!(errors, 1, "one error, one diagnostic:\n{diagnostics}");
    for part in parts {
        assert!(diagnostics.contains(part), "{part} is missing:\n{diagnostics}");
    }
}

/// Asserts that a fault has a warning with this part, and no error.
#[track_caller]
fn assert_warned(faults: &str, part: &str) {
    let (code, diagnostics) = diagnostics(faults);
    assert_eq!(code, Some(0), "{faults}: {diagnostics}");
    assert!(diagnostics.contains("warning") && diagnostics.contains(part), "{part}:\n{diagnostics}");
}

#[test]
fn a_fault_happens_to_what_can_have_it() {
    assert_one(
        r#"of: "lb", what: Crash, at: "1s""#,
        &["Crash cannot happen to \"lb\", which is a load balancer", "name a server"],
    );
    assert_one(r#"of: "users", what: Pause, at: "1s""#, &["which is a source"]);
    assert_one(r#"of: "web", what: Surge(2.0), at: "1s""#, &["name a source"]);
    assert_one(
        r#"of: "wbe", what: Crash, at: "1s""#,
        &["there is no node or group \"wbe\"", "did you mean `web`?"],
    );
    assert_one(
        r#"of: "web -> db", what: Crash, at: "1s""#,
        &["Crash is not a fault of links", "name a server"],
    );
    assert_one(
        r#"of: "web", what: Partition, at: "1s""#,
        &["Partition happens to links, and \"web\" is none", "\"web -> db\""],
    );
    assert_one(
        r#"of: "db -> web", what: Partition, at: "1s""#,
        &["there is no link from \"db\" to \"web\"", "add it to `links`"],
    );
    assert_one(r#"of: "web -> web", what: Partition, at: "1s""#, &["\"web\" has no link to itself"]);
    let own = "write a link of its own for it: (from: \"web-1\", to: \"db\", ..)";
    assert_one(
        r#"of: "web-1 -> db", what: Partition, at: "1s""#,
        &["there is no link from \"web-1\" to \"db\"", own],
    );
    assert_one(r#"of: [], what: Crash, at: "1s""#, &["there is nothing that the fault happens to"]);
    assert_one(r#"of: ["web", "web-1"], what: Crash, at: "1s""#, &["\"web-1\" is named twice"]);
    assert_one(
        r#"of: ["* -> db", "web -> db"], what: Partition, at: "1s""#,
        &["\"web -> db\" is named twice"],
    );
}

#[test]
fn a_fault_has_a_name_that_can_be_shown() {
    let (code, text) = diagnostics(r#""\u{7}": (of: "web", what: Crash, at: "1s")"#);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("is not a valid name: use visible characters"), "{text}");
}

#[test]
fn a_fault_has_a_time() {
    assert_one(
        r#"of: "web", what: Crash"#,
        &["it is not known when the fault happens", "`every` and `lasts`"],
    );
    assert_one(r#"of: "web", what: Crash, at: "101s""#, &["the run ends at 100s, before this fault at 101s"]);
    assert_one(
        r#"of: "web", what: Crash, at: "1s", for: "0s""#,
        &["a fault that lasts no time has no effect"],
    );
    assert_one(
        r#"of: "web", what: Crash, at: "1s", lasts: Constant("1s")"#,
        &["f.lasts", "a fault with `at` lasts `for` a time"],
    );
    let every = r#"every: Exponential(mean: "5s")"#;
    assert_one(&format!(r#"of: "web", what: Crash, {every}"#), &["it is not known how long the fault lasts"]);
    assert_one(
        &format!(r#"of: "web", what: Crash, {every}, lasts: Constant("1s"), for: "1s""#),
        &["`for` belongs to a fault that happens once", "write `lasts`"],
    );
    assert_one(
        &format!(r#"of: "web", what: Crash, at: "3s", {every}"#),
        &["either once (`at`) or again and again (`every`)"],
    );
    assert_one(
        r#"of: "web", what: Crash, every: Constant("0s"), lasts: Constant("1s")"#,
        &["f.every: the mean of this time is 0"],
    );
    assert_one(
        r#"of: "web", what: Pause, every: Constant("1ns"), lasts: Constant("0s")"#,
        &["the fault would happen about", "make the time longer"],
    );
    assert_one(
        &format!(r#"of: "web", what: Crash, {every}, lasts: Constant("1s"), from: "9s", until: "8s""#),
        &["f.until: the fault never happens"],
    );
    assert_one(
        &format!(r#"of: "web", what: Crash, {every}, lasts: Uniform(min: "2s", max: "1s")"#),
        &["f.lasts"],
    );
}

#[test]
fn the_size_of_a_fault_makes_sense() {
    assert_one(r#"of: "web", what: Slow(0.5), at: "1s""#, &["expected a number above 1"]);
    assert_one(
        r#"of: "db", what: Slow(2.0), at: "1s""#,
        &["services that can be interrupted cannot become slower"],
    );
    assert_one(r#"of: "web", what: Capacity(1.5), at: "1s""#, &["expected a number between 0 and 1"]);
    assert_one(r#"of: "web", what: Capacity(0.0), at: "1s""#, &["for none, use `Pause`"]);
    assert_one(
        r#"of: "app", what: Capacity(0.5), at: "1s""#,
        &["the number of slots of this server is unlimited"],
    );
    assert_one(r#"of: "web", what: Errors(2.0), at: "1s""#, &["2 is not a probability"]);
    assert_one(r#"of: "users", what: Surge(1.0), at: "1s""#, &["a surge by 1 is none"]);
    assert_one(
        r#"of: "loop", what: Surge(2.0), at: "1s""#,
        &["only arrivals with a rate can surge", "stages of a `ClosedLoop`"],
    );
    assert_one(r#"of: "web -> db", what: Loss(probability: -0.1), at: "1s""#, &["-0.1 is not a probability"]);
    assert_one(
        r#"of: "web -> db", what: Latency(add: Normal(mean: "0s", sd: "1s")), at: "1s""#,
        &["what.add"],
    );
    assert_one(
        r#"of: "web -> db", what: Delay(add: "1s"), at: "1s""#,
        &["unknown variant `Delay`", "`Latency`"],
    );
}

#[test]
fn faults_that_mean_no_more_than_one_do_not_overlap() {
    let both = |second: &str| {
        diagnostics(&format!(
            r#""first": (of: "web", what: Crash, at: "10s", for: "20s"), "second": ({second})"#
        ))
    };
    let (code, text) = both(r#"of: "web-1", what: Crash, at: "29s", for: "5s""#);
    assert_eq!(code, Some(2));
    assert!(
        text.contains(
            "faults.second.at: \"first\" does the same to the same part from 10s on, and is not over at 29s"
        ),
        "{text}"
    );
    assert_eq!(both(r#"of: "web-1", what: Crash, at: "30s", for: "5s""#).0, Some(0));
    assert_eq!(both(r#"of: "web", what: Pause, at: "15s", for: "5s""#).0, Some(0));
    assert_eq!(both(r#"of: "db", what: Crash, at: "15s", for: "5s""#).0, Some(0));
    let (code, text) = diagnostics(
        r#""a": (of: "* -> *", what: Partition, at: "10s"), "b": (of: "lb -> web", what: Partition, at: "90s")"#,
    );
    assert_eq!(code, Some(2), "{text}");
    let adds_up = r#""a": (of: "web -> db", what: Latency(add: Constant("1s")), at: "10s"), "b": (of: "web -> db", what: Latency(add: Constant("1s")), at: "10s")"#;
    assert_eq!(diagnostics(adds_up).0, Some(0));
}

#[test]
fn what_has_no_effect_is_warned_of() {
    assert_warned(r#""f": (of: "db", which: One, what: Crash, at: "1s")"#, "the fault has a single victim");
    assert_warned(
        r#""f": (of: "web", which: Each, what: Crash, at: "1s")"#,
        "the fault happens once, to all at the same time",
    );
    assert_warned(r#""f": (of: "db", what: Capacity(0.5), at: "1s")"#, "a single slot has no smaller share");
    assert_warned(
        r#""f": (of: "web -> db", what: Loss(probability: 0.0), at: "1s")"#,
        "the fault loses no message",
    );
    // A link without latency and loss has an effect if it can fail.
    let (code, text) = diagnostics(r#""f": (of: "web -> db", what: Partition, at: "1s")"#);
    assert_eq!((code, text.as_str()), (Some(0), ""));
}
