//! Autoscalers decide when and what their policies say, by what they know then.

use rushhour::engine::random::{Draw, RandomStream};
use rushhour::metrics::result::RunResult;
use rushhour::scenario::Scenario;

use crate::harness::{assert_steps_change_nothing, run_once, run_with_calls_logged, scenario};
use crate::littles_law::assert_conservation;
use crate::support::rushhour;

/// A balancer with a group of servers that boot for 5 s and serve for 50 ms, and its autoscaler. The load is 5 busy slots.
fn system(rate: &str, group: &str, autoscaler: &str) -> Scenario {
    scenario(&format!(
        r#"Scenario(name: "scaling", run_until: "120s", sources: {{"s": (arrivals: {rate}, to: "lb")}},
        nodes: {{
            "lb": LoadBalancer(policy: LeastConnections, to: "web"),
            "web": Server({group}, boot: Constant("5s"), service: Constant("50ms")),
        }},
        autoscalers: {{"a": (of: "web", {autoscaler})}})"#
    ))
}

const REGULAR: &str = r#"Constant(rate: "100/s")"#;

/// The changes of the only autoscaler: time in seconds, number of members before and after.
fn changes(result: &RunResult) -> Vec<(f64, u32, u32)> {
    let [autoscaler] = &result.autoscalers[..] else { panic!("there is one autoscaler") };
    assert_eq!(autoscaler.changes.len() as u64, autoscaler.counts.ups + autoscaler.counts.downs);
    autoscaler.changes.iter().map(|change| (change.at.as_seconds(), change.from, change.to)).collect()
}

#[test]
fn a_target_is_reached_in_proportion_and_then_kept() {
    let grows = run_once(&system(
        REGULAR,
        "count: 4, max: 20",
        r#"every: "10s", policy: Target(gauge: Load, value: 0.5)"#,
    ));
    // Four servers are always busy, and need to be eight. Those come at 15 s: until 20 s all four old ones are busy, and half
    // of the time the new ones, with the queues; from 30 s on, ten are needed.
    let grown = changes(&grows);
    assert_eq!(grown[0], (10.0, 4, 8));
    assert_eq!(grown.last().map(|change| change.2), Some(10), "{grown:?}");
    assert!(grown.iter().all(|(at, ..)| *at <= 40.0), "it comes to rest: {grown:?}");
    let shrinks = run_once(&system(
        REGULAR,
        "count: 18, max: 20",
        r#"min: 8, max: 12, every: "10s", policy: Target(gauge: Load, value: 0.9)"#,
    ));
    assert_eq!(changes(&shrinks), [(10.0, 18, 8)], "5 / 0.9 are 6, but 8 is the minimum");
    let value = shrinks.autoscalers[0].changes[0].value.expect("a value");
    assert!((value - 5.0 / 18.0).abs() < 1e-3, "{value}");
}

#[test]
fn the_value_is_as_old_as_the_delay_says() {
    // The load doubles at 30 s. The evaluation at 40 s sees it, and decides at 47 s.
    let doubled = r#"Constant(rate: Steps([(at: "0s", rate: "50/s"), (at: "30s", rate: "100/s")]))"#;
    let autoscaler = r#"every: "10s", metric_delay: "7s", policy: Target(gauge: Load, value: 0.5)"#;
    let result = run_once(&system(doubled, "count: 5, max: 20", autoscaler));
    let first = changes(&result)[0];
    assert_eq!(first, (47.0, 5, 10));
    // At 60 s nine and a half members are busy on average, as five have been there only since 52 s: that is near enough.
    assert_eq!(result.autoscalers[0].counts.decisions, 11, "the last value would be learned after the end");
}

#[test]
fn a_cool_down_follows_any_change() {
    let steps = r#"policy: Steps(gauge: Load, steps: [(from: 0.4, add: 1), (below: 0.3, add: -1)])"#;
    let cool_down = r#"cool_down: (up: "25s", down: "50s"), every: "10s""#;
    let result = run_once(&system(REGULAR, "count: 8, max: 20", &format!("{cool_down}, {steps}")));
    assert_eq!(changes(&result), [(10.0, 8, 9), (40.0, 9, 10), (70.0, 10, 11), (100.0, 11, 12)]);
    let result = run_once(&system(REGULAR, "count: 19, max: 20", &format!("{cool_down}, {steps}")));
    assert_eq!(changes(&result), [(10.0, 19, 18), (60.0, 18, 17), (110.0, 17, 16)]);
}

#[test]
fn a_schedule_is_followed_within_the_bounds() {
    let schedule = r#"min: 3, max: 8, every: "5s", policy: Schedule(counts: [(at: "12s", count: 9), (at: "30s", count: 1)], period: "60s")"#;
    let result = run_once(&system(REGULAR, "count: 5, max: 20", schedule));
    assert_eq!(changes(&result), [(15.0, 5, 8), (30.0, 8, 3), (75.0, 3, 8), (90.0, 8, 3)]);
}

#[test]
fn counts_are_rates_per_member_and_the_warm_up_does_not_disturb_a_mean() {
    for warm_up in ["0s", "13s", "20s"] {
        for gauge in ["ArrivalRate", "Load", "InFlight"] {
            let value = if gauge == "ArrivalRate" { 10.0 } else { 0.5 };
            let autoscaler = format!(r#"every: "10s", policy: Target(gauge: {gauge}, value: {value})"#);
            let mut system = system(REGULAR, "count: 10, max: 20", &autoscaler);
            system.warm_up = rushhour::engine::time::SimDuration::from_nanos(match warm_up {
                "0s" => 0,
                "13s" => 13_000_000_000,
                _ => 20_000_000_000,
            });
            let result = run_once(&system);
            assert_eq!(changes(&result), [], "{gauge} is on its target from the start, warm-up {warm_up}");
            assert_eq!(result.autoscalers[0].counts.decisions, 12);
        }
    }
}

#[test]
fn requests_are_conserved_in_random_fleets_and_steps_change_nothing() {
    let mut random = RandomStream::from_seed(15);
    for number in 0..60 {
        let pick = |random: &mut RandomStream, options: &[&'static str]| options[random.index(options.len())];
        let group = pick(
            &mut random,
            &[
                r#"count: 3, max: 9, concurrency: 2, boot: Exponential(mean: "2s"), service: Exponential(mean: "60ms")"#,
                r#"count: 2, max: 5, boot: Constant("1s"), endpoints: {"e": (steps: [Cpu(Exponential(mean: "20ms")), Io(Constant("30ms"))])}, cores: 1"#,
                r#"count: 0, max: 6, concurrency: 3, service: Exponential(mean: "80ms"), queue: Fifo(capacity: 5)"#,
            ],
        );
        let policy = pick(
            &mut random,
            &[
                "Target(gauge: Load, value: 0.6)",
                "Target(gauge: QueueDepth, value: 1.5, tolerance: 0.0)",
                "Steps(gauge: ArrivalRate, steps: [(from: 12.0, add: 2), (below: 6.0, add: -1)])",
                r#"Schedule(counts: [(at: "1s", count: 4), (at: "3s", count: 1)], period: "5s")"#,
            ],
        );
        let times = pick(
            &mut random,
            &[r#"every: "1s""#, r#"every: "700ms", metric_delay: "2s", cool_down: (up: "1s", down: "3s")"#],
        );
        let fault = pick(
            &mut random,
            &[
                "",
                r#"faults: {"f": (of: "web", which: One, what: Crash, every: Exponential(mean: "4s"), lasts: Constant("1s"))},"#,
            ],
        );
        let warm_up = pick(&mut random, &["", r#"warm_up: "4300ms","#]);
        let text = format!(
            r#"Scenario(name: "fleet", run_until: "30s", arrivals_until: "25s", seed: {number}, {warm_up}
            sources: {{"s": (arrivals: Poisson(rate: Sine(mean: "40/s", amplitude: "35/s", period: "12s")), to: "lb")}},
            nodes: {{"lb": LoadBalancer(policy: Random, to: "web"), "web": Server({group})}}, {fault}
            autoscalers: {{"a": (of: "web", {times}, policy: {policy})}})"#
        );
        let system = scenario(&text);
        let result = run_with_calls_logged(&system);
        assert_conservation(&text, &result);
        let autoscaler = &result.autoscalers[0];
        let most = system.names().range("web").expect("the group").count;
        for change in &autoscaler.changes {
            assert!((1..=most).contains(&change.to) && change.from != change.to, "{change:?} in {text}");
        }
        assert!(autoscaler.counts.decisions > 10, "{text}");
        assert_steps_change_nothing(&system, &result, &mut random);
    }
}

/// The diagnostics of `rushhour check` for these autoscalers.
fn diagnostics(autoscalers: &str) -> (Option<i32>, String) {
    let text = format!(
        r#"Scenario(
    name: "test", run_until: "100s",
    sources: {{"users": (arrivals: Poisson(rate: "8/s"), to: "lb")}},
    nodes: {{
        "lb": LoadBalancer(policy: Random, to: ["web", "fixed"]),
        "web": Server(count: 3, max: 10, service: Exponential(mean: "10ms")),
        "fixed": Server(count: 3, service: Exponential(mean: "10ms")),
    }},
    autoscalers: {{{autoscalers}}},
)"#
    );
    let answer = rushhour(&["check", "test.ron"]).file("test.ron", text).run();
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
    (answer.code, answer.stderr)
}

#[test]
fn bad_autoscalers_are_refused_with_a_remedy() {
    let target = "policy: Target(gauge: Load, value: 0.5)";
    for (autoscaler, parts) in [
        (format!(r#"of: "wep", every: "1s", {target}"#), ["no node or group", "web"]),
        (format!(r#"of: "fixed", every: "1s", {target}"#), ["\"fixed\" cannot grow", "`max`"]),
        (format!(r#"of: "lb", every: "1s", {target}"#), ["\"lb\" cannot grow", "`max`"]),
        (format!(r#"of: "web-1", every: "1s", {target}"#), ["a member of \"web\"", "name \"web\""]),
        (format!(r#"of: "web", every: "0s", {target}"#), ["0 s", "make it longer"]),
        (format!(r#"of: "web", every: "1us", {target}"#), ["times, more than", "make the time longer"]),
        (format!(r#"of: "web", min: 0, every: "1s", {target}"#), ["at least one", "1 or more"]),
        (format!(r#"of: "web", min: 5, max: 4, every: "1s", {target}"#), ["5 is above the maximum of 4", "make it lower"]),
        (format!(r#"of: "web", max: 11, every: "1s", {target}"#), ["11 members", "may have: 10"]),
        (r#"of: "web", every: "1s", policy: Target(gauge: Load, value: 0.0)"#.into(), ["a target of 0", "0.7 of `Load`"]),
        (r#"of: "web", every: "1s", policy: Target(gauge: Load, value: 0.5, tolerance: 1.0)"#.into(), ["1 is not a share", "0.1"]),
        (r#"of: "web", every: "1s", policy: Target(gauge: Tokens, value: 0.5)"#.into(), ["has no gauge Tokens", "QueueDepth"]),
        (r#"of: "web", every: "1s", policy: Target(gauge: PerceivedLoad("web"), value: 0.5)"#.into(), ["single servers", "Load"]),
        (r#"of: "web", every: "1s", policy: Steps(gauge: Load, steps: [])"#.into(), ["never changes", "add a step"]),
        (r#"of: "web", every: "1s", policy: Steps(gauge: Load, steps: [(add: 1)])"#.into(), ["not known when", "`from` or `below`"]),
        (r#"of: "web", every: "1s", policy: Steps(gauge: Load, steps: [(from: 0.5, below: 0.7, add: 1)])"#.into(), ["either", "two steps"]),
        (r#"of: "web", every: "1s", policy: Steps(gauge: Load, steps: [(from: 0.5, add: 0)])"#.into(), ["changes nothing", "how many"]),
        (r#"of: "web", every: "1s", policy: Schedule(counts: [])"#.into(), ["is empty", "add a time"]),
        (r#"of: "web", every: "1s", policy: Schedule(counts: [(at: "2s", count: 1), (at: "2s", count: 2)])"#.into(), ["ascend", "sort them"]),
        (r#"of: "web", every: "1s", policy: Schedule(counts: [(at: "2s", count: 1)], period: "2s")"#.into(), ["not within", "longer"]),
        (r#"of: "web", every: "1s", policy: Schedule(counts: [(at: "2s", count: 1)], period: "0s")"#.into(), ["never passes", "longer"]),
    ] {
        let (code, diagnostics) = diagnostics(&format!("\"a\": ({autoscaler})"));
        assert_eq!(code, Some(2), "{autoscaler}: {diagnostics}");
        assert_eq!(diagnostics.matches("test.ron:").count(), 1, "one error, one diagnostic:\n{diagnostics}");
        for part in parts {
            assert!(diagnostics.contains(part), "{part} is missing:\n{diagnostics}");
        }
    }
    let two = format!(r#""a": (of: "web", every: "1s", {target}), "b": (of: "web", every: "2s", {target})"#);
    let (code, diagnostics) = diagnostics(&two);
    assert_eq!(code, Some(2), "{diagnostics}");
    assert!(diagnostics.contains("\"a\" scales \"web\" as well"), "{diagnostics}");
}

#[test]
fn autoscalers_without_an_effect_are_warned_about() {
    let target = "policy: Target(gauge: Load, value: 0.5)";
    for (autoscaler, part) in [
        (format!(r#"of: "web", min: 10, every: "1s", {target}"#), "never changes"),
        (format!(r#"of: "web", min: 4, every: "1s", {target}"#), "begins with 3 members"),
        (format!(r#"of: "web", every: "200s", {target}"#), "before the first decision"),
        (format!(r#"of: "web", every: "1s", cool_down: (down: "100s"), {target}"#), "after any change"),
        (r#"of: "web", every: "1s", metric_delay: "1s", policy: Schedule(counts: [(at: "2s", count: 1)])"#.into(), "reads no gauge"),
        (r#"of: "web", every: "1s", policy: Steps(gauge: Load, steps: [(from: 0.5, add: 1), (below: 0.6, add: -1)])"#.into(), "overlap"),
    ] {
        let (code, diagnostics) = diagnostics(&format!("\"a\": ({autoscaler})"));
        assert_eq!(code, Some(0), "{autoscaler}: {diagnostics}");
        assert!(diagnostics.contains("warning") && diagnostics.contains(part), "{part}:\n{diagnostics}");
    }
}
