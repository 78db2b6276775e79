//! Knowledge lag: what clients believe of a server's load follows what it is only later.
//!
//! The delay is where the cross-correlation of both is highest (see [`signal::lag`](super::signal::lag)), if the load
//! moved enough for that to mean anything.

use serde::Serialize;

use super::finding::{Evidence, Finding};
use super::scene::Scene;
use super::signal::lag::lag;
use crate::metrics::timeline::Subject;

/// The load has to have moved so far for its delay to mean something: the range of the middle nine tenths.
const LEAST_RANGE: f64 = 0.3;
/// Delays are sought up to as many times what the clients remember.
const LONGEST: f64 = 2.0;

/// The evidence for a knowledge lag.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KnowledgeLagEvidence {
    /// How long what is believed is behind what is.
    pub lag_seconds: f64,
    /// Their correlation at that delay.
    pub correlation: f64,
    /// Their correlation at no delay.
    pub correlation_at_once: f64,
    /// How far correlations of unrelated series of such a kind are from zero, typically.
    pub standard_error: f64,
    /// How long clients remember what they heard.
    pub window_seconds: f64,
}

/// The knowledge lag of the server that costs most among those whose load moved.
pub(super) fn find(scene: &Scene<'_>) -> Option<Finding> {
    let courses = scene.result.timeline.courses.iter().enumerate();
    let beliefs = courses.filter_map(|(at, course)| match course.subject {
        Subject::Belief { server, .. } => Some((at, server as usize)),
        Subject::Node(_) | Subject::Link(_) => None,
    });
    let slices = scene.result.timeline.slices();
    let mut beliefs: Vec<(usize, usize)> = beliefs.collect();
    beliefs.sort_by(|a, b| scene.cost(b.1, 0, slices).total_cmp(&scene.cost(a.1, 0, slices)));
    beliefs.into_iter().take(4).find_map(|(at, row)| of_belief(scene, at, row))
}

fn of_belief(scene: &Scene<'_>, at: usize, row: usize) -> Option<Finding> {
    let server = &scene.servers[row];
    let memory = scene.longest_memory();
    let (actual, believed) =
        (server.load(), scene.result.timeline.course(at).map(f64::from).collect::<Vec<_>>());
    let mut sorted = actual.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let at_share = |share: usize| sorted.get(sorted.len() * share / 20).copied().unwrap_or(0.0);
    if at_share(19) - at_share(1) < LEAST_RANGE {
        return None;
    }
    let found = lag(&scene.course(&actual), &scene.course(&believed), LONGEST * memory)?;
    let evidence = KnowledgeLagEvidence {
        lag_seconds: found.lag,
        correlation: found.correlation,
        correlation_at_once: found.at_once,
        standard_error: found.standard_error,
        window_seconds: memory,
    };
    Some(Finding {
        subject: server.name.to_owned(),
        from: None,
        to: None,
        cost: 0.0,
        alike: 0,
        evidence: Evidence::KnowledgeLag(evidence),
    })
}
