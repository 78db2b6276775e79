//! Calls: requests that servers make because of other requests. Each is accounted for, whatever fails, and the time of a
//! request that waits for a call is the time of the call.

use rushhour::engine::random::{Draw, RandomStream};
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::metrics::result::RunResult;
use rushhour::metrics::summary::Summary;
use rushhour::model::server::{InFlight, ServerConfig};
use rushhour::request::{Outcome, RequestRecord};
use rushhour::scenario::{Scenario, load};
use rushhour::simulation::{RunOptions, Simulation};

use crate::harness::{
    assert_columns, assert_steps_change_nothing, replicate, run_with_calls_logged, scenario, server, source,
    statistical,
};
use crate::littles_law::{assert_conservation, assert_every_arrival_is_accounted_for};

/// A scenario with a source "users" that sends to "api".
fn system(arrivals: &str, nodes: &str, rest: &str) -> Scenario {
    scenario(&format!(
        r#"Scenario(
            name: "calls", run_until: "100s",
            sources: {{ "users": (arrivals: {arrivals}, to: "api") }},
            nodes: {{ {nodes} }}, {rest}
        )"#
    ))
}

/// Requests at 1 s, 2 s, ...
const EACH_SECOND: &str = r#"Constant(rate: "1/s")"#;

/// A system whose source creates this number of requests.
fn first(requests: u64, arrivals: &str, nodes: &str, rest: &str) -> Scenario {
    let mut system = system(arrivals, nodes, rest);
    system.sources.values_mut().for_each(|source| source.max_requests = Some(requests));
    system
}

/// A run with a single request, at 1 s.
fn only_first(nodes: &str, rest: &str) -> RunResult {
    run_with_calls_logged(&first(1, EACH_SECOND, nodes, rest))
}

fn seconds(time: SimDuration) -> f64 {
    time.as_seconds()
}

fn ended(record: &RequestRecord) -> (f64, Outcome) {
    let (at, outcome) = record.finished.expect("it has ended");
    (at.as_seconds(), outcome)
}

/// The records of requests of sources, and of calls.
fn requests_and_calls(result: &RunResult) -> (Vec<&RequestRecord>, Vec<&RequestRecord>) {
    result.requests.iter().partition(|record| record.parent.is_none())
}

#[test]
fn a_chain_of_ten_servers_holds_a_slot_of_each_until_the_last_responds() {
    let (mut nodes, mut links) = (String::new(), String::new());
    for number in 0..10 {
        let name = if number == 0 { "api".to_owned() } else { format!("s{number}") };
        let call = if number < 9 { format!("call: \"s{}\"", number + 1) } else { String::new() };
        nodes += &format!("\"{name}\": Server(service: Constant(\"10ms\"), {call}),");
        if number < 9 {
            links += &format!("(from: \"{name}\", to: \"s{}\", latency: Constant(\"1ms\")),", number + 1);
        }
    }
    let result = only_first(&nodes, &format!("links: [{links}]"));
    let (requests, calls) = requests_and_calls(&result);
    assert_eq!((requests.len(), calls.len()), (1, 9));
    // 10 services and 9 links in both directions.
    assert_eq!(ended(requests[0]), (1.118, Outcome::Completed));
    assert_eq!(requests[0].service, SimDuration::from_nanos(100_000_000));
    for (index, call) in calls.iter().rev().enumerate() {
        let [behind, before] = [8 - index, index + 1].map(|n| n as f64);
        assert_eq!(call.parent.map(|parent| parent.id), Some(index as u64), "each is made by the one before");
        let (created, at) = (call.created.as_seconds(), ended(call).0);
        let expected = (1.0 + 0.011 * before - 0.001, (behind + 1.0) * 0.01 + (behind + 1.0) * 0.002);
        assert!((created - expected.0).abs() < 1e-12 && (at - created - expected.1).abs() < 1e-12);
        assert!((seconds(call.service) - (behind + 1.0) * 0.01).abs() < 1e-12);
    }
    // The slot of the first server is busy all the time, but for its own service it waits for its call.
    let api = server(&result, "api");
    assert!((api.in_service_mean.expect("a mean") - 0.118 / 100.0).abs() < 1e-12);
    assert_eq!((api.service.sum(), api.call_time.expect("it makes calls").sum()), (10_000_000, 108_000_000));
}

#[test]
fn calls_are_made_one_after_the_other_and_none_after_a_failure() {
    let nodes = |second: &str| {
        format!(
            r#""api": Server(service: Constant("10ms"), call: ["a", "b", (to: "c", wait: false), "d"], then: "last"),
            "a": Server(service: Constant("20ms")), "b": Server({second}), "c": Server(service: Constant("1s")),
            "d": Server(service: Constant("40ms")), "last": Server(service: Constant("50ms"))"#
        )
    };
    let created = |result: &RunResult| {
        let mut times: Vec<_> =
            requests_and_calls(result).1.iter().map(|call| (call.id, call.created.as_seconds())).collect();
        times.sort_by_key(|(id, _)| *id);
        times.into_iter().map(|(_, time)| time).collect::<Vec<_>>()
    };
    let result = only_first(&nodes(r#"service: Constant("30ms")"#), "");
    assert_eq!(created(&result), [1.01, 1.03, 1.06, 1.06]);
    // 10 + 20 + 30 + 40 + 50: the call that nobody waits for does not count.
    let request = requests_and_calls(&result).0[0];
    assert_eq!((ended(request), seconds(request.service)), ((1.15, Outcome::Completed), 0.15));
    let waited: Vec<bool> =
        requests_and_calls(&result).1.iter().filter_map(|call| Some(call.parent?.waited)).collect();
    assert_eq!(waited, [true, true, true, false], "in the order in which they end");

    let down = r#"changes: [(at: "0s", of: "b", set: Down)]"#;
    let result = only_first(&nodes(r#"service: Constant("30ms")"#), down);
    assert_eq!(created(&result), [1.01, 1.03], "no call after the one that failed");
    assert_eq!(ended(requests_and_calls(&result).0[0]), (1.03, Outcome::Failed));
    assert_eq!(server(&result, "last").arrived, 0, "an error is not passed on");
    let calls = result.calls.expect("there are calls");
    assert_eq!((calls.offered, calls.of(Outcome::Completed), calls.of(Outcome::Rejected)), (2, 1, 1));
}

#[test]
fn a_call_that_nobody_waits_for_costs_the_request_nothing() {
    let nodes = r#""api": Server(service: Constant("10ms"), call: (to: "log", wait: false)),
        "log": Server(service: Constant("500ms"), queue: Fifo(capacity: 0))"#;
    let result = run_with_calls_logged(&system(r#"Constant(rate: "4/s")"#, nodes, ""));
    let (requests, calls) = requests_and_calls(&result);
    assert!(requests.iter().filter_map(|record| record.finished).all(|(_, end)| end == Outcome::Completed));
    let latency = source(&result, "users").latency.summarize();
    assert_eq!((latency.min(), latency.max()), (Some(10_000_000), Some(10_000_000)));
    assert_eq!((requests.len(), calls.len()), (400, 399), "the last request is still in service");
    let rejected = calls.iter().filter(|call| call.finished.is_some_and(|(_, end)| end == Outcome::Rejected));
    assert_eq!(rejected.count(), 199, "every second call finds the log busy");
    assert!(calls.iter().all(|call| call.parent.is_some_and(|parent| !parent.waited)));
}

const CALLER_AND_CALLEE: &str = r#""api": Server(concurrency: 2, service: Constant("100ms"), call: "db"),
    "db": Server(concurrency: 2, service: Constant("1s"))"#;

#[test]
fn a_caller_that_goes_down_loses_its_requests_but_not_their_calls() {
    // Requests at 0.25, 0.5, 0.75 and 1 s: two are in slots and wait for calls, two in the queue.
    let changes = r#"changes: [(at: "1.1s", of: "api", set: Down), (at: "1.2s", of: "api", set: Up)]"#;
    let result = run_with_calls_logged(&first(4, r#"Constant(rate: "4/s")"#, CALLER_AND_CALLEE, changes));
    let (requests, calls) = requests_and_calls(&result);
    let ends: Vec<_> = requests.iter().map(|record| (record.id, ended(record))).collect();
    let dropped = (1.1, Outcome::Dropped);
    assert_eq!(ends.iter().map(|(_, end)| *end).collect::<Vec<_>>(), [dropped; 4]);
    let ends: Vec<_> = calls.iter().map(|call| (ended(call), call.parent.map(|p| p.waited))).collect();
    let completed = |at| ((at, Outcome::Completed), Some(false));
    assert_eq!(ends, [completed(1.35), completed(1.6)], "they end after their parents, which do not wait");
    let (api, db) = (server(&result, "api"), server(&result, "db"));
    assert_eq!((api.lost, api.completed, db.completed), (4, 0, 2));
    // Until they were lost, from 0.25 s and 0.5 s on, the requests held their slots.
    assert!((api.in_service_mean.expect("a mean") - (0.85 + 0.6) / 100.0).abs() < 1e-12);
}

#[test]
fn a_response_to_a_caller_that_is_down_is_lost() {
    let changes = r#"changes: [(at: "1.2s", of: "api", set: Down)]"#;
    let result = only_first(CALLER_AND_CALLEE, changes);
    let (requests, calls) = requests_and_calls(&result);
    assert_eq!(ended(requests[0]), (1.2, Outcome::Dropped));
    assert_eq!(ended(calls[0]), (2.1, Outcome::Dropped));
    assert_eq!(server(&result, "db").completed, 1, "the work was done");
}

#[test]
fn a_callee_that_goes_down_fails_the_requests_of_its_callers_at_once() {
    let changes = r#"changes: [(at: "1.5s", of: "db", set: Down), (at: "50s", of: "db", set: Up)]"#;
    let result = run_with_calls_logged(&first(3, EACH_SECOND, CALLER_AND_CALLEE, changes));
    let (requests, calls) = requests_and_calls(&result);
    let ends: Vec<_> = requests.iter().map(|record| ended(record)).collect();
    // The second one, at 2 s, finds the callee down; so does the third.
    let failed = |at| (at, Outcome::Failed);
    assert_eq!(ends, [failed(1.5), failed(2.1), failed(3.1)]);
    let ends: Vec<_> = calls.iter().map(|record| ended(record)).collect();
    assert_eq!(ends, [(1.5, Outcome::Dropped), (2.1, Outcome::Rejected), (3.1, Outcome::Rejected)]);
    let (first, api) = (requests[0], server(&result, "api"));
    assert_eq!(
        first.service,
        SimDuration::from_nanos(500_000_000),
        "its own 0.1 s, and 0.4 s of the service that was lost"
    );
    assert_eq!((api.completed, api.lost), (3, 0));
}

#[test]
fn a_call_that_is_lost_fails_in_the_instant_of_the_loss() {
    let nodes = r#""api": Server(concurrency: 9, service: Constant("10ms"), call: "db"),
        "db": Server(concurrency: 9, service: Constant("20ms"))"#;
    let links = r#"links: [(from: "api", to: "db", latency: Constant("5ms"), loss: 0.3)]"#;
    let result = run_with_calls_logged(&system(r#"Constant(rate: "20/s")"#, nodes, links));
    let mut counts = [0; 3];
    for record in requests_and_calls(&result).0 {
        let Some((at, outcome)) = record.finished else { continue };
        let latency = at.since(record.created).as_nanos() / 1_000_000;
        counts[match (latency, outcome) {
            (10, Outcome::Failed) => 0,
            // 10 + 5 + 20: it was lost when it was to travel back.
            (35, Outcome::Failed) => 1,
            (40, Outcome::Completed) => 2,
            other => panic!("{other:?}"),
        }] += 1;
    }
    let total: u32 = counts.iter().sum();
    let expected = [0.3, 0.7 * 0.3, 0.7 * 0.7].map(|share| share * f64::from(total));
    for (count, expected) in counts.into_iter().zip(expected) {
        let sd = (expected * (1.0 - expected / f64::from(total))).sqrt();
        assert!((f64::from(count) - expected).abs() < 4.0 * sd, "{counts:?}");
    }
    assert_eq!(result.calls.map(|calls| calls.of(Outcome::Dropped)), Some(u64::from(counts[0] + counts[1])));
}

#[test]
fn a_paused_caller_lets_the_requests_that_wait_for_calls_finish() {
    let changes = r#"changes: [(at: "1.5s", of: "api", set: Pause), (at: "50s", of: "api", set: Resume)]"#;
    let result = run_with_calls_logged(&first(2, EACH_SECOND, CALLER_AND_CALLEE, changes));
    let ends: Vec<_> = requests_and_calls(&result).0.iter().map(|record| ended(record)).collect();
    assert_eq!(ends, [(2.1, Outcome::Completed), (51.1, Outcome::Completed)]);
}

/// The stationary distribution of a caller with `slots` slots and places for `waiting` requests, and a callee with
/// `callee` slots: states (requests at the caller, those of them that wait for a call), with their probabilities.
///
/// Requests arrive at rate `arrivals`; services of the caller and the callee end at rates `own` and `called`. The balance
/// equations are solved by Gaussian elimination.
fn blocking_tandem(
    arrivals: f64,
    (slots, waiting, own): (usize, usize, f64),
    (callee, called): (usize, f64),
) -> Vec<((usize, usize), f64)> {
    let states: Vec<(usize, usize)> =
        (0..=slots + waiting).flat_map(|n| (0..=n.min(slots)).map(move |calling| (n, calling))).collect();
    let index = |state| states.iter().position(|other| *other == state).expect("a state");
    let size = states.len();
    // Row of a state: its balance of flows in and out.
    let mut matrix = vec![vec![0.0; size + 1]; size];
    for (from, &(n, calling)) in states.iter().enumerate() {
        let mut flow = |to, rate: f64| {
            matrix[index(to)][from] += rate;
            matrix[from][from] -= rate;
        };
        if n < slots + waiting {
            flow((n + 1, calling), arrivals);
        }
        let serving = n.min(slots) - calling;
        if serving > 0 {
            flow((n, calling + 1), serving as f64 * own);
        }
        if calling > 0 {
            flow((n - 1, calling - 1), calling.min(callee) as f64 * called);
        }
    }
    // One equation follows from the others: it is replaced by the sum of all probabilities.
    matrix[size - 1] = vec![1.0; size + 1];
    for pivot in 0..size {
        let largest =
            (pivot..size).max_by(|a, b| matrix[*a][pivot].abs().total_cmp(&matrix[*b][pivot].abs()));
        matrix.swap(pivot, largest.expect("there are rows left"));
        for row in 0..size {
            if row != pivot {
                let factor = matrix[row][pivot] / matrix[pivot][pivot];
                let pivot_row = matrix[pivot].clone();
                for (value, by) in matrix[row].iter_mut().zip(pivot_row).skip(pivot) {
                    *value -= factor * by;
                }
            }
        }
    }
    (0..size).map(|row| (states[row], matrix[row][size] / matrix[row][row])).collect()
}

statistical!(slots_held_during_calls_match_a_markov_chain, 30, 100);

fn slots_held_during_calls_match_a_markov_chain(replications: u64) {
    // (arrivals, slots, waiting, own service, slots of the callee, its service): the caller or the callee is the bottleneck.
    for (arrivals, slots, waiting, own, callee, called) in [
        (1.5, 2, 4, 0.5, 1, 0.4),
        (3.0, 3, 2, 0.8, 3, 0.5),
        (0.9, 1, 6, 0.3, 1, 0.5),
        (4.0, 8, 8, 0.1, 1, 0.3),
    ] {
        let system = scenario(&format!(
            r#"Scenario(
                name: "tandem", run_until: "4000s", warm_up: "200s",
                sources: {{ "users": (arrivals: Poisson(rate: "{arrivals}/s"), to: "api") }},
                nodes: {{
                    "api": Server(concurrency: {slots}, service: Exponential(mean: "{own}s"),
                                  queue: Fifo(capacity: {waiting}), call: "db"),
                    "db": Server(concurrency: {callee}, service: Exponential(mean: "{called}s")),
                }},
            )"#
        ));
        let rows = replicate(&system, replications, |result| {
            let level = |level: Option<f64>| level.expect("time has passed");
            let (api, db) = (server(&result, "api"), server(&result, "db"));
            let mean = |tally: &rushhour::engine::statistics::Tally| {
                tally.summarize().mean().expect("requests were served") * 1e-9
            };
            [
                level(api.queue_depth_mean),
                level(api.in_service_mean),
                level(db.in_service_mean),
                level(db.queue_depth_mean),
                mean(&source(&result, "users").latency),
                mean(api.call_time.expect("it makes calls")),
                api.rejected as f64 / api.arrived as f64,
            ]
        });
        let chain = blocking_tandem(arrivals, (slots, waiting, 1.0 / own), (callee, 1.0 / called));
        let mean = |of: &dyn Fn(usize, usize) -> usize| -> f64 {
            chain.iter().map(|&((n, calling), share)| of(n, calling) as f64 * share).sum()
        };
        let full = mean(&|n, _| usize::from(n == slots + waiting));
        let accepted = arrivals * (1.0 - full);
        assert_columns(
            &rows,
            &format!("{slots} slots calling {callee} at {arrivals}/s"),
            [
                ("mean number waiting", mean(&|n, _| n.saturating_sub(slots))),
                ("mean number in slots", mean(&|n, _| n.min(slots))),
                ("mean number in service at the callee", mean(&|_, calling| calling.min(callee))),
                ("mean number waiting at the callee", mean(&|_, calling| calling.saturating_sub(callee))),
                ("mean latency", mean(&|n, _| n) / accepted),
                ("mean time of a call", mean(&|_, calling| calling) / accepted),
                ("share rejected", full),
            ],
        );
    }
}

/// A random system of up to eight servers that call each other, some behind balancers and limiters, with losses, and
/// with servers that go down, pause and change their slots. Calls lead to servers of higher number, so that none cycles.
pub(crate) fn random_system(stream: &mut RandomStream, with_links: bool) -> Scenario {
    let servers = 2 + stream.index(7);
    let mut pick = |options: &[&str]| options[stream.index(options.len())].to_owned();
    let (mut nodes, mut links, mut changes) = (String::new(), String::new(), String::new());
    for number in 0..servers {
        let name = if number == 0 { "api".to_owned() } else { format!("s{number}") };
        let mut calls = Vec::new();
        for callee in number + 1..servers {
            let via = pick(&["s", "s", "b", "l"]);
            let patience = pick(&[
                "",
                "wait: false",
                "timeout: \"5ms\"",
                "timeout: \"20ms\", cancel: true",
                "timeout: \"60ms\", cancel: true",
                "cancel: true",
            ]);
            if pick(&["call", "call", "no"]) == "call" {
                calls.push(format!("(to: \"{via}{callee}\", {patience})"));
                if with_links && !links.contains(&format!("\"{name}\", to: \"{via}{callee}\"")) {
                    let latency = pick(&["0s", "7ms", "40ms"]);
                    let loss = pick(&["0", "0", "0.05"]);
                    links += &format!(
                        "(from: \"{name}\", to: \"{via}{callee}\", latency: Constant(\"{latency}\"), loss: {loss}),"
                    );
                }
            }
        }
        let slots = pick(&["1", "2", "10"]);
        let capacity = pick(&["0", "2", "1000"]);
        let queue =
            pick(&["Fifo(", "Lifo(", "RandomOrder(", "Priority(", "Fair(", "AdaptiveLifo(above: 3, "]);
        let service = pick(&[
            "Exponential(mean: \"10ms\")",
            "Constant(\"15ms\")",
            "Uniform(min: \"0s\", max: \"50ms\")",
            "Constant(\"0s\")",
        ]);
        nodes += &format!(
            "\"{name}\": Server(concurrency: {slots}, service: {service}, queue: {queue}capacity: {capacity}), call: [{}]),",
            calls.join(", ")
        );
        nodes += &format!(
            "\"b{number}\": LoadBalancer(policy: Random, to: [\"{name}\"]), \
             \"l{number}\": RateLimiter(rate: \"30/s\", burst: 3, to: \"{name}\"),"
        );
        for _ in 0..2 {
            let at = pick(&["0s", "150ms", "500ms", "500.000001ms", "900ms"]);
            changes +=
                &match pick(&["Down", "Up", "Pause", "Resume", "Concurrency(1)", "Concurrency(4)", "", ""]) {
                    set if set.is_empty() => set,
                    set => format!("(at: \"{at}\", of: \"{name}\", set: {set}),"),
                };
        }
    }
    let arrivals = pick(&["Constant(rate: \"40/s\")", "Poisson(rate: \"60/s\")"]);
    let entry = pick(&["api", "b0", "l0"]);
    let seed = stream.below(1 << 40);
    let text = format!(
        r#"Scenario(
            name: "random", seed: {seed}, run_until: "1.2s", arrivals_until: "1s",
            sources: {{ "users": (arrivals: {arrivals}, to: "{entry}") }},
            nodes: {{ {nodes} }}, links: [{links}], changes: [{changes}],
        )"#
    );
    // Of balancers and limiters without requests, the checks warn, which does not matter here.
    load("random.ron", text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{error}\n{text}")).scenario
}

#[test]
fn every_call_of_ten_thousand_random_trees_is_accounted_for() {
    let mut stream = RandomStream::from_seed(29);
    let mut by_outcome = [0_u64; Outcome::COUNT];
    let (mut trees, mut abandoned, mut lost_in_calls, mut cancelled) = (0_u64, 0, 0, 0);
    while trees < 10_000 {
        let with_links = stream.index(2) == 0;
        let system = random_system(&mut stream, with_links);
        let result = run_with_calls_logged(&system);
        assert_conservation("random", &result);
        let (requests, calls) = requests_and_calls(&result);
        trees += requests.len() as u64;
        for record in &result.requests {
            let Some((at, outcome)) = record.finished else { continue };
            let latency = at.since(record.created);
            let times = record.waiting + record.service + record.retries;
            assert!(times <= latency, "{record:?} in {system:?}");
            cancelled += u64::from(outcome == Outcome::TimedOut);
            if !with_links {
                assert_eq!(times, latency, "{record:?} in {system:?}");
            }
            lost_in_calls += u64::from(outcome == Outcome::Dropped && !record.retries.is_zero());
        }
        // The parent of each call comes before it, and has ended after it if it waited.
        for call in calls {
            let parent = call.parent.expect("it is a call");
            let made_by = result.requests.iter().find(|record| record.id == parent.id).expect("it is logged");
            assert!(parent.id < call.id && made_by.created <= call.created);
            if let Some((at, outcome)) = call.finished {
                by_outcome[outcome as usize] += 1;
                let parent_end = made_by.finished.map_or(SimTime::MAX, |(at, _)| at);
                assert!(!parent.waited || at <= parent_end, "{call:?}, {made_by:?}");
                abandoned += u64::from(!parent.waited);
            }
        }
        assert_every_arrival_is_accounted_for("random", &system);
    }
    let of = |outcome: Outcome| by_outcome[outcome as usize];
    let seen =
        [Outcome::Completed, Outcome::Rejected, Outcome::Failed, Outcome::Dropped, Outcome::Shed].map(of);
    assert!(
        seen.iter().all(|count| *count > 250) && abandoned > 300 && lost_in_calls > 50 && cancelled > 300,
        "too few of some kind for this test: {seen:?}, {abandoned} that nobody waited for, {lost_in_calls} lost, \
         {cancelled} cancelled"
    );
}

#[test]
fn the_width_of_ticks_does_not_change_a_system_with_calls() {
    let mut stream = RandomStream::from_seed(31);
    for _ in 0..20 {
        let system = random_system(&mut stream, true);
        assert_steps_change_nothing(&system, &run_with_calls_logged(&system), &mut stream);
    }
}

#[test]
fn the_pool_grows_in_the_middle_of_an_event_with_many_calls() {
    // The first batch has 1,024 rows: it is used up among the 60 calls of a request.
    let calls = vec![r#"(to: "log", wait: false)"#; 60].join(", ");
    let nodes = format!(
        r#""api": Server(concurrency: 100, service: Constant("0s"), call: [{calls}]),
        "log": Server(service: Constant("10s"))"#
    );
    let burst = first(100, r#"Constant(rate: "1000000/s")"#, &nodes, "");
    let result = run_with_calls_logged(&burst);
    assert_conservation("burst", &result);
    assert_eq!(result.calls.map(|calls| calls.offered), Some(6_000));
    let mut simulation =
        Simulation::new(&burst, RunOptions { max_in_flight: Some(500), ..RunOptions::default() })
            .expect("a scenario");
    simulation.advance(simulation.end(), u64::MAX);
    assert!(simulation.is_full());
    let stopped =
        simulation.finish().expect("all requests are accounted for").stopped.expect("it was stopped");
    assert!((440..=500).contains(&stopped.in_flight), "{stopped:?}");
}

#[test]
fn a_server_with_calls_has_all_slots_free_when_everything_has_ended() {
    let mut stream = RandomStream::from_seed(37);
    for _ in 0..100 {
        let mut system = random_system(&mut stream, true);
        system.run_until += SimDuration::from_seconds(100);
        system.changes.retain(|change| change.set.to_string() != "paused");
        let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
        assert!(simulation.advance(simulation.end(), u64::MAX));
        let world = simulation.world();
        let mut servers = world.try_query::<(&InFlight, &ServerConfig)>().expect("there are servers");
        assert!(servers.iter(world).all(|(in_flight, _)| in_flight.level.level() == 0), "{system:?}");
        let result = simulation.finish().expect("all requests are accounted for");
        let requests_in_flight: u64 = result.sources.iter().map(|source| source.outcomes.in_flight()).sum();
        assert_eq!((requests_in_flight, result.calls.map_or(0, |calls| calls.in_flight())), (0, 0));
    }
}

/// The mean number of requests that a server worked for in vain, times the length of the run, in milliseconds.
fn wasted(text: &str, server: &str) -> Option<f64> {
    let result = run_with_calls_logged(&scenario(text));
    let summary = serde_json::to_value(Summary::of(&result)).expect("a summary is JSON");
    let mean = summary["nodes"][server]["wasted_mean"].as_f64()?;
    Some((mean * result.end.as_seconds() * 1e3).round())
}

#[test]
fn work_for_calls_that_were_given_up_is_wasted() {
    let text = |call: &str| {
        format!(
            r#"(name: "waste", run_until: "20s",
                sources: {{"users": (arrivals: Constant(rate: "1/s"), max_requests: 1, to: "api")}},
                nodes: {{
                    "api": Server(endpoints: {{"e": (steps: [{call}])}}),
                    "middle": Server(endpoints: {{"e": (steps: [Cpu(Constant("500ms")), Call("database")])}}),
                    "database": Server(service: Constant("4s")),
                }})"#
        )
    };
    let plain = text(r#"Call("middle")"#);
    assert_eq!((wasted(&plain, "database"), wasted(&plain, "middle")), (None, None));
    // Nobody waits for the middle any more, and so nobody for the database.
    let given_up = text(r#"Call(to: "middle", timeout: "2s")"#);
    assert_eq!((wasted(&given_up, "database"), wasted(&given_up, "middle")), (Some(4000.0), Some(500.0)));
    // The cancellation ends the service.
    let cancelled = text(r#"Call(to: "database", timeout: "1500ms", cancel: true)"#);
    assert_eq!(wasted(&cancelled, "database"), Some(1500.0));
    // A call that nobody waited for from the start is not in vain.
    assert_eq!(wasted(&text(r#"Call(to: "database", wait: false)"#), "database"), None);
    // The first branch wins after a second, and the other one goes on, or ends.
    let branches = |cancel: bool| {
        text(&format!(
            r#"Parallel(join: First, cancel: {cancel}, branches: [[Io(Constant("1s"))], [Io(Constant("2s")), Cpu(Constant("1s"))]])"#
        ))
    };
    assert_eq!(
        (wasted(&branches(false), "api"), wasted(&branches(true), "api")),
        (Some(3000.0), Some(1000.0))
    );
}
