//! Memory grows with the requests in flight, not with the requests that were served.

use rushhour::engine::queue::EventQueue;
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::event::PackedEvent;
use rushhour::request::Request;
use rushhour::simulation::{RunOptions, Simulation};

use crate::harness::{run_logged, run_once, scenario};

/// Places for requests, and events that wait for their time.
fn places(simulation: &Simulation) -> (usize, usize) {
    let world = simulation.world();
    let mut requests = world.try_query::<&Request>().expect("requests were born");
    (requests.iter(world).count(), world.resource::<EventQueue<PackedEvent>>().len())
}

#[test]
fn a_hundred_times_longer_run_needs_no_more_places() {
    let system = scenario(
        r#"Scenario(
            name: "M/M/10", run_until: "1000s",
            sources: { "users": (arrivals: Poisson(rate: "800/s"), to: "clerks") },
            nodes: { "clerks": Server(concurrency: 10, service: Exponential(mean: "10ms")) },
        )"#,
    );
    let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
    simulation.advance(SimTime::ZERO + SimDuration::from_seconds(10), u64::MAX);
    let (early, _) = places(&simulation);
    simulation.advance(simulation.end(), u64::MAX);
    let (late, waiting) = places(&simulation);
    assert!(simulation.events() > 2_000_000, "{} events", simulation.events());
    // The pool grows by 1,024 at first; that so many are ever in this system at once has a probability below 0.8^1000.
    assert_eq!((early, late), (1024, 1024));
    // One completion for each busy slot, the next arrival, and the survey.
    assert!(waiting <= 12, "{waiting} events");
}

#[test]
fn a_crowd_is_given_room_and_not_much_more() {
    // 20,000 requests in flight: each stays for a minute, and 60 s after the start they begin to leave.
    let system = scenario(
        r#"Scenario(
            name: "crowd", run_until: "200s",
            sources: { "users": (arrivals: Constant(rate: "333.3/s"), to: "hall") },
            nodes: { "hall": Server(concurrency: 1000000, service: Constant("1min")) },
        )"#,
    );
    let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
    simulation.advance(simulation.end(), u64::MAX);
    let (places, _) = places(&simulation);
    // The pool grows by a quarter.
    assert!((19_998..=25_000).contains(&places), "{places}");
}

#[test]
fn no_record_is_kept_unless_it_was_asked_for() {
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
fn a_place_forgets_the_size_of_the_request_that_left_it() {
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
        assert_eq!(record.size, if record.source == 0 { 3_000 } else { 0 });
    }
}
