//! How servers go down and come up again, and how a group of servers grows and shrinks.
//!
//! All members that a group may ever have are built at the start. Those that are not there are [absent](NodeState::Absent).
//! A group that grows takes back members that still drain, and then starts absent ones, the first ones first. One that
//! shrinks retires its last members, whatever their state is.

use std::ops::Range;

use super::program::RUN;
use super::{Server, ServerConfig, View};
use crate::engine::distribution::Sampler;
use crate::engine::random::RandomStream;
use crate::engine::row::Row;
use crate::engine::statistics::TimeWeighted;
use crate::engine::time::SimTime;
use crate::event::{Event, RequestRow};
use crate::model::Context;
use crate::model::node_state::NodeState;
use crate::model::part::Part;

/// What only a server of a group that grows and shrinks has.
#[derive(Clone, Debug)]
pub(super) struct Resizing {
    /// Time from the start of the server to its first request.
    boot: Sampler,
    /// Random stream of this time.
    stream: RandomStream,
    /// Number of the last start: a boot of an earlier one was given up.
    start: u32,
    /// For each of [`TIMED`], 1 while it is in this state, over time.
    times: [TimeWeighted; TIMED.len()],
}

/// The states of a server whose times are measured.
const TIMED: [NodeState; 3] = [NodeState::Up, NodeState::Booting, NodeState::Draining];

impl Resizing {
    /// A server that is in this state at the start of the run.
    pub(super) fn new(boot: Sampler, stream: RandomStream, state: NodeState) -> Self {
        let times = std::array::from_fn(|_| TimeWeighted::default());
        let mut server = Self { boot, stream, start: 0, times };
        server.enter(state, SimTime::ZERO);
        server
    }

    fn enter(&mut self, state: NodeState, now: SimTime) {
        for (time, timed) in self.times.iter_mut().zip(TIMED) {
            time.set(now, u32::from(state == timed));
        }
    }

    /// Resets statistics at the end of the warm-up.
    pub(super) fn restart(&mut self, now: SimTime) {
        self.times.iter_mut().for_each(|time| time.restart(now));
    }

    /// 1 while it is in one of the [`TIMED`] states, over time.
    pub(super) fn time_in(&self, state: NodeState) -> &TimeWeighted {
        let position = TIMED.iter().position(|timed| *timed == state);
        &self.times[position.expect("its time is measured")]
    }
}

impl View<'_> {
    /// Takes servers down. Returns the requests lost by it: first those in service, in the order of their completions,
    /// then those that take steps, in the order of their creation, then those in queues, in the order of the queues.
    /// A server that is already down, or not there, does not change. One that drains is then absent.
    pub(super) fn take_down<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        rows: &Range<u32>,
    ) -> Vec<RequestRow> {
        let is_completion = |event: &Event| {
            matches!(event, Event::Wake { node, .. }
                if node.kind() == Server::KIND && rows.contains(&node.row()))
        };
        let completions = context.queue.remove_where(|event| is_completion(&event.unpack()));
        let mut lost = Vec::new();
        for (_, event) in completions {
            let Event::Wake { node, request } = event.unpack() else { continue };
            let row = Row::new(node.row());
            if self.service[row].program.is_some() {
                continue;
            }
            self.lose_in_service(context, row, request);
            lost.push(request);
        }
        for row in rows.clone().map(Row::new) {
            let faults = self.configs[row].faults.as_mut();
            let halted: Vec<RequestRow> =
                faults.into_iter().flat_map(|faults| faults.take_halted()).collect();
            if self.service[row].program.is_none() {
                halted.iter().for_each(|request| self.lose_in_service(context, row, *request));
                lost.extend(halted);
            }
        }
        for request in self.take_from_programs(context, rows) {
            let row = Row::new(context.requests.get(request).server.row());
            let slots = self.slots_of(&context.requests, row, request);
            self.in_flight[row].level.subtract(context.now, slots);
            self.configs[row].lost += 1;
            lost.push(request);
        }
        for row in rows.clone().map(Row::new) {
            let before = lost.len();
            while let Some((request, _)) = self.queues[row].pop(&mut context.requests, context.now) {
                lost.push(request);
            }
            lost.extend(self.queues[row].take_shed());
            let from_queue = &lost[before..];
            self.configs[row].lost += from_queue.len() as u64;
            if FULL && let Some(rules) = self.rules(row) {
                rules.clear();
                from_queue.iter().for_each(|request| context.cancel_pending(*request));
            }
            let state = match self.configs[row].state {
                NodeState::Absent | NodeState::Draining => NodeState::Absent,
                NodeState::Booting | NodeState::Up | NodeState::Down => NodeState::Down,
            };
            self.set_state(context, row, state);
        }
        lost
    }

    /// Accounts for a request that is lost while a server without steps serves it.
    fn lose_in_service<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        request: RequestRow,
    ) {
        self.in_flight[row].level.decrement(context.now);
        self.configs[row].lost += 1;
        let served = context.requests.get_mut(request);
        served.service += context.now.since(served.since);
    }

    /// Brings a server up that is down, unless something else keeps it down: empty, and with its configured slots and
    /// capacity.
    pub(super) fn bring_up<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, row: Row<Server>) {
        let config = &self.configs[row];
        if config.state == NodeState::Down {
            let state = config.present_state();
            self.set_state(context, row, state);
        }
    }

    /// Makes the group in `rows` grow or shrink to a number of members.
    pub(super) fn resize<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        rows: Range<u32>,
        count: u32,
    ) {
        let by_state = |is_one: fn(NodeState) -> bool| -> Vec<Row<Server>> {
            rows.clone().map(Row::new).filter(|row| is_one(self.configs[*row].state)).collect()
        };
        let members = by_state(NodeState::is_member);
        let draining = by_state(|state| state == NodeState::Draining);
        let absent = by_state(|state| state == NodeState::Absent);
        let count = count as usize;
        for row in members.iter().skip(count).rev() {
            self.retire(context, *row);
        }
        let missing = count.saturating_sub(members.len());
        for row in draining.iter().take(missing) {
            self.set_state(context, *row, NodeState::Up);
        }
        for row in absent.iter().take(missing.saturating_sub(draining.len())) {
            self.start(context, *row);
        }
    }

    /// Starts an absent server. It is up when it has booted.
    fn start<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, row: Row<Server>) {
        self.configs[row].is_taken_down = false;
        self.set_paused(context, row, false);
        let state = self.configs[row].present_state();
        let Some(resizing) = &mut self.configs[row].resizing else { return };
        let boot = resizing.boot.sample_duration(&mut resizing.stream);
        resizing.start = (resizing.start + 1) % RUN;
        if boot.is_zero() {
            self.set_state(context, row, state);
        } else {
            let timer = Event::Timer { node: Server::node(row), timer: resizing.start };
            context.queue.schedule(context.now + boot, timer.pack());
            self.set_state(context, row, NodeState::Booting);
        }
    }

    /// Ends the boot of a server, unless it was given up.
    pub(super) fn end_boot<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        start: u32,
    ) {
        let config = &self.configs[row];
        let ServerConfig { state, resizing, .. } = config;
        if *state == NodeState::Booting && resizing.as_ref().is_some_and(|one| one.start == start) {
            let state = config.present_state();
            self.set_state(context, row, state);
        }
    }

    /// Makes a member of a group leave: at once, or when it has completed its requests.
    fn retire<const FULL: bool>(&mut self, context: &mut Context<'_, FULL>, row: Row<Server>) {
        let is_up = self.configs[row].state == NodeState::Up;
        let state = if is_up && !self.is_empty(row) { NodeState::Draining } else { NodeState::Absent };
        self.set_state(context, row, state);
    }

    /// Lets a server that drains leave if it has completed its requests.
    #[cold]
    pub(super) fn leave_if_empty<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
    ) {
        if self.is_empty(row) {
            self.set_state(context, row, NodeState::Absent);
        }
    }

    fn is_empty(&self, row: Row<Server>) -> bool {
        let branches = self.service[row].program.as_ref().map_or(0, |program| program.branches);
        self.in_flight[row].level.level() == 0 && self.queues[row].depth.level() == 0 && branches == 0
    }

    /// Sets the state of a server, and puts it into effect: its slots, the capacity of its queue, and whether it is a
    /// target of the nodes that route to its group.
    fn set_state<const FULL: bool>(
        &mut self,
        context: &mut Context<'_, FULL>,
        row: Row<Server>,
        state: NodeState,
    ) {
        let config = &mut self.configs[row];
        let before = std::mem::replace(&mut config.state, state);
        if before == state {
            return;
        }
        config.count_rejections(before.serves(), state.serves(), self.counters[row].rejected);
        config.log.change(context.now, |period| period.state = state);
        if let Some(resizing) = &mut config.resizing {
            resizing.enter(state, context.now);
        }
        let capacity = if state.serves() { config.capacity } else { 0 };
        self.queues[row].set_capacity(capacity);
        self.in_flight[row].is_draining = state == NodeState::Draining;
        if before.is_target() != state.is_target() {
            context.routers.lists.set_present(Server::node(row), state.is_target());
        }
        if self.in_flight[row].concurrency == self.configs[row].active_slots() {
            // Otherwise applying the slots traces the state as well.
            self.trace_capacity(context, row);
        }
        self.apply_slots(context, row);
    }
}
