//! The plots of the timeline. Each metric declares the plot that it belongs to.

use indexmap::IndexMap;

use super::super::{Plot, ReferenceLine, Section, Unit};
use super::lines::{Series, draw, is_empty};
use crate::engine::floor_to_usize;
use crate::event::Node;
use crate::metrics::result::RunResult;
use crate::model::link::LineId;
use crate::model::metric::{Limit, SeriesKey, Subject, UTILIZATION};
use crate::scenario::Scenario;

/// Maximum number of bins of shares and rates: finer bins would show mostly noise.
const MAX_BINS: usize = 240;
/// Minimum number of bins of shares and rates. Rare events are shown in fewer bins than frequent ones.
const MIN_BINS: usize = 60;
/// Number of events per bin in the largest series of a plot: its noise is then a quarter (1 / sqrt(16)).
const EVENTS_PER_BIN: f64 = 16.0;

/// Maximum number of nodes with a plot of actual and perceived load: those with the highest perceived load.
const MAX_ESTIMATED_NODES: usize = 4;

/// The sections of all plots that are not empty, in the order in which parts list their metrics.
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
            Subject::Node(_) | Subject::Resource { .. } | Subject::Link(_) | Subject::Line(_) => {
                builder.plot(&positions).into_iter().collect()
            }
            Subject::Estimate { .. } => builder.estimates(&positions),
        };
        Section { title: key.shown.plot.section.to_owned(), plots, ..Section::default() }
    };
    by_plot.into_values().map(section).collect()
}

/// The id of the plot of a series. The perceived loads of each node have a plot of their own.
pub(super) fn plot_id(key: &SeriesKey) -> String {
    let id = key.shown.plot.id;
    match key.subject {
        Subject::Node(_) | Subject::Resource { .. } | Subject::Link(_) | Subject::Line(_) => id.to_owned(),
        Subject::Estimate { of, .. } => format!("{id}-{}", of.row()),
    }
}

/// Builds plots from series of the timeline, identified by their positions.
struct PlotBuilder<'a> {
    result: &'a RunResult,
    limits: Vec<Limit>,
}

impl<'a> PlotBuilder<'a> {
    fn key(&self, position: usize) -> &'a SeriesKey {
        &self.result.timeline.keys[position]
    }

    /// A plot without lines, as declared by the first of its series.
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
        let mut series: Vec<Series> =
            positions.iter().map(|&position| self.series(position, &labels, bin)).collect();
        if self.key(positions[0]).shown.is_summed {
            series = summed(series);
        }
        // A label whose series are all 0 is left out.
        for number in (0..labels.len()).filter(|_| labels.len() > 1) {
            let has_label = |series: &&Series| series.label.1 == number;
            if is_empty(series.iter().filter(has_label)) {
                series.retain(|series| !has_label(&series));
            }
        }
        if is_empty(series.iter()) {
            return None;
        }
        plot.thresholds = self.thresholds(self.key(positions[0]), &series);
        draw(&mut plot, &self.x_values(bin), &series);
        Some(plot)
    }

    /// Plots of actual and perceived load, one for each of the nodes with the highest perceived load.
    fn estimates(&self, positions: &[usize]) -> Vec<Plot> {
        let mut by_node: IndexMap<Node, (f64, Vec<usize>)> = IndexMap::new();
        for &position in positions {
            if let Subject::Estimate { of, .. } = self.key(position).subject {
                let series = self.result.timeline.series(position);
                let sum: f64 = series.filter(|value| value.is_finite()).map(f64::from).sum();
                let (largest, positions) = by_node.entry(of).or_default();
                *largest = largest.max(sum);
                positions.push(position);
            }
        }
        by_node.sort_by(|a, (largest_a, _), b, (largest_b, _)| largest_b.total_cmp(largest_a).then(a.cmp(b)));
        let shown = by_node.into_iter().take(MAX_ESTIMATED_NODES);
        shown.filter_map(|(of, (_, positions))| self.estimate(of, &positions)).collect()
    }

    /// The plot of actual and perceived load of a node.
    fn estimate(&self, of: Node, positions: &[usize]) -> Option<Plot> {
        let names = self.result.names();
        let actual = self.result.timeline.position(Subject::Node(of), &UTILIZATION)?;
        let mut plot = self.blank(positions);
        let bin = self.bin(plot.unit, positions);
        let actual = Series { label: ("actual", 0), ..self.series(actual, &[""], bin) };
        let mut series = vec![actual];
        for &position in positions {
            if let Subject::Estimate { by, .. } = self.key(position).subject {
                let first = Node::new(by.kind, by.first);
                let estimator = names.group_of(first).unwrap_or_else(|| names.name_of(first));
                series.push(Series {
                    subject: format!("perceived by {estimator}"),
                    colour: names.count(of.kind()) + by.first as usize,
                    label: ("", 1),
                    ..self.series(position, &[""], bin)
                });
            }
        }
        plot.title += &format!(" of {}", names.name_of(of));
        plot.thresholds = self.thresholds(self.key(positions[0]), &series);
        draw(&mut plot, &self.x_values(bin), &series);
        Some(plot)
    }

    fn series(&self, position: usize, labels: &[&'static str], bin: usize) -> Series {
        let SeriesKey { subject, shown, .. } = *self.key(position);
        let names = self.result.names();
        let (name, group, colour) = match subject {
            Subject::Node(node) | Subject::Estimate { of: node, .. } => {
                (names.name_of(node).to_owned(), names.group_of(node).map(str::to_owned), node.row())
            }
            Subject::Resource { node, resource } => {
                let name = &names.resources(node)[usize::from(resource)];
                let group = names.group_of(node).map(|group| format!("{group} {name}"));
                let colour = node.row() + u32::from(resource) * 8;
                (names.name_of_resource(node, resource), group, colour)
            }
            Subject::Link(row) => (self.result.links[row as usize].name.clone(), None, row),
            Subject::Line(number) => (self.result.line_name(LineId(number)).to_owned(), None, number),
        };
        let number = labels.iter().position(|label| *label == shown.label).unwrap_or(0);
        Series {
            subject: name,
            colour: colour as usize,
            group,
            label: (shown.label, number),
            values: self.values(position, bin),
        }
    }

    /// The distinct labels of several series, in order.
    fn labels(&self, positions: &[usize]) -> Vec<&'static str> {
        let mut labels = Vec::new();
        for &position in positions {
            let label = self.key(position).shown.label;
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels
    }

    /// Number of intervals per bin of a plot.
    fn bin(&self, unit: Unit, positions: &[usize]) -> usize {
        let timeline = &self.result.timeline;
        let is_share = positions.iter().any(|&position| self.key(position).shown.share_of.is_some());
        let bins = match unit {
            Unit::Seconds => return timeline.window.max(1),
            Unit::Count if !is_share => return 1,
            Unit::Share if !is_share => MAX_BINS,
            Unit::Share | Unit::Count | Unit::PerSecond => {
                let events = positions.iter().map(|&position| self.events(position)).fold(0.0, f64::max);
                floor_to_usize(events / EVENTS_PER_BIN).clamp(MIN_BINS, MAX_BINS)
            }
        };
        timeline.intervals().div_ceil(bins).max(1)
    }

    /// Total number of events that a series counts; for a share, of its denominator.
    fn events(&self, position: usize) -> f64 {
        let timeline = &self.result.timeline;
        let SeriesKey { subject, shown, .. } = *self.key(position);
        let rate = shown.share_of.and_then(|whole| timeline.position(subject, whole)).unwrap_or(position);
        let rates = timeline.series(rate).filter(|rate| rate.is_finite());
        rates.map(f64::from).sum::<f64>() * timeline.interval.as_seconds()
    }

    /// The values of a series, averaged over bins; for a share, divided by its denominator.
    fn values(&self, position: usize, bin: usize) -> Vec<Option<f32>> {
        let timeline = &self.result.timeline;
        let SeriesKey { subject, shown, .. } = *self.key(position);
        let own: Vec<f32> = timeline.series(position).collect();
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

    /// Reference lines of the limits of a metric, without those far above the values.
    fn thresholds(&self, key: &SeriesKey, series: &[Series]) -> Vec<ReferenceLine> {
        let highest = series.iter().flat_map(|series| &series.values).flatten().copied().fold(0.0, f32::max);
        let limits = self.limits.iter().filter(|limit| limit.metric == key.metric);
        let near = limits.filter(|limit| limit.value <= 1.0 || limit.value <= 3.0 * f64::from(highest));
        let mut by_value: IndexMap<(u64, &str), Vec<&str>> = IndexMap::new();
        for limit in near {
            let owners = by_value.entry((limit.value.to_bits(), limit.meaning)).or_default();
            if !owners.contains(&limit.owner.as_str()) {
                owners.push(&limit.owner);
            }
        }
        let line = |((value, meaning), owners): ((u64, &str), Vec<&str>)| ReferenceLine {
            value: f64::from_bits(value),
            label: match owners.as_slice() {
                [first, second, _, ..] => format!("{first}, {second} and others: {meaning}"),
                owners => format!("{}: {meaning}", owners.join(", ")),
            },
        };
        by_value.into_iter().map(line).collect()
    }

    /// The centres of bins of `bin` intervals each.
    fn x_values(&self, bin: usize) -> Vec<f64> {
        let timeline = &self.result.timeline;
        let (interval, intervals) = (timeline.interval.as_seconds(), timeline.intervals());
        let middle = |first: usize| interval * (first + (first + bin).min(intervals)) as f64 / 2.0;
        (0..intervals).step_by(bin).map(middle).collect()
    }
}

/// The series of groups, each the sum of those of its members with the same label.
fn summed(series: Vec<Series>) -> Vec<Series> {
    let mut groups: Vec<Series> = Vec::new();
    for member in series {
        let group = member.group.clone().unwrap_or_else(|| member.subject.clone());
        let known = groups.iter_mut().find(|other| other.subject == group && other.label == member.label);
        let Some(sum) = known else {
            groups.push(Series { subject: group, ..member });
            continue;
        };
        for (sum, value) in sum.values.iter_mut().zip(member.values) {
            *sum = sum.zip(value).map(|(sum, value)| sum + value);
        }
    }
    // All series of a group follow each other.
    let mut order: Vec<String> = groups.iter().map(|group| group.subject.clone()).collect();
    order.dedup();
    groups.sort_by_key(|group| order.iter().position(|subject| *subject == group.subject));
    groups
}

/// The mean of the finite values, or `None` if there are none.
fn mean(values: &[f32]) -> Option<f32> {
    let present = || values.iter().copied().filter(|value| value.is_finite());
    let count = present().count();
    (count > 0).then(|| present().sum::<f32>() / count as f32)
}
