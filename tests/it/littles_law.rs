//! Nothing is lost, neither a request nor a nanosecond: every mean over time is the sum of the times that requests
//! spent there, and every request comes to one end.
//!
//! Little's law, as an identity of a single run: the integral of a level over the time that is measured is the sum,
//! over all requests, of the part of that time which they spent there. There is no error to allow for but the rounding
//! of a mean to a float.

use rushhour::engine::random::RandomStream;
use rushhour::engine::time::{SimDuration, SimTime};
use rushhour::event::NodeKind;
use rushhour::metrics::result::RunResult;
use rushhour::model::queueing::WaitQueue;
use rushhour::model::server::{InFlight, ServerConfig, ServerCounters};
use rushhour::request::{Outcome, RequestRecord};
use rushhour::scenario::Scenario;
use rushhour::simulation::{RunOptions, Simulation};

use crate::harness::{Server, run_logged, scenario, server_in_row, servers, shipped};

/// A part of the run.
#[derive(Clone, Copy)]
struct Span {
    from: SimTime,
    to: SimTime,
}

impl Span {
    /// What is measured of a run.
    fn measured(result: &RunResult) -> Self {
        Self { from: result.identity.measured_from, to: result.end }
    }

    /// Nanoseconds that lie in both.
    fn overlap(self, other: Self) -> u128 {
        let (from, to) = (self.from.max(other.from), self.to.min(other.to));
        u128::from(to.as_nanos().saturating_sub(from.as_nanos()))
    }
}

/// Asserts that a mean over the time measured is an integral over it, but for the rounding of floats.
fn assert_mean(what: &str, mean: Option<f64>, integral: u128, result: &RunResult) {
    let elapsed = result.end.since(result.identity.measured_from).as_nanos() as f64;
    let found = mean.expect("time has passed") * elapsed;
    let difference = (found - integral as f64).abs();
    assert!(
        difference <= 1e-12 * integral as f64,
        "{what}: a mean level of {found} request nanoseconds, but requests spent {integral} there"
    );
}

/// Sources: each request is under way from its birth to its end.
fn assert_sources(name: &str, result: &RunResult) {
    let measured = Span::measured(result);
    for (row, source) in result.sources.iter().enumerate() {
        let own = result.requests.iter().filter(|record| usize::from(record.source) == row);
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

/// Offered is the sum of all ends and of what is under way, and the log agrees with each.
fn assert_conservation(name: &str, result: &RunResult) {
    let mut offered = 0;
    for (row, source) in result.sources.iter().enumerate() {
        let own = || result.requests.iter().filter(move |record| usize::from(record.source) == row);
        let ended = |wanted| {
            own().filter(|record| record.finished.is_some_and(|(_, outcome)| outcome == wanted)).count()
                as u64
        };
        let by_log = Outcome::ALL.map(ended);
        let under_way = own().filter(|record| record.finished.is_none()).count() as u64;
        assert_eq!(
            Outcome::ALL.map(|outcome| source.outcomes.of(outcome)),
            by_log,
            "{name}: {}",
            source.name
        );
        assert_eq!(source.outcomes.in_flight(), under_way, "{name}: {}", source.name);
        assert_eq!(source.outcomes.offered, by_log.iter().sum::<u64>() + under_way);
        offered += source.outcomes.offered;
    }
    let mut ids: Vec<u64> = result.requests.iter().map(|record| record.id).collect();
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(0..offered), "{name}: every request has one record");
}

#[test]
fn requests_of_every_shipped_scenario_are_all_accounted_for() {
    for (name, text) in shipped() {
        let result = run_logged(&scenario(&text));
        assert_sources(&name, &result);
        assert_conservation(&name, &result);
    }
}

#[test]
fn servers_of_every_shipped_scenario_account_for_each_request_that_came() {
    for (name, text) in shipped() {
        let scenario = scenario(&text);
        let names = scenario.names();
        let mut simulation = Simulation::new(&scenario, RunOptions::default()).expect("a scenario");
        // At several moments, for requests are everywhere in the middle of a run.
        for part in 1..=4 {
            let moment = SimTime::from_nanos(simulation.end().as_nanos() / 4 * part);
            assert!(simulation.advance(moment, u64::MAX));
            let world = simulation.world();
            let mut servers = world
                .try_query::<(&InFlight, &WaitQueue, &ServerCounters, &ServerConfig)>()
                .expect("there are servers");
            assert_eq!(servers.iter(world).count(), names.count(NodeKind::Server), "{name}");
            for (row, (in_flight, queue, counters, setup)) in (0..).zip(servers.iter(world)) {
                let server = names.name_of(server_in_row(row));
                let inside = u64::from(in_flight.level.level()) + u64::from(queue.depth.level());
                let gone = counters.completed + counters.rejected + setup.lost;
                assert_eq!(counters.arrived, gone + inside, "{name}: {server} at {moment}");
                let idle = in_flight.level.level() < in_flight.concurrency;
                assert!(!(idle && queue.depth.level() > 0), "{name}: {server} idles while requests wait");
            }
        }
    }
}

#[test]
fn levels_of_every_server_are_the_times_that_requests_spent_there() {
    for (name, text) in shipped() {
        // All requests come to an end in this one, so that none is counted in a level but not yet in a tally.
        let mut drained = scenario(&text);
        drained.arrivals_until = drained.arrivals_until.or(Some(drained.run_until));
        drained.run_until += SimDuration::from_seconds(600);
        drained.warm_up = SimDuration::ZERO;
        drained.probes.clear();
        let result = run_logged(&drained);
        assert!(result.sources.iter().all(|source| source.outcomes.in_flight() == 0), "{name} is not over");
        let mut inside = 0;
        for (server, figures) in servers(&result) {
            let (waiting, service) = (figures.wait.sum(), figures.service.sum());
            assert_mean(&format!("{name}: queue of {server}"), figures.queue_depth_mean, waiting, &result);
            assert_mean(&format!("{name}: slots of {server}"), figures.in_flight_mean, service, &result);
            inside += waiting + service;
        }
        // The records tell the same: those of requests whose response was lost included.
        let times = result.requests.iter().map(|record| nanos(record.waiting) + nanos(record.service));
        assert_eq!(inside, times.sum::<u128>(), "{name}");
    }
}

fn nanos(time: SimDuration) -> u128 {
    u128::from(time.as_nanos())
}

/// A random system of one layer of servers, with a warm-up, links of constant latency, and much going on at its end.
fn random_system(stream: &mut RandomStream) -> (Scenario, Links) {
    let mut pick = |options: &[&str]| options[stream.index(options.len())].to_owned();
    let servers = pick(&["1", "2", "5"]);
    let slots = pick(&["1", "3", "10"]);
    let capacity = pick(&["0", "1", "20", "1000000"]);
    let law = pick(&[
        r#"Constant("100ms")"#,
        r#"Exponential(mean: "100ms")"#,
        r#"LogNormal(mean: "100ms", sd: "300ms")"#,
    ]);
    let policy = pick(&["Random", "RoundRobin", "KeyHash()"]);
    let arrivals = pick(&[
        r#"Poisson(rate: "30/s")"#,
        r#"Constant(rate: "40/s")"#,
        r#"Poisson(rate: Spike(base: "5/s", peak: "200/s", from: "3s", to: "9.9s"))"#,
        r#"Renewal(gap: Empirical(values: ["10ms", "50ms"]))"#,
    ]);
    let warm_up = pick(&["0s", "1s", "7.000000001s"]);
    let mut changes = String::new();
    for _ in 0..4 {
        // Everything that is served with fewer slots has come to its end before the run does.
        let at = pick(&["0s", "1.5s", "3s", "3.000000001s", "5s"]);
        let of = pick(&["server", "server-0"]);
        let change = pick(&[
            &format!("(at: \"{at}\", of: \"{of}\", set: Down), "),
            &format!("(at: \"{at}\", of: \"server\", set: Up), "),
            &format!("(at: \"{at}\", of: \"{of}\", set: Concurrency(2)), "),
            &format!("(at: \"{at}\", of: \"{of}\", set: Concurrency(7)), "),
            &format!("(at: \"{at}\", of: \"{of}\", set: Service(Constant(\"55ms\"))), "),
            &format!("(at: \"{at}\", of: \"{of}\", set: Service(Exponential(mean: \"150ms\"))), "),
            &format!("(at: \"{at}\", of: \"users\", set: Arrivals(Poisson(rate: \"70/s\"))), "),
            &format!("(at: \"{at}\", of: \"router\", set: Policy(Random)), "),
            "",
            "",
            "",
            "",
        ]);
        changes += &change;
    }
    // A rejection on its way back looks in its record like a request that waits: where there are any, it has no way.
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
                "server": Server(count: {servers}, concurrency: {slots}, service: {law}, queue: Fifo(capacity: {capacity})),
            }},
            links: [(from: "router", to: "server", latency: Constant("{out}"), response_latency: Constant("{back}"))],
            changes: [{changes}],
        )"#
    ));
    let time = |text: &str| text.parse().expect("a duration");
    (system, Links { out: time(&out), back: time(&back) })
}

/// Latencies on the way of every request.
#[derive(Clone, Copy)]
struct Links {
    out: SimDuration,
    back: SimDuration,
}

/// When a request was at its server, worked out of its record: when it came, when its service began, when it was over.
struct Visit {
    came: SimTime,
    begun: Option<SimTime>,
    done: Option<SimTime>,
}

/// The visits to a server, in the order in which requests came. Those that were rejected, or have not come yet, are not
/// among them.
fn visits(result: &RunResult, server: Server<'_>, links: Links) -> Vec<Visit> {
    let mut records: Vec<&RequestRecord> =
        result.requests.iter().filter(|record| record.server == Some(server.node)).collect();
    records.sort_unstable_by_key(|record| record.id);
    let mut inside = 0;
    let mut visits = Vec::new();
    for record in records {
        let came = record.created + links.out;
        let (begun, done) = match record.finished {
            // Served to its end, or lost with its server while it waited or was served.
            Some((_, Outcome::Completed | Outcome::Dropped)) => {
                let begun = came + record.waiting;
                (Some(begun), Some(begun + record.service))
            }
            Some(_) => continue,
            // Served, and on its way back.
            None if !record.service.is_zero() => {
                let begun = came + record.waiting;
                (Some(begun), Some(begun + record.service))
            }
            // Still there: the first come are in service.
            None => {
                inside += 1;
                ((inside <= server.concurrency).then_some(came + record.waiting), None)
            }
        };
        visits.push(Visit { came, begun, done });
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
            let waiting = visits.iter().map(|visit| overlap(visit.came, visit.begun.unwrap_or(end)));
            let served =
                visits.iter().filter_map(|visit| Some(overlap(visit.begun?, visit.done.unwrap_or(end))));
            assert_mean(
                &format!("queue of {name} in {system:?}"),
                figures.queue_depth_mean,
                waiting.sum(),
                &result,
            );
            assert_mean(
                &format!("slots of {name} in {system:?}"),
                figures.in_flight_mean,
                served.sum(),
                &result,
            );
            let inside = visits.iter().filter(|visit| visit.done.is_none()).count() as u64;
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
                "{outcome:?}: waiting, service and links are all there is"
            );
        }
    }
    assert!(
        cut_off > 1_000 && rejected > 1_000 && lost > 300,
        "{cut_off} cut off, {rejected} rejected and {lost} lost are too few to tell"
    );
}
