//! What a node remembers of the loads that others reported to it.

use std::collections::VecDeque;

use bevy_ecs::prelude::*;

use crate::engine::time::{SimDuration, SimTime};
use crate::event::Node;
use crate::request::ReportedLoad;

/// The loads that were reported to one node, as long as it remembers them.
#[derive(Component, Clone, Debug, Default)]
pub struct LoadWindow {
    /// What `first` and the nodes behind it reported; nothing before the first report of any.
    reported: Vec<Option<Box<Reports>>>,
    /// The nodes whose reports are remembered: the first one, and how many of its kind.
    of: Option<(Node, u32)>,
}

/// The reports of one node, the oldest first, and the sum of their loads in billionths.
#[derive(Clone, Debug, Default)]
struct Reports {
    reports: VecDeque<(SimTime, ReportedLoad)>,
    sum: u64,
}

/// What a node takes another one's load to be: the mean of the loads that it remembers, zero if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerceivedLoad {
    sum: u64,
    count: u64,
}

impl PerceivedLoad {
    /// Whether the mean is at least `threshold`, exactly.
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
    /// A window for the reports of some nodes, and of those of their kind that lie between them.
    #[must_use]
    pub fn of(nodes: impl Iterator<Item = Node> + Clone) -> Self {
        let (first, last) = (nodes.clone().min(), nodes.max());
        let span = |(first, last): (Node, Node)| Some((first, last.offset_from(first)? + 1));
        Self { reported: Vec::new(), of: first.zip(last).and_then(span) }
    }

    fn place(&self, node: Node) -> Option<usize> {
        let (first, count) = self.of?;
        node.offset_from(first).filter(|offset| *offset < count).map(|offset| offset as usize)
    }

    /// A node reports its load.
    pub fn report(&mut self, node: Node, load: ReportedLoad, now: SimTime, memory: SimDuration) {
        let Some(place) = self.place(node) else { return };
        if self.reported.is_empty() {
            let count = self.of.map_or(0, |(_, count)| count as usize);
            self.reported.resize(count, None);
        }
        let reports = self.reported[place].get_or_insert_default();
        reports.expire(now, memory);
        reports.reports.push_back((now, load));
        reports.sum += load.billionths();
    }

    /// What the load of a node is taken to be. Reports older than `memory` are dropped first.
    #[inline]
    pub fn expire_and_estimate(&mut self, node: Node, now: SimTime, memory: SimDuration) -> PerceivedLoad {
        let place = self.place(node).and_then(|place| self.reported.get_mut(place));
        place.and_then(Option::as_mut).map_or(PerceivedLoad::default(), |reports| {
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
    fn what_is_older_than_the_window_is_dropped() {
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
    fn others_are_not_listened_to() {
        let mut window = LoadWindow::of((2..4).map(node));
        for row in [0, 1, 4] {
            window.report(node(row), ReportedLoad::FULL, at(0), MEMORY);
            assert_eq!(window.expire_and_estimate(node(row), at(0), MEMORY), PerceivedLoad::default());
        }
        LoadWindow::default().report(node(0), ReportedLoad::FULL, at(0), MEMORY);
    }

    #[test]
    fn a_mean_on_the_threshold_reaches_it() {
        let mut window = LoadWindow::of(std::iter::once(node(0)));
        for _ in 0..7 {
            window.report(node(0), ReportedLoad::from_share(0.9), at(0), MEMORY);
        }
        let estimate = window.expire_and_estimate(node(0), at(0), MEMORY);
        assert!(estimate.reaches(ReportedLoad::from_share(0.9)));
    }
}
