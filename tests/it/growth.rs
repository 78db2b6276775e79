//! Groups that grow and shrink: servers boot before they get requests, complete what they have before they leave, and no
//! request is lost by it.

use std::fmt::Write as _;

use rushhour::analysis::{Evidence, Verdict};
use rushhour::engine::random::{Draw, RandomStream};
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::metrics::result::RunResult;
use rushhour::model::node_state::NodeState::{self, Absent, Booting, Down, Draining, Up};
use rushhour::model::server::{InFlight, ServerConfig};
use rushhour::request::{Outcome, RequestRecord};
use rushhour::scenario::Scenario;
use rushhour::simulation::{RunOptions, Simulation};

use crate::findings_rates::{found, seeds};
use crate::harness::{
    assert_columns, replicate, run_logged, run_once, run_with_calls_logged, scenario, server, server_in_row,
    source, statistical,
};
use crate::littles_law::{assert_conservation, assert_every_arrival_is_accounted_for};

/// A scenario with a source "s" that sends to "n", which routes to the group "m" by a policy.
fn text(arrivals: &str, routing: &str, group: &str, changes: &str) -> String {
    format!(
        r#"Scenario(name: "growth", run_until: "60s", sources: {{ "s": (arrivals: {arrivals}, key: Uniform(0, 99), to: "n") }},
        nodes: {{ "n": {routing}, "m": Server({group}) }}, changes: [{changes}])"#
    )
}

const IN_TURN: &str = r#"LoadBalancer(policy: RoundRobin, to: "m")"#;
const AT_RANDOM: &str = r#"LoadBalancer(policy: Random, to: "m")"#;
/// Two servers of at most five, with a boot of 2 s and services of 100 ms.
const GROUP: &str = r#"count: 2, max: 5, boot: Constant("2s"), service: Constant("100ms")"#;

/// The change of the number of members at a time in seconds.
fn count(at: f64, count: u32) -> String {
    format!("(at: \"{at}s\", of: \"m\", set: Count({count})),")
}

fn set(at: f64, of: &str, setting: &str) -> String {
    format!("(at: \"{at}s\", of: \"{of}\", set: {setting}),")
}

fn at(seconds: f64) -> SimTime {
    SimTime::ZERO + SimDuration::from_nanos_f64(seconds * 1e9)
}

fn states_now(simulation: &Simulation) -> Vec<NodeState> {
    let world = simulation.world();
    world.try_query::<&ServerConfig>().expect("there are servers").iter(world).map(|one| one.state).collect()
}

/// The states of all servers at some times in seconds, after the events of these times.
fn states(scenario: &Scenario, times: &[f64]) -> Vec<Vec<NodeState>> {
    let mut simulation = Simulation::new(scenario, RunOptions::default()).expect("a scenario");
    let mut state_at = |time: &f64| {
        assert!(simulation.advance(at(*time), u64::MAX));
        states_now(&simulation)
    };
    times.iter().map(&mut state_at).collect()
}

/// The arrivals at a server by request, in seconds. A request reaches it in the instant in which it is created.
fn arrivals_at(result: &RunResult, row: u32) -> Vec<f64> {
    let there = |record: &&RequestRecord| record.server == Some(server_in_row(row));
    result.requests.iter().filter(there).map(|record| record.created.as_seconds()).collect()
}

#[test]
fn servers_boot_before_they_get_requests_and_the_last_ones_leave_first() {
    let changes = count(10.0, 4) + &count(20.0, 1) + &count(30.0, 5) + &count(31.0, 2) + &count(32.5, 3);
    let system = scenario(&text(r#"Constant(rate: "5/s")"#, IN_TURN, GROUP, &changes));
    assert_eq!(
        states(&system, &[9.9, 10.0, 11.9, 12.0, 20.0, 20.2, 30.0, 31.0, 32.0, 32.5, 34.4, 34.5]),
        [
            [Up, Up, Absent, Absent, Absent],
            [Up, Up, Booting, Booting, Absent],
            [Up, Up, Booting, Booting, Absent],
            [Up, Up, Up, Up, Absent],
            // One request is served at each time: at 20 s by any of the four.
            [Up, Absent, Absent, Absent, Absent],
            [Up, Absent, Absent, Absent, Absent],
            [Up, Booting, Booting, Booting, Booting],
            // Boots are given up,
            [Up, Booting, Absent, Absent, Absent],
            [Up, Up, Absent, Absent, Absent],
            // and a new one takes its whole time, although the end of the old one comes earlier.
            [Up, Up, Booting, Absent, Absent],
            [Up, Up, Booting, Absent, Absent],
            [Up, Up, Up, Absent, Absent],
        ]
    );
    let result = run_logged(&system);
    assert_conservation("growth", &result);
    assert_eq!(source(&result, "s").outcomes.of(Outcome::Completed), 299, "the last one is in service");
    // The third member is up from 12 s to 20 s, and again from 34.5 s on.
    let third = arrivals_at(&result, 2);
    assert!(third.iter().all(|time| (12.0..20.0).contains(time) || *time > 34.5), "{third:?}");
    // A quarter of 40 requests, and a third of 128.
    assert_eq!(third.iter().filter(|time| **time < 20.0).count(), 10);
    assert!(third.len().abs_diff(10 + 42) <= 1, "{}", third.len());
    // The times of the states: 8 s and 25.5 s up, of 60 s; and booting from 10 s, 30 s and 32.5 s on.
    let times = |figure: &str| {
        let node = result.nodes.iter().find(|node| node.name == "m-2").expect("the member");
        let (figure, _) = node.figures.iter().find(|(own, _)| own.name == figure).expect("the figure");
        node.figures.number(figure).expect("a mean") * 60.0
    };
    assert!((times("up_mean") - 33.5).abs() < 1e-9 && (times("booting_mean") - 5.0).abs() < 1e-9);
}

#[test]
fn a_server_that_leaves_completes_what_it_has_and_comes_back_if_it_is_needed() {
    // From 10 s to 10.5 s, 50 requests need 5 s of each of two servers.
    let burst = r#"Poisson(rate: Steps([(at: "0s", rate: "0/s"), (at: "10s", rate: "200/s"), (at: "10.5s", rate: "0/s")]))"#;
    let changes = count(11.0, 1) + &count(12.0, 2) + &count(13.0, 0);
    let system = scenario(&text(burst, IN_TURN, GROUP, &changes));
    let seen = states(&system, &[10.9, 11.0, 12.0, 13.0, 59.0]);
    let two_first: Vec<_> = seen.iter().map(|states| (states[0], states[1])).collect();
    // It comes back at once: it need not boot.
    assert_eq!(two_first, [(Up, Up), (Up, Draining), (Up, Up), (Draining, Draining), (Absent, Absent)]);
    let result = run_logged(&system);
    assert_conservation("draining", &result);
    let outcomes = source(&result, "s").outcomes;
    assert!(outcomes.offered > 60, "{outcomes:?}");
    assert_eq!(outcomes.of(Outcome::Completed), outcomes.offered, "no request is lost");
    let both = [0, 1].map(|row| server(&result, &format!("m-{row}")));
    assert_eq!(both.map(|one| one.completed).iter().sum::<u64>(), outcomes.offered);
    assert_eq!(both.map(|one| one.concurrency), [0, 0], "neither is there at the end");
}

#[test]
fn requests_are_rejected_while_no_target_is_there() {
    let changes = count(20.0, 0) + &count(30.0, 1);
    for (routing, name) in [(IN_TURN, "load balancer"), (r#"Client(to: "m")"#, "client")] {
        let system = scenario(&text(r#"Constant(rate: "10/s")"#, routing, GROUP, &changes));
        let result = run_logged(&system);
        assert_conservation(name, &result);
        // The first server is up again at 32 s.
        let rejected: Vec<&RequestRecord> = result
            .requests
            .iter()
            .filter(|record| matches!(record.finished, Some((_, Outcome::Rejected))))
            .collect();
        assert_eq!(rejected.len(), 120, "{name}");
        assert!(rejected.iter().all(|record| (20.0..32.0).contains(&record.created.as_seconds())));
        let findings = found(&system, 1);
        let rejection = findings.iter().find_map(|finding| {
            let Evidence::Rejection(evidence) = &finding.evidence else { return None };
            Some((finding.subject.as_str(), evidence))
        });
        let (subject, evidence) = rejection.expect("a finding");
        assert_eq!((subject, evidence.rejected, evidence.no_target), ("n", 120, true), "{name}");
        assert!((evidence.share_of_arrivals - 0.2).abs() < 1e-3, "{evidence:?}");
    }
}

#[test]
fn servers_go_down_in_every_state() {
    let busy = r#"Constant(rate: "30/s")"#;
    let group = |arrivals: &str, changes: &str| scenario(&text(arrivals, IN_TURN, GROUP, changes));
    // While it boots: it is down until it is brought up, which takes no boot.
    let changes = count(10.0, 3) + &set(11.0, "m-2", "Down") + &set(13.0, "m-2", "Up");
    let seen = states(&group(busy, &changes), &[10.0, 11.0, 12.5, 13.0]);
    assert_eq!(seen.iter().map(|states| states[2]).collect::<Vec<_>>(), [Booting, Down, Down, Up]);
    // While it is absent: nothing happens, neither then nor when it is brought up.
    let changes = set(10.0, "m-2", "Down") + &set(11.0, "m-2", "Up") + &set(12.0, "m", "Up");
    let seen = states(&group(busy, &changes), &[10.0, 11.0, 12.0]);
    assert_eq!(seen.iter().map(|states| states[2]).collect::<Vec<_>>(), [Absent; 3]);
    // While it drains: its requests are lost, and it is absent.
    let changes = count(10.0, 1) + &set(11.0, "m-1", "Down") + &set(12.0, "m-1", "Up");
    let system = group(busy, &changes);
    let seen = states(&system, &[10.0, 11.0, 12.0]);
    assert_eq!(seen.iter().map(|states| states[1]).collect::<Vec<_>>(), [Draining, Absent, Absent]);
    let result = run_logged(&system);
    assert_conservation("down", &result);
    // 149 requests before 10 s, of which 109 were served by 11 s.
    assert_eq!(server(&result, "m-1").lost, 149 - 109);
    // One that is down is a member: it leaves at once, and is not asked to boot.
    let changes = set(10.0, "m-1", "Down") + &count(11.0, 2) + &count(12.0, 1);
    let seen = states(&group(busy, &changes), &[10.0, 11.0, 12.0]);
    assert_eq!(seen.iter().map(|states| states[1]).collect::<Vec<_>>(), [Down, Down, Absent]);
}

#[test]
fn a_message_on_its_way_reaches_a_server_that_drains_but_not_one_that_has_left() {
    let linked = |group: &str, changes: &str| {
        let link = r#"links: [(from: "n", to: "m", latency: Constant("1s"))], changes:"#;
        scenario(&text(r#"Constant(rate: "10/s")"#, IN_TURN, group, changes).replacen("changes:", link, 1))
    };
    // With services of 1.5 s and ten slots, it has requests until the last ones reach it.
    let slow = r#"count: 2, max: 5, concurrency: 10, service: Constant("1.5s")"#;
    let result = run_logged(&linked(slow, &count(10.05, 1)));
    assert_conservation("links", &result);
    assert_eq!(server(&result, "m-1").rejected, 0);
    let last = arrivals_at(&result, 1).into_iter().fold(0.0, f64::max);
    assert!((last - 10.0).abs() < 0.11, "{last}");
    // With services of 1 ms it has left in the instant of the change, and rejects the five requests on their way.
    let quick = r#"count: 2, max: 5, service: Constant("1ms")"#;
    let result = run_logged(&linked(quick, &count(10.05, 1)));
    assert_conservation("links", &result);
    assert_eq!(server(&result, "m-1").rejected, 5);
}

#[test]
fn settings_of_a_group_hold_for_servers_that_join_later() {
    let changes = set(5.0, "m", "Concurrency(3)")
        + &set(6.0, "m", "Pause")
        + &set(7.0, "m", "Resume")
        + &set(8.0, "m", r#"Service(Constant("50ms"))"#)
        + &set(9.0, "m-2", "Pause")
        + &count(10.0, 3);
    let result = run_logged(&scenario(&text(r#"Constant(rate: "10/s")"#, IN_TURN, GROUP, &changes)));
    let third = server(&result, "m-2");
    // A server that joins is not paused, whatever happened to the one that was there before.
    assert_eq!(
        (third.concurrency, third.service.summarize().mean(), third.arrived > 100),
        (3, Some(5e7), true)
    );
    assert_eq!(third.completed, third.arrived);
}

#[test]
fn a_group_that_could_grow_but_does_not_is_a_group_of_fixed_size() {
    let policies = [
        IN_TURN,
        AT_RANDOM,
        r#"LoadBalancer(policy: KeyHash(salt: 3), to: "m")"#,
        r#"Client(routing: LoadAware(window: "1s", threshold: 0.9), to: "m")"#,
    ];
    for routing in policies {
        let run = |group: &str| run_once(&scenario(&text(r#"Poisson(rate: "45/s")"#, routing, group, "")));
        let fixed = run(r#"count: 3, service: Exponential(mean: "60ms"), queue: Fifo(capacity: 9)"#);
        let growing =
            run(r#"count: 3, max: 9, service: Exponential(mean: "60ms"), queue: Fifo(capacity: 9)"#);
        assert_eq!((growing.events, growing.fingerprint), (fixed.events, fixed.fingerprint), "{routing}");
    }
}

/// A random sequence of changes of a group of up to nine servers.
fn random_changes(stream: &mut RandomStream) -> String {
    let mut changes = String::new();
    for _ in 0..stream.index(25) {
        let member = format!("m-{}", stream.index(9));
        let of = if stream.chance(0.3) { "m" } else { member.as_str() };
        let time = 0.25 * stream.index(40) as f64;
        changes += &match stream.index(8) {
            0 => set(time, of, "Down"),
            1 | 2 => set(time, of, "Up"),
            3 => set(time, of, "Pause"),
            4 => set(time, of, "Resume"),
            5 => set(time, of, &format!("Concurrency({})", 1 + stream.index(4))),
            _ => count(time, u32::try_from(stream.index(10)).expect("a small number")),
        };
    }
    changes
}

#[test]
fn every_request_is_accounted_for_however_groups_grow_and_fail() {
    let mut stream = RandomStream::from_seed(12);
    let policies = [
        "Random",
        "RoundRobin",
        "LeastConnections",
        "KeyHash()",
        r#"LoadAware(window: "1s", threshold: 0.5)"#,
    ];
    for number in 0..150 {
        let mut nodes = String::new();
        let boot = ["", r#"boot: Exponential(mean: "1s"),"#, r#"boot: Constant("250ms"),"#][stream.index(3)];
        let rest =
            ["", r#"then: "o","#, r#"call: "o","#, r#"call: (to: "o", wait: false),"#][stream.index(4)];
        let (start, slots) = (stream.index(10), 1 + stream.index(3));
        write!(
            nodes,
            r#""n": LoadBalancer(policy: {policy}, to: "m"),
            "m": Server(count: {start}, max: 9, {boot} {rest} concurrency: {slots},
                service: Exponential(mean: "40ms"), queue: Fifo(capacity: 20)),
            "o": Server(concurrency: 2, service: Exponential(mean: "10ms"), queue: Fifo(capacity: 5))"#,
            policy = policies[stream.index(4)],
        )
        .expect("memory");
        let link =
            ["", r#"(from: "n", to: "m", latency: Exponential(mean: "100ms"), loss: 0.02)"#][stream.index(2)];
        let changes = random_changes(&mut stream);
        let text = format!(
            r#"Scenario(name: "random", seed: {number}, run_until: "12s", arrivals_until: "10s",
            sources: {{ "s": (arrivals: Poisson(rate: "120/s"), key: Uniform(0, 20), to: "n") }},
            nodes: {{ {nodes} }}, links: [{link}], changes: [{changes}])"#
        );
        let system = scenario(&text);
        let result = run_with_calls_logged(&system);
        assert_conservation(&text, &result);
        assert_every_arrival_is_accounted_for(&text, &system);
        // The same with tracing, and in ticks of another width.
        let mut traced = Simulation::new(&system, RunOptions::default()).expect("a scenario");
        traced.enable_tracing();
        let mut time = SimTime::ZERO;
        while time < traced.end() {
            time = time + SimDuration::from_nanos(1 + stream.below(700_000_000));
            assert!(traced.advance(time, u64::MAX));
        }
        assert_eq!((traced.events(), traced.fingerprint()), (result.events, result.fingerprint), "{text}");
        // A server that drains has something to do.
        let mut world = traced.world().try_query::<(&ServerConfig, &InFlight)>().expect("servers");
        for (config, in_flight) in world.iter(traced.world()) {
            let serves = matches!(config.state, Up | Draining);
            assert!(serves || in_flight.level.level() == 0, "{text}");
        }
    }
}

/// Servers that get a quarter of Poisson arrivals each are M/M/1 queues, whether they were there at the start or not.
fn servers_that_joined_are_like_the_others(replications: u64) {
    let group = r#"count: 2, max: 4, boot: Exponential(mean: "1s"), service: Exponential(mean: "10ms")"#;
    let long = text(r#"Poisson(rate: "200/s")"#, AT_RANDOM, group, &count(1.0, 4))
        .replace("run_until: \"60s\"", "run_until: \"1030s\", warm_up: \"30s\"");
    let waits = replicate(&scenario(&long), replications, |result| {
        [0, 1, 2, 3]
            .map(|row| server(&result, &format!("m-{row}")).wait.summarize().mean().expect("waits") / 1e6)
    });
    // 0.5 / (1 - 0.5) services of 10 ms.
    let theory = ["m-0", "m-1", "m-2", "m-3"].map(|name| (name, 10.0));
    assert_columns(&waits, "mean wait in ms", theory);
}

statistical!(servers_that_joined_are_like_the_others, 6, 30);

/// A group of M/M/1 queues with changes of its size, for the verdict.
fn judged(arrivals: &str, start: u32, changes: &str, seed: u64) -> Verdict {
    let group =
        format!(r#"count: {start}, max: 8, boot: Constant("1s"), service: Exponential(mean: "10ms")"#);
    let long =
        text(arrivals, AT_RANDOM, &group, changes).replace("run_until: \"60s\"", "run_until: \"400s\"");
    Verdict::of(&found(&scenario(&long), seed))
}

#[test]
fn the_verdict_knows_how_many_servers_there_are() {
    let steps = |first: f64, second: f64| {
        format!(r#"Poisson(rate: Steps([(at: "0s", rate: "{first}/s"), (at: "200s", rate: "{second}/s")]))"#)
    };
    // Loads of 0.6 with two servers, and then with five.
    let in_time = (steps(120.0, 300.0), 2, count(190.0, 5));
    // The same, but growth does not suffice, or comes back too early, or never comes.
    let unhealthy = [
        (steps(120.0, 300.0), 2, count(190.0, 3)),
        (steps(120.0, 300.0), 2, count(190.0, 5) + &count(300.0, 2)),
        (steps(120.0, 300.0), 2, String::new()),
        (steps(240.0, 240.0), 4, count(100.0, 2)),
        // Not for long, but the queue grows to 18 s of work: three servers short of five for 60 s.
        (steps(120.0, 300.0), 2, count(260.0, 5)),
    ];
    let runs = seeds(3);
    for seed in 0..runs {
        let (arrivals, start, changes) = &in_time;
        assert_eq!(judged(arrivals, *start, changes, seed), Verdict::Healthy, "in time, seed {seed}");
        for (arrivals, start, changes) in &unhealthy {
            let verdict = judged(arrivals, *start, changes, seed);
            assert_eq!(verdict, Verdict::InTrouble, "{arrivals} with {start} and {changes}, seed {seed}");
        }
    }
}

#[test]
fn a_large_group_grows_and_shrinks_quickly() {
    // 20,000 servers, of which 19,999 come and go.
    let changes = count(10.0, 20_000) + &count(30.0, 1);
    let group = r#"count: 1, max: 20000, boot: Exponential(mean: "1s"), service: Constant("1ms")"#;
    let system = scenario(&text(r#"Constant(rate: "100/s")"#, AT_RANDOM, group, &changes));
    let result = run_once(&system);
    assert_eq!(source(&result, "s").outcomes.of(Outcome::Completed), 5_999);
}
