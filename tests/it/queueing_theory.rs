//! Queues match queueing theory: the formulas of Erlang, Pollaczek, Khinchine, Burke and Jackson, as given in
//! Kleinrock, "Queueing systems", volume 1, 1975.
//!
//! The mean service time is 1 s, so that times are in units of the service time. Runs begin with an empty system. The
//! warm-up lasts many relaxation times, 1 / (c mu (1 - sqrt(rho))^2) in a Markovian queue, so that the remaining bias
//! from the empty start is far below a standard error.

use rand_distr::Triangular;
use rushhour::engine::distribution::DistributionSpec;
use rushhour::engine::time::{NANOS_PER_SECOND, SimDuration, SimTime};
use rushhour::metrics::result::RunResult;
use rushhour::model::parts::NodeSpec;
use rushhour::request::Outcome;
use rushhour::scenario::Scenario;

use crate::harness::{
    Estimate, Z, assert_columns, assert_count, created_from, replicate, replicate_logged, run_logged,
    run_once, scenario, server, server_in_row, source, statistical,
};

/// Seconds per nanosecond.
const NANO: f64 = 1e-9;

/// One server with Poisson arrivals and the given distribution of service times.
fn one_server(rate: f64, slots: u32, service: &str, queue: &str, warm_up: u32, run: u32) -> Scenario {
    scenario(&format!(
        r#"Scenario(
            name: "one station", run_until: "{run}s", warm_up: "{warm_up}s",
            sources: {{ "users": (arrivals: Poisson(rate: "{rate}/s"), to: "desk") }},
            nodes: {{ "desk": Server(concurrency: {slots}, service: {service}, queue: {queue}) }},
        )"#
    ))
}

const EXPONENTIAL: &str = r#"Exponential(mean: "1s")"#;
const UNBOUNDED: &str = "Fifo()";

fn mean_wait(result: &RunResult, name: &str) -> f64 {
    server(result, name).wait.summarize().mean().expect("requests were served") * NANO
}

/// Mean wait, mean number waiting, utilization.
fn queue_figures(result: &RunResult, name: &str) -> [f64; 3] {
    let server = server(result, name);
    let levels = [server.queue_depth_mean, server.utilization].map(|level| level.expect("time has passed"));
    [mean_wait(result, name), levels[0], levels[1]]
}

/// Erlang's B formula: the share of requests that find all `slots` busy when none can wait.
fn erlang_b(slots: u32, offered: f64) -> f64 {
    (1..=slots).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b))
}

/// Erlang's C formula: the share of requests that have to wait.
fn erlang_c(slots: u32, offered: f64) -> f64 {
    let (b, load) = (erlang_b(slots, offered), offered / f64::from(slots));
    b / (1.0 - load * (1.0 - b))
}

statistical!(a_server_with_one_slot_matches_m_m_1, 12, 30);

fn a_server_with_one_slot_matches_m_m_1(replications: u64) {
    for (load, warm_up, run) in [(0.5, 500, 20_000), (0.8, 2_000, 60_000), (0.9, 8_000, 160_000)] {
        let system = one_server(load, 1, EXPONENTIAL, UNBOUNDED, warm_up, run);
        let rows = replicate(&system, replications, |result| {
            let [wait, waiting, busy] = queue_figures(&result, "desk");
            let users = source(&result, "users");
            let waits = server(&result, "desk").wait.summarize();
            let (_, highest, without_wait) = waits.histogram().ranges().next().expect("requests were served");
            assert_eq!(highest, 0, "some requests do not wait");
            let latency = users.latency.summarize();
            [
                wait,
                waiting,
                busy,
                users.in_flight_mean.expect("time has passed"),
                without_wait as f64 / waits.count() as f64,
                latency.mean().expect("requests were served") * NANO,
                latency.sd().expect("requests were served") * NANO,
            ]
        });
        let (wait, time_in_system) = (load / (1.0 - load), 1.0 / (1.0 - load));
        assert_columns(
            &rows,
            &format!("M/M/1 at {load}"),
            [
                ("mean wait", wait),
                ("mean number waiting", load * wait),
                ("utilization", load),
                ("mean number in the system", load * time_in_system),
                ("share that does not wait", 1.0 - load),
                ("mean time in the system", time_in_system),
                // The standard deviation of an exponential distribution is its mean.
                ("sd of the time in the system", time_in_system),
            ],
        );
    }
}

#[test]
fn the_time_in_m_m_1_is_exponentially_distributed() {
    let (load, quantiles) = (0.8, [0.5, 0.8, 0.9, 0.95, 0.99, 0.999]);
    let system = one_server(load, 1, EXPONENTIAL, UNBOUNDED, 2_000, 60_000);
    let mean = 1.0 / (1.0 - load);
    let theory = quantiles.map(|q: f64| -mean * libm::log1p(-q));
    let tallies = replicate(&system, 40, |result| source(&result, "users").latency.clone());
    let mut together = tallies[0].clone();
    tallies[1..].iter().for_each(|tally| together.merge(tally));
    let together = together.summarize();
    for (q, theory) in quantiles.into_iter().zip(theory) {
        // The quantile of a run is biased, the share of requests below a fixed time is not. Dividing the standard error
        // of the share by the density there, (1 - q) / mean, gives that of the quantile. The histogram adds an error of
        // up to 0.1 %. (This shifts a share by a fraction of its standard error.)
        let shares = tallies.iter().map(|tally| {
            let figures = tally.summarize();
            let below = figures
                .histogram()
                .ranges()
                .filter(|(low, high, _)| (low + high) as f64 * 0.5 * NANO <= theory);
            below.map(|(_, _, count)| count).sum::<u64>() as f64 / figures.count() as f64
        });
        let share = Estimate::of(shares);
        share.assert_is(&format!("share below the {q} quantile"), q);
        let quantile = together.quantile(q).expect("requests were served") as f64 * NANO;
        let error = share.standard_error * mean / (1.0 - q);
        println!("quantile {q}: {quantile:.4} (se {error:.4}), theory {theory:.4}");
        assert!(
            (quantile - theory).abs() <= Z * error + 1e-3 * theory,
            "quantile {q}: {quantile} (se {error}), not {theory}"
        );
    }
}

statistical!(several_slots_with_one_queue_match_erlang_c, 12, 30);

fn several_slots_with_one_queue_match_erlang_c(replications: u64) {
    for (slots, load, warm_up, run) in [
        (2, 0.5, 500, 20_000),
        (2, 0.8, 2_000, 40_000),
        (2, 0.95, 15_000, 150_000),
        (10, 0.5, 100, 10_000),
        (10, 0.8, 500, 10_000),
        (10, 0.95, 3_000, 40_000),
    ] {
        let rate = f64::from(slots) * load;
        let system = one_server(rate, slots, EXPONENTIAL, UNBOUNDED, warm_up, run);
        let rows = replicate(&system, replications, |result| {
            let [wait, waiting, busy] = queue_figures(&result, "desk");
            let waits = server(&result, "desk").wait.summarize();
            let (_, _, without_wait) = waits.histogram().ranges().next().expect("requests were served");
            [wait, waiting, busy, 1.0 - without_wait as f64 / waits.count() as f64]
        });
        let share_waiting = erlang_c(slots, rate);
        let wait = share_waiting / (f64::from(slots) - rate);
        assert_columns(
            &rows,
            &format!("M/M/{slots} at {load}"),
            [
                ("mean wait", wait),
                ("mean number waiting", rate * wait),
                ("utilization", load),
                ("share that waits", share_waiting),
            ],
        );
    }
}

/// The share of rejected requests among those created at `from` or later.
fn rejected_share(result: &RunResult, from: SimTime) -> f64 {
    let (mut rejected, mut all) = (0_u64, 0_u64);
    for record in created_from(result, from) {
        all += 1;
        rejected += u64::from(record.finished.is_some_and(|(_, outcome)| outcome == Outcome::Rejected));
    }
    rejected as f64 / all as f64
}

statistical!(a_bounded_queue_rejects_the_share_of_m_m_c_k, 12, 20);

fn a_bounded_queue_rejects_the_share_of_m_m_c_k(replications: u64) {
    for (slots, capacity, load) in [(1, 4, 0.8), (1, 9, 1.2), (3, 5, 0.9), (10, 20, 1.0)] {
        let rate = f64::from(slots) * load;
        let system =
            one_server(rate, slots, EXPONENTIAL, &format!("Fifo(capacity: {capacity})"), 1_000, 20_000);
        let from = SimTime::ZERO + system.warm_up;
        let rows = replicate_logged(&system, replications, |result| {
            let [wait, waiting, busy] = queue_figures(&result, "desk");
            [rejected_share(&result, from), wait, waiting, busy]
        });
        // Probabilities of 0, 1, ..., c + K requests in the system, not normalized: each is the previous one times the
        // arrival rate over the rate at which slots become free.
        let weights: Vec<f64> = (0..=slots + capacity)
            .scan(1.0, |weight, n| {
                if n > 0 {
                    *weight *= rate / f64::from(n.min(slots));
                }
                Some(*weight)
            })
            .collect();
        let total: f64 = weights.iter().sum();
        let mean = |value: &dyn Fn(u32) -> f64| {
            (0..).zip(&weights).map(|(n, weight)| value(n) * weight / total).sum::<f64>()
        };
        let blocked = weights[weights.len() - 1] / total;
        let waiting = mean(&|n| f64::from(n.saturating_sub(slots)));
        assert_columns(
            &rows,
            &format!("M/M/{slots}/{} at {load}", slots + capacity),
            [
                ("share rejected", blocked),
                ("mean wait of accepted requests", waiting / (rate * (1.0 - blocked))),
                ("mean number waiting", waiting),
                ("utilization", rate * (1.0 - blocked) / f64::from(slots)),
            ],
        );
    }
}

statistical!(without_a_queue_erlang_b_holds_for_any_distribution_of_service_times, 12, 20);

fn without_a_queue_erlang_b_holds_for_any_distribution_of_service_times(replications: u64) {
    let blocked = erlang_b(10, 8.0);
    for service in [
        EXPONENTIAL,
        r#"Constant("1s")"#,
        r#"Uniform(min: "0s", max: "2s")"#,
        r#"Gamma(mean: "1s", sd: "2s")"#,
        r#"LogNormal(mean: "1s", sd: "1.5s")"#,
    ] {
        let system = one_server(8.0, 10, service, "Fifo(capacity: 0)", 500, 10_000);
        let from = SimTime::ZERO + system.warm_up;
        let rows = replicate_logged(&system, replications, |result| {
            assert_eq!(server(&result, "desk").queue_depth_max, 0, "no request can wait");
            [rejected_share(&result, from), queue_figures(&result, "desk")[2]]
        });
        let theory = [("share rejected", blocked), ("utilization", 0.8 * (1.0 - blocked))];
        assert_columns(&rows, &format!("M/G/10/10 with {service}"), theory);
    }
}

/// Distributions with mean 1 s, and their variances in square seconds.
fn service_distributions() -> Vec<(&'static str, f64)> {
    // The second moment of the Weibull distribution, in units of the mean, is gamma(1 + 2/k) / gamma(1 + 1/k)^2: 24 / 4
    // for k = 1/2, 4 / pi for k = 2.
    vec![
        (r#"Constant("1s")"#, 0.0),
        (EXPONENTIAL, 1.0),
        (r#"Uniform(min: "500ms", max: "1500ms")"#, 1.0 / 12.0),
        (r#"Normal(mean: "1s", sd: "300ms")"#, 0.09),
        (r#"Gamma(mean: "1s", sd: "500ms")"#, 0.25),
        (r#"Gamma(mean: "1s", sd: "2s")"#, 4.0),
        (r#"Erlang(mean: "1s", stages: 3)"#, 1.0 / 3.0),
        (r#"LogNormal(mean: "1s", sd: "1.5s")"#, 2.25),
        (r#"Weibull(mean: "1s", shape: 0.5)"#, 5.0),
        (r#"Weibull(mean: "1s", shape: 2.0)"#, 4.0 / std::f64::consts::PI - 1.0),
        // Second moment 2 (0.9 * 0.5^2 + 0.1 * 5.5^2) = 6.5.
        (
            r#"HyperExponential(branches: [(probability: 0.9, mean: "500ms"), (probability: 0.1, mean: "5500ms")])"#,
            5.5,
        ),
        // Second moment 0.5 * 0.25 + 0.4 * 1 + 0.1 * 3.5^2 = 1.75.
        (r#"Empirical(values: ["500ms", "1s", "3500ms"], weights: [5.0, 4.0, 1.0])"#, 0.75),
        (r#"Shifted(by: "400ms", of: Exponential(mean: "600ms"))"#, 0.36),
    ]
}

statistical!(waits_match_pollaczek_khinchine_for_any_distribution_of_service_times, 12, 30);

fn waits_match_pollaczek_khinchine_for_any_distribution_of_service_times(replications: u64) {
    for (service, variance) in service_distributions() {
        for load in [0.5, 0.8] {
            let (warm_up, run) = if load < 0.6 { (1_000, 20_000) } else { (8_000, 60_000) };
            let system = one_server(load, 1, service, UNBOUNDED, warm_up, run);
            let rows = replicate(&system, replications, |result| {
                let served = server(&result, "desk").service.summarize();
                let mean = served.mean().expect("requests were served") * NANO;
                let [wait, waiting, busy] = queue_figures(&result, "desk");
                [wait, waiting, busy, mean]
            });
            let wait = load * (1.0 + variance) / (2.0 * (1.0 - load));
            let theory = [
                ("mean wait", wait),
                ("mean number waiting", load * wait),
                ("utilization", load),
                ("mean service", 1.0),
            ];
            if variance > 0.0 {
                assert_columns(&rows, &format!("M/G/1 with {service} at {load}"), theory);
            } else {
                let rows: Vec<_> =
                    rows.iter().map(|&[wait, waiting, busy, _]| [wait, waiting, busy]).collect();
                assert_columns(&rows, &format!("M/D/1 at {load}"), [theory[0], theory[1], theory[2]]);
            }
        }
    }
}

#[test]
fn a_distribution_of_rand_distr_serves_as_those_of_scenarios_do() {
    // From 0 to 3 with its mode at 0: mean 1, variance 1/2.
    let (load, variance) = (0.8, 0.5_f64);
    let mut system = one_server(load, 1, EXPONENTIAL, UNBOUNDED, 8_000, 60_000);
    let Some(NodeSpec::Server(desk)) = system.nodes.get_mut("desk") else { panic!("a server") };
    let triangular = Triangular::new(0.0, 3.0, 0.0).expect("a distribution");
    desk.service = Some(DistributionSpec::custom(triangular, 1.0, variance.sqrt()));
    let rows = replicate(&system, 30, |result| queue_figures(&result, "desk"));
    let wait = load * (1.0 + variance) / (2.0 * (1.0 - load));
    let theory = [("mean wait", wait), ("mean number waiting", load * wait), ("utilization", load)];
    assert_columns(&rows, "M/G/1 with a custom distribution", theory);
    assert_eq!(run_once(&system).fingerprint, run_once(&system).fingerprint, "it repeats");
}

#[test]
fn two_servers_in_series_are_independent_queues() {
    // Burke: departures from an M/M/c queue are again a Poisson stream; Jackson: the queues are independent.
    let system = scenario(
        r#"Scenario(
            name: "tandem", run_until: "40000s", warm_up: "2000s",
            sources: { "users": (arrivals: Poisson(rate: "0.8/s"), to: "first") },
            nodes: {
                "first": Server(concurrency: 2, service: Exponential(mean: "2s"), then: "second"),
                "second": Server(service: Exponential(mean: "1s")),
            },
        )"#,
    );
    let rows = replicate(&system, 30, |result| {
        let users = source(&result, "users");
        let latency = users.latency.summarize().mean().expect("requests were served") * NANO;
        [
            queue_figures(&result, "first")[0],
            queue_figures(&result, "first")[2],
            queue_figures(&result, "second")[0],
            queue_figures(&result, "second")[1],
            latency,
            users.in_flight_mean.expect("time has passed"),
        ]
    });
    let first = erlang_c(2, 1.6) / (1.0 - 0.8);
    let second = 0.8 / 0.2;
    let time_in_system = first + 2.0 + second + 1.0;
    assert_columns(
        &rows,
        "tandem",
        [
            ("first wait", first),
            ("first utilization", 0.8),
            ("second wait", second),
            ("second number waiting", 0.8 * second),
            ("time in the system", time_in_system),
            ("number in the system", 0.8 * time_in_system),
        ],
    );
}

#[test]
fn splitting_a_poisson_stream_at_random_gives_independent_poisson_streams() {
    let system = scenario(
        r#"Scenario(
            name: "split", run_until: "20000s", warm_up: "1000s",
            sources: { "users": (arrivals: Poisson(rate: "2.1/s"), to: "dice") },
            nodes: {
                "dice": LoadBalancer(policy: Random, to: "desk"),
                "desk": Server(count: 3, service: Exponential(mean: "1s")),
            },
        )"#,
    );
    let rows =
        replicate(&system, 30, |result| ["desk-0", "desk-1", "desk-2"].map(|name| mean_wait(&result, name)));
    assert_columns(&rows, "split", ["desk-0", "desk-1", "desk-2"].map(|name| (name, 0.7 / 0.3)));

    // Arrivals at each server in each of 10,000 intervals of 2 s: Poisson with mean 1.4, so that the variance equals
    // the mean, and uncorrelated.
    let (intervals, mean) = (10_000, 1.4);
    let mut counts = vec![[0.0; 3]; intervals];
    for record in &run_logged(&system).requests {
        let server = record.server.expect("no request is lost").row() as usize;
        counts[interval(record.created, 2)][server] += 1.0;
    }
    let n = intervals as f64;
    for server in 0..3 {
        let total: f64 = counts.iter().map(|count| count[server]).sum();
        assert_count(&format!("arrivals at desk-{server}"), total, n * mean, n * mean);
        // The variance of (x - m)^2 is m + 2 m^2 for a Poisson variable of mean m.
        let squares: f64 = counts.iter().map(|count| (count[server] - mean) * (count[server] - mean)).sum();
        let variance = n * (mean + 2.0 * mean * mean);
        assert_count(&format!("squared deviations at desk-{server}"), squares, n * mean, variance);
        let other = (server + 1) % 3;
        let products: f64 = counts.iter().map(|count| (count[server] - mean) * (count[other] - mean)).sum();
        assert_count(
            &format!("products of deviations at desk-{server} and desk-{other}"),
            products,
            0.0,
            n * mean * mean,
        );
    }
}

/// The index of the interval that contains `time`, for intervals of this length.
fn interval(time: SimTime, seconds: u64) -> usize {
    usize::try_from(time.as_nanos() / (seconds * NANOS_PER_SECOND)).expect("a run has few intervals")
}

#[test]
fn a_sine_rate_creates_its_integral_of_requests_in_each_quarter_period() {
    let system = scenario(
        r#"Scenario(
            name: "tide", run_until: "4000s",
            sources: { "tide": (arrivals: Poisson(rate: Sine(mean: "20/s", amplitude: "15/s", period: "100s")), to: "sink") },
            nodes: { "sink": Server(concurrency: 100, service: Constant("1ms")) },
        )"#,
    );
    let mut quarters = [0.0; 4];
    for record in &run_logged(&system).requests {
        quarters[interval(record.created, 25) % 4] += 1.0;
    }
    // In 40 periods: 40 * (20 * 25 +- 15 * 100 / (2 pi)), two quarters above the mean and two below.
    let excess = 15.0 * 100.0 / std::f64::consts::TAU;
    for (quarter, (count, sign)) in quarters.into_iter().zip([1.0, 1.0, -1.0, -1.0]).enumerate() {
        let expected = 40.0 * (500.0 + sign * excess);
        assert_count(&format!("quarter {quarter}"), count, expected, expected);
    }
}

const LINKED: &str = r#"Scenario(
    name: "linked", arrivals_until: "2000s", run_until: "2100s",
    sources: { "users": (arrivals: Poisson(rate: "5/s"), to: "router") },
    nodes: {
        "router": LoadBalancer(policy: Random, to: "desk"),
        "desk": Server(count: 2, concurrency: 4, service: Exponential(mean: "1s")),
    },
    links: [
        (from: "users", to: "router", latency: Constant("3ms")),
        (from: "router", to: "desk-0", latency: Constant("20ms"), response_latency: Constant("7ms")),
        (from: "router", to: "desk", latency: Constant("1us")),
    ],
)"#;

#[test]
fn each_direction_of_a_link_has_its_own_loss() {
    let lost = |link: &str| {
        let system = scenario(&format!(
            r#"Scenario(
                name: "losses", arrivals_until: "2000s", run_until: "2010s",
                sources: {{ "users": (arrivals: Poisson(rate: "50/s"), to: "n") }},
                nodes: {{ "n": Server(concurrency: 100, service: Constant("1ms")) }},
                links: [(from: "users", to: "n", {link})],
            )"#
        ));
        let result = run_once(&system);
        let (offered, served) = (source(&result, "users").outcomes.offered, server(&result, "n").completed);
        let completed = source(&result, "users").outcomes.of(Outcome::Completed);
        [(offered - served, offered), (served - completed, served)]
    };
    for (link, losses) in [
        ("loss: 0.02", [0.02, 0.02]),
        ("loss: 0.02, response_loss: 0.1", [0.02, 0.1]),
        ("response_loss: 0.05", [0.0, 0.05]),
        ("loss: 0.05, response_loss: 0", [0.05, 0.0]),
        ("preset: DataCenter", [0.0, 0.0]),
        ("preset: Mobile", [0.01, 0.01]),
        ("preset: Mobile, loss: 0.03", [0.03, 0.03]),
        ("preset: Internet, response_loss: 0", [0.001, 0.0]),
    ] {
        for ((lost, sent), loss) in lost(link).into_iter().zip(losses) {
            if loss == 0.0 {
                assert_eq!(lost, 0, "{link}");
                continue;
            }
            let sent = sent as f64;
            assert_count(link, lost as f64, sent * loss, sent * loss * (1.0 - loss));
        }
    }
}

statistical!(presets_of_links_have_their_latencies, 4, 20);

fn presets_of_links_have_their_latencies(replications: u64) {
    for (preset, mean, sd) in [
        ("Local", 0.02, 0.0),
        ("DataCenter", 0.25, 0.15),
        ("CrossRegion", 75.0, 5.0),
        ("Internet", 20.0, 10.0),
        ("Mobile", 50.0, 40.0),
    ] {
        let system = scenario(&format!(
            r#"Scenario(
                name: "preset", arrivals_until: "500s", run_until: "510s",
                sources: {{ "users": (arrivals: Poisson(rate: "50/s"), to: "n") }},
                nodes: {{ "n": Server(concurrency: 1000, service: Constant("0s")) }},
                links: [(from: "users", to: "n", preset: {preset}, loss: 0)],
            )"#
        ));
        let rows = replicate(&system, replications, |result| {
            let latency = source(&result, "users").latency.summarize();
            let milliseconds = |nanos: Option<f64>| nanos.expect("requests were served") * 1e-6;
            // Of a constant, the mean says it.
            [milliseconds(latency.mean()), if sd > 0.0 { milliseconds(latency.sd()) } else { 0.0 }]
        });
        if sd > 0.0 {
            // There and back.
            let theory = [("mean latency", 2.0 * mean), ("sd of the latency", sd * 2.0_f64.sqrt())];
            assert_columns(&rows, preset, theory);
        } else {
            assert!(
                rows.iter().all(|[latency, _]| (latency - 2.0 * mean).abs() < 1e-9),
                "{preset}: {rows:?}"
            );
        }
    }
}

#[test]
fn a_link_of_constant_latency_adds_exactly_that() {
    let result = run_logged(&scenario(LINKED));
    let (mut near, mut far) = (0, 0);
    for record in &result.requests {
        let (finished, outcome) = record.finished.expect("every request has finished");
        assert_eq!(outcome, Outcome::Completed);
        let on_links =
            finished.since(record.created).as_nanos() - record.waiting.as_nanos() - record.service.as_nanos();
        if record.server == Some(server_in_row(0)) {
            assert_eq!(on_links, 33_000_000, "3 ms + 20 ms out, 7 ms + 3 ms back");
            far += 1;
        } else {
            assert_eq!(
                on_links, 6_002_000,
                "3 ms + 1 us, twice: the link to one server takes precedence over that to the group"
            );
            near += 1;
        }
    }
    assert!(near > 4_000 && far > 4_000, "{near} and {far} of 10,000");
}

/// Six load balancers in a row, some of them linked: the response goes back through all of them.
#[test]
fn a_response_takes_the_whole_path_of_the_request_back() {
    let row: String = (0..6)
        .map(|i| {
            format!(
                "\"b{i}\": LoadBalancer(policy: Random, to: \"{}\"),",
                if i < 5 { format!("b{}", i + 1) } else { "desk".to_owned() }
            )
        })
        .collect();
    let scenario = scenario(&format!(
        r#"Scenario(
            name: "a row", arrivals_until: "10s", run_until: "20s",
            sources: {{"users": (arrivals: Poisson(rate: "50/s"), to: "b0")}},
            nodes: {{{row} "desk": Server(service: Exponential(mean: "10ms"))}},
            links: [
                (from: "users", to: "b0", latency: Constant("1ms")),
                (from: "b2", to: "b3", latency: Constant("10ms"), response_latency: Constant("20ms")),
                (from: "b5", to: "desk", latency: Constant("100ms")),
            ],
        )"#
    ));
    let result = run_logged(&scenario);
    assert!(result.requests.len() > 400);
    for record in &result.requests {
        let (finished, outcome) = record.finished.expect("every request has finished");
        assert_eq!(outcome, Outcome::Completed);
        let on_links = finished.since(record.created) - record.waiting - record.service;
        assert_eq!(on_links.as_nanos(), 232_000_000, "1 + 10 + 100 ms out, 100 + 20 + 1 ms back");
    }
}

#[test]
fn a_link_of_random_latency_adds_its_mean_each_way() {
    let system = scenario(
        r#"Scenario(
            name: "jitter", run_until: "3000s",
            sources: { "users": (arrivals: Poisson(rate: "10/s"), to: "desk") },
            nodes: { "desk": Server(concurrency: 100, service: Constant("5ms")) },
            links: [(from: "users", to: "desk", latency: Exponential(mean: "40ms"), response_latency: Gamma(mean: "30ms", sd: "10ms"))],
        )"#,
    );
    let latency = run_logged(&system).sources[0].latency.summarize();
    let error = latency.sd().expect("many requests") / (latency.count() as f64).sqrt();
    let mean = latency.mean().expect("many requests");
    // Requests do not wait for each other here, so that their latencies are independent samples.
    assert!((mean - 75e6).abs() <= Z * error, "{mean} ns, not 75 ms, with a standard error of {error}");
    let expected = 41.231e6; // sqrt(40^2 + 10^2) ms
    let sd = latency.sd().expect("many requests");
    // The fourth moment about the mean of such a sum is at most that of an exponential distribution, 9 sd^4: so the
    // relative standard error of a standard deviation is at most sqrt(8 / n) / 2.
    assert!((sd - expected).abs() <= Z * expected * (2.0 / latency.count() as f64).sqrt(), "{sd}");
}

#[test]
fn a_link_loses_its_share_of_messages() {
    let system = scenario(
        r#"Scenario(
            name: "lossy", arrivals_until: "5000s", run_until: "5010s",
            sources: { "users": (arrivals: Poisson(rate: "20/s"), to: "desk") },
            nodes: { "desk": Server(concurrency: 100, service: Constant("5ms")) },
            links: [(from: "users", to: "desk", latency: Constant("1ms"), loss: 0.03)],
        )"#,
    );
    let result = run_logged(&system);
    let outcomes = source(&result, "users").outcomes;
    let (offered, share) = (outcomes.offered as f64, 1.0 - 0.97 * 0.97);
    assert_count(
        "lost requests",
        outcomes.of(Outcome::Dropped) as f64,
        offered * share,
        offered * share * (1.0 - share),
    );
    let arrived = server(&result, "desk").arrived as f64;
    assert_count("requests that arrive", arrived, offered * 0.97, offered * 0.97 * 0.03);
    assert_eq!(result.links[0].lost, outcomes.of(Outcome::Dropped), "each lost message loses a request");
    let lost = result
        .requests
        .iter()
        .filter(|record| record.finished.is_some_and(|(_, outcome)| outcome == Outcome::Dropped));
    let lost_before_arrival = lost.filter(|record| record.server.is_none()).count() as u64;
    assert_eq!(lost_before_arrival, outcomes.offered - server(&result, "desk").arrived);
    let zero = SimDuration::ZERO;
    assert!(result.requests.iter().all(|record| record.server.is_some() || record.service == zero));
}
