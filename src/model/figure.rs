//! Figures: statistics of a part over a run, or the part of it simulated so far, without the warm-up.
//!
//! A [`Figure`] is described as data: its name, how the values of the members of a group are aggregated, and the value
//! that is worth a warning. Like a metric, it is identified by its declaration, not by its name. Each part lists its
//! figures ([`Part::FIGURES`](super::part::Part::FIGURES)); summaries, reports and the inspector iterate over this
//! list. Figures that several parts have, or that the analysis uses, are declared here.

use crate::engine::row::Row;
use crate::engine::statistics::Tally;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::model::metric::{Measurable, Metric, REJECTION_RATE};
use crate::request::Outcome;

/// The definition of a figure.
#[derive(Debug)]
pub struct Figure {
    /// Its name in `summary.json`.
    pub name: &'static str,
    /// Its name in texts.
    pub label: &'static str,
    /// How the values of several nodes are aggregated.
    pub combined: Aggregation,
    /// When summaries and the inspector show it.
    pub written: Visibility,
    /// The minimum value that is worth a warning, or `None` if no value is.
    pub warns_from: Option<f64>,
    /// If it counts failed requests: which ones.
    pub failure: Option<Failures>,
    /// Whether its value is a time in seconds.
    pub is_seconds: bool,
}

/// The failed requests that a figure counts.
#[derive(Clone, Copy, Debug)]
pub struct Failures {
    /// Their outcome.
    pub outcome: Outcome,
    /// The metric of their rate.
    pub rate: &'static Metric,
    /// The figure that counts the requests of which these are a part.
    pub of: &'static Figure,
}

/// How the values of several nodes are aggregated.
#[derive(Clone, Copy, Debug)]
pub enum Aggregation {
    /// Their sum.
    Sum,
    /// Their mean over the nodes.
    Mean,
    /// Their maximum.
    Max,
    /// The union of sets of times, or of tables.
    Merge,
    /// The ratio of two other figures, both for a single node and for the aggregated values of several.
    Ratio(&'static Figure, &'static Figure),
}

/// When summaries and the inspector show a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Always.
    Always,
    /// If it is not 0.
    NotZero,
    /// Never: it is used only by ratios and by the analysis.
    Never,
}

impl Figure {
    /// A figure that is summed over the members of a group and always shown.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            combined: Aggregation::Sum,
            written: Visibility::Always,
            warns_from: None,
            failure: None,
            is_seconds: false,
        }
    }

    /// Marks its value as a time in seconds.
    #[must_use]
    pub const fn in_seconds(self) -> Self {
        Self { is_seconds: true, ..self }
    }

    /// Sets the aggregation.
    #[must_use]
    pub const fn combined(self, combined: Aggregation) -> Self {
        Self { combined, ..self }
    }

    /// Sets when it is shown.
    #[must_use]
    pub const fn written(self, written: Visibility) -> Self {
        Self { written, ..self }
    }

    /// Sets the minimum value that is worth a warning.
    #[must_use]
    pub const fn warns_from(self, value: f64) -> Self {
        Self { warns_from: Some(value), ..self }
    }

    /// Marks it as a count of failed requests. One failure is worth a warning.
    #[must_use]
    pub const fn counting_failures(self, failures: Failures) -> Self {
        Self { failure: Some(failures), warns_from: Some(1.0), ..self }
    }
}

impl Failures {
    /// Rejected requests, of those that `of` counts.
    #[must_use]
    pub const fn rejections(of: &'static Figure) -> Self {
        Self { outcome: Outcome::Rejected, rate: &REJECTION_RATE, of }
    }
}

impl PartialEq for Figure {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Figure {}

/// Requests that arrived.
pub static ARRIVED: Figure = Figure::new("arrived", "arrived");
/// Requests whose service is complete.
pub static COMPLETED: Figure = Figure::new("completed", "served");
/// Requests that were rejected, because the queue was full or the node was down.
pub static REJECTED: Figure =
    Figure::new("rejected", "rejected").counting_failures(Failures::rejections(&ARRIVED));
/// Requests that were rejected because the node was down or not there.
pub static REJECTED_WHILE_DOWN: Figure =
    Figure::new("rejected_while_down", "rejected while down").written(Visibility::Never);
/// Configured number of slots at the end of the run.
pub static CONCURRENCY: Figure = Figure::new("concurrency", "slots");
/// Mean number of available slots, which is 0 while the node is down or not there.
pub static SLOTS_MEAN: Figure = Figure::new("slots_mean", "slots on average").written(Visibility::Never);
/// Mean number of requests in service.
pub static IN_SERVICE_MEAN: Figure = Figure::new("in_service_mean", "in service on average");
/// Maximum number of requests in service, if the number of slots is limited.
pub static IN_SERVICE_MAX: Figure =
    Figure::new("in_service_max", "in service at most").combined(Aggregation::Max).written(Visibility::Never);
/// Mean share of slots that are busy (0 to 1).
pub static UTILIZATION: Figure = Figure::new("utilization", "utilization")
    .combined(Aggregation::Ratio(&IN_SERVICE_MEAN, &SLOTS_MEAN))
    .warns_from(0.9);
/// Mean number of waiting requests.
pub static QUEUE_DEPTH_MEAN: Figure =
    Figure::new("queue_depth_mean", "mean queue").combined(Aggregation::Mean);
/// Maximum number of waiting requests.
pub static QUEUE_DEPTH_MAX: Figure = Figure::new("queue_depth_max", "max queue").combined(Aggregation::Max);
/// Waiting times in the queue; 0 for requests that did not wait.
pub static WAIT: Figure = Figure::new("wait", "wait").combined(Aggregation::Merge);
/// Service times.
pub static SERVICE: Figure = Figure::new("service", "service").combined(Aggregation::Merge);
/// 1 if the capacity does not follow from slots and service time, because requests take several slots.
pub static IS_WEIGHTED: Figure = Figure::new("weighted", "weighted").written(Visibility::Never);

/// How long a node waited for calls, with slots held, until they came back or it gave them up.
pub static CALL_TIME: Figure = Figure::new("call_time", "call time").combined(Aggregation::Merge);

/// The resources of a node by name: slots, cores, memory, pools.
pub static RESOURCES: Figure = Figure::new("resources", "resources").combined(Aggregation::Merge);
/// How much of a resource there is: slots, cores, bytes, or places.
pub static CAPACITY: Figure = Figure::new("capacity", "capacity");
/// How many requests can use a resource at the same time: its capacity by the mean amount that a request takes.
pub static PARALLEL: Figure = Figure::new("parallel", "in parallel").written(Visibility::Never);
/// How much of a resource was in use on average.
pub static IN_USE_MEAN: Figure = Figure::new("in_use_mean", "in use on average");
/// How much of a resource was in use at most.
pub static IN_USE_MAX: Figure = Figure::new("in_use_max", "in use at most").combined(Aggregation::Max);
/// Share of a resource that was in use on average (0 to 1).
pub static IN_USE: Figure = Figure::new("utilization", "utilization")
    .combined(Aggregation::Ratio(&IN_USE_MEAN, &CAPACITY))
    .warns_from(0.9);
/// Relative variance of the time for which a request uses a resource; may be infinite.
pub static USE_VARIANCE: Figure = Figure::new("use_variance", "relative variance of use")
    .combined(Aggregation::Max)
    .written(Visibility::Never);
/// Mean number of requests that waited for a resource.
pub static WAITING_MEAN: Figure = Figure::new("waiting_mean", "mean queue").combined(Aggregation::Mean);
/// Maximum number of requests that waited for a resource.
pub static WAITING_MAX: Figure = Figure::new("waiting_max", "max queue").combined(Aggregation::Max);

/// The period that figures cover.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Its end.
    pub now: SimTime,
    /// Its length, from the end of the warm-up.
    pub elapsed: SimDuration,
}

/// The value of a figure of one node.
#[derive(Debug)]
pub enum Value<'v> {
    /// A count.
    Count(u64),
    /// A mean over time, or `None` if no time has elapsed.
    Mean(Option<f64>),
    /// A set of times in nanoseconds.
    Times(&'v mut Tally),
    /// A count per node.
    Table(Vec<(Node, u64)>),
    /// Figures of several things by name, such as resources.
    Rows(Vec<(String, FigureRow<'v>)>),
}

/// The figures of a thing inside a node. Those without a value are ratios of others.
pub type FigureRow<'v> = Vec<(&'static Figure, Option<Value<'v>>)>;

/// Function that reads a figure of a row.
pub type ReadFigure<P> = for<'v, 'a> fn(&'v mut <P as Measurable>::View<'a>, Row<P>, Span) -> Value<'v>;

/// A figure of a part, and the function that reads it.
pub struct FigureReader<P: Measurable> {
    /// The figure.
    pub figure: &'static Figure,
    /// The function that reads it, or `None` if it is a ratio of other figures.
    pub read: Option<ReadFigure<P>>,
    /// Whether a row has the figure. All members of a group have the same figures.
    pub filter: for<'v, 'a> fn(&'v P::View<'a>, Row<P>) -> bool,
}

impl<P: Measurable> FigureReader<P> {
    /// Restricts the figure to rows for which `filter` holds, and which have it in common with all members of their
    /// group.
    #[must_use]
    pub const fn only_where(self, filter: for<'v, 'a> fn(&'v P::View<'a>, Row<P>) -> bool) -> Self {
        Self { filter, ..self }
    }

    /// A figure that `read` reads.
    #[must_use]
    pub const fn new(figure: &'static Figure, read: ReadFigure<P>) -> Self {
        Self { figure, read: Some(read), filter: |_, _| true }
    }

    /// A figure that is a ratio of other figures.
    #[must_use]
    pub const fn ratio(figure: &'static Figure) -> Self {
        Self { figure, read: None, filter: |_, _| true }
    }
}

/// A column in a table of nodes of one kind.
#[derive(Clone, Copy, Debug)]
pub struct FigureColumn {
    /// The heading.
    pub head: &'static str,
    /// The figure.
    pub figure: &'static Figure,
    /// The statistic or notation in which it is shown.
    pub aspect: Aspect,
}

/// The statistic or notation in which a figure is shown.
#[derive(Clone, Copy, Debug)]
pub enum Aspect {
    /// The number itself.
    Number,
    /// The number as a percentage.
    Percent,
    /// The mean of a set of times.
    Mean,
    /// The median of a set of times.
    P50,
    /// The 99th percentile of a set of times.
    P99,
    /// The number, which is in seconds, as a time.
    Seconds,
    /// The number as a share of another figure.
    ShareOf(&'static Figure),
}

impl FigureColumn {
    /// A column that shows the number itself.
    #[must_use]
    pub const fn new(head: &'static str, figure: &'static Figure) -> Self {
        Self { head, figure, aspect: Aspect::Number }
    }

    /// A column that shows this aspect of the figure.
    #[must_use]
    pub const fn of(head: &'static str, figure: &'static Figure, aspect: Aspect) -> Self {
        Self { head, figure, aspect }
    }
}
