//! Phase: whether two series oscillate together, and the phase shift between them.
//!
//! Complex demodulation (Bloomfield: "Fourier analysis of time series", 1976): for each series, each cycle of the
//! window becomes one complex number, with the amplitude as its absolute value and the phase at the given period as its
//! angle. The phase shift is the mean angle between the two series over all cycles; the coherence measures how constant
//! it is.

use std::f64::consts::TAU;

use super::SampledSeries;
use super::level::mean;

/// Minimum number of cycles in the window.
const MIN_CYCLES: usize = 2;

/// The phase shift between two series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhaseShift {
    /// Degrees of a cycle by which the second series lags the first: above -180, up to 180.
    pub degrees: f64,
    /// Coherence, from 0 (unrelated) to 1 (constant angle and ratio of amplitudes). For unrelated series it is about
    /// 1 / sqrt(cycles).
    pub coherence: f64,
    /// Number of cycles compared.
    pub cycles: usize,
}

/// Returns the phase shift at a period between two series that are sampled at the same times, from one time to another
/// (all in seconds). `None` with fewer than two cycles or fewer than four samples per cycle, and if one series is
/// constant.
#[must_use]
pub fn phase(
    first: &SampledSeries<'_>,
    second: &SampledSeries<'_>,
    period: f64,
    from: f64,
    to: f64,
) -> Option<PhaseShift> {
    let (a, b) = (first.filled()?, second.filled()?);
    let window = first.within(from, to);
    let length = period / first.step;
    let cycles = crate::engine::floor_to_usize(window.len() as f64 / length + 1e-9);
    if cycles < MIN_CYCLES || length < 4.0 || window.end > b.len() {
        return None;
    }
    let (mut re, mut im, mut power_a, mut power_b) = (0.0, 0.0, 0.0, 0.0);
    for cycle in 0..cycles {
        let begin = window.start + crate::engine::floor_to_usize((cycle as f64 * length).round());
        let end = (window.start + crate::engine::floor_to_usize(((cycle + 1) as f64 * length).round()))
            .min(window.end);
        let (x, y) = (demodulated(&a[begin..end], begin, length), demodulated(&b[begin..end], begin, length));
        // The second number times the conjugate of the first.
        re += y.0 * x.0 + y.1 * x.1;
        im += y.1 * x.0 - y.0 * x.1;
        power_a += x.0 * x.0 + x.1 * x.1;
        power_b += y.0 * y.0 + y.1 * y.1;
    }
    let power = (power_a * power_b).sqrt();
    if power <= 0.0 {
        return None;
    }
    let degrees = -libm::atan2(im, re) * 360.0 / TAU;
    let degrees = if degrees <= -180.0 { 180.0 } else { degrees };
    Some(PhaseShift { degrees, coherence: ((re * re + im * im).sqrt() / power).min(1.0), cycles })
}

/// Returns the sum over a cycle of (x - mean) e^(-2 pi i t / period).
fn demodulated(cycle: &[f64], begin: usize, length: f64) -> (f64, f64) {
    let centre = mean(cycle);
    cycle.iter().enumerate().fold((0.0, 0.0), |(re, im), (i, x)| {
        let (s, c) = libm::sincos(TAU * (begin + i) as f64 / length);
        (re + (x - centre) * c, im - (x - centre) * s)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::distribution::ziggurat;
    use crate::engine::random::RandomStream;

    fn sine(degrees_behind: f64, noise: f64, seed: u64) -> Vec<f64> {
        let mut stream = RandomStream::from_seed(seed);
        (0..600)
            .map(|i| {
                libm::sin(TAU * (f64::from(i) / 60.0 - degrees_behind / 360.0))
                    + noise * ziggurat::normal(&mut stream)
            })
            .collect()
    }

    #[test]
    fn the_angle_is_the_lag_of_the_second_series() {
        for degrees in [-170.0, -90.0, 0.0, 45.0, 120.0, 180.0] {
            let (a, b) = (sine(0.0, 0.3, 1), sine(degrees, 0.3, 2));
            let sampled = |values| SampledSeries { start: 0.0, step: 0.1, values };
            let phase = phase(&sampled(&a), &sampled(&b), 6.0, 0.0, 60.0).expect("ten cycles");
            let error = (phase.degrees - degrees + 540.0).rem_euclid(360.0) - 180.0;
            // The angle of each series has a standard error of noise sqrt(2 / 600) radians, that of both 1.4 degrees:
            // times 4.
            assert!(error.abs() < 5.6 && phase.coherence > 0.9, "{degrees}: {phase:?}");
        }
    }

    #[test]
    fn unrelated_noise_has_little_coherence() {
        let (a, b) = (sine(0.0, 1e6, 1), sine(0.0, 1e6, 2));
        let sampled = |values| SampledSeries { start: 0.0, step: 0.1, values };
        let shift = phase(&sampled(&a), &sampled(&b), 2.0, 0.0, 60.0).expect("thirty cycles");
        assert!(shift.coherence < 0.5, "{shift:?}");
        assert_eq!(phase(&sampled(&a), &sampled(&[1.0; 600]), 2.0, 0.0, 60.0), None);
        assert_eq!(phase(&sampled(&a), &sampled(&b), 2.0, 10.0, 13.0), None);
    }
}
