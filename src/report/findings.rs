//! Findings in words, and as programs read them. What was found is in [`analysis`](crate::analysis); here it is only said.

use serde::Serialize;

use super::figures::{count, several, short, time};
use crate::analysis::{Evidence, Finding};

/// A finding as programs read it.
#[derive(Clone, Debug, Serialize)]
pub struct FindingDocument<'a> {
    kind: &'static str,
    subject: &'a str,
    from: Option<f64>,
    to: Option<f64>,
    text: String,
    cost_request_seconds: f64,
    /// Other members of the group of which the same is true.
    alike: usize,
    evidence: &'a Evidence,
}

impl<'a> FindingDocument<'a> {
    /// The document of a finding.
    #[must_use]
    pub fn of(finding: &'a Finding) -> Self {
        Self {
            kind: finding.kind().name(),
            subject: &finding.subject,
            from: finding.from,
            to: finding.to,
            text: text(finding),
            cost_request_seconds: finding.cost,
            alike: finding.alike,
            evidence: &finding.evidence,
        }
    }
}

/// A finding in a sentence or two.
#[must_use]
pub fn text(finding: &Finding) -> String {
    let subject = match finding.alike {
        0 => finding.subject.clone(),
        alike => format!("{} (and {} more like it)", finding.subject, count(alike as u64)),
    };
    let span = span(finding);
    match &finding.evidence {
        Evidence::Overload(found) => {
            let who = if found.servers > 1 {
                format!("{subject} ({} together)", several(found.servers as u64, "server"))
            } else {
                subject
            };
            let spells = match found.spells {
                1 => String::new(),
                spells => format!(", in {spells} spells of {} together", time(Some(found.seconds))),
            };
            format!(
                "{who} was offered {}/s and can do {}/s{span}{spells}: {} requests too many, work for {} such as these.",
                short(found.offered_per_second),
                short(found.capacity_per_second),
                short(found.excess_requests),
                if found.servers_needed > 1.0 {
                    format!("{} servers", short(found.servers_needed))
                } else {
                    "1 server".to_owned()
                },
            )
        }
        Evidence::HotKey(found) => format!(
            "Key {} makes {} of all requests{span}: {}/s, {} of what {subject} can do, and {} of them go there.",
            found.key,
            percent(found.share_meanwhile),
            short(found.requests_per_second),
            percent(found.demand),
            percent(found.share_to_server),
        ),
        Evidence::Saturation(found) => {
            let spells = match found.spells {
                1 => String::new(),
                spells => format!(", in {spells} spells of {} together", time(Some(found.saturated_seconds))),
            };
            format!(
                "{subject} had no free slot{span}{spells}: {} requests waited on average (at most {}), some {} for \
                 each that came.",
                short(found.queue_depth_mean),
                count(u64::from(found.queue_depth_max)),
                time(Some(found.wait_seconds)),
            )
        }
        Evidence::Rejection(found) => {
            let key = match found.most_rejected_key {
                Some((key, share)) if share >= 0.1 => {
                    format!("; {} of them asked for key {key}", percent(share))
                }
                Some(_) | None => String::new(),
            };
            format!(
                "{subject} turned {} away{span}, {} of those that came: there was no room to wait{key}.",
                several(found.rejected, "request"),
                percent(found.share_of_arrivals),
            )
        }
        Evidence::Loss(found) => format!(
            "The link {subject} lost {} of {} ({}).",
            count(found.lost),
            several(found.sent, "message"),
            percent(found.share_of_messages),
        ),
        Evidence::LoadImbalance(found) => format!(
            "{subject} carried {} times its fair share of group {}{span}: it was {} busy, the average of the {} members {}.",
            short(found.times_fair_share),
            found.group,
            percent(found.load),
            found.members,
            percent(found.mean_load),
        ),
        Evidence::Healthy(found) => format!(
            "{}. The busiest server, {subject}, had {} of its slots in use on average, {} in its busiest moments; \
             requests waited there {} times as long as they were served. Its load may grow by {}.",
            if found.failed_share > 0.0 {
                format!("{} of all requests failed", percent(found.failed_share))
            } else {
                "No request failed".to_owned()
            },
            percent(found.utilization),
            percent(found.peak_load),
            short(found.wait_by_service),
            percent(found.headroom),
        ),
    }
}

/// A share: `88.5 %`, `158 %`.
fn percent(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

/// ` between 10.1 s and 24.3 s`, or nothing.
fn span(finding: &Finding) -> String {
    match (finding.from, finding.to) {
        (Some(from), Some(to)) => format!(" between {} and {}", time(Some(from)), time(Some(to))),
        (Some(from), None) => format!(" from {} on", time(Some(from))),
        (None, _) => String::new(),
    }
}
