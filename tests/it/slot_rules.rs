//! Requests leave queues, interrupt each other, and take several slots, as theory has it.

use rushhour::metrics::result::RunResult;
use rushhour::request::Outcome;
use rushhour::scenario::Scenario;

use crate::harness::{
    assert_columns, number_of, replicate, run_logged, run_once, scenario, server, source, statistical,
};
use crate::support::rushhour;

/// Poisson arrivals at a server with exponential services of mean 1 s, for 60,000 s after a warm-up.
fn station(rate: f64, server: &str) -> Scenario {
    scenario(&format!(
        r#"(name: "station", run_until: "62000s", warm_up: "2000s",
            sources: {{"users": (arrivals: Poisson(rate: "{rate}/s"), to: "desk")}},
            nodes: {{"desk": Server(service: Exponential(mean: "1s"), {server})}})"#
    ))
}

/// The stationary distribution of a birth-death chain by its products: `up(n)` is the rate from n to n + 1, and `down(n)` that
/// from n to n - 1.
fn stationary(up: impl Fn(usize) -> f64, down: impl Fn(usize) -> f64, states: usize) -> Vec<f64> {
    let mut weights = vec![1.0];
    for n in 1..states {
        weights.push(weights[n - 1] * up(n - 1) / down(n));
    }
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

fn mean_of(distribution: &[f64], value: impl Fn(usize) -> f64) -> f64 {
    distribution.iter().enumerate().map(|(n, probability)| probability * value(n)).sum()
}

/// The share of the requests of the only source that had this outcome.
fn share_of(result: &RunResult, outcome: Outcome) -> f64 {
    let outcomes = &source(result, "users").outcomes;
    outcomes.of(outcome) as f64 / outcomes.ended() as f64
}

fn depth(result: &RunResult) -> f64 {
    server(result, "desk").queue_depth_mean.expect("the run takes time")
}

fn busy(result: &RunResult) -> f64 {
    server(result, "desk").in_service_mean.expect("the run takes time")
}

statistical!(exponential_patience_matches_erlang_a, 8, 30);

/// Erlang A, M/M/c+M: a birth-death chain in which each waiting request leaves at the rate of its patience. Palm, 1957.
fn exponential_patience_matches_erlang_a(replications: u64) {
    for (slots, rate, patience) in [(1_u32, 1.2, 2.0), (4, 3.8, 0.5), (4, 6.0, 5.0)] {
        let text = format!(r#"concurrency: {slots}, patience: Exponential(mean: "{patience}s")"#);
        let rows = replicate(&station(rate, &text), replications, |result| {
            [share_of(&result, Outcome::TimedOut), depth(&result), busy(&result)]
        });
        let served = |n: usize| f64::from(slots).min(n as f64);
        let chain = stationary(|_| rate, |n| served(n) + (n as f64 - served(n)) / patience, 400);
        let waiting = mean_of(&chain, |n| n as f64 - served(n));
        let theory = [
            ("share that leaves", waiting / patience / rate),
            ("mean queue", waiting),
            ("mean in service", mean_of(&chain, served)),
        ];
        assert_columns(&rows, &format!("{slots} slots at {rate}/s, patience {patience} s"), theory);
    }
}

statistical!(fixed_patience_matches_barrer, 8, 30);

/// M/M/1+D: a request joins the work if it would find less than its patience. The density of the work in front of a request
/// decreases at the rate 1 - load below the patience and at the rate of a service above. Barrer: "Queuing with impatient
/// customers and ordered service", 1957.
fn fixed_patience_matches_barrer(replications: u64) {
    for (rate, patience) in [(0.8_f64, 3.0_f64), (1.5, 2.0)] {
        let text = format!(r#"patience: Constant("{patience}s")"#);
        let rows = replicate(&station(rate, &text), replications, |result| {
            [share_of(&result, Outcome::TimedOut), busy(&result)]
        });
        let left = libm::exp(-(1.0 - rate) * patience);
        let idle = 1.0 / (1.0 + rate * (1.0 - left) / (1.0 - rate) + rate * left);
        let theory = [("share that leaves", rate * idle * left), ("mean in service", 1.0 - idle)];
        assert_columns(&rows, &format!("{rate}/s, patience {patience} s"), theory);
    }
}

statistical!(balking_matches_a_birth_death_chain, 8, 30);

fn balking_matches_a_birth_death_chain(replications: u64) {
    for (balk, probability) in [
        ("(from: 2, probability: 0.4)", (|waiting| if waiting >= 2 { 0.4 } else { 0.0 }) as fn(usize) -> f64),
        // From a fifth at 1 to all at 5.
        ("(from: 1, to: 5, probability: 1.0)", |waiting| (waiting as f64 / 5.0).min(1.0)),
    ] {
        let rows = replicate(&station(1.5, &format!("balk: {balk}")), replications, |result| {
            [share_of(&result, Outcome::Rejected), depth(&result)]
        });
        let balks = |n: usize| if n == 0 { 0.0 } else { probability(n - 1) };
        let chain = stationary(|n| 1.5 * (1.0 - balks(n)), |_| 1.0, 400);
        let theory = [
            ("share that balks", mean_of(&chain, balks)),
            ("mean queue", mean_of(&chain, |n| n.saturating_sub(1) as f64)),
        ];
        assert_columns(&rows, balk, theory);
    }
}

#[test]
fn those_who_leave_or_do_not_join_are_counted() {
    let result = run_once(&station(1.5, r#"patience: Constant("3s"), balk: (from: 3, probability: 0.5)"#));
    let [reneged, balked] = ["reneged", "balked"].map(|figure| number_of(&result, "desk", figure));
    let outcomes = &source(&result, "users").outcomes;
    assert!(reneged > 1000 && balked > 1000, "{reneged} and {balked}");
    assert_eq!((outcomes.of(Outcome::TimedOut), outcomes.of(Outcome::Rejected)), (reneged, balked));
    // Each ends at the moment at which its patience does.
    let result = run_logged(&scenario(
        r#"(name: "patience", run_until: "10s",
            sources: {"users": (arrivals: Constant(rate: "1/s"), max_requests: 3, to: "desk")},
            nodes: {"desk": Server(service: Constant("5s"), patience: Constant("1500ms"))})"#,
    ));
    assert_eq!(
        ends(&result),
        [(3500, Outcome::TimedOut), (4500, Outcome::TimedOut), (6000, Outcome::Completed)]
    );
}

/// When requests ended, in milliseconds and in this order, and how.
fn ends(result: &RunResult) -> Vec<(u64, Outcome)> {
    let mut ends: Vec<_> = result.requests.iter().filter_map(|record| record.finished).collect();
    ends.sort_by_key(|(at, _)| *at);
    ends.into_iter().map(|(at, outcome)| (at.as_nanos() / 1_000_000, outcome)).collect()
}

statistical!(preemptive_priorities_match_miller, 8, 30);

/// The mean time of a class is its service, stretched by what higher ones interrupt, and the residual work of its own and higher
/// ones over what these leave. Miller: "Priority queues", 1960.
fn preemptive_priorities_match_miller(replications: u64) {
    let rates = [0.2, 0.3, 0.3];
    let sources = rates.iter().enumerate().map(|(class, rate)| {
        format!(r#""{class}": (arrivals: Poisson(rate: "{rate}/s"), priority: {}, to: "desk"),"#, 10 - class)
    });
    let system = scenario(&format!(
        r#"(name: "priorities", run_until: "62000s", warm_up: "2000s", sources: {{{}}},
            nodes: {{"desk": Server(service: Exponential(mean: "1s"), queue: Priority(preemptive: true))}})"#,
        sources.collect::<String>()
    ));
    let rows = replicate(&system, replications, |result| {
        let mean = |class| source(&result, class).latency.summarize().mean().expect("served") * 1e-9;
        let wait = server(&result, "desk").wait.summarize().mean().expect("served") * 1e-9;
        [mean("0"), mean("1"), mean("2"), wait, busy(&result)]
    });
    let time = |class: usize| {
        let above: f64 = rates[..class].iter().sum();
        let with_own = above + rates[class];
        1.0 / (1.0 - above) + with_own / ((1.0 - above) * (1.0 - with_own))
    };
    let all: f64 = (0..3).map(|class| rates[class] / 0.8 * time(class)).sum();
    let theory = [
        ("time of the first class", time(0)),
        ("of the second", time(1)),
        ("of the third", time(2)),
        ("wait of all", all - 1.0),
        ("mean in service", 0.8),
    ];
    assert_columns(&rows, "preemptive priorities", theory);
}

#[test]
fn an_interrupted_service_goes_on_where_it_was() {
    let result = run_logged(&scenario(
        r#"(name: "interruption", run_until: "30s",
            sources: {
                "low": (arrivals: Constant(rate: "1/s"), max_requests: 1, to: "desk"),
                "middle": (arrivals: Constant(rate: "1/s"), start: "1s", max_requests: 1, priority: 1, to: "desk"),
                "high": (arrivals: Constant(rate: "1/s"), start: "2500ms", max_requests: 1, priority: 2, to: "desk"),
                "low-too": (arrivals: Constant(rate: "1/s"), start: "500ms", max_requests: 1, to: "desk"),
            },
            nodes: {"desk": Server(service: Constant("4s"), queue: Priority(preemptive: true))})"#,
    ));
    let of = |name: &str| {
        let row = result.sources.iter().position(|source| source.name == name).expect("a source");
        let record =
            result.requests.iter().find(|record| usize::from(record.source) == row).expect("a record");
        let (at, _) = record.finished.expect("it is served");
        [at.as_nanos(), record.waiting.as_nanos(), record.service.as_nanos()].map(|time| time / 1_000_000)
    };
    // Low works from 1 s, middle arrives at 2 s and high at 3.5 s.
    assert_eq!(of("high"), [7500, 0, 4000]);
    assert_eq!(of("middle"), [10_000, 4000, 4000]);
    assert_eq!(of("low"), [13_000, 8000, 4000]);
    assert_eq!(of("low-too"), [17_000, 11_500, 4000]);
}

statistical!(orders_by_service_time_match_theory, 8, 30);

/// Without interruption: Phipps: "Machine repair as a priority waiting-line problem", 1956; with it: Schrage and Miller, 1966.
fn orders_by_service_time_match_theory(replications: u64) {
    let rate = 0.8;
    // Work that services of at most t bring in a second, and its second moment.
    let load = |t: f64| rate * (1.0 - libm::exp(-t) * (1.0 + t));
    let second = |t: f64| rate * (2.0 - libm::exp(-t) * (t * t + 2.0 * t + 2.0));
    let (steps, step) = (60_000, 0.001);
    let (mut shortest, mut remaining, mut stretched) = (0.0, 0.0, 0.0);
    for index in 0..steps {
        let t = (f64::from(index) + 0.5) * step;
        let probability = libm::exp(-t) * step;
        let free = 1.0 - load(t);
        shortest += probability * rate / (free * free);
        stretched += 0.5 * step / free;
        let behind = (second(t) + rate * t * t * libm::exp(-t)) / (2.0 * free * free);
        remaining += probability * (behind + stretched);
        stretched += 0.5 * step / free;
    }
    for (queue, time) in [("ShortestFirst()", shortest + 1.0), ("ShortestFirst(preemptive: true)", remaining)]
    {
        let rows = replicate(&station(rate, &format!("queue: {queue}")), replications, |result| {
            let latency = source(&result, "users").latency.summarize();
            [latency.mean().expect("requests were served") * 1e-9, busy(&result)]
        });
        assert_columns(&rows, queue, [("mean time", time), ("mean in service", rate)]);
    }
}

#[test]
fn the_earliest_deadline_comes_first_and_late_requests_are_shed() {
    let run = |keep_late: bool| {
        run_logged(&scenario(&format!(
            r#"(name: "deadlines", run_until: "60s",
            sources: {{
                "first": (arrivals: Constant(rate: "1/s"), max_requests: 1, to: "desk"),
                "none": (arrivals: Constant(rate: "1/s"), start: "100ms", max_requests: 1, to: "desk"),
                "late": (arrivals: Constant(rate: "1/s"), start: "200ms", max_requests: 1, deadline: "3s", to: "desk"),
                "far": (arrivals: Constant(rate: "1/s"), start: "300ms", max_requests: 1, deadline: "30s", to: "desk"),
                "near": (arrivals: Constant(rate: "1/s"), start: "400ms", max_requests: 1, deadline: "10s", to: "desk"),
            }},
            nodes: {{"desk": Server(service: Constant("4s"), queue: EarliestDeadline(keep_late: {keep_late}))}})"#
        )))
    };
    let order = |result: &RunResult| -> Vec<(String, Outcome)> {
        let mut ends: Vec<_> = result
            .requests
            .iter()
            .map(|record| {
                let (at, outcome) = record.finished.expect("it ends");
                (at, (result.sources[usize::from(record.source)].name.clone(), outcome))
            })
            .collect();
        ends.sort_by_key(|(at, _)| *at);
        ends.into_iter().map(|(_, end)| end).collect()
    };
    let expect = |names: [&str; 5]| names.map(|name| (name.to_owned(), Outcome::Completed)).to_vec();
    let kept = run(true);
    assert_eq!(order(&kept), expect(["first", "late", "near", "far", "none"]));
    let shed = run(false);
    let mut expected = expect(["first", "late", "near", "far", "none"]);
    // It is late when the first service is over, in the same instant in which that completes.
    expected[1].1 = Outcome::Shed;
    let mut actual = order(&shed);
    actual[..2].sort_by(|(a, _), (b, _)| a.cmp(b));
    assert_eq!(actual, expected);
    assert_eq!(number_of(&shed, "desk", "shed"), 1);
}

#[test]
fn keys_are_served_by_their_weights() {
    let result = run_logged(&scenario(
        r#"(name: "weights", run_until: "1000s",
            sources: {
                "light": (arrivals: Constant(rate: "5/s"), key: Fixed(1), to: "desk"),
                "heavy": (arrivals: Constant(rate: "5/s"), key: Fixed(2), to: "desk"),
                "rare": (arrivals: Constant(rate: "0.1/s"), key: Fixed(3), to: "desk"),
            },
            nodes: {"desk": Server(service: Constant("500ms"), queue: WeightedFair(weights: {2: 3.0}))})"#,
    ));
    let served = |name| source(&result, name).outcomes.of(Outcome::Completed);
    // Two a second, of which the third key needs 0.1, and the others share the rest one to three.
    assert_eq!(served("rare"), 99);
    assert!(served("light").abs_diff(475) <= 2 && served("heavy").abs_diff(1425) <= 2);
}

#[test]
fn weighted_requests_take_their_slots_in_order_and_give_all_of_them_back() {
    let text = |concurrency: u32| {
        format!(
            r#"(name: "weights", run_until: "60s",
            sources: {{
                "a": (arrivals: Constant(rate: "1/s"), max_requests: 1, weight: 2, to: "desk"),
                "b": (arrivals: Constant(rate: "1/s"), start: "100ms", max_requests: 1, weight: 3, to: "desk"),
                "c": (arrivals: Constant(rate: "1/s"), start: "200ms", max_requests: 1, weight: 1, to: "desk"),
                "d": (arrivals: Constant(rate: "1/s"), start: "300ms", max_requests: 1, weight: 9, to: "desk"),
            }},
            nodes: {{"desk": Server(concurrency: {concurrency}, service: Constant("5s"), weighted: true)}})"#
        )
    };
    let result = run_logged(&scenario(&text(4)));
    // `c` would fit beside `a`, but does not overtake `b`; `d` is heavier than the server.
    let expected = [(1300, Outcome::Rejected), (6000, Outcome::Completed), (11_000, Outcome::Completed)];
    assert_eq!(ends(&result), [&expected[..], &[(11_000, Outcome::Completed)]].concat());
    // 2 x 5 s, then 4 x 5 s.
    assert!((busy(&result) * 60.0 - 30.0).abs() < 1e-9);
    let answer = rushhour(&["check", "w.ron"]).file("w.ron", text(4).replace("weight: 1", "weight: 0")).run();
    assert!(answer.bad(2).contains("a request takes at least one slot"));
}

statistical!(weighted_slots_match_the_multiservice_loss_formula, 8, 30);

/// Requests of two weights at slots without a queue: Kaufman: "Blocking in a shared resource environment", 1981; Roberts, 1981.
fn weighted_slots_match_the_multiservice_loss_formula(replications: u64) {
    let classes = [(2.0, 1_usize), (0.8, 3)];
    let system = scenario(
        r#"(name: "loss", run_until: "22000s", warm_up: "2000s",
            sources: {
                "small": (arrivals: Poisson(rate: "2/s"), to: "desk"),
                "large": (arrivals: Poisson(rate: "0.8/s"), weight: 3, to: "desk"),
            },
            nodes: {"desk": Server(concurrency: 6, service: Gamma(mean: "1s", sd: "2s"), weighted: true, queue: Fifo(capacity: 0))})"#,
    );
    let rows = replicate(&system, replications, |result| {
        let lost = |name| {
            let outcomes = &source(&result, name).outcomes;
            outcomes.of(Outcome::Rejected) as f64 / outcomes.ended() as f64
        };
        [lost("small"), lost("large"), busy(&result)]
    });
    let mut weights = vec![1.0];
    for used in 1..=6 {
        let sum = classes.iter().filter(|(_, slots)| used >= *slots);
        let sum: f64 = sum.map(|(load, slots)| load * *slots as f64 * weights[used - slots]).sum();
        weights.push(sum / used as f64);
    }
    let all: f64 = weights.iter().sum();
    let chain: Vec<f64> = weights.iter().map(|weight| weight / all).collect();
    let theory = [
        ("loss of small requests", chain[6]),
        ("of large ones", chain[4] + chain[5] + chain[6]),
        ("slots in use", mean_of(&chain, |used| used as f64)),
    ];
    assert_columns(&rows, "weighted slots", theory);
}

/// The requests that CoDel sheds, computed from all arrivals by the pseudo-code of RFC 8289 for one server with a constant
/// service time: times in seconds.
fn codel_sheds(arrivals: &[f64], service: f64, target: f64, interval: f64) -> Vec<usize> {
    let (mut first_above, mut drop_next, mut count, mut last_count, mut dropping) =
        (0.0_f64, 0.0_f64, 0_u32, 0_u32, false);
    let (mut queue, mut next, mut free_at) = (std::collections::VecDeque::new(), 0, 0.0_f64);
    let mut shed = Vec::new();
    loop {
        // Everybody who arrives before the server is free waits; nobody waits while it is.
        if queue.is_empty() {
            if next == arrivals.len() {
                return shed;
            }
            if arrivals[next] >= free_at {
                free_at = arrivals[next] + service;
                next += 1;
                continue;
            }
        }
        while next < arrivals.len() && arrivals[next] < free_at {
            queue.push_back(next);
            next += 1;
        }
        let now = free_at;
        let mut dequeue = |queue: &mut std::collections::VecDeque<usize>| {
            let Some(packet) = queue.pop_front() else {
                first_above = 0.0;
                return (None, false);
            };
            let mut ok_to_drop = false;
            if now - arrivals[packet] < target || queue.is_empty() {
                first_above = 0.0;
            } else if first_above == 0.0 {
                first_above = now + interval;
            } else if now >= first_above {
                ok_to_drop = true;
            }
            (Some(packet), ok_to_drop)
        };
        let law = |from: f64, count: u32| from + interval / f64::from(count).sqrt();
        let (mut packet, mut ok_to_drop) = dequeue(&mut queue);
        if dropping {
            if !ok_to_drop {
                dropping = false;
            }
            while now >= drop_next && dropping {
                shed.extend(packet);
                count += 1;
                (packet, ok_to_drop) = dequeue(&mut queue);
                if ok_to_drop {
                    drop_next = law(drop_next, count);
                } else {
                    dropping = false;
                }
            }
        } else if ok_to_drop {
            shed.extend(packet);
            (packet, _) = dequeue(&mut queue);
            dropping = true;
            let delta = count - last_count;
            count = if delta > 1 && now - drop_next < 16.0 * interval { delta } else { 1 };
            drop_next = law(now, count);
            last_count = count;
        }
        if packet.is_some() {
            free_at = now + service;
        }
    }
}

#[test]
fn codel_sheds_what_the_rfc_says() {
    let mut shed_in_all = 0;
    for (seed, rate) in [(1, 90), (2, 101), (3, 130), (4, 300)] {
        // In bursts, so that it begins and stops several times.
        let result = run_logged(&scenario(&format!(
            r#"(name: "codel", seed: {seed}, run_until: "60s", arrivals_until: "40s",
                sources: {{
                    "users": (arrivals: Poisson(rate: "{rate}/s"), to: "desk"),
                    "burst": (arrivals: Poisson(rate: Steps([(at: "0s", rate: "1/s"), (at: "10s", rate: "200/s"),
                        (at: "12s", rate: "1/s"), (at: "20s", rate: "400/s"), (at: "21s", rate: "1/s")])), to: "desk"),
                }},
                nodes: {{"desk": Server(service: Constant("10ms"), queue: CoDel(target: "20100us", interval: "197ms"))}})"#
        )));
        let mut records: Vec<_> = result.requests.iter().collect();
        records.sort_by_key(|record| record.id);
        let arrivals: Vec<f64> = records.iter().map(|record| record.created.as_seconds()).collect();
        let is_shed =
            |index: &usize| records[*index].finished.is_some_and(|(_, outcome)| outcome == Outcome::Shed);
        let shed: Vec<usize> = (0..records.len()).filter(is_shed).collect();
        let mut expected = codel_sheds(&arrivals, 0.01, 0.0201, 0.197);
        expected.sort_unstable();
        assert_eq!(shed, expected, "at {rate}/s");
        assert_eq!(number_of(&result, "desk", "shed"), shed.len() as u64);
        shed_in_all += shed.len();
    }
    assert!(shed_in_all > 1000, "{shed_in_all}");
}

/// The share that RED sheds and the mean queue, by a plain simulation of Floyd and Jacobson's algorithm at a server with
/// exponential services of mean 1 s.
fn red(rate: f64, seed: u64) -> [f64; 2] {
    use rushhour::engine::random::{Draw, RandomStream};
    let mut stream = RandomStream::from_seed(seed);
    let mut draw = |rate: f64| -libm::log(stream.uniform_positive()) / rate;
    let (min, max, most, weight) = (3.0_f64, 9.0, 0.2, 0.05_f64);
    let (mut average, mut count, mut idle_since) = (0.0_f64, -1_i64, Some(0.0));
    let (mut now, mut waiting, mut is_busy) = (0.0_f64, 0_u32, false);
    let (mut area, mut arrived, mut shed) = (0.0, 0_u32, 0_u32);
    let (mut next_arrival, mut next_end) = (draw(rate), f64::INFINITY);
    while now < 60_000.0 {
        let at = next_arrival.min(next_end);
        area += f64::from(waiting) * (at - now);
        now = at;
        if next_end < next_arrival {
            is_busy = waiting > 0;
            next_end = if is_busy { now + draw(1.0) } else { f64::INFINITY };
            if waiting == 1 {
                idle_since = Some(now);
            }
            waiting = waiting.saturating_sub(1);
            continue;
        }
        next_arrival = now + draw(rate);
        arrived += 1;
        if !is_busy {
            (is_busy, next_end) = (true, now + draw(1.0));
            continue;
        }
        average = match idle_since {
            Some(since) => average * libm::pow(1.0 - weight, now - since),
            None => (1.0 - weight) * average + weight * f64::from(waiting),
        };
        let mut drops = false;
        if average >= max {
            (drops, count) = (true, 0);
        } else if average >= min {
            count += 1;
            let p = most * (average - min) / (max - min);
            let pa = p / (1.0 - count as f64 * p);
            if !(0.0..1.0).contains(&pa) || 1.0 - libm::exp(-draw(1.0)) < pa {
                (drops, count) = (true, 0);
            }
        } else {
            count = -1;
        }
        if drops {
            shed += 1;
        } else {
            waiting += 1;
            idle_since = None;
        }
    }
    [f64::from(shed) / f64::from(arrived), area / now]
}

statistical!(red_matches_a_plain_simulation_of_the_paper, 8, 30);

fn red_matches_a_plain_simulation_of_the_paper(replications: u64) {
    for rate in [0.95, 1.3] {
        let queue = r#"queue: Red(min: 3.0, max: 9.0, probability: 0.2, weight: 0.05, spacing: "1s")"#;
        let rows = replicate(&station(rate, queue), replications, |result| {
            [share_of(&result, Outcome::Shed), depth(&result)]
        });
        let plain: Vec<[f64; 2]> = (0..100).map(|seed| red(rate, seed)).collect();
        let mean = |column: usize| plain.iter().map(|row| row[column]).sum::<f64>() / 100.0;
        assert_columns(
            &rows,
            &format!("RED at {rate}/s"),
            [("share shed", mean(0)), ("mean queue", mean(1))],
        );
    }
}
