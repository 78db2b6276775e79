//! Saturation: a server has no free slot for a long time because demand exceeds its capacity.
//!
//! Random arrivals make a busy server full again and again. A spell without a free slot counts as saturation if the
//! server was overloaded in it (see [`overload`](super::overload)), or if its queue was longer than random arrivals
//! explain at its mean utilization: with utilization u, service times of relative variance v and arrivals with an index
//! of dispersion d, the probability that q requests wait falls like exp(-2 (1 - u) q / (d + v)) (Kingman 1962, heavy
//! traffic). Times the number of arrivals, it has to be below alpha. For d, see [`overload`](super::overload); regular
//! arrivals count as Poisson arrivals here.
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
/// Minimum mean utilization of a spell with its gaps.
const FULL_SPELL: f64 = 0.95;
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
    /// Time to serve the mean queue: in order of arrival, the waiting time of a request that arrives during the spells.
    pub wait_seconds: f64,
    /// Number of slots.
    pub slots: u64,
    /// Utilization over the whole run.
    pub utilization: Option<f64>,
    /// The share of the time of busy slots during the spells in which they were held by calls; `None` if it makes no
    /// calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by_calls: Option<f64>,
}

/// Returns the saturations of a run.
pub(super) fn find(context: &RunContext<'_>, overloads: &[Overload]) -> Vec<Finding> {
    (0..context.stations.len()).filter_map(|row| saturation(context, overloads, row)).collect()
}

fn saturation(context: &RunContext<'_>, overloads: &[Overload], row: usize) -> Option<Finding> {
    let server = &context.stations[row];
    if server.arrived == 0 {
        return None;
    }
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
    // Services that take longer than an overload do not hide it.
    let is_overloaded = |from: usize, to: usize| {
        let mut spells = overload.iter().flat_map(|overload| &overload.spells);
        spells.any(|&(begin, end)| {
            let min_length = intervals(MIN_SERVICES).min((end - begin) as f64 / 2.0);
            begin < to && from < end && (to - from) as f64 >= min_length
        })
    };
    let mut spells = spells(server.load(), intervals(MAX_GAP_SERVICES));
    let is_deep = |from: usize, to: usize| queue[from..to].iter().any(|depth| *depth >= min_depth);
    spells.retain(|&(from, to)| {
        is_overloaded(from, to)
            || ((to - from) as f64 >= intervals(MIN_SERVICES) && (always || is_deep(from, to)))
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
        held_by_calls: server.held_by_calls(&spells),
    };
    let finding = Finding::new(server.name, Evidence::Saturation(evidence));
    Some(finding.during(context.time_of(from), context.time_of(to)).costing(context.cost(row, from, to)))
}

/// Whether a server had practically no free slot in the whole run, beyond random variation. The work of n requests has
/// a standard deviation of sqrt(n (d + v)) services (see [`overload`](super::overload)), and has to exceed the work
/// expected at a merely busy server significantly; or the queue has to be deeper than random variation makes it there.
fn is_always_full(context: &RunContext<'_>, row: usize) -> bool {
    let server = &context.stations[row];
    let full = server.utilization.is_some_and(|utilization| utilization >= ALWAYS_FULL);
    let beyond = (ALWAYS_FULL - MERELY_BUSY) * (server.arrived as f64).sqrt();
    let threshold = (2.0 * libm::log(context.stations.len() as f64 / ALPHA) * variance(context, row)).sqrt();
    full && (beyond > threshold
        || (server.queue_depth_max as f64) >= deeper_than_chance(context, row, MERELY_BUSY))
}

/// Returns the queue depth that random variation does not reach, over all arrivals of a run, at the utilization of this
/// server or at `max_utilization`, whichever is lower.
fn deeper_than_chance(context: &RunContext<'_>, row: usize, max_utilization: f64) -> f64 {
    let server = &context.stations[row];
    let idle = 1.0 - server.utilization.unwrap_or(1.0).min(max_utilization);
    let comparisons = server.arrived as f64 * context.stations.len() as f64;
    libm::log(comparisons.max(1.0) / ALPHA) * variance(context, row) / (2.0 * idle)
}

/// Returns the variance of the work of an arrival, in squared mean services.
fn variance(context: &RunContext<'_>, row: usize) -> f64 {
    let server = &context.stations[row];
    context.dispersion_by_chance(server.offered()).max(1.0) + server.service_variance
}

/// Returns the spells in which the utilization is full, as ranges of intervals. A gap does not end a spell if it is not
/// longer than `gap` intervals nor than the spells that it separates, and if the joined spell is full on average.
fn spells(load: &[f64], gap: f64) -> Vec<(usize, usize)> {
    let mut sums = vec![0.0];
    let mut sum = 0.0;
    sums.extend(load.iter().map(|load| {
        sum += load;
        sum
    }));
    let is_full = |from: usize, to: usize| sums[to] - sums[from] >= FULL_SPELL * (to - from) as f64;
    let mut spells: Vec<(usize, usize)> = Vec::new();
    for (interval, _) in load.iter().enumerate().filter(|(_, load)| **load >= FULL_INTERVAL) {
        match spells.last_mut() {
            Some(last) if interval == last.1 => last.1 = interval + 1,
            Some(_) | None => spells.push((interval, interval + 1)),
        }
    }
    // A spell that has grown may join the one before.
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for mut spell in spells {
        while let Some(&before) = joined.last()
            && (spell.0 - before.1) as f64 <= gap
            && spell.0 - before.1 <= (before.1 - before.0).min(spell.1 - spell.0)
            && is_full(before.0, spell.1)
        {
            spell.0 = before.0;
            joined.pop();
        }
        joined.push(spell);
    }
    joined
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
    fn spells_bridge_short_gaps_if_they_are_full_on_average() {
        let mut load = vec![1.0; 60];
        load[20] = 0.0;
        load[50..55].fill(0.0);
        assert_eq!(spells(&load, 5.0), [(0, 50), (55, 60)]);
        assert_eq!(spells(&load, 0.0), [(0, 20), (21, 50), (55, 60)]);
        // A server that is idle half of the time has no long spell.
        let half: Vec<f64> = (0..60).map(|at| f64::from(u8::from(at % 8 < 4))).collect();
        assert_eq!(spells(&half, 5.0).len(), 8);
    }

    #[test]
    fn a_server_that_is_idle_between_requests_is_only_saturated_while_requests_wait() {
        let nodes = "\"n\": Server(service: Constant(\"200ms\"))";
        let rate = "Spike(base: \"1/s\", peak: \"10/s\", from: \"10s\", to: \"20s\")";
        let text = system(rate, "Fixed(0)", nodes).replace("Poisson", "Constant");
        // 50 of the 100 requests of the spike wait at its end. The server catches up by 4 requests a second.
        look_at(&text, &["run_until=60s"], |context| {
            let found = find(context, &overload::find(context));
            let [found] = &found[..] else { panic!("{found:?}") };
            let [from, to] = [found.from, found.to].map(|time| time.expect("it has a time"));
            assert!((from - 10.1).abs() < 0.3 && (to - 32.6).abs() < 0.3, "{found:?}");
        });
    }

    #[test]
    fn the_wait_at_a_server_that_has_served_nobody_is_known_from_its_service_time() {
        let nodes = "\"n\": Server(service: Constant(\"1h\"))";
        let found = saturations(&system("\"10/s\"", "Fixed(0)", nodes), &["run_until=60s"]);
        let [found] = &found[..] else { panic!("{found:?}") };
        assert!((found.wait_seconds - 3600.0 * found.queue_depth_mean).abs() < 1.0, "{found:?}");
    }
}
