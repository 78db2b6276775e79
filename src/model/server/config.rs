//! The configured slots and queue capacity of a server, and how its settings change during a run: concurrency, service
//! time, queue capacity, pause and resume. [`lifecycle`](super::lifecycle) changes its state.
//!
//! The hot path reads the effective values: a server that does not serve, because it is down or not there, has 0 slots and
//! a queue capacity of 0, so arriving requests are rejected without a special case. One that is paused has 0 slots, so
//! they wait. The configured values are kept here until the server serves again or resumes.

use std::ops::Range;

use bevy_ecs::prelude::*;

use super::fault::ServerFaults;
use super::lifecycle::Resizing;
use super::slowdown::efficiency;
use super::spec::UNLIMITED;
use super::{Server, ServerSetting, View, WaitQueue, lane};
use crate::engine::distribution::Sampler;
use crate::engine::row::Row;
use crate::engine::statistics::TimeWeighted;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::RequestRow;
use crate::model::Context;
use crate::model::build::CHECKED;
use crate::model::capacity::{CapacityLog, CapacityPeriod};
use crate::model::node_state::NodeState;
use crate::model::part::Part;
use crate::model::trace::{NodeCapacity, TraceEvent};

/// The configuration of a server, whatever its state is.
#[derive(Component, Clone, Debug)]
pub struct ServerConfig {
    /// Number of slots over time, the denominator of utilization: 0 while it does not serve, otherwise the configured
    /// number, or the number of requests in service if that is higher because slots were removed.
    pub slots: TimeWeighted,
    /// Configured number of slots.
    pub concurrency: u32,
    /// Whether the number of slots was limited at the start of the run.
    pub(super) has_slots: bool,
    /// Configured capacity of the queue.
    pub capacity: u32,
    /// Requests in service or waiting that were lost when the server went down.
    pub lost: u64,
    /// Calls in service or waiting that were cancelled by their callers.
    pub cancelled: u64,
    /// Time of services and steps for calls that their callers had given up when these ended.
    pub wasted: SimDuration,
    /// Requests that left the queue because their patience ended.
    pub reneged: u64,
    /// Requests that were rejected although the queue had room, because they did not join it.
    pub balked: u64,
    /// Requests that the queue shed.
    pub shed: u64,
    /// Slots, service time and availability over the run so far.
    pub log: CapacityLog,
    /// Whether a change has paused it.
    paused: bool,
    /// Whether a change has taken it down.
    pub(super) is_taken_down: bool,
    /// The faults in effect, if it may have any.
    pub(super) faults: Option<Box<ServerFaults>>,
    /// Its state.
    pub state: NodeState,
    /// What it has only if its group grows and shrinks.
    pub(super) resizing: Option<Box<Resizing>>,
    /// Requests rejected in earlier times in which it did not serve.
    rejected_in_past_outages: u64,
    /// Number of rejected requests when it last stopped serving, or `None` while it serves.
    rejected_when_it_stopped: Option<u64>,
}

impl ServerConfig {
    /// The configuration of a server that is in this state at the start, with `concurrency` slots of this efficiency, the
    /// capacity of `queue`, and `time` as service time. `resizing` is what it has only if its group grows and shrinks.
    #[must_use]
    pub(super) fn new(
        state: NodeState,
        concurrency: u32,
        efficiency: f64,
        queue: &WaitQueue,
        time: &Sampler,
        resizing: Option<Resizing>,
    ) -> Self {
        let mut slots = TimeWeighted::default();
        slots.set(SimTime::ZERO, if state.serves() { concurrency } else { 0 });
        Self {
            slots,
            concurrency,
            has_slots: concurrency < UNLIMITED,
            capacity: queue.capacity(),
            lost: 0,
            cancelled: 0,
            wasted: SimDuration::ZERO,
            reneged: 0,
            balked: 0,
            shed: 0,
            log: CapacityLog::new(state, concurrency, time).with_efficiency(efficiency),
            paused: false,
            is_taken_down: false,
            faults: None,
            state,
            resizing: resizing.map(Box::new),
            rejected_in_past_outages: 0,
            rejected_when_it_stopped: (!state.serves()).then_some(0),
        }
    }

    /// Whether the server is down.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.state == NodeState::Down
    }

    /// The state of the server when it is there: up, unless something keeps it down.
    pub(super) fn present_state(&self) -> NodeState {
        let is_crashed = self.faults.as_ref().is_some_and(|faults| faults.is_crashed());
        if self.is_taken_down || is_crashed { NodeState::Down } else { NodeState::Up }
    }

    /// Whether a change or a fault has paused it.
    fn is_paused(&self) -> bool {
        self.paused || self.faults.as_ref().is_some_and(|faults| faults.is_paused())
    }

    /// The number of slots when it serves and is not paused: those that faults leave of the configured ones.
    fn slots_left(&self) -> u32 {
        self.faults.as_ref().map_or(self.concurrency, |faults| faults.slots_left(self.concurrency))
    }

    /// The number of slots in effect.
    pub(super) fn active_slots(&self) -> u32 {
        if self.is_paused() || !self.state.serves() { 0 } else { self.slots_left() }
    }

    /// Number of requests rejected while the server did not serve. `rejected` is the total number of rejected requests.
    #[must_use]
    pub fn rejected_while_down(&self, rejected: u64) -> u64 {
        self.rejected_in_past_outages + self.rejected_when_it_stopped.map_or(0, |before| rejected - before)
    }

    /// Notes whether the server served before and whether it does now, with the total number of rejected requests.
    pub(super) fn count_rejections(&mut self, served: bool, serves: bool, rejected: u64) {
        if served && !serves {
            self.rejected_when_it_stopped = Some(rejected);
        } else if serves && !served {
            self.rejected_in_past_outages = self.rejected_while_down(rejected);
            self.rejected_when_it_stopped = None;
        }
    }
}

impl View<'_> {
    /// Applies a setting to the servers in `rows`. Returns the requests that are lost by it.
    #[cold]
    pub(super) fn change<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        setting: &ServerSetting,
    ) -> Vec<RequestRow> {
        match setting {
            ServerSetting::Down => {
                rows.clone().for_each(|row| self.configs[Row::new(row)].is_taken_down = true);
                return self.take_down(context, &rows);
            }
            ServerSetting::Up => rows.map(Row::new).for_each(|row| {
                self.configs[row].is_taken_down = false;
                self.bring_up(context, row);
            }),
            ServerSetting::Count(count) => self.resize(context, rows, *count),
            ServerSetting::Pause => rows.for_each(|row| self.set_paused(context, Row::new(row), true)),
            ServerSetting::Resume => rows.for_each(|row| self.set_paused(context, Row::new(row), false)),
            ServerSetting::Concurrency(slots) => {
                rows.for_each(|row| self.set_concurrency(context, Row::new(row), *slots));
            }
            ServerSetting::Service(service) => {
                let time = service.resolve().expect(CHECKED);
                rows.for_each(|row| self.set_service(context, Row::new(row), &time));
            }
            ServerSetting::Queue(queue) => {
                rows.map(Row::new).for_each(|row| {
                    self.queues[row].adapt(queue);
                    self.set_capacity(context, row, queue.capacity());
                });
            }
        }
        Vec::new()
    }

    /// Sets the number of slots (1 or more). With more slots, waiting requests enter service at once, in order; with
    /// fewer, requests in service are served to the end.
    fn set_concurrency<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        concurrency: u32,
    ) {
        self.configs[row].concurrency = concurrency;
        self.log_capacity(context, row);
        self.apply_slots(context, row);
    }

    /// Logs the capacity of a server after a change of its slots, its speed, or whether it is paused.
    pub(super) fn log_capacity<const FULL: bool>(&mut self, context: &Context<'_, FULL>, row: Row<Server>) {
        let (config, service) = (&mut self.configs[row], &self.service[row]);
        let (slots, paused) = (config.slots_left(), config.is_paused());
        let slowdown = service.program.as_ref().and_then(|program| program.slowdown.as_ref());
        let mut efficiency = efficiency(slowdown, slots);
        if let Some(faults) = config.faults.as_ref().filter(|_| service.program.is_some()) {
            efficiency /= faults.stretch();
        }
        config.log.change(context.now, |period| {
            *period = CapacityPeriod { slots, paused, efficiency, ..period.serving(&service.time) };
        });
    }

    /// Pauses or resumes a server: services in progress are completed, and waiting requests stay.
    pub(super) fn set_paused<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        paused: bool,
    ) {
        self.configs[row].paused = paused;
        self.log_capacity(context, row);
        self.apply_slots(context, row);
    }

    /// Sets the service time of services that start from now on.
    fn set_service<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        time: &Sampler,
    ) {
        let service = &mut self.service[row];
        service.time = time.clone();
        service.lane = lane(time, context.queue);
        if let Some(faults) = self.faults(row) {
            faults.full_time = time.clone();
        }
        self.apply_stretch(context, row);
        self.log_capacity(context, row);
    }

    /// Sets the capacity of the queue. Requests that already wait stay, even above the new capacity.
    fn set_capacity<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        capacity: u32,
    ) {
        self.configs[row].capacity = capacity;
        if self.configs[row].state.serves() {
            self.queues[row].set_capacity(capacity);
            self.trace_capacity(context, row);
        }
    }

    /// Puts the number of slots into effect. Waiting requests take the free ones.
    pub(super) fn apply_slots<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
    ) {
        let slots = self.configs[row].active_slots();
        let in_flight = &mut self.in_flight[row];
        if in_flight.concurrency == slots {
            return;
        }
        in_flight.set_concurrency(slots);
        self.configs[row].slots.set(context.now, slots.max(in_flight.level.level()));
        self.trace_capacity(context, row);
        if self.rules(row).is_some() {
            self.fill_slots(context, row);
            self.running(row).grant_cores(context);
            return;
        }
        let in_flight = &mut self.in_flight[row];
        while in_flight.level.level() < slots
            && let Some((request, wait)) = self.queues[row].pop_plain(&mut context.requests, context.now)
        {
            in_flight.level.increment(context.now);
            self.counters[row].wait.record(wait.as_nanos());
            self.service[row].start(context, row, request, wait);
        }
        if let Some(mut runner) = self.runner(row) {
            runner.grant_cores(context);
        }
    }

    /// Notes that a server has worked for a request for this time, in case it was in vain.
    pub(super) fn note_waste<const FULL: bool>(
        &mut self,
        context: &Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
        time: SimDuration,
    ) {
        if context.requests.is_in_vain(request) {
            self.configs[row].wasted += time;
        }
    }

    pub(super) fn trace_capacity<const FULL: bool>(&self, context: &mut Context<'_, FULL>, row: Row<Server>) {
        let holds = NodeCapacity {
            state: self.configs[row].state,
            slots: self.configs[row].active_slots(),
            waiting: self.queues[row].bound(),
        };
        let node = Server::node(row);
        context.trace(RequestRow::NONE, || TraceEvent::NodeCapacity { node, holds });
    }
}
