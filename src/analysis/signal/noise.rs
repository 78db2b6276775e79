//! Red noise: the model of a series that has memory but does not oscillate.
//!
//! The model is an autoregression of order one plus white noise: its autocorrelation is `share * phi^lag`. It is fitted
//! to the two shortest lags, because there an oscillation looks like a long memory, and noise with such a memory rarely
//! swings. Its spectrum is the background against which peaks are tested (Mann, Lees: "Robust estimation of background
//! noise and signal detection in climatic time series", 1996; Torrence, Compo: "A practical guide to wavelet analysis",
//! 1998), and surrogates are drawn from it (Theiler, Eubank, Longtin, Galdrikian, Farmer: "Testing for nonlinearity in
//! time series: the method of surrogate data", 1992).

use super::level::{mean, variance};
use crate::engine::distribution::ziggurat;
use crate::engine::random::RandomStream;

/// Maximum phi of a fit: indistinguishable from a random walk at the lengths of series here.
const MAX_PHI: f64 = 0.9999;

/// Red noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RedNoise {
    /// Mean.
    pub mean: f64,
    /// Variance.
    pub variance: f64,
    /// Correlation from one sample to the next of the autoregressive part: 0 to 1.
    pub phi: f64,
    /// Share of that part in the variance, 0 to 1; the rest is white noise.
    pub share: f64,
}

impl RedNoise {
    /// Fits the noise to the autocorrelation of a series at lags 1 and 2.
    #[must_use]
    pub fn fit(values: &[f64]) -> Self {
        Self::fit_reach(values, 2)
    }

    /// Fits the noise to the autocorrelation of a series at lag 1 and at a lag of `reach` samples.
    #[must_use]
    pub fn fit_reach(values: &[f64], reach: usize) -> Self {
        let (mean, variance) = (mean(values), variance(values));
        let white = Self { mean, variance, phi: 0.0, share: 1.0 };
        if variance <= 0.0 || values.len() < 4 {
            return white;
        }
        // At short lags, differences are more accurate than products, which are biased by the ends of a slow series.
        let difference = |lag: usize| {
            let squares: f64 = values.windows(lag + 1).map(|w| (w[lag] - w[0]) * (w[lag] - w[0])).sum();
            1.0 - 0.5 * squares / (values.len() - lag) as f64 / variance
        };
        let (first, second) = (difference(1), difference(2));
        if first <= 0.0 {
            return white;
        }
        let far = difference(reach.min(values.len() / 4).max(2));
        let phi = if reach > 2 && far > 0.2 * first {
            libm::pow(far / first, 1.0 / (reach.min(values.len() / 4) as f64 - 1.0))
        } else {
            second / first
        };
        if phi > first {
            // Part of the series is white noise: the correlation falls more from lag 0 to 1 than from lag 1 to 2.
            let phi = phi.clamp(0.0, MAX_PHI);
            return Self { phi, share: (first / phi).min(1.0), ..white };
        }
        // The series is smoother than red noise. It is fitted by its second differences, which a drift does not affect:
        // their mean square is 2 (1 - phi) (3 - phi) times the variance.
        let bend = (6.0 - 8.0 * first + 2.0 * second).max(0.0);
        Self { phi: (2.0 - (1.0 + 0.5 * bend).sqrt()).clamp(0.0, MAX_PHI), ..white }
    }

    /// Returns the standard error of the mean of `samples` samples. Memory multiplies the variance of the mean by
    /// (1 + phi) / (1 - phi). The fit underestimates phi by (1 + 3 phi) / n, because it takes the mean of a wandering
    /// series for its level (Kendall: "Note on bias in the estimation of autocorrelation", 1954); `caution` times that
    /// is added to phi.
    #[must_use]
    pub fn error_of_mean(&self, samples: usize, caution: f64) -> f64 {
        let n = samples.max(1) as f64;
        let phi = if self.phi > 0.0 { self.phi + caution * (1.0 + 3.0 * self.phi) / n } else { 0.0 };
        let phi = phi.min(MAX_PHI);
        let memory = self.share * (1.0 + phi) / (1.0 - phi) + 1.0 - self.share;
        (self.variance * memory / n).sqrt()
    }

    /// Returns the noise of the means over blocks of `block` samples, which is red noise again, nearly.
    #[must_use]
    pub fn averaged(&self, block: usize) -> Self {
        if block < 2 {
            return *self;
        }
        let (b, phi) = (block as f64, self.phi);
        // The variance of a mean over b samples, and the covariance of two neighbouring ones.
        let (mut within, mut power) = (1.0, 1.0);
        for lag in 1..block {
            power *= phi;
            within += 2.0 * (1.0 - lag as f64 / b) * power;
        }
        power *= phi;
        let red = self.variance * self.share * within / b;
        let white = self.variance * (1.0 - self.share) / b;
        Self {
            variance: red + white,
            phi: power,
            share: if red + white > 0.0 { red / (red + white) } else { 1.0 },
            ..*self
        }
    }

    /// Returns the spectrum at an angular frequency, given its cosine. That of white noise is its variance.
    #[must_use]
    pub fn spectrum(&self, cosine: f64) -> f64 {
        let red = (1.0 - self.phi * self.phi) / (1.0 - 2.0 * self.phi * cosine + self.phi * self.phi);
        self.variance * (self.share * red + 1.0 - self.share)
    }

    /// Draws a series of `length` samples.
    pub fn draw(&self, stream: &mut RandomStream, length: usize, series: &mut Vec<f64>) {
        series.clear();
        let sd = (self.variance * self.share).sqrt();
        let innovation = sd * (1.0 - self.phi * self.phi).sqrt();
        let white = (self.variance * (1.0 - self.share)).sqrt();
        let mut state = sd * ziggurat::normal(stream);
        for _ in 0..length {
            let noise = if white > 0.0 { white * ziggurat::normal(stream) } else { 0.0 };
            series.push(self.mean + state + noise);
            state = self.phi * state + innovation * ziggurat::normal(stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_recovers_the_parameters_of_a_drawn_series() {
        for (phi, share) in [(0.0, 1.0), (0.5, 1.0), (0.9, 1.0), (0.99, 1.0), (0.9, 0.5)] {
            let noise = RedNoise { mean: 3.0, variance: 4.0, phi, share };
            let mut series = Vec::new();
            noise.draw(&mut RandomStream::from_seed(9), 100_000, &mut series);
            let fit = RedNoise::fit(&series);
            assert!((fit.variance - 4.0).abs() < 0.5 && (fit.mean - 3.0).abs() < 0.3, "{fit:?}");
            assert!((fit.phi * fit.share - phi * share).abs() < 0.02, "{noise:?} {fit:?}");
            assert!(phi == 0.0 || (fit.phi - phi).abs() < 0.03, "{noise:?} {fit:?}");
        }
    }

    #[test]
    fn the_mean_of_the_spectrum_is_the_variance() {
        let noise = RedNoise { mean: 0.0, variance: 4.0, phi: 0.8, share: 0.7 };
        let n = 10_000;
        let at = |k: usize| noise.spectrum(libm::cos(std::f64::consts::TAU * (k as f64 + 0.5) / n as f64));
        let mean = (0..n).map(at).sum::<f64>() / n as f64;
        assert!((mean - 4.0).abs() < 1e-6, "{mean}");
    }
}
