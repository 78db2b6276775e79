//! Many nodes at a glance: how far apart the members of a group are, and which nodes are the busiest.

use super::summary::{NodeSummary, Summary};
use crate::event::NodeKind;

/// The least, the middle and the most of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MinMedianMax {
    /// The least.
    pub min: f64,
    /// The middle one; of an even number the lower of the two in the middle.
    pub median: f64,
    /// The most.
    pub max: f64,
}

impl MinMedianMax {
    /// The range of some values; nothing if there are none.
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

/// The `most` busiest nodes of a kind among those that are meant, by what the kind is ranked by; nodes that have none of
/// it are left out.
#[must_use]
pub fn busiest(
    summary: &Summary,
    kind: NodeKind,
    most: usize,
    meant: impl Fn(usize) -> bool,
) -> Vec<(&str, &NodeSummary)> {
    let ranked_by = kind.description().ranked_by;
    let rank = |node: &NodeSummary| -> Vec<f64> {
        ranked_by.iter().map(|figure| node.number(figure).unwrap_or_default()).collect()
    };
    let nodes = summary.nodes.iter().enumerate();
    let nodes = nodes.filter(|(index, (_, node))| node.kind == kind && meant(*index));
    let ranked = nodes.map(|(_, (name, node))| (rank(node), name.as_str(), node));
    let mut ranked: Vec<_> = ranked.filter(|(rank, ..)| rank.iter().any(|value| *value > 0.0)).collect();
    ranked.sort_by(|(a, ..), (b, ..)| {
        let unequal = a.iter().zip(b).map(|(a, b)| b.total_cmp(a)).find(|order| order.is_ne());
        unequal.unwrap_or(std::cmp::Ordering::Equal)
    });
    ranked.truncate(most);
    ranked.into_iter().map(|(_, name, node)| (name, node)).collect()
}

/// How a figure of the nodes at some positions ranges.
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
    fn the_range_of_nothing_is_nothing_and_the_median_is_one_of_the_values() {
        assert_eq!(MinMedianMax::of([]), None);
        assert_eq!(MinMedianMax::of([3.0]), Some(MinMedianMax { min: 3.0, median: 3.0, max: 3.0 }));
        assert_eq!(
            MinMedianMax::of([4.0, 1.0, 3.0, 2.0]),
            Some(MinMedianMax { min: 1.0, median: 2.0, max: 4.0 })
        );
    }
}
