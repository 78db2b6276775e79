//! Does a series oscillate?

mod few;
mod many;

use super::Course;
use super::swings::Swings;

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

/// The oscillation of a series with the most cycles.
#[must_use]
pub fn detect(course: &Course<'_>, known_changes: &[f64], memory: Option<f64>) -> Option<Oscillation> {
    let values = course.filled()?;
    let memory = memory.map_or(0, |seconds| super::whole((seconds / course.step).round()));
    course
        .between(known_changes)
        .into_iter()
        .filter(|stretch| stretch.len() >= LEAST)
        .filter_map(|stretch| {
            let part = &values[stretch.clone()];
            let evidence = many::Evidence::of(part)?;
            let few = || if memory > 0 { None } else { few::detect(part, &evidence) };
            let found = evidence.detect(memory).or_else(few)?;
            Some(found.placed(course, stretch.start))
        })
        .max_by(|a, b| a.cycles.total_cmp(&b.cycles))
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

    /// The same with times in seconds.
    fn placed(self, course: &Course<'_>, first: usize) -> Self {
        Self {
            period: self.period * course.step,
            from: course.time(first as f64 + self.from),
            to: course.time(first as f64 + self.to),
            ..self
        }
    }
}
