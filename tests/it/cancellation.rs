//! Calls that are given up: after its timeout, a caller no longer waits; the call goes on, unless a cancellation reaches it
//! in time.

use rushhour::engine::time::SimDuration;
use rushhour::metrics::result::RunResult;
use rushhour::model::server::InFlight;
use rushhour::request::{Outcome, RequestRecord};
use rushhour::scenario::Scenario;
use rushhour::simulation::{RunOptions, Simulation};

use crate::harness::{
    assert_columns, replicate, run_with_calls_logged, scenario, server, source, statistical,
};
use crate::littles_law::{assert_conservation, assert_every_arrival_is_accounted_for};

/// A scenario whose source sends this number of requests to "api", at 1 s, 2 s, ...
fn first(requests: u64, nodes: &str, links: &str) -> Scenario {
    scenario(&format!(
        r#"Scenario(
            name: "cancellation", run_until: "20s",
            sources: {{ "users": (arrivals: Constant(rate: "1/s"), max_requests: {requests}, to: "api") }},
            nodes: {{ {nodes} }}, links: [{links}],
        )"#
    ))
}

/// When a request ended in seconds, and how.
fn ended(record: &RequestRecord) -> (f64, Outcome) {
    let (at, outcome) = record.finished.expect("it has ended");
    (at.as_seconds(), outcome)
}

/// The record of the request of the source, and those of calls in the order in which they were made.
fn request_and_calls(result: &RunResult) -> (&RequestRecord, Vec<&RequestRecord>) {
    let (requests, mut calls): (Vec<&RequestRecord>, Vec<&RequestRecord>) =
        result.requests.iter().partition(|record| record.parent.is_none());
    calls.sort_by_key(|call| call.id);
    (requests[0], calls)
}

const fn millis(millis: u64) -> SimDuration {
    SimDuration::from_nanos(millis * 1_000_000)
}

/// An API that waits for its call for 50 ms, and a database that needs this long.
fn api_and_db(service: &str, cancel: bool) -> String {
    format!(
        r#""api": Server(concurrency: 9, service: Constant("10ms"), call: (to: "db", timeout: "50ms", cancel: {cancel})),
        "db": Server(service: Constant("{service}"))"#
    )
}

const LINK: &str = r#"(from: "api", to: "db", latency: Constant("5ms"))"#;

#[test]
fn a_call_that_was_given_up_goes_on_and_costs_what_it_costs() {
    let result = run_with_calls_logged(&first(1, &api_and_db("200ms", false), LINK));
    let (request, calls) = request_and_calls(&result);
    assert_eq!(ended(request), (1.06, Outcome::Failed));
    assert_eq!((request.service, request.retries), (millis(10), millis(50)));
    assert_eq!(ended(calls[0]), (1.22, Outcome::Completed));
    assert!(!calls[0].parent.expect("it is a call").waited);
    let api = server(&result, "api");
    assert_eq!(api.call_time.expect("it makes calls").sum(), 50_000_000);
    assert_eq!((server(&result, "db").completed, server(&result, "db").service.sum()), (1, 200_000_000));
}

#[test]
fn a_cancellation_ends_a_service_when_it_arrives_unless_it_comes_too_late() {
    let result = run_with_calls_logged(&first(1, &api_and_db("200ms", true), LINK));
    let (request, calls) = request_and_calls(&result);
    assert_eq!(ended(request), (1.06, Outcome::Failed));
    assert_eq!(ended(calls[0]), (1.065, Outcome::TimedOut));
    assert_eq!((calls[0].service, calls[0].waiting), (millis(50), SimDuration::ZERO));
    // The slot was busy for 50 ms, although no service was completed.
    let db = server(&result, "db");
    assert_eq!((db.completed, db.service.count()), (0, 0));
    assert!((db.in_service_mean.expect("a mean") - 0.05 / 20.0).abs() < 1e-12);
    // The service ends at 1.063 s, and the response passes the cancellation.
    let result = run_with_calls_logged(&first(1, &api_and_db("48ms", true), LINK));
    let (request, calls) = request_and_calls(&result);
    assert_eq!((ended(request), ended(calls[0])), ((1.06, Outcome::Failed), (1.068, Outcome::Completed)));
    assert_eq!(server(&result, "db").completed, 1);
    // In time: the timeout is over.
    let result = run_with_calls_logged(&first(1, &api_and_db("39ms", true), LINK));
    assert_eq!(ended(request_and_calls(&result).0), (1.059, Outcome::Completed));
}

#[test]
fn a_cancelled_call_leaves_the_queue_and_the_next_one_moves_up() {
    let nodes = r#""api": Server(concurrency: 9, service: Constant("0s"), call: (to: "db", timeout: "2.5s", cancel: true)),
        "db": Server(service: Constant("12s"))"#;
    let result = run_with_calls_logged(&first(4, nodes, ""));
    assert_conservation("queue", &result);
    // The second and the third one enter service when the one before them is cancelled, and have waited 1.5 s by then.
    let at: Vec<_> =
        request_and_calls(&result).1.iter().map(|call| (ended(call), call.waiting, call.service)).collect();
    let expected = [
        ((3.5, Outcome::TimedOut), millis(0), millis(2500)),
        ((4.5, Outcome::TimedOut), millis(1500), millis(1000)),
        ((5.5, Outcome::TimedOut), millis(1500), millis(1000)),
        ((6.5, Outcome::TimedOut), millis(1500), millis(1000)),
    ];
    assert_eq!(at, expected);
    assert!((server(&result, "db").queue_depth_mean.expect("a mean") - 4.5 / 20.0).abs() < 1e-12);
}

#[test]
fn many_cancelled_calls_in_a_queue_take_no_place() {
    // The first call blocks the database. Of the others, those with a timeout leave the queue, which has ten places.
    let nodes = r#""api": LoadBalancer(policy: RoundRobin, to: ["patient", "impatient"]),
        "patient": Server(concurrency: 1000, service: Constant("0s"), call: "db"),
        "impatient": Server(concurrency: 1000, service: Constant("0s"), call: (to: "db", timeout: "8ms", cancel: true)),
        "db": Server(service: Constant("19s"), queue: Fifo(capacity: 10))"#;
    let system = scenario(&format!(
        r#"Scenario(
            name: "queue", run_until: "19s",
            sources: {{ "users": (arrivals: Constant(rate: "1000/s"), max_requests: 401, to: "api") }},
            nodes: {{ {nodes} }},
        )"#
    ));
    let result = run_with_calls_logged(&system);
    assert_conservation("many", &result);
    assert_every_arrival_is_accounted_for("many", &system);
    let calls = result.calls.expect("there are calls");
    // Every second call is cancelled after 8 ms, so that four of these are in the queue at any time: six patient ones fill
    // the other places, and the rest of the patient ones is rejected.
    let db = server(&result, "db");
    assert_eq!((calls.of(Outcome::TimedOut), calls.of(Outcome::Rejected), calls.in_flight()), (200, 194, 7));
    assert_eq!(db.queue_depth_max, 10);
}

#[test]
fn a_cancellation_follows_its_call_through_balancers_and_servers() {
    let nodes = r#""api": Server(service: Constant("10ms"), call: (to: "lb", timeout: "100ms", cancel: true)),
        "lb": LoadBalancer(policy: RoundRobin, to: "a"), "a": Server(count: 2, service: Constant("30ms"), then: "b"),
        "b": Server(service: Constant("3s"))"#;
    let links = r#"(from: "api", to: "lb", latency: Constant("5ms")), (from: "lb", to: "a", latency: Constant("7ms")),
        (from: "a", to: "b", latency: Constant("9ms"))"#;
    let result = run_with_calls_logged(&first(1, nodes, links));
    let (request, calls) = request_and_calls(&result);
    assert_eq!(ended(request), (1.11, Outcome::Failed));
    // At "b" from 1.061 s on; the cancellation leaves at 1.11 s and takes 21 ms.
    assert_eq!((ended(calls[0]), calls[0].service), ((1.131, Outcome::TimedOut), millis(100)));
    assert_eq!(server(&result, "b").completed, 0);
}

#[test]
fn what_a_cancelled_call_waits_for_is_given_up_in_turn() {
    let nodes = |cancel: bool| {
        format!(
            r#""api": Server(service: Constant("10ms"), call: (to: "mid", timeout: "100ms", cancel: true)),
            "mid": Server(service: Constant("20ms"), call: (to: "db", cancel: {cancel})),
            "db": Server(service: Constant("3s"))"#
        )
    };
    let links = r#"(from: "api", to: "mid", latency: Constant("5ms")), (from: "mid", to: "db", latency: Constant("8ms"))"#;
    for (cancel, end) in [(true, (1.123, Outcome::TimedOut)), (false, (4.051, Outcome::Completed))] {
        let system = first(1, &nodes(cancel), links);
        let result = run_with_calls_logged(&system);
        let (request, calls) = request_and_calls(&result);
        assert_eq!(ended(request), (1.11, Outcome::Failed));
        assert_eq!((ended(calls[0]), calls[0].service), ((1.115, Outcome::TimedOut), millis(20)));
        assert_eq!(ended(calls[1]), end);
        assert!(!calls[1].parent.expect("it is a call").waited);
        // All slots are free again.
        let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
        simulation.advance(simulation.end(), u64::MAX);
        let mut levels = simulation.world().try_query::<&InFlight>().expect("servers");
        assert!(levels.iter(simulation.world()).all(|in_flight| in_flight.level.level() == 0));
    }
}

#[test]
fn a_caller_with_a_timeout_does_not_learn_that_its_call_is_lost() {
    let lossy = LINK.replace("latency", "loss: 1, latency");
    for cancel in [true, false] {
        let result = run_with_calls_logged(&first(1, &api_and_db("1ms", cancel), &lossy));
        let (request, calls) = request_and_calls(&result);
        assert_eq!(ended(request), (1.06, Outcome::Failed), "after its timeout");
        assert_eq!((ended(calls[0]), request.retries), ((1.01, Outcome::Dropped), millis(50)));
    }
}

#[test]
fn a_call_that_its_cancellation_overtakes_is_not_served() {
    let nodes = r#""api": Server(concurrency: 1000, service: Constant("0s"), call: (to: "db", timeout: "1ms", cancel: true)),
        "db": Server(concurrency: 1000, service: Constant("10s"))"#;
    let link = r#"(from: "api", to: "db", latency: Uniform(min: "0s", max: "200ms"))"#;
    let result = run_with_calls_logged(&first(19, nodes, link));
    assert_conservation("overtaking", &result);
    let calls = result.calls.expect("there are calls");
    assert_eq!((calls.offered, calls.of(Outcome::TimedOut)), (19, 19));
    // About every second cancellation is faster.
    let arrived = server(&result, "db").arrived;
    assert!((4..=15).contains(&arrived), "{arrived} reached the database");
}

/// Callers give up after t. The link to the database, an M/M/1 queue, takes d in each direction.
///
/// A call times out if its time at the database is longer than x = t - 2 d. Without cancellation, the probability is
/// exp(-(mu - lambda) x). Cancelled calls are at the database for at most t, as their cancellations are sent t after them.
/// The work there, without what will be cancelled, then has the density lambda p exp(-(mu - lambda) w) for 0 < w < t, and is
/// 0 with the probability p: an arrival takes the work from v to above w if its service is longer than w - v, as without
/// cancellation (level crossings: Brill, Posner, "Level crossings in point processes applied to queues", 1977).
fn calls_that_time_out_match_theory(replications: u64) {
    let (lambda, mu, t, d): (f64, f64, f64, f64) = (80.0, 100.0, 0.08, 0.01);
    let (gap, x) = (mu - lambda, t - 2.0 * d);
    let p = 1.0 / (1.0 + lambda / gap * (1.0 - libm::exp(-gap * t)));
    // If the work is at most x when the call arrives, and if it is more.
    let with = p * libm::exp(-gap * x) + lambda * p / gap * (libm::exp(-gap * x) - libm::exp(-gap * t));
    let theory = [
        ("false", [("timed out", libm::exp(-gap * x)), ("utilization", lambda / mu)]),
        ("true", [("timed out", with), ("utilization", 1.0 - p)]),
    ];
    for (cancel, theory) in theory {
        let system = scenario(&format!(
            r#"Scenario(
                name: "timeouts", run_until: "1020s", warm_up: "20s",
                sources: {{ "users": (arrivals: Poisson(rate: "80/s"), to: "api") }},
                nodes: {{
                    "api": Server(concurrency: 100000, service: Constant("0s"), call: (to: "db", timeout: "80ms", cancel: {cancel})),
                    "db": Server(service: Exponential(mean: "10ms")),
                }},
                links: [(from: "api", to: "db", latency: Constant("10ms"))],
            )"#
        ));
        let rows = replicate(&system, replications, |result| {
            let outcomes = source(&result, "users").outcomes;
            let timed_out = outcomes.of(Outcome::Failed) as f64 / outcomes.offered as f64;
            [timed_out, server(&result, "db").utilization.expect("a mean")]
        });
        assert_columns(&rows, &format!("cancel: {cancel}"), theory);
    }
}

statistical!(calls_that_time_out_match_theory, 6, 30);
