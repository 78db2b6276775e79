//! The simulation: a world, the `Tick` schedule that drives it, and the one place where an event meets its handler.
//!
//! A tick opens a window of virtual time. The dispatch system takes every event inside the window, strictly in order,
//! and hands it to its part; so the width of ticks changes nothing but how often one can look in between. The columns of
//! hot components are borrowed once a tick. When only a change of structure can give what the next event may need (a place
//! for one more request), dispatch returns, the next set makes room, and the tick goes on.
//!
//! The handling of an event includes what follows in the same instant without delay: a request that passes a link
//! without latency is delivered at once, before anything else that is due at that time.

use bevy_ecs::prelude::*;
use bevy_ecs::schedule::{ScheduleLabel, SingleThreadedExecutor};
use bevy_ecs::system::SystemParam;

use crate::engine::hash::StableHasher;
use crate::engine::queue::EventQueue;
use crate::engine::time::SimTime;
use crate::event::{Event, Node, PackedEvent, RequestRow};
use crate::metrics::overview::Surveyor;
use crate::metrics::result::{ConservationError, RunResult, collect};
use crate::model::client::{Clients, ClientsView};
use crate::model::link::Links;
use crate::model::load_balancer::{LoadBalancers, LoadBalancersView};
use crate::model::probe::{Probes, ProbesView, Scene};
use crate::model::server::{Servers, ServersView};
use crate::model::source::{Sources, SourcesView};
use crate::model::{Context, WaysHome};
use crate::request::{Outcome, Requests, grow_pool};
use crate::scenario::{Problem, Scenario, spawn};

/// The schedule that is run for each tick, and again until its window is done.
#[derive(ScheduleLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tick;

/// The sets of the [`Tick`] schedule, in the order in which they run.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TickSystems {
    /// Takes the events of the window and handles them. Reads and writes everything.
    Dispatch,
    /// Makes room for more requests where dispatch found none left. Changes the structure of the world.
    Grow,
}

/// The window of a tick and what became of it.
#[derive(Resource, Clone, Copy, Debug)]
pub struct Window {
    /// Events later than this are left for another tick.
    horizon: SimTime,
    /// After how many more events the caller wants to be asked.
    budget: u64,
    status: Status,
}

/// How dispatch left the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Everything up to the horizon has happened.
    Done,
    /// The budget is used up.
    OutOfBudget,
    /// The last place for a request was taken: the next arrival needs one more.
    OutOfRoom,
}

/// What identifies a run: how many events it had, and a hash over all of them.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct Trace {
    /// Events handled; samples of probes do not count.
    pub events: u64,
    /// Hash over time, kind, node and request of each event.
    pub fingerprint: StableHasher,
}

/// Hashes of the names of nodes: a fingerprint does not change when an idle node is added before others.
#[derive(Resource, Clone, Debug, Default)]
pub struct Tags {
    /// Of sources.
    pub sources: Vec<u64>,
    /// Of balancers.
    pub load_balancers: Vec<u64>,
    /// Of clients.
    pub clients: Vec<u64>,
    /// Of servers.
    pub servers: Vec<u64>,
}

/// Tags as dispatch reaches them, one step nearer.
struct TagsView<'a> {
    sources: &'a [u64],
    load_balancers: &'a [u64],
    clients: &'a [u64],
    servers: &'a [u64],
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

/// What a run may differ in from its scenario.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// The seed; the scenario's own if it is not given.
    pub seed: Option<u64>,
    /// The number of the replication: each draws other random numbers.
    pub replication: u64,
    /// Keeps a record of every request. Memory grows with their number.
    pub log_requests: bool,
}

/// A run of a scenario in virtual time.
pub struct Simulation {
    world: World,
    tick: Schedule,
    end: SimTime,
}

/// Why a run has no result.
#[derive(Debug)]
pub enum RunError {
    /// The scenario cannot be run.
    Scenario(Vec<Problem>),
    /// A request was lost track of: a mistake of the simulator itself.
    Conservation(ConservationError),
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scenario(problems) => {
                for (i, problem) in problems.iter().enumerate() {
                    write!(f, "{}{problem}", if i > 0 { "\n" } else { "" })?;
                }
                Ok(())
            }
            Self::Conservation(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RunError {}

/// Runs a scenario from its start to its end. The result depends on the scenario, the options and the version of this
/// crate alone; it may be called from many threads.
///
/// # Errors
/// If the scenario cannot be run, or (a mistake of the simulator) a request was lost track of.
pub fn run(scenario: &Scenario, options: RunOptions) -> Result<RunResult, RunError> {
    let mut simulation = Simulation::new(scenario, options).map_err(RunError::Scenario)?;
    simulation.advance(simulation.end(), u64::MAX);
    simulation.finish().map_err(RunError::Conservation)
}

impl Simulation {
    /// A world that is ready to run the scenario.
    ///
    /// # Errors
    /// All that is wrong with the scenario.
    pub fn new(scenario: &Scenario, options: RunOptions) -> Result<Self, Vec<Problem>> {
        let mut world = World::new();
        spawn(scenario, options, &mut world)?;
        let mut tick = Schedule::new(Tick);
        // With the visualizer in the build bevy_ecs defaults to many threads; a run has one.
        tick.set_executor(SingleThreadedExecutor::new());
        tick.configure_sets((TickSystems::Dispatch, TickSystems::Grow).chain());
        tick.add_systems((
            dispatch.in_set(TickSystems::Dispatch),
            grow_pool.run_if(out_of_room).in_set(TickSystems::Grow),
        ));
        world.insert_resource(Window { horizon: SimTime::ZERO, budget: 0, status: Status::Done });
        Ok(Self { world, tick, end: SimTime::ZERO + scenario.run_until })
    }

    /// When the run ends.
    #[must_use]
    pub const fn end(&self) -> SimTime {
        self.end
    }

    /// The time of the event that was handled last.
    #[must_use]
    pub fn now(&self) -> SimTime {
        self.world.resource::<EventQueue<PackedEvent>>().now()
    }

    /// Events handled so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.world.resource::<Trace>().events
    }

    /// Hash over all events handled so far.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.world.resource::<Trace>().fingerprint.finish()
    }

    /// The world, to look at.
    #[must_use]
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// Lets everything happen up to and including `horizon` (at most the end of the run), or until `budget` events (or a
    /// few more: those of one instant that follow each other without delay) have been handled. Returns whether the
    /// horizon was reached.
    pub fn advance(&mut self, horizon: SimTime, budget: u64) -> bool {
        let horizon = horizon.min(self.end);
        self.world.insert_resource(Window { horizon, budget, status: Status::OutOfRoom });
        loop {
            self.tick.run(&mut self.world);
            match self.world.resource::<Window>().status {
                Status::Done => return true,
                Status::OutOfBudget => return false,
                Status::OutOfRoom => {}
            }
        }
    }

    /// Ends the run and collects its result.
    ///
    /// # Errors
    /// If requests were lost track of: their fates do not add up.
    pub fn finish(mut self) -> Result<RunResult, ConservationError> {
        collect(&mut self.world, self.end)
    }
}

fn out_of_room(window: Res<Window>) -> bool {
    window.status == Status::OutOfRoom
}

/// Everything that dispatch reaches.
#[derive(SystemParam)]
struct Parts<'w, 's> {
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
    tags: Res<'w, Tags>,
}

/// The dispatch system: borrows what the parts need, once, and handles the events of the window.
fn dispatch(mut parts: Parts<'_, '_>, mut window: ResMut<Window>, mut trace: ResMut<Trace>) {
    let mut dispatcher = Dispatcher {
        context: Context {
            now: parts.queue.now(),
            queue: parts.queue.bypass_change_detection(),
            requests: parts.requests.view(),
            links: parts.links.view(),
            ways_home: &parts.ways_home.0,
        },
        sources: parts.sources.view(),
        load_balancers: parts.load_balancers.view(),
        clients: parts.clients.view(),
        servers: parts.servers.view(),
        probes: parts.probes.view(),
        surveyor: parts.surveyor.bypass_change_detection(),
        tags: parts.tags.view(),
        trace: *trace,
        pause_at: trace.events.saturating_add(window.budget),
    };
    window.status = dispatcher.drain(window.horizon);
    window.budget = window.budget.saturating_sub(dispatcher.trace.events - trace.events);
    *trace = dispatcher.trace;
}

/// The columns of all parts, borrowed for a tick.
struct Dispatcher<'a> {
    context: Context<'a>,
    sources: SourcesView<'a>,
    load_balancers: LoadBalancersView<'a>,
    clients: ClientsView<'a>,
    servers: ServersView<'a>,
    probes: ProbesView<'a>,
    surveyor: &'a mut Surveyor,
    tags: TagsView<'a>,
    trace: Trace,
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
                self.note(1, self.tags.sources[source as usize], request);
                if !self.context.requests.has_room() {
                    self.pause_at = 0;
                }
                next
            }
            Event::Deliver { to: Node::LoadBalancer(row), request } => {
                self.note(2, self.tags.load_balancers[row as usize], request);
                self.load_balancers.arrive(&mut self.context, row, request)
            }
            Event::Deliver { to: Node::Client(row), request } => {
                self.note(2, self.tags.clients[row as usize], request);
                self.clients.arrive(&mut self.context, row, request)
            }
            Event::Deliver { to: Node::Server(row), request } => {
                self.note(2, self.tags.servers[row as usize], request);
                self.servers.arrive(&mut self.context, row, request)
            }
            Event::Deliver { to: Node::Source(_), .. } => unreachable!("nothing is delivered to a source"),
            Event::Complete { server, request } => {
                self.note(3, self.tags.servers[server as usize], request);
                self.servers.complete(&mut self.context, server, request)
            }
            Event::Respond { way, request } => self.respond(way, request),
            Event::Lost { request } => {
                self.note(5, 0, request);
                self.sources.finish(&mut self.context, request, Outcome::Dropped);
                None
            }
            observation @ (Event::WarmedUp | Event::Sample { .. } | Event::Survey) => {
                self.observe(observation);
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
                self.note(4, self.tags.sources[row as usize], request);
                let outcome =
                    self.context.requests.get(request).outcome.expect("a response belongs to a request");
                self.sources.finish(&mut self.context, request, outcome);
                None
            }
            Node::LoadBalancer(row) => {
                self.note(4, self.tags.load_balancers[row as usize], request);
                self.context.reply(request)
            }
            Node::Client(row) => {
                self.note(4, self.tags.clients[row as usize], request);
                self.clients.respond(&mut self.context, row, request)
            }
            Node::Server(row) => {
                self.note(4, self.tags.servers[row as usize], request);
                self.servers.pass_back(&mut self.context, row, request)
            }
        }
    }

    /// An event that only looks, and leaves no trace.
    #[cold]
    fn observe(&mut self, event: Event) {
        let now = self.context.now;
        match event {
            Event::WarmedUp => {
                self.surveyor.restart(now, &self.servers);
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
                if let Some(again) = self.surveyor.survey(now, &self.servers) {
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

    /// Takes an event into the fingerprint.
    #[inline]
    fn note(&mut self, kind: u64, tag: u64, request: RequestRow) {
        let number = u64::from(self.context.requests.get(request).number);
        let what = tag ^ (kind << 56) ^ number;
        self.trace.events += 1;
        self.trace.fingerprint.absorb(self.context.now.as_nanos().wrapping_add(what));
    }
}
