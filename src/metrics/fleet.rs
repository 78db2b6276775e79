//! Views of many nodes: the range of a figure over the members of a group, and the busiest nodes of a kind.

use super::summary::{NodeSummary, Summary};
use crate::event::NodeKind;

/// Minimum, median and maximum of a set of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinMedianMax {
    /// Minimum.
    pub min: f64,
    /// Median; the lower of the two middle values if their number is even.
    pub median: f64,
    /// Maximum.
    pub max: f64,
}

impl MinMedianMax {
    /// Minimum, median and maximum of these values, or `None` if there are none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        Some(Self { min, median: values[(values.len() - 1) / 2], max })
    }
}

/// All nodes of a kind by name, in the order of the scenario.
pub fn of_kind(summary: &Summary, kind: NodeKind) -> impl Iterator<Item = (&str, &NodeSummary)> {
    let nodes = summary.nodes.iter().filter(move |(_, node)| node.kind == kind);
    nodes.map(|(name, node)| (name.as_str(), node))
}

/// Whether each node, by its position, is a member of a group.
#[must_use]
pub fn in_groups(summary: &Summary) -> Vec<bool> {
    let mut in_groups = vec![false; summary.nodes.len()];
    for member in summary.groups.values().flat_map(|group| &group.members) {
        in_groups[*member] = true;
    }
    in_groups
}

/// The `limit` busiest nodes of a kind, busiest first, among the nodes for whose positions `includes` holds. Nodes are
/// ranked by the [`ranked_by`](crate::model::part::Description::ranked_by) figures of the kind; nodes for which all of
/// these are 0 are left out.
#[must_use]
pub fn busiest(
    summary: &Summary,
    kind: NodeKind,
    limit: usize,
    includes: impl Fn(usize) -> bool,
) -> Vec<(&str, &NodeSummary)> {
    let ranked_by = kind.description().ranked_by;
    let rank = |node: &NodeSummary| -> Vec<f64> {
        ranked_by.iter().map(|figure| node.number(figure).unwrap_or_default()).collect()
    };
    let nodes = summary.nodes.iter().enumerate();
    let nodes = nodes.filter(|(index, (_, node))| node.kind == kind && includes(*index));
    let ranked = nodes.map(|(_, (name, node))| (rank(node), name.as_str(), node));
    let mut ranked: Vec<_> = ranked.filter(|(rank, ..)| rank.iter().any(|value| *value > 0.0)).collect();
    ranked.sort_by(|(a, ..), (b, ..)| {
        let unequal = a.iter().zip(b).map(|(a, b)| b.total_cmp(a)).find(|order| order.is_ne());
        unequal.unwrap_or(std::cmp::Ordering::Equal)
    });
    ranked.truncate(limit);
    ranked.into_iter().map(|(_, name, node)| (name, node)).collect()
}

/// Minimum, median and maximum of a figure over the nodes at these positions, or `None` if none of them has a value.
#[must_use]
pub fn across(
    summary: &Summary,
    members: &[usize],
    figure: impl Fn(&NodeSummary) -> Option<f64>,
) -> Option<MinMedianMax> {
    let nodes = members.iter().filter_map(|&index| summary.nodes.get_index(index));
    MinMedianMax::of(nodes.filter_map(|(_, node)| figure(node)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_values_have_no_range_and_the_median_is_one_of_the_values() {
        assert_eq!(MinMedianMax::of([]), None);
        assert_eq!(MinMedianMax::of([3.0]), Some(MinMedianMax { min: 3.0, median: 3.0, max: 3.0 }));
        assert_eq!(
            MinMedianMax::of([4.0, 1.0, 3.0, 2.0]),
            Some(MinMedianMax { min: 1.0, median: 2.0, max: 4.0 })
        );
    }
}
