//! The texts of findings, and their JSON documents. The findings themselves come from [`analysis`](crate::analysis).

mod link;

use serde::Serialize;

use super::numbers::{count, several, short, time};
use crate::analysis::{
    BANDWIDTH, Driver, Evidence, FaultEvidence, Finding, HealthEvidence, LoopDelays, OscillationEvidence,
    TooShortEvidence, Uncertainty,
};
use crate::model::metric::Unit;
use crate::request::Outcome;

/// Headroom from which on its number says nothing, in multiples of the present load.
const MAX_HEADROOM: f64 = 10.0;
/// Minimum share of the time of busy slots in which calls held them that is worth a mention.
const MIN_HELD_BY_CALLS: f64 = 0.1;

/// A finding in JSON.
#[derive(Clone, Debug, Serialize)]
pub struct FindingDocument<'a> {
    kind: &'static str,
    subject: &'a str,
    from: Option<f64>,
    to: Option<f64>,
    text: String,
    cost_request_seconds: f64,
    /// Number of other members of the group with the same finding.
    similar_members: usize,
    evidence: &'a Evidence,
}

impl<'a> FindingDocument<'a> {
    /// Returns the document of a finding.
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

/// Returns the subject of a finding in texts: `api-0 (cores)` for a resource of a node.
fn subject(finding: &Finding) -> String {
    let resource = finding.resource.as_ref().filter(|resource| *resource != BANDWIDTH);
    resource.map_or_else(|| finding.subject.clone(), |resource| format!("{} ({resource})", finding.node()))
}

/// Returns what a server has several of that requests use, one each.
fn unit(resource: Option<&str>) -> &'static str {
    match resource {
        None | Some("slots") => "slot",
        Some("cores") => "core",
        Some("memory") => "memory",
        Some(_) => "place",
    }
}

/// Returns the text of a finding: the conclusion first, then its measurements.
#[must_use]
pub fn text(finding: &Finding) -> String {
    if finding.resource.as_deref() == Some(BANDWIDTH)
        && let Some(text) = link::text(finding)
    {
        return text;
    }
    let subject = subject(finding);
    let subject = match finding.similar_members {
        0 => subject,
        similar_members => {
            format!("{subject} (and {})", several(similar_members as u64, "similar member"))
        }
    };
    let unit = unit(finding.resource.as_deref());
    let span = span(finding);
    match &finding.evidence {
        Evidence::Fault(evidence) => fault(&subject, &span, evidence),
        Evidence::Oscillation(evidence) => oscillation(&subject, &span, evidence),
        Evidence::KnowledgeLag(evidence) => format!(
            "The load of {subject} as perceived by clients lags its actual load by {} (correlation {}): load reports \
             stay in memory for {} (window).",
            time(Some(evidence.lag_seconds)),
            short(evidence.correlation),
            time(Some(evidence.window_seconds)),
        ),
        Evidence::Convergence(evidence) => {
            let overshoot = if evidence.overshoot > 0.1 {
                format!(", with {} overshoot", percent(evidence.overshoot))
            } else {
                String::new()
            };
            let level = |value: f64| if evidence.unit == Unit::Share { percent(value) } else { short(value) };
            let settled = if evidence.settled_after_seconds > 0.0 {
                format!("after {}", time(Some(evidence.settled_after_seconds)))
            } else {
                "immediately".to_owned()
            };
            format!(
                "The {} of {subject} settled {settled}: the change at {} ({}) took it from {} to {}{overshoot}.",
                evidence.gauge.replace('_', " "),
                time(Some(evidence.changed_at_seconds)),
                evidence.change,
                level(evidence.before),
                level(evidence.after),
            )
        }
        Evidence::Overload(evidence) => {
            let subject = if evidence.servers > 1 {
                format!("{subject} ({} together)", several(evidence.servers as u64, "server"))
            } else {
                subject
            };
            let spells = spells(evidence.spells, evidence.seconds);
            format!(
                "{subject} was offered {}/s with a capacity of {}/s{span}{spells}: {} requests above capacity. At \
                 worst, the load was that of {} such servers: {} would suffice.",
                short(evidence.offered_per_second),
                short(evidence.capacity_per_second),
                short(evidence.excess_requests),
                short(evidence.load_in_servers),
                short(evidence.servers_needed),
            )
        }
        Evidence::HotKey(evidence) if evidence.keys_seen == 1 && evidence.share_to_server >= 1.0 => format!(
            "Every request has key {}, so all of them go to {subject}{span}: {}/s, {} of its capacity. The other {} \
             get none.",
            evidence.key,
            short(evidence.requests_per_second),
            percent(evidence.demand),
            several(evidence.members.saturating_sub(1) as u64, "member"),
        ),
        Evidence::HotKey(evidence) => format!(
            "Key {} makes up {} of all requests{span}: {}/s, {} of the capacity of {subject}, which receives {} of \
             them.",
            evidence.key,
            percent(evidence.share_meanwhile),
            short(evidence.requests_per_second),
            percent(evidence.demand),
            percent(evidence.share_to_server),
        ),
        Evidence::Saturation(evidence) => {
            let spells = spells(evidence.spells, evidence.saturated_seconds);
            let held = evidence.held_by_calls.filter(|share| *share >= MIN_HELD_BY_CALLS);
            let held = held.map_or_else(String::new, |share| {
                format!(" Its slots were held by calls for {} of that time.", percent(share))
            });
            format!(
                "{subject} had no free {unit}{span}{spells}: {} requests waited on average (maximum {}), and it takes about \
                 {} to serve them.{held}",
                short(evidence.queue_depth_mean),
                count(evidence.queue_depth_max),
                time(Some(evidence.wait_seconds)),
            )
        }
        Evidence::Rejection(evidence) => {
            let is_shed = evidence.outcome == Outcome::Shed.name();
            let key = match evidence.most_rejected_key {
                Some(most) if most.of >= 10 && most.share >= 0.1 => {
                    format!("; {} of them had key {}", percent(most.share), most.key)
                }
                Some(_) | None => String::new(),
            };
            let reason = match evidence.while_down {
                _ if evidence.no_target => "none of its targets was there".to_owned(),
                0 if is_shed => "they exceeded its limit".to_owned(),
                0 => "its queue had no free place".to_owned(),
                all if all == evidence.rejected => "it was down or not there".to_owned(),
                some => {
                    format!(
                        "{} while it was down or not there, the others because its queue had no free place",
                        count(some)
                    )
                }
            };
            format!(
                "{subject} {} {}{span}, {} of its arrivals: {reason}{key}.",
                if is_shed { "shed" } else { "rejected" },
                several(evidence.rejected, "request"),
                percent(evidence.share_of_arrivals),
            )
        }
        Evidence::Loss(evidence) => link::loss(&subject, evidence),
        Evidence::LoadImbalance(evidence) => format!(
            "{subject} received {} times its fair share of the requests to group {}{span}: its utilization was {}, the \
             mean of the {} members {}.",
            short(evidence.times_fair_share),
            evidence.group,
            percent(evidence.load),
            evidence.members,
            percent(evidence.mean_load),
        ),
        Evidence::LongWaits(evidence) => format!(
            "{} wait {} for a service of {}{span}: {} times as long. The load is {}{}.",
            if evidence.servers > 1 {
                format!("Requests to {subject} ({})", several(evidence.servers as u64, "server"))
            } else {
                format!("Requests to {subject}")
            },
            time(Some(evidence.wait_seconds)),
            time(Some(evidence.service_seconds)),
            short(evidence.wait_by_service),
            percent(evidence.load),
            if evidence.finite_variance {
                ""
            } else {
                ", but the service time has no finite variance: a few very long services hold up all others"
            },
        ),
        Evidence::NearCapacity(evidence) => {
            let servers = if evidence.servers > 1 {
                format!(" ({})", several(evidence.servers as u64, "server"))
            } else {
                String::new()
            };
            let load = percent(evidence.load);
            if evidence.load < 1.0 {
                let room = percent(1.0 / evidence.load - 1.0);
                format!("The load of {subject}{servers} is {load}{span}: it can grow by {room} at most.")
            } else {
                format!(
                    "The load of {subject}{servers} is {load}{span}: requests arrive faster than they are served."
                )
            }
        }
        Evidence::Unused(evidence) => {
            let servers = match evidence.servers {
                1 => String::new(),
                servers => format!(" in any of {}", several(servers as u64, "server")),
            };
            if evidence.requests == 0 {
                format!("No request reached {subject}, although others of its group were reached.")
            } else {
                let peak = percent(evidence.peak);
                format!(
                    "At most {peak} of {subject} was in use at the same time{servers}: half of it is enough for what reaches it."
                )
            }
        }
        Evidence::Healthy(evidence) => healthy(&subject, unit, evidence),
        Evidence::TooShort(evidence) => too_short(&subject, finding, evidence),
    }
}

fn fault(subject: &str, span: &str, evidence: &FaultEvidence) -> String {
    let times = match evidence.times {
        1 => String::new(),
        times => format!(", {} times, {} in total", count(times), time(Some(evidence.seconds))),
    };
    let failed =
        (evidence.failed > 0.0).then(|| format!("{} more requests failed", short(evidence.failed.round())));
    let in_flight = evidence.in_flight_meanwhile.zip(evidence.in_flight_before);
    let slower = in_flight.map(|(meanwhile, before)| {
        format!("{} requests were in flight on average instead of {}", short(meanwhile), short(before))
    });
    let slowest = evidence.share_of_slowest.map(|share| {
        format!("{} of the slowest hundredth of requests were in flight during it", percent(share))
    });
    let effects: Vec<String> = failed.into_iter().chain(slower).chain(slowest).collect();
    let recovery = match (evidence.not_recovered_seconds, evidence.recovery_seconds, evidence.times) {
        (Some(seconds), ..) => {
            format!("{} after its end, the system was still not as before.", time(Some(seconds)))
        }
        (None, Some(seconds), _) if seconds <= 0.0 => "The system was as before at its end.".to_owned(),
        (None, Some(seconds), 1) => {
            format!("The system was as before {} after its end.", time(Some(seconds)))
        }
        (None, Some(seconds), _) => {
            format!("The system was as before at most {} after each end.", time(Some(seconds)))
        }
        (None, None, _) => "This run does not show how long the system needs to recover.".to_owned(),
    };
    let (name, what) = (&evidence.fault, &evidence.what);
    let effects = effects.join(", and ");
    format!("\"{name}\" ({subject}: {what}{times}){span}: {effects}. {recovery}")
}

fn healthy(subject: &str, unit: &str, evidence: &HealthEvidence) -> String {
    let failed = failed_requests(evidence);
    let group = evidence.group.as_ref().map(|group| {
        let members = several(group.members as u64, "server");
        format!(
            " Over all of {} ({members}), they wait {} times as long.",
            group.name,
            short(group.wait_by_service)
        )
    });
    format!(
        "{failed}, and waits are short. The busiest server, {subject}, has a mean utilization of {}{}, and requests \
         wait there {} times as long as they are served.{}{}",
        percent(evidence.utilization),
        peak(evidence),
        short(evidence.wait_by_service),
        group.unwrap_or_default(),
        headroom(evidence, &format!("every {unit} is busy")),
    )
}

/// The highest load, ` (93 % in its busiest 20 s)`, or empty if it is not known.
fn peak(evidence: &HealthEvidence) -> String {
    let peak = evidence.peak_load.zip(evidence.peak_seconds);
    peak.map_or_else(String::new, |(load, seconds)| {
        format!(" ({} in its busiest {})", percent(load), time(Some(seconds)))
    })
}

/// By how much the load can grow before it reaches a `limit`, as a sentence, or empty if it is not known.
fn headroom(evidence: &HealthEvidence, limit: &str) -> String {
    match evidence.headroom {
        Some(headroom) if headroom < MAX_HEADROOM => {
            format!(" Its load can grow by {} before {limit}.", percent(headroom))
        }
        Some(_) => format!(" Its load can grow more than {MAX_HEADROOM} times before {limit}."),
        None => String::new(),
    }
}

/// The number and the total length of the spells of a finding, or empty if there is only one.
fn spells(spells: usize, seconds: f64) -> String {
    match spells {
        1 => String::new(),
        spells => format!(", in {spells} spells of {} in total", time(Some(seconds))),
    }
}

fn failed_requests(evidence: &HealthEvidence) -> String {
    if evidence.failed_share > 0.0 {
        format!("{} of all requests failed", percent(evidence.failed_share))
    } else {
        "No request failed".to_owned()
    }
}

fn too_short(subject: &str, finding: &Finding, evidence: &TooShortEvidence) -> String {
    let reason = match &evidence.because {
        Uncertainty::NoRequests => "no request was measured at a server".to_owned(),
        Uncertainty::Load { requests, load_at_least, load_at_most, .. } => format!(
            "from {}{}, the load of {subject} may be anything from {} to {} in the long run",
            several(*requests, "request"),
            span(finding),
            percent(*load_at_least),
            percent(*load_at_most),
        ),
        Uncertainty::HeavyTail => format!(
            "the service time of {subject} has no finite variance, so the longest services decide how long requests \
             wait, and each longer run has longer ones"
        ),
        Uncertainty::InFlight { in_flight, offered } => {
            format!(
                "{} of {} of {subject} had not come back at the end",
                count(*in_flight),
                several(*offered, "request")
            )
        }
        Uncertainty::LongServices { service_seconds } => {
            format!("a service of {subject} takes {} on average", time(Some(*service_seconds)))
        }
    };
    too_short_text(finding, evidence, &reason)
}

/// Says why a run is too short, and how long it would have to be.
fn too_short_text(finding: &Finding, evidence: &TooShortEvidence, reason: &str) -> String {
    let needed = match evidence.needed_seconds {
        Some(seconds) if finding.from.is_some() => {
            format!(" It would have to last about {}.", time(Some(seconds)))
        }
        Some(seconds) => format!(" A run of about {} would tell.", time(Some(seconds))),
        None => String::new(),
    };
    format!("Too short to tell whether it is healthy: {reason}.{needed}")
}

fn oscillation(subject: &str, span: &str, evidence: &OscillationEvidence) -> String {
    let gauge = evidence.gauge.replace('_', " ");
    let height = match evidence.unit {
        Unit::Share => percent(2.0 * evidence.amplitude),
        Unit::Count => format!("{} requests", short(2.0 * evidence.amplitude)),
        Unit::Seconds => time(Some(2.0 * evidence.amplitude)),
        Unit::PerSecond => format!("{}/s", short(2.0 * evidence.amplitude)),
    };
    let trend = match evidence.damping_ratio {
        ratio if ratio > 0.1 => "decaying",
        ratio if ratio < -0.1 => "growing",
        _ => "sustained",
    };
    let driver = match &evidence.driver {
        Driver::Source(name) => format!("It is driven by source {name}, which has the same period."),
        Driver::System => "No source has this period: the oscillation arises inside the system.".to_owned(),
    };
    let mut text = format!(
        "The {gauge} of {subject} oscillates with a period of {}{span}: {:.1} cycles, {height} from trough to peak, \
         {trend}. {driver}",
        time(Some(evidence.period_seconds)),
        evidence.cycles,
    );
    if let Some(delays) = &evidence.feedback {
        text += &feedback(subject, evidence, delays);
    }
    let opposite = evidence.phases.iter().filter(|phase| phase.degrees.abs() > 90.0);
    let opposite: Vec<&str> = opposite.map(|phase| phase.server.as_str()).collect();
    if !opposite.is_empty() {
        text += &format!(
            " {} {} in opposite phase.",
            opposite.join(" and "),
            if opposite.len() == 1 { "swings" } else { "swing" }
        );
    }
    text
}

/// Explains an oscillation by the delays of the feedback loop through the clients.
fn feedback(subject: &str, evidence: &OscillationEvidence, delays: &LoopDelays) -> String {
    let LoopDelays { clients, window_seconds, response_seconds, queue_seconds, sum_seconds, .. } = delays;
    let [window, response, queue, sum, period] =
        [*window_seconds, *response_seconds, *queue_seconds, *sum_seconds, evidence.period_seconds]
            .map(|seconds| time(Some(seconds)));
    let noticed = match delays.noticed_after_seconds {
        Some(after) => format!("{} after {subject} saturates", time(Some(after))),
        None => format!("When {subject} saturates"),
    };
    let turns = match (delays.avoided_seconds, delays.returned_seconds) {
        (Some(avoided), Some(returned)) => {
            format!("avoid it for {}, then return for {}", time(Some(avoided)), time(Some(returned)))
        }
        (_, _) => "avoid it".to_owned(),
    };
    format!(
        " Cause: delayed feedback. {noticed}, its clients ({clients}) perceive a load of {} or more and {turns}. Load \
         reports stay in memory for {window} (window), responses take {response}, the queue takes {queue} to drain: \
         {sum} in all, the period is {period}.",
        percent(delays.threshold),
    )
}

/// A share: `88.5 %`, `158 %`.
fn percent(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

/// ` between 10.1 s and 24.3 s`, or empty for the whole run.
fn span(finding: &Finding) -> String {
    match (finding.from, finding.to) {
        (Some(from), Some(to)) => format!(" between {} and {}", time(Some(from)), time(Some(to))),
        (Some(from), None) => format!(" from {} on", time(Some(from))),
        (None, _) => String::new(),
    }
}
