//! A load that varies with time, against theory.

use rushhour::engine::time::SimTime;
use rushhour::metrics::result::RunResult;

use crate::harness::{assert_columns, replicate, scenario, statistical};

/// Mean, sine and cosine coefficient of the first series over whole periods, from the end of the warm-up.
fn fourier(result: &RunResult, period: f64, from: SimTime) -> [f64; 3] {
    let samples: Vec<_> = result.series[0].samples.iter().filter(|(at, _)| *at >= from).collect();
    // The last sample has the phase of the first one.
    let samples = &samples[..samples.len() - 1];
    let n = samples.len() as f64;
    let mean = samples.iter().map(|(_, value)| value).sum::<f64>() / n;
    let coefficient = |wave: fn(f64) -> f64| {
        let phase = |at: &SimTime| std::f64::consts::TAU * at.as_seconds() / period;
        2.0 / n * samples.iter().map(|(at, value)| (value - mean) * wave(phase(at))).sum::<f64>()
    };
    [mean, coefficient(libm::sin), coefficient(libm::cos)]
}

/// With as many servers as needed and arrivals at the rate a + b sin(w t), the mean number of requests in service is a sine as
/// well: it lags behind the rate by atan(w s) / w, and its amplitude is smaller than b s by the factor 1 / sqrt(1 + (w s)^2),
/// for exponential services of mean s (Eick, Massey, Whitt: "Mt/G/infinity queues with sinusoidal arrival rates", 1993). For
/// constant services, the lag is s / 2, and the factor is sin(w s / 2) / (w s / 2).
fn the_requests_in_service_lag_behind_the_rate(replications: u64) {
    let (mean, amplitude, period, service) = (30.0, 20.0, 60.0, 10.0);
    let w = std::f64::consts::TAU / period;
    let half = w * service / 2.0;
    for (law, factor, lag) in [
        (
            "Exponential(mean: \"10s\")",
            1.0 / (1.0 + w * service * w * service).sqrt(),
            libm::atan(w * service),
        ),
        ("Constant(\"10s\")", libm::sin(half) / half, half),
    ] {
        let scenario = scenario(&format!(
            r#"(name: "tide", run_until: "1500s",
                sources: {{"s": (arrivals: Poisson(rate: Sine(mean: "30/s", amplitude: "20/s", period: "60s")), to: "m")}},
                nodes: {{"m": Server(concurrency: 100000, service: {law})}},
                probes: [(of: "m", gauges: [InFlight], every: "1s")])"#
        ));
        // After 300 s, nothing is left of the empty start.
        let from = SimTime::from_nanos(300_000_000_000);
        let rows = replicate(&scenario, replications, |result| fourier(&result, period, from));
        let height = amplitude * service * factor;
        let theory = [
            ("mean", mean * service),
            ("sine", height * libm::cos(lag)),
            ("cosine", -height * libm::sin(lag)),
        ];
        assert_columns(&rows, law, theory);
    }
}

statistical!(the_requests_in_service_lag_behind_the_rate, 12, 60);
