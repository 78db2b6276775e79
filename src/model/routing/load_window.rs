//! The load reports that a node remembers, and its estimates of the loads of other nodes.

use std::collections::VecDeque;

use bevy_ecs::prelude::*;

use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::request::ReportedLoad;

/// The loads reported to a node that it still remembers.
#[derive(Component, Clone, Debug, Default)]
pub struct LoadWindow {
    /// The reports of each node in `range`; empty before the first report. `None` for nodes that have not reported.
    reported: Vec<Option<Box<Reports>>>,
    /// The nodes whose reports are remembered: the first node, and the number of rows from it on.
    range: Option<(Node, u32)>,
}

/// The reports of one node, oldest first, and the sum of their loads in billionths.
#[derive(Clone, Debug, Default)]
struct Reports {
    reports: VecDeque<(SimTime, ReportedLoad)>,
    sum: u64,
}

/// A node's estimate of the load of another node: the mean of the remembered reports, or 0 without reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerceivedLoad {
    sum: u64,
    count: u64,
}

impl PerceivedLoad {
    /// Whether there are reports and their mean is at least `threshold`. The comparison is exact.
    #[must_use]
    #[inline]
    pub const fn reaches(self, threshold: ReportedLoad) -> bool {
        self.count > 0 && self.sum >= threshold.billionths() * self.count
    }

    /// The mean, from 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share for people and plots")]
    pub fn share(self) -> f64 {
        if self.count == 0 {
            0.0
        } else {
            self.sum as f64 / (self.count * ReportedLoad::FULL.billionths()) as f64
        }
    }
}

impl LoadWindow {
    /// A window for the reports of these nodes of one kind. It covers the rows from the first to the last of them;
    /// without nodes, or with nodes of several kinds, it remembers no reports.
    #[must_use]
    pub fn of(nodes: impl Iterator<Item = Node> + Clone) -> Self {
        let (first, last) = (nodes.clone().min(), nodes.max());
        let span = |(first, last): (Node, Node)| Some((first, last.offset_from(first)? + 1));
        Self { reported: Vec::new(), range: first.zip(last).and_then(span) }
    }

    /// The index of a node in `reported`, or `None` if its reports are not remembered.
    fn index(&self, node: Node) -> Option<usize> {
        let (first, count) = self.range?;
        node.offset_from(first).filter(|offset| *offset < count).map(|offset| offset as usize)
    }

    /// Records the load that `node` reports at `now`. Its reports older than `memory` are dropped first.
    pub fn report(&mut self, node: Node, load: ReportedLoad, now: SimTime, memory: SimDuration) {
        let Some(index) = self.index(node) else { return };
        if self.reported.is_empty() {
            let count = self.range.map_or(0, |(_, count)| count as usize);
            self.reported.resize(count, None);
        }
        let reports = self.reported[index].get_or_insert_default();
        reports.expire(now, memory);
        reports.reports.push_back((now, load));
        reports.sum += load.billionths();
    }

    /// The estimated load of `node` at `now`. Its reports older than `memory` are dropped first.
    #[inline]
    pub fn expire_and_estimate(&mut self, node: Node, now: SimTime, memory: SimDuration) -> PerceivedLoad {
        let reports = self.index(node).and_then(|index| self.reported.get_mut(index));
        reports.and_then(Option::as_mut).map_or(PerceivedLoad::default(), |reports| {
            reports.expire(now, memory);
            PerceivedLoad { sum: reports.sum, count: reports.reports.len() as u64 }
        })
    }
}

impl Reports {
    #[inline]
    fn expire(&mut self, now: SimTime, memory: SimDuration) {
        while let Some(&(at, load)) = self.reports.front() {
            if now.since(at) <= memory {
                break;
            }
            self.reports.pop_front();
            self.sum -= load.billionths();
        }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these means are exact")]
mod tests {
    use super::super::router::testing::node;
    use super::*;

    const MEMORY: SimDuration = SimDuration::from_nanos(4);

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    #[test]
    fn reports_older_than_the_window_are_dropped() {
        let mut window = LoadWindow::of((0..3).map(node));
        window.report(node(1), ReportedLoad::from_share(0.5), at(0), MEMORY);
        window.report(node(1), ReportedLoad::FULL, at(2), MEMORY);
        let mut estimate = |row, nanos| window.expire_and_estimate(node(row), at(nanos), MEMORY);
        assert_eq!(estimate(1, 4).share(), 0.75);
        assert_eq!(estimate(1, 5).share(), 1.0);
        assert_eq!(estimate(1, 7), PerceivedLoad::default());
        assert_eq!(estimate(0, 7).share(), 0.0);
    }

    #[test]
    fn reports_of_other_nodes_are_ignored() {
        let mut window = LoadWindow::of((2..4).map(node));
        for row in [0, 1, 4] {
            window.report(node(row), ReportedLoad::FULL, at(0), MEMORY);
            assert_eq!(window.expire_and_estimate(node(row), at(0), MEMORY), PerceivedLoad::default());
        }
        LoadWindow::default().report(node(0), ReportedLoad::FULL, at(0), MEMORY);
    }

    #[test]
    fn a_mean_equal_to_the_threshold_reaches_it() {
        let mut window = LoadWindow::of(std::iter::once(node(0)));
        for _ in 0..7 {
            window.report(node(0), ReportedLoad::from_share(0.9), at(0), MEMORY);
        }
        let estimate = window.expire_and_estimate(node(0), at(0), MEMORY);
        assert!(estimate.reaches(ReportedLoad::from_share(0.9)));
    }
}
