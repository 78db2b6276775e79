//! Maps values to pixels, and selects the ticks of axes and their labels.

use super::super::page::{Axis, Line, Page, Plot, Unit};
use super::Area;

/// A linear or logarithmic mapping from values to pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) from: f64,
    pub(super) to: f64,
    start: f64,
    end: f64,
    logarithmic: bool,
}

impl Scale {
    /// The pixel of a value.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            libm::log10(value.max(self.from * 1e-3) / self.from) / libm::log10(self.to / self.from)
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.start + share * (self.end - self.start)
    }

    /// Whether a value is within the range of the axis.
    pub(super) fn contains(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }
}

/// The x axis: the whole run, or the range of latencies.
pub(super) fn across(page: &Page, plot: &Plot, area: Area) -> Scale {
    let last = plot.x.last().copied().unwrap_or(0.0);
    let (from, to) = match plot.axis {
        Axis::Time => (0.0, if page.seconds > 0.0 { page.seconds } else { last }),
        // A logarithmic axis cannot show 0: a first bar that starts at 0 starts at half of its upper bound instead.
        Axis::Latency => {
            let first = plot.x.iter().copied().find(|x| *x > 0.0).unwrap_or(1e-3);
            (if plot.x.first().is_some_and(|x| *x > 0.0) { first } else { first / 2.0 }, last)
        }
    };
    let to = if to > from { to } else { from.max(0.1) * 10.0 };
    Scale { from, to, start: area.left, end: area.right, logarithmic: plot.axis == Axis::Latency }
}

/// Maximum ratio of a reference line to the largest value for the axis to include the line.
const MAX_LIMIT_RATIO: f64 = 2.5;
/// Margin factor above the largest value.
const MARGIN: f64 = 1.06;

/// The y axis: includes 0, all values, and every reference line near them.
pub(super) fn upwards(plot: &Plot, lines: &[&Line], area: Area) -> Scale {
    let stacked = stacks(lines);
    let all = stacked.iter().flatten().map(|(_, high)| *high);
    let plain = lines.iter().filter(|line| !line.style.is_stacked());
    let all: Vec<f64> = all
        .chain(plain.flat_map(|line| &line.y).map(|y| y.map(f64::from)))
        .flatten()
        .filter(|y| y.is_finite())
        .collect();
    let measured = all.iter().copied().fold(0.0, f64::max);
    let lowest = all.iter().copied().fold(0.0, f64::min);
    let near = |value: &f64| measured <= 0.0 || *value <= measured * MAX_LIMIT_RATIO;
    let limits = plot.thresholds.iter().map(|limit| limit.value).filter(near);
    let highest = limits.fold(measured, f64::max) * MARGIN;
    let to = match plot.top {
        Some(top) if highest <= top * 1.07 => top * 1.02,
        Some(_) | None => highest,
    };
    let to = if to > 0.0 { to } else { 1.0 };
    Scale { from: lowest * MARGIN, to, start: area.bottom, end: area.top, logarithmic: false }
}

/// Lower and upper bounds of the points of stacked lines; empty for other lines.
pub(super) fn stacks(lines: &[&Line]) -> Vec<Vec<(f64, Option<f64>)>> {
    let length = lines.iter().map(|line| line.y.len()).max().unwrap_or(0);
    let mut base = vec![0.0; length];
    let stack = |line: &&Line| {
        if !line.style.is_stacked() {
            return Vec::new();
        }
        let ends = line.y.iter().zip(&mut base).map(|(y, base)| {
            let below = *base;
            *base += y.map_or(0.0, f64::from);
            (below, y.map(|_| *base))
        });
        ends.collect()
    };
    lines.iter().map(stack).collect()
}

/// Round steps of numbers within a decade.
const ROUND_STEPS: [f64; 4] = [1.0, 2.0, 2.5, 5.0];
/// Round steps of times of at least a second, in seconds.
const ROUND_TIMES: [f64; 20] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0,
    21600.0, 43200.0, 86400.0, 172_800.0, 432_000.0,
];

/// The smallest round step that is at least `min`, of times in seconds or of other numbers.
pub(super) fn round_step(min: f64, is_time: bool) -> f64 {
    if is_time && min > 0.5 {
        if let Some(step) = ROUND_TIMES.iter().copied().find(|step| *step >= min) {
            return step;
        }
        // Longer steps are round numbers of days.
        return 86_400.0 * round_step(min / 86_400.0, false);
    }
    let power = libm::floor(libm::log10(min));
    let decade = |power: f64| libm::pow(10.0, power);
    let steps = ROUND_STEPS.iter().map(|step| step * decade(power)).chain([decade(power + 1.0)]);
    steps.into_iter().find(|step| *step >= min * (1.0 - 1e-9)).unwrap_or(min)
}

/// Round values on a linear axis, about `max_count` at most.
#[expect(clippy::cast_possible_truncation, reason = "there are few ticks")]
pub(super) fn ticks(scale: &Scale, max_count: f64, is_time: bool) -> Vec<f64> {
    let step = round_step((scale.to - scale.from) / max_count, is_time);
    let (first, last) =
        (libm::ceil(scale.from / step - 1e-9) as i64, libm::floor(scale.to / step + 1e-9) as i64);
    (first..=last.min(first + 100)).map(|tick| tick as f64 * step).collect()
}

/// Round values on a logarithmic axis.
#[expect(clippy::cast_possible_truncation, reason = "there are few decades")]
pub(super) fn log_ticks(scale: &Scale) -> Vec<f64> {
    let (from, to) = (libm::log10(scale.from), libm::log10(scale.to));
    let steps: &[f64] = match (scale.end - scale.start).abs() / (to - from).max(0.1) {
        pixels if pixels > 200.0 => &[1.0, 2.0, 5.0],
        pixels if pixels > 100.0 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let decades = libm::floor(from) as i32..=libm::ceil(to) as i32;
    let all =
        decades.flat_map(|power| steps.iter().map(move |step| step * libm::pow(10.0, f64::from(power))));
    all.filter(|value| (scale.from * 0.9999..=scale.to * 1.0001).contains(value)).collect()
}

/// Labels of ticks, all in the same unit.
pub(super) fn labels(ticks: &[f64], unit: Unit) -> Vec<String> {
    let largest = ticks.iter().copied().map(f64::abs).fold(0.0, f64::max);
    let (factor, suffix) = match unit {
        Unit::Share => (0.01, " %"),
        Unit::Seconds => time_unit(largest),
        Unit::Count => metric_prefix(largest),
        Unit::PerSecond => {
            let (factor, suffix) = metric_prefix(largest);
            return ticks.iter().map(|tick| format!("{}{suffix}/s", trimmed(tick / factor))).collect();
        }
    };
    ticks.iter().map(|tick| format!("{}{suffix}", trimmed(tick / factor))).collect()
}

/// Factor and name of the metric prefix that suits the largest tick.
fn metric_prefix(largest: f64) -> (f64, &'static str) {
    let prefixes = [(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")];
    let fits =
        |(factor, _): &&(f64, &str)| if *factor < 2.0 { largest < 1e4 } else { largest / factor < 999.5 };
    *prefixes.iter().find(fits).unwrap_or(&prefixes[4])
}

/// Length in seconds and name of the unit of time that suits the largest tick.
fn time_unit(largest: f64) -> (f64, &'static str) {
    match largest {
        seconds if seconds < 0.999_5e-6 => (1e-9, " ns"),
        seconds if seconds < 0.999_5e-3 => (1e-6, " us"),
        seconds if seconds < 0.999_5 => (1e-3, " ms"),
        seconds if seconds <= 300.0 => (1.0, " s"),
        seconds if seconds <= 7_200.0 => (60.0, " min"),
        _ => (3_600.0, " h"),
    }
}

/// A number without trailing zeros.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
