//! Findings are correct: each kind appears in runs with its cause, with the right evidence, and seldom in runs without
//! it.
//!
//! A rate may exceed its limit by four standard deviations of a binomial count plus one run. More seeds (`SEEDS=200`)
//! make that stricter, and [`findings_rates`](super::findings_rates) prints the rates of each system.

use rushhour::analysis::{Driver, Evidence, Finding, FindingKind, OscillationEvidence, findings};
use rushhour::scenario::Scenario;
use rushhour::simulation::{RunOptions, run};

use crate::findings_rates::{found, in_trouble, seeds, stationary, system};
use crate::harness::{number_of, run_once, scenario, scenario_with, server, shipped, source};

/// The kinds of findings, each once, in order.
fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
    let mut kinds = Vec::new();
    for finding in findings {
        if !kinds.contains(&finding.kind()) {
            kinds.push(finding.kind());
        }
    }
    kinds
}

/// The scenario of one of the systems in trouble.
fn troubled(name: &str) -> Scenario {
    let text = in_trouble().into_iter().find(|(known, _)| known == name).expect("a system of this name").1;
    scenario(&text)
}

/// A shipped scenario with overrides.
fn shipped_with(name: &str, overrides: &[&str]) -> Scenario {
    let text = shipped().into_iter().find(|(file, _)| file == name).expect("a shipped scenario").1;
    scenario_with(&text, overrides)
}

/// The most important finding of a kind.
fn first_of_kind(kind: FindingKind, findings: &[Finding]) -> &Finding {
    let first = findings.iter().find(|finding| finding.kind() == kind);
    first.unwrap_or_else(|| panic!("no {} among {:?}", kind.name(), kinds(findings)))
}

#[track_caller]
fn assert_about(name: &str, value: f64, expected: f64, tolerance: f64) {
    assert!((value - expected).abs() <= tolerance, "{name}: {value}, expected {expected} +- {tolerance}");
}

/// Asserts that an event happened in at most this share of runs, up to random variation.
#[track_caller]
#[expect(clippy::print_stdout, reason = "the rates, shown with --nocapture")]
fn assert_seldom(event: &str, count: u64, runs: u64, share: f64) {
    println!("{event}: {count} of {runs} runs");
    let expected = share * runs as f64;
    assert!((count as f64) <= expected + 4.0 * expected.sqrt() + 1.0, "{event}: {count} of {runs} runs");
}

fn oscillation<'a>(findings: &'a [Finding], subject: &str) -> Option<&'a OscillationEvidence> {
    findings.iter().filter(|finding| finding.subject == subject).find_map(|finding| {
        let Evidence::Oscillation(evidence) = &finding.evidence else { return None };
        Some(&**evidence)
    })
}

#[test]
fn the_comment_of_every_shipped_scenario_lists_its_findings() {
    let mut differences = String::new();
    for (name, text) in shipped() {
        let comment = text.lines().take_while(|line| line.starts_with("//"));
        let line = comment.filter(|line| line.starts_with("// Findings: ")).last().unwrap_or_default();
        let scenario = scenario(&text);
        let names: Vec<&str> =
            kinds(&findings(&scenario, &run_once(&scenario))).into_iter().map(FindingKind::name).collect();
        let expected = format!("// Findings: {}.", names.join(", "));
        if line != expected {
            differences += &format!("\n{name}: {expected}");
        }
    }
    assert!(differences.is_empty(), "the comments have to end with:{differences}");
}

#[test]
fn load_aware_routing_oscillates_with_the_delays_of_its_feedback_loop() {
    let long = ["sources.customer-1001.arrivals.rate.to=130s", "arrivals_until=160s", "run_until=165s"];
    for overrides in [&long[..0], &long] {
        let scenario = shipped_with("load_aware_routing.ron", overrides);
        let runs = seeds(20);
        let (mut missed, mut wrong, mut wrong_sums) = (0, 0, 0);
        for seed in 0..runs {
            let found = found(&scenario, seed);
            let Some(evidence) = oscillation(&found, "server-2") else {
                missed += 1;
                continue;
            };
            let sum = evidence.feedback.as_ref().map(|feedback| feedback.sum_by_period);
            let right = (4.5..8.0).contains(&evidence.period_seconds)
                && evidence.driver == Driver::System
                && sum.is_some();
            wrong += u64::from(!right);
            wrong_sums += u64::from(sum.is_none_or(|sum| !(0.6..1.6).contains(&sum)));
        }
        assert_seldom(&format!("{overrides:?} missed"), missed, runs, 0.05);
        assert_seldom(&format!("{overrides:?} wrong"), wrong, runs, 0.01);
        assert_seldom(&format!("{overrides:?} delays"), wrong_sums, runs, 0.02);
    }
}

/// The finding `unused` reports that half of a capacity is enough. It is false if a run of ten times as many requests, with other
/// random numbers, uses more than half of it at some time; and it is missed if it does not appear where 6 % are in use on average.
#[test]
fn what_is_reported_as_unused_is_not_used_in_longer_runs_either() {
    let server = |slots: u32, load: f64, requests: f64, service: &str| {
        let rate = load * f64::from(slots) * 10.0;
        let nodes = format!("\"n\": Server(concurrency: {slots}, service: {service})");
        let arrivals = format!("Poisson(rate: \"{rate}/s\")");
        scenario(&system(&arrivals, &nodes, requests / rate))
    };
    let is_unused = |scenario: &Scenario, seed| kinds(&found(scenario, seed)).contains(&FindingKind::Unused);
    let (mut claims, mut wrong, mut missed, mut large) = (0, 0, 0, 0);
    for service in ["Exponential(mean: \"100ms\")", "LogNormal(mean: \"100ms\", sd: \"300ms\")"] {
        for slots in [4, 10, 30, 100] {
            for load in [0.01, 0.03, 0.06, 0.1, 0.15, 0.25] {
                for requests in [250.0, 2000.0] {
                    let short = server(slots, load, requests, service);
                    let long = server(slots, load, 10.0 * requests, service);
                    for seed in 0..seeds(6) {
                        let is_claimed = is_unused(&short, seed);
                        if load <= 0.06 && slots == 100 && requests > 1e3 {
                            large += 1;
                            missed += u64::from(!is_claimed);
                        }
                        if !is_claimed {
                            continue;
                        }
                        claims += 1;
                        let options = RunOptions { seed: Some(seed + 1000), ..RunOptions::default() };
                        let result = run(&long, options).expect("a scenario");
                        let most = number_of(&result, "n", "in_service_max");
                        wrong += u64::from(2 * most > u64::from(slots));
                    }
                }
            }
        }
    }
    assert!(claims > 80, "{claims}");
    assert_seldom("unused, but used later", wrong, claims, 1e-3);
    assert_seldom("unused, but not found", missed, large, 0.02);
}

#[test]
fn without_load_aware_routing_there_is_overload_and_no_oscillation() {
    let scenario = shipped_with("load_aware_routing_off.ron", &[]);
    let runs = seeds(20);
    let (mut oscillating, mut missed, mut lags) = (0, 0, Vec::new());
    for seed in 0..runs {
        let found = found(&scenario, seed);
        oscillating += u64::from(kinds(&found).contains(&FindingKind::Oscillation));
        let has = |kind| found.iter().any(|one| one.kind() == kind && one.subject == "server-2");
        missed += u64::from(
            ![FindingKind::Saturation, FindingKind::HotKey, FindingKind::Overload].into_iter().all(has),
        );
        if let Evidence::KnowledgeLag(lag) = &first_of_kind(FindingKind::KnowledgeLag, &found).evidence {
            lags.push(lag.lag_seconds);
        }
    }
    assert_seldom("oscillating", oscillating, runs, 0.01);
    assert_seldom("missed", missed, runs, 0.01);
    // A mean over the last four seconds lags by two seconds.
    assert_about("mean lag", lags.iter().sum::<f64>() / lags.len() as f64, 2.0, 0.5);
}

#[test]
fn a_system_without_trouble_has_no_findings_of_trouble() {
    let unexpected = [
        FindingKind::Oscillation,
        FindingKind::Overload,
        FindingKind::HotKey,
        FindingKind::Saturation,
        FindingKind::NearCapacity,
        FindingKind::LoadImbalance,
        FindingKind::KnowledgeLag,
        FindingKind::Convergence,
    ];
    let (mut runs, mut false_alarms, mut report) = (0, 0, String::new());
    let calm =
        stationary().into_iter().filter(|(name, _)| !name.contains("0.95") && !name.ends_with("00000"));
    for (name, text) in calm {
        let scenario = scenario(&text);
        for seed in 0..seeds(2) {
            let found = kinds(&found(&scenario, seed));
            runs += 1;
            // At a load of 0.9, waits are long where one slot serves random arrivals.
            let is_unexpected = |kind: &FindingKind| {
                unexpected.contains(kind) || (*kind == FindingKind::LongWaits && !name.contains("0.9"))
            };
            if found.iter().any(is_unexpected) {
                false_alarms += 1;
                report += &format!("{name}: {found:?}; ");
            }
        }
    }
    assert_seldom(&report, false_alarms, runs, 0.01);
}

#[test]
fn real_trouble_is_found() {
    let overload: &[FindingKind] = &[FindingKind::Overload, FindingKind::Saturation];
    let expected: [(&str, &[FindingKind]); 22] = [
        ("sine .3-.9 one", &[FindingKind::Oscillation]),
        ("sine .3-.9 ten", &[FindingKind::Oscillation]),
        ("sine .3-.9 group", &[FindingKind::Oscillation]),
        ("sine .3-.9 4 cycles", &[FindingKind::Oscillation]),
        ("overload 1.2", overload),
        ("overload 1.2 of ten", overload),
        ("overload 1.2 of group", overload),
        ("overload 1.2 tenth", overload),
        ("overload 1.2 tenth unannounced", overload),
        ("overload 1.2 of group tenth", overload),
        (
            "overload of one of three",
            &[FindingKind::Overload, FindingKind::Saturation, FindingKind::LoadImbalance],
        ),
        ("overload rejecting", &[FindingKind::Overload, FindingKind::Saturation, FindingKind::Rejection]),
        ("hot key", &[FindingKind::HotKey]),
        ("lossy", &[FindingKind::Loss]),
        ("D/D/1 at 1.2", overload),
        ("overload of cores", overload),
        ("overload of shared cores", overload),
        ("overload of a pool", overload),
        ("overload of memory", overload),
        ("overload of a callee", overload),
        ("overload of a caller", overload),
        ("overload of a fan-out", overload),
    ];
    let (mut runs, mut missed, mut report) = (0, 0, String::new());
    for (name, kinds_expected) in expected {
        let scenario = troubled(name);
        for seed in 0..seeds(3) {
            let found = kinds(&found(&scenario, seed));
            runs += 1;
            if kinds_expected.iter().any(|kind| !found.contains(kind))
                || found.contains(&FindingKind::Healthy)
            {
                missed += 1;
                report += &format!("{name}: {found:?}; ");
            }
        }
    }
    assert_seldom(&report, missed, runs, 0.01);
}

#[test]
fn an_overload_has_its_rates_and_its_time() {
    // With 12,000 requests the rate is known within about 1 %.
    for (name, from, to, servers, rate) in [
        ("overload 1.2", 0.0, 100.0, 1, 120.0),
        ("overload 1.2 of group", 0.0, 100.0, 5, 600.0),
        ("overload 1.2 tenth", 200.0, 240.0, 1, 120.0),
        ("overload 1.2 of group tenth", 100.0, 120.0, 5, 600.0),
    ] {
        let scenario = troubled(name);
        let found = findings(&scenario, &run_once(&scenario));
        let finding = first_of_kind(FindingKind::Overload, &found);
        let Evidence::Overload(evidence) = &finding.evidence else { panic!("{finding:?}") };
        assert_about(name, evidence.ratio, 1.2, 0.06);
        assert_about(name, evidence.offered_per_second, rate, 0.05 * rate);
        assert_eq!((evidence.servers, evidence.spells), (servers, 1), "{name}");
        // Random variation shifts the ends by up to about (1 / 0.2)^2 services of variance 2.
        assert_about(name, finding.from.expect("the overload begins"), from, 3.0);
        assert_about(name, finding.to.expect("the overload ends"), to, 3.0);
    }
}

#[test]
fn counts_in_evidence_equal_those_of_the_run() {
    let scenario = troubled("overload rejecting");
    let result = run_once(&scenario);
    let found = findings(&scenario, &result);
    let counted = server(&result, "n");
    let Evidence::Rejection(rejection) = &first_of_kind(FindingKind::Rejection, &found).evidence else {
        panic!("{found:?}")
    };
    assert_eq!(rejection.rejected, counted.rejected);
    assert_about(
        "share",
        rejection.share_of_arrivals,
        counted.rejected as f64 / counted.arrived as f64,
        1e-12,
    );
    let Evidence::Saturation(full) = &first_of_kind(FindingKind::Saturation, &found).evidence else {
        panic!("{found:?}")
    };
    assert_eq!((full.utilization, full.queue_depth_max), (counted.utilization, counted.queue_depth_max));
    // In M/M/1/21 at load 1.2, 15 requests wait on average.
    assert_about("queue", full.queue_depth_mean, 15.0, 2.0);
    assert_about("wait", full.wait_seconds, 0.15, 0.02);

    let scenario = troubled("lossy");
    let result = run_once(&scenario);
    let found = findings(&scenario, &result);
    let Evidence::Loss(loss) = &first_of_kind(FindingKind::Loss, &found).evidence else {
        panic!("{found:?}")
    };
    assert_eq!((loss.lost, loss.sent), (result.links[0].lost, result.links[0].sent));
    assert_about("share", loss.share_of_messages, 0.01, 4.0 * (0.01 / loss.sent as f64).sqrt());
}

#[test]
fn a_hot_key_has_its_shares() {
    let scenario = troubled("hot key");
    let result = run_once(&scenario);
    let found = findings(&scenario, &result);
    let Evidence::HotKey(hot) = &first_of_kind(FindingKind::HotKey, &found).evidence else {
        panic!("{found:?}")
    };
    // Twelve of 22 requests, at 150/s in total; all go to one server with a capacity of 100/s.
    let error = 4.0 / (source(&result, "s").outcomes.offered as f64).sqrt();
    assert_eq!((hot.key, hot.keys_seen), (1001, 11));
    assert_about("share", hot.share_of_requests, 12.0 / 22.0, error);
    assert_about("rate", hot.requests_per_second, 150.0 * 12.0 / 22.0, 150.0 * error);
    assert_about("demand", hot.demand, 1.5 * 12.0 / 22.0, 0.05);
    assert_about("there", hot.share_to_server, 1.0, 1e-9);
}

#[test]
fn an_imbalance_is_measured_by_the_fair_share() {
    let scenario = troubled("overload of one of three");
    let found = findings(&scenario, &run_once(&scenario));
    let finding = first_of_kind(FindingKind::LoadImbalance, &found);
    let Evidence::LoadImbalance(uneven) = &finding.evidence else { panic!("{finding:?}") };
    assert_eq!((finding.subject.as_str(), uneven.group.as_str(), uneven.members), ("m-0", "m", 3));
    assert_about("times", uneven.times_fair_share, 120.0 / (220.0 / 3.0), 0.06);
    assert_about("load", uneven.load, 1.0, 0.01);
    assert_about("mean load", uneven.mean_load, 2.0 / 3.0, 0.04);
}

#[test]
fn an_oscillating_source_is_named_as_the_driver() {
    for (name, subject) in [("sine .3-.9 one", "n"), ("sine .3-.9 ten", "n"), ("sine .3-.9 4 cycles", "n")] {
        let found = found(&troubled(name), 1);
        let evidence = oscillation(&found, subject).unwrap_or_else(|| panic!("{name}: {found:?}"));
        assert_eq!(evidence.driver, Driver::Source("s".to_owned()), "{name}");
        assert_about(name, evidence.period_seconds, 10.0, 0.5);
    }
}

#[test]
fn a_queue_settles_when_theory_says() {
    // A fluid model: a queue of 200 places grows by 50/s above capacity and shrinks by 50/s below it. It settles within
    // a twentieth of the step after 3.8 s both times.
    let rate = "Constant(rate: Spike(base: \"50/s\", peak: \"150/s\", from: \"20s\", to: \"40s\"))";
    let server = "\"n\": Server(service: Constant(\"10ms\"), queue: Fifo(capacity: 200))";
    let scenario = scenario(&system(rate, server, 80.0));
    let mut found = findings(&scenario, &run_once(&scenario));
    found.retain(|finding| finding.kind() == FindingKind::Convergence);
    found.sort_by(|a, b| a.from.partial_cmp(&b.from).expect("each convergence has a beginning"));
    let expected = [(20.0, 0.0, 200.0, "s: 150/s"), (40.0, 200.0, 0.0, "s: no longer 150/s")];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (finding, (at, before, after, change)) in found.iter().zip(expected) {
        let Evidence::Convergence(rest) = &finding.evidence else { panic!("{finding:?}") };
        assert_eq!((rest.gauge, rest.change.as_str()), ("queue_depth", change));
        assert_about("change", rest.changed_at_seconds, at, 1e-9);
        assert_about("before", rest.before, before, 1.0);
        assert_about("after", rest.after, after, 1.0);
        // An interval is 0.07 s long.
        assert_about("settled", rest.settled_after_seconds, 3.8, 0.2);
        assert_about("overshoot", rest.overshoot, 0.0, 1e-9);
    }
}

#[test]
fn a_step_of_the_load_is_a_convergence() {
    let found = found(&troubled("steps .3/.8"), 1);
    let Evidence::Convergence(rest) = &first_of_kind(FindingKind::Convergence, &found).evidence else {
        panic!("{found:?}")
    };
    assert_about("before", rest.before, 0.3, 0.05);
    assert_about("after", rest.after, 0.8, 0.05);
    assert!(rest.settled_after_seconds < 2.0, "ten slots follow immediately: {rest:?}");
}

#[test]
fn health_has_the_headroom_of_the_busiest_server() {
    let scenario = shipped_with("mmc.ron", &[]);
    let result = run_once(&scenario);
    let found = findings(&scenario, &result);
    let Evidence::Healthy(health) = &first_of_kind(FindingKind::Healthy, &found).evidence else {
        panic!("{found:?}")
    };
    let utilization = server(&result, "clerks").utilization.expect("the server was used");
    assert_about("utilization", health.utilization, utilization, 1e-12);
    assert_about("headroom", health.headroom.unwrap_or(f64::NAN), 1.0 / utilization - 1.0, 1e-12);
    // Erlang C: a mean wait of 2.05 ms for a mean service time of 10 ms.
    assert_about("wait by service", health.wait_by_service, 0.205, 0.03);
}

#[test]
fn runs_with_few_or_no_requests_have_no_trouble() {
    let none = findings(&troubled("no requests"), &run_once(&troubled("no requests")));
    assert_eq!(kinds(&none), [FindingKind::TooShort]);
    for name in ["one request", "zero service", "unreached", "1 ms", "1 year short", "warm up", "stops"] {
        let found = found(&troubled(name), 1);
        let unexpected: Vec<FindingKind> = kinds(&found)
            .into_iter()
            .filter(|kind| {
                !matches!(kind, FindingKind::Healthy | FindingKind::TooShort | FindingKind::Convergence)
            })
            .collect();
        assert_eq!(unexpected, [], "{name}");
    }
}

#[test]
fn evidence_contains_only_finite_numbers() {
    // A number that is not finite would be serialized as null.
    let may_be_missing = [
        "most_rejected_key",
        "utilization",
        "autocorrelation",
        "spectral_ratio",
        "feedback",
        "noticed_after_seconds",
        "avoided_seconds",
        "returned_seconds",
        "peak_load",
        "peak_seconds",
        "headroom",
        "group",
        "needed_seconds",
        "share_of_busy_slots",
    ];
    for (name, text) in in_trouble().into_iter().filter(|(name, _)| !name.starts_with("2000")) {
        for finding in found(&scenario(&text), 1) {
            assert!(finding.cost.is_finite() && finding.cost >= 0.0, "{name}: {finding:?}");
            let evidence = serde_json::to_value(&finding.evidence).expect("evidence can be serialized");
            let missing: Vec<&String> = evidence
                .as_object()
                .expect("evidence is a JSON object")
                .iter()
                .filter(|(key, value)| value.is_null() && !may_be_missing.contains(&key.as_str()))
                .map(|(key, _)| key)
                .collect();
            assert!(missing.is_empty(), "{name}: {missing:?} of {finding:?}");
        }
    }
}
