//! The order of findings: by their cost to the users of the system.
//!
//! Findings about the same subject, or about a group and its members, at the same time belong to one chain of cause and
//! effect. All of them are ranked by the highest cost among them, and kinds that explain others come first. If many
//! members of a group have the same kind of finding, the costliest represents all of them.

use indexmap::IndexMap;

use super::context::RunContext;
use super::finding::Finding;

/// Maximum number of findings of one kind about members of a group before they are merged into one.
const MAX_SIMILAR: usize = 3;

/// Merges similar findings and sorts them, the most important first.
pub(super) fn ranked(context: &RunContext<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let findings = merged(context, findings);
    let mut by_subject: IndexMap<&str, Vec<&Finding>> = IndexMap::new();
    for finding in &findings {
        let group = context.group_of(&finding.subject);
        for name in std::iter::once(finding.subject.as_str()).chain(group) {
            by_subject.entry(name).or_default().push(finding);
        }
    }
    let cost = |finding: &Finding| {
        let of_group = context.group_of(&finding.subject).and_then(|group| by_subject.get(group));
        // Only findings about the group as a whole are related to those about a member.
        let about_group =
            of_group.into_iter().flatten().filter(|other| context.group_of(&other.subject).is_none());
        shared_cost(finding, by_subject[finding.subject.as_str()].iter().chain(about_group))
    };
    let mut ranked: Vec<(f64, Finding)> =
        findings.iter().map(|finding| (cost(finding), finding.clone())).collect();
    ranked.sort_by(|(cost_a, a), (cost_b, b)| {
        let order = cost_b.total_cmp(cost_a).then(a.kind().cmp(&b.kind()));
        order.then(b.cost.total_cmp(&a.cost)).then_with(|| a.subject.cmp(&b.subject))
    });
    ranked.into_iter().map(|(_, finding)| finding).collect()
}

/// Returns the highest cost of a finding and the related findings that overlap with it in time.
fn shared_cost<'a>(finding: &Finding, related: impl Iterator<Item = &'a &'a Finding>) -> f64 {
    let overlap = |other: &&&Finding| {
        let begins = |a: &Finding, b: &Finding| a.from.zip(b.to).is_none_or(|(from, to)| from < to);
        begins(finding, other) && begins(other, finding)
    };
    related.filter(overlap).map(|other| other.cost).fold(finding.cost, f64::max)
}

/// Merges findings of one kind about more than [`MAX_SIMILAR`] members of a group into the costliest one.
fn merged(context: &RunContext<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let mut sets: IndexMap<(super::FindingKind, Option<&str>), Vec<Finding>> = IndexMap::new();
    for finding in findings {
        let group = context.group_of(&finding.subject);
        sets.entry((finding.kind(), group)).or_default().push(finding);
    }
    let merged = sets.into_iter().flat_map(|((_, group), set)| {
        if group.is_none() || set.len() <= MAX_SIMILAR {
            set
        } else {
            representative(set).into_iter().collect()
        }
    });
    merged.collect()
}

/// Returns the costliest of some findings, with the total cost, the whole time and the number of the others.
fn representative(set: Vec<Finding>) -> Option<Finding> {
    let cost = set.iter().map(|finding| finding.cost).sum();
    let similar_members = set.len() - 1;
    let earliest = set.iter().filter_map(|finding| finding.from).reduce(f64::min);
    let latest = set.iter().filter_map(|finding| finding.to).reduce(f64::max);
    // The first of equally costly findings: `max_by` would return the last.
    let worst = set.into_iter().rev().max_by(|a, b| a.cost.total_cmp(&b.cost))?;
    Some(Finding { cost, similar_members, from: earliest, to: latest, ..worst })
}

#[cfg(test)]
mod tests {
    use super::super::systems::{GROUP, look_at, system};
    use super::ranked;
    use crate::analysis::{Evidence, Finding, FindingKind, LossEvidence, RejectionEvidence};

    fn rejection(subject: &str, cost: f64, from: f64) -> Finding {
        let evidence = RejectionEvidence {
            outcome: "rejected",
            rejected: 1,
            while_down: 0,
            no_target: false,
            share_of_arrivals: 0.1,
            share_of_offered: 0.1,
            peak_per_second: 1.0,
            most_rejected_key: None,
        };
        let (subject, evidence) = (subject.to_owned(), Evidence::Rejection(evidence));
        Finding {
            subject,
            from: Some(from),
            to: Some(from + 1.0),
            cost,
            similar_members: 0,
            resource: None,
            evidence,
        }
    }

    fn loss(subject: &str, cost: f64) -> Finding {
        let evidence = Evidence::Loss(LossEvidence {
            lost: 1,
            sent: 10,
            share_of_messages: 0.1,
            share_of_offered: 0.1,
            waited_in_vain_seconds: 0.0,
            share_of_busy_slots: None,
        });
        Finding {
            subject: subject.to_owned(),
            from: None,
            to: None,
            cost,
            similar_members: 0,
            resource: None,
            evidence,
        }
    }

    fn order(findings: Vec<Finding>, servers: u32) -> Vec<(FindingKind, String, usize)> {
        let nodes = GROUP.replace("count: 3", &format!("count: {servers}"));
        look_at(&system("\"10/s\"", "Fixed(0)", &nodes), &["run_until=1s"], |context| {
            let ranked = ranked(context, findings).into_iter();
            ranked.map(|finding| (finding.kind(), finding.subject, finding.similar_members)).collect()
        })
    }

    #[test]
    fn findings_are_sorted_by_cost_and_causes_share_the_cost_of_their_effects() {
        let findings =
            vec![rejection("m-0", 1.0, 0.0), loss("a", 5.0), loss("m-0", 9.0), rejection("m-1", 6.0, 0.0)];
        let expected = [
            (FindingKind::Rejection, "m-0".to_owned(), 0),
            (FindingKind::Loss, "m-0".to_owned(), 0),
            (FindingKind::Rejection, "m-1".to_owned(), 0),
            (FindingKind::Loss, "a".to_owned(), 0),
        ];
        assert_eq!(order(findings, 3), expected);
    }

    #[test]
    fn one_finding_represents_many_similar_ones() {
        let findings = |many: u32| {
            (0..many).map(|row| rejection(&format!("m-{row}"), f64::from(row % 4), 0.0)).collect()
        };
        assert_eq!(order(findings(3), 5).len(), 3);
        assert_eq!(order(findings(5), 5), [(FindingKind::Rejection, "m-3".to_owned(), 4)]);
    }
}
