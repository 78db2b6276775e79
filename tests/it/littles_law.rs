//! Every request and every nanosecond is accounted for: each mean over time equals the sum of the times that requests
//! spent there, and each request has one outcome.
//!
//! This is Little's law as an identity of a single run: the integral of a level over the measured time is the sum, over
//! all requests, of the part of that time that they spent there. The only tolerance is for rounding a mean to a float.

use rushhour::engine::random::{Draw, RandomStream};
use rushhour::engine::statistics::Tally;
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::event::NodeKind;
use rushhour::metrics::figures::{FigureValue, NodeFigures};
use rushhour::metrics::result::RunResult;
use rushhour::model::queueing::WaitQueue;
use rushhour::model::server::{InFlight, ServerConfig, ServerCounters};
use rushhour::request::{Outcome, RequestRecord};
use rushhour::scenario::Scenario;
use rushhour::simulation::{RunOptions, Simulation};

use crate::harness::{
    Server, node, run_logged, run_with_calls_logged, scenario, server_in_row, servers, shipped,
};

/// A period of the run.
#[derive(Clone, Copy)]
struct Span {
    from: SimTime,
    to: SimTime,
}

impl Span {
    /// The measured period of a run.
    fn measured(result: &RunResult) -> Self {
        Self { from: result.identity.measured_from, to: result.end }
    }

    /// Length of the overlap of two periods, in nanoseconds.
    fn overlap(self, other: Self) -> u128 {
        let (from, to) = (self.from.max(other.from), self.to.min(other.to));
        u128::from(to.as_nanos().saturating_sub(from.as_nanos()))
    }
}

/// Asserts that a mean over the measured time corresponds to an integral over it, within rounding of floats.
fn assert_mean(place: &str, mean: Option<f64>, integral: u128, result: &RunResult) {
    let elapsed = result.end.since(result.identity.measured_from).as_nanos() as f64;
    let from_mean = mean.expect("time has passed") * elapsed;
    let difference = (from_mean - integral as f64).abs();
    assert!(
        difference <= 1e-12 * integral as f64,
        "{place}: the mean level gives {from_mean} request nanoseconds, but requests spent {integral} there"
    );
}

/// Asserts that the figures of sources match the records: each request is in flight from creation to outcome.
fn assert_sources(name: &str, result: &RunResult) {
    let measured = Span::measured(result);
    for (row, source) in result.sources.iter().enumerate() {
        let own = requests(result).filter(|record| usize::from(record.source) == row);
        let integral = own.clone().map(|record| {
            let to = record.finished.map_or(result.end, |(at, _)| at);
            measured.overlap(Span { from: record.created, to })
        });
        assert_mean(&format!("{name}: {}", source.name), source.in_flight_mean, integral.sum(), result);

        let completed = own.filter_map(|record| match record.finished {
            Some((at, Outcome::Completed)) if record.created >= measured.from => {
                Some(at.since(record.created))
            }
            Some(_) | None => None,
        });
        let (count, sum) =
            completed.fold((0, 0), |(count, sum), latency| (count + 1, sum + u128::from(latency.as_nanos())));
        assert_eq!((source.latency.count(), source.latency.sum()), (count, sum), "{name}: {}", source.name);
    }
}

/// The records of requests of sources.
fn requests(result: &RunResult) -> impl Iterator<Item = &RequestRecord> + Clone {
    result.requests.iter().filter(|record| record.parent.is_none())
}

/// Asserts that offered is the sum of all outcomes and of requests in flight, and that the records agree with each.
pub(crate) fn assert_conservation(name: &str, result: &RunResult) {
    let mut offered = 0;
    for (row, source) in result.sources.iter().enumerate() {
        let own = || requests(result).filter(move |record| usize::from(record.source) == row);
        let count_of = |outcome| {
            own()
                .filter(|record| record.finished.is_some_and(|(_, own_outcome)| own_outcome == outcome))
                .count() as u64
        };
        let by_outcome = Outcome::ALL.map(count_of);
        let in_flight = own().filter(|record| record.finished.is_none()).count() as u64;
        assert_eq!(
            Outcome::ALL.map(|outcome| source.outcomes.of(outcome)),
            by_outcome,
            "{name}: {}",
            source.name
        );
        assert_eq!(source.outcomes.in_flight(), in_flight, "{name}: {}", source.name);
        assert_eq!(source.outcomes.offered, by_outcome.iter().sum::<u64>() + in_flight);
        offered += source.outcomes.offered;
    }
    if let Some(calls) = result.calls {
        let records = || result.requests.iter().filter(|record| record.parent.is_some());
        for (outcome, count) in calls.iter() {
            let ended = records().filter(|record| record.finished.is_some_and(|(_, own)| own == outcome));
            assert_eq!(ended.count() as u64, count, "{name}: calls that were {}", outcome.name());
        }
        let in_flight = records().filter(|record| record.finished.is_none()).count() as u64;
        assert_eq!(calls.in_flight(), in_flight, "{name}");
        offered += calls.offered;
    }
    let mut ids: Vec<u64> = result.requests.iter().map(|record| record.id).collect();
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(0..offered), "{name}: every request has one record");
}

#[test]
fn requests_of_every_shipped_scenario_are_all_accounted_for() {
    for (name, text) in shipped() {
        let result = run_with_calls_logged(&scenario(&text));
        assert_sources(&name, &result);
        assert_conservation(&name, &result);
    }
}

/// Asserts at several times of a run that each request that has arrived at a server is there, or has left it.
pub(crate) fn assert_every_arrival_is_accounted_for(name: &str, scenario: &Scenario) {
    let names = scenario.names();
    let mut simulation = Simulation::new(scenario, RunOptions::default()).expect("a scenario");
    // At several times, as in the middle of a run requests are everywhere.
    for quarter in 1..=4 {
        let time = SimTime::from_nanos(simulation.end().as_nanos() / 4 * quarter);
        assert!(simulation.advance(time, u64::MAX));
        let world = simulation.world();
        let mut servers = world
            .try_query::<(&InFlight, &WaitQueue, &ServerCounters, &ServerConfig)>()
            .expect("there are servers");
        assert_eq!(servers.iter(world).count(), names.count(NodeKind::Server), "{name}");
        for (row, (in_flight, queue, counters, config)) in (0..).zip(servers.iter(world)) {
            let server = names.name_of(server_in_row(row));
            let inside = u64::from(in_flight.level.level()) + u64::from(queue.depth.level());
            let left = counters.completed + counters.rejected + config.lost + config.cancelled;
            assert_eq!(counters.arrived, left + inside, "{name}: {server} at {time}");
            let idle = in_flight.level.level() < in_flight.concurrency;
            assert!(
                !(idle && queue.depth.level() > 0),
                "{name}: {server} has idle slots while requests wait"
            );
        }
    }
}

#[test]
fn servers_of_every_shipped_scenario_account_for_each_arrival() {
    for (name, text) in shipped() {
        assert_every_arrival_is_accounted_for(&name, &scenario(&text));
    }
}

#[test]
fn levels_of_every_server_are_the_times_that_requests_spent_there() {
    for (name, text) in shipped() {
        // All requests finish before the end, so that none is counted in a level but not yet in a tally.
        let mut drained = scenario(&text);
        drained.arrivals_until = drained.arrivals_until.or(Some(drained.run_until));
        drained.run_until += SimDuration::from_seconds(600);
        drained.warm_up = SimDuration::ZERO;
        drained.probes.clear();
        let result = run_with_calls_logged(&drained);
        assert!(
            result.sources.iter().all(|source| source.outcomes.in_flight() == 0),
            "{name}: requests are still in flight"
        );
        let (mut inside, mut has_others) = (0, false);
        for (server, figures) in servers(&result) {
            let (waiting, service) = (figures.wait.sum(), figures.service.sum());
            let all = node(&result, server).figures.iter();
            let gone = ["cancelled", "shed", "reneged", "lost"];
            if all.into_iter().any(|(figure, value)| gone.contains(&figure.name) && is_some(value)) {
                // Services that were broken off, and waits that were, are not among the times of those that were served.
                has_others = true;
                continue;
            }
            assert_mean(&format!("{name}: queue of {server}"), figures.queue_depth_mean, waiting, &result);
            let calling = figures.call_time.map_or(0, Tally::sum);
            let slots = format!("{name}: slots of {server}");
            let in_slots = time_at_endpoints(&node(&result, server).figures);
            assert_mean(
                &slots,
                figures.in_service_mean,
                in_slots.map_or(service + calling, |time| time - waiting),
                &result,
            );
            inside += waiting + service;
            has_others |= in_slots.is_some();
        }
        if has_others {
            // Branches spend their times side by side, and some of them for nothing.
            continue;
        }
        // The records agree, including those of requests whose response was lost. The times of a call that a request
        // waited for are part of those of the request.
        let is_part_of_parent = |record: &&RequestRecord| record.parent.is_some_and(|parent| parent.waited);
        let times = result.requests.iter().filter(|record| !is_part_of_parent(record));
        let times = times.map(|record| nanos(record.waiting) + nanos(record.service));
        assert_eq!(inside, times.sum::<u128>(), "{name}");
    }
}

/// Whether a value is a count above 0.
fn is_some(value: &FigureValue) -> bool {
    matches!(value, FigureValue::Count(1..))
}

/// The time that requests spent at a server with endpoints, from their arrival to their departure, in nanoseconds.
fn time_at_endpoints(figures: &NodeFigures) -> Option<u128> {
    let (_, FigureValue::Rows(endpoints)) = figures.iter().find(|(figure, _)| figure.name == "endpoints")?
    else {
        return None;
    };
    let time = |endpoint: &NodeFigures| {
        let (_, latency) = endpoint.iter().find(|(figure, _)| figure.name == "latency").expect("a latency");
        if let FigureValue::Times(times) = latency { times.sum() } else { 0 }
    };
    Some(endpoints.values().map(time).sum())
}

fn nanos(time: SimDuration) -> u128 {
    u128::from(time.as_nanos())
}

/// A random system of one layer of servers, with a warm-up and links of constant latency, and busy at its end.
fn random_system(stream: &mut RandomStream) -> (Scenario, Links) {
    let mut pick = |options: &[&str]| options[stream.index(options.len())].to_owned();
    let servers = pick(&["1", "2", "5"]);
    let slots = pick(&["1", "3", "10"]);
    let capacity = pick(&["0", "1", "20", "1000000"]);
    let service = pick(&[
        r#"Constant("100ms")"#,
        r#"Exponential(mean: "100ms")"#,
        r#"LogNormal(mean: "100ms", sd: "300ms")"#,
    ]);
    let policy = pick(&["Random", "RoundRobin", "LeastConnections", "KeyHash()"]);
    let arrivals = pick(&[
        r#"Poisson(rate: "30/s")"#,
        r#"Constant(rate: "40/s")"#,
        r#"Poisson(rate: Spike(base: "5/s", peak: "200/s", from: "3s", to: "9.9s"))"#,
        r#"Renewal(gap: Empirical(values: ["10ms", "50ms"]))"#,
    ]);
    let warm_up = pick(&["0s", "1s", "7.000000001s"]);
    let mut changes = String::new();
    for _ in 0..4 {
        // Early enough: requests beyond a lowered concurrency have left service before the run ends.
        let at = pick(&["0s", "1.5s", "3s", "3.000000001s", "5s"]);
        let target = pick(&["server", "server-0"]);
        let change = pick(&[
            &format!("(at: \"{at}\", of: \"{target}\", set: Down), "),
            &format!("(at: \"{at}\", of: \"server\", set: Up), "),
            &format!("(at: \"{at}\", of: \"{target}\", set: Concurrency(2)), "),
            &format!("(at: \"{at}\", of: \"{target}\", set: Concurrency(7)), "),
            &format!("(at: \"{at}\", of: \"{target}\", set: Service(Constant(\"55ms\"))), "),
            &format!("(at: \"{at}\", of: \"{target}\", set: Service(Exponential(mean: \"150ms\"))), "),
            &format!("(at: \"{at}\", of: \"users\", set: Arrivals(Poisson(rate: \"70/s\"))), "),
            &format!("(at: \"{at}\", of: \"router\", set: Policy(Random)), "),
            "",
            "",
            "",
            "",
        ]);
        changes += &change;
    }
    // A rejection on its way back has the same record as a waiting request: if any is possible, links take no time.
    let bounded = capacity != "1000000" || changes.contains("Down");
    let (out, back) = if bounded {
        ("0s".to_owned(), "0s".to_owned())
    } else {
        (pick(&["0s", "13ms", "250ms"]), pick(&["0s", "1ns", "40ms"]))
    };
    let seed = stream.below(1 << 40);
    let system = scenario(&format!(
        r#"Scenario(
            name: "random", seed: {seed}, run_until: "10s", warm_up: "{warm_up}",
            sources: {{ "users": (arrivals: {arrivals}, key: Uniform(0, 99), to: "router") }},
            nodes: {{
                "router": LoadBalancer(policy: {policy}, to: "server"),
                "server": Server(count: {servers}, concurrency: {slots}, service: {service}, queue: Fifo(capacity: {capacity})),
            }},
            links: [(from: "router", to: "server", latency: Constant("{out}"), response_latency: Constant("{back}"))],
            changes: [{changes}],
        )"#
    ));
    let time = |text: &str| text.parse().expect("a duration");
    (system, Links { out: time(&out), back: time(&back) })
}

/// The link latencies of every request.
#[derive(Clone, Copy)]
struct Links {
    out: SimDuration,
    back: SimDuration,
}

/// The times of a request at its server, computed from its record.
struct Visit {
    arrival: SimTime,
    service_start: Option<SimTime>,
    service_end: Option<SimTime>,
}

/// The visits to a server, in the order of arrivals, without those of requests that were rejected or have not arrived.
fn visits(result: &RunResult, server: Server<'_>, links: Links) -> Vec<Visit> {
    let mut records: Vec<&RequestRecord> =
        result.requests.iter().filter(|record| record.server == Some(server.node)).collect();
    records.sort_unstable_by_key(|record| record.id);
    let mut inside = 0;
    let mut visits = Vec::new();
    for record in records {
        let arrival = record.created + links.out;
        let (service_start, service_end) = match record.finished {
            // Served, or lost while waiting or in service because the server went down.
            Some((_, Outcome::Completed | Outcome::Dropped)) => {
                let start = arrival + record.waiting;
                (Some(start), Some(start + record.service))
            }
            Some(_) => continue,
            // Served, and on its way back.
            None if !record.service.is_zero() => {
                let start = arrival + record.waiting;
                (Some(start), Some(start + record.service))
            }
            // Still at the server: the earliest arrivals are in service.
            None => {
                inside += 1;
                ((inside <= server.concurrency).then_some(arrival + record.waiting), None)
            }
        };
        visits.push(Visit { arrival, service_start, service_end });
    }
    visits
}

#[test]
fn levels_of_random_systems_are_the_times_that_requests_spent_there_up_to_the_end() {
    let mut stream = RandomStream::from_seed(17);
    let (mut cut_off, mut rejected, mut lost) = (0, 0, 0);
    for _ in 0..300 {
        let (system, links) = random_system(&mut stream);
        let result = run_logged(&system);
        assert_sources("random", &result);
        assert_conservation("random", &result);
        let measured = Span::measured(&result);
        for (name, figures) in servers(&result) {
            let visits = visits(&result, figures, links);
            let (end, overlap) = (result.end, |from, to| measured.overlap(Span { from, to }));
            let waiting =
                visits.iter().map(|visit| overlap(visit.arrival, visit.service_start.unwrap_or(end)));
            let served = visits
                .iter()
                .filter_map(|visit| Some(overlap(visit.service_start?, visit.service_end.unwrap_or(end))));
            assert_mean(
                &format!("queue of {name} in {system:?}"),
                figures.queue_depth_mean,
                waiting.sum(),
                &result,
            );
            assert_mean(
                &format!("slots of {name} in {system:?}"),
                figures.in_service_mean,
                served.sum(),
                &result,
            );
            let inside = visits.iter().filter(|visit| visit.service_end.is_none()).count() as u64;
            assert_eq!(figures.arrived, figures.completed + figures.rejected + figures.lost + inside);
            cut_off += inside;
            rejected += figures.rejected;
            lost += figures.lost;
        }
        for record in &result.requests {
            let Some((at, outcome)) = record.finished else { continue };
            let times = record.waiting + record.service + links.out + links.back;
            assert_eq!(
                at.since(record.created),
                times,
                "{outcome:?}: the latency consists of waiting, service and links"
            );
        }
    }
    assert!(
        cut_off > 1_000 && rejected > 1_000 && lost > 300,
        "too few requests for this test: {cut_off} cut off, {rejected} rejected, {lost} lost"
    );
}
