//! Does a series oscillate?
//!
//! Two rules, for chance has to be ruled out in two ways. With four cycles or more `many` asks for a hill of the
//! autocorrelation together with a peak of the spectrum over red noise. With two or three cycles there is no spectrum
//! to speak of, and `few` asks whether noise that moves as much from sample to sample would swing as far, as often and
//! as evenly; from four cycles to ten it is asked as well, and a hill and a peak are needed with it. Every stretch
//! between known changes is judged by itself: what a change of load does is no swing.
//!
//! What is found (of 1,000 series each, 1,200 samples unless it says otherwise):
//!
//! | series | found |
//! |---|---|
//! | queue of the hot server of `load_aware_routing.ron`, 15 s with a period of 6 s, sampled every 100 or 50 ms; 0.5 % of the periods are two | 98 % |
//! | the same with an overload of two minutes | 99 % |
//! | sine, 2.5 cycles, noise of sd 0.3 times its amplitude | 98 % |
//! | the same in 150 samples, sd 0.1 (with some phases it passes its bands four times only); relay, 3 cycles, sd 0.2 | 87 % |
//! | sine, 3 cycles (sd 0.3), 5 and 20 cycles (sd 0.5); saw and relay, 5 cycles (sd 0.2); periods that differ by 15 % | 100 % |
//! | ringing with a damping ratio of 0.01 to 0.1 | 100 % |
//!
//! What is claimed where nothing oscillates:
//!
//! | series | claimed |
//! |---|---|
//! | M/M/1 queue and load, 50 to 95 % load, samples 0.5 to 50 service times apart, 48,000 series | 0.02 % |
//! | the worst of these 48 kinds | 0.2 % |
//! | queues, loads and beliefs of `load_aware_routing_off.ron`, 9,000 series of four stretches | 0.01 % |
//! | white and red noise to the random walk, of 50, 150 and 1,200 samples, 21,000 series | 0.03 % |
//! | the same with three known changes, 7,000 series; the worst of seven memories | 0.09 %; 0.3 % |
//! | heavy tails, Poisson counts, ramps, steps, pulses with noise, 22,000 series | 0.005 % |
//! | moving averages of noise, whose memory is known, 3,000 series | 0.07 % |

mod few;
mod many;

use std::ops::Range;

use self::many::Evidence;
use super::SampledSeries;
use super::change_points::change_points;
use super::swings::Swings;
use crate::engine::floor_to_usize;

/// The least number of samples of a stretch that is looked at.
const LEAST: usize = 20;

/// An oscillation that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Oscillation {
    /// The mean time of a full cycle, in seconds.
    pub period: f64,
    /// Half of the median height from a trough to a peak, in units of the series.
    pub amplitude: f64,
    /// How many cycles were seen: half the number of swings.
    pub cycles: f64,
    /// 0 where it is sustained, towards 1 where it dies away soon, below 0 where it grows.
    pub damping_ratio: f64,
    /// When the first swing was seen, in seconds.
    pub from: f64,
    /// When the last one was seen, in seconds.
    pub to: f64,
    /// The standard deviation of the periods over their mean.
    pub irregularity: f64,
    /// How likely noise is to do the like, at most.
    pub p_value: f64,
    /// How it was found.
    pub method: Method,
    /// The height of the hill of the autocorrelation one period away; NaN where there is none.
    pub hill: f64,
    /// The power at its frequency over that of red noise.
    pub spectral_ratio: f64,
}

/// How an oscillation was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By its swings.
    FewCycles,
    /// By its autocorrelation and its spectrum.
    ManyCycles,
}

/// The oscillation of a series, if it has one: of several stretches, the one with the most cycles.
///
/// `known_changes` are times at which what happens to the system is known to change, in seconds: a stretch between two
/// of them is judged by itself. A stretch that does not swing as a whole is cut where its level changes, and its parts
/// are judged. `memory` is given for a gauge that is itself a mean over the last so many seconds, and therefore smooth
/// whatever it is a mean of: it is judged by its spectrum alone, at periods beyond 1.5 times its memory.
#[must_use]
pub fn detect(course: &SampledSeries<'_>, known_changes: &[f64], memory: Option<f64>) -> Option<Oscillation> {
    let values = course.filled()?;
    let memory = memory.map_or(0, |seconds| floor_to_usize((seconds / course.step).round()));
    let whole_series = course.between(known_changes).into_iter();
    let found = whole_series.filter_map(|stretch| {
        judge(course, &values, stretch.clone(), memory).or_else(|| parts(course, &values, stretch, memory))
    });
    found.max_by(|a, b| a.cycles.total_cmp(&b.cycles))
}

/// The oscillation of the parts of a stretch between changes of its level.
fn parts(
    course: &SampledSeries<'_>,
    values: &[f64],
    stretch: Range<usize>,
    memory: usize,
) -> Option<Oscillation> {
    let inside = &values[stretch.clone()];
    let changes = change_points(&SampledSeries { start: stretch.start as f64, step: 1.0, values: inside });
    if changes.is_empty() {
        return None;
    }
    let mut edges = vec![stretch.start];
    edges.extend(changes.iter().map(|change| floor_to_usize(change.at)));
    edges.push(stretch.end);
    let found = edges.windows(2).filter_map(|edge| judge(course, values, edge[0]..edge[1], memory));
    found.max_by(|a, b| a.cycles.total_cmp(&b.cycles))
}

/// The oscillation of a stretch as a whole.
fn judge(
    course: &SampledSeries<'_>,
    values: &[f64],
    stretch: Range<usize>,
    memory: usize,
) -> Option<Oscillation> {
    if stretch.len() < LEAST {
        return None;
    }
    let evidence = Evidence::of(&values[stretch.clone()])?;
    let few = || if memory > 0 { None } else { few::detect(&values[stretch.clone()], &evidence) };
    let found = evidence.detect(memory).or_else(few)?;
    Some(found.placed(course, stretch.start))
}

impl Oscillation {
    fn of(swings: &Swings, method: Method) -> Self {
        Self {
            period: swings.period(),
            amplitude: swings.amplitude(),
            cycles: 0.5 * swings.count() as f64,
            damping_ratio: swings.damping_ratio(),
            from: swings.passages.first().copied().unwrap_or_default(),
            to: swings.passages.last().copied().unwrap_or_default(),
            irregularity: swings.irregularity(),
            p_value: 1.0,
            method,
            hill: f64::NAN,
            spectral_ratio: f64::NAN,
        }
    }

    /// The same where each sample was the mean of a block.
    fn stretched(self, block: usize) -> Self {
        let block = block as f64;
        let middle = 0.5 * (block - 1.0);
        Self {
            period: self.period * block,
            from: self.from * block + middle,
            to: self.to * block + middle,
            ..self
        }
    }

    /// The same with times in seconds.
    fn placed(self, course: &SampledSeries<'_>, first: usize) -> Self {
        Self {
            period: self.period * course.step,
            from: course.time(first as f64 + self.from),
            to: course.time(first as f64 + self.to),
            ..self
        }
    }
}
