//! The summary of a link.

use serde::Serialize;

use super::DurationStats;
use crate::metrics::result::{LineResult, LinkResult};
use crate::model::link::direction_name;

/// The summary of a link, both directions together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LinkSummary {
    /// Messages sent.
    pub sent: u64,
    /// Messages lost.
    pub lost: u64,
    /// For how long requests waited, until their timeouts, for calls that the link had lost; left out if none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_in_vain_seconds: Option<f64>,
    /// The direction of requests, if it has a bandwidth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<LineSummary>,
    /// The direction of responses, if it has a bandwidth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub responses: Option<LineSummary>,
}

/// The summary of a direction of a link with a bandwidth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LineSummary {
    /// Messages transferred.
    pub messages: u64,
    /// Bytes transferred.
    pub bytes: u64,
    /// Share of the time in which messages were transferred.
    pub utilization: Option<f64>,
    /// Mean number of messages beyond one that were being transferred or waited for it.
    pub waiting_mean: Option<f64>,
    /// The maximum of this number.
    pub waiting_max: u32,
    /// By how much transfers took longer than if they had been alone.
    pub wait: DurationStats,
    /// How long transfers take alone.
    pub transfer: DurationStats,
    /// Mean number of messages that have left the sender and not yet arrived.
    pub in_transit_mean: Option<f64>,
    /// Mean number of their bytes.
    pub bytes_in_transit_mean: Option<f64>,
}

impl LinkSummary {
    /// The summary of the result of a link.
    #[must_use]
    pub fn of(link: &LinkResult) -> Self {
        let [requests, responses] = link.lines.each_ref().map(|line| line.as_ref().map(LineSummary::of));
        let waited = link.waited_in_vain;
        let waited_in_vain_seconds = (!waited.is_zero()).then(|| waited.as_seconds());
        Self { sent: link.sent, lost: link.lost, waited_in_vain_seconds, requests, responses }
    }

    /// The directions with a bandwidth of the link called `name`, with their names.
    pub(super) fn lines<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (String, &'a LineSummary)> + 'a {
        let directions = [(false, &self.requests), (true, &self.responses)];
        directions
            .into_iter()
            .filter_map(move |(is_response, line)| Some((direction_name(name, is_response), line.as_ref()?)))
    }
}

impl LineSummary {
    fn of(line: &LineResult) -> Self {
        Self {
            messages: line.completed,
            bytes: line.bytes,
            utilization: line.utilization,
            waiting_mean: line.waiting_mean,
            waiting_max: line.waiting_max,
            wait: DurationStats::of(&line.wait),
            transfer: DurationStats::of(&line.alone),
            in_transit_mean: line.in_transit_mean,
            bytes_in_transit_mean: line.bytes_in_transit_mean,
        }
    }
}
