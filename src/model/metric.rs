//! Metrics: quantities of a part that are measured over time, in the timeline of every run or by probes.
//!
//! A [`Metric`] is identified by its declaration, not by its name: code refers to the `static` item, and two metrics of
//! the same name are different. Each part lists its metrics ([`Measurable::MEASURED`]); this list defines the series of
//! the timeline, their plots and the gauges of probes. Metrics that several parts have, or that the analysis uses, are
//! declared here.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::engine::row::Row;
use crate::engine::statistics::TimeWeighted;
use crate::engine::time::SimTime;
use crate::event::{Node, NodeRange};

/// The definition of a metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name, as in `series.csv`.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// Its name among the `gauges` of a probe, or `None` if probes cannot sample it.
    pub gauge: Option<&'static str>,
}

impl Metric {
    /// A metric that probes can sample.
    #[must_use]
    pub const fn new(name: &'static str, unit: Unit, gauge: &'static str) -> Self {
        Self { name, unit, gauge: Some(gauge) }
    }

    /// A metric that probes cannot sample.
    #[must_use]
    pub const fn unprobed(name: &'static str, unit: Unit) -> Self {
        Self { name, unit, gauge: None }
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Metric {}

/// Requests that arrived per second. At a source: requests created per second.
pub static ARRIVAL_RATE: Metric = Metric::new("arrival_rate", Unit::PerSecond, "ArrivalRate");
/// Requests completed per second. At a client: responses per second, including those of failed requests.
pub static COMPLETION_RATE: Metric = Metric::new("completion_rate", Unit::PerSecond, "CompletionRate");
/// Requests rejected per second.
pub static REJECTION_RATE: Metric = Metric::new("rejection_rate", Unit::PerSecond, "RejectionRate");
/// Requests shed per second.
pub static SHED_RATE: Metric = Metric::new("shed_rate", Unit::PerSecond, "ShedRate");
/// Number of waiting requests.
pub static QUEUE_DEPTH: Metric = Metric::new("queue_depth", Unit::Count, "QueueDepth");
/// Number of requests in service. At a source: number of its requests in flight.
pub static IN_FLIGHT: Metric = Metric::new("in_flight", Unit::Count, "InFlight");
/// Share of slots that are busy.
pub static UTILIZATION: Metric = Metric::new("load", Unit::Share, "Load");
/// Share of a resource of a node that is in use.
pub static RESOURCE_LOAD: Metric = Metric::unprobed("resource_load", Unit::Share);
/// Number of requests that wait for a resource of a node.
pub static RESOURCE_QUEUE: Metric = Metric::unprobed("resource_queue", Unit::Count);
/// A node's estimate of the load of another node, from the loads reported to it.
pub static PERCEIVED_LOAD: Metric = Metric::new("perceived_load", Unit::Share, "PerceivedLoad");

/// The unit of a metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A number of items.
    #[default]
    Count,
    /// A share of a whole, from 0 to 1.
    Share,
    /// A duration in seconds.
    Seconds,
    /// Items per second.
    PerSecond,
}

/// The definition of a plot, which shows one or more related metrics.
#[derive(Debug)]
pub struct PlotSpec {
    /// Its name in links and file names.
    pub id: &'static str,
    /// The heading of its section.
    pub section: &'static str,
    /// Its own heading.
    pub title: &'static str,
    /// An explanation of its values; may be empty.
    pub caption: &'static str,
}

impl PartialEq for PlotSpec {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for PlotSpec {}

/// How a metric of a part is plotted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricDisplay {
    /// Its label, which distinguishes several metrics of a part in one plot; may be empty.
    pub label: &'static str,
    /// The plot.
    pub plot: &'static PlotSpec,
    /// If it is a rate that is plotted as a share: the rate that it is divided by, of the same part.
    pub share_of: Option<&'static Metric>,
    /// Whether the sum over the members of a group is plotted, instead of each member.
    pub is_summed: bool,
}

/// A reading of a metric. The value of an interval is computed from two readings, at its start and at its end.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// A level, such as a number of waiting requests.
    Level {
        /// The integral of the level so far, in nanoseconds times its unit.
        integral: u128,
        /// The current level.
        now: f64,
    },
    /// A share of a whole that varies as well.
    Share {
        /// The integral of the part.
        part: u128,
        /// The integral of the whole.
        whole: u128,
        /// The current share.
        now: f64,
    },
    /// A counter, which is shown as a rate per second.
    Count(u64),
    /// A value that the part computes itself, at this moment, or `None` if there is none.
    Value(Option<f64>),
    /// A value that the part computes for the window that ends now, or `None` if there is none. Metrics that need many
    /// samples, such as percentiles, are computed once per window of several intervals.
    OfWindow(Option<f64>),
}

impl Reading {
    /// The current value; `None` for counters, and if there is none.
    #[must_use]
    pub const fn now(self) -> Option<f64> {
        match self {
            Self::Level { now, .. } | Self::Share { now, .. } => Some(now),
            Self::Value(value) | Self::OfWindow(value) => value,
            Self::Count(_) => None,
        }
    }

    /// The reading of a time-weighted level at `now`.
    #[must_use]
    pub fn level(level: &TimeWeighted, now: SimTime) -> Self {
        Self::Level { integral: level.integral(now), now: level.level().into() }
    }
}

/// What grows with time in a reading: an integral or a count, and the integral of the whole if it is a share. Two of them, at
/// the start and at the end of an interval, give its value.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadingSums {
    part: u128,
    whole: u128,
}

impl ReadingSums {
    fn of(reading: Reading) -> Self {
        match reading {
            Reading::Level { integral, .. } => Self { part: integral, whole: 0 },
            Reading::Share { part, whole, .. } => Self { part, whole },
            Reading::Count(count) => Self { part: count.into(), whole: 0 },
            Reading::Value(_) | Reading::OfWindow(_) => Self::default(),
        }
    }

    /// Replaces the sums by those of the reading at the end of an interval. Returns by how much the part and the whole have
    /// grown in it.
    #[inline]
    pub fn advance(&mut self, reading: Reading) -> [f64; 2] {
        let Self { part, whole } = std::mem::replace(self, Self::of(reading));
        [self.part.wrapping_sub(part), self.whole.wrapping_sub(whole)].map(nearest_float)
    }

    /// Prepares for the reset of statistics at the end of the warm-up, which sets integrals to 0 but no count: subtracts the
    /// integral so far, so that the next difference still covers the whole interval.
    pub fn before_reset(&mut self, reading: Reading) {
        if let Reading::Level { .. } | Reading::Share { .. } = reading {
            let Self { part, whole } = Self::of(reading);
            *self = Self { part: self.part.wrapping_sub(part), whole: self.whole.wrapping_sub(whole) };
        }
    }
}

/// The nearest float. Nearly all sums of an interval fit 64 bits, whose conversion is an instruction.
#[expect(clippy::cast_precision_loss, reason = "53 bits are plenty for plots and decisions")]
fn nearest_float(sum: u128) -> f64 {
    u64::try_from(sum).map_or(sum as f64, |sum| sum as f64)
}

/// A kind of entity with metrics: a node kind, or links.
pub trait Measurable: Sized + 'static {
    /// The columns of all rows, borrowed for a tick.
    type View<'a>;

    /// All metrics of a row.
    const MEASURED: &'static [MetricReader<Self>];

    /// How the resources of a row are read, or `None` if it has none.
    const RESOURCES: Option<ResourceReader<Self>> = None;

    /// Number of rows.
    fn rows(view: &Self::View<'_>) -> usize;

    /// The index of a metric, or `None` if rows do not have it.
    #[must_use]
    fn index_of(metric: &Metric) -> Option<usize> {
        Self::MEASURED.iter().position(|reader| reader.metric == metric)
    }

    /// The metrics that every run records, in order, and how they are plotted.
    fn recorded() -> impl Iterator<Item = (&'static MetricReader<Self>, &'static MetricDisplay)> {
        Self::MEASURED.iter().filter_map(|reader| reader.shown.as_ref().map(|shown| (reader, shown)))
    }
}

/// Function that reads a metric of a row.
pub type ReadMetric<P> = for<'v, 'a> fn(&'v mut <P as Measurable>::View<'a>, Row<P>, SimTime) -> Reading;

/// A metric of a part, how it is plotted, and the function that reads it.
pub struct MetricReader<P: Measurable> {
    /// The metric.
    pub metric: &'static Metric,
    /// How it is plotted, or `None` if only probes sample it.
    pub shown: Option<MetricDisplay>,
    /// Whether a row has it, or `None` if every row does. The result must not change during a run.
    pub filter: Option<for<'v, 'a> fn(&'v P::View<'a>, Row<P>) -> bool>,
    /// The function that reads it.
    pub read: ReadMetric<P>,
}

/// How the metrics of the resources of a row are read and plotted: [`RESOURCE_LOAD`] and [`RESOURCE_QUEUE`].
pub struct ResourceReader<P: Measurable> {
    /// The indices of the resources of a row that have series of their own. Those before them are measured by metrics of
    /// the row. They do not change during a run.
    pub measured: for<'v, 'a> fn(&'v P::View<'a>, Row<P>) -> Range<u16>,
    /// How their load is plotted.
    pub load_shown: &'static MetricDisplay,
    /// The function that reads the load of one of them.
    pub load: ReadResource<P>,
    /// How their queue is plotted.
    pub queue_shown: &'static MetricDisplay,
    /// The function that reads the queue of one of them.
    pub queue: ReadResource<P>,
}

/// Function that reads a metric of the resource of a row with this index.
pub type ReadResource<P> = for<'v, 'a> fn(&'v <P as Measurable>::View<'a>, Row<P>, u16, SimTime) -> Reading;

impl<P: Measurable> MetricReader<P> {
    /// A metric that every run records and plots.
    #[must_use]
    pub const fn new(metric: &'static Metric, plot: &'static PlotSpec, read: ReadMetric<P>) -> Self {
        Self {
            metric,
            shown: Some(MetricDisplay { label: "", plot, share_of: None, is_summed: false }),
            filter: None,
            read,
        }
    }

    /// A metric that only probes sample.
    #[must_use]
    pub const fn probed(metric: &'static Metric, read: ReadMetric<P>) -> Self {
        Self { metric, shown: None, filter: None, read }
    }

    /// Restricts it to the rows for which `filter` returns true, throughout a run.
    #[must_use]
    pub const fn only_where(mut self, filter: for<'v, 'a> fn(&'v P::View<'a>, Row<P>) -> bool) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Sets its label, which distinguishes it from other metrics in its plot.
    #[must_use]
    pub const fn labelled(mut self, label: &'static str) -> Self {
        if let Some(shown) = &mut self.shown {
            shown.label = label;
        }
        self
    }

    /// Plots its sum over the members of a group, instead of each member.
    #[must_use]
    pub const fn summed(mut self) -> Self {
        if let Some(shown) = &mut self.shown {
            shown.is_summed = true;
        }
        self
    }

    /// Plots it as a share of another metric of the same part. Both are rates.
    #[must_use]
    pub const fn as_share_of(mut self, whole: &'static Metric) -> Self {
        if let Some(shown) = &mut self.shown {
            shown.share_of = Some(whole);
        }
        self
    }
}

/// The subject of a recorded series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A node.
    Node(Node),
    /// A resource of a node.
    Resource {
        /// The node.
        node: Node,
        /// Index of the resource, in the order of [`Names::resources`](crate::model::names::Names::resources).
        resource: u16,
    },
    /// The link in a row.
    Link(u32),
    /// A direction of a link with a bandwidth: the number of a [`LineId`](crate::model::link::LineId).
    Line(u32),
    /// The mean load of a node as perceived by others.
    Estimate {
        /// The nodes that estimate the load.
        by: NodeRange,
        /// The node whose load is estimated.
        of: Node,
    },
}

/// The key of a recorded series: a metric of a subject, and how it is plotted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesKey {
    /// The subject.
    pub subject: Subject,
    /// The metric.
    pub metric: &'static Metric,
    /// How it is plotted.
    pub shown: &'static MetricDisplay,
}

/// Receives the readings of a run, series by series. The timeline is laid out and filled by the same traversal of the
/// parts, so the order of the series is the same in both.
pub trait Readings {
    /// Receives the next series. `read` reads its metric, if the receiver needs the value.
    fn take(&mut self, key: SeriesKey, read: impl FnOnce() -> Reading);
}

/// Passes the recorded metrics of all rows of a part, and of their resources, to `readings`.
pub fn record<P: Measurable>(
    view: &mut P::View<'_>,
    subject: impl Fn(u32) -> Subject,
    now: SimTime,
    readings: &mut impl Readings,
) {
    for row in (0..).take(P::rows(view)) {
        for (reader, shown) in P::recorded() {
            if reader.filter.is_some_and(|filter| !filter(view, Row::new(row))) {
                continue;
            }
            let key = SeriesKey { subject: subject(row), metric: reader.metric, shown };
            readings.take(key, || (reader.read)(view, Row::new(row), now));
        }
        if let (Some(reader), Subject::Node(node)) = (P::RESOURCES, subject(row)) {
            let row = Row::new(row);
            for resource in (reader.measured)(view, row) {
                let subject = Subject::Resource { node, resource };
                let key = SeriesKey { subject, metric: &RESOURCE_LOAD, shown: reader.load_shown };
                readings.take(key, || (reader.load)(view, row, resource, now));
                let key = SeriesKey { subject, metric: &RESOURCE_QUEUE, shown: reader.queue_shown };
                readings.take(key, || (reader.queue)(view, row, resource, now));
            }
        }
    }
}

/// For each resource of a row, the share that is in use now, and the number of requests that wait for it.
pub fn resource_levels<P: Measurable>(view: &P::View<'_>, row: Row<P>, now: SimTime) -> Vec<[f64; 2]> {
    let Some(reader) = P::RESOURCES else { return Vec::new() };
    let level = |read: ReadResource<P>, resource| read(view, row, resource, now).now().unwrap_or(0.0);
    let levels = |resource| [level(reader.load, resource), level(reader.queue, resource)];
    (0..(reader.measured)(view, row).end).map(levels).collect()
}

/// A threshold of a metric, which plots show as a horizontal line.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The metric.
    pub metric: &'static Metric,
    /// The node or group that has this threshold.
    pub owner: String,
    /// The value of the metric.
    pub value: f64,
    /// What it means if the metric reaches it.
    pub meaning: &'static str,
}
