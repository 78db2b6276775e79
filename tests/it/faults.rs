//! Faults: what each does, exactly, to requests whose times are known, and what several of them do at the same time.

use rushhour::engine::random::{Draw, RandomStream};
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::metrics::result::RunResult;
use rushhour::model::fault::FaultSpec;
use rushhour::model::parts::NodeSpec;
use rushhour::request::{Outcome, RequestRecord};
use rushhour::scenario::Scenario;
use rushhour::scenario::check::check;

use crate::harness::{assert_steps_change_nothing, run_with_calls_logged, scenario, server};
use crate::littles_law::{assert_conservation, assert_every_arrival_is_accounted_for};
use crate::{calls, endpoints};

/// A run of a source that sends a number of requests, at 1 s, 2 s, ..., to "a", with these faults.
fn run(requests: u64, nodes: &str, links: &str, faults: &str) -> RunResult {
    run_with_calls_logged(&scenario(&format!(
        r#"(
            name: "faults", run_until: "100s",
            sources: {{"users": (arrivals: Constant(rate: "1/s"), max_requests: {requests}, to: "a")}},
            nodes: {{{nodes}}}, links: [{links}], faults: {{{faults}}},
        )"#
    )))
}

/// When each request of the source ended in seconds, and how.
fn ends(result: &RunResult) -> Vec<(f64, Outcome)> {
    let mut records: Vec<&RequestRecord> =
        result.requests.iter().filter(|record| record.parent.is_none()).collect();
    records.sort_by_key(|record| record.id);
    let end = |record: &RequestRecord| record.finished.map(|(at, outcome)| (at.as_seconds(), outcome));
    records.into_iter().filter_map(end).collect()
}

/// Asserts when the requests end that reach a server with these fields at 1 s, 2 s, ..., all of them completed.
fn assert_ends(server: &str, faults: &str, expected: &[f64]) {
    let result = run(expected.len() as u64, &format!("\"a\": Server({server})"), "", faults);
    let expected: Vec<_> = expected.iter().map(|at| (*at, Outcome::Completed)).collect();
    assert_eq!(ends(&result), expected, "{server} with {faults}");
    assert_conservation(server, &result);
}

const PAUSE: &str = r#""gc": (of: "a", what: Pause, at: "3s", for: "4s")"#;
const SLOW: &str = r#""slow": (of: "a", what: Slow(2.0), at: "3s", for: "4s")"#;

#[test]
fn a_pause_stops_what_is_in_progress_and_what_waits() {
    // Each needs 5 s: two of them in 1 s and 2 s, then four seconds in which nothing goes on.
    assert_ends(r#"concurrency: 9, service: Constant("5s")"#, PAUSE, &[10.0, 11.0]);
    assert_ends(r#"concurrency: 1, service: Constant("5s")"#, PAUSE, &[10.0, 15.0]);
    // The third one arrives when the pause begins, and waits for its end.
    assert_ends(r#"concurrency: 9, service: Constant("5s")"#, PAUSE, &[10.0, 11.0, 12.0, 12.0]);
    // One that ends in the very instant in which the pause begins waits for its end.
    assert_ends(r#"concurrency: 9, service: Constant("2s")"#, PAUSE, &[7.0, 8.0]);
    let steps = |steps: &str| format!("endpoints: {{\"e\": (steps: [{steps}])}}");
    assert_ends(&steps(r#"Cpu(Constant("5s"))"#), PAUSE, &[10.0, 11.0]);
    assert_ends(&format!("cores: 1, {}", steps(r#"Cpu(Constant("5s"))"#)), PAUSE, &[10.0, 15.0]);
    // I/O goes on, but what follows waits for the end of the pause.
    assert_ends(&steps(r#"Io(Constant("5s"))"#), PAUSE, &[7.0, 7.0]);
    assert_ends(&steps(r#"Io(Constant("5s")), Cpu(Constant("1s"))"#), PAUSE, &[8.0, 8.0]);
    assert_ends(&steps(r#"Io(Constant("7s"))"#), PAUSE, &[8.0, 9.0]);
    // Two computations share a core: 1 s alone, 1 s of half the speed, and then 4 and 4.5 s of work are left.
    let shared = format!("cores: 1, sharing: ProcessorSharing, {}", steps(r#"Cpu(Constant("5s"))"#));
    assert_ends(&shared, PAUSE, &[14.0, 15.0]);
    // A service that may be interrupted goes on where it was.
    let preemptive = r#"service: Constant("5s"), queue: Priority(preemptive: true)"#;
    assert_ends(preemptive, PAUSE, &[10.0, 15.0]);
}

#[test]
fn a_response_to_a_call_is_not_noticed_in_a_pause() {
    let nodes = |timeout: &str| {
        format!(
            r#""a": Server(endpoints: {{"e": (steps: [Call(to: "b", {timeout}), Cpu(Constant("1s"))])}}),
            "b": Server(service: Constant("4s"))"#
        )
    };
    assert_eq!(ends(&run(1, &nodes(""), "", PAUSE)), [(8.0, Outcome::Completed)]);
    // The call is given up at 4 s; the caller answers after the pause.
    assert_eq!(ends(&run(1, &nodes("timeout: \"3s\""), "", PAUSE)), [(7.0, Outcome::Failed)]);
    // A pause of the called server.
    let pause = r#""gc": (of: "b", what: Pause, at: "3s", for: "4s")"#;
    assert_eq!(ends(&run(1, &nodes(""), "", pause)), [(10.0, Outcome::Completed)]);
}

#[test]
fn a_call_that_stands_still_can_be_cancelled_and_lost() {
    let nodes = r#""a": Server(endpoints: {"e": (steps: [Call(to: "b", timeout: "4s", cancel: true)])}),
        "b": Server(service: Constant("6s"))"#;
    let pause = r#""gc": (of: "b", what: Pause, at: "3s", for: "4s")"#;
    let result = run(3, nodes, "", pause);
    let failed = |at| (at, Outcome::Failed);
    assert_eq!(ends(&result), [failed(5.0), failed(6.0), failed(7.0)]);
    assert_conservation("cancelled", &result);
    assert_eq!(server(&result, "b").completed, 0);
    // It crashes while it stands still, and is up again before the pause is over.
    let crash = r#""crash": (of: "b", what: Crash, at: "4s", for: "1s")"#;
    let nodes =
        r#""a": LoadBalancer(policy: Random, to: "b"), "b": Server(concurrency: 2, service: Constant("2s"))"#;
    let result = run(6, nodes, "", &format!("{pause}, {crash}"));
    let expected = [
        (4.0, Outcome::Dropped),
        (4.0, Outcome::Dropped),
        (4.0, Outcome::Dropped),
        (4.0, Outcome::Rejected),
        (9.0, Outcome::Completed),
        (9.0, Outcome::Completed),
    ];
    assert_eq!(ends(&result)[..3], expected[..3]);
    assert_eq!(ends(&result)[4..], expected[4..]);
    assert_conservation("crashed", &result);
}

#[test]
fn a_slow_server_takes_longer_for_what_is_in_progress() {
    // Of 5 s each, 2 and 1 s are done at 3 s, and 2 s of work are done in the 4 s that follow.
    assert_ends(r#"concurrency: 9, service: Constant("5s")"#, SLOW, &[8.0, 9.0]);
    // The next one begins at 8 s, at full speed; the one at 4 s does half of its work until 7 s.
    assert_ends(r#"concurrency: 9, service: Constant("3s")"#, SLOW, &[5.0, 7.0, 8.0, 8.5]);
    let steps = |steps: &str| format!("endpoints: {{\"e\": (steps: [{steps}])}}");
    assert_ends(&steps(r#"Cpu(Constant("5s"))"#), SLOW, &[8.0, 9.0]);
    assert_ends(&steps(r#"Io(Constant("5s"))"#), SLOW, &[6.0, 7.0]);
    let shared = format!("cores: 1, sharing: ProcessorSharing, {}", steps(r#"Cpu(Constant("5s"))"#));
    // As without the fault (10 s and 11 s), but 2 s later.
    assert_ends(&shared, SLOW, &[12.0, 13.0]);
    // Twice as slow, and three times as slow from 5 s on: 2 s, 1 s and 1/3 s are done at 7 s.
    let both = format!("{SLOW}, \"slower\": (of: \"a\", what: Slow(3.0), at: \"5s\", for: \"2s\")");
    let result = run(1, r#""a": Server(service: Constant("6s"))"#, "", &both);
    let end = ends(&result)[0].0;
    assert!((end - (7.0 + 8.0 / 3.0)).abs() < 1e-8, "{end}");
}

#[test]
fn capacity_is_taken_away_and_comes_back() {
    let faults = r#""half": (of: "a", what: Capacity(0.5), at: "500ms", for: "9s")"#;
    // Two of four slots are left: the third and the fourth request wait for the first two.
    assert_ends(r#"concurrency: 4, service: Constant("5s")"#, faults, &[6.0, 7.0, 11.0, 12.0]);
    // With the third slot, the third one begins at 9.5 s.
    assert_ends(r#"concurrency: 3, service: Constant("5s")"#, faults, &[6.0, 11.0, 14.5, 14.5]);
    let nearly = r#""low": (of: "a", what: Capacity(0.3), at: "0s")"#;
    let result = run(40, r#""a": Server(concurrency: 10, service: Constant("5s"))"#, "", nearly);
    assert_eq!(server(&result, "a").slots_mean, Some(3.0), "0.3 of 10 slots are 3");
}

#[test]
fn a_crash_loses_what_the_server_holds() {
    let faults = r#""crash": (of: "a", what: Crash, at: "3500ms", for: "2s")"#;
    let result = run(6, r#""a": Server(service: Constant("2s"))"#, "", faults);
    let outcomes: Vec<_> = ends(&result);
    let expected = [
        (3.0, Outcome::Completed),
        (3.5, Outcome::Dropped),
        (3.5, Outcome::Dropped),
        (4.0, Outcome::Rejected),
        (5.0, Outcome::Rejected),
        (8.0, Outcome::Completed),
    ];
    assert_eq!(outcomes, expected);
    // A change takes it down for longer: the end of the fault does not bring it up.
    let longer = scenario(&format!(
        r#"(name: "both", run_until: "20s", sources: {{"users": (arrivals: Constant(rate: "1/s"), to: "a")}},
            nodes: {{"a": Server(service: Constant("1ms"))}}, faults: {{{faults}}},
            changes: [(at: "4500ms", of: "a", set: Down), (at: "9500ms", of: "a", set: Up)])"#
    ));
    assert_eq!(server(&run_with_calls_logged(&longer), "a").rejected, 6);
}

#[test]
fn errors_come_after_the_service_and_add_up() {
    let faults = r#""e": (of: "a", what: Errors(1.0), at: "1500ms", for: "1s")"#;
    let result = run(3, r#""a": Server(service: Constant("100ms"))"#, "", faults);
    assert_eq!(ends(&result), [(1.1, Outcome::Completed), (2.1, Outcome::Failed), (3.1, Outcome::Completed)]);
    let both = r#""e": (of: "a", what: Errors(0.3), at: "0s"), "f": (of: "a", what: Errors(0.2), at: "0s")"#;
    let text = format!(
        r#"(name: "errors", run_until: "1000s", sources: {{"users": (arrivals: Poisson(rate: "20/s"), to: "a")}},
            nodes: {{"a": Server(concurrency: 50, service: Exponential(mean: "10ms"))}}, faults: {{{both}}})"#
    );
    let result = run_with_calls_logged(&scenario(&text));
    let outcomes = result.sources[0].outcomes;
    let ended = outcomes.ended() as f64;
    let failed = outcomes.of(Outcome::Failed) as f64;
    crate::harness::assert_count("errors", failed, 0.44 * ended, 0.44 * 0.56 * ended);
}

const LINK: &str = r#"(from: "users", to: "a", latency: Constant("100ms"))"#;

#[test]
fn added_latencies_add_up_and_do_not_concern_messages_on_their_way() {
    let faults = r#""one": (of: "users -> a", what: Latency(add: Constant("200ms")), at: "1050ms", for: "3s"),
        "two": (of: "* -> a", what: Latency(add: Constant("300ms"), direction: Requests), at: "2050ms", for: "1s")"#;
    let result = run(5, r#""a": Server(service: Constant("10ms"))"#, LINK, faults);
    let latencies: Vec<f64> =
        ends(&result).iter().zip(1..).map(|((at, _), sent)| ((at - f64::from(sent)) * 1e3).round()).collect();
    // The first request is on its way when the first fault begins, but not its response.
    assert_eq!(latencies, [410.0, 610.0, 910.0, 410.0, 210.0]);
}

#[test]
fn a_partition_loses_messages_in_its_direction() {
    let run = |direction: &str| {
        let faults = format!(
            r#""cut": (of: "users -> a", what: Partition(direction: {direction}), at: "1500ms", for: "2s")"#
        );
        run(4, r#""a": Server(service: Constant("10ms"))"#, LINK, &faults)
    };
    let (both, out, back) = (run("Both"), run("Requests"), run("Responses"));
    let dropped = |result: &RunResult| result.sources[0].outcomes.of(Outcome::Dropped);
    assert_eq!([&both, &out, &back].map(dropped), [2, 2, 2]);
    // The server has worked for requests whose responses are lost.
    assert_eq!([&both, &out, &back].map(|result| server(result, "a").completed), [2, 2, 4]);
    assert_eq!([&both, &out, &back].map(|result| result.links[0].lost), [2, 2, 2]);
}

#[test]
fn losses_are_independent_of_those_of_the_link() {
    let text = r#"(name: "loss", run_until: "2000s",
        sources: {"users": (arrivals: Poisson(rate: "20/s"), to: "a")},
        nodes: {"a": Server(concurrency: 9, service: Constant("1ms"))},
        links: [(from: "users", to: "a", loss: 0.1, response_loss: 0.0)],
        faults: {"l": (of: "users -> a", what: Loss(probability: 0.2, direction: Requests), at: "0s"),
                 "m": (of: "users -> a", what: Loss(probability: 0.5, direction: Requests), at: "1000s")})"#;
    let result = run_with_calls_logged(&scenario(text));
    for (half, probability) in [(false, 1.0 - 0.9 * 0.8), (true, 1.0 - 0.9 * 0.8 * 0.5)] {
        let own =
            || result.requests.iter().filter(move |record| (record.created.as_seconds() >= 1000.0) == half);
        let lost =
            own().filter(|record| record.finished.is_some_and(|(_, outcome)| outcome == Outcome::Dropped));
        let (all, lost) = (own().count() as f64, lost.count() as f64);
        crate::harness::assert_count(
            "lost",
            lost,
            probability * all,
            probability * (1.0 - probability) * all,
        );
    }
}

#[test]
fn a_surge_adds_requests_and_leaves_the_others_as_they_are() {
    let system = |faults: &str, rate: &str| {
        run_with_calls_logged(&scenario(&format!(
            r#"(name: "surge", run_until: "100s",
                sources: {{"users": (arrivals: {rate}, to: "a")}},
                nodes: {{"a": Server(concurrency: 99, service: Constant("1ms"))}}, faults: {{{faults}}})"#
        )))
    };
    let surge = r#""s": (of: "users", what: Surge(3.0), at: "20s", for: "10s")"#;
    let constant = r#"Constant(rate: "10/s")"#;
    let created = |result: &RunResult| -> Vec<SimTime> {
        let mut created: Vec<SimTime> = result.requests.iter().map(|record| record.created).collect();
        created.sort_unstable();
        created
    };
    let (without, with) = (created(&system("", constant)), created(&system(surge, constant)));
    // The last request of the surge would come in the instant of its end.
    assert_eq!((without.len(), with.len()), (1000, 1000 + 199));
    let poisson = r#"Poisson(rate: Steps([(at: "0s", rate: "10/s"), (at: "25s", rate: "30/s")]))"#;
    let (without, with) = (created(&system("", poisson)), created(&system(surge, poisson)));
    assert!(without.iter().all(|at| with.binary_search(at).is_ok()), "all requests of before are there");
    let extra: Vec<f64> =
        with.iter().filter(|at| without.binary_search(at).is_err()).map(|at| at.as_seconds()).collect();
    assert!(extra.iter().all(|at| (20.0..30.0).contains(at)));
    crate::harness::assert_count("surge", extra.len() as f64, 400.0, 400.0);
    // Two at the same time add up: two and three times the rate in addition.
    let two = r#""s": (of: "users", what: Surge(3.0), at: "20s", for: "10s"),
        "t": (of: "users", what: Surge(4.0), at: "25s", for: "10s")"#;
    assert_eq!(created(&system(two, constant)).len(), 1000 + 199 + 299);
}

#[test]
fn an_unlucky_one_of_a_group_is_picked_anew_each_time() {
    let text = r#"(name: "one", run_until: "1000s",
        sources: {"users": (arrivals: Poisson(rate: "1/s"), to: "lb")},
        nodes: {"lb": LoadBalancer(policy: RoundRobin, to: "s"), "s": Server(count: 4, service: Constant("1ms"))},
        faults: {"f": (of: "s", which: One, what: Crash, every: Constant("4s"), lasts: Constant("1s"))})"#;
    let result = run_with_calls_logged(&scenario(text));
    let fault = &result.faults[0];
    assert_eq!((fault.count, fault.time), (200, SimDuration::from_seconds(200)));
    for server in 0..4 {
        let own = fault.times.iter().filter(|time| time.of == format!("s-{server}")).count();
        crate::harness::assert_count("times", own as f64, 50.0, 200.0 * 0.25 * 0.75);
    }
    let at = SimTime::ZERO + SimDuration::from_seconds(4);
    assert_eq!((fault.times[0].from, fault.times[0].to), (at, Some(at + SimDuration::from_seconds(1))));
}

#[test]
fn faults_are_recorded_up_to_a_limit_and_counted_beyond() {
    let text = r#"(name: "many", run_until: "1000s", sources: {"users": (arrivals: Poisson(rate: "1/s"), to: "s")},
        nodes: {"s": Server(service: Constant("1ms"))},
        faults: {"f": (of: "s", what: Pause, from: "100s", until: "900s", every: Constant("90ms"), lasts: Constant("10ms"))})"#;
    let fault = &run_with_calls_logged(&scenario(text)).faults[0];
    assert_eq!((fault.count, fault.times.len()), (8000, 2000));
    assert_eq!(fault.time, SimDuration::from_seconds(80));
}

/// Adds random faults to all kinds of parts of a system.
pub(crate) fn add_faults(system: &mut Scenario, stream: &mut RandomStream) {
    let servers = system.nodes.iter().filter(|(_, spec)| matches!(spec, NodeSpec::Server(_)));
    let servers: Vec<String> = servers.map(|(name, _)| name.clone()).collect();
    let links: Vec<String> = system.links.iter().map(rushhour::model::link::LinkSpec::name).collect();
    for number in 0..6 {
        let mut pick = |options: &[&str]| options[stream.index(options.len())].to_owned();
        let of_server = pick(&["Crash", "Pause", "Pause", "Slow(3.0)", "Capacity(0.4)", "Errors(0.3)"]);
        let of_link = pick(&[
            "Partition",
            "Loss(probability: 0.5, direction: Responses)",
            "Latency(add: Exponential(mean: \"20ms\"))",
        ]);
        let when = pick(&[
            "at: \"100ms\", for: \"300ms\"",
            "at: \"500ms\"",
            "every: Exponential(mean: \"100ms\"), lasts: Exponential(mean: \"50ms\")",
            "every: Constant(\"50ms\"), lasts: Constant(\"50ms\")",
            "every: Exponential(mean: \"5ms\"), lasts: Constant(\"0s\"), which: One",
        ]);
        let (what, of) = match stream.index(8) {
            0 => ("Surge(2.5)".to_owned(), "users".to_owned()),
            1 | 2 if !links.is_empty() => (of_link, links[stream.index(links.len())].clone()),
            _ => (of_server, servers[stream.index(servers.len())].clone()),
        };
        let text = format!("(of: \"{of}\", what: {what}, {when})");
        let fault: FaultSpec = rushhour::text::Document::parse("fault", text.as_bytes())
            .ok()
            .and_then(|document| document.decode::<FaultSpec>().value)
            .unwrap_or_else(|| panic!("{text}"));
        system.faults.insert(format!("f{number}"), fault);
        if !check(system).is_empty() {
            system.faults.pop();
        }
    }
}

#[test]
fn every_request_of_random_systems_with_faults_is_accounted_for() {
    let mut stream = RandomStream::from_seed(41);
    let mut faults = 0;
    for number in 0..200 {
        let mut system = match number % 2 {
            0 => calls::random_system(&mut stream, number % 4 == 0),
            _ => endpoints::random_system(&mut stream),
        };
        system.run_until = system.run_until.min(SimDuration::from_seconds(3));
        add_faults(&mut system, &mut stream);
        let result = run_with_calls_logged(&system);
        faults += result.faults.iter().map(|fault| fault.count).sum::<u64>();
        assert_conservation("random", &result);
        if number % 2 == 0 {
            assert_every_arrival_is_accounted_for("random", &system);
        }
        assert_steps_change_nothing(&system, &result, &mut stream);
    }
    assert!(faults > 2_000, "{faults}");
}

#[test]
fn everything_is_free_again_when_all_faults_are_over() {
    let mut stream = RandomStream::from_seed(43);
    for number in 0..200 {
        let mut system = match number % 2 {
            0 => calls::random_system(&mut stream, true),
            _ => endpoints::random_system(&mut stream),
        };
        system.changes.clear();
        add_faults(&mut system, &mut stream);
        for fault in system.faults.values_mut() {
            // Before the end of the arrivals.
            fault.lasting = fault.at.map(|_| SimDuration::from_nanos(300_000_000));
            fault.until = fault.every.as_ref().map(|_| SimDuration::from_nanos(900_000_000));
        }
        system.run_until += SimDuration::from_seconds(100);
        assert_eq!(check(&system), []);
        let result = run_with_calls_logged(&system);
        let in_flight: u64 = result.sources.iter().map(|source| source.outcomes.in_flight()).sum();
        assert_eq!((in_flight, result.calls.map_or(0, |calls| calls.in_flight())), (0, 0), "{system:?}");
    }
}
