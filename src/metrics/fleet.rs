//! Many servers at a glance: how far apart the members of a group are, and which servers are the hottest.

use super::summary::{NodeSummary, ServerSummary, Summary};

/// The least, the middle and the most of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The least.
    pub min: f64,
    /// The middle one; of an even number the lower of the two in the middle.
    pub median: f64,
    /// The most.
    pub max: f64,
}

impl Range {
    /// The range of some values; nothing if there are none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        Some(Self { min, median: values[(values.len() - 1) / 2], max })
    }
}

/// All servers by name, in the order of the scenario.
pub fn servers(summary: &Summary) -> impl Iterator<Item = (&str, &ServerSummary)> {
    summary.nodes.iter().filter_map(|(name, node)| Some((name.as_str(), node.as_server()?)))
}

/// The `most` servers with the highest utilization among the nodes that are meant, those with the deeper queues first
/// where it is equal; servers that nothing reached are left out.
#[must_use]
pub fn hottest(summary: &Summary, most: usize, meant: impl Fn(usize) -> bool) -> Vec<(&str, &ServerSummary)> {
    let nodes = summary.nodes.iter().enumerate().filter(|(index, _)| meant(*index));
    let servers = nodes.filter_map(|(_, (name, node))| Some((name.as_str(), node.as_server()?)));
    let mut servers: Vec<_> = servers.filter(|(_, server)| server.arrived > 0).collect();
    let heat = |server: &ServerSummary| {
        (server.utilization.unwrap_or_default(), server.queue_depth_mean.unwrap_or_default())
    };
    servers.sort_by(|(_, a), (_, b)| {
        let (a, b) = (heat(a), heat(b));
        b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1))
    });
    servers.truncate(most);
    servers
}

/// How a figure of the servers of a group ranges over its members.
#[must_use]
pub fn across(
    summary: &Summary,
    members: &[usize],
    figure: impl Fn(&ServerSummary) -> Option<f64>,
) -> Option<Range> {
    let servers = members.iter().filter_map(|&index| summary.nodes.get_index(index));
    Range::of(servers.filter_map(|(_, node)| NodeSummary::as_server(node)).filter_map(figure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_nothing_is_nothing_and_the_median_is_one_of_the_values() {
        assert_eq!(Range::of([]), None);
        assert_eq!(Range::of([3.0]), Some(Range { min: 3.0, median: 3.0, max: 3.0 }));
        assert_eq!(Range::of([4.0, 1.0, 3.0, 2.0]), Some(Range { min: 1.0, median: 2.0, max: 4.0 }));
    }
}
