//! An oscillation is found in series that oscillate, and seldom in others.
//!
//! `SEEDS=1000 cargo test --test it findings_signal -- --nocapture` prints the rates for that many series of each kind.
//! A rate may exceed its limit by four standard deviations of a binomial count plus one series.

use std::f64::consts::TAU;

use rushhour::analysis::signal::change_points::change_points;
use rushhour::analysis::signal::lag::lag;
use rushhour::analysis::signal::level::quantile;
use rushhour::analysis::signal::oscillation::Method;
use rushhour::analysis::signal::settling::settling;
use rushhour::analysis::signal::{Oscillation, SampledSeries, detect};
use rushhour::engine::distribution::ziggurat::{exponential, normal};
use rushhour::engine::random::{Draw, RandomStream};
use rushhour::scenario::Scenario;
use rushhour::simulation::{RunOptions, run};

use crate::harness::{root, scenario_with};

/// Samples are a tenth of a second apart.
const STEP: f64 = 0.1;
/// Times at which the arrivals of `load_aware_routing.ron` change, in seconds.
const CHANGES: [f64; 3] = [10.0, 25.0, 60.0];

/// The number of series of each kind: the environment variable `SEEDS`, or else `default`.
fn seeds(default: u64) -> u64 {
    std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn shipped(name: &str, overrides: &[&str]) -> Scenario {
    let text = std::fs::read_to_string(root().join("scenarios").join(name)).expect("a shipped scenario");
    scenario_with(&text, overrides)
}

/// The series of a run whose names contain `metric`.
fn series(scenario: &Scenario, seed: u64, metric: &str) -> Vec<(String, Vec<f64>)> {
    let options = RunOptions { seed: Some(seed), ..RunOptions::default() };
    let result = run(scenario, options).unwrap_or_else(|error| panic!("{error}"));
    let named = result
        .series
        .iter()
        .map(|series| (format!("{}.{}", series.node, series.name()), series.samples.values().collect()));
    named.filter(|(name, _)| name.contains(metric)).collect()
}

const fn sampled(values: &[f64]) -> SampledSeries<'_> {
    SampledSeries { start: 0.0, step: STEP, values }
}

#[expect(clippy::print_stdout, reason = "the rates, shown with --nocapture")]
/// Asserts that at most this share of the series was counted, up to random variation.
fn assert_seldom(event: &str, count: u64, series: u64, share: f64) {
    println!("{event}: {count} of {series}");
    let expected = share * series as f64;
    assert!((count as f64) < expected + 4.0 * expected.sqrt() + 1.0, "{event}: {count} of {series} series");
}

/// Asserts that at least this share of the oscillations was found, up to random variation.
fn assert_mostly(kind: &str, results: &[Option<Oscillation>], share: f64) {
    let mut periods: Vec<f64> = results.iter().flatten().map(|found| found.period).collect();
    periods.sort_by(f64::total_cmp);
    let [low, middle, high] = [0.025, 0.5, 0.975].map(|share| quantile(&periods, share));
    let event = format!("{kind} (95 % of periods from {low:.2} to {high:.2}, median {middle:.2}): not found");
    assert_seldom(&event, (results.len() - periods.len()) as u64, results.len() as u64, 1.0 - share);
}

/// Asserts that at least 99 % of the results are right; in others a swing was missed.
fn assert_right(kind: &str, results: &[Option<Oscillation>], right: impl Fn(&Oscillation) -> bool) {
    let wrong = results.iter().flatten().filter(|found| !right(found)).count() as u64;
    assert_seldom(&format!("{kind}: wrong"), wrong, results.len() as u64, 0.01);
}

/// Counts the series with an oscillation, over seeds.
fn detections(
    count: u64,
    known: &[f64],
    memory: Option<f64>,
    make: impl Fn(&mut RandomStream) -> Vec<f64>,
) -> u64 {
    let is_detected = |seed: &u64| {
        detect(&sampled(&make(&mut RandomStream::from_seed(seed + 5000))), known, memory).is_some()
    };
    (0..count).filter(is_detected).count() as u64
}

/// The oscillations of series, over seeds.
fn oscillations(count: u64, make: impl Fn(&mut RandomStream) -> Vec<f64>) -> Vec<Option<Oscillation>> {
    (0..count).map(|seed| detect(&sampled(&make(&mut RandomStream::from_seed(seed))), &[], None)).collect()
}

/// Samples of an M/M/1 queue that is stationary from the start: the number of waiting requests, or with `load` whether
/// the server is busy. `step` is in mean service times.
fn mm1(stream: &mut RandomStream, rho: f64, step: f64, samples: usize, load: bool) -> Vec<f64> {
    let mut count = 0_u32;
    while stream.uniform() < rho {
        count += 1;
    }
    let (mut now, mut due, mut values) = (0.0, 0.0, Vec::with_capacity(samples));
    while values.len() < samples {
        now += exponential(stream) / if count > 0 { rho + 1.0 } else { rho };
        while due < now && values.len() < samples {
            values.push(f64::from(if load { count.min(1) } else { count.saturating_sub(1) }));
            due += step;
        }
        let arrives = count == 0 || stream.uniform() * (rho + 1.0) < rho;
        count = if arrives { count + 1 } else { count - 1 };
    }
    values
}

/// Red noise that is stationary from the start; a random walk if `phi` is 1.
fn red(stream: &mut RandomStream, phi: f64, samples: usize) -> Vec<f64> {
    let mut x = if phi < 1.0 { normal(stream) / (1.0 - phi * phi).sqrt() } else { 0.0 };
    let mut next = || {
        x = phi * x + normal(stream);
        x
    };
    (0..samples).map(|_| next()).collect()
}

#[test]
fn load_aware_routing_oscillates_in_nearly_every_run() {
    for (every, step) in [("100ms", 0.1), ("50ms", 0.05)] {
        let scenario = shipped("load_aware_routing.ron", &[&format!("probes.0.every={every}")]);
        let detect_with = |seed| {
            let depth = &series(&scenario, seed, "server-2.queue_depth")[0].1;
            detect(&SampledSeries { start: 0.0, step, values: depth }, &CHANGES, None)
        };
        let found: Vec<Option<Oscillation>> = (0..seeds(50)).map(detect_with).collect();
        assert_mostly(every, &found, 0.95);
        let right = |found: &Oscillation| {
            (4.5..8.0).contains(&found.period)
                && found.amplitude > 30.0
                && found.cycles >= 2.0
                && found.from >= 10.0
                && found.to <= 25.0
                && found.damping_ratio.abs() < 0.1
                && found.method == Method::FewCycles
        };
        assert_right(&format!("every {every}"), &found, right);
    }
}

#[test]
fn two_minutes_of_overload_show_many_cycles() {
    let scenario = shipped(
        "load_aware_routing.ron",
        &["sources.customer-1001.arrivals.rate.to=130s", "arrivals_until=160s", "run_until=165s"],
    );
    let detect_with = |seed| {
        detect(&sampled(&series(&scenario, seed, "server-2.queue_depth")[0].1), &[10.0, 130.0, 160.0], None)
    };
    let found: Vec<Option<Oscillation>> = (0..seeds(30)).map(detect_with).collect();
    assert_mostly("two minutes", &found, 0.99);
    let right = |found: &Oscillation| {
        (5.0..6.6).contains(&found.period) && found.cycles > 12.0 && found.method == Method::ManyCycles
    };
    assert_right("two minutes", &found, right);
}

#[test]
fn nothing_oscillates_where_routing_is_switched_off() {
    let scenario = shipped("load_aware_routing_off.ron", &[]);
    let (mut detected, mut tested) = (0, 0);
    for seed in 0..seeds(50) {
        for (name, values) in series(&scenario, seed, "server-") {
            let memory = name.contains("perceived_load").then_some(4.0);
            tested += 1;
            detected += u64::from(detect(&sampled(&values), &CHANGES, memory).is_some());
        }
    }
    assert_seldom("queues, loads and perceived loads without routing", detected, tested, 0.002);
}

#[test]
fn a_queue_with_a_constant_load_does_not_oscillate() {
    let count = seeds(20);
    let (mut detected, mut tested) = (0, 0);
    for rho in [0.5, 0.6, 0.7, 0.8, 0.9, 0.95] {
        for step in [0.5, 2.0, 10.0, 50.0] {
            for load in [false, true] {
                let claims = detections(count, &[], None, |stream| mm1(stream, rho, step, 1200, load));
                assert_seldom(&format!("M/M/1 at {rho}, step {step}, load {load}"), claims, count, 0.005);
                (detected, tested) = (detected + claims, tested + count);
            }
        }
    }
    assert_seldom("M/M/1", detected, tested, 0.002);
}

#[test]
fn the_simulated_queue_does_not_oscillate_either() {
    let (mut detected, mut tested) = (0, 0);
    for rate in ["50/s", "80/s", "95/s"] {
        let rate = format!("sources.everyone.arrivals.rate={rate}");
        let scenario = shipped("mm1.ron", &[&rate, "run_until=120s", "warm_up=0s", "probes.0.every=100ms"]);
        for seed in 0..seeds(15) {
            for (_, values) in series(&scenario, seed, "clerk") {
                tested += 1;
                detected += u64::from(detect(&sampled(&values), &[], None).is_some());
            }
        }
    }
    assert_seldom("simulated M/M/1", detected, tested, 0.002);
}

#[test]
fn noise_does_not_oscillate() {
    let count = seeds(30);
    for phi in [0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0] {
        for (samples, known) in [(1200, &[][..]), (150, &[]), (50, &[]), (1200, &CHANGES)] {
            let claims = detections(count, known, None, |stream| red(stream, phi, samples));
            let share = if known.is_empty() { 0.002 } else { 0.005 };
            assert_seldom(&format!("red noise {phi} of {samples}, {known:?}"), claims, count, share);
        }
    }
    let heavy = |stream: &mut RandomStream| normal(stream) / stream.uniform_positive().sqrt();
    let claims_heavy = detections(count, &[], None, |stream| (0..1200).map(|_| heavy(stream)).collect());
    assert_seldom("heavy tails", claims_heavy, count, 0.002);
    let poisson = |stream: &mut RandomStream| {
        let (mut arrivals, mut at) = (0.0, exponential(stream));
        while at < 3.0 {
            (arrivals, at) = (arrivals + 1.0, at + exponential(stream));
        }
        arrivals
    };
    let claims_poisson = detections(count, &[], None, |stream| (0..1200).map(|_| poisson(stream)).collect());
    assert_seldom("Poisson counts", claims_poisson, count, 0.002);
    for length in [10_u32, 40, 160] {
        let memory = Some(f64::from(length) * STEP);
        let claims = detections(count, &[], memory, |stream| {
            let noise: Vec<f64> = (0..1200 + length).map(|_| normal(stream)).collect();
            noise.windows(length as usize).map(|window| window.iter().sum()).collect()
        });
        assert_seldom(&format!("moving averages over {length}"), claims, count, 0.002);
    }
}

#[test]
fn ramps_steps_and_pulses_are_no_oscillations() {
    let count = seeds(30);
    let pulse = |i: i32, flank: i32| {
        f64::from((i - 300).clamp(0, flank) - (i - 800).clamp(0, flank)) / f64::from(flank)
    };
    let shapes: [(&str, &dyn Fn(i32) -> f64); 5] = [
        ("ramp", &|i| 0.01 * f64::from(i)),
        ("step", &|i| if i > 500 { 10.0 } else { 0.0 }),
        ("pulse", &|i| 20.0 * pulse(i, 1)),
        ("pulse with flanks", &|i| 20.0 * pulse(i, 200)),
        ("constant", &|_| 3.0),
    ];
    for (name, shape) in shapes {
        for noise in [0.0, 0.1, 1.0, 3.0] {
            let make =
                |stream: &mut RandomStream| (0..1200).map(|i| shape(i) + noise * normal(stream)).collect();
            assert_seldom(
                &format!("{name} with noise {noise}"),
                detections(count, &[], None, make),
                count,
                0.002,
            );
        }
    }
    for values in [&[][..], &[1.0; 3], &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], &[f64::NAN; 1200]] {
        assert_eq!(detect(&sampled(values), &[5.0], None), None);
    }
}

/// A wave of amplitude 1 that starts at a random phase, with noise.
fn wave(stream: &mut RandomStream, shape: fn(f64) -> f64, samples: u32, cycles: f64, noise: f64) -> Vec<f64> {
    let begin = stream.uniform();
    let at = |i: u32| begin + cycles * f64::from(i) / f64::from(samples);
    (0..samples).map(|i| 5.0 + shape(at(i) - at(i).floor()) + noise * normal(stream)).collect()
}

#[test]
fn waves_are_found_with_their_period_and_amplitude() {
    let count = seeds(20);
    let sine: fn(f64) -> f64 = |t| libm::sin(TAU * t);
    let saw: fn(f64) -> f64 = |t| 2.0 * t - 1.0;
    let relay: fn(f64) -> f64 = |t| if t < 0.5 { 1.0 } else { -1.0 };
    for (name, shape, samples, cycles, noise, share, amplitude) in [
        ("sine", sine, 150, 2.5, 0.1, 0.85, -0.1..0.2),
        ("sine", sine, 150, 3.0, 0.1, 0.99, -0.1..0.2),
        ("sine", sine, 1200, 2.5, 0.3, 0.95, -0.1..0.2),
        ("sine", sine, 1200, 3.0, 0.3, 0.99, -0.1..0.2),
        ("sine", sine, 1200, 5.0, 0.5, 0.99, -0.1..0.2),
        ("sine", sine, 1200, 20.0, 0.5, 0.99, -0.1..0.2),
        ("saw", saw, 1200, 5.0, 0.2, 0.99, -0.3..0.1),
        ("saw", saw, 1200, 10.0, 0.2, 0.99, -0.3..0.1),
        ("relay", relay, 150, 3.0, 0.2, 0.85, -0.1..0.3),
        ("relay", relay, 1200, 5.0, 0.2, 0.99, -0.1..0.2),
        ("relay", relay, 1200, 20.0, 0.2, 0.99, -0.1..0.2),
    ] {
        let found = oscillations(count, |stream| wave(stream, shape, samples, cycles, noise));
        assert_mostly(&format!("{name}, {cycles} cycles of {samples}, noise {noise}"), &found, share);
        for found in found.iter().flatten() {
            let period = STEP * f64::from(samples) / cycles;
            assert!((found.period / period - 1.0).abs() < 0.05, "{name} {cycles}: {found:?}");
            let error = found.amplitude - 1.0;
            assert!(amplitude.contains(&error), "{name} {cycles}: {found:?}");
            assert!(found.damping_ratio.abs() < 0.05, "{name} {cycles}: {found:?}");
        }
    }
}

#[test]
fn ringing_has_its_damping_ratio_and_uneven_cycles_are_found() {
    for zeta in [0.01, 0.02, 0.05, 0.1] {
        let ringing = |stream: &mut RandomStream| {
            let response = |t: f64| 1.0 - libm::exp(-zeta * t) * libm::cos(t);
            (0..1200).map(|i| response(TAU * f64::from(i) / 100.0) + 0.01 * normal(stream)).collect()
        };
        let found = oscillations(seeds(20), ringing);
        assert_mostly(&format!("ringing {zeta}"), &found, 0.98);
        for found in found.iter().flatten() {
            assert!((found.damping_ratio / zeta - 1.0).abs() < 0.15, "{zeta}: {found:?}");
            assert!((found.period - 10.0).abs() < 0.3, "{zeta}: {found:?}");
        }
    }
    for cycles in [10.0, 20.0] {
        let uneven = |stream: &mut RandomStream| {
            let (mut phase, mut pace) = (stream.uniform(), 1.0);
            let mut next = || {
                let before = phase.floor();
                phase += pace * cycles / 1200.0;
                if before < phase.floor() {
                    pace = 1.0 / (1.0 + 0.15 * normal(stream)).max(0.4);
                }
                libm::sin(TAU * phase) + 0.2 * normal(stream)
            };
            (0..1200).map(|_| next()).collect()
        };
        assert_mostly(&format!("{cycles} uneven cycles"), &oscillations(seeds(20), uneven), 0.98);
    }
}

#[test]
fn a_stationary_queue_does_not_change_or_settle_and_unrelated_queues_have_no_lag() {
    let count = seeds(20);
    let (mut settled, mut lagged, mut changed, mut tested) = (0, 0, 0, 0);
    for rho in [0.5, 0.7, 0.8, 0.9] {
        for step in [0.5, 2.0, 10.0, 50.0] {
            for seed in 0..count {
                let mut stream = RandomStream::from_seed(seed + 9000);
                let [a, b] = [(); 2].map(|()| mm1(&mut stream, rho, step, 1200, false));
                tested += 1;
                settled += u64::from(settling(&sampled(&a), 0.0, 40.0, 120.0, 2.0).is_some());
                changed += u64::from(!change_points(&sampled(&a)).is_empty());
                lagged += u64::from(lag(&sampled(&a), &sampled(&b), 10.0).is_some());
            }
        }
    }
    assert_seldom("settles without a change", settled, tested, 0.005);
    assert_seldom("has a change point without a change", changed, tested, 0.02);
    assert_seldom("has a lag without a relation", lagged, tested, 0.02);
}

#[test]
fn an_overload_settles_and_perceived_loads_lag() {
    let scenario = shipped("load_aware_routing_off.ron", &[]);
    let (count, mut settled, mut late) = (seeds(20), 0, 0);
    for seed in 0..count {
        let all = series(&scenario, seed, "server-2");
        let values = |name: &str| &all.iter().find(|(full_name, _)| full_name == name).expect("a probe").1;
        let depth = values("server-2.queue_depth");
        let fills = settling(&sampled(depth), 0.0, 10.0, 25.0, 1.0);
        let drains = settling(&sampled(depth), 10.0, 25.0, 60.0, 1.0);
        settled += u64::from(fills.is_some_and(|fills| fills.after > 1.0 && fills.after < 6.0));
        settled += u64::from(drains.is_some_and(|drains| drains.after > 0.5 && drains.after < 4.0));
        let perceived = values("client-1.perceived_load(server-2)");
        // The mean over a window of four seconds lags by two seconds.
        let lag = lag(&sampled(values("server-2.load")), &sampled(perceived), 10.0);
        late += u64::from(lag.is_some_and(|lag| lag.lag > 0.8 && lag.lag < 3.5));
    }
    assert_seldom("does not settle", 2 * count - settled, 2 * count, 0.1);
    assert_seldom("perceived load does not lag", count - late, count, 0.1);
}
