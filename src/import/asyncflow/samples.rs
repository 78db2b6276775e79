//! The sampled metrics of an AsyncFlow file as probes.

use super::Conversion;
use super::duration;
use super::payload::{SampleMetric, StepKind};
use crate::engine::distribution::DistributionSpec;
use crate::engine::time::SimDuration;
use crate::event::NodeKind;
use crate::model::link::{self, LinkSpec};
use crate::model::metric::Metric;
use crate::model::probe::{GaugeSpec, ProbeSpec};
use crate::model::references::References;
use crate::text::Path;

/// Maximum number of samples of a series. More make large files, and a plot shows no more.
const MAX_SAMPLES: f64 = 1e6;

impl Conversion<'_> {
    /// The probes: one for all servers, and one for all links, with the same gauges.
    pub(super) fn probes(&mut self, links: &[LinkSpec]) -> Vec<ProbeSpec> {
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
            let text = "`edge_concurrent_connection` is `RequestsInTransit` of a link, and of an edge from a server to the client \
                        `ResponsesInTransit`.";
            self.notes.add(&path, text);
            probes.extend(of_links(links, every));
        }
        probes
    }

    #[expect(clippy::cast_precision_loss, reason = "the horizon is far below 2^53 s")]
    fn period(&mut self) -> SimDuration {
        let settings = &self.payload.settings;
        let longest = settings.horizon as f64 / MAX_SAMPLES;
        if settings.sample_period < longest {
            let text = "The period of the samples is longer than in the file, so that there are at most a million of each.";
            self.notes.add(&Path::root().name("probes"), text);
        }
        duration(settings.sample_period.max(longest))
    }
}

/// The probes of links: of those that have an edge for responses, and of the others.
fn of_links(links: &[LinkSpec], every: SimDuration) -> Vec<ProbeSpec> {
    let has_responses =
        |link: &&LinkSpec| link.response_latency != Some(DistributionSpec::Constant(SimDuration::ZERO));
    let (both, requests): (Vec<&LinkSpec>, Vec<&LinkSpec>) = links.iter().partition(has_responses);
    let in_transit = ["RequestsInTransit", "ResponsesInTransit"];
    let probe = |(links, names): (Vec<&LinkSpec>, &[&str])| {
        let of = References(links.into_iter().map(LinkSpec::name).collect());
        ProbeSpec { of, gauges: names.iter().filter_map(|name| gauge(name)).collect(), every }
    };
    let probes = [(requests, &in_transit[..1]), (both, &in_transit[..])];
    probes.into_iter().filter(|(links, _)| !links.is_empty()).map(probe).collect()
}

/// The gauge of servers or links of this name.
fn gauge(name: &str) -> Option<GaugeSpec> {
    let gauges = NodeKind::Server.gauges().into_iter().chain(link::gauges());
    let is_named = |metric: &&'static Metric| metric.gauge == Some(name);
    gauges.into_iter().find(is_named).map(GaugeSpec::Own)
}
