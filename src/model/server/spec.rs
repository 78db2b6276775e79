//! What a person writes of a server, and what cannot be.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::distribution::DistributionSpec;
use crate::engine::time::SimDuration;
use crate::model::check::Checker;
use crate::model::part::{PartSetting, Step};
use crate::model::queueing::QueueSpec;
use crate::text::Path;

/// A server, or a group of equal ones, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// Makes a group of this many: `name-0`, `name-1`, ...
    #[serde(default)]
    pub count: Option<u32>,
    /// How many requests are served at the same time (1 or more).
    #[serde(default = "one")]
    pub concurrency: u32,
    /// How long a request is served.
    pub service: DistributionSpec<SimDuration>,
    /// Where requests wait.
    #[serde(default)]
    pub queue: QueueSpec,
    /// The node that a request goes on to when it has been served here; it is answered here if there is none.
    #[serde(default)]
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
        slots(self.concurrency, path.clone().name("concurrency"), checker);
    }
}

fn slots(concurrency: u32, path: Path, checker: &mut Checker<'_>) {
    if concurrency == 0 {
        let message = "a server that serves 0 requests at a time serves none";
        checker.add(path, message, "make it 1 or more");
    }
}

/// What can change of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ServerSetting {
    /// All that is in service or waits is lost, and whoever comes is rejected at once. Responses on their way back through
    /// the server are lost.
    Down,
    /// Ready again, and empty.
    Up,
    /// How many requests are served at the same time (1 or more). What is in service is served to its end.
    Concurrency(u32),
    /// How long a request is served whose service begins from then on.
    Service(DistributionSpec<SimDuration>),
    /// Where requests wait. Those who wait already stay.
    Queue(QueueSpec),
}

impl ServerSetting {
    pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        match self {
            Self::Down | Self::Up | Self::Queue(_) => {}
            Self::Concurrency(concurrency) => slots(*concurrency, path.clone(), checker),
            Self::Service(service) => checker.resolved(path.clone(), service.resolve().map(drop)),
        }
    }
}

impl fmt::Display for ServerSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("down"),
            Self::Up => f.write_str("up"),
            Self::Concurrency(slots) => write!(f, "concurrency {slots}"),
            Self::Service(_) => f.write_str("another service time"),
            Self::Queue(queue) => match queue.bound() {
                None => f.write_str("a queue without bound"),
                Some(capacity) => write!(f, "a queue of {capacity}"),
            },
        }
    }
}

impl PartSetting for ServerSetting {
    fn name(&self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Up => "Up",
            Self::Concurrency(_) => "Concurrency",
            Self::Service(_) => "Service",
            Self::Queue(_) => "Queue",
        }
    }

    fn topic(&self) -> &'static str {
        match self {
            Self::Down | Self::Up => "availability",
            Self::Concurrency(_) | Self::Service(_) | Self::Queue(_) => self.name(),
        }
    }

    fn is_ordinary(&self) -> bool {
        *self == Self::Up
    }

    fn steps(&self) -> Vec<Step<Self>> {
        match self {
            Self::Concurrency(slots) => {
                let fewer = slots.checked_sub(1).filter(|slots| *slots > 0);
                let fewer = fewer.map(|slots| ("− slot", "one slot less", Self::Concurrency(slots)));
                let more = ("+ slot", "one more slot", Self::Concurrency(slots.saturating_add(1)));
                fewer.into_iter().chain([more]).collect()
            }
            Self::Down | Self::Up | Self::Service(_) | Self::Queue(_) => Vec::new(),
        }
    }
}
