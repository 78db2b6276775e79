//! Hot key: the requests for one key need a large share of the capacity of a server, and most of them go to one server.
//! The key is far more frequent than the mean of all keys, or, if there are only a few keys, than the share of one server
//! of the group.
//!
//! Keys are counted in the sample of requests that every run keeps. The finding covers the time in which the rate of
//! the key exceeds its own mean most, or the whole run if the rate is steady.

use serde::Serialize;

use super::chance::log_tail;
use super::context::RunContext;
use super::finding::{Evidence, Finding};
use super::intervals::excesses;
use crate::engine::floor_to_usize;
use crate::request::{FrequentKey, RequestRecord};

/// Minimum share of a server's capacity that the requests for the key need there.
const MIN_DEMAND: f64 = 0.3;
/// Maximum probability that a random choice of servers sends that many requests for the key to any server of the group.
const ALPHA: f64 = 1e-3;
/// Minimum number of requests for the key in the sample.
const MIN_SEEN: usize = 30;
/// Minimum frequency of the key over the mean frequency of all keys,
const MIN_TIMES_MEAN: f64 = 5.0;
/// or over the share of one server of the group.
const MIN_TIMES_FAIR: f64 = 1.8;
/// Maximum share of the capacity that the key needs without a noticeable cost.
const MAX_HARMLESS_DEMAND: f64 = 0.5;

/// The evidence for a hot key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HotKeyEvidence {
    /// The key.
    pub key: u32,
    /// Requests per second for the key, in the time of the finding.
    pub requests_per_second: f64,
    /// Share of the key in all requests of the run.
    pub share_of_requests: f64,
    /// Share of the key in the requests in the time of the finding.
    pub share_meanwhile: f64,
    /// Share of the requests for the key, in that time, that reached the server with most of them.
    pub share_to_server: f64,
    /// Rate of the key in that time over the capacity of that server.
    pub demand: f64,
    /// Number of different keys in the sample.
    pub keys_seen: usize,
    /// Number of members of the server's group that were up, on average; 1 without a group.
    pub members: usize,
    /// The sample contains one in this many requests.
    pub sampled_one_in: u64,
}

impl HotKeyEvidence {
    /// Whether the requests for the key are enough to make others wait.
    pub(super) fn is_severe(&self) -> bool {
        self.demand * self.share_to_server > MAX_HARMLESS_DEMAND
    }
}

/// Returns the finding about the most frequent key of a run, or `None` if it is not hot.
pub(super) fn find(context: &RunContext<'_>) -> Option<Finding> {
    let sample = &context.result.sample;
    let hottest = FrequentKey::among(sample.records.iter())?;
    let FrequentKey { key, count: seen, different, total } = hottest;
    let mean = total as f64 / different as f64;
    if seen < MIN_SEEN {
        return None;
    }
    let of_key: Vec<&RequestRecord> = sample.records.iter().filter(|record| record.key == key).collect();
    let (from, to) = busiest_time(context, &of_key);
    let is_in_time =
        |record: &&RequestRecord| (from..to).contains(&context.interval_at(record.created.as_seconds()));
    let key_records: Vec<&RequestRecord> = of_key.iter().copied().filter(is_in_time).collect();
    let mut by_server = vec![0_usize; context.stations.len()];
    let reached = key_records.iter().filter_map(|record| context.position(record.server));
    reached.for_each(|server| by_server[server] += 1);
    let server = (0..by_server.len()).rev().max_by_key(|&server| by_server[server])?;
    let rate = key_records.len() as f64 * sample.one_in as f64 / (context.step * (to - from) as f64);
    let demand = rate / context.stations[server].capacity()?;
    let share_to_server = by_server[server] as f64 / key_records.len() as f64;
    let group = context.stations[server].group.and_then(|group| context.groups.get(group));
    let alone = [server];
    let members = group.map_or(&alone[..], Vec::as_slice);
    let up = context.number_up(members);
    let peers = up[from..to].iter().sum::<f64>() / (to - from) as f64;
    let all_records = sample.records.iter().filter(|record| is_in_time(record)).count();
    let share_meanwhile = key_records.len() as f64 / all_records as f64;
    let is_frequent =
        (seen as f64) >= MIN_TIMES_MEAN * mean || (peers > 1.0 && share_meanwhile * peers >= MIN_TIMES_FAIR);
    if !is_frequent {
        return None;
    }
    // The share of a server in the requests of an interval is fair if all members that are up get the same.
    let is_up = context.stations[server].availability();
    let share = |record: &&RequestRecord| {
        let interval = context.interval_at(record.created.as_seconds()).min(to - 1);
        is_up[interval] / up[interval].max(1.0)
    };
    let fair = key_records.iter().map(share).sum::<f64>();
    let by_chance = log_tail(by_server[server] as f64, fair) + libm::log(peers.max(1.0));
    if demand * share_to_server < MIN_DEMAND || (peers > 1.0 && by_chance > libm::log(ALPHA)) {
        return None;
    }
    let evidence = HotKeyEvidence {
        key,
        requests_per_second: rate,
        share_of_requests: hottest.share(),
        share_meanwhile,
        share_to_server,
        demand,
        keys_seen: different,
        members: floor_to_usize(peers.max(1.0) + 0.5),
        sampled_one_in: sample.one_in,
    };
    let cost = context.cost(server, from, to) * share_at_server(&key_records, context, server, (from, to));
    let finding = Finding::new(context.stations[server].name, Evidence::HotKey(evidence));
    Some(finding.during(context.time_of(from), context.time_of(to)).costing(cost))
}

/// Returns the share of the key in the requests that reached a server in a span of intervals.
fn share_at_server(
    of_key: &[&RequestRecord],
    context: &RunContext<'_>,
    server: usize,
    span: (usize, usize),
) -> f64 {
    let is_at_server = |record: &&RequestRecord| context.position(record.server) == Some(server);
    let is_in_span = |record: &&RequestRecord| {
        (span.0..span.1).contains(&context.interval_at(record.created.as_seconds()))
    };
    let all = context
        .result
        .sample
        .records
        .iter()
        .filter(|record| is_at_server(record) && is_in_span(record))
        .count();
    of_key.iter().copied().filter(is_at_server).count() as f64 / all.max(1) as f64
}

/// Returns the range of intervals in which the rate of a key exceeds its mean most, or all intervals if the rate is
/// steady.
fn busiest_time(context: &RunContext<'_>, of_key: &[&RequestRecord]) -> (usize, usize) {
    let intervals = context.result.timeline.intervals();
    let mut counts = vec![0.0; intervals + 1];
    of_key.iter().for_each(|record| counts[context.interval_at(record.created.as_seconds())] += 1.0);
    let mean = of_key.len() as f64 / intervals.max(1) as f64;
    let excess: Vec<f64> = counts.iter().map(|count| count - 1.5 * mean).collect();
    // The rate has to exceed 1.5 times the mean, the range has to contain a fifth of all requests for the key, and more
    // than random variation explains in any range of that length: about ten times the number that fits side by side
    // (see `overload`).
    let is_significant = |from: usize, to: usize| {
        let (count, length) = (counts[from..to].iter().sum::<f64>(), (to - from) as f64);
        let ranges = 10.0 * intervals as f64 / length;
        count >= 0.2 * of_key.len() as f64
            && log_tail(count, mean * length) + libm::log(ranges) < libm::log(ALPHA)
    };
    excesses(&excess, &is_significant).first().copied().unwrap_or((0, intervals))
}

#[cfg(test)]
mod tests {
    use super::super::systems::{GROUP, SHARDS, look_at, system};
    use super::find;
    use crate::analysis::Evidence;

    /// More than half of all requests have key 8.
    const KEYS: &str = "Weighted([(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0), (5, 1.0), (6, 1.0), (7, 1.0), (8, 10.0)])";

    #[test]
    fn a_key_that_is_spread_over_servers_is_not_hot() {
        let many = GROUP.replace("count: 3", "count: 30");
        assert_eq!(look_at(&system("\"300/s\"", KEYS, &many), &[], find), None);
        // With a thousand servers, random routing soon sends two or three requests for the key to the same one.
        let many = GROUP.replace("count: 3", "count: 1000");
        assert_eq!(look_at(&system("\"20000/s\"", KEYS, &many), &["run_until=1s"], find), None);
        assert_eq!(look_at(&system("\"100/s\"", "Uniform(0, 99)", SHARDS), &[], find), None);
    }

    #[test]
    fn few_keys_are_hot_if_they_need_more_than_their_server() {
        let hot = |key: &str| {
            let found = look_at(&system("\"90/s\"", key, SHARDS), &[], find)?;
            let Evidence::HotKey(evidence) = &found.evidence else { panic!("{found:?}") };
            Some((found.subject.clone(), evidence.key, evidence.keys_seen, evidence.members))
        };
        assert_eq!(hot("Fixed(0)"), Some(("m-0".to_owned(), 0, 1, 3)));
        assert_eq!(hot("Weighted([(0, 5.0), (1, 90.0), (2, 5.0)])"), Some(("m-1".to_owned(), 1, 3, 3)));
        assert_eq!(hot("Uniform(0, 2)"), None);
        // One key and one server, or a key that is spread, is nothing special.
        assert_eq!(
            look_at(&system("\"50/s\"", "Fixed(0)", super::super::systems::ONE_SERVER), &[], find),
            None
        );
        assert_eq!(look_at(&system("\"90/s\"", "Fixed(0)", GROUP), &[], find), None);
    }

    #[test]
    fn a_key_with_one_server_is_hot_while_its_rate_is_high() {
        let found = look_at(&system("\"100/s\"", KEYS, SHARDS), &[], find).expect("it is hot");
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
