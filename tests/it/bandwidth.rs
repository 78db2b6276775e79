//! Bandwidth: exact transfer times of single messages, and links against queueing theory.

use rushhour::engine::distribution::DistributionSpec;
use rushhour::engine::random::{Draw as _, RandomStream};
use rushhour::engine::time::SimDuration;
use rushhour::engine::units::{Bandwidth, Bytes};
use rushhour::metrics::result::RunResult;
use rushhour::model::link::LinkSharing;
use rushhour::model::parts::NodeSpec;
use rushhour::scenario::Scenario;

use crate::calls;
use crate::faults::add_faults;
use crate::harness::{
    assert_columns, assert_steps_change_nothing, replicate, run_logged, run_with_calls_logged, scenario,
    statistical,
};
use crate::littles_law::assert_conservation;
use crate::support::rushhour as program;

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
        let link =
            format!("latency: Constant(\"5ms\"), response_latency: Constant(\"1ms\"), sharing: {sharing}");
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
        r#"(name: "loaded link", run_until: "100s", warm_up: "10s",
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
    let load = 0.7;
    for (size, variance) in [
        ("Constant(\"1kB\")", 0.0),
        ("Exponential(mean: \"1kB\")", 1.0),
        ("LogNormal(mean: \"1kB\", sd: \"2kB\")", 4.0),
    ] {
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

statistical!(loaded_links_follow_theory, 12, 60);

/// Gives all links of a system a bandwidth, and all messages a size.
fn add_bandwidths(system: &mut Scenario, stream: &mut RandomStream) {
    for link in &mut system.links {
        link.bandwidth = Some(Bandwidth::bits_per_second(1_000_000 << stream.below(5)));
        link.sharing = if stream.below(2) == 0 { LinkSharing::Fair } else { LinkSharing::Serial };
    }
    let mut size = || Some(DistributionSpec::Constant(Bytes::new(100 << stream.below(7))));
    system.sources.values_mut().for_each(|source| source.size = size());
    for node in system.nodes.values_mut() {
        let NodeSpec::Server(server) = node else { continue };
        server.response_size = size().map(Box::new);
        server.call.0.iter_mut().for_each(|call| call.size = size().map(Box::new));
    }
}

#[test]
fn every_message_of_random_systems_with_bandwidths_is_accounted_for() {
    let mut stream = RandomStream::from_seed(47);
    let (mut transferred, mut waited) = (0, 0);
    for number in 0..200 {
        let mut system = calls::random_system(&mut stream, true);
        add_bandwidths(&mut system, &mut stream);
        if number % 2 == 0 {
            add_faults(&mut system, &mut stream);
        }
        let result = run_with_calls_logged(&system);
        assert_conservation("random", &result);
        assert_steps_change_nothing(&system, &result, &mut stream);
        for (_, line) in result.lines() {
            assert!(line.completed <= line.arrived);
            transferred += line.completed;
            waited += u64::from(line.waiting_max > 0);
        }
        // All messages arrive in the end.
        system.changes.clear();
        system.faults.clear();
        system.run_until += SimDuration::from_seconds(100);
        let result = run_with_calls_logged(&system);
        let in_flight: u64 = result.sources.iter().map(|source| source.outcomes.in_flight()).sum();
        assert_eq!((in_flight, result.calls.map_or(0, |calls| calls.in_flight())), (0, 0), "{system:?}");
        assert!(result.lines().all(|(_, line)| line.completed == line.arrived), "{system:?}");
        let sent: u64 = result.links.iter().map(|link| link.sent - link.lost).sum();
        assert_eq!(result.lines().map(|(_, line)| line.arrived).sum::<u64>(), sent);
    }
    assert!(transferred > 10_000 && waited > 100, "{transferred} messages, {waited} busy lines");
}

/// What `check` prints for a scenario with these links, sizes and probes: warnings, or errors.
fn check(links: &str, size: &str, probes: &str) -> String {
    let text = format!(
        r#"(name: "links", run_until: "9s",
            sources: {{"s": (arrivals: Constant(rate: "1/s"), to: "m", {size})}},
            nodes: {{"m": Server(service: Constant("1ms"))}},
            links: [(from: "s", to: "m", {links})], probes: [{probes}])"#
    );
    program(&["check", "a.ron"]).file("a.ron", text).run().stderr
}

#[test]
fn bandwidths_that_mean_nothing_are_refused_or_warned_of() {
    let size = "size: Constant(\"1kB\")";
    assert_eq!(check("bandwidth: \"1Mbit/s\"", size, ""), "");
    for (links, size, probes, expected) in [
        ("bandwidth: \"0bit/s\"", size, "", "with a bandwidth of 0, no message ever arrives"),
        (
            "bandwidth: \"1Mbit/s\", response_bandwidth: \"0B/s\"",
            size,
            "",
            "a.ron:4:84: links.0.response_bandwidth",
        ),
        ("bandwidth: \"1MB\"", size, "", "unknown unit \"MB\""),
        ("bandwidth: 1000000", size, "", "lacks a unit: a bandwidth is written like \"100Mbit/s\""),
        ("bandwidth: \"1Mbit/s\", sharing: Even", size, "", "available: `Fair`, `Serial`"),
        ("bandwidth: \"1Mbit/s\"", "", "", "no message has a size: the bandwidth has no effect"),
        ("preset: Local, sharing: Serial", "", "", "there is nothing to share"),
        ("preset: Local", size, "", "no link has a bandwidth: the size of a request has no effect"),
        ("", "", "", "it has neither a latency, nor a loss, nor a bandwidth"),
        (
            "preset: Local",
            "",
            "(of: \"s -> m\", gauges: [RequestLoad], every: \"1s\")",
            "the bandwidth of \"s -> m\" is unlimited: RequestLoad has no value",
        ),
        (
            "preset: Local",
            "",
            "(of: \"s -> m\", gauges: [QueueDepth], every: \"1s\")",
            "a link (\"s -> m\") has no gauge QueueDepth",
        ),
        (
            "preset: Local",
            "",
            "(of: \"m\", gauges: [LossRate], every: \"1s\")",
            "a server (\"m\") has no gauge LossRate",
        ),
        (
            "preset: Local",
            "",
            "(of: \"m -> s\", gauges: [LossRate], every: \"1s\")",
            "there is no link from \"m\" to \"s\"",
        ),
    ] {
        let answer = check(links, size, probes);
        assert!(answer.contains(expected), "{links} {probes}: {answer}");
    }
}

#[test]
fn probes_of_links_count_what_is_on_its_way() {
    // Ten messages of 1 kB at once take 1 ms each, and then 20 ms; responses take 5 ms and have no size.
    let text = r#"(name: "probes", run_until: "1s",
        sources: {"s": (arrivals: Batches(of: Constant(rate: "10/s"), size: Constant(10)), max_requests: 10, to: "m", size: Constant("1kB"))},
        nodes: {"m": Server(service: Constant("0s"), concurrency: 100)},
        links: [(from: "s", to: "m", bandwidth: "8Mbit/s", sharing: Serial, latency: Constant("20ms"), response_latency: Constant("5ms"))],
        probes: [(of: "* -> m", gauges: [RequestsInTransit, ResponsesInTransit, BytesInTransit, RequestLoad, MessageRate], every: "500us")])"#;
    let result = run_logged(&scenario(text));
    let at = |gauge: usize, tenths: usize| {
        let series = &result.series[gauge];
        assert_eq!(series.node, "s -> m");
        // The batch comes at 100 ms; samples are taken each half of a millisecond.
        let time = 100_000_000 + tenths as u64 * 100_000;
        let sample = series.samples.iter().find(|(at, _)| at.as_nanos() == time);
        sample.unwrap_or_else(|| panic!("a sample of {} at {time}", series.name())).1
    };
    for (tenths, requests, responses, load) in [
        (5, 10, 0, 1.0),
        (95, 10, 0, 1.0),
        (105, 10, 0, 0.0),
        (215, 9, 1, 0.0),
        (255, 5, 5, 0.0),
        (295, 1, 5, 0.0),
        (355, 0, 0, 0.0),
    ] {
        let expected = [f64::from(requests), f64::from(responses), f64::from(1000 * requests), load];
        let is_near = |gauge: usize, expected: f64| (at(gauge, tenths) - expected).abs() < 1e-9;
        assert!(
            expected.into_iter().enumerate().all(|(gauge, expected)| is_near(gauge, expected)),
            "after {tenths}"
        );
    }
    // Ten messages in half a millisecond.
    assert!((at(4, 0) - 20_000.0).abs() < 1e-9);
}
