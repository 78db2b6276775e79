//! Rejection and loss: requests that a node rejected or shed, and messages that a link lost. These are counts, so no
//! test for random variation is needed.

use serde::Serialize;

use super::context::RunContext;
use super::finding::{Evidence, Finding};
use crate::event::Node;
use crate::metrics::result::NodeResult;
use crate::model::figure::{Failures, Figure, IN_SERVICE_MEAN, REJECTED_WHILE_DOWN};
use crate::model::link::{ANY, LOSS_RATE};
use crate::model::metric::Subject;
use crate::request::{FrequentKey, Outcome};

/// The evidence for rejections.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RejectionEvidence {
    /// Outcome of the requests: `rejected` or `shed`.
    pub outcome: &'static str,
    /// Number of requests that were rejected or shed.
    pub rejected: u64,
    /// Number of them that arrived while the node was down or not there.
    pub while_down: u64,
    /// Whether they were rejected because none of the targets of the node was there.
    pub no_target: bool,
    /// Their share of the arrivals at the node.
    pub share_of_arrivals: f64,
    /// Their share of all requests offered to the system.
    pub share_of_offered: f64,
    /// Maximum rejections per second, averaged over a fiftieth of the run.
    pub peak_per_second: f64,
    /// The most frequent key of the rejected requests; `None` if all requests have the same key.
    pub most_rejected_key: Option<RejectedKey>,
}

/// A key of rejected requests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RejectedKey {
    /// The key.
    pub key: u32,
    /// Share of the key in the rejections of the sample.
    pub share: f64,
    /// Number of rejections in the sample.
    pub of: usize,
}

/// The evidence for losses.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LossEvidence {
    /// Number of lost messages.
    pub lost: u64,
    /// Number of sent messages.
    pub sent: u64,
    /// Lost messages over sent messages.
    pub share_of_messages: f64,
    /// Lost messages over all requests offered to the system.
    pub share_of_offered: f64,
    /// For how long requests waited, until their timeouts, for calls that the link had lost; in seconds. 0 without timeouts:
    /// then a caller learns at once that a call is lost.
    pub waited_in_vain_seconds: f64,
    /// That time over the time in which slots of the callers were busy, or `None` if they have none.
    pub share_of_busy_slots: Option<f64>,
}

/// Returns the rejections and losses of a run.
pub(super) fn find(context: &RunContext<'_>) -> Vec<Finding> {
    let rejections = context.result.nodes.iter().flat_map(|node| {
        let figures = node.figures.iter().map(|(figure, _)| figure);
        figures.filter_map(|figure| rejection(context, node, figure))
    });
    rejections.chain(losses(context)).collect()
}

fn rejection(context: &RunContext<'_>, node: &NodeResult, figure: &Figure) -> Option<Finding> {
    let Failures { outcome, rate, of } = figure.failure?;
    let rejected = node.figures.count(figure);
    if rejected == 0 {
        return None;
    }
    let series = context.result.timeline.find(Subject::Node(node.node), rate)?;
    let series: Vec<f64> = series.map(f64::from).collect();
    let from = series.iter().position(|rate| *rate > 0.0)?;
    let to = series.iter().rposition(|rate| *rate > 0.0)? + 1;
    let peak = super::intervals::smoothed(&series, series.len() / 50).into_iter().fold(0.0, f64::max);
    let evidence = RejectionEvidence {
        outcome: outcome.name(),
        rejected,
        while_down: if outcome == Outcome::Rejected { node.figures.count(&REJECTED_WHILE_DOWN) } else { 0 },
        // A node that does not serve rejects a request only if it can send it nowhere.
        no_target: outcome == Outcome::Rejected && node.capacity.is_none(),
        share_of_arrivals: rejected as f64 / node.figures.count(of) as f64,
        share_of_offered: rejected as f64 / context.offered() as f64,
        peak_per_second: peak,
        most_rejected_key: most_rejected_key(context, node.node, outcome),
    };
    let finding = Finding::new(node.name.as_str(), Evidence::Rejection(evidence));
    let cost = context.failure_penalty * rejected as f64;
    Some(finding.during(context.time_of(from), context.time_of(to)).costing(cost))
}

fn most_rejected_key(context: &RunContext<'_>, by: Node, outcome: Outcome) -> Option<RejectedKey> {
    let rejected = context.result.sample.records.iter().filter(|record| {
        record.server == Some(by) && record.finished.is_some_and(|(_, ended)| ended == outcome)
    });
    let most = FrequentKey::among(rejected)?;
    context.has_keys().then(|| RejectedKey { key: most.key, share: most.share(), of: most.total })
}

fn losses<'a>(context: &'a RunContext<'_>) -> impl Iterator<Item = Finding> + 'a {
    (0_u32..).zip(&context.result.links).filter(|(_, link)| link.lost > 0).map(|(row, link)| {
        let series = context.result.timeline.find(Subject::Link(row), &LOSS_RATE);
        let lossy: Vec<usize> = series
            .map(|series| (0..).zip(series).filter(|(_, rate)| *rate > 0.0).map(|(at, _)| at).collect())
            .unwrap_or_default();
        let in_vain = link.waited_in_vain.as_seconds();
        let [lost, sent, offered] = [link.lost, link.sent, context.offered()].map(|count| count as f64);
        let evidence = Evidence::Loss(LossEvidence {
            lost: link.lost,
            sent: link.sent,
            share_of_messages: lost / sent,
            share_of_offered: lost / offered,
            waited_in_vain_seconds: in_vain,
            share_of_busy_slots: busy_slots(context, row)
                .filter(|busy| *busy > 0.0)
                .map(|busy| in_vain / busy),
        });
        Finding {
            from: lossy.first().map(|&at| context.time_of(at)),
            to: lossy.last().map(|&at| context.time_of(at + 1)),
            ..Finding::new(link.name.clone(), evidence).costing(context.failure_penalty * lost + in_vain)
        }
    })
}

/// Returns the time in which slots of the senders of a link were busy, in seconds: of all slots together.
fn busy_slots(context: &RunContext<'_>, link: u32) -> Option<f64> {
    let from = &context.scenario.links.get(link as usize)?.from;
    let names = context.result.names();
    let senders = context.result.nodes.iter().filter(|node| from == ANY || names.covers(from, node.node));
    let busy: f64 = senders.filter_map(|node| node.figures.number(&IN_SERVICE_MEAN)).sum();
    let measured = context.result.end.since(context.result.identity.measured_from);
    Some(busy * measured.as_seconds())
}
