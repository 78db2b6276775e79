//! The sampled metrics of an AsyncFlow file as probes.

use super::Conversion;
use super::duration;
use super::payload::{SampleMetric, StepKind};
use crate::event::NodeKind;
use crate::model::metric::Metric;
use crate::model::probe::{GaugeSpec, ProbeSpec};
use crate::model::references::References;
use crate::text::Path;

/// Maximum number of samples of a series. More make large files, and a plot shows no more.
const MAX_SAMPLES: f64 = 1e6;

impl Conversion<'_> {
    /// The probes: one for all servers with the same gauges.
    pub(super) fn probes(&mut self) -> Vec<ProbeSpec> {
        let settings = &self.payload.settings;
        let has = |metric: SampleMetric| settings.metrics.contains(&metric);
        let of_servers = [SampleMetric::ReadyQueue, SampleMetric::IoSleep, SampleMetric::Ram];
        let path = Path::root().name("probes");
        let mut probes: Vec<ProbeSpec> = Vec::new();
        let every = self.period();
        for server in &self.graph.servers {
            let uses = |kinds: &[StepKind]| {
                server
                    .endpoints
                    .iter()
                    .flat_map(|endpoint| &endpoint.steps)
                    .any(|step| kinds.contains(&step.kind))
            };
            let gauges: Vec<GaugeSpec> = [
                (SampleMetric::ReadyQueue, "CoreQueue", uses(&[StepKind::Cpu])),
                (SampleMetric::IoSleep, "InIo", true),
                (SampleMetric::Ram, "MemoryLoad", uses(&[StepKind::Ram])),
            ]
            .into_iter()
            .filter(|(metric, _, is_measured)| has(*metric) && *is_measured)
            .filter_map(|(_, name, _)| gauge(name))
            .collect();
            match probes.iter_mut().find(|probe| probe.gauges == gauges) {
                Some(probe) => probe.of.0.push(server.id.value.clone()),
                None if gauges.is_empty() => {}
                None => {
                    probes.push(ProbeSpec { of: References::from(server.id.value.as_str()), gauges, every });
                }
            }
        }
        let enabled = of_servers.into_iter().filter(|metric| has(*metric)).count();
        if enabled > 0 && enabled < of_servers.len() {
            let text = "AsyncFlow samples the metrics of servers only if all three are enabled.";
            self.notes.add(&path, text);
        }
        if probes.iter().any(|probe| probe.gauges.iter().any(|gauge| gauge.name() == "MemoryLoad")) {
            self.notes
                .add(&path, "`ram_in_use` is `MemoryLoad`, the share of the memory instead of megabytes.");
        }
        if has(SampleMetric::EdgeConnections) {
            let path = if probes.is_empty() { Path::root() } else { path };
            self.notes.add(&path, "`edge_concurrent_connection` has no gauge: links do not count messages.");
        }
        probes
    }

    #[expect(clippy::cast_precision_loss, reason = "the horizon is far below 2^53 s")]
    fn period(&mut self) -> crate::engine::time::SimDuration {
        let settings = &self.payload.settings;
        let longest = settings.horizon as f64 / MAX_SAMPLES;
        if settings.sample_period < longest {
            let text = "The period of the samples is longer than in the file, so that there are at most a million of each.";
            self.notes.add(&Path::root().name("probes"), text);
        }
        duration(settings.sample_period.max(longest))
    }
}

/// The gauge of servers of this name.
fn gauge(name: &str) -> Option<GaugeSpec> {
    let gauges = NodeKind::Server.gauges();
    let is_named = |metric: &&'static Metric| metric.gauge == Some(name);
    gauges.into_iter().find(is_named).map(GaugeSpec::Own)
}
