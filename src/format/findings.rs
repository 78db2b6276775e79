//! Findings in words, and as programs read them. What was found is in [`analysis`](crate::analysis); here it is only said.

use serde::Serialize;

use super::numbers::{count, several, short, time};
use crate::analysis::{Driver, Evidence, Finding, LoopDelays, OscillationEvidence};
use crate::model::metric::Unit;
use crate::request::Outcome;

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
    similar_members: usize,
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
            similar_members: finding.similar_members,
            evidence: &finding.evidence,
        }
    }
}

/// A finding in a sentence or two.
#[must_use]
pub fn text(finding: &Finding) -> String {
    let subject = match finding.similar_members {
        0 => finding.subject.clone(),
        similar_members => {
            format!("{} (and {} more like it)", finding.subject, count(similar_members as u64))
        }
    };
    let span = span(finding);
    match &finding.evidence {
        Evidence::Oscillation(found) => oscillation(&subject, &span, found),
        Evidence::KnowledgeLag(found) => format!(
            "What clients believe of the load of {subject} is {} behind (correlation {}): they remember what they hear \
             for {}.",
            time(Some(found.lag_seconds)),
            short(found.correlation),
            time(Some(found.window_seconds)),
        ),
        Evidence::Convergence(found) => {
            let overshoot = if found.overshoot > 0.1 {
                format!(", having gone {} of the way too far", percent(found.overshoot))
            } else {
                String::new()
            };
            let level = |value: f64| if found.unit == Unit::Share { percent(value) } else { short(value) };
            let rest = if found.settled_after_seconds > 0.0 {
                format!("came to rest after {}", time(Some(found.settled_after_seconds)))
            } else {
                "was at rest at once".to_owned()
            };
            format!(
                "After the change at {} ({}) the {} of {subject} went from {} to {} and {rest}{overshoot}.",
                time(Some(found.changed_at_seconds)),
                found.change,
                found.gauge.replace('_', " "),
                level(found.before),
                level(found.after),
            )
        }
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
                count(found.queue_depth_max),
                time(Some(found.wait_seconds)),
            )
        }
        Evidence::Rejection(found) => {
            let key = match found.most_rejected_key {
                Some(most) if most.of >= 10 && most.share >= 0.1 => {
                    format!("; {} of them asked for key {}", percent(most.share), most.key)
                }
                Some(_) | None => String::new(),
            };
            let why = match found.while_down {
                0 if found.outcome == Outcome::Shed.name() => "they were over its limit".to_owned(),
                0 => "there was no room to wait".to_owned(),
                all if all == found.rejected => "it was down".to_owned(),
                some => {
                    format!("{} while it was down, the others because there was no room to wait", count(some))
                }
            };
            format!(
                "{subject} turned {} away{span}, {} of those that came: {why}{key}.",
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

fn oscillation(subject: &str, span: &str, found: &OscillationEvidence) -> String {
    let gauge = found.gauge.replace('_', " ");
    let swing = match found.unit {
        Unit::Share => percent(2.0 * found.amplitude),
        Unit::Count => format!("{} requests", short(2.0 * found.amplitude)),
        Unit::Seconds => time(Some(2.0 * found.amplitude)),
        Unit::PerSecond => format!("{}/s", short(2.0 * found.amplitude)),
    };
    let fate = match found.damping_ratio {
        ratio if ratio > 0.1 => "dying away",
        ratio if ratio < -0.1 => "growing",
        _ => "sustained",
    };
    let driver = match &found.driver {
        Driver::Source(name) => format!("It follows source {name}, which swings with the same period."),
        Driver::System => "No source swings like that: the system does it itself.".to_owned(),
    };
    let mut text = format!(
        "The {gauge} of {subject} oscillates with a period of {}{span}: {:.1} cycles, each up and down by {swing}, {fate}. {driver}",
        time(Some(found.period_seconds)),
        found.cycles,
    );
    if let Some(feedback) = &found.feedback {
        text += &loop_of(subject, found, feedback);
    }
    let against = found.phases.iter().filter(|phase| phase.degrees.abs() > 90.0);
    let against: Vec<&str> = against.map(|phase| phase.server.as_str()).collect();
    if !against.is_empty() {
        text += &format!(
            " When it is full, {} {} not.",
            against.join(" and "),
            if against.len() == 1 { "is" } else { "are" }
        );
    }
    text
}

/// Why a loop through clients swings.
fn loop_of(subject: &str, found: &OscillationEvidence, feedback: &LoopDelays) -> String {
    let LoopDelays { clients, window_seconds, response_seconds, queue_seconds, sum_seconds, .. } = feedback;
    let [window, response, queue, sum, period] =
        [*window_seconds, *response_seconds, *queue_seconds, *sum_seconds, found.period_seconds]
            .map(|seconds| time(Some(seconds)));
    let noticed = match feedback.noticed_after_seconds {
        Some(after) => {
            format!("{subject} is saturated; {} later its clients ({clients}) take", time(Some(after)))
        }
        None => format!("When {subject} is saturated, its clients ({clients}) take"),
    };
    let turns = match (feedback.avoided_seconds, feedback.returned_seconds) {
        (Some(avoided), Some(returned)) => {
            format!("avoid it (for {}, then they are back for {})", time(Some(avoided)), time(Some(returned)))
        }
        (_, _) => "avoid it".to_owned(),
    };
    format!(
        " {noticed} its load for {} or more and {turns}: what they heard is forgotten within {window}. The delays in this \
         loop, window {window}, response {response} and queue {queue}, add up to {sum}; the period is {period}.",
        percent(feedback.threshold),
    )
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
