//! Hot key: one key asks for a large part of what a single server can do, and most of it goes to one server.
//!
//! Keys are counted in the sample of requests that every run keeps. The stretch is sought in which the key comes most
//! above its own mean rate; if it comes evenly, that is the whole run.

use serde::Serialize;

use super::chance::log_tail;
use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::intervals::excesses;
use crate::request::{FrequentKey, RequestRecord};

/// A key is hot if what reaches a server of it asks for this share of the server's capacity, at least,
const MIN_DEMAND: f64 = 0.3;
/// and if the probability that chance deals so many of its requests to any of the servers of a group is less,
const ALPHA: f64 = 1e-3;
/// and if so many of its requests were seen,
const MIN_SEEN: usize = 30;
/// and if it is as many times as frequent as the average key.
const MIN_TIMES_MEAN: f64 = 5.0;

/// The evidence for a hot key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HotKeyEvidence {
    /// The key.
    pub key: u32,
    /// Its requests a second meanwhile.
    pub requests_per_second: f64,
    /// Its share of all requests of the run.
    pub share_of_requests: f64,
    /// Its share of the requests meanwhile.
    pub share_meanwhile: f64,
    /// The share of its requests meanwhile that reached the server which got most of them.
    pub share_to_server: f64,
    /// What it asked for meanwhile, as a share of what that server can do.
    pub demand: f64,
    /// Different keys that were seen.
    pub keys_seen: usize,
    /// The shares are of a sample: one in so many requests was looked at.
    pub sampled_one_in: u64,
}

/// The hottest key of a run, if it is hot.
pub(super) fn find(context: &RunContext<'_>) -> Option<Finding> {
    let sample = &context.result.sample;
    let hottest = FrequentKey::among(sample.records.iter())?;
    let FrequentKey { key, count: seen, different, of } = hottest;
    let mean = of as f64 / different as f64;
    if different < 2 || seen < MIN_SEEN || (seen as f64) < MIN_TIMES_MEAN * mean {
        return None;
    }
    let of_key: Vec<&RequestRecord> = sample.records.iter().filter(|record| record.key == key).collect();
    let (from, to) = stretch(context, &of_key);
    let meanwhile =
        |record: &&RequestRecord| (from..to).contains(&context.interval_at(record.created.as_seconds()));
    let then: Vec<&RequestRecord> = of_key.iter().copied().filter(meanwhile).collect();
    let mut by_server = vec![0_usize; context.stations.len()];
    let reached = then.iter().filter_map(|record| context.position(record.server));
    reached.for_each(|server| by_server[server] += 1);
    let server = (0..by_server.len()).rev().max_by_key(|&server| by_server[server])?;
    let rate = then.len() as f64 * sample.one_in as f64 / (context.step * (to - from) as f64);
    let demand = rate / context.stations[server].capacity()?;
    let share_to_server = by_server[server] as f64 / then.len() as f64;
    let peers =
        context.stations[server].group.and_then(|group| context.groups.get(group)).map_or(1, Vec::len);
    let fair = then.len() as f64 / peers as f64;
    let by_chance = log_tail(by_server[server] as f64, fair) + libm::log(peers as f64);
    if demand * share_to_server < MIN_DEMAND || (peers > 1 && by_chance > libm::log(ALPHA)) {
        return None;
    }
    let all_then = sample.records.iter().filter(|record| meanwhile(record)).count();
    let evidence = HotKeyEvidence {
        key,
        requests_per_second: rate,
        share_of_requests: hottest.share(),
        share_meanwhile: then.len() as f64 / all_then as f64,
        share_to_server,
        demand,
        keys_seen: different,
        sampled_one_in: sample.one_in,
    };
    let cost = context.cost(server, from, to) * share_meanwhile_at(&then, context, server, (from, to));
    let finding = Finding::new(context.stations[server].name, Evidence::HotKey(evidence));
    Some(finding.during(context.time_of(from), context.time_of(to)).costing(cost))
}

/// The share of the key among the requests that reached a server meanwhile.
fn share_meanwhile_at(
    of_key: &[&RequestRecord],
    context: &RunContext<'_>,
    server: usize,
    span: (usize, usize),
) -> f64 {
    let there = |record: &&RequestRecord| context.position(record.server) == Some(server);
    let then = |record: &&RequestRecord| {
        (span.0..span.1).contains(&context.interval_at(record.created.as_seconds()))
    };
    let all = context.result.sample.records.iter().filter(|record| there(record) && then(record)).count();
    of_key.iter().copied().filter(there).count() as f64 / all.max(1) as f64
}

/// The slices in which a key comes most above its mean rate; all, if it comes evenly.
fn stretch(context: &RunContext<'_>, of_key: &[&RequestRecord]) -> (usize, usize) {
    let slices = context.result.timeline.intervals();
    let mut counts = vec![0.0; slices + 1];
    of_key.iter().for_each(|record| counts[context.interval_at(record.created.as_seconds())] += 1.0);
    let mean = of_key.len() as f64 / slices.max(1) as f64;
    let excess: Vec<f64> = counts.iter().map(|count| count - 1.5 * mean).collect();
    // Half as much again as the mean, for as long as it takes to bring a fifth of all, and more than chance brings anywhere:
    // there are some ten stretches of such a length for each that fit side by side (see `overload`).
    let wanted = |from: usize, to: usize| {
        let (count, length) = (counts[from..to].iter().sum::<f64>(), (to - from) as f64);
        let places = 10.0 * slices as f64 / length;
        count >= 0.2 * of_key.len() as f64
            && log_tail(count, mean * length) + libm::log(places) < libm::log(ALPHA)
    };
    excesses(&excess, &wanted).first().copied().unwrap_or((0, slices))
}

#[cfg(test)]
mod tests {
    use super::super::systems::{GROUP, SHARDS, look_at, system};
    use super::find;
    use crate::analysis::Evidence;

    /// Key 8 makes more than half of all.
    const KEY: &str = "Weighted([(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0), (5, 1.0), (6, 1.0), (7, 1.0), (8, 10.0)])";

    #[test]
    fn a_key_that_is_dealt_out_is_not_hot() {
        let many = GROUP.replace("count: 3", "count: 30");
        assert_eq!(look_at(&system("\"300/s\"", KEY, &many), &[], find), None);
        // Of a thousand servers chance deals one two or three of its requests in a short while.
        let many = GROUP.replace("count: 3", "count: 1000");
        assert_eq!(look_at(&system("\"20000/s\"", KEY, &many), &["run_until=1s"], find), None);
        assert_eq!(look_at(&system("\"100/s\"", "Uniform(0, 99)", SHARDS), &[], find), None);
    }

    #[test]
    fn a_key_with_a_server_of_its_own_is_hot_while_it_comes() {
        let found = look_at(&system("\"100/s\"", KEY, SHARDS), &[], find).expect("it is hot");
        let Evidence::HotKey(evidence) = &found.evidence else { panic!("{found:?}") };
        assert_eq!((found.subject.as_str(), evidence.key, evidence.keys_seen), ("m-2", 8, 9));
        assert_eq!((found.from, found.to.map(f64::round)), (Some(0.0), Some(100.0)));
        assert!((evidence.demand - 0.556).abs() < 0.04, "{evidence:?}");
        // The same key for a fifth of the time.
        let spike =
            system("Spike(base: \"1/s\", peak: \"80/s\", from: \"40s\", to: \"60s\")", "Fixed(8)", SHARDS);
        let others = "\"t\": (arrivals: Poisson(rate: \"50/s\"), key: Uniform(0, 99), to: \"n\"), \"s\":";
        let found = look_at(&spike.replace("\"s\":", others), &[], find).expect("it is hot");
        let Evidence::HotKey(evidence) = &found.evidence else { panic!("{found:?}") };
        assert!((found.from.unwrap_or_default() - 40.0).abs() < 2.0, "{found:?}");
        assert!((found.to.unwrap_or_default() - 60.0).abs() < 2.0, "{found:?}");
        assert!((evidence.requests_per_second - 80.0).abs() < 8.0, "{evidence:?}");
    }
}
