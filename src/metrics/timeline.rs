//! The timeline: every metric of every part, in intervals of equal width. Every run records it, with or without probes.
//! Reports plot it, and findings are derived from it.

use bevy_ecs::prelude::*;

use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Node, NodeRange};
use crate::model::link::{Line, Link, LinksView};
use crate::model::metric::{
    Metric, MetricDisplay, PERCEIVED_LOAD, PlotSpec, Reading, ReadingSums, Readings, SeriesKey, Subject,
    record,
};
use crate::model::parts::PartViews;
use crate::model::routing::RoutersView;

/// Number of intervals of a short run: about one per pixel of a plot.
const INTERVALS: u64 = 1200;
/// Maximum number of intervals of a run of any length.
const MAX_INTERVALS: u64 = 4096;
/// Maximum number of intervals per second, for runs with more than [`INTERVALS`]: effects that last a few seconds
/// remain visible in a run of half an hour.
const INTERVALS_PER_SECOND: f64 = 4.0;
/// Minimum number of intervals: the width of a sparkline that fits 80 columns beside a name and a figure.
const MIN_INTERVALS: u64 = 60;
/// Approximate maximum number of values of a very large system, which gets even fewer intervals, but at least
const MAX_VALUES_OF_MANY: u64 = 24_000_000;
/// this number.
const MIN_INTERVALS_OF_MANY: u64 = 10;
/// Number of windows in a run.
const WINDOWS: u64 = 120;
/// Approximate maximum number of values in total: large systems get fewer intervals. A thousand servers get a hundred
/// intervals each, which costs a hundredth of the time of their run.
const MAX_VALUES: u64 = 600_000;
/// Maximum number of members of a group whose perceived load is averaged.
const MAX_ESTIMATORS: usize = 16;

/// Series recorded in intervals of equal width. An interval without a value holds NaN.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Width of an interval.
    pub interval: SimDuration,
    /// Intervals per window. Metrics that need many samples, such as percentiles, have a value in the last interval of
    /// each window.
    pub window: usize,
    /// Keys of the recorded series, part by part.
    pub keys: Vec<SeriesKey>,
    /// One value for each series, interval by interval.
    values: Vec<f32>,
}

impl Timeline {
    /// Number of intervals recorded so far.
    #[must_use]
    pub const fn intervals(&self) -> usize {
        if self.keys.is_empty() { 0 } else { self.values.len() / self.keys.len() }
    }

    /// The values of the series at this position in [`keys`](Self::keys), interval by interval.
    pub fn series(&self, position: usize) -> impl ExactSizeIterator<Item = f32> + Clone + '_ {
        self.values[position.min(self.values.len())..].iter().step_by(self.keys.len().max(1)).copied()
    }

    /// The values of a metric of a subject, or `None` if it was not recorded.
    pub fn find(
        &self,
        subject: Subject,
        metric: &Metric,
    ) -> Option<impl ExactSizeIterator<Item = f32> + Clone + '_> {
        self.position(subject, metric).map(|position| self.series(position))
    }

    /// The position in [`keys`](Self::keys) of a metric of a subject, or `None` if it was not recorded.
    #[must_use]
    pub fn position(&self, subject: Subject, metric: &Metric) -> Option<usize> {
        // Series of nodes come first, sorted by node: kind by kind and row by row.
        let (Subject::Node(node) | Subject::Resource { node, .. }) = subject else {
            return self.keys.iter().position(|key| key.subject == subject && key.metric == metric);
        };
        let first = self.keys.partition_point(|key| node_of(key).is_some_and(|other| other < node));
        let own = self.keys[first..].iter().take_while(|key| node_of(key) == Some(node));
        own.into_iter()
            .position(|key| key.metric == metric && key.subject == subject)
            .map(|offset| first + offset)
    }

    /// The mean of a metric over these nodes, interval by interval.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "seven digits are enough for plots")]
    pub fn mean_over(&self, metric: &Metric, nodes: &[Node]) -> Vec<f32> {
        let positions = self.positions(metric, nodes);
        if positions.is_empty() {
            return Vec::new();
        }
        // Interval by interval, in the order in which values are stored.
        let intervals = self.values.chunks_exact(self.keys.len());
        let mean = |values: &[f32]| {
            positions.iter().map(|&position| values[position]).sum::<f32>() / nodes.len() as f32
        };
        intervals.map(mean).collect()
    }

    /// The positions in [`keys`](Self::keys) of a metric of these nodes, without those for which it was not recorded.
    fn positions(&self, metric: &Metric, nodes: &[Node]) -> Vec<usize> {
        let mut positions: Vec<usize> = Vec::with_capacity(nodes.len());
        for &node in nodes {
            // Nodes of a kind that follow each other have series at equal distances.
            let next = match positions[..] {
                [.., a, b] if b > a => Some(2 * b - a),
                _ => None,
            };
            let is_next = |position: &usize| {
                let key = self.keys.get(*position);
                key.is_some_and(|key| key.subject == Subject::Node(node) && key.metric == metric)
            };
            positions.extend(next.filter(is_next).or_else(|| self.position(Subject::Node(node), metric)));
        }
        positions
    }
}

fn node_of(key: &SeriesKey) -> Option<Node> {
    match key.subject {
        Subject::Node(node) | Subject::Resource { node, .. } => Some(node),
        Subject::Link(_) | Subject::Line(_) | Subject::Estimate { .. } => None,
    }
}

/// The perceived load of a node: the mean estimate of the nodes that route to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The nodes that estimate the load.
    pub by: NodeRange,
    /// The node whose load is estimated.
    pub of: Node,
}

static ESTIMATES: PlotSpec = PlotSpec {
    id: "perceived-load",
    section: "Routing",
    title: "Actual and perceived load",
    caption: "Actual load of a server, and the mean load perceived by the nodes that route to it.",
};

static PERCEIVED: MetricDisplay =
    MetricDisplay { label: "perceived", plot: &ESTIMATES, share_of: None, is_summed: false };

/// Records the timeline.
#[derive(Resource, Clone, Debug, Default)]
pub struct TimelineRecorder {
    timeline: Timeline,
    end: SimTime,
    /// The readings of each series at the start of the interval.
    last: Vec<ReadingSums>,
    estimates: Vec<Estimate>,
}

impl TimelineRecorder {
    /// A recorder for a run that ends at `end`. It records these estimates in addition to the metrics of all parts.
    #[must_use]
    pub fn new(end: SimTime, estimates: Vec<Estimate>) -> Self {
        Self { end, estimates, ..Self::default() }
    }

    /// Sets up a series for each metric of each part, and the width of the intervals.
    pub fn lay_out(
        &mut self,
        parts: &mut PartViews<'_>,
        routers: &mut RoutersView<'_>,
        links: &mut LinksView<'_>,
    ) {
        // Exact capacities: a large system has millions of series.
        let mut series = Count(0);
        self.read(SimTime::ZERO, parts, routers, links, &mut series);
        let mut layout = Layout(Vec::with_capacity(series.0));
        self.read(SimTime::ZERO, parts, routers, links, &mut layout);
        let intervals = intervals(self.end, series.0 as u64);
        self.last = vec![ReadingSums::default(); series.0];
        self.timeline = Timeline {
            interval: SimDuration::from_nanos((self.end.as_nanos() / intervals).max(1)),
            window: usize::try_from(intervals.div_ceil(WINDOWS)).unwrap_or(1),
            keys: layout.0,
            values: Vec::with_capacity(series.0 * usize::try_from(intervals).unwrap_or(0)),
        };
    }

    /// End of the first interval.
    #[must_use]
    pub fn first(&self) -> SimTime {
        SimTime::ZERO + self.timeline.interval
    }

    /// Takes the recorded timeline.
    #[must_use]
    pub fn take(&mut self) -> Timeline {
        std::mem::take(&mut self.timeline)
    }

    /// Prepares for the reset of statistics at the end of the warm-up, see [`ReadingSums::before_reset`].
    pub fn before_reset(
        &mut self,
        now: SimTime,
        parts: &mut PartViews<'_>,
        routers: &mut RoutersView<'_>,
        links: &mut LinksView<'_>,
    ) {
        let mut last = std::mem::take(&mut self.last);
        self.read(now, parts, routers, links, &mut Reset { last: last.iter_mut() });
        self.last = last;
    }

    /// Records the interval that ends now. Returns the end of the next one, or `None` if the run ends before it.
    ///
    /// # Panics
    /// If parts take fewer readings than when the timeline was laid out.
    pub fn record(
        &mut self,
        now: SimTime,
        parts: &mut PartViews<'_>,
        routers: &mut RoutersView<'_>,
        links: &mut LinksView<'_>,
    ) -> Option<SimTime> {
        let window = (self.timeline.intervals() + 1).is_multiple_of(self.timeline.window.max(1));
        if window {
            parts.close_window();
        }
        let mut last = std::mem::take(&mut self.last);
        let mut values = std::mem::take(&mut self.timeline.values);
        let nanos = self.timeline.interval.as_nanos_f64();
        let mut interval = Interval { last: last.iter_mut(), values: &mut values, nanos, window };
        self.read(now, parts, routers, links, &mut interval);
        assert!(interval.last.len() == 0, "every series of the timeline gets a value");
        (self.last, self.timeline.values) = (last, values);
        let next = now + self.timeline.interval;
        (next <= self.end).then_some(next)
    }

    /// Takes a reading of every series, always in the same order.
    fn read(
        &self,
        now: SimTime,
        parts: &mut PartViews<'_>,
        routers: &mut RoutersView<'_>,
        links: &mut LinksView<'_>,
        readings: &mut impl Readings,
    ) {
        parts.record(now, readings);
        for &Estimate { by, of } in &self.estimates {
            let subject = Subject::Estimate { by, of };
            let key = SeriesKey { subject, metric: &PERCEIVED_LOAD, shown: &PERCEIVED };
            readings.take(key, || Reading::Value(estimate(by, of, now, routers)));
        }
        record::<Link>(links, Subject::Link, now, readings);
        record::<Line>(links, Subject::Line, now, readings);
    }
}

/// The mean load of a node as perceived by a range of nodes, or `None` if none of them has an estimate. Of more than
/// [`MAX_ESTIMATORS`] nodes, only every n-th is used.
#[expect(clippy::cast_precision_loss, reason = "at most 16 estimates")]
fn estimate(by: NodeRange, of: Node, now: SimTime, routers: &mut RoutersView<'_>) -> Option<f64> {
    let stride = (by.count as usize - 1) / MAX_ESTIMATORS + 1;
    let estimators = by.nodes().step_by(stride);
    let estimates: Vec<f64> = estimators.filter_map(|node| routers.estimate(node, of, now)).collect();
    (!estimates.is_empty()).then(|| estimates.iter().sum::<f64>() / estimates.len() as f64)
}

/// Counts the series, without reading any.
struct Count(usize);

impl Readings for Count {
    fn take(&mut self, _: SeriesKey, _: impl FnOnce() -> Reading) {
        self.0 += 1;
    }
}

/// Collects the keys of all series, without reading any.
struct Layout(Vec<SeriesKey>);

impl Readings for Layout {
    fn take(&mut self, key: SeriesKey, _: impl FnOnce() -> Reading) {
        self.0.push(key);
    }
}

/// Computes the values of an interval.
struct Interval<'a> {
    last: std::slice::IterMut<'a, ReadingSums>,
    values: &'a mut Vec<f32>,
    nanos: f64,
    /// Whether a window ends with this interval.
    window: bool,
}

impl Readings for Interval<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "seven digits are enough for plots")]
    fn take(&mut self, _: SeriesKey, read: impl FnOnce() -> Reading) {
        let Some(last) = self.last.next() else { return };
        let reading = read();
        let [part, whole] = last.advance(reading);
        let value = match reading {
            Reading::Level { .. } => part / self.nanos,
            Reading::Share { .. } => {
                if whole > 0.0 {
                    part / whole
                } else {
                    0.0
                }
            }
            Reading::Count(_) => part * 1e9 / self.nanos,
            Reading::Value(value) => value.unwrap_or(f64::NAN),
            Reading::OfWindow(value) => value.filter(|_| self.window).unwrap_or(f64::NAN),
        };
        self.values.push(value as f32);
    }
}

/// Adjusts the last readings for a reset of sums in the middle of an interval.
struct Reset<'a> {
    last: std::slice::IterMut<'a, ReadingSums>,
}

impl Readings for Reset<'_> {
    fn take(&mut self, _: SeriesKey, read: impl FnOnce() -> Reading) {
        if let Some(last) = self.last.next() {
            last.before_reset(read());
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as intended")]
fn intervals(end: SimTime, series: u64) -> u64 {
    let max = ((end.as_seconds() * INTERVALS_PER_SECOND) as u64).clamp(INTERVALS, MAX_INTERVALS);
    let min = (MAX_VALUES_OF_MANY / series.max(1)).clamp(MIN_INTERVALS_OF_MANY, MIN_INTERVALS);
    (MAX_VALUES / series.max(1)).clamp(min, max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NodeKind;
    use crate::model::metric::{QUEUE_DEPTH, UTILIZATION};

    static PLOT: PlotSpec = PlotSpec { id: "plot", section: "", title: "", caption: "" };
    static SHOWN: MetricDisplay = MetricDisplay { label: "", plot: &PLOT, share_of: None, is_summed: false };

    fn node(row: u32) -> Node {
        Node::new(NodeKind::ALL[NodeKind::COUNT - 1], row)
    }

    fn key(subject: Subject, metric: &'static Metric) -> SeriesKey {
        SeriesKey { subject, metric, shown: &SHOWN }
    }

    fn timeline(depths: &[[f32; 3]]) -> Timeline {
        let of_node = |row| [&QUEUE_DEPTH, &UTILIZATION].map(|metric| key(Subject::Node(node(row)), metric));
        let keys = (0..3).flat_map(of_node).chain([key(Subject::Link(0), &UTILIZATION)]).collect();
        let values = |interval: &[f32; 3]| {
            let [a, b, c] = *interval;
            [a, 0.0, b, 0.0, c, 0.0, 7.0]
        };
        let values = depths.iter().flat_map(values).collect();
        Timeline { interval: SimDuration::from_seconds(1), window: 1, keys, values }
    }

    #[test]
    fn series_are_found_by_subject_and_metric_and_averaged_interval_by_interval() {
        let timeline = timeline(&[[0.0, 1.0, 0.5], [1.0, 1.0, 0.0]]);
        let mean = |rows: &[u32]| {
            timeline.mean_over(&QUEUE_DEPTH, &rows.iter().map(|&row| node(row)).collect::<Vec<_>>())
        };
        assert_eq!((mean(&[0, 1]), mean(&[2]), mean(&[])), (vec![0.5, 1.0], vec![0.5, 0.0], vec![]));
        assert_eq!(mean(&[3]), [] as [f32; 0]);
        // With series at equal distances, in ascending order or not, and with a gap.
        for rows in [[0, 1, 2], [2, 1, 0], [0, 2, 1]] {
            assert_eq!(mean(&rows), [0.5, 2.0 / 3.0]);
        }
        assert_eq!(mean(&[0, 1, 3, 2]), [0.375, 0.5], "a node without the metric counts as 0");
        let find = |subject, metric| timeline.find(subject, metric).map(Iterator::collect::<Vec<_>>);
        assert_eq!(find(Subject::Node(node(1)), &QUEUE_DEPTH), Some(vec![1.0, 1.0]));
        assert_eq!(find(Subject::Link(0), &UTILIZATION), Some(vec![7.0, 7.0]));
        assert_eq!(find(Subject::Node(node(1)), &PERCEIVED_LOAD), None);
    }

    #[test]
    fn longer_runs_have_more_intervals_and_larger_systems_fewer() {
        let number = |seconds: u64, series| intervals(SimTime::from_nanos(seconds * 1_000_000_000), series);
        assert_eq!((number(65, 40), number(600, 10), number(86_400, 10)), (1200, 2400, 4096));
        assert_eq!((number(40, 6_000), number(40, 60_000)), (100, 60));
        assert_eq!((number(40, 400_000), number(40, 6_000_000)), (60, 10));
    }

    const NANOS: f64 = 2e9;

    #[test]
    fn a_value_is_the_increase_since_the_last_reading() {
        let mut last = [ReadingSums::default(); 4];
        let mut values = Vec::new();
        let mut take = |integral, whole, count, value, window| {
            let mut interval = Interval { last: last.iter_mut(), values: &mut values, nanos: NANOS, window };
            let key = key(Subject::Link(0), &UTILIZATION);
            interval.take(key, || Reading::Level { integral, now: 0.0 });
            interval.take(key, || Reading::Share { part: integral, whole, now: 0.0 });
            interval.take(key, || Reading::Count(count));
            interval.take(key, || Reading::OfWindow(value));
            assert_eq!(interval.last.len(), 0);
        };
        take(8_000_000_000, 10_000_000_000, 10, Some(7.0), true);
        take(9_000_000_000, 12_000_000_000, 30, None, true);
        take(9_000_000_000, 12_000_000_000, 30, Some(7.0), false);
        let expected = [4.0, 0.8, 5.0, 7.0, 0.5, 0.5, 10.0, f32::NAN, 0.0, 0.0, 0.0, f32::NAN];
        assert_eq!(format!("{values:?}"), format!("{expected:?}"));
    }

    #[test]
    fn an_interval_in_which_sums_are_reset_is_complete() {
        let mut last = [ReadingSums::default(); 2];
        let key = key(Subject::Link(0), &UTILIZATION);
        let mut reset = Reset { last: last.iter_mut() };
        reset.take(key, || Reading::Level { integral: 6, now: 0.0 });
        reset.take(key, || Reading::Share { part: 6, whole: 12, now: 0.0 });
        let mut values = Vec::new();
        let mut after = Interval { last: last.iter_mut(), values: &mut values, nanos: 10.0, window: true };
        after.take(key, || Reading::Level { integral: 4, now: 0.0 });
        after.take(key, || Reading::Share { part: 4, whole: 8, now: 0.0 });
        assert_eq!(values, [1.0, 0.5], "6 before the reset and 4 after it: over 10 ns, and of a whole of 20");
    }
}
