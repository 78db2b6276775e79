//! The scenario format of a server, its settings, and their checks.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::call_spec::CallSpecs;
use crate::engine::distribution::DistributionSpec;
use crate::engine::time::SimDuration;
use crate::model::check::Checker;
use crate::model::part::{PartSetting, Step};
use crate::model::queueing::QueueSpec;
use crate::text::Path;

/// A server, or a group of identical servers, as written in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// Makes a group of this many servers: `name-0`, `name-1`, ... By default, a single server called `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Number of slots: requests served at the same time (1 or more).
    #[serde(default = "one")]
    pub concurrency: u32,
    /// Service time of a request.
    pub service: DistributionSpec<SimDuration>,
    /// The queue in which requests wait.
    #[serde(default)]
    pub queue: QueueSpec,
    /// Calls that the server makes for each request after its service, one after the other, before it responds. None by
    /// default.
    #[serde(default, skip_serializing_if = "CallSpecs::is_empty")]
    pub call: CallSpecs,
    /// The node that receives served requests. Without it, the server responds to them itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
}

const fn one() -> u32 {
    1
}

impl ServerSpec {
    pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        checker.spec(path, "service", self.service.resolve().map(drop));
        if let Some(then) = &self.then {
            checker.single_receiver(path, "then", then);
        }
        self.call.check(&path.clone().name("call"), checker);
        check_slots(self.concurrency, path.clone().name("concurrency"), checker);
    }
}

fn check_slots(concurrency: u32, path: Path, checker: &mut Checker<'_>) {
    if concurrency == 0 {
        let message = "a server with 0 slots serves no requests";
        checker.add(path, message, "set it to 1 or more");
    }
}

/// A setting of a server that can change during a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ServerSetting {
    /// Takes the server down: requests in service and waiting are lost, arriving requests are rejected at once, and
    /// responses that pass the server on their return path are lost.
    Down,
    /// Brings the server up again, empty.
    Up,
    /// Pauses the server: services in progress are completed, but no other starts. Waiting requests stay, and arriving
    /// ones wait as long as the queue has room.
    Pause,
    /// Ends a pause: waiting requests take the free slots.
    Resume,
    /// Number of slots (1 or more). Requests in service are served to the end.
    Concurrency(u32),
    /// Service time of services that start after the change.
    Service(DistributionSpec<SimDuration>),
    /// The queue. Requests that already wait stay.
    Queue(QueueSpec),
}

impl ServerSetting {
    pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        match self {
            Self::Down | Self::Up | Self::Pause | Self::Resume | Self::Queue(_) => {}
            Self::Concurrency(concurrency) => check_slots(*concurrency, path.clone(), checker),
            Self::Service(service) => checker.resolved(path.clone(), service.resolve().map(drop)),
        }
    }
}

impl fmt::Display for ServerSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("down"),
            Self::Up => f.write_str("up"),
            Self::Pause => f.write_str("paused"),
            Self::Resume => f.write_str("resumed"),
            Self::Concurrency(slots) => write!(f, "concurrency {slots}"),
            Self::Service(_) => f.write_str("new service time"),
            Self::Queue(queue) => match queue.bound() {
                None => f.write_str("unbounded queue"),
                Some(capacity) => write!(f, "queue capacity {capacity}"),
            },
        }
    }
}

impl PartSetting for ServerSetting {
    fn name(&self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Up => "Up",
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Concurrency(_) => "Concurrency",
            Self::Service(_) => "Service",
            Self::Queue(_) => "Queue",
        }
    }

    fn topic(&self) -> &'static str {
        match self {
            Self::Down | Self::Up => "availability",
            Self::Pause | Self::Resume => "pause",
            Self::Concurrency(_) | Self::Service(_) | Self::Queue(_) => self.name(),
        }
    }

    fn is_ordinary(&self) -> bool {
        matches!(self, Self::Up | Self::Resume)
    }

    fn steps(&self) -> Vec<Step<Self>> {
        match self {
            Self::Concurrency(slots) => {
                let fewer = slots.checked_sub(1).filter(|slots| *slots > 0);
                let fewer = fewer.map(|slots| ("− slot", "remove one slot", Self::Concurrency(slots)));
                let more = ("+ slot", "add one slot", Self::Concurrency(slots.saturating_add(1)));
                fewer.into_iter().chain([more]).collect()
            }
            Self::Down | Self::Up | Self::Pause | Self::Resume | Self::Service(_) | Self::Queue(_) => {
                Vec::new()
            }
        }
    }
}
