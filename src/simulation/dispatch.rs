//! Dispatch: passes each event to its handler. No other module does.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

use super::{RunDigest, Status, TickWindow};
use crate::engine::hash::StableHasher;
use crate::engine::queue::EventQueue;
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Event, NO_LINK, NodeKind, NodeRange, PackedEvent, PerKind, RequestRow};
use crate::metrics::timeline::TimelineRecorder;
use crate::model::autoscaler::Autoscalers;
use crate::model::change::{Change, Changes};
use crate::model::fault::{Faults, Toggled, Victim};
use crate::model::link::{LineId, Links};
use crate::model::names::Names;
use crate::model::part::{EventKind, FaultEdge, Observer};
use crate::model::parts::{Fault, PartViews, Parts, Setting};
use crate::model::probe::{Probes, ProbesView};
use crate::model::routing::Routers;
use crate::model::trace::{TraceEvent, Tracer};
use crate::model::{Context, FollowUps, ReturnHops};
use crate::request::call::{CallPlace, CallState};
use crate::request::{Outcome, Request, Requests};

/// Hashes of the names of all nodes. The fingerprint uses them instead of rows, so that it does not change when an idle
/// node is added before other nodes.
#[derive(Resource, Clone, Debug)]
pub(super) struct NameHashes(PerKind<Vec<u64>>);

impl NameHashes {
    /// The hashes of all names.
    pub(super) fn of(names: &Names) -> Self {
        let members = |kind| names.entries_of(kind).flat_map(|entry| &entry.members);
        Self(PerKind::of(|kind| members(kind).map(|name| hash(name)).collect()))
    }

    /// The hashes as slices, which saves dispatch an indirection.
    fn view(&self) -> PerKind<&[u64]> {
        PerKind::of(|kind| self.0[kind].as_slice())
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = StableHasher::new();
    hasher.absorb_text(name);
    hasher.finish()
}

/// The resources and components that dispatch borrows.
#[derive(SystemParam)]
pub(super) struct DispatchParams<'w, 's> {
    queue: ResMut<'w, EventQueue<PackedEvent>>,
    requests: Requests<'w, 's>,
    links: Links<'w, 's>,
    routers: Routers<'w, 's>,
    return_hops: Res<'w, ReturnHops>,
    parts: Parts<'w, 's>,
    probes: Probes<'w, 's>,
    timeline: ResMut<'w, TimelineRecorder>,
    changes: Res<'w, Changes>,
    autoscalers: ResMut<'w, Autoscalers>,
    faults: ResMut<'w, Faults>,
    name_hashes: Res<'w, NameHashes>,
    follow_ups: ResMut<'w, FollowUps>,
    tracer: ResMut<'w, Tracer>,
}

/// The dispatch system: borrows all parts once, and handles the events of the window.
pub(super) fn dispatch(
    mut params: DispatchParams<'_, '_>,
    mut window: ResMut<TickWindow>,
    mut digest: ResMut<RunDigest>,
) {
    if params.requests.need_full_handlers() || params.tracer.is_enabled() {
        dispatch_window::<true>(&mut params, &mut window, &mut digest);
    } else {
        dispatch_window::<false>(&mut params, &mut window, &mut digest);
    }
}

/// Handles the events of the window with the handlers compiled for `FULL`, see [`Context`].
fn dispatch_window<const FULL: bool>(
    params: &mut DispatchParams<'_, '_>,
    window: &mut TickWindow,
    digest: &mut RunDigest,
) {
    let mut dispatcher = Dispatcher::<FULL> {
        context: Context {
            now: params.queue.now(),
            queue: params.queue.bypass_change_detection(),
            requests: params.requests.view(),
            links: params.links.view(),
            routers: params.routers.view(),
            return_hops: &params.return_hops.0,
            follow_ups: &mut params.follow_ups.bypass_change_detection().0,
            tracer: params.tracer.bypass_change_detection(),
        },
        parts: params.parts.view(),
        probes: params.probes.view(),
        timeline: params.timeline.bypass_change_detection(),
        changes: &params.changes.0,
        autoscalers: params.autoscalers.bypass_change_detection(),
        faults: params.faults.bypass_change_detection(),
        fingerprinter: Fingerprinter {
            digest: *digest,
            name_hashes: params.name_hashes.view(),
            pause_at: digest.events.saturating_add(window.budget),
        },
    };
    window.status =
        if FULL { dispatcher.drain_with_steps(window.horizon) } else { dispatcher.drain(window.horizon) };
    let after = dispatcher.fingerprinter.digest;
    window.budget = window.budget.saturating_sub(after.events - digest.events);
    *digest = after;
}

/// Lays out the timeline of a newly built world, and schedules its first event.
pub(super) fn lay_out(mut params: DispatchParams<'_, '_>) {
    let (mut parts, mut routers, mut links) =
        (params.parts.view(), params.routers.view(), params.links.view());
    params.timeline.lay_out(&mut parts, &mut routers, &mut links);
    params.queue.schedule_last(params.timeline.first(), Event::Record.pack());
}

/// The columns of all parts, borrowed for a tick.
struct Dispatcher<'a, const FULL: bool> {
    context: Context<'a, FULL>,
    parts: PartViews<'a>,
    probes: ProbesView<'a>,
    timeline: &'a mut TimelineRecorder,
    changes: &'a [Change],
    autoscalers: &'a mut Autoscalers,
    faults: &'a mut Faults,
    fingerprinter: Fingerprinter<'a>,
}

/// Counts events and hashes them into the fingerprint of the run.
struct Fingerprinter<'a> {
    digest: RunDigest,
    name_hashes: PerKind<&'a [u64]>,
    /// Dispatch returns after this total number of events; 0 once the pool of requests is full.
    pause_at: u64,
}

impl Observer for Fingerprinter<'_> {
    #[inline(always)]
    fn observe(&mut self, event: EventKind, kind: NodeKind, row: u32, now: SimTime, number: u32) {
        self.digest.events += 1;
        self.absorb(event, self.name_hashes[kind][row as usize], now, number);
    }

    fn pool_full(&mut self) {
        self.pause_at = 0;
    }
}

impl Fingerprinter<'_> {
    #[inline(always)]
    fn absorb(&mut self, event: EventKind, name_hash: u64, now: SimTime, number: u32) {
        let value = name_hash ^ ((event as u64) << 56) ^ u64::from(number);
        self.digest.fingerprint.absorb(now.as_nanos().wrapping_add(value));
    }

    /// Absorbs an event at each of some nodes.
    fn absorb_nodes(&mut self, event: EventKind, nodes: NodeRange, now: SimTime, number: u32) {
        for node in nodes.nodes() {
            let name_hash = self.name_hashes[node.kind()][node.row() as usize];
            self.absorb(event, name_hash, now, number);
        }
    }
}

impl<const FULL: bool> Dispatcher<'_, FULL> {
    /// Handles events in order, up to the horizon, until the budget is used up or the pool of requests is full. Only for
    /// scenarios without steps: only sources create requests, and no event has follow-ups.
    fn drain(&mut self, horizon: SimTime) -> Status {
        if !self.context.requests.has_room() {
            return Status::PoolFull;
        }
        while self.fingerprinter.digest.events < self.fingerprinter.pause_at {
            let Some(event) = self.take_event(horizon) else { return Status::Done };
            let mut next = Some(event);
            while let Some(event) = next {
                next = self.handle(event);
            }
        }
        if self.context.requests.has_room() { Status::OutOfBudget } else { Status::PoolFull }
    }

    /// The same for scenarios with steps: any event may create requests and have follow-ups, which are kept if the pool
    /// has to grow before they are handled.
    fn drain_with_steps(&mut self, horizon: SimTime) -> Status {
        loop {
            let mut next = self.context.follow_ups.pop_front();
            if next.is_none() {
                if self.fingerprinter.digest.events >= self.fingerprinter.pause_at {
                    let has_room = self.context.requests.has_room();
                    return if has_room { Status::OutOfBudget } else { Status::PoolFull };
                }
                next = self.take_event(horizon);
                if next.is_none() {
                    return Status::Done;
                }
            }
            while let Some(event) = next {
                if !self.context.requests.has_room() {
                    self.context.follow_ups.push_front(event);
                    return Status::PoolFull;
                }
                next = self.handle(event);
            }
        }
    }

    /// Takes the next event of the queue, whose time is the present from then on, or `None` if it is beyond the horizon.
    #[inline(always)]
    fn take_event(&mut self, horizon: SimTime) -> Option<PackedEvent> {
        let (now, event) = self.context.queue.pop_until(horizon)?;
        if let Some(soon) = self.context.queue.upcoming() {
            self.context.requests.prefetch(soon.map(PackedEvent::request));
        }
        self.context.now = now;
        Some(event)
    }

    /// Passes an event to its part. Returns the event that follows at the same time without a delay, or `None`.
    #[inline(always)]
    fn handle(&mut self, event: PackedEvent) -> Option<PackedEvent> {
        if FULL && event.is_delivery() && self.context.requests.is_cancelled(event.request()) {
            self.discard(event.request());
            return None;
        }
        match self.parts.handle(&mut self.context, &mut self.fingerprinter, event) {
            Ok(next) => next,
            Err(event) => self.handle_rare(event.unpack()),
        }
    }

    /// Handles rare events: losses, transfers, changes, faults, timers, and events that only observe the run, which are not counted. Returns the
    /// event that follows in the same instant, if any.
    #[cold]
    fn handle_rare(&mut self, event: Event) -> Option<PackedEvent> {
        let now = self.context.now;
        match event {
            Event::Lost { request, by } => return self.lose(request, by),
            Event::Change { row } => self.change(row),
            Event::Fault { row } => self.fault(row),
            Event::Scale { autoscaler, decides } => self.scale(autoscaler, decides),
            Event::Timer { node, timer } => {
                self.fingerprinter.observe(EventKind::Timer, node.kind(), node.row(), now, timer);
                return self.parts.timer(&mut self.context, node, timer);
            }
            Event::Timeout { request } => {
                let &Request { server, number, .. } = self.context.requests.get(request);
                self.fingerprinter.observe(EventKind::TimedOut, server.kind(), server.row(), now, number);
                return self.parts.time_out(&mut self.context, server, request);
            }
            Event::Cancel { cancellation } => self.cancel(cancellation),
            Event::Transferred { line } => return self.end_transfer(LineId(line)),
            Event::WarmedUp => {
                let Context { routers, links, .. } = &mut self.context;
                self.timeline.before_reset(now, &mut self.parts, routers, links);
                self.autoscalers.before_reset(now, &mut self.parts);
                self.parts.restart(now);
                links.iter_mut().for_each(|link| link.restart(now));
            }
            Event::Sample { probe } => {
                let Context { routers, links, .. } = &mut self.context;
                let first = Row::new(probe);
                let mut due = Some(first);
                while let Some(row) = due {
                    let probe = &mut self.probes[row];
                    probe.sample(now, &mut self.parts, routers, links);
                    due = probe.next;
                }
                self.context.queue.schedule_last(now + self.probes[first].every, event.pack());
            }
            Event::Record => {
                let Context { routers, links, .. } = &mut self.context;
                if let Some(next) = self.timeline.record(now, &mut self.parts, routers, links) {
                    self.context.queue.schedule_last(next, event.pack());
                }
            }
            Event::Deliver { .. } | Event::Respond { .. } | Event::Wake { .. } => {}
        }
        None
    }

    /// Ends the transfer of a message over a link.
    #[cold]
    fn end_transfer(&mut self, line: LineId) -> Option<PackedEvent> {
        let (request, next) = self.context.end_transfer(line);
        let number = request.map_or(0, |request| self.context.requests.get(request).number);
        self.fingerprinter.digest.events += 1;
        self.fingerprinter.absorb(EventKind::Transferred, 0, self.context.now, number);
        next
    }

    /// Handles a cancellation that has reached a node on the path of its call.
    #[cold]
    fn cancel(&mut self, number: u32) {
        let Some(cancellation) = self.context.requests.take_cancellation(number) else { return };
        let call = cancellation.call;
        let &Request { server, number, .. } = self.context.requests.get(call);
        self.fingerprinter.digest.events += 1;
        self.fingerprinter.absorb(EventKind::Cancelled, 0, self.context.now, number);
        if self.context.pass_on(cancellation) {
            return;
        }
        match self.context.requests.place(call) {
            // It arrives later than its cancellation, or is on its way back: then it is not delivered any more.
            CallPlace::Between => {
                self.context.requests.set_place(call, CallPlace::Cancelled);
            }
            CallPlace::Queued | CallPlace::InSlot => {
                self.context.leave_path(call);
                self.parts.cancel(&mut self.context, server, call);
            }
            CallPlace::Untracked | CallPlace::Cancelled => {}
        }
    }

    /// Ends a call that reaches a node after its cancellation.
    #[cold]
    fn discard(&mut self, call: RequestRow) {
        let (now, outcome) = (self.context.now, Outcome::TimedOut);
        let number = self.context.requests.get(call).number;
        self.fingerprinter.digest.events += 1;
        self.fingerprinter.absorb(EventKind::Delivered, 0, now, number);
        self.context.trace(call, || TraceEvent::Over { outcome });
        self.context.leave_path(call);
        self.context.requests.finish_call(now, call, outcome);
    }

    /// Applies a change of the scenario.
    #[cold]
    fn change(&mut self, row: u32) {
        let Change { of, set } = &self.changes[row as usize];
        self.fingerprinter.digest.events += 1;
        of.iter().for_each(|nodes| self.set(EventKind::Changed, *nodes, set));
    }

    /// Applies a setting to nodes, as this event.
    fn set(&mut self, event: EventKind, nodes: NodeRange, setting: &Setting) {
        self.fingerprinter.absorb_nodes(event, nodes, self.context.now, 0);
        let lost = self.parts.change(&mut self.context, nodes, setting);
        self.lose_all(lost);
    }

    /// Lets an autoscaler act. Only a change of its group is an event of the run.
    #[cold]
    fn scale(&mut self, autoscaler: u32, decides: bool) {
        let (now, queue) = (self.context.now, &mut *self.context.queue);
        let change = self.autoscalers.act((autoscaler, decides), now, &mut self.parts, queue);
        let Some((nodes, setting)) = change else { return };
        self.fingerprinter.digest.events += 1;
        self.set(EventKind::Scaled, nodes, &setting);
    }

    /// Lets a fault begin, or end.
    #[cold]
    fn fault(&mut self, row: u32) {
        let now = self.context.now;
        let Toggled { victims, what, edge } = self.faults.toggle(row, now, self.context.queue);
        self.fingerprinter.digest.events += 1;
        let begins = u32::from(matches!(edge, FaultEdge::Begins(_)));
        for victim in victims.iter() {
            match *victim {
                Victim::Link(link) => {
                    let link = &mut self.context.links[link];
                    self.fingerprinter.absorb(EventKind::Fault, hash(&link.name), now, begins);
                    if let Fault::Link(fault) = &what {
                        link.fault(fault, edge);
                    }
                }
                Victim::Nodes(nodes) => {
                    self.fingerprinter.absorb_nodes(EventKind::Fault, nodes, now, begins);
                    let lost = self.parts.fault(&mut self.context, nodes, &what, edge);
                    self.lose_all(lost);
                }
            }
        }
    }

    fn lose_all(&mut self, lost: Vec<RequestRow>) {
        for request in lost {
            let next = self.lose(request, NO_LINK);
            self.context.follow_ups.extend(next);
        }
    }

    /// Ends a request that the link `by` lost, or that was at a node that went down. A call ends when its caller learns it,
    /// in the same instant: returns the response from which it does. A caller with a timeout does not learn it.
    fn lose(&mut self, request: RequestRow, by: u32) -> Option<PackedEvent> {
        let number = self.context.requests.get(request).number;
        self.fingerprinter.digest.events += 1;
        self.fingerprinter.absorb(EventKind::Lost, 0, self.context.now, number);
        self.context.leave_path(request);
        if self.context.requests.call_state(request).is_some_and(CallState::is_call) {
            if self.context.requests.lose_silently(self.context.now, request, by) {
                self.context.trace(request, || TraceEvent::Over { outcome: Outcome::Dropped });
                return None;
            }
            return Some(self.context.end_at_once(request, Outcome::Dropped));
        }
        self.parts.finish(&mut self.context, request, Outcome::Dropped);
        None
    }
}
