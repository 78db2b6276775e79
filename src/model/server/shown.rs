//! Metrics, figures and plots of a server.

use super::program::shown as program;
use super::{Server, View};
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::model::figure;
use crate::model::figure::{
    ARRIVED, Aggregation, Aspect, CALL_TIME, COMPLETED, CONCURRENCY, Figure, FigureColumn, FigureReader,
    IN_SERVICE_MAX, IN_SERVICE_MEAN, IS_WEIGHTED, QUEUE_DEPTH_MAX, QUEUE_DEPTH_MEAN, REJECTED,
    REJECTED_WHILE_DOWN, ReadFigure, SERVICE, SLOTS_MEAN, Span, Value, Visibility, WAIT,
};
use crate::model::metric::{
    ARRIVAL_RATE, COMPLETION_RATE, IN_FLIGHT, Measurable, Metric, MetricReader, PlotSpec, QUEUE_DEPTH,
    REJECTION_RATE, ReadMetric, Reading, ResourceReader, UTILIZATION, Unit,
};
use crate::model::node_state::NodeState;
use crate::model::part::{Description, DetailTable};
use crate::request::ReportedLoad;

pub(super) const DESCRIPTION: Description = Description {
    name: "server",
    title: "Servers",
    receives: true,
    reports_load: true,
    sheds: false,
    terminal: &[
        FigureColumn::of("util", &figure::UTILIZATION, Aspect::Percent),
        FigureColumn::new("queue", &QUEUE_DEPTH_MEAN),
        FigureColumn::new("max", &QUEUE_DEPTH_MAX),
        FigureColumn::of("wait p50", &WAIT, Aspect::P50),
        FigureColumn::of("wait p99", &WAIT, Aspect::P99),
        FigureColumn::new("served", &COMPLETED),
        FigureColumn::new("rejected", &REJECTED),
    ],
    report: &[
        FigureColumn::new("arrived", &ARRIVED),
        FigureColumn::new("served", &COMPLETED),
        FigureColumn::new("rejected", &REJECTED),
        FigureColumn::of("utilization", &figure::UTILIZATION, Aspect::Percent),
        FigureColumn::new("mean queue", &QUEUE_DEPTH_MEAN),
        FigureColumn::new("max queue", &QUEUE_DEPTH_MAX),
        FigureColumn::of("mean wait", &WAIT, Aspect::Mean),
        FigureColumn::of("p99 wait", &WAIT, Aspect::P99),
        FigureColumn::of("mean service", &SERVICE, Aspect::Mean),
    ],
    details: &[
        program::ENDPOINT_TABLE,
        program::RESOURCE_TABLE,
        DetailTable {
            title: "Calls of servers",
            rows_of: None,
            more: &[],
            columns: &[
                FigureColumn::new("calls", &CALLS),
                FigureColumn::new("failed", &FAILED_CALLS),
                FigureColumn::new("timed out", &TIMED_OUT_CALLS),
                FigureColumn::of("time p50", &CALL_TIME, Aspect::P50),
                FigureColumn::of("time p99", &CALL_TIME, Aspect::P99),
                FigureColumn::new("slots waiting", &CALLING_MEAN),
            ],
        },
        DetailTable {
            title: "Wasted work",
            rows_of: None,
            more: &[],
            columns: &[
                FigureColumn::new("in vain", &WASTED_MEAN),
                FigureColumn::of("of all work", &WASTED, Aspect::Percent),
            ],
        },
        DetailTable {
            title: "Servers that come and go",
            rows_of: None,
            more: &[],
            columns: &[
                FigureColumn::new("up", &UP_MEAN),
                FigureColumn::new("booting", &BOOTING_MEAN),
                FigureColumn::new("draining", &DRAINING_MEAN),
            ],
        },
    ],
    ranked_by: &[&figure::UTILIZATION, &QUEUE_DEPTH_MEAN],
};

/// Requests in service or waiting that were lost when the server went down.
pub static LOST: Figure = Figure::new("lost", "lost").written(Visibility::NotZero);

/// Calls in service or waiting that were cancelled by their callers.
static CANCELLED: Figure = Figure::new("cancelled", "cancelled").written(Visibility::NotZero);

/// Mean number of requests in service, or of branches, for calls that their callers had given up when these ended.
static WASTED_MEAN: Figure = Figure::new("wasted_mean", "working in vain on average");
/// The same as a share of the requests in service.
static WASTED: Figure = Figure::new("wasted", "wasted work")
    .combined(Aggregation::Ratio(&WASTED_MEAN, &IN_SERVICE_MEAN))
    .warns_from(0.01);

/// Requests that left the queue because their patience ended.
static RENEGED: Figure = Figure::new("reneged", "ran out of patience").written(Visibility::NotZero);
/// Requests that were rejected although the queue had room, because they did not join it.
static BALKED: Figure = Figure::new("balked", "did not join the queue").written(Visibility::NotZero);
/// Requests that the queue shed.
static SHED: Figure = Figure::new("shed", "shed by the queue").written(Visibility::NotZero);

/// Calls that the server made.
static CALLS: Figure = Figure::new("calls", "calls");
/// Calls that failed while the server waited for them.
static FAILED_CALLS: Figure = Figure::new("failed_calls", "failed calls").warns_from(1.0);
/// Calls that the server gave up after their timeout.
static TIMED_OUT_CALLS: Figure = Figure::new("timed_out_calls", "calls timed out").warns_from(1.0);
/// Mean number of slots that were held by requests waiting for calls.
static CALLING_MEAN: Figure = Figure::new("calling_mean", "waiting for calls on average");

/// Mean number of servers that were up, in a group that grows and shrinks.
static UP_MEAN: Figure = Figure::new("up_mean", "up on average");
/// Mean number of servers that booted.
static BOOTING_MEAN: Figure = Figure::new("booting_mean", "booting on average");
/// Mean number of servers that drained.
static DRAINING_MEAN: Figure = Figure::new("draining_mean", "draining on average");

/// Whether a server is up: 0 or 1.
static UP: Metric = Metric::new("up", Unit::Count, "Up");
/// Whether a server boots: 0 or 1.
static BOOTING: Metric = Metric::new("booting", Unit::Count, "Booting");
/// Whether a server drains: 0 or 1.
static DRAINING: Metric = Metric::new("draining", Unit::Count, "Draining");

pub(super) const FIGURES: &[FigureReader<Server>] = &[
    FigureReader::<Server>::new(&CONCURRENCY, |servers, row, _| {
        let config = &servers.configs[row];
        Value::Count(if config.state == NodeState::Absent { 0 } else { config.concurrency.into() })
    })
    .only_where(has_slots),
    FigureReader::new(&ARRIVED, |servers, row, _| Value::Count(servers.counters[row].arrived)),
    FigureReader::new(&COMPLETED, |servers, row, _| Value::Count(servers.counters[row].completed)),
    FigureReader::new(&REJECTED, |servers, row, _| Value::Count(servers.counters[row].rejected)),
    FigureReader::new(&REJECTED_WHILE_DOWN, |servers, row, _| {
        Value::Count(servers.configs[row].rejected_while_down(servers.counters[row].rejected))
    }),
    FigureReader::new(&LOST, |servers, row, _| Value::Count(servers.configs[row].lost)),
    FigureReader::new(&CANCELLED, |servers, row, _| Value::Count(servers.configs[row].cancelled)),
    FigureReader::<Server>::new(&WASTED_MEAN, |servers, row, span| {
        let wasted = servers.configs[row].wasted.as_seconds();
        Value::Mean((!span.elapsed.is_zero()).then(|| wasted / span.elapsed.as_seconds()))
    })
    .only_where(has_waste),
    FigureReader::<Server>::ratio(&WASTED).only_where(has_waste),
    FigureReader::new(&RENEGED, |servers, row, _| Value::Count(servers.configs[row].reneged)),
    FigureReader::new(&BALKED, |servers, row, _| Value::Count(servers.configs[row].balked)),
    FigureReader::new(&SHED, |servers, row, _| Value::Count(servers.configs[row].shed)),
    FigureReader::<Server>::new(&SLOTS_MEAN, |servers, row, span| {
        Value::Mean(servers.configs[row].slots.mean(span.now, span.elapsed))
    })
    .only_where(has_slots),
    FigureReader::ratio(&figure::UTILIZATION),
    FigureReader::new(&IN_SERVICE_MEAN, |servers, row, span| {
        Value::Mean(servers.in_flight[row].level.mean(span.now, span.elapsed))
    }),
    FigureReader::<Server>::new(&IN_SERVICE_MAX, |servers, row, _| {
        Value::Count(servers.in_flight[row].level.max().into())
    })
    .only_where(has_slots),
    FigureReader::new(&QUEUE_DEPTH_MEAN, |servers, row, span| {
        Value::Mean(servers.queues[row].depth.mean(span.now, span.elapsed))
    }),
    FigureReader::new(&QUEUE_DEPTH_MAX, |servers, row, _| {
        Value::Count(servers.queues[row].depth.max().into())
    }),
    FigureReader::new(&WAIT, |servers, row, _| Value::Times(&mut servers.counters[row].wait)),
    FigureReader::new(&SERVICE, |servers, row, _| Value::Times(&mut servers.counters[row].service)),
    FigureReader::<Server>::new(&IS_WEIGHTED, |_, _, _| Value::Count(1)).only_where(|servers, row| {
        let program = servers.service[row].program.as_ref();
        program.and_then(|program| program.rules.as_ref()).is_some_and(|rules| rules.is_weighted)
    }),
    FigureReader::<Server>::new(&CALLS, |servers, row, _| Value::Count(servers.program(row).calls.made))
        .only_where(has_calls),
    FigureReader::<Server>::new(&FAILED_CALLS, |servers, row, _| {
        Value::Count(servers.program(row).calls.failed)
    })
    .only_where(has_calls),
    FigureReader::<Server>::new(&TIMED_OUT_CALLS, |servers, row, _| {
        Value::Count(servers.program(row).calls.timed_out)
    })
    .only_where(has_timeouts),
    FigureReader::<Server>::new(&CALLING_MEAN, |servers, row, span| {
        Value::Mean(servers.program(row).calls.waiting.mean(span.now, span.elapsed))
    })
    .only_where(has_calls),
    FigureReader::<Server>::new(&CALL_TIME, |servers, row, _| {
        Value::Times(&mut servers.program(row).calls.time)
    })
    .only_where(has_calls),
    // In this order: the figures of resources depend on the times of endpoints, which are taken when they are read.
    program::RESOURCE_FIGURE,
    program::ENDPOINT_FIGURE,
    mean_of_state(&UP_MEAN, |servers, row, span| mean_in(NodeState::Up, servers, row, span)),
    mean_of_state(&BOOTING_MEAN, |servers, row, span| mean_in(NodeState::Booting, servers, row, span)),
    mean_of_state(&DRAINING_MEAN, |servers, row, span| mean_in(NodeState::Draining, servers, row, span)),
];

const fn mean_of_state(figure: &'static Figure, read: ReadFigure<Server>) -> FigureReader<Server> {
    FigureReader::<Server>::new(figure, read).only_where(is_resizable)
}

const fn metric_of_state(
    metric: &'static Metric,
    label: &'static str,
    read: ReadMetric<Server>,
) -> MetricReader<Server> {
    MetricReader::<Server>::new(metric, &STATES, read).labelled(label).summed().only_where(is_resizable)
}

fn is_resizable(servers: &View<'_>, row: Row<Server>) -> bool {
    servers.configs[row].resizing.is_some()
}

/// The mean time in a state, as a share of the time.
fn mean_in(state: NodeState, servers: &View<'_>, row: Row<Server>, span: Span) -> Value<'static> {
    let resizing = servers.configs[row].resizing.as_ref();
    Value::Mean(resizing.and_then(|resizing| resizing.time_in(state).mean(span.now, span.elapsed)))
}

/// 1 if it is in a state, and 0 otherwise. Probes may sample it of any server.
fn is_in(state: NodeState, servers: &View<'_>, row: Row<Server>, now: SimTime) -> Reading {
    let config = &servers.configs[row];
    match &config.resizing {
        Some(resizing) => Reading::level(resizing.time_in(state), now),
        None => Reading::Value(Some(if config.state == state { 1.0 } else { 0.0 })),
    }
}

/// Whether its number of slots is limited.
fn has_slots(servers: &View<'_>, row: Row<Server>) -> bool {
    servers.configs[row].has_slots
}

fn has_waste(servers: &View<'_>, row: Row<Server>) -> bool {
    !servers.configs[row].wasted.is_zero()
}

fn has_timeouts(servers: &View<'_>, row: Row<Server>) -> bool {
    servers.service[row].program.as_ref().is_some_and(|program| program.calls.have_timeouts)
}

fn has_calls(servers: &View<'_>, row: Row<Server>) -> bool {
    servers.service[row].program.as_ref().is_some_and(|program| program.calls.are_made)
}

pub(super) const SECTION: &str = DESCRIPTION.title;

static QUEUE: PlotSpec = PlotSpec {
    id: "queue",
    section: SECTION,
    title: "Queue depth",
    caption: "Mean number of waiting requests in each interval of the run.",
};
static UTILIZATION_PLOT: PlotSpec = PlotSpec {
    id: "load",
    section: SECTION,
    title: "Utilization",
    caption: "Mean share of slots busy in each interval of the run.",
};
static STATES: PlotSpec = PlotSpec {
    id: "server-states",
    section: SECTION,
    title: "Servers by state",
    caption: "Number of servers of groups that grow and shrink.",
};
static ARRIVALS: PlotSpec = PlotSpec { id: "arrivals", section: SECTION, title: "Arrivals", caption: "" };
static COMPLETIONS: PlotSpec = PlotSpec { id: "completions", section: SECTION, title: "Served", caption: "" };
static REJECTIONS: PlotSpec = PlotSpec { id: "rejections", section: SECTION, title: "Rejected", caption: "" };

impl Measurable for Server {
    type View<'a> = View<'a>;

    const MEASURED: &'static [MetricReader<Self>] = &[
        MetricReader::new(&QUEUE_DEPTH, &QUEUE, |servers, row, now| {
            Reading::level(&servers.queues[row].depth, now)
        }),
        MetricReader::<Server>::new(&UTILIZATION, &UTILIZATION_PLOT, |servers, row, now| {
            slot_load(servers, row, now)
        })
        .only_where(has_slots),
        MetricReader::probed(&IN_FLIGHT, |servers, row, now| {
            Reading::level(&servers.in_flight[row].level, now)
        }),
        MetricReader::new(&ARRIVAL_RATE, &ARRIVALS, |servers, row, _| {
            Reading::Count(servers.counters[row].arrived)
        }),
        MetricReader::new(&COMPLETION_RATE, &COMPLETIONS, |servers, row, _| {
            Reading::Count(servers.counters[row].completed)
        }),
        MetricReader::new(&REJECTION_RATE, &REJECTIONS, |servers, row, _| {
            Reading::Count(servers.counters[row].rejected)
        }),
        program::CORE_LOAD_METRIC,
        program::MEMORY_LOAD_METRIC,
        program::POOL_LOAD_METRIC,
        program::CORE_QUEUE_METRIC,
        program::MEMORY_QUEUE_METRIC,
        program::POOL_QUEUE_METRIC,
        program::IO_METRIC,
        metric_of_state(&UP, "up", |servers, row, now| is_in(NodeState::Up, servers, row, now)),
        metric_of_state(&BOOTING, "booting", |servers, row, now| {
            is_in(NodeState::Booting, servers, row, now)
        }),
        metric_of_state(&DRAINING, "draining", |servers, row, now| {
            is_in(NodeState::Draining, servers, row, now)
        }),
    ];

    const RESOURCES: Option<ResourceReader<Self>> = Some(program::RESOURCE_READER);

    fn rows(servers: &View<'_>) -> usize {
        servers.counters.len()
    }
}

/// The share of slots that are busy; of cores if the number of slots is unlimited.
pub(super) fn slot_load(servers: &View<'_>, row: Row<Server>, now: SimTime) -> Reading {
    if !servers.configs[row].has_slots {
        return program::core_load(servers, row, now);
    }
    let in_flight = &servers.in_flight[row];
    Reading::Share {
        part: in_flight.level.integral(now),
        whole: servers.configs[row].slots.integral(now),
        now: in_flight.load().as_f64() / ReportedLoad::FULL.as_f64(),
    }
}
