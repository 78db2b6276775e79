//! Metrics: what parts measure of themselves in every run, and what probes sample.
//!
//! A [`Metric`] is known by where it is declared, not by a string: who looks for one names that item, and two of the same
//! name are two. Each part lists its metrics once ([`Measurable::MEASURED`]); the timeline records by that list, plots are laid
//! out by it, and the gauges of probes are found in it. Metrics that several parts have, or that conclusions are drawn from,
//! are declared here.

use serde::{Deserialize, Serialize};

use crate::engine::row::Row;
use crate::engine::statistics::TimeWeighted;
use crate::engine::time::SimTime;
use crate::event::{Node, NodeRange};

/// Something that can be measured over time.
#[derive(Debug)]
pub struct Metric {
    /// Its name, as in `series.csv`.
    pub name: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// Its name among the `gauges` of a probe; nothing if probes do not sample it.
    pub gauge: Option<&'static str>,
}

impl Metric {
    /// A metric that probes can sample.
    #[must_use]
    pub const fn new(name: &'static str, unit: Unit, gauge: &'static str) -> Self {
        Self { name, unit, gauge: Some(gauge) }
    }

    /// A metric that probes do not sample.
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

/// Requests that came. At a source: that were created.
pub static ARRIVAL_RATE: Metric = Metric::new("arrival_rate", Unit::PerSecond, "ArrivalRate");
/// Requests that were completed. At a client: responses that came back.
pub static COMPLETION_RATE: Metric = Metric::new("completion_rate", Unit::PerSecond, "CompletionRate");
/// Requests that were rejected.
pub static REJECTION_RATE: Metric = Metric::new("rejection_rate", Unit::PerSecond, "RejectionRate");
/// Requests that were turned away on purpose.
pub static SHED_RATE: Metric = Metric::new("shed_rate", Unit::PerSecond, "ShedRate");
/// Requests that wait.
pub static QUEUE_DEPTH: Metric = Metric::new("queue_depth", Unit::Count, "QueueDepth");
/// Requests in service; of a source those under way.
pub static IN_FLIGHT: Metric = Metric::new("in_flight", Unit::Count, "InFlight");
/// The share of slots in use.
pub static UTILIZATION: Metric = Metric::new("load", Unit::Share, "Load");
/// The share of slots of another node that a node takes to be in use, from what was reported to it.
pub static PERCEIVED_LOAD: Metric = Metric::new("perceived_load", Unit::Share, "PerceivedLoad");

/// Units of values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A number of things.
    #[default]
    Count,
    /// A share of a whole, from 0 to 1.
    Share,
    /// A time in seconds.
    Seconds,
    /// Things in a second.
    PerSecond,
}

/// A plot in which metrics that belong together are shown.
#[derive(Debug)]
pub struct PlotSpec {
    /// Its name in links and files.
    pub id: &'static str,
    /// The heading that it is found under.
    pub section: &'static str,
    /// Its own heading.
    pub title: &'static str,
    /// How its values came about; may be empty.
    pub caption: &'static str,
}

impl PartialEq for PlotSpec {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for PlotSpec {}

/// How the metric of a part is shown in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricDisplay {
    /// What tells it from others of the same part in its plot; may be empty.
    pub label: &'static str,
    /// The plot.
    pub plot: &'static PlotSpec,
    /// A rate that is shown as a share of this other rate of the same part.
    pub share_of: Option<&'static Metric>,
}

/// What an interval of the run makes of a metric is worked out from two readings of it: at its start and at its end.
#[derive(Clone, Copy, Debug)]
pub enum Reading {
    /// A level: its integral so far, in nanoseconds times its unit, and what it is now.
    Level {
        /// The integral.
        integral: u128,
        /// The level.
        now: f64,
    },
    /// A share of a whole that changes too: both integrals, and what the share is now.
    Share {
        /// The integral of the part.
        part: u128,
        /// The integral of the whole.
        whole: u128,
        /// The share.
        now: f64,
    },
    /// A counter, shown by its growth each second.
    Count(u64),
    /// What the part has worked out itself, as it is now.
    Value(Option<f64>),
    /// What the part has worked out for the window that ends now: what takes many samples, such as a percentile, is worked
    /// out once in some intervals.
    OfWindow(Option<f64>),
}

impl Reading {
    /// A level that is kept over time, at this moment.
    #[must_use]
    pub fn level(level: &TimeWeighted, now: SimTime) -> Self {
        Self::Level { integral: level.integral(now), now: level.level().into() }
    }
}

/// What has rows that can be measured: nodes of a kind, or links.
pub trait Measurable: Sized + 'static {
    /// The columns of all rows, borrowed for a tick.
    type View<'a>;

    /// All that is measured of a row.
    const MEASURED: &'static [MetricReader<Self>];

    /// How many rows there are.
    fn rows(view: &Self::View<'_>) -> usize;

    /// The metrics that every run records, in order.
    fn recorded() -> impl Iterator<Item = (&'static MetricReader<Self>, MetricDisplay)> {
        Self::MEASURED.iter().filter_map(|measured| measured.shown.map(|shown| (measured, shown)))
    }
}

/// Reads a metric of a row at a moment.
pub type ReadMetric<P> = for<'v, 'a> fn(&'v mut <P as Measurable>::View<'a>, Row<P>, SimTime) -> Reading;

/// A metric of a part: what it is, where it is shown, and how it is read.
pub struct MetricReader<P: Measurable> {
    /// The metric.
    pub metric: &'static Metric,
    /// Where it is shown; nothing if only probes look at it.
    pub shown: Option<MetricDisplay>,
    /// The rows that have it; all if it is not given. It never changes while a run goes on.
    pub of: Option<for<'v, 'a> fn(&'v P::View<'a>, Row<P>) -> bool>,
    /// How it is read.
    pub read: ReadMetric<P>,
}

impl<P: Measurable> MetricReader<P> {
    /// A metric that every run records and shows in a plot.
    #[must_use]
    pub const fn new(metric: &'static Metric, plot: &'static PlotSpec, read: ReadMetric<P>) -> Self {
        Self { metric, shown: Some(MetricDisplay { label: "", plot, share_of: None }), of: None, read }
    }

    /// A metric that is sampled only where a probe asks for it.
    #[must_use]
    pub const fn probed(metric: &'static Metric, read: ReadMetric<P>) -> Self {
        Self { metric, shown: None, of: None, read }
    }

    /// The same, recorded only of those rows for which `of` holds from the start of a run to its end.
    #[must_use]
    pub const fn only_of(mut self, of: for<'v, 'a> fn(&'v P::View<'a>, Row<P>) -> bool) -> Self {
        self.of = Some(of);
        self
    }

    /// The same with a label that tells it from others in its plot.
    #[must_use]
    pub const fn labelled(mut self, label: &'static str) -> Self {
        if let Some(shown) = &mut self.shown {
            shown.label = label;
        }
        self
    }

    /// The same, shown as a share of another metric of the same part, both of them rates.
    #[must_use]
    pub const fn as_share_of(mut self, whole: &'static Metric) -> Self {
        if let Some(shown) = &mut self.shown {
            shown.share_of = Some(whole);
        }
        self
    }
}

/// What a recorded series is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A node.
    Node(Node),
    /// The link in a row.
    Link(u32),
    /// What some nodes, on average, take the load of another one to be.
    Estimate {
        /// Those who estimate.
        by: NodeRange,
        /// The node whose load it is.
        of: Node,
    },
}

/// Names a recorded series: a metric of a subject, and how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesKey {
    /// Whose.
    pub subject: Subject,
    /// What.
    pub metric: &'static Metric,
    /// How it is shown.
    pub shown: MetricDisplay,
}

/// Takes the readings of a run, series by series. Whoever lays out the series and whoever fills them goes through the
/// parts by the same function, so both meet the same series in the same order.
pub trait Readings {
    /// The next series, and how it is read if it is wanted.
    fn take(&mut self, key: SeriesKey, read: impl FnOnce() -> Reading);
}

/// Takes the readings of all rows of a part.
pub fn record<P: Measurable>(
    view: &mut P::View<'_>,
    subject: impl Fn(u32) -> Subject,
    now: SimTime,
    readings: &mut impl Readings,
) {
    for row in (0..).take(P::rows(view)) {
        for (measured, shown) in P::recorded() {
            if measured.of.is_some_and(|of| !of(view, Row::new(row))) {
                continue;
            }
            let key = SeriesKey { subject: subject(row), metric: measured.metric, shown };
            readings.take(key, || (measured.read)(view, Row::new(row), now));
        }
    }
}

/// A limit that a part sets to one of its metrics, or acts upon: a line in plots.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The metric.
    pub metric: &'static Metric,
    /// The node or group that sets it.
    pub owner: String,
    /// Where it lies.
    pub value: f64,
    /// What it means.
    pub meaning: &'static str,
}
