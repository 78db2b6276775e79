//! Memory grows with the number of requests in flight, not with the number of requests served.

use rushhour::engine::queue::EventQueue;
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::event::PackedEvent;
use rushhour::request::Request;
use rushhour::simulation::{RunOptions, Simulation};

use crate::harness::{run_logged, run_once, scenario};

/// Number of rows in the pool of requests, and number of pending events.
fn sizes(simulation: &Simulation) -> (usize, usize) {
    let world = simulation.world();
    let mut requests = world.try_query::<&Request>().expect("requests were created");
    (requests.iter(world).count(), world.resource::<EventQueue<PackedEvent>>().len())
}

#[test]
fn a_hundred_times_longer_run_needs_no_larger_pool() {
    let system = scenario(
        r#"Scenario(
            name: "M/M/10", run_until: "1000s",
            sources: { "users": (arrivals: Poisson(rate: "800/s"), to: "clerks") },
            nodes: { "clerks": Server(concurrency: 10, service: Exponential(mean: "10ms")) },
        )"#,
    );
    let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
    simulation.advance(SimTime::ZERO + SimDuration::from_seconds(10), u64::MAX);
    let (early, _) = sizes(&simulation);
    simulation.advance(simulation.end(), u64::MAX);
    let (late, pending) = sizes(&simulation);
    assert!(simulation.events() > 2_000_000, "{} events", simulation.events());
    // The pool starts with 1,024 rows. The probability of more requests in this system at once is below 0.8^1000.
    assert_eq!((early, late), (1024, 1024));
    // One completion for each busy slot, the next arrival, and the end of the interval of the timeline.
    assert!(pending <= 12, "{pending} events");
}

#[test]
fn the_pool_is_little_larger_than_the_number_of_requests_in_flight() {
    // 20,000 requests in flight: each stays for a minute, and the first leaves 60 s after the start.
    let system = scenario(
        r#"Scenario(
            name: "crowd", run_until: "200s",
            sources: { "users": (arrivals: Constant(rate: "333.3/s"), to: "hall") },
            nodes: { "hall": Server(concurrency: 1000000, service: Constant("1min")) },
        )"#,
    );
    let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
    simulation.advance(simulation.end(), u64::MAX);
    let (rows, _) = sizes(&simulation);
    // The pool grows by an eighth, and this allows for a quarter.
    assert!((19_998..=25_000).contains(&rows), "{rows}");
}

#[test]
fn records_of_all_requests_are_kept_only_with_a_log() {
    let system = scenario(
        r#"Scenario(
            name: "short", run_until: "1s",
            sources: { "users": (arrivals: Constant(rate: "100/s"), to: "desk") },
            nodes: { "desk": Server(service: Constant("1ms")) },
        )"#,
    );
    assert_eq!(run_once(&system).requests, []);
    assert_eq!(run_logged(&system).requests.len(), 100);
}

#[test]
fn a_request_does_not_inherit_the_size_of_the_previous_request_in_its_row() {
    let system = scenario(
        r#"Scenario(
            name: "sizes", run_until: "10s",
            sources: {
                "sized": (arrivals: Poisson(rate: "50/s"), size: Constant("3kB"), to: "desk"),
                "plain": (arrivals: Poisson(rate: "50/s"), to: "desk"),
            },
            nodes: { "desk": Server(concurrency: 50, service: Exponential(mean: "10ms")) },
        )"#,
    );
    for record in run_logged(&system).requests {
        assert_eq!(record.sizes.request, if record.source == 0 { 3_000 } else { 0 });
    }
}
