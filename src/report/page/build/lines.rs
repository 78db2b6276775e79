//! From series to the lines of a plot: few are drawn each, of many a band and the most notable ones.

use super::super::downsample::extremes;
use super::super::{Line, Plot, Style};
use super::MAX_POINTS;
use crate::format::numbers::count;

/// So many series are drawn each.
const MAX_LINES: usize = 8;
/// Of more, so many of the largest are drawn beside the band,
const NOTABLE: usize = 3;
/// so many are there on demand,
const MAX_ON_DEMAND: usize = 100;
/// and each of those has so many points.
const POINTS_ON_DEMAND: usize = 200;

/// A series with the name of its line.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// What it is about; series about the same thing have the same colour.
    pub(super) subject: String,
    /// Number of its subject among its like.
    pub(super) colour: usize,
    /// The group that its subject belongs to.
    pub(super) group: Option<String>,
    /// What tells it from others about the same subject: its text and number.
    pub(super) label: (&'static str, usize),
    /// Its values.
    pub(super) values: Vec<Option<f32>>,
}

impl Series {
    fn name(&self, alone: bool) -> String {
        match (self.label.0, alone) {
            ("", _) => self.subject.clone(),
            (label, true) => label.to_owned(),
            (label, false) => format!("{} {label}", self.subject),
        }
    }

    fn sum(&self) -> f64 {
        self.values.iter().flatten().map(|&value| f64::from(value)).sum()
    }

    fn line(&self, alone: bool) -> Line {
        let (number, dashed) = (self.label.1, self.label.1 > 0 && !alone);
        Line {
            name: self.name(alone),
            colour: if alone { number } else { self.colour },
            style: if dashed { Style::Dashed } else { Style::Line },
            hidden: !alone && is_in_the_middle(self.label),
            y: self.values.clone(),
        }
    }
}

/// Of three percentiles the one in the middle is left to who asks for it, where there are several subjects.
fn is_in_the_middle(label: (&str, usize)) -> bool {
    label.1 == 1 && label.0.starts_with('p')
}

/// A value as plots show it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::unnecessary_wraps,
    reason = "seven digits are plenty for plots"
)]
pub(super) const fn value(value: f64) -> Option<f32> {
    Some(value as f32)
}

/// Whether there is nothing to be seen in a set of series.
pub(super) fn is_empty<'a>(mut series: impl Iterator<Item = &'a Series>) -> bool {
    series.all(|series| series.values.iter().flatten().all(|value| *value == 0.0))
}

/// Gives a plot its lines, over common places.
pub(super) fn draw(plot: &mut Plot, x: &[f64], series: &[Series]) {
    let mut subjects: Vec<&str> = series.iter().map(|series| series.subject.as_str()).collect();
    subjects.dedup();
    let lines = if subjects.len() <= MAX_LINES {
        series.iter().map(|one| one.line(subjects.len() == 1)).collect()
    } else {
        many(plot, x, series)
    };
    let values: Vec<_> = lines.iter().map(|line| line.y.clone()).collect();
    let (places, values) = extremes(x, &values, MAX_POINTS);
    plot.x = places;
    plot.lines = lines.into_iter().zip(values).map(|(line, y)| Line { y, ..line }).collect();
}

/// A band for each label and group, the most notable series, and some of the others on demand.
fn many(plot: &mut Plot, x: &[f64], series: &[Series]) -> Vec<Line> {
    let mut sets: indexmap::IndexMap<(Option<&str>, (&str, usize)), Vec<&Series>> = indexmap::IndexMap::new();
    for one in series {
        sets.entry((one.group.as_deref(), one.label)).or_default().push(one);
    }
    let mut lines = Vec::new();
    for (colour, ((group, label), members)) in sets.iter().enumerate() {
        let name = [group.unwrap_or("all"), label.0].join(" ");
        let hidden = is_in_the_middle(*label);
        lines.extend(band(name.trim_end(), colour, members).map(|line| Line { hidden, ..line }));
    }
    let mut ranked: Vec<&Series> = series.iter().collect();
    ranked.sort_by(|a, b| b.sum().total_cmp(&a.sum()));
    for (number, one) in ranked.iter().take(NOTABLE).enumerate() {
        lines.push(Line { colour: sets.len() + number, ..one.line(false) });
    }
    let others: Vec<&Series> = ranked.into_iter().skip(NOTABLE).take(MAX_ON_DEMAND).collect();
    let values: Vec<_> = others.iter().map(|one| one.values.clone()).collect();
    let (places, values) = extremes(x, &values, POINTS_ON_DEMAND);
    plot.more_x = places;
    plot.more = others.iter().zip(values).map(|(one, y)| Line { y, ..one.line(false) }).collect();
    plot.more.sort_by(|a, b| a.name.len().cmp(&b.name.len()).then_with(|| a.name.cmp(&b.name)));
    let mut remark =
        format!("The band reaches from the least to the most of {} lines.", count(series.len() as u64));
    if !plot.caption.is_empty() {
        remark.insert(0, ' ');
    }
    plot.caption += &remark;
    lines
}

/// The least, the most and the mean of some series.
fn band(name: &str, colour: usize, members: &[&Series]) -> [Line; 3] {
    let places = members.iter().map(|member| member.values.len()).max().unwrap_or(0);
    let mut columns = [Vec::new(), Vec::new(), Vec::new()];
    for place in 0..places {
        let values: Vec<f32> = members.iter().filter_map(|member| *member.values.get(place)?).collect();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        columns[0].push(values.iter().copied().reduce(f32::min));
        columns[1].push(values.iter().copied().reduce(f32::max));
        columns[2].push((!values.is_empty()).then_some(mean));
    }
    let [low, high, mean] = columns;
    let members = count(members.len() as u64);
    let line = |name: String, style, y| Line { name, colour, style, hidden: false, y };
    [
        // Both ends have one name: they are one thing in the legend.
        line(format!("{name} ({members}), least to most"), Style::BandLow, low),
        line(format!("{name} ({members}), least to most"), Style::BandHigh, high),
        line(format!("{name} ({members}), mean"), Style::Line, mean),
    ]
}
