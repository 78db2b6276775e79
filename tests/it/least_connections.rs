//! Least connections: requests go where the fewest are outstanding, and the count of those is exact: however a request
//! ends, none is counted for ever.

use rushhour::engine::random::RandomStream;
use rushhour::engine::time::SimDuration;
use rushhour::metrics::result::RunResult;
use rushhour::model::parts::NodeSpec;
use rushhour::model::routing::{PolicySpec, Router};
use rushhour::request::OutcomeCounts;
use rushhour::scenario::Scenario;
use rushhour::simulation::{RunOptions, Simulation};

use crate::calls::random_system;
use crate::harness::{run_once, scenario, server};

/// A run to its end: the requests that each node counts as outstanding, and the result.
fn outstanding(system: &Scenario, seed: u64) -> (Vec<u64>, RunResult) {
    let options = RunOptions { seed: Some(seed), ..RunOptions::default() };
    let mut simulation = Simulation::new(system, options).expect("valid");
    simulation.advance(simulation.end(), u64::MAX);
    let world = simulation.world();
    let mut routers = world.try_query::<&Router>().expect("there are routers");
    let outstanding = routers.iter(world).map(Router::outstanding).collect();
    (outstanding, simulation.finish().expect("no request is lost track of"))
}

/// Requests and calls in flight at the end.
fn in_flight(result: &RunResult) -> u64 {
    let of_sources = result.sources.iter().map(|source| source.outcomes.in_flight());
    of_sources.sum::<u64>() + result.calls.as_ref().map_or(0, OutcomeCounts::in_flight)
}

#[test]
fn a_slow_server_gets_the_requests_that_find_it_idle_and_no_others() {
    // Every 1.1 s, "slow" is idle when it is its turn, and is busy during the next ten arrivals.
    let system = scenario(
        r#"Scenario(
            name: "slow and fast", run_until: "15s",
            sources: {"users": (arrivals: Constant(rate: "10/s"), max_requests: 110, to: "lb")},
            nodes: {
                "lb": LoadBalancer(policy: LeastConnections, to: ["slow", "fast"]),
                "slow": Server(service: Constant("1050ms")),
                "fast": Server(service: Constant("50ms")),
            },
        )"#,
    );
    let result = run_once(&system);
    assert_eq!([server(&result, "slow").completed, server(&result, "fast").completed], [10, 100]);
}

#[test]
fn responses_count_until_they_are_back() {
    // The response of "far" takes 1 s, although its service takes no time.
    let system = scenario(
        r#"Scenario(
            name: "far and near", run_until: "15s",
            sources: {"users": (arrivals: Constant(rate: "10/s"), max_requests: 110, to: "lb")},
            nodes: {
                "lb": Client(routing: LeastConnections, to: ["far", "near"]),
                "far": Server(service: Constant("0s")),
                "near": Server(service: Constant("50ms")),
            },
            links: [(from: "lb", to: "far", latency: Constant("50ms"), response_latency: Constant("1s"))],
        )"#,
    );
    let result = run_once(&system);
    assert_eq!([server(&result, "far").completed, server(&result, "near").completed], [10, 100]);
}

#[test]
fn a_paused_server_gets_no_more_than_the_others_have_outstanding() {
    let of = |policy: &str| {
        let system = scenario(&format!(
            r#"Scenario(
                name: "a pause", run_until: "61s", arrivals_until: "40s",
                sources: {{"users": (arrivals: Poisson(rate: "100/s"), to: "lb")}},
                nodes: {{
                    "lb": LoadBalancer(policy: {policy}, to: "m"),
                    "m": Server(count: 4, concurrency: 10, service: Exponential(mean: "50ms")),
                }},
                faults: {{"f": (of: "m-0", what: Pause, at: "10s", for: "20s")}},
            )"#
        ));
        let latency = run_once(&system).sources[0].latency.summarize();
        latency.quantile(0.9).expect("requests were served") as f64 * 1e-9
    };
    let (in_turn, least) = (of("RoundRobin"), of("LeastConnections"));
    // A quarter of half of the requests wait for ten seconds on average, or hardly any does.
    assert!(in_turn > 5.0 && least < 0.5, "p90 {in_turn} s and {least} s");
}

#[test]
fn no_request_is_counted_for_ever_whatever_ends_it() {
    // Losses in both directions, patience, crashes, a partition, members that come and go, and one router behind another.
    let system = scenario(
        r#"Scenario(
            name: "trouble", run_until: "60s", arrivals_until: "20s",
            sources: {"users": (arrivals: Poisson(rate: "200/s"), to: "lb")},
            nodes: {
                "lb": LoadBalancer(policy: LeastConnections, to: ["a", "b", "inner"]),
                "inner": Client(routing: LeastConnections, to: ["c", "b"]),
                "a": Server(service: Exponential(mean: "30ms"), patience: Exponential(mean: "50ms")),
                "b": Server(count: 2, max: 4, concurrency: 3, service: Exponential(mean: "50ms"), queue: CoDel(target: "5ms", interval: "50ms")),
                "c": Server(concurrency: 3, service: Exponential(mean: "40ms"), queue: Fifo(capacity: 3), then: "d"),
                "d": Server(concurrency: 4, service: Exponential(mean: "10ms")),
            },
            links: [
                (from: "lb", to: "a", latency: Exponential(mean: "5ms"), loss: 0.1),
                (from: "lb", to: "inner", latency: Constant("3ms"), loss: 0.02, response_loss: 0.2),
                (from: "inner", to: "c", latency: Exponential(mean: "2ms"), loss: 0.1),
                (from: "users", to: "lb", latency: Constant("1ms"), loss: 0.05),
            ],
            changes: [(at: "5s", of: "b", set: Count(4)), (at: "9s", of: "b", set: Count(0)), (at: "14s", of: "b", set: Count(3))],
            faults: {
                "crashes": (of: ["a", "c", "d"], which: Each, what: Crash, every: Exponential(mean: "2s"), lasts: Exponential(mean: "200ms")),
                "cut": (of: "inner -> c", what: Partition(), at: "12s", for: "1s"),
            },
        )"#,
    );
    for seed in 1..=20 {
        let (outstanding, result) = outstanding(&system, seed);
        assert_eq!(in_flight(&result), 0, "all requests have ended");
        assert_eq!(outstanding, vec![0; outstanding.len()], "seed {seed}");
    }
}

#[test]
fn calls_that_are_given_up_or_cancelled_are_not_counted_for_ever() {
    let mut stream = RandomStream::from_seed(83);
    let (mut ended, mut counted) = (0, 0);
    for seed in 0..300 {
        let mut system = random_system(&mut stream, true);
        system.run_until = SimDuration::from_seconds(30);
        for node in system.nodes.values_mut() {
            if let NodeSpec::LoadBalancer(balancer) = node {
                balancer.policy = PolicySpec::LeastConnections;
            }
        }
        let (outstanding, result) = outstanding(&system, seed);
        let in_flight = in_flight(&result);
        // Requests at a paused server are in flight for ever, each counted at most once by a node.
        assert!(
            outstanding.iter().all(|count| *count <= in_flight),
            "{outstanding:?}, {in_flight} in flight"
        );
        ended += usize::from(in_flight == 0);
        counted += usize::from(outstanding.iter().any(|count| *count > 0));
    }
    assert!(
        ended > 100 && counted > 5,
        "{ended} systems in which all ended, {counted} in which some are outstanding"
    );
}
