//! The timeline: what every part measured of itself, in equal intervals of the run. Every run has it, whether or not the
//! scenario names a probe: reports are drawn from it and findings are drawn out of it.

use bevy_ecs::prelude::*;

use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Node, NodeRange};
use crate::model::link::{Link, LinksView};
use crate::model::metric::{
    Metric, MetricDisplay, PERCEIVED_LOAD, PlotSpec, Reading, Readings, SeriesKey, Subject, record,
};
use crate::model::parts::PartViews;
use crate::model::routing::RoutersView;

/// Intervals of a short run: in a plot about one a pixel.
const INTERVALS: u64 = 1200;
/// Intervals of a run of any length, and how many it has a second at most once it has [`INTERVALS`]: what takes some seconds
/// shall be seen in a run of half an hour.
const MAX_INTERVALS: u64 = 4096;
const INTERVALS_A_SECOND: f64 = 4.0;
/// A terminal of 80 columns has room for a name, a sparkline of as many, and a figure.
const MIN_INTERVALS: u64 = 60;
/// Laps of a run.
const WINDOWS: u64 = 120;
/// About as many values are kept in all: large systems have fewer intervals. A thousand servers get a hundred each, for a
/// hundredth of the time of their run.
const MAX_VALUES: u64 = 600_000;
/// As many nodes of a group are asked for what they take a load to be.
const ASKED: usize = 16;

/// What was measured in intervals of equal width. In an interval without a value it is not a number.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The width of an interval.
    pub interval: SimDuration,
    /// Intervals of a window: what takes many samples to be told has a value in the last interval of each window.
    pub window: usize,
    /// What was measured, part by part.
    pub keys: Vec<SeriesKey>,
    /// Interval by interval: a value for each series.
    values: Vec<f32>,
}

impl Timeline {
    /// Intervals that have been recorded.
    #[must_use]
    pub const fn intervals(&self) -> usize {
        if self.keys.is_empty() { 0 } else { self.values.len() / self.keys.len() }
    }

    /// The series with this position, interval by interval.
    pub fn series(&self, position: usize) -> impl ExactSizeIterator<Item = f32> + Clone + '_ {
        self.values[position.min(self.values.len())..].iter().step_by(self.keys.len().max(1)).copied()
    }

    /// The series of a metric of a subject; nothing if there is none.
    pub fn find(
        &self,
        subject: Subject,
        metric: &Metric,
    ) -> Option<impl ExactSizeIterator<Item = f32> + Clone + '_> {
        self.position(subject, metric).map(|position| self.series(position))
    }

    /// The position of a metric of a subject.
    #[must_use]
    pub fn position(&self, subject: Subject, metric: &Metric) -> Option<usize> {
        // The series of nodes come first, in the order of nodes: kind by kind and row by row.
        let Subject::Node(node) = subject else {
            return self.keys.iter().position(|key| key.subject == subject && key.metric == metric);
        };
        let first = self.keys.partition_point(|key| node_of(key).is_some_and(|other| other < node));
        let own = self.keys[first..].iter().take_while(|key| node_of(key) == Some(node));
        own.into_iter().position(|key| key.metric == metric).map(|offset| first + offset)
    }

    /// The mean of a metric over some nodes, interval by interval.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a picture of a few pixels")]
    pub fn mean_over(&self, metric: &Metric, nodes: &[Node]) -> Vec<f32> {
        let mut sums = Vec::new();
        for series in nodes.iter().filter_map(|&node| self.find(Subject::Node(node), metric)) {
            sums.resize(series.len(), 0.0);
            sums.iter_mut().zip(series).for_each(|(sum, value)| *sum += value);
        }
        sums.iter().map(|sum| sum / nodes.len() as f32).collect()
    }
}

fn node_of(key: &SeriesKey) -> Option<Node> {
    match key.subject {
        Subject::Node(node) => Some(node),
        Subject::Link(_) | Subject::Estimate { .. } => None,
    }
}

/// What some nodes, on average, take the load of another one to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Those who estimate.
    pub by: NodeRange,
    /// The node whose load it is.
    pub of: Node,
}

static ESTIMATES: PlotSpec = PlotSpec {
    id: "belief",
    section: "Routing",
    title: "Actual and perceived load",
    caption: "What the load of a server is taken to be, on average, by those who route by it, and what it was.",
};

/// Records the timeline.
#[derive(Resource, Clone, Debug, Default)]
pub struct TimelineRecorder {
    timeline: Timeline,
    end: SimTime,
    /// What each series had come to when the interval began.
    last: Vec<LastReading>,
    estimates: Vec<Estimate>,
}

/// What a sum or a counter had come to.
#[derive(Clone, Copy, Debug, Default)]
struct LastReading {
    part: u128,
    /// The same of the whole that it is a share of.
    whole: u128,
}

impl TimelineRecorder {
    /// A recorder of a run that ends at `end`, in which these estimates are recorded beside all that parts measure.
    #[must_use]
    pub fn new(end: SimTime, estimates: Vec<Estimate>) -> Self {
        Self { end, estimates, ..Self::default() }
    }

    /// Lays out the series of all parts.
    pub fn lay_out(
        &mut self,
        parts: &mut PartViews<'_>,
        routers: &mut RoutersView<'_>,
        links: &mut LinksView<'_>,
    ) {
        let mut layout = Layout(Vec::new());
        self.read(SimTime::ZERO, parts, routers, links, &mut layout);
        let intervals = intervals(self.end, layout.0.len() as u64);
        self.last = vec![LastReading::default(); layout.0.len()];
        self.timeline = Timeline {
            interval: SimDuration::from_nanos((self.end.as_nanos() / intervals).max(1)),
            window: usize::try_from(intervals.div_ceil(WINDOWS)).unwrap_or(1),
            keys: layout.0,
            values: Vec::new(),
        };
    }

    /// When the first interval ends.
    #[must_use]
    pub fn first(&self) -> SimTime {
        SimTime::ZERO + self.timeline.interval
    }

    /// What was recorded.
    #[must_use]
    pub fn take(&mut self) -> Timeline {
        std::mem::take(&mut self.timeline)
    }

    /// Statistics are about to be reset: the end of a warm-up. Sums will begin at zero, so that what has come together since
    /// the interval began is kept as less than nothing at its start.
    pub fn before_restart(
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

    /// An interval ends. Returns when the next one does.
    ///
    /// # Panics
    /// If parts take other readings than when the timeline was laid out.
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
        assert!(interval.last.len() == 0, "every series that was laid out is filled");
        (self.last, self.timeline.values) = (last, values);
        let next = now + self.timeline.interval;
        (next <= self.end).then_some(next)
    }

    /// Goes through all that is recorded, always in the same order.
    fn read(
        &self,
        now: SimTime,
        parts: &mut PartViews<'_>,
        routers: &mut RoutersView<'_>,
        links: &mut LinksView<'_>,
        readings: &mut impl Readings,
    ) {
        parts.record(now, readings);
        let shown = MetricDisplay { label: "perceived", plot: &ESTIMATES, share_of: None };
        for &Estimate { by, of } in &self.estimates {
            let subject = Subject::Estimate { by, of };
            let key = SeriesKey { subject, metric: &PERCEIVED_LOAD, shown };
            readings.take(key, || Reading::Value(estimate(by, of, now, routers)));
        }
        record::<Link>(links, Subject::Link, now, readings);
    }
}

/// What some nodes take the load of another one to be: the mean of them all, or of some in equal distances where there are
/// many.
#[expect(clippy::cast_precision_loss, reason = "a value for people and plots")]
fn estimate(by: NodeRange, of: Node, now: SimTime, routers: &mut RoutersView<'_>) -> Option<f64> {
    let stride = (by.count as usize - 1) / ASKED + 1;
    let asked = by.nodes().step_by(stride);
    let estimates: Vec<f64> = asked.filter_map(|node| routers.estimate(node, of, now)).collect();
    (!estimates.is_empty()).then(|| estimates.iter().sum::<f64>() / estimates.len() as f64)
}

/// Collects which series there are, and reads none.
struct Layout(Vec<SeriesKey>);

impl Readings for Layout {
    fn take(&mut self, key: SeriesKey, _: impl FnOnce() -> Reading) {
        self.0.push(key);
    }
}

/// Fills an interval.
struct Interval<'a> {
    last: std::slice::IterMut<'a, LastReading>,
    values: &'a mut Vec<f32>,
    nanos: f64,
    /// Whether a window ends with this interval.
    window: bool,
}

impl Readings for Interval<'_> {
    #[expect(clippy::cast_precision_loss, reason = "a value for people and plots")]
    #[expect(clippy::cast_possible_truncation, reason = "seven digits are plenty for plots")]
    fn take(&mut self, _: SeriesKey, read: impl FnOnce() -> Reading) {
        let Some(last) = self.last.next() else { return };
        let value = match read() {
            Reading::Level { integral, .. } => {
                let grown = integral.wrapping_sub(std::mem::replace(&mut last.part, integral));
                grown as f64 / self.nanos
            }
            Reading::Share { part, whole, .. } => {
                let part = part.wrapping_sub(std::mem::replace(&mut last.part, part));
                let whole = whole.wrapping_sub(std::mem::replace(&mut last.whole, whole));
                if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
            }
            Reading::Count(count) => {
                let grown = u128::from(count) - std::mem::replace(&mut last.part, u128::from(count));
                grown as f64 * 1e9 / self.nanos
            }
            Reading::Value(value) => value.unwrap_or(f64::NAN),
            Reading::OfWindow(value) => value.filter(|_| self.window).unwrap_or(f64::NAN),
        };
        self.values.push(value as f32);
    }
}

/// Prepares for sums that begin anew in the middle of an interval.
struct Reset<'a> {
    last: std::slice::IterMut<'a, LastReading>,
}

impl Readings for Reset<'_> {
    fn take(&mut self, _: SeriesKey, read: impl FnOnce() -> Reading) {
        let Some(last) = self.last.next() else { return };
        match read() {
            Reading::Level { integral, .. } => last.part = last.part.wrapping_sub(integral),
            Reading::Share { part, whole, .. } => {
                last.part = last.part.wrapping_sub(part);
                last.whole = last.whole.wrapping_sub(whole);
            }
            // Counters go on.
            Reading::Count(_) | Reading::Value(_) | Reading::OfWindow(_) => {}
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, as wanted")]
fn intervals(end: SimTime, series: u64) -> u64 {
    let wanted = ((end.as_seconds() * INTERVALS_A_SECOND) as u64).clamp(INTERVALS, MAX_INTERVALS);
    (MAX_VALUES / series.max(1)).clamp(MIN_INTERVALS, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::NodeKind;
    use crate::model::metric::{QUEUE_DEPTH, UTILIZATION};

    static PLOT: PlotSpec = PlotSpec { id: "plot", section: "", title: "", caption: "" };
    const SHOWN: MetricDisplay = MetricDisplay { label: "", plot: &PLOT, share_of: None };

    fn node(row: u32) -> Node {
        Node::new(NodeKind::ALL[NodeKind::COUNT - 1], row)
    }

    fn key(subject: Subject, metric: &'static Metric) -> SeriesKey {
        SeriesKey { subject, metric, shown: SHOWN }
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
    fn series_are_found_by_what_they_are_and_averaged_interval_by_interval() {
        let timeline = timeline(&[[0.0, 1.0, 0.5], [1.0, 1.0, 0.0]]);
        let mean = |rows: &[u32]| {
            timeline.mean_over(&QUEUE_DEPTH, &rows.iter().map(|&row| node(row)).collect::<Vec<_>>())
        };
        assert_eq!((mean(&[0, 1]), mean(&[2]), mean(&[])), (vec![0.5, 1.0], vec![0.5, 0.0], vec![]));
        assert_eq!(mean(&[3]), [] as [f32; 0]);
        let find = |subject, metric| timeline.find(subject, metric).map(Iterator::collect::<Vec<_>>);
        assert_eq!(find(Subject::Node(node(1)), &QUEUE_DEPTH), Some(vec![1.0, 1.0]));
        assert_eq!(find(Subject::Link(0), &UTILIZATION), Some(vec![7.0, 7.0]));
        assert_eq!(find(Subject::Node(node(1)), &PERCEIVED_LOAD), None);
    }

    #[test]
    fn the_width_of_intervals_suits_the_run() {
        let of = |seconds: u64, series| intervals(SimTime::from_nanos(seconds * 1_000_000_000), series);
        assert_eq!((of(65, 40), of(600, 10), of(86_400, 10)), (1200, 2400, 4096));
        assert_eq!((of(40, 6_000), of(40, 60_000)), (100, 60));
    }

    const NANOS: f64 = 2e9;

    #[test]
    fn a_value_is_what_has_grown_since_the_last_reading() {
        let mut last = [LastReading::default(); 4];
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
    fn an_interval_in_which_sums_begin_anew_is_whole() {
        let mut last = [LastReading::default(); 2];
        let key = key(Subject::Link(0), &UTILIZATION);
        let mut reset = Reset { last: last.iter_mut() };
        reset.take(key, || Reading::Level { integral: 6, now: 0.0 });
        reset.take(key, || Reading::Share { part: 6, whole: 12, now: 0.0 });
        let mut values = Vec::new();
        let mut after = Interval { last: last.iter_mut(), values: &mut values, nanos: 10.0, window: true };
        after.take(key, || Reading::Level { integral: 4, now: 0.0 });
        after.take(key, || Reading::Share { part: 4, whole: 8, now: 0.0 });
        assert_eq!(values, [1.0, 0.5], "6 before the restart and 4 after it, over 10 and of 20");
    }
}
