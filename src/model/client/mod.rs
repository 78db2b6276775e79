//! The client: the caller's side. It picks a server for each request, and learns from the responses.

mod load_aware;

use bevy_ecs::prelude::*;
use bevy_ecs::system::SystemParam;
use serde::{Deserialize, Serialize};

pub use load_aware::{LoadAware, LoadWindow};

use super::load_balancer::PolicySpec;
use super::measure::{Limit, Measure, Readings, Unit, View};
use super::references::References;
use super::routing::Policy;
use super::server::MEASURED_LOAD;
use super::{Context, Outlet};
use crate::engine::column;
use crate::engine::random::RandomStream;
use crate::engine::time::{SimDuration, SimTime};
use crate::event::{PackedEvent, RequestRow};

/// A client, or a group of equal ones, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientSpec {
    /// Makes a group of this many: `name-0`, `name-1`, ...
    #[serde(default)]
    pub count: Option<u32>,
    /// How a server is picked.
    #[serde(default = "by_key")]
    pub routing: RoutingSpec,
    /// The targets: a node or group, or a list of them.
    pub to: References,
}

const ARRIVALS: View = View {
    id: "client-arrivals",
    section: "Clients",
    title: "Requests at clients",
    unit: Unit::PerSecond,
    caption: "",
};
const REHASHED: View = View {
    id: "rehashed",
    section: "Clients",
    title: "Share of requests sent elsewhere",
    unit: Unit::Share,
    caption: "Requests that went to another server than their key's own.",
};
const BELIEFS: View = View {
    id: "belief",
    section: "Clients",
    title: "Actual and perceived load",
    unit: Unit::Share,
    caption: "What clients believe, on average, of the load of a server, and what it was.",
};

/// What a client measures of itself.
pub const MEASURES: [Measure; 2] = [
    Measure::new("arrival_rate", "", &ARRIVALS),
    Measure::new(REHASH_RATE, "", &REHASHED).as_share_of("arrival_rate"),
];
/// Name of the measure of requests that are sent elsewhere.
pub const REHASH_RATE: &str = "rehash_rate";
/// What clients believe of the load of a server.
pub const BELIEF: Measure = Measure::new(PERCEIVED_LOAD, "perceived", &BELIEFS);
/// Name of the measure of what clients believe.
pub const PERCEIVED_LOAD: &str = "perceived_load";
/// As many clients of a group are asked for what they believe.
const ASKED: usize = 16;

const fn by_key() -> RoutingSpec {
    RoutingSpec::KeyHash { salt: None }
}

impl ClientSpec {
    /// The limits that it acts upon, if it is called `name`.
    #[must_use]
    pub fn limits(&self, name: &str) -> Vec<Limit> {
        let RoutingSpec::LoadAware { threshold, .. } = self.routing else { return Vec::new() };
        let limit = |measure| Limit {
            measure,
            owner: name.to_owned(),
            value: threshold,
            meaning: "seems overloaded",
        };
        vec![limit(MEASURED_LOAD), limit(PERCEIVED_LOAD)]
    }
}

/// A client's routing as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RoutingSpec {
    /// Any target, uniformly.
    Random,
    /// Always the same target for the same key.
    KeyHash {
        /// Scrambles keys; without it the target is the remainder of the key by the number of targets.
        #[serde(default)]
        salt: Option<u64>,
    },
    /// Each target in turn.
    RoundRobin,
    /// The key's own server unless it seems overloaded; then another one that does not.
    LoadAware {
        /// How long a reported load is remembered.
        window: SimDuration,
        /// The mean remembered load (above 0, at most 1) from which on a server seems overloaded.
        threshold: f64,
        /// How many random servers are tried before the request goes to the key's own; as many as there are targets
        /// if it is not given.
        #[serde(default)]
        attempts: Option<u32>,
        /// Scrambles keys for the choice of the key's own server.
        #[serde(default)]
        salt: Option<u64>,
        /// With `false` loads are remembered, so that probes can show them, and not acted upon.
        #[serde(default = "yes")]
        smart: bool,
    },
}

const fn yes() -> bool {
    true
}

/// How a client picks.
#[derive(Clone, Debug)]
pub enum Routing {
    /// Without regard to load.
    Policy(Policy),
    /// With regard to the loads that it has heard of.
    LoadAware(LoadAware),
}

impl RoutingSpec {
    /// Its name as it is written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Random => "Random",
            Self::KeyHash { .. } => "KeyHash",
            Self::RoundRobin => "RoundRobin",
            Self::LoadAware { .. } => "LoadAware",
        }
    }

    /// How long loads are remembered, if they are.
    #[must_use]
    pub const fn memory(&self) -> Option<SimDuration> {
        match self {
            Self::LoadAware { window, .. } => Some(*window),
            Self::Random | Self::KeyHash { .. } | Self::RoundRobin => None,
        }
    }

    /// The routing among `targets` targets, in its first state.
    #[must_use]
    pub fn resolve(&self, targets: usize) -> Routing {
        match self {
            Self::Random => Routing::Policy(PolicySpec::Random.resolve()),
            Self::KeyHash { salt } => Routing::Policy(PolicySpec::KeyHash { salt: *salt }.resolve()),
            Self::RoundRobin => Routing::Policy(PolicySpec::RoundRobin.resolve()),
            Self::LoadAware { window, threshold, attempts, salt, smart } => {
                Routing::LoadAware(LoadAware::new(*window, *threshold, *attempts, *salt, *smart, targets))
            }
        }
    }
}

/// A client as it runs.
#[derive(Component, Clone, Debug)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// How it picks.
    pub routing: Routing,
    /// What it picks from (at least one).
    pub outlet: Outlet,
    /// The stream that it draws from.
    pub stream: RandomStream,
    /// Requests that came.
    pub requests: u64,
    /// Responses that came back, rejections included.
    pub responses: u64,
    /// Requests that were sent to another server than the key's own.
    pub rehashed: u64,
}

/// The clients as a system reaches them.
#[derive(SystemParam)]
pub struct Clients<'w, 's> {
    rows: Query<'w, 's, &'static mut Client>,
    windows: Query<'w, 's, &'static mut LoadWindow>,
}

impl Clients<'_, '_> {
    /// Borrows the columns of clients for a tick.
    pub fn view(&mut self) -> ClientsView<'_> {
        ClientsView { rows: column(&mut self.rows), windows: column(&mut self.windows) }
    }
}

/// The clients as handlers reach them: by row.
#[derive(Debug)]
pub struct ClientsView<'a> {
    rows: &'a mut [Client],
    windows: &'a mut [LoadWindow],
}

impl ClientsView<'_> {
    /// The client in a row.
    #[must_use]
    pub const fn get(&self, row: u32) -> &Client {
        &self.rows[row as usize]
    }

    /// Reads off what the clients measure.
    pub fn read(&self, readings: &mut Readings<'_>) {
        for client in &*self.rows {
            readings.rate(client.requests);
            readings.rate(client.rehashed);
        }
    }

    /// What a client believes of the load of a server: from 0 to 1, nothing if it does not care. Its memory fades while
    /// one looks at it.
    pub fn perceive(&mut self, row: u32, server: u32, now: SimTime) -> Option<f64> {
        let Routing::LoadAware(routing) = &self.rows[row as usize].routing else { return None };
        Some(self.windows[row as usize].perceive(server, now, routing.memory()).share())
    }

    /// Reads off what the clients from row `first` to row `last` believe of a server: the mean of them all, or of some
    /// in equal distances where there are many.
    #[expect(clippy::cast_precision_loss, reason = "a value for people and plots")]
    pub fn read_belief(
        &mut self,
        (first, last, server): (u32, u32, u32),
        now: SimTime,
        readings: &mut Readings<'_>,
    ) {
        let stride = (last - first) as usize / ASKED + 1;
        let asked = (first..=last).step_by(stride);
        readings.value(|| {
            let beliefs: Vec<f64> = asked.filter_map(|client| self.perceive(client, server, now)).collect();
            (!beliefs.is_empty()).then(|| beliefs.iter().sum::<f64>() / beliefs.len() as f64)
        });
    }

    /// The next request of a client is routed like this. What is remembered of loads stays; as long as loads do not
    /// matter nothing is heard of them.
    #[cold]
    pub fn change(&mut self, row: u32, routing: &RoutingSpec) {
        let client = &mut self.rows[row as usize];
        client.routing = routing.resolve(client.outlet.targets.len());
    }

    /// A request reaches the client and is sent on.
    #[inline]
    pub fn arrive(
        &mut self,
        context: &mut Context<'_>,
        row: u32,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let client = &mut self.rows[row as usize];
        client.requests += 1;
        let key = context.requests.get(request).key;
        let choice = match &mut client.routing {
            Routing::Policy(policy) => policy.choose(key, client.outlet.targets.len(), &mut client.stream),
            Routing::LoadAware(routing) => {
                let window = &mut self.windows[row as usize];
                let (choice, rehashed) =
                    routing.choose(key, &client.outlet.targets, window, context.now, &mut client.stream);
                client.rehashed += u64::from(rehashed);
                choice
            }
        };
        context.forward(request, &client.outlet, choice)
    }

    /// A response reaches the client on its way back.
    #[inline]
    pub fn respond(
        &mut self,
        context: &mut Context<'_>,
        row: u32,
        request: RequestRow,
    ) -> Option<PackedEvent> {
        let client = &mut self.rows[row as usize];
        client.responses += 1;
        if let Routing::LoadAware(routing) = &client.routing {
            let response = context.requests.get(request);
            let window = &mut self.windows[row as usize];
            window.hear(response.server, response.load, context.now, routing.memory());
        }
        context.reply(request)
    }
}
