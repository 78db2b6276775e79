//! Figures: what a part has come to when a run, or a part of it, is over.
//!
//! A figure is described as data: its name, its unit, how the figures of the members of a group become one, what is worth a
//! warning. As a metric is, it is known by where it is declared, not by its name. Each part lists its figures once
//! ([`Part::FIGURES`](super::part::Part::FIGURES)), and summaries, reports and the inspector go through the list. Figures
//! that conclusions are drawn from are declared here, whatever part has them.

use crate::engine::row::Row;
use crate::engine::statistics::Tally;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::model::metric::{Measurable, Metric, REJECTION_RATE};
use crate::request::Outcome;

/// A figure: what it is and how it is treated.
#[derive(Debug)]
pub struct Figure {
    /// Its name in `summary.json`.
    pub name: &'static str,
    /// What people read.
    pub label: &'static str,
    /// How the figures of several nodes become that of all of them.
    pub combined: Aggregation,
    /// Where it is written.
    pub written: Visibility,
    /// What its values are worth a warning from on.
    pub warns_from: Option<f64>,
    /// If it counts requests that did not get through: how they ended, and the metric that tells how many each second.
    pub turned_away: Option<(Outcome, &'static Metric)>,
}

/// How the figures of several nodes become one.
#[derive(Clone, Copy, Debug)]
pub enum Aggregation {
    /// They are added up.
    Sum,
    /// Their mean: that of the average node.
    Mean,
    /// The largest of them.
    Max,
    /// Sets of times and tables are thrown together.
    Merge,
    /// It is the ratio of two other figures, of one node as of several.
    Ratio(&'static Figure, &'static Figure),
}

/// Where a figure is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// In every summary.
    Always,
    /// Where it is not 0.
    NotZero,
    /// Nowhere: others are made of it, and conclusions are drawn from it.
    Never,
}

impl Figure {
    /// A figure of this name that is added up over the members of a group.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            combined: Aggregation::Sum,
            written: Visibility::Always,
            warns_from: None,
            turned_away: None,
        }
    }

    /// The same, combined otherwise.
    #[must_use]
    pub const fn combined(self, combined: Aggregation) -> Self {
        Self { combined, ..self }
    }

    /// The same, written elsewhere.
    #[must_use]
    pub const fn written(self, written: Visibility) -> Self {
        Self { written, ..self }
    }

    /// The same, with a value from which on it is worth a warning.
    #[must_use]
    pub const fn warns_from(self, value: f64) -> Self {
        Self { warns_from: Some(value), ..self }
    }

    /// The same: it counts requests that came to this end here, so many each second as the metric tells.
    #[must_use]
    pub const fn turning_away(self, outcome: Outcome, rate: &'static Metric) -> Self {
        Self { turned_away: Some((outcome, rate)), warns_from: Some(1.0), ..self }
    }
}

impl PartialEq for Figure {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Figure {}

/// Requests that came.
pub static ARRIVED: Figure = Figure::new("arrived", "arrived");
/// Requests that were served to their end.
pub static COMPLETED: Figure = Figure::new("completed", "served");
/// Requests that found no room.
pub static REJECTED: Figure =
    Figure::new("rejected", "rejected").turning_away(Outcome::Rejected, &REJECTION_RATE);
/// Those of them that were rejected because the node was down.
pub static REJECTED_WHILE_DOWN: Figure =
    Figure::new("rejected_while_down", "rejected while down").written(Visibility::Never);
/// Slots, as many as are set up at the end.
pub static CONCURRENCY: Figure = Figure::new("concurrency", "slots");
/// Mean number of slots that were offered: none while the node is down.
pub static SLOTS_MEAN: Figure = Figure::new("slots_mean", "slots on average").written(Visibility::Never);
/// Mean number of requests in service.
pub static IN_FLIGHT_MEAN: Figure = Figure::new("in_flight_mean", "in service on average");
/// Mean share of the slots in use (0 to 1).
pub static UTILIZATION: Figure = Figure::new("utilization", "utilization")
    .combined(Aggregation::Ratio(&IN_FLIGHT_MEAN, &SLOTS_MEAN))
    .warns_from(0.9);
/// Mean number of requests that wait.
pub static QUEUE_DEPTH_MEAN: Figure =
    Figure::new("queue_depth_mean", "mean queue").combined(Aggregation::Mean);
/// Most requests that waited at the same time.
pub static QUEUE_DEPTH_MAX: Figure = Figure::new("queue_depth_max", "max queue").combined(Aggregation::Max);
/// Times in the queue, zero for those that did not wait.
pub static WAIT: Figure = Figure::new("wait", "wait").combined(Aggregation::Merge);
/// Times in service.
pub static SERVICE: Figure = Figure::new("service", "service").combined(Aggregation::Merge);

/// The time over which figures are taken.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Its end.
    pub now: SimTime,
    /// Its length: from the end of the warm-up on.
    pub elapsed: SimDuration,
}

/// What a figure has come to, where it lies.
#[derive(Debug)]
pub enum Value<'v> {
    /// A number of things.
    Count(u64),
    /// A mean over time; nothing over no time.
    Mean(Option<f64>),
    /// Times in nanoseconds.
    Times(&'v mut Tally),
    /// A number for each of some nodes.
    Table(Vec<(Node, u64)>),
}

/// Reads a figure of a row.
pub type ReadFigure<P> = for<'v, 'a> fn(&'v mut <P as Measurable>::View<'a>, Row<P>, Span) -> Value<'v>;

/// A figure of a part and how it is read; nothing where it is a ratio of others.
pub struct FigureReader<P: Measurable> {
    /// The figure.
    pub figure: &'static Figure,
    /// How it is read.
    pub read: Option<ReadFigure<P>>,
}

impl<P: Measurable> FigureReader<P> {
    /// A figure that is read like this.
    #[must_use]
    pub const fn new(figure: &'static Figure, read: ReadFigure<P>) -> Self {
        Self { figure, read: Some(read) }
    }

    /// A figure that is a ratio of others.
    #[must_use]
    pub const fn ratio(figure: &'static Figure) -> Self {
        Self { figure, read: None }
    }
}

/// A column of a table of nodes of a kind.
#[derive(Clone, Copy, Debug)]
pub struct FigureColumn {
    /// What stands over it.
    pub head: &'static str,
    /// The figure.
    pub figure: &'static Figure,
    /// What of it.
    pub aspect: Aspect,
}

/// What is shown of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Aspect {
    /// The number itself.
    Number,
    /// The number as a percentage.
    Percent,
    /// Of a set of times their mean.
    Mean,
    /// Of a set of times their median.
    P50,
    /// Of a set of times what 99 % are no longer than.
    P99,
    /// The number as a share of another one.
    ShareOf(&'static Figure),
}

impl FigureColumn {
    /// A column that shows the number itself.
    #[must_use]
    pub const fn new(head: &'static str, figure: &'static Figure) -> Self {
        Self { head, figure, aspect: Aspect::Number }
    }

    /// The same, showing this of it.
    #[must_use]
    pub const fn of(head: &'static str, figure: &'static Figure, aspect: Aspect) -> Self {
        Self { head, figure, aspect }
    }
}
