//! The texts of findings about links with a bandwidth, which transfer messages instead of serving requests.

use super::{failed_requests, headroom, peak, percent, span, spells, too_short_text};
use crate::analysis::{
    Evidence, Finding, HealthEvidence, LongWaitsEvidence, LossEvidence, NearCapacityEvidence,
    OverloadEvidence, SaturationEvidence, Uncertainty,
};
use crate::format::numbers::{count, several, short, time};

/// Returns the text of a finding about a link, or `None` if the general one suits it.
pub(super) fn text(finding: &Finding) -> Option<String> {
    let (link, span) = (format!("The link {}", finding.subject), span(finding));
    match &finding.evidence {
        Evidence::Overload(evidence) => Some(overload(&link, &span, evidence)),
        Evidence::Saturation(evidence) => Some(saturation(&link, &span, evidence)),
        Evidence::LongWaits(evidence) => Some(long_waits(&finding.subject, &span, evidence)),
        Evidence::NearCapacity(evidence) => Some(near_capacity(&finding.subject, &span, evidence)),
        Evidence::Healthy(evidence) => Some(healthy(&finding.subject, evidence)),
        Evidence::TooShort(evidence) => {
            let reason = too_short(&finding.subject, &span, &evidence.because)?;
            Some(too_short_text(finding, evidence, &reason))
        }
        Evidence::Fault(_)
        | Evidence::Oscillation(_)
        | Evidence::HotKey(_)
        | Evidence::Rejection(_)
        | Evidence::Loss(_)
        | Evidence::LoadImbalance(_)
        | Evidence::KnowledgeLag(_)
        | Evidence::Convergence(_)
        | Evidence::Unused(_) => None,
    }
}

/// Minimum share of the time of busy slots that lost calls cost which is worth a mention.
const MIN_SHARE_OF_SLOTS: f64 = 0.01;

/// Returns the text of a loss: of the messages, and of what it costs those who wait for an answer.
pub(super) fn loss(link: &str, evidence: &LossEvidence) -> String {
    let share = evidence.share_of_busy_slots.filter(|share| *share >= MIN_SHARE_OF_SLOTS);
    let in_vain = share.map_or_else(String::new, |share| {
        format!(
            " Requests waited {} for them until their timeouts, {} of the time in which slots of the callers were busy.",
            time(Some(evidence.waited_in_vain_seconds)),
            percent(share),
        )
    });
    format!(
        "The link {link} lost {} of {} ({}).{in_vain}",
        count(evidence.lost),
        several(evidence.sent, "message"),
        percent(evidence.share_of_messages),
    )
}

fn overload(link: &str, span: &str, evidence: &OverloadEvidence) -> String {
    let spells = spells(evidence.spells, evidence.seconds);
    format!(
        "{link} was offered {} messages/s, of which its bandwidth carries {}/s{span}{spells}: {} messages too many. At \
         worst, it would have needed {} times its bandwidth.",
        short(evidence.offered_per_second),
        short(evidence.capacity_per_second),
        short(evidence.excess_requests),
        short(evidence.load_in_servers),
    )
}

fn saturation(link: &str, span: &str, evidence: &SaturationEvidence) -> String {
    let spells = spells(evidence.spells, evidence.saturated_seconds);
    format!(
        "{link} was full{span}{spells}: {} messages waited on average (maximum {}), and it takes about {} to transfer \
         them.",
        short(evidence.queue_depth_mean),
        count(evidence.queue_depth_max),
        time(Some(evidence.wait_seconds)),
    )
}

fn long_waits(link: &str, span: &str, evidence: &LongWaitsEvidence) -> String {
    let tail = if evidence.finite_variance {
        ""
    } else {
        ", but the size of messages has no finite variance: a few very large ones hold up all others"
    };
    format!(
        "Messages over the link {link} wait {} for a transfer of {}{span}: {} times as long. Its load is {}{tail}.",
        time(Some(evidence.wait_seconds)),
        time(Some(evidence.service_seconds)),
        short(evidence.wait_by_service),
        percent(evidence.load),
    )
}

fn near_capacity(link: &str, span: &str, evidence: &NearCapacityEvidence) -> String {
    let load = percent(evidence.load);
    if evidence.load < 1.0 {
        let room = percent(1.0 / evidence.load - 1.0);
        format!("The link {link} carries {load} of its bandwidth{span}: its load can grow by {room} at most.")
    } else {
        format!(
            "The load of the link {link} is {load} of its bandwidth{span}: messages come faster than it carries them."
        )
    }
}

fn healthy(link: &str, evidence: &HealthEvidence) -> String {
    format!(
        "{}, and waits are short. The busiest part, the link {link}, has a mean utilization of {}{}, and messages wait \
         there {} times as long as their transfer takes.{}",
        failed_requests(evidence),
        percent(evidence.utilization),
        peak(evidence),
        short(evidence.wait_by_service),
        headroom(evidence, "it is full"),
    )
}

fn too_short(link: &str, span: &str, because: &Uncertainty) -> Option<String> {
    match because {
        Uncertainty::Load { requests, load_at_least, load_at_most, .. } => Some(format!(
            "from {}{span}, the load of the link {link} may be anything from {} to {} in the long run",
            several(*requests, "message"),
            percent(*load_at_least),
            percent(*load_at_most),
        )),
        Uncertainty::HeavyTail => Some(format!(
            "the size of messages over the link {link} has no finite variance, so the largest ones decide how long \
             messages wait, and each longer run has larger ones"
        )),
        Uncertainty::LongServices { service_seconds } => {
            Some(format!("a transfer over the link {link} takes {} on average", time(Some(*service_seconds))))
        }
        Uncertainty::NoRequests | Uncertainty::InFlight { .. } => None,
    }
}
