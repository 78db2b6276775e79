//! What cannot be looked at: gauges that a node does not have, and more samples than memory holds.

use crate::event::NodeKind;
use crate::model::check::{Checker, one_of};
use crate::model::metric::PERCEIVED_LOAD;
use crate::model::parts::SpecRef;
use crate::model::probe::{GaugeSpec, ProbeSpec};
use crate::model::problem::Problem;
use crate::scenario::Scenario;
use crate::text::Path;

/// The most samples that all probes of a run may take together: 16 bytes each.
const MAX_SAMPLES: u64 = 100_000_000;

pub(super) fn check(scenario: &Scenario, checker: &mut Checker<'_>) {
    let mut samples = 0_u64;
    for (index, probe) in scenario.probes.iter().enumerate() {
        let path = Path::root().name("probes").index(index);
        if probe.every.is_zero() {
            checker.add(
                path.clone().name("every"),
                "samples at intervals of no time never end",
                "write \"100ms\"",
            );
            continue;
        }
        let tracks = gauges(scenario, &path, probe, checker);
        let each = scenario.run_until.as_nanos() / probe.every.as_nanos() + 1;
        samples = samples.saturating_add(each.saturating_mul(tracks));
        if samples > MAX_SAMPLES {
            let message = format!("the probes would take {samples} samples, more than {MAX_SAMPLES}");
            checker.add(path.name("every"), message, "sample less often, or fewer nodes");
            samples = 0;
        }
    }
}

/// Checks the gauges of a probe, and counts the series that they make.
fn gauges(scenario: &Scenario, path: &Path, probe: &ProbeSpec, checker: &mut Checker<'_>) -> u64 {
    if probe.gauges.is_empty() {
        checker.add(path.clone().name("gauges"), "a probe without a gauge shows nothing", "name one");
    }
    let mut tracks = 0;
    for name in &probe.of.0 {
        if !checker.known(path, "of", name) {
            continue;
        }
        let Some(range) = checker.names.range(name) else { continue };
        let Some((entry, spec)) = scenario.spec_of(checker.names, name) else { continue };
        for (at, gauge) in probe.gauges.iter().enumerate() {
            let path = path.clone().name("gauges").index(at);
            let there = gauges_of(spec);
            if !there.contains(&gauge.name()) {
                let message = format!("{} is no gauge of a {} (\"{name}\")", gauge.name(), range.kind.name());
                checker.add(path, message, format!("it has {}", there.join(", ")));
            } else if let GaugeSpec::PerceivedLoad(of) = gauge {
                let listens = scenario.listens_to_loads(checker.names, entry, spec);
                tracks += u64::from(range.count) * perceived(&path, entry, listens, of, checker);
            } else {
                tracks += u64::from(range.count);
            }
        }
    }
    tracks
}

/// Names of the gauges of a node.
fn gauges_of(spec: SpecRef<'_>) -> Vec<&'static str> {
    let estimates = spec.routing().map(|_| &PERCEIVED_LOAD);
    let own = spec.kind().gauges();
    estimates.into_iter().chain(own).filter_map(|metric| metric.gauge).collect()
}

/// Checks that a node can know of the load of `of`, and counts the nodes that this names.
fn perceived(path: &Path, node: &str, listens: bool, of: &str, checker: &mut Checker<'_>) -> u64 {
    let Some(range) = checker.names.range(of) else {
        let unknown = checker.names.unknown(of, "server", path.clone(), NodeKind::reports_load);
        checker.problems.push(unknown);
        return 0;
    };
    if !range.kind.reports_load() {
        let reporters = one_of(NodeKind::reports_load);
        let message = format!("\"{of}\" is a {}: only {reporters}s report their load", range.kind.name());
        checker.add(path.clone(), message, format!("name a {reporters} or a group of {reporters}s"));
    }
    if !listens {
        let message = format!("\"{node}\" does not remember loads: its routing is not LoadAware");
        let problem = Problem::new(path.clone(), message).because_of(node);
        checker
            .problems
            .push(problem.with_hint("write `LoadAware(..., smart: false)` to listen without acting"));
    }
    u64::from(range.count)
}
