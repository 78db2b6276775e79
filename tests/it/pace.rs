//! Requests that share cores, and requests that slow each other down, go on as theory has it.

use rushhour::metrics::result::RunResult;
use rushhour::request::Outcome;
use rushhour::scenario::Scenario;

use crate::harness::{
    Estimate, assert_columns, replicate, replicate_logged, run_logged, scenario, server, source, statistical,
};

/// When requests ended, in milliseconds and in the order of their creation.
fn ends(result: &RunResult) -> Vec<u64> {
    let mut records: Vec<_> = result.requests.iter().collect();
    records.sort_by_key(|record| record.id);
    let end = |record: &&rushhour::request::RequestRecord| record.finished.expect("it ends").0.as_nanos();
    records.iter().map(|record| end(record) / 1_000_000).collect()
}

fn mean_latency(result: &RunResult, of: &str) -> f64 {
    source(result, of).latency.summarize().mean().expect("requests were served") * 1e-9
}

statistical!(a_shared_core_matches_m_g_1_ps, 8, 30);

/// The mean time of a request that needs x is x / (1 - load), whatever the distribution. Kleinrock: "Time-shared systems: a
/// theoretical treatment", 1967; Sakata, Noguchi and Oizumi, 1969.
fn a_shared_core_matches_m_g_1_ps(replications: u64) {
    let system = scenario(
        r#"(name: "sharing", run_until: "42000s", warm_up: "2000s",
            sources: {
                "small": (arrivals: Poisson(rate: "0.3/s"), endpoint: "small", to: "api"),
                "large": (arrivals: Poisson(rate: "0.05/s"), endpoint: "large", to: "api"),
                "any": (arrivals: Poisson(rate: "0.2/s"), endpoint: "any", to: "api"),
            },
            nodes: {"api": Server(cores: 1, sharing: ProcessorSharing, endpoints: {
                "small": (steps: [Cpu(Constant("500ms"))]),
                "large": (steps: [Cpu(Constant("3s")), Cpu(Constant("2s"))]),
                "any": (steps: [Cpu(LogNormal(mean: "1s", sd: "2s"))]),
            })})"#,
    );
    let load = 0.3 * 0.5 + 0.05 * 5.0 + 0.2;
    let rows = replicate(&system, replications, |result| {
        let api = server(&result, "api");
        let json = serde_json::to_value(rushhour::metrics::summary::Summary::of(&result)).expect("a summary");
        let [cores, endpoint] = [("resources", "cores"), ("endpoints", "large")]
            .map(|(table, row)| json["nodes"]["api"][table][row].clone());
        let number = |value: &serde_json::Value| value.as_f64().expect("a number");
        [
            mean_latency(&result, "small"),
            mean_latency(&result, "large"),
            mean_latency(&result, "any"),
            number(&cores["utilization"]),
            number(&cores["waiting_mean"]) + number(&cores["in_use_mean"]),
            api.in_service_mean.expect("the run takes time"),
            number(&endpoint["cpu_mean"]),
            number(&endpoint["core_wait_mean"]),
        ]
    });
    let inside = load / (1.0 - load);
    assert_columns(
        &first(&rows),
        "processor sharing",
        [
            ("time of small requests", 0.5 / (1.0 - load)),
            ("of large ones", 5.0 / (1.0 - load)),
            ("of any", 1.0 / (1.0 - load)),
            ("utilization", load),
            ("sharing the core", inside),
            ("inside", inside),
        ],
    );
    // What a request has of the core is exactly what it needs; the rest of its time it has lost to others.
    for row in rows {
        assert!((row[6] - 5.0).abs() < 1e-8, "{}", row[6]);
        assert!((row[7] + row[6] - row[1]).abs() < 0.2 * row[1], "{row:?}");
    }
}

/// Columns of rows, without the rest.
fn first<const N: usize, const M: usize>(rows: &[[f64; M]]) -> Vec<[f64; N]> {
    rows.iter().map(|row| std::array::from_fn(|column| row[column])).collect()
}

statistical!(shared_cores_match_m_m_c, 8, 30);

/// With exponential times, sharing c cores is the same birth-death chain as M/M/c.
fn shared_cores_match_m_m_c(replications: u64) {
    let text = r#"(name: "sharing", run_until: "42000s", warm_up: "2000s",
        sources: {"users": (arrivals: Poisson(rate: "2.4/s"), to: "api")},
        nodes: {"api": Server(cores: 3, sharing: ProcessorSharing, endpoints: {"e": (steps: [Cpu(Exponential(mean: "1s"))])})})"#;
    let rows = replicate(&scenario(text), replications, |result| {
        [mean_latency(&result, "users"), server(&result, "api").in_service_mean.expect("it takes time")]
    });
    let loss = (1..=3).fold(1.0, |loss, k| 2.4 * loss / (f64::from(k) + 2.4 * loss));
    let wait = loss / (1.0 - 0.8 * (1.0 - loss)) / 0.6;
    assert_columns(&rows, "three cores", [("mean time", 1.0 + wait), ("inside", 2.4 * (1.0 + wait))]);
}

#[test]
fn requests_that_arrive_together_end_together() {
    let run = |server: &str| {
        let sources = ["a", "b", "c", "d"].map(|name| {
            format!(r#""{name}": (arrivals: Constant(rate: "1/s"), max_requests: 1, to: "api"),"#)
        });
        ends(&run_logged(&scenario(&format!(
            r#"(name: "together", run_until: "60s", sources: {{{}}}, nodes: {{"api": Server({server})}})"#,
            sources.concat()
        ))))
    };
    let steps = r#"endpoints: {"e": (steps: [Cpu(Constant("1s"))])}"#;
    assert_eq!(run(r#"concurrency: 4, service: Constant("1s")"#), [2000; 4]);
    assert_eq!(run(&format!("concurrency: 4, {steps}")), [2000; 4]);
    assert_eq!(run(&format!("cores: 4, sharing: ProcessorSharing, {steps}")), [2000; 4]);
    // Four share one core, or two.
    assert_eq!(run(&format!("cores: 1, sharing: ProcessorSharing, {steps}")), [5000; 4]);
    assert_eq!(run(&format!("cores: 2, sharing: ProcessorSharing, {steps}")), [3000; 4]);
    assert_eq!(run(&format!("cores: 2, {steps}")), [2000, 2000, 3000, 3000]);
}

#[test]
fn a_slow_down_follows_the_number_of_requests_or_is_that_at_the_start() {
    let run = |slowdown: &str| {
        ends(&run_logged(&scenario(&format!(
            r#"(name: "slow-down", run_until: "60s",
                sources: {{
                    "a": (arrivals: Constant(rate: "1/s"), max_requests: 1, to: "api"),
                    "b": (arrivals: Constant(rate: "1/s"), start: "2s", max_requests: 1, to: "api"),
                }},
                nodes: {{"api": Server(concurrency: 9, service: Constant("4s"), slowdown: ({slowdown}))}})"#
        ))))
    };
    // From 3 s on, both go at half the speed: `a` has 2 s left, and `b` 2 s when it is alone again.
    assert_eq!(run("factor: Linear(each: 1.0)"), [7000, 9000]);
    assert_eq!(run("factor: Linear(each: 1.0), fixed: true"), [5000, 11_000]);
    assert_eq!(run("factor: Table([(1, 0.5), (2, 4.0)])"), [3000, 5000]);
}

#[test]
fn cores_that_wait_in_order_slow_down_as_well() {
    let result = run_logged(&scenario(
        r#"(name: "slow-down", run_until: "60s",
            sources: {"a": (arrivals: Constant(rate: "1/s"), max_requests: 2, to: "api")},
            nodes: {"api": Server(cores: 1, slowdown: (factor: Linear(each: 1.0)),
                endpoints: {"e": (steps: [Cpu(Constant("2s")), Io(Constant("1s"))])})})"#,
    ));
    // The first computes from 1 s to 2 s alone, then at half the speed to 4 s, and leaves at 5 s. The second computes from 4 s,
    // at half the speed for a second, then for 1.5 s.
    assert_eq!(ends(&result), [5000, 7500]);
}

/// A chain in which requests arrive at `rate`, and `n` of them leave at the rate of services by the slow-down.
fn loaded(rate: f64, slots: u32, factor: &str) -> Scenario {
    scenario(&format!(
        r#"(name: "slow-down", run_until: "42000s", warm_up: "2000s",
            sources: {{"users": (arrivals: Poisson(rate: "{rate}/s"), to: "api")}},
            nodes: {{"api": Server(concurrency: {slots}, service: Exponential(mean: "1s"), slowdown: (factor: {factor}),
                queue: Fifo(capacity: 30))}})"#
    ))
}

statistical!(load_dependent_services_match_a_birth_death_chain, 8, 30);

fn load_dependent_services_match_a_birth_death_chain(replications: u64) {
    type Factor = fn(f64) -> f64;
    let cases: [(f64, u32, &str, Factor); 3] = [
        (2.0, 4, "Linear(each: 0.2)", |n| 1.0 + 0.2 * (n - 1.0)),
        (3.0, 10, "Polynomial(from: 2, each: 0.05, exponent: 1.5)", |n| {
            1.0 + 0.05 * libm::pow((n - 2.0_f64).max(0.0), 1.5)
        }),
        (4.0, 8, "Logistic(middle: 5.0, width: 4.0, max: 2.0)", |n| 1.0 + 1.0 / (1.0 + libm::exp(5.0 - n))),
    ];
    for (rate, slots, text, factor) in cases {
        let rows = replicate(&loaded(rate, slots, text), replications, |result| {
            let api = server(&result, "api");
            [api.in_service_mean, api.queue_depth_mean].map(|mean| mean.expect("the run takes time"))
        });
        let states = slots as usize + 31;
        let mut weights = vec![1.0];
        for n in 1..states {
            let busy = f64::from(slots).min(n as f64);
            weights.push(weights[n - 1] * rate * factor(busy) / busy);
        }
        let all: f64 = weights.iter().sum();
        let mean = |value: &dyn Fn(usize) -> usize| {
            weights.iter().enumerate().map(|(n, weight)| value(n) as f64 * weight).sum::<f64>() / all
        };
        let theory = [
            ("mean in service", mean(&|n| n.min(slots as usize))),
            ("mean queue", mean(&|n| n.saturating_sub(slots as usize))),
        ];
        assert_columns(&rows, text, theory);
    }
}

statistical!(the_time_until_a_system_is_full_matches_theory, 150, 1000);

/// The mean time until a request is rejected for the first time. From n requests to n + 1, it is the mean time between
/// arrivals, and after a departure that from n - 1 as well (Keilson: "Markov chain models: rarity and exponentiality", 1979).
fn the_time_until_a_system_is_full_matches_theory(replications: u64) {
    let system = scenario(
        r#"(name: "first passage", run_until: "5000s", arrivals_until: "5000s",
            sources: {"users": (arrivals: Poisson(rate: "1.5/s"), to: "api")},
            nodes: {"api": Server(concurrency: 5, service: Exponential(mean: "1s"), queue: Fifo(capacity: 0),
                slowdown: (factor: Linear(each: 0.25)))})"#,
    );
    let rows = replicate_logged(&system, replications, |result| {
        let rejected = result.requests.iter().filter_map(|record| match record.finished {
            Some((at, Outcome::Rejected)) => Some(at.as_seconds()),
            _ => None,
        });
        rejected.fold(f64::INFINITY, f64::min)
    });
    let (mut sum, mut last) = (0.0, 0.0);
    for n in 0..=5 {
        let down = f64::from(n) / (1.0 + 0.25 * (f64::from(n) - 1.0).max(0.0));
        last = (1.0 + down * last) / 1.5;
        sum += last;
    }
    Estimate::of(rows).assert_is("time until the first rejection", sum);
}

statistical!(slots_that_change_match_the_equations_of_the_chain, 300, 2000);

/// M/M/c with capacity steps: the mean number of requests at some times, by the differential equations of its probabilities
/// (Kolmogorov).
fn slots_that_change_match_the_equations_of_the_chain(replications: u64) {
    let system = scenario(
        r#"(name: "steps", run_until: "60s",
            sources: {"users": (arrivals: Poisson(rate: "2/s"), to: "api")},
            nodes: {"api": Server(concurrency: 3, service: Exponential(mean: "1s"))},
            changes: [(at: "20s", of: "api", set: Concurrency(1)), (at: "30s", of: "api", set: Concurrency(6))],
            probes: [(of: "api", gauges: [QueueDepth, InFlight], every: "5s")])"#,
    );
    let times = [4, 6, 7, 12];
    let rows = replicate(&system, replications, |result| {
        let at = |index| result.series.iter().filter_map(move |series| series.samples.values().nth(index));
        times.map(|index| at(index).sum::<f64>())
    });
    let (states, step) = (150, 0.001);
    let mut chain = vec![0.0; states];
    chain[0] = 1.0;
    let mut means = Vec::new();
    for tick in 0..=60_000_u32 {
        if tick % 5_000 == 0 {
            means.push(chain.iter().enumerate().map(|(n, p)| n as f64 * p).sum::<f64>());
        }
        let slots = match tick {
            0..20_000 => 3,
            20_000..30_000 => 1,
            _ => 6,
        };
        let before = chain.clone();
        for n in 0..states {
            let down = |n: usize| n.min(slots) as f64;
            let from_below = if n > 0 { 2.0 * before[n - 1] } else { 0.0 };
            let from_above = if n + 1 < states { down(n + 1) * before[n + 1] } else { 0.0 };
            chain[n] += step * (from_below + from_above - (2.0 + down(n)) * before[n]);
        }
    }
    let [a, b, c, d] = times.map(|index| means[index]);
    let theory = [("mean at 20 s", a), ("at 30 s", b), ("at 35 s", c), ("at 60 s", d)];
    assert_columns(&rows, "slots that change", theory);
}
