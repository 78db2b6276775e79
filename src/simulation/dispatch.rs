//! Dispatch: the one place where an event meets its handler.

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;

use super::{Status, Tags, Trace, Window};
use crate::engine::queue::EventQueue;
use crate::engine::time::SimTime;
use crate::event::{Event, Node, PackedEvent, RequestRow};
use crate::metrics::timeline::{Subject, Surveyor};
use crate::model::change::{Change, Changes};
use crate::model::client::{Clients, ClientsView};
use crate::model::link::Links;
use crate::model::load_balancer::{LoadBalancers, LoadBalancersView};
use crate::model::measure::Readings;
use crate::model::probe::{Probes, ProbesView, Scene};
use crate::model::server::{Servers, ServersView};
use crate::model::source::{Sources, SourcesView};
use crate::model::witness::Witness;
use crate::model::{Context, WaysHome};
use crate::request::{Outcome, Requests};

/// What happened, as the fingerprint tells it. A change of a number changes the fingerprint of every run.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Born = 1,
    Delivered = 2,
    Served = 3,
    Answered = 4,
    Lost = 5,
    Changed = 6,
}

/// Tags as dispatch reaches them, one step nearer.
pub(super) struct TagsView<'a> {
    pub(super) sources: &'a [u64],
    pub(super) load_balancers: &'a [u64],
    pub(super) clients: &'a [u64],
    pub(super) servers: &'a [u64],
}

impl Tags {
    fn view(&self) -> TagsView<'_> {
        TagsView {
            sources: &self.sources,
            load_balancers: &self.load_balancers,
            clients: &self.clients,
            servers: &self.servers,
        }
    }
}

/// Everything that dispatch reaches.
#[derive(SystemParam)]
pub(super) struct Parts<'w, 's> {
    queue: ResMut<'w, EventQueue<PackedEvent>>,
    requests: Requests<'w, 's>,
    links: Links<'w, 's>,
    ways_home: Res<'w, WaysHome>,
    sources: Sources<'w, 's>,
    load_balancers: LoadBalancers<'w, 's>,
    clients: Clients<'w, 's>,
    servers: Servers<'w, 's>,
    probes: Probes<'w, 's>,
    surveyor: ResMut<'w, Surveyor>,
    changes: Res<'w, Changes>,
    tags: Res<'w, Tags>,
    witness: ResMut<'w, Witness>,
}

/// The dispatch system: borrows what the parts need, once, and handles the events of the window.
pub(super) fn dispatch(mut parts: Parts<'_, '_>, mut window: ResMut<Window>, mut trace: ResMut<Trace>) {
    let mut dispatcher = Dispatcher {
        context: Context {
            now: parts.queue.now(),
            queue: parts.queue.bypass_change_detection(),
            requests: parts.requests.view(),
            links: parts.links.view(),
            ways_home: &parts.ways_home.0,
            witness: parts.witness.bypass_change_detection(),
        },
        sources: parts.sources.view(),
        load_balancers: parts.load_balancers.view(),
        clients: parts.clients.view(),
        servers: parts.servers.view(),
        probes: parts.probes.view(),
        surveyor: parts.surveyor.bypass_change_detection(),
        changes: &parts.changes.0,
        tags: parts.tags.view(),
        trace: *trace,
        pause_at: trace.events.saturating_add(window.budget),
    };
    window.status = dispatcher.drain(window.horizon);
    window.budget = window.budget.saturating_sub(dispatcher.trace.events - trace.events);
    *trace = dispatcher.trace;
}

/// The columns of all parts, borrowed for a tick.
pub(super) struct Dispatcher<'a> {
    pub(super) context: Context<'a>,
    pub(super) sources: SourcesView<'a>,
    pub(super) load_balancers: LoadBalancersView<'a>,
    pub(super) clients: ClientsView<'a>,
    pub(super) servers: ServersView<'a>,
    probes: ProbesView<'a>,
    surveyor: &'a mut Surveyor,
    pub(super) changes: &'a [Change],
    pub(super) tags: TagsView<'a>,
    pub(super) trace: Trace,
    /// With this many events handled dispatch returns; 0 when the last place for a request was taken.
    pause_at: u64,
}

impl Dispatcher<'_> {
    /// Handles every event up to the horizon, in order.
    fn drain(&mut self, horizon: SimTime) -> Status {
        if !self.context.requests.has_room() {
            return Status::OutOfRoom;
        }
        while self.trace.events < self.pause_at {
            let Some((now, event)) = self.context.queue.pop_until(horizon) else { return Status::Done };
            if let Some(soon) = self.context.queue.announce() {
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
        match event.unpack() {
            Event::Arrival { source } => {
                let (request, next) = self.sources.arrive(&mut self.context, source);
                self.note(Kind::Born, self.tags.sources[source as usize], request);
                if !self.context.requests.has_room() {
                    self.pause_at = 0;
                }
                next
            }
            Event::Deliver { to: Node::LoadBalancer(row), request } => {
                self.note(Kind::Delivered, self.tags.load_balancers[row as usize], request);
                self.load_balancers.arrive(&mut self.context, row, request)
            }
            Event::Deliver { to: Node::Client(row), request } => {
                self.note(Kind::Delivered, self.tags.clients[row as usize], request);
                self.clients.arrive(&mut self.context, row, request)
            }
            Event::Deliver { to: Node::Server(row), request } => {
                self.note(Kind::Delivered, self.tags.servers[row as usize], request);
                self.servers.arrive(&mut self.context, row, request)
            }
            Event::Deliver { to: Node::Source(_), .. } => unreachable!("nothing is delivered to a source"),
            Event::Complete { server, request } => {
                self.note(Kind::Served, self.tags.servers[server as usize], request);
                self.servers.complete(&mut self.context, server, request)
            }
            Event::Respond { way, request } => self.respond(way, request),
            Event::Lost { request } => {
                self.note(Kind::Lost, 0, request);
                self.sources.finish(&mut self.context, request, Outcome::Dropped);
                None
            }
            rare @ (Event::Change { .. } | Event::WarmedUp | Event::Sample { .. } | Event::Survey) => {
                self.rarely(rare);
                None
            }
        }
    }

    /// A response reaches the node that awaits it.
    #[inline(always)]
    fn respond(&mut self, way: u32, request: RequestRow) -> Option<PackedEvent> {
        let (node, _) = self.context.ways_home[way as usize];
        match node {
            Node::Source(row) => {
                self.note(Kind::Answered, self.tags.sources[row as usize], request);
                let outcome =
                    self.context.requests.get(request).outcome.expect("a response belongs to a request");
                self.sources.finish(&mut self.context, request, outcome);
                None
            }
            Node::LoadBalancer(row) => {
                self.note(Kind::Answered, self.tags.load_balancers[row as usize], request);
                self.context.reply(request)
            }
            Node::Client(row) => {
                self.note(Kind::Answered, self.tags.clients[row as usize], request);
                self.clients.respond(&mut self.context, row, request)
            }
            Node::Server(row) => {
                self.note(Kind::Answered, self.tags.servers[row as usize], request);
                self.servers.pass_back(&mut self.context, row, request)
            }
        }
    }

    /// What happens rarely: a change, or an event that only looks and leaves no trace.
    #[cold]
    fn rarely(&mut self, event: Event) {
        let now = self.context.now;
        match event {
            Event::Change { row } => self.change(row),
            Event::WarmedUp => {
                self.survey(now, true);
                self.sources.restart(now);
                self.servers.restart(now);
            }
            Event::Sample { probe } => {
                let mut scene = Scene {
                    sources: &self.sources,
                    load_balancers: &self.load_balancers,
                    clients: &mut self.clients,
                    servers: &self.servers,
                };
                let again = self.probes.sample(probe, now, &mut scene);
                self.context.queue.schedule_last(again, event.pack());
            }
            Event::Survey => {
                if let Some(again) = self.survey(now, false) {
                    self.context.queue.schedule_last(again, event.pack());
                }
            }
            Event::Arrival { .. }
            | Event::Deliver { .. }
            | Event::Complete { .. }
            | Event::Respond { .. }
            | Event::Lost { .. } => {}
        }
    }

    /// Reads off what all parts measure, in the order in which the courses were laid out.
    fn survey(&mut self, now: SimTime, restart: bool) -> Option<SimTime> {
        let Self { surveyor, context, sources, clients, servers, .. } = self;
        let read = |readings: &mut Readings<'_>, beliefs: &[Subject]| {
            sources.read(now, readings);
            servers.read(now, readings);
            clients.read(readings);
            for belief in beliefs {
                if let Subject::Belief { first, last, server } = *belief {
                    clients.read_belief((first, last, server), now, readings);
                }
            }
            context.links.read(readings);
        };
        if restart {
            surveyor.restart(read);
            return None;
        }
        surveyor.survey(now, read)
    }

    /// Takes an event into the fingerprint.
    #[inline]
    pub(super) fn note(&mut self, kind: Kind, tag: u64, request: RequestRow) {
        let number = u64::from(self.context.requests.get(request).number);
        self.trace.events += 1;
        self.absorb(kind, tag, number);
    }

    /// Takes into the fingerprint what happens to which node, and the number of the request that it is about.
    #[inline]
    pub(super) fn absorb(&mut self, kind: Kind, tag: u64, number: u64) {
        let what = tag ^ ((kind as u64) << 56) ^ number;
        self.trace.fingerprint.absorb(self.context.now.as_nanos().wrapping_add(what));
    }
}
