//! The trait [`Part`], which every node kind implements.
//!
//! General code (the root of a scenario, names, building, dispatch, the timeline, summaries, reports, the window) uses
//! this trait for all kinds in the list of [`parts`](super::parts), and does not depend on any single kind.

use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Context;
use super::build::Builder;
use super::capacity::CapacityLog;
use super::check::Checker;
use super::figure::{Figure, FigureColumn, FigureReader};
use super::metric::{Limit, Measurable};
use super::names::NamedGroup;
use super::routing::PolicySpec;
use super::routing::router::Routing;
use super::trace::NodeCapacity;
use crate::engine::distribution::DistributionSpec;
use crate::engine::row::Row;
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::units::Bytes;
use crate::event::{Node, NodeKind, PackedEvent, RequestRow};
use crate::text::Path;

/// A kind of node.
pub trait Part: Measurable {
    /// The kind.
    const KIND: NodeKind;
    /// Its name, properties and tables.
    const DESCRIPTION: Description;
    /// Its figures, in the order in which they are reported.
    const FIGURES: &'static [FigureReader<Self>];
    /// The kind of its wake events in the fingerprint.
    const WAKING: EventKind = EventKind::Served;

    /// Its specification in a scenario.
    type Spec;
    /// A setting that can change during a run.
    type Setting: PartSetting;
    /// A fault that can happen to it: [`NoFault`] if there is none.
    type Fault: PartFault;

    /// Number of members if it is a group, or `None` if it is a single node. The maximum if the group can grow.
    fn count(spec: &Self::Spec) -> Option<u32>;

    /// Number of members that are there at the start, or `None` if the group cannot grow and shrink.
    fn initial_count(_: &Self::Spec) -> Option<u32> {
        None
    }

    /// Names of the nodes and groups that it forwards requests to.
    fn forwards_to(spec: &Self::Spec) -> Vec<&str>;

    /// Names of the nodes that it calls for each request, in order. The return path of a call ends at its caller.
    fn calls(_: &Self::Spec) -> Vec<&str> {
        Vec::new()
    }

    /// Names of the endpoints that requests can ask it for.
    fn endpoints(_: &Self::Spec) -> Vec<&str> {
        Vec::new()
    }

    /// Names of the resources that are measured one by one, in the order in which they are read.
    fn resources(_: &Self::Spec) -> Vec<String> {
        Vec::new()
    }

    /// The fields of sources that it treats requests by, such as `priority`.
    fn uses(_: &Self::Spec) -> Vec<&'static str> {
        Vec::new()
    }

    /// Maximum number of calls or branches that it starts at once, or `None` if it runs no steps.
    fn max_children(_: &Self::Spec) -> Option<usize> {
        None
    }

    /// The distributions of the sizes that it gives to messages.
    fn sizes(_: &Self::Spec) -> Vec<&DistributionSpec<Bytes>> {
        Vec::new()
    }

    /// Whether it gives messages a size, by a distribution or otherwise.
    fn gives_sizes(spec: &Self::Spec) -> bool {
        !Self::sizes(spec).is_empty()
    }

    /// Its policy and targets, or `None` if it does not route.
    fn routing(_: &Self::Spec) -> Option<Routing<'_>> {
        None
    }

    /// The state and capacity of a member at the start of a run, or `None` if it does not serve requests.
    fn initial_capacity(_: &Self::Spec, _member: u32) -> Option<NodeCapacity> {
        None
    }

    /// The thresholds of metrics that it sets or acts upon, with `owner` as its name. By default, those of its policy.
    fn limits(spec: &Self::Spec, owner: &str) -> Vec<Limit> {
        Self::routing(spec).map_or_else(Vec::new, |routing| routing.limits(owner))
    }

    /// Its settings with the values in the scenario.
    fn settings(spec: &Self::Spec) -> Vec<Self::Setting>;

    /// The settings that take it down and up again, or `None` if it cannot go down.
    fn outage() -> Option<[Self::Setting; 2]> {
        None
    }

    /// The setting that gives a group this many members, or `None` if groups cannot grow and shrink.
    fn resize(_count: u32) -> Option<Self::Setting> {
        None
    }

    /// Reports errors in a specification.
    fn check(spec: &Self::Spec, path: &Path, checker: &mut Checker<'_>);

    /// Reports errors in a setting at `path` that is to change nodes with these specifications.
    fn check_setting(setting: &Self::Setting, path: &Path, specs: &[&Self::Spec], checker: &mut Checker<'_>);

    /// The faults that the window offers as buttons.
    fn offered_faults(_: &Self::Spec) -> Vec<Self::Fault> {
        Vec::new()
    }

    /// Reports errors in a fault at `path` that happens to nodes with these specifications.
    fn check_fault(_: &Self::Fault, _: &Path, _: &[&Self::Spec], _: &mut Checker<'_>) {}

    /// Spawns the nodes of an entry, in order, and schedules their first events.
    fn build(spec: &Self::Spec, entry: &NamedGroup, builder: &mut Builder<'_>);

    /// Handles the arrival of a request at a node. Returns the event that follows in the same instant, if any.
    fn deliver<const FULL: bool>(
        view: &mut Self::View<'_>,
        context: &mut Context<'_, FULL>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent>;

    /// Handles the arrival of a response at a node on its return path. By default, sends the response to the next node
    /// of the path. Returns the event that follows in the same instant, if any.
    #[inline(always)]
    fn respond<const FULL: bool>(
        _: &mut Self::View<'_>,
        context: &mut Context<'_, FULL>,
        _: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        context.reply(request)
    }

    /// Handles an event that the node scheduled for itself, such as the end of a service. Returns the request
    /// concerned, and the event that follows in the same instant, if any.
    #[inline(always)]
    fn wake<const FULL: bool>(
        _: &mut Self::View<'_>,
        _: &mut Context<'_, FULL>,
        _: Row<Self>,
        request: RequestRow,
    ) -> (RequestRow, Option<PackedEvent>) {
        (request, None)
    }

    /// Handles the timeout of a request that waits for a call at a node. Returns the event that follows in the same
    /// instant, if any.
    fn time_out<const FULL: bool>(
        _: &mut Self::View<'_>,
        _: &mut Context<'_, FULL>,
        _: Row<Self>,
        _request: RequestRow,
    ) -> Option<PackedEvent> {
        None
    }

    /// Ends a call that a node holds, because it has been cancelled.
    fn cancel<const FULL: bool>(
        _: &mut Self::View<'_>,
        _: &mut Context<'_, FULL>,
        _: Row<Self>,
        _call: RequestRow,
    ) {
    }

    /// Handles a timer that the node set for itself. Returns the event that follows in the same instant, if any.
    fn timer<const FULL: bool>(
        _: &mut Self::View<'_>,
        _: &mut Context<'_, FULL>,
        _: Row<Self>,
        _timer: u32,
    ) -> Option<PackedEvent> {
        None
    }

    /// Changes a setting of the nodes in these rows. Returns the requests that are lost as a result, in order.
    fn change<const FULL: bool>(
        view: &mut Self::View<'_>,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        setting: &Self::Setting,
    ) -> Vec<RequestRow>;

    /// A fault begins or ends at the nodes in these rows. Returns the requests that are lost as a result, in order.
    fn fault<const FULL: bool>(
        _: &mut Self::View<'_>,
        _: &mut Context<'_, FULL>,
        _rows: Range<u32>,
        _: &Self::Fault,
        _: FaultEdge,
    ) -> Vec<RequestRow> {
        Vec::new()
    }

    /// Resets statistics at the end of the warm-up.
    fn restart(_: &mut Self::View<'_>, _now: SimTime) {}

    /// Ends a window of the timeline: computes the metrics that need many samples, such as percentiles.
    fn close_window(_: &mut Self::View<'_>) {}

    /// The capacity of a node so far, or `None` if it does not serve requests.
    fn capacity<'v>(_: &'v Self::View<'_>, _: Row<Self>) -> Option<&'v CapacityLog> {
        None
    }

    /// The node in a row.
    #[inline]
    fn node(row: Row<Self>) -> Node {
        Node::new(Self::KIND, row.number())
    }
}

/// The name, properties and tables of a kind of node.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Its name in texts: `load balancer`.
    pub name: &'static str,
    /// The heading of sections about nodes of this kind: `Load balancers`.
    pub title: &'static str,
    /// Whether requests can be sent to it.
    pub receives: bool,
    /// Whether its responses report its load.
    pub reports_load: bool,
    /// Whether it sheds requests.
    pub sheds: bool,
    /// Columns of its table in the terminal. Without columns, there is no table.
    pub terminal: &'static [FigureColumn],
    /// Columns of its table in a report.
    pub report: &'static [FigureColumn],
    /// Further tables, of the nodes and groups that have certain figures.
    pub details: &'static [DetailTable],
    /// The figures by which nodes are ranked where only the busiest are shown; later figures break ties.
    pub ranked_by: &'static [&'static Figure],
}

/// A table of the nodes and groups of a kind that have the figure of its first column, or of the things inside them.
#[derive(Clone, Copy, Debug)]
pub struct DetailTable {
    /// Its title.
    pub title: &'static str,
    /// The figure whose rows it shows; `None` if it has a row for each node or group.
    pub rows_of: Option<&'static Figure>,
    /// Its columns.
    pub columns: &'static [FigureColumn],
    /// Further columns in a report, which is wider than a terminal.
    pub more: &'static [FigureColumn],
}

/// The kinds of events that the fingerprint distinguishes. Changing a number changes the fingerprint of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// A request is created.
    Created = 1,
    /// A request reaches a node.
    Delivered = 2,
    /// A node wakes up: a service ends, or something else is due.
    Served = 3,
    /// A response reaches a node.
    Responded = 4,
    /// A request or its response is lost.
    Lost = 5,
    /// A setting of a node changes.
    Changed = 6,
    /// A timer of a node is due.
    Timer = 7,
    /// A node gives up a call.
    TimedOut = 8,
    /// A cancellation reaches a node on the path of its call.
    Cancelled = 9,
    /// A fault begins or ends at a node or a link.
    Fault = 10,
    /// The transfer of a message over a link ends.
    Transferred = 11,
    /// An autoscaler changes the number of members of a group.
    Scaled = 12,
}

/// Observes the events of nodes, for the fingerprint of a run.
pub trait Observer {
    /// Observes an event at the node of this kind and row. `number` is the number of the request concerned.
    fn observe(&mut self, event: EventKind, kind: NodeKind, row: u32, now: SimTime, number: u32);

    /// Observes that the pool of requests is full. It must grow before the next event.
    fn pool_full(&mut self);
}

/// A scheduled period: its start, its end (`None` if it lasts until the end of the run), and a short description.
pub type ScheduledPeriodSpec = (SimDuration, Option<SimDuration>, String);

/// A setting of a part, with its value. Its `Display` is a label for plots: `down`, `concurrency 20`.
pub trait PartSetting: Clone + fmt::Debug + fmt::Display + PartialEq + Serialize + DeserializeOwned {
    /// Its name in a scenario. No other part has a setting of the same name.
    fn name(&self) -> &'static str;

    /// The property that it sets. A setting is in effect until another one with the same topic: `Up` ends `Down`.
    fn topic(&self) -> &'static str {
        self.name()
    }

    /// Whether it is a setting of a whole group, such as its number of members.
    fn is_of_group(&self) -> bool {
        false
    }

    /// Whether it is the normal state of its topic, such as `Up`, which is not shown as a scheduled period.
    fn is_ordinary(&self) -> bool {
        false
    }

    /// The routing policy, or `None` if it does not set one.
    fn policy(&self) -> Option<&PolicySpec> {
        None
    }

    /// The scheduled periods of the workload that it defines.
    fn phases(&self) -> Vec<ScheduledPeriodSpec> {
        Vec::new()
    }

    /// The new values that the window offers as buttons.
    fn steps(&self) -> Vec<Step<Self>> {
        Vec::new()
    }
}

/// A fault of a part. Its `Display` is a label for plots: `down`, `3 times slower`.
pub trait PartFault: Clone + fmt::Debug + fmt::Display + PartialEq + Serialize + DeserializeOwned {
    /// Its name in a scenario. No other part has a fault of the same name.
    fn name(&self) -> &'static str;

    /// Whether two of them at the same time do more than one: two added latencies do, two outages do not.
    fn adds_up(&self) -> bool;

    /// Whether nodes answer requests with errors because of it.
    fn fails_requests(&self) -> bool {
        false
    }
}

/// The faults of a part that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoFault {}

impl fmt::Display for NoFault {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl PartFault for NoFault {
    fn name(&self) -> &'static str {
        match *self {}
    }

    fn adds_up(&self) -> bool {
        match *self {}
    }
}

/// Whether a fault begins or ends, with its number among the faults of the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultEdge {
    /// It begins.
    Begins(u32),
    /// It ends.
    Ends(u32),
}

/// A button that changes a setting: its label, its tooltip, and the new value.
pub type Step<S> = (&'static str, &'static str, S);

/// The steps of a setting with a rate: 20 % less and 25 % more, so that each undoes the other. `scaled` returns the
/// setting with its rate multiplied by a factor, or `None` if that is not possible.
pub fn steps_of_rate<S>(tooltip: &'static str, scaled: impl Fn(f64) -> Option<S>) -> Vec<Step<S>> {
    const STEP: f64 = 1.25;
    let step = |label, factor| Some((label, tooltip, scaled(factor)?));
    [step("− 20 %", 1.0 / STEP), step("+ 25 %", STEP)].into_iter().flatten().collect()
}
