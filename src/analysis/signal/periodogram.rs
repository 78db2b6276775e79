//! The periodogram: the variance of a series by frequency.
//!
//! The series is detrended by a straight line and tapered with a Hann window, without which a slow drift leaks over all
//! frequencies (Welch: "The use of fast Fourier transform for the estimation of power spectra", 1967; Harris: "On the
//! use of windows for harmonic analysis with the discrete Fourier transform", 1978). Bins are those of the series
//! padded to a power of two. They are kept as running sums, so that the mean of a band is one subtraction.

use std::f64::consts::TAU;

use super::fft::Fft;
use super::level::mean;

/// Noise bandwidth of the Hann window, in units of 1 / length (Harris 1978, table 1).
const NOISE_BANDWIDTH: f64 = 1.5;

/// A periodogram, normalised so that the power of white noise is its variance at all frequencies.
#[derive(Clone, Debug)]
pub struct Periodogram {
    fft: Fft,
    /// Running sums: for each bin, the sum of the bins below it.
    sums: Vec<f64>,
    samples: usize,
}

impl Periodogram {
    /// Computes the periodogram of a series.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len();
        let fft = Fft::at_least(n);
        let (middle, centre) = (0.5 * (n as f64 - 1.0), mean(values));
        let (mut along, mut squares) = (0.0, f64::MIN_POSITIVE);
        for (i, x) in values.iter().enumerate() {
            let t = i as f64 - middle;
            along += t * (x - centre);
            squares += t * t;
        }
        let slope = along / squares;
        let window = |i: usize| 0.5 - 0.5 * libm::cos(TAU * (i as f64 + 0.5) / n as f64);
        let mut weight = f64::MIN_POSITIVE;
        let tapered = values.iter().enumerate().map(|(i, x)| {
            let w = window(i);
            weight += w * w;
            w * (x - centre - slope * (i as f64 - middle))
        });
        let power = fft.power(tapered);
        let sums = running_sums(power[..=fft.length() / 2].iter().map(|power| power / weight));
        Self { fft, sums, samples: n }
    }

    /// Returns the running sums over the bins of a spectrum that is a function of the cosine of the angular frequency.
    #[must_use]
    pub fn sums_of(&self, spectrum: impl Fn(f64) -> f64) -> Vec<f64> {
        running_sums((0..=self.fft.length() / 2).map(|bin| spectrum(self.fft.cosine(bin))))
    }

    /// Returns the band from one frequency to another, in cycles per series.
    #[must_use]
    pub fn band(&self, from: f64, to: f64) -> Band {
        let bins_per_cycle = self.fft.length() as f64 / self.samples as f64;
        let last = self.sums.len() - 1;
        let first = crate::engine::floor_to_usize((from * bins_per_cycle).round()).min(last - 1);
        let end = crate::engine::floor_to_usize((to * bins_per_cycle).round() + 1.0).clamp(first + 1, last);
        Band { first, end, values: (((end - first) as f64 / bins_per_cycle) / NOISE_BANDWIDTH).max(1.0) }
    }

    /// Returns the mean power in a band.
    #[must_use]
    pub fn power(&self, band: Band) -> f64 {
        band.mean(&self.sums)
    }
}

/// A band of frequencies.
#[derive(Clone, Copy, Debug)]
pub struct Band {
    first: usize,
    end: usize,
    /// Number of independent values in the band, each exponentially distributed for noise.
    pub values: f64,
}

impl Band {
    /// Returns the mean over the band from running sums.
    #[must_use]
    pub fn mean(self, sums: &[f64]) -> f64 {
        (sums[self.end] - sums[self.first]) / (self.end - self.first) as f64
    }
}

fn running_sums(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0;
    let mut sums = vec![0.0];
    sums.extend(values.map(|value| {
        sum += value;
        sum
    }));
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::distribution::ziggurat;
    use crate::engine::random::RandomStream;

    #[test]
    fn the_power_of_white_noise_is_its_variance() {
        let mut stream = RandomStream::from_seed(5);
        let noise: Vec<f64> = (0..20_000).map(|_| 3.0 * ziggurat::normal(&mut stream)).collect();
        let periodogram = Periodogram::of(&noise);
        for (from, to) in [(10.0, 2000.0), (2000.0, 5000.0), (5000.0, 10_000.0)] {
            let band = periodogram.band(from, to);
            let error = 4.0 * 9.0 / band.values.sqrt();
            assert!((periodogram.power(band) - 9.0).abs() < error, "{from}: {}", periodogram.power(band));
        }
    }

    #[test]
    fn a_sine_has_power_at_its_frequency_and_a_ramp_has_none() {
        let sine: Vec<f64> =
            (0..1000).map(|i| f64::from(i) + libm::sin(TAU * 12.3 * f64::from(i) / 1000.0)).collect();
        let periodogram = Periodogram::of(&sine);
        let at = |from, to| periodogram.power(periodogram.band(from, to));
        assert!(at(12.0, 12.6) > 100.0 && at(2.0, 8.0) < 1.0 && at(18.0, 400.0) < 0.1);
    }
}
