//! Checks probes: gauges that a node does not have, and more samples than fit into memory.

use crate::event::NodeKind;
use crate::model::check::{Checker, one_of};
use crate::model::link::{self, LinkSpec, matching, unknown_link};
use crate::model::metric::{PERCEIVED_LOAD, Unit};
use crate::model::parts::SpecRef;
use crate::model::probe::{GaugeSpec, ProbeSpec, has_gauge};
use crate::model::problem::Problem;
use crate::scenario::Scenario;
use crate::text::Path;

/// Maximum number of samples of all probes of a run, at 8 bytes each.
const MAX_SAMPLES: u64 = 100_000_000;

pub(super) fn check(scenario: &Scenario, checker: &mut Checker<'_>) {
    let mut samples = 0_u64;
    for (index, probe) in scenario.probes.iter().enumerate() {
        let path = Path::root().name("probes").index(index);
        if probe.every.is_zero() {
            checker.add(
                path.clone().name("every"),
                "a sampling interval of 0 s would take infinitely many samples",
                "make it longer, such as \"100ms\"",
            );
            continue;
        }
        let series = gauges(scenario, &path, probe, checker);
        let each = scenario.run_until.as_nanos() / probe.every.as_nanos() + 1;
        samples = samples.saturating_add(each.saturating_mul(series));
        if samples > MAX_SAMPLES {
            let message = format!("the probes would take {samples} samples, more than {MAX_SAMPLES}");
            checker.add(path.name("every"), message, "sample less often, or fewer nodes");
            samples = 0;
        }
    }
}

/// Checks the gauges of a probe, and returns the number of series that it records.
fn gauges(scenario: &Scenario, path: &Path, probe: &ProbeSpec, checker: &mut Checker<'_>) -> u64 {
    if probe.gauges.is_empty() {
        checker.add(path.clone().name("gauges"), "a probe without gauges records no samples", "name a gauge");
    }
    let mut series = 0;
    for name in &probe.of.0 {
        if let Some((from, to)) = name.split_once("->") {
            let links: Vec<&LinkSpec> =
                matching(name, &scenario.links).map(|row| &scenario.links[row as usize]).collect();
            if links.is_empty() {
                let ends = (from.trim(), to.trim());
                let problem = unknown_link(ends, &scenario.links, checker.names, path.clone().name("of"));
                checker.problems.push(problem);
                continue;
            }
            gauges_of_links(path, (name, &links), &probe.gauges, checker);
            series += (links.len() * probe.gauges.len()) as u64;
            continue;
        }
        if !checker.known(path, "of", name) {
            continue;
        }
        let Some(range) = checker.names.range(name) else { continue };
        let Some((entry, spec)) = scenario.spec_of(checker.names, name) else { continue };
        for (index, gauge) in probe.gauges.iter().enumerate() {
            let path = path.clone().name("gauges").index(index);
            if !has_gauge(gauge, &gauges_of(spec), (range.kind.name(), name), &path, checker) {
                continue;
            }
            if let GaugeSpec::PerceivedLoad(target) = gauge {
                let listens = scenario.listens_to_loads(checker.names, entry, spec);
                series += u64::from(range.count) * perceived(&path, entry, listens, target, checker);
            } else {
                series += u64::from(range.count);
            }
        }
    }
    series
}

/// Checks the gauges of links, which have this name.
fn gauges_of_links(
    path: &Path,
    (name, links): (&str, &[&LinkSpec]),
    gauges: &[GaugeSpec],
    checker: &mut Checker<'_>,
) {
    let available: Vec<_> = link::gauges().into_iter().filter_map(|metric| metric.gauge).collect();
    let have_bandwidth = links.iter().any(|link| link.has_bandwidth());
    for (index, gauge) in gauges.iter().enumerate() {
        let path = path.clone().name("gauges").index(index);
        let has_it = has_gauge(gauge, &available, ("link", name), &path, checker);
        if has_it && gauge.metric().unit == Unit::Share && !have_bandwidth {
            let message = format!("the bandwidth of \"{name}\" is unlimited: {} has no value", gauge.name());
            checker.warn(path, message, "give the link a `bandwidth`, or leave the gauge out");
        }
    }
}

/// The names of the gauges of a node.
fn gauges_of(spec: SpecRef<'_>) -> Vec<&'static str> {
    let estimates = spec.routing().map(|_| &PERCEIVED_LOAD);
    let own = spec.kind().gauges();
    estimates.into_iter().chain(own).filter_map(|metric| metric.gauge).collect()
}

/// Checks that a node records the reported load of `target`, and returns the number of nodes that `target` names.
fn perceived(path: &Path, node: &str, listens: bool, target: &str, checker: &mut Checker<'_>) -> u64 {
    let Some(range) = checker.names.range(target) else {
        let unknown = checker.names.unknown(target, "server", path.clone(), NodeKind::reports_load);
        checker.problems.push(unknown);
        return 0;
    };
    if !range.kind.reports_load() {
        let reporters = one_of(NodeKind::reports_load);
        let message = format!("\"{target}\" is a {}: only {reporters}s report their load", range.kind.name());
        checker.add(path.clone(), message, format!("name a {reporters} or a group of {reporters}s"));
    }
    if !listens {
        let message = format!("\"{node}\" does not record reported loads: its routing is not LoadAware");
        let problem = Problem::new(path.clone(), message).because_of(node);
        checker.problems.push(
            problem.with_hint("write `LoadAware(..., smart: false)` to record them without routing by them"),
        );
    }
    u64::from(range.count)
}
