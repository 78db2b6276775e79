//! Four cycles or more: a hill of the autocorrelation together with a peak of the spectrum.
//!
//! The peak is a band of frequencies that is looked at from two sides. It has to be higher than red noise with the
//! memory that the series has from one sample to the next (Mann, Lees 1996), and higher than the frequencies below it:
//! whatever forgets without swinging has the more power the lower the frequency, even where its memory is none of
//! red noise. Noise makes means of powers that follow gamma laws, whose tails Chernoff's bound limits (Chernoff: "A
//! measure of asymptotic efficiency for tests of a hypothesis based on the sum of observations", 1952). A limit cycle
//! whose periods differ has a wide peak with much below it: then a hill and a trough before it do that are deeper than
//! chance makes them in so many cycles.

use super::{Method, Oscillation};
use crate::analysis::signal::autocorrelation::{Hill, autocorrelation, hill};
use crate::analysis::signal::level::smooth;
use crate::analysis::signal::noise::RedNoise;
use crate::analysis::signal::periodogram::{Band, Periodogram};
use crate::analysis::signal::swings::{Bands, Swings};
use crate::engine::floor_to_usize;

/// The least number of cycles.
const MIN_CYCLES: f64 = 4.0;
/// The least number of samples in a period.
const MIN_SAMPLES: f64 = 4.0;
/// The largest standard deviation of the periods over their mean. The periods of noise differ by half their mean; but
/// some swings are missed where the heights differ, and then two periods are read as one.
const MAX_IRREGULAR: f64 = 1.0;
/// Periods that differ by no more are read off the swings, others off the hill.
const EVEN: f64 = 0.2;
/// The logarithm of the chance, over all bands, with which noise may exceed both backgrounds: 1 in 10,000.
const SIGNIFICANT: f64 = -9.2;
/// The same for red noise alone, where the autocorrelation has to speak for the rest: 3 in 10 million.
const STRIKING: f64 = -15.0;
/// What is expected of the frequencies below then: no more than the power of the peak, and a little less.
const ABOVE_LOW: f64 = -0.3;
/// How far the hill has to rise over the trough then, times the root of the number of cycles. Chosen: 3.5 leaves
/// out 9 % of two minutes of load-aware routing, 2.5 leaves out 1 %, and one of 75,000 series of noise passes it.
const DEEP: f64 = 2.5;
/// The least height of a hill.
const HILL: f64 = 0.1;
/// The least rise from the trough to the hill.
const PROMINENCE: f64 = 0.25;
/// The least power at the frequency of a few cycles over that of red noise.
const RATIO: f64 = 2.0;
/// A band reaches from its frequency over this to its frequency times this, for periods that differ by 15 %.
const WIDTH: f64 = 1.15;
/// The frequency of a band over that of the one before.
const NEXT: f64 = 1.07;

/// What the spectrum of a stretch says.
pub(super) struct Evidence<'a> {
    values: &'a [f64],
    periodogram: Periodogram,
    /// Running sums of the spectrum of red noise.
    background: Vec<f64>,
}

/// A band of frequencies before its backgrounds.
#[derive(Clone, Copy, Debug)]
struct Peak {
    /// Cycles in the stretch.
    cycles: f64,
    /// Its power over that of red noise.
    ratio: f64,
    /// The logarithm of the chance with which red noise has that power.
    above_noise: f64,
    /// The logarithm of the chance with which equally strong frequencies below have so much less.
    above_low: f64,
}

impl Peak {
    /// The logarithm of the chance that noise exceeds both backgrounds. Where many tie, the more striking is ahead.
    fn score(&self) -> f64 {
        self.above_noise.max(self.above_low) + 1e-3 * self.above_noise
    }

    /// The logarithm of the chance that noise does the like, over so many bands (as a logarithm): none where it may.
    fn chance(&self, hill: Hill, bands: f64) -> Option<f64> {
        let both = self.above_noise.max(self.above_low) + bands;
        let striking = self.above_noise + bands;
        let deep = (hill.height - hill.trough) * self.cycles.sqrt() >= DEEP;
        if both <= SIGNIFICANT {
            Some(both)
        } else if deep && striking <= STRIKING && self.above_low <= ABOVE_LOW {
            Some(striking)
        } else {
            None
        }
    }
}

impl<'a> Evidence<'a> {
    /// The evidence of a stretch; none where nothing moves.
    pub(super) fn of(values: &'a [f64]) -> Option<Self> {
        let noise = RedNoise::fit(values);
        if noise.variance <= 0.0 {
            return None;
        }
        let periodogram = Periodogram::of(values);
        let background = periodogram.sums_of(|cosine| noise.spectrum(cosine));
        Some(Self { values, periodogram, background })
    }

    /// Whether a hill and a peak stand where swings were seen, at so many cycles in the stretch.
    pub(super) fn supports(&self, cycles: f64) -> bool {
        self.peak(cycles).ratio > RATIO && self.hill(cycles).is_some()
    }

    /// The oscillation that both tell of. A gauge that is a mean over `memory` samples is smooth by itself, and is
    /// believed only beyond one and a half times that.
    pub(super) fn detect(&self, memory: usize) -> Option<Oscillation> {
        let (by_peak, noisiest, bands) = self.highest()?;
        if noisiest + bands > SIGNIFICANT {
            return None;
        }
        let longest = floor_to_usize(1.4 * self.values.len() as f64 / MIN_CYCLES);
        let correlation = autocorrelation(self.values, longest);
        let by_hill = tallest(&correlation, 1.4).map(|lag| self.peak(self.values.len() as f64 / lag as f64));
        [Some(by_peak), by_hill].into_iter().flatten().find_map(|peak| {
            let beyond_memory = self.values.len() as f64 / peak.cycles >= 1.5 * memory as f64;
            let hill = self.hill_of(&correlation, peak.cycles)?;
            let chance = peak.chance(hill, bands).filter(|_| beyond_memory)?;
            self.found(peak, hill, chance)
        })
    }

    /// What swings there are at a hill and a peak.
    fn found(&self, peak: Peak, hill: Hill, chance: f64) -> Option<Oscillation> {
        let found = Oscillation::of(&self.swings(hill.lag)?, Method::ManyCycles);
        if found.cycles < MIN_CYCLES || found.irregularity > MAX_IRREGULAR {
            return None;
        }
        // Where no swing is missed the passages are the better clock.
        let period = if found.irregularity <= EVEN { found.period } else { hill.lag };
        let p_value = libm::exp(chance);
        Some(Oscillation { period, p_value, hill: hill.height, spectral_ratio: peak.ratio, ..found })
    }

    /// The band that stands out most, the logarithm of the least chance that red noise has any band's power, and that
    /// of the number of bands that were looked at.
    fn highest(&self) -> Option<(Peak, f64, f64)> {
        let (mut best, mut least, mut bands, mut cycles) = (None::<Peak>, 0.0_f64, 0.0, MIN_CYCLES);
        while cycles * MIN_SAMPLES < self.values.len() as f64 {
            bands += 1.0;
            let peak = self.peak(cycles);
            least = least.min(peak.above_noise);
            if best.is_none_or(|best| peak.score() < best.score()) {
                best = Some(peak);
            }
            cycles *= NEXT;
        }
        best.map(|best| (best, least, libm::log(bands)))
    }

    fn peak(&self, cycles: f64) -> Peak {
        let periodogram = &self.periodogram;
        let band = periodogram.band((cycles / WIDTH).min(cycles - 0.5), (cycles * WIDTH).max(cycles + 0.5));
        // Far enough below for the window not to blend the two.
        let low = periodogram.band((cycles / 5.0).max(1.5), cycles / WIDTH / 1.3);
        let power = periodogram.power(band);
        let ratio = power / band.mean(&self.background);
        let above_low = chance_of_both(power / periodogram.power(low), band, low);
        Peak { cycles, ratio, above_noise: chance(ratio, band), above_low }
    }

    /// The hill of the autocorrelation at so many cycles in the stretch, if it is one to speak of.
    fn hill(&self, cycles: f64) -> Option<Hill> {
        let correlation =
            autocorrelation(self.values, floor_to_usize(1.4 * self.values.len() as f64 / cycles) + 2);
        self.hill_of(&correlation, cycles)
    }

    fn hill_of(&self, correlation: &[f64], cycles: f64) -> Option<Hill> {
        hill(correlation, self.values.len() as f64 / cycles)
            .filter(|hill| hill.height >= HILL && hill.height - hill.trough >= PROMINENCE)
    }

    /// The swings of the stretch, smoothed over a sixth of a period; by those bands by which they are more regular.
    fn swings(&self, period: f64) -> Option<Swings> {
        let smoothed = smooth(self.values, floor_to_usize(period / 12.0));
        let (mut wide, mut narrow) = (Swings::default(), Swings::default());
        wide.read(&smoothed, Bands::quarters(&smoothed)?);
        narrow.read(&smoothed, Bands::around_the_mean(&smoothed)?);
        Some(if narrow.irregularity() < wide.irregularity() { narrow } else { wide })
    }
}

/// The lag of the highest autocorrelation after it has first been below zero, up to the last over `margin`.
fn tallest(correlation: &[f64], margin: f64) -> Option<usize> {
    let first = correlation.iter().position(|&r| r < 0.0)?;
    let last = floor_to_usize(correlation.len() as f64 / margin);
    (first..last).max_by(|&a, &b| correlation[a].total_cmp(&correlation[b]))
}

/// A bound on the logarithm of the chance that a band of noise has this power over its expectation.
fn chance(ratio: f64, band: Band) -> f64 {
    if ratio > 1.0 { -band.values * (ratio - 1.0 - libm::log(ratio)) } else { 0.0 }
}

/// A bound on the logarithm of the chance that of two bands with equal expectations one has this power over the other.
fn chance_of_both(ratio: f64, band: Band, low: Band) -> f64 {
    let (k, m) = (band.values, low.values);
    if ratio > 1.0 { k * libm::log(ratio) - (k + m) * libm::log((k * ratio + m) / (k + m)) } else { 0.0 }
}
