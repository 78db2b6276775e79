//! Swings: passages of a series from a low band to a high band or back.
//!
//! With two thresholds and a gap between them (a Schmitt trigger), a passage counts once even if the series is noisy
//! (Schmitt: "A thermionic trigger", 1938).

use super::level::{mean, median, quantile, sorted};

/// The thresholds of the low and the high band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bands {
    /// Upper end of the low band.
    pub low: f64,
    /// Lower end of the high band.
    pub high: f64,
}

impl Bands {
    /// Returns the lower and the upper quarter of the range from the 5 % to the 95 % quantile; `None` if the range is
    /// empty.
    #[must_use]
    pub fn quarters(values: &[f64]) -> Option<Self> {
        let sorted = sorted(values);
        let (bottom, top) = (quantile(&sorted, 0.05), quantile(&sorted, 0.95));
        let quarter = 0.25 * (top - bottom);
        (quarter > 0.0).then_some(Self { low: bottom + quarter, high: top - quarter })
    }

    /// Returns closer bands: 0.12 of the range away from the mean on each side. They also count the swings of a
    /// decaying oscillation, which soon stays between the quarters.
    #[must_use]
    pub fn around_the_mean(values: &[f64]) -> Option<Self> {
        let wide = Self::quarters(values)?;
        let (centre, reach) = (mean(values), 0.24 * (wide.high - wide.low));
        Some(Self { low: centre - reach, high: centre + reach })
    }
}

/// The swings of a series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Swings {
    /// Time at which each swing crosses the middle between the bands for the last time, in samples from the start.
    pub passages: Vec<f64>,
    /// Alternating maxima and minima: before the first passage, between passages, and after the last.
    pub extremes: Vec<f64>,
}

impl Swings {
    /// Finds the swings of a series. Replaces previous swings.
    pub fn read(&mut self, values: &[f64], bands: Bands) {
        self.passages.clear();
        self.extremes.clear();
        let middle = 0.5 * (bands.low + bands.high);
        let (mut high, mut extreme, mut passage, mut before) = (None, f64::NAN, 0.0, f64::NAN);
        for (i, &x) in values.iter().enumerate() {
            if (before < middle) != (x < middle) {
                let rise = x - before;
                passage = i as f64 - if rise == 0.0 { 0.0 } else { (x - middle) / rise };
            }
            before = x;
            let now = if x >= bands.high {
                true
            } else if x <= bands.low {
                false
            } else {
                continue;
            };
            if high == Some(now) {
                extreme = if now { f64::max(extreme, x) } else { f64::min(extreme, x) };
                continue;
            }
            if high.is_some() {
                self.passages.push(passage);
                self.extremes.push(extreme);
            }
            (high, extreme) = (Some(now), x);
        }
        if high.is_some() {
            self.extremes.push(extreme);
        }
    }

    /// Returns the number of swings.
    #[must_use]
    pub fn count(&self) -> usize {
        self.passages.len()
    }

    /// Returns the full periods, from each passage to the next in the same direction, in samples.
    pub fn periods(&self) -> impl Iterator<Item = f64> + '_ {
        self.passages.windows(3).map(|three| three[2] - three[0])
    }

    /// Returns the standard deviation of the periods over their mean; infinite with fewer than two periods.
    #[must_use]
    pub fn irregularity(&self) -> f64 {
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for period in self.periods() {
            n += 1.0;
            sum += period;
            squares += period * period;
        }
        if n < 2.0 || sum <= 0.0 {
            return f64::INFINITY;
        }
        let mean = sum / n;
        ((squares / n - mean * mean).max(0.0) * n / (n - 1.0)).sqrt() / mean
    }

    /// Returns the heights from each extreme to the next, as positive numbers.
    pub fn heights(&self) -> impl Iterator<Item = f64> + '_ {
        self.extremes.windows(2).map(|pair| (pair[1] - pair[0]).abs())
    }

    /// Returns the mean period, in samples; 0 without a period.
    #[must_use]
    pub fn period(&self) -> f64 {
        let periods: Vec<f64> = self.periods().collect();
        mean(&periods)
    }

    /// Returns half the median height between extremes.
    #[must_use]
    pub fn amplitude(&self) -> f64 {
        let heights: Vec<f64> = self.heights().collect();
        0.5 * median(&heights)
    }

    /// Returns the damping ratio: 0 if the oscillation is sustained, positive (below 1) if it decays, negative if it
    /// grows. It is d / sqrt(4 pi² + d²), where d is the logarithmic decrement per cycle, from the slope of the
    /// logarithm of successive heights (Thomson: "Theory of vibration with applications").
    #[must_use]
    pub fn damping_ratio(&self) -> f64 {
        let (mut n, mut t, mut y, mut tt, mut ty) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (k, height) in self.heights().enumerate() {
            let (k, logarithm) = (k as f64, libm::log(height));
            n += 1.0;
            t += k;
            y += logarithm;
            tt += k * k;
            ty += k * logarithm;
        }
        let spread = n * tt - t * t;
        if spread <= 0.0 {
            return 0.0;
        }
        let decrement = -2.0 * (n * ty - t * y) / spread;
        decrement / (std::f64::consts::TAU * std::f64::consts::TAU + decrement * decrement).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::TAU;

    fn swings(values: &[f64]) -> Swings {
        let mut swings = Swings::default();
        swings.read(values, Bands::quarters(values).expect("a range"));
        swings
    }

    #[test]
    fn the_swings_of_a_sine_are_half_a_period_apart() {
        let sine: Vec<f64> = (0..1000).map(|i| 5.0 - 3.0 * libm::cos(TAU * f64::from(i) / 80.0)).collect();
        let swings = swings(&sine);
        assert_eq!(swings.count(), 25);
        assert!((swings.passages[0] - 20.0).abs() < 0.1, "{swings:?}");
        assert!((swings.period() - 80.0).abs() < 0.1 && swings.irregularity() < 0.01);
        assert!((swings.amplitude() - 3.0).abs() < 0.01 && swings.damping_ratio().abs() < 1e-4);
    }

    #[test]
    fn a_decaying_oscillation_has_its_damping_ratio() {
        for zeta in [0.02, 0.05, 0.1] {
            let omega = TAU / 100.0;
            let ringing: Vec<f64> = (0..1000)
                .map(|i| libm::exp(-zeta * omega * f64::from(i)) * libm::cos(omega * f64::from(i) * 0.999))
                .collect();
            let mut swings = Swings::default();
            swings.read(&ringing, Bands::around_the_mean(&ringing).expect("a range"));
            assert!((swings.damping_ratio() - zeta).abs() < 0.1 * zeta, "{zeta}: {}", swings.damping_ratio());
        }
    }

    #[test]
    fn a_step_is_one_swing_and_a_pulse_two() {
        let step: Vec<f64> = (0..100).map(|i| if i < 50 { 0.0 } else { 1.0 }).collect();
        assert_eq!(swings(&step).count(), 1);
        let pulse: Vec<f64> = (0..100).map(|i| if (30..60).contains(&i) { 1.0 } else { 0.0 }).collect();
        assert_eq!(swings(&pulse).count(), 2);
        assert!(swings(&pulse).irregularity().is_infinite());
    }
}
