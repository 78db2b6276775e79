//! From file to world: the scenario as a person writes it, checked and explained before virtual time starts.
//!
//! [`text`](crate::text) turns bytes into any type that serde can read, and complains with positions. [`Scenario`] is the root of
//! what can be written. [`directory`] knows who is who, [`check`] finds what cannot be, and [`spawn`](spawn()) builds
//! the world.

mod changes;
pub mod check;
mod courses;
pub mod directory;
mod load;
mod save;
mod spawn;

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::engine::time::SimDuration;
use crate::model::change::ChangeSpec;
use crate::model::client::ClientSpec;
use crate::model::link::LinkSpec;
use crate::model::load_balancer::LoadBalancerSpec;
use crate::model::measure::Limit;
use crate::model::probe::{NodeKind, ProbeSpec};
use crate::model::server::ServerSpec;
use crate::model::source::SourceSpec;
use crate::text::Path;

pub use changes::{adopt, is_of};
pub use load::{DEFAULT_SCENARIO, Loaded, load};
pub use save::save;
pub use spawn::spawn;

/// Everything that a run needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// The seed of all randomness.
    #[serde(default = "first_seed")]
    pub seed: u64,
    /// No request is born after this, unless its source says otherwise; until the end if it is not given.
    #[serde(default)]
    pub arrivals_until: Option<SimDuration>,
    /// When the run ends; what happens at this very moment still belongs to it.
    pub run_until: SimDuration,
    /// Statistics of the time before this are left out: latencies, waiting times, time-weighted means. Counts are not.
    #[serde(default)]
    pub warm_up: SimDuration,
    /// Where requests are born, by name.
    pub sources: IndexMap<String, SourceSpec>,
    /// What they meet, by name.
    #[serde(default)]
    pub nodes: IndexMap<String, NodeSpec>,
    /// The network. Where no link is written, messages take no time.
    #[serde(default)]
    pub links: Vec<LinkSpec>,
    /// What is looked at.
    #[serde(default)]
    pub probes: Vec<ProbeSpec>,
    /// What changes while the run goes on.
    #[serde(default)]
    pub changes: Vec<ChangeSpec>,
}

const fn first_seed() -> u64 {
    1
}

/// A node or a group of equal ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NodeSpec {
    /// Picks a target for each request by a policy.
    LoadBalancer(LoadBalancerSpec),
    /// The caller's side: picks servers and learns from their responses.
    Client(ClientSpec),
    /// Does the work.
    Server(ServerSpec),
}

impl NodeSpec {
    /// What kind of node it is.
    #[must_use]
    pub const fn kind(&self) -> NodeKind {
        match self {
            Self::LoadBalancer(_) => NodeKind::LoadBalancer,
            Self::Client(_) => NodeKind::Client,
            Self::Server(_) => NodeKind::Server,
        }
    }

    /// How many there are; a single one without a number if it is not given.
    #[must_use]
    pub const fn count(&self) -> Option<u32> {
        match self {
            Self::LoadBalancer(spec) => spec.count,
            Self::Client(spec) => spec.count,
            Self::Server(spec) => spec.count,
        }
    }

    /// The limits that it sets to what is measured, or acts upon, if it is called `name`.
    #[must_use]
    pub fn limits(&self, name: &str) -> Vec<Limit> {
        match self {
            Self::LoadBalancer(_) => Vec::new(),
            Self::Client(spec) => spec.limits(name),
            Self::Server(spec) => spec.limits(name),
        }
    }

    /// The names that it sends requests to.
    #[must_use]
    pub fn receivers(&self) -> Vec<&str> {
        match self {
            Self::LoadBalancer(spec) => spec.to.0.iter().map(String::as_str).collect(),
            Self::Client(spec) => spec.to.0.iter().map(String::as_str).collect(),
            Self::Server(spec) => spec.then.as_deref().into_iter().collect(),
        }
    }
}

/// Something in a scenario that is written well and means nothing that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub path: Path,
    /// What is wrong with it: a sentence in lower case without a full stop.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Other places that it follows from: where one of them could not be read, it may be no problem at all.
    pub follows_from: Vec<Path>,
}

impl Problem {
    /// A problem without a remedy.
    #[must_use]
    pub fn new(path: Path, message: impl Into<String>) -> Self {
        Self { path, message: message.into(), remedy: None, follows_from: Vec::new() }
    }

    /// The same, if it is only there because of what the node or source called `name` says, or does not say.
    #[must_use]
    pub fn because_of(mut self, name: &str) -> Self {
        // "server-2" may be a member of "server".
        let group = name.rsplit_once('-').map(|(group, _)| group);
        for name in std::iter::once(name).chain(group) {
            self.follows_from.extend(["nodes", "sources"].map(|kind| Path::root().name(kind).name(name)));
        }
        self
    }

    /// The same with a remedy.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, " ({remedy})"))
    }
}
