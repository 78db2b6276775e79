//! A change during the run takes effect at its time and affects only its setting. All requests stay accounted for.

use rushhour::analysis::findings;
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::metrics::result::RunResult;
use rushhour::model::metric::UTILIZATION;
use rushhour::model::queueing::WaitQueue;
use rushhour::model::server::{InFlight, ServerConfig};
use rushhour::request::{Outcome, RequestRecord};
use rushhour::scenario::{Scenario, load};
use rushhour::simulation::{RunOptions, Simulation};

use crate::harness::{
    Estimate, replicate, run_logged, run_once, scenario, scenario_with, server, server_in_row, source,
};

/// The text of a scenario with a source "s" that sends to "n", these nodes, and these changes.
fn system(arrivals: &str, nodes: &str, changes: &str) -> String {
    format!(
        r#"Scenario(name: "x", run_until: "60s", sources: {{ "s": (arrivals: {arrivals}, key: Uniform(0, 99), to: "n") }},
        nodes: {{ {nodes} }}, changes: [{changes}])"#
    )
}

fn at(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_nanos_f64(seconds * 1e9)
}

/// The numbers of waiting requests and of requests in service, by server.
fn waiting_and_in_service(simulation: &Simulation) -> Vec<(u32, u32)> {
    let world = simulation.world();
    let mut servers = world.try_query::<(&InFlight, &WaitQueue)>().expect("there are servers");
    servers.iter(world).map(|(in_service, queue)| (queue.depth.level(), in_service.level.level())).collect()
}

/// The records of the requests with this outcome, each with the time of the outcome.
fn ended(result: &RunResult, outcome: Outcome) -> Vec<(SimTime, &RequestRecord)> {
    let ended = result.requests.iter().filter_map(|record| Some((record.finished?, record)));
    ended.filter(|((_, other), _)| *other == outcome).map(|((at, _), record)| (at, record)).collect()
}

const GROUP: &str = r#""n": LoadBalancer(policy: Random, to: "m"),
    "m": Server(count: 3, concurrency: 4, service: Exponential(mean: "100ms"), queue: Fifo(capacity: 20))"#;

#[test]
fn a_server_that_goes_down_drops_its_requests_and_rejects_new_ones() {
    let text = system(
        r#"Poisson(rate: "110/s")"#,
        GROUP,
        r#"(at: "20s", of: "m-2", set: Down), (at: "25s", of: "m-2", set: Up)"#,
    );
    let system = scenario(&text);
    let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
    simulation.advance(SimTime::from_nanos(at(20.0).as_nanos() - 1), u64::MAX);
    let (waited, served) = waiting_and_in_service(&simulation)[2];
    assert!(waited > 0 && served == 4, "{waited} waiting, {served} in service: too few for this test");
    simulation.advance(at(20.0), 1);
    assert_eq!(waiting_and_in_service(&simulation)[2], (0, 0));
    let down = |simulation: &Simulation| -> Vec<bool> {
        let world = simulation.world();
        world.try_query::<&ServerConfig>().expect("servers").iter(world).map(ServerConfig::is_down).collect()
    };
    assert_eq!(down(&simulation), [false, false, true]);
    simulation.advance(at(25.0), u64::MAX);
    assert_eq!(down(&simulation), [false; 3]);

    let result = run_logged(&system);
    let figures = server(&result, "m-2");
    assert_eq!(figures.lost, u64::from(waited + served));
    let dropped = ended(&result, Outcome::Dropped);
    assert_eq!(dropped.len(), (waited + served) as usize);
    assert!(
        dropped.iter().all(|(when, record)| *when == at(20.0) && record.server == Some(server_in_row(2)))
    );
    // Rejections take no time, and occur only while it is down: with 20 places and 4 slots, the queue does not fill up.
    let rejected: Vec<_> = ended(&result, Outcome::Rejected)
        .into_iter()
        .filter(|(_, record)| record.server == Some(server_in_row(2)))
        .collect();
    let while_down = |when: SimTime| (at(20.0)..at(25.0)).contains(&when);
    let arrived = result
        .requests
        .iter()
        .filter(|record| record.server == Some(server_in_row(2)) && while_down(record.created));
    let dropped_at_creation = dropped.iter().filter(|(_, record)| while_down(record.created)).count();
    let rejected_while_down = rejected.iter().filter(|(when, _)| while_down(*when)).count();
    assert_eq!(rejected_while_down, arrived.count() - dropped_at_creation);
    assert!(rejected_while_down > 100, "{rejected_while_down}");
    assert!(
        rejected.iter().filter(|(when, _)| while_down(*when)).all(|(when, record)| *when == record.created)
    );
    // Its slots were available for 55 of 60 seconds, and busy for a part of that time.
    let (slots, busy) =
        (figures.slots_mean.expect("time passes"), figures.in_service_mean.expect("time passes"));
    assert!((slots - 4.0 * 55.0 / 60.0).abs() < 1e-9, "{slots}");
    assert!((figures.utilization.expect("it was up") - busy / slots).abs() < 1e-12);
}

#[test]
fn repeated_down_and_up_have_no_effect_and_settings_changed_while_down_apply_after_up() {
    let changes =
        r#"(at: "10s", of: "m", set: Up), (at: "20s", of: "m", set: Down), (at: "25s", of: "m", set: Up)"#;
    let more = r#"(at: "10s", of: "m", set: Up), (at: "20s", of: "m", set: Down), (at: "21s", of: "m", set: Down),
        (at: "25s", of: "m", set: Up), (at: "26s", of: "m", set: Up)"#;
    let text = |changes| system(r#"Poisson(rate: "100/s")"#, GROUP, changes);
    let [once, twice] = [changes, more].map(|changes| run_logged(&scenario(&text(changes))));
    assert_eq!((once.events + 2, once.requests), (twice.events, twice.requests));

    let while_down = r#"(at: "20s", of: "m", set: Down), (at: "21s", of: "m", set: Concurrency(1)),
        (at: "22s", of: "m", set: Queue(Fifo(capacity: 0))), (at: "25s", of: "m", set: Up)"#;
    let after_up = r#"(at: "20s", of: "m", set: Down), (at: "25s", of: "m", set: Up),
        (at: "25s", of: "m", set: Concurrency(1)), (at: "25s", of: "m", set: Queue(Fifo(capacity: 0)))"#;
    let [while_down, after_up] = [while_down, after_up].map(|changes| run_logged(&scenario(&text(changes))));
    assert_eq!(while_down.requests, after_up.requests);
    assert_eq!(server(&while_down, "m-0").concurrency, 1);
}

#[test]
fn a_response_whose_return_path_passes_a_server_that_is_down_is_dropped() {
    // Each request is at "n" for 10 ms and at "b" for a second. Those at "b" when "n" goes down cannot return.
    let nodes = r#""n": Server(concurrency: 9, service: Constant("10ms"), then: "b"),
        "b": Server(concurrency: 99, service: Constant("1s"))"#;
    let changes = r#"(at: "30.5s", of: "n", set: Down), (at: "32s", of: "n", set: Up)"#;
    let result = run_logged(&scenario(&system(r#"Constant(rate: "10/s")"#, nodes, changes)));
    let dropped = ended(&result, Outcome::Dropped);
    // Those created from 29.5 s to 30.4 s. The one created at 30.5 s is rejected by "n".
    assert_eq!(dropped.len(), 10, "{dropped:?}");
    assert!(dropped.iter().all(|(when, record)| {
        (at(29.5)..=at(30.4)).contains(&record.created)
            && *when == record.created + SimDuration::from_nanos(1_010_000_000)
    }));
    assert_eq!((server(&result, "n").lost, server(&result, "b").lost), (0, 0));
    assert_eq!(ended(&result, Outcome::Rejected).len(), 15);
}

#[test]
fn a_change_at_the_start_equals_the_setting_in_the_scenario() {
    let nodes = |slots: &str, service: &str, queue: &str, policy: &str, routing: &str| {
        format!(
            r#""n": LoadBalancer(policy: {policy}, to: "c"), "c": Client(count: 2, to: "m", routing: {routing}),
            "m": Server(count: 2, concurrency: {slots}, service: {service}, queue: {queue})"#
        )
    };
    let aware = r#"LoadAware(window: "2s", threshold: 0.8)"#;
    let (short, long) = (r#"Constant("90ms")"#, r#"Gamma(mean: "100ms", sd: "200ms")"#);
    let base = ["4", long, "Fifo(capacity: 30)", "Random", "Random"];
    let cases = [
        (0, "9", "m", "Concurrency(9)".to_owned()),
        (1, short, "m", format!("Service({short})")),
        (2, "Fifo(capacity: 2)", "m", "Queue(Fifo(capacity: 2))".to_owned()),
        (2, "Fifo()", "m", "Queue(Fifo())".to_owned()),
        (3, "KeyHash(salt: 3)", "n", "Policy(KeyHash(salt: 3))".to_owned()),
        (4, aware, "c", format!("Routing({aware})")),
    ];
    for (position, value, target, set) in cases {
        let run = |values: [&str; 5], changes: &str| {
            let [slots, service, queue, policy, routing] = values;
            let nodes = nodes(slots, service, queue, policy, routing);
            run_logged(&scenario(&system(r#"Poisson(rate: "75/s")"#, &nodes, changes)))
        };
        let mut values = base;
        values[position] = value;
        let from_start = run(values, "");
        let changed = run(base, &format!(r#"(at: "0s", of: "{target}", set: {set})"#));
        assert_eq!(from_start.requests, changed.requests, "{set}");
        assert_eq!(format!("{:?}", from_start.nodes), format!("{:?}", changed.nodes), "{set}");
        assert_ne!(from_start.fingerprint, changed.fingerprint, "a change is an event");
        assert_ne!(run(base, "").requests, changed.requests, "{set} has no effect");
        // A change at half time affects only the second half.
        let changed_at_half = run(base, &format!(r#"(at: "30s", of: "{target}", set: {set})"#));
        let before = |result: &RunResult| -> Vec<RequestRecord> {
            let has_ended =
                |record: &&RequestRecord| record.finished.is_some_and(|(when, _)| when < at(30.0));
            result.requests.iter().filter(has_ended).copied().collect()
        };
        assert_eq!(before(&changed_at_half), before(&run(base, "")), "{set}: before the change");
        assert_ne!(changed_at_half.requests, run(base, "").requests, "{set}: after the change");
    }
}

#[test]
fn changed_arrivals_start_at_the_change_and_keep_the_limits_of_the_source() {
    let arrivals = |changes: &str, overrides: &[&str]| -> Vec<f64> {
        let text = system(
            r#"Constant(rate: "1/s")"#,
            r#""n": Server(concurrency: 99, service: Constant("1ms"))"#,
            changes,
        );
        let result = run_logged(&scenario_with(&text, overrides));
        let mut arrivals: Vec<f64> =
            result.requests.iter().map(|record| record.created.as_seconds()).collect();
        arrivals.sort_unstable_by(f64::total_cmp);
        arrivals
    };
    let faster = r#"(at: "2.5s", of: "s", set: Arrivals(Constant(rate: "4/s")))"#;
    let limits = ["sources.s.stop=3.6s"];
    assert_eq!(arrivals(faster, &limits), [1.0, 2.0, 2.75, 3.0, 3.25, 3.5]);
    assert_eq!(arrivals(faster, &["sources.s.max_requests=4"]), [1.0, 2.0, 2.75, 3.0]);
    assert_eq!(arrivals(faster, &["sources.s.start=3s", limits[0]]), [3.25, 3.5]);
    // The arrival scheduled for exactly the time of the change is cancelled.
    let none = r#"(at: "3s", of: "s", set: Arrivals(Constant(rate: "0/s")))"#;
    assert_eq!(arrivals(none, &[]), [1.0, 2.0]);
    // The times of a varying rate count from the start of the run. A source that had stopped starts again.
    let again = format!(
        "{none}, {}",
        r#"(at: "10s", of: "s", set: Arrivals(Constant(rate: Steps([(at: "12s", rate: "2/s"), (at: "13s", rate: "0/s")]))))"#
    );
    assert_eq!(arrivals(&again, &[]), [1.0, 2.0, 12.5, 13.0]);
}

#[test]
fn removed_slots_finish_their_services_and_added_slots_take_waiting_requests() {
    // Requests arrive at 1, 2, .. 8 s and take 10 s each, in four slots, then two, then five.
    let nodes = r#""n": Server(concurrency: 4, service: Constant("10s"))"#;
    let changes =
        r#"(at: "6.5s", of: "n", set: Concurrency(2)), (at: "13.5s", of: "n", set: Concurrency(5))"#;
    let text = system(r#"Constant(rate: "1/s")"#, nodes, changes);
    let system = scenario_with(&text, &["sources.s.max_requests=8"]);
    let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
    let mut observed = Vec::new();
    for moment in [6.6, 11.1, 12.1, 13.1, 13.6, 14.1] {
        simulation.advance(at(moment), u64::MAX);
        observed.push(waiting_and_in_service(&simulation)[0]);
    }
    // At 11 s and 12 s a service ends and none starts; at 13 s one starts; at 13.5 s three more start.
    assert_eq!(observed, [(2, 4), (4, 3), (4, 2), (3, 2), (0, 5), (0, 4)]);
    let result = run_logged(&system);
    // Busy slots count until they are free: 6.5 s of 4, 4.5 s of 4, 1 s of 3, 1.5 s of 2, 46.5 s of 5.
    let slots = server(&result, "n").slots_mean.expect("time passes") * 60.0;
    assert!((slots - (26.0 + 18.0 + 3.0 + 3.0 + 232.5)).abs() < 1e-6, "{slots}");
    let busy = 8.0 * 10.0 / slots;
    assert!((server(&result, "n").utilization.expect("it was up") - busy).abs() < 1e-12);
    let load = result.timeline.mean_over(&UTILIZATION, &[server_in_row(0)]);
    // The intervals are a twentieth of a second.
    let load_at = |twentieth: usize| f64::from(load[twentieth]);
    assert!([90, 140, 230, 250, 276].map(load_at).iter().all(|load| (load - 1.0).abs() < 1e-6), "{load:?}");
    assert!(
        (load_at(290) - 0.8).abs() < 1e-6 && load.iter().all(|load| (0.0..=1.0).contains(load)),
        "{load:?}"
    );
}

#[test]
fn waiting_requests_stay_when_the_queue_capacity_is_reduced() {
    let nodes = r#""n": Server(service: Constant("10s"), queue: Fifo(capacity: 4))"#;
    let text =
        system(r#"Constant(rate: "1/s")"#, nodes, r#"(at: "4.5s", of: "n", set: Queue(Fifo(capacity: 2)))"#);
    let result = run_logged(&scenario_with(&text, &["sources.s.max_requests=30"]));
    let rejected: Vec<f64> =
        ended(&result, Outcome::Rejected).iter().map(|(when, _)| when.as_seconds()).collect();
    // Three requests wait at the change. The next request is admitted after two of them have left the queue.
    let admitted: Vec<f64> = (1..=30).map(f64::from).filter(|second| !rejected.contains(second)).collect();
    assert_eq!(admitted, [1.0, 2.0, 3.0, 4.0, 21.0]);
}

/// After a change, a system agrees with theory for its new settings, whatever they were before.
#[test]
fn changed_queues_agree_with_theory() {
    let wait = |before: &str, change: &str| {
        let text = system(
            r#"Poisson(rate: "8/s")"#,
            &format!(r#""n": Server({before})"#),
            &format!(r#"(at: "30s", of: {change})"#),
        );
        let system = scenario_with(&text, &["warm_up=60s", "run_until=1560s"]);
        Estimate::of(replicate(&system, 30, |result| {
            server(&result, "n").wait.summarize().mean().expect("requests came") / 1e9
        }))
    };
    // M/M/1: rho / (mu - lambda). M/M/2: rho^2 / (mu (1 - rho^2)). M/D/1: half of M/M/1.
    let slow = r#"service: Exponential(mean: "100ms")"#;
    wait(&format!("concurrency: 2, {slow}"), r#""n", set: Concurrency(1)"#)
        .assert_is("M/M/2 to M/M/1", 0.8 / 2.0);
    wait(slow, r#""n", set: Concurrency(2)"#).assert_is("M/M/1 to M/M/2", 0.16 / (10.0 * 0.84));
    wait(r#"service: Exponential(mean: "50ms")"#, r#""n", set: Service(Constant("100ms"))"#)
        .assert_is("M/M/1 to M/D/1", 0.5 * 0.8 / 2.0);
    wait(slow, r#""s", set: Arrivals(Poisson(rate: "5/s"))"#).assert_is("fewer arrivals", 0.5 / 5.0);
}

/// The window appends changes to a running simulation.
#[test]
fn a_run_with_appended_changes_equals_a_run_that_had_them_from_the_start() {
    let changes = r#"(at: "10s", of: "m", set: Concurrency(5)), (at: "20.000000001s", of: "m-0", set: Down),
        (at: "20.000000001s", of: "s", set: Arrivals(Poisson(rate: "150/s"))), (at: "31s", of: "m-0", set: Up)"#;
    let complete = scenario(&system(r#"Poisson(rate: "90/s")"#, GROUP, changes));
    let expected = run_once(&complete);
    let mut known = Scenario { changes: Vec::new(), ..complete.clone() };
    let mut simulation = Simulation::new(&known, RunOptions::default()).expect("a scenario");
    for change in &complete.changes {
        let before = SimTime::from_nanos(change.at.as_nanos() - 1);
        // Also stop between two events at the same time.
        simulation.advance(before, 17);
        simulation.advance(before, u64::MAX);
        known.changes.push(change.clone());
        simulation.append_changes(&known).expect("it is not too late");
    }
    let late =
        Scenario { changes: [&complete.changes[..], &complete.changes[..1]].concat(), ..complete.clone() };
    let problems = simulation.append_changes(&late).expect_err("10 s have passed");
    assert_eq!(problems[0].path.to_string(), "changes.4.at");
    let invalid = Scenario {
        changes: [&known.changes[..], &complete.changes[..1]].concat(),
        nodes: Default::default(),
        ..complete
    };
    assert!(simulation.append_changes(&invalid).is_err());
    simulation.advance(simulation.end(), u64::MAX);
    let result = simulation.finish().expect("all requests are accounted for");
    assert_eq!((result.events, result.fingerprint), (expected.events, expected.fingerprint));
    assert_eq!(format!("{:?}", result.nodes), format!("{:?}", expected.nodes));
    assert!(source(&result, "s").outcomes.of(Outcome::Dropped) > 0);
}

#[test]
fn all_errors_in_changes_are_reported_at_once_with_their_positions() {
    let nodes = r#""n": LoadBalancer(policy: Random, to: "c"), "c": Client(to: "m"), "m": Server(count: 2, service: Constant("1ms"))"#;
    let changes = r#"
        (at: "90s", of: "m", set: Up),
        (at: "1s", of: "mm", set: Down),
        (at: "1s", of: "c", set: Down),
        (at: "1s", of: ["m", "m-1"], set: Concurrency(0)),
        (at: "1s", of: "m", set: Service(Normal(mean: "1ms", sd: "9ms"))),
        (at: "1s", of: "s", set: Arrivals(Poisson(rate: Sine(mean: "1/s", amplitude: "2/s", period: "1s")))),
        (at: "1s", of: "c", set: Routing(LoadAware(window: "0s", threshold: 2.0))),
        (at: "1s", of: [], set: Policy(Random)),
        (at: "1s", of: "m", set: Queue(Fifo(capacity: -1))),
        (at: 5, of: "m", set: Dwon),
        (at: "1s", of: "s", set: Policy(Random)),"#;
    let text = system(r#"Constant(rate: "1/s")"#, nodes, changes);
    let diagnostics = load("x.ron", text.as_bytes(), &[]).expect_err("every change has an error").to_string();
    for expected in [
        "x.ron:3:14: changes.0.at: the run ends at 60s, before this change at 90s",
        "x.ron:4:24: changes.1.of: there is no node or group \"mm\"",
        "x.ron:5:34: changes.2.set: Down cannot be set for \"c\", which is a client",
        "x.ron:6:24: changes.3.of: \"m-1\" is named twice",
        "x.ron:6:43: changes.3.set: a server with 0 slots serves no requests",
        "changes.4.set.sd: 9ms is too wide",
        "changes.5.set.rate.amplitude: 2/s is more than the mean",
        "changes.6.set.window: with a window of 0 s",
        "changes.6.set.threshold: 2 is not a valid load",
        "changes.7.of: there is nothing to change",
        "changes.8.set.capacity: expected a whole number",
        "changes.9.at: 5 lacks a unit",
        "changes.9.set: unknown variant `Dwon`",
        "x.ron:13:34: changes.10.set: Policy cannot be set for \"s\", which is a source",
    ] {
        assert!(diagnostics.contains(expected), "{expected}\n{diagnostics}");
    }
}

/// Findings take scheduled changes into account: a server that is down causes no other finding than its rejections, and
/// the capacity follows the changes.
#[test]
fn findings_of_a_run_with_changes_are_correct() {
    let finding_names = |arrivals: &str, changes: &str| -> Vec<String> {
        let nodes = GROUP.replace("Random", "RoundRobin");
        let scenario = scenario(&system(&format!("Poisson(rate: \"{arrivals}\")"), &nodes, changes));
        let result = run_once(&scenario);
        let findings = findings(&scenario, &result);
        findings.iter().map(|finding| format!("{} of {}", finding.kind().name(), finding.subject)).collect()
    };
    let down = r#"(at: "20s", of: "m-2", set: Down), (at: "40s", of: "m-2", set: Up)"#;
    assert_eq!(finding_names("60/s", down), ["rejection of m-2"]);
    // Half of the slots are too few for 20 seconds. Before and after, there are more than enough.
    let fewer = r#"(at: "20s", of: "m", set: Concurrency(2)), (at: "40s", of: "m", set: Concurrency(4))"#;
    let names = finding_names("90/s", fewer);
    assert!(names.contains(&"overload of m".to_owned()), "{names:?}");
    // Always within the capacity of the three servers, before and after both changes.
    let more = r#"(at: "30s", of: "m", set: Concurrency(12)), (at: "30s", of: "s", set: Arrivals(Poisson(rate: "240/s")))"#;
    let names = finding_names("60/s", more);
    assert!(!names.iter().any(|name| name.starts_with("overload")), "{names:?}");
}

#[test]
fn a_paused_server_keeps_its_queue_and_loses_nothing() {
    let nodes = r#""n": Server(concurrency: 2, service: Constant("10ms"), then: "b"), "b": Server(service: Constant("1ms"))"#;
    let changes = r#"(at: "20s", of: "n", set: Pause), (at: "22s", of: "n", set: Resume)"#;
    let text = system(r#"Constant(rate: "100/s")"#, nodes, changes);
    let result = run_logged(&scenario(&text));
    let (figures, outcomes) = (server(&result, "n"), &result.sources[0].outcomes);
    assert_eq!((figures.rejected, figures.lost, outcomes.failures()), (0, 0, 0));
    // The requests of two seconds wait, and one more arrives before the pause ends.
    assert!((199..=201).contains(&figures.queue_depth_max), "{}", figures.queue_depth_max);
    // The first of them waits for the whole pause; then the server catches up by 100 requests a second.
    let longest = result.requests.iter().map(|record| record.waiting.as_seconds()).fold(0.0, f64::max);
    assert!((longest - 2.0).abs() < 0.02, "{longest}");
    let late = result.requests.iter().filter(|record| record.waiting.as_seconds() > 0.0);
    let last = late.map(|record| record.created.as_seconds()).fold(0.0, f64::max);
    assert!((last - 24.0).abs() < 0.1, "{last}");
    // Services in progress were completed, and their responses passed.
    assert!(ended(&result, Outcome::Dropped).is_empty());
}

#[test]
fn pause_and_outage_are_independent() {
    let nodes = r#""n": Server(concurrency: 2, service: Constant("10ms"))"#;
    let run = |changes: &str| run_logged(&scenario(&system(r#"Constant(rate: "100/s")"#, nodes, changes)));
    // Up does not end a pause, and Resume does not end an outage.
    let up = run(
        r#"(at: "20s", of: "n", set: Pause), (at: "21s", of: "n", set: Down), (at: "22s", of: "n", set: Up),
        (at: "23s", of: "n", set: Resume)"#,
    );
    let waited = up.requests.iter().map(|record| record.waiting.as_seconds()).fold(0.0, f64::max);
    assert!((waited - 1.0).abs() < 0.02, "those that came after 22 s waited until 23 s: {waited}");
    assert_eq!(server(&up, "n").rejected, 100);
    let resumed = run(
        r#"(at: "20s", of: "n", set: Down), (at: "21s", of: "n", set: Resume), (at: "22s", of: "n", set: Up)"#,
    );
    assert_eq!(server(&resumed, "n").rejected, 200);
    // Concurrency that is set in a pause counts from its end.
    let slots = run(
        r#"(at: "20s", of: "n", set: Pause), (at: "20.5s", of: "n", set: Concurrency(9)), (at: "21s", of: "n", set: Resume)"#,
    );
    assert_eq!((server(&slots, "n").concurrency, server(&slots, "n").rejected), (9, 0));
}
