//! What an autoscaler reads: the mean of a gauge over the members of a group that are up, since the last time that it was read.

use super::policy::Measured;
use crate::engine::time::SimTime;
use crate::event::NodeRange;
use crate::model::metric::Reading;
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
    /// For each member, the sums then: that of the part, and that of the whole if the metric is a share.
    last: Vec<(u128, u128)>,
}

impl Meter {
    /// A meter that has read nothing yet: the first value is the mean since the start of the run.
    pub(super) fn new(nodes: NodeRange, metric: usize) -> Self {
        Self { nodes, metric, since: SimTime::ZERO, last: vec![(0, 0); nodes.count as usize] }
    }

    /// The mean over the members that are up, and over the time since it was read last; `None` if no member is up, or there is
    /// no value. A share is that of all of them together. A metric that is no mean over time is that of now.
    #[expect(clippy::cast_precision_loss, reason = "a mean: 53 bits are plenty")]
    pub(super) fn read(&mut self, now: SimTime, parts: &mut PartViews<'_>) -> Option<Measured> {
        let elapsed = now.since(std::mem::replace(&mut self.since, now)).as_nanos_f64();
        let (mut sum, mut whole_sum, mut up) = (0.0, None, 0_u32);
        for (node, last) in self.nodes.nodes().zip(&mut self.last) {
            let reading = parts.read(node, self.metric, now);
            let totals = totals(reading);
            let before = std::mem::replace(last, totals);
            if !parts.state(node).is_some_and(NodeState::is_target) {
                continue;
            }
            up += 1;
            let [part, whole] = [totals.0.wrapping_sub(before.0), totals.1.wrapping_sub(before.1)];
            sum += match reading {
                Reading::Level { .. } => part as f64 / elapsed,
                Reading::Share { .. } => {
                    *whole_sum.get_or_insert(0.0) += whole as f64;
                    part as f64
                }
                Reading::Count(_) => part as f64 * 1e9 / elapsed,
                Reading::Value(value) | Reading::OfWindow(value) => value.unwrap_or(0.0),
            };
        }
        let over = whole_sum.unwrap_or_else(|| f64::from(up));
        (up > 0 && over > 0.0).then(|| Measured { value: sum / over, up })
    }

    /// Prepares for the reset of integrals at the end of the warm-up: subtracts what they are from what they were, so that the
    /// next difference still covers all of the time.
    pub(super) fn before_reset(&mut self, now: SimTime, parts: &mut PartViews<'_>) {
        for (node, last) in self.nodes.nodes().zip(&mut self.last) {
            let reading = parts.read(node, self.metric, now);
            if let Reading::Level { .. } | Reading::Share { .. } = reading {
                let (part, whole) = totals(reading);
                *last = (last.0.wrapping_sub(part), last.1.wrapping_sub(whole));
            }
        }
    }
}

/// What grows with time in a reading: an integral or a count, and the integral of the whole if it is a share.
fn totals(reading: Reading) -> (u128, u128) {
    match reading {
        Reading::Level { integral, .. } => (integral, 0),
        Reading::Share { part, whole, .. } => (part, whole),
        Reading::Count(count) => (count.into(), 0),
        Reading::Value(_) | Reading::OfWindow(_) => (0, 0),
    }
}
