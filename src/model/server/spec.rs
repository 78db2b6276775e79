//! The scenario format of a server, its settings, and their checks.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::program::{CallSpecs, EndpointSpecs, SharingSpec};
use super::slowdown::SlowdownSpec;
use crate::engine::distribution::{DistributionSpec, Sampler};
use crate::engine::is_default;
use crate::engine::spec_error::SpecError;
use crate::engine::time::SimDuration;
use crate::engine::units::Bytes;
use crate::model::build::CHECKED;
use crate::model::check::Checker;
use crate::model::node_state::NodeState;
use crate::model::part::{PartSetting, Step};
use crate::model::queueing::{BalkSpec, JoiningSpec, QueueSpec};
use crate::text::Path;

/// A server, or a group of identical servers, as written in a scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// Makes a group of this many servers: `name-0`, `name-1`, ... By default, a single server called `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Lets the group grow and shrink, by changes of `Count`: the maximum number of its servers. `count` is then their
    /// number at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Time from the start of a server that joins the group to the first request that it can get; 0 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<Box<DistributionSpec<SimDuration>>>,
    /// Number of slots: requests served at the same time (1 or more). By default 1 with a `service` time, and unlimited with
    /// `endpoints`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Service time of a request. A server has either this or `endpoints`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<DistributionSpec<SimDuration>>,
    /// The queue in which requests wait.
    #[serde(default, skip_serializing_if = "is_default")]
    pub queue: QueueSpec,
    /// Whether a request takes as many slots as the `weight` of its source. By default, it takes one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub weighted: bool,
    /// By how much requests in service slow each other down. By default, they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slowdown: Option<SlowdownSpec>,
    /// For how long a request waits in the queue before it leaves; for ever by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<Box<DistributionSpec<SimDuration>>>,
    /// Which requests that find a long queue do not join it; by default, all do that find room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balk: Option<BalkSpec>,
    /// Calls that the server makes for each request after its service, one after the other, before it responds. None by
    /// default.
    #[serde(default, skip_serializing_if = "CallSpecs::is_empty")]
    pub call: CallSpecs,
    /// Number of cores that `Cpu` steps use. By default, every request has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// How requests that compute share the cores.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sharing: SharingSpec,
    /// Memory that `Memory` steps take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// Pools that `Hold` steps use, with their numbers of places: `{"disk": 4}`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub pools: IndexMap<String, u32>,
    /// What the server does for a request: the endpoint that it asks for, or one that is picked by weight.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub endpoints: EndpointSpecs,
    /// The size of its responses, up to 4 GiB; by default, they have none, and take no time to transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_size: Option<Box<SizeSpec>>,
    /// The node that receives served requests. Without it, the server responds to them itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
}

/// A distribution of sizes.
pub type SizeSpec = DistributionSpec<Bytes>;

/// The number of slots of a server that has as many as it needs.
pub(super) const UNLIMITED: u32 = u32::MAX;

impl ServerSpec {
    pub(super) fn check(&self, path: &Path, checker: &mut Checker<'_>) {
        if let Some(service) = &self.service {
            checker.spec(path, "service", service.resolve().map(drop));
        }
        if let Some(then) = &self.then {
            checker.single_receiver(path, "then", then);
        }
        self.check_program(path, checker);
        self.check_size(path, checker);
        self.check_response_sizes(path, checker);
        self.check_queue(path, checker);
        if let Some(slowdown) = &self.slowdown {
            slowdown.check(&path.clone().name("slowdown"), checker);
        }
        if let Some(slots) = self.concurrency {
            check_slots(slots, path.clone().name("concurrency"), checker);
        }
    }

    /// Number of slots, or `None` if it is unlimited.
    pub(super) fn concurrency(&self) -> Option<u32> {
        self.concurrency.or(self.service.is_some().then_some(1))
    }

    /// Number of slots; [`UNLIMITED`] if it is unlimited.
    pub(super) fn slots(&self) -> u32 {
        self.concurrency().unwrap_or(UNLIMITED)
    }

    /// The service time; none at all for a server with endpoints.
    pub(super) fn service_time(&self) -> Sampler {
        let time = self.service.as_ref().map(|service| service.resolve().expect(CHECKED));
        time.unwrap_or_else(|| Sampler::constant(0.0))
    }

    /// Who joins the queue, and how long they stay.
    pub(super) fn joining(&self) -> JoiningSpec<'_> {
        JoiningSpec { patience: self.patience.as_deref(), balk: self.balk }
    }

    fn check_queue(&self, path: &Path, checker: &mut Checker<'_>) {
        let queue = path.clone().name("queue");
        self.queue.check(&queue, checker);
        self.joining().check(path, checker);
        if self.queue.uses_service_time() && self.service.is_none() {
            let message = "the service time of a request is not known when it begins to wait: this server has endpoints";
            checker.add(queue.clone(), message, "use a server with a `service` time, or another queue");
        }
        if self.queue.is_preemptive() {
            if self.service.is_none() || !self.call.is_empty() {
                let message = "only a `service` time without calls can be interrupted";
                checker.add(queue.clone(), message, "leave `preemptive` out, or the endpoints and calls");
            }
            if self.weighted || self.slowdown.is_some() {
                let message = "services with weighted slots or a slow-down cannot be interrupted";
                checker.add(queue, message, "leave `preemptive` out, or `weighted` and `slowdown`");
            }
        }
        if self.weighted && self.concurrency().is_none() {
            let message = "the number of slots is unlimited: it does not matter how many a request takes";
            checker.add(path.clone().name("weighted"), message, "give the server a `concurrency`");
        }
    }

    fn check_size(&self, path: &Path, checker: &mut Checker<'_>) {
        checker.spec(path, "boot", self.boot_time().map(drop));
        match (self.count, self.max) {
            (None, Some(_)) => {
                let message = "only a group can grow";
                checker.add(path.clone().name("max"), message, "make it a group: give it a `count`");
            }
            (Some(count), Some(max)) if count > max => {
                let message =
                    format!("the group starts with {count} servers, more than its maximum of {max}");
                checker.add(path.clone().name("count"), message, "make it smaller, or `max` larger");
            }
            (_, None) if self.boot.is_some() => {
                let message = "no server of this group is started during the run: the time has no effect";
                checker.warn(
                    path.clone().name("boot"),
                    message,
                    "leave it out, or let the group grow to a `max`",
                );
            }
            _ => {}
        }
    }

    /// Time from the start of a server to the first request that it can get.
    pub(super) fn boot_time(&self) -> Result<Sampler, SpecError> {
        self.boot.as_ref().map_or_else(|| Ok(Sampler::constant(0.0)), |boot| boot.resolve())
    }

    /// The state of a member at the start of the run.
    pub(super) fn initial_state(&self, member: u32) -> NodeState {
        let is_there = self.max.is_none() || self.count.is_none_or(|count| member < count);
        if is_there { NodeState::Up } else { NodeState::Absent }
    }
}

fn check_slots(concurrency: u32, path: Path, checker: &mut Checker<'_>) {
    if concurrency == 0 {
        let message = "a server with 0 slots serves no requests";
        checker.add(path, message, "set it to 1 or more");
    }
}

fn check_count(count: u32, max: Option<u32>, path: &Path, checker: &mut Checker<'_>) {
    match max {
        None => {
            let message = "the number of servers of this group is fixed";
            checker.add(path.clone(), message, "let the group grow: give it a `max`");
        }
        Some(max) if count > max => {
            let message = format!("{count} servers are more than the maximum of the group, which is {max}");
            checker.add(path.clone(), message, "make it smaller, or the `max` of the group larger");
        }
        Some(_) => {}
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
    /// Number of servers in a group with a `max`. Servers that join boot first. Servers that leave, the last ones first, get
    /// no further requests, and complete those that they have.
    Count(u32),
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
    /// Reports errors in a setting that is to change servers with these specifications.
    pub(super) fn check(&self, path: &Path, specs: &[&ServerSpec], checker: &mut Checker<'_>) {
        match self {
            Self::Down | Self::Up | Self::Pause | Self::Resume => {}
            Self::Queue(queue) => {
                queue.check(path, checker);
                if specs.iter().any(|spec| spec.queue.is_preemptive() != queue.is_preemptive()) {
                    let message = "whether services are interrupted does not change during a run";
                    checker.add(path.clone(), message, "write `preemptive` as it is at the start");
                }
                let other = specs.iter().map(|spec| spec.queue.discipline());
                if let Some(other) = other.into_iter().find(|other| *other != queue.discipline()) {
                    let message = format!("the queue of this server is {other}, which does not change");
                    checker.add(
                        path.clone(),
                        message,
                        format!("change its parameters: {other}(capacity: ..)"),
                    );
                }
            }
            Self::Count(count) => specs.iter().for_each(|spec| check_count(*count, spec.max, path, checker)),
            Self::Concurrency(concurrency) => {
                check_slots(*concurrency, path.clone(), checker);
                if specs.iter().any(|spec| spec.concurrency().is_none()) {
                    let message = "the number of slots of this server is unlimited from the start";
                    checker.add(path.clone(), message, "give the server a `concurrency`");
                }
            }
            Self::Service(service) => {
                checker.resolved(path.clone(), service.resolve().map(drop));
                if specs.iter().any(|spec| spec.service.is_none()) {
                    let message = "this server has endpoints, whose steps say how long they take";
                    checker.add(path.clone(), message, "change a server with a `service` time");
                }
            }
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
            Self::Count(1) => f.write_str("1 server"),
            Self::Count(count) => write!(f, "{count} servers"),
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
            Self::Count(_) => "Count",
            Self::Concurrency(_) => "Concurrency",
            Self::Service(_) => "Service",
            Self::Queue(_) => "Queue",
        }
    }

    fn topic(&self) -> &'static str {
        match self {
            Self::Down | Self::Up => "availability",
            Self::Pause | Self::Resume => "pause",
            Self::Count(_) | Self::Concurrency(_) | Self::Service(_) | Self::Queue(_) => self.name(),
        }
    }

    fn is_of_group(&self) -> bool {
        matches!(self, Self::Count(_))
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
            Self::Count(count) => {
                let fewer =
                    count.checked_sub(1).map(|count| ("− server", "remove one server", Self::Count(count)));
                let more = ("+ server", "add one server", Self::Count(count.saturating_add(1)));
                fewer.into_iter().chain([more]).collect()
            }
            Self::Down | Self::Up | Self::Pause | Self::Resume | Self::Service(_) | Self::Queue(_) => {
                Vec::new()
            }
        }
    }
}
