//! The configured slots and queue capacity of a server, and how its settings change during a run: concurrency, service
//! time, queue capacity, down and up, pause and resume.
//!
//! The hot path reads the effective values: a server that is down has 0 slots and a queue capacity of 0, so arriving
//! requests are rejected without a special case. One that is paused has 0 slots, so they wait. The configured values are
//! kept here until the server is up again or resumes.

use std::ops::Range;

use bevy_ecs::prelude::*;

use super::{Server, ServerSetting, View, WaitQueue, lane};
use crate::engine::distribution::Sampler;
use crate::engine::row::Row;
use crate::engine::statistics::TimeWeighted;
use crate::engine::time::SimTime;
use crate::event::{Event, RequestRow};
use crate::model::Context;
use crate::model::build::CHECKED;
use crate::model::capacity::CapacityLog;
use crate::model::part::Part;
use crate::model::trace::{NodeCapacity, TraceEvent};

/// The configuration of a server, whether it is up or down.
#[derive(Component, Clone, Debug)]
pub struct ServerConfig {
    /// Number of slots over time, the denominator of utilization: 0 while down, otherwise the configured number, or the
    /// number of requests in service if that is higher because slots were removed.
    pub slots: TimeWeighted,
    /// Configured number of slots.
    pub concurrency: u32,
    /// Configured capacity of the queue.
    pub capacity: u32,
    /// Requests in service or waiting that were lost when the server went down.
    pub lost: u64,
    /// Slots, service time and availability over the run so far.
    pub log: CapacityLog,
    /// Whether it is paused.
    paused: bool,
    /// Requests rejected in outages that are over.
    rejected_in_past_outages: u64,
    /// Number of rejected requests at the start of the current outage, or `None` if the server is up.
    rejected_when_it_went_down: Option<u64>,
}

impl ServerConfig {
    /// The configuration of a server that is up, with `concurrency` slots, the capacity of `queue`, and `time` as
    /// service time.
    #[must_use]
    pub(super) fn new(concurrency: u32, queue: &WaitQueue, time: &Sampler) -> Self {
        let mut slots = TimeWeighted::default();
        slots.set(SimTime::ZERO, concurrency);
        Self {
            slots,
            concurrency,
            capacity: queue.capacity(),
            lost: 0,
            log: CapacityLog::new(concurrency, time),
            paused: false,
            rejected_in_past_outages: 0,
            rejected_when_it_went_down: None,
        }
    }

    /// Whether the server is down.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.rejected_when_it_went_down.is_some()
    }

    /// The number of slots in effect.
    const fn active_slots(&self) -> u32 {
        if self.paused || self.is_down() { 0 } else { self.concurrency }
    }

    /// Number of requests rejected while the server was down. `rejected` is the total number of rejected requests.
    #[must_use]
    pub fn rejected_while_down(&self, rejected: u64) -> u64 {
        self.rejected_in_past_outages + self.rejected_when_it_went_down.map_or(0, |before| rejected - before)
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
            ServerSetting::Down => return self.take_down(context, &rows),
            ServerSetting::Up => rows.for_each(|row| self.bring_up(context, Row::new(row))),
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
                rows.for_each(|row| self.set_capacity(context, Row::new(row), queue.capacity()));
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
        let config = &mut self.configs[row];
        config.concurrency = concurrency;
        config.log.change(context.now, |period| period.slots = concurrency);
        self.apply_slots(context, row);
    }

    /// Pauses or resumes a server: services in progress are completed, and waiting requests stay.
    fn set_paused<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        paused: bool,
    ) {
        let config = &mut self.configs[row];
        config.paused = paused;
        config.log.change(context.now, |period| period.paused = paused);
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
        self.configs[row].log.change(context.now, |period| *period = period.serving(time));
    }

    /// Sets the capacity of the queue. Requests that already wait stay, even above the new capacity.
    fn set_capacity<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        capacity: u32,
    ) {
        self.configs[row].capacity = capacity;
        if !self.configs[row].is_down() {
            self.queues[row].set_capacity(capacity);
            self.trace_capacity(context, row);
        }
    }

    /// Takes servers down. Returns the requests lost by it: first those in service, in the order of their completions,
    /// then those that wait for calls, in the order of their creation, then those in queues, in the order of the queues. A server that is already down does not change.
    fn take_down<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        rows: &Range<u32>,
    ) -> Vec<RequestRow> {
        let is_completion = |event: &Event| match event {
            Event::Wake { node, .. } => node.kind() == Server::KIND && rows.contains(&node.row()),
            Event::Deliver { .. }
            | Event::Respond { .. }
            | Event::Lost { .. }
            | Event::WarmedUp
            | Event::Sample { .. }
            | Event::Record
            | Event::Change { .. } => false,
        };
        let completions = context.queue.remove_where(|event| is_completion(&event.unpack()));
        let mut lost = Vec::new();
        for (_, event) in completions {
            let Event::Wake { node, request } = event.unpack() else { continue };
            let row = Row::new(node.row());
            self.in_flight[row].level.decrement(context.now);
            self.configs[row].lost += 1;
            let served = context.requests.get_mut(request);
            served.service += context.now.since(served.since);
            lost.push(request);
        }
        for request in self.take_waiting_for_calls(context, rows) {
            let row = Row::new(context.requests.get(request).server.row());
            self.in_flight[row].level.decrement(context.now);
            self.configs[row].lost += 1;
            lost.push(request);
        }
        for row in rows.clone().map(Row::new) {
            while let Some((request, _)) = self.queues[row].pop(&mut context.requests, context.now) {
                self.configs[row].lost += 1;
                lost.push(request);
            }
            self.queues[row].set_capacity(0);
            let config = &mut self.configs[row];
            config.rejected_when_it_went_down.get_or_insert(self.counters[row].rejected);
            config.log.change(context.now, |period| period.up = false);
            self.apply_slots(context, row);
        }
        lost
    }

    /// Brings a server up, empty and with its configured slots and capacity. A server that is already up does not
    /// change.
    fn bring_up<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, row: Row<Server>) {
        let config = &mut self.configs[row];
        if config.is_down() {
            config.rejected_in_past_outages = config.rejected_while_down(self.counters[row].rejected);
            config.rejected_when_it_went_down = None;
            config.log.change(context.now, |period| period.up = true);
            self.queues[row].set_capacity(config.capacity);
            self.apply_slots(context, row);
        }
    }

    /// Puts the number of slots into effect. Waiting requests take the free ones.
    fn apply_slots<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, row: Row<Server>) {
        let slots = self.configs[row].active_slots();
        let in_flight = &mut self.in_flight[row];
        if in_flight.concurrency == slots {
            return;
        }
        in_flight.set_concurrency(slots);
        self.configs[row].slots.set(context.now, slots.max(in_flight.level.level()));
        self.trace_capacity(context, row);
        let in_flight = &mut self.in_flight[row];
        while in_flight.level.level() < slots
            && let Some((request, wait)) = self.queues[row].pop(&mut context.requests, context.now)
        {
            in_flight.level.increment(context.now);
            self.counters[row].wait.record(wait.as_nanos());
            self.service[row].start(context, row, request);
        }
    }

    fn trace_capacity<const FULL: bool>(&self, context: &mut Context<'_, FULL>, row: Row<Server>) {
        let holds =
            NodeCapacity { slots: self.in_flight[row].concurrency, waiting: self.queues[row].bound() };
        let node = Server::node(row);
        context.trace(RequestRow::NONE, || TraceEvent::NodeCapacity { node, holds });
    }
}
