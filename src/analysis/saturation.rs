//! Saturation: a server has no free slot for long, because more is asked of it than it can do.
//!
//! A busy server is full again and again by chance. It is saturated in a spell without a free slot if it was overloaded
//! then (see [`overload`](super::overload)), or if more requests waited than chance lets wait at a server as busy as it is
//! on average: in a queue with utilisation u, services of relative variance v and Poisson arrivals, the probability that q
//! wait falls like exp(-2 (1 - u) q / (1 + v)) (Kingman 1962, heavy traffic), which times the number of arrivals is to
//! stay below alpha. A server that has practically never a free slot is saturated all the time, if more wait than chance
//! lets wait at one that is merely busy, or if chance does not keep that one so busy for as many requests. Utilisation and
//! saturation as in Gregg, "Systems performance" (the USE method): where nobody waits there is no saturation.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::overload::Overload;

/// A slice in which this share of slots was in use had none free, but for the moments in which one request follows another.
const FULL: f64 = 0.99;
/// A server that is so busy on average is saturated all the time,
const ALWAYS: f64 = 0.99;
/// unless chance makes that of one that is offered so much of what it can do.
const MERELY_BUSY: f64 = 0.95;
/// Spells that are no further apart than so many services are one.
const GAP_SERVICES: f64 = 5.0;
/// Shorter spells than so many services are passed over.
const MIN_SERVICES: f64 = 5.0;

/// Probability that a run without saturation is said to have one, shared among its servers.
const ALPHA: f64 = 1e-3;

/// The evidence for a saturation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SaturationEvidence {
    /// How long no slot was free, in all spells together.
    pub saturated_seconds: f64,
    /// The same as a share of the run.
    pub share_of_run: f64,
    /// How many spells there were.
    pub spells: usize,
    /// Mean number of requests that waited meanwhile.
    pub queue_depth_mean: f64,
    /// Most that ever waited.
    pub queue_depth_max: u64,
    /// How long the mean queue takes to be served: what a request that comes meanwhile has to wait.
    pub wait_seconds: f64,
    /// Slots.
    pub slots: u64,
    /// Share of slots in use over the whole run.
    pub utilization: Option<f64>,
}

/// The saturated servers of a run.
pub(super) fn find(context: &RunContext<'_>, overloads: &[Overload]) -> Vec<Finding> {
    (0..context.stations.len()).filter_map(|row| saturation(context, overloads, row)).collect()
}

fn saturation(context: &RunContext<'_>, overloads: &[Overload], row: usize) -> Option<Finding> {
    let server = &context.stations[row];
    let always = is_always_full(context, row);
    // Rows ascend.
    let overload: Vec<_> =
        overloads.iter().filter(|overload| overload.rows.binary_search(&row).is_ok()).collect();
    let deep = deeper_than_chance(context, row, 1.0);
    if !always && overload.is_empty() && (server.queue_depth_max as f64) < deep {
        return None;
    }
    let queue = server.queue();
    let slices = |services: f64| services * server.service / context.step;
    let overlaps = |from: usize, to: usize| {
        let mut spells = overload.iter().flat_map(|overload| &overload.spells);
        spells.any(|&(begin, end)| begin < to && from < end)
    };
    let mut spells = spells(server.load(), slices(GAP_SERVICES));
    let is_deep = |from: usize, to: usize| queue[from..to].iter().any(|depth| *depth >= deep);
    spells.retain(|&(from, to)| {
        (to - from) as f64 >= slices(MIN_SERVICES) && (always || overlaps(from, to) || is_deep(from, to))
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

/// Whether a server had practically never a free slot, and by more than chance. The work that n requests bring has a
/// standard deviation of sqrt(n (1 + v)) services (see [`overload`](super::overload)), and it has to exceed what was
/// expected of a server that is merely busy.
fn is_always_full(context: &RunContext<'_>, row: usize) -> bool {
    let server = &context.stations[row];
    let full = server.utilization.is_some_and(|utilization| utilization >= ALWAYS);
    let beyond = (ALWAYS - MERELY_BUSY) * (server.arrived as f64).sqrt();
    let bar =
        (2.0 * libm::log(context.stations.len() as f64 / ALPHA) * (1.0 + server.service_variance)).sqrt();
    full && (beyond > bar || (server.queue_depth_max as f64) >= deeper_than_chance(context, row, MERELY_BUSY))
}

/// The depth that chance does not give to the queue of a server as busy as this one, or as busy as `most` if that is less,
/// in all its arrivals.
fn deeper_than_chance(context: &RunContext<'_>, row: usize, most: f64) -> f64 {
    let server = &context.stations[row];
    let idle = 1.0 - server.utilization.unwrap_or(1.0).min(most);
    let looks = server.arrived as f64 * context.stations.len() as f64;
    libm::log(looks.max(1.0) / ALPHA) * (1.0 + server.service_variance) / (2.0 * idle)
}

/// Where a load is full, across gaps of at most `gap` slices.
fn spells(load: &[f64], gap: f64) -> Vec<(usize, usize)> {
    let mut spells: Vec<(usize, usize)> = Vec::new();
    for (slice, _) in load.iter().enumerate().filter(|(_, load)| **load >= FULL) {
        match spells.last_mut() {
            Some(last) if (slice - last.1) as f64 <= gap => last.1 = slice + 1,
            Some(_) | None => spells.push((slice, slice + 1)),
        }
    }
    spells
}

#[cfg(test)]
mod tests {
    use super::super::overload;
    use super::super::systems::{CLERK, look_at, system};
    use super::{SaturationEvidence, find, spells};
    use crate::analysis::Evidence;

    fn saturations(text: &str, overrides: &[&str]) -> Vec<SaturationEvidence> {
        look_at(text, overrides, |context| {
            let found = find(context, &overload::find(context)).into_iter().map(|finding| finding.evidence);
            let evidence = |evidence| if let Evidence::Saturation(of) = evidence { Some(of) } else { None };
            found.filter_map(evidence).collect()
        })
    }

    #[test]
    fn who_is_busy_or_makes_nobody_wait_is_not_saturated() {
        assert_eq!(saturations(&system("\"90/s\"", "Fixed(0)", CLERK), &[]), []);
        // As many as can be served, each when the one before leaves.
        let exact = system("\"1/s\"", "Fixed(0)", CLERK);
        let exact = exact.replace("Poisson(rate: \"1/s\")", "Constant(rate: \"100/s\")");
        assert_eq!(saturations(&exact.replace("Exponential(mean: \"10ms\")", "Constant(\"10ms\")"), &[]), []);
        // A handful of requests without a pause.
        let few = "sources.s.max_requests=20";
        assert_eq!(saturations(&system("\"95/s\"", "Fixed(0)", CLERK), &[few, "run_until=200ms"]), []);
    }

    #[test]
    fn who_never_has_a_free_slot_is_saturated_all_the_time() {
        // A little more than can be served: too little for an overload, but no chance either.
        let found = saturations(&system("\"101/s\"", "Fixed(0)", CLERK), &["run_until=1000s"]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].share_of_run > 0.9, "{found:?}");
        let found =
            saturations(&system("\"150/s\"", "Fixed(0)", CLERK), &["nodes.n.queue=Fifo(capacity: 30)"]);
        assert_eq!((found.len(), found[0].queue_depth_max), (1, 30));
        // M/M/1/31 at load 1.5 lets 28 wait.
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
