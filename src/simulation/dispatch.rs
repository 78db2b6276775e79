//! Dispatch: the one place where an event meets its handler.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

use super::{RunDigest, Status, TickWindow};
use crate::engine::hash::StableHasher;
use crate::engine::queue::EventQueue;
use crate::engine::row::Row;
use crate::engine::time::SimTime;
use crate::event::{Event, NodeKind, PackedEvent, PerKind, RequestRow};
use crate::metrics::timeline::TimelineRecorder;
use crate::model::change::{Change, Changes};
use crate::model::link::Links;
use crate::model::names::Names;
use crate::model::part::{EventKind, Observer};
use crate::model::parts::{PartViews, Parts};
use crate::model::probe::{Probes, ProbesView};
use crate::model::routing::Routers;
use crate::model::trace::Tracer;
use crate::model::{Context, ReturnHops};
use crate::request::{Outcome, Requests};

/// Hashes of the names of nodes: a fingerprint does not change when an idle node is added before others.
#[derive(Resource, Clone, Debug)]
pub(super) struct NameHashes(PerKind<Vec<u64>>);

impl NameHashes {
    /// The hashes of all names.
    pub(super) fn of(names: &Names) -> Self {
        let members = |kind| names.entries_of(kind).flat_map(|entry| &entry.members);
        Self(PerKind::of(|kind| members(kind).map(|name| hash(name)).collect()))
    }

    /// The same as dispatch reaches them, one step nearer.
    fn view(&self) -> PerKind<&[u64]> {
        PerKind::of(|kind| self.0[kind].as_slice())
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = StableHasher::new();
    hasher.absorb_text(name);
    hasher.finish()
}

/// Everything that dispatch reaches.
#[derive(SystemParam)]
pub(super) struct Everything<'w, 's> {
    queue: ResMut<'w, EventQueue<PackedEvent>>,
    requests: Requests<'w, 's>,
    links: Links<'w, 's>,
    routers: Routers<'w, 's>,
    return_hops: Res<'w, ReturnHops>,
    parts: Parts<'w, 's>,
    probes: Probes<'w, 's>,
    timeline: ResMut<'w, TimelineRecorder>,
    changes: Res<'w, Changes>,
    name_hashes: Res<'w, NameHashes>,
    tracer: ResMut<'w, Tracer>,
}

/// The dispatch system: borrows what the parts need, once, and handles the events of the window.
pub(super) fn dispatch(
    mut all: Everything<'_, '_>,
    mut window: ResMut<TickWindow>,
    mut digest: ResMut<RunDigest>,
) {
    let mut dispatcher = Dispatcher {
        context: Context {
            now: all.queue.now(),
            queue: all.queue.bypass_change_detection(),
            requests: all.requests.view(),
            links: all.links.view(),
            routers: all.routers.view(),
            return_hops: &all.return_hops.0,
            tracer: all.tracer.bypass_change_detection(),
        },
        parts: all.parts.view(),
        probes: all.probes.view(),
        timeline: all.timeline.bypass_change_detection(),
        changes: &all.changes.0,
        digester: Fingerprinter {
            digest: *digest,
            name_hashes: all.name_hashes.view(),
            pause_at: digest.events.saturating_add(window.budget),
        },
    };
    window.status = dispatcher.drain(window.horizon);
    let after = dispatcher.digester.digest;
    window.budget = window.budget.saturating_sub(after.events - digest.events);
    *digest = after;
}

/// Lays out the timeline of a world that was just built.
pub(super) fn lay_out(mut all: Everything<'_, '_>) {
    let (mut parts, mut routers, mut links) = (all.parts.view(), all.routers.view(), all.links.view());
    all.timeline.lay_out(&mut parts, &mut routers, &mut links);
    all.queue.schedule_last(all.timeline.first(), Event::Record.pack());
}

/// The columns of all parts, borrowed for a tick.
struct Dispatcher<'a> {
    context: Context<'a>,
    parts: PartViews<'a>,
    probes: ProbesView<'a>,
    timeline: &'a mut TimelineRecorder,
    changes: &'a [Change],
    digester: Fingerprinter<'a>,
}

/// Takes what happens into the fingerprint of the run.
struct Fingerprinter<'a> {
    digest: RunDigest,
    name_hashes: PerKind<&'a [u64]>,
    /// With this many events handled dispatch returns; 0 when the last place for a request was taken.
    pause_at: u64,
}

impl Observer for Fingerprinter<'_> {
    #[inline(always)]
    fn observe(&mut self, what: EventKind, kind: NodeKind, row: u32, now: SimTime, number: u32) {
        self.digest.events += 1;
        self.absorb(what, self.name_hashes[kind][row as usize], now, number);
    }

    fn out_of_room(&mut self) {
        self.pause_at = 0;
    }
}

impl Fingerprinter<'_> {
    #[inline(always)]
    fn absorb(&mut self, what: EventKind, name_hash: u64, now: SimTime, number: u32) {
        let what = name_hash ^ ((what as u64) << 56) ^ u64::from(number);
        self.digest.fingerprint.absorb(now.as_nanos().wrapping_add(what));
    }
}

impl Dispatcher<'_> {
    /// Handles every event up to the horizon, in order.
    fn drain(&mut self, horizon: SimTime) -> Status {
        if !self.context.requests.has_room() {
            return Status::OutOfRoom;
        }
        while self.digester.digest.events < self.digester.pause_at {
            let Some((now, event)) = self.context.queue.pop_until(horizon) else { return Status::Done };
            if let Some(soon) = self.context.queue.upcoming() {
                self.context.requests.fetch(soon.map(PackedEvent::request));
            }
            self.context.now = now;
            let mut next = Some(event);
            while let Some(event) = next {
                next = self.handle(event);
            }
        }
        if self.context.requests.has_room() { Status::OutOfBudget } else { Status::OutOfRoom }
    }

    /// Hands an event to its part; returns what follows in the same instant.
    #[inline(always)]
    fn handle(&mut self, event: PackedEvent) -> Option<PackedEvent> {
        if event.is_of_node() {
            return self.parts.handle(&mut self.context, &mut self.digester, event);
        }
        self.rarely(event.unpack());
        None
    }

    /// What happens rarely: a loss, a change, or an event that only looks and is not counted.
    #[cold]
    fn rarely(&mut self, event: Event) {
        let now = self.context.now;
        match event {
            Event::Lost { request } => self.lose(request),
            Event::Change { row } => self.change(row),
            Event::WarmedUp => {
                let Context { routers, links, .. } = &mut self.context;
                self.timeline.before_restart(now, &mut self.parts, routers, links);
                self.parts.restart(now);
            }
            Event::Sample { probe } => {
                let again =
                    self.probes[Row::new(probe)].sample(now, &mut self.parts, &mut self.context.routers);
                self.context.queue.schedule_last(again, event.pack());
            }
            Event::Record => {
                let Context { routers, links, .. } = &mut self.context;
                if let Some(again) = self.timeline.record(now, &mut self.parts, routers, links) {
                    self.context.queue.schedule_last(again, event.pack());
                }
            }
            Event::Deliver { .. } | Event::Respond { .. } | Event::Wake { .. } => {}
        }
    }

    /// A change that the scenario announced happens.
    #[cold]
    fn change(&mut self, row: u32) {
        let Change { of, set } = &self.changes[row as usize];
        self.digester.digest.events += 1;
        let now = self.context.now;
        for &nodes in of {
            for node in nodes.nodes() {
                let name_hash = self.digester.name_hashes[node.kind()][node.row() as usize];
                self.digester.absorb(EventKind::Changed, name_hash, now, 0);
            }
            let lost = self.parts.change(&mut self.context, nodes, set);
            lost.into_iter().for_each(|request| self.lose(request));
        }
    }

    /// A request is lost: by a link, or with the node that had it.
    fn lose(&mut self, request: RequestRow) {
        let number = self.context.requests.get(request).number;
        self.digester.digest.events += 1;
        self.digester.absorb(EventKind::Lost, 0, self.context.now, number);
        self.parts.finish(&mut self.context, request, Outcome::Dropped);
    }
}
