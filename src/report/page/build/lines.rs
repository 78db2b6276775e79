//! Converts series to the lines of a plot. Few series are drawn one by one; many as a band and the largest ones.

use super::super::downsample::extremes;
use super::super::{Line, Plot, Style};
use super::MAX_POINTS;
use crate::format::numbers::count;

/// Maximum number of subjects whose series are drawn one by one.
const MAX_SUBJECTS: usize = 8;
/// Number of series drawn beside a band: those with the largest sums.
const LARGEST: usize = 3;
/// Maximum number of further series that the reader can add.
const MAX_ON_DEMAND: usize = 100;
/// Maximum number of points of a series that the reader can add.
const MAX_POINTS_ON_DEMAND: usize = 200;

/// A series with the properties of its line.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// Name of its subject. Series of the same subject have the same colour.
    pub(super) subject: String,
    /// Number of the colour of its subject.
    pub(super) colour: usize,
    /// The group of its subject, or `None` if it is in no group.
    pub(super) group: Option<String>,
    /// Distinguishes it from other series of the same subject: text and number; an empty text if there are none.
    pub(super) label: (&'static str, usize),
    /// Its values.
    pub(super) values: Vec<Option<f32>>,
}

impl Series {
    fn name(&self, is_only_subject: bool) -> String {
        match (self.label.0, is_only_subject) {
            ("", _) => self.subject.clone(),
            (label, true) => label.to_owned(),
            (label, false) => format!("{} {label}", self.subject),
        }
    }

    fn sum(&self) -> f64 {
        self.values.iter().flatten().map(|&value| f64::from(value)).sum()
    }

    fn line(&self, is_only_subject: bool) -> Line {
        let (number, is_dashed) = (self.label.1, self.label.1 > 0 && !is_only_subject);
        Line {
            name: self.name(is_only_subject),
            colour: if is_only_subject { number } else { self.colour },
            style: if is_dashed { Style::Dashed } else { Style::Line },
            hidden: !is_only_subject && is_middle_percentile(self.label),
            y: self.values.clone(),
        }
    }
}

/// Whether a series is the middle one of three percentiles: hidden at first if a plot has several subjects.
fn is_middle_percentile(label: (&str, usize)) -> bool {
    label.1 == 1 && label.0.starts_with('p')
}

/// Converts a value to the precision of plots.
#[expect(
    clippy::cast_possible_truncation,
    clippy::unnecessary_wraps,
    reason = "seven digits are enough for plots"
)]
pub(super) const fn value(value: f64) -> Option<f32> {
    Some(value as f32)
}

/// Whether all values of these series are 0 or missing.
pub(super) fn is_empty<'a>(mut series: impl Iterator<Item = &'a Series>) -> bool {
    series.all(|series| series.values.iter().flatten().all(|value| *value == 0.0))
}

/// Sets the lines of a plot, over common x values.
pub(super) fn draw(plot: &mut Plot, x: &[f64], series: &[Series]) {
    let mut subjects: Vec<&str> = series.iter().map(|series| series.subject.as_str()).collect();
    subjects.dedup();
    let lines = if subjects.len() <= MAX_SUBJECTS {
        series.iter().map(|series| series.line(subjects.len() == 1)).collect()
    } else {
        band_lines(plot, x, series)
    };
    let values: Vec<_> = lines.iter().map(|line| line.y.clone()).collect();
    let (x, values) = extremes(x, &values, MAX_POINTS);
    plot.x = x;
    plot.lines = lines.into_iter().zip(values).map(|(line, y)| Line { y, ..line }).collect();
}

/// The lines of a plot with many series: a band for each label and group, and the largest series. Adds some of the
/// other series to the plot on demand, and a note to its caption.
fn band_lines(plot: &mut Plot, x: &[f64], series: &[Series]) -> Vec<Line> {
    let mut sets: indexmap::IndexMap<(Option<&str>, (&str, usize)), Vec<&Series>> = indexmap::IndexMap::new();
    for member in series {
        sets.entry((member.group.as_deref(), member.label)).or_default().push(member);
    }
    let mut lines = Vec::new();
    for (colour, ((group, label), members)) in sets.iter().enumerate() {
        let name = [group.unwrap_or("all"), label.0].join(" ");
        let hidden = is_middle_percentile(*label);
        lines.extend(band(name.trim_end(), colour, members).map(|line| Line { hidden, ..line }));
    }
    let mut ranked: Vec<&Series> = series.iter().collect();
    ranked.sort_by(|a, b| b.sum().total_cmp(&a.sum()));
    for (number, series) in ranked.iter().take(LARGEST).enumerate() {
        lines.push(Line { colour: sets.len() + number, ..series.line(false) });
    }
    let others: Vec<&Series> = ranked.into_iter().skip(LARGEST).take(MAX_ON_DEMAND).collect();
    let values: Vec<_> = others.iter().map(|series| series.values.clone()).collect();
    let (x, values) = extremes(x, &values, MAX_POINTS_ON_DEMAND);
    plot.more_x = x;
    plot.more = others.iter().zip(values).map(|(series, y)| Line { y, ..series.line(false) }).collect();
    plot.more.sort_by(|a, b| a.name.len().cmp(&b.name.len()).then_with(|| a.name.cmp(&b.name)));
    let mut remark = format!("Band: minimum to maximum of {} series.", count(series.len() as u64));
    if !plot.caption.is_empty() {
        remark.insert(0, ' ');
    }
    plot.caption += &remark;
    lines
}

/// Minimum, maximum and mean of several series, as three lines.
fn band(name: &str, colour: usize, members: &[&Series]) -> [Line; 3] {
    let length = members.iter().map(|member| member.values.len()).max().unwrap_or(0);
    let mut columns = [Vec::new(), Vec::new(), Vec::new()];
    for index in 0..length {
        let values: Vec<f32> = members.iter().filter_map(|member| *member.values.get(index)?).collect();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        columns[0].push(values.iter().copied().reduce(f32::min));
        columns[1].push(values.iter().copied().reduce(f32::max));
        columns[2].push((!values.is_empty()).then_some(mean));
    }
    let [low, high, mean] = columns;
    let members = count(members.len() as u64);
    let line = |name: String, style, y| Line { name, colour, style, hidden: false, y };
    [
        // Both bounds have the same name: they share an entry in the legend.
        line(format!("{name} ({members}), min to max"), Style::BandLow, low),
        line(format!("{name} ({members}), min to max"), Style::BandHigh, high),
        line(format!("{name} ({members}), mean"), Style::Line, mean),
    ]
}
