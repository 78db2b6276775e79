//! Four cycles or more: a hill of the autocorrelation together with a peak of the spectrum.
//!
//! The peak is a band of frequencies with two tests. Its power has to exceed that of red noise with the same memory
//! from one sample to the next (Mann, Lees 1996), and that of the frequencies below it: a series that forgets without
//! oscillating has more power at lower frequencies, even if its memory differs from that of red noise. The mean power
//! of noise in a band has a gamma distribution, whose tail Chernoff's bound limits (Chernoff: "A measure of asymptotic
//! efficiency for tests of a hypothesis based on the sum of observations", 1952). A limit cycle with irregular periods
//! has a wide peak and much power below it. Then, in place of the second test, the hill has to rise above the trough
//! before it by more than random variation explains in that number of cycles.

use super::{Method, Oscillation};
use crate::analysis::signal::autocorrelation::{Hill, autocorrelation, hill};
use crate::analysis::signal::level::smooth;
use crate::analysis::signal::noise::RedNoise;
use crate::analysis::signal::periodogram::{Band, Periodogram};
use crate::analysis::signal::swings::{Bands, Swings};
use crate::engine::floor_to_usize;

/// Minimum number of cycles.
const MIN_CYCLES: f64 = 4.0;
/// Minimum number of samples per period.
const MIN_SAMPLES: f64 = 4.0;
/// Maximum irregularity: the standard deviation of the periods over their mean. That of noise is about 0.5, but if
/// heights differ, some swings are missed, and two periods count as one.
const MAX_IRREGULARITY: f64 = 1.0;
/// Maximum irregularity at which the period is taken from the swings rather than from the hill.
const MAX_IRREGULARITY_OF_SWINGS: f64 = 0.2;
/// Logarithm of the maximum probability, over all bands, that noise exceeds both backgrounds: 1 in 10,000.
const LOG_ALPHA: f64 = -9.2;
/// Logarithm of the maximum probability that noise exceeds the red background, if the autocorrelation replaces the
/// second test: 3 in 10 million.
const LOG_ALPHA_RED: f64 = -15.0;
/// Maximum of [`Peak::above_low`] in that case: the power below is slightly less than that of the peak.
const MAX_ABOVE_LOW: f64 = -0.3;
/// Minimum rise from the trough to the hill in that case, times the square root of the number of cycles. Chosen by
/// experiment: 3.5 misses 9 % of the runs with two minutes of load-aware routing, 2.5 misses 1 %, and one of 75,000
/// series of noise passes it.
const MIN_SCALED_RISE: f64 = 2.5;
/// Minimum height of a hill.
const MIN_HEIGHT: f64 = 0.1;
/// Minimum rise from the trough to the hill.
const MIN_RISE: f64 = 0.25;
/// Minimum power over that of red noise to support the swings of a few cycles.
const MIN_RATIO: f64 = 2.0;
/// A band reaches from its frequency divided by this factor to its frequency times it, for periods that differ by 15 %.
const BAND_FACTOR: f64 = 1.15;
/// Frequency of a band over that of the previous band.
const BAND_STEP: f64 = 1.07;

/// The spectrum of a segment.
pub(super) struct Evidence<'a> {
    values: &'a [f64],
    periodogram: Periodogram,
    /// Running sums of the spectrum of the fitted red noise.
    background: Vec<f64>,
}

/// A band of frequencies, compared with its two backgrounds.
#[derive(Clone, Copy, Debug)]
struct Peak {
    /// Its frequency, in cycles per segment.
    cycles: f64,
    /// Its power over that of red noise.
    ratio: f64,
    /// Logarithm of the probability that red noise has that power.
    above_noise: f64,
    /// Logarithm of the probability of that ratio to the power below it, if both have the same expectation.
    above_low: f64,
}

impl Peak {
    /// Returns the logarithm of the probability that noise exceeds both backgrounds. Ties are broken by red noise.
    fn score(&self) -> f64 {
        self.above_noise.max(self.above_low) + 1e-3 * self.above_noise
    }

    /// Returns the logarithm of the probability that noise has such a peak in any band, or `None` if it is not
    /// significant. `log_bands` is the logarithm of the number of bands.
    fn log_p_value(&self, hill: Hill, log_bands: f64) -> Option<f64> {
        let both = self.above_noise.max(self.above_low) + log_bands;
        let red = self.above_noise + log_bands;
        let is_deep = (hill.height - hill.trough) * self.cycles.sqrt() >= MIN_SCALED_RISE;
        if both <= LOG_ALPHA {
            Some(both)
        } else if is_deep && red <= LOG_ALPHA_RED && self.above_low <= MAX_ABOVE_LOW {
            Some(red)
        } else {
            None
        }
    }
}

impl<'a> Evidence<'a> {
    /// Computes the spectrum of a segment; `None` if the segment is constant.
    pub(super) fn of(values: &'a [f64]) -> Option<Self> {
        let noise = RedNoise::fit(values);
        if noise.variance <= 0.0 {
            return None;
        }
        let periodogram = Periodogram::of(values);
        let background = periodogram.sums_of(|cosine| noise.spectrum(cosine));
        Some(Self { values, periodogram, background })
    }

    /// Whether there are a hill and a peak at this number of cycles per segment.
    pub(super) fn supports(&self, cycles: f64) -> bool {
        self.peak(cycles).ratio > MIN_RATIO && self.hill(cycles).is_some()
    }

    /// Returns the oscillation that autocorrelation and spectrum show. A series that is a moving average over `memory`
    /// samples is smooth by itself, so its period has to be at least 1.5 times that.
    pub(super) fn detect(&self, memory: usize) -> Option<Oscillation> {
        let (by_peak, least_likely, log_bands) = self.highest()?;
        if least_likely + log_bands > LOG_ALPHA {
            return None;
        }
        let max_lag = floor_to_usize(1.4 * self.values.len() as f64 / MIN_CYCLES);
        let correlation = autocorrelation(self.values, max_lag);
        let by_hill = tallest(&correlation, 1.4).map(|lag| self.peak(self.values.len() as f64 / lag as f64));
        [Some(by_peak), by_hill].into_iter().flatten().find_map(|peak| {
            let beyond_memory = self.values.len() as f64 / peak.cycles >= 1.5 * memory as f64;
            let hill = self.hill_of(&correlation, peak.cycles)?;
            let log_p_value = peak.log_p_value(hill, log_bands).filter(|_| beyond_memory)?;
            self.oscillation(peak, hill, log_p_value)
        })
    }

    /// Returns the oscillation at a hill and a peak, measured by its swings.
    fn oscillation(&self, peak: Peak, hill: Hill, log_p_value: f64) -> Option<Oscillation> {
        let by_swings = Oscillation::of(&self.swings(hill.lag)?, Method::ManyCycles);
        if by_swings.cycles < MIN_CYCLES || by_swings.irregularity > MAX_IRREGULARITY {
            return None;
        }
        // The passages give the more accurate period if no swing is missed.
        let is_regular = by_swings.irregularity <= MAX_IRREGULARITY_OF_SWINGS;
        let period = if is_regular { by_swings.period } else { hill.lag };
        let p_value = libm::exp(log_p_value);
        Some(Oscillation { period, p_value, hill: hill.height, spectral_ratio: peak.ratio, ..by_swings })
    }

    /// Returns the most significant band, the logarithm of the minimum probability that red noise has a band's power,
    /// and the logarithm of the number of bands.
    fn highest(&self) -> Option<(Peak, f64, f64)> {
        let (mut best, mut least_likely, mut bands, mut cycles) = (None::<Peak>, 0.0_f64, 0.0, MIN_CYCLES);
        while cycles * MIN_SAMPLES < self.values.len() as f64 {
            bands += 1.0;
            let peak = self.peak(cycles);
            least_likely = least_likely.min(peak.above_noise);
            if best.is_none_or(|best| peak.score() < best.score()) {
                best = Some(peak);
            }
            cycles *= BAND_STEP;
        }
        best.map(|best| (best, least_likely, libm::log(bands)))
    }

    /// Returns the band at this number of cycles per segment.
    fn peak(&self, cycles: f64) -> Peak {
        let periodogram = &self.periodogram;
        let band = periodogram
            .band((cycles / BAND_FACTOR).min(cycles - 0.5), (cycles * BAND_FACTOR).max(cycles + 0.5));
        // The band below has a gap to this one, because the window blends neighbouring frequencies.
        let low = periodogram.band((cycles / 5.0).max(1.5), cycles / BAND_FACTOR / 1.3);
        let power = periodogram.power(band);
        let ratio = power / band.mean(&self.background);
        let above_low = log_tail_of_ratio(power / periodogram.power(low), band, low);
        Peak { cycles, ratio, above_noise: log_tail(ratio, band), above_low }
    }

    /// Returns the hill of the autocorrelation at this number of cycles per segment, or `None` if it is too low.
    fn hill(&self, cycles: f64) -> Option<Hill> {
        let correlation =
            autocorrelation(self.values, floor_to_usize(1.4 * self.values.len() as f64 / cycles) + 2);
        self.hill_of(&correlation, cycles)
    }

    fn hill_of(&self, correlation: &[f64], cycles: f64) -> Option<Hill> {
        hill(correlation, self.values.len() as f64 / cycles)
            .filter(|hill| hill.height >= MIN_HEIGHT && hill.height - hill.trough >= MIN_RISE)
    }

    /// Returns the swings of the segment, smoothed over a sixth of a period, for the bands that give more regular
    /// swings.
    fn swings(&self, period: f64) -> Option<Swings> {
        let smoothed = smooth(self.values, floor_to_usize(period / 12.0));
        let (mut wide, mut narrow) = (Swings::default(), Swings::default());
        wide.read(&smoothed, Bands::quarters(&smoothed)?);
        narrow.read(&smoothed, Bands::around_the_mean(&smoothed)?);
        Some(if narrow.irregularity() < wide.irregularity() { narrow } else { wide })
    }
}

/// Returns the lag of the highest autocorrelation after its first negative value, up to the last lag divided by
/// `margin`.
fn tallest(correlation: &[f64], margin: f64) -> Option<usize> {
    let first = correlation.iter().position(|&r| r < 0.0)?;
    let last = floor_to_usize(correlation.len() as f64 / margin);
    (first..last).max_by(|&a, &b| correlation[a].total_cmp(&correlation[b]))
}

/// Returns an upper bound on the logarithm of the probability that the power of noise in a band exceeds its expectation
/// by this ratio.
fn log_tail(ratio: f64, band: Band) -> f64 {
    if ratio > 1.0 { -band.values * (ratio - 1.0 - libm::log(ratio)) } else { 0.0 }
}

/// Returns an upper bound on the logarithm of the probability that the powers in two bands with equal expectations have
/// at least this ratio.
fn log_tail_of_ratio(ratio: f64, band: Band, low: Band) -> f64 {
    let (k, m) = (band.values, low.values);
    if ratio > 1.0 { k * libm::log(ratio) - (k + m) * libm::log((k * ratio + m) / (k + m)) } else { 0.0 }
}
