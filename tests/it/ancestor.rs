//! The load-aware routing experiment reproduces the results of its original, the ancestor of this simulator.
//!
//! Source of their figures: happy-simulator, load-aware routing example, 30 seeds; "mean (sd)" is over seeds. A figure
//! of ours agrees if the two means differ by at most three standard errors of their difference, the root of the sum of
//! sd^2 / seeds of both: by chance, one figure in 370 differs by more.
//!
//! The largest differences are in two related figures. Over 2,000 of our seeds, server 2 rejects 144 requests (theirs
//! 161 +- 5.5) at a load of 0.914 (theirs 0.900 +- 0.0047), close to three standard errors of their 30 seeds. An
//! independent program of sixty lines, written from the description of the algorithm, gives 145 and 0.912. With loads
//! averaged in floats, as theirs are, so that a mean of 0.9 may fall below the threshold, it gives 150 and 0.913.

use rushhour::engine::time::SimTime;
use rushhour::event::{Node, NodeKind};
use rushhour::metrics::result::RunResult;
use rushhour::model::client::REHASHED;
use rushhour::request::Outcome;
use rushhour::scenario::{DEFAULT_SCENARIO, Scenario};

use crate::harness::{
    Estimate, count, replicate_logged, run_logged, scenario_with, server, server_in_row, source,
};

const THEIR_SEEDS: f64 = 30.0;
const OUR_SEEDS: u64 = 60;
/// The spike of customer 1001.
const SPIKE: (f64, f64) = (10.0, 25.0);

fn experiment(overrides: &[&str]) -> Scenario {
    scenario_with(DEFAULT_SCENARIO.1, overrides)
}

/// The figures that the original reports for a run.
fn figures(result: &RunResult) -> Vec<(&'static str, f64)> {
    let completed = |name| server(result, name).completed as f64;
    let latency = |name, q| {
        source(result, name).latency.summarize().quantile(q).expect("requests were served") as f64 * 1e-9
    };
    let clients = result.nodes.iter().filter(|node| node.node.kind() == NodeKind::Client);
    let rehashed = clients.map(|client| count(&client.figures, &REHASHED));
    vec![
        ("requests of customer 1001", source(result, "customer-1001").outcomes.offered as f64),
        ("completed by server 0", completed("server-0")),
        ("completed by server 1", completed("server-1")),
        ("completed by server 2", completed("server-2")),
        ("rejected by server 2", server(result, "server-2").rejected as f64),
        ("rehashes", rehashed.sum::<u64>() as f64),
        ("p50 of random customers", latency("everyone", 0.5)),
        ("p95 of random customers", latency("everyone", 0.95)),
        ("p99 of random customers", latency("everyone", 0.99)),
        ("p50 of customer 1001", latency("customer-1001", 0.5)),
        ("p99 of customer 1001", latency("customer-1001", 0.99)),
        ("first rejection after the spike begins", first_rejection(result)),
        ("mean load of server 2 during the spike", load_during_spike(result)),
    ]
}

/// Mean and standard deviation of the original over its seeds, in the order of [`figures`].
const THEIRS: [(f64, f64); 13] = [
    (2709.0, 49.0),
    (780.0, 34.0),
    (796.0, 33.0),
    (2172.0, 64.0),
    (161.0, 30.0),
    (775.0, 44.0),
    (0.0750, 0.0027),
    (0.427, 0.038),
    (1.038, 0.062),
    (0.214, 0.022),
    (1.305, 0.053),
    (1.81, 0.34),
    (0.900, 0.026),
];

fn first_rejection(result: &RunResult) -> f64 {
    let rejections = result.requests.iter().filter_map(|record| match record.finished {
        Some((at, Outcome::Rejected)) => Some(at),
        Some(_) | None => None,
    });
    rejections.min().expect("server 2 rejects requests in every run").as_seconds() - SPIKE.0
}

/// The mean of the probe's samples: the share of busy slots, every 100 ms.
fn load_during_spike(result: &RunResult) -> f64 {
    let load = result.series.iter().find(|series| (&*series.node, &*series.name()) == ("server-2", "load"));
    let samples = load.expect("the scenario has this probe").samples.iter();
    let during: Vec<f64> = samples
        .filter(|(at, _)| (SPIKE.0..=SPIKE.1).contains(&at.as_seconds()))
        .map(|(_, load)| load)
        .collect();
    during.iter().sum::<f64>() / during.len() as f64
}

#[test]
fn the_load_aware_routing_experiment_agrees_with_its_original() {
    let runs = replicate_logged(&experiment(&[]), OUR_SEEDS, |result| {
        assert_eq!(
            source(&result, "everyone").outcomes.offered,
            1200,
            "20/s for 60 s, including the last one at 60 s"
        );
        for idle in ["server-0", "server-1"] {
            assert_eq!(server(&result, idle).rejected, 0, "only the hot server rejects requests");
        }
        figures(&result)
    });
    let mut wrong = Vec::new();
    for (index, (their_mean, their_sd)) in THEIRS.into_iter().enumerate() {
        let ours = Estimate::of(runs.iter().map(|run| run[index].1));
        let error = (their_sd * their_sd / THEIR_SEEDS + ours.standard_error * ours.standard_error).sqrt();
        let deviation = (ours.mean - their_mean) / error;
        let line = format!(
            "{}: ours {:.4} (sd {:.4}), theirs {their_mean} (sd {their_sd}): {deviation:+.2} standard errors",
            runs[0][index].0, ours.mean, ours.sd
        );
        println!("{line}");
        if deviation.abs() > 3.0 {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_constant_source_creates_its_last_request_at_the_end_of_the_run() {
    let result = run_logged(&experiment(&[]));
    let mut created: Vec<SimTime> =
        result.requests.iter().filter(|record| record.source == 0).map(|record| record.created).collect();
    let expected = (1..=1200).map(|n| SimTime::from_nanos(n * 50_000_000));
    created.sort_unstable();
    assert!(created.into_iter().eq(expected), "one every 50 ms, from 50 ms to 60 s");
}

#[test]
fn requests_of_a_hot_customer_are_spread_only_with_smart_routing() {
    let served_by = |result: &RunResult| {
        let mut servers: Vec<u32> = result
            .requests
            .iter()
            .filter(|record| record.key == 1001)
            .filter_map(|record| record.server.map(Node::row))
            .collect();
        servers.sort_unstable();
        servers.dedup();
        servers
    };
    assert_eq!(served_by(&run_logged(&experiment(&[]))), [0, 1, 2]);
    let off = run_logged(&experiment(&["nodes.client.routing.smart=false"]));
    assert_eq!(served_by(&off), [2], "1001 mod 3 is 2");
    // Without it, every customer stays with one server.
    assert!(off.requests.iter().all(|record| record.server == Some(server_in_row(record.key % 3))));
}

#[test]
fn smart_routing_changes_only_the_routing() {
    // Common random numbers: both variants get the same requests at the same times.
    let created = |overrides: &[&str]| {
        let result = run_logged(&experiment(overrides));
        let mut requests: Vec<_> =
            result.requests.iter().map(|r| (r.id, r.created, r.source, r.key)).collect();
        requests.sort_unstable();
        requests
    };
    assert_eq!(created(&[]), created(&["nodes.client.routing.smart=false"]));
}
