//! A few cycles.

use super::many::Evidence;
use super::{Method, Oscillation};
use crate::analysis::signal::level::{smooth, smooth_into};
use crate::analysis::signal::noise::RedNoise;
use crate::analysis::signal::swings::{Bands, Swings};
use crate::engine::random::RandomStream;

const LEAST_SWINGS: usize = 4;
const SOME_SWINGS: usize = 8;
const MOST_SWINGS: usize = 20;
const REGULAR: f64 = 0.3;
const EVEN: f64 = 0.01;
const BLOCKS: usize = 150;
const SEED: u64 = 0x005e_ed0f;

struct Null {
    noise: RedNoise,
    length: usize,
    half: usize,
    surrogates: u32,
    allowed: u32,
}

pub(super) fn detect(values: &[f64], evidence: &Evidence) -> Option<Oscillation> {
    let block = (values.len() / BLOCKS).max(1);
    let means: Vec<f64> = values.chunks_exact(block).map(crate::analysis::signal::level::mean).collect();
    let half = means.len() / 96;
    let smoothed = smooth(&means, half);
    let wide = Bands::quarters(&smoothed)?;
    let narrow = Bands::around_the_mean(&smoothed)?;
    let reach = (values.len() / 100).max(2);
    [(wide, 1), (narrow, 0)].into_iter().find_map(|(bands, allowed)| {
        let mut swings = Swings::default();
        swings.read(&smoothed, bands);
        let count = swings.count();
        if !(LEAST_SWINGS..=MOST_SWINGS).contains(&count) || swings.irregularity() > REGULAR {
            return None;
        }
        let cycles = means.len() as f64 / swings.period();
        if count >= SOME_SWINGS && !evidence.supports(cycles) {
            return None;
        }
        let noise = RedNoise::fit_reach(values, reach).averaged(block);
        let null = Null { noise, length: means.len(), half, surrogates: 3000, allowed };
        let p_value = null.chance(bands, score(&swings))?;
        if std::env::var("DBG").is_ok() { println!("few {count} {} p {p_value} {noise:?}", swings.irregularity()); }
        let found = Oscillation { p_value, ..Oscillation::of(&swings, Method::FewCycles) };
        let scale = block as f64;
        let shift = 0.5 * (scale - 1.0);
        Some(Oscillation { period: found.period * scale, from: found.from * scale + shift, to: found.to * scale + shift, ..found })
    })
}

fn score(swings: &Swings) -> f64 {
    let irregularity = swings.irregularity();
    if irregularity > REGULAR || swings.count() < LEAST_SWINGS {
        return f64::NEG_INFINITY;
    }
    -(swings.count() as f64 - 3.0) * libm::log(irregularity.max(EVEN))
}

impl Null {
    fn chance(&self, bands: Bands, least: f64) -> Option<f64> {
        let mut stream = RandomStream::from_seed(SEED);
        let (mut series, mut smoothed, mut swings) = (Vec::new(), Vec::new(), Swings::default());
        let mut alike = 0;
        for _ in 0..self.surrogates {
            self.noise.draw(&mut stream, self.length, &mut series);
            smooth_into(&series, self.half, &mut smoothed);
            swings.read(&smoothed, bands);
            if swings.count() >= LEAST_SWINGS && score(&swings) >= least {
                alike += 1;
                if alike > self.allowed {
                    return None;
                }
            }
        }
        Some(f64::from(alike + 1) / f64::from(self.surrogates + 1))
    }
}
