//! What a room has to answer about its part. Whatever is general (the root of a scenario, names, the order of building,
//! dispatch, the timeline, summaries, reports, the window) asks these questions of every part in the list
//! ([`parts`](super::parts)) and is never told of a kind.

use std::fmt;
use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;

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
use crate::engine::row::Row;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Node, NodeKind, PackedEvent, RequestRow};
use crate::text::Path;

/// A kind of node.
pub trait Part: Measurable {
    /// Its kind.
    const KIND: NodeKind;
    /// What is said of it.
    const DESCRIPTION: Description;
    /// All that it counts and how it is read, in the order in which it is reported.
    const FIGURES: &'static [FigureReader<Self>];
    /// What it is when one of them wakes up.
    const WAKING: EventKind = EventKind::Served;

    /// What a person writes.
    type Spec;
    /// What can change of it while a run goes on.
    type Setting: PartSetting;

    /// How many there are; a single one without a number if it is not given.
    fn count(spec: &Self::Spec) -> Option<u32>;

    /// The names that it sends requests to.
    fn sends_to(spec: &Self::Spec) -> Vec<&str>;

    /// How it picks where it sends, if it is one that picks.
    fn routing(_: &Self::Spec) -> Option<Routing<'_>> {
        None
    }

    /// How many requests it can hold when the run begins, if it is one that works on them.
    fn holds(_: &Self::Spec) -> Option<NodeCapacity> {
        None
    }

    /// The limits that it sets to what is measured, or acts upon, if it is called `owner`: those of its policy.
    fn limits(spec: &Self::Spec, owner: &str) -> Vec<Limit> {
        Self::routing(spec).map_or_else(Vec::new, |routing| routing.limits(owner))
    }

    /// What can be set of it, as it is written.
    fn settings(spec: &Self::Spec) -> Vec<Self::Setting>;

    /// What takes it out of service, and what brings it back, if it can be.
    fn outage() -> Option<[Self::Setting; 2]> {
        None
    }

    /// Complains of what cannot be.
    fn check(spec: &Self::Spec, path: &Path, checker: &mut Checker<'_>);

    /// Complains of a setting at `path` that cannot be set for the nodes that are written like this.
    fn check_setting(setting: &Self::Setting, path: &Path, of: &[&Self::Spec], checker: &mut Checker<'_>);

    /// Spawns the nodes of an entry, in order, and schedules their first events.
    fn build(spec: &Self::Spec, entry: &NamedGroup, builder: &mut Builder<'_>);

    /// A request reaches a node. Returns what follows in the same instant.
    fn deliver(
        view: &mut Self::View<'_>,
        context: &mut Context<'_>,
        row: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent>;

    /// The response to a request that passed a node reaches it on its way back. Returns what follows in the same instant.
    #[inline(always)]
    fn respond(
        _: &mut Self::View<'_>,
        context: &mut Context<'_>,
        _: Row<Self>,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        context.reply(request)
    }

    /// Something is due at a node. Returns the request that it is about, and what follows in the same instant.
    #[inline(always)]
    fn wake(
        _: &mut Self::View<'_>,
        _: &mut Context<'_>,
        _: Row<Self>,
        request: RequestRow,
    ) -> (RequestRow, Option<PackedEvent>) {
        (request, None)
    }

    /// Something changes about some nodes. Returns the requests that are lost by it, in order.
    fn change(
        view: &mut Self::View<'_>,
        context: &mut Context<'_>,
        rows: Range<u32>,
        setting: &Self::Setting,
    ) -> Vec<RequestRow>;

    /// The warm-up is over: statistics begin anew.
    fn restart(_: &mut Self::View<'_>, _now: SimTime) {}

    /// A window of the timeline ends: what takes many samples, such as a percentile, is worked out of those of the window.
    fn close_window(_: &mut Self::View<'_>) {}

    /// What a node could do so far, if it is one that works.
    fn capacity<'v>(_: &'v Self::View<'_>, _: Row<Self>) -> Option<&'v CapacityLog> {
        None
    }

    /// The node in a row.
    #[inline]
    fn node(row: Row<Self>) -> Node {
        Node::new(Self::KIND, row.number())
    }
}

/// What is said of a kind of node.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// What it is called: `load balancer`.
    pub name: &'static str,
    /// The heading of what is told of all of them: `Load balancers`.
    pub title: &'static str,
    /// Whether requests can be sent to it.
    pub receives: bool,
    /// Whether its responses report its load.
    pub reports_load: bool,
    /// Whether it turns requests away on purpose.
    pub sheds: bool,
    /// Columns of the table in a terminal; there is no table without one.
    pub terminal: &'static [FigureColumn],
    /// Columns of the table in a report.
    pub report: &'static [FigureColumn],
    /// What the busiest of many are found by: the first figure, and where it is equal the next.
    pub ranked_by: &'static [&'static Figure],
}

/// What happens, as the fingerprint tells it apart. A change of a number changes the fingerprint of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EventKind {
    /// A request is created.
    Created = 1,
    /// A request reaches a node.
    Delivered = 2,
    /// A node has done its work on a request, or something else is due there.
    Served = 3,
    /// A response reaches a node.
    Responded = 4,
    /// A request is lost.
    Lost = 5,
    /// A node is changed.
    Changed = 6,
}

/// Who takes note of what happens to nodes: the fingerprint of a run.
pub trait Observer {
    /// Something happens to the node of a kind in a row; it is about the request with this number.
    fn observe(&mut self, what: EventKind, kind: NodeKind, row: u32, now: SimTime, number: u32);

    /// The last place for a request was taken: there has to be room before the next event.
    fn out_of_room(&mut self);
}

/// A phase of the workload that is known beforehand: from when, until when if it passes, and what it is like.
pub type ScheduledPeriodSpec = (SimDuration, Option<SimDuration>, String);

/// What can change of a part. MetricDisplay, it is a few words for plots: `down`, `concurrency 20`.
pub trait PartSetting: Clone + fmt::Debug + fmt::Display + PartialEq + Serialize + DeserializeOwned {
    /// Its name as it is written: no other part has a setting of this name.
    fn name(&self) -> &'static str;

    /// What it is about: a setting lasts until another one about the same is made.
    fn topic(&self) -> &'static str {
        self.name()
    }

    /// Whether it is the ordinary state of what it is about, and no phase of its own.
    fn is_ordinary(&self) -> bool {
        false
    }

    /// The policy that it sets, if it does.
    fn policy(&self) -> Option<&PolicySpec> {
        None
    }

    /// The phases that come with it.
    fn phases(&self) -> Vec<ScheduledPeriodSpec> {
        Vec::new()
    }

    /// What is often made of it at a click.
    fn steps(&self) -> Vec<Step<Self>> {
        Vec::new()
    }
}

/// What a click makes of a setting: what is written on the button, more about it, and the setting.
pub type Step<S> = (&'static str, &'static str, S);

/// The steps of what has a rate: a fifth less and a quarter more, so that one click undoes the other. `more` tells of what,
/// and `times` is the setting with so many times the rate, if there can be such a rate.
pub fn steps_of_rate<S>(more: &'static str, times: impl Fn(f64) -> Option<S>) -> Vec<Step<S>> {
    const STEP: f64 = 1.25;
    let step = |label, factor| Some((label, more, times(factor)?));
    [step("− 20 %", 1.0 / STEP), step("+ 25 %", STEP)].into_iter().flatten().collect()
}
