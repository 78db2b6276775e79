//! Experiments.
use rushhour::analysis::signal::{Course, Oscillation, detect};
use rushhour::engine::distribution::ziggurat::{exponential, normal};
use rushhour::engine::random::RandomStream;
use rushhour::scenario::Scenario;
use rushhour::simulation::{RunOptions, run};

use crate::harness::{root, scenario_with};

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join("scenarios").join(name)).expect("a scenario")
}

fn series(scenario: &Scenario, seed: u64) -> Vec<(String, Vec<f64>)> {
    let result = run(scenario, RunOptions { seed: Some(seed), ..RunOptions::default() }).unwrap_or_else(|e| panic!("{e}"));
    result.series.iter().map(|s| (format!("{}.{}", s.node, s.metric), s.samples.iter().map(|x| x.1).collect())).collect()
}

/// M/M/1 by its jumps: the number in the system at even times.
fn mm1(stream: &mut RandomStream, rho: f64, step: f64, n: usize, load: bool) -> Vec<f64> {
    let mut count = 0_u32;
    // Stationary start.
    while stream.uniform() < rho { count += 1; }
    let (mut now, mut values) = (0.0, Vec::with_capacity(n));
    let mut due = 0.0;
    while values.len() < n {
        let rate = if count > 0 { rho + 1.0 } else { rho };
        now += exponential(stream) / rate;
        while due < now && values.len() < n {
            values.push(if load { f64::from(count.min(1)) } else { f64::from(count.saturating_sub(1)) });
            due += step;
        }
        if count == 0 || stream.uniform() * (rho + 1.0) < rho { count += 1; } else { count -= 1; }
    }
    values
}

fn walk(stream: &mut RandomStream, phi: f64, n: usize) -> Vec<f64> {
    let mut x = if phi < 1.0 { normal(stream) / (1.0 - phi * phi).sqrt() } else { 0.0 };
    (0..n).map(|_| { x = phi * x + normal(stream); x }).collect()
}

fn rate(name: &str, known: &[f64], memory: Option<f64>, n: u64, make: impl Fn(&mut RandomStream) -> Vec<f64>) {
    let (mut few, mut many) = (0, 0);
    let mut nanos = 0;
    for seed in 0..n {
        let values = make(&mut RandomStream::from_seed(seed + 1000));
        let clock = std::time::SystemTime::now();
        let found = detect(&Course { start: 0.0, step: 0.1, values: &values }, known, memory);
        nanos += clock.elapsed().expect("time").as_nanos();
        match found.map(|o| o.method) {
            None => {}
            Some(rushhour::analysis::signal::oscillation::Method::FewCycles) => few += 1,
            Some(rushhour::analysis::signal::oscillation::Method::ManyCycles) => many += 1,
        }
    }
    println!("{name:40} n={n} few {:.2} % many {:.2} %  {} us", 100.0 * few as f64 / n as f64, 100.0 * many as f64 / n as f64, nanos / 1000 / u128::from(n));
}

fn env(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

#[test]
#[ignore]
fn exp_null() {
    let n = env("N", 500);
    for rho in [0.5, 0.7, 0.8, 0.9, 0.95] {
        for step in [0.5, 2.0, 10.0, 50.0] {
            rate(&format!("mm1 depth rho {rho} step {step}"), &[], None, n, |s| mm1(s, rho, step, 1200, false));
            rate(&format!("mm1 load rho {rho} step {step}"), &[], None, n, |s| mm1(s, rho, step, 1200, true));
        }
    }
    for phi in [0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0] {
        rate(&format!("ar1 {phi}"), &[], None, n, |s| walk(s, phi, 1200));
        rate(&format!("ar1 {phi} 150"), &[], None, n, |s| walk(s, phi, 150));
        rate(&format!("ar1 {phi} 50"), &[], None, n, |s| walk(s, phi, 50));
        rate(&format!("ar1 {phi} 4 segments"), &[10.0, 25.0, 60.0], None, n, |s| walk(s, phi, 1200));
    }
    rate("heavy", &[], None, n, |s| (0..1200).map(|_| { let e = normal(s); e / s.uniform_positive().sqrt() }).collect());
    rate("ramp", &[], None, n, |s| (0..1200).map(|i| 0.01 * f64::from(i) + normal(s)).collect());
    rate("step", &[], None, n, |s| (0..1200).map(|i| if i > 500 { 10.0 } else { 0.0 } + normal(s)).collect());
    rate("pulse", &[], None, n, |s| (0..1200).map(|i| f64::from((i - 300).clamp(0, 200) - (i - 800).clamp(0, 200)) * 0.1 + normal(s)).collect());
    for len in [10, 40, 160] {
        rate(&format!("moving average {len}"), &[], Some(0.1 * len as f64), n, |s| {
            let x: Vec<f64> = (0..1200 + len).map(|_| normal(s)).collect();
            x.windows(len).map(|w| w.iter().sum()).collect()
        });
    }
}

#[test]
#[ignore]
fn exp_off() {
    let n = env("N", 100);
    let off = scenario_with(&text("load_aware_routing_off.ron"), &[]);
    let mut count = std::collections::BTreeMap::<String, u32>::new();
    for seed in 0..n {
        for (name, values) in series(&off, seed) {
            let memory = name.contains("perceived").then_some(4.0);
            let found = detect(&Course { start: 0.0, step: 0.1, values: &values }, &[10.0, 25.0, 60.0], memory);
            let hits = count.entry(name).or_default();
            if let Some(o) = found { *hits += 1; println!("{seed} {o:?}"); }
        }
    }
    println!("{count:#?}");
}

fn summary(name: &str, n: u64, found: &[Option<Oscillation>]) {
    let mut periods: Vec<f64> = found.iter().flatten().map(|o| o.period).collect();
    periods.sort_by(f64::total_cmp);
    let mean = |f: &dyn Fn(&Oscillation) -> f64| found.iter().flatten().map(f).sum::<f64>() / periods.len().max(1) as f64;
    let q = |s: f64| periods.get((s * periods.len() as f64) as usize).copied().unwrap_or(f64::NAN);
    println!("{name:40} {:.1} % of {n}: period {:.2} {:.2} {:.2} {:.2} {:.2}, amplitude {:.2}, cycles {:.2}, damping {:.3}, cv {:.3}, many {:.2}", 100.0 * periods.len() as f64 / n as f64,
        q(0.0), q(0.025), q(0.5), q(0.975), periods.last().copied().unwrap_or(f64::NAN), mean(&|o| o.amplitude), mean(&|o| o.cycles), mean(&|o| o.damping_ratio), mean(&|o| o.irregularity),
        mean(&|o| f64::from(o.method == rushhour::analysis::signal::oscillation::Method::ManyCycles)));
}

#[test]
#[ignore]
fn exp_on() {
    let n = env("N", 200);
    let long = ["sources.customer-1001.arrivals.rate.to=130s", "arrivals_until=160s", "run_until=165s"];
    let fine = ["probes.0.every=50ms"];
    for (name, step, known, over) in [("on", 0.1, [10.0, 25.0, 60.0], &[][..]), ("fine", 0.05, [10.0, 25.0, 60.0], &fine[..]), ("long", 0.1, [10.0, 130.0, 160.0], &long[..])] {
        let on = scenario_with(&text("load_aware_routing.ron"), over);
        let mut found = std::collections::BTreeMap::<String, Vec<Option<Oscillation>>>::new();
        for seed in 0..n {
            for (metric, values) in series(&on, seed) {
                let (step, memory) = if metric.contains("perceived") { (0.1, Some(4.0)) } else { (step, None) };
                found.entry(metric).or_default().push(detect(&Course { start: 0.0, step, values: &values }, &known, memory));
            }
        }
        for (metric, found) in found { summary(&format!("{name} {metric}"), n, &found); }
    }
}

#[test]
#[ignore]
fn exp_synthetic() {
    use std::f64::consts::TAU;
    let n = env("N", 200);
    let go = |name: &str, make: &dyn Fn(&mut RandomStream) -> Vec<f64>| {
        let found: Vec<_> = (0..n).map(|seed| { let v = make(&mut RandomStream::from_seed(seed)); detect(&Course { start: 0.0, step: 0.1, values: &v }, &[], None) }).collect();
        summary(name, n, &found);
    };
    for (len, cycles) in [(150_u32, 2.5), (150, 3.0), (300, 5.0), (1200, 2.5), (1200, 3.0), (1200, 5.0), (1200, 7.0), (1200, 10.0), (1200, 20.0), (1200, 60.0)] {
        for noise in [0.1, 0.3, 0.5, 1.0] {
            go(&format!("sine {cycles} of {} noise {noise}", f64::from(len) * 0.1 / cycles), &|s| { let ph = s.uniform() * TAU; (0..len).map(|i| 5.0 + libm::sin(ph + TAU * cycles * f64::from(i) / f64::from(len)) + noise * normal(s)).collect() });
        }
        go(&format!("saw {cycles} of {}", f64::from(len) * 0.1 / cycles), &|s| { let ph = s.uniform(); (0..len).map(|i| { let t = ph + cycles * f64::from(i) / f64::from(len); 2.0 * (t - t.floor()) - 1.0 + 0.2 * normal(s) }).collect() });
        go(&format!("relay {cycles} of {}", f64::from(len) * 0.1 / cycles), &|s| { let ph = s.uniform(); (0..len).map(|i| { let t = ph + cycles * f64::from(i) / f64::from(len); (if t - t.floor() < 0.5 { 1.0 } else { -1.0 }) + 0.2 * normal(s) }).collect() });
    }
    for zeta in [0.01, 0.02, 0.05, 0.1] {
        for noise in [0.01, 0.03, 0.1] {
            go(&format!("ringing {zeta} noise {noise}, period 10"), &|s| (0..1200).map(|i| { let t = TAU * f64::from(i) / 100.0; 1.0 - libm::exp(-zeta * t) * libm::cos(t) + noise * normal(s) }).collect());
        }
    }
    for cycles in [10.0, 20.0] {
        go(&format!("jitter 15 % {cycles}"), &|s| { let (mut ph, mut rate) = (s.uniform(), 1.0); (0..1200).map(|_| { let old = ph; ph += rate * cycles / 1200.0; if old.floor() < ph.floor() { rate = 1.0 / (1.0 + 0.15 * normal(s)).max(0.4); } libm::sin(TAU * ph) + 0.2 * normal(s) }).collect() });
    }
}

#[test]
#[ignore]
fn exp_debug() {
    let long = ["sources.customer-1001.arrivals.rate.to=130s", "arrivals_until=160s", "run_until=165s"];
    let on = scenario_with(&text("load_aware_routing.ron"), &long);
    for seed in 0..8 {
        for (metric, values) in series(&on, seed) {
            if metric == "server-2.queue_depth" { println!("{:?}", detect(&Course { start: 0.0, step: 0.1, values: &values[100..1300] }, &[], None)); }
        }
    }
}
