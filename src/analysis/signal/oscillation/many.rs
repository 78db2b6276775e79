//! Many cycles.

use super::{Method, Oscillation};
use crate::analysis::signal::autocorrelation::{Hill, autocorrelation, hill};
use crate::analysis::signal::level::smooth;
use crate::analysis::signal::noise::RedNoise;
use crate::analysis::signal::periodogram::{Band, Periodogram};
use crate::analysis::signal::swings::{Bands, Swings};
use crate::analysis::signal::whole;

const LEAST_SWINGS: usize = 8;
const REGULAR: f64 = 0.8;
const SIGNIFICANT: f64 = -9.2;
const HILL: f64 = 0.1;
const PROMINENCE: f64 = 0.25;
const WIDTH: f64 = 1.15;
const NEXT: f64 = 1.07;

#[derive(Clone, Copy, Debug)]
struct Peak {
    cycles: f64,
    above_noise: f64,
    above_low: f64,
    ratio: f64,
}

/// What a stretch says.
pub(super) struct Evidence<'a> {
    values: &'a [f64],
    periodogram: Periodogram,
    background: Vec<f64>,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(values: &'a [f64]) -> Option<Self> {
        let noise = RedNoise::fit(values);
        if noise.variance <= 0.0 {
            return None;
        }
        let periodogram = Periodogram::of(values);
        let background = periodogram.sums_of(|cosine| noise.spectrum(cosine));
        Some(Self { values, periodogram, background })
    }

    fn peak(&self, cycles: f64) -> Peak {
        let band = self.periodogram.band((cycles / WIDTH).min(cycles - 0.5), (cycles * WIDTH).max(cycles + 0.5));
        let low = self.periodogram.band((cycles / 5.0).max(1.5), cycles / WIDTH / 1.3);
        let power = self.periodogram.power(band);
        let ratio = power / band.mean(&self.background);
        Peak { cycles, above_noise: above(ratio, band), above_low: above_low(power / self.periodogram.power(low), band, low), ratio }
    }

    fn hill(&self, cycles: f64) -> Option<Hill> {
        let period = self.values.len() as f64 / cycles;
        let correlation = autocorrelation(self.values, whole(1.4 * period) + 2);
        hill(&correlation, period).filter(|hill| hill.height >= HILL && hill.height - hill.trough >= PROMINENCE)
    }

    pub(super) fn supports(&self, cycles: f64) -> bool {
        self.peak(cycles).above_noise < -4.6 && self.hill(cycles).is_some()
    }

    pub(super) fn detect(&self, memory: usize) -> Option<Oscillation> {
        let (mut best, mut bands, mut cycles) = (None::<(f64, Peak)>, 0.0, 4.0_f64);
        while cycles < 0.25 * self.values.len() as f64 {
            bands += 1.0;
            let peak = self.peak(cycles);
            let score = peak.above_noise.max(peak.above_low);
            if best.is_none_or(|(least, _)| score < least) {
                best = Some((score, peak));
            }
            cycles *= NEXT;
        }
        let (score, peak) = best?;
        if score > -1.0 {
            return None;
        }
        let period = self.values.len() as f64 / peak.cycles;
        if memory > 0 && period < 1.5 * memory as f64 {
            return None;
        }
        let Hill { lag, height, trough } = self.hill(peak.cycles)?;
        let smoothed = smooth(self.values, whole(lag / 12.0));
        let mut swings = Swings::default();
        swings.read(&smoothed, Bands::quarters(&smoothed)?);
        if std::env::var("DBG").is_ok() { println!("many {peak:?} score {} h {height} t {trough} swings {} {}", score + libm::log(bands), swings.count(), swings.irregularity()); }
        if score + libm::log(bands) > env("MSIG", SIGNIFICANT) && !(score + libm::log(bands) < env("SSIG", -2.0) && peak.above_noise < -30.0 && height - trough > env("SPROM", 0.6)) { return None; }
        if swings.count() < LEAST_SWINGS || swings.irregularity() > REGULAR {
            return None;
        }
        let found = Oscillation::of(&swings, Method::ManyCycles);
        Some(Oscillation { period: lag, p_value: libm::exp(score) * bands, hill: height, spectral_ratio: peak.ratio, ..found })
    }
}
fn env(n: &str, d: f64) -> f64 { std::env::var(n).ok().and_then(|v| v.parse().ok()).unwrap_or(d) }

fn above(ratio: f64, band: Band) -> f64 {
    if ratio > 1.0 { -band.values * (ratio - 1.0 - libm::log(ratio)) } else { 0.0 }
}

fn above_low(ratio: f64, band: Band, low: Band) -> f64 {
    let (k, m) = (band.values, low.values);
    if ratio > 1.0 { k * libm::log(ratio) - (k + m) * libm::log((k * ratio + m) / (k + m)) } else { 0.0 }
}
