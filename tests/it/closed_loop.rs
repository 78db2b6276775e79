//! Closed loops of users: exact mean value analysis, stages, changes, and what is refused.
//!
//! Mean value analysis is that of Reiser, Lavenberg: "Mean-value analysis of closed multichain queuing networks", 1980. The
//! think time is a station without a queue, whose distribution does not matter beyond its mean.

use rushhour::analysis::{Finding, FindingKind, Verdict};
use rushhour::metrics::result::RunResult;
use rushhour::request::Outcome;

use crate::findings_rates::{found, system};
use crate::harness::{
    assert_columns, replicate, run_logged, run_once, scenario, server, source, statistical,
};

/// Seconds per nanosecond.
const NANO: f64 = 1e-9;

/// The throughput per second and the mean response time in seconds of a number of users who think for `think` seconds on
/// average and pass stations with these mean service times, one after the other.
pub(crate) fn mean_value_analysis(users: u32, think: f64, stations: &[f64]) -> (f64, f64) {
    let mut queues = vec![0.0; stations.len()];
    let mut figures = (0.0, 0.0);
    for users in 1..=users {
        let times: Vec<f64> =
            stations.iter().zip(&queues).map(|(service, queue)| service * (1.0 + queue)).collect();
        let response: f64 = times.iter().sum();
        let throughput = f64::from(users) / (think + response);
        queues = times.iter().map(|time| throughput * time).collect();
        figures = (throughput, response);
    }
    figures
}

fn closed(users: u32, think: &str, nodes: &str, run: u32) -> String {
    format!(
        r#"Scenario(
            name: "closed", run_until: "{run}s", warm_up: "{}s",
            sources: {{ "users": (arrivals: ClosedLoop(users: {users}, think: {think}), to: "n") }},
            nodes: {{ {nodes} }},
        )"#,
        run / 10
    )
}

statistical!(a_closed_network_matches_mean_value_analysis, 6, 20);

fn a_closed_network_matches_mean_value_analysis(replications: u64) {
    let one = r#""n": Server(service: Exponential(mean: "20ms"))"#;
    let two = r#""n": Server(service: Exponential(mean: "20ms"), then: "m"), "m": Server(service: Exponential(mean: "15ms"))"#;
    let exponential = r#"Exponential(mean: "500ms")"#;
    let fixed = r#"Constant("500ms")"#;
    for users in [1, 2, 5, 20, 30, 60] {
        for (nodes, stations, think) in [
            (one, &[0.02][..], exponential),
            (two, &[0.02, 0.015][..], exponential),
            (one, &[0.02][..], fixed),
        ] {
            let run = 20_000 / users.min(25) + 200;
            let rows = replicate(&scenario(&closed(users, think, nodes, run)), replications, |result| {
                let of_source = source(&result, "users");
                let seconds = f64::from(run - run / 10);
                let completed = of_source.latency.summarize();
                [completed.count() as f64 / seconds, completed.mean().expect("requests were served") * NANO]
            });
            let (throughput, response) = mean_value_analysis(users, 0.5, stations);
            assert_columns(
                &rows,
                &format!("{users} users, {} stations, {think}", stations.len()),
                [("throughput", throughput), ("response time", response)],
            );
        }
    }
}

statistical!(machines_wait_for_repairs_as_in_theory, 8, 30);

/// The machine repair model: machines that run for a mean time until they fail, and some repairers, with the probabilities of
/// a birth-death chain.
fn machines_wait_for_repairs_as_in_theory(replications: u64) {
    let (machines, repairers, run, repair) = (12_u32, 3_u32, 10.0, 2.0);
    let mut weights = vec![1.0];
    for broken in 1..=machines {
        let fail = f64::from(machines - broken + 1) / run;
        let mend = f64::from(broken.min(repairers)) / repair;
        weights.push(weights[broken as usize - 1] * fail / mend);
    }
    let total: f64 = weights.iter().sum();
    let mean = |of: fn(u32) -> f64| {
        (0..).zip(&weights).map(|(broken, weight)| of(broken) * weight).sum::<f64>() / total
    };
    let system = scenario(
        r#"Scenario(
            name: "machines", run_until: "20000s", warm_up: "1000s",
            sources: { "machines": (arrivals: ClosedLoop(users: 12, think: Exponential(mean: "10s")), to: "repair") },
            nodes: { "repair": Server(concurrency: 3, service: Exponential(mean: "2s")) },
        )"#,
    );
    let rows = replicate(&system, replications, |result| {
        let repair = server(&result, "repair");
        [
            source(&result, "machines").in_flight_mean.expect("time has passed"),
            repair.utilization.expect("time has passed"),
        ]
    });
    assert_columns(
        &rows,
        "machine repair",
        [
            ("broken machines", mean(f64::from)),
            ("utilization", mean(|broken| f64::from(broken.min(3)) / 3.0)),
        ],
    );
}

/// The most requests that were in flight at the same time between two times, in seconds.
pub(crate) fn most_in_flight(result: &RunResult, from: f64, to: f64) -> usize {
    let mut steps: Vec<(f64, i32)> = Vec::new();
    for record in &result.requests {
        let (finished, _) = record.finished.expect("every request has ended");
        steps.extend([(record.created.as_seconds(), 1), (finished.as_seconds(), -1)]);
    }
    steps.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut level = 0;
    let levels = steps.iter().map(|(at, step)| {
        level += step;
        (*at, level)
    });
    let most = levels.filter(|(at, _)| (from..to).contains(at)).map(|(_, level)| level).max();
    usize::try_from(most.unwrap_or(0)).expect("as many end as begin")
}

#[test]
fn users_come_and_go_by_stages() {
    let system = scenario(
        r#"Scenario(
            name: "stages", arrivals_until: "95s", run_until: "100s",
            sources: { "users": (
                arrivals: ClosedLoop(
                    users: 3, think: Constant("1ms"),
                    stages: [(at: "20s", users: 8), (at: "40s", users: 0), (at: "60s", users: 5)],
                ),
                to: "n", start: "10s",
            ) },
            nodes: { "n": Server(service: Constant("10ms")) },
        )"#,
    );
    let result = run_logged(&system);
    // All of them are nearly always at the server.
    for (from, to, users) in
        [(0.0, 10.0, 0), (10.0, 20.0, 3), (20.0, 40.0, 8), (41.0, 60.0, 0), (60.0, 95.0, 5)]
    {
        assert_eq!(most_in_flight(&result, from, to), users, "from {from} s to {to} s");
    }
    assert!(result.requests.iter().all(|record| record.created.as_seconds() <= 95.0));
}

#[test]
fn a_change_replaces_the_users() {
    let of = |changes: &str| {
        run_logged(&scenario(&format!(
            r#"Scenario(
                name: "change", arrivals_until: "58s", run_until: "60s",
                sources: {{ "users": (arrivals: ClosedLoop(users: 4, think: Constant("1ms")), to: "n") }},
                nodes: {{ "n": Server(service: Constant("100ms")) }},
                changes: [{changes}],
            )"#
        )))
    };
    // The requests of the users before it are still served, but nobody sends another one for them.
    let result =
        of(r#"(at: "20.05s", of: "users", set: Arrivals(ClosedLoop(users: 2, think: Constant("1ms"))))"#);
    assert_eq!(most_in_flight(&result, 0.0, 20.0), 4);
    assert_eq!(most_in_flight(&result, 21.0, 60.0), 2);
    let result = of(r#"(at: "20.05s", of: "users", set: Arrivals(Constant(rate: "1/s"))),
        (at: "40.05s", of: "users", set: Arrivals(ClosedLoop(users: 6, think: Constant("1ms"))))"#);
    assert_eq!(most_in_flight(&result, 21.0, 40.0), 1);
    assert_eq!(most_in_flight(&result, 41.0, 60.0), 6);
}

#[test]
fn users_whose_requests_fail_come_back() {
    let system = scenario(
        r#"Scenario(
            name: "failures", seed: 3, run_until: "100s",
            sources: { "users": (arrivals: ClosedLoop(users: 50, think: Exponential(mean: "100ms")), to: "n", max_requests: 20000) },
            nodes: { "n": Server(service: Exponential(mean: "10ms"), queue: Fifo(capacity: 3)) },
            links: [(from: "users", to: "n", latency: Constant("1ms"), loss: 0.01)],
            changes: [(at: "20s", of: "n", set: Down), (at: "21s", of: "n", set: Up)],
        )"#,
    );
    let result = run_once(&system);
    let outcomes = source(&result, "users").outcomes;
    assert_eq!(outcomes.offered, 20_000, "all requests are sent, and no more");
    // Users come back faster than they can be served.
    assert_eq!(outcomes.ended(), 20_000);
    let lost = outcomes.of(Outcome::Dropped);
    assert!((300..500).contains(&lost), "one message in a hundred is lost: {outcomes:?}");
    assert!((3_500..4_500).contains(&outcomes.of(Outcome::Completed)), "{outcomes:?}");
}

/// The same server: users of a closed loop hold themselves back, those of an open one do not.
#[test]
fn an_open_and_a_closed_load_give_two_verdicts() {
    let server = r#""n": Server(service: Exponential(mean: "10ms"))"#;
    let judged = |arrivals: &str, verdict: Verdict, kind: Option<FindingKind>| {
        let system = scenario(&system(arrivals, server, 600.0));
        for seed in 0..5 {
            let findings = found(&system, seed);
            assert_eq!(Verdict::of(&findings), verdict, "{arrivals}: {findings:?}");
            let kinds: Vec<FindingKind> = findings.iter().map(Finding::kind).collect();
            assert!(kind.is_none_or(|kind| kinds.contains(&kind)), "{arrivals}: {kinds:?}");
        }
    };
    let users = |users: u32| format!(r#"ClosedLoop(users: {users}, think: Exponential(mean: "1s"))"#);
    judged(&users(40), Verdict::Healthy, None);
    judged(&users(400), Verdict::InTrouble, Some(FindingKind::Saturation));
    judged(r#"Poisson(rate: "110/s")"#, Verdict::InTrouble, Some(FindingKind::Overload));
}
