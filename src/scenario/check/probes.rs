//! What cannot be looked at: probes of gauges that a node does not have, and more samples than memory holds.

use super::{ALL, Checker};
use crate::model::probe::{GaugeSpec, NodeKind, ProbeSpec};
use crate::scenario::{NodeSpec, Problem};
use crate::text::Path;

/// The most samples that all probes of a run may take together: 16 bytes each.
const MAX_SAMPLES: u64 = 100_000_000;

impl Checker<'_> {
    pub(super) fn probes(&mut self) {
        let mut samples = 0_u64;
        for (index, probe) in self.scenario.probes.iter().enumerate() {
            let path = Path::root().name("probes").index(index);
            if probe.every.is_zero() {
                self.add(
                    path.clone().name("every"),
                    "samples at intervals of no time never end",
                    "write \"100ms\"",
                );
                continue;
            }
            let tracks = self.gauges(&path, probe);
            let each = self.scenario.run_until.as_nanos() / probe.every.as_nanos() + 1;
            samples = samples.saturating_add(each.saturating_mul(tracks));
            if samples > MAX_SAMPLES {
                let message = format!("the probes would take {samples} samples, more than {MAX_SAMPLES}");
                self.add(path.name("every"), message, "sample less often, or fewer nodes");
                samples = 0;
            }
        }
    }

    /// Checks the gauges of a probe, and counts the series that they make.
    fn gauges(&mut self, path: &Path, probe: &ProbeSpec) -> u64 {
        if probe.gauges.is_empty() {
            self.add(path.clone().name("gauges"), "a probe without a gauge shows nothing", "name one");
        }
        let mut tracks = 0;
        for name in &probe.of.0 {
            if !self.known(path, "of", name, &ALL) {
                continue;
            }
            let Some((index, whole)) = self.directory.entry(name) else { continue };
            let entry = &self.directory.entries[index];
            let members = if whole { entry.members.len() as u64 } else { 1 };
            for (at, gauge) in probe.gauges.iter().enumerate() {
                let gauge_path = path.clone().name("gauges").index(at);
                if !entry.kind.gauges().contains(&gauge.name()) {
                    let message =
                        format!("{} is no gauge of a {} (\"{name}\")", gauge.name(), entry.kind.name());
                    let remedy = format!("it has {}", entry.kind.gauges().join(", "));
                    self.add(gauge_path, message, remedy);
                } else if let GaugeSpec::PerceivedLoad(server) = gauge {
                    tracks += members * self.perceived(&gauge_path, &entry.name, server);
                } else {
                    tracks += members;
                }
            }
        }
        tracks
    }

    /// Checks that a client can perceive the load of `server`, and counts the servers.
    fn perceived(&mut self, path: &Path, client: &str, server: &str) -> u64 {
        let Some((index, whole)) = self.directory.entry(server) else {
            let problem = self.directory.unknown(server, "server", path.clone(), &[NodeKind::Server]);
            self.problems.push(problem);
            return 0;
        };
        let entry = &self.directory.entries[index];
        if entry.kind != NodeKind::Server {
            let message = format!("\"{server}\" is a {}: only servers report their load", entry.kind.name());
            self.add(path.clone(), message, "name a server or a group of servers");
        }
        let remembers = |node: &NodeSpec| match node {
            NodeSpec::Client(spec) => self.scenario.remembers_loads(client, spec),
            NodeSpec::LoadBalancer(_) | NodeSpec::Server(_) => false,
        };
        if !self.scenario.nodes.get(client).is_some_and(remembers) {
            let message = format!("\"{client}\" does not remember loads: its routing is not LoadAware");
            let problem = Problem::new(path.clone(), message).because_of(client);
            self.problems
                .push(problem.with_remedy("write `LoadAware(..., smart: false)` to listen without acting"));
        }
        if whole { entry.members.len() as u64 } else { 1 }
    }
}
