//! Metrics and figures of a server with a program: its endpoints and its resources.

use super::super::shown::slot_load;
use super::super::{Server, ServerSpec, View};
use super::{EndpointCounters, Program, Resource};
use crate::engine::row::Row;
use crate::engine::statistics::TimeWeighted;
use crate::engine::time::SimTime;
use crate::model::figure::{
    Aggregation, Aspect, CAPACITY, COMPLETED, Figure, FigureColumn, FigureReader, FigureRow, IN_USE,
    IN_USE_MAX, IN_USE_MEAN, PARALLEL, RESOURCES, Span, USE_VARIANCE, Value, Visibility, WAIT, WAITING_MAX,
    WAITING_MEAN,
};
use crate::model::metric::{Metric, MetricDisplay, MetricReader, PlotSpec, Reading, ResourceReader, Unit};
use crate::model::part::DetailTable;
use crate::request::progress::Activity;

/// The endpoints.
static ENDPOINTS: Figure = Figure::new("endpoints", "endpoints").combined(Aggregation::Merge);

/// Requests of an endpoint that were answered with an error.
static FAILED: Figure = Figure::new("failed", "failed").warns_from(1.0);
/// Time from the arrival of a request at the server to its departure.
static LATENCY: Figure = Figure::new("latency", "time").combined(Aggregation::Merge);
/// Number of requests whose time was measured.
static MEASURED: Figure = Figure::new("measured", "measured").written(Visibility::Never);

/// The sum of the times that requests waited, for a slot, a core, memory or a pool.
static WAITING_TIME_SUM: Figure = Figure::new("wait_sum", "waiting").written(Visibility::Never);
/// The mean time for which a request waited.
static WAITING_TIME_MEAN: Figure = Figure::new("wait_mean", "waiting")
    .combined(Aggregation::Ratio(&WAITING_TIME_SUM, &MEASURED))
    .in_seconds();

macro_rules! activities {
    ($($activity:ident $SUM:ident $MEAN:ident $sum:literal $mean:literal $label:literal;)*) => {
        $(
            static $SUM: Figure = Figure::new($sum, $label).written(Visibility::Never);
            static $MEAN: Figure =
                Figure::new($mean, $label).combined(Aggregation::Ratio(&$SUM, &MEASURED)).in_seconds();
        )*

        /// For each activity, the figures of the time spent on it: the sum, and the mean over requests, in seconds.
        static SPENT: [(Activity, &Figure, &Figure); Activity::ALL.len()] =
            [$((Activity::$activity, &$SUM, &$MEAN),)*];
    };
}

activities! {
    SlotWait SLOT_WAIT_SUM SLOT_WAIT_MEAN "slot_wait_sum" "slot_wait_mean" "waiting for a slot";
    CoreWait CORE_WAIT_SUM CORE_WAIT_MEAN "core_wait_sum" "core_wait_mean" "waiting for a core";
    MemoryWait MEMORY_WAIT_SUM MEMORY_WAIT_MEAN "memory_wait_sum" "memory_wait_mean" "waiting for memory";
    PoolWait POOL_WAIT_SUM POOL_WAIT_MEAN "pool_wait_sum" "pool_wait_mean" "waiting for a pool";
    Cpu CPU_SUM CPU_MEAN "cpu_sum" "cpu_mean" "CPU";
    Io IO_SUM IO_MEAN "io_sum" "io_mean" "I/O";
    Calls CALLS_SUM CALLS_MEAN "calls_sum" "calls_mean" "calls";
}

pub(in crate::model::server) const ENDPOINT_TABLE: DetailTable = DetailTable {
    title: "Endpoints",
    rows_of: Some(&ENDPOINTS),
    columns: &[
        FigureColumn::new("served", &COMPLETED),
        FigureColumn::of("p99", &LATENCY, Aspect::P99),
        FigureColumn::of("mean", &LATENCY, Aspect::Mean),
        FigureColumn::of("= wait", &WAITING_TIME_MEAN, Aspect::Seconds),
        FigureColumn::of("+ cpu", &CPU_MEAN, Aspect::Seconds),
        FigureColumn::of("+ i/o", &IO_MEAN, Aspect::Seconds),
        FigureColumn::of("+ calls", &CALLS_MEAN, Aspect::Seconds),
    ],
    more: &[
        FigureColumn::of("wait for a slot", &SLOT_WAIT_MEAN, Aspect::Seconds),
        FigureColumn::of("for a core", &CORE_WAIT_MEAN, Aspect::Seconds),
        FigureColumn::of("for memory", &MEMORY_WAIT_MEAN, Aspect::Seconds),
        FigureColumn::of("for a pool", &POOL_WAIT_MEAN, Aspect::Seconds),
        FigureColumn::new("failed", &FAILED),
    ],
};

pub(in crate::model::server) const RESOURCE_TABLE: DetailTable = DetailTable {
    title: "Resources",
    rows_of: Some(&RESOURCES),
    columns: &[
        FigureColumn::of("util", &IN_USE, Aspect::Percent),
        FigureColumn::new("queue", &WAITING_MEAN),
        FigureColumn::new("max", &WAITING_MAX),
        FigureColumn::of("wait p50", &WAIT, Aspect::P50),
        FigureColumn::of("wait p99", &WAIT, Aspect::P99),
    ],
    more: &[FigureColumn::of("mean wait", &WAIT, Aspect::Mean)],
};

pub(in crate::model::server) const ENDPOINT_FIGURE: FigureReader<Server> =
    FigureReader::<Server>::new(&ENDPOINTS, |servers, row, _| Value::Rows(endpoints(servers.program(row))))
        .only_where(has_endpoints);

pub(in crate::model::server) const RESOURCE_FIGURE: FigureReader<Server> =
    FigureReader::<Server>::new(&RESOURCES, |servers, row, span| {
        Value::Rows(resource_rows(servers, row, span))
    })
    .only_where(has_endpoints);

fn endpoints(program: &mut Program) -> Vec<(String, FigureRow<'_>)> {
    let names = program.code.names.iter().cloned();
    names.zip(program.endpoints.iter_mut().map(endpoint_row)).collect()
}

fn endpoint_row(endpoint: &mut EndpointCounters) -> FigureRow<'_> {
    let mut row: FigureRow<'_> = Vec::with_capacity(2 * SPENT.len() + 6);
    row.push((&COMPLETED, Some(Value::Count(endpoint.completed))));
    row.push((&FAILED, Some(Value::Count(endpoint.failed))));
    row.push((&MEASURED, Some(Value::Count(endpoint.latency.count()))));
    row.push((&WAITING_TIME_SUM, Some(Value::Mean(Some(endpoint.spent.waiting().as_seconds())))));
    row.push((&WAITING_TIME_MEAN, None));
    for (activity, sum, mean) in SPENT {
        row.push((sum, Some(Value::Mean(Some(endpoint.spent[activity].as_seconds())))));
        row.push((mean, None));
    }
    row.push((&LATENCY, Some(Value::Times(&mut endpoint.latency))));
    row
}

/// The figures of the resources, in the order of their names. The waiting times for slots are those of the server.
fn resource_rows<'v>(
    servers: &'v mut View<'_>,
    row: Row<Server>,
    span: Span,
) -> Vec<(String, FigureRow<'v>)> {
    let slots = servers.configs[row].has_slots.then(|| {
        let busy = servers.in_flight[row].level.mean(span.now, span.elapsed);
        (servers.configs[row].concurrency, busy, servers.in_flight[row].level.max())
    });
    let queue = &servers.queues[row];
    let program = servers.service[row].program.as_deref_mut().expect("the server has endpoints");
    let variance = program.use_variance();
    let mut rows = Vec::new();
    if let Some((slots, busy, most)) = slots {
        let figures: FigureRow<'_> = vec![
            (&CAPACITY, Some(Value::Count(slots.into()))),
            (&PARALLEL, Some(Value::Mean(Some(slots.into())))),
            (&IN_USE_MEAN, Some(Value::Mean(busy))),
            (&IN_USE_MAX, Some(Value::Count(most.into()))),
            (&IN_USE, None),
            (&USE_VARIANCE, Some(Value::Mean(Some(variance)))),
            (&WAITING_MEAN, Some(Value::Mean(queue.depth.mean(span.now, span.elapsed)))),
            (&WAITING_MAX, Some(Value::Count(queue.depth.max().into()))),
        ];
        rows.push((SLOTS.to_owned(), figures));
    }
    let names = program.resource_names();
    // Only cores are used for times that are known one by one.
    let of_cores = program.cpu_variance();
    let variances = program.cores.iter().map(|_| of_cores).chain(std::iter::repeat(variance));
    let variances: Vec<f64> = variances.take(names.len()).collect();
    let resources = program.resources().zip(variances);
    rows.extend(names.into_iter().zip(resources.map(|(one, variance)| resource_row(one, variance, span))));
    rows
}

fn resource_row(resource: &mut Resource, variance: f64, span: Span) -> FigureRow<'_> {
    vec![
        (&CAPACITY, Some(Value::Count(resource.capacity))),
        (&PARALLEL, Some(Value::Mean(Some(resource.parallel())))),
        (&IN_USE_MEAN, Some(Value::Mean(resource.used.mean(span.now, span.elapsed)))),
        (&IN_USE_MAX, Some(Value::Count(resource.used.max()))),
        (&IN_USE, None),
        (&USE_VARIANCE, Some(Value::Mean(Some(variance)))),
        (&WAITING_MEAN, Some(Value::Mean(resource.waiting.mean(span.now, span.elapsed)))),
        (&WAITING_MAX, Some(Value::Count(resource.waiting.max().into()))),
        (&WAIT, Some(Value::Times(&mut resource.wait))),
    ]
}

/// The name of the slots among the resources.
const SLOTS: &str = "slots";

impl ServerSpec {
    /// The names of the resources of a server with endpoints, in the order in which they are read.
    pub(in crate::model::server) fn resource_names(&self) -> Vec<String> {
        if self.endpoints.is_empty() {
            return Vec::new();
        }
        let slots = self.concurrency().map(|_| SLOTS.to_owned());
        let pools = self.pools.keys().map(String::as_str);
        let others = resource_names(self.cores.is_some(), self.memory.is_some(), pools);
        slots.into_iter().chain(others).collect()
    }
}

fn resource_names<'a>(
    has_cores: bool,
    has_memory: bool,
    pools: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let cores = has_cores.then(|| "cores".to_owned());
    let memory = has_memory.then(|| "memory".to_owned());
    cores.into_iter().chain(memory).chain(pools.map(|name| format!("pool {name}"))).collect()
}

impl Program {
    /// The names of the [`resources`](Self::resources), in the same order.
    fn resource_names(&self) -> Vec<String> {
        let pools = self.code.pools.iter().map(String::as_str);
        resource_names(self.cores.is_some(), self.memory.is_some(), pools)
    }

    fn number_of_resources(&self) -> u16 {
        let number = self.cores.iter().len() + self.memory.iter().len() + self.pools.len();
        u16::try_from(number).unwrap_or(u16::MAX - 1)
    }

    /// The resource with this index among the [`resources`](Self::resources).
    fn resource(&self, index: usize) -> Option<&Resource> {
        self.cores.iter().chain(&self.memory).chain(&self.pools).nth(index)
    }

    /// An estimate of the relative variance of the time for which a request computes: not below that of an exponential
    /// distribution, which few requests might hide. Infinite if a step has no finite variance.
    fn cpu_variance(&self) -> f64 {
        let times = self.cpu_time.summarize();
        let (mean, sd) = times.mean().zip(times.sd()).unwrap_or((0.0, 0.0));
        match mean > 0.0 {
            _ if self.code.is_heavy_tailed() => f64::INFINITY,
            true => (sd * sd / (mean * mean)).max(1.0),
            false => 1.0,
        }
    }

    /// The same for the time for which a request holds another resource: that of its time at the server.
    fn use_variance(&self) -> f64 {
        if self.code.is_heavy_tailed() {
            return f64::INFINITY;
        }
        let of_endpoint = |endpoint: &EndpointCounters| {
            let times = endpoint.latency.summarize();
            let (mean, sd) = times.mean().zip(times.sd()).unwrap_or((0.0, 0.0));
            let count = times.count() as f64;
            (count, count * mean, count * (sd * sd + mean * mean))
        };
        let sums = self.endpoints.iter().map(of_endpoint);
        let (count, sum, squares) =
            sums.fold((0.0, 0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1, all.2 + one.2));
        let mean = sum / count;
        if mean > 0.0 { (squares / count / (mean * mean) - 1.0).max(1.0) } else { 1.0 }
    }
}

fn has_endpoints(servers: &View<'_>, row: Row<Server>) -> bool {
    servers.service[row].program.as_ref().is_some_and(|program| !program.code.names.is_empty())
}

const SECTION: &str = super::super::shown::SECTION;

static USE: PlotSpec = PlotSpec {
    id: "resources",
    section: SECTION,
    title: "Use of resources",
    caption: "Mean share of the cores, the memory and the pools of a server that is in use.",
};
static WAITING: PlotSpec = PlotSpec {
    id: "resource-queues",
    section: SECTION,
    title: "Waiting for resources",
    caption: "Mean number of requests that wait for a core, for memory, or for a place in a pool.",
};

const fn shown(plot: &'static PlotSpec) -> MetricDisplay {
    MetricDisplay { label: "", plot, share_of: None, is_summed: false }
}

static USE_SHOWN: MetricDisplay = shown(&USE);
static WAITING_SHOWN: MetricDisplay = shown(&WAITING);

pub(in crate::model::server) const RESOURCE_READER: ResourceReader<Server> = ResourceReader {
    // The slots are measured as those of any server.
    measured: |servers, row| {
        let program =
            servers.service[row].program.as_deref().filter(|program| !program.code.names.is_empty());
        let first = u16::from(servers.configs[row].has_slots);
        program.map_or(0..0, |program| first..first + program.number_of_resources())
    },
    load_shown: &USE_SHOWN,
    load: |servers, row, resource, now| match of_program(servers, row, resource) {
        Some((program, resource)) => load_of(program, std::slice::from_ref(resource), now),
        None => slot_load(servers, row, now),
    },
    queue_shown: &WAITING_SHOWN,
    queue: |servers, row, resource, now| match of_program(servers, row, resource) {
        Some((_, resource)) => Reading::level(&resource.waiting, now),
        None => Reading::level(&servers.queues[row].depth, now),
    },
};

/// The resource with this index, or `None` if it is the slots.
fn of_program<'v>(
    servers: &'v View<'_>,
    row: Row<Server>,
    index: u16,
) -> Option<(&'v Program, &'v Resource)> {
    let index = usize::from(index).checked_sub(usize::from(servers.configs[row].has_slots))?;
    let program = servers.service[row].program.as_deref()?;
    Some((program, program.resource(index)?))
}

/// Share of cores that are busy.
static CORE_LOAD: Metric = Metric::new("core_load", Unit::Share, "CoreLoad");
/// Share of the memory that is in use.
static MEMORY_LOAD: Metric = Metric::new("memory_load", Unit::Share, "MemoryLoad");
/// Share of the places of all pools that are taken.
static POOL_LOAD: Metric = Metric::new("pool_load", Unit::Share, "PoolLoad");
/// Number of requests that wait for a core: the ready queue.
static CORE_QUEUE: Metric = Metric::new("core_queue", Unit::Count, "CoreQueue");
/// Number of requests that wait for memory.
static MEMORY_QUEUE: Metric = Metric::new("memory_queue", Unit::Count, "MemoryQueue");
/// Number of requests that wait for a place in a pool.
static POOL_QUEUE: Metric = Metric::new("pool_queue", Unit::Count, "PoolQueue");
/// Number of requests that wait for I/O.
static IN_IO: Metric = Metric::new("in_io", Unit::Count, "InIo");

/// The resources that a metric is about.
type Select = fn(&Program) -> &[Resource];

const fn cores(program: &Program) -> &[Resource] {
    program.cores.as_slice()
}

const fn memory(program: &Program) -> &[Resource] {
    program.memory.as_slice()
}

const fn pools(program: &Program) -> &[Resource] {
    &program.pools
}

pub(in crate::model::server) const CORE_LOAD_METRIC: MetricReader<Server> =
    MetricReader::<Server>::probed(&CORE_LOAD, |servers, row, now| load(servers, row, now, cores));
pub(in crate::model::server) const MEMORY_LOAD_METRIC: MetricReader<Server> =
    MetricReader::<Server>::probed(&MEMORY_LOAD, |servers, row, now| load(servers, row, now, memory));
pub(in crate::model::server) const POOL_LOAD_METRIC: MetricReader<Server> =
    MetricReader::<Server>::probed(&POOL_LOAD, |servers, row, now| load(servers, row, now, pools));
pub(in crate::model::server) const CORE_QUEUE_METRIC: MetricReader<Server> =
    MetricReader::<Server>::probed(&CORE_QUEUE, |servers, row, now| queue(servers, row, now, cores));
pub(in crate::model::server) const MEMORY_QUEUE_METRIC: MetricReader<Server> =
    MetricReader::<Server>::probed(&MEMORY_QUEUE, |servers, row, now| queue(servers, row, now, memory));
pub(in crate::model::server) const POOL_QUEUE_METRIC: MetricReader<Server> =
    MetricReader::<Server>::probed(&POOL_QUEUE, |servers, row, now| queue(servers, row, now, pools));
pub(in crate::model::server) const IO_METRIC: MetricReader<Server> =
    MetricReader::<Server>::probed(&IN_IO, |servers, row, now| {
        let program = servers.service[row].program.as_ref();
        program.map_or(Reading::Value(None), |program| Reading::level(&program.io, now))
    });

/// The share of cores that are busy, if their number is limited.
pub(in crate::model::server) fn core_load(servers: &View<'_>, row: Row<Server>, now: SimTime) -> Reading {
    load(servers, row, now, cores)
}

/// The share of resources that is in use.
fn load(servers: &View<'_>, row: Row<Server>, now: SimTime, select: Select) -> Reading {
    let program = servers.service[row].program.as_deref();
    program.map_or(Reading::Value(None), |program| load_of(program, select(program), now))
}

#[expect(clippy::cast_precision_loss, reason = "a share for people")]
fn load_of(program: &Program, resources: &[Resource], now: SimTime) -> Reading {
    let capacity: u64 = resources.iter().map(|resource| resource.capacity).sum();
    let used: u64 = resources.iter().map(|resource| resource.used.level()).sum();
    if capacity == 0 {
        return Reading::Value(None);
    }
    Reading::Share {
        part: resources.iter().map(|resource| resource.used.integral(now)).sum(),
        whole: u128::from(capacity) * u128::from(now.since(program.measured_from).as_nanos()),
        now: used as f64 / capacity as f64,
    }
}

/// The number of requests that wait for resources.
fn queue(servers: &View<'_>, row: Row<Server>, now: SimTime, select: Select) -> Reading {
    let Some(program) = servers.service[row].program.as_deref() else { return Reading::Value(None) };
    let waiting = || select(program).iter().map(|resource| &resource.waiting);
    Reading::Level {
        integral: waiting().map(|level| level.integral(now)).sum(),
        now: waiting().map(TimeWeighted::level).sum::<u32>().into(),
    }
}
