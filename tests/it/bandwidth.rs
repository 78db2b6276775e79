//! Bandwidth: exact transfer times of single messages, and links against queueing theory.

use rushhour::metrics::result::RunResult;

use crate::harness::{assert_columns, replicate, run_logged, scenario, statistical};

/// When the responses to requests of these sizes in kB arrive, in milliseconds after their creation. The requests are created
/// at these times in milliseconds, and their responses have no size. The link transfers a byte in a microsecond.
fn latencies(requests: &[(u64, u64)], link: &str) -> Vec<f64> {
    let source = |(number, (at, size)): (usize, &(u64, u64))| {
        format!(
            r#""s{number}": (arrivals: Constant(rate: "1000000/s"), start: "{at}ms", max_requests: 1,
                to: "m", size: Constant("{size}kB")),"#
        )
    };
    let sources: String = requests.iter().enumerate().map(source).collect();
    let result = run_logged(&scenario(&format!(
        r#"(name: "transfers", run_until: "60s", sources: {{{sources}}},
            nodes: {{"m": Server(service: Constant("0s"), concurrency: 100)}},
            links: [(from: "*", to: "m", bandwidth: "8Mbit/s", {link})])"#
    )));
    let mut ended: Vec<_> = result
        .requests
        .iter()
        .map(|record| {
            let (at, _) = record.finished.expect("it has ended");
            (record.source, at.since(record.created).as_nanos() as f64 / 1e6)
        })
        .collect();
    ended.sort_unstable_by_key(|(source, _)| *source);
    ended.into_iter().map(|(_, latency)| latency).collect()
}

fn assert_near(actual: &[f64], expected: &[f64]) {
    assert_eq!(actual.len(), expected.len());
    let is_near = |(a, e): (&f64, &f64)| (a - e).abs() < 0.003;
    assert!(actual.iter().zip(expected).all(is_near), "{actual:?} instead of {expected:?}");
}

#[test]
fn a_message_that_is_alone_takes_its_size_over_the_bandwidth_and_then_the_latency() {
    for sharing in ["Fair", "Serial"] {
        let link = format!("latency: Constant(\"5ms\"), response_latency: Constant(\"1ms\"), sharing: {sharing}");
        assert_near(&latencies(&[(0, 10), (500, 20)], &link), &[16.0, 26.0]);
    }
}

#[test]
fn two_flows_that_overlap_share_the_bandwidth_fairly() {
    // The first is alone for 4 ms, and both have half of the bandwidth until it ends: it needs 6 ms more at full speed, so 12.
    // The second one has had 6 of its 10 kB by then, and is alone for the rest.
    assert_near(&latencies(&[(0, 10), (4, 10)], "sharing: Fair"), &[16.0, 16.0]);
    // A small one slows a large one down, and overtakes it.
    assert_near(&latencies(&[(0, 100), (50, 1)], "sharing: Fair"), &[101.0, 2.0]);
    // Three at once: each has a third.
    assert_near(&latencies(&[(0, 10), (0, 20), (0, 30)], ""), &[30.0, 50.0, 60.0]);
}

#[test]
fn two_flows_that_overlap_are_sent_one_after_the_other() {
    let serial = "sharing: Serial";
    assert_near(&latencies(&[(0, 10), (4, 10)], serial), &[10.0, 16.0]);
    assert_near(&latencies(&[(0, 100), (50, 1)], serial), &[100.0, 51.0]);
    assert_near(&latencies(&[(0, 10), (0, 20), (0, 30)], serial), &[10.0, 30.0, 60.0]);
}

#[test]
fn latencies_do_not_take_bandwidth() {
    // Both are sent at once, and each is on its way for a second.
    let link = "latency: Constant(\"1s\"), response_latency: Constant(\"0s\"), sharing: Serial";
    assert_near(&latencies(&[(0, 10), (0, 10)], link), &[1010.0, 1020.0]);
}

/// A call of 30 kB with a response of 50 kB over a link of 8 Mbit/s, in an endpoint whose response has 10 kB.
const CALL: &str = r#"(name: "call", run_until: "9s",
    sources: {"s": (arrivals: Constant(rate: "1/s"), max_requests: 1, to: "web", size: Constant("20kB"))},
    nodes: {
        "web": Server(response_size: Constant("1MB"), endpoints: {
            "get": (response_size: Constant("10kB"), steps: [Call(to: "db", size: Constant("30kB"))]),
        }),
        "db": Server(service: Constant("1ms"), response_size: Constant("50kB")),
    },
    links: [
        (from: "s", to: "web", bandwidth: "8Mbit/s", response_bandwidth: "80Mbit/s"),
        (from: "web", to: "db", bandwidth: "8Mbit/s"),
    ])"#;

#[test]
fn requests_calls_and_responses_have_sizes_of_their_own() {
    let result = run_logged(&scenario(CALL));
    let [record] = &result.requests[..] else { panic!("{:?}", result.requests) };
    assert_eq!((record.sizes.request, record.sizes.response), (20_000, 10_000));
    let (at, _) = record.finished.expect("it has ended");
    // 20 ms there, 30 ms to the database, 1 ms of service, 50 ms back, 1 ms back.
    assert_eq!(at.since(record.created).as_nanos(), 102_000_000);
    let bytes: Vec<u64> = result.lines().map(|(_, line)| line.bytes).collect();
    assert_eq!(bytes, [20_000, 10_000, 30_000, 50_000]);
}

#[test]
fn rejections_and_errors_have_no_size() {
    let failing = CALL.replace("Call(to: \"db\"", "Fail(1.0), Call(to: \"db\"");
    let result = run_logged(&scenario(&failing));
    let record = &result.requests[0];
    assert_eq!((record.sizes.request, record.sizes.response), (20_000, 0));
    assert_eq!(record.finished.map(|(at, _)| at.since(record.created).as_nanos()), Some(20_000_000));
}

/// A link of 8 Mbit/s to servers that take no time, with `load` of its bandwidth offered in messages of 1 kB on average.
fn loaded_link(sharing: &str, load: f64, size: &str) -> String {
    format!(
        r#"(name: "loaded link", run_until: "500s", warm_up: "50s",
            sources: {{"s": (arrivals: Poisson(rate: "{}/s"), to: "m", size: {size})}},
            nodes: {{"m": Server(service: Constant("0s"), concurrency: 1000000)}},
            links: [(from: "s", to: "m", bandwidth: "8Mbit/s", latency: Constant("3ms"), sharing: {sharing})],
            probes: [(of: "s -> m", gauges: [RequestsInTransit, ResponsesInTransit, BytesInTransit, RequestLoad], every: "1s")])"#,
        1000.0 * load
    )
}

/// The utilization of the link, and by how much a transfer takes longer than alone in milliseconds.
fn of_line(result: &RunResult) -> [f64; 2] {
    let (_, line) = result.lines().next().expect("the link has a bandwidth");
    let wait = line.wait.clone().summarize().mean().expect("messages were transferred");
    [line.utilization.expect("time was measured"), wait / 1e6]
}

/// A fairly shared link is M/G/1 with processor sharing: the mean time is that of the transfer over 1 - load, whatever the
/// distribution of sizes (Kleinrock, "Queueing systems", volume 2, 1976, section 4.4). A serial one is M/G/1, with the mean
/// wait of Pollaczek and Khinchine.
fn loaded_links_follow_theory(replications: u64) {
    for (size, variance) in [
        ("Constant(\"1kB\")", 0.0),
        ("Exponential(mean: \"1kB\")", 1.0),
        ("LogNormal(mean: \"1kB\", sd: \"2kB\")", 4.0),
    ] {
        for load in [0.5, 0.8] {
            let of = |sharing| {
                let scenario = scenario(&loaded_link(sharing, load, size));
                replicate(&scenario, replications, |result| of_line(&result))
            };
            let fair = load / (1.0 - load);
            assert_columns(&of("Fair"), &format!("fair, {size}"), [("load", load), ("wait", fair)]);
            let serial = load * (1.0 + variance) / 2.0 / (1.0 - load);
            assert_columns(&of("Serial"), &format!("serial, {size}"), [("load", load), ("wait", serial)]);
        }
    }
}

statistical!(loaded_links_follow_theory, 4, 30);
