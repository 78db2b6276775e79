//! Scenarios: reads a file into a scenario that can be run, or reports every error in it before the run.
//!
//! [`Scenario`] is the root of the file format. The module of each part in [`model`](crate::model) defines and checks
//! the fields of that part. [`load`](load()) reads a scenario, [`check`] finds errors in it, [`save`](save()) writes it
//! again with changes.

pub mod check;
mod load;
mod save;

use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::engine::time::SimDuration;
use crate::event::NodeKind;
use crate::model::autoscaler::AutoscalerSpec;
use crate::model::change::ChangeSpec;
use crate::model::fault::FaultSpec;
use crate::model::link::LinkSpec;
use crate::model::names::{Names, WrittenEntry};
use crate::model::parts::{NodeSpec, SpecRef};
use crate::model::probe::ProbeSpec;
use crate::model::problem::Problem;
use crate::model::source::SourceSpec;

pub use load::{DEFAULT_SCENARIO, Loaded, load, load_in};
pub use save::save;

/// A system, its workload, and how long to run it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The name of the scenario, for reports.
    pub name: String,
    /// The seed of all random numbers.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// No request is created after this, unless its source has its own `stop`. `None`: the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals_until: Option<SimDuration>,
    /// When the run ends. Events at exactly this time are still part of it.
    pub run_until: SimDuration,
    /// Latencies, waiting times and time-weighted means exclude the time before this. Counts include it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warm_up: SimDuration,
    /// The sources, which create the requests, by name.
    pub sources: IndexMap<String, SourceSpec>,
    /// The nodes and groups of nodes, by name.
    #[serde(default)]
    pub nodes: IndexMap<String, NodeSpec>,
    /// The links between nodes. Without a link, messages take no time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<LinkSpec>,
    /// The probes, which sample metrics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<ProbeSpec>,
    /// The autoscalers, which make groups grow and shrink, by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub autoscalers: IndexMap<String, AutoscalerSpec>,
    /// The changes of settings during the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeSpec>,
    /// The faults during the run, by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub faults: IndexMap<String, FaultSpec>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(time: &SimDuration) -> bool {
    time.is_zero()
}

const fn default_seed() -> u64 {
    1
}

impl Scenario {
    /// Sets the directory that the names of other files in it start from.
    fn locate(&mut self, directory: &Path) {
        self.sources.values_mut().for_each(|source| source.arrivals.locate(directory));
    }

    /// The specs of all sources, then of all nodes, each with its name, in the order of the file.
    pub fn specs(&self) -> impl Iterator<Item = (&str, SpecRef<'_>)> {
        let sources = self.sources.iter().map(|(name, spec)| (name.as_str(), SpecRef::Source(spec)));
        sources.chain(self.nodes.iter().map(|(name, spec)| (name.as_str(), spec.as_spec())))
    }

    /// Whether any part gives messages a size.
    #[must_use]
    pub fn has_sizes(&self) -> bool {
        self.specs().any(|(_, spec)| spec.gives_sizes())
    }

    /// The spec of the source, node or group of this name, or `None`. Members of groups have no spec of their own.
    #[must_use]
    pub fn spec(&self, name: &str) -> Option<SpecRef<'_>> {
        let node = || self.nodes.get(name).map(NodeSpec::as_spec);
        self.sources.get(name).map(SpecRef::Source).or_else(node)
    }

    /// The name and spec of the source, node or group of this name or, for a member, of its group. `None` if the name
    /// is unknown.
    #[must_use]
    pub fn spec_of<'a>(&'a self, names: &'a Names, name: &str) -> Option<(&'a str, SpecRef<'a>)> {
        let (entry, _) = names.entry(name)?;
        let entry = names.entries[entry].name.as_str();
        Some((entry, self.spec(entry)?))
    }

    /// The name table of the scenario.
    #[must_use]
    pub fn names(&self) -> Names {
        self.gather_names(&mut Vec::new())
    }

    fn gather_names(&self, problems: &mut Vec<Problem>) -> Names {
        let written = self.specs().map(|(name, spec)| {
            let kind = spec.kind();
            let (count, initial_count) = (spec.count(), spec.initial_count());
            let (endpoints, resources) = (spec.endpoints(), spec.resources());
            WrittenEntry { section: section(kind), name, kind, count, initial_count, endpoints, resources }
        });
        Names::gather(written, problems)
    }

    /// Whether the nodes of an entry with this spec record reported loads at any time of the run.
    #[must_use]
    pub fn listens_to_loads(&self, names: &Names, name: &str, spec: SpecRef<'_>) -> bool {
        let listens = spec.routing().is_some_and(|routing| routing.policy.load_feedback().is_some());
        let starts_to_listen = |change: &ChangeSpec| {
            change.set.policy().is_some_and(|policy| policy.load_feedback().is_some())
                && change.of.0.iter().any(|changed| names.overlap(changed, name))
        };
        listens || self.changes.iter().any(starts_to_listen)
    }
}

/// The field of a scenario that contains the nodes of a kind.
fn section(kind: NodeKind) -> &'static str {
    if kind == NodeKind::Source { "sources" } else { "nodes" }
}
