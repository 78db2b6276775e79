//! The live state equals the simulation, whatever happens.

use super::*;
use crate::model::node_state::NodeState;
use crate::model::queueing::WaitQueue;
use crate::model::server::{InFlight, ServerConfig};
use crate::scenario::{DEFAULT_SCENARIO, Scenario, load};
use crate::simulation::{RunOptions, Simulation};
use crate::viz::session::moment;

/// Runs the built-in scenario with changes, and with probes that sample each server ten times a second. Asserts
/// that the live state has the same values, and calls `inspect` with the time and the states of the servers.
fn compare_with_probes(changes: &str, mut inspect: impl FnMut(f64, [&ServerState; 3])) -> LiveState {
    let probes = "probes=[(of: \"server\", gauges: [QueueDepth, InFlight], every: \"100ms\")]";
    let overrides = [probes.to_owned(), format!("changes=[{changes}]")];
    let loaded = load("test.ron", DEFAULT_SCENARIO.1.as_bytes(), &overrides);
    let scenario = loaded.unwrap_or_else(|error| panic!("{error}")).scenario;
    let servers = scenario.names().range("server").expect("the node exists");
    let mut simulation = Simulation::new(&scenario, RunOptions::default()).expect("the scenario is valid");
    simulation.enable_tracing();
    let (mut live_state, mut seen) = (LiveState::of(&scenario), vec![Vec::new(); 6]);
    for tenth in 0..=650 {
        let now = SimTime::from_nanos(tenth * 100_000_000);
        simulation.advance(now, u64::MAX);
        live_state.apply(&simulation.take_trace());
        let server_states: Vec<&ServerState> = live_state.server_states(servers).collect();
        for (number, server_state) in server_states.iter().enumerate() {
            assert_eq!(server_state.slots.iter().flatten().count(), server_state.in_service as usize);
            seen[2 * number].push((now, server_state.queue.len() as f64));
            seen[2 * number + 1].push((now, f64::from(server_state.in_service)));
        }
        assert_eq!(live_state.tracked_requests().count(), live_state.in_flight);
        inspect(now.as_seconds(), server_states.try_into().expect("there are three servers"));
    }
    let probed = simulation.finish().expect("all requests are accounted for").series;
    assert_eq!(probed.len(), seen.len());
    for (probed, seen) in probed.into_iter().zip(seen) {
        assert_eq!(probed.samples.iter().collect::<Vec<_>>(), seen, "{} of {}", probed.name(), probed.node);
    }
    live_state
}

#[test]
fn the_live_state_equals_the_simulation_at_all_times() {
    let live_state = compare_with_probes("", |_, server_states| {
        for server_state in server_states {
            assert_eq!(
                (server_state.slots.len(), server_state.active_slots, server_state.queue_capacity),
                (10, 10, Some(100))
            );
        }
    });
    assert_eq!((live_state.outcomes.offered, live_state.in_flight), (3_950, 0));
    let ended: Vec<u64> = live_state.outcomes.iter().map(|(_, count)| count).collect();
    assert_eq!(ended, [3_824, 126, 0, 0, 0, 0]);
}

/// Runs a scenario with calls, in which callers and callees go down, with these calls of the callers. Asserts that the
/// live state equals the simulation.
fn compare_with_calls(calls: &str) -> LiveState {
    let changes = r#"changes=[(at: "20s", of: "database", set: Service(Exponential(mean: "500ms"))),
        (at: "25s", of: "database", set: Down), (at: "25.5s", of: "database", set: Up),
        (at: "30s", of: "api-1", set: Down), (at: "31s", of: "api-1", set: Up)]"#;
    let text = include_str!("../../../scenarios/slow_dependency.ron");
    let overrides = [changes.to_owned(), format!("nodes.api.call={calls}")];
    let loaded = load("test.ron", text.as_bytes(), &overrides);
    let live_state = compare(&loaded.unwrap_or_else(|error| panic!("{error}")).scenario);
    assert!(live_state.outcomes.of(Outcome::Failed) > 0 && live_state.in_flight == 0);
    live_state
}

/// Runs a scenario of 90 s with calls. Asserts that the live state equals the simulation at all times.
fn compare(scenario: &Scenario) -> LiveState {
    let names = scenario.names();
    let mut simulation = Simulation::new(scenario, RunOptions::default()).expect("the scenario is valid");
    simulation.enable_tracing();
    let mut live_state = LiveState::of(scenario);
    let (mut calling, mut most_calls) = (0, 0);
    for step in 1..=450_u64 {
        simulation.advance(SimTime::from_nanos(step * 200_000_000), u64::MAX);
        live_state.apply(&simulation.take_trace());
        assert_eq!(live_state.tracked_requests().count(), live_state.in_flight);
        let world = simulation.world();
        let mut levels = world.try_query::<(&InFlight, &WaitQueue)>().expect("there are servers");
        let servers = names.nodes().filter(|node| live_state.server_state(*node).is_some());
        for (node, (in_flight, queue)) in servers.zip(levels.iter(world)) {
            let server_state = live_state.server_state(node).expect("it holds requests");
            let holds =
                |request: &&TrackedRequest| request.location.slot().is_some() && request.node() == node;
            let in_slots: u32 =
                live_state.tracked_requests().filter(holds).map(|request| request.slots).sum();
            assert_eq!(server_state.in_service, in_slots, "{} at {step}", names.name_of(node));
            let shown = (server_state.in_service as usize, server_state.queue.len());
            let expected = (in_flight.level.level() as usize, queue.depth.level() as usize);
            assert_eq!(shown, expected, "{} at {step}", names.name_of(node));
        }
        for request in live_state.tracked_requests() {
            calling += usize::from(matches!(request.location, RequestLocation::Calling { .. }));
            most_calls = most_calls.max(request.calls.len());
        }
    }
    assert!(calling > 500 && most_calls > 0, "{calling} requests waited for calls");
    let result = simulation.finish().expect("all requests are accounted for");
    assert_eq!(result.calls, Some(live_state.calls));
    assert_eq!(result.sources[0].outcomes, live_state.outcomes);
    live_state
}

#[test]
fn the_live_state_equals_the_simulation_with_endpoints() {
    let api = r#"Server(
        count: 2, concurrency: 20, cores: 1, memory: "200MB", pools: {"connections": 3}, queue: Fifo(capacity: 30),
        endpoints: {
            "read": (weight: 3.0, steps: [
                Memory("20MB"), Cpu(Exponential(mean: "10ms")),
                Hold(pool: "connections", steps: [Call(to: "database", timeout: "300ms", cancel: true)]),
            ]),
            "write": (steps: [Parallel(cancel: true, join: First, branches: [
                [Call("database")], [Cpu(Exponential(mean: "20ms")), Call("database")], [Io(Constant("30ms"))],
            ])]),
        },
    )"#;
    let changes = r#"changes=[(at: "25s", of: "database", set: Down), (at: "25.5s", of: "database", set: Up),
        (at: "30s", of: "api-1", set: Down), (at: "31s", of: "api-1", set: Up), (at: "40s", of: "api", set: Pause),
        (at: "41s", of: "api", set: Resume), (at: "50s", of: "api-0", set: Concurrency(2))]"#;
    for slots in ["concurrency: 20,", ""] {
        let api = api.replace("concurrency: 20,", slots);
        let changes =
            if slots.is_empty() { changes.replace("Concurrency(2)", "Pause") } else { changes.to_owned() };
        let overrides = [changes, format!("nodes.api={api}")];
        let text = include_str!("../../../scenarios/slow_dependency.ron");
        let links = "links=[(from: \"api\", to: \"database\", latency: Constant(\"1ms\"), loss: 0.001)]";
        let loaded = load("test.ron", text.as_bytes(), &[&overrides[..], &[links.to_owned()]].concat());
        let live_state = compare(&loaded.unwrap_or_else(|error| panic!("{error}")).scenario);
        assert!(live_state.calls.of(Outcome::TimedOut) > 100, "{:?}", live_state.calls);
    }
}

/// Requests leave the queue, are shed, or interrupt each other; they take several slots; and those that compute share cores
/// or slow each other down.
#[test]
fn the_live_state_equals_the_simulation_with_rules_of_slots() {
    let api = |rules: &str| {
        format!(
            r#"nodes.api=Server(count: 2, concurrency: 6, cores: 1, {rules},
                endpoints: {{"read": (steps: [Cpu(Exponential(mean: "10ms")), Call("database")])}})"#
        )
    };
    let database =
        |rules: &str| format!("nodes.database=Server(service: Exponential(mean: \"12ms\"), {rules})");
    let shares = r#"sharing: ProcessorSharing, patience: Exponential(mean: "200ms")"#;
    let sheds = r#"queue: CoDel(target: "20ms"), slowdown: (factor: Linear(each: 0.1))"#;
    let balks = "balk: (from: 2, to: 20, probability: 0.9), queue: EarliestDeadline()";
    for (rules, of_database) in [
        (shares, "queue: ShortestFirst(preemptive: true)"),
        (sheds, "queue: ShortestFirst(preemptive: true, capacity: 20)"),
        (balks, r#"patience: Constant("30ms"), queue: Lifo()"#),
        ("weighted: true", "weighted: true, concurrency: 3"),
    ] {
        let changes = r#"changes=[(at: "25s", of: "database", set: Down), (at: "25.5s", of: "database", set: Up),
            (at: "30s", of: "api-1", set: Down), (at: "31s", of: "api-1", set: Up), (at: "40s", of: "api", set: Pause),
            (at: "41s", of: "api", set: Resume), (at: "50s", of: "api-0", set: Concurrency(2))]"#;
        let text = include_str!("../../../scenarios/slow_dependency.ron");
        let weight = "sources.users.weight=2".to_owned();
        let overrides = [changes.to_owned(), weight, api(rules), database(of_database)];
        let loaded = load("test.ron", text.as_bytes(), &overrides);
        let live_state = compare(&loaded.unwrap_or_else(|error| panic!("{error}")).scenario);
        assert!(live_state.outcomes.of(Outcome::Completed) > 1000, "{:?}", live_state.outcomes);
    }
}

#[test]
fn the_live_state_equals_the_simulation_with_calls() {
    compare_with_calls(r#"["database", (to: "audit log", wait: false)]"#);
}

#[test]
fn the_live_state_equals_the_simulation_with_calls_that_are_cancelled() {
    let calls = r#"[(to: "database", timeout: "300ms", cancel: true), (to: "audit log", wait: false)]"#;
    assert!(compare_with_calls(calls).calls.of(Outcome::TimedOut) > 100);
}

/// The same with changes of slots and of queues, and with a server that goes down with requests in it.
#[test]
fn the_live_state_equals_the_simulation_while_nodes_change() {
    let changes = r#"(at: "20.01s", of: "server-2", set: Down), (at: "24s", of: "server-2", set: Up),
        (at: "12s", of: "server", set: Concurrency(2)), (at: "15s", of: "server", set: Concurrency(5)),
        (at: "13s", of: "server-0", set: Queue(Fifo(capacity: 7))),
        (at: "22s", of: "server-2", set: Concurrency(12))"#;
    let live_state = compare_with_probes(changes, |now, [first, _, last]| {
        let since = |seconds: f64| now >= seconds - 1e-9;
        let common = if since(15.0) { 5 } else { [10, 2][usize::from(since(12.0))] };
        assert_eq!(
            (first.active_slots, first.queue_capacity),
            (common, Some([100, 7][usize::from(since(13.0))]))
        );
        let (is_down, is_back) = (since(20.01) && !since(24.0), since(24.0));
        let expected = if is_back { 12 } else { [common, 0][usize::from(is_down)] };
        assert_eq!((last.active_slots, last.is_down()), (expected, is_down), "at {now} s");
        assert!(last.slots.len() >= last.active_slots as usize);
    });
    assert!(live_state.outcomes.of(Outcome::Dropped) > 0 && live_state.in_flight == 0);
}

/// The states of servers in groups that grow and shrink, with outages meanwhile.
#[test]
fn servers_come_and_go_as_in_the_simulation() {
    let text = r#"(name: "x", run_until: "30s",
        sources: {"s": (arrivals: Poisson(rate: "60/s"), to: "n")},
        nodes: {"n": LoadBalancer(policy: Random, to: "m"), "m": Server(count: 2, max: 6, concurrency: 2,
            boot: Exponential(mean: "1s"), service: Exponential(mean: "80ms"))},
        changes: [(at: "5s", of: "m", set: Count(6)), (at: "5.5s", of: "m-4", set: Down),
            (at: "9s", of: "m", set: Count(1)), (at: "9s", of: "m-1", set: Down),
            (at: "15s", of: "m", set: Count(0)), (at: "16s", of: "m", set: Count(5)),
            (at: "20s", of: "m", set: Pause), (at: "21s", of: "m", set: Count(2)), (at: "25s", of: "m", set: Resume)])"#;
    let scenario = load("test.ron", text.as_bytes(), &[]).expect("the scenario is valid").scenario;
    let servers = scenario.names().range("m").expect("the group exists");
    let mut simulation = Simulation::new(&scenario, RunOptions::default()).expect("the scenario is valid");
    simulation.enable_tracing();
    let mut live_state = LiveState::of(&scenario);
    let mut seen = Vec::new();
    for step in 1..=300 {
        simulation.advance(moment(f64::from(step) / 10.0), u64::MAX);
        live_state.apply(&simulation.take_trace());
        let world = simulation.world();
        let mut configs = world.try_query::<(&ServerConfig, &InFlight)>().expect("there are servers");
        for ((config, in_flight), node) in configs.iter(world).zip(servers.nodes()) {
            let server_state = live_state.server_state(node).expect("a server has a state");
            let expected = (config.state, in_flight.concurrency, in_flight.level.level());
            let shown = (server_state.state, server_state.active_slots, server_state.in_service);
            assert_eq!(shown, expected, "{node:?} at {step}");
            seen.push(config.state);
        }
    }
    let all = [NodeState::Absent, NodeState::Booting, NodeState::Up, NodeState::Draining, NodeState::Down];
    assert!(all.iter().all(|state| seen.contains(state)));
}

#[test]
fn a_message_is_on_its_link_until_it_arrives() {
    let text = r#"(name: "x", run_until: "1s", sources: {"s": (arrivals: Constant(rate: "2/s"), to: "a")},
        nodes: {"a": Server(service: Constant("100ms"))},
        links: [(from: "s", to: "a", latency: Constant("30ms"))])"#;
    let scenario = load("test.ron", text.as_bytes(), &[]).expect("the scenario is valid").scenario;
    let mut simulation = Simulation::new(&scenario, RunOptions::default()).expect("the scenario is valid");
    simulation.enable_tracing();
    let mut live_state = LiveState::of(&scenario);
    let at = |millis: u64| SimTime::from_nanos(millis * 1_000_000);
    let mut locations_at = |millis| {
        simulation.advance(at(millis), u64::MAX);
        live_state.apply(&simulation.take_trace());
        live_state.tracked_requests().map(|tracked_request| tracked_request.location).collect::<Vec<_>>()
    };
    let names = scenario.names();
    let [source, server] = ["s", "a"].map(|name| names.node_named(name).expect("the node exists"));
    let on_link = |from, to, left, arrives, is_response| RequestLocation::Between {
        from,
        to,
        left: at(left),
        passage: Passage::Arrives(at(arrives)),
        is_response,
    };
    assert_eq!(locations_at(510), [on_link(source, server, 500, 530, false)]);
    let served = RequestLocation::Served { node: server, slot: 0, since: at(530), done: at(630) };
    assert_eq!(locations_at(600), [served]);
    assert_eq!(locations_at(640), [on_link(server, source, 630, 660, true)]);
    assert_eq!(locations_at(700), []);
}

/// Requests are known for the first slots only, but the number of busy slots for all.
#[test]
fn a_server_with_very_many_slots_is_full_when_all_are_busy() {
    let text = r#"(name: "x", run_until: "9s", sources: {"s": (arrivals: Constant(rate: "1000/s"), to: "a")},
        nodes: {"a": Server(concurrency: 3000, service: Constant("20s"))})"#;
    let scenario = load("test.ron", text.as_bytes(), &[]).expect("the scenario is valid").scenario;
    let node = scenario.names().node_named("a").expect("the node exists");
    let mut simulation = Simulation::new(&scenario, RunOptions::default()).expect("the scenario is valid");
    simulation.enable_tracing();
    let mut live_state = LiveState::of(&scenario);
    let mut state_at = |seconds| {
        simulation.advance(moment(seconds), u64::MAX);
        live_state.apply(&simulation.take_trace());
        let server_state = live_state.server_state(node).expect("a server holds requests");
        (
            server_state.in_service,
            server_state.shown_slots(),
            server_state.is_full(),
            server_state.queue.len(),
        )
    };
    assert_eq!(state_at(2.0), (2_000, 3_000, false, 0));
    assert_eq!(state_at(4.0), (3_000, 3_000, true, 1_000));
}
