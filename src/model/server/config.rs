//! What a server is set up to, and how that changes while a run goes on: slots, service, room in the queue, down and up.
//!
//! What the hot path reads is what holds at the moment: a server that is down has no slots and no room, so that whoever
//! comes is rejected without a question of its own. What it is set up to is kept aside here until it is up again.

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

/// What a server is set up to, whether or not it is up.
#[derive(Component, Clone, Debug)]
pub struct ServerConfig {
    /// The slots that it offers, over time: those that it is set up to, more while requests are in service that began
    /// before there were fewer, and none while it is down.
    pub slots: TimeWeighted,
    /// How many requests it serves at the same time when it is up.
    pub concurrency: u32,
    /// How many may wait when it is up.
    pub capacity: u32,
    /// Requests that were lost when it went down: those in service and those that waited.
    pub lost: u64,
    /// What it could do so far.
    pub log: CapacityLog,
    /// Requests that it rejected while it was down, until it was up again the last time.
    rejected_in_past_outages: u64,
    /// How many requests it had rejected when it went down, if it is down.
    rejected_when_it_went_down: Option<u64>,
}

impl ServerConfig {
    /// A server that is up, with so many slots, room for so many requests to wait, and this service time.
    #[must_use]
    pub(super) fn new(concurrency: u32, queue: &WaitQueue, time: &Sampler) -> Self {
        let mut slots = TimeWeighted::default();
        slots.set(SimTime::ZERO, concurrency);
        Self {
            slots,
            concurrency,
            capacity: queue.capacity(),
            lost: 0,
            log: CapacityLog::new(concurrency, mean_seconds(time)),
            rejected_in_past_outages: 0,
            rejected_when_it_went_down: None,
        }
    }

    /// Whether the server is down at the moment.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.rejected_when_it_went_down.is_some()
    }

    /// How many requests it rejected while it was down, if it has rejected `rejected` in all.
    #[must_use]
    pub fn rejected_while_down(&self, rejected: u64) -> u64 {
        self.rejected_in_past_outages + self.rejected_when_it_went_down.map_or(0, |before| rejected - before)
    }
}

fn mean_seconds(time: &Sampler) -> f64 {
    time.mean() / 1e9
}

impl View<'_> {
    /// Something changes about the servers in some rows. Returns the requests that are lost by it.
    #[cold]
    pub(super) fn change(
        &mut self,
        context: &mut Context<'_>,
        rows: Range<u32>,
        setting: &ServerSetting,
    ) -> Vec<RequestRow> {
        match setting {
            ServerSetting::Down => return self.take_down(context, &rows),
            ServerSetting::Up => rows.for_each(|row| self.bring_up(context, Row::new(row))),
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

    /// A server serves so many requests at the same time from now on (1 or more). With more slots those who wait are taken
    /// into service at once, in order; with fewer, what is in service is served to its end.
    fn set_concurrency(&mut self, context: &mut Context<'_>, row: Row<Server>, concurrency: u32) {
        let setup = &mut self.setups[row];
        setup.concurrency = concurrency;
        setup.log.change(context.now, |period| period.slots = concurrency);
        if !setup.is_down() {
            self.apply_slot_limit(context, row, concurrency);
        }
    }

    /// Services of a server that begin from now on take as long as `time` says.
    fn set_service(&mut self, context: &mut Context<'_>, row: Row<Server>, time: &Sampler) {
        let service = &mut self.service[row];
        service.time = time.clone();
        service.lane = lane(time, context.queue);
        self.setups[row].log.change(context.now, |period| period.service = mean_seconds(time));
    }

    /// From now on a request finds room in a server's queue if fewer than so many wait. Those who wait stay.
    fn set_capacity(&mut self, context: &mut Context<'_>, row: Row<Server>, capacity: u32) {
        self.setups[row].capacity = capacity;
        if !self.setups[row].is_down() {
            self.queues[row].set_capacity(capacity);
            self.trace_holds(context, row);
        }
    }

    /// Servers go down: all that they are working on and all that waits there is lost. Returns those requests: in the
    /// order in which they would have been served to their end, then as they waited. Nothing happens to servers that are
    /// down already.
    fn take_down(&mut self, context: &mut Context<'_>, rows: &Range<u32>) -> Vec<RequestRow> {
        let is_theirs = |event: &Event| match event {
            Event::Wake { node, .. } => node.kind() == Server::KIND && rows.contains(&node.row()),
            Event::Deliver { .. }
            | Event::Respond { .. }
            | Event::Lost { .. }
            | Event::WarmedUp
            | Event::Sample { .. }
            | Event::Record
            | Event::Change { .. } => false,
        };
        let completions = context.queue.remove_where(|event| is_theirs(&event.unpack()));
        let mut lost = Vec::new();
        for (_, event) in completions {
            let Event::Wake { node, request } = event.unpack() else { continue };
            let row = Row::new(node.row());
            self.in_flight[row].level.decrement(context.now);
            self.setups[row].lost += 1;
            let served = context.requests.get_mut(request);
            served.service += context.now.since(served.since);
            lost.push(request);
        }
        for row in rows.clone().map(Row::new) {
            while let Some((request, _)) = self.queues[row].pop(&mut context.requests, context.now) {
                self.setups[row].lost += 1;
                lost.push(request);
            }
            self.queues[row].set_capacity(0);
            let setup = &mut self.setups[row];
            setup.rejected_when_it_went_down.get_or_insert(self.counters[row].rejected);
            setup.log.change(context.now, |period| period.up = false);
            self.apply_slot_limit(context, row, 0);
        }
        lost
    }

    /// A server is up again: empty, and as it is set up. Nothing happens to one that is up.
    fn bring_up(&mut self, context: &mut Context<'_>, row: Row<Server>) {
        let setup = &mut self.setups[row];
        if setup.is_down() {
            setup.rejected_in_past_outages = setup.rejected_while_down(self.counters[row].rejected);
            setup.rejected_when_it_went_down = None;
            setup.log.change(context.now, |period| period.up = true);
            let concurrency = setup.concurrency;
            self.queues[row].set_capacity(setup.capacity);
            self.apply_slot_limit(context, row, concurrency);
        }
    }

    /// From now on a server has so many slots; those who wait take the free ones.
    fn apply_slot_limit(&mut self, context: &mut Context<'_>, row: Row<Server>, slots: u32) {
        let in_flight = &mut self.in_flight[row];
        if in_flight.concurrency == slots {
            return;
        }
        in_flight.set_concurrency(slots);
        self.setups[row].slots.set(context.now, slots.max(in_flight.level.level()));
        self.trace_holds(context, row);
        let in_flight = &mut self.in_flight[row];
        while in_flight.level.level() < slots
            && let Some((request, wait)) = self.queues[row].pop(&mut context.requests, context.now)
        {
            in_flight.level.increment(context.now);
            self.counters[row].wait.record(wait.as_nanos());
            self.service[row].start(context, row, request);
        }
    }

    fn trace_holds(&self, context: &mut Context<'_>, row: Row<Server>) {
        let holds =
            NodeCapacity { slots: self.in_flight[row].concurrency, waiting: self.queues[row].bound() };
        let node = Server::node(row);
        context.tracer.record(context.now, RequestRow::NONE, || TraceEvent::NodeCapacity { node, holds });
    }
}
