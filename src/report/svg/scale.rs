//! Where a value lies in a picture, and which values its axes name.

use super::super::page::{Axis, Line, Page, Plot, Unit};
use super::Area;

/// From values to pixels.
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

    /// Whether a value lies on the axis.
    pub(super) fn holds(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }
}

/// The axis from left to right: the whole run, or all latencies.
pub(super) fn across(page: &Page, plot: &Plot, area: Area) -> Scale {
    let last = plot.x.last().copied().unwrap_or(0.0);
    let (from, to) = match plot.axis {
        Axis::Time => (0.0, if page.seconds > 0.0 { page.seconds } else { last }),
        // A logarithm has no zero: the first bar begins where it would on the way down.
        Axis::Latency => {
            let first = plot.x.iter().copied().find(|x| *x > 0.0).unwrap_or(1e-3);
            (if plot.x.first().is_some_and(|x| *x > 0.0) { first } else { first / 2.0 }, last)
        }
    };
    let to = if to > from { to } else { from.max(0.1) * 10.0 };
    Scale { from, to, start: area.left, end: area.right, logarithmic: plot.axis == Axis::Latency }
}

/// How near the largest value has to come to a limit for the limit to be worth its room.
const NEAR: f64 = 2.5;
/// Room over the largest value.
const ROOM: f64 = 1.06;

/// The axis of values: zero belongs to it, and every limit that values come near to.
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
    let near = |value: &f64| measured <= 0.0 || *value <= measured * NEAR;
    let limits = plot.thresholds.iter().map(|limit| limit.value).filter(near);
    let highest = limits.fold(measured, f64::max) * ROOM;
    let to = match plot.top {
        Some(top) if highest <= top * 1.07 => top * 1.02,
        Some(_) | None => highest,
    };
    let to = if to > 0.0 { to } else { 1.0 };
    Scale { from: lowest * ROOM, to, start: area.bottom, end: area.top, logarithmic: false }
}

/// Lower and upper ends of the lines that stand on each other; nothing for the others.
pub(super) fn stacks(lines: &[&Line]) -> Vec<Vec<(f64, Option<f64>)>> {
    let places = lines.iter().map(|line| line.y.len()).max().unwrap_or(0);
    let mut base = vec![0.0; places];
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

/// Round steps of numbers in a decade.
const ROUND: [f64; 4] = [1.0, 2.0, 2.5, 5.0];
/// Round steps of times from a second on.
const TIMES: [f64; 20] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0,
    21600.0, 43200.0, 86400.0, 172_800.0, 432_000.0,
];

/// The smallest round step that is not below a number.
pub(super) fn round_step(least: f64, time: bool) -> f64 {
    if time && least > 0.5 {
        if let Some(step) = TIMES.iter().copied().find(|step| *step >= least) {
            return step;
        }
        // From days on, numbers of days are round.
        return 86_400.0 * round_step(least / 86_400.0, false);
    }
    let power = libm::floor(libm::log10(least));
    let decade = |power: f64| libm::pow(10.0, power);
    let steps = ROUND.iter().map(|step| step * decade(power)).chain([decade(power + 1.0)]);
    steps.into_iter().find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(least)
}

/// Round values on a linear axis, at most about so many.
#[expect(clippy::cast_possible_truncation, reason = "there are few ticks")]
pub(super) fn ticks(scale: &Scale, most: f64, time: bool) -> Vec<f64> {
    let step = round_step((scale.to - scale.from) / most, time);
    let (first, last) =
        (libm::ceil(scale.from / step - 1e-9) as i64, libm::floor(scale.to / step + 1e-9) as i64);
    (first..=last.min(first + 100)).map(|tick| tick as f64 * step).collect()
}

/// Round values on a logarithmic axis.
#[expect(clippy::cast_possible_truncation, reason = "there are few decades")]
pub(super) fn log_ticks(scale: &Scale) -> Vec<f64> {
    let (from, to) = (libm::log10(scale.from), libm::log10(scale.to));
    let each: &[f64] = match (scale.end - scale.start).abs() / (to - from).max(0.1) {
        room if room > 200.0 => &[1.0, 2.0, 5.0],
        room if room > 100.0 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let decades = libm::floor(from) as i32..=libm::ceil(to) as i32;
    let all = decades.flat_map(|power| each.iter().map(move |step| step * libm::pow(10.0, f64::from(power))));
    all.filter(|value| (scale.from * 0.9999..=scale.to * 1.0001).contains(value)).collect()
}

/// Labels of ticks, all in one unit.
pub(super) fn labels(ticks: &[f64], unit: Unit) -> Vec<String> {
    let most = ticks.iter().copied().map(f64::abs).fold(0.0, f64::max);
    let (length, name) = match unit {
        Unit::Share => (0.01, " %"),
        Unit::Seconds => time_unit(most),
        Unit::Count => size(most),
        Unit::PerSecond => {
            let (length, name) = size(most);
            return ticks.iter().map(|tick| format!("{}{name}/s", trimmed(tick / length))).collect();
        }
    };
    ticks.iter().map(|tick| format!("{}{name}", trimmed(tick / length))).collect()
}

fn size(most: f64) -> (f64, &'static str) {
    let sizes = [(1.0, ""), (1e3, "k"), (1e6, "M"), (1e9, "G"), (1e12, "T")];
    let fits = |(length, _): &&(f64, &str)| if *length < 2.0 { most < 1e4 } else { most / length < 999.5 };
    *sizes.iter().find(fits).unwrap_or(&sizes[4])
}

fn time_unit(most: f64) -> (f64, &'static str) {
    match most {
        most if most < 0.999_5e-6 => (1e-9, " ns"),
        most if most < 0.999_5e-3 => (1e-6, " us"),
        most if most < 0.999_5 => (1e-3, " ms"),
        most if most <= 300.0 => (1.0, " s"),
        most if most <= 7_200.0 => (60.0, " min"),
        _ => (3_600.0, " h"),
    }
}

/// Without zeros that say nothing.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
