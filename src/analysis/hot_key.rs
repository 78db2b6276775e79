//! Hot key: one key asks for a large part of what a single server can do, and most of it goes to one server.
//!
//! Keys are counted in the sample of requests that every run keeps. The stretch is sought in which the key comes most
//! above its own mean rate; if it comes evenly, that is the whole run.

use serde::Serialize;

use super::chance::log_tail;
use super::finding::{Evidence, Finding};
use super::intervals::excesses;
use super::scene::Scene;
use crate::request::RequestRecord;

/// A key is hot if what reaches a server of it asks for this share of the server's capacity, at least,
const LEAST_DEMAND: f64 = 0.3;
/// and if the probability that chance deals so many of its requests to any of the servers of a group is less,
const ALPHA: f64 = 1e-3;
/// and if so many of its requests were seen,
const FEWEST_SEEN: usize = 30;
/// and if it is as many times as frequent as the average key.
const LEAST_TIMES_MEAN: f64 = 5.0;

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
pub(super) fn find(scene: &Scene<'_>) -> Option<Finding> {
    let sample = &scene.result.sample;
    let mut keys: Vec<u32> = sample.records.iter().map(|record| record.key).collect();
    keys.sort_unstable();
    let different = keys.chunk_by(|a, b| a == b).count();
    let hottest = keys.chunk_by(|a, b| a == b).rev().max_by_key(|run| run.len())?;
    let mean = keys.len() as f64 / different as f64;
    let (key, seen) = (hottest[0], hottest.len());
    if different < 2 || seen < FEWEST_SEEN || (seen as f64) < LEAST_TIMES_MEAN * mean {
        return None;
    }
    let of_key: Vec<&RequestRecord> = sample.records.iter().filter(|record| record.key == key).collect();
    let (from, to) = stretch(scene, &of_key);
    let meanwhile =
        |record: &&RequestRecord| (from..to).contains(&scene.slice_at(record.created.as_seconds()));
    let then: Vec<&RequestRecord> = of_key.iter().copied().filter(meanwhile).collect();
    let mut by_server = vec![0_usize; scene.servers.len()];
    then.iter().filter_map(|record| record.server).for_each(|server| by_server[server as usize] += 1);
    let server = (0..by_server.len()).rev().max_by_key(|&server| by_server[server])?;
    let rate = then.len() as f64 * sample.one_in as f64 / (scene.step * (to - from) as f64);
    let demand = rate / scene.servers[server].capacity()?;
    let share_to_server = by_server[server] as f64 / then.len() as f64;
    let peers = scene.servers[server].group.and_then(|group| scene.groups.get(group)).map_or(1, Vec::len);
    let fair = then.len() as f64 / peers as f64;
    let by_chance = log_tail(by_server[server] as f64, fair) + libm::log(peers as f64);
    if demand * share_to_server < LEAST_DEMAND || (peers > 1 && by_chance > libm::log(ALPHA)) {
        return None;
    }
    let all_then = sample.records.iter().filter(|record| meanwhile(record)).count();
    let evidence = HotKeyEvidence {
        key,
        requests_per_second: rate,
        share_of_requests: seen as f64 / keys.len() as f64,
        share_meanwhile: then.len() as f64 / all_then as f64,
        share_to_server,
        demand,
        keys_seen: different,
        sampled_one_in: sample.one_in,
    };
    Some(Finding {
        subject: scene.servers[server].name.to_owned(),
        from: Some(scene.time_of(from)),
        to: Some(scene.time_of(to)),
        cost: scene.cost(server, from, to) * share_meanwhile_at(&then, scene, server, (from, to)),
        alike: 0,
        evidence: Evidence::HotKey(evidence),
    })
}

/// The share of the key among the requests that reached a server meanwhile.
fn share_meanwhile_at(
    of_key: &[&RequestRecord],
    scene: &Scene<'_>,
    server: usize,
    span: (usize, usize),
) -> f64 {
    let there = |record: &&RequestRecord| record.server.is_some_and(|at| at as usize == server);
    let then =
        |record: &&RequestRecord| (span.0..span.1).contains(&scene.slice_at(record.created.as_seconds()));
    let all = scene.result.sample.records.iter().filter(|record| there(record) && then(record)).count();
    of_key.iter().copied().filter(there).count() as f64 / all.max(1) as f64
}

/// The slices in which a key comes most above its mean rate; all, if it comes evenly.
fn stretch(scene: &Scene<'_>, of_key: &[&RequestRecord]) -> (usize, usize) {
    let slices = scene.result.timeline.slices();
    let mut counts = vec![0.0; slices + 1];
    of_key.iter().for_each(|record| counts[scene.slice_at(record.created.as_seconds())] += 1.0);
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
