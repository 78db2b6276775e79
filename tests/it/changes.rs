//! What changes while a run goes on changes just that, at its moment, and nothing is lost track of.

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

/// A source of requests, some parts behind it, and what changes.
fn system(arrivals: &str, nodes: &str, changes: &str) -> String {
    format!(
        r#"Scenario(name: "x", run_until: "60s", sources: {{ "s": (arrivals: {arrivals}, key: Uniform(0, 99), to: "n") }},
        nodes: {{ {nodes} }}, changes: [{changes}])"#
    )
}

fn at(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_nanos_f64(seconds * 1e9)
}

/// Requests that wait and that are served, by server, at a moment.
fn inside(simulation: &Simulation) -> Vec<(u32, u32)> {
    let world = simulation.world();
    let mut servers = world.try_query::<(&InFlight, &WaitQueue)>().expect("there are servers");
    servers.iter(world).map(|(in_flight, queue)| (queue.depth.level(), in_flight.level.level())).collect()
}

fn ended(result: &RunResult, outcome: Outcome) -> Vec<(SimTime, &RequestRecord)> {
    let ended = result.requests.iter().filter_map(|record| Some((record.finished?, record)));
    ended.filter(|((_, other), _)| *other == outcome).map(|((at, _), record)| (at, record)).collect()
}

const GROUP: &str = r#""n": LoadBalancer(policy: Random, to: "m"),
    "m": Server(count: 3, concurrency: 4, service: Exponential(mean: "100ms"), queue: Fifo(capacity: 20))"#;

#[test]
fn a_server_that_goes_down_loses_what_it_has_and_refuses_who_comes() {
    let text = system(
        r#"Poisson(rate: "110/s")"#,
        GROUP,
        r#"(at: "20s", of: "m-2", set: Down), (at: "25s", of: "m-2", set: Up)"#,
    );
    let system = scenario(&text);
    let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
    simulation.advance(SimTime::from_nanos(at(20.0).as_nanos() - 1), u64::MAX);
    let (waited, served) = inside(&simulation)[2];
    assert!(waited > 0 && served == 4, "{waited} wait, {served} are served: not much to lose");
    simulation.advance(at(20.0), 1);
    assert_eq!(inside(&simulation)[2], (0, 0));
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
    // In no time, and only while it is down: with twenty places and four slots nobody else is turned away here.
    let rejected: Vec<_> = ended(&result, Outcome::Rejected)
        .into_iter()
        .filter(|(_, record)| record.server == Some(server_in_row(2)))
        .collect();
    let meanwhile = |when: SimTime| (at(20.0)..at(25.0)).contains(&when);
    let came = result
        .requests
        .iter()
        .filter(|record| record.server == Some(server_in_row(2)) && meanwhile(record.created));
    let lost_at_once = dropped.iter().filter(|(_, record)| meanwhile(record.created)).count();
    let refused = rejected.iter().filter(|(when, _)| meanwhile(*when)).count();
    assert_eq!(refused, came.count() - lost_at_once);
    assert!(refused > 100, "{refused}");
    assert!(
        rejected.iter().filter(|(when, _)| meanwhile(*when)).all(|(when, record)| *when == record.created)
    );
    // It offered its slots for 55 of 60 seconds, and was busy for a part of those.
    let (slots, busy) =
        (figures.slots_mean.expect("time passes"), figures.in_flight_mean.expect("time passes"));
    assert!((slots - 4.0 * 55.0 / 60.0).abs() < 1e-9, "{slots}");
    assert!((figures.utilization.expect("it was up") - busy / slots).abs() < 1e-12);
}

#[test]
fn down_twice_and_up_twice_is_once_and_what_is_set_meanwhile_counts_afterwards() {
    let changes =
        r#"(at: "10s", of: "m", set: Up), (at: "20s", of: "m", set: Down), (at: "25s", of: "m", set: Up)"#;
    let more = r#"(at: "10s", of: "m", set: Up), (at: "20s", of: "m", set: Down), (at: "21s", of: "m", set: Down),
        (at: "25s", of: "m", set: Up), (at: "26s", of: "m", set: Up)"#;
    let text = |changes| system(r#"Poisson(rate: "100/s")"#, GROUP, changes);
    let [once, twice] = [changes, more].map(|changes| run_logged(&scenario(&text(changes))));
    assert_eq!((once.events + 2, once.requests), (twice.events, twice.requests));

    let meanwhile = r#"(at: "20s", of: "m", set: Down), (at: "21s", of: "m", set: Concurrency(1)),
        (at: "22s", of: "m", set: Queue(Fifo(capacity: 0))), (at: "25s", of: "m", set: Up)"#;
    let afterwards = r#"(at: "20s", of: "m", set: Down), (at: "25s", of: "m", set: Up),
        (at: "25s", of: "m", set: Concurrency(1)), (at: "25s", of: "m", set: Queue(Fifo(capacity: 0)))"#;
    let [meanwhile, afterwards] =
        [meanwhile, afterwards].map(|changes| run_logged(&scenario(&text(changes))));
    assert_eq!(meanwhile.requests, afterwards.requests);
    assert_eq!(server(&meanwhile, "m-0").concurrency, 1);
}

#[test]
fn a_response_that_would_pass_a_server_that_is_down_is_lost() {
    // Each request is at "n" for 10 ms and at "b" for a second; those that are at "b" when "n" goes down come too late.
    let nodes = r#""n": Server(concurrency: 9, service: Constant("10ms"), then: "b"),
        "b": Server(concurrency: 99, service: Constant("1s"))"#;
    let changes = r#"(at: "30.5s", of: "n", set: Down), (at: "32s", of: "n", set: Up)"#;
    let result = run_logged(&scenario(&system(r#"Constant(rate: "10/s")"#, nodes, changes)));
    let dropped = ended(&result, Outcome::Dropped);
    // Born from 29.5 s to 30.4 s; the one of 30.5 s finds "n" closed.
    assert_eq!(dropped.len(), 10, "{dropped:?}");
    assert!(dropped.iter().all(|(when, record)| {
        (at(29.5)..=at(30.4)).contains(&record.created)
            && *when == record.created + SimDuration::from_nanos(1_010_000_000)
    }));
    assert_eq!((server(&result, "n").lost, server(&result, "b").lost), (0, 0));
    assert_eq!(ended(&result, Outcome::Rejected).len(), 15);
}

#[test]
fn what_is_set_at_the_start_is_what_was_written_from_the_start() {
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
    for (place, value, of, set) in cases {
        let run = |values: [&str; 5], changes: &str| {
            let [slots, service, queue, policy, routing] = values;
            let nodes = nodes(slots, service, queue, policy, routing);
            run_logged(&scenario(&system(r#"Poisson(rate: "75/s")"#, &nodes, changes)))
        };
        let mut values = base;
        values[place] = value;
        let written = run(values, "");
        let changed = run(base, &format!(r#"(at: "0s", of: "{of}", set: {set})"#));
        assert_eq!(written.requests, changed.requests, "{set}");
        assert_eq!(format!("{:?}", written.nodes), format!("{:?}", changed.nodes), "{set}");
        assert_ne!(written.fingerprint, changed.fingerprint, "a change is an event");
        assert_ne!(run(base, "").requests, changed.requests, "{set} is no change");
        // Half way it is neither the one nor the other.
        let half_way = run(base, &format!(r#"(at: "30s", of: "{of}", set: {set})"#));
        let before = |result: &RunResult| -> Vec<RequestRecord> {
            let over = |record: &&RequestRecord| record.finished.is_some_and(|(when, _)| when < at(30.0));
            result.requests.iter().filter(over).copied().collect()
        };
        assert_eq!(before(&half_way), before(&run(base, "")), "{set} before its time");
        assert_ne!(half_way.requests, run(base, "").requests, "{set} after its time");
    }
}

#[test]
fn arrivals_begin_anew_at_the_change_and_keep_to_their_limits() {
    let births = |changes: &str, overrides: &[&str]| -> Vec<f64> {
        let text = system(
            r#"Constant(rate: "1/s")"#,
            r#""n": Server(concurrency: 99, service: Constant("1ms"))"#,
            changes,
        );
        let result = run_logged(&scenario_with(&text, overrides));
        let mut births: Vec<f64> = result.requests.iter().map(|record| record.created.as_seconds()).collect();
        births.sort_unstable_by(f64::total_cmp);
        births
    };
    let faster = r#"(at: "2.5s", of: "s", set: Arrivals(Constant(rate: "4/s")))"#;
    let limits = ["sources.s.stop=3.6s"];
    assert_eq!(births(faster, &limits), [1.0, 2.0, 2.75, 3.0, 3.25, 3.5]);
    assert_eq!(births(faster, &["sources.s.max_requests=4"]), [1.0, 2.0, 2.75, 3.0]);
    assert_eq!(births(faster, &["sources.s.start=3s", limits[0]]), [3.25, 3.5]);
    // What was to come at the very moment of the change does not.
    let none = r#"(at: "3s", of: "s", set: Arrivals(Constant(rate: "0/s")))"#;
    assert_eq!(births(none, &[]), [1.0, 2.0]);
    // A rate that changes counts from the start of the run; a source that had ended begins again.
    let again = format!(
        "{none}, {}",
        r#"(at: "10s", of: "s", set: Arrivals(Constant(rate: Steps([(at: "12s", rate: "2/s"), (at: "13s", rate: "0/s")]))))"#
    );
    assert_eq!(births(&again, &[]), [1.0, 2.0, 12.5, 13.0]);
}

#[test]
fn fewer_slots_let_go_and_more_slots_take_in() {
    // Six come at 1, 2, .. 6 s and are served for 10 s each, by four, then two, then five.
    let nodes = r#""n": Server(concurrency: 4, service: Constant("10s"))"#;
    let changes =
        r#"(at: "6.5s", of: "n", set: Concurrency(2)), (at: "13.5s", of: "n", set: Concurrency(5))"#;
    let text = system(r#"Constant(rate: "1/s")"#, nodes, changes);
    let system = scenario_with(&text, &["sources.s.max_requests=8"]);
    let mut simulation = Simulation::new(&system, RunOptions::default()).expect("a scenario");
    let mut seen = Vec::new();
    for moment in [6.6, 11.1, 12.1, 13.1, 13.6, 14.1] {
        simulation.advance(at(moment), u64::MAX);
        seen.push(inside(&simulation)[0]);
    }
    // At 11 s and 12 s one leaves and none is taken in; at 13 s one is; at 13.5 s three more are.
    assert_eq!(seen, [(2, 4), (4, 3), (4, 2), (3, 2), (0, 5), (0, 4)]);
    let result = run_logged(&system);
    // Slots that are busy count until they are free: 6.5 s of 4, 4.5 s of 4, 1 s of 3, 1.5 s of 2, 46.5 s of 5.
    let slots = server(&result, "n").slots_mean.expect("time passes") * 60.0;
    assert!((slots - (26.0 + 18.0 + 3.0 + 3.0 + 232.5)).abs() < 1e-6, "{slots}");
    let busy = 8.0 * 10.0 / slots;
    assert!((server(&result, "n").utilization.expect("it was up") - busy).abs() < 1e-12);
    let load = result.timeline.mean_over(&UTILIZATION, &[server_in_row(0)]);
    // Slices of a twentieth of a second.
    let load_at = |twentieth: usize| f64::from(load[twentieth]);
    assert!([90, 140, 230, 250, 276].map(load_at).iter().all(|load| (load - 1.0).abs() < 1e-6), "{load:?}");
    assert!(
        (load_at(290) - 0.8).abs() < 1e-6 && load.iter().all(|load| (0.0..=1.0).contains(load)),
        "{load:?}"
    );
}

#[test]
fn who_waits_stays_when_the_queue_becomes_short() {
    let nodes = r#""n": Server(service: Constant("10s"), queue: Fifo(capacity: 4))"#;
    let text =
        system(r#"Constant(rate: "1/s")"#, nodes, r#"(at: "4.5s", of: "n", set: Queue(Fifo(capacity: 2)))"#);
    let result = run_logged(&scenario_with(&text, &["sources.s.max_requests=30"]));
    let rejected: Vec<f64> =
        ended(&result, Outcome::Rejected).iter().map(|(when, _)| when.as_seconds()).collect();
    // Three wait when it changes; the first who finds room again comes when two of them have gone.
    let found_room: Vec<f64> = (1..=30).map(f64::from).filter(|second| !rejected.contains(second)).collect();
    assert_eq!(found_room, [1.0, 2.0, 3.0, 4.0, 21.0]);
}

/// After its change a system is the one that theory knows, whatever it was before.
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

/// What the visualizer does: a change is added while the run is under way.
#[test]
fn a_change_that_is_added_under_way_makes_the_run_of_the_whole_scenario() {
    let changes = r#"(at: "10s", of: "m", set: Concurrency(5)), (at: "20.000000001s", of: "m-0", set: Down),
        (at: "20.000000001s", of: "s", set: Arrivals(Poisson(rate: "150/s"))), (at: "31s", of: "m-0", set: Up)"#;
    let whole = scenario(&system(r#"Poisson(rate: "90/s")"#, GROUP, changes));
    let expected = run_once(&whole);
    let mut known = Scenario { changes: Vec::new(), ..whole.clone() };
    let mut simulation = Simulation::new(&known, RunOptions::default()).expect("a scenario");
    for change in &whole.changes {
        let before = SimTime::from_nanos(change.at.as_nanos() - 1);
        // In the middle of an instant too.
        simulation.advance(before, 17);
        simulation.advance(before, u64::MAX);
        known.changes.push(change.clone());
        simulation.append_changes(&known).expect("it is not too late");
    }
    let late = Scenario { changes: [&whole.changes[..], &whole.changes[..1]].concat(), ..whole.clone() };
    let problems = simulation.append_changes(&late).expect_err("ten seconds are over");
    assert_eq!(problems[0].path.to_string(), "changes.4.at");
    let wrong = Scenario {
        changes: [&known.changes[..], &whole.changes[..1]].concat(),
        nodes: Default::default(),
        ..whole
    };
    assert!(simulation.append_changes(&wrong).is_err());
    simulation.advance(simulation.end(), u64::MAX);
    let result = simulation.finish().expect("the books balance");
    assert_eq!((result.events, result.fingerprint), (expected.events, expected.fingerprint));
    assert_eq!(format!("{:?}", result.nodes), format!("{:?}", expected.nodes));
    assert!(source(&result, "s").outcomes.of(Outcome::Dropped) > 0);
}

#[test]
fn everything_that_is_wrong_with_changes_is_said_at_once_and_where() {
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
    let diagnostics = load("x.ron", text.as_bytes(), &[]).expect_err("much is wrong").to_string();
    for expected in [
        "x.ron:3:14: changes.0.at: the run ends at 60s, before this change at 90s",
        "x.ron:4:24: changes.1.of: there is no node or group \"mm\"",
        "x.ron:5:34: changes.2.set: Down cannot be set for \"c\", which is a client",
        "x.ron:6:24: changes.3.of: \"m-1\" is named twice",
        "x.ron:6:43: changes.3.set: a server that serves 0 requests at a time serves none",
        "changes.4.set.sd: 9ms is too wide",
        "changes.5.set.rate.amplitude: 2/s is more than the mean",
        "changes.6.set.window: a window of no time",
        "changes.6.set.threshold: 2 is no load",
        "changes.7.of: there is nothing to change",
        "changes.8.set.capacity: expected a whole number",
        "changes.9.at: 5 lacks a unit",
        "changes.9.set: there is no `Dwon`",
        "x.ron:13:34: changes.10.set: Policy cannot be set for \"s\", which is a source",
    ] {
        assert!(diagnostics.contains(expected), "{expected}\n{diagnostics}");
    }
}

/// Findings know what was announced: nobody wonders at a server that is down, nor takes it for a measure.
#[test]
fn what_is_said_of_a_run_with_changes_is_true() {
    let said = |arrivals: &str, changes: &str| -> Vec<String> {
        let nodes = GROUP.replace("Random", "RoundRobin");
        let scenario = scenario(&system(&format!("Poisson(rate: \"{arrivals}\")"), &nodes, changes));
        let result = run_once(&scenario);
        let told = findings(&scenario, &result);
        told.iter().map(|finding| format!("{} of {}", finding.kind().name(), finding.subject)).collect()
    };
    let down = r#"(at: "20s", of: "m-2", set: Down), (at: "40s", of: "m-2", set: Up)"#;
    assert_eq!(said("60/s", down), ["rejection of m-2"]);
    // Two thirds of the slots are too few for a while, and more than enough before and after.
    let fewer = r#"(at: "20s", of: "m", set: Concurrency(2)), (at: "40s", of: "m", set: Concurrency(4))"#;
    let told = said("90/s", fewer);
    assert!(told.contains(&"overload of m".to_owned()), "{told:?}");
    // As many requests as three servers can do with the slots that they have in the end, and had at first.
    let more = r#"(at: "30s", of: "m", set: Concurrency(12)), (at: "30s", of: "s", set: Arrivals(Poisson(rate: "240/s")))"#;
    let told = said("60/s", more);
    assert!(!told.iter().any(|finding| finding.starts_with("overload")), "{told:?}");
}
