//! The plots of what parts measured of themselves: each metric says by itself which plot it belongs to.

use indexmap::IndexMap;

use super::super::{Plot, ReferenceLine, Section, Unit};
use super::lines::{Series, draw, is_empty};
use crate::engine::floor_to_usize;
use crate::event::Node;
use crate::metrics::result::RunResult;
use crate::model::metric::{Limit, SeriesKey, Subject, UTILIZATION};
use crate::scenario::Scenario;

/// Shares and what is counted are shown in so many bins at most: in finer ones chance is all that one sees.
const MAX_BINS: usize = 240;
/// What is rare is shown in fewer bins, but not in fewer than these,
const MIN_BINS: usize = 60;
/// so that the busiest has about so many in each: chance makes them a quarter more or less.
const COUNTED_IN_A_BIN: f64 = 16.0;

/// So many nodes have their load drawn beside what it is taken to be: those whose load is taken to be the highest.
const MAX_ESTIMATES: usize = 4;

/// The sections of all plots that show anything, in the order in which parts list their metrics.
pub(super) fn sections(scenario: &Scenario, result: &RunResult) -> Vec<Section> {
    let limits = scenario.specs().flat_map(|(name, spec)| spec.limits(name)).collect();
    let mut by_plot: IndexMap<&'static str, Vec<usize>> = IndexMap::new();
    for (position, key) in result.timeline.keys.iter().enumerate() {
        by_plot.entry(key.shown.plot.id).or_default().push(position);
    }
    let builder = PlotBuilder { result, limits };
    let section = |positions: Vec<usize>| {
        let key = builder.key(positions[0]);
        let plots = match key.subject {
            Subject::Node(_) | Subject::Link(_) => builder.plot(&positions).into_iter().collect(),
            Subject::Estimate { .. } => builder.estimates(&positions),
        };
        Section { title: key.shown.plot.section.to_owned(), plots, ..Section::default() }
    };
    by_plot.into_values().map(section).collect()
}

/// The name of the plot that a series is drawn in. Estimates of the load of each node have a plot of their own.
pub(super) fn plot_id(key: &SeriesKey) -> String {
    let id = key.shown.plot.id;
    match key.subject {
        Subject::Node(_) | Subject::Link(_) => id.to_owned(),
        Subject::Estimate { of, .. } => format!("{id}-{}", of.row()),
    }
}

/// Builds plots from series of the timeline, which are known by their positions there.
struct PlotBuilder<'a> {
    result: &'a RunResult,
    limits: Vec<Limit>,
}

impl<'a> PlotBuilder<'a> {
    fn key(&self, position: usize) -> &'a SeriesKey {
        &self.result.timeline.keys[position]
    }

    /// A plot without lines, as the first of its series describes it.
    fn blank(&self, positions: &[usize]) -> Plot {
        let key = self.key(positions[0]);
        let unit = if key.shown.share_of.is_some() { Unit::Share } else { key.metric.unit };
        Plot {
            id: plot_id(key),
            title: key.shown.plot.title.to_owned(),
            caption: key.shown.plot.caption.to_owned(),
            unit,
            top: (unit == Unit::Share).then_some(1.0),
            ..Plot::default()
        }
    }

    fn plot(&self, positions: &[usize]) -> Option<Plot> {
        let mut plot = self.blank(positions);
        let labels = self.labels(positions);
        let bin = self.bin(plot.unit, positions);
        let mut series: Vec<Series> = positions.iter().map(|&at| self.series(at, &labels, bin)).collect();
        // What never happened to anyone is not worth a line.
        for number in (0..labels.len()).filter(|_| labels.len() > 1) {
            let alike = |series: &&Series| series.label.1 == number;
            if is_empty(series.iter().filter(alike)) {
                series.retain(|series| !alike(&series));
            }
        }
        if is_empty(series.iter()) {
            return None;
        }
        plot.thresholds = self.thresholds(self.key(positions[0]), &series);
        draw(&mut plot, &self.places(bin), &series);
        Some(plot)
    }

    /// A plot for each node whose load is estimated: what it is taken to be, and what it was.
    fn estimates(&self, positions: &[usize]) -> Vec<Plot> {
        let mut about: IndexMap<Node, (f64, Vec<usize>)> = IndexMap::new();
        for &at in positions {
            if let Subject::Estimate { of, .. } = self.key(at).subject {
                let series = self.result.timeline.series(at);
                let estimated: f64 = series.filter(|value| value.is_finite()).map(f64::from).sum();
                let (most, positions) = about.entry(of).or_default();
                *most = most.max(estimated);
                positions.push(at);
            }
        }
        about.sort_by(|a, (most_a, _), b, (most_b, _)| most_b.total_cmp(most_a).then(a.cmp(b)));
        let shown = about.into_iter().take(MAX_ESTIMATES);
        shown.filter_map(|(of, (_, positions))| self.estimate(of, &positions)).collect()
    }

    /// The plot of estimates of the load of a node.
    fn estimate(&self, of: Node, positions: &[usize]) -> Option<Plot> {
        let names = self.result.names();
        let actual = self.result.timeline.position(Subject::Node(of), &UTILIZATION)?;
        let mut plot = self.blank(positions);
        let bin = self.bin(plot.unit, positions);
        let actual = Series { label: ("actual", 0), ..self.series(actual, &[""], bin) };
        let mut series = vec![actual];
        for &at in positions {
            if let Subject::Estimate { by, .. } = self.key(at).subject {
                let first = Node::new(by.kind, by.first);
                let who = names.group_of(first).unwrap_or_else(|| names.name_of(first));
                series.push(Series {
                    subject: format!("perceived by {who}"),
                    colour: names.count(of.kind()) + by.first as usize,
                    label: ("", 1),
                    ..self.series(at, &[""], bin)
                });
            }
        }
        plot.title += &format!(" of {}", names.name_of(of));
        plot.thresholds = self.thresholds(self.key(positions[0]), &series);
        draw(&mut plot, &self.places(bin), &series);
        Some(plot)
    }

    fn series(&self, at: usize, labels: &[&'static str], bin: usize) -> Series {
        let SeriesKey { subject, shown, .. } = *self.key(at);
        let names = self.result.names();
        let (name, group, colour) = match subject {
            Subject::Node(node) | Subject::Estimate { of: node, .. } => {
                (names.name_of(node), names.group_of(node), node.row())
            }
            Subject::Link(row) => (self.result.links[row as usize].name.as_str(), None, row),
        };
        let number = labels.iter().position(|label| *label == shown.label).unwrap_or(0);
        Series {
            subject: name.to_owned(),
            colour: colour as usize,
            group: group.map(str::to_owned),
            label: (shown.label, number),
            values: self.values(at, bin),
        }
    }

    /// The different labels of some series, in order.
    fn labels(&self, positions: &[usize]) -> Vec<&'static str> {
        let mut labels = Vec::new();
        for &at in positions {
            let label = self.key(at).shown.label;
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    /// How many intervals are shown as one.
    fn bin(&self, unit: Unit, positions: &[usize]) -> usize {
        let timeline = &self.result.timeline;
        let is_share = positions.iter().any(|&at| self.key(at).shown.share_of.is_some());
        let bins = match unit {
            Unit::Seconds => return timeline.window.max(1),
            Unit::Count if !is_share => return 1,
            Unit::Share if !is_share => MAX_BINS,
            Unit::Share | Unit::Count | Unit::PerSecond => {
                let most = positions.iter().map(|&at| self.counted(at)).fold(0.0, f64::max);
                floor_to_usize(most / COUNTED_IN_A_BIN).clamp(MIN_BINS, MAX_BINS)
            }
        };
        timeline.intervals().div_ceil(bins).max(1)
    }

    /// How many there were in all of what a series counts, or of what it is a share of.
    fn counted(&self, at: usize) -> f64 {
        let timeline = &self.result.timeline;
        let SeriesKey { subject, shown, .. } = *self.key(at);
        let counted = shown.share_of.and_then(|whole| timeline.position(subject, whole)).unwrap_or(at);
        let rates = timeline.series(counted).filter(|rate| rate.is_finite());
        rates.map(f64::from).sum::<f64>() * timeline.interval.as_seconds()
    }

    /// What is shown of a series.
    fn values(&self, at: usize, bin: usize) -> Vec<Option<f32>> {
        let timeline = &self.result.timeline;
        let SeriesKey { subject, shown, .. } = *self.key(at);
        let own: Vec<f32> = timeline.series(at).collect();
        let whole = shown.share_of.and_then(|whole| timeline.find(subject, whole));
        let Some(whole) = whole.map(Iterator::collect::<Vec<f32>>) else {
            return own.chunks(bin).map(mean).collect();
        };
        let share = |(own, whole): (&[f32], &[f32])| {
            let (own, whole) = (own.iter().sum::<f32>(), whole.iter().sum::<f32>());
            (whole > 0.0).then(|| own / whole)
        };
        own.chunks(bin).zip(whole.chunks(bin)).map(share).collect()
    }

    /// Limits of a metric that are near enough to what was measured to be seen.
    fn thresholds(&self, key: &SeriesKey, series: &[Series]) -> Vec<ReferenceLine> {
        let most = series.iter().flat_map(|series| &series.values).flatten().copied().fold(0.0, f32::max);
        let limits = self.limits.iter().filter(|limit| limit.metric == key.metric);
        let near = limits.filter(|limit| limit.value <= 1.0 || limit.value <= 3.0 * f64::from(most));
        let mut alike: IndexMap<(u64, &str), Vec<&str>> = IndexMap::new();
        for limit in near {
            let owners = alike.entry((limit.value.to_bits(), limit.meaning)).or_default();
            if !owners.contains(&limit.owner.as_str()) {
                owners.push(&limit.owner);
            }
        }
        let threshold = |((value, meaning), owners): ((u64, &str), Vec<&str>)| ReferenceLine {
            value: f64::from_bits(value),
            label: match owners.as_slice() {
                [first, second, _, ..] => format!("{first}, {second} and others: {meaning}"),
                owners => format!("{}: {meaning}", owners.join(", ")),
            },
        };
        alike.into_iter().map(threshold).collect()
    }

    /// The middles of the intervals, so many of them as one.
    fn places(&self, bin: usize) -> Vec<f64> {
        let timeline = &self.result.timeline;
        let (interval, intervals) = (timeline.interval.as_seconds(), timeline.intervals());
        let middle = |first: usize| interval * (first + (first + bin).min(intervals)) as f64 / 2.0;
        (0..intervals).step_by(bin).map(middle).collect()
    }
}

/// The mean of the values that there are.
fn mean(values: &[f32]) -> Option<f32> {
    let present = || values.iter().copied().filter(|value| value.is_finite());
    let count = present().count();
    (count > 0).then(|| present().sum::<f32>() / count as f32)
}
