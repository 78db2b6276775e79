//! From a file to a scenario that can be run, or to everything that is wrong with it, before virtual time starts.
//!
//! [`Scenario`] is the root of what can be written: what it says of a part, the part's room knows. [`load`](load()) reads
//! it, [`check`] finds what cannot be, [`save`](save()) writes it again with what was changed.

pub mod check;
mod load;
mod save;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::engine::time::SimDuration;
use crate::event::NodeKind;
use crate::model::change::ChangeSpec;
use crate::model::link::LinkSpec;
use crate::model::names::{Names, WrittenEntry};
use crate::model::parts::{NodeSpec, SpecRef};
use crate::model::probe::ProbeSpec;
use crate::model::problem::Problem;
use crate::model::source::SourceSpec;

pub use load::{DEFAULT_SCENARIO, Loaded, load};
pub use save::save;

/// Everything that a run needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// The seed of all randomness.
    #[serde(default = "first_seed")]
    pub seed: u64,
    /// No request is created after this, unless its source says otherwise; until the end if it is not given.
    #[serde(default)]
    pub arrivals_until: Option<SimDuration>,
    /// When the run ends; what happens at this very moment still belongs to it.
    pub run_until: SimDuration,
    /// Statistics of the time before this are left out: latencies, waiting times, time-weighted means. Counts are not.
    #[serde(default)]
    pub warm_up: SimDuration,
    /// Where requests are created, by name.
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

impl Scenario {
    /// Its sources, then its nodes, each with its name, in the order in which they are written.
    pub fn specs(&self) -> impl Iterator<Item = (&str, SpecRef<'_>)> {
        let sources = self.sources.iter().map(|(name, spec)| (name.as_str(), SpecRef::Source(spec)));
        sources.chain(self.nodes.iter().map(|(name, spec)| (name.as_str(), spec.as_spec())))
    }

    /// The source, node or group with a name of its own.
    #[must_use]
    pub fn spec(&self, name: &str) -> Option<SpecRef<'_>> {
        let node = || self.nodes.get(name).map(NodeSpec::as_spec);
        self.sources.get(name).map(SpecRef::Source).or_else(node)
    }

    /// What is written of the source, node or group that a name stands for or, of one member, belongs to; and its own name.
    #[must_use]
    pub fn spec_of<'a>(&'a self, names: &'a Names, name: &str) -> Option<(&'a str, SpecRef<'a>)> {
        let (entry, _) = names.entry(name)?;
        let entry = names.entries[entry].name.as_str();
        Some((entry, self.spec(entry)?))
    }

    /// Who is who.
    #[must_use]
    pub fn names(&self) -> Names {
        self.gather_names(&mut Vec::new())
    }

    fn gather_names(&self, problems: &mut Vec<Problem>) -> Names {
        let written = self.specs().map(|(name, spec)| {
            let kind = spec.kind();
            WrittenEntry { section: section(kind), name, kind, count: spec.count() }
        });
        Names::gather(written, problems)
    }

    /// Whether the nodes of an entry, written like this, listen to reported loads at any time of the run.
    #[must_use]
    pub fn listens_to_loads(&self, names: &Names, name: &str, spec: SpecRef<'_>) -> bool {
        let listens = spec.routing().is_some_and(|routing| routing.policy.load_feedback().is_some());
        let begins_to = |change: &ChangeSpec| {
            change.set.policy().is_some_and(|policy| policy.load_feedback().is_some())
                && change.of.0.iter().any(|of| names.overlap(of, name))
        };
        listens || self.changes.iter().any(begins_to)
    }
}

/// The field of a scenario that nodes of a kind stand in.
fn section(kind: NodeKind) -> &'static str {
    if kind == NodeKind::Source { "sources" } else { "nodes" }
}
