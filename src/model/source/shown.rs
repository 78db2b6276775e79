//! Metrics, figures and plots of a source.

use super::{Source, View};
use crate::engine::row::Row;
use crate::engine::time::nanos_to_seconds;
use crate::model::figure::{Figure, FigureReader, Value, Visibility};
use crate::model::metric::{
    ARRIVAL_RATE, COMPLETION_RATE, IN_FLIGHT, Measurable, Metric, MetricReader, PlotSpec, REJECTION_RATE,
    Reading, SHED_RATE, Unit,
};
use crate::model::part::Description;
use crate::request::Outcome;

pub(super) const DESCRIPTION: Description = Description {
    name: "source",
    title: "Sources",
    receives: false,
    reports_load: false,
    sheds: false,
    terminal: &[],
    report: &[],
    details: &[],
    ranked_by: &[],
};

static OFFERED: Figure = Figure::new("offered", "offered");
static IN_FLIGHT_NOW: Figure = Figure::new("in_flight", "in flight");
static COMPLETED: Figure = Figure::new("completed", "completed");
static REJECTED: Figure = Figure::new("rejected", "rejected").written(Visibility::NotZero);
static OTHER_FAILURES: Figure = Figure::new("other_failures", "other failures").written(Visibility::NotZero);

/// Figures of a source that are shown during a run. At the end of a run, outcomes are reported for all sources
/// together.
pub(super) const FIGURES: &[FigureReader<Source>] = &[
    FigureReader::new(&OFFERED, |sources, row, _| Value::Count(sources[row].outcomes.offered)),
    FigureReader::new(&IN_FLIGHT_NOW, |sources, row, _| Value::Count(sources[row].outcomes.in_flight())),
    FigureReader::new(&COMPLETED, |sources, row, _| outcome_count(sources, row, Outcome::Completed)),
    FigureReader::new(&REJECTED, |sources, row, _| outcome_count(sources, row, Outcome::Rejected)),
    FigureReader::new(&OTHER_FAILURES, |sources, row, _| {
        let outcomes = &sources[row].outcomes;
        Value::Count(outcomes.failures() - outcomes.of(Outcome::Rejected))
    }),
];

fn outcome_count<'v>(sources: &View<'_>, row: Row<Source>, outcome: Outcome) -> Value<'v> {
    Value::Count(sources[row].outcomes.of(outcome))
}

/// The report section about requests and their outcomes.
const REQUESTS: &str = "Requests";

static THROUGHPUT: PlotSpec = PlotSpec {
    id: "throughput",
    section: REQUESTS,
    title: "Offered and completed",
    caption: "Requests that were created (offered), and requests that were completed.",
};
static FAILURES: PlotSpec = PlotSpec {
    id: "failures",
    section: REQUESTS,
    title: "Failed",
    caption: "Requests that were rejected, answered with an error, dropped or shed.",
};
static IN_FLIGHT_PLOT: PlotSpec =
    PlotSpec { id: "under-way", section: REQUESTS, title: "In flight", caption: "" };
static LATENCY: PlotSpec = PlotSpec {
    id: "latency",
    section: "Latency",
    title: "Latency over time",
    caption: "Latency percentiles of the requests completed in each 1/120 of the run.",
};

/// Requests that were answered with an error.
static ERROR_RATE: Metric = Metric::unprobed("error_rate", Unit::PerSecond);
/// Requests lost by links, or by servers that went down.
static DROP_RATE: Metric = Metric::unprobed("drop_rate", Unit::PerSecond);
static P50: Metric = Metric::unprobed("latency_p50", Unit::Seconds);
static P95: Metric = Metric::unprobed("latency_p95", Unit::Seconds);
static P99: Metric = Metric::unprobed("latency_p99", Unit::Seconds);

/// The rates of requests that failed.
pub static FAILURE_RATES: [&Metric; 4] = [&REJECTION_RATE, &ERROR_RATE, &DROP_RATE, &SHED_RATE];

impl Measurable for Source {
    type View<'a> = View<'a>;

    const MEASURED: &'static [MetricReader<Self>] = &[
        MetricReader::<Self>::new(&ARRIVAL_RATE, &THROUGHPUT, |sources, row, _| {
            Reading::Count(sources[row].outcomes.offered)
        })
        .labelled("offered"),
        MetricReader::<Self>::new(&COMPLETION_RATE, &THROUGHPUT, |sources, row, _| {
            rate(sources, row, Outcome::Completed)
        })
        .labelled("completed"),
        MetricReader::<Self>::new(&REJECTION_RATE, &FAILURES, |sources, row, _| {
            rate(sources, row, Outcome::Rejected)
        })
        .labelled("rejected"),
        MetricReader::<Self>::new(&ERROR_RATE, &FAILURES, |sources, row, _| {
            rate(sources, row, Outcome::Failed)
        })
        .labelled("error")
        .only_where(|sources, row| sources[row].may_fail),
        MetricReader::<Self>::new(&DROP_RATE, &FAILURES, |sources, row, _| {
            rate(sources, row, Outcome::Dropped)
        })
        .labelled("dropped"),
        MetricReader::<Self>::new(&SHED_RATE, &FAILURES, |sources, row, _| rate(sources, row, Outcome::Shed))
            .labelled("shed")
            .only_where(|sources, row| sources[row].may_be_shed),
        MetricReader::<Self>::new(&IN_FLIGHT, &IN_FLIGHT_PLOT, |sources, row, now| {
            Reading::level(&sources[row].in_flight, now)
        }),
        MetricReader::<Self>::new(&P50, &LATENCY, |sources, row, _| percentile(sources, row, 0))
            .labelled("p50"),
        MetricReader::<Self>::new(&P95, &LATENCY, |sources, row, _| percentile(sources, row, 1))
            .labelled("p95"),
        MetricReader::<Self>::new(&P99, &LATENCY, |sources, row, _| percentile(sources, row, 2))
            .labelled("p99"),
    ];

    fn rows(sources: &View<'_>) -> usize {
        sources.len()
    }
}

fn rate(sources: &View<'_>, row: Row<Source>, outcome: Outcome) -> Reading {
    Reading::Count(sources[row].outcomes.of(outcome))
}

fn percentile(sources: &View<'_>, row: Row<Source>, index: usize) -> Reading {
    Reading::OfWindow(sources[row].window_percentiles[index].map(nanos_to_seconds))
}
