//! Queue disciplines serve in their order: single requests do, and waits match theory.

use rushhour::metrics::result::RunResult;
use rushhour::scenario::Scenario;

use crate::harness::{assert_columns, replicate, run_logged, scenario, server, source, statistical};
use crate::support::rushhour;

/// Requests with these keys and priorities, a millisecond apart, reach a server with a service time of 1 s that is busy.
/// Returns the positions of the requests in the order in which they are served.
fn order(queue: &str, requests: &[(u32, i32)]) -> Vec<usize> {
    let sources = requests.iter().enumerate().map(|(index, (key, priority))| {
        format!(
            r#""{index:02}": (arrivals: Constant(rate: "1/s"), start: "{index}ms", max_requests: 1, key: Fixed({key}),
                priority: {priority}, to: "desk"),"#
        )
    });
    let sources: String = sources.collect();
    let result = run_logged(&scenario(&format!(
        r#"(name: "order", run_until: "1min", sources: {{{sources}}},
            nodes: {{"desk": Server(service: Constant("1s"), queue: {queue})}})"#
    )));
    let mut served: Vec<_> = result
        .requests
        .iter()
        .map(|record| (record.finished.expect("it is served"), record.source))
        .collect();
    served.sort_by_key(|((at, _), _)| *at);
    served.into_iter().map(|(_, source)| usize::from(source)).collect()
}

#[test]
fn each_discipline_has_its_order() {
    let same = [(0, 0); 5];
    assert_eq!(order("Fifo()", &same), [0, 1, 2, 3, 4]);
    assert_eq!(order("Lifo()", &same), [0, 4, 3, 2, 1]);
    // While more than two wait, the newest comes first: 4 and 3 do, and then 1 and 2.
    assert_eq!(order("AdaptiveLifo(above: 2)", &same), [0, 4, 3, 1, 2]);
    let priorities = [(0, 0), (0, -1), (0, 5), (0, 0), (0, 5), (0, 0)];
    assert_eq!(order("Priority()", &priorities), [0, 2, 4, 3, 5, 1]);
    // Three of key 7 are waiting when one of key 8 and two of key 9 come.
    let keys = [(7, 0), (7, 0), (7, 0), (7, 0), (8, 0), (9, 0), (9, 0)];
    assert_eq!(order("Fair()", &keys), [0, 1, 4, 5, 2, 6, 3]);
    let random = order("RandomOrder()", &[(0, 0); 12]);
    let mut sorted = random.clone();
    sorted.sort_unstable();
    assert_eq!((sorted, random[0]), ((0..12).collect(), 0));
    assert!(random != (0..12).collect::<Vec<_>>() && random == order("RandomOrder()", &[(0, 0); 12]));
}

/// One server with exponential services of mean 1 s.
fn one_server(load: f64, queue: &str) -> Scenario {
    scenario(&format!(
        r#"(name: "one server", run_until: "62000s", warm_up: "2000s",
            sources: {{"users": (arrivals: Poisson(rate: "{load}/s"), key: Uniform(0, 9), to: "desk")}},
            nodes: {{"desk": Server(service: Exponential(mean: "1s"), queue: {queue})}})"#
    ))
}

/// The mean and the second moment of the wait, in seconds.
fn moments(result: &RunResult) -> [f64; 2] {
    let wait = server(result, "desk").wait.summarize();
    let [mean, sd] = [wait.mean(), wait.sd()].map(|nanos| nanos.expect("requests were served") * 1e-9);
    [mean, sd * sd + mean * mean]
}

statistical!(waits_in_any_order_have_the_moments_of_theory, 12, 30);

/// The mean wait does not depend on an order that knows nothing of service times. The second moment is that of first in,
/// first out, over 1 - u for last in, first out, and over 1 - u / 2 for random order (Takacs: "Delay distributions for one
/// line with Poisson input, general holding times, and various orders of service", 1963).
fn waits_in_any_order_have_the_moments_of_theory(replications: u64) {
    for load in [0.5, 0.7] {
        let mean = load / (1.0 - load);
        let second = 2.0 * load / ((1.0 - load) * (1.0 - load));
        for (queue, factor) in [("Fifo()", 1.0), ("Lifo()", 1.0 - load), ("RandomOrder()", 1.0 - load / 2.0)]
        {
            let rows = replicate(&one_server(load, queue), replications, |result| moments(&result));
            let theory = [("mean wait", mean), ("second moment of the wait", second / factor)];
            assert_columns(&rows, &format!("{queue} at {load}"), theory);
        }
        for queue in ["Fair()", "AdaptiveLifo(above: 3)", "Priority()"] {
            let rows = replicate(&one_server(load, queue), replications, |result| [moments(&result)[0]]);
            assert_columns(&rows, &format!("{queue} at {load}"), [("mean wait", mean)]);
        }
    }
}

statistical!(waits_by_priority_match_cobham, 12, 30);

/// Mean residual service u, over the product of what higher priorities, with and without the own one, leave (Cobham:
/// "Priority assignment in waiting line problems", 1954).
fn waits_by_priority_match_cobham(replications: u64) {
    let rates = [0.2, 0.3, 0.3];
    let sources = rates.iter().enumerate().map(|(class, rate)| {
        format!(r#""{class}": (arrivals: Poisson(rate: "{rate}/s"), priority: {}, to: "desk"),"#, 10 - class)
    });
    let system = scenario(&format!(
        r#"(name: "priorities", run_until: "62000s", warm_up: "2000s", sources: {{{}}},
            nodes: {{"desk": Server(service: Exponential(mean: "1s"), queue: Priority())}})"#,
        sources.collect::<String>()
    ));
    let rows = replicate(&system, replications, |result| {
        ["0", "1", "2"].map(|class| {
            let latency = source(&result, class).latency.summarize();
            latency.mean().expect("requests were served") * 1e-9 - 1.0
        })
    });
    let load: f64 = rates.iter().sum();
    let (after_0, after_1) = (1.0 - 0.2, 1.0 - 0.5);
    let theory = [load / after_0, load / (after_0 * after_1), load / (after_1 * (1.0 - load))];
    let names = ["wait of the first class", "of the second", "of the third"];
    let [a, b, c] = [0, 1, 2].map(|class| (names[class], theory[class]));
    assert_columns(&rows, "priorities", [a, b, c]);
}

#[test]
fn a_change_keeps_the_discipline_and_changes_its_parameters() {
    let text = |set: &str| {
        format!(
            r#"(name: "test", run_until: "10s", sources: {{"users": (arrivals: Constant(rate: "10/s"), to: "desk")}},
            nodes: {{"desk": Server(service: Constant("1s"), queue: AdaptiveLifo(above: 1000))}},
            changes: [(at: "5s", of: "desk", set: Queue({set}))])"#
        )
    };
    let answer = rushhour(&["check", "a.ron"]).file("a.ron", text("Lifo()")).run();
    assert!(answer.bad(2).contains("the queue of this server is AdaptiveLifo, which does not change"));
    // From 5 s on, the newest comes first: it waits for a second at most.
    let result = run_logged(&scenario(&text("AdaptiveLifo(above: 0)")));
    let waited = |record: &&rushhour::request::RequestRecord| record.waiting.as_seconds();
    let late =
        result.requests.iter().filter(|record| record.created.as_seconds() > 5.5 && record.server.is_some());
    let served = late.filter(|record| record.finished.is_some());
    let waits: Vec<f64> = served.map(|record| waited(&record)).collect();
    assert!(!waits.is_empty() && waits.iter().all(|wait| *wait < 1.01), "{waits:?}");
}
