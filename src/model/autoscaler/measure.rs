//! What an autoscaler reads: the mean of a gauge over the members of a group that are up, since the last time that it was read.

use super::policy::Measured;
use crate::engine::time::SimTime;
use crate::event::NodeRange;
use crate::model::metric::{Reading, ReadingSums};
use crate::model::node_state::NodeState;
use crate::model::parts::PartViews;

/// Reads a gauge of a group.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    nodes: NodeRange,
    /// The index of the metric among those of the kind of the nodes.
    metric: usize,
    /// When it was read last.
    since: SimTime,
    /// The sums of each member then.
    last: Vec<ReadingSums>,
}

impl Meter {
    /// A meter that has read nothing yet: the first value is the mean since the start of the run.
    pub(super) fn new(nodes: NodeRange, metric: usize) -> Self {
        Self { nodes, metric, since: SimTime::ZERO, last: vec![ReadingSums::default(); nodes.count as usize] }
    }

    /// The mean over the members that are up, and over the time since it was read last; `None` if no member is up, or there is
    /// no value. A share is that of all of them together. A metric that is no mean over time is that of now.
    pub(super) fn read(&mut self, now: SimTime, parts: &mut PartViews<'_>) -> Option<Measured> {
        let elapsed = now.since(std::mem::replace(&mut self.since, now)).as_nanos_f64();
        let (mut sum, mut whole_sum, mut up) = (0.0, None, 0_u32);
        for (node, last) in self.nodes.nodes().zip(&mut self.last) {
            let reading = parts.read(node, self.metric, now);
            let [part, whole] = last.advance(reading);
            if !parts.state(node).is_some_and(NodeState::is_target) {
                continue;
            }
            up += 1;
            sum += match reading {
                Reading::Level { .. } => part / elapsed,
                Reading::Share { .. } => {
                    *whole_sum.get_or_insert(0.0) += whole;
                    part
                }
                Reading::Count(_) => part * 1e9 / elapsed,
                Reading::Value(value) | Reading::OfWindow(value) => value.unwrap_or(0.0),
            };
        }
        let over = whole_sum.unwrap_or_else(|| f64::from(up));
        (up > 0 && over > 0.0).then(|| Measured { value: sum / over, up })
    }

    /// Prepares for the reset of statistics at the end of the warm-up.
    pub(super) fn before_reset(&mut self, now: SimTime, parts: &mut PartViews<'_>) {
        for (node, last) in self.nodes.nodes().zip(&mut self.last) {
            last.before_reset(parts.read(node, self.metric, now));
        }
    }
}
