//! Unused: capacity that is idle throughout: a resource of which only a small part was ever in use at the same time, or a member
//! of a group that no request reached.
//!
//! The finding says that at least half of the capacity is not needed. So it has to hold in other and longer runs as well: at
//! most a quarter was in use at any time, and a Poisson count with the mean of the busiest interval, which is the number in use
//! in M/G/infinity, hardly ever reaches half of the capacity in ten times as many requests.

use serde::Serialize;

use super::chance::log_tail;
use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::station::Station;

/// Probability of a false finding, over all stations.
const ALPHA: f64 = 1e-3;
/// Maximum share of the capacity that may ever have been in use.
const MAX_PEAK: f64 = 0.25;
/// The share of the capacity that is reported to be enough.
const ENOUGH: f64 = 0.5;
/// How many times as many requests the statement has to hold for.
const LONGER: f64 = 10.0;
/// Minimum number of requests.
const MIN_REQUESTS: f64 = 200.0;
/// Minimum number of times that a request needs the resource for, in a row, that a run has to last: until then it fills.
const MIN_TIMES: f64 = 20.0;

/// The evidence for unused capacity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnusedEvidence {
    /// The highest share of the capacity that was in use at the same time; 0 if no request came.
    pub peak: f64,
    /// Number of servers that it is about: the members of a group, each with its own peak.
    pub servers: usize,
    /// Number of requests that arrived, at all of these servers.
    pub requests: u64,
}

/// Returns the subjects of which a large part is never used.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Finding> {
    let peaks: Vec<Option<f64>> = (0..context.stations.len()).map(|row| unused(context, row)).collect();
    let mut is_reported = vec![false; peaks.len()];
    let mut findings = Vec::new();
    for (name, rows) in context.groups.iter().filter(|(_, rows)| rows.len() > 1) {
        let of_members: Option<Vec<f64>> = rows.iter().map(|&row| peaks[row]).collect();
        if let Some(of_members) = of_members {
            rows.iter().for_each(|&row| is_reported[row] = true);
            findings.push(finding(context, name, rows, of_members.into_iter().fold(0.0, f64::max)));
            continue;
        }
        for &row in rows.iter().filter(|&&row| got_nothing(context, row, rows)) {
            is_reported[row] = true;
            findings.push(finding(context, context.stations[row].name, &[row], 0.0));
        }
    }
    let others = peaks.iter().enumerate().filter(|(row, _)| !is_reported[*row]);
    let others = others.filter(|(row, _)| context.stations[*row].group.is_none());
    findings.extend(
        others.filter_map(|(row, peak)| Some(finding(context, context.stations[row].name, &[row], (*peak)?))),
    );
    findings
}

fn finding(context: &RunContext<'_>, subject: &str, rows: &[usize], peak: f64) -> Finding {
    let requests = rows.iter().map(|&row| context.stations[row].arrived).sum();
    Finding::new(subject, Evidence::Unused(UnusedEvidence { peak, servers: rows.len(), requests }))
}

/// Returns the peak of a station of which half is enough.
fn unused(context: &RunContext<'_>, row: usize) -> Option<f64> {
    let station = &context.stations[row];
    let peak = station.peak?;
    let requests = station.arrived as f64;
    let measured: f64 = context.phases.iter().map(|phase| phase.len() as f64 * context.step).sum();
    if peak > MAX_PEAK || requests < MIN_REQUESTS || measured < MIN_TIMES * station.service {
        return None;
    }
    let slots = station.slots();
    let busiest = station.load().iter().copied().fold(0.0, f64::max) * slots;
    let chance = log_tail(ENOUGH * slots, busiest) + libm::log(LONGER * requests);
    (chance < libm::log(ALPHA / context.stations.len() as f64)).then_some(peak)
}

/// Whether no request reached a station, although it was up, and by more than chance: requests reached the other members of its
/// group.
fn got_nothing(context: &RunContext<'_>, row: usize, members: &[usize]) -> bool {
    let station: &Station<'_> = &context.stations[row];
    if station.arrived > 0 || !station.is_first_of_node() || station.availability().iter().any(|up| *up < 1.0)
    {
        return false;
    }
    let all: u64 = members.iter().map(|&row| context.stations[row].arrived).sum();
    // As if each request were sent to any of them.
    let chance = all as f64 * libm::log1p(-1.0 / members.len() as f64);
    chance < libm::log(ALPHA / context.stations.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::super::systems::{look_at, system};
    use super::*;

    fn found(rate: &str, nodes: &str) -> Vec<(String, f64, usize)> {
        look_at(&system(rate, "Fixed(0)", nodes), &[], |context| {
            let found = find(context).into_iter();
            let peak = |finding: Finding| {
                let Evidence::Unused(evidence) = finding.evidence else { return None };
                Some((finding.subject, evidence.peak, evidence.servers))
            };
            found.filter_map(peak).collect()
        })
    }

    #[test]
    fn slots_that_are_never_used_are_found() {
        let nodes = "\"n\": Server(concurrency: 100, service: Exponential(mean: \"100ms\"))";
        let found_here = found("\"80/s\"", nodes);
        assert!(found_here.len() == 1 && (0.12..0.25).contains(&found_here[0].1), "{found_here:?}");
        assert_eq!(found("\"300/s\"", nodes), []);
        // A server with one slot uses all of it, however seldom.
        assert_eq!(found("\"10/s\"", "\"n\": Server(service: Constant(\"1ms\"))"), []);
    }

    #[test]
    fn a_member_that_gets_nothing_is_found_and_one_that_might_is_not() {
        // All requests have the same key.
        let nodes = "\"n\": Client(to: \"m\"), \"m\": Server(count: 3, service: Constant(\"1ms\"))";
        assert_eq!(found("\"50/s\"", nodes), [("m-1".to_owned(), 0.0, 1), ("m-2".to_owned(), 0.0, 1)]);
        assert_eq!(found("\"0.05/s\"", nodes), []);
    }
}
