//! Saturation: a server has no free slot for a long time because demand exceeds its capacity.
//!
//! Random arrivals make a busy server full again and again. A spell without a free slot counts as saturation if the
//! server was overloaded in it (see [`overload`](super::overload)), or if its queue was longer than random arrivals
//! explain at its mean utilization: with utilization u, service times of relative variance v and Poisson arrivals, the
//! probability that q requests wait falls like exp(-2 (1 - u) q / (1 + v)) (Kingman 1962, heavy traffic). Times the
//! number of arrivals, it has to be below alpha.
//!
//! A server with a utilization of at least 99 % counts as saturated throughout if its longest queue, or a utilization
//! that high over its number of requests, is improbable (below alpha) for a server at 95 %. Utilization and saturation
//! are defined as in Gregg, "Systems performance" (the USE method): without waiting requests there is no saturation.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::overload::Overload;

/// Utilization from which on an interval counts as full. The rest covers the moments between two requests.
const FULL_INTERVAL: f64 = 0.99;
/// Minimum utilization over the whole run of a server that is saturated throughout.
const ALWAYS_FULL: f64 = 0.99;
/// Utilization of the busy but unsaturated server that such a server is compared with.
const MERELY_BUSY: f64 = 0.95;
/// Maximum gap within a spell, in mean service times.
const MAX_GAP_SERVICES: f64 = 5.0;
/// Minimum length of a spell, in mean service times.
const MIN_SERVICES: f64 = 5.0;

/// Probability of a false finding in a run without saturation, over all its servers.
const ALPHA: f64 = 1e-3;

/// The evidence for a saturation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SaturationEvidence {
    /// Total length of the spells without a free slot.
    pub saturated_seconds: f64,
    /// That length as a share of the run.
    pub share_of_run: f64,
    /// Number of spells.
    pub spells: usize,
    /// Mean number of waiting requests during the spells.
    pub queue_depth_mean: f64,
    /// Maximum number of waiting requests in the whole run.
    pub queue_depth_max: u64,
    /// Time to serve the mean queue: the waiting time of a request that arrives during the spells.
    pub wait_seconds: f64,
    /// Number of slots.
    pub slots: u64,
    /// Utilization over the whole run.
    pub utilization: Option<f64>,
}

/// Returns the saturations of a run.
pub(super) fn find(context: &RunContext<'_>, overloads: &[Overload]) -> Vec<Finding> {
    (0..context.stations.len()).filter_map(|row| saturation(context, overloads, row)).collect()
}

fn saturation(context: &RunContext<'_>, overloads: &[Overload], row: usize) -> Option<Finding> {
    let server = &context.stations[row];
    let always = is_always_full(context, row);
    // The rows of an overload are in ascending order.
    let overload: Vec<_> =
        overloads.iter().filter(|overload| overload.rows.binary_search(&row).is_ok()).collect();
    let min_depth = deeper_than_chance(context, row, 1.0);
    if !always && overload.is_empty() && (server.queue_depth_max as f64) < min_depth {
        return None;
    }
    let queue = server.queue();
    let intervals = |services: f64| services * server.service / context.step;
    let overlaps = |from: usize, to: usize| {
        let mut spells = overload.iter().flat_map(|overload| &overload.spells);
        spells.any(|&(begin, end)| begin < to && from < end)
    };
    let mut spells = spells(server.load(), intervals(MAX_GAP_SERVICES));
    let is_deep = |from: usize, to: usize| queue[from..to].iter().any(|depth| *depth >= min_depth);
    spells.retain(|&(from, to)| {
        (to - from) as f64 >= intervals(MIN_SERVICES) && (always || overlaps(from, to) || is_deep(from, to))
    });
    let (from, to) = (spells.first()?.0, spells.last()?.1);
    let length: usize = spells.iter().map(|(from, to)| to - from).sum();
    let waiting: f64 = spells.iter().flat_map(|&(from, to)| &queue[from..to]).sum();
    let depth = waiting / length as f64;
    if depth <= 0.0 {
        return None;
    }
    let evidence = SaturationEvidence {
        saturated_seconds: length as f64 * context.step,
        share_of_run: length as f64 * context.step / context.end,
        spells: spells.len(),
        queue_depth_mean: depth,
        queue_depth_max: server.queue_depth_max,
        wait_seconds: server.wait_behind(depth, &spells),
        slots: server.concurrency,
        utilization: server.utilization,
    };
    let finding = Finding::new(server.name, Evidence::Saturation(evidence));
    Some(finding.during(context.time_of(from), context.time_of(to)).costing(context.cost(row, from, to)))
}

/// Whether a server had practically no free slot in the whole run, beyond random variation. The work of n requests has
/// a standard deviation of sqrt(n (1 + v)) services (see [`overload`](super::overload)), and has to exceed the work
/// expected at a merely busy server significantly; or the queue has to be deeper than random variation makes it there.
fn is_always_full(context: &RunContext<'_>, row: usize) -> bool {
    let server = &context.stations[row];
    let full = server.utilization.is_some_and(|utilization| utilization >= ALWAYS_FULL);
    let beyond = (ALWAYS_FULL - MERELY_BUSY) * (server.arrived as f64).sqrt();
    let threshold =
        (2.0 * libm::log(context.stations.len() as f64 / ALPHA) * (1.0 + server.service_variance)).sqrt();
    full && (beyond > threshold
        || (server.queue_depth_max as f64) >= deeper_than_chance(context, row, MERELY_BUSY))
}

/// Returns the queue depth that random variation does not reach, over all arrivals of a run, at the utilization of this
/// server or at `max_utilization`, whichever is lower.
fn deeper_than_chance(context: &RunContext<'_>, row: usize, max_utilization: f64) -> f64 {
    let server = &context.stations[row];
    let idle = 1.0 - server.utilization.unwrap_or(1.0).min(max_utilization);
    let comparisons = server.arrived as f64 * context.stations.len() as f64;
    libm::log(comparisons.max(1.0) / ALPHA) * (1.0 + server.service_variance) / (2.0 * idle)
}

/// Returns the spells in which the utilization is full, as ranges of intervals. Gaps of at most `gap` intervals do not
/// end a spell.
fn spells(load: &[f64], gap: f64) -> Vec<(usize, usize)> {
    let mut spells: Vec<(usize, usize)> = Vec::new();
    for (interval, _) in load.iter().enumerate().filter(|(_, load)| **load >= FULL_INTERVAL) {
        match spells.last_mut() {
            Some(last) if (interval - last.1) as f64 <= gap => last.1 = interval + 1,
            Some(_) | None => spells.push((interval, interval + 1)),
        }
    }
    spells
}

#[cfg(test)]
mod tests {
    use super::super::overload;
    use super::super::systems::{ONE_SERVER, look_at, system};
    use super::{SaturationEvidence, find, spells};
    use crate::analysis::Evidence;

    fn saturations(text: &str, overrides: &[&str]) -> Vec<SaturationEvidence> {
        look_at(text, overrides, |context| {
            let found = find(context, &overload::find(context)).into_iter().map(|finding| finding.evidence);
            let evidence = |evidence| {
                if let Evidence::Saturation(saturation) = evidence { Some(saturation) } else { None }
            };
            found.filter_map(evidence).collect()
        })
    }

    #[test]
    fn a_busy_server_or_one_without_a_queue_is_not_saturated() {
        assert_eq!(saturations(&system("\"90/s\"", "Fixed(0)", ONE_SERVER), &[]), []);
        // Exactly the capacity: each request arrives when the previous one leaves.
        let exact = system("\"1/s\"", "Fixed(0)", ONE_SERVER);
        let exact = exact.replace("Poisson(rate: \"1/s\")", "Constant(rate: \"100/s\")");
        assert_eq!(saturations(&exact.replace("Exponential(mean: \"10ms\")", "Constant(\"10ms\")"), &[]), []);
        // A few requests back to back.
        let few = "sources.s.max_requests=20";
        assert_eq!(saturations(&system("\"95/s\"", "Fixed(0)", ONE_SERVER), &[few, "run_until=200ms"]), []);
    }

    #[test]
    fn a_server_without_a_free_slot_is_saturated_throughout() {
        // Slightly above capacity: not enough for an overload, but more than random variation.
        let found = saturations(&system("\"101/s\"", "Fixed(0)", ONE_SERVER), &["run_until=1000s"]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].share_of_run > 0.9, "{found:?}");
        let found =
            saturations(&system("\"150/s\"", "Fixed(0)", ONE_SERVER), &["nodes.n.queue=Fifo(capacity: 30)"]);
        assert_eq!((found.len(), found[0].queue_depth_max), (1, 30));
        // In M/M/1/31 at load 1.5, 28 requests wait on average.
        assert!((found[0].queue_depth_mean - 28.0).abs() < 1.0, "{found:?}");
        assert!((found[0].wait_seconds - 0.28).abs() < 0.02, "{found:?}");
    }

    #[test]
    fn spells_bridge_short_gaps() {
        let load = [0.0, 1.0, 0.5, 1.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(spells(&load, 1.0), [(1, 4), (7, 8)]);
        assert_eq!(spells(&load, 0.0), [(1, 2), (3, 4), (7, 8)]);
    }
}
