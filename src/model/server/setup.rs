//! What a server is set up to, and how that changes while a run goes on: slots, service, room in the queue, down and up.
//!
//! What the hot path reads is what holds at the moment: a server that is down has no slots and no room, so that whoever
//! comes is rejected without a question of its own. What it is set up to is kept aside here until it is up again.

use std::ops::Range;

use bevy_ecs::prelude::*;

use super::{ServersView, WaitQueue};
use crate::engine::distribution::Sampler;
use crate::engine::queue::{EventQueue, Lane};
use crate::engine::statistics::TimeWeighted;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{Event, PackedEvent, RequestRow};
use crate::model::Context;
use crate::model::witness::What;
use crate::request::NO_REQUEST;

/// What a server is set up to, whether or not it is up.
#[derive(Component, Clone, Debug)]
pub struct Setup {
    /// The slots that it offers, over time: those that it is set up to, more while requests are in service that began
    /// before there were fewer, and none while it is down.
    pub slots: TimeWeighted,
    /// How many requests it serves at the same time when it is up.
    pub concurrency: u32,
    /// How many may wait when it is up.
    pub capacity: u32,
    /// Requests that were lost when it went down: those in service and those that waited.
    pub lost: u64,
    /// Requests that it turned away while it was down, until it was up again the last time.
    refused: u64,
    /// How many requests it had turned away when it went down, if it is down.
    down: Option<u64>,
}

impl Setup {
    /// A server that is up, with so many slots and room for so many requests to wait.
    #[must_use]
    pub fn new(concurrency: u32, queue: &WaitQueue) -> Self {
        let mut slots = TimeWeighted::default();
        slots.set(SimTime::ZERO, concurrency);
        Self { slots, concurrency, capacity: queue.capacity(), lost: 0, refused: 0, down: None }
    }

    /// Whether the server is down at the moment.
    #[must_use]
    pub const fn is_down(&self) -> bool {
        self.down.is_some()
    }

    /// How many requests it turned away while it was down, if it has turned away `rejected` in all.
    #[must_use]
    pub fn refused(&self, rejected: u64) -> u64 {
        self.refused + self.down.map_or(0, |before| rejected - before)
    }
}

/// The lane for completions of a service time, if that is always the same and there is a lane left.
pub fn lane(time: &Sampler, queue: &mut EventQueue<PackedEvent>) -> Option<Lane> {
    time.as_constant().and_then(|nanos| queue.lane(SimDuration::from_nanos_f64(nanos)))
}

impl ServersView<'_> {
    /// What a server is set up to.
    #[must_use]
    pub const fn setup(&self, row: u32) -> &Setup {
        &self.setups[row as usize]
    }

    /// A server serves so many requests at the same time from now on (1 or more). With more slots those who wait are taken
    /// into service at once, in order; with fewer, what is in service is served to its end.
    #[cold]
    pub fn set_concurrency(&mut self, context: &mut Context<'_>, row: u32, concurrency: u32) {
        self.setups[row as usize].concurrency = concurrency;
        if !self.setups[row as usize].is_down() {
            self.offer(context, row, concurrency);
        }
    }

    /// Services of a server that begin from now on take as long as `time` says.
    #[cold]
    pub fn set_service(&mut self, context: &mut Context<'_>, row: u32, time: &Sampler) {
        let service = &mut self.service[row as usize];
        service.time = time.clone();
        service.lane = lane(time, context.queue);
    }

    /// From now on a request finds room in a server's queue if fewer than so many wait. Those who wait stay.
    #[cold]
    pub fn set_capacity(&mut self, row: u32, capacity: u32) {
        let at = row as usize;
        self.setups[at].capacity = capacity;
        if !self.setups[at].is_down() {
            self.queues[at].set_capacity(capacity);
        }
    }

    /// Servers go down: all that they are working on and all that waits there is lost. Returns those requests: in the
    /// order in which they would have been served to their end, then as they waited. Nothing happens to servers that are
    /// down already.
    #[cold]
    pub fn take_down(&mut self, context: &mut Context<'_>, rows: &Range<u32>) -> Vec<RequestRow> {
        let completions = context.queue.remove_where(
            |event| matches!(event.unpack(), Event::Complete { server, .. } if rows.contains(&server)),
        );
        let mut lost = Vec::new();
        for (_, event) in completions {
            let Event::Complete { server, request } = event.unpack() else { continue };
            let at = server as usize;
            self.in_flight[at].level.decrement(context.now);
            self.setups[at].lost += 1;
            let served = context.requests.get_mut(request);
            served.service += context.now.since(served.since);
            lost.push(request);
        }
        for row in rows.clone() {
            let at = row as usize;
            while let Some((request, _)) = self.queues[at].pop(&mut context.requests, context.now) {
                self.setups[at].lost += 1;
                lost.push(request);
            }
            self.queues[at].set_capacity(0);
            self.setups[at].down.get_or_insert(self.counters[at].rejected);
            self.offer(context, row, 0);
        }
        lost
    }

    /// A server is up again: empty, and as it is set up. Nothing happens to one that is up.
    #[cold]
    pub fn bring_up(&mut self, context: &mut Context<'_>, row: u32) {
        let at = row as usize;
        if self.setups[at].is_down() {
            self.setups[at].refused = self.setups[at].refused(self.counters[at].rejected);
            self.setups[at].down = None;
            self.queues[at].set_capacity(self.setups[at].capacity);
            self.offer(context, row, self.setups[at].concurrency);
        }
    }

    /// From now on a server offers so many slots; those who wait take the free ones.
    fn offer(&mut self, context: &mut Context<'_>, row: u32, concurrency: u32) {
        let at = row as usize;
        let in_flight = &mut self.in_flight[at];
        if in_flight.concurrency == concurrency {
            return;
        }
        in_flight.set_concurrency(concurrency);
        self.setups[at].slots.set(context.now, concurrency.max(in_flight.level.level()));
        context.witness.note(context.now, NO_REQUEST, || What::Slots { server: row, slots: concurrency });
        while in_flight.level.level() < concurrency
            && let Some((request, wait)) = self.queues[at].pop(&mut context.requests, context.now)
        {
            in_flight.level.increment(context.now);
            self.counters[at].wait.record(wait.as_nanos());
            self.service[at].start(context, row, request);
        }
    }
}
