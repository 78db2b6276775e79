//! Two cycles or more: swings that are larger, more and more regular than noise makes them.
//!
//! The stretch is cut into blocks, and their means are read for swings. Red noise that moves as much from sample to
//! sample as the series does is drawn again and again, and read by the same bands (surrogates: Theiler et al. 1992).
//! What rises and falls by drift moves little from sample to sample: noise that moves so little seldom gets from one
//! band to the other, let alone at even intervals. A queue at a constant load does move as much as its surrogates.

use super::many::Evidence;
use super::{Method, Oscillation};
use crate::analysis::signal::level::{mean, smooth, smooth_into};
use crate::analysis::signal::noise::RedNoise;
use crate::analysis::signal::swings::{Bands, Swings};
use crate::engine::random::RandomStream;

/// The least number of swings: two full cycles, of which one rises and one falls to its end.
const MIN_SWINGS: usize = 4;
/// From this number on, four cycles, autocorrelation and spectrum have to agree.
const SOME_SWINGS: usize = 8;
/// Beyond ten cycles the blocks are too coarse.
const MAX_SWINGS: usize = 20;
/// The largest standard deviation of the periods over their mean.
const REGULAR: f64 = 0.4;
/// What it is for the swings of noise, about.
const CHANCE: f64 = 0.5;
/// Periods that differ by less are taken for equal: they are read off samples.
const EVEN: f64 = 0.01;
/// How many blocks there are at least: 15 in a period of the shortest kind.
const BLOCKS: usize = 150;
/// The smoothing over blocks reaches so many parts of the stretch to each side.
const PARTS: usize = 96;
/// The memory is read off the lags up to so many parts of the stretch.
const REACH: usize = 100;
/// How many surrogates are drawn: none of them may do what the series does, which then has a chance below 1 in 3,000.
const SURROGATES: u32 = 3000;
/// Every judgement draws the same noise: the same series is always judged the same.
const SEED: u64 = 0x005e_ed0f;

/// Noise of which surrogates are drawn.
struct Null {
    noise: RedNoise,
    length: usize,
    half: usize,
}

/// The oscillation that the swings of a stretch show.
pub(super) fn detect(values: &[f64], evidence: &Evidence<'_>) -> Option<Oscillation> {
    let block = (values.len() / BLOCKS).max(1);
    let means: Vec<f64> = values.chunks_exact(block).map(mean).collect();
    let half = means.len() / PARTS;
    let smoothed = smooth(&means, half);
    let bands = [Bands::quarters(&smoothed)?, Bands::around_the_mean(&smoothed)?];
    bands.into_iter().find_map(|bands| {
        let mut swings = Swings::default();
        swings.read(&smoothed, bands);
        let least = score(&swings)?;
        let count = swings.count();
        if count > MAX_SWINGS
            || count >= SOME_SWINGS && !evidence.supports(means.len() as f64 / swings.period())
        {
            return None;
        }
        let noise = RedNoise::fit_reach(values, (values.len() / REACH).max(2)).averaged(block);
        let p_value = Null { noise, length: means.len(), half }.chance(bands, least)?;
        Some(Oscillation { p_value, ..Oscillation::of(&swings, Method::FewCycles) }.stretched(block))
    })
}

/// How much swings look like an oscillation: none where they do not. Each period more that is like the others makes
/// it less likely, by how much they are more alike than those of noise.
fn score(swings: &Swings) -> Option<f64> {
    if swings.count() < MIN_SWINGS {
        return None;
    }
    let irregularity = swings.irregularity();
    let evenness = libm::log(CHANCE / irregularity.max(EVEN));
    (irregularity <= REGULAR).then_some((swings.count() + 1 - MIN_SWINGS) as f64 * evenness)
}

impl Null {
    /// The chance, at most, that noise has swings with at least this score; none where it was seen to.
    fn chance(&self, bands: Bands, least: f64) -> Option<f64> {
        let mut stream = RandomStream::from_seed(SEED);
        let (mut series, mut smoothed, mut swings) = (Vec::new(), Vec::new(), Swings::default());
        for _ in 0..SURROGATES {
            self.noise.draw(&mut stream, self.length, &mut series);
            smooth_into(&series, self.half, &mut smoothed);
            swings.read(&smoothed, bands);
            if score(&swings).is_some_and(|score| score >= least) {
                return None;
            }
        }
        Some(1.0 / f64::from(SURROGATES + 1))
    }
}
