//! The order of findings: by what they cost the users of the system.
//!
//! Findings about the same subject at the same time are links of one chain of cause and effect: they share the cost of the
//! costliest of them, and the kinds that explain the others come first. Where many members of a group have the same to
//! say, one speaks for all.

use indexmap::IndexMap;

use super::finding::Finding;
use super::scene::Scene;

/// So many members of a group speak for themselves.
const MOST_ALIKE: usize = 3;

/// Sorts findings, the most important first.
pub(super) fn ranked(scene: &Scene<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let findings = gathered(scene, findings);
    let mut of_subject: IndexMap<&str, Vec<&Finding>> = IndexMap::new();
    for finding in &findings {
        of_subject.entry(&finding.subject).or_default().push(finding);
    }
    let cost = |finding: &Finding| shared_cost(finding, &of_subject[finding.subject.as_str()]);
    let mut ranked: Vec<(f64, Finding)> =
        findings.iter().map(|finding| (cost(finding), finding.clone())).collect();
    ranked.sort_by(|(cost_a, a), (cost_b, b)| {
        let order = cost_b.total_cmp(cost_a).then(a.kind().cmp(&b.kind()));
        order.then(b.cost.total_cmp(&a.cost)).then_with(|| a.subject.cmp(&b.subject))
    });
    ranked.into_iter().map(|(_, finding)| finding).collect()
}

/// The cost of the costliest of the findings about the same subject that overlap with one in time.
fn shared_cost(finding: &Finding, of_subject: &[&Finding]) -> f64 {
    let overlap = |other: &&&Finding| {
        let begins = |a: &Finding, b: &Finding| a.from.zip(b.to).is_none_or(|(from, to)| from < to);
        begins(finding, other) && begins(other, finding)
    };
    of_subject.iter().filter(overlap).map(|other| other.cost).fold(finding.cost, f64::max)
}

/// Lets the costliest of many findings of a kind about members of a group speak for the others.
fn gathered(scene: &Scene<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let mut sets: IndexMap<(super::Kind, Option<&str>), Vec<Finding>> = IndexMap::new();
    for finding in findings {
        let group = scene.group_of(&finding.subject);
        sets.entry((finding.kind(), group)).or_default().push(finding);
    }
    let spoken = sets.into_iter().flat_map(|((_, group), set)| {
        if group.is_none() || set.len() <= MOST_ALIKE { set } else { spokesman(set).into_iter().collect() }
    });
    spoken.collect()
}

fn spokesman(set: Vec<Finding>) -> Option<Finding> {
    let cost = set.iter().map(|finding| finding.cost).sum();
    let alike = set.len() - 1;
    let earliest = set.iter().filter_map(|finding| finding.from).reduce(f64::min);
    let latest = set.iter().filter_map(|finding| finding.to).reduce(f64::max);
    // Of equally costly ones the first: `max_by` would take the last.
    let worst = set.into_iter().rev().max_by(|a, b| a.cost.total_cmp(&b.cost))?;
    Some(Finding { cost, alike, from: earliest, to: latest, ..worst })
}
