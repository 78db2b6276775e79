//! Rejection and loss: requests that found no room, and messages that a link lost. What was counted is no matter of chance.

use serde::Serialize;

use super::finding::{Evidence, Finding};
use super::scene::Scene;
use crate::metrics::timeline::Subject;
use crate::request::{FrequentKey, Outcome};

/// The evidence for rejections.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RejectionEvidence {
    /// Requests that were rejected.
    pub rejected: u64,
    /// Those of them that came while the server was down.
    pub while_down: u64,
    /// All of them as a share of those that came.
    pub share_of_arrivals: f64,
    /// The same as a share of all that were offered to the system.
    pub share_of_offered: f64,
    /// Rejections a second at their worst, over a fiftieth of the run.
    pub peak_per_second: f64,
    /// The key that was rejected most, where requests have different keys.
    pub most_rejected_key: Option<RejectedKey>,
}

/// A key among the rejected ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RejectedKey {
    /// The key.
    pub key: u32,
    /// Its share of all rejections.
    pub share: f64,
    /// Rejections that were looked at.
    pub of: usize,
}

/// The evidence for losses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LossEvidence {
    /// Messages that were lost.
    pub lost: u64,
    /// Messages that were sent.
    pub sent: u64,
    /// Lost by sent.
    pub share_of_messages: f64,
    /// Lost as a share of all requests that were offered to the system.
    pub share_of_offered: f64,
}

/// The rejections and losses of a run.
pub(super) fn find(scene: &Scene<'_>) -> Vec<Finding> {
    let rejections = (0..scene.servers.len()).filter_map(|row| rejection(scene, row));
    rejections.chain(losses(scene)).collect()
}

fn rejection(scene: &Scene<'_>, row: usize) -> Option<Finding> {
    let server = &scene.servers[row];
    let rejected = server.figures.rejected;
    let course = if rejected > 0 { server.rejections() } else { return None };
    let from = course.iter().position(|rate| *rate > 0.0)?;
    let to = course.iter().rposition(|rate| *rate > 0.0)? + 1;
    let peak = super::intervals::smoothed(&course, course.len() / 50).into_iter().fold(0.0, f64::max);
    let evidence = RejectionEvidence {
        rejected,
        while_down: server.figures.refused,
        share_of_arrivals: rejected as f64 / server.figures.arrived as f64,
        share_of_offered: rejected as f64 / scene.offered() as f64,
        peak_per_second: peak,
        most_rejected_key: most_rejected_key(scene, row),
    };
    Some(Finding {
        subject: server.name.to_owned(),
        from: Some(scene.time_of(from)),
        to: Some(scene.time_of(to)),
        cost: scene.price * rejected as f64,
        alike: 0,
        evidence: Evidence::Rejection(evidence),
    })
}

fn most_rejected_key(scene: &Scene<'_>, row: usize) -> Option<RejectedKey> {
    let rejected = scene.result.sample.records.iter().filter(|record| {
        record.server.is_some_and(|server| server as usize == row)
            && record.finished.is_some_and(|(_, outcome)| outcome == Outcome::Rejected)
    });
    let most = FrequentKey::among(rejected)?;
    scene.has_keys().then(|| RejectedKey { key: most.key, share: most.share(), of: most.of })
}

fn losses<'a>(scene: &'a Scene<'_>) -> impl Iterator<Item = Finding> + 'a {
    (0_u32..).zip(&scene.result.links).filter(|(_, link)| link.lost > 0).map(|(row, link)| {
        let course = scene.result.timeline.find(Subject::Link(row), "loss_rate");
        let lossy: Vec<usize> = course
            .map(|course| (0..).zip(course).filter(|(_, rate)| *rate > 0.0).map(|(slice, _)| slice).collect())
            .unwrap_or_default();
        let [lost, sent, offered] = [link.lost, link.sent, scene.offered()].map(|count| count as f64);
        Finding {
            subject: link.name.clone(),
            from: lossy.first().map(|&slice| scene.time_of(slice)),
            to: lossy.last().map(|&slice| scene.time_of(slice + 1)),
            cost: scene.price * lost,
            alike: 0,
            evidence: Evidence::Loss(LossEvidence {
                lost: link.lost,
                sent: link.sent,
                share_of_messages: lost / sent,
                share_of_offered: lost / offered,
            }),
        }
    })
}
