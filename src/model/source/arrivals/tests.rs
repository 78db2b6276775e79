//! The times of arrivals: their rates, their spread, and what is refused.

use super::*;
use crate::engine::distribution::DistributionSpec;
use crate::engine::floor_to_usize;
use crate::engine::time::SimDuration;
use crate::engine::units::Rate;
use crate::model::source::rate::testing::{self, seconds};
use crate::model::source::rate::{RateShape, RateSpec, RateStep};

fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

fn duration(text: &str) -> SimDuration {
    text.parse().expect("a duration")
}

fn process(spec: ArrivalsSpec) -> ArrivalProcess {
    spec.resolve(SimTime::ZERO).expect("a process")
}

fn constant(text: &str) -> ArrivalProcess {
    process(ArrivalsSpec::Constant { rate: RateSpec::Constant(rate(text)) })
}

fn take(mut process: ArrivalProcess, count: usize) -> Vec<SimTime> {
    let mut stream = RandomStream::from_seed(1);
    std::iter::from_fn(|| process.next(&mut stream)).take(count).collect()
}

/// Asserts that the number of arrivals in each interval is Poisson with the profile's integral, over 40 seeds.
/// `edges` are the bounds of the intervals in seconds.
fn assert_counts(shape: &RateShape, edges: &[f64]) {
    let rate = RateSpec::Shape(shape.clone());
    let profile = rate.resolve().expect("a profile");
    let end = seconds(edges[edges.len() - 1]);
    let (mut counts, runs) = (vec![0.0; edges.len() - 1], 40);
    for seed in 0..runs {
        let mut stream = RandomStream::from_seed(seed);
        let mut process = process(ArrivalsSpec::Poisson { rate: rate.clone() });
        let mut last = SimTime::ZERO;
        while let Some(time) = process.next(&mut stream).filter(|&time| time < end) {
            assert!(time >= last);
            last = time;
            let passed_edges = edges.iter().filter(|&&edge| seconds(edge) <= time).count();
            counts[passed_edges - 1] += 1.0;
        }
    }
    for (i, count) in counts.iter().enumerate() {
        let expected = runs as f64 * profile.expected(seconds(edges[i]), seconds(edges[i + 1]));
        // 4.5 standard deviations of a Poisson variable.
        assert!(
            (count - expected).abs() <= 4.5 * expected.sqrt(),
            "{count} arrivals from {} to {}, not {expected}",
            edges[i],
            edges[i + 1]
        );
    }
}

#[test]
fn a_constant_rate_is_exact() {
    let times = take(constant("20/s"), 1200);
    assert_eq!(times[0].as_nanos(), 50_000_000);
    assert_eq!(times[1199].as_nanos(), 60_000_000_000);
    assert_eq!(take(constant("3/s"), 10_800)[10_799].as_nanos(), 3_600_000_000_000);
    // Over a year, the rounding of the rate itself adds up to a few nanoseconds.
    let year = take(constant("7/h"), 7 * 24 * 365)[7 * 24 * 365 - 1].as_nanos();
    assert!(year.abs_diff(365 * 86_400_000_000_000) <= 4, "{year}");
}

#[test]
fn a_process_begins_at_its_start_but_profiles_count_from_zero() {
    let rate = RateSpec::Shape(RateShape::Spike {
        base: rate("1/s"),
        peak: rate("10/s"),
        from: duration("10s"),
        to: duration("20s"),
    });
    let mut process = ArrivalsSpec::Constant { rate }.resolve(seconds(9.5)).expect("a process");
    assert_eq!(process.next(&mut RandomStream::from_seed(1)), Some(seconds(10.05)));
}

#[test]
fn poisson_arrivals_have_the_given_mean_rate() {
    let count = 400_000;
    let spec = ArrivalsSpec::Poisson { rate: RateSpec::Constant(rate("400/s")) };
    let last = take(process(spec), count)[count - 1].as_seconds();
    // The time of the n-th arrival has mean n / rate and standard deviation sqrt(n) / rate.
    assert!((last - 1000.0).abs() < 4.5 * 1000.0 / (count as f64).sqrt(), "{last}");
}

#[test]
fn poisson_counts_follow_a_ramp_from_zero() {
    let (from, to) = (rate("0/s"), rate("100/s"));
    let ramp = RateShape::Ramp { from, to, start: duration("5s"), end: duration("25s") };
    assert_counts(&ramp, &[0.0, 5.0, 6.0, 10.0, 15.0, 25.0, 40.0]);
}

#[test]
fn poisson_counts_follow_a_spike_of_a_millisecond_in_an_hour() {
    let (base, peak) = (rate("1/min"), rate("100/ms"));
    let spike = RateShape::Spike { base, peak, from: duration("1800s"), to: duration("1800.001s") };
    assert_counts(&spike, &[0.0, 1800.0, 1800.0005, 1800.001, 3600.0]);
}

#[test]
fn poisson_counts_follow_steps() {
    let step = |at, per| RateStep { at: duration(at), rate: rate(per) };
    let steps =
        RateShape::Steps(vec![step("1s", "50/s"), step("4s", "0/s"), step("6s", "200/s"), step("9s", "3/s")]);
    assert_counts(&steps, &[0.0, 1.0, 2.0, 4.0, 6.0, 9.0, 60.0]);
}

#[test]
fn poisson_counts_follow_a_sine_quarter_by_quarter() {
    let (mean, amplitude) = (rate("50/s"), rate("50/s"));
    let sine = RateShape::Sine { mean, amplitude, period: duration("8s"), phase: None };
    assert_counts(&sine, &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]);
}

#[test]
fn steady_and_profiled_poisson_arrivals_at_the_same_rate_are_equal() {
    let steady = ArrivalsSpec::Poisson { rate: RateSpec::Constant(rate("10/s")) };
    let steps = RateShape::Steps(vec![RateStep { at: SimDuration::ZERO, rate: rate("10/s") }]);
    let profiled = ArrivalsSpec::Poisson { rate: RateSpec::Shape(steps) };
    assert_eq!(take(process(steady), 10_000), take(process(profiled), 10_000));
}

fn written(text: &str) -> ArrivalsSpec {
    testing::written(text)
}

/// The numbers of arrivals in consecutive times of this many seconds.
fn counts(spec: &ArrivalsSpec, width: f64, number: usize) -> Vec<f64> {
    let (mut process, mut stream) = (process(spec.clone()), RandomStream::from_seed(7));
    let mut counts = vec![0.0; number];
    while let Some(at) = process.next(&mut stream)
        && let Some(count) = counts.get_mut(floor_to_usize(at.as_seconds() / width))
    {
        *count += 1.0;
    }
    counts
}

/// The mean of some values, and their variance over the mean.
fn mean_and_dispersion(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    (mean, squares / (values.len() - 1) as f64 / mean)
}

#[test]
fn requests_of_users_vary_with_the_number_of_users() {
    for (count, dispersion) in [
        ("Constant(100)", 1.0),
        // Each user of a window sends 2 requests on average.
        ("Poisson(mean: 100)", 1.0 + 2.0),
        ("Normal(mean: 100, sd: 20)", 1.0 + 2.0 * 400.0 / 100.0),
        ("Uniform(0, 200)", 1.0 + 2.0 * (201.0 * 201.0 - 1.0) / 12.0 / 100.0),
    ] {
        let spec = written(&format!(r#"Users(count: {count}, requests: "12 rpm", window: "10s")"#));
        // In each window as many as users times requests; windows are independent, so that the dispersion in the long
        // run is that of one window.
        let (mean, of_windows) = mean_and_dispersion(&counts(&spec, 10.0, 20_000));
        assert!((mean - 200.0).abs() < 4.5 * (200.0 * dispersion / 20_000.0_f64).sqrt(), "{count}: {mean}");
        assert!((of_windows / dispersion - 1.0).abs() < 0.05, "{count}: {of_windows}, not {dispersion}");
        assert!((spec.dispersion() / dispersion - 1.0).abs() < 1e-9, "{count}: {}", spec.dispersion());
    }
}

#[test]
fn windows_without_users_take_their_time() {
    let spec = written(r#"Users(count: Poisson(mean: 0.5), requests: "60/s", window: "1s")"#);
    let counts = counts(&spec, 1.0, 20_000);
    let empty = counts.iter().filter(|count| **count == 0.0).count() as f64;
    // No user, or users who happen to send nothing.
    let expected = 20_000.0 * libm::exp(-0.5 * (1.0 - libm::exp(-60.0)));
    assert!((empty - expected).abs() < 4.5 * (expected * 0.4_f64).sqrt(), "{empty}, not {expected}");
}

#[test]
fn windows_begin_with_the_source() {
    let spec = written(r#"Users(count: Constant(3), requests: "1/s")"#);
    let mut process = spec.resolve(seconds(90.5)).expect("a process");
    let first = process.next(&mut RandomStream::from_seed(1)).expect("an arrival");
    assert!(first > seconds(90.5) && first < seconds(99.0), "{first}");
}

#[test]
fn more_requests_of_each_user_do_not_change_the_number_of_users() {
    let of = |requests: &str| {
        counts(
            &written(&format!(r#"Users(count: Uniform(1, 9), requests: "{requests}", window: "1s")"#)),
            1.0,
            200,
        )
    };
    let (few, many) = (of("1000/s"), of("2000/s"));
    for (few, many) in few.iter().zip(&many) {
        let users = (few / 1000.0).round();
        assert!((many - 2000.0 * users).abs() < 5.0 * many.sqrt(), "{few} and {many}");
    }
}

#[test]
fn states_have_their_rates_and_their_share_of_time() {
    let spec = written(
        r#"Mmpp(states: [(rate: "10/s", stay: Exponential(mean: "9s")), (rate: "110/s", stay: Exponential(mean: "1s"))])"#,
    );
    // The index of dispersion of counts of a two-state MMPP in the long run (Fischer, Meier-Hellstern: "The
    // Markov-modulated Poisson process cookbook", 1993, equation 23), with rates of leaving of 1/9 and 1 per second.
    let (leave, back): (f64, f64) = (1.0 / 9.0, 1.0);
    let sum = leave + back;
    let dispersion = 1.0 + 2.0 * 100.0 * 100.0 * leave * back / (sum * sum * (10.0 * back + 110.0 * leave));
    assert!((spec.dispersion() - dispersion).abs() < 1e-9, "{} is not {dispersion}", spec.dispersion());
    // In a time t: 1 + (IDC - 1) (1 - (1 - exp(-(leave + back) t)) / ((leave + back) t)).
    for (width, number) in [(1.0, 40_000), (10.0, 20_000), (100.0, 4_000)] {
        let counts = counts(&spec, width, number);
        let share = 1.0 - (1.0 - libm::exp(-sum * width)) / (sum * width);
        let expected = 1.0 + (dispersion - 1.0) * share;
        let (mean, of_counts) = mean_and_dispersion(&counts);
        let error = 4.5 * (20.0 * dispersion / width / number as f64).sqrt();
        assert!((mean / width - 20.0).abs() < error, "{}", mean / width);
        // The standard error of a variance of normal values is sqrt(2 / n) of it.
        let error = 4.5 * (2.0 / number as f64).sqrt();
        assert!((of_counts / expected - 1.0).abs() < error, "{width} s: {of_counts}, not {expected}");
    }
}

#[test]
fn states_of_fixed_length_alternate() {
    let spec = written(
        r#"Mmpp(states: [(rate: "0/s", stay: Constant("2s")), (rate: "1000/s", stay: Constant("1s"))])"#,
    );
    let counts = counts(&spec, 1.0, 300);
    for (second, count) in counts.iter().enumerate() {
        assert_eq!(second % 3 == 2, *count > 0.0, "{count} in second {second}");
    }
}

#[test]
fn batches_arrive_at_once() {
    let spec = written(r#"Batches(of: Constant(rate: "2/s"), size: Constant(3))"#);
    let times: Vec<f64> = take(process(spec.clone()), 7).into_iter().map(SimTime::as_seconds).collect();
    assert_eq!(times, [0.5, 0.5, 0.5, 1.0, 1.0, 1.0, 1.5]);
    assert!(spec.dispersion().abs() < 1e-12);
    for (size, mean, dispersion) in [
        ("Geometric(mean: 4)", 4.0, 3.0 + 4.0),
        ("Poisson(mean: 2)", 2.0, 1.0 + 2.0),
        ("Uniform(0, 8)", 4.0, 80.0 / 12.0 / 4.0 + 4.0),
    ] {
        let spec = written(&format!(r#"Batches(of: Poisson(rate: "10/s"), size: {size})"#));
        let (per_second, of_counts) = mean_and_dispersion(&counts(&spec, 1.0, 40_000));
        let error = 4.5 * (10.0 * mean * dispersion / 40_000.0_f64).sqrt();
        assert!((per_second - 10.0 * mean).abs() < error, "{size}: {per_second}");
        assert!((of_counts / dispersion - 1.0).abs() < 0.05, "{size}: {of_counts}, not {dispersion}");
        assert!((spec.dispersion() - dispersion).abs() < 1e-9, "{size}: {}", spec.dispersion());
    }
}

#[test]
fn arrivals_that_cannot_be_are_refused_with_their_field() {
    for (text, field) in [
        (r#"Users(count: Poisson(mean: -1), requests: "1/s")"#, "count.mean"),
        (r#"Users(count: Constant(1), requests: "1/s", window: "0s")"#, "window"),
        ("Mmpp(states: [])", "states"),
        (r#"Mmpp(states: [(rate: "1/s", stay: Constant("0s"))])"#, "states[0].stay"),
        (r#"Batches(of: Constant(rate: "1/s"), size: Constant(0))"#, "size"),
        (
            r#"Batches(of: Users(count: Constant(1), requests: "1/s", window: "0s"), size: Constant(1))"#,
            "of.window",
        ),
        (r#"Batches(of: ClosedLoop(users: 1, think: Constant("1s")), size: Constant(1))"#, "of"),
        (r#"ClosedLoop(users: 1, think: Constant("0s"))"#, "think"),
        (r#"ClosedLoop(users: 1, think: Normal(mean: "1s", sd: "2s"))"#, "think.sd"),
        (r#"ClosedLoop(users: 4000000000, think: Constant("1s"))"#, "users"),
        (
            r#"ClosedLoop(users: 1, stages: [(at: "1s", users: 4000000000)], think: Constant("1s"))"#,
            "stages[0].users",
        ),
        (r#"ClosedLoop(users: 1, stages: [(at: "0s", users: 2)], think: Constant("1s"))"#, "stages[0].at"),
        (
            r#"ClosedLoop(users: 1, stages: [(at: "2s", users: 2), (at: "1s", users: 2)], think: Constant("1s"))"#,
            "stages[1].at",
        ),
        (r#"Poisson(rate: Daily([(at: "25h", rate: "1/s")]))"#, "rate[0].at"),
        (r#"Poisson(rate: Daily([]))"#, "rate"),
        (r#"Poisson(rate: Cycle(period: "0s", points: []))"#, "rate.period"),
        (r#"Poisson(rate: Sum([]))"#, "rate"),
        (r#"Poisson(rate: Sum(["1/s", Daily([])]))"#, "rate[1]"),
        (r#"Poisson(rate: Scaled(by: -1, of: "1/s"))"#, "rate.by"),
        (r#"Poisson(rate: Scaled(by: 2, of: Sum([])))"#, "rate.of"),
    ] {
        let error = written(text).resolve(SimTime::ZERO).expect_err("it is refused");
        assert_eq!(error.field(), field, "{text}: {error}");
    }
    let often = written(r#"Users(count: Constant(1), requests: "1/s", window: "1us")"#);
    let day = duration("24h");
    assert_eq!(often.check(day).expect_err("it changes too often").field(), "window");
    assert!(often.check(duration("1s")).is_ok());
}

#[test]
fn no_users_send_no_requests() {
    for text in [
        r#"Users(count: Constant(0), requests: "1/s", window: "1ns")"#,
        r#"Users(count: Constant(9), requests: "0/s", window: "1ns")"#,
        r#"Mmpp(states: [(rate: "0/s", stay: Constant("1s")), (rate: "0/s", stay: Constant("1s"))])"#,
    ] {
        assert!(take(process(written(text)), 1).is_empty(), "{text}");
    }
}

#[test]
fn a_renewal_process_repeats_its_gap() {
    let gap = DistributionSpec::Constant(duration("250ms"));
    let times = take(process(ArrivalsSpec::Renewal { gap }), 8);
    assert_eq!(times[7], seconds(2.0));
    let error = ArrivalsSpec::Renewal { gap: DistributionSpec::Constant(SimDuration::ZERO) }
        .resolve(SimTime::ZERO)
        .expect_err("the mean gap is 0");
    assert_eq!(error.field(), "gap");
}

#[test]
fn errors_name_the_path_of_the_field() {
    let shape =
        RateShape::Sine { mean: rate("1/s"), amplitude: rate("2/s"), period: duration("1s"), phase: None };
    let spec = ArrivalsSpec::Poisson { rate: RateSpec::Shape(shape) };
    assert_eq!(spec.resolve(SimTime::ZERO).expect_err("too high").field(), "rate.amplitude");
    let gap = DistributionSpec::Normal { mean: duration("1s"), sd: duration("2s") };
    let spec = ArrivalsSpec::Renewal { gap };
    assert_eq!(spec.resolve(SimTime::ZERO).expect_err("too wide").field(), "gap.sd");
}

#[test]
fn arrivals_end_when_the_rate_stays_zero() {
    assert_eq!(constant("0/s").next(&mut RandomStream::from_seed(1)), None);
    let steps = vec![
        RateStep { at: SimDuration::ZERO, rate: rate("3/s") },
        RateStep { at: duration("10s"), rate: rate("0/s") },
    ];
    let rate = RateSpec::Shape(RateShape::Steps(steps));
    assert_eq!(take(process(ArrivalsSpec::Constant { rate }), 100).len(), 30);
}
