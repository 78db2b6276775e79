//! Faults at random times, against theory.

use rushhour::metrics::result::RunResult;
use rushhour::request::Outcome;
use rushhour::scenario::Scenario;

use crate::harness::{Estimate, assert_columns, replicate, scenario, server, statistical};

/// Share of the requests that were completed.
fn completed(result: &RunResult) -> f64 {
    let outcomes = result.sources[0].outcomes;
    outcomes.of(Outcome::Completed) as f64 / outcomes.ended() as f64
}

/// An alternating renewal process is up for the mean time to the next fault over this and the mean time to repair, whatever
/// the distributions are (Cox: "Renewal theory", 1962). Poisson arrivals see time averages.
fn availability_is_that_of_an_alternating_renewal_process(replications: u64) {
    for (every, lasts, availability) in [
        (r#"Exponential(mean: "10s")"#, r#"Exponential(mean: "2s")"#, 10.0 / 12.0),
        (r#"Uniform(min: "0s", max: "20s")"#, r#"Constant("3s")"#, 10.0 / 13.0),
        (r#"LogNormal(mean: "5s", sd: "10s")"#, r#"Gamma(mean: "5s", sd: "2s")"#, 0.5),
    ] {
        let system = scenario(&format!(
            r#"(name: "availability", run_until: "20000s",
                sources: {{"users": (arrivals: Poisson(rate: "2/s"), to: "a")}},
                nodes: {{"a": Server(concurrency: 1000, service: Constant("1us"))}},
                faults: {{"f": (of: "a", what: Crash, every: {every}, lasts: {lasts})}})"#
        ));
        let rows = replicate(&system, replications, |result| {
            let fault = &result.faults[0];
            [completed(&result), 1.0 - fault.time.as_seconds() / 20_000.0]
        });
        let theory = [("share served", availability), ("share of the time", availability)];
        assert_columns(&rows, &format!("{every}, {lasts}"), theory);
    }
}

statistical!(availability_is_that_of_an_alternating_renewal_process, 6, 30);

/// A system that needs k of n members that fail independently of each other.
fn k_of_n_members_are_up_as_often_as_the_binomial_law_says(replications: u64) {
    let (n, availability) = (5, 0.75_f64);
    for k in [1, 3, 5] {
        let system = scenario(&format!(
            r#"(name: "quorum", run_until: "5000s",
                sources: {{"users": (arrivals: Poisson(rate: "2/s"), to: "app")}},
                nodes: {{
                    "app": Server(endpoints: {{"read": (steps: [Parallel(branches: [
                        [Call("r-0")], [Call("r-1")], [Call("r-2")], [Call("r-3")], [Call("r-4")]], join: Quorum({k}))])}}),
                    "r": Server(count: {n}, concurrency: 1000, service: Constant("1us")),
                }},
                faults: {{"f": (of: "r", which: Each, what: Crash, every: Exponential(mean: "6s"), lasts: Exponential(mean: "2s"))}})"#
        ));
        let choose = |k: i32| (0..k).fold(1.0, |product, i| product * f64::from(n - i) / f64::from(i + 1));
        let power = |base: f64, n: i32| (0..n).fold(1.0, |product, _| product * base);
        let up = |k: i32| choose(k) * power(availability, k) * power(1.0 - availability, n - k);
        let theory: f64 = (k..=n).map(up).sum();
        Estimate::of(replicate(&system, replications, |result| completed(&result)))
            .assert_is(&format!("{k} of {n}"), theory);
    }
}

statistical!(k_of_n_members_are_up_as_often_as_the_binomial_law_says, 6, 30);

/// An M/M/1 queue whose server breaks down, whether it is busy or not: up for an exponential time, then down for one.
fn breakdowns(arrivals: f64, service: f64, up: f64, down: f64, fault: &str) -> Scenario {
    scenario(&format!(
        r#"(name: "breakdowns", run_until: "{run}s", warm_up: "1000s",
            sources: {{"users": (arrivals: Poisson(rate: "{arrivals}/s"), to: "a")}},
            nodes: {{"a": Server(service: Exponential(mean: "{service}s"))}},
            faults: {{"f": (of: "a", what: {fault}, every: Exponential(mean: "{up}s"), lasts: Exponential(mean: "{down}s"))}})"#,
        run = 21_000,
    ))
}

/// The mean number of requests in an M/M/1 queue whose server stops and goes on (Avi-Itzhak and Naor: "Some queuing problems
/// with the service station subject to breakdown", 1963). With the generating functions U of the number of requests while
/// the server is up and D while it is down,
/// D = `to_down` U / (arrivals (1 - z) + `to_up`), and U = p0 service / (service - arrivals z - `to_down` arrivals z /
/// (arrivals (1 - z) + `to_up`)).
fn queue_with_pauses_matches_theory(replications: u64) {
    for (arrivals, service, up, down) in [(0.5, 1.0, 10.0, 2.0), (0.3, 1.0, 4.0, 4.0), (5.0, 0.1, 1.0, 0.2)] {
        let (rate, to_down, to_up) = (1.0 / service, 1.0 / up, 1.0 / down);
        let share_up = up / (up + down);
        let at_one = rate - arrivals - to_down * arrivals / to_up;
        let slope = arrivals + to_down * arrivals / to_up + to_down * arrivals * arrivals / (to_up * to_up);
        let while_up = share_up * slope / at_one;
        let while_down = to_down * while_up / to_up + to_down * share_up * arrivals / (to_up * to_up);
        let theory = while_up + while_down;
        let system = breakdowns(arrivals, service, up, down, "Pause");
        let rows = replicate(&system, replications, |result| {
            let server = server(&result, "a");
            let present = server.in_service_mean.expect("a mean") + server.queue_depth_mean.expect("a mean");
            let latency = result.sources[0].latency.summarize().mean().expect("a mean") / 1e9;
            [present, latency]
        });
        let theory = [("requests present", theory), ("latency", theory / arrivals)];
        assert_columns(&rows, &format!("up {up}, down {down}"), theory);
    }
}

statistical!(queue_with_pauses_matches_theory, 8, 30);

/// The same queue whose server does not stop, but is slower by a factor: an M/M/1 queue in a random environment with two
/// states (Neuts: "Matrix-geometric solutions in stochastic models", 1981), solved here by its truncated balance equations.
fn queue_with_slow_periods_matches_theory(replications: u64) {
    let (arrivals, rate, factor, up, down) = (0.5, 1.0, 4.0, 10.0, 5.0);
    let theory = mean_in_two_states(arrivals, [rate, rate / factor], [1.0 / up, 1.0 / down]);
    let system = breakdowns(arrivals, 1.0 / rate, up, down, &format!("Slow({factor})"));
    let rows = replicate(&system, replications, |result| {
        let server = server(&result, "a");
        [server.in_service_mean.expect("a mean") + server.queue_depth_mean.expect("a mean")]
    });
    assert_columns(&rows, "slow periods", [("requests present", theory)]);
}

statistical!(queue_with_slow_periods_matches_theory, 8, 30);

/// The mean number of requests in a queue with one server whose rate depends on a state that changes at these rates: by value
/// iteration of the uniformized chain, cut off at 400 requests.
fn mean_in_two_states(arrivals: f64, service: [f64; 2], leave: [f64; 2]) -> f64 {
    const SIZE: usize = 400;
    let step = 1.0 / (arrivals + service[0].max(service[1]) + leave[0].max(leave[1]));
    let mut p = vec![[0.0; 2]; SIZE];
    p[0] = [1.0, 0.0];
    let mean = |p: &[[f64; 2]]| -> f64 { (0_u32..).zip(p).map(|(n, p)| f64::from(n) * (p[0] + p[1])).sum() };
    let mut before = f64::NAN;
    for round in 0.. {
        let mut next = vec![[0.0; 2]; SIZE];
        for n in 0..SIZE {
            for s in 0..2 {
                let arrive = if n + 1 < SIZE { arrivals } else { 0.0 };
                let serve = if n > 0 { service[s] } else { 0.0 };
                next[n][s] += p[n][s] * (1.0 - step * (arrive + serve + leave[s]));
                next[n][1 - s] += p[n][s] * step * leave[s];
                if n + 1 < SIZE {
                    next[n + 1][s] += p[n][s] * step * arrive;
                }
                if n > 0 {
                    next[n - 1][s] += p[n][s] * step * serve;
                }
            }
        }
        p = next;
        if round % 1000 == 0 {
            if (mean(&p) - before).abs() < 1e-9 {
                break;
            }
            before = mean(&p);
        }
    }
    mean(&p)
}
