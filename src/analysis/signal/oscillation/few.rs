//! Two cycles or more: swings that are larger, more frequent and more regular than those of noise.
//!
//! The segment is divided into blocks, whose means are searched for swings. Many series of red noise with the same
//! variation from sample to sample are drawn and searched with the same bands (surrogates: Theiler et al. 1992). A slow
//! oscillation varies little from sample to sample, and noise that varies that little rarely gets from one band to the
//! other, let alone at regular intervals. A queue at a constant load varies as much as its surrogates.

use super::many::Evidence;
use super::{Method, Oscillation};
use crate::analysis::signal::level::{mean, smooth, smooth_into};
use crate::analysis::signal::noise::RedNoise;
use crate::analysis::signal::swings::{Bands, Swings};
use crate::engine::random::RandomStream;

/// Minimum number of swings: two full cycles.
const MIN_SWINGS: usize = 4;
/// Number of swings (four cycles) from which on autocorrelation and spectrum have to agree.
const MIN_SWINGS_FOR_SPECTRUM: usize = 8;
/// Maximum number of swings: for more than ten cycles the blocks are too coarse.
const MAX_SWINGS: usize = 20;
/// Maximum irregularity: the standard deviation of the periods over their mean.
const MAX_IRREGULARITY: f64 = 0.4;
/// Typical irregularity of the swings of noise.
const NOISE_IRREGULARITY: f64 = 0.5;
/// Minimum irregularity that is used: the resolution of the samples allows no less.
const MIN_IRREGULARITY: f64 = 0.01;
/// Minimum number of blocks: 15 in the shortest period.
const MIN_BLOCKS: usize = 150;
/// The means of blocks are smoothed over 1/96 of the segment to each side.
const SMOOTHING_PARTS: usize = 96;
/// The memory of the noise is fitted to a lag of 1/100 of the segment.
const REACH_PARTS: usize = 100;
/// Number of surrogates. None of them may reach the score of the series, which then has a probability below 1 in 3,000.
const SURROGATES: u32 = 3000;
/// Seed of the surrogates: fixed, so that the result depends on the series only.
const SEED: u64 = 0x005e_ed0f;

/// The null hypothesis: noise from which surrogates are drawn.
struct NullHypothesis {
    noise: RedNoise,
    length: usize,
    half: usize,
}

/// Returns the oscillation that the swings of a segment show.
pub(super) fn detect(values: &[f64], evidence: &Evidence<'_>) -> Option<Oscillation> {
    let block = (values.len() / MIN_BLOCKS).max(1);
    let means: Vec<f64> = values.chunks_exact(block).map(mean).collect();
    let half = means.len() / SMOOTHING_PARTS;
    let smoothed = smooth(&means, half);
    let bands = [Bands::quarters(&smoothed)?, Bands::around_the_mean(&smoothed)?];
    bands.into_iter().find_map(|bands| {
        let mut swings = Swings::default();
        swings.read(&smoothed, bands);
        let min_score = score(&swings)?;
        let count = swings.count();
        if count > MAX_SWINGS
            || count >= MIN_SWINGS_FOR_SPECTRUM && !evidence.supports(means.len() as f64 / swings.period())
        {
            return None;
        }
        let noise = RedNoise::fit_reach(values, (values.len() / REACH_PARTS).max(2)).averaged(block);
        let p_value = NullHypothesis { noise, length: means.len(), half }.p_value(bands, min_score)?;
        Some(Oscillation { p_value, ..Oscillation::of(&swings, Method::FewCycles) }.in_samples(block))
    })
}

/// Returns a score of how much swings look like an oscillation, or `None` if they do not. Each additional swing adds
/// the logarithm of how much more regular the periods are than those of noise.
fn score(swings: &Swings) -> Option<f64> {
    if swings.count() < MIN_SWINGS {
        return None;
    }
    let irregularity = swings.irregularity();
    let regularity = libm::log(NOISE_IRREGULARITY / irregularity.max(MIN_IRREGULARITY));
    (irregularity <= MAX_IRREGULARITY).then_some((swings.count() + 1 - MIN_SWINGS) as f64 * regularity)
}

impl NullHypothesis {
    /// Returns an upper bound on the probability that noise reaches a score, or `None` if a surrogate does.
    fn p_value(&self, bands: Bands, min_score: f64) -> Option<f64> {
        let mut stream = RandomStream::from_seed(SEED);
        let (mut series, mut smoothed, mut swings) = (Vec::new(), Vec::new(), Swings::default());
        for _ in 0..SURROGATES {
            self.noise.draw(&mut stream, self.length, &mut series);
            smooth_into(&series, self.half, &mut smoothed);
            swings.read(&smoothed, bands);
            if score(&swings).is_some_and(|score| score >= min_score) {
                return None;
            }
        }
        Some(1.0 / f64::from(SURROGATES + 1))
    }
}
