//! The rate limiter sheds the requests above its limit, and no others.
//!
//! With Poisson arrivals a token bucket is equivalent to a queue: each missing token is a customer of a server with
//! constant service time 1/rate, and a request passes if fewer than `burst` tokens are missing. So the share of shed
//! requests is the blocking probability of M/D/1/K with K = burst, computed here from its embedded Markov chain
//! (Kleinrock, "Queueing systems" I, 1975, chapter 5; Cohen, "The single server queue", 1982, III.6).

use rushhour::analysis::{Evidence, Severity, findings};
use rushhour::metrics::result::RunResult;
use rushhour::metrics::summary::Summary;
use rushhour::request::Outcome;

use crate::harness::{assert_columns, replicate, run_logged, run_once, scenario, scenario_with};

/// A source with Poisson arrivals at `rate` requests per second, and a rate limiter of 100/s with bursts of `burst`.
fn limited(rate: f64, burst: u32, per: &str, key: &str) -> String {
    format!(
        "(name: \"limit\", run_until: \"200s\", sources: {{\"s\": (arrivals: Poisson(rate: \"{rate}/s\"), key: {key}, to: \"l\")}},
          nodes: {{\"l\": RateLimiter(rate: \"100/s\", burst: {burst}, per: {per}, to: \"a\"),
                  \"a\": Server(concurrency: 1000, service: Constant(\"1ms\"))}})"
    )
}

fn shed_share(result: &RunResult) -> f64 {
    let outcomes = result.sources[0].outcomes;
    outcomes.of(Outcome::Shed) as f64 / outcomes.offered as f64
}

/// The blocking probability of M/D/1/K at an offered load, where `capacity` is K.
fn blocking(load: f64, capacity: usize) -> f64 {
    // Probability of k arrivals during a service.
    let mut arrivals = vec![libm::exp(-load)];
    for k in 1..=capacity {
        arrivals.push(arrivals[k - 1] * load / k as f64);
    }
    // Unnormalized probabilities of the chain of customers left behind by a departure, 0 to capacity - 1. State i is
    // reached from the states 0 to i + 1.
    let mut states = vec![1.0];
    for i in 0..capacity - 1 {
        let from_others: f64 = (1..=i).map(|j| states[j] * arrivals[i + 1 - j]).sum();
        states.push((states[i] - states[0] * arrivals[i] - from_others) / arrivals[0]);
    }
    let idle = states[0] / states.iter().sum::<f64>();
    1.0 - 1.0 / (idle + load)
}

#[test]
fn the_blocking_formula_matches_known_results() {
    // With a capacity of 1, it is a counter with dead time.
    assert!((blocking(0.7, 1) - 0.7 / 1.7).abs() < 1e-12);
    // With a large capacity, almost no request is blocked below the limit, and exactly the excess above it.
    assert!(blocking(0.5, 40) < 1e-12 && (blocking(2.0, 40) - 0.5).abs() < 1e-9);
}

#[test]
fn the_shed_share_is_the_blocking_probability_of_m_d_1_k() {
    for (load, burst) in [(0.5, 1), (0.9, 5), (1.0, 10), (1.5, 3)] {
        let scenario = scenario(&limited(100.0 * load, burst, "All", "Fixed(0)"));
        let rows = replicate(&scenario, 20, |result| [shed_share(&result)]);
        let name = format!("load {load}, burst {burst}");
        assert_columns(&rows, &name, [("shed", blocking(load, burst as usize))]);
    }
}

#[test]
fn each_key_has_its_own_limit() {
    // Four keys share the arrivals: each key has the load of a limit in the test above.
    let scenario = scenario(&limited(4.0 * 90.0, 5, "Key", "Uniform(0, 3)"));
    let rows = replicate(&scenario, 20, |result| [shed_share(&result)]);
    assert_columns(&rows, "four keys at load 0.9", [("shed", blocking(0.9, 5))]);
    // Keys that rarely repeat do not reach their limit, also when full buckets are removed to bound memory.
    let many = scenario_with(&limited(5000.0, 1, "Key", "Uniform(0, 4000000000)"), &["run_until=20s"]);
    assert!(run_once(&many).sources[0].outcomes.of(Outcome::Shed) < 5);
}

#[test]
fn constant_arrivals_at_the_limit_always_pass() {
    let steady = limited(100.0, 1, "All", "Fixed(0)").replace("Poisson", "Constant");
    let result = run_once(&scenario(&steady));
    assert_eq!((result.sources[0].outcomes.offered, shed_share(&result)), (20_000, 0.0));
}

#[test]
fn records_summary_probes_and_findings_agree_on_shed_requests() {
    let text = limited(300.0, 10, "Key", "Weighted([(1, 1.0), (2, 9.0)])");
    let probes = "probes: [(of: \"l\", gauges: [ArrivalRate, ShedRate, Tokens], every: \"1s\")], nodes:";
    let text = text.replace("nodes:", probes);
    let scenario = scenario(&text);
    let result = run_logged(&scenario);
    let shed = result.sources[0].outcomes.of(Outcome::Shed);
    assert!(shed > 10_000, "{shed}");
    // Records: shed at creation, by the limiter.
    let shed_records = result.requests.iter().filter(|record| {
        record.finished == Some((record.created, Outcome::Shed))
            && record.server.is_some_and(|node| result.names().name_of(node) == "l")
    });
    assert_eq!(shed_records.count() as u64, shed);
    // Summary.
    let summary = serde_json::to_value(Summary::of(&result)).expect("a summary is JSON");
    let limiter = &summary["nodes"]["l"];
    assert_eq!(limiter["kind"], "rate_limiter");
    assert_eq!((limiter["shed"].as_u64(), summary["requests"]["shed"].as_u64()), (Some(shed), Some(shed)));
    let count = |name: &str| limiter[name].as_u64().expect("a count");
    assert_eq!(count("arrived"), count("passed") + shed);
    // Probes: rates add up to counts, and no bucket holds more tokens than its burst.
    let series = |name: &str| result.series.iter().find(|series| series.name() == name).expect("a series");
    let sum: f64 = series("shed_rate").samples.values().sum();
    assert!((sum - shed as f64).abs() < 1e-6 * sum, "{sum}");
    assert!(series("tokens").samples.values().all(|tokens| (0.0..=10.0).contains(&tokens)));
    // Findings: only one of trouble, about the limiter, with the key above its limit.
    let mut findings = findings(&scenario, &result);
    findings.retain(|finding| finding.severity() == Severity::Trouble);
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    let Evidence::Rejection(evidence) = &finding.evidence else { panic!("{finding:?}") };
    assert_eq!((finding.subject.as_str(), evidence.outcome, evidence.rejected), ("l", "shed", shed));
    let key = evidence.most_rejected_key.expect("keys differ");
    assert!(key.key == 2 && key.share > 0.99, "{key:?}");
}

#[test]
fn the_limit_can_be_changed_during_a_run() {
    let change = "changes: [(at: \"100s\", of: \"l\", set: Rate(\"1000/s\"))], nodes:";
    let changed = limited(200.0, 10, "All", "Fixed(0)").replace("nodes:", change);
    let result = run_logged(&scenario(&changed));
    let shed_at = |record: &&rushhour::request::RequestRecord| {
        record.finished.filter(|(_, outcome)| *outcome == Outcome::Shed).map(|(at, _)| at.as_seconds())
    };
    let times: Vec<f64> = result.requests.iter().filter_map(|record| shed_at(&record)).collect();
    // Half of 20,000 before the change, none afterwards: at a fifth of the limit, a burst above ten does not occur.
    assert!((9_000..11_000).contains(&times.len()), "{}", times.len());
    assert!(times.iter().all(|at| *at < 100.0));
}

#[test]
fn a_limiter_that_passes_no_requests_is_an_error_with_a_hint() {
    let diagnostics = |replace: &str, with: &str| {
        let text = limited(1.0, 1, "All", "Fixed(0)").replace(replace, with);
        rushhour::scenario::load("l.ron", text.as_bytes(), &[])
            .expect_err("the scenario is invalid")
            .to_string()
    };
    let zero = diagnostics("rate: \"100/s\"", "rate: \"0/s\"");
    assert!(zero.contains("nodes.l.rate: with a limit of 0") && zero.contains("above \"0/s\""), "{zero}");
    let burst = diagnostics("burst: 1", "burst: 0");
    assert!(burst.contains("nodes.l.burst") && burst.contains("1 or more"), "{burst}");
    let per = diagnostics("per: All", "per: Client");
    assert!(per.contains("Client") && per.contains("Key"), "{per}");
    let group = diagnostics("\"a\": Server(", "\"a\": Server(count: 2, ");
    assert!(group.contains("nodes.l.to: \"a\" is a group"), "{group}");
    let change = diagnostics("nodes:", "changes: [(at: \"1s\", of: \"a\", set: Rate(\"1/s\"))], nodes:");
    assert!(change.contains("Rate cannot be set for \"a\", which is a server"), "{change}");
}
