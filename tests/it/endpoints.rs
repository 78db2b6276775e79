//! Endpoints: the steps that requests take at a server, and the resources that they compete for. Whatever fails, each
//! request and each call is accounted for, its time is exactly that of its steps, and all resources are free at the end.

use rushhour::engine::random::{Draw, RandomStream};
use rushhour::engine::time::SimTime;
use rushhour::metrics::result::RunResult;
use rushhour::request::Outcome;
use rushhour::scenario::{Scenario, load};

use crate::harness::{assert_steps_change_nothing, run_with_calls_logged, scenario};
use crate::littles_law::assert_conservation;

/// A scenario with a source "users" that sends requests at these times to "api".
fn system(arrivals: &str, nodes: &str) -> Scenario {
    scenario(&format!(
        r#"Scenario(
            name: "endpoints", run_until: "100s",
            sources: {{ "users": (arrivals: {arrivals}, to: "api") }},
            nodes: {{ {nodes} }},
        )"#
    ))
}

/// The latencies of the requests of the source, in seconds, in order of creation; with the outcomes of those that failed.
fn latencies(result: &RunResult) -> Vec<Result<f64, Outcome>> {
    let mut requests: Vec<_> = result.requests.iter().filter(|record| record.parent.is_none()).collect();
    requests.sort_by_key(|record| record.id);
    let ended = requests.iter().filter_map(|record| Some((record.created, record.finished?)));
    let latency = |(created, (at, outcome)): (SimTime, (SimTime, Outcome))| {
        let seconds = (at.since(created).as_seconds() * 1e6).round() / 1e6;
        if outcome.is_failure() { Err(outcome) } else { Ok(seconds) }
    };
    ended.map(latency).collect()
}

/// The latencies of requests that arrive together at 1 s at a server with these steps, resources and other nodes.
fn of_burst(requests: u64, steps: &str, resources: &str, nodes: &str) -> Vec<Result<f64, Outcome>> {
    let nodes = format!(r#""api": Server({resources} endpoints: {{"e": (steps: [{steps}])}}), {nodes}"#);
    let mut burst = system(r#"Constant(rate: "1/s")"#, &nodes);
    let one = burst.sources["users"].clone();
    burst.sources = (0..requests).map(|number| (format!("user-{number:03}"), one.clone())).collect();
    burst.sources.values_mut().for_each(|source| source.max_requests = Some(1));
    latencies(&run_with_calls_logged(&burst))
}

const SECOND: &str = r#"Cpu(Constant("1s"))"#;

#[test]
fn four_simultaneous_requests_on_four_cores_finish_together() {
    assert_eq!(of_burst(4, SECOND, "cores: 4,", ""), [Ok(1.0); 4]);
    assert_eq!(of_burst(4, SECOND, "cores: 2,", ""), [Ok(1.0), Ok(1.0), Ok(2.0), Ok(2.0)]);
    assert_eq!(of_burst(3, SECOND, "concurrency: 1,", ""), [Ok(1.0), Ok(2.0), Ok(3.0)]);
}

#[test]
fn consecutive_computations_keep_their_core_and_io_gives_it_back() {
    let burst = format!("{SECOND}, {SECOND}");
    assert_eq!(of_burst(2, &burst, "cores: 1,", ""), [Ok(2.0), Ok(4.0)]);
    // With I/O in between, the second request computes while the first waits.
    let interrupted = format!(r#"{SECOND}, Io(Constant("1s")), {SECOND}"#);
    assert_eq!(of_burst(2, &interrupted, "cores: 1,", ""), [Ok(3.0), Ok(4.0)]);
    // A choice, a loop or free memory in between does not give the core back.
    let steps = format!(r#"{SECOND}, Choose([(1.0, [Memory("1MB"), Repeat(times: 2, steps: [{SECOND}])])])"#);
    assert_eq!(of_burst(2, &steps, r#"cores: 1, memory: "2MB","#, ""), [Ok(3.0), Ok(6.0)]);
}

#[test]
fn memory_is_held_to_the_end_and_waited_for_in_order() {
    let steps = r#"Memory("60MB"), Sleep(Constant("1s"))"#;
    assert_eq!(of_burst(3, steps, r#"memory: "130MB","#, ""), [Ok(1.0), Ok(1.0), Ok(2.0)]);
    // The second request needs more than is free, and holds back the third, which would need less.
    let steps = r#"Repeat(times: 1, up_to: 1, steps: [Memory("60MB")]), Sleep(Constant("1s"))"#;
    assert_eq!(of_burst(3, steps, r#"memory: "100MB","#, ""), [Ok(1.0), Ok(2.0), Ok(3.0)]);
}

#[test]
fn a_place_in_a_pool_is_held_during_the_steps_inside() {
    let steps = r#"Hold(pool: "disk", steps: [Io(Constant("1s"))]), Sleep(Constant("1s"))"#;
    assert_eq!(of_burst(3, steps, r#"pools: {"disk": 1},"#, ""), [Ok(2.0), Ok(3.0), Ok(4.0)]);
    // It is given back if a step fails.
    let steps = r#"Hold(pool: "disk", steps: [Io(Constant("1s")), Fail(1.0)])"#;
    let failed = Err(Outcome::Failed);
    assert_eq!(of_burst(3, steps, r#"pools: {"disk": 1},"#, ""), [failed; 3]);
    let steps = r#"Hold(pool: "connections", steps: [Call("db")])"#;
    let db = r#""db": Server(concurrency: 10, service: Constant("1s")),"#;
    assert_eq!(of_burst(3, steps, r#"pools: {"connections": 2},"#, db), [Ok(1.0), Ok(1.0), Ok(2.0)]);
}

#[test]
fn branches_run_at_the_same_time_and_are_joined() {
    let branches = |join: &str| {
        format!(
            r#"Parallel(join: {join}, branches: [
                [Sleep(Constant("3s"))], [Sleep(Constant("1s"))], [Io(Constant("1s")), Sleep(Constant("1s"))],
            ])"#
        )
    };
    assert_eq!(of_burst(1, &branches("All"), "", ""), [Ok(3.0)]);
    assert_eq!(of_burst(1, &branches("First"), "", ""), [Ok(1.0)]);
    assert_eq!(of_burst(1, &branches("Quorum(2)"), "", ""), [Ok(2.0)]);
    // Branches compete for cores like requests.
    let steps = format!("Parallel(branches: [[{SECOND}], [{SECOND}], [{SECOND}]])");
    assert_eq!(of_burst(1, &steps, "cores: 1,", ""), [Ok(3.0)]);
    assert_eq!(of_burst(1, &steps, "cores: 3,", ""), [Ok(1.0)]);
}

#[test]
fn too_many_failed_branches_fail_the_request_at_once() {
    let branches = |join: &str, rest: &str| {
        format!(
            r#"Parallel(join: {join}, branches: [
                [Sleep(Constant("1s")), Fail(1.0)], [Sleep(Constant("3s"))], [Sleep(Constant("2s"))],
            ], {rest}), Sleep(Constant("1s"))"#
        )
    };
    let failed = Err(Outcome::Failed);
    assert_eq!(of_burst(1, &branches("All", ""), "", ""), [failed]);
    assert_eq!(of_burst(1, &branches("First", ""), "", ""), [Ok(3.0)]);
    assert_eq!(of_burst(1, &branches("Quorum(2)", ""), "", ""), [Ok(4.0)]);
    assert_eq!(of_burst(1, &branches("All", "on_failure: Continue"), "", ""), [Ok(2.0)]);
    let handler = r#"on_failure: Steps([Sleep(Constant("5s"))])"#;
    assert_eq!(of_burst(1, &branches("All", handler), "", ""), [Ok(7.0)]);
    assert_eq!(of_burst(1, &branches("First", handler), "", ""), [Ok(3.0)]);
}

#[test]
fn a_failed_call_takes_the_steps_for_that_case() {
    let call = |rest: &str| format!(r#"Call(to: "db", {rest}), Sleep(Constant("1s"))"#);
    let slow = r#""db": Server(concurrency: 10, service: Constant("4s")),"#;
    assert_eq!(of_burst(1, &call(""), "", slow), [Ok(5.0)]);
    let timeout = r#"timeout: "2s""#;
    assert_eq!(of_burst(1, &call(timeout), "", slow), [Err(Outcome::Failed)]);
    assert_eq!(of_burst(1, &call(&format!("{timeout}, on_failure: Continue")), "", slow), [Ok(3.0)]);
    let handler = r#"on_failure: Steps([Sleep(Constant("3s"))])"#;
    assert_eq!(of_burst(1, &call(&format!("{timeout}, {handler}")), "", slow), [Ok(6.0)]);
    let fails = r#""db": Server(endpoints: {"any": (steps: [Sleep(Constant("1s")), Fail(1.0)])}),"#;
    assert_eq!(of_burst(1, &call(handler), "", fails), [Ok(5.0)]);
}

/// Random steps at this depth, with calls to the servers from `next` on.
fn random_steps(
    stream: &mut RandomStream,
    next: usize,
    servers: usize,
    depth: usize,
    held: &mut Vec<usize>,
) -> String {
    let mut steps = Vec::new();
    for _ in 0..stream.index(4) {
        let mut pick = |options: &[&str]| options[stream.index(options.len())].to_owned();
        let time = pick(&["Exponential(mean: \"5ms\")", "Constant(\"3ms\")", "Constant(\"0s\")"]);
        let on_failure = pick(&["", "on_failure: Continue,", "on_failure: Steps([Cpu(Constant(\"1ms\"))]),"]);
        let kind = stream.index(if depth == 0 { 6 } else { 10 });
        let inside = |stream: &mut RandomStream, held: &mut Vec<usize>| {
            random_steps(stream, next, servers, depth - 1, held)
        };
        steps.push(match kind {
            0 | 1 => format!("Cpu({time})"),
            2 => format!("Io({time})"),
            3 => "Memory(\"10MB\")".to_owned(),
            4 => "Fail(0.05)".to_owned(),
            5 if next >= servers => format!("Sleep({time})"),
            5 => {
                let to = next + stream.index(servers - next);
                let patience = ["", "wait: false", "timeout: \"20ms\"", "timeout: \"30ms\", cancel: true"];
                let patience = patience[stream.index(patience.len())];
                let on_failure = if patience == "wait: false" { "" } else { &on_failure };
                format!("Call(to: \"s{to}\", {on_failure} {patience})")
            }
            6 => {
                let pool = stream.index(2);
                if held.contains(&pool) {
                    continue;
                }
                held.push(pool);
                let steps = inside(stream, held);
                held.pop();
                format!("Hold(pool: \"p{pool}\", steps: [{steps}])")
            }
            7 => {
                let branches: Vec<String> =
                    (0..1 + stream.index(4)).map(|_| format!("[{}]", inside(stream, held))).collect();
                let quorum = format!("Quorum({})", 1 + stream.index(branches.len()));
                let join = ["All", "First", &quorum][stream.index(3)];
                let cancel = stream.index(2) == 0;
                let branches = branches.join(", ");
                format!("Parallel(branches: [{branches}], join: {join}, cancel: {cancel}, {on_failure})")
            }
            8 => format!("Choose([(0.7, [{}]), (0.3, [{}])])", inside(stream, held), inside(stream, held)),
            _ => format!("Repeat(times: 0, up_to: 2, steps: [{}])", inside(stream, held)),
        });
    }
    steps.join(", ")
}

/// A random system of up to four servers with endpoints, which go down, pause, and change their slots.
pub(crate) fn random_system(stream: &mut RandomStream) -> Scenario {
    // A request that may need more memory than its server has is refused: then the next one is tried.
    loop {
        let text = random_text(stream);
        match load("random.ron", text.as_bytes(), &[]) {
            Ok(loaded) => return loaded.scenario,
            Err(error) => {
                assert!(error.to_string().contains("of memory, but the server has"), "{error}\n{text}");
            }
        }
    }
}

/// Queues of servers with endpoints.
const QUEUES: [&str; 13] = [
    "Fifo()",
    "Fifo()",
    "Fifo()",
    "Fifo(capacity: 3)",
    "Lifo()",
    "AdaptiveLifo(above: 2)",
    "Priority()",
    "RandomOrder()",
    "Fair()",
    "WeightedFair(weights: {3: 5.0})",
    "EarliestDeadline()",
    "CoDel(target: \"5ms\", interval: \"20ms\")",
    "Red(min: 1, max: 10, weight: 0.1, spacing: \"5ms\")",
];

/// Further queues of servers with a service time.
const SERVICE_QUEUES: [&str; 5] = [
    "Fifo()",
    "Priority(preemptive: true)",
    "ShortestFirst()",
    "ShortestFirst(preemptive: true)",
    "EarliestDeadline(keep_late: true)",
];

/// Rules of the slots of a server.
fn rules(pick: &mut impl FnMut(&[&str]) -> String, has_slots: bool) -> String {
    let weighted = if has_slots { pick(&["", "", "weighted: true,"]) } else { String::new() };
    let patience =
        pick(&["", "", "patience: Exponential(mean: \"50ms\"),", "patience: Constant(\"100ms\"),"]);
    let balk = pick(&["", "", "balk: (from: 2, to: 9, probability: 0.7),"]);
    let slowdown = pick(&[
        "",
        "",
        "slowdown: (factor: Linear(each: 0.1)),",
        "slowdown: (factor: Table([(1, 0.7), (9, 3.0)]), fixed: true),",
    ]);
    format!("{weighted} {patience} {balk} {slowdown}")
}

fn random_text(stream: &mut RandomStream) -> String {
    let servers = 1 + stream.index(4);
    let (mut nodes, mut changes) = (String::new(), String::new());
    for number in 0..servers {
        let endpoints: Vec<String> = (0..1 + stream.index(3))
            .map(|index| {
                let steps = random_steps(stream, number + 1, servers, 2, &mut Vec::new());
                format!("\"e{index}\": (weight: {}, steps: [{steps}])", 1 + index)
            })
            .collect();
        let mut pick = |options: &[&str]| options[stream.index(options.len())].to_owned();
        let slots = pick(&["", "concurrency: 2,", "concurrency: 20,"]);
        let cores = pick(&["", "cores: 1,", "cores: 3,", "cores: 2, sharing: ProcessorSharing,"]);
        let rules = rules(&mut pick, !slots.is_empty());
        if number > 0 && pick(&["endpoints", "endpoints", "service"]) == "service" {
            let queue = pick(&SERVICE_QUEUES);
            // Services with slots of different weights, or that slow down, are not interrupted.
            let rules = if queue.contains("true") { String::new() } else { rules };
            nodes += &format!(
                "\"s{number}\": Server({slots} {rules} queue: {queue}, service: {}),",
                pick(&["Constant(\"5ms\")", "Exponential(mean: \"20ms\")"])
            );
        } else {
            let queue = pick(&QUEUES);
            nodes += &format!(
                "\"s{number}\": Server({slots} {cores} {rules} queue: {queue}, memory: \"200MB\", \
                 pools: {{\"p0\": {}, \"p1\": 3}}, endpoints: {{ {} }}),",
                pick(&["1", "2", "5"]),
                endpoints.join(", ")
            );
        }
        for _ in 0..2 {
            let at = pick(&["150ms", "500ms", "700ms", "900ms"]);
            let set =
                pick(&["Down", "Up", "Pause", "Resume", "Concurrency(1)", "Concurrency(4)", "", "", ""]);
            let is_possible = !set.is_empty() && (!slots.is_empty() || !set.starts_with("Concurrency"));
            if is_possible {
                changes += &format!("(at: \"{at}\", of: \"s{number}\", set: {set}),");
            }
        }
        changes += &format!("(at: \"2s\", of: \"s{number}\", set: Resume),");
    }
    let arrivals = ["Constant(rate: \"50/s\")", "Poisson(rate: \"200/s\")"][stream.index(2)];
    let seed = stream.below(1 << 40);
    format!(
        r#"Scenario(
            name: "random", seed: {seed}, run_until: "200s", arrivals_until: "1s",
            sources: {{
                "users": (arrivals: {arrivals}, to: "s0", key: Uniform(0, 5)),
                "others": (arrivals: Poisson(rate: "40/s"), to: "s0", priority: 3, weight: 2, deadline: "60ms"),
            }},
            nodes: {{ {nodes} }}, changes: [{changes}],
            probes: [(of: [{}], every: "1s", gauges: [
                InFlight, QueueDepth, CoreLoad, MemoryLoad, PoolLoad, CoreQueue, MemoryQueue, PoolQueue, InIo,
            ])],
        )"#,
        (0..servers).map(|number| format!("\"s{number}\"")).collect::<Vec<_>>().join(", ")
    )
}

#[test]
fn random_programs_conserve_requests_and_resources() {
    let mut stream = RandomStream::from_seed(41);
    let mut by_outcome = [0_u64; Outcome::COUNT];
    let (mut abandoned, mut deadlocks) = (0, 0);
    for _ in 0..300 {
        let system = random_system(&mut stream);
        let result = run_with_calls_logged(&system);
        assert_conservation("random", &result);
        for record in &result.requests {
            let Some((at, outcome)) = record.finished else { continue };
            by_outcome[outcome as usize] += 1;
            let times = record.waiting + record.service + record.retries;
            assert_eq!(times, at.since(record.created), "{record:?} in {system:?}");
            abandoned += u64::from(record.parent.is_some_and(|parent| !parent.waited));
        }
        // Requests that hold memory or a place and wait for more may wait for each other for ever.
        let at_end = |metric: &str| -> f64 {
            let of_metric = result.series.iter().filter(|series| series.metric.name == metric);
            of_metric.filter_map(|series| series.samples.values().last()).sum()
        };
        let in_flight = result.calls.map_or(0, |calls| calls.in_flight())
            + result.sources.iter().map(|source| source.outcomes.in_flight()).sum::<u64>();
        if in_flight > 0 {
            assert!(
                at_end("memory_queue") + at_end("pool_queue") > 0.0,
                "nothing holds them up in {system:?}"
            );
            deadlocks += 1;
            continue;
        }
        for series in &result.series {
            let left = series.samples.values().last().unwrap_or(0.0);
            assert!(left <= 0.0, "{} of {} in {system:?}", series.metric.name, series.node);
        }
    }
    let of = |outcome: Outcome| by_outcome[outcome as usize];
    let seen = Outcome::ALL.map(of);
    assert!(
        seen.iter().all(|count| *count > 50) && abandoned > 300 && deadlocks < 10,
        "{seen:?}, {abandoned} that nobody waited for, {deadlocks} deadlocks"
    );
}

#[test]
fn the_width_of_ticks_does_not_change_a_system_with_endpoints() {
    let mut stream = RandomStream::from_seed(43);
    for _ in 0..20 {
        let system = random_system(&mut stream);
        assert_steps_change_nothing(&system, &run_with_calls_logged(&system), &mut stream);
    }
}

#[test]
fn a_server_with_unlimited_slots_reports_the_load_of_its_cores() {
    // Four of five cores are busy when the first response leaves, so that the client avoids the server.
    let nodes = r#""api": Client(to: "web", routing: LoadAware(window: "10s", threshold: 0.7)),
        "web": Server(count: 2, cores: 5, endpoints: {"e": (steps: [Cpu(Uniform(min: "1s", max: "2s"))])}),"#;
    let mut system = system(r#"Constant(rate: "10/s")"#, nodes);
    system.sources.values_mut().for_each(|source| source.max_requests = Some(15));
    let probes = r#"probes=[(of: "api", gauges: [PerceivedLoad("web-0")], every: "100ms"), (of: "web-0", gauges: [Load], every: "100ms")]"#;
    let text = rushhour::text::ron(&system).expect("a text");
    let with_probes = crate::harness::scenario_with(&text, &[probes]);
    let result = run_with_calls_logged(&with_probes);
    let highest = |position: usize| {
        result.series[position].samples.values().filter(|value| value.is_finite()).fold(0.0, f64::max)
    };
    assert!(highest(0) >= 0.7, "{}", highest(0));
    assert!((highest(1) - 1.0).abs() < 1e-9, "{}", highest(1));
}
